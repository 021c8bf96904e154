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
    "runs_off" (only the end of the numbers holds it, or what it is tied to), "vanishes" (the risk, with it),
    "loose" (a direction along which the risk does not change at all, or zero), "undetermined", "converged".

    Args:
        problem: what is minimised; one that tunes nothing is evaluated.
        start: where to begin, by name; a sum of powers needs none.
    """
    given = {name: _start(problem, name, value) for name, value in (start or {}).items()}
    form = powers(problem)
    if form is not None:
        from hpgrid.refinement.newton import minimise  # jax loads here

        rows, logs, slopes = form
        return minimise(rows, logs.reshape(len(rows), -1), slopes, _box(problem, given))
    from hpgrid.refinement.descent import coarse_optimum, descend

    if set(given) != set(problem.tuned):
        given = coarse_optimum(problem) | given
    return descend(problem, _box(problem, given))


def _start(problem: Problem, name: str, value: ArrayLike) -> Floats:
    if name not in problem.tuned:
        raise bad(f"{name} is not tuned, so it has no start", name, f"starts of {', '.join(problem.tuned)}")
    try:
        whole = np.broadcast_to(np.asarray(value, float), problem.shape)
    except (TypeError, ValueError):
        rule = f"a start of {name} is a number, or an array that broadcasts to the result's shape {problem.shape}"
        raise bad(rule, value, f"{name}=1.0, say") from None
    if not (np.isfinite(whole).all() and (whole > 0).all()):
        raise bad(f"a start of {name} must be positive and finite", value, f"{name}=1.0, say")
    return whole


def _box(problem: Problem, start: Mapping[str, Floats]) -> dict[str, Floats]:
    """The bounds, how they follow the budget, and the start, as arrays of shape (variables, lanes)."""
    names = problem.tuned
    return {
        "lo": _lanes([problem.box[v][0] for v in names], problem.shape),
        "hi": _lanes([problem.box[v][1] for v in names], problem.shape),
        "slope": _lanes([problem.follows[v] for v in names], problem.shape),
        "start": _lanes([np.log(start[v]) if v in start else 0.0 for v in names], problem.shape),
    }


def _lanes(arrays: Sequence[ArrayLike], shape: tuple[int, ...]) -> Floats:
    whole = [np.broadcast_to(np.asarray(array, float), shape).ravel() for array in arrays]
    return np.array(whole).reshape(len(arrays), int(np.prod(shape)))
