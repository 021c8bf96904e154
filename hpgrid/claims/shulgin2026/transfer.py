"""Appendix A: Tables 2 and 3, from a short run's best configuration to a longer one."""

from __future__ import annotations

from typing import Any

import numpy as np

from hpgrid.claims.ledger import Finding, Reading, claim
from hpgrid.claims.readings import at_most, same, settles
from hpgrid.claims.routes import BOUNDS, EQ4, EQ11, FAR, FARTHER, SGD, SOLVER, Array, Setting, refined, setting, value
from hpgrid.theory import transfer as printed
from hpgrid.theory.transfer import Run

#: What each regime of Table 2 tunes.
REGIMES = {
    "A": setting("eta", b=1072.0, alpha=1e-3),
    "B": setting("eta", "alpha", b=1072.0),
    "C": setting("eta", "b", alpha=1e-3),
    "D": setting("eta", "b", "alpha"),
}

#: How much longer the long run is; the short runs at which a rule must hold; and one that people make.
LONGER = 100.0
STARTS = np.array([FAR, FARTHER])
SHORT = 1e9

#: Table 3's two runs.
FIRST, SECOND = Run(STARTS, 1e3), Run(STARTS * LONGER, 1e5)


def _best(bound: str, regime: Setting, T: Any) -> dict[str, Array]:
    found = refined(bound, regime, T)
    return {name: value(found, name) for name in regime.tuned}


def _excess(regime: Setting, T: float, at: dict[str, Any]) -> float:
    """The relative excess risk of a configuration over the best one, on eq. (4)."""
    risk = BOUNDS[EQ4].risk(T=T, **dict(regime.fixed), **at)
    return float((risk / refined(EQ4, regime, T).risk)[0]) - 1


def _transferred(name: str) -> Finding:
    """Table 2's rule far out, where it must hold, and what it costs at a budget that people train with."""
    regime, readings = REGIMES[name], []
    for bound in (EQ4, EQ11):
        moved = printed.rule(name, _best(bound, regime, STARTS), LONGER)
        best = _best(bound, regime, STARTS * LONGER)
        for v in regime.tuned:
            readings.append(settles(f"{v}_1 over its best, T1 = 100 T0, {bound}", "refined", moved[v] / best[v]))
    short = _best(EQ4, regime, SHORT)
    rule = _excess(regime, SHORT * LONGER, printed.rule(name, short, LONGER))
    naive = _excess(regime, SHORT * LONGER, short)
    readings.append(at_most("excess risk, against the old optimum's, T = 1e9 to 1e11", "refined", rule, naive))
    told = f"from T0 = 1e9 to T1 = 1e11 on eq. (4) the rule costs {rule:.2g} of the risk, the old optimum {naive:.3g}"
    return Finding(tuple(readings), told)


@claim("S.table2.A", "Table 2, (A)", "fixed b, fixed alpha: eta_1 = eta_0 (T0/T1)^1/2")
def table2_a() -> Finding:
    return _transferred("A")


@claim("S.table2.B", "Table 2, (B)", "fixed b, tuned alpha: alpha_1 = alpha_0 (T0/T1)^1/2, eta_1 = eta_0 (T0/T1)^3/4")
def table2_b() -> Finding:
    return _transferred("B")


@claim("S.table2.C", "Table 2, (C)", "tuned b, fixed alpha: b_1 = b_0 (T1/T0)^1/2, eta_1 = eta_0 (T0/T1)^1/4")
def table2_c() -> Finding:
    return _transferred("C")


@claim(
    "S.table2.D",
    "Table 2, (D)",
    "tuned b and alpha: b_1 = b_0 (T1/T0)^1/6, alpha_1 = alpha_0 (T0/T1)^1/3, eta_1 = eta_0 (T0/T1)^7/12",
)
def table2_d() -> Finding:
    return _transferred("D")


@claim("S.A.fixed", "App. A, before Table 3", "Table 2 assumes that the long run has the short run's batch size")
def held_fixed() -> Finding:
    grown = {name: printed.rule(name, {"b": 1.0}, LONGER)["b"] for name in printed.TABLE_2}
    return Finding(
        tuple(Reading(f"b1/b0 in regime {x}, T1/T0 = 100", "arithmetic", float(b), 1.0) for x, b in grown.items()),
        "so it does in (A) and (B); (C) and (D) change b with T",
    )


def _both(bound: str, *tuned: str) -> tuple[dict[str, Array], dict[str, Array]]:
    """The best configurations of Table 3's runs, alpha = 1e-3 where it is not tuned."""
    held: dict[str, Any] = {} if "alpha" in tuned or bound == SGD else {"alpha": 1e-3}
    first, second = (_best(bound, setting(*tuned, b=run.b, **held), run.T) for run in (FIRST, SECOND))
    return first, second


@claim("S.table3.A", "Table 3, first row", "fixed alpha: eta_1 = eta_0 (b1/b0)^1/2 (T0/T1)^1/2")
def table3_a() -> Finding:
    readings = []
    for bound in (EQ4, EQ11):
        first, second = _both(bound, "eta")
        moved = printed.fixed_momentum(first["eta"], FIRST, SECOND)
        readings.append(settles(f"eta_1 over its best, {bound}", "refined", moved / second["eta"]))
    through = printed.fixed_momentum_from_invariant(printed.printed_invariant(1.0, FIRST), SECOND)
    last = printed.fixed_momentum(1.0, FIRST, SECOND)
    return Finding((*readings, same("by c_eta over the last expression", "arithmetic", through, last)))


@claim(
    "S.table3.B",
    "Table 3, second row",
    "tuned alpha: alpha_1 = alpha_0 b1/b0 (T0/T1)^1/2, eta_1 = eta_0 b1/b0 (T0/T1)^3/4",
)
def table3_b() -> Finding:
    readings = []
    for bound in (EQ4, EQ11):
        first, second = _both(bound, "eta", "alpha")
        moved = printed.tuned_momentum(first, FIRST, SECOND)
        for v in ("alpha", "eta"):
            readings.append(settles(f"{v}_1 over its best, {bound}", "refined", moved[v] / second[v]))
    return Finding(tuple(readings))


@claim("S.table3.SGD", "Table 3, third row; App. A, contrast to SGD", "SGD: eta_1 = eta_0 b1/b0 (T0/T1)^1/2")
def table3_sgd() -> Finding:
    first, second = _both(SGD, "eta")
    moved = printed.sgd(first["eta"], FIRST, SECOND)
    return Finding((settles("eta_1 over its best, eq. (42)", "refined", moved / second["eta"]),))


def _invariant(last: Any) -> Finding:
    """A printed invariant put into the printed extrapolation, over the last expression of the row."""
    ratio = printed.from_invariant(printed.printed_invariant(1.0, FIRST), SECOND) / last
    return Finding(
        (Reading("by the invariant over the last expression", "arithmetic", float(np.max(ratio)), 1.0, SOLVER),),
        f"b0^(1/2) times too large, b0 = {FIRST.b:g}: the last expression is right, and the invariant that gives it is "
        "divided by b0, not by its root",
    )


@claim(
    "S.table3.c_alpha",
    "Table 3, second row, middle column",
    "c_alpha = alpha_0 (T0/b0)^1/2, alpha_1 = c_alpha b1/T1^1/2",
)
def c_alpha() -> Finding:
    return _invariant(printed.tuned_momentum({"alpha": 1.0, "eta": 1.0}, FIRST, SECOND)["alpha"])


@claim("S.table3.c_sgd", "Table 3, third row, middle column", "c_eta = eta_0 (T0/b0)^1/2, with eta_1 = c_eta b1/T1^1/2")
def c_sgd() -> Finding:
    return _invariant(printed.sgd(1.0, FIRST, SECOND))
