"""What the benchmark found: plain records, as a table and as data for a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from statistics import median
from typing import Any

from hpgrid.bench.agreement import Agreement
from hpgrid.bench.contenders import CONTENDERS, FACTORED, HPGRID, PRINTED, WORKS
from hpgrid.bench.measure import Fresh, cpu
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
        n: values an axis.
        rows: what was measured, by the contender's name.
        skipped: why nothing was, by the contender's name.
        doubled: hpgrid's first call at 2n values an axis, or None where it wasn't asked for.
    """

    n: int
    rows: Mapping[str, Row]
    skipped: Mapping[str, str]
    doubled: Fresh | None = None


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
    *("first call s", "peak MiB", "imports MiB", "how"),
)


def table(outcome: Outcome) -> str:
    """Return an outcome as aligned text.

    "x hpgrid" and "paired" say how many times slower than hpgrid a contender is, by the medians and
    by the median over rounds; "imports MiB" is the part of the peak that was there before the call.
    """
    lines = [_COLUMNS, *(_cells(name, row) for name, row in outcome.rows.items())]
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
    return "\n".join(lines)


def _peak_ratio(outcome: Outcome) -> float | None:
    """hpgrid's peak memory at 2n over that at n."""
    if outcome.doubled is None:
        return None
    return outcome.doubled.peak_mib / outcome.rows[HPGRID.name].first.peak_mib


# --- for a file ---


def record(outcomes: Mapping[str, Outcome], runs: int) -> dict[str, Any]:
    """Return all that was measured as plain data, by work."""
    made = made_with("float64")
    made["versions"] |= {package: _version(package) for package in ("torch", "numba")}
    return {
        "schema": SCHEMA,
        "benchmark": "grid_search",
        "bound": "Shulgin et al., eq. (4), C1 = C2 = C3 = 1",
        "expressions": {"numpy_printed": PRINTED, "numpy_factored": FACTORED},
        "runs": runs,
        "cpu": cpu(),
        **made,
        "works": {work: _plain(work, outcome) for work, outcome in outcomes.items()},
    }


def _plain(work: str, outcome: Outcome) -> dict[str, Any]:
    doubled = outcome.doubled
    return {
        "asks": WORKS[work],
        "n": outcome.n,
        "points": outcome.n**4,
        "contenders": {name: asdict(row) | {"first": row.first._asdict()} for name, row in outcome.rows.items()},
        "skipped": outcome.skipped,
        "doubled": doubled and {"n": 2 * outcome.n} | doubled._asdict() | {"peak_ratio": _peak_ratio(outcome)},
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
