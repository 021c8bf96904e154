"""The works by NumExpr, one T at a time: it evaluates an expression, NumPy finds the least.

As printed, it computes every part of eq. (4) for every cell: it has no smaller arrays for what varies
along one axis. The form factored by hand asks for less of that.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numexpr
import numpy as np
from numpy.typing import NDArray

from hpgrid.bench.problem import C1, C2, C3, FACTORED, PRINTED, Loaded, axes_of, open_axes
from hpgrid.bench.with_numpy import factored, factored_order, least, per_budget
from hpgrid.bench.works import HYPERPARAMETERS, WORKS
from hpgrid.grid import Grid


def load_printed(work: str, grid: Grid) -> Loaded:
    """Return a work by eq. (4) as printed."""
    asked = WORKS[work]
    risk_at = _evaluator(PRINTED.replace("np.", ""), grid, asked.order)  # NumExpr has a sqrt of its own

    def best_at(t: float) -> tuple[Any, ...]:
        return least(risk_at(t), len(asked.over))

    return Loaded(partial(per_budget, best_at, axes_of(grid)[-1]), _threads())


def load_factored(work: str, grid: Grid) -> Loaded:
    """Return a work by the part with eta first, its argmin along eta, then the rest by NumPy; eta lies last."""
    part_at = _evaluator(FACTORED, grid, factored_order(-1, work))
    return Loaded(factored(part_at, -1, work, grid), _threads())


def _threads() -> str:
    return f"{numexpr.nthreads} threads"


def _evaluator(text: str, grid: Grid, order: tuple[str, ...]) -> Callable[[float], NDArray[np.float64]]:
    """Return what evaluates an expression over all cells of one T, into one array that is used again."""
    names: dict[str, Any] = dict(zip(HYPERPARAMETERS, open_axes(grid, order))) | {"C1": C1, "C2": C2, "C3": C3}
    values = np.empty([len(grid.axes[name]) for name in order])

    def evaluate(t: float) -> NDArray[np.float64]:
        numexpr.evaluate(text, names | {"T": t}, out=values)
        return values

    return evaluate
