"""What is a number, or a list of numbers, in NumPy, pandas or xarray is taken as one wherever a value is asked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray

import hpgrid
from hpgrid import Grid, LogAxis, Regime, bounds

LMO = bounds.lmo()
PROBLEM = hpgrid.tuning_problem(LMO, Grid.footnote(8), Regime(("eta", "b"), {"alpha": 1e-3}))
ALL = ("eta", "b", "alpha")
START = {"eta": 3e-4, "b": 2e5, "beta": 0.95, "T": 2.5e9}

#: Where a number may be given: what is made of 4.
DOORS: dict[str, Callable[[Any], Any]] = {
    "fixed": lambda x: hpgrid.refine(LMO, ("eta", "alpha"), fixed={"b": x}, T=1e9).risk,
    "caps": lambda x: Regime(ALL, caps={"b": x}),
    "min_K": lambda x: Regime(ALL, min_K=x),
    "path": lambda x: Regime(("eta",), path={"b": x / 8}),
    "T": lambda x: hpgrid.refine(LMO, ALL, T=x).risk,
    "an array of constants": lambda x: hpgrid.refine(LMO, ALL, T=1e9, constants={"C2": x}).risk,
    "limits": lambda x: hpgrid.refine(LMO, ALL, T=1e9, limits={"b": (1, x)}).risk,
    "a constant": lambda x: bounds.lmo(C2=x).constants,
    "an exponent": lambda x: str(bounds.lmo(q=x / 8)),
    "a formula's": lambda x: str(hpgrid.parse("C/(eta*T) + eta**p", {"C": x, "p": x / 8})),
    "a floor": lambda x: LMO.with_floors(b=x),
    "what a grid holds": lambda x: Grid(eta=[1e-3, 1.0], b=x, T=[1e3, 1e4]),
    "an axis' end": lambda x: LogAxis(1e-3, x, 3),
    "a factor": lambda x: hpgrid.regret(LMO, "b", x, tuned=ALL, T=1e9),
    "near-optimal": lambda x: hpgrid.flatness(LMO, within=x / 400, tuned=ALL, T=1e9).curvature,
    "a claim's": lambda x: repr(hpgrid.check(LMO, ["eta ~ T^-1/2"], fixed={"b": x, "alpha": 0.1})),
    "advice": lambda x: hpgrid.advise(PROBLEM, x * 1e6).text(),
    "a target": lambda x: hpgrid.reach(PROBLEM, x / 400, max_K=x * 1e5).text(),
    "a start": lambda x: hpgrid.transfer({**START, "b": x * 1e4}, x * 1e11, max_b=x * 1e5, round_b=x).text(),
    "a batch": lambda x: hpgrid.critical_batch(eta=1e-3, beta=x / 5, eps=x, sigma=x).text(),
}

#: What holds a number, or some; of those that have an axis always.
NUMBERS = {"no axes": np.array, "float64": np.float64, "float32": np.float32, "xarray": xarray.DataArray}
LISTS = {"NumPy": np.array, "pandas": pd.Series, "xarray": xarray.DataArray, "a tuple": tuple}


@pytest.mark.parametrize("door", DOORS)
def test_a_number_in_an_array_is_taken_as_the_number(door: str) -> None:
    plain = DOORS[door](4.0)
    for kind in NUMBERS.values():
        np.testing.assert_equal(DOORS[door](kind(4.0)), plain)


#: A sweep of b in sequences, at two budgets.
RUNS = [
    {"lr": lr, "b": b, "T": T, "loss": 3 + 1e4 / T**0.5 + abs(lr - 1) ** 2 + abs(b / 64 - 1) ** 2}
    for T in (1e9, 4e9) for lr in (0.5, 0.7, 1.0, 1.4, 2.0) for b in (32, 45, 64, 90, 128)
]  # fmt: skip

#: Where a whole number may be given, or one of a fit.
OF_FITS: dict[str, Callable[[Callable[[Any], Any]], Any]] = {
    "an axis": lambda kind: Grid.footnote(n=kind(10)),
    "sequences": lambda kind: hpgrid.fit(RUNS, seq_len=kind(1024)).predict(1e11).at,
    "a seed": lambda kind: hpgrid.fit(RUNS, seq_len=1024, seed=kind(3)).predict(1e11).interval,
    "a level": lambda kind: hpgrid.fit(RUNS, seq_len=1024, level=kind(0.5)).predict(1e11).interval,
    "a loss' unit": lambda kind: hpgrid.fit(RUNS, seq_len=1024, unit=kind(0.5)).predict(1e11).at,
    "parameters": lambda kind: hpgrid.fit(RUNS, seq_len=1024, params=kind(1e8)).runs.N,
}


@pytest.mark.parametrize("door", OF_FITS)
def test_an_axis_and_a_fit_take_arrays_of_one_number(door: str) -> None:
    plain = OF_FITS[door](lambda x: x)
    for kind in (np.array, xarray.DataArray):
        assert OF_FITS[door](kind) == plain


@pytest.mark.parametrize("seed", [-1, 1.5, np.array([1, 2]), None])
def test_a_seed_is_a_whole_number(seed: Any) -> None:
    with pytest.raises(ValueError, match="seed must be a whole number >= 0"):
        hpgrid.fit(RUNS, seed=seed)


@pytest.mark.parametrize("of", LISTS.values(), ids=LISTS)
def test_what_has_one_axis_is_taken_as_the_list(tmp_path: Path, of: Callable[[Any], Any]) -> None:
    axes = {"eta": [1e-3, 1.0], "b": [1, 2, 4], "beta": [0.9, 0.99], "T": [1e3, 1e4]}
    assert Grid(**{name: of(values) for name, values in axes.items()}) == Grid(**axes)
    own: dict[str, Any] = {
        "bound": "lmo",
        "constants": {"C1": np.array(2.0), "C2": of([0.1, 1.0]), "beta": of([0.9, 0.99])},
        "grid": {"n": np.int64(4), "b": of([1, 2, 4]), "T": of([1e3, 1e4])},
        "regime": {"tuned": of(["eta", "b"])},
    }
    found = hpgrid.sweep(own, tmp_path / "run.zarr")
    assert (found.C2.values.tolist(), found.beta.values.tolist()) == ([0.1, 1.0], [0.9, 0.99])


def test_an_optimum_says_what_another_one_holds() -> None:
    best = hpgrid.refine(LMO, ALL, T=1e8)
    held = hpgrid.refine(LMO, ("eta", "alpha"), fixed={"b": best.at["b"]}, T=1e8)
    np.testing.assert_allclose(held.risk, best.risk, rtol=1e-14)


@pytest.mark.parametrize("value", [np.array([1.0, 2.0]), np.array(True), np.array("a"), xarray.DataArray([2.0])])
def test_what_is_no_number_is_refused_as_it_was(value: Any) -> None:
    with pytest.raises(ValueError, match="b must be a finite number with b >= 1"):
        Regime(("eta",), fixed={"b": value})
