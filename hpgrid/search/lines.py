"""A bound along the scanned axis alone: where it is least, without looking at every value. NumPy only, no jax."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hpgrid.proxy import Proxy
from hpgrid.shapes import Floats
from hpgrid.term import evaluate_factor

#: The smallest exponent times log step of the scanned axis. A posynomial f of one variable with exponents of at
#: least e satisfies f'' >= e^2 f in the log, so that from the cell beside its minimum to the next one it grows by
#: the factor cosh(e h), 1 + 5e-13 here. Its value is off by fewer than 100 roundings, 1e-14: the
#: smallest of the computed values is at the minimum or beside it.
RESOLVED = 1e-6

#: How evenly, as a share of a step, the turns of a pair lie in the log, so that a place among them is a quotient.
EVEN = 1e-6

Index = NDArray[np.integer]


@dataclass(frozen=True)
class Line:
    """How a posynomial is minimised along one axis, given what multiplies each of its powers there.

    Attributes:
        kind: "falls", "rises" (powers of one sign, or none), "pair" (A s^-p + B s^q) or "convex" (any).
        factors: the powers on the axis, one array for each group of terms.
        powers: their exponents.
        falling: which group of a pair falls.
        turns: of a pair, where A/B makes the minimum step from one value of s to the next.
        first, step: the log of the first turn and the distance of two, where they are even; else NaN.
    """

    kind: str
    factors: tuple[Floats, ...]
    powers: tuple[Fraction, ...]
    falling: int = 0
    turns: Any = None
    first: float = np.nan
    step: float = np.nan

    def at(self, planes: Sequence[Any], place: Any) -> Any:
        """Return the sum of planes times powers at places of the axis, in the order of the brute search."""
        total: Any = None
        for plane, factor in zip(planes, self.factors, strict=True):
            value = plane * factor.take(place)
            total = value if total is None else total + value
        return np.zeros(np.shape(place)) if total is None else total

    def near(self, planes: Sequence[Any], low: Any, high: Any) -> Any:
        """Return the place of the minimum between two places, or one where it is as good but for rounding."""
        if self.kind in ("rises", "falls"):
            return low if self.kind == "rises" else high
        if self.kind == "convex":

            def turned(place: Any) -> Any:
                return self.at(planes, place) <= self.at(planes, np.minimum(place + 1, high))

            return _first(turned, low, high)
        ratio = planes[self.falling] / planes[1 - self.falling]
        if np.isnan(self.step):
            place = np.searchsorted(self.turns, ratio)
        else:
            place = np.log(ratio)
            place *= 1 / self.step
            place += 1.0 - self.first / self.step  # whose whole part is the first turn beyond
        return np.minimum(np.maximum(place, low), high).astype(np.intp)

    def best(self, planes: Sequence[Any], low: Any, high: Any) -> tuple[Any, Any]:
        """Return the least value between two places and the first place that has it, as the brute search does."""
        near = self.near(planes, low, high)
        if self.kind in ("rises", "falls"):
            # Rounding keeps the order, so that the values are monotone, too; but some may be the same.
            least = self.at(planes, near)
            return least, _first(lambda place: self.at(planes, place) <= least, low, near)
        best, place = np.full(np.shape(near), np.inf), near
        for side in (-1, 0, 1):  # rounding may have moved the turn by one
            beside = np.minimum(np.maximum(near + side, low), high)
            value = self.at(planes, beside)
            best, place = np.where(value < best, value, best), np.where(value < best, beside, place)
        return best, place


def _first(holds: Callable[[Any], Any], low: Any, high: Any) -> Any:
    """The first place between two from which on a condition holds, by bisection; the last where it never does."""
    low, high = np.broadcast_arrays(low, high)
    for _ in range(int(np.max(high - low, initial=0)).bit_length()):
        middle = (low + high) // 2
        held = holds(middle)
        low, high = np.where(held, low, np.minimum(middle + 1, high)), np.where(held, middle, high)
    return low


def line_of(proxy: Proxy, scan: str, values: Floats) -> Line | None:
    """Return how a bound is minimised along an axis; None where it has other factors there, or the axis is too fine."""
    factors = dict.fromkeys(t.factors[scan] for t in proxy.terms if scan in t.factors)
    powers = tuple(Fraction(factor) for factor in factors if not isinstance(factor, str))
    if len(powers) < len(factors):
        return None
    tables = tuple(evaluate_factor(power, values) for power in powers)
    if min(powers, default=Fraction(0)) >= 0:
        return Line("rises", tables, powers)
    if max(powers) <= 0:
        return Line("falls", tables, powers)
    if min(map(abs, powers)) * np.diff(np.log(values)).min() < RESOLVED:
        return None
    if len(powers) > 2:
        return Line("convex", tables, powers)
    return _pair(values, powers, tables)


def _pair(values: Floats, powers: tuple[Fraction, ...], tables: tuple[Floats, ...]) -> Line | None:
    """A s^-p + B s^q: it falls from s_j to s_j+1 just where A/B exceeds (s_j+1^q - s_j^q)/(s_j^-p - s_j+1^-p)."""
    falls, rises = sorted(powers)
    with np.errstate(all="ignore"):
        turns = np.diff(values ** float(rises)) / -np.diff(values ** float(falls))
    if not ((turns > 1e-290) & (turns < 1e290)).all() or (np.diff(turns) <= 0).any():
        return None  # the powers leave float64
    logs = np.log(turns)
    step = (logs[-1] - logs[0]) / (len(logs) - 1) if len(logs) > 1 else 1.0
    even = (np.abs(logs - logs[0] - step * np.arange(len(logs))) < EVEN * step).all()
    return Line("pair", tables, powers, powers.index(falls), turns, *((logs[0], step) if even else (np.nan, np.nan)))
