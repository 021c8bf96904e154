"""hpgrid's own rows of the critical batch size: they hold, and a law that is off fails."""

from __future__ import annotations

import pytest

from hpgrid.claims import critical, ledger
from hpgrid.claims.ledger import FAILS, HOLDS, Claim, gather
from hpgrid.theory import critical_batch as theory

CLAIMS: dict[str, Claim] = {entry.id: entry for entry in gather(critical)}


def test_they_are_in_the_ledger_as_its_own() -> None:
    assert {entry.id for entry in ledger() if entry.id.startswith("H.critical")} == set(CLAIMS)
    assert {entry.source for entry in CLAIMS.values()} == {"hpgrid"}


@pytest.mark.parametrize("id", CLAIMS)
def test_they_hold(id: str) -> None:
    assert CLAIMS[id].measure().verdict == HOLDS


@pytest.mark.parametrize(
    ("id", "form"),
    [("H.critical.lmo", "lmo_tuned"), ("H.critical.lmo.eta", "lmo_fixed"), ("H.critical.star", "star_convex")],
)
def test_a_batch_size_that_is_off_by_a_millionth_fails(monkeypatch: pytest.MonkeyPatch, id: str, form: str) -> None:
    right = getattr(theory, form)
    monkeypatch.setattr(theory, form, lambda *given: right(*given) * (1 + 1e-6))
    assert CLAIMS[id].measure().verdict == FAILS


def test_a_share_or_a_level_that_is_off_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    from hpgrid.critical import trivial

    right = trivial.levels
    monkeypatch.setattr(trivial, "levels", lambda *a: tuple(one._replace(value=1.001 * one.value) for one in right(*a)))
    assert CLAIMS["H.critical.vacuous"].measure().verdict == FAILS
    monkeypatch.setattr(critical, "NEAR", (0.01,))
    monkeypatch.setattr(critical.solve, "near", lambda *a: (3.0 * 0.9, 3.0 * 1.11))
    assert CLAIMS["H.critical.near"].measure().verdict == FAILS
