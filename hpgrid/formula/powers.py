"""From an expression to a sum of powers with exact rational exponents, or what stands in the way."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache, reduce

from hpgrid.checks import DIGITS, LARGEST, bad, is_exponent, shortened
from hpgrid.formula.node import Node, at, rational
from hpgrid.formula.quantity import Quantity, is_positive, product_text
from hpgrid.formula.syntax import Inequality, sum_of
from hpgrid.surds import Surd
from hpgrid.variables import STANDARD, Space

#: The most terms that an expression is multiplied out to.
MOST_TERMS = 120

ONE = Fraction(1)

#: A product of powers: symbols and their exponents, none of which is 0. A prime is a symbol, too, by its digits, under
#: a root: its exponent lies between 0 and 1, what is whole of it is in the coefficient.
Powers = tuple[tuple[str, Fraction], ...]

#: A sum of them, each with its number.
Sum = dict[Powers, Fraction]


class Obstacle(Exception):
    """An expression is no sum of powers: which part of it, and why."""

    def __init__(self, node: Node | None, why: str, of_constants: bool = False) -> None:
        self.of_constants = of_constants
        super().__init__(f"column {node.column}: {shortened(node.text)} {why}" if node else why)


def expand(
    root: Node,
    exponents: Mapping[str, Fraction],
    space: Space = STANDARD,
    budget: str | None = None,
    moving: Collection[str] | None = None,
) -> Sum:
    """Return an expression as a sum of powers with positive numbers, in order of their appearance.

    1 - alpha, which is beta, is multiplied out, and what is left where that makes a term negative.

    Args:
        root: the expression.
        exponents: the values of constants that stand in exponents.
        space: its variables.
        budget: that which others are replaced by; they stay where there is none.
        moving: the variables of which it is a sum of powers; what depends on none of them is a number, whatever its
            form: a ``Quantity`` where it has no powers. All of them where None, and then each number has.

    Raises:
        Obstacle: it is no such sum.
    """
    # beta as 1 - alpha, so that 1/(1 - beta) is 1/alpha and 1 - beta never a difference.
    total = Expander(exponents, space, budget, False, moving).total(root)
    if any(number < 0 for number in total.values()):
        total = Expander(exponents, space, budget, True, moving).total(root)
        check_signs(total, space)
    if not total:
        raise at(root.column, "nothing is left of this bound: its terms cancel", root.text, "terms that do not")
    return total


def check_signs(total: Sum, space: Space) -> None:
    """Refuse a sum that takes a term away, or has a power of 1 - alpha in it.

    Raises:
        Obstacle: it does.
    """
    for powers, number in total.items():
        if number < 0:
            raise Obstacle(
                None, f"{product_text(str(-number), powers)} is taken away, so that this is no sum of powers"
            )
    for powers, number in total.items():
        named = dict(powers)
        for complement, name in space.complements.items():
            if complement in named and (named[complement] != 1 or name in named):
                raise Obstacle(None, f"{product_text(str(number), powers)} is no power of {name}")


@lru_cache(maxsize=256)
def sides(condition: Inequality) -> tuple[Sum, Sum] | None:
    """Return an inequality's sides, the smaller one first, as sums of powers with positive numbers, or None.

    What is taken away stands on the other side: 1 - eta*L/2 > 0 is eta*L/2 < 1.

    Raises:
        ValueError: it holds always, or never, whatever its names are worth.
    """
    space, difference = condition.space, Node("sum", None, ((1, condition.low), (-1, condition.high)), condition.text)
    budget = home(condition.named(), space)
    try:
        total = Expander({}, space, budget, False).sum(difference)
    except Obstacle:
        try:
            total = Expander({}, space, budget, False, space.names).total(difference)
        except Obstacle:
            return None
        # Of what side a number stands on that may be negative is known with its constants alone.
        if not all(is_positive(n.root) for powers in total for n, _ in powers if isinstance(n, Quantity)):
            return None
    low, high = ({p: sign * x for p, x in total.items() if sign * x > 0} for sign in (1, -1))
    if not (low and high):
        never = bool(low) or (condition.strict and not high)
        rule = f"a condition that {'never' if never else 'always'} holds is none"
        raise bad(rule, condition.text, "another one" if never else "none, or another one")
    return low, high


def home(names: Collection[str], space: Space) -> str | None:
    """Return the budget that an expression of several is written in, the first of them; None where it names but one."""
    budgets = [name for name in space.budget_names if name in names]
    return budgets[0] if len(budgets) > 1 else None


@dataclass(frozen=True)
class Expander:
    """Multiplies out.

    Args:
        exponents: the values of constants that stand in exponents.
        space: the variables.
        budget: what other budgets are replaced by, K by T/b say; None where they stay.
        complements: whether 1 - alpha stays a symbol, beta, or is multiplied out.
        moving: the variables of which powers are asked for; what depends on none of them is a number. None: all are.
    """

    exponents: Mapping[str, Fraction]
    space: Space
    budget: str | None
    complements: bool
    moving: Collection[str] | None = None

    def total(self, root: Node) -> Sum:
        """Return an expression as a sum of powers, its terms' numbers of either sign."""
        return self.sum(root) if self.moving is None else self.gathered(self.sum(root))

    def gathered(self, total: Sum) -> Sum:
        """Return a sum with b - c*b as (1 - c) b: terms of the same powers of what moves, where one is taken away."""
        alike: dict[Powers, list[Powers]] = {}
        for powers in total:
            alike.setdefault(tuple(each for each in powers if self.moves(each[0])), []).append(powers)
        out: Sum = {}
        for moving, terms in alike.items():
            numbers = [total[powers] for powers in terms]
            # A number of any form that is taken away may be negative itself: -log(c).
            alone = len(terms) == 1 and not any(isinstance(name, Quantity) for name, _ in terms[0])
            if alone or min(numbers) > 0:
                out |= zip(terms, numbers)
            else:
                rest = [dict(each for each in powers if each not in moving) for powers in terms]
                named = [name for name in rest[0] if not isinstance(name, Quantity)]
                common = {name: min(each.get(name, Fraction(0)) for each in rest) for name in named}
                left = [[(name, e) for name, x in each.items() if (e := x - common.get(name, 0))] for each in rest]
                quantity = Quantity(sum_of(zip(left, numbers), self.space))
                out[tuple(sorted({**dict(moving), **common, quantity: ONE}.items()))] = ONE
        return out

    def moves(self, name: str) -> bool:
        """Return whether a symbol is a variable that moves, or 1 - it."""
        assert self.moving is not None
        return not isinstance(name, Quantity) and self.space.complements.get(name, name) in self.moving

    def sum(self, node: Node) -> Sum:
        """Return an expression as a sum of powers, each with its number."""
        if self.moving is not None and node.variables().isdisjoint(self.moving):
            return self.number(node)
        try:
            return self.expanded(node)
        except Obstacle as obstacle:
            if node.is_constant() and not obstacle.of_constants:
                raise Obstacle(node, "has no variable in it, and is no power: give it as one constant", True) from None
            raise

    def number(self, node: Node) -> Sum:
        """Return what no variable moves as one product: of powers, if it is one."""
        try:
            total = self.expanded(node)
        except Obstacle:
            total = None
        return {((Quantity(node), ONE),): ONE} if total is None or len(total) > 1 else total

    def expanded(self, node: Node) -> Sum:
        if node.kind == "number":
            return {(): node.number} if node.number else {}
        if node.kind == "name":
            return {((str(node.value), ONE),): ONE}
        if node.kind == "variable":
            return self.variable(str(node.value), node)
        if node.kind == "complement":
            return self.complement(node)
        if node.kind == "sum":
            return self.added(node)
        if node.kind == "product":
            total: Sum = {(): ONE}
            for sign, part in node.parts:
                factor = self.sum(part)
                total = product(total, factor if sign > 0 else self.power(factor, Fraction(-1), part, node), node)
            return total
        if node.kind == "power":
            (_, base), (_, exponent) = node.parts
            whole = self.sum(base)
            power = rational(exponent, self.exponents)
            if power is None:
                raise Obstacle(node, "has no rational exponent")
            if not is_exponent(power):
                rule = f"an exponent lies between -{LARGEST} and {LARGEST}, its denominator below 1e{DIGITS}"
                raise at(exponent.column, rule, exponent.text, "one such as 3/2")
            return self.power(whole, power, base, node)
        if node.kind == "sqrt":
            return self.power(self.sum(node.parts[0][1]), Fraction(1, 2), node.parts[0][1], node)
        raise Obstacle(node, "is no power")

    def variable(self, name: str, node: Node) -> Sum:
        if self.budget is None or name == self.budget or name not in self.space.budget_names:
            return {((name, ONE),): ONE}
        total: Sum = {((self.budget, ONE),): ONE}
        for relation, sign in self.space.exchange(name, self.budget):
            factor = dict(relation.factor)
            total = product(total, factor if sign > 0 else self.power(factor, Fraction(-1), node, node), node)
        return total

    def complement(self, node: Node) -> Sum:
        name = str(node.value)
        if self.moving is not None and name not in self.moving:
            return {((Quantity(node), ONE),): ONE}
        if self.complements:
            return {((str(self.space.complement_of(name)), ONE),): ONE}
        return {(): ONE, ((name, ONE),): -ONE}

    def added(self, node: Node) -> Sum:
        other = node.complement()
        # 1 - beta is alpha, whether it moves or not.
        as_one = self.complements or (self.moving is not None and other is not None and other.kind == "variable")
        if as_one and other is not None and self.space.complement_of(str(other.value)):
            return self.sum(other)
        total: Sum = {}
        for sign, part in node.parts:
            for powers, number in self.sum(part).items():
                total[powers] = total.get(powers, Fraction(0)) + sign * number
        return _gathered(total, node)

    def power(self, base: Sum, exponent: Fraction, node: Node, whole: Node) -> Sum:
        if len(base) == 1:
            ((powers, number),) = base.items()
            return _power(powers, number, exponent, whole)
        if not base:
            raise at(node.column, "a power or a quotient of nought says nothing", node.text, "something that is not 0")
        if exponent.denominator != 1 or not 0 <= exponent <= 20:
            where = "in its denominator" if exponent < 0 else "in it under a root"
            raise Obstacle(whole, f"is no product of powers: a sum stands {where}")
        return reduce(lambda total, _: product(total, base, whole), range(int(exponent)), {(): ONE})


def product(one: Sum, other: Sum, node: Node) -> Sum:
    """Return the product of two sums, multiplied out.

    Raises:
        Obstacle: it has too many terms.
    """
    # Before the work: a power of a sum of powers of sums would take minutes to be refused.
    if len(one) * len(other) > MOST_TERMS**2 // 10:
        raise Obstacle(node, f"has more than {MOST_TERMS} terms")
    total: Sum = {}
    for powers, number in one.items():
        for others, factor in other.items():
            merged = dict(powers)
            for name, exponent in others:
                merged[name] = merged.get(name, Fraction(0)) + exponent
            carried, key = _carried(merged)
            value = total.get(key, Fraction(0)) + number * factor * carried
            # 2^1000 is 1e301: a float holds it, and their quotient.
            if max(value.numerator.bit_length(), value.denominator.bit_length()) > 1000:
                raise at(node.column, "a number lies between 1e-308 and 1e308", node.text, "a smaller one")
            total[key] = value
    return _gathered(total, node)


def _gathered(total: Sum, node: Node) -> Sum:
    if len(total) > MOST_TERMS:
        raise Obstacle(node, f"has more than {MOST_TERMS} terms")
    return {powers: number for powers, number in total.items() if number}


def _power(powers: Powers, number: Fraction, exponent: Fraction, node: Node) -> Sum:
    """A product of powers to a rational power."""
    if number < 0 and exponent.denominator != 1:
        raise Obstacle(node, "is a root of what is negative")
    # e^700 is 1e304.
    if (math.log(abs(number.numerator)) + math.log(number.denominator)) * abs(exponent) > 700:
        raise at(node.column, "a number lies between 1e-308 and 1e308", node.text, "a smaller one")
    raised, value = {name: e * exponent for name, e in powers}, ONE
    if exponent.denominator == 1:
        value = number ** int(exponent)
    else:
        for prime, e in Surd.of(number).powers:
            raised[str(prime)] = raised.get(str(prime), Fraction(0)) + e * exponent
    carried, key = _carried(raised)
    return {key: value * carried}


def _carried(powers: Mapping[str, Fraction]) -> tuple[Fraction, Powers]:
    """Powers in order, the whole part of a prime's exponent carried into the coefficient: 2**(3/2) is 2 2**(1/2)."""
    number, rest = ONE, {}
    for name, exponent in powers.items():
        if name.isdigit():
            whole = math.floor(exponent)
            number *= Fraction(int(name)) ** whole
            exponent -= whole
        if exponent:
            rest[name] = exponent
    return number, tuple(sorted(rest.items()))
