"""A search over many constants against NumPy, as ``hpgrid bench --only sweep`` has it, and how it grows.

Last, how time and memory grow with the triples, each number of them in a fresh process.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from hpgrid.bench.harness import cpu, peak_memory
from hpgrid.bench.many_constants import FEW, NAMES, REGIME, TRIPLES, run, table, triples_of
from hpgrid.bounds import lmo
from hpgrid.grid import Grid
from hpgrid.search.many import search_many

#: How many triples are searched in one call, as a sweep does that writes each block to disk.
BLOCK = 1000


class Growth(NamedTuple):
    """What a number of triples costs in a fresh process: compiled already, imports in the peak."""

    triples: int
    seconds: float
    peak_mib: float


def growth(number: int, n: int) -> Growth:
    """Return what ``number`` triples cost, in blocks, in a process of its own."""
    command = [sys.executable, str(Path(__file__)), "--probe", str(number), "--n", str(n)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return Growth(number, *json.loads(done.stdout.splitlines()[-1]))


def probe(number: int, n: int) -> None:
    """Search many triples and print the seconds and the peak memory: what ``growth`` runs in the new process."""
    triples, grid = triples_of(number), Grid.footnote(n)

    def block(first: int) -> object:
        return search_many(lmo(), grid, REGIME, dict(zip(NAMES, triples[first : first + BLOCK].T)))

    block(number - 1)  # compiles
    start = time.perf_counter()
    for first in range(0, number, BLOCK):
        block(first)
    print(json.dumps([time.perf_counter() - start, peak_memory()]))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(prog="sweep.py", description=__doc__)
    parser.add_argument("--triples", type=int, default=TRIPLES, help="how many C1, C2, C3 (1000)")
    parser.add_argument("--few", type=int, default=FEW, help="how many of them for the slow contenders (5)")
    parser.add_argument("--n", type=int, default=100, help="values an axis (100)")
    parser.add_argument("--runs", type=int, default=5, help="timed rounds (5)")
    parser.add_argument("--growth", type=int, nargs="*", default=[100, 1000, 10_000], help="triples in fresh processes")
    parser.add_argument("--probe", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args(argv)
    if min(given.triples, given.few, given.runs, given.n - 1, *given.growth, 1) < 1:
        parser.error("triples, few, runs and growth are whole numbers of 1 or more, n of 2 or more")
    if given.probe:
        probe(given.probe, given.n)
        return 0
    machine = cpu()
    print(f"{machine['model']}, {machine['cores']} cores; joint tuning over {given.n}^3 cells at {given.n} budgets")
    print(table(run(given.triples, min(given.few, given.triples), given.n, given.runs)), flush=True)
    for number in given.growth:
        cost = growth(number, given.n)
        each = 1e3 * cost.seconds / number
        print(f"{number:7} triples: {each:6.2f} ms each, peak {cost.peak_mib:.0f} MiB", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
