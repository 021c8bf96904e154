"""Slopes of power laws: how sure a fitted exponent is, and over which window."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from hpgrid.errors import bad
from hpgrid.shapes import Array, Bool, Float


@dataclass(frozen=True)
class Slope:
    """A power law y ~ x^slope fitted to a curve.

    Attributes:
        slope: least squares in the logs; NaN with fewer than two usable points.
        theil_sen: the median of all pairwise slopes.
        intercept: log y of the fitted line at x = 1.
        error: how far ``slope`` can be off when every log y is within ``step`` of the truth.
        step: that distance, in natural log.
        window: the first and last x that were used.
        points: how many points were used.
        edge_points: how many points in the window were left out, being on an edge or not finite.
    """

    slope: float
    theil_sen: float
    intercept: float
    error: float
    step: float
    window: tuple[float, float]
    points: int
    edge_points: int


def fit_slope(
    x: ArrayLike,
    y: ArrayLike,
    *,
    edge: ArrayLike | None = None,
    window: tuple[float, float] | None = None,
    step: float | None = None,
) -> Slope:
    """Return the slope d log y / d log x of a curve, with the error that the grid allows.

    A slope through points that are each within h of the truth is off by at most
    h sum|u - mean u| / sum (u - mean u)^2, u = log x: 3 h/R for even spacing over a range R.

    Args:
        x: budgets, positive, shape (n,).
        y: an optimum at each budget, positive, shape (n,).
        edge: where the optimum sits on the border of the search box; those points are left out.
        window: smallest and largest x to use; everything where None.
        step: how far log y may be from the truth: the step h of y's axis for an argmin over one
            variable, the argmin's uncertainty where several are tuned. Where None, the smallest gap
            between different values of log y.

    Raises:
        ValueError: shapes that differ, or a window without a width.
    """
    x, y = np.asarray(x, float), np.asarray(y, float)
    out = np.zeros(x.shape, bool) if edge is None else np.asarray(edge, bool)
    if x.ndim != 1 or not x.shape == y.shape == out.shape:
        raise bad("a slope needs x, y and edge of one shape (n,)", (x.shape, y.shape, out.shape), "1-D arrays")
    if window is not None and not window[0] < window[1]:
        raise bad("a window needs lo < hi", window, "window=(1e12, 1e22), say")
    inside = np.ones(x.shape, bool) if window is None else within(x, window)
    usable = inside & ~out & np.isfinite(y) & (y > 0) & (x > 0)
    left_out = int(inside.sum() - usable.sum())
    u, v = np.log(x[usable]), np.log(y[usable])
    h = _smallest_gap(v) if step is None else float(step)
    if len(u) < 2 or np.ptp(u) == 0:
        return Slope(np.nan, np.nan, np.nan, np.inf, h, (np.nan, np.nan), len(u), left_out)
    away = u - u.mean()
    slope = float(away @ v / (away @ away))
    error = float(h * np.abs(away).sum() / (away @ away))
    ends = (float(x[usable].min()), float(x[usable].max()))
    intercept = float(v.mean() - slope * u.mean())
    return Slope(slope, _theil_sen(u, v), intercept, error, h, ends, len(u), left_out)


def within(x: Float[Array, "n"], window: tuple[float, float]) -> Bool[Array, "n"]:
    """Return which budgets lie in a window, both ends included: shape (n,)."""
    return (x >= window[0]) & (x <= window[1])


def local_slopes(x: ArrayLike, y: ArrayLike) -> Float[Array, "n"]:
    """Return d log y / d log x at every point of a curve, by differences: shape (n,)."""
    return np.gradient(np.log(np.asarray(y, float)), np.log(np.asarray(x, float)))


def _smallest_gap(v: Float[Array, "n"]) -> float:
    gaps = np.diff(np.unique(v))
    gaps = gaps[gaps > 1e-12]  # values of one grid node, written twice
    return float(gaps.min()) if gaps.size else 0.0


def _theil_sen(u: Float[Array, "n"], v: Float[Array, "n"]) -> float:
    i, j = np.triu_indices(len(u), k=1)
    return float(np.median((v[j] - v[i]) / (u[j] - u[i])))
