"""The benchmark of ``hpgrid.grid_search``: the same work by hpgrid and by what one would write instead.

Every contender's answer is checked before anything is timed. They are then timed in turn, in one
run; first calls and peak memory are measured in a fresh process each.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from hpgrid.bench.agreement import Agreement, compare, reference
from hpgrid.bench.contenders import CONTENDERS, FACTORED, HPGRID, PRINTED, WORKS, Contender, Loaded, why_not
from hpgrid.bench.measure import Fresh, fresh, interleaved
from hpgrid.bench.report import Outcome, record, remarks, row, table
from hpgrid.grid import Grid
from hpgrid.record import write_json

#: NumPy holds n^3 points at a time, and R1 at 2n searches 16 n^4 of them.
_SMALLEST, _LARGEST = 2, 300

#: From a contender's name, a work and n to what its first call costs, or why there is none.
Probe = Callable[[str, str, int], Fresh | str]


class Failed(Exception):
    """The contenders can't be compared: one gives another answer, or hpgrid gives none."""


def measure(
    work: str,
    n: int,
    runs: int,
    *,
    contenders: Mapping[str, Contender] = CONTENDERS,
    probe: Probe = fresh,
) -> Outcome:
    """Return what every contender costs at one work.

    Args:
        work: "R1" or "R4".
        n: values an axis.
        runs: timed rounds, after one call of each that is checked and not timed.
        contenders: who takes part, by name; hpgrid does.
        probe: what measures a first call.

    Raises:
        Failed: a contender disagrees with the reference, or hpgrid can't run.
    """
    firsts, skipped = _first_calls(work, n, contenders, probe)
    doubled = probe(HPGRID.name, work, 2 * n) if work == "R1" else None
    if HPGRID.name not in firsts or isinstance(doubled, str):
        raise Failed(f"hpgrid can't run: {skipped.get(HPGRID.name, doubled)}")
    grid = Grid.footnote(n)
    loaded = {name: contenders[name].load(work, grid) for name in firsts}
    agreements = check(work, grid, loaded)
    seconds = interleaved({name: ready.call for name, ready in loaded.items()}, runs)
    rows = {
        name: row(
            ready.detail,
            seconds[name],
            seconds[HPGRID.name],
            n**4,
            first=firsts[name],
            agreement=agreements[name],
        )
        for name, ready in loaded.items()
    }
    return Outcome(n, rows, skipped, doubled)


def _first_calls(
    work: str, n: int, contenders: Mapping[str, Contender], probe: Probe
) -> tuple[dict[str, Fresh], dict[str, str]]:
    """Return the cost of every contender's first call, and why the others have none."""
    firsts, skipped = {}, {}
    for name, contender in contenders.items():
        outcome = why_not(contender, n) or probe(name, work, n)
        if isinstance(outcome, str):
            skipped[name] = outcome
        else:
            firsts[name] = outcome
    return firsts, skipped


def check(work: str, grid: Grid, loaded: Mapping[str, Loaded]) -> dict[str, Agreement]:
    """Return how every contender's answer compares with eq. (4) as printed.

    Raises:
        Failed: one disagrees with it.
    """
    expected = reference(work, grid)
    agreements = {name: compare(ready.call(), expected) for name, ready in loaded.items()}
    for name, agreement in agreements.items():
        if not agreement.holds:
            raise Failed(
                f"{name} disagrees with NumPy as printed on {work}: of {agreement.cells} cells, "
                f"{agreement.wrong_indices} have another index and {agreement.wrong_values} another value"
            )
    return agreements


# --- the command ---


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark, print its tables and write its record; return the exit status."""
    options = _options(argv)
    print(f"NumPy, as printed:       {PRINTED}")
    print(f"NumPy, factored by hand: {FACTORED}, then the rest", flush=True)
    outcomes = {}
    try:
        for work in options.only:
            outcomes[work] = measure(work, options.n, options.runs)
            print(f"\n{work}: {WORKS[work]}; {options.n}^4 points, {options.runs} runs, float64")
            print(f"{table(outcomes[work])}\n{remarks(outcomes[work])}", flush=True)
        if options.json:
            write_json(options.json, record(outcomes, options.runs))
    except (Failed, OSError) as error:
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
