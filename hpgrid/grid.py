"""Axes and grids: where a bound is evaluated, and the grids of the paper."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hpgrid.checks import MOST_VALUES, alpha_of, bad, is_number, unknown, unwrapped
from hpgrid.variables import AXES, STANDARD, TUNABLE, Space

__all__ = ["AXES", "TUNABLE", "AxisOrValue", "Grid", "LogAxis"]


@dataclass(frozen=True, repr=False)
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

    def __repr__(self) -> str:
        ends = f"{self.lo:g}, {self.hi:g}"
        return f"LogAxis({ends}, {self.n})" if self.points is None else f"LogAxis({self.n} values, {ends})"

    def __post_init__(self) -> None:
        for end, value in (("lo", self.lo), ("hi", self.hi)):
            if not is_number(value) or value <= 0:
                raise bad(f"an axis' {end} must be a positive finite number", value, "a number such as 1e-3")
        if self.lo >= self.hi:
            raise bad("an axis needs lo < hi", (self.lo, self.hi), "the smaller end first")
        n = unwrapped(self.n)
        if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 2:
            raise bad("an axis needs n >= 2 values, a whole number", self.n, "n=2 or more")
        if n > MOST_VALUES:
            raise bad(f"an axis has {MOST_VALUES} values at the most", self.n, "n=100, say")
        object.__setattr__(self, "lo", float(self.lo))
        object.__setattr__(self, "hi", float(self.hi))
        object.__setattr__(self, "n", int(n))

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

    def whole(self) -> LogAxis:
        """Return the axis of the whole numbers that are nearest to its values, each once."""
        whole = np.unique(np.rint(self.values))
        if np.array_equal(whole, self.values):
            return self
        return LogAxis.from_values(float(x) for x in whole)

    def __len__(self) -> int:
        return self.n


#: An axis, or the one value it is held at (which need not lie on any grid).
AxisOrValue = LogAxis | float


def _complement_axis(name: str, given: Any) -> Any:
    """What alpha is where beta is held, or takes given values; likewise of other complements."""
    if not isinstance(given, LogAxis):
        return alpha_of(given, name)
    if given.points is None:
        instead = "alpha=LogAxis(0.001, 0.1), say, or beta=LogAxis.from_values([0.9, 0.99])"
        raise bad(f"a log range of {name} is one of its complement", (given.lo, given.hi), instead)
    return LogAxis.from_values(alpha_of(given.points, name))


@dataclass(frozen=True, init=False, repr=False)
class Grid:
    """The box that a search covers: an axis, or one held value, for each hyperparameter and one budget.

    A hyperparameter that a bound does not contain may be left out. ``grid.eta`` is the axis or value of eta.

    Args:
        space: the variables of the bound; the standard ones, eta > 0, b >= 1, alpha in (0, 1], T >= 1 and K > 0, unless
            it declares others.
        entries: by name the axis, a list of its values, or the one value of each; beta in place of alpha: one value, or
            given values.

    Raises:
        ValueError: a value out of its range, several budgets or none.
    """

    entries: tuple[tuple[str, AxisOrValue], ...]
    space: Space

    def __init__(self, space: Space = STANDARD, **entries: AxisOrValue | ArrayLike | None) -> None:
        given: dict[str, Any] = {name: unwrapped(entry) for name, entry in entries.items() if entry is not None}
        for other, name in space.complements.items():
            if other in given and name in given:
                momentum = "momentum is given once, and beta is 1 - alpha"
                rule = momentum if other == "beta" else f"{name} is given once, and {other} is 1 - {name}"
                raise bad(rule, f"{name} and {other}", "one of the two")
            if other in given:
                given[name] = _complement_axis(other, given.pop(other))
        for name, entry in given.items():
            if name not in space.all:
                raise unknown("axis", name, space.names)
            if isinstance(entry, (list, tuple)):
                entry = LogAxis.from_values([space.given(name, value) for value in entry])
            if isinstance(entry, LogAxis):
                space.check(name, entry.lo)
                space.check(name, entry.hi)
                given[name] = entry.whole() if space.all[name].whole else entry
            else:
                given[name] = space.given(name, entry)
        budgets = {name: given.get(name) for name in space.budget_names}
        if sum(entry is not None for entry in budgets.values()) != 1:
            either = " or ".join(f"{name}=..." for name in budgets)
            raise bad(f"a grid has one budget, {' or '.join(budgets)}", budgets, f"either {either}")
        object.__setattr__(self, "entries", tuple((name, given[name]) for name in space.ordered(given)))
        object.__setattr__(self, "space", space)

    def __repr__(self) -> str:
        return f"Grid({', '.join(f'{name}={entry}' for name, entry in self.entries)})"

    def __getattr__(self, name: str) -> Any:
        # Not of what a copy or a pickle asks before there are entries.
        if not name.startswith("_") and "entries" in vars(self) and name in self.space.all:
            return dict(self.entries).get(name)
        raise AttributeError(f"a grid has no {name}")

    @classmethod
    def footnote(cls, n: int = 100, space: Space = STANDARD, budget: str | None = None) -> Grid:
        """Return the grid of the paper's footnote 3, ``n`` values an axis; of other variables 15 decades of theirs.

        Source: Shulgin et al., footnote 3.
        """
        own = {"eta": (1e-15, 1e4), "b": (1.0, 1e15), "alpha": (1e-10, 1.0), "T": (1e2, 1e22), "K": (1e2, 1e16)}
        return cls._preset(own, n, space, budget)

    @classmethod
    def _preset(cls, own: Mapping[str, tuple[float, float]], n: int, space: Space, budget: str | None) -> Grid:
        """A grid with some ranges, and of what is declared anew ranges of its own."""
        axes = {}
        for name in (*space.hyperparameters, budget or space.budget_names[0]):
            variable = space.all[name]
            lo, hi = own["T" if name in space.budget_names else "eta"]
            if variable.low > 0:
                lo = max(variable.low, lo) if name in space.budget_names else variable.low
                hi = min(variable.high, max(hi, 1e15 * lo))
            elif variable.high < math.inf:
                lo, hi = 1e-10 * variable.high, variable.high
            if variable == STANDARD.all.get(name):
                lo, hi = own[name]
            # An end that is none of the range is a step inside it.
            axes[name] = LogAxis(max(lo, variable.least), min(hi, variable.most), n)
        return cls(space, **axes)

    @classmethod
    def captions(cls, n: int = 100, space: Space = STANDARD, budget: str | None = None) -> Grid:
        """Return the grid that the labels of the paper's captions lie on, ``n`` values an axis.

        At n = 100 its nodes give the printed b = 32, 1072, 35111 (cut to integers),
        beta = 0.934, 0.999, 0.9999, and the smallest eta of Figures 10 and 11.

        Source: worked out from Shulgin et al., captions of Figures 1, 2 and 5 to 11.
        """
        own = {"eta": (1e-10, 1.0), "b": (1.0, 1e15), "alpha": (1e-9, 1.0), "T": (1e2, 1e22), "K": (1e2, 1e16)}
        return cls._preset(own, n, space, budget)

    @property
    def budget(self) -> str:
        """The name of the grid's budget: "T", "K", or one that is declared."""
        return next(name for name, _ in self.entries if name in self.space.budget_names)

    @cached_property
    def axes(self) -> dict[str, LogAxis]:
        """The axes that are not held, by name, in canonical order."""
        return {name: entry for name, entry in self.entries if isinstance(entry, LogAxis)}

    @cached_property
    def held(self) -> dict[str, float]:
        """The hyperparameters held at one value, by name, in canonical order."""
        return {name: entry for name, entry in self.entries if isinstance(entry, float)}

    def with_axes(self, **entries: AxisOrValue | ArrayLike | None) -> Grid:
        """Return this grid with some entries replaced; a new budget takes the old one's place."""
        space = self.space
        for name in entries:
            if name not in (*space.all, *space.complements):
                raise unknown("axis", name, space.names)
        for other, name in space.complements.items():
            if entries.get(other) is not None:
                entries.setdefault(name, None)
        # The new budget is said; that the old one goes is not.
        if any(entries.get(name) is not None for name in space.budget_names):
            entries = {**dict.fromkeys(space.budget_names), **entries}
        return Grid(space, **{**dict(self.entries), **entries})

    def over(self, space: Space) -> Grid:
        """Return this grid for a bound with variables of its own: what it lacks is left out."""
        return self if space == self.space else Grid(space, **{n: e for n, e in self.entries if n in space.all})

    def describe(self) -> Mapping[str, object]:
        """Return the grid as plain data, for a record on disk."""
        ranges: dict[str, object] = {
            name: {"lo": axis.lo, "hi": axis.hi, "n": axis.n} if axis.points is None else {"values": list(axis.points)}
            for name, axis in self.axes.items()
        }
        return ranges | self.held
