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
from hpgrid.config import shipped
from hpgrid.paper import FIGURES

ROOT = Path(hpgrid.__file__).parent.parent

#: What each kind of picture begins with.
MAGIC = {"png": b"\x89PNG\r\n", "pdf": b"%PDF-", "svg": b"<?xml"}


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where compiled searches are kept, so that they are compiled once."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def _environment(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command sets JAX's variables where a person has not: what it sets ends with the test."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    for name in ("DIR", "MIN_COMPILE_TIME_SECS", "MIN_ENTRY_SIZE_BYTES"):
        prefix = "JAX_COMPILATION_CACHE_" if name == "DIR" else "JAX_PERSISTENT_CACHE_"
        monkeypatch.setenv(prefix + name, "")
        monkeypatch.delenv(prefix + name)


reproduce = partial(commands.status, "reproduce")
refused = partial(commands.refused, "reproduce")


def process(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *map(str, command)], capture_output=True, text=True, timeout=300, cwd=ROOT, env=os.environ
    )


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with figure 1, on a small grid."""
    folder = tmp_path_factory.mktemp("saved")
    from hpgrid.config import load, override
    from hpgrid.paper import compute
    from hpgrid.paper.data import save

    save(compute(override(load(shipped("fig1")), n=8)), folder)
    return folder


def copied(saved: Path, folder: Path) -> Path:
    for path in saved.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


# --- whole runs ---


def test_fig1_leaves_its_pictures_arrays_and_record_and_says_so(tmp_path: Path, cache: Path) -> None:
    done = process("-W", "error", "-m", "hpgrid", "reproduce", "fig1", "--n", "24", "--out", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert names(tmp_path) == {"fig1.png", "fig1.pdf", "fig1.npz", "fig1.json"}
    for kind in ("png", "pdf"):
        assert (tmp_path / f"fig1.{kind}").read_bytes().startswith(MAGIC[kind])
    with np.load(tmp_path / "fig1.npz") as arrays:
        assert arrays["risk_hat"].shape == (24,)
    record = json.loads((tmp_path / "fig1.json").read_text())
    assert record["config"]["grid"]["n"] == 24
    files, table = done.stdout.splitlines()[:4], done.stdout.splitlines()[4:]
    assert sorted(files) == sorted(str(path) for path in tmp_path.iterdir())
    assert table[0].split("  ")[0] == "check"
    assert [line.split("  ")[0] for line in table[1:4]] == [f"fig1 slope of {v}" for v in ("risk", "b", "eta")]
    for line, check in zip(table[1:4], record["checks"]):
        assert f"{check['measured']:.4f}" in line
        assert f"{check['predicted']:.4f}" in line
        assert ("holds" in line) == (check["holds"] is True)
    assert any(cache.rglob("*-cache")), "compiled searches are kept"


def test_the_script_makes_several_figures_in_a_format_of_choice(tmp_path: Path) -> None:
    out = tmp_path / "new" / "folder"
    done = process(
        "scripts/reproduce.py", "fig5,fig1", "fig11", "--n=8", "--format", "svg", "--grid", "captions", "--out", out
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert names(out) == {f"{name}.{kind}" for name in ("fig1", "fig5", "fig11") for kind in ("svg", "npz", "json")}
    assert (out / "fig5.svg").read_bytes().startswith(MAGIC["svg"])
    assert b"<dc:date>" not in (out / "fig5.svg").read_bytes()
    record = json.loads((out / "fig5.json").read_text())
    assert record["config"]["grid"]["preset"] == "captions"
    order = [done.stdout.index(f"{name} ") for name in ("fig1", "fig5", "fig11")]
    assert order == sorted(order)  # the paper's order


def test_list_names_every_figure(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert reproduce("--list", "--out", tmp_path / "out") == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(FIGURES)
    assert not any(tmp_path.iterdir())


def test_ones_own_config_is_called_what_its_file_is_called(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = tmp_path / "mine.toml"
    own.write_text(shipped("fig1").read_text().replace("C2 = 1.0", "C2 = 30.0"))
    out = tmp_path / "out"
    assert reproduce("--config", own, "--n", "8", "--C3", "0.5", "--format", "png", "--out", out) == 0
    assert names(out) == {"mine.png", "mine.npz", "mine.json"}
    assert json.loads((out / "mine.json").read_text())["config"]["bound"]["constants"] == {"C1": 1, "C2": 30, "C3": 0.5}
    assert "mine slope of b" in capsys.readouterr().out


def test_a_config_named_with_its_figure_is_called_so(tmp_path: Path) -> None:
    own = tmp_path / "mine.toml"
    own.write_text(shipped("fig1").read_text())
    out = tmp_path / "out"
    assert reproduce("fig1", "--config", own, "--n", "8", "--format", "svg", "--out", out) == 0
    assert names(out) == {"fig1.svg", "fig1.npz", "fig1.json"}


def test_constants_change_the_risk(tmp_path: Path) -> None:
    def risk(*constants: str) -> np.ndarray:
        assert reproduce("fig1", "--n", "8", "--format", "svg", "--out", tmp_path, *constants) == 0
        with np.load(tmp_path / "fig1.npz") as arrays:
            return arrays["risk_hat"]

    np.testing.assert_allclose(risk("--C1", "9", "--C2", "9", "--C3=9"), 9 * risk(), rtol=1e-12)


def test_float32_is_said_in_the_record(tmp_path: Path) -> None:
    assert reproduce("fig1", "--n", "8", "--dtype", "float32", "--format", "svg", "--out", tmp_path) == 0
    record = json.loads((tmp_path / "fig1.json").read_text())
    assert record["dtype"] == record["config"]["dtype"] == "float32"


# --- drawing again ---


def test_redraw_computes_nothing(
    saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("a redraw does not compute")

    monkeypatch.setattr("hpgrid.paper.compute", never)
    monkeypatch.setattr("hpgrid.search.brute.grid_search", never)
    before = {path.name: path.read_bytes() for path in copied(saved, tmp_path).iterdir()}
    assert reproduce("fig1", "--redraw", "--format", "svg", "--out", tmp_path) == 0
    assert names(tmp_path) == {"fig1.svg", "fig1.npz", "fig1.json"}
    assert all((tmp_path / name).read_bytes() == content for name, content in before.items())
    out = capsys.readouterr().out
    assert out.splitlines()[0] == str(tmp_path / "fig1.svg")
    assert "fig1 slope of b" in out


def test_a_config_of_ones_own_is_redrawn_by_its_name(saved: Path, tmp_path: Path) -> None:
    for path in saved.iterdir():
        (tmp_path / f"mine{path.suffix}").write_bytes(path.read_bytes())
    options = ("--config", "mine.toml", "--redraw", "--format", "svg", "--out", tmp_path)
    assert reproduce(*options) == 0
    assert names(tmp_path) == {"mine.svg", "mine.npz", "mine.json"}


def test_a_picture_is_the_same_bytes_twice_and_has_no_date(saved: Path, tmp_path: Path) -> None:
    copied(saved, tmp_path)

    def drawn() -> dict[str, bytes]:
        assert reproduce("fig1", "--redraw", "--format", "png,pdf,svg", "--out", tmp_path) == 0
        return {kind: (tmp_path / f"fig1.{kind}").read_bytes() for kind in MAGIC}

    once = drawn()
    assert drawn() == once
    for kind, dates in {"png": (b"tIME", b"Creation"), "pdf": (b"Date",), "svg": (b"date",)}.items():
        assert once[kind].startswith(MAGIC[kind])
        assert not any(date in once[kind] for date in dates)


def edited(folder: Path, **changes: object) -> Path:
    """The saved record with other values in its first check."""
    record = json.loads((folder / "fig1.json").read_text())
    record["checks"][0] |= changes
    (folder / "fig1.json").write_text(json.dumps(record))
    return folder


@pytest.mark.parametrize(
    ("holds", "strict", "status", "verdict"),
    [
        (False, True, 1, "FAILS"),
        (False, False, 0, "FAILS"),
        (True, True, 0, "holds"),
        (None, True, 0, "not identifiable"),
    ],
)
def test_strict_exits_with_1_when_a_check_fails(
    saved: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    holds: bool | None,
    strict: bool,
    status: int,
    verdict: str,
) -> None:
    # A verdict follows from its numbers: what fails is far from what is predicted.
    edited(copied(saved, tmp_path), holds=holds, **({"measured": 9.0} if holds is False else {}))
    options = ["--strict"] if strict else []
    assert reproduce("fig1", "--redraw", "--format", "svg", "--out", tmp_path, *options) == status
    assert verdict in capsys.readouterr().out.splitlines()[2]


@pytest.mark.parametrize(("options", "status"), [(["--strict"], 1), ([], 0)])
def test_a_run_whose_check_fails_is_written_all_the_same(tmp_path: Path, options: list[str], status: int) -> None:
    own = tmp_path / "floored.toml"  # a floor under eta: no hyperbola
    text = shipped("fig4").read_text()
    own.write_text(text.replace("K = { lo", "eta = { lo = 1e-3, hi = 1.0 }\nK = { lo"))
    out = tmp_path / "out"
    assert reproduce("--config", own, "--n", "16", "--format", "svg", "--out", out, *options) == status
    assert names(out) == {"floored.svg", "floored.npz", "floored.json"}
    assert json.loads((out / "floored.json").read_text())["checks"][0]["holds"] is False


# --- bad input ---


MISTAKES = {
    "unknown figure": (["fig12"], "there is no figure of that name. Given: 'fig12'"),
    "figure near another": (["fgi10"], "Write 'fig10'"),
    "no figure": ([], "name a figure"),
    "figures of commas": ([","], "name a figure"),
    "negative constant": (["fig1", "--C2", "-1"], "constant C2 must be a positive finite number. Given: -1.0"),
    "zero constant": (["fig1", "--C1=0"], "constant C1 must be a positive finite number. Given: 0.0"),
    "NaN constant": (["fig1", "--C3", "nan"], "constant C3 must be a positive finite number. Given: nan"),
    "constant of letters": (["fig1", "--C2", "abc"], "abc"),
    "one point an axis": (["fig1", "--n", "1"], "n must be a whole number >= 2. Given: 1"),
    "unknown grid": (["fig1", "--grid", "nope"], "there is no grid of that name. Given: 'nope'"),
    "unknown dtype": (["fig1", "--dtype", "float16"], "Given: 'float16'. Write 'float64' (all: float64, float32)"),
    "unknown format": (["fig1", "--format", "gif"], "Given: 'gif'. Write one of png, pdf, svg"),
    "no format": (["fig1", "--format", ","], "a picture needs a format"),
    "nothing saved": (["fig1", "--redraw"], "redrawing needs what a run has saved"),
    "float32 overflow": (["fig1", "--n", "8", "--dtype", "float32", "--C1", "1e38"], "overflows float32"),
    "float64 overflow": (["fig9", "--n", "8", "--C1", "1e300"], "overflows float64"),
}


@pytest.mark.parametrize(("arguments", "message"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_named_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    refused(capsys, [*arguments, "--out", tmp_path / "out"], message)
    assert not any(tmp_path.rglob("*.*"))


def test_half_a_point_is_not_rounded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    refused(capsys, ["fig1", "--n", "2.5", "--format", "svg", "--out", tmp_path / "out"], "2.5")


CONFIGS = {
    "missing": (None, "No such file"),
    "malformed": ('figure = "fig1\n', "valid TOML"),
    "misspelt key": ('figure = "fig1"\n[bound]\nC_2 = 1\n[regime]\ntuned = ["eta", "b"]', "Given: 'C_2'. Write 'C2'"),
    "unknown figure": ('figure = "fig3"\n[regime]\ntuned = ["eta", "b"]', "no figure of that name. Given: 'fig3'"),
    "eta alone": ('figure = "fig1"\n[regime]\ntuned = ["eta"]\nfixed = { alpha = 0.1 }', "tunes b and eta"),
    "another theorem's": ('figure = "fig1"\n[regime]\ntuned = ["eta", "alpha"]\nfixed = { b = 32 }', "hpgrid: error"),
    "alpha left over": ('figure = "fig1"\n[regime]\ntuned = ["eta", "b"]', "alpha"),
    "budget held": (
        'figure = "fig1"\n[grid]\nT = 1e9\n[regime]\ntuned = ["eta", "b"]\nfixed = { alpha = 0.1 }',
        "hpgrid: error",
    ),
    "two of figure 9": ('figure = "fig9"\n[regime]\ntuned = ["eta", "b"]\nfixed = { alpha = 0.1 }', "tunes all three"),
    "contours of nothing held": ('figure = "fig10"\n[regime]\ntuned = ["eta"]', "alpha"),
    "hyperbola in tokens": ('figure = "fig4"\n[regime]\ntuned = ["eta"]\nfixed = { alpha = 0.1 }', "K"),
    "two panels of one": (
        'figure = "fig9"\n[[panel]]\ntuned = ["eta", "b", "alpha"]\n[[panel]]\ntuned = ["eta", "b", "alpha"]',
        "hpgrid: error",
    ),
    "bound's name a list": ('figure = "fig1"\n[bound]\nname = ["lmo"]\n[regime]\ntuned = ["eta", "b"]', "bound"),
    "noise exponent": (
        'figure = "fig1"\n[bound]\nq = 2\n[regime]\ntuned = ["eta", "b"]\nfixed = { alpha = 0.1 }',
        "0 < q <= 1",
    ),
    "both sets of constants": (
        'figure = "fig1"\n[bound]\nC1 = 1\nL = 2\n[regime]\ntuned = ["eta", "b"]\nfixed = { alpha = 0.1 }',
        "not both",
    ),
}


@pytest.mark.parametrize(
    ("text", "message"),
    [pytest.param(*case, id=key) for key, case in CONFIGS.items()],
)
def test_a_config_that_can_not_be_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str | None, message: str
) -> None:
    own, out = tmp_path / "own.toml", tmp_path / "out"
    if text is not None:
        own.write_text(text)
    refused(capsys, ["--config", own, "--n", "4", "--out", out], message)
    assert not out.exists() or not any(out.iterdir())


def test_a_config_is_of_one_figure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["fig2", "--config", shipped("fig1"), "--out", tmp_path / "out"]
    refused(capsys, arguments, "is a config of fig1. Given: 'fig2'")


def test_a_constant_of_another_bound_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = tmp_path / "own.toml"
    own.write_text('figure = "fig1"\n[bound]\nname = "sgd"\n[regime]\ntuned = ["eta", "b"]\n')
    refused(capsys, ["--config", own, "--C1", "2", "--out", tmp_path / "out"], "no constant of the bound sgd")


@pytest.mark.parametrize("below", ["", "out"])
def test_out_must_be_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str], below: str) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"content")
    refused(capsys, ["fig1", "--n", "8", "--out", file / below], "folder must be writable")
    assert names(tmp_path) == {"file"}
    assert file.read_bytes() == b"content"


def test_a_folder_in_a_files_place_is_named(saved: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (copied(saved, tmp_path) / "fig1.svg").mkdir()
    refused(capsys, ["fig1", "--redraw", "--format", "svg", "--out", tmp_path], "fig1.svg")
    assert names(tmp_path) == {"fig1.svg", "fig1.npz", "fig1.json"}


@pytest.mark.parametrize(
    "change",
    [{"figure": "fig99"}, {"figure": "fig9"}],
    ids=["of a figure that is not", "of another figure"],
)
def test_a_record_that_is_not_its_arrays_is_refused(
    saved: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], change: dict
) -> None:
    record = json.loads((copied(saved, tmp_path) / "fig1.json").read_text())
    record["config"] |= change
    (tmp_path / "fig1.json").write_text(json.dumps(record))
    refused(capsys, ["fig1", "--redraw", "--format", "svg", "--out", tmp_path], "without --redraw")
