"""A slope of a power law, and how far it can be off."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy import stats

import hpgrid
from hpgrid.slopes import fit_slope, local_slopes

X = np.geomspace(1e2, 1e22, 21)


def decades(n: int) -> np.ndarray:
    return np.geomspace(1e2, 1e22, n)


@pytest.mark.parametrize("p", [0.5, -0.25, -7 / 12, 0.0])
def test_an_exact_power_law_gives_its_exponent_and_its_constant(p: float) -> None:
    found = fit_slope(X, 3 * X**p)
    assert found.slope == pytest.approx(p, abs=1e-14)
    assert found.theil_sen == pytest.approx(p, abs=1e-14)
    assert found.intercept == pytest.approx(np.log(3), abs=1e-12)
    assert (found.points, found.edge_points, found.window) == (21, 0, (X[0], X[-1]))


@given(st.integers(3, 30), st.integers(0, 2**32 - 1))
def test_both_fits_are_those_of_scipy(n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    u, v = np.sort(rng.uniform(0, 50, n)), rng.normal(size=n)
    found = fit_slope(np.exp(u), np.exp(v))
    line = stats.linregress(u, v)
    assert (found.slope, found.intercept) == pytest.approx((line.slope, line.intercept), rel=1e-7, abs=1e-9)
    assert found.theil_sen == pytest.approx(stats.theilslopes(v, u).slope, rel=1e-7, abs=1e-9)


# --- the error ---


@given(
    gaps=st.lists(st.floats(0.1, 5), min_size=1, max_size=30),
    h=st.floats(0, 2),
    p=st.floats(-1, 1),
    seed=st.integers(0, 2**32 - 1),
)
def test_the_error_bounds_what_moving_each_point_by_the_step_can_do(
    gaps: list[float], h: float, p: float, seed: int
) -> None:
    u = np.cumsum([1.0, *gaps])
    noise = np.random.default_rng(seed).uniform(-h, h, len(u))
    found = fit_slope(np.exp(u), np.exp(p * u + noise), step=h)
    assert abs(found.slope - p) <= found.error + 1e-9
    worst = fit_slope(np.exp(u), np.exp(p * u + h * np.sign(u - u.mean())), step=h)
    assert worst.slope - p == pytest.approx(found.error, abs=1e-9)  # attained: no smaller bound will do


@pytest.mark.parametrize(("n", "share"), [(2, 2 / 3), (3, 2 / 3), (100, 100 / 101), (101, 100 / 101)])
def test_evenly_spaced_points_have_an_error_of_3_h_over_R(n: int, share: float) -> None:
    x = decades(n)
    assert fit_slope(x, x, step=0.3).error == pytest.approx(share * 3 * 0.3 / np.log(1e20), rel=1e-12)


def test_without_a_step_it_is_the_smallest_gap_between_different_values() -> None:
    v = np.array([0.0, 0.0, 0.5, 0.5 + 1e-14, 1.7, 0.2])
    assert fit_slope(X[:6], np.exp(v)).step == pytest.approx(0.2)
    assert fit_slope(X, np.ones(21)).step == 0.0  # one value: no gap at all


# --- which points ---


def test_edge_points_are_left_out_and_counted() -> None:
    edge = np.isin(np.arange(21), [0, 1, 20])
    found = fit_slope(X, np.where(edge, 7.0, X**0.5), edge=edge)
    assert found.slope == pytest.approx(0.5, abs=1e-14)
    assert (found.points, found.edge_points, found.window) == (18, 3, (X[2], X[19]))


def test_a_window_includes_its_ends_and_counts_only_its_own_edge_points() -> None:
    edge = np.isin(np.arange(21), [0, 6])
    found = fit_slope(X, np.where(X[5] > X, 1.0, X**-0.25), edge=edge, window=(X[5], X[10]))
    assert found.slope == pytest.approx(-0.25, abs=1e-14)
    assert (found.points, found.edge_points, found.window) == (5, 1, (X[5], X[10]))


@pytest.mark.parametrize("hole", [np.nan, np.inf, 0.0])
def test_what_has_no_logarithm_is_left_out_and_counted(hole: float) -> None:
    y = X**0.5
    y[3] = hole
    found = fit_slope(X, y)
    assert found.slope == pytest.approx(0.5, abs=1e-14)
    assert (found.points, found.edge_points) == (20, 1)


@pytest.mark.parametrize("usable", [0, 1])
def test_fewer_than_two_points_have_no_slope(usable: int) -> None:
    found = fit_slope(X, X, edge=np.arange(21) >= usable)
    assert np.isnan([found.slope, found.theil_sen, found.intercept, *found.window]).all()
    assert (found.error, found.points, found.edge_points) == (np.inf, usable, 21 - usable)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"y": X[:-1]}, r"one shape \(n,\)"),
        ({"edge": np.zeros(3, bool)}, r"one shape \(n,\)"),
        ({"x": X[None], "y": X[None]}, r"one shape \(n,\)"),
        ({"window": (1e9, 1e9)}, "lo < hi"),
        ({"window": (1e9, 1e3)}, "lo < hi"),
        ({"window": (np.nan, 1e3)}, "lo < hi"),
    ],
)
def test_refusals(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fit_slope(**({"x": X, "y": X} | arguments))


def test_it_is_a_public_name() -> None:
    assert hpgrid.fit_slope is fit_slope


# --- local slopes ---


def test_local_slopes_are_exact_for_a_parabola_in_the_logs() -> None:
    u = np.array([0.0, 0.5, 2.0, 2.5, 4.0])
    slopes = local_slopes(np.exp(u), np.exp(3 * u**2 - u))
    np.testing.assert_allclose(slopes[1:-1], 6 * u[1:-1] - 1, rtol=1e-12)


def test_local_slopes_of_a_power_law_are_its_exponent_at_the_ends_too() -> None:
    np.testing.assert_allclose(local_slopes(X, 5 * X**-0.75), -0.75, rtol=1e-12)
