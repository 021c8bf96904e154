"""What a figure is drawn from, on disk and back."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hpgrid.checks import InputError
from hpgrid.config import load, shipped
from hpgrid.paper.data import FigureData, as_check, config_data, restore, save
from hpgrid.readings import Reading
from hpgrid.record import SCHEMA


@pytest.fixture
def data() -> FigureData:
    checks = (
        Reading("slope of b", "grid", 0.49, 0.5, 0.05, exponent=True, window=(1e7, 1e22), edge_points=2, note="a note"),
        Reading("slope of eta", "grid", float("nan"), -0.25, float("nan"), edge_points=100),
        Reading("slope of risk", "grid", -0.2, -0.25, 0.01, window=(1e7, 1e22)),
        Reading("slope of alpha", "grid", 0.1, 0.0, 0.125, exponent=True),
        Reading("a ratio", "sampled", 0.3, 1.0, 0.01, "<="),
    )
    arrays = {"T": np.array([1e2, 1e22]), "b_hat": np.array([1.0, np.nan]), "b_edge": np.array([True, False])}
    config = config_data(load(shipped("fig1")))
    return FigureData("mine", config, arrays, checks, {"points": 81, "burn_in_ends": {"b": None}}, 0.25)


def test_a_figure_comes_back_as_it_was_saved(tmp_path: Path, data: FigureData) -> None:
    assert save(data, tmp_path) == [tmp_path / "mine.npz", tmp_path / "mine.json"]
    back = restore("mine", tmp_path)
    assert (back.name, back.config, back.notes, back.seconds) == ("mine", data.config, data.notes, 0.25)
    np.testing.assert_equal(back.arrays, data.arrays)
    np.testing.assert_equal(*([as_check(check) for check in each.checks] for each in (back, data)))


def test_the_record_says_what_the_figure_was_made_from(tmp_path: Path, data: FigureData) -> None:
    save(data, tmp_path)
    record = json.loads((tmp_path / "mine.json").read_text())
    assert record["schema"] == SCHEMA
    bound = {"name": "lmo", "constants": {"C1": 1, "C2": 1, "C3": 1}, "options": {}, "formula": None, "domain": []}
    assert record["config"]["bound"] == bound
    assert record["dtype"] == "float64"
    assert {"python", "hpgrid", "jax", "numpy"} <= set(record["versions"])
    assert [check["holds"] for check in record["checks"]] == [True, None, False, None, True]
    assert record["checks"][1]["measured"] is None  # JSON has no NaN


@pytest.mark.parametrize("missing", [".npz", ".json"])
def test_redrawing_needs_both_files(tmp_path: Path, data: FigureData, missing: str) -> None:
    save(data, tmp_path)
    (tmp_path / f"mine{missing}").unlink()
    with pytest.raises(ValueError, match=rf"needs what a run has saved.*mine{missing}"):
        restore("mine", tmp_path)


def npz(*files: tuple[str, bytes]) -> bytes:
    """An archive put together by hand."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, member in files:
            archive.writestr(name, member)
    return content.getvalue()


def header(shape: tuple[int, ...], descr: str = "<f8") -> bytes:
    """The head of an array that says it is of a shape, and ends there."""
    content = io.BytesIO()
    np.lib.format.write_array_header_1_0(content, {"shape": shape, "fortran_order": False, "descr": descr})
    return content.getvalue()


BROKEN = {
    "json too deep": ("mine.json", lambda old: b"[" * 2000 + b"]" * 2000),
    "json of other types": (
        "mine.json",
        lambda old: old.replace(b'"seconds": {', b'"seconds": [{').replace(b"}", b"}]"),
    ),
    "json that is no text": ("mine.json", lambda old: b"\xff" + old),
    "arrays of 8 TB": ("mine.npz", lambda old: npz(("x.npy", header((10**12,))))),
    "arrays of objects": ("mine.npz", lambda old: npz(("x.npy", header((1,), "|O") + b"cos\nsystem\n."))),
    "json cut short": ("mine.json", lambda old: old[: len(old) // 2]),
    "json of something else": ("mine.json", lambda old: b"[1, 2]"),
    "json without checks": ("mine.json", lambda old: old.replace(b'"checks"', b'"cheques"')),
    "arrays of something else": ("mine.npz", lambda old: b"not arrays at all"),
    "arrays empty": ("mine.npz", lambda old: b""),
    "arrays cut short": ("mine.npz", lambda old: old[: len(old) // 2]),
}


@pytest.mark.parametrize(("name", "broken"), BROKEN.values(), ids=BROKEN)
def test_a_damaged_file_is_named(tmp_path: Path, data: FigureData, name: str, broken) -> None:
    save(data, tmp_path)
    path = tmp_path / name
    path.write_bytes(broken(path.read_bytes()))
    with pytest.raises(ValueError, match=r"saved data can't be read.*hpgrid reproduce mine again"):
        restore("mine", tmp_path)


def test_arrays_are_not_unpacked_to_more_than_a_figure_has(
    tmp_path: Path, data: FigureData, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(data, tmp_path)
    monkeypatch.setattr("hpgrid.paper.data._LARGEST", 2**20)
    (tmp_path / "mine.npz").write_bytes(npz(("x.npy", bytes(2**20)), ("y.npy", b"1")))
    with pytest.raises(ValueError, match=r"can't be read \(MemoryError\)"):
        restore("mine", tmp_path)


def test_any_bit_may_be_another(tmp_path: Path, data: FigureData) -> None:
    """Read all the same, or refused: never anything else."""
    save(data, tmp_path)
    rng, refused = np.random.default_rng(0), 0
    for name in ("mine.json", "mine.npz"):
        whole = (tmp_path / name).read_bytes()
        for place in rng.integers(8 * len(whole), size=150):
            damaged = bytearray(whole)
            damaged[place // 8] ^= 1 << int(place % 8)
            (tmp_path / name).write_bytes(damaged)
            try:
                restore("mine", tmp_path)
            except InputError:
                refused += 1
        (tmp_path / name).write_bytes(whole)
    assert refused > 50


def test_a_config_is_plain_data() -> None:
    plain = config_data(load(shipped("fig11")))
    assert json.loads(json.dumps(plain)) == plain
    assert plain["panels"][1]["fixed"] == {"alpha": 1e-3}


def test_a_record_leaves_nothing_to_a_default() -> None:
    """Constants that a config does not give, and the axes of its preset, are written out."""
    config = load(shipped("fig10"))
    proxy, grids = config.bound.build("T"), [config.grid.build(panel.axes) for panel in config.panels]
    bare = replace(config, bound=replace(config.bound, constants={}))
    data = config_data(bare, proxy, grids)
    assert data["bound"]["constants"] == {"C1": 1.0, "C2": 1.0, "C3": 1.0}
    assert data["panels"][0]["grid"]["eta"] == {"lo": 1.7e-6, "hi": 1.0, "n": 100}
    assert data["panels"][2]["grid"]["b"] == {"lo": 1.0, "hi": 1e15, "n": 100}
