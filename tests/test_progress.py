"""What takes long is said before it starts; a bar appears on a terminal for it, and nowhere else."""

from __future__ import annotations

import io
import os
import sys
import time
import warnings

import pytest

from hpgrid import progress


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def show(monkeypatch: pytest.MonkeyPatch):
    """Put a stream in place of sys.stderr and return it; within the test, where pytest lets it stand."""

    def put(stream: io.StringIO, patience: float = -1.0) -> io.StringIO:
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setattr(sys, "stderr", stream)
        monkeypatch.setattr(progress, "PATIENCE", patience)
        return stream

    return put


@pytest.mark.parametrize("stream", [io.StringIO, Terminal])
@pytest.mark.parametrize("kind", [list, iter])
@pytest.mark.parametrize("items", [[3, 1, 2], []])
def test_every_item_passes_through_in_order(show, stream: type, kind: type, items: list[int]) -> None:
    show(stream())
    assert list(progress.track(kind(items), "search")) == items


@pytest.mark.parametrize("kind", [list, iter])
def test_a_terminal_gets_a_bar_that_names_the_work(show, kind: type) -> None:
    stderr = show(Terminal())
    assert list(progress.track(kind([1, 2]), "grid search")) == [1, 2]
    assert "grid search" in stderr.getvalue()


@pytest.mark.parametrize(("stream", "patience"), [(io.StringIO, -1.0), (Terminal, 60.0)])
def test_a_file_and_short_work_get_no_bar(show, stream: type, patience: float) -> None:
    stderr = show(stream(), patience)
    assert list(progress.track([1, 2], "grid search")) == [1, 2]
    assert stderr.getvalue() == ""


def test_the_bar_is_taken_down_when_the_work_fails(show) -> None:
    stderr = show(Terminal())
    items = progress.track([1, 2], "grid search")
    next(items)
    with pytest.raises(RuntimeError, match="stop"):
        items.throw(RuntimeError("stop"))
    hidden, back = stderr.getvalue().rfind("\x1b[?25l"), stderr.getvalue().rfind("\x1b[?25h")
    assert 0 <= hidden < back  # the cursor


def test_work_within_work_has_no_bar_of_its_own(show) -> None:
    stderr = show(Terminal())
    for _ in progress.track([1, 2], "outer"):
        assert list(progress.track([1, 2], "inner")) == [1, 2]
    assert "outer" in stderr.getvalue()
    assert "inner" not in stderr.getvalue()


def test_where_the_outer_work_has_no_steps_the_bar_is_of_those_within(show) -> None:
    stderr = show(Terminal())
    with progress.progress("outer", None):
        for _ in range(2):
            assert list(progress.track([1, 2], "inner")) == [1, 2]
    assert "outer" in stderr.getvalue()
    assert "inner" in stderr.getvalue()


def test_a_bar_appears_in_the_middle_of_a_long_step(show) -> None:
    stderr = show(Terminal(), patience=0.01)
    with progress.progress("one long step", 1) as advance:
        for _ in range(1000):
            if "one long step" in stderr.getvalue():
                break
            time.sleep(0.01)
        advance()
    assert "one long step" in stderr.getvalue()


def said(*cost: float) -> list[str]:
    """What is said of work of some seconds and bytes."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        progress.foresee("the work", *cost)
    return [str(each.message) for each in caught]


def test_what_takes_ten_seconds_or_a_gigabyte_is_said_in_two_digits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "memory", lambda: 16e9)
    assert said(9.9, 9e8) == []
    assert said(10.4) == ["the work: about 10 s"]
    assert said(7260.0) == ["the work: about 2 hours"]
    assert said(120.0, 1.26e9) == ["the work: about 2 min, 1.3 GB of memory"]


def test_a_command_asks_for_yes_beyond_an_hour_or_the_memory_and_python_for_memory_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(progress, "memory", lambda: 16e9)
    with progress.asking(False):
        assert said(3600.0) == ["the work: about 60 min"]
        with pytest.raises(ValueError, match=r"more than an hour needs --yes. Given: 'the work: about 61 min'"):
            said(3660.0)
        with pytest.raises(ValueError, match=r"the 16 GB of memory that there are needs --yes"):
            said(1.0, 17e9)
    with progress.asking(True):
        assert said(3.2e17, 17e9) == ["the work: about 1e+10 years, 17 GB of memory"]
    assert said(3660.0) == ["the work: about 61 min"]
    with pytest.raises(ValueError, match=r"no more than the 16 GB of memory that there are"):
        said(1.0, 17e9)


def test_the_memory_there_is_is_no_more_than_the_machine_s() -> None:
    assert 2**27 < progress.memory() <= os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
