"""``hpgrid transfer`` with constants, a calibration or a picture: what it writes, and how it says no."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from hpgrid.cli import main

START = "--from eta=3e-4,b=128,beta=0.95,T=2.5e9 --to T=1e11 --seq-len 4096"


def status(line: str) -> int:
    with pytest.raises(SystemExit) as exit_:
        main(("transfer", *line.split()))
    return exit_.value.code


@pytest.mark.parametrize("option", ["--set C1=1e-4,C3=0.05 --set C2=2", "--set Delta0=1,L=1/3", "--calibrate"])
def test_costs_are_part_of_the_answer(capsys: pytest.CaptureFixture[str], option: str) -> None:
    assert status(f"{START} {option}") == 0
    assert "\ncosts:" in capsys.readouterr().out
    assert status(f"{START} {option} --json") == 0
    assert len(json.loads(capsys.readouterr().out)["costs"]["rows"]) == 4


@pytest.mark.parametrize(("suffix", "first"), [("png", b"\x89PNG"), ("pdf", b"%PDF"), ("svg", b"<?xml")])
def test_a_picture_is_written_whole(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], suffix: str, first: bytes
) -> None:
    path = tmp_path / "made" / f"way.{suffix}"
    assert status(f"{START} --plot {path} --json") == 0
    assert path.read_bytes().startswith(first)
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    json.loads(capsys.readouterr().out)


MISTAKES = {
    f"{START} --set C1=0": "constant C1 must be a positive finite number",
    f"{START} --set C1=-2,C2=1": "constant C1 must be a positive finite number",
    f"{START} --set C1=x": "C1 is a finite number",
    f"{START} --set C4=1": "no constant of eq. (4) of that name. Given: 'C4'. Write 'C3'",
    f"{START} --set C1=1,L=2": "give C1, C2, C3 or Delta0, L, rho, sigma, not both",
    f"{START} --set C1": "--set takes NAME=VALUE",
    f"{START} --set C1=1 --calibrate": "constants are given, or calibrated at the start. Given: 'both'",
    f"{START} --set C1=1 --optimizer sgd": "costs are of eq. (4), the LMO methods'",
    f"{START} --calibrate --optimizer sgd": "costs are of eq. (4), the LMO methods'",
    "--from b=524288,beta=0.95,T=2.5e9 --to T=1e11 --calibrate": "needs eta, b and beta at the first budget. Given: "
    "'no eta'. Write eta=... beside the others",
    "--from eta=3e-4,T=2.5e9 --to T=1e11 --set C1=1": "Given: 'no b and no beta'",
    f"{START.replace('3e-4', '1e-200')} --set C1=1e300": "a number. Given: 'regime A comes out as none'",
    "--from eta=1e-3,b=10,alpha=1e-250,T=1e9 --to T=1e10 --calibrate": "what a choice costs is a number",
    f"{START} --plot way.gif": "there is no picture format of that name. Given: 'gif'. Write one of png, pdf, svg",
    f"{START} --plot way": "there is no picture format of that name. Given: ''",
    f"{START.replace('1e11', '2.5e9')} --plot way.png": "a picture goes from one budget to another",
}


@pytest.mark.parametrize("line", MISTAKES)
def test_mistakes_are_one_line_and_status_2(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, line: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert status(line) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("hpgrid: error: ")
    assert MISTAKES[line] in err
    assert len(err.splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_a_folder_is_no_picture(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "way.png").mkdir()
    assert status(f"{START} --plot {tmp_path / 'way.png'}") == 2
    assert "the picture is written to a file" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "allowed"), [("--set C1=1e-4", ""), ("--calibrate", ""), ("--calibrate --plot way.png", "matplotlib")]
)
def test_it_loads_nothing_slow(tmp_path: Path, option: str, allowed: str) -> None:
    code = (
        "import atexit, sys\n"
        "slow = ('jax', 'jaxlib', 'scipy', 'matplotlib', 'sympy', 'rich', 'xarray')\n"
        "atexit.register(lambda: print('loaded:', *(m for m in slow if m in sys.modules)))\n"
        "from hpgrid.cli import main\n"
        f"main('transfer {START} {option}'.split())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == f"loaded: {allowed}".strip()
