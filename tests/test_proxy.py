"""A bound is a sum of terms: what it is worth, and the same bound in K and in T."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

import jax.numpy as jnp
import numpy as np
import pytest

from hpgrid import FunctionProxy, Proxy, Term, bounds
from hpgrid.surds import Surd

HALF = Fraction(1, 2)


def powers(proxy: Proxy) -> list[dict]:
    """The nonzero exponents (or functions) of every term."""
    return [{v: f for v, f in term.factors.items() if f != 0} for term in proxy.terms]


# --- Term ---


@pytest.mark.parametrize(
    ("term", "text"),
    [
        (Term({"C1": 1}, {"b": 1, "eta": -1, "T": -1}), "C1*eta^-1*b*T^-1"),
        (Term({"rho": 1, "sigma": 2}, {"b": -HALF}, Fraction(7, 2)), "7/2*rho*sigma^2*b^(-1/2)"),
        (Term({}, {"alpha": "one_minus", "eta": 0}), "(1 - alpha)"),
        (Term({"s": 1}, {"alpha": "one_plus"}, Surd.of(2) ** HALF), "2^(1/2)*s*(1 + alpha)"),
        (Term({}, {"b": 1}, Surd.of(4) ** HALF), "2*b"),
        (Term({}, {"eta": 0}), "1"),
    ],
)
def test_a_term_prints_as_a_product_in_canonical_order(term: Term, text: str) -> None:
    assert str(term) == text


def test_exponent_is_exact_zero_where_absent_and_none_under_a_function() -> None:
    term = Term({}, {"eta": -1, "b": Fraction(1, 3), "alpha": "one_plus"})
    assert [term.exponent(v) for v in ("eta", "b", "alpha", "T")] == [-1, Fraction(1, 3), None, 0]
    assert isinstance(term.exponent("eta"), Fraction)


def test_coefficient_is_the_number_times_powers_of_the_constants() -> None:
    term = Term({"L": 1, "sigma": 2, "rho": HALF}, {}, Fraction(7, 2))
    assert term.coefficient({"L": 2.0, "sigma": 3.0, "rho": 4.0}) == 3.5 * 2 * 9 * 2
    assert Term({"L": 1}, {}, Surd.of(2) ** HALF).coefficient({"L": 3.0}) == 2**0.5 * 3


# --- Proxy ---


def test_risk_is_the_sum_of_the_terms_and_broadcasts() -> None:
    proxy = Proxy(
        (Term({"c": 1}, {"eta": -1, "T": -1}), Term({}, {"b": HALF, "alpha": "one_minus"}, Fraction(2))), {"c": 6.0}
    )
    eta, b = np.array([[1.0], [2.0]]), np.array([1.0, 4.0, 9.0])
    np.testing.assert_array_equal(
        proxy.risk(eta=eta, b=b, alpha=0.75, T=3.0), 2 / eta + 0.5 * np.array([1.0, 2.0, 3.0])
    )
    assert proxy.variables() == ("eta", "b", "alpha", "T")


@pytest.mark.parametrize(("function", "value"), [("one_minus", 1 - 1e-17), ("one_plus", 1.25)])
def test_functions_are_computed_from_alpha_itself(function: str, value: float) -> None:
    alpha = 1e-17 if function == "one_minus" else 0.25
    assert Proxy((Term({}, {"alpha": function}),), {}).risk(alpha=alpha) == value


def test_risk_beyond_a_cap_is_infinite_and_at_it_finite() -> None:
    proxy = Proxy((Term({}, {"eta": 1}),), {}, caps={"eta": 2.0})
    np.testing.assert_array_equal(proxy.risk(eta=np.array([1.0, 2.0, 2.1])), [1.0, 2.0, math.inf])


ALL = [
    bounds.lmo(C1=0.3, C2=7.0, C3=0.1),
    bounds.lmo(q=0.3),
    bounds.lmo(q=1),
    bounds.lmo(burn_in=False),
    bounds.lmo(E0=3.0, Delta0=2.0),
    bounds.lmo_exact(L=2.0),
    bounds.lmo_large_horizon(),
    bounds.sgd(L=0.5),
    FunctionProxy(lambda eta, b, alpha, T, c: c["C"] * b / (eta * T) + eta / alpha + b, {"C": 2.0}),
]


@pytest.mark.parametrize("proxy", ALL, ids=lambda p: p.name)
def test_the_two_forms_have_the_same_risk_at_T_equal_to_K_times_b(proxy: Proxy | FunctionProxy) -> None:
    rng = np.random.default_rng(0)
    eta, b, alpha = 10 ** rng.uniform(-5, 0, 50), 10 ** rng.uniform(0, 5, 50), 10 ** rng.uniform(-5, 0, 50)
    K = 10 ** rng.uniform(-1, 8, 50)
    at = {"eta": eta, "b": b, "alpha": alpha}
    in_T, in_K = proxy.form("T"), proxy.form("K")
    assert (in_T.budget, in_K.budget) == ("T", "K")
    np.testing.assert_allclose(in_K.risk(**at, K=K), in_T.risk(**at, T=K * b), rtol=2e-15)
    assert in_K.caps == in_T.caps


@pytest.mark.parametrize("proxy", ALL, ids=lambda p: p.name)
@pytest.mark.parametrize("first", ["T", "K"])
def test_form_there_and_back_is_the_same_bound(proxy: Proxy | FunctionProxy, first: str) -> None:
    proxy = proxy.form(first)
    back = proxy.form("K" if first == "T" else "T").form(first)
    assert proxy.form(first) is proxy
    if isinstance(proxy, Proxy):
        assert powers(back) == powers(proxy)
        assert [t.constants for t in back.terms] == [t.constants for t in proxy.terms]
    else:
        assert (back.function, back.budget) == (proxy.function, first)


def test_with_constants_changes_some_and_the_caps_that_follow_and_keeps_the_rest() -> None:
    proxy = bounds.lmo(C1=2.0, C2=3.0).with_constants(C2=5.0)
    assert proxy == bounds.lmo(C1=2.0, C2=5.0, C3=1.0)
    assert bounds.sgd().with_constants(L=2.0) == bounds.sgd().at_constants({"L": 2.0}) == bounds.sgd(L=2.0)


ETA = (Term({}, {"eta": 1}),)


def _in_K(factors: dict) -> Proxy:
    return Proxy((Term({}, factors),), {}, "K")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Proxy((Term({}, {"beta": 1}),), {}), "variable.*'beta'"),
        (lambda: Term({}, {"alpha": "one_minsu"}), "function.*Write 'one_minus'"),
        (lambda: Term({}, {"eta": 1}, Fraction(0)), "a term's number must be positive"),
        (lambda: Term({}, {"eta": 1}, Fraction(-1)), "a term's number must be positive"),
        (lambda: Proxy((), {}), "at least one term"),
        (lambda: Proxy((Term({"c": 1}, {"eta": 1}),), {}), "needs a value.*c="),
        (lambda: Proxy((Term({}, {"K": 1}),), {}), "in T has no K"),
        (lambda: Proxy(ETA, {}, "N"), "budget.*'N'"),
        (lambda: FunctionProxy(abs, {}, "N"), "budget.*'N'"),
        (lambda: Proxy(ETA, {}, caps={"lr": 1.0}), "hyperparameter to cap of that name.*eta, b, alpha"),
        (lambda: Proxy(ETA, {}, caps={"eta": "1"}), "eta must be a finite number"),
        (lambda: Proxy(ETA, {}, caps={"eta": -1.0}), "eta must be a finite number"),
        (lambda: bounds.sgd().with_constants(L=1e-320), "eta must be a finite number"),
        (lambda: bounds.lmo().with_constants(c1=2.0), "constant.*'c1'"),
        (lambda: bounds.lmo().form("tokens"), "budget.*'tokens'"),
        (lambda: ALL[-1].form("tokens"), "budget.*'tokens'"),
        (lambda: _in_K({"K": "one_plus"}).form("T"), "function of the budget"),
        (lambda: _in_K({"b": "one_plus", "K": -1}).form("T"), "function of b"),
        (lambda: bounds.lmo().risk(eta=1.0, alpha=1.0, T=1.0), r"needs a value of b.*b=\.\.\."),
        (lambda: ALL[-1].risk(eta=1.0, b=1.0, T=1.0), "needs a value of alpha"),
    ],
)
def test_a_bound_refuses(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("value", [-1.0, math.nan, math.inf, "1", True, None, 1j])
def test_a_constant_is_a_finite_number_from_0_on(value: object) -> None:
    term = Term({"c": 1}, {"eta": 1})
    with pytest.raises(ValueError, match="constant c"):
        Proxy((term,), {"c": value})
    with pytest.raises(ValueError, match="constant c"):
        FunctionProxy(lambda *_: 1.0, {"c": value})
    with pytest.raises(ValueError, match="constant C1"):
        bounds.lmo().with_constants(C1=value)


# --- FunctionProxy ---


def test_a_function_proxy_takes_every_variable_and_obeys_its_caps() -> None:
    proxy = FunctionProxy(lambda eta, b, alpha, K, c: c["C"] * eta / K, {"C": 3}, "K", caps={"eta": 1.0})
    assert proxy.variables() == ("eta", "b", "alpha", "K")
    at = {"eta": np.array([0.5, 2.0]), "b": 1.0, "alpha": 1.0, "K": 3.0}
    np.testing.assert_array_equal(proxy.risk(**at), [0.5, math.inf])
    with_jax = FunctionProxy(lambda eta, b, alpha, T, c: jnp.sqrt(eta))
    assert with_jax.risk(eta=2.0, b=1.0, alpha=1.0, T=1.0).dtype == np.float64
