"""Claims as a person writes them, ``LEFT ~ RIGHT @ CONDITIONS``, read without evaluating anything.

    claim     = product ("~" | "=") product ["@" condition ("," condition)*]
                on the left "risk - E" is what is left of the risk without a constant term; a budget on the left and
                the risk on the right, "T ~ risk^-4", is "risk ~ T^-1/4", read the other way round
    product   = factor (["*" | "/"] factor)*            from left to right: C2/C1 b is (C2/C1) b
    factor    = (name | number | "log" name | "(" product ")") ["^" exponent]
    exponent  = one rational number, in parentheses or not: 2, -1/3, (2/3), 0.25
    condition = ("fixed" | "tuned") name (", " name)* | name ("fixed" | "tuned") | name "=" number
                | name "=" budget "^" exponent | name "<=" number | name "->" "0"

T^1/2 is T^(1/2), and C1^1/2/b is C1^(1/2)/b; T^1/2/3 could be two things and is refused, as log T^2 is. That is why
claims have a reader of their own beside that of ``formula``: there T**1/2 is T/2, and a product has its *.

Nothing here loads NumPy: a claim that can't be read is answered at once.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

from hpgrid.checks import DIGITS, LARGEST, UNITS, InputError, bad, is_exponent, unknown
from hpgrid.variables import STANDARD, Space

#: What a condition may say of a hyperparameter in a word.
_ROLES = ("fixed", "tuned")

#: The longest claim, in characters, and how deep its parentheses may be nested.
LONGEST, _DEEPEST = 400, 4

#: How much of a claim an error shows before and after the place it is about.
_SHOWN = 30

_TOKEN = re.compile(
    r"(?P<number>([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?)"
    r"|(?P<name>[A-Za-z_][A-Za-z_0-9]*)"
    r"|(?P<mark><=|->|[~=^*/()@,+-])|(?P<space>[ \t]+)|(?P<nothing>.|\n)"
)

#: A number in a product or an exponent: not 1e9, and short enough to stay what was written.
_NUMBER = re.compile(r"[0-9]{1,30}(\.[0-9]{0,30})?|\.[0-9]{1,30}")

#: What a float can hold: 1e999999999 as a fraction has a billion digits.
_VALUE = re.compile(r"(?=.{1,30}$)[0-9.]+([eE][+-]?0*([0-2]?[0-9]?[0-9]|300))?")
_POWER = "T^1/2, T^-3/4, T^(2/3) or T^0.25: after ^ comes one rational number"
_ONE = Fraction(1)

#: A monomial as it is written: the exponents of names, of "log T", and of numbers by their digits, since how many
#: there are says how far 0.315 may be off. What cancels stays, with 0: it was named.
Powers = Mapping[str, Fraction]


@dataclass(frozen=True)
class Statement:
    """A scaling law as it was stated, before any bound is known."""

    left: Powers  # the monomial that the law is of
    right: Powers  # the monomial that it is said to follow
    exact: bool = False  # whether its constant is stated too: = in place of ~
    tuned: tuple[str, ...] | None = None  # what is tuned, or None where nothing is said of that
    # what is held, a budget too: at a number, or at None where that is left open
    fixed: Mapping[str, Fraction | None] = field(default_factory=dict)
    path: Mapping[str, tuple[str, Fraction]] = field(default_factory=dict)  # what follows a power of a budget
    caps: Mapping[str, Fraction] = field(default_factory=dict)  # largest values
    small: tuple[str, ...] = ()  # what is held, and tends to 0 once the budget has gone to infinity
    less: str = ""  # the constant term that the risk on the left is without
    source: str = field(default="", compare=False)  # what was written
    columns: Mapping[str, int] = field(default_factory=dict, compare=False)  # where a name was first written, from 0

    @property
    def number(self) -> Fraction | float:
        """The constant that is stated, beside what is named: a fraction, but for decimals and roots."""
        numbers = _numbers(self.right)
        # 3/2 stays exact: what is written as a decimal is rounded anyway.
        if all(power.denominator == 1 and text.isdigit() for text, power in numbers.items()):
            return math.prod((Fraction(text) ** int(p) for text, p in numbers.items()), start=_ONE)
        return math.exp(_log(numbers))

    @property
    def rounding(self) -> float:
        """By what share the constant may be off for being written in decimals: half the last digit of each."""
        decimals = {text: (text.partition(".")[2], p) for text, p in _numbers(self.right).items() if "." in text}
        halves = {text: 0.5 * 10.0 ** -len(digits) / float(Fraction(text)) for text, (digits, _) in decimals.items()}
        return math.fsum(abs(float(p)) * halves[text] for text, (_, p) in decimals.items())


def times(own: Powers, other: Powers, power: Fraction = _ONE) -> dict[str, Fraction]:
    """Return a monomial times a power of another."""
    return {s: own.get(s, Fraction(0)) + power * other.get(s, Fraction(0)) for s in {**own, **other}}


def _numbers(powers: Powers) -> dict[str, Fraction]:
    return {symbol: p for symbol, p in powers.items() if symbol[0] in ".0123456789"}


def _log(numbers: Powers) -> float:
    return math.fsum(float(p) * math.log(Fraction(text)) for text, p in numbers.items())


def wrong(source: str, column: int, rule: str, instead: str) -> InputError:
    """Return the error for a mistake at a column of a claim: the columns that a person sees begin at 1."""
    return bad(f"{rule} (column {column + 1})", _around(source, column), instead)


def unknown_name(source: str, column: int, kind: str, name: str, known: Iterable[str]) -> InputError:
    """Return the error for a name that means nothing at a column of a claim: it names the nearest."""
    return InputError(f"claim {_around(source, column)!r}, column {column + 1}: {unknown(kind, name[:_SHOWN], known)}")


def _around(source: str, column: int) -> str:
    first, last = max(0, column - _SHOWN), column + _SHOWN
    return f"{'...' if first else ''}{source[first:last]}{'...' if last < len(source) else ''}"


def parse(source: str, space: Space = STANDARD) -> Statement:
    """Return what a claim says.

    Args:
        source: the claim.
        space: the variables of the bound that it is about.

    Raises:
        ValueError: it can't be read; the message has the column.
    """
    reader = _Reader(source, space)
    left = reader.left()
    target = reader.budget_alone(left)
    sign = reader.take()
    if sign.text not in ("~", "="):
        raise reader.wrong("a claim is LEFT ~ RIGHT, or LEFT = RIGHT with a constant", "b ~ T^1/2, say", sign)
    right = reader.right(sign.text == "=", target)
    if target and right.get("risk"):  # T^a ~ risk^p X is risk ~ (T^a/X)^(1/p)
        power = right["risk"]
        rest = {name: -p / power for name, p in right.items() if name != "risk"}
        left, right = {"risk": _ONE}, {target: left[target] / power, **rest}
    if reader.takes("@"):
        reader.conditions()
    if reader.next.kind != "end":
        raise reader.wrong(f"{reader.next.text!r} has no place here", "a condition after @: b ~ T^1/2 @ fixed alpha")
    conditions = (reader.tuned, reader.fixed, reader.path, reader.caps, reader.small)
    return Statement(left, right, sign.text == "=", *conditions, reader.less, source, reader.columns)


class _Token(NamedTuple):
    """A number, a name, a mark, or the end, and the column it begins at, from 0."""

    kind: str
    text: str
    column: int


class _Reader:
    """A place in the tokens of a claim, and what was read of its names and conditions."""

    def __init__(self, source: str, space: Space) -> None:
        if not source.strip():
            raise bad("a claim says what follows what", source[:_SHOWN], "b ~ T^1/2, say")
        if len(source) > LONGEST:
            raise wrong(source, LONGEST, f"a claim has at most {LONGEST} characters", "a shorter one")
        tokens = [_Token(str(match.lastgroup), match.group(), match.start()) for match in _TOKEN.finditer(source)]
        for kind, text, column in tokens:
            if kind == "nothing":
                raise wrong(source, column, f"{text!r} has no place in a claim", "b ~ T^1/2, say")
        end = _Token("end", "the end", len(source))  # twice: one token further is looked at
        self.tokens = [*(token for token in tokens if token.kind != "space"), end, end]
        self.source, self.space, self.place, self.depth = source, space, 0, 0
        self.columns: dict[str, int] = {}
        self.tuned: tuple[str, ...] | None = None
        self.fixed: dict[str, Fraction | None] = {}
        self.path: dict[str, tuple[str, Fraction]] = {}
        self.caps: dict[str, Fraction] = {}
        self.small: tuple[str, ...] = ()
        self.less, self.on_left = "", True

    @property
    def next(self) -> _Token:
        return self.tokens[self.place]

    def take(self) -> _Token:
        token = self.next
        self.place = min(self.place + 1, len(self.tokens) - 2)
        return token

    def takes(self, mark: str) -> bool:
        """Go past the next token if it is a mark."""
        if self.next.kind == "mark" and self.next.text == mark:
            self.take()
            return True
        return False

    def wrong(self, rule: str, instead: str, at: _Token | None = None) -> InputError:
        return wrong(self.source, (at or self.next).column, rule, instead)

    def left(self) -> Powers:
        left = self.product()
        names = [symbol for symbol in left if symbol.isidentifier()]
        for name in names:
            if name not in (known := ("risk", *self.space.names)):
                raise unknown_name(self.source, self.columns[name], "quantity on the left", name, known)
        if len(names) < len(left):
            rule = "on the left stand the risk and hyperparameters, without numbers and logarithms"
            raise wrong(self.source, 0, rule, "b ~ T^1/2, say: the rest on the right")
        return left

    def budget_alone(self, left: Powers) -> str:
        """The budget that stands on the left by itself, of a claim of what a risk takes; "" where none does."""
        names = [name for name, power in left.items() if power]
        return names[0] if len(names) == 1 and names[0] in self.space.budget_names else ""

    def right(self, exact: bool, target: str = "") -> Powers:
        first, self.on_left = self.next, False
        right = dict(self.product())
        if target and "eps" in right and "risk" not in right:  # what a risk to reach is called
            self.columns["risk"] = self.columns.pop("eps")
            right = {"risk" if name == "eps" else name: p for name, p in right.items()}
        if target and right.get("risk"):
            if exact or any(symbol.startswith("log ") for symbol in right):
                raise self.wrong("a claim of what a risk takes is of powers alone", f"{target} ~ risk^-4, say", first)
            if _numbers(right):
                raise self.wrong("~ leaves the constant open", "no number in it", first)
            return right
        numbers = _numbers(right)
        if numbers == {"1": _ONE}:  # 1 and 1/T state no constant
            return right if exact else {symbol: p for symbol, p in right.items() if symbol != "1"}
        if numbers and not exact:
            raise self.wrong("~ leaves the constant open", "= for a law with its constant, or no number", first)
        if exact and any(symbol.startswith("log ") for symbol in right):
            raise self.wrong("a law with a logarithm settles too slowly for its constant", "~ in place of =", first)
        if "risk" in right:
            raise wrong(self.source, self.columns["risk"], "the risk stands on the left", "risk ~ T^-1/4, say")
        return right

    def product(self) -> Powers:
        total = self.factor({}, _ONE)
        while True:
            if self.takes("/"):
                total = self.factor(total, -_ONE)
            elif self.takes("*") or self.next.kind in ("name", "number") or self.next.text == "(":
                total = self.factor(total, _ONE)
            else:
                return total

    def factor(self, total: Powers, sign: Fraction) -> Powers:
        """A product times its next factor."""
        token = self.take()
        base: Powers
        if token.kind == "name" and token.text == "log":
            opened, budget = self.takes("("), self.take()
            if budget.text not in self.space.budget_names:
                raise self.wrong(f"a logarithm is one of the budget, not of {budget.text!r}", "log T", budget)
            if opened and not self.takes(")"):
                raise self.wrong("a logarithm is one of the budget alone", "log T, and powers of it as (log T)^2")
            base = {f"log {budget.text}": _ONE}
            if self.next.text == "^":
                raise self.wrong("log T^2 could be two things", "(log T)^2", token)
        elif token.kind == "name":
            if token.text in self.space.complements:
                name = self.space.complements[token.text]
                raise self.wrong(f"claims are about {name} = 1 - {token.text}", name, token)
            self.columns.setdefault(token.text, token.column)
            if token.text == "risk" and self.on_left and self.takes("-"):
                taken = self.take()
                if taken.kind != "name":
                    raise self.wrong("what is taken from the risk is a constant of the bound", "risk - E, say", taken)
                self.less = taken.text
            base = {token.text: _ONE}
        elif token.kind == "number":
            if not _NUMBER.fullmatch(token.text) or not Fraction(token.text):
                raise self.wrong("a number is positive and has at most 30 digits, without an e", "0.315, say", token)
            base = {token.text: _ONE}
        elif token.text == "(":
            base = self.within(token)
        else:
            what = "nothing" if token.kind == "end" else repr(token.text)
            raise self.wrong(f"a name, a number or ( comes here, not {what}", "b ~ T^1/2, say", token)
        product = times(total, base, sign * self.power())
        if not all(map(is_exponent, product.values())):
            rule = f"an exponent lies between -{LARGEST} and {LARGEST}, its denominator below 1e{DIGITS}"
            raise self.wrong(rule, "T^1/2, say", token)
        if abs(_log(_numbers(product))) > 300:  # a float holds what it comes to, and what is divided out of it
            raise self.wrong("a constant lies between 1e-130 and 1e130", "0.315, say", token)
        return product

    def within(self, opening: _Token) -> Powers:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise self.wrong(f"parentheses are nested at most {_DEEPEST} deep", "the product multiplied out", opening)
        product = self.product()
        if not self.takes(")"):
            raise self.wrong("this parenthesis is never closed", "(T/log T)^(2/3), say", opening)
        self.depth -= 1
        return product

    def power(self) -> Fraction:
        """The power that follows a factor: 1 where there is no ^."""
        hat = self.next
        if not self.takes("^"):
            return _ONE
        opened = self.takes("(")
        exponent = self.rational(hat)
        if opened and not self.takes(")"):
            raise self.wrong("after ^( comes one rational number and )", _POWER, hat)
        # In T^1/2 3 the last number may be a factor or belong to the exponent.
        following = self.tokens[self.place + (self.next.text == "/")]
        if following.kind == "number" and not opened:
            raise self.wrong("two numbers after ^ could be two things", "parentheses: T^(1/2)", following)
        if self.next.text == "^":
            raise self.wrong("a factor has one power", "parentheses: (T^2)^(1/3)")
        return exponent

    def rational(self, hat: _Token) -> Fraction:
        """One rational number: what is after / belongs to it where it is a number."""
        sign = -1 if self.takes("-") else 1
        if sign == 1:
            self.takes("+")
        top = self.take()
        if top.kind != "number" or not _NUMBER.fullmatch(top.text):
            raise self.wrong("the exponent is a rational number of at most 30 digits, without an e", _POWER, hat)
        # In C1^1/b the / divides by b: it belongs to the exponent before a number alone.
        if self.next.text != "/" or self.tokens[self.place + 1].kind != "number":
            return sign * Fraction(top.text)
        self.take()
        bottom = self.take()
        whole = all(each.text.isdigit() and _NUMBER.fullmatch(each.text) for each in (top, bottom))
        if not whole or not int(bottom.text):
            raise self.wrong("a fraction is of two whole numbers, the second not 0", _POWER, bottom)
        return sign * Fraction(int(top.text), int(bottom.text))

    def conditions(self) -> None:
        role = ""
        while True:
            if self.next.text in _ROLES:  # it holds for the names that follow, too
                role = self.take().text
                self.condition(role)
            else:
                behind = self.tokens[self.place + 1].text in _ROLES  # b tuned: of b alone
                self.condition(self.tokens.pop(self.place + 1).text if behind else role)
            if not self.takes(","):
                return

    def condition(self, role: str) -> None:
        token = self.take()
        space, name = self.space, token.text
        known, complement = tuple(dict.fromkeys((*space.words, *space.names))), space.complements.get(name)
        if token.kind != "name":
            raise self.wrong(f"a hyperparameter has a name, not {name!r}", f"{known[0]}, say", token)
        if name not in known:
            raise unknown_name(self.source, token.column, "hyperparameter", name, known)
        if name in space.budget_names:
            if role != "fixed" or self.next.text not in (",", "the end"):
                raise self.wrong(f"all that a condition can say of {name} is that it is fixed", f"fixed {name}", token)
            self.fixed[name] = None
        elif name in (*self.fixed, *self.path, *self.caps, *(self.tuned or ()), *self.small):
            raise self.wrong(f"{name} has one condition", f"{name} once after @", token)
        elif self.takes("="):
            start = self.next
            if start.kind == "number":
                value = self.value(name)
                if complement in self.fixed:
                    raise self.wrong(f"{complement} = 1 - {name} has one condition", "one of the two after @", token)
                if complement and value >= 1:
                    raise self.wrong(f"{name} is below 1", f"{name}=0.999, say", start)
                # As a fraction: 1 - 0.999 is 1/1000, which floats miss in the last digits.
                self.fixed |= {complement: 1 - value} if complement else {name: value}
            elif complement or self.take().text not in space.budget_names:
                raise self.wrong(f"{name} is held at a number, or follows the budget", "b=1072, or b = T^1/2", start)
            else:
                self.path[name] = (start.text, self.power())
        elif complement:
            rule = f"{name} is held at a number, or {complement} stands in its place"
            raise self.wrong(rule, f"fixed {name}=0.999", token)
        elif self.takes("<="):
            self.caps[name] = self.value(name)
        elif self.takes("->"):
            if self.take().text != "0":
                raise self.wrong("what tends anywhere tends to 0", f"{name} -> 0", token)
            self.small = (*self.small, name)
        elif role == "tuned":
            self.tuned = (*(self.tuned or ()), name)
        elif role == "fixed":
            self.fixed[name] = None
        else:
            instead = f"fixed {name}, tuned {name}, {name} = T^1/2 or {name} <= 1e6"
            raise self.wrong(f"nothing is said of {name}", instead, token)

    def value(self, name: str) -> Fraction:
        """A positive number: 1072, 1e-3, 1/3; of a batch size 512k or 4Mi, too."""
        parts = [self.take()]
        if self.takes("/"):
            parts.append(self.take())
        held = all(token.kind == "number" and _VALUE.fullmatch(token.text) for token in parts)
        top, *bottom = [Fraction(token.text) for token in parts] if held else [Fraction(0)]
        if not top or not all(bottom):
            raise self.wrong("a value is a positive number", "1072, 1e-3 or 1/3", parts[0])
        sized = name in self.space.all and self.space.all[name].sized  # a complement is a share
        unit = UNITS[self.take().text] if sized and self.next.text in UNITS else 1
        return unit * top / math.prod(bottom, start=_ONE)
