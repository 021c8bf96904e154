"""Minima of a posynomial without its cube: a lower bound says which columns of a row can win, and those are looked at.

Along the scanned axis a posynomial of two powers, A s^-p + B s^q, steps from one value of s to the next where A/B
passes known ratios; a monotone one is best at an end. So a cell of the other axes, a *line*, costs the same however
many values the scanned axis has. What is left is a matrix for every *lane* (one budget, say): its rows are an axis
that remains, or is reduced at last, its columns one that is reduced. For each row:

1. Start at a column near the best one: in some rows of some lanes all columns are compared, by the lower bound of 2.,
   and those of the others lie between theirs.
2. Evaluate the line there as the brute search does. Over all s, not those of the axis alone, A s^-p + B s^q has its
   minimum in closed form: a lower bound, and convex in the log of the column, as partial minima of posynomials are.
3. From there outwards, evaluate each column whose lower bound does not exceed the best value of the row so far. Beyond
   one that does nothing can win. Wherever this starts it ends at the minimum: on the way down the lower bound is below
   a value that was seen.

Where the bound is submodular, best columns move one way as rows follow one another (Topkis), by which ``verify_search``
checks them. Ties go to the first cell in row-major order, as in brute force.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import reduce
from itertools import product
from operator import add, and_
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hpgrid.progress import cores
from hpgrid.proxy import FunctionProxy, Proxy
from hpgrid.search.lines import Line, line_of
from hpgrid.search.structure import Structure, structure
from hpgrid.search.tables import Domain, Tables, places
from hpgrid.shapes import Floats

if TYPE_CHECKING:
    from hpgrid.search.brute import SearchPlan

#: How far a lower bound may exceed the best value, as a share of it, before its column is left out: each is off by
#: fewer than 100 roundings, 1e-14.
APART = 1e-12

#: Lines in one block: what is at work then stays in a core's cache.
BLOCK = 2**14

Index = NDArray[np.integer]

#: The allocator hands freed memory back to the system, which zeroes it page by page before it is there again, unless
#: a larger array was freed before: this one, which is never written, saves two thirds of a search's time.
np.empty(2**21)


@dataclass(frozen=True)
class Roles:
    """Which axis is what in an exact search.

    Attributes:
        row: a reduced or a remaining axis; "" where there is no such pair, so that each cell is a lane of its own.
        column: a reduced one, or "".
        backwards: whether the best columns fall as rows follow one another.
        lanes: all other axes, in canonical order.
    """

    row: str
    column: str
    backwards: bool
    lanes: tuple[str, ...]


def roles_of(tables: Tables, proxy: Proxy, line: Line, structure: Structure) -> Roles:
    """Return what each axis is in an exact search.

    Of the pairs of a row and a column that the structure allows the one with the most places is searched, of those
    columns in whose log the bound is convex.
    """
    outer = [v for v in tables.over if v != tables.scan and proxy.is_log_convex((tables.scan, v))]
    outer = outer if line.kind != "convex" else []  # whose minimum has no closed form
    best: tuple[int, str, str] = (0, "", "")
    for column, row in product(outer, [v for v in tables.sizes if v not in (tables.scan, proxy.budget)]):
        if row != column and structure.flips((tables.scan, row, column)) is not None:
            best = max(best, (tables.sizes[row] * tables.sizes[column], row, column))
    _, row, column = best
    flips = structure.flips((tables.scan, row, column)) if row else None
    rest = tuple(v for v in tables.sizes if v not in (tables.scan, row, column))
    return Roles(row, column, flips is not None and flips.get(row, 1) * flips.get(column, 1) < 0, rest)


@dataclass(frozen=True)
class Search:
    """An exact search in numbers.

    Attributes:
        tables: of the bound.
        structure: the signs of its mixed differences.
        roles: which axis is what.
        line: how the bound is minimised along the scanned axis.
        ends: for every axis that is searched the first and the last index that is allowed, arrays that broadcast over
            ``shape``.
    """

    tables: Tables
    structure: Structure
    roles: Roles
    line: Line
    ends: Mapping[str, tuple[Index, Index]]

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of the axes of lanes, after a 1: there may be none."""
        return (1, *(self.tables.sizes[v] for v in self.roles.lanes))

    @property
    def lines(self) -> int:
        """How many rows of lanes there are, or lanes where each is a cell."""
        return math.prod(self.shape) * self.tables.sizes.get(self.roles.row, 1)

    def planes(self, at: Mapping[str, Any]) -> tuple[list[Any], Any]:
        """Return at cells what multiplies each factor along the scanned axis, and what does not lie on it.

        In the order of the brute search, whose bits these are.
        """

        def product(coefficient: Any, tables: Sequence[Mapping[str, Floats]]) -> Any:
            for v, table in (entry for each in tables for entry in each.items()):
                # The first is multiplied before it is looked up, a number less for each cell.
                coefficient = coefficient * table[at[v]] if np.ndim(coefficient) else (coefficient * table)[at[v]]
            return coefficient

        def total(terms: Sequence[Any]) -> Any:
            return reduce(add, (product(*term) for term in terms)) if terms else 0.0

        hoisted = self.tables.hoisted
        return [total(group) for group in hoisted.groups], total(hoisted.rest)

    def best(self, at: Mapping[str, Any], low: Any, high: Any) -> tuple[Any, Any]:
        """Return the best risk along the scanned axis between two places, at cells of the others, and its rank."""
        planes, rest = self.planes(at)
        value, place = self.line.best(planes, low, high)
        rank = np.intp(0)
        for axis in self.tables.over:
            rank = rank * self.tables.sizes[axis] + (place if axis == self.tables.scan else at[axis])
        return value + rest, rank

    def lower(self, at: Mapping[str, Any], low: Any, high: Any) -> Any:
        """Return the minimum of the same over all values between the two, on the axis or not: at most the best risk."""
        planes, rest = self.planes(at)
        return self.line.lower(planes, low, high) + rest


@dataclass(frozen=True, repr=False)
class Proof:
    """What an exact search rests on, for ``verify_search``.

    Attributes:
        structure: the signs of the bound's mixed differences.
        scan: the axis along which the bound is a posynomial.
        roles: which axis is what.
        columns: of every lane, in row-major order over its axes, the best column of each row; -1 where none is allowed.
    """

    structure: Structure
    scan: str
    roles: Roles
    columns: Index

    def __repr__(self) -> str:
        return f"Proof({self.structure.text()!r}, {self.columns.size} minima)"


def search(problem: Search) -> tuple[Floats, Index, Index]:
    """Return the best risk over the remaining axes, +inf where no cell is feasible; and its rank.

    The rank is the best cell's number in row-major order over the reduced axes. Beside them stands the best column of
    every row of every lane, see ``Proof``.
    """
    sizes, over, roles, shape = problem.tables.sizes, problem.tables.over, problem.roles, problem.shape
    axes, lanes = [*roles.lanes, *([roles.row] if roles.row else [])], math.prod(shape)
    whole = (lanes, sizes[roles.row]) if roles.row else shape
    risk = np.empty(whole)
    rank = np.empty(whole, np.int32 if math.prod(sizes[v] for v in over) < 2**31 else np.int64)
    columns = np.full((lanes, sizes.get(roles.row, 0)), -1, np.int32)
    if roles.row:
        ends = [problem.ends[v] for v in (problem.tables.scan, roles.row, roles.column)]
        feasible = np.broadcast_to(reduce(and_, (low <= high for low, high in ends)), shape).ravel()
        risk[~feasible], rank[~feasible] = np.inf, 0
        allowed, start = np.flatnonzero(feasible), _start(problem)

        def rows(part: slice) -> None:
            own = allowed[part]
            risk[own], rank[own], columns[own] = _rows(problem, own, start[own])

        _in_parts(rows, len(allowed), BLOCK // sizes[roles.row])
    else:
        mesh, along = np.ogrid[tuple(map(slice, shape))], int(np.argmax(shape))

        def cells(part: slice) -> None:
            here = (slice(None),) * along + (part,)
            arrays = (*mesh, *problem.ends[problem.tables.scan])
            *at, low, high = (x if x.shape[along] == 1 else x[here] for x in arrays)
            risk[here], rank[here] = problem.best(dict(zip(roles.lanes, at[1:])), low, high)
            outside = np.broadcast_to(low > high, risk[here].shape)
            if outside.any():
                risk[here][outside], rank[here][outside] = np.inf, 0

        _in_parts(cells, shape[along], 4 * BLOCK * shape[along] // lanes)
    risk, rank = risk.reshape([sizes[v] for v in axes]), rank.reshape([sizes[v] for v in axes])
    for v in [v for v in axes if v in over]:  # what is reduced beside columns
        k = axes.index(v)
        least = risk.min(axis=k, keepdims=True)
        risk, rank = least.squeeze(k), np.where(risk == least, rank, np.iinfo(rank.dtype).max).min(axis=k)
        axes.remove(v)
    order = [axes.index(v) for v in sizes if v in axes]
    return risk.transpose(order), rank.transpose(order), columns


def _in_parts(run: Callable[[slice], None], total: int, each: int) -> None:
    """Run what takes a part of so many in parts of so many: on all cores, where there are several."""
    parts = [slice(start, start + max(1, each)) for start in range(0, total, max(1, each))]
    if len(parts) < 2:
        for part in parts:
            run(part)
        return
    with ThreadPoolExecutor(min(cores(), len(parts))) as pool:
        list(pool.map(run, parts))


def _start(problem: Search) -> Index:
    """A column for every row of every lane, near the best: of some by their lower bounds, of others between those."""
    sizes, roles = problem.tables.sizes, problem.roles
    axes, width = [*roles.lanes, roles.row], sizes[roles.column]
    # As many of each axis as keep this a small part of the whole.
    nodes = [
        np.rint(np.linspace(0, n - 1, min(n, 2 + math.isqrt(n)))).astype(np.intp) for n in map(sizes.__getitem__, axes)
    ]
    *mesh, column = np.ix_(*nodes, np.arange(width))

    def ends(axis: str) -> list[Any]:
        """Those of the lanes that are looked at."""
        lanes: tuple[Any, ...] = (0, *mesh[:-1])
        return [x[tuple(k if n > 1 else 0 for k, n in zip(lanes, x.shape))] for x in problem.ends[axis]]

    (left, right), at = ends(roles.column), dict(zip((*axes, roles.column), (*mesh, column)))
    least = problem.lower(at, *ends(problem.tables.scan))
    found: Any = np.where((left <= column) & (column <= right), least, np.inf).argmin(axis=-1)
    found = np.broadcast_to(found, [len(own) for own in nodes])
    for k, (v, own) in enumerate(zip(axes, nodes)):
        every = np.arange(sizes[v])
        after = np.maximum(np.searchsorted(own, every), 1)
        share = ((every - own[after - 1]) / (own[after] - own[after - 1])).reshape(-1, *[1] * (len(axes) - 1 - k))
        before = found.take(after - 1, axis=k)
        found = before + share * (found.take(after, axis=k) - before)
    return np.rint(found).astype(np.intp).reshape(-1, sizes[roles.row])


def _rows(problem: Search, lanes: Index, start: Index) -> tuple[Floats, Index, Index]:
    """The best risk of every row of some lanes, its rank and its column, looked for from some columns on."""
    roles, rows = problem.roles, start.shape[1]
    place = places(lanes[:, None], problem.shape)
    # Of each axis that is searched, the ends: one for all lanes, or one for each.
    ends = {
        v: [x.ravel()[0] if x.size == 1 else np.broadcast_to(x, problem.shape)[place] for x in each]
        for v, each in problem.ends.items()
    }

    def cells(lane: Any, row: Any, column: Any) -> tuple[dict[str, Any], list[Any], list[Any]]:
        """Where rows of lanes and their columns are, and the ends of the scanned axis and of columns there."""
        at = {v: x[lane] for v, x in zip(roles.lanes, place[1:])} | {roles.row: row, roles.column: column}
        scan, columns = ([x[lane] if x.ndim else x for x in ends[v]] for v in (problem.tables.scan, roles.column))
        return at, scan, columns

    def that_may_win(lane: Any, row: Any, column: Any, best: Floats) -> Index:
        """Which columns, by number, may be as good as what is known of their rows."""
        at, scan, (left, right) = cells(lane, row, column)
        at[roles.column] = np.minimum(np.maximum(column, left), right)
        least = problem.lower(at, *scan) <= best * (1 + APART)
        return np.flatnonzero(least & (at[roles.column] == column))

    every = np.arange(rows)
    left, right = ends[roles.column]
    start = np.minimum(np.maximum(start, left), right)
    at, scan, _ = cells(..., every, start)
    value, rank, best = (np.broadcast_to(x, start.shape).flatten() for x in (*problem.best(at, *scan), start))
    # To both sides of each row, first those to the left, and on from those that may win.
    column = start + np.array([-1, 1])[:, None, None]
    on = that_may_win(..., every, column, value.reshape(start.shape))
    side, cell = np.divmod(on, start.size)
    side, column = 2 * side - 1, column.ravel()[on]
    while len(on):
        lane, row = np.divmod(cell, rows)
        at, scan, _ = cells((lane, 0), row, column)
        found = [np.broadcast_to(x, cell.shape) for x in (*problem.best(at, *scan), column)]
        split = int(np.searchsorted(side, 0))
        for half in (slice(split), slice(split, None)):  # a row may be in both
            own, (other, number, at_column) = cell[half], (x[half] for x in found)
            better = (other < value[own]) | ((other == value[own]) & (number < rank[own]))
            own = own[better]
            value[own], rank[own], best[own] = other[better], number[better], at_column[better]
        column = column + side
        on = that_may_win((lane, 0), row, column, value[cell])
        cell, column, side = cell[on], column[on], side[on]
    top, bottom = ends[roles.row]
    outside = np.broadcast_to((every < top) | (every > bottom), start.shape).ravel()
    if outside.any():
        value[outside], rank[outside], best[outside] = np.inf, 0, -1
    return value.reshape(start.shape), rank.reshape(start.shape), best.reshape(start.shape)


def problem_of(plan: SearchPlan, tables: Tables) -> tuple[Search | None, str]:
    """Return a search that was planned as an exact one, or why it is none."""
    proxy = plan.proxy
    if isinstance(proxy, FunctionProxy):
        return None, structure(proxy).why
    if plan.domain.walls:
        return None, f"{plan.domain.walls[0].text} makes the domain no box"
    line = line_of(proxy, tables.scan, plan.axes[tables.scan])
    if line is None:
        return None, f"{tables.scan} is on an axis too fine for float64, or in a factor that is no power"
    numbers = (
        (number, *(x for each in own for x in each.values()))
        for group in tables.hoisted.groups
        for number, own in group
    )
    if not all(np.all(x) for each in numbers for x in each):
        return None, "a factor is nought somewhere on the grid, so that its log is no number"
    found = structure(proxy)
    roles = roles_of(tables, proxy, line, found)
    ends = _ends(plan.domain, tables, roles)
    if ends is None:
        return None, "the domain leaves gaps on an axis"
    return Search(tables, found, roles, line, ends), ""


def _ends(domain: Domain, tables: Tables, roles: Roles) -> dict[str, tuple[Index, Index]] | None:
    """The first and the last index that a domain leaves of each axis that is searched, by lane; None for gaps."""
    ends: dict[str, tuple[Index, Index]] = {}

    def over(axis: str, values: Any) -> Any:
        """What depends on one axis of lanes, as an array over all of them, after a 1."""
        return np.asarray(values).reshape(1, *(-1 if v == axis else 1 for v in roles.lanes))

    for axis in filter(None, (tables.scan, roles.row, roles.column)):
        allowed = np.flatnonzero(domain.penalty.get(axis, np.zeros(tables.sizes[axis])) == 0)
        if len(allowed) and allowed[-1] - allowed[0] >= len(allowed):
            return None
        first, last = (allowed[0], allowed[-1]) if len(allowed) else (0, -1)
        ends[axis] = over("", first), over("", last)
    low, high = ends[tables.scan]
    for axis in (v for v in roles.lanes if v in domain.penalty):
        high = np.where(over(axis, domain.penalty[axis] == 0), high, -1)
    if domain.limit:
        batch = next(v for v in domain.limit if v != "T")
        most = over("T", np.searchsorted(domain.limit[batch], domain.limit["T"], side="right") - 1)
        if batch in roles.lanes:
            high = np.where(over(batch, np.arange(tables.sizes[batch])) <= most, high, -1)
        elif batch == tables.scan:
            high = np.minimum(high, most)
        else:
            ends[batch] = ends[batch][0], np.minimum(ends[batch][1], most)
    return ends | {tables.scan: (low, high)}
