"""A bound along the scanned axis alone: where it is least, without looking at every value. NumPy only, no jax."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache, partial
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


@dataclass(frozen=True, eq=False)
class Line:
    """How a posynomial is minimised along one axis, given what multiplies each of its powers there.

    Attributes:
        kind: "falls", "rises" (powers of one sign, or none), "pair" (A s^-p + B s^q) or "convex" (any).
        factors: the powers on the axis, one array for each group of terms.
        powers: their exponents.
        falling: which group of a pair falls.
        turns: of a pair, where A/B makes the minimum step from one value of s to the next.
        logs: their logs, where they are not even.
        scale, offset: where they are, what the log of A/B is multiplied by, and what is added, so that its whole part
            is the place of the minimum.
        doubt: how far from a turn rounding may tell one side from the other wrongly, in the same units.
    """

    kind: str
    factors: tuple[Floats, ...]
    powers: tuple[Fraction, ...]
    falling: int = 0
    turns: Any = None
    logs: Any = None
    scale: float = 1.0
    offset: float = 0.0
    doubt: float = 0.0

    @cached_property
    def numbers(self) -> tuple[tuple[float, float], tuple[float, float], float]:
        """Of a pair, p and q; and the shares and the scale by which its minimum over all s is A^share B^share scale.

        It is A^(q/(p+q)) B^(p/(p+q)) ((p/q)^(-p/(p+q)) + (p/q)^(q/(p+q))).
        """
        p, q = -self.powers[self.falling], self.powers[1 - self.falling]
        share = float(q / (p + q)), float(p / (p + q))
        return (float(p), float(q)), share, float(p / q) ** -share[1] + float(p / q) ** share[0]

    def at(self, planes: Sequence[Any], place: Any) -> Any:
        """Return the sum of planes times powers at places of the axis, in the order of the brute search."""
        total: Any = None
        for plane, factor in zip(planes, self.factors, strict=True):
            value = plane * factor.take(place)
            total = value if total is None else total + value
        return np.zeros(np.shape(place)) if total is None else total

    def best(self, planes: Sequence[Any], low: Any, high: Any) -> tuple[Any, Any]:
        """Return the least value between two places and the first place that has it, as the brute search does."""
        if self.kind in ("rises", "falls"):
            # Rounding keeps the order, so that the values are monotone, too; but some may be the same.
            near = low if self.kind == "rises" else high
            least = self.at(planes, near)
            return least, _first(lambda place: self.at(planes, place) <= least, low, near)
        if self.kind == "pair":
            # Of a quotient that is nearer to a turn than rounding tells, both sides of it.
            falls, rises = (np.log(planes[k]) * self.scale for k in (self.falling, 1 - self.falling))
            place, last = (self._beyond(falls + (self.offset + end) - rises) for end in (-self.doubt, self.doubt))
        else:
            turned = _first(lambda at: self.at(planes, at) <= self.at(planes, np.minimum(at + 1, high)), low, high)
            place, last = turned - 1, turned + 1  # rounding may have moved it by one
        unsure = place != last
        place = np.clip(place, low, high)
        value = self.at(planes, place)
        if unsure.any():
            # Numbered first: of arrays with several axes NumPy finds places one by one.
            few = np.unravel_index(np.flatnonzero(np.broadcast_to(unsure, value.shape)), value.shape)
            place = np.broadcast_to(place, value.shape).copy()
            some, last = ([np.broadcast_to(x, value.shape)[few] for x in each] for each in (planes, (last, low, high)))
            last = np.minimum(np.maximum(*last[:2]), last[2])
            at, best = place[few], value[few]
            for step in (1,) if self.kind == "pair" else (1, 2):
                beside = np.minimum(place[few] + step, last)
                other = self.at(some, beside)
                at, best = np.where(other < best, beside, at), np.minimum(other, best)
            value[few], place[few] = best, at
        return value, place

    def lower(self, planes: Sequence[Any], low: Any, high: Any) -> Any:
        """Return the minimum over all values between two places, on the axis or not, of a line that is not convex."""
        if self.kind != "pair":
            return self.at(planes, low if self.kind == "rises" else high)
        (p, q), shares, scale = self.numbers
        falls, rises = (
            np.sqrt(planes[k]) if p == q else planes[k] ** share
            for k, share in zip((self.falling, 1 - self.falling), shares)
        )
        least = falls * (scale * rises)
        down, up = planes[self.falling], planes[1 - self.falling]
        for end, way in ((low, 1), (high, -1)) if least.size else ():
            first, last = self.factors[self.falling].take(end), self.factors[1 - self.falling].take(end)
            # Where it rises from the first one on, or falls as far as the last: seldom anywhere.
            turned = q * last / (p * first)
            if (down.min() > turned.max() * up.max()) if way > 0 else (down.max() < turned.min() * up.min()):
                continue
            beyond = way * up * turned >= way * down
            if beyond.any():
                least = np.where(beyond, down * first + up * last, least)
        return least

    def _beyond(self, turn: Any) -> Any:
        """The place of a value of A/B among the turns, of its log or of a multiple of that."""
        return np.searchsorted(self.logs, turn) if self.logs.size else turn.astype(np.intp)


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
    return None if len(powers) < len(factors) else _line(powers, values.tobytes())


@lru_cache(maxsize=64)
def _line(powers: tuple[Fraction, ...], axis: bytes) -> Line | None:
    """The line of some powers on an axis, by the bytes of its values: most searches share theirs."""
    values = np.frombuffer(axis)
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
    off = float(np.abs(logs - logs[0] - step * np.arange(len(logs))).max(initial=0.0))
    # A quotient off a turn by d in its log tells the values on either side apart by e h d/2 of them, e and h as for
    # RESOLVED; each is off by fewer than 100 roundings, and so is the log, which is below 710.
    doubt = 1e-13 / float(min(map(abs, powers)) * np.diff(np.log(values)).min()) + 1e-12
    line = partial(Line, "pair", tables, powers, powers.index(falls), turns)
    if off < EVEN * step:
        return line(np.empty(0), 1 / step, 1 - logs[0] / step, (doubt + off) / step)
    return line(logs, doubt=doubt)
