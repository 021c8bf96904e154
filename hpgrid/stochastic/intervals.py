"""Confidence intervals over seeds, wide enough for many comparisons at once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hpgrid.checks import bad
from hpgrid.readings import Reading
from hpgrid.shapes import AnyArray as Array

#: How sure all of the intervals of a figure, or of a row of the ledger, are together.
LEVEL = 0.99


class Interval(NamedTuple):
    """A mean over seeds, and half the width of its interval."""

    mean: Array
    half: Array

    @property
    def low(self) -> Array:
        """The lower end."""
        return self.mean - self.half

    @property
    def high(self) -> Array:
        """The upper end."""
        return self.mean + self.half


def quantile(seeds: int, comparisons: int, level: float = LEVEL) -> float:
    """Return Student's t beyond which one of ``comparisons`` two-sided intervals errs with chance 1 - level.

    Bonferroni: each errs with (1 - level)/comparisons, whatever their dependence.

    Args:
        seeds: how many independent values a mean is over, >= 2.
        comparisons: how many intervals are read together, >= 1.
        level: in (0, 1).

    Raises:
        ValueError: fewer than two seeds.
    """
    if seeds < 2:
        raise bad("an interval needs at least two seeds", seeds, "seeds = 32, say")
    from scipy.special import stdtrit

    return float(stdtrit(seeds - 1, 1.0 - (1.0 - level) / (2.0 * comparisons)))


def interval(values: Array, comparisons: int | None = None, level: float = LEVEL) -> Interval:
    """Return the mean over the last axis, the seeds, and its interval.

    Args:
        values: independent from seed to seed, shape (..., seeds).
        comparisons: how many intervals are read together; as many as there are here where None.
        level: how sure they are together.
    """
    values = np.asarray(values)
    seeds = values.shape[-1]
    count = max(values[..., 0].size, 1) if comparisons is None else comparisons
    error = values.std(-1, ddof=1) / np.sqrt(seeds)
    return Interval(values.mean(-1), quantile(seeds, count, level) * error)


def farthest(gap: Array, tolerance: Array) -> int:
    """Return which of many gaps speaks for all: the largest, of those beyond their tolerance where any is."""
    beyond = gap > tolerance
    return int(np.where(beyond, gap, -np.inf).argmax() if beyond.any() else gap.argmax())


def largest_ratio(what: str, ratio: Array, error: Array) -> Reading:
    """Return the reading of ratios of which none may exceed 1, each off by at most its error."""
    told = bool((ratio - error > 1).any() or (ratio + error <= 1).all())
    k = farthest(ratio - 1, error)
    return Reading(what, "sampled", float(ratio.flat[k]), 1.0, float(error.flat[k]), "<=", identifiable=told)


def near_least(values: Array, comparisons: int | None = None, level: float = LEVEL) -> Array:
    """Return which candidates can't be told from the one of least mean: shape (candidates,).

    By paired differences, since seeds are shared: the interval of the difference to the least reaches 0.

    Args:
        values: shape (candidates, seeds).
        comparisons: how many intervals are read together; as many as there are candidates where None.
        level: how sure they are together.
    """
    values = np.asarray(values)
    apart = interval(values - values[values.mean(-1).argmin()], comparisons or len(values), level)
    return apart.low <= 0.0


def ratio(top: Array, bottom: Array, comparisons: int | None = None, level: float = LEVEL) -> Interval:
    """Return the ratio of two means over the same seeds, the last axis, and its interval, to first order.

    NaN where the lower mean is 0.
    """
    top, bottom = np.asarray(top), np.asarray(bottom)
    mean = bottom.mean(-1, keepdims=True)
    below = np.where(mean > 0, mean, np.nan)
    quotient = top.mean(-1, keepdims=True) / below
    apart = interval((top - quotient * bottom) / below, comparisons, level)
    return Interval(quotient[..., 0], apart.half)
