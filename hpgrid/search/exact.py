"""Minima of a posynomial without its cube: a lower bound says where they can lie, and only there is it evaluated.

Along the scanned axis a posynomial of two powers, A s^-p + B s^q, steps from one value of s to the next where A/B
passes known ratios; a monotone one is best at an end. So a cell of the other axes, a *line*, costs the same however
many values the scanned axis has. Over all s, not those of the axis alone, its minimum has a closed form: a lower bound,
and a convex one in the logs of the other axes, as partial minima of posynomials are. Up to two more axes that are
reduced are *rows* and *columns*, a cell of all others is a *lane*. In each lane:

1. Start near the least lower bound: in some lanes it is zoomed in on, in those between them it lies between theirs.
2. Among the columns of that row, evaluate lines as the brute search does: those whose lower bound does not exceed the
   best value so far. They lie together, so that beyond a column that does nothing can win.
3. Go on to the rows on both sides, as far as one in which the lower bound exceeds the best value, between columns too:
   what does not exceed it is a convex set, so that nothing beyond can win.

Wherever this starts it ends at the minimum. Ties go to the first cell in row-major order, as in brute force. Many
combinations of constants are one more axis of lanes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import reduce
from operator import add, or_
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hpgrid.progress import cores
from hpgrid.proxy import FunctionProxy, Proxy
from hpgrid.search.lines import Line, line_of
from hpgrid.search.structure import Structure, structure
from hpgrid.search.tables import COMBINATION, Domain, Tables
from hpgrid.shapes import Floats

if TYPE_CHECKING:
    from hpgrid.search.brute import SearchPlan

#: How far a lower bound may exceed the best value, as a share of it, before its line is left out: each is off by
#: fewer than 100 roundings, 1e-14.
APART = 1e-12

#: Lines in one block, measured: of fewer, Python's part of the work, which one core does at a time, outweighs NumPy's.
BLOCK = 2**16

#: Rows of all lanes together that are looked at at once: for the same reason; more are seldom needed.
AHEAD = 2**13

Index = NDArray[np.integer]

#: The allocator hands freed memory back to the system, which zeroes it page by page before it is there again, unless
#: a larger array was freed before: this one, which is never written, saves two thirds of a search's time.
np.empty(2**21)


@dataclass(frozen=True)
class Search:
    """An exact search in numbers.

    Attributes:
        tables: of the bound.
        line: how the bound is minimised along the scanned axis.
        box: the reduced axes, none to two, on which lower bounds are compared: columns, and rows before them. By how
            much the log of a lower bound may be less between two values of each than at the nearest one.
        ends: for every axis that is searched the first and the last index that is allowed, arrays that broadcast over
            ``shape``.
    """

    tables: Tables
    line: Line
    box: Mapping[str, float]
    ends: Mapping[str, tuple[Index, Index]] = field(default_factory=dict)

    @property
    def lanes(self) -> tuple[str, ...]:
        """The axes of lanes: all others but the scanned one."""
        return tuple(v for v in self.tables.sizes if v not in (self.tables.scan, *self.box))

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of the axes of lanes, after a 1: there may be none."""
        return (1, *(self.tables.sizes[v] for v in self.lanes))

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
    """

    structure: Structure
    scan: str

    def __repr__(self) -> str:
        return f"Proof({self.structure.text()!r})"


def search(problem: Search) -> tuple[Floats, Index]:
    """Return the best risk over the remaining axes, +inf where no cell is feasible; and its rank.

    The rank is the best cell's number in row-major order over the reduced axes.
    """
    sizes, over, shape = problem.tables.sizes, problem.tables.over, problem.shape
    risk = np.empty(shape)
    rank = np.empty(shape, np.int32 if math.prod(sizes[v] for v in over) < 2**31 else np.int64)
    start = _starts(problem)

    def best(lanes: _Lanes, here: tuple[slice, ...]) -> None:
        risk[here], rank[here] = _best(lanes, [place[here] for place in start])
        ends = (lanes.ends[v] for v in (problem.tables.scan, *problem.box))
        outside = np.broadcast_to(reduce(or_, (low > high for low, high in ends)), lanes.shape)
        if outside.any():
            risk[here][outside], rank[here][outside] = np.inf, 0

    # Of a lane without a box there is one line to look at, of others there are some.
    _in_parts(best, problem, list(map(np.arange, shape)), (1 if problem.box else 4) * BLOCK)
    axes, risk, rank = list(problem.lanes), risk[0], rank[0]
    for v in [v for v in axes if v in over]:  # what is reduced beside the box
        k = axes.index(v)
        least = risk.min(axis=k, keepdims=True)
        risk, rank = least.squeeze(k), np.where(risk == least, rank, np.iinfo(rank.dtype).max).min(axis=k)
        axes.remove(v)
    return risk, rank


def _in_parts(
    run: Callable[[_Lanes, tuple[slice, ...]], None], problem: Search, places: Sequence[Index], each: int
) -> None:
    """Run what takes lanes, and where they are among all, for those at some places on each axis, so many at once.

    Parts are cut along the longest axis; where there are several, all cores share them.
    """
    lengths = list(map(len, places))
    along = int(np.argmax(lengths))
    step = max(1, each * lengths[along] // math.prod(lengths))

    def own(start: int) -> None:
        part = slice(start, start + step)
        run(
            _lanes(problem, [*places[:along], places[along][part], *places[along + 1 :]]),
            (slice(None),) * along + (part,),
        )

    starts = range(0, lengths[along], step)
    if len(starts) < 2:
        own(0)
        return
    with ThreadPoolExecutor(min(cores(), len(starts))) as pool:
        list(pool.map(own, starts))


@dataclass(frozen=True)
class _Lanes:
    """An array of lanes of a search; what is said of them broadcasts against it.

    Attributes:
        problem: the search.
        shape: of the array.
        at: where they are on each axis of lanes, and on that of rows once they are in one.
        ends: of every axis that is searched, the first and the last index that is allowed.
    """

    problem: Search
    shape: tuple[int, ...]
    at: Mapping[str, Index]
    ends: Mapping[str, Sequence[Any]]

    def some(self, which: Index) -> _Lanes:
        """Return those of some numbers, in row-major order, as an array of one dimension."""
        place = np.unravel_index(which, self.shape)

        def own(x: Any) -> Any:
            return x[tuple(k if n > 1 else 0 for k, n in zip(place, x.shape))]

        at, ends = {v: own(x) for v, x in self.at.items()}, {v: [*map(own, each)] for v, each in self.ends.items()}
        return _Lanes(self.problem, which.shape, at, ends)

    def in_rows(self, row: Index) -> _Lanes:
        """Return the same lanes, each in a row."""
        axis, _ = self.problem.box
        return replace(self, at={**self.at, axis: row})

    def clip(self, axis: str, place: Index) -> Index:
        """Return the nearest places that are allowed."""
        low, high = self.ends[axis]
        return np.minimum(np.maximum(place, low), high)

    def lower(self, places: Mapping[str, Index]) -> Any:
        """Return lower bounds of lines at places of other axes, which broadcast against the lanes."""
        least = self.problem.lower({**self.at, **places}, *self.ends[self.problem.tables.scan])
        return np.broadcast_to(least, np.broadcast_shapes(self.shape, *(x.shape for x in places.values())))

    def bounds(self, column: Index) -> Any:
        """Return lower bounds of lines in columns of lanes that are in a row each, +inf where none is allowed."""
        *_, axis = self.problem.box
        near = self.clip(axis, column)
        return np.where(near == column, self.lower({axis: near}), np.inf)

    def best(self, places: Mapping[str, Index]) -> list[Any]:
        """Return the best risk of one line of each, and the cell's rank."""
        found = self.problem.best({**self.at, **places}, *self.ends[self.problem.tables.scan])
        return [np.broadcast_to(x, self.shape) for x in found]


def _lanes(problem: Search, places: Sequence[Index]) -> _Lanes:
    """The lanes at all combinations of some places on each axis."""
    mesh = np.ix_(*places)
    ends = {
        v: [x[np.ix_(*(k if n > 1 else [0] for k, n in zip(places, x.shape)))] for x in each]
        for v, each in problem.ends.items()
    }
    return _Lanes(problem, tuple(map(len, places)), dict(zip(problem.lanes, mesh[1:])), ends)


def _starts(problem: Search) -> list[Index]:
    """Where to start on each axis of the box, for every lane: some are zoomed in on, others lie between those."""
    shape, box = problem.shape, list(problem.box)
    # As many of each axis as keep this a small part of the whole; but nothing lies between combinations of constants.
    nodes = [
        np.arange(n) if v == COMBINATION else np.rint(np.linspace(0, n - 1, min(n, 2 + math.isqrt(n)))).astype(np.intp)
        for v, n in zip(("", *problem.lanes), shape)
    ]
    zoomed = np.empty((len(box), *map(len, nodes)))

    def zoom(lanes: _Lanes, here: tuple[slice, ...]) -> None:
        zoomed[(slice(None), *here)] = _zoom(lanes)

    if box:
        _in_parts(zoom, problem, nodes, BLOCK // 5 ** len(box))
    found = []
    for place in zoomed:
        for k, (n, own) in enumerate(zip(shape, nodes)):
            if len(own) < n:
                every = np.arange(n)
                after = np.maximum(np.searchsorted(own, every), 1)
                share = (every - own[after - 1]) / (own[after] - own[after - 1])
                before = place.take(after - 1, axis=k)
                place = before + share.reshape(-1, *[1] * (len(shape) - 1 - k)) * (place.take(after, axis=k) - before)
        found.append(np.rint(place).astype(np.intp))
    return found


def _zoom(lanes: _Lanes) -> list[Floats]:
    """About which line of each lane its lower bound is least: from lines all over the box to ever closer ones."""
    box, sizes = list(lanes.problem.box), lanes.problem.tables.sizes
    # As many on each axis as make a block, all where there are few lanes; an odd number has a middle.
    many = max(5, min(max(sizes[v] for v in box), int((BLOCK / math.prod(lanes.shape)) ** (1 / len(box))))) | 1
    middle = [np.broadcast_to(np.add(*lanes.ends[v]) // 2, lanes.shape) for v in box]
    steps = [-(-sizes[v] // many) for v in box]
    while True:
        offsets = (np.arange(many) - many // 2).reshape(-1, *[1] * len(lanes.shape))
        near = [lanes.clip(v, at + step * offsets) for v, at, step in zip(box, middle, steps)]
        # Rows before columns, in dimensions of their own.
        places = dict(zip(box, near)) | {box[0]: near[0].reshape(-1, *[1] * (len(box) - 1), *lanes.shape)}
        least = lanes.lower(places)
        others = [tuple(j for j in range(len(box)) if j != k) for k in range(len(box))]
        along = [least.min(axis=other) for other in others]
        lowest = [values.argmin(axis=0) for values in along]
        middle = [_taken(at, k) for at, k in zip(near, lowest)]
        if max(steps) <= 2:
            beside = [[_taken(v, np.clip(k + d, 0, many - 1)) for d in (-1, 0, 1)] for v, k in zip(along, lowest)]
            return [at + step * _vertex(*three) for at, step, three in zip(middle, steps, beside)]
        # Next, lines at a third of the distance: of these the middle one is the lowest.
        many, steps = 3, [max(1, step // 3) for step in steps]


def _taken(values: Any, place: Index) -> Any:
    """One entry each along the first dimension."""
    return np.take_along_axis(values, place[None], axis=0)[0]


def _vertex(left: Floats, least: Floats, right: Floats) -> Floats:
    """Where the parabola through three values has its minimum, in steps from the middle one, the least of them."""
    left, right = (np.where(np.isfinite(x), x - least, 0) for x in (left, right))
    return (left - right) / np.where(left + right > 0, left + right, 1) / 2


def _best(lanes: _Lanes, start: Sequence[Index]) -> Sequence[Any]:
    """Return the best risk of lanes, and its rank, looked for from a row and a column on."""
    if not start:
        return lanes.best({})
    if len(start) < 2:
        (axis,) = lanes.problem.box
        middle = lanes.clip(axis, start[0])
        found = [x.flatten() for x in lanes.best({axis: middle})]
        beside = np.stack([middle - 1, middle + 1])
        _outwards(lanes, found, np.inf, beside, lanes.bounds(beside))
        return [x.reshape(lanes.shape) for x in found]
    axis, _ = lanes.problem.box
    row = lanes.clip(axis, start[0])
    best = _in_row(lanes.in_rows(row), start[1], np.full(lanes.shape, np.inf))
    row, (risk, rank, column, _) = row.ravel(), best
    # To both sides, some rows at once: in few lanes as many as cost little.
    lane, side = np.tile(np.arange(len(risk)), 2), np.repeat(np.array([-1, 1]), len(risk))
    last, slope, gone, count = column[lane], np.zeros(len(lane)), 0, 1
    while len(lane):
        ahead = np.arange(1, count + 1)[:, None]
        rows: Any = row[lane] + side * (gone + ahead)
        about, least = last + slope * ahead, np.full(rows.shape, np.inf)
        allowed = np.flatnonzero(lanes.some(np.tile(lane, count)).clip(axis, rows.ravel()) == rows.ravel())
        own = lane[allowed % len(lane)]
        here = lanes.some(own).in_rows(rows.ravel()[allowed])
        value, number, at, lower = _in_row(here, np.rint(about.ravel()[allowed]).astype(np.intp), risk[own])
        _take_better(risk, rank, own, value, number)
        about.ravel()[allowed], least.ravel()[allowed] = at, lower
        # Of the rows before the last one, some may be less good than that, and further ones better still.
        on = np.flatnonzero(least[-1] <= risk[lane] * (1 + APART))
        lane, side, last, gone = lane[on], side[on], about[-1, on], gone + count
        slope = (last - column[lane]) / gone  # valleys are straight, or nearly so
        count = max(1, min(8 * count, AHEAD // max(1, len(lane))))
    return risk.reshape(lanes.shape), rank.reshape(lanes.shape)


def _take_better(risk: Floats, rank: Index, lane: Index, value: Floats, number: Index) -> None:
    """Put what was found in some lanes in its place, where it is better, or as good and comes first."""
    better = np.flatnonzero(value <= risk[lane])
    lane, value, number = lane[better], value[better], number[better]
    before = risk[lane]
    np.minimum.at(risk, lane, value)
    rank[lane[risk[lane] < before]] = np.iinfo(rank.dtype).max
    tied = value == risk[lane]
    np.minimum.at(rank, lane[tied], number[tied])


def _in_row(lanes: _Lanes, middle: Index, most: Floats) -> tuple[Floats, Index, Floats, Floats]:
    """Return the best risk in a row of each lane, its rank, about which column its lower bound is least, and that.

    All are flat.

    Args:
        lanes: in a row each.
        middle: a column of each, where to start.
        most: what is reached elsewhere: what can only exceed it is not evaluated, and +inf.
    """
    (axis, dip), slack = list(lanes.problem.box.items())[-1], 1 + APART
    # Three columns, which are moved until the middle one is the lowest.
    three = lanes.clip(axis, middle) + np.arange(-1, 2).reshape(-1, *[1] * len(lanes.shape))
    least = lanes.bounds(three)
    place, lower = three.reshape(3, -1), least.reshape(3, -1)
    while len(off := np.flatnonzero(lower[1] > np.minimum(lower[0], lower[2]))):
        left, here, right = lower[:, off]
        side = np.where(left < here, -1, 1)
        place[:, off] += side
        beyond = lanes.some(off).bounds(place[1, off] + side)
        lower[:, off] = np.where(side < 0, (beyond, left, here), (here, right, beyond))
    may_win = np.flatnonzero(least[1] <= most * slack)
    if len(may_win) == place[1].size:
        risk, rank = (np.array(x).ravel() for x in lanes.best({axis: three[1]}))
    else:
        risk, rank = np.full(place[1].size, np.inf), np.zeros(place[1].size, np.intp)
        risk[may_win], rank[may_win] = lanes.some(may_win).best({axis: place[1, may_win]})
    _outwards(lanes, (risk, rank), most.ravel(), place[::2], lower[::2])
    # Between columns the bound may be less, which is the less, the higher both columns beside are.
    rise = 1 - lower[1] / np.minimum(lower[0], lower[2])
    below = lower[1] * np.exp(-dip * np.maximum(1 - rise / (4 * dip or 1), 0) ** 2)
    return risk, rank, place[1] + _vertex(*lower), below


def _outwards(lanes: _Lanes, found: Sequence[Any], most: Any, beside: Index, lower: Floats) -> None:
    """Look on both sides as far as a lower bound does not exceed the best, and put what is better in its place.

    Args:
        lanes: in a row each.
        found: what is best so far, and its rank, flat.
        most: what is reached elsewhere.
        beside, lower: the columns on either side of what has been looked at, and their lower bounds.
    """
    (*_, axis), (risk, rank) = lanes.problem.box, found
    slack, limit = 1 + APART, np.minimum(risk, most)
    on = np.flatnonzero(lower.reshape(2, -1) <= limit * slack)
    side, lane = np.divmod(on, len(risk))
    at, side = beside.ravel()[on], 2 * side - 1
    while len(lane):
        own = lanes.some(lane)
        _take_better(risk, rank, lane, *own.best({axis: at}))
        limit = np.minimum(limit, risk)
        on = np.flatnonzero(own.bounds(at + side) <= limit[lane] * slack)
        lane, side, at = lane[on], side[on], (at + side)[on]


def problem_of(plan: SearchPlan, tables: Tables, caps: Mapping[str, Index] | None = None) -> tuple[Search | None, str]:
    """Return a search that was planned as an exact one, or why it is none.

    Args:
        plan: the search.
        tables: its tables, with an axis of combinations of constants where there are many.
        caps: for each combination the last index that is allowed of an axis.
    """
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
    bare = Search(tables, line, _box(proxy, tables, line, plan.axes))
    ends = _ends(plan.domain, bare, caps or {})
    return (None, "the domain leaves gaps on an axis") if ends is None else (replace(bare, ends=ends), "")


def _box(proxy: Proxy, tables: Tables, line: Line, axes: Mapping[str, Floats]) -> dict[str, float]:
    """The axes of the box, and by how much the log of a bound may be less between values of each than at the nearest.

    They are the two longest of those in whose logs, and the scanned one's, the bound is convex; columns are on the one
    where it changes less from value to value. The log of a sum of powers with exponents from e to e + d has a second
    derivative of at most d^2/4, and a partial minimum no larger one where it is least; the nearest value is at most
    half a step away.
    """
    outer = [v for v in tables.lines if proxy.is_log_convex((tables.scan, v))]
    dips = {}
    for v in sorted(outer, key=lambda v: -tables.sizes[v])[:2] if line.kind != "convex" else []:  # has no closed form
        powers = [float(part.exponent(v) or 0) for term in proxy.terms for part in term.split((v,))]
        dips[v] = ((max(powers) - min(powers)) * np.diff(np.log(axes[v])).max(initial=0.0)) ** 2 / 32
    *rows, column = sorted(dips, key=lambda v: -dips[v]) or [""]
    # Where they are few, it takes less to look into all rows than to go from row to row.
    few = math.prod(tables.sizes.values()) <= BLOCK * math.prod(tables.sizes[v] for v in (tables.scan, column) if v)
    return {v: dips[v] for v in ([] if few else rows) + [column] if v}


def _ends(domain: Domain, bare: Search, caps: Mapping[str, Index]) -> dict[str, tuple[Index, Index]] | None:
    """The first and the last index that is allowed of each axis that is searched, by lane; None for gaps."""
    tables, lanes, ends = bare.tables, bare.lanes, dict[str, tuple[Index, Index]]()

    def over(axis: str, values: Any) -> Any:
        """What depends on one axis of lanes, as an array over all of them, after a 1."""
        return np.asarray(values).reshape(1, *(-1 if v == axis else 1 for v in lanes))

    for axis in (tables.scan, *bare.box):
        allowed = np.flatnonzero(domain.penalty.get(axis, np.zeros(tables.sizes[axis])) == 0)
        if len(allowed) and allowed[-1] - allowed[0] >= len(allowed):
            return None
        first, last = (allowed[0], allowed[-1]) if len(allowed) else (0, -1)
        most = np.minimum(over(COMBINATION, caps[axis]), last) if axis in caps else over("", last)
        ends[axis] = over("", first), most
    low, high = ends[tables.scan]
    for axis in (v for v in lanes if v in domain.penalty):
        high = np.where(over(axis, domain.penalty[axis] == 0), high, -1)
    for axis in (v for v in lanes if v in caps):
        high = np.where(over(axis, np.arange(tables.sizes[axis])) <= over(COMBINATION, caps[axis]), high, -1)
    if domain.limit:
        batch = next(v for v in domain.limit if v != "T")
        most = over("T", np.searchsorted(domain.limit[batch], domain.limit["T"], side="right") - 1)
        if batch in lanes:
            high = np.where(over(batch, np.arange(tables.sizes[batch])) <= most, high, -1)
        elif batch == tables.scan:
            high = np.minimum(high, most)
        else:
            ends[batch] = ends[batch][0], np.minimum(ends[batch][1], most)
    return ends | {tables.scan: (low, high)}
