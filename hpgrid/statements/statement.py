"""What a stated claim says, before any bound is known: plain data, and its text."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction


@dataclass(frozen=True)
class Product:
    """A product of powers.

    Attributes:
        powers: the exponents of names; one that cancels stays, with 0: it was named.
        logs: the exponents of logarithms, by the name under each.
        numbers: the exponents of numbers, by how each was written.
    """

    powers: Mapping[str, Fraction] = field(default_factory=dict)
    logs: Mapping[str, Fraction] = field(default_factory=dict)
    numbers: Mapping[str, Fraction] = field(default_factory=dict)

    def times(self, other: Product, power: Fraction) -> Product:
        """Return this product times a power of another."""
        pairs = ((self.powers, other.powers), (self.logs, other.logs), (self.numbers, other.numbers))
        return Product(*(_sum(own, theirs, power) for own, theirs in pairs))

    def value(self) -> Fraction | float:
        """Return the value of its numbers: a fraction, but for decimals and roots."""
        if all(power.denominator == 1 and text.isdigit() for text, power in self.numbers.items()):
            return math.prod((Fraction(text) ** int(p) for text, p in self.numbers.items()), start=Fraction(1))
        return math.exp(math.fsum(float(p) * math.log(Fraction(text)) for text, p in self.numbers.items()))

    def rounding(self) -> float:
        """Return by what share a number may be off for being written as a decimal: half its last digit."""
        return sum(abs(float(power)) * _half_digit(text) for text, power in self.numbers.items())

    def text(self) -> str:
        """Return it as text that reads back as the same product."""
        numbers = [text if p == 1 else f"{text}^({p})" for text, p in self.numbers.items()]
        names = [*_factors(self.powers, "{}"), *_factors(self.logs, "(log {})")]
        return " ".join(numbers + names) or "1"


@dataclass(frozen=True)
class Conditions:
    """What stands after @.

    Attributes:
        tuned: what is tuned, or None where nothing is said of that.
        fixed: what is held, a budget too: at a number, or at None where that is left open.
        path: what follows the budget, and its exponent.
        caps: largest values.
        small: what is held, and tends to 0 once the budget has gone to infinity.
    """

    tuned: tuple[str, ...] | None = None
    fixed: Mapping[str, Fraction | None] = field(default_factory=dict)
    path: Mapping[str, tuple[str, Fraction]] = field(default_factory=dict)
    caps: Mapping[str, Fraction] = field(default_factory=dict)
    small: tuple[str, ...] = ()

    def text(self) -> str:
        """Return them as text that reads back as the same conditions."""
        parts = [f"fixed {name}" + ("" if x is None else f"={x}") for name, x in self.fixed.items()]
        parts += [f"{name} -> 0" for name in self.small]
        parts += [f"{name} = {budget}^{p}" for name, (budget, p) in self.path.items()]
        parts += [f"{name} <= {x}" for name, x in self.caps.items()]
        parts += [f"tuned {', '.join(self.tuned)}"] if self.tuned is not None else []
        return ", ".join(parts)


@dataclass(frozen=True)
class Statement:
    """A law as it was stated.

    Attributes:
        left: what the law is of.
        right: what it is said to follow.
        exact: whether its constant is stated too: = in place of ~.
        conditions: what stands after @.
        source: what was written.
        columns: where a name was first written, from 0.
    """

    left: Product
    right: Product
    exact: bool = False
    conditions: Conditions = Conditions()
    source: str = field(default="", compare=False)
    columns: Mapping[str, int] = field(default_factory=dict, compare=False)

    def text(self) -> str:
        """Return it as text that reads back as the same statement."""
        said = f"{self.left.text()} {'=' if self.exact else '~'} {self.right.text()}"
        conditions = self.conditions.text()
        return f"{said} @ {conditions}" if conditions else said


def _sum(own: Mapping[str, Fraction], theirs: Mapping[str, Fraction], power: Fraction) -> dict[str, Fraction]:
    names = dict.fromkeys([*own, *theirs])
    return {name: own.get(name, Fraction(0)) + power * theirs.get(name, Fraction(0)) for name in names}


def _half_digit(text: str) -> float:
    """Half a unit in the last digit of a decimal, over its value; whole numbers and fractions are exact."""
    _, dot, decimals = text.partition(".")
    return 0.5 * 10.0 ** -len(decimals) / float(Fraction(text)) if dot else 0.0


def _factors(powers: Mapping[str, Fraction], form: str) -> list[str]:
    return [form.format(name) + ("" if p == 1 else f"^{p}") for name, p in powers.items()]
