"""Minima of a submodular bound without its cube: argmins are monotone, so that few cells of each row are looked at.

Once the scanned axis is minimised away, a *lane* (one budget, one combination of constants) is a matrix of rows and
columns whose row minima move one way as rows follow one another (Topkis). Divide and conquer finds them level by level:
the middle row among all columns, the middle of each half between what was found on either side, and so on: each level
looks at every column once, and the last knows every row.

Along the scanned axis a posynomial of two powers, A s^-p + B s^q, steps from one value of s to the next where A/B
passes known ratios; a monotone one is best at an end. So a cell of the matrix costs the same however many
values the axis has.

**Rounding.** Let c be the best column of a row, c' the left end of the columns that it is searched in, which is the
best one of a row above, and x a column left of c'. F(row, x) - F(row, c') is at least what it is in the row above, by
submodularity, and so not negative. Where c' is not c, F(row, c') - F(row, c) was seen, and x is at least as far from c;
where it is c, the row above says how far. A lane in which some column may be nearer than rounding can tell, a tie
among them, is searched line by line: so all ties are what brute force makes of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hpgrid.progress import cores
from hpgrid.proxy import FunctionProxy
from hpgrid.search.lines import Line, line_of
from hpgrid.search.structure import Structure, structure
from hpgrid.search.tables import Domain, Tables, places
from hpgrid.shapes import Floats

if TYPE_CHECKING:
    from hpgrid.search.brute import SearchPlan

#: What one column has to be better by than another one, as a share of its value, to be so whatever rounding does: a
#: value is off by fewer than 100 roundings, 1e-14.
APART = 1e-12

#: Places of a block of lanes, rows or columns: what is at work then stays in a core's cache.
BLOCK = 2**14

Index = NDArray[np.integer]


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


def roles_of(tables: Tables, structure: Structure, budget: str) -> Roles:
    """Return what each axis is in an exact search.

    Of the pairs of a row and a column that the structure allows the one with the most places is searched.
    """
    outer = [v for v in tables.over if v != tables.scan]
    best: tuple[int, str, str] = (0, "", "")
    for column, row in product(outer, [v for v in tables.sizes if v not in (tables.scan, budget)]):
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
        tables: of the bound; where there are several combinations of constants, of the first.
        structure: the signs of its mixed differences.
        roles: which axis is what.
        line: how the bound is minimised along the scanned axis.
        ends: for every axis the first and the last index that is allowed, arrays that broadcast over ``shape``.
        coefficients: of every combination, in the order of the terms in the tables' groups, then in the rest.
    """

    tables: Tables
    structure: Structure
    roles: Roles
    line: Line
    ends: Mapping[str, tuple[Index, Index]]
    coefficients: Floats

    @property
    def shape(self) -> tuple[int, ...]:
        """Combinations, and the lengths of the axes of lanes."""
        return (self.coefficients.shape[0], *(self.tables.sizes[v] for v in self.roles.lanes))

    @property
    def seconds(self) -> float:
        """What it takes, about: 60 ns for a column of a level of a lane, or for a lane that is a cell."""
        rows, columns = (self.tables.sizes.get(v, 1) for v in (self.roles.row, self.roles.column))
        each = (rows + columns) * rows.bit_length() if self.roles.row else 1
        return 6e-8 * float(np.prod(self.shape)) * each

    @property
    def bytes(self) -> float:
        """What it holds, about: risk, rank and what they become by name, for each row of a lane that remains."""
        return 96.0 * float(np.prod(self.shape)) * (self.tables.sizes[self.roles.row] if self.kept else 1)

    @property
    def kept(self) -> bool:
        """Whether rows remain."""
        return bool(self.roles.row) and self.roles.row not in self.tables.over

    @property
    def even(self) -> bool:
        """Whether a cell is a lane, and its place on the scanned axis a quotient of logs, none of it left out."""
        low, high = self.ends[self.tables.scan]
        whole = not low.any() and (high == self.tables.sizes[self.tables.scan] - 1).all()
        return not self.roles.row and not np.isnan(self.line.step) and bool(whole)

    def planes(self, at: Mapping[str, Index], combination: Index) -> tuple[list[Floats], Floats]:
        """Return at some cells what multiplies each factor along the scanned axis, and what does not lie on it.

        In the order of the brute search, whose bits these are.
        """
        numbers = iter(self.coefficients.T)

        def total(terms: Sequence[Any]) -> Floats:
            found: Any = None
            for (_, tables), own in zip(terms, numbers, strict=False):
                value = own[combination]
                for axis, table in (entry for each in tables for entry in each.items()):
                    value = value * table[at[axis]]
                found = value if found is None else found + value
            return np.zeros(np.shape(combination)) if found is None else found

        hoisted = self.tables.hoisted
        return [total(group) for group in hoisted.groups], total(hoisted.rest)

    def feasible(self, lanes: Index) -> NDArray[np.bool_]:
        """Return which lanes have a cell that is allowed."""
        place = places(lanes, self.shape)
        ends = [[np.broadcast_to(end, self.shape)[place] for end in each] for each in self.ends.values()]
        return np.logical_and.reduce([low <= high for low, high in ends])


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
    """Return the best risk over the remaining axes, combinations first, +inf where no cell is feasible; and its rank.

    The rank is the best cell's number in row-major order over the reduced axes. Beside them stands the best column of
    every row of every lane, see ``Proof``.
    """
    sizes, row = problem.tables.sizes, problem.roles.row
    total = int(np.prod(problem.shape))
    each = max(1, BLOCK // max(sizes.get(row, 1), sizes.get(problem.roles.column, 1)))
    shape = (total, sizes[row]) if problem.kept else (total,)
    risk, rank = np.full(shape, np.inf), np.zeros(shape, np.int64)
    columns = np.full((total, sizes[row]) if row else (total, 0), -1, np.int32)

    def run(start: int) -> None:
        part = np.arange(start, min(start + each, total))
        part = part[problem.feasible(part)]
        if len(part):
            risk[part], rank[part], columns[part] = _Block(problem, part).best()

    with ThreadPoolExecutor(max(1, min(cores(), -(-total // each)))) as pool:
        list(pool.map(run, range(0, total, each)))
    axes = [*problem.roles.lanes, *([row] if problem.kept else [])]
    whole: list[Any] = [x.reshape(problem.shape[0], *(sizes[v] for v in axes)) for x in (risk, rank)]
    # What is reduced beside rows and columns.
    for v in [v for v in axes if v in problem.tables.over]:
        k = 1 + axes.index(v)
        least = whole[0].min(axis=k, keepdims=True)
        whole = [least.squeeze(k), np.where(whole[0] == least, whole[1], _NONE).min(axis=k)]
        axes.remove(v)
    order = [0, *(1 + axes.index(v) for v in sizes if v in axes)]
    return whole[0].transpose(order), whole[1].transpose(order), columns


#: The rank of no cell; and the name of what tells combinations of constants apart, which is that of no axis.
_NONE, _COMBINATION = np.iinfo(np.int64).max, "of constants"


class _Block:
    """Some lanes of a search, each with cells that are allowed."""

    def __init__(self, problem: Search, lanes: Index) -> None:
        self.problem, self.roles, self.tables = problem, problem.roles, problem.tables
        place = places(lanes[:, None], problem.shape)
        self.at = dict(zip((_COMBINATION, *problem.roles.lanes), place))
        self.ends = {
            axis: tuple(np.broadcast_to(end, problem.shape)[place] for end in ends)
            for axis, ends in problem.ends.items()
        }
        self._parts = self.parts() if self.roles.row else []

    def cells(self, row: Any, column: Any, of: Any = ...) -> tuple[dict[str, Any], list[Floats], Floats, Any, Any]:
        """Where cells are, of all lanes or of some; planes and rest there; and the ends of the scanned axis."""
        at = {v: x[of] for v, x in self.at.items()} | {self.roles.row: row, self.roles.column: column}
        planes, rest = self.problem.planes(at, at[_COMBINATION])
        low, high = (end[of] for end in self.ends[self.tables.scan])
        return at, planes, rest, low, high

    def parts(self) -> list[list[tuple[Floats, Floats | None]]]:
        """Of the terms of each group, and of the rest: what depends on lane and column, and the factor of rows."""
        numbers, hoisted = iter(self.problem.coefficients.T), self.tables.hoisted
        found: list[list[tuple[Floats, Floats | None]]] = []
        for terms in (*hoisted.groups, hoisted.rest):
            found.append([])
            for (_, tables), own in zip(terms, numbers, strict=False):
                on = {axis: table for each in tables for axis, table in each.items()}
                whole = own[self.at[_COMBINATION]]
                for axis in (axis for axis in on if axis in self.at):
                    whole = whole * on[axis][self.at[axis]]
                if self.roles.column in on:
                    whole = whole * on[self.roles.column]
                found[-1].append((whole, on.get(self.roles.row)))
        return found

    def near(self, rows: Index, columns: Index | None = None) -> Floats:
        """The best risk of rows at places of the lanes' columns, or of every column, but for rounding."""
        sums = []
        for terms in self._parts:
            total: Any = None
            for whole, of_row in terms:
                if columns is not None and whole.shape[1] > 1:
                    whole = whole.ravel().take(columns)
                value = whole if of_row is None else whole * of_row.take(rows)
                total = value if total is None else total + value
            sums.append(0.0 if total is None else total)
        *planes, rest = sums
        low, high = self.ends[self.tables.scan]
        line = self.problem.line
        return np.broadcast_to(line.at(planes, line.near(planes, low, high)) + rest, rows.shape)

    def exact(self, row: Any, column: Any, of: Any = ...) -> tuple[Any, Any]:
        """The best risk at cells, in the bits of the brute search, and its rank."""
        at, planes, rest, low, high = self.cells(row, column, of)
        value, at[self.tables.scan] = self.problem.line.best(planes, low, high)
        rank: Any = np.int64(0)
        for axis in self.tables.over:
            rank = rank * self.tables.sizes[axis] + at[axis]
        value, rank = np.broadcast_arrays(value + rest, rank)
        return value, rank

    def best(self) -> tuple[Floats, Index, Index]:
        """The best risk of every row, or of each lane where rows are reduced; its rank; every row's best column."""
        if not self.roles.row:
            value, place = self.exact(0, 0)
            return value[:, 0], place[:, 0], np.empty((len(value), 0), np.int32)
        rows, columns, values, sure = self.argmins()
        if not self.problem.kept:
            # Rows that may have the least value, by its rounding, and of the best of them the first.
            lane, k = np.nonzero(values <= values.min(axis=1, keepdims=True) * (1 + APART))
            value, place = self.exact(rows[lane, k], columns[lane, k], (lane, 0))
            order = np.lexsort((place, value, lane))
            first = order[np.searchsorted(lane[order], np.arange(len(rows)))]
            risk, rank = value[first], place[first]
        else:
            risk = np.full((len(rows), self.tables.sizes[self.roles.row]), np.inf)
            rank = np.zeros_like(risk, np.int64)
            value, place = self.exact(rows, columns)
            np.put_along_axis(risk, rows, value, 1)
            np.put_along_axis(rank, rows, place, 1)
        best = np.full((len(rows), self.tables.sizes[self.roles.row]), -1, np.int32)
        np.put_along_axis(best, rows, columns, 1)
        for unsure in np.flatnonzero(~sure).tolist():
            self.line_by_line(unsure, risk, rank, best)
        return risk, rank, best

    def line_by_line(self, lane: int, risk: Floats, rank: Index, best: Index) -> None:
        """Write the same of one lane, from every cell of its rows and columns."""
        (top, bottom), (left, right) = (
            [int(end[lane, 0]) for end in self.ends[axis]] for axis in (self.roles.row, self.roles.column)
        )
        rows, columns = np.arange(top, bottom + 1), np.arange(left, right + 1)
        # A bound may depend on one of the two alone.
        whole = len(rows), len(columns)
        value, place = (np.broadcast_to(x, whole) for x in self.exact(rows[:, None], columns, lane))
        over = (1,) if self.problem.kept else (0, 1)
        least = value.min(axis=over, keepdims=True)
        best[lane, rows] = left + value.argmin(axis=1)
        at = lane if len(over) == 2 else (lane, rows)
        risk[at], rank[at] = least.squeeze(over), np.where(value == least, place, _NONE).min(axis=over)

    def argmins(self) -> tuple[Index, Index, Floats, NDArray[np.bool_]]:
        """Rows, the best column of each and its value, in the order in which columns rise; and which lanes are sure."""
        (top, bottom), (left, right) = self.ends[self.roles.row], self.ends[self.roles.column]
        count, columns = self.tables.sizes[self.roles.row], np.arange(self.tables.sizes[self.roles.column])
        lanes, levels = len(top), count.bit_length()
        flat = len(columns) * np.arange(lanes)[:, None]
        inside_ends = ((columns > left) & (columns <= right)).ravel()
        found, value = np.concatenate([left, right], 1), np.full((lanes, 2), np.inf)
        under = over = value
        sure = np.ones(lanes, bool)
        gap = np.zeros((lanes, len(columns)), np.intp)  # which row's columns these are: those after its left end

        def rows_at(order: Any) -> Any:
            """The rows in the order in which their best columns rise; beyond the last there is the last once more."""
            order = np.minimum(order, bottom - top)
            return bottom - order if self.roles.backwards else top + order

        for level in range(levels):
            step = 2 ** (levels - level)
            rows = rows_at((2 * np.arange(2**level) + 1) * step // 2 - 1)
            ends = found[:, :-1], found[:, 1:]
            mine = gap + 2**level * np.arange(lanes)[:, None]
            at_left = self.near(rows, flat + ends[0])
            here = np.append(self.near(rows.ravel().take(mine)), np.inf)
            spans = np.stack([flat + ends[0] + 1, flat + ends[1] + 1], -1).ravel()
            some = ends[0] < ends[1]
            least = np.where(some, np.minimum.reduceat(here, spans)[::2].reshape(rows.shape), np.inf)
            best = np.minimum(least, at_left)
            won = np.flatnonzero((here[:-1] <= best.ravel().take(mine).ravel()) & inside_ends)
            # Of a tie, one: the others are second best, with nothing apart.
            new = ends[0].copy()
            new.ravel()[mine.ravel().take(won)] = won % len(columns)
            here[(flat + new)[new != ends[0]]] = np.inf
            second = np.where(some, np.minimum.reduceat(here, spans)[::2].reshape(rows.shape), np.inf)
            second = np.minimum(second, np.maximum(at_left, least))
            # What keeps columns on either side apart is the row's own, or that of the row whose best column is the
            # same; at the border there is no column beyond.
            own = second - best
            below, above = np.where(new == ends[0], under[:, :-1], own), np.where(new == ends[1], over[:, 1:], own)
            for apart, border in ((own, -1), (below, left), (above, right)):
                sure &= ((apart >= APART * best) | (new == border)).all(axis=1)
            gap *= 2
            gap += columns > new.ravel().take(mine)
            pairs = ((found, new), (value, best), (under, below), (over, above))
            found, value, under, over = (_between(old, own) for old, own in pairs)
        return rows_at(np.arange(count)), found[:, 1 : count + 1], value[:, 1 : count + 1], sure


def _between(old: Any, new: Any) -> Any:
    """Two arrays as one, an entry of the second after each of the first but its last."""
    both = np.stack([old[:, :-1], new], -1).reshape(len(old), -1)
    return np.concatenate([both, old[:, -1:]], 1)


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
    found = structure(proxy)
    roles = roles_of(tables, found, proxy.budget)
    ends = _ends(plan.domain, tables, roles)
    if ends is None:
        return None, "the domain leaves gaps on an axis"
    hoisted = tables.hoisted
    own = [number for terms in (*hoisted.groups, hoisted.rest) for number, _ in terms]
    return Search(tables, found, roles, line, ends, np.array([own], float).reshape(1, -1)), ""


def _ends(domain: Domain, tables: Tables, roles: Roles) -> dict[str, tuple[Index, Index]] | None:
    """The first and the last index that a domain leaves of each axis that is searched, by lane; None for gaps."""
    ends: dict[str, tuple[Index, Index]] = {}

    def over(axis: str, values: Any) -> Any:
        """What depends on one axis of lanes, as an array over all of them, combinations first."""
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
