"""A survey in pictures: the risk and each tuned variable against the budget, on the grid, refined, by exact law."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from hpgrid.plotting import lines, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from hpgrid.tuning.survey import Survey


def panels(found: Survey) -> dict[str, Callable[[Axes], None]]:
    """Return what draws each quantity of a survey."""
    return {name: partial(_curve, found=found, name=name) for name in ("risk", *found.problem.regime.tuned)}


def _curve(axes: Axes, found: Survey, name: str) -> None:
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
