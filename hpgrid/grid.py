"""Axes and grids: where a bound is evaluated, and the grids of the paper."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping
from dataclasses import InitVar, dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hpgrid.checks import AXES, MOST_VALUES, TUNABLE, alpha_of, bad, check_value, is_number, unknown

__all__ = ["AXES", "TUNABLE", "AxisOrValue", "Grid", "LogAxis"]


@dataclass(frozen=True)
class LogAxis:
    """An axis of positive values: ``n`` of them evenly spaced in the logarithm, both ends included.

    ``LogAxis.from_values`` makes one from values of your own (powers of two, say).

    Args:
        lo: first value, > 0.
        hi: last value, > lo.
        n: number of values, >= 2.
        points: the values themselves where they were given, else None.

    Raises:
        ValueError: an end is not a positive finite number, lo >= hi, or n < 2.
    """

    lo: float
    hi: float
    n: int = 100
    points: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        for end, value in (("lo", self.lo), ("hi", self.hi)):
            if not is_number(value) or value <= 0:
                raise bad(f"an axis' {end} must be a positive finite number", value, "a number such as 1e-3")
        if self.lo >= self.hi:
            raise bad("an axis needs lo < hi", (self.lo, self.hi), "the smaller end first")
        if isinstance(self.n, bool) or not isinstance(self.n, (int, np.integer)) or self.n < 2:
            raise bad("an axis needs n >= 2 values, a whole number", self.n, "n=2 or more")
        if self.n > MOST_VALUES:
            raise bad(f"an axis has {MOST_VALUES} values at the most", self.n, "n=100, say")
        object.__setattr__(self, "lo", float(self.lo))
        object.__setattr__(self, "hi", float(self.hi))
        object.__setattr__(self, "n", int(self.n))

    @classmethod
    def from_values(cls, values: Iterable[float]) -> LogAxis:
        """Return the axis of just these values: positive, finite, increasing, at least two."""
        try:
            given = values if isinstance(values, str) else tuple(values)
            points = tuple(math.nan if isinstance(v, str) else float(v) for v in given)
        except (TypeError, ValueError):
            raise bad("an axis' values are numbers", values, "numbers such as [32, 64, 128]") from None
        if any(isinstance(v, str) for v in given):
            raise bad("an axis' values are numbers", given, "numbers such as [32, 64, 128]")
        if len(points) < 2:
            raise bad("an axis needs two values or more", given, "at least two, or hold the axis with fixed=")
        if not all(math.isfinite(v) and v > 0 for v in points):
            raise bad("an axis' values must be positive and finite", given, "positive numbers such as 32, 64, 128")
        if any(a >= b for a, b in itertools.pairwise(points)):
            raise bad("an axis' values must increase", given, "them sorted, each once")
        return cls(points[0], points[-1], len(points), points)

    @cached_property
    def values(self) -> NDArray[np.float64]:
        """The values, increasing, read-only: shape (n,)."""
        if self.points is not None:
            values = np.array(self.points)
        else:
            values = 10.0 ** np.linspace(math.log10(self.lo), math.log10(self.hi), self.n)
            # The power of a rounded log misses the ends in the last digit, and a cap at an end would cut it off.
            values[0], values[-1] = self.lo, self.hi
        # One array serves every result of the axis.
        values.flags.writeable = False
        return values

    @cached_property
    def step(self) -> float:
        """The largest gap between neighbours in natural log: the axis' resolution h."""
        return float(np.diff(np.log(self.values)).max())

    def index(self, value: float) -> int:
        """Return the index of the axis value nearest to ``value`` in the logarithm."""
        if not is_number(value) or value <= 0:
            raise bad("an axis holds positive finite values", value, "a positive number")
        return int(np.abs(np.log(self.values) - math.log(value)).argmin())

    def __len__(self) -> int:
        return self.n


#: An axis, or the one value it is held at (which need not lie on any grid).
AxisOrValue = LogAxis | float


def _alpha_axis(beta: AxisOrValue) -> AxisOrValue:
    """What alpha is where beta is held, or takes given values."""
    if not isinstance(beta, LogAxis):
        return float(alpha_of(beta))
    if beta.points is None:
        instead = "alpha=LogAxis(0.001, 0.1), say, or beta=LogAxis.from_values([0.9, 0.99])"
        raise bad("a log range of beta is one of its complement", (beta.lo, beta.hi), instead)
    return LogAxis.from_values(alpha_of(beta.points))


@dataclass(frozen=True)
class Grid:
    """The box that a search covers: an axis, or one held value, for eta, b, alpha and a budget.

    A hyperparameter that a bound does not contain may be left out (None).

    Args:
        eta: learning rate, > 0.
        b: batch size in tokens, >= 1.
        alpha: momentum complement 1 - beta, in (0, 1].
        T: token budget, >= 1; or
        K: iterations, > 0. A grid has one of the two.
        beta: momentum, in [0, 1), in place of alpha: one value, or an axis of given values.

    Raises:
        ValueError: a value out of its range, or both budgets or neither.
    """

    eta: AxisOrValue | None = None
    b: AxisOrValue | None = None
    alpha: AxisOrValue | None = None
    T: AxisOrValue | None = None
    K: AxisOrValue | None = None
    beta: InitVar[AxisOrValue | None] = None

    def __post_init__(self, beta: AxisOrValue | None) -> None:
        if beta is not None:
            if self.alpha is not None:
                raise bad("momentum is given once, and beta is 1 - alpha", "alpha and beta", "one of the two")
            object.__setattr__(self, "alpha", _alpha_axis(beta))
        for name in AXES:
            entry = getattr(self, name)
            if isinstance(entry, LogAxis):
                check_value(name, entry.lo)
                check_value(name, entry.hi)
            elif entry is not None:
                object.__setattr__(self, name, check_value(name, entry))
        if (self.T is None) == (self.K is None):
            raise bad("a grid has one budget, T or K", {"T": self.T, "K": self.K}, "either T=... or K=...")

    @classmethod
    def footnote(cls, n: int = 100) -> Grid:
        """Return the grid of the paper's footnote 3, ``n`` values an axis.

        Source: Shulgin et al., footnote 3.
        """
        return cls(
            eta=LogAxis(1e-15, 1e4, n), b=LogAxis(1.0, 1e15, n), alpha=LogAxis(1e-10, 1.0, n), T=LogAxis(1e2, 1e22, n)
        )

    @classmethod
    def captions(cls, n: int = 100) -> Grid:
        """Return the grid that the labels of the paper's captions lie on, ``n`` values an axis.

        At n = 100 its nodes give the printed b = 32, 1072, 35111 (cut to integers),
        beta = 0.934, 0.999, 0.9999, and the smallest eta of Figures 10 and 11.

        Source: worked out from Shulgin et al., captions of Figures 1, 2 and 5 to 11.
        """
        return cls(
            eta=LogAxis(1e-10, 1.0, n), b=LogAxis(1.0, 1e15, n), alpha=LogAxis(1e-9, 1.0, n), T=LogAxis(1e2, 1e22, n)
        )

    @property
    def budget(self) -> str:
        """The name of the grid's budget: "T" or "K"."""
        return "T" if self.T is not None else "K"

    @cached_property
    def axes(self) -> dict[str, LogAxis]:
        """The axes that are not held, by name, in canonical order."""
        return {name: entry for name in AXES if isinstance(entry := getattr(self, name), LogAxis)}

    @cached_property
    def held(self) -> dict[str, float]:
        """The hyperparameters held at one value, by name, in canonical order."""
        return {name: entry for name in AXES if isinstance(entry := getattr(self, name), float)}

    def with_axes(self, **entries: AxisOrValue | None) -> Grid:
        """Return this grid with some entries replaced; a new budget takes the old one's place."""
        for name in entries:
            if name not in (*AXES, "beta"):
                raise unknown("axis", name, AXES)
        if entries.get("beta") is not None:
            entries.setdefault("alpha", None)
        # The new budget is said; that the old one goes is not.
        if entries.get("K") is not None:
            entries.setdefault("T", None)
        if entries.get("T") is not None:
            entries.setdefault("K", None)
        return replace(self, **entries)

    def describe(self) -> Mapping[str, object]:
        """Return the grid as plain data, for a record on disk."""
        ranges: dict[str, object] = {
            name: {"lo": axis.lo, "hi": axis.hi, "n": axis.n} if axis.points is None else {"values": list(axis.points)}
            for name, axis in self.axes.items()
        }
        return ranges | self.held
