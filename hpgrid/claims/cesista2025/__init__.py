"""Cesista (2025), claim by claim, in the order of the text; then the revised forms and what is said of them."""

from __future__ import annotations

from dataclasses import replace

from hpgrid.claims.ledger import Claim, gather


def claims() -> tuple[Claim, ...]:
    """Return the claims of the source."""
    from hpgrid.claims.cesista2025 import appendix_a, convergence, literature, moments, theorem12

    found = gather(moments, convergence, theorem12, appendix_a, literature)
    return tuple(replace(one, source="cesista2025") for one in found)
