"""A level whose terms fall into parts that share no direction: each part has its own closed form."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from hpgrid import Proxy, Term, exponents, refine

A, B, C, D = 2.0, 3.0, 5.0, 7.0


def term(constant: str, **factors: int | str) -> Term:
    return Term({constant: 1}, {name: Fraction(exponent) for name, exponent in factors.items()})


@pytest.fixture
def apart() -> Proxy:
    terms = (term("A", eta=-1, T=-1), term("B", eta=1), term("C", b=1, T=-1), term("D", b=-1))
    return Proxy(terms, {"A": A, "B": B, "C": C, "D": D})


def test_each_part_is_a_monomial_and_the_risk_their_sum(apart: Proxy) -> None:
    law = exponents(apart, ("eta", "b"))
    assert law.laws["eta"].powers == {"A": Fraction(1, 2), "B": Fraction(-1, 2)}
    assert law.laws["b"].powers == {"C": Fraction(-1, 2), "D": Fraction(1, 2)}
    assert law.laws["risk"].constant == pytest.approx(2 * np.sqrt(A * B) + 2 * np.sqrt(C * D))
    assert law.exponent["risk"] == Fraction(-1, 2)


def test_refinement_finds_the_same(apart: Proxy) -> None:
    law, found = exponents(apart, ("eta", "b")), refine(apart, ("eta", "b"), T=1e20)
    for name in ("eta", "b"):
        assert found.at[name] == pytest.approx(law.laws[name].at(1e20))
    assert found.risk == pytest.approx(law.laws["risk"].at(1e20))


def test_a_part_without_a_closed_form_leaves_the_other_its_own(apart: Proxy) -> None:
    """B eta^2 beside A/eta and B eta: three terms in one direction have only numbers."""
    crowded = Proxy((*apart.terms, term("B", eta=2, T="1/2")), apart.constants)
    law = exponents(crowded, ("eta", "b"))
    assert law.laws["eta"].numeric
    assert law.laws["b"].powers == {"C": Fraction(-1, 2), "D": Fraction(1, 2)}
    assert refine(crowded, ("eta", "b"), T=1e20).at["eta"] == pytest.approx(law.laws["eta"].at(1e20))
