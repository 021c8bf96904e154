"""A source's rows, measured once for all the tests of a file, and what is asked of every row."""

from __future__ import annotations

import math
import re
from functools import cache

import pytest

from hpgrid.claims import ledger
from hpgrid.claims.ledger import Claim, Row, run, select
from hpgrid.readings import HOLDS, VERDICTS

CLAIMS: dict[str, Claim] = {entry.id: entry for entry in ledger()}


@cache
def rows(source: str) -> dict[str, Row]:
    return {row.claim.id: row for row in run(select(ledger(), source=source))}


def verdict(id: str) -> str:
    """Return what the row came to, with right predictions."""
    return rows(CLAIMS[id].source)[id].finding.verdict


def remeasured(id: str) -> str:
    return CLAIMS[id].measure().verdict


def scale(monkeypatch: pytest.MonkeyPatch, module: object, form: str, factor: float) -> None:
    """Make a closed form, or each part of one, that many times as large."""
    right = getattr(module, form)

    def off(*args: object, **given: object) -> object:
        value = right(*args, **given)
        return type(value)(*(part * factor for part in value)) if isinstance(value, tuple) else value * factor

    monkeypatch.setattr(module, form, off)


def check_every_row(source: str) -> None:
    """Each claim is measured, and what does not hold says why."""
    found = rows(source)
    assert list(found) == [id for id, entry in CLAIMS.items() if entry.source == source]
    for id, row in found.items():
        assert row.finding.verdict in VERDICTS
        assert row.finding.readings, id
        assert not any(math.isnan(reading.measured) for reading in row.finding.readings), id
        assert "nan" not in row.finding.note, id
        assert row.finding.note or row.finding.verdict == HOLDS, id
        # Rows, or a family of them, that a note names.
        for other in re.findall(r"\b[SCLAH]\.[a-z]\w*(?:\.\w+)*", row.finding.note):
            assert select(ledger(), [other]), id
