"""Iso-loss contours: levels even in the log, lines traced in the log."""

from __future__ import annotations

import numpy as np
import pytest

from hpgrid.curves import even_levels, iso_loss

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
