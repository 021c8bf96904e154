"""hpgrid's own rows: they hold or can't tell, and a number that is off fails."""

from __future__ import annotations

from dataclasses import replace

import pytest
from measured import CLAIMS, check_every_row, remeasured, rows, scale

from hpgrid import newton_schulz
from hpgrid.bounds import cesista2025, lemmas
from hpgrid.claims import own
from hpgrid.readings import FAILS, HOLDS, UNIDENTIFIABLE
from hpgrid.theory import batch_sizes as theory

OWN = [id for id in CLAIMS if id.startswith("H.")]


def test_they_are_in_the_ledger_as_its_own() -> None:
    assert [id for id, entry in CLAIMS.items() if entry.source == "hpgrid"] == OWN


def test_every_claim_is_measured_and_what_does_not_hold_says_why() -> None:
    check_every_row("hpgrid")


@pytest.mark.parametrize("id", OWN)
def test_they_hold_but_for_what_simulated_methods_cannot_tell(id: str) -> None:
    unclear = ("H.mc.eta.b", "H.mc.alpha", "H.mc.eta")
    assert rows("hpgrid")[id].finding.verdict == (UNIDENTIFIABLE if id in unclear else HOLDS)


@pytest.mark.parametrize(
    ("id", "module", "form", "factor"),
    [
        ("H.critical.lmo", theory, "lmo_tuned", 1 + 1e-6),
        ("H.critical.lmo.eta", theory, "lmo_fixed", 1 + 1e-6),
        ("H.critical.star", theory, "star_convex", 1 + 1e-6),
        ("H.cor7.tight", lemmas, "mean_nesterov_error", 1 + 1e-6),
        ("H.thm8.floor", cesista2025, "parts", 1 + 1e-6),
    ],
)
def test_a_number_that_is_off_fails(
    monkeypatch: pytest.MonkeyPatch, id: str, module: object, form: str, factor: float
) -> None:
    scale(monkeypatch, module, form, factor)
    assert remeasured(id) == FAILS


def test_a_quintic_that_is_off_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(newton_schulz, "QUINTIC", (3.4445, -4.7750, 2.0315 * (1 + 1e-6)))
    assert remeasured("H.muon") == FAILS


def test_what_the_scaling_symmetry_the_half_life_and_the_tolerance_rest_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Eq. (4) with C2 in its drift too; a momentum that falls with b^(1/2); half of the error."""
    lmo = own.bounds.lmo
    monkeypatch.setattr(own.bounds, "lmo", lambda C1=1.0, C2=1.0, C3=1.0: lmo(C1=C1, C2=C2, C3=C3 * C2**0.1))
    assert remeasured("H.scaling") == FAILS
    right, fit = own.value, own.fit_slope
    monkeypatch.setattr(own, "value", lambda found, name: right(found, name) ** 0.99)
    assert remeasured("H.halflife") == FAILS
    monkeypatch.setattr(own, "fit_slope", lambda *args, **given: replace(fit(*args, **given), error=1e-3))
    assert remeasured("H.tolerance") == FAILS


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
