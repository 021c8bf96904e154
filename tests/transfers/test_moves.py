"""How the best eta moves when b is quadrupled, and how long momentum remembers."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

import hpgrid
from hpgrid.bounds import lmo, sgd
from hpgrid.transfers.constants import Constants
from hpgrid.transfers.given import Setting
from hpgrid.transfers.moves import at_point, half_life, half_life_power, half_life_tuned, table
from hpgrid.transfers.optimum import Box, least
from hpgrid.transfers.rules import moved


def exact(method: str, momentum: str, budget: str) -> Fraction:
    """The power of b in eta*, by the exact laws."""
    fixed = {"b": 8.0, "alpha": 0.1}
    if method == "SGD":
        law = hpgrid.exponents(sgd(budget=budget), ("eta",), fixed={"b": 8.0})
    elif momentum == "held":
        law = hpgrid.exponents(lmo(budget=budget), ("eta",), fixed=fixed)
    else:
        law = hpgrid.exponents(lmo(budget=budget), ("eta", "alpha"), fixed={"b": 8.0})
    return Fraction(law.as_dict()["laws"]["eta"]["powers"].get("b", 0))


def test_quadrupling_has_the_powers_of_the_exact_laws() -> None:
    rows = table()
    assert [(row.method, row.momentum) for row in rows] == [("LMO", "held"), ("LMO", "tuned again"), ("SGD", "")]
    for row in rows:
        assert row.at_K == exact(row.method, row.momentum, "K")
        assert row.at_T == exact(row.method, row.momentum, "T")


def test_at_a_point_the_factors_are_those_of_eq_4() -> None:
    """With beta held exactly, with it tuned again up to burn-in over floor, b/(alpha^(3/2) T)."""
    of = Constants(np.array([1.0, 5.0]), 3.0, 2.0)
    for T in (1e10, 1e22):
        factors = at_point(of, Setting(T, 1e-4, 3000.0, 0.02))
        np.testing.assert_allclose(factors["held"].at_K, 1.0, rtol=1e-14)
        np.testing.assert_allclose(factors["held"].at_T, 2.0, rtol=1e-14)
        alpha = least(T, of, Box(b=(3000.0, 3000.0))).alpha
        small = 3000.0 / (alpha**1.5 * T) + alpha
        assert (abs(factors["tuned again"].at_K / np.sqrt(2) - 1) < 4 * small).all()
        assert (abs(factors["tuned again"].at_T / 4 - 1) < 4 * small).all()
    assert small.max() < 1e-4


@pytest.mark.parametrize(("b", "alpha"), [(32.0, 0.5), (524288.0, 0.05), (1e6, 1e-9)])
def test_a_half_life_is_when_half_is_left(b: float, alpha: float) -> None:
    steps = half_life(b, alpha) / b
    assert np.exp(steps * np.log1p(-alpha)) == pytest.approx(0.5, rel=1e-14)
    assert half_life(b, alpha) == pytest.approx(b * np.log(2) / alpha, rel=alpha)


def test_no_momentum_remembers_nothing() -> None:
    assert half_life(32.0, 1.0) == 0.0


def test_beta_to_the_power_of_b_keeps_it() -> None:
    """Marek et al.: b to kappa b with beta to beta^kappa."""
    assert half_life(4 * 32.0, -np.expm1(4 * np.log1p(-0.05))) == pytest.approx(half_life(32.0, 0.05), rel=1e-14)


@pytest.mark.parametrize("regime", "ABCD")
def test_a_rule_moves_it_by_a_power_of_the_budget(regime: str) -> None:
    """b/alpha exactly; the half-life up to -ln beta = alpha (1 + alpha/2 + ...)."""
    start = Setting(1e10, 1e-4, 3000.0, 1e-3)
    at = moved(regime, start, 1e12).at
    power = float(half_life_power(regime))
    assert power == (0 if regime == "A" else 0.5)
    assert half_life(at.b, at.alpha) / half_life(start.b, start.alpha) == pytest.approx(100**power, rel=1e-3)


def test_tuned_it_is_a_root_of_the_budget_at_every_batch_size() -> None:
    of, T = Constants(1.0, 3.0, 2.0), 1e22
    lives = []
    for b in (1.0, 1e3, 1e6):
        alpha = least(T, of, Box(b=(b, b))).alpha
        lives.append(half_life(b, float(alpha)))
        small = b / (alpha**1.5 * T) + alpha
        assert lives[-1] == pytest.approx(float(half_life_tuned(T, of)), rel=4 * float(small))
    assert max(lives) / min(lives) == pytest.approx(1.0, abs=1e-2)
