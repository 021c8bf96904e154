"""The figure of what missing the joint optimum costs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure
from paper_figures import config, lines

from hpgrid import bounds, refine
from hpgrid.paper import compute, draw
from hpgrid.paper.data import FigureData
from hpgrid.theory import theorems

TUNED = ("eta", "b", "alpha")
FIGURES = ("flatness",)


def test_the_regret_is_the_excess_of_a_bound_evaluated_there(data: FigureData) -> None:
    """Where it is far above rounding, by the bound's own values at b ten times the optimum; a band's end is 1%."""
    T = data.arrays["T"]
    proxy, best = bounds.lmo(), refine(bounds.lmo(), TUNED, T=T)
    held = proxy.risk(T=T, eta=best.at["eta"], alpha=best.at["alpha"], b=10 * best.at["b"]) / best.risk - 1
    np.testing.assert_allclose(data.arrays["held_b"], held, rtol=1e-9)
    for k in (0, 10, 20):
        other = refine(proxy, ("eta", "alpha"), T=T[k], fixed={"b": 10 * float(best.at["b"][k])})
        assert data.arrays["regret_b"][k] == pytest.approx(float(other.risk / best.risk[k] - 1), rel=1e-6)
        end = refine(proxy, ("eta", "alpha"), T=T[k], fixed={"b": float(data.arrays["b_high"][k])})
        assert float(end.risk / best.risk[k]) == pytest.approx(1.01, rel=1e-6)


def test_the_three_slopes_hold_and_a_wrong_exponent_would_fail(data: FigureData) -> None:
    """A slope and its tolerance know nothing of the prediction."""
    assert [check.holds for check in data.checks] == [True] * 3
    assert [check.predicted for check in data.checks] == [pytest.approx(-1 / 3)] * 3
    wrong = float(theorems.REGRET_EXPONENT * 101 / 100)
    assert [replace(check, predicted=wrong).holds for check in data.checks] == [False] * 3


def test_the_notes_say_where_a_decade_is_no_longer_seen(data: FigureData) -> None:
    notes = data.notes["budget_where_a_decade_costs_less"]
    regret, T = data.arrays["regret_b"], data.arrays["T"]
    first = T[np.flatnonzero(regret < np.finfo(np.float32).eps)[0]]
    assert notes["float32"] == pytest.approx(first)
    assert notes["float64"] is None  # beyond 1e22


def test_the_curves_are_drawn_from_the_arrays(data: FigureData, figure: Figure) -> None:
    costs, sizes = figure.axes
    shown = {line.get_label(): line.get_ydata() for line in costs.lines}
    for kind, words in (("regret", "re-tuned"), ("held", "held")):
        for v, symbol in (("eta", r"\eta"), ("b", "b"), ("alpha", r"\alpha")):
            np.testing.assert_array_equal(shown[f"${symbol}$, others {words}"], data.arrays[f"{kind}_{v}"])
    levels = [float(y[0]) for y in shown.values() if np.ptp(y) == 0]
    assert {np.finfo(np.float32).eps, np.finfo(np.float64).eps, data.notes["excess_of_the_grid"]} <= set(levels)
    (star,) = lines(sizes, label="refined optimum")
    np.testing.assert_array_equal(star.get_ydata(), data.arrays["b_star"])


def test_another_bound_has_no_closed_interval_and_draws_all_the_same() -> None:
    own = replace(config("flatness").bound, name="lmo_exact", constants={})
    data = compute(config("flatness", bound=own))
    assert "b_high_law" not in data.arrays
    draw(data)
