"""The command ``hpgrid verify``: what it is asked, what it writes, how it ends."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import hpgrid
from hpgrid.cli import main

#: Claims that need no solver: one that holds, one that fails.
HOLDS, FAILS = "S.eq30", "S.eq40"


def verify(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["verify", *arguments])
    out, error = capsys.readouterr()
    return int(ended.value.code or 0), out, error


def test_it_prints_a_table_and_ends_well_whatever_the_verdicts(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, error = verify(capsys, HOLDS, FAILS)
    assert (status, error) == (0, "")
    assert out.splitlines()[0].startswith("id ")
    assert out.splitlines()[-1] == "2 claims: 1 holds, 1 fails"
    assert "S.eq40.remaining fails: eta/alpha" in out


def test_strict_ends_with_1_when_a_claim_fails_and_only_then(capsys: pytest.CaptureFixture[str]) -> None:
    assert verify(capsys, HOLDS, "--strict")[0] == 0
    assert verify(capsys, FAILS, "--strict")[0] == 1


def test_ids_come_one_by_one_or_between_commas(capsys: pytest.CaptureFixture[str]) -> None:
    listed = verify(capsys, "S.eq30,S.eq36", "S.eq40", "--list")[1].splitlines()
    assert [line.split()[0] for line in listed] == ["S.eq30", "S.eq36", "S.eq40.remaining"]


def test_the_list_has_every_claim_once(capsys: pytest.CaptureFixture[str]) -> None:
    ids = [line.split()[0] for line in verify(capsys, "--list", "--source", "shulgin2026")[1].splitlines()]
    assert len(ids) == len(set(ids)) >= 60


def test_it_writes_json_and_markdown_whole(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    record, page = tmp_path / "new" / "ledger.json", tmp_path / "ledger.md"
    status, out, _ = verify(capsys, HOLDS, FAILS, "--json", str(record), "--markdown", str(page))
    assert status == 0
    assert out.splitlines()[-2:] == [str(record), str(page)]
    written = json.loads(record.read_text())
    assert written["summary"] == {"holds": 1, "fails": 1}
    assert [entry["id"] for entry in written["rows"]] == ["S.eq30", "S.eq40.remaining"]
    assert written["made_with"]["versions"]["hpgrid"]
    assert "Made by `hpgrid verify --markdown ledger.md` in " in page.read_text()
    assert {path.name for path in tmp_path.iterdir()} == {"new", "ledger.md"}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("S.eq77",), "there is no claim of that id. Given: 'S.eq77'. Write S.eq"),
        (("--source", "shulgin"), "there is no source of that name. Given: 'shulgin'. Write 'shulgin2026'"),
        (("--nonsense",), "Unknown option: --nonsense"),
        (("S.eq30", "--json", "."), "the ledger is written to a file"),
    ],
)
def test_a_mistake_is_one_line_and_status_2(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], told: str
) -> None:
    status, out, error = verify(capsys, *arguments)
    assert (status, out) == (2, "")
    assert error.startswith(f"hpgrid: error: {told}")
    assert len(error.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "status"), [(("verify", "--help"), 0), (("verify", "--list"), 0), (("verify", "S.eq77"), 2)]
)
def test_help_the_list_and_mistakes_load_no_jax(arguments: tuple[str, ...], status: int) -> None:
    code = (
        "import atexit, sys\n"
        "slow = ('jax', 'matplotlib', 'scipy', 'contourpy')\n"
        "atexit.register(lambda: print('loaded:', *(m for m in slow if m in sys.modules), file=sys.stderr))\n"
        "from hpgrid.cli import main\nmain(sys.argv[1:])"
    )
    root = Path(hpgrid.__file__).parent.parent
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, cwd=root, timeout=120
    )
    assert done.returncode == status
    assert done.stderr.splitlines()[-1] == "loaded:"
