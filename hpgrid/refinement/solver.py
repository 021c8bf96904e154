"""From a problem to its optimum in numbers: posynomials by the convex solve, all else by descent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hpgrid.checks import bad
from hpgrid.proxy import SHARPNESS, FunctionProxy
from hpgrid.refinement.problem import Floats, Problem, powers

#: How far a variable is moved, in logs, to see whether the risk depends on it; a slope below which there is none.
NUDGE, SLOPE = 1e-3, 1e-9

#: How sharp kinks become, step by step: an optimum moves by some 1/p from each to the next. At the last, p times the
#: rounding of a log, 1e-14, is still small.
SHARPENED = tuple(4.0**k for k in range(1, 13))

#: Log risks this close are the same to rounding: a sum of a few terms, each after some ten operations.
ROUNDING = 1e-14


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
    from hpgrid.refinement.descent import coarse_optima, descend

    starts = [given] if set(given) == set(problem.tuned) else [start | given for start in coarse_optima(problem)]
    found = [descend(problem, _box(problem, start)) for start in starts]
    if isinstance(problem.proxy, FunctionProxy) and problem.proxy.kinks and problem.tuned:
        found.append(_sharpened(problem, starts[0]))
        return _with_plateaus(problem, _lowest(found))
    return _lowest(found)


def _sharpened(problem: Problem, start: Mapping[str, Floats]) -> dict[str, NDArray[Any]]:
    """What descents find of a bound with kinks: rounded off, and followed down while they become sharp.

    With max(x, y) as (x^p + y^p)^(1/p) an optimum is off by some 1/p in the logs, and a convex bound stays convex;
    the last two steps, p four times as large in the second, say where it is going.
    """
    from hpgrid.refinement.descent import descend

    box = _box(problem, start)
    before = box["start"]
    for sharpness in SHARPENED:
        constants = {**problem.constants, SHARPNESS: np.asarray(sharpness)}
        before = box["start"]
        found = descend(replace(problem, constants=constants), box)
        box["start"] = np.where(np.isfinite(found["log_at"]), found["log_at"], before)
    ahead = box["start"] + np.where(found["converged"], box["start"] - before, 0.0) / 3
    log_at = np.clip(ahead, box["lo"], box["hi"])
    return {**found, "log_at": log_at, "log_risk": _log_risk(problem, log_at)}


def _with_plateaus(problem: Problem, found: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """What was found of a bound with kinks, variables that the risk does not depend on there told apart.

    Where another branch is the largest, a variable may move without any change; of a bound that is convex in the
    logs a point without a slope is the least all the same.
    """
    value, log_at = found["log_risk"], found["log_at"]
    flat = np.zeros(log_at.shape, bool)
    for k, v in enumerate(problem.tuned):
        lo, hi = (np.broadcast_to(end, problem.shape).ravel() for end in problem.box[v])
        for step in (-NUDGE, NUDGE):
            moved = log_at.copy()
            moved[k] = np.clip(moved[k] + step, lo, hi)
            near = np.abs(_log_risk(problem, moved) - value) <= ROUNDING * np.maximum(1.0, np.abs(value))
            flat[k] |= near & (np.abs(moved[k] - log_at[k]) >= NUDGE / 2)
    assert isinstance(problem.proxy, FunctionProxy)
    level = np.all((np.abs(found["gradient"]) <= SLOPE) | (found["side"] != 0) | flat, axis=0)
    known = found["converged"] | (problem.proxy.log_convex & level & np.isfinite(value) & flat.any(axis=0))
    risk_exponent = np.where(found["converged"], found["risk_exponent"], _own_exponent(problem, log_at))
    return {**found, "undetermined": found["undetermined"] | flat, "converged": known, "risk_exponent": risk_exponent}


def _own_exponent(problem: Problem, log_at: Floats) -> Floats:
    """d log risk / d log budget where the variables stay: that of the least risk, too, where none of them matters."""
    ends = []
    for factor in (np.exp(-NUDGE), np.exp(NUDGE)):
        budget = {problem.budget: problem.values[problem.budget] * factor}
        ends.append(_log_risk(replace(problem, values={**problem.values, **budget}), log_at))
    return (ends[1] - ends[0]) / (2 * NUDGE)


def _log_risk(problem: Problem, log_at: Floats) -> Floats:
    """The bound as it is, at the logs of the tuned variables: shape (lanes,)."""
    lanes = problem.lanes()
    at = {**lanes.values, **dict(zip(lanes.tuned, np.exp(log_at)))}
    proxy = replace(lanes.proxy, constants={}, caps={}, cap_terms={})
    assert isinstance(proxy, FunctionProxy)
    values = [at.get(v, np.ones(lanes.shape)) for v in proxy.arguments()]
    with np.errstate(all="ignore"):
        return np.log(np.asarray(proxy.function(*values, lanes.constants), float))


def _lowest(found: Sequence[dict[str, NDArray[Any]]]) -> dict[str, NDArray[Any]]:
    """In every lane the descent that ended lowest, the first of equals; one that ended nowhere is the last choice."""
    ends = np.array([np.where(np.isnan(each["log_risk"]), np.inf, each["log_risk"]) for each in found])
    # What differs by rounding is one optimum: the descent that knows it for one is taken.
    with np.errstate(invalid="ignore"):  # where no descent ended anywhere
        near = ends <= ends.min(axis=0) + ROUNDING * np.maximum(1.0, np.abs(ends.min(axis=0)))
    known = near & np.array([each["converged"] for each in found])
    best = np.where(known.any(axis=0), known.argmax(axis=0), ends.argmin(axis=0))
    lanes = np.arange(best.size)
    return {name: np.moveaxis(np.stack([each[name] for each in found])[best, ..., lanes], 0, -1) for name in found[0]}


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
