"""Appendix D, and the bounds as printed: contours against the bounds with eta minimised away numerically."""

from __future__ import annotations

import numpy as np
import pytest
from oracle import minimise
from scipy import optimize

from hpgrid.theory import iso_loss, printed

K, B = np.geomspace(1e3, 1e12, 10), np.geomspace(1.0, 1e8, 9)[:, None]


@pytest.mark.parametrize("alpha", [1e-3, 1.0])
def test_the_tuned_risk_is_the_minimum_of_eq_3_over_eta(constants: tuple[float, float, float], alpha: float) -> None:
    C1, C2, C3 = constants

    def tuned(k: float, b: float) -> float:
        def risk(z: float) -> float:
            eta = np.exp(z)
            return C1 / (eta * k) + C2 / np.sqrt(b) * (1 + alpha**1.5 * k) / (alpha * k) + C3 * eta * (1 + 1 / alpha)

        return optimize.minimize_scalar(risk, bounds=(-40, 10), method="bounded", options={"xatol": 1e-9}).fun

    expected = np.vectorize(tuned)(K[::3], B[::4])
    found = iso_loss.risk(K[::3], B[::4], iso_loss.of_proxy(alpha, *constants))
    np.testing.assert_allclose(found, expected, rtol=1e-10)


def test_the_hyperbola_inverts_the_risk(constants: tuple[float, float, float]) -> None:
    parts = iso_loss.of_proxy(0.01, *constants)
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


def test_the_contours_of_eq_11_have_their_asymptotes_and_lie_on_the_hyperbola() -> None:
    parts, level = iso_loss.of_bound(0.02, 3.0, 0.2, 7.0), 0.5
    K_min, b_min = iso_loss.minimum_iterations(level, parts), iso_loss.minimum_batch_size(level, parts)
    assert iso_loss.risk(K_min, 1e60, parts) == pytest.approx(level)
    assert iso_loss.risk(1e60, b_min, parts) == pytest.approx(level)
    for K in K_min * np.array([1.1, 3.0, 1e4]):
        b = optimize.brentq(lambda b, K=K: float(iso_loss.risk(K, b, parts)) - level, b_min / 2, 1e12, rtol=1e-14)
        left, right = iso_loss.hyperbola(K, b, level, parts)
        assert left == pytest.approx(float(right), rel=1e-9)


def test_the_parts_of_eq_11_are_what_tuning_eta_leaves() -> None:
    Delta0, L, noise, alpha, K, b = 3.0, 0.2, 7.0, 0.02, 1e6, 40.0

    def risk(x: np.ndarray) -> float:
        noises = 2 * noise / np.sqrt(b) * (1 / (alpha * K) + np.sqrt(alpha))
        return float(Delta0 / (x[0] * K) + noises + L * x[0] * (3.5 + 2 / alpha))

    _, least = minimise(risk, [1e-4])
    assert iso_loss.risk(K, b, iso_loss.of_bound(alpha, Delta0, L, noise)) == pytest.approx(least, rel=1e-9)


def test_the_printed_bounds_agree_where_their_constants_do() -> None:
    at = {"eta": np.array([1e-3, 2.0]), "b": np.array([3.0, 1e4]), "alpha": np.array([1e-3, 0.7])}
    K = np.array([1e5, 1e7])
    in_T = printed.risk_in_tokens({**at, "T": K * at["b"]}, C1=3.0, C2=0.2, C3=7.0)
    exact = printed.bound_in_tokens({**at, "T": K * at["b"]}, Delta0=3.0, L=1.75, noise=0.1)
    less = 1.75 * at["eta"] * (4 + 4 / at["alpha"] - 3.5 - 2 / at["alpha"])  # C3 = 4 L, C2 = 2 rho sigma
    np.testing.assert_allclose(exact + less, in_T, rtol=1e-14)
    # The trivial level is that of a parabola: f = L x^2/2 has f(x0) = Delta0 at |f'(x0)| = L x0.
    L, x0 = 3.0, 0.7
    assert printed.trivial_level(L * x0**2 / 2, L) == pytest.approx(L * x0)
