"""What a sweep runs on: which devices, how much memory, how much at once. jax loads when a function is called."""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from hpgrid.checks import bad, is_number

#: The share of the machine's memory that a sweep takes where the device does not tell what it has.
HOST_SHARE = 1 / 8


#: How many calls are under way at once for each device that is no CPU: one computes while another's numbers travel.
_AHEAD = 2


def chosen(devices: int | None) -> list[Any]:
    """Return the first ``devices`` local devices, or all of them.

    Raises:
        ValueError: there are fewer.
    """
    import jax

    found = jax.local_devices()
    if devices is not None and devices > len(found):
        raise bad(f"this machine has {len(found)} device{'s' * (len(found) > 1)}", devices, "a smaller number")
    return found[:devices]


def check_limits(devices: int | None, memory: float | None) -> None:
    """Refuse a number of devices, or of bytes, that can't be one."""
    whole = devices is None or (isinstance(devices, int) and not isinstance(devices, bool) and devices >= 1)
    if not whole:
        raise bad("devices is a whole number, 1 or more", devices, "devices=1, say")
    if memory is not None and not (is_number(memory) and memory > 0):
        raise bad("memory is a positive number of bytes", memory, "memory=2**30, say")


def free_memory(devices: Sequence[Any]) -> float:
    """Return the bytes that a sweep may take: half of what a device has left, or HOST_SHARE of the machine's."""
    stats = [device.memory_stats() or {} for device in devices]
    left = [s["bytes_limit"] - s.get("bytes_in_use", 0) for s in stats if "bytes_limit" in s]
    if left:
        return len(devices) * min(left) / 2
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") * HOST_SHARE
    except (AttributeError, ValueError, OSError):  # not on Windows
        return 2.0**30


def at_once(memory: float | None, devices: Sequence[Any], call: float, *, busy: bool = False) -> int:
    """Return how many calls of ``call`` bytes each to make at once: as many as keep all cores busy and fit into memory.

    Args:
        memory: the bytes to stay within; see ``free_memory`` for the default.
        devices: what the calls run on.
        call: the bytes of one.
        busy: whether one call keeps all cores of a CPU busy; two would only share its caches.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    workers = _AHEAD * len(devices)
    if devices[0].platform == "cpu":
        workers = len(devices) if busy else cores
    return max(1, min(workers, int((memory or free_memory(devices)) // call)))


def run_all(run: Callable[[int], None], calls: Iterable[int], width: int) -> None:
    """Run calls, ``width`` at once; where the device's memory runs out, half as many, saying so once.

    Raises:
        MemoryError: one call alone does not fit.
    """
    pending, said = list(calls), False
    while pending:
        tight = threading.Event()

        def attempt(call: int, tight: threading.Event = tight) -> bool:
            if tight.is_set():
                return False
            try:
                run(call)
            except Exception as error:
                if "RESOURCE_EXHAUSTED" not in str(error):
                    raise
                tight.set()
                return False
            return True

        if width == 1:
            done = [attempt(call) for call in pending]
        else:
            with ThreadPoolExecutor(width) as pool:
                done = list(pool.map(attempt, pending))
        pending = [call for call, finished in zip(pending, done) if not finished]
        if pending and width == 1:
            raise MemoryError(
                "the device has no memory for one block of a sweep: use a smaller grid, or another device"
            )
        if pending and not said:
            warnings.warn(f"the device's memory ran out: {width // 2} blocks at once from here on", stacklevel=2)
            said = True
        width = max(1, width // 2)
