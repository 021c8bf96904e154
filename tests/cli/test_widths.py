"""What is printed fits the terminal: columns are chosen, sentences are broken between words, no number ever is."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import golden
import pytest
from commands import Capture, printed, status

from hpgrid.answer import Answer
from hpgrid.cli import options
from hpgrid.statements import report as statements
from hpgrid.stochastic import report as stochastic
from hpgrid.text import aligned, columns, to_width

ROOT = Path(__file__).parent.parent.parent

ROWS = [("name", "what it is", "value"), ("a", "a word or two and more", "1.5"), ("bb", "one", "12.25")]


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    return lambda width: monkeypatch.setenv("COLUMNS", str(width))


def test_a_table_that_fits_has_columns_as_wide_as_their_widest(at: Callable[[int], None]) -> None:
    at(80)
    assert aligned(ROWS) == [
        "name  what it is              value",
        "a     a word or two and more  1.5",
        "bb    one                     12.25",
    ]


def test_words_are_wrapped_then_columns_dropped_and_named_then_blocks_made(at: Callable[[int], None]) -> None:
    at(30)
    assert aligned(ROWS, wrap=("what it is",)) == [
        "name  what it is         value",
        "a     a word or two and  1.5",
        "      more",
        "bb    one                12.25",
    ]
    assert aligned(ROWS, drop=("value",), whole="data.json") == [
        "name  what it is",
        "a     a word or two and more",
        "bb    one",
        "data.json has also: value",
    ]
    # A column goes before cells are narrower than twenty.
    assert aligned(ROWS, wrap=("what it is",), drop=("value",)) == aligned(ROWS, drop=("value",))
    assert aligned(ROWS) == [*aligned(ROWS, drop=("value",))[:3], "", "name  value", "a     1.5", "bb    12.25"]


def test_headings_are_broken_and_stand_on_their_columns_and_a_row_of_one_cell_is_a_title(
    at: Callable[[int], None],
) -> None:
    at(30)
    rows = [
        ("x", "risk, refined", "y", "far out"),
        ("all of it, whatever it may mean",),
        ("1e-300", "2", "3", "4"),
    ]
    assert aligned(rows) == [
        "        risk,",
        "x       refined  y  far out",
        "all of it, whatever it may",
        "   mean",
        "1e-300  2        3  4",
    ]


def test_sentences_are_broken_between_words_and_what_is_read_together_stays(at: Callable[[int], None]) -> None:
    at(40)
    assert to_width(["A: the best at T_0 is, all in all, eta = 0.0001606", "short"]).splitlines() == [
        "A: the best at T_0 is, all in all,",
        "   eta = 0.0001606",
        "short",
    ]
    assert to_width(["alpha ~ T^(phi - 1/2), eta ~ T^(phi - 3/4)"]) == "alpha ~ T^(phi - 1/2),\n   eta ~ T^(phi - 3/4)"
    assert to_width(["x" * 60]) == "x" * 60  # a path, say


def test_where_nothing_says_how_wide_a_line_is_it_has_80_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS")
    assert columns() == 80  # standard output is no terminal here


@pytest.fixture(scope="module")
def answers() -> dict[str, Callable[[], str]]:
    """What commands that compute have to say, to be printed again and again; each is run once."""
    found: dict[str, Callable[[], str]] = {}

    def kept(of: Callable[..., Answer]) -> Callable[..., Any]:
        return lambda *asked: SimpleNamespace(show=lambda _: keep(partial(of(*asked).text, details=True)))

    def keep(say: Callable[..., str], *answer: object) -> str:
        found[name] = partial(say, *answer)
        return ""

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(options, "say", lambda _, answer, *more: keep(partial(answer.text, details=True)))
        for module in (statements, stochastic, sys.modules["hpgrid.claims.ledger"]):
            patch.setattr(module, "answer", kept(module.answer))
        for name in ("exponents", "search", "advise", "reach", "check", "transfer", "critical-batch", "smoothness"):
            golden.say([each for each in golden.CONTRACT[name] if each != "--json"])
        for name in ("S.table3.c_alpha", "S.eq9"):  # one that fails, with a reason, and some that hold
            golden.say(["verify", name])
    return found


@pytest.mark.parametrize("width", [40, 60, 80, 100, 200])
def test_no_line_is_wider_than_the_terminal_and_no_number_is_broken(
    answers: dict[str, Callable[[], str]], at: Callable[[int], None], width: int
) -> None:
    for name, text in answers.items():
        at(1000)
        whole = text().split()
        at(width)
        lines = text().splitlines()
        assert max(map(len, lines)) <= width, name
        shown = {word for line in lines if not line.lstrip().startswith("--json") for word in line.split()}
        assert shown <= set(whole), name
        assert shown == set(whole) or "has also" in text(), name


#: Of every command that answers a question, what takes many lines: several claims, budgets, groups, fits, bounds.
LONG = f"""
transfer --from eta=3e-4,b=524288,beta=0.95,beta2=0.98,T=2.5e9 --to T=1e12 --max-b 2e6 --calibrate --schedule decay
transfer --from muon:eta=0.02 --from adamw:eta=3e-4 --from scion:eta=1e-3 --from b=512k,T=2.5B --to 1T
transfer --fit {ROOT}/examples/muon_sweep.csv --where weight_decay=0.1 --to 1T
search lmo --over eta,b,alpha --n 40
search lmo --over eta,b --fix beta=0.999 --n 20 --T 1B,3B,10B,30B,100B,1T
search lmo --over eta,b --fix beta=0.999 --risk 0.01 --max-K 1e8
check lmo --claim "b ~ T^1/6" --claim "b ~ T^1/2" --claim "eta ~ T^-7/12" --claim "alpha ~ T^-1/3"
check --fit {ROOT}/examples/muon_sweep.csv --where weight_decay=0.1
exponents lmo --tune eta,b,alpha --set C1=1,C2=2,C3=3
exponents lmo --tune eta,alpha --path b=T^1/2
exponents local_sgd --tune eta,H,n --budget R
critical-batch --eta 1e-2 --beta 0.95 --sigma 100 --Delta0 100 --G0 10 --eps 4
critical-batch --eta 1e-2 --beta 0.95 --sigma 100 --Delta0 100 --G0 10 --eps 4e5
verify S.table3 S.eq9
smoothness --norm muon,sgd --shape 8x4 --pairs 20
bench --needs --n 20,40,80
compare
compare eta-T b-T
compare all --sources all
compare --protocol all --sources all
fit {ROOT}/examples/constant_rate.csv --predict 96000,192000 --schedule constant --design 12 --model eq5
fit {ROOT}/examples/cooldown.csv --by cooldown --predict 1e5 --schedule decay
fit {ROOT}/examples/muon_sweep.csv --where weight_decay=0.1 --predict 1e11,1e12 --design 12 --params 130M
fit {ROOT}/examples/muon_sweep.csv --var "weight_decay > 0" --ignore momentum --predict 1e11
fit --design 25 --around eta=3e-3,b=1M,T=1e10
"""


@pytest.mark.parametrize("line", LONG.strip().splitlines())
def test_an_answer_is_a_screen_of_25_lines(line: str, at: Callable[[int], None], capsys: Capture) -> None:
    for width in (80, 100):
        at(width)
        assert status(*shlex.split(line)) == 0
        shown = capsys.readouterr().out.splitlines()
        assert 0 < len(shown) <= 25
        assert max(map(len, shown)) <= width


def test_what_stands_last_goes_to_the_details_where_a_screen_has_no_room(at: Callable[[int], None]) -> None:
    at(80)
    answer = Answer(["Set eta = 0.5."], [["a"] * 9, ["b"] * 9, ["c"] * 2], [["d"]], "the rest")
    assert answer.text().splitlines() == ["Set eta = 0.5.", "", *"a" * 9, "", *"b" * 9, "", "--details adds the rest."]
    whole = answer.text(details=True).splitlines()
    assert whole == ["Set eta = 0.5.", "", *"a" * 9, "", *"b" * 9, "", "c", "c", "", "d"]
    assert len(Answer(["all"], [["a"] * 40]).lines()) == 42  # nothing says what is left out


def test_a_warning_stands_where_a_screen_has_no_room_for_the_rest(at: Callable[[int], None], capsys: Capture) -> None:
    at(80)
    answer = Answer(["Set eta = 0.5."], [["a"] * 9, ["b"] * 9, ["c"] * 2], [["d"]], "the rest", ["Beware."])
    told = ["Set eta = 0.5.", "", *"a" * 9, "", *"b" * 9, "", "Beware."]
    assert answer.text().splitlines() == [*told, "", "--details adds the rest."]
    assert answer.text(details=True).splitlines()[-5:] == ["c", "", "Beware.", "", "d"]
    assert "<p>Beware.</p>" in answer.html()
    start = "eta=0.02,beta=0.95,b=512k,T=2.5B"
    assert status(*f"transfer --from {start} --to 1T --max-b 4M --seq-len 4096".split()) == 0
    assert "K = T/b = 1.192, fewer than 100 iterations" in capsys.readouterr().out


@pytest.mark.parametrize("width", [60, 80])
@pytest.mark.parametrize("line", ["verify --list", "reproduce --list", "bench --needs --n 20"])
def test_lists_fit(line: str, width: int, at: Callable[[int], None], capsys: Capture) -> None:
    words = {}
    for each in (1000, width):
        at(each)
        shown = printed(line.split()[0], capsys, *line.split()[1:])
        words[each] = set(shown.split())
        assert max(map(len, shown.splitlines())) <= each
    assert words[width] == words[1000]
