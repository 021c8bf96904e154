"""``hpgrid search``: what it prints and writes, and how it says no."""

from __future__ import annotations

import csv
import json
from functools import partial
from pathlib import Path

import commands
import numpy as np
import pytest
import xarray
from commands import Capture

from hpgrid import Grid, Regime, bounds
from hpgrid.tuning.advice import advise
from hpgrid.tuning.problem import tuning_problem
from hpgrid.tuning.survey import survey
from hpgrid.tuning.target import reach

PAIR = ("lmo", "--over", "eta,b", "--fix", "alpha=0.001", "--n", "24")
ASKED = tuning_problem(bounds.lmo(), Grid.footnote(24), Regime(("eta", "b"), {"alpha": 1e-3}))


printed = partial(commands.printed, "search")


def test_the_table_is_the_surveys(capsys: Capture) -> None:
    assert printed(capsys, *PAIR) == survey(ASKED).text() + "\n"


def test_beta_is_alpha_exactly(capsys: Capture) -> None:
    beta = ("lmo", "--tune", "b,eta", "--fix", "beta=0.999", "--n", "24")
    assert printed(capsys, *beta, "--json") == printed(capsys, *PAIR, "--json")


def test_the_whole_survey_goes_to_files(capsys: Capture, tmp_path: Path) -> None:
    table, data = tmp_path / "new" / "best.csv", tmp_path / "best.nc"
    out = printed(capsys, *PAIR, "--csv", str(table), "--netcdf", str(data))
    assert out.splitlines()[-2:] == [str(table), str(data)]
    found = survey(ASKED)
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["b_star"]) for row in rows] == found.star["b"].tolist()
    with xarray.open_dataset(data) as read:
        np.testing.assert_array_equal(read.eta_hat, found.hat["eta"])
        assert read.attrs["fixed"] == '{"alpha": 0.001}'


def test_what_to_set_in_one_line(capsys: Capture) -> None:
    out = printed(capsys, *PAIR, "--T", "1e12")
    assert out == advise(ASKED, 1e12).text() + "\n"
    assert out.startswith("At T = 1e+12 set eta = 7.07e-07, b = 500 (beta = 0.999 held): risk 0.00283.\n")
    told = json.loads(printed(capsys, *PAIR, "--T", "1e12", "--json"))
    assert told["set"] == pytest.approx({"eta": 7.07e-7, "b": 500.0}, rel=1e-2)
    assert (told["budget"], told["at"]) == ("T", 1e12)


def test_iterations_by_their_value_alone(capsys: Capture) -> None:
    fixed = ("lmo", "--over", "eta", "--fix", "alpha=0.1,b=32", "--n", "24")
    assert printed(capsys, *fixed, "--K", "1e6").startswith("At K = 1e+06 set eta = ")
    assert printed(capsys, *fixed, "--K", "1e6") == printed(capsys, *fixed, "--K", "1e6", "--budget", "K")


def test_what_reaches_a_risk(capsys: Capture) -> None:
    out = printed(capsys, *PAIR, "--risk", "0.01", "--max-K", "1e8")
    assert out == reach(ASKED, 0.01, max_K=1e8).text() + "\n"
    first, second = out.splitlines()
    assert first.startswith("risk 0.01 takes T = 6.40893e+09 tokens (sure to 4e-11 of it): set eta = 2.50e-06, b = 40 ")
    assert second.startswith("with K <= 1e+08: T = 7.41997e+09 tokens, 1.158 times as many")
    told = json.loads(printed(capsys, *PAIR, "--risk", "0.01", "--json"))
    assert told["fewest"]["at"] == pytest.approx(6.40893e9, rel=1e-5)
    assert told["max_K"] is None


def test_an_unreachable_risk_is_an_answer(capsys: Capture) -> None:
    out = printed(capsys, *PAIR, "--cap", "b=1", "--risk", "0.001")
    assert "risk 0.001 is out of reach: as T grows the risk falls to 0.0316228, and never to less" in out


def test_roles_grid_and_bound_are_taken_as_said(capsys: Capture) -> None:
    options = ("--set", "C2=3", "--path", "b=T^1/2", "--axis", "eta=1e-6:1:9,T=1e4:1e8", "--window", "1e5:1e8")
    told = json.loads(
        printed(capsys, "lmo", "--over", "eta", "--fix", "alpha=0.1", *options, "--n", "7", "--min-K", "2", "--json")
    )
    assert told["constants"]["C2"] == 3
    assert told["path"] == {"b": "1/2"}
    assert told["grid"]["eta"] == {"lo": 1e-6, "hi": 1.0, "n": 9}
    assert told["grid"]["T"] == {"lo": 1e4, "hi": 1e8, "n": 7}
    assert told["min_K"] == 2
    assert told["slopes"]["eta"]["window_lo"] >= 1e5
    captions = json.loads(printed(capsys, *PAIR, "--grid", "captions", "--dtype", "float32", "--json"))
    assert (captions["grid"]["eta"]["lo"], captions["dtype"]) == (1e-10, "float32")
    assert "unresolved" in captions


def test_a_bound_without_momentum(capsys: Capture) -> None:
    out = printed(capsys, "sgd", "--over", "eta", "--fix", "b=10", "--n", "24", "--details")
    assert "eta <= 1" in out
    assert "alpha" not in out


def test_a_bound_written_as_text(capsys: Capture) -> None:
    given = ("C1*b/(eta*T) + C2*eta + C3*b**(-1/2)", "--set", "C1=1,C2=1,C3=2", "--over", "eta,b")
    # With the best eta, 2 (b/T)^(1/2) + 2 b^(-1/2): at b = T^(1/2), 4 T^(-1/4).
    assert printed(capsys, *given, "--risk", "0.004").startswith("risk 0.004 takes T = 1e+12 tokens")


MISTAKES = {
    "lmo --over eta,b": "alpha of the bound lmo is neither tuned nor fixed nor on a path. "
    "Given: {'tuned': ['eta', 'b'], 'fixed': {}}. Write alpha as tuned, or a value of it.",
    "sgd --over eta,b --fix alpha=1": "the bound sgd does not depend on alpha",
    "lmo --over eta,b --fix alpha=2": "0 < alpha <= 1",
    "lmo --over eta,b --fix beta=1": "0 <= beta < 1",
    "lmo --over eta,b --fix beta=0.9,alpha=0.1": "beta is 1 - alpha",
    "lmo --over eta,b --fix alpha=0.1,b=2": "b is either tuned or fixed",
    "lmo --over eta,b --fix gamma=0.1": "no hyperparameter to fix of that name",
    "lmo --over eta,b --fix alpha=0.1 --budget X": "no budget of that name",
    "lmo --over eta,b --fix alpha=0.1 --grid other": "no grid of that name",
    "lmo --over eta,b --fix alpha=0.1 --n 1": "n must be a whole number >= 2",
    "lmo --over eta,b --fix alpha=0.1 --n 2.5": "a whole number",
    "lmo --over eta,b --fix alpha=0.1 --n 1000000": "an hour needs --yes. Given: '1e+18 cells: at least 28 hours",
    "lmo --over eta,b --fix alpha=0.1 --n 100000000000000000000": "n is at most 2147483647",
    "lmo --over eta,b --fix alpha=0.1 --dtype float16": "no dtype of that name",
    "lmo --over eta,b --fix alpha=0.1 --axis eta=1": "an axis is LO:HI, LO:HI:N, or values. Given: 'eta=1'",
    "lmo --over eta,b --fix alpha=0.1 --axis b=32": "Given: 'b=32'. Write b=1:4M, say",
    "lmo --over eta,alpha --fix b=9 --axis beta=0.9:0.99": "a log range of beta is one of its complement",
    "lmo --over eta,b --fix alpha=0.1 --axis b=64,32": "an axis' values must increase",
    "lmo --over eta,b --fix alpha=0.1 --axis eta=1:x": "eta is a finite number",
    "lmo --over eta,b --fix alpha=0.1 --axis eta=1:0.1": "needs lo < hi",
    "lmo --over eta,b --fix alpha=0.1 --axis eta=0.1:1:2.5": "the number of values of eta is a whole number",
    "lmo --over eta,b --fix alpha=0.1 --axis K=1:9": "a search over T has no axis K",
    "lmo --over eta,b --fix alpha=0.1 --axis x=1:9": "no axis of that name",
    "lmo --over eta,b --fix alpha=0.1 --min-K 0": "min_K must be positive",
    "lmo --over eta,b --fix alpha=0.1 --window 1e9": "the window's end is a finite number",
    "lmo --over eta,b --fix alpha=0.1 --window 1e9:1e3": "a window is two budgets, the smaller one first",
    "lmo --over eta,b --fix alpha=0.1 --T 0.5": "T >= 1",
    "lmo --over eta,b --fix alpha=0.1 --T nan": "error: --T is a finite number. Given: 'nan'. Write --T=512k, say",
    "lmo --over eta,b --fix alpha=0.1 --T 1e9 --K 1e9": "for tokens or for iterations",
    "lmo --over eta,b --fix alpha=0.1 --T 1e9 --budget K": "--T is a budget of T",
    "lmo --over eta,b --fix alpha=0.1 --T 1e9 --risk 0.1": "answers one question at a time",
    "lmo --over eta,b --fix alpha=0.1 --risk 0": "a risk to reach is positive and finite",
    "lmo --over eta,b --fix alpha=0.1 --risk inf": "a risk to reach is positive and finite",
    "lmo --over eta,b --fix alpha=0.1 --max-K 1e5": "goes with a risk to reach",
    "lmo --over eta,b --fix alpha=0.1 --risk 0.1 --max-K -1": "K > 0",
    "lmo --over eta --fix alpha=0.1,b=1 --risk 0.1 --max-K 1e5 --budget K": "a cap on iterations is for the fewest",
    "lmo --over eta,b --fix alpha=0.1 --risk 0.1 --csv x.csv": "--csv takes the whole survey",
    "lmo --over eta,b --fix alpha=0.1 --csv .": "a survey is written to a file",
}


@pytest.mark.parametrize("line", MISTAKES)
def test_mistakes_are_one_line_and_status_2_and_leave_no_file(
    capsys: Capture, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    commands.refused("search", capsys, line.split(), MISTAKES[line], tmp_path)


@pytest.mark.parametrize("command", ["search", "plot"])
def test_help_loads_nothing_slow(command: str) -> None:
    assert commands.loaded(command, "--help") == {"rich"}
