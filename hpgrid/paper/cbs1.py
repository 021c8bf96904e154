"""Tokens and iterations to a target against the batch size: where they are fewest, and where the formula says so.

For both forms of Cesista's bound.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from hpgrid.checks import bad
from hpgrid.config import Config
from hpgrid.critical import picture, tokens
from hpgrid.critical.critical_batch import CriticalBatch, critical_batch
from hpgrid.paper.data import FigureData, config_data
from hpgrid.plotting import critical as plot
from hpgrid.plotting.lines import padded
from hpgrid.plotting.style import log_axes, new_figure
from hpgrid.readings import Reading

#: The forms of the bound, and what they are called.
TITLES = {"seed": "first form", "revised": "revised form"}

#: What is kept of each curve.
KEYS = ("b", "K", "smallest", "exact_b", "exact_K", "formula_b", "formula_K", "low", "high")


def problem(own: Mapping[str, Any], *more: str) -> dict[str, Any]:
    """Return the constants of a figure's problem, and other parameters by name."""
    return {name: float(own[name]) for name in ("Delta0", "L", "sigma", "D", "G0", *more)}


def minimiser_checks(what: str, answers: Sequence[CriticalBatch]) -> list[Reading]:
    """Return how far the numerical minimiser and the grid's are from the closed form, the farthest of some answers.

    Where the minimum is below b = 1 there is nothing to compare.
    """
    reached = [answer.reach for answer in answers if answer.reach is not None and not answer.reach.on_bound]
    if not reached:
        return []
    numerical = max(abs(float(np.log(one.fewest.b / one.closed))) for one in reached)
    grid = max(abs(float(np.log(one.on_grid.b / one.closed))) for one in reached)
    step = max(one.step for one in reached)
    window = (min(one.closed for one in reached), max(one.closed for one in reached))
    return [
        Reading(
            f"{what}: log(fewest tokens/closed form)", "arithmetic", numerical, 0.0, tokens.FLAT, window=window,
            note=f"largest of {len(reached)}; tolerance: a minimum is flat to the root of rounding",
        ),
        Reading(
            f"{what}: log(argmin on a grid/closed form)", "grid", grid, 0.0, step, window=window,
            note=f"largest of {len(reached)}; tolerance: one step of the grid",
        ),
    ]  # fmt: skip


def compute(config: Config) -> FigureData:
    """Return the figure's arrays and checks."""
    own = config.parameters
    shown = np.array([own["b_low"], own["b_high"]], float)
    if not 0 < shown[0] < shown[1]:
        raise bad("the batch sizes shown need 0 < b_low < b_high", shown.tolist(), "b_low = 5.0, b_high = 2e5, say")
    arrays: dict[str, Any] = {"beta": np.array(own["beta"], float), "shown": shown}
    checks: list[Reading] = []
    notes: dict[str, Any] = {}
    problem_of = {**problem(own, "eta"), "eps": own["eps"], "measure": "gradient"}
    for form, title in TITLES.items():
        answers = [critical_batch(**problem_of, form=form, beta=beta) for beta in own["beta"]]
        curves = [picture.curve(answer, shown[1]) for answer in answers]
        arrays |= {f"{key}_{form}": np.array([curve[key] for curve in curves]) for key in curves[0]}
        checks += minimiser_checks(title, answers)
        notes[form] = [f"beta = {beta:g}: {answer.status}: {answer.why}" for beta, answer in zip(own["beta"], answers)]
    return FigureData(config.figure, config_data(config), arrays, tuple(checks), notes)


def draw(data: FigureData) -> Figure:
    """Return the figure: a row for each form, tokens and iterations, a curve for each beta."""
    arrays, eps = data.arrays, data.config["parameters"]["eps"]
    panels = [(form, kind) for form in TITLES for kind in picture.KINDS]
    titles = [f"{TITLES[form]}: {kind} to $\\epsilon={eps:g}$" for form, kind in panels]
    figure, axes = new_figure(2, 2, (6.8, 5.6), titles)
    labels = [rf"$\beta={beta:g}$" for beta in arrays["beta"]]
    curves = {form: [{key: arrays[f"{key}_{form}"][k] for key in KEYS} for k in range(len(labels))] for form in TITLES}
    for ax, (form, kind) in zip(axes, panels):
        # The two forms share a range.
        marked = padded(*(picture.needed(own, kind, "exact_") for each in curves.values() for own in each), by=0.0)
        y = (marked[0] / picture.BELOW, marked[1] * picture.ABOVE)
        picture.draw_curves(ax, curves[form], labels, kind, y[1])
        log_axes(ax, tuple(arrays["shown"]), y, ("b", f"{kind} ${picture.KINDS[kind]}$"))
    plot.grey_legend(figure, axes)
    return figure
