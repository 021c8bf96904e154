"""Coordinates in which a posynomial's flat directions are seen exactly.

In the logs of the largest independent terms, taken as coordinates, a term that is the product of
larger ones has exactly cancelling entries: the gradient along a flat direction is then a sum over
small terms alone, and keeps their relative precision. Bounds that hold are rows like the terms' own.
The elimination is this route's own: it shares no code with the exact exponents that it is held against.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from itertools import combinations, permutations
from math import lcm
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hpgrid.checks import bad
from hpgrid.shapes import AnyArray, array_namespace

Row = tuple[Fraction, ...]

#: How both convex solves step (``newton``, ``profile``). Stop where every gradient entry is this small against the
#: sum of its terms' sizes.
GRADIENT = 1e-12

#: A bound is left where its multiplier has the wrong sign by more than rounding.
MULTIPLIER = 1e-14

#: The largest growth of a term's log in one step, in units of the temperature: e^3 is where the quadratic model of
#: its exponential ends; and a growth that is rounding alone, against the fall of other terms.
GROWTH, NO_GROWTH = 3.0, 1e-10

#: A sum whose log falls by more in a step falls as a whole.
FALLS = 0.5

MOST_STEPS = 400

#: Rows are kept as bits of one integer.
MOST_ROWS = 62


class Bases(NamedTuple):
    """Every choice of n rows among the terms', the unit rows of n variables and m walls; independent ones are a basis.

    The rows are numbered terms first, then variables, then walls: J + n + m = R of them. Of more than three variables
    there are too many choices to keep: the tables are empty, and a choice is worked out where it is asked for.
    """

    rows: NDArray[np.float64]  # the terms' exponents, shape (J, n)
    walls: NDArray[np.float64]  # those of products that may not be too large, shape (m, n)
    #: for k = 0 to n - 1, the rows that depend on k independent ones, as bits: (R^k,)
    spans: tuple[NDArray[np.int64], ...]
    place: NDArray[np.int64]  # which choice n rows are, shape (R^n,)
    terms: NDArray[np.float64]  # for each choice, every term's exponents in its coordinates, (S, J, n)
    variables: NDArray[np.float64]  # for each choice, every variable's exponents in its coordinates, (S, n, n)
    #: for each choice and coordinate, the variable that it is, or the wall, counted on from n; -1 for a term: (S, n)
    unit: NDArray[np.int64]


@lru_cache(maxsize=64)
def all_bases(rows: tuple[Row, ...], walls: tuple[Row, ...] = ()) -> Bases:
    """Return every basis of a posynomial, computed in exact integers; of more than three variables its rows alone.

    Args:
        rows: the exponents of the variables in each term.
        walls: those in each product of powers that is bounded.

    Raises:
        ValueError: there are too many terms.
    """
    J, n = len(rows), len(rows[0])
    R = J + n + len(walls)
    if R > MOST_ROWS:
        rule = f"refinement takes at most {MOST_ROWS - n} terms" + " and conditions" * bool(walls)
        raise bad(rule, J + len(walls), "a bound with fewer")
    if n > _TABLED:
        none = np.empty(0)
        kept = np.array(rows, float), np.array(walls, float).reshape(len(walls), n)
        return Bases(*kept, (), none.astype(int), none, none, none.astype(int))
    # The terms' and the unit rows times their common denominator, in three columns.
    scale = lcm(*(x.denominator for row in (*rows, *walls) for x in row))
    whole, of_walls = ([[int(x * scale) for x in row] + [0] * (3 - n) for row in each] for each in (rows, walls))
    whole += [*([scale * (i == k) for k in range(3)] for i in range(n)), *of_walls]
    largest = max(abs(x) for row in whole for x in row)
    # A determinant is at most 6 cubes: while those are exact as floats, their quotient is rounded once. Beyond,
    # Python's own integers are as exact, and slower.
    every: NDArray[Any] = np.array(whole, np.int64 if 6 * largest**3 < 2**53 else object)
    choices = np.array(list(combinations(range(R), n)))
    place = np.zeros((R,) * n, np.int64)
    for order in permutations(range(n)):
        place[tuple(choices[:, order].T)] = np.arange(len(choices))
    # Cramer's rule: a row r of the choice B has the coordinates r adj(B) / det(B), each divided once.
    fill = np.broadcast_to(every[J + n - 1, n - 1] * np.eye(3, dtype=every.dtype)[n:], (len(choices), 3 - n, 3))
    first, second, third = np.moveaxis(np.concatenate([every[choices], fill], axis=1), 1, 0)
    adjoint = np.stack([_cross(second, third), _cross(third, first), _cross(first, second)], axis=-1)
    determinant = (first * adjoint[..., 0]).sum(-1)
    # Dependent rows keep their place, empty and never asked for: the shapes hang on J and n alone.
    basis = determinant != 0
    coordinates = (every @ adjoint)[..., :n] / np.where(basis, determinant, 1)[:, None, None]
    coordinates = np.where(basis[:, None, None], coordinates, 0).astype(float)
    return Bases(
        np.array(rows, float),
        np.array(walls, float).reshape(len(walls), n),
        tuple(_spans(every, k) for k in range(n)),
        place.ravel(),
        coordinates[:, :J],
        coordinates[:, J : J + n],
        np.where(choices >= J, choices - J, -1),
    )


#: The most variables whose bases are kept in tables: R^n of them for R rows.
_TABLED = 3

#: A coordinate that is nought, of numbers of some size 1: exponents have few digits, and rounding is 1e-15 of them.
_NOUGHT = 1e-9


def coordinates(tables: Bases, scores: AnyArray) -> tuple[AnyArray, AnyArray, AnyArray]:
    """Return the basis of the rows with the largest scores that are independent, as a choice of ``Bases`` is.

    By elimination, elementwise: what the terms' and the variables' rows are in its coordinates, shapes (..., J, n) and
    (..., n, n), and which unit row each coordinate is, (..., n). A coordinate that is nought is exactly that.

    Args:
        tables: the rows.
        scores: of each row, shape (..., R).
    """
    xp = array_namespace(scores, tables.rows)
    J, n = tables.rows.shape
    rows = xp.concatenate([xp.asarray(tables.rows), xp.eye(n), xp.asarray(tables.walls)])
    rest = xp.broadcast_to(rows, (*scores.shape, n))
    found = xp.zeros((*scores.shape, 0))
    picks = []
    for _ in range(n):
        free = xp.abs(rest).max(-1) > _NOUGHT
        pick = xp.where(free, scores, -xp.inf).argmax(-1)[..., None, None]
        row = xp.take_along_axis(rest, pick, -2)
        column = xp.abs(row).argmax(-1)[..., None]
        ratio = xp.take_along_axis(rest, column, -1) / xp.take_along_axis(row, column, -1)
        ratio = xp.where(xp.abs(ratio) > _NOUGHT, ratio, 0.0)
        own = xp.take_along_axis(found, pick, -2)
        rest = rest - ratio * row
        found = xp.concatenate([found - ratio * own, ratio], axis=-1)
        picks.append(pick[..., 0, 0])
    found = xp.where(xp.abs(found) > _NOUGHT, found, 0.0)
    chosen = xp.stack(picks, axis=-1)
    return found[..., :J, :], found[..., J : J + n, :], xp.where(chosen >= J, chosen - J, -1)


def _cross(x: NDArray[Any], y: NDArray[Any]) -> NDArray[Any]:
    after, before = [1, 2, 0], [2, 0, 1]
    return x[..., after] * y[..., before] - x[..., before] * y[..., after]


def _spans(every: NDArray[Any], k: int) -> NDArray[np.int64]:
    """For every k rows, those that depend on them, as bits."""
    if k == 0:
        depends = (every == 0).all(-1)
    elif k == 1:
        depends = (_cross(every[:, None], every[None]) == 0).all(-1)
    else:
        depends = _cross(every[:, None], every[None]) @ every.T == 0
    return np.atleast_1d((depends << np.arange(len(every))).sum(-1)).ravel()
