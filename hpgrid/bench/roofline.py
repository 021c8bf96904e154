"""The roofline of a search: operations and bytes per point, counted from its tables; what the device can do at most.

Counted are the additions, multiplications and comparisons of floating-point numbers that the kernel's
algorithm needs. Along the scanned axis that is, for each point, a product with every table there, their
sum, and a comparison with the best so far; for each line of such points, the products and sums that
do not vary along it. Not counted: the zero that is added to fix the rounding, selections, and indices.

Measured are multiply-adds in registers, and a triad through memory: two small kernels of JAX, on the device
that the search runs on, in the same process and in the same rounds as what is held against them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from timeit import timeit
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from hpgrid.bench.tasks import TASKS
from hpgrid.bounds import lmo
from hpgrid.checks import bad
from hpgrid.grid import Grid
from hpgrid.proxy import Proxy
from hpgrid.search import kernel
from hpgrid.search.brute import CHUNK, DTYPES
from hpgrid.search.tables import domain_of, tabulate
from hpgrid.text import aligned

# --- what a search needs ---


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
    tables = tabulate(proxy, axes, {}, domain_of(axes, {}, proxy.caps, None, None, {}), over=over, dtype=dtype)
    groups, rest, again = tables.hoisted.groups, tables.hoisted.rest, dtype == "float32"
    # A line is the cells along the scanned axis; what does not vary there is computed once for each.
    points, scanned = math.prod(tables.sizes.values()), tables.sizes[tables.scan]
    lines, cells = points // scanned, math.prod(size for name, size in tables.sizes.items() if name not in over)
    # At every point the sum of the groups and a comparison; in a second pass the rest is added to each risk.
    risk = 2 * len(groups) - 1 + (tables.scanned.penalty is not None) + (tables.scanned.limit is not None)
    along = (risk + 1) + again * (risk + 1 + 1)
    # For every line what does not vary along it, and the comparison of lines.
    products = sum(len(factors) for group in (*groups, rest) for _, factors in group)
    added = len(rest) + len(tables.hoisted.penalty)
    sums = sum(len(group) - 1 for group in groups) + max(0, added - 1)
    per_line = (1 + again) * (products + sums) + (added > 0) + bool(tables.lines)
    # The best so far is written and read at each step of a scan. A joint search carries values alone, and reads each
    # line's best three times: for the least, the ties, and where they are. A search along one axis carries an index,
    # too, as a number of the same type.
    each = 4 if again else 8
    unroll, carried = (kernel.UNROLL_VALUE, each) if tables.lines else (kernel.UNROLL_INDEX, 2 * each)
    handed = lines * (2 * carried * math.ceil(scanned / unroll) + bool(tables.lines) * 3 * each)
    # The count of close cells, a 32-bit integer, is carried.
    handed += again * lines * 2 * 4 * math.ceil(scanned / kernel.UNROLL_VALUE)
    entries = sum(leaf.size for leaf in jax.tree.leaves((tables.hoisted, tables.scanned)))
    rank = 8 if tables.lines else 4
    return Count(
        operations=along + per_line / scanned + again * 2 * cells / points,
        bytes=(cells * (each + rank + 4 * again) + each * entries) / points,
        handed=handed / points,
        at_once=carried * min(lines, CHUNK),
    )


def task_count(task: str, grid: Grid, dtype: str = "float64") -> Count:
    """Return what hpgrid's search needs per point for a task, by its name: no device is opened."""
    return count(lmo(C1=1.0, C2=1.0, C3=1.0), grid, TASKS[task].over, dtype)


def lines(tasks: Sequence[str], sizes: Sequence[int]) -> list[str]:
    """Return a table of what the searches need per point, for each task, number of values an axis, and dtype."""
    rows = [("work", "n", "dtype", "operations", "bytes", "handed on", "MB at a time")]
    for dtype in DTYPES:
        for task in tasks:
            for n in sizes:
                need = task_count(task, Grid.footnote(n), dtype)
                numbers = (f"{need.operations:.2f}", f"{need.bytes:.2g}", f"{need.handed:.2f}")
                rows.append((task, str(n), dtype, *numbers, f"{need.at_once / 1e6:.1f}"))
    return aligned(rows)


# --- what the device can do ---

#: Independent chains of multiply-adds on every element, as many as keep two units with a latency of
#: four cycles busy; and the length of each, so that reading and writing the element is lost in them.
_CHAINS, _DEPTH = 8, 32

#: Elements of the array that the chains start from: in a cache of the CPU, and enough threads for a GPU.
_ELEMENTS_CPU, _ELEMENTS_ELSEWHERE = 2**18, 2**24

#: Elements of each of the triad's two arrays, 512 MiB in float64: far larger than a cache.
_LARGE = 2**26

#: Seconds that a call takes at least, so that starting it does not count.
_LONG = 0.02


class Ceiling(NamedTuple):
    """A kernel to be timed: what to call, and the operations or bytes that a call does."""

    call: Callable[[], object]
    amount: float


@partial(jax.jit, donate_argnums=0)
def _multiply_adds(start: Any, factor: Any, addend: Any, passes: Any) -> Any:
    """2 * _CHAINS * _DEPTH operations an element and pass; what starts and joins the chains is not counted."""

    def once(_: Any, x: Any) -> Any:
        chains = [x] + [x + k * addend for k in range(1, _CHAINS)]
        for _step in range(_DEPTH):
            chains = [chain * factor + addend for chain in chains]
        return sum(chains[1:], chains[0]) * (1 / _CHAINS)

    return lax.fori_loop(0, passes, once, start)


@partial(jax.jit, donate_argnums=0)
def _triad(x: Any, y: Any, factor: Any, passes: Any) -> Any:
    """x = y + factor * x, in place: two reads and a write an element and pass."""
    return lax.fori_loop(0, passes, lambda _, x: y + factor * x, x)


def ceilings(elements: int | None = None, large: int = _LARGE) -> Mapping[str, Ceiling]:
    """Return the two kernels, compiled, on arrays that stay where they are: "arithmetic" and "memory".

    Args:
        elements: of the array that the multiply-adds start from; by the device where None.
        large: elements of each array of the triad.
    """
    if elements is None:
        elements = _ELEMENTS_CPU if jax.default_backend() == "cpu" else _ELEMENTS_ELSEWHERE
    with jax.enable_x64(True):
        # From 1 they stay at 1.
        factor, addend = jnp.float64(0.75), jnp.float64(0.25)
        arithmetic = _repeated(_multiply_adds, jnp.ones(elements, jnp.float64), factor, addend)
        memory = _repeated(_triad, jnp.ones(large, jnp.float64), jnp.full(large, 0.25, jnp.float64), factor)
    return {
        "arithmetic": _long_enough(arithmetic, 2.0 * _CHAINS * _DEPTH * elements),
        "memory": _long_enough(memory, 3.0 * 8 * large),
    }


def _repeated(kernel: Callable[..., Any], start: Any, *rest: Any) -> Callable[[int], None]:
    """Return a call of some passes that goes on from where the last one ended: its array is given back to it."""
    held = [start]

    def call(passes: int) -> None:
        with jax.enable_x64(True):
            held[0] = jax.block_until_ready(kernel(held[0], *rest, jnp.int32(passes)))

    return call


def _long_enough(call: Callable[[int], None], amount: float) -> Ceiling:
    """Compile, and double the passes until a call takes long enough."""
    # The first call compiles.
    call(1)
    passes = 1
    while timeit(partial(call, passes), number=1) < _LONG:
        passes *= 2
    return Ceiling(partial(call, passes), amount * passes)
