"""Appendix B.3's closed forms, against numerical minima of eq. (11) as it is printed."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from oracle import minimise

from hpgrid.theory import theorems, token_optimum

#: Here Delta0, L and noise = rho sigma.
Constants = tuple[float, float, float]
T = 1e14


def bound(eta, b, alpha, Delta0: float, L: float, noise: float):
    noises = 2 * noise * np.sqrt(b) / (alpha * T) + 2 * noise * np.sqrt(alpha / b)
    return b * Delta0 / (eta * T) + noises + 7 * L * eta / 2 + 2 * L * eta / alpha


def test_step_1_minimises_over_eta(constants: Constants) -> None:
    b, alpha = 50.0, 1e-3
    (eta,), risk = minimise(lambda x: bound(x[0], b, alpha, *constants), [1e-6])
    assert token_optimum.learning_rate(T, b, alpha, *constants[:2]) == pytest.approx(eta, rel=1e-4)
    assert token_optimum.risk_of_batch(T, b, alpha, *constants) == pytest.approx(risk, rel=1e-9)


@pytest.mark.parametrize("alpha", [1e-4, 0.3])
def test_step_2_minimises_over_b(constants: Constants, alpha: float) -> None:
    (eta, b), risk = minimise(lambda x: bound(x[0], x[1], alpha, *constants), [1e-5, 1e3])
    assert token_optimum.batch_size(T, alpha, *constants) == pytest.approx(b, rel=1e-5)
    assert token_optimum.learning_rate(T, b, alpha, *constants[:2]) == pytest.approx(eta, rel=1e-5)
    for form in (token_optimum.risk, token_optimum.risk_simplified):
        assert form(T, alpha, *constants) == pytest.approx(risk, rel=1e-9)


def test_step_3_minimises_over_alpha(constants: Constants) -> None:
    """By the risk on both sides: a flat minimum can't be found to many digits."""
    alpha = float(token_optimum.momentum_complement(T, *constants))
    least, *beside = (token_optimum.risk_simplified(T, x * alpha, *constants) for x in (1.0, 0.9, 1.1))
    assert least < min(beside)
    assert token_optimum.stationarity(T, alpha, *constants) == pytest.approx(1.0, rel=1e-12)
    assert token_optimum.stationarity(T, 1.01 * alpha, *constants) > 1.0


@pytest.mark.parametrize("budget", [10**2, 10**12, 10**40, 10**60])
def test_the_root_of_the_cubic_is_one_in_exact_arithmetic(constants: Constants, budget: int) -> None:
    Delta0, L, noise = map(Fraction, constants)
    root, ulps = Fraction(float(token_optimum.momentum_complement(float(budget), *constants))), Fraction(1, 10**14)

    def cubic(alpha: Fraction) -> Fraction:
        half = Fraction(7, 2)
        return half**2 * Delta0 * L * budget * alpha**3 - half * noise**2 * alpha - 2 * noise**2

    assert cubic(root * (1 - ulps)) < 0 < cubic(root * (1 + ulps))


def test_the_expansion_of_the_root_has_the_remainder_that_a_cubic_without_a_square_leaves(constants: Constants) -> None:
    u0, u1 = token_optimum.leading(*constants), token_optimum.correction(*constants)
    epsilon = np.array([1e-2, 1e-3])
    u = token_optimum.momentum_complement(epsilon**-3, *constants) / epsilon
    remainder = np.abs(u - u0 - u1 * epsilon)
    assert np.log10(remainder[0] / remainder[1]) == pytest.approx(3.0, abs=0.1)


def test_the_exponents_are_theorem_3s_and_add_up() -> None:
    assert all(token_optimum.EXPONENTS[name] == theorems.THEOREM_3[name] for name in ("b", "eta", "alpha"))
    assert token_optimum.EXPONENTS["b"] + token_optimum.EXPONENTS["K"] == 1
    assert token_optimum.RATE["T"] == Fraction(-1, 4)
