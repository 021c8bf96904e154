"""Generalised posynomials as posynomials in more variables: the transformation of geometric programming.

A maximum is a new variable t that is at least each of its branches, branch/t <= 1; and so is a sum under a root, or to
any other positive power. 1/(m - g), m a product of powers, is at most u where 1/u + g is at most m. What is least in
the new variables, too, is least in the old ones.

Source: Boyd, Kim, Vandenberghe, Hassibi, A tutorial on geometric programming, sections 5 and 7.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import reduce

from hpgrid.formula.node import Node, rational
from hpgrid.formula.powers import ONE, Expander, Obstacle, Powers, Sum, check_signs, product
from hpgrid.formula.quantity import written
from hpgrid.variables import Space


@dataclass(frozen=True)
class Branch:
    """One of what a maximum is the largest of; or a sum that is raised to a power, or stands below a line.

    Attributes:
        of: the new variable that the maximum or the sum is.
        text: how the branch is written.
        total: the branch over that variable, which is at most 1.
    """

    of: str
    text: str
    total: Sum


@dataclass(frozen=True)
class Transformed:
    """A posynomial in old variables and new ones.

    Attributes:
        total: its terms.
        texts: of terms with new variables, how the part of the expression is written that each comes from.
        new: the new variables, by the text of what each is; inner ones first.
        branches: the conditions.
    """

    total: Sum
    texts: Mapping[Powers, str]
    new: tuple[str, ...]
    branches: tuple[Branch, ...]


def transformed(root: Node, space: Space, budget: str | None, moving: Collection[str]) -> Transformed:
    """Return an expression as a posynomial in more variables.

    Args:
        root: the expression, its exponents numbers.
        space: its variables.
        budget: that which others are replaced by; they stay where there is none.
        moving: the variables of which it is a generalised posynomial; what depends on none of them is a number.

    Raises:
        Obstacle: it is none.
    """
    found = _Transformer({}, space, budget, False, moving).transformed(root)
    sums = [found.total, *(branch.total for branch in found.branches)]
    if any(number < 0 for total in sums for number in total.values()):
        found = _Transformer({}, space, budget, True, moving).transformed(root)
        sums = [found.total, *(branch.total for branch in found.branches)]
        for total in sums:
            check_signs(total, space)
    # A maximum is what it is where the bound rises with it: there it is as small as its branches let it be.
    for name in dict.fromkeys(branch.of for branch in found.branches):
        others = [found.total, *(branch.total for branch in found.branches if branch.of != name)]
        if any(dict(powers).get(name, ONE) < 0 for total in others for powers in total):
            way = (
                "is a minimum, and the bound rises" if name.startswith("min(") else "is a maximum, and the bound falls"
            )
            raise Obstacle(None, f"{name} {way} with it")
    return found


@dataclass(frozen=True)
class _Transformer(Expander):
    """Multiplies out, with new variables for maxima, and for sums to a power.

    Args:
        new: the new variables, and the branches of each.
    """

    new: dict[str, list[tuple[str, Sum]]] = field(default_factory=dict)

    def transformed(self, root: Node) -> Transformed:
        parts = root.parts if root.kind == "sum" else ((1, root),)
        texts: dict[Powers, str] = {}
        for _, part in parts:
            for powers in self.sum(part):
                if any(name in self.new for name, _ in powers):
                    texts.setdefault(powers, written(part))
        branches = []
        for name, given in self.new.items():
            over: Sum = {((name, -ONE),): ONE}
            branches += [Branch(name, text, self.gathered(product(total, over, root))) for text, total in given]
        return Transformed(self.total(root), texts, tuple(self.new), tuple(branches))

    def moves(self, name: str) -> bool:
        return name in self.new or super().moves(name)

    def expanded(self, node: Node) -> Sum:
        if node.variables().isdisjoint(self.moving or ()):
            return super().expanded(node)
        if node.kind in ("max", "min"):
            return self.largest(node)
        if node.kind == "product" or _exponent_of(node) is not None:
            return self.raised(node, ONE, node)
        return super().expanded(node)

    def raised(self, node: Node, exponent: Fraction, whole: Node) -> Sum:
        """A power, taken of each factor, and of what is itself raised to one."""
        own = _exponent_of(node)
        if own is not None:
            return self.raised(node.parts[0][1], own * exponent, whole)
        if node.kind != "product" or node.variables().isdisjoint(self.moving or ()):
            return self.power(self.sum(node), exponent, node, whole)
        factors = (self.raised(part, sign * exponent, whole) for sign, part in node.parts)
        return reduce(lambda one, other: product(one, other, whole), factors)

    def largest(self, node: Node) -> Sum:
        """A maximum as a new variable; a minimum is 1 over the maximum of what is 1 over its branches."""
        sign, name = ONE if node.kind == "max" else -ONE, written(node)
        if name not in self.new:
            own = [(part, self.sum(part)) for _, part in node.parts]
            self.new[name] = [(written(part), self.power(x, sign, part, node)) for part, x in own if x or sign < 0]
        return {((name, sign),): ONE}

    def sum(self, node: Node) -> Sum:
        total = super().sum(node)
        return self.leading(total) if any(number < 0 for number in total.values()) else total

    def leading(self, total: Sum) -> Sum:
        """What is left of a sum that the budget alone moves, as it goes to infinity: K of K + 1 and of K - 1.

        What is left out falls beside it whatever is tuned, and has a part in no exponent and no constant.
        """
        names = {name for powers in total for name, _ in powers if self.moves(name)}
        if len(names) != 1 or not names <= {*self.space.budget_names}:
            return total
        (budget,) = names
        most = max(dict(powers).get(budget, Fraction(0)) for powers in total)
        return {powers: x for powers, x in total.items() if dict(powers).get(budget, Fraction(0)) == most}

    def power(self, base: Sum, exponent: Fraction, node: Node, whole: Node) -> Sum:
        if exponent < 0:
            base = self.gathered(self.leading(base))
            above = [powers for powers, number in base.items() if number > 0]
            if len(base) > 1 and len(above) == 1:
                return self.below(base, above[0], -exponent, node, whole)
        if len(base) < 2 or exponent <= 0 or exponent == 1 or min(base.values()) < 0:
            return super().power(base, exponent, node, whole)
        name = written(node)
        self.new[name] = [(name, base)]
        return {((name, exponent),): ONE}

    def below(self, base: Sum, above: Powers, exponent: Fraction, node: Node, whole: Node) -> Sum:
        """A power of 1/(m - g), m a product of powers, as one of a variable u: 1/u + g is at most m."""
        name = f"1/({written(node)})"
        over = super().power({above: base[above]}, -ONE, node, whole)
        taken = {powers: -number for powers, number in base.items() if powers != above}
        own: Sum = {((name, ONE),): ONE}
        self.new[name] = [(name, over | product(product(taken, own, whole), over, whole))]
        return {((name, exponent),): ONE}


def _exponent_of(node: Node) -> Fraction | None:
    """The exponent of a power that has one."""
    return Fraction(1, 2) if node.kind == "sqrt" else rational(node.parts[1][1], {}) if node.kind == "power" else None
