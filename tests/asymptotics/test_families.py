"""Families of paths: where exponents bend, and which bounds hold on either side."""

from __future__ import annotations

from fractions import Fraction

import pytest

from hpgrid import Regime, bounds
from hpgrid.asymptotics import Line, exponents, segments
from hpgrid.proxy import Proxy
from hpgrid.term import Term

F = Fraction


#: A bound, what is tuned, and along b = T^phi for each range of phi some exponents and the bounds that hold.
FAMILIES = {
    "Corollary 2 and Appendix C.3's caveat, on both sides of b = T^1/2": (bounds.lmo(), ("eta", "alpha"), [
        ("0 1/2", {"risk": "-1/4", "eta": "phi - 3/4", "alpha": "phi - 1/2"}, {}),
        ("1/2 1", {"risk": "1/2 phi - 1/2", "eta": "1/2 phi - 1/2", "alpha": "0"}, {"alpha": "alpha <= 1"}),
    ]),
    "a fixed momentum: Theorem 1's b = T^1/2 is where noise takes over": (bounds.lmo(), ("eta",), [
        ("0 1/2", {"risk": "-1/2 phi"}, {}),
        ("1/2 1", {"risk": "1/2 phi - 1/2"}, {}),
    ]),
    # risk ~ T^-1/4 b^(1/4 - q/2), until alpha ~ b^(q + 1/2) T^-1/2 is 1.
    "eq. (45) with q = 1/3": (bounds.lmo(q="1/3"), ("eta", "alpha"), [
        ("0 3/5", {"risk": "1/12 phi - 1/4", "alpha": "5/6 phi - 1/2"}, {}),
        ("3/5 1", {"alpha": "0"}, {"alpha": "alpha <= 1"}),
    ]),
    "SGD, whose b is as good up to T^1/2, where eta <= 1/L holds it back": (bounds.sgd(), ("eta",), [
        ("0 1/2", {"risk": "-1/2"}, {}),
        ("1/2 1", {"risk": "phi - 1"}, {"eta": "eta <= L^-1"}),
    ]),
}  # fmt: skip


@pytest.mark.parametrize("family", FAMILIES)
def test_where_exponents_bend_along_a_batch_path(family: str) -> None:
    proxy, tuned, pieces = FAMILIES[family]
    for segment, (ends, expected, active) in zip(segments(proxy, tuned), pieces, strict=True):
        assert f"{segment.lo} {segment.hi}" == ends
        assert {name: str(segment.exponent[name]) for name in expected} == expected
        assert segment.active == active


def test_a_report_along_a_path_says_where_it_bends() -> None:
    text = exponents(bounds.lmo(), ("eta", "alpha"), path={"b": "1/3"}).text(details=True)
    assert "alpha reaches its bound (alpha <= 1) at b = T^1/2" in text
    assert "b = T^phi, phi from 1/2 to 1: risk ~ T^(1/2 phi - 1/2), eta ~ T^(1/2 phi - 1/2), alpha ~ 1" in text


def test_the_segments_agree_with_single_paths() -> None:
    """Every segment, at its ends and inside, against the law along that one path."""
    cases = (
        (bounds.lmo(), ("eta", "alpha"), "b", {}),
        (bounds.lmo(q="2/3"), ("eta", "alpha"), "b", {}),
        (bounds.lmo(E0=1.0), ("eta",), "b", {}),
        (bounds.lmo(), ("eta", "b"), "alpha", {}),
        (bounds.lmo(), ("b", "alpha"), "eta", {}),
        (bounds.lmo_exact(), ("eta", "alpha"), "b", {"budget": "K"}),
        (bounds.sgd(), ("b",), "eta", {}),
    )
    for proxy, tuned, variable, budget in cases:
        found = segments(proxy, tuned, variable, **budget)
        assert found[0].lo == (0 if variable == "b" else -1)
        assert [a.hi for a in found[:-1]] == [b.lo for b in found[1:]]
        for segment in found:
            for share in (F(1, 7), F(1, 2), F(8, 9)):
                phi = segment.lo + share * (segment.hi - segment.lo)
                law = exponents(proxy, tuned, path={variable: phi}, **budget)
                assert {v: line and line.at(phi) for v, line in segment.exponent.items()} == law.exponent
                assert segment.active == law.active


def test_a_regime_is_taken_whole_and_a_variable_is_flat_where_every_path_is_as_good() -> None:
    regime = Regime(("eta", "alpha"), path={"b": F(3, 4)})
    assert exponents(bounds.lmo(), regime=regime).exponent["eta"] == F(-1, 8)
    assert exponents(bounds.sgd(), ("eta", "b")).flat["b"] == (0, F(1, 2))


def test_a_cap_below_one_cuts_off_the_edge_of_a_family_alone() -> None:
    law = exponents(bounds.sgd(L=4.0), ("b",), path={"eta": F(-1, 4)})
    assert law.exponent["b"] == F(1, 4)
    assert law.segments[-1].hi == 0


def test_a_least_number_of_iterations_holds_in_the_whole_family() -> None:
    """eta + 1/(eta T) + (alpha/b)^1/2: nothing but b <= T holds b, along every alpha = T^phi."""
    rows = {"eta": 1}, {"eta": -1, "T": -1}, {"alpha": F(1, 2), "b": F(-1, 2)}
    proxy = Proxy(tuple(Term({}, row) for row in rows), {})
    free, held = (exponents(proxy, ("eta", "b"), path={"alpha": F(-1, 2)}, min_K=least) for least in (None, 1))
    assert (free.segments[0].exponent["b"], held.segments[0].exponent["b"]) == (None, Line(F(0), F(1)))
    assert held.segments[0].active == {"b": "b <= T"}


def test_a_range_of_ones_own_that_is_empty_or_leaves_what_is_allowed_is_refused() -> None:
    (only,) = segments(bounds.lmo(), ("eta", "alpha"), between=(F(3, 5), F(4, 5)))
    assert (only.lo, only.hi) == (F(3, 5), F(4, 5))
    for tuned, between, message in (
        (("eta", "alpha"), {"between": (1, 0)}, "a range of paths"),
        (("eta", "alpha"), {"between": (F(1, 2), F(1, 2))}, "a range of paths"),
        (("eta", "alpha"), {"between": (-1, 1)}, "b leaves its range along this path"),
        (("eta", "b"), {}, "either tuned or fixed or on a path"),
    ):
        with pytest.raises(ValueError, match=message):
            segments(bounds.lmo(), tuned, **between)


def test_a_line_as_text() -> None:
    lines = {"phi - 3/4": (1, F(-3, 4)), "-phi": (-1, 0), "-1/4": (0, F(-1, 4)), "-1/2 phi + 1": (F(-1, 2), 1)}
    assert [str(Line(F(slope), F(at))) for slope, at in lines.values()] == list(lines)
