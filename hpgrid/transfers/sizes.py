"""The numbers of a transfer's limits, each in its range, and what range any number has."""

from __future__ import annotations

import math
import sys
from numbers import Rational, Real
from typing import Any

from hpgrid.checks import bad, is_number

#: The least and the largest number that is taken: what lies beyond is rounded, or none at all once it is multiplied.
LEAST, LARGEST = sys.float_info.min, 1e300


def rounding(given: Any) -> str | int | None:
    """Return pow2, int, or a whole number, which a command line gives as text."""
    if given is None:
        return None
    if isinstance(given, str) and given in ("pow2", "int"):
        return given
    step: Any = read_number(given) if isinstance(given, str) else given
    check_size("round_b", step)
    if not is_number(step) or step % 1 or step < 1:
        raise bad("round_b is pow2, int, or a whole number of which b is a multiple", given, "round_b=256, say")
    return int(step)


def read_number(text: str) -> float | None:
    """Return the number that a text is, or None."""
    try:
        return float(text)
    except ValueError:
        return None


def check_size(name: str, given: Any) -> None:
    """Refuse a number that is so large or so small that what is computed of it is none."""
    size: Any = abs(given) if isinstance(given, Real) else 0
    if not isinstance(size, Rational):  # which may be too large for a float
        size = float(size)
    if 0 < size < math.inf and not LEAST <= size <= LARGEST:
        shown = "a larger number" if size > 1 else "a smaller number"
        raise bad(f"{name} is between {LEAST:.1e} and {LARGEST:g}, or 0", shown, f"{name} within that")


def in_tokens(name: str, b: float, unit: int) -> float:
    """Return a batch size in tokens."""
    if b * unit > LARGEST:
        raise bad(f"{name} in tokens is at most {LARGEST:g}", "a larger number", "fewer, or shorter, sequences")
    return b * unit


def whole(name: str, given: Any, example: str) -> int:
    """Return a whole number, at least 1."""
    check_size(name, given)
    if not is_number(given) or given % 1 or given < 1:
        raise bad(f"{name} is a whole number, at least 1", given, f"{name}={example}, say")
    return int(given)


def optional(name: str, given: Any, unit: int) -> float | None:
    """Return a batch size in tokens, or None."""
    if given is None:
        return None
    check_size(name, given)
    if not is_number(given) or given < 1:
        raise bad(f"{name} must be a finite number, at least 1", given, f"{name}=2097152, say")
    return in_tokens(name, float(given), unit)


def positive(name: str, given: Any) -> float:
    """Return a positive number."""
    check_size(name, given)
    if not is_number(given) or given <= 0:
        raise bad(f"{name} must be a positive finite number", given, f"{name}=1e-3, say")
    return float(given)
