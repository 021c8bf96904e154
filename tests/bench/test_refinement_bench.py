"""The benchmark of refinement: its reference, and that every way finds the same optima."""

from __future__ import annotations

import numpy as np
import pytest

from hpgrid import bounds
from hpgrid.bench import refinement


def test_the_reference_is_a_minimum_of_the_bound() -> None:
    """No batch size beside it does better, whatever eta and alpha: checked on a fine grid of both."""
    T, triples = np.array([1e10]), np.array([[2.0, 3.0, 0.5]])
    b = float(np.exp(refinement.exact(T, triples)[0, 0]))
    proxy = bounds.lmo(C1=2.0, C2=3.0, C3=0.5)
    alpha, eta = np.logspace(-6, 0, 1201)[:, None], np.logspace(-9, 0, 1801)[None, :]
    best = {f: proxy.risk(T=1e10, b=f * b, alpha=alpha, eta=eta).min() for f in (0.1, 1.0, 10.0)}
    assert best[1.0] < min(best[0.1], best[10.0])


def test_hpgrid_agrees_with_the_reference_to_its_last_digits() -> None:
    T, triples = refinement.problems(7, 5)
    assert np.abs(refinement._refine(T, triples) - refinement.exact(T, triples)).max() < 1e-12


def test_the_problems_have_a_best_batch_size_above_one() -> None:
    assert (refinement.exact(*refinement.problems(20, 30)) > 0).all()


def test_the_command_prints_a_line_for_each_contender(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        refinement.main(["--budgets", "3", "--triples", "1", "--runs", "1"])
    assert stopped.value.code == 0
    out = capsys.readouterr().out
    assert all(name in out for name in refinement.CONTENDERS)


def test_a_count_below_one_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        refinement.main(["--runs", "0"])
    assert stopped.value.code == 2
    assert "1 or more" in capsys.readouterr().err
