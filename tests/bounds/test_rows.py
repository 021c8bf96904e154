"""Bounds that are a row: each is its equation, typed out here in the letters of its source, in K and in T."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from hpgrid import bounds, parse
from hpgrid.bounds import BOUNDS
from hpgrid.formula.syntax import read

#: A dozen operations, each rounded, and powers of numbers whose logs are below 30: 30 eps each.
NEAR = 64 * float(np.finfo(float).eps)


def s(beta: Any) -> Any:
    return np.sqrt((1 - beta) / (1 + beta)) * beta + (1 - beta)


def kl(eta: Any, b: Any, alpha: Any, K: Any) -> Any:
    beta, mu, lam = 1 - alpha, 0.3, 0.2
    rest = 2 * beta * 1.7 / (1 - beta) + 2 * 0.6 / (mu * lam) * (1 + 2 * beta**2 / (1 - beta))
    return (1 - mu * lam * eta) ** K * 2.5 + 2 / (mu * lam) * s(beta) * np.sqrt(1.4) * 3.0 / np.sqrt(b) + rest * eta


def decay(eta: Any, b: Any, alpha: Any, lam: Any, K: Any) -> Any:
    beta = 1 - alpha
    rest = 4 * 0.6 / lam * (1 + beta**2 / (1 - beta)) + 2 * beta * 1.7 / (1 - beta)
    return (1 - lam * eta) ** K * 2.5 + 2 / lam * s(beta) * np.sqrt(1.4) * 3.0 / np.sqrt(b) + rest * eta


def adam(eta: Any, alpha2: Any, K: Any) -> Any:
    """In alpha2 = 1 - beta2: of 1 - (1 - 1e-5) the last digits are lost."""
    R, D0, d, L, eps = 3.0, 2.0, 7.0, 0.5, 1e-3
    E = 4 * d * R**2 / np.sqrt(alpha2) + eta * d * R * L / alpha2
    return 2 * R * D0 / (eta * K) + E * (np.log(1 + R**2 / (alpha2 * eps)) / K - np.log1p(-alpha2))


def largest(b: Any, T: Any) -> Any:
    L, mu, rho, sigma = 2.0, 0.3, 1.5, 4.0
    middle = np.cbrt(L * rho**2 * sigma**2 / (mu**4 * T))
    return np.maximum(np.maximum(L * b / (mu**2 * T), middle), rho * sigma / (mu * (T**2 * b) ** (1 / 6)))


DECAYING = {"Delta0": 2.5, "L": 0.6, "sigma": 3.0, "D": 1.4, "G0": 1.7}
ADAM = {"D0": 2.0, "L": 0.5, "R": 3.0, "d": 7.0, "epsilon": 1e-3}
ONE = {"D0": 2.0, "L": 3.0, "sigma": 0.5}
SU = {"a1": 2.0, "a2": 3.0, "a3": 0.5, "g1": "3/10", "g2": 0.5, "g3": "7/10", "g5": 0.2, "g6": 0.1, "g7": 0.15}
PRIVATE = {**ONE, "d": 50.0, "C": 1.5, "n": 1e4, "epsilon": 2.0}

#: Of each row its constants, the budget that its source has, and its equation in that, of the variables by name.
EQUATIONS: dict[str, tuple[dict[str, Any], str, Callable[..., Any]]] = {
    "frank_wolfe_kl": ({**DECAYING, "lam": 0.2, "mu": 0.3}, "K", kl),
    "independent_decay": (DECAYING, "K", decay),
    "normalised_sgd": (
        ONE, "K", lambda eta, alpha, K: 2 / (eta * K) + 0.5 / (alpha * K) + 0.5 * alpha**0.5 + 3 * eta / alpha,
    ),
    "second_order_smooth": (
        {**ONE, "rho2": 0.7}, "K",
        lambda eta, alpha, K: (
            2 / (eta * K) + 0.5 / (alpha * K) + 0.5 * alpha**0.5 + 0.7 * (eta / alpha) ** 2 + 3 * eta
        ),
    ),
    "storm": (
        ONE, "K",
        lambda eta, b, alpha, K: (
            2 / (eta * K) + (0.5 / (alpha * K) + 0.5 * alpha**0.5 + 3 * eta / alpha**0.5) / b**0.5
        ),
    ),
    "heavy_tails": (
        {**ONE, "p": 1.25}, "K", lambda eta, alpha, K: 2 / (eta * K) + 0.5 * alpha ** (0.25 / 1.25) + 3 * eta / alpha,
    ),
    "sgd_nonconvex": (
        ONE, "K",
        lambda eta, b, K: 2 / (eta * K * (1 - 3 * eta / 2)) + 3 * eta * 0.25 / (2 * b * (1 - 3 * eta / 2)),
    ),
    "sgd_strongly_convex": (
        {"sigma": 0.5, "L": 3.0, "mu": 0.4, "R2": 9.0}, "K",
        lambda eta, b, K: (1 - 0.4 * eta) ** K * 9 + 2 * eta * 0.25 / (0.4 * b),
    ),
    "adam": (ADAM, "K", adam),
    "local_sgd": (
        {**ONE, "z": 1.3}, "R",
        lambda eta, H, n, R: 2 / (eta * H * R) + 3 * eta * 0.25 / n + (3 * eta * H * 1.3) ** 2,
    ),
    "error_feedback": (
        {"D0": 2.0, "s": 0.3, "c": 5.0}, "K",
        lambda eta, delta, K: 2 / (eta * K) + 0.3 * eta + 5 * eta**2 * (1 - delta) / delta**2,
    ),
    "private_sgd": (
        PRIVATE, "K", lambda eta, K: 2 / (eta * K) + 3 * eta * (0.25 + 50 * 1.5**2 * K / (1e4**2 * 2**2)),
    ),
    "critical_batch": ({"X": 2.0, "Y": 3.0, "Z": 0.1}, "K", lambda b, K: 2 / K + 3 / b**0.5 + 0.1),
    "bst": ({"L": 2.0, "mu": 0.3, "rho": 1.5, "sigma": 4.0}, "T", largest),
    "three_term_split": (
        {"E": 1.7, "A": 400.0, "B": 3.0, "C": 900.0, "a": 0.34, "c": "1/2", "g": 0.28}, "K",
        lambda b, N, K: 1.7 + 400 / N**0.34 + 3 / b**0.5 + 900 / K**0.28,
    ),
    "su_law": (
        SU, "K",
        lambda eta, b, N, K: 2 * N**-0.2 * (K * eta) ** -0.3 + 3 * N**0.1 * b**-0.5 + 0.5 * N**0.15 * eta**0.7,
    ),
    "functional_scaling": ({"A": 2.0, "C": 3.0, "s": 0.6}, "K", lambda eta, b, K: 2 * (eta * K) ** -0.6 + 3 * eta / b),
}  # fmt: skip

#: What tokens are over the budget of a source.
TOKENS = {"K": lambda at: at["b"], "R": lambda at: at["n"] * at["H"] * at["b"], "T": lambda at: 1.0}

#: Where variables are drawn, by the powers of ten between which they lie.
RANGES = {"eta": (-6.0, -1.0), "alpha": (-5.0, 0.0), "alpha2": (-5.0, -0.1), "delta": (-3.0, 0.0), "lam": (-2.0, 1.0)}


def test_each_row_without_a_function_of_its_own_has_its_equation_here() -> None:
    assert set(EQUATIONS) == {name for name, row in BOUNDS.items() if not row.module}
    assert len(BOUNDS) >= 18


@pytest.mark.parametrize("name", EQUATIONS)
def test_the_bound_is_its_equation_in_its_own_budget_and_in_tokens(name: str) -> None:
    constants, budget, equation = EQUATIONS[name]
    rng = np.random.default_rng(15)
    at = {v: 10 ** rng.uniform(*RANGES.get(v, (0.0, 6.0)), 200) for v in BOUNDS[name].space.hyperparameters}
    spent = 10 ** rng.uniform(1, 9, 200)
    own = inspect.signature(equation).parameters
    by_hand = equation(**{v: x for v, x in at.items() if v in own}, **{budget: spent})
    proxy = getattr(bounds, name)(**constants, budget=budget)
    assert (proxy.name, proxy.budget, proxy.source) == (name, budget, BOUNDS[name].source)
    # A power of up to 1e9 takes the rounding of its base, 1e-16, that many times; hpgrid takes it by log1p.
    close = 1e-7 if "**K" in BOUNDS[name].formula else NEAR
    np.testing.assert_allclose(proxy.risk(**at, **{budget: spent}), by_hand, rtol=close)
    T = spent * TOKENS[budget](at)
    np.testing.assert_allclose(proxy.form("T").risk(**at, T=T), by_hand, rtol=close)
    assert getattr(bounds, name)(**constants, budget="T") == proxy.form("T")


@pytest.mark.parametrize("name", [name for name, row in BOUNDS.items() if row.module])
def test_a_bound_with_a_function_of_its_own_is_the_formula_of_its_row(name: str) -> None:
    row, rng = BOUNDS[name], np.random.default_rng(15)
    values = {key: 1.0 for key in read(row.formula).names() if key in row.constants} | {
        key: each.default for key, each in row.exponents.items()
    }
    ranges = {**RANGES, "b": (0.0, 6.0), "K": (0.0, 8.0)}
    at = {v: 10 ** rng.uniform(*ranges[v], 200) for v in ("eta", "b", "alpha", "K")}
    own = getattr(bounds, name)(budget="K")
    np.testing.assert_allclose(own.risk(**at), parse(row.formula, values).risk(**at), rtol=NEAR)
    assert own.source.split(",")[0] == row.source.split(",")[0]


def test_its_function_takes_constants_by_name_and_says_what_they_mean() -> None:
    assert bounds.local_sgd is bounds.local_sgd
    assert str(inspect.signature(bounds.heavy_tails)) == "(*, D0=1.0, sigma=1.0, L=1.0, p='3/2', budget='K')"
    told = inspect.getdoc(bounds.sgd_strongly_convex)
    for words in ("(1 - eta*mu)**K*R2 + ", "mu: strong convexity", "for eta <= 1/(2*L), eta*mu <= 1", "2301.11235"):
        assert words in told
    assert "H >= 1, whole; n >= 1, whole; R >= 1, budget; T = n*H*R*b" in inspect.getdoc(bounds.local_sgd)
    assert "p: how many moments the noise has, 1 < p <= 2; 3/2 by default." in inspect.getdoc(bounds.heavy_tails)
    with pytest.raises(TypeError, match="unexpected keyword argument 'Q'"):
        bounds.local_sgd(Q=1.0)
    with pytest.raises(AttributeError, match="no attribute 'local'"):
        bounds.local  # noqa: B018


@pytest.mark.parametrize(("name", "given", "words"), [
    ("heavy_tails", {"p": 1}, "the exponent p is one with 1 < p <= 2. Given: '1'"),
    ("heavy_tails", {"p": 2.1}, "the exponent p is one with 1 < p <= 2. Given: '2.1'"),
    ("heavy_tails", {"p": "two"}, "the exponent p is a number between -1000 and 1000. Given: 'two'"),
    ("functional_scaling", {"s": 0}, "the exponent s is one with s > 0. Given: '0'"),
    ("storm", {"L": -1.0}, "constant L must be a finite number >= 0. Given: -1.0"),
    ("storm", {"budget": "R"}, "there is no budget of that name. Given: 'R'"),
])  # fmt: skip
def test_what_a_row_does_not_take_is_refused(name: str, given: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=r"Given: .* Write ") as refusal:
        getattr(bounds, name)(**given)
    assert words in str(refusal.value)


def test_conditions_hold_where_a_row_says_and_exponents_are_what_was_written() -> None:
    at = {"b": 4.0, "K": 10.0}
    assert math.isfinite(bounds.sgd_nonconvex(L=4.0).form("K").risk(eta=0.49, **at))
    assert bounds.sgd_nonconvex(L=4.0).form("K").risk(eta=0.5, **at) == math.inf
    convex = bounds.sgd_strongly_convex(L=2.0, mu=5.0).form("K")
    assert [math.isfinite(convex.risk(eta=eta, **at)) for eta in (0.2, 0.21)] == [True, False]
    (power,) = {term.exponent("alpha") for term in bounds.heavy_tails(p=1.9).terms} - {0, -1}
    assert power == Fraction(9, 19)
