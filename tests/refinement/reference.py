"""A posynomial's minimum in the logs to a hundred digits and more: what refinement is held against."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

import mpmath
import numpy as np
from mpmath import mp, mpf
from numpy.typing import NDArray

from hpgrid import Proxy

#: In a box, the terms that decide can be 1e-120 of the risk: of these digits a hundred remain.
DIGITS = 220

#: Newton's method has arrived where the gradient is this small; far above the rounding, far below a float's.
ARRIVED = mpf(10) ** -180

EPS = float(np.finfo(float).eps)

Vector = list[mpf]


class Posynomial(NamedTuple):
    """sum_j exp(c_j + rows_j . z), with d c_j / d log budget in ``slopes``."""

    rows: list[Vector]
    logs: Vector
    slopes: Vector


class Minimum(NamedTuple):
    """The minimum over a box, certified: it is convex, and the conditions of Karush, Kuhn and Tucker hold."""

    log_risk: mpf
    at: Vector
    side: list[int]
    gradient: Vector  # of the log risk: nought where side is 0
    exponent: Vector
    risk_exponent: mpf
    hessian: list[Vector]
    weights: Vector


def exact(x: Fraction | float) -> mpf:
    """A fraction or a float, as the number that it is."""
    part = Fraction(x)
    return mpf(part.numerator) / part.denominator


def log(x: Fraction | float) -> mpf:
    """The log of a fraction or a float, of the number that it is."""
    with mp.workdps(DIGITS):
        return mpmath.log(exact(x))


def solved(matrix: Sequence[Vector], right: Vector, free: Sequence[int]) -> Vector:
    """The solution of the free variables' system, nought elsewhere; pivots are never small: it is definite."""
    work = [[matrix[i][k] for k in free] + [right[i]] for i in free]
    for k in range(len(free)):
        pivot = max(range(k, len(free)), key=lambda r: abs(work[r][k]))
        work[k], work[pivot] = work[pivot], work[k]
        work[k] = [x / work[k][k] for x in work[k]]
        for r in range(len(free)):
            if r != k:
                work[r] = [x - work[r][k] * y for x, y in zip(work[r], work[k])]
    found = [mpf(0)] * len(right)
    for place, i in enumerate(free):
        found[i] = work[place][-1]
    return found


def _dot(x: Sequence[mpf], y: Sequence[mpf]) -> mpf:
    return mpmath.fsum(a * b for a, b in zip(x, y))


def _at(f: Posynomial, z: Vector) -> tuple[mpf, Vector, Vector, list[Vector]]:
    """The log risk, the weights, the gradient and the Hessian of the log risk."""
    sizes = [mpmath.exp(c + _dot(row, z)) for c, row in zip(f.logs, f.rows)]
    total = mpmath.fsum(sizes)
    weights = [size / total for size in sizes]
    n = range(len(z))
    weighted = [[w * a for a in row] for w, row in zip(weights, f.rows)]
    gradient = [mpmath.fsum(row[i] for row in weighted) for i in n]
    second = [[_dot([row[i] for row in weighted], [row[k] for row in f.rows]) for k in n] for i in n]
    return mpmath.log(total), weights, gradient, [[second[i][k] - gradient[i] * gradient[k] for k in n] for i in n]


def minimum(f: Posynomial, box: Sequence[tuple[float, float]], start: Sequence[float]) -> Minimum:
    """Return the minimum over a box, by damped Newton steps and an active set, from any start.

    Args:
        f: the posynomial; some multiple of its terms must grow in every direction that the box leaves open.
        box: the ends for each variable, in logs; both taken as the numbers that they are.
        start: where to begin; what is found does not depend on it.
    """
    with mp.workdps(DIGITS):
        lo, hi = ([exact(float(end)) for end in ends] for ends in zip(*box))
        z = [min(max(exact(float(x)), a), b) for x, a, b in zip(start, lo, hi)]
        side = [-1 if x == a else int(x == b) for x, a, b in zip(z, lo, hi)]
        for _ in range(1000):
            value, weights, gradient, hessian = _at(f, z)
            free = [i for i, s in enumerate(side) if s == 0]
            if all(abs(gradient[i]) < ARRIVED for i in free):
                wrong = [i for i, s in enumerate(side) if s * gradient[i] > 0 and lo[i] < hi[i]]
                if not wrong:
                    break
                side[max(wrong, key=lambda i: abs(gradient[i]))] = 0
                continue
            z, side = _moved(f, z, side, solved(hessian, [-g for g in gradient], free), (lo, hi))
        else:
            raise AssertionError("no minimum: the posynomial is unbounded, or its start too far")
        mean = _dot(weights, f.slopes)
        mixed = [_dot(weights, [row[i] * (t - mean) for row, t in zip(f.rows, f.slopes)]) for i in range(len(z))]
        exponent = solved(hessian, [-m for m in mixed], free)
        return Minimum(value, z, side, gradient, exponent, mean, hessian, weights)


def _moved(
    f: Posynomial, z: Vector, side: list[int], step: Vector, ends: tuple[Vector, Vector]
) -> tuple[Vector, list[int]]:
    """A step cut to what no term grows by more than e^3 in, and at the first bound that it meets."""
    growth = max(_dot(row, step) for row in f.rows)
    length = min(mpf(1), 3 / growth) if growth > 0 else mpf(1)
    met = None
    for i, d in enumerate(step):
        room = (ends[1][i] if d > 0 else ends[0][i]) - z[i]
        if d != 0 and room / d <= length:
            length, met = room / d, i
    moved, sides = [x + length * d for x, d in zip(z, step)], list(side)
    if met is not None:
        sides[met] = 1 if step[met] > 0 else -1
        moved[met] = ends[1][met] if step[met] > 0 else ends[0][met]
    return moved, sides


class Rounding(NamedTuple):
    """How far float64 can be off, to first order, in each log of the optimum and in each exponent."""

    at: NDArray[np.float64]
    exponent: NDArray[np.float64]


def rounding(f: Posynomial, found: Minimum) -> Rounding:
    """Return what rounding the terms' logs does to an optimum of this curvature.

    A term's log is c_j + sum_i a_ji z_i. Each of its m <= n + 5 operations (the logs of the constants and
    of the budget, their sum, the products) adds eps/2 of what is summed: e_j = m eps (|c_j| + sum |a_ji z_i|)
    is generous by two. The optimum answers with the inverse curvature, dz = sum_j |H^-1 a_j| w_j e_j.
    The shares then change by at most d = max_j (e_j + |a_j| dz), relatively, and the exponents, which solve
    sum_j w_j a_j (t_j + a_j . x) = 0, by sum_j |H^-1 a_j| w_j |t_j + a_j . x| d.
    """
    with mp.workdps(DIGITS):
        n = range(len(found.at))
        free = [i for i, s in enumerate(found.side) if s == 0]
        rows = f.rows
        sizes = [abs(c) + mpmath.fsum(abs(a * x) for a, x in zip(row, found.at)) for c, row in zip(f.logs, rows)]
        errors = [(len(n) + 5) * EPS * size for size in sizes]
        answers = [[abs(x) for x in solved(found.hessian, [a * w for a in row], free)]
                   for row, w in zip(rows, found.weights)]  # fmt: skip
        at = [mpmath.fsum(answer[i] * e for answer, e in zip(answers, errors)) + EPS * abs(found.at[i]) for i in n]
        shares = max(e + mpmath.fsum(abs(a) * d for a, d in zip(row, at)) for row, e in zip(rows, errors))
        # The sums over the terms and the solve itself add some eps, per term and variable, of what they sum.
        own = (len(rows) + 2 * len(n)) ** 2 * EPS
        pulls = []
        for t, row in zip(f.slopes, rows):
            parts = [t, *(a * x for a, x in zip(row, found.exponent))]
            pulls.append(abs(mpmath.fsum(parts)) * shares + mpmath.fsum(abs(x) for x in parts) * own)
        exponent = [mpmath.fsum(answer[i] * p for answer, p in zip(answers, pulls)) for i in n]
        return Rounding(np.array(at, float), np.array(exponent, float))


# --- hpgrid's bounds in these numbers ---


def posynomial(
    proxy: Proxy, tuned: Sequence[str], budget: float, fixed: Mapping[str, float] | None = None
) -> Posynomial:
    """Return a bound at one budget, with what is not tuned folded into the coefficients."""
    values = {proxy.budget: budget, **(fixed or {})}
    with mp.workdps(DIGITS):
        logs = [
            log(term.number)
            + mpmath.fsum(exact(e) * log(proxy.constants[name]) for name, e in term.constants.items())
            + mpmath.fsum(exact(term.exponent(v)) * log(x) for v, x in values.items())
            for term in proxy.terms
        ]
        rows = [[exact(term.exponent(v)) for v in tuned] for term in proxy.terms]
        return Posynomial(rows, logs, [exact(term.exponent(proxy.budget)) for term in proxy.terms])


def holding(f: Posynomial, i: int, x: mpf) -> Posynomial:
    """Return the posynomial with the log of its i-th variable held at x."""
    with mp.workdps(DIGITS):
        logs = [c + row[i] * x for c, row in zip(f.logs, f.rows)]
    return Posynomial([[*row[:i], *row[i + 1 :]] for row in f.rows], logs, f.slopes)


def value(f: Posynomial, z: Sequence[mpf]) -> mpf:
    """Return the log of a posynomial."""
    with mp.workdps(DIGITS):
        return mpmath.log(mpmath.fsum(mpmath.exp(c + _dot(row, z)) for c, row in zip(f.logs, f.rows)))
