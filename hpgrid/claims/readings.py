"""What is measured, as readings: exponents, values, bounds, what a figure's grid shows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike

from hpgrid.claims.routes import SOLVER, Setting, elasticity, exponent, figure, holding, power_in, settled
from hpgrid.proxy import Proxy
from hpgrid.readings import Number, Reading, of_exponent


def at_most(what: str, route: str, measured: Number, bound: Number, tolerance: float = 0.0) -> Reading:
    """Return a number that a claim bounds from above."""
    return Reading(what, route, measured, bound, tolerance, "<=")


def at_least(what: str, route: str, measured: Number, bound: Number, tolerance: float = 0.0) -> Reading:
    """Return a number that a claim bounds from below."""
    return Reading(what, route, measured, bound, tolerance, ">=")


def slope(name: str, predicted: Fraction, regime: Setting, *of: str | Proxy, called: str = "") -> tuple[Reading, ...]:
    """Return the exponent of ``name`` in the budget on each bound, refined and exact.

    Args:
        name: "risk" or a tuned variable.
        predicted: the exponent.
        regime: what is tuned.
        of: bounds.
        called: what to call a bound that has no name.
    """
    readings = []
    for bound in of:
        what = f"{name} ~ {regime.budget}^p, {bound if isinstance(bound, str) else called}"
        found, tolerance = settled(bound, regime, name)
        readings.append(of_exponent(what, "refined", found, predicted, tolerance))
        readings.append(Reading(what, "exact", exponent(bound, regime, name), predicted))
    return tuple(readings)


def power(
    name: str, by: str, predicted: Fraction, regime: Setting, *of: str, between: tuple[float, float] = (1e3, 1e4)
) -> tuple[Reading, ...]:
    """Return the power of a held variable in a law: refined, by moving it, and exact, from the law."""
    readings = []
    for bound in of:
        what = f"{name} ~ {by}^p, {bound}"
        found, tolerance = elasticity(bound, regime, name, by, between)
        readings.append(of_exponent(what, "refined", found, predicted, tolerance))
        law = power_in(bound, holding(regime, **{by: between[0]}), name, by)
        readings.append(Reading(what, "exact", law, predicted))
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
    found = {check.what: check for check in figure(name).checks}
    place = name.replace("fig", "Figure ")
    return tuple(replace(found[key], what=f"{key}, {place}", route="grid") for key in checks or found)


def together(*readings: Reading | Iterable[Reading]) -> tuple[Reading, ...]:
    """Return readings and groups of readings as one tuple."""
    return tuple(one for entry in readings for one in ([entry] if isinstance(entry, Reading) else entry))
