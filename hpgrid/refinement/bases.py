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
from hpgrid.shapes import Floats

Row = tuple[Fraction, ...]

#: Rows have a number of six bits.
MOST_ROWS = 62

#: The bits of a row's number in its key, and the bit that says that it depends on others.
_NUMBER, DEPENDS = np.uint32(63), np.uint32(2**31)


class Bases(NamedTuple):
    """Every choice of n rows among the terms', the unit rows of n variables and m walls; independent ones are a basis.

    The rows are numbered terms first, then variables, then walls: J + n + m = R of them. Of more than three variables
    there are too many choices to keep: the tables are empty, and a choice is worked out where it is asked for.
    """

    rows: NDArray[np.float64]  # the terms' exponents, shape (J, n)
    walls: NDArray[np.float64]  # those of products that may not be too large, shape (m, n)
    level: NDArray[np.float64]  # the logs at which terms are as equal as can be, for each log coefficient: (n, J)
    #: for k = 0 to n - 1, the rows that depend on k independent ones, which have ``DEPENDS`` there: (R, R^k)
    spans: tuple[NDArray[np.uint32], ...]
    place: NDArray[np.int64]  # which choice n rows are, shape (R^n,)
    terms: NDArray[np.float64]  # for each choice, every term's exponents in its coordinates, (J, n, S)
    variables: NDArray[np.float64]  # for each choice, every variable's exponents in its coordinates, (n, n, S)
    #: for each choice and coordinate, the variable that it is, or the wall, counted on from n; -1 for a term: (n, S)
    unit: NDArray[np.int8]


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
    exponents = np.array(rows, float)
    level = -np.linalg.pinv(exponents - exponents.mean(axis=0))
    kept = exponents, np.array(walls, float).reshape(len(walls), n), level
    if n > _TABLED:
        none = np.empty(0)
        return Bases(*kept, (), none.astype(int), none, none, none.astype(np.int8))
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
    coordinates = np.moveaxis(np.where(basis[:, None, None], coordinates, 0).astype(float), 0, -1)
    return Bases(
        *kept,
        tuple(_spans(every, k) for k in range(n)),
        place.ravel(),
        np.ascontiguousarray(coordinates[:J]),
        np.ascontiguousarray(coordinates[J : J + n]),
        np.where(choices >= J, choices - J, -1).T.astype(np.int8),
    )


#: The most variables whose bases are kept in tables: R^n of them for R rows.
_TABLED = 3

#: A coordinate that is nought, of numbers of some size 1: exponents have few digits, and rounding is 1e-15 of them.
_NOUGHT = 1e-9


def coordinates(tables: Bases, order: NDArray[np.float32]) -> tuple[Floats, Floats, NDArray[np.int8]]:
    """Return the basis of the first rows that are independent, in an order of each problem's own.

    What the terms' and the variables' rows are in its coordinates, shapes (J, n, P) and (n, n, P), and which unit row
    each coordinate is, (n, P). A coordinate that is nought is exactly that.

    Args:
        tables: the rows.
        order: a number of each row that is smaller the sooner it is taken, >= 0, shape (R, P). What is the same to
            five digits is taken as the rows are numbered.
    """
    # The bits of floats that are not negative are whole numbers in their order. The last six make room for the row's
    # number, the first for whether it depends on those that are taken: so the smallest says which it is.
    keys = order.view(np.uint32) & ~_NUMBER | np.arange(len(order), dtype=np.uint32)[:, None]
    if not tables.spans:
        return _eliminated(tables, keys)
    chosen = np.zeros(order.shape[1], np.intp)
    for span in tables.spans:
        depends = span if span.shape[1] == 1 else span.take(chosen, axis=1)
        chosen = chosen * len(order) + _first(keys | depends)
    basis = tables.place.take(chosen)
    return tables.terms.take(basis, axis=-1), tables.variables.take(basis, axis=-1), tables.unit.take(basis, axis=-1)


def _first(keys: NDArray[np.uint32]) -> NDArray[np.intp]:
    """The number of the row with the smallest key."""
    return (keys.min(axis=0) & _NUMBER).astype(np.intp)


def _eliminated(tables: Bases, keys: NDArray[np.uint32]) -> tuple[Floats, Floats, NDArray[np.int8]]:
    """What ``coordinates`` returns, by elimination."""
    J, n = tables.rows.shape
    rows = np.concatenate([tables.rows, np.eye(n), tables.walls])[..., None]
    rest, found = np.repeat(rows, keys.shape[1], axis=-1), np.empty((len(rows), 0, keys.shape[1]))
    picks = []
    for _ in range(n):
        depends = np.abs(rest).max(axis=1) <= _NOUGHT
        pick = _first(keys | depends * DEPENDS)[None, None]
        row = np.take_along_axis(rest, pick, 0)
        column = np.abs(row).argmax(axis=1)[None]
        ratio = np.take_along_axis(rest, column, 1) / np.take_along_axis(row, column, 1)
        ratio[np.abs(ratio) <= _NOUGHT] = 0.0
        found = np.concatenate([found - ratio * np.take_along_axis(found, pick, 0), ratio], axis=1)
        rest = rest - ratio * row
        picks.append(pick[0, 0])
    found[np.abs(found) <= _NOUGHT] = 0.0
    unit = np.array(picks) - J
    return found[:J], found[J : J + n], np.maximum(unit, -1).astype(np.int8)


def _cross(x: NDArray[Any], y: NDArray[Any]) -> NDArray[Any]:
    after, before = [1, 2, 0], [2, 0, 1]
    return x[..., after] * y[..., before] - x[..., before] * y[..., after]


def _spans(every: NDArray[Any], k: int) -> NDArray[np.uint32]:
    """For every k rows, those that depend on them."""
    if k == 0:
        depends = (every == 0).all(-1)
    elif k == 1:
        depends = (_cross(every[:, None], every[None]) == 0).all(-1)
    else:
        depends = _cross(every[:, None], every[None]) @ every.T == 0
    return np.ascontiguousarray((depends * DEPENDS).reshape(-1, len(every)).T)
