"""What takes long: said before it starts, with how long, and shown while it goes on, by a bar on a terminal."""

from __future__ import annotations

import math
import os
import shutil
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from hpgrid.checks import bad, note
from hpgrid.text import duration, size

Item = TypeVar("Item")

#: Seconds that pass before a bar appears.
PATIENCE = 2.0

#: Seconds, and bytes, from which on what is ahead is said, and seconds beyond which a command asks for --yes.
LONG, LARGE, TOO_LONG = 10.0, 1e9, 3600.0

#: Held while a bar is due or shown: a terminal has room for one.
_outermost = threading.Lock()

#: The bar of work that has no steps, for work within it that has: how to name and to advance it, and its own name.
_free: list[tuple[Callable[[str, int | None], None], Callable[[], None], str]] = []

#: What a person said to --yes in the command that runs; None in Python, where nobody is asked.
_agreed: bool | None = None


@contextmanager
def asking(yes: bool) -> Iterator[None]:
    """Refuse, in a command, what takes more than an hour or more memory than there is, unless a person said --yes."""
    global _agreed
    before, _agreed = _agreed, yes
    try:
        yield
    finally:
        _agreed = before


def foresee(
    what: str, seconds: float, bytes_: float = 0.0, *, disk: Path | None = None, at_least: bool = False
) -> None:
    """Say what work takes before it starts, where that is more than ten seconds or a gigabyte.

    Args:
        what: the work.
        seconds: how long it takes.
        bytes_: how much memory, or how much of a disk.
        disk: a folder on it.
        at_least: these are less than it takes: refused, where that is too much, but not said.

    Raises:
        ValueError: it takes more memory than there is; in a command also where it takes more than an hour, and neither
            where a person said --yes.
    """
    if disk is None and seconds <= min(LONG, TOO_LONG) and bytes_ <= LARGE / 10:
        return
    room, where = (memory(), "memory") if disk is None else (shutil.disk_usage(disk).free, "disk")
    held = f", {size(bytes_)} of {where}" if bytes_ > LARGE / 10 else ""
    cost = f"{what}: {'at least' if at_least else 'about'} {duration(seconds)}{held}"
    beyond = [f"the {size(room)} of {where} that there are"] if bytes_ > room else []
    if _agreed is None and beyond and disk is None:
        raise bad(f"a computation takes no more than {beyond[0]}", cost, "fewer values an axis, say")
    beyond += ["an hour"] if seconds > TOO_LONG else []
    if _agreed is False and beyond:
        raise bad(f"what takes more than {' and '.join(beyond)} needs --yes", cost, "fewer values, or --yes beside it")
    if not at_least and (seconds > LONG or bytes_ > LARGE):
        note(cost)


def memory() -> float:
    """Return the bytes of memory that this process may have: the machine's, or its container's; inf where unknown."""
    limits = [math.inf]
    with suppress(AttributeError, ValueError, OSError):  # not on Windows
        limits.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    for limit in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        with suppress(ValueError, OSError):  # "max", or not there
            limits.append(float(Path(limit).read_text(encoding="ascii")))
    return min(limits)


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def track(items: Iterable[Item], what: str) -> Iterator[Item]:
    """Yield the items, showing how many are done once it has taken two seconds on a terminal."""
    with progress(what, len(items) if isinstance(items, Sized) else None) as advance:
        for item in items:
            yield item
            advance()


@contextmanager
def progress(what: str, total: int | None) -> Iterator[Callable[[], None]]:
    """Yield a function to call after each of ``total`` steps; a bar shows them, and the time left, after two seconds.

    A timer opens the bar, so that it appears in the middle of a long step too. Work within work is part of the outer
    bar's step; where the outer work has no steps, the bar shows those of the work within.
    """
    if not sys.stderr.isatty():
        yield lambda: None
        return
    if not _outermost.acquire(blocking=False):
        try:
            bar_is_of, step, outer = _free.pop() if total is not None else _free[:0].pop()
        except IndexError:
            yield lambda: None
            return
        bar_is_of(what, total)
        try:
            yield step
        finally:
            bar_is_of(outer, None)
            _free.append((bar_is_of, step, outer))
        return
    opened: list[tuple[Any, Any]] = []
    shown, done, lock = (what, total), 0, threading.Lock()

    def appear() -> None:
        from rich.console import Console
        from rich.progress import Progress  # imported here: most runs end before they need it

        with lock:
            # What goes to standard output stays there, unless it is the same terminal.
            bar = Progress(console=Console(stderr=True), transient=True, redirect_stdout=sys.stdout.isatty())
            bar.start()
            opened.append((bar, bar.add_task(shown[0], total=shown[1], completed=done)))

    def show(what: str, total: int | None) -> None:
        nonlocal shown, done
        with lock:
            shown, done = (what, total), 0
            for k, (bar, task) in enumerate(opened):
                bar.remove_task(task)
                opened[k] = bar, bar.add_task(what, total=total)

    def advance() -> None:
        nonlocal done
        with lock:
            done += 1
            for bar, task in opened:
                bar.update(task, completed=done)

    timer = threading.Timer(max(PATIENCE, 0.0), appear)
    timer.daemon = True
    appear() if PATIENCE <= 0 else timer.start()
    if total is None:
        _free.append((show, advance, what))
    try:
        yield advance
    finally:
        timer.cancel()
        _free.clear()
        with lock:
            for bar, _ in opened:
                bar.stop()
        _outermost.release()
