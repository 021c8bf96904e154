"""What a curve along the budgets tends to, from budgets as far out as floats go, and how far that may be off.

At u = log T the local exponent of a law T^p (log T)^q is e(u) = p + q/u + (a + b log u)/u^2, and (c + d log u +
f log^2 u)/u^3, and so on; that of a law without a logarithm is p but for what falls like a power of T. The unknowns are
fitted along a ladder of budgets to three orders in 1/u. The middle one is the reading; twice the most that the others,
and a ladder that ends earlier, differ from it by bounds what is left beyond the ladder's end: for 1,000 random
constants of star-convex bounds and of SGD's, whose laws are known, it is four times what a reading is off by, or more.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hpgrid.shapes import Floats as Array

#: The budgets at which optima are read, and their logs: corrections go with powers of these.
LADDER = 10.0 ** np.array(
    [18, 21, 24, 28, 32, 37, 42, 48, 55, 63, 72, 82, 93, 106, 120, 135, 150, 165, 180, 200, 220, 240, 260, 280]
)
LOGS = np.log(LADDER)

#: The rung of 1e63, which a curve must be known at: one that is lost before may follow another law beyond.
FAR_ENOUGH = 9

#: How many rungs, the last ones, show the limit of what has no logarithms in it.
_USED = 5

#: Which rungs logarithms are read along: all; what another law's end leaves; what a part that ends at 1e150 leaves.
_WINDOWS = (slice(None), slice(FAR_ENOUGH, None), slice(17))

#: Up to which power of 1/u corrections are fitted, and how many rungs that takes: two more than there are unknowns.
_ORDERS, _LEAST = (2, 3, 4), 13


def limit(values: Array, noise: float, logs_from: int | None = None) -> tuple[float, float]:
    """Return what values along the ladder tend to, and by how much that may be off; NaN where too few are known.

    Args:
        values: shape (rungs,); NaN is none.
        noise: how far each may be from the truth.
        logs_from: from which power of 1/u on log u stands beside it in the corrections: 2 for local exponents, 1 for
            what remains of u times them, of logs and of elasticities; None where there is no logarithm anywhere.
    """
    rungs = np.flatnonzero(np.isfinite(values))
    if len(rungs) < _USED or rungs[-1] < FAR_ENOUGH:
        return math.nan, math.nan
    if logs_from is None:
        last = values[rungs[-_USED:]]
        return float(last[-1]), float(np.ptp(last)) + noise
    windows = (np.intersect1d(rungs, np.arange(LADDER.size)[window]) for window in _WINDOWS)
    found = [_fitted(values, kept, noise, logs_from, 0) for kept in windows if len(kept) >= _LEAST]
    return min(found, key=lambda one: one[1], default=(math.nan, math.nan))


#: Of a logarithm, a power that a law without any may be read as.
_LITTLE = 0.05


class Powers(NamedTuple):
    """What local exponents along the ladder say of a law T^p (log T)^q; NaN where too few are known."""

    power: float  # p
    log: float  # q
    tolerance: float  # how far q may be off
    rise: float  # by how much q is larger than along the first two thirds of the ladder

    @property
    def has_log(self) -> bool:
        """Whether there is a logarithm for sure, and not by a little."""
        return math.isfinite(self.log) and abs(self.log) > max(2 * self.tolerance, _LITTLE)

    @property
    def has_none(self) -> bool:
        """Whether there is none for sure, or but a little of one."""
        return abs(self.log) + self.tolerance < _LITTLE


def power_and_log(slopes: Array, noise: float) -> Powers:
    """Return both powers of a law from its local exponents, each of which may be ``noise`` from the truth."""
    rungs = np.flatnonzero(np.isfinite(slopes))
    if len(rungs) < _LEAST:
        return Powers(*[math.nan] * 4)
    power, _ = _fitted(slopes, rungs, noise, 2, 0)
    log, tolerance = _fitted(slopes, rungs, noise, 2, 1)
    before, _ = _fitted(slopes, rungs[: 2 * len(rungs) // 3], noise, 2, 1)
    return Powers(power, log, tolerance, log - before)


def _fitted(values: Array, rungs: NDArray[np.intp], noise: float, logs_from: int, which: int) -> tuple[float, float]:
    """The limit along some rungs (``which`` 0), or the factor of 1/u (1), and how far it may be off."""

    def fit(order: int, left_out: int = 0) -> float:
        kept = rungs[: len(rungs) - left_out]
        return float(_weights(tuple(kept.tolist()), order, logs_from)[which] @ values[kept])

    low, middle, high = _ORDERS
    found = fit(middle)
    apart = max(abs(found - other) for other in (fit(low), fit(high), fit(middle, 1), fit(middle, 2)))
    amplified = noise * float(np.abs(_weights(tuple(rungs.tolist()), middle, logs_from)[which]).sum())
    return found, 2 * apart + amplified


@lru_cache(maxsize=256)
def _weights(rungs: tuple[int, ...], order: int, logs_from: int) -> Array:
    """The weights of the values at some rungs in the factors of 1, 1/u, ... of a least-squares fit."""
    u = LOGS[list(rungs)]
    columns = [np.ones(u.size)]
    for power in range(1, order + logs_from - 1):
        logs = power + 2 - logs_from if power >= logs_from else 1
        columns += [u**-power * np.log(u) ** j for j in range(logs)]
    # The higher the order, the more the last rungs count.
    weight = (u / u[-1]) ** order
    matrix = weight[:, None] * np.array(columns).T
    size = np.abs(matrix).max(axis=0)
    return np.asarray(np.linalg.pinv(matrix / size, rcond=1e-15) / size[:, None] * weight)
