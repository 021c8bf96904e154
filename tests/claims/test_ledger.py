"""The ledger's machinery: how a reading is judged, a row, a choice of claims, and a run."""

from __future__ import annotations

import math
from fractions import Fraction
from types import SimpleNamespace

import pytest

from hpgrid.claims.ledger import Claim, Finding, claim, gather, run, select
from hpgrid.readings import FAILS, HOLDS, UNIDENTIFIABLE, VACUOUS, Reading, of_exponent, tells


def reading(measured, predicted, tolerance=0.0, relation="=", **more) -> Reading:
    return Reading("what", "refined", measured, predicted, tolerance, relation, **more)


# --- one reading ---


@pytest.mark.parametrize(
    ("made", "verdict"),
    [
        (reading(0.2599, 0.25, 0.01), HOLDS),
        (reading(0.2601, 0.25, 0.01), FAILS),
        (reading(0.2399, 0.25, 0.01), FAILS),
        (reading(Fraction(1, 6), Fraction(1, 6)), HOLDS),
        (reading(Fraction(1, 6), Fraction(10**9 + 1, 6 * 10**9)), FAILS),
        (reading(0.5, 1.0, 0.0, "<="), HOLDS),
        (reading(1.2, 1.0, 0.1, "<="), FAILS),
        (reading(1.05, 1.0, 0.1, "<="), HOLDS),
        (reading(1.2, 1.0, 0.0, ">="), HOLDS),
        (reading(0.5, 1.0, 0.1, ">="), FAILS),
        (reading(True, True), HOLDS),
        (reading(False, True), FAILS),
    ],
)
def test_a_reading_holds_within_its_tolerance_and_fails_beyond(made: Reading, verdict: str) -> None:
    assert made.verdict == verdict


@pytest.mark.parametrize(
    "made",
    [
        reading(math.nan, 1.0, 0.1),
        reading(1.0, math.nan, 0.1),
        reading(1.0, 1.0, math.nan),
        reading(1.0, 1.0, math.inf),
        reading(math.inf, 1.0, 0.1),
        reading(1.0, 1.0, 0.1, identifiable=False),
        reading(2.0, 1.0, 0.1, identifiable=False),
        reading(math.nan, 1.0, 0.1, "<="),
    ],
)
def test_what_is_missing_or_infinitely_uncertain_tells_nothing(made: Reading) -> None:
    assert made.verdict == UNIDENTIFIABLE


def test_a_true_bound_that_says_nothing_is_vacuous_and_a_false_one_fails() -> None:
    assert reading(0.9, 0.5, 0.0, ">=", empty=True).verdict == VACUOUS
    assert reading(0.4, 0.5, 0.0, ">=", empty=True).verdict == FAILS


@pytest.mark.parametrize(
    ("measured", "tolerance", "predicted", "verdict"),
    [
        (0.5, 0.24, Fraction(1, 2), HOLDS),
        (0.5, 0.25, Fraction(1, 2), UNIDENTIFIABLE),  # half of the law: one half as steep would pass
        (1.5, 0.9, Fraction(1, 2), FAILS),  # a gap beyond the tolerance says no, however wide that is
        (0.0, 0.12, 0.0, HOLDS),
        (0.0, 0.125, 0.0, UNIDENTIFIABLE),  # a flat law is to be told from a quarter
        (-0.25, 0.25, 0.0, UNIDENTIFIABLE),
        (0.1, 0.12, Fraction(-1, 12), FAILS),
        (math.nan, math.nan, Fraction(1, 2), UNIDENTIFIABLE),
    ],
)
def test_an_exponent_holds_only_where_its_tolerance_tells_its_law(
    measured: float, tolerance: float, predicted, verdict: str
) -> None:
    assert of_exponent("what", "grid", measured, predicted, tolerance).verdict == verdict
    assert tells(tolerance, predicted) == (tolerance < max(abs(predicted), 0.25) / 2)


# --- a row ---


def test_the_verdict_of_a_row_is_the_worst_of_its_readings() -> None:
    holds, fails = reading(1.0, 1.0), reading(2.0, 1.0)
    unclear, empty = reading(1.0, 1.0, math.inf), reading(1.0, 0.5, 0.0, ">=", empty=True)
    assert Finding((holds, holds)).verdict == HOLDS
    assert Finding((holds, empty)).verdict == VACUOUS
    assert Finding((empty, unclear, holds)).verdict == UNIDENTIFIABLE
    assert Finding((holds, fails, unclear)).verdict == FAILS


@claim("S.eq1.a", "eq. (1)", "one is one")
def one() -> Finding:
    return Finding((reading(1.0, 1.0),))


@claim("S.eq1.b", "eq. (1)", "one is two")
def two() -> Finding:
    return Finding((reading(1.0, 2.0),), "it is not")


@claim("S.eq11", "eq. (11)", "another")
def other() -> Finding:
    return Finding((reading(1.0, 1.0),))


LEDGER = (one, two, other)


def test_a_decorated_function_is_a_claim_with_its_id_and_its_words() -> None:
    assert isinstance(one, Claim)
    assert (one.id, one.number, one.statement, one.source) == ("S.eq1.a", "eq. (1)", "one is one", "shulgin2026")
    assert one.measure().verdict == HOLDS


def test_gathering_keeps_the_order_in_which_claims_stand() -> None:
    first, second = SimpleNamespace(b=two, x=3, a=one), SimpleNamespace(c=other)
    assert gather(first, second) == (two, one, other)


# --- choosing ---


def test_no_id_is_all_of_them() -> None:
    assert select(LEDGER) == LEDGER
    assert select(LEDGER, source="shulgin2026") == LEDGER


def test_an_id_is_itself_and_a_family_is_what_stands_under_it() -> None:
    assert select(LEDGER, ["S.eq1.b"]) == (two,)
    assert select(LEDGER, ["S.eq1"]) == (one, two)  # not S.eq11
    assert select(LEDGER, ["S.eq11", "S.eq1.a", "S.eq1.a"]) == (one, other)


def test_an_unknown_id_or_source_names_the_nearest() -> None:
    with pytest.raises(ValueError, match=r"no claim of that id. Given: 'S.eq1.bb'. Write S\.eq1\.b"):
        select(LEDGER, ["S.eq1.bb"])
    with pytest.raises(ValueError, match=r"no source of that name.*'shulgin2026'"):
        select(LEDGER, source="shulgin")


# --- running ---


def test_a_run_gives_a_row_for_each_claim_in_order_and_says_when_each_is_done() -> None:
    steps: list[int] = []
    rows = run(LEDGER, lambda: steps.append(len(steps)))
    assert [row.claim for row in rows] == list(LEDGER)
    assert [row.finding.verdict for row in rows] == [HOLDS, FAILS, HOLDS]
    assert steps == [0, 1, 2]
    assert all(row.seconds >= 0 for row in rows)
