"""A survey in one picture: the risk and each tuned variable against the budget, on the grid, refined, by exact law."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from hpgrid.plotting import lines, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from hpgrid.tuning.survey import Survey


def plot(found: Survey) -> Figure:
    """Return the picture of a survey, a panel a quantity; points at the edge of the grid are hollow."""
    names = ("risk", *found.problem.regime.tuned)
    with style.styled(), style.declaring(found.problem.grid.space):
        figure = Figure((2.4 * len(names), 2.3), layout="constrained")
        for k, (axes, name) in enumerate(zip(figure.subplots(1, len(names), squeeze=False)[0], names)):
            curve(axes, found, name)
            style.letter(axes, k, style.symbol(name))
        axes.legend(fontsize="small")
    return figure


def curve(axes: Axes, found: Survey, name: str) -> None:
    """Draw one quantity of a survey: "risk" or a tuned variable."""
    budget, T, slopes = found.problem.budget, found.problem.budgets, {s.measured.name: s for s in found.slopes}
    edge = found.best.edge.get(name, np.zeros(len(T), bool))
    hat = np.where(np.isfinite(found.hat[name]), found.hat[name], np.nan)
    lines.argmin(axes, T, hat, np.asarray(edge), "on the grid")
    lines.refined(axes, T, found.star[name], "refined")
    known = np.flatnonzero(np.isfinite(found.star[name]))
    exact = slopes[name].exact if name in slopes else None
    if exact is not None and len(known):
        last = known[-1]
        lines.law(axes, T, found.star[name][last] * (T / T[last]) ** float(exact), f"${budget}^{{{exact}}}$")
    labels = style.symbol(budget), style.symbol(name)
    style.log_axes(axes, (T[0], T[-1]), lines.padded(hat, found.star[name]), labels)
