"""Progress bars: on a terminal, for what takes longer than two seconds; silent everywhere else."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Sized
from typing import TypeVar

Item = TypeVar("Item")

#: Seconds that pass before a bar appears.
PATIENCE = 2.0


def track(items: Iterable[Item], what: str) -> Iterator[Item]:
    """Yield the items, showing how many are done once it has taken two seconds on a terminal."""
    if not sys.stderr.isatty():
        yield from items
        return
    started, done, bar = time.monotonic(), 0, None
    total = len(items) if isinstance(items, Sized) else None
    try:
        for item in items:
            if bar is None and time.monotonic() - started > PATIENCE:
                bar, task = _open(what, total)
            if bar is not None:
                bar.update(task, completed=done)
            yield item
            done += 1
    finally:
        if bar is not None:
            bar.update(task, completed=done)
            bar.stop()


def _open(what: str, total: int | None):  # type: ignore[no-untyped-def]
    from rich.console import Console
    from rich.progress import Progress  # imported here: most runs end before they need it

    bar = Progress(console=Console(stderr=True), transient=True)
    bar.start()
    return bar, bar.add_task(what, total=total)
