"""The developers' benchmarks, which are no part of the package: what they are held against, and what they print."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from commands import Capture

from hpgrid import bounds

FOLDER = Path(__file__).parents[2] / "benchmarks"


def benchmark(name: str) -> ModuleType:
    """Return a file of ``benchmarks/`` as a module."""
    spec = importlib.util.spec_from_file_location(f"benchmark_{name}", FOLDER / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


formula, refinement, sweep, store = map(benchmark, ("formula", "refinement", "sweep", "store"))


# --- refinement ---


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


def test_the_command_prints_a_line_for_each_contender(capsys: Capture) -> None:
    with pytest.raises(SystemExit) as stopped:
        refinement.main(["--budgets", "3", "--triples", "1", "--runs", "1"])
    assert stopped.value.code == 0
    out = capsys.readouterr().out
    assert all(name in out for name in refinement.CONTENDERS)


@pytest.mark.parametrize(
    ("module", "options"),
    [(refinement, ["--runs", "0"]), (sweep, ["--n", "1"]), (sweep, ["--few", "0"]), (sweep, ["--growth", "0"])],
)
def test_a_count_below_one_is_refused(module: ModuleType, options: list[str], capsys: Capture) -> None:
    with pytest.raises(SystemExit) as stopped:
        module.main(options)
    assert stopped.value.code == 2
    assert "1 or more" in capsys.readouterr().err


# --- sweep ---


def test_growth_is_measured_in_a_process_of_its_own() -> None:
    cost = sweep.growth(3, 5)
    assert cost.triples == 3
    assert 0 < cost.seconds < 60
    assert 20 < cost.peak_mib < 5000  # Python and NumPy alone are more than 20


# --- formula and store ---


def test_a_parsed_bound_is_searched_as_the_built_in_one_is(capsys: Capture) -> None:
    assert formula.main(["--n", "5", "--runs", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[2:]] == ["R1"] * 3 + ["R4"] * 3
    assert not any("parsed " in line and "differ" in line for line in lines)


def test_the_store_s_sweep_is_a_thousand_triples() -> None:
    from hpgrid.sweeps.plan import parse

    assert parse(store.PLAN).combinations == 1000
