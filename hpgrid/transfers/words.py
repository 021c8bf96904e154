"""How a transfer's numbers and sentences are written."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable

#: Columns of text.
WIDTH = 120


def number(x: float | None) -> str:
    """A number with four digits; "-" where there is none."""
    return "-" if x is None else f"{x:.4g}"


def batch(b: float | None) -> str:
    """A batch size: as it is where it is whole, else with four digits."""
    return f"{b:.0f}" if b is not None and b < 1e15 and b % 1 == 0 else number(b)


def as_given(x: float) -> str:
    """A number that was given: as it is where it is whole, else with ten digits."""
    return batch(x) if x % 1 == 0 else f"{x:.10g}"


def beta(alpha: float | None) -> str:
    """1 - alpha with four digits of alpha, as far as a float has them."""
    if alpha is None:
        return "-"
    if alpha == 0:  # less than a float holds
        return "1"
    digits = min(17, max(4, 3 - math.floor(math.log10(alpha))))
    return f"{1 - alpha:.{digits}g}" if alpha >= 1e-16 else f"1 - {alpha:.4g}"


def wrapped(lines: Iterable[str]) -> list[str]:
    """Sentences in lines of at most ``WIDTH`` columns."""
    return [part for line in lines for part in textwrap.wrap(line, WIDTH, subsequent_indent="   ")]
