"""What curves tend to far out: held against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from hpgrid.far_out import LADDER, LOGS, limit, power_and_log
from hpgrid.theory import cesista_laws as theory


def test_the_extrapolations_errors_are_within_their_tolerances_for_random_constants() -> None:
    """Of b* of the star-convex bound, whose local exponent is a closed form: 2/3 (1 - (d s/d log T)/s)."""
    rng, u = np.random.default_rng(7), LOGS
    for _ in range(200):
        s = theory.decayed(u, theory.StarConvex(*10 ** rng.uniform(-1.5, 1.5, 4)))
        slopes = 2 / 3 * (1 - (1 / 3) / (1 - 2 / (3 * s)) / s)
        p, p_error = limit(slopes, 0.0, 2)
        q, q_error = limit(u * (slopes - 2 / 3), 0.0, 1)
        assert abs(p - 2 / 3) <= p_error < 1e-4
        assert abs(q + 2 / 3) <= q_error < 0.05


def test_what_has_no_logarithm_is_read_off_the_last_budgets() -> None:
    """(T + 1e90 T^(1/2)) changes its law at T = 1e180, and 1 + 1e-9 u never settles."""
    slopes = (LADDER + 1e90 / 2 * LADDER**0.5) / (LADDER + 1e90 * LADDER**0.5)
    found, tolerance = limit(slopes[:-5], 1e-9)
    assert abs(found - 0.5) < tolerance  # T = 1e180, where the two are equal, is in it
    assert limit(1 + 1e-9 * LOGS, 0.0) == pytest.approx((1 + 1e-9 * LOGS[-1], 1e-9 * (LOGS[-1] - LOGS[-5])))


def test_too_few_budgets_say_nothing() -> None:
    known = np.where(LADDER < 1e60, 0.5, np.nan)
    assert np.isnan([limit(known, 0.0), limit(known, 0.0, 2)]).all()
    assert np.isnan(power_and_log(known, 0.0)).all()
    assert limit(np.where(LADDER < 1e150, 0.5, np.nan), 1e-9, 2)[0] == pytest.approx(0.5, abs=1e-12)
