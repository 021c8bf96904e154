"""Bounds that are no posynomials: downhill from a grid's best cells, by automatic differentiation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from numpy.typing import NDArray

from hpgrid.checks import changed
from hpgrid.formula.function import SHARPNESS
from hpgrid.proxy import FunctionProxy, RiskFunction
from hpgrid.refinement.problem import OPEN, Box, Floats, Problem, Solution
from hpgrid.refinement.relative import relative
from hpgrid.shapes import AnyArray as Array

#: Points on each tuned axis of the grid that descents start from, by the number of tuned variables.
COARSE = {1: 400, 2: 100, 3: 40, 4: 15, 5: 9, 6: 6, 7: 5, 8: 4}

#: From how many of its local minima.
STARTS = 4

#: A gradient of the log risk this small, against the largest curvature, is an optimum: its own rounding is 1e-16.
GRADIENT = 1e-11

#: A Newton step still to go beyond this, in logs, is no optimum: the risk only levels off.
STEP = 1e-3

#: A log risk that falls by so much in the last e-fold before the end of the numbers: it goes to 0.
FALLING = 0.1

#: The longest step, in logs.
LONGEST = 2.0

#: A curvature below this is none: its inverse must stay a number.
TINY = 1e-290

#: Damping below rounding is none.
LEAST_DAMPING = 1e-18

MOST_STEPS = 200

#: Problems in one call: one number, so that a bound is compiled once however many remain to be solved. Of a call
#: most is overhead: 128 problems cost twice what one does.
BATCH = 2**7

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
    gradient: Any  # of the log risk, shape (n, problems)
    start: Any  # where it began; with kinks that become sharper, its last part


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

    return jax.tree.map(pick, *descents)


class Call(NamedTuple):
    """Which arguments of a risk function are tuned: the static part of a descent."""

    function: RiskFunction
    arguments: tuple[str, ...]
    tuned: tuple[str, ...]
    budget: str

    @classmethod
    def of(cls, problem: Problem) -> Call:
        """Return what a problem's descents have in common."""
        whole = problem.proxy.as_function()
        return cls(whole.function, whole.arguments(), problem.tuned, problem.budget)

    def log_risk(
        self, z: Array, log_budget: Array, values: Mapping[str, Array], constants: Mapping[str, Array]
    ) -> Array:
        """Return the log of the risk at the logs of the tuned variables and of the budget."""
        at = {**dict.fromkeys(self.arguments, 1.0), **values}
        at |= {name: jnp.exp(z[i]) for i, name in enumerate(self.tuned)} | {self.budget: jnp.exp(log_budget)}
        at = {name: jnp.asarray(at[name], float) for name in self.arguments}

        def log_of(*arguments: Any) -> Array:
            risk = self.function(*arguments)
            return jnp.log(jnp.where(risk >= 0, risk, jnp.nan))

        return relative(log_of)(*at.values(), constants)


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
    for axis, n in enumerate(risk.shape):
        padded = np.pad(around, [(int(k == axis),) * 2 for k in range(risk.ndim)], constant_values=np.inf)
        around = np.min([np.take(padded, range(k, k + n), axis) for k in range(3)], axis=0)
    cells = np.argwhere((risk == around) & (risk < np.inf))
    if not len(cells):
        cells = np.array([[len(axis) // 2 for axis in axes]])
    # Where it is negative a bound does not hold: what is lowest there comes last. Of a plateau, the first cell.
    lowest = risk[tuple(cells.T)]
    _, first = np.unique([lowest <= 0, lowest], axis=1, return_index=True)
    chosen = cells[first[np.minimum(np.arange(STARTS), len(first) - 1)]]
    return np.array([[axis[k] for axis, k in zip(axes, cell)] for cell in chosen])


class _Inputs(NamedTuple):
    """One problem's numbers: its box, the log of its budget, other values and constants by name."""

    box: Box
    log_budget: Array
    values: Mapping[str, Array]
    constants: Mapping[str, Array]


class _State(NamedTuple):
    z: Array
    value: Array
    damping: Array
    steps: Array
    done: Array


def _quadratic(value: Callable[[Array], Array], box: Box, z: Array) -> tuple[Array, Array, Array]:
    """The gradient, the Hessian, and which variables are free: off their bounds, or drawn inside."""
    gradient, hessian = jax.grad(value)(z), jax.hessian(value)(z)
    held = ((z <= box.lo) & (gradient >= 0)) | ((z >= box.hi) & (gradient <= 0))
    return gradient, hessian, ~held


def _newton(hessian: Array, right: Array, free: Array, damping: Array) -> Array:
    """The damped step in the free variables: the system scaled by its diagonal, the held ones left out."""
    diagonal = jnp.where(free, jnp.abs(jnp.diagonal(hessian)), 1.0)
    scale = jnp.where(free, lax.rsqrt(jnp.maximum(diagonal, TINY)), 0.0)
    scaled = hessian * scale[:, None] * scale[None, :]
    # Where a log risk is straight its curvature says nothing of how far to go: the slope does.
    damping = damping * jnp.maximum(1.0, jnp.abs(right) * scale**2)
    scaled = scaled + jnp.diag(jnp.where(free, damping, 1.0))
    return jnp.linalg.solve(scaled, right * scale) * scale


def _step(value_at: Callable[[Array], Array], box: Box, state: _State) -> _State:
    z = state.z
    gradient, hessian, free = _quadratic(value_at, box, z)
    move = _newton(hessian, -gradient, free, state.damping)
    move = move / jnp.maximum(jnp.abs(move).max() / LONGEST, 1.0)
    tried = jnp.clip(z + move, box.lo, box.hi)
    value = value_at(tried)
    # A step that changes nothing but the last digits may be the last one, so that it counts as one down.
    better = value <= state.value + 4e-16 * jnp.maximum(jnp.abs(state.value), 1.0)
    small = jnp.all(~free | (jnp.abs(gradient) <= GRADIENT * jnp.maximum(jnp.abs(hessian).max(), 1e-300)))
    damping = jnp.where(better, jnp.maximum(state.damping / 8, LEAST_DAMPING), jnp.maximum(8 * state.damping, 1e-8))
    return _State(
        jnp.where(better, tried, z), jnp.where(better, value, state.value), damping, state.steps + 1,
        (small & better) | (damping > 1e12),
    )  # fmt: skip


def _descent(call: Call, inputs: _Inputs, sharpness: Array | None) -> Descent:
    """One problem: from its start down, or with kinks from each sharpness to the next."""
    if not call.tuned:
        return _evaluated(call, inputs)

    def down(start: Array, constants: Mapping[str, Array]) -> _State:
        def value_at(z: Array) -> Array:
            return call.log_risk(z, inputs.log_budget, inputs.values, constants)

        z = jnp.clip(start, inputs.box.lo, inputs.box.hi)
        value = value_at(z)
        value = jnp.where(jnp.isnan(value), jnp.inf, value)
        return lax.while_loop(
            lambda state: ~state.done & (state.steps < MOST_STEPS),
            partial(_step, value_at, inputs.box),
            _State(z, value, jnp.asarray(1e-2), jnp.asarray(0), jnp.asarray(False)),
        )

    if sharpness is None:
        return _described(call, inputs, down(inputs.box.start, inputs.constants))

    def follow(carry: tuple[_State, Array], power: Array) -> tuple[tuple[_State, Array], None]:
        last, before = carry
        start = jnp.where(jnp.isfinite(last.z), last.z, before)
        return (down(start, {**inputs.constants, SHARPNESS: power}), start), None

    nowhere = jnp.zeros(()) * inputs.log_budget
    first = _State(inputs.box.start, nowhere, nowhere, jnp.asarray(0), jnp.asarray(False))
    (last, start), _ = lax.scan(follow, (first, inputs.box.start), sharpness)
    constants = {**inputs.constants, SHARPNESS: sharpness[-1]}
    return _described(call, inputs._replace(box=inputs.box._replace(start=start), constants=constants), last)


def _described(call: Call, inputs: _Inputs, last: _State) -> Descent:
    """What is known at the last point: bounds, stopping rule, and the exponents by implicit differentiation."""
    box, log_budget = inputs.box, inputs.log_budget

    def both(z: Array, log_budget: Array) -> Array:
        return call.log_risk(z, log_budget, inputs.values, inputs.constants)

    gradient, hessian, free = _quadratic(lambda z: both(z, log_budget), box, last.z)
    _, source = jax.jvp(lambda t: jax.grad(both)(last.z, t), (log_budget,), (jnp.ones_like(log_budget),))
    along = jnp.where(free, 0.0, jnp.where(last.z >= box.hi, box.follows, box.rises))
    exponent = _newton(hessian, -(source + hessian @ along), free, jnp.asarray(0.0)) + along
    own = jax.grad(both, argnums=1)(last.z, log_budget)
    inverse = jax.vmap(lambda right: _newton(hessian, right, free, jnp.asarray(0.0)))(jnp.eye(free.size))
    small = jnp.abs(gradient) <= 1e3 * GRADIENT * jnp.maximum(jnp.abs(hessian).max(), 1e-300)
    ahead = _newton(hessian, -gradient, free, jnp.asarray(0.0))
    creeps = free & ~(jnp.abs(ahead) <= STEP)

    # What still creeps on goes in the direction in which it came, until the first is at the end of the numbers:
    # where the risk is no larger there, that is where its infimum is.
    going = jnp.where(creeps, last.z - box.start, 0.0)
    wall = jnp.where(going > 0, box.hi, box.lo)
    times = jnp.where(going != 0, (wall - last.z) / jnp.where(going != 0, going, 1.0), jnp.inf)
    first = times.argmin()
    end = jnp.where(going != 0, jnp.clip(last.z + times[first] * going, box.lo, box.hi), last.z)
    infimum = both(end, log_budget)
    lower = infimum <= last.value + 4e-16 * jnp.maximum(jnp.abs(last.value), 1.0)
    leaves = jnp.any(going != 0) & lower & (jnp.abs(wall[first]) >= OPEN)
    # What still falls there like a power falls to 0 beyond.
    falls = both(end - going / jnp.maximum(jnp.abs(going).max(), TINY), log_budget) - infimum >= FALLING

    runs_off = ~free & (jnp.abs(last.z) >= OPEN)
    convex = jnp.all(jnp.linalg.eigvalsh(jnp.where(free[:, None] & free[None, :], hessian, jnp.eye(free.size))) > 0)
    solution = Solution(
        log_risk=jnp.where(leaves, infimum, last.value),
        log_at=jnp.where(leaves, end, last.z),
        exponent=exponent,
        risk_exponent=own + gradient @ along,
        inverse_hessian=inverse,
        multiplier=jnp.where(free, 0.0, gradient),
        side=jnp.where(free, 0, jnp.where(last.z <= box.lo, -1, 1)),
        unbounded=jnp.where(runs_off | creeps & leaves, jnp.sign(end), 0.0),
        vanishes=leaves & falls | jnp.any(runs_off & (jnp.abs(gradient) >= FALLING)),
        flat=jnp.zeros(free.shape),
        undetermined=jnp.zeros(free.shape, bool),
        converged=jnp.all(~free | (small & ~creeps)) & convex & jnp.isfinite(last.value),
    )
    return Descent(solution, gradient, box.start)


def _evaluated(call: Call, inputs: _Inputs) -> Descent:
    """The risk where nothing is left to tune."""
    of_budget = jax.value_and_grad(call.log_risk, argnums=1)
    none, yes = inputs.box.start, jnp.asarray(True)
    log_risk, exponent = of_budget(none, inputs.log_budget, inputs.values, inputs.constants)
    square, known = jnp.zeros((0, 0)), jnp.isfinite(log_risk)
    solution = Solution(log_risk, none, none, exponent, square, none, none, none, ~yes, none, none, known)
    return Descent(solution, none, none)


def _descents(call: Call, inputs: _Inputs, sharpness: Array | None) -> Descent:
    return jax.vmap(partial(_descent, call), in_axes=(0, None))(inputs, sharpness)


@cache
def _compiled() -> Any:
    # A call takes milliseconds, LLVM's optimiser a second or two for each new bound, four tenths of all compiling.
    options = {"xla_backend_optimization_level": 0} if jax.default_backend() == "cpu" else None
    return jax.jit(_descents, static_argnums=0, compiler_options=options)


def _followed(problem: Problem, box: Box, sharpness: Sequence[float] | None = None) -> Descent:
    """Where descents from the box's start end, in calls of one size."""
    batch, count = problem.flat(), box.lo.shape[1]
    call = Call.of(problem)
    values = {v: x for v, x in batch.values.items() if v != problem.budget}
    inputs = _Inputs(Box(*(array.T for array in box)), np.log(batch.values[problem.budget]), values, batch.constants)
    powers = None if sharpness is None else np.array(sharpness)

    def block(first: int) -> Descent:
        part = np.minimum(np.arange(first, first + BATCH), count - 1)  # the last one, again, as padding
        descent = _compiled()(call, jax.tree.map(lambda array: array[part], inputs), powers)
        return jax.tree.map(lambda array: np.asarray(array)[: count - first], descent)

    with jax.enable_x64(True):
        parts = [block(first) for first in range(0, count, BATCH)]
    return jax.tree.map(lambda *arrays: np.moveaxis(np.concatenate(arrays), 0, -1), *parts)
