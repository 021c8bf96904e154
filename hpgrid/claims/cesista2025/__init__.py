"""Cesista (2025), claim by claim, in the order of the text; then the revised forms and what is said of them."""

from __future__ import annotations

from dataclasses import replace

from hpgrid.claims.ledger import Claim, gather


def claims() -> tuple[Claim, ...]:
    """Return the claims of the source."""
    from hpgrid.claims.cesista2025 import (
        appendix,
        critical_batch,
        decay,
        frank_wolfe,
        momentum,
        monte_carlo,
        revised,
        smoothness,
        star_convex,
        theorem8,
    )

    sections = (
        *(momentum, monte_carlo, theorem8, decay, critical_batch, appendix, smoothness),
        *(revised, star_convex, frank_wolfe),
    )
    return tuple(replace(one, source="cesista2025") for one in gather(*sections))
