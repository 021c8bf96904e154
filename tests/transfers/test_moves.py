"""How the best eta moves when b is quadrupled, and how long momentum remembers."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from eq4 import constants, least

from hpgrid.theory import theorems
from hpgrid.transfers import published
from hpgrid.transfers.costs import at_point
from hpgrid.transfers.rules import moved, of_paper
from hpgrid.transfers.start import Limits, Setting

LMO = of_paper("lmo")


def test_quadrupling_b_has_the_powers_of_appendix_c_3_and_at_a_point_the_factors_of_eq_4() -> None:
    """(i) eta* ~ (b/T)^(1/2) = K^(-1/2), and (ii) b T^(-3/4) = b^(1/4) K^(-3/4); of SGD b T^(-1/2) = (b/K)^(1/2).

    At a point with beta held exactly, with it tuned again up to burn-in over floor, b/(alpha^(3/2) T).
    """
    half, quarter = Fraction(1, 2), Fraction(1, 4)
    expected = [("LMO", "held", 0, half), ("LMO", "tuned again", quarter, 1), ("SGD", "", half, 1)]
    assert [tuple(row) for row in published.moves(LMO, of_paper("sgd"))] == expected
    of = constants(np.array([1.0, 5.0]), 3.0, 2.0)
    for T in (1e10, 1e22):
        factors = at_point(of, Setting(T, 1e-4, 3000.0, 0.02))
        np.testing.assert_allclose(factors["held"].at_K, 1.0, rtol=1e-14)
        np.testing.assert_allclose(factors["held"].at_T, 2.0, rtol=1e-14)
        alpha = least(T, of, b=(3000.0, 3000.0)).alpha
        small = 3000.0 / (alpha**1.5 * T) + alpha
        assert (abs(factors["tuned again"].at_K / np.sqrt(2) - 1) < 4 * small).all()
        assert (abs(factors["tuned again"].at_T / 4 - 1) < 4 * small).all()
    assert small.max() < 1e-4


def test_no_momentum_has_no_half_life_to_move() -> None:
    at = Setting(1e12, 1e-4, 3000.0, 1.0)
    found = published.life(moved("A", at, 1e12), at, LMO, least(1e12, constants(1.0, 1e-3, 1.0)).values)
    assert (found.tokens, np.isnan(found.times), found.retuned >= 0.0) == (0.0, True, True)


@pytest.mark.parametrize(("regime", "limits", "T", "power", "depends"), [
    ("C", Limits(b=3000.0), 1e12, None, "b alone: b and beta are held"),
    ("C", Limits(), 1e12, Fraction(1, 2), "b alone: beta is held, b ~ T^(1/2)"),
    ("A", Limits(), 1e12, Fraction(0), "b alone: beta is held"),
    *((x, Limits(b=b), 1e12, Fraction(1, 2), "T, as T^(1/2), and not on b") for x in "BD" for b in (None, 100.0)),
    ("B", Limits(eta=1e-8), 1e12, None, "the cap on eta"),
    ("B", Limits(), 1e3, None, "nothing: beta is 0, there is none"),
    ("D", Limits(), 1.0, None, "nothing: beta is 0, there is none"),
])  # fmt: skip
def test_a_half_life_depends_on_what_the_row_says(
    regime: str, limits: Limits, T: float, power: Fraction | None, depends: str
) -> None:
    """Where a rule moves it by a power of the budget, b/alpha goes exactly; -ln beta = alpha (1 + alpha/2 + ...)."""
    start = Setting(1e10, 1e-4, 3000.0, 1e-3)
    row = moved(regime, start, T, limits)
    found = published.life(row, start, LMO, None)
    assert depends in found.depends
    assert (found.power, found.retuned) == (power, None)
    if power is not None:
        assert found.times == pytest.approx((T / start.T) ** float(power), rel=1e-3)
        assert found.tokens == pytest.approx(row.at.b * np.log(2) / row.at.alpha, rel=1e-3)


def test_tuned_it_is_a_root_of_the_budget_at_every_batch_size() -> None:
    of, T = constants(1.0, 3.0, 2.0), 1e22
    start = Setting(T, 1e-4, 3000.0, 1e-3)
    law = np.log(2) * of["C2"] / (2 * np.sqrt(of["C1"] * of["C3"])) * np.sqrt(T)
    assert law == pytest.approx(np.log(2) / float(theorems.theorem2_alpha(T, 1.0, *of.values())), rel=1e-14)
    for b in (1.0, 1e3, 1e6):
        best = least(T, of, b=(b, b))
        found = published.life(moved("B", start, T), start, LMO, best.values)
        small = b / (best.alpha**1.5 * T) + best.alpha
        assert float(found.retuned) == pytest.approx(law, rel=4 * float(small))
        assert small < 1e-3
