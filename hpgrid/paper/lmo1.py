"""The LMO methods themselves against eq. (2) of Shulgin et al.: a small Figure 3, with known constants."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hpgrid.checks import METHODS, bad, check_choice, check_count
from hpgrid.config import Config
from hpgrid.paper.data import FigureData, config_data
from hpgrid.plotting.lines import METHOD_LOOK, bound_line, family, law, level, measured, padded
from hpgrid.plotting.style import OPTIMUM, hollow, label_values, log_axes, new_figure, number
from hpgrid.readings import Reading
from hpgrid.shapes import Floats as Array
from hpgrid.slopes import MeasuredSlope
from hpgrid.theory import theorems
from hpgrid.variables import check_value

if TYPE_CHECKING:
    from hpgrid.stochastic.problems import Objective

#: What is minimised.
FUNCTIONS = ("smoothed", "quadratic")


def compute(config: Config) -> FigureData:
    """Return the figure's arrays and checks."""
    from concurrent.futures import ThreadPoolExecutor

    from hpgrid.stochastic.problems import quadratic, smoothed

    own = config.parameters
    check_choice("norm", own["shown"], METHODS)
    for name in ("eta", "b", "alpha", "K"):
        for value in own[name]:
            check_value(name, value)
    check_value("alpha", own["fixed_alpha"])
    for name in ("points", "fine_points", "seeds", "fine_seeds", "quadratic_seeds"):
        check_count(name, own[name], least=2)
    if not (len(own["eta"]) == 2 and own["eta"][0] < own["eta"][1]):
        raise bad("eta is the least and the largest learning rate", own["eta"], "eta = [1e-3, 0.1], say")
    if own["noise"] <= 0:
        raise bad("the noise rho sigma must be > 0", own["noise"], "noise = 1.0, say")

    axes = {name: np.asarray(own[name], float) for name in ("b", "K", "alpha")}
    lo, hi = own["eta"]
    axes |= {"fine_eta": np.geomspace(lo, hi, own["fine_points"]), "eta": np.geomspace(lo, hi, own["points"])}
    arrays: dict[str, Any] = dict(axes)
    # All of them before the first run, which takes its time; the slowest goes first.
    shape, size = tuple(own["shape"]), own["size"]
    problems = {v: (smoothed(v, shape, size=size, width=own["width"]), quadratic(v, shape, size=size)) for v in METHODS}
    with ThreadPoolExecutor(2) as pool:
        runs = pool.map(lambda norm: _method(METHODS[norm], *problems[norm], own, axes), reversed(METHODS))
        parts = dict(zip(reversed(METHODS), runs))
    checks: list[Reading] = []
    notes: dict[str, Any] = {}
    for norm, method in METHODS.items():
        values, more, notes[method] = parts[norm]
        arrays |= {f"{norm}_{key}": value for key, value in values.items()}
        checks += more
    return FigureData(config.figure, config_data(config), arrays, tuple(checks), notes)


# --- one method ---


def _method(
    method: str, problem: Objective, curved: Objective, own: Mapping[str, Any], axes: Mapping[str, Array]
) -> tuple[dict[str, Any], list[Reading], dict[str, Any]]:
    """Its runs with eta tuned, with eta and alpha tuned, and on a quadratic: arrays, checks and notes."""
    from hpgrid.stochastic.lmo import best, run

    b, K, eta = (axes[name] for name in ("b", "K", "fine_eta"))
    noise: dict[str, Any] = {"noise": own["noise"], "seed": own["seed"]}
    few = (axes["eta"], b, axes["alpha"], K)
    fine = run(problem, (eta, b, [own["fixed_alpha"]], K), seeds=own["fine_seeds"], **noise)
    both = run(problem, few, seeds=own["seeds"], **noise)
    other = run(curved, few, seeds=own["quadratic_seeds"], **noise)
    arrays: dict[str, Any] = {}
    checks: list[Reading] = []
    notes: dict[str, Any] = {}
    for function, runs in zip(FUNCTIONS, ((fine, both), (other,))):
        ratios, check, notes[function] = _tightness(runs, f"{method}, {function}", K)
        arrays |= {f"{function}_{key}": ratio for key, ratio in ratios.items()}
        checks.append(check)

    # Theorem 1: eta* ~ K^(-1/2), whatever b.
    least, middle = fine.least[:, :, 0], int(np.abs(b - own["shown_b"]).argmin())
    along_K, along_b = best(least[:, middle], {"eta": eta})["eta"], best(least[:, :, -1], {"eta": eta})["eta"]
    checks += [
        _moved(f"eta* ~ K^p, {method}, b = {b[middle]:g}", K, along_K, theorems.THEOREM_1_ETA_IN_K),
        _moved(f"eta* ~ b^p, {method}, K = {K[-1]:g}", b, along_b, 0.0),
    ]
    arrays |= {f"eta_{key}": value for key, value in along_K._asdict().items()}
    arrays["eta_law"] = theorems.theorem1_eta_in_K(K, own["fixed_alpha"], problem.Delta0, 4 * problem.L)
    arrays |= {"curves": least[:, middle].mean(-1), "bound": fine.bound[:, middle, 0].min(0)}
    arrays["trivial"] = np.array(fine.trivial)

    # Theorem 2: alpha* ~ (b/K)^(1/2), eta* ~ b^(1/4) K^(-3/4), read at the least b and at the largest K.
    tuned = {name: axes[name] for name in ("eta", "alpha")}
    along = {
        "K": (K, best(both.least[:, 0], tuned), f"b = {b[0]:g}"),
        "b": (b, best(both.least[..., -1, :].swapaxes(1, 2), tuned), f"K = {K[-1]:g}"),
    }
    for name in tuned:
        for axis, (points, optima, held) in along.items():
            what = f"{name}* ~ {axis}^p, both tuned, {method}, {held}"
            checks.append(_moved(what, points, optima[name], theorems.THEOREM_2_IN_K[name][axis]))
    arrays |= {f"alpha_{key}": value for key, value in along["K"][1]["alpha"]._asdict().items()}
    arrays["alpha_law"] = theorems.theorem2_alpha_in_K(K, b[0], problem.Delta0, 2 * own["noise"], 4 * problem.L)

    # What tuning alpha gives over alpha = 1, at the least b and the largest K: measured, and by the bound.
    for word, cells in (("measured", both.least.mean(-1)), ("bound", both.bound)):
        lowest = cells[:, 0, :, -1].min(0)
        notes[f"best_over_alpha_1_{word}"] = float(lowest.min() / lowest[-1])
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


def _moved(what: str, along: Array, optimum: Any, power: Any) -> Reading:
    """The power in which a best value moves, held against a law's; its tolerance: the seeds, and the axis' step."""
    from hpgrid.stochastic.lmo import movement

    check = MeasuredSlope(what, movement(along, optimum), 0.0).reading(float(power), what, "sampled")
    return replace(check, note=check.note.replace("from the grid", "from seeds and step").replace("grid", "axis"))


# --- drawing ---


def draw(data: FigureData) -> Figure:
    """Return the figure: curves against K, tightness, the best learning rate and the best momentum."""
    arrays, own = data.arrays, data.config["parameters"]
    held = f"$b={own['shown_b']:g}$, $\\alpha={own['fixed_alpha']:g}$"
    titles = [f"{METHODS[own['shown']]}, {held}", "measured over eq. (2)", f"best $\\eta$, {held}"]
    titles.append(f"best $\\alpha$, $\\eta$ tuned too, $b={own['b'][0]:g}$")
    figure, (against_K, tightness, *best) = new_figure(2, 2, (7.0, 5.8), titles)

    K, curves, bound = arrays["K"], *(arrays[f"{own['shown']}_{key}"] for key in ("curves", "bound"))
    some = slice(None, None, 2)
    family(against_K, K, curves[some], arrays["fine_eta"][some], "eta")
    against_K.plot(K, curves.min(0), color=OPTIMUM, label="best $\\eta$", zorder=5)
    bound_line(against_K, K, bound, label="eq. (2) at its best $\\eta$")
    level(against_K, float(arrays[f"{own['shown']}_trivial"]), "at the start")
    low, high = padded(curves, bound)
    log_axes(against_K, (K[0], K[-1]), (low / 4, high), ("K", r"$\min_{k\leq K}E\|\nabla f(x^k)\|_*$"))
    label_values(against_K.xaxis, list(K[::2]), number)
    against_K.legend(loc="lower left")

    _draw_tightness(tightness, arrays)

    for ax, name in zip(best, ("eta", "alpha")):
        shown: list[Array] = []
        for k, (norm, look) in enumerate(METHOD_LOOK.items()):
            value, least, most, predicted = (arrays[f"{norm}_{name}_{key}"] for key in ("value", "low", "high", "law"))
            # Side by side, so that bars do not hide each other.
            x = K * 1.09 ** (k - 1)
            measured(ax, x, value, np.array([value - least, most - value]), **look, label=METHODS[norm])
            at_edge = "can't be told from the edge" if k == 0 else "_"
            hollow(ax, x, value, arrays[f"{norm}_{name}_edge"].astype(bool), look["color"], at_edge)
            law(ax, K, predicted, "$K^{-1/2}$, by eq. (3)" if k == 0 else "_")
            shown += [least, most, predicted]
        ax.legend(loc="lower left")
        bottom, top = padded(*shown)
        log_axes(ax, (K[0] / 1.3, K[-1] * 1.3), (bottom / 40 if name == "alpha" else bottom, top), ("K", name))
        label_values(ax.xaxis, list(K[::2]), number)
    return figure


def _draw_tightness(axes: Axes, arrays: Mapping[str, Array]) -> None:
    """Every cell, and over each method's the largest in every third of a decade."""
    shown = []
    for norm, look in METHOD_LOOK.items():
        above, ratio = (
            np.concatenate([arrays[f"{norm}_{function}_{key}"] for function in FUNCTIONS]) for key in ("above", "ratio")
        )
        cells: dict[str, Any] = {"markersize": 1.6, "markeredgewidth": 0, "alpha": 0.35, "zorder": 2}
        axes.plot(above, ratio, ".", color=look["color"], **cells)
        # Thirds of a decade: the cells alone are a cloud without an upper edge.
        bins = np.floor(3 * np.log10(above))
        top = [int(np.flatnonzero(bins == k)[ratio[bins == k].argmax()]) for k in np.unique(bins)]
        axes.plot(above[top], ratio[top], **look, markersize=3.2, label=METHODS[norm], zorder=4)
        shown.append(np.column_stack([above, ratio]))
    points = np.concatenate(shown)
    right, (low, _) = padded(points[:, 0]), padded(points[:, 1])
    axes.axvspan(1.0, right[1], color="0.5", alpha=0.13, linewidth=0, zorder=0)
    axes.text(0.97, 0.97, "eq. (2) says nothing", transform=axes.transAxes, ha="right", va="top", color="0.3")
    bound_line(axes, np.array(right), np.ones(2), label="attained")
    labels = (r"eq. (2) over $\|\nabla f(x^0)\|_*$", r"$\min_k\,E\|\nabla f\|_*$ over eq. (2)")
    log_axes(axes, right, (low / 12, 6.0), labels)
    axes.legend(loc="lower left", ncols=2)
