"""Figures 4, 10 and 11: contours over a budget and the batch size."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import same_color
from matplotlib.figure import Figure
from paper_figures import computed, config, drawn, hollow, lines

from hpgrid import Grid, bounds
from hpgrid.config import load, shipped
from hpgrid.paper import compute, contours, draw
from hpgrid.paper.data import FigureData
from hpgrid.plotting.style import NEAR, REFINED
from hpgrid.theory import iso_loss

#: How many panels each figure has, and against which budget.
FIGURES = {"fig4": (1, "K"), "fig10": (3, "T"), "fig11": (3, "K")}
BUDGETS = {"T": "token budget $T$", "K": "iterations $K$"}


def panels(data: FigureData) -> list[dict[str, np.ndarray]]:
    """The arrays of each panel, by name."""
    ends = [f"_{k}" for k in range(FIGURES[data.name][0])]
    return [{key.removesuffix(end): x for key, x in data.arrays.items() if key.endswith(end)} for end in ends]


# --- what is computed ---


def test_levels_are_even_and_shared_by_the_panels(data: FigureData) -> None:
    levels, (lo, hi) = data.arrays["levels"], data.arrays["limits"]
    assert len(levels) == 20
    np.testing.assert_allclose(np.diff(np.log([lo, *levels, hi])), np.log(hi / lo) / 21, rtol=1e-9)
    assert all(set(panel["line_levels"]) <= set(levels) for panel in panels(data))


def test_every_contour_point_has_its_levels_risk(data: FigureData) -> None:
    for panel in panels(data):
        lengths, points = panel["line_lengths"], panel["line_points"]
        assert points.shape == (lengths.sum(), 2)
        assert len(lengths) == len(panel["line_levels"]) > 0
        levels = np.repeat(panel["line_levels"], lengths)
        row, column = (
            np.clip(np.searchsorted(panel[name], points[:, k] * (1 - 1e-9)) - 1, 0, 22)
            for k, name in ((1, "b"), (0, "budget"))
        )
        around = np.array([panel["risk"][row + i, column + j] for i in (0, 1) for j in (0, 1)])
        assert (around.min(axis=0) <= levels * (1 + 1e-9)).all()
        assert (levels <= around.max(axis=0) * (1 + 1e-9)).all()


def test_the_near_optimal_and_the_best_batch_are_those_of_the_risk(data: FigureData) -> None:
    for panel in panels(data):
        risk, b = panel["risk"], panel["b"]
        good = risk <= risk.min(axis=0) / 0.99
        np.testing.assert_array_equal(panel["near"], b[good.argmax(axis=0)])
        np.testing.assert_array_equal(panel["near_edge"], good[0])
        np.testing.assert_array_equal(panel["best"], b[risk.argmin(axis=0)])


def test_checks_name_their_panel(data: FigureData) -> None:
    names = [check.what for check in data.checks]
    if data.name == "fig4":
        assert names == ["contours on the hyperbola: log(risk/level)"]
        assert data.checks[0].holds is True
    else:
        assert names == [f"({letter}) slope of near-optimal b" for letter in "abc"]
        assert {check.predicted for check in data.checks} == {0.5 if data.name == "fig10" else 1.0}
    assert data.notes["budget"] == FIGURES[data.name][1]
    assert data.notes["points"] > 0


# --- what is shown ---


def test_a_log_log_panel_for_each_regime_and_one_colour_bar(data: FigureData, figure: Figure) -> None:
    count, budget = FIGURES[data.name]
    assert len(figure.axes) == count + 1
    for k, axes in enumerate(figure.axes[:count]):
        assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
        assert (axes.get_xlabel(), axes.get_ylabel()) == (BUDGETS[budget], "" if k else "batch size $b$")
        assert axes.get_title(loc="left").endswith(data.config["panels"][k]["title"])
    assert figure.axes[-1].get_ylabel() == "best risk"


def test_contours_have_their_levels_colour_and_the_red_line_is_the_near_optimal_batch(
    data: FigureData, figure: Figure
) -> None:
    for axes, panel in zip(figure.axes, panels(data)):
        (drawn,) = (c for c in axes.collections if isinstance(c, LineCollection))
        np.testing.assert_array_equal(drawn.get_array(), panel["line_levels"])
        segments = drawn.get_segments()
        assert [len(s) for s in segments] == list(panel["line_lengths"])
        np.testing.assert_array_equal(np.vstack(segments), panel["line_points"])
        assert (drawn.norm.vmin, drawn.norm.vmax) == tuple(data.arrays["limits"])
        x, near = panel["budget"], panel["near"]
        (red,) = (line for line in lines(axes, marker="None") if same_color(line.get_color(), NEAR))
        np.testing.assert_array_equal(red.get_xydata().T, [x, near])
        edge = panel["near_edge"] | panel["near_held"]
        assert len(hollow(axes)) == bool(edge.any())
        for marks in hollow(axes):
            np.testing.assert_array_equal(marks.get_xydata().T, [x[edge], near[edge]])
        # Against tokens the best batch is dotted, and less than an iteration shaded.
        dotted, shaded = lines(axes, linestyle=":"), [c for c in axes.collections if isinstance(c, PolyCollection)]
        assert len(dotted) == len(shaded) == (FIGURES[data.name][1] == "T")
        for line in dotted:
            np.testing.assert_array_equal(line.get_ydata(), panel["best"])


def test_only_figure_4_has_a_hyperbola(data: FigureData, figure: Figure) -> None:
    dashed = [line for axes in figure.axes for line in lines(axes, linestyle="--")]
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


@pytest.mark.parametrize("name", FIGURES)
def test_the_refined_near_optimal_batch_is_near_optimal(name: str) -> None:
    """Within the panel's own ends; nowhere above the grid's by more than a step."""
    data = computed(name, refined=True)
    for axes, panel in zip(drawn(name, refined=True).axes, panels(data)):
        near, b = panel["near_star"], panel["b"]
        assert ((b[0] <= near * (1 + 1e-9)) & (near <= b[-1] * (1 + 1e-9))).all()
        assert (near <= panel["near"] * (b[1] / b[0]) * (1 + 1e-9)).all()
        (line,) = lines(axes, color=REFINED)
        np.testing.assert_array_equal(line.get_ydata(), near)


# --- regimes of one's own ---


@pytest.mark.parametrize(
    "bound",
    [
        pytest.param({"name": "lmo_exact", "constants": {}}, id="exact"),
        pytest.param({"options": {"burn_in": False}}, id="no burn-in"),
        pytest.param({"options": {"q": 0.3}}, id="other noise"),
    ],
)
def test_a_bound_that_is_not_the_hyperbolas_gets_none(bound: dict) -> None:
    data = compute(config("fig4", bound=replace(config("fig4").bound, **bound)))
    assert data.checks == ()
    assert not [key for key in data.arrays if key.startswith("hyperbola")]
    draw(data)


def test_contours_of_a_floored_learning_rate_leave_the_hyperbola() -> None:
    grid = config("fig4").grid
    floored = replace(grid, axes={**grid.axes, "eta": {"lo": 1e-3, "hi": 1.0}})
    (check,) = compute(config("fig4", grid=floored)).checks
    assert check.holds is False
    assert check.edge_points > 0


def test_lmo_constants_are_those_of_the_plain_proxy() -> None:
    assert contours.lmo_constants(bounds.lmo(C1=2.0, C3=0.5)) == (2.0, 1.0, 0.5)
    for other in (bounds.lmo_exact(), bounds.lmo(burn_in=False), bounds.lmo(L=1.0), bounds.lmo(E0=1.0)):
        assert contours.lmo_constants(other) is None


@pytest.mark.parametrize(("name", "node"), [("fig10", 42), ("fig11", 30)])
def test_the_captions_floor_is_a_node_of_their_grid_cut_to_its_digits(name: str, node: int) -> None:
    own = load(shipped(name))
    floors = [axes["eta"]["lo"] for axes in (own.grid.axes, *(p.axes for p in own.panels)) if "eta" in axes]
    eta = Grid.captions().eta.values[node]
    assert any(floor <= eta < 1.03 * floor for floor in floors)
