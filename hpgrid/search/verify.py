"""Whether an exact search is right, by other code than found it, and from far fewer cells than the grid has.

The signs of the exponents prove that the best columns of rows follow one another. Then columns j(1) <= j(2) <= ... are
the best ones if each is the best of those from j(i-1) to j(i+1): n of them are checked with about as many cells as
there are rows and columns, each of them the least value along the scanned axis, where the bound is convex in the log.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from hpgrid.checks import bad
from hpgrid.search.brute import SearchPlan, SearchResult

#: How far a value that is computed in another order may be off, as a share of it: some hundred roundings.
ROUNDING = 1e-13

Cells = Mapping[str, Any]


def verify_search(best: SearchResult) -> int:
    """Check an exact search against its proof; return how many values of the bound that took.

    Args:
        best: the result of ``grid_search`` with ``method="exact"``.

    Raises:
        ValueError: it has no proof, or is wrong: in what, and in which cell.
    """
    proof, plan = best.proof, best.plan
    if proof is None or plan is None:
        raise bad("what is verified is an exact search", f"method={best.method!r}", 'method="exact"')
    bound, roles = _Bound(plan, proof.scan), proof.roles
    remaining = [v for v in plan.axes if v in plan.remaining]
    at = _every(plan, remaining)
    along = tuple(0 if v in plan.unused_axes else slice(None) for v in best.axes)
    risk = best.risk[along].ravel()
    cells = at | {v: best.index[v][along].ravel() for v in plan.searched}
    for v in plan.searched:
        _refuse(
            np.isfinite(risk) != (cells[v] >= 0), "where no cell is allowed there is no index, elsewhere one", cells
        )
    _refuse(bound.off(bound.at(cells), risk), "the risk is not that of the cell", cells)
    names, sizes = (*roles.lanes, roles.row), [len(plan.axes[v]) for v in roles.lanes]
    lanes = _every(plan, roles.lanes)
    if not roles.row:
        least = bound.along(lanes).reshape(*sizes, 1)
    else:
        _check_signs(plan, {proof.scan: 1, roles.row: 1, roles.column: -1 if roles.backwards else 1})
        least = _least(bound, proof.columns, lanes, roles).reshape(*sizes, -1)
    least = least.min(axis=tuple(k for k, v in enumerate(names) if v not in remaining), keepdims=True)
    order = [names.index(v) for v in remaining]
    whole = least.transpose([*order, *(k for k in range(least.ndim) if k not in order)])
    _refuse(bound.off(whole.ravel(), risk), "another cell is better", cells)
    return bound.count


def _every(plan: SearchPlan, axes: Sequence[str]) -> dict[str, Any]:
    """The indices on some axes of all cells that they make, in row-major order: of one cell, where there is none."""
    sizes = [len(plan.axes[v]) for v in axes]
    return dict(zip(axes, np.indices(sizes).reshape(len(sizes), math.prod(sizes))))


class _Bound:
    """A bound as cells, given by the indices of values, see it; it counts them."""

    def __init__(self, plan: SearchPlan, scan: str) -> None:
        self.plan, self.scan, self.count = plan, scan, 0

    def at(self, cells: Cells) -> Any:
        """The risk at cells, +inf where none is allowed."""
        plan, domain = self.plan, self.plan.domain
        values = {v: plan.axes[v][i] for v, i in cells.items()}
        shape = np.broadcast_shapes(*(np.shape(i) for i in cells.values()))
        at: dict[str, Any] = {**plan.fixed, **values}
        risk = plan.proxy.everywhere().risk(**{v: at[v] for v in plan.proxy.variables()})
        allowed = np.ones(shape, bool)
        for v in (v for v in cells if v in domain.penalty):
            allowed &= domain.penalty[v][cells[v]] == 0
        if domain.limit:
            (batch,) = (v for v in domain.limit if v != "T")
            allowed &= domain.limit[batch][cells[batch]] <= domain.limit["T"][cells["T"]]
        self.count += allowed.size
        return np.where(allowed, risk, np.inf)

    def off(self, found: Any, claimed: Any) -> Any:
        """Where two risks differ by more than rounding."""
        with np.errstate(invalid="ignore"):
            return ~((found == claimed) | (np.abs(found - claimed) <= ROUNDING * claimed))

    def along(self, cells: Cells) -> Any:
        """The least risk along the scanned axis, by bisection of its slope."""
        first = int(np.argmax(self.plan.domain.penalty.get(self.scan, np.zeros(1)) == 0))
        shape = np.broadcast_shapes(*(np.shape(i) for i in cells.values()))
        low, high = np.full(shape, first), np.full(shape, len(self.plan.axes[self.scan]) - 1)
        while (low < high).any():
            middle = (low + high) // 2
            turned = self.at({**cells, self.scan: middle}) <= self.at(
                {**cells, self.scan: np.minimum(middle + 1, high)}
            )
            low, high = np.where(turned, low, middle + 1), np.where(turned, middle, high)
        return self.at({**cells, self.scan: low})


def _least(bound: _Bound, columns: Any, lanes: Cells, roles: Any) -> Any:
    """The least risk of every row of every lane, its claimed column held against those up to its neighbours'."""
    rows, last = columns.shape[1], len(bound.plan.axes[roles.column]) - 1
    found = np.empty(columns.shape)
    each = max(1, 2**18 // (last + rows))
    for start in range(0, len(columns), each):
        part = slice(start, start + each)
        claimed = columns[part][:, ::-1] if roles.backwards else columns[part]
        ends = np.pad(claimed, ((0, 0), (1, 1)), constant_values=((0, 0), (0, last)))
        low, high = ends[:, :-2], ends[:, 2:]
        # What has no cell, or lies out of order as among ties, is held against every column.
        whole = (claimed < 0) | (low < 0) | (high < 0) | (low > claimed) | (claimed > high)
        low, high = np.where(whole, 0, low), np.where(whole, last, high)
        lane, row = (np.repeat(x.ravel(), (high - low + 1).ravel()) for x in np.indices(claimed.shape))
        starts = np.cumsum(high - low + 1) - (high - low + 1).ravel()
        column = np.arange(len(lane)) - np.repeat(starts - low.ravel(), (high - low + 1).ravel())
        actual = rows - 1 - row if roles.backwards else row
        values = bound.along({**{v: x[part][lane] for v, x in lanes.items()}, roles.row: actual, roles.column: column})
        least = np.minimum.reduceat(values, starts).reshape(claimed.shape)
        own = values[starts + np.maximum(claimed - low, 0).ravel()].reshape(claimed.shape)
        _refuse(
            bound.off(np.where(claimed < 0, np.inf, own), least), "another column is better", {"lane, row": claimed}
        )
        found[part] = least[:, ::-1] if roles.backwards else least
    return found


def _check_signs(plan: SearchPlan, forwards: Mapping[str, int]) -> None:
    """Refuse a bound with a term whose mixed difference in two axes is positive, some of the axes read backwards."""
    terms: Any = getattr(plan.proxy, "terms", ())
    for turned in (1, -1):  # the scanned axis may be read either way
        ways = {v: way * (turned if k == 0 else 1) for k, (v, way) in enumerate(forwards.items())}
        slopes = [{v: ways[v] * _slope(term.factors.get(v, 0)) for v in ways} for term in terms]
        if all(each[v] * each[w] <= 0 for each in slopes for v, w in combinations(ways, 2)):
            return
    raise bad("an exact search is of a submodular bound", plan.proxy.name, 'method="brute"')


def _slope(factor: Any) -> float:
    return {"one_plus": 1.0, "one_minus": -1.0}[factor] if isinstance(factor, str) else float(factor)


def _refuse(wrong: Any, why: str, cells: Cells) -> None:
    """Refuse a result with a cell that is wrong."""
    places = np.argwhere(wrong)
    if len(places):
        where = {v: np.broadcast_to(i, np.shape(wrong))[tuple(places[0])] for v, i in cells.items()}
        shown = ", ".join(f"{v}: {int(i)}" for v, i in where.items())
        raise bad(
            f"an exact search is right in every cell: {why}", f"{len(places)} cells, {{{shown}}}", "the search anew"
        )
