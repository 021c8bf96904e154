"""Domains that are no box: downhill to the walls that hold an optimum, and then along them to the last digits.

To descend, a wall is a kink: behind it the risk rises steeply. That says which walls hold the optimum; where it lies on
them, and how it moves with the budget, is what the conditions of Lagrange say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from hpgrid.checks import changed
from hpgrid.formula.function import SHARPNESS, excess, named
from hpgrid.formula.powers import sides
from hpgrid.formula.syntax import Inequality
from hpgrid.proxy import RiskFunction
from hpgrid.refinement.descent import Call, descend
from hpgrid.refinement.problem import Floats, Problem, Solution
from hpgrid.shapes import AnyArray as Array, array_namespace
from hpgrid.variables import Space

#: The power of what is too much by which the risk rises behind a wall: more than it can fall by.
STEEP = 32.0

#: A descent's end this near to a wall, in the log of its two sides, is on it; beyond it by more, it is none.
ON_WALL = 1e-4

#: Newton's steps along the walls: from an end that is off by ``ON_WALL`` each doubles the digits.
STEPS = 6

#: What is left of a gradient, or of a way to a wall, at an optimum; and a multiplier that is none.
SETTLED = 1e-9


def descend_inside(problem: Problem, start: Mapping[str, Floats]) -> Solution:
    """Return the lowest local optima that descents find inside a problem's walls, as ``descend`` does without any."""
    whole, both = problem.proxy.as_function(), [sides(wall) for wall in problem.walls]
    convex = whole.log_convex and all(pair is not None and len(pair[1]) == 1 for pair in both)
    function = _Steep(whole.function, problem.walls, problem.budget, problem.proxy.space)
    proxy = changed(whole.everywhere(), function=function, kinks=True, log_convex=convex)
    end = descend(replace(problem, proxy=proxy, walls=()), start)
    return _along_walls(problem, end) if problem.tuned else end


@dataclass(frozen=True)
class _Steep:
    """A risk function that rises steeply where conditions do not hold: each wall of its domain is a kink."""

    function: RiskFunction
    walls: tuple[Inequality, ...]
    budget: str
    space: Space

    def __call__(self, *values: Any) -> Array:
        at, constants = named(values, self.space, self.budget), values[-1]
        risk = self.function(*values)
        xp = array_namespace(risk, *at.values())
        for wall in self.walls:
            over = excess(wall, at)
            if SHARPNESS in constants:
                power = constants[SHARPNESS] * over
                largest = xp.maximum(power, 0.0)
                over = (largest + xp.log(xp.exp(power - largest) + xp.exp(-largest))) / constants[SHARPNESS]
            risk = risk * xp.exp(STEEP * xp.maximum(over, 0.0))
        return risk


class _Held(NamedTuple):
    """An optimum on walls: shapes (n,) and (m,) of one problem."""

    z: Array
    log_risk: Array
    exponent: Array
    risk_exponent: Array
    left: Array  # the largest of what should be nought
    multiplier: Array  # of the walls that hold, >= 0 where they do
    over: Array  # by how much each condition is off
    slope: Array  # of each condition's log in the variables, shape (m, n)


@partial(jax.jit, static_argnums=(0, 1))
def _held(call: Call, walls: tuple[Inequality, ...], numbers: Any) -> _Held:
    return jax.vmap(partial(_held_one, call, walls))(numbers)


def _held_one(call: Call, walls: tuple[Inequality, ...], numbers: Any) -> _Held:
    z, log_budget, values, constants, free, tight = numbers
    n = z.shape[0]

    def log_risk(z: Array, log_budget: Array) -> Array:
        return call.log_risk(z, log_budget, values, constants)

    def over(z: Array, log_budget: Array) -> Array:
        at = {**constants, **values, call.budget: jnp.exp(log_budget), **dict(zip(call.tuned, jnp.exp(z)))}
        return jnp.stack([excess(wall, at) for wall in walls])

    def lagrangian(z: Array, multiplier: Array, log_budget: Array) -> Array:
        return log_risk(z, log_budget) + jnp.where(tight, multiplier, 0.0) @ over(z, log_budget)

    def system(z: Array, multiplier: Array) -> tuple[Array, Array]:
        """The matrix of Newton's steps, and what should be nought."""
        slope = jnp.where(tight[:, None] & free[None, :], jax.jacobian(over)(z, log_budget), 0.0)
        curved = jnp.where(free[:, None] & free[None, :], jax.hessian(lagrangian)(z, multiplier, log_budget), 0.0)
        curved = curved + jnp.diag(jnp.where(free, 0.0, 1.0))
        matrix = jnp.block([[curved, slope.T], [slope, jnp.diag(jnp.where(tight, 0.0, 1.0))]])
        gradient = jnp.where(free, jax.grad(lagrangian)(z, multiplier, log_budget), 0.0)
        return matrix, jnp.concatenate([gradient, jnp.where(tight, over(z, log_budget), 0.0)])

    slope = jnp.where(tight[:, None] & free[None, :], jax.jacobian(over)(z, log_budget), 0.0)
    multiplier = jnp.linalg.lstsq(slope.T, -jnp.where(free, jax.grad(log_risk)(z, log_budget), 0.0))[0]

    def follow(_: int, point: tuple[Array, Array]) -> tuple[Array, Array]:
        matrix, rest = system(*point)
        step = jnp.linalg.solve(matrix, -rest)
        return point[0] + step[:n], point[1] + step[n:]

    z, multiplier = lax.fori_loop(0, STEPS, follow, (z, multiplier))
    matrix, rest = system(z, multiplier)
    one = jnp.ones_like(log_budget)
    _, moved = jax.jvp(lambda t: jax.grad(lagrangian)(z, multiplier, t), (log_budget,), (one,))
    _, of_walls = jax.jvp(lambda t: over(z, t), (log_budget,), (one,))
    source = jnp.concatenate([jnp.where(free, moved, 0.0), jnp.where(tight, of_walls, 0.0)])
    return _Held(
        z,
        log_risk(z, log_budget),
        jnp.linalg.solve(matrix, -source)[:n],
        jax.grad(lagrangian, argnums=2)(z, multiplier, log_budget),
        jnp.abs(rest).max(),
        jnp.where(tight, multiplier, 0.0),
        over(z, log_budget),
        jax.jacobian(over)(z, log_budget),
    )


def _along_walls(problem: Problem, end: Solution) -> Solution:
    """The end of a descent, to the last digits on the walls that hold it; no optimum where it is none on them."""
    batch = problem.flat()
    call = Call.of(problem)
    known = {**batch.constants, **batch.values, **dict(zip(batch.tuned, np.exp(end.log_at)))}
    near = np.array([np.broadcast_to(excess(wall, known), batch.shape) for wall in problem.walls])
    tight, values = np.abs(near) <= ON_WALL, {v: x for v, x in batch.values.items() if v != batch.budget}
    numbers = (end.log_at.T, np.log(batch.values[batch.budget]), values, batch.constants, (end.side == 0).T, tight.T)
    with jax.enable_x64(True):
        found = jax.tree.map(lambda array: np.moveaxis(np.asarray(array), 0, -1), _held(call, problem.walls, numbers))
    on = tight.any(axis=0) & end.converged
    holds = (found.left <= SETTLED) & (found.multiplier >= -SETTLED).all(axis=0) & (found.over <= SETTLED).all(axis=0)
    good, alone = on & holds, end.converged & ~on & (near <= 0).all(axis=0)
    of_walls = np.sign(np.einsum("mp,mnp->np", tight.astype(float), np.sign(np.round(found.slope, 9))))
    return end._replace(
        log_risk=np.where(good, found.log_risk, end.log_risk),
        log_at=np.where(good, found.z, end.log_at),
        exponent=np.where(good, found.exponent, end.exponent),
        risk_exponent=np.where(good, found.risk_exponent, end.risk_exponent),
        side=np.where(good & (end.side == 0), of_walls, end.side),
        converged=good | alone,
    )
