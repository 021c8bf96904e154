"""The command ``hpgrid verify``: what it is asked, what it writes, how it ends."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest
from commands import Capture, loaded, printed, status

#: Claims that need no solver: one that holds, one that fails.
HOLDS, FAILS = "S.eq30", "S.eq40"


verify = partial(printed, "verify")


def test_it_prints_a_table_and_ends_well_whatever_the_verdicts(capsys: Capture) -> None:
    out = verify(capsys, HOLDS, FAILS)
    first, _, head, numbers, _, why, *_ = out.splitlines()
    assert first == "2 claims: 1 holds, 1 fails."
    assert [head.split(), numbers.split()[-2:]] == [["source", "holds", "fails"], ["1", "1"]]
    assert why.startswith("S.eq40.remaining fails: eta/alpha")
    assert out.splitlines()[-1].startswith("--details adds every reading")
    assert "\nroute " in verify(capsys, HOLDS, FAILS, "--details")


def test_strict_ends_with_1_when_a_claim_fails_and_only_then() -> None:
    assert status("verify", HOLDS, "--strict") == 0
    assert status("verify", FAILS, "--strict") == 1


def test_ids_come_one_by_one_or_between_commas(capsys: Capture) -> None:
    listed = verify(capsys, "S.eq30,S.eq36", "S.eq40", "--list").splitlines()
    assert [line.split()[0] for line in listed] == ["S.eq30", "S.eq36", "S.eq40.remaining"]


def test_the_list_has_every_claim_once(capsys: Capture) -> None:
    ids = [line.split()[0] for line in verify(capsys, "--list", "--source", "shulgin2026").splitlines()]
    assert len(ids) == len(set(ids)) >= 60


def test_it_writes_json_and_markdown_whole(capsys: Capture, tmp_path: Path) -> None:
    record, page = tmp_path / "new" / "ledger.json", tmp_path / "ledger.md"
    out = verify(capsys, HOLDS, FAILS, "--json", record, "--markdown", page)
    assert out.splitlines()[-2:] == [str(record), str(page)]
    written = json.loads(record.read_text())
    assert written["summary"] == {"holds": 1, "fails": 1}
    assert [entry["id"] for entry in written["rows"]] == ["S.eq30", "S.eq40.remaining"]
    assert written["made_with"]["versions"]["hpgrid"]
    assert "Made by `hpgrid verify --markdown ledger.md`, with " in page.read_text()
    assert {path.name for path in tmp_path.iterdir()} == {"new", "ledger.md"}


@pytest.mark.parametrize(("arguments", "code"), [(("--help",), 0), (("--list",), 0), (("S.eq77",), 2)])
def test_help_the_list_and_mistakes_load_no_jax(arguments: tuple[str, ...], code: int) -> None:
    assert loaded("verify", *arguments, code=code) <= {"numpy", "rich"}
