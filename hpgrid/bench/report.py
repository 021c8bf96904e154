"""What the benchmark found: plain records, as a table and as data for a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from statistics import median
from typing import Any

from hpgrid.bench.agreement import Agreement
from hpgrid.bench.contenders import CONTENDERS, HPGRID
from hpgrid.bench.counts import Count
from hpgrid.bench.measure import Fresh, cpu
from hpgrid.bench.problem import FACTORED, PRINTED
from hpgrid.bench.works import WORKS
from hpgrid.record import SCHEMA, made_with


@dataclass(frozen=True)
class Row:
    """What was measured of one contender at one work.

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
    """What was measured at one work.

    Attributes:
        work: its name.
        n: values an axis.
        rows: what was measured, by the contender's name.
        skipped: why nothing was, by the contender's name.
        count: what hpgrid's search needs per point.
        ceilings: operations ("arithmetic") and bytes ("memory") a second that the device reached, in the
            fastest of the same rounds.
        doubled: hpgrid's first call at 2n values an axis, or None where it wasn't asked for.
    """

    work: str
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


def row(
    detail: str,
    seconds: Sequence[float],
    hpgrid: Sequence[float],
    points: int,
    *,
    first: Fresh,
    agreement: Agreement,
) -> Row:
    """Return a contender's row from its times and hpgrid's, in the same rounds."""
    return Row(
        detail=detail,
        seconds=tuple(seconds),
        median_s=median(seconds),
        ratio=median(seconds) / median(hpgrid),
        paired_ratio=median(mine / its for mine, its in zip(seconds, hpgrid)),
        points_per_s=points / median(seconds),
        first=first,
        agreement=agreement,
    )


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
    lines = [_COLUMNS, *(_cells(name, row) for name, row in outcome.rows.items())]
    if all(row.first.device_mib is None for row in outcome.rows.values()):
        lines = [(*line[:-2], line[-1]) for line in lines]  # no accelerator: no column for its memory
    skipped = {CONTENDERS[name].label: why for name, why in outcome.skipped.items()}
    widths = [max(map(len, column)) for column in zip(*lines)]
    widths[0] = max(widths[0], *map(len, skipped), 0)
    shown = [_aligned(line, widths) for line in lines]
    shown += [f"{label.ljust(widths[0])}  skipped: {why}" for label, why in skipped.items()]
    return "\n".join(shown)


def _aligned(line: Sequence[str], widths: Sequence[int]) -> str:
    first, *numbers, last = line
    middle = [text.rjust(width) for text, width in zip(numbers, widths[1:])]
    return "  ".join([first.ljust(widths[0]), *middle, last])


def _cells(name: str, row: Row) -> tuple[str, ...]:
    return (
        CONTENDERS[name].label,
        f"{1e3 * row.median_s:.1f}",
        f"{row.ratio:.2f}",
        f"{row.paired_ratio:.2f}",
        f"{row.points_per_s / 1e9:.2f}",
        f"{row.first.first_call_s:.2f}",
        f"{row.first.peak_mib:.0f}",
        f"{row.first.imports_mib:.0f}",
        "-" if row.first.device_mib is None else f"{row.first.device_mib:.0f}",
        row.detail,
    )


def remarks(outcome: Outcome) -> str:
    """Return what the table doesn't hold: how far the answers agree, and memory at twice the n."""
    agreements = [row.agreement for row in outcome.rows.values()]
    cells, clear = agreements[0].cells, agreements[0].clear
    lines = [
        f"All agree: on the indices of the {clear:,} of {cells:,} cells whose runner-up is more than 8 eps "
        "above the best,",
        f"and on all values, within {max(a.largest_eps for a in agreements):.1f} eps "
        f"(of the other cells, up to {max(a.other_indices for a in agreements):,} have another index).",
    ]
    if outcome.doubled:
        lines.append(
            f"hpgrid at n = {2 * outcome.n}, 16 times the points: peak {outcome.doubled.peak_mib:.0f} MiB, "
            f"{_peak_ratio(outcome):.2f} times that at n = {outcome.n}."
        )
    return "\n".join([*lines, *_ceilings(outcome)])


def _ceilings(outcome: Outcome) -> list[str]:
    """What hpgrid's search needs per point, what the device can do, and how much of it was reached."""
    need, reached = outcome.count, outcome.reached
    return [
        f"hpgrid needs {need.operations:.2f} operations a point and {need.bytes:.2g} bytes in or out; "
        f"it hands on {need.handed:.2f} more from step to step, {need.at_once / 1e6:.1f} MB at a time.",
        f"Measured in the same rounds: {outcome.ceilings['arithmetic'] / 1e9:.1f} G operations/s "
        f"(multiply-adds, two each), {outcome.ceilings['memory'] / 1e9:.1f} GB/s (triad).",
        f"Reached, in the fastest round: {_percent(reached['arithmetic'])} of the arithmetic, "
        f"{_percent(reached['memory'])} of the memory "
        f"({_percent(reached['handed on'])} if what is handed on went through memory, too).",
    ]


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.2g}%" if fraction < 0.1 else f"{100 * fraction:.0f}%"


def _peak_ratio(outcome: Outcome) -> float | None:
    """hpgrid's peak memory at 2n over that at n."""
    if outcome.doubled is None:
        return None
    return outcome.doubled.peak_mib / outcome.rows[HPGRID.name].first.peak_mib


# --- for a file ---


def record(outcomes: Sequence[Outcome], runs: int) -> dict[str, Any]:
    """Return all that was measured as plain data: a result for each work and n."""
    made = made_with("float64")
    made["versions"] |= {package: _version(package) for package in ("numexpr", "torch", "numba")}
    return {
        "schema": SCHEMA,
        "benchmark": "grid_search",
        "bound": "Shulgin et al., eq. (4), C1 = C2 = C3 = 1",
        "expressions": {"numpy_printed": PRINTED, "numpy_factored": FACTORED},
        "runs": runs,
        "cpu": cpu(),
        **made,
        "results": [_plain(outcome) for outcome in outcomes],
    }


def _plain(outcome: Outcome) -> dict[str, Any]:
    doubled = outcome.doubled
    return {
        "work": outcome.work,
        "asks": WORKS[outcome.work].asks,
        "n": outcome.n,
        "points": outcome.points,
        "contenders": {name: asdict(row) | {"first": row.first._asdict()} for name, row in outcome.rows.items()},
        "skipped": outcome.skipped,
        "per_point": asdict(outcome.count),
        "ceilings_per_s": outcome.ceilings,
        "reached": outcome.reached,
        "doubled": doubled and {"n": 2 * outcome.n} | doubled._asdict() | {"peak_ratio": _peak_ratio(outcome)},
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
