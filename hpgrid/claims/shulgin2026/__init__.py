"""Shulgin et al. (2026), claim by claim, in the order of the paper."""

from __future__ import annotations

from hpgrid.claims.ledger import Claim, gather


def claims() -> tuple[Claim, ...]:
    """Return the claims of the paper, in its order; last what its methods themselves do."""
    from hpgrid.claims.shulgin2026 import (
        appendix_b,
        appendix_c,
        appendix_d,
        corollaries,
        discussion,
        simulated,
        theorems,
    )

    return gather(theorems, corollaries, discussion, appendix_b, appendix_c, appendix_d, simulated)
