"""What is written: whole files or none, and plain JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from hpgrid.record import made_with, make_folder, write_arrays, write_json, write_whole


@dataclass
class Point:
    x: float
    y: float


class Named(NamedTuple):
    power: Fraction
    at: Point


def test_a_whole_file_takes_the_old_ones_place(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    for content in (b"old", b"new"):
        write_whole(path, lambda file, content=content: file.write(content))
        assert path.read_bytes() == content
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]
    (tmp_path / "new").touch()
    assert path.stat().st_mode == (tmp_path / "new").stat().st_mode  # readable by others, as any new file


@pytest.mark.parametrize("old", [None, b"old"])
@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_a_failure_leaves_what_was_there(tmp_path: Path, old: bytes | None, error: type[BaseException]) -> None:
    def half_way(file) -> None:
        file.write(b"half")
        raise error

    path = tmp_path / "a.txt"
    if old is not None:
        path.write_bytes(old)
    with pytest.raises(error):
        write_whole(path, half_way)
    assert [p.read_bytes() for p in tmp_path.iterdir()] == [c for c in [old] if c is not None]
    with pytest.raises(ValueError, match=r"folder must be writable.*No such file"):
        write_whole(tmp_path / "nowhere" / "a.txt", half_way)


def test_make_folder_makes_it_and_leaves_it_empty(tmp_path: Path) -> None:
    for _ in range(2):
        make_folder(tmp_path / "a" / "b")
        assert not any((tmp_path / "a" / "b").iterdir())


@pytest.mark.parametrize("below", ["", "out"])
def test_a_file_is_no_folder(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").write_bytes(b"content")
    with pytest.raises(ValueError, match="folder must be writable"):
        make_folder(tmp_path / "file" / below)
    assert (tmp_path / "file").read_bytes() == b"content"


def test_json_is_plain_and_what_it_lacks_is_null(tmp_path: Path) -> None:
    given = {
        "nan": float("nan"),
        "infinite": [np.inf, -np.inf, 1.5],
        "array": np.array([[1.0, np.nan]]),
        "scalars": (np.float64(2.5), np.int32(3), np.bool_(True), np.float32("inf")),
        "other": Fraction(-7, 12),
        "records": (Point(1.0, np.nan), Named(Fraction(1, 2), Point(np.inf, 2.0))),
        3: None,
    }
    write_json(tmp_path / "a.json", given)
    text = (tmp_path / "a.json").read_text()
    assert json.loads(text) == {
        "nan": None,
        "infinite": [None, None, 1.5],
        "array": [[1.0, None]],
        "scalars": [2.5, 3, True, None],
        "other": "-7/12",
        "records": [{"x": 1.0, "y": None}, {"power": "1/2", "at": {"x": None, "y": 2.0}}],
        "3": None,
    }
    assert text.endswith("}\n")


def test_arrays_come_back_bit_for_bit(tmp_path: Path) -> None:
    arrays = {"a": np.array([0.1, np.nan, np.inf]), "edge": np.array([True, False]), "empty": np.empty((0, 2))}
    write_arrays(tmp_path / "a.npz", arrays)
    with np.load(tmp_path / "a.npz", allow_pickle=False) as stored:
        assert set(stored.files) == set(arrays)
        for name, array in arrays.items():
            np.testing.assert_array_equal(stored[name], array, strict=True)


def test_made_with_says_what_decides_the_bits() -> None:
    made = made_with("float32")
    assert made["dtype"] == "float32"
    assert made["device"]["count"] >= 1
    assert made["versions"]["numpy"] == np.__version__
    assert set(made["versions"]) == {"python", "hpgrid", "jax", "jaxlib", "numpy", "matplotlib"}
