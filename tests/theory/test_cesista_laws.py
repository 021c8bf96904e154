"""The star-convex bound far out: its closed forms against Lambert's W, against what they minimise, and in the end."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from mpmath import mp, mpf

from hpgrid.theory import cesista_laws

LAM = 0.3
CONSTANTS = {"Delta0": 2.0, "L": 0.7, "sigma": 1.3, "D": 1.2, "G0": 0.6}
AT_ALPHA = cesista_laws.star_convex_at_momentum(0.05, lam=LAM, **CONSTANTS)
SMALL = cesista_laws.star_convex_for_small_alpha(lam=LAM, **CONSTANTS)
LOGS = np.array([40.0, 100.0, 700.0, 1e6, 1e9])


def in_digits(log_T: float, of: cesista_laws.StarConvex) -> mpf:
    """s by the lower branch of Lambert's W."""
    Delta0, noise, slope, lam = (mpf(x) for x in of)
    A = mpmath.cbrt(noise**2 * slope / (4 * lam) * mpmath.exp(-mpf(log_T)))
    return -mpf(2) / 3 * mpmath.lambertw(-mpf(3) / 2 * (A / Delta0) ** mpf("1.5"), -1).real


@pytest.mark.parametrize("of", [AT_ALPHA, SMALL], ids=["fixed momentum", "fixed batch"])
def test_s_is_lamberts_w(of: cesista_laws.StarConvex) -> None:
    with mp.workdps(40):
        exact = [float(in_digits(log, of)) for log in LOGS]
    np.testing.assert_allclose(cesista_laws.decayed(LOGS, of), exact, rtol=1e-14)


def test_there_is_no_optimum_inside_while_the_budget_is_small() -> None:
    """The root exists from s = 2/3 on: log(Delta0/A) above (2/3)(1 - log(2/3))."""
    for of in (AT_ALPHA, SMALL):
        at_the_end = 2 / 3 * (1 - np.log(2 / 3)) - np.log(of.Delta0)
        log_T = 3 * at_the_end + 2 * np.log(of.noise / 2) + np.log(of.slope / of.lam)
        assert np.isnan(cesista_laws.decayed(log_T - 1e-6, of))
        # Beside a double root, s - 2/3 is the root of what is left.
        assert cesista_laws.decayed(log_T + 1e-6, of) == pytest.approx(2 / 3, abs=2e-3)


@pytest.mark.parametrize("held", ["momentum", "batch"])
def test_the_closed_forms_are_stationary(held: str) -> None:
    """Delta0 exp(-lam eta T/b) + noise (alpha/b)^(1/2) + slope eta/alpha, differentiated in the logs by mpmath.

    At a fixed momentum alpha is in the constants; else at b = 32.
    """
    log_T, log_32 = 200.0, float(np.log(32.0))
    of, tuned = (AT_ALPHA, "b") if held == "momentum" else (SMALL, "alpha")
    Delta0, noise, slope, lam = (mpf(x) for x in of)
    log_b = float(cesista_laws.log_b(log_T, of)) if tuned == "b" else log_32
    log_alpha = 0.0 if tuned == "b" else float(cesista_laws.log_alpha(log_T, 32.0, of))
    log_eta = float(cesista_laws.log_eta(log_T, log_b, of))
    with mp.workdps(60):

        def risk(y: mpf, x: mpf) -> mpf:
            b, alpha = (x, mpf(0)) if tuned == "b" else (mpf(log_b), x)
            kept = mpmath.exp(-lam * mpmath.exp(y + mpf(log_T) - b))
            return Delta0 * kept + noise * mpmath.exp((alpha - b) / 2) + slope * mpmath.exp(y - alpha)

        at = (mpf(log_eta), mpf(log_b if tuned == "b" else log_alpha))
        for order in ((1, 0), (0, 1)):
            # The logs are right to some 1e-14, and the exponential multiplies that by lam eta K.
            assert abs(mpmath.diff(risk, at, order) / risk(*at)) < 1e-11


def test_s_ends_as_a_third_of_log_T_and_a_stated_law_is_a_power_times_a_power_of_the_log() -> None:
    ratios = cesista_laws.decayed(LOGS, AT_ALPHA) / LOGS
    assert abs(ratios[-1] - 1 / 3) < abs(ratios[-2] - 1 / 3) < 1e-4
    law = cesista_laws.stated(100.0, cesista_laws.STAR_CONVEX_FIXED_MOMENTUM["b"])
    assert law == pytest.approx(np.log((np.exp(100.0) / 100.0) ** (2 / 3)))


def test_the_stated_powers_multiply_to_the_stated_products() -> None:
    """eta/alpha at a fixed batch, and eta/b at a fixed momentum, fall as their terms' balance asks: s/T."""
    star, batch = cesista_laws.STAR_CONVEX_FIXED_MOMENTUM, cesista_laws.STAR_CONVEX_FIXED_BATCH
    assert [e - b for e, b in zip(star["eta"], star["b"])] == [-1, 1]
    assert [e - a for e, a in zip(batch["eta"], batch["alpha"])] == [e - 0 for e in star["eta"]]
    gap = cesista_laws.FRANK_WOLFE_FIXED_BATCH
    assert cesista_laws.FRANK_WOLFE_FIXED_MOMENTUM["eta"] == gap["eta"] - gap["alpha"]
