"""The benchmark of a sweep: contenders give one answer, a wrong one is caught, and growth is measured."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from hpgrid import Grid
from hpgrid.bench import harness, many_constants as sweep
from hpgrid.record import plain

GRID, TRIPLES = Grid.footnote(7), sweep.triples_of(3)


@pytest.mark.parametrize("name", sweep.CONTENDERS)
def test_contenders_agree_with_single_searches(name: str) -> None:
    found, expected = sweep.CONTENDERS[name].call(GRID, TRIPLES), sweep.singly(GRID, TRIPLES)
    assert found.risk.shape == (3, 7)
    assert sweep.disagreement(found, expected, GRID, TRIPLES) == 0


def test_another_value_or_another_place_is_a_disagreement() -> None:
    expected = sweep.singly(GRID, TRIPLES)
    assert sweep.disagreement(replace(expected, risk=2 * expected.risk), expected, GRID, TRIPLES) == 21
    moved = (np.array(expected.index) + 1) % 7
    assert sweep.disagreement(replace(expected, index=tuple(moved)), expected, GRID, TRIPLES) == 21


def test_a_contender_that_disagrees_stops_the_benchmark(monkeypatch: pytest.MonkeyPatch) -> None:
    def ones(grid: Grid, triples: np.ndarray) -> harness.Answer:
        return harness.Answer(np.ones((len(triples), 7)), tuple(np.zeros((3, len(triples), 7), int)))

    wrong = replace(sweep.CONTENDERS["NumPy, as printed"], call=ones)
    monkeypatch.setitem(sweep.CONTENDERS, "NumPy, as printed", wrong)
    with pytest.raises(SystemExit, match="NumPy, as printed disagrees with single searches in 14 of 14 cells"):
        sweep.run(4, 2, 7, 1)


def test_the_report_has_a_line_for_each_with_ratios_to_the_exact_search_and_is_plain_data(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sweep, "TRIPLES", 4)
    monkeypatch.setattr(sweep, "FEW", 2)
    text, record = sweep.report(7, 1)
    title, header, *lines = text.splitlines()
    assert title == "sweep: joint tuning of eq. (4) for 4 triples over 7^3 cells at 7 budgets"
    assert header.split()[:4] == ["contender", "ms", "a", "triple"]
    assert len(lines) == len(sweep.CONTENDERS)
    written = json.loads(json.dumps(plain(record)))
    exact = written["contenders"][sweep.EXACT]
    assert float(lines[0][37:46]) == exact["over_exact"] == 1.0
    assert (written["n"], exact["triples"]) == (7, 4)
