"""Where tokens b K(b) are fewest, numerically: from K(b) alone, by no formula.

The log of the tokens is convex in log b for every bound here, so that it has one minimum, and what is within a
share of it is an interval. A minimum is found to ``FLAT``, a root of rounding: closer, all values are equal.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hpgrid.critical.need import Iterations

Array = NDArray[np.float64]

#: What log b is sure to at a minimum: where its log has the curvature c, values that are each rounded by r tell
#: (c/2) d^2 from 0 when it is above 2 r. c >= 1/2 for every bound here, and r is 16 eps: sums of three terms that
#: cancel to a quarter.
FLAT = float(np.sqrt(4 * 16 * np.finfo(float).eps / 0.5))

#: Batch sizes that are looked at.
_LOW, _HIGH = 1e-290, 1e290

#: How far above the smallest batch size a minimum is looked for, and the ends of what is near it.
_REACH = 1e6


class Point(NamedTuple):
    """A batch size, the iterations that it takes to the target, and their tokens."""

    b: float
    K: float
    tokens: float


def point(iterations: Iterations, b: float) -> Point:
    """Return a batch size with what it takes; +inf where it never gets there."""
    K = float(iterations(b))
    return Point(float(b), K, float(b) * K)


def smallest(iterations: Iterations) -> float | None:
    """Return the batch size above which the target is reached at all; None where it is reached at no batch size."""
    if not np.isfinite(iterations(_HIGH)):
        return None
    return _crossing(lambda b: not np.isfinite(iterations(b)), _LOW, _HIGH)


def fewest(iterations: Iterations, above: float) -> Point:
    """Return where tokens are fewest among batch sizes >= 1 that are above the smallest one."""
    low = max(above, 1.0)
    times = np.geomspace(1.0, _REACH, 129)
    while times[-1] / times[0] - 1 > FLAT / 8:
        k = int(np.argmin(times * iterations(low * times)))
        times = np.geomspace(times[max(k - 1, 0)], times[min(k + 1, 128)], 129)
    # A minimum on its bound is then the bound itself: the ends of the range are kept as they are.
    return point(iterations, low * float(times[np.argmin(times * iterations(low * times))]))


def near(iterations: Iterations, best: Point, above: float, share: float) -> tuple[float, float]:
    """Return the smallest and the largest batch size >= 1 that take at most 1 + share times the fewest tokens."""
    most = np.log1p(share) + np.log(best.b) + np.log(best.K)

    def costs(b: float) -> bool:
        return bool(np.log(b) + np.log(iterations(b)) > most)

    low = max(above, 1.0)
    low = low if not costs(low) else _crossing(costs, low, best.b)
    return low, _crossing(lambda b: not costs(b), best.b, best.b * _REACH)


def on_grid(iterations: Iterations, above: float, points: int = 20_001, decades: float = 4.0) -> tuple[Point, float]:
    """Return where tokens are fewest on a log grid of batch sizes >= 1, and the grid's step in log b."""
    b = max(above, 1.0) * np.logspace(0.0, decades, points)
    K = iterations(b)
    k = int(np.argmin(b / b[0] * K))
    return point(iterations, float(b[k])), float(np.log(b[1] / b[0]))


class Shape(NamedTuple):
    """How K(b) and b K(b) run, read off a grid of batch sizes from the smallest feasible one on.

    Attributes:
        K_falls: whether K falls with b everywhere.
        K_convex: whether it is convex.
        one_minimum: whether tokens fall, then rise.
        convex_to: the batch size up to which tokens are convex, within the step; +inf where everywhere.
        step: the grid's step in log b.
    """

    K_falls: bool
    K_convex: bool
    one_minimum: bool
    convex_to: float
    step: float


def shape(iterations: Iterations, above: float) -> Shape:
    """Return how iterations and tokens run, over four decades of batch sizes above the smallest one."""
    b = above * (1 + np.logspace(-2.0, 4.0, 1501))
    K = iterations(b)
    tokens = b * K
    # A second difference is told from rounding where it exceeds what the values' last digits make of it.
    bends, rounding = _second(b, tokens)
    concave = np.flatnonzero(bends < -rounding)
    K_bends, K_rounding = _second(b, K)
    turns = np.diff(np.sign(np.diff(tokens)))
    return Shape(
        bool((np.diff(K) < 0).all()),
        bool((K_bends >= -K_rounding).all()),
        bool(np.count_nonzero(turns) <= 1 and (turns >= 0).all()),
        float(b[concave[0] + 1]) if concave.size else np.inf,
        float(np.log(b[1:] / b[:-1]).max()),
    )


def _second(b: Array, y: Array) -> tuple[Array, Array]:
    """Second divided differences, and what rounding may add to each."""
    steps = np.diff(b)
    error = 8 * np.finfo(float).eps * np.maximum(np.abs(y[1:]), np.abs(y[:-1])) / steps
    return np.diff(np.diff(y) / steps), error[1:] + error[:-1]


def _crossing(holds: Callable[[float], bool], low: float, high: float) -> float:
    """Where a condition on b that holds at ``low`` and not at ``high`` stops to hold."""
    lo, hi = float(np.log(low)), float(np.log(high))
    for _ in range(64):
        middle = (lo + hi) / 2
        lo, hi = (middle, hi) if holds(float(np.exp(middle))) else (lo, middle)
    return float(np.exp(hi))
