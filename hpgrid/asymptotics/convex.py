"""The least value of a sum of exponentials, numerically: what has no closed form."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

# NumPy loads with the first program that has no closed form; most have one.

#: How well a computed logarithm is known. It is a sum of some ten logarithms of constants, each
#: below 700 in size and rounded at 1e-16 of it; so nothing finer can tell a value from a bound.
ACCURACY = 1e-12

#: Below this Newton decrement a full step squares the error, and needs no damping.
_QUADRATIC = 1e-4

_STEPS = 500


def minimum(rows: Sequence[tuple[Fraction, ...]], logs: Sequence[float]) -> list[float]:
    """Return the logarithms of the terms c_j e^(a_j . s) where their sum is least.

    Damped Newton on the logarithm of the sum, which is convex and never overflows. The minimum is
    attained (the caller has checked); directions that no term sees are left alone.

    Args:
        rows: the exponents a_j.
        logs: log c_j.

    Raises:
        ArithmeticError: no convergence.
    """
    import numpy as np

    a, c = np.array([[float(x) for x in row] for row in rows]), np.array(logs)
    s, before = np.zeros(a.shape[1]), math.inf
    for _ in range(_STEPS):
        gradient, hessian = _derivatives(a, c + a @ s)
        step = -np.asarray(np.linalg.lstsq(hessian, gradient, rcond=None)[0], np.float64)
        decrement = -float(gradient @ step)
        if decrement >= _QUADRATIC:
            s = s + _damping(a, c + a @ s, step, decrement) * step
        elif decrement < before / 2:
            s, before = s + step, decrement
        else:  # a step that does not even halve the error has met rounding
            return [float(x) for x in c + a @ s]
    raise ArithmeticError("a level's program did not converge")


def _log_sum(terms: Array) -> float:
    import numpy as np

    top = float(np.max(terms))
    return top + math.log(float(np.sum(np.exp(terms - top))))


def _derivatives(a: Array, terms: Array) -> tuple[Array, Array]:
    import numpy as np

    weights = np.exp(terms - _log_sum(terms)).astype(np.float64)
    gradient = a.T @ weights
    centred = a - gradient
    return gradient, centred.T @ (weights[:, None] * centred)


def _damping(a: Array, terms: Array, step: Array, decrement: float) -> float:
    """The largest of 1, 1/2, 1/4, ... that lowers the sum by a quarter of what the slope promises."""
    here, size = _log_sum(terms), 1.0
    while size > ACCURACY and _log_sum(terms + size * (a @ step)) > here - size * decrement / 4:
        size /= 2
    return size
