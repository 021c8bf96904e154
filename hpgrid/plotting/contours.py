"""Iso-loss contours, and the batch sizes that matter on them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap, LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator
from numpy.typing import NDArray

from hpgrid.plotting.style import NEAR, PREDICTED, REFINED, decades, hollow, power_of_ten, visible

Array = NDArray[np.float64]

#: The bright end of the map is lost on white paper.
_SHADES = LinearSegmentedColormap.from_list("hpgrid_risk", colormaps["viridis"](np.linspace(0.0, 0.87, 256)))


def contours(axes: Axes, lines: Sequence[Array], levels: Array, limits: tuple[float, float]) -> LineCollection:
    """Draw contour lines, each in the colour of its level.

    Args:
        axes: where.
        lines: the lines, each of shape (points, 2).
        levels: the risk on each line, shape (lines,).
        limits: the risks at the two ends of the colour map.
    """
    drawn = LineCollection(list(lines), cmap=_SHADES, norm=LogNorm(*limits), linewidths=1.0, array=levels, zorder=2)
    axes.add_collection(drawn)
    return drawn


def risk_bar(figure: Figure, axes: Sequence[Axes], limits: tuple[float, float]) -> None:
    """Draw the colour bar of the risk beside some axes."""
    bar = figure.colorbar(ScalarMappable(LogNorm(*limits), _SHADES), ax=list(axes), pad=0.02, aspect=26)
    bar.set_label("best risk")
    bar.ax.yaxis.set_major_locator(FixedLocator(decades(*limits, 6)))
    bar.ax.yaxis.set_minor_locator(NullLocator())
    bar.ax.yaxis.set_major_formatter(FuncFormatter(power_of_ten))
    bar.outline.set_visible(False)


def near_optimal(axes: Axes, x: Array, low: Array, edge: NDArray[np.bool_], label: str) -> None:
    """Draw the near-optimal batch size, hollow where it sits on the border of the search box."""
    axes.plot(x, low, color=NEAR, linewidth=1.8, label=label, zorder=5)
    hollow(axes, x, low, edge, NEAR, "at the edge of the box")


def best(axes: Axes, x: Array, y: Array, label: str) -> None:
    """Draw the best batch size: a dotted line."""
    axes.plot(x, y, ":", color=PREDICTED, linewidth=1.5, label=label, zorder=4)


def refined(axes: Axes, x: Array, y: Array, label: str) -> None:
    """Draw the continuous near-optimal batch size over the grid's."""
    axes.plot(x, y, "-.", color=REFINED, linewidth=1.4, label=label if visible(y) else None, zorder=6)


def predicted(axes: Axes, x: Array, y: Array, label: str) -> None:
    """Draw a predicted batch size: dashed, wide and pale behind those that were measured, which lie on it."""
    name = label if visible(y) else None
    axes.plot(x, y, linestyle=(0, (1.5, 0.8)), color="0.6", linewidth=3.4, label=name, zorder=3)


def infeasible(axes: Axes, x: Array, top: float) -> None:
    """Shade where a budget is less than one batch: T < b."""
    axes.fill_between(x, x, top, where=x < top, color="0.5", alpha=0.18, linewidth=0, zorder=3)
    axes.text(0.03, 0.97, "$K<1$", transform=axes.transAxes, va="top", ha="left", color="0.35", zorder=4)
