"""Bounds that are no sums of powers: against the convex route, closed forms, and what must be flagged."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
from mpmath import mp, mpf
from reference import EPS

import hpgrid
from hpgrid import FunctionProxy, Proxy, Term, bounds, refine
from hpgrid.checks import InputError
from hpgrid.refinement import flatness, regret
from hpgrid.refinement.descent import STARTS, coarse_optima
from hpgrid.refinement.optimum import posed, solved
from hpgrid.theory import cesista_laws

NAMES = ("eta", "b", "alpha")


def _eq_4(eta, b, alpha, T, c):
    noise = c["C2"] * (jnp.sqrt(b) / (alpha * T) + jnp.sqrt(alpha / b))
    return c["C1"] * b / (eta * T) + noise + c["C3"] * eta * (1 + 1 / alpha)


CONSTANTS = {"C1": 2.0, "C2": 0.7, "C3": 3.0}


FUNCTION, POWERS = FunctionProxy(_eq_4, CONSTANTS), bounds.lmo(**CONSTANTS)


T = np.array([1e4, 1e10, 1e16, 1e22])


def test_a_bound_given_as_a_function_agrees_with_its_sum_of_powers() -> None:
    one, other = refine(FUNCTION, NAMES, T=T), refine(POWERS, NAMES, T=T)
    assert one.converged.all()
    np.testing.assert_allclose(one.log_risk, other.log_risk, rtol=0, atol=1e-14 * 50)
    # Rounding alone can move the logs by the gradient's over the least curvature: the gradient of the log risk sums 5
    # terms with exponents up to 1, each after some 10 operations.
    known = 5 * 10 * EPS / flatness(POWERS, tuned=NAMES, T=T).curvature
    for v in NAMES:
        assert (abs(np.log(one.at[v] / other.at[v])) <= known).all()
        # The exponents rest on the Hessian's flattest curvature, whose rounding is the gradient's.
        np.testing.assert_array_less(abs(one.exponent[v] - other.exponent[v]), 10 * known + 1e-12)
        np.testing.assert_array_equal(one.active[v], other.active[v])
    np.testing.assert_allclose(one.exponent["risk"], other.exponent["risk"], rtol=0, atol=1e-10)


@pytest.mark.parametrize(
    "more",
    [
        {"T": 1e10},
        {"T": [[1e6, 1e8], [1e10, 1e12]]},
        {"T": T[1:3], "constants": {"C1": np.array([1.0, 50.0])}},
        {"T": T, "caps": {"b": 100.0}},
        {"T": T, "caps": {"eta": 1e-30}},
        {"T": T[1:3], "min_K": 1e5, "constants": {"C2": np.array([0.7, 700.0])}},
        {"T": T, "limits": {"b": (1e3, 1e4), "eta": (1e-9, 1e3)}},
        {"K": T, "caps": {"b": 1e5}},
        {"T": 1e10, "start": {"b": 1e6}},
        {"T": T, "start": {"b": 1e6, "eta": 1.0}},
    ],
    ids=["number", "table", "constants", "cap", "cap below the grid", "min_K", "limits", "K", "part start", "start"],
)
def test_it_takes_what_a_sum_of_powers_takes(more: dict) -> None:
    one, other = (refine(p, ("eta", "b"), fixed={"alpha": 0.1}, **more) for p in (FUNCTION, POWERS))
    assert one.converged.all()
    assert one.risk.shape == other.risk.shape
    np.testing.assert_allclose(one.log_risk, other.log_risk, rtol=0, atol=1e-12)
    for v in ("eta", "b"):
        np.testing.assert_allclose(np.log(one.at[v]), np.log(other.at[v]), rtol=0, atol=1e-9)
        np.testing.assert_allclose(one.exponent[v], other.exponent[v], rtol=0, atol=1e-8)
        np.testing.assert_array_equal(one.active[v], other.active[v])
    np.testing.assert_allclose(one.exponent["risk"], other.exponent["risk"], rtol=0, atol=1e-9)


@pytest.mark.parametrize("retune", [True, False])
@pytest.mark.parametrize(
    ("tuned", "more"), [(("eta", "b"), {"fixed": {"alpha": 0.1}}), (("eta",), {"fixed": {"alpha": 0.1, "b": 10.0}})]
)
def test_its_regret_agrees(tuned: tuple, more: dict, retune: bool) -> None:
    one, other = (regret(p, "eta", 3.0, retune=retune, tuned=tuned, T=T, **more) for p in (FUNCTION, POWERS))
    # A difference of two log risks, each rounded in some 20 operations.
    np.testing.assert_allclose(one, other, rtol=1e-9, atol=20 * EPS * (1 + other.max()))


def test_its_flatness_agrees() -> None:
    more = {"tuned": ("eta", "b"), "fixed": {"alpha": 0.1}, "T": 1e10}
    one, other = flatness(FUNCTION, **more), flatness(POWERS, **more)
    np.testing.assert_allclose(one.curvature, other.curvature, rtol=1e-8)
    for v in ("eta", "b"):
        np.testing.assert_allclose(one.direction[v], other.direction[v], rtol=1e-8)
        np.testing.assert_allclose(np.log(one.low[v]), np.log(other.low[v]), rtol=0, atol=1e-8)
        np.testing.assert_allclose(np.log(one.high[v]), np.log(other.high[v]), rtol=0, atol=1e-8)


# --- closed forms ---
def test_weight_decay_outside_whose_domain_the_bound_is_nan() -> None:
    """Delta (1 - lam eta)^K + eta: the least is where K lam Delta (1 - lam eta)^(K - 1) = 1."""

    def decay(eta, b, alpha, K, c):
        return c["Delta"] * jnp.exp(K * jnp.log1p(-c["lam"] * eta)) + eta

    K = np.array([1e2, 1e4, 1e8, 1e60, 1e150, 1e280])
    proxy = FunctionProxy(decay, {"Delta": 3.0, "lam": 0.2}, budget="K")
    found = refine(proxy, ("eta",), fixed={"b": 1.0, "alpha": 1.0}, K=K)
    assert found.converged.all()
    with mp.workdps(40):
        lam, gap = mpf(0.2), mpf(3)

        def best(k: mpf) -> mpf:
            return -mpmath.expm1(-mpmath.log(k * lam * gap) / (k - 1)) / lam

        for i, k in enumerate(K):
            assert found.at["eta"][i] == pytest.approx(float(best(mpf(k))), rel=1e-9, abs=0)
            exponent = mpmath.diff(lambda x: mpmath.log(best(mpmath.exp(x))), mpmath.log(mpf(k)))
            assert found.exponent["eta"][i] == pytest.approx(float(exponent), rel=1e-6)


def test_a_term_with_one_minus_alpha_goes_downhill() -> None:
    """Nesterov's 1 - alpha: after eta, 2 (b/T)^(1/2) (1/alpha + 1 - alpha)^(1/2) + (alpha/b)^(1/2), by its root."""
    b = 32.0
    half = Fraction(1, 2)
    parts = [{"eta": -1, "T": -1, "b": 1}, {"alpha": half, "b": -half}, {"eta": 1, "alpha": -1}]
    proxy = Proxy((*(Term({}, part) for part in parts), Term({}, {"eta": 1, "alpha": "one_minus"})), {})
    found = refine(proxy, ("eta", "alpha"), fixed={"b": b}, T=T[1:])
    assert found.converged.all()
    with mp.workdps(40):
        for i, t in enumerate(T[1:]):

            def risk(x: mpf, t: float = t) -> mpf:
                a = mpmath.exp(x)
                return 2 * mpmath.sqrt(mpf(b) / t * (1 / a + 1 - a)) + mpmath.sqrt(a / b)

            x = mpmath.findroot(lambda x: mpmath.diff(risk, x), mpmath.log(2 * b / mpmath.sqrt(t)))
            assert np.log(found.at["alpha"][i]) == pytest.approx(float(x), abs=1e-9)
            assert found.risk[i] == pytest.approx(float(risk(x)), rel=1e-12, abs=0)


# --- what must be flagged ---
HELD: dict[str, Any] = {"tuned": ("eta",), "fixed": {"b": 1.0, "alpha": 1.0}}

#: At fixed K larger batches are always better: the gradient fades, and no minimum is there.
LEVEL: dict[str, Any] = {"tuned": ("eta", "b"), "fixed": {"alpha": 0.1}, "K": T}

NO_OPTIMUM = {
    "a kink": (lambda eta, b, alpha, T, c: jnp.maximum(1 / (eta * T), eta), {**HELD, "T": [3e4, 7e7]}),
    "what only levels off": (_eq_4, LEVEL),
    "nan everywhere": (lambda eta, b, alpha, T, c: jnp.log(-eta), {**HELD, "T": 1e4, "start": {"eta": 1.0}}),
    "a maximum": (
        lambda eta, b, alpha, T, c: jnp.exp(-(jnp.log(eta) ** 2)) + 1.0,
        {**HELD, "T": [1e4, 1e8], "start": {"eta": 1.0}},
    ),
}


@pytest.mark.parametrize("name", NO_OPTIMUM)
def test_what_is_no_optimum_is_not_called_one(name: str) -> None:
    function, refined = NO_OPTIMUM[name]
    found = refine(FunctionProxy(function, CONSTANTS), **refined)
    assert not found.converged.any()
    assert np.isfinite(found.risk).all() == (name != "nan everywhere")


def test_a_bound_given_by_a_function_needs_every_variable() -> None:
    with pytest.raises(InputError, match="alpha of the bound function is neither tuned nor fixed"):
        refine(FUNCTION, ("eta", "b"), T=T)


def two_wells(eta: Any, b: Any, alpha: Any, T: Any, c: Any) -> Any:
    """Wells at eta = 1e-3 and, deeper where depth > 1, at eta = 1."""
    u = jnp.log10(eta)
    return 10.0 - jnp.exp(-((u + 3.0) ** 2)) - c["depth"] * jnp.exp(-(u**2))


WELLS = FunctionProxy(two_wells, {"depth": 2.0})


def test_the_deeper_of_two_wells_is_found_unless_a_start_is_in_the_other() -> None:
    found = refine(WELLS, **HELD, T=[1e6, 1e9], constants={"depth": np.array([0.5, 2.0])})
    assert found.converged.all()
    # The other well's tail moves a well of depth d by some 9 log(10) e^-9 / d decades.
    np.testing.assert_allclose(np.log10(found.at["eta"]), [[-3, -3], [0, 0]], atol=0.02)
    own = refine(WELLS, **HELD, T=1e6, start={"eta": 1e-3})
    assert own.converged
    assert float(own.at["eta"]) == pytest.approx(1e-3, rel=0.05)


def test_every_problem_starts_from_its_own_constants() -> None:
    problem = posed(WELLS, **HELD, T=1e6, constants={"depth": np.array([0.1, 5.0])})
    starts = coarse_optima(problem)
    assert len(starts) == STARTS
    first, second = (np.log10(start["eta"]) for start in starts[:2])
    np.testing.assert_allclose(first, [-3.0, 0.0], atol=0.1)
    np.testing.assert_allclose(second, [0.0, -3.0], atol=0.1)


def test_the_coarse_grid_reaches_a_cap_and_not_beyond() -> None:
    """Falling up to the cap: the start is the cap itself, though its exponential is rounded."""
    proxy = FunctionProxy(lambda eta, b, alpha, T, c: 1 / eta, {"lam": 0.3}, cap_terms={"eta": Term({"lam": -1}, {})})
    problem = posed(proxy, **HELD, T=1e6)
    assert float(coarse_optima(problem)[0]["eta"]) == pytest.approx(1 / 0.3, rel=1e-14)
    found = refine(proxy, **HELD, T=1e6, constants={"lam": np.array([0.3, 3.0])})
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
    found = refine(bounds.star_convex(), ("eta", "b"), T=T, fixed={"alpha": 0.05})
    np.testing.assert_array_equal(found.unbounded["eta"], [True, True, False, False])
    np.testing.assert_array_equal(found.active["b"], [1, 1, 0, 0])
    np.testing.assert_array_equal(found.converged, [False, False, True, True])
    # In the corner nothing is left but Delta0 and the noise at b = T.
    corner = float(bounds.star_convex().risk(eta=1e-300, b=10.0, alpha=0.05, T=10.0))
    assert float(found.risk[0]) == pytest.approx(corner, rel=1e-12)


@pytest.mark.parametrize("bound", [bounds.star_convex, bounds.frank_wolfe])
def test_a_bound_of_one_iteration_or_more_ends_there_whoever_asks(bound: Callable[..., Any]) -> None:
    """No least number of iterations is said: b <= T is a part of where the bound holds."""
    T = np.array([10.0, 100.0, 1e3])
    found, said = (refine(bound(), ("eta", "b", "alpha"), T=T, **more) for more in ({}, {"min_K": 1}))
    np.testing.assert_allclose(found.risk, said.risk, rtol=1e-12)
    for v in found.at:
        np.testing.assert_array_equal(found.unbounded[v], said.unbounded[v])
        np.testing.assert_array_equal(found.limit[v], said.limit[v])
    assert solved(found).all()
    if bound is bounds.star_convex:
        np.testing.assert_array_equal(found.unbounded["eta"], [True, True, False])
        np.testing.assert_allclose(found.risk[:2], 1.0)


def test_far_out_the_star_convex_optimum_and_its_exponents_are_the_closed_forms() -> None:
    """b* = (noise lam T/(2 slope s))^(2/3) and eta* = s b*/(lam T), s' = (1/3)/(1 - 2/(3 s)): ``cesista_laws``."""
    T, alpha = np.array([1e40, 1e100, 1e165, 1e280]), 0.05
    found = refine(bounds.star_convex(), ("eta", "b"), T=T, fixed={"alpha": alpha}, min_K=1)
    assert found.converged.all()
    of = cesista_laws.star_convex_at_momentum(alpha, lam=1.0)
    s, log_b = cesista_laws.decayed(np.log(T), of), cesista_laws.log_b(np.log(T), of)
    rise = (1 / 3) / (1 - 2 / (3 * s)) / s
    expected = {"b": (log_b, 2 / 3 * (1 - rise)), "eta": (cesista_laws.log_eta(np.log(T), log_b, of), (rise - 1) / 3)}
    for v, (log_at, exponent) in expected.items():
        np.testing.assert_allclose(np.log(found.at[v]), log_at, rtol=0, atol=1e-9)
        np.testing.assert_allclose(found.exponent[v], exponent, rtol=0, atol=1e-9)


def test_a_place_that_the_risk_determines_no_more_is_not_called_converged() -> None:
    """The root is 2^(1/2) T^(-3/8) at eta = T^(-1/4) b^(-1/2), of any b; what sets b = 1 is lost in its rounding."""
    formula = "b**2/T + 1/(eta*b**.5*T) + (eta*b**.5/(alpha*T**.5) + 1/(eta*b**.5*T))**.5"
    bound = hpgrid.parse(formula, domain=["eta <= 3/T**(1/4)"])
    found = refine(bound, NAMES, T=[1e10, 1e20, 1e60, 1e100])
    np.testing.assert_array_equal(found.converged, [True, True, False, False])
    np.testing.assert_allclose(found.at["eta"][:2], [10**-2.5, 1e-5], rtol=1e-3)
    np.testing.assert_array_equal(found.at["b"][:2], 1.0)
    np.testing.assert_allclose(found.log_risk[2:], np.log(2) / 2 - 3 / 8 * np.log([1e60, 1e100]), rtol=1e-13)
