"""A constant of 0 drops its terms, in every route; what was held by them has no best value, which is said."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import printed

from hpgrid import Grid, Regime, bounds, exponents, grid_search, parse, refine
from hpgrid.checks import InputError
from hpgrid.search.many import search_many
from hpgrid.sweeps.plan import parse as plan_of
from hpgrid.sweeps.run import sweep

F = Fraction
NAMES = ("C1", "C2", "C3")

#: Constants that are 0, among others that are not: each set of terms is a program that is compiled.
ROWS = [(0.3, 5.0, 7.0), (0.3, 0.0, 7.0), (1.0, 2.0, 3.0), (0.3, 5.0, 0.0)]


def test_many_constants_are_what_one_after_the_other_is() -> None:
    """Every set of noughts, in every regime, was run once: each bit was the same."""
    regime, grid, columns = Regime(("eta", "b"), {"alpha": 0.01}), Grid.footnote(12), dict(zip(NAMES, np.array(ROWS).T))
    found = search_many(bounds.lmo(), grid, regime, columns)
    T = np.array([1e4, 1e12])
    optimum = refine(bounds.lmo(), regime=regime, T=T, constants=columns)
    assert found.method == "exact"
    for k, row in enumerate(ROWS):
        bound = bounds.lmo(**dict(zip(NAMES, row)))
        own, alone = grid_search(bound, grid, regime=regime), refine(bound, regime=regime, T=T)
        np.testing.assert_array_equal(own.risk, found.risk[k])
        np.testing.assert_array_equal(alone.risk, optimum.risk[k])
        for v in regime.tuned:
            np.testing.assert_array_equal(own.index[v], found.index[v][k])
            for each in ("at", "exponent", "unbounded", "limit"):
                np.testing.assert_array_equal(getattr(alone, each)[v], getattr(optimum, each)[v][k])


def test_the_exact_law_is_that_of_the_terms_that_are_left_and_says_what_runs_off() -> None:
    without_drift = exponents(bounds.lmo(C3=0.0), ("eta", "b"), fixed={"alpha": 0.1})
    assert without_drift.unbounded["eta"] == (1, "a cap on eta")
    assert (without_drift.exponent["b"], without_drift.exponent["risk"]) == (1, F(-1, 2))
    assert exponents(bounds.lmo(C2=0.0), ("eta", "b")).active == {"b": "b >= 1"}
    assert exponents(bounds.lmo(E0=0.0), ("alpha", "eta"), fixed={"b": 8.0}).exponent["alpha"] == F(-1, 2)
    assert refine(bounds.lmo(C3=0.0), ("eta",), T=1e9, fixed={"b": 1.0, "alpha": 0.1}).limit["eta"] == np.inf


def test_a_condition_that_a_constant_of_0_lifts_holds_everywhere_and_comes_back() -> None:
    bound = parse("D/(eta*K) + L*eta + lam*D", {"D": 1.0, "L": 1e-9, "lam": 0.0}, domain=["lam*eta <= 1"])
    assert (bound.caps, bound.with_constants(lam=2.0).caps) == ({}, {"eta": 0.5})
    assert bound.with_constants(lam=2.0).with_constants(lam=0.0).caps == {}
    assert exponents(bound, ("eta",), budget="K").active == {}
    best = refine(bound, ("eta",), K=100.0, constants={"lam": [0.0, 2.0]}).at["eta"].ravel()
    # D/(eta K) = L eta at eta = (1/(1e-9 100))^(1/2).
    assert best.tolist() == [pytest.approx(1e7**0.5, rel=1e-9), 0.5]
    found = search_many(bound, Grid.footnote(12).with_axes(alpha=None), Regime(("eta", "b")), {"lam": [0.0, 2.0]})
    assert found.at["eta"][1].max() <= 0.5 < found.at["eta"][0].max()


@pytest.mark.parametrize("zeros", [{"sigma": 0.0}, {"G0": 0.0}, {"Delta0": 0.0, "L": 0.0}])
def test_a_function_has_its_terms_dropped_by_itself(zeros: dict[str, float]) -> None:
    at: dict[str, Any] = {"eta": 0.1, "b": 4.0, "alpha": 0.5, "K": 10.0}
    for make in (bounds.steepest, bounds.star_convex, bounds.frank_wolfe):
        tiny = make(**dict.fromkeys(zeros, 1e-200)).form("K").risk(**at)
        assert float(make(**zeros).form("K").risk(**at)) == float(tiny)
        assert make().with_constants(**zeros).constants.items() >= zeros.items()


#: What divides by a constant of 0, or leaves nothing, and what is said.
REFUSED = {
    "sgd's cap": (lambda: bounds.sgd(L=0.0), "L is divided by in L.* so that it is not 0"),
    "every term": (lambda: bounds.lmo(C1=0.0, C2=0.0, C3=0.0), "a constant of 0 drops its terms, and one is left"),
    "in a term": (lambda: parse("C/(s*eta) + eta", {"C": 1.0, "s": 0.0}), "s is divided by in C.s"),
    "in a function": (
        lambda: parse("max(C/(s*eta), eta)", {"C": 1.0, "s": 0.0}), "what is divided by is not 0, and s.eta is",
    ),
    "in a domain": (
        lambda: parse("1/eta + L*eta", {"L": 0.0}, domain=["eta <= 1/L"]), "what is divided by is not 0, and L is",
    ),
    "later": (lambda: parse("C/(s*eta) + eta", {"C": 1.0, "s": 1.0}).with_constants(s=0.0), "s is divided by"),
    "a built-in function": (lambda: bounds.steepest().with_constants(D=0.0), "steepest divides by D"),
    "weight decay": (lambda: bounds.star_convex().with_constants(lam=0.0), "star_convex divides by lam|lam.* not 0"),
    "nothing below": (lambda: parse("1/eta + eta", domain=["eta <= E0"], constants={"E0": 0.0}), "no eta is left"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_divides_by_it_is_refused(case: str) -> None:
    make, words = REFUSED[case]
    with pytest.raises(InputError, match=words):
        make()


def test_a_sweep_may_begin_at_0_and_its_exact_exponents_are_of_the_terms_that_are_left(tmp_path: Path) -> None:
    config = {
        "bound": "lmo", "constants": {"C2": 1.0, "C3": [0.0, 1.0, 4.0], "C1": 1.0}, "grid": {"n": 8},
        "regime": {"tuned": ["eta", "b"], "fixed": {"alpha": 0.1}},
    }  # fmt: skip
    assert plan_of(config).of_laws == ("C3",)
    found = sweep(config, tmp_path / "sweep.zarr").isel(regime=0)
    for C3 in (0.0, 1.0, 4.0):
        law, one = exponents(bounds.lmo(C3=C3), ("eta", "b"), fixed={"alpha": 0.1}), found.sel(C3=C3)
        texts = [one.exponent_exact.sel(quantity=v).item() for v in ("risk", "eta", "b")]
        assert texts == ["" if (e := law.exponent[v]) is None else str(e) for v in ("risk", "eta", "b")]
        assert np.isnan(one.eta_star).all() == ("eta" in law.unbounded)
    with pytest.raises(InputError, match="a log range of C2 begins above 0"):
        plan_of({**config, "constants": {"C2": {"lo": 0.0, "hi": 1.0, "n": 3}}})


def test_a_command_says_what_runs_off(capsys: pytest.CaptureFixture[str]) -> None:
    said = printed("exponents", capsys, "lmo", "--tune", "eta,b", "--fix", "alpha=0.1", "--set", "C3=0")
    assert "it runs to infinity; a cap on eta would stop it" in said
