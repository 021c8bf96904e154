"""Numbers that are expressions of constants, 1 - c and sqrt(1 + c): by value, as text and as LaTeX."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from fractions import Fraction
from typing import Any

from hpgrid.formula.node import Node
from hpgrid.text import exponent_text, name_latex, power


class Quantity(str):
    """The name of a number that follows from others: its expression as text, by which it is ordered and compared."""

    root: Node

    def __new__(cls, root: Node) -> Quantity:
        """Return the name of an expression."""
        made = super().__new__(cls, written(root))
        made.root = root
        return made

    def __reduce__(self) -> Any:
        return Quantity, (self.root,)


def in_product(name: str) -> str:
    """Return a name as it stands in a product: a sum, 1 - delta say, in parentheses."""
    compound = name.root.kind in ("sum", "product", "power") if isinstance(name, Quantity) else " " in name
    return f"({name})" if compound else name


def product_text(number: str, powers: Iterable[tuple[str, Fraction]]) -> str:
    """Return a number times powers as text, without what is 1: 2*C1*(1 - delta)*eta^-2."""
    factors = [power(in_product(name), exponent) for name, exponent in powers if exponent]
    return "*".join([number] * (number != "1") + factors) or "1"


def names_in(name: str) -> frozenset[str]:
    """Return the names of constants and variables that a name's value follows from: its own, but for a quantity."""
    if not isinstance(name, Quantity):
        return frozenset((name,))
    return frozenset(name.root.constants()) | name.root.variables()


def worth(name: str, values: Mapping[str, Any]) -> Any:
    """Return the value of a name, given those of constants and variables: a number, or an array as those are."""
    if not isinstance(name, Quantity):
        return values[name]
    from hpgrid.formula.values import value_of  # NumPy loads with the first of them

    return value_of(name.root, values)


def is_positive(root: Node, tops: Mapping[str, float] | None = None) -> bool:
    """Return whether an expression is known to be no less than 0, whatever its names are worth.

    Args:
        root: the expression.
        tops: the largest values of names; all are above 0.
    """
    parts = [(sign, is_positive(part, tops)) for sign, part in root.parts]
    if root.kind == "number":
        return root.number > 0
    if root.kind in ("name", "variable", "complement", "exp"):
        return True
    if root.kind == "sum":
        taken = math.fsum(_most(part, tops or {}) for sign, part in root.parts if sign < 0)
        given = math.fsum(float(part.number) for sign, part in root.parts if sign > 0 and part.kind == "number")
        return all(positive for sign, positive in parts if sign > 0) and (given >= taken if taken else True)
    if root.kind == "log":  # of 1 and more
        inner = root.parts[0][1]
        return is_positive(inner, tops) and any(part.kind == "number" and part.number >= 1 for _, part in inner.parts)
    return all(positive for _, positive in parts[: 1 if root.kind == "power" else None])


def _most(root: Node, tops: Mapping[str, float]) -> float:
    """The most that an expression of names above 0 can be, as far as that is easily told."""
    if root.kind in ("number", "name", "variable"):
        return float(root.number) if root.kind == "number" else tops.get(str(root.value), math.inf)
    plain = root.kind == "product" and all(sign > 0 for sign, _ in root.parts)
    return (
        math.prod(_most(part, tops) for _, part in root.parts)
        if plain
        else 1.0
        if root.kind == "complement"
        else math.inf
    )


def vanishes(root: Node, zeros: Collection[str]) -> bool:
    """Return whether constants of 0 make an expression nought, whatever its other names are worth."""
    parts = [vanishes(part, zeros) for _, part in root.parts]
    if root.kind in ("number", "name"):
        return root.value == 0 or root.value in zeros
    if root.kind in ("product", "min"):
        return any(parts)
    return bool(parts) and (all(parts) if root.kind in ("sum", "max") else parts[0] and root.kind != "exp")


def written(node: Node, latex: bool = False) -> str:
    """Return an expression as a line of text, or as LaTeX."""

    def part(of: Node, *loose: str) -> str:
        """A part, in parentheses where it is of a kind that binds less."""
        text = written(of, latex)
        signed = of.kind == "sum" or of.kind in loose or (of.kind == "number" and "/" in text and "power" in loose)
        return text if not signed else rf"\left({text}\right)" if latex else f"({text})"

    inner = [of for _, of in node.parts]
    if node.kind == "number":
        return node.text if node.text[:1].isdecimal() or node.text[:1] == "." else exponent_text(node.number)
    if not inner:
        return name_latex(node.text) if latex else node.text
    if node.kind == "sum":
        signs = [" - " if sign < 0 else " + " for sign, _ in node.parts]
        terms = [part(of) if sign < 0 else written(of, latex) for sign, of in node.parts]
        return ("-" if signs[0] == " - " else "") + "".join(map("".join, zip(signs, terms)))[3:]
    if node.kind == "product":
        above, below = ([part(of, "product") for sign, of in node.parts if sign == s] for s in (1, -1))
        times = " " if latex else "*"
        if latex and below:
            return rf"\frac{{{times.join(above) or '1'}}}{{{times.join(below)}}}"
        return "/".join([times.join(above) or "1", *below])
    if node.kind == "power":
        base, power = part(inner[0], "product", "power"), written(inner[1], latex)
        return f"{base}^{{{power}}}" if latex else f"{base}^{power}" if power.isalnum() else f"{base}^({power})"
    called = ", ".join(written(of, latex) for of in inner)
    if latex:
        return rf"\sqrt{{{called}}}" if node.kind == "sqrt" else rf"\{node.kind}\left({called}\right)"
    return f"{node.kind}({called})"
