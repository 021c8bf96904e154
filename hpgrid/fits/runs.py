"""Training runs from a table: which columns are what, what was dropped and why, what else varies."""

from __future__ import annotations

import csv
import io
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hpgrid.checks import bad, complement, unknown
from hpgrid.record import read_text
from hpgrid.shapes import Floats

#: What columns are usually called, the likeliest first; a loss averaged over evaluations before the last one's.
NAMES = {
    "eta": ("eta", "lr", "learning_rate", "peak_lr", "max_lr", "base_lr"),
    "b": ("b", "batch_tokens", "global_batch_size", "batch_size", "batch", "batch_seqs", "train_batch_size"),
    "alpha": ("alpha",),
    "beta": ("beta", "momentum", "beta1", "beta_1", "adam_beta1"),
    "T": ("T", "tokens", "train_tokens", "tokens_seen", "total_tokens", "n_tokens"),
    "K": ("K", "steps", "iterations", "num_steps", "train_steps", "total_steps"),
    "loss": (
        "smoothed_loss",
        "loss",
        "eval_loss",
        "eval/loss",
        "val_loss",
        "validation_loss",
        "final_val_loss",
        "val/loss",
    ),
}

#: A loss from here on is a run that diverged: log of any vocabulary is below 20.
DIVERGED = 1000.0

#: Values this close, relative, are one value that was spelled or rounded in two ways.
SAME = 0.005

#: What is never a setting, by its name: what a run is called, when it ran, and what came out of it.
_NO_SETTING = re.compile(
    r"(^|[_./ -])(id|name|run|file|path|url|date|time|created|updated|host|user|seed|loss|acc|accuracy|error|ppl"
    r"|perplexity|norm|runtime|duration|hours|seconds|state|status|tags?|notes?)$|^unnamed|loss|^_", re.IGNORECASE,
)  # fmt: skip

_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?")
_EMPTY = frozenset(("", "nan", "na", "n/a", "none", "null", "-"))


@dataclass(frozen=True)
class Runs:
    """The runs of one table that can be fitted.

    Args:
        values: eta, b, alpha as far as there are columns of them, each of shape (runs,).
        T: tokens, those within 0.5% as one.
        loss: as given.
        lines: each run's line in its file, or row.
        columns: the column that each quantity was read from.
        dropped: for each reason the lines that were.
        notes: what was understood without being told.
        counted: what T counts: tokens, or iterations where there is neither a column of tokens nor of batch sizes.
    """

    values: Mapping[str, Floats]
    T: Floats
    loss: Floats
    lines: NDArray[np.intp]
    columns: Mapping[str, str]
    dropped: Mapping[str, tuple[int, ...]]
    notes: tuple[str, ...]
    counted: str = "tokens"

    @property
    def varying(self) -> tuple[str, ...]:
        """The variables of which there is more than one value."""
        return tuple(name for name, x in self.values.items() if x.max() > x.min() * (1 + SAME))

    @property
    def largest(self) -> Runs:
        """The runs of the largest budget that shows where an optimum is: it has three, or else as many as any."""
        budgets, counts = np.unique(self.T, return_counts=True)
        return self.only(budgets[counts >= min(3, counts.max())].max() == self.T)

    def only(self, mask: NDArray[np.bool_]) -> Runs:
        """Return some of the runs."""
        values = {name: x[mask] for name, x in self.values.items()}
        return replace(self, values=values, T=self.T[mask], loss=self.loss[mask], lines=self.lines[mask])


Table = dict[str, "Sequence[Any] | NDArray[Any]"]


def read_table(path: Path) -> Table:
    """Return the columns of a CSV file as text: by commas, semicolons or tabs, with or without a byte order mark.

    Raises:
        ValueError: it can't be read, or is no table.
    """
    text = read_text(path, "the table of runs must be a readable CSV file")
    header = text[: text.find("\n")] if "\n" in text else text
    delimiter = max(",;\t", key=header.count)
    try:
        lines = [line for line in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True) if line]
    except csv.Error as error:
        raise bad(f"the table of runs must be a readable CSV file ({error})", str(path), "the path of one") from None
    if len(lines) < 2 or len(lines[0]) < 2 or not all(name.isprintable() and len(name) < 100 for name in lines[0]):
        rule = "a table of runs has a line of names, then a line for each run"
        raise bad(rule, str(path), "lr,batch_size,tokens,loss there, and numbers below, say")
    names = [name.strip() for name in lines[0]]
    for number, cells in enumerate(lines[1:], start=2):
        if len(cells) != len(names):
            raise bad(f"{path.name}, line {number}: a cell for each column", len(cells), f"{len(names)} cells")
    return dict(zip(names, zip(*lines[1:])))


def as_table(data: Any) -> Table:
    """Return the columns of a mapping, of a pandas or polars DataFrame, or of an xarray Dataset."""
    if isinstance(data, str | Path):
        return read_table(Path(data))
    if hasattr(data, "to_dataframe"):
        data = data.to_dataframe().reset_index()
    names = list(getattr(data, "columns", data))
    columns = {str(name): np.asarray(data[name]).ravel() for name in names}
    if len({len(column) for column in columns.values()}) != 1:
        raise bad(
            "the columns of a table are equally long", {n: len(c) for n, c in columns.items()}, "a cell for each run"
        )
    return dict(columns)


def numbers(name: str, column: Sequence[Any] | NDArray[Any]) -> Floats:
    """Return a column as numbers, NaN where a cell is empty.

    Thousands are told from decimals by the whole column: 1,234 and 12,345 are thousands, 0,5 beside them is not.

    Raises:
        ValueError: a cell is neither empty nor a number.
    """
    try:
        return np.array(column, dtype=np.float64)
    except (TypeError, ValueError):
        cells = [
            "" if cell is None else str(cell).strip().replace("\u00a0", "").replace(" ", "").replace("_", "")
            for cell in column
        ]
    commas = [cell for cell in cells if "," in cell]
    by = "" if all(_THOUSANDS.fullmatch(cell) for cell in commas) else "."
    values = np.empty(len(cells))
    for row, cell in enumerate(cells):
        try:
            values[row] = math.nan if cell.lower() in _EMPTY else float(cell.replace(",", by))
        except ValueError:
            raise bad(f"column {name}: a cell is a number or empty", cell[:40], "0.003, say") from None
    return values


def one_value(x: Floats) -> Floats:
    """Return the values with those within 0.5% of each other as one: the median of each group."""
    result = x.copy()
    order = np.argsort(x)
    first = np.r_[True, np.diff(x[order]) > SAME * np.abs(x[order][:-1])]
    for group in np.split(order, np.flatnonzero(first)[1:]):
        result[group] = np.median(x[group])
    return result


def load(
    data: Any,
    columns: Mapping[str, str],
    *,
    where: Mapping[str, str] | None = None,
    ignore: Iterable[str] = (),
    seq_len: float | None = None,
    b_unit: str | None = None,
) -> Runs:
    """Return the runs of a table.

    Args:
        data: a CSV file's path, a mapping of columns, a pandas or polars DataFrame, or an xarray Dataset.
        columns: which column holds eta, b, alpha or beta, T, K, loss; others are known by their usual names.
        where: columns, and the value that they must have.
        ignore: columns that vary and may.
        seq_len: tokens in a sequence, where b counts sequences.
        b_unit: "tokens" or "sequences"; otherwise it is seen where T, K and b are all there.

    Raises:
        ValueError: a column that is missing or holds no numbers, fewer than three runs, or others columns that vary.
    """
    table = as_table(data)
    chosen, notes = _choose(table, columns)
    kept = _matching(table, where or {})
    first = 2 if isinstance(data, str | Path) else 0  # a file's first run stands below its header
    raw = {name: numbers(column, table[column]) for name, column in chosen.items()}
    if "beta" in raw:
        beta = raw.pop("beta")
        raw["alpha"] = np.array([complement(x) if np.isfinite(x) else np.nan for x in beta])
    _in_tokens(raw, seq_len, b_unit, notes)
    values = {name: raw[name] for name in ("eta", "b", "alpha") if name in raw}
    loss = raw["loss"]
    reasons = {
        "the loss is missing or no finite number": ~np.isfinite(loss),
        f"a loss of {DIVERGED:g} or more: the run diverged": loss >= DIVERGED,
        "a setting is missing": np.isnan([*values.values(), raw["T"]]).any(axis=0),
        "a setting is not positive": (np.array([*values.values(), raw["T"]]) <= 0).any(axis=0),
        "it repeats an earlier line": _repeated(table, kept),
    }
    dropped = {}
    for reason, mask in reasons.items():
        lines = np.flatnonzero(kept & mask) + first
        if len(lines):
            dropped[reason] = tuple(int(line) for line in lines)
        kept = kept & ~mask
    runs = Runs(
        {name: one_value(x[kept]) for name, x in values.items()}, one_value(raw["T"][kept]), loss[kept],
        np.flatnonzero(kept) + first,
        chosen, dropped, tuple(notes), "tokens" if {"T", "b"} & set(chosen) else "iterations",
    )  # fmt: skip
    if len(runs.loss) < 3:
        told = "; ".join(f"{len(lines)}: {reason}" for reason, lines in dropped.items()) or "none dropped"
        raise bad("a fit takes three runs or more", f"{len(runs.loss)} left ({told})", "a table with more of them")
    if "b" in runs.values and (runs.values["b"] > runs.T).any():
        raise bad("a batch has at most as many tokens as the run", "b > T", "the units: --seq-len or --b-unit")
    if np.ptp(runs.loss) == 0:
        raise bad("losses differ among the runs", f"{runs.loss[0]:g} in all of them", "--loss and another column")
    others = hidden(table, kept, set(chosen.values()) | set(where or {}) | set(ignore))
    if others:
        name, seen = next(iter(others.items()))
        told = "; ".join(f"{n}: {', '.join(f'{v} ({k})' for v, k in c.most_common(3))}" for n, c in others.items())
        instead = f"--where {name}={seen.most_common(1)[0][0]}, --by {name}, or --ignore {name}, for each"
        raise bad("other columns vary among the runs", told, instead)
    return runs


def _choose(table: Table, given: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """The column of each quantity, and a note of those that were recognised."""
    chosen: dict[str, str] = {}
    for name, column in given.items():
        if column not in table:
            raise unknown("column", column, table)
        chosen[name] = column
    lowered = {column.lower().strip(): column for column in reversed(list(table))}
    seen = {}
    for name, usual in NAMES.items():
        # alpha is chosen only by hand: momentum that a table happens to have is not what is tuned.
        if name in chosen or name in ("alpha", "beta"):
            continue
        here = [lowered[u.lower()] for u in usual if u.lower() in lowered and lowered[u.lower()] not in chosen.values()]
        if here:
            seen[name] = here[0]
    for name in ("eta", "loss"):
        if name not in {**chosen, **seen}:
            raise bad(
                f"a table of runs has a column of {name}", ", ".join(table)[:200], f"--{name} {_nearest(name, table)}"
            )
    told = [f"{name} is the column {column}" for name, column in seen.items() if name != column]
    chosen.update(seen)
    if not {"T", "K"} & set(chosen):
        raise bad("runs have tokens, or iterations", ", ".join(table)[:200], f"--T {_nearest('T', table)}, or --K")
    return chosen, ["; ".join(told)] if told else []


def _nearest(name: str, table: Table) -> str:
    """The column whose name is nearest to the usual ones, or words for any."""
    near = [each for usual in NAMES[name] for each in get_close_matches(usual, [c.lower() for c in table], n=1)]
    return next((column for column in table if column.lower() in near), "and the column's name")


def _matching(table: Table, where: Mapping[str, str]) -> NDArray[np.bool_]:
    """Which rows have the values that are asked for, as text or as numbers."""
    kept = np.ones(len(next(iter(table.values()))), bool)
    for name, wanted in where.items():
        if name not in table:
            raise unknown("column", name, table)
        column = [str(cell).strip() for cell in table[name]]
        same = np.array([cell == str(wanted) or _equal(cell, str(wanted)) for cell in column])
        if not (kept & same).any():
            values = Counter(cell for cell, keep in zip(column, kept) if keep).most_common(8)
            raise bad(f"no run has {name} = {wanted}", ", ".join(v for v, _ in values), "one of these")
        kept &= same
    return kept


def _equal(cell: str, wanted: str) -> bool:
    try:
        return float(cell) == float(wanted)
    except ValueError:
        return False


def _in_tokens(raw: dict[str, Floats], seq_len: float | None, b_unit: str | None, notes: list[str]) -> None:
    """Give the runs T and b in tokens, by K = T/b."""
    if seq_len is not None and "b" in raw and b_unit != "tokens":
        raw["b"] = raw["b"] * seq_len
    elif {"b", "T", "K"} <= set(raw) and b_unit is None:
        with np.errstate(all="ignore"):
            ratio = raw["T"] / (raw["K"] * raw["b"])
        length = round(float(np.nanmedian(ratio)))
        if length >= 2 and np.nanmedian(np.abs(ratio / length - 1)) <= SAME:
            raw["b"] = raw["b"] * length
            notes.append(f"b counts sequences of {length} tokens, for T = K b {length}")
    elif b_unit == "sequences":
        raise bad("a batch in sequences has a length of them", b_unit, "--seq-len 4096, say")
    if "T" not in raw and "b" not in raw:
        raw["T"] = raw["K"]
    elif "T" not in raw:
        raw["T"] = raw["K"] * raw["b"]
    elif "b" not in raw and "K" in raw:
        raw["b"] = raw["T"] / raw["K"]


def _repeated(table: Table, kept: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which rows are an earlier one again, in every column that is no name, time or the like."""
    names = [name for name in table if not _NO_SETTING.search(name) or "loss" in name.lower()]
    seen: set[tuple[Any, ...]] = set()
    again = np.zeros(len(kept), bool)
    for row, cells in enumerate(zip(*(table[name] for name in names))):
        key = tuple(map(str, cells))
        again[row] = key in seen
        if kept[row]:
            seen.add(key)
    return again


def hidden(table: Table, kept: NDArray[np.bool_], known: Iterable[str]) -> dict[str, Counter[str]]:
    """Return the columns that vary among the runs as a setting does, and how often each value occurs.

    Not those that a run is called by or that came out of it, by their names or because nearly every run has another
    value, nor those that follow from what is known: one value for each budget, say.
    """
    rows = np.flatnonzero(kept)
    texts = {name: [str(table[name][int(row)]).strip() for row in rows] for name in table}
    named = [name for name in known if name in texts]
    determining = [*([name] for name in named), *([a, b] for a in named for b in named if a < b)]
    others = {}
    for name, column in texts.items():
        values = Counter(column)
        if name in named or len(values) < 2 or len(values) > len(rows) / 2 or _NO_SETTING.search(name):
            continue
        for by in determining:
            keys = list(zip(*(texts[n] for n in by)))
            # A key of its own for nearly every run determines everything and tells nothing.
            if len(set(keys)) <= len(rows) / 2 and len(set(zip(keys, column))) == len(set(keys)):
                break
        else:
            others[name] = values
    return others
