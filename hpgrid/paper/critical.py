"""The figures of batch sizes to a target, for both forms of Cesista's bound.

cbs1: tokens and iterations against the batch size, where they are fewest, and where the formula says so.
cbs3: Theorem 12's formula against the exact minimiser of tokens, over targets.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from hpgrid.checks import bad
from hpgrid.config import Config
from hpgrid.critical import tokens
from hpgrid.critical.critical_batch import CriticalBatch, critical_batch, lowest
from hpgrid.paper.data import FigureData, config_data
from hpgrid.plotting import critical as plot
from hpgrid.plotting.lines import padded
from hpgrid.plotting.style import REFINED, letter, log_axes, new_figure, styled
from hpgrid.readings import Reading
from hpgrid.shapes import Floats as Array
from hpgrid.theory import batch_sizes as theory

#: A figure's arrays, checks and notes.
Computed = tuple[dict[str, Any], list[Reading], dict[str, Any]]

#: The forms of the bound, and what they are called.
TITLES = {"seed": "first form", "revised": "revised form"}


def compute(config: Config, name: str) -> FigureData:
    """Return a figure's arrays and checks."""
    started = time.perf_counter()
    made, _ = _FIGURES[config.figure]
    arrays, checks, notes = made(config.parameters)
    return FigureData(name, config_data(config), arrays, tuple(checks), notes, time.perf_counter() - started)


def draw(data: FigureData) -> Figure:
    """Return the picture of a computed figure."""
    _, drawn = _FIGURES[data.config["figure"]]
    with styled():
        figure: Figure = drawn(data.arrays, data.config["parameters"])
    return figure


def problem(own: Mapping[str, Any], *more: str) -> dict[str, Any]:
    """Return the constants of a figure's problem, and other parameters by name."""
    return {name: float(own[name]) for name in ("Delta0", "L", "sigma", "D", "G0", *more)}


def _minimiser_checks(what: str, answers: Sequence[CriticalBatch]) -> list[Reading]:
    """How far the numerical minimiser and the grid's are from the closed form, the farthest of some answers.

    Where the minimum is below b = 1 there is nothing to compare.
    """
    found = [answer.reach for answer in answers if answer.reach is not None and not answer.reach.on_bound]
    if not found:
        return []
    numerical = max(abs(float(np.log(one.fewest.b / one.closed))) for one in found)
    grid = max(abs(float(np.log(one.on_grid.b / one.closed))) for one in found)
    step = max(one.step for one in found)
    window = (min(one.closed for one in found), max(one.closed for one in found))
    return [
        Reading(
            f"{what}: log(fewest tokens/closed form)", "arithmetic", numerical, 0.0, tokens.FLAT, window=window,
            note=f"largest of {len(found)}; tolerance: a minimum is flat to the root of rounding",
        ),
        Reading(
            f"{what}: log(argmin on a grid/closed form)", "grid", grid, 0.0, step, window=window,
            note=f"largest of {len(found)}; tolerance: one step of the grid",
        ),
    ]  # fmt: skip


#: What the formula is called where it arrives, and where it does not.
_FORMULA = ("the source's formula", "it never arrives")

#: What is marked as near the fewest tokens.
SHARE = 0.20


def _curves(own: Mapping[str, Any]) -> Computed:
    shown = np.array([own["b_low"], own["b_high"]], float)
    if not 0 < shown[0] < shown[1]:
        raise bad("the batch sizes shown need 0 < b_low < b_high", shown.tolist(), "b_low = 5.0, b_high = 2e5, say")
    arrays: dict[str, Any] = {"beta": np.array(own["beta"], float), "shown": shown}
    checks: list[Reading] = []
    notes: dict[str, Any] = {}
    asked = {**problem(own, "eta"), "eps": own["eps"], "measure": "gradient"}
    for form, title in TITLES.items():
        answers = [critical_batch(**asked, form=form, beta=beta) for beta in own["beta"]]
        curves = [_curve(answer, shown[1]) for answer in answers]
        arrays |= {f"{key}_{form}": np.array([curve[key] for curve in curves]) for key in curves[0]}
        checks += _minimiser_checks(title, answers)
        notes[form] = [f"beta = {beta:g}: {answer.status}: {answer.why}" for beta, answer in zip(own["beta"], answers)]
    return arrays, checks, notes


def _curve(answer: CriticalBatch, last: float) -> dict[str, Any]:
    """One curve and its marks; NaN where the bound gives nothing, +inf where the formula never arrives."""
    reach = answer.reach
    if reach is None:
        nothing = dict.fromkeys(("smallest", "exact_b", "exact_K", "formula_b", "formula_K", "low", "high"), np.nan)
        return {"b": np.full(400, np.nan), "K": np.full(400, np.nan), **nothing}
    above = max(reach.smallest, 1.0)
    # Denser next to the smallest, where the curve runs up.
    b = above * (1 + np.logspace(-4.0, np.log10(max(last / above, 2.0) - 1), 400))
    formula = reach.formulas[0].at
    low, high = reach.near[SHARE]
    return {
        "b": b,
        "K": answer.iterations(b),
        "smallest": reach.smallest,
        "exact_b": reach.fewest.b,
        "exact_K": reach.fewest.K,
        "formula_b": formula.b,
        "formula_K": formula.K,
        "low": low,
        "high": high,
    }


def _draw_curves(arrays: Mapping[str, Any], own: Mapping[str, Any]) -> Figure:
    """A row for each form, tokens and iterations."""
    figure, axes = new_figure(2, 2, (6.8, 5.6))
    panels = [(form, kind) for form in TITLES for kind in ("T", "K")]
    for k, (form, kind) in enumerate(panels):
        _draw_family(axes[k], arrays, form, kind)
        what = {"T": "tokens", "K": "iterations"}[kind]
        letter(axes[k], k, f"{TITLES[form]}: {what} to $\\epsilon={own['eps']:g}$")
    plot.legend_below(figure, axes)
    return figure


def _draw_family(axes: Axes, arrays: Any, form: str, kind: str) -> None:
    """One form's tokens or iterations, a curve for each beta."""

    def scale(b: Any, K: Any) -> Any:
        return b * K if kind == "T" else K

    marked = padded(*(scale(arrays[f"exact_b_{f}"], arrays[f"exact_K_{f}"]) for f in TITLES), by=0.0)
    y = (marked[0] / 5.0, marked[1] * 30.0)
    for k, beta in enumerate(arrays["beta"]):
        b, K = arrays[f"b_{form}"][k], arrays[f"K_{form}"][k]
        plot.needed(axes, b, scale(b, K), k, rf"$\beta={beta:g}$")
        near = (b >= arrays[f"low_{form}"][k]) & (b <= arrays[f"high_{form}"][k])
        plot.near(axes, b[near], scale(b, K)[near], k, f"within {SHARE:.0%} of the fewest")
        plot.smallest(axes, arrays[f"smallest_{form}"][k], k, "smallest batch size")
        marks = {name: (arrays[f"{name}_b_{form}"][k], arrays[f"{name}_K_{form}"][k]) for name in ("exact", "formula")}
        plot.exact(axes, marks["exact"][0], scale(*marks["exact"]), k, "fewest tokens")
        plot.formula(axes, marks["formula"][0], scale(*marks["formula"]), k, y[1], *_FORMULA)
    log_axes(axes, (float(arrays["shown"][0]), float(arrays["shown"][1])), y, ("b", kind))
    axes.set_ylabel("tokens $T$" if kind == "T" else "iterations $K$")


#: Every how many targets the minimum is found numerically and marked.
_MARKED = 80

#: How each formula is drawn and named.
_OWN = {"seed": ("Theorem 12, $Z$ at its own $b$", "-."), "revised": (f"$9Y^2/4{plot.EPS_PRIME}^2$", (0, (1, 1.2)))}
_TWELVE = r"Theorem 12, $Z$ at $b\to\infty$"


def _targets(own: Mapping[str, Any]) -> Computed:
    low, high = own["eps_prime_low"], own["eps_prime_high"]
    if not 0 < low < high:
        raise bad("the targets need 0 < eps_prime_low < eps_prime_high", [low, high], "the smaller one first")
    room = np.geomspace(low, high, own["n"])
    arrays: dict[str, Any] = {"room": room, "marked": room[::_MARKED]}
    checks: list[Reading] = []
    for form, title in TITLES.items():
        asked: dict[str, Any] = {**problem(own, "eta", "beta"), "form": form, "measure": "gradient"}
        answers = [critical_batch(**asked, eps_prime=e) for e in arrays["marked"]]
        arrays |= {f"{key}_{form}": value for key, value in _over_targets(answers, form, room).items()}
        checks += _minimiser_checks(title, answers)
    checks.append(_never(arrays))
    notes = {form: f"formula never arrives for eps' <= {arrays[f'never_{form}']:.6g}" for form in TITLES}
    return arrays, checks, notes


def _over_targets(answers: Sequence[CriticalBatch], form: str, eps_prime: Array) -> dict[str, Any]:
    """One form's batch sizes and costs: closed forms at every target, numerical minima at the marked ones."""
    first = answers[0]
    Y, Z_noise = tokens.coefficients(first.parts, form)
    exact = theory.fewest_tokens(Y, Z_noise, eps_prime)
    asked = first.given
    twelve = theory.theorem12(asked.alpha, eps_prime, sigma=asked.problem.sigma, lam=asked.problem.lam)
    if form == "revised":
        formula = theory.revised(Y + Z_noise, eps_prime)
        never = Z_noise**2 / float(twelve[0] * eps_prime[0])
    else:
        formula = theory.self_consistent(Y, Z_noise, eps_prime)
        never = Z_noise**2 / (theory.NEVER * Y)

    def cost(b: Array) -> Array:
        """Tokens over the fewest, by the bound itself; +inf where it never arrives."""
        needed = [tokens.iterations_of_mean(first.parts, form, e) for e in eps_prime]
        pairs = [K(np.array([x, y])) for K, x, y in zip(needed, b, exact)]
        return np.array([x * K[0] / (y * K[1]) for x, y, K in zip(b, exact, pairs)])

    return {
        "twelve": twelve,
        "own": formula,
        "twelve_cost": cost(twelve),
        "own_cost": cost(formula),
        "exact": exact,
        "smallest": theory.smallest(Y, Z_noise, eps_prime),
        "numerical": np.array([np.nan if a.reach is None else a.reach.fewest.b for a in answers]),
        "numerical_cost": np.array([_formula_cost(answer) for answer in answers]),
        "never": never,
        "vacuous": lowest(first.trivial).value - first.Z,
    }


def _formula_cost(answer: CriticalBatch) -> float:
    """What the source's formula costs, at a marked target; NaN where a batch size is on its bound."""
    reach = answer.reach
    usable = reach is not None and not reach.on_bound and reach.formulas[0].at.b >= 1
    return reach.formulas[0].over_fewest if reach is not None and usable else np.nan


def _never(arrays: Mapping[str, Any]) -> Reading:
    """Where the cost turns finite, on the figure's own targets, against 2 Z'^2/Y."""
    room, predicted = arrays["room"], float(arrays["never_seed"])
    infinite = room[np.isinf(arrays["twelve_cost_seed"])]
    last = float(infinite[-1]) if infinite.size else np.nan
    step = float(np.log(room[1] / room[0]))
    gap = float(np.log(predicted / last))
    told = "largest target at which the formula never arrives; tolerance: one step of the targets"
    return Reading(
        "first form: log(2 Z'^2/Y over it)", "arithmetic", gap, 0.0,
        step if gap >= 0 else 0.0,  # a target beyond the law's that never arrives is none of the targets' step
        identifiable=bool(infinite.size and infinite.size < room.size), window=(room[0], room[-1]), note=told,
    )  # fmt: skip


def _draw_targets(arrays: Mapping[str, Any], own: Mapping[str, Any]) -> Figure:
    """A column for each form, batch sizes above what the formulas cost."""
    figure, axes = new_figure(2, 2, (6.8, 5.4))
    for k, form in enumerate(TITLES):
        _draw_batch_sizes(axes[k], arrays, form)
        letter(axes[k], k, f"{TITLES[form]}: batch size")
        _draw_costs(axes[2 + k], arrays, form)
        letter(axes[2 + k], 2 + k, f"{TITLES[form]}: tokens")
    plot.legend_below(figure, axes, columns=3)
    return figure


def _shade(axes: Axes, arrays: Any, form: str) -> tuple[float, float]:
    """Shade where the formula never arrives and where targets are vacuous; return the range of targets."""
    low, high = float(arrays["room"][0]), float(arrays["room"][-1])
    plot.shade(axes, low, min(max(float(arrays[f"never_{form}"]), low), high), "#e4e4e4", "Theorem 12 never arrives")
    plot.shade(axes, min(float(arrays[f"vacuous_{form}"]), high), high, "#f3d9c9", "vacuous target", "////")
    return low, high


def _draw_batch_sizes(axes: Axes, arrays: Any, form: str) -> None:
    room = arrays["room"]
    x = _shade(axes, arrays, form)
    axes.plot(room, arrays[f"exact_{form}"], color=REFINED, linewidth=2.2, label="fewest tokens, exact", zorder=4)
    axes.plot(
        arrays["marked"], arrays[f"numerical_{form}"], "o", color="white", markeredgecolor=REFINED, markersize=5.0,
        label="numerically", zorder=6,
    )  # fmt: skip
    plot.printed(axes, room, arrays[f"twelve_{form}"], _TWELVE)
    plot.printed(axes, room, arrays[f"own_{form}"], *_OWN[form])
    axes.plot(room, arrays[f"smallest_{form}"], color="0.5", linewidth=0.9, label="smallest batch size", zorder=3)
    axes.axhline(1.0, color="0.3", linewidth=0.7, linestyle=":", zorder=1)
    every = [arrays[f"{key}_{f}"] for f in TITLES for key in ("exact", "twelve", "smallest")]
    log_axes(axes, x, padded(*every), ("b", "b"))
    axes.set_xlabel(rf"${plot.EPS_PRIME}=\epsilon-Z$")


def _draw_costs(axes: Axes, arrays: Any, form: str) -> None:
    x = _shade(axes, arrays, form)
    axes.axhline(1.0, color=REFINED, linewidth=2.2, zorder=4)
    for key, name in (("twelve", (_TWELVE,)), ("own", _OWN[form])):
        cost = arrays[f"{key}_cost_{form}"]
        plot.printed(axes, arrays["room"], np.where(np.isfinite(cost), cost, np.nan), *name)
    axes.set_xscale("log")
    log_axes(axes, x, (0.9, 30.0), ("b", "risk"))
    axes.set_yticks([1, 2, 5, 10, 20], ["1", "2", "5", "10", "20"])
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set_xlabel(rf"${plot.EPS_PRIME}=\epsilon-Z$")
    axes.set_ylabel("tokens over the fewest")


#: How each figure is computed and drawn.
_FIGURES: dict[str, Any] = {
    "cbs1": (_curves, _draw_curves),
    "cbs3": (_targets, _draw_targets),
}
