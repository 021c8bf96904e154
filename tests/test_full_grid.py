"""The theorems on the whole grid of footnote 3: a hundred values an axis, float64."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from hpgrid import Grid, bounds
from hpgrid.config import load, shipped
from hpgrid.paper import compute
from hpgrid.paper.data import FigureData
from hpgrid.refinement.profile import grid_excess

#: What each figure tunes beside eta, the value that it fixes, and the exponents that it verifies.
THEOREM_1 = {"risk": -0.25, "b": 0.5, "eta": -0.25}
THEOREM_2 = {"risk": -0.25, "alpha": -0.5, "eta": -0.75}
FIGURES = {
    "fig1": ("b", 1e-3, THEOREM_1),
    "fig5": ("b", 0.066, THEOREM_1),
    "fig6": ("b", 1e-4, THEOREM_1),
    "fig2": ("alpha", 1072, THEOREM_2),
    "fig7": ("alpha", 32, THEOREM_2),
    "fig8": ("alpha", 35111, THEOREM_2),
}


@cache
def computed(name: str) -> FigureData:
    return compute(load(shipped(name)))


@pytest.mark.parametrize("name", FIGURES)
def test_the_slopes_hold_within_tolerances_that_are_small(name: str) -> None:
    data, (*_, exponents) = computed(name), FIGURES[name]
    assert data.notes["points"] == 100**4
    assert [check.what for check in data.checks] == [f"slope of {key}" for key in exponents]
    for check, predicted in zip(data.checks, exponents.values()):
        assert check.holds is True, check
        assert check.predicted == predicted
        assert abs(check.measured - predicted) <= check.tolerance < 0.07
        assert check.edge_points == 0
        assert np.log10(check.window[1] / check.window[0]) > 10


@pytest.mark.parametrize("name", FIGURES)
def test_burn_in_ends_where_the_closed_form_leaves_its_bound(name: str) -> None:
    """Text of section 4: b is one at first and ramps up; when depends on the momentum."""
    (first, fixed, _), ends = FIGURES[name], computed(name).notes["burn_in_ends"]
    assert ends["eta"] == 100.0  # eta has no bound to leave
    # b* = alpha T^(1/2)/2 (B.1) and alpha* = 2 b T^(-1/2) (B.2) reach 1 at T = 4/alpha^2 and 4 b^2.
    crossing = 4 / fixed**2 if first == "b" else 4 * fixed**2
    # Off by more than a step of the axis: a step and a half on, twice that in T, and a step of T.
    step = {"b": 15, "alpha": 10}[first] * np.log(10) / 99
    latest = 2 * 2 * step + 20 * np.log(10) / 99
    assert 0 < np.log(ends[first] / crossing) < latest


def test_b_ramps_up_at_a_billion_tokens_at_beta_0_9999_and_a_hundred_times_earlier_at_0_999() -> None:
    """The text puts Figure 1's ramp "at around 10^9 tokens": that is Figure 6's."""
    ends = {name: computed(name).notes["burn_in_ends"]["b"] for name in ("fig1", "fig5", "fig6")}
    assert 3e8 < ends["fig6"] < 3e9
    assert 3e6 < ends["fig1"] < 3e7
    assert ends["fig5"] < 1e4


@pytest.mark.parametrize("name", ["fig1", "fig5", "fig6"])
def test_tuning_the_momentum_too_gains_what_corollary_1_says(name: str) -> None:
    data, (_, alpha, _) = computed(name), FIGURES[name]
    gain = np.log(data.arrays["risk_hat"] / data.arrays["risk_every"])[-1]
    steps = {v: axis.step for v, axis in Grid.footnote().axes.items() if v != "T"}
    of_all = grid_excess(bounds.lmo(), steps)
    of_two = grid_excess(bounds.lmo(), {v: steps[v] for v in ("eta", "b")})
    assert -of_all <= gain - np.log(1 + alpha) / 4 <= of_two
    assert of_two < of_all < 0.15


# --- Theorem 3 ---


def test_the_grid_tells_the_risk_and_the_ratios_of_theorem_3() -> None:
    checks = {check.what.removeprefix("slope of "): check for check in computed("fig9").checks}
    for key, exponent in (("risk", -0.25), ("alpha/b", -0.5), ("eta/b", -0.75)):
        assert checks[key].holds is True
        assert abs(checks[key].measured - exponent) <= checks[key].tolerance < 0.1


@pytest.mark.parametrize(("key", "exponent"), [("b", 1 / 6), ("alpha", -1 / 3), ("eta", -7 / 12)])
def test_it_can_not_tell_the_three_apart_and_oscillates_as_the_caption_says(key: str, exponent: float) -> None:
    (check,) = (check for check in computed("fig9").checks if check.what == f"slope of {key}")
    assert check.holds is None
    assert check.predicted == pytest.approx(exponent)
    assert check.tolerance > 1
    assert "not identifiable" in check.note
    assert 300 < computed("fig9").notes["largest_jump_between_neighbours"][key] < (3000 if key == "b" else np.inf)
