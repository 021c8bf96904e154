"""The grid's route: a brute-force search, and the slope of its argmin over the budgets after burn-in.

It reads powers of the budget alone. Those of constants and held variables would need these to move over so many
decades (a slope is off by two grid steps over their log range) that the burn-in, which goes with their tenth power,
left the grid; and a free power of a logarithm can't be told on one at all.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from hpgrid.claims.ledger import Reading
from hpgrid.claims.routes import Bound, Setting
from hpgrid.curves import Curve, argmin_curve
from hpgrid.grid import TUNABLE, Grid, LogAxis
from hpgrid.paper.checks import verdict
from hpgrid.refinement.profile import profile
from hpgrid.search.brute import grid_search
from hpgrid.slopes import fit_slope, lasting
from hpgrid.statements.behind import Followed, Following, Searched, capped
from hpgrid.statements.posing import Question, variables
from hpgrid.statements.verdicts import BESIDE, tells

ROUTE = "grid"


#: The iterations of a grid in K; the papers state none.
ITERATIONS = LogAxis(1e2, 1e16)


#: How many budgets are fitted where the continuous optimum is followed downhill, which takes its time.
_MOST = 20


class Window(NamedTuple):
    """Over which budgets a slope was fitted.

    Attributes:
        low: the first of them.
        high: the last of them.
        points: how many there are.
        edge_points: how many in between were left out: there the argmin is on the border of the search box.
    """

    low: float
    high: float
    points: int
    edge_points: int


def default_grid(budget: str) -> Grid:
    """Return the grid of the paper's footnote, in tokens or iterations."""
    return Grid.footnote() if budget == "T" else Grid.footnote().with_axes(K=ITERATIONS)


def search(proxy: Bound, grid: Grid, setting: Setting) -> Searched:
    """Return the argmin of a grid at the budgets after burn-in."""
    roles: Any = setting.roles()
    lacking: Any = {v: None for v in TUNABLE if v not in variables(proxy)}
    best = grid_search(proxy, grid.with_axes(**lacking), setting.tuned, **roles)
    found = {v: argmin_curve(best, v) for v in setting.tuned}
    first = max(_burn_in_end(curve, proxy, grid, setting) for curve in found.values())
    budget = grid.axes[grid.budget].values
    left = np.arange(first, len(budget))
    if not proxy.is_posynomial(setting.tuned) and len(left) > _MOST:
        left = left[np.linspace(0, len(left) - 1, _MOST).round().astype(int)]
    return Searched(
        budget=budget[left],
        curves={"risk": best.risk[left], **{v: curve.value[left] for v, curve in found.items()}},
        edge=np.any([curve.edge for curve in found.values()], axis=0)[left],
        steps={v: grid.axes[v].step for v in setting.tuned},
    )


def _burn_in_end(curve: Curve, proxy: Bound, grid: Grid, setting: Setting) -> int:
    """Where a variable leaves b = 1 or alpha = 1 for good.

    By the continuous optimum where that is cheap: a flat direction takes the argmin back to the border again and
    again, long after.
    """
    if curve.name == "eta" or not proxy.is_posynomial(setting.tuned):
        return curve.burn_in
    truth = profile(capped(proxy, setting), setting.tuned, dict(setting.fixed), curve.budget).at[curve.name]
    axis = grid.axes[curve.name]
    away = np.abs(np.log(truth / axis.values[0 if curve.name == "b" else -1])) > axis.step
    return int(lasting(away[None])[0])


def readings(question: Question, following: Following) -> tuple[Reading, ...]:
    """Return the budget's power as the grid shows it, freed of the logarithm that is claimed.

    The window runs from the end of burn-in to the last budget. The tolerance is the argmin's uncertainty over
    it, and how far the continuous optimum's slope there is from its slope far out.
    """
    if question.power is None:
        return ()
    budget, log = question.setting.budget, float(question.log)
    # What is freed of a logarithm measures another thing.
    what = f"power of {budget}" + (f"{BESIDE}(log {budget})^{question.log}" if log else "")
    found, scale = _followed(question, following)
    if found is None:
        return (Reading(what, ROUTE, math.nan, question.power, math.nan),)
    free, far_free = np.log(found.budget) ** log, np.log(found.far) ** log
    hat, truth, settled = (of**scale for of in (found.hat, found.truth, found.settled))
    slope = fit_slope(found.budget, hat / free, edge=found.edge, step=abs(scale) * found.delta)
    there = fit_slope(found.budget, truth / free, edge=found.edge).slope
    bias = there - fit_slope(found.far, settled / far_free).slope
    told = verdict(what, slope, float(question.power), bias)
    identifiable = told.holds is not None and tells(told.measured, told.tolerance, question.power)
    return (Reading(what, ROUTE, told.measured, question.power, told.tolerance, identifiable=identifiable),)


def window(question: Question, following: Following) -> Window | None:
    """Return the budgets that the slope was fitted over; None where there is no slope."""
    found = _followed(question, following)[0] if question.power is not None else None
    if found is None:
        return None
    used = found.budget[~found.edge]
    return Window(float(used[0]), float(used[-1]), len(used), int(found.edge.sum()))


def _followed(question: Question, following: Following) -> tuple[Followed | None, float]:
    """The product with a first power of 1, and that power: of b^-1 the grid shows what it shows of b."""
    (_, scale), *_ = question.left.items()
    left = tuple((name, power / scale) for name, power in question.left.items())
    return following(question.setting, left), float(scale)
