"""Exponents along schedules and paths: against the terms of the bound, and against numerical minima."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from oracle import minimise

from hpgrid.theory import schedules, theorems

HALF = Fraction(1, 2)


@pytest.mark.parametrize(
    "schedule", [(HALF, Fraction(0), Fraction(1, 4)), (Fraction(1, 6), Fraction(1, 3), Fraction(7, 12))]
)
def test_the_decay_exponents_are_those_of_the_terms(schedule: tuple[Fraction, Fraction, Fraction]) -> None:
    beta, gamma, delta = map(float, schedule)
    T = np.array([1e20, 1e40])
    b, alpha, eta = T**beta, T**-gamma, T**-delta
    terms = (b / (eta * T), np.sqrt(b) / (alpha * T), np.sqrt(alpha / b), eta, eta / alpha)
    found = [-float(np.log10(term[1] / term[0])) / 20 for term in terms]
    assert found == pytest.approx([float(r) for r in schedules.decay(*schedule)])


@pytest.mark.parametrize("beta", [Fraction(0), Fraction(1, 6), HALF])
def test_the_proposed_schedule_decays_as_a_quarter_and_leaves_what_is_stated(beta: Fraction) -> None:
    r = schedules.decay(beta, *schedules.proposed(beta))
    assert r[0] == r[2] == r[4] == Fraction(1, 4) == min(r)
    assert (r[1], r[3]) == schedules.remaining(beta)


@pytest.mark.parametrize("beta", [Fraction(3, 5), Fraction(9, 10)])
def test_the_ceiling_is_what_balancing_gives_and_eta_over_alpha_has_it_too(beta: Fraction) -> None:
    best = schedules.ceiling(beta)
    r = schedules.decay(beta, Fraction(0), best)
    assert r[0] == r[3] == best
    assert (r[1], r[2], r[4]) == schedules.aggressive_remaining(beta)
    deltas = [Fraction(k, 1000) for k in range(1000)]
    assert max(min(1 - beta - delta, delta) for delta in deltas) <= best


@pytest.mark.parametrize("q", [Fraction(1, 3), HALF, Fraction(3, 4)])
def test_the_noise_exponents_are_those_of_a_numerical_minimum(q: Fraction) -> None:
    def optimum(b: float, K: float) -> dict[str, float]:
        start = [b ** float(q / 2) * K**-0.75, min(b ** float(q) * K**-0.5, 1.0)]
        (eta, alpha), risk = minimise(lambda x: 1 / (x[0] * K) + x[0] / x[1] + np.sqrt(x[1]) / b ** float(q), start)
        return {"eta": eta, "alpha": alpha, "risk": risk}

    base, in_b, in_K = optimum(10.0, 1e8), optimum(20.0, 1e8), optimum(10.0, 2e8)
    for name, exponents in schedules.noise_in_K(q).items():
        assert np.log2(in_b[name] / base[name]) == pytest.approx(float(exponents["b"]), abs=1e-3)
        assert np.log2(in_K[name] / base[name]) == pytest.approx(float(exponents["K"]), abs=1e-3)
    in_iterations, in_tokens = schedules.noise_in_K(q)["risk"], schedules.noise_risk_in_T(q)
    assert in_tokens["T"] == in_iterations["K"]  # K = T/b
    assert in_tokens["b"] == in_iterations["b"] - in_iterations["K"]
    # Heavy tails are a smaller noise exponent.
    for p in (Fraction(5, 4), Fraction(3, 2), Fraction(2)):
        assert schedules.heavy_tails_risk_in_T(p) == schedules.noise_risk_in_T(schedules.heavy_tails(p))
        assert (schedules.heavy_tails(p) == schedules.BOUNDED_VARIANCE) == (p == 2)


@pytest.mark.parametrize("p", [Fraction(1, 4), Fraction(4, 5)])
def test_a_path_exponent_is_the_slope_along_the_path(p: Fraction) -> None:
    kappa, lam = schedules.TUNED_MOMENTUM
    assert schedules.path_exponent(kappa, lam, p) == schedules.path_eta(p)
    T = np.array([1e10, 1e20])
    b, K = T ** float(p), T ** float(1 - p)
    eta, alpha = theorems.theorem2_eta_in_K(K, b, 1.0, 1.0, 1.0), theorems.theorem2_alpha_in_K(K, b, 1.0, 1.0, 1.0)
    assert np.log10(eta[1] / eta[0]) / 10 == pytest.approx(float(schedules.path_eta(p)))
    assert np.log10(alpha[1] / alpha[0]) / 10 == pytest.approx(float(schedules.path_alpha(p)))
    assert schedules.path_threshold(kappa, lam) == Fraction(3, 4)
    assert schedules.path_exponent(*schedules.FIXED_MOMENTUM, p) == -(1 - p) / 2
