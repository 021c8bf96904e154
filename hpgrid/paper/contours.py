"""Contours of the best risk over a budget and one variable: Figures 4, 10 and 11, whose is b, and any bound's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import permutations
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure

from hpgrid.bounds import lmo
from hpgrid.checks import bad
from hpgrid.config import Config, Panel
from hpgrid.curves import PERFORMANCE, even_levels, iso_loss, near_optimal
from hpgrid.grid import Grid
from hpgrid.paper.data import FigureData, check_axes, check_positive, config_data
from hpgrid.plotting import maps as plot
from hpgrid.plotting.style import PREDICTED, legend_below, letter, log_axes, named, new_figure, short, symbol
from hpgrid.proxy import FunctionProxy, Proxy
from hpgrid.readings import Reading
from hpgrid.refinement.cost import flatness
from hpgrid.refinement.profile import grid_excess, sublevels
from hpgrid.regime import Regime
from hpgrid.search.brute import SearchResult, grid_search
from hpgrid.shapes import Floats as Array
from hpgrid.slopes import NOTHING, MeasuredSlope, farther, fit_slope, window_bias, within
from hpgrid.theory import iso_loss as appendix_d, theorems


class Searched(NamedTuple):
    """A panel that was searched: the bound, the regime, the grid, what was found, and the arrays that are drawn."""

    proxy: Proxy | FunctionProxy
    regime: Regime
    grid: Grid
    axis: str  # the variable that the budget is drawn against
    result: SearchResult
    arrays: dict[str, Any]

    @property
    def joint(self) -> tuple[str, ...]:
        """What is tuned, and what is on the axis."""
        return self.grid.space.ordered((*self.regime.tuned, self.axis))

    def box(self) -> dict[str, tuple[float, float]]:
        """Return the ends of the axes of what is tuned, and of what is drawn."""
        axes = self.grid.axes
        return {v: (axes[v].lo, axes[v].hi) for v in self.joint}


def axis_of(proxy: Proxy | FunctionProxy, panels: Sequence[Panel]) -> str:
    """Return which variable has an axis beside the budget's: b, or the only one that no panel gives a role.

    Raises:
        ValueError: it is none, or several.
    """
    roles = {v for panel in panels for v in (*panel.tuned, *panel.fixed, *panel.regime.path)}
    free = [v for v in proxy.hyperparameters() if v not in roles]
    if "b" in free:
        return "b"
    if len(free) != 1:
        given = f"{', '.join(free)} without a role" if free else "none without a role"
        rule = "contours have one variable on an axis: b, or the one that is neither tuned nor held"
        raise bad(rule, given, "one of the bound's variables out of both")
    return free[0]


#: Further arrays and checks of a panel.
Extra = Callable[[Searched], tuple[dict[str, Any], list[Reading]]]

#: The predicted slopes of the near-optimal batch size against the budget: T in Figure 10, K in Figure 11.
NEAR_OPTIMAL = {"fig10": theorems.THEOREM_1["b"], "fig11": appendix_d.NEAR_OPTIMAL_EXPONENT}

#: Every how many levels Figure 4 has the predicted contour over the measured one.
_EVERY = 3


def compute(config: Config) -> FigureData:
    """Return the arrays and checks of Figures 4, 10 and 11.

    Raises:
        ValueError: Figure 4 over tokens.
    """
    figure = config.figure
    if figure == "fig4":
        if config.grid.build(config.panels[0].axes).budget != "K":
            raise bad("this figure shows iterations on an axis", "T", "K = { lo = 1e2, hi = 1e16 } in [grid], say")
        return measure(config, None, _hyperbola)
    # Neither theorem nor corollary is about a bound that is written as text.
    data = measure(config, float(NEAR_OPTIMAL[figure]) if config.bound.formula is None else None)
    if figure == "fig10":
        return data
    # The text of Appendix D holds Figure 11's panels against each other: how much lower the risk is in one than in
    # another, at the same iterations and batch size.
    risks = [data.arrays[f"risk_{k}"] for k in range(len(data.config["panels"]))]
    letters = "abcdefgh"
    ratios = {
        f"({letters[i]})/({letters[j]})": {"median": float(np.median(p / q)), "largest": float((p / q).max())}
        for (i, p), (j, q) in permutations(enumerate(risks), 2)
        if p.shape == q.shape
    }
    return replace(data, notes={**data.notes, "risk_ratios": ratios})


def measure(config: Config, exponent: float | None, extra: Extra | None = None) -> FigureData:
    """Return the arrays of a bound's contours, and checks against what is predicted of it.

    Args:
        config: the bound, the grid, and a regime for each panel.
        exponent: the predicted slope of the near-optimal batch size against the budget, or None.
        extra: what a figure adds to each panel.
    """
    grids = [config.grid.build(panel.axes) for panel in config.panels]
    budget = grids[0].budget
    proxy = config.bound.build(budget)
    axis = axis_of(proxy, config.panels)
    for panel, grid in zip(config.panels, grids):
        check_axes(grid, panel, (*panel.tuned, axis, grid.budget))
    regimes = [replace(p.regime, fixed={**grid.held, **p.fixed}) for p, grid in zip(config.panels, grids)]
    results = [grid_search(proxy, grid, regime=each, dtype=config.dtype) for each, grid in zip(regimes, grids)]
    worth = []  # levels are spread over risks of at least one iteration
    for grid, result in zip(grids, results):
        y, x = grid.axes[axis].values[:, None], grid.axes[grid.budget].values
        least = y if (axis, grid.budget) == ("b", "T") else np.ones_like(y) if grid.budget == "K" else np.zeros_like(y)
        worth.append(result.risk[result.feasible & (x >= least)])
    shown = np.concatenate(worth)
    check_positive(shown)
    levels = even_levels(shown, config.curves)
    arrays: dict[str, Any] = {"levels": levels, "limits": np.array([shown.min(), shown.max()])}
    checks: list[Reading] = []
    for k, (regime, grid, result) in enumerate(zip(regimes, grids, results)):
        one = Searched(proxy, regime, grid, axis, result, {})
        part = _panel_arrays(grid, axis, result, levels, convex=proxy.is_log_convex(one.joint))
        one = one._replace(arrays=part)
        if config.refined and isinstance(proxy, Proxy):
            # The continuous near-optimal value, within the panel's own ends of the axes.
            at: dict[str, Any] = {"limits": one.box(), grid.budget: part["budget"]}
            joint = replace(regime, tuned=one.joint)
            part["near_star"] = flatness(proxy, within=1 / PERFORMANCE - 1, regime=joint, **at).low[axis]
        if exponent is not None:
            name = f"({chr(ord('a') + k)}) slope of near-optimal b"
            checks.append(_near_check(name, one, exponent, config.window))
        if extra is not None:
            more, readings = extra(one)
            part |= more
            checks += readings
        arrays |= {f"{key}_{k}": value for key, value in part.items()}
    notes = {
        "budget": budget,
        "axis": axis,
        "points": sum(result.points for result in results),
        "cells_below_one_iteration": sum(result.cells_below_one_K for result in results),
        "eta_at_edge_near_optimum": [int(arrays[f"near_held_{k}"].sum()) for k in range(len(grids))],
    }
    return FigureData(config.figure, config_data(config, proxy, grids), arrays, tuple(checks), notes)


def _panel_arrays(grid: Grid, axis: str, result: SearchResult, levels: Array, *, convex: bool) -> dict[str, Any]:
    """The risk over the budget and the axis, its contour lines, and the values that matter."""
    budget, y = grid.axes[grid.budget].values, grid.axes[axis].values
    lines = iso_loss(budget, y, result.risk, levels)
    flat = [line for of_level in lines for line in of_level]
    near = near_optimal(result.risk, y, convex=convex)
    # Which cell of each column the near-optimal value is, and whether a wall of the box holds it:
    # alpha = 1 is none, the theorems have it too.
    row = np.clip(np.searchsorted(y, near.low), 0, len(y) - 1)
    cell = (row, np.arange(len(budget)))
    walls = [result.edge[v] if v != "alpha" else result.index[v] <= 0 for v in result.over]
    held = np.any([wall[cell] for wall in walls], axis=0) | (row == len(y) - 1)
    return {
        "budget": budget,
        axis: y,
        "risk": result.risk,
        "line_points": np.concatenate(flat) if flat else np.empty((0, 2)),
        "line_lengths": np.array([len(line) for line in flat], int),
        "line_levels": np.repeat(levels, [len(of_level) for of_level in lines]),
        "near": near.low,
        "near_edge": near.low_edge,
        "near_held": held,
        "best": y[result.risk.argmin(axis=0)],
    }


def _near_check(name: str, one: Searched, exponent: float, window: tuple[float, float] | None) -> Reading:
    """Hold the slope of the near-optimal batch size against its exponent, off the edges.

    Its uncertainty: the grid's risk exceeds the continuous one by up to an excess x, so the
    threshold log(1/0.99) is crossed somewhere between those less x and plus x; and one step of b.
    """
    proxy, regime, grid, axis, _, part = one
    budget, edge = part["budget"], part["near_edge"] | part["near_held"]
    steps = {v: grid.axes[v].step for v in regime.tuned}
    excess, threshold = grid_excess(proxy, steps), -float(np.log(PERFORMANCE))
    burn_in = int(np.flatnonzero(part["near"] <= part[axis][1]).max(initial=-1)) + 1
    window = window or (budget[min(burn_in, len(budget) - 2)], budget[-1])
    inside = within(budget, window)
    usable, left_out = inside & ~edge, int((inside & edge).sum())
    if usable.sum() < 2 or excess >= threshold:
        note = NOTHING if excess < threshold else "not identifiable: the grid is coarser than one per cent"
        return Reading(name, "grid", np.nan, exponent, np.nan, edge_points=left_out, note=note)

    def crossing(level: float, budgets: Array, walls: bool = True) -> Array:
        box = one.box() if walls else None
        return sublevels(proxy, one.joint, regime.fixed, budgets, (axis,), level, box).ends[axis][0]

    here, far = budget[usable], farther(budget[usable])
    low, high = crossing(threshold + excess, here), crossing(threshold - excess, here)
    step = grid.axes[axis].step
    delta = float(np.log(high / low).max() + step) / 2
    slope = fit_slope(budget, part["near"], edge=edge, window=window, step=delta)
    # Far out, only the bound itself speaks: no walls of the box.
    bias = window_bias(here, crossing(threshold, here), far, crossing(threshold, far, walls=False))
    return MeasuredSlope(name, slope, bias, grid.budget).reading(exponent, name)


def _hyperbola(one: Searched) -> tuple[dict[str, Any], list[Reading]]:
    """Predict every contour, and hold the measured ones against the prediction.

    A traced point lies within the grid's excess of the predicted risk, and within what linear
    interpolation between neighbours adds: (range of the exponents x step)^2/32 for a log-sum-exp.
    """
    proxy, regime, grid, _, result, part = one
    constants = lmo_constants(proxy)
    if constants is None or isinstance(proxy, FunctionProxy) or regime.tuned != ("eta",) or "alpha" not in regime.fixed:
        return {}, []
    parts = appendix_d.of_proxy(regime.fixed["alpha"], *constants)
    K, b = part["line_points"].T
    levels = np.repeat(part["line_levels"], part["line_lengths"])
    measured = float(np.abs(np.log(appendix_d.risk(K, b, parts) / levels)).max())
    of_term = {v: [float(term.exponent(v) or 0) for term in proxy.terms] for v in ("b", "K")}
    spans = [(max(powers) - min(powers)) * grid.axes[v].step for v, powers in of_term.items()]
    tolerance = grid_excess(proxy, {"eta": grid.axes["eta"].step}) + max(spans) ** 2 / 32
    check = Reading(
        "contours on the hyperbola: log(risk/level)", "grid", measured, 0.0, tolerance,
        window=(float(part["budget"][0]), float(part["budget"][-1])), edge_points=int(result.edge["eta"].sum()),
        note="largest over all contour points; tolerance: the grid's excess in eta + linear interpolation",
    )  # fmt: skip
    shown = np.unique(part["line_levels"])[1::_EVERY]
    curves = []
    for level in shown:
        # Spaced from the asymptote K_min outwards, so that the steep branch is drawn as well.
        K = appendix_d.minimum_iterations(level, parts) * (1 + np.logspace(-10, 16, 400))
        curves.append(np.column_stack([K, appendix_d.batch_size(K, level, parts)]))
    return {"hyperbola": np.array(curves)}, [check]


def draw(data: FigureData) -> Figure:
    """Return the figure: one panel for each regime, one colour bar."""
    panels, arrays, budget = data.config["panels"], data.arrays, data.notes["budget"]
    axis = data.notes.get("axis", "b")  # of what was saved before other variables had one
    name = f"${short(axis)}$"
    size = (4.6, 4.0) if len(panels) == 1 else (2.45 * len(panels) + 0.6, 3.4)
    figure, axes = new_figure(1, len(panels), size)
    limits = (float(arrays["limits"][0]), float(arrays["limits"][1]))
    for k, (panel, ax) in enumerate(zip(panels, axes)):
        x, y = arrays[f"budget_{k}"], arrays[f"{axis}_{k}"]
        lines = np.split(arrays[f"line_points_{k}"], np.cumsum(arrays[f"line_lengths_{k}"])[:-1])
        plot.contours(ax, lines, arrays[f"line_levels_{k}"], limits)
        if (axis, budget) == ("b", "T"):
            plot.infeasible(ax, x, y[-1])
        if axis != "b" or budget == "T":
            plot.best(ax, x, arrays[f"best_{k}"], f"best {name}")
        edge = arrays[f"near_edge_{k}"] | arrays[f"near_held_{k}"]
        plot.near_optimal(ax, x, arrays[f"near_{k}"], edge, f"near-optimal {name} (99%)")
        if f"near_star_{k}" in arrays:
            plot.refined(ax, x, arrays[f"near_star_{k}"], f"near-optimal {name}, refined")
        if f"law_{k}" in arrays:
            plot.predicted(ax, x, arrays[f"law_{k}"], f"predicted best {name}")
        # Figure 4's predicted contours: points in K and b, shape (levels, points, 2).
        for j, curve in enumerate(arrays.get(f"hyperbola_{k}", ())):
            label = None if j else "predicted hyperbola"
            ax.plot(*curve.T, "--", color=PREDICTED, linewidth=1.0, label=label, zorder=4)
        log_axes(ax, (x[0], x[-1]), (y[0], y[-1]), (symbol(budget), "" if k else symbol(axis)))
        letter(ax, k, panel["title"]) if len(panels) > 1 else ax.set_title(panel["title"])
    plot.risk_bar(figure, axes, limits)
    legend_below(figure, named(axes), min(3, 1 + len(panels)))
    return figure


def lmo_constants(proxy: Proxy | FunctionProxy) -> tuple[float, float, float] | None:
    """Return C1, C2, C3 of the plain LMO proxy, or None where the closed forms are not its own."""
    if isinstance(proxy, FunctionProxy) or proxy.terms != lmo(budget=proxy.budget).terms:
        return None
    return proxy.constants["C1"], proxy.constants["C2"], proxy.constants["C3"]
