"""Formulas, coefficients and laws as JavaScript: expressions in constants, ``c``, and variables, ``v``."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction

from hpgrid.asymptotics.monomial import Complement, Monomial, Real, Sum, Symbol
from hpgrid.formula.node import Node, rational
from hpgrid.formula.quantity import Quantity
from hpgrid.formula.syntax import Inequality
from hpgrid.term import Term
from hpgrid.variables import Space


def number(value: float | Fraction) -> str:
    """Return a number with all of its digits."""
    size = float(value)
    text = repr(size) if math.isfinite(size) else "Infinity" if size > 0 else "-Infinity"
    return f"({text})" if size < 0 else text


def raised(base: str, exponent: Fraction | int | float) -> str:
    """Return a power; roots and reciprocals are rounded once, as hpgrid's are."""
    special = {1: base, -1: f"(1 / {base})", Fraction(1, 2): f"Math.sqrt({base})"}
    return special.get(exponent) or f"Math.pow({base}, {number(exponent)})"


def names(space: Space, budget: str, constants: Mapping[str, float]) -> dict[str, str]:
    """Return what each name of a formula is: a constant, a variable, or another budget by what joins the two."""
    found = {name: f"c.{name}" for name in constants}
    found |= {name: f"v.{name}" for name in (*space.hyperparameters, budget)}
    for other in space.joined(budget):
        if other == budget:
            continue
        text = f"v.{budget}"
        for relation, sign in space.exchange(other, budget):
            products = (
                " * ".join([number(size), *(raised(x if x.isdigit() else found[x], e) for x, e in powers)])
                for powers, size in relation.factor
            )
            text = f"({text} {'*' if sign > 0 else '/'} ({' + '.join(products)}))"
        found[other] = text
    return found


def expression(node: Node, known: Mapping[str, str]) -> str:
    """Return an expression, to the last digits where it is 1 and something small, as ``evaluated`` has it."""
    parts = [(sign, expression(part, known)) for sign, part in node.parts]
    inner = [part for _, part in node.parts]
    if node.kind == "number":
        return number(node.number)
    if node.kind in ("name", "variable"):
        return known[str(node.value)]
    if node.kind == "complement":
        return f"(1 - {known[str(node.value)]})"
    if node.kind == "sum":
        other = node.complement()
        if other is not None and other.kind == "variable":
            return known[str(other.value)]
        signs, last = [sign for sign, _ in node.parts], inner[-1]
        if signs == [1, -1] and inner[0].value == 1 and last.kind in ("power", "exp"):
            of = [part for _, part in last.parts]
            exponent = expression(of[-1], known)
            return f"(-Math.expm1({exponent if last.kind == 'exp' else f'{exponent} * {_log(of[0], known)}'}))"
        return f"({' '.join(('- ' if sign < 0 else '+ ') + text for sign, text in parts)})"
    if node.kind == "product":
        first, *others = parts
        start = first[1] if first[0] > 0 else f"1 / {first[1]}"
        return f"({' '.join([start, *(('* ' if sign > 0 else '/ ') + text for sign, text in others)])})"
    if node.kind == "power":
        exact = rational(inner[1], {})
        return raised(parts[0][1], exact) if exact is not None else f"Math.exp({parts[1][1]} * {_log(inner[0], known)})"
    if node.kind == "log":
        return _log(inner[0], known)
    return f"Math.{node.kind}({', '.join(text for _, text in parts)})"


def _log(node: Node, known: Mapping[str, str]) -> str:
    if node.kind == "complement":
        return f"Math.log1p(-{known[str(node.value)]})"
    ones = [k for k, (sign, part) in enumerate(node.parts) if sign > 0 and part.kind == "number" and part.value == 1]
    if node.kind == "sum" and ones:
        rest = node.parts[: ones[0]] + node.parts[ones[0] + 1 :]
        return f"Math.log1p({' '.join(('- ' if sign < 0 else '+ ') + expression(part, known) for sign, part in rest)})"
    return f"Math.log({expression(node, known)})"


def condition(inequality: Inequality, known: Mapping[str, str]) -> str:
    """Return where an inequality holds."""
    low, high = (expression(side, known) for side in (inequality.low, inequality.high))
    return f"{low} {'<' if inequality.strict else '<='} {high}"


def coefficient(term: Term, known: Mapping[str, str]) -> str:
    """Return a term's coefficient."""
    powers = (raised(_worth(name, known), exponent) for name, exponent in term.constants.items())
    return " * ".join([number(float(term.number)), *powers])


def _worth(name: str, known: Mapping[str, str]) -> str:
    return expression(name.root, known) if isinstance(name, Quantity) else known[name]


def monomial(of: Monomial, known: Mapping[str, str]) -> str:
    """Return a law's monomial."""
    powers = (raised(_symbol(symbol, known), power) for symbol, power in of.powers if not isinstance(symbol, int))
    return " * ".join([number(float(of.surd())), *powers])


def _symbol(symbol: Symbol, known: Mapping[str, str]) -> str:
    if isinstance(symbol, Sum):
        return f"({' + '.join(monomial(term, known) for term in symbol.terms)})"
    if isinstance(symbol, Complement):
        return f"(1 - {_worth(symbol.name, known)})"
    assert not isinstance(symbol, int)  # those are in ``surd``
    return f"Math.exp({number(symbol.log)})" if isinstance(symbol, Real) else _worth(symbol, known)
