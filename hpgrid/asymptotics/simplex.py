"""Linear programs over fractions: exact optimum, exact certificate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from hpgrid.asymptotics.linear import Vector, dot, unit


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
    while (entering := next((k for k, x in enumerate(reduced[:-1]) if x < 0), None)) is not None:
        leaving = _leaving(table, basis, entering)
        if leaving is None:
            point = _point(table, basis, width)
            return Solution(point, dot(cost, point), ray=_ray(table, basis, entering, width))
        _pivot(table, reduced, leaving, entering)
        basis[leaving] = entering
    point = _point(table, basis, width)
    solution = Solution(point, dot(cost, point), dual=tuple(reduced[2 * width : -1]))
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


def _leaving(table: list[list[Fraction]], basis: list[int], entering: int) -> int | None:
    """The row that first reaches zero; of equals, the one with the smallest variable."""
    ratios = [(row[-1] / row[entering], basis[k], k) for k, row in enumerate(table) if row[entering] > 0]
    return min(ratios)[2] if ratios else None


def _pivot(table: list[list[Fraction]], reduced: list[Fraction], leaving: int, entering: int) -> None:
    scale = table[leaving][entering]
    pivot = [x / scale if x else x for x in table[leaving]]
    table[leaving] = pivot
    for row in (*(row for k, row in enumerate(table) if k != leaving), reduced):
        factor = row[entering]
        if factor:
            row[:] = [x - factor * y if y else x for x, y in zip(row, pivot)]


def _point(table: list[list[Fraction]], basis: list[int], width: int) -> Vector:
    values = {variable: table[k][-1] for k, variable in enumerate(basis)}
    return _difference(values, width)


def _ray(table: list[list[Fraction]], basis: list[int], entering: int, width: int) -> Vector:
    values = {variable: -table[k][entering] for k, variable in enumerate(basis)}
    return _difference(values | {entering: Fraction(1)}, width)


def _difference(values: dict[int, Fraction], width: int) -> Vector:
    zero = Fraction(0)
    return tuple(values.get(k, zero) - values.get(width + k, zero) for k in range(width))
