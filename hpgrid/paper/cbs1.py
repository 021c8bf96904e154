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
from hpgrid.critical import tokens
from hpgrid.critical.critical_batch import CriticalBatch, critical_batch
from hpgrid.paper.data import FigureData, config_data
from hpgrid.plotting import critical as plot
from hpgrid.plotting.lines import padded
from hpgrid.plotting.style import log_axes, new_figure
from hpgrid.readings import Reading

#: The forms of the bound, and what they are called.
TITLES = {"seed": "first form", "revised": "revised form"}

#: What is drawn against the batch size.
KINDS = {"T": "tokens", "K": "iterations"}

#: What is marked as near the fewest tokens.
SHARE = 0.20


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
        curves = [_curve(answer, shown[1]) for answer in answers]
        arrays |= {f"{key}_{form}": np.array([curve[key] for curve in curves]) for key in curves[0]}
        checks += minimiser_checks(title, answers)
        notes[form] = [f"beta = {beta:g}: {answer.status}: {answer.why}" for beta, answer in zip(own["beta"], answers)]
    return FigureData(config.figure, config_data(config), arrays, tuple(checks), notes)


def _curve(answer: CriticalBatch, last: float) -> dict[str, Any]:
    """One curve and its marks; NaN where the bound gives nothing, +inf where the formula never arrives."""
    reach = answer.reach
    if reach is None:
        nothing = dict.fromkeys(("smallest", "exact_b", "exact_K", "formula_b", "formula_K", "low", "high"), np.nan)
        return {"b": np.full(400, np.nan), "K": np.full(400, np.nan), **nothing}
    above = max(reach.smallest, 1.0)
    # Denser next to the smallest, where the curve runs up.
    b = above * (1 + np.logspace(-4.0, np.log10(max(last / above, 2.0) - 1), 400))
    marks = {"exact": reach.fewest, "formula": reach.formulas[0].at}
    at = {f"{name}_{key}": getattr(point, key) for name, point in marks.items() for key in ("b", "K")}
    ends = dict(zip(("low", "high"), reach.near[SHARE]))
    return {"b": b, "K": answer.iterations(b), "smallest": reach.smallest, **at, **ends}


def draw(data: FigureData) -> Figure:
    """Return the figure: a row for each form, tokens and iterations, a curve for each beta."""
    arrays, eps = data.arrays, data.config["parameters"]["eps"]

    def points(form: str, kind: str, name: str = "") -> tuple[Any, Any]:
        """Batch sizes, and tokens or iterations, of every curve or of a mark on each."""
        b, K = (arrays[f"{name}{key}_{form}"] for key in ("b", "K"))
        return b, b * K if kind == "T" else K

    panels = [(form, kind) for form in TITLES for kind in KINDS]
    titles = [f"{TITLES[form]}: {KINDS[kind]} to $\\epsilon={eps:g}$" for form, kind in panels]
    figure, axes = new_figure(2, 2, (6.8, 5.6), titles)
    for ax, (form, kind) in zip(axes, panels):
        # The two forms share a range.
        marked = padded(*(points(each, kind, "exact_")[1] for each in TITLES), by=0.0)
        y = (marked[0] / 5.0, marked[1] * 30.0)
        low, high, smallest = (arrays[f"{key}_{form}"] for key in ("low", "high", "smallest"))
        for k, (b, needed) in enumerate(zip(*points(form, kind))):
            plot.needed(ax, b, needed, k, rf"$\beta={arrays['beta'][k]:g}$")
            near = (b >= low[k]) & (b <= high[k])
            plot.near(ax, b[near], needed[near], k, f"within {SHARE:.0%} of the fewest")
            plot.smallest(ax, smallest[k], k, "smallest batch size")
            exact, formula = ([each[k] for each in points(form, kind, name)] for name in ("exact_", "formula_"))
            plot.exact(ax, exact[0], exact[1], k, "fewest tokens")
            plot.formula(ax, formula[0], formula[1], k, y[1], "the source's formula", "it never arrives")
        log_axes(ax, tuple(arrays["shown"]), y, ("b", f"{KINDS[kind]} ${kind}$"))
    plot.legend_below(figure, axes)
    return figure
