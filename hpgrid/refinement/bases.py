"""Coordinates in which a posynomial's flat directions are seen exactly.

In the logs of the largest independent terms, taken as coordinates, a term that is the product of
larger ones has exactly cancelling entries: the gradient along a flat direction is then a sum over
small terms alone, and keeps their relative precision. Bounds that hold are rows like the terms' own.
The elimination is this route's own: it shares no code with the exact exponents that it is held against.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import combinations, permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hpgrid.checks import bad

Row = tuple[Fraction, ...]

#: Rows are kept as bits of one integer.
MOST_ROWS = 62


@dataclass(frozen=True)
class Bases:
    """Every choice of n rows among the terms' and the unit rows of n variables; independent ones are a basis.

    The rows are numbered terms first, then variables: J + n = R of them.

    Attributes:
        rows: the terms' exponents, shape (J, n).
        spans: for k = 0 to n - 1, the rows that depend on k given ones, as bits: shape (R^k,).
        place: which choice n given rows are, shape (R^n,).
        terms: for each choice, every term's exponents in its coordinates, shape (S, J, n).
        variables: for each choice, every variable's exponents in its coordinates, shape (S, n, n).
        unit: for each choice and coordinate, the variable that it is, or -1 for a term, shape (S, n).
    """

    rows: NDArray[np.float64]
    spans: tuple[NDArray[np.int64], ...]
    place: NDArray[np.int64]
    terms: NDArray[np.float64]
    variables: NDArray[np.float64]
    unit: NDArray[np.int64]

    def arrays(self) -> dict[str, Any]:
        """Return the tables by name, as a compiled function takes them."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


@lru_cache(maxsize=64)
def all_bases(rows: tuple[Row, ...]) -> Bases:
    """Return every basis of a posynomial, computed in exact fractions.

    Args:
        rows: the exponents of the variables in each term.

    Raises:
        ValueError: there are too many terms.
    """
    n = len(rows[0])
    units = [tuple(Fraction(int(i == k)) for i in range(n)) for k in range(n)]
    every = [*rows, *units]
    if len(every) > MOST_ROWS:
        raise bad(f"refinement takes at most {MOST_ROWS - n} terms", len(rows), "a bound with fewer")
    count = len(every)
    choices = list(combinations(range(count), n))
    place = np.zeros((count,) * n, np.int64)
    # Dependent rows keep their place, empty and never asked for: the shapes hang on J and n alone.
    terms = np.zeros((len(choices), len(rows), n))
    variables = np.zeros((len(choices), n, n))
    for s, chosen in enumerate(choices):
        for order in permutations(chosen):
            place[order] = s
        inverse = _inverse([every[r] for r in chosen])
        if inverse is not None:
            terms[s] = [_times(row, inverse) for row in rows]
            variables[s] = [_times(row, inverse) for row in units]
    return Bases(
        np.array(rows, float),
        tuple(_spans(every, k) for k in range(n)),
        place.ravel(),
        terms,
        variables,
        np.array([[r - len(rows) if r >= len(rows) else -1 for r in chosen] for chosen in choices], np.int64),
    )


def _times(row: Row, matrix: Sequence[Row]) -> Row:
    return tuple(sum((a * line[k] for a, line in zip(row, matrix)), Fraction(0)) for k in range(len(row)))


def _inverse(matrix: Sequence[Row]) -> list[Row] | None:
    """The exact inverse by Gauss and Jordan, or None where there is none."""
    n = len(matrix)
    work = [[*row, *(Fraction(int(i == k)) for i in range(n))] for k, row in enumerate(matrix)]
    for k in range(n):
        pivot = next((r for r in range(k, n) if work[r][k] != 0), None)
        if pivot is None:
            return None
        work[k], work[pivot] = work[pivot], work[k]
        work[k] = [x / work[k][k] for x in work[k]]
        for r in range(n):
            if r != k and work[r][k] != 0:
                work[r] = [x - work[r][k] * y for x, y in zip(work[r], work[k])]
    return [tuple(row[n:]) for row in work]


def _spans(rows: Sequence[Row], k: int) -> NDArray[np.int64]:
    """For every k rows, those that depend on them, as bits."""
    masks = np.zeros((len(rows),) * k, np.int64)
    for chosen in combinations(range(len(rows)), k):
        given = [rows[r] for r in chosen]
        rank = _rank(given)
        bits = sum(1 << r for r, row in enumerate(rows) if _rank([*given, row]) == rank)
        for order in permutations(chosen):
            masks[order] = bits
    return masks.ravel()


def _rank(rows: Sequence[Row]) -> int:
    work, rank = [list(row) for row in rows], 0
    for k in range(len(work[0]) if work else 0):
        pivot = next((r for r in range(rank, len(work)) if work[r][k] != 0), None)
        if pivot is None:
            continue
        work[rank], work[pivot] = work[pivot], work[rank]
        for r in range(rank + 1, len(work)):
            factor = work[r][k] / work[rank][k]
            work[r] = [x - factor * y for x, y in zip(work[r], work[rank])]
        rank += 1
    return rank
