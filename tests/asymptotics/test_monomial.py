"""Exact coefficients: their algebra, their values, and how they are written."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given, strategies as st

from hpgrid.asymptotics.monomial import ONE, Complement, Monomial, Real, add, monomial, number, power, quotient

EXPONENTS = st.fractions(min_value=-3, max_value=3, max_denominator=4)
NUMBERS = st.fractions(min_value=Fraction(1, 99), max_value=99, max_denominator=99)
MONOMIALS = st.builds(lambda size, C1, b: number(size) * power("C1", C1) * power("b", b), NUMBERS, EXPONENTS, EXPONENTS)
VALUES = {"C1": 1.7, "b": 3.1, "alpha": 0.3, "L": 2.0}

#: A product of a few powers is rounded a few times: 20 units in the last place are ample.
CLOSE = 20 * 2.0**-52

HALF = Fraction(1, 2)


@given(MONOMIALS, MONOMIALS, EXPONENTS)
def test_products_and_powers_have_the_values_they_should(x: Monomial, y: Monomial, e: Fraction) -> None:
    u, v = x.value(VALUES), y.value(VALUES)
    assert (x * y).value(VALUES) == pytest.approx(u * v, rel=CLOSE)
    assert (x / y).value(VALUES) == pytest.approx(u / v, rel=CLOSE)
    assert (x**e).value(VALUES) == pytest.approx(u ** float(e), rel=10 * CLOSE)
    assert (x**e).log(VALUES) == pytest.approx(math.log(u) * float(e), abs=100 * CLOSE)
    assert x * y / y == x


@given(st.lists(MONOMIALS, min_size=1, max_size=4))
def test_a_sum_has_the_value_of_its_terms_in_any_order(terms: list[Monomial]) -> None:
    total = add(terms)
    assert total.value(VALUES) == pytest.approx(sum(term.value(VALUES) for term in terms), rel=CLOSE)
    assert total.log(VALUES) == pytest.approx(math.log(total.value(VALUES)), abs=100 * CLOSE)
    assert add(terms[::-1]) == total


def test_a_root_of_a_number_is_exact_and_a_quotient_of_variables_is_written_as_one() -> None:
    third = number(Fraction(8, 49)) ** Fraction(1, 3)
    assert third == number(2) * number(7) ** Fraction(-2, 3)
    assert third**3 == number(Fraction(8, 49))
    assert (third.rational(), (third**3).rational()) == (None, Fraction(8, 49))
    assert number(Fraction(0.1)).rational() == Fraction(0.1)
    assert quotient({"eta": Fraction(2), "b": Fraction(-1), "alpha": Fraction(-3)}) == "eta^2/(b alpha^3)"
    assert quotient({"b": Fraction(-1)}) == "1/b"
    assert quotient({"alpha": Fraction(1), "b": Fraction(-1)}, r"^\star", latex=True) == r"\alpha^\star/b^\star"


def test_a_sum_has_its_common_factors_in_front() -> None:
    C3, L, inverse = power("C3"), power("L"), power("alpha", -1)
    assert add([C3, C3 * inverse]).text() == "C3 (1 + alpha) alpha^-1"
    assert add([number(Fraction(7, 2)) * L, number(2) * L * inverse]).text() == "1/2 L (4 + 7 alpha) alpha^-1"
    assert add([C3, C3, number(2) * C3]) == number(4) * C3
    assert add([C3, C3 * inverse]) / add([power("L"), L * inverse]) == C3 / L
    assert add([ONE, power("alpha")]).rational() is None


def test_what_has_no_value_and_what_no_float_holds_say_so() -> None:
    law = power("C1") * add([ONE, power("b")]) * monomial({Complement("alpha"): 1})
    assert law.symbols() == {"C1", "b", "alpha"}
    assert law.value({"C1": 1.0, "b": 1.0}) is None
    assert law.log({"C1": 1.0}) is None
    assert law.value({"C1": 1.0, "b": 1.0, "alpha": 0.25}) == 1.5
    # A huge value is infinite, and its logarithm is not.
    huge = power("C1", 400)
    assert huge.value({"C1": 10.0}) == math.inf
    assert huge.log({"C1": 10.0}) == pytest.approx(400 * math.log(10))


@pytest.mark.parametrize(
    ("law", "text", "latex"),
    [
        (ONE, "1", "1"),
        (number(Fraction(3, 2)), "3/2", r"\frac{3}{2}"),
        (number(2) * number(7) ** Fraction(-2, 3), "2 * 7^-2/3", r"2 \cdot 7^{-2/3}"),
        (number(Fraction(8, 3)) ** Fraction(1, 4), "(8/3)^1/4", r"\left(\frac{8}{3}\right)^{1/4}"),
        (
            add([ONE, number(2) ** HALF]) * number(3) * power("T"),
            "3 * (1 + 2^1/2) T",
            r"3 \cdot \left(1 + 2^{1/2}\right) T",
        ),
        (
            number(2) * power("C1", Fraction(1, 2)) * power("C2", -1) * power("b") * power("T", Fraction(-1, 2)),
            "2 C1^1/2 C2^-1 b T^-1/2",
            r"2 C_1^{1/2} C_2^{-1} b T^{-1/2}",
        ),
        (power("Delta0") * power("sigma", 2) * power("rho"), "Delta0 rho sigma^2", r"\Delta_0 \rho \sigma^{2}"),
        (power("b_max", -1) * power("K_min"), "K_min b_max^-1", r"K_{\min} b_{\max}^{-1}"),
        (add([ONE, power("alpha")]) ** Fraction(1, 4), "(1 + alpha)^1/4", r"\left(1 + \alpha\right)^{1/4}"),
        (monomial({Complement("alpha"): 2}), "(1 - alpha)^2", r"\left(1 - \alpha\right)^{2}"),
        (monomial({Real(0.0): 1}), "1", "1"),
        (monomial({Real(math.log(1.2e-7)): 1}) * power("b", HALF), "1.2e-07 b^1/2", r"1.2 \times 10^{-7} b^{1/2}"),
        (
            monomial({Real(1000 * math.log(20)): 1}),
            "1.07151e+1301",
            r"1.07151 \times 10^{1301}",
        ),  # 20^1000, beyond floats
        (number(2) ** Fraction(1, 2000) * power("T"), "1.00035 T", "1.00035 T"),  # e^(log 2/2000)
        (power("lam") * power("E0"), "E0 lam", r"E_0 \lambda"),
    ],
)
def test_how_it_is_written(law: Monomial, text: str, latex: str) -> None:
    assert law.text() == text
    assert law.latex() == latex
