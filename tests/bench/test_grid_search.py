"""The benchmark: contenders give one answer, a wrong one is caught, and the record has its keys."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from hpgrid.bench import contenders, grid_search, measure, report
from hpgrid.bench.agreement import EPS, compare, reference
from hpgrid.bench.contenders import CONTENDERS, Found, Loaded, axes_of
from hpgrid.grid import Grid

N = 7

#: Those that need nothing beyond hpgrid's own packages.
PLAIN = {name: contender for name, contender in CONTENDERS.items() if contender.package is None}

each_work = pytest.mark.parametrize("work", ["R1", "R4"])


@pytest.fixture(autouse=True)
def without_warming(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "_WARMING", 0.0)


def no_probe(name: str, work: str, n: int) -> measure.Fresh:
    """Stands for a first call in a process of its own."""
    return measure.Fresh(first_call_s=0.5, peak_mib=100.0 + n, imports_mib=90.0)


@each_work
@pytest.mark.parametrize("name", PLAIN)
def test_contenders_agree_with_the_bound_as_printed(work: str, name: str) -> None:
    grid = Grid.footnote(N)
    agreement = compare(CONTENDERS[name].load(work, grid).call(), reference(work, grid))
    assert agreement.holds
    assert agreement.cells == (N if work == "R1" else N**3)
    assert agreement.largest_eps <= 8


@each_work
def test_numba_agrees(work: str) -> None:
    pytest.importorskip("numba")
    for n in (2, 7, 8):  # the loop over eta takes two values at a time
        grid = Grid.footnote(n)
        assert compare(CONTENDERS["numba"].load(work, grid).call(), reference(work, grid)).holds


@each_work
def test_torch_agrees_where_it_cannot_be_compiled(work: str, monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")

    def no_compiler(function: object) -> object:
        def fail(*_: object) -> None:
            raise OSError("no compiler")

        return fail

    monkeypatch.setattr(torch, "compile", no_compiler)
    grid = Grid.footnote(N)
    ready = CONTENDERS["torch"].load(work, grid)
    assert ready.detail.startswith("eager (OSError in torch.compile)")
    assert compare(ready.call(), reference(work, grid)).holds


@each_work
def test_the_reference_is_a_loop_over_all_points(work: str) -> None:
    grid = Grid.footnote(4)
    eta, b, alpha, T = axes_of(grid)
    cube = contenders.bound(np.sqrt, *np.meshgrid(eta, b, alpha, T, indexing="ij"))
    expected = reference(work, grid)
    lines = cube.reshape(4, -1).T if work == "R4" else cube.reshape(-1, 4).T
    first, second = np.sort(lines, axis=-1)[:, :2].T
    assert np.array_equal(expected.found.risk.ravel(), first)
    assert np.array_equal(expected.clear.ravel(), second > first * (1 + 8 * EPS))
    place = lines.argmin(-1)
    index = (place,) if work == "R4" else np.unravel_index(place, (4, 4, 4))
    assert all(np.array_equal(a.ravel(), b) for a, b in zip(expected.found.index, index, strict=True))


def test_the_printed_expressions_are_those_that_are_timed() -> None:
    eta, b, alpha, T = 3e-4, 512.0, 0.0123, 1e9
    names = {"np": np, "eta": eta, "b": b, "alpha": alpha, "T": T, "C1": 1.0, "C2": 1.0, "C3": 1.0}
    assert eval(contenders.PRINTED, names) == contenders.bound(np.sqrt, eta, b, alpha, T)
    assert eval(contenders.FACTORED, names) == contenders.part_with_eta(eta, b, alpha, T)


def test_an_index_counts_only_where_the_best_is_clear() -> None:
    expected = reference("R4", Grid.footnote(N))
    found = expected.found
    moved = Found(found.risk, ((found.index[0] + 1) % N,))
    clear = int(expected.clear.sum())
    assert compare(moved, expected).wrong_indices == clear > 0
    blurred = replace(expected, clear=np.zeros_like(expected.clear))
    assert compare(moved, blurred).holds
    assert compare(moved, blurred).other_indices == N**3


@pytest.mark.parametrize(("factor", "holds"), [(1 + 7 * EPS, True), (1 + 20 * EPS, False), (np.nan, False)])
def test_values_must_agree_everywhere(factor: float, holds: bool) -> None:
    expected = reference("R1", Grid.footnote(N))
    off = Found(expected.found.risk * np.r_[factor, np.ones(N - 1)], expected.found.index)
    assert compare(off, expected).holds is holds
    assert compare(off, expected).wrong_values == int(not holds)


def test_an_answer_to_another_question_is_refused() -> None:
    with pytest.raises(ValueError, match=r"an answer of shape \(7, 7, 7\), where \(7,\) was asked for"):
        compare(reference("R4", Grid.footnote(N)).found, reference("R1", Grid.footnote(N)))


def test_a_contender_that_disagrees_stops_the_benchmark() -> None:
    def load(work: str, grid: Grid) -> Loaded:
        found = reference(work, grid).found
        return Loaded(lambda: Found(2 * found.risk, found.index), "wrong")

    wrong = replace(CONTENDERS["numpy_printed"], load=load)
    few = {"hpgrid": CONTENDERS["hpgrid"], "numpy_printed": wrong}
    with pytest.raises(grid_search.Failed, match=r"numpy_printed disagrees .* on R1: .* 7 another value"):
        grid_search.measure("R1", N, 1, contenders=few, probe=no_probe)


def test_hpgrid_must_run_and_others_are_skipped_with_a_reason() -> None:
    def probe(name: str, work: str, n: int) -> measure.Fresh | str:
        return "out of memory" if name != "hpgrid" or n > N else no_probe(name, work, n)

    few = {name: CONTENDERS[name] for name in ("numpy_printed", "hpgrid")}
    outcome = grid_search.measure("R4", N, 1, contenders=few, probe=probe)
    assert outcome.skipped == {"numpy_printed": "out of memory"}
    assert report.table(outcome).splitlines()[-1] == "NumPy, as printed   skipped: out of memory"
    with pytest.raises(grid_search.Failed, match="hpgrid can't run: out of memory"):
        grid_search.measure("R1", N, 1, contenders=few, probe=probe)  # not at 2n


def test_who_cannot_run_is_known_beforehand() -> None:
    absent = replace(CONTENDERS["numba"], package="no_such_package")
    assert contenders.why_not(absent, N) == "no_such_package is not installed"
    assert contenders.why_not(CONTENDERS["vmaps"], 100) is None
    assert contenders.why_not(CONTENDERS["vmaps"], 200) == "its cube of all points may take 12 GiB"


def test_every_round_times_each_once_after_an_untimed_call_and_starts_with_another() -> None:
    order: list[str] = []
    calls = {name: partial(order.append, name) for name in "abc"}
    seconds = measure.interleaved(calls, 3)
    assert order == list("aabbcc" + "bbccaa" + "ccaabb")
    assert {name: len(times) for name, times in seconds.items()} == {"a": 3, "b": 3, "c": 3}


def test_a_row_holds_medians_and_paired_ratios() -> None:
    expected = reference("R1", Grid.footnote(N))
    agreement = compare(expected.found, expected)
    first = no_probe("", "", N)
    row = report.row("", [2.0, 9.0, 4.0], [1.0, 2.0, 4.0], 100, first=first, agreement=agreement)
    assert (row.median_s, row.ratio, row.paired_ratio, row.points_per_s) == (4.0, 2.0, 2.0, 25.0)


def test_a_first_call_is_measured_in_a_process_of_its_own() -> None:
    first = measure.fresh("numpy_factored", "R1", N)
    assert isinstance(first, measure.Fresh)
    assert first.first_call_s > 0
    assert 0 < first.imports_mib <= first.peak_mib
    assert measure.fresh("nobody", "R1", N) == "its first call failed: KeyError: 'nobody'"


def test_the_command_prints_tables_and_writes_a_whole_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    few = {**PLAIN, "torch": replace(CONTENDERS["torch"], package="no_such_package")}
    monkeypatch.setattr(grid_search, "measure", partial(grid_search.measure, contenders=few, probe=no_probe))
    target = tmp_path / "grid_search.json"
    assert grid_search.main(["--n", str(N), "--runs", "2", "--json", str(target)]) == 0
    shown = capsys.readouterr().out
    for text in (contenders.PRINTED, contenders.FACTORED, "R1: best (eta, b, alpha)", "R4: best eta", "skipped"):
        assert text in shown
    assert "hpgrid at n = 14, 16 times the points: peak 114 MiB, 1.07 times that at n = 7." in shown
    assert [path.name for path in tmp_path.iterdir()] == ["grid_search.json"]
    record = json.loads(target.read_text())
    assert {"schema", "cpu", "device", "versions", "runs", "works", "expressions"} <= set(record)
    assert {"numpy", "jax", "hpgrid", "torch", "numba"} <= set(record["versions"])
    for work in ("R1", "R4"):
        found = record["works"][work]
        assert (found["n"], found["points"]) == (N, N**4)
        assert found["skipped"] == {"torch": "no_such_package is not installed"}
        assert set(found["contenders"]) == set(PLAIN)
        for row in found["contenders"].values():
            assert {"median_s", "ratio", "paired_ratio", "points_per_s", "detail"} <= set(row)
            assert set(row["first"]) == {"first_call_s", "peak_mib", "imports_mib"}
            assert row["agreement"]["wrong_indices"] == row["agreement"]["wrong_values"] == 0
            assert len(row["seconds"]) == 2
        assert found["contenders"]["hpgrid"]["ratio"] == found["contenders"]["hpgrid"]["paired_ratio"] == 1
    assert record["works"]["R1"]["doubled"]["n"] == 2 * N
    assert record["works"]["R4"]["doubled"] is None


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--n", "ten"], "error: argument --n: a whole number, 1 or more, not 'ten'"),
        (["--n", "1"], "error: --n is from 2 to 300, not 1"),
        (["--n", "1000"], "error: --n is from 2 to 300, not 1000"),
        (["--runs", "0"], "error: argument --runs: a whole number, 1 or more, not '0'"),
        (["--only", "R2"], "error: argument --only: invalid choice: 'R2'"),
        (["--json", "no/such/folder/x.json"], "error: --json needs a file in a folder that can be written to"),
        (["--fast"], "error: unrecognized arguments: --fast"),
    ],
)
def test_bad_input_is_one_line_and_status_2(argv: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        grid_search.main(argv)
    assert ended.value.code == 2
    captured = capsys.readouterr()
    assert captured.err.startswith(message)
    assert captured.err.count("\n") == 1
    assert not captured.out


def test_what_fails_later_is_one_line_and_status_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise grid_search.Failed("numba disagrees")

    monkeypatch.setattr(grid_search, "measure", fail)
    assert grid_search.main(["--only", "R4"]) == 1
    assert capsys.readouterr().err == "error: numba disagrees\n"


def test_hpgrid_does_not_load_its_benchmarks_nor_they_what_is_optional() -> None:
    code = "import sys, hpgrid, hpgrid.search; print('hpgrid.bench' in sys.modules); "
    code += "import hpgrid.bench.grid_search; print({'torch', 'numba', 'matplotlib'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split("\n")[:2] == ["False", "set()"]
