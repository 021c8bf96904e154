"""The continuous optimum of a posynomial by itself: what a tolerance is derived from, and a cost held against.

A solve (``newton``) costs a few milliseconds, and hardly more for hundreds of problems: so ask for many at once. The
budget, the values that are fixed, the ends of the box and the constants are numbers or arrays that broadcast with one
another; and a variable whose two ends are one value is held there, so that problems that tune different variables are
one call too:

    n = len(C1)
    held = np.array([[1e3], [1.0]])                      # two rules: b held at 1e3; b tuned
    free = np.array([[1e3], [1e60]])
    best = profile(proxy, ("eta", "b", "alpha"), {}, T, {"b": (held, free)}, {"C1": C1, "C3": C3})
    best.risk, best.at["eta"]                            # shape (2, n); b on an end of its box is that number itself
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from hpgrid.checks import bad
from hpgrid.proxy import FunctionProxy, Proxy
from hpgrid.refinement.bases import Row
from hpgrid.refinement.newton import minimise
from hpgrid.refinement.problem import OPEN, Box, Problem, Solution, powers, within_domain
from hpgrid.shapes import Array, Float

#: An end of a sublevel set is known to this in its log; Newton's steps to it double their digits.
_END, _MOST_END_STEPS = 1e-10, 60


def bisect(holds: Callable[[float], object], low: float, high: float, halvings: int = 60) -> float:
    """Return the positive number where a condition, true at ``low`` and false at ``high``, stops to hold.

    Halved in the log: of a bracket as wide as floats are, 1e-308 to 1e308, 60 halvings leave 1418/2^60, 1e-15 of
    the number. The upper end is returned: the first float at which the condition does not hold, to rounding.

    Args:
        holds: the condition; anything with a truth value.
        low: where it holds, > 0.
        high: where it does not, > 0; it may be below ``low``.
        halvings: how often the bracket is halved.
    """
    lo, hi = float(np.log(low)), float(np.log(high))
    for _ in range(halvings):
        middle = (lo + hi) / 2
        lo, hi = (middle, hi) if holds(float(np.exp(middle))) else (lo, middle)
    return float(np.exp(hi))


@dataclass(frozen=True, eq=False)
class Profile:
    """The continuous optimum at every budget.

    Attributes:
        risk: the infimum, in the shape that budget, fixed values, box and constants broadcast to.
        at: for every tuned variable, where it is attained, in the same shape; on a bound, the bound itself.
    """

    risk: Float[Array, "..."]
    at: Mapping[str, Float[Array, "..."]]


class Sublevels(NamedTuple):
    """The continuous optimum at every budget, and between which values of some variables nothing costs much."""

    optimum: Profile
    ends: Mapping[str, tuple[Float[Array, "..."], Float[Array, "..."]]]


def profile(
    proxy: Proxy | FunctionProxy,
    tuned: Sequence[str],
    fixed: Mapping[str, ArrayLike],
    budget: ArrayLike,
    box: Mapping[str, tuple[ArrayLike, ArrayLike]] | None = None,
    constants: Mapping[str, ArrayLike] | None = None,
) -> Profile:
    """Return the continuous optimum of a posynomial over some variables.

    Args:
        proxy: the bound.
        tuned: the variables to minimise over.
        fixed: values of the others.
        budget: of the bound.
        box: narrower limits than the variables' ranges; two equal ones hold a variable.
        constants: values in place of some of the bound's.

    Raises:
        ValueError: the bound is not a posynomial in the tuned variables.
    """
    posed = _posed(proxy, tuned, fixed, budget, box, constants)
    return posed.profile(minimise(posed.rows, posed.c, posed.t, posed.box))


def sublevels(
    proxy: Proxy | FunctionProxy,
    tuned: Sequence[str],
    fixed: Mapping[str, ArrayLike],
    budget: ArrayLike,
    names: Sequence[str],
    excess: float,
    box: Mapping[str, tuple[ArrayLike, ArrayLike]] | None = None,
    first: int | None = None,
) -> Sublevels:
    """Return, for each of some variables, the values between which the log risk is within ``excess`` of its minimum.

    The other tuned variables are re-tuned. Arguments that are not said here are those of ``profile``.

    Args:
        names: of the tuned variables.
        excess: in log risk.
        first: of how many of the budgets, shape (m,), sets are asked, if not of all.
    """
    posed = _posed(proxy, tuned, fixed, budget, box, None)
    problem, ends, rows, c, t, where = posed
    best = minimise(rows, c, t, where)
    # Both ends of every variable, at every budget, are problems of one call.
    variables = np.array([list(tuned).index(v) for v in names])
    count, shape = (c.shape[1], problem.shape) if first is None else (first, (first,))
    every = np.broadcast_arrays(variables[:, None, None], np.array([-1, 1])[:, None], np.arange(count))
    k, outwards, of = (index.ravel() for index in every)
    lo, hi, going = where.lo[k, of], where.hi[k, of], np.arange(k.size)
    limit, level = np.where(outwards < 0, lo, hi), excess + best.log_risk[of]
    # From where the set would end if the log risk were a parabola, the others re-tuned.
    soft = best.inverse_hessian[:, k, of]
    width = np.sqrt(np.maximum(soft[k, going], 0.0))
    start = best.log_at[:, of] + np.sqrt(2 * excess) * outwards * soft / np.where(width > 0, width, 1.0)
    x = np.clip(start[k, going], lo, hi)
    for _ in range(_MOST_END_STEPS):
        # The re-tuned log risk is convex in x: Newton's steps lead out of the set, and from outside fall onto its end.
        # Its slope is the multiplier of x, whose digits the graded coordinates keep.
        before, own = x[going], (k[going], np.arange(going.size))
        part = Box(*(array[:, of[going]] for array in where))._replace(start=start[:, going])
        part.lo[own] = part.hi[own] = before
        held = minimise(rows, c[:, of[going]], t, part)
        beyond, slope = held.log_risk - level[going], held.multiplier[own] * outwards[going]
        newton = before - outwards[going] * beyond / np.where(slope > 0, slope, 1.0)
        flat = np.where(beyond < 0, limit[going], before)
        x[going] = after = np.where(slope > 0, np.clip(newton, lo[going], hi[going]), flat)
        start[:, going] = held.log_at
        going = going[np.abs(after - before) > _END]
        if not going.size:
            break
    values = np.where(x == limit, ends[k, (outwards > 0).astype(int), of], np.exp(x))
    pairs = values.reshape(len(names), 2, *shape)
    return Sublevels(posed.profile(best), {v: (pair[0, ...], pair[1, ...]) for v, pair in zip(names, pairs)})


def grid_excess(proxy: Proxy | FunctionProxy, steps: Mapping[str, float]) -> float:
    """Return by how much the log risk of a grid's minimum can exceed the continuous one's.

    The nearest grid point is within half a step of an interior optimum in every variable, and a
    log-sum-exp of slopes s_j along that move curves by at most (max s - min s)^2 / 4.

    Args:
        proxy: a posynomial.
        steps: the log step of every tuned axis.
    """
    posynomial = _posynomial(proxy, steps).present()
    rows = [[float(term.exponent(v) or 0) for v in steps] for term in posynomial.terms]
    halves = np.array(list(steps.values())) / 2
    spread = max((float(np.abs(np.subtract(p, q)) @ halves) for p, q in combinations(rows, 2)), default=0.0)
    return spread**2 / 8


def _posynomial(proxy: Proxy | FunctionProxy, tuned: Collection[str]) -> Proxy:
    if isinstance(proxy, FunctionProxy):
        raise bad("a continuous profile needs a sum of powers", proxy.name, "a Proxy, or the grid alone")
    if not proxy.is_posynomial(tuned):
        raise bad("a continuous profile needs powers of the tuned variables", None, "the grid alone")
    return proxy


class _Posed(NamedTuple):
    """What is solved, flat, and the ends of its box, not their logs, so that what lies on one is that number."""

    problem: Problem
    ends: Float[Array, "n 2 problems"]
    rows: tuple[Row, ...]
    c: Float[Array, "terms problems"]
    t: Float[Array, "terms"]
    box: Box

    def profile(self, best: Solution) -> Profile:
        """Return what was found, in the shape that was asked."""
        at = {}
        for name, inside, side, (low, high) in zip(self.problem.tuned, np.exp(best.log_at), best.side, self.ends):
            at[name] = np.where(side < 0, low, np.where(side > 0, high, inside)).reshape(self.problem.shape)
        with np.errstate(over="ignore", under="ignore"):
            risk = np.exp(best.log_risk).reshape(self.problem.shape)
        return Profile(np.where(self.problem.inside, risk, np.nan), at)


def _posed(
    proxy: Proxy | FunctionProxy,
    tuned: Sequence[str],
    fixed: Mapping[str, ArrayLike],
    budget: ArrayLike,
    box: Mapping[str, tuple[ArrayLike, ArrayLike]] | None,
    constants: Mapping[str, ArrayLike] | None,
) -> _Posed:
    posynomial = _posynomial(proxy, tuned)
    known = {name: np.asarray(x, float) for name, x in {**posynomial.constants, **(constants or {})}.items()}
    values = {name: np.asarray(x, float) for name, x in {**fixed, posynomial.budget: budget}.items()}
    with np.errstate(divide="ignore"):  # of a constant of 0 there is no cap
        caps = posynomial.caps_at(known)
    ends = []
    for name in tuned:
        variable = posynomial.space.all[name]
        # Where an infimum is not attained, an end of this is what is returned.
        widest = max(variable.low, np.exp(-OPEN)), min(variable.high, np.exp(OPEN))
        low, high = (box or {}).get(name, widest)
        ends.append((np.asarray(low, float), np.minimum(high, caps.get(name, np.inf))))
    shape = np.broadcast_shapes(*(x.shape for x in (*known.values(), *values.values(), *sum(ends, ()))))
    problem = Problem(posynomial, tuple(tuned), posynomial.budget, values, known, {}, {}, shape)
    if posynomial.walls:
        logs = {v: (np.log(low), np.log(high)) for v, (low, high) in zip(tuned, ends)}
        problem = within_domain(replace(problem, box=logs, follows=dict.fromkeys(tuned, np.zeros(()))))
        # An end that no condition moves is the number that was given.
        for k, v in enumerate(tuned):
            three = zip(problem.box[v], logs[v], ends[k])
            low, high = (np.where(new == old, end, np.exp(new)) for new, old, end in three)
            ends[k] = low, high
    whole = [[np.broadcast_to(end, shape).ravel() for end in pair] for pair in ends]
    form, both = powers(problem), np.array(whole).reshape(len(ends), 2, -1)
    assert form is not None
    rows, c, t = form
    with np.errstate(divide="ignore"):
        lo, hi = np.clip(np.log(both), -OPEN, OPEN).swapaxes(0, 1)
    # What no term depends on is at its upper end, for want of a better place.
    start = np.where(np.array(rows, bool).any(axis=0, keepdims=True).T, np.nan, hi)
    return _Posed(problem, both, rows, c.reshape(len(rows), -1), t, Box(lo, hi, start, *2 * (np.zeros(lo.shape),)))
