"""Whether an exact search is right, by another method than found it, and from far fewer cells than the grid has.

The signs of the exponents prove that the best columns of rows follow one another (Topkis). So all rows are solved by
halving: the middle one over all columns, each half of the others over those on its side of that one's best column,
level by level. That takes some multiple of rows and columns together in place of their product, and each of these lines
is least where its slope turns.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np

from hpgrid.checks import bad, changed
from hpgrid.proxy import Proxy
from hpgrid.search.brute import SearchPlan, SearchResult

#: How far a value that is computed in another order may be off, as a share of it: some hundred roundings.
ROUNDING = 1e-13

#: Lines that are looked at at once.
_BLOCK = 2**18

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
    bound, remaining = _Bound(plan, proof.scan), list(plan.remaining)
    along = tuple(0 if v in plan.unused_axes else slice(None) for v in best.axes)
    risk = best.risk[along].ravel()
    cells = _every(plan, remaining) | {v: best.index[v][along].ravel() for v in plan.searched}
    for v in plan.searched:
        _refuse(
            np.isfinite(risk) != (cells[v] >= 0), "where no cell is allowed there is no index, elsewhere one", cells
        )
    _refuse(bound.off(bound.at(cells), risk), "the risk is not that of the cell", cells)
    pairs = [
        (row, column, flips)
        for column, row in product([v for v in plan.searched if v != proof.scan], plan.axes)
        if row not in (proof.scan, column, plan.proxy.budget)
        and (flips := proof.structure.flips((proof.scan, row, column)))
    ]
    row, column, flips = max(pairs, key=lambda pair: len(plan.axes[pair[0]]), default=("", "", dict[str, int]()))
    lanes = [v for v in plan.axes if v not in (proof.scan, row, column)]
    names, sizes = [*lanes, *([row] if row else [])], [len(plan.axes[v]) for v in lanes]
    if row:
        backwards = flips.get(row, 1) * flips.get(column, 1) < 0
        least = _rows(bound, _every(plan, lanes), row, column, backwards).reshape(*sizes, -1)
    else:
        least = bound.along(_every(plan, lanes)).reshape(sizes)
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
        assert isinstance(plan.proxy, Proxy)
        self.plan, self.scan, self.proxy, self.count = plan, scan, plan.proxy, 0
        powers = sorted({power for term in self.proxy.terms if (power := term.exponent(scan))})
        # Of two powers, one falling, where their sum turns has a closed form.
        self.pair = [
            (
                abs(float(power)),
                changed(self.proxy, terms=tuple(t for t in self.proxy.terms if t.exponent(scan) == power)),
            )
            for power in (powers if len(powers) == 2 and powers[0] < 0 < powers[1] else [])
        ]

    def risk(self, proxy: Proxy, cells: Cells) -> Any:
        """The risk at cells, allowed or not, or some of its terms."""
        at: dict[str, Any] = {**self.plan.fixed, **{v: self.plan.axes[v][i] for v, i in cells.items()}}
        shape = np.broadcast_shapes(*(np.shape(i) for i in cells.values()))
        self.count += math.prod(shape)
        return np.broadcast_to(proxy.everywhere().risk(**{v: at[v] for v in proxy.variables()}), shape)

    def at(self, cells: Cells) -> Any:
        """The risk at cells, +inf where none is allowed."""
        domain, risk = self.plan.domain, self.risk(self.proxy, cells)
        allowed = np.ones(risk.shape, bool)
        for v in (v for v in cells if v in domain.penalty):
            allowed &= domain.penalty[v][cells[v]] == 0
        if domain.limit:
            (batch,) = (v for v in domain.limit if v != "T")
            allowed &= domain.limit[batch][cells[batch]] <= domain.limit["T"][cells["T"]]
        return np.where(allowed, risk, np.inf)

    def off(self, found: Any, claimed: Any) -> Any:
        """Where two risks differ by more than rounding."""
        with np.errstate(invalid="ignore"):
            return ~((found == claimed) | (np.abs(found - claimed) <= ROUNDING * claimed))

    def along(self, cells: Cells) -> Any:
        """The least risk along the scanned axis: where the slope turns, by a closed form or by bisection."""
        domain, axis = self.plan.domain, self.plan.axes[self.scan]
        allowed = np.flatnonzero(domain.penalty.get(self.scan, np.zeros(len(axis))) == 0)
        shape = np.broadcast_shapes(*(np.shape(i) for i in cells.values()))
        low, high = (np.full(shape, allowed[k] if len(allowed) else 0) for k in (0, -1))
        if self.scan in domain.limit:
            most = np.searchsorted(domain.limit[self.scan], domain.limit["T"][cells["T"]], side="right") - 1
            high = np.maximum(np.minimum(high, most), low)
        if self.pair:
            (p, falls), (q, rises) = ((power, self.risk(part, {**cells, self.scan: 0})) for power, part in self.pair)
            turn = np.searchsorted(np.log(axis / axis[0]), np.log(p * falls / (q * rises)) / (p + q))
            return np.minimum(*(self.at({**cells, self.scan: np.clip(turn + k, low, high)}) for k in (-1, 0)))
        while (low < high).any():
            middle = (low + high) // 2
            here, beside = (self.at({**cells, self.scan: np.minimum(middle + k, high)}) for k in (0, 1))
            low, high = np.where(here <= beside, low, middle + 1), np.where(here <= beside, middle, high)
        return self.at({**cells, self.scan: low})


def _rows(bound: _Bound, lanes: Cells, row: str, column: str, backwards: bool) -> Any:
    """The least risk of every row of every lane: of the rows between two that are solved, the middle ones are next."""
    rows, columns = (len(bound.plan.axes[v]) for v in (row, column))
    count = max((len(x) for x in lanes.values()), default=1)
    least = np.empty((count, rows))
    for begin in range(0, count, max(1, _BLOCK // (rows + columns))):
        part = slice(begin, begin + max(1, _BLOCK // (rows + columns)))
        some, found = {v: x[part] for v, x in lanes.items()}, least[part]
        # From where on later rows have their best column, and as far as where earlier ones.
        first, last = np.zeros((2, *found.shape), np.intp)
        step = 2 ** (rows.bit_length() - 1)
        while step:
            own = np.arange(step - 1, rows, 2 * step)
            low = np.where(own >= step, first[:, own - step], 0)
            high = np.where(own + step < rows, last[:, (own + step) % rows], columns - 1)
            width = (high - low + 1).ravel()
            starts = np.cumsum(width) - width
            lane, place = (np.repeat(x.ravel(), width) for x in np.indices(low.shape))
            at = np.arange(len(lane)) - np.repeat(starts - low.ravel(), width)
            actual = rows - 1 - own[place] if backwards else own[place]
            values = bound.along({**{v: x[lane] for v, x in some.items()}, row: actual, column: at})
            best = np.minimum.reduceat(values, starts)
            # Where rounding can't tell, the first and the last: of a row of no cell that is allowed all, inf.
            tied = values <= np.repeat(best, width) * (1 + ROUNDING)
            found[:, rows - 1 - own if backwards else own] = best.reshape(low.shape)
            first[:, own] = np.minimum.reduceat(np.where(tied, at, columns), starts).reshape(low.shape)
            last[:, own] = np.maximum.reduceat(np.where(tied, at, -1), starts).reshape(low.shape)
            step //= 2
    return least


def _refuse(wrong: Any, why: str, cells: Cells) -> None:
    """Refuse a result with a cell that is wrong."""
    places = np.argwhere(wrong)
    if len(places):
        where = {v: np.broadcast_to(i, np.shape(wrong))[tuple(places[0])] for v, i in cells.items()}
        shown = ", ".join(f"{v}: {int(i)}" for v, i in where.items())
        raise bad(
            f"an exact search is right in every cell: {why}", f"{len(places)} cells, {{{shown}}}", "the search anew"
        )
