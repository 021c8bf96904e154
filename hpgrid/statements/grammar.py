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
from dataclasses import replace
from fractions import Fraction

from hpgrid.checks import TUNABLE
from hpgrid.statements.conditions import conditions
from hpgrid.statements.powers import power
from hpgrid.statements.statement import Conditions, Product, Statement
from hpgrid.statements.tokens import BUDGETS, Reader, Token, unknown_name, wrong

#: What a claim may be of.
LEFT = ("risk", *TUNABLE, "T", "K")


#: How deep parentheses may be nested.
_DEEPEST = 4


#: A number in a product: not 1e9, and short enough to stay what was written.
_NUMBER = re.compile(r"[0-9]{1,30}(\.[0-9]{0,30})?|\.[0-9]{1,30}")


#: The largest exponent, after all parentheses are multiplied out.
_LARGEST = 1000


_ONE = Fraction(1)


def parse(source: str) -> Statement:
    """Return what a claim says.

    Raises:
        ValueError: it can't be read; the message has the column.
    """
    reader = Reader(source)
    left = _left(reader)
    sign = reader.take()
    if sign.text not in ("~", "="):
        raise reader.wrong("a claim is LEFT ~ RIGHT, or LEFT = RIGHT with a constant", "b ~ T^1/2, say", sign)
    exact = sign.text == "="
    right = _right(reader, exact)
    told = conditions(reader) if reader.takes("@") else Conditions()
    if reader.next.kind != "end":
        raise reader.wrong(f"{reader.next.text!r} has no place here", "a condition after @: b ~ T^1/2 @ fixed alpha")
    return Statement(left, right, exact, told, source, reader.columns)


# --- products ---
def _left(reader: Reader) -> Product:
    left = _product(reader)
    for name in left.powers:
        if name not in LEFT:
            raise unknown_name(reader.source, reader.columns[name], "quantity on the left", name, LEFT)
    if left.logs or left.numbers:
        rule = "on the left stand the risk and hyperparameters, without numbers and logarithms"
        raise wrong(reader.source, 0, rule, "b ~ T^1/2, say: the rest on the right")
    return left


def _right(reader: Reader, exact: bool) -> Product:
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


def _product(reader: Reader) -> Product:
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


def _factor(reader: Reader, total: Product, sign: Fraction) -> Product:
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
    product = total.times(base, sign * power(reader))
    _check_size(reader, product, token)
    return product


def _named(reader: Reader, token: Token) -> Product:
    if token.text == "beta":
        raise reader.wrong("claims are about alpha = 1 - beta", "alpha", token)
    reader.columns.setdefault(token.text, token.column)
    return Product({token.text: _ONE})


def _logarithm(reader: Reader) -> Product:
    opened = reader.takes("(")
    token = reader.take()
    if token.text not in BUDGETS:
        raise reader.wrong(f"a logarithm is one of the budget, not of {token.text!r}", "log T", token)
    if opened and not reader.takes(")"):
        raise reader.wrong("a logarithm is one of the budget alone", "log T, and powers of it as (log T)^2")
    return Product(logs={token.text: _ONE})


def _number(reader: Reader, token: Token) -> Product:
    if not _NUMBER.fullmatch(token.text) or not Fraction(token.text):
        raise reader.wrong("a number is positive and has at most 30 digits, without an e", "0.315, say", token)
    return Product(numbers={token.text: _ONE})


def _within(reader: Reader, opening: Token) -> Product:
    reader.depth += 1
    if reader.depth > _DEEPEST:
        raise reader.wrong(f"parentheses are nested at most {_DEEPEST} deep", "the product multiplied out", opening)
    product = _product(reader)
    if not reader.takes(")"):
        raise reader.wrong("this parenthesis is never closed", "(T/log T)^(2/3), say", opening)
    reader.depth -= 1
    return product


def _check_size(reader: Reader, product: Product, token: Token) -> None:
    powers = (*product.powers.values(), *product.logs.values(), *product.numbers.values())
    if any(abs(p) > _LARGEST or p.denominator > _LARGEST for p in powers):
        raise reader.wrong(f"an exponent's numerator and denominator are at most {_LARGEST}", "T^1/2, say", token)
    if abs(sum(float(p) * math.log(Fraction(text)) for text, p in product.numbers.items())) > 300:
        raise reader.wrong("a constant lies between 1e-130 and 1e130", "0.315, say", token)
