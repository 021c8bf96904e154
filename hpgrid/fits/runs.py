"""Training runs from a table: those that can be fitted, what was dropped and why."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import compress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hpgrid.checks import bad, complement, note, unknown
from hpgrid.fits.columns import NO_SETTING, choose, of_all, refuse_others, values_of
from hpgrid.fits.table import Table, as_table, numbers, plain
from hpgrid.shapes import Floats
from hpgrid.variables import STANDARD, Space

#: A loss from here on, in nats, is a run that diverged: log of any vocabulary is below 20. Where a loss's unit is not
#: known, so many times the lower quartile is.
DIVERGED = 1000.0

#: Values this close, relative, are one value that was spelled or rounded in two ways.
SAME = 0.005

#: So much apart are tokens of one budget: whole steps, or hundreds of them, leave a large batch size as far off.
ONE_BUDGET = 0.07

#: Fewer tokens than any sequence that language models are trained on: a batch of fewer counts sequences.
SHORTEST = 512

#: The name of a column that counts not one by one: tokens_M, tokens (B).
_IN_UNITS = re.compile(r"(\b|_)(m|b|g|millions?|billions?)\W*$", re.IGNORECASE)

#: More budgets of one setting in a doubling than this are a log's: nobody trains anew for 7% more tokens.
_IN_A_DOUBLING = 10

#: What a run is called by.
_RUN = re.compile(r"(^|[_./ -])(run|id)$", re.IGNORECASE)

#: What a column of seeds holds of rows that are no run.
_SUMMARIES = {"mean", "avg", "average", "median", "all", "std", "sd", "sem", "stderr", "var"}

#: Schedules by what is in their names: those that end in a decay, whatever was before it, and the rest.
_SCHEDULES = {
    "cos|wsd|decay|cool|anneal|trapez|cycl": "decay", "const|flat|fixed": "constant", "lin|sqrt|poly|exp": "decay",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Runs:
    """The runs of one table that can be fitted.

    Args:
        values: eta, b, alpha and what is declared, as far as there are columns of them, each of shape (runs,).
        T: the budget in tokens: those within 7% as one, but where each has a sweep of its own, those within 0.5%.
        loss: as given.
        lines: each run's line in its file, or row.
        columns: the column that each quantity was read from.
        dropped: for each reason the lines that were.
        notes: what was understood without being told.
        counted: what T counts: tokens, or iterations where there is neither a column of tokens nor of batch sizes.
        unit_of_b: tokens in one of what the column of batch sizes counts.
        schedule: of the learning rate, "constant" or "decay", where a column says it and all runs have the same.
        N: parameters of the model, where a column has one number for all runs.
        space: the variables, those among them that were declared.
        doubted: which are errors of record, once a surface has shown them.
        tokens: each run's own, where they are not its budget's.
    """

    values: Mapping[str, Floats]
    T: Floats
    loss: Floats
    lines: NDArray[np.intp]
    columns: Mapping[str, str]
    dropped: Mapping[str, tuple[int, ...]]
    notes: tuple[str, ...]
    counted: str = "tokens"
    unit_of_b: float = 1.0
    schedule: str | None = None
    N: float | None = None
    space: Space = STANDARD
    doubted: NDArray[np.bool_] | None = None
    tokens: Floats | None = None

    @property
    def varying(self) -> tuple[str, ...]:
        """The variables of which there is more than one value."""
        return tuple(name for name, x in self.values.items() if x.max() > x.min() * (1 + SAME))

    @property
    def largest(self) -> Runs:
        """The runs of the largest budget that shows where an optimum is: it has three, or else as many as any."""
        budgets, counts = np.unique(self.T, return_counts=True)
        return self.only(budgets[counts >= min(3, counts.max())].max() == self.T)

    @property
    def spans(self) -> tuple[float, float]:
        """The fewest and the most tokens of any run."""
        each = self.T if self.tokens is None else self.tokens
        return float(min(each.min(), self.T.min())), float(max(each.max(), self.T.max()))

    def ends(self, name: str) -> tuple[float, float]:
        """Return the smallest and the largest value of a variable, at whatever budget."""
        x = self.values[name]
        return float(x.min()), float(x.max())

    @property
    def best(self) -> dict[str, float]:
        """The setting of the run with the lowest loss that is no error of record."""
        return {name: float(x[np.argmin(self._sure)]) for name, x in self.values.items()}

    @property
    def least(self) -> float:
        """The lowest loss that is no error of record."""
        return float(self._sure.min())

    def near(self, far: float) -> NDArray[np.bool_]:
        """Return which runs are so near the lowest loss, or nearer; no error of record is."""
        return np.asarray(self._sure <= self.least + far)

    @property
    def _sure(self) -> Floats:
        return self.loss if self.doubted is None else np.where(self.doubted, np.inf, self.loss)

    def only(self, mask: NDArray[np.bool_]) -> Runs:
        """Return some of the runs."""
        values = {name: x[mask] for name, x in self.values.items()}
        doubted = None if self.doubted is None else self.doubted[mask]
        tokens = None if self.tokens is None else self.tokens[mask]
        return replace(
            self, values=values, T=self.T[mask], loss=self.loss[mask], lines=self.lines[mask], doubted=doubted,
            tokens=tokens,
        )  # fmt: skip


def rows_where(data: Any, where: Mapping[str, str]) -> tuple[Table, NDArray[np.intp]]:
    """Return the rows of a table whose columns have some values, and their lines.

    Raises:
        ValueError: a column that is missing, or that has no such value.
    """
    table, lines = as_table(data)
    for name, wanted in where.items():
        if name not in table:
            raise unknown("column", name, table)
        same = np.array([plain(cell) == plain(str(wanted)) for cell in table[name]])
        if not same.any():
            raise bad(f"no run has {name} = {wanted}", ", ".join(values_of(table[name]))[:150], "one of these")
        table, lines = _rows(table, same), lines[same]
    return table, lines


def load(
    data: Any,
    columns: Mapping[str, str],
    *,
    where: Mapping[str, str] | None = None,
    ignore: Iterable[str] = (),
    seq_len: float | None = None,
    b_unit: str | None = None,
    unit: float | None = 1.0,
    space: Space = STANDARD,
) -> Runs:
    """Return the runs of a table that can be fitted; arguments are ``fit``'s, ``columns`` those that it names.

    Raises:
        ValueError: a column that is missing or holds no numbers, fewer than three runs, or other columns that vary.
    """
    where, ignore = where or {}, tuple(ignore)
    table, lines = rows_where(data, where)
    for name in (*columns.values(), *ignore):
        if name not in table:
            raise unknown("column", name, table)
    chosen, notes = choose(table, columns)
    raw = dict(zip(chosen, numbers(table, chosen.values(), lines, chosen["loss"])))
    if "beta" in raw:
        raw["alpha"] = np.array([complement(x) if np.isfinite(x) else np.nan for x in raw.pop("beta")])
    unit_of_b = _in_tokens(raw, table, seq_len, b_unit, notes)
    loss, settings = raw["loss"], {name: raw[name] for name in (*space.hyperparameters, "T") if name in raw}
    kept, dropped = np.ones(len(loss), bool), dict[str, tuple[int, ...]]()
    for reason, mask in _reasons(table, settings, loss, unit, space).items():
        if (kept & mask).any():
            dropped[reason] = tuple(lines[kept & mask].tolist())
        kept &= ~mask
    table, lines, loss = _rows(table, kept), lines[kept], loss[kept]
    settings = {name: one_value(x[kept]) for name, x in settings.items()}
    T, b = settings["T"], settings.get("b", settings["T"])
    if len(loss) < 3:
        told = "; ".join(f"{len(lines)}: {reason}" for reason, lines in dropped.items()) or "none dropped"
        raise bad("a fit takes three runs or more", f"{len(loss)} left ({told})"[:150], "a table with more of them")
    if (b > T).any():
        given = f"b = {b[b > T][0]:g} and T = {T[b > T][0]:g} in line {lines[b > T][0]}"
        raise bad(
            "a batch has at most as many tokens as the run",
            given,
            "the units: --seq-len, --b-unit, or 1000M for tokens in millions",
        )
    if _IN_UNITS.search(chosen.get("T", "")) and T.max() < 1e6:
        note(f"T is taken to count tokens, {T.max():g} of them at most: write {T.max():g}M in the cells of "
             f"{chosen['T']}, if it counts millions")  # fmt: skip
    if np.ptp(loss) == 0:
        raise bad("losses differ among the runs", f"{loss[0]:g} in all of them", "--loss and another column")
    known = [*(x.tolist() for x in settings.values()), *(table[name] for name in ignore)]
    refuse_others(table, {*chosen.values(), *where, *ignore}, known, notes)
    _note_curves(table, settings, notes)
    schedule, N = of_all(table, "schedule", _schedule, notes), of_all(table, "N", _size, notes)
    tokens, counted = settings.pop("T"), "tokens" if {"T", "b"} & set(chosen) else "iterations"
    T, said = _budgets(tokens, settings.values()), tuple(notes)
    return Runs(settings, T, loss, lines, chosen, dropped, said, counted, unit_of_b, schedule, N, space, tokens=tokens)


def _schedule(text: str) -> str | None:
    return next((kind for words, kind in _SCHEDULES.items() if re.search(words, text.lower())), None)


def _size(text: str) -> float | None:
    value = plain(text.upper())  # of a model's size, 130m is millions
    return value if isinstance(value, float) else None


def _rows(table: Table, mask: NDArray[np.bool_]) -> Table:
    return {name: [*compress(cells, mask)] for name, cells in table.items()}


@np.errstate(all="ignore")  # no iterations, or a batch of none, is dropped later
def _in_tokens(raw: dict[str, Floats], table: Table, unit: float | None, b_unit: str | None, notes: list[str]) -> float:
    """Give the runs T and b in tokens, by T = K b; return how many are in one of what b counts, ``unit`` if told."""
    unit = 1.0 if b_unit == "tokens" else unit
    b, seen = raw.get("b", np.empty(0)), np.nan
    least = 1.0 if b_unit == "sequences" else float(b[b > 0].min(initial=np.inf))
    if {"b", "T", "K"} <= set(raw):
        each = raw["T"] / (raw["K"] * b)
        seen = float(np.median(each[np.isfinite(each)])) if np.isfinite(each).any() else np.nan
        if unit is None and seen >= 1 - SAME and np.mean(np.abs(each / seen - 1) <= SAME) >= 0.5:
            # Nominal tokens are 0.01% off actual ones; a mean over examples is no whole number.
            unit = 1.0 if seen <= 1 + SAME else round(seen) if abs(seen / round(seen) - 1) <= 5e-4 else seen
            notes += [f"b counts sequences of {unit:.4g} tokens, for T = K b {unit:.4g}"] * (unit > 1)

    if unit is None and "b" in raw:  # a batch in tokens has a sequence or more
        unit = of_all(table, "seq_len", lambda text: n if (n := _size(text)) and n > least else None, notes)
    if abs(seen / (unit or 1) - 1) > SAME:
        notes.append(f"T/(K b) is {seen:.3g}, yet b is taken to count {unit or 1:.4g} tokens: --seq-len?")
    if unit is None and b_unit == "sequences":
        raise bad("a batch in sequences has a length of them", b_unit, "--seq-len 4096, say")
    if unit is None and least < SHORTEST:
        notes.append(f"b is taken to count tokens, yet {least:g} are fewer than a sequence: if it counts sequences, a "
                     "column seq_len says how long they are, or --seq-len 4096")  # fmt: skip
        note(notes[-1])
    if "b" in raw:
        raw["b"] = b * (unit or 1)
    if "T" not in raw:
        raw["T"] = raw["K"] * raw.get("b", 1.0)
        if unit is None and least >= SHORTEST and "b" in raw:
            notes.append("T is K b, in what b counts: --seq-len, if that is sequences")
    elif "b" not in raw and "K" in raw:
        raw["b"] = raw["T"] / raw["K"]
    return unit or 1.0


def _note_curves(table: Table, settings: Mapping[str, Floats], notes: list[str]) -> None:
    """Remark on rows that are points of one run's curve: of one name, or one setting at more budgets than runs are."""
    T, setting = settings["T"].tolist(), [*zip(*(x.tolist() for name, x in settings.items() if name != "T"))]
    groups: dict[str, Sequence[Any]] = {name: cells for name, cells in table.items() if _RUN.search(name)}
    for name, cells in {**groups, "": setting}.items():
        budgets: dict[Any, set[float]] = {}
        for key, budget in zip(cells, T):
            budgets.setdefault(key, set()).add(budget)
        key, most = max(budgets.items(), key=lambda item: len(item[1]))
        of_one = len({*zip(cells, setting)}) == len(budgets)  # else it names what several runs have in common
        if of_one and len(most) > (1 if name else _IN_A_DOUBLING * (1 + np.log2(max(most) / min(most)))):
            what = f"{name} = {key}" if name else "one setting"
            notes.append(
                f"{what} is there at {len(most)} budgets: points of one run's curve are no runs of their own, so that "
                "intervals are too narrow, and where the rate decays only its end is a run"
            )
            note(notes[-1])
            return


def _reasons(
    table: Table, settings: Mapping[str, Floats], loss: Floats, unit: float | None, space: Space
) -> dict[str, NDArray[np.bool_]]:
    """Which rows can't be fitted, by why; of several reasons the first counts."""
    seeds = [cells for name, cells in table.items() if name.lower().endswith("seed")]
    # Another seed is another run, whatever its loss was rounded to; a run that was resumed has another name and times.
    telling = [cells for name, cells in table.items() if "loss" in name.lower() or not NO_SETTING.search(name)] + seeds
    first: dict[tuple[str, ...], int] = {}
    summary = np.array([cell.lower() in _SUMMARIES for cell in (seeds or [[""] * len(loss)])[0]])
    sizes = np.abs(loss[np.isfinite(loss)])
    most = DIVERGED / unit if unit else DIVERGED * float(np.quantile(sizes, 0.25)) if len(sizes) else np.inf
    x, alpha = np.array([*settings.values()]), settings.get("alpha", np.zeros(1))
    own = [v for v in space.tunable if v.name in settings and v not in STANDARD.tunable]
    outside = {v.rule: (settings[v.name] < v.least) | (settings[v.name] > v.most) for v in own}
    return {
        "the loss is missing or no finite number": ~np.isfinite(loss),
        f"a loss of {most:g} or more: the run diverged": loss >= most,
        "a setting is missing": np.any(~np.isfinite(x), axis=0),
        "a setting is not positive, or alpha above 1": np.any(x <= 0, axis=0) | (alpha > 1),
        **{f"not {rule}": mask for rule, mask in outside.items()},
        "it repeats an earlier line": np.array([first.setdefault(k, row) < row for row, k in enumerate(zip(*telling))]),
        "a mean or a spread over seeds, beside runs": summary & ~summary.all(),
    }


def _budgets(tokens: Floats, settings: Iterable[Floats]) -> Floats:
    """The budget of each run: where several within 7% have a sweep each, as wide as that of all of them, its own."""
    T, own, settings = one_value(tokens, ONE_BUDGET), one_value(tokens), [*settings]
    for near in [budget == T for budget in np.unique(T)]:
        if all(np.ptp(x[near & (own == t)]) == np.ptp(x[near]) for t in np.unique(own[near]) for x in settings):
            T = np.where(near, own, T)
    return T


def one_value(x: Floats, same: float = SAME) -> Floats:
    """Return positive values with those within a share of one another as one: the middle of those near the lowest."""
    order, result, start = np.argsort(x), x.copy(), 0
    ranked = x[order]
    while start < len(x):
        stop = np.searchsorted(ranked, ranked[start] * (1 + same), "right")
        result[order[start:stop]] = ranked[(start + stop - 1) // 2]
        start = stop
    return result
