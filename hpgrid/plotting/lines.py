"""Curves against a budget: families of thin ones, optima, predictions, bands, measured means."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap, LogNorm
from numpy.typing import NDArray

from hpgrid.plotting.style import (
    COLORMAPS,
    OPTIMUM,
    PREDICTED,
    REFINED,
    color_bar,
    decades,
    hollow,
    log_axes,
    symbol,
    visible,
)
from hpgrid.shapes import Floats as Array


def family(axes: Axes, x: Array, curves: Array, values: Array, name: str) -> LineCollection:
    """Draw a thin curve for each value of a hyperparameter, with its colour bar.

    Args:
        axes: where.
        x: the budget, shape (n,).
        curves: the risk, shape (values, n); not finite where there is none.
        values: what is held along each curve, shape (values,).
        name: which hyperparameter that is.
    """
    # The palest fifth of a sequential map vanishes on paper.
    shades = colormaps[COLORMAPS.get(name, "Purples")](np.linspace(0.3, 1.0, 256))
    colors = LinearSegmentedColormap.from_list(f"hpgrid_{name}", shades)
    norm = LogNorm(values.min(), values.max())
    lines = [np.column_stack([x, np.where(np.isfinite(curve), curve, np.nan)]) for curve in curves]
    drawn = LineCollection(lines, cmap=colors, norm=norm, linewidths=0.9, array=values, zorder=2)
    axes.add_collection(drawn)
    labelled = decades(values.min(), values.max(), 5)
    color_bar(axes.figure, ScalarMappable(norm, colors), axes, symbol(name), labelled, aspect=28)
    return drawn


def against(axes: Axes, x: Array, curves: Array, edges: NDArray[np.bool_] | None, names: tuple[str, str]) -> None:
    """Draw curves against a budget, twenty of them at most, hollow where they are at the edge.

    Args:
        axes: where.
        x: the budget, shape (n,).
        curves: shape (curves, n); not finite where there is none.
        edges: where they say nothing, or None.
        names: of the budget and of what is drawn.
    """
    for k in np.unique(np.linspace(0, len(curves) - 1, 20).round().astype(int)):
        y = np.where(np.isfinite(curves[k]), curves[k], np.nan)
        axes.plot(x, y, color=OPTIMUM, linewidth=1.4 if len(curves) == 1 else 0.8)
        if edges is not None:
            hollow(axes, x, y, edges[k], OPTIMUM, "at the edge")
    log_axes(axes, (x[0], x[-1]), padded(curves), (symbol(names[0]), symbol(names[1])))


def optimum(axes: Axes, x: Array, y: Array, edge: NDArray[np.bool_], label: str) -> None:
    """Draw a measured optimum: a line, and hollow points where it sits on the border of the search box."""
    axes.plot(x, y, color=OPTIMUM, label=label, zorder=4)
    hollow(axes, x, y, edge, OPTIMUM, "at the edge")


def argmin(axes: Axes, x: Array, y: Array, edge: NDArray[np.bool_], label: str) -> None:
    """Draw a grid's raw argmin, point by point, behind what it wanders about."""
    axes.plot(x, y, "-", color=OPTIMUM, linewidth=0.5, alpha=0.7, zorder=2)
    axes.plot(x[~edge], y[~edge], ".", color=OPTIMUM, markersize=3.0, label=label, zorder=3)
    hollow(axes, x, y, edge, OPTIMUM, "at the edge")


def refined(axes: Axes, x: Array, y: Array, label: str | None, width: float = 1.7) -> None:
    """Draw the continuous optimum; thin where the grid's lies right behind it."""
    axes.plot(x, y, color=REFINED, linewidth=width, label=label if visible(y) else None, zorder=5)


def remark(axes: Axes, text: str) -> None:
    """Say something over axes, such as why a curve is not there; nothing where the text is empty."""
    if text:
        place: dict[str, Any] = {"transform": axes.transAxes, "ha": "center", "va": "center"}
        axes.text(0.5, 0.78, text, fontsize="small", color="0.25", zorder=7, **place).set_bbox(
            {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 2.0}
        )


def tuned_line(axes: Axes, x: Array, y: Array, name: str, label: str, *, held: bool) -> None:
    """Draw a curve that belongs to one hyperparameter: solid where the others follow, dotted where they are held."""
    dashes: Any = {"eta": (0, ()), "b": (0, (5, 1)), "alpha": (0, (3, 1, 1, 1))}[name]
    look: Any = {"linestyle": ":", "linewidth": 1.2} if held else {"linestyle": dashes, "linewidth": 1.8}
    axes.plot(x, y, color=colormaps[COLORMAPS.get(name, "Purples")](0.75), label=label, zorder=4, **look)


def floor(axes: Axes, level: float, label: str) -> None:
    """Draw a level below which a difference is not seen, with its name on it."""
    axes.axhline(level, color="0.45", linewidth=0.8, zorder=1)
    place: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "va": "bottom", "ha": "center"}
    axes.annotate(label, (0.5, level), color="0.35", fontsize="small", **place)


def law(axes: Axes, x: Array, y: Array, label: str) -> None:
    """Draw a predicted power law: a dashed line."""
    axes.plot(x, y, "--", color=PREDICTED, linewidth=1.2, label=label if visible(y) else None, zorder=6)


def padded(*arrays: Array, by: float = 0.06) -> tuple[float, float]:
    """Return the range of positive finite values, of 1 if there is none, widened by a share of its decades."""
    values = np.concatenate([np.ravel(a) for a in arrays])
    values = values[np.isfinite(values) & (values > 0)]
    values = values if values.size else np.ones(1)
    lo, hi = np.log10(values.min()), np.log10(values.max())
    # Half a decade at the least, so that a level curve has room around it.
    pad = by * max(hi - lo, 0.5)
    return float(10 ** (lo - pad)), float(10 ** (hi + pad))


def band(axes: Axes, x: Array, low: Array, high: Array, label: str) -> None:
    """Shade what is near-optimal between two curves; 0 and inf are no ends."""
    axes.fill_between(
        x,
        np.maximum(low, 1e-300),
        np.minimum(high, 1e300),
        color=OPTIMUM,
        alpha=0.16,
        linewidth=0,
        label=label,
        zorder=1,
    )


#: How each method is drawn, by its norm: dark to light, so that grey tells them apart.
METHOD_LOOK: dict[str, Any] = {
    "frobenius": {"color": "#1b2a6b", "marker": "o"},
    "max": {"color": "#c2187d", "marker": "^"},
    "spectral": {"color": "#e69f00", "marker": "s"},
}


def measured(
    axes: Axes,
    x: Array,
    y: Array,
    half: Array,
    *,
    color: str,
    marker: str,
    label: str | None,
    line: str = "-",
    fill: str | None = None,
) -> None:
    """Draw measured means: a line through markers, with bars for their intervals.

    Args:
        axes: where.
        x: shape (n,).
        y: the means, shape (n,).
        half: half-widths of their intervals, shape (n,), or (2, n) for those below and above.
        color: of all of it.
        marker: of the means.
        label: in the legend.
        line: its style; none where it is "".
        fill: of the markers, where it is not ``color``.
    """
    axes.errorbar(
        x, y, half, fmt=marker, linestyle=line or "none", color=color, markersize=3.6, linewidth=1.2, elinewidth=0.9,
        capsize=1.6, label=label, zorder=4, markerfacecolor=fill or color,
    )  # fmt: skip


def bound_line(axes: Axes, x: Array, y: Array, *, color: str = PREDICTED, label: str) -> None:
    """Draw what a measured curve is held against: a dashed line."""
    axes.plot(x, y, "--", color=color, linewidth=1.2, label=label, zorder=3)


def level(axes: Axes, value: float, label: str | None = None) -> None:
    """Draw a level that says where nothing is gained: a dotted line."""
    axes.axhline(value, color=PREDICTED, linestyle=":", linewidth=1.1, label=label, zorder=2)
