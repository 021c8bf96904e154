"""Monomials, exactly: products of powers of numbers, names and sums; as text 2 C1^1/2 C2^-1 b T^-1/2, and as LaTeX."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction

from hpgrid.formula.quantity import Quantity, in_product, names_in, worth, written
from hpgrid.surds import Surd
from hpgrid.text import exponent_text, name_latex
from hpgrid.variables import AXES


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


#: A prime, a constant or a variable by its name, or what has no simpler form.
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
        return _written(self, latex=False)

    def latex(self) -> str:
        """Return the monomial as LaTeX, for use inside a formula."""
        return _written(self, latex=True)

    def symbols(self) -> set[str]:
        """Return the names it contains, those within sums too."""
        names: set[str] = set()
        for symbol, _ in self.powers:
            if isinstance(symbol, Sum):
                names |= set().union(*(term.symbols() for term in symbol.terms))
            elif isinstance(symbol, (str, Complement)):
                names |= names_in(symbol if isinstance(symbol, str) else symbol.name)
        return names

    def is_numeric(self) -> bool:
        """Return whether it holds a number that was computed and has no form."""
        inside = (term for symbol, _ in self.powers if isinstance(symbol, Sum) for term in symbol.terms)
        return any(isinstance(symbol, Real) for symbol, _ in self.powers) or any(term.is_numeric() for term in inside)

    def surd(self) -> Surd:
        """Return the product of its primes."""
        return Surd(tuple((symbol, power) for symbol, power in self.powers if isinstance(symbol, int)))

    def number(self) -> Monomial:
        """Return the number in it: its primes, sums of numbers such as 1 + 2^1/2, and what was computed."""
        return Monomial(tuple(each for each in self.powers if _is_number(each[0])))

    def evaluated(self, values: Mapping[str, float]) -> Monomial:
        """Return it with one number in the place of all that has a value."""
        known = Monomial(tuple(each for each in self.powers if Monomial((each,)).symbols() <= set(values)))
        return self / known * monomial({Real(known.log(values) or 0.0): 1})

    def rational(self) -> Fraction | None:
        """Return the number it is, exactly, or None if it is anything else than a fraction."""
        return self.surd().rational() if all(isinstance(symbol, int) for symbol, _ in self.powers) else None

    def value(self, values: Mapping[str, float]) -> float | None:
        """Return its value, or None where a name has none."""
        if not self.symbols() <= set(values):
            return None
        forms = [(symbol, power) for symbol, power in self.powers if not isinstance(symbol, int)]
        with suppress(OverflowError):
            value = math.prod((_value(s, values) ** float(p) for s, p in forms), start=float(self.surd()))
            if 0.0 < value < math.inf:
                return value
        with suppress(OverflowError):  # 1e200 times 1e200 over 1e300 is a float, though a part of it is none
            return math.exp(self.log(values) or 0.0)
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


def number(value: Surd | Fraction | int) -> Monomial:
    """Return a positive number, factored, so that a root of it stays exact."""
    return Monomial(Surd.of(value).powers)


def power(name: str, exponent: Fraction | int = 1) -> Monomial:
    """Return a power of a named constant or variable."""
    return monomial({name: exponent})


def add(terms: Iterable[Monomial]) -> Monomial:
    """Return a sum: common factors in front, like terms gathered.

    C3 + C3/alpha is C3 alpha^-1 (1 + alpha); 7/2 L + 2 L/alpha is 1/2 L alpha^-1 (4 + 7 alpha).
    """
    totals: dict[Monomial, Fraction] = {}
    for term in terms:
        # Whole powers of numbers are added up; a root stays with its term: 2^1/2 + 2^1/2 is 2^3/2.
        factor = monomial({s: math.floor(p) for s, p in term.powers if isinstance(s, int)})
        totals[term / factor] = totals.get(term / factor, Fraction(0)) + (factor.rational() or 0)
    gathered = [rest * number(size) for rest, size in totals.items()]
    if len(gathered) == 1:
        return gathered[0]
    powers = [dict(term.powers) for term in gathered]
    symbols = {symbol for each in powers for symbol in each}
    # The smallest power of each symbol, 0 where a term lacks it, divides them all.
    common = monomial({s: min(each.get(s, Fraction(0)) for each in powers) for s in symbols})

    def degree(term: Monomial) -> tuple[Fraction | int, float, str]:
        """Constants before alpha before alpha^2, and 1 before 2^1/2."""
        size = term.log({}) if term.number() == term else None
        return sum(p for s, p in term.powers if not isinstance(s, int)), size or 0.0, repr(term)

    return common * monomial({Sum(tuple(sorted((term / common for term in gathered), key=degree))): 1})


def _order(entry: tuple[Symbol, Fraction]) -> tuple[int, int, str]:
    """Numbers, then names, then the rest, each in its own order."""
    symbol = entry[0]
    if isinstance(symbol, int):
        return 0, symbol, ""
    return (1, 0, symbol) if isinstance(symbol, str) else (2, 0, repr(symbol))


def _is_number(symbol: Symbol) -> bool:
    """Whether a symbol is a number, of whatever form."""
    if isinstance(symbol, Quantity):
        return not names_in(symbol)
    return isinstance(symbol, (int, Real)) or (isinstance(symbol, Sum) and all(t.number() == t for t in symbol.terms))


def _value(symbol: Symbol, values: Mapping[str, float]) -> float:
    if isinstance(symbol, Sum):
        return math.fsum(term.value(values) or 0.0 for term in symbol.terms)
    if isinstance(symbol, Real):
        return math.exp(symbol.log)
    if isinstance(symbol, Complement):
        return 1.0 - values[symbol.name]
    return float(worth(symbol, values) if isinstance(symbol, str) else symbol)


def _log(symbol: Symbol, values: Mapping[str, float]) -> float:
    if isinstance(symbol, Real):
        return symbol.log
    if isinstance(symbol, Sum):
        logs = [term.log(values) or 0.0 for term in symbol.terms]
        top = max(logs)
        return top + math.log(math.fsum(math.exp(log - top) for log in logs))
    number = symbol if isinstance(symbol, int) else _value(symbol, values)
    return math.log(number) if number else -math.inf


def _decimal(log: float, latex: bool) -> str:
    r"""A number in six digits, by its logarithm, as text or as LaTeX: 2.82843, 1e-07, 1 \times 10^{-7}."""
    places = math.floor(log / math.log(10))
    far = abs(places) > 300  # where no float holds it
    text = f"{10 ** (log / math.log(10) - places):.6g}e{places:+03d}" if far else f"{math.exp(log):.6g}"
    digits, _, power_of_ten = text.partition("e")
    return rf"{digits} \times 10^{{{int(power_of_ten)}}}" if latex and power_of_ten else text


def symbol_text(symbol: Symbol, latex: bool = False) -> str:
    """Return a symbol as text, or as LaTeX; a sum without brackets."""
    if isinstance(symbol, Sum):
        return " + ".join(_written(term, latex) for term in symbol.terms)
    if isinstance(symbol, Complement):
        return f"1 - {symbol_text(symbol.name, latex)}"
    if isinstance(symbol, Real):
        return _decimal(symbol.log, latex)
    if isinstance(symbol, Quantity):
        return written(symbol.root, latex)
    return name_latex(symbol) if latex and isinstance(symbol, str) else str(symbol)


def _raised(symbol: Symbol | Fraction, exponent: Fraction, latex: bool) -> str:
    if isinstance(symbol, Fraction):
        above, below = symbol.as_integer_ratio()
        base = rf"\frac{{{above}}}{{{below}}}" if latex and below != 1 else str(symbol)
    else:
        base = symbol_text(symbol, latex)
    of_parts = isinstance(symbol, str) and in_product(symbol) != symbol
    if (
        of_parts
        or isinstance(symbol, (Sum, Complement))
        or (exponent != 1 and isinstance(symbol, Fraction) and below != 1)
    ):
        base = rf"\left({base}\right)" if latex else f"({base})"
    power = exponent_text(exponent)
    return base if exponent == 1 else f"{base}^{{{power}}}" if latex else f"{base}^{power}"


#: A root of a higher order is written in digits: an exponent that was fitted, 0.34781923, makes such roots.
_LARGEST_DENOMINATOR = 1000


def _written(coefficient: Monomial, latex: bool) -> str:
    """A monomial: numbers, constants, those below the line last, sums, variables."""

    def order(entry: tuple[Symbol, Fraction]) -> tuple[int, int, str]:
        symbol, exponent = entry
        if not isinstance(symbol, str):
            return 1, 0, ""
        return (2, AXES.index(symbol), "") if symbol in AXES else (0, int(exponent < 0), symbol)

    parts = coefficient.surd().parts()
    numbers = [_raised(base, p, latex) for base, p in parts]
    if any(p.denominator > _LARGEST_DENOMINATOR for _, p in parts):
        numbers = [_decimal(Monomial(coefficient.surd().powers).log({}) or 0.0, latex)]
    numbers += [_raised(s, p, latex) for s, p in coefficient.number().powers if not isinstance(s, int)]
    whole = [(r" \cdot " if latex else " * ").join(numbers)] if numbers else []
    named = sorted((entry for entry in coefficient.powers if not _is_number(entry[0])), key=order)
    return " ".join([*whole, *(_raised(s, p, latex) for s, p in named)]) or "1"


def quotient(powers: Mapping[str, Fraction], star: str = "", latex: bool = False) -> str:
    """Return a product of variables as a quotient, as text or as LaTeX: eta/b, b eta^2/alpha; each with a star."""

    def side(sign: int) -> list[str]:
        entries = [((name_latex(v) if latex else v) + star, sign * p) for v, p in powers.items() if sign * p > 0]
        return [v if p == 1 else f"{{{v}}}^{{{p}}}" if latex else f"{v}^{p}" for v, p in entries]

    above, below = " ".join(side(1)) or "1", side(-1)
    return above + (f"/({' '.join(below)})" if len(below) > 1 else f"/{below[0]}" if below else "")
