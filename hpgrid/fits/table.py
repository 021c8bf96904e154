"""A table as text, from a CSV or JSON file, runs, columns, a data frame or a dataset; and its columns as numbers."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hpgrid.checks import bad, without_unit
from hpgrid.record import read_text
from hpgrid.shapes import Floats

#: Columns of text by name, all of one length.
Table = dict[str, list[str]]

#: Cells that hold nothing, by what writes them: Python, NumPy, pandas, spreadsheets, people; and as it is said here.
_EMPTY = frozenset(("", "nan", "na", "n/a", "#n/a", "none", "null", "<na>", "nat", "-", "--", "empty"))

#: What stands between thousands beside commas and points: 1'000, 1_000, 1 000 with any blank.
_GAP = re.compile(r"(?<=\d)[\s'\u2019_](?=\d{3}(?!\d))")

#: What a file that can't be read is told.
_RULE = "the table of runs must be a readable CSV or JSON file"

#: A run as JSON.
_SHOWN = '{"lr": 0.001, "batch_size": 524288, "tokens": 1e9, "loss": 3.1}, say'

#: Numbers by their decimal mark, the other mark between thousands, perhaps a unit behind. 0,001 has no thousands.
_NUMBER = {
    mark: re.compile(rf"[+-]?(\d*|[1-9]\d?\d?([{between}]\d{{3}})+)([{mark}]\d*)?(e[+-]?\d+)?\s*[a-z]*", re.IGNORECASE)
    for mark, between in (".,", ",.")
}


def as_table(data: Any) -> tuple[Table, NDArray[np.intp]]:
    """Return a table's columns, and of each row its line in the file, or its number from 0.

    Args:
        data: the path of a CSV or JSON file, a list of runs, each a mapping, a mapping of columns, a pandas or polars
            DataFrame, or an xarray Dataset.

    Raises:
        ValueError: it is none of these, can't be read, has a name twice or columns of several lengths.
    """
    lines: list[int] | None = None
    text = read_text(Path(data), _RULE, other="cp1252") if isinstance(data, str | Path) else ""
    if text.lstrip()[:1] in ("[", "{"):
        data, lines = _json(Path(data), text)
    if isinstance(data, str | Path):
        names, columns, lines = _csv(Path(data), text)
    else:
        if isinstance(data, list | tuple) and all(isinstance(run, Mapping) for run in data):
            data = {
                key: [str(run.get(key, "")) for run in data] for key in dict.fromkeys(k for run in data for k in run)
            }
        data = data.to_dataframe().reset_index() if hasattr(data, "to_dataframe") else data
        keys = list(getattr(data, "columns", data if isinstance(data, Mapping) else ()))
        if not keys or not np.size(data[keys[0]]):
            instead = "the path of a CSV or JSON file, a list of mappings, a mapping of columns, a pandas or polars "
            raise bad(
                "runs come as a table, a row each", type(data).__name__, f"{instead}DataFrame, or an xarray Dataset"
            )
        names = [str(key) for key in keys]
        columns = [[str(cell).strip() for cell in np.ravel(np.asanyarray(data[key]))] for key in keys]
        lines = lines or list(range(len(columns[0])))
    for name, count in Counter(names).items():
        if count > 1:
            raise bad("each column has a name of its own", f"{name}, {count} times", "another name for one")
    lengths = {name: len(cells) for name, cells in zip(names, columns)}
    if len(set(lengths.values())) > 1:
        raise bad("the columns of a table are equally long", lengths, "a cell for each run")
    return dict(zip(names, columns)), np.array(lines)


def _json(path: Path, text: str) -> tuple[Any, list[int] | None]:
    """What a JSON file holds; where that is a value a line, a list of them, and their lines."""
    try:
        try:
            return json.loads(text), None
        except json.JSONDecodeError:
            held = [(k, json.loads(line)) for k, line in enumerate(text.split("\n"), start=1) if line.strip()]
            return [value for _, value in held], [k for k, _ in held]
    except (ValueError, RecursionError) as error:
        raise bad(f"a table of runs in JSON is a list of objects, or one a line ({error})", str(path), _SHOWN) from None


def _csv(path: Path, text: str) -> tuple[list[str], list[list[str]], list[int]]:
    """A CSV file, by commas, semicolons or tabs; what begins with # is a comment, and an empty line nothing."""
    first = next((line for line in text.splitlines() if line.strip() and line[0] != "#"), "")
    told = re.match(r"sep=([,;\t])\s*$", first)  # a spreadsheet's word for it
    text = text.replace(first, "", 1) if told else text
    delimiter = told[1] if told else max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True, skipinitialspace=True)
    try:
        cut = ((reader.line_num, [cell.strip() for cell in cells]) for cells in reader)
        rows = [(line, cells) for line, cells in cut if any(cells)]
    except csv.Error as error:
        raise bad(f"{_RULE} ({error})", str(path), "the path of one") from None
    head = next((k for k, (_, cells) in enumerate(rows) if cells[0][:1] != "#"), 0)
    # numpy.savetxt writes the line of names behind a #, and numbers come next.
    head -= bool(head and any(isinstance(plain(cell), float) for cell in rows[head][1]))
    rows = [row for k, row in enumerate(rows) if k == head or (k > head and row[1][0][:1] != "#")]
    names = [" ".join(name.lstrip("# ").split()) for name in rows[0][1]] if rows else []
    while names and not names[-1]:
        names.pop()
    if len(rows) < 2 or len(names) < 2 or not all(name.isprintable() and len(name) < 100 for name in names):
        rule = "a table of runs has a line of names, then a line for each run"
        raise bad(rule, str(path), "lr,batch_size,tokens,loss there, and numbers below, say")
    for line, cells in rows:
        if len(cells) < len(names) or any(cells[len(names) :]):
            instead = f"{len(names)} cells, one with a {delimiter!r} in quotes"
            raise bad(f"{path.name}, line {line}: a cell for each column", len(cells), instead)
    columns = [list(cells) for _, cells in zip(names, zip(*(cells for _, cells in rows[1:])))]
    names = [name or f"unnamed {k}" for k, name in enumerate(names, start=1)]
    return names, columns, [line for line, _ in rows[1:]]


def plain(cell: str) -> float | str:
    """Return what cells are compared by: the number that one is, or its text, which is "empty" if there is none."""
    if cell.lower() in _EMPTY:
        return "empty"
    try:
        return float(cell if cell[-1].isdigit() else without_unit(cell))
    except ValueError:
        return cell


def numbers(table: Table, names: Iterable[str], lines: NDArray[np.intp], words: str | None = None) -> list[Floats]:
    """Return columns as numbers, NaN where a cell is empty: 0.003, 3e-3, 0,003, 512k, 1.3B, 1,000,000, 1'000.

    The decimal mark is the one by which all of them are numbers: 0,5 tells, 1.000.000 does, 1,234 does not.

    Args:
        table: the columns as text.
        names: those that are wanted.
        lines: of each row.
        words: the column in which words stand for no number, too: "diverged", say.

    Raises:
        ValueError: a cell is neither empty nor a number.
    """
    columns = {name: [_GAP.sub("", cell) for cell in table[name]] for name in names}
    every = (cell for cells in columns.values() for cell in cells if "," in cell or "." in cell)
    telling = [cell for cell in every if any(form.fullmatch(cell) for form in _NUMBER.values())]
    mark = next((mark for mark, form in _NUMBER.items() if all(map(form.fullmatch, telling))), ".")
    form, between, found = _NUMBER[mark], "," if mark == "." else ".", []
    for name, cells in columns.items():
        values = [plain(c.replace(between, "").replace(mark, ".") if form.fullmatch(c) else c) for c in cells]
        others = [k for k, value in enumerate(values) if isinstance(value, str) and value != "empty"]
        # A column without a number is another than was meant.
        if others and (name != words or not any(isinstance(value, float) for value in values)):
            rule = f"column {name}, line {lines[others[0]]}: a cell is a number or empty"
            raise bad(rule, cells[others[0]][:40], "0.003, say, or 512k")
        found.append(np.array([math.nan if isinstance(value, str) else value for value in values], dtype=np.float64))
    return found
