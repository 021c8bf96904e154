"""The atlas of bounds: what their sources say of them, measured, and hpgrid's own about them."""

from __future__ import annotations

from hpgrid.claims.ledger import Claim, gather


def claims() -> tuple[Claim, ...]:
    """Return the claims of the sources, and hpgrid's own."""
    from hpgrid.claims.atlas import logarithms, plateaus, sums

    return gather(sums, plateaus, logarithms)
