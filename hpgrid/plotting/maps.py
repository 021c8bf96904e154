"""Maps over two constants, and curves along one of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import Colormap, LinearSegmentedColormap, LogNorm, Normalize
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator
from numpy.typing import NDArray

from hpgrid.plotting.style import decades, power_of_ten

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

_HATCH = "////"


def shades(name: str = "cividis") -> Colormap:
    """Return a map's colours, without the bright end, which is lost on white paper."""
    return LinearSegmentedColormap.from_list(f"hpgrid_{name}", colormaps[name](np.linspace(0.1, 1.0, 256)))


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
        axis.set_major_locator(FixedLocator(decades(points[0], points[-1], 4)))
        axis.set_minor_locator(NullLocator())
        axis.set_major_formatter(FuncFormatter(power_of_ten))
    axes.grid(False)
    corners = (_corners(x), _corners(y))
    if np.isfinite(shown).any():
        norm = _norm(shown, log)
        mesh = axes.pcolormesh(*corners, shown.T, cmap=shades(), norm=norm, rasterized=True)
        bar = axes.figure.colorbar(mesh, ax=axes, pad=0.02, aspect=24)
        bar.outline.set_visible(False)
        if log:
            bar.ax.yaxis.set_major_locator(FixedLocator(decades(*_ends(shown), 5)))
            bar.minorticks_off()
            bar.ax.yaxis.set_major_formatter(FuncFormatter(power_of_ten))
        else:
            bar.ax.yaxis.set_major_locator(MaxNLocator(5))
        _lines(axes, x, y, np.where(edge, np.nan, shown), norm, log)
    _hatched(axes, corners, edge)


def _norm(values: Array, log: bool) -> Normalize:
    lo, hi = _ends(values)
    if log:
        return LogNorm(lo / 1.01, hi * 1.01)
    pad = max(0.01 * abs(hi), (hi - lo) * 0.02, 1e-3)
    return Normalize(lo - pad, hi + pad)


def _ends(values: Array) -> tuple[float, float]:
    return float(np.nanmin(values)), float(np.nanmax(values))


def _lines(axes: Axes, x: Array, y: Array, values: Array, norm: Normalize, log: bool) -> None:
    """A few contours, labelled, where the quantity changes at all."""
    if min(values.shape) < 2 or not np.isfinite(values).any():
        return
    lo, hi = _ends(values)
    levels = decades(lo, hi, 5) if log else MaxNLocator(4).tick_values(lo, hi)
    inside = [level for level in levels if lo < level < hi]
    if inside and (hi > 10 * lo if log else hi - lo > 0.01):
        drawn = axes.contour(x, y, values.T, levels=inside, colors="white", linewidths=0.9, norm=norm)
        axes.clabel(drawn, fmt=power_of_ten if log else (lambda v: f"{v:.3g}"), fontsize="x-small")


def _hatched(axes: Axes, corners: tuple[Array, Array], edge: Mask) -> None:
    """Hatch the cells whose optimum is at the edge; what is below stays to be seen."""
    x, y = corners
    boxes = [[(x[i], y[j]), (x[i + 1], y[j]), (x[i + 1], y[j + 1]), (x[i], y[j + 1])] for i, j in np.argwhere(edge)]
    axes.add_collection(PolyCollection(boxes, hatch=_HATCH, facecolor="none", edgecolor="0.2", linewidth=0.0))


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
