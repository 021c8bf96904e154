"""Linear algebra and linear programs over fractions, for a handful of variables: exact, with a certificate."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
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
    pivots: list[Pivot] = []
    for index, given in enumerate(rows):
        row, combination = given, unit(index, len(rows))
        for pivot in pivots:
            factor = -row[pivot.column]
            row, combination = move(row, pivot.row, factor), move(combination, pivot.combination, factor)
        column = next((k for k, x in enumerate(row) if x), None)
        if column is None:
            continue
        scale = 1 / row[column]
        new = Pivot(column, tuple(scale * x for x in row), tuple(scale * x for x in combination))
        for k, pivot in enumerate(pivots):  # clear the new column in the rows before it
            factor = -pivot.row[column]
            cleared = move(pivot.row, new.row, factor), move(pivot.combination, new.combination, factor)
            pivots[k] = Pivot(pivot.column, *cleared)
        pivots.append(new)
    return tuple(sorted(pivots))


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


@dataclass(frozen=True)
class Solution:
    """A solved program.

    Attributes:
        point: an optimal point; where the program is unbounded, a feasible one.
        value: cost . point.
        dual: one multiplier >= 0 per row, the proof that no point is better; empty where unbounded.
        ray: a direction along which the cost falls without end; empty where bounded.
    """

    point: Vector
    value: Fraction
    dual: Vector = ()
    ray: Vector = ()


def minimise(cost: Vector, rows: Sequence[Vector], limits: Sequence[Fraction]) -> Solution:
    """Return the minimum of cost . x over the free x with rows . x <= limits.

    The simplex method on x = u - v, u, v >= 0, by Bland's rule, which never cycles. It starts at
    the origin.

    Args:
        cost: one coefficient per variable.
        rows: one row of coefficients per constraint.
        limits: what each row must not exceed, >= 0: callers shift their problem so.
    """
    if any(limit < 0 for limit in limits):
        raise ArithmeticError("the origin of a linear program must be feasible")
    width, count = len(cost), len(rows)
    table = [[*row, *(-x for x in row), *unit(k, count), limits[k]] for k, row in enumerate(rows)]
    reduced = [*cost, *(-x for x in cost), *([Fraction(0)] * (count + 1))]
    basis = [2 * width + k for k in range(count)]
    ray: Vector = ()
    while not ray and (entering := next((k for k, x in enumerate(reduced[:-1]) if x < 0), None)) is not None:
        # The row that first reaches zero; of equals, the one with the smallest variable.
        ratios = [(row[-1] / row[entering], basis[k], k) for k, row in enumerate(table) if row[entering] > 0]
        if not ratios:
            along = {variable: -row[entering] for variable, row in zip(basis, table)}
            ray = _difference({**along, entering: Fraction(1)}, width)
            continue
        leaving = min(ratios)[2]
        scale = table[leaving][entering]
        table[leaving] = pivot = [x / scale if x else x for x in table[leaving]]
        for row in (*table[:leaving], *table[leaving + 1 :], reduced):
            factor = row[entering]
            if factor:
                row[:] = [x - factor * y if y else x for x, y in zip(row, pivot)]
        basis[leaving] = entering
    point = _difference({variable: row[-1] for variable, row in zip(basis, table)}, width)
    solution = Solution(point, dot(cost, point), () if ray else tuple(reduced[2 * width : -1]), ray)
    if not ray:
        certify(solution, cost, rows, limits)
    return solution


def certify(solution: Solution, cost: Vector, rows: Sequence[Vector], limits: Sequence[Fraction]) -> None:
    """Check, exactly, that the dual proves the point optimal.

    Raises:
        ArithmeticError: it does not.
    """
    feasible = all(dot(row, solution.point) <= limit for row, limit in zip(rows, limits, strict=True))
    balanced = all(
        cost[k] + sum(y * row[k] for y, row in zip(solution.dual, rows, strict=True)) == 0 for k in range(len(cost))
    )
    tight = solution.value == dot(cost, solution.point) == -dot(limits, solution.dual)
    if not (feasible and balanced and tight and all(y >= 0 for y in solution.dual)):
        raise ArithmeticError("the certificate of a linear program does not hold")


def _difference(values: dict[int, Fraction], width: int) -> Vector:
    """x = u - v."""
    zero = Fraction(0)
    return tuple(values.get(k, zero) - values.get(width + k, zero) for k in range(width))
