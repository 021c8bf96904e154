"""Runs around an optimum, where it may be, and what else one would set."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm, to_rgba
from numpy.typing import NDArray

from hpgrid.plotting.style import NEAR, OPTIMUM, SYMBOLS, number, short
from hpgrid.plotting.transfer_plot import Say, count, power
from hpgrid.shapes import Floats as Array

#: What stands on an axis.
_LABELS = SYMBOLS | {"alpha": r"$\alpha = 1 - \beta$"}


def label(name: str) -> str:
    """Return what stands on the axis of a variable."""
    return _LABELS.get(name, f"${short(name)}$")


_FULL: Any = {"markeredgecolor": "white", "markeredgewidth": 0.3}
_HOLLOW: Any = {"markerfacecolor": "none", "markeredgecolor": "0.5", "markeredgewidth": 0.6}

#: Runs that were fitted, those too far off the optimum to count, those too low to be true, those beyond the panel.
RUNS: dict[str, Any] = {
    "runs, fitted": {"marker": "o", "color": "0.35", "markersize": 4.5, **_FULL},
    "runs, too far off": {"marker": "o", "markersize": 2.6, **_HOLLOW},
    "runs, too low": {"marker": "X", "color": NEAR, "markersize": 5.5, **_FULL},
    "runs, farther up": {"marker": "^", "markersize": 4, "clip_on": False, **_HOLLOW},
}

#: Other ways to choose, by what their names begin with, hollow or thin, so that two at one place are both seen.
OTHERS = {"best run kept": "o", "rule A": "x", "rule C": "+"}


def say(name: str, values: Array) -> Say:
    """Return how a variable's values are written on an axis: all of them alike."""
    if name == "b":
        return count
    return power if values.min() < 1e-4 else lambda value, _=3: number(value)


def colors(farthest: float) -> dict[str, Any]:
    """Return the colours of an excess up to ``farthest``: small ones have most of them; dark is good, also in grey."""
    return {"norm": PowerNorm(0.4, 0.0, farthest), "cmap": "viridis"}


def runs(
    axes: Axes, x: Array, y: Array, excess: Array, kinds: Sequence[NDArray[np.bool_]], farthest: float | None
) -> None:
    """Draw runs, the best of those at one place on top.

    Args:
        axes: where.
        x: shape (n,).
        y: shape (n,).
        excess: of each its loss above the best, shape (n,).
        kinds: which are of each kind in ``RUNS``.
        farthest: where the colours of the fitted ones end; None if they have none.
    """
    order = np.argsort(-excess)
    for (label, look), kind in zip(RUNS.items(), kinds):
        own = order[kind[order]]
        if len(own):
            axes.plot(x[own], y[own], linestyle="none", label=label, zorder=2.5, **look)
    if farthest is not None:
        own, look = order[kinds[0][order]], {**colors(farthest), "edgecolors": "white", "linewidths": 0.3}
        axes.scatter(x[own], y[own], 20, excess[own], zorder=2.6, **look)


def surface(axes: Axes, x: Array, y: Array) -> None:
    """Draw a fitted surface along a line, or, of no points, name its contours."""
    axes.plot(x, y, color="0.45", linewidth=0.9, label="surface", zorder=1)


def contours(axes: Axes, x: Array, y: Array, excess: Array, levels: Array) -> None:
    """Draw contours of a surface, shape (y, x), the thicker the lower."""
    axes.contour(x, y, excess, levels=levels, colors="0.45", linewidths=np.linspace(1.1, 0.5, len(levels)), zorder=1)
    surface(axes, np.empty(0), np.empty(0))


def path(axes: Axes, x: Array, y: Array, low: Array, high: Array, label: str) -> None:
    """Draw an optimum along a budget, and its interval."""
    axes.fill_between(x, low, high, color=OPTIMUM, alpha=0.15, linewidth=0, label=label)
    axes.plot(x, y, color=OPTIMUM, linewidth=1.2)


def span(axes: Axes, ends: tuple[float, float] | None, label: str) -> None:
    """Shade an interval on the x axis, if there is one."""
    if ends is not None:
        axes.axvspan(*ends, color=OPTIMUM, alpha=0.15, linewidth=0, label=label)


def optimum(axes: Axes, x: Any, y: Any, *, edge: bool, label: str, marker: str = "D", size: float = 4.5) -> None:
    """Mark an optimum, hollow where it lies at the border of the sweep, and says only that."""
    look: Any = {"markerfacecolor": "white", "markeredgecolor": OPTIMUM} if edge else {"markeredgecolor": "white"}
    label += ", at the border" * edge
    axes.plot(x, y, marker, color=OPTIMUM, markersize=size, markeredgewidth=0.8, label=label, zorder=6, **look)


def other(axes: Axes, x: float, y: float, name: str) -> bool:
    """Mark what another way to choose would set, if it is among ``OTHERS``, and return whether it is."""
    look: Any = {"markerfacecolor": "none", "color": "0.1", "markeredgewidth": 0.9, "markersize": 5.5, "zorder": 6.5}
    return any(axes.plot(x, y, mark, label=k, **look) for k, mark in OTHERS.items() if name.startswith(k))


def ends(axes: Axes, low: float, high: float) -> None:
    """Draw the least and the largest value that there are runs of."""
    for value in (low, high):
        axes.axhline(value, color="0.5", linestyle=":", linewidth=0.9, label="ends of the sweep", zorder=1)


def region(axes: Axes, ring: Array, label: str) -> None:
    """Shade where an optimum may be, inside a ring of points, shape (2, n)."""
    axes.fill(*ring, facecolor=to_rgba(OPTIMUM, 0.2), edgecolor=OPTIMUM, linewidth=0.9, label=label, zorder=5)


def ellipse(drawn: Array, middle: Array, level: float, points: int) -> Array:
    """Return points, shape (2, points), of the ellipse around ``middle`` that holds a share ``level`` of ``drawn``.

    Its axes are those of the covariance of what was drawn, shape (draws, 2), within its 5% and 95% quantiles: the tails
    are long.
    """
    off = drawn - middle
    spread = np.cov(np.clip(off, *np.quantile(off, [0.05, 0.95], axis=0)).T)
    size, along = np.linalg.eigh(spread)
    radius = np.sqrt(np.quantile(((off @ np.linalg.pinv(spread)) * off).sum(axis=1), level))
    angle = np.linspace(0, 2 * np.pi, points)
    ring = along * np.sqrt(np.maximum(size, 0.0)) @ np.array([np.cos(angle), np.sin(angle)])
    return np.asarray(middle[:, None] + radius * ring)
