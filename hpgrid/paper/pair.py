"""The learning rate and one more hyperparameter tuned together: Figures 1, 5, 6 and 2, 7, 8, and any bound's.

Four panels against the budget: the best risk along curves of each of the two held in turn, and
under both tuned; then the two optima. What is predicted comes from outside, or not at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hpgrid.config import Config
from hpgrid.paper.data import FigureData, OneRegime, check_positive, config_data, one_regime
from hpgrid.plotting.lines import family, law, optimum, padded, refined, remark
from hpgrid.plotting.style import PREDICTED, log_axes, new_figure, short, split_legends, symbol
from hpgrid.proxy import FunctionProxy, Proxy
from hpgrid.readings import Reading
from hpgrid.regime import Regime
from hpgrid.search.brute import grid_search
from hpgrid.slopes import (
    Curves,
    Powers,
    burn_in_end,
    fit_slope,
    fitted_edge,
    fitting_window,
    measured_slopes,
    posynomial_truth,
    refined_optimum,
    refined_truth,
    within,
)
from hpgrid.text import counted
from hpgrid.theory import cesista_laws, theorems
from hpgrid.tuning.problem import exact_law, predicted

#: Exponents of the budget, and powers of its logarithm beside them.
Laws = tuple[Mapping[str, Fraction], Mapping[str, Fraction]]

#: A product of powers of "risk" and tuned variables, and its predicted exponent.
Prediction = tuple[Powers, Fraction]


def _with_logs(laws: Mapping[str, tuple[Fraction, Fraction]]) -> Laws:
    return {v: power for v, (power, _) in laws.items()}, {v: power for v, (_, power) in laws.items()}


#: What each figure's theorem predicts.
THEOREMS: dict[str, Laws] = {
    **dict.fromkeys(("fig1", "fig5", "fig6"), (theorems.THEOREM_1, {})),
    **dict.fromkeys(("fig2", "fig7", "fig8"), (theorems.THEOREM_2, {})),
    "star1": _with_logs(cesista_laws.STAR_CONVEX_FIXED_MOMENTUM),
    "star2": _with_logs(cesista_laws.STAR_CONVEX_FIXED_BATCH),
    "fw1": (cesista_laws.FRANK_WOLFE_FIXED_MOMENTUM, {}),
    "fw2": (cesista_laws.FRANK_WOLFE_FIXED_BATCH, {}),
}


def compute(config: Config) -> FigureData:
    """Return the arrays and checks of a figure about a theorem: its regime tunes what the theorem is about.

    A bound that is written as text is held against its own exponents, if it has any: the theorem is not about it.

    Args:
        config: the bound, the grid, and one regime; ``figure`` is one of ``THEOREMS``.

    Raises:
        ValueError: another regime.
    """
    exponents, logs = THEOREMS[config.figure]
    one = one_regime(config, [v for v in exponents if v != "risk"])
    if config.bound.formula is not None:
        law, _ = exact_law(one.proxy, one.panel.regime, one.budget)
        exponents, logs = predicted(law), {}
    return measure(config, one, exponents, logs)


def measure(
    config: Config, one: OneRegime, exponents: Mapping[str, Fraction], logs: Mapping[str, Fraction] | None = None
) -> FigureData:
    """Return the arrays of a bound's curves, and checks against what is predicted of it.

    Args:
        config: the figure.
        one: its regime, which tunes eta and one more.
        exponents: the predicted exponents of the two optima and of the risk, as far as there are any.
        logs: the powers of the budget's logarithm beside them, where there are any.
    """
    (panel, grid, proxy), budget, logs = one, one.budgets, logs or {}
    # What is at the wall of the first iteration is at an edge.
    regime = replace(panel.regime, fixed={**grid.held, **panel.fixed}, min_K=proxy.min_K)
    search = partial(grid_search, proxy, grid, dtype=config.dtype)
    best = search(regime=regime)
    check_positive(best.risk)
    # The whole grid, what the figure holds fixed tuned as well: how much the regime gives away.
    every = search(regime=replace(regime, tuned=tuple({*regime.tuned, *regime.fixed} & {*grid.axes}), fixed={}))
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
    of_function = not proxy.is_posynomial(regime.tuned)
    arrays |= {"risk_edge": edge} | {f"{v}_edge": edge if of_function else best.edge[v] for v in curves}
    for key, (values, at_edge) in measured.items():
        arrays[f"{key}_hat"] = values
        if key in exponents:
            power = (float(exponents[key]), float(logs.get(key, 0)))
            arrays[f"{key}_law"] = predicted_line(budget, values, at_edge, window, *power)
    if config.refined:
        arrays |= refined_arrays(proxy, regime, budget, grid.budget)
    if of_function:
        behind = partial(refined_truth, proxy, regime, grid.budget)
    else:
        behind = partial(
            posynomial_truth, proxy.along(regime.path), regime, {v: grid.axes[v].step for v in regime.tuned}
        )
    predictions = [({key: Fraction(1)}, exponents[key]) for key in measured if key in exponents]
    checks = slope_checks(Curves(grid.budget, budget, measured, window), behind, predictions, logs)
    notes = {
        "exponents": {key: str(e) for key, e in exponents.items()},
        "log_exponents": {key: str(e) for key, e in logs.items()},
        "burn_in_ends": {v: budget[end] if (end := burn_in_end(best, v)) < len(budget) else None for v in curves},
        "points": every.points,
        "best_cells_below_one_iteration": int(best.below_one_K.sum()),
    }
    return FigureData(config.figure, config_data(config, proxy, [grid]), arrays, checks, notes)


def slope_checks(
    curves: Curves, behind: Any, predictions: Sequence[Prediction], logs: Mapping[str, Fraction] | None = None
) -> tuple[Reading, ...]:
    """Return the measured slopes held against the predicted ones.

    Args:
        curves: what was measured.
        behind: the continuous optimum, as ``slopes.measured_slopes`` takes it.
        predictions: what is held against what.
        logs: powers of the budget's logarithm that curves are freed of first, by name.
    """
    if not predictions:
        return ()
    powers = {name: float(power) for name, power in (logs or {}).items()}
    checks = []
    for slope, (_, exponent) in zip(measured_slopes(curves, behind, [p for p, _ in predictions], powers), predictions):
        check, log = slope.reading(float(exponent)), powers.get(slope.name)
        freed = f", freed of (log {curves.name})^{log:.3g}" if log else ""
        checks.append(replace(check, note=check.note + freed))
    return tuple(checks)


def refined_arrays(proxy: Proxy | FunctionProxy, regime: Regime, budget: Any, name: str) -> dict[str, Any]:
    """Return the continuous optimum of a regime at every budget: risk_star, and one array for each tuned variable.

    Where one has no best value at some budgets there is eta_limit, say, too: 0 or inf there, NaN elsewhere.
    """
    optimum = refined_optimum(proxy, regime, name, budget)
    limits = {f"{v}_limit": x for v, x in optimum.limit.items() if optimum.unbounded[v].any()}
    return {f"{key}_star": values for key, values in optimum.curves().items()} | limits


def no_best_value(arrays: Mapping[str, Any], name: str) -> str:
    """Return why a tuned variable has no best value, or none at some budgets, for its panel; "" where it may have."""
    limit, star = arrays.get(f"{name}_limit"), arrays.get(f"{name}_star")
    if limit is not None:
        (gone,) = np.nonzero(~np.isnan(limit))
        some = "" if len(gone) == len(limit) else f" at {counted(len(gone), 'budget')}"
        how = f"${short(name)}$ {'grows' if limit[gone[-1]] > 0 else 'goes to 0'}"
        return f"${short(name)}$ has no best value{some}:\nthe risk falls for ever as {how}"
    if star is None or np.isfinite(star).any():
        return ""
    if np.isfinite(arrays["risk_star"]).any():
        return f"no one best ${short(name)}$: the others\nre-tuned, the risk stays the same"
    return "refinement found no optimum"


def draw(data: FigureData) -> Figure:
    """Return the figure."""
    panel, arrays = data.config["panels"][0], data.arrays
    budget = data.budget
    x = arrays[budget]
    first, second = other_than_eta(panel["tuned"]), "eta"
    exponents, logs = data.notes["exponents"], data.notes.get("log_exponents", {})
    refines = "risk_star" in arrays

    def draw_law(axes: Axes, key: str) -> None:
        if key in exponents:
            law(axes, x, arrays[f"{key}_law"], power_label(budget, exponents[key], logs.get(key)))

    titles = [f"fixed ${short(v)}$, best ${short(w)}$" for v, w in ((first, second), (second, first))]
    titles[0] += held_beside(panel["fixed"])
    titles += [f"best ${short(v)}$" for v in (first, second)]
    figure, axes = new_figure(2, 2, (6.4, 5.2 if refines else 5.0), titles)
    # The thin curves may run off both panels: their scale is the optimum's.
    risks = padded(arrays["risk_hat"], arrays["risk_every"], by=0.35)
    for ax, name in zip(axes[:2], (first, second)):
        family(ax, x, arrays[f"risk_at_{name}"], arrays[f"{name}_shown"], name)
        both = f"best $({short(second)}, {short(first)})$"
        optimum(ax, x, arrays["risk_hat"], np.zeros(x.shape, bool), both)
        if panel["fixed"]:
            label = "all three tuned" if len(panel["fixed"]) == 1 else "all tuned"
            ax.plot(x, arrays["risk_every"], ":", color="black", linewidth=1.1, label=label, zorder=5)
        if refines:
            refined(ax, x, arrays["risk_star"], None, width=0.8)
        draw_law(ax, "risk")
        log_axes(ax, (x[0], x[-1]), risks, (symbol(budget), symbol("risk")))
        ax.legend(loc="lower left")
    for ax, name in zip(axes[2:], (first, second)):
        values, edge = arrays[f"{name}_hat"], arrays[f"{name}_edge"]
        optimum(ax, x, values, edge, "grid argmin" if refines else f"best ${short(name)}$")
        if refines:
            refined(ax, x, arrays[f"{name}_star"], "refined optimum", width=0.8)
        draw_law(ax, name)
        log_axes(ax, (x[0], x[-1]), padded(values), (symbol(budget), symbol(name)))
        remark(ax, no_best_value(arrays, name))
        if name in ("b", "alpha"):
            ax.axhline(1.0, color=PREDICTED, linewidth=0.7, linestyle=":", zorder=1)
        if not refines:
            inside = values[~edge]
            ax.legend(loc="upper left" if inside.size and inside[-1] > inside[0] else "lower left")
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


def held_beside(fixed: Mapping[str, float]) -> str:
    """Return what a regime holds, to stand behind a title: " ($b=32$)"; nothing where it holds nothing."""
    return f" ({', '.join(held_text(name, value) for name, value in fixed.items())})" if fixed else ""


def held_text(name: str, value: float) -> str:
    """Return what is held, in the words that a person tunes in: beta for alpha."""
    return rf"$\beta={1 - value:.6g}$" if name == "alpha" else f"${short(name)}={value:.6g}$"
