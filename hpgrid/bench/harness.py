"""The one harness: eq. (4) as every contender computes it, whether their answers agree, and what each takes.

Two ways of computing one bound differ in the last bits, and then a tie, or what is nearly one, may go
either way. So an index counts only where the runner-up is more than 8 eps above the best.
"""

from __future__ import annotations

import importlib
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hpgrid.bench.tasks import CONTENDERS, HYPERPARAMETERS, TASKS
from hpgrid.grid import Grid
from hpgrid.progress import cores, track

#: The two expressions that are timed, as text; ``bound`` and ``part_with_eta`` compute them.
PRINTED = "C1*b/(eta*T) + C2/np.sqrt(b)*(b + alpha**1.5*T)/(alpha*T) + C3*eta*(1 + 1/alpha)"
FACTORED = "b/(eta*T) + eta*(1 + 1/alpha)"

EPS = float(np.finfo(np.float64).eps)

#: How far apart two values may be, and how far above the best a runner-up is told from it: relative.
TOLERANCE = 8 * EPS

#: Seconds of untimed calls (one at least) right before every timed one: after a rest, or another
#: contender, the first calls pay for sleeping threads and cold caches, and for memory that the one
#: before is still giving back.
_WARMING = 0.2

#: Seconds after which a first call is given up.
_PATIENCE = 900

#: Compilers must compile: nothing is taken from a cache of an earlier run.
_NO_CACHES = {"JAX_ENABLE_COMPILATION_CACHE": "false", "TORCHINDUCTOR_FORCE_DISABLE_CACHES": "1"}

Floats = NDArray[np.float64]


# --- eq. (4) and its answers ---


@dataclass(frozen=True, eq=False)
class Answer:
    """The optima of a search.

    Attributes:
        risk: the best risk, over the axes that remain: (T,) for R1, (b, alpha, T) for R4.
        index: the place of the best on each axis that is minimised away, each of the shape of ``risk``.
    """

    risk: NDArray[np.floating]
    index: tuple[NDArray[np.integer], ...]


class Ready(NamedTuple):
    """A contender that is ready to be timed: what to call, and how it runs (device, threads)."""

    call: Callable[[], Answer]
    detail: str


def axes_of(grid: Grid) -> tuple[Floats, Floats, Floats, Floats]:
    """Return the values of the four axes: eta, b, alpha, T."""
    eta, b, alpha, T = (grid.axes[name].values for name in (*HYPERPARAMETERS, "T"))
    return eta, b, alpha, T


def open_axes(grid: Grid, order: Sequence[str]) -> tuple[Floats, Floats, Floats]:
    """Return eta, b, alpha, each along its place in ``order``, so that they broadcast to all cells."""
    values = zip(HYPERPARAMETERS, axes_of(grid))
    eta, b, alpha = (array.reshape([-1 if axis == name else 1 for axis in order]) for name, array in values)
    return eta, b, alpha


def bound(
    sqrt: Callable[[Any], Any], eta: Any, b: Any, alpha: Any, T: Any, C1: Any = 1.0, C2: Any = 1.0, C3: Any = 1.0
) -> Any:
    """Return the bound as it is printed, for arrays (or scalars) that broadcast. Source: Shulgin et al., eq. (4)."""
    return C1 * b / (eta * T) + C2 / sqrt(b) * (b + alpha**1.5 * T) / (alpha * T) + C3 * eta * (1 + 1 / alpha)


def part_with_eta(eta: Any, b: Any, alpha: Any, T: Any) -> Any:
    """Return the part of eq. (4) that depends on eta, with unit constants."""
    return b / (eta * T) + eta * (1 + 1 / alpha)


# --- agreement ---


@dataclass(frozen=True, eq=False)
class Reference:
    """The answer that contenders are held against, and where its best is clear: more than 8 eps below the runner-up."""

    answer: Answer
    clear: NDArray[np.bool_]


@dataclass(frozen=True)
class Agreement:
    """How one contender's answer compares with the reference.

    Attributes:
        cells: how many cells the answer has.
        clear: in how many of them the runner-up is more than 8 eps above the best.
        wrong_indices: clear cells with another index on some axis: none, if the two agree.
        wrong_values: cells whose values are more than 8 eps apart: none, if the two agree.
        other_indices: cells that are not clear and have another index: a tie that went elsewhere.
        largest_eps: the largest relative difference of the values, in eps.
    """

    cells: int
    clear: int
    wrong_indices: int
    wrong_values: int
    other_indices: int
    largest_eps: float

    @property
    def holds(self) -> bool:
        """Whether the two agree."""
        return self.wrong_indices == self.wrong_values == 0


def reference(task: str, grid: Grid) -> Reference:
    """Return the answer by eq. (4) as printed, and where its best is clear; one T at a time."""
    over, order = TASKS[task].over, TASKS[task].order
    cell = open_axes(grid, order)
    parts = []
    for t in axes_of(grid)[-1]:
        risk = bound(np.sqrt, *cell, t)
        lines = risk.reshape(-1, *risk.shape[len(over) :])
        place = lines.argmin(0)
        best = np.take_along_axis(lines, place[None], 0)[0]
        # What is least now is the runner-up.
        np.put_along_axis(lines, place[None], np.inf, 0)
        parts.append((best, place, lines.min(0)))
    best, place, runner_up = (np.moveaxis(np.array(part), 0, -1) for part in zip(*parts))
    index = np.unravel_index(place, [len(grid.axes[name]) for name in over])
    return Reference(Answer(best, index), runner_up > best * (1 + TOLERANCE))


def compare(answer: Answer, against: Reference) -> Agreement:
    """Return how an answer compares with the reference.

    Raises:
        ValueError: the two have different shapes, so that they answer different questions.
    """
    expected, clear = against.answer, against.clear
    if answer.risk.shape != expected.risk.shape or len(answer.index) != len(expected.index):
        raise ValueError(f"an answer of shape {answer.risk.shape}, where {expected.risk.shape} was asked for")
    apart = np.abs(answer.risk - expected.risk) / expected.risk
    other = np.any([mine != theirs for mine, theirs in zip(answer.index, expected.index)], axis=0)
    return Agreement(
        cells=other.size,
        clear=int(clear.sum()),
        wrong_indices=int((other & clear).sum()),
        # NaN is wrong, too.
        wrong_values=int((~(apart <= TOLERANCE)).sum()),
        other_indices=int((other & ~clear).sum()),
        largest_eps=float(apart.max() / EPS),
    )


# --- time, in turn ---


def interleaved(calls: Mapping[str, Callable[[], object]], runs: int) -> dict[str, list[float]]:
    """Return the seconds of every call, in ``runs`` rounds of one call each.

    What slows the machine for a while then slows all of them. Every round starts with another one,
    so that none always follows the same neighbour.
    """
    # In turn, and not one after the other: a machine that slows down then slows all of them alike.
    names = list(calls)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for round_ in track(range(runs), "timing"):
        first = round_ % len(names)
        for name in names[first:] + names[:first]:
            until = time.perf_counter() + _WARMING
            calls[name]()
            while time.perf_counter() < until:
                calls[name]()
            start = time.perf_counter()
            answer = calls[name]()
            seconds[name].append(time.perf_counter() - start)
            # Giving memory back is not timed.
            del answer
    return seconds


def paired(seconds: Sequence[float], others: Sequence[float]) -> float:
    """Return the median over rounds of one's time over another's in the same round."""
    return median(mine / its for mine, its in zip(seconds, others))


# --- first calls, each in a process of its own ---


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


def fresh(name: str, task: str, n: int) -> Fresh | str:
    """Return what a contender's first call costs in a process of its own, or why it failed."""
    code = "import sys; from hpgrid.bench.harness import probe; probe(*sys.argv[1:])"
    command = [sys.executable, "-c", code, name, task, str(n)]
    try:
        run = subprocess.run(command, env=os.environ | _NO_CACHES, capture_output=True, text=True, timeout=_PATIENCE)
    except subprocess.TimeoutExpired:
        return f"its first call took more than {_PATIENCE} s"
    if run.returncode:
        last = run.stderr.strip().splitlines() or [f"exit status {run.returncode}"]
        return f"its first call failed: {last[-1]}"
    return Fresh(*json.loads(run.stdout.splitlines()[-1]))


def probe(name: str, task: str, n: str) -> None:
    """Do a task once and print what it cost: what ``fresh`` runs in the new process."""
    contender, grid = CONTENDERS[name], Grid.footnote(int(n))
    for module in contender.imports:
        importlib.import_module(module)
    before = peak_memory()
    start = time.perf_counter()
    answer = contender.load(task, grid).call()
    seconds = time.perf_counter() - start
    after = peak_memory()
    # Held until the memory was read: the answer is part of the task.
    del answer
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
    # Not on Windows, which has no figure for this.
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def device_memory() -> float | None:
    """Return the largest memory that JAX or PyTorch, whichever is loaded, has held on an accelerator, in MiB."""
    jax, torch = sys.modules.get("jax"), sys.modules.get("torch")
    largest = 0
    if jax and jax.default_backend() != "cpu":
        largest = (jax.devices()[0].memory_stats() or {}).get("peak_bytes_in_use", 0)
    if torch and torch.cuda.is_available():
        largest = max(largest, torch.cuda.max_memory_allocated())
    return largest / 2**20 if largest else None


def cpu() -> dict[str, object]:
    """Return the processor's model, how many cores this process may use, and the system."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    model = models[0] if models else platform.processor() or platform.machine()
    return {"model": model, "cores": cores(), "system": f"{platform.system()} {platform.machine()}"}
