"""Whether an exact search is right, by another method than found it, and from far fewer cells than the grid has.

The signs of the exponents prove that from row to row the best columns follow one another, and so do the best values of
the scanned axis (Topkis). So all rows are solved by halving: the middle one over all columns, each half of the others
over what lies on its side of that one's best cell, level by level. Along the scanned axis the risk is least where its
slope turns.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np

from hpgrid.checks import bad, changed
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
    plan, proof = best.plan, best.proof
    if plan is None or proof is None:
        raise bad("what is verified is an exact search", f"method={best.method!r}", 'method="exact"')
    bound, scan, remaining = _Bound(plan, proof.scan), proof.scan, plan.remaining
    along = tuple(0 if v in plan.unused_axes else slice(None) for v in best.axes)
    risk, places = best.risk[along].ravel(), {v: best.index[v][along].ravel() for v in plan.searched}
    cells, there = bound.every(remaining) | places, np.isfinite(risk)
    # Where no cell is allowed there is no index, elsewhere one.
    unlike = np.any([there != (place >= 0) for place in places.values()], axis=0)
    _refuse(unlike | _off(np.where(there, bound.at(cells)[0], np.inf), risk), "the risk is that of the cell", cells)
    # Where there are no rows or no columns, one of an axis without a name.
    rows = [v for v in bound.sizes if v not in (scan, plan.proxy.budget)]
    pairs = [(v, w) for v, w in product(rows, (*places, "")) if w != scan and (v != w or not v)]
    proved = {pair: signs for pair in pairs if (signs := proof.structure.flips((scan, *pair))) is not None}
    pair = max(proved, key=lambda pair: math.prod(bound.sizes[v] for v in pair))
    read = [np.arange(bound.sizes[v])[:: proved[pair].get(v, 1) * proved[pair].get(scan, 1)] for v in pair]
    axes = [v for v in bound.sizes if v not in (scan, *pair)] + [pair[0]]
    least = _least(bound, bound.every(axes[:-1]), pair, read).reshape([bound.sizes[v] for v in axes])
    least = least.min(axis=tuple(k for k, v in enumerate(axes) if v not in remaining))
    left = [v for v in axes if v in remaining]
    _refuse(_off(least.transpose([left.index(v) for v in remaining]).ravel(), risk), "no other cell is better", cells)
    return bound.count


class _Bound:
    """A bound at cells, which are the indices of values; it counts them."""

    def __init__(self, plan: SearchPlan, scan: str) -> None:
        proxy: Any = plan.proxy.everywhere()
        powers = {term.exponent(scan) for term in proxy.terms}
        of_power = {power: [term for term in proxy.terms if term.exponent(scan) == power] for power in powers}
        self.parts = {float(power): changed(proxy, terms=tuple(terms)) for power, terms in of_power.items()}
        self.plan, self.scan, self.count = replace(plan, axes={**plan.axes, "": np.ones(1)}), scan, 0
        self.sizes = {v: len(x) for v, x in self.plan.axes.items()}

    def every(self, axes: Sequence[str]) -> dict[str, Any]:
        """Return all cells of some axes, in row-major order: one, where there is none."""
        sizes = [self.sizes[v] for v in axes]
        return dict(zip(axes, np.indices(sizes).reshape(len(sizes), math.prod(sizes))))

    def at(self, cells: Cells) -> tuple[Any, Any]:
        """Return the risk, +inf where no cell is allowed, and the slope along the scanned axis."""
        at, shape = self.plan.at(cells), np.broadcast_shapes(*map(np.shape, cells.values()))
        self.count += math.prod(shape)
        values = {power: part.risk(**{v: at[v] for v in part.variables()}) for power, part in self.parts.items()}
        risk = np.where(self.plan.allows(cells), sum(values.values()), np.inf)
        return np.broadcast_to(risk, shape), sum(power * value for power, value in values.items())

    def along(self, cells: Cells, low: Any, high: Any) -> tuple[Any, Any, Any]:
        """Return the least risk between two places of the scanned axis, and two places between which it is."""
        turn, beyond = low.copy(), high + 1
        while len(on := np.flatnonzero(turn < beyond)):
            middle = (turn + beyond)[on] // 2
            risk, slope = self.at({v: place[on] for v, place in cells.items()} | {self.scan: middle})
            turned = np.isinf(risk) | (slope >= 0)
            turn[on], beyond[on] = np.where(turned, turn[on], middle + 1), np.where(turned, middle, beyond[on])
        before, after = np.clip(turn - 1, low, high), np.minimum(turn, high)
        risk = np.minimum(*(self.at({**cells, self.scan: place})[0] for place in (before, after)))
        none = np.isinf(risk)
        return risk, np.where(none, low, before), np.where(none, high, after)


def _least(bound: _Bound, lanes: Cells, pair: Sequence[str], read: Sequence[Any]) -> Any:
    """The least risk of every row of every lane; rows and columns are read in the order in which the best ones rise."""
    (row, column), (rows, columns) = pair, map(len, read)
    scanned = bound.sizes[bound.scan]
    start = np.argmax(bound.plan.domain.penalty.get(bound.scan, np.zeros(1)) == 0)
    least = np.empty((max((len(x) for x in lanes.values()), default=1), rows))
    for begin in range(0, len(least), max(1, _BLOCK // (rows + columns))):
        part = slice(begin, begin + max(1, _BLOCK // (rows + columns)))
        # Where later rows begin and earlier ones end, in columns and along them; the last entry is what no row says.
        ends = np.zeros((2, 2, rows + 1, len(least[part])), np.intp)
        ends[:] = np.reshape([[0, start], [columns - 1, scanned - 1]], (2, 2, 1, 1))
        for step in (2**k for k in reversed(range(rows.bit_length()))):
            own = np.arange(step - 1, rows, 2 * step)
            low, high = ends[0][:, own - step], ends[1][:, np.minimum(own + step, rows)]
            # As many lines of each as there are columns between the two, one after the other.
            width = (high - low + 1)[0].ravel()
            starts = np.cumsum(width) - width
            place, lane = (np.repeat(x.ravel(), width) for x in np.indices(low[0].shape))
            at = np.arange(len(lane)) - np.repeat(starts - low[0].ravel(), width)
            cells = {v: x[part][lane] for v, x in lanes.items()} | {row: read[0][own[place]], column: read[1][at]}
            risk, before, after = bound.along(cells, low[1, place, lane], high[1, place, lane])
            best = np.minimum.reduceat(risk, starts)
            least[part, read[0][own]] = best.reshape(low[0].shape).T
            # Where rounding can't tell, the first and the last: of a row of no cell that is allowed all, inf.
            tied = risk <= np.repeat(best, width) * (1 + ROUNDING)
            first = np.minimum.reduceat(np.where(tied, [at, before], columns + scanned), starts, axis=1)
            last = np.maximum.reduceat(np.where(tied, [at, after], -1), starts, axis=1)
            ends[:, :, own] = np.reshape([first, last], (2, *low.shape))
    return least


def _off(found: Any, claimed: Any) -> Any:
    """Where two risks differ by more than rounding."""
    return ~np.isclose(found, claimed, rtol=ROUNDING, atol=0)


def _refuse(wrong: Any, rule: str, cells: Cells) -> None:
    """Refuse a result with a cell that is wrong."""
    if wrong.any():
        first = {v: int(place[wrong.argmax()]) for v, place in cells.items()}
        raise bad(f"an exact search is right in every cell: {rule}", f"{wrong.sum()} cells, {first}", "the search anew")
