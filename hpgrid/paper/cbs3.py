"""Theorem 12's formula against the exact minimiser of tokens, over targets, for both forms of Cesista's bound."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from hpgrid.checks import bad
from hpgrid.config import Config
from hpgrid.critical import tokens
from hpgrid.critical.critical_batch import CriticalBatch, critical_batch, lowest
from hpgrid.paper.cbs1 import TITLES, minimiser_checks, problem
from hpgrid.paper.data import FigureData, config_data
from hpgrid.plotting import critical as plot
from hpgrid.plotting.lines import padded
from hpgrid.plotting.style import REFINED, log_axes, new_figure
from hpgrid.readings import Reading
from hpgrid.shapes import Floats as Array
from hpgrid.theory import batch_sizes as theory

#: Every how many targets the minimum is found numerically and marked.
_MARKED = 80

#: How each formula is drawn and named.
_OWN = {"seed": ("Theorem 12, $Z$ at its own $b$", "-."), "revised": (f"$9Y^2/4{plot.EPS_PRIME}^2$", (0, (1, 1.2)))}
_TWELVE = r"Theorem 12, $Z$ at $b\to\infty$"


def compute(config: Config) -> FigureData:
    """Return the figure's arrays and checks."""
    own = config.parameters
    low, high = own["eps_prime_low"], own["eps_prime_high"]
    if not 0 < low < high:
        raise bad("the targets need 0 < eps_prime_low < eps_prime_high", [low, high], "the smaller one first")
    room = np.geomspace(low, high, own["n"])
    arrays: dict[str, Any] = {"room": room, "marked": room[::_MARKED]}
    checks: list[Reading] = []
    for form, title in TITLES.items():
        options: dict[str, Any] = {**problem(own, "eta", "beta"), "form": form, "measure": "gradient"}
        answers = [critical_batch(**options, eps_prime=e) for e in arrays["marked"]]
        arrays |= {f"{key}_{form}": value for key, value in _over_targets(answers, form, room).items()}
        checks += minimiser_checks(title, answers)
    checks.append(_never(arrays))
    notes = {form: f"formula never arrives for eps' <= {arrays[f'never_{form}']:.6g}" for form in TITLES}
    return FigureData(config.figure, config_data(config), arrays, tuple(checks), notes)


def _over_targets(answers: Sequence[CriticalBatch], form: str, eps_prime: Array) -> dict[str, Any]:
    """One form's batch sizes and costs: closed forms at every target, numerical minima at the marked ones."""
    first = answers[0]
    Y, Z_noise = tokens.coefficients(first.parts, form)
    exact = theory.fewest_tokens(Y, Z_noise, eps_prime)
    goal = first.given
    twelve = theory.theorem12(goal.alpha, eps_prime, sigma=goal.problem.sigma, lam=goal.problem.lam)
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

    reached = [answer.reach for answer in answers]
    return {
        "twelve": twelve,
        "own": formula,
        "twelve_cost": cost(twelve),
        "own_cost": cost(formula),
        "exact": exact,
        "smallest": theory.smallest(Y, Z_noise, eps_prime),
        "numerical": np.array([at.fewest.b if at else np.nan for at in reached]),
        # What the source's formula costs; NaN where a batch size is on its bound.
        "numerical_cost": np.array(
            [
                at.formulas[0].over_fewest if at and not at.on_bound and at.formulas[0].at.b >= 1 else np.nan
                for at in reached
            ]
        ),
        "never": never,
        "vacuous": lowest(first.trivial).value - first.Z,
    }


def _never(arrays: Mapping[str, Any]) -> Reading:
    """Where the cost turns finite, on the figure's own targets, against 2 Z'^2/Y."""
    room, predicted = arrays["room"], float(arrays["never_seed"])
    infinite = room[np.isinf(arrays["twelve_cost_seed"])]
    last = float(infinite[-1]) if infinite.size else np.nan
    step = float(np.log(room[1] / room[0]))
    gap = float(np.log(predicted / last))
    note = "largest target at which the formula never arrives; tolerance: one step of the targets"
    return Reading(
        "first form: log(2 Z'^2/Y over it)", "arithmetic", gap, 0.0,
        step if gap >= 0 else 0.0,  # a target beyond the law's that never arrives is none of the targets' step
        identifiable=bool(infinite.size and infinite.size < room.size), window=(room[0], room[-1]), note=note,
    )  # fmt: skip


def draw(data: FigureData) -> Figure:
    """Return the figure: a column for each form, batch sizes above what the formulas cost."""
    arrays = data.arrays
    titles = [f"{title}: {what}" for what in ("batch size", "tokens") for title in TITLES.values()]
    figure, axes = new_figure(2, 2, (6.8, 5.4), titles)
    room, x_label = arrays["room"], rf"${plot.EPS_PRIME}=\epsilon-Z$"
    low, high = float(room[0]), float(room[-1])
    every = [arrays[f"{key}_{form}"] for form in TITLES for key in ("exact", "twelve", "smallest")]
    for sizes, costs, form in zip(axes[:2], axes[2:], TITLES):
        for ax in (sizes, costs):
            never, vacuous = (float(arrays[f"{key}_{form}"]) for key in ("never", "vacuous"))
            plot.shade(ax, low, min(max(never, low), high), "#e4e4e4", "Theorem 12 never arrives")
            plot.shade(ax, min(vacuous, high), high, "#f3d9c9", "vacuous target", "////")
        sizes.plot(room, arrays[f"exact_{form}"], color=REFINED, linewidth=2.2, label="fewest tokens, exact", zorder=4)
        sizes.plot(
            arrays["marked"], arrays[f"numerical_{form}"], "o", color="white", markeredgecolor=REFINED, markersize=5.0,
            label="numerically", zorder=6,
        )  # fmt: skip
        costs.axhline(1.0, color=REFINED, linewidth=2.2, zorder=4)
        for key, named in (("twelve", (_TWELVE,)), ("own", _OWN[form])):
            plot.printed(sizes, room, arrays[f"{key}_{form}"], *named)
            cost = arrays[f"{key}_cost_{form}"]
            plot.printed(costs, room, np.where(np.isfinite(cost), cost, np.nan), *named)
        sizes.plot(room, arrays[f"smallest_{form}"], color="0.5", linewidth=0.9, label="smallest batch size", zorder=3)
        sizes.axhline(1.0, color="0.3", linewidth=0.7, linestyle=":", zorder=1)
        log_axes(sizes, (low, high), padded(*every), (x_label, "b"))
        log_axes(costs, (low, high), (0.9, 30.0), (x_label, "tokens over the fewest"))
        costs.set_yticks([1, 2, 5, 10, 20], ["1", "2", "5", "10", "20"])
        costs.yaxis.set_minor_locator(NullLocator())
    plot.grey_legend(figure, axes, columns=3)
    return figure
