"""The works by NumExpr, one T at a time: it evaluates eq. (4) as printed, NumPy finds the least."""

from __future__ import annotations

from functools import partial
from typing import Any

import numexpr
import numpy as np

from hpgrid.bench.problem import C1, C2, C3, PRINTED, Loaded, axes_of, open_axes
from hpgrid.bench.with_numpy import least, per_budget
from hpgrid.bench.works import WORKS
from hpgrid.grid import Grid

#: NumExpr has a sqrt of its own.
EXPRESSION = PRINTED.replace("np.", "")


def load(work: str, grid: Grid) -> Loaded:
    """Return a work by NumExpr's threads, and one of NumPy's for the least."""
    order, reduced = WORKS[work].order, len(WORKS[work].over)
    names = dict(zip(("eta", "b", "alpha"), open_axes(grid, order))) | {"C1": C1, "C2": C2, "C3": C3}
    T = axes_of(grid)[-1]
    risk = np.empty([len(grid.axes[name]) for name in order])

    def best_at(t: float) -> tuple[Any, ...]:
        numexpr.evaluate(EXPRESSION, names | {"T": t}, out=risk)
        return least(risk, reduced)

    return Loaded(partial(per_budget, best_at, T), f"{numexpr.nthreads} threads")
