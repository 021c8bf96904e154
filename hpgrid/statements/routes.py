"""The three routes by which a stated law is measured: exact asymptotics, the continuous optimum far out, and a grid.

Refined. First the power p is read, then q as the limit of u (e(u) - p), u = log T, e the local exponent and p what was
claimed: see ``far_out``. A plain power that is claimed of a law with a logarithm has q = 0, and fails there.

Grid. It reads powers of the budget alone. Those of constants and held variables would need these to move over so many
decades (a slope is off by two grid steps over their log range) that the burn-in, which goes with their tenth power,
left the grid; and a free power of a logarithm can't be told on one at all.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hpgrid.asymptotics.exact import exponents
from hpgrid.asymptotics.law import Law, PowerLaw
from hpgrid.asymptotics.linear import coordinates, vector
from hpgrid.asymptotics.monomial import ONE, Monomial, Sum
from hpgrid.asymptotics.programs import ACCURACY
from hpgrid.checks import InputError
from hpgrid.far_out import FAR_ENOUGH, LADDER, LOGS, limit, power_and_log
from hpgrid.grid import Grid
from hpgrid.proxy import FunctionProxy, Proxy
from hpgrid.readings import FAILS, FLAT, HOLDS, UNIDENTIFIABLE, Number, Reading, of_exponent
from hpgrid.refinement.optimum import Optimum, refine, solved
from hpgrid.refinement.profile import profile
from hpgrid.regime import Regime, limit_name
from hpgrid.search.brute import grid_search
from hpgrid.shapes import Floats as Array
from hpgrid.slopes import (
    REFINED,
    Curves,
    Slope,
    Truth,
    fitted_edge,
    fitting_window,
    measured_slopes,
    monomial_name,
    posynomial_truth,
    refined_truth,
    within,
)
from hpgrid.statements.stated import StatedLaw, moved_to
from hpgrid.text import listed
from hpgrid.tuning.problem import LOWER, is_lower, monomials

#: From the surest route to the least sure.
EXACT, FAR_OUT, GRID = ROUTES = ("exact", "refined", "grid")

#: What stands in a reading's name between its part and the logarithm that it was freed of.
BESIDE = " beside "

#: What stands before the variable in the name of a reading of whether it has a best value.
BEST = "best value of "

#: What evaluating a constant of some ten factors may lose.
_ROUNDING = 1e-14

#: Below this tolerance two laws can't both hold whose powers are 1/20, whose logarithm's powers are 1/5 apart.
_SURE_POWER, _SURE_LOG = 1 / 40, 1 / 10

#: Over how many decades constants are moved to see whether the ladder ends before the law begins.
_DECADES = 8

#: Powers of the budget that are further apart than this are no one law's.
_OTHER_LAW = 0.01

#: Where what tends to 0 is moved to, after ``SMALL``.
_SMALLER = 1e-3

#: Log risks this close are one: some ten operations, each rounded at 1e-16 of logs of up to 700.
_SAME = 1e-12

#: Budgets before the ladder, and at how many, before refinement is lost, it is seen what lies at an end of its range.
_NEARER, _BEFORE = (1e8, 1e10, 1e12, 1e15), 3

#: How many budgets are fitted where the continuous optimum is followed downhill, which takes its time.
_MOST = 20

#: Laws, optima and searches that are kept for the claims that share them: more than a page of claims has.
_KEPT = 64


@dataclass(frozen=True, eq=False)
class Subject:
    """A bound that claims are held against, and the grid that it is searched on: one object for all the claims."""

    proxy: Proxy | FunctionProxy
    grid: Grid


# --- exact ---
@lru_cache(maxsize=_KEPT)
def exact_law(subject: Subject, regime: Regime) -> Law | str:
    """Return the exact law, or why there is none."""
    try:
        return exponents(subject.proxy, regime=regime)
    except InputError as error:
        return str(error).split(". Given:")[0]


def exact_readings(stated: StatedLaw, law: Law) -> tuple[Reading, ...]:
    """Return what exact asymptotics say of every part of a claim."""
    exponent, whole = product_law(law, stated.left)
    unbounded = [v for v in stated.left if v in law.unbounded]
    if unbounded and exponent is None:  # else the product is fixed, although its factors run off
        return tuple(Reading(f"{BEST}{v}", EXACT, False, True) for v in unbounded)
    readings, (name, own) = [], next(iter(stated.left.items()))
    if stated.power is not None:
        what, measured = f"power of {law.budget}", math.nan if exponent is None else exponent
        if exponent is None and len(stated.left) == 1 and name in law.flat:
            # A flat direction leaves a range of exponents: a claim beyond its ends fails.
            ends = [own * (sign * math.inf if end is None else end) for sign, end in zip((-1, 1), law.flat[name])]
            nearest = min(max(stated.power, min(ends)), max(ends))
            if nearest != stated.power:
                what, measured = f"nearest possible {what}", nearest
        readings.append(Reading(what, EXACT, measured, stated.power))
    if stated.log:
        # Each level of a posynomial is a program in the logs that the budget only shifts: no logarithm arises.
        measured = math.nan if exponent is None else Fraction(0)
        readings.append(Reading(f"power of log {law.budget}", EXACT, measured, stated.log))
    for name in stated.named:
        elasticity = math.nan if whole is None else _law_elasticity(whole, name, stated)
        readings.append(Reading(f"power of {name}", EXACT, elasticity, stated.held[name]))
    if stated.statement.exact and whole is not None and exponent == stated.power:
        number, log = stated.statement.number, whole.coefficient.log(whole.values)
        names = {name: p for name, p in stated.held.items() if p}
        rest, tolerance = math.nan, 0.0
        if log is not None and set(names) <= set(whole.values):
            # The law's constant once what is held in it is divided out.
            rest = math.exp(log - math.fsum(float(p) * math.log(whole.values[name]) for name, p in names.items()))
            tolerance = (stated.statement.rounding + (ACCURACY if whole.numeric else _ROUNDING)) * float(number)
        readings.append(Reading("constant", EXACT, rest, number, tolerance))
    return tuple(readings)


def product_law(law: Law, left: Mapping[str, Fraction]) -> tuple[Fraction | None, PowerLaw | None]:
    """Return the budget's exponent in a product, None where none is determined, and the product's whole law.

    They follow from its factors', or from what is fixed across a flat direction.
    """
    if all(law.exponent.get(name) is not None for name in left):
        parts = [(power, law.exponent[name], law.laws[name]) for name, power in left.items()]
    elif "risk" in left:
        return None, None
    else:
        rows = [vector([each.powers.get(v, Fraction(0)) for v in law.tuned]) for each in law.identifiable]
        weights = coordinates(rows, vector([left.get(v, Fraction(0)) for v in law.tuned]))
        if weights is None:
            return None, None
        parts = [(weight, each.exponent, each.law) for weight, each in zip(weights, law.identifiable) if weight]
    exponent = sum((power * own for power, own, _ in parts if own is not None), Fraction(0))
    # The exponent is known where all factors have one; the law, with its constant, only where all have a law.
    laws = [(power, own) for power, _, own in parts if own is not None]
    if len(laws) < len(parts):
        return exponent, None
    coefficient = math.prod((own.coefficient**power for power, own in laws), start=ONE)
    return exponent, PowerLaw(left, coefficient, law.budget, exponent, laws[0][1].values)


def _law_elasticity(law: PowerLaw, name: str, stated: StatedLaw) -> Number:
    """d log law / d log name: its exponent, or where it stands in a sum, that over the decade that is moved.

    Of a sum only the term counts that is largest as what is small tends to 0.
    """
    if law.numeric:
        return math.nan
    forms = Monomial(tuple((symbol, p) for symbol, p in law.coefficient.powers if not isinstance(symbol, str)))
    if name in stated.statement.small or name not in forms.symbols():  # it stands in no sum
        return _exponent(law.coefficient, name)
    before = law.values[name]
    after = moved_to(name, before, stated.regime.space)
    logs = [law.coefficient.log({**law.values, name: x}) for x in (before, after)]
    return math.nan if None in logs else (logs[1] - logs[0]) / math.log(after / before)  # type: ignore[operator]


def _exponent(product: Monomial, name: str) -> Fraction:
    """The exponent of a name that is no part of a sum, or as it tends to 0."""
    total = Fraction(0)
    for symbol, power in product.powers:
        if symbol == name:
            total += power
        elif isinstance(symbol, Sum):
            total += power * min(_exponent(term, name) for term in symbol.terms)
    return total


# --- refined, far out ---
class Climb(NamedTuple):
    """The continuous optimum along the ladder."""

    log_at: Mapping[str, Array]  # for the risk and every tuned variable, the log of where it is; NaN where it is not
    exponent: Mapping[str, Array]  # for the same names, the local exponent of the budget
    unbounded: Mapping[str, float]  # for the variables that run off, far out, where to: 0 or inf
    undetermined: tuple[str, ...]  # the variables that the risk does not depend on there
    ends: Mapping[str, float] = {}  # where those are that are held at an end of their range


@lru_cache(maxsize=_KEPT)
def climb(subject: Subject, regime: Regime, moved: str = "") -> Climb:
    """Return the optimum along the ladder, one constant moved."""
    proxy = subject.proxy
    constants = {moved: np.array([moved_to(moved, proxy.constants[moved], proxy.space)])} if moved else {}
    (optimum,) = _climbs(proxy, regime, constants)
    lost = not all(np.isfinite(slopes).all() for slopes in optimum.exponent.values())
    if optimum.unbounded or optimum.undetermined or not lost or len(regime.tuned) < 2:
        return optimum
    return _at_an_end(proxy, regime, constants) or optimum


def _at_an_end(proxy: Proxy | FunctionProxy, regime: Regime, constants: Mapping[str, Array]) -> Climb | None:
    """The optimum of which refinement is lost along the ladder, where it lies at an end of some variable's range.

    Two parts of a bound that a valley joins differ by a power of the budget: farther out by less than rounding. What
    was at an end at the last budgets before stays there, and the others are read without it, unless another end is
    lower farther out: the optimal face of the exponents has its extreme points where some variable is at an end.
    """
    space, caps = proxy.space.all, regime.joint_caps(proxy.caps)
    of_ranges = [(v, x) for v in regime.tuned for x in (space[v].least, float(np.min(caps.get(v, space[v].most))))]
    climbs = [_held(proxy, regime, constants, {v: x}) for v, x in of_ranges if 0.0 < x < math.inf]
    at: dict[str, Any] = {proxy.budget: (*_NEARER, *LADDER)}
    refined = refine(proxy, regime=regime, constants=constants, **at)
    converged, risks = refined.converged.ravel(), refined.log_risk.ravel()[len(_NEARER) :]
    for each in climbs:  # what is above an end is no optimum
        converged[len(_NEARER) :] &= ~(each.log_at["risk"] < risks - _SAME)
    first = converged.argmax()
    lost = first + int(np.logical_and.accumulate(converged[first:]).sum())
    if not first + _BEFORE <= lost < converged.size:
        return None
    ends, last = dict[str, float](), slice(lost - _BEFORE, lost)
    for v, x in refined.at.items():
        there = x.ravel()[last]
        if refined.active[v].ravel()[last].all() and np.ptp(there) == 0:
            ends[v] = float(np.clip(there[0], space[v].least, space[v].most))  # past a floor by rounding
    if not 0 < len(ends) < len(regime.tuned):
        return None
    best = _held(proxy, regime, constants, ends)
    for each in climbs:
        above = best.log_at["risk"] - each.log_at["risk"]
        known = above[np.isfinite(above)]
        best = each if known.size and known[-1] > _SAME else best
    return best


def _held(
    proxy: Proxy | FunctionProxy, regime: Regime, constants: Mapping[str, Array], ends: Mapping[str, float]
) -> Climb:
    """The optimum along the ladder, some variables at an end of their range."""
    rest = tuple(v for v in regime.tuned if v not in ends)
    caps = {v: x for v, x in regime.caps.items() if v not in ends}
    (optimum,) = _climbs(proxy, replace(regime, tuned=rest, fixed={**regime.fixed, **ends}, caps=caps), constants)
    log_at = {v: np.where(np.isfinite(optimum.log_at["risk"]), np.log(x), np.nan) for v, x in ends.items()}
    still = {v: 0.0 * x for v, x in log_at.items()}
    return optimum._replace(log_at={**optimum.log_at, **log_at}, exponent={**optimum.exponent, **still}, ends=ends)


def _climbs(proxy: Proxy | FunctionProxy, regime: Regime, constants: Mapping[str, Array]) -> list[Climb]:
    """The optima along the ladder, for each of n values of constants."""
    at: dict[str, Any] = {proxy.budget: LADDER}
    optimum = refine(proxy, regime=regime, constants=constants, **at)
    return [_climbed(optimum, regime, k) for k in range(optimum.risk.size // LADDER.size)]


def _climbed(optimum: Optimum, regime: Regime, k: int) -> Climb:
    """The k-th of some climbs, where it is of use."""

    def own(of: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        return {v: array.reshape(-1, LADDER.size)[k] for v, array in of.items()}

    at, active, unbounded, to = own(optimum.at), own(optimum.active), own(optimum.unbounded), own(optimum.limit)
    whole = own({"log risk": optimum.log_risk, "converged": optimum.converged, "attained": solved(optimum)})
    # What runs off does so far out; what seems to farther out alone lost a part of the bound that is no float there.
    gone = np.any([runs & ~runs[FAR_ENOUGH] for runs in unbounded.values()], axis=0)
    # Where a variable runs off, the risk is an infimum all the same.
    attained = whole["attained"] & ~gone
    last = np.flatnonzero(attained)[-1] if attained.any() else -1
    # Before it lies on the bounds that hold it in the end, and depends on what it depends on there, the optimum follows
    # another law. NaN is where the risk does not depend on a variable.
    sides = (*active.values(), *(np.isnan(x) for x in at.values()))
    settled = attained & np.all([side == side[last] for side in sides], axis=0)
    there = {"risk": settled, **{v: settled & whole["converged"] for v in regime.tuned}}
    logs = {"risk": whole["log risk"]} | {v: np.log(at[v]) for v in regime.tuned}
    log_at, exponent = (
        {v: np.where(there[v] & np.isfinite(of[v]), of[v], np.nan) for v in there}
        for of in (logs, own(optimum.exponent))
    )
    unbounded_far_out = {v: float(to[v][FAR_ENOUGH]) for v in regime.tuned if unbounded[v][FAR_ENOUGH]}
    nowhere = [v for v in regime.tuned if whole["converged"][last] and np.isnan(at[v][last])]
    return Climb(log_at, exponent, unbounded_far_out, tuple(v for v in nowhere if v not in unbounded_far_out))


@lru_cache(maxsize=_KEPT)
def _ends_early(subject: Subject, regime: Regime) -> bool:
    """Whether the ladder ends before the law's logarithm is seen: whether another law comes, however late.

    A term that is left behind by a power of the logarithm alone may rule all the budgets that there are. As a law does
    not depend on the constants, these are moved by decades, together and both ways: where the logarithm's power is
    another one there, that is what came before or what is still to come. It is what comes, if the readings go that way
    as the budget grows, above all those in between.
    """
    constants = {name: x for name, x in subject.proxy.constants.items() if x > 0}
    # Angles without a common measure: no product of powers of all the constants stays where it is under both.
    angles = np.arange(1.0, len(constants) + 1)
    moves = _DECADES * np.array([np.cos(angles), -np.cos(angles), np.sin(angles), -np.sin(angles)])
    moved = {name: np.asarray(x * 10.0 ** moves[:, i]) for i, (name, x) in enumerate(constants.items())}
    try:
        climbs = [climb(subject, regime), *_climbs(subject.proxy, regime, moved)]
    except InputError:  # caps that follow from the constants leave nothing there
        return False
    read = [{v: power_and_log(slopes, REFINED) for v, slopes in each.exponent.items()} for each in climbs]
    here, *others = read
    # What changes its law along the ladder is none of these.
    others = [each for each in others if all(one.tolerance < FLAT for one in each.values())]
    for other in others:
        if any(abs(other[v].power - here[v].power) > _OTHER_LAW for v in here):
            continue
        gaps = {v: other[v].log - here[v].log for v in here}
        apart = [v for v, gap in gaps.items() if abs(gap) > other[v].tolerance + here[v].tolerance]
        if not apart:
            continue
        widest = max(apart, key=lambda v: abs(gaps[v]))
        # Where a power of the logarithm is hardly known, nor is where it goes.
        rises = [each[widest].rise for each in (here, *others) if each[widest].tolerance < abs(gaps[widest]) / 10]
        if max(rises, key=abs, default=gaps[widest]) * gaps[widest] > 0:
            return True
    return False


def refined_readings(subject: Subject, stated: StatedLaw, *, logs: bool) -> tuple[Reading, ...]:
    """Return what the continuous optimum far out says of every part of a claim; ``logs``: there may be logarithms."""
    base = climb(subject, stated.regime)
    unbounded = [v for v in stated.left if v in base.unbounded]
    if len({(base.unbounded[v] > 0) == (stated.left[v] > 0) for v in unbounded}) == 2:
        # Where one factor grows as another vanishes, the product may have a best value, which is read nowhere.
        why = f"{UNIDENTIFIABLE}: {listed(unbounded)} run off, and where they do, refinement has no value of theirs"
        powers = {stated.budget: stated.power, **{name: stated.held[name] for name in stated.named}}
        return tuple(
            Reading(f"power of {name}", FAR_OUT, math.nan, p, math.nan, note=why)
            for name, p in powers.items()
            if p is not None
        )
    if unbounded:
        return tuple(Reading(f"{BEST}{v}", FAR_OUT, False, True) for v in unbounded)
    undetermined = [v for v in stated.left if v in base.undetermined]
    if undetermined and len(stated.left) == 1:
        return tuple(Reading(f"{BEST}{v}", FAR_OUT, False, True, identifiable=False) for v in undetermined)
    moved, rest = [], 1 if logs else None
    for name in stated.named:
        measured, error = _moved(subject, stated, stated.regime, name, rest)
        if name in stated.statement.small:  # moved again from much nearer to 0
            fixed = stated.regime.fixed
            nearer = replace(stated.regime, fixed={**fixed, name: _SMALLER * fixed[name]})
            near, near_error = _moved(subject, stated, nearer, name, rest)
            measured, error = near, near_error + abs(near - measured)
        moved.append(_power_reading(name, (measured, error), stated.held[name]))
    if stated.power is None:
        return tuple(moved)
    slopes = _along(base.exponent, stated)
    power = _power_reading(stated.budget, limit(slopes, REFINED, 2 if logs else None), stated.power, _SURE_POWER)
    # While another law's logarithm rules, the power is read close to its own, and its tolerance is of that law.
    near = abs(float(power.measured - power.predicted)) < _OTHER_LAW
    if logs and power.verdict == FAILS and near and _ends_early(subject, stated.regime):
        power = replace(power, identifiable=False)
    beside = []
    if stated.log or (logs and power.verdict == HOLDS):
        # What is left of the local exponents once the wrong power is taken off is no power of a logarithm.
        left = LOGS * (slopes - float(stated.power)) if power.verdict == HOLDS else np.full(LOGS.shape, np.nan)
        log = _power_reading(f"log {stated.budget}", limit(left, REFINED * LOGS[-1], rest), stated.log, _SURE_LOG)
        if logs and log.verdict != UNIDENTIFIABLE and _ends_early(subject, stated.regime):
            log = replace(log, identifiable=False)
        beside.append(log)
    if stated.statement.exact and power.verdict == HOLDS:
        # What is left of the optimum once budget and all that is held are divided out, far out.
        held = math.fsum(float(p) * math.log(stated.values[name]) for name, p in stated.held.items() if p)
        log_rest, error = limit(_along(base.log_at, stated) - held - float(stated.power) * LOGS, REFINED, rest)
        constant, claimed = math.exp(log_rest), stated.statement.number
        tolerance = (error + stated.statement.rounding) * float(claimed)
        # A constant is told from one half as large: its size depends on units, so that no 1/4 stands for a small one.
        tells = abs(constant - float(claimed)) > tolerance or tolerance < float(claimed) / 2
        beside.append(Reading("constant", FAR_OUT, constant, claimed, tolerance, identifiable=tells))
    return (power, *beside, *moved)


def _power_reading(name: str, measured: tuple[float, float], claimed: Fraction, sure: float = math.inf) -> Reading:
    """The reading of a power, which says nothing for a claim where its tolerance is not below ``sure``."""
    reading = of_exponent(f"power of {name}", FAR_OUT, measured[0], claimed, measured[1])
    return replace(reading, identifiable=reading.verdict != HOLDS or reading.tolerance < sure)


def _along(of: Mapping[str, Array], stated: StatedLaw) -> Array:
    """The sum of logs or exponents that belongs to the product on the left."""
    return np.sum([float(power) * of[name] for name, power in stated.left.items()], axis=0)


def _moved(
    subject: Subject, stated: StatedLaw, regime: Regime, name: str, logs_from: int | None
) -> tuple[float, float]:
    """d log left / d log name over the decade that the name is moved, and how far that is from its limit."""
    before = regime.fixed.get(name, stated.values[name])
    capped = {limit_name(v, "max", subject.proxy.constants): v for v in regime.caps}
    after = moved_to(name, before, subject.proxy.space)
    if name in regime.fixed:
        other = climb(subject, replace(regime, fixed={**regime.fixed, name: after}))
    elif name in capped:
        other = climb(subject, replace(regime, caps={**regime.caps, capped[name]: after}))
    else:
        other = climb(subject, regime, name)
    decade = math.log(after / before)
    gain = _along(other.log_at, stated) - _along(climb(subject, regime).log_at, stated)
    return limit(gain / decade, 2 * REFINED / abs(decade), logs_from)


# --- grid ---
@lru_cache(maxsize=_KEPT)
def _curves(subject: Subject, regime: Regime) -> Curves:
    """The argmins of a grid search at every budget, and the window after burn-in.

    As in a survey, burn-in ends with the continuous optimum's where there is a flat direction: that takes the argmin
    back to the border again and again, long after.
    """
    proxy, grid = subject.proxy, subject.grid
    lacking: Any = {v: None for v in proxy.space.hyperparameters if v not in proxy.depends_on()}
    best = grid_search(proxy, grid.with_axes(**lacking), regime=regime)
    budget, edge = grid.axes[grid.budget].values, fitted_edge(best)
    cheap, law = proxy.is_posynomial(regime.tuned), exact_law(subject, regime)
    wanders = cheap and not isinstance(law, str) and bool(monomials(law))
    star = profile(_folded(proxy, regime), regime.tuned, regime.fixed, budget).at if wanders else None
    window = fitting_window(best, star)
    kept = np.flatnonzero(within(budget, window))
    if not cheap and len(kept) > _MOST:
        kept = kept[np.linspace(0, len(kept) - 1, _MOST).round().astype(int)]
    values = {"risk": best.risk, **{v: best.at[v] for v in regime.tuned}}
    return Curves(proxy.budget, budget[kept], {v: (x[kept], edge[kept]) for v, x in values.items()}, window)


def _folded(proxy: Proxy | FunctionProxy, regime: Regime) -> Proxy:
    """A posynomial with the paths and caps of a regime as parts of it."""
    whole = proxy.along(regime.path)
    assert isinstance(whole, Proxy)
    return replace(whole, caps=regime.joint_caps(whole.caps))


@lru_cache(maxsize=_KEPT)
def _behind(subject: Subject, regime: Regime) -> Truth:
    """The continuous optimum behind the argmins, over the window and far out."""
    proxy, budget = subject.proxy, _curves(subject, regime).budget
    if not proxy.is_posynomial(regime.tuned):
        return refined_truth(proxy, regime, proxy.budget, budget)
    steps = {v: subject.grid.axes[v].step for v in regime.tuned}
    return posynomial_truth(_folded(proxy, regime), regime, steps, budget)


def grid_reading(subject: Subject, stated: StatedLaw, power: Fraction) -> tuple[Reading, Slope]:
    """Return the budget's power as the grid shows it, freed of the logarithm that is claimed, and the fit behind it."""
    regime, log = stated.regime, {monomial_name(stated.left): float(stated.log)}
    # Where the law begins is told where NumPy finds it: else the bound were refined at more budgets than all else.
    find_beginning = subject.proxy.is_posynomial(regime.tuned)
    (slope,) = measured_slopes(
        _curves(subject, regime), lambda _: _behind(subject, regime), [stated.left], log, find_beginning=find_beginning
    )
    # What is freed of a logarithm measures another thing.
    what = f"power of {stated.budget}" + (f"{BESIDE}(log {stated.budget})^{stated.log}" if stated.log else "")
    reading = replace(slope.reading(float(power), what, GRID), predicted=power)
    if reading.verdict == UNIDENTIFIABLE and slope.fit.points >= 2:
        curves = _curves(subject, regime)
        lower = is_lower(curves.values["risk"][0][curves.inside], _behind(subject, regime).here["risk"])
        where = f"at {lower.sum()} of {lower.size} budgets a cell is lower than the refined optimum"
        reading = replace(reading, note=f"{UNIDENTIFIABLE}: {where}: {LOWER}") if lower.any() else reading
    return reading, slope.fit
