"""What it costs to miss the optimum: regret, the flat direction, what is as good to one per cent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hpgrid.checks import bad, is_number, unknown
from hpgrid.proxy import FunctionProxy, Proxy
from hpgrid.refinement.optimum import posed, solve
from hpgrid.refinement.problem import OPEN, Floats, Problem, Solution, powers

#: How far from an optimum a bound that may be anything is looked at, in logs, to the end of the numbers: half as far
#: again each time, so that the set it is near-optimal on ends before a hump that is a third as wide as it is far.
OUTWARDS = 2 * OPEN * 1.5 ** np.arange(-35.0, 1.0)

#: Of a convex one, how many times as far as the level of the parabola at its optimum: seldom is its own level beyond.
BEYOND = 2.0

#: What stands for a log risk far above a level, and for one that is none: a search for a root needs numbers.
CUT, ENDED = 2 * OPEN, 4 * OPEN


@dataclass(frozen=True, eq=False)
class Flatness:
    """How flat an optimum is; every array has the shape of the budgets.

    Attributes:
        direction: the flattest direction in the logs of the tuned variables, of length 1, by name; zero
            along variables that a bound holds.
        curvature: d2 log risk / ds2 along it; inf where bounds hold everything.
        low: for every tuned variable, the smallest value of the connected near-optimal set around the optimum, the
            others re-tuned: where the risk crosses, or a bound on the variable, or where the bound itself ends; 0
            where there is no smallest, NaN where no optimum is known or the infimum is 0.
        high: the largest; inf where there is none.
        low_open: for every tuned variable, where the set ends at ``low`` because the bound does: below, it is not
            positive and finite.
        high_open: the same at ``high``, above.
        within: what counts as near-optimal: the relative excess risk.
    """

    direction: Mapping[str, Floats]
    curvature: Floats
    low: Mapping[str, Floats]
    high: Mapping[str, Floats]
    low_open: Mapping[str, NDArray[np.bool_]]
    high_open: Mapping[str, NDArray[np.bool_]]
    within: float


def regret(proxy: Proxy | FunctionProxy, name: str, factor: float, *, retune: bool = True, **refined: Any) -> Floats:
    """Return the relative excess risk at every budget when one variable is off its optimum by a factor.

    Of a posynomial nothing cancels in it: with d_j the change of the j-th term's log and w_j its
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
    batch = problem.flat()
    best = solve(batch)
    place = batch.tuned.index(name)
    moved = best.log_at.copy()
    moved[place] += np.log(float(factor))
    lo, hi = batch.box[name]
    inside = (lo <= moved[place]) & (moved[place] <= hi)
    if retune:
        others = [i for i in range(len(moved)) if i != place]
        at = dict(zip(batch.tuned, np.exp(moved)))
        held = batch.holding(name, at[name])
        moved[others] = solve(held, {v: at[v] for v in held.tuned}).log_at
    return np.where(inside, _excess(batch, best, moved), np.nan).reshape(problem.shape)


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
    return flatness_of(posed(proxy, **refined), float(within))


def flatness_of(problem: Problem, within: float) -> Flatness:
    """Return what ``flatness`` does, of a problem: nothing is asked again."""
    batch = problem.flat()
    best = solve(batch)
    direction, curvature = _flattest(best)
    (low, high), (low_open, high_open) = _intervals(batch, best, np.log1p(within))

    def by_name(array: NDArray[Any]) -> dict[str, NDArray[Any]]:
        return {v: array[i].reshape(problem.shape) for i, v in enumerate(batch.tuned)}

    return Flatness(
        direction=by_name(direction),
        curvature=curvature.reshape(problem.shape),
        low=by_name(np.exp(low)),
        high=by_name(np.exp(high)),
        low_open=by_name(low_open),
        high_open=by_name(high_open),
        within=within,
    )


def _flattest(best: Solution) -> tuple[Floats, Floats]:
    """The flattest direction, shape (n, problems), and its curvature.

    From the inverse Hessian, whose largest eigenvalue is sure to its last digits where the Hessian's
    smallest drowns in the others' rounding.
    """
    inverse = np.moveaxis(best.inverse_hessian, -1, 0)
    # Where no optimum is known there may be no numbers either: no direction, then, and no curvature.
    unknown = ~np.isfinite(inverse).all(axis=(1, 2))
    values, vectors = np.linalg.eigh(np.where(unknown[:, None, None], 0.0, inverse))
    direction, softness = vectors[:, :, -1].T, values[:, -1]
    flat = np.linalg.norm(best.flat, axis=0)
    direction = np.where(flat > 0, best.flat / np.where(flat > 0, flat, 1.0), direction)
    with np.errstate(divide="ignore"):
        curvature = np.where(flat > 0, 0.0, 1 / np.maximum(softness, 0.0))
    largest = np.take_along_axis(direction, np.abs(direction).argmax(axis=0)[None], axis=0)
    direction = np.where(np.isfinite(curvature), direction * np.sign(largest), 0.0)
    return np.where(unknown, np.nan, direction), np.where(unknown, np.nan, curvature)


def _excess(problem: Problem, best: Solution, moved: Floats) -> Floats:
    """risk / minimum - 1, without cancellation where the bound is a posynomial."""
    form = powers(problem)
    if form is None:
        for name, log in zip(problem.tuned, moved):
            problem = problem.holding(name, np.exp(log))
        return np.expm1(solve(problem).log_risk - best.log_risk)
    rows, logs, _ = form
    exponents = np.array(rows, float)
    weights = np.exp(logs + exponents @ best.log_at - best.log_risk)
    by = moved - best.log_at
    # exp(d) - 1 - d, by its series where the difference would cancel.
    d = exponents @ by
    near = np.abs(d) < 0.05
    x = np.where(near, d, 0.0)
    series = x**2 / 2 * (1 + x / 3 * (1 + x / 4 * (1 + x / 5 * (1 + x / 6 * (1 + x / 7 * (1 + x / 8))))))
    beyond_linear = np.where(near, series, np.expm1(d) - d)
    # First order: free variables add nothing at an optimum, held ones their multiplier.
    return (weights * beyond_linear).sum(axis=0) + (best.multiplier * by).sum(axis=0)


def _intervals(problem: Problem, best: Solution, excess: float) -> tuple[Floats, NDArray[np.bool_]]:
    """The logs between which each variable costs at most ``excess`` in log risk, the others re-tuned, and open ends.

    Both of shape (2, n, problems). Every end of every variable, at every budget, is a root of one search: a variable
    is held by a box without width, so that one program serves them all, and each of its calls is full.
    """
    from scipy.optimize.elementwise import find_root  # a fifth of a second to import

    n, count = best.log_at.shape
    lo, hi = (np.array([problem.box[v][end] for v in problem.tuned]) for end in (0, 1))
    limits, center = np.array([lo, hi]).ravel(), np.broadcast_to(best.log_at, (2, n, count)).ravel()
    variable, which = (np.broadcast_to(index, (2, n, count)).ravel() for index in np.ogrid[:n, :count])

    def beyond(x: Floats, end: Floats) -> Floats:
        """By how much the log risk is above the level, cut off at CUT; ENDED where there is none."""
        chosen = end.astype(int)
        moved, batch = best.log_at[:, which[chosen]].copy(), problem.flat(which[chosen])
        moved[variable[chosen], np.arange(x.size)] = x
        box = {}
        for k, v in enumerate(problem.tuned):
            held = variable[chosen] == k
            box[v] = (np.where(held, x, batch.box[v][0]), np.where(held, x, batch.box[v][1]))
        start = dict(zip(problem.tuned, np.exp(moved)))
        log_risk = solve(replace(batch, box=box), start).log_risk
        above = log_risk - best.log_risk[which[chosen]] - excess
        return np.where(np.isfinite(log_risk), np.minimum(above, CUT), ENDED)

    # What has no optimum, or an infimum of 0, has nothing near it.
    unbounded = np.asarray(best.unbounded, bool)
    known = np.isfinite(best.log_risk) & (best.converged | unbounded.any(axis=0)) & ~np.asarray(best.vanishes, bool)
    asked = np.flatnonzero(np.broadcast_to(known, (2, n, count)).ravel())
    nothing = np.full((2, n, count), np.nan), np.zeros((2, n, count), bool)
    if not asked.size:
        return nothing
    # A risk that is convex in the logs is near-optimal all the way to an end that is; where it is not, it is above the
    # level not far beyond where a parabola would be, seldom at the end alone, which is dear to look at. Any other is
    # followed outwards to where it is above first.
    toward, convex = (limits - center)[asked, None], problem.proxy.is_log_convex(problem.tuned)
    if convex:
        soft = np.broadcast_to(np.einsum("iip->ip", best.inverse_hessian), (2, n, count)).ravel()[asked]
        near = np.where(soft > 0, BEYOND * np.sqrt(2 * excess * np.maximum(soft, 0.0)), np.inf)
        steps = np.minimum(np.stack([near, np.full(near.shape, np.inf)], axis=1), np.abs(toward))
    else:
        steps = np.minimum(OUTWARDS, np.abs(toward))
    points = np.where(steps < np.abs(toward), center[asked, None] + np.sign(toward) * steps, limits[asked, None])
    outside = np.zeros(points.shape, bool)
    for part in (slice(1), slice(1, 2)) if convex else (slice(None),):
        rows = np.flatnonzero(~outside.any(axis=1))
        here = points[rows, part]
        places = np.broadcast_to(asked[rows, None], here.shape)
        if rows.size:
            outside[rows, part] = beyond(here.ravel(), places.ravel().astype(float)).reshape(here.shape) > 0
    crosses, first = outside.any(axis=1), outside.argmax(axis=1)
    ends, opened = (array.ravel() for array in nothing)
    # Where only the end of the numbers holds a variable, nothing does.
    ends[asked] = np.where(np.abs(limits[asked]) >= OPEN, np.copysign(np.inf, limits[asked]), limits[asked])
    if crosses.any():
        found, row = asked[crosses], np.flatnonzero(crosses)
        start = np.where(first[row] > 0, points[row, first[row] - 1], center[found])
        pair = (start, points[row, first[row]])
        roots = find_root(beyond, pair, args=(found.astype(float),), tolerances={"xatol": 1e-9})
        ends[found] = roots.x
        opened[found] = np.max(roots.f_bracket, axis=0) == ENDED
    low, high = shaped = ends.reshape(2, n, count)
    # A risk that falls by as much within an e-fold of the end of the numbers has not come to its infimum there.
    unsettled = (unbounded & (np.minimum(hi, high) - np.maximum(lo, low) < 1)).any(axis=0)
    # The root that is found for what runs off is where what moves along with it came to the end of the numbers.
    endless = _endless(best, lo, hi, walled=bool(problem.walls)) & ~np.isnan(shaped)
    shaped = np.where(endless, np.array([-np.inf, np.inf])[:, None, None], shaped)
    return np.where(unsettled, np.nan, shaped), opened.reshape(2, n, count) & ~unsettled & ~endless


def _endless(best: Solution, lo: Floats, hi: Floats, *, walled: bool) -> NDArray[np.bool_]:
    """Below and above, which variables go on without end: they run off, or move along a flat direction that does."""
    moves = np.where(np.asarray(best.undetermined, bool), best.flat, 0.0)
    off = np.sign(best.unbounded)
    endless = np.array([off < 0, off > 0])
    for way in () if walled else (-moves, moves):
        free = ~np.any(((way < 0) & (lo > -OPEN)) | ((way > 0) & (hi < OPEN)), axis=0)
        endless |= free & np.array([way < 0, way > 0])
    return endless
