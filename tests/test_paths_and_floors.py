"""Paths with a factor, of any bound; floors beside caps; claims of what is above a constant, of what a risk takes."""

from __future__ import annotations

import json
import pickle
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from commands import Capture, status

from hpgrid import Grid, LogAxis, Regime, bounds, check, exponents, grid_search, parse, refine
from hpgrid.paper import BOUND_LAYOUTS, draw
from hpgrid.paper.data import restore
from hpgrid.search.many import search_many
from hpgrid.statements.language import parse as parse_claim
from hpgrid.variables import Power


@pytest.mark.parametrize(("given", "exponent", "factor", "text"), [
    ("1/2", Fraction(1, 2), 1, "T^1/2"),
    (0.5, Fraction(1, 2), 1, "T^1/2"),
    ("T^1/2", Fraction(1, 2), 1, "T^1/2"),
    ("0.29*T^0.571", Fraction(571, 1000), Fraction(29, 100), "0.29*T^0.571"),
    ("3e2 T", Fraction(1), 300, "300*T^1"),
    ("1/3 * T**(2/3)", Fraction(2, 3), Fraction(1, 3), "0.333333333333*T^2/3"),
])  # fmt: skip
def test_a_path_is_read_exactly(given: object, exponent: Fraction, factor: Fraction, text: str) -> None:
    power = Power.read("b", given)
    assert (Fraction(power), power.factor) == (exponent, factor)
    assert power.text("T") == text
    assert pickle.loads(pickle.dumps(power)) == power
    assert power != Power(exponent, 2 * factor)


def test_regimes_with_other_factors_are_others() -> None:
    one, other = (Regime(("eta",), path={"b": f"{c}*T^1/2"}) for c in (1, 2))
    assert one != other
    assert len({one, other, Regime(("eta",), path={"b": Fraction(1, 2)})}) == 2


@pytest.mark.parametrize(("given", "words"), [
    ("0*T^1/2", "what a path is multiplied by is positive"),
    ("T^", "is a rational number"), ("T^1/0", "is a rational number"), ("-T", "is a rational number"),
    ("x", "a path is a power of the budget T or K"),
])  # fmt: skip
def test_what_is_no_path_is_refused(given: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Power.read("b", given)


def test_a_factor_is_in_the_law_the_optimum_and_the_grid() -> None:
    """On b = c T^p with eta alone tuned: eta* = (C1 b/(T C3 (1 + 1/alpha)))^(1/2), by hand."""
    proxy, fixed, path = bounds.lmo(), {"alpha": 0.1}, {"b": "0.29*T^0.571"}
    T = 1e30
    b = 0.29 * T**0.571
    eta = (b / (T * 11.0)) ** 0.5
    law = exponents(proxy, "eta", fixed=fixed, path=path)
    assert law.exponent["eta"] == Fraction(571 - 1000, 2000)
    assert float(law.laws["eta"].at(T)) == pytest.approx(eta, rel=1e-12)
    assert float(refine(proxy, "eta", fixed=fixed, path=path, T=T).at["eta"]) == pytest.approx(eta, rel=1e-9)
    grid = Grid(eta=LogAxis(1e-12, 1.0, 241), T=LogAxis.from_values([1e20, 1e21]))
    found = grid_search(proxy, grid, "eta", fixed=fixed, path=path, min_K=1.0)
    np.testing.assert_allclose(found.value("b"), 0.29 * np.array([1e20, 1e21]) ** 0.571, rtol=1e-14)
    at = {"eta": found.at["eta"], "alpha": 0.1, "b": found.value("b"), "T": found.axes["T"]}
    np.testing.assert_allclose(found.risk, proxy.risk(**at), rtol=1e-13)


def test_a_function_has_paths_too() -> None:
    proxy = parse("exp(-eta*K) + eta*log(1 + b)/b + 1/b")
    T = 1e8
    found = refine(proxy, "eta", path={"b": "0.5*T^1/2"}, T=T)
    held = refine(proxy, "eta", fixed={"b": 0.5 * T**0.5}, T=T)
    assert float(found.log_risk) == pytest.approx(float(held.log_risk), abs=1e-12)
    assert float(found.at["eta"]) == pytest.approx(float(held.at["eta"]), rel=1e-6)
    # d log risk / d log T is along the path, and not at a fixed b.
    above, below = (float(refine(proxy, "eta", path={"b": "0.5*T^1/2"}, T=T * x).log_risk) for x in (1.001, 1 / 1.001))
    assert float(found.exponent["risk"]) == pytest.approx((above - below) / (2 * np.log(1.001)), abs=1e-5)


def test_a_floor_is_kept_in_every_route() -> None:
    """With eta on its floor m, b* = (C2 alpha^(1/2) m T/(2 C1))^(2/3): d/db of C1 b/(m T) + C2 (alpha/b)^(1/2)."""
    m, fixed = 1e-4, {"alpha": 0.1}
    proxy = bounds.lmo_large_horizon().with_floors(eta=m)
    law = exponents(proxy, ("eta", "b"), fixed=fixed)
    assert law.active == {"eta": "eta >= eta_min"}
    T = 1e20
    b = (0.1**0.5 * m * T / 2) ** (2 / 3)
    assert float(law.laws["b"].at(T)) == pytest.approx(b, rel=1e-12)
    best = refine(proxy, ("eta", "b"), fixed=fixed, T=T)
    assert (float(best.at["eta"]), int(best.active["eta"])) == (pytest.approx(m, rel=1e-14), -1)
    assert float(best.at["b"]) == pytest.approx(b, rel=1e-9)
    # A grid that goes below the floor is searched from it on, of one bound and of many constants.
    grid = Grid(eta=LogAxis(1e-8, 1.0, 81), b=LogAxis(1.0, 1e15, 151), T=LogAxis(1e4, 1e20, 5))
    found = grid_search(proxy, grid, ("eta", "b"), fixed=fixed)
    assert found.at["eta"].min() == pytest.approx(m)
    assert found.edge["eta"][-1]
    many = search_many(proxy, grid, Regime(("eta", "b"), fixed), {"C1": np.array([0.5, 1.0])})
    np.testing.assert_array_equal(many.risk[1], found.risk)
    np.testing.assert_array_equal(many.index["eta"][1], found.index["eta"])
    with pytest.raises(ValueError, match="no hyperparameter with a floor of that name"):
        proxy.with_floors(q=1.0)
    with pytest.raises(ValueError, match="eta must be a finite number with eta >= 0"):
        refine(proxy, "b", fixed={**fixed, "eta": 1e-5}, T=1e8)


def test_a_claim_may_be_of_what_is_above_a_constant_and_of_what_a_risk_takes() -> None:
    proxy = parse("E + C1*b/(eta*T) + C2/sqrt(b) + C3*eta", {"E": 2.0, "C1": 1.0, "C2": 1.0, "C3": 1.0})
    claims = ["risk - E ~ T^-1/4", "T ~ risk^-4 @ tuned eta, b", "risk - E ~ T^-1/3"]
    above, takes, wrong = check(proxy, claims)
    assert (above.verdict, takes.verdict, wrong.verdict) == ("holds", "fails", "fails")
    bare, in_K = check(bounds.lmo(), ["T ~ eps^-4 C1 C2^2 C3", "K ~ eps^-2"], fixed={"alpha": 0.1})
    assert (bare.verdict, in_K.verdict) == ("holds", "holds")
    assert bare.stated.text() == "risk ~ C1^1/4 C2^1/2 C3^1/4 T^-1/4"
    assert in_K.stated.text() == "risk b^-1/2 ~ T^-1/2"
    function = parse("E + exp(-eta*K) + eta", {"E": 2.0})
    (decays,) = check(function, ["risk - E ~ K^-1 log K"], fixed={"b": 1.0})
    assert decays.verdict == "holds"


@pytest.mark.parametrize(("claim", "words"), [
    ("T = risk^-4", "a claim of what a risk takes is of powers alone"),
    ("T ~ 3 risk^-4", "~ leaves the constant open"),
    ("risk - 3 ~ T^-1/4", "what is taken from the risk is a constant of the bound"),
])  # fmt: skip
def test_what_says_nothing_of_a_target_is_refused(claim: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse_claim(claim)


def said(command: str, capsys: Capture, *arguments: object) -> str:
    """What a command prints beside the note that the risk is not the whole one."""
    assert status(command, *arguments) == 0
    out, err = capsys.readouterr()
    assert err == "hpgrid: note: the risk is that less E, here and below\n"
    return out


def symbols_of(picture: Path) -> set[str]:
    """How a picture's panels and colour bars call the risk."""
    axes = draw(restore(picture.stem, picture.parent, BOUND_LAYOUTS, "")).axes
    texts = [
        text.removeprefix("(a) ").removeprefix("best ") for ax in axes for text in (ax.get_title(), ax.get_ylabel())
    ]
    return {text for text in texts if text.startswith("risk")}


@pytest.mark.parametrize("layout", [
    pytest.param(("--tune", "eta,b,alpha"), marks=pytest.mark.thorough), ("--tune", "eta,b", "--fix", "alpha=0.1"),
    ("--layout", "contours", "--tune", "eta", "--fix", "alpha=0.1"),
])  # fmt: skip
def test_a_picture_says_what_is_taken_from_the_risk(layout: tuple[str, ...], tmp_path: Path, capsys: Capture) -> None:
    written = ("--bound", "E0 + 1/(eta*K) + eta*(1 + 1/alpha) + (alpha/b)**(1/2)", "--set", "E0=1", "--n", "12")
    for above, name in ((("--above", "E0"), "risk $- E_0$"), ((), "risk")):
        out = tmp_path / f"{len(above)}.png"
        assert status("plot", *written, *above, *layout, "--out", out) == 0
        assert symbols_of(out) == {name}
    capsys.readouterr()


def test_the_risk_above_a_floor_is_asked_drawn_and_reached(tmp_path: Path, capsys: Capture) -> None:
    """A b^(-1/2) + B b/T: by hand b* = (A T/(2 B))^(2/3), and the risk above E is 3 (A^2 B/4)^(1/3) T^(-1/3)."""
    above = ("--bound", "E + A/b**(1/2) + B*b/T", "--set", "E=1,A=1,B=1", "--above", "E")
    assert "risk* = 3 * 2^-2/3 A^2/3 B^1/3 T^-1/3" in said("exponents", capsys, *above, "--tune", "b")
    reached = json.loads(said("search", capsys, *above, "--over", "b", "--risk", "0.01", "--json"))
    assert reached["fewest"]["at"] == pytest.approx((3 / 0.01) ** 3 / 4, rel=1e-9)
    picture = tmp_path / "above.png"
    said("plot", capsys, *above, "--tune", "b", "--out", picture, "--n", "12")
    record = json.loads(picture.with_suffix(".json").read_text())
    assert record["config"]["bound"]["above"] == "E"
    assert symbols_of(picture) == {"risk $- E$"}
    (claimed,) = check(parse("E + A/b**(1/2) + B*b/T", {"E": 1.0, "A": 1.0, "B": 1.0}), ["risk - E ~ T^-1/3"])
    assert claimed.law == "risk* - E = 3 * 2^-2/3 A^2/3 B^1/3 T^-1/3"


def test_what_is_taken_from_the_risk_is_a_term_of_it() -> None:
    with pytest.raises(ValueError, match="what is taken from the risk is a term of the bound"):
        check(bounds.lmo(), ["risk - C1 ~ T^-1/4"], fixed={"alpha": 0.1})
