"""What the command line says about a bound and a regime: NAME=VALUE, between commas, repeated or not."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from hpgrid.checks import TUNABLE, bad, check_choice, check_value, complement

if TYPE_CHECKING:
    from cyclopts import Token

T = TypeVar("T")

_FLAGS = ("burn_in",)

#: Options that are one of some words; the bound says of which.
_WORDS = ("form", "norm")

#: 2, -1/3 or 0.25. Not 1e9: as a fraction it could have a billion digits.
_RATIONAL = re.compile(r"[+-]?(\d{1,30}/\d{1,30}|\d{1,30}(\.\d{0,30})?|\.\d{1,30})")


def whole(_: Any, tokens: Sequence[Token]) -> int:
    """Return an option's whole number, which 2.5 is not."""
    try:
        return int(tokens[0].value)
    except ValueError:
        option = tokens[0].keyword
        raise bad(f"{option} is a whole number", tokens[0].value, f"{option} 100, say") from None


def names(given: Iterable[str] | None) -> tuple[str, ...]:
    """Return the names in some comma lists."""
    return tuple(name.strip() for text in given or () for name in text.split(",") if name.strip())


def pairs(option: str, given: Iterable[str] | None, read: Callable[[str, str], T], example: str) -> dict[str, T]:
    """Return what the NAME=VALUE pairs of an option say.

    Args:
        option: the option, for messages.
        given: its comma lists.
        read: from a name and the text of its value to the value.
        example: what to write, for messages.

    Raises:
        ValueError: a pair without "=", or a name that is given twice.
    """
    found: dict[str, T] = {}
    for pair in names(given):
        name, _, value = (part.strip() for part in pair.partition("="))
        if not (name and value):
            raise bad(f"{option} takes NAME=VALUE, between commas", pair, f"{option} {example}, say")
        if name in found:
            raise bad(f"{option} gives {name} twice", pair, f"{option} {name}=... once")
        found[name] = read(name, value)
    return found


def rational(text: str) -> Fraction | None:
    """Return 2, -1/3 or 0.25 as the fraction that was written, or None for any other text."""
    try:
        return Fraction(text) if _RATIONAL.fullmatch(text) else None
    except ZeroDivisionError:
        return None


def number(name: str, text: str) -> float:
    """Return a finite number: 1072, 1e-3 or 1/3."""
    fraction = rational(text)
    try:
        value = float(text if fraction is None else fraction)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise bad(f"{name} is a finite number", text, f"{name}=0.5 or {name}=1/3, say")
    return value


def setting(name: str, text: str) -> float | Fraction | bool | str:
    """Return a bound's constant or option: a number, a fraction such as 1/3, true or false for a flag, or a word."""
    if name in _WORDS and text.isalpha():
        return text
    if name not in _FLAGS:
        fraction = rational(text) if "/" in text else None
        return number(name, text) if fraction is None else fraction
    if text not in ("true", "false"):
        raise bad(f"{name} is true or false", text, f"{name}=false, say")
    return text == "true"


def path(budget: str) -> Callable[[str, str], Fraction]:
    """Return how the path of a hyperparameter is read: T^1/2 is the square root of T.

    Args:
        budget: "T" or "K": what paths are powers of.
    """

    def read(name: str, text: str) -> Fraction:
        base, hat, exponent = (part.strip() for part in text.partition("^"))
        instead = f"{name}={budget}^1/2, say; after ^ comes one rational number"
        if base != budget:
            raise bad(f"a path is a power of the budget {budget}", f"{name}={text}", instead)
        fraction = rational(exponent) if hat else Fraction(1)
        if fraction is None:
            raise bad("the exponent of a path is a rational number", f"{name}={text}", instead)
        return fraction

    return read


def hyperparameters(given: Iterable[str] | None) -> tuple[str, ...]:
    """Return the hyperparameters in some comma lists.

    Raises:
        ValueError: a name that is none; momentum is tuned as alpha.
    """
    found = names(given)
    for name in found:
        if name == "beta":
            raise bad("momentum is tuned as alpha, which is 1 - beta", name, "alpha")
        check_choice("hyperparameter to tune", name, TUNABLE)
    return found


def held(given: Iterable[str] | None) -> dict[str, float]:
    """Return what --fix holds, by name; beta = 0.999 is alpha = 0.001, exactly.

    Raises:
        ValueError: a name that is no hyperparameter's, or a value out of its range.
    """
    found = pairs("--fix", given, number, "alpha=0.001")
    for name, value in found.items():
        check_choice("hyperparameter to fix", name, (*TUNABLE, "beta"))
        if name != "beta":
            check_value(name, value)
    if "beta" not in found:
        return found
    beta = found.pop("beta")
    if "alpha" in found:
        raise bad("beta is 1 - alpha", f"alpha={found['alpha']:g} and beta={beta:g}", "one of the two")
    if not 0 <= beta < 1:
        raise bad("beta must satisfy 0 <= beta < 1", beta, "beta=0.95, say")
    return found | {"alpha": complement(beta)}


def span(name: str, text: str) -> dict[str, float | int]:
    """Return an axis of one's own: LO:HI or LO:HI:N, as {"lo", "hi"} and perhaps "n"."""
    ends = text.split(":")
    if not 2 <= len(ends) <= 3:
        raise bad("an axis is LO:HI or LO:HI:N", f"{name}={text}", f"{name}=1e-6:1:50, say")
    axis: dict[str, float | int] = {"lo": number(name, ends[0]), "hi": number(name, ends[1])}
    if len(ends) == 3:
        if not ends[2].isdecimal() or len(ends[2]) > 9:
            raise bad(f"the number of values of {name} is a whole number", ends[2], f"{name}=1e-6:1:50, say")
        axis["n"] = int(ends[2])
    return axis


def check_file(path: Path | None, rule: str, example: str) -> None:
    """Refuse a file that can't be written before anything is computed; make its folder.

    Args:
        path: where it goes, or None.
        rule: what is written to a file, as a sentence without its full stop.
        example: a file's name, for the message.

    Raises:
        ValueError: it is a folder, or its folder can't be written to.
    """
    if path is None:
        return
    from hpgrid.record import make_folder

    if path.is_dir():
        raise bad(rule, str(path), f"{path / example}, say")
    make_folder(path.parent, "a path in another folder")
