"""The LMO methods themselves against eq. (2) of Shulgin et al.: a small Figure 3, with known constants."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hpgrid.checks import METHODS, bad, check_choice, check_count, check_value
from hpgrid.config import Config
from hpgrid.paper.data import FigureData, config_data
from hpgrid.plotting.lines import METHOD_COLORS, METHOD_MARKERS, bound_line, family, law, level, measured, padded
from hpgrid.plotting.style import OPTIMUM, hollow, label_values, letter, log_axes, new_figure, number, styled
from hpgrid.readings import Reading
from hpgrid.shapes import Floats as Array
from hpgrid.slopes import MeasuredSlope, Slope
from hpgrid.theory import theorems

#: What is minimised.
FUNCTIONS = ("smoothed", "quadratic")


def compute(config: Config, name: str = "lmo1") -> FigureData:
    """Return the figure's arrays and checks."""
    from concurrent.futures import ThreadPoolExecutor

    started = time.perf_counter()
    options = _checked(config.parameters)
    lo, hi = options["eta"]
    axes = {name: np.asarray(options[name], float) for name in ("b", "K", "alpha")}
    axes |= {"fine_eta": np.geomspace(lo, hi, options["fine_points"]), "eta": np.geomspace(lo, hi, options["points"])}
    arrays: dict[str, Any] = dict(axes)
    # The slowest goes first.
    with ThreadPoolExecutor(2) as pool:
        parts = dict(zip(reversed(METHODS), pool.map(lambda norm: _method(norm, options, axes), reversed(METHODS))))
    checks: list[Reading] = []
    notes: dict[str, Any] = {}
    for norm, method in METHODS.items():
        values, more, notes[method] = parts[norm]
        arrays |= values
        checks += more
    return FigureData(name, config_data(config), arrays, tuple(checks), notes, time.perf_counter() - started)


def _checked(options: Mapping[str, Any]) -> dict[str, Any]:
    """Refuse what can't be run, before anything is."""
    check_choice("norm", options["shown"], METHODS)
    for name in ("eta", "b", "alpha", "K"):
        for value in options[name]:
            check_value(name, value)
    check_value("alpha", options["fixed_alpha"])
    for name in ("points", "fine_points", "seeds", "fine_seeds", "quadratic_seeds"):
        check_count(name, options[name], least=2)
    if not (len(options["eta"]) == 2 and options["eta"][0] < options["eta"][1]):
        raise bad("eta is the least and the largest learning rate", options["eta"], "eta = [1e-3, 0.1], say")
    if options["noise"] <= 0:
        raise bad("the noise rho sigma must be > 0", options["noise"], "noise = 1.0, say")
    return dict(options)


# --- one method ---


def _method(
    norm: str, options: Mapping[str, Any], axes: Mapping[str, Array]
) -> tuple[dict[str, Any], list[Reading], dict[str, Any]]:
    """Its runs with eta tuned, with eta and alpha tuned, and on a quadratic: arrays, checks and notes."""
    from hpgrid.stochastic.lmo import run
    from hpgrid.stochastic.problems import quadratic, smoothed

    shape, size = tuple(options["shape"]), options["size"]
    problem = smoothed(norm, shape, size=size, width=options["width"])
    b, K, alpha = (axes[name] for name in ("b", "K", "alpha"))
    noise: dict[str, Any] = {"noise": options["noise"], "seed": options["seed"]}
    few = (axes["eta"], b, alpha, K)
    fine = run(problem, (axes["fine_eta"], b, [options["fixed_alpha"]], K), seeds=options["fine_seeds"], **noise)
    both = run(problem, few, seeds=options["seeds"], **noise)
    other = run(quadratic(norm, shape, size=size), few, seeds=options["quadratic_seeds"], **noise)
    arrays: dict[str, Any] = {}
    checks: list[Reading] = []
    notes: dict[str, Any] = {}
    for function, runs in zip(FUNCTIONS, ((fine, both), (other,))):
        values, check, share = _tightness(runs, f"{METHODS[norm]}, {function}", K)
        arrays |= {f"{norm}_{function}_{key}": value for key, value in values.items()}
        checks.append(check)
        notes[function] = share
    for measure, tuned in ((_fixed_momentum, fine), (_fixed_batch, both)):
        values, more = measure(tuned, problem, options, axes, norm)
        arrays |= values
        checks += more
    # What tuning alpha gives over alpha = 1, at the least b and the largest K: measured, and by the bound.
    for word, cells in (("measured", both.least.mean(-1)), ("bound", both.bound)):
        best = cells[:, 0, :, -1].min(0)
        notes[f"best_over_alpha_1_{word}"] = float(best.min() / best[-1])
    return arrays, checks, notes


def _tightness(runs: tuple[Any, ...], name: str, K: Array) -> tuple[dict[str, Any], Reading, dict[str, Any]]:
    """Every cell's bound over the trivial level, and the measured over the bound."""
    from hpgrid.stochastic.samples import interval, largest_ratio

    cells = sum(run.bound.size for run in runs)
    parts = []
    for run in runs:
        reached = interval(run.least, cells)
        ratios = run.bound / run.trivial, reached.mean / run.bound, reached.half / run.bound
        parts.append(np.stack([part.ravel() for part in ratios]))
    above, ratio, error = np.concatenate(parts, axis=1)
    note = f"largest of {cells} cells, whose intervals are simultaneous"
    window = float(K[0]), float(K[-1])
    check = replace(largest_ratio(f"min E||grad f||/eq. (2), {name}", ratio, error), window=window, note=note)
    best = [(run.bound.min(0) >= run.trivial).mean() for run in runs]
    says = ratio[above < 1]
    shares = {
        "vacuous": float((above >= 1).mean()),
        "vacuous_at_the_bounds_best_eta": float(best[-1]),
        "median_ratio_elsewhere": float(np.median(says)) if says.size else None,
        "largest_ratio_elsewhere": float(says.max()) if says.size else None,
    }
    return {"above": above, "ratio": ratio}, check, shares


def _fixed_momentum(
    runs: Any, problem: Any, options: Mapping[str, Any], axes: Mapping[str, Array], norm: str
) -> tuple[dict[str, Any], list[Reading]]:
    """Theorem 1: eta* ~ K^(-1/2), whatever b."""
    from hpgrid.stochastic.tuning import best, movement

    b, K, eta = axes["b"], axes["K"], axes["fine_eta"]
    least, middle = runs.least[:, :, 0], int(np.abs(b - options["shown_b"]).argmin())
    along_K = best(least[:, middle], {"eta": eta})["eta"]
    along_b = best(least[:, :, -1], {"eta": eta})["eta"]
    law = theorems.theorem1_eta_in_K(K, options["fixed_alpha"], problem.Delta0, 4 * problem.L)
    slopes = movement(K, along_K), movement(b, along_b)
    checks = [
        _moved(f"eta* ~ K^p, {METHODS[norm]}, b = {b[middle]:g}", slopes[0], theorems.THEOREM_1_ETA_IN_K),
        _moved(f"eta* ~ b^p, {METHODS[norm]}, K = {K[-1]:g}", slopes[1], 0.0),
    ]
    arrays = {f"{norm}_eta_{key}": value for key, value in along_K._asdict().items()} | {f"{norm}_eta_law": law}
    arrays |= {f"{norm}_curves": least[:, middle].mean(-1), f"{norm}_bound": runs.bound[:, middle, 0].min(0)}
    return arrays | {f"{norm}_trivial": np.array(runs.trivial)}, checks


def _fixed_batch(
    runs: Any, problem: Any, options: Mapping[str, Any], axes: Mapping[str, Array], norm: str
) -> tuple[dict[str, Any], list[Reading]]:
    """Theorem 2: alpha* ~ (b/K)^(1/2), eta* ~ b^(1/4) K^(-3/4), read at the least b and at the largest K."""
    from hpgrid.stochastic.tuning import best, movement

    b, K = axes["b"], axes["K"]
    tuned = {name: axes[name] for name in ("eta", "alpha")}
    along_K = best(runs.least[:, 0], tuned)
    along_b = best(runs.least[..., -1, :].swapaxes(1, 2), tuned)
    constants = problem.Delta0, 2 * options["noise"], 4 * problem.L
    arrays = {f"{norm}_alpha_{key}": value for key, value in along_K["alpha"]._asdict().items()}
    arrays[f"{norm}_alpha_law"] = theorems.theorem2_alpha_in_K(K, b[0], *constants)
    checks = []
    for name in tuned:
        powers = theorems.THEOREM_2_IN_K[name]
        for axis, slope, held in (
            ("K", movement(K, along_K[name]), f"b = {b[0]:g}"),
            ("b", movement(b, along_b[name]), f"K = {K[-1]:g}"),
        ):
            what = f"{name}* ~ {axis}^p, both tuned, {METHODS[norm]}, {held}"
            checks.append(_moved(what, slope, powers[axis]))
    return arrays, checks


def _moved(what: str, slope: Slope, power: Any) -> Reading:
    """A slope held against a power; its tolerance comes from the seeds and the axis' step."""
    check = MeasuredSlope(what, slope, 0.0).reading(float(power), what, "sampled")
    return replace(check, note=check.note.replace("from the grid", "from seeds and step").replace("grid", "axis"))


# --- drawing ---


def draw(data: FigureData) -> Figure:
    """Return the figure: curves against K, tightness, the best learning rate and the best momentum."""
    arrays, options = data.arrays, data.config["parameters"]
    with styled():
        figure, axes = new_figure(2, 2, (7.0, 5.8))
        _draw_curves(axes[0], options["shown"], arrays)
        held = f"$b={options['shown_b']:g}$, $\\alpha={options['fixed_alpha']:g}$"
        letter(axes[0], 0, f"{METHODS[options['shown']]}, {held}")
        _draw_tightness(axes[1], arrays)
        letter(axes[1], 1, "measured over eq. (2)")
        _draw_best(axes[2], "eta", arrays, "$K^{-1/2}$, by eq. (3)")
        letter(axes[2], 2, f"best $\\eta$, {held}")
        _draw_best(axes[3], "alpha", arrays, "$K^{-1/2}$, by eq. (3)")
        letter(axes[3], 3, f"best $\\alpha$, $\\eta$ tuned too, $b={options['b'][0]:g}$")
    return figure


def _draw_curves(axes: Axes, norm: str, arrays: Mapping[str, Array]) -> None:
    K, curves = arrays["K"], arrays[f"{norm}_curves"]
    some = slice(None, None, 2)
    family(axes, K, curves[some], arrays["fine_eta"][some], "eta")
    axes.plot(K, curves.min(0), color=OPTIMUM, label="best $\\eta$", zorder=5)
    bound_line(axes, K, arrays[f"{norm}_bound"], label="eq. (2) at its best $\\eta$")
    level(axes, float(arrays[f"{norm}_trivial"]), "at the start")
    low, high = padded(curves, arrays[f"{norm}_bound"])
    log_axes(axes, (K[0], K[-1]), (low / 4, high), ("K", "risk"))
    label_values(axes.xaxis, list(K[::2]), number)
    axes.set_ylabel(r"$\min_{k\leq K}E\|\nabla f(x^k)\|_*$")
    axes.legend(loc="lower left")


def _draw_tightness(axes: Axes, arrays: Mapping[str, Array]) -> None:
    """Every cell, and over each method's the largest in every third of a decade."""
    shown = []
    for norm in METHODS:
        color, marker = METHOD_COLORS[norm], METHOD_MARKERS[norm]
        above, ratio = (
            np.concatenate([arrays[f"{norm}_{function}_{key}"] for function in FUNCTIONS]) for key in ("above", "ratio")
        )
        axes.plot(above, ratio, ".", color=color, markersize=1.6, markeredgewidth=0, alpha=0.35, zorder=2)
        # Thirds of a decade: the cells alone are a cloud without an upper edge.
        bins = np.floor(3 * np.log10(above))
        top = [int(np.flatnonzero(bins == k)[ratio[bins == k].argmax()]) for k in np.unique(bins)]
        axes.plot(above[top], ratio[top], color=color, marker=marker, markersize=3.2, label=METHODS[norm], zorder=4)
        shown.append(np.column_stack([above, ratio]))
    points = np.concatenate(shown)
    right, (low, _) = padded(points[:, 0]), padded(points[:, 1])
    axes.axvspan(1.0, right[1], color="0.5", alpha=0.13, linewidth=0, zorder=0)
    axes.text(0.97, 0.97, "eq. (2) says nothing", transform=axes.transAxes, ha="right", va="top", color="0.3")
    bound_line(axes, np.array(right), np.ones(2), label="attained")
    log_axes(axes, right, (low / 12, 6.0), ("risk", "risk"))
    axes.set_xlabel(r"eq. (2) over $\|\nabla f(x^0)\|_*$")
    axes.set_ylabel(r"$\min_k\,E\|\nabla f\|_*$ over eq. (2)")
    axes.legend(loc="lower left", ncols=2)


def _draw_best(axes: Axes, name: str, arrays: Mapping[str, Array], label: str) -> None:
    """Best values with what can't be told from them; a curve per method, side by side."""
    K, shown = arrays["K"], []
    for k, norm in enumerate(METHODS):
        value, low, high, predicted = (arrays[f"{norm}_{name}_{key}"] for key in ("value", "low", "high", "law"))
        # Side by side, so that bars do not hide each other.
        x, color, marker = K * 1.09 ** (k - 1), METHOD_COLORS[norm], METHOD_MARKERS[norm]
        bars = np.array([value - low, high - value])
        measured(axes, x, value, bars, color=color, marker=marker, label=METHODS[norm])
        hollow(
            axes,
            x,
            value,
            arrays[f"{norm}_{name}_edge"].astype(bool),
            color,
            "can't be told from the edge" if k == 0 else "_",
        )
        law(axes, K, predicted, label if k == 0 else "_")
        shown += [low, high, predicted]
    axes.legend(loc="lower left")
    bottom, top = padded(*shown)
    log_axes(axes, (K[0] / 1.3, K[-1] * 1.3), (bottom / 40 if name == "alpha" else bottom, top), ("K", name))
    label_values(axes.xaxis, list(K[::2]), number)
