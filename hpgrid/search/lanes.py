"""A sweep in numbers: lanes, each one combination of constants at one budget. NumPy only, no jax.

Tables are those of a single search; what differs from lane to lane is each term's coefficient, the budget,
and how many values of every axis a cap leaves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hpgrid.formula.quantity import Quantity
from hpgrid.proxy import FunctionProxy, Proxy
from hpgrid.search.brute import SearchPlan
from hpgrid.search.lines import line_of
from hpgrid.search.tables import Hoisted, Scanned, Tables, coefficient, domain_of, grouped
from hpgrid.shapes import Floats
from hpgrid.term import Term

#: Names of axes of one place, where fewer than two axes are reduced beside the scanned one.
NO_ROW, NO_COLUMN = "no row", "no column"


@dataclass(frozen=True)
class Layout:
    """What a certified search is compiled for: the bound along the scanned axis, and the roles of axes."""

    #: "pair" (A s^-p + B s^q along the scan); "falls", "rises" (powers of one sign, or 0); "convex" (any, one axis)
    kind: str
    falling: int | None  # which group of terms falls along a pair
    square: bool  # whether p = q, so that the minimum of a pair is a square root
    scan: str  # the reduced axes: the scanned one, and those of rows and columns
    row: str
    column: str
    budget: str  # the axis that tells lanes of one combination apart
    over: tuple[str, ...]  # the reduced axes in canonical order
    sizes: tuple[int, ...]  # how many values each of those has


@dataclass(frozen=True)
class Lanes:
    """All lanes of a sweep, lane n x budgets + t being combination n at budget t."""

    layout: Layout  # the static part
    scanned: Scanned  # tables along the scanned axis, and constants of the lower bound; all lanes share them
    hoisted: Hoisted  # tables as in a search, but with an array of coefficients, one for each combination
    #: for every axis, how many of its values are allowed, (combinations or 1, budgets or 1)
    counts: dict[str, NDArray[np.int32]]
    shape: tuple[int, int]  # combinations and budgets

    def part(self, lanes: NDArray[np.integer]) -> tuple[Hoisted, dict[str, Any]]:
        """Return the tables and the counts of some lanes."""
        n, t = np.divmod(lanes, self.shape[1])

        def entry(term: Any) -> Any:
            coefficient, tables = term
            on_budget = self.layout.budget
            return coefficient[n], [{v: x[t] if v == on_budget else x for v, x in each.items()} for each in tables]

        counts = {axis: np.broadcast_to(count, self.shape)[n, t] for axis, count in self.counts.items()}
        return self.hoisted.each(entry), counts


def lanes_of(
    plan: SearchPlan, tables: Tables, constants: Sequence[Mapping[str, float]], caps: Mapping[str, Floats]
) -> Lanes | None:
    """Return the lanes of a sweep, or None for a bound without the structure that a certified search rests on.

    The plan and its tables are the first combination's; constants, and caps of hyperparameters, are every one's.
    """
    proxy = plan.proxy
    if isinstance(proxy, FunctionProxy) or not proxy.is_posynomial(plan.searched):
        return None
    line = line_of(proxy, tables.scan, plan.axes[tables.scan])
    outer = [axis for axis in plan.searched if axis != tables.scan]
    if line is None or (line.kind == "convex" and outer):
        return None
    pair = None
    if line.kind == "pair":
        powers, shares, scale = ([np.float64(x) for x in each] for each in (*line.numbers[:2], (line.numbers[2], 1.0)))
        pair = Pair(line.turns, *(each if line.falling == 0 else each[::-1] for each in (shares, scale, powers)))
    falling, square = (None, False) if pair is None else (line.falling, sum(line.powers) == 0)
    row, column = (*outer, NO_ROW, NO_COLUMN)[:2] if len(outer) != 1 else (outer[0], NO_COLUMN)
    over = tuple(axis for axis in (*tables.over, NO_ROW, NO_COLUMN) if axis in (tables.scan, row, column))
    budget = next(iter(plan.remaining), "no budget")
    sizes = {NO_ROW: 1, NO_COLUMN: 1, **tables.sizes}
    lengths = tuple(sizes[axis] for axis in over)
    return Lanes(
        Layout(line.kind, falling, square, tables.scan, row, column, budget, over, lengths),
        tables.scanned._replace(pair=pair),
        _with_coefficients(proxy, tables, constants, plan.fixed)._replace(
            place={axis: np.arange(sizes[axis], dtype=np.int32) for axis in (row, column)}
        ),
        {axis: _count(axis, plan, caps) if axis in plan.axes else np.ones((1, 1), np.int32) for axis in over},
        (len(constants), sizes.get(budget, 1)),
    )


class Pair(NamedTuple):
    """The numbers of A s^-p + B s^q, each tuple in the order of the two groups of terms."""

    turns: Floats  # where A/B makes the minimum step from one value of s to the next
    shares: Sequence[np.float64]  # the exponents of A and B in the minimum
    scales: Sequence[np.float64]  # factors of the two roots that it is the product of
    powers: Sequence[np.float64]  # p and q


def _with_coefficients(
    proxy: Proxy, tables: Tables, constants: Sequence[Mapping[str, float]], fixed: Mapping[str, float]
) -> Hoisted:
    """The tables that do not lie on the scanned axis, each term's coefficient an array over the combinations.

    Each is computed as for a single search, by Python's floats where there are powers: NumPy's have other last bits.
    """
    axes = {axis: np.empty(0) for axis in tables.sizes}
    columns = {name: np.array([each[name] for each in constants]) for name in constants[0]}

    def numbers(term: Term) -> Any:
        if all(exponent == 1 and not isinstance(name, Quantity) for name, exponent in term.constants.items()):
            with np.errstate(over="ignore"):  # inf, as of floats
                return np.broadcast_to(coefficient(term, columns, axes, fixed), len(constants))
        return np.array([coefficient(term, each, axes, fixed) for each in constants])

    def entries(terms: list[Term], alone: Any) -> list[Any]:
        return [(numbers(term), table) for term, (_, table) in zip(terms, alone, strict=True)]

    groups, rest = grouped(proxy.terms, tables.scan)
    return Hoisted(
        tables.hoisted.zero,
        [entries(*each) for each in zip(groups.values(), tables.hoisted.groups, strict=True)],
        entries(rest, tables.hoisted.rest),
    )


def _count(axis: str, plan: SearchPlan, caps: Mapping[str, Floats]) -> NDArray[np.int32]:
    """How many values of an axis are allowed, from its first on: shape (combinations or 1, budgets or 1)."""
    values = plan.axes[axis]
    domain = domain_of(plan.axes, plan.fixed, {}, plan.min_K, plan.proxy.space.batch, plan.path)
    count = np.array([[(domain.penalty[axis] == 0).sum() if axis in domain.penalty else len(values)]])
    if axis in caps:
        count = np.minimum(count, np.searchsorted(values, caps[axis], side="right")[:, None])
    if axis in domain.limit:
        count = np.minimum(count, np.searchsorted(domain.limit[axis], domain.limit["T"], side="right")[None])
    for name in plan.remaining:
        if name in domain.penalty:
            count = np.where(domain.penalty[name][None] == 0, count, 0)
    return count.astype(np.int32)
