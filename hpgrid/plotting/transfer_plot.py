"""Ways from one budget to another: a line per rule, what is not feasible, and where each ends."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes

from hpgrid.plotting.style import label_values, number, ticks
from hpgrid.shapes import Floats as Array

#: A value as text, with some digits.
Say = Callable[..., str]

#: Rules: told apart by hue, lightness, dashes and width, so that lines that coincide are all seen.
_LINES: tuple[tuple[str, Any, float], ...] = (
    ("#8fb8de", "-", 4.2),
    ("#d1750a", "-", 2.6),
    ("#1b4f9c", (0, (4, 2)), 1.7),
    ("#111111", (0, (1, 1.6)), 1.5),
    ("#8c2d82", (0, (6, 1.5, 1, 1.5)), 1.3),
)

#: What keeps text clear of what it stands on.
_PATCH: Any = {"facecolor": "white", "alpha": 0.85, "linewidth": 0, "pad": 0.8}

#: Shares of a panel's width: between a way's end and its text, and what is left free at either side.
_GAP, _MARGIN = 0.06, 0.04

#: Points that are left between the labels of two ticks.
_BETWEEN = 4.0


def way(axes: Axes, x: Array, y: Array, end: float, k: int, label: str) -> None:
    """Draw the k-th rule's values along the budget, and where they end, which rounding may have moved off the line."""
    color, dashes, width = _LINES[k % len(_LINES)]
    style: dict[str, Any] = {"dash_capstyle": "butt", "solid_capstyle": "butt"}
    axes.plot(x, y, color=color, linestyle=dashes, linewidth=width, label=label, zorder=3 + 0.1 * k, **style)
    style = {"markeredgecolor": "white", "markeredgewidth": 0.6, "zorder": 6 + 0.1 * k}
    axes.plot(x[-1:], [end], "s", color=color, markersize=4.6 - 0.4 * k, **style)


def start(axes: Axes, x: float, y: float) -> None:
    """Mark where all ways start."""
    style: dict[str, Any] = {"markerfacecolor": "white", "markeredgecolor": "black", "markeredgewidth": 1.2}
    axes.plot([x], [y], "o", markersize=6.0, label="start", zorder=6, **style)


def infeasible(axes: Axes, level: float, *, upper: bool) -> None:
    """Hatch what lies between a limit and the edge of the panel: above an upper one, below a lower one."""
    beyond = max(axes.get_ylim()) if upper else min(axes.get_ylim())
    with matplotlib.rc_context({"hatch.color": "0.72", "hatch.linewidth": 0.5}):
        axes.axhspan(level, beyond, facecolor="0.93", edgecolor="0.72", linewidth=0.0, hatch="////", zorder=0)
    axes.axhline(level, color="0.35", linestyle=":", linewidth=1.1, zorder=2)


def name_limit(axes: Axes, x: float, level: float, label: str, *, upper: bool) -> None:
    """Name a limit on its line, on the side where it is hatched."""
    up = upper != axes.yaxis_inverted()
    axes.annotate(
        label, (x, level), (0, 3 if up else -3), va="bottom" if up else "top", ha="center", fontsize="x-small",
        color="0.2", bbox=_PATCH, zorder=5, textcoords="offset points",
    )  # fmt: skip


def ends(axes: Axes, way_: tuple[float, float], values: Mapping[str, float], say: Say) -> None:
    """Write beside the end of each way its name and its value, names of one value together, none over another.

    The axes' place in the figure and the limits of its values are final; the budgets, from where all ways start to
    where they end, are drawn closer together by the width of the text.
    """
    names: dict[str, list[str]] = {}
    at: dict[str, float] = {}
    for name, value in sorted(values.items(), key=lambda pair: pair[1]):
        names.setdefault(say(value), []).append(name)
        at.setdefault(say(value), value)
    labels = [f"{', '.join(sorted(names[text]))}: {text}" for text in at]
    widest = max(_width(axes, text, "x-small") for text in labels) / axes.get_window_extent().width
    budget_axis(axes, *way_, space=_GAP + widest + _MARGIN)
    first, x = way_
    height = axes.get_window_extent().height
    heights = axes.transAxes.inverted().transform(axes.transData.transform([(x, y) for y in at.values()]))[:, 1]
    # A line of text, in shares of the panel's height, at the size of its font.
    apart = _spread(heights, 10.5 * axes.figure.dpi / 72 / height)
    leftward = x < first
    place: dict[str, Any] = {"textcoords": "axes fraction", "va": "center", "ha": "right" if leftward else "left"}
    for text, y, was in zip(labels, apart, at.values()):
        to = (_MARGIN + widest, y) if leftward else (1 - _MARGIN - widest, y)
        arrow = {"arrowstyle": "-", "color": "0.5", "linewidth": 0.5, "shrinkA": 0.5, "shrinkB": 1.0}
        axes.annotate(text, (x, was), to, fontsize="x-small", arrowprops=arrow, bbox=_PATCH, zorder=7, **place)


def _width(axes: Axes, text: str, size: Any) -> float:
    """The width of a text, in pixels."""
    written = axes.text(0, 0, text, fontsize=size, transform=axes.transAxes)
    width = float(written.get_window_extent().width)
    written.remove()
    return width


def _spread(heights: Array, gap: float) -> Array:
    """Heights, moved apart by at least ``gap`` and kept within the panel, in their order."""
    order = np.argsort(heights)
    moved = heights[order].copy()
    # Two that are moved apart may meet their neighbours: again and again, until none is close.
    for _ in range(200):
        gaps = np.diff(moved) - gap
        close = np.flatnonzero(gaps < -1e-9)
        if not close.size:
            break
        for i in close:
            moved[i] += gaps[i] / 2
            moved[i + 1] -= gaps[i] / 2
        moved += max(0.03 - moved[0], 0.0) - max(moved[-1] - 0.97, 0.0)
    return moved[np.argsort(order)]


def budget_axis(axes: Axes, first: float, last: float, *, space: float = _MARGIN) -> None:
    """Give the x axis the budgets between where the ways start and where they end, with room at that end.

    The room is ``space``, a share of the panel's width beyond the last budget.
    """
    ends = sorted((first, last))
    lo, hi = np.log10(ends)
    share = (hi - lo) / (1 - space - _MARGIN)
    before, after = (space, _MARGIN) if last < first else (_MARGIN, space)
    axes.set_xscale("log")
    axes.set_xlim(10 ** (lo - before * share), 10 ** (hi + after * share))
    label_along(axes, ends, count)


def label_along(axes: Axes, ends: Sequence[float], say: Say) -> None:
    """Label as many round values of the x axis between two as have room: the axes' place in the figure is final."""
    lo, hi = ends
    per_decade = axes.get_window_extent().width / np.diff(np.log10(axes.get_xlim()))[0]
    between = _BETWEEN * axes.figure.dpi / 72
    every = [ticks(lo, hi, most) for most in (4, 3, 2)]
    for values in (*every, [every[0][0], every[0][-1]]):
        # As few digits, at least three, as tell them apart.
        digits = next((n for n in range(3, 15) if len({say(value, n) for value in values}) == len(values)), 15)
        size = matplotlib.rcParams["xtick.labelsize"]
        widths = np.array([_width(axes, say(value, digits), size) for value in values])
        if (np.diff(np.log10(values)) * per_decade > (widths[1:] + widths[:-1]) / 2 + between).all():
            break
    label_values(axes.xaxis, values, lambda value: say(value, digits))


def value_axis(axes: Axes, lo: float, hi: float, say: Say, *, inverted: bool = False, most: float = math.inf) -> None:
    """Give the y axis a log scale between two values, with ticks up to ``most``."""
    axes.set_yscale("log")
    axes.set_ylim(*((hi, lo) if inverted else (lo, hi)))
    label_values(axes.yaxis, ticks(lo, min(hi, most), 6), say)


def count(value: float, digits: int = 3) -> str:
    """Return a number of tokens or sequences as people say it: 128, 512k, 2.5M, 10B, 1T."""
    for size, letter in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k")):
        if size * 0.9995 <= value < size * 999.5:
            return f"{value / size:.{digits}g}{letter}"
    return f"{value:.{digits}g}" if value < 1e3 else number(value)


def power(value: float, digits: int = 3) -> str:
    """Return a value as a digit and a power of ten."""
    exponent = math.floor(math.log10(value) + 1e-12)
    first = f"{value / 10.0**exponent:.{digits}g}"
    return f"$10^{{{exponent}}}$" if first == "1" else f"${first}\\times 10^{{{exponent}}}$"


def momentum(alpha: float) -> str:
    """Return beta = 1 - alpha with the digits of alpha that tell: 0.95, 0.9921."""
    if alpha < 1e-6:
        return f"$1-{number(float(f'{alpha:.2g}')).strip('$')}$"
    digits = max(2, 2 - math.floor(math.log10(alpha)))
    return f"{1 - alpha:.{digits}f}".rstrip("0").rstrip(".") or "0"
