"""The nearest batch size that can be run: at least one unit, under its cap, rounded."""

from __future__ import annotations

import math
from typing import NamedTuple

from hpgrid.checks import bad
from hpgrid.transfers.given import Limits
from hpgrid.transfers.words import as_given, batch


class Batch(NamedTuple):
    """A batch size in tokens, and what was done to it, in words."""

    b: float
    remarks: tuple[str, ...] = ()


def units(b: float, unit: int) -> str:
    """Return a batch size in words: 524288, or 128 sequences."""
    return batch(b / unit) + (" sequences" if unit > 1 else "")


def capped(limits: Limits) -> str:
    """Return the cap on b in words, as it was given; there is one."""
    assert limits.b is not None
    return as_given(limits.b / limits.unit) + (" sequences" if limits.unit > 1 else "")


def feasible(b: float, limits: Limits) -> Batch:
    """Return the nearest batch size that can be run, in tokens.

    Args:
        b: the batch size that is wished for, in tokens, > 0.
        limits: cap, unit and rounding; the rounded batch size is never above the cap.

    Raises:
        ValueError: the cap leaves no batch size at all.
    """
    check_cap(limits)
    remarks, now = [], b
    if now < limits.unit:
        now = float(limits.unit)
        remarks.append(f"b would be {units(b, limits.unit)}, less than one: it stays at 1")
    if limits.b is not None and now > limits.b:
        now = limits.b
        remarks.append(f"b would be {units(b, limits.unit)}: it stays at its cap {capped(limits)}")
    rounded = _rounded(now, limits)
    if rounded != now:
        remarks.append(f"b is rounded from {units(now, limits.unit)} to {units(rounded, limits.unit)}")
    return Batch(rounded, tuple(remarks))


def check_cap(limits: Limits) -> None:
    """Refuse a cap under which there is no batch size.

    Raises:
        ValueError: the cap is below one unit, or below the number of which b is a multiple.
    """
    least = limits.round_b if isinstance(limits.round_b, int) else 1
    if limits.b is not None and limits.b < least * limits.unit:
        rule = f"the cap on b leaves room for {least} " + ("sequences" if limits.unit > 1 else "tokens")
        raise bad(rule, f"max_b = {as_given(limits.b / limits.unit)}", f"max_b >= {least}")


def _rounded(b: float, limits: Limits) -> float:
    """A batch size in tokens, at least one unit and under its cap, rounded without passing that."""
    most = math.inf if limits.b is None else limits.b / limits.unit
    count = b / limits.unit
    if limits.round_b is None:
        return b
    if limits.round_b == "pow2":
        nearest = 2.0 ** math.floor(math.log2(count) + 0.5)
        return limits.unit * (nearest if nearest <= most else nearest / 2)
    step = 1 if limits.round_b == "int" else int(limits.round_b)
    nearest = float(step * max(1, math.floor(count / step + 0.5)))
    return limits.unit * (nearest if nearest <= most else nearest - step)
