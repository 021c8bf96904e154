"""What is printed fits the terminal: columns are chosen, sentences are broken between words, no number ever is."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

import golden
import pytest
from commands import Capture, printed

from hpgrid.answer import Answer
from hpgrid.cli import options
from hpgrid.statements import report as statements
from hpgrid.stochastic import report as stochastic
from hpgrid.text import aligned, columns, to_width

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
        patch.setattr(options, "say", lambda answer, *_: keep(partial(answer.text, details=True)))
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
