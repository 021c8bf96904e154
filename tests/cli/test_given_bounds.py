"""How commands are told their bound: by name, as text, in a file."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import pytest
from commands import Capture, printed, refused, status

from hpgrid.checks import InputError
from hpgrid.cli.options import chosen

EQ4 = "C1*b/(eta*T) + C2/sqrt(b)*(b + alpha**(3/2)*T)/(alpha*T) + C3*eta*(1 + 1/alpha)"


def test_a_name_a_text_and_a_file_are_one_bound(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(f'bound = """{EQ4}"""\n[constants]\nC1 = 1.0\nC2 = [1.0, 2.0]\nC3 = 1\n[grid]\nn = 3\n')
    named = chosen("lmo", ["C2=3"])
    typed = chosen(None, ["C1=1,C2=3,C3=1"], EQ4)
    kept = chosen(str(file), ["C2=3"])
    assert [str(t) for t in named.build("T").terms] == [str(t) for t in typed.build("T").terms]
    assert typed == kept


@pytest.mark.parametrize(
    ("bound", "said", "written", "words"),
    [
        (None, None, None, "one bound"),
        ("lmo", None, EQ4, "one bound"),
        ("lmoo", None, None, "Write 'lmo'"),
        ("", None, None, "a bound is an expression"),
        (None, None, "", "a bound is an expression"),
        ("C1*eta", ["c1=2"], None, "Write 'C1'"),
        ("C1*eta", None, None, "needs a value"),
        ("eta*T", ["C1=1"], None, "no constants"),
        ("missing.toml", None, None, "readable TOML"),
    ],
)
def test_a_mistake_is_named(bound: str | None, said: list[str] | None, written: str | None, words: str) -> None:
    with pytest.raises(InputError, match=words):
        chosen(bound, said, written)


def test_a_mistake_in_a_file_names_the_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('bound = "C1*eta + C2/T"\nconstants = { C1 = 1.0 }\n')
    with pytest.raises(InputError, match=r"mine.toml: column 10: .*Given: 'C2'"):
        chosen(str(file), None)


def test_a_fraction_stays_one_where_it_is_an_exponent() -> None:
    assert chosen("eta**g", ["g=1/3"]).options == {"g": Fraction(1, 3)}
    assert chosen("g*eta**g", ["g=1/3"]).constants == {"g": Fraction(1, 3)}


def test_a_remark_goes_to_standard_error(capsys: Capture) -> None:
    assert status("exponents", "--bound", "1/b**1/2 + b/T", "--tune", "b") == 0
    out, err = capsys.readouterr()
    assert err == "hpgrid: note: column 3: b**1/2 is b**1 divided by 2; the power is written b**(1/2)\n"
    assert "T^1/2" in out


def test_exponents_say_which_term_stands_in_the_way(capsys: Capture) -> None:
    bound = ["--bound", "eta + log(1 + 1/eta)/T", "--tune", "eta"]
    refused("exponents", capsys, bound, "column 7: log(1 + 1/eta) is no power")


def test_momentum_is_held_as_beta_and_tuned_as_alpha(capsys: Capture) -> None:
    held = printed("exponents", capsys, "lmo", "--tune", "eta,b", "--fix", "beta=0.999")
    assert held == printed("exponents", capsys, "lmo", "--tune", "eta,b", "--fix", "alpha=0.001")
    tuned = printed("exponents", capsys, "lmo", "--tune", "eta,alpha")
    assert status("exponents", "lmo", "--tune", "eta,beta") == 0
    assert capsys.readouterr() == (tuned, "hpgrid: note: beta is tuned as alpha = 1 - beta\n")


def test_a_figure_of_a_bound_of_ones_own_has_that_bounds_exponents(capsys: Capture, tmp_path: Path) -> None:
    """C1 b/(eta T) + C2 b^(-1/3) + C3 eta: b ~ T^(3/5), risk ~ T^(-1/5), not Theorem 1's."""
    bound = ["--bound", "C1*b/(eta*T) + C2/b**(1/3) + C3*eta", "--set", "C1=1,C2=1,C3=1"]
    out = printed("reproduce", capsys, "fig1", *bound, "--n", "25", "--out", tmp_path, "--format", "png")
    assert "FAILS" not in out
    record = json.loads((tmp_path / "fig1.json").read_text())
    assert record["notes"]["exponents"] == {"risk": "-1/5", "eta": "-1/5", "b": "3/5"}
    assert record["config"]["bound"]["formula"] == bound[1]


MAXIMUM = ("--bound", "max(b/(eta*T), sqrt(alpha/b), eta/alpha)")


def test_closed_forms_are_not_those_of_a_function(capsys: Capture, tmp_path: Path) -> None:
    out = printed("reproduce", capsys, "fig4", *MAXIMUM, "--n", "15", "--out", tmp_path, "--format", "png")
    assert "no check: the closed forms are not this bound's" in out


def test_what_needs_a_sum_of_powers_refuses_a_function_in_one_line(capsys: Capture, tmp_path: Path) -> None:
    refused("reproduce", capsys, ["flatness", *MAXIMUM, "--out", tmp_path / "new"], "needs a sum of powers")
