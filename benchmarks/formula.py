"""The benchmark of bounds written as text: a parsed bound's search against the built-in's, and what parsing takes."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from statistics import median

import hpgrid
from hpgrid.bench.harness import PRINTED, cpu, interleaved, paired
from hpgrid.bench.tasks import TASKS
from hpgrid.proxy import FunctionProxy, Proxy
from hpgrid.search.brute import SearchResult

#: Eq. (4), as one types it.
EQ4 = PRINTED.replace("np.", "")

#: The same bound as what no expansion sees through: it is searched as a function.
OPAQUE = f"max({EQ4}, 0.5*C1*b/(eta*T))"

CONSTANTS = {"C1": 1.0, "C2": 1.0, "C3": 1.0}


def contenders(n: int) -> dict[str, dict[str, Callable[[], SearchResult]]]:
    """Return by work and bound a search of it: R1 and R4 over n^4 cells."""
    grid = hpgrid.Grid.footnote(n)
    bounds: dict[str, Proxy | FunctionProxy] = {
        "built in": hpgrid.bounds.lmo(),
        "parsed": hpgrid.parse(EQ4, CONSTANTS),
        "parsed, as a function": hpgrid.parse(OPAQUE, CONSTANTS),
    }
    return {
        name: {bound: partial(hpgrid.grid_search, proxy, grid, TASKS[name].over) for bound, proxy in bounds.items()}
        for name in ("R1", "R4")
    }


def parsing(calls: int = 200) -> list[float]:
    """Return the seconds of each of some calls of ``parse``."""
    seconds = []
    for _ in range(calls):
        start = time.perf_counter()
        hpgrid.parse(EQ4, CONSTANTS)
        seconds.append(time.perf_counter() - start)
    return seconds


def main(argv: Sequence[str] | None = None) -> int:
    """Check that all find the same cells, time them in turn, and print medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=100, help="points per axis")
    parser.add_argument("--runs", type=int, default=15, help="rounds of one timed call each")
    options = parser.parse_args(argv)
    print(f"{cpu()['model']}, {cpu()['cores']} cores; {options.n}^4 points in float64, {options.runs} rounds")
    print(f"parse: {1e3 * median(parsing()):.2f} ms")
    for task, calls in contenders(options.n).items():
        notes = _agreement(calls)
        times = interleaved(calls, options.runs)
        for name, seconds in times.items():
            ratio = paired(seconds, times["built in"])
            print(f"{task}  {name:22}  {1e3 * median(seconds):7.1f} ms  {ratio:5.2f} of the built-in's{notes[name]}")
    return 0


def _agreement(calls: Mapping[str, Callable[[], SearchResult]]) -> dict[str, str]:
    """Say of each bound in how many cells its argmin is not the built-in's: a function is rounded otherwise."""
    found = {name: call() for name, call in calls.items()}
    own = found["built in"]
    differ = {name: sum(int((own.index[v] != one.index[v]).sum()) for v in own.over) for name, one in found.items()}
    return {name: f"; {count} indices differ" if count else "" for name, count in differ.items()}


if __name__ == "__main__":
    raise SystemExit(main())
