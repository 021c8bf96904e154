"""Verdicts: a slope against an exponent, within a tolerance that is derived."""

from __future__ import annotations

import numpy as np
import pytest

from hpgrid import bounds
from hpgrid.paper.checks import tuned_checks, verdict
from hpgrid.refinement.profile import grid_excess
from hpgrid.slopes import Slope, fit_slope
from hpgrid.theory import theorems

T = np.geomspace(1e10, 1e22, 25)
NO_EDGE = np.zeros(25, bool)


def fitted(slope: float, error: float, points: int = 9) -> Slope:
    return Slope(slope, slope, 0.0, error, 0.1, (1e12, 1e22), points, 3)


@pytest.mark.parametrize(
    ("slope", "error", "bias", "holds"),
    [
        (0.52, 0.03, 0.0, True),
        (0.52, 0.01, 0.0, False),
        (0.52, 0.01, 0.015, True),  # the window's own bias widens it
        (0.52, 0.01, -0.015, True),
        (0.46, 0.01, 0.015, False),
        (0.5, 0.49, 0.0, True),
        (0.5, 0.5, 0.0, None),  # as uncertain as the exponent itself
        (0.9, 1.5, 0.0, None),
    ],
)
def test_a_verdict_follows_from_the_tolerance(slope: float, error: float, bias: float, holds: bool | None) -> None:
    check = verdict("slope of b", fitted(slope, error), 0.5, bias)
    assert check.holds is holds
    assert (check.name, check.measured, check.predicted) == ("slope of b", slope, 0.5)
    assert check.tolerance == pytest.approx(error + abs(bias))
    assert (check.window, check.edge_points) == ((1e12, 1e22), 3)
    assert ("not identifiable" in check.note) == (holds is None)


@pytest.mark.parametrize("points", [0, 1])
def test_fewer_than_two_points_leave_nothing_to_fit(points: int) -> None:
    check = verdict("slope of b", fitted(np.nan, np.inf, points), 0.5, np.nan)
    assert (check.holds, check.note) == (None, "nothing to fit")
    assert np.isnan(check.measured)


# --- from a bound ---


def theorem_1(exponents: dict, steps: float = 0.1, window: tuple = (1e11, 1e22), **curves: tuple) -> dict:
    """The checks of Theorem 1 where what was measured are its closed forms."""
    alpha, ones = 1e-3, (1.0, 1.0, 1.0)
    measured = {
        "risk": (theorems.theorem1_risk(T, alpha, *ones), NO_EDGE),
        "b": (theorems.theorem1_b(T, alpha, *ones), NO_EDGE),
        "eta": (theorems.theorem1_eta(T, alpha, *ones), NO_EDGE),
    }
    checks = tuned_checks(
        bounds.lmo_large_horizon(),
        ("eta", "b"),
        {"alpha": alpha},
        {"eta": steps, "b": steps},
        measured | curves,
        exponents,
        T,
        window,
    )
    return {check.name: check for check in checks}


EXPONENTS = {"risk": -0.25, "b": 0.5, "eta": -0.25}


def test_the_theorem_holds_on_its_own_closed_forms() -> None:
    checks = theorem_1(EXPONENTS)
    assert list(checks) == ["slope of risk", "slope of b", "slope of eta"]
    for check in checks.values():
        assert check.holds is True
        assert check.measured == pytest.approx(check.predicted, abs=1e-9)
        assert 0 < check.tolerance < 0.1
        assert check.window == (pytest.approx(T[2]), T[-1])


def test_a_finer_grid_has_a_smaller_tolerance() -> None:
    coarse, fine = theorem_1(EXPONENTS, 0.4), theorem_1(EXPONENTS, 0.1)
    assert fine["slope of b"].tolerance < coarse["slope of b"].tolerance / 3.5
    assert fine["slope of risk"].tolerance < coarse["slope of risk"].tolerance / 12  # of second order


def test_the_risk_on_the_grid_is_off_by_up_to_the_excess_to_one_side() -> None:
    step = grid_excess(bounds.lmo_large_horizon(), {"eta": 0.1, "b": 0.1}) / 2
    error = fit_slope(T, T, window=(1e11, 1e22), step=step).error
    assert theorem_1(EXPONENTS)["slope of risk"].tolerance == pytest.approx(error, rel=1e-3)


def test_a_measurement_off_the_bounds_own_optimum_fails() -> None:
    checks = theorem_1(EXPONENTS, b=(T**0.7, NO_EDGE))
    assert [check.holds for check in checks.values()] == [True, False, True]


def test_an_exponent_that_is_not_the_bounds_fails() -> None:
    checks = theorem_1({"risk": -0.25, "b": 0.75, "eta": -0.4})
    assert [check.holds for check in checks.values()] == [True, False, False]


def test_edge_points_are_left_out_and_counted() -> None:
    edge = T > 1e20
    checks = theorem_1(EXPONENTS, b=(np.where(edge, 1.0, theorems.theorem1_b(T, 1e-3, 1, 1, 1)), edge))
    check = checks["slope of b"]
    assert (check.holds, check.edge_points) == (True, edge.sum())
    assert check.window[1] == T[~edge][-1]


@pytest.mark.parametrize("window", [(1e30, 1e40), (9e21, 2e22)], ids=["no budget", "one budget"])
def test_a_window_without_budgets_leaves_nothing_to_fit(window: tuple) -> None:
    for check in theorem_1(EXPONENTS, window=window).values():
        assert (check.holds, check.note) == (None, "nothing to fit")
