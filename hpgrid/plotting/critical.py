"""Batch sizes to a target: curves, marks, and regions where a bound gives no answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

from hpgrid.plotting.style import PREDICTED, legend_below, named
from hpgrid.shapes import Floats as Array

#: Curves of one family: told apart by hue, by lightness and by dashes.
COLORS = ("#1b4f9c", "#d1750a", "#2a9d6f", "#8c2d82", "#5a5a5a")
_DASHES: tuple[Any, ...] = ("-", (0, (6, 1.5)), (0, (4, 1.2, 1.2, 1.2)), (0, (2, 1)), (0, (1, 1)))

#: eps', the prime a letter of the text's font: mathtext's own is of another, whose dates make the PDF writer warn.
EPS_PRIME = "\\epsilon\u2032"

#: What a map is where it has no batch size: reached at no batch size, held without training, and both for any target.
FOUND, OUT_OF_REACH, VACUOUS, NOTHING = 0, 1, 2, 3
_REGIONS = {
    OUT_OF_REACH: ("white", "", "out of reach"),
    VACUOUS: ("#f3d9c9", "////", "vacuous: the target holds untrained"),
    NOTHING: ("#e2e2e2", "xxx", "vacuous at every target"),
}
#: Contour lines are left out where batch sizes change by more decades than this over a map's width.
_STEEP = 30.0

_HATCH: Any = {"hatch.color": "0.6", "hatch.linewidth": 0.5}


def needed(axes: Axes, b: Array, y: Array, k: int, label: str) -> None:
    """Draw tokens or iterations against the batch size, the k-th of a family."""
    axes.plot(b, y, color=COLORS[k % 5], linestyle=_DASHES[k % 5], linewidth=1.5, label=label, zorder=3)


def near(axes: Axes, b: Array, y: Array, k: int, label: str) -> None:
    """Shade along a curve what is near its minimum."""
    axes.plot(b, y, color=COLORS[k % 5], linewidth=6.0, alpha=0.25, solid_capstyle="butt", label=label, zorder=2)


def smallest(axes: Axes, b: float, k: int, label: str) -> None:
    """Draw the batch size that a curve runs up at."""
    axes.axvline(b, color=COLORS[k % 5], linestyle=":", linewidth=0.8, label=label, zorder=1)


def exact(axes: Axes, b: float, y: float, k: int, label: str) -> None:
    """Mark a minimum."""
    style: dict[str, Any] = {"markeredgecolor": "white", "markeredgewidth": 0.7}
    axes.plot([b], [y], "o", color=COLORS[k % 5], markersize=5.5, label=label, zorder=6, **style)


def formula(axes: Axes, b: float, y: float, k: int, top: float, label: str, never: str) -> None:
    """Mark what a formula says: on the curve, or at the top where it never gets there."""
    edge: dict[str, Any] = {"markeredgecolor": COLORS[k % 5], "markeredgewidth": 1.3, "zorder": 7}
    if np.isfinite(y):
        axes.plot([b], [y], "D", color="none", markersize=8.5, label=label, **edge)
    elif np.isinf(y):
        axes.plot([b], [0.7 * top], "^", color="white", markersize=6.5, label=never, **edge)


def shade(axes: Axes, low: float, high: float, color: str, label: str, hatch: str = "") -> None:
    """Shade a range of targets."""
    with matplotlib.rc_context(_HATCH):
        axes.axvspan(low, high, facecolor=color, edgecolor="0.7", linewidth=0.0, hatch=hatch, label=label, zorder=0)


def batch_map(axes: Axes, x: Array, y: Array, b: Array, region: NDArray[np.int_], levels: Any) -> Any:
    """Draw batch sizes as filled contours with labelled lines, and the regions without any; return the filled ones.

    Args:
        axes: where.
        x, y: the axes, shapes (n,) and (m,).
        b: batch sizes, shape (m, n); NaN where there is none.
        region: for each point ``FOUND`` or why there is no batch size, shape (m, n).
        levels: powers of ten.
    """
    with matplotlib.rc_context(_HATCH):
        for code, (color, hatch, _) in _REGIONS.items():
            if (region == code).any():
                inside = (region == code).astype(float)
                axes.contourf(x, y, inside, levels=[0.5, 1.5], colors=[color], hatches=[hatch], zorder=1)
    log_b = np.ma.masked_invalid(np.log10(b))
    if log_b.count() == 0:
        return None
    # Without the dark end of the map, which hides black lines.
    shades = ListedColormap(colormaps["viridis"](np.linspace(0.35, 1.0, 256)))
    filled = axes.contourf(x, y, log_b, levels=np.log10(levels), cmap=shades, extend="both", zorder=2)
    # Next to where it is out of reach the batch size grows without end, and lines would run together.
    steep = _steepness(log_b)
    shown = np.ma.masked_where(~(steep < _STEEP), log_b)
    lines = axes.contour(x, y, shown, levels=np.log10(levels), colors="black", linewidths=0.6, zorder=3)
    _name(axes, lines, x, y, steep)
    return filled


def _steepness(log_b: Any) -> Array:
    """Decades over the width or the height of a map; NaN next to where there is none."""
    rows, columns = np.gradient(np.ma.filled(log_b, np.nan))
    return np.hypot(rows * (log_b.shape[0] - 1), columns * (log_b.shape[1] - 1))


def _name(axes: Axes, lines: Any, x: Array, y: Array, steep: Array) -> None:
    """Write on each contour line its power of ten, where lines are farthest apart and away from the frame."""
    points = []
    for line in (segment for of_level in lines.allsegs for segment in of_level if len(segment)):
        u, v = (np.log(line[:, k] / axis[0]) / np.log(axis[-1] / axis[0]) for k, axis in ((0, x), (1, y)))
        slope = steep[np.rint(v * (len(y) - 1)).astype(int), np.rint(u * (len(x) - 1)).astype(int)]
        slope = np.where((np.minimum(u, v) > 0.08) & (np.maximum(u, v) < 0.92), slope, np.inf)
        if np.nanmin(slope, initial=np.inf) < _STEEP / 3:
            points.append(tuple(line[np.nanargmin(slope)]))
    for label in axes.clabel(lines, fmt=_power, fontsize="x-small", inline=False, manual=points) if points else ():
        label.set_bbox({"facecolor": "white", "alpha": 0.75, "linewidth": 0, "pad": 0.8})
        label.set_rotation(0)


def _power(log_b: float, _: object = None) -> str:
    return f"$10^{{{log_b:.0f}}}$"


def formula_lines(axes: Axes, x: Array, y: Array, b: Array) -> None:
    """Draw the contours of a formula's batch sizes where the map has none: dashed, a decade apart."""
    log_b = np.log10(b)
    style: dict[str, Any] = {"colors": "0.1", "linestyles": "--", "linewidths": 1.0, "zorder": 3}
    _name(axes, axes.contour(x, y, log_b, levels=np.arange(-1.0, 9.0), **style), x, y, _steepness(log_b))


def batch_bar(figure: Figure, axes: Sequence[Axes], filled: Any) -> None:
    """Draw the colour bar of the batch sizes beside some axes."""
    bar = figure.colorbar(filled, ax=list(axes), pad=0.02, aspect=30)
    bar.set_label("critical batch size $b$")
    bar.ax.yaxis.set_major_formatter(_power)
    bar.outline.set_visible(False)


def region_legend(figure: Figure, regions: set[int], more: Sequence[Any] = ()) -> None:
    """Name below the figure the regions that it shows, and other handles."""
    with matplotlib.rc_context(_HATCH):
        patches = [
            Patch(facecolor=color, hatch=hatch, edgecolor="0.6", linewidth=0.6, label=label)
            for code, (color, hatch, label) in _REGIONS.items()
            if code in regions
        ]
    handles = [*patches, *more]
    figure.legend(handles=handles, loc="outside lower center", ncols=min(len(handles), 4))


def grey_legend(figure: Figure, axes: Sequence[Axes], columns: int = 4) -> None:
    """Name everything once below the figure, marks in grey: they are in every colour."""
    found = named(axes)
    for label, handle in found.items():
        if isinstance(handle, Line2D) and not label.startswith("$"):
            hollow = handle.get_markerfacecolor() in ("white", "none")
            found[label] = grey = Line2D([], [])
            grey.update_from(handle)
            grey.set(color="0.25", markeredgecolor="0.25", markerfacecolor="white" if hollow else "0.25")
    legend_below(figure, found, columns, first="$")


def printed(axes: Axes, x: Array, y: Array, label: str, dashes: Any = "--") -> None:
    """Draw what a formula predicts against a target."""
    axes.plot(x, y, linestyle=dashes, color=PREDICTED, linewidth=1.2, label=label, zorder=5)
