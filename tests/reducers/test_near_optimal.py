"""The near-optimal band: the smallest and the largest value within a share of the best risk."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st

from hpgrid.curves import PERFORMANCE, near_optimal


def brute(risk: np.ndarray, values: np.ndarray, performance: float) -> list[tuple]:
    """low, high, low_edge, high_edge of every column, by looking at one cell after the other."""
    bands = []
    for column in risk.T:
        feasible = [k for k in range(len(values)) if np.isfinite(column[k])]
        good = [k for k in feasible if column[k] <= min(column[j] for j in feasible) / performance]
        if not good:
            bands.append((np.nan, np.nan, True, True))
            continue
        bands.append((values[good[0]], values[good[-1]], good[0] == 0, good[-1] == feasible[-1]))
    return bands


@given(
    st.integers(1, 8),
    st.integers(1, 6),
    st.floats(0, 0.7),
    st.sampled_from([0.5, 0.9, PERFORMANCE, 1.0]),
    st.integers(0, 2**32 - 1),
)
def test_it_is_what_a_loop_finds(count: int, n: int, infeasible: float, performance: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    risk = rng.choice([1.0, 1.005, 1.02, 1.5, 3.0], (count, n))
    risk[rng.random((count, n)) < infeasible] = np.inf
    values = np.geomspace(1, 100, count)
    band = near_optimal(risk, values, performance)
    expected = np.array(brute(risk, values, performance), dtype=float).T
    np.testing.assert_array_equal([band.low, band.high, band.low_edge, band.high_edge], expected)


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
