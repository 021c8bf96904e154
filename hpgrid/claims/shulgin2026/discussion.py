"""The introduction and section 4: what the running text says."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from hpgrid.claims.ledger import Finding, Reading, claim
from hpgrid.claims.readings import at_least, at_most, same, settles, slope, together
from hpgrid.claims.routes import EQ4, EQ11, FAR, SGD, bisect, exponent, figure, power_in, refined, setting, value
from hpgrid.theory import critical_budget

#: Figures 5, 1 and 6, and their momenta.
SHOWN = {"fig5": 0.0658, "fig1": 1e-3, "fig6": 1e-4}


def _leaves_one(alpha: float, **constants: float) -> float:
    """The budget at which the best batch size leaves 1, by bisection on the refined optimum."""
    arrays = {name: np.array([x]) for name, x in constants.items()}
    regime = setting("eta", "b", alpha=alpha)
    return bisect(lambda T: bool((refined(EQ4, regime, T, **arrays).active["b"] == -1).all()), 1.0, 1e40)


@claim(
    "S.intro.critical",
    "intro (i); footnote 5",
    "the optimal batch size exceeds 1 only after a critical budget, which hangs on momentum and C1, C2, C3",
)
def critical() -> Finding:
    readings = []
    cases = [(alpha, 1.0, 1.0, 1.0) for alpha in SHOWN.values()] + [
        (1e-3, 10.0, 1.0, 1.0),
        (1e-3, 1.0, 10.0, 1.0),
        (1e-3, 1.0, 1.0, 10.0),
    ]
    budgets = []
    for alpha, C1, C2, C3 in cases:
        found = _leaves_one(alpha, C1=C1, C2=C2, C3=C3)
        budgets.append(found)
        predicted = critical_budget.tokens(alpha, C1, C2, C3)
        what = f"T where b* > 1, alpha = {alpha:g}, C = {C1:g}, {C2:g}, {C3:g}"
        readings.append(same(what, "refined", found, predicted))
    return Finding(
        tuple(readings),
        f"T = {budgets[0]:.2g}, {budgets[1]:.2g}, {budgets[2]:.2g} at beta = 0.934, 0.999, 0.9999; "
        f"ten times C1, C2, C3 makes {budgets[1]:.2g} into {budgets[3]:.2g}, {budgets[4]:.2g}, {budgets[5]:.2g}",
    )


@claim(
    "S.sec4.ramp",
    "section 4",
    "in Figure 1 (beta = 0.999) the optimal batch size ramps up at around 1e9 tokens, and is initially one",
)
def ramp() -> Finding:
    """Decades, since 'around 1e9' says no more than the power of ten: half of one either way, and a step of T."""
    data = figure("fig1")
    grid = float(data.notes["burn_in_ends"]["b"])
    step = float(np.log10(data.arrays["T"][1] / data.arrays["T"][0]))
    exactly = _leaves_one(1e-3)
    sixth = _leaves_one(1e-4)
    return Finding(
        (
            Reading("log10 T from which b > 1, Figure 1", "grid", float(np.log10(grid)), 9.0, 0.5 + step),
            Reading("log10 T from which b > 1, alpha = 1e-3", "refined", float(np.log10(exactly)), 9.0, 0.5),
            Reading("best b at T = 1e2, Figure 1", "grid", float(data.arrays["b_hat"][0]), 1.0),
        ),
        f"it is {grid:.2g} on Figure 1's grid, {exactly:.2g} refined; nearer to 1e9 is Figure 6's, beta = 0.9999: "
        f"{float(figure('fig6').notes['burn_in_ends']['b']):.2g} on its grid, {sixth:.2g} refined",
    )


@claim(
    "S.intro.decreasing",
    "intro (iii)",
    "optimal scaling always implies learning rates that decrease with the token budget",
)
def decreasing() -> Finding:
    regimes = {
        "A": (EQ4, setting("eta", b=32.0, alpha=1e-3)),
        "B": (EQ4, setting("eta", "alpha", b=32.0)),
        "C": (EQ4, setting("eta", "b", alpha=1e-3)),
        "D": (EQ4, setting("eta", "b", "alpha")),
        "SGD": (SGD, setting("eta", b=32.0)),
    }
    readings = []
    T = np.geomspace(1e2, FAR, 100)
    for name, (bound, regime) in regimes.items():
        steepest = float(refined(bound, regime, T).exponent["eta"].max())
        readings.append(at_most(f"largest local exponent of eta*, ({name})", "refined", steepest, 0.0))
        readings.append(at_most(f"exponent of eta*, ({name})", "exact", exponent(bound, regime, "eta"), 0))
    return Finding(tuple(readings))


@claim("S.sec4.path", "section 4", "if b ~ T^1/2 at a fixed momentum then eta* ~ T^-1/4")
def path() -> Finding:
    regime = setting("eta", alpha=1e-3, b=Fraction(1, 2))
    return Finding(slope("eta", Fraction(-1, 4), regime, EQ4, EQ11), "along the path itself, b not tuned")


@claim(
    "S.sec4.marek",
    "section 4, Marek et al.",
    "beta^kappa = 1 - kappa b T^-1/2 + O(T^-1): b to kappa b asks for beta to beta^kappa",
)
def marek() -> Finding:
    """beta* at kappa b, against beta* at b to the power kappa: as complements, whose ratio must go to 1."""
    T, kappa = np.array([FAR / 1e20, FAR / 1e10]), 8.0
    alpha, larger = (value(refined(EQ4, setting("eta", "alpha", b=b), T), "alpha") for b in (32.0, 32.0 * kappa))
    powered = -np.expm1(kappa * np.log1p(-alpha))
    # The remainder of the expansion, in a variable x = b T^-1/2 whose powers do not cancel in float64.
    x = np.array([1e-4, 1e-3])
    remainder = np.abs(np.expm1(kappa * np.log1p(-x)) + kappa * x)
    order = float(np.diff(np.log10(remainder))[0])
    # The next term, of relative size (kappa - 2) x/3, at the larger x; the rounding of the difference.
    tolerance = float(np.log10(1 + (kappa - 2) * x[1] / 3)) + 1e-7
    at = value(refined(EQ4, setting("eta", "alpha", b=32.0), 1e10), "alpha")[0]
    return Finding(
        together(
            Reading("remainder ~ (b T^-1/2)^p", "arithmetic", order, 2.0, tolerance),
            settles("1 - beta^8 over alpha* at 8 b, eq. (4)", "refined", powered / larger),
        ),
        f"as long as kappa alpha* is small; alpha* is 2 (C1 C3)^(1/2)/C2 b T^-1/2, not b T^-1/2: {at:.2g} at b = 32, "
        "T = 1e10, all constants 1",
    )


@claim("S.sec4.momentum", "section 4", "at a fixed budget the optimal momentum decreases as the batch size increases")
def momentum() -> Finding:
    T, ladder = 1e16, np.geomspace(1, 1e7, 15)
    alphas = [float(value(refined(EQ4, setting("eta", "alpha", b=b), T), "alpha")[0]) for b in ladder]
    smallest = float(np.diff(np.log(alphas)).min())
    return Finding(
        (at_least("smallest log step of alpha*, b = 1 to 1e7, T = 1e16", "refined", smallest, 0.0),),
        "alpha* = 1 - beta* rises with b; S.eq8.alpha has its power",
    )


@claim(
    "S.fig3.eta",
    "Figure 3, caption (iii)",
    "the best eta at 5e9 tokens, 0.001, 0.003, 0.01 at b = 32, 128, 512, is the square-root law's",
)
def figure_3() -> Finding:
    """The slope through the caption's numbers; each is within half a step of its own grid of eta."""
    from hpgrid.slopes import fit_slope

    b, eta = np.array([32.0, 128.0, 512.0]), np.array([0.001, 0.003, 0.01])
    half_step = float(np.log(eta[2] / eta[1])) / 2
    found = fit_slope(b, eta, step=half_step)
    predicted = power_in(EQ4, setting("eta", b=32.0, alpha=1e-3), "eta", "b")
    return Finding(
        (Reading("eta ~ b^p through three points", "arithmetic", found.slope, predicted, found.error),),
        f"the grid of eta is three to a decade or coarser, so that any power from {found.slope - found.error:.2f} to "
        f"{found.slope + found.error:.2f} would do: in line with 1/2, no evidence for it",
    )
