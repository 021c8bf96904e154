"""Monomials as text and as LaTeX: 2 C1^1/2 C2^-1 b T^-1/2."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction

from hpgrid.asymptotics.monomial import Complement, Monomial, Real, Sum, Symbol, monomial
from hpgrid.checks import AXES
from hpgrid.text import name_latex


def text(coefficient: Monomial) -> str:
    """Return a monomial as a line of text: numbers, constants, sums, variables, the budget."""
    return " ".join(_number_text(coefficient) + [_power_text(s, p) for s, p in _named(coefficient)]) or "1"


def latex(coefficient: Monomial) -> str:
    """Return a monomial as LaTeX, for use inside a formula."""
    numbers = r" \cdot ".join(_number_latex(coefficient))
    return " ".join([*([numbers] if numbers else []), *(_power_latex(s, p) for s, p in _named(coefficient))]) or "1"


def symbol_text(symbol: Symbol) -> str:
    """Return a symbol as text, a sum without brackets."""
    if isinstance(symbol, Sum):
        return " + ".join(text(term) for term in symbol.terms)
    if isinstance(symbol, Complement):
        return f"1 - {symbol.name}"
    return f"{monomial({symbol: 1}).value({}):.6g}" if isinstance(symbol, Real) else str(symbol)


def monomial_text(powers: Mapping[str, Fraction], star: str = "") -> str:
    """Return a product of variables as a quotient: eta/b, b eta^2/alpha."""
    return _quotient(powers, lambda name: name + star, "{}^{}")


def monomial_latex(powers: Mapping[str, Fraction], star: str = "") -> str:
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
        base = r"\left(" + " + ".join(latex(term) for term in symbol.terms) + r"\right)"
    elif isinstance(symbol, Complement):
        base = rf"\left(1 - {name_latex(symbol.name)}\right)"
    else:
        base = name_latex(symbol) if isinstance(symbol, str) else symbol_text(symbol)
    return base if exponent == 1 else f"{base}^{{{exponent}}}"
