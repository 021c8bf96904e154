"""The benchmark of ``hpgrid.grid_search``: the same work by hpgrid and by what one would write instead.

Every contender's answer is checked before anything is timed. They are then timed in turn, in one
run; first calls and peak memory are measured in a fresh process each.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any, NoReturn

from hpgrid.bench.agreement import Agreement, compare, reference
from hpgrid.bench.contenders import (
    CONTENDERS,
    FACTORED,
    HPGRID,
    PRINTED,
    WORKS,
    Contender,
    Loaded,
    why_not,
)
from hpgrid.bench.measure import Fresh, cpu, fresh, interleaved
from hpgrid.grid import Grid

#: NumPy holds n^3 points at a time, and 16 n^4 is the longest single search.
_SMALLEST, _LARGEST = 2, 300

#: From a contender's name, a work and n to what its first call costs, or why it has none.
Probe = Callable[[str, str, int], Fresh | str]


@dataclass(frozen=True)
class Row:
    """What was measured of one contender at one work.

    Attributes:
        label: the contender in words.
        skipped: why nothing was measured, or None.
        detail: how it ran: device, threads, compiled or not.
        seconds: of every round, in order.
        median_s: their median.
        ratio: its median over hpgrid's: how many times slower.
        paired_ratio: the median over rounds of its time over hpgrid's in the same round.
        points_per_s: grid points over ``median_s``.
        first: its first call in a fresh process.
        agreement: its answer against NumPy's, as printed.
    """

    label: str
    skipped: str | None = None
    detail: str = ""
    seconds: tuple[float, ...] = ()
    median_s: float | None = None
    ratio: float | None = None
    paired_ratio: float | None = None
    points_per_s: float | None = None
    first: Fresh | None = None
    agreement: Agreement | None = None


@dataclass(frozen=True)
class Outcome:
    """One work: a row for every contender, by name, and hpgrid's memory at twice the n (R1 only)."""

    rows: Mapping[str, Row]
    doubled: Fresh | None = None


def measure(
    work: str,
    n: int,
    runs: int,
    *,
    contenders: Mapping[str, Contender] = CONTENDERS,
    probe: Probe = fresh,
) -> Outcome:
    """Return what every contender costs at one work, at ``n`` values an axis.

    Args:
        work: "R1" or "R4".
        n: values an axis.
        runs: timed rounds, after one call of each that is checked and not timed.
        contenders: who takes part; hpgrid must.
        probe: what measures a first call.

    Raises:
        RuntimeError: a contender disagrees with the reference, or hpgrid can't run.
    """
    skipped = {name: why_not(contender, n) for name, contender in contenders.items()}
    # First, while this process is small: a machine short of memory has it all for these.
    firsts: dict[str, Any] = {name: probe(name, work, n) for name, why in skipped.items() if why is None}
    skipped |= {name: first for name, first in firsts.items() if isinstance(first, str)}
    if skipped[HPGRID.name] is not None:
        raise RuntimeError(f"hpgrid can't run: {skipped[HPGRID.name]}")
    doubled = probe(HPGRID.name, work, 2 * n) if work == "R1" else None
    if isinstance(doubled, str):
        raise RuntimeError(f"hpgrid can't run at n={2 * n}: {doubled}")

    grid = Grid.footnote(n)
    loaded = {name: contenders[name].load(work, grid) for name, why in skipped.items() if why is None}
    agreements = check(work, grid, loaded)
    seconds = interleaved({name: ready.call for name, ready in loaded.items()}, runs)
    rows = {
        name: Row(contender.label, skipped=skipped[name])
        if skipped[name] is not None
        else Row(
            contender.label,
            detail=loaded[name].detail,
            first=firsts[name],
            agreement=agreements[name],
            **timing(seconds[name], seconds[HPGRID.name], n**4),
        )
        for name, contender in contenders.items()
    }
    return Outcome(rows, doubled)


def check(work: str, grid: Grid, loaded: Mapping[str, Loaded]) -> dict[str, Agreement]:
    """Return how every contender's answer compares with the reference.

    Raises:
        RuntimeError: one disagrees with it.
    """
    expected = reference(work, grid)
    agreements = {name: compare(ready.call(), expected) for name, ready in loaded.items()}
    for name, agreement in agreements.items():
        if not agreement.holds:
            raise RuntimeError(
                f"{name} disagrees with NumPy on {work}: of {agreement.cells} cells, "
                f"{agreement.wrong_indices} have another index and {agreement.wrong_values} another value"
            )
    return agreements


def timing(seconds: Sequence[float], hpgrid: Sequence[float], points: int) -> dict[str, Any]:
    """Return a row's times: its median, and how many times slower than hpgrid it is."""
    return {
        "seconds": tuple(seconds),
        "median_s": median(seconds),
        "ratio": median(seconds) / median(hpgrid),
        "paired_ratio": median(mine / its for mine, its in zip(seconds, hpgrid)),
        "points_per_s": points / median(seconds),
    }


# --- what is shown and written ---

_COLUMNS = (
    "contender",
    "median ms",
    "x hpgrid",
    "paired",
    "Gpoints/s",
    "first call s",
    "peak MiB",
    "imports MiB",
    "how",
)


def table(outcome: Outcome) -> str:
    """Return an outcome as aligned text; times are medians, ratios say how many times slower."""
    rows = [_COLUMNS, *(_cells(row) for row in outcome.rows.values() if not row.skipped)]
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines = [
        "  ".join(
            text.ljust(width) if k in (0, len(widths) - 1) else text.rjust(width)
            for k, (text, width) in enumerate(zip(row, widths))
        ).rstrip()
        for row in rows
    ]
    lines += [f"{row.label.ljust(widths[0])}  skipped: {row.skipped}" for row in outcome.rows.values() if row.skipped]
    return "\n".join(lines)


def _cells(row: Row) -> tuple[str, ...]:
    assert row.first is not None
    assert row.median_s is not None
    assert row.points_per_s is not None
    return (
        row.label,
        f"{1e3 * row.median_s:.1f}",
        f"{row.ratio:.2f}",
        f"{row.paired_ratio:.2f}",
        f"{row.points_per_s / 1e9:.2f}",
        f"{row.first.first_call_s:.2f}",
        f"{row.first.peak_mib:.0f}",
        f"{row.first.imports_mib:.0f}",
        row.detail,
    )


def remarks(outcome: Outcome, n: int) -> str:
    """Return what the table doesn't hold: how far the answers agree, and memory at twice the n."""
    agreements = [row.agreement for row in outcome.rows.values() if row.agreement]
    lines = [
        f"All agree: the same indices in the {agreements[0].clear} of {agreements[0].cells} cells whose "
        "runner-up is more than 8 eps above the best,",
        f"values within {max(a.largest_eps for a in agreements):.1f} eps in all; elsewhere up to "
        f"{max(a.other_indices for a in agreements)} indices differ.",
    ]
    first = outcome.rows[HPGRID.name].first
    if outcome.doubled and first:
        lines.append(
            f"hpgrid at n = {2 * n}, 16 times the points: peak {outcome.doubled.peak_mib:.0f} MiB, "
            f"{outcome.doubled.peak_mib / first.peak_mib:.2f} of that at n = {n}."
        )
    return "\n".join(lines)


def record(outcomes: Mapping[str, Outcome], n: int, runs: int) -> dict[str, Any]:
    """Return all that was measured as plain data."""
    from hpgrid.record import SCHEMA, made_with

    made = made_with("float64")
    for package in ("torch", "numba"):
        made["versions"][package] = _installed(package)
    return {
        "schema": SCHEMA,
        "benchmark": "grid_search",
        "bound": "Shulgin et al., eq. (4), C1 = C2 = C3 = 1",
        "expressions": {"numpy_printed": PRINTED, "numpy_factored": FACTORED},
        "n": n,
        "points": n**4,
        "runs": runs,
        "cpu": cpu(),
        **made,
        "works": {work: _plain(work, outcome, n) for work, outcome in outcomes.items()},
    }


def _plain(work: str, outcome: Outcome, n: int) -> dict[str, Any]:
    first, doubled = outcome.rows[HPGRID.name].first, outcome.doubled
    return {
        "asks": WORKS[work],
        "contenders": {
            name: asdict(row) | {"first": row.first and row.first._asdict()} for name, row in outcome.rows.items()
        },
        "doubled": doubled
        and first
        and {"n": 2 * n, **doubled._asdict(), "peak_ratio": doubled.peak_mib / first.peak_mib},
    }


def _installed(package: str) -> str | None:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return None


# --- the command ---


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark, print its tables and write its record; return the exit status."""
    options = _options(argv)
    print(f"NumPy, as printed:       {PRINTED}\nNumPy, factored by hand: {FACTORED}, then the rest", flush=True)
    outcomes = {}
    try:
        for work in options.only:
            outcomes[work] = measure(work, options.n, options.runs)
            print(f"\n{work}: {WORKS[work]}; {options.n}^4 points, {options.runs} runs, float64")
            print(f"{table(outcomes[work])}\n{remarks(outcomes[work], options.n)}", flush=True)
        if options.json:
            from hpgrid.record import write_json

            write_json(options.json, record(outcomes, options.n, options.runs))
    except (RuntimeError, OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    """Return the command line's options; what is wrong with them ends the program with status 2."""
    parser = argparse.ArgumentParser(prog="grid_search.py", description=__doc__, allow_abbrev=False)
    parser.error = _refuse  # type: ignore[method-assign]
    parser.add_argument("--n", type=_count, default=100, help="values an axis (100)")
    parser.add_argument("--runs", type=_count, default=7, help="timed rounds (7)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all that was measured")
    parser.add_argument("--only", choices=list(WORKS), help="one of the two works")
    options = parser.parse_args(argv)
    if not _SMALLEST <= options.n <= _LARGEST:
        _refuse(f"--n is from {_SMALLEST} to {_LARGEST}, not {options.n}")
    if options.json and (options.json.is_dir() or not os.access(options.json.parent, os.W_OK)):
        _refuse(f"--json needs a file in a folder that can be written to, not {options.json}")
    options.only = [options.only] if options.only else list(WORKS)
    return options


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"a whole number, 1 or more, not {text!r}")
    return int(text)


def _refuse(message: str) -> NoReturn:
    print(f"error: {message}", file=sys.stderr)
    raise SystemExit(2)
