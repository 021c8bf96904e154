"""Linear algebra over fractions, for a handful of variables."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

Vector = tuple[Fraction, ...]


class Pivot(NamedTuple):
    """One row of a reduced echelon form.

    Attributes:
        column: where the row has its leading 1.
        row: the row.
        combination: the row as a combination of the rows that were given.
    """

    column: int
    row: Vector
    combination: Vector


def vector(numbers: Sequence[int | Fraction]) -> Vector:
    """Return numbers as exact fractions."""
    return tuple(Fraction(x) for x in numbers)


def unit(index: int, width: int, scale: int = 1) -> Vector:
    """Return ``scale`` times the unit vector of one variable."""
    return vector([scale * (k == index) for k in range(width)])


def dot(left: Sequence[Fraction], right: Sequence[Fraction]) -> Fraction:
    """Return the scalar product."""
    return sum((x * y for x, y in zip(left, right, strict=True) if x and y), Fraction(0))


def move(point: Vector, direction: Sequence[Fraction], step: Fraction | int = 1) -> Vector:
    """Return point + step direction."""
    return tuple(x + step * d for x, d in zip(point, direction, strict=True))


def span(basis: Sequence[Vector], coordinates: Sequence[Fraction], width: int) -> Vector:
    """Return the vector with these coordinates in a basis."""
    total = vector([0] * width)
    for direction, coordinate in zip(basis, coordinates, strict=True):
        total = move(total, direction, coordinate)
    return total


def echelon(rows: Sequence[Vector]) -> tuple[Pivot, ...]:
    """Return the reduced echelon form of some rows; dependent rows drop out."""
    found: list[Pivot] = []
    for index, given in enumerate(rows):
        row, combination = given, unit(index, len(rows))
        for pivot in found:
            factor = -row[pivot.column]
            row, combination = move(row, pivot.row, factor), move(combination, pivot.combination, factor)
        column = next((k for k, x in enumerate(row) if x), None)
        if column is None:
            continue
        scale = 1 / row[column]
        new = Pivot(column, tuple(scale * x for x in row), tuple(scale * x for x in combination))
        found = [*(_cleared(pivot, new) for pivot in found), new]
    return tuple(sorted(found))


def _cleared(pivot: Pivot, new: Pivot) -> Pivot:
    factor = -pivot.row[new.column]
    return Pivot(pivot.column, move(pivot.row, new.row, factor), move(pivot.combination, new.combination, factor))


def rank(rows: Sequence[Vector]) -> int:
    """Return how many of the rows are independent."""
    return len(echelon(rows))


def null_space(rows: Sequence[Vector], width: int) -> tuple[Vector, ...]:
    """Return a basis of the directions that are orthogonal to every row, in small whole numbers."""
    pivots = echelon(rows)
    taken = {pivot.column for pivot in pivots}
    basis = []
    for free in (k for k in range(width) if k not in taken):
        entries = {pivot.column: -pivot.row[free] for pivot in pivots} | {free: Fraction(1)}
        basis.append(primitive([entries.get(k, Fraction(0)) for k in range(width)]))
    return tuple(basis)


def coordinates(rows: Sequence[Vector], target: Vector) -> Vector | None:
    """Return y with sum_k y_k rows_k = target, or None where there is none."""
    total, residual = vector([0] * len(rows)), target
    for pivot in echelon(rows):
        factor = target[pivot.column]
        total, residual = move(total, pivot.combination, factor), move(residual, pivot.row, -factor)
    return None if any(residual) else total


def primitive(direction: Sequence[Fraction]) -> Vector:
    """Return the shortest vector of whole numbers along a direction."""
    denominator = math.lcm(*(x.denominator for x in direction))
    numbers = [int(x * denominator) for x in direction]
    divisor = math.gcd(*numbers) or 1
    return vector([x // divisor for x in numbers])
