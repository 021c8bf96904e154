"""What hpgrid's search needs for each work, on paper: no device is opened."""

from __future__ import annotations

from collections.abc import Sequence

import hpgrid
from hpgrid.bench.counts import Count, count
from hpgrid.bench.problem import C1, C2, C3
from hpgrid.bench.works import WORKS
from hpgrid.grid import Grid
from hpgrid.search.brute import DTYPES
from hpgrid.text import aligned

_COLUMNS = ("work", "n", "dtype", "operations", "bytes", "handed on", "MB at a time")


def needs(work: str, grid: Grid, dtype: str = "float64") -> Count:
    """Return the operations and bytes per point of hpgrid's search for a work, by its name."""
    return count(hpgrid.bounds.lmo(C1=C1, C2=C2, C3=C3), grid, WORKS[work].over, dtype)


def lines(works: Sequence[str], sizes: Sequence[int]) -> list[str]:
    """Return a table of what the searches need per point, for each work, number of values an axis, and dtype."""
    rows = [_COLUMNS]
    for dtype in DTYPES:
        for work in works:
            for n in sizes:
                need = needs(work, Grid.footnote(n), dtype)
                numbers = (
                    f"{need.operations:.2f}",
                    f"{need.bytes:.2g}",
                    f"{need.handed:.2f}",
                    f"{need.at_once / 1e6:.1f}",
                )
                rows.append((work, str(n), dtype, *numbers))
    return aligned(rows)
