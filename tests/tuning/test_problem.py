"""What is asked: every variable has a role, and what a bound lacks is left out."""

from __future__ import annotations

import pytest

from hpgrid import FunctionProxy, Grid, LogAxis, Regime, bounds
from hpgrid.tuning.problem import tuning_problem

GRID = Grid.footnote(8)
PAIR = Regime(("eta", "b"), {"alpha": 0.1})


def test_axes_that_the_bound_lacks_are_left_out() -> None:
    asked = tuning_problem(bounds.sgd(), GRID, Regime(("eta",), {"b": 4.0}))
    assert list(asked.grid.axes) == ["eta", "b", "T"]
    assert asked.regime.fixed == {"b": 4.0}
    assert asked.caps == {"eta": 1.0}


def test_what_a_grid_holds_is_fixed_unless_it_is_on_a_path() -> None:
    held = GRID.with_axes(alpha=0.25)
    assert tuning_problem(bounds.lmo(), held, Regime(("eta", "b"))).regime.fixed == {"alpha": 0.25}
    path = Regime(("eta",), {}, {"alpha": "-1/3", "b": "1/2"})  # type: ignore[dict-item]
    assert tuning_problem(bounds.lmo(), held, path).regime.fixed == {}


def test_a_function_has_an_iteration_where_nothing_else_is_said() -> None:
    function = FunctionProxy(lambda eta, b, alpha, T, c: b / (eta * T) + eta / alpha)
    assert tuning_problem(function, GRID, PAIR).min_K == 1.0
    assert tuning_problem(function, GRID, PAIR, min_K=3.0).min_K == 3.0
    assert tuning_problem(function, GRID.with_axes(K=LogAxis(1.0, 1e9, 8)), PAIR).min_K is None
    assert tuning_problem(bounds.lmo(), GRID, PAIR).min_K is None


def test_a_function_without_b_has_no_iterations_to_count() -> None:
    alone = FunctionProxy(lambda eta, b, alpha, T, c: 1 / (eta * T) + eta, uses=("eta", "T"))
    asked = tuning_problem(alone, GRID, Regime(("eta",)))
    assert asked.min_K is None
    assert list(asked.grid.axes) == ["eta", "T"]
    with pytest.raises(ValueError, match="tokens are no number of iterations"):
        tuning_problem(alone, GRID, Regime(("eta",)), min_K=2.0)


def test_whether_it_is_a_sum_of_powers_of_what_is_tuned() -> None:
    assert tuning_problem(bounds.lmo(), GRID, PAIR).is_posynomial
    assert not tuning_problem(FunctionProxy(lambda eta, b, alpha, T, c: eta), GRID, PAIR).is_posynomial


def test_it_is_settled() -> None:
    with pytest.raises(ValueError, match="alpha of the bound lmo is neither tuned nor fixed nor on a path"):
        tuning_problem(bounds.lmo(), GRID, Regime(("eta", "b")))
