"""What ``hpgrid fit`` says of what it was asked: the prior that it used, designs, and what it cannot do."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from commands import Capture, printed, refused
from sweeps import sweep

from hpgrid.fits.design import design
from hpgrid.fits.fit import fit
from hpgrid.record import write_table


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Runs at three budgets."""
    path = tmp_path / "runs.csv"
    write_table(path, sweep(np.random.default_rng(5), (1.0, 4.0, 16.0), (7, 7), 3.0)[0])
    return path


@pytest.mark.parametrize("points", [(9, 9), (9, 1)])
@pytest.mark.parametrize("asked", [(), ("--hold", "b"), ("--exponents", "theory")])
def test_of_one_budget_the_exponent_that_is_said_is_the_one_that_is_used(
    tmp_path: Path, capsys: Capture, points: tuple[int, int], asked: tuple[str, ...]
) -> None:
    runs, T, _ = sweep(np.random.default_rng(5), (1.0,), points, 3.0)
    path = tmp_path / "runs.csv"
    write_table(path, runs)
    near, far = json.loads(printed("fit", capsys, path, "--predict", f"{T},{16 * T}", *asked, "--json"))["prediction"]
    out = " ".join(printed("fit", capsys, path, "--predict", f"{16 * T}", *asked).split())
    (said,) = re.findall(r"With one budget, by (.*?)\. ", out)
    assert said.startswith("what you asked for, " if "theory" in asked else "a prior of hpgrid, ")
    told = {name: (float(x), error) for name, x, error in re.findall(r"(\w+)\* ~ T\^\((\S+?)(?: \+- (\S+))?\)", said)}
    free = {"eta"} if points[1] == 1 or "b" in asked else {"eta", "b"}
    assert told.keys() == free
    for name, (exponent, error) in told.items():
        assert exponent == pytest.approx(np.log2(far[name] / near[name]) / 4, abs=0.005 + 1e-9)
        assert bool(error) == ("theory" not in asked)


def test_how_columns_were_read_stands_where_there_is_one_budget(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    runs, _, _ = sweep(np.random.default_rng(5), (1.0,), (9, 9), 3.0)
    path = tmp_path / "runs.csv"
    write_table(path, {"lr": runs["eta"], "batch": np.round(runs["b"]), "tokens": runs["T"], "loss": runs["loss"]})
    out = printed("fit", capsys, path, "--predict", "1e11")
    assert "eta is the column lr; b is the column batch; T is the column tokens." in " ".join(out.split())
    assert "eta* in b at a fixed T" in out
    assert out.count("\n") <= 25


def test_the_smallest_budget_is_named_and_is_one(table: Path) -> None:
    found = fit(table)
    with pytest.raises(ValueError, match="a fit predicts from its smallest budget on") as caught:
        found.predict(found.runs.T.min() / 2)
    (named,) = re.findall(r"Write T = (\S+) or more", str(caught.value))
    assert float(named) == pytest.approx(found.runs.T.min(), rel=1e-14)


def test_what_a_design_counts_is_whole() -> None:
    rng = np.random.default_rng(3)
    eta, b, T = (x.ravel() for x in np.meshgrid(2.0 ** np.arange(-3, 4), 2.0 ** np.arange(-2, 3), 2.0 ** np.arange(4)))
    loss = 3 + 0.05 * ((b / (eta * T)) ** 0.5 + b**-0.5 + eta**0.5) + 0.001 * rng.standard_normal(len(T))
    runs = {"eta": 1e-3 * eta, "b": 2**19 * b, "T": 1e9 * T, "loss": loss}
    plan = design(fit(runs), 12, 3.2e10)
    assert {run.T for run in plan.runs} <= {2e9, 4e9, 8e9, 1.6e10, 3.2e10}
    assert all(run.at["b"] % 1 == 0 for run in plan.runs)
    in_sequences = design(fit({**runs, "b": 2**9 * b}, seq_len=1024), 12, 3.2e10)
    assert all(run.at["b"] % 1024 == 0 for run in in_sequences.runs)
    # Budgets in billions are no counts.
    in_billions = design(fit({"eta": 1e-3 * eta, "T": 1.5 * T, "loss": loss}), 6, 48)
    assert {run.T for run in in_billions.runs} <= {1.5 * k for k in (1, 2, 4, 8, 16, 32)}


def test_a_first_sweep_keeps_within_its_tokens(capsys: Capture) -> None:
    asked = ("--design", "16", "--around", "eta=3e-3,b=1M,T=1e10", "--within")
    refused("fit", capsys, (*asked, "1.59e11"), "Given: '16 of 1e+10 tokens, 1.6e+11 in all'")
    assert "16 runs, 1.60e+11 tokens in all" in printed("fit", capsys, *asked, "1.6e11")
    plan = json.loads(printed("fit", capsys, *asked, "1.6e11", "--doubt", "3", "--json"))["design"]
    assert all(run["b"] % 1 == 0 for run in plan["runs"])


@pytest.mark.parametrize("asked", [("--predict", "1e12"), ("--model", "eq5"), ("--by", "kind"), ("--hold", "b")])
def test_a_first_sweep_has_no_options_of_a_table(capsys: Capture, asked: tuple[str, str]) -> None:
    guess = ("--design", "16", "--around", "eta=3e-3,b=1M,T=1e10")
    refused("fit", capsys, (*guess, *asked), f"{asked[0]} is of a table of runs")


def test_what_was_asked_for_stands_however_little_room_there_is(table: Path, tmp_path: Path, capsys: Capture) -> None:
    bounds = ("eq5", "su", "A/(eta*K) + C*eta")
    asked = [part for name in bounds for part in ("--model", name)]
    out = printed("fit", capsys, table, "--predict", "1e12", "--design", "3", *asked)
    for name in bounds:
        assert f"\nBound {name}: " in out
    assert "\nTo run next: 3 runs" in out
    assert "--details adds" in out
    runs = np.genfromtxt(table, delimiter=",", names=True)
    size, path = len(runs), tmp_path / "kinds.csv"
    columns = {name: np.tile(runs[name], 2) for name in runs.dtype.names}
    write_table(path, {"kind": np.repeat(["one", "two"], size), **columns})
    out = printed("fit", capsys, path, "--by", "kind", "--predict", "1e12,2e12", "--design", "9", "--model", "eq5")
    for kind in ("one", "two"):
        assert f"\nkind = {kind}:\nTo run next: 9 runs" in out
        assert f"\nkind = {kind}:\nBound eq5: " in out


def test_where_no_budget_has_three_runs_that_is_the_reason(tmp_path: Path, capsys: Capture) -> None:
    """Two rates at each of four budgets, and a budget of its own for each of eight runs: all near the best."""
    path, rates = tmp_path / "runs.csv", np.array([1e-3, 2e-3] * 4)
    for budgets, given in ((np.repeat([1e9, 2e9, 4e9, 8e9], 2), "2 at most, of 8 runs at 4 budgets"),
                           (1e9 * 2.0 ** np.arange(8), "1 at most, of 8 runs at 8 budgets")):  # fmt: skip
        write_table(path, {"lr": rates, "tokens": budgets, "loss": 3 + np.arange(8) / 100})
        refused(
            "fit", capsys, (path, "--predict", "1e12"), f"a fit has a budget with three runs or more. Given: '{given}'"
        )
