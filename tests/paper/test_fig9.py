"""Figure 9: all three tuned, and what the grid can and can't tell."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.collections import PolyCollection
from matplotlib.colors import same_color
from matplotlib.figure import Figure
from paper_figures import computed, config, drawn, hollow, lines

from hpgrid.paper import compute, draw
from hpgrid.paper.data import FigureData
from hpgrid.plotting.style import OPTIMUM, REFINED

TUNED = ("eta", "b", "alpha")
FIGURES = ("fig9",)


EXPONENTS = {"risk": -1 / 4, "eta": -7 / 12, "b": 1 / 6, "alpha": -1 / 3}


def test_there_is_a_check_for_each_optimum_and_each_ratio_and_each_refined_optimum(data: FigureData) -> None:
    predicted = {check.what: check.predicted for check in data.checks}
    every = EXPONENTS | {"alpha/b": -1 / 2, "eta/b": -3 / 4}
    assert predicted == pytest.approx({f"{kind}slope of {n}": every[n] for kind in ("", "refined ") for n in every})


def test_the_refined_optimum_tells_what_the_grid_cannot(data: FigureData) -> None:
    """Its slopes hold to the window's own bias, far below what a neighbouring exponent would need."""
    refined = [check for check in data.checks if check.what.startswith("refined")]
    assert [check.holds for check in refined] == [True] * 6
    assert all(0 < check.tolerance < 1e-4 for check in refined)


def test_each_optimum_lies_in_its_band_and_no_grid_value_beats_the_refined_one(data: FigureData) -> None:
    arrays = data.arrays
    assert (arrays["risk_star"] <= arrays["risk_hat"] * (1 + 1e-12)).all()
    for name in TUNED:
        low, star, high = (arrays[f"{name}_{part}"] for part in ("low_star", "star", "high_star"))
        assert ((low <= star * (1 + 1e-9)) & (star <= high * (1 + 1e-9))).all()
        low, value, high = (arrays[f"{name}_{part}"] for part in ("low", "hat", "high"))
        assert ((low <= value) & (value <= high)).all()
        assert (low < high).any()


def test_no_single_optimum_is_identifiable_but_the_risk_is(data: FigureData) -> None:
    checks = {check.what.removeprefix("slope of "): check for check in data.checks if "refined" not in check.what}
    assert checks["risk"].holds is True
    for name in TUNED:
        assert checks[name].holds is None
        assert checks[name].tolerance > abs(checks[name].predicted)
        assert "not identifiable" in checks[name].note


def test_an_edge_anywhere_counts_for_the_risk(data: FigureData) -> None:
    edges = [data.arrays[f"{name}_edge"] for name in TUNED]
    np.testing.assert_array_equal(data.arrays["any_edge"], np.any(edges, axis=0))
    inside = (data.arrays["T"] >= 1e12) & data.arrays["any_edge"]
    on_the_grid = {check.edge_points for check in data.checks if "refined" not in check.what}
    assert on_the_grid == {int(inside.sum())}


def test_the_notes_say_how_far_the_argmin_jumps(data: FigureData) -> None:
    for name, jump in data.notes["largest_jump_between_neighbours"].items():
        assert jump == pytest.approx(np.exp(np.abs(np.diff(np.log(data.arrays[f"{name}_hat"]))).max()))
    assert data.notes["points"] == 24**4


def test_four_log_log_panels_whose_curves_bands_laws_and_edges_are_the_arrays(data: FigureData, figure: Figure) -> None:
    T = data.arrays["T"]
    labels = ("risk", "batch size $b$", r"momentum complement $\alpha$", r"learning rate $\eta$")
    for axes, key, label in zip(figure.axes, ("risk", "b", "alpha", "eta"), labels, strict=True):
        assert (axes.get_xlabel(), axes.get_ylabel()) == ("token budget $T$", label)
        assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
        assert axes.get_legend() is not None
        raw, solid = lines(axes, linestyle="-")
        assert same_color(raw.get_color(), OPTIMUM)
        np.testing.assert_array_equal(raw.get_xydata().T, [T, data.arrays[f"{key}_hat"]])
        assert same_color(solid.get_color(), REFINED)
        np.testing.assert_array_equal(solid.get_xydata().T, [T, data.arrays[f"{key}_star"]])
        assert raw.get_zorder() < solid.get_zorder()
        (dashed,) = lines(axes, linestyle="--")
        np.testing.assert_array_equal(dashed.get_ydata(), data.arrays[f"{key}_law"])
        assert dashed.get_label() == f"$T^{{{data.notes['exponents'][key]}}}$"
        bands = [c for c in axes.collections if isinstance(c, PolyCollection)]
        assert len(bands) == (key != "risk")
        corners = {tuple(corner) for band in bands for corner in band.get_paths()[0].vertices}
        for part in ("low_star", "high_star") if bands else ():
            assert set(zip(T, data.arrays[f"{key}_{part}"])) <= corners
        assert len(hollow(axes)) == (key != "risk" and bool(data.arrays[f"{key}_edge"].any()))
        for marks in hollow(axes):
            np.testing.assert_array_equal(marks.get_xdata(), T[data.arrays[f"{key}_edge"]])


@pytest.mark.parametrize("n", [2, 8])
def test_a_grid_too_coarse_gives_no_verdict_and_without_refinement_is_all_that_is_shown(n: int) -> None:
    data = computed("fig9", n, refined=False)
    assert not [name for name in data.arrays if name.endswith("_star")]
    assert len(data.checks) == 6
    assert all(check.holds is None for check in data.checks if check.what != "slope of risk")
    drawn("fig9", n, refined=False)


def test_a_window_too_far_gives_no_verdict() -> None:
    data = compute(config("fig9", refined=False, window=(1e30, 1e40)))
    assert [check.holds for check in data.checks] == [None] * 6
    draw(data)
