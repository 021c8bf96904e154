"""Figure 9: Theorem 3, all three tuned together: the raw grid argmin, and the optimum it wanders about."""

from __future__ import annotations

import time
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

import hpgrid
from hpgrid.config import Config, Panel
from hpgrid.grid import TUNABLE, Grid
from hpgrid.paper.checks import nothing_to_fit, verdict
from hpgrid.paper.data import Check, FigureData, all_tuned, config_data
from hpgrid.paper.pair import power_label, predicted_line, refined_arrays
from hpgrid.plotting.curves import argmin, band, law, optimum, padded, refined
from hpgrid.plotting.style import SHORT, letter, log_axes, new_figure, split_legends, styled
from hpgrid.proxy import Proxy, Term
from hpgrid.reducers.near_optimal import PERFORMANCE, near_optimal
from hpgrid.reducers.profile import grid_excess, profile, sublevel
from hpgrid.reducers.slopes import fit_slope, within
from hpgrid.theory.joint import EXPONENTS, IDENTIFIABLE
from hpgrid.tuning.slopes import FAR, REFINED, window_bias

Array = NDArray[np.float64]


def compute(config: Config, name: str = "fig9") -> FigureData:
    """Return the figure's arrays and checks."""
    started = time.perf_counter()
    panel, grid, proxy, budget, window = all_tuned(config)
    best = hpgrid.grid_search(proxy, grid, panel.tuned, fixed=panel.fixed, dtype=config.dtype)
    edge = np.any([best.edge[v] for v in panel.tuned], axis=0)
    arrays: dict[str, Any] = {grid.budget: budget, "risk_hat": best.risk, "any_edge": edge}
    excess = grid_excess(proxy, {v: grid.axes[v].step for v in panel.tuned})
    half_widths = {}
    for v in panel.tuned:
        others = tuple(w for w in panel.tuned if w != v)
        along = hpgrid.grid_search(proxy, grid, others, fixed=panel.fixed, dtype=config.dtype)
        risk = along.risk.T if next(iter(along.axes)) != v else along.risk
        near = near_optimal(risk, grid.axes[v].values)
        arrays |= {
            f"{v}_hat": best.at[v],
            f"{v}_edge": best.edge[v],
            f"{v}_low": near.low,
            f"{v}_high": near.high,
        }
        half_widths[v] = _half_width(risk, grid, v, excess, within(budget, window))
    for key in ("risk", *panel.tuned):
        line = predicted_line(budget, arrays[f"{key}_hat"], edge, window, float(EXPONENTS[key]))
        arrays[f"{key}_law"] = line
    checks = _checks(proxy, panel.tuned, grid, arrays, edge, window, excess, half_widths)
    if config.refined:
        arrays |= refined_arrays(proxy, panel, budget, grid.budget) | _refined_band(proxy, panel, budget, grid.budget)
        checks += _refined_checks(proxy, panel, grid.budget, arrays, window)
    wander = {v: float(np.exp(np.abs(np.diff(np.log(best.at[v]))).max())) for v in panel.tuned}
    notes = {
        "exponents": {key: str(exponent) for key, exponent in EXPONENTS.items()},
        "largest_jump_between_neighbours": wander,
        "points": best.points,
    }
    return FigureData(name, config_data(config, proxy, [grid]), arrays, checks, notes, time.perf_counter() - started)


def _refined_band(proxy: Proxy, panel: Panel, budget: Array, name: str) -> dict[str, Any]:
    """Between which values each variable is near-optimal, the others re-tuned, off the grid."""
    near = hpgrid.flatness(proxy, within=1 / PERFORMANCE - 1, tuned=panel.tuned, **{name: budget})
    low = {f"{v}_low_star": near.low[v] for v in panel.tuned}
    return low | {f"{v}_high_star": near.high[v] for v in panel.tuned}


def _refined_checks(
    proxy: Proxy, panel: Panel, budget: str, arrays: dict[str, Any], window: tuple[float, float]
) -> tuple[Check, ...]:
    """Hold the continuous optimum's slopes against the theorem: nothing limits them but the finite window."""
    inside = within(arrays[budget], window)
    if inside.sum() < 2:
        return ()
    far = refined_arrays(proxy, panel, arrays[budget][inside] * FAR, budget)
    checks = []
    for (top, *below), exponent in [*(((key,), e) for key, e in EXPONENTS.items()), *IDENTIFIABLE.items()]:
        here, settled = (
            found[f"{top}_star"] / (found[f"{below[0]}_star"] if below else 1.0) for found in (arrays, far)
        )
        slope = fit_slope(arrays[budget], here, window=window, step=REFINED * (1 + len(below)))
        bias = window_bias(arrays[budget][inside], here[inside], settled)
        checks.append(verdict(f"refined slope of {'/'.join((top, *below))}", slope, float(exponent), bias))
    return tuple(checks)


def _half_width(risk: Array, grid: Grid, name: str, excess: float, inside: NDArray[np.bool_]) -> float:
    """How far the argmin may be from the optimum: half of what lies within twice the grid's excess, and a step.

    The optimum's own grid neighbour, and the argmin, are both among the values whose best risk is
    within the excess of the continuous minimum, on a grid that itself adds as much again.
    """
    if not inside.any():
        return float("inf")
    near = near_optimal(risk[:, inside], grid.axes[name].values, max(float(np.exp(-2 * excess)), 1e-300))
    return float(np.log(near.high / near.low).max()) / 2 + grid.axes[name].step


def _checks(
    proxy: Proxy,
    tuned: tuple[str, ...],
    grid: Grid,
    arrays: dict[str, Any],
    edge: NDArray[np.bool_],
    window: tuple[float, float],
    excess: float,
    half_widths: dict[str, float],
) -> tuple[Check, ...]:
    """The risk, the three optima that the grid can't tell, and the combinations that it can."""
    budget = arrays[grid.budget]
    used = within(budget, window) & ~edge
    if used.sum() < 2:
        laws = {**EXPONENTS, **{"/".join(pair): exponent for pair, exponent in IDENTIFIABLE.items()}}
        return tuple(nothing_to_fit(f"slope of {n}", float(e), int(edge.sum())) for n, e in laws.items())
    exact, far = (profile(proxy, tuned, {}, budget[used] * scale) for scale in (1.0, FAR))
    truths, settled = ({"risk": found.risk, **found.at} for found in (exact, far))
    checks = []

    def check(name: str, y: Array, curves: tuple[Array, Array], delta: float, exponent: Fraction) -> None:
        slope = fit_slope(budget, y, edge=edge, window=window, step=delta)
        checks.append(verdict(f"slope of {name}", slope, float(exponent), window_bias(budget[used], *curves)))

    for key in ("risk", *tuned):
        delta = excess / 2 if key == "risk" else half_widths[key]
        check(key, arrays[f"{key}_hat"], (truths[key], settled[key]), delta, EXPONENTS[key])
    for (top, bottom), exponent in IDENTIFIABLE.items():
        measured = arrays[f"{top}_hat"] / arrays[f"{bottom}_hat"]
        low, high = sublevel(_in_ratios(proxy), tuned, {}, budget[used], top, excess, _OPEN)
        delta = float(np.log(high / low).max()) / 2
        curves = (truths[top] / truths[bottom], settled[top] / settled[bottom])
        check(f"{top}/{bottom}", measured, curves, delta, exponent)
    return tuple(checks)


#: The ratios eta/b and alpha/b have no bounds of their own.
_OPEN = {"eta": (1e-100, 1e100), "alpha": (1e-100, 1e100), "b": (1e-30, 1e60)}


def _in_ratios(proxy: Proxy) -> Proxy:
    """The bound with eta/b and alpha/b in place of eta and alpha: the flat direction becomes b itself."""

    def changed(term: Term) -> Term:
        total = sum((term.factors[v] for v in TUNABLE if v in term.factors), Fraction(0))
        return replace(term, factors={**term.factors, "b": total})

    return replace(proxy, terms=tuple(changed(term) for term in proxy.terms), caps={}, cap_terms={})


def draw(data: FigureData) -> Figure:
    """Return the figure: four panels against the budget."""
    arrays, exponents = data.arrays, data.notes["exponents"]
    budget = "T" if "T" in arrays else "K"
    x = arrays[budget]
    with styled():
        figure, axes = new_figure(2, 2, (6.4, 5.2))
        for k, key in enumerate(("risk", "b", "alpha", "eta")):
            _panel(axes[k], key, budget, arrays)
            law(axes[k], x, arrays[f"{key}_law"], power_label(budget, exponents[key]))
            letter(axes[k], k, "risk" if key == "risk" else f"best ${SHORT[key]}$")
        split_legends(figure, axes, ["upper right", "upper left", "upper right", "upper right"])
    return figure


def _panel(axes: Axes, key: str, budget: str, arrays: Any) -> None:
    """Draw what was measured: on the grid alone, or behind the continuous optimum where there is one."""
    x, y = arrays[budget], arrays[f"{key}_hat"]
    star = arrays.get(f"{key}_star")
    ends = [y]
    if key != "risk":
        suffix = "" if star is None else "_star"
        ends = [arrays[f"{key}_low{suffix}"], arrays[f"{key}_high{suffix}"], y]
        band(axes, x, ends[0], ends[1], "within 99% of the best")
    edge = np.zeros(x.shape, bool) if key == "risk" else arrays[f"{key}_edge"]
    (optimum if star is None else argmin)(axes, x, y, edge, "grid argmin")
    if star is not None:
        refined(axes, x, star, "refined optimum")
    log_axes(axes, (x[0], x[-1]), padded(*ends), (budget, key))
