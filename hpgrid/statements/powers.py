"""What stands after ^ in a claim: one rational number."""

from __future__ import annotations

import re
from fractions import Fraction

from hpgrid.statements.tokens import Reader, Token

_WHOLE = re.compile(r"[0-9]{1,6}")


_DECIMAL = re.compile(r"[0-9]{1,6}(\.[0-9]{0,6})?|\.[0-9]{1,6}")


_POWER = "T^1/2, T^-3/4, T^(2/3) or T^0.25: after ^ comes one rational number"


def power(reader: Reader) -> Fraction:
    """The power that follows a factor: 1 where there is no ^."""
    if not reader.takes("^"):
        return Fraction(1)
    hat = reader.tokens[reader.place - 1]
    opened = reader.takes("(")
    found = _rational(reader, hat)
    if opened and not reader.takes(")"):
        raise reader.wrong("after ^( comes one rational number and )", _POWER, hat)
    following = reader.after(1 if reader.next.text == "/" else 0)
    if following.kind == "number" and not opened:
        raise reader.wrong("two numbers after ^ could be two things", "parentheses: T^(1/2)", following)
    if reader.next.text == "^":
        raise reader.wrong("a factor has one power", "parentheses: (T^2)^(1/3)")
    return found


def _rational(reader: Reader, hat: Token) -> Fraction:
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
