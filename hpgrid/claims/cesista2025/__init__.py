"""Cesista (2025), claim by claim, in the order of the text; then the revised forms and what is said of them."""

from __future__ import annotations

from hpgrid.claims.ledger import Claim, gather


def claims() -> tuple[Claim, ...]:
    """Return the claims of the source and of its author's later ones, and hpgrid's own about them."""
    from hpgrid.claims.cesista2025 import appendix_a, convergence, later, moments, theorem12

    return gather(moments, convergence, theorem12, appendix_a, later)
