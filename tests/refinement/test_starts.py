"""Bounds with several local minima, or none: where descents start, which end is taken, what runs off."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from hpgrid import FunctionProxy, Term, bounds, refine
from hpgrid.refinement.descent import STARTS, coarse_optima
from hpgrid.refinement.optimum import posed


def two_wells(eta: Any, b: Any, alpha: Any, T: Any, c: Any) -> Any:
    """Wells at eta = 1e-3 and, deeper where depth > 1, at eta = 1."""
    u = jnp.log10(eta)
    return 10.0 - jnp.exp(-((u + 3.0) ** 2)) - c["depth"] * jnp.exp(-(u**2))


@pytest.mark.parametrize(("depth", "near"), [(0.5, 1e-3), (2.0, 1.0)])
def test_the_deeper_of_two_wells_is_found(depth: float, near: float) -> None:
    proxy = FunctionProxy(two_wells, {"depth": depth})
    found = refine(proxy, ("eta",), fixed={"b": 1.0, "alpha": 1.0}, T=[1e6, 1e9])
    assert found.converged.all()
    # The other well's tail moves a well of depth d by some 9 log(10) e^-9 / d decades.
    np.testing.assert_allclose(np.log10(found.at["eta"]), np.log10(near), atol=0.02)


def test_a_start_of_ones_own_finds_its_own_well() -> None:
    proxy = FunctionProxy(two_wells, {"depth": 2.0})
    found = refine(proxy, ("eta",), fixed={"b": 1.0, "alpha": 1.0}, T=1e6, start={"eta": 1e-3})
    assert found.converged
    assert float(found.at["eta"]) == pytest.approx(1e-3, rel=0.05)


def test_every_problem_starts_from_its_own_constants() -> None:
    proxy = FunctionProxy(two_wells, {"depth": 1.0})
    problem = posed(proxy, ("eta",), T=1e6, fixed={"b": 1.0, "alpha": 1.0}, constants={"depth": np.array([0.1, 5.0])})
    starts = coarse_optima(problem)
    assert len(starts) == STARTS
    first, second = (np.log10(start["eta"]) for start in starts[:2])
    np.testing.assert_allclose(first, [-3.0, 0.0], atol=0.1)
    np.testing.assert_allclose(second, [0.0, -3.0], atol=0.1)


def test_the_coarse_grid_reaches_a_cap_and_not_beyond() -> None:
    """Falling up to the cap: the start is the cap itself, though its exponential is rounded."""
    proxy = FunctionProxy(lambda eta, b, alpha, T, c: 1 / eta, {"lam": 0.3}, cap_terms={"eta": Term({"lam": -1}, {})})
    problem = posed(proxy, ("eta",), T=1e6, fixed={"b": 1.0, "alpha": 1.0})
    assert float(coarse_optima(problem)[0]["eta"]) == pytest.approx(1 / 0.3, rel=1e-14)
    found = refine(proxy, ("eta",), T=1e6, fixed={"b": 1.0, "alpha": 1.0}, constants={"lam": np.array([0.3, 3.0])})
    np.testing.assert_allclose(found.at["eta"], [1 / 0.3, 1 / 3], rtol=1e-14)
    np.testing.assert_array_equal(found.active["eta"], [1, 1])
    assert found.converged.all()


def test_what_only_levels_off_runs_off() -> None:
    """1 + eta: the infimum is at eta -> 0, and b stays where its own optimum is."""
    proxy = FunctionProxy(lambda eta, b, alpha, T, c: 1.0 + eta + b / 100.0 + 1.0 / b)
    found = refine(proxy, ("eta", "b"), fixed={"alpha": 1.0}, T=1e6)
    assert found.unbounded["eta"]
    assert not found.unbounded["b"]
    assert np.isnan(found.at["eta"])
    assert not found.converged
    assert float(found.at["b"]) == pytest.approx(10.0, rel=1e-6)
    assert float(found.risk) == pytest.approx(1.2, rel=1e-12)


def test_two_that_run_off_together_do_so_at_their_own_rates() -> None:
    """1 + alpha^(1/2) + eta/alpha: alpha -> 0, and eta faster; the infimum, 1, is what is left."""
    proxy = FunctionProxy(lambda eta, b, alpha, T, c: 1.0 + jnp.sqrt(alpha) + eta / alpha)
    found = refine(proxy, ("eta", "alpha"), fixed={"b": 1.0}, T=[1e2, 1e6, 1e12])
    for name in ("eta", "alpha"):
        assert found.unbounded[name].all()
    np.testing.assert_array_equal(found.risk, 1.0)


def test_what_falls_towards_a_wall_that_is_closed_does_not_run_off() -> None:
    """1 + alpha^(-1/2) falls to 2 at alpha = 1, its bound."""
    proxy = FunctionProxy(lambda eta, b, alpha, T, c: 1.0 + 1.0 / jnp.sqrt(alpha))
    found = refine(proxy, ("alpha",), fixed={"eta": 1.0, "b": 1.0}, T=1e6)
    assert found.converged
    assert float(found.at["alpha"]) == 1.0
    assert float(found.risk) == pytest.approx(2.0, rel=1e-15)


def test_at_small_budgets_the_star_convex_infimum_is_the_corner_and_later_inside() -> None:
    T = np.array([10.0, 100.0, 1e6, 1e12])
    found = refine(bounds.star_convex(), ("eta", "b"), T=T, fixed={"alpha": 0.05}, min_K=1)
    np.testing.assert_array_equal(found.unbounded["eta"], [True, True, False, False])
    np.testing.assert_array_equal(found.active["b"], [1, 1, 0, 0])
    np.testing.assert_array_equal(found.converged, [False, False, True, True])
    # In the corner nothing is left but Delta0 and the noise at b = T.
    corner = float(bounds.star_convex().risk(eta=1e-300, b=10.0, alpha=0.05, T=10.0))
    assert float(found.risk[0]) == pytest.approx(corner, rel=1e-12)
