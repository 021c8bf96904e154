"""What the paper leaves open, worked out by hand here and held against the code."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import pytest

from hpgrid import bounds
from hpgrid.asymptotics import exponents
from hpgrid.proxy import Proxy
from hpgrid.term import Term

F = Fraction
ALL = ("eta", "b", "alpha")


def proxy(*terms: tuple[dict[str, Any], Fraction | int]) -> Proxy:
    """Terms with constants c0, c1, ... that are 1: the powers and the number of each."""
    built = [Term({f"c{k}": F(1)}, powers, F(size)) for k, (powers, size) in enumerate(terms)]
    return Proxy(tuple(built), {f"c{k}": 1.0 for k in range(len(terms))})


@pytest.mark.parametrize("p", [F(3, 2), F(5, 4), F(7, 4)])
def test_heavy_tails_push_the_batch_size_to_one(p: Fraction) -> None:
    """q = 1 - 1/p < 1/2: leading order rises with b, so b = 1 and Theorem 2 holds there, whatever p."""
    law = exponents(bounds.lmo(C1=2.0, C2=3.0, C3=5.0, q=1 - 1 / p), ALL)
    assert law.active == {"b": "b >= 1"}
    assert law.exponent == {"risk": F(-1, 4), "eta": F(-3, 4), "b": 0, "alpha": F(-1, 2)}
    assert (law.laws["b"].constant, law.laws["alpha"].constant) == (1.0, pytest.approx(2 * math.sqrt(10) / 3))


@pytest.mark.parametrize("q", [F(3, 5), F(2, 3), F(3, 4), F(9, 10)])
def test_fast_averaging_leaves_momentum_at_a_constant(q: Fraction) -> None:
    """q > 1/2: alpha -> 2q - 1, b ~ T^(1/(1 + 2q)), risk ~ T^(-q/(1 + 2q)).

    With weights w of progress, noise, eta and eta/alpha: w1 = q w2 (b), w1 = w3 + w4 (eta),
    w4 = w2/2 (alpha), so alpha = w3/w4 = 2q - 1.
    """
    C1, C2, C3 = 2.0, 3.0, 5.0
    law = exponents(bounds.lmo(C1=C1, C2=C2, C3=C3, q=q), ALL)
    scale = 1 / (1 + 2 * q)
    assert law.exponent == {"risk": -q * scale, "eta": -q * scale, "b": scale, "alpha": 0}
    found = {name: each.constant for name, each in law.laws.items()}
    alpha = float(2 * q - 1)
    assert found["alpha"] == pytest.approx(alpha, rel=1e-14)
    # eta = (C1 b / (C3 (1 + 1/alpha)))^1/2; then b from 2 (C1 C3 (1 + 1/alpha) b)^1/2 + C2 alpha^1/2 b^-q.
    slope = math.sqrt(C1 * C3 * (1 + 1 / alpha))
    b = (float(q) * C2 * math.sqrt(alpha) / slope) ** float(2 * scale)
    assert found["b"] == pytest.approx(b, rel=1e-13)
    assert found["eta"] == pytest.approx(math.sqrt(C1 * b / (C3 * (1 + 1 / alpha))), rel=1e-13)
    assert found["risk"] == pytest.approx(2 * slope * math.sqrt(b) + C2 * math.sqrt(alpha) * b ** -float(q), rel=1e-13)
    assert not law.active
    # At q = 1 momentum just reaches its bound.
    last = exponents(bounds.lmo(q=1), ALL)
    assert last.laws["alpha"].text() == "alpha* = 1"
    assert (last.exponent["b"], last.active) == (F(1, 3), {"alpha": "alpha <= 1"})


def test_unmatched_initialisation() -> None:
    """E0 b/(alpha T) is constant along the flat direction, so eta alone selects: the smallest batch size."""
    tuned = exponents(bounds.lmo(E0=3.0), ALL)
    assert tuned.exponent == {"risk": F(-1, 4), "eta": F(-3, 4), "b": 0, "alpha": F(-1, 2)}
    assert tuned.active == {"b": "b >= 1"}
    assert tuned.levels[1].terms == ("C3*eta",)
    matched, unmatched = (exponents(proxy, ("eta", "b")) for proxy in (bounds.lmo(), bounds.lmo(E0=3.0)))
    assert unmatched.exponent == matched.exponent
    assert {v: law.text() for v, law in unmatched.laws.items()} == {v: law.text() for v, law in matched.laws.items()}


def test_a_fixed_learning_rate() -> None:
    """risk -> 2 C3 eta: alpha = 1; below it C1 b/(eta T) + C2 b^-1/2 has b = (C2 eta/(2 C1))^2/3 T^2/3."""
    law = exponents(bounds.lmo(), ("b", "alpha"))
    assert law.laws["risk"].text() == "risk* = 2 C3 eta"
    assert law.laws["b"].text() == "b* = 2^-2/3 C2^2/3 C1^-2/3 eta^2/3 T^2/3"
    assert law.active == {"alpha": "alpha <= 1"}
    fixed = exponents(bounds.lmo(), ("b",))
    assert fixed.laws["b"].powers == {"C2": F(2, 3), "C1": F(-2, 3), "eta": F(2, 3), "alpha": F(1, 3)}


@pytest.mark.parametrize("name", ["eta", "alpha"])
def test_other_caps_do_not_bind_under_joint_tuning(name: str) -> None:
    law = exponents(bounds.lmo(), ALL, caps={name: 1e-3})
    assert law.exponent == exponents(bounds.lmo(), ALL).exponent
    start = law.starts[name]
    assert start.powers[f"{name}_max"] < 0
    assert law.laws[name].at(start.constant) == pytest.approx(1e-3, rel=1e-12)


def test_at_least_one_iteration_bounds_the_batch_size() -> None:
    """1/(eta T) (no b) + 1/b + eta: b runs away, and b <= T stops it."""
    bound = proxy(({"eta": -1, "T": -1}, 1), ({"b": -1}, 1), ({"eta": 1}, 1))
    free = exponents(bound, ("eta", "b"))
    assert (free.exponent["risk"], free.exponent["b"], free.unbounded["b"].direction) == (F(-1, 2), None, 1)
    held = exponents(bound, ("eta", "b"), min_K=1)
    assert (held.exponent["b"], held.active, held.unbounded) == (1, {"b": "b <= T"}, {})
    some = exponents(bound, ("eta", "b"), min_K=100)
    assert some.laws["b"].text() == "b* = K_min^-1 T"
    assert some.laws["b"].constant == pytest.approx(0.01)


# --- cases that no published bound has ---


def test_variables_that_run_away_together_need_two_bounds() -> None:
    """eta/T + eta^2/b; then 1/eta + alpha: with a bound on one, the risk is a constant, and the other still runs."""
    law = exponents(proxy(({"eta": 1, "T": -1}, 1), ({"eta": 2, "b": -1}, 1)), ("eta", "b"))
    assert law.exponent == law.laws == {"risk": None, "eta": None, "b": None}
    assert law.unbounded == {"eta": (-1, "a floor under eta and a cap on b")}
    assert "runs to 0; a floor under eta and a cap on b would stop it" in law.text()
    law = exponents(proxy(({"eta": -1}, 1), ({"alpha": 1}, 1)), ("eta", "alpha"))
    cure = "a cap on eta and a floor under alpha"
    assert law.unbounded == {"eta": (1, cure), "alpha": (-1, cure)}


def test_two_bounds_at_once_and_where_the_free_optimum_would_break_them() -> None:
    """b/(4 alpha) + alpha/b fixes alpha = b/2 alone; then b/T draws b, within [1, 2], to 1.

    b/alpha + alpha/(4 b) is least at alpha = 2 b, beyond both bounds: b = alpha = 1.
    """
    terms = ({"b": 1, "alpha": -1}, F(1, 4)), ({"b": -1, "alpha": 1}, F(1)), ({"b": 1, "T": -1}, F(1))
    law = exponents(proxy(*terms), ("b", "alpha"))
    assert {v: law.laws[v].constant for v in ("risk", "b", "alpha")} == {"risk": 1.0, "b": 1.0, "alpha": 0.5}
    assert law.active == {"b": "b >= 1"}
    terms = ({"b": 1, "alpha": -1}, F(1)), ({"b": -1, "alpha": 1}, F(1, 4)), ({"b": -1, "T": -1}, F(1))
    law = exponents(proxy(*terms), ("b", "alpha"))
    assert law.active == {"b": "b >= 1", "alpha": "alpha <= 1"}
    assert law.laws["risk"].constant == 1.25


def test_a_constant_that_hangs_on_a_value_needs_it() -> None:
    """alpha + eta/(4 alpha), eta fixed: alpha is eta^1/2/2, or 1 where that is more."""
    terms = ({"alpha": 1}, F(1)), ({"alpha": -1, "eta": 1}, F(1, 4))
    open_ = exponents(proxy(*terms), ("alpha",))
    assert (open_.exponent["alpha"], open_.laws["alpha"], open_.laws["risk"]) == (0, None, None)
    assert "its constant undecided" in open_.text()
    small, large = (exponents(proxy(*terms), ("alpha",), fixed={"eta": eta}) for eta in (0.5, 9.0))
    assert small.laws["alpha"].text() == "alpha* = 1/2 c1^1/2 c0^-1/2 eta^1/2"
    assert small.laws["alpha"].constant == pytest.approx(math.sqrt(0.5) / 2)
    assert (large.laws["alpha"].text(), large.active) == ("alpha* = 1", {"alpha": "alpha <= 1"})


def test_one_plus_a_tuned_variable_is_two_terms() -> None:
    """eta (1 + alpha)/alpha + T^-1/eta, eta and alpha tuned: alpha = 1."""
    terms = ({"eta": 1, "alpha": -1}, 1), ({"eta": -1, "T": -1}, 1), ({"eta": 1, "alpha": "one_plus"}, 1)
    law = exponents(proxy(*terms), ("eta", "alpha"))
    assert law.exponent["risk"] == F(-1, 2)
    # eta/alpha + eta + eta alpha is least at alpha = 1, where it is 3 eta.
    assert law.laws["alpha"].constant == pytest.approx(1.0, abs=1e-9)
    assert law.laws["risk"].constant == pytest.approx(2 * math.sqrt(3), rel=1e-12)


@pytest.mark.parametrize(("alpha", "expected"), [(0.5, 0.5), (1.0, None)])
def test_one_minus_a_fixed_variable_is_a_coefficient(alpha: float, expected: float | None) -> None:
    """(1 - alpha)/T^1/2 + eta + 1/(eta T^2): at alpha = 1 the first term is not there."""
    terms = ({"alpha": "one_minus", "T": F(-1, 2)}, 1), ({"eta": 1}, 1), ({"eta": -1, "T": -2}, 1)
    law = exponents(proxy(*terms), ("eta",), fixed={"alpha": alpha})
    assert law.exponent["eta"] == -1
    assert law.exponent["risk"] == (F(-1, 2) if expected else -1)
    assert law.laws["risk"].constant == (expected or 2.0)
    if expected:
        assert law.laws["risk"].text() == "risk* = c0 (1 - alpha) T^-1/2"
