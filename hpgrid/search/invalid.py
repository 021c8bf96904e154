"""Where a bound does not hold: the cells of a grid at which a function is negative, nought, infinite or no number."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from hpgrid.progress import foresee, track
from hpgrid.proxy import FunctionProxy
from hpgrid.search.brute import SearchPlan
from hpgrid.search.tables import CELL_BYTES
from hpgrid.text import number

#: What a value can be that is none of a bound, and how it is told, in this order.
KINDS: dict[str, Callable[[Any], Any]] = {
    "negative": lambda risk: risk < 0,
    "nought": lambda risk: risk == 0,
    "infinite": lambda risk: risk == np.inf,
    "no number": np.isnan,
}


@dataclass(frozen=True)
class Invalid:
    """The cells of a grid, inside the bound's domain, at which the bound does not hold; they never win.

    Attributes:
        counts: how many they are, by kind, of those kinds that there are.
        cells: how many cells the grid has.
        box: the smallest box that holds all of them: for each axis that it does not span, the ends, None where it
            goes to the end of the axis.
    """

    counts: Mapping[str, int]
    cells: int
    box: Mapping[str, tuple[float | None, float | None]]

    def text(self) -> str:
        """Return "negative at 312,000 of 1,000,000 cells, all with eta >= 2.26: the bound does not hold there"."""
        kinds = " and ".join(f"{kind} at {count:,}" for kind, count in self.counts.items())
        where = ", ".join(_between(name, *ends) for name, ends in self.box.items())
        return f"{kinds} of {self.cells:,} cells{where and f', all with {where}'}: the bound does not hold there"

    def as_dict(self) -> dict[str, Any]:
        """Return the same as plain data."""
        return {**self.counts, "cells": self.cells, "box": {name: list(ends) for name, ends in self.box.items()}}


def _between(name: str, lo: float | None, hi: float | None) -> str:
    if lo == hi and lo is not None:
        return f"{name} = {number(lo)}"
    ends = [f"{name} {sign} {number(end)}" for sign, end in ((">=", lo), ("<=", hi)) if end is not None]
    return " and ".join(ends)


def invalid_cells(plan: SearchPlan) -> Invalid | None:
    """Return where the bound of a search does not hold, or None where it does everywhere: as a sum of powers.

    A function is evaluated at every cell once more, by NumPy, a value of the first axis at a time.
    """
    if not isinstance(plan.proxy, FunctionProxy):
        return None
    proxy, (first, *others) = plan.proxy.everywhere(), plan.axes
    counts = dict.fromkeys(KINDS, 0)
    there = {name: np.zeros(len(values), bool) for name, values in plan.axes.items()}
    shape, n = tuple(len(plan.axes[name]) for name in others), len(plan.axes[first])
    mesh = dict(zip(others, np.ix_(*map(np.arange, shape))))
    work, size = f"{n * math.prod(shape):.3g} cells of a function", CELL_BYTES * math.prod(shape)
    foresee(work, 0.0, size, at_least=True)
    begun = time.perf_counter()
    for k in track(range(n), "looking where the bound holds"):
        if k == 1:
            foresee(work, (time.perf_counter() - begun) * n, size)
        cells: dict[str, Any] = {first: k, **mesh}
        with np.errstate(all="ignore"):
            risk = np.broadcast_to(proxy.risk(**plan.at(cells)), shape)
        inside, wrong = plan.allows(cells), np.zeros(shape, bool)
        for kind, is_so in KINDS.items():
            found = is_so(risk) & inside
            counts[kind] += int(found.sum())
            wrong |= found
        there[first][k] = wrong.any()
        for axis, name in enumerate(others):
            there[name] |= wrong.any(axis=tuple(k for k in range(len(others)) if k != axis))
    if not any(counts.values()):
        return None
    idle = math.prod(len(values) for values in plan.unused_axes.values())
    box = {}
    for name, some in there.items():
        lo, hi = (int(k) for k in np.flatnonzero(some)[[0, -1]])
        values = plan.axes[name]
        ends = (float(values[lo]) if lo > 0 else None, float(values[hi]) if hi < len(values) - 1 else None)
        if ends != (None, None):
            box[name] = ends
    whole = idle * n * math.prod(shape)
    return Invalid({kind: count * idle for kind, count in counts.items() if count}, whole, box)
