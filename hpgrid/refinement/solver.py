"""From a problem to its optimum in numbers: posynomials by the convex solve, all else by descent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hpgrid.errors import bad
from hpgrid.refinement.problem import Floats, Problem, powers


def solve(problem: Problem, start: Mapping[str, ArrayLike] | None = None) -> dict[str, NDArray[Any]]:
    """Return what is found in every lane of a problem, lanes along the last axis.

    "log_risk", "log_at", "exponent", "risk_exponent", "side" (-1, 0, 1: at the lower bound, between,
    at the upper), "multiplier" (d log risk / d log x across a bound that holds), "inverse_hessian",
    "loose" (a direction along which the risk does not change at all, or zero), "undetermined", "converged".

    Args:
        problem: what is minimised; one that tunes nothing is evaluated.
        start: where to begin, by name; a sum of powers needs none.
    """
    for name in start or {}:
        if name not in problem.tuned:
            raise bad(f"{name} is not tuned, so it has no start", sorted(start or {}), "starts of tuned variables")
    form = powers(problem)
    if form is not None:
        from hpgrid.refinement.newton import minimise  # jax loads here

        rows, logs, slopes = form
        return minimise(rows, logs.reshape(len(rows), -1), slopes, _box(problem, start or {}))
    from hpgrid.refinement.descent import coarse_optimum, descend

    whole = start is not None and set(start) == set(problem.tuned)
    return descend(problem, _box(problem, start if whole and start is not None else coarse_optimum(problem)))


def _box(problem: Problem, start: Mapping[str, ArrayLike]) -> dict[str, Floats]:
    """The bounds, how they follow the budget, and the start, as arrays of shape (variables, lanes)."""
    names = problem.tuned
    return {
        "lo": _lanes([problem.box[v][0] for v in names], problem.shape),
        "hi": _lanes([problem.box[v][1] for v in names], problem.shape),
        "slope": _lanes([problem.follows[v] for v in names], problem.shape),
        "start": _lanes([np.log(np.asarray(start[v], float)) if v in start else 0.0 for v in names], problem.shape),
    }


def _lanes(arrays: Sequence[ArrayLike], shape: tuple[int, ...]) -> Floats:
    whole = [np.broadcast_to(np.asarray(array, float), shape).ravel() for array in arrays]
    return np.array(whole).reshape(len(arrays), int(np.prod(shape)))
