"""The papers' closed forms, against numerical minima of the bounds as they are printed."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from scipy import optimize

from hpgrid.theory import iso_loss, theorems

CONSTANTS = [(1.0, 1.0, 1.0), (3.0, 0.2, 7.0), (0.5, 40.0, 2.0)]


def minimise(log_risk, start: list[float]) -> tuple[np.ndarray, float]:
    """The minimiser and the minimum of a bound whose logarithm is given as a function of logarithms."""
    found = optimize.minimize(log_risk, np.log(start), method="BFGS", options={"gtol": 1e-9})
    return np.exp(found.x), float(np.exp(found.fun))


# --- Theorem 1 ---


@pytest.mark.parametrize("alpha", [1e-3, 0.5])
@pytest.mark.parametrize(("C1", "C2", "C3"), CONSTANTS)
def test_fixed_momentum_minimises_eq_5(C1: float, C2: float, C3: float, alpha: float) -> None:
    T = 1e12

    def log_risk(z: np.ndarray) -> float:
        eta, b = np.exp(z)
        return np.log(C1 * b / (eta * T) + C2 * np.sqrt(alpha) / np.sqrt(b) + C3 * (1 + 1 / alpha) * eta)

    (eta, b), risk = minimise(log_risk, [1e-3, 100.0])
    assert theorems.theorem1_b(T, alpha, C1, C2, C3) == pytest.approx(b, rel=1e-4)
    assert theorems.theorem1_eta(T, alpha, C1, C2, C3) == pytest.approx(eta, rel=1e-4)
    assert theorems.theorem1_risk(T, alpha, C1, C2, C3) == pytest.approx(risk, rel=1e-8)


def test_momentum_changes_the_constant_by_at_most_the_fourth_root_of_2() -> None:
    alphas = np.geomspace(1e-9, 1.0, 50)
    risks = np.array([theorems.theorem1_risk(1e12, alpha, 1.0, 1.0, 1.0) for alpha in alphas])
    assert (np.diff(risks) > 0).all()
    assert risks[-1] / risks[0] == pytest.approx(2**0.25, rel=1e-8)  # Corollary 1


# --- Theorem 2 ---


@pytest.mark.parametrize("b", [1.0, 1072.0])
@pytest.mark.parametrize(("C1", "C2", "C3"), CONSTANTS)
def test_fixed_batch_minimises_the_leading_proxy_of_B2(C1: float, C2: float, C3: float, b: float) -> None:
    T = 1e16
    K = T / b

    def log_risk(z: np.ndarray) -> float:
        eta, alpha = np.exp(z)
        return np.log(C1 / (eta * K) + C2 * np.sqrt(alpha / b) + C3 * eta / alpha)

    (eta, alpha), risk = minimise(log_risk, [1e-7, 1e-4])
    assert theorems.theorem2_alpha(T, b, C1, C2, C3) == pytest.approx(alpha, rel=1e-4)
    assert theorems.theorem2_eta(T, b, C1, C2, C3) == pytest.approx(eta, rel=1e-4)
    assert theorems.theorem2_risk(T, C1, C2, C3) == pytest.approx(risk, rel=1e-8)


# --- exponents ---


def slope(curve) -> float:
    return float(np.log(curve(1e18) / curve(1e12)) / np.log(1e6))


@pytest.mark.parametrize(
    ("exponents", "laws"),
    [
        (
            theorems.THEOREM_1,
            {
                "risk": lambda T: theorems.theorem1_risk(T, 0.1, 1.0, 2.0, 3.0),
                "b": lambda T: theorems.theorem1_b(T, 0.1, 1.0, 2.0, 3.0),
                "eta": lambda T: theorems.theorem1_eta(T, 0.1, 1.0, 2.0, 3.0),
            },
        ),
        (
            theorems.THEOREM_2,
            {
                "risk": lambda T: theorems.theorem2_risk(T, 1.0, 2.0, 3.0),
                "alpha": lambda T: theorems.theorem2_alpha(T, 32.0, 1.0, 2.0, 3.0),
                "eta": lambda T: theorems.theorem2_eta(T, 32.0, 1.0, 2.0, 3.0),
            },
        ),
    ],
    ids=["fixed momentum", "fixed batch"],
)
def test_the_laws_have_the_exponents_that_are_stated(exponents: dict, laws: dict) -> None:
    assert set(exponents) == set(laws)
    for name, law in laws.items():
        assert slope(law) == pytest.approx(float(exponents[name]), abs=1e-12), name


@pytest.mark.parametrize("exponents", [theorems.THEOREM_1, theorems.THEOREM_2, theorems.THEOREM_3])
def test_the_exponents_balance_the_leading_terms(exponents: dict) -> None:
    e = {"b": Fraction(0), "alpha": Fraction(0)} | exponents
    progress, floor, drift = e["b"] - e["eta"] - 1, (e["alpha"] - e["b"]) / 2, e["eta"] - e["alpha"]
    assert progress == floor == drift == e["risk"] == Fraction(-1, 4)


def test_joint_tuning_follows_theorem_2_along_its_own_batch_size() -> None:
    for (top, bottom), exponent in theorems.IDENTIFIABLE.items():
        assert theorems.THEOREM_3[top] - theorems.THEOREM_3[bottom] == exponent == theorems.THEOREM_2[top]
    assert theorems.THEOREM_3["b"] == Fraction(1, 6)


# --- Appendix D ---

K, B = np.geomspace(1e3, 1e12, 10), np.geomspace(1.0, 1e8, 9)[:, None]


@pytest.mark.parametrize("alpha", [1e-3, 1.0])
@pytest.mark.parametrize(("C1", "C2", "C3"), CONSTANTS)
def test_the_tuned_risk_is_the_minimum_of_eq_3_over_eta(C1: float, C2: float, C3: float, alpha: float) -> None:
    def tuned(k: float, b: float) -> float:
        def risk(z: float) -> float:
            eta = np.exp(z)
            return C1 / (eta * k) + C2 / np.sqrt(b) * (1 + alpha**1.5 * k) / (alpha * k) + C3 * eta * (1 + 1 / alpha)

        return optimize.minimize_scalar(risk, bounds=(-40, 10), method="bounded", options={"xatol": 1e-9}).fun

    expected = np.vectorize(tuned)(K[::3], B[::4])
    np.testing.assert_allclose(
        iso_loss.risk(K[::3], B[::4], iso_loss.of_proxy(alpha, C1, C2, C3)), expected, rtol=1e-10
    )


@pytest.mark.parametrize(("C1", "C2", "C3"), CONSTANTS)
def test_the_hyperbola_inverts_the_risk(C1: float, C2: float, C3: float) -> None:
    parts = iso_loss.of_proxy(0.01, C1, C2, C3)
    for b in B[:, 0]:
        for k in K:
            level = float(iso_loss.risk(k, b, parts))
            assert iso_loss.batch_size(k, level, parts) == pytest.approx(b, rel=1e-6)


def test_the_hyperbola_has_its_two_asymptotes() -> None:
    alpha, C1, C2, C3, level = 0.01, 3.0, 0.2, 7.0, 0.05
    parts = iso_loss.of_proxy(alpha, C1, C2, C3)
    first, least = iso_loss.minimum_iterations(level, parts), iso_loss.minimum_batch_size(level, parts)
    assert first == pytest.approx(4 * C1 * C3 * (1 + 1 / alpha) / level**2)
    assert least == pytest.approx(C2**2 * alpha / level**2)

    def batch(k: float) -> float:
        return float(iso_loss.batch_size(k, level, parts))

    assert batch(0.5 * first) == batch(first * (1 - 1e-9)) == np.inf
    assert batch(first * (1 + 1e-6)) > 1e9 * least
    assert batch(1e14 * first) == pytest.approx(least, rel=1e-6)
    assert iso_loss.risk(first, 1e30, parts) == pytest.approx(level)
    assert iso_loss.risk(1e30, least, parts) == pytest.approx(level)
