"""What must hold for every posynomial: symmetry, certificates, and the regime in plain data."""

from __future__ import annotations

import json
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, strategies as st

from hpgrid import FunctionProxy, Proxy, Term, bounds, parse
from hpgrid.asymptotics import Law, exponents

F = Fraction
EXPONENTS = st.sampled_from([F(n, 2) for n in range(-3, 4)])
TUNED = ("eta", "b", "alpha")


@st.composite
def posynomials(draw: st.DrawFn) -> Proxy:
    """A posynomial of 2 to 6 terms in eta, b, alpha and T, each with its own constant."""
    count = draw(st.integers(2, 6))
    terms = []
    for k in range(count):
        factors = {v: draw(EXPONENTS) for v in TUNED} | {"T": draw(st.sampled_from([F(0), F(-1, 2), F(-1)]))}
        terms.append(Term({f"c{k}": F(1)}, factors))
    sizes = draw(st.lists(st.floats(0.1, 10.0), min_size=count, max_size=count))
    # Every variable is in the bound, whatever was drawn.
    terms.append(Term({"c": F(1)}, dict.fromkeys(TUNED, F(1)) | {"T": F(-3)}))
    return Proxy(tuple(terms), {f"c{k}": size for k, size in enumerate(sizes)} | {"c": 1.0})


def skeleton(law: Law) -> tuple:
    """What does not depend on the constants, nor on the order of anything."""
    levels = [(level.exponent, sorted(level.terms)) for level in law.levels]
    return law.exponent, levels, law.flat, {v: each.direction for v, each in law.unbounded.items()}


@given(posynomials(), st.randoms(use_true_random=False))
def test_the_order_of_terms_does_not_matter(proxy: Proxy, random) -> None:
    terms = list(proxy.terms)
    random.shuffle(terms)
    shuffled = Proxy(tuple(terms), proxy.constants)
    here, there = exponents(proxy, TUNED), exponents(shuffled, TUNED)
    if not here.unbounded:
        assert skeleton(here) == skeleton(there)
        for name, law in here.laws.items():
            other = there.laws[name]
            assert (law and law.constant) == (other and pytest.approx(other.constant, rel=1e-9))
    else:
        assert there.unbounded
        assert here.exponent["risk"] == there.exponent["risk"]


@given(posynomials(), st.floats(1e-3, 1e3))
def test_a_larger_risk_has_the_same_optimum(proxy: Proxy, factor: float) -> None:
    """All constants times a factor: the same exponents and optimum, the risk times the factor."""
    scaled = Proxy(proxy.terms, {name: factor * value for name, value in proxy.constants.items()})
    here, there = exponents(proxy, TUNED), exponents(scaled, TUNED)
    assert skeleton(here) == skeleton(there)
    for name, law in here.laws.items():
        if law is not None:
            expected = law.constant * (factor if name == "risk" else 1.0)
            assert there.laws[name].constant == pytest.approx(expected, rel=1e-9)


@given(posynomials())
def test_every_level_is_certified_by_its_weights_and_so_are_its_terms_shares(proxy: Proxy) -> None:
    """Both >= 0 of sum 1; with either the exponents of a variable without a bound cancel at level 1.

    With the weights what is left are the bounds' multipliers, with the shares the slopes of the risk on them. The
    shares are solved to 1e-12 where they are no fractions.
    """
    law = exponents(proxy, TUNED)
    by_text = {str(term): term for term in proxy.terms}
    for depth, level in enumerate(law.levels):
        for weights, off in ((level.weights, 0), (level.shares, 1e-9)):
            assert all(w >= 0 for w in weights)
            assert sum(weights) == pytest.approx(1, abs=off)
            if depth == 0:
                rows = [by_text[text.split(" + ")[0]] for text in level.terms]
                pull = {v: sum(w * term.exponent(v) for w, term in zip(weights, rows)) for v in (*TUNED, "T")}
                assert abs(pull["eta"]) <= off
                assert pull["b"] >= -off
                assert pull["alpha"] <= off
                if weights is level.weights:
                    assert pull["T"] == level.exponent
    assert [level.exponent for level in law.levels] == sorted((each.exponent for each in law.levels), reverse=True)


@given(posynomials())
def test_a_report_can_always_be_written(proxy: Proxy) -> None:
    law = exponents(proxy, TUNED)
    assert json.loads(json.dumps(law.as_dict(), allow_nan=False))["exponent"].keys() == law.exponent.keys()
    assert law.text().startswith("proxy, T to infinity; tuned eta, b, alpha\nrisk*")
    assert law.latex().startswith(r"\begin{align}")


def test_either_budget_says_the_same_of_a_fixed_batch_size(budget: str) -> None:
    """K = T/b: exponents agree, and the batch size's own exponent differs by them."""
    law = exponents(bounds.lmo(), ("eta", "alpha"), budget=budget)
    other = exponents(bounds.lmo(budget="K"), ("eta", "alpha"), budget=budget)
    assert {v: each.text() for v, each in law.laws.items()} == {v: each.text() for v, each in other.laws.items()}
    tokens = exponents(bounds.lmo(), ("eta", "alpha"))
    for name, each in law.laws.items():
        shift = law.exponent[name] if budget == "K" else 0
        assert each.powers.get("b", F(0)) - shift == tokens.laws[name].powers.get("b", F(0))


def test_a_law_has_values() -> None:
    law = exponents(bounds.lmo(C1=4.0), ("eta", "alpha"), fixed={"b": 2.0}).laws["alpha"]
    np.testing.assert_allclose(law.at([1e4, 1e8]), [8e-2, 8e-4], rtol=1e-14)
    symbolic = exponents(bounds.lmo(), ("eta", "alpha")).laws["alpha"]
    assert symbolic.constant is None
    with pytest.raises(ValueError, match="fixed with a value of b"):
        symbolic.at(1e4)


# --- mistakes ---
def one_minus(variable: str) -> Proxy:
    return Proxy((Term({}, {variable: "one_minus", "eta": F(1)}), Term({}, {"eta": F(-1), "T": F(-1)})), {})


@pytest.mark.parametrize(
    ("proxy", "arguments", "message"),
    [
        (FunctionProxy(lambda *a: a[0], name="mine"), {"tuned": "eta"}, "'mine'.*hpgrid.refine, or hpgrid search"),
        (bounds.lmo(), {"tuned": ()}, "at least one of eta, b, alpha must be tuned"),
        (bounds.lmo(), {"tuned": "eta", "path": {"beta": F(1)}}, "it is alpha = 1 - beta that may be a power"),
        (bounds.sgd(), {"tuned": "eta", "path": {"alpha": F(-1)}}, "the bound sgd does not depend on alpha"),
        (bounds.sgd(L=4.0), {"tuned": "b", "fixed": {"eta": 0.3}}, "eta must not exceed its cap 0.25"),
        (bounds.lmo(), {"tuned": "eta", "path": {"b": F(1, 2)}, "caps": {"b": 5.0}}, "b leaves its cap"),
        (bounds.sgd(L=4.0), {"tuned": "b", "path": {"eta": F(0)}}, "eta leaves its cap"),
        (bounds.lmo(), {"tuned": "eta", "caps": {"alpha": 0.5}}, "alpha is capped, so it must be tuned or fixed"),
        (bounds.lmo(), {"tuned": "eta", "fixed": {"T": 1e9}}, "T is a budget, not a fixed variable"),
        (bounds.lmo(), {"tuned": "eta", "budget": "S"}, "no budget of that name"),
        (bounds.lmo(), {"tuned": ("eta", "b"), "min_K": 0.0}, "min_K must be positive and finite"),
        (one_minus("alpha"), {"tuned": ("eta", "alpha")}, r"signomial.*\(1 - alpha\)"),
        (one_minus("alpha"), {"tuned": "eta", "path": {"alpha": F(-1)}}, "signomial"),
        (one_minus("T"), {"tuned": "eta"}, "exponents need powers of T"),
        (
            Proxy((Term({}, {"alpha": "one_minus", "eta": F(1)}),), {}),
            {"tuned": "eta", "fixed": {"alpha": 1.0}},
            "a term must be left",
        ),
    ],
)
def test_mistakes(proxy: Proxy, arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        exponents(proxy, **arguments)


# --- sums that come apart ---


def term(constant: str, **factors: int | str) -> Term:
    return Term({constant: 1}, {name: Fraction(exponent) for name, exponent in factors.items()})


def test_each_part_is_a_monomial_of_its_own_also_beside_one_without_a_closed_form() -> None:
    """B eta^2 beside A/eta and B eta: three terms in one direction have only numbers."""
    A, B, C, D = 2.0, 3.0, 5.0, 7.0
    terms = (term("A", eta=-1, T=-1), term("B", eta=1), term("C", b=1, T=-1), term("D", b=-1))
    apart = Proxy(terms, {"A": A, "B": B, "C": C, "D": D})
    law = exponents(apart, ("eta", "b"))
    assert law.laws["eta"].powers == {"A": F(1, 2), "B": F(-1, 2)}
    assert law.laws["b"].powers == {"C": F(-1, 2), "D": F(1, 2)}
    assert law.laws["risk"].constant == pytest.approx(2 * np.sqrt(A * B) + 2 * np.sqrt(C * D))
    assert law.exponent["risk"] == F(-1, 2)
    crowded = exponents(Proxy((*terms, term("B", eta=2, T="1/2")), apart.constants), ("eta", "b"))
    assert crowded.laws["eta"].numeric
    assert crowded.laws["b"].powers == law.laws["b"].powers
    # d/dlog eta of A/(eta T) + B eta + B eta^2 T^1/2, to the accuracy of a numeric law.
    eta, T = crowded.laws["eta"].at(1e20), 1e20
    assert B * eta + 2 * B * eta**2 * T**0.5 == pytest.approx(A / (eta * T), rel=1e-11)


def test_a_computed_constant_is_one_number_and_what_has_no_value_stays_a_symbol() -> None:
    """1/eta = eta + 2 eta^2 at T = 1: eta = 0.657298, by bisection; then alpha = (b eta)^1/2, b being unknown.

    A share of 1/(1 + eta^2 + eta^3) and so on, though the dual of a term among three in one direction is 0.
    """
    law = exponents(parse("1/(eta*T) + eta + eta**2*sqrt(T) + alpha/T**2 + b*eta/(alpha*T**(5/2))"), ("eta", "alpha"))
    assert law.laws["alpha"].text() == "alpha* = 0.810739 b^1/2 T^-1/2"
    assert law.laws["alpha"].latex() == r"\alpha^{\star} = 0.810739 b^{1/2} T^{-1/2}"
    assert (law.laws["alpha"].powers, law.laws["alpha"].constant) == ({"b": F(1, 2)}, None)
    assert law.laws["alpha"].number.value({}) == pytest.approx(0.6572981061**0.5, rel=1e-9)
    eta = law.laws["eta"].constant
    sizes = np.array([1 / eta, eta, eta**2])
    assert law.levels[0].shares == pytest.approx(tuple(sizes / sizes.sum()), rel=1e-9)
    assert 0 in law.levels[0].weights
    with pytest.raises(ValueError, match="a value of b"):
        law.laws["alpha"].at(1e4)
    # Every line of a report is short.
    assert repr(law).splitlines() == law.text().splitlines()[:4]
    assert repr(law.laws["eta"]) == "eta* = 0.657298 T^-1/2"


#: Bounds with a constant X, the domain of each, and what is asked.
NAMED = [
    ("X*eta + X*b/(eta*T) + 1/b", [], {"tuned": ("eta", "b"), "caps": {"eta": 1e-3, "b": 50.0}, "min_K": 10.0}),
    ("X/(eta*T) + eta/b + b/T**(1/2)", [], {"tuned": ("eta", "b")}),
    ("1/(eta*T) + eta", ["eta >= X"], {"tuned": "eta"}),
]


@pytest.mark.parametrize("name", ["eta_min", "b_min", "eta_max", "b_max", "K_min"])
@pytest.mark.parametrize(("text", "domain", "asked"), NAMED)
def test_a_constant_may_be_called_as_a_limit_is(text: str, domain: list[str], asked: dict, name: str) -> None:
    def named(constant: str) -> Law:
        own = [each.replace("X", constant) for each in domain]
        return exponents(parse(text.replace("X", constant), {constant: 7.0}, domain=own), **asked)

    here, there = named(name), named("X")
    assert here.active.keys() == there.active.keys()
    assert {v: law and (law.exponent, law.constant) for v, law in here.laws.items()} == {
        v: law and (law.exponent, law.constant) for v, law in there.laws.items()
    }
