"""The ledger: how a reading is judged, a row, a choice of claims, a run; and how it is read as text, Markdown, JSON."""

from __future__ import annotations

import json
import math
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import pytest

from hpgrid.claims.ledger import (
    Claim,
    Finding,
    Measured,
    Row,
    answer,
    as_dict,
    claim,
    claims,
    gather,
    markdown,
    run,
    select,
    shown,
    summary,
)
from hpgrid.readings import FAILS, HOLDS, UNIDENTIFIABLE, VACUOUS, Reading, of_exponent, tells
from hpgrid.record import write_json


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
        # What is missing or infinitely uncertain tells nothing.
        (reading(math.nan, 1.0, 0.1), UNIDENTIFIABLE),
        (reading(1.0, math.nan, 0.1), UNIDENTIFIABLE),
        (reading(1.0, 1.0, math.nan), UNIDENTIFIABLE),
        (reading(1.0, 1.0, math.inf), UNIDENTIFIABLE),
        (reading(math.inf, 1.0, 0.1), UNIDENTIFIABLE),
        (reading(1.0, 1.0, 0.1, identifiable=False), UNIDENTIFIABLE),
        (reading(2.0, 1.0, 0.1, identifiable=False), UNIDENTIFIABLE),
        (reading(math.nan, 1.0, 0.1, "<="), UNIDENTIFIABLE),
        # A true bound that says nothing is vacuous, a false one fails.
        (reading(0.9, 0.5, 0.0, ">=", empty=True), VACUOUS),
        (reading(0.4, 0.5, 0.0, ">=", empty=True), FAILS),
    ],
)
def test_a_reading_holds_within_its_tolerance_and_fails_beyond(made: Reading, verdict: str) -> None:
    assert made.verdict == verdict


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
def one() -> Measured:
    yield reading(1.0, 1.0)


@claim("S.eq1.b", "eq. (1)", "one is two")
def two() -> Measured:
    yield reading(1.0, 2.0)
    yield "it is not"


@claim("S.eq11", "eq. (11)", "another")
def other() -> Measured:
    return (reading(1.0, 1.0),)


@claims(("S.eq2.a", "eq. (2)", "two is two", 2.0), ("S.eq2.b", "eq. (2)", "two is one", 1.0))
def several(predicted: float) -> Measured:
    yield reading(2.0, predicted)


LEDGER = (one, two, other)


def test_a_decorated_function_is_a_claim_with_its_id_and_its_words() -> None:
    assert isinstance(one, Claim)
    assert (one.id, one.number, one.statement, one.source) == ("S.eq1.a", "eq. (1)", "one is one", "shulgin2026")
    assert one.measure().verdict == HOLDS
    assert two.measure() == Finding((reading(1.0, 2.0),), "it is not")


def test_gathering_keeps_the_order_in_which_claims_stand_alone_or_in_tuples() -> None:
    first, second = SimpleNamespace(b=two, x=3, a=one), SimpleNamespace(several=several, n=(1, 2), c=other)
    assert gather(first, second) == (two, one, *several, other)


def test_one_function_measures_several_claims_each_with_its_arguments() -> None:
    assert [(entry.id, entry.statement) for entry in several] == [("S.eq2.a", "two is two"), ("S.eq2.b", "two is one")]
    assert [entry.measure().verdict for entry in several] == [HOLDS, FAILS]


# --- choosing ---
def test_no_id_is_all_of_them_an_id_is_itself_and_a_family_is_what_stands_under_it() -> None:
    assert select(LEDGER) == select(LEDGER, source="shulgin2026") == LEDGER
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


def row(id: str, *readings: Reading, note: str = "") -> Row:
    return Row(Claim(id, "eq. (1)", "a | b", lambda: readings), Finding(readings, note), 0.25)


ROWS = (
    row(
        "S.good", Reading("slope", "exact", Fraction(1, 6), Fraction(1, 6)), Reading("slope", "grid", 0.17, 1 / 6, 0.01)
    ),
    row("S.bad", Reading("ratio", "refined", 434.4177, 1.0101, 0.0, "<="), note="much more"),
    row("S.dark", Reading("slope", "grid", math.nan, 0.5, math.inf), note="no telling"),
)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (Fraction(-7, 12), "-7/12"),
        (0.1234567, "0.123457"),
        (math.nan, "nothing"),
        (True, "yes"),
        (False, "no"),
        (3.0, "3"),
    ],
)
def test_numbers_are_shown_as_they_are_meant(number: object, text: str) -> None:
    assert shown(number) == text  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("number", "tolerance", "text"),
    [
        (8.88e-16, 1e-9, "0"),  # rounding
        (-4e-12, 1e-9, "0"),
        (1.04e-10, 1e-9, "1e-10"),
        (6.7e-16, 8e-15, "0"),
        (1.7e-14, 8e-15, "2e-14"),  # beyond it
        (0.49916098, 0.053, "0.4992"),
        (163.28741, 12.0, "163.3"),
        (1.0 + 3e-12, 1e-10, "1"),
        (0.49916098, 0.0, "0.499161"),
        (Fraction(1, 6), 0.1, "1/6"),
        (math.nan, 0.1, "nothing"),
        (0.5, math.inf, "0.5"),
    ],
)
def test_digits_end_at_a_hundredth_of_the_tolerance(number: float, tolerance: float, text: str) -> None:
    assert shown(number, tolerance) == text


def test_the_table_has_a_line_for_each_route_and_says_why_a_row_does_not_hold() -> None:
    whole = answer(ROWS).text(details=True).splitlines()
    assert whole[0] == "3 claims: 1 holds, 1 not identifiable, 1 fails."
    lines = whole[next(k for k, line in enumerate(whole) if line.startswith("route")) :]
    assert lines[0].split() == ["route", "what", "measured", "predicted", "tolerance", "verdict"]
    assert lines[1] == "S.good, eq. (1): a | b"
    assert lines[2].split() == ["exact", "slope", "1/6", "1/6", "0", "holds"]
    assert lines[3].split() == ["grid", "slope", "0.17", "0.166667", "0.01", "holds"]
    assert lines[5].split() == ["refined", "ratio", "434.418", "<=", "1.0101", "0", "fails"]
    assert lines[7].endswith("not identifiable")
    assert lines[9:11] == ["S.bad fails: much more", "S.dark not identifiable: no telling"]
    assert summary(ROWS[:1]) == "1 claim: 1 holds"  # it leaves out what did not occur
    starts = {lines[k].index(word) for k, word in ((0, "what"), (2, "slope"), (3, "slope"), (5, "ratio"))}
    assert len(starts) == 1  # columns line up


def test_the_table_shows_the_worst_reading_of_a_route_and_counts_the_others() -> None:
    readings = [Reading(f"part {k}", "refined", float(k), 1.0, 0.5) for k in (1, 2, 3)]
    line = next(x for x in answer([row("S.many", *readings)]).text(details=True).splitlines() if "  refined" in x)
    assert " part 2 and 2 more  " in line
    assert line.endswith("fails")


def test_the_markdown_page_says_how_it_was_made_and_keeps_a_row_on_a_line() -> None:
    page = markdown(ROWS, "Made by hand.")
    assert page.startswith("# The ledger of claims\n\nMade by hand.\n\n3 claims: 1 holds")
    assert "\n## Shulgin et al. (2026): every claim\n" in page
    assert '\n- **S.bad**, eq. (1): "a \\| b": **fails**; much more\n' in page
    assert "- **S.good**" not in page
    good, bad, dark = (line for line in page.splitlines() if line.startswith("| S."))
    read = "exact, slope: 1/6 (1/6)<br>grid, slope: 0.17 (0.166667 ± 0.01)"
    assert good == f"| S.good | eq. (1) | a \\| b | {read} | holds |  |"
    assert "refined, ratio: 434.418 (<= 1.0101)" in bad
    assert "| **fails** | much more |" in bad
    assert "nothing (0.5 ± inf)" in dark


def test_the_record_is_plain_json_with_fractions_as_text(tmp_path: Path) -> None:
    path = tmp_path / "ledger.json"
    write_json(path, as_dict(ROWS, {"versions": {}}))
    record = json.loads(path.read_text())
    assert record["summary"] == {"holds": 1, "fails": 1, "not identifiable": 1}
    good, bad, dark = record["rows"]
    assert (good["id"], good["verdict"], good["seconds"]) == ("S.good", "holds", 0.25)
    assert good["readings"][0] == {
        "what": "slope",
        "route": "exact",
        "measured": "1/6",
        "relation": "=",
        "predicted": "1/6",
        "tolerance": 0.0,
        "verdict": "holds",
    }
    assert bad["note"] == "much more"
    assert dark["readings"][0]["measured"] is None
