"""The figure of D-smoothness."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure
from paper_figures import config, lines, verdicts

from hpgrid.norms import NORMS
from hpgrid.paper import compute, smooth1
from hpgrid.paper.data import FigureData
from hpgrid.theory import cesista_laws as theory

FIGURES = ("smooth1",)


def test_d_is_near_one_only_where_the_dual_norm_is_euclidean(data: FigureData) -> None:
    near = {("frobenius", "3x1"), ("frobenius", "6x4"), ("spectral", "3x1")}
    far = {("max", "3x1"), ("max", "6x4"), ("spectral", "6x4")}
    expected = {f"mean quotient, {norm}, {shape}": (norm, shape) in near for norm, shape in near | far}
    expected |= {f"mean quotient against d/N, max, {shape}": True for shape in ("3x1", "6x4")}
    assert verdicts(data, "mean") == expected


def test_only_gaussian_noise_needs_no_more_than_the_text_has(data: FigureData) -> None:
    for norm in smooth1.NEEDED:
        assert verdicts(data)[f"what gaussian noise needs, {norm}, b = 64"] is True
        assert verdicts(data)[f"what one-hot noise needs, {norm}, b = 64"] is False


def test_a_wrong_prediction_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    right = theory.sign_quotient
    monkeypatch.setattr(theory, "sign_quotient", lambda d: 1.2 * right(d))
    monkeypatch.setattr(theory, "PRINTED_D", 1.001)
    own = config("smooth1", norms=["frobenius", "max"], shapes=["6x4"], noises=["gaussian"])
    assert set(verdicts(compute(own)).values()) == {False}


def test_a_single_number_has_no_standard_error_and_no_verdict() -> None:
    own = config("smooth1", norms=["max"], shapes=["1x1"], pairs=2, noises=["gaussian"])
    assert compute(own).checks[0].holds in (True, None)


def test_the_worst_cases_are_in_the_notes(data: FigureData) -> None:
    beginnings = {"frobenius": "smooth", "max": "no finite D", "spectral": "no finite D"}
    assert all(data.notes["worst_case"][norm].startswith(words) for norm, words in beginnings.items())


def test_the_curves_are_drawn_from_the_arrays(data: FigureData, figure: Figure) -> None:
    assert len(figure.axes) == 6
    kinds, noises = ("oracle", "gaussian"), ("gaussian", "one-hot", "rank-one")
    keys = [(1, f"running_{kind}_{norm}") for norm in NORMS for kind in kinds]
    keys += [(2, f"halved_{norm}") for norm in NORMS] + [(5, "s_out")]
    keys += [(k, f"needed_{norm}_{noise}") for k, norm in enumerate(smooth1.NEEDED, 3) for noise in noises]
    for k, key in keys:
        assert any(np.array_equal(line.get_ydata(), data.arrays[key]) for line in figure.axes[k].lines), key


def test_every_panel_has_the_prediction_dashed(figure: Figure) -> None:
    for axes in figure.axes:
        assert any(set(line.get_ydata()) == {1.0} for line in lines(axes, linestyle="--"))
        assert axes.get_title(loc="left")
        assert axes.get_ylabel()
