"""The value of an expression, for NumPy and for JAX, to the last digits where it is 1 and something small."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from functools import reduce

import numpy as np

from hpgrid.formula.node import Node, rational
from hpgrid.shapes import AnyArray as Array, array_namespace

#: The name under which a function with kinks finds how sharp they are, where refinement rounds them off: max(x, y)
#: as (x^p + y^p)^(1/p). Without it they are as sharp as they are.
SHARPNESS = "sharpness of kinks"


def value_of(root: Node, at: Mapping[str, Array]) -> Array:
    """Return the value of an expression of names with values, numbers or arrays; NaN or inf where it has none."""
    with np.errstate(all="ignore"):
        value = evaluated(root, {name: np.float64(x) if isinstance(x, (int, float)) else x for name, x in at.items()})
    return float(value) if isinstance(value, (float, np.floating)) else value


def evaluated(node: Node, at: Mapping[str, Array]) -> Array:
    """Return the value of an expression, elementwise, in the arithmetic of its arrays."""
    if node.kind == "number":
        return float(node.number)
    if node.kind in ("name", "variable"):
        return at[str(node.value)]
    if node.kind == "complement":
        return 1.0 - at[str(node.value)]
    if node.kind == "sum":
        return _sum(node, at)
    if node.kind == "product":
        first, *others = ((sign, evaluated(part, at)) for sign, part in node.parts)
        start = first[1] if first[0] > 0 else 1.0 / first[1]
        return reduce(lambda x, other: x * other[1] if other[0] > 0 else x / other[1], others, start)
    if node.kind == "power":
        return _power(node.parts[0][1], node.parts[1][1], at)
    return _called(node, at)


def _sum(node: Node, at: Mapping[str, Array]) -> Array:
    """A sum, and where it is 1 less a power or an exponential, what is left of 1 to the last digits."""
    other = node.complement()
    if other is not None and other.kind == "variable":
        return at[str(other.value)]
    one, last = node.parts[0][1], node.parts[-1][1]
    if [sign for sign, _ in node.parts] == [1, -1] and one.value == 1 and last.kind in ("power", "exp"):
        inner = [part for _, part in last.parts]
        power = evaluated(inner[0], at) if last.kind == "exp" else evaluated(inner[1], at) * _log(inner[0], at)
        return -array_namespace(power, *at.values()).expm1(power)
    return reduce(operator.add, (sign * evaluated(part, at) for sign, part in node.parts))


def _power(base: Node, exponent: Node, at: Mapping[str, Array]) -> Array:
    exact = rational(exponent, {})
    if exact is not None:
        x = evaluated(base, at)
        if isinstance(x, float):  # of a plain number, an overflow is inf and a root of what is negative is none
            return float(np.float64(x) ** float(exact))
        return array_namespace(x).sqrt(x) if exact == 0.5 else x ** float(exact)
    # 1 - 1e-17 is 1, and (1 - 1e-17)^K is not.
    power = evaluated(exponent, at) * _log(base, at)
    return array_namespace(power).exp(power)


def _called(node: Node, at: Mapping[str, Array]) -> Array:
    if node.kind == "log":
        return _log(node.parts[0][1], at)
    values = [evaluated(part, at) for _, part in node.parts]
    xp = array_namespace(*values, *at.values())
    if node.kind in ("sqrt", "exp"):
        return getattr(xp, node.kind)(values[0])
    if SHARPNESS not in at:
        return reduce(xp.minimum if node.kind == "min" else xp.maximum, values)
    # (x^p + y^p)^(1/p), or that of the reciprocals, in logs: the largest power is taken out.
    power = at[SHARPNESS] if node.kind == "max" else -at[SHARPNESS]
    logs = [power * xp.log(x) for x in values]
    largest = reduce(xp.maximum, logs)
    rest = reduce(operator.add, (xp.exp(log - largest) for log in logs))
    return xp.exp((largest + xp.log(rest)) / power)


def _log(node: Node, at: Mapping[str, Array]) -> Array:
    """A log, to the last digits where its argument is 1 and something small."""
    if node.kind == "complement":
        return array_namespace(at[str(node.value)]).log1p(-at[str(node.value)])
    ones = [k for k, (sign, part) in enumerate(node.parts) if sign > 0 and part.kind == "number" and part.value == 1]
    if node.kind == "sum" and ones:
        rest = node.parts[: ones[0]] + node.parts[ones[0] + 1 :]
        small = reduce(operator.add, (sign * evaluated(part, at) for sign, part in rest), 0.0)
        return array_namespace(small).log1p(small)
    x = evaluated(node, at)
    return array_namespace(x).log(x)
