"""Captions of Figures 1, 2 and 5 to 9: what the grid shows."""

from __future__ import annotations

import numpy as np

from hpgrid.claims.ledger import Finding, claim
from hpgrid.claims.readings import at_most, on_grid
from hpgrid.claims.routes import BOUNDS, EQ4, figure, refined, setting
from hpgrid.grid import Grid
from hpgrid.refinement.profile import grid_excess
from hpgrid.theory import critical_budget


@claim(
    "S.fig1",
    "Figure 1, caption",
    "at beta = 0.999 the trends hold after a burn-in phase where the optimal batch size is b = 1",
)
def figure_1() -> Finding:
    """Up to the budget where b* leaves 1 the grid's best b is 1, or a step from it; the trends are S.eq7's."""
    arrays = figure("fig1").arrays
    ends = critical_budget.tokens(1e-3, 1.0, 1.0, 1.0)
    largest = float(np.log(arrays["b_hat"][arrays["T"] < ends]).max())
    return Finding(
        (
            at_most("largest log b before b* leaves 1", "grid", largest, 0.0, Grid.footnote().axes["b"].step),
            *on_grid("fig1"),
        ),
        f"the burn-in ends at T = {ends:.2g}; the slopes are those of S.eq7",
    )


@claim("S.fig2", "Figure 2, caption", "at b = 1072 Theorem 2's trends hold")
def figure_2() -> Finding:
    return Finding(on_grid("fig2"), "the slopes are those of S.eq8")


@claim("S.fig5", "Figure 5", "at beta = 0.934 Theorem 1's trends hold")
def figure_5() -> Finding:
    return Finding(on_grid("fig5"))


@claim("S.fig6", "Figure 6", "at beta = 0.9999 Theorem 1's trends hold")
def figure_6() -> Finding:
    return Finding(on_grid("fig6"))


@claim("S.fig7", "Figure 7", "at b = 32 Theorem 2's trends hold")
def figure_7() -> Finding:
    return Finding(on_grid("fig7"))


@claim("S.fig8", "Figure 8", "at b = 35111 Theorem 2's trends hold")
def figure_8() -> Finding:
    return Finding(on_grid("fig8"))


@claim("S.fig9", "Figure 9, caption", "on the grid, Theorem 3's exponents of b, alpha and eta are verified")
def figure_9() -> Finding:
    return Finding(
        on_grid("fig9", "slope of risk", "slope of b", "slope of alpha", "slope of eta"),
        "the grid cannot tell them: its argmin may lie anywhere along the flat direction. S.eq9 does, by refinement",
    )


@claim(
    "S.fig9.oscillations",
    "Figure 9, caption",
    "oscillations are due to the grid search and to similar performance among choices",
)
def oscillations() -> Finding:
    """The refined curve does not jump; and where the grid's argmin is, the risk is within the grid's own excess."""
    data = figure("fig9")
    T, b = data.arrays["T"], data.arrays["b_hat"]
    grid = Grid.footnote()
    excess = grid_excess(BOUNDS[EQ4], {v: grid.axes[v].step for v in ("eta", "b", "alpha")})
    exact = refined(EQ4, setting("eta", "b", "alpha"), T)
    inside = ~data.arrays["any_edge"]
    found = float(np.log(data.arrays["risk_hat"] / exact.risk)[inside].max())
    jump = float(np.abs(np.diff(np.log10(b))).max())
    smooth = float(np.abs(np.diff(np.log10(exact.at["b"]))).max())
    step = float(np.log10(T[1] / T[0]))
    return Finding(
        (
            at_most("largest log(grid's risk/least risk)", "grid", found, excess),
            at_most("largest step of the refined log10 b", "refined", smooth, step),
        ),
        f"the grid's best b jumps by up to {10**jump:.3g} between neighbouring budgets, the refined one by "
        f"{10**smooth:.3g}: all of them are as good to what the grid's own steps cost",
    )
