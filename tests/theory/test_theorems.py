"""Theorems 1 to 3 and SGD: closed forms against numerical minima of the bounds, printed and as terms."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, strategies as st
from oracle import minimise

from hpgrid import Proxy, bounds
from hpgrid.refinement.profile import profile, sublevels
from hpgrid.theory import iso_loss, theorems

Constants = tuple[float, float, float]

#: C1, C2, C3 at which b and alpha are within their bounds in the end.
TRIPLES = [(1.0, 1.0, 1.0), (0.3, 0.2, 5.0), (2.0, 0.5, 0.7)]
TUNED = ("eta", "b", "alpha")


def powers(form: Callable[..., float], **at: float) -> dict[str, float]:
    """d log form / d log x for each argument, by a factor of two."""
    return {x: float(np.log2(form(**{**at, x: 2 * at[x]}) / form(**at))) for x in at}


def eq4(constants: Constants) -> Proxy:
    return bounds.lmo(**dict(zip(("C1", "C2", "C3"), constants)))


@pytest.mark.parametrize("alpha", [1e-3, 0.5])
def test_theorem_1_minimises_eq_5(constants: Constants, alpha: float) -> None:
    T, (C1, C2, C3) = 1e12, constants

    def eq5(x: np.ndarray) -> float:
        eta, b = x
        return C1 * b / (eta * T) + C2 * np.sqrt(alpha) / np.sqrt(b) + C3 * (1 + 1 / alpha) * eta

    (eta, b), risk = minimise(eq5, [1e-3, 100.0])
    assert theorems.theorem1_b(T, alpha, *constants) == pytest.approx(b, rel=1e-4)
    assert theorems.theorem1_eta(T, alpha, *constants) == pytest.approx(eta, rel=1e-4)
    assert theorems.theorem1_risk(T, alpha, *constants) == pytest.approx(risk, rel=1e-8)


def test_momentum_changes_the_constant_by_at_most_the_fourth_root_of_2() -> None:
    alphas = np.geomspace(1e-9, 1.0, 50)
    risks = np.array([theorems.theorem1_risk(1e12, alpha, 1.0, 1.0, 1.0) for alpha in alphas])
    assert (np.diff(risks) > 0).all()
    assert risks[-1] / risks[0] == pytest.approx(2**0.25, rel=1e-8)  # Corollary 1


@pytest.mark.parametrize("b", [1.0, 1072.0])
def test_theorem_2_minimises_the_leading_proxy_of_B2(constants: Constants, b: float) -> None:
    T, (C1, C2, C3) = 1e16, constants

    def leading(x: np.ndarray) -> float:
        eta, alpha = x
        return C1 * b / (eta * T) + C2 * np.sqrt(alpha / b) + C3 * eta / alpha

    (eta, alpha), risk = minimise(leading, [1e-7, 1e-4])
    assert theorems.theorem2_alpha(T, b, *constants) == pytest.approx(alpha, rel=1e-4)
    assert theorems.theorem2_eta(T, b, *constants) == pytest.approx(eta, rel=1e-4)
    assert theorems.theorem2_risk_in_K(T / b, b, *constants) == pytest.approx(risk, rel=1e-8)


@pytest.mark.parametrize(("theorem", "held"), [(1, 0.1), (2, 32.0)])
def test_the_laws_have_the_exponents_that_are_stated(theorem: int, held: float) -> None:
    stated = {1: theorems.THEOREM_1, 2: theorems.THEOREM_2}[theorem]
    for name in stated:
        law = getattr(theorems, f"theorem{theorem}_{name}", lambda T, b, *c: theorems.theorem2_risk_in_K(T / b, b, *c))
        found = powers(lambda T, law=law: law(T, held, 1.0, 2.0, 3.0), T=1e12)["T"]
        assert found == pytest.approx(float(stated[name]), abs=1e-12), name


def test_the_exponents_balance_the_leading_terms_and_joint_tuning_follows_theorem_2_along_its_own_b() -> None:
    for exponents in (theorems.THEOREM_1, theorems.THEOREM_2, theorems.THEOREM_3):
        e = {"b": Fraction(0), "alpha": Fraction(0)} | exponents
        progress, floor, drift = e["b"] - e["eta"] - 1, (e["alpha"] - e["b"]) / 2, e["eta"] - e["alpha"]
        assert progress == floor == drift == e["risk"] == Fraction(-1, 4)
    for (top, bottom), exponent in theorems.IDENTIFIABLE.items():
        assert theorems.THEOREM_3[top] - theorems.THEOREM_3[bottom] == exponent == theorems.THEOREM_2[top]
    assert theorems.THEOREM_3["b"] == Fraction(1, 6)


def test_the_theorems_in_iterations_are_minima_and_theorem_2_the_same_in_tokens(constants: Constants) -> None:
    K, b, alpha, (C1, C2, C3) = 1e8, 30.0, 0.02, constants
    (eta,), risk = minimise(lambda x: C1 / (x[0] * K) + C2 * np.sqrt(alpha / b) + C3 * (1 + 1 / alpha) * x[0], [1e-5])
    assert theorems.theorem1_eta_in_K(K, alpha, C1, C3) == pytest.approx(eta, rel=1e-4)
    assert theorems.theorem1_risk_in_K(K, b, alpha, C1, C2, C3) == pytest.approx(risk, rel=1e-9)
    own, other = (1e10, b, *constants), (1e10 * b, b, *constants)
    assert theorems.theorem2_alpha_in_K(*own) == pytest.approx(float(theorems.theorem2_alpha(*other)))
    assert theorems.theorem2_eta_in_K(*own) == pytest.approx(float(theorems.theorem2_eta(*other)))


def test_theorem_2s_powers_are_those_of_its_closed_forms() -> None:
    forms = {name: getattr(theorems, f"theorem2_{name}_in_K") for name in theorems.THEOREM_2_IN_K}
    for name, form in forms.items():
        found = powers(lambda K, b, form=form: form(K, b, 3.0, 0.2, 7.0), K=1e9, b=30.0)
        assert found == pytest.approx({x: float(p) for x, p in theorems.THEOREM_2_IN_K[name].items()})
    burn_in = powers(lambda K, b: 1 / (theorems.theorem2_alpha_in_K(K, b, 1, 1, 1) * np.sqrt(b) * K), K=1e9, b=30.0)
    assert burn_in == pytest.approx({x: float(p) for x, p in theorems.DROPPED_IN_K["burn_in"].items()})
    assert theorems.DROPPED_IN_K["drift"] == theorems.THEOREM_2_IN_K["eta"]


def test_the_misprint_is_another_number_unless_c3_is_1() -> None:
    right = theorems.theorem1_eta(1e12, 1e-3, 1.0, 1.0, 1.0)
    assert theorems.theorem1_eta_as_printed(1e12, 1e-3, 1.0, 1.0, 1.0) > 10 * right
    one = 1 / (1 + 1 / 1e-3)  # C3~ = 1
    assert theorems.theorem1_eta_as_printed(1e12, 1e-3, 1.0, 1.0, one) == pytest.approx(
        float(theorems.theorem1_eta(1e12, 1e-3, 1.0, 1.0, one))
    )


def test_sgd_in_tokens_and_in_iterations_are_minima_up_to_a_factor_of_2() -> None:
    Delta0, L, sigma, b, K = 3.0, 0.2, 7.0, 30.0, 1e9
    (eta,), risk = minimise(lambda x: Delta0 / (x[0] * K) + L * x[0] * sigma**2 / b, [1e-4])
    assert risk == pytest.approx(2 * float(theorems.sgd_risk_in_K(K, b, Delta0, L, sigma)), rel=1e-9)
    assert risk == pytest.approx(2 * float(theorems.sgd_risk(K * b, Delta0, L, sigma)), rel=1e-9)
    assert eta == pytest.approx(np.sqrt(Delta0 * b / (L * sigma**2 * K)), rel=1e-4)
    assert theorems.SGD_IN_T["b"] == theorems.SGD_IN_K["b"] - theorems.SGD_IN_K["K"]


@pytest.mark.parametrize("alpha", [1e-4, 0.0658, 1.0])
def test_at_the_critical_budget_a_larger_batch_neither_helps_nor_hurts(constants: Constants, alpha: float) -> None:
    T, parts = theorems.pays_from_at_momentum(alpha, *constants), iso_loss.of_proxy(alpha, *constants)

    def gain(T: float) -> float:
        """The tuned risk's slope in b at b = 1, of eq. (4) with eta tuned."""
        low, high = (float(iso_loss.risk(T / b, b, parts)) for b in (1 - 1e-5, 1 + 1e-5))
        return (high - low) / low / 2e-5

    assert abs(gain(T)) < 1e-6 < gain(T / 2)
    assert gain(2 * T) < -1e-6


@given(st.floats(-12, -1), st.tuples(*[st.floats(-1, 1)] * 3))
def test_the_curve_is_stationary_in_all_three(log_alpha: float, logs: tuple[float, float, float]) -> None:
    """d risk / d log x = 0, summed from the terms of eq. (4) by hand."""
    C1, C2, C3 = (10.0**x for x in logs)
    alpha = 10.0**log_alpha
    T, b, eta = theorems.theorem3_curve(alpha, C1, C2, C3)
    progress, burn = C1 * b / (eta * T), C2 * b**0.5 / (alpha * T)
    floor, plain, drift = C2 * (alpha / b) ** 0.5, C3 * eta, C3 * eta / alpha
    total = progress + burn + floor + plain + drift
    assert -progress + plain + drift == pytest.approx(0, abs=1e-12 * total)
    assert progress + burn / 2 - floor / 2 == pytest.approx(0, abs=1e-12 * total)
    assert -burn + floor / 2 - drift == pytest.approx(0, abs=1e-12 * total)


@pytest.mark.parametrize("constants", TRIPLES, ids=str)
def test_the_continuous_optimum_lies_on_the_curve_and_b_leaves_one_where_it_pays(constants: Constants) -> None:
    alpha = np.logspace(-8, -2, 13)
    T, b, eta = theorems.theorem3_curve(alpha, *constants)
    found = profile(eq4(constants), TUNED, {}, T, {"b": (1e-6, 1e200)})
    for name, exact in (("alpha", alpha), ("b", b), ("eta", eta)):
        np.testing.assert_allclose(found.at[name], exact, rtol=1e-9)
    start = theorems.pays_from(*constants)
    before, after = profile(eq4(constants), TUNED, {}, start * np.array([1 - 1e-6, 1 + 1e-6])).at["b"]
    assert before == 1
    assert 1 < after < 1 + 1e-5


def test_the_law_of_where_it_pays_is_approached_and_where_noise_rules_it_pays_from_the_start() -> None:
    """2^10 (C1 C3)^5/C2^10 (1 + 7 alpha + ...), alpha = C2^4/16 to leading order: b = 1 expanded in it.

    b = 1 at alpha = 1 itself: C2^2 = 6 C1 C3.
    """
    assert np.isnan(theorems.pays_from(1.0, 2.45, 1.0))
    assert np.isfinite(theorems.pays_from(1.0, 2.449, 1.0))
    C2 = np.array([0.4, 0.2, 0.1])
    error = np.array([theorems.pays_from(1.0, c, 1.0) for c in C2]) * C2**10 / 2**10 - 1
    distances = np.abs(error / (7 * C2**4 / 16) - 1)
    np.testing.assert_allclose(distances[1:] / distances[:-1], 2.0**-4, rtol=0.1)  # the next order is alpha again


@pytest.mark.parametrize("constants", TRIPLES)
def test_the_near_optimal_interval_is_right_to_first_order(constants: Constants) -> None:
    """A tenth of the share, a tenth of the error."""
    errors = []
    for within in (1e-2, 1e-3, 1e-4):
        ends = sublevels(eq4(constants), TUNED, {}, 1e40, ("b",), np.log1p(within), {"b": (1e-60, 1e200)}).ends["b"]
        errors.append(np.abs(np.array(ends) / theorems.near_optimal(1e40, within, *constants) - 1))
    for larger, smaller in pairwise(errors):
        np.testing.assert_allclose(smaller / larger, 0.1, rtol=0.05)
