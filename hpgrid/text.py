"""Numbers, powers, held values, momenta, names and tables as text: plain Python, so that every room can use it."""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Iterable, Sequence
from fractions import Fraction

from hpgrid.checks import complement

#: Columns that sentences are wrapped at.
WIDTH = 120

_GREEK = {"eta", "alpha", "beta", "rho", "sigma", "Delta", "lam", "epsilon", "kappa", "mu", "phi"}


def number(value: float | None, digits: int = 3) -> str:
    """Return a number in a few significant digits: 1072, 0.00063, 3.2e-07; "-" for NaN and for none."""
    if value is None or math.isnan(value):
        return "-"
    if value == 0 or not math.isfinite(value) or 1e-3 <= abs(value) < 1e5:
        # A whole part is never rounded: 31623, not 3.16e+04.
        return f"{value:.{max(digits, len(str(int(abs(value)))) if math.isfinite(value) else 1)}g}"
    return f"{value:.{digits - 1}e}"


def power(name: str, exponent: Fraction | float) -> str:
    """Return a power: T, T^2, T^(-1/2)."""
    if exponent == 1:
        return name
    return f"{name}^{exponent}" if getattr(exponent, "denominator", 0) == 1 else f"{name}^({exponent})"


def held(name: str, value: float) -> str:
    """Return what is held: "b = 1072", and beside alpha the beta that a person types."""
    return f"alpha = {value:g} ({momentum(value)})" if name == "alpha" else f"{name} = {value:.6g}"


def momentum(alpha: float) -> str:
    """Return "beta = 0.999" of the alpha that was given, or alpha where it is lost in the digits of a beta."""
    text = f"{complement(alpha):.15g}"
    return f"alpha = {alpha:g}" if text == "1" else f"beta = {text}"


def beta(alpha: float) -> str:
    """Return 1 - alpha of an alpha that was computed, in as many digits as alpha's first two need."""
    if not 0 < alpha < 1:
        return f"{1 - alpha:g}"
    places = max(2, 1 - math.floor(math.log10(alpha)))
    text = f"{1 - alpha:.{min(places, 15)}f}".rstrip("0")
    # Beyond 15 decimals a float's 1 - alpha is noise, or 1.
    return text if places <= 15 and text != "1." else "1 - alpha"


def name_latex(name: str) -> str:
    r"""Return a name as LaTeX: \alpha, C_1, \Delta_0, b_{\max}, \mathrm{risk}."""
    stem, digits, limit = re.fullmatch(r"(.*?)(\d*)(?:_(min|max))?", name).groups()  # type: ignore[union-attr]
    stem = stem.rstrip("_") or "c"
    plain = stem if len(stem) == 1 else rf"\mathrm{{{stem.replace('_', chr(92) + '_')}}}"
    letter = {"lam": r"\lambda"}.get(stem, f"\\{stem}" if stem in _GREEK else plain)
    return letter + (f"_{digits}" if digits else "") + (f"_{{\\{limit}}}" if limit else "")


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a line per row, its cells in columns as wide as their widest."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]


def wrapped(lines: Iterable[str]) -> list[str]:
    """Return sentences in lines of at most ``WIDTH`` columns."""
    return [part for line in lines for part in textwrap.wrap(line, WIDTH, subsequent_indent="   ")]
