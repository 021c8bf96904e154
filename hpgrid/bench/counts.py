"""What a search costs on paper: operations and bytes per point, counted from its tables.

Counted are the additions, multiplications and comparisons of floating-point numbers that the kernel's
algorithm needs. Along the scanned axis that is, for each point, a product with every table there, their
sum, and a comparison with the best so far; for each line of such points, the products and sums that
do not vary along it. Not counted: the zero that is added to fix the rounding, selections, and indices.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from hpgrid.checks import bad
from hpgrid.grid import Grid
from hpgrid.proxy import Proxy
from hpgrid.search.tables import Tables, domain_of, tabulate


@dataclass(frozen=True)
class Count:
    """What a search needs, per point of the grid.

    Attributes:
        operations: additions, multiplications and comparisons.
        bytes: what any program must read and write: the tables once, the answer once.
        handed: what the kernel hands from one step of its scan to the next, written and read, and the
            reads of every line's best; it stays in a cache where there is room for ``at_once``.
        at_once: bytes of what is handed on at a time, in one call of the kernel; not per point.
    """

    operations: float
    bytes: float
    handed: float
    at_once: int

    @property
    def moved(self) -> float:
        """Bytes per point where what is handed on goes through memory, too."""
        return self.bytes + self.handed


def count(proxy: Proxy, grid: Grid, over: tuple[str, ...], dtype: str = "float64") -> Count:
    """Return what ``hpgrid.grid_search`` needs per point of the grid, for a bound that is a sum of terms.

    Args:
        proxy: the bound.
        grid: the box, all of whose axes the bound depends on.
        over: the axes that are minimised away.
        dtype: "float64", or "float32": the search then counts in a second pass the cells that it can't tell apart.

    Raises:
        ValueError: the bound is a function, not a sum of terms: its operations can't be counted.
    """
    if not isinstance(proxy, Proxy):
        raise bad("operations are counted from the terms of a bound", proxy.name, "a sum of terms")
    proxy = proxy.form(grid.budget)
    axes = {name: axis.values for name, axis in grid.axes.items()}
    tables = tabulate(proxy, axes, {}, domain_of(axes, {}, proxy.caps, None, None), over=over, dtype=dtype)
    points, scanned = math.prod(tables.sizes.values()), tables.sizes[tables.scan]
    lines, cells = points // scanned, math.prod(size for name, size in tables.sizes.items() if name not in over)
    again = dtype == "float32"
    handed, at_once = _handed(tables, lines, dtype, again)
    each = 4 if dtype == "float32" else 8
    rank = 8 if tables.lines else 4
    return Count(
        operations=_along(tables, again) + _per_line(tables, again) / scanned + again * 2 * cells / points,
        bytes=(cells * (each + rank + 4 * again) + each * _entries((tables.hoisted, tables.scanned))) / points,
        handed=handed / points,
        at_once=at_once,
    )


def _along(tables: Tables, again: bool) -> int:
    """Operations at every point of the scanned axis; in a second pass the rest is added to each risk."""
    groups = len(tables.hoisted["groups"])
    risk = groups + (groups - 1) + ("penalty" in tables.scanned) + ("limit" in tables.scanned)
    return (risk + 1) + again * (risk + 1 + 1)


def _per_line(tables: Tables, again: bool) -> int:
    """Operations for every line of them: what does not vary along it, and the comparison of lines."""
    groups, rest = tables.hoisted["groups"], tables.hoisted["rest"]
    products = sum(len(factors) for group in (*groups, rest) for _, factors in group)
    added = len(rest) + len(tables.hoisted["penalty"])
    sums = sum(len(group) - 1 for group in groups) + max(0, added - 1)
    to_best = int(added > 0)
    return (1 + again) * (products + sums) + to_best + bool(tables.lines)


def _handed(tables: Tables, lines: int, dtype: str, again: bool) -> tuple[int, int]:
    """Bytes of the best so far, written and read at each step of a scan; and of those at one time.

    A joint search carries values alone, and reads each line's best three times: for the least, the
    ties, and where they are. A search along one axis carries an index, too, as a number of the same type.
    """
    from hpgrid.search import kernel
    from hpgrid.search.brute import CHUNK

    each = 4 if dtype == "float32" else 8
    unroll, carried = (kernel._UNROLL_VALUE, each) if tables.lines else (kernel._UNROLL_INDEX, 2 * each)
    scanned = tables.sizes[tables.scan]
    total = lines * 2 * carried * math.ceil(scanned / unroll) + bool(tables.lines) * 3 * each * lines
    if again:  # the count of close cells, a 32-bit integer, is carried
        total += lines * 2 * 4 * math.ceil(scanned / kernel._UNROLL_VALUE)
    return total, carried * min(lines, CHUNK)


def _entries(tree: Any) -> int:
    """How many numbers a tree of tables holds."""
    if isinstance(tree, dict):
        return sum(map(_entries, tree.values()))
    if isinstance(tree, (list, tuple)):
        return sum(map(_entries, tree))
    return int(tree.size)
