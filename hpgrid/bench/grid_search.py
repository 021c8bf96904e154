"""The benchmark of ``hpgrid.grid_search``: the same task by hpgrid and by what one would write instead.

Every contender's answer is checked before anything is timed. They are then timed in turn, in one
run, and the device's ceilings with them; first calls and peak memory are measured in a fresh process
each, all of them before this process takes the device: a TPU serves one process at a time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from statistics import median
from typing import Any

from hpgrid.answer import Answer, Part, Table
from hpgrid.bench.harness import (
    FACTORED,
    PRINTED,
    Agreement,
    Fresh,
    compare,
    cpu,
    fresh,
    interleaved,
    paired,
    reference,
)  # fmt: skip
from hpgrid.bench.roofline import Ceiling, Count, ceilings, task_count
from hpgrid.bench.tasks import CONTENDERS, HPGRID, TASKS, Contender, why_not
from hpgrid.grid import Grid
from hpgrid.progress import track
from hpgrid.record import made_with
from hpgrid.text import aligned

#: Seconds that all rounds of a contender may take.
_PATIENCE = 3600

#: From a contender's name, a task and n to what its first call costs, or why there is none.
Probe = Callable[[str, str, int], Fresh | str]


class Failed(Exception):
    """The contenders can't be compared: one gives another answer, or hpgrid gives none."""


@dataclass(frozen=True)
class Row:
    """What was measured of one contender at one task.

    Attributes:
        detail: how it ran: device, threads, compiled or not.
        seconds: the time of every round, in order.
        median_s: their median.
        ratio: its median over hpgrid's: how many times slower.
        paired_ratio: the median over rounds of its time over hpgrid's in the same round.
        points_per_s: grid points over ``median_s``.
        first: its first call in a fresh process.
        agreement: its answer against NumPy's, as printed.
    """

    detail: str
    seconds: tuple[float, ...]
    median_s: float
    ratio: float
    paired_ratio: float
    points_per_s: float
    first: Fresh
    agreement: Agreement


@dataclass(frozen=True)
class Outcome:
    """What was measured at one task.

    Attributes:
        task: its name.
        n: values an axis.
        rows: what was measured, by the contender's name.
        skipped: why nothing was, by the contender's name.
        count: what hpgrid's search needs per point.
        ceilings: operations ("arithmetic") and bytes ("memory") a second that the device reached, in the
            fastest of the same rounds.
        doubled: hpgrid's first call at 2n values an axis, or None where it wasn't asked for.
    """

    task: str
    n: int
    rows: Mapping[str, Row]
    skipped: Mapping[str, str]
    count: Count
    ceilings: Mapping[str, float]
    doubled: Fresh | None = None

    @property
    def points(self) -> int:
        """How many points were searched."""
        return self.n**4

    @property
    def floors(self) -> dict[str, float]:
        """Seconds that hpgrid's search needs at least, by ceiling; "handed on": were it all to go through memory."""
        need = self.count
        return {
            "arithmetic": self.points * need.operations / self.ceilings["arithmetic"],
            "memory": self.points * need.bytes / self.ceilings["memory"],
            "handed on": self.points * need.moved / self.ceilings["memory"],
        }

    @property
    def reached(self) -> dict[str, float]:
        """What fraction of each ceiling hpgrid reached in its fastest round: the floor over its time."""
        fastest = min(self.rows[HPGRID.name].seconds)
        return {name: floor / fastest for name, floor in self.floors.items()}

    @property
    def peak_ratio(self) -> float | None:
        """hpgrid's peak memory at 2n over that at n."""
        return self.doubled and self.doubled.peak_mib / self.rows[HPGRID.name].first.peak_mib


# --- measuring ---


def run(
    tasks: Sequence[str],
    sizes: Sequence[int],
    runs: int,
    *,
    contenders: Mapping[str, Contender] = CONTENDERS,
    probe: Probe | None = None,
    say: Callable[[str], object] = print,
) -> list[Outcome]:
    """Return what every contender costs at each task and size, and say each as soon as it is measured.

    Args:
        tasks: their names.
        sizes: values an axis.
        runs: timed rounds.
        contenders: who takes part, by name; hpgrid does.
        probe: what measures a first call; ``fresh`` where None.
        say: takes a text for people.

    Raises:
        Failed: see ``measure``.
    """
    probe = cache(probe or fresh)
    pairs = [(task, n) for task in tasks for n in sizes]
    # Before this process opens a device: a TPU serves one process at a time.
    for task, n in track(pairs, "first calls"):
        first_calls(task, n, runs, contenders, probe)
        if task == "R1":
            probe(HPGRID.name, task, 2 * n)
    limits = ceilings()
    outcomes = []
    for task, n in pairs:
        outcomes.append(measure(task, n, runs, limits=limits, contenders=contenders, probe=probe))
        say(f"\n{task}: {TASKS[task].asks}; {n}^4 points, {runs} runs, float64")
        say(f"{table(outcomes[-1])}\n{notes(outcomes[-1])}")
    return outcomes


def measure(
    task: str,
    n: int,
    runs: int,
    *,
    limits: Mapping[str, Ceiling],
    contenders: Mapping[str, Contender] = CONTENDERS,
    probe: Probe = fresh,
) -> Outcome:
    """Return what every contender costs at one task, after one call of each that is checked and not timed.

    Args:
        task: its name, R1 to R4.
        n: values an axis.
        runs: timed rounds.
        limits: the device's ceilings, which are timed in the same rounds.
        contenders, probe: see ``run``.

    Raises:
        Failed: a contender disagrees with eq. (4) as printed, or hpgrid can't run.
    """
    firsts, skipped = first_calls(task, n, runs, contenders, probe)
    doubled = probe(HPGRID.name, task, 2 * n) if task == "R1" else None
    if HPGRID.name not in firsts or isinstance(doubled, str):
        raise Failed(f"hpgrid can't run: {skipped.get(HPGRID.name, doubled)}")
    grid = Grid.footnote(n)
    loaded = {name: contenders[name].load(task, grid) for name in firsts}
    expected = reference(task, grid)
    agreements = {name: compare(ready.call(), expected) for name, ready in loaded.items()}
    for name, agreement in agreements.items():
        if not agreement.holds:
            raise Failed(
                f"{name} disagrees with NumPy as printed on {task}: of {agreement.cells} cells, "
                f"{agreement.wrong_indices} have another index and {agreement.wrong_values} another value"
            )
    calls = {name: ready.call for name, ready in loaded.items()} | {name: c.call for name, c in limits.items()}
    # The ceilings are timed in the same rounds: a clock that slows down lowers them, too.
    seconds = interleaved(calls, runs)
    rows = {
        name: row(ready.detail, seconds[name], seconds[HPGRID.name], n**4, firsts[name], agreements[name])
        for name, ready in loaded.items()
    }
    rates = {name: limit.amount / min(seconds[name]) for name, limit in limits.items()}
    return Outcome(task, n, rows, skipped, task_count(task, grid), rates, doubled)


def first_calls(
    task: str, n: int, runs: int, contenders: Mapping[str, Contender], probe: Probe
) -> tuple[dict[str, Fresh], dict[str, str]]:
    """Return the cost of every contender's first call, and why the others have none or are not timed."""
    firsts, skipped = {}, {}
    for name, contender in contenders.items():
        first = why_not(contender, n) or probe(name, task, n)
        why = first if isinstance(first, str) else too_slow(first.first_call_s, runs)
        if isinstance(first, str) or why:
            skipped[name] = str(why)
        else:
            firsts[name] = first
    return firsts, skipped


def too_slow(first_call_s: float, runs: int) -> str | None:
    """Return why a contender is not timed, going by its first call: every round calls it twice, or None."""
    seconds = 2 * runs * first_call_s
    if seconds <= _PATIENCE:
        return None
    return f"its first call took {first_call_s:.0f} s, so that {runs} rounds would take some {seconds / 3600:.1f} hours"


def row(
    detail: str,
    seconds: Sequence[float],
    hpgrid: Sequence[float],
    points: int,
    first: Fresh,
    agreement: Agreement,
) -> Row:
    """Return a contender's row from its times and hpgrid's, in the same rounds."""
    ratio = median(seconds) / median(hpgrid)
    rate = points / median(seconds)
    return Row(detail, tuple(seconds), median(seconds), ratio, paired(seconds, hpgrid), rate, first, agreement)


# --- for people ---

_COLUMNS = (
    *("contender", "median ms", "x hpgrid", "paired", "Gpoints/s"),
    *("first call s", "peak MiB", "imports MiB", "device MiB", "how"),
)


def table(outcome: Outcome) -> str:
    """Return an outcome as aligned text.

    "x hpgrid" and "paired" say how many times slower than hpgrid a contender is, by the medians and
    by the median over rounds; "imports MiB" is the part of the peak that was there before the call.
    """
    lines: list[tuple[str, ...]] = [_COLUMNS]
    for name, row in outcome.rows.items():
        times = f"{1e3 * row.median_s:.1f}", f"{row.ratio:.2f}", f"{row.paired_ratio:.2f}"
        cost, device = row.first, row.first.device_mib
        memory = f"{cost.peak_mib:.0f}", f"{cost.imports_mib:.0f}", "-" if device is None else f"{device:.0f}"
        rate, compiled = f"{row.points_per_s / 1e9:.2f}", f"{cost.first_call_s:.2f}"
        lines.append((CONTENDERS[name].label, *times, rate, compiled, *memory, row.detail))
    if all(row.first.device_mib is None for row in outcome.rows.values()):
        # No accelerator: no column for its memory.
        lines = [(*line[:-2], line[-1]) for line in lines]
    lines += [(f"{CONTENDERS[name].label}: skipped, {why}",) for name, why in outcome.skipped.items()]
    drop = ("imports MiB", "device MiB", "first call s", "Gpoints/s", "peak MiB")
    return "\n".join(aligned(lines, wrap=("contender", "how"), drop=drop, whole="--json FILE"))


def answer(outcomes: Sequence[Outcome], sweeps: Sequence[str]) -> Answer:
    """Return how many times as long as hpgrid the others take, a column for each task; sweeps stand whole beside it."""
    first, beside = [], list[Part]()
    if outcomes:
        known = []
        for each in outcomes:
            fastest = {own: min((row.ratio for name, row in each.rows.items() if _own(name) is own), default=math.nan)
                       for own in (True, False)}  # fmt: skip
            known += [fastest[False] / fastest[True]] if False in map(_own, each.rows) else []
        ends = " to ".join(dict.fromkeys(f"{ratio:.2g}" for ratio in (min(known), max(known)))) if known else ""
        first.append("All answers agree." + (f" The fastest of the others takes {ends} times as long." if ends else ""))
        head = ("how many times as long", *(f"{each.task}, n = {each.n}" for each in outcomes))
        own = (
            f"{CONTENDERS[HPGRID.name].label}, ms",
            *(f"{1e3 * each.rows[HPGRID.name].median_s:.1f}" for each in outcomes),
        )
        names = dict.fromkeys(name for each in outcomes for name in (*each.rows, *each.skipped) if name != HPGRID.name)
        rows = [(CONTENDERS[name].label, *(f"{each.rows[name].ratio:.2f}" if name in each.rows else "-"
                                           for each in outcomes)) for name in names]  # fmt: skip
        beside.append([Table([head, own, *rows])])
    adds = "first calls, memory, how far answers agree, and what the device could do" if outcomes else ""
    return Answer(first, [*beside, *([each] for each in sweeps)], adds=adds)


def _own(name: str) -> bool:
    """Whether a contender is hpgrid, by one way or another."""
    return CONTENDERS[name].label.startswith("hpgrid")


def notes(outcome: Outcome) -> str:
    """Return what the table doesn't hold: how far the answers agree, memory at twice the n, what was reached."""
    agreements = [row.agreement for row in outcome.rows.values()]
    cells, clear = agreements[0].cells, agreements[0].clear
    need = outcome.count
    reached = {k: f"{100 * part:.2g}%" if part < 0.1 else f"{100 * part:.0f}%" for k, part in outcome.reached.items()}
    doubled = [
        f"hpgrid at n = {2 * outcome.n}, 16 times the points: peak {first.peak_mib:.0f} MiB, "
        f"{outcome.peak_ratio:.2f} times that at n = {outcome.n}."
        for first in [outcome.doubled]
        if first
    ]
    return "\n".join([
        f"All agree: on the indices of the {clear:,} of {cells:,} cells whose runner-up is more than 8 eps "
        f"above the best, and on all values, within {max(a.largest_eps for a in agreements):.1f} eps "
        f"(of the other cells, up to {max(a.other_indices for a in agreements):,} have another index).",
        *doubled,
        f"hpgrid needs {need.operations:.2f} operations a point and {need.bytes:.2g} bytes in or out; "
        f"it hands on {need.handed:.2f} more from step to step, {need.at_once / 1e6:.1f} MB at a time.",
        f"Measured in the same rounds: {outcome.ceilings['arithmetic'] / 1e9:.1f} G operations/s "
        f"(multiply-adds, two each), {outcome.ceilings['memory'] / 1e9:.1f} GB/s (triad).",
        f"Reached, in the fastest round: {reached['arithmetic']} of the arithmetic, {reached['memory']} of the memory "
        f"({reached['handed on']} if what is handed on went through memory, too).",
    ])  # fmt: skip


# --- for a file ---


def record(outcomes: Sequence[Outcome], runs: int) -> dict[str, Any]:
    """Return all that was measured, for ``write_json``: a result for each task and n."""
    made = made_with("float64")
    made["versions"] |= {name: version(name) if find_spec(name) else None for name in ("numexpr", "torch", "numba")}
    return {
        "benchmark": "grid_search",
        "bound": "Shulgin et al., eq. (4), C1 = C2 = C3 = 1",
        "expressions": {"numpy_printed": PRINTED, "numpy_factored": FACTORED},
        "runs": runs,
        "cpu": cpu(),
        **made,
        "results": [
            {
                "work": one.task,
                "asks": TASKS[one.task].asks,
                "n": one.n,
                "points": one.points,
                "contenders": one.rows,
                "skipped": one.skipped,
                "per_point": one.count,
                "ceilings_per_s": one.ceilings,
                "reached": one.reached,
                "doubled": one.doubled and {"n": 2 * one.n} | one.doubled._asdict() | {"peak_ratio": one.peak_ratio},
            }
            for one in outcomes
        ],
    }
