"""Exact linear programs: against scipy, and against their own certificates."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from scipy.optimize import linprog

from hpgrid.asymptotics.linear import Solution, certify, coordinates, dot, minimise, null_space, primitive, vector


def fractions(numbers: np.ndarray, denominators: np.ndarray) -> list[Fraction]:
    return [Fraction(int(n), int(d)) for n, d in zip(numbers.ravel(), denominators.ravel())]


def exponents_program(seed: int) -> tuple[tuple, list, list]:
    """min r with a_j . p + t_j <= r: a random posynomial, r counted from the largest t_j."""
    draw = np.random.default_rng(seed)
    width, count = int(draw.integers(1, 4)), int(draw.integers(2, 9))
    rows = [(*fractions(draw.integers(-4, 5, width), draw.integers(1, 5, width)), Fraction(-1)) for _ in range(count)]
    shifts = fractions(draw.integers(-4, 1, count), draw.integers(1, 5, count))
    bounds = [tuple(Fraction(int(k == j)) for j in range(width + 1)) for k in range(width) if draw.random() < 0.5]
    limits = [max(shifts) - t for t in shifts] + [Fraction(0)] * len(bounds)
    return vector([0] * width + [1]), rows + bounds, limits


@pytest.mark.parametrize("first", range(0, 200, 50))
def test_it_agrees_with_scipy_on_random_posynomials(first: int) -> None:
    """HiGHS solves to a residual of 1e-7, which is the tolerance here; ours is exact."""
    outcomes = set()
    for seed in range(first, first + 50):
        cost, rows, limits = exponents_program(seed)
        ours = minimise(cost, rows, limits)
        theirs = linprog(*(np.array(x, float) for x in (cost, rows, limits)), bounds=(None, None))
        outcomes.add(theirs.status)
        assert (theirs.status == 3) == bool(ours.ray)
        if ours.ray:
            assert dot(cost, ours.ray) < 0
            assert all(dot(row, ours.ray) <= 0 for row in rows)
        else:
            assert theirs.status == 0
            assert abs(float(ours.value) - theirs.fun) <= 1e-7
    assert outcomes == {0, 3}


#: min r with x <= r, -x - 1 <= r, 2 x - 2 <= r.
PROGRAM = vector([0, 1]), [vector(r) for r in ([1, -1], [-1, -1], [2, -1])], vector([0, 1, 2])


def test_the_certificate_proves_the_optimum() -> None:
    best = minimise(*PROGRAM)
    assert (best.value, best.point) == (Fraction(-1, 2), vector([Fraction(-1, 2), Fraction(-1, 2)]))
    assert best.dual == HALVES
    certify(best, *PROGRAM)


HALVES = vector([Fraction(1, 2), Fraction(1, 2), 0])
WRONG = {
    "not optimal": Solution(vector([0, 0]), Fraction(0), HALVES),
    "not balanced": Solution(vector([Fraction(-1, 2)] * 2), Fraction(-1, 2), vector([1, 0, 0])),
    "infeasible": Solution(vector([-1, -1]), Fraction(-1), HALVES),
    "negative": Solution(vector([Fraction(-1, 2)] * 2), Fraction(-1, 2), vector([Fraction(4, 3), 0, Fraction(-1, 3)])),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_certificate_is_refused_and_so_is_an_origin_that_is_not_feasible(wrong: str) -> None:
    with pytest.raises(ArithmeticError, match="certificate"):
        certify(WRONG[wrong], *PROGRAM)
    with pytest.raises(ArithmeticError, match="origin"):
        minimise(vector([1]), [vector([1])], [Fraction(-1)])


def test_null_space_and_coordinates_are_exact() -> None:
    rows = [vector([-1, 1, 0]), vector([0, Fraction(-1, 2), Fraction(1, 2)]), vector([1, 0, -1])]
    assert null_space(rows, 3) == (vector([1, 1, 1]),)
    assert null_space((), 2) == (vector([1, 0]), vector([0, 1]))
    found = coordinates(rows, vector([-1, 0, 1]))
    assert found is not None
    assert [dot(found, column) for column in zip(*rows)] == [-1, 0, 1]
    assert coordinates(rows, vector([1, 0, 0])) is None
    assert primitive([Fraction(1, 2), Fraction(-3, 4)]) == vector([2, -3])
