"""Progress bars: on a terminal, for what takes longer than two seconds; silent everywhere else."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import contextmanager
from typing import Any, TypeVar

Item = TypeVar("Item")

#: Seconds that pass before a bar appears.
PATIENCE = 2.0

#: Held while a bar is due or shown: a terminal has room for one.
_outermost = threading.Lock()


def track(items: Iterable[Item], what: str) -> Iterator[Item]:
    """Yield the items, showing how many are done once it has taken two seconds on a terminal."""
    with progress(what, len(items) if isinstance(items, Sized) else None) as advance:
        for item in items:
            yield item
            advance()


@contextmanager
def progress(what: str, total: int | None) -> Iterator[Callable[[], None]]:
    """Yield a function to call after each of ``total`` steps; a bar shows them after two seconds.

    A timer opens the bar, so that it appears in the middle of a long step too. Work within work is
    part of the outer bar's step.
    """
    if not sys.stderr.isatty() or not _outermost.acquire(blocking=False):
        yield lambda: None
        return
    opened: list[tuple[Any, Any]] = []
    done, lock = 0, threading.Lock()

    def appear() -> None:
        from rich.console import Console
        from rich.progress import Progress  # imported here: most runs end before they need it

        with lock:
            # What goes to standard output stays there, unless it is the same terminal.
            bar = Progress(console=Console(stderr=True), transient=True, redirect_stdout=sys.stdout.isatty())
            bar.start()
            opened.append((bar, bar.add_task(what, total=total, completed=done)))

    def advance() -> None:
        nonlocal done
        with lock:
            done += 1
            for bar, task in opened:
                bar.update(task, completed=done)

    timer = threading.Timer(max(PATIENCE, 0.0), appear)
    timer.daemon = True
    appear() if PATIENCE <= 0 else timer.start()
    try:
        yield advance
    finally:
        timer.cancel()
        with lock:
            for bar, _ in opened:
                bar.stop()
        _outermost.release()
