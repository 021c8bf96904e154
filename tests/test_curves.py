"""Contours of a risk, their levels even in the log; and the near-optimal set, against a loop."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st

from hpgrid.curves import PERFORMANCE, even_levels, iso_loss, near_optimal

K, B = np.geomspace(1e2, 1e16, 15), np.geomspace(1.0, 1e9, 11)


def law(k: np.ndarray, b: np.ndarray) -> np.ndarray:
    return 3 * k**-0.5 * b**-0.25


RISK = law(K, B[:, None])


def test_levels_are_even_in_the_log_and_inside_the_range() -> None:
    levels = even_levels(RISK, 7)
    steps = np.diff(np.log([RISK.min(), *levels, RISK.max()]))
    assert len(steps) == 8
    np.testing.assert_allclose(steps, steps[0], rtol=1e-12)
    assert steps[0] > 0


def test_levels_pass_over_what_is_not_a_positive_number() -> None:
    holed = np.array([np.nan, np.inf, 0.0, 1.0, 100.0])
    np.testing.assert_allclose(even_levels(holed, 1), [10.0])
    assert len(even_levels(holed)) == 20


def test_the_contours_of_a_power_law_are_straight_lines_in_the_logs() -> None:
    levels = even_levels(RISK, 9)
    traced = iso_loss(K, B, RISK, levels)
    assert [len(lines) for lines in traced] == [1] * 9
    for level, (line,) in zip(levels, traced):
        assert line.shape[0] > 2
        np.testing.assert_allclose(law(*line.T), level, rtol=1e-12)
        (u, v), (du, dv) = np.log(line.T), np.log(line[-1] / line[0])
        np.testing.assert_allclose((u - u[0]) * dv, (v - v[0]) * du, atol=1e-9)


def test_a_contour_runs_from_border_to_border() -> None:
    ((line,),) = iso_loss(K, B, RISK, [law(1e6, 1.0)])
    assert sorted(line[:, 1])[0] == pytest.approx(B[0])
    assert min(line[:, 0]) == pytest.approx(K[0])  # up and to the left, along b = K^-2


def test_no_line_where_the_level_is_not_reached() -> None:
    assert iso_loss(K, B, RISK, [2 * RISK.max(), 0.5 * RISK.min()]) == [[], []]


@pytest.mark.parametrize("hole", [np.nan, np.inf])
def test_lines_keep_to_where_there_is_a_risk(hole: float) -> None:
    inside = np.ones(RISK.shape, bool)
    inside[:, :5] = False  # the budgets up to K[4]
    levels = even_levels(RISK[inside], 6)
    points = np.vstack([line for of_level in iso_loss(K, B, np.where(inside, RISK, hole), levels) for line in of_level])
    assert points[:, 0].min() >= K[5] * (1 - 1e-12)
    reached = law(*points.T)
    assert np.abs(np.log(reached[:, None] / levels)).min(axis=1).max() < 1e-12


def brute(risk: np.ndarray, values: np.ndarray, performance: float, convex: bool) -> list[tuple]:
    """low, high, low_edge, high_edge of every column, by looking at one cell after the other."""
    bands = []
    for column in risk.T:
        feasible = [k for k in range(len(values)) if np.isfinite(column[k]) and column[k] > 0]
        if not feasible:
            bands.append((np.nan, np.nan, True, True))
            continue
        best = min(feasible, key=lambda k: column[k])
        good = [k for k in feasible if column[k] <= column[best] / performance] if convex else [best]
        while not convex and good[0] - 1 in feasible and column[good[0] - 1] <= column[best] / performance:
            good.insert(0, good[0] - 1)
        while not convex and good[-1] + 1 in feasible and column[good[-1] + 1] <= column[best] / performance:
            good.append(good[-1] + 1)
        bands.append((values[good[0]], values[good[-1]], good[0] == 0, good[-1] == feasible[-1]))
    return bands


@given(
    st.integers(1, 8),
    st.integers(1, 6),
    st.floats(0, 0.7),
    st.sampled_from([0.5, 0.9, PERFORMANCE, 1.0]),
    st.booleans(),
    st.integers(0, 2**32 - 1),
)
def test_it_is_what_a_loop_finds(
    count: int, n: int, infeasible: float, performance: float, convex: bool, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    risk = rng.choice([1.0, 1.005, 1.02, 1.5, 3.0, -2.0, np.nan], (count, n))
    risk[rng.random((count, n)) < infeasible] = np.inf
    values = np.geomspace(1, 100, count)
    band = near_optimal(risk, values, performance, convex=convex)
    expected = np.array(brute(risk, values, performance, convex), dtype=float).T
    np.testing.assert_array_equal([band.low, band.high, band.low_edge, band.high_edge], expected)


def test_what_another_minimum_has_near_it_is_not_near_the_best_one() -> None:
    """Of min(eta/1e-4 + 1e-4/eta, eta/1e2 + 1e2/eta + 1e-3): 15% on either side of 1e-4."""
    eta = np.geomspace(1e-6, 1e4, 2001)
    risk = np.minimum(eta / 1e-4 + 1e-4 / eta, eta / 1e2 + 1e2 / eta + 1e-3)
    band = near_optimal(risk[:, None], eta)
    u = np.arccosh(1 / PERFORMANCE)
    np.testing.assert_allclose([band.low[0], band.high[0]], 1e-4 * np.exp([-u, u]), rtol=eta[1] / eta[0] - 1)


def test_near_optimal_b_is_the_smallest_whose_risk_is_at_most_the_best_over_99_per_cent() -> None:
    risk = np.array([1.02, 1.0102, 1.0101, 1.0, 1.01])  # 1/0.99 = 1.010101...
    values = np.array([1.0, 2.0, 4.0, 8.0, 16.0])
    band = near_optimal(risk[:, None], values)
    assert (band.low, band.high) == (4.0, 16.0)
    assert (band.low_edge, band.high_edge) == (False, True)
    assert near_optimal(risk[:, None], values, 1.0).low == 8.0


@pytest.mark.parametrize("performance", [0.0, -1.0, 1.01, np.nan])
def test_performance_is_a_share(performance: float) -> None:
    with pytest.raises(ValueError, match=r"share of the best, in \(0, 1\]"):
        near_optimal(np.ones((2, 3)), [1.0, 2.0], performance)


@pytest.mark.parametrize("shape", [(3,), (3, 2), (2, 3, 1)])
def test_the_shapes_must_match(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"shape \(values, n\)"):
        near_optimal(np.ones(shape), [1.0, 2.0])
