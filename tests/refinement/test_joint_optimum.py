"""Theorem 3's optimum, against the closed forms of Appendix B.3 as they are printed, to sixty digits."""

from __future__ import annotations

from typing import NamedTuple

import mpmath
import numpy as np
import pytest
from mpmath import mp, mpf
from reference import DIGITS, exact

from hpgrid import Proxy, bounds
from hpgrid.refinement import refine

NAMES = ("eta", "b", "alpha")

T = 10.0 ** np.arange(2, 61, 2)


class Constants(NamedTuple):
    """Of gap b/(eta T) + noise (b^(1/2)/(alpha T) + (alpha/b)^(1/2)) + eta (drift + lag/alpha).

    Eq. (11): gap = Delta0, noise = 2 rho sigma, drift = 7 L/2, lag = 2 L. Eq. (4): C1, C2, C3, C3.
    """

    gap: mpf
    noise: mpf
    drift: mpf
    lag: mpf


def _eq_4(C1: float, C2: float, C3: float) -> tuple[Proxy, Constants]:
    return bounds.lmo(C1=C1, C2=C2, C3=C3), Constants(exact(C1), exact(C2), exact(C3), exact(C3))


def _eq_11(Delta0: float, L: float, rho: float, sigma: float) -> tuple[Proxy, Constants]:
    constants = Constants(exact(Delta0), 2 * exact(rho) * exact(sigma), 7 * exact(L) / 2, 2 * exact(L))
    return bounds.lmo_exact(Delta0=Delta0, L=L, rho=rho, sigma=sigma), constants


CASES = [_eq_4(1, 1, 1), _eq_4(3, 2.5, 0.5), _eq_11(1, 1, 1, 1), _eq_11(3, 0.5, 2, 1.5)]
IDS = ["eq. (4)", "eq. (4), constants", "eq. (11)", "eq. (11), constants"]


def best_eta(c: Constants, T: mpf, alpha: mpf, b: mpf) -> mpf:
    """Eq. (12)."""
    return mpmath.sqrt(b * c.gap / (T * (c.drift + c.lag / alpha)))


def best_b(c: Constants, T: mpf, alpha: mpf) -> tuple[mpf, mpf]:
    """Eqs. (15) and (16), and the risk there, eq. (17)."""
    A = 2 * mpmath.sqrt(c.gap / T * (c.drift + c.lag / alpha)) + c.noise / (alpha * T)
    B = c.noise * mpmath.sqrt(alpha)
    return B / A, 2 * mpmath.sqrt(A * B)


def best_alpha(c: Constants, T: mpf) -> mpf:
    """Eq. (20): the positive root of 4 gap drift^2 T alpha^3 - noise^2 drift alpha - noise^2 lag = 0."""
    A, B, C = 4 * c.gap * c.drift**2 * T, c.noise**2 * c.drift, c.noise**2 * c.lag
    x = mpmath.cbrt((B + C) / A) + 1  # beyond the root: from there Newton falls to it
    for _ in range(400):
        x -= ((A * x**2 - B) * x - C) / (3 * A * x**2 - B)
    return x


def joint(c: Constants, log_T: mpf) -> dict[str, mpf]:
    """The logs of the joint optimum, b >= 1 and alpha <= 1 left out."""
    T = mpmath.exp(log_T)
    alpha = best_alpha(c, T)
    b, risk = best_b(c, T, alpha)
    return {k: mpmath.log(x) for k, x in
            {"risk": risk, "eta": best_eta(c, T, alpha, b), "b": b, "alpha": alpha}.items()}  # fmt: skip


@pytest.mark.parametrize(("proxy", "c"), CASES, ids=IDS)
def test_joint_tuning_is_the_cubics_root(proxy: Proxy, c: Constants) -> None:
    """Log optimum, log risk and local exponents to 1e-9 at every budget from 1e2 to 1e60."""
    free = {"b": (1e-9, 1e99), "alpha": (1e-99, 1e9)}
    found = refine(proxy, NAMES, T=T, limits=free)
    assert found.converged.all()
    with mp.workdps(DIGITS):
        h = mpf(10) ** -30  # the central difference is off by h^2
        for i, log_T in enumerate(map(mpmath.log, map(exact, T))):
            here, above, below = joint(c, log_T), joint(c, log_T + h), joint(c, log_T - h)
            assert abs(float(here["risk"] - found.log_risk[i].item())) < 1e-12
            for v in NAMES:
                assert abs(float(here[v]) - np.log(found.at[v][i])) < 1e-9
            for v in ("risk", *NAMES):
                assert abs(float((above[v] - below[v]) / (2 * h)) - found.exponent[v][i]) < 1e-9


@pytest.mark.parametrize(("proxy", "c"), CASES, ids=IDS)
def test_tuning_the_learning_rate_alone_gives_eq_12(proxy: Proxy, c: Constants) -> None:
    for b, alpha in [(1.0, 1.0), (1072.0, 1e-3)]:
        found = refine(proxy, ("eta",), fixed={"b": b, "alpha": alpha}, T=T)
        expected = [float(best_eta(c, exact(t), exact(alpha), exact(b))) for t in T]
        np.testing.assert_allclose(found.at["eta"], expected, rtol=1e-9)
        np.testing.assert_allclose(found.exponent["eta"], -0.5, rtol=1e-12)


@pytest.mark.parametrize(("proxy", "c"), CASES, ids=IDS)
def test_tuning_the_batch_size_too_gives_eqs_16_and_17(proxy: Proxy, c: Constants) -> None:
    for alpha in (1.0, 1e-3):
        found = refine(proxy, ("eta", "b"), fixed={"alpha": alpha}, T=T)
        b, risk = np.array([[float(x) for x in best_b(c, exact(t), exact(alpha))] for t in T]).T
        inside = b > 1
        np.testing.assert_array_equal(found.active["b"], np.where(inside, 0, -1))
        np.testing.assert_allclose(found.at["b"], np.maximum(b, 1), rtol=1e-9)
        np.testing.assert_allclose(found.risk[inside], risk[inside], rtol=1e-9)
        assert (found.risk[~inside] > risk[~inside]).all()
        assert (found.exponent["b"][~inside] == 0).all()
