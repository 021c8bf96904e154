"""A bound under a regime, as exact rows: what the levels and their programs work on.

A negative term, were a bound to have one, would be set aside here: every level above the first that
hangs on it has no certificate.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from hpgrid.asymptotics.linear import Vector, dot, unit
from hpgrid.asymptotics.monomial import ONE, Complement, Monomial, add, monomial, number, power
from hpgrid.checks import bad
from hpgrid.formula.syntax import Inequality
from hpgrid.proxy import FunctionProxy, Proxy, Term, monomial_in
from hpgrid.regime import Regime


class Piece(NamedTuple):
    """One term: coefficient x budget^shift x prod_i x_i^row_i.

    Attributes:
        row: the exponents of the tuned variables.
        shift: the exponent of the budget, paths included.
        coefficient: constants and the variables that are not tuned.
        text: the term, or the terms that were merged, as the bound has them.
    """

    row: Vector
    shift: Fraction
    coefficient: Monomial
    text: str

    def exponent(self, point: Vector) -> Fraction:
        """Return the exponent of the budget where x_i = budget^point_i."""
        return dot(self.row, point) + self.shift


class Limit(NamedTuple):
    """A bound on tuned variables: prod_i x_i^row_i <= level budget^exponent; a floor has a negative row."""

    row: Vector
    level: Monomial
    text: str
    exponent: Fraction = Fraction(0)
    of_path: Fraction = Fraction(0)  # in a family of paths, the power of the path's variable on the left


@dataclass(frozen=True)
class Problem:
    """A posynomial in the tuned variables and the budget.

    Attributes:
        variables: the tuned variables, in canonical order.
        budget: its name.
        pieces: the terms, those with equal rows merged.
        limits: the bounds on the tuned variables.
        values: what is known of constants, caps and fixed variables.
        batch: the name of the batch size, if there is one.
    """

    variables: tuple[str, ...]
    budget: str
    pieces: tuple[Piece, ...]
    limits: tuple[Limit, ...]
    values: Mapping[str, float]
    batch: str | None = None


def settle(proxy: Proxy | FunctionProxy, regime: Regime, budget: str | None) -> Regime:
    """Return a regime once it was asked: what has no role stays a symbol in the laws.

    Raises:
        ValueError: the bound is a function, or as ``Regime.settled``.
    """
    bound, moving = _sum_of_powers(proxy, budget), (*regime.tuned, *regime.path)
    return regime.settled(
        bound, free=[v for v in bound.space.hyperparameters if v in bound.variables() or v not in moving]
    )


def _sum_of_powers(proxy: Proxy | FunctionProxy, budget: str | None) -> Proxy:
    if isinstance(proxy, FunctionProxy):
        instead = "hpgrid.refine, or hpgrid search, for it"
        why = f"in this one {proxy.obstacle}" if proxy.obstacle else "this one is a function"
        raise bad(f"exact exponents need a bound that is a sum of powers; {why}", proxy.name, instead)
    return proxy.form(budget or proxy.budget)


def pose(proxy: Proxy | FunctionProxy, regime: Regime, budget: str | None) -> Problem:
    """Return a bound under a settled regime as exact rows.

    Raises:
        ValueError: a term is no power of a tuned variable, or a cap can't hold.
    """
    bound = _sum_of_powers(proxy, budget)
    regime.joint_caps(bound.caps, far=True)
    own = _given_caps(bound)
    numbers = {f"{name}_max": cap for name, cap in regime.joint_caps(own, far=True).items()}
    if regime.min_K is not None:
        numbers["K_min"] = float(regime.min_K)
    pieces = _pieces(bound, regime)
    if not pieces:
        raise bad("a term must be left to minimise", dict(regime.fixed), "a value of alpha below 1")
    numbers |= {f"{name}_min": bound.space.all[name].low for name in regime.tuned}
    values = {**bound.constants, **regime.fixed, **numbers}
    return Problem(regime.tuned, bound.budget, pieces, tuple(_limits(bound, regime)), values, bound.space.batch)


def _limits(bound: Proxy, regime: Regime) -> Iterator[Limit]:
    """The range of each tuned variable, its caps, and the bound's domain, each as an expression."""
    width = len(regime.tuned)
    for k, name in enumerate(regime.tuned):
        above, below = unit(k, width), unit(k, width, -1)
        variable = bound.space.all[name]
        if variable.low == 1:
            yield Limit(below, ONE, f"{name} >= 1")
        elif variable.low > 0:
            yield Limit(below, power(f"{name}_min", -1), f"{name} >= {name}_min")
        if variable.high < math.inf:
            yield Limit(above, number(Fraction(repr(variable.high))), f"{name} <= {variable.high:g}")
        own = bound.cap_terms.get(name)
        if own is not None:
            yield Limit(above, _coefficient(own, ()), f"{name} <= {own}")
        if name in regime.caps or name in _given_caps(bound):
            yield Limit(above, power(f"{name}_max"), f"{name} <= {name}_max")
    for condition in bound.domain:
        yield from _limit(condition, bound, regime)
    batch = bound.space.batch
    if regime.min_K is not None and batch in regime.tuned and bound.budget == "T":
        level, text = (ONE, f"{batch} <= T") if regime.min_K == 1 else (power("K_min", -1), f"{batch} <= T/K_min")
        yield Limit(unit(regime.tuned.index(batch), width), level, text, Fraction(1))


def _given_caps(bound: Proxy) -> dict[str, float]:
    """The caps that were given as numbers, and do not follow from constants."""
    following = bound.following(bound.constants)
    return {name: cap for name, cap in bound.caps.items() if cap < following.get(name, math.inf)}


def _limit(condition: Inequality, bound: Proxy, regime: Regime) -> Iterator[Limit]:
    """A condition of the domain as a limit; none where it says nothing of what is tuned."""
    term = monomial_in(condition, bound.budget)
    if term is None:
        if {*condition.variables(bound.budget)}.isdisjoint(regime.tuned):
            return
        rule = "exact exponents need a domain whose conditions are products of powers on either side"
        raise bad(rule, condition.text, "hpgrid search, or hpgrid.refine, which take any")
    term = term.along(regime.path, bound.budget)
    row, grows = tuple(_exponent(term, name) for name in regime.tuned), _exponent(term, bound.budget)
    if not any(row):
        if grows > 0:
            raise bad("what is not tuned leaves the bound's domain as the budget grows", condition.text, "another path")
        return
    # x^2 <= c is x <= c^(1/2).
    size = max(map(abs, row)) if sum(map(bool, row)) == 1 else Fraction(1)
    level = _coefficient(term, (*regime.tuned, bound.budget)) ** (-1 / size)
    yield Limit(tuple(x / size for x in row), level, condition.text, -grows / size)


def _pieces(bound: Proxy, regime: Regime) -> tuple[Piece, ...]:
    """The terms as rows, equal rows merged: C3 eta and C3 eta/alpha are one term at a fixed alpha."""
    # By the text of the bound's own terms: what 1 + alpha is split into stays one name.
    names = {str(term): [] for term in bound.terms}  # type: dict[str, list[Term]]
    for term in bound.terms:
        names[str(term)].extend(_expanded(term, regime))
    merged: dict[tuple[Vector, Fraction], list[tuple[str, Monomial]]] = {}
    for text, terms in names.items():
        for term in (term.along(regime.path, bound.budget) for term in terms):
            key = tuple(_exponent(term, name) for name in regime.tuned), _exponent(term, bound.budget)
            merged.setdefault(key, []).append((text, _coefficient(term, (*regime.tuned, bound.budget))))
    return tuple(
        Piece(row, shift, add(c for _, c in entries), " + ".join(dict.fromkeys(text for text, _ in entries)))
        for (row, shift), entries in merged.items()
    )


def _expanded(term: Term, regime: Regime) -> tuple[Term, ...]:
    """A term in powers of what moves; one with 1 - x at a fixed x = 1 is none."""
    moving = (*regime.tuned, *regime.path)
    for name in (name for name, factor in term.factors.items() if factor == "one_minus"):
        if regime.fixed.get(name) == 1.0:
            return ()
        if name in moving:
            rule = f"exponents need powers of what is tuned; 1 - {name} makes this term a signomial"
            raise bad(rule, str(term), f"{name} fixed, or hpgrid.refine")
    return term.split(moving)


def _exponent(term: Term, variable: str) -> Fraction:
    exponent = term.exponent(variable)
    if exponent is None:
        raise bad(f"exponents need powers of {variable}", str(term), "a power of it, or hpgrid.refine")
    return exponent


def _coefficient(term: Term, apart: tuple[str, ...]) -> Monomial:
    """What multiplies the powers of the variables ``apart``, as an exact expression."""
    parts = [number(term.number), *(power(name, exponent) for name, exponent in term.constants.items())]
    for name, factor in ((name, factor) for name, factor in term.factors.items() if name not in apart):
        if isinstance(factor, str):
            parts.append(add([ONE, power(name)]) if factor == "one_plus" else monomial({Complement(name): 1}))
        else:
            parts.append(power(name, factor))
    return math.prod(parts, start=ONE)
