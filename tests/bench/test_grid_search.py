"""The benchmark's parts: contenders give one answer, a wrong one is caught, and each is timed in turn."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from hpgrid.bench import fine_grids, grid_search, harness, tasks
from hpgrid.bench.harness import EPS, Answer, Fresh, Ready, axes_of, compare, reference
from hpgrid.bench.roofline import Ceiling
from hpgrid.bench.tasks import CONTENDERS, TASKS, Contender
from hpgrid.grid import Grid

N = 7

#: Stands for the device's ceilings: calls that do so much, and take a while.
LIMITS = {name: Ceiling(partial(time.sleep, 1e-4), 1e6) for name in ("arithmetic", "memory")}

each_task = pytest.mark.parametrize("task", TASKS)

ALONE = {"hpgrid": CONTENDERS["hpgrid"]}
TWO = {"numpy_printed": CONTENDERS["numpy_printed"], **ALONE}


def no_probe(name: str, task: str, n: int) -> Fresh:
    """Stands for a first call in a process of its own."""
    return Fresh(first_call_s=0.5, peak_mib=100.0 + n, imports_mib=90.0)


#: What takes its time to compile, or to start.
SLOW = {name: [pytest.mark.thorough] if each.package or name == "vmaps" else [] for name, each in CONTENDERS.items()}


@each_task
@pytest.mark.parametrize("name", [pytest.param(name, marks=SLOW[name]) for name in CONTENDERS if name != "torch"])
def test_contenders_agree_with_the_bound_as_printed(task: str, name: str) -> None:
    package = CONTENDERS[name].package
    if package:
        pytest.importorskip(package)
    for n in (2, N, 8) if name == "numba" else (N,):  # its loop over eta takes two values at a time
        grid = Grid.footnote(n)
        agreement = compare(CONTENDERS[name].load(task, grid).call(), reference(task, grid))
        assert agreement.holds
        assert agreement.cells == n ** (1 + len(TASKS[task].remaining))
        assert agreement.largest_eps <= 8


@each_task
def test_torch_agrees_where_it_cannot_be_compiled(task: str, monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")

    def no_compiler(function: object) -> object:
        def fail(*_: object) -> None:
            raise OSError("no compiler")

        return fail

    monkeypatch.setattr(torch, "compile", no_compiler)
    grid = Grid.footnote(N)
    ready = CONTENDERS["torch"].load(task, grid)
    assert ready.detail.startswith("eager (OSError in torch.compile)")
    assert compare(ready.call(), reference(task, grid)).holds


@each_task
def test_the_reference_is_a_loop_over_all_points(task: str) -> None:
    axes = dict(zip(("eta", "b", "alpha", "T"), axes_of(Grid.footnote(4))))
    over, kept = TASKS[task].over, (*TASKS[task].remaining, "T")
    expected = reference(task, Grid.footnote(4))
    for cell in np.ndindex(*(4 for _ in kept)):
        at = {name: axes[name][k] for name, k in zip(kept, cell)}
        risks = {}
        for place in np.ndindex(*(4 for _ in over)):
            at |= {name: axes[name][k] for name, k in zip(over, place)}
            risks[place] = harness.bound(np.sqrt, at["eta"], at["b"], at["alpha"], at["T"])
        best, second = sorted(risks.values())[:2]
        assert expected.answer.risk[cell] == best
        assert expected.clear[cell] == (second > best * (1 + 8 * EPS))
        assert tuple(index[cell] for index in expected.answer.index) == min(risks, key=lambda place: risks[place])


def test_the_printed_expressions_are_those_that_are_timed() -> None:
    eta, b, alpha, T = 3e-4, 512.0, 0.0123, 1e9
    names = {"np": np, "eta": eta, "b": b, "alpha": alpha, "T": T, "C1": 1.0, "C2": 1.0, "C3": 1.0}
    assert eval(harness.PRINTED, names) == harness.bound(np.sqrt, eta, b, alpha, T)
    assert eval(harness.FACTORED, names) == harness.part_with_eta(eta, b, alpha, T)


def test_an_index_counts_only_where_the_best_is_clear() -> None:
    expected = reference("R4", Grid.footnote(N))
    found = expected.answer
    moved = Answer(found.risk, ((found.index[0] + 1) % N,))
    clear = int(expected.clear.sum())
    assert compare(moved, expected).wrong_indices == clear > 0
    blurred = replace(expected, clear=np.zeros_like(expected.clear))
    assert compare(moved, blurred).holds
    assert compare(moved, blurred).other_indices == N**3


@pytest.mark.parametrize(("factor", "holds"), [(1 + 7 * EPS, True), (1 + 20 * EPS, False), (np.nan, False)])
def test_values_must_agree_everywhere(factor: float, holds: bool) -> None:
    expected = reference("R1", Grid.footnote(N))
    off = Answer(expected.answer.risk * np.r_[factor, np.ones(N - 1)], expected.answer.index)
    assert compare(off, expected).holds is holds
    assert compare(off, expected).wrong_values == int(not holds)


def test_an_answer_to_another_question_is_refused() -> None:
    with pytest.raises(ValueError, match=r"an answer of shape \(7, 7, 7\), where \(7,\) was asked for"):
        compare(reference("R4", Grid.footnote(N)).answer, reference("R1", Grid.footnote(N)))


def test_a_contender_that_disagrees_stops_the_benchmark() -> None:
    class Wrong(Contender):
        def load(self, task: str, grid: Grid) -> Ready:
            answer = reference(task, grid).answer
            return Ready(lambda: replace(answer, risk=2 * answer.risk), "wrong")

    few = {**ALONE, "numpy_printed": Wrong("numpy_printed", "NumPy, as printed", "")}
    with pytest.raises(grid_search.Failed, match=r"numpy_printed disagrees .* on R1: .* 7 another value"):
        grid_search.measure("R1", N, 1, limits=LIMITS, contenders=few, probe=no_probe)


def test_hpgrid_must_run_and_others_are_skipped_with_a_reason() -> None:
    def probe(name: str, task: str, n: int) -> Fresh | str:
        return "out of memory" if name != "hpgrid" or n > N else no_probe(name, task, n)

    outcome = grid_search.measure("R4", N, 1, limits=LIMITS, contenders=TWO, probe=probe)
    assert outcome.skipped == {"numpy_printed": "out of memory"}
    assert grid_search.table(outcome).splitlines()[-1] == "NumPy, as printed: skipped, out of memory"
    with pytest.raises(grid_search.Failed, match="hpgrid can't run: out of memory"):
        grid_search.measure("R1", N, 1, limits=LIMITS, contenders=TWO, probe=probe)  # not at 2n


def test_who_cannot_run_is_known_beforehand() -> None:
    absent = replace(CONTENDERS["numba"], package="no_such_package")
    assert tasks.why_not(absent, N) == "no_such_package is not installed"
    assert tasks.why_not(CONTENDERS["vmaps"], 100) is None
    assert tasks.why_not(CONTENDERS["vmaps"], 200) == "its cube of all points may take 12 GiB"


def test_every_round_times_each_once_after_an_untimed_call_and_starts_with_another() -> None:
    order: list[str] = []
    calls = {name: partial(order.append, name) for name in "abc"}
    seconds = harness.interleaved(calls, 3)
    assert order == list("aabbcc" + "bbccaa" + "ccaabb")
    assert {name: len(times) for name, times in seconds.items()} == {"a": 3, "b": 3, "c": 3}


def test_a_row_holds_medians_and_paired_ratios() -> None:
    expected = reference("R1", Grid.footnote(N))
    agreement = compare(expected.answer, expected)
    first = no_probe("", "", N)
    row = grid_search.row("", [2.0, 9.0, 4.0], [1.0, 2.0, 4.0], 100, first, agreement)
    assert (row.median_s, row.ratio, row.paired_ratio, row.points_per_s) == (4.0, 2.0, 2.0, 25.0)


def test_a_first_call_is_measured_in_a_process_of_its_own() -> None:
    first = harness.fresh("numpy_factored", "R1", N)
    assert isinstance(first, Fresh)
    assert first.first_call_s > 0
    assert 0 < first.imports_mib <= first.peak_mib
    assert harness.fresh("nobody", "R1", N) == "its first call failed: KeyError: 'nobody'"


def test_who_would_need_hours_is_not_timed() -> None:
    def probe(name: str, task: str, n: int) -> Fresh:
        return no_probe(name, task, n)._replace(first_call_s=900.0 if name == "numpy_printed" else 1.0)

    firsts, skipped = grid_search.first_calls("R4", N, 7, TWO, probe)
    assert set(firsts) == {"hpgrid"}
    assert skipped == {"numpy_printed": "its first call took 900 s, so that 7 rounds would take some 3.5 hours"}
    assert grid_search.too_slow(250.0, 7) is None


def test_what_is_reached_of_a_ceiling_is_its_floor_over_the_fastest_round() -> None:
    outcome = grid_search.measure("R4", N, 2, limits=LIMITS, contenders=ALONE, probe=no_probe)
    fastest = min(outcome.rows["hpgrid"].seconds)
    need = outcome.count
    for name, amount in (("arithmetic", need.operations), ("memory", need.bytes), ("handed on", need.moved)):
        ceiling = outcome.ceilings["arithmetic" if name == "arithmetic" else "memory"]
        assert outcome.reached[name] == pytest.approx(N**4 * amount / fastest / ceiling, rel=1e-12)
    assert all(0 < rate <= 1e6 / 1e-4 for rate in outcome.ceilings.values())  # no call is shorter than its sleep


def test_first_calls_are_made_before_this_process_takes_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []

    def probe(name: str, task: str, n: int) -> Fresh:
        order.append(f"{task} {n}")
        return no_probe(name, task, n)

    def limits() -> dict[str, Ceiling]:
        order.append("device")
        return LIMITS

    monkeypatch.setattr(grid_search, "ceilings", limits)
    outcomes = grid_search.run(["R1", "R4"], [5, 7], 1, contenders=ALONE, probe=probe, say=lambda _: None)
    assert order == ["R1 5", "R1 10", "R1 7", "R1 14", "R4 5", "R4 7", "device"]
    assert [(outcome.task, outcome.n) for outcome in outcomes] == [("R1", 5), ("R1", 7), ("R4", 5), ("R4", 7)]


def test_a_device_s_memory_has_a_column_where_there_is_one() -> None:
    outcome = grid_search.measure("R4", N, 1, limits=LIMITS, contenders=ALONE, probe=no_probe)
    assert "device MiB" not in grid_search.table(outcome)
    row = outcome.rows["hpgrid"]
    on_gpu = replace(outcome, rows={"hpgrid": replace(row, first=row.first._replace(device_mib=77.0))})
    heading, line = grid_search.table(on_gpu).splitlines()
    assert "device MiB" in heading
    assert line.split()[-2:] == ["77", "cpu"]


def test_hpgrid_does_not_load_its_benchmarks_nor_they_what_is_optional() -> None:
    code = "import sys, hpgrid, hpgrid.search.brute; print('hpgrid.bench' in sys.modules); "
    code += "import hpgrid.bench.grid_search; print({'torch', 'numba', 'numexpr', 'matplotlib'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split("\n")[:2] == ["False", "set()"]


def test_fine_grids_are_searched_in_a_process_of_their_own_and_verified(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fine_grids, "fresh", lambda name, task, n: no_probe(name, task, n))
    text, record = fine_grids.report(2, (("R1", 12), ("R4", 5)))
    assert [(one["n"], len(one["seconds"])) for one in record.values()] == [(12, 2), (5, 2)]
    assert "12^4" in text
    assert record["R1"]["verified_with"] < 12**4
    monkeypatch.setattr(fine_grids, "fresh", lambda *_: "out of memory")
    with pytest.raises(SystemExit, match="out of memory"):
        fine_grids.report(1)
