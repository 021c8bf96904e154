"""Shulgin et al. (2026), claim by claim, in the order of the paper."""

from __future__ import annotations

from hpgrid.claims.ledger import Claim, gather


def claims() -> tuple[Claim, ...]:
    """Return the claims of the paper."""
    from hpgrid.claims.shulgin2026 import (
        batch_caps,
        contours,
        corollaries,
        discussion,
        figures,
        monte_carlo,
        noise,
        optimum,
        panels,
        paths,
        proxies,
        schedules,
        sgd,
        theorem1,
        theorem2,
        theorem3,
        transfer,
    )

    sections = (
        *(proxies, theorem1, theorem2, theorem3, corollaries, batch_caps),  # sections 2 and 3, with their proofs
        *(discussion, transfer, optimum, schedules, sgd),  # section 4, appendices A and B
        *(noise, paths, contours, panels, figures),  # appendices C and D
        monte_carlo,  # sections 2 and 3, by the methods themselves
    )
    return gather(*sections)
