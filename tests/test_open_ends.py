"""Ranges with an end that is no part of them: nothing is set there, nothing is told beyond, and grids begin inside."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import numpy as np
import pytest
from commands import Capture, printed

from hpgrid import Grid, check, exponents, grid_search, parse, refine, tuning_problem
from hpgrid.regime import Regime
from hpgrid.text import within
from hpgrid.transfers.transfer import transfer
from hpgrid.tuning.advice import advise
from hpgrid.variables import Variable

#: With b = 1 the risk is least at the largest w: 2 (D L (1 + s^2/w)/T)^(1/2); times w, at the smallest.
FALLS, RISES = "D*b/(eta*T*w) + L*eta*s**2/b + L*eta*w", "D*b/(eta*T) + L*eta*s**2/b + L*eta*w"
SET = {"D": 1.0, "L": 1.0, "s": 2.0}
VALUES = "D=1,L=1,s=2"


@pytest.mark.parametrize(("rule", "low", "high"), [
    ("1 <= n < 8, whole", 1, 7), ("1 <= n < 7.5, whole", 1, 7), ("2.5 <= n <= 9, whole", 3, 9),
    ("n > 2, whole", 3, math.inf), ("n > 0, whole", 1, math.inf),
])  # fmt: skip
def test_what_counts_something_ends_at_whole_numbers(rule: str, low: float, high: float) -> None:
    """A b/(eta T n) + L eta is least at the largest n, and A b n/(eta T) + L eta at the smallest."""
    for text, n in (("A*b/(eta*T*n) + L*eta", high), ("A*b*n/(eta*T) + L*eta", low)):
        proxy = parse(text, {"A": 1.0, "L": 1.0}, variables=[rule])
        if n == math.inf:
            continue
        risk = 2 / math.sqrt(n) if n == high else 2 * math.sqrt(n)
        grid = Grid.footnote(12, space=proxy.space)
        assert grid.n.values[0] == low
        assert set(np.unique(grid_search(proxy, grid, ("eta", "n"), fixed={"b": 1.0}).at["n"])) == {n}
        law = exponents(proxy, ("eta", "n"), fixed={"b": 1.0})
        assert law.attained
        assert law.laws["risk"] is not None
        assert law.laws["risk"].constant == pytest.approx(risk)
        assert float(refine(proxy, ("eta", "n"), fixed={"b": 1.0}, T=1e8).at["n"]) == pytest.approx(n, rel=1e-12)
        (held,) = check(proxy, "risk ~ T^-1/2", fixed={"b": 1.0})
        assert held.verdict == "holds"


def test_a_range_without_two_whole_numbers_is_refused() -> None:
    with pytest.raises(ValueError, match="n counts something, from one whole number to another"):
        parse("A/(eta*n) + eta", {"A": 1.0}, variables=["1 <= n < 2, whole"])


ENDS = [(FALLS, "0 < w < 1", 1.0, "w < 1"), (RISES, "1 < w <= 8", 1.0, "w > 1"), (RISES, "w > 2", 2.0, "w > w_min")]


@pytest.mark.parametrize(("text", "rule", "end", "said"), ENDS)
def test_an_end_that_is_left_out_is_approached(text: str, rule: str, end: float, said: str, capsys: Capture) -> None:
    w = {FALLS: 1.0, RISES: end}[text]
    constant = 2 * math.sqrt(4.0 + w)
    asked = ("--bound", text, "--set", VALUES, "--var", rule, "--tune", "eta,b,w")
    out = printed("exponents", capsys, *asked)
    assert "(infimum, not attained" in out.replace("\n      ", " ").replace("\n", " ")
    assert "\nw*    -> " in out
    law = json.loads(printed("exponents", capsys, *asked, "--json"))
    assert (law["attained"], law["approached"]) == (False, {"w": said})
    assert law["laws"]["risk"]["constant"] == pytest.approx(constant)
    found = json.loads(printed("search", capsys, *asked, "--T", "1e8", "--json"))
    assert found["risk"] == pytest.approx(constant * 1e-4)
    assert (set(found["set"]), found["approached"]) == ({"eta", "b"}, {"w": end})
    out = printed("search", capsys, *asked, "--T", "1e8")
    assert f"w -> {end:g}: risk" in out.replace("\n   ", " ")
    assert "w = " not in out
    assert "which is no part of it" in out.replace("\n   ", " ")
    assert "bears out risk, eta, b and w" in printed("search", capsys, *asked).replace("\n   ", " ")
    # The grid begins inside.
    proxy = parse(text, SET, variables=[rule])
    axis = Grid.footnote(12, space=proxy.space).w.values
    assert axis[0] > proxy.space.all["w"].low
    assert axis[-1] < end or rule != "0 < w < 1"
    (held,) = check(proxy, "risk ~ T^-1/2")
    assert held.verdict == "holds"


@pytest.mark.parametrize("rule", [
    "0 < w <= 1", "0 < w < 1", "2 <= w <= 5", "2 < w < 5", "2 < w <= 5", "3 <= n <= 7, whole",
])  # fmt: skip
@pytest.mark.parametrize("end", [1, -1])
def test_an_optimum_at_an_end_of_any_range_bears_out_its_law(rule: str, end: int, capsys: Capture) -> None:
    """(c/T + s)/w is least at the largest w, and (c/T + s) w at the smallest: both are constants in the long run."""
    if end < 0 and rule.startswith("0"):
        return
    name = re.findall("[nw]", rule)[0]
    asked = ("--bound", f"(c/T + s)*{name}**({-end})", "--set", "c=1,s=1", "--var", rule, "--over", name)
    slopes = json.loads(printed("search", capsys, *asked, "--json"))["slopes"]
    assert {name: slope["verdict"] for name, slope in slopes.items()} == {"risk": "holds", name: "holds"}
    assert slopes["risk"]["edge_points"] == 0
    # An allowance for rounding, and no more.
    assert slopes[name]["slope"] == pytest.approx(0.0, abs=1e-15)
    assert slopes[name]["tolerance"] < 1e-14


def test_a_strict_condition_leaves_its_end_out_too() -> None:
    law = exponents(parse("c/eta + D/(eta*T)", {"c": 1.0, "D": 1.0}, domain=["eta < 0.5"]), "eta")
    assert (law.attained, law.approached) == (False, {"eta": "eta < 0.5"})
    closed = exponents(parse("c/eta + D/(eta*T)", {"c": 1.0, "D": 1.0}, domain=["eta <= 0.5"]), "eta")
    assert (closed.attained, closed.approached) == (True, {})


def test_a_claim_of_a_bound_with_an_open_range_is_held_against_it() -> None:
    """At w = 1 the bound is infinite: what is lost far out is read at E = 1 alone."""
    proxy = parse(
        "D*b/(eta*T*(1-w)) + L*eta*s**2/b + L*eta*exp(-w*10) + g*(E-1)", {**SET, "g": 0.05},
        variables=["0 < w < 1", "E >= 1"],
    )  # fmt: skip
    (found,) = check(proxy, "eta ~ T^-1/2")
    assert found.verdict == "holds"


def test_a_transfer_ends_inside_an_open_range() -> None:
    proxy = parse("D*b/(eta*T*w) + L*eta*s**2/b + L*eta + c*w/T", {**SET, "c": 1e3}, variables=["0 < w < 1"])
    start: Any = {"eta": 1e-3, "b": 2.0, "w": 0.5, "T": 1e6}
    for row in transfer(start, {"T": 1e12}, bound=proxy).rows:
        assert 0 < row.at["w"] < 1


OPEN, CLOSED = Variable("w", 0.0, 1.0, high_open=True), Variable("w", 0.25, 1.0)


@pytest.mark.parametrize(("value", "variable", "digits", "text"), [
    (0.99996359, OPEN, 3, "0.999964"), (0.5, OPEN, 3, "0.5"), (0.123456, OPEN, 3, "0.123"), (1.0, OPEN, 3, "-> 1"),
    (math.nextafter(1.0, 0.0), OPEN, 3, "-> 1"), (1 - 1e-10, OPEN, 3, "0.9999999999"), (math.nan, OPEN, 3, "-"),
    (0.9999, CLOSED, 3, "1"), (0.2504, CLOSED, 2, "0.25"), (1e-7, OPEN, 3, "1.00e-07"),
    (1.2344e-7, Variable("eta", 1.2344e-7), 3, "1.2344e-07"), (2.0003, Variable("w", 2.0, low_open=True), 3, "2.0003"),
])  # fmt: skip
def test_a_number_is_told_within_its_range(value: float, variable: Variable, digits: int, text: str) -> None:
    assert within(value, variable, digits) == text


def test_an_answer_near_an_open_end_has_the_digits_that_it_takes(capsys: Capture) -> None:
    text = "D*b/(eta*T) + s*sqrt((1-beta2)/b) + z/((1-beta2)*T) + L*eta"
    asked = ("--bound", text, "--set", "D=1,s=1,L=1,z=2", "--var", "0 <= beta2 < 1", "--tune", "eta,b,beta2")
    out = printed("search", capsys, *asked, "--T", "1e8")
    proxy = parse(text, {"D": 1.0, "s": 1.0, "L": 1.0, "z": 2.0}, variables=["0 <= beta2 < 1"])
    beta2 = float(refine(proxy, ("eta", "b", "beta2"), T=1e8).at["beta2"])
    said = float(out.partition("beta2 = ")[2].partition(":")[0])
    assert 1 - said == pytest.approx(1 - beta2, rel=0.05)
    low, _, high = out.split("beta2 ")[2].split(".\n")[0].split()
    assert float(low) < beta2 < float(high) < 1


def test_a_range_of_whole_numbers_is_rounded_inwards() -> None:
    """By hand the excess at n is k (n - 1)/R: within 1% of the least risk n <= 41.7."""
    constants = {"D0": 1.0, "L": 1.0, "s": 1.0, "k": 0.01}
    proxy = parse(
        "D0/(eta*H*R) + L*eta*s/n + (eta*H)**2 + k*n/R", constants,
        variables=["H >= 1, whole", "n >= 1, whole", "R >= 1, budget"],
    )  # fmt: skip
    grid = Grid.footnote(12, space=proxy.space, budget="R")
    advice = advise(tuning_problem(proxy, grid, Regime(("eta", "H", "n"), space=proxy.space)), 1e4)
    assert 41 < advice.near_optimal_range["n"][1] < 42
    assert "n 1 to 41" in " ".join(map(str, advice.answer().beside[0]))
