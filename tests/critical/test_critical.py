"""``critical_batch``: what it finds, held against the bounds themselves, and when it says that there is nothing."""

from __future__ import annotations

import json
import math
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import assume, given, strategies as st

import hpgrid
from hpgrid import bounds
from hpgrid.bounds.cesista2025 import Parts
from hpgrid.bounds.constants import Constants
from hpgrid.checks import InputError
from hpgrid.critical import tokens
from hpgrid.critical.critical_batch import FOUND, OUT_OF_REACH, VACUOUS, CriticalBatch, Reach, lowest, trivial_bounds
from hpgrid.theory import batch_sizes as theory

#: A problem whose gradient is large at the start, so that the first form has something to say.
LARGE: dict[str, Any] = {"beta": 0.95, "eta": 1e-2, "sigma": 100.0, "Delta0": 100.0, "G0": 10.0}
DECAY: dict[str, Any] = {**LARGE, "eta": 1e-3, "lam": 0.1, "form": "revised", "eps": 30.0}

#: Every kind of bound, with a target that it reaches and that says something.
KINDS: dict[str, dict[str, Any]] = {
    "seed": {**LARGE, "eps": 4.0},
    "frobenius": {**LARGE, "eps": 9.0, "norm": "frobenius", "kappa1": 1.0, "kappa2": 2.0, "sigma_F": 50.0, "L_F": 2.0},
    "revised": {**LARGE, "eps": 3.0, "form": "revised"},
    "gap": DECAY,
    "loss": {**DECAY, "measure": "loss"},
}


class Case(NamedTuple):
    """A kind of bound: its target, eta and alpha, the proxy that the other routes have, and the answer."""

    kind: str
    eps: float
    at: dict[str, float]
    proxy: Any
    answer: CriticalBatch
    reach: Reach


@cache
def case_of(kind: str) -> Case:
    asked = KINDS[kind]
    build = {"gap": bounds.frank_wolfe, "loss": bounds.star_convex}.get(kind, bounds.steepest)
    other = {"beta", "eta", "eps", "measure", *(("form",) if kind in ("gap", "loss") else ())}
    proxy = build(**{name: value for name, value in asked.items() if name not in other})
    return Case(kind, asked["eps"], {"eta": asked["eta"], "alpha": 1 - asked["beta"]}, proxy, *answered(**asked))


def answered(**asked: Any) -> tuple[CriticalBatch, Reach]:
    """An answer, and what the bound gives for the target."""
    answer = hpgrid.critical_batch(**asked)
    assert answer.reach is not None
    return answer, answer.reach


@pytest.fixture(params=KINDS)
def case(request: pytest.FixtureRequest) -> Case:
    return case_of(request.param)


# --- what is found ---


def test_the_fewest_tokens_by_three_routes_and_beside_them_the_bound_is_above_the_target(case: Case) -> None:
    reach, (b, _, T) = case.reach, case.reach.fewest
    assert (case.answer.status, case.answer.b) == (FOUND, b)
    assert abs(math.log(b / reach.closed)) <= tokens.FLAT
    assert abs(math.log(reach.on_grid.b / reach.closed)) <= reach.step
    assert reach.on_grid.tokens >= T
    assert case.proxy.risk(b=b, T=T, **case.at) == pytest.approx(case.eps, rel=1e-12)
    assert min(case.proxy.risk(b=b * np.array([0.99, 1.01]), T=T, **case.at)) > case.eps


def test_what_is_within_a_share_of_the_fewest_tokens_has_that_share_at_its_ends_as_plain_data_too(case: Case) -> None:
    best = case.reach.fewest
    assert set(case.reach.near) == {0.01, 0.05, 0.2}
    for share, ends in case.reach.near.items():
        risk = case.proxy.risk(b=np.array(ends), T=(1 + share) * best.tokens, **case.at)
        np.testing.assert_allclose(risk, case.eps, rtol=1e-11)
        assert ends[0] < best.b < ends[1]
    plain = json.loads(json.dumps(case.answer.as_dict(), allow_nan=False))
    assert (plain["b"], plain["reach"]["near"]["0.05"]) == (best.b, list(case.reach.near[0.05]))
    assert plain["given"]["lam"] == KINDS[case.kind].get("lam", 0.0)
    assert "nan" not in case.answer.text(details=True)


def test_iterations_and_tokens_are_functions_of_b_with_none_enough_below_the_smallest(case: Case) -> None:
    below, above = case.proxy.form("K").risk(b=case.reach.smallest * np.array([1 - 1e-9, 1 + 1e-9]), K=1e18, **case.at)
    assert above < case.eps < below
    b = case.reach.smallest * np.array([0.9, 1.5, 40.0])
    K = case.answer.iterations(b)
    np.testing.assert_array_equal(case.answer.tokens(b), b * K)
    assert K[0] == np.inf
    np.testing.assert_allclose(case.proxy.form("K").risk(b=b[1:], K=K[1:], **case.at), case.eps, rtol=1e-12)


def test_iterations_fall_and_are_convex_and_tokens_have_one_minimum(case: Case) -> None:
    """And tokens are convex up to the inflection alone: beyond it, with a part in 1/b^(1/2), concave."""
    answer, shape = case.answer, case.reach.shape
    assert (shape.K_falls, shape.K_convex, shape.one_minimum) == (True, True, True)
    if case.kind == "loss":
        assert shape.convex_to > case.reach.fewest.b
        return
    pair = (answer.Y, answer.Z_noise) if answer.given.form == "seed" else (0.0, answer.Y)
    # A second difference spans two steps, and near the turn it is below its rounding for another few.
    turns = theory.inflection(*pair, answer.eps_prime)
    assert abs(math.log(shape.convex_to / turns)) <= 4 * shape.step


def test_without_a_part_in_one_over_the_root_tokens_are_convex_everywhere() -> None:
    printed = tokens.iterations_of_mean(Parts(50.0, 0.3, 0.0, 0.0), "seed", 0.2)
    shape = tokens.shape(printed, 1.5)
    assert (shape.K_falls, shape.K_convex, shape.one_minimum, shape.convex_to) == (True, True, True, np.inf)
    assert tokens.fewest(printed, 1.5).b == pytest.approx(2 * 0.3 / 0.2, rel=tokens.FLAT)


def test_the_formula_is_what_theorem_12_says_and_its_tokens_are_those_of_the_bound() -> None:
    case, beta = case_of("seed"), 0.95
    answer = case.answer
    at_limit, at_itself = case.reach.formulas
    assert at_limit.at.b == pytest.approx((3 * beta + 1) * (1 - beta) / (1 + beta) * 100.0**2 / answer.eps_prime)
    own_Z = answer.Z + answer.Z_noise / math.sqrt(at_itself.at.b)
    assert at_itself.at.b == pytest.approx(2 * answer.Y / (4.0 - own_Z))
    for formula in case.reach.formulas:
        assert formula.over_fewest == pytest.approx(formula.at.tokens / case.reach.fewest.tokens)
        assert case.proxy.risk(b=formula.at.b, T=formula.at.tokens, **case.at) == pytest.approx(4.0)
    # Where it never reaches the target its cost is infinite.
    answer, reach = answered(**LARGE, eps=2.0)
    assert answer.status == FOUND
    assert answer.eps_prime < 2 * answer.Z_noise**2 / answer.Y
    assert reach.formulas[0].over_fewest == np.inf
    assert reach.formulas[0].at.b < reach.smallest
    assert json.loads(json.dumps(answer.as_dict(), allow_nan=False))["reach"]["formulas"][0]["over_fewest"] is None


def test_the_revised_formula_is_exact() -> None:
    for name in ("revised", "gap"):
        answer, reach = case_of(name).answer, case_of(name).reach
        (formula,) = reach.formulas
        assert formula.at.b == pytest.approx(9 * answer.Y**2 / (4 * answer.eps_prime**2))
        assert formula.over_fewest == pytest.approx(1.0, abs=1e-12)
    assert case_of("loss").reach.formulas == ()


def test_a_minimum_below_one_sample_is_one_sample_and_says_so() -> None:
    answer, reach = answered(**{**LARGE, "sigma": 1.0}, eps=4.0)
    assert (answer.b, reach.on_bound, reach.closed < 1) == (1.0, True, True)
    assert all(low == 1.0 < high for low, high in reach.near.values())
    assert "on its bound b >= 1" in answer.text(details=True)
    assert not case_of("seed").reach.on_bound


def test_a_beta_stays_as_it_was_written_or_is_alpha_and_eps_prime_stands_for_eps() -> None:
    # 1.0 - 0.9 would be 0.09999999999999998.
    for beta, alpha in ((0.9, 0.1), (0.95, 0.05), (0.999, 0.001), (0.0, 1.0)):
        answer = hpgrid.critical_batch(**{**LARGE, "beta": beta}, eps=9.0)
        assert answer.given.alpha == answer.as_dict()["given"]["alpha"] == alpha
    first = case_of("seed").answer
    asked = {name: value for name, value in LARGE.items() if name != "beta"}
    other = hpgrid.critical_batch(**asked, alpha=1 - 0.95, eps_prime=first.eps_prime)
    assert other.eps == pytest.approx(4.0)
    assert other.b == pytest.approx(first.b, rel=tokens.FLAT)
    far = hpgrid.critical_batch(**{**asked, "eta": 1e-20}, alpha=1e-15, eps=9.0)
    assert pytest.approx(1e-15 * 100.0**2) == far.Y


# --- when there is nothing ---


def test_a_target_at_or_below_z_is_out_of_reach_and_no_number() -> None:
    answer = hpgrid.critical_batch(**LARGE, eps=0.5)
    plain = answer.as_dict()
    assert (answer.status, answer.b, answer.reach) == (OUT_OF_REACH, None, None)
    assert (plain["status"], plain["b"], plain["reach"]) == (OUT_OF_REACH, None, None)
    assert "eps = 0.5 is not above Z = 0.93459" in answer.why
    assert "Out of reach: eps = 0.5" in answer.text(details=True)
    assert "Theorem 12" not in answer.text(details=True)
    assert answer.iterations(8.0) == np.inf
    assert hpgrid.critical_batch(**LARGE, eps=answer.Z).status == OUT_OF_REACH
    # One that is vacuous, too, is said to be both.
    answer = hpgrid.critical_batch(**LARGE, lam=0.5, eps=5.0)
    assert (answer.status, answer.reach) == (VACUOUS, None)
    assert "not below 2 L/lam = 4" in answer.why
    assert "does not reach it: eps is not above Z = " in answer.why
    assert hpgrid.critical_batch(**LARGE, eps=9.0).eps == 9.0


@pytest.mark.parametrize(("asked", "text"), [
    ({**LARGE, "eps": 10.0}, "G0 = 10"),
    ({**LARGE, "G0": 14.1, "Delta0": 99.0, "eps": 14.09}, "(2 L Delta0)^(1/2) = 14.0712"),
    ({**LARGE, "eps": 3.0, "form": "revised", "G0": 2.0}, "G0 = 2"),
    ({**LARGE, "eps": 30.0, "lam": 0.1}, "G0 = 10"),
    ({**LARGE, "eps": 9.0, "lam": 0.4}, "2 L/lam = 5"),
    ({**LARGE, "eps": 6.0, "lam": 0.4, "norm": "frobenius", "kappa2": 2.0}, "2 L/lam/kappa1 = 5"),
    ({**DECAY, "eps": 200.0}, "2 G0/lam = 200"),
    ({**DECAY, "eps": 30.0, "lam": 0.4}, "4 L/lam^2 = 25"),
    ({**DECAY, "eps": 100.0, "measure": "loss"}, "Delta0 = 100"),
    ({**DECAY, "eps": 30.0, "lam": 0.3, "measure": "loss"}, "2 L/lam^2 = 22.2222"),
    ({**DECAY, "eps": 30.0, "lam": 0.1, "G0": 1.0, "measure": "loss"}, "2 G0/lam = 20"),
])  # fmt: skip
def test_a_target_that_holds_without_training_is_vacuous(asked: dict[str, Any], text: str) -> None:
    answer = hpgrid.critical_batch(**asked)
    assert (answer.status, answer.b) == (VACUOUS, None)
    assert text in answer.why
    assert answer.as_dict()["b"] is None


def test_a_vacuous_answer_still_says_apart_what_the_bound_would_give() -> None:
    answer, _ = answered(beta=0.95, eta=1e-3, eps=2.0)
    assert answer.status == VACUOUS
    head, table = answer.text(details=True).split("what the bound and the formula would give:")
    assert "Vacuous: eps = 2 is not below G0 = 1, which the mean gradient norm does not exceed at the start" in head
    assert "critical batch size" not in answer.text(details=True)
    assert all(words in table for words in ("Theorem 12", "(vacuous)"))
    nothing = hpgrid.critical_batch(**{**DECAY, "eps": 200.0, "measure": "loss"})
    assert (nothing.status, nothing.reach) == (VACUOUS, None)


def test_every_level_is_attained_by_a_parabola_at_the_end_of_the_ball() -> None:
    """f = L (w + 1/lam)^2/2 at w = 1/lam: none of the levels could be lower."""
    L, lam = 0.7, 0.3
    w, V = 1 / lam, np.linspace(-1 / lam, 1 / lam, 101)
    gradient, loss = L * (w + 1 / lam), L * (w + 1 / lam) ** 2 / 2
    problem = Constants(L=L, lam=lam, G0=gradient, Delta0=loss)
    attained = {"gradient": gradient, "gap": float((gradient * (w - V)).max()), "loss": loss}
    for measure, value in attained.items():
        for level in trivial_bounds(measure, "dual", problem):
            twice = (measure, level.text) == ("loss", "2 G0/lam")
            assert level.value == pytest.approx(2 * value if twice else value), level.text


def test_constants_of_no_problem_are_named() -> None:
    answer = hpgrid.critical_batch(beta=0.95, eta=1e-3, eps=0.7, G0=3.0)
    assert answer.contradictions == ("G0 = 3 is above (2 L Delta0)^(1/2) = 1.414",)
    assert "No such problem: G0 = 3 is above" in answer.text(details=True)
    decayed = hpgrid.critical_batch(beta=0.95, eta=1e-3, eps=0.7, lam=3.0)
    assert decayed.contradictions == ("G0 = 1 is above 2 L/lam = 0.6667", "Delta0 = 1 is above 2 L/lam^2 = 0.2222")
    assert case_of("seed").answer.contradictions == ()


UNIT = st.floats(0.0, 1.0)


@given(UNIT, UNIT, UNIT, st.floats(-2.0, 2.0), st.floats(-2.0, 2.0), st.sampled_from(sorted(KINDS)))
def test_what_is_found_takes_an_iteration_or_more(a: float, e: float, g: float, l_: float, d: float, kind: str) -> None:
    """X + Z >= (2 L Delta0)^(1/2) by the means of its terms: a target that one iteration reaches is vacuous."""
    L, Delta0 = 10.0**l_, 10.0**d
    asked = {**KINDS[kind], "L": L, "Delta0": Delta0, "G0": (0.01 + 0.99 * g) * math.sqrt(2 * L * Delta0)}
    asked |= {"beta": 0.999 * a, "sigma": 1.0, "eta": 10.0 ** (-4 * e) / max(asked.get("lam", 0.0), 1.0)}
    asked.pop("L_F", None)
    problem = Constants(**{name: asked[name] for name in ("L", "Delta0", "G0", "lam", "kappa1") if name in asked})
    measure = kind if kind in ("gap", "loss") else "gradient"
    bound = lowest(trivial_bounds(measure, asked.get("norm", "dual"), problem))
    answer = hpgrid.critical_batch(**{**asked, "eps": bound.value * (1 - 1e-9)})
    assume(answer.status == FOUND)
    assert answer.reach is not None
    assert answer.reach.fewest.K >= 1


@given(UNIT, st.floats(-3.0, 2.0), st.floats(-3.0, 3.0), st.floats(-3.0, 3.0), UNIT)
def test_with_weight_decay_the_first_form_finds_nothing(a: float, lam: float, L: float, D: float, e: float) -> None:
    """Z >= 2^(3/2) L/lam: every target above it is vacuous, every other out of reach."""
    own = {"lam": 10.0**lam, "L": 10.0**L, "D": 10.0**D, "beta": 0.999 * a, "eta": 1e-9, "G0": 1e9, "Delta0": 1e30}
    for eps in (2 * 10.0 ** (L - lam) * (0.01 + e), 10.0 ** (L - lam + 3 * e)):
        assert hpgrid.critical_batch(**own, eps=eps).status in (OUT_OF_REACH, VACUOUS)


#: With which a part of the bound, such as Delta0/eta or sigma^2, is beyond 1e308.
TOO_LARGE = {
    ("eta", 5e-324),
    ("D", 5e-324),
    *((name, x) for name in ("eta", "sigma", "L", "G0") for x in (1e160, 1e300)),
}


@pytest.mark.parametrize("value", [5e-324, 1e-300, 1e-160, 1e160, 1e300])
@pytest.mark.parametrize("name", ["eps", "eps_prime", "eta", "sigma", "L", "D", "Delta0", "G0", "rho"])
def test_extreme_numbers_have_an_answer_or_are_refused_in_words(name: str, value: float) -> None:
    """A target below Z > 0 is out of reach, one above G0 = 1 says nothing; what overflows is refused."""
    asked: dict[str, Any] = {"beta": 0.9, "eta": 1e-3, "eps": 0.7, name: value}
    if name == "eps_prime":
        del asked["eps"]
    if (name, value) in TOO_LARGE:
        with pytest.raises(InputError, match="less extreme constants"):
            hpgrid.critical_batch(**asked)
        return
    answer = hpgrid.critical_batch(**asked)
    json.dumps(answer.as_dict(), allow_nan=False)
    assert "eps = " in answer.text(details=True)
    if name in ("eps", "eps_prime"):
        assert answer.status == (VACUOUS if value > 1 else OUT_OF_REACH)


def test_numbers_that_no_float_holds_are_no_answer() -> None:
    answer = hpgrid.critical_batch(beta=0.95, eta=1e-3, G0=1.2, eps_prime=1e-140)
    assert (answer.status, answer.reach) == (OUT_OF_REACH, None)
    assert "no number is as large as the tokens" in answer.why
    with pytest.raises(ValueError, match="the bound's parts X, Y, Z must be numbers"):
        hpgrid.critical_batch(alpha=1e-300, eta=1e-3, eps=1.0)


# --- the LMO bound beside it ---


def test_the_lmo_bound_is_the_target_at_its_fewest_tokens_and_above_beside_it() -> None:
    answer = hpgrid.critical_batch(**KINDS["seed"], rho=2.0)
    proxy = bounds.lmo_exact(Delta0=100.0, sigma=100.0, rho=2.0)
    tuned, fixed = (found for found in (answer.lmo_tuned, answer.lmo_fixed) if found and found.fewest)
    for found in (tuned, fixed):
        b, _, T = found.fewest
        assert abs(math.log(b / found.closed)) <= tokens.FLAT
        at = {"alpha": 1 - 0.95, "T": T, "eta": found.eta}
        assert proxy.risk(b=b, **at) == pytest.approx(4.0, rel=1e-12)
        assert min(proxy.risk(b=b * np.array([0.99, 1.01]), **at)) > 4.0
    assert tuned.fewest.b == pytest.approx(4 * tuned.smallest, rel=1e-6)
    assert tuned.fewest.tokens < fixed.fewest.tokens
    assert fixed.eta == 1e-2


def test_the_lmo_bound_is_out_of_reach_at_a_large_eta_and_about_the_gradient_in_the_dual_norm_alone() -> None:
    answer = hpgrid.critical_batch(**{**LARGE, "eta": 0.1}, eps=4.0)
    assert [found.fewest is None for found in (answer.lmo_tuned, answer.lmo_fixed)] == [False, True]
    assert "out of reach" in answer.text(details=True).lower()
    for kind in ("frobenius", "gap", "loss"):
        answer = case_of(kind).answer
        assert answer.lmo_tuned is answer.lmo_fixed is None
        assert "LMO" not in answer.text(details=True)


# --- mistakes ---

MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({"beta": 1.0}, "0 <= beta < 1. Given: 1.0"), ({"beta": -0.1}, "0 <= beta < 1"),
    ({"beta": None}, "the momentum is one of beta and alpha = 1 - beta. Given: 'neither'"),
    ({"alpha": 0.1}, "the momentum is one of beta and alpha"), ({"beta": None, "alpha": 0.0}, "0 < alpha <= 1"),
    ({"eta": 0.0}, "eta > 0"), ({"lam": -1.0}, "lam >= 0. Given: -1.0"),
    ({"lam": 2.0, "eta": 1.0}, "lam eta <= 1. Given: 2.0. Write eta=0.5 or less"),
    ({"sigma": 0.0}, "constant sigma must be a positive finite number"),
    ({"L_F": -1.0}, "constant L_F"), ({"kappa1": 2.0}, "kappa1 <= kappa2"),
    ({"eps": None}, "the target is one of eps and eps' = eps - Z. Given: 'neither'"),
    ({"eps_prime": 1.0}, "the target is one of eps and eps'"), ({"eps": None, "eps_prime": 0.0}, "eps_prime > 0"),
    ({"eps": -1.0}, "eps > 0"), ({"eps": math.nan}, "eps > 0"),
    ({"form": "revisd"}, "no form of that name. Given: 'revisd'. Write 'revised'"),
    ({"norm": "nuclear"}, "no norm of that name"), ({"measure": "risk"}, "no measure of that name"),
    ({"form": "revised", "norm": "frobenius"}, "the revised forms are stated in the dual norm"),
    ({"measure": "gap"}, "the gap is bounded in the revised form with weight decay"),
    ({"measure": "loss", "form": "revised"}, "the loss is bounded in the revised form with weight decay"),
    ({"measure": "gradient", "form": "revised", "lam": 0.1}, "the revised gradient norm has no weight decay"),
]  # fmt: skip


@pytest.mark.parametrize(("wrong", "message"), MISTAKES)
def test_mistakes_are_named(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=r"\. Given: .*\. Write ") as error:
        hpgrid.critical_batch(**{"beta": 0.95, "eta": 1e-3, "eps": 0.9, **wrong})
    assert message in str(error.value)
