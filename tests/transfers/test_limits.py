"""What is feasible: each limit where it bites, and what is tuned again there."""

from __future__ import annotations

from typing import Any

import pytest
from eq4 import ROUNDING, START, at_b
from hypothesis import given, strategies as st

import hpgrid
from hpgrid.transfers.rules import feasible, moved
from hpgrid.transfers.start import TUNED, Limits, Setting

T1 = 1e12
SEQUENCE = 4096
NEAREST = [
    (1423136.6, Limits(), 1423136.6), (1423136.6, Limits(round_b="int"), 1423137),
    (1423136.6, Limits(round_b="pow2"), 2**20), (1523136.6, Limits(round_b="pow2"), 2**21),  # above 2^20.5
    (1523136.6, Limits(b=2e6, round_b="pow2"), 2**20), (2.0**21, Limits(b=2.0**21, round_b="pow2"), 2**21),
    (1523136.6, Limits(b=1.2e6), 1.2e6), (1523136.6, Limits(b=1.2e6, round_b=1000000), 1000000),
    (1523136.6, Limits(round_b=1000), 1523000), (3.0, Limits(round_b=1000), 1000),
    (9.4, Limits(b=9.7, round_b="int"), 9), (9.6, Limits(b=9.7, round_b="int"), 9),
    (0.2, Limits(), 1), (0.2, Limits(round_b="pow2"), 1), (100.0, Limits(unit=SEQUENCE), SEQUENCE),
    (9.0 * SEQUENCE, Limits(unit=SEQUENCE, round_b="pow2"), 8 * SEQUENCE),
    (9.4 * SEQUENCE, Limits(unit=SEQUENCE, round_b="int"), 9 * SEQUENCE),
    (300.0 * SEQUENCE, Limits(unit=SEQUENCE, round_b=256), 256 * SEQUENCE),
]  # fmt: skip


@pytest.mark.parametrize(("b", "limits", "expected"), NEAREST)
def test_the_nearest_batch_size_that_can_be_run(b: float, limits: Limits, expected: float) -> None:
    found, remarks = feasible(b, limits)
    assert found == expected
    assert bool(remarks) == (found != b), "what is changed is said"


@given(
    b=st.floats(1e-3, 1e15),
    cap=st.none() | st.floats(1e6, 1e15),
    round_b=st.sampled_from([None, "pow2", "int", 1, 7, 128]),
    unit=st.sampled_from([1, 512, 4096]),
)
def test_a_feasible_batch_size_keeps_its_limits_and_stays(b: float, cap: float | None, round_b: Any, unit: int) -> None:
    limits = Limits(cap, None, round_b, unit)
    found, _ = feasible(b, limits)
    assert unit <= found <= (cap or found)
    assert round_b is None or found / unit % (1 if isinstance(round_b, str) else round_b) == 0
    assert feasible(found, limits) == (found, ())


@pytest.mark.parametrize(("regime", "start", "T", "limits", "to_b", "told"), [
    ("C", START, T1, Limits(b=1e6), 1e6, ["it stays at its cap 1000000", "stays (Corollary 1)"]),
    ("D", START, T1, Limits(b=1e6), 1e6, ["it stays at its cap 1000000", "same leading risk (Theorem 2)"]),
    ("D", START, T1, Limits(round_b="pow2"), 2.0**20, ["b is rounded from 1.423e+06 to 1048576", "(Theorem 2)"]),
    ("A", START, T1, Limits(round_b=1000000), 1e6, ["b is rounded from 524288 to 1000000", "(Corollary 1)"]),
    ("C", START.with_values(T=1e12, b=8 * 4096.0), 1e9, Limits(unit=4096), 4096.0,
     ["b would be 0.253 sequences, less than one: it stays at 1", "fewer iterations"]),
])  # fmt: skip
def test_a_batch_size_that_a_limit_makes_is_one_that_is_given_and_the_rest_is_tuned_again(
    regime: str, start: Setting, T: float, limits: Limits, to_b: float, told: list[str]
) -> None:
    """Where alpha is held a lower b leaves the noise floor, and a higher one costs iterations; tuned, it is free."""
    row = moved(regime, start, T, limits)
    assert row.at == moved(regime, start, T, given=at_b(to_b)).at
    assert row.at.eta != moved(regime, start, T).at.eta
    for remark, words in zip(row.remarks, told, strict=True):
        assert words in remark


def test_a_cap_on_eta_that_moves_no_rounded_batch_size_says_nothing_of_b() -> None:
    rounded = moved("C", START, T1, Limits(round_b="pow2")).at
    row = moved("C", START, T1, Limits(eta=0.999 * rounded.eta, round_b="pow2"))
    assert row.at.b == rounded.b
    assert not any("b falls" in remark for remark in row.remarks)


def test_a_batch_size_that_is_given_follows_no_law_that_may_begin_too_early() -> None:
    on_bound = START.with_values(b=1.0)
    given, own = moved("C", on_bound, T1, given=at_b(1000.0)), moved("C", on_bound, T1)
    early = "b on a bound at T_0"
    assert any(early in remark for remark in own.remarks)
    assert not any(early in remark for remark in given.remarks)


def test_alpha_stays_at_one() -> None:
    row, at_one = (moved("D", START, T1, given=at_b(b)) for b in (2.0**29, 2.0**29 / 2.56))
    # alpha would be 2.56: Table 3's eta at a 2.56th of the batch size, and from there as its root
    assert row.at.alpha == 1 == pytest.approx(at_one.at.alpha, rel=ROUNDING)
    assert row.at.eta == pytest.approx(at_one.at.eta * 2.56**0.5, rel=ROUNDING)
    (told,) = (remark for remark in row.remarks if "stays at 1" in remark)
    assert told.startswith("alpha would be 2.56: it stays at 1 (beta = 0), and from where it reaches 1 eta ~ (b/T)^")
    assert told.endswith("with eq. (4)'s 1 + 1/alpha eta would be 0.725 times that")  # ((1 + 0.05)/2)^(1/2)
    assert not any("same leading risk" in remark for remark in row.remarks)


@pytest.mark.parametrize(("regime", "crossing"), [("B", START.T * 0.05**2), ("D", START.T * 0.05**3)])
def test_nothing_jumps_where_alpha_reaches_one(regime: str, crossing: float) -> None:
    before, after = (moved(regime, START, crossing * (1 + step)).at for step in (1e-9, -1e-9))
    assert before.alpha < 1 == after.alpha
    assert (after.eta, after.b) == pytest.approx((before.eta, before.b), rel=2e-9)


def test_regime_d_is_regime_cs_from_where_alpha_reaches_one() -> None:
    there, at_one = moved("D", START, START.T * 0.05**3).at, START.with_values(alpha=1.0)
    shorter = [(START, there, there.T / 3, "3.125e+05"), (START, there, there.T / 100, "3.125e+05")]
    for start, crossing, T, where in (*shorter, (at_one, at_one, 1e6, "2.5e+09")):
        row = moved("D", start, T)
        assert row.own
        assert row.at.values == pytest.approx(moved("C", crossing, T).at.values, rel=ROUNDING)
        assert any(f"alpha reaches 1 (beta = 0) at T = {where}" in remark for remark in row.remarks)


@pytest.mark.parametrize(("regime", "start", "limits", "longer", "shorter"), [
    ("D", START.with_values(alpha=1.0), Limits(), ["beta"], []),
    ("C", START.with_values(b=1.0), Limits(), ["b"], []),
    ("D", START.with_values(b=4096.0), Limits(unit=4096), ["b"], []),
    ("C", START, Limits(b=START.b), [], ["b"]),
    ("A", START, Limits(eta=START.eta), ["eta"], []),
    ("D", START.with_values(alpha=1.0), Limits(eta=START.eta), ["eta and beta"], ["beta"]),
    ("C", START.with_values(alpha=1.0), Limits(), [], []),
])  # fmt: skip
def test_what_leaves_its_bound_may_do_so_too_early(
    regime: str, start: Setting, limits: Limits, longer: list[str], shorter: list[str]
) -> None:
    for T, names in ((T1, longer), (1e9, shorter)):
        told = [remark for remark in moved(regime, start, T, limits).remarks if "on a bound at T_0" in remark]
        assert [remark.split(" on a bound")[0] for remark in told] == names


def test_alpha_of_exactly_one_is_not_remarked_and_less_than_one_iteration_is() -> None:
    row = moved("B", Setting(1e4, 0.1, 100.0, 0.5), 1e4, given=at_b(200.0))
    assert (row.at.alpha, row.remarks) == (1, ())
    assert "K = T/b = 0.1907: less than one iteration" in moved("A", START, 1e5).remarks


@pytest.mark.parametrize(("regime", "cap", "b", "alpha", "told"), [
    ("A", 1e-5, 0, 0, ["Corollary 1", "eta would be 1.5e-05: it stays at its cap 1e-05"]),
    ("SGD", 1e-5, 0, 0, ["eta <= 1/L", "eta would be 1.5e-05: it stays at its cap 1e-05"]),
    ("B", 1e-6, 0, 2 / 3, ["alpha is tuned again there: alpha ~ (eta^2 b)^(1/3)"]),
    ("C", 1e-5, 2 / 3, 0, ["b falls from 10485760 with it, b ~ (eta T)^(2/3)", "regime C's own", "at its cap"]),
    ("D", 1e-6, 1, 1, ["eta would be 9.104e-06 and its cap is 1e-06: b falls", "Theorem 2"]),  # the flat direction
])  # fmt: skip
def test_a_capped_eta_tunes_the_rest_again(regime: str, cap: float, b: float, alpha: float, told: list[str]) -> None:
    """By powers of what eta falls by."""
    row, free = moved(regime, START, T1, Limits(eta=cap)), moved(regime, START, T1).at
    share = cap / free.eta
    assert (row.at.eta, row.at.b) == pytest.approx((cap, free.b * share**b), rel=1e-12)
    assert regime == "SGD" or row.at.alpha == pytest.approx(free.alpha * share**alpha, rel=1e-12)
    assert row.at.eta <= cap
    for remark, words in zip(row.remarks, told, strict=True):
        assert words in remark


@pytest.mark.parametrize(("regime", "limits", "to_b", "told"), [
    ("A", {"caps": {"alpha": 0.02}}, None, ["b held, alpha at its cap", "it stays at its cap 0.02, and eta is tuned"]),
    ("C", {"floors": {"alpha": 0.1}}, None,
     ["smallest value is 0.1: b rises from 10485760 with it, b ~ alpha (1 + alpha)^(-1/2)",
      "alpha at its smallest value", "eta ~ T^(-1/2) alpha^(1/2) (1 + alpha)^(-1/2) b^(1/2)"]),
    ("D", {"floors": {"alpha": 0.04}}, None,
     ["its smallest value is 0.04: b rises from 1.423e+06 with it, and eta, the leading risk as it is", "(Theorem 2)"]),
    ("D", {"floors": {"alpha": 0.04}}, 2.0**20,
     ["own (1.423e+06 tokens): eta is tuned again at it, alpha at its smallest value", "it stays at its smallest"]),
    ("D", {"caps": {"alpha": 0.002}}, 2.0**22,
     ["own (1.423e+06 tokens): eta is tuned again at it, alpha at its cap", "it stays at its cap 0.002"]),
    ("D", {"floors": {"eta": 1e-4}}, None, ["its smallest value is 0.0001: b rises", "(Theorem 2)"]),
    ("C", {"floors": {"eta": 1e-4}}, None, ["b rises", "tokens): eta at its smallest value", "at its smallest value"]),
    ("B", {"floors": {"eta": 1e-4}}, None, ["smallest value 0.0001, and alpha is tuned again there"]),
])  # fmt: skip
def test_who_sits_at_an_end_is_not_said_to_be_tuned_again(
    regime: str, limits: dict[str, Any], to_b: float | None, told: list[str]
) -> None:
    row = moved(regime, START, T1, Limits(**limits), at_b(to_b))
    for remark, words in zip(row.remarks, told, strict=True):
        assert words in remark


@pytest.mark.parametrize("regime", ["A", "C"])
@pytest.mark.parametrize("limits", [Limits(caps={"alpha": 0.02}), Limits(floors={"alpha": 0.4})])
def test_a_fixed_momentum_that_a_limit_forbids_is_at_the_limit_and_the_rest_at_the_best_there(
    regime: str, limits: Limits
) -> None:
    """The laws leave out C2 b^(1/2)/(alpha T), which is T^(-1/2) of the rest: 1e-15 here, below what is refined."""
    tuned, bound = TUNED[regime], hpgrid.bounds.lmo(C1=2.0, C2=30.0, C3=0.7)
    to = limits.caps.get("alpha", limits.floors.get("alpha"))
    held = {} if "b" in tuned else {"b": START.b}
    first, second = (
        hpgrid.refine(bound, tuned, T=[T], fixed={"alpha": alpha, **held}) for T, alpha in ((1e30, 0.05), (1e34, to))
    )
    start = START.with_values(1e30, **{v: float(first.at[v][0]) for v in tuned})
    at = moved(regime, start, 1e34, limits).at
    assert at.alpha == to
    assert [at[v] for v in tuned] == pytest.approx([float(second.at[v][0]) for v in tuned], rel=1e-8)


def test_a_cap_on_eta_beside_a_limit_on_b() -> None:
    # A rounding that takes eta over its cap leaves it there: b falls to 1.003e6 with eta, and 2^20 is nearest.
    row = moved("D", START, T1, Limits(eta=6.4e-6, round_b="pow2"))
    assert (row.at.eta, row.at.b) == (6.4e-6, 2.0**20)
    assert row.at.alpha < moved("D", START, T1, given=at_b(2.0**20)).at.alpha
    # A cap on b counts where it is below what eta asks for, in regime C b = 2.9e6.
    row = moved("C", START, T1, Limits(eta=1e-5, b=1e6))
    assert (row.at.eta, row.at.b) == (1e-5, 1e6)
    assert moved("C", START, T1, Limits(eta=1e-5, b=4e6)).at == moved("C", START, T1, Limits(eta=1e-5)).at
    # And the cap on eta counts for nothing where b's keeps eta lower.
    free, own = moved("D", START, T1, Limits(b=1e5)), moved("D", START, T1).at
    assert moved("D", START, T1, Limits(b=1e5, eta=own.eta / 2)) == free
