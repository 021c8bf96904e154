"""The roofline: operations and bytes per point against counts by hand, and what is counted of the ceilings' kernels."""

from __future__ import annotations

from pathlib import Path

import jax
import jax.numpy as jnp
import pytest

import hpgrid
from hpgrid import bounds
from hpgrid.bench import roofline
from hpgrid.bench.roofline import ceilings, count, task_count
from hpgrid.bench.tasks import TASKS
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


@pytest.mark.parametrize(("task", "cells", "rank"), [("R1", 7, 8), ("R2", 28, 8), ("R3", 35, 8), ("R4", 140, 4)])
def test_eq_4_by_hand(small: Grid, task: str, cells: int, rank: int) -> None:
    need = count(bounds.lmo(), small, TASKS[task].over)
    joint = task != "R4"
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
    joint, along = (count(bounds.lmo(), Grid.footnote(21), TASKS[task].over) for task in ("R1", "R4"))
    assert joint.handed == pytest.approx((3 * 2 * 8 + 3 * 8) / 21)
    assert along.handed == pytest.approx(2 * 2 * 16 / 21)


def test_a_bound_is_counted_in_the_budget_of_the_grid(small: Grid) -> None:
    tokens, iterations = (count(proxy, small, ("eta",)) for proxy in (bounds.lmo(), bounds.lmo().form("K")))
    assert tokens == iterations


def test_operations_of_a_function_are_not_counted(small: Grid) -> None:
    function = FunctionProxy(lambda eta, b, alpha, T, constants: eta + 1 / T, name="mine")
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
@pytest.mark.parametrize("task", TASKS)
def test_the_page_on_accelerators_says_what_is_counted(task: str, dtype: str) -> None:
    """1e8 points: 100 values an axis."""
    need = task_count(task, Grid.footnote(100), dtype)
    page = PAGE.read_text(encoding="utf-8")
    counted = f"{need.operations:.2f} | {need.bytes:.2g} | {need.handed:.2f} | {need.at_once / 1e6:.0f}"
    assert f"| {task} | {dtype} | {counted} |" in page
    for (device, precision), (arithmetic, memory) in PEAKS.items():
        if precision == dtype:
            floors = [milliseconds(need.operations, arithmetic)]
            floors += [milliseconds(amount, memory) for amount in (need.bytes, need.moved)]
            assert f"| {device} | {task} | {dtype} | {' | '.join(floors)} |" in page


# --- what the device can do ---


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roofline, "_LONG", 0.0)


@pytest.mark.usefixtures("at_once")
def test_multiply_adds_are_counted_but_not_what_joins_them() -> None:
    """The compiler's own count has the start and the end of the chains, a sixteenth, on top."""
    elements = 64
    with jax.enable_x64(True):
        start, one = jnp.ones(elements, jnp.float64), jnp.float64(0.5)
        lowered = roofline._multiply_adds.lower(start, one, one, jnp.int32(1))
        flops = lowered.compile().cost_analysis()["flops"]
    amount = ceilings(elements, 64)["arithmetic"].amount
    assert amount == 2 * 8 * 32 * elements
    assert amount <= flops <= 1.1 * amount


@pytest.mark.usefixtures("at_once")
def test_a_triad_is_two_reads_and_a_write_in_float64() -> None:
    assert ceilings(64, 1000)["memory"].amount == 24 * 1000


@pytest.mark.usefixtures("at_once")
def test_calls_go_on_from_where_they_were_and_stay_at_one() -> None:
    """No number overflows, vanishes or becomes subnormal, however long it runs."""
    with jax.enable_x64(True):
        factor, addend = jnp.float64(0.75), jnp.float64(0.25)
        x = roofline._multiply_adds(jnp.ones(8, jnp.float64), factor, addend, jnp.int32(1000))
        y = roofline._triad(jnp.ones(8, jnp.float64), jnp.full(8, 0.25, jnp.float64), factor, jnp.int32(1000))
        assert jnp.allclose(x, 1.0, atol=1e-3)
        assert jnp.array_equal(y, jnp.ones(8, jnp.float64))
    for limit in ceilings(64, 64).values():
        limit.call()
        limit.call()  # its array was given away, and came back


def test_passes_double_until_a_call_is_long_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roofline, "_LONG", 10.0)
    monkeypatch.setattr(roofline, "timeit", lambda call, number: 2.5 * call.args[0])
    made: list[int] = []
    limit = roofline._long_enough(made.append, 3.0)
    limit.call()
    assert limit.amount == 3.0 * 4
    assert made == [1, 4]
