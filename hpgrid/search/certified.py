"""Argmins without the cube: a lower bound says which cells can win, and those alone are evaluated.

A *lane* is one combination of constants at one budget. Its cells lie on lines (along the scanned axis), and those in
rows and columns (along two more axes). Along a line the bound is A s^-p + B s^q, or monotone, and its minimum over
the axis' range has a closed form: a lower bound for all cells of the line. So a lane is searched like this:

1. In every row, the column with the smallest lower bound: a scan with one axis fewer than the brute search.
2. The best cell of those lines, by the very products and sums of the brute search; the best of the rows is U.
3. From there outwards along each row, every line whose lower bound does not exceed U, evaluated likewise.

The minimum of a posynomial over a range of one variable is convex in the logs of the others. So a row's lines
below U lie together, and step 3 ends where both of its ends exceed U: nothing beyond them can win.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, reduce
from operator import add
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jax.sharding import Mesh, PartitionSpec

from hpgrid.compiled import compiled
from hpgrid.search.kernel import entries, group_planes, line_risk, over_axes
from hpgrid.search.lanes import Layout
from hpgrid.search.tables import Scanned

#: Columns in one step of the scan over them.
_UNROLL = 4

#: Operations on a value, at most, beside the sum of its terms; each is rounded to half an eps.
_ROUNDINGS = 16

#: The same of a power that is no square root: half an eps for each unit of the log of any normal number.
_POWER_ROUNDINGS = 2**10

#: The rank of no cell.
_NONE = 2**62


class _Ends(NamedTuple):
    """Each group's factor at both ends of the scanned axis, and the numbers of a pair."""

    first: Any
    last: Any
    pair: Any


def _at(hoisted: Any, axis: str, index: Any) -> Any:
    """The tables at one place of an axis."""
    return entries(hoisted, axis, lambda leaf: leaf[index], lambda leaf: leaf)


def _fold(hoisted: Any, axis: str) -> Any:
    """The tables with those on an axis multiplied into the coefficients."""

    def folded(entry: Any) -> Any:
        coefficient, tables = entry
        for table in (each[axis] for each in tables if axis in each):
            coefficient = coefficient * table
        return coefficient, [each for each in tables if axis not in each]

    return hoisted.each(folded)


def _packets(layout: Layout, ends: _Ends, hoisted: Any, without: str) -> dict[int, dict[str, Any]]:
    """What each group that has no table on an axis brings to the lower bound: its values at both ends, and a root."""
    packets = {}
    for g, members in enumerate(hoisted.groups):
        if any(without in each for _, tables in members for each in tables):
            continue
        plane = reduce(add, [coefficient for coefficient, _ in members])
        packets[g] = {"first": plane * ends.first[g], "last": plane * ends.last[g]}
        if layout.kind == "pair":
            root = jnp.sqrt(plane) if layout.square else jnp.power(plane, ends.pair.shares[g])
            packets[g]["root"] = root * ends.pair.scales[g]
    return packets


def _line_bound(layout: Layout, ends: _Ends, packets: dict[int, dict[str, Any]], hoisted: Any) -> Any:
    """The lower bound of a line whose tables are all folded: its minimum over the axis' range."""
    rest = [coefficient for coefficient, _ in hoisted.rest]
    if layout.falling is None:  # monotone; or without rows and columns, where there is nothing to choose
        end = "last" if layout.kind == "falls" else "first"
        return reduce(add, [packet[end] for packet in packets.values()] + rest, hoisted.zero)
    falls, rises = packets[layout.falling], packets[1 - layout.falling]
    p, q = (1.0, 1.0) if layout.square else (ends.pair.powers[layout.falling], ends.pair.powers[1 - layout.falling])
    minimum = falls["root"] * rises["root"]
    minimum = jnp.where(p * falls["first"] <= q * rises["first"], falls["first"] + rises["first"], minimum)
    minimum = jnp.where(p * falls["last"] >= q * rises["last"], falls["last"] + rises["last"], minimum)
    return reduce(add, rest, minimum)


def _lowest_column(layout: Layout, ends: _Ends, by_column: Any, count: Any, row: Any) -> Any:
    """The column of one row with the smallest lower bound; what lies on columns alone was computed before."""
    row = _fold(row, layout.row)
    by_row = _packets(layout, ends, row, layout.column)

    def step(carry: Any, entry: Any) -> tuple[Any, None]:
        tables, packets = entry
        # What does not lie on columns is nothing in the entry.
        whole = jax.tree.map(lambda part, old: old if part is None else part, tables, row, is_leaf=lambda x: x is None)
        here = _fold(whole, layout.column)
        value = _line_bound(layout, ends, {**_packets(layout, ends, here, ""), **packets, **by_row}, here)
        index = tables.place[layout.column]
        better = (value < carry.real) & (index < count)
        return jnp.where(better, lax.complex(value, index.astype(value.dtype)), carry), None

    # Packed: on a CPU, XLA gives each array that is carried a loop of its own.
    start = lax.complex(row.zero + jnp.inf, row.zero)
    columns = entries(row, layout.column, lambda leaf: leaf, lambda _: None)
    return lax.scan(step, start, (columns, by_column), unroll=_UNROLL)[0].imag.astype(jnp.int32)


def _cell(layout: Layout, scanned: Any, last: Any, hoisted: Any) -> tuple[Any, Any]:
    """The best risk on one line, in the bits of the brute search, and the first place that has it."""
    risk, rest = line_risk(None, hoisted)
    length = len(scanned.index)

    def at(place: Any) -> Any:
        return risk(Scanned(place, [table[place] for table in scanned.groups]))

    if layout.kind in ("rises", "falls"):
        # Rounding keeps the order, so that the values are monotone, too; but some may be the same.
        end = last if layout.kind == "falls" else jnp.zeros_like(last)
        lowest = at(end)
        return lowest + rest, _first(lambda place: at(place) <= lowest, end, length)
    if layout.falling is None:
        turn = _first(lambda place: at(place) <= at(jnp.minimum(place + 1, last)), last, length)
    else:
        planes = group_planes(hoisted)
        ratio = planes[layout.falling] / planes[1 - layout.falling]
        turn = jnp.searchsorted(scanned.pair.turns, ratio).astype(last.dtype)
    best, place = hoisted.zero + jnp.inf, jnp.zeros_like(last)
    for side in (-1, 0, 1):  # rounding may have moved the turn by one
        near = jnp.clip(turn + side, 0, last)
        value = at(near)
        best, place = jnp.where(value < best, value, best), jnp.where(value < best, near, place)
    return best + rest, place


def _first(holds: Callable[[Any], Any], last: Any, length: int) -> Any:
    """The first place from which on a condition holds, by bisection; ``last`` where that is none before it."""
    low, high = jnp.zeros_like(last), last
    for _ in range(length.bit_length()):
        middle = (low + high) // 2
        held = holds(middle)
        low, high = jnp.where(held, low, jnp.minimum(middle + 1, high)), jnp.where(held, middle, high)
    return low


def _best(layout: Layout, scanned: Any, hoisted: Any, counts: Any) -> tuple[Any, Any]:
    """The best risk of one lane, and the rank of its cell in row-major order over the reduced axes."""
    scan, row, column = layout.scan, layout.row, layout.column
    last = jnp.maximum(counts[scan] - 1, 0)
    ends = _Ends([t[0] for t in scanned.groups], [t[last] for t in scanned.groups], scanned.pair)
    folded = _fold(hoisted, layout.budget)  # for bounds alone: values are the search's, to the bit
    roundings = _ROUNDINGS + sum(map(len, hoisted.groups)) + len(hoisted.rest)
    roundings += 0 if layout.square or layout.falling is None else _POWER_ROUNDINGS
    # A lower bound and a value are each off by so many roundings, half an eps each; this is twice their sum.
    slack = 1 + 2 * roundings * jnp.finfo(jnp.float64).eps
    # For every row, the column with the smallest lower bound.
    by_row = _packets(layout, ends, folded, column)
    by_column = _packets(layout, ends, _fold(folded, column), row)
    by_column = {group: packet for group, packet in by_column.items() if group not in by_row}
    best_column = partial(_lowest_column, layout, ends, by_column, counts[column])
    lowest = over_axes(best_column, folded, (row,))(folded)

    def allowed(tables: Any, place: Any) -> tuple[Any, Any]:
        """Whether a row's line in a column may win, and the nearest column there is."""
        inside = (place >= 0) & (place < counts[column])
        inside &= (tables.place[row] < counts[row]) & (counts[scan] > 0)
        return inside, jnp.clip(place, 0, len(hoisted.place[column]) - 1)

    def value(tables: Any, place: Any) -> tuple[Any, Any]:
        """The best risk of a row's line in a column, and its cell's rank."""
        inside, near = allowed(tables, place)
        risk, along = _cell(layout, scanned, last, _at(tables, column, near))
        at = {row: tables.place[row], column: near, scan: along}
        rank = jnp.zeros((), jnp.int64)
        for axis, size in zip(layout.over, layout.sizes):
            rank = rank * size + at[axis].astype(jnp.int64)
        return jnp.where(inside, risk, jnp.inf), rank

    def lower(tables: Any, place: Any) -> Any:
        """The lower bound of a row's line in a column."""
        inside, near = allowed(tables, place)
        here = _fold(_fold(_at(tables, column, near), row), column)
        return jnp.where(inside, _line_bound(layout, ends, _packets(layout, ends, here, ""), here), jnp.inf)

    def evaluated(best: Any, rank: Any, columns: Any, needed: Any) -> tuple[Any, Any]:
        values, ranks = over_axes(jax.vmap(value, in_axes=(None, 0)), hoisted, (row,))(hoisted, columns)
        values = jnp.where(needed, values, jnp.inf)
        lowest_risk = jnp.minimum(best, values.min())
        tied = jnp.where(values == lowest_risk, ranks, _NONE).min()
        return lowest_risk, jnp.minimum(tied, jnp.where(best == lowest_risk, rank, _NONE))

    def below(best: Any, columns: Any) -> Any:
        bounds = over_axes(jax.vmap(lower, in_axes=(None, 0)), folded, (row,))(folded, columns)
        return (bounds <= slack * best) & (bounds < jnp.inf)

    # Both sides of a row at once: what is written twice is compiled twice.
    sides = jnp.array([[-1, 1]], jnp.int32)

    def outwards(state: Any) -> Any:
        best, rank, needed, distance = state
        best, rank = evaluated(best, rank, lowest[:, None] + sides * distance, needed)
        needed = needed & below(best, lowest[:, None] + sides * (distance + 1))
        return best, rank, needed, distance + 1

    best, rank = evaluated(hoisted.zero + jnp.inf, jnp.int64(_NONE), lowest[:, None], True)
    state = (best, rank, below(best, lowest[:, None] + sides), jnp.int32(1))
    return lax.while_loop(lambda state: state[2].any(), outwards, state)[:2]


def best_of_lanes(
    scanned: Any, hoisted: Any, counts: Any, *, layout: Layout, mesh: Mesh, soon: bool
) -> tuple[Any, Any]:
    """Return the best risk of every lane, +inf where no cell is allowed, and its cell's rank.

    Coefficients, what lies on the budget, and the counts of allowed values are arrays over the lanes, which are shared
    out evenly among the devices of the mesh; what lies on the scanned axis serves all of them.
    """
    return program(soon=soon)(scanned, hoisted, counts, layout=layout, mesh=mesh)


def program(*, soon: bool) -> Any:
    """Return ``best_of_lanes`` as it is compiled, ``soon`` or well."""
    return compiled(_shared, effort=0 if soon else 2, static_argnames=("layout", "mesh"))


def _shared(scanned: Any, hoisted: Any, counts: Any, *, layout: Layout, mesh: Mesh) -> tuple[Any, Any]:

    def of_lane(path: tuple[Any, ...], _: Any) -> int | None:
        """0 for what differs from lane to lane, coefficients and tables on the budget; None for the others."""
        key = path[-1]
        on_budget = isinstance(key, jax.tree_util.DictKey) and key.key == layout.budget
        return 0 if on_budget or isinstance(key, jax.tree_util.SequenceKey) else None

    differs = jax.tree_util.tree_map_with_path(of_lane, hoisted)
    lanes = PartitionSpec("lanes")
    specs = jax.tree.map(lambda axis: PartitionSpec() if axis is None else lanes, differs, is_leaf=lambda x: x is None)
    every = jax.vmap(partial(_best, layout), in_axes=(None, differs, 0))
    shared = jax.shard_map(
        every, mesh=mesh, in_specs=(PartitionSpec(), specs, lanes), out_specs=(lanes, lanes), check_vma=False
    )
    return shared(scanned, hoisted, counts)
