"""``hpgrid bench``: its tables, record and plot, and what it refuses."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from commands import Capture, loaded, status
from jsonschema import Draft202012Validator

from hpgrid.bench import fine_grids, grid_search, harness, many_constants
from hpgrid.bench.roofline import Ceiling, ceilings
from hpgrid.bench.tasks import CONTENDERS, TASKS
from hpgrid.cli import bench
from hpgrid.schemas import schema

N = 5

FEW = {name: CONTENDERS[name] for name in ("numpy_printed", "numpy_factored", "hpgrid")}
FEW["torch"] = replace(CONTENDERS["torch"], package="no_such_package")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    def fresh(name: str, task: str, n: int) -> harness.Fresh:
        return harness.Fresh(first_call_s=0.5, peak_mib=100.0 + n, imports_mib=90.0)

    def small() -> Any:
        return {name: Ceiling(limit.call, limit.amount) for name, limit in ceilings(2**10, 2**10).items()}

    monkeypatch.setattr(harness, "_WARMING", 0.0)
    monkeypatch.setattr(grid_search, "fresh", fresh)
    monkeypatch.setattr(grid_search, "ceilings", small)
    monkeypatch.setattr(bench, "CONTENDERS", FEW)


def test_it_prints_tables_and_writes_a_whole_record_and_a_plot(tmp_path: Path, capsys: Capture) -> None:
    target, picture = tmp_path / "made" / "bench.json", tmp_path / "made" / "bench.png"
    arguments = ("--only", "R4,R1", "--n", f"{N + 2},{N}", "--runs", 2, "--json", target, "--plot", picture)
    assert status("bench", *arguments) == 0
    first, _, head, *rows = capsys.readouterr().out.splitlines()
    assert first.startswith("All answers agree. The fastest of the others takes ")
    assert head.split("  ")[0] == "how many times as long"
    assert [line.split("  ")[0] for line in rows[:4]] == [
        "hpgrid, brute force, ms", "NumPy, as printed", "NumPy, factored by hand", CONTENDERS["torch"].label,
    ]  # fmt: skip
    assert status("bench", *arguments, "--details") == 0
    shown = capsys.readouterr().out
    for text in (harness.PRINTED, harness.FACTORED, "skipped, no_such_package is not installed", "Reached"):
        assert text in shown
    for task in ("R1", "R4"):
        assert f"{task}: {TASKS[task].asks}; {N}^4 points, 2 runs, float64" in shown
    assert "hpgrid at n = 10, 16 times the points: peak 110 MiB, 1.05 times that at n = 5." in shown
    assert sorted(path.name for path in target.parent.iterdir()) == ["bench.json", "bench.png"]
    assert picture.read_bytes().startswith(b"\x89PNG")
    record = json.loads(target.read_text())
    Draft202012Validator(schema("bench")).validate(record)
    assert {"schema", "cpu", "device", "versions", "runs", "results", "expressions", "sweeps"} <= set(record)
    assert {"numpy", "jax", "hpgrid", "torch", "numba", "numexpr"} <= set(record["versions"])
    assert [(found["work"], found["n"]) for found in record["results"]] == [("R1", 5), ("R1", 7), ("R4", 5), ("R4", 7)]
    for found in record["results"]:
        _check(found)


def _check(found: dict[str, Any]) -> None:
    assert found["points"] == found["n"] ** 4
    assert found["skipped"] == {"torch": "no_such_package is not installed"}
    assert set(found["contenders"]) == set(FEW) - {"torch"}
    for row in found["contenders"].values():
        assert {"median_s", "ratio", "paired_ratio", "points_per_s", "detail"} <= set(row)
        assert set(row["first"]) == {"first_call_s", "peak_mib", "imports_mib", "device_mib"}
        assert row["agreement"]["wrong_indices"] == row["agreement"]["wrong_values"] == 0
        assert len(row["seconds"]) == 2
    assert found["contenders"]["hpgrid"]["ratio"] == found["contenders"]["hpgrid"]["paired_ratio"] == 1
    assert set(found["per_point"]) == {"operations", "bytes", "handed", "at_once"}
    assert set(found["ceilings_per_s"]) == {"arithmetic", "memory"}
    assert set(found["reached"]) == {"arithmetic", "memory", "handed on"}
    assert (found["doubled"] or {}).get("n") == (2 * found["n"] if found["work"] == "R1" else None)


def test_hpgrid_takes_part_whoever_else_is_named(capsys: Capture) -> None:
    assert status("bench", "--only", "R2", "--n", N, "--runs", 1, "--contenders", "numpy_factored", "--details") == 0
    shown = capsys.readouterr().out
    assert CONTENDERS["hpgrid"].label in shown
    assert "NumPy, factored by hand" in shown
    assert "NumPy, as printed" not in shown
    assert "sweep" not in shown


def test_a_sweep_is_one_more_work(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setattr(many_constants, "report", lambda n, runs: (f"1000 triples at n = {n}, {runs} runs", {"n": n}))
    assert status("bench", "--only", "sweep", "--n", "5,6", "--runs", 3) == 0
    assert capsys.readouterr().out == "\n".join(f"1000 triples at n = {n}, 3 runs\n" for n in (5, 6))


def test_fine_grids_are_one_more_work(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setattr(fine_grids, "report", lambda runs: (f"1000^4 points, {runs} runs", {}))
    assert status("bench", "--only", "fine", "--runs", 3) == 0
    assert capsys.readouterr().out == "1000^4 points, 3 runs\n"


def test_what_searches_need_is_said_without_measuring(capsys: Capture) -> None:
    assert status("bench", "--needs", "--only", "R1,R4,sweep", "--n", "100") == 0
    heading, *lines = capsys.readouterr().out.splitlines()
    assert heading.split()[:5] == ["work", "n", "dtype", "operations", "bytes"]
    assert [line.split()[:3] for line in lines] == [[w, "100", d] for d in ("float64", "float32") for w in ("R1", "R4")]
    # By hand, in float64: 4 operations at every point, 11 for each line of 100 (12 where lines are compared).
    assert [line.split()[3] for line in lines[:2]] == ["4.12", "4.11"]


def test_contenders_that_disagree_are_one_line_and_status_1(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Capture
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise grid_search.Failed("numba disagrees")

    monkeypatch.setattr(grid_search, "run", fail)
    assert status("bench", "--only", "R4", "--json", tmp_path / "bench.json") == 1
    assert capsys.readouterr().err.splitlines()[1:] == ["hpgrid: error: numba disagrees"]  # after how long it takes
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("arguments", "code"), [(("--help",), 0), (("--n", "1"), 2)])
def test_help_and_mistakes_load_nothing_slow(arguments: tuple[str, ...], code: int) -> None:
    assert loaded("bench", *arguments, code=code) <= {"rich"}


def test_the_benchmark_s_file_is_the_command() -> None:
    front = Path(bench.__file__).parents[2] / "benchmarks" / "grid_search.py"
    done = subprocess.run([sys.executable, front, "--n", "1"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 2
    assert done.stderr.startswith("hpgrid: error: --n is a whole number, from 2 to 300.")
