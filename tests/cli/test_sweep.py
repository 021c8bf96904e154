"""The command ``hpgrid sweep``: what it says, and how it says no."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest
from commands import Capture, loaded, printed, refused
from golden import SWEEP

from hpgrid import progress
from hpgrid.cli.sweep import bytes_of
from hpgrid.sweeps.plan import load

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "own.toml"
    path.write_text(SWEEP)
    return path


def test_it_says_what_it_did_and_on_a_second_run_what_it_found(config: Path, tmp_path: Path, capsys: Capture) -> None:
    out, table = tmp_path / "run.zarr", tmp_path / "slopes.csv"
    shown = printed("sweep", capsys, str(config), "--out", str(out), "--csv", str(table))
    assert f"{out}\n6 combinations, 1 of 1 block: " in shown
    assert str(table) in shown
    assert "1 of 1 block, 1 of them found whole" in printed("sweep", capsys, str(config), "--out", str(out))
    assert len(table.read_text().splitlines()) == 1 + 6 * 3 * 4


@pytest.mark.skipif(find_spec("jax_plugins") is not None, reason="jax is asked about its plugin's device")
def test_nothing_but_numpy_is_loaded_for_an_exact_search(config: Path, tmp_path: Path) -> None:
    assert loaded("sweep", config, "--out", tmp_path / "run.zarr") == {"numpy"}


def test_beyond_an_hour_it_asks_before_its_first_block_and_yes_goes_on_from_there(
    config: Path, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "TOO_LONG", 1e-3)
    run = [config, "--out", tmp_path / "run.zarr", "--block", 2]
    refused("sweep", capsys, run, "more than an hour needs --yes. Given: '3 blocks of a sweep in ")
    assert "3 of 3 blocks: " in printed("sweep", capsys, *run, "--yes")
    assert "3 of 3 blocks, 3 of them found whole" in printed("sweep", capsys, *run)


#: Beside those of ``bad_inputs.txt``: what is asked once there is a plan.
MISTAKES = {
    "no devices": (["--out", "OUT", "--devices", "0"], "devices is a whole number >= 1. Given: 0"),
    "process out of range": (["--out", "OUT", "--processes", "2", "--process-id", "2"], "the ids are 0 to 1"),
    "coordinator of nothing": (["--out", "OUT", "--coordinator", "here"], "a coordinator is HOST:PORT"),
}


@pytest.mark.parametrize(("options", "message"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_one_line_and_nothing_is_written(
    config: Path, tmp_path: Path, capsys: Capture, options: list[str], message: str
) -> None:
    out = tmp_path / "run.zarr"
    arguments = [str(config), *(str(out) if option == "OUT" else option for option in options)]
    refused("sweep", capsys, arguments, message)
    assert not out.exists()


@pytest.mark.parametrize(("text", "size"), [("8GiB", 8 * 2**30), ("500MB", 5 * 10**8), ("1.5 KiB", 1536), ("7", 7)])
def test_memory_is_read_with_its_unit(text: str, size: int) -> None:
    assert bytes_of(text) == size


def test_a_missing_config_is_named(tmp_path: Path, capsys: Capture) -> None:
    arguments = [str(tmp_path / "none.toml"), "--out", str(tmp_path / "run.zarr")]
    refused("sweep", capsys, arguments, "readable TOML file (No such file or directory)", tmp_path)


def test_the_example_is_a_plan_of_the_three_theorems() -> None:
    plan = load(ROOT / "examples" / "sweep.toml")
    assert plan.combinations == 16 * 13
    assert [len(regime.tuned) for regime in plan.regimes.values()] == [3, 2, 2]
