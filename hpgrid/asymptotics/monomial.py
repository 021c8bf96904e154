"""Monomials, exactly: products of powers of numbers, names and sums; as text 2 C1^1/2 C2^-1 b T^-1/2, and as LaTeX."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from hpgrid.checks import AXES
from hpgrid.text import name_latex


@dataclass(frozen=True)
class Sum:
    """A sum of monomials without a common factor: one symbol of a monomial."""

    terms: tuple[Monomial, ...]


@dataclass(frozen=True)
class Complement:
    """1 - x of a named x: one symbol of a monomial."""

    name: str


@dataclass(frozen=True)
class Real:
    """A positive number that is known by its logarithm alone: one symbol of a monomial."""

    log: float


#: A whole number (a prime, but for what is left of huge numbers), a constant or a variable by its
#: name, or what has no simpler form.
Symbol = int | str | Sum | Complement | Real


@dataclass(frozen=True)
class Monomial:
    """A product of powers of symbols, in one canonical order: equal products compare equal.

    Args:
        powers: pairs of a symbol and its exponent, as ``monomial`` makes them.
    """

    powers: tuple[tuple[Symbol, Fraction], ...] = ()

    def __mul__(self, other: Monomial) -> Monomial:
        total = dict(self.powers)
        for symbol, exponent in other.powers:
            total[symbol] = total.get(symbol, Fraction(0)) + exponent
        return monomial(total)

    def __pow__(self, exponent: Fraction | int) -> Monomial:
        return monomial({symbol: exponent * power for symbol, power in self.powers})

    def __truediv__(self, other: Monomial) -> Monomial:
        return self * other**-1

    def text(self) -> str:
        """Return the monomial as a line of text: numbers, constants, sums, variables, the budget."""
        return " ".join(_number_text(self) + [_power_text(s, p) for s, p in _named(self)]) or "1"

    def latex(self) -> str:
        """Return the monomial as LaTeX, for use inside a formula."""
        numbers = r" \cdot ".join(_number_latex(self))
        return " ".join([*([numbers] if numbers else []), *(_power_latex(s, p) for s, p in _named(self))]) or "1"

    def symbols(self) -> set[str]:
        """Return the names it contains, those within sums too."""
        names: set[str] = set()
        for symbol, _ in self.powers:
            if isinstance(symbol, Sum):
                names |= set().union(*(term.symbols() for term in symbol.terms))
            elif isinstance(symbol, (str, Complement)):
                names.add(symbol if isinstance(symbol, str) else symbol.name)
        return names

    def is_numeric(self) -> bool:
        """Return whether it holds a number that was computed and has no form."""
        inside = (term for symbol, _ in self.powers if isinstance(symbol, Sum) for term in symbol.terms)
        return any(isinstance(symbol, Real) for symbol, _ in self.powers) or any(term.is_numeric() for term in inside)

    def rational(self) -> Fraction | None:
        """Return the number it is, exactly, or None if it is anything else than a fraction."""
        if not all(isinstance(symbol, int) and power.denominator == 1 for symbol, power in self.powers):
            return None
        return math.prod((Fraction(s) ** int(p) for s, p in self.powers if isinstance(s, int)), start=Fraction(1))

    def value(self, values: Mapping[str, float]) -> float | None:
        """Return its value, or None where a name has none."""
        if not self.symbols() <= set(values):
            return None
        try:
            return math.prod(_value(symbol, values) ** float(power) for symbol, power in self.powers)
        except OverflowError:
            return math.inf

    def log(self, values: Mapping[str, float]) -> float | None:
        """Return the logarithm of its value, which neither overflows nor underflows, or None."""
        if not self.symbols() <= set(values):
            return None
        return math.fsum(_log(symbol, values) * float(power) for symbol, power in self.powers)


ONE = Monomial()


def monomial(powers: Mapping[Symbol, Fraction | int]) -> Monomial:
    """Return the product of powers of symbols."""
    kept = [(symbol, Fraction(power)) for symbol, power in powers.items() if power]
    return Monomial(tuple(sorted(kept, key=_order)))


def number(value: Fraction | int) -> Monomial:
    """Return a positive fraction, factored, so that a root of it stays exact."""
    fraction = Fraction(value)
    return monomial(_factors(fraction.numerator)) / monomial(_factors(fraction.denominator))


def power(name: str, exponent: Fraction | int = 1) -> Monomial:
    """Return a power of a named constant or variable."""
    return monomial({name: exponent})


def add(terms: Iterable[Monomial]) -> Monomial:
    """Return a sum: common factors in front, like terms gathered.

    C3 + C3/alpha is C3 alpha^-1 (1 + alpha); 7/2 L + 2 L/alpha is 1/2 L alpha^-1 (4 + 7 alpha).
    """
    gathered = _gather(terms)
    if len(gathered) == 1:
        return gathered[0]
    powers = [dict(term.powers) for term in gathered]
    symbols = {symbol for each in powers for symbol in each}
    # The smallest power of each symbol, 0 where a term lacks it, divides them all.
    common = monomial({s: min(each.get(s, Fraction(0)) for each in powers) for s in symbols})
    rests = sorted((term / common for term in gathered), key=_degree)
    return common * monomial({Sum(tuple(rests)): 1})


def _gather(terms: Iterable[Monomial]) -> list[Monomial]:
    """Add the terms that differ by a rational factor alone."""
    totals: dict[Monomial, Fraction] = {}
    for term in terms:
        # Whole powers of numbers are added up; a root stays with its term: 2^1/2 + 2^1/2 is 2^3/2.
        factor = monomial({s: math.floor(p) for s, p in term.powers if isinstance(s, int)})
        size = factor.rational()
        assert size is not None
        totals[term / factor] = totals.get(term / factor, Fraction(0)) + size
    return [rest * number(size) for rest, size in totals.items()]


def _degree(term: Monomial) -> tuple[Fraction, str]:
    """Constants before alpha before alpha^2."""
    return sum((p for s, p in term.powers if not isinstance(s, int)), Fraction(0)), repr(term)


def _order(entry: tuple[Symbol, Fraction]) -> tuple[int, int, str]:
    """Numbers, then names, then the rest, each in its own order."""
    symbol = entry[0]
    if isinstance(symbol, int):
        return 0, symbol, ""
    return (1, 0, symbol) if isinstance(symbol, str) else (2, 0, repr(symbol))


#: Beyond it, what is left of a number counts as prime: 0.1 as a float has a factor of 16 digits.
_LARGEST_DIVISOR = 1000


def _factors(whole: int) -> dict[Symbol, int]:
    primes: dict[Symbol, int] = {}
    divisor = 2
    while divisor * divisor <= whole and divisor <= _LARGEST_DIVISOR:
        while whole % divisor == 0:
            primes[divisor] = primes.get(divisor, 0) + 1
            whole //= divisor
        divisor += 1
    return primes if whole == 1 else {**primes, whole: primes.get(whole, 0) + 1}


def _value(symbol: Symbol, values: Mapping[str, float]) -> float:
    if isinstance(symbol, Sum):
        return math.fsum(term.value(values) or 0.0 for term in symbol.terms)
    if isinstance(symbol, Real):
        return math.exp(symbol.log)
    if isinstance(symbol, Complement):
        return 1.0 - values[symbol.name]
    return float(values[symbol] if isinstance(symbol, str) else symbol)


def _log(symbol: Symbol, values: Mapping[str, float]) -> float:
    if isinstance(symbol, Real):
        return symbol.log
    if isinstance(symbol, Sum):
        logs = [term.log(values) or 0.0 for term in symbol.terms]
        top = max(logs)
        return top + math.log(math.fsum(math.exp(log - top) for log in logs))
    return math.log(symbol) if isinstance(symbol, int) else math.log(_value(symbol, values))


def symbol_text(symbol: Symbol) -> str:
    """Return a symbol as text, a sum without brackets."""
    if isinstance(symbol, Sum):
        return " + ".join(term.text() for term in symbol.terms)
    if isinstance(symbol, Complement):
        return f"1 - {symbol.name}"
    return f"{monomial({symbol: 1}).value({}):.6g}" if isinstance(symbol, Real) else str(symbol)


def quotient_text(powers: Mapping[str, Fraction], star: str = "") -> str:
    """Return a product of variables as a quotient: eta/b, b eta^2/alpha."""
    return _quotient(powers, lambda name: name + star, "{}^{}")


def quotient_latex(powers: Mapping[str, Fraction], star: str = "") -> str:
    """Return a product of variables as a quotient, in LaTeX."""
    return _quotient(powers, lambda name: name_latex(name) + star, "{{{}}}^{{{}}}")


def _quotient(powers: Mapping[str, Fraction], name: Callable[[str], str], form: str) -> str:
    def side(sign: int) -> list[str]:
        entries = [(name(v), sign * p) for v, p in powers.items() if sign * p > 0]
        return [v if p == 1 else form.format(v, p) for v, p in entries]

    above, below = " ".join(side(1)) or "1", side(-1)
    return above + (f"/({' '.join(below)})" if len(below) > 1 else f"/{below[0]}" if below else "")


def _named(coefficient: Monomial) -> Sequence[tuple[Symbol, Fraction]]:
    """What is no number: constants, those below the line last; then sums; then variables."""

    def order(entry: tuple[Symbol, Fraction]) -> tuple[int, int, str]:
        symbol, exponent = entry
        if not isinstance(symbol, str):
            return 1, 0, ""
        return (2, AXES.index(symbol), "") if symbol in AXES else (0, int(exponent < 0), symbol)

    return sorted((entry for entry in coefficient.powers if not isinstance(entry[0], int)), key=order)


def _split(coefficient: Monomial) -> tuple[Fraction, list[tuple[int, Fraction]]]:
    """The rational part of the number, and the roots: 2^3/2 stays as it is."""
    powers = [(s, p) for s, p in coefficient.powers if isinstance(s, int)]
    rational = monomial({s: p for s, p in powers if p.denominator == 1}).rational()
    return rational or Fraction(1), [(s, p) for s, p in powers if p.denominator != 1]


def _number_text(coefficient: Monomial) -> list[str]:
    rational, roots = _split(coefficient)
    return ([str(rational)] if rational != 1 else []) + [f"{s}^{p}" for s, p in roots]


def _number_latex(coefficient: Monomial) -> list[str]:
    rational, roots = _split(coefficient)
    whole = rational.denominator == 1
    fraction = str(rational) if whole else rf"\frac{{{rational.numerator}}}{{{rational.denominator}}}"
    return ([fraction] if rational != 1 else []) + [f"{s}^{{{p}}}" for s, p in roots]


def _power_text(symbol: Symbol, exponent: Fraction) -> str:
    body = symbol_text(symbol)
    base = f"({body})" if isinstance(symbol, (Sum, Complement)) else body
    return base if exponent == 1 else f"{base}^{exponent}"


def _power_latex(symbol: Symbol, exponent: Fraction) -> str:
    if isinstance(symbol, Sum):
        base = r"\left(" + " + ".join(term.latex() for term in symbol.terms) + r"\right)"
    elif isinstance(symbol, Complement):
        base = rf"\left(1 - {name_latex(symbol.name)}\right)"
    else:
        base = name_latex(symbol) if isinstance(symbol, str) else symbol_text(symbol)
    return base if exponent == 1 else f"{base}^{{{exponent}}}"
