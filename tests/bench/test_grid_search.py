"""The benchmark's parts: contenders give one answer, a wrong one is caught, and each is timed in turn."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from hpgrid.bench import contenders, grid_search, measure, problem, report
from hpgrid.bench.agreement import EPS, compare, reference
from hpgrid.bench.ceilings import Ceiling
from hpgrid.bench.contenders import CONTENDERS
from hpgrid.bench.problem import Found, Loaded, axes_of
from hpgrid.bench.works import WORKS
from hpgrid.grid import Grid

N = 7

#: Those that need nothing beyond hpgrid's own packages.
PLAIN = {name: contender for name, contender in CONTENDERS.items() if contender.package is None}

#: Stands for the device's ceilings: calls that do so much, and take a while.
LIMITS = {name: Ceiling(partial(time.sleep, 1e-4), 1e6) for name in ("arithmetic", "memory")}

each_work = pytest.mark.parametrize("work", WORKS)


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
    assert agreement.cells == N ** (1 + len(WORKS[work].kept))
    assert agreement.largest_eps <= 8


@each_work
def test_numba_agrees(work: str) -> None:
    pytest.importorskip("numba")
    for n in (2, 7, 8):  # the loop over eta takes two values at a time
        grid = Grid.footnote(n)
        assert compare(CONTENDERS["numba"].load(work, grid).call(), reference(work, grid)).holds


@each_work
@pytest.mark.parametrize("name", ["numexpr", "numexpr_factored"])
def test_numexpr_agrees(work: str, name: str) -> None:
    pytest.importorskip("numexpr")
    grid = Grid.footnote(N)
    assert compare(CONTENDERS[name].load(work, grid).call(), reference(work, grid)).holds


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
    axes = dict(zip(("eta", "b", "alpha", "T"), axes_of(Grid.footnote(4))))
    over, kept = WORKS[work].over, (*WORKS[work].kept, "T")
    expected = reference(work, Grid.footnote(4))
    for cell in np.ndindex(*(4 for _ in kept)):
        at = {name: axes[name][k] for name, k in zip(kept, cell)}
        risks = {}
        for place in np.ndindex(*(4 for _ in over)):
            at |= {name: axes[name][k] for name, k in zip(over, place)}
            risks[place] = problem.bound(np.sqrt, at["eta"], at["b"], at["alpha"], at["T"])
        best, second = sorted(risks.values())[:2]
        assert expected.found.risk[cell] == best
        assert expected.clear[cell] == (second > best * (1 + 8 * EPS))
        assert tuple(index[cell] for index in expected.found.index) == min(risks, key=lambda place: risks[place])


def test_the_printed_expressions_are_those_that_are_timed() -> None:
    eta, b, alpha, T = 3e-4, 512.0, 0.0123, 1e9
    names = {"np": np, "eta": eta, "b": b, "alpha": alpha, "T": T, "C1": 1.0, "C2": 1.0, "C3": 1.0}
    assert eval(problem.PRINTED, names) == problem.bound(np.sqrt, eta, b, alpha, T)
    assert eval(problem.FACTORED, names) == problem.part_with_eta(eta, b, alpha, T)


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
        grid_search.measure("R1", N, 1, limits=LIMITS, contenders=few, probe=no_probe)


def test_hpgrid_must_run_and_others_are_skipped_with_a_reason() -> None:
    def probe(name: str, work: str, n: int) -> measure.Fresh | str:
        return "out of memory" if name != "hpgrid" or n > N else no_probe(name, work, n)

    few = {name: CONTENDERS[name] for name in ("numpy_printed", "hpgrid")}
    outcome = grid_search.measure("R4", N, 1, limits=LIMITS, contenders=few, probe=probe)
    assert outcome.skipped == {"numpy_printed": "out of memory"}
    assert report.table(outcome).splitlines()[-1] == "NumPy, as printed   skipped: out of memory"
    with pytest.raises(grid_search.Failed, match="hpgrid can't run: out of memory"):
        grid_search.measure("R1", N, 1, limits=LIMITS, contenders=few, probe=probe)  # not at 2n


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


def test_who_would_need_hours_is_not_timed() -> None:
    def probe(name: str, work: str, n: int) -> measure.Fresh:
        return replace_first(no_probe(name, work, n), 900.0 if name == "numpy_printed" else 1.0)

    few = {name: CONTENDERS[name] for name in ("numpy_printed", "hpgrid")}
    firsts, skipped = grid_search.first_calls("R4", N, 7, few, probe)
    assert set(firsts) == {"hpgrid"}
    assert skipped == {"numpy_printed": "its first call took 900 s, so that 7 rounds would take some 3.5 hours"}
    assert grid_search.too_slow(250.0, 7) is None


def replace_first(first: measure.Fresh, seconds: float) -> measure.Fresh:
    return first._replace(first_call_s=seconds)


def test_what_is_reached_of_a_ceiling_is_its_floor_over_the_fastest_round() -> None:
    few = {"hpgrid": CONTENDERS["hpgrid"]}
    outcome = grid_search.measure("R4", N, 2, limits=LIMITS, contenders=few, probe=no_probe)
    fastest = min(outcome.rows["hpgrid"].seconds)
    need = outcome.count
    for name, amount in (("arithmetic", need.operations), ("memory", need.bytes), ("handed on", need.moved)):
        ceiling = outcome.ceilings["arithmetic" if name == "arithmetic" else "memory"]
        assert outcome.reached[name] == pytest.approx(N**4 * amount / fastest / ceiling, rel=1e-12)
    assert all(0 < rate <= 1e6 / 1e-4 for rate in outcome.ceilings.values())  # no call is shorter than its sleep


def test_first_calls_are_made_before_this_process_takes_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []

    def probe(name: str, work: str, n: int) -> measure.Fresh:
        order.append(f"{work} {n}")
        return no_probe(name, work, n)

    def limits() -> dict[str, Ceiling]:
        order.append("device")
        return LIMITS

    monkeypatch.setattr(grid_search, "ceilings", limits)
    few = {"hpgrid": CONTENDERS["hpgrid"]}
    outcomes = grid_search.run(["R1", "R3"], [3, 4], 1, contenders=few, probe=probe, say=lambda _: None)
    assert order == ["R1 3", "R1 6", "R1 4", "R1 8", "R3 3", "R3 4", "device"]
    assert [(outcome.work, outcome.n) for outcome in outcomes] == [("R1", 3), ("R1", 4), ("R3", 3), ("R3", 4)]


def test_a_device_s_memory_has_a_column_where_there_is_one() -> None:
    few = {"hpgrid": CONTENDERS["hpgrid"]}
    outcome = grid_search.measure("R4", 3, 1, limits=LIMITS, contenders=few, probe=no_probe)
    assert "device MiB" not in report.table(outcome)
    row = outcome.rows["hpgrid"]
    on_gpu = replace(outcome, rows={"hpgrid": replace(row, first=row.first._replace(device_mib=77.0))})
    heading, line = report.table(on_gpu).splitlines()
    assert "device MiB" in heading
    assert line.split()[-2:] == ["77", "cpu"]


def test_hpgrid_does_not_load_its_benchmarks_nor_they_what_is_optional() -> None:
    code = "import sys, hpgrid, hpgrid.search.brute; print('hpgrid.bench' in sys.modules); "
    code += "import hpgrid.bench.grid_search; print({'torch', 'numba', 'numexpr', 'matplotlib'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split("\n")[:2] == ["False", "set()"]
