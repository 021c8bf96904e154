"""hpgrid's own rows: they hold, and a critical batch size or a level that is off fails."""

from __future__ import annotations

import pytest
from measured import CLAIMS, check_every_row, remeasured, rows, scale

from hpgrid.claims import own
from hpgrid.readings import FAILS, HOLDS
from hpgrid.theory import batch_sizes as theory

OWN = [id for id in CLAIMS if id.startswith("H.")]


def test_they_are_in_the_ledger_as_its_own() -> None:
    assert [id for id, entry in CLAIMS.items() if entry.source == "hpgrid"] == OWN


def test_every_claim_is_measured_and_what_does_not_hold_says_why() -> None:
    check_every_row("hpgrid")


@pytest.mark.parametrize("id", OWN)
def test_they_hold(id: str) -> None:
    assert rows("hpgrid")[id].finding.verdict == HOLDS


@pytest.mark.parametrize(
    ("id", "form"),
    [("H.critical.lmo", "lmo_tuned"), ("H.critical.lmo.eta", "lmo_fixed"), ("H.critical.star", "star_convex")],
)
def test_a_batch_size_that_is_off_by_a_millionth_fails(monkeypatch: pytest.MonkeyPatch, id: str, form: str) -> None:
    scale(monkeypatch, theory, form, 1 + 1e-6)
    assert remeasured(id) == FAILS


def test_a_share_or_a_level_that_is_off_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    from hpgrid.critical import critical_batch

    right = critical_batch.trivial_bounds
    monkeypatch.setattr(
        critical_batch, "trivial_bounds", lambda *a: tuple(one._replace(value=1.001 * one.value) for one in right(*a))
    )
    assert remeasured("H.critical.vacuous") == FAILS
    monkeypatch.setattr(own, "NEAR", (0.01,))
    monkeypatch.setattr(own.tokens, "near", lambda *a: (3.0 * 0.9, 3.0 * 1.11))
    assert remeasured("H.critical.near") == FAILS
