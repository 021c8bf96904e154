"""The combinations of a sweep as arrays, and the blocks that its work goes in."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from hpgrid.grid import LogAxis
from hpgrid.shapes import Floats as Array
from hpgrid.sweeps.plan import Plan

#: Combinations in a block, where nobody says otherwise: two seconds' work on two cores, which is what a kill loses;
#: writing a block takes a tenth of one.
BLOCK = 1024


@dataclass(frozen=True)
class Combinations:
    """What is swept, laid out as the axes of the result.

    Attributes:
        dims: the axes of the result that combinations make: what is swept, or "row".
        shape: their lengths.
        columns: by swept name, its values: shape (length of its axis,), or (rows,).
        block: how much of each axis a block takes.
    """

    dims: tuple[str, ...]
    shape: tuple[int, ...]
    columns: Mapping[str, Array]
    block: tuple[int, ...]

    @property
    def blocks(self) -> tuple[int, ...]:
        """How many blocks there are along each axis."""
        return tuple(-(-n // side) for n, side in zip(self.shape, self.block))

    def corners(self) -> Iterator[tuple[slice, ...]]:
        """Yield where each block lies, in order of its number."""
        for place in itertools.product(*(range(n) for n in self.blocks)):
            yield tuple(slice(k * s, min((k + 1) * s, n)) for k, s, n in zip(place, self.block, self.shape))

    def values(self, where: tuple[slice, ...]) -> dict[str, Array]:
        """Return by swept name its value in every combination of a block, row-major: shape (n,)."""
        if self.dims == ("row",):
            return {name: column[where[0]] for name, column in self.columns.items()}
        parts = [column[part] for column, part in zip(self.columns.values(), where)]
        mesh = np.meshgrid(*parts, indexing="ij")
        return {name: whole.ravel() for name, whole in zip(self.columns, mesh)}

    def extremes(self) -> dict[str, Array]:
        """Return by swept name its value where any is least or largest: what is refused of a sweep is refused there.

        Of all combinations those of the ends; of rows the ones in which some column ends.
        """
        ends = {name: [int(column.argmin()), int(column.argmax())] for name, column in self.columns.items()}
        if self.dims == ("row",):
            rows = sorted({k for each in ends.values() for k in each})
            return {name: column[rows] for name, column in self.columns.items()}
        corners = itertools.product(*({*each} for each in ends.values()))
        places = np.array(list(corners))
        return {name: column[places[:, k]] for k, (name, column) in enumerate(self.columns.items())}


def lay_out(plan: Plan, block: int = BLOCK) -> Combinations:
    """Return a plan's combinations in blocks of at most ``block``.

    Args:
        plan: the sweep.
        block: the most combinations of a block.
    """
    columns = {name: _values(given) for name, given in plan.swept.items()}
    if plan.combine == "rows":
        n = plan.combinations
        return Combinations(("row",), (n,), columns, (min(block, n),))
    shape = tuple(len(column) for column in columns.values())
    return Combinations(tuple(columns), shape, columns, _sides(shape, block))


def _values(given: object) -> Array:
    if isinstance(given, Mapping):
        return np.array(LogAxis(given["lo"], given["hi"], given["n"]).values)
    return np.array(given, float)


def _sides(shape: tuple[int, ...], block: int) -> tuple[int, ...]:
    """The sides of a block: whole axes from the last one on, as far as they fit."""
    sides = []
    for n in reversed(shape):
        side = math.ceil(n / math.ceil(n / min(n, block)))
        sides.append(side)
        block = max(1, block // side)
    return tuple(reversed(sides))
