"""What is measured of a combination is what a search, a refinement and a fit of it alone give."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sweep_of_six import SMALL

import hpgrid
from hpgrid.slopes import burn_in_end, fit_slope


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return hpgrid.sweep(SMALL, tmp_path_factory.mktemp("sweep") / "run.zarr", block=2)


GRID = hpgrid.Grid.footnote(16)
REGIMES = {"all tuned": (("eta", "b", "alpha"), {}), "fixed momentum": (("eta", "b"), {"alpha": 1e-3})}
C2S = hpgrid.LogAxis(1e-2, 1e3, 3).values.tolist()
ALONE = [(regime, C2, C3) for regime in REGIMES for C2 in C2S for C3 in (0.1, 10.0)]


def searched(regime: str, C2: float, C3: float) -> hpgrid.SearchResult:
    tuned, fixed = REGIMES[regime]
    return hpgrid.grid_search(hpgrid.bounds.lmo(C2=C2, C3=C3), GRID, tuned, fixed=fixed)


@pytest.mark.parametrize(("regime", "C2", "C3"), ALONE)
def test_the_grids_optimum_is_the_searchs(swept: Any, regime: str, C2: float, C3: float) -> None:
    one, best = swept.sel(regime=regime, C2=C2, C3=C3), searched(regime, C2, C3)
    np.testing.assert_array_equal(one.risk_hat, best.risk)
    for v in REGIMES[regime][0]:
        np.testing.assert_array_equal(one[f"{v}_hat"], best.at[v])
        np.testing.assert_array_equal(one[f"{v}_edge"], best.edge[v])


@pytest.mark.parametrize(("regime", "C2", "C3"), ALONE[::3])
def test_the_refined_optimum_is_refines(swept: Any, regime: str, C2: float, C3: float) -> None:
    tuned, fixed = REGIMES[regime]
    one = swept.sel(regime=regime, C2=C2, C3=C3)
    exact = hpgrid.refine(hpgrid.bounds.lmo(C2=C2, C3=C3), tuned, fixed=fixed, T=GRID.axes["T"].values)
    np.testing.assert_allclose(one.risk_star, exact.risk, rtol=1e-12)
    for v in tuned:
        np.testing.assert_allclose(one[f"{v}_star"], exact.at[v], rtol=1e-9)
        np.testing.assert_allclose(one[f"{v}_exponent"], exact.exponent[v], atol=1e-9)


@pytest.mark.parametrize(("regime", "C2", "C3"), ALONE)
def test_slopes_are_those_of_one_fit(swept: Any, regime: str, C2: float, C3: float) -> None:
    one, best = swept.sel(regime=regime, C2=C2, C3=C3), searched(regime, C2, C3)
    T = GRID.axes["T"].values
    curves = {v: burn_in_end(best, v) for v in REGIMES[regime][0]}
    first = max(curves.values())
    edge = np.any([best.edge[v] for v in curves], axis=0)
    usable = (np.arange(len(T)) >= first) & ~edge
    for v in ("b", "alpha"):
        if v in curves:
            ends = curves[v]
            expected = T[ends] if ends < len(T) else np.nan
            np.testing.assert_equal(float(one.burn_in_hat.sel(hyperparameter=v)), expected)
            bound = GRID.axes[v].values[0 if v == "b" else -1]
            inside = np.abs(np.log(one[f"{v}_star"].values / bound)) > GRID.axes[v].step
            left = [T[k] for k in range(len(T)) if inside[k:].all()]
            np.testing.assert_equal(float(one.burn_in_star.sel(hyperparameter=v)), left[0] if left else np.nan)
    for quantity in ("risk", *curves):
        own = one.sel(quantity=quantity)
        hat = best.risk if quantity == "risk" else best.at[quantity]
        star = one[f"{quantity}_star"].values
        if usable.sum() < 2:
            assert np.isnan(own.slope_hat)
            continue
        apart = np.abs(np.log(hat / star))[usable].max() + 1e-9
        alone = fit_slope(T, hat, edge=~usable, step=apart)
        assert float(own.slope_hat) == pytest.approx(alone.slope, abs=1e-12)
        assert float(own.slope_error) == pytest.approx(alone.error, rel=1e-9)
        assert float(own.slope_star) == pytest.approx(fit_slope(T, star, edge=~usable).slope, abs=1e-12)
        assert (float(own.window_lo), float(own.window_hi)) == alone.window
        assert int(own.points) == alone.points
        assert abs(float(own.slope_hat - own.slope_star)) <= float(own.slope_error)
    assert int(one.edge_points) == int(edge[first:].sum())


def test_what_is_held_is_there_and_has_no_slope(swept: Any) -> None:
    held = swept.sel(regime="fixed momentum")
    np.testing.assert_array_equal(held.alpha_hat, 1e-3)
    np.testing.assert_array_equal(held.alpha_star, 1e-3)
    assert not held.alpha_edge.any()
    assert np.isnan(held.slope_hat.sel(quantity="alpha")).all()


def test_exact_exponents_stand_once_for_each_regime(swept: Any) -> None:
    exact = swept.exponent_exact.sel(regime="all tuned").values.tolist()
    assert dict(zip(swept.quantity.values.tolist(), exact)) == {
        "risk": "-1/4",
        "eta": "-7/12",
        "b": "1/6",
        "alpha": "-1/3",
    }
    assert float(swept.exponent.sel(regime="fixed momentum", quantity="b")) == 0.5


def test_a_swept_q_and_beta_are_axes_and_each_is_its_own_search(tmp_path: Path) -> None:
    own = {
        "bound": "lmo",
        "constants": {"q": [0.5, 0.75], "beta": [0.9, 0.999]},
        "grid": {"n": 8},
        "regime": {"tuned": ["eta", "b"]},
    }
    found = hpgrid.sweep(own, tmp_path / "q.zarr")
    assert dict(found.slope_hat.sizes) == {"regime": 1, "q": 2, "beta": 2, "quantity": 4}
    assert found.alpha.values.tolist() == [0.1, 0.001]
    for q in (0.5, 0.75):
        for beta, alpha in ((0.9, 0.1), (0.999, 0.001)):
            best = hpgrid.grid_search(
                hpgrid.bounds.lmo(q=q), hpgrid.Grid.footnote(8), ("eta", "b"), fixed={"alpha": alpha}
            )
            np.testing.assert_array_equal(found.risk_hat.sel(q=q, beta=beta)[0], best.risk)
            np.testing.assert_array_equal(found.alpha_hat.sel(q=q, beta=beta), alpha)
    assert found.exponent_exact.sel(quantity="b")[0].values.tolist() == ["1/2", "2/5"]


def test_a_bound_without_terms_is_swept_too_and_has_an_iteration_at_least(tmp_path: Path) -> None:
    own = {
        "bound": "frank_wolfe",
        "constants": {"lam": [0.5, 2.0]},
        "grid": {"n": 8},
        "regime": {"tuned": ["b"], "fixed": {"eta": 1e-3, "alpha": 0.05}},
    }
    found = hpgrid.sweep(own, tmp_path / "fw.zarr")
    assert json.loads(found.attrs["plan"])["min_K"] == 1
    for lam in (0.5, 2.0):
        proxy, fixed = hpgrid.bounds.frank_wolfe(lam=lam), own["regime"]["fixed"]
        best = hpgrid.grid_search(proxy, hpgrid.Grid.footnote(8), ("b",), fixed=fixed, min_K=1)
        np.testing.assert_allclose(found.risk_hat.sel(lam=lam)[0], best.risk, rtol=1e-15)
    assert set(found.exponent_exact.values.ravel()) == {""}


def test_a_bound_whose_variables_have_no_bounds_of_their_own_has_no_burn_in(tmp_path: Path) -> None:
    own = {
        "bound": "C1/(lam*T) + C2*lam*x + C2/x",
        "variables": ["lam", "x"],
        "constants": {"C1": [1.0, 2.0], "C2": 1.0},
        "grid": {"n": 8, "axes": {"lam": [1e-6, 1.0], "x": [1e-2, 1e4], "T": [1e2, 1e8]}},
        "regime": {"tuned": ["lam", "x"]},
    }
    found = hpgrid.sweep(own, tmp_path / "own.zarr")
    assert (found.sizes["hyperparameter"], found.burn_in_star.shape) == (0, (1, 2, 0))
    assert set(found.exponent_exact.sel(quantity="risk").values.ravel()) == {"-1/3"}
    np.testing.assert_allclose(found.risk_exponent, -1 / 3, rtol=1e-9)


@pytest.mark.parametrize("q", ["1/3", ["1/3", 0.5]])
def test_a_third_in_an_exponent_is_one_in_the_store_and_at_a_tie(tmp_path: Path, q: Any) -> None:
    own = {
        "bound": "A*b**(q - 1/3) + D*b/T",
        "constants": {"D": [1.0, 2.0], "A": 1.0, "q": q},
        "grid": {"n": 12},
        "regime": {"tuned": ["b"]},
    }
    found = hpgrid.sweep(own, tmp_path / "tie.zarr")
    exact = found.exponent_exact.sel(quantity=["risk", "b"]).values.reshape(-1, 2)
    law = hpgrid.exponents(hpgrid.parse(own["bound"], {"A": 1, "D": 1, "q": "1/3"}), "b")
    assert {tuple(row) for row in exact} == {("0", "0")} == {(str(law.exponent["risk"]), str(law.exponent["b"]))}
    lmo = {"bound": "lmo", "constants": {"C2": [1.0, 2.0], "q": q}, "grid": {"n": 8}, "regime": {"tuned": ["eta", "b"]}}
    lmo["regime"]["fixed"] = {"beta": 0.9}
    found = hpgrid.sweep(lmo, tmp_path / "lmo.zarr")
    assert found.exponent_exact.values.reshape(-1, 4)[0].tolist() == ["-1/5", "-1/5", "3/5", ""]
