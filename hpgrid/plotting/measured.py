"""Measured means with their intervals, and the bounds they are held against."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from hpgrid.plotting.style import PREDICTED

Array = NDArray[np.float64]

#: The methods, by the norm: dark to light, so that grey tells them apart.
METHOD_COLORS = {"frobenius": "#1b2a6b", "max": "#c2187d", "spectral": "#e69f00"}
METHOD_MARKERS = {"frobenius": "o", "max": "^", "spectral": "s"}


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
