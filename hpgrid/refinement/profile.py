"""The continuous optimum of a posynomial without jax: what a tolerance is derived from, and a cost held against.

The solve is that of ``newton``, written in NumPy and vectorised over problems: damped Newton steps in the logs of
the largest independent terms, in which the flat direction that is left where others cancel keeps its digits
(``bases``). Nothing is compiled and nothing large is imported: a call costs a few milliseconds, and hardly more for
hundreds of problems. So ask for many at once. The budget, the values that are fixed, the ends of the box and the
constants are numbers or arrays that broadcast with one another; and a variable whose two ends are one value is held
there, so that problems that tune different variables are one call too:

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
from hpgrid.refinement.bases import (
    FALLS,
    GRADIENT,
    GROWTH,
    MOST_STEPS,
    MULTIPLIER,
    NO_GROWTH,
    Bases,
    all_bases,
    coordinates,
)
from hpgrid.refinement.problem import OPEN, Problem, powers, within_domain
from hpgrid.shapes import Array, Bool, Float, Int

#: The logs are divided by a temperature, so that every term counts at first; it falls by this factor after a step
#: that was not cut short. Each step costs half a millisecond here, whatever the number of problems: so it falls fast.
_COOLING = 0.1

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


@dataclass(frozen=True)
class Profile:
    """The continuous optimum at every budget.

    Attributes:
        risk: the infimum, in the shape that budget, fixed values, box and constants broadcast to.
        at: for every tuned variable, where it is attained, in the same shape; on a bound, the bound itself.
    """

    risk: Float[Array, "..."]
    at: Mapping[str, Float[Array, "..."]]


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
    problem, ends, batch = _posed(proxy, tuned, fixed, budget, box, constants)
    best = _minimise(batch)
    at = {}
    for k, name in enumerate(tuned):
        inside, (low, high) = np.exp(best.z[:, k]), ends[:, k]
        at[name] = np.where(best.side[:, k] < 0, low, np.where(best.side[:, k] > 0, high, inside))
    with np.errstate(over="ignore", under="ignore"):
        risk = np.exp(best.log_risk)
    risk = np.where(problem.inside, risk.reshape(problem.shape), np.nan)
    return Profile(risk, {v: x.reshape(problem.shape) for v, x in at.items()})


def sublevel(
    proxy: Proxy | FunctionProxy,
    tuned: Sequence[str],
    fixed: Mapping[str, ArrayLike],
    budget: ArrayLike,
    name: str,
    excess: float,
    box: Mapping[str, tuple[ArrayLike, ArrayLike]] | None = None,
    optimum: Profile | None = None,
) -> tuple[Float[Array, "..."], Float[Array, "..."]]:
    """Return the values of ``name`` between which the log risk is within ``excess`` of its minimum.

    The other tuned variables are re-tuned. Arguments that are not said here are those of ``profile``.

    Args:
        name: one of the tuned variables.
        excess: in log risk.
        optimum: what ``profile`` returns, where it is known; its risk is what counts.
    """
    problem, ends, batch = _posed(proxy, tuned, fixed, budget, box, None)
    k = list(tuned).index(name)
    best = _minimise(batch).log_risk if optimum is None else np.log(optimum.risk).ravel()

    def end_of_set(limit: Float[Array, "problems"], value: Float[Array, "problems"]) -> Float[Array, "..."]:
        x, going = limit.copy(), np.arange(len(limit))
        for _ in range(_MOST_END_STEPS):
            # The re-tuned log risk is convex in x: Newton's steps from outside the set stay outside, and fall onto
            # its end. Its slope is the multiplier of x, whose digits the graded coordinates keep.
            part = batch.some(going)
            part.lo[:, k] = part.hi[:, k] = x[going]
            held = _minimise(part)
            beyond, slope = held.log_risk - best[going] - excess, held.multiplier[:, k]
            step = np.where((beyond > 0) & (slope != 0), beyond / np.where(slope != 0, slope, 1.0), 0.0)
            x[going] = np.clip(x[going] - step, batch.lo[going, k], batch.hi[going, k])
            going = going[np.abs(step) > _END]
            if not going.size:
                break
        return np.where(x == limit, value, np.exp(x)).reshape(problem.shape)

    return end_of_set(batch.lo[:, k], ends[0, k]), end_of_set(batch.hi[:, k], ends[1, k])


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


def _posed(
    proxy: Proxy | FunctionProxy,
    tuned: Sequence[str],
    fixed: Mapping[str, ArrayLike],
    budget: ArrayLike,
    box: Mapping[str, tuple[ArrayLike, ArrayLike]] | None,
    constants: Mapping[str, ArrayLike] | None,
) -> tuple[Problem, Float[Array, "2 n problems"], _Batch]:
    """The problem, the ends of its box (not their logs, so that what lies on one is that number), and its numbers."""
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
    form, both = powers(problem), np.array(whole).reshape(len(ends), 2, -1).swapaxes(0, 1)
    assert form is not None
    rows, of_terms, _ = form
    with np.errstate(divide="ignore"):
        lo, hi = np.clip(np.log(both), -OPEN, OPEN).swapaxes(1, 2)
    return problem, both, _Batch(all_bases(rows), of_terms.reshape(len(rows), -1).T, lo, hi)


class _Batch(NamedTuple):
    """Problems sum_j exp(c_j + rows_j . z), lo <= z <= hi, of one bound."""

    tables: Bases
    c: Float[Array, "problems terms"]
    lo: Float[Array, "problems n"]
    hi: Float[Array, "problems n"]

    def some(self, which: Int[Array, "k"]) -> _Batch:
        """Return copies of some of the problems."""
        return _Batch(self.tables, self.c[which], self.lo[which], self.hi[which])


class _State(NamedTuple):
    """Where a solve is: the logs, the side of each bound that holds (-1, 0, 1), the temperature."""

    z: Float[Array, "problems n"]
    side: Int[Array, "problems n"]
    temperature: Float[Array, "problems"]


class _Local(NamedTuple):
    """Posynomials near a point each, in the coordinates of their largest independent terms."""

    log_risk: Float[Array, "problems"]
    log_weights: Float[Array, "problems terms"]
    terms: Float[Array, "problems terms n"]
    variables: Float[Array, "problems n n"]
    unit: Int[Array, "problems n"]
    held: Bool[Array, "problems n"]
    gradient: Float[Array, "problems n"]
    size: Float[Array, "problems n"]
    hessian: Float[Array, "problems n n"]


class _Minimum(NamedTuple):
    """Where each problem ended: its logs, the side of the bounds that hold, and their multipliers."""

    log_risk: Float[Array, "problems"]
    z: Float[Array, "problems n"]
    side: Int[Array, "problems n"]
    multiplier: Float[Array, "problems n"]


def _minimise(batch: _Batch) -> _Minimum:
    """The minima, cooled to from where every term counts."""
    tables, c, lo, hi = batch
    # What no term depends on is at its upper end, for want of a better place.
    z = np.where((tables.rows == 0).all(axis=0), hi, np.clip(0.0, lo, hi))
    side = np.where(z <= lo, -1, np.where(z >= hi, 1, 0))
    logs = c + z @ tables.rows.T
    # So hot that the smallest term has e^-2 of the largest one's weight: no direction is flat at first.
    spread = logs.max(axis=1) - np.where(np.isfinite(logs), logs, np.inf).min(axis=1)
    state = _State(z, side, np.maximum(spread / 2, 1.0))
    going = np.arange(len(c) if z.shape[1] else 0)
    for _ in range(MOST_STEPS):
        if not going.size:
            break
        moved, done = _step(batch.some(going), _State(*(x[going] for x in state)))
        for whole, part in zip(state, moved):
            whole[going] = part
        going = going[~done]  # what is done rests, and costs nothing
    here = _local(batch, state._replace(temperature=np.ones(len(c))))
    multiplier = np.zeros_like(z)
    problems, slots = np.nonzero(here.held)
    multiplier[problems, here.unit[problems, slots]] = here.gradient[problems, slots]
    return _Minimum(here.log_risk, z, side, multiplier)


def _local(batch: _Batch, state: _State) -> _Local:
    tables, side = batch.tables, state.side
    logs = (batch.c + state.z @ tables.rows.T) / state.temperature[:, None]
    top = logs.max(axis=1, keepdims=True)
    sizes = np.exp(logs - top)
    total = sizes.sum(axis=1, keepdims=True)
    # The basis: bounds that hold first, then terms by size, then what is left of the variables.
    scores = np.concatenate([logs - top, np.where(side != 0, 1e300, -1e300)], axis=1)
    if not tables.spans:
        terms, variables, unit = coordinates(tables, scores)
    else:
        chosen = np.zeros(len(logs), np.int64)
        for span in tables.spans:
            depends = span[chosen][:, None] >> np.arange(scores.shape[1]) & 1
            chosen = chosen * scores.shape[1] + np.where(depends, -np.inf, scores).argmax(axis=1)
        basis = tables.place[chosen]
        terms, variables, unit = tables.terms[basis], tables.variables[basis], tables.unit[basis]
    weighted = terms * (sizes / total)[:, :, None]
    return _Local(
        (top + np.log(total))[:, 0],
        logs - top - np.log(total),
        terms,
        variables,
        unit,
        (unit >= 0) & (np.take_along_axis(side, np.maximum(unit, 0), axis=1) != 0),
        weighted.sum(axis=1),
        np.abs(weighted).sum(axis=1),
        weighted.swapaxes(1, 2) @ terms,
    )


def _newton(here: _Local) -> Float[Array, "problems n"]:
    """The free coordinates' Newton step, zero in the held ones: the graded system scaled to a unit diagonal."""
    diagonal = np.einsum("pii->pi", here.hessian)
    free = ~here.held & (diagonal > 0)
    scale = np.where(free, 1 / np.sqrt(np.where(free, diagonal, 1.0)), 0.0)
    scaled = here.hessian * scale[:, :, None] * scale[:, None, :]
    np.einsum("pii->pi", scaled)[:] = 1.0 + 1e-14  # a step apart from rounding: never singular
    return np.linalg.solve(scaled, -(here.gradient * scale)[:, :, None])[:, :, 0] * scale


def _step(batch: _Batch, state: _State) -> tuple[_State, Bool[Array, "problems"]]:
    """One step of every problem, and whether it is done."""
    (_, _, lo, hi), (z, side, temperature) = batch, state
    here = _local(batch, state)
    y = _newton(here)
    changes = (here.terms @ y[:, :, None])[:, :, 0]
    growth, fall = changes.max(axis=1), -changes.min(axis=1)
    # Where no term grows, the way down ends at a bound and nowhere before; where the whole sum falls, not
    # before a term that grows meets it.
    length = np.where(growth < NO_GROWTH * fall, np.inf, np.minimum(1.0, GROWTH / np.maximum(growth, GROWTH)))
    rate = -(here.gradient * y).sum(axis=1)
    faster = np.where(changes > 0, changes + rate[:, None], 1.0)
    meets = np.where(changes > 0, -here.log_weights / faster, np.inf).min(axis=1)
    length = np.where(rate > FALLS, np.maximum(length, meets), length)
    cut = length < 1.0
    move = np.where(side != 0, 0.0, temperature[:, None] * (here.variables @ y[:, :, None])[:, :, 0])
    reach = np.where(move > 0, hi - z, z - lo) / np.where(move != 0, np.abs(move), 1.0)
    reach = np.where(move != 0, reach, np.inf)
    each, blocked = np.arange(len(z)), reach.argmin(axis=1)
    hits = reach[each, blocked] <= length
    length = np.minimum(length, reach[each, blocked])[:, None]
    moved = z + np.where(move != 0, length, 0.0) * move
    side = side.copy()
    side[each[hits], blocked[hits]] = np.sign(move[each[hits], blocked[hits]])

    # The multipliers that the step leads to; the worst wrong one lets its variable go.
    multiplier = here.gradient + (here.hessian @ y[:, :, None])[:, :, 0]
    variable = np.maximum(here.unit, 0)
    leaves = here.held & (here.size > 0) & np.take_along_axis(lo < hi, variable, axis=1)
    outward = np.where(leaves, np.where(side[each[:, None], variable] < 0, -multiplier, multiplier), -np.inf)
    outward = outward / np.where(here.size > 0, here.size, 1.0)
    worst = outward.argmax(axis=1)
    wrong = outward[each, worst] > MULTIPLIER
    side[each[wrong], variable[each[wrong], worst[wrong]]] = 0
    moved = np.where(side < 0, lo, np.where(side > 0, hi, np.clip(moved, lo, hi)))

    small = (here.held | (np.abs(here.gradient) <= GRADIENT * here.size)).all(axis=1)
    done = small & ~wrong & ~hits & (temperature == 1.0)
    cooler = np.where(cut | (temperature == 1.0), temperature, np.maximum(_COOLING * temperature, 1.0))
    return _State(moved, side, cooler), done
