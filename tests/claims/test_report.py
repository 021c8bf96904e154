"""The ledger as it is read: text, Markdown, JSON."""

from __future__ import annotations

import json
import math
from fractions import Fraction
from pathlib import Path

import pytest

from hpgrid.claims.ledger import Claim, Finding, Row, as_dict, markdown, shown, summary, table
from hpgrid.readings import Reading
from hpgrid.record import write_json


def row(id: str, *readings: Reading, note: str = "") -> Row:
    return Row(Claim(id, "eq. (1)", "a | b", lambda: Finding(readings)), Finding(readings, note), 0.25)


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


def test_the_table_has_a_line_for_each_route_and_says_why_a_row_does_not_hold() -> None:
    lines = table(ROWS).splitlines()
    assert lines[0].split() == ["id", "route", "what", "measured", "predicted", "tolerance", "verdict"]
    assert lines[1].split() == ["S.good", "exact", "slope", "1/6", "1/6", "0", "holds"]
    assert lines[2].split() == ["grid", "slope", "0.17", "0.166667", "0.01", "holds"]
    assert lines[3].split() == ["S.bad", "refined", "ratio", "434.418", "<=", "1.0101", "0", "fails"]
    assert lines[4].endswith("not identifiable")
    assert lines[6:8] == ["S.bad fails: much more", "S.dark not identifiable: no telling"]
    assert lines[-1] == "3 claims: 1 holds, 1 not identifiable, 1 fails"


def test_the_table_shows_the_worst_reading_of_a_route_and_counts_the_others() -> None:
    readings = [Reading(f"part {k}", "refined", float(k), 1.0, 0.5) for k in (1, 2, 3)]
    (line,) = (one for one in table([row("S.many", *readings)]).splitlines() if one.startswith("S.many  "))
    assert " part 2 and 2 more  " in line
    assert line.endswith("fails")


def test_columns_line_up() -> None:
    lines = table(ROWS).splitlines()[:5]
    starts = {line.index(word) for line, word in zip(lines, ("route", "exact", "grid", "refined", "grid"))}
    assert len(starts) == 1


def test_the_markdown_page_says_how_it_was_made_and_keeps_a_row_on_a_line() -> None:
    page = markdown(ROWS, "Made by hand.")
    assert page.startswith("# The ledger of claims\n\nMade by hand.\n\n3 claims: 1 holds")
    assert "\n## Shulgin et al. (2026): every claim\n" in page
    assert '\n- **S.bad**, eq. (1): "a \\| b": **fails**; much more\n' in page
    assert "- **S.good**" not in page
    good, bad, dark = (line for line in page.splitlines() if line.startswith("| S."))
    assert (
        good
        == "| S.good | eq. (1) | a \\| b | exact, slope: 1/6 (1/6)<br>grid, slope: 0.17 (0.166667 ± 0.01) | holds |  |"
    )
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


def test_the_summary_leaves_out_what_did_not_occur() -> None:
    assert summary(ROWS[:1]) == "1 claims: 1 holds"
