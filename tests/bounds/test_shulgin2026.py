"""Every bound is its equation, typed out here in K and in T from the paper's text."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from hpgrid import Proxy, bounds

C1, C2, C3 = 0.7, 30.0, 0.02
C = {"C1": C1, "C2": C2, "C3": C3}
D0, L, rho, sigma, E0 = 2.0, 3.0, 1.5, 0.25, 4.0
PROBLEM = {"Delta0": D0, "L": L, "rho": rho, "sigma": sigma}


def in_K(eta: Any, b: Any, alpha: Any, K: Any, C: Any = (C1, C2, C3), q: float = 0.5) -> Any:
    c1, c2, c3 = C
    return c1 / (eta * K) + c2 / b**q * (1 / (alpha * K) + np.sqrt(alpha)) + c3 * eta * (1 + 1 / alpha)


#: What it is: the bound, and its equation in K.
EQUATIONS: dict[str, tuple[Callable[..., Proxy], Callable[..., Any]]] = {
    "eq. (3)": (
        lambda **o: bounds.lmo(**C, **o),
        lambda eta, b, alpha, K: (
            C1 / (eta * K) + C2 / np.sqrt(b) * (1 + alpha**1.5 * K) / (alpha * K) + C3 * eta * (1 + 1 / alpha)
        ),
    ),
    "eq. (3), C1 = Delta0, C2 = 2 rho sigma, C3 = 4 L": (
        lambda **o: bounds.lmo(**PROBLEM, **o),
        lambda *at: in_K(*at, C=(D0, 2 * rho * sigma, 4 * L)),
    ),
    "eqs. (2), (10)": (
        lambda **o: bounds.lmo_exact(**PROBLEM, **o),
        lambda eta, b, alpha, K: (
            D0 / (eta * K)
            + 2 * rho * sigma / (alpha * np.sqrt(b) * K)
            + 2 * rho * sigma * np.sqrt(alpha / b)
            + 7 * L * eta / 2
            + 2 * L * eta / alpha
        ),
    ),
    "eq. (5)": (
        lambda **o: bounds.lmo_large_horizon(**C, **o),
        lambda eta, b, alpha, K: C1 / (eta * K) + C2 * np.sqrt(alpha) / np.sqrt(b) + C3 * (1 + 1 / alpha) * eta,
    ),
    "eq. (42)": (
        lambda **o: bounds.sgd(Delta0=D0, L=1e-3, sigma=sigma, **o),
        lambda eta, b, alpha, K: D0 / (eta * K) + 1e-3 * eta * sigma**2 / b,
    ),
    "eq. (43)": (
        lambda **o: bounds.lmo(**C, q=0.3, burn_in=False, **o),
        lambda eta, b, alpha, K: C1 / (eta * K) + C3 * eta / alpha + C2 / b**0.3 * np.sqrt(alpha),
    ),
    "Appendix C.1": (
        lambda **o: bounds.lmo(**C, E0=E0, **o),
        lambda eta, b, alpha, K: (
            C1 / (eta * K) + E0 / (alpha * K) + C2 * np.sqrt(alpha / b) + C3 * eta * (1 + 1 / alpha)
        ),
    ),
    "Appendix C.2": (lambda **o: bounds.lmo(**C, q=0.3, **o), lambda *at: in_K(*at, q=0.3)),
    "eq. (5) with q": (
        lambda **o: bounds.lmo_large_horizon(**C, q="1/3", **o),
        lambda eta, b, alpha, K: C1 / (eta * K) + C2 * alpha**0.5 / np.cbrt(b) + C3 * (1 + 1 / alpha) * eta,
    ),
}

#: The equations that are printed in T, too: eqs. (4) and (11).
IN_TOKENS = {
    "eq. (3)": lambda eta, b, alpha, T: (
        C1 * b / (eta * T) + C2 / np.sqrt(b) * (b + alpha**1.5 * T) / (alpha * T) + C3 * eta * (1 + 1 / alpha)
    ),
    "eqs. (2), (10)": lambda eta, b, alpha, T: (
        b * D0 / (eta * T)
        + 2 * rho * sigma * np.sqrt(b) / (alpha * T)
        + 2 * rho * sigma * np.sqrt(alpha / b)
        + 7 * L * eta / 2
        + 2 * L * eta / alpha
    ),
}


@pytest.mark.parametrize("name", EQUATIONS)
def test_the_bound_is_its_equation(name: str, budget: str) -> None:
    """In T as it is printed, else by K = T/b."""
    bound, equation = EQUATIONS[name]
    rng = np.random.default_rng(1)
    eta, b, alpha = 10 ** rng.uniform(-9, 2, 200), 10 ** rng.uniform(0, 12, 200), 10 ** rng.uniform(-8, 0, 200)
    size = 10 ** rng.uniform(0, 20, 200)
    proxy = bound(budget=budget)
    assert proxy.budget == budget
    given = proxy.risk(eta=eta, b=b, alpha=alpha, **{budget: size})
    in_T = IN_TOKENS.get(name, lambda eta, b, alpha, T: equation(eta, b, alpha, T / b))
    by_hand = (equation if budget == "K" else in_T)(eta, b, alpha, size)
    np.testing.assert_allclose(given, by_hand, rtol=5e-15)


def test_constants_that_are_not_given_are_one_and_q_is_one_half_in_tokens() -> None:
    assert bounds.lmo().constants == {"C1": 1.0, "C2": 1.0, "C3": 1.0}
    assert bounds.lmo(L=2.0).constants == {"Delta0": 1.0, "L": 2.0, "rho": 1.0, "sigma": 1.0}
    assert bounds.lmo() == bounds.lmo(q="1/2", burn_in=True, budget="T")


@pytest.mark.parametrize("bound", [bounds.lmo, bounds.lmo_large_horizon])
def test_q_is_the_fraction_that_one_wrote_and_lies_between_0_and_1(bound: Callable[..., Proxy]) -> None:
    written = {0.3: "3/10", 0.5: "1/2", "1/3": "1/3", Fraction(2, 7): "2/7", 1: "1", np.float64(0.1): "1/10"}
    for q, exact in written.items():
        exponents = {term.exponent("b") for term in bound(q=q, budget="K").terms}
        assert exponents == {Fraction(0), -Fraction(exact)}
    for q in (0, -0.5, 1.5, "half", math.nan, math.inf, "1/0", None):
        with pytest.raises(ValueError, match="noise exponent q"):
            bound(q=q)


def test_sgd_holds_for_eta_up_to_1_over_L() -> None:
    at = {"b": 1.0, "T": 1.0}
    proxy = bounds.sgd(L=4.0)
    assert math.isfinite(proxy.risk(eta=0.25, **at))
    assert proxy.risk(eta=0.2501, **at) == math.inf
    assert proxy.form("K").caps == {"eta": 0.25}


@pytest.mark.parametrize("bound", [bounds.lmo, bounds.lmo_exact, bounds.lmo_large_horizon, bounds.sgd])
def test_every_bound_names_its_source_and_refuses_an_unknown_budget(bound: Callable[..., Proxy]) -> None:
    assert bound().name == bound.__name__
    assert "Shulgin" in bound().source
    with pytest.raises(ValueError, match=r"budget.*'N'"):
        bound(budget="N")


@pytest.mark.parametrize(
    ("bound", "constants"),
    [
        (bounds.lmo, ("C1", "sigma", "E0")),
        (bounds.lmo_exact, ("rho",)),
        (bounds.lmo_large_horizon, ("C3",)),
        (bounds.sgd, ("L",)),
    ],
)
def test_no_constant_is_negative_or_no_number(bound: Callable[..., Proxy], constants: tuple[str, ...]) -> None:
    for constant in constants:
        for value in (-1.0, math.nan, math.inf, "1"):
            with pytest.raises(ValueError, match=f"constant {constant} "):
                bound(**{constant: value})


def test_lmo_refuses_options_that_contradict_each_other() -> None:
    with pytest.raises(ValueError, match=r"not both.*\['C1', 'L'\]"):
        bounds.lmo(C1=1.0, L=1.0)
    with pytest.raises(ValueError, match="E0 belongs to the burn-in term"):
        bounds.lmo(E0=1.0, burn_in=False)
