"""A level's program where it has no closed form: Newton in floats, whatever the sizes of its terms."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

from hpgrid.asymptotics.linear import Vector, dot, echelon, minimise, move, unit

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

# NumPy loads with the first program that has no closed form; most have one.

#: How well a computed logarithm is known. It is a sum of some ten logarithms of constants, each
#: below 700 in size and rounded at 1e-16 of it; so nothing finer can tell a value from a bound.
ACCURACY = 1e-12


class Unsolved(Exception):
    """Whether a program has an optimum was not found out."""


#: Steps this short square the error, but for rounding: one that does not even halve it has met that.
_QUADRATIC = 1e-6

#: Far steps are damped to their logarithm, so that terms that begin e^700 apart take some hundred.
_STEPS = 500

#: Stands for a curvature below it, where all weight is on one term: far from any optimum, as a damped step is then too.
_FLAT = 1e-30


def minimum(
    rows: Sequence[Vector], logs: Sequence[float], groups: int, sums: Sequence[int]
) -> tuple[list[float], list[float]] | None:
    """Return the logarithms of the terms c_j e^(a_j . s) where those of the groups add up to least while each sum is 1.

    And of each sum the logarithm of its multiplier, d log value / d log of what it is at most; None where a sum holds
    nothing back, or has no such s. The minimum without the sums is attained (the caller has checked).

    A term may be 1e-300 of another and alone decide a direction. So Newton's equations are in the logarithms of a basis
    of terms, the largest first: then each term hangs on larger ones alone, and each equation is divided by its own's.

    Args:
        rows: the exponents a_j, of groups first, then of each sum.
        logs: log c_j.
        groups: how many rows are of groups.
        sums: how many each sum has.

    Raises:
        Unsolved: no convergence.
    """
    import numpy as np

    ends = [0, *accumulate(sums, initial=groups)]
    blocks = [slice(first, last) for first, last in pairwise(ends)]
    of = np.repeat(np.arange(len(blocks)), np.diff(ends))
    inside = (of[:, None] == np.arange(len(blocks))).astype(float)
    a, c = np.array([[float(x) for x in row] for row in rows]), np.array(logs)
    point, pushes = _largest_terms(rows, logs, groups)
    x = np.array([float(each) for each in point])
    # The groups' own, 0, first.
    u = np.array([0.0, *(math.log(float(max(sum(pushes[own]), Fraction(1, 10)))) for own in blocks[1:])])
    basis_of = cache(lambda order: _basis(rows, order))
    before = math.inf
    for _ in range(_STEPS):
        sizes = c + a @ x
        totals = np.array([np.logaddexp.reduce(sizes[own]) for own in blocks])
        logs_of = sizes - totals[of]
        weights, pulls = np.exp(logs_of), logs_of + u[of]
        basis, inner = basis_of(tuple(int(k) for k in np.argsort(-pulls, kind="stable")))
        # Shares of pulls over that of the basis' term, which is no smaller where a term hangs on it.
        over = inner * np.exp(np.minimum(pulls[:, None] - pulls[basis], 0.0))
        slopes, means = over.T @ inside, (inner * weights[:, None]).T @ inside
        curved = (over - weights[:, None] * slopes.T[of]).T @ (inner - means.T[of])
        system = np.block(
            [
                [curved + _FLAT * np.eye(len(basis)), slopes[:, 1:]],
                [means[:, 1:].T, np.zeros((len(sums), len(sums)))],
            ]
        )
        try:
            found = -np.linalg.solve(system, np.concatenate([slopes[:, 0], totals[1:]]))
        except np.linalg.LinAlgError:
            break
        step, grown = found[: len(basis)], found[len(basis) :]
        moved = inner @ step - (means.T @ step)[of]
        far = float(np.abs(np.concatenate([moved, grown - 1.0, totals[1:]])).max())
        if far == 0.0 or before / 2 <= far < _QUADRATIC:
            return [float(size) for size in sizes], [float(each) for each in u[1:]]
        if not far < math.inf or u.max() > -math.log(ACCURACY):
            return None
        before, part = far, math.log1p(far) / far
        x = x + np.linalg.lstsq(a[basis], part * step, rcond=None)[0]
        u[1:] += np.clip(part * (grown - 1.0), -1.0, 1.0)
    else:
        if (grown <= 0.0).any():
            return None
    raise Unsolved


def _largest_terms(rows: Sequence[Vector], logs: Sequence[float], groups: int) -> tuple[Vector, Vector]:
    """Where the largest term of the groups is least while none of the sums is above 1, in whole logarithms: a start.

    And the multipliers of all terms.
    """
    width, limits = len(rows[0]), [Fraction(-round(log)) for log in logs]
    excess = max(Fraction(0), -min(limits[groups:], default=Fraction(0)))
    above = unit(width, width + 1, -1)
    lifted = [(*row, Fraction(-1)) for row in rows[groups:]]
    least = minimise(unit(width, width + 1), [*lifted, above], [*(x + excess for x in limits[groups:]), excess])
    start = least.point[:-1]
    limits[groups:] = [x + excess + least.value for x in limits[groups:]]
    slacks = [x - dot(row, start) for row, x in zip(rows, limits)]
    top = max(Fraction(0), -min(slacks[:groups]))
    lifted = [(*row, Fraction(-(k < groups))) for k, row in enumerate(rows)]
    best = minimise(unit(width, width + 1), lifted, [x + top * (k < groups) for k, x in enumerate(slacks)])
    return move(start, best.point[:-1]), best.dual


def _basis(rows: Sequence[Vector], order: Sequence[int]) -> tuple[list[int], Floats]:
    """The first rows in an order that are independent, and every row as a combination of them."""
    import numpy as np

    pivots = echelon([rows[k] for k in order])
    places = [n for n in range(len(order)) if any(pivot.combination[n] for pivot in pivots)]
    combined = [
        [dot([row[p.column] for p in pivots], [p.combination[n] for p in pivots]) for n in places] for row in rows
    ]
    return [order[n] for n in places], np.array([[float(x) for x in row] for row in combined])
