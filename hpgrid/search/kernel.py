"""Brute force: the one file that knows jit, chunks, memory and devices.

A bound comes as tables: for every term, one value per point of every axis it depends on. The kernel
scans one reduced axis with the best value in hand, every other axis is a dimension, and the cube of all
points never exists. Tables are arguments, so a new constant or a new exponent runs the program that
is already compiled.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial, reduce
from operator import add, mul
from timeit import timeit
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from hpgrid.checks import bad
from hpgrid.compiled import compiled
from hpgrid.progress import foresee, track
from hpgrid.search.tables import CELL_BYTES, LINE_BYTES, Call, Hoisted, Scanned, Tables

#: How many points of the scanned axis one step of the loop takes: enough that the best value stays
#: in a register, few enough that the loop compiles quickly.
UNROLL_VALUE, UNROLL_INDEX = 10, 20


def on_axes(hoisted: Hoisted, own: Callable[[str, Any], Any]) -> Hoisted:
    """The tables of a search, each put through a function of its axis and itself; all else as it is."""

    def choose(path: tuple[Any, ...], leaf: Any) -> Any:
        return own(path[-1].key, leaf) if isinstance(path[-1], jax.tree_util.DictKey) and leaf.ndim else leaf

    chosen: Hoisted = jax.tree_util.tree_map_with_path(choose, hoisted)
    return chosen


def part_of(hoisted: Hoisted, places: Mapping[str, Any]) -> Hoisted:
    """The tables at some places of some axes."""
    return on_axes(hoisted, lambda axis, table: table[places[axis]] if axis in places else table)


def on_dimensions(axes: Sequence[str], axis: str, table: Any) -> Any:
    """A table on one axis as an array that broadcasts over several, a dimension each."""
    return table.reshape([-1 if v == axis else 1 for v in axes])


def _product(entry: Any) -> Any:
    coefficient, tables = entry
    return reduce(mul, (table for each in tables for table in each.values()), coefficient)


def line_risk(call: Call | None, hoisted: Hoisted) -> tuple[Callable[[Any], Any], Any]:
    """Return the risk along lines as a function of a scanned entry, and what is added after its minimum.

    A product is rounded before it is added (``+ zero``, an argument that the compiler can't drop):
    left free to contract it into a fused multiply-add here and not there, it would give a cell other
    last bits in another chunk.
    """
    if call is not None:  # a person's function is one of numbers: of arrays that broadcast it may be none
        call = replace(call, function=jnp.vectorize(call.function, excluded={len(call.arguments)}))
    zero = hoisted.zero
    penalties = [penalty for each in hoisted.penalty for penalty in each.values()]
    rest = reduce(add, [_product(entry) + zero for entry in hoisted.rest] + penalties, zero)
    # For every group of terms that share their factor on the scanned axis, what that factor is multiplied by.
    planes = [reduce(add, [_product(entry) + zero for entry in members]) for members in hoisted.groups]
    limit = hoisted.limit
    if len(limit) == 2:
        batch = next(limit[axis] for axis in limit if axis != "T")
        rest = jnp.where(batch <= limit["T"], rest, jnp.inf)

    def risk(entry: Any) -> Any:
        if call is not None:
            value = jnp.asarray(call(hoisted, entry), zero.dtype)
            # No bound is negative, or nought: a function that is, or is no number, is none there.
            value = jnp.where(value > 0, value, jnp.inf)
        else:
            value = reduce(add, [p * s + zero for p, s in zip(planes, entry.groups)] or [zero])
        if entry.penalty is not None:
            value = value + entry.penalty
        if entry.limit is not None:
            value = jnp.where(entry.limit <= limit["T"], value, jnp.inf)
        return value

    return risk, rest


class _Static(NamedTuple):
    """What a program is compiled for, beside the sizes of its tables."""

    call: Call | None
    scan: str
    remaining: tuple[str, ...]
    over: tuple[str, ...]  # the reduced axes, in canonical order
    counted: bool  # whether cells close to the best are
    packed: bool  # see ``_first``

    @property
    def lines(self) -> tuple[str, ...]:
        """The reduced axes that are not scanned."""
        return tuple(axis for axis in self.over if axis != self.scan)


def _best(static: _Static, hoisted: Hoisted, scanned: Scanned) -> tuple[Any, ...]:
    """Return, for every remaining cell, the best risk, its rank in row-major order, and the close cells if counted."""
    lines, axes = static.lines, (*static.remaining, *static.lines)
    every = on_axes(hoisted, partial(on_dimensions, axes))
    risk, rest = line_risk(static.call, every)
    shape = jnp.broadcast_shapes(*(leaf.shape for leaf in jax.tree.leaves(every)))
    none = jnp.broadcast_to(hoisted.zero + jnp.inf, shape)
    if lines:
        values = _along(lambda best, value, _: jnp.where(value < best, value, best), none, risk, scanned) + rest
        best, rank = _joint(static, hoisted, scanned, values)
    else:
        best, rank = _first(static.packed, none, risk, scanned)
        best = best + rest
    if not static.counted:
        return best, rank
    bound = best + 8 * jnp.finfo(best.dtype).eps * jnp.abs(best)
    # Every line of a cell is held against that cell's bound.
    bound = jnp.expand_dims(bound, [*range(bound.ndim, len(axes))])
    close = _along(lambda count, value, _: count + (value + rest <= bound).astype(jnp.int32),
                   jnp.zeros(shape, jnp.int32), risk, scanned)  # fmt: skip
    return best, rank, close.sum(range(best.ndim, len(axes)))


def _along(
    step: Callable[[Any, Any, Any], Any], start: Any, risk: Any, scanned: Scanned, unroll: int = UNROLL_VALUE
) -> Any:
    """What a step makes of what is in hand, the risk and its index, from one value of the scanned axis to the next."""
    return lax.scan(lambda held, entry: (step(held, risk(entry), entry.index), None), start, scanned, unroll=unroll)[0]


def _first(packed: bool, none: Any, risk: Callable[[Any], Any], scanned: Scanned) -> tuple[Any, Any]:
    """The best risk along the scanned axis and the first index that has it.

    Packed, the two travel as one complex number: on a CPU, XLA gives each output array a loop of
    its own, and two of them would evaluate the bound twice.
    """

    def pack(best: Any, index: Any) -> Any:
        both = jnp.broadcast_arrays(best, index)
        return lax.complex(*both) if packed else tuple(both)

    def step(held: Any, value: Any, index: Any) -> Any:
        better = value < (held.real if packed else held[0])
        new = pack(value, index.astype(value.dtype))
        return jax.tree.map(lambda n, old: jnp.where(better, n, old), new, held)

    held = _along(step, pack(none, jnp.asarray(-1, none.dtype)), risk, scanned, UNROLL_INDEX)
    best, index = (held.real, held.imag) if packed else held
    return best, index.astype(jnp.int32)


def _joint(static: _Static, hoisted: Hoisted, scanned: Scanned, values: Any) -> tuple[Any, Any]:
    """Minimise over several axes, by the best of every line: where the best lines have it.

    Only values are carried through the cube, which is three times faster than carrying indices;
    the index along the scanned axis is then found on the winning line alone. Tied lines are taken
    one after the other, so that the first cell in row-major order wins.
    """
    remaining, lines = static.remaining, static.lines
    shape = values.shape[len(remaining) :]
    # Kept as they are: a function's values, computed anew where they are compared, could differ in the last bits.
    values = lax.optimization_barrier(values.reshape(*values.shape[: len(remaining)], -1))
    count = values.shape[-1]
    best = values.min(-1)
    tied = values == best[..., None]
    ties = jnp.where(jnp.isfinite(best), tied.sum(-1), 1).max()
    numbers = jnp.arange(count, dtype=jnp.int32).reshape((1,) * best.ndim + (-1,))
    sizes = [len(scanned.index) if axis == static.scan else shape[lines.index(axis)] for axis in static.over]
    weights = {axis: math.prod(sizes[k + 1 :]) for k, axis in enumerate(static.over)}

    def ranks(line: Any) -> Any:
        places = dict(zip(lines, jnp.unravel_index(jnp.minimum(line, count - 1), shape)))
        on = partial(on_dimensions, (*remaining, static.scan))
        own = on_axes(hoisted, lambda v, table: table[places[v]][..., None] if v in places else on(v, table))
        along = line_risk(static.call, own)[0](jax.tree.map(partial(on, static.scan), scanned))
        places[static.scan] = jnp.where(along < jnp.inf, along, jnp.inf).argmin(-1)
        return sum(places[axis].astype(jnp.int64) * weights[axis] for axis in static.over)

    none = jnp.full(best.shape, math.prod(sizes), jnp.int64)
    if static.call is not None:
        # A compiler that computes a function anew where values are compared may find no line with the best one's bits.
        none = jnp.where(jnp.isfinite(best), ranks(values.argmin(-1).astype(jnp.int32)), none)

    def take(state: Any) -> Any:
        taken, line, rank = state
        line = jnp.where(tied & (numbers > line[..., None]), numbers, count).min(-1)
        rank = jnp.where(line < count, jnp.minimum(rank, ranks(line)), rank)
        return taken + 1, line, rank

    start = (jnp.asarray(0, ties.dtype), jnp.full(best.shape, -1, jnp.int32), none)
    return best, lax.while_loop(lambda state: state[0] < ties, take, start)[2]


#: As many cells are searched in some milliseconds by a program that is compiled soon: the other takes 0.4 s to compile.
SOON = 2**20


def program(*, soon: bool) -> Any:
    """Return the kernel as it is compiled."""
    return compiled(_best, soon=soon, static_argnums=0)


def best_cells(tables: Tables, *, chunk: int, counted: bool, times: int = 1) -> list[Any]:
    """Return the best risk over the remaining axes, +inf where no cell is feasible; where it is; and a count.

    Where it is, is the cell's number in row-major order over the reduced axes; ``counted``, where that is asked for,
    are the cells within 8 eps of the best. A call of the kernel takes ``chunk`` lines at most; ``times`` is how many
    such searches there are.
    """
    shape = tuple(tables.sizes[axis] for axis in tables.remaining)
    lines = math.prod(tables.sizes[axis] for axis in tables.lines)
    packed = jax.default_backend() == "cpu"
    soon = times * math.prod(tables.sizes.values()) <= SOON
    static = _Static(tables.call, tables.scan, tables.remaining, tables.over, counted, packed)
    kernel = partial(program(soon=soon), static)
    _foresee(kernel, tables, lines, chunk)
    blocks = list(_blocks(shape, max(1, chunk // lines)))
    whole: list[Any] = []
    for block in track(blocks, "grid search"):
        hoisted = part_of(tables.hoisted, dict(zip(tables.remaining, block)))
        with jax.enable_x64(True):
            results = [np.asarray(result) for result in kernel(hoisted, tables.scanned)]
        if len(blocks) == 1:
            return results
        whole = whole or [np.empty(shape, result.dtype) for result in results]
        for target, result in zip(whole, results):
            target[block] = result
    return whole


#: Cells from which on a search is timed beforehand: of a sum of terms, and of a function, which may be slower.
_MANY, _MANY_CALLS = 10**10, 10**9

#: Lines and entries along each at which it is timed.
_TIMED = 2**18, 2**7


def _foresee(kernel: Callable[..., Any], tables: Tables, lines: int, chunk: int) -> None:
    """Say what a search takes before it starts: it is timed on cells all over the grid, its lines are counted.

    Raises:
        ValueError: it takes too much; see ``foresee``.
    """
    if lines > np.iinfo(np.int32).max:
        instead = "fewer values an axis"
        raise bad("a search numbers the lines of a cell in 32 bits", f"{lines:.3g} lines", instead)
    cells, results = math.prod(tables.sizes.values()), math.prod(tables.sizes[axis] for axis in tables.remaining)
    size = LINE_BYTES * max(lines, min(chunk, lines * results)) + CELL_BYTES * results
    # On the axes: values, logs, and tables, here and on the device.
    size += 32 * sum(tables.sizes.values())
    size += 2 * sum(leaf.nbytes for leaf in jax.tree.leaves((tables.hoisted, tables.scanned)))
    seconds = 0.0
    if cells >= (_MANY if tables.call is None else _MANY_CALLS):
        most, along = _TIMED
        scanned = jax.tree.map(lambda leaf: leaf[_spread(len(leaf), along)], tables.scanned)
        places: dict[str, Any] = {}
        timed = 1
        for axis in (*tables.lines, *tables.remaining):
            places[axis] = _spread(tables.sizes[axis], max(1, most // timed))
            timed *= len(places[axis])
        hoisted = part_of(tables.hoisted, places)
        with jax.enable_x64(True):
            # The first call compiles.
            took = min([timeit(lambda: jax.block_until_ready(kernel(hoisted, scanned)), number=1) for _ in "123"][1:])
        seconds = took * cells / (timed * len(scanned.index))
    foresee(f"{cells:.3g} cells", seconds, size)


def _spread(n: int, most: int) -> Any:
    """Indices all over an axis, ``most`` at the most."""
    return np.linspace(0, n - 1, min(n, most)).astype(int)


def _blocks(shape: tuple[int, ...], cells: int) -> Iterator[tuple[slice, ...]]:
    """Blocks of one shape that cover an array, at most ``cells`` each; the last ones overlap."""
    sides: list[int] = []
    for n in reversed(shape):
        # Shared out evenly: 10 cells in blocks of at most 4 are three of 4, which overlap by 2, not 4 + 4 + 2.
        side = min(n, max(1, cells))
        side = math.ceil(n / math.ceil(n / side))
        sides.insert(0, side)
        cells //= side
    starts = ([min(start, n - side) for start in range(0, n, side)] for n, side in zip(shape, sides))
    for corner in itertools.product(*starts):
        yield tuple(slice(start, start + side) for start, side in zip(corner, sides))
