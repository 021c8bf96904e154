"""What it costs to miss the optimum: regret, the flat direction, what is as good to one per cent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hpgrid.checks import bad, is_number, unknown
from hpgrid.proxy import FunctionProxy, Proxy
from hpgrid.refinement.optimum import posed
from hpgrid.refinement.problem import Floats, Problem, powers
from hpgrid.refinement.solver import solve


@dataclass(frozen=True)
class Flatness:
    """How flat an optimum is; every array has the shape of the budgets.

    Attributes:
        direction: the flattest direction in the logs of the tuned variables, of length 1, by name; zero
            along variables that a bound holds.
        curvature: d2 log risk / ds2 along it; inf where bounds hold everything.
        low: for every tuned variable, the smallest value that is near-optimal, the others re-tuned.
        high: the largest; at its bound where that is near-optimal too.
        within: what counts as near-optimal: the relative excess risk.
    """

    direction: Mapping[str, Floats]
    curvature: Floats
    low: Mapping[str, Floats]
    high: Mapping[str, Floats]
    within: float


def regret(proxy: Proxy | FunctionProxy, name: str, factor: float, *, retune: bool = True, **refined: Any) -> Floats:
    """Return the relative excess risk at every budget when one variable is off its optimum by a factor.

    Of a sum of powers nothing cancels in it: with d_j the change of the j-th term's log and w_j its
    share, it is sum_j w_j (exp(d_j) - 1 - d_j), good for six digits where it is 1e-20.

    Args:
        proxy: the bound.
        name: the variable that is moved, one of the tuned.
        factor: what its optimum is multiplied by, > 0.
        retune: whether the other tuned variables follow, or are held.
        refined: tuned, T or K, fixed, path, caps, regime, min_K, constants, limits: as ``refine``.

    Returns:
        An array in the shape of the budgets; NaN where the factor leads out of the variable's bounds.

    Raises:
        ValueError: the variable is not tuned, the factor is not positive, or as ``refine``.
    """
    problem = posed(proxy, **refined)
    if name not in problem.tuned:
        raise unknown("tuned variable", name, problem.tuned)
    if not (is_number(factor) and factor > 0):
        raise bad("a factor must be positive and finite", factor, "factor=10, say")
    lanes = problem.lanes()
    best = solve(lanes)
    place = lanes.tuned.index(name)
    moved = best["log_at"].copy()
    moved[place] += np.log(factor)
    lo, hi = lanes.box[name]
    inside = (lo <= moved[place]) & (moved[place] <= hi)
    if retune:
        others = [i for i in range(len(moved)) if i != place]
        moved[others] = _retuned(lanes, name, moved)["log_at"]
    return np.where(inside, _excess(lanes, best, moved), np.nan).reshape(problem.shape)


def flatness(proxy: Proxy | FunctionProxy, *, within: float = 0.01, **refined: Any) -> Flatness:
    """Return the flat direction of the optimum, its curvature, and what is near-optimal, at every budget.

    Args:
        proxy: the bound.
        within: the relative excess risk that counts as near-optimal, > 0.
        refined: tuned, T or K, fixed, path, caps, regime, min_K, constants, limits: as ``refine``.

    Raises:
        ValueError: ``within`` is not positive, or as ``refine``.

    Source: the flatness of Shulgin et al., Appendix C.2.
    """
    if not (is_number(within) and within > 0):
        raise bad("a relative excess must be positive and finite", within, "within=0.01, say")
    problem = posed(proxy, **refined)
    lanes = problem.lanes()
    best = solve(lanes)
    direction, curvature = _flattest(best)
    intervals = {v: _interval(lanes, best, v, np.log1p(within)) for v in lanes.tuned}

    def shaped(array: NDArray[Any]) -> Floats:
        return array.reshape(problem.shape)

    return Flatness(
        direction={v: shaped(direction[i]) for i, v in enumerate(lanes.tuned)},
        curvature=shaped(curvature),
        low={v: shaped(np.exp(low)) for v, (low, _) in intervals.items()},
        high={v: shaped(np.exp(high)) for v, (_, high) in intervals.items()},
        within=within,
    )


def _flattest(best: Mapping[str, Any]) -> tuple[Floats, Floats]:
    """The flattest direction, shape (n, lanes), and its curvature.

    From the inverse Hessian, whose largest eigenvalue is sure to its last digits where the Hessian's
    smallest drowns in the others' rounding.
    """
    inverse = np.moveaxis(best["inverse_hessian"], -1, 0)
    # Where no optimum was found there may be no numbers either: no direction, then, and no curvature.
    unknown = ~np.isfinite(inverse).all(axis=(1, 2))
    values, vectors = np.linalg.eigh(np.where(unknown[:, None, None], 0.0, inverse))
    direction, softness = vectors[:, :, -1].T, values[:, -1]
    loose = np.linalg.norm(best["loose"], axis=0)
    direction = np.where(loose > 0, best["loose"] / np.where(loose > 0, loose, 1.0), direction)
    with np.errstate(divide="ignore"):
        curvature = np.where(loose > 0, 0.0, 1 / np.maximum(softness, 0.0))
    largest = np.take_along_axis(direction, np.abs(direction).argmax(axis=0)[None], axis=0)
    direction = np.where(np.isfinite(curvature), direction * np.sign(largest), 0.0)
    return np.where(unknown, np.nan, direction), np.where(unknown, np.nan, curvature)


# --- the risk beside the optimum ---


def _retuned(problem: Problem, name: str, moved: Floats) -> dict[str, Any]:
    """What is found with one variable held where it was moved to, the others from where they are."""
    at = dict(zip(problem.tuned, np.exp(moved)))
    return solve(problem.holding(name, at[name]), {v: x for v, x in at.items() if v != name})


def _excess(problem: Problem, best: Mapping[str, Any], moved: Floats) -> Floats:
    """risk / least risk - 1, without cancellation where the bound is a sum of powers."""
    form = powers(problem)
    if form is None:
        for name, log in zip(problem.tuned, moved):
            problem = problem.holding(name, np.exp(log))
        return np.expm1(solve(problem)["log_risk"] - best["log_risk"])
    rows, logs, _ = form
    exponents = np.array(rows, float)
    weights = np.exp(logs + exponents @ best["log_at"] - best["log_risk"])
    by = moved - best["log_at"]
    # First order: free variables add nothing at an optimum, held ones their multiplier.
    return (weights * _beyond_linear(exponents @ by)).sum(axis=0) + (best["multiplier"] * by).sum(axis=0)


def _beyond_linear(d: Floats) -> Floats:
    """exp(d) - 1 - d, by its series where the difference would cancel."""
    near = np.abs(d) < 0.05
    x = np.where(near, d, 0.0)
    series = x**2 / 2 * (1 + x / 3 * (1 + x / 4 * (1 + x / 5 * (1 + x / 6 * (1 + x / 7 * (1 + x / 8))))))
    return np.where(near, series, np.expm1(d) - d)


def _interval(problem: Problem, best: Mapping[str, Any], name: str, excess: float) -> tuple[Floats, Floats]:
    """The logs between which a variable costs at most ``excess`` in log risk, the others re-tuned."""
    from scipy.optimize.elementwise import find_root  # a fifth of a second to import

    place = problem.tuned.index(name)
    center = best["log_at"][place]

    def beyond(x: Floats, lane: Floats) -> Floats:
        which = lane.astype(int)
        moved = best["log_at"][:, which].copy()
        moved[place] = x
        return _retuned(problem.lanes(which), name, moved)["log_risk"] - best["log_risk"][which] - excess

    ends = []
    lanes = np.arange(center.size)
    for limit in problem.box[name]:
        crosses = beyond(limit, lanes) > 0
        end = limit.copy()
        if crosses.any():
            pair = (center[crosses], limit[crosses])
            end[crosses] = find_root(beyond, pair, args=(lanes[crosses],), tolerances={"xatol": 1e-9}).x
        ends.append(end)
    return ends[0], ends[1]
