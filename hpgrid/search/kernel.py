"""Brute force: the one file that knows jit, vmap, chunks, memory and devices.

A bound comes as tables: for every term, one value per point of every axis it depends on. The kernel
scans one reduced axis with the best value in hand, every other axis is vmapped, and the cube of all
points never exists. Tables are arguments, so a new constant or a new exponent runs the program that
is already compiled.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator
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


def entries(tree: Any, axis: str, on_axis: Any, elsewhere: Any) -> Any:
    """A tree with what lies on ``axis`` put through one function, everything else through another."""

    def choose(path: tuple[Any, ...], leaf: Any) -> Any:
        last = path[-1]
        return on_axis(leaf) if isinstance(last, jax.tree_util.DictKey) and last.key == axis else elsewhere(leaf)

    return jax.tree_util.tree_map_with_path(choose, tree)


def over_axes(function: Callable[..., Any], hoisted: Hoisted, axes: tuple[str, ...]) -> Callable[..., Any]:
    """``function`` of one cell, vmapped over axes; its arguments after the tables lie on all of them."""

    def mapped(*arguments: Any) -> Any:
        lifted = function
        for axis in reversed(axes):
            on_tables = entries(hoisted, axis, lambda _: 0, lambda _: None)
            lifted = jax.vmap(lifted, in_axes=(on_tables, *([0] * (len(arguments) - 1))))
        return lifted(*arguments)

    return mapped


def _product(entry: Any) -> Any:
    coefficient, tables = entry
    return reduce(mul, (table for each in tables for table in each.values()), coefficient)


def line_risk(call: Call | None, hoisted: Hoisted) -> tuple[Callable[[Any], Any], Any]:
    """Return the risk along one line as a function of a scanned entry, and what is added after its minimum.

    A product is rounded before it is added (``+ zero``, an argument that the compiler can't drop):
    left free to contract it into a fused multiply-add here and not there, it would give a cell other
    last bits in another chunk.
    """
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


def _line_best(call: Call | None, scanned: Scanned, hoisted: Hoisted) -> Any:
    """The best risk along the scanned axis."""
    risk, rest = line_risk(call, hoisted)

    def step(best: Any, entry: Any) -> tuple[Any, None]:
        value = risk(entry)
        return jnp.where(value < best, value, best), None

    best, _ = lax.scan(step, hoisted.zero + jnp.inf, scanned, unroll=UNROLL_VALUE)
    return best + rest


def _line_argbest(call: Call | None, scanned: Scanned, packed: bool, hoisted: Hoisted) -> tuple[Any, Any]:
    """The best risk along the scanned axis and the first index that has it.

    Packed, the two travel as one complex number: on a CPU, XLA gives each output array a loop of
    its own, and two of them would evaluate the bound twice.
    """
    risk, rest = line_risk(call, hoisted)
    pack = lax.complex if packed else lambda best, index: (best, index)

    def step(carry: Any, entry: Any) -> tuple[Any, None]:
        value = risk(entry)
        better = value < (carry.real if packed else carry[0])
        new = pack(value, entry.index.astype(value.dtype))
        return jax.tree.map(lambda n, old: jnp.where(better, n, old), new, carry), None

    start = pack(hoisted.zero + jnp.inf, hoisted.zero - 1)
    carry, _ = lax.scan(step, start, scanned, unroll=UNROLL_INDEX)
    best, index = (carry.real, carry.imag) if packed else carry  # type: ignore[union-attr]
    return best + rest, index.astype(jnp.int32)


def _line_count(call: Call | None, scanned: Scanned, bound: Any, hoisted: Hoisted) -> Any:
    """How many cells of a line have a risk of at most ``bound``."""
    risk, rest = line_risk(call, hoisted)

    def step(count: Any, entry: Any) -> tuple[Any, None]:
        return count + (risk(entry) + rest <= bound).astype(jnp.int32), None

    return lax.scan(step, jnp.int32(0), scanned, unroll=UNROLL_VALUE)[0]


class _Static(NamedTuple):
    """What a program is compiled for, beside the sizes of its tables."""

    call: Call | None
    scan: str
    remaining: tuple[str, ...]
    over: tuple[str, ...]  # the reduced axes, in canonical order
    counted: bool  # whether cells close to the best are
    packed: bool  # see ``_line_argbest``


def _best(static: _Static, hoisted: Hoisted, scanned: Scanned) -> tuple[Any, ...]:
    """Return, for every remaining cell, the best risk, its rank in row-major order, and the close cells if counted."""
    call, scan, remaining, over, counted, packed = static
    lines = tuple(axis for axis in over if axis != scan)
    if not lines:
        best, rank = over_axes(partial(_line_argbest, call, scanned, packed), hoisted, remaining)(hoisted)
    else:
        best, rank = _joint(static, hoisted, scanned)
    if not counted:
        return best, rank
    bound = best + 8 * jnp.finfo(best.dtype).eps * jnp.abs(best)

    def count(hoisted: Hoisted, bound: Any) -> Any:
        # Every line of a cell is held against that cell's bound.
        return over_axes(partial(_line_count, call, scanned, bound), hoisted, lines)(hoisted).sum()

    return best, rank, over_axes(count, hoisted, remaining)(hoisted, bound)


def _joint(static: _Static, hoisted: Hoisted, scanned: Scanned) -> tuple[Any, Any]:
    """Minimise over several axes: the best of every line, then where the best lines have it.

    Only values are carried through the cube, which is three times faster than carrying indices;
    the index along the scanned axis is then found on the winning line alone. Tied lines are taken
    one after the other, so that the first cell in row-major order wins.
    """
    call, scan, remaining, over, _, _ = static
    lines = tuple(axis for axis in over if axis != scan)
    values = over_axes(partial(_line_best, call, scanned), hoisted, remaining + lines)(hoisted)
    shape = values.shape[len(remaining) :]
    # Kept as they are: a function's values, computed anew where they are compared, could differ in the last bits.
    values = lax.optimization_barrier(values.reshape(*values.shape[: len(remaining)], -1))
    count = values.shape[-1]
    best = values.min(-1)
    tied = values == best[..., None]
    ties = jnp.where(jnp.isfinite(best), tied.sum(-1), 1).max()
    numbers = jnp.arange(count, dtype=jnp.int32).reshape((1,) * best.ndim + (-1,))
    sizes = [len(scanned.index) if axis == scan else shape[lines.index(axis)] for axis in over]
    weights = {axis: math.prod(sizes[k + 1 :]) for k, axis in enumerate(over)}

    def rank_of_line(hoisted: Hoisted, line: Any) -> Any:
        places = dict(zip(lines, jnp.unravel_index(jnp.minimum(line, count - 1), shape)))
        for axis, place in places.items():
            hoisted = entries(hoisted, axis, lambda leaf, place=place: leaf[place], lambda leaf: leaf)
        risk, _ = line_risk(call, hoisted)
        along = jax.vmap(risk)(scanned)
        places[scan] = jnp.where(along < jnp.inf, along, jnp.inf).argmin()
        return sum(places[axis].astype(jnp.int64) * weights[axis] for axis in over)

    ranks = over_axes(rank_of_line, hoisted, remaining)
    none = jnp.full(best.shape, math.prod(sizes), jnp.int64)
    if call is not None:
        # A compiler that computes a function anew where values are compared may find no line with the best one's bits.
        none = jnp.where(jnp.isfinite(best), ranks(hoisted, values.argmin(-1).astype(jnp.int32)), none)

    def take(state: Any) -> Any:
        taken, line, rank = state
        line = jnp.where(tied & (numbers > line[..., None]), numbers, count).min(-1)
        rank = jnp.where(line < count, jnp.minimum(rank, ranks(hoisted, line)), rank)
        return taken + 1, line, rank

    start = (jnp.asarray(0, ties.dtype), jnp.full(best.shape, -1, jnp.int32), none)
    return best, lax.while_loop(lambda state: state[0] < ties, take, start)[2]


#: As many cells are searched in some milliseconds by a program that is compiled soon: the other takes 0.4 s to compile.
SOON = 2**20


def program(*, soon: bool) -> Any:
    """Return the kernel as it is compiled."""
    return compiled(_best, soon=soon, static_argnums=0)


def best_cells(
    tables: Tables,
    remaining: tuple[str, ...],
    *,
    chunk: int,
    counted: bool,
    times: int = 1,
) -> list[Any]:
    """Return the best risk over the remaining axes, +inf where no cell is feasible; where it is; and a count.

    Where it is, is the cell's number in row-major order over the reduced axes; ``counted``, where that is asked for,
    are the cells within 8 eps of the best. A call of the kernel takes ``chunk`` lines at most; ``times`` is how many
    such searches there are.
    """
    shape = tuple(tables.sizes[axis] for axis in remaining)
    lines = math.prod(tables.sizes[axis] for axis in tables.lines)
    packed = jax.default_backend() == "cpu"
    soon = times * math.prod(tables.sizes.values()) <= SOON
    static = _Static(tables.call, tables.scan, remaining, tables.over, counted, packed)
    kernel = partial(program(soon=soon), static)
    _foresee(kernel, tables, remaining, lines, chunk)
    blocks = list(_blocks(shape, max(1, chunk // lines)))
    parts: Iterable[Any] = blocks if len(blocks) == 1 else track(blocks, "grid search")
    whole: list[Any] = []
    for block in parts:
        hoisted = tables.hoisted
        for axis, part in zip(remaining, block):
            hoisted = entries(hoisted, axis, lambda leaf, part=part: leaf[part], lambda leaf: leaf)
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


def _foresee(kernel: Callable[..., Any], tables: Tables, remaining: tuple[str, ...], lines: int, chunk: int) -> None:
    """Say what a search takes before it starts: it is timed on cells all over the grid, its lines are counted.

    Raises:
        ValueError: it takes too much; see ``foresee``.
    """
    if lines > np.iinfo(np.int32).max:
        instead = "fewer values an axis"
        raise bad("a search numbers the lines of a cell in 32 bits", f"{lines:.3g} lines", instead)
    cells, results = math.prod(tables.sizes.values()), math.prod(tables.sizes[axis] for axis in remaining)
    size = LINE_BYTES * max(lines, min(chunk, lines * results)) + CELL_BYTES * results
    # On the axes: values, logs, and tables, here and on the device.
    size += 32 * sum(tables.sizes.values())
    size += 2 * sum(leaf.nbytes for leaf in jax.tree.leaves((tables.hoisted, tables.scanned)))
    seconds = 0.0
    if cells >= (_MANY if tables.call is None else _MANY_CALLS):
        most, along = _TIMED
        hoisted, scanned = tables.hoisted, jax.tree.map(lambda leaf: leaf[_spread(len(leaf), along)], tables.scanned)
        timed = len(scanned.index)
        for axis in (*tables.lines, *remaining):
            part = _spread(tables.sizes[axis], max(1, most // (timed // len(scanned.index))))
            hoisted = entries(hoisted, axis, lambda leaf, part=part: leaf[part], lambda leaf: leaf)
            timed *= len(part)
        with jax.enable_x64(True):
            # The first call compiles.
            took = min([timeit(lambda: jax.block_until_ready(kernel(hoisted, scanned)), number=1) for _ in "123"][1:])
        seconds = took * cells / timed
    foresee(f"{cells:.3g} cells", seconds, size)


def _spread(n: int, most: int) -> Any:
    """Indices all over an axis, ``most`` at the most."""
    return np.linspace(0, n - 1, min(n, most)).astype(int)


def _blocks(shape: tuple[int, ...], cells: int) -> Iterator[tuple[slice, ...]]:
    """Blocks of one shape that cover an array, at most ``cells`` each; the last ones overlap."""
    sides = []
    for n in reversed(shape):
        # Shared out evenly: 10 cells in blocks of at most 4 are three of 4, which overlap by 2, not 4 + 4 + 2.
        side = min(n, max(1, cells))
        side = math.ceil(n / math.ceil(n / side))
        sides.append(side)
        cells //= side
    starts = [[min(k * side, n - side) for k in range(math.ceil(n / side))] for n, side in zip(shape, reversed(sides))]
    for corner in itertools.product(*starts):
        yield tuple(slice(start, start + side) for start, side in zip(corner, reversed(sides)))
