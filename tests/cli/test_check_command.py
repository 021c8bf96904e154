"""``hpgrid check``: what it prints, how it ends, and how it says no."""

from __future__ import annotations

import json
from functools import partial

import commands
import pytest

VERDICTS = """\
b ~ T^1/2 @ fixed alpha HOLDS: exact, refined and grid
b ~ T^1/3 FAILS: power of T is 1/2 (exact), not 1/3
2 claims: 1 holds, 1 fails
"""
BLOCKS = """
b ~ T^1/2 @ fixed alpha
  lmo, tuned eta, b; alpha = 0.001
              route    measured  claimed  within  verdict
  power of T  exact    1/2       1/2      0       holds
              refined  0.5       1/2      1e-09   holds
              grid     0.499161  1/2      0.053   holds
  grid: slope over T = 1.12e+07 to 1e+22, 75 points
  exact law: b* = 1/2 C2 C1^-1/2 C3^-1/2 (1 + alpha)^-1/2 alpha T^1/2

b ~ T^1/3
  lmo, tuned eta, b; alpha = 0.001
              route    measured  claimed  within  verdict
  power of T  exact    1/2       1/3      0       fails
              refined  0.5       1/3      1e-09   fails
              grid     0.499161  1/3      0.053   fails
  grid: slope over T = 1.12e+07 to 1e+22, 75 points
  exact law: b* = 1/2 C2 C1^-1/2 C3^-1/2 (1 + alpha)^-1/2 alpha T^1/2
"""


status = partial(commands.status, "check")


def test_a_table_and_a_verdict_for_each_claim(capsys: pytest.CaptureFixture[str]) -> None:
    claims = ("--claim", "b ~ T^1/2 @ fixed alpha", "--claim", "b ~ T^1/3")
    assert status("lmo", *claims, "--fix", "beta=0.999", "--details") == 0
    assert capsys.readouterr().out == VERDICTS + BLOCKS
    assert status("lmo", *claims, "--fix", "alpha=1e-3", "--strict") == 1
    assert capsys.readouterr().out == (
        f"{VERDICTS}\n--details adds each claim's conditions, what each route measured, and the exact law.\n"
    )


def test_strict_is_content_with_what_holds_or_cant_be_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert status("sgd", "--claim", "eta/b ~ T^-1/2", "--claim", "b ~ T^1/4", "--strict") == 0
    out = capsys.readouterr().out
    assert "HOLDS: exact and grid; refined can't tell" in out
    assert "NOT IDENTIFIABLE: no route can tell power of T" in out
    assert "\n2 claims: 1 holds, 1 not identifiable\n" in out


def test_why_the_grid_cant_tell_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    """So little noise that b is 1 up to T = 4 (1 + 1/alpha)/(alpha C2^2) = 4.004e22, where the grid ends before."""
    options = ("lmo", "--tune", "eta,b", "--fix", "alpha=1e-3", "--set", "C2=1e-8", "--claim", "b ~ T^1/2")
    assert status(*options) == 0
    out = capsys.readouterr().out
    assert "  grid can't tell power of T: the law begins beyond this window: from T = 4e+22" in out
    assert out.startswith("b ~ T^1/2 HOLDS: exact and refined; grid can't tell\n")
    assert status(*options, "--json") == 0
    *_, on_grid = json.loads(capsys.readouterr().out)["claims"][0]["readings"]
    assert (on_grid["route"], on_grid["verdict"]) == ("grid", "not identifiable")
    assert on_grid["why"] == "the law begins beyond this window: from T = 4e+22 on"


def test_json_has_every_number(capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--tune", "eta,alpha", "--fix", "b=32", "--set", "C1=4", "--cap", "alpha=0.5")
    assert status("lmo", "--claim", "alpha = 4 C2^-1 b T^-1/2", *options, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    (claim,) = found["claims"]
    assert (found["summary"], claim["verdict"], claim["bound"]) == ({"holds": 1}, "holds", "lmo")
    regime = {"budget": "T", "tuned": ["eta", "alpha"], "fixed": {"b": 32.0}, "path": {}, "caps": {"alpha": 0.5}}
    assert claim["regime"] == regime
    assert claim["exact_law"] == "alpha* = 2 C1^1/2 C3^1/2 C2^-1 b T^-1/2"
    parts = {(reading["part"], reading["route"]): reading for reading in claim["readings"]}
    assert parts["power of T", "exact"]["measured"] == parts["power of T", "exact"]["claimed"] == "-1/2"
    assert parts["constant", "refined"]["measured"] == pytest.approx(4.0)
    assert parts["power of b", "refined"]["tolerance"] < 1e-6
    assert {reading["verdict"] for reading in claim["readings"]} == {"holds"}


def test_a_bound_written_as_text_and_a_path(capsys: pytest.CaptureFixture[str]) -> None:
    bound = ("--bound", "a*b/(eta*T) + c*sqrt(alpha/b) + d*eta/alpha", "--set", "a=1,c=2,d=3")
    claims = ("--claim", "alpha ~ b T^-1/2", "--claim", "eta ~ T^-1/2")
    assert status(*bound, "--path", "b=T^1/4", *claims, "--details") == 0
    out = capsys.readouterr().out
    assert "tuned eta, alpha; b = T^1/4" in out
    assert "read as alpha ~ T^-1/4" in out
    assert "\n2 claims: 2 holds\n" in out


MISTAKES = {
    "lmo": "a check needs a claim. Given: 'none'. Write --claim \"b ~ T^1/2\", say.",
    "--claim|b ~ T": "a command has one bound",
    "lmoo|--claim|b ~ T": "'lmo'",
    "lmo|--claim|": "a claim says what follows what",
    "lmo|--claim|b ~ T^1/2/3": "Write parentheses: T^(1/2).",
    "lmo|--claim|b ~ T^1/2 @ fixed b": "b is held",
    "lmo|--claim|b ~ C4 T": "'C4'",
    "lmo|--claim|b ~ T|--budget|X": "no budget of that name",
    "lmo|--claim|beta ~ T": "claims are about alpha = 1 - beta",
    "lmo|--claim|b ~ T @ beta <= 0.9": "beta is held at a number, or alpha stands in its place",
    "lmo|--claim|b ~ T|--tune|eta,b|--fix|b=3": "b is either tuned or fixed",
    "lmo|--claim|b ~ T|--fix|beta=1": "beta must be a finite number with 0 <= beta < 1",
    "lmo|--claim|b ~ T|--fix|beta=0.9,alpha=0.1": "beta is 1 - alpha",
    "lmo|--claim|eta ~ T|--path|b=T^a": "after ^ comes one rational number",
    "lmo|--claim|b ~ T|--set|C4=1": "'C4'",
    "sgd|--claim|alpha ~ T^-1/2": "'alpha'",
    "sgd|--claim|b ~ T|--tune|alpha": "'alpha'",
    "steepest|--set|form=revised|--claim|b ~ b @ fixed alpha": "nothing is left on the left",
    "steepest|--set|form=revise|--claim|b ~ T": "no form of that name. Given: 'revise'. Write 'revised'",
}


@pytest.mark.parametrize("line", MISTAKES)
def test_mistakes_are_one_line_and_status_2(capsys: pytest.CaptureFixture[str], line: str) -> None:
    commands.refused("check", capsys, line.split("|"), MISTAKES[line])


@pytest.mark.parametrize(
    ("arguments", "code", "loaded"),
    [
        (("--help",), 0, {"rich"}),
        (("lmo", "--claim", "b ~ T^1/2/3"), 2, set()),
        (("lmo", "--claim", "b ~ T @ fixed b"), 2, {"numpy"}),
    ],
    ids=["help", "a claim that can't be read", "a claim that can't be asked"],
)
def test_help_and_mistakes_load_nothing_slow(arguments: tuple[str, ...], code: int, loaded: set[str]) -> None:
    assert commands.loaded("check", *arguments, code=code) == loaded
