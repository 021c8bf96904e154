"""The figure of measured noise: what it holds, what it says, and that a wrong prediction would show."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure
from paper_figures import config, lines, verdicts

from hpgrid.checks import METHODS
from hpgrid.paper import noise1
from hpgrid.paper.data import FigureData

FIGURES = ("noise1",)


def test_gaussian_noise_stays_below_every_bound_and_one_hot_noise_does_not(data: FigureData) -> None:
    found = verdicts(data)
    assert len(found) == 2 * 3 * 4 + 3 * 3 + 3 * 2
    assert all(holds for name, holds in found.items() if "bound" in name and "gaussian" in name)
    assert all(holds for name, holds in found.items() if "bound" in name and "normalised SGD" in name)
    assert found["momentum2/bound, D = 1, signSGD, one-hot"] is False


def test_only_an_inner_product_or_dense_noise_has_a_D_of_1(data: FigureData) -> None:
    for name, holds in verdicts(data, "D of Lemma 5").items():
        assert holds is ("normalised SGD" in name or "gaussian" in name), name


def test_the_update_s_noise_has_its_power_where_a_step_is_smooth_and_the_gradient_stands_out(data: FigureData) -> None:
    found = verdicts(data, "update noise")
    for method in ("normalised SGD", "Muon"):
        assert found[f"update noise ~ b^p, {method}, gradient above the noise"] is True
        assert found[f"update noise ~ b^p, {method}, gradient below the noise"] is False


def test_scaling_keeps_the_update_s_noise_above_it_and_a_settled_run_s_loss(data: FigureData) -> None:
    for norm in ("frobenius", "spectral"):
        assert data.arrays[f"kept_far_{norm}_update"][0] == pytest.approx(1.0, abs=0.01)
        assert data.arrays[f"kept_near_{norm}_update"][0] > 2.5
        assert data.arrays[f"kept_near_{norm}_loss"][0] == pytest.approx(1.0, abs=0.4)


def test_a_bound_that_is_a_quarter_of_it_is_exceeded(monkeypatch: pytest.MonkeyPatch) -> None:
    from hpgrid.stochastic import momentum as against

    bound, moment = against.BOUNDS["momentum2"]

    def quarter(*args: object, **given: object) -> tuple:
        return tuple(part / 4 for part in bound(*args, **given))

    monkeypatch.setitem(against.BOUNDS, "momentum2", (quarter, moment))
    checks = noise1._moments(config("noise1").parameters, {})
    assert {check.holds for check in checks if check.what.startswith("momentum2")} == {False}


def test_measured_are_solid_with_bars_and_bounds_dashed(data: FigureData, figure: Figure) -> None:
    b = data.arrays["b"]
    for axes, norm in zip(figure.axes[:3], METHODS):
        bars = [c for c in axes.containers if isinstance(c, ErrorbarContainer)]
        assert len(bars) == 4
        for line, moment in zip(lines(axes, linestyle="--"), ("momentum2", "nesterov2"), strict=True):
            np.testing.assert_array_equal(line.get_ydata(), b * data.arrays[f"{norm}_bound_{moment}"])
        measured = bars[0].lines[0]
        np.testing.assert_array_equal(measured.get_ydata(), b * data.arrays[f"{norm}_gaussian_momentum2"])
    updates = {c.get_label(): c.lines[0] for c in figure.axes[4].containers}
    some = data.arrays["update_max"] > 0
    np.testing.assert_array_equal(updates["signSGD"].get_ydata(), data.arrays["update_max"][some])


def test_panels_have_their_titles_and_labels(figure: Figure) -> None:
    assert [axes.get_title(loc="left")[:3] for axes in figure.axes] == [f"({c})" for c in "abcdef"]
    for axes in figure.axes[:5]:
        assert (axes.get_xscale(), axes.get_xlabel()) == ("log", "batch size $b$")
