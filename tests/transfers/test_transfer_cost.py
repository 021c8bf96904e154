"""What a rule costs by eq. (4): nothing at an optimum, never less, and nothing in the limit.

The optimum is that of refinement's profile, whose own tests hold it against closed forms and refined optima.
"""

from __future__ import annotations

import numpy as np
import pytest
from eq4 import constants, cost, least

from hpgrid.transfers.costs import Cost
from hpgrid.transfers.rules import moved
from hpgrid.transfers.start import NO_LIMITS, TUNED, Limits, Setting

OF = constants(1.0, 3.0, 2.0)
HELD = {"b": 3000.0, "alpha": 0.02}


def best(T: float, regime: str, b: float = HELD["b"]) -> Setting:
    held = {name: (value, value) for name, value in (HELD | {"b": b}).items() if name not in TUNED[regime]}
    return Setting(T, *(float(x) for x in least(T, OF, **({"b": (1.0, T)} | held))))


def of_rule(regime: str, T: float, times: float, limits: Limits = NO_LIMITS) -> Cost:
    return _of_rule(best(T, regime), regime, times * T, limits)


def _of_rule(start: Setting, regime: str, T: float, limits: Limits = NO_LIMITS) -> Cost:
    row = moved(regime, start, T, limits)
    return cost(OF, start, row.at, tuned=row.tuned, held=row.held, limits=limits)


@pytest.mark.parametrize("regime", "ABCD")
def test_an_optimum_costs_nothing(regime: str) -> None:
    held = [name for name in HELD if name not in TUNED[regime]]
    at = best(1e12, regime)
    free = cost(OF, best(1e10, regime), at, tuned=TUNED[regime], held=held, limits=Limits())
    assert free.rule.retuned == 0.0
    assert free.at_start == 0.0
    assert free.rule.best == 0.0 if regime == "D" else free.rule.best > 0


@pytest.mark.parametrize("limits", [Limits(), Limits(b=2000.0), Limits(eta=1e-5), Limits(round_b="pow2", unit=512)])
@pytest.mark.parametrize("times", [0.01, 10.0, 1e4])
@pytest.mark.parametrize("regime", "ABCD")
def test_nothing_costs_less_than_the_best_and_all_three_less_than_some(
    regime: str, times: float, limits: Limits
) -> None:
    found = of_rule(regime, 1e9, times, limits)
    for regret in (found.rule, found.unchanged):
        if regret is not None:
            assert 0 <= regret.retuned <= regret.best * (1 + 1e-12) + 1e-13


def test_eta_alone_is_transferred_exactly() -> None:
    """eta* ~ (b/T)^(1/2) at every budget, not only at large ones."""
    assert of_rule("A", 1e4, 1e3).rule.retuned == 0.0


@pytest.mark.parametrize(
    ("regime", "b", "T", "rate"),
    [("B", 1.0, 1e16, 1 / 2), ("B", 3e3, 1e12, 1), ("C", 3e3, 1e8, 1), ("D", 3e3, 1e11, 2 / 3)],
)
def test_a_rule_costs_nothing_in_the_limit(regime: str, b: float, T: float, rate: float) -> None:
    """What a rule leaves out is small by a power of T, and its square is the cost.

    Burn-in over floor, b/(alpha^(3/2) T), is T^(-1/4) in B, T^(-1/2) in C, T^(-1/3) in D; C3 eta over C3 eta/alpha,
    alpha, is T^(-1/2) in B and T^(-1/3) in D. In B the second is the larger one until T^(1/4) is b^(3/2).
    What comes next is small by the same again, or in B by the other: with it at e the cost is (1 + c e)^2 times a
    power, and over a decade the slope is off by at most 2 c e/ln 10, c at most 4.
    """
    start, later = best(T, regime, b), best(10 * T, regime, b)
    costs = [float(_of_rule(at, regime, 100 * at.T).rule.retuned[0]) for at in (start, later)]
    burn_in, drift = start.b / (start.alpha**1.5 * T), start.alpha if regime != "C" else 0.0
    other = min(burn_in, drift) / max(burn_in, drift) if regime == "B" else 0.0
    within = 4 * (burn_in + drift + other)
    assert costs[0] > 1e-11  # far above rounding
    assert np.log10(costs[1] / costs[0]) == pytest.approx(-rate, abs=within)
    assert within < 0.05


def test_leaving_all_as_it_was_costs_what_eta_is_off_by() -> None:
    """A hundred times the budget at ten times the best eta: (10 + 1/10)/2 times progress and drift, for 1 of each."""
    found = of_rule("A", 1e9, 100.0)
    at = found.retuned
    share = 2 * float(OF["C3"] * at.eta[0] * (1 + 1 / 0.02))
    noise = OF["C2"] * (np.sqrt(3000.0) / (0.02 * 1e11) + np.sqrt(0.02 / 3000.0))
    assert found.unchanged.retuned[0] == pytest.approx(share * (5.05 - 1) / (share + noise), rel=1e-9)


def test_limits_that_the_old_setting_did_not_keep_to_did_not_hold_there() -> None:
    start = best(1e10, "D")
    limits = Limits(b=start.b / 2, eta=start.eta / 2, unit=2 * int(start.b))
    for some in (limits._replace(unit=1), limits._replace(b=None)):
        found = cost(OF, start, start._replace(T=1e11), tuned=TUNED["D"], held=(), limits=some)
        assert found.at_start == 0.0
        np.testing.assert_allclose([float(x[0]) for x in found.start], start[1:], rtol=1e-12)
