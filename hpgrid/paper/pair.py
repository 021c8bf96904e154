"""The learning rate and one more hyperparameter tuned together: Figures 1, 5, 6 and 2, 7, 8, and any bound's.

Four panels against the budget: the best risk along curves of each of the two held in turn, and
under both tuned; then the two optima. What is predicted comes from outside, or not at all.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from hpgrid.checks import bad
from hpgrid.config import Config
from hpgrid.grid import Grid
from hpgrid.paper.data import FigureData, check_axes, config_data, only_panel
from hpgrid.plotting.lines import family, law, optimum, padded, refined
from hpgrid.plotting.style import PREDICTED, SHORT, letter, log_axes, new_figure, split_legends, styled
from hpgrid.proxy import FunctionProxy, Proxy
from hpgrid.readings import Reading
from hpgrid.regime import Regime
from hpgrid.search.brute import grid_search
from hpgrid.slopes import (
    Curves,
    burn_in_end,
    fit_slope,
    fitted_edge,
    fitting_window,
    measured_slopes,
    posynomial_truth,
    refined_curves,
    refined_truth,
    within,
)
from hpgrid.theory import cesista_laws, theorems
from hpgrid.tuning.problem import exact_law, predicted

#: Exponents of the budget, and powers of its logarithm beside them.
Laws = tuple[Mapping[str, Fraction], Mapping[str, Fraction]]


def _with_logs(laws: Mapping[str, tuple[Fraction, Fraction]]) -> Laws:
    return {v: power for v, (power, _) in laws.items()}, {v: power for v, (_, power) in laws.items()}


_FIXED_MOMENTUM: Laws = (theorems.THEOREM_1, {})
_FIXED_BATCH: Laws = (theorems.THEOREM_2, {})

#: What each figure's theorem predicts.
THEOREMS: dict[str, Laws] = {
    **dict.fromkeys(("fig1", "fig5", "fig6"), _FIXED_MOMENTUM),
    **dict.fromkeys(("fig2", "fig7", "fig8"), _FIXED_BATCH),
    "star1": _with_logs(cesista_laws.STAR_CONVEX_FIXED_MOMENTUM),
    "star2": _with_logs(cesista_laws.STAR_CONVEX_FIXED_BATCH),
    "fw1": (cesista_laws.FRANK_WOLFE_FIXED_MOMENTUM, {}),
    "fw2": (cesista_laws.FRANK_WOLFE_FIXED_BATCH, {}),
}


def compute(config: Config, name: str) -> FigureData:
    """Return the arrays and checks of a figure about a theorem: its regime tunes what the theorem is about.

    A bound that is written as text is held against its own exponents, if it has any: the theorem is not about it.

    Args:
        config: the bound, the grid, and one regime; ``figure`` is one of ``THEOREMS``.
        name: what to call it.

    Raises:
        ValueError: another regime.
    """
    panel, (exponents, logs) = only_panel(config), THEOREMS[config.figure]
    tuned = [v for v in exponents if v != "risk"]
    if set(panel.tuned) != set(tuned):
        raise bad(f"this figure tunes {' and '.join(tuned)}", list(panel.tuned), f"tuned = {tuned}")
    if config.bound.formula is not None:
        budget = config.grid.build(panel.axes).budget
        law, _ = exact_law(config.bound.build(budget), panel.regime, budget)
        exponents, logs = predicted(law), {}
    return measure(config, name, exponents, logs)


def measure(
    config: Config, name: str, exponents: Mapping[str, Fraction], logs: Mapping[str, Fraction] | None = None
) -> FigureData:
    """Return the arrays of a bound's curves, and checks against what is predicted of it.

    Args:
        config: the bound, the grid, and one regime that tunes eta and one more.
        name: what to call the figure.
        exponents: the predicted exponents of the two optima and of the risk, as far as there are any.
        logs: the powers of the budget's logarithm beside them, where there are any.
    """
    started = time.perf_counter()
    panel = only_panel(config)
    if len(panel.tuned) != 2 or "eta" not in panel.tuned:
        raise bad("this layout tunes eta and one more", list(panel.tuned), 'tuned = ["eta", "b"], say')
    grid = config.grid.build(panel.axes)
    check_axes(grid, panel, (*panel.tuned, grid.budget))
    proxy = config.bound.build(grid.budget)
    budget = grid.axes[grid.budget].values
    # What is at the wall of the first iteration is at an edge.
    regime = replace(panel.regime, fixed={**grid.held, **panel.fixed}, min_K=proxy.min_K)
    search = partial(grid_search, proxy, grid, dtype=config.dtype)
    best = search(regime=regime)
    # The whole grid, what the figure holds fixed tuned as well: how much the regime gives away.
    every = search(tuple({*regime.tuned, *regime.fixed} & {*grid.axes}), min_K=proxy.min_K)
    curves = (other_than_eta(panel.tuned), "eta")
    window = config.window or fitting_window(best)
    arrays = {grid.budget: budget, "risk_hat": best.risk, "risk_every": every.risk}
    for held in curves:
        other = tuple(v for v in panel.tuned if v != held)
        along = search(regime=replace(regime, tuned=other))
        shown = every_nth(len(grid.axes[held]), config.curves)
        arrays |= {f"risk_at_{held}": along.risk[shown], f"{held}_shown": along.axes[held][shown]}
    edge = fitted_edge(best)
    measured = {"risk": (best.risk, edge)} | {v: (best.at[v], edge) for v in curves}
    flagged = {v: edge if isinstance(proxy, FunctionProxy) else best.edge[v] for v in curves}
    arrays |= {"risk_edge": edge} | {f"{v}_edge": at_edge for v, at_edge in flagged.items()}
    for key, (values, at_edge) in measured.items():
        arrays[f"{key}_hat"] = values
        if key in exponents:
            power = (float(exponents[key]), float((logs or {}).get(key, 0)))
            arrays[f"{key}_law"] = predicted_line(budget, values, at_edge, window, *power)
    if config.refined:
        arrays |= refined_arrays(proxy, regime, budget, grid.budget)
    checks = _checks(proxy, regime, grid, measured, (exponents, logs or {}), window)
    notes = {
        "exponents": {key: str(e) for key, e in exponents.items()},
        "log_exponents": {key: str(e) for key, e in (logs or {}).items()},
        "burn_in_ends": {v: budget[end] if (end := burn_in_end(best, v)) < len(budget) else None for v in curves},
        "points": every.points,
        "best_cells_below_one_iteration": int(best.below_one_K.sum()),
    }
    return FigureData(name, config_data(config, proxy, [grid]), arrays, checks, notes, time.perf_counter() - started)


def _checks(
    proxy: Proxy | FunctionProxy,
    regime: Regime,
    grid: Grid,
    measured: Mapping[str, Any],
    laws: tuple[Mapping[str, Fraction], Mapping[str, Fraction]],
    window: tuple[float, float],
) -> tuple[Reading, ...]:
    """The measured slopes against the predicted ones, by what the bound allows."""
    budget = grid.axes[grid.budget].values
    exponents, logs = ({key: float(e) for key, e in law.items()} for law in laws)
    if not exponents:
        return ()
    curves = Curves(grid.budget, budget, measured, window)
    if isinstance(proxy, FunctionProxy):
        behind = partial(refined_truth, proxy, regime, grid.budget)
    else:
        behind = partial(posynomial_truth, proxy, regime, {v: grid.axes[v].step for v in regime.tuned})
    wanted = [{name: Fraction(1)} for name in measured if name in exponents]
    checks = []
    for slope in measured_slopes(curves, behind, wanted, logs):
        check, log = slope.reading(exponents[slope.name]), logs.get(slope.name)
        freed = f", freed of (log {grid.budget})^{log:.3g}" if log else ""
        checks.append(replace(check, note=check.note + freed))
    return tuple(checks)


def refined_arrays(proxy: Proxy | FunctionProxy, regime: Regime, budget: Any, name: str) -> dict[str, Any]:
    """Return the continuous optimum of a regime at every budget: risk_star, and one array for each tuned variable."""
    return {f"{key}_star": values for key, values in refined_curves(proxy, regime, name, budget).items()}


def draw(data: FigureData) -> Figure:
    """Return the figure."""
    panel, arrays = data.config["panels"][0], data.arrays
    budget_name = "T" if "T" in arrays else "K"
    x = arrays[budget_name]
    first, second = other_than_eta(panel["tuned"]), "eta"
    exponents, logs = data.notes["exponents"], data.notes.get("log_exponents", {})
    held = ", ".join(held_text(name, value) for name, value in panel["fixed"].items())
    refines = "risk_star" in arrays
    with styled():
        figure, axes = new_figure(2, 2, (6.4, 5.2 if refines else 5.0))
        # The thin curves may run off both panels: their scale is the optimum's.
        risks = padded(arrays["risk_hat"], arrays["risk_every"], by=0.35)
        for k, (name, tuned) in enumerate(((first, second), (second, first))):
            family(axes[k], x, arrays[f"risk_at_{name}"], arrays[f"{name}_shown"], name)
            both = f"best $({SHORT[second]}, {SHORT[first]})$"
            optimum(axes[k], x, arrays["risk_hat"], np.zeros(x.shape, bool), both)
            if panel["fixed"]:
                label = "all three tuned" if len(panel["fixed"]) == 1 else "all tuned"
                axes[k].plot(x, arrays["risk_every"], ":", color="black", linewidth=1.1, label=label, zorder=5)
            if refines:
                refined(axes[k], x, arrays["risk_star"], None, width=0.8)
            if "risk" in exponents:
                law(axes[k], x, arrays["risk_law"], power_label(budget_name, exponents["risk"], logs.get("risk")))
            log_axes(axes[k], (x[0], x[-1]), risks, (budget_name, "risk"))
            letter(
                axes[k], k, f"fixed ${SHORT[name]}$, best ${SHORT[tuned]}$" + (f" ({held})" if held and k == 0 else "")
            )
            axes[k].legend(loc="lower left")
        for k, name in ((2, first), (3, second)):
            values = arrays[f"{name}_hat"]
            optimum(axes[k], x, values, arrays[f"{name}_edge"], "grid argmin" if refines else f"best ${SHORT[name]}$")
            if refines:
                refined(axes[k], x, arrays[f"{name}_star"], "refined optimum", width=0.8)
            if name in exponents:
                law(axes[k], x, arrays[f"{name}_law"], power_label(budget_name, exponents[name], logs.get(name)))
            inside = values[~arrays[f"{name}_edge"]]
            rises = bool(inside.size and inside[-1] > inside[0])
            log_axes(axes[k], (x[0], x[-1]), padded(values), (budget_name, name))
            if name in ("b", "alpha"):
                axes[k].axhline(1.0, color=PREDICTED, linewidth=0.7, linestyle=":", zorder=1)
            letter(axes[k], k, f"best ${SHORT[name]}$")
            if not refines:
                axes[k].legend(loc="upper left" if rises else "lower left")
        if refines:
            split_legends(figure, axes[2:], ["best", "best"])
    return figure


def other_than_eta(tuned: Any) -> str:
    """Return the hyperparameter that is tuned together with eta."""
    return str(next(name for name in tuned if name != "eta"))


def every_nth(length: int, count: int) -> Any:
    """Return at most ``count`` indices spread evenly over an axis, both ends included."""
    return np.unique(np.linspace(0, length - 1, min(count, length)).round().astype(int))


def predicted_line(
    x: Any, y: Any, edge: Any, window: tuple[float, float], exponent: float, log_exponent: float = 0.0
) -> Any:
    """Return the law x^exponent (log x)^log_exponent through the middle of a measured curve's window."""
    fitted = fit_slope(x, y, edge=edge, window=window)
    inside = within(x, window)
    if fitted.points < 2:
        return np.full(x.shape, np.nan)
    # Through the middle of the curve: the theorem's constant is held against it elsewhere.
    shape = exponent * np.log(x) + (log_exponent * np.log(np.log(x)) if log_exponent else 0.0)
    line = np.exp(shape + (np.log(y) - shape)[inside & ~edge].mean())
    return np.where(inside, line, np.nan)


def power_label(budget: str, exponent: str, log_exponent: str | None = None) -> str:
    """Return a law as it is set in mathematics: T^(-1/4), T^(-1/3) (log T)^(1/3), or "constant"."""
    if log_exponent is None and exponent == "0":
        return r"$\mathrm{constant}$"
    if log_exponent is None:
        return f"${budget}^{{{exponent}}}$"
    power = "" if log_exponent == "1" else f"^{{{log_exponent}}}"
    return rf"${budget}^{{{exponent}}}\,(\log {budget}){power}$"


def held_text(name: str, value: float) -> str:
    """Return what is held, in the words that a person tunes in: beta for alpha."""
    return rf"$\beta={1 - value:.6g}$" if name == "alpha" else f"${SHORT[name]}={value:.6g}$"
