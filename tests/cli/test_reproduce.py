"""``hpgrid reproduce``: what it writes, what it says, and what it refuses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import commands
import numpy as np
import pytest

import hpgrid
from hpgrid.config import load, override, shipped
from hpgrid.paper import FIGURES, compute
from hpgrid.paper.data import save

ROOT = Path(hpgrid.__file__).parent.parent

#: What each kind of picture begins with.
MAGIC = {"png": b"\x89PNG\r\n", "pdf": b"%PDF-", "svg": b"<?xml"}


#: A run small enough for tests, in the format that is written fastest.
SMALL = ("--n", "8", "--format", "svg", "--out")

reproduce = partial(commands.status, "reproduce")
refused = partial(commands.refused, "reproduce")


def process(*command: str | Path, **environment: Path) -> str:
    """What a process prints that ends well and says nothing else."""
    started = [sys.executable, *map(str, command)]
    env = {**os.environ, **{name: str(value) for name, value in environment.items()}}
    done = subprocess.run(started, capture_output=True, text=True, timeout=300, cwd=ROOT, env=env)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def files(name: str, *pictures: str) -> set[str]:
    """What a run leaves."""
    return {f"{name}.{kind}" for kind in (*pictures, "npz", "json")}


def record(folder: Path, name: str = "fig1") -> dict:
    return json.loads((folder / f"{name}.json").read_text())


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with figure 1, on a small grid."""
    folder = tmp_path_factory.mktemp("saved")
    save(compute(override(load(shipped("fig1")), n=8)), folder)
    return folder


@pytest.fixture
def saved(once: Path, tmp_path: Path) -> Path:
    """A copy of it, for one test to change."""
    for path in once.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path


# --- whole runs ---


def test_fig1_leaves_its_pictures_arrays_and_record_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith("JAX_")]:  # a person has said nothing
        monkeypatch.delenv(name)
    out, cache = tmp_path / "out", tmp_path / "cache"
    run = ("-m", "hpgrid", "reproduce", "fig1", "--n", "24", "--out", out)
    told = process("-W", "error", *run, XDG_CACHE_HOME=cache).splitlines()[:-1]
    *written, header, risk, b, eta = (line for line in told if not line.startswith(("no verdict on", " ")))
    assert names(out) == files("fig1", "png", "pdf")
    for kind in ("png", "pdf"):
        assert (out / f"fig1.{kind}").read_bytes().startswith(MAGIC[kind])
    with np.load(out / "fig1.npz") as arrays:
        assert arrays["risk_hat"].shape == (24,)
    assert record(out)["config"]["grid"]["n"] == 24
    assert sorted(written) == sorted(str(path) for path in out.iterdir())
    assert header.split("  ")[0] == "check"
    for line, v, check in zip((risk, b, eta), ("risk", "b", "eta"), record(out)["checks"], strict=True):
        assert line.split("  ")[0] == f"fig1 slope of {v}"
        assert f"{check['measured']:.4f}" in line
        assert f"{check['predicted']:.4f}" in line
        assert ("holds" in line) == (check["holds"] is True)
    assert any(cache.rglob("*-cache")), "compiled searches are kept"


@pytest.mark.thorough
def test_the_script_makes_several_figures_in_a_format_of_choice(tmp_path: Path) -> None:
    out = tmp_path / "new" / "folder"
    said = process("scripts/reproduce.py", "fig5,fig1", "fig11", "--grid", "captions", *SMALL, out)
    assert names(out) == files("fig1", "svg") | files("fig5", "svg") | files("fig11", "svg")
    assert (out / "fig5.svg").read_bytes().startswith(MAGIC["svg"])
    assert b"<dc:date>" not in (out / "fig5.svg").read_bytes()
    assert record(out, "fig5")["config"]["grid"]["preset"] == "captions"
    order = [said.index(f"{name} ") for name in ("fig1", "fig5", "fig11")]
    assert order == sorted(order)  # the paper's order


def test_list_names_every_figure(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert reproduce("--list", "--out", tmp_path / "out") == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(FIGURES)
    assert not any(tmp_path.iterdir())


def test_ones_own_config_is_called_what_its_file_is_called_and_its_constants_change_the_risk(
    once: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own, out = tmp_path / "mine.toml", tmp_path / "out"
    own.write_text(shipped("fig1").read_text().replace("C2 = 1.0", "C2 = 9.0"))
    assert reproduce("--config", own, "--C1", "9", "--C3=9", *SMALL, out) == 0
    assert names(out) == files("mine", "svg")
    assert record(out, "mine")["config"]["bound"]["constants"] == {"C1": 9, "C2": 9, "C3": 9}
    assert "mine slope of b" in capsys.readouterr().out
    with np.load(out / "mine.npz") as nine, np.load(once / "fig1.npz") as one:
        np.testing.assert_allclose(nine["risk_hat"], 9 * one["risk_hat"], rtol=1e-12)


def test_a_config_named_with_its_figure_is_called_so_and_float32_is_said_in_the_record(tmp_path: Path) -> None:
    own, out = tmp_path / "mine.toml", tmp_path / "out"
    own.write_text(shipped("fig1").read_text())
    assert reproduce("fig1", "--config", own, "--dtype", "float32", *SMALL, out) == 0
    assert names(out) == files("fig1", "svg")
    assert record(out)["dtype"] == record(out)["config"]["dtype"] == "float32"


# --- drawing again ---


def test_redraw_computes_nothing(
    saved: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("a redraw does not compute")

    monkeypatch.setattr("hpgrid.paper.compute", never)
    monkeypatch.setattr("hpgrid.search.brute.grid_search", never)
    before = {path: path.read_bytes() for path in saved.iterdir()}
    assert reproduce("fig1", "--redraw", "--format", "svg", "--out", saved) == 0
    assert names(saved) == files("fig1", "svg")
    assert all(path.read_bytes() == content for path, content in before.items())
    out = capsys.readouterr().out
    assert out.splitlines()[0] == str(saved / "fig1.svg")
    assert "fig1 slope of b" in out


def test_a_config_of_ones_own_is_redrawn_by_its_name(saved: Path) -> None:
    for path in list(saved.iterdir()):
        path.rename(saved / f"mine{path.suffix}")
    assert reproduce("--config", "mine.toml", "--redraw", "--format", "svg", "--out", saved) == 0
    assert names(saved) == files("mine", "svg")


def test_a_picture_is_the_same_bytes_twice_and_has_no_date(saved: Path) -> None:
    def drawn() -> dict[str, bytes]:
        assert reproduce("fig1", "--redraw", "--format", "png,pdf,svg", "--out", saved) == 0
        return {kind: (saved / f"fig1.{kind}").read_bytes() for kind in MAGIC}

    once = drawn()
    assert drawn() == once
    for kind, dates in {"png": (b"tIME", b"Creation"), "pdf": (b"Date",), "svg": (b"date",)}.items():
        assert once[kind].startswith(MAGIC[kind])
        assert not any(date in once[kind] for date in dates)


def edit(folder: Path, key: str, changes: dict) -> None:
    """Change the saved record's config, or its first check."""
    content = record(folder)
    (content["checks"][0] if key == "checks" else content[key]).update(changes)
    (folder / "fig1.json").write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("changes", "strict", "status", "verdict"),
    [
        # A verdict follows from its numbers: what fails is far from what is predicted.
        ({"holds": False, "measured": 9.0}, ["--strict"], 1, "FAILS"),
        ({"holds": False, "measured": 9.0}, [], 0, "FAILS"),
        ({"holds": True}, ["--strict"], 0, "holds"),
        ({"holds": None}, ["--strict"], 0, "not identifiable"),
    ],
)
def test_strict_exits_with_1_when_a_check_fails(
    saved: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    changes: dict,
    strict: list[str],
    status: int,
    verdict: str,
) -> None:
    edit(saved, "checks", changes)
    monkeypatch.setattr("hpgrid.cli.options.write_picture", lambda *_: None)
    assert reproduce("fig1", "--redraw", "--format", "svg", "--out", saved, *strict) == status
    assert verdict in capsys.readouterr().out.splitlines()[2]


def test_why_there_is_no_verdict_is_said_below_the_table(
    saved: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    why = "the law begins beyond this window: from T = 4e+22 on"
    edit(saved, "checks", {"holds": None, "note": f"not identifiable on this grid: {why}"})
    monkeypatch.setattr("hpgrid.cli.options.write_picture", lambda *_: None)
    assert reproduce("fig1", "--redraw", "--format", "svg", "--out", saved) == 0
    said = [line for line in capsys.readouterr().out.splitlines() if line.startswith("no verdict on")]
    # A grid as coarse as this one can't tell the others for their own reasons.
    assert [line.partition(":")[0] for line in said] == [f"no verdict on slope of {v}" for v in ("risk", "b", "eta")]
    assert said[0].startswith("no verdict on slope of risk: the law begins beyond this window: from T = 4e+22")
    assert "it is uncertain by" in said[1]


def test_a_run_whose_check_fails_is_written_all_the_same(tmp_path: Path) -> None:
    own, out = tmp_path / "floored.toml", tmp_path / "out"  # a floor under eta: no hyperbola
    text = shipped("fig4").read_text()
    own.write_text(text.replace("K = { lo", "eta = { lo = 1e-3, hi = 1.0 }\nK = { lo"))
    assert reproduce("--config", own, "--strict", *SMALL, out) == 1
    assert names(out) == files("floored", "svg")
    assert record(out, "floored")["checks"][0]["holds"] is False


# --- bad input ---


#: Beside those of ``bad_inputs.txt``.
MISTAKES = {
    "float32 overflow": (["fig1", "--n", "8", "--dtype", "float32", "--C1", "1e38"], "overflows float32"),
    "float64 overflow": (["fig9", "--n", "8", "--C1", "1e300"], "overflows float64"),
}


@pytest.mark.parametrize(("arguments", "message"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_named_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    refused(capsys, [*arguments, "--out", tmp_path / "out"], message)
    assert not any(tmp_path.rglob("*.*"))


#: A regime that has all it needs, to put what is wrong before it.
REGIME = '[regime]\ntuned = ["eta", "b"]\nfixed = { alpha = 0.1 }'
ALL = 'tuned = ["eta", "b", "alpha"]'

CONFIGS = {
    "missing": (None, "No such file"),
    "malformed": ('figure = "fig1\n', "valid TOML"),
    "misspelt key": (f'figure = "fig1"\n[bound]\nC_2 = 1\n{REGIME}', "Given: 'C_2'. Write 'C2'"),
    "unknown figure": (f'figure = "fig3"\n{REGIME}', "no figure of that name. Given: 'fig3'"),
    "eta alone": ('figure = "fig1"\n[regime]\ntuned = ["eta"]\nfixed = { alpha = 0.1 }', "tunes b and eta"),
    "another theorem's": ('figure = "fig1"\n[regime]\ntuned = ["eta", "alpha"]\nfixed = { b = 32 }', "tunes b and eta"),
    "alpha left over": ('figure = "fig1"\n[regime]\ntuned = ["eta", "b"]', "axes of this figure are eta, b, T"),
    "budget held": (f'figure = "fig1"\n[grid]\nT = 1e9\n{REGIME}', "axes of this figure are eta, b, T"),
    "two of figure 9": (f'figure = "fig9"\n{REGIME}', "tunes all three"),
    "contours of nothing held": ('figure = "fig10"\n[regime]\ntuned = ["eta"]', "alpha"),
    "hyperbola in tokens": ('figure = "fig4"\n[regime]\ntuned = ["eta"]\nfixed = { alpha = 0.1 }', "K"),
    "two panels of one": (f'figure = "fig9"\n[[panel]]\n{ALL}\n[[panel]]\n{ALL}', "fig9 shows one regime"),
    "bound's name a list": (f'figure = "fig1"\n[bound]\nname = ["lmo"]\n{REGIME}', "bound"),
    "noise exponent": (f'figure = "fig1"\n[bound]\nq = 2\n{REGIME}', "0 < q <= 1"),
    "both sets of constants": (f'figure = "fig1"\n[bound]\nC1 = 1\nL = 2\n{REGIME}', "not both"),
}


@pytest.mark.parametrize(("text", "message"), CONFIGS.values(), ids=CONFIGS)
def test_a_config_that_can_not_be_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str | None, message: str
) -> None:
    own, out = tmp_path / "own.toml", tmp_path / "out"
    if text is not None:
        own.write_text(text)
    refused(capsys, ["--config", own, "--n", "4", "--out", out], message)
    assert not out.exists() or not any(out.iterdir())


def test_a_config_is_of_one_figure_and_takes_its_bounds_constants(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = tmp_path / "own.toml"
    own.write_text('figure = "fig1"\n[bound]\nname = "sgd"\n[regime]\ntuned = ["eta", "b"]\n')
    refused(capsys, ["--config", own, "--C1", "2", "--out", tmp_path], "no constant of the bound sgd")
    arguments = ["fig2", "--config", shipped("fig1"), "--out", tmp_path]
    refused(capsys, arguments, "is a config of fig1. Given: 'fig2'")


@pytest.mark.parametrize("below", ["", "out"])
def test_out_must_be_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str], below: str) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"content")
    refused(capsys, ["fig1", "--n", "8", "--out", file / below], "folder must be writable")
    assert names(tmp_path) == {"file"}
    assert file.read_bytes() == b"content"


def test_a_folder_in_a_files_place_is_named(saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (saved / "fig1.svg").mkdir()
    refused(capsys, ["fig1", "--redraw", "--format", "svg", "--out", saved], "fig1.svg")
    assert names(saved) == files("fig1", "svg")


@pytest.mark.parametrize("figure", ["fig99", "fig9"], ids=["of a figure that is not", "of another figure"])
def test_a_record_that_is_not_its_arrays_is_refused(
    saved: Path, capsys: pytest.CaptureFixture[str], figure: str
) -> None:
    edit(saved, "config", {"figure": figure})
    refused(capsys, ["fig1", "--redraw", "--format", "svg", "--out", saved], "without --redraw")
