"""The joint optimum's exact curve and how flat it is, against the bound itself."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, strategies as st

from hpgrid import bounds, flatness, refine
from hpgrid.theory import theorems

TUNED = ("eta", "b", "alpha")
CONSTANTS = [(1.0, 1.0, 1.0), (0.3, 0.2, 5.0), (2.0, 0.5, 0.7)]


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


@pytest.mark.parametrize("constants", CONSTANTS)
def test_refinement_lies_on_the_curve(constants: tuple[float, float, float]) -> None:
    alpha = np.logspace(-8, -2, 13)
    T, b, eta = theorems.theorem3_curve(alpha, *constants)
    found = refine(bounds.lmo(**dict(zip(("C1", "C2", "C3"), constants))), TUNED, T=T, limits={"b": (1e-6, 1e200)})
    for name, exact in (("alpha", alpha), ("b", b), ("eta", eta)):
        np.testing.assert_allclose(found.at[name], exact, rtol=1e-9)


@pytest.mark.parametrize("constants", CONSTANTS)
def test_the_batch_size_leaves_one_where_it_pays(constants: tuple[float, float, float]) -> None:
    start = theorems.pays_from(*constants)
    proxy = bounds.lmo(**dict(zip(("C1", "C2", "C3"), constants)))
    before, after = refine(proxy, TUNED, T=start * np.array([1 - 1e-6, 1 + 1e-6])).at["b"]
    assert before == 1
    assert 1 < after < 1 + 1e-5


def test_where_noise_rules_the_batch_size_pays_from_the_start() -> None:
    """b = 1 at alpha = 1 itself: C2^2 = 6 C1 C3."""
    assert np.isnan(theorems.pays_from(1.0, 2.45, 1.0))
    assert np.isfinite(theorems.pays_from(1.0, 2.449, 1.0))


def test_the_law_of_where_it_pays_is_approached() -> None:
    """2^10 (C1 C3)^5/C2^10 (1 + 7 alpha + ...), alpha = C2^4/16 to leading order: b = 1 expanded in it."""
    ratios = []
    for C2 in (0.4, 0.2, 0.1):
        error = theorems.pays_from(1.0, C2, 1.0) * C2**10 / 2**10 - 1
        ratios.append(error / (7 * C2**4 / 16))
    distances = np.abs(np.array(ratios) - 1)
    np.testing.assert_allclose(distances[1:] / distances[:-1], 2.0**-4, rtol=0.1)  # the next order is alpha again


@pytest.mark.parametrize("constants", CONSTANTS)
def test_the_near_optimal_interval_is_right_to_first_order(constants: tuple[float, float, float]) -> None:
    """A tenth of the share, a tenth of the error."""
    proxy = bounds.lmo(**dict(zip(("C1", "C2", "C3"), constants)))
    errors = []
    for within in (1e-2, 1e-3, 1e-4):
        found = flatness(proxy, within=within, tuned=TUNED, T=1e40, limits={"b": (1e-60, 1e200)})
        low, high = theorems.near_optimal(1e40, within, *constants)
        errors.append(np.abs([found.low["b"] / low - 1, found.high["b"] / high - 1]))
    for larger, smaller in pairwise(errors):
        np.testing.assert_allclose(smaller / larger, 0.1, rtol=0.05)
