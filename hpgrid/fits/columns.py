"""Columns of a table of runs: which is what, by its usual name, and which vary that were not named."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from itertools import combinations_with_replacement
from typing import Any, TypeVar

from hpgrid.checks import bad
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
    r"|perplexity|norm|runtime|duration|hours|seconds|tags?|notes?)$|^(\w*(run|exp|experiment|job)_)?name$"
    r"|^unnamed|loss|^_|^summary\.|^(train|eval|val|test)/", re.IGNORECASE,
)  # fmt: skip

#: What is one by its name, even where each run has a value of its own, as a random search leaves them.
_SETTING = re.compile(r"^config\.|weight_?decay|(^|[_./])(wd|warmup|dropout|momentum|beta|eps|clip)", re.IGNORECASE)


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

    What a run is called by, or what came out of it, is none: by its name, or as nearly every run has another value.

    Raises:
        ValueError: there are some.
    """
    few = len(next(iter(table.values()))) / 2
    pairs = [list(zip(*two)) for two in combinations_with_replacement(known, 2)]
    # A pair of its own for nearly every run determines everything and tells nothing.
    pairs = [pair for pair in pairs if len(set(pair)) <= few]
    free, following, chosen = list[str](), list[str](), [table[name] for name in named]
    for name, cells in table.items():
        if cells in chosen or len(set(cells)) == 1 or NO_SETTING.search(name):
            continue
        same = [plain(cell) for cell in cells]
        if len(set(same)) > 1 and (len(set(same)) <= few or _SETTING.search(name)):
            follows = any(len(set(zip(pair, same))) == len(set(pair)) for pair in pairs)
            (following if follows else free).append(name)
    if free:
        name, *rest = free
        values = values_of(table[name])
        told = ", ".join(f"{value} ({n})" for value, n in [*values.items()][:3]) + ("; also " if rest else "")
        momentum = [f", and --beta {n} for momentum" for n in free if re.search(r"momentum|beta_?1$|^beta$", n, re.I)]
        own = re.sub(r"\W", "_", re.split(r"[./:]", name)[-1])
        tuned = f" or --var '{own} > 0'" + f" --others {own}={name}" * (own != name)
        tuned *= all(isinstance(x, float) for x in map(plain, table[name]))  # words are no hyperparameter
        instead = f"--where {name}={next(iter(values))}, --ignore {name}, or of hpgrid fit --by {name}{tuned}, for each"
        raise bad(
            "other columns vary among the runs",
            f"{name}: {told}{', '.join(rest)}"[:150],
            instead + "".join(momentum[:1]),
        )
    if following:
        notes.append(f"with eta, b or T vary also {', '.join(following)}")
