"""Batch sizes to a target: curves, marks, and regions where a bound gives no answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

from hpgrid.plotting.style import PREDICTED

Array = NDArray[np.float64]

#: Curves of one family: told apart by hue, by lightness and by dashes.
COLORS = ("#1b4f9c", "#d1750a", "#2a9d6f", "#8c2d82", "#5a5a5a")
_DASHES: tuple[Any, ...] = ("-", (0, (6, 1.5)), (0, (4, 1.2, 1.2, 1.2)), (0, (2, 1)), (0, (1, 1)))

#: What a map is where it has no batch size: reached at no batch size, held without training, and both for any target.
FOUND, OUT_OF_REACH, VACUOUS, NOTHING = 0, 1, 2, 3
_REGIONS = {
    OUT_OF_REACH: ("white", "", "out of reach"),
    VACUOUS: ("#f3d9c9", "////", "vacuous: the target holds untrained"),
    NOTHING: ("#cfcfcf", "xxxx", "vacuous at every target"),
}


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
    axes.axvspan(low, high, facecolor=color, edgecolor="0.6", linewidth=0.0, hatch=hatch, label=label, zorder=0)


def batch_map(axes: Axes, x: Array, y: Array, b: Array, region: NDArray[np.int_], levels: Array) -> Any:
    """Draw batch sizes as filled contours with labelled lines, and the regions without any; return the filled ones.

    Args:
        axes: where.
        x: shape (n,).
        y: shape (m,).
        b: batch sizes, shape (m, n); NaN where there is none.
        region: for each point ``FOUND`` or why there is no batch size, shape (m, n).
        levels: powers of ten.
    """
    for code, (color, hatch, _) in _REGIONS.items():
        if (region == code).any():
            inside = (region == code).astype(float)
            style = {"colors": [color], "hatches": [hatch], "zorder": 1}
            axes.contourf(x, y, inside, levels=[0.5, 1.5], **style)
    log_b = np.ma.masked_invalid(np.log10(b))
    if log_b.count() == 0:
        return None
    filled = axes.contourf(x, y, log_b, levels=np.log10(levels), cmap=_shades(), extend="both", zorder=2)
    lines = axes.contour(x, y, log_b, levels=np.log10(levels), colors="black", linewidths=0.6, zorder=3)
    axes.clabel(lines, fmt=lambda value: f"{10.0**value:.3g}", fontsize="x-small")
    return filled


def formula_lines(axes: Axes, x: Array, y: Array, b: Array) -> None:
    """Draw the contours of a formula's batch sizes where the map has none: dashed."""
    lines = axes.contour(x, y, b, levels=10.0 ** np.arange(-1.0, 9.0, 0.5), colors="0.1", linestyles="--", linewidths=1)
    axes.clabel(lines, fmt=lambda value: f"{value:.3g}", fontsize="x-small")


def batch_bar(figure: Figure, axes: Sequence[Axes], filled: Any) -> None:
    """Draw the colour bar of the batch sizes beside some axes."""
    bar = figure.colorbar(filled, ax=list(axes), pad=0.02, aspect=30)
    bar.set_label("critical batch size $b$")
    bar.ax.yaxis.set_major_formatter(lambda value, _: f"$10^{{{value:.0f}}}$")
    bar.outline.set_visible(False)


def _shades() -> ListedColormap:
    """The dark ends of the map hide black lines."""
    return ListedColormap(colormaps["viridis"](np.linspace(0.35, 1.0, 256)))


def region_legend(figure: Figure, regions: set[int], more: Sequence[Any] = ()) -> None:
    """Name below the figure the regions that it shows, and other handles."""
    patches = [
        Patch(facecolor=color, hatch=hatch, edgecolor="0.4", label=label)
        for code, (color, hatch, label) in _REGIONS.items()
        if code in regions
    ]
    handles = [*patches, *more]
    figure.legend(handles=handles, loc="outside lower center", ncols=min(len(handles), 4))


def legend_below(figure: Figure, axes: Sequence[Axes], columns: int = 4) -> None:
    """Name everything once below the figure, marks in grey: they are in every colour."""
    from matplotlib.lines import Line2D

    named: dict[str, Any] = {}
    for ax in axes:
        for handle, label in zip(*ax.get_legend_handles_labels()):
            named.setdefault(label, handle)
    shown = {label: handle if label.startswith("$") else _grey(handle, Line2D) for label, handle in named.items()}
    order = sorted(shown, key=lambda label: not label.startswith("$"))
    figure.legend([shown[label] for label in order], order, loc="outside lower center", ncols=columns)


def _grey(handle: Any, line: Any) -> Any:
    if not isinstance(handle, line):
        return handle
    grey = line([], [])
    grey.update_from(handle)
    for paint in (grey.set_color, grey.set_markeredgecolor):
        paint("0.25")
    hollow = handle.get_markerfacecolor() in ("white", "none")
    grey.set_markerfacecolor("white" if hollow else "0.25")
    return grey


def printed(axes: Axes, x: Array, y: Array, label: str, dashes: Any = "--") -> None:
    """Draw what a formula predicts against a target."""
    axes.plot(x, y, linestyle=dashes, color=PREDICTED, linewidth=1.2, label=label, zorder=5)
