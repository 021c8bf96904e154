"""What a claim is, how it is judged, and how claims are run.

A claim is a statement of a source and a function that measures it. The function returns readings; the
row's verdict is the worst of theirs. The ledger is read as a table in plain text, as Markdown, and as plain data.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from fractions import Fraction
from functools import partial
from typing import Any

from hpgrid.answer import Answer, Table
from hpgrid.checks import bad, shortened, unknown
from hpgrid.readings import HOLDS, VERDICTS, Number, Reading, worst
from hpgrid.text import columns, counted, exponent_text

#: The sources, by the name that --source takes.
SOURCES = {
    "shulgin2026": "Shulgin et al. (2026)",
    "cesista2025": "Cesista (2025)",
    "cesista_later": "Cesista, later: revised forms, and the laws of steepest-descent-lean",
    "atlas": "Other sources: what they say of the bounds that hpgrid bounds lists",
    "hpgrid": "hpgrid's own, which no source states",
}

#: Whose a claim is, by the letter that its id begins with.
INITIALS = dict(zip("SCLAH", SOURCES))


@dataclass(frozen=True)
class Finding:
    """What measuring a claim gave: readings, and one line why."""

    readings: tuple[Reading, ...]
    note: str = ""

    @property
    def verdict(self) -> str:
        """The worst of the readings' verdicts."""
        return worst(self.readings)


#: What a function that measures a claim gives: readings, and perhaps a line that says why.
Measured = Iterable[Reading | str]


@dataclass(frozen=True)
class Claim:
    """A statement of a source that a computation can test."""

    id: str  # such as "S.eq7.b"; what stands before a dot names the family, the first letter the source
    number: str  # where the source says it
    statement: str  # what it says, in a few words
    measured: Callable[[], Measured]  # gives the readings

    def measure(self) -> Finding:
        """Return what was found."""
        parts = tuple(self.measured())
        readings = tuple(part for part in parts if isinstance(part, Reading))
        return Finding(readings, "".join(part for part in parts if isinstance(part, str)))

    @property
    def source(self) -> str:
        """Whose it is: a key of ``SOURCES``."""
        return INITIALS[self.id[0]]


@dataclass(frozen=True)
class Row:
    """A claim, what was found, and how many seconds that took."""

    claim: Claim
    finding: Finding
    seconds: float


def claim(id: str, number: str, statement: str) -> Callable[[Callable[[], Measured]], Claim]:
    """Return a decorator that makes a claim of the function that measures it."""
    return lambda measured: Claim(id, number, statement, measured)


def claims(*rows: tuple[Any, ...]) -> Callable[[Callable[..., Measured]], tuple[Claim, ...]]:
    """Return a decorator that makes several claims of the function that measures them all.

    Args:
        rows: of each claim its id, number and statement, and then the function's arguments.
    """
    return lambda measured: tuple(Claim(id, at, says, partial(measured, *given)) for id, at, says, *given in rows)


def gather(*modules: object) -> tuple[Claim, ...]:
    """Return the claims that modules define, one by one or in tuples, in the order in which they stand there."""
    values = (value for module in modules for value in vars(module).values())
    groups = (value if isinstance(value, tuple) else (value,) for value in values)
    return tuple(one for group in groups for one in group if isinstance(one, Claim))


def select(claims: Sequence[Claim], ids: Iterable[str] = (), source: str | None = None) -> tuple[Claim, ...]:
    """Return the claims that were asked for, in the ledger's order.

    Args:
        claims: the ledger.
        ids: ids, or families: "S.eq7" is S.eq7.b and the others under it. None is all.
        source: a key of ``SOURCES``.

    Raises:
        ValueError: an id or a source that does not exist, or none left.
    """
    if source is not None and source not in SOURCES:
        raise unknown("source", source, SOURCES)
    wanted = tuple(ids)
    for one in wanted:
        if not any(_is_under(entry.id, one) for entry in claims):
            # The nearest ids, not all of them: there are too many for one line.
            near = get_close_matches(one, [entry.id for entry in claims], n=3, cutoff=0.3)
            instead = f"{', '.join(near) or claims[0].id}; --list says which there are"
            raise bad("there is no claim of that id", one, instead)
    under = [c for c in claims if not wanted or any(_is_under(c.id, one) for one in wanted)]
    chosen = tuple(c for c in under if source in (None, c.source))
    if not chosen:
        theirs = ", ".join(dict.fromkeys(c.source for c in under))
        raise bad(
            f"none of these claims is of the source {source}", ",".join(wanted), f"--source {theirs}, or no source"
        )
    return chosen


def _is_under(id: str, family: str) -> bool:
    return id == family or id.startswith(f"{family}.")


def run(claims: Sequence[Claim], advance: Callable[[], None] = lambda: None) -> tuple[Row, ...]:
    """Return a row for every claim, calling ``advance`` after each."""
    rows = []
    for entry in claims:
        started = time.perf_counter()
        finding = entry.measure()
        rows.append(Row(entry, finding, time.perf_counter() - started))
        advance()
    return tuple(rows)


#: How many claims that do not hold an answer names.
_SHOWN = 6

HEADINGS = ("route", "what", "measured", "predicted", "tolerance", "verdict")


def answer(rows: Sequence[Row]) -> Answer:
    """Return how many claims hold, by source, and what does not; in details every reading.

    Of a route's readings it shows the first of the worst verdict, and says how many more there are.
    """
    readings: list[tuple[str, ...]] = [HEADINGS]
    for row in rows:
        readings.append((f"{row.claim.id}, {row.claim.number}: {row.claim.statement}",))
        for route in dict.fromkeys(reading.route for reading in row.finding.readings):
            here = [reading for reading in row.finding.readings if reading.route == route]
            reading = max(here, key=lambda each: VERDICTS.index(each.verdict))
            more = f" and {len(here) - 1} more" if len(here) > 1 else ""
            _, what, *numbers = _cells(reading)
            readings.append((f"  {route}", what + more, *numbers, reading.verdict))
    verdicts = [verdict for verdict in VERDICTS if any(row.finding.verdict == verdict for row in rows)]
    counts = Counter((row.claim.source, row.finding.verdict) for row in rows)
    own = {row.claim.source for row in rows}
    sources = {source: says.partition(":")[0] for source, says in SOURCES.items() if source in own}
    by_source = [("source", *verdicts)]
    by_source += [(says, *(str(counts[source, v]) for v in verdicts)) for source, says in sources.items()]
    worst_first = sorted(_not_holding(rows), key=lambda row: -VERDICTS.index(row.finding.verdict))
    notes = [f"{r.claim.id} {r.finding.verdict}: {r.finding.note or r.claim.statement}" for r in worst_first]
    # As many as leave the answer on one screen, each at most two lines.
    few = [shortened(line, 2 * columns() - 10) for line in notes[:_SHOWN]]
    few += [f"and {len(notes) - _SHOWN} more that do not hold"] * (len(notes) > _SHOWN)
    adds = "every reading" + (", and why what does not hold does not" if notes else "")
    table = Table(readings, wrap=("what",), drop=("tolerance", "predicted"))
    return Answer([f"{summary(rows)}."], [[Table(by_source)], few], [[table], notes], adds)


def summary(rows: Sequence[Row]) -> str:
    """Return how many rows there are, and of which verdict."""
    counts = Counter(row.finding.verdict for row in rows)
    return f"{counted(len(rows), 'claim')}: " + ", ".join(f"{counts[v]} {v}" for v in VERDICTS if counts[v])


def markdown(rows: Sequence[Row], made: str) -> str:
    """Return the ledger as a Markdown page.

    Args:
        rows: the rows.
        made: how the page was made: the command, versions.
    """
    parts = ["# The ledger of claims", "", made, "", f"{summary(rows)}.", "", *_LEGEND]
    for source, title in SOURCES.items():
        own = [row for row in rows if row.claim.source == source]
        if own:
            parts += ["", f"## {title}: what does not hold", ""]
            parts += [_markdown_item(row) for row in _not_holding(own)] or ["- nothing"]
            parts += ["", f"## {title}: every claim", "", "| id | where | statement | readings | verdict | why |"]
            parts += ["|---|---|---|---|---|---|", *map(_markdown_row, own)]
    return "\n".join(parts) + "\n"


_LEGEND = (
    "A row is a statement of the source. A reading is what one route measured, and in brackets what is predicted,",
    "with its derived tolerance. Routes: *grid* (brute force), *refined* (the continuous optimum and its local",
    "exponents), *exact* (rational exponents and whole laws), *arithmetic* (the source's own formulas and numbers",
    "against each other), *sampled* (seeded draws). A log ratio is the largest of measured over predicted. The verdict",
    "of a row is the worst of its readings': *holds*, *vacuous* (true, but it says nothing), *not identifiable* (the",
    "measurement can't tell), *fails*. A misprint may be the source's, or of its text at hand.",
)


def _markdown_item(row: Row) -> str:
    statement, note = _escaped(row.claim.statement), _escaped(row.finding.note)
    return f'- **{row.claim.id}**, {row.claim.number}: "{statement}": **{row.finding.verdict}**; {note}'


def _markdown_row(row: Row) -> str:
    readings = []
    for route, what, measured, predicted, tolerance in map(_cells, row.finding.readings):
        within = f" ± {tolerance}" if tolerance != "0" else ""
        readings.append(_escaped(f"{route}, {what}: {measured} ({predicted}{within})"))
    words = [_escaped(text) for text in (row.claim.id, row.claim.number, row.claim.statement)]
    verdict = row.finding.verdict if row.finding.verdict == HOLDS else f"**{row.finding.verdict}**"
    return "| " + " | ".join((*words, "<br>".join(readings), verdict, _escaped(row.finding.note))) + " |"


def _escaped(text: str) -> str:
    """Text in which an optimum's star, a tilde and a bar stand for themselves."""
    return "".join(f"\\{mark}" if mark in "*~|" else mark for mark in text)


def _cells(reading: Reading) -> tuple[str, ...]:
    relation = "" if reading.relation == "=" else f"{reading.relation} "
    predicted = f"{relation}{shown(reading.predicted)}"
    measured = shown(reading.measured, reading.tolerance)
    return reading.route, reading.what, measured, predicted, f"{reading.tolerance:.2g}"


def shown(number: Number, tolerance: float = 0.0) -> str:
    """Return a number as it is printed: yes or no, a fraction as it is, a float to six digits.

    What its tolerance can't tell is left out, a hundredth of it, and all of it where it is of rounding: that is a
    processor's, not a finding.
    """
    if isinstance(number, bool):
        return "yes" if number else "no"
    if isinstance(number, Fraction):
        return exponent_text(number)
    if 0 < tolerance < math.inf and math.isfinite(number):
        decades = math.log10(tolerance)
        number = round(number, 2 - math.floor(decades) if decades > -12 else -math.ceil(decades)) + 0.0  # no -0
    return "nothing" if math.isnan(number) else f"{number:.6g}"


def as_dict(rows: Sequence[Row], made_with: dict[str, Any]) -> dict[str, Any]:
    """Return the ledger as plain data; fractions are text."""
    fields = ("what", "route", "measured", "relation", "predicted", "tolerance", "verdict")
    entries = [
        {
            "id": row.claim.id,
            "source": row.claim.source,
            "number": row.claim.number,
            "statement": row.claim.statement,
            "verdict": row.finding.verdict,
            "note": row.finding.note,
            "seconds": round(row.seconds, 3),
            "readings": [{name: getattr(reading, name) for name in fields} for reading in row.finding.readings],
        }
        for row in rows
    ]
    return {"made_with": made_with, "summary": dict(Counter(row.finding.verdict for row in rows)), "rows": entries}


def _not_holding(rows: Sequence[Row]) -> list[Row]:
    """The claims that do not hold, in the ledger's order."""
    return [row for row in rows if row.finding.verdict != HOLDS]
