"""Figures 1, 5, 6 and 2, 7, 8: what they compute, and what they show."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import same_color
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from paper_figures import check_redrawn, computed, drawn

from hpgrid import grid_search
from hpgrid.config import load, override, shipped
from hpgrid.paper import compute, draw
from hpgrid.paper.data import FigureData
from hpgrid.paper.pair import every_nth, held_text, power_label, predicted_line
from hpgrid.plotting.style import OPTIMUM, REFINED
from hpgrid.regime import Regime

#: What each figure tunes beside eta.
FIRST = {"fig1": "b", "fig5": "b", "fig6": "b", "fig2": "alpha", "fig7": "alpha", "fig8": "alpha"}
LABELS = {"b": "batch size $b$", "eta": r"learning rate $\eta$", "alpha": r"momentum complement $\alpha$"}


@pytest.fixture(scope="module", params=FIRST)
def data(request: pytest.FixtureRequest) -> FigureData:
    return computed(request.param)


@pytest.fixture(scope="module")
def figure(data: FigureData) -> Figure:
    return drawn(data.name)


def lines(axes: Axes, **wanted: object) -> list[Line2D]:
    """The lines of some style."""
    return [line for line in axes.lines if all(getattr(line, f"get_{k}")() == v for k, v in wanted.items())]


# --- what is computed ---


def test_there_is_a_check_for_the_risk_and_for_each_optimum(data: FigureData) -> None:
    first = FIRST[data.name]
    assert [check.what for check in data.checks] == ["slope of risk", f"slope of {first}", "slope of eta"]
    for check in data.checks:
        assert check.holds in (True, None)  # twenty-four values an axis need not be enough to tell
        assert np.isfinite([check.measured, check.predicted, check.tolerance, *check.window]).all()
        assert check.window[1] <= 1e22
        assert check.note


def test_the_arrays_have_the_shapes_of_what_they_hold(data: FigureData) -> None:
    first = FIRST[data.name]
    assert data.arrays["T"].shape == (24,)
    for key in ("risk", first, "eta"):
        assert data.arrays[f"{key}_hat"].shape == data.arrays[f"{key}_edge"].shape == (24,)
        assert np.isfinite(data.arrays[f"{key}_hat"]).all()
        inside = np.isfinite(data.arrays[f"{key}_law"])
        assert inside.sum() > 5
        assert data.arrays["T"][inside].min() >= data.notes["burn_in_ends"][first]
    for name in (first, "eta"):
        assert data.arrays[f"{name}_shown"].shape == (11,)
        assert data.arrays[f"risk_at_{name}"].shape == (11, 24)


def test_no_curve_lies_below_the_optimum_and_none_below_the_whole_grids(data: FigureData) -> None:
    best = data.arrays["risk_hat"]
    for name in (FIRST[data.name], "eta"):
        assert (data.arrays[f"risk_at_{name}"] >= best * (1 - 1e-12)).all()
    # What the figure fixes need not lie on the grid, so the whole grid can be a little worse.
    assert np.log(data.arrays["risk_every"] / best).max() < 0.4


def test_the_curves_and_the_optimum_are_the_searchs(data: FigureData) -> None:
    config = override(load(shipped(data.name)), n=24)
    panel, grid = config.panels[0], config.grid.build()

    def search(over: tuple[str, ...]):
        return grid_search(config.bound.build("T"), grid, over, fixed=panel.fixed)

    best = search(panel.tuned)
    np.testing.assert_array_equal(data.arrays["risk_hat"], best.risk)
    for name in panel.tuned:
        np.testing.assert_array_equal(data.arrays[f"{name}_hat"], best.at[name])
        np.testing.assert_array_equal(data.arrays[f"{name}_edge"], best.edge[name])
        along = search(tuple(other for other in panel.tuned if other != name))
        rows = [grid.axes[name].index(value) for value in data.arrays[f"{name}_shown"]]
        np.testing.assert_array_equal(data.arrays[f"risk_at_{name}"], along.risk[rows])


def test_the_notes_count_the_grid_and_its_burn_in(data: FigureData) -> None:
    assert data.notes["points"] == 24**4
    assert set(data.notes["burn_in_ends"]) == {FIRST[data.name], "eta"}
    assert data.notes["exponents"]["risk"] == "-1/4"
    assert data.seconds > 0


# --- what is shown ---


def test_four_log_log_panels_and_two_colour_bars(data: FigureData, figure: Figure) -> None:
    first = FIRST[data.name]
    assert len(figure.axes) == 6
    for axes, quantity in zip(figure.axes, ("risk", "risk", LABELS[first], LABELS["eta"])):
        assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
        assert (axes.get_xlabel(), axes.get_ylabel()) == ("token budget $T$", quantity)
        assert axes.get_xlim() == (1e2, 1e22)
        assert axes.get_title(loc="left").startswith("(")
        assert axes.get_legend() is not None
    assert [bar.get_ylabel() for bar in figure.axes[4:]] == [LABELS[first], LABELS["eta"]]


def test_a_thin_curve_for_every_value_shown(data: FigureData, figure: Figure) -> None:
    for axes, name in zip(figure.axes, (FIRST[data.name], "eta")):
        (drawn,) = (c for c in axes.collections if isinstance(c, LineCollection))
        np.testing.assert_array_equal(drawn.get_array(), data.arrays[f"{name}_shown"])
        curves = [segment[:, 1] for segment in drawn.get_segments()]
        np.testing.assert_array_equal(curves, data.arrays[f"risk_at_{name}"])
        x, y = axes.get_xlim(), axes.get_ylim()
        assert x[0] <= data.arrays["T"].min()
        assert y[0] < data.arrays["risk_hat"].min() < data.arrays["risk_hat"].max() < y[1]


def test_the_solid_line_is_the_optimum_and_the_dashed_one_the_law(data: FigureData, figure: Figure) -> None:
    for axes, key in zip(figure.axes, ("risk", "risk", FIRST[data.name], "eta")):
        (solid,) = (line for line in lines(axes, linestyle="-") if same_color(line.get_color(), OPTIMUM))
        np.testing.assert_array_equal(solid.get_xydata().T, [data.arrays["T"], data.arrays[f"{key}_hat"]])
        (dashed,) = lines(axes, linestyle="--")
        np.testing.assert_array_equal(dashed.get_ydata(), data.arrays[f"{key}_law"])
        assert dashed.get_label() == f"$T^{{{data.notes['exponents'][key]}}}$"


def test_the_law_has_the_predicted_slope(data: FigureData, figure: Figure) -> None:
    for axes, check in zip(figure.axes[1:], data.checks):
        (dashed,) = lines(axes, linestyle="--")
        x, y = np.log(dashed.get_xydata()[np.isfinite(dashed.get_ydata())].T)
        np.testing.assert_allclose(np.diff(y) / np.diff(x), check.predicted, rtol=1e-9)


def test_edge_points_are_hollow_and_only_they(data: FigureData, figure: Figure) -> None:
    for axes, key in zip(figure.axes[2:4], (FIRST[data.name], "eta")):
        edge = data.arrays[f"{key}_edge"]
        hollow = lines(axes, marker="o", markerfacecolor="white", linestyle="None")
        assert len(hollow) == bool(edge.any())
        for marks in hollow:
            np.testing.assert_array_equal(marks.get_xdata(), data.arrays["T"][edge])
            np.testing.assert_array_equal(marks.get_ydata(), data.arrays[f"{key}_hat"][edge])


def test_the_bound_at_1_and_the_whole_grids_best_are_dotted(data: FigureData, figure: Figure) -> None:
    (at_one,) = lines(figure.axes[2], linestyle=":")
    assert set(at_one.get_ydata()) == {1.0}
    for axes in figure.axes[:2]:
        (every,) = lines(axes, linestyle=":")
        np.testing.assert_array_equal(every.get_ydata(), data.arrays["risk_every"])


def test_what_is_saved_draws_the_same(data: FigureData, figure: Figure, tmp_path: Path) -> None:
    check_redrawn(data, figure, tmp_path)


@pytest.mark.parametrize("name", ["fig1", "fig2"])
def test_the_refined_optimum_lies_within_a_grid_step_and_below_the_grids_risk(name: str) -> None:
    data = computed(name, refined=True)
    assert (data.arrays["risk_star"] <= data.arrays["risk_hat"] * (1 + 1e-12)).all()
    first, grid = FIRST[name], override(load(shipped(name)), n=24).grid.build()
    for v in (first, "eta"):
        apart = np.abs(np.log(data.arrays[f"{v}_star"] / data.arrays[f"{v}_hat"]))[~data.arrays[f"{first}_edge"]]
        # Two coupled variables: each within a step of its own and what the other's step moves it.
        assert apart.max() <= grid.axes[v].step + max(grid.axes[w].step for w in (first, "eta"))
    for axes, key in zip(drawn(name, refined=True).axes, ("risk", "risk", first, "eta")):
        (line,) = (line for line in axes.lines if line.get_color() == REFINED)
        np.testing.assert_array_equal(line.get_ydata(), data.arrays[f"{key}_star"])
    assert not [key for key in computed(name).arrays if key.endswith("_star")]  # where it is not asked for


# --- the pieces ---


@pytest.mark.parametrize(
    ("length", "count", "indices"),
    [(100, 4, [0, 33, 66, 99]), (3, 11, [0, 1, 2]), (5, 1, [0]), (24, 24, range(24))],
)
def test_every_nth_spreads_its_indices(length: int, count: int, indices: list) -> None:
    np.testing.assert_array_equal(every_nth(length, count), indices)


def test_a_predicted_line_goes_through_the_middle_of_the_window_and_stops_at_its_ends() -> None:
    x = np.geomspace(1.0, 1e6, 7)
    y = np.where(x >= 1e4, 5 * x**0.5, 1.0)
    edge = x == 1e6
    line = predicted_line(x, y, edge, (1e4, 1e6), 0.5)
    np.testing.assert_allclose(line[4:], 5 * x[4:] ** 0.5)
    assert np.isnan(line[:4]).all()
    assert np.isnan(predicted_line(x, y, x < 1e6, (1.0, 1e6), 0.5)).all()


def test_labels() -> None:
    assert power_label("T", "-1/4") == "$T^{-1/4}$"
    assert power_label("T", "0") == r"$\mathrm{constant}$"
    assert held_text("alpha", 0.066) == r"$\beta=0.934$"
    assert held_text("b", 1072.0) == "$b=1072$"


# --- other bounds, other budgets ---


def test_a_bound_with_another_exponent_fails_the_theorem() -> None:
    config = override(load(shipped("fig1")), n=40)
    other = replace(config, bound=replace(config.bound, options={"q": 0.3}))
    checks = compute(other, "own").checks
    assert checks[0].measured == pytest.approx(-0.3 / 1.6, abs=0.01)  # T^(-q/(1 + 2q)), not T^(-1/4)
    assert checks[0].holds is False


def test_where_the_law_begins_beyond_the_grid_nothing_holds() -> None:
    """With so little noise b is 1 up to T = 4 C1 C3~/C2~^2 = 4 (1 + 1/alpha)/(alpha C2^2) = 4.004e22."""
    config = override(load(shipped("fig1")), n=24, constants={"C2": 1e-8}, refined=False)
    checks = {check.what: check for check in compute(config, "own").checks}
    assert {check.holds for check in checks.values()} == {None}
    b = checks["slope of b"]
    assert (b.measured, b.predicted) == (0.0, 0.5)
    assert b.tolerance > 0.5
    assert b.note == "not identifiable on this grid: the law begins beyond this window: from T = 4e+22 on"


def test_a_wall_in_one_optimum_is_not_held_against_the_other() -> None:
    config = override(load(shipped("fig1")), n=40)
    walled = replace(config, grid=replace(config.grid, axes={"b": {"lo": 1.0, "hi": 100.0}}))
    for check in compute(walled, "own").checks:
        assert check.holds is not False
        assert check.edge_points > 10


def test_a_value_may_be_held_by_the_grid_in_place_of_the_regime() -> None:
    config = override(load(shipped("fig1")), n=24)
    (panel,) = config.panels
    held = replace(
        config, grid=replace(config.grid, axes={"alpha": 1e-3}), panels=(replace(panel, regime=Regime(panel.tuned)),)
    )
    expected, found = computed("fig1"), compute(held, "own")
    np.testing.assert_array_equal(found.arrays["risk_hat"], expected.arrays["risk_hat"])
    assert [check.holds for check in found.checks] == [check.holds for check in expected.checks]


def test_iterations_may_be_the_budget() -> None:
    config = load(shipped("fig2"))
    in_K = replace(config, grid=replace(config.grid, n=24, axes={"K": {"lo": 1e2, "hi": 1e16}}))
    data = compute(in_K, "own")
    assert "T" not in data.arrays
    figure = draw(data)
    assert figure.axes[0].get_xlabel() == "iterations $K$"
    assert data.checks[0].holds is not False


def test_a_window_of_ones_own_is_kept() -> None:
    config = replace(override(load(shipped("fig1")), n=24), window=(1e14, 1e20))
    for check in compute(config, "own").checks:
        assert 1e14 <= check.window[0] < check.window[1] <= 1e20
