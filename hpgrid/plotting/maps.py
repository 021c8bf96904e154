"""Maps over two variables: contours of the risk over a budget and b, quantities over two constants."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import LinearSegmentedColormap, LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator
from numpy.typing import NDArray

from hpgrid.plotting.style import (
    NEAR,
    PREDICTED,
    REFINED,
    color_bar,
    decades,
    hollow,
    label_values,
    power_of_ten,
    symbol,
    visible,
)
from hpgrid.shapes import Floats as Array

Mask = NDArray[np.bool_]

_HATCH = "////"


#: A quantity's colours, without the dark end, on which hatches are lost; and the risk's, without the bright end,
#: which is lost on white paper.
_FIELD = LinearSegmentedColormap.from_list("hpgrid_cividis", colormaps["cividis"](np.linspace(0.1, 1.0, 256)))
_SHADES = LinearSegmentedColormap.from_list("hpgrid_risk", colormaps["viridis"](np.linspace(0.0, 0.87, 256)))


def field(axes: Axes, x: Array, y: Array, values: Array, edge: Mask, *, log: bool) -> None:
    """Draw a quantity over two constants: a cell for each pair, contours through them, edge cells hatched.

    Args:
        axes: where; both of its scales become logarithmic.
        x: the first constant, increasing, shape (n,).
        y: the second one, shape (m,).
        values: the quantity, shape (n, m); NaN where there is none, which stays white.
        edge: where an optimum is at the edge of its box, so that the value says nothing, shape (n, m).
        log: whether they are logarithmic.
    """
    shown = np.where(np.isfinite(values) & (values > 0 if log else True), values, np.nan)
    axes.set_xscale("log")
    axes.set_yscale("log")
    for axis, points in ((axes.xaxis, x), (axes.yaxis, y)):
        label_values(axis, decades(points[0], points[-1], 4))
    axes.grid(False)
    corners = (_corners(x), _corners(y))
    if np.isfinite(shown).any():
        lo, hi = float(np.nanmin(shown)), float(np.nanmax(shown))
        # Wider than the values by a little, so that one value alone has a colour and contours at the ends have theirs.
        pad = max(0.01 * abs(hi), (hi - lo) * 0.02, 1e-3)
        norm = LogNorm(lo / 1.01, hi * 1.01) if log else Normalize(lo - pad, hi + pad)
        # As pixels: cells drawn one by one have seams between them in a PDF.
        mesh = axes.pcolormesh(*corners, shown.T, cmap=_FIELD, norm=norm, rasterized=True)
        bar = axes.figure.colorbar(mesh, ax=axes, pad=0.02, aspect=24)
        bar.outline.set_visible(False)
        if log:
            bar.ax.yaxis.set_major_locator(FixedLocator(decades(lo, hi, 5)))
            bar.minorticks_off()
            bar.ax.yaxis.set_major_formatter(FuncFormatter(power_of_ten))
        else:
            bar.ax.yaxis.set_major_locator(MaxNLocator(5))
        _lines(axes, x, y, np.where(edge, np.nan, shown), norm, log)
    # Hatched over nothing: the value below stays to be seen.
    u, v = corners
    boxes = [[(u[i], v[j]), (u[i + 1], v[j]), (u[i + 1], v[j + 1]), (u[i], v[j + 1])] for i, j in np.argwhere(edge)]
    axes.add_collection(PolyCollection(boxes, hatch=_HATCH, facecolor="none", edgecolor="0.2", linewidth=0.0))


def _lines(axes: Axes, x: Array, y: Array, values: Array, norm: Normalize, log: bool) -> None:
    """A few contours, labelled, where the quantity changes at all."""
    if min(values.shape) < 2 or not np.isfinite(values).any():
        return
    lo, hi = float(np.nanmin(values)), float(np.nanmax(values))
    levels = decades(lo, hi, 5) if log else MaxNLocator(4).tick_values(lo, hi)
    inside = [level for level in levels if lo < level < hi]
    if inside and (hi > 10 * lo if log else hi - lo > 0.01):
        drawn = axes.contour(x, y, values.T, levels=inside, colors="white", linewidths=0.9, norm=norm)
        axes.clabel(drawn, fmt=power_of_ten if log else (lambda v: f"{v:.3g}"), fontsize="x-small")


def hatch_key() -> Patch:
    """Return the legend's entry of hatched cells."""
    return Patch(facecolor="white", edgecolor="0.2", hatch=_HATCH, linewidth=0.4, label="optimum at the edge")


def _corners(points: Array) -> Array:
    """The ends of the cells around log-spaced points."""
    logs = np.log(points)
    if len(logs) == 1:
        return np.exp(logs[0] + np.array([-0.5, 0.5]))
    middle = (logs[1:] + logs[:-1]) / 2
    return np.exp(np.concatenate([[2 * logs[0] - middle[0]], middle, [2 * logs[-1] - middle[-1]]]))


def colours(count: int) -> Sequence[tuple[float, float, float, float]]:
    """Return distinct colours for some lines, dark to light, that keep their order in grey."""
    return [tuple(c) for c in colormaps["viridis"](np.linspace(0.0, 0.8, max(count, 1)))]


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
    colors = ScalarMappable(LogNorm(*limits), _SHADES)
    color_bar(figure, colors, list(axes), f"best {symbol('risk')}", decades(*limits, 6), aspect=26)


def near_optimal(axes: Axes, x: Array, low: Array, edge: Mask, label: str) -> None:
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
