"""The grid's route: a brute-force search, and the slope of its argmin over the budgets after burn-in.

It reads powers of the budget alone. Those of constants and held variables would need these to move over so many
decades (a slope is off by two grid steps over their log range) that the burn-in, which goes with their tenth power,
left the grid; and a free power of a logarithm can't be told on one at all.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from hpgrid.claims.measures import Bound, Setting
from hpgrid.grid import TUNABLE, Grid, LogAxis
from hpgrid.readings import Reading
from hpgrid.refinement.profile import profile
from hpgrid.search.brute import SearchResult, grid_search
from hpgrid.slopes import MeasuredSlope, burn_in_end, fit_slope
from hpgrid.statements.behind import Followed, Following, Searched, capped
from hpgrid.statements.posing import Question, variables
from hpgrid.statements.verdicts import BESIDE

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
    first = max(_burn_in_end(v, best, proxy, setting) for v in setting.tuned)
    budget = grid.axes[grid.budget].values
    left = np.arange(first, len(budget))
    if not proxy.is_posynomial(setting.tuned) and len(left) > _MOST:
        left = left[np.linspace(0, len(left) - 1, _MOST).round().astype(int)]
    return Searched(
        budget=budget[left],
        curves={"risk": best.risk[left], **{v: best.at[v][left] for v in setting.tuned}},
        edge=np.any([best.edge[v] for v in setting.tuned], axis=0)[left],
        steps={v: grid.axes[v].step for v in setting.tuned},
    )


def _burn_in_end(name: str, best: SearchResult, proxy: Bound, setting: Setting) -> int:
    """Where a variable leaves b = 1 or alpha = 1 for good.

    By the continuous optimum where that is cheap: a flat direction takes the argmin back to the border again and
    again, long after.
    """
    if name == "eta" or not proxy.is_posynomial(setting.tuned):
        return burn_in_end(best, name)
    (budget,) = best.axes.values()
    truth = profile(capped(proxy, setting), setting.tuned, dict(setting.fixed), budget).at[name]
    return burn_in_end(best, name, truth)


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
    return (
        replace(
            MeasuredSlope(what, slope, bias, budget).reading(float(question.power), what), predicted=question.power
        ),
    )


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
