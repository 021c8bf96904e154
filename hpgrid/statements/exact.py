"""The exact route: rational exponents and whole laws, of what is tuned and of products of it."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from fractions import Fraction
from functools import reduce
from typing import NamedTuple

from hpgrid.asymptotics.convex import ACCURACY
from hpgrid.asymptotics.law import Law, PowerLaw
from hpgrid.asymptotics.linear import coordinates, vector
from hpgrid.asymptotics.monomial import ONE, Monomial, Sum
from hpgrid.readings import Number, Reading
from hpgrid.statements.posing import Question, moved_to

ROUTE = "exact"


#: What evaluating a constant of some ten factors may lose.
_ROUNDING = 1e-14


class Exact(NamedTuple):
    """What the asymptotics say of a product of the risk and tuned variables.

    Attributes:
        exponent: that of the budget; None where none is determined.
        law: the whole law; None where there is none.
    """

    exponent: Fraction | None
    law: PowerLaw | None


def readings(question: Question, law: Law) -> tuple[Reading, ...]:
    """Return what exact asymptotics say of every part of a claim."""
    lost = [v for v in question.left if v in law.unbounded]
    if lost:
        return tuple(Reading(f"{v} is attained", ROUTE, False, True) for v in lost)
    found = product_law(law, question.left)
    readings = []
    if question.power is not None:
        readings.append(_power(question, law, found.exponent))
    if question.log:
        # Each level of a sum of powers is a program in the logs that the budget only shifts: no logarithm arises.
        measured = math.nan if found.exponent is None else Fraction(0)
        readings.append(Reading(f"power of log {law.budget}", ROUTE, measured, question.log))
    for name in question.named:
        measured = math.nan if found.law is None else elasticity(found.law, name, question.small)
        readings.append(Reading(f"power of {name}", ROUTE, measured, question.held[name]))
    if question.statement.exact and found.law is not None and found.exponent == question.power:
        readings.append(_constant(question, found.law))
    return tuple(readings)


def _power(question: Question, law: Law, exponent: Fraction | None) -> Reading:
    """The budget's exponent; where a range of it alone is determined, a claim beyond its ends fails."""
    assert question.power is not None
    what = f"power of {law.budget}"
    if exponent is not None:
        return Reading(what, ROUTE, exponent, question.power)
    nearest = _nearest(question.left, law, question.power)
    if nearest is None or nearest == question.power:
        return Reading(what, ROUTE, math.nan, question.power)
    return Reading(f"nearest possible {what}", ROUTE, nearest, question.power)


def _nearest(left: Mapping[str, Fraction], law: Law, power: Fraction) -> Fraction | None:
    """The exponent nearest to a claimed one that a variable with a flat direction may have."""
    (name, own), *others = left.items()
    if others or name not in law.flat:
        return None
    ends = [None if end is None else own * end for end in law.flat[name]]
    low, high = ends if own > 0 else reversed(ends)
    power = power if low is None else max(power, low)
    return power if high is None else min(power, high)


def _constant(question: Question, law: PowerLaw) -> Reading:
    """The law's constant once what is held in it is divided out, which the statement gives as a number."""
    log = law.coefficient.log(law.values)
    names = {name: p for name, p in question.held.items() if p}
    if log is None or not set(names) <= set(law.values):
        return Reading("constant", ROUTE, math.nan, question.number)
    rest = math.exp(log - math.fsum(float(p) * math.log(law.values[name]) for name, p in names.items()))
    share = question.statement.rounding + (ACCURACY if law.numeric else _ROUNDING)
    return Reading("constant", ROUTE, rest, question.number, share * float(question.number))


# --- laws of products ---
def product_law(law: Law, left: Mapping[str, Fraction]) -> Exact:
    """Return the asymptotics of a product: from its factors', or from what is fixed across a flat direction."""
    if all(law.exponent.get(name) is not None for name in left):
        exponents, laws = law.exponent, law.laws
        parts = [(p, exponents[name], laws[name]) for name, p in left.items()]
        return _combined(law, left, parts)
    names = tuple(law.tuned)
    if "risk" in left:
        return Exact(None, None)
    rows = [vector([found.powers.get(v, Fraction(0)) for v in names]) for found in law.identifiable]
    weights = coordinates(rows, vector([left.get(v, Fraction(0)) for v in names]))
    if weights is None:
        return Exact(None, None)
    return _combined(law, left, [(w, found.exponent, found.law) for w, found in zip(weights, law.identifiable) if w])


def _combined(
    law: Law, left: Mapping[str, Fraction], parts: list[tuple[Fraction, Fraction | None, PowerLaw | None]]
) -> Exact:
    exponent = sum((power * own for power, own, _ in parts if own is not None), Fraction(0))
    laws = [(power, own) for power, _, own in parts if own is not None]
    if len(laws) < len(parts):
        return Exact(exponent, None)
    coefficient = reduce(lambda total, part: total * part[1].coefficient ** part[0], laws, ONE)
    return Exact(exponent, PowerLaw(left, coefficient, law.budget, exponent, laws[0][1].values))


def elasticity(law: PowerLaw, name: str, small: Collection[str] = ()) -> Number:
    """Return d log law / d log name: its exponent, or where it stands in a sum, that over the decade that is moved.

    Args:
        law: a whole law.
        name: a constant, a held variable or a cap.
        small: what tends to 0: of a sum only the term that is largest then counts.
    """
    if law.numeric:
        return math.nan
    if name in small or not _in_a_sum(law.coefficient, name):
        return _exponent(law.coefficient, name)
    before = law.values[name]
    after = moved_to(name, before)
    logs = [law.coefficient.log({**law.values, name: x}) for x in (before, after)]
    return math.nan if None in logs else (logs[1] - logs[0]) / math.log(after / before)  # type: ignore[operator]


def _in_a_sum(product: Monomial, name: str) -> bool:
    return any(symbol != name and name in Monomial(((symbol, Fraction(1)),)).symbols() for symbol, _ in product.powers)


def _exponent(product: Monomial, name: str) -> Fraction:
    """The exponent of a name that is no part of a sum, or as it tends to 0."""
    total = Fraction(0)
    for symbol, power in product.powers:
        if symbol == name:
            total += power
        elif isinstance(symbol, Sum):
            total += power * min(_exponent(term, name) for term in symbol.terms)
    return total
