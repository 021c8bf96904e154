"""What stands after @ in a claim: what is tuned, fixed, on a path, capped."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from hpgrid.checks import TUNABLE
from hpgrid.statements.powers import power
from hpgrid.statements.statement import Conditions
from hpgrid.statements.tokens import BUDGETS, Reader, Token


def conditions(reader: Reader) -> Conditions:
    found, role = Conditions(), ""
    while True:
        if reader.next.text in ("fixed", "tuned"):
            role = reader.take().text
        found = _condition(reader, found, role)
        if not reader.takes(","):
            return found


def _condition(reader: Reader, found: Conditions, role: str) -> Conditions:
    """The conditions with the next one."""
    token = reader.next
    name = reader.name((*TUNABLE, "beta", *BUDGETS), "hyperparameter")
    if name in BUDGETS:
        if role != "fixed" or reader.next.text not in (",", "the end"):
            raise reader.wrong(f"all that a condition can say of {name} is that it is fixed", f"fixed {name}", token)
        return replace(found, fixed={**found.fixed, name: None})
    if name != "beta" and name in (*found.fixed, *found.path, *found.caps, *(found.tuned or ()), *found.small):
        raise reader.wrong(f"{name} has one condition", f"{name} once after @", token)
    if reader.takes("="):
        return _value_or_path(reader, found, name, token)
    if name == "beta":
        raise reader.wrong("beta is held at a number, or alpha stands in its place", "fixed beta=0.999", token)
    if reader.takes("<="):
        return replace(found, caps={**found.caps, name: _value(reader)})
    if reader.takes("->"):
        if reader.take().text != "0":
            raise reader.wrong("what tends anywhere tends to 0", f"{name} -> 0", token)
        return replace(found, small=(*found.small, name))
    if role == "tuned":
        return replace(found, tuned=(*(found.tuned or ()), name))
    if role == "fixed":
        return replace(found, fixed={**found.fixed, name: None})
    instead = f"fixed {name}, tuned {name}, {name} = T^1/2 or {name} <= 1e6"
    raise reader.wrong(f"nothing is said of {name}", instead, token)


def _value_or_path(reader: Reader, found: Conditions, name: str, token: Token) -> Conditions:
    """NAME = a number, or a power of the budget."""
    if reader.next.kind == "number":
        number, value = reader.next, _value(reader)
        if name == "beta" and "alpha" in found.fixed:
            raise reader.wrong("alpha = 1 - beta has one condition", "one of the two after @", token)
        if name == "beta" and value >= 1:
            raise reader.wrong("beta is below 1", "beta=0.999, say", number)
        fixed = {"alpha": 1 - value} if name == "beta" else {name: value}
        return replace(found, fixed={**found.fixed, **fixed})
    budget = reader.take()
    if name == "beta" or budget.text not in BUDGETS:
        raise reader.wrong(f"{name} is held at a number, or follows the budget", "b=1072, or b = T^1/2", budget)
    return replace(found, path={**found.path, name: (budget.text, power(reader))})


def _value(reader: Reader) -> Fraction:
    """A positive number: 1072, 1e-3, 1/3."""
    token = reader.take()
    value = _within_floats(token.text) if token.kind == "number" else None
    if value is not None and reader.next.text == "/":
        reader.take()
        bottom = reader.take()
        divisor = _within_floats(bottom.text) if bottom.kind == "number" else None
        value = value / divisor if divisor else None
    if not value:
        raise reader.wrong("a value is a positive number", "1072, 1e-3 or 1/3", token)
    return value


def _within_floats(text: str) -> Fraction | None:
    """The fraction that a number is, where a float can hold it: 1e999999999 as a fraction has a billion digits."""
    _, _, exponent = text.lower().partition("e")
    if len(text) > 30 or abs(int(exponent or "0")) > 300:
        return None
    return Fraction(text)
