"""Axes hold what they promise, and the presets are the paper's grids."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from hpgrid import Grid, LogAxis

# --- LogAxis ---


@pytest.mark.parametrize(("lo", "hi", "n"), [(1e-15, 1e4, 100), (0.3, 0.7, 2), (1, 3, 7)])
def test_axis_has_exact_ends_and_equal_steps_in_the_log(lo: float, hi: float, n: int) -> None:
    axis = LogAxis(lo, hi, n)
    assert (axis.values[0], axis.values[-1], axis.values.shape, len(axis)) == (lo, hi, (n,), n)
    steps = np.diff(np.log(axis.values))
    np.testing.assert_allclose(steps, math.log(hi / lo) / (n - 1), rtol=1e-11)
    assert axis.step == pytest.approx(math.log(hi / lo) / (n - 1), rel=1e-11)


def test_axis_from_values_keeps_them_and_its_step_is_the_largest_gap() -> None:
    axis = LogAxis.from_values([32, 64, 256, 512])
    np.testing.assert_array_equal(axis.values, [32.0, 64.0, 256.0, 512.0])
    assert (axis.lo, axis.hi, axis.n) == (32.0, 512.0, 4)
    assert axis.step == pytest.approx(math.log(4))
    assert axis == LogAxis.from_values((32.0, 64.0, 256.0, 512.0)) != LogAxis(32, 512, 4)
    assert len({LogAxis(1, 10, 5), LogAxis(1.0, 10.0, 5)}) == 1
    for one in (axis, LogAxis(1.0, 10.0, 3)):
        with pytest.raises(ValueError, match="read-only"):
            one.values[0] = 2.0


@pytest.mark.parametrize("axis", [LogAxis(1.0, 8.0, 4), LogAxis.from_values(np.array([1.0, 2.0, 4.0, 8.0]))])
@pytest.mark.parametrize(("value", "nearest"), [(1.0, 0), (1.4, 0), (1.5, 1), (8.0, 3), (1e-9, 0), (1e9, 3)])
def test_index_is_the_nearest_in_the_log(axis: LogAxis, value: float, nearest: int) -> None:
    assert axis.index(value) == nearest


AXIS = LogAxis(1.0, 10.0, 3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0.0, 1.0), "lo .*positive"),
        ((-1.0, 1.0), "lo .*positive"),
        ((1.0, math.inf), "hi .*finite"),
        ((math.nan, 1.0), "lo .*finite.*nan"),
        (("1e-3", 1.0), "lo .*number.*'1e-3'"),
        ((True, 2.0), "lo .*number.*True"),
        ((2.0, 2.0), "lo < hi"),
        ((3.0, 2.0), r"lo < hi.*\(3.0, 2.0\)"),
        ((1.0, 2.0, 1), "n >= 2"),
        ((1.0, 2.0, 2.5), "n >= 2"),
        ((1.0, 2.0, True), "n >= 2"),
    ],
)
def test_axis_refuses(arguments: tuple, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LogAxis(*arguments)


@pytest.mark.parametrize(
    ("make", "given", "message"),
    [
        *((LogAxis.from_values, few, "two values or more") for few in ([2.0], [])),
        *((LogAxis.from_values, turned, "increase") for turned in ([1.0, 4.0, 2.0], [1.0, 1.0])),
        *((LogAxis.from_values, [x, 2.0], "positive and finite") for x in (0.0, math.nan, -math.inf)),
        *((LogAxis.from_values, odd, "numbers") for odd in (["small", "large"], [None, 1.0])),
        *((AXIS.index, x, "positive finite") for x in (0.0, -1.0, math.nan, math.inf)),
        (lambda given: Grid.footnote(3).with_axes(**given), {"lr": 0.9}, "axis.*'lr'. Write 'eta'"),
        (lambda given: Grid.footnote(3).with_axes(**given), {"beta": LogAxis(0.9, 0.99)}, "one of its complement"),
        (lambda given: Grid(**given), {"T": 1.0, "alpha": 0.1, "beta": 0.9}, "'alpha and beta'. Write one of the two"),
        (lambda given: Grid.footnote(3).with_axes(**given), {"T": None}, "one budget"),
        (lambda given: Grid.footnote(3).with_axes(**given), {"alpha": 3.0}, "alpha"),
    ],
)
def test_values_refuse(make: Callable[[Any], object], given: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make(given)


# --- Grid ---


def test_footnote_grid_has_the_ranges_of_footnote_3() -> None:
    ranges = {name: (axis.lo, axis.hi, axis.n) for name, axis in Grid.footnote().axes.items()}
    assert ranges == {
        "eta": (1e-15, 1e4, 100),
        "b": (1.0, 1e15, 100),
        "alpha": (1e-10, 1.0, 100),
        "T": (1e2, 1e22, 100),
    }
    for preset in (Grid.footnote, Grid.captions):
        assert {len(axis) for axis in preset(7).axes.values()} == {7}
        assert preset().budget == "T"


def test_captions_grid_holds_what_the_captions_print() -> None:
    """The batch sizes, cut to integers; the momenta; the smallest learning rates of Figures 10 and 11."""
    eta, b, alpha = (Grid.captions().axes[v].values for v in ("eta", "b", "alpha"))
    assert [int(b[k]) for k in (10, 20, 30)] == [32, 1072, 35111]
    for beta, digits in ((0.934, 3), (0.999, 3), (0.9999, 4)):
        assert beta in np.round(1 - alpha, digits)
    assert [float(f"{eta[42]:.1e}"), float(f"{eta[30]:.2e}")] == [1.7e-6, 1.07e-7]


def test_a_grid_tells_its_axes_from_its_held_values() -> None:
    grid = Grid(alpha=1e-3, K=LogAxis(1, 10, 3), eta=LogAxis(1e-3, 1, 4), b=np.float64(32))
    assert (list(grid.axes), grid.held, grid.budget) == (["eta", "K"], {"b": 32.0, "alpha": 1e-3}, "K")
    assert Grid(T=5).held == {"T": 5.0}


def test_with_axes_replaces_entries_and_a_new_budget_takes_the_old_ones_place() -> None:
    grid = Grid.footnote(5)
    assert grid.with_axes(alpha=1e-3).held == {"alpha": 1e-3}
    assert grid.with_axes(alpha=None).axes.keys() == {"eta", "b", "T"}
    in_K = grid.with_axes(K=LogAxis(1, 10, 3))
    assert (in_K.budget, in_K.T, in_K.eta) == ("K", None, grid.eta)
    assert in_K.with_axes(T=grid.T) == grid


def test_describe_is_plain_data_from_which_the_grid_can_be_made_again() -> None:
    grid = Grid(eta=LogAxis(1e-3, 1, 4), b=LogAxis.from_values([32, 64]), alpha=0.1, T=LogAxis(10, 100, 3))
    assert grid.describe() == {
        "eta": {"lo": 1e-3, "hi": 1.0, "n": 4},
        "b": {"values": [32.0, 64.0]},
        "T": {"lo": 10.0, "hi": 100.0, "n": 3},
        "alpha": 0.1,
    }


T = LogAxis(10, 100, 3)


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"alpha": LogAxis(0.1, 2.0, 3), "T": T}, "alpha .*<= 1.*2.0"),
        ({"alpha": 1.5, "T": T}, "alpha .*<= 1.*1.5"),
        ({"b": LogAxis(0.5, 2.0, 3), "T": T}, "b >= 1.*0.5"),
        ({"b": 0.5, "T": T}, "b >= 1.*0.5"),
        ({"eta": -1.0, "T": T}, "eta > 0.*-1"),
        ({"eta": math.nan, "T": T}, "eta.*nan"),
        ({"eta": "0.1", "T": T}, "eta.*number.*'0.1'"),
        ({"eta": True, "T": T}, "eta.*number.*True"),
        ({"T": 0.5}, "T >= 1"),
        ({"K": 0.0}, "K > 0"),
        ({"T": T, "K": T}, "one budget"),
        ({"eta": LogAxis(0.1, 1.0, 3)}, "one budget"),
    ],
)
def test_grid_refuses(entries: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Grid(**entries)
