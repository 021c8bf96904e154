"""Numbers with exact roots: their algebra, their values, and how they are written."""

from __future__ import annotations

import math
from fractions import Fraction

import mpmath
import pytest
from hypothesis import given, strategies as st

from hpgrid.surds import Surd

F = Fraction
NUMBERS = st.fractions(min_value=F(1, 9999), max_value=9999, max_denominator=9999)
EXPONENTS = st.fractions(min_value=-4, max_value=4, max_denominator=12)


@given(NUMBERS, NUMBERS, EXPONENTS, EXPONENTS)
def test_products_and_roots_are_exact_and_what_is_written_has_the_same_value(x: F, y: F, p: F, q: F) -> None:
    found = Surd.of(x) ** p * Surd.of(y) ** q
    assert found * Surd.of(x) ** -p == Surd.of(y) ** q
    whole = p.denominator * q.denominator
    assert (found**whole).rational() == x ** int(whole * p) * y ** int(whole * q)
    with mpmath.workdps(30):
        value = mpmath.mpf(x.numerator) / x.denominator
        other = mpmath.mpf(y.numerator) / y.denominator
        by_hand = value ** (mpmath.mpf(p.numerator) / p.denominator) * other ** (
            mpmath.mpf(q.numerator) / q.denominator
        )
        written = mpmath.fprod(
            (mpmath.mpf(base.numerator) / base.denominator) ** (mpmath.mpf(e.numerator) / e.denominator)
            for base, e in found.parts()
        )
        assert mpmath.almosteq(written, by_hand, rel_eps=1e-25)
    # Rounded once or twice a part, of which there are a fraction and six primes at most.
    assert float(found) == pytest.approx(float(by_hand), rel=20 * 2.0**-52)


#: A product of powers of whole numbers, and how it is written.
WRITTEN = {
    "1": {},
    "4": {2: F(7, 4), 16: F(1, 16)},  # 2^(7/4) 2^(1/4)
    "2401/8": {7: 4, 2: -3},
    "2^(3/2)": {8: F(1, 2)},
    "2^(-7/6)": {2: F(-7, 6)},
    "6^(-1/2)": {2: F(-1, 2), 3: F(-1, 2)},
    "(2/3)^(5/6)": {2: F(5, 6), 3: F(-5, 6)},
    "(8/3)^(1/4)": {2: F(3, 4), 3: F(-1, 4)},
    "12^(1/4)": {2: F(1, 2), 3: F(1, 4)},
    "6*2^(1/2)": {3: 1, 2: F(3, 2)},
    "2*6^(1/2)": {24: F(1, 2)},
    "7*2^(-1/2)": {7: 1, 2: F(-1, 2)},
    "2^(1/4)*7^(-2/3)": {2: F(1, 4), 7: F(-2, 3)},  # (8/7^8)^(1/12) is longer
    "10007": {10007**3: F(1, 3)},  # a root of what trial division does not reach
    "10000000000": {10**20: F(1, 2)},
    "2^1000*3^(1/1000003)": {2: 1000, 3: F(1, 1000003)},
    "2^(1/1000003)*3^(2/999983)": {2: F(1, 1000003), 3: F(2, 999983)},  # never multiplied out
}


@pytest.mark.parametrize("text", WRITTEN)
def test_a_number_is_written_once_a_fraction_before_a_root(text: str) -> None:
    product = math.prod((Surd.of(base) ** exponent for base, exponent in WRITTEN[text].items()), start=Surd())
    assert str(product) == text
