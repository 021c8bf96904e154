"""Numbers, powers, held values, momenta, names and tables as text: plain Python, so that every room can use it."""

from __future__ import annotations

import itertools
import math
import re
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from hpgrid.checks import complement

if TYPE_CHECKING:
    from hpgrid.variables import Variable

#: Iterations below which a batch size that was given may have been counted in something else.
FEW = 100

#: The largest denominator of a fraction that is written as one, whatever it is.
_READ = 1000

#: Columns of a line at the least, and of a cell whose words are wrapped.
_NARROWEST, _CELL = 30, 20

_TIMES = {"years": 31557600.0, "days": 86400.0, "hours": 3600.0, "min": 60.0, "s": 1.0}
_SIZES = {"PB": 1e15, "TB": 1e12, "GB": 1e9, "MB": 1e6, "kB": 1e3, "bytes": 1.0}

#: A blank that no line is broken at.
GLUE = "\xa0"

#: The letters that LaTeX has as commands.
GREEK = (
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu", "nu", "xi",
    "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega",
    "Gamma", "Delta", "Theta", "Lambda", "Xi", "Pi", "Sigma", "Upsilon", "Phi", "Psi", "Omega",
)  # fmt: skip


def number(value: float | None, digits: int = 3) -> str:
    """Return a number in a few significant digits: 1072, 0.00063, 3.2e-07; "-" for NaN and for none."""
    if value is None or math.isnan(value):
        return "-"
    if value == 0 or not math.isfinite(value) or 1e-3 <= abs(value) < 1e5:
        # A whole part is never rounded: 31623, not 3.16e+04.
        return f"{value:.{max(digits, len(str(int(abs(value)))) if math.isfinite(value) else 1)}g}"
    return f"{value:.{digits - 1}e}"


def within(
    value: float | None, variable: Variable, digits: int = 3, write: Callable[[float | None, int], str] = number
) -> str:
    """Return a variable's value in a few significant digits, or in as many as leave it within its range.

    Next to an open end they are so many that two are of the distance to it; on one, to rounding, it is "-> 1".

    Args:
        value: a number; of NaN, none, and what lies outside, it is what ``write`` has.
        variable: of which it is one.
        digits: significant ones.
        write: how a number is written in so many.
    """
    if value is None:
        return write(value, digits)
    ends = [x for x, own in ((variable.low, variable.low_open), (variable.high, variable.high_open)) if own]
    ends = [end for end in ends if end < math.inf]
    for end in filter(None, ends):
        # The exponential of a rounded logarithm misses an end by so much.
        if abs(value - end) <= sys.float_info.epsilon * (1 + abs(math.log(end))) * end:
            return f"-> {write(end, digits)}"
    for more in range(digits, 18) if variable.least <= value <= variable.most else ():
        shown = float(text := write(value, more))
        near = all(abs(shown - value) <= abs(value - end) / 20 for end in ends)
        if near and variable.least <= shown <= variable.most:
            return text
    return write(value, digits)


def equal(name: str, text: str) -> str:
    """Return "b = 120", or "w -> 1" of what ``within`` writes so."""
    return f"{name} {text}" if text.startswith("->") else f"{name} = {text}"


def counted(n: int | str, what: str) -> str:
    """Return how many there are: "1 block", "1,024 blocks"."""
    return f"{n if isinstance(n, str) else f'{n:,}'} {what}{'s' * (str(n) != '1')}"


def duration(seconds: float) -> str:
    """Return a time in two digits: "40 s", "2 min", "3.5 hours", "3.2e+10 years"."""
    unit = next((unit for unit, length in _TIMES.items() if seconds >= 2 * length), "s")
    return f"{float(f'{seconds / _TIMES[unit]:.2g}'):g} {unit}"


def size(count: float) -> str:
    """Return a number of bytes in two digits: "820 MB", "24 GB"."""
    unit = next((unit for unit, length in _SIZES.items() if count >= length), "bytes")
    return f"{float(f'{count / _SIZES[unit]:.2g}'):g} {unit}"


def exponent_text(value: Fraction) -> str:
    """Return an exponent: 2/3, a decimal such as 0.3271, or six digits of a fraction that no person reads."""
    if value.denominator <= _READ:
        return str(value)
    decimal = repr(float(value))
    if Fraction(decimal) == value:
        return decimal
    return str(value) if value.denominator < 10 * _READ**2 else f"{float(value):.6g}"


def power(name: str, of: Fraction) -> str:
    """Return a power: T, T^2, T^(-1/2)."""
    if of == 1:
        return name
    return f"{name}^{of}" if of.denominator == 1 else f"{name}^({exponent_text(of)})"


def listed(words: Sequence[str]) -> str:
    """Return words in a row: "a", "a and b", "a, b and c"."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


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


def few_iterations(b: float, K: float, unit: int = 1) -> str:
    """Return what to know of a batch size, in tokens, that leaves few iterations: what it is counted in; "" if many.

    Args:
        b: the batch size in tokens, as it was given.
        K: the number of iterations that it leaves.
        unit: tokens in one of what it was given in: the length of a sequence, or 1.
    """
    if not K < FEW:  # many, or of a bound that has none
        return ""
    size, cure = f"b = {b:.12g} tokens", "b and T are both counted in tokens"
    if unit > 1:
        size = f"b = {b / unit:.12g} sequences of {unit}, {b:.12g} tokens,"
        cure = "a b that is in tokens already takes no sequence length (seq-len)"
    left = "less than one iteration" if K < 1 else f"fewer than {FEW} iterations"
    return f"{size} leaves K = T/b = {K:.4g}, {left}: {cure}"


def name_latex(name: str) -> str:
    r"""Return a name as LaTeX: \alpha, C_1, \Delta_0, b_{\max}, \mathrm{risk}."""
    stem, digits, limit = re.fullmatch(r"(.*?)(\d*)(?:_(min|max))?", name).groups()  # type: ignore[union-attr]
    stem = stem.rstrip("_") or "_"
    plain = stem if len(stem) == 1 and stem != "_" else rf"\mathrm{{{stem.replace('_', chr(92) + '_')}}}"
    stem = "lambda" if stem == "lam" else stem
    letter = f"\\{stem}" if stem in GREEK else plain
    return letter + (f"_{digits}" if digits else "") + (f"_{{\\{limit}}}" if limit else "")


def columns() -> int:
    """Return how many columns a line has: COLUMNS where that is set, else the terminal's, 80 where there is none."""
    return max(_NARROWEST, shutil.get_terminal_size().columns)


def to_width(lines: Iterable[str]) -> str:
    """Return lines as one text, those that are too long for the terminal broken between words."""
    parts, room = [], columns()
    for line in "\n".join(lines).split("\n"):
        # What goes on stands under what a label is followed by: "A: ...", "risk*  = ...".
        label = re.match(r" *(?:(?:\w{1,8}: )+|\w+\* +(?== ))?", line)[0]  # type: ignore[index]
        parts += _broken(line, room, " " * (len(label) if label.strip() else len(label) + 3))
    return "\n".join(parts)


class Strong(str):
    """A line to be emphasised where that can be shown: an answer, a table's headings."""


def aligned(
    rows: Sequence[Sequence[str]],
    *,
    wrap: Sequence[str] = (),
    drop: Sequence[str] = (),
    whole: str = "--json",
    indent: str = "",
) -> list[str]:
    """Return a table as lines that fit the terminal, its cells in columns as wide as their widest.

    Where it is too wide, headings and cells of the columns ``wrap`` are broken between words; then columns are
    dropped, and a last line says which; what is still too wide stands in blocks, one below the other, each with the
    first column. All other cells, numbers among them, stay whole.

    Args:
        rows: the headings first; a row of one cell is a title, as wide as the table.
        wrap: the headings of columns of words.
        drop: the headings of columns that can be done without, the first of them first.
        whole: what has the columns that are dropped.
        indent: what each line begins with.
    """
    head, room = rows[0], columns() - len(indent)
    natural, least, words = [], [], []
    for name, *cells in zip(*(row for row in rows if len(row) > 1)):
        broken = [word for cell in (name, *(cells if name in wrap else ())) for word in _glued(cell).split(" ")]
        words.append(max(map(len, broken if name in wrap else (*broken, *cells))))
        natural.append(max(map(len, (name, *cells))))
        least.append(max(words[-1], min(_CELL, max(map(len, cells), default=0))) if name in wrap else words[-1])
    kept, dropped = list(range(len(head))), list[str]()
    needed = natural if _total(natural, kept) <= room else least
    for name in drop:
        if _total(needed, kept) > room:
            kept, dropped = [k for k in kept if head[k] != name], [*dropped, name]
    # Cells of a word a line are better than a second block.
    needed = needed if _total(needed, kept) <= room else words
    blocks = [kept[:1]]
    for k in kept[1:]:
        if len(blocks[-1]) > 1 and _total(needed, [*blocks[-1], k]) > room:
            blocks.append(kept[:1])
        blocks[-1].append(k)
    lines: list[str] = []
    for block in blocks:
        widths = list(natural)
        while _total(widths, block) > room and (wide := [k for k in block if widths[k] > needed[k]]):
            widths[max(wide, key=widths.__getitem__)] -= 1
        for k in block:
            widths[k] = max(len(part) for row in rows if len(row) > 1 for part in _broken(row[k], widths[k]))
        for row in rows:
            if len(row) == 1:
                lines += [indent + part for part in _broken(row[0], room, "   ")]
                continue
            cells = [_broken(row[k], widths[k]) for k in block]
            if row is head:  # a heading stands on its column
                height = max(map(len, cells))
                cells = [[""] * (height - len(parts)) + parts for parts in cells]
            for parts in itertools.zip_longest(*cells, fillvalue=""):
                line = "  ".join(part.ljust(widths[k]) for k, part in zip(block, parts))
                lines.append((Strong if row is head else str)((indent + line).rstrip()))
        lines += [""] * (block is not blocks[-1])
    return [*lines, *([f"{indent}{whole} has also: {'; '.join(dropped)}"] if dropped else [])]


def _total(widths: Sequence[int], block: Sequence[int]) -> int:
    """How wide a line of some columns is."""
    return sum(widths[k] for k in block) + 2 * (len(block) - 1)


def _glued(text: str) -> str:
    """A text in which what is read together, as "eta = 3e-4", "T^(phi - 1)" and "b (1/4)", is one word."""
    text = re.sub(r"\^\([^()]*\)", lambda power: power[0].replace(" ", GLUE), text)
    return re.sub(r" (?=[=~<>]=? |\([\d/.]+\))|(?<=[=~<>]) ", GLUE, text)


def _broken(text: str, width: int, hang: str = "") -> list[str]:
    """A text in lines of at most ``width``, as far as its words are no longer, all but the first behind ``hang``."""
    if len(text) <= width:
        return [text]
    lines: list[str] = []
    for each in (_glued(text), text):
        lines = textwrap.wrap(
            each, width, subsequent_indent=hang[: width // 3], break_long_words=False, break_on_hyphens=False
        )
        if max(map(len, lines)) <= width:
            break
    return [line.replace(GLUE, " ") for line in lines]
