"""``hpgrid bounds``: the list, and one bound whole."""

from __future__ import annotations

import json
from functools import partial

import commands
import pytest
from commands import Capture

from hpgrid.bounds import BOUNDS

printed = partial(commands.printed, "bounds")

LOCAL = """\
local_sgd: the mean squared gradient norm of local SGD: n workers, H steps each a round, R rounds
   D0/(eta*H*R) + L*eta*sigma**2/n + L**2*eta**2*H**2*z**2
   of eta, H >= 1 (whole), n >= 1 (whole); budget R >= 1 or T = n*H*R*b
   Stich, 1805.09767, its form
   D0: f(x0) - inf f, > 0
"""


@pytest.mark.parametrize("width", [80, 100])
def test_the_list_has_each_bound_with_all_that_is_said_of_it_and_fits(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    lines = printed(capsys).splitlines()
    assert max(map(len, lines)) <= width
    assert [line.split()[0] for line in lines[1:] if line[:1].strip()] == [*BOUNDS, "hpgrid"]
    text = " ".join(" ".join(lines).split())
    for row in BOUNDS.values():
        assert all(part in text for part in (row.formula, row.source, ", ".join(row.domain)))
    assert "of eta, H >= 1 (whole), n >= 1 (whole); budget R >= 1 or T = n*H*R*b" in text
    assert "of eta, 0 < alpha2 <= 1; budget T or K" in text


def test_one_bound_is_shown_with_the_law_of_each_regime(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    out = printed(capsys, "local_sgd")
    assert out.startswith(LOCAL)
    assert "\neta tuned, H, n held:\n   risk* = 2 D0^1/2 L^1/2 sigma H^-1/2 R^-1/2 n^-1/2\n" in out
    assert "   H*    = none: it runs to infinity; a cap on H would stop it\n" in out
    assert "   fixed by level 1: eta H ~ R^-1/3\n" in out
    assert "b leaves its bound at T = 1024 C1^5 C3^5 C2^-10\n" in printed(capsys, "lmo")
    assert "   H*    = 1\n" in printed(capsys, "local_sgd", "--budget", "T")
    # Constants are examples: no law is evaluated at them, but where it was computed at them.
    assert max(line.count(" = ") for line in out.splitlines()) == 1
    assert "numbers of constants 1, b = 1072" in printed(capsys, "storm")


def test_a_bound_without_exact_laws_says_why_and_text_fits(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    out = printed(capsys, "sgd_strongly_convex")
    assert "no exact laws: exact exponents need a bound that is a sum of powers" in out
    some = " ".join(printed(capsys, "error_feedback").split())
    assert "no exact laws with eta, delta tuned: exact exponents need" in some
    assert "in this one (1 - delta)*c*delta^-2*eta^2 is no power of delta" in some
    for name in BOUNDS:
        # What can't be broken, a product of many powers, is longer.
        assert max(len(line) for line in printed(capsys, name).splitlines() if " " in line.strip()) <= 80


def test_both_are_data_too(capsys: Capture) -> None:
    listed = json.loads(printed(capsys, "--json"))["bounds"]
    assert [entry["name"] for entry in listed] == list(BOUNDS)
    assert all(entry["formula"] and entry["source"] and entry["variables"] and entry["constants"] for entry in listed)
    one = json.loads(printed(capsys, "heavy_tails", "--json"))
    assert one["exponents"]["p"]["range"] == "1 < p <= 2"
    assert one["laws"][-1]["law"]["exponent"] == {"risk": "-1/5", "eta": "-4/5", "alpha": "-3/5"}
    assert "sum of powers" in json.loads(printed(capsys, "star_convex", "--json"))["laws"][0]["why"]


def test_the_list_loads_nothing_slow_and_mistakes_are_one_line(capsys: Capture) -> None:
    assert commands.loaded("bounds") == set()
    commands.refused("bounds", capsys, ["local"], "there is no bound of that name. Given: 'local'. Write 'local_sgd'")
    commands.refused("bounds", capsys, ["storm", "--budget", "R"], "there is no budget of that name")
