"""An expression as a function of arrays, for NumPy and for JAX, and whether it is convex in the logs."""

from __future__ import annotations

import math
import operator
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

import numpy as np

from hpgrid.formula.node import Node, at as wrong_at, rational
from hpgrid.formula.powers import sides
from hpgrid.formula.quantity import vanishes, worth
from hpgrid.formula.syntax import Inequality
from hpgrid.formula.values import evaluated
from hpgrid.shapes import AnyArray as Array, array_namespace
from hpgrid.variables import STANDARD, Space, exchanged


@dataclass(frozen=True)
class Formula:
    """A bound's expression as a risk function; equal ones compare equal, so that each compiles once.

    Args:
        root: the expression, its exponents numbers.
        budget: what the last argument before the constants is; of several that the expression names, the first.
        space: the variables.
    """

    root: Node
    budget: str
    space: Space = STANDARD

    def __call__(self, *values: Any) -> Array:
        """Return the risk at hyperparameters, a budget, constants; NaN or inf outside the bound's domain."""
        at = _all_budgets(self.root.variables(), named(values, self.space, self.budget), self.space)
        with np.errstate(all="ignore"):
            return evaluated(self.root, at)

    def without(self, name: str) -> Formula | None:
        """Return the function without a term that is one constant alone; None where it has none."""
        parts = tuple(
            (sign, part) for sign, part in self.root.parts if (sign, part.kind, part.value) != (1, "name", name)
        )
        if self.root.kind != "sum" or not parts or len(parts) == len(self.root.parts):
            return None
        return replace(
            self, root=parts[0][1] if len(parts) == 1 and parts[0][0] > 0 else replace(self.root, parts=parts)
        )


def named(values: Sequence[Any], space: Space, budget: str) -> dict[str, Any]:
    """Return the arguments of a risk function by name: hyperparameters, the budget, and the constants, a mapping."""
    *numbers, constants = values
    return {**constants, **dict(zip((*space.hyperparameters, budget), numbers))}


def holds(condition: Inequality, at: Mapping[str, Array]) -> Array:
    """Return where a condition holds, elementwise; where a side has no value it does not.

    Args:
        condition: the inequality.
        at: by name the constants, the variables, and one budget at least; others follow by what joins them.
    """
    there = _all_budgets(condition.named(), at, condition.space)
    with np.errstate(all="ignore"):
        low, high = (evaluated(side, there) for side in (condition.low, condition.high))
        return low < high if condition.strict else low <= high


def excess(condition: Inequality, at: Mapping[str, Array]) -> Array:
    """Return by how much a condition is off, elementwise: the log of its smaller side over the other; <= 0 inside.

    Of sides that are no sums of powers, their difference.
    """
    both, at = sides(condition), _all_budgets(condition.named(), at, condition.space)
    with np.errstate(all="ignore"):
        if both is None:
            return evaluated(condition.low, at) - evaluated(condition.high, at)
        logs = []
        for total in both:
            products = (
                reduce(
                    operator.mul, (_base(name, at, condition.space) ** float(e) for name, e in powers), float(number)
                )
                for powers, number in total.items()
            )
            logs.append(reduce(operator.add, products))
        xp = array_namespace(*logs)
        return xp.log(logs[0]) - xp.log(logs[1])


def _base(name: str, at: Mapping[str, Array], space: Space) -> Array:
    if name.isdigit():
        return float(name)
    return 1.0 - at[space.complements[name]] if name in space.complements else worth(name, at)


def _all_budgets(names: Collection[str], at: Mapping[str, Array], space: Space) -> Mapping[str, Array]:
    """The values with every budget that is named: K = T/b, or T = K b, where only the other is there."""
    lacking = [name for name in space.budget_names if name in names and name not in at]
    here = next((name for name in space.budget_names if name in at), "")
    return {**at, **{name: exchanged(space, name, here, at) for name in lacking}} if lacking else at


def check_divisors(root: Node, zeros: Collection[str]) -> None:
    """Refuse an expression that divides by what constants of 0 make nought.

    Args:
        root: the expression.
        zeros: the constants that are 0.

    Raises:
        ValueError: where.
    """

    for node in root.walk():
        exponent = rational(node.parts[1][1], {}) if node.kind == "power" else None
        below = [part for sign, part in node.parts if sign < 0] if node.kind == "product" else []
        below += [node.parts[0][1]] if exponent is not None and exponent < 0 else []
        for divisor in below:
            if vanishes(divisor, zeros):
                named = ", ".join(f"{name}=0" for name in divisor.constants() if name in zeros)
                raise wrong_at(
                    divisor.column, f"what is divided by is not 0, and {divisor.text} is", named, "other values"
                )


def check_numbers(root: Node) -> None:
    """Refuse an expression with a part that numbers alone make infinite, undefined, or nought by underflow.

    Raises:
        ValueError: 1/0, 0**0, log(0), exp(1000) and their like, and the column where it stands.
    """
    for part in (part for _, part in root.parts):
        check_numbers(part)
    if not root.parts or root.variables() or root.constants():
        return
    try:
        with np.errstate(all="ignore"):
            value = float(evaluated(root, {}))
        known = math.isfinite(value) and (value != 0 or root.kind not in ("exp", "power"))
    except ZeroDivisionError:
        known = False
    if not known or (root.kind == "power" and all(rational(part, {}) == 0 for _, part in root.parts)):
        rule = "a part without a name in it is a number between 1e-308 and 1e308"
        raise wrong_at(root.column, rule, root.text, "a constant of its own, or another number")


def with_exponents(node: Node, values: Mapping[str, Any], inside: bool = False) -> Node:
    """Return an expression with numbers in place of the constants in its exponents."""
    if node.kind == "name" and inside and str(node.value) in values:
        return replace(node, kind="number", value=values[str(node.value)])
    parts = tuple(
        (sign, with_exponents(part, values, inside or (node.kind == "power" and k == 1)))
        for k, (sign, part) in enumerate(node.parts)
    )
    return replace(node, parts=parts)


#: How the log of an expression is curved in the logs of its variables.
_STRAIGHT, _CONVEX, _UNKNOWN = range(3)


def log_convex(root: Node) -> bool:
    """Return whether an expression is convex in the logs: what descends to a minimum, or a kink, is then the least."""
    return _curved(root) <= _CONVEX


def _curved(node: Node) -> int:
    if node.kind in ("number", "name", "variable", "complement"):
        return _UNKNOWN if node.kind == "complement" or (node.kind == "number" and node.number <= 0) else _STRAIGHT
    parts = [(sign, _curved(part)) for sign, part in node.parts]
    worst = max(curved for _, curved in parts)
    if node.kind == "product":
        return _UNKNOWN if any(sign < 0 and curved != _STRAIGHT for sign, curved in parts) else worst
    if node.kind == "power":
        exponent = rational(node.parts[1][1], {})
        base = parts[0][1]
        return base if exponent is not None and (base == _STRAIGHT or exponent >= 0) else _UNKNOWN
    if node.kind == "sqrt" or (node.kind == "sum" and len(parts) == 1 and parts[0][0] > 0):
        return worst
    plain = node.kind in ("max", "exp") or (node.kind == "sum" and all(sign > 0 for sign, _ in parts))
    return max(worst, _CONVEX) if plain else _UNKNOWN
