"""A law as text, held against a sum of powers: by its exact asymptotics, and by its continuous optimum far out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from hpgrid import bounds, exponents
from hpgrid.claims.measures import FAR_OUT, SOLVER, columns, draws, settles, tends
from hpgrid.proxy import Proxy
from hpgrid.readings import Reading
from hpgrid.refinement.profile import profile
from hpgrid.shapes import Floats as Array
from hpgrid.slopes import monomial_name
from hpgrid.statements.language import parse
from hpgrid.statements.routes import exact_readings
from hpgrid.statements.stated import StatedLaw, moved_to, pose


def constants_of(name: str) -> dict[str, float]:
    """Return constants of a bound, seeded and none of them 1: a law that forgets one is off."""
    return {key: float(x[0]) for key, x in draws(*bounds.BOUNDS[name].constants, n=1).items()}


def bound(name: str, **given: Any) -> Any:
    """Return a bound of the atlas at those constants, with other values and another budget where they are given."""
    return getattr(bounds, name)(**{**constants_of(name), **given})


def without(proxy: Proxy, *names: str) -> Proxy:
    """Return a bound without the terms of some constants: what is left above a floor, say."""
    kept = tuple(term for term in proxy.terms if not {*names} & {*term.constants})
    return replace(proxy, terms=kept)


def law(proxy: Proxy, claim: str, called: str = "", **options: Any) -> list[Reading]:
    """Return what both routes say of every part of a law such as "eta ~ b T^-1/2 @ fixed b".

    Args:
        proxy: the bound, in the budget of the law.
        claim: the law, as ``statements.language`` reads it.
        called: what to call this bound beside others.
        options: "fixed", "path", "tuned", as of ``check``.
    """
    stated = pose(parse(claim, proxy.space), proxy, **options)
    readings = (*exact_readings(stated, exponents(proxy, regime=stated.regime)), *refined(proxy, stated))
    left = f"{monomial_name(stated.left)}{called and f', {called}'}"
    return [replace(each, what=f"{each.what}, {left}") for each in readings]


def refined(proxy: Proxy, stated: StatedLaw) -> Iterator[Reading]:
    """Return how the optimum moves with the budget and with what is named, at two budgets far out.

    Where the law's constant is stated, it is the optimum over the whole law, at constants of which each is another.
    """
    if stated.statement.exact:
        values: dict[str, Any] = {**stated.values, **columns(draws(*proxy.constants))}
        held = sum(float(p) * np.log(values[name]) for name, p in stated.held.items() if p)
        logs = _log_left(proxy, stated, {name: values[name] for name in proxy.constants})
        ratios = np.exp(logs - held - float(stated.power or 0) * np.log(FAR_OUT)) / float(stated.statement.number)
        yield settles("over the law, 8 random constants", "refined", ratios)
        return
    powers = {stated.budget: stated.power, **{name: stated.held[name] for name in stated.named}}
    logs = _log_left(proxy, stated, {})
    for name, power in ((name, power) for name, power in powers.items() if power is not None):
        before = stated.regime.fixed.get(name, stated.values.get(name, 1.0))
        after = 10.0 if name == stated.budget else moved_to(name, before, proxy.space)
        slopes = (_log_left(proxy, stated, {name: after}) - logs) / np.log(after / before)
        # Both ends of a decade are sure to the solver's digits.
        yield tends(f"power of {name}", slopes, power, 2 * SOLVER)


def _log_left(proxy: Proxy, stated: StatedLaw, moved: Mapping[str, Any]) -> Array:
    """The log of what a law is about at ``FAR`` and ``FARTHER``, with something moved; a budget by a factor."""
    regime, along = stated.regime, proxy.along(stated.regime.path)
    budgets = FAR_OUT * moved.get(stated.budget, 1.0)
    fixed = {v: moved.get(v, x) for v, x in regime.fixed.items()}
    constants = {name: x for name, x in moved.items() if name in proxy.constants}
    optimum = profile(along, regime.tuned, fixed, budgets, constants=constants)
    at = {"risk": optimum.risk, **optimum.at}
    return np.asarray(sum(float(p) * np.log(at[v]) for v, p in stated.left.items()))
