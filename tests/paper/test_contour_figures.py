"""Figures 4, 10 and 11: contours over a budget and the batch size."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import same_color
from matplotlib.figure import Figure
from paper_figures import check_redrawn, computed, drawn

from hpgrid import Grid, bounds
from hpgrid.config import Panel, load, override, shipped
from hpgrid.paper import compute, contours, draw
from hpgrid.paper.data import FigureData
from hpgrid.plotting.style import NEAR, REFINED
from hpgrid.regime import Regime
from hpgrid.theory import iso_loss

#: How many panels each figure has, and against which budget.
PANELS = {"fig4": (1, "K"), "fig10": (3, "T"), "fig11": (3, "K")}
BUDGETS = {"T": "token budget $T$", "K": "iterations $K$"}


@pytest.fixture(scope="module", params=PANELS)
def data(request: pytest.FixtureRequest) -> FigureData:
    return computed(request.param)


@pytest.fixture(scope="module")
def figure(data: FigureData) -> Figure:
    return drawn(data.name)


# --- what is computed ---


def test_levels_are_even_and_shared_by_the_panels(data: FigureData) -> None:
    levels, (lo, hi) = data.arrays["levels"], data.arrays["limits"]
    assert len(levels) == 20
    np.testing.assert_allclose(np.diff(np.log([lo, *levels, hi])), np.log(hi / lo) / 21, rtol=1e-9)
    for k in range(PANELS[data.name][0]):
        assert set(data.arrays[f"line_levels_{k}"]) <= set(levels)


def test_every_contour_point_has_its_levels_risk(data: FigureData) -> None:
    for k in range(PANELS[data.name][0]):
        lengths, points = data.arrays[f"line_lengths_{k}"], data.arrays[f"line_points_{k}"]
        assert points.shape == (lengths.sum(), 2)
        assert len(lengths) == len(data.arrays[f"line_levels_{k}"]) > 0
        levels = np.repeat(data.arrays[f"line_levels_{k}"], lengths)
        budget, b = data.arrays[f"budget_{k}"], data.arrays[f"b_{k}"]
        column = np.clip(np.searchsorted(budget, points[:, 0] * (1 - 1e-9)) - 1, 0, 22)
        row = np.clip(np.searchsorted(b, points[:, 1] * (1 - 1e-9)) - 1, 0, 22)
        around = np.array([data.arrays[f"risk_{k}"][row + i, column + j] for i in (0, 1) for j in (0, 1)])
        assert (around.min(axis=0) <= levels * (1 + 1e-9)).all()
        assert (levels <= around.max(axis=0) * (1 + 1e-9)).all()


def test_the_near_optimal_and_the_best_batch_are_those_of_the_risk(data: FigureData) -> None:
    for k in range(PANELS[data.name][0]):
        risk, b = data.arrays[f"risk_{k}"], data.arrays[f"b_{k}"]
        good = risk <= risk.min(axis=0) / 0.99
        np.testing.assert_array_equal(data.arrays[f"near_{k}"], b[good.argmax(axis=0)])
        np.testing.assert_array_equal(data.arrays[f"near_edge_{k}"], good[0])
        np.testing.assert_array_equal(data.arrays[f"best_{k}"], b[risk.argmin(axis=0)])


def test_checks_name_their_panel(data: FigureData) -> None:
    names = [check.what for check in data.checks]
    if data.name == "fig4":
        assert names == ["contours on the hyperbola: log(risk/level)"]
        assert data.checks[0].holds is True
    else:
        assert names == [f"({letter}) slope of near-optimal b" for letter in "abc"]
        assert {check.predicted for check in data.checks} == {0.5 if data.name == "fig10" else 1.0}
    assert data.notes["budget"] == PANELS[data.name][1]
    assert data.notes["points"] > 0


# --- what is shown ---


def test_a_log_log_panel_for_each_regime_and_one_colour_bar(data: FigureData, figure: Figure) -> None:
    count, budget = PANELS[data.name]
    assert len(figure.axes) == count + 1
    for k, axes in enumerate(figure.axes[:count]):
        assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
        assert axes.get_xlabel() == BUDGETS[budget]
        assert axes.get_ylabel() == ("" if k else "batch size $b$")
        assert axes.get_title(loc="left").endswith(data.config["panels"][k]["title"])
    assert figure.axes[-1].get_ylabel() == "best risk"


def test_every_contour_is_drawn_in_its_levels_colour(data: FigureData, figure: Figure) -> None:
    for k in range(PANELS[data.name][0]):
        (drawn,) = (c for c in figure.axes[k].collections if isinstance(c, LineCollection))
        np.testing.assert_array_equal(drawn.get_array(), data.arrays[f"line_levels_{k}"])
        segments = drawn.get_segments()
        assert [len(s) for s in segments] == list(data.arrays[f"line_lengths_{k}"])
        np.testing.assert_array_equal(np.vstack(segments), data.arrays[f"line_points_{k}"])
        assert (drawn.norm.vmin, drawn.norm.vmax) == tuple(data.arrays["limits"])


def test_the_red_line_is_the_near_optimal_batch_and_hollow_where_held(data: FigureData, figure: Figure) -> None:
    for k in range(PANELS[data.name][0]):
        x, near = data.arrays[f"budget_{k}"], data.arrays[f"near_{k}"]
        (red,) = (line for line in figure.axes[k].lines if same_color(line.get_color(), NEAR) and not marked(line))
        np.testing.assert_array_equal(red.get_xydata().T, [x, near])
        edge = data.arrays[f"near_edge_{k}"] | data.arrays[f"near_held_{k}"]
        hollow = [line for line in figure.axes[k].lines if marked(line)]
        assert len(hollow) == bool(edge.any())
        for marks in hollow:
            np.testing.assert_array_equal(marks.get_xydata().T, [x[edge], near[edge]])


def marked(line) -> bool:
    return line.get_marker() == "o"


def test_against_tokens_the_best_batch_is_dotted_and_less_than_an_iteration_shaded(
    data: FigureData, figure: Figure
) -> None:
    for k in range(PANELS[data.name][0]):
        dotted = [line for line in figure.axes[k].lines if line.get_linestyle() == ":"]
        shaded = [c for c in figure.axes[k].collections if isinstance(c, PolyCollection)]
        assert len(dotted) == len(shaded) == (PANELS[data.name][1] == "T")
        for line in dotted:
            np.testing.assert_array_equal(line.get_ydata(), data.arrays[f"best_{k}"])


def test_only_figure_4_has_a_hyperbola(data: FigureData, figure: Figure) -> None:
    dashed = [line for axes in figure.axes for line in axes.lines if line.get_linestyle() == "--"]
    assert bool(dashed) == (data.name == "fig4")
    if dashed:
        curves = data.arrays["hyperbola_0"]
        assert len(dashed) == len(curves) > 3
        for line, curve in zip(dashed, curves):
            np.testing.assert_array_equal(line.get_xydata(), curve)
            finite = curve[np.isfinite(curve).all(axis=1)]
            risk = iso_loss.risk(*finite.T, iso_loss.of_proxy(1e-3, 1.0, 1.0, 1.0))
            assert np.abs(np.log(risk[:, None] / data.arrays["levels"])).min(axis=1).max() < 1e-5
        assert sum(line.get_label() == "predicted hyperbola" for line in dashed) == 1


def test_what_is_saved_draws_the_same(data: FigureData, figure: Figure, tmp_path: Path) -> None:
    check_redrawn(data, figure, tmp_path)


@pytest.mark.parametrize("name", PANELS)
def test_the_refined_near_optimal_batch_is_near_optimal(name: str) -> None:
    """Within the panel's own ends; nowhere above the grid's by more than a step."""
    data = computed(name, refined=True)
    for k, axes in enumerate(drawn(name, refined=True).axes[: PANELS[name][0]]):
        near, b = data.arrays[f"near_star_{k}"], data.arrays[f"b_{k}"]
        assert ((b[0] <= near * (1 + 1e-9)) & (near <= b[-1] * (1 + 1e-9))).all()
        assert (near <= data.arrays[f"near_{k}"] * (b[1] / b[0]) * (1 + 1e-9)).all()
        (line,) = (line for line in axes.lines if line.get_color() == REFINED)
        np.testing.assert_array_equal(line.get_ydata(), near)


# --- regimes of one's own ---


def fig4(**bound: object):
    config = override(load(shipped("fig4")), n=24)
    return replace(config, bound=replace(config.bound, **bound))


@pytest.mark.parametrize(
    "bound",
    [
        pytest.param({"name": "lmo_exact", "constants": {}}, id="exact"),
        pytest.param({"options": {"burn_in": False}}, id="no burn-in"),
        pytest.param({"options": {"q": 0.3}}, id="other noise"),
    ],
)
def test_a_bound_that_is_not_the_hyperbolas_gets_none(bound: dict) -> None:
    data = compute(fig4(**bound), "own")
    assert data.checks == ()
    assert not [key for key in data.arrays if key.startswith("hyperbola")]
    draw(data)


def test_contours_of_a_floored_learning_rate_leave_the_hyperbola() -> None:
    config = fig4()
    narrow = replace(config, grid=replace(config.grid, axes=config.grid.axes | {"eta": {"lo": 1e-3, "hi": 1.0}}))
    (check,) = compute(narrow, "own").checks
    assert check.holds is False
    assert check.edge_points > 0


@pytest.mark.parametrize("regime", [Regime(("eta", "b"), {"alpha": 0.1}), Regime(("eta",), {"b": 32.0, "alpha": 0.1})])
def test_the_batch_size_is_on_an_axis(regime: Regime) -> None:
    config = replace(override(load(shipped("fig10")), n=8), panels=(Panel(regime),))
    with pytest.raises(ValueError, match=r"axes of this figure are.*b, T"):
        compute(config, "own")


def test_lmo_constants_are_those_of_the_plain_proxy() -> None:
    assert contours.lmo_constants(bounds.lmo(C1=2.0, C3=0.5)) == (2.0, 1.0, 0.5)
    for other in (bounds.lmo_exact(), bounds.lmo(burn_in=False), bounds.lmo(L=1.0), bounds.lmo(E0=1.0)):
        assert contours.lmo_constants(other) is None


@pytest.mark.parametrize(("name", "node"), [("fig10", 42), ("fig11", 30)])
def test_the_captions_floor_is_a_node_of_their_grid_cut_to_its_digits(name: str, node: int) -> None:
    config = load(shipped(name))
    floors = [axes["eta"]["lo"] for axes in (config.grid.axes, *(p.axes for p in config.panels)) if "eta" in axes]
    eta = Grid.captions().eta.values[node]
    assert any(floor <= eta < 1.03 * floor for floor in floors)
