"""What a rule costs: nothing at an optimum, never less, nothing in the limit; and as an answer has it.

The optimum is that of refinement's profile, whose own tests hold it against closed forms and refined optima.
"""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from eq4 import GIVEN, HELD, best, constants, cost, risk
from hypothesis import given, strategies as st

import hpgrid
from hpgrid.bounds import lmo
from hpgrid.transfers.costs import Cost
from hpgrid.transfers.report import percent
from hpgrid.transfers.rules import moved
from hpgrid.transfers.start import NO_LIMITS, TUNED, Limits, Setting

OF = constants(1.0, 3.0, 2.0)
OWN = {"C1": 1e-4, "C2": 1.0, "C3": 1.0}


def test_without_constants_there_are_no_costs_and_where_none_fit_there_is_no_number() -> None:
    answer = hpgrid.transfer(GIVEN, 1e11)
    assert (answer.costs, answer.as_dict()["costs"], "costs:" in answer.text(details=True)) == (None, None, False)
    none_fit = hpgrid.transfer(GIVEN | {"T": 2.5e7}, 1e11, calibrate=True)
    assert [row.cost is None for row in none_fit.costs.rows] == [False, True, True, True]
    json.dumps(none_fit.as_dict(), allow_nan=False)


@pytest.mark.parametrize("regime", "ABCD")
def test_given_constants_cost_what_refinement_says(regime: str) -> None:
    """Each regret by refined optima of the regime, and of all three."""
    constants, limits = {"C1": 1e-4, "C2": 2.0, "C3": 0.05}, {"b": 2.0**20}
    answer = hpgrid.transfer(GIVEN, 1e11, regime=regime, constants=constants, max_b=2.0**20)
    row, costed = answer.rows[0], answer.costs.rows[0]
    bound = lmo(**constants)

    def least(tuned: tuple[str, ...]) -> float:
        fixed = {name: getattr(row.at, name) for name in ("b", "alpha") if name not in tuned}
        caps = {name: cap for name, cap in limits.items() if name in tuned}
        return float(hpgrid.refine(bound, tuned, T=1e11, fixed=fixed, caps=caps).risk)

    for regret, setting in ((costed.cost.rule, row.at), (costed.cost.unchanged, answer.start)):
        own = float(risk(setting, 1e11, constants))
        assert regret.retuned[0] == pytest.approx(own / least(row.tuned) - 1, abs=1e-12)
        assert regret.best[0] == pytest.approx(own / least(("eta", "b", "alpha")) - 1, abs=1e-12)


def test_the_problems_constants_are_the_brief_ones() -> None:
    brief = hpgrid.transfer(GIVEN, 1e11, constants={"C1": 2.0, "C2": 12.0, "C3": 20.0})
    problem = hpgrid.transfer(GIVEN, 1e11, constants={"Delta0": 2.0, "L": 5.0, "rho": 3.0, "sigma": 2.0})
    assert brief.as_dict()["costs"] == problem.as_dict()["costs"]
    scaled = hpgrid.transfer(GIVEN, 1e11, constants={"C1": 1.0, "C2": 6.0, "C3": 10.0}).costs
    for one, other in zip(brief.costs.rows, scaled.rows):
        np.testing.assert_allclose(one.cost.unchanged, other.cost.unchanged, rtol=1e-9)


def test_calibrated_every_row_starts_at_its_best_but_where_three_contradict_each_other() -> None:
    costs = hpgrid.transfer(GIVEN, 1e11, calibrate=True).costs
    at_start = {row.regime: float(row.cost.at_start.max()) for row in costs.rows}
    assert [at_start[regime] for regime in "ABC"] == [0.0, 0.0, 0.0]
    assert at_start["D"] == pytest.approx(0.0021083, rel=1e-4)
    assert [row.calibration.free for row in costs.rows] == [1, 0, 0, 0]
    assert costs.at_start_by == "B"
    given = hpgrid.transfer(GIVEN, 1e11, calibrate=True, to_b=1048576)
    assert all((row.cost.retuned["b"] == 1048576).all() for row in given.costs.rows), "a given b is not tuned again"


FAR = "with these constants the start is not the best of what was tuned, by up to"
SAID: list[tuple[dict[str, Any], list[str]]] = [
    ({}, [
        "the share of noise is free, shown for noise shares of 1% to 99% of the risk at the start",
        "no constants make eta and b and beta the best at once, these miss each condition by a factor of 1.01",
        "B: C1 = 0.0002232, C2 = 1, C3 = 0.02477", "b = 2.775e+05 (x 0.529), alpha = 0.02674 (x 0.535)",
        "LMO, beta tuned again b^(1/4): x 1.414 x 1.354 b: x 4 x 3.622", "SGD b^(1/2): x 2 - b: x 4 -",
        "with B's constants", "nothing: it is kept (Marek et al.)",
    ]),
    ({"max_b": 524288, "regime": "C"}, ["b on a bound, which leaves an inequality"]),
    ({"max_eta": 3e-4, "regime": "A"}, ["both ratios are free"]),
    ({"start": GIVEN | {"T": 2.5e7}}, ["up to 1 a smaller b is always better"]),
    ({"calibrate": False, "constants": {"C1": 1, "C2": 30, "C3": 4}}, [FAR]),
    ({"calibrate": False, "constants": {"C1": 1e-4}, "to": 1e5, "regime": "A"}, ["K < 1", FAR]),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "said"), SAID)
def test_the_text_says_what_is_free_what_contradicts_and_what_is_kept(asked: dict[str, Any], said: list[str]) -> None:
    text = " ".join(
        hpgrid.transfer(**{"start": GIVEN, "to": 1e11, "calibrate": True, **asked}).text(details=True).split()
    )
    assert [words for words in said if words not in text] == []
    assert (FAR in text) == (FAR in said)


#: 38.52% is 39%, and not 38.5% to 38%.
EXCESSES = {
    0.0: "0%", 1.31e-4: "0.013%", 0.0944: "9.4%", 0.0949: "9.5%", 0.0994: "9.9%", 0.0996: "10%", 0.3852: "39%",
    0.9961: "100%", 2.4: "240%", 13.82: "1380%", 98.99: "9900%", 264.26: "x 265", 26425.0: "x 26400", 1e10: "x 1e+10",
}  # fmt: skip


@given(st.floats(1e-6, 1e3))
def test_an_excess_has_two_or_three_digits_and_is_told_to_one_in_twenty(excess: float) -> None:
    assert {known: percent(known) for known in EXCESSES} == EXCESSES
    told = percent(excess)
    assert "e+" not in told
    back = float(told[2:]) - 1 if told.startswith("x") else float(told.rstrip("%")) / 100
    assert back == pytest.approx(excess, rel=0.0501)  # 10.5%


def test_what_is_left_as_it_was_keeps_within_limits() -> None:
    """A batch size above its cap is the cap, an eta above its own is that, and a batch size that is given is given."""
    limited: dict[str, Any] = {"max_b": 2**18, "max_eta": 1e-4, "regime": "C"}
    for limits, eta, b in ((limited, 1e-4, 2.0**18), ({"to_b": 2**22, "regime": "D"}, 3e-4, 2.0**22)):
        cost = hpgrid.transfer(GIVEN, 1e11, constants={"C1": 1e-4}, **limits).costs.rows[0].cost
        own, least = (
            float(risk(Setting(1e11, eta, b, 0.05), 1e11, OWN)),
            float(risk(Setting(1e11, **cost.retuned), 1e11, OWN)[0]),
        )
        assert cost.unchanged.retuned[0] == pytest.approx(own / least - 1, rel=1e-9)


def test_json_has_the_least_and_the_largest_over_what_is_free() -> None:
    costs = json.loads(json.dumps(hpgrid.transfer(GIVEN, 1e11, calibrate=True).as_dict(), allow_nan=False))["costs"]
    a, b = costs["rows"][:2]
    assert a["calibration"]["noise"] == pytest.approx([0.01, 0.99])
    assert a["cost"]["rule"]["best"][0] < a["cost"]["rule"]["best"][1]
    assert b["constants"]["C2"] == [1.0, 1.0]
    assert b["cost"]["rule"]["retuned"][0] == b["cost"]["rule"]["retuned"][1] == pytest.approx(1.0463e-4, rel=1e-3)
    assert costs["moves"][1]["at_K"] == "1/4"
    assert costs["at_start"]["tuned again"]["at_T"] == pytest.approx([3.622, 3.622], rel=1e-3)
    assert costs["half_lives"][0]["tokens"] == pytest.approx(524288 * math.log(2) / -math.log(0.95))


def of_rule(start: Setting, regime: str, T: float, limits: Limits = NO_LIMITS) -> Cost:
    row = moved(regime, start, T, limits)
    return cost(OF, start, row.at, tuned=row.tuned, held=row.held, limits=limits)


@pytest.mark.parametrize("regime", "ABCD")
def test_an_optimum_costs_nothing(regime: str) -> None:
    held = [name for name in HELD if name not in TUNED[regime]]
    at = best(OF, 1e12, regime)
    free = cost(OF, best(OF, 1e10, regime), at, tuned=TUNED[regime], held=held, limits=Limits())
    assert (free.rule.retuned, free.at_start) == (0.0, 0.0)
    assert free.rule.best == 0.0 if regime == "D" else free.rule.best > 0


@pytest.mark.parametrize("limits", [Limits(), Limits(b=2000.0), Limits(eta=1e-5), Limits(round_b="pow2", unit=512)])
@pytest.mark.parametrize("times", [0.01, 10.0, 1e4])
@pytest.mark.parametrize("regime", "ABCD")
def test_nothing_costs_less_than_the_best_of_all_three(regime: str, times: float, limits: Limits) -> None:
    found = of_rule(best(OF, 1e9, regime), regime, times * 1e9, limits)
    for regret in filter(None, (found.rule, found.unchanged)):
        assert 0 <= regret.retuned <= regret.best * (1 + 1e-12) + 1e-13


@pytest.mark.parametrize(("regime", "b", "T", "rate"), [
    ("B", 1.0, 1e16, 1 / 2), ("B", 3e3, 1e12, 1), ("C", 3e3, 1e8, 1), ("D", 3e3, 1e11, 2 / 3),
])  # fmt: skip
def test_a_rule_costs_nothing_in_the_limit(regime: str, b: float, T: float, rate: float) -> None:
    """What a rule leaves out is small by a power of T, and its square is the cost.

    Burn-in over floor, b/(alpha^(3/2) T), is T^(-1/4) in B, T^(-1/2) in C, T^(-1/3) in D; C3 eta over C3 eta/alpha,
    alpha, is T^(-1/2) in B and T^(-1/3) in D. In B the second is the larger one until T^(1/4) is b^(3/2).
    What comes next is small by the same again, or in B by the other: with it at e the cost is (1 + c e)^2 times a
    power, and over a decade the slope is off by at most 2 c e/ln 10, c at most 4.
    """
    start, later = best(OF, T, regime, b=b), best(OF, 10 * T, regime, b=b)
    costs = [float(of_rule(at, regime, 100 * at.T).rule.retuned[0]) for at in (start, later)]
    burn_in, drift = start.b / (start.alpha**1.5 * T), start.alpha if regime != "C" else 0.0
    other = min(burn_in, drift) / max(burn_in, drift) if regime == "B" else 0.0
    within = 4 * (burn_in + drift + other)
    assert costs[0] > 1e-11  # far above rounding
    assert np.log10(costs[1] / costs[0]) == pytest.approx(-rate, abs=within)
    assert within < 0.05


def test_leaving_all_as_it_was_costs_what_eta_is_off_by() -> None:
    """A hundred times the budget at ten times the best eta: (10 + 1/10)/2 times progress and drift, for 1 of each."""
    found = of_rule(best(OF, 1e9, "A"), "A", 1e11)
    at = Setting(1e11, **found.retuned)
    share = 2 * float(OF["C3"] * at.eta[0] * (1 + 1 / 0.02))
    noise = OF["C2"] * (np.sqrt(3000.0) / (0.02 * 1e11) + np.sqrt(0.02 / 3000.0))
    assert found.unchanged.retuned[0] == pytest.approx(share * (5.05 - 1) / (share + noise), rel=1e-9)


def test_limits_that_the_old_setting_did_not_keep_to_did_not_hold_there() -> None:
    start = best(OF, 1e10, "D")
    limits = Limits(b=start.b / 2, eta=start.eta / 2, unit=2 * int(start.b))
    for some in (limits._replace(unit=1), limits._replace(b=None)):
        found = cost(OF, start, start.with_values(T=1e11), tuned=TUNED["D"], held=(), limits=some)
        assert found.at_start == 0.0
        np.testing.assert_allclose([float(x[0]) for x in found.start.values()], [*start.values.values()], rtol=1e-12)
