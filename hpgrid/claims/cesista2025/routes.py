"""What the rows share: seeded points, and the refined optimum of bounds that are no sums of powers.

Tolerances. An identity between two formulas holds to ``ROUNDING``. Local exponents are read at ``FAR`` and
``FARTHER``, as elsewhere in the ledger; a law with a logarithm settles like 1/log T, so that there its
exponent is extrapolated in 1/log T, and the power of the logarithm is read where no float reaches, on a
closed form that the refined optimum is held against.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hpgrid.claims.routes import FAR, FARTHER, SOLVER
from hpgrid.proxy import FunctionProxy

if TYPE_CHECKING:
    from hpgrid.refinement import Optimum

Array = NDArray[np.float64]

#: Both sides of an identity are sums of at most eight products of at most ten factors.
ROUNDING = 2 * (8 + 10) * float(np.finfo(float).eps)

#: Constants that are no ones, for every measurement: a factor that is missing shows.
CONSTANTS: dict[str, Any] = {"Delta0": 2.0, "L": 0.7, "sigma": 1.3, "D": 1.2, "G0": 0.6}
LAM = 0.3


def points(*names: str, n: int = 500, seed: int = 2025) -> dict[str, Any]:
    """Return seeded random points, log-uniform: shape (n,) each.

    Momenta and rates lie in (1e-6, 1), batch sizes and iterations in (1, 1e8), all else in (1e-2, 1e2).
    """
    rng = np.random.default_rng(seed)
    ranges = {"alpha": (-6, 0), "eta": (-6, 0), "b": (0, 8), "K": (0, 8)}
    return {name: 10.0 ** rng.uniform(*ranges.get(name, (-2, 2)), n) for name in names}


def whole(values: Array) -> Array:
    """Return values cut to whole numbers."""
    return np.floor(values)


def optimum(
    proxy: FunctionProxy, tuned: tuple[str, ...], budgets: ArrayLike, fixed: Mapping[str, float], budget: str = "T"
) -> Optimum:
    """Return the continuous optimum at budgets, with at least one iteration."""
    from hpgrid.refinement import refine

    at: dict[str, Any] = {budget: np.atleast_1d(np.asarray(budgets, float))}
    return refine(proxy, tuned, fixed=fixed, min_K=1.0, **at)


def settled(
    proxy: FunctionProxy, tuned: tuple[str, ...], name: str, fixed: Mapping[str, float], budget: str = "T"
) -> tuple[float, float]:
    """Return a refined local exponent far out, and how far it may still be from its limit."""
    found = optimum(proxy, tuned, [FAR, FARTHER], fixed, budget)
    near, far = np.where(found.converged, found.exponent[name], np.nan)
    return float(far), abs(float(far - near)) + SOLVER


def elasticity(
    proxy: FunctionProxy, tuned: tuple[str, ...], name: str, by: str, fixed: Mapping[str, float], budget: str = "T"
) -> tuple[float, float]:
    """Return d log name / d log by of a held variable, far out, and how far it may still be from its limit."""
    ends = [optimum(proxy, tuned, [FAR, FARTHER], {**fixed, by: x}, budget) for x in (1e3, 1e4)]
    near, far = (np.log(e.at[name]) for e in ends)
    first, last = np.where(ends[0].converged & ends[1].converged, far - near, np.nan) / np.log(10.0)
    return float(last), abs(float(last - first)) + 2 * SOLVER
