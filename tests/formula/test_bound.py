"""What a formula becomes: exact powers where it can, a function where it can't; each the same numbers."""

from __future__ import annotations

import re
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import hpgrid
from hpgrid.checks import InputError
from hpgrid.formula.bound import build, parse
from hpgrid.formula.syntax import read
from hpgrid.proxy import FunctionProxy, Proxy

EQ4 = "C1*b/(eta*T) + C2/sqrt(b)*(b + alpha**(3/2)*T)/(alpha*T) + C3*eta*(1 + 1/alpha)"
CONSTANTS = {"C1": 1.5, "C2": 0.7, "C3": 2.5}
AT = {"eta": 1e-3, "b": 33.0, "alpha": 0.02, "T": 1e6}


def test_eqs_3_and_4_typed_by_hand_are_the_built_in_ones_term_by_term() -> None:
    found, own = parse(EQ4, CONSTANTS), hpgrid.bounds.lmo(**CONSTANTS)
    assert [str(term) for term in found.terms] == [str(term) for term in own.terms]
    assert found.constants == own.constants
    assert found.risk(**AT) == own.risk(**AT)
    assert hpgrid.exponents(found, ("eta", "b", "alpha")).exponent == {
        "risk": Fraction(-1, 4), "eta": Fraction(-7, 12), "b": Fraction(1, 6), "alpha": Fraction(-1, 3),
    }  # fmt: skip
    found = parse("C1/(eta*K) + C2/sqrt(b)*(1 + alpha**(3/2)*K)/(alpha*K) + C3*eta*(1 + 1/alpha)", CONSTANTS)
    assert found.budget == "K"
    assert sorted(map(str, found.form("T").terms)) == sorted(map(str, own.terms))


SUMS_OF_POWERS = {
    "sqrt(b)*T**0.25": ["b^(1/2)*T^(1/4)"],
    "(b*T)**-(1/2)": ["b^(-1/2)*T^(-1/2)"],
    "(b + T)**2": ["b^2", "2*b*T", "T^2"],
    "b*(1 - 1/3)": ["2/3*b"],
    "b + T - b/2": ["1/2*b", "T"],
    "--b/-(-T)": ["b*T^-1"],
    "2**(3/2)*b": ["2^(3/2)*b"],
    "sqrt(8)*b + sqrt(9/4)*T": ["2^(3/2)*b", "3/2*T"],
    "b/sqrt(2)": ["2^(-1/2)*b"],
    "2*sqrt(6)*b + sqrt(2/3)*T": ["2*6^(1/2)*b", "(2/3)^(1/2)*T"],
    "sqrt(2)*sqrt(3)*b + sqrt(6)*b": ["2*6^(1/2)*b"],
    "sqrt(3)*sqrt(6)*sqrt(2)*b": ["6*b"],
    "sqrt(2)*b - 2/sqrt(2)*b + T": ["T"],
    "sqrt(1e20)*b": ["10000000000*b"],
    "sqrt(2)*b + sqrt(3)*b": ["2^(1/2)*b", "3^(1/2)*b"],
    "b*K*T/T": ["T"],
    "T + K": ["T", "b^-1*T"],
    "eta/(1 - beta)": ["eta*alpha^-1"],
    "eta*(1 - beta)**(1/2)": ["eta*alpha^(1/2)"],
    "beta*eta": ["eta*(1 - alpha)"],
    "eta*(1 - alpha)/b": ["eta*b^-1*(1 - alpha)"],
    "beta + alpha + T": ["1", "T"],
}


@pytest.mark.parametrize("text", SUMS_OF_POWERS)
def test_a_sum_of_powers_is_exact(text: str) -> None:
    found = parse(text)
    assert isinstance(found, Proxy)
    assert [str(term) for term in found.terms] == SUMS_OF_POWERS[text]
    assert found.constants == {}  # a root of a number is no constant


def test_constants_in_exponents_are_exact_and_their_law_follows() -> None:
    text = "a1*(T*eta)**(-g1) + a2*b**(-g2) + a3*eta**g3"
    found = parse(text, {"a1": 1.0, "a2": 1.0, "a3": 1.0, "g1": 0.3, "g2": "1/2", "g3": Fraction(2)})
    assert dict(found.constants) == {"a1": 1.0, "a2": 1.0, "a3": 1.0}
    # a1 (T eta)^-g1 = a3 eta^g3 up to a number: eta ~ T^(-g1/(g1 + g3)).
    assert hpgrid.exponents(found, ("eta",), fixed={"b": 1.0}).exponent["eta"] is not None
    leading = parse("a1*(T*eta)**(-g1) + a3*eta**g3", {"a1": 1.0, "a3": 1.0, "g1": 0.3, "g3": 2})
    assert hpgrid.exponents(leading, ("eta",)).exponent["eta"] == -Fraction(3, 10) / Fraction(23, 10)


def test_an_exponent_of_many_digits_is_exact_as_a_decimal() -> None:
    """Of 1/(eta T) + eta^g the best eta is (1/(g T))^(1/(1 + g)), 7.738e-5 at T = 1e6 for a fitted g."""
    g = Fraction("0.34781923")
    law = hpgrid.exponents(parse("1/(eta*T) + eta**g", {"g": 0.34781923}), ("eta",))
    assert law.exponent == {"risk": -g / (1 + g), "eta": -1 / (1 + g)}
    # A power of a float is right to some units in the last place times its exponent, T^0.74.
    assert float(law.laws["eta"].at(1e6)) == pytest.approx((1e-6 / float(g)) ** (1 / (1 + float(g))), rel=1e-14)
    assert "T^-0.741939" in law.text()
    written = "0.3478192312345678912345"
    assert hpgrid.exponents(parse(f"1/(eta*T) + eta**{written}"), ("eta",)).exponent["eta"] == -1 / (
        1 + Fraction(written)
    )


#: What has no exact exponents: which part stands in the way, whether it is convex in the logs, and its value by hand.
FUNCTIONS = {
    "eta + min(b, 1/b)": (r"min\(b, 1/b\) is a minimum", False, lambda a: a["eta"] + 1 / a["b"]),
    "eta + 1/max(b, 1/b)": (r"max\(b, 1/b\) is a maximum", False, lambda a: a["eta"] + 1 / a["b"]),
    "eta + log(T)/T": ("column 7: log", False, lambda a: a["eta"] + np.log(a["T"]) / a["T"]),
    "b/(eta + T)": ("column 1: b/", False, lambda a: a["b"] / (a["eta"] + a["T"])),
    "exp(eta)*b": ("column 1: exp", True, lambda a: np.exp(a["eta"]) * a["b"]),
    "1 + T - eta": ("eta is taken away", False, lambda a: 1 + a["T"] - a["eta"]),
    "beta/alpha + T": ("no power of alpha", False, lambda a: (1 - a["alpha"]) / a["alpha"] + a["T"]),
    "beta**K/b": ("no rational exponent", False, lambda a: (1 - a["alpha"]) ** (a["T"] / a["b"]) / a["b"]),
    "b*log(1 + eta)": ("column 3: log", False, lambda a: a["b"] * np.log(1 + a["eta"])),
}


@pytest.mark.parametrize("text", FUNCTIONS)
def test_what_is_no_sum_of_powers_is_a_function_that_says_why(text: str) -> None:
    why, convex, by_hand = FUNCTIONS[text]
    found = parse(text)
    assert isinstance(found, FunctionProxy)
    assert re.search(why, found.obstacle)
    assert found.log_convex == convex
    # Both are some ten operations, each rounded once, and (1 - alpha)^K rounds 1 - alpha K = 3e4 times.
    assert float(found.form("T").risk(**AT)) == pytest.approx(by_hand(AT), rel=1e-10)
    assert re.search(why, " ".join(found.lacks()))
    tuned = [v for v in found.variables() if v not in ("T", "K")]
    with pytest.raises(InputError, match="maxima and roots of such; in this one"):
        hpgrid.exponents(found, tuned)


def test_one_less_something_near_one_is_no_difference_and_its_power_keeps_something_tiny() -> None:
    for text, value in {
        "max(eta, 1/(1 - beta))": 1e20,
        "eta + 1/(1 - beta**K)": 5e19,
        "eta + 1/(1 - exp(-alpha))": 1e20,
        "eta + 1/(1 - (1 - alpha)**2)": 5e19,
    }.items():
        risk = parse(text).form("K").risk(eta=1.0, b=1.0, alpha=1e-20, K=2.0)
        assert float(risk) == pytest.approx(value, rel=1e-14), text
    found = parse("exp(K*log(1 - lam*eta))/b", {"lam": 1.0})
    assert float(found.risk(eta=1e-20, b=1.0, K=1e20)) == pytest.approx(np.exp(-1), rel=1e-12)
    assert float(parse("beta**K/b").risk(alpha=1e-20, b=1.0, K=1e20)) == pytest.approx(np.exp(-1), rel=1e-12)


def test_what_constants_may_do() -> None:
    """Beyond what a float holds: inf or nan, and no error. Alone and no power: named. In an exponent and elsewhere."""
    assert parse("max(eta, b)*C1**400", {"C1": 1e3}).risk(eta=1.0, b=1.0) == np.inf
    assert np.isnan(parse("(g - C1)**(3/2)*max(eta, b)", {"g": 0.25, "C1": 1.0}).risk(eta=1.0, b=1.0))
    found = parse("g*eta**g + 1/(eta*T)", {"g": Fraction(1, 3)})
    assert hpgrid.exponents(found, ("eta",)).exponent["eta"] == Fraction(-3, 4)


def test_a_function_depends_on_what_it_names() -> None:
    found = parse("max(b/T, 1/b)")
    assert found.variables() == ("b", "T")
    assert found.form("K").variables() == ("b", "K")
    assert parse("max(1/T, eta)").form("K").variables() == ("eta", "b", "K")
    assert parse("max(1/K, eta)").variables() == ("eta", "K")
    assert parse("max(1/K, eta/T)").variables() == ("eta", "b", "T")
    grid = hpgrid.Grid(b=hpgrid.LogAxis(1, 1e6, 61), T=hpgrid.LogAxis(1e2, 1e8, 7))
    best = hpgrid.grid_search(found, grid, over=("b",))
    assert np.all(np.abs(np.log(best.at["b"] / np.sqrt(grid.T.values))) <= grid.b.step)


def test_a_function_of_the_other_budget_is_the_same_bound() -> None:
    found = parse("max(1/(eta*K), eta) + 1/sqrt(b)")
    inside = float(found.risk(eta=0.1, b=16.0, K=50.0))
    assert float(found.form("T").risk(eta=0.1, b=16.0, T=800.0)) == inside
    assert float(found.form("T").form("K").risk(eta=0.1, b=16.0, K=50.0)) == inside


# --- kinks ---


@pytest.mark.parametrize(
    ("rest", "b", "eta", "risk", "rtol"),
    [
        # Solved to GRADIENT = 1e-11 at a sharpness of 4^12 = 2e7, extrapolated from there: 1e-11 and p^-2 = 4e-15.
        pytest.param(1e-30, 1.0, 1.0, 1.0, 1e-10, id="all three meet"),
        # d/dlog b and d/dlog eta of the sum: b/(eta T) = eta = b^-1/2/2, a quarter of the risk.
        pytest.param(1.0, 0.5, 0.5**0.5, 8**0.5, 1e-12, id="smooth: the sum is far above what stands alone"),
    ],
)
def test_refinement_follows_a_kink(rest: float, b: float, eta: float, risk: float, rtol: float) -> None:
    """max(b/(eta T), b^-1/2, eta) is least where all three meet: eta = T^-1/4, b = T^1/2."""
    T = np.logspace(2, 22, 6)
    bound = parse("max(b/(eta*T) + rest*(1/sqrt(b) + eta), 1/sqrt(b), eta)", {"rest": rest})
    found = hpgrid.refine(bound, ("eta", "b"), T=T)
    assert found.converged.all()
    np.testing.assert_allclose(found.at["b"], b * np.sqrt(T), rtol=1e-10)
    np.testing.assert_allclose(found.at["eta"], eta * T**-0.25, rtol=1e-10)
    np.testing.assert_allclose(found.risk, risk * T**-0.25, rtol=rtol)
    np.testing.assert_allclose(found.exponent["b"], 0.5, atol=1e-9)


# --- random formulas ---

LEAVES = st.sampled_from(["eta", "b", "alpha", "T", "C1", "C2", "2", "0.5", "1/3"])
SUMS = st.recursive(
    LEAVES,
    lambda part: st.one_of(
        st.tuples(part, part).map(lambda p: f"({p[0]} + {p[1]})"),
        st.tuples(part, part).map(lambda p: f"({p[0]}*{p[1]})"),
        st.tuples(part, st.sampled_from(["eta", "b", "T", "C1*alpha", "sqrt(b*T)"])).map(
            lambda p: f"({p[0]}/({p[1]}))"
        ),
        st.tuples(part, st.sampled_from(["2", "3"])).map(lambda p: f"({p[0]})**{p[1]}"),
    ),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None)
@given(SUMS)
def test_an_expanded_formula_has_the_value_that_its_text_has(text: str) -> None:
    """Against Python's own evaluation, here alone, of text that this test made."""
    whole = f"{text} + eta"
    values = {"C1": 1.5, "C2": 0.7}
    named = {name: values[name] for name in read(whole).names()}
    found = build(read(whole), named)
    assert isinstance(found, Proxy)
    by_hand = eval(whole, {"sqrt": np.sqrt, **AT, **values})
    # A few dozen operations, each rounded once, no difference among them.
    assert float(found.risk(**AT)) == pytest.approx(by_hand, rel=1e-13)
