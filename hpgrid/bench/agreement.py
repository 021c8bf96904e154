"""Whether contenders agree: index for index where the best is clear, in value everywhere.

Two ways of computing one bound differ in the last bits, and then a tie, or what is nearly one, may go
either way. So an index counts only where the runner-up is more than 8 eps above the best.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hpgrid.bench.problem import Found, axes_of, bound, open_axes, unravel
from hpgrid.bench.works import WORKS
from hpgrid.grid import Grid

EPS = float(np.finfo(np.float64).eps)

#: How far apart two values may be, and how far above the best a runner-up is told from it: relative.
TOLERANCE = 8 * EPS


@dataclass(frozen=True)
class Reference:
    """The answer that contenders are held against.

    Attributes:
        found: the best risk and its indices.
        clear: where the runner-up is more than 8 eps above the best; of the shape of the risk.
    """

    found: Found
    clear: NDArray[np.bool_]


@dataclass(frozen=True)
class Agreement:
    """How one contender's answer compares with the reference.

    Attributes:
        cells: how many cells the answer has.
        clear: in how many of them the runner-up is more than 8 eps above the best.
        wrong_indices: clear cells with another index on some axis: none, if the two agree.
        wrong_values: cells whose values are more than 8 eps apart: none, if the two agree.
        other_indices: cells that are not clear and have another index: a tie that went elsewhere.
        largest_eps: the largest relative difference of the values, in eps.
    """

    cells: int
    clear: int
    wrong_indices: int
    wrong_values: int
    other_indices: int
    largest_eps: float

    @property
    def holds(self) -> bool:
        """Whether the two agree."""
        return self.wrong_indices == self.wrong_values == 0


def reference(work: str, grid: Grid) -> Reference:
    """Return the answer by eq. (4) as printed, and where its best is clear; one T at a time."""
    asked = WORKS[work]
    cell = open_axes(grid, asked.order)
    results = []
    for t in axes_of(grid)[-1]:
        risk = bound(np.sqrt, *cell, t)
        results.append(_best_two(risk.reshape(-1, *risk.shape[len(asked.over) :])))
    best, place, runner_up = (np.moveaxis(np.array(part), 0, -1) for part in zip(*results))
    return Reference(Found(best, unravel(place, grid, asked)), runner_up > best * (1 + TOLERANCE))


def _best_two(risk: NDArray[np.float64]) -> tuple[Any, Any, Any]:
    """Return the least along the first axis, its first place, and the least of the others."""
    place = risk.argmin(0)
    best = np.take_along_axis(risk, place[None], 0)[0]
    np.put_along_axis(risk, place[None], np.inf, 0)
    return best, place, risk.min(0)


def compare(found: Found, against: Reference) -> Agreement:
    """Return how an answer compares with the reference.

    Raises:
        ValueError: the two have different shapes, so that they answer different questions.
    """
    expected = against.found
    if found.risk.shape != expected.risk.shape or len(found.index) != len(expected.index):
        raise ValueError(f"an answer of shape {found.risk.shape}, where {expected.risk.shape} was asked for")
    apart = np.abs(found.risk - expected.risk) / expected.risk
    other = np.zeros(expected.risk.shape, bool)
    for mine, theirs in zip(found.index, expected.index):
        other |= mine != theirs
    return Agreement(
        cells=other.size,
        clear=int(against.clear.sum()),
        wrong_indices=int((other & against.clear).sum()),
        wrong_values=int((~(apart <= TOLERANCE)).sum()),  # NaN is wrong, too
        other_indices=int((other & ~against.clear).sum()),
        largest_eps=float(apart.max() / EPS),
    )
