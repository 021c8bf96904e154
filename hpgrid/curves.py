"""Contours of a risk over two axes, and the near-optimal set of one hyperparameter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from hpgrid.checks import bad
from hpgrid.shapes import Array, Bool, Float

#: How many levels a contour figure shows, as a guide.
LEVELS = 20


def even_levels(risk: ArrayLike, count: int = LEVELS) -> Float[Array, "levels"]:
    """Return ``count`` levels evenly spaced in log risk, strictly inside the range of ``risk``."""
    finite = np.asarray(risk, float)
    finite = np.log(finite[np.isfinite(finite) & (finite > 0)])
    if not finite.size:
        raise bad("levels need a finite positive risk", risk, "a grid with a feasible cell")
    return np.exp(np.linspace(finite.min(), finite.max(), count + 2)[1:-1])


def iso_loss(x: ArrayLike, y: ArrayLike, risk: ArrayLike, levels: ArrayLike) -> list[list[Float[Array, "points 2"]]]:
    """Return the lines of equal risk, interpolated linearly in the logs of x, y and risk.

    Args:
        x: values of the horizontal axis, shape (nx,).
        y: values of the vertical axis, shape (ny,).
        risk: the risk, shape (ny, nx); not finite where there is none.
        levels: the levels, shape (n,).

    Returns:
        For each level a list of lines, each of shape (points, 2) in x and y themselves.
    """
    from contourpy import contour_generator  # 0.1 s to import, for contour figures alone

    z = np.log(np.where(np.isfinite(risk), risk, np.nan))
    traced = contour_generator(np.log(np.asarray(x)), np.log(np.asarray(y)), np.ma.masked_invalid(z))
    return [[np.exp(np.asarray(line)) for line in traced.lines(np.log(level))] for level in np.asarray(levels, float)]


#: The share of the best performance that counts as near-optimal.
PERFORMANCE = 0.99


@dataclass(frozen=True, eq=False)
class Band:
    """The values of one hyperparameter that are near-optimal, at every budget."""

    low: Float[Array, "n"]  # the smallest near-optimal value, shape (n,); NaN where no cell is feasible
    high: Float[Array, "n"]  # the largest one, shape (n,)
    low_edge: Bool[Array, "n"]  # where ``low`` is the axis' first value, shape (n,)
    high_edge: Bool[Array, "n"]  # where ``high`` is the axis' last feasible value, shape (n,)


def near_optimal(risk: ArrayLike, values: ArrayLike, performance: float = PERFORMANCE, *, convex: bool = False) -> Band:
    """Return between which values the risk is at most the best one divided by ``performance``: a connected set.

    Args:
        risk: the best risk for every value and budget, all else tuned: shape (values, n). What is not positive and
            finite is infeasible.
        values: the values, increasing: shape (values,).
        performance: the share of the best performance, in (0, 1].
        convex: whether the continuous risk is convex in the logs: what is above it between two values that are not is
            then the grid's own doing. Of any other bound only what is around the best value counts.

    Raises:
        ValueError: ``performance`` outside (0, 1], or shapes that do not match.

    Source: Shulgin et al., Figures 10 and 11 (the near-optimal batch size: ``low``, at 99%).
    """
    risk, values = np.asarray(risk, float), np.asarray(values, float)
    if not 0 < performance <= 1:
        raise bad("performance is a share of the best, in (0, 1]", performance, "performance=0.99, say")
    if risk.ndim != 2 or len(risk) != len(values):
        raise bad("near_optimal needs a risk of shape (values, n)", (risk.shape, values.shape), "risk.T, perhaps")
    feasible, place = np.isfinite(risk) & (risk > 0), np.arange(len(values))[:, None]
    risk = np.where(feasible, risk, np.inf)
    best, at, none = risk.min(axis=0), risk.argmin(axis=0), ~feasible.any(axis=0)
    good = feasible & (risk <= best / performance)
    if not convex:
        # On either side of the best value, what lies beyond the first that is not as good is not counted.
        before = np.where(~good & (place < at), place, -1).max(axis=0)
        after = np.where(~good & (place > at), place, len(values)).min(axis=0)
        good &= (place > before) & (place < after)
    first = good.argmax(axis=0)
    last, end = (len(values) - 1 - each[::-1].argmax(axis=0) for each in (good, feasible))
    low, high = (np.where(none, np.nan, values[k]) for k in (first, last))
    return Band(low, high, (first == 0) | none, (last == end) | none)
