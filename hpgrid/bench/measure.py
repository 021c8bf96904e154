"""Time and memory: contenders timed in turn, and first calls, each in a process of its own."""

from __future__ import annotations

import importlib
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from hpgrid.bench.contenders import CONTENDERS
from hpgrid.grid import Grid
from hpgrid.progress import track

#: Seconds of untimed calls (one at least) right before every timed one: after a rest, or another
#: contender, the first calls pay for sleeping threads and cold caches, and for memory that the one
#: before is still giving back.
_WARMING = 0.2

#: Seconds after which a first call is given up.
_PATIENCE = 900

#: Compilers must compile: nothing is taken from a cache of an earlier run.
_NO_CACHES = {"JAX_ENABLE_COMPILATION_CACHE": "false", "TORCHINDUCTOR_FORCE_DISABLE_CACHES": "1"}


class Fresh(NamedTuple):
    """A first call in a fresh process.

    Attributes:
        first_call_s: seconds of the first call, compilation included and imports not.
        peak_mib: the largest memory that the process held, in MiB; a GPU's own is not in it.
        imports_mib: the same before the call: the interpreter and what it imported.
        device_mib: the largest memory held on a GPU or TPU, or None where none was used or it can't be told.
    """

    first_call_s: float
    peak_mib: float
    imports_mib: float
    device_mib: float | None = None


def fresh(name: str, work: str, n: int) -> Fresh | str:
    """Return what a contender's first call costs in a process of its own, or why it failed."""
    code = "import sys; from hpgrid.bench.measure import probe; probe(*sys.argv[1:])"
    command = [sys.executable, "-c", code, name, work, str(n)]
    try:
        run = subprocess.run(command, env=os.environ | _NO_CACHES, capture_output=True, text=True, timeout=_PATIENCE)
    except subprocess.TimeoutExpired:
        return f"its first call took more than {_PATIENCE} s"
    if run.returncode:
        said = run.stderr.strip().splitlines() or [f"exit status {run.returncode}"]
        return f"its first call failed: {said[-1]}"
    return Fresh(*json.loads(run.stdout.splitlines()[-1]))


def probe(name: str, work: str, n: str) -> None:
    """Do a work once and print what it cost: what ``fresh`` runs in the new process."""
    contender, grid = CONTENDERS[name], Grid.footnote(int(n))
    for module in contender.imports:
        importlib.import_module(module)
    before = peak_memory()
    start = time.perf_counter()
    found = contender.load(work, grid).call()
    seconds = time.perf_counter() - start
    after = peak_memory()
    del found  # held until the memory was read: the answer is part of the work
    print(json.dumps([seconds, after, before, device_memory()]))


def peak_memory() -> float:
    """Return the largest memory that this process has held, in MiB.

    Linux counts ``ru_maxrss`` on from the process that started this one, and a large parent would
    hide a small child: there, the figure is the kernel's own for this program.
    """
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    for line in lines:
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 2**10
    import resource  # not on Windows, which has no figure for this

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def device_memory() -> float | None:
    """Return the largest memory that JAX or PyTorch, whichever is loaded, has held on an accelerator, in MiB."""
    jax, torch = sys.modules.get("jax"), sys.modules.get("torch")
    held = 0
    if jax and jax.default_backend() != "cpu":
        held = (jax.devices()[0].memory_stats() or {}).get("peak_bytes_in_use", 0)
    if torch and torch.cuda.is_available():
        held = max(held, torch.cuda.max_memory_allocated())
    return held / 2**20 if held else None


def interleaved(calls: Mapping[str, Callable[[], object]], runs: int) -> dict[str, list[float]]:
    """Return the seconds of every call, in ``runs`` rounds of one call each.

    What slows the machine for a while then slows all of them. Every round starts with another one,
    so that none always follows the same neighbour.
    """
    names = list(calls)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for round_ in track(range(runs), "timing"):
        first = round_ % len(names)
        for name in names[first:] + names[:first]:
            _warm(calls[name])
            start = time.perf_counter()
            answer = calls[name]()
            seconds[name].append(time.perf_counter() - start)
            del answer  # giving memory back is not timed
    return seconds


def _warm(call: Callable[[], object]) -> None:
    until = time.perf_counter() + _WARMING
    call()
    while time.perf_counter() < until:
        call()


def cpu() -> dict[str, object]:
    """Return the processor's model, how many cores this process may use, and the system."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    model = models[0] if models else platform.processor() or platform.machine()
    return {"model": model, "cores": cores, "system": f"{platform.system()} {platform.machine()}"}
