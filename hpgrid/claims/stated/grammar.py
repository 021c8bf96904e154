"""Claims as they are written, ``LEFT ~ RIGHT @ CONDITIONS``, read without evaluating anything.

    claim     = product ("~" | "=") product ["@" condition ("," condition)*]
    product   = factor (["*" | "/"] factor)*            from left to right: C2/C1 b is (C2/C1) b
    factor    = (name | number | "log" name | "(" product ")") ["^" exponent]
    exponent  = one rational number, in parentheses or not: 2, -1/3, (2/3), 0.25
    condition = ("fixed" | "tuned") name (", " name)* | name "=" number | name "=" budget "^" exponent
                | name "<=" number | name "->" "0"

T^1/2 is T^(1/2), and C1^1/2/b is C1^(1/2)/b; T^1/2/3 could be two things and is refused, as log T^2 is.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import TypeVar

from hpgrid.checks import TUNABLE
from hpgrid.claims.stated.statement import Conditions, Product, Statement
from hpgrid.claims.stated.tokens import Token, tokens, unknown_name, wrong

#: What a claim may be of.
LEFT = ("risk", *TUNABLE, "T", "K")

BUDGETS = ("T", "K")

#: How deep parentheses may be nested.
_DEEPEST = 4

#: A number that is no power of ten, short enough to stay one; and one of an exponent.
_NUMBER = re.compile(r"[0-9]{1,30}(\.[0-9]{0,30})?|\.[0-9]{1,30}")
_WHOLE = re.compile(r"[0-9]{1,6}")
_DECIMAL = re.compile(r"[0-9]{1,6}(\.[0-9]{0,6})?|\.[0-9]{1,6}")

#: The largest exponent, after all parentheses are multiplied out.
_LARGEST = 1000

_ONE = Fraction(1)
_POWER = "T^1/2, T^-3/4, T^(2/3) or T^0.25: after ^ comes one rational number"

Known = TypeVar("Known")


class _Reader:
    """A place in the tokens of a claim."""

    def __init__(self, source: str) -> None:
        self.source, self.tokens, self.place, self.depth = source, tokens(source), 0, 0
        self.columns: dict[str, int] = {}

    @property
    def next(self) -> Token:
        return self.tokens[self.place]

    def after(self, steps: int) -> Token:
        return self.tokens[min(self.place + steps, len(self.tokens) - 1)]

    def take(self) -> Token:
        token = self.next
        self.place = min(self.place + 1, len(self.tokens) - 1)
        return token

    def takes(self, *marks: str) -> bool:
        """Go past the next token if it is one of some marks."""
        if self.next.kind == "mark" and self.next.text in marks:
            self.take()
            return True
        return False

    def wrong(self, rule: str, instead: str, at: Token | None = None) -> Exception:
        return wrong(self.source, (at or self.next).column, rule, instead)

    def name(self, known: tuple[str, ...], kind: str) -> str:
        """Take a name that must be one of some."""
        token = self.take()
        if token.kind != "name":
            raise self.wrong(f"a {kind} has a name, not {token.text!r}", f"{known[0]}, say", token)
        if token.text not in known:
            raise unknown_name(self.source, token.column, kind, token.text, known)
        return token.text


def parse(source: str) -> Statement:
    """Return what a claim says.

    Raises:
        ValueError: it can't be read; the message has the column.
    """
    reader = _Reader(source)
    left = _left(reader)
    sign = reader.take()
    if sign.text not in ("~", "="):
        raise reader.wrong("a claim is LEFT ~ RIGHT, or LEFT = RIGHT with a constant", "b ~ T^1/2, say", sign)
    exact = sign.text == "="
    right = _right(reader, exact)
    conditions = _conditions(reader) if reader.takes("@") else Conditions()
    if reader.next.kind != "end":
        raise reader.wrong(f"{reader.next.text!r} has no place here", "a condition after @: b ~ T^1/2 @ fixed alpha")
    return Statement(left, right, exact, conditions, source, reader.columns)


# --- products ---


def _left(reader: _Reader) -> Product:
    left = _product(reader)
    for name in left.powers:
        if name not in LEFT:
            raise unknown_name(reader.source, reader.columns[name], "quantity on the left", name, LEFT)
    if left.logs or left.numbers:
        rule = "on the left stand the risk and hyperparameters, without numbers and logarithms"
        raise wrong(reader.source, 0, rule, "b ~ T^1/2, say: the rest on the right")
    return left


def _right(reader: _Reader, exact: bool) -> Product:
    first = reader.next
    right = _product(reader)
    if right.numbers == {"1": _ONE}:
        return replace(right, numbers={"1": _ONE} if exact else {})
    if right.numbers and not exact:
        raise reader.wrong("~ leaves the constant open", "= for a law with its constant, or no number", first)
    if right.logs and exact:
        raise reader.wrong("a law with a logarithm settles too slowly for its constant", "~ in place of =", first)
    if "risk" in right.powers:
        raise wrong(reader.source, reader.columns["risk"], "the risk stands on the left", "risk ~ T^-1/4, say")
    return right


def _product(reader: _Reader) -> Product:
    total = _factor(reader, Product(), _ONE)
    while True:
        if reader.takes("*"):
            sign = _ONE
        elif reader.takes("/"):
            sign = -_ONE
        elif reader.next.kind in ("name", "number") or reader.next.text == "(":
            sign = _ONE
        else:
            return total
        total = _factor(reader, total, sign)


def _factor(reader: _Reader, total: Product, sign: Fraction) -> Product:
    """A product times its next factor."""
    token = reader.take()
    if token.kind == "name":
        base = _logarithm(reader) if token.text == "log" else _named(reader, token)
    elif token.kind == "number":
        base = _number(reader, token)
    elif token.text == "(":
        base = _within(reader, token)
    else:
        found = "nothing" if token.kind == "end" else repr(token.text)
        raise reader.wrong(f"a name, a number or ( comes here, not {found}", "b ~ T^1/2, say", token)
    if reader.next.text == "^" and token.text == "log":
        raise reader.wrong("log T^2 could be two things", "(log T)^2", token)
    product = total.times(base, sign * _power(reader))
    _check_size(reader, product, token)
    return product


def _named(reader: _Reader, token: Token) -> Product:
    if token.text == "beta":
        raise reader.wrong("claims are about alpha = 1 - beta", "alpha", token)
    reader.columns.setdefault(token.text, token.column)
    return Product({token.text: _ONE})


def _logarithm(reader: _Reader) -> Product:
    opened = reader.takes("(")
    token = reader.take()
    if token.text not in BUDGETS:
        raise reader.wrong(f"a logarithm is one of the budget, not of {token.text!r}", "log T", token)
    if opened and not reader.takes(")"):
        raise reader.wrong("a logarithm is one of the budget alone", "log T, and powers of it as (log T)^2")
    return Product(logs={token.text: _ONE})


def _number(reader: _Reader, token: Token) -> Product:
    if not _NUMBER.fullmatch(token.text) or not Fraction(token.text):
        raise reader.wrong("a number is positive and has at most 30 digits, without an e", "0.315, say", token)
    return Product(numbers={token.text: _ONE})


def _within(reader: _Reader, opening: Token) -> Product:
    reader.depth += 1
    if reader.depth > _DEEPEST:
        raise reader.wrong(f"parentheses are nested at most {_DEEPEST} deep", "the product multiplied out", opening)
    product = _product(reader)
    if not reader.takes(")"):
        raise reader.wrong("this parenthesis is never closed", "(T/log T)^(2/3), say", opening)
    reader.depth -= 1
    return product


def _check_size(reader: _Reader, product: Product, token: Token) -> None:
    powers = (*product.powers.values(), *product.logs.values(), *product.numbers.values())
    if any(abs(p) > _LARGEST or p.denominator > _LARGEST for p in powers):
        raise reader.wrong(f"an exponent's numerator and denominator are at most {_LARGEST}", "T^1/2, say", token)
    if abs(sum(float(p) * math.log(Fraction(text)) for text, p in product.numbers.items())) > 300:
        raise reader.wrong("a constant lies between 1e-130 and 1e130", "0.315, say", token)


# --- exponents ---


def _power(reader: _Reader) -> Fraction:
    """The power that follows a factor: 1 where there is no ^."""
    if not reader.takes("^"):
        return _ONE
    hat = reader.tokens[reader.place - 1]
    opened = reader.takes("(")
    power = _rational(reader, hat)
    if opened and not reader.takes(")"):
        raise reader.wrong("after ^( comes one rational number and )", _POWER, hat)
    following = reader.after(1 if reader.next.text == "/" else 0)
    if following.kind == "number" and not opened:
        raise reader.wrong("two numbers after ^ could be two things", "parentheses: T^(1/2)", following)
    if reader.next.text == "^":
        raise reader.wrong("a factor has one power", "parentheses: (T^2)^(1/3)")
    return power


def _rational(reader: _Reader, hat: Token) -> Fraction:
    """One rational number: what is after / belongs to it where it is a number."""
    sign = -1 if reader.takes("-") else 1
    if sign == 1:
        reader.takes("+")
    top = reader.take()
    if top.kind != "number" or not _DECIMAL.fullmatch(top.text):
        raise reader.wrong("the exponent is a rational number of at most six digits", _POWER, hat)
    if reader.next.text != "/" or reader.after(1).kind != "number":
        return sign * Fraction(top.text)
    reader.take()
    bottom = reader.take()
    if not (_WHOLE.fullmatch(top.text) and _WHOLE.fullmatch(bottom.text) and int(bottom.text)):
        raise reader.wrong("a fraction is of two whole numbers, the second not 0", _POWER, bottom)
    return sign * Fraction(int(top.text), int(bottom.text))


# --- conditions ---


def _conditions(reader: _Reader) -> Conditions:
    found, role = Conditions(), ""
    while True:
        if reader.next.text in ("fixed", "tuned"):
            role = reader.take().text
        found = _condition(reader, found, role)
        if not reader.takes(","):
            return found


def _condition(reader: _Reader, found: Conditions, role: str) -> Conditions:
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


def _value_or_path(reader: _Reader, found: Conditions, name: str, token: Token) -> Conditions:
    """NAME = a number, or a power of the budget."""
    if reader.next.kind == "number":
        value = _value(reader)
        if name == "beta" and "alpha" in found.fixed:
            raise reader.wrong("alpha = 1 - beta has one condition", "one of the two after @", token)
        fixed = {"alpha": 1 - value} if name == "beta" else {name: value}
        return replace(found, fixed={**found.fixed, **fixed})
    budget = reader.take()
    if name == "beta" or budget.text not in BUDGETS:
        raise reader.wrong(f"{name} is held at a number, or follows the budget", "b=1072, or b = T^1/2", budget)
    return replace(found, path={**found.path, name: (budget.text, _power(reader))})


def _value(reader: _Reader) -> Fraction:
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
