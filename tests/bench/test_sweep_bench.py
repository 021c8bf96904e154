"""The benchmark of a sweep: contenders give one answer, a wrong one is caught, and growth is measured."""

from __future__ import annotations

import json

import numpy as np
import pytest

from hpgrid import Grid
from hpgrid.bench import measure, sweep

GRID, TRIPLES = Grid.footnote(7), sweep.triples_of(3)


@pytest.fixture(autouse=True)
def without_warming(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "_WARMING", 0.0)


@pytest.mark.parametrize("name", sweep.CONTENDERS)
def test_contenders_agree_with_single_searches(name: str) -> None:
    found, expected = sweep.CONTENDERS[name].call(GRID, TRIPLES), sweep.singly(GRID, TRIPLES)
    assert found.risk.shape == (3, 7)
    assert sweep.disagreement(found, expected, GRID, TRIPLES) == 0


def test_another_value_or_another_place_is_a_disagreement() -> None:
    expected = sweep.singly(GRID, TRIPLES)
    assert sweep.disagreement(expected._replace(risk=2 * expected.risk), expected, GRID, TRIPLES) == 21
    moved = (expected.places + 1) % 7
    assert sweep.disagreement(expected._replace(places=moved), expected, GRID, TRIPLES) == 21


def test_a_contender_that_disagrees_stops_the_benchmark(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = sweep.CONTENDERS["NumPy, as printed"]._replace(
        call=lambda grid, triples: sweep.Found(np.ones((len(triples), 7)), np.zeros((3, len(triples), 7), int))
    )
    monkeypatch.setitem(sweep.CONTENDERS, "NumPy, as printed", wrong)
    with pytest.raises(SystemExit, match="NumPy, as printed disagrees with single searches in 14 of 14 cells"):
        sweep.run(4, 2, 7, 1)


def test_the_table_has_a_line_for_each_and_ratios_to_the_exact_search() -> None:
    timed = sweep.run(4, 2, 7, 1)
    header, *lines = sweep.table(timed).splitlines()
    assert header.split()[:4] == ["contender", "ms", "a", "triple"]
    assert len(lines) == len(sweep.CONTENDERS)
    assert float(lines[0][37:46]) == timed[sweep.EXACT].over_exact == 1.0


def test_the_report_of_a_thousand_triples_is_text_and_plain_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep, "TRIPLES", 4)
    monkeypatch.setattr(sweep, "FEW", 2)
    text, record = sweep.report(7, 1)
    assert text.startswith("sweep: joint tuning of eq. (4) for 4 triples over 7^3 cells at 7 budgets\n")
    assert record["contenders"][sweep.EXACT]["triples"] == 4
    assert json.loads(json.dumps(record))["n"] == 7


def test_growth_is_measured_in_a_process_of_its_own() -> None:
    cost = sweep.growth(3, 5)
    assert cost.triples == 3
    assert 0 < cost.seconds < 60
    assert 50 < cost.peak_mib < 5000


@pytest.mark.parametrize("options", [["--n", "1"], ["--few", "0"], ["--growth", "0"]])
def test_numbers_that_make_no_sense_are_refused(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        sweep.main(options)
    assert ended.value.code == 2
    assert "whole numbers of 1 or more" in capsys.readouterr().err
