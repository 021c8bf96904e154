"""The continuous optimum over the grid's, on every figure that is asked for it."""

from __future__ import annotations

import numpy as np
import pytest

from hpgrid.config import load, override, shipped
from hpgrid.paper import compute, draw
from hpgrid.paper.data import FigureData
from hpgrid.plotting.style import REFINED

CURVES = {"fig1": ("b", "eta"), "fig2": ("alpha", "eta")}
CONTOURS = {"fig4": 1, "fig10": 3, "fig11": 3}


def computed(name: str) -> FigureData:
    return compute(override(load(shipped(name)), n=30, refined=True), name)


@pytest.mark.parametrize("name", CURVES)
def test_the_refined_optimum_lies_within_a_grid_step_and_below_the_grids_risk(name: str) -> None:
    data = computed(name)
    assert (data.arrays["risk_star"] <= data.arrays["risk_hat"] * (1 + 1e-12)).all()
    config = load(shipped(name))
    grid = override(config, n=30).grid.build()
    for v in CURVES[name]:
        free = ~(data.arrays["b_edge"] if "b_edge" in data.arrays else data.arrays["alpha_edge"])
        apart = np.abs(np.log(data.arrays[f"{v}_star"] / data.arrays[f"{v}_hat"]))[free]
        # Two coupled variables: each within a step of its own and what the other's step moves it.
        assert apart.max() <= grid.axes[v].step + max(grid.axes[w].step for w in CURVES[name])
    figure = draw(data)
    for axes, key in zip(figure.axes, ("risk", "risk", *CURVES[name])):
        (line,) = (line for line in axes.lines if line.get_color() == REFINED)
        np.testing.assert_array_equal(line.get_ydata(), data.arrays[f"{key}_star"])


@pytest.mark.parametrize("name", CONTOURS)
def test_the_refined_near_optimal_batch_is_near_optimal(name: str) -> None:
    """Within the panel's own ends; nowhere above the grid's by more than a step."""
    data = computed(name)
    figure = draw(data)
    for k, axes in enumerate(figure.axes[: CONTOURS[name]]):
        near, b = data.arrays[f"near_star_{k}"], data.arrays[f"b_{k}"]
        assert ((b[0] <= near * (1 + 1e-9)) & (near <= b[-1] * (1 + 1e-9))).all()
        assert (near <= data.arrays[f"near_{k}"] * (b[1] / b[0]) * (1 + 1e-9)).all()
        (line,) = (line for line in axes.lines if line.get_color() == REFINED)
        np.testing.assert_array_equal(line.get_ydata(), near)


def test_without_being_asked_for_there_is_none() -> None:
    data = compute(override(load(shipped("fig1")), n=12), "fig1")
    assert not [name for name in data.arrays if name.endswith("_star")]


@pytest.mark.parametrize(("given", "refined"), [("", False), ("refined = true\n", True), ("refined = false\n", False)])
def test_a_config_says_whether(given: str, refined: bool, tmp_path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(given + shipped("fig1").read_text())
    assert load(path).refined is refined
    assert override(load(path), refined=not refined).refined is not refined


def test_a_flag_is_true_or_false(tmp_path) -> None:
    path = tmp_path / "own.toml"
    path.write_text('refined = "yes"\n' + shipped("fig1").read_text())
    with pytest.raises(ValueError, match="refined is true or false"):
        load(path)
