"""The figure of the methods themselves against eq. (2): what it holds, and what it says of the theorems."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from paper_figures import config, hollow, lines, verdicts

from hpgrid.checks import METHODS
from hpgrid.paper import compute
from hpgrid.paper.data import FigureData
from hpgrid.theory import theorems

FIGURES = ("lmo1",)


def test_eq_2_is_never_exceeded(data: FigureData) -> None:
    below = [check for check in data.checks if check.what.startswith("min E")]
    assert len(below) == 6
    assert all(check.holds and 0 < check.measured < 1 for check in below)


def test_a_bound_that_is_a_third_of_it_is_exceeded_and_nothing_else_changes(
    monkeypatch: pytest.MonkeyPatch, data: FigureData
) -> None:
    """The same config gives the same numbers, though methods run side by side."""
    from hpgrid.stochastic import lmo

    run = lmo.run

    def third(*args: object, **given: object) -> lmo.Runs:
        found = run(*args, **given)
        return replace(found, bound=found.bound / 3)

    monkeypatch.setattr(lmo, "run", third)
    again = compute(config("lmo1"))
    assert False in verdicts(again, "min E").values()
    for key, value in data.arrays.items():
        if not key.endswith(("_above", "_ratio", "_bound")):
            np.testing.assert_array_equal(value, again.arrays[key], err_msg=key)


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
    for norm, method in METHODS.items():
        assert data.arrays[f"{norm}_alpha_edge"].all()  # of two values, both are edges
        assert verdicts(data)[f"alpha* ~ K^p, both tuned, {method}, b = 1"] is None


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
    (best,) = lines(first, label="best $\\eta$")
    np.testing.assert_array_equal(best.get_ydata(), data.arrays["spectral_curves"].min(0))
    (bound,) = lines(first, label="eq. (2) at its best $\\eta$", linestyle="--")
    np.testing.assert_array_equal(bound.get_ydata(), data.arrays["spectral_bound"])
    assert len(lines(first, label="at the start", linestyle=":")) == 1


def test_edges_are_hollow_and_laws_dashed(data: FigureData, figure: Figure) -> None:
    for axes, name in zip(figure.axes[2:4], ("eta", "alpha")):
        edges = [data.arrays[f"{norm}_{name}_edge"] for norm in METHODS]
        assert len(hollow(axes)) == sum(bool(edge.any()) for edge in edges)
        assert len(lines(axes, linestyle="--")) == 3
