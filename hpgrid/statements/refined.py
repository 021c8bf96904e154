"""The refined route: the continuous optimum far out, with logarithms where they are claimed.

Local exponents e(u) of a law T^p (log T)^q at u = log T are p + q/u + (a log u + b)/u^2 + smaller ones, a and b
unknown; those of a law without a logarithm are p but for what falls like a power of T. So u e(u) gains p between
two budgets, whatever q is; and u (e(u) - p) tends to q, once a and b are fitted through three budgets and taken
out. A tolerance is how far apart such readings at other budgets are, and what the extrapolation changed: over
random constants of the star-convex bound, whose laws have logarithms, neither is ever exceeded. A plain power that
is claimed of a law with a logarithm has q = 0, and q itself is read: it fails there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hpgrid.claims.measures import SOLVER, Array, Bound, Setting, holding, refined
from hpgrid.readings import HOLDS, Reading
from hpgrid.refinement.optimum import Optimum, known
from hpgrid.statements.posing import Question, moved_to

ROUTE = "refined"


#: The budgets at which optima are read, as far out as the solver arrives.
LADDER = np.array([1e12, 1e16, 1e22, 1e30, 1e40, 1e60, 1e80, 1e150])


#: How many of them are used: the last ones.
_USED = 5


#: The rung of 1e60, which an optimum must be known at: one that is lost before may follow another law beyond.
_FAR_ENOUGH = 5


#: Where what tends to 0 is moved to, after ``SMALL``.
_SMALLER = 1e-3


class Climb(NamedTuple):
    """The optimum along the ladder.

    Attributes:
        log_at: for the risk and every tuned variable, the log of where it is; NaN where it is not.
        exponent: for the same names, the local exponent of the budget.
        lost: the variables that run off at the last budget.
        idle: the variables that the risk does not depend on there.
    """

    log_at: Mapping[str, Array]
    exponent: Mapping[str, Array]
    lost: tuple[str, ...]
    idle: tuple[str, ...] = ()


#: The optimum in a setting, one constant moved ("" for none).
Climbing = Callable[[Setting, str], Climb]


def climb(proxy: Bound, setting: Setting, moved: str = "") -> Climb:
    """Return the optimum along the ladder, one constant moved."""
    bound = proxy.with_constants(**{moved: moved_to(moved, proxy.constants[moved])}) if moved else proxy
    found = refined(bound, setting, LADDER)
    # Where a variable runs off, the risk is an infimum all the same.
    attained = known(found)
    settled = attained & _same_bounds(found, attained)
    there = {"risk": settled, **{v: settled & found.converged for v in setting.tuned}}
    logs = {"risk": found.log_risk} | {v: np.log(found.at[v]) for v in setting.tuned}
    log_at, exponent = (
        {v: np.where(there[v] & np.isfinite(of[v]), of[v], np.nan) for v in there} for of in (logs, found.exponent)
    )
    lost = tuple(v for v in setting.tuned if found.unbounded[v][-1])
    ends = {v: found.converged[-1] and np.isnan(found.at[v][-1]) for v in setting.tuned}
    return Climb(log_at, exponent, lost, tuple(v for v in setting.tuned if ends[v] and v not in lost))


def _same_bounds(found: Optimum, attained: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Where the optimum lies on the bounds that hold it in the end, and depends on what it depends on there.

    Before, it follows another law.
    """
    last = np.flatnonzero(attained)[-1:]
    if not last.size:
        return attained
    idle = [np.isnan(at) for at in found.at.values()]
    return np.all([side == side[last] for side in (*found.active.values(), *idle)], axis=0)


def readings(question: Question, climbing: Climbing, logs: bool) -> tuple[Reading, ...]:
    """Return what the continuous optimum far out says of every part of a claim.

    Args:
        question: the claim.
        climbing: how optima are found.
        logs: whether the bound may have laws with logarithms.
    """
    base = climbing(question.setting, "")
    lost = [v for v in question.left if v in base.lost]
    if lost:
        return tuple(Reading(f"{v} is attained", ROUTE, False, True) for v in lost)
    idle = [v for v in question.left if v in base.idle]
    if idle and len(question.left) == 1:
        return tuple(Reading(f"{v} is determined", ROUTE, False, True, identifiable=False) for v in idle)
    moved = tuple(_moved(question, name, climbing) for name in question.named)
    if question.power is None:
        return moved
    budget, slopes = question.setting.budget, _combined(base.exponent, question)
    power = _reading(f"power of {budget}", gained(slopes), question.power)
    beside = []
    if question.log or (logs and power.verdict == HOLDS):
        # What is left of the local exponents once the wrong power is taken off is no power of a logarithm.
        left = _U * (slopes - float(question.power)) if power.verdict == HOLDS else np.full(_U.shape, np.nan)
        beside.append(_reading(f"power of log {budget}", limit(left, SOLVER * _U[-1]), question.log))
    if question.statement.exact and power.verdict == HOLDS:
        beside.append(_constant(question, base))
    return (power, *beside, *moved)


def _reading(what: str, found: tuple[float, float], predicted: Fraction) -> Reading:
    measured, tolerance = found
    return Reading(what, ROUTE, measured, predicted, tolerance, exponent=True)


def _combined(of: Mapping[str, Array], question: Question) -> Array:
    """The sum of logs or exponents that belongs to the product on the left."""
    return np.sum([float(power) * of[name] for name, power in question.left.items()], axis=0)


def _constant(question: Question, base: Climb) -> Reading:
    """What is left of the optimum once budget and all that is held are divided out, far out."""
    assert question.power is not None
    stated = math.fsum(float(p) * math.log(question.values[name]) for name, p in question.held.items() if p)
    log, error = limit(_combined(base.log_at, question) - stated - float(question.power) * _U, SOLVER)
    number, measured = float(question.number), math.exp(log)
    tolerance = (error + question.statement.rounding) * number
    told = abs(measured - number) > tolerance or tolerance < number / 2
    return Reading("constant", ROUTE, measured, question.number, tolerance, identifiable=told)


# --- held variables and constants ---
def _moved(question: Question, name: str, climbing: Climbing) -> Reading:
    """The power of what is named: by moving it, and where it tends to 0, by moving it again from much nearer."""
    found, error = _elasticity(question, question.setting, name, climbing)
    if name in question.small:
        held = dict(question.setting.fixed)[name]
        near = _elasticity(question, holding(question.setting, **{name: _SMALLER * held}), name, climbing)
        found, error = near[0], near[1] + abs(near[0] - found)
    return _reading(f"power of {name}", (found, error), question.held[name])


def _elasticity(question: Question, setting: Setting, name: str, climbing: Climbing) -> tuple[float, float]:
    fixed, caps, capped = dict(setting.fixed), dict(setting.caps), name.removesuffix("_max")
    if name in fixed:
        before, other = fixed[name], climbing(holding(setting, **{name: moved_to(name, fixed[name])}), "")
    elif name in question.values and capped in caps and name != capped:
        before = caps[capped]
        raised = {**caps, capped: moved_to(name, before)}
        other = climbing(setting._replace(caps=tuple(raised.items())), "")
    else:
        before, other = question.values[name], climbing(setting, name)
    range_ = math.log(moved_to(name, before) / before)
    gain = _combined(other.log_at, question) - _combined(climbing(setting, "").log_at, question)
    return limit(gain / range_, 2 * SOLVER / abs(range_))


# --- far out ---
_U = np.log(LADDER)


def gained(slopes: Array) -> tuple[float, float]:
    """The power p of exponents p + q/u + ..., freed of q within each pair of budgets, and how far pairs are apart."""
    there = np.flatnonzero(np.isfinite(slopes))[-_USED:]
    if len(there) < 3 or there[-1] < _FAR_ENOUGH:
        return math.nan, math.nan
    u, e = _U[there], slopes[there]
    powers = np.diff(e * u) / np.diff(u)
    noise = SOLVER * float(((u[1:] + u[:-1]) / np.diff(u)).max())
    return float(powers[-1]), float(np.ptp(powers)) + noise


def limit(values: Array, noise: float) -> tuple[float, float]:
    """Return what c + (a log u + b)/u tends to, and by how much that may be off.

    Args:
        values: what is read along the ladder; NaN where nothing is.
        noise: how far each may be from the truth.
    """
    there = np.flatnonzero(np.isfinite(values))[-_USED:]
    if len(there) < 4 or there[-1] < _FAR_ENOUGH:
        return math.nan, math.nan
    (before, _), (last, amplified) = (_extrapolated(there[k : k + 3 or None], values) for k in (-4, -3))
    return last, float(abs(last - values[there[-1]]) + abs(last - before) + noise * amplified)


def _extrapolated(three: NDArray[np.intp], values: Array) -> tuple[float, float]:
    """The limit that three readings give, and by how much it amplifies their errors."""
    u = _U[three]
    weights = np.linalg.solve(np.stack([np.ones(3), np.log(u) / u, 1 / u]), [1.0, 0.0, 0.0])
    return float(weights @ values[three]), float(np.abs(weights).sum())
