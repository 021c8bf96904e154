"""Theorem 12's formula against the exact minimiser of tokens, over targets, for both forms of the bound."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from hpgrid.bounds import cesista2025 as bounds
from hpgrid.checks import bad
from hpgrid.config import Config
from hpgrid.critical.critical_batch import CriticalBatch, critical_batch, lowest
from hpgrid.critical.tokens import coefficients, iterations_of_mean
from hpgrid.paper.critical import TITLES, minimiser_checks, problem
from hpgrid.paper.data import FigureData, config_data
from hpgrid.plotting import critical as plot
from hpgrid.plotting.lines import padded
from hpgrid.plotting.style import REFINED, letter, log_axes, new_figure, styled
from hpgrid.readings import Reading
from hpgrid.shapes import Floats as Array
from hpgrid.theory import batch_sizes as theory

#: Every how many targets the minimum is found numerically and marked.
_EVERY = 80


def compute(config: Config, name: str = "cbs3") -> FigureData:
    """Return the figure's arrays and checks."""
    started = time.perf_counter()
    own = config.parameters
    low, high = own["eps_prime_low"], own["eps_prime_high"]
    if not 0 < low < high:
        raise bad("the targets need 0 < eps_prime_low < eps_prime_high", [low, high], "the smaller one first")
    room = np.geomspace(low, high, own["n"])
    arrays: dict[str, Any] = {"room": room, "marked": room[::_EVERY]}
    checks: list[Reading] = []
    for form in TITLES:
        asked: dict[str, Any] = {**problem(own, "eta", "beta"), "form": form, "measure": "gradient"}
        answers = [critical_batch(**asked, eps_prime=e) for e in arrays["marked"]]
        arrays |= {f"{key}_{form}": value for key, value in _form(answers, form, room).items()}
        checks += minimiser_checks(TITLES[form], answers)
    checks.append(_never(arrays))
    notes = {form: f"formula never arrives for eps' <= {arrays[f'never_{form}']:.6g}" for form in TITLES}
    return FigureData(name, config_data(config), arrays, tuple(checks), notes, time.perf_counter() - started)


def _form(answers: list[CriticalBatch], form: str, room: Array) -> Mapping[str, Any]:
    """One form's batch sizes and costs: closed forms at every target, numerical minima at the marked ones."""
    first = answers[0]
    parts = bounds.Parts(first.X, first.Y, first.Z, first.Z_noise)
    Y, Z_noise = coefficients(parts, form)
    exact = theory.fewest_tokens(Y, Z_noise, room)
    twelve = theory.theorem12(first.given.alpha, room, sigma=first.given.problem.sigma, lam=first.given.problem.lam)
    found = {"twelve": twelve}
    if form == "revised":
        found["own"] = theory.revised(Y + Z_noise, room)
        never = Z_noise**2 / float(twelve[0] * room[0])
    else:
        found["own"] = theory.self_consistent(Y, Z_noise, room)
        never = Z_noise**2 / (theory.NEVER * Y)
    costs = {f"{key}_cost": _cost(b, exact, parts, form, room) for key, b in found.items()}
    return {
        **found,
        **costs,
        "exact": exact,
        "smallest": theory.smallest(Y, Z_noise, room),
        "numerical": np.array([np.nan if a.reach is None else a.reach.fewest.b for a in answers]),
        "numerical_cost": np.array([_first_cost(answer) for answer in answers]),
        "never": never,
        "vacuous": lowest(first.trivial).value - first.Z,
    }


def _cost(b: Array, exact: Array, parts: bounds.Parts, form: str, room: Array) -> Array:
    """Tokens over the fewest, by the bound itself; +inf where it never arrives."""
    pairs = [iterations_of_mean(parts, form, e)(np.array([x, y])) for x, y, e in zip(b, exact, room)]
    return np.array([x * K[0] / (y * K[1]) for x, y, K in zip(b, exact, pairs)])


def _first_cost(answer: CriticalBatch) -> float:
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


def draw(data: FigureData) -> Figure:
    """Return the figure: a column for each form, batch sizes above what the formulas cost."""
    arrays = data.arrays
    with styled():
        figure, axes = new_figure(2, 2, (6.8, 5.4))
        for k, form in enumerate(TITLES):
            _batch_sizes(axes[k], arrays, form)
            letter(axes[k], k, f"{TITLES[form]}: batch size")
            _costs(axes[2 + k], arrays, form)
            letter(axes[2 + k], 2 + k, f"{TITLES[form]}: tokens")
        plot.legend_below(figure, axes, columns=3)
    return figure


#: How each formula is drawn and named.
_OWN = {"seed": ("Theorem 12, $Z$ at its own $b$", "-."), "revised": (f"$9Y^2/4{plot.EPS_PRIME}^2$", (0, (1, 1.2)))}
_TWELVE = r"Theorem 12, $Z$ at $b\to\infty$"


def _regions(axes: Axes, arrays: Any, form: str, x: tuple[float, float]) -> None:
    plot.shade(axes, x[0], min(max(float(arrays[f"never_{form}"]), x[0]), x[1]), "#e4e4e4", "Theorem 12 never arrives")
    plot.shade(axes, min(float(arrays[f"vacuous_{form}"]), x[1]), x[1], "#f3d9c9", "vacuous target", "////")


def _batch_sizes(axes: Axes, arrays: Any, form: str) -> None:
    room = arrays["room"]
    x = (float(room[0]), float(room[-1]))
    _regions(axes, arrays, form, x)
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


def _costs(axes: Axes, arrays: Any, form: str) -> None:
    room = arrays["room"]
    x = (float(room[0]), float(room[-1]))
    _regions(axes, arrays, form, x)
    axes.axhline(1.0, color=REFINED, linewidth=2.2, zorder=4)
    finite = {key: np.where(np.isfinite(v := arrays[f"{key}_cost_{form}"]), v, np.nan) for key in ("twelve", "own")}
    plot.printed(axes, room, finite["twelve"], _TWELVE)
    plot.printed(axes, room, finite["own"], *_OWN[form])
    axes.set_xscale("log")
    log_axes(axes, x, (0.9, 30.0), ("b", "risk"))
    axes.set_yticks([1, 2, 5, 10, 20], ["1", "2", "5", "10", "20"])
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set_xlabel(rf"${plot.EPS_PRIME}=\epsilon-Z$")
    axes.set_ylabel("tokens over the fewest")
