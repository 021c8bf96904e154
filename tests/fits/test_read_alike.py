"""Commands that take a table of runs read it as ``hpgrid fit`` does, and say where there is none."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from commands import Capture, printed, refused
from sweeps import sweep

from hpgrid.fits.fit import fit
from hpgrid.record import write_table


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Runs at three budgets, their losses in bits."""
    path, runs = tmp_path / "runs.csv", sweep(np.random.default_rng(5), (1.0, 4.0, 16.0), (7, 7), 3.0)[0]
    write_table(path, {**runs, "loss": runs["loss"] / np.log(2)})
    return path


def laws(capsys: Capture, *asked: object) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(printed("check", capsys, *asked, "--json"))["laws"]
    return found


def test_the_unit_of_a_loss_is_that_of_a_fit(table: Path, capsys: Capture) -> None:
    (one,) = laws(capsys, "--fit", table, "--unit", "0.693", "--claim", "b ~ T^1/2")
    nats, bits = (fit(table, unit=unit).slope({"b": 1}, ("eta", "b")) for unit in (1.0, 0.693))
    assert one["interval"] == [bits.low, bits.high] != [nats.low, nats.high]
    answers = json.loads(printed("compare", capsys, "b-T", "--fit", table, "--unit", "0.693", "--json"))["questions"]
    assert answers["b-T"]["answers"]["yours"]["low"] == bits.low
    start = json.loads(printed("transfer", capsys, "--fit", table, "--unit", "0.693", "--to", "1e12", "--json"))[
        "start"
    ]
    assert start["b"] == pytest.approx(fit(table, unit=0.693).predict(start["T"]).at["b"])


def test_what_is_held_is_not_tuned(table: Path, capsys: Capture) -> None:
    asked = ("--fit", table, "--unit", "0.693", "--hold", "b")
    (one,) = laws(capsys, *asked, "--claim", "eta ~ T^-1/2")
    slope = fit(table, unit=0.693, hold=["b"]).slope({"eta": 1}, ("eta",))
    assert (one["tuned"], one["interval"]) == (["eta"], [slope.low, slope.high])
    assert {tuple(each["tuned"]) for each in laws(capsys, *asked)} == {("eta",)}  # type: ignore[arg-type]
    refused("check", capsys, (*asked, "--claim", "b ~ T^1/2"), "Write one of eta on its left")
    answers = json.loads(printed("compare", capsys, "b-T", "--sources", "yours", *asked, "--json"))["questions"]
    assert answers["b-T"]["answers"]["yours"]["note"] == "no b"
    rows = json.loads(printed("transfer", capsys, *asked, "--to", "1e12", "--json"))["rows"]
    assert [row["regime"] for row in rows] == ["A"]


def test_that_no_known_law_is_of_what_is_left_is_said(table: Path, capsys: Capture) -> None:
    asked = ("--fit", table, "--unit", "0.693", "--hold", "eta")
    said = "No law of the theorems or of Table 1 is of b alone: state one by --claim.\n"
    assert printed("check", capsys, *asked) == said
    assert laws(capsys, *asked) == []
    assert "b ~ T^1/2" in printed("check", capsys, *asked, "--claim", "b ~ T^1/2")


def test_a_law_of_a_declared_variable_is_held_against_runs(tmp_path: Path, capsys: Capture) -> None:
    """By hand: wd* ~ T^(-1/2), and eta* ~ wd^(-1/2) beside it."""
    steps = 2.0 ** np.arange(-3, 4)
    eta, decay, T = (x.ravel() for x in np.meshgrid(steps, steps, 2.0 ** np.arange(0, 8, 2)))
    x, y = np.log2(eta), np.log2(decay) + 0.5 * (np.log2(T) - 3)
    loss = 3 + 0.01 * ((x + y / 2) ** 2 + y**2) + 1e-4 * np.random.default_rng(0).standard_normal(len(T))
    path = tmp_path / "runs.csv"
    write_table(path, {"lr": 1e-3 * eta, "weight_decay": 0.1 * decay, "tokens": 1e9 * T, "loss": loss})
    asked = ("--fit", path, "--var", "wd > 0", "--columns", "wd=weight_decay")
    (one,) = laws(capsys, *asked, "--claim", "wd ~ T^-1/2")
    assert (one["tuned"], one["verdict"]) == (["eta", "wd"], "agrees")
    along, _ = laws(capsys, *asked, "--claim", "eta ~ wd^-1/2 T^-1/4 @ tuned eta")
    assert (along["along"], along["verdict"], along["value"]) == ("wd", "agrees", pytest.approx(-0.5, abs=0.02))
    refused("check", capsys, (*asked[:2], *asked[4:]), "no quantity of a run of that name")


@pytest.mark.parametrize(
    "given", [("lmo",), ("--bound", "A/b"), ("--tune", "eta"), ("--fix", "b=1"), ("--cap", "b=2"), ("--set", "C1=2")]
)
def test_a_check_is_of_a_bound_or_of_runs(table: Path, capsys: Capture, given: tuple[str, ...]) -> None:
    words = "a claim is held against a bound or against the runs of --fit"
    refused("check", capsys, (*given, "--fit", table), words)


@pytest.mark.parametrize("told", [("--unit", "0"), ("--hold", "b"), ("--columns", "eta=lr"), ("--b-unit", "tokens")])
def test_how_runs_are_read_is_said_of_runs(capsys: Capture, told: tuple[str, str]) -> None:
    of_none = {
        "check": ("lmo", "--claim", "b ~ T^1/6"),
        "compare": ("b-T",),
        "transfer": ("--from", "eta=3e-4,b=512k,beta=0.95,T=2.5B", "--to", "1T"),
    }
    for command, asked in of_none.items():
        refused(command, capsys, (*asked, *told), f"{told[0]} is of the runs of --fit")
