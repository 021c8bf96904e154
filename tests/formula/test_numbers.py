"""What no variable moves is a number, whatever its form: by value, in laws, in sweeps, and where it is held."""

from __future__ import annotations

import copy
import math
import pickle
from fractions import Fraction

import numpy as np
import pytest

from hpgrid import Grid, Proxy, Regime, exponents, grid_search, parse, refine
from hpgrid.checks import InputError
from hpgrid.formula.quantity import Quantity, is_positive, vanishes, written
from hpgrid.formula.syntax import read
from hpgrid.proxy import FunctionProxy
from hpgrid.search.many import search_many

VALUES = {"c": 0.25, "d": 3.0}

#: An expression of constants: its value by hand, and as it is written in a law, as text and as LaTeX.
NUMBERS = {
    "1-c": (0.75, "(1 - c)", r"\left(1 - c\right)"),
    "sqrt(1+c)": (1.25**0.5, "(1 + c)^1/2", r"\left(1 + c\right)^{1/2}"),
    "(d-c)/(1-c)**2": (2.75 / 0.5625, "(d - c) (1 - c)^-2", r"\left(d - c\right) \left(1 - c\right)^{-2}"),
    "exp(-c)*log(d)": (math.exp(-0.25) * math.log(3), "exp(-c) log(d)", r"\exp\left(-c\right) \log\left(d\right)"),
    "max(c, 1/d)": (1 / 3, "max(c, 1/d)", r"\max\left(c, \frac{1}{d}\right)"),
    "1 + sqrt(2)": (1 + 2**0.5, "(1 + sqrt(2))", r"\left(1 + \sqrt{2}\right)"),
    "c**c": (0.25**0.25, "c^c", "c^{c}"),
}


@pytest.mark.parametrize("text", NUMBERS)
def test_a_coefficient_may_have_any_form(text: str) -> None:
    value, in_law, in_latex = NUMBERS[text]
    names = read(text).names()
    bound = parse(f"1/(eta*K) + ({text})*eta/sqrt(1 + 1)", {name: VALUES[name] for name in names})
    assert isinstance(bound, Proxy)
    # Some five operations, each rounded once.
    assert float(bound.risk(eta=2.0, b=1.0, K=1.0)) == pytest.approx(0.5 + value * 2.0 / 2**0.5, rel=1e-14)
    law = exponents(bound, ("eta",), budget="K")
    assert law.exponent == {"risk": Fraction(-1, 2), "eta": Fraction(-1, 2)}
    assert law.laws["eta"].constant == pytest.approx((value / 2**0.5) ** -0.5, rel=1e-14)
    if "sqrt(2)" not in text and "c**c" not in text:
        squared = exponents(parse(f"1/(eta*K) + ({text})**2*eta", bound.constants), ("eta",), budget="K").laws["risk"]
        assert squared.right().replace("2 ", "", 1).startswith(in_law)
        assert squared.latex().partition("= 2 ")[2].startswith(in_latex)


def test_numbers_alone_and_what_is_a_sum_of_powers_stay_what_they_were() -> None:
    (term,) = parse("2*sqrt(6)*eta").terms
    assert str(term) == "2*6^(1/2)*eta"
    assert [str(term) for term in parse("(1 + c)*eta", {"c": 2.0}).terms] == ["eta", "c*eta"]
    assert [str(term) for term in parse("L*eta - c*L*eta + T", {"c": 0.5, "L": 1.0}).terms] == ["L*(1 - c)*eta", "T"]


def test_a_number_follows_its_constants_in_every_search() -> None:
    text, c = "D/(eta*K) + s*sqrt(1 + c)/sqrt(b) + (1 - c)*L*eta", np.array([0.0, 0.3, 0.9, 1.0])
    ones = {"D": 1.0, "s": 2.0, "L": 1.0}
    bound = parse(text, {**ones, "c": 0.5})
    grid, regime = Grid.footnote(12).with_axes(alpha=None), Regime(("eta", "b"))
    found = search_many(bound, grid, regime, {"c": c})
    optimum = refine(bound, regime=regime, T=[1e8, 1e12], constants={"c": c})
    for k, value in enumerate(c):
        own = parse(text, {**ones, "c": value})
        assert own.terms == bound.with_constants(c=value).terms
        np.testing.assert_array_equal(grid_search(own, grid, regime=regime).risk, found.risk[k])
        np.testing.assert_array_equal(refine(own, regime=regime, T=[1e8, 1e12]).risk, optimum.risk[k])
    assert optimum.unbounded["eta"].tolist() == [[False] * 2] * 3 + [[True] * 2]  # 1 - c is 0
    for refused in (
        lambda: bound.with_constants(c=1.5),
        lambda: search_many(bound, grid, regime, {"c": [0.5, 1.5]}),
        lambda: refine(bound, regime=regime, T=1e8, constants={"c": [0.5, 1.5]}),
    ):
        with pytest.raises(InputError, match=r"1 - c is a factor of L\*\(1 - c\)\*eta, so that it is finite and >= 0"):
            refused()
    negative = parse(text, {**ones, "c": 1.5})
    assert isinstance(negative, FunctionProxy)
    assert "1 - c is -0.5, and a term is taken away with it" in negative.obstacle


def test_what_is_held_is_a_number() -> None:
    """(1 + beta)/(1 - beta) is 19 at beta = 0.9, and any power or exponential of it a number as well."""
    text = "D/(eta*K) + s*{0}*sqrt(1/b) + L*eta"
    with_beta = parse(text.format("((1+beta)/(1-beta))**(3/2)*exp(beta)"), {"D": 1.0, "s": 2.0, "L": 3.0})
    number = parse(text.format("x"), {"D": 1.0, "s": 2.0, "L": 3.0, "x": 19**1.5 * math.exp(0.9)})
    found = exponents(with_beta, ("eta", "b"), fixed={"alpha": 0.1}, budget="T")
    own = exponents(number, ("eta", "b"), budget="T")
    assert found.exponent == own.exponent
    for name in ("risk", "eta", "b"):
        assert found.laws[name].constant == pytest.approx(own.laws[name].constant, rel=1e-14)
    assert found.laws["b"].right() == "1/2 (1 + beta)^3/2 exp(beta) s D^-1/2 L^-1/2 alpha^-3/2 T^1/2"
    assert exponents(with_beta, ("eta", "b"), budget="T").exponent == own.exponent  # a symbol, where it has no value
    with pytest.raises(InputError, match=r"in this one .* is no power of alpha|maxima and roots of such"):
        exponents(with_beta, ("eta", "b", "alpha"))


def test_a_condition_has_numbers_of_any_form_too() -> None:
    bound = parse("D/(eta*K) + L*eta", {"D": 1.0, "L": 1.0, "c": 3.0}, domain=["eta*sqrt(1 + c) <= 1"])
    assert bound.caps == {"eta": 0.5}
    assert bound.with_constants(c=8.0).caps == {"eta": pytest.approx(1 / 3)}


def test_a_quantity_is_its_text_and_keeps_its_expression() -> None:
    quantity = Quantity(read("1-c*b**2/T").root)
    assert quantity == "1 - c*b^2/T"
    assert written(quantity.root, latex=True) == r"1 - \frac{c b^{2}}{T}"
    for same in (pickle.loads(pickle.dumps(quantity)), copy.deepcopy(quantity)):
        assert (same, same.root) == (quantity, quantity.root)
    signs = {"1 + c": True, "1 - c": False, "c*exp(-d)": True, "log(1 + c)": True, "log(c)": False, "1 - beta": True}
    assert {text: is_positive(read(text).root) for text in signs} == signs
    noughts = {"c*d": True, "c + d": False, "max(c, d)": False, "min(c, d)": True, "sqrt(c)*T": True, "exp(c)": False}
    assert {text: vanishes(read(text).root, ["c"]) for text in noughts} == noughts
