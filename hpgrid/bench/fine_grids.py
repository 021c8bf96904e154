"""The benchmark of exact searches on grids that no brute force gets through: a million million points."""

from __future__ import annotations

import time
from collections.abc import Sequence
from statistics import median
from typing import Any

from hpgrid.bench.harness import Fresh, fresh
from hpgrid.bench.tasks import TASKS
from hpgrid.bounds import lmo
from hpgrid.grid import Grid
from hpgrid.search.brute import grid_search
from hpgrid.search.verify import verify_search
from hpgrid.text import aligned

#: The searches, each with its number of values an axis: of R4 as many minima are held as cells remain.
SEARCHES = (("R1", 1000), ("R2", 1000), ("R3", 1000), ("R4", 300))


def report(runs: int, searches: Sequence[tuple[str, int]] = SEARCHES) -> tuple[str, dict[str, Any]]:
    """Return what exact searches of fine grids cost, as text and as plain data.

    Args:
        runs: timed rounds.
        searches: by task, the number of values an axis.

    Raises:
        ValueError: a search is wrong in some cell.
        SystemExit: a search fails in a process of its own.
    """
    measured: dict[str, Any] = {}
    for task, n in searches:
        first = fresh("hpgrid_exact", task, n)
        if not isinstance(first, Fresh):
            raise SystemExit(first)
        seconds = []
        for _ in range(runs):
            start = time.perf_counter()
            found = grid_search(lmo(), Grid.footnote(n), TASKS[task].over, method="exact")
            seconds.append(time.perf_counter() - start)
        looked_at = verify_search(found)
        measured[task] = {"n": n, "seconds": seconds, "first": first, "verified_with": looked_at}
    rows = [("exact search", "median s", "first call s", "peak MiB", "points", "verified with")]
    for task, one in measured.items():
        first, times = one["first"], f"{median(one['seconds']):.2f}"
        cells = f"{one['n']}^4", f"{one['verified_with']:.1e} cells"
        rows.append(
            (f"{task}: {TASKS[task].asks}", times, f"{first.first_call_s:.2f}", f"{first.peak_mib:.0f}", *cells)
        )
    return "\n".join(aligned(rows, wrap=("exact search",))), measured
