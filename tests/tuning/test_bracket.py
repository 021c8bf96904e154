"""Where the first value lies that reaches a target: on risks that are known in closed form."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from hpgrid.tuning.bracket import NARROW, look_closer, lowest, narrow


def solver(log_risk: Callable, known: Callable = lambda T: np.ones(T.shape, bool)) -> Callable[[Any], Any]:
    return lambda T: SimpleNamespace(log_risk=log_risk(np.log(T)), converged=known(T), unbounded={})


def found(log_risk: Callable, target: float, **options: Any) -> Any:
    return narrow(solver(log_risk, **options), target, (1.0, 1e60), lambda: None)


@pytest.mark.parametrize("exponent", [0.25, 0.5, 2.0])
def test_a_power_is_inverted_to_what_is_said(exponent: float) -> None:
    bracket = found(lambda u: -exponent * u, 1e-3)
    truth = 1e-3 ** (-1 / exponent)
    assert 0 <= np.log(bracket.at / truth) <= bracket.tolerance
    assert bracket.width <= NARROW
    assert bracket.tolerance == pytest.approx(bracket.width + NARROW / exponent, rel=1e-4)
    assert (bracket.gap_below, bracket.not_monotone) == (False, False)


def test_a_floor_is_never_reached() -> None:
    assert found(lambda u: np.logaddexp(-u, np.log(0.1)), 0.05).place == -1


def test_where_the_first_one_reaches_it_there_is_nothing_to_be_unsure_of() -> None:
    bracket = found(lambda u: -u, 2.0)
    assert (bracket.at, bracket.place, bracket.tolerance) == (1.0, 0, 0.0)


def test_what_is_not_known_just_below_is_said() -> None:
    bracket = found(lambda u: -u, 1e-3, known=lambda T: T > 1e5)
    assert bracket.gap_below
    assert bracket.at == pytest.approx(1e5, rel=1e-8)


def test_what_rises_again_is_said_and_the_first_is_taken() -> None:
    bracket = found(lambda u: np.abs(u - 40.0) - 45.0, np.exp(-20.0))
    assert bracket.not_monotone
    assert np.log(bracket.at) == pytest.approx(15.0, abs=1e-8)


def test_rounding_ends_the_search_and_is_no_first_value() -> None:
    """A risk that a second look finds lower: the bracket of the first stands."""
    looks = []

    def fickle(u: Any) -> Any:
        looks.append(u)
        return np.where(len(looks) > 1, -100.0, -u)

    bracket = found(fickle, 1e-3)
    assert len(looks) == 2
    assert bracket.place > 0


def closer(log_risk: Callable, target: float, **options: Any) -> Any:
    solve = solver(log_risk, **options)
    return look_closer(solve, target, narrow(solve, target, (1.0, 1e60), lambda: None), lambda: None)


def test_a_dip_between_two_values_of_the_scan_is_found_and_its_first_side_is_narrowed() -> None:
    """The scan's step is 2.2, the dip below the target 0.2 wide."""
    bracket = closer(lambda u: np.abs(u - 40.0) - 45.0, np.exp(-44.9))
    assert bracket.not_monotone
    assert np.log(bracket.at) == pytest.approx(39.9, abs=1e-8)


def test_the_least_risk_that_stays_above_is_found() -> None:
    bracket = closer(lambda u: (u - 40.0) ** 2 / 100, 0.9)
    assert bracket.place == -1
    assert np.log(bracket.values[lowest(bracket)]) == pytest.approx(40.0, abs=2 * np.sqrt(100 * NARROW))


def test_a_floor_and_what_is_not_known_have_no_dip() -> None:
    floor = closer(lambda u: np.logaddexp(-u, np.log(0.1)) + 1e-15 * np.sin(u), 0.05)
    assert lowest(floor) == len(floor.values) - 1
    unknown = closer(lambda u: -u, 1e-9, known=lambda T: T < 1e5)
    assert unknown.values[lowest(unknown)] < 1e5
    assert lowest(closer(lambda u: -u, 1e-9, known=lambda T: T < 0)) == -1
