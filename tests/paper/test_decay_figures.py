"""The figures of the bounds with weight decay: laws with logarithms, walls, and tolerances from the refined optimum."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from matplotlib.figure import Figure
from paper_figures import config, hollow, lines

from hpgrid import grid_search
from hpgrid.paper import compute
from hpgrid.paper.data import FigureData
from hpgrid.paper.pair import power_label, predicted_line
from hpgrid.slopes import Curves, Truth, farther, fitted_edge, measured_slopes

#: Enough values an axis for each slope to tell its power from four thirds of it.
N = 32

#: What each tunes beside eta: both bounds, and both regimes.
FIGURES = {"star1": "b", "fw2": "alpha"}


def test_there_is_a_check_for_each_optimum_and_none_fails_but_of_a_wrong_power(data: FigureData) -> None:
    """A slope and its tolerance know nothing of the prediction."""
    assert [check.what for check in data.checks] == [f"slope of {FIGURES[data.name]}", "slope of eta"]
    for check in data.checks:
        assert check.holds in (True, None)
        assert check.tolerance < abs(check.predicted) / 2
        assert ("freed of (log T)" in check.note) == data.name.startswith("star")
        assert replace(check, predicted=check.predicted * 4 / 3).holds is False


def test_what_sits_on_a_wall_is_flagged_in_both_optima_and_left_out(data: FigureData) -> None:
    first, edge = FIGURES[data.name], data.arrays["risk_edge"]
    for name in (first, "eta"):
        np.testing.assert_array_equal(data.arrays[f"{name}_edge"], edge)
    if data.name == "star1":  # the corner eta -> 0, b = T
        corner = data.arrays["T"] < 200
        assert edge[corner].all()
        assert (data.arrays["eta_hat"][corner] == 1e-15).all()
        assert (data.arrays["b_hat"][corner] > data.arrays["T"][corner] / 3).all()


def test_the_footnotes_eta_ends_before_the_largest_budgets_of_star2() -> None:
    own = config("star2", N)
    proxy, grid = own.bound.build("T"), own.grid.build()
    best = grid_search(proxy, grid, regime=replace(own.panels[0].regime, min_K=proxy.min_K))
    assert fitted_edge(best)[best.axes["T"] > 1e19].all()


def test_the_refined_optimum_is_never_above_the_grids_and_cells_below_an_iteration_are_left_out(
    data: FigureData,
) -> None:
    star, hat = data.arrays["risk_star"], data.arrays["risk_hat"]
    assert np.isfinite(star).all()
    assert (star <= hat * (1 + 1e-12)).all()
    assert data.notes["best_cells_below_one_iteration"] == 0
    if FIGURES[data.name] == "b":
        at_b, b = data.arrays["risk_at_b"], data.arrays["b_shown"]
        np.testing.assert_array_equal(np.isfinite(at_b), b[:, None] <= data.arrays["T"])


def test_it_draws_the_laws_that_are_stated_and_hollow_points(data: FigureData, figure: Figure) -> None:
    for axes, name in zip(figure.axes[2:4], (FIGURES[data.name], "eta")):
        (dashed,) = lines(axes, linestyle="--")
        np.testing.assert_array_equal(dashed.get_ydata(), data.arrays[f"{name}_law"])
        assert (r"\log T" in dashed.get_label()) == data.name.startswith("star")
        assert len(hollow(axes)) == bool(data.arrays[f"{name}_edge"].any())
    for axes in figure.axes[:2]:  # nothing is stated of the risk
        assert not lines(axes, linestyle="--")


def test_no_curve_runs_under_a_legend(data: FigureData, figure: Figure) -> None:
    figure.canvas.draw()
    for axes in figure.axes[2:4]:
        box = axes.get_legend().get_window_extent()
        for line in axes.lines[:1]:
            points = axes.transData.transform(line.get_xydata()[np.isfinite(line.get_ydata())])
            assert not box.count_contains(points)


# --- the pieces ---


def test_a_power_without_the_logarithm_is_another_one() -> None:
    """On a curve that is a law to the last digit: freed of its logarithm the slope is the power; else it is not."""

    def at(T: np.ndarray) -> dict[str, np.ndarray]:
        return {"b": np.sqrt(T) / np.log(T)}

    T = np.geomspace(1e14, 1e22, 17)
    curves = Curves("T", T, {"b": (at(T)["b"], np.zeros(T.shape, bool))}, (1e14, 1e22))
    behind = Truth(at(T), at(farther(T)), None, at, {}, {})

    def slope(log_power: float) -> float:
        (found,) = measured_slopes(curves, lambda _: behind, [{"b": Fraction(1)}], {"b": log_power})
        return found.fit.slope

    assert slope(-1.0) == pytest.approx(0.5, abs=1e-12)
    assert slope(0.0) < 0.48


def test_a_window_without_budgets_has_nothing_to_fit() -> None:
    for check in compute(config("fw2", N, refined=False, window=(1.0, 2.0))).checks:
        assert check.holds is None
        assert check.note == "nothing to fit"


def test_labels_and_lines_of_laws_with_logarithms() -> None:
    assert power_label("T", "-1/3", "1/3") == r"$T^{-1/3}\,(\log T)^{1/3}$"
    assert power_label("T", "-1", "1") == r"$T^{-1}\,(\log T)$"
    x = np.geomspace(1e2, 1e9, 8)
    y = 7 * x**0.5 * np.log(x) ** -2
    np.testing.assert_allclose(predicted_line(x, y, x < 0, (1e2, 1e9), 0.5, -2.0), y, rtol=1e-12)
