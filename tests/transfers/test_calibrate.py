"""Constants for which a tuned point is optimal: all that it determines, and no more."""

from __future__ import annotations

import numpy as np
import pytest
from eq4 import HELD, best, constants, cost, risk, terms
from hypothesis import given, strategies as st

from hpgrid.theory import theorems
from hpgrid.transfers.costs import NOISE_SHARES, Constants, calibrate
from hpgrid.transfers.start import TUNED, Limits, Setting

#: Of logs: what a point's own rounding, some 20 eps, makes of ratios that are differences 1 - r and 1/2 - r, where
#: those are above 1/50.
ROUNDING = 50 * 20 * np.finfo(float).eps


def noise_at(of: Constants, at: Setting) -> float:
    own = terms(at, at.T, of)
    return float((own["burn_in"] + own["floor"]) / sum(own.values()))


logs = st.floats(-1.0, 1.0)


@pytest.mark.parametrize("regime", "BCD")
@given(logs, logs, logs, st.floats(8.0, 14.0))
def test_a_known_optimum_gives_its_ratios_back(regime: str, c1: float, c2: float, c3: float, T: float) -> None:
    """A common factor is not seen: C2 is 1."""
    start = best(constants(10**c1, 10**c2, 10**c3), 10**T, regime)
    found = calibrate(start, TUNED[regime])
    if not found.on_bound:
        assert (found.free, found.misfit) == (0, pytest.approx(1.0, abs=ROUNDING))
        expected = [[10 ** (c1 - c2)], [1.0], [10 ** (c3 - c2)]]
        np.testing.assert_allclose([*found.constants.values()], expected, rtol=ROUNDING)


def test_eta_alone_leaves_the_share_of_noise_free() -> None:
    """Whatever it is, the point is optimal, progress equals drift, and C1 C3 grows as the noise falls."""
    of = constants(1.0, 2.0, 3.0)
    start = best(of, 1e9, "A")
    found = calibrate(start, TUNED["A"])
    assert (found.free, found.misfit) == (1, 1.0)
    np.testing.assert_allclose(found.noise[[-1, 0]], NOISE_SHARES, rtol=1e-12)
    np.testing.assert_allclose(found.constants["C1"] / found.constants["C3"], of["C1"] / of["C3"], rtol=ROUNDING)
    assert found.noise.min() < noise_at(of, start) < found.noise.max()


def test_three_contradict_each_other_off_the_curve_and_not_on_it() -> None:
    """By the nearest constants each of the three is missed by the same factor, which grows with the distance."""
    T, b, eta = (float(x) for x in theorems.theorem3_curve(0.05, 1.0, 30.0, 4.0))
    off = [calibrate(Setting(T, eta, b * factor, 0.05), TUNED["D"]).misfit for factor in (1.0, 1.5, 3.0, 1 / 3)]
    assert off[0] == pytest.approx(1.0, abs=ROUNDING)
    assert 1.001 < off[1] < off[2]
    assert off[3] > 1.001
    start = Setting(2.5e9, 3e-4, 524288.0, 0.05)
    found = calibrate(start, TUNED["D"])
    own = terms(start, start.T, found.constants)
    at_eta = own["progress"] / (own["drift"] + own["coupling"])
    noise, r = own["burn_in"] + own["floor"], own["burn_in"] / own["floor"]
    at_b = own["progress"] / (noise * (1 - r) / (2 * (1 + r)))
    at_alpha = (own["drift"] + own["coupling"]) / (noise * 1.05 * (0.5 - r) / (1 + r))
    for ratio in (at_eta, at_b, at_alpha):
        assert np.exp(abs(np.log(ratio))) == pytest.approx(found.misfit, rel=1e-12)
    assert found.misfit == pytest.approx(1.0098781, rel=1e-7)


@pytest.mark.parametrize(("regime", "limits", "T", "on_bound", "free"), [
    ("B", Limits(), 1e5, ("alpha",), 1), ("C", Limits(b=50.0), 1e9, ("b",), 1), ("C", Limits(), 100.0, ("b",), 1),
    ("C", Limits(unit=4096), 1e7, ("b",), 1), ("D", Limits(b=50.0), 1e12, ("b",), 0),
    ("D", Limits(unit=1024), 1e9, ("b",), 0), ("A", Limits(eta=1e-4), 1e9, ("eta",), 2),
    ("B", Limits(eta=1e-4), 1e9, ("eta",), 1), ("C", Limits(eta=1e-4), 1e9, ("eta",), 1),
    ("D", Limits(eta=1e-5), 1e9, ("eta",), 0), ("C", Limits(b=400.0, eta=8e-5), 1e9, ("eta", "b"), 2),
])  # fmt: skip
def test_a_limit_is_an_inequality(regime: str, limits: Limits, T: float, on_bound: tuple[str, ...], free: int) -> None:
    """Every constant that is shown makes the point optimal within its limits, and the true one is among them."""
    of = constants(1.0, 6.0, 1.0)
    start = best(of, T, regime, limits)
    found = calibrate(start, TUNED[regime], limits)
    assert (found.on_bound, found.free) == (on_bound, free)
    assert found.misfit == pytest.approx(1.0, abs=ROUNDING)
    held = [name for name in HELD if name not in TUNED[regime]]
    again = cost(found.constants, start, start, tuned=TUNED[regime], held=held, limits=limits)
    assert again.at_start.max() < 1e-12
    assert found.noise.min() * (1 - 1e-9) <= noise_at(of, start) <= found.noise.max() * (1 + 1e-9)


@pytest.mark.parametrize(("regime", "T", "why"), [
    ("A", 5e3, ""), ("B", 5e3, "alpha^(3/2) K = 1.58, and up to 2 a smaller beta"),
    ("C", 5e3, ""), ("D", 5e3, "alpha^(3/2) K = 1.58, and up to 2 a smaller beta"),
    ("C", 2e3, "alpha^(3/2) K = 0.632, and up to 1 a smaller b"),
])  # fmt: skip
def test_where_burn_in_is_most_of_the_noise_no_constants_are_positive(regime: str, T: float, why: str) -> None:
    """At alpha^(3/2) K = 1.58 the risk falls with alpha whatever the constants, but has its least over b; below 1 it
    has none over b either."""
    found = calibrate(Setting(T, 1e-3, 100.0, 0.1), TUNED[regime])
    assert (found.constants is None) == bool(why)
    assert why in found.why


def test_what_is_always_better_there_is_better_by_random_constants() -> None:
    start = Setting(2e3, 1e-3, 100.0, 0.1)
    of = constants(*10 ** np.random.default_rng(3).uniform(-4, 4, (3, 100)))
    for nearby in (start.with_values(b=99.0), start.with_values(alpha=0.101)):
        assert (risk(nearby, start.T, of) < risk(start, start.T, of)).all()
