"""How flat the joint optimum is: why a grid's argmin wanders, and what is as good to one per cent."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hpgrid.config import Config
from hpgrid.paper.contours import lmo_constants
from hpgrid.paper.data import FigureData, all_tuned, config_data
from hpgrid.paper.pair import power_label, predicted_line
from hpgrid.plotting.lines import band, floor, law, padded, refined, tuned_line
from hpgrid.plotting.style import SHORT, letter, log_axes, new_figure, styled
from hpgrid.proxy import FunctionProxy, Proxy
from hpgrid.readings import Reading
from hpgrid.refinement.cost import flatness, regret
from hpgrid.refinement.optimum import refine
from hpgrid.refinement.profile import grid_excess
from hpgrid.shapes import Floats as Array
from hpgrid.slopes import REFINED, SETTLING, MeasuredSlope, fit_slope, window_bias, within
from hpgrid.theory import theorems

#: What a hyperparameter is moved by, and what counts as near-optimal.
DECADE, SHARE = 10.0, 0.01


def compute(config: Config, name: str) -> FigureData:
    """Return the figure's arrays and checks."""
    started = time.perf_counter()
    panel, grid, proxy, budget, window = all_tuned(config)
    # Of sums of powers alone: any other bound is refused here, before it is refined.
    excess = grid_excess(proxy, {v: grid.axes[v].step for v in panel.tuned})
    where: dict[str, Any] = {"tuned": panel.tuned, grid.budget: budget}
    near = flatness(proxy, within=SHARE, **where)
    arrays = {grid.budget: budget, "curvature": near.curvature}
    arrays |= {f"regret_{v}": regret(proxy, v, DECADE, **where) for v in panel.tuned}
    arrays |= {f"held_{v}": regret(proxy, v, DECADE, retune=False, **where) for v in panel.tuned}
    arrays |= {"b_star": refine(proxy, **where).at["b"], "b_low": near.low["b"], "b_high": near.high["b"]}
    constants = lmo_constants(proxy) if grid.budget == "T" else None
    if constants is not None:
        arrays["b_low_law"], arrays["b_high_law"] = theorems.near_optimal(budget, SHARE, *constants)
    # The theorem is not about a bound that is written as text, unless it is the plain one.
    predicted = config.bound.formula is None or constants is not None
    nowhere = np.zeros(budget.shape, bool)
    exponent = float(theorems.REGRET_EXPONENT)
    line = predicted_line(budget, arrays["regret_b"], nowhere, window, exponent)
    arrays["regret_law"] = line if predicted else np.full(budget.shape, np.nan)
    notes = {
        "excess_of_the_grid": excess,
        "budget_where_a_decade_costs_less": {
            kind: _falls_below(budget, arrays["regret_b"], level) for kind, level in _levels(excess).items()
        },
        "flat_direction_at_the_largest_budget": {v: float(near.direction[v][-1]) for v in panel.tuned},
    }
    checks = _checks(proxy, panel.tuned, grid.budget, arrays, window) if predicted else ()
    return FigureData(name, config_data(config, proxy, [grid]), arrays, checks, notes, time.perf_counter() - started)


def _levels(excess: float) -> dict[str, float]:
    """What a difference in risk has to exceed to be seen."""
    return {
        "what the grid's steps may add": excess,
        "float32": float(np.finfo(np.float32).eps),
        "float64": float(np.finfo(np.float64).eps),
    }


def _falls_below(budget: Array, regret: Array, level: float) -> float | None:
    """The first budget from which a decade costs less than ``level`` for good."""
    above = np.flatnonzero(~(regret < level))
    first = int(above.max(initial=-1)) + 1
    return float(budget[first]) if first < len(budget) else None


def _checks(
    proxy: Proxy | FunctionProxy, tuned: tuple[str, ...], name: str, arrays: dict[str, Any], window: tuple[float, float]
) -> tuple[Reading, ...]:
    """Hold the regret's slope against the exponent, for each hyperparameter."""
    budget = arrays[name]
    inside = within(budget, window)
    if inside.sum() < 2:
        return ()
    checks = []
    for v in tuned:
        # The law of a regret holds far out: its slope in the window is off by what it still changes there.
        far = regret(proxy, v, DECADE, tuned=tuned, **{name: budget[inside] * SETTLING})
        slope = fit_slope(budget, arrays[f"regret_{v}"], window=window, step=REFINED)
        bias = window_bias(budget[inside], [arrays[f"regret_{v}"][inside], far])
        measured = MeasuredSlope(f"the regret of {v}", slope, bias, name)
        checks.append(measured.reading(float(theorems.REGRET_EXPONENT), route="refined"))
    return tuple(checks)


def draw(data: FigureData) -> Figure:
    """Return the figure: regret per decade, and the batch sizes that are near-optimal."""
    arrays = data.arrays
    budget = "T" if "T" in arrays else "K"
    with styled():
        figure, axes = new_figure(1, 2, (6.8, 3.5))
        _regrets(axes[0], budget, arrays, data.notes["excess_of_the_grid"])
        letter(axes[0], 0, "what a factor of ten costs")
        _interval(axes[1], budget, arrays)
        letter(axes[1], 1, "batch sizes within 1% of the best")
        for ax in axes:
            handles, labels = ax.get_legend_handles_labels()
            ax.legend(handles, labels, loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=2)
    return figure


def _regrets(axes: Axes, budget: str, arrays: Any, excess: float) -> None:
    x = arrays[budget]
    for v in ("eta", "b", "alpha"):
        tuned_line(axes, x, arrays[f"regret_{v}"], v, f"${SHORT[v]}$, others re-tuned", held=False)
    for v in ("eta", "b", "alpha"):
        tuned_line(axes, x, arrays[f"held_{v}"], v, f"${SHORT[v]}$, others held", held=True)
    law(axes, x, arrays["regret_law"], power_label(budget, str(theorems.REGRET_EXPONENT)))
    levels = _levels(excess)
    for kind, level in levels.items():
        floor(axes, level, f"$\\epsilon$ of {kind}" if kind in ("float32", "float64") else kind)
    regrets = [arrays[f"{kind}_{v}"] for kind in ("regret", "held") for v in ("eta", "b", "alpha")]
    log_axes(axes, (x[0], x[-1]), padded(*regrets, np.array(list(levels.values()))), (budget, "regret"))


def _interval(axes: Axes, budget: str, arrays: Any) -> None:
    x = arrays[budget]
    band(axes, x, arrays["b_low"], arrays["b_high"], "within 1%, others re-tuned")
    refined(axes, x, arrays["b_star"], "refined optimum")
    ends = [arrays["b_low"], arrays["b_high"]]
    if "b_high_law" in arrays:
        law(axes, x, np.where(arrays["b_high_law"] >= 1, arrays["b_high_law"], np.nan), f"${budget}^{{1/2}}$")
    log_axes(axes, (x[0], x[-1]), padded(*ends), (budget, "b"))
