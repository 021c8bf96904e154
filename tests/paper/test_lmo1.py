"""The figure of the methods themselves against eq. (2): what it holds, and what it says of the theorems."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from paper_figures import check_redrawn

from hpgrid.checks import METHODS
from hpgrid.config import Config, load, shipped
from hpgrid.paper import compute, draw
from hpgrid.paper.data import FigureData
from hpgrid.theory import theorems

SMALL = {
    **{"K": [16, 64, 256, 1024], "b": [1, 16], "alpha": [0.1, 1.0]},
    **{"points": 8, "seeds": 12, "quadratic_seeds": 12},
}


def config(**changes: object) -> Config:
    shown = load(shipped("lmo1"))
    return replace(shown, parameters={**shown.parameters, **SMALL, **changes})


@pytest.fixture(scope="module")
def data() -> FigureData:
    return compute(config())


@pytest.fixture(scope="module")
def figure(data: FigureData) -> Figure:
    return draw(data)


def test_eq_2_is_never_exceeded(data: FigureData) -> None:
    below = [check for check in data.checks if check.what.startswith("min E")]
    assert len(below) == 6
    assert all(check.holds and 0 < check.measured < 1 for check in below)


def test_a_bound_that_is_a_third_of_it_is_exceeded(monkeypatch: pytest.MonkeyPatch) -> None:
    from hpgrid.stochastic import lmo

    run = lmo.run

    def third(*args: object, **given: object) -> lmo.Runs:
        found = run(*args, **given)
        return replace(found, bound=found.bound / 3)

    monkeypatch.setattr(lmo, "run", third)
    checks = compute(config(seeds=8)).checks
    assert any(check.holds is False for check in checks if check.what.startswith("min E"))


def test_the_notes_say_where_eq_2_is_vacuous(data: FigureData) -> None:
    for norm, method in METHODS.items():
        above = data.arrays[f"{norm}_smoothed_above"]
        assert data.notes[method]["smoothed"]["vacuous"] == pytest.approx((above >= 1).mean())
        assert 0 < data.notes[method]["best_over_alpha_1_bound"] <= 1


def test_the_best_learning_rate_falls_faster_than_theorem_1_says(data: FigureData) -> None:
    found = {check.what: check for check in data.checks}
    for method in METHODS.values():
        check = found[f"eta* ~ K^p, {method}, b = 16"]
        assert check.predicted == -0.5
        assert check.holds is False
        assert check.measured < -0.7
        whatever = found[f"eta* ~ b^p, {method}, K = 1024"]
        assert abs(whatever.measured) <= whatever.tolerance


def test_a_best_momentum_that_can_t_be_told_from_an_edge_gives_no_verdict(data: FigureData) -> None:
    found = {check.what: check for check in data.checks}
    for norm, method in METHODS.items():
        assert data.arrays[f"{norm}_alpha_edge"].all()  # of two values, both are edges
        assert found[f"alpha* ~ K^p, both tuned, {method}, b = 1"].holds is None


def test_predictions_are_the_theory_s_with_the_problem_s_constants(data: FigureData) -> None:
    from hpgrid.stochastic.problems import smoothed

    K = data.arrays["K"]
    problem = smoothed("max", (4, 2), width=0.5)
    eta = theorems.theorem1_eta_in_K(K, 0.1, problem.Delta0, 4 * problem.L)
    np.testing.assert_allclose(data.arrays["max_eta_law"], eta)
    alpha = theorems.theorem2_alpha_in_K(K, 1.0, problem.Delta0, 2.0, 4 * problem.L)
    np.testing.assert_allclose(data.arrays["max_alpha_law"], alpha)


def test_curves_are_drawn_from_the_arrays(data: FigureData, figure: Figure) -> None:
    first = figure.axes[0]
    (thin,) = (c for c in first.collections if isinstance(c, LineCollection))
    np.testing.assert_array_equal(thin.get_segments()[0][:, 1], data.arrays["spectral_curves"][0])
    drawn = {line.get_label(): line for line in first.lines}
    np.testing.assert_array_equal(drawn["best $\\eta$"].get_ydata(), data.arrays["spectral_curves"].min(0))
    bound = drawn["eq. (2) at its best $\\eta$"]
    assert bound.get_linestyle() == "--"
    np.testing.assert_array_equal(bound.get_ydata(), data.arrays["spectral_bound"])
    assert drawn["at the start"].get_linestyle() == ":"


def test_edges_are_hollow_and_laws_dashed(data: FigureData, figure: Figure) -> None:
    for axes, name in zip(figure.axes[2:4], ("eta", "alpha")):
        edges = [data.arrays[f"{norm}_{name}_edge"] for norm in METHODS]
        hollow = [line for line in axes.lines if line.get_marker() == "o" and line.get_markerfacecolor() == "white"]
        assert len(hollow) == sum(bool(edge.any()) for edge in edges)
        assert sum(line.get_linestyle() == "--" for line in axes.lines) == 3


def test_what_is_saved_draws_the_same(data: FigureData, figure: Figure, tmp_path: Path) -> None:
    check_redrawn(data, figure, tmp_path)


def test_the_same_config_gives_the_same_numbers(data: FigureData) -> None:
    """Though methods run side by side."""
    again = compute(config())
    for key, value in data.arrays.items():
        np.testing.assert_array_equal(value, again.arrays[key], err_msg=key)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"shown": "muon"}, "there is no norm of that name"),
        ({"b": [0]}, "b must be a finite number with b >= 1"),
        ({"alpha": [2.0]}, "alpha must be a finite number with 0 < alpha <= 1"),
        ({"fixed_alpha": 0.0}, "alpha must be a finite number"),
        ({"eta": [0.1, 0.01]}, "the least and the largest learning rate"),
        ({"eta": [0.1]}, "the least and the largest learning rate"),
        ({"seeds": 1}, "seeds must be a whole number >= 2"),
        ({"noise": 0.0}, "rho sigma must be > 0"),
        ({"shape": [3, 3]}, "two rows or two columns"),
        ({"K": [64, 16]}, "iterations are whole numbers >= 1 that increase"),
    ],
)
def test_what_can_t_be_run_is_refused(changes: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        compute(config(**changes))
