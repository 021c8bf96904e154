"""The figure of D-smoothness."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from paper_figures import check_redrawn

from hpgrid.config import Config, load, shipped
from hpgrid.paper import compute, draw, smooth1
from hpgrid.paper.data import FigureData
from hpgrid.theory import cesista_laws as theory


def config(**changes: object) -> Config:
    own = load(shipped("smooth1"))
    small = {"shapes": ["3x1", "6x4"], "pairs": 300, "noise_shape": "4x4", "batches": [1, 8, 64], "draws": 40}
    return replace(own, parameters={**own.parameters, **small, **changes})


@pytest.fixture(scope="module")
def data() -> FigureData:
    return compute(config())


@pytest.fixture(scope="module")
def figure(data: FigureData) -> Figure:
    return draw(data)


def test_d_is_near_one_only_where_the_dual_norm_is_euclidean(data: FigureData) -> None:
    held = {check.what: check.holds for check in data.checks}
    for norm, shape in (("frobenius", "3x1"), ("frobenius", "6x4"), ("spectral", "3x1")):
        assert held[f"mean quotient, {norm}, {shape}"] is True
    for norm, shape in (("max", "3x1"), ("max", "6x4"), ("spectral", "6x4")):
        assert held[f"mean quotient, {norm}, {shape}"] is False
    for shape in ("3x1", "6x4"):
        assert held[f"mean quotient against d/N, max, {shape}"] is True


def test_only_gaussian_noise_needs_no_more_than_the_text_has(data: FigureData) -> None:
    held = {check.what: check.holds for check in data.checks if check.what.startswith("what")}
    for norm in smooth1.NEEDED:
        assert held[f"what gaussian noise needs, {norm}, b = 64"] is True
        assert held[f"what one-hot noise needs, {norm}, b = 64"] is False


def test_a_wrong_prediction_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    right = theory.sign_quotient
    monkeypatch.setattr(theory, "sign_quotient", lambda d: 1.2 * right(d))
    monkeypatch.setattr(theory, "PRINTED_D", 1.001)
    own = config(norms=["frobenius", "max"], shapes=["6x4"], noises=["gaussian"])
    assert [check.holds for check in compute(own).checks] == [False] * 4


def test_a_single_number_has_no_standard_error_and_no_verdict() -> None:
    own = config(norms=["max"], shapes=["1x1"], pairs=2, noises=["gaussian"])
    (check, *_) = (compute(replace(own, parameters={**own.parameters, "seed": s})).checks[0] for s in range(4))
    assert check.holds in (True, None)


def test_the_worst_cases_are_in_the_notes(data: FigureData) -> None:
    verdicts = data.notes["worst_case"]
    assert verdicts["frobenius"].startswith("smooth")
    assert verdicts["max"].startswith("no finite D")
    assert verdicts["spectral"].startswith("no finite D")


def test_the_curves_are_drawn_from_the_arrays(data: FigureData, figure: Figure) -> None:
    assert len(figure.axes) == 6
    running, halved, newton = (figure.axes[k].lines for k in (1, 2, 5))
    for norm in ("frobenius", "max", "spectral"):
        for kind in ("oracle", "gaussian"):
            y = data.arrays[f"running_{kind}_{norm}"]
            assert any(np.array_equal(line.get_ydata(), y) for line in running)
        assert any(np.array_equal(line.get_ydata(), data.arrays[f"halved_{norm}"]) for line in halved)
    np.testing.assert_array_equal(newton[0].get_ydata(), data.arrays["s_out"])
    for k, norm in enumerate(smooth1.NEEDED, 3):
        for noise in ("gaussian", "one-hot", "rank-one"):
            y = data.arrays[f"needed_{norm}_{noise}"]
            assert any(np.array_equal(line.get_ydata(), y) for line in figure.axes[k].lines)


def test_every_panel_has_the_prediction_dashed(figure: Figure) -> None:
    for axes in figure.axes:
        assert any(line.get_linestyle() == "--" and set(line.get_ydata()) == {1.0} for line in axes.lines)
        assert axes.get_title(loc="left")
        assert axes.get_ylabel()


def test_what_is_saved_draws_the_same(data: FigureData, figure: Figure, tmp_path: Path) -> None:
    check_redrawn(data, figure, tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"norms": ["nuclear"]}, "there is no norm of that name"),
        ({"norms": ["max", "max"]}, "norms are named once"),
        ({"noises": ["one_hot"]}, "there is no noise of that name"),
        ({"shapes": ["3x0"]}, "a shape is two positive whole numbers"),
        ({"noise_shape": "33"}, "a shape is two positive whole numbers"),
        ({"pairs": 1}, "pairs must be a whole number >= 2"),
        ({"seed": -1}, "seed must be a whole number >= 0"),
        ({"batches": [0]}, "a batch size must be a whole number >= 1"),
    ],
)
def test_what_it_can_not_be_made_from_is_refused(change: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        compute(config(**change))
