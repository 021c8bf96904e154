"""The laws of Shulgin et al., typed from the paper, as exact fractions."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from hpgrid import bounds
from hpgrid.asymptotics import Law, decay, exponents
from hpgrid.proxy import Proxy

F = Fraction
QUARTER, HALF = F(1, 4), F(1, 2)


def powers(text: str) -> dict[str, Fraction]:
    """Read "C1 1/2, 1 + alpha -1/4" as exponents."""
    pairs = (entry.strip().rsplit(" ", 1) for entry in text.split(",") if entry)
    return {name: Fraction(exponent) for name, exponent in pairs}


def check(law: Law, name: str, exponent: Fraction, expected: str, factor: float) -> None:
    """Hold a law to its exponent, the powers of its symbols, and its number."""
    found = law.laws[name]
    assert found is not None
    assert law.exponent[name] == found.exponent == exponent
    assert found.powers == powers(expected)
    number = {symbol: power for symbol, power in found.coefficient.powers if isinstance(symbol, int)}
    # A product of a few roots: some 20 units in the last place.
    assert math.prod(float(n) ** float(p) for n, p in number.items()) == pytest.approx(factor, rel=20 * 2.0**-52)


#: Powers that several laws have: of eta at a fixed momentum, and of the risk of Theorems 1 and 2.
ETA, RISK = "C1 1/2, C3 -1/2, 1 + alpha -1/2, alpha 1/2", "C1 1/4, C2 1/2, C3 1/4"

#: The bound, what is tuned, what else is given; then of each law its exponent, its powers, and its number. C2~ is
#: C2 alpha^1/2 and C3~ is C3 (1 + alpha)/alpha, written out.
LAWS = {
    **{f"Theorem 1, eqs. (24) to (27), of {name}": (bound, ("eta", "b"), {}, {
        "b": (HALF, "C2 1, alpha 1, C1 -1/2, C3 -1/2, 1 + alpha -1/2", 0.5),
        "eta": (-QUARTER, "C1 1/4, C2 1/2, alpha 1, C3 -3/4, 1 + alpha -3/4", 2**-0.5),
        "risk": (-QUARTER, f"{RISK}, 1 + alpha 1/4", 2 * math.sqrt(2)),
    }) for name, bound in (("eq. (4)", bounds.lmo()), ("eq. (5)", bounds.lmo_large_horizon()))},
    "Theorem 1, Appendix B.1, for iterations": (bounds.lmo(), ("eta", "b"), {"budget": "K"}, {
        "eta": (-HALF, ETA, 1.0),
        "risk": (-HALF, "C1 1/2, C3 1/2, 1 + alpha 1/2, alpha -1/2", 2.0),
    }),
    "Theorem 1 at a fixed batch size": (bounds.lmo(), ("eta",), {}, {
        "eta": (-HALF, f"{ETA}, b 1/2", 1.0),
        "risk": (F(0), "C2 1, alpha 1/2, b -1/2", 1.0),
    }),
    "the same in K": (bounds.lmo(), ("eta",), {"budget": "K"}, {"eta": (-HALF, ETA, 1.0)}),
    "Theorem 2": (bounds.lmo(), ("eta", "alpha"), {"fixed": {"b": 1072.0}}, {
        "alpha": (-HALF, "C1 1/2, C3 1/2, C2 -1, b 1", 2.0),
        "eta": (F(-3, 4), "C1 3/4, C2 -1/2, C3 -1/4, b 1", math.sqrt(2)),
        "risk": (-QUARTER, RISK, 2 * math.sqrt(2)),
    }),
    "Appendix B.2, in K": (bounds.lmo(), ("eta", "alpha"), {"budget": "K"}, {
        "alpha": (-HALF, "C1 1/2, C3 1/2, C2 -1, b 1/2", 2.0),
        "eta": (F(-3, 4), "C1 3/4, C2 -1/2, C3 -1/4, b 1/4", math.sqrt(2)),
        "risk": (-QUARTER, f"{RISK}, b -1/4", 2 * math.sqrt(2)),
    }),
    "eq. (22) on the exact bound": (bounds.lmo_exact(), ("eta", "b", "alpha"), {}, {
        "alpha": (F(-1, 3), "rho 2/3, sigma 2/3, Delta0 -1/3, L -1/3", 2 / 7 ** (2 / 3)),
        "risk": (-QUARTER, "Delta0 1/4, L 1/4, rho 1/2, sigma 1/2", 4 * 2**0.25),
    }),
    "Corollary 1, Appendix B.4: a cap leaves a noise floor": (bounds.lmo(), ("eta", "b"), {"caps": {"b": 1e6}}, {
        "risk": (F(0), "C2 1, alpha 1/2, b_max -1/2", 1.0),
        "b": (F(0), "b_max 1", 1.0),
        "eta": (-HALF, f"{ETA}, b_max 1/2", 1.0),
    }),
    "tuned momentum removes it": (bounds.lmo(), ("eta", "b", "alpha"), {"caps": {"b": 1e6}}, {
        "risk": (-QUARTER, RISK, 2 * math.sqrt(2)),
        "alpha": (-HALF, "C1 1/2, C3 1/2, C2 -1, b_max 1", 2.0),
    }),
    "Appendix B.6, SGD": (bounds.sgd(), ("eta", "b"), {}, {"risk": (-HALF, "Delta0 1/2, L 1/2, sigma 1", 2.0)}),
    "SGD at a fixed batch size": (bounds.sgd(), ("eta",), {}, {
        "eta": (-HALF, "Delta0 1/2, L -1/2, sigma -1, b 1", 1.0),
    }),
    "SGD at a fixed batch size, in K": (bounds.sgd(), ("eta",), {"budget": "K"}, {
        "eta": (-HALF, "Delta0 1/2, L -1/2, sigma -1, b 1/2", 1.0),
        "risk": (-HALF, "Delta0 1/2, L 1/2, sigma 1, b -1/2", 2.0),
    }),
}  # fmt: skip


@pytest.mark.parametrize("case", LAWS)
def test_the_laws_are_those_of_the_paper(case: str) -> None:
    proxy, tuned, given, expected = LAWS[case]
    law = exponents(proxy, tuned, **given)
    for name, (exponent, symbols, factor) in expected.items():
        check(law, name, exponent, symbols, factor)


# --- what else the theorems say ---


@pytest.mark.parametrize("proxy", [bounds.lmo(), bounds.lmo_large_horizon()], ids=["eq. (4)", "eq. (5)"])
def test_theorem_1_balances_three_terms_and_in_iterations_b_has_no_best_value(proxy: Proxy) -> None:
    law = exponents(proxy, ("eta", "b"))
    assert [level.weights for level in law.levels] == [(QUARTER, HALF, QUARTER)]
    assert (law.flat, law.unbounded, law.active) == ({}, {}, {})
    iterations = exponents(bounds.lmo(), ("eta", "b"), budget="K")
    assert iterations.exponent["b"] is None
    assert iterations.unbounded["b"] == (1, "a cap on b")
    assert not iterations.attained


def test_equations_16_and_27_have_their_values_at_a_fixed_momentum() -> None:
    """b = 2 rho sigma alpha^1/2 / (2 (Delta0 L (7/2 + 2/alpha))^1/2) T^1/2, to leading order, on the exact bound."""
    law = exponents(bounds.lmo_exact(Delta0=2.0, L=0.3, rho=1.5), ("eta", "b"), fixed={"alpha": 0.1}).laws["b"]
    expected = 1.5 * math.sqrt(0.1) / math.sqrt(2.0 * 0.3 * (3.5 + 2 / 0.1))
    assert law.constant == pytest.approx(expected, rel=1e-14)
    assert law.powers["4 + 7 alpha"] == -HALF
    risk = exponents(bounds.lmo(C1=3.0, C2=0.7, C3=5.0), ("eta", "b"), fixed={"alpha": 0.2}).laws["risk"]
    T = np.array([1e10, 1e20])
    expected = 2 * math.sqrt(2) * (3.0 * 5.0) ** 0.25 * 0.7**0.5 * 1.2**0.25 * T**-0.25
    np.testing.assert_allclose(risk.at(T), expected, rtol=1e-14)


def test_theorem_2_as_text_and_with_its_value() -> None:
    law = exponents(bounds.lmo(), ("eta", "alpha"), fixed={"b": 1072.0})
    assert law.laws["alpha"].text() == "alpha* = 2 C1^1/2 C3^1/2 C2^-1 b T^-1/2"
    assert law.laws["alpha"].latex() == r"\alpha^{\star} = 2 C_1^{1/2} C_3^{1/2} C_2^{-1} b T^{-1/2}"
    assert law.laws["alpha"].constant == pytest.approx(2 * 1072.0)
    assert law.starts["alpha"].text() == "T = 4 C1 C3 C2^-2 b^2"


def test_theorem_3() -> None:
    law = exponents(bounds.lmo(), ("eta", "b", "alpha"))
    assert law.exponent == {"risk": F(-1, 4), "eta": F(-7, 12), "b": F(1, 6), "alpha": F(-1, 3)}
    first, second = law.levels
    assert (first.exponent, first.weights) == (F(-1, 4), (QUARTER, HALF, QUARTER))
    assert first.terms == ("C1*eta^-1*b*T^-1", "C2*b^(-1/2)*alpha^(1/2)", "C3*eta*alpha^-1")
    assert first.null == ({"eta": 1, "b": 1, "alpha": 1},)
    assert (second.exponent, second.weights, second.null) == (F(-7, 12), (F(2, 3), F(1, 3)), ())
    assert second.terms == ("C2*b^(1/2)*alpha^-1*T^-1", "C3*eta")
    assert {str(each): each.exponent for each in law.identifiable} == {"alpha/b": -HALF, "eta/b": F(-3, 4)}
    assert law.starts["b"].text() == "T = 1024 C1^5 C3^5 C2^-10"
    assert not law.active
    exact = exponents(bounds.lmo_exact(), ("eta", "b", "alpha"))
    assert (exact.exponent["b"], exact.exponent["eta"]) == (F(1, 6), F(-7, 12))


def test_corollary_1_is_at_its_cap() -> None:
    fixed, tuned = (exponents(bounds.lmo(), free, caps={"b": 1e6}) for free in (("eta", "b"), ("eta", "b", "alpha")))
    assert fixed.laws["b"].text() == "b* = b_max"
    assert fixed.laws["b"].constant == 1e6
    assert fixed.active == tuned.active == {"b": "b <= b_max"}


# --- Corollary 2 and Appendix B.5: batch size along a path ---


@pytest.mark.parametrize("phi", [F(0), F(1, 6), F(1, 3), F(49, 100), F(51, 100), F(2, 3), F(9, 10)])
def test_corollary_2(phi: Fraction) -> None:
    """Above 1/2, eqs. (38) to (41), and what they leave open: alpha is 1, and the constants double."""
    law = exponents(bounds.lmo(), ("eta", "alpha"), path={"b": phi})
    if phi < HALF:
        assert law.exponent == {"risk": -QUARTER, "eta": phi - F(3, 4), "alpha": phi - HALF}
        assert not law.active
        return
    assert law.exponent == {"risk": -(1 - phi) / 2, "eta": -(1 - phi) / 2, "alpha": F(0)}
    check(law, "risk", (phi - 1) / 2, "C1 1/2, C3 1/2", 2 * math.sqrt(2))
    check(law, "eta", (phi - 1) / 2, "C1 1/2, C3 -1/2", math.sqrt(0.5))
    assert law.laws["alpha"].text() == "alpha* = 1"
    assert law.active == {"alpha": "alpha <= 1"}


def test_at_one_half_momentum_tends_to_a_constant_that_the_constants_choose() -> None:
    """On its bound for C2 = 1; inside for C2 = 10, where d/dalpha of 2 (1 + 1/alpha)^1/2 + 10 alpha^1/2 is 0."""
    path = {"b": HALF}
    edge = exponents(bounds.lmo(), ("eta", "alpha"), path=path)
    assert edge.laws["alpha"].text() == "alpha* = 1"
    assert edge.laws["risk"].constant == pytest.approx(1 + 2 * math.sqrt(2), rel=1e-14)
    assert edge.active == {"alpha": "alpha <= 1"}
    inside = exponents(bounds.lmo(C2=10.0), ("eta", "alpha"), path=path)
    alpha = inside.laws["alpha"]
    assert (alpha.numeric, alpha.powers, alpha.exponent, inside.active) == (True, {}, 0, {})
    x = alpha.constant
    slope = -(x**-2) / math.sqrt(1 + 1 / x) + 5 * x**-0.5
    # A minimum is found where the slope is rounding: the two parts are about 11.7, known to 1e-12.
    assert abs(slope) <= 1e-10
    assert inside.laws["eta"].constant == pytest.approx(1 / math.sqrt(1 + 1 / x), rel=1e-11)


def test_equations_30_to_37_and_a_schedule_that_raises_the_learning_rate() -> None:
    """Each term's exponent along b = T^B, alpha = T^-g, eta = T^-d; then of alpha = b T^-1/2, eta = b T^-3/4."""
    B, g, d = F(1, 5), F(2, 7), F(3, 8)
    rates = dict(decay(bounds.lmo_exact(), {"b": B, "alpha": -g, "eta": -d}))
    assert list(rates.values()) == [-(1 - B - d), -(1 - B / 2 - g), -(B + g) / 2, -d, -(d - g)]
    assert next(iter(rates)) == "Delta0*eta^-1*b*T^-1"
    for B in (F(0), QUARTER, HALF):
        best = [rate for _, rate in decay(bounds.lmo(), {"b": B, "alpha": B - HALF, "eta": B - F(3, 4)})]
        assert best[0] == best[2] == best[4] == -QUARTER
        assert best[1] == -(B + 1) / 2 <= -HALF
        assert best[3] == B - F(3, 4) <= -QUARTER
    raised = dict(decay(bounds.sgd(), {"eta": F(1, 3)}))
    assert raised == {"Delta0*eta^-1*b*T^-1": F(-4, 3), "L*sigma^2*eta*b^-1": F(1, 3)}
    assert dict(decay(bounds.sgd(), {"eta": F(1, 3)}, budget="K"))["Delta0*eta^-1*K^-1"] == F(-4, 3)


# --- Appendix B.6: SGD ---


def test_sgd_has_no_token_optimal_batch_size() -> None:
    law = exponents(bounds.sgd(), ("eta", "b"))
    assert law.flat == {"eta": (-HALF, F(0)), "b": (F(0), HALF)}
    assert law.levels[0].null == ({"eta": 1, "b": 1},)
    (ratio,) = law.identifiable
    assert (str(ratio), ratio.exponent, ratio.law.powers) == ("eta/b", -HALF, powers("Delta0 1/2, L -1/2, sigma -1"))
    assert exponents(bounds.sgd(), ("eta",)).starts["eta"].text() == "T = Delta0 L sigma^-2 b^2"


# --- Appendix C.2: other noise ---


@pytest.mark.parametrize("q", [F(1, 4), F(1, 2), F(2, 3), F(1)])
def test_equations_44_and_45(q: Fraction) -> None:
    proxy = bounds.lmo(q=q, burn_in=False)
    iterations = exponents(proxy, ("eta", "alpha"), budget="K")
    assert iterations.exponent == {"risk": -QUARTER, "eta": F(-3, 4), "alpha": -HALF}
    assert [iterations.laws[v].powers["b"] for v in ("alpha", "eta", "risk")] == [q, q / 2, -q / 2]
    tokens = exponents(proxy, ("eta", "alpha"))
    assert tokens.exponent["risk"] == -QUARTER
    assert tokens.laws["risk"].powers.get("b", F(0)) == QUARTER - q / 2


@pytest.mark.parametrize("p", [F(3, 4), F(4, 5), F(571, 1000)])
def test_equation_49_holds_only_while_momentum_is_below_one(p: Fraction) -> None:
    """Theorem 2's eta ~ b^1/4 K^-3/4 along b = T^p would rise for p > 3/4; where alpha meets 1, it does not."""
    law = exponents(bounds.lmo(burn_in=False), ("eta", "alpha"), budget="K")
    kappa, lam = law.laws["eta"].powers["b"], -law.exponent["eta"]
    assert (kappa, lam, kappa * p - lam * (1 - p)) == (QUARTER, F(3, 4), p - F(3, 4))
    tuned = exponents(bounds.lmo(), ("eta", "alpha"), path={"b": p})
    assert tuned.exponent["eta"] == -(1 - p) / 2 < 0
