"""Runs with further hyperparameters, declared by name and range: each is one more logarithm of the surface."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import commands
import numpy as np
import pytest
from commands import Capture
from numpy.testing import assert_allclose

from hpgrid.fits.design import design
from hpgrid.fits.fit import fit
from hpgrid.fits.model import model_of
from hpgrid.fits.report import answer
from hpgrid.record import write_table

printed = partial(commands.printed, "fit")

#: d log2 optimum / d log2 T of eta, b and weight decay, and the curvatures, in nats an octave squared.
EXPONENTS = np.array([-0.3, 0.5, -0.4])
CURVATURE = np.array([[0.012, -0.004, 0.002], [-0.004, 0.008, 0.0], [0.002, 0.0, 0.006]])
FIRST = np.log2([3e-3, 1e5, 0.1])


def optimum(T: float) -> np.ndarray:
    return FIRST + EXPONENTS * np.log2(T / 1e9)


def sweep(seed: int, noise: float = 0.002) -> dict[str, list[float]]:
    """A grid of 5 x 5 x 3 runs around the optimum of each of three budgets, an octave apart."""
    rng, rows = np.random.default_rng(seed), []
    for T in (1e9, 4e9, 1.6e10):
        centre = optimum(T).round()
        for step in np.ndindex(5, 5, 3):
            z = centre + np.array(step) * (1, 1, 2) - 2
            off = z - optimum(T)
            rows.append((*2.0**z, T, 3 + off @ CURVATURE @ off / 2 + noise * rng.standard_normal()))
    return dict(zip(("lr", "batch_tokens", "weight_decay", "tokens", "loss"), map(list, zip(*rows))))


def test_a_declared_hyperparameter_is_placed_as_the_others_are() -> None:
    inside, exponents = [], []
    for seed in range(20):
        found = fit(sweep(seed), var="wd > 0", others={"wd": "weight_decay"})
        assert found.surface.names == ("eta", "b", "wd")
        own = found.predict(6.4e10)
        truth = 2.0 ** optimum(6.4e10)
        inside += [own.interval[v][0] <= x <= own.interval[v][1] for v, x in zip(found.surface.names, truth)]
        slopes = {slope.what: slope for slope in found.exponents}
        exponents.append(slopes["wd* in T"].value)
        assert slopes["wd* in T"].theory is None
        assert slopes["wd* in T"].verdict == ""
        assert slopes["eta* in T"].theory is not None
    # 60 intervals of 80%, and the misfit of public sweeps beside them, which these have not: more cover.
    assert np.mean(inside) >= 0.75
    # The standard error of a slope over four octaves of a noise of 0.002 at a curvature of 0.006 in 75 runs is 0.03.
    assert_allclose(exponents, -0.4, atol=0.12)
    assert abs(np.mean(exponents) + 0.4) < 0.04


def test_what_is_declared_has_a_range_that_runs_and_predictions_keep() -> None:
    runs = sweep(0)
    runs["weight_decay"][0] = 0.0
    found = fit(runs, var=["weight_decay > 0"])
    assert found.dropped["a setting is not positive, or alpha above 1"] == (0,)
    capped = fit(sweep(0), var="0.03 <= weight_decay <= 1")
    assert capped.dropped["not 0.03 <= weight_decay <= 1"]
    later = capped.predict(1e12)
    assert later.at["weight_decay"] == pytest.approx(0.03)
    assert later.held["weight_decay"] == "at its least"


@pytest.mark.parametrize(
    ("declared", "most", "said"),
    [
        ("0 < w < 150", np.nextafter(150, 0), "w -> 150."),
        ("0 < w <= 150", 150.0, "w = 150."),
        ("1 < w < 150", np.nextafter(150, 0), "w -> 150."),
    ],
)
def test_an_end_that_a_range_leaves_out_is_tended_to(declared: str, most: float, said: str) -> None:
    runs = sweep(0)
    runs["w"] = [1 / x for x in runs.pop("weight_decay")]
    found = fit(runs, var=declared)
    at = found.predict(1e13).at
    assert at["w"] == most
    assert found.regret(at, 1e13) == pytest.approx(0, abs=1e-12)
    assert said in answer(found, [1e13]).text()


def test_the_smaller_end_that_a_range_leaves_out_is_tended_to() -> None:
    found = fit(sweep(0), var="0.03 < weight_decay < 1")
    at = found.predict(1e12).at
    assert at["weight_decay"] == np.nextafter(0.03, 1)
    assert found.regret(at, 1e12) == pytest.approx(0, abs=1e-12)
    assert ", weight_decay -> 0.03." in answer(found, [1e12]).text()


def test_designs_choices_models_and_what_is_held_know_it() -> None:
    found = fit(sweep(1), var="weight_decay > 0")
    plan = design(found, 6, 6.4e10)
    assert {*plan.runs[0].at} == {"eta", "b", "weight_decay"}
    assert plan.after["weight_decay"] < plan.before["weight_decay"]
    kept = found.baselines(6.4e10)[0]
    assert kept.at["weight_decay"] == found.runs.largest.best["weight_decay"]
    held = fit(sweep(1), var="weight_decay > 0", hold=["weight_decay"]).predict(6.4e10)
    assert held.held == {"weight_decay": "given"}
    model = model_of(found, "A*eta/b + B*weight_decay/eta + C/(weight_decay*T)")
    assert {*model.coefficients} == {"A", "B", "C"}


def test_the_command_takes_and_prints_it(tmp_path: Path, capsys: Capture) -> None:
    file, runs = tmp_path / "runs.csv", sweep(2)
    write_table(file, {name: np.array(x) for name, x in runs.items()})
    asked = (file, "--predict", "6.4e10", "--var", "wd > 0", "--others", "wd=weight_decay")
    out = printed(capsys, *asked)
    assert ", wd = 0.0" in " ".join(out.splitlines()[:2])
    data = json.loads(printed(capsys, *asked, "--json"))
    assert {"eta", "b", "wd"} <= {*data["prediction"][0]}
    slope = next(each for each in data["exponents"] if each["what"] == "wd* in T")
    assert (slope["theory"], slope["verdict"]) == (None, None)
    printed(capsys, *asked, "--plot", tmp_path / "fit.png")
    assert (tmp_path / "fit.png").stat().st_size > 10_000


@pytest.mark.parametrize(("asked", "words"), [
    ({"others": {"wd": "weight_decay"}}, 'is declared.*var="wd > 0", too'),
    ({"var": "wd > 0"}, "there is no column of that name"),
    ({"var": "R >= 1, budget"}, "a further hyperparameter"),
    ({"var": "wd > 0", "others": {"w": "weight_decay"}}, "there is no variable of the runs of that name"),
    ({"var": "weight_decay > 0", "hold": ["wd"]}, "there is no hyperparameter to hold"),
    ({}, "other columns vary.*--var 'weight_decay > 0'"),
])  # fmt: skip
def test_what_can_not_be_declared_is_refused(asked: Mapping[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        fit(sweep(3), **asked)  # type: ignore[arg-type]


def test_a_run_at_an_end_that_a_range_leaves_out_is_none_of_it() -> None:
    w, T = (x.ravel().tolist() for x in np.meshgrid([0.2, 0.4, 0.7, 0.9, 1.0], [1e9, 4e9]))
    loss = [3 + 0.01 * np.log2(x / 0.5) ** 2 - 0.05 * np.log2(t / 1e9) for x, t in zip(w, T)]
    runs = {"lr": [1e-3] * 10, "w": w, "tokens": T, "loss": loss}
    assert fit(runs, var="0 < w < 1").dropped == {"not 0 < w < 1": (4, 9)}
    assert fit(runs, var="0 < w <= 1").dropped == {}
