"""How hpgrid says no: the rule, what was given, what to write instead."""

from __future__ import annotations

import math
import re
import sys
import warnings
from collections.abc import Callable, Collection, Iterable, Mapping
from difflib import get_close_matches
from fractions import Fraction
from numbers import Integral, Real
from typing import Any, NamedTuple, SupportsFloat, TypeVar

Record = TypeVar("Record")

#: What a person may give for a number: one of any kind, an array of one, or text, as "512k" or "T^1/2" is.
Given = SupportsFloat | str


class InputError(ValueError):
    """A caller's mistake: the command line shows its message alone, and exits with 2."""


class Note(UserWarning):
    """What a caller may have meant otherwise: a warning in Python, on the command line a sentence beside the answer."""


def note(text: str) -> None:
    """Say something beside an answer, as a warning at the line of the caller's own code."""
    frame, level = sys._getframe(), 1
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == "hpgrid":
        frame, level = frame.f_back, level + 1
    warnings.warn(text, Note, stacklevel=level)


#: The most characters of one thing that was given, and of one word, that a message shows.
_SHOWN, _LONGEST_WORD = 400, 300

#: The most characters of a list of names that there are.
_LONGEST_LIST = 200


def shortened(text: str, most: int = 60) -> str:
    """Return text that fits into a message."""
    return text if len(text) <= most else f"{text[: most - 3]}..."


def cut(text: str) -> str:
    """Return a message without words that have no end."""
    return re.sub(rf"\S{{{_LONGEST_WORD + 1},}}", lambda word: shortened(word[0], _LONGEST_WORD), text)


def bad(rule: str, given: object, instead: str) -> InputError:
    """Return the error for a caller's mistake, in hpgrid's one form.

    Args:
        rule: what must hold, as a sentence without its full stop.
        given: what was given, shown with ``repr`` as far as it fits.
        instead: what to write instead.
    """
    try:
        shown = shortened(repr(given), _SHOWN)
    except ValueError:  # a whole number of more digits than Python writes
        shown = "a number of thousands of digits"
    return InputError(cut(f"{rule}. Given: {shown}. Write {instead}."))


def unknown(kind: str, given: object, known: Iterable[str]) -> InputError:
    """Return the error for a name that does not exist: the nearest, or what it is called here, and all there are."""
    names = list(known)
    here = CALLED.get(str(given), str(given))
    here = "alpha" if here == "beta" and here not in names else here
    # 0.5 finds alfa and etha, and names nothing for what is far from all; of a very long one it takes its time.
    near = [here] if here in names else get_close_matches(str(given)[:_LONGEST_WORD], names, n=1, cutoff=0.5)
    listed = shortened(", ".join(names), _LONGEST_LIST)
    instead = f"{near[0]!r} (all: {listed})" if near else f"one of {listed}"
    return bad(f"there is no {kind} of that name", given, instead)


#: What others call a hyperparameter or a budget.
CALLED = {
    "lr": "eta", "learning_rate": "eta", "batch": "b", "batch_size": "b",
    "momentum": "beta", "beta1": "beta", "tokens": "T",
}  # fmt: skip

#: What may stand behind a number of tokens or iterations: 512k, 2.5B, 4Mi. A small m could be a thousandth.
UNITS = {"k": 10**3, "K": 10**3, "M": 10**6, "G": 10**9, "B": 10**9, "T": 10**12}
UNITS |= {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}
_WITH_UNIT = re.compile(r"(\d{1,30}(?:\.\d{0,30})?|\.\d{1,30})\s*([A-Za-z]+)")

#: The optimizers, and the norm under which each is steepest descent; adamw and soap in coordinates that adapt.
#: Source: Cesista, Appendix A2.
OPTIMIZERS = {"sgd": "frobenius", "signsgd": "max", "adamw": "max", "muon": "spectral", "soap": "spectral"}

#: What a learning rate does.
SCHEDULE_KINDS = ("constant", "decay")

#: What noise there is.
NOISE_KINDS = ("gaussian", "one-hot", "rank-one")

#: How many constants are searched: only cells that can win, or every cell.
SEARCH_METHODS = ("exact", "brute")

#: How one grid is searched: by the exact way where that is proved and pays.
GRID_METHODS = ("auto", *SEARCH_METHODS)

#: The precisions of a search, and those of oracles.
DTYPES = ("float64", "float32")
PRECISIONS = (*DTYPES, "bfloat16")

#: The methods of Shulgin et al.'s eq. (1), by the norm.
METHODS = {"frobenius": "normalised SGD", "max": "signSGD", "spectral": "Muon"}


def unwrapped(value: Any) -> Any:
    """Return what an array of NumPy, pandas or xarray holds: a number, or a list of them; all else as it is."""
    if isinstance(value, (Real, str)) or not hasattr(value, "__array__"):
        return value
    import numpy as np  # whoever has an array has loaded it

    return np.asarray(value).tolist()


def is_number(value: object) -> bool:
    """Return whether ``value`` is a finite real number, or an array of one without axes (a truth value is not)."""
    value = unwrapped(value)
    # True is a Real to Python, and C1 = true a mistake in a file.
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)


def without_unit(value: Any) -> Any:
    """Return the number that a text with a unit is, 512000 for "512k" and 4194304 for "4Mi"; all else as it is.

    Of a list, or a tuple, it is a list of each.

    Raises:
        ValueError: there is no such unit.
    """
    if isinstance(value, (list, tuple)):
        return [without_unit(each) for each in value]
    found = _WITH_UNIT.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        return value
    if found[2] not in UNITS:
        raise bad(f"a number of tokens has one of the units {', '.join(UNITS)}", value, "512k, 2.5B or 4Mi, say")
    return float(Fraction(found[1]) * UNITS[found[2]])


def changed(record: Record, **fields: Any) -> Record:
    """Return a copy of a frozen record with other fields, asked where they came in: ``replace`` asks again."""
    copy = object.__new__(type(record))
    vars(copy).update(vars(record) | fields)
    return copy


def complement(beta: float) -> float:
    """Return alpha = 1 - beta for the beta that was written: 1 - 0.9 is 0.1, not 0.09999999999999998."""
    # repr is the shortest decimal that is this float: what a person typed.
    return float(1 - Fraction(repr(float(beta))))


def alpha_of(beta: Any, name: str = "beta") -> Any:
    """Return 1 - beta exactly, of one beta or of a list of them, whose order is turned round: it increases, too.

    Raises:
        ValueError: it is no number in [0, 1), or a log range.
    """
    if isinstance(beta, (list, tuple)):
        return [alpha_of(each, name) for each in reversed(beta)]
    if isinstance(beta, Mapping):
        rule = f"a log range of {name} is one of its complement"
        raise bad(rule, dict(beta), "alpha = { lo = ..., hi = 1, n = ... }, or values of beta")
    if not is_number(beta) or not 0 <= beta < 1:
        instead = f"{name}=0.95, say" + ("; next to 1, alpha=1e-20, say" if name == "beta" else "")
        raise bad(f"{name} must be a finite number with 0 <= {name} < 1", beta, instead)
    return complement(beta)


def name_here(name: str, own: Iterable[str] = ()) -> str:
    """Return what a hyperparameter or a budget is called here, and say so where others call it ``name``.

    Args:
        name: eta, or lr, and so on.
        own: names that mean something else, a bound's constants, say.
    """
    here = name if name in own else CALLED.get(name, name)
    if here != name:
        note(f"{name} is {here} here" + (", and alpha = 1 - beta" if here == "beta" else ""))
    return here


def check_constants(constants: Mapping[str, Any], positive: Collection[str] = ()) -> dict[str, float]:
    """Return constants as floats.

    Args:
        constants: by name.
        positive: those that may not be 0 either.

    Raises:
        ValueError: one is no finite number >= 0.
    """
    for name, value in constants.items():
        if not is_number(value) or value < 0 or (value == 0 and name in positive):
            kind = "a positive finite number" if name in positive else "a finite number >= 0"
            raise bad(f"constant {name} must be {kind}", value, f"{name}=1.0, say")
    return {name: float(value) for name, value in constants.items()}


#: A number as text. As a fraction 1e999999999 would take hours, and a text of a million digits minutes; a float that is
#: an exponent, or a step between two, has two digits of a power of ten at the most.
_WRITTEN = re.compile(r"[+-]?(\d{1,40}/\d{1,40}|(\d{1,40}(\.\d{0,40})?|\.\d{1,40})([eE][+-]?\d{1,2})?)")


def as_written(value: object) -> Fraction | None:
    """Return a number, or the text of one, as the fraction that was written, 1/10 for 0.1; None for all else."""
    value = unwrapped(value)
    if isinstance(value, (Fraction, bool)):
        return None if isinstance(value, bool) else value
    try:
        text = str(value)
        return Fraction(text) if _WRITTEN.fullmatch(text) else None
    except (ValueError, ZeroDivisionError):  # a whole number of more digits than Python writes; 1/0
        return None


#: The largest exponent, and the most digits of its numerator and its denominator: those of a float, and again as many.
LARGEST, DIGITS = 1000, 40


def is_exponent(exact: Fraction) -> bool:
    """Return whether a fraction may be an exponent."""
    return abs(exact) <= LARGEST and exact.denominator < 10**DIGITS


def check_exponent(name: str, value: Any) -> Fraction:
    """Return an exponent as the fraction that was written: 0.1 is 1/10, and "1/3" is 1/3.

    Raises:
        ValueError: it is no finite number.
    """
    exact = as_written(value)
    if exact is None or not is_exponent(exact):
        raise bad(f"the exponent {name} is a number between -{LARGEST} and {LARGEST}", value, f"{name} = 0.5, or '1/3'")
    return exact


def check_choice(what: str, given: Any, choices: Any) -> str:
    """Return ``given`` if it is one of the choices."""
    if not isinstance(given, str) or given not in choices:
        raise unknown(what, given, choices)
    return str(given)


def check_flag(what: str, given: Any) -> bool:
    """Return ``given`` if it is true or false."""
    if not isinstance(given, bool):
        raise bad(f"{what} is true or false", given, f"{what} = true, say")
    return given


#: The most values of an axis: a search numbers them in 32 bits.
MOST_VALUES = 2**31 - 1


def check_count(what: str, given: Any, least: int, most: float = math.inf) -> int:
    """Return ``given`` if it is a whole number of at least ``least``, and of at most ``most``."""
    number = unwrapped(given)
    number = int(number) if isinstance(number, Integral) and not isinstance(number, bool) else None
    if number is None or number < least:
        raise bad(f"{what} must be a whole number >= {least}", given, f"{what} = {max(least, 10)}, say")
    if number > most:
        raise bad(f"{what} is at most {most}", given, f"{what} = 100, say")
    return number


def table_of(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return the table under a key, empty where there is none."""
    table = data.get(key, {})
    if not isinstance(table, Mapping):
        raise bad(f"{key} is a table", table, f"[{key}] with its own lines")
    return table


class Key(NamedTuple):
    """A key of a TOML table: how its value is read from its name and what is given, and its default."""

    read: Callable[[str, Any], Any]
    default: Any = None


def check_keys(what: str, data: Mapping[str, Any], keys: Iterable[str]) -> None:
    """Refuse a key that does not exist, naming the nearest one."""
    known = tuple(keys)
    for key in data:
        if key not in known:
            raise unknown(what, key, known)


def read_table(what: str, keys: Mapping[str, Key], data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the value of every key of a TOML table.

    Args:
        what: what a key is called, for messages: "key of [grid]".
        keys: those there are.
        data: the table.

    Raises:
        ValueError: a key that does not exist, or a value that can't be.
    """
    check_keys(what, data, keys)
    return {name: key.read(name, data[name]) if name in data else key.default for name, key in keys.items()}


def read_shape(text: str) -> tuple[int, int]:
    """Return the shape that is written 128x32.

    Raises:
        ValueError: not two positive whole numbers with an x between.
    """
    found = re.fullmatch(r"([0-9]{1,9})x([0-9]{1,9})", text)
    m, n = (int(size) for size in found.groups()) if found else (0, 0)
    if m < 1 or n < 1:
        raise bad("a shape is two positive whole numbers, ROWSxCOLUMNS", text, "128x32, say")
    return m, n
