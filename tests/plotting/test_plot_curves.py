"""Drawing lines and maps: what is put on an Axes, beside what the figures' own tests see."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection

from hpgrid.plotting import lines as curves, maps as contours
from hpgrid.plotting.style import new_figure

X = np.geomspace(1e2, 1e8, 7)


@pytest.fixture
def axes() -> Axes:
    _, (axes,) = new_figure(1, 1, (4.0, 3.0))
    return axes


def test_a_family_has_a_line_a_value_its_colour_and_a_bar(axes: Axes) -> None:
    values = np.array([1.0, 10.0, 1000.0])
    risk = X**-0.25 * values[:, None]
    risk[0, :2] = np.inf
    drawn = curves.family(axes, X, risk, values, "b")
    whole = [path.vertices for path in drawn.get_paths()]
    assert len(whole) == 3
    assert np.isnan(whole[0][:2, 1]).all()  # a gap, not a line to infinity
    np.testing.assert_array_equal(whole[2], np.column_stack([X, risk[2]]))
    np.testing.assert_array_equal(drawn.get_array(), values)
    (bar,) = (other for other in axes.figure.axes if other is not axes)
    assert bar.get_ylabel() == "batch size $b$"
    assert bar.get_ylim() == pytest.approx((1.0, 1000.0))
    assert len(bar.get_yticks()) >= 2


@pytest.mark.parametrize("name", ["b", "eta", "alpha"])
def test_the_colours_of_a_family_darken_and_none_is_near_white(axes: Axes, name: str) -> None:
    drawn = curves.family(axes, X, np.ones((2, 7)), np.array([0.01, 1.0]), name)
    light = [drawn.cmap(t)[:3] @ np.array([0.299, 0.587, 0.114]) for t in np.linspace(0, 1, 9)]
    assert (np.diff(light) < 0).all()  # survives grey print
    assert light[0] < 0.88


def test_padding_is_a_share_of_the_decades() -> None:
    lo, hi = curves.padded(np.array([np.nan, 1.0, 1e4, np.inf]), np.array([0.0, 10.0]), by=0.25)
    assert (lo, hi) == (pytest.approx(0.1), pytest.approx(1e5))
    lo, hi = curves.padded(np.array([3.0, 3.0]))
    assert lo < 3.0 < hi


def test_less_than_an_iteration_is_shaded_above_the_diagonal(axes: Axes) -> None:
    contours.infeasible(axes, X, 1e5)
    (drawn,) = axes.collections
    assert isinstance(drawn, PolyCollection)
    corners = drawn.get_paths()[0].vertices
    assert (corners[:, 1] >= corners[:, 0] * (1 - 1e-12)).all()
    assert corners[:, 1].max() == 1e5
    assert [text.get_text() for text in axes.texts] == ["$K<1$"]
