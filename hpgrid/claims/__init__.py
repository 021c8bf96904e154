"""The ledger: what a source says, what was measured, and the verdict."""

from __future__ import annotations

from hpgrid.claims.ledger import Claim, gather


def ledger() -> tuple[Claim, ...]:
    """Return every claim of every source."""
    from hpgrid.claims import atlas, cesista2025, own, shulgin2026

    return (*shulgin2026.claims(), *cesista2025.claims(), *atlas.claims(), *gather(own))
