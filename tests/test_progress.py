"""A bar appears on a terminal for what takes long, and nowhere else."""

from __future__ import annotations

import io
import sys
import time

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


def test_a_bar_appears_in_the_middle_of_a_long_step(show) -> None:
    stderr = show(Terminal(), patience=0.01)
    with progress.progress("one long step", 1) as advance:
        for _ in range(1000):
            if "one long step" in stderr.getvalue():
                break
            time.sleep(0.01)
        advance()
    assert "one long step" in stderr.getvalue()
