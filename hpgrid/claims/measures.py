"""How claims are measured: refined, exact, on a figure's grid; and what is measured, as readings.

Tolerances. The refined optimum and its local exponents are sure to ``SOLVER``. A law that holds as
the budget grows is read far out, at ``FAR`` and twenty decades further: what changes between the two
is more than what is still to come, so it is the tolerance. No prediction enters it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from hpgrid import bounds
from hpgrid.proxy import FunctionProxy, Proxy
from hpgrid.readings import Number, Reading, of_exponent
from hpgrid.regime import Regime
from hpgrid.shapes import Floats as Array
from hpgrid.slopes import REFINED
from hpgrid.surds import Surd

if TYPE_CHECKING:
    from hpgrid.asymptotics import Law
    from hpgrid.paper.data import FigureData
    from hpgrid.refinement import Optimum


#: What the refined route takes; the exact one takes sums of powers alone.
Bound = Proxy | FunctionProxy

#: What the refined logs and local exponents are sure to.
SOLVER = REFINED

#: The budgets at which an asymptotic law is read.
FAR, FARTHER = 1e40, 1e60
FAR_OUT = np.array([FAR, FARTHER])

EQ4, EQ5, EQ11, SGD, LEADING = "eq. (4)", "eq. (5)", "eq. (11)", "eq. (42)", "eq. (43)"

#: The bounds that claims are about, all constants 1.
BOUNDS: dict[str, Proxy] = {
    EQ4: bounds.lmo(),
    EQ5: bounds.lmo_large_horizon(),
    EQ11: bounds.lmo_exact(),
    LEADING: bounds.lmo(burn_in=False),
    SGD: bounds.sgd(),
}


def printed(text: str, **constants: float) -> Proxy:
    """Return the sum of powers that a formula says, with these constants."""
    from hpgrid.formula.bound import parse

    proxy = parse(text, {name: float(x) for name, x in constants.items()})
    assert isinstance(proxy, Proxy)  # a sum of powers
    return proxy


class Setting(NamedTuple):
    """A regime, and the budget that grows in it: "T" or "K"."""

    regime: Regime
    budget: str = "T"


def setting(*tuned: str, budget: str = "T", min_K: float | None = None, **roles: float | Fraction) -> Setting:
    """Return a setting: a Fraction puts a variable on a path, any other number holds it.

    A name such as b_max caps what stands before the underscore.
    """
    caps = {name.removesuffix("_max"): float(x) for name, x in roles.items() if name.endswith("_max")}
    path = {name: x for name, x in roles.items() if isinstance(x, Fraction)}
    fixed = {name: float(x) for name, x in roles.items() if name not in path and not name.endswith("_max")}
    return Setting(Regime(tuned, fixed, path, caps, min_K), budget)


#: All three tuned, under a token budget.
JOINT = setting("eta", "b", "alpha")


def refined(bound: str | Bound, where: Setting, budget: ArrayLike, **constants: ArrayLike) -> Optimum:
    """Return the continuous optimum at budgets; constants may be arrays, whose shape comes first."""
    budgets = np.atleast_1d(np.asarray(budget, float))
    if isinstance(bound, str) and not constants:
        return _named_optimum(bound, where, tuple(budgets.tolist()))
    return _optimum(BOUNDS[bound] if isinstance(bound, str) else bound, where, budgets, constants)


def _optimum(proxy: Bound, where: Setting, budgets: ArrayLike, constants: Mapping[str, ArrayLike]) -> Optimum:
    from hpgrid.refinement import refine

    at: dict[str, Any] = {where.budget: budgets}
    return refine(in_five_terms(proxy), regime=where.regime, **at, constants=constants or None)


def in_five_terms(bound: Bound) -> Bound:
    """Return a sum of fewer powers as one of five, its last term in parts: one program then serves them all."""
    if not isinstance(bound, Proxy) or len(bound.terms) >= 5:
        return bound
    *rest, last = bound.terms
    count = 5 - len(rest)
    # A half, a quarter, ..., and the smallest once more: what they add up to is exact.
    parts = [Fraction(1, 2 ** min(k, count - 1)) for k in range(1, count + 1)]
    return replace(
        bound, terms=(*rest, *(replace(last, number=Surd.of(last.number) * Surd.of(part)) for part in parts))
    )


@cache
def _named_optimum(bound: str, where: Setting, budgets: tuple[float, ...]) -> Optimum:
    """Rows ask for the same optima: far out, of the same bounds."""
    return _optimum(BOUNDS[bound], where, budgets, {})


def along(bound: str, where: Setting, name: str, values: ArrayLike, budget: ArrayLike) -> Optimum:
    """Return the optima with one tuned variable held at each of some values, which broadcast with the budgets."""
    from hpgrid.refinement import refine_along

    values, budgets = np.broadcast_arrays(np.atleast_1d(np.asarray(values, float)), np.asarray(budget, float))
    at: dict[str, Any] = {where.budget: budgets}
    return refine_along(in_five_terms(BOUNDS[bound]), name, values, regime=where.regime, **at)


def value(optimum: Optimum, name: str) -> Array:
    """Return an optimum's risk, or where a variable is; NaN where the solve did not converge."""
    return np.where(optimum.converged, optimum.risk if name == "risk" else optimum.at[name], np.nan)


def best(name: str, bound: str | Bound, where: Setting, budget: ArrayLike = FAR_OUT, **constants: ArrayLike) -> Array:
    """Return the least risk, or the best value of a tuned variable, at budgets; NaN where no optimum was found."""
    return value(refined(bound, where, budget, **constants), name)


def exact(bound: str | Proxy, where: Setting) -> Law:
    """Return the exact law; that of a named bound is derived once."""
    return _named_law(bound, where) if isinstance(bound, str) else _law(bound, where)


def _law(proxy: Proxy, where: Setting) -> Law:
    from hpgrid.asymptotics import exponents

    return exponents(proxy, regime=where.regime, budget=where.budget)


@cache
def _named_law(bound: str, where: Setting) -> Law:
    return _law(BOUNDS[bound], where)


def exponent(bound: str | Proxy, where: Setting, name: str) -> Number:
    """Return the exact exponent of a variable or the risk; NaN where it has none."""
    power = exact(bound, where).exponent[name]
    return float("nan") if power is None else power


def grows(bound: str | Proxy, where: Setting, name: str) -> bool:
    """Return whether a variable has no best value, by the exact law, but runs to infinity."""
    way = exact(bound, where).unbounded.get(name)
    return way is not None and way.direction > 0


def power_in(bound: str | Proxy, where: Setting, name: str, symbol: str) -> Number:
    """Return a symbol's exponent in an exact law; NaN where there is no law."""
    law = exact(bound, where).laws[name]
    return float("nan") if law is None else law.powers.get(symbol, Fraction(0))


def law_at(bound: str | Proxy, where: Setting, name: str, budget: float) -> float:
    """Return an exact law's value at a budget; NaN where there is no law."""
    law = exact(bound, where).laws[name]
    return float("nan") if law is None else float(law.at(budget))


# --- far out ---
def unsettled(near: float, far: float) -> float:
    """Return how far a number read at ``FAR`` and ``FARTHER`` may still be from its limit."""
    return abs(float(far - near)) + SOLVER


def tends(what: str, ends: ArrayLike, predicted: Number, error: float = SOLVER, route: str = "refined") -> Reading:
    """Return an exponent read at two places, the second farther out, held against its limit; each is sure to ``error``.

    What changes between the two is more than what is still to come.
    """
    near, far = np.asarray(ends, float).tolist()
    return of_exponent(what, route, far, predicted, abs(far - near) + error)


def local(bound: str | Bound, where: Setting, name: str) -> Array:
    """Return the refined local exponent at ``FAR_OUT``."""
    optimum = refined(bound, where, FAR_OUT)
    return np.where(optimum.converged, optimum.exponent[name], np.nan)


def power_law(what: str, predicted: Number, bound: str | Proxy, where: Setting, name: str, symbol: str) -> Reading:
    """Return a symbol's exponent in an exact law, held against what is stated."""
    return Reading(what, "exact", power_in(bound, where, name, symbol), predicted)


#: Between which values a held variable is moved.
DECADE = (1e3, 1e4)


def elasticity(bound: str | Bound, where: Setting, name: str, by: str, between: tuple[float, float] = DECADE) -> Array:
    """Return d log name / d log by of a held variable at ``FAR_OUT``."""
    low, high = (best(name, bound, holding(where, **{by: x})) for x in between)
    return np.log(high / low) / np.log(between[1] / between[0])


def moves(
    what: str,
    predicted: Number,
    bound: str | Bound,
    where: Setting,
    name: str,
    by: str,
    between: tuple[float, float] = DECADE,
) -> Reading:
    """Return the power of a held variable in an optimum, refined, held against a law's."""
    # Both ends of what is moved are sure to the solver's digits.
    error = 2 * SOLVER / abs(float(np.log(between[1] / between[0])))
    return tends(what, elasticity(bound, where, name, by, between), predicted, error)


def holding(where: Setting, **values: float) -> Setting:
    """Return a setting with other values of what it holds."""
    return where._replace(regime=replace(where.regime, fixed={**where.regime.fixed, **values}))


# --- constants, and where a condition ends ---
def draws(*names: str, n: int = 8, seed: int = 2026) -> dict[str, Array]:
    """Return seeded random constants, log-uniform in (1e-2, 1e2): shape (n,) each."""
    rng = np.random.default_rng(seed)
    return {name: 10.0 ** rng.uniform(-2, 2, n) for name in names}


def columns(constants: Mapping[str, Array]) -> dict[str, Array]:
    """Return constants as columns, to broadcast against budgets as ``refined`` does."""
    return {name: x[:, None] for name, x in constants.items()}


def noisy(constants: Mapping[str, Array]) -> dict[str, Array]:
    """Return Delta0, L and noise = rho sigma, as columns, for the closed forms of eq. (11)."""
    of = columns(constants)
    return {"Delta0": of["Delta0"], "L": of["L"], "noise": of["rho"] * of["sigma"]}


def crossing(holds: Callable[[Array], np.ndarray], low: float, high: float) -> float:
    """Return where a condition, true at ``low`` and false at ``high``, stops to hold: to 1e-15 of the number.

    Sixty halvings of the log, six a time: an optimum at all the points that those could ask for costs hardly more than
    one. ``holds`` is asked of arrays.
    """
    ends = np.log([low, high])
    for _ in range(10):
        for _ in range(6):
            ends = np.insert(ends, np.arange(1, len(ends)), (ends[:-1] + ends[1:]) / 2)
        held = holds(np.exp(ends[1:-1]))
        lo, hi = 0, len(ends) - 1
        while hi - lo > 1:
            middle = (lo + hi) // 2
            lo, hi = (middle, hi) if held[middle - 1] else (lo, middle)
        ends = ends[[lo, hi]]
    return float(np.exp(ends[1]))


# --- the figures' grids ---
@cache
def figure(name: str) -> FigureData:
    """Return a figure's arrays and checks, computed once for all the claims that it shows."""
    from hpgrid.config import load, shipped
    from hpgrid.paper import compute

    return compute(load(shipped(name)))


def at_most(what: str, route: str, measured: Number, bound: Number, tolerance: float = 0.0) -> Reading:
    """Return a number that a claim bounds from above."""
    return Reading(what, route, measured, bound, tolerance, "<=")


def at_least(what: str, route: str, measured: Number, bound: Number, tolerance: float = 0.0) -> Reading:
    """Return a number that a claim bounds from below."""
    return Reading(what, route, measured, bound, tolerance, ">=")


def below(what: str, route: str, measured: Number, bound: Number, error: float = SOLVER) -> Reading:
    """Return a number that a claim has below a bound, not at it: by more than what it is sure to."""
    return Reading(what, route, measured, bound - error, 0.0, "<=")


def slope(
    name: str, predicted: Fraction, where: Setting, *of: str | Proxy, called: str = "", more: str = ""
) -> tuple[Reading, ...]:
    """Return the exponent of ``name`` in the budget on each bound, refined and exact.

    Args:
        name: "risk" or a tuned variable.
        predicted: the exponent.
        where: what is tuned.
        of: bounds.
        called: what to call a bound that has no name.
        more: what else a reading says.
    """
    readings = []
    for bound in of:
        what = f"{name} ~ {where.budget}^p, {bound if isinstance(bound, str) else called}{more}"
        readings.append(tends(what, local(bound, where, name), predicted))
        readings.append(Reading(what, "exact", exponent(bound, where, name), predicted))
    return tuple(readings)


def power(
    name: str, by: str, predicted: Fraction, where: Setting, *of: str, between: tuple[float, float] = DECADE
) -> tuple[Reading, ...]:
    """Return the power of a held variable in a law: refined, by moving it, and exact, from the law."""
    readings = []
    for bound in of:
        what = f"{name} ~ {by}^p, {bound}"
        readings.append(moves(what, predicted, bound, where, name, by, between))
        readings.append(power_law(what, predicted, bound, holding(where, **{by: between[0]}), name, by))
    return tuple(readings)


def same(what: str, route: str, measured: ArrayLike, predicted: ArrayLike, tolerance: float = SOLVER) -> Reading:
    """Return the largest |log ratio| of two arrays, which is to be 0."""
    return Reading(f"log ratio, {what}", route, worst(measured, predicted), 0.0, tolerance)


def worst(measured: ArrayLike, predicted: ArrayLike) -> float:
    """Return the largest |log(measured/predicted)|; NaN where anything is missing."""
    return float(np.abs(np.log(np.asarray(measured, float) / np.asarray(predicted, float))).max())


def settles(what: str, route: str, ratios: ArrayLike, predicted: float = 1.0) -> Reading:
    """Return a ratio read at ``FAR`` and ``FARTHER``, the last axis, held against its limit.

    Of several curves it is the one that ends farthest from the limit.
    """
    pairs = np.atleast_2d(np.asarray(ratios, float)).reshape(-1, 2)
    near, far = pairs[int(np.nan_to_num(np.abs(pairs[:, 1] - predicted), nan=np.inf).argmax())]
    return Reading(what, route, float(far), predicted, abs(float(far - near)) + SOLVER * abs(predicted))


def on_grid(name: str, *checks: str) -> tuple[Reading, ...]:
    """Return a figure's checks as readings, with the tolerance that its grid and window give.

    A check that its figure calls not identifiable can't tell, whatever its slope.
    """
    checks_of = {check.what: check for check in figure(name).checks}
    place = name.replace("fig", "Figure ")
    return tuple(replace(checks_of[key], what=f"{key}, {place}", route="grid") for key in checks or checks_of)
