"""Columns of a table of runs: which is what, by its usual name, and which vary that were not named."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from itertools import combinations_with_replacement
from typing import Any, TypeVar

import numpy as np

from hpgrid.checks import InputError, bad, note
from hpgrid.fits.table import Table, plain

Value = TypeVar("Value")

#: What columns are usually called, patterns of their words in lower case, the likeliest first. Of losses, one averaged
#: over evaluations comes before the last one's, whose noise decides which run looks best, and training's comes last.
NAMES = {
    "eta": "eta lr learning_rate (peak|max|base)_(lr|learning_rate)",
    "b": r"b (\w+_)?batch(_size)?_tokens|tokens_per_(batch|step) (global|total|effective)_batch(_size)? batch(_size)?"
    r" (train_)?batch_(seqs|sequences|size)",
    "T": "t tokens (train|training|total|n|num)_tokens tokens_(seen|trained) (token|tokens)_budget",
    "K": "k steps iterations|iters (train|training|total|max|n|num)_(steps|iterations|iters) (global_)?step",
    "loss": r"(\w+_)?(smooth|smoothed|ema|avg|mean)_(\w+_)?loss|(\w+_)?loss_(smooth|smoothed|ema|avg|mean)"
    r" (final_)?(eval|val|valid|validation|test)_loss loss \w+_(eval|val|valid|validation|test)_loss"
    " (final|last|train|training)_loss",
    "N": "(n_|num_)?non_embedding(_params|_parameters)? (n_|num_)?(params|parameters) model_size|n|param_count",
    "seq_len": "(max_)?(seq|sequence|context)_(len|length) block_size",
    "schedule": "(lr_)?(schedule|scheduler)(_type)? (lr_)?decay(_type)?",
}

#: What is never a setting, by its name: what a run is called, when it ran, and what came out of it.
NO_SETTING = re.compile(
    r"(^|[_./ -])(id|run|file|path|url|date|time|timestamp|created|updated|host|user|seed|acc|accuracy|error|ppl"
    r"|perplexity|bpb|score|norm|runtime|elapsed|duration|hours|secs?|seconds?|throughput|tps|mfu|flops|mem|memory"
    r"|tags?|notes?)$|^(\w*(run|exp|experiment|job)_)?name$|loss(?!\w*_(coef\w*|weight|lambda)$)"
    r"|^unnamed|^_|^summary\.|^(train|eval|val|test)/", re.IGNORECASE,
)  # fmt: skip

#: What is one by its name, even where each run has a value of its own, as a random search leaves them.
_SETTING = re.compile(
    r"^config\.|weight_?decay|(^|[_./])(wd|warmup|dropout|momentum|alpha|beta|b[12]$|gamma|rho|lam|lambda|eps|clip"
    r"|coef|coeff|smoothing|init|initializer|decay)", re.IGNORECASE,
)  # fmt: skip

#: Momentum by the name of its column, as beta and as its complement.
_MOMENTUM = {"beta": re.compile(r"momentum|(^|[\W_])(beta(_?1)?|b1)$", re.IGNORECASE),
             "alpha": re.compile(r"(^|[./:])alpha$", re.IGNORECASE)}  # fmt: skip

#: What lies near 1, where a power of anything is as near: momentum of any kind, by its name.
_NEAR_ONE = re.compile(r"beta|momentum|(^|[\W_])(b[12]|ema)([\W_]|$)|(?<!weight)(?<!weight[\W_])decay$", re.IGNORECASE)

#: How far a setting may be off a power of others: as far as three digits go, and values that are taken for one; and of
#: its own spread in logs, where that is less than a factor of e.
_ROUNDED = 0.01


def choose(table: Table, given: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Return the column of each quantity, as given or by its usual name, and a note of the latter.

    Raises:
        ValueError: one is missing, or can't be told from another, or is given for two.
    """
    if len(set(given.values())) < len(given) or {"alpha", "beta"} <= set(given):
        told = ", ".join(f"{name} = {column}" for name, column in given.items())
        raise bad("each quantity has a column of its own, and momentum one", told[:150], "one of the two")
    chosen, said = dict(given), list[str]()
    for name in ("eta", "b", "T", "K", "loss"):
        ranks = {} if name in given else {c: r for c, r in _usual(table, name).items() if c not in chosen.values()}
        best = [column for column, rank in ranks.items() if rank == min(ranks.values())]
        if any(table[column] != table[best[0]] for column in best):
            raise bad(f"{name} is one column", ", ".join(best)[:150], f"--{name} {best[0]}, say")
        if best:
            chosen[name], others = best[0], " or ".join(column for column in ranks if column not in best)
            if others or best[0] != name:
                said.append(f"{name} is the column {best[0]}{others and ', not ' + others}")
    for name in ("eta", "loss") if "K" in chosen else ("eta", "loss", "T"):
        if name not in chosen:
            words = re.findall(r"\w+", NAMES[name])
            near = next((c for c in table if get_close_matches(c.lower(), words, 1, 0.75)), "and the column's name")
            rule = f"a table of runs has a column of {name}{', or of K' * (name == 'T')}"
            raise bad(rule, ", ".join(table)[:150], f"--{name} {near}")
    return chosen, ["; ".join(said)] if said else []


def _usual(table: Table, name: str) -> dict[str, tuple[int, bool, bool]]:
    """Columns that are called as a quantity is, by how likely: the whole name, or its end, as in config.lr, eval/loss.

    A trainer logs what the learning rate ends at, so that config.lr comes before train/lr.
    """
    ranks = {}
    for column, cells in table.items():
        parts = re.split(r"[./:]", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", column))
        ends = [re.sub(r"[\W_]+", "_", "_".join(parts[k:])).strip("_").lower() for k in range(len(parts))]
        fits = [(rank, k > 0, not column.startswith("config")) for rank, form in enumerate(NAMES[name].split())
                for k, end in enumerate(ends) if re.fullmatch(form, end)]  # fmt: skip
        if fits and any(plain(cell) != "empty" for cell in cells):
            ranks[column] = min(fits)
    return ranks


def of_all(table: Table, name: str, read: Callable[[str], Value | None], notes: list[str]) -> Value | None:
    """Return what the likeliest column of a quantity has in all rows, as ``read`` has it, and note it; None if none."""
    ranks = _usual(table, name)
    for column in sorted(ranks, key=ranks.__getitem__):
        text, *others = values_of(table[column])
        if not others and (value := read(text)) is not None:
            notes.append(f"{name} is the column {column}: {text}")
            return value
    return None


def values_of(cells: Sequence[str]) -> dict[str, int]:
    """Return how often a column has each value, as it is spelled first, the most frequent first."""
    spelled, counts = dict[float | str, str](), Counter[float | str]()
    for cell, n in Counter(cells).items():
        value = plain(cell)
        spelled.setdefault(value, "empty" if value == "empty" else cell)
        counts[value] += n
    return {spelled[value]: n for value, n in counts.most_common()}


def refuse_others(table: Table, named: set[str], known: Iterable[Sequence[Any]], notes: list[str]) -> None:
    """Refuse columns that vary as a setting does and were not named; note those that follow from what is known.

    What a run is called by, or what came out of it, is none: by its name, or as words that nearly every run has others
    of. Numbers that nearly every run has others of are a setting by their name alone, and else remarked on.

    Raises:
        ValueError: there are some.
    """
    known, few = list(known), len(next(iter(table.values()))) / 2
    pairs = [list(zip(*two)) for two in combinations_with_replacement(known, 2)]
    # A pair of its own for nearly every run determines everything and tells nothing.
    pairs = [pair for pair in pairs if len(set(pair)) <= few]
    free, following, open_, chosen = list[str](), list[str](), list[str](), [table[name] for name in named]
    for name, cells in table.items():
        if cells in chosen or len(set(cells)) == 1 or NO_SETTING.search(name):
            continue
        same = [plain(cell) for cell in cells]
        sure, numbers = len(set(same)) <= few or _SETTING.search(name), {*map(type, {*same} - {"empty"})} == {float}
        if len(set(same)) > 1 and (sure or numbers):
            follows = any(len(set(zip(pair, same))) == len(set(pair)) for pair in pairs)
            follows = follows or (not _NEAR_ONE.search(name) and _is_power(same, known))
            (following if follows else free if sure else open_).append(name)
    if free:
        raise _refusal(table, free, few)
    if following:
        notes.append(f"with eta, b or T vary also {', '.join(following)}")
    if open_:
        notes.append(f"{', '.join(open_)}: numbers of nearly every run's own are taken for what came out of it; "
                     f"--ignore {','.join(open_)} if so, and what was set is named by --var")  # fmt: skip
        note(notes[-1])


def _refusal(table: Table, free: Sequence[str], few: float) -> InputError:
    """Say which columns vary, and what may be done about the first of them."""
    name, *rest = free
    values, x = values_of(table[name]), [x for x in map(plain, table[name]) if isinstance(x, float)]
    picked, ways, own = "", list[str](), re.sub(r"\W", "_", re.split(r"[./:]", name)[-1])
    if len(values) <= few:
        told = ", ".join(f"{value} ({n})" for value, n in [*values.items()][:3])
        picked, ways = f"--where {name}={next(iter(values))}, ", [f"--by {name}"]
    else:
        told = f"{min(x):g} to {max(x):g}" if x else "its own in nearly every run"
    momentum = {n: v for v, form in _MOMENTUM.items() for n in free if form.search(n)}
    # Words are no hyperparameter, and momentum is one that there is.
    if len(x) == len(table[name]) and name not in momentum:
        ways.append(f"--var '{own} > 0'" + f" --others {own}={name}" * (own != name))
    also = f"; also {', '.join(rest)}" if rest else ""
    instead = f"{picked}--ignore {name}{', or of hpgrid fit ' * bool(ways)}{' or '.join(ways)}, for each"
    instead += "".join(f", and --{v} {n} for momentum" for n, v in [*momentum.items()][:1])
    return bad("other columns vary among the runs", f"{name}: {told}{also}"[:150], instead)


def _is_power(cells: Sequence[float | str], known: Iterable[Sequence[Any]]) -> bool:
    """Whether some numbers are a constant times powers of known ones, but for rounding, as a tenth of the rate is.

    What spreads little is near a constant, which is a power of nothing: rounding is measured by the spread.
    """
    columns = [np.array(x) for x in (cells, *known) if all(isinstance(value, float) and value > 0 for value in x)]
    if len(columns) < 2 or list(columns[0]) != list(cells):
        return False
    log, *others = np.log(columns)
    X = np.stack([np.ones(len(log)), *others], axis=1)
    if len(log) < X.shape[1] + 3:  # what is fitted by as many numbers follows from nothing
        return False
    off = np.abs(X @ np.linalg.lstsq(X, log, rcond=None)[0] - log).max()
    return bool(off <= _ROUNDED * min(np.ptp(log), 1.0))
