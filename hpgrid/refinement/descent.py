"""Bounds that are no posynomials: downhill from a grid's best cells, by automatic differentiation.

The steps are NumPy's, problems along the first axis; what a new bound compiles is its derivatives alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hpgrid.checks import changed
from hpgrid.formula.values import SHARPNESS
from hpgrid.proxy import FunctionProxy
from hpgrid.refinement.problem import OPEN, Box, Floats, Problem, Solution
from hpgrid.refinement.relative import Jet, derivatives

#: Points on each tuned axis of the grid that descents start from, by the number of tuned variables.
COARSE = {1: 400, 2: 100, 3: 40, 4: 15, 5: 9, 6: 6, 7: 5, 8: 4}

#: From how many of its local minima.
STARTS = 4

#: A gradient of the log risk this small, against the largest curvature, is an optimum: its own rounding is 1e-16.
GRADIENT = 1e-11

#: A Newton step still to go beyond this, in logs, is no optimum: the risk only levels off.
STEP = 1e-3

#: The rounding of a number of the order of 1.
EPSILON = np.finfo(float).eps

#: A log risk that falls by so much in the last e-fold before the end of the numbers: it goes to 0.
FALLING = 0.1

#: The longest step, in logs.
LONGEST = 2.0

#: A curvature below this is none: its inverse must stay a number.
TINY = 1e-290

#: Damping below rounding is none.
LEAST_DAMPING = 1e-18

MOST_STEPS = 200

#: How often a descent goes on that neither arrived nor runs off: exp(-x) falls by a factor e in a step, and 1e-280 of a
#: bound, which is all that moves beside a constant, takes 650.
ROUNDS = 4

#: How sharp kinks become, step by step: an optimum moves by some 1/p from each to the next. At the last, p times the
#: rounding of a log, 1e-14, is still small.
SHARPENED = tuple(4.0**k for k in range(1, 13))

#: How far a variable is moved, in logs, to see whether the risk depends on it; a slope below which there is none.
NUDGE, SLOPE = 1e-3, 1e-9

#: Log risks this close are the same to rounding: a sum of a few terms, each after some ten operations.
ROUNDING = 1e-14


class Descent(NamedTuple):
    """Where a descent ended."""

    end: Solution  # what is known there
    gradient: Floats  # of the log risk, shape (n, problems)
    start: Floats  # where it began; with kinks that become sharper, its last part


def descend(problem: Problem, start: Mapping[str, Floats]) -> Solution:
    """Return the lowest local optima that descents find, and how they move with the log budget.

    A problem that tunes nothing is evaluated. Without a start of all the tuned variables, a coarse grid has them.
    """
    whole = set(start) == set(problem.tuned)
    boxes = [problem.boxed({**each, **start}) for each in ([{}] if whole else coarse_optima(problem))]
    ends = [_followed(problem, box) for box in boxes]
    if not (isinstance(problem.proxy, FunctionProxy) and problem.proxy.kinks and problem.tuned):
        return _lowest(ends).end
    return _with_plateaus(problem, _lowest([*ends, _sharpened(problem, boxes[0])]))


def local_optima(problem: Problem) -> list[Solution]:
    """Return where the descents from each start of the coarse grid end, kinks as sharp as they are."""
    return [_followed(problem, problem.boxed(start)).end for start in coarse_optima(problem)]


def _sharpened(problem: Problem, box: Box) -> Descent:
    """What descents find of a bound with kinks: rounded off, and followed down while they become sharp.

    With max(x, y) as (x^p + y^p)^(1/p) an optimum is off by some 1/p in the logs, and a convex bound stays convex;
    the last two steps, p four times as large in the second, say where it is going.
    """
    end, gradient, before = _followed(problem, box, SHARPENED)
    last = np.where(np.isfinite(end.log_at), end.log_at, before)
    # An error of c/p at p and c/(4 p) at 4 p: the limit is a third of the last step ahead.
    ahead = np.clip(last + np.where(end.converged, last - before, 0.0) / 3, box.lo, box.hi)
    return Descent(end._replace(log_at=ahead, log_risk=_log_risk(problem, ahead)), gradient, before)


def _with_plateaus(problem: Problem, descent: Descent) -> Solution:
    """The end of a bound with kinks, variables that the risk does not depend on there told apart.

    Where another branch is the largest, a variable may move without any change; of a bound that is convex in the
    logs a point without a slope is the minimum all the same.
    """
    end = descent.end
    flat = np.zeros(end.log_at.shape, bool)
    for k, v in enumerate(problem.tuned):
        lo, hi = (np.broadcast_to(bound, problem.shape).ravel() for bound in problem.box[v])
        for step in (-NUDGE, NUDGE):
            moved = end.log_at.copy()
            moved[k] = np.clip(moved[k] + step, lo, hi)
            with np.errstate(invalid="ignore"):  # where the bound is infinite
                change = np.abs(_log_risk(problem, moved) - end.log_risk)
            same = change <= ROUNDING * np.maximum(1.0, np.abs(end.log_risk))
            flat[k] |= same & (np.abs(moved[k] - end.log_at[k]) >= NUDGE / 2)
    assert isinstance(problem.proxy, FunctionProxy)
    level = np.all((np.abs(descent.gradient) <= SLOPE) | (end.side != 0) | flat, axis=0)
    convex = problem.proxy.log_convex & level & np.isfinite(end.log_risk) & flat.any(axis=0)
    # d log risk / d log budget where the variables stay: that of the minimum, too, where none of them matters.
    below, above = (
        {**problem.values, problem.budget: problem.values[problem.budget] * np.exp(nudge)} for nudge in (-NUDGE, NUDGE)
    )
    with np.errstate(invalid="ignore"):  # where the bound is infinite
        rise = np.subtract(*(_log_risk(replace(problem, values=there), end.log_at) for there in (above, below)))
    return end._replace(
        undetermined=end.undetermined | flat,
        converged=end.converged | convex,
        risk_exponent=np.where(end.converged, end.risk_exponent, rise / (2 * NUDGE)),
    )


def _log_risk(problem: Problem, log_at: Floats) -> Floats:
    """The bound as it is, at the logs of the tuned variables: shape (problems,)."""
    batch = problem.flat()
    at = {**batch.values, **dict(zip(batch.tuned, np.exp(log_at)))}
    assert isinstance(batch.proxy, FunctionProxy)
    values = [at.get(v, np.ones(batch.shape)) for v in batch.proxy.arguments()]
    with np.errstate(all="ignore"):
        return np.log(np.asarray(batch.proxy.function(*values, batch.constants), float))


def _lowest(descents: Sequence[Descent]) -> Descent:
    """Of every problem the descent that ended lowest, the first of equals; one that ended nowhere comes last."""
    ends = np.array([np.where(np.isnan(each.end.log_risk), np.inf, each.end.log_risk) for each in descents])
    # What differs by rounding is one optimum: the descent that knows it for one is taken.
    with np.errstate(invalid="ignore"):  # where no descent ended anywhere
        near = ends <= ends.min(axis=0) + ROUNDING * np.maximum(1.0, np.abs(ends.min(axis=0)))
    converged = near & np.array([each.end.converged for each in descents])
    best = np.where(converged.any(axis=0), converged.argmax(axis=0), ends.argmin(axis=0))

    def pick(*arrays: NDArray[Any]) -> NDArray[Any]:
        return np.moveaxis(np.stack(arrays)[best, ..., np.arange(best.size)], 0, -1)

    end = Solution(*(pick(*arrays) for arrays in zip(*(each.end for each in descents))))
    return Descent(end, *(pick(*arrays) for arrays in zip(*(each[1:] for each in descents))))


def coarse_optima(problem: Problem) -> tuple[dict[str, Floats], ...]:
    """Return where descents start: for each tuned variable one value a problem, the most promising start first.

    Those are the lowest local minima of a coarse grid, ``STARTS`` of them, since a bound can have several:
    one at alpha = 1, say, or at eta -> 0 while the budget is small. For a budget M the grid spans eta in
    1e-2/M to 1e2, b in 1 to M, alpha in 1/M to 1, as far as the bounds let it; other variables as their range is.
    """
    batch = problem.flat()
    minima = np.array([_lowest_minima(batch, i) for i in range(batch.shape[0])])
    return tuple(
        {v: minima[:, k, i].reshape(problem.shape) for i, v in enumerate(problem.tuned)} for k in range(STARTS)
    )


def _lowest_minima(batch: Problem, index: int) -> Floats:
    """The lowest local minima on the grid of one problem, shape (STARTS, variables); fewer are repeated."""
    held = {v: float(x[index]) for v, x in batch.values.items()}
    # At small budgets the grid still spans four decades: an optimum need not lie below the budget.
    largest = max(held[batch.budget], 1e4)
    axes = []
    for v in batch.tuned:
        variable = batch.proxy.space.all[v]
        below = 1e-2 / largest if variable.high == np.inf else 1 / largest
        span = variable.low or below, min(variable.high, largest if variable.low else 1e2)
        lo, hi = np.clip(np.log(span), batch.box[v][0][index], batch.box[v][1][index])
        axes.append(np.exp(np.linspace(lo, hi, COARSE[len(batch.tuned)])))
    # The axes end at the caps already, to rounding: an end must not count as beyond.
    constants = {name: float(x[index]) for name, x in batch.constants.items()}
    proxy = changed(batch.proxy.everywhere(), constants=constants)
    with np.errstate(all="ignore"):
        risk = proxy.risk(**held, **dict(zip(batch.tuned, np.meshgrid(*axes, indexing="ij"))))
    risk = np.where(np.isfinite(risk), risk, np.inf)
    around = risk  # the minimum among each cell and its neighbours, diagonal ones too
    for axis in range(risk.ndim):
        padded = np.pad(around, [(int(k == axis),) * 2 for k in range(risk.ndim)], constant_values=np.inf)
        along = np.moveaxis(padded, axis, 0)
        around = np.moveaxis(np.minimum(np.minimum(along[:-2], along[1:-1]), along[2:]), 0, axis)
    cells = np.argwhere((risk == around) & (risk < np.inf))
    if not len(cells):
        cells = np.array([[len(axis) // 2 for axis in axes]])
    # Where it is negative a bound does not hold: what is lowest there comes last. Of a plateau, the first cell.
    lowest = risk[tuple(cells.T)]
    _, first = np.unique([lowest <= 0, lowest], axis=1, return_index=True)
    chosen = cells[first[np.minimum(np.arange(STARTS), len(first) - 1)]]
    return np.array([[axis[k] for axis, k in zip(axes, cell)] for cell in chosen])


def solved(matrix: Floats, rights: Floats) -> Floats:
    """Return the solutions of a batch of small systems, shape (problems, n, rights); inf or NaN of a singular one."""
    n, every = matrix.shape[-1], np.arange(len(matrix))
    a = np.concatenate([matrix, rights], axis=-1)
    for k in range(n):
        pivot = k + np.abs(a[:, k:, k]).argmax(axis=1)
        a[every, k], a[every, pivot] = a[every, pivot], a[every, k]
        a[:, k + 1 :] -= (a[:, k + 1 :, k] / a[:, k, k, None])[..., None] * a[:, k, None]
    for k in reversed(range(n)):
        a[:, k, n:] = (a[:, k, n:] - np.einsum("pi,pir->pr", a[:, k, k + 1 : n], a[:, k + 1 :, n:])) / a[:, k, k, None]
    return a[..., n:]


def _newton(hessian: Floats, rights: Floats, free: NDArray[np.bool_], damping: Floats | float = 0.0) -> Floats:
    """The damped steps in the free variables: the system scaled by its diagonal, the held ones left out."""
    diagonal = np.where(free, np.abs(np.diagonal(hessian, axis1=1, axis2=2)), 1.0)
    scale = np.where(free, 1 / np.sqrt(np.maximum(diagonal, TINY)), 0.0)
    scaled = hessian * scale[:, :, None] * scale[:, None, :]
    # Where a log risk is straight its curvature says nothing of how far to go: the slope does.
    added = np.where(free, np.asarray(damping)[..., None] * np.maximum(1.0, np.abs(rights[..., 0]) * scale**2), 1.0)
    return solved(scaled + added[:, None] * np.eye(free.shape[1]), rights * scale[..., None]) * scale[..., None]


class _State(NamedTuple):
    """Where descents are, problems first: the logs, and what is known of the log risk there."""

    z: Floats
    value: Floats
    gradient: Floats  # in the variables and, last, in the log budget
    hessian: Floats

    def quadratic(self, lo: Floats, hi: Floats) -> tuple[Floats, Floats, NDArray[np.bool_], NDArray[np.bool_]]:
        """Return the gradient and the Hessian in the variables, which are free, and which are as good as level.

        A variable is free off its bounds, or where it is drawn inside.
        """
        gradient, hessian = self.gradient[:, :-1], self.hessian[:, :-1, :-1]
        held = ((self.z <= lo) & (gradient >= 0)) | ((self.z >= hi) & (gradient <= 0))
        largest = np.maximum(np.abs(hessian).max(axis=(1, 2)), 1e-300)
        return gradient, hessian, ~held, np.abs(gradient) / largest[:, None]


def _down(jets: Callable[..., Jet], box: Box, start: Floats, constants: Mapping[str, float]) -> _State:
    """The ends of Newton's way down from a start, each step damped until it leads down."""
    count, n = start.shape
    # At first nothing is known, and the step is none.
    whole = _State(
        np.clip(start, box.lo, box.hi), np.full(count, np.inf),
        np.full((count, n + 1), np.nan), np.full((count, n + 1, n + 1), np.nan),
    )  # fmt: skip
    damping, active = np.full(count, 8e-2), np.arange(count)
    for step in range(MOST_STEPS + 1):
        last, lo, hi = _State(*(array[active] for array in whole)), box.lo[active], box.hi[active]
        gradient, hessian, free, slope = last.quadratic(lo, hi)
        move = np.zeros_like(last.z)
        if step:
            move = _newton(hessian, -gradient[..., None], free, damping[active])[..., 0]
            move = move / np.maximum(np.abs(move).max(axis=1, keepdims=True) / LONGEST, 1.0)
        z = np.clip(last.z + move, lo, hi)
        jet = jets(z, active, constants)
        # A step that changes nothing but the last digits may be the last one, so that it counts as one down.
        better = jet.value[:, 0] <= last.value + 4e-16 * np.maximum(np.abs(last.value), 1.0)
        for array, new in zip(whole, (z, *(part[:, 0] for part in jet))):
            array[active[better]] = new[better]
        old = damping[active]
        damping[active] = np.where(better, np.maximum(old / 8, LEAST_DAMPING), np.maximum(8 * old, 1e-8))
        active = active[~((np.all(~free | (slope <= GRADIENT), axis=1) & better) | (damping[active] > 1e12))]
        if not active.size:
            break
    return whole


def _followed(problem: Problem, box: Box, sharpness: Sequence[float] | None = None) -> Descent:
    """Where descents from the box's start end; with kinks from each sharpness to the next."""
    jets, rows = derivatives(problem), Box(*(array.T for array in box))
    constants: dict[str, float] = {}
    with np.errstate(all="ignore"):
        if not problem.tuned:
            return _evaluated(jets(rows.start, np.arange(len(rows.start))))
        if sharpness is None:
            for _ in range(ROUNDS):
                found = _described(jets, rows, _down(jets, rows, rows.start, constants), constants)
                lost = ~found.end.converged & ~np.any(found.end.unbounded, axis=0) & np.isfinite(found.end.log_risk)
                if not lost.any():
                    break
                rows = rows._replace(start=np.where(lost[:, None], found.end.log_at.T, rows.start))
            return found
        for power in sharpness:
            before, constants = rows.start, {SHARPNESS: power}
            last = _down(jets, rows, before, constants)
            rows = rows._replace(start=np.where(np.isfinite(last.z), last.z, before))
        return _described(jets, rows._replace(start=before), last, constants)


def _described(jets: Callable[..., Jet], box: Box, last: _State, constants: Mapping[str, float]) -> Descent:
    """What is known at the last point: bounds, stopping rule, and the exponents by implicit differentiation."""
    (gradient, hessian, free, slope), (count, n) = last.quadratic(box.lo, box.hi), last.z.shape
    along = np.where(free, 0.0, np.where(last.z >= box.hi, box.follows, box.rises))
    source = last.hessian[:, :-1, -1] + np.einsum("pik,pk->pi", hessian, along)
    # In one system: how the minimiser moves with the budget, Newton's next step, and the inverse.
    rights = np.stack([-source, -gradient, *np.broadcast_to(np.eye(n)[:, None], (n, count, n))], axis=-1)
    moves, ahead, *inverse = np.moveaxis(_newton(hessian, rights, free), -1, 0)
    creeps = free & ~(np.abs(ahead) <= STEP)

    # What still creeps on goes in the direction in which it came, until the first is at the end of the numbers:
    # where the risk is no larger there, that is where its infimum is.
    going = np.where(creeps, last.z - box.start, 0.0)
    wall = np.where(going > 0, box.hi, box.lo)
    times = np.where(going != 0, (wall - last.z) / np.where(going != 0, going, 1.0), np.inf)
    first = times.argmin(axis=1)[:, None]
    reach = np.take_along_axis(times, first, 1)
    end = np.where(going != 0, np.clip(last.z + reach * going, box.lo, box.hi), last.z)
    before = end - going / np.maximum(np.abs(going).max(axis=1, keepdims=True), TINY)
    both = jets(np.concatenate([end, before]), np.tile(np.arange(count), 2), constants).value[:, 0]
    infimum, higher = both[:count], both[count:]
    lower = infimum <= last.value + 4e-16 * np.maximum(np.abs(last.value), 1.0)
    leaves = np.any(going != 0, axis=1) & lower & (np.abs(np.take_along_axis(wall, first, 1)[:, 0]) >= OPEN)
    # What still falls there like a power falls to 0 beyond.
    falls = higher - infimum >= FALLING

    runs_off = ~free & (np.abs(last.z) >= OPEN)
    # Along a direction of less curvature, each variable in units of its own, rounding of the gradient moves the optimum
    # farther than a step that is none. A variable may move, too, that rounding alone holds at its bound.
    curvature = np.abs(np.diagonal(hessian, axis1=1, axis2=2))
    unit = 1 / np.sqrt(np.maximum(curvature, TINY))
    loose = free | ((np.abs(gradient) * unit <= EPSILON) & (curvature > 0))
    scaled = hessian * unit[:, :, None] * unit[:, None, :]
    inside = np.where(loose[:, :, None] & loose[:, None, :], scaled, np.eye(n))
    determined = np.linalg.eigvalsh(np.where(np.isfinite(inside), inside, 0.0)).min(axis=1) > EPSILON / STEP
    settled = np.all(~free | ((slope <= 1e3 * GRADIENT) & ~creeps), axis=1)
    solution = Solution(
        log_risk=np.where(leaves, infimum, last.value),
        log_at=np.where(leaves[:, None], end, last.z),
        exponent=moves + along,
        risk_exponent=last.gradient[:, -1] + (gradient * along).sum(axis=1),
        inverse_hessian=np.stack(inverse, axis=1),
        multiplier=np.where(free, 0.0, gradient),
        side=np.where(free, 0, np.where(last.z <= box.lo, -1, 1)),
        unbounded=np.where(runs_off | creeps & leaves[:, None], np.sign(end), 0.0),
        vanishes=leaves & falls | np.any(runs_off & (np.abs(gradient) >= FALLING), axis=1),
        flat=np.zeros(free.shape),
        undetermined=np.zeros(free.shape, bool),
        converged=settled & determined & np.isfinite(last.value),
    )
    return Descent(Solution(*(np.moveaxis(array, 0, -1) for array in solution)), gradient.T, box.start.T)


def _evaluated(jet: Jet) -> Descent:
    """The risk where nothing is left to tune."""
    log_risk, exponent = jet.value[:, 0], jet.gradient[:, 0, 0]
    count, known = len(log_risk), np.isfinite(log_risk)
    none, square = np.empty((0, count)), np.empty((0, 0, count))
    no = np.zeros(count, bool)
    solution = Solution(log_risk, none, none, exponent, square, none, none, none, no, none, none, known)
    return Descent(solution, none, none)
