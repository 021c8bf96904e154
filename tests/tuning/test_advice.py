"""What to set at one budget: the refined optimum, what is as good, what the grid can't tell."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from functions import dip

from hpgrid import FunctionProxy, Grid, LogAxis, Regime, bounds, parse, refine
from hpgrid.statements.check import check
from hpgrid.tuning.advice import Advice, advise, intervals_text
from hpgrid.tuning.problem import tuning_problem
from hpgrid.tuning.survey import survey

GRID = Grid.footnote(24)
IN_K = GRID.with_axes(K=LogAxis(1e2, 1e16, 24))
PAIR = Regime(("eta", "b"), {"alpha": 1e-3})
ALL = Regime(("eta", "b", "alpha"))


def advised(at: float, regime: Regime = PAIR, grid: Grid = GRID, **options: float) -> Advice:
    return advise(tuning_problem(bounds.lmo(), grid, regime, **options), at)


@pytest.mark.parametrize("regime", [PAIR, ALL])
def test_it_is_the_refined_optimum(regime: Regime) -> None:
    advice = advise(tuning_problem(bounds.lmo(C1=3.0), GRID, regime), 1e12)
    exact = refine(bounds.lmo(C1=3.0), regime=regime, T=1e12)
    assert advice.point.risk == pytest.approx(float(exact.risk), rel=1e-12)
    assert dict(advice.point.set) == pytest.approx({v: float(exact.at[v]) for v in regime.tuned}, rel=1e-9)
    assert advice.point.risk <= advice.grid["risk"]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_cell_that_is_lower_than_the_optimum_is_said_and_a_domain_leaves_it_out(dtype: str) -> None:
    """Beyond eta = 2/L the first term is negative: the two cancel at some b, and the bound is as low as can be."""
    text, constants = "D/(eta*K*(1 - L*eta/2)) + s/sqrt(b)", {"D": 1.0, "L": 1.0, "s": 1.0}
    regime, grid = Regime(("eta", "b")), Grid.footnote(24)
    free, held = (
        tuning_problem(parse(text, constants, domain=domain), grid, regime, dtype=dtype)
        for domain in ((), ("eta < 2/L",))
    )
    lower, whole = advise(free, 1e6), advise(held, 1e6)
    assert lower.grid["risk"] < lower.point.risk == pytest.approx(whole.point.risk, rel=1e-12)
    assert (lower.lower, whole.lower) == (True, False)
    assert "a cell of the grid is lower, risk " in lower.text()
    assert "lower" not in whole.text()
    assert "a cell of the grid is lower than the refined optimum at " in survey(free).text()
    assert "lower" not in survey(held).text()
    why = [check(each.proxy, "risk ~ T^-1/3", grid=grid)[0].readings[-1].why_open for each in (free, held)]
    assert ["a cell is lower than the refined optimum" in each for each in why] == [True, False]


def test_the_ends_of_what_is_near_optimal_cost_one_per_cent() -> None:
    advice = advised(1e12)
    for end in advice.near_optimal_range["b"]:
        held = refine(bounds.lmo(), ("eta",), fixed={"alpha": 1e-3, "b": end}, T=1e12)
        assert float(held.risk) == pytest.approx(1.01 * advice.point.risk, rel=1e-8)
    text = advice.text(details=True)
    first, within, grid = text.split("\n\n")
    assert first == "At T = 1e+12 set eta = 7.07e-07, b = 500 (beta = 0.999 held): risk 0.00283."
    assert within.startswith("Within 1% of that risk, the others re-tuned: eta ")
    assert grid.startswith("grid: eta = ")
    assert advice.text().split("\n\n") == [first, within, "--details adds the grid's own best values."]


def test_flat_directions_are_said() -> None:
    advice = advised(1e16, ALL)
    assert set(advice.unresolved_range) == {"eta", "b", "alpha"}
    assert "not identifiable on this grid" in advice.text(details=True)
    for v, (lo, hi) in advice.unresolved_range.items():
        assert lo <= advice.grid[v] <= hi
    assert advised(1e16, grid=Grid.footnote(100)).unresolved_range == {}


def test_bounds_in_force_are_said() -> None:
    small = advised(1e3)
    assert small.point.bounds == {"b": "b is at its least, 1"}
    assert "b is at its least, 1" in small.text(details=True)
    capped = advised(1e12, Regime(("eta", "b"), {"alpha": 1e-3}, caps={"b": 100.0}))
    assert capped.point.set["b"] == pytest.approx(100)
    assert "b is at its cap, 100" in capped.text(details=True)
    assert "b at the edge" in capped.text(details=True)
    assert "K is at its least, 1e+10" in advised(1e12, min_K=1e10).text(details=True)


def test_what_runs_off_has_no_value_and_a_cure() -> None:
    advice = advised(1e10, Regime(("eta", "b"), {"alpha": 0.1}), IN_K)
    assert set(advice.point.set) == {"eta"}
    assert advice.point.unbounded == {"b": "infinity: a cap on b would stop it"}
    assert advice.point.iterations == 1e10
    json.dumps(advice.as_dict(), allow_nan=False)


def test_what_runs_off_is_as_good_from_some_value_on() -> None:
    """Z + C/(eta T) is within 1% of Z from C/(0.01 Z T) on."""
    problem = tuning_problem(parse("Z + C/(eta*T)", {"Z": 2.0, "C": 3.0}), GRID, Regime(("eta",)))
    advice = advise(problem, 1e4)
    assert advice.near_optimal_range["eta"] == (pytest.approx(3 / 200, rel=1e-8), np.inf)
    assert "Within 1% of that risk: eta from 0.015 on. eta runs off to infinity" in " ".join(
        advice.text(details=True).split()
    )
    assert intervals_text({"eta": (0.0, 2.0), "b": (0.0, np.inf), "alpha": (0.5, 1.0)}, {"alpha": (False, True)}) == (
        "eta up to 2, any b, alpha 0.5 to 1 (where the bound ends)"
    )


def _wells(eta: Any, b: Any, alpha: Any, T: Any, c: Any) -> Any:
    left, right = eta / 1e-4 + 1e-4 / eta, eta / 1e2 + 1e2 / eta + c["rise"]
    return (left + right - abs(left - right)) / 2


@pytest.mark.parametrize(("rise", "also"), [(1e-80, True), (1e-6, False)])
def test_two_optima_that_are_as_good_are_both_told(rise: float, also: bool) -> None:
    """The smaller of eta/a + a/eta, a = 1e-4 and 1e2, is 2 at either, unless one of them is raised."""
    problem = tuning_problem(FunctionProxy(_wells, {"rise": rise}, uses=("eta", "T")), GRID, Regime(("eta",)))
    advice = advise(problem, 1e4)
    told = sorted([advice.point.set["eta"], *advice.point.as_good.values()])
    assert told == pytest.approx([1e-4, 1e2] if also else [1e-4], rel=1e-6)
    assert ("as good: eta = " in advice.text(details=True)) is also
    assert (
        "another optimum is as good at 24 of 24 budgets" in " ".join(survey(problem).text(details=True).split())
    ) is also


def test_where_no_optimum_is_known_the_reason_is_said() -> None:
    """C/(eta T) + eta/C is least at C/T^(1/2), here 1e300."""
    grid = Grid(eta=LogAxis(1.0, 1e4, 5), T=LogAxis(1e2, 1e10, 9))
    problem = tuning_problem(parse("C/(eta*T) + eta/C", {"C": 1e302}), grid, Regime(("eta",)))
    assert "found no optimum: the optimum lies beyond what a float" in " ".join(
        advise(problem, 1e4).text(details=True).split()
    )
    # e^690 is 4.6e299: beyond it at 1e2, 1e3 and 1e4.
    assert "no refined optimum at 3 of 9 budgets: the optimum lies" in " ".join(
        survey(problem).text(details=True).split()
    )


def test_where_only_a_ratio_matters_it_is_said() -> None:
    """SGD: Delta0 b/(eta T) + L sigma^2 eta/b, least at eta/b = T^(-1/2)."""
    advice = advise(tuning_problem(bounds.sgd(), GRID, Regime(("eta", "b"))), 1e12)
    assert advice.point.set == {}
    assert advice.point.fixed_together == pytest.approx({"eta/b": 1e-6})
    assert "only eta/b = 1.00e-06 matters" in advice.text(details=True)


def test_less_than_an_iteration_is_said() -> None:
    regime = Regime(("eta", "alpha"), {"b": "1M"})
    assert "b = 1000000 tokens leaves K = T/b = 0.1, less than one iteration" in advised(1e5, regime).text(details=True)
    assert "leaves K = T/b = 99, fewer than 100 iterations: b and T are both" in advised(99e6, regime).text(
        details=True
    )
    assert "iteration" not in advised(100e6, regime).text(details=True)


def test_on_a_path_b_is_held() -> None:
    advice = advised(1e12, Regime(("eta",), {"alpha": 0.1}, {"b": Fraction(1, 2)}))
    assert advice.point.held == {"alpha": 0.1, "b": 1e6}
    assert "b = 1e+06 held" in advice.text(details=True)


def test_where_refinement_finds_no_optimum_only_the_grid_speaks() -> None:
    """Beyond 1e12 tokens there is no risk: no number is made up."""
    advice = advise(tuning_problem(dip(end=1e12), GRID, Regime(("eta",))), 1e13)
    assert not advice.point.converged
    assert "refinement found no optimum" in advice.text(details=True)


@pytest.mark.parametrize(("budget", "message"), [(0.5, "T >= 1"), (float("nan"), "T must be a finite number")])
def test_mistakes(budget: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        advised(budget)
