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
    """A batch size, as many digits as a whole one has."""
    if b is None:
        return "-"
    return number(b) if b >= 1e15 else f"{b:.0f}" if b == round(b) else f"{b:.1f}"


def beta(alpha: float | None) -> str:
    """1 - alpha with four digits of alpha, as far as a float has them."""
    if alpha is None:
        return "-"
    digits = min(17, max(4, 3 - math.floor(math.log10(alpha))))
    return f"{1 - alpha:.{digits}g}" if alpha >= 1e-16 else f"1 - {alpha:.4g}"


def wrapped(lines: Iterable[str]) -> list[str]:
    """Sentences in lines of at most ``WIDTH`` columns."""
    return [part for line in lines for part in textwrap.wrap(line, WIDTH, subsequent_indent="   ")]
