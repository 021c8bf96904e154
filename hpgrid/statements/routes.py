"""The three routes by which a stated law is measured: exact asymptotics, the continuous optimum far out, and a grid.

Refined. Local exponents e(u) of a law T^p (log T)^q at u = log T are p + q/u + (a log u + b)/u^2 + smaller ones, a and
b unknown; those of a law without a logarithm are p but for what falls like a power of T. So u e(u) gains p between two
budgets, whatever q is; and u (e(u) - p) tends to q, once a and b are fitted through three budgets and taken out. A
tolerance is how far apart such readings at other budgets are, and what the extrapolation changed: over random constants
of the star-convex bound, whose laws have logarithms, neither is ever exceeded. A plain power that is claimed of a law
with a logarithm has q = 0, and q itself is read: it fails there.

Grid. It reads powers of the budget alone. Those of constants and held variables would need these to move over so many
decades (a slope is off by two grid steps over their log range) that the burn-in, which goes with their tenth power,
left the grid; and a free power of a logarithm can't be told on one at all.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from hpgrid.asymptotics.exact import exponents
from hpgrid.asymptotics.law import Law, PowerLaw
from hpgrid.asymptotics.linear import coordinates, vector
from hpgrid.asymptotics.monomial import ONE, Monomial, Sum
from hpgrid.asymptotics.programs import ACCURACY
from hpgrid.checks import TUNABLE, InputError
from hpgrid.grid import Grid
from hpgrid.proxy import FunctionProxy, Proxy
from hpgrid.readings import HOLDS, Number, Reading, of_exponent
from hpgrid.refinement.optimum import solved
from hpgrid.refinement.profile import profile
from hpgrid.regime import Regime
from hpgrid.search.brute import grid_search
from hpgrid.shapes import Floats as Array
from hpgrid.slopes import (
    REFINED,
    SETTLING,
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

#: From the surest route to the least sure.
EXACT, FAR_OUT, GRID = ROUTES = ("exact", "refined", "grid")

#: What stands in a reading's name between its part and the logarithm that it was freed of.
BESIDE = " beside "

#: What evaluating a constant of some ten factors may lose.
_ROUNDING = 1e-14

#: The budgets at which optima are read, as far out as the solver arrives, and their logs.
LADDER = np.array([1e12, 1e16, 1e22, 1e30, 1e40, 1e60, 1e80, 1e150])
_U = np.log(LADDER)

#: How many of them are used, the last ones; and the rung of 1e60, which an optimum must be known at: one that is lost
#: before may follow another law beyond.
_USED, _FAR_ENOUGH = 5, 5

#: Where what tends to 0 is moved to, after ``SMALL``.
_SMALLER = 1e-3

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
    if isinstance(subject.proxy, FunctionProxy):
        obstacle = subject.proxy.obstacle
        return "the bound is no sum of powers" + (f": {obstacle}" if obstacle else "")
    try:
        return exponents(subject.proxy, regime=regime)
    except InputError as error:
        return str(error)


def exact_readings(stated: StatedLaw, law: Law) -> tuple[Reading, ...]:
    """Return what exact asymptotics say of every part of a claim."""
    unbounded = [v for v in stated.left if v in law.unbounded]
    if unbounded:
        return tuple(Reading(f"{v} is attained", EXACT, False, True) for v in unbounded)
    exponent, whole = product_law(law, stated.left)
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
        elasticity = math.nan if whole is None else _law_elasticity(whole, name, stated.statement.small)
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


def _law_elasticity(law: PowerLaw, name: str, small: Collection[str]) -> Number:
    """d log law / d log name: its exponent, or where it stands in a sum, that over the decade that is moved.

    Of a sum only the term counts that is largest as what is small tends to 0.
    """
    if law.numeric:
        return math.nan
    forms = Monomial(tuple((symbol, p) for symbol, p in law.coefficient.powers if not isinstance(symbol, str)))
    if name in small or name not in forms.symbols():  # it stands in no sum
        return _exponent(law.coefficient, name)
    before = law.values[name]
    after = moved_to(name, before)
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
    unbounded: tuple[str, ...]  # the variables that run off at the last budget
    undetermined: tuple[str, ...]  # the variables that the risk does not depend on there


@lru_cache(maxsize=_KEPT)
def climb(subject: Subject, regime: Regime, moved: str = "") -> Climb:
    """Return the optimum along the ladder, one constant moved."""
    from hpgrid.refinement import refine  # jax loads here: a claim that can't be asked is answered without it

    proxy = subject.proxy
    if moved:
        proxy = proxy.with_constants(**{moved: moved_to(moved, proxy.constants[moved])})
    at: dict[str, Any] = {proxy.budget: LADDER}
    optimum = refine(proxy, regime=regime, **at)
    # Where a variable runs off, the risk is an infimum all the same.
    attained = solved(optimum)
    last = np.flatnonzero(attained)[-1] if attained.any() else -1
    # Before it lies on the bounds that hold it in the end, and depends on what it depends on there, the optimum follows
    # another law. NaN is where the risk does not depend on a variable.
    sides = (*optimum.active.values(), *(np.isnan(x) for x in optimum.at.values()))
    settled = attained & np.all([side == side[last] for side in sides], axis=0)
    there = {"risk": settled, **{v: settled & optimum.converged for v in regime.tuned}}
    logs = {"risk": optimum.log_risk} | {v: np.log(optimum.at[v]) for v in regime.tuned}
    log_at, exponent = (
        {v: np.where(there[v] & np.isfinite(of[v]), of[v], np.nan) for v in there} for of in (logs, optimum.exponent)
    )
    unbounded = tuple(v for v in regime.tuned if optimum.unbounded[v][-1])
    nowhere = [v for v in regime.tuned if optimum.converged[-1] and np.isnan(optimum.at[v][-1])]
    return Climb(log_at, exponent, unbounded, tuple(v for v in nowhere if v not in unbounded))


def refined_readings(subject: Subject, stated: StatedLaw, *, logs: bool) -> tuple[Reading, ...]:
    """Return what the continuous optimum far out says of every part of a claim; ``logs``: there may be logarithms."""
    base = climb(subject, stated.regime)
    unbounded = [v for v in stated.left if v in base.unbounded]
    if unbounded:
        return tuple(Reading(f"{v} is attained", FAR_OUT, False, True) for v in unbounded)
    undetermined = [v for v in stated.left if v in base.undetermined]
    if undetermined and len(stated.left) == 1:
        return tuple(Reading(f"{v} is determined", FAR_OUT, False, True, identifiable=False) for v in undetermined)
    moved = []
    for name in stated.named:
        measured, error = _moved(subject, stated, stated.regime, name)
        if name in stated.statement.small:  # moved again from much nearer to 0
            fixed = stated.regime.fixed
            nearer = replace(stated.regime, fixed={**fixed, name: _SMALLER * fixed[name]})
            near, near_error = _moved(subject, stated, nearer, name)
            measured, error = near, near_error + abs(near - measured)
        moved.append(_power_reading(name, (measured, error), stated.held[name]))
    if stated.power is None:
        return tuple(moved)
    slopes = _along(base.exponent, stated)
    power = _power_reading(stated.budget, gained(slopes), stated.power)
    beside = []
    if stated.log or (logs and power.verdict == HOLDS):
        # What is left of the local exponents once the wrong power is taken off is no power of a logarithm.
        left = _U * (slopes - float(stated.power)) if power.verdict == HOLDS else np.full(_U.shape, np.nan)
        beside.append(_power_reading(f"log {stated.budget}", limit(left, REFINED * _U[-1]), stated.log))
    if stated.statement.exact and power.verdict == HOLDS:
        # What is left of the optimum once budget and all that is held are divided out, far out.
        held = math.fsum(float(p) * math.log(stated.values[name]) for name, p in stated.held.items() if p)
        log, error = limit(_along(base.log_at, stated) - held - float(stated.power) * _U, REFINED)
        constant, claimed = math.exp(log), stated.statement.number
        tolerance = (error + stated.statement.rounding) * float(claimed)
        # A constant is told from one half as large: its size depends on units, so that no 1/4 stands for a small one.
        tells = abs(constant - float(claimed)) > tolerance or tolerance < float(claimed) / 2
        beside.append(Reading("constant", FAR_OUT, constant, claimed, tolerance, identifiable=tells))
    return (power, *beside, *moved)


def _power_reading(name: str, measured: tuple[float, float], claimed: Fraction) -> Reading:
    return of_exponent(f"power of {name}", FAR_OUT, measured[0], claimed, measured[1])


def _along(of: Mapping[str, Array], stated: StatedLaw) -> Array:
    """The sum of logs or exponents that belongs to the product on the left."""
    return np.sum([float(power) * of[name] for name, power in stated.left.items()], axis=0)


def _moved(subject: Subject, stated: StatedLaw, regime: Regime, name: str) -> tuple[float, float]:
    """d log left / d log name over the decade that the name is moved, and how far that is from its limit."""
    before, capped = regime.fixed.get(name, stated.values[name]), name.removesuffix("_max")
    after = moved_to(name, before)
    if name in regime.fixed:
        other = climb(subject, replace(regime, fixed={**regime.fixed, name: after}))
    elif capped in regime.caps and name != capped:
        other = climb(subject, replace(regime, caps={**regime.caps, capped: after}))
    else:
        other = climb(subject, regime, name)
    decade = math.log(after / before)
    gain = _along(other.log_at, stated) - _along(climb(subject, regime).log_at, stated)
    return limit(gain / decade, 2 * REFINED / abs(decade))


def gained(slopes: Array) -> tuple[float, float]:
    """Return the power p of exponents p + q/u + ..., freed of q by pairs of budgets, and how far pairs are apart."""
    there = np.flatnonzero(np.isfinite(slopes))[-_USED:]
    if len(there) < 3 or there[-1] < _FAR_ENOUGH:
        return math.nan, math.nan
    u, e = _U[there], slopes[there]
    powers = np.diff(e * u) / np.diff(u)
    # u e(u) is off by u times the solver's error at either end of a pair.
    noise = REFINED * float(((u[1:] + u[:-1]) / np.diff(u)).max())
    return float(powers[-1]), float(np.ptp(powers)) + noise


def limit(values: Array, noise: float) -> tuple[float, float]:
    """Return what c + (a log u + b)/u tends to along the ladder, and by how much that may be off.

    Each value may be ``noise`` from the truth; NaN is none.
    """
    there = np.flatnonzero(np.isfinite(values))[-_USED:]
    if len(there) < 4 or there[-1] < _FAR_ENOUGH:
        return math.nan, math.nan
    # Two triples of budgets, a rung apart: what they differ by is more than what is left of the smaller terms.
    limits = []
    for three in (there[-4:-1], there[-3:]):
        u = _U[three]
        weights = np.linalg.solve(np.stack([np.ones(3), np.log(u) / u, 1 / u]), [1.0, 0.0, 0.0])
        limits.append(float(weights @ values[three]))
    before, last = limits
    # The weights of the last amplify what each reading may be off by.
    return last, float(abs(last - values[there[-1]]) + abs(last - before) + noise * np.abs(weights).sum())


# --- grid ---
@lru_cache(maxsize=_KEPT)
def _curves(subject: Subject, regime: Regime) -> Curves:
    """The argmins of a grid search at every budget, and the window after burn-in.

    Burn-in ends with the continuous optimum's where that is cheap: a flat direction takes the argmin back to the
    border again and again, long after.
    """
    proxy, grid = subject.proxy, subject.grid
    lacking: Any = {v: None for v in TUNABLE if v not in proxy.depends_on()}
    best = grid_search(proxy, grid.with_axes(**lacking), regime=regime)
    budget, edge = grid.axes[grid.budget].values, fitted_edge(best)
    cheap = proxy.is_posynomial(regime.tuned)
    star = profile(_folded(proxy, regime), regime.tuned, regime.fixed, budget).at if cheap else None
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
    truth = posynomial_truth(_folded(proxy, regime), regime, steps, budget)
    # Where a floor shows twenty decades beyond the window alone, a slope is not settled there yet.
    return truth._replace(far=(*truth.far, truth.at(budget * SETTLING**2)))


def grid_reading(subject: Subject, stated: StatedLaw, power: Fraction) -> tuple[Reading, Slope]:
    """Return the budget's power as the grid shows it, freed of the logarithm that is claimed, and the fit behind it."""
    regime, log = stated.regime, {monomial_name(stated.left): float(stated.log)}
    # Where the law begins is not told here: to find it, the bound would be refined at more budgets than all else.
    (slope,) = measured_slopes(
        _curves(subject, regime), lambda _: _behind(subject, regime), [stated.left], log, find_beginning=False
    )
    # What is freed of a logarithm measures another thing.
    what = f"power of {stated.budget}" + (f"{BESIDE}(log {stated.budget})^{stated.log}" if stated.log else "")
    return replace(slope.reading(float(power), what, GRID), predicted=power), slope.fit
