"""A level's program where it has no closed form: Newton in floats, on the program or on its dual."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

from hpgrid.asymptotics.linear import Vector, minimise, move, null_space, span, vector

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Step = tuple[Floats, float, float]

# NumPy loads with the first program that has no closed form; most have one.

#: How well a computed logarithm is known. It is a sum of some ten logarithms of constants, each
#: below 700 in size and rounded at 1e-16 of it; so nothing finer can tell a value from a bound.
ACCURACY = 1e-12

#: Below this Newton decrement a full step squares the error, and needs no damping.
_QUADRATIC = 1e-4

_STEPS = 500


def balance(rows: Sequence[Vector], logs: Sequence[float], groups: int, sums: Sequence[int]) -> list[float]:
    """Return the weights at the optimum of the dual: sum_j w_j (log c_j - log w_j) + sum_i u_i log u_i is largest.

    The weights balance the rows, and those of the groups add up to 1; u_i is what those of a sum add up to. Newton from
    inside, as far as weights stay positive.

    Args:
        rows: the exponents a_j, of groups first, then of each sum.
        logs: log c_j.
        groups: how many rows are of groups.
        sums: how many each sum has.

    Raises:
        ArithmeticError: no convergence.
    """
    import numpy as np

    ends = list(accumulate(sums, initial=groups))
    blocks = [slice(first, last) for first, last in pairwise(ends)]
    basis = [vector(d) for d in null_space([tuple(column) for column in zip(*rows)], len(rows))]
    pivot = next(d for d in basis if sum(d[:groups]))
    inside = tuple(x / sum(pivot[:groups]) for x in pivot)
    others = [d for d in basis if d is not pivot]
    directions = [move(d, inside, -sum(d[:groups])) for d in others]
    # The smallest weight is made as large as it gets, and 1 at most.
    most = max(Fraction(0), -min(inside))
    lifted = [(*(-d[j] for d in directions), Fraction(1)) for j in range(len(rows))]
    cap = (*([Fraction(0)] * len(directions)), Fraction(1))
    best = minimise(tuple(-x for x in cap), [*lifted, cap], [*(x + most for x in inside), most + 1])
    if best.point[-1] <= most:
        raise ArithmeticError("a level's program has no dual point inside")
    n, c = np.array([[float(x) for x in d] for d in directions]).T, np.array(logs)

    def less(w: Floats) -> float:
        return -float(w @ (c - np.log(w))) - sum(float(w[own].sum() * np.log(w[own].sum())) for own in blocks)

    def step(w: Floats) -> Step:
        gradient, hessian = c - np.log(w) - 1.0, np.diag(-1.0 / w)
        for own in blocks:
            total = w[own].sum()
            gradient[own] += np.log(total) + 1.0
            hessian[own, own] += 1.0 / total
        step = n @ -np.linalg.lstsq(n.T @ hessian @ n, n.T @ gradient, rcond=None)[0]
        return step, float(gradient @ step), min(1.0, 0.9 / max(float((-step / w).max()), 0.9))

    start = np.array([float(x) for x in move(inside, span(directions, best.point[:-1], len(rows)))])
    return [float(x) for x in _newton(start, less, step)]


def minimum(rows: Sequence[Vector], logs: Sequence[float]) -> list[float]:
    """Return the logarithms of the terms c_j e^(a_j . s) where their sum is smallest.

    Newton on the logarithm of the sum, which is convex and never overflows, where a weight of the dual may be too small
    for it. The minimum is attained (the caller has checked); directions that no term sees are left alone.

    Args:
        rows: the exponents a_j.
        logs: log c_j.

    Raises:
        ArithmeticError: no convergence.
    """
    import numpy as np

    a, c = np.array([[float(x) for x in row] for row in rows]), np.array(logs)

    def log_sum(s: Floats) -> float:
        terms = c + a @ s
        top = float(np.max(terms))
        return top + math.log(float(np.sum(np.exp(terms - top))))

    def step(s: Floats) -> Step:
        weights = np.exp(c + a @ s - log_sum(s))
        gradient = a.T @ weights
        centred = a - gradient
        step = -np.linalg.lstsq(centred.T @ (weights[:, None] * centred), gradient, rcond=None)[0]
        return step, -float(gradient @ step), 1.0

    return [float(x) for x in c + a @ _newton(np.zeros(a.shape[1]), log_sum, step)]


def _newton(x: Floats, value: Callable[[Floats], float], step_at: Callable[[Floats], Step]) -> Floats:
    """Where a convex function is smallest, by damped Newton.

    Args:
        x: where it starts.
        value: of the function.
        step_at: Newton's step, its decrement, and how much of it may be gone.
    """
    before = math.inf
    for _ in range(_STEPS):
        step, decrement, size = step_at(x)
        if decrement >= _QUADRATIC or size < 1.0:
            # Halved until it lowers the function by a quarter of what the slope promises.
            while size > ACCURACY and value(x + size * step) > value(x) - size * decrement / 4:
                size /= 2
            x = x + size * step
        elif 0.0 < decrement < before / 2:
            x, before = x + step, decrement
        else:  # a step that does not even halve the error has met rounding
            return x
    raise ArithmeticError("a level's program did not converge")
