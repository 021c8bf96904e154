"""A node of an expression's tree, and the rational number that one without variables may be."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from hpgrid.checks import DIGITS, LARGEST, InputError, bad, shortened


@dataclass(frozen=True)
class Node:
    """An expression.

    Attributes:
        kind: "number", "name" (of a constant), "variable", "complement" (1 - the variable that is ``value``), "sum",
            "product", "power" (base, exponent), or a function's name.
        value: the number, or the name.
        parts: what it is made of, each with its sign: -1 for what a sum takes away or a product divides by.
        text: how it was written.
        column: where it begins, from 1 on.
    """

    kind: str
    value: Fraction | str | None = None
    parts: tuple[tuple[int, Node], ...] = ()
    text: str = ""
    column: int = 1

    def walk(self, exponents: bool = True) -> Iterator[Node]:
        """Yield this expression and all that it is made of.

        Args:
            exponents: whether exponents without variables are among it.
        """
        yield self
        for k, (_, part) in enumerate(self.parts):
            if exponents or not (self.kind == "power" and k == 1 and part.is_constant()):
                yield from part.walk(exponents)

    @property
    def number(self) -> Fraction:
        """The value of a number."""
        assert isinstance(self.value, Fraction)
        return self.value

    def complement(self) -> Node | None:
        """Return what 1 - alpha and 1 - beta are, beta and alpha, of any variable; None for anything else."""
        if self.kind != "sum" or [sign for sign, _ in self.parts] != [1, -1]:
            return None
        one, other = (part for _, part in self.parts)
        kinds = {"variable": "complement", "complement": "variable"}
        return replace(other, kind=kinds[other.kind]) if one.value == 1 and other.kind in kinds else None

    def variables(self) -> frozenset[str]:
        """Return the variables that stand in it, by themselves or in a complement."""
        return frozenset(str(node.value) for node in self.walk() if node.kind in ("variable", "complement"))

    def constants(self, exponents: bool = True) -> tuple[str, ...]:
        """Return the names in it that are no variables, in order of their appearance."""
        return tuple(dict.fromkeys(str(node.value) for node in self.walk(exponents) if node.kind == "name"))

    def is_constant(self) -> bool:
        """Return whether no variable stands in it."""
        return not self.variables()


def rational(node: Node, values: Mapping[str, Fraction]) -> Fraction | None:
    """Return an expression of numbers and of constants with values as the fraction it is, or None.

    Raises:
        ValueError: it is too large for an exponent.
    """
    if node.kind == "number":
        return node.number
    if node.kind == "name":
        return values.get(str(node.value))
    if node.kind == "power":
        base, exponent = (rational(part, values) for _, part in node.parts)
        if base is None or exponent is None or exponent.denominator != 1 or (base == 0 and exponent <= 0):
            return None
        if base and abs(exponent) * (math.log(abs(base.numerator)) + math.log(base.denominator)) > DIGITS * math.log(
            10
        ):
            raise at(node.column, f"an exponent lies between -{LARGEST} and {LARGEST}", node.text, "a smaller one")
        return base ** int(exponent)
    if node.kind not in ("sum", "product"):
        return None
    total = Fraction(0 if node.kind == "sum" else 1)
    for sign, part in node.parts:
        value = rational(part, values)
        if value is None or (node.kind == "product" and sign < 0 and value == 0):
            return None
        total = total + sign * value if node.kind == "sum" else total * value**sign
        if max(total.denominator, abs(total.numerator)) >= 10**DIGITS:
            raise at(node.column, f"an exponent lies between -{LARGEST} and {LARGEST}", node.text, "a smaller one")
    return total


def at(column: int, rule: str, given: str, instead: str) -> InputError:
    """Return the error for what stands at a column."""
    return bad(f"column {column}: {rule}", shortened(given), instead)
