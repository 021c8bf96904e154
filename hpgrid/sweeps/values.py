"""What is swept: numbers, lists, log ranges, or the columns of a table."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hpgrid.checks import (
    TUNABLE,
    InputError,
    bad,
    check_constants,
    check_count,
    check_exponent,
    check_keys,
    check_value,
    is_number,
    unknown,
)
from hpgrid.config import BoundConfig

#: Hyperparameters that may be swept where the regimes hold them; beta is 1 - alpha.
HELD = ("eta", "b", "alpha", "beta")


def hyperparameter(name: str) -> str:
    """Return the hyperparameter that a swept name holds: alpha for beta."""
    return "alpha" if name == "beta" else name


def parse_constants(bound: BoundConfig, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return by name what [constants] says: a number, a tuple of numbers, or a log range {"lo", "hi", "n"}.

    Raises:
        ValueError: a name that the bound lacks or has already, or a value out of its range.
    """
    known = sweepable(bound)
    found = {}
    for name, given in data.items():
        if name not in known:
            raise unknown(f"constant of the bound {bound.name}", name, known)
        if name in bound.constants or name in bound.options:
            raise bad(f"{name} stands in [bound] and in [constants]", given, "it in one of the two")
        found[name] = _parse_values(bound, name, given)
    return found


def sweepable(bound: BoundConfig) -> tuple[str, ...]:
    """Return what can be swept of a bound: its constants, its exponents, and held hyperparameters."""
    constants, _ = bound.takes()
    return (*constants, *bound.exponents(), *HELD)


def _parse_values(bound: BoundConfig, name: str, given: Any) -> Any:
    """A number, a tuple of numbers, or a log range."""
    if isinstance(given, Mapping):
        check_keys(f"key of the range of {name}", given, ("lo", "hi", "n"))
        if set(given) != {"lo", "hi", "n"}:
            raise bad(
                f"a log range of {name} has lo, hi and n", dict(given), f"{name} = {{ lo = 1e-3, hi = 1e3, n = 25 }}"
            )
        if name == "beta":
            raise bad(
                "a log range of beta is one of its complement", dict(given), "alpha = { lo = ..., hi = 1, n = ... }"
            )
        lo, hi = check_swept(bound, name, given["lo"]), check_swept(bound, name, given["hi"])
        if lo >= hi:
            raise bad(f"a log range of {name} needs lo < hi", dict(given), "the smaller end first")
        return {"lo": lo, "hi": hi, "n": check_count(f"n of {name}", given["n"], least=2)}
    if isinstance(given, list):
        if not given:
            raise bad(f"a list of {name} has one value or more", given, f"{name} = [1.0, 10.0], say")
        values = tuple(check_swept(bound, name, x) for x in given)
        if len(set(values)) < len(values):
            raise bad(f"the values of {name} differ", given, "each once")
        return values
    return check_swept(bound, name, given)


def check_swept(bound: BoundConfig, name: str, value: Any) -> float:
    """Return a value that a swept name may take.

    Raises:
        ValueError: it may not.
    """
    if name == "beta":
        if not (is_number(value) and 0 <= value < 1):
            raise bad("beta must satisfy 0 <= beta < 1", value, "beta = 0.95, say")
        return float(value)
    if bound.formula is not None and name in bound.exponents():
        return float(check_exponent(name, value))
    if name in bound.exponents():
        if not (is_number(value) and 0 < value <= 1):
            raise bad("the noise exponent q must satisfy 0 < q <= 1", value, "q = 0.5, say")
        return float(value)
    return check_value(name, value) if name in TUNABLE else check_constants({name: value})[name]


def read_rows(bound: BoundConfig, given: Any, folder: Path) -> dict[str, tuple[float, ...]]:
    """Return the columns of a CSV file whose header names what is swept.

    Raises:
        ValueError: the file can't be read, or a row is wrong: which one.
    """
    if not isinstance(given, str):
        raise bad("rows names a CSV file", given, 'rows = "constants.csv"')
    path = folder / given
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            lines = [line for line in csv.reader(file) if line]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise bad(f"the table of rows must be a readable CSV file ({reason})", str(path), "the path of one") from None
    if len(lines) < 2:
        raise bad("a table of rows has a header and a row", str(path), "C1,C2 and then numbers, say")
    names = [name.strip() for name in lines[0]]
    known = sweepable(bound)
    for name in names:
        if name not in known:
            raise unknown(f"column of {path.name}", name, known)
        if names.count(name) > 1:
            raise bad(f"the columns of {path.name} differ", names, f"{name} once")
    table = [_read_row(bound, path.name, number, names, cells) for number, cells in enumerate(lines[1:], start=2)]
    return dict(zip(names, zip(*table)))


def _read_row(bound: BoundConfig, file: str, number: int, names: list[str], cells: list[str]) -> tuple[float, ...]:
    if len(cells) != len(names):
        raise bad(f"{file}, row {number}: {len(names)} columns are needed", ",".join(cells), ", ".join(names))
    values = []
    for name, cell in zip(names, cells):
        try:
            values.append(check_swept(bound, name, float(cell)))
        except InputError as error:
            raise InputError(f"{file}, row {number}: {error}") from None
        except ValueError:
            raise bad(f"{file}, row {number}: {name} is a number", cell, "1.0, say") from None
    return tuple(values)
