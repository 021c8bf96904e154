"""From argmins to a verdict: the fit, its error, the window, the bias, and whether a slope can tell."""

from __future__ import annotations

from fractions import Fraction
from functools import partial

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy import stats

from hpgrid import Proxy, Regime, Term, bounds
from hpgrid.readings import Reading
from hpgrid.refinement.profile import grid_excess
from hpgrid.search.brute import SearchResult
from hpgrid.slopes import (
    NOTHING,
    Curves,
    MeasuredSlope,
    Slope,
    burn_in_end,
    burn_in_ends,
    farther,
    fit_slope,
    fitting_window,
    measured_slopes,
    posynomial_truth,
    refined_truth,
    window_bias,
)
from hpgrid.theory import theorems

X = np.geomspace(1e2, 1e22, 21)


def test_edge_points_are_those_of_the_window() -> None:
    budget, edge = np.geomspace(1.0, 1e4, 5), np.array([True, True, True, False, False])
    curves = Curves("T", budget, {"risk": (budget, edge)}, (50.0, 500.0))
    (slope,) = measured_slopes(curves, lambda _: pytest.fail("one budget has no slope"), [{"risk": Fraction(1)}])
    assert (slope.fit.points, slope.fit.edge_points) == (0, 1)


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
    x = np.geomspace(1e2, 1e22, n)
    assert fit_slope(x, x, step=0.3).error == pytest.approx(share * 3 * 0.3 / np.log(1e20), rel=1e-12)


def test_without_a_step_it_is_the_smallest_gap_between_different_values() -> None:
    v = np.array([0.0, 0.0, 0.5, 0.5 + 1e-14, 1.7, 0.2])
    assert fit_slope(X[:6], np.exp(v)).step == pytest.approx(0.2)
    assert fit_slope(X, np.ones(21)).step == 0.0  # one value: no gap at all


def test_points_that_have_a_step_each_are_off_by_their_own() -> None:
    rng = np.random.default_rng(0)
    u, h = np.log(X), rng.uniform(0, 1, 21)
    found = fit_slope(X, X**0.5, step=h)
    worst = fit_slope(X, X**0.5 * np.exp(h * np.sign(u - u.mean())))
    assert worst.slope - 0.5 == pytest.approx(found.error, rel=1e-12)
    assert found.step == h.max()
    assert fit_slope(X, X, step=np.where(np.arange(21) == 3, np.inf, 0.1)).error == np.inf


# --- which points ---
ENDS = (X[0], X[20])


@pytest.mark.parametrize(
    ("off", "y", "edge", "window", "counts"),
    [
        pytest.param([0, 1, 20], 7.0, [0, 1, 20], None, (18, 3, 0, (X[2], X[19])), id="edge points"),
        # Its ends are in it, and it counts its own edge points alone.
        pytest.param([0, 1, 2, 3, 4, 6], 1.0, [0, 6], (X[5], X[10]), (5, 1, 0, (X[5], X[10])), id="a window"),
        *(pytest.param([3], hole, [], None, (20, 0, 1, ENDS), id=f"{hole}") for hole in (np.nan, np.inf, 0.0, -1.0)),
    ],
)
def test_what_is_left_out_is_counted_and_has_no_part_in_the_fit(
    off: list, y: float, edge: list, window: tuple | None, counts: tuple
) -> None:
    place = np.arange(21)
    found = fit_slope(X, np.where(np.isin(place, off), y, X**0.5), edge=np.isin(place, edge), window=window)
    assert found.slope == pytest.approx(0.5, abs=1e-14)
    assert (found.points, found.edge_points, found.no_points, found.window) == counts


@pytest.mark.parametrize("usable", [0, 1])
def test_fewer_than_two_points_have_no_slope(usable: int) -> None:
    found = fit_slope(X, X, edge=np.arange(21) >= usable)
    assert np.isnan([found.slope, found.theil_sen, found.intercept, *found.window]).all()
    assert (found.error, found.points, found.edge_points) == (np.inf, usable, 21 - usable)


@pytest.mark.parametrize("arguments", [{"y": X[:-1]}, {"edge": np.zeros(3, bool)}, {"x": X[None], "y": X[None]}])
def test_arrays_have_one_shape(arguments: dict) -> None:
    with pytest.raises(ValueError, match=r"one shape \(n,\)"):
        fit_slope(**({"x": X, "y": X} | arguments))


@pytest.mark.parametrize("window", [(1e9, 1e9), (1e9, 1e3), (np.nan, 1e3)])
def test_a_window_has_a_width(window: tuple) -> None:
    with pytest.raises(ValueError, match="lo < hi"):
        fit_slope(X, X, window=window)


# --- burn-in and the window ---
@pytest.mark.parametrize(
    ("name", "index", "end"),
    [
        ("b", [0, 0, 0, 2, 3, 5], 3),
        ("b", [0, 0, 1, 1, 2, 3], 4),  # one step off is not yet off
        ("b", [0, 2, 3, 1, 4, 5], 4),  # it comes back: only the last departure counts
        ("b", [4, 0, 3, 0, 9], 4),
        ("b", [5, 6, 7], 0),
        ("b", [0, 0, 0], 3),
        ("b", [], 0),
        ("alpha", [9, 9, 8, 7, 6], 3),  # alpha = 1 is the axis' last value
        ("alpha", [9, 7, 9, 8, 5, 4], 4),
        ("eta", [0, 0, 9], 0),  # it has no natural bound
    ],
)
def test_burn_in_ends_when_the_optimum_is_more_than_a_step_off_for_good(name: str, index: list, end: int) -> None:
    axis = np.geomspace(1e-9, 1.0, 10) if name == "alpha" else np.geomspace(1.0, 1e9, 10)
    assert burn_in_ends(name, axis, index=np.array([index], int)).tolist() == [end]
    # A continuous optimum half a step further in than those nodes: a step off is a step off.
    at = axis[np.array(index, int)] * {"b": 1.001, "alpha": 0.999, "eta": 1.0}[name]
    off = np.array([*index]) != (0 if name == "b" else 9)
    expected = len(index) - int(np.logical_and.accumulate(off[::-1]).sum()) if name != "eta" else 0
    assert burn_in_ends(name, axis, at=at[None]).tolist() == [expected]


def searched() -> SearchResult:
    """What a search over b and alpha might return for six budgets."""
    index = {"b": np.array([0, 0, 2, 3, 3, 3]), "alpha": np.array([4, 3, 1, 0, 0, 0])}
    values = {"b": np.geomspace(1.0, 16.0, 5), "alpha": np.geomspace(1 / 16, 1.0, 5)}
    axes, last = {"T": np.geomspace(1e2, 1e7, 6)}, dict.fromkeys(values, np.array(4))
    whole = {"fixed": {}, "path": {}, "dtype": "float64", "points": 150, "cells_below_one_K": 0, "unresolved": None}
    return SearchResult(np.ones(6), index, values, last, "brute", axes, **whole)


def test_the_window_is_from_the_end_of_the_last_burn_in_that_ends() -> None:
    best = searched()
    assert (burn_in_end(best, "b"), burn_in_end(best, "alpha")) == (2, 2)
    assert fitting_window(best) == (1e4, 1e7)
    best.index["b"][:] = 0  # it never leaves: the others' burn-in counts
    assert fitting_window(best) == (1e4, 1e7)
    star = {"b": np.array([1, 1, 1, 1, 3.0, 5.0]), "alpha": np.full(6, np.nan)}
    assert fitting_window(best, star) == (1e6, 1e7)
    assert fitting_window(best, {**star, "b": np.array([1, 1, 1, 1, 1, 5.0])}) == (1e6, 1e7)  # two budgets at least


# --- whether it can tell, and the verdict ---
def fitted(slope: float, error: float, points: int = 9) -> Slope:
    return Slope(slope, slope, 0.0, error, 0.1, (1e12, 1e22), points, 3)


@pytest.mark.parametrize(
    ("slope", "error", "bias", "exponent", "holds"),
    [
        (0.52, 0.03, 0.0, 0.5, True),
        (0.52, 0.01, 0.0, 0.5, False),
        (0.52, 0.01, 0.015, 0.5, True),  # the window's own bias widens it
        (0.52, 0.01, -0.015, 0.5, True),
        (0.46, 0.01, 0.015, 0.5, False),
        (0.5, 0.249, 0.0, 0.5, True),
        (0.5, 0.25, 0.0, 0.5, None),  # half of the law: one half as steep would pass
        (0.5, 0.2, 0.05, 0.5, None),  # however the half is made up
        (0.9, 1.5, 0.0, 0.5, None),
        (0.0, 0.016, 0.5008, 0.5, None),
        (0.0, 0.124, 0.0, 0.0, True),  # a flat law is told from a quarter
        (0.0, 0.125, 0.0, 0.0, None),
        (0.1, 0.125, 0.0, 0.1, None),
        (0.1, 0.124, 0.0, 0.1, True),
        (2.1, 1.5, 0.0, 0.5, False),  # a gap beyond the tolerance says no, however wide that is
        (0.5, 0.01, np.nan, 0.5, None),
    ],
)
def test_a_verdict_follows_from_the_tolerance(
    slope: float, error: float, bias: float, exponent: float, holds: bool | None
) -> None:
    check = MeasuredSlope("b", fitted(slope, error), bias).reading(exponent)
    assert check.holds is holds
    assert (check.what, check.measured, check.predicted) == ("slope of b", slope, exponent)
    assert check.tolerance == pytest.approx(error + abs(bias), nan_ok=True)
    assert (check.window, check.edge_points) == ((1e12, 1e22), 3)
    assert ("not identifiable" in check.note) == (holds is None)


@pytest.mark.parametrize("points", [0, 1])
def test_fewer_than_two_points_leave_nothing_to_fit(points: int) -> None:
    check = MeasuredSlope("b", fitted(np.nan, np.inf, points), np.nan).reading(0.5)
    assert (check.holds, check.note, check.edge_points) == (None, NOTHING, 3)
    assert np.isnan(check.measured)


@pytest.mark.parametrize(
    ("error", "bias", "begins", "why"),
    [
        (0.01, 0.5, 2e29, "the law begins beyond this window: from K = 2e+29 on"),
        (0.01, 0.5, 2e19, "the law begins within this window: from K = 2e+19 on"),
        (0.01, 0.5, np.nan, "the window's bias is what is wide, 0.5"),
        (0.3, 0.5, 2e29, "the law begins beyond this window: from K = 2e+29 on"),  # the larger part
        (0.3, 0.2, 2e29, "it is uncertain by 0.3, where less than 0.25 would tell"),
        (0.01, np.nan, np.nan, "no tolerance: refinement found no optimum"),
        (0.01, 0.2, 2e29, ""),
    ],
)
def test_why_it_can_not_tell_is_said(error: float, bias: float, begins: float, why: str) -> None:
    assert MeasuredSlope("b", fitted(0.5, error), bias, "K", begins).why_not(0.5) == why


# --- the bias ---
def test_the_bias_is_what_the_slope_changes_by_beyond_the_window() -> None:
    """y = sqrt(x) (1 + 100/x): 101 at x = 1 and 20 at x = 100, a slope of 1/2 far out."""
    budget = np.array([1.0, 100.0])

    def y(x: np.ndarray) -> np.ndarray:
        return np.sqrt(x) * (1 + 100 / x)

    slope, far = np.log(20 / 101) / np.log(100), farther(budget)  # -0.3517
    assert far.tolist() == [[x, 100 * x] for x in (1e20, 1e40, 1e80, 1e160)]
    assert window_bias(budget, y(budget), far, y(far)) == pytest.approx(0.5 - slope, abs=1e-12)
    assert np.isnan(window_bias(budget, y(budget), far[:0], far[:0]))
    assert farther(np.array([1.0, 1e251])).max() == pytest.approx(1e271)  # all of it floats


def test_what_the_slope_still_changes_by_is_counted_once_more_up_to_where_the_curve_is_known() -> None:
    budget = np.array([1.0, 100.0])
    far = farther(budget)
    there = np.array([x**power for x, power in zip(far, (0.4, 0.45, 0.46, 0.46))])
    assert window_bias(budget, budget**0.5, far, there) == pytest.approx(0.1 + 0.05 + 0.01, abs=1e-12)
    there[2:] = np.nan
    assert window_bias(budget, budget**0.5, far, there) == pytest.approx(0.1 + 0.05 + 0.05, abs=1e-12)
    assert np.isnan(window_bias(budget, budget**0.5, far, there * np.nan))


def test_a_bounds_own_bias_is_that_of_its_closed_form() -> None:
    """(1/T + 100/T^2)/eta + eta: eta* is (1/T + 100/T^2)^(1/2), 101^(1/2) at T = 1 and 0.02^(1/2) at T = 100.

    T^(-1/2) far out, and the slope over the two is log(0.02/101)/(2 log 100) = -0.9258: a bias of 0.4258.
    """
    factors = ({"eta": -1, "T": -1}, {"eta": -1, "T": -2}, {"eta": 1})
    numbers = (1, 100, 1)
    proxy = Proxy(tuple(Term({}, factor, number) for factor, number in zip(factors, numbers)), {})
    T = np.array([1.0, 100.0])
    eta = np.sqrt(1 / T + 100 / T**2)
    curves = Curves("T", T, {"eta": (eta, np.zeros(2, bool))}, (1.0, 100.0))
    for behind in (
        partial(posynomial_truth, proxy, Regime(("eta",)), {"eta": 0.01}),
        partial(refined_truth, proxy, Regime(("eta",)), "T"),
    ):
        (found,) = measured_slopes(curves, behind, [{"eta": Fraction(1)}])
        assert found.bias == pytest.approx(-0.5 - np.log(0.02 / 101) / (2 * np.log(100)), abs=1e-9)
        assert np.isnan(found.begins)  # eta leaves no bound: the window itself is too early
        assert found.why_not(-0.5) == "the window's bias is what is wide, 0.43"


# --- the argmin's uncertainty ---
@pytest.mark.parametrize("h", [0.1, 0.5, 2.0])
def test_the_argmins_uncertainty_is_half_the_width_of_what_the_grid_cant_tell(h: float) -> None:
    """1/(eta T) + eta is cosh z above its minimum, z = log eta/eta*; a grid of step h misses that by at most h^2/8."""
    proxy = Proxy((Term({}, {"eta": -1, "T": -1}), Term({}, {"eta": 1})), {})
    truth = posynomial_truth(proxy, Regime(("eta",)), {"eta": h}, np.array([1e3, 1e9]))
    assert truth.uncertainty is not None
    z = np.arccosh(np.exp(h**2 / 8))
    assert truth.uncertainty({"eta": Fraction(1)}) == pytest.approx(z, rel=1e-6)
    assert truth.uncertainty({"eta": Fraction(-2)}) == pytest.approx(2 * z, rel=1e-6)
    assert truth.uncertainty({"risk": Fraction(1)}) == pytest.approx(h**2 / 16, rel=1e-12)


# --- from a bound ---
T = np.geomspace(1e10, 1e22, 25)
NO_EDGE = np.zeros(25, bool)
EXPONENTS = {"risk": -0.25, "b": 0.5, "eta": -0.25}


def theorem_1(
    exponents: dict = EXPONENTS, steps: float = 0.1, window: tuple = (1e11, 1e22), **curves: tuple
) -> dict[str, Reading]:
    """The checks of Theorem 1 where what was measured are its closed forms."""
    forms = {"risk": theorems.theorem1_risk, "b": theorems.theorem1_b, "eta": theorems.theorem1_eta}
    measured = {name: (form(T, 1e-3, 1.0, 1.0, 1.0), NO_EDGE) for name, form in forms.items()} | curves
    regime, grid = Regime(("eta", "b"), {"alpha": 1e-3}), {"eta": steps, "b": steps}
    behind = partial(posynomial_truth, bounds.lmo_large_horizon(), regime, grid)
    slopes = measured_slopes(Curves("T", T, measured, window), behind, [{name: Fraction(1)} for name in exponents])
    return {slope.name: slope.reading(exponents[slope.name]) for slope in slopes}


def test_the_theorem_holds_on_its_own_closed_forms() -> None:
    checks = theorem_1()
    assert [check.what for check in checks.values()] == ["slope of risk", "slope of b", "slope of eta"]
    for check in checks.values():
        assert check.holds is True
        assert check.measured == pytest.approx(check.predicted, abs=1e-9)
        assert 0 < check.tolerance < 0.1
        assert check.window == (pytest.approx(T[2]), T[-1])


def test_a_finer_grid_has_a_smaller_tolerance() -> None:
    coarse, fine = theorem_1(steps=0.4), theorem_1()
    assert fine["b"].tolerance < coarse["b"].tolerance / 3.5
    assert fine["risk"].tolerance < coarse["risk"].tolerance / 12  # of second order
    # The risk on the grid is off by up to the excess, to one side.
    step = grid_excess(bounds.lmo_large_horizon(), {"eta": 0.1, "b": 0.1}) / 2
    error = fit_slope(T, T, window=(1e11, 1e22), step=step).error
    assert fine["risk"].tolerance == pytest.approx(error, rel=1e-3)


def test_a_measurement_and_an_exponent_that_are_not_the_bounds_fail() -> None:
    assert [check.holds for check in theorem_1(b=(T**0.7, NO_EDGE)).values()] == [True, False, True]
    wrong = theorem_1({"risk": -0.25, "b": 0.75, "eta": -0.4})
    assert [check.holds for check in wrong.values()] == [True, False, False]


def test_edge_points_of_a_bounds_curve_are_left_out_and_counted() -> None:
    edge = T > 1e20
    check = theorem_1(b=(np.where(edge, 1.0, theorems.theorem1_b(T, 1e-3, 1, 1, 1)), edge))["b"]
    assert (check.holds, check.edge_points, check.window[1]) == (True, edge.sum(), T[~edge][-1])


@pytest.mark.parametrize("window", [(1e30, 1e40), (9e21, 2e22)], ids=["no budget", "one budget"])
def test_a_window_without_budgets_leaves_nothing_to_fit(window: tuple) -> None:
    for check in theorem_1(window=window).values():
        assert (check.holds, check.note) == (None, NOTHING)
