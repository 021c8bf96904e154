"""The [parameters] of a figure that is no grid search: of the kind of the shipped ones, in a range, and not too many.

No NumPy: a mistake is answered at once.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from hpgrid.checks import bad, is_number, unknown

#: How many times the numbers of the shipped figure one of one's own may take: minutes become hours.
MOST = 100

#: By name, what a whole number is at least and at most, and any other; what a number is at least, and is below.
_WHOLE = {"seed": (0, 2**63 - 1), **dict.fromkeys(("n", "points", "fine_points"), (2, 10**5)), "halvings": (2, 100)}
_ANY_WHOLE = (1, 10**9)
_BELOW_ONE = ("beta", "shown_beta")
_FROM_ZERO = ("lam",)

#: The lists that have two values, and those that have two or more: what they lead to is fitted, or drawn along.
_PAIRS = ("shape", "sample_shape", "scaling_batches", "scaling_far", "scaling_near")
_AXES = ("K", "alpha")

#: What a number is at least that is a constant, a step size or a target, and at most: beyond, powers of it overflow.
_ENDS = (1e-50, 1e50)


def with_own(shipped: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the shipped parameters with those that are given in their place.

    Args:
        shipped: the shipped ones.
        given: some of them, with values of one's own.

    Raises:
        ValueError: a name that the shipped ones lack, a value of another kind or out of its range, or so many
            numbers that the figure would take hours, or all memory.
    """
    for name, value in given.items():
        if name not in shipped:
            raise unknown("key of [parameters]", name, shipped)
        _check(name, value, shipped[name], f"{name} = {shipped[name]!r}, say")
    size = math.prod(_size(name, value) / _size(name, shipped[name]) for name, value in given.items())
    if size > MOST:
        rule = f"a figure takes at most {MOST} times the numbers of the one as it is shipped, not {size:.3g} times"
        # What is over by itself, or else everything that makes it more.
        more = {name: value for name, value in given.items() if _size(name, value) > _size(name, shipped[name])}
        raise bad(
            rule, more, ", ".join(f"{name} = {shipped[name]!r}"[:60] for name in more) + ", as it is shipped, say"
        )
    return {**shipped, **given}


def _check(name: str, value: Any, like: Any, say: str) -> None:
    """Refuse what is not as the shipped value, a number, a whole number, text, or a list of such, or out of range."""
    if isinstance(like, list):
        if not isinstance(value, list) or not value:
            raise bad(f"{name} is a list", value, say)
        if (name in _PAIRS and len(value) != 2) or (name in _AXES and len(value) < 2):
            raise bad(f"{name} has two values{' or more' if name in _AXES else ''}", value, say)
        for one in value:
            _check(name, one, like[0], say)
        return
    if isinstance(like, str):
        if not isinstance(value, str):
            raise bad(f"{name} is text", value, say)
    elif isinstance(like, int):
        least, most = _WHOLE.get(name, _ANY_WHOLE)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise bad(f"{name} is a whole number from {least} to {most:.3g}", value, say)
    elif not is_number(value):
        raise bad(f"{name} is a finite number", value, say)
    elif name in _BELOW_ONE:
        if not 0 <= value < 1:
            raise bad(f"{name} must satisfy 0 <= beta < 1", value, say)
    elif not (_ENDS[0] <= value <= _ENDS[1] or (name in _FROM_ZERO and value == 0)):
        below = "0, or from" if name in _FROM_ZERO else "from"
        raise bad(f"{name} is {below} {_ENDS[0]:g} to {_ENDS[1]:g}", value, say)


def _size(name: str, value: Any) -> float:
    """How many numbers a parameter stands for: a shape's entries, a count, the sum of several; a list's length."""
    if name.endswith("shape") and isinstance(value, list):
        return float(math.prod(value))
    if isinstance(value, list):
        return sum(_size(name, one) for one in value)
    if isinstance(value, int) and name not in ("seed", "shown_b"):
        return float(value)
    sides = value.split("x") if isinstance(value, str) and "shape" in name else []
    return float(math.prod(int(side) for side in sides)) if sides and all(s.isdecimal() for s in sides) else 1.0
