"""What a claim is, how it is judged, and how claims are run.

A claim is a statement of a source and a function that measures it. The function returns readings; the
row's verdict is the worst of theirs.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from hpgrid.checks import bad, unknown
from hpgrid.readings import Reading, worst

#: The sources, by the name that --source takes.
SOURCES = {"shulgin2026": "Shulgin et al. (2026)", "cesista2025": "Cesista (2025)", "hpgrid": "hpgrid's own laws"}


@dataclass(frozen=True)
class Finding:
    """What measuring a claim gave: readings, and one line why."""

    readings: tuple[Reading, ...]
    note: str = ""

    @property
    def verdict(self) -> str:
        """The worst of the readings' verdicts."""
        return worst(self.readings)


@dataclass(frozen=True)
class Claim:
    """A statement of a source that a computation can test.

    Args:
        id: such as "S.eq7.b"; what stands before a dot names the family.
        number: where the source says it.
        statement: what it says, in a few words.
        measure: returns the finding.
        source: a key of ``SOURCES``.
    """

    id: str
    number: str
    statement: str
    measure: Callable[[], Finding]
    source: str = "shulgin2026"


@dataclass(frozen=True)
class Row:
    """A claim, what was found, and how many seconds that took."""

    claim: Claim
    finding: Finding
    seconds: float


def claim(
    id: str, number: str, statement: str, source: str = "shulgin2026"
) -> Callable[[Callable[[], Finding]], Claim]:
    """Return a decorator that makes a claim of the function that measures it."""
    return lambda measure: Claim(id, number, statement, measure, source)


def gather(*modules: object) -> tuple[Claim, ...]:
    """Return the claims that modules define, in the order in which they stand there."""
    return tuple(value for module in modules for value in vars(module).values() if isinstance(value, Claim))


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
            raise _unknown_id(one, claims)
    chosen = [c for c in claims if source in (None, c.source)]
    return tuple(c for c in chosen if not wanted or any(_is_under(c.id, one) for one in wanted))


def _is_under(id: str, family: str) -> bool:
    return id == family or id.startswith(f"{family}.")


def _unknown_id(given: str, claims: Sequence[Claim]) -> ValueError:
    """The error that names the nearest ids, not all of them: there are too many for one line."""
    from difflib import get_close_matches

    near = get_close_matches(given, [entry.id for entry in claims], n=3, cutoff=0.3)
    return bad("there is no claim of that id", given, f"{', '.join(near) or claims[0].id}; --list says which there are")


def run(claims: Sequence[Claim], advance: Callable[[], None] = lambda: None) -> tuple[Row, ...]:
    """Return a row for every claim, calling ``advance`` after each."""
    rows = []
    for entry in claims:
        started = time.perf_counter()
        finding = entry.measure()
        rows.append(Row(entry, finding, time.perf_counter() - started))
        advance()
    return tuple(rows)
