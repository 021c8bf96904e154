"""The introduction, section 4, and Appendix A: what the running text says; from a short run to a longer one."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

from hpgrid.claims import measures as m
from hpgrid.claims.ledger import Measured, claim, claims
from hpgrid.readings import Reading, of_exponent
from hpgrid.slopes import lasting
from hpgrid.theory import printed, theorems
from hpgrid.theory.printed import Run

#: The momentum complements of Figures 5, 1 and 6.
SHOWN = (0.0658, 1e-3, 1e-4)


def regimes(b: float) -> dict[str, m.Setting]:
    """Return what each regime of Table 2 tunes, at a batch size and at beta = 0.999."""
    return {
        "A": m.setting("eta", b=b, alpha=1e-3),
        "B": m.setting("eta", "alpha", b=b),
        "C": m.setting("eta", "b", alpha=1e-3),
        "D": m.JOINT,
    }


def _leaves_one(alpha: float, **constants: float) -> float:
    """The budget at which the best batch size leaves 1, by bisection on the refined optimum."""
    regime = m.setting("eta", "b", alpha=alpha)
    return m.crossing(lambda T: m.refined(m.EQ4, regime, T, **constants).active["b"] == -1, 1.0, 1e40)


@claim(
    "S.intro.critical",
    "intro (i); footnote 5",
    "the optimal batch size exceeds 1 only after a critical budget, which hangs on momentum and C1, C2, C3",
)
def critical() -> Measured:
    budgets = []
    constants = [(1.0, 1.0, 1.0)] * 3 + [(10.0, 1.0, 1.0), (1.0, 10.0, 1.0), (1.0, 1.0, 10.0)]
    for alpha, (C1, C2, C3) in zip((*SHOWN, 1e-3, 1e-3, 1e-3), constants):
        budgets.append(_leaves_one(alpha, C1=C1, C2=C2, C3=C3))
        predicted = theorems.pays_from_at_momentum(alpha, C1, C2, C3)
        what = f"T where b* > 1, alpha = {alpha:g}, C = {C1:g}, {C2:g}, {C3:g}"
        yield m.same(what, "refined", budgets[-1], predicted)
    yield (
        f"T = {budgets[0]:.2g}, {budgets[1]:.2g}, {budgets[2]:.2g} at beta = 0.934, 0.999, 0.9999; "
        f"ten times C1, C2, C3 makes {budgets[1]:.2g} into {budgets[3]:.2g}, {budgets[4]:.2g}, {budgets[5]:.2g}"
    )


@claim(
    "S.sec4.ramp",
    "section 4",
    "in Figure 1 (beta = 0.999) the optimal batch size ramps up at around 1e9 tokens, and is initially one",
)
def ramp() -> Measured:
    """Decades, since 'around 1e9' says no more than the power of ten: half of one either way, and a step of T."""
    data = m.figure("fig1")
    grid, sixth = _rises("fig1"), _rises("fig6")
    step = float(np.log10(data.arrays["T"][1] / data.arrays["T"][0]))
    exactly = _leaves_one(1e-3)
    yield Reading("log10 T from which b > 1, Figure 1", "grid", float(np.log10(grid)), 9.0, 0.5 + step)
    yield Reading("log10 T from which b > 1, alpha = 1e-3", "refined", float(np.log10(exactly)), 9.0, 0.5)
    yield Reading("best b at T = 1e2, Figure 1", "grid", float(data.arrays["b_hat"][0]), 1.0)
    yield (
        f"it is {grid:.2g} on Figure 1's grid, {exactly:.2g} refined; nearer to 1e9 is Figure 6's, beta = 0.9999: "
        f"{sixth:.2g} on its grid, {_leaves_one(1e-4):.2g} refined"
    )


def _rises(name: str) -> float:
    """The first budget of a figure's grid from which its best batch size stays above 1."""
    arrays = m.figure(name).arrays
    return float(arrays["T"][lasting(arrays["b_hat"][None] > 1)[0]])


@claim(
    "S.intro.decreasing",
    "intro (iii)",
    "optimal scaling always implies learning rates that decrease with the token budget",
)
def decreasing() -> Measured:
    # "Always" is more than the limit: the local exponent is read at every budget, too.
    T = np.geomspace(1e2, m.FAR, 100)
    for name, regime in regimes(32.0).items():
        flattest = float(m.refined(m.EQ4, regime, T).exponent["eta"].max())
        yield m.below(f"largest local exponent of eta*, ({name})", "refined", flattest, 0.0)
        yield m.below(f"exponent of eta*, ({name})", "exact", m.exponent(m.EQ4, regime, "eta"), 0)


@claim("S.sec4.path", "section 4", "if b ~ T^1/2 at a fixed momentum then eta* ~ T^-1/4")
def path() -> Measured:
    regime = m.setting("eta", alpha=1e-3, b=Fraction(1, 2))
    yield from m.slope("eta", theorems.THEOREM_1["eta"], regime, m.EQ4, m.EQ11)
    yield "along the path itself, b not tuned"


@claim(
    "S.sec4.marek",
    "section 4, Marek et al.",
    "beta^kappa = 1 - kappa b T^-1/2 + O(T^-1): b to kappa b asks for beta to beta^kappa",
)
def marek() -> Measured:
    """beta* at kappa b, against beta* at b to the power kappa: as complements, whose ratio must go to 1."""
    T, kappa = np.array([m.FAR / 1e20, m.FAR / 1e10]), 8.0
    alpha, larger = (m.best("alpha", m.EQ4, m.setting("eta", "alpha", b=b), T) for b in (32.0, 32.0 * kappa))
    # 1 - (1 - alpha)^kappa to the last digits of a small alpha.
    powered = -np.expm1(kappa * np.log1p(-alpha))
    # The remainder of the expansion, in a variable x = b T^-1/2 whose powers do not cancel in float64.
    x = np.array([1e-4, 1e-3])
    remainder = np.abs(np.expm1(kappa * np.log1p(-x)) + kappa * x)
    order = float(np.diff(np.log10(remainder))[0])
    # The next term, of relative size (kappa - 2) x/3, at the larger x; the rounding of the difference.
    tolerance = float(np.log10(1 + (kappa - 2) * x[1] / 3)) + 1e-7
    at = m.best("alpha", m.EQ4, m.setting("eta", "alpha", b=32.0), 1e10)[0]
    yield of_exponent("remainder ~ (b T^-1/2)^p", "arithmetic", order, 2.0, tolerance)
    yield m.settles("1 - beta^8 over alpha* at 8 b, eq. (4)", "refined", powered / larger)
    yield (
        f"as long as kappa alpha* is small; alpha* is 2 (C1 C3)^(1/2)/C2 b T^-1/2, not b T^-1/2: {at:.2g} at b = 32, "
        "T = 1e10, all constants 1"
    )


@claim("S.sec4.momentum", "section 4", "at a fixed budget the optimal momentum decreases as the batch size increases")
def momentum() -> Measured:
    optimum = m.along(m.EQ4, m.JOINT, "b", np.geomspace(1, 1e7, 15), 1e16)
    smallest = float(np.diff(np.log(m.value(optimum, "alpha"))).min())
    yield m.at_least("smallest log step of alpha*, b = 1 to 1e7, T = 1e16", "refined", smallest, 2 * m.SOLVER)
    yield "alpha* = 1 - beta* rises with b; S.eq8.alpha has its power"


@claim(
    "S.fig3.eta",
    "Figure 3, caption (iii)",
    "the best eta at 5e9 tokens, 0.001, 0.003, 0.01 at b = 32, 128, 512, is the square-root law's",
)
def figure_3() -> Measured:
    """The slope through the caption's numbers; each is within half a step of its own grid of eta."""
    from hpgrid.slopes import fit_slope

    b, eta = np.array([32.0, 128.0, 512.0]), np.array([0.001, 0.003, 0.01])
    fit = fit_slope(b, eta, step=float(np.log(eta[2] / eta[1])) / 2)
    predicted = m.power_in(m.EQ4, m.setting("eta", b=32.0, alpha=1e-3), "eta", "b")
    yield of_exponent("eta ~ b^p through three points", "arithmetic", fit.slope, predicted, fit.error)
    yield (
        f"the grid of eta is three to a decade or coarser, so that any power from {fit.slope - fit.error:.2f} to "
        f"{fit.slope + fit.error:.2f} would do: in line with 1/2, no evidence for it"
    )


#: How much longer the long run is; the short runs at which a rule must hold; and one that people make.
LONGER = 100.0
STARTS = m.FAR_OUT
SHORT = 1e9

#: Table 3's two runs.
FIRST, SECOND = Run(STARTS, 1e3), Run(STARTS * LONGER, 1e5)


def _best(bound: str, where: m.Setting, T: Any) -> dict[str, m.Array]:
    return {name: m.best(name, bound, where, T) for name in where.regime.tuned}


@claims(
    ("S.table2.A", "Table 2, (A)", "fixed b, fixed alpha: eta_1 = eta_0 (T0/T1)^1/2", "A"),
    ("S.table2.B", "Table 2, (B)",
     "fixed b, tuned alpha: alpha_1 = alpha_0 (T0/T1)^1/2, eta_1 = eta_0 (T0/T1)^3/4", "B"),
    ("S.table2.C", "Table 2, (C)", "tuned b, fixed alpha: b_1 = b_0 (T1/T0)^1/2, eta_1 = eta_0 (T0/T1)^1/4", "C"),
    ("S.table2.D", "Table 2, (D)",
     "tuned b and alpha: b_1 = b_0 (T1/T0)^1/6, alpha_1 = alpha_0 (T0/T1)^1/3, eta_1 = eta_0 (T0/T1)^7/12", "D"),
)  # fmt: skip
def table2(name: str) -> Measured:
    """Table 2's rule far out, where it must hold, and what it costs at a budget that people train with."""
    where = regimes(1072.0)[name]
    for bound in (m.EQ4, m.EQ11):
        moved = printed.rule(name, _best(bound, where, STARTS), LONGER)
        best = _best(bound, where, STARTS * LONGER)
        for v in where.regime.tuned:
            yield m.settles(f"{v}_1 over its best, T1 = 100 T0, {bound}", "refined", moved[v] / best[v])
    short = _best(m.EQ4, where, SHORT)

    def excess(at: dict[str, Any]) -> float:
        """The relative excess risk of a configuration over the best one."""
        T = SHORT * LONGER
        risk = m.BOUNDS[m.EQ4].risk(T=T, **where.regime.fixed, **at)
        return float((risk / m.best("risk", m.EQ4, where, T))[0]) - 1

    rule, naive = excess(printed.rule(name, short, LONGER)), excess(short)
    yield m.at_most("excess risk, against the old optimum's, T = 1e9 to 1e11", "refined", rule, naive)
    yield f"from T0 = 1e9 to T1 = 1e11 on eq. (4) the rule costs {rule:.2g} of the risk, the old optimum {naive:.3g}"


@claim("S.A.fixed", "App. A, before Table 3", "Table 2 assumes that the long run has the short run's batch size")
def held_fixed() -> Measured:
    for name in printed.TABLE_2:
        grown = float(printed.rule(name, {"b": 1.0}, LONGER)["b"])
        yield Reading(f"b1/b0 in regime {name}, T1/T0 = 100", "arithmetic", grown, 1.0)
    yield "so it does in (A) and (B); (C) and (D) change b with T"


def _both(bound: str, *tuned: str) -> tuple[dict[str, m.Array], dict[str, m.Array]]:
    """The best configurations of Table 3's runs, alpha = 1e-3 where it is not tuned."""
    held: dict[str, Any] = {} if "alpha" in tuned or bound == m.SGD else {"alpha": 1e-3}
    first, second = (_best(bound, m.setting(*tuned, b=run.b, **held), run.T) for run in (FIRST, SECOND))
    return first, second


@claim("S.table3.A", "Table 3, first row", "fixed alpha: eta_1 = eta_0 (b1/b0)^1/2 (T0/T1)^1/2")
def table3_a() -> Measured:
    for bound in (m.EQ4, m.EQ11):
        first, second = _both(bound, "eta")
        moved = printed.fixed_momentum(first["eta"], FIRST, SECOND)
        yield m.settles(f"eta_1 over its best, {bound}", "refined", moved / second["eta"])
    through = printed.fixed_momentum_from_invariant(printed.printed_invariant(1.0, FIRST), SECOND)
    last = printed.fixed_momentum(1.0, FIRST, SECOND)
    yield m.same("by c_eta over the last expression", "arithmetic", through, last)


@claim(
    "S.table3.B",
    "Table 3, second row",
    "tuned alpha: alpha_1 = alpha_0 b1/b0 (T0/T1)^1/2, eta_1 = eta_0 b1/b0 (T0/T1)^3/4",
)
def table3_b() -> Measured:
    for bound in (m.EQ4, m.EQ11):
        first, second = _both(bound, "eta", "alpha")
        moved = printed.tuned_momentum(first, FIRST, SECOND)
        for v in ("alpha", "eta"):
            yield m.settles(f"{v}_1 over its best, {bound}", "refined", moved[v] / second[v])


@claim("S.table3.SGD", "Table 3, third row; App. A, contrast to SGD", "SGD: eta_1 = eta_0 b1/b0 (T0/T1)^1/2")
def table3_sgd() -> Measured:
    first, second = _both(m.SGD, "eta")
    moved = printed.sgd(first["eta"], FIRST, SECOND)
    yield m.settles("eta_1 over its best, eq. (42)", "refined", moved / second["eta"])


@claims(
    ("S.table3.c_alpha", "Table 3, second row, middle column",
     "c_alpha = alpha_0 (T0/b0)^1/2, alpha_1 = c_alpha b1/T1^1/2",
     lambda: printed.tuned_momentum({"alpha": 1.0, "eta": 1.0}, FIRST, SECOND)["alpha"]),
    ("S.table3.c_sgd", "Table 3, third row, middle column",
     "c_eta = eta_0 (T0/b0)^1/2, with eta_1 = c_eta b1/T1^1/2", lambda: printed.sgd(1.0, FIRST, SECOND)),
)  # fmt: skip
def invariant(last: Callable[[], Any]) -> Measured:
    """A printed invariant put into the printed extrapolation, over the last expression of the row."""
    ratio = printed.from_invariant(printed.printed_invariant(1.0, FIRST), SECOND) / last()
    yield Reading("by the invariant over the last expression", "arithmetic", float(np.max(ratio)), 1.0, m.SOLVER)
    yield (
        f"b0^(1/2) times too large, b0 = {FIRST.b:g}: the last expression is right, and the invariant that gives it is "
        "divided by b0, not by its root"
    )
