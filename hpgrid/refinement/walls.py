"""Domains that are no box: downhill to the walls that hold an optimum, and then along them to the last digits.

To descend, a wall is a kink: behind it the risk rises steeply. That says which walls hold the optimum; where it lies on
them, and how it moves with the budget, is what the conditions of Lagrange say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hpgrid.checks import changed
from hpgrid.formula.function import excess, named
from hpgrid.formula.powers import sides
from hpgrid.formula.syntax import Inequality
from hpgrid.formula.values import SHARPNESS
from hpgrid.proxy import RiskFunction
from hpgrid.refinement.descent import descend, solved
from hpgrid.refinement.problem import Floats, Problem, Solution
from hpgrid.refinement.relative import Jet, derivatives
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
    """Optima on walls, problems first: n variables, m walls."""

    z: Floats
    log_risk: Floats
    exponent: Floats
    risk_exponent: Floats
    left: Floats  # the largest of what should be nought
    multiplier: Floats  # of the walls that hold, >= 0 where they do
    over: Floats  # by how much each condition is off
    slope: Floats  # of each condition's log in the variables, shape (problems, m, n)


def _held(jets: Callable[..., Jet], z: Floats, free: NDArray[np.bool_], tight: NDArray[np.bool_]) -> _Held:
    """What Newton's steps on the conditions of Lagrange lead to, from near an optimum on the walls that hold it."""
    every, both, n = np.arange(len(z)), np.concatenate([free, tight], axis=1), free.shape[1]
    multiplier = np.zeros(tight.shape)
    for step in range(STEPS + 2):
        jet = jets(z, every)
        slope = np.where(tight[:, :, None] & free[:, None], jet.gradient[:, 1:, :n], 0.0)
        if not step:  # from where the gradients fit best
            gradient = np.where(free, jet.gradient[:, 0, :n], 0.0)
            multiplier = np.einsum("pmn,pn->pm", np.linalg.pinv(np.nan_to_num(np.swapaxes(slope, 1, 2))), -gradient)
        weights = np.concatenate([np.ones((len(z), 1)), np.where(tight, multiplier, 0.0)], axis=1)
        gradient, hessian = (np.einsum("pm,pm...->p...", weights, part) for part in jet[1:])
        # What is held moves nowhere.
        curved = np.where(free[:, :, None] & free[:, None], hessian[:, :n, :n], 0.0)
        matrix = np.block([[curved, np.swapaxes(slope, 1, 2)], [slope, np.zeros((len(z), *tight.shape[1:] * 2))]])
        matrix = matrix + np.where(both, 0.0, 1.0)[:, None] * np.eye(both.shape[1])
        rest = np.where(both, np.concatenate([gradient[:, :n], jet.value[:, 1:]], axis=1), 0.0)
        if step > STEPS:
            break
        move = solved(matrix, -rest[..., None])[..., 0]
        z, multiplier = z + move[:, :n], multiplier + move[:, n:]
    source = np.where(both, np.concatenate([hessian[:, :n, n], jet.gradient[:, 1:, n]], axis=1), 0.0)
    return _Held(
        z, jet.value[:, 0], solved(matrix, -source[..., None])[:, :n, 0], gradient[:, n], np.abs(rest).max(axis=1),
        np.where(tight, multiplier, 0.0), jet.value[:, 1:], jet.gradient[:, 1:, :n],
    )  # fmt: skip


def _along_walls(problem: Problem, end: Solution) -> Solution:
    """The end of a descent, to the last digits on the walls that hold it; no optimum where it is none on them."""
    batch = problem.flat()
    known = {**batch.constants, **batch.values, **dict(zip(batch.tuned, np.exp(end.log_at)))}
    near = np.array([np.broadcast_to(excess(wall, known), batch.shape) for wall in problem.walls])
    tight = np.abs(near) <= ON_WALL
    with np.errstate(all="ignore"):
        held = _held(derivatives(problem, problem.walls), end.log_at.T, (end.side == 0).T, tight.T)
    found = _Held(*(np.moveaxis(array, 0, -1) for array in held))
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
