"""``hpgrid exponents``: what it prints, and how it says no."""

from __future__ import annotations

import json
from functools import partial

import commands
import pytest
from commands import Capture

from hpgrid.bounds import BOUNDS

JOINT = """\
lmo, T to infinity; tuned eta, b, alpha
risk*  = 2^3/2 C1^1/4 C2^1/2 C3^1/4 T^-1/4  = 2.82843 T^-1/4
eta*   = 2^-7/6 C2^7/6 C1^-1/12 C3^-13/12 T^-7/12  = 0.445449 T^-7/12
b*     = 2^-5/3 C2^5/3 C1^-5/6 C3^-5/6 T^1/6  = 0.31498 T^1/6
alpha* = 2^-2/3 C2^2/3 C1^-1/3 C3^-1/3 T^-1/3  = 0.629961 T^-1/3
fixed by level 1: eta/b ~ T^-3/4, alpha/b ~ T^-1/2
K ~ T^5/6 at the optimum, so that in K risk* ~ K^-3/10, eta* ~ K^-7/10, b* ~ K^1/5, alpha* ~ K^-2/5
b leaves its bound at T = 1024 C1^5 C3^5 C2^-10  = 1024
alpha leaves its bound at T = 1/4 C2^2 C1^-1 C3^-1  = 0.25
"""
SHORT = f"{JOINT}\n--details adds the terms that decide, level by level.\n"
LEVELS = """
levels: 1: T^-1/4 from C1*eta^-1*b*T^-1 (1/4), C2*b^(-1/2)*alpha^(1/2) (1/2), C3*eta*alpha^-1 (1/4); \
flat along (eta, b, alpha) = (1, 1, 1)
        2: T^-7/12 from C2*b^(1/2)*alpha^-1*T^-1 (2/3), C3*eta (1/3)
"""
printed = partial(commands.printed, "exponents")


def test_theorem_3_as_text(capsys: Capture) -> None:
    assert printed(capsys, "lmo", "--tune", "eta,b,alpha") == SHORT
    assert printed(capsys, "lmo", "--tune", "eta,b,alpha", "--details") == JOINT + LEVELS
    assert printed(capsys, "lmo", "--tune", "eta", "--tune", "alpha, b") == SHORT


def test_a_fixed_value_stays_a_symbol_and_has_a_value_and_laws_are_latex(capsys: Capture) -> None:
    out = printed(capsys, "lmo", "--tune", "eta,alpha", "--fix", "b=1072", "--set", "C1=4", "--json")
    law = json.loads(out)["laws"]["alpha"]
    assert law["text"] == "alpha* = 2 C1^1/2 C3^1/2 C2^-1 b T^-1/2"
    assert law["powers"] == {"C1": "1/2", "C2": "-1", "C3": "1/2", "b": "1"}
    assert law["constant"] == 4 * 1072
    alpha = r"\alpha^{\star} &= 2 \cdot 7^{-2/3} \rho^{2/3} \sigma^{2/3} \Delta_0^{-1/3} L^{-1/3} T^{-1/3}"
    assert alpha in printed(capsys, "lmo_exact", "--tune", "eta,b,alpha", "--latex").splitlines()


def test_numbers_in_a_law_are_numbers_and_no_symbol_is_there_that_the_bound_has_not(capsys: Capture) -> None:
    """D/(eta K) + s (2 alpha)^1/2 + 2 L eta/alpha by hand, with shares of 1/4, 1/2, 1/4:

    risk = (4 D/K)^1/4 (2 2^1/2 s)^1/2 (8 L)^1/4 = 256^1/4 ..., eta = 4 D/(K risk), alpha = risk^2/(8 s^2).
    """
    bound = ["--bound", "D/(eta*K) + s*sqrt(2*alpha) + 2*L*eta/alpha", "--set", "D=1,s=1,L=1", "--tune", "eta,alpha"]
    out = printed(capsys, *bound, "--budget", "K", "--details")
    assert "risk*  = 4 D^1/4 L^1/4 s^1/2 K^-1/4  = 4 K^-1/4\n" in out
    assert "eta*   = D^3/4 L^-1/4 s^-1/2 K^-3/4  = 1 K^-3/4\n" in out
    assert "alpha* = 2 D^1/2 L^1/2 s^-1 K^-1/2  = 2 K^-1/2\n" in out
    assert "alpha leaves its bound at K = 4 D L s^-2  = 4\n" in out
    assert "2^(1/2)*s*alpha^(1/2) (1/2)" in out
    latex = printed(capsys, *bound, "--budget", "K", "--latex")
    assert r"\mathrm{risk}^{\star} &= 4 D^{1/4} L^{1/4} s^{1/2} K^{-1/4} \\" in latex
    whole = json.loads(printed(capsys, *bound, "--budget", "K", "--json"))
    law = whole["laws"]["risk"]
    assert law["powers"] == {"D": "1/4", "L": "1/4", "s": "1/2"}
    assert (law["number"], law["number_powers"], law["constant"]) == (4.0, {"2": "2"}, 4.0)
    # A root that stays, alone and in a sum: 2 (1 + 2^1/2)^1/2 C^1/2 T^-1/2 and (3/2)^1/2 there.
    out = printed(capsys, "--bound", "C/(eta*T) + eta + sqrt(2)*eta", "--set", "C=4", "--tune", "eta", "--json")
    law = json.loads(out)["laws"]["risk"]
    assert law["text"] == "risk* = 2 * (1 + 2^1/2)^1/2 C^1/2 T^-1/2"
    assert (law["powers"], law["number_powers"]) == ({"C": "1/2"}, {"2": "1", "1 + 2^1/2": "1/2"})
    assert law["number"] == pytest.approx(2 * (1 + 2**0.5) ** 0.5, rel=1e-15)
    # A root of order 1347 is written in digits: eta^-0.347 + 3^1/2 eta is least at eta^1.347 = 0.347/3^1/2.
    out = printed(capsys, "--bound", "1/(eta*T)**g + sqrt(3)*eta", "--set", "g=0.347", "--tune", "eta")
    assert "eta*  = 0.303138 T^-347/1347\n" in out
    out = printed(capsys, "--bound", "sqrt(3)*C/(eta*T) + sqrt(2)*eta", "--set", "C=1", "--tune", "eta")
    assert "risk* = 2 * 6^1/4 C^1/2 T^-1/2  = 3.13017 T^-1/2\n" in out
    assert "eta*  = (3/2)^1/4 C^1/2 T^-1/2  = 1.10668 T^-1/2\n" in out


def test_a_terms_share_is_its_share_where_a_bound_holds_a_variable(capsys: Capture) -> None:
    """At alpha = 1 eq. (11) in K is Delta0/(eta K) against (7/2 + 2) L eta: half, and 7/11 and 4/11 of the half."""
    out = printed(capsys, "lmo_exact", "--tune", "eta,alpha", "--fix", "b=1e30", "--budget", "K", "--json")
    assert json.loads(out)["active"] == {}
    out = printed(capsys, "lmo_exact", "--tune", "eta,b,alpha", "--budget", "K", "--details")
    assert "Delta0*eta^-1*K^-1 (1/2), 7/2*L*eta (7/22), 2*L*eta*alpha^-1 (2/11); flat along b" in out
    law = json.loads(printed(capsys, "lmo_exact", "--tune", "eta,b,alpha", "--budget", "K", "--json"))
    assert law["levels"][0]["shares"] == ["1/2", "7/22", "2/11"]
    assert "0" in law["levels"][0]["weights"]
    # C1 b/(eta T) to C3 eta and L eta, as 3 to 6: the share of one constant among two is a number.
    bound = "C1/(eta*T) + C3*eta + L*eta*alpha**(1/3)", "--set", "C1=1,C3=1,L=8"
    assert "C3*eta + L*eta*alpha^(1/3) (1/2)" in printed(
        capsys, "--bound", *bound, "--tune", "eta", "--fix", "alpha=1", "--details"
    )
    # What hangs on a value that is not known has no share; 1 - alpha is written so.
    out = printed(capsys, "--bound", "alpha + eta/(4*alpha)", "--tune", "alpha", "--details")
    assert "levels: 1: a constant from alpha, 1/4*eta*alpha^-1\n" in out
    out = printed(capsys, "--bound", "1/(eta*T) + eta*beta", "--tune", "eta", "--details")
    assert "levels: 1: T^-1/2 from eta^-1*T^-1 (1/2), eta*(1 - alpha) (1/2)\n" in out


def test_an_infimum_is_told_from_a_minimum(capsys: Capture) -> None:
    out = printed(capsys, "--bound", "C/(eta*T)", "--set", "C=1", "--tune", "eta")
    assert "risk* = none: infimum 0, not attained: eta has no best value\n" in out
    out = printed(capsys, "lmo", "--tune", "eta,b,alpha", "--budget", "K")
    assert "K^-1/2  = 2.82843 K^-1/2  (infimum, not attained: b has no best value)\n" in out


def test_a_path_is_one_rational_power(capsys: Capture) -> None:
    out = printed(capsys, "lmo", "--tune", "eta,alpha", "--path", "b=T^3/4", "--details")
    assert "lmo, T to infinity; tuned eta, alpha; b = T^3/4\n" in out
    assert "alpha reaches its bound (alpha <= 1) at b = T^1/2\n" in out
    assert "b = T;" in printed(capsys, "lmo", "--tune", "eta", "--path", "b=T,alpha=T^-0.25").replace("alpha", ";", 1)


def test_caps_iterations_and_options_of_a_bound(capsys: Capture) -> None:
    assert "b*    = b_max  = 1e+06\n" in printed(capsys, "lmo", "--tune", "eta,b", "--cap", "b=1e6")
    assert "a cap on b would stop it" in printed(capsys, "lmo", "--tune", "eta,b", "--budget", "K")
    joint = partial(printed, capsys, "lmo", "--tune", "eta,b,alpha")
    assert "alpha* = 1/3\n" in joint("--set", "q=2/3,burn_in=true")
    assert "b*     = 1\n" in joint("--set", "q=0.3", "--set", "burn_in=false")


MISTAKES = {
    "lmo": "at least one of eta, b, alpha must be tuned",
    "lmoo --tune eta": "'lmo'",
    "lmo --tune eta,alpha --cap beta=0.9 --floor alpha=0.1": "momentum is given once, and beta is 1 - alpha",
    "lmo --tune eta --fix eta=1": "eta is either tuned or fixed",
    "lmo --tune eta --fix b": "--fix takes NAME=VALUE, between commas. Given: 'b'. Write --fix alpha=0.001, say.",
    "lmo --tune eta --fix b=1,b=2": "--fix gives b twice",
    "lmo --tune eta --fix b=x": "b is a finite number",
    "lmo --tune eta --fix b=1e999": "b is a finite number",
    "lmo --tune eta --fix alpha=1/0": "alpha is a finite number",
    "lmo --tune eta --path b=T^a": "after ^ comes one rational number",
    "lmo --tune eta --path b=T^1/0": "after ^ comes one rational number",
    "lmo --tune eta --path b=T^1e999999999": "after ^ comes one rational number",
    "lmo --tune eta --path b=K^1/2": "a path is a power of the budget T",
    "lmo --tune eta --path c=T^1/2": "'c'",
    "lmo --tune eta --path b=T^-1/2": "b leaves its range along this path",
    "lmo --tune b --cap b=0.5": "b >= 1",
    "lmo --tune eta --fix b=10 --cap b=5": "b must not exceed its cap 5",
    "lmo --tune eta --set C1=-1": "constant C1 must be a finite number >= 0. Given: -1.0",
    "lmo --tune eta --set C4=1": "'C4'",
    "lmo --tune eta --set burn_in=1": "burn_in is true or false",
    "lmo --tune eta --set q=2": "0 < q <= 1",
    "lmo --tune eta --budget X": "no budget of that name",
    "lmo --tune eta --json --latex": "one of the two",
    "sgd --tune alpha": "the bound sgd does not depend on alpha",
}


@pytest.mark.parametrize("line", MISTAKES)
def test_mistakes_are_one_line_and_status_2(capsys: Capture, line: str) -> None:
    commands.refused("exponents", capsys, line.split(), MISTAKES[line])


@pytest.mark.parametrize("bound", [name for name, row in BOUNDS.items() if row.module == "shulgin2026"])
def test_it_loads_nothing_slow(bound: str) -> None:
    """Not even NumPy: exact exponents are fractions."""
    assert commands.loaded("exponents", bound, "--tune", "eta,b") == set()


def test_other_budgets_are_told_by_what_joins_them(capsys: Capture) -> None:
    # b* ~ T^(1/2): K = T/b ~ T^(1/2), and what goes with T^p goes with K^(2p).
    out = printed(capsys, "lmo", "--tune", "eta,b", "--fix", "alpha=0.1")
    assert "K ~ T^1/2 at the optimum, so that in K risk* ~ K^-1/2, eta* ~ K^-1/2, b* ~ K\n" in out
    assert "K ~ " not in printed(capsys, "lmo", "--tune", "eta")  # b is held: the same exponents
    assert "K ~ 1 at the optimum: it does not grow\n" in printed(capsys, "lmo", "--tune", "eta", "--path", "b=T")
    # Of a sum the largest product decides, of those that constants of 0 leave; beta alone does not change.
    own = ["--bound", "C/(eta*K) + eta/b + a*b/K", "--tune", "eta,b", "--budget", "K", "--var", "W = K*(c0 + c1*b)"]
    law = json.loads(printed(capsys, *own, "--set", "C=1,a=1,c0=1,c1=2", "--json"))
    assert (law["exponent"]["b"], law["other_budgets"]) == ("1/3", {"W": "4/3", "T": "4/3"})
    law = json.loads(printed(capsys, *own, "--set", "C=1,a=1,c0=1,c1=0", "--json"))
    assert law["other_budgets"] == {"W": "1", "T": "4/3"}
    # What nothing determines says nothing of a budget.
    flat = printed(capsys, "--bound", "C*b/(eta*T) + eta/b", "--set", "C=1", "--tune", "eta,b", "--json")
    assert json.loads(flat)["other_budgets"] == {}


def test_a_name_without_end_stands_in_a_short_line(capsys: Capture) -> None:
    assert commands.status("exponents", "lmo", "--tune", "eta", "--fix", "a" * 900 + "=x") == 2
    assert len(capsys.readouterr().err) < 400
