"""Operations and bytes per point, counted from the tables, against counts by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

import hpgrid
from hpgrid import bounds
from hpgrid.bench.counts import count
from hpgrid.bench.needs import needs
from hpgrid.bench.works import WORKS
from hpgrid.checks import InputError
from hpgrid.grid import Grid
from hpgrid.proxy import FunctionProxy

# By hand, for eq. (4) with eta scanned, C1/eta * (b/T) + eta * (C3 + C3/alpha) + rest. At every point
# two products, a sum, a comparison. On every line: C1 b / T is two products, C3/alpha one, and one sum;
# C2 b^(1/2)/(alpha T) three products, C2 b^(-1/2) alpha^(1/2) two, and one sum; one more to add the rest.
ALONG, PER_LINE = 4, 2 + (1 + 1) + (3 + 2 + 1) + 1

# The fixture ``small`` has 6 eta, 5 b, 4 alpha, 7 T.
POINTS, LINES = 6 * 5 * 4 * 7, 5 * 4 * 7

# By hand: coefficients and tables of the five terms, the zero, two tables on eta and its indices.
ENTRIES = (1 + 5 + 7) + 1 + (1 + 4) + (1 + 5 + 4 + 7) + (1 + 5 + 4) + 1 + 3 * 6


@pytest.mark.parametrize(("work", "cells", "rank"), [("R1", 7, 8), ("R2", 28, 8), ("R3", 35, 8), ("R4", 140, 4)])
def test_eq_4_by_hand(small: Grid, work: str, cells: int, rank: int) -> None:
    need = count(bounds.lmo(), small, WORKS[work].over)
    joint = work != "R4"
    assert need.operations == pytest.approx(ALONG + (PER_LINE + joint) / 6, rel=1e-15)
    assert need.bytes == pytest.approx((cells * (8 + rank) + 8 * ENTRIES) / POINTS, rel=1e-15)
    carried = 2 * 8 + 3 * 8 if joint else 2 * 16  # one step of the loop takes all six values of eta
    assert need.handed == pytest.approx(carried * LINES / POINTS, rel=1e-15)
    assert need.moved == need.bytes + need.handed
    assert need.at_once == (8 if joint else 16) * LINES


def test_float32_halves_the_numbers_and_counts_close_cells_in_a_second_pass(small: Grid) -> None:
    need = count(bounds.lmo(), small, ("eta",), "float32")
    second = ALONG + 1 + (PER_LINE - 1) / 6 + 2 * LINES / POINTS  # the rest on every point; 8 eps of the best
    assert need.operations == pytest.approx(ALONG + PER_LINE / 6 + second, rel=1e-15)
    assert need.bytes == pytest.approx((LINES * (4 + 4 + 4) + 4 * ENTRIES) / POINTS, rel=1e-15)
    assert need.handed == pytest.approx((2 * 8 + 2 * 4) * LINES / POINTS, rel=1e-15)


def test_a_longer_line_is_scanned_in_more_steps() -> None:
    """Ten values a step without an index, twenty with one."""
    joint, along = (count(bounds.lmo(), Grid.footnote(21), WORKS[work].over) for work in ("R1", "R4"))
    assert joint.handed == pytest.approx((3 * 2 * 8 + 3 * 8) / 21)
    assert along.handed == pytest.approx(2 * 2 * 16 / 21)


def test_a_bound_is_counted_in_the_budget_of_the_grid(small: Grid) -> None:
    tokens, iterations = (count(proxy, small, ("eta",)) for proxy in (bounds.lmo(), bounds.lmo().form("K")))
    assert tokens == iterations


def test_operations_of_a_function_are_not_counted(small: Grid) -> None:
    function = FunctionProxy(lambda eta, T, constants: eta + 1 / T, {}, "T", name="mine")
    with pytest.raises(InputError, match=r"operations are counted from the terms of a bound\. Given: 'mine'"):
        count(function, small, ("eta",))  # type: ignore[arg-type]


# --- docs/accelerators.md ---

PAGE = Path(hpgrid.__file__).parent.parent / "docs" / "accelerators.md"

#: Operations (None where the vendor publishes none) and bytes a second, as the page cites them.
PEAKS = {
    ("H100 SXM", "float64"): (34e12, 3.35e12),
    ("H100 SXM", "float32"): (67e12, 3.35e12),
    ("TPU v5e", "float64"): (None, 819e9),
    ("TPU v5e", "float32"): (None, 819e9),
}


def milliseconds(amount: float, peak: float | None) -> str:
    return "-" if peak is None else f"{1e3 * 1e8 * amount / peak:.2g}"


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("work", WORKS)
def test_the_page_on_accelerators_says_what_is_counted(work: str, dtype: str) -> None:
    """1e8 points: 100 values an axis."""
    need = needs(work, Grid.footnote(100), dtype)
    page = PAGE.read_text(encoding="utf-8")
    counted = f"{need.operations:.2f} | {need.bytes:.2g} | {need.handed:.2f} | {need.at_once / 1e6:.0f}"
    assert f"| {work} | {dtype} | {counted} |" in page
    for (device, precision), (arithmetic, memory) in PEAKS.items():
        if precision == dtype:
            floors = [milliseconds(need.operations, arithmetic)]
            floors += [milliseconds(amount, memory) for amount in (need.bytes, need.moved)]
            assert f"| {device} | {work} | {dtype} | {' | '.join(floors)} |" in page
