"""How flat the joint optimum is: why a grid's argmin wanders, and what is as good to one per cent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from hpgrid.config import Config
from hpgrid.paper.contours import lmo_constants
from hpgrid.paper.data import FigureData, OneRegime, config_data, one_regime
from hpgrid.paper.pair import power_label, predicted_line
from hpgrid.plotting.lines import band, floor, law, padded, refined, tuned_line
from hpgrid.plotting.style import log_axes, new_figure, short
from hpgrid.readings import Reading
from hpgrid.refinement.cost import flatness, regret
from hpgrid.refinement.optimum import refine
from hpgrid.refinement.profile import grid_excess
from hpgrid.slopes import REFINED, SETTLING, MeasuredSlope, fit_slope, window_bias, within
from hpgrid.theory import theorems
from hpgrid.variables import TUNABLE

#: What a hyperparameter is moved by, and what counts as near-optimal.
DECADE, SHARE = 10.0, 0.01


def compute(config: Config) -> FigureData:
    """Return the figure's arrays and checks."""
    one = one_regime(config, TUNABLE)
    (panel, grid, proxy), budget = one, one.budgets
    window = config.window or one.ends
    # Of sums of powers alone: any other bound is refused here, before it is refined.
    excess = grid_excess(proxy, {v: grid.axes[v].step for v in panel.tuned})
    where: dict[str, Any] = {"tuned": panel.tuned, one.budget: budget}
    near = flatness(proxy, within=SHARE, **where)
    arrays = {one.budget: budget, "curvature": near.curvature}
    arrays |= {f"regret_{v}": regret(proxy, v, DECADE, **where) for v in panel.tuned}
    arrays |= {f"held_{v}": regret(proxy, v, DECADE, retune=False, **where) for v in panel.tuned}
    arrays |= {"b_star": refine(proxy, **where).at["b"], "b_low": near.low["b"], "b_high": near.high["b"]}
    constants = lmo_constants(proxy) if one.budget == "T" else None
    if constants is not None:
        arrays["b_low_law"], arrays["b_high_law"] = theorems.near_optimal(budget, SHARE, *constants)
    # The theorem is not about a bound that is written as text, unless it is the plain one.
    predicted = config.bound.formula is None or constants is not None
    nowhere = np.zeros(budget.shape, bool)
    line = predicted_line(budget, arrays["regret_b"], nowhere, window, float(theorems.REGRET_EXPONENT))
    arrays["regret_law"] = line if predicted else np.full(budget.shape, np.nan)
    unseen: dict[str, float | None] = {}  # from which budget on, for good, a decade costs less than a level
    for kind, level in _levels(excess).items():
        first = int(np.flatnonzero(~(arrays["regret_b"] < level)).max(initial=-1)) + 1
        unseen[kind] = float(budget[first]) if first < len(budget) else None
    notes = {
        "excess_of_the_grid": excess,
        "budget_where_a_decade_costs_less": unseen,
        "flat_direction_at_the_largest_budget": {v: float(near.direction[v][-1]) for v in panel.tuned},
    }
    checks = tuple(_checks(one, arrays, window)) if predicted else ()
    return FigureData(config.figure, config_data(config, proxy, [grid]), arrays, checks, notes)


def _levels(excess: float) -> dict[str, float]:
    """What a difference in risk has to exceed to be seen."""
    precisions = {name: float(np.finfo(name).eps) for name in ("float32", "float64")}
    return {"what the grid's steps may add": excess, **precisions}


def _checks(one: OneRegime, arrays: dict[str, Any], window: tuple[float, float]) -> Iterator[Reading]:
    """Hold the regret's slope against the exponent, for each hyperparameter."""
    budget, tuned = one.budgets, one.panel.tuned
    inside = within(budget, window)
    if inside.sum() < 2:
        return
    # Farther out a regret is below the rounding of the log risks that it is the difference of.
    far: Any = {one.budget: budget[inside] * SETTLING}
    for v in tuned:
        # The law of a regret holds far out: its slope in the window is off by what it still changes there.
        there = regret(one.proxy, v, DECADE, tuned=tuned, **far)
        slope = fit_slope(budget, arrays[f"regret_{v}"], window=window, step=REFINED)
        bias = window_bias(budget[inside], arrays[f"regret_{v}"][inside], far[one.budget][None], there[None])
        measured = MeasuredSlope(f"the regret of {v}", slope, bias, one.budget)
        yield measured.reading(float(theorems.REGRET_EXPONENT), route="refined")


def draw(data: FigureData) -> Figure:
    """Return the figure: regret per decade, and the batch sizes that are near-optimal."""
    arrays = data.arrays
    budget = data.budget
    x = arrays[budget]
    figure, axes = new_figure(1, 2, (6.8, 3.5), ["what a factor of ten costs", "batch sizes within 1% of the best"])
    for kind, others in (("regret", "re-tuned"), ("held", "held")):
        for v in TUNABLE:
            label = f"${short(v)}$, others {others}"
            tuned_line(axes[0], x, arrays[f"{kind}_{v}"], v, label, held=kind == "held")
    law(axes[0], x, arrays["regret_law"], power_label(budget, str(theorems.REGRET_EXPONENT)))
    levels = _levels(data.notes["excess_of_the_grid"])
    for kind, level in levels.items():
        floor(axes[0], level, f"$\\epsilon$ of {kind}" if kind in ("float32", "float64") else kind)
    regrets = [arrays[f"{kind}_{v}"] for kind in ("regret", "held") for v in TUNABLE]
    log_axes(axes[0], (x[0], x[-1]), padded(*regrets, np.array(list(levels.values()))), (budget, "regret"))

    band(axes[1], x, arrays["b_low"], arrays["b_high"], "within 1%, others re-tuned")
    refined(axes[1], x, arrays["b_star"], "refined optimum")
    if "b_high_law" in arrays:
        law(axes[1], x, np.where(arrays["b_high_law"] >= 1, arrays["b_high_law"], np.nan), f"${budget}^{{1/2}}$")
    log_axes(axes[1], (x[0], x[-1]), padded(arrays["b_low"], arrays["b_high"]), (budget, "b"))
    for ax in axes:
        ax.legend(*ax.get_legend_handles_labels(), loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=2)
    return figure
