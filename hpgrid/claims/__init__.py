"""The ledger: what a source says, what was measured, and the verdict."""

from __future__ import annotations

from importlib import import_module

from hpgrid.claims.ledger import Claim, gather

#: Where claims stand, in the ledger's order: a package a source, a file a section of its text; last hpgrid's own.
_MODULES = (
    *(f"shulgin2026.{name}" for name in ("theorems", "corollaries", "discussion")),
    *(f"shulgin2026.{name}" for name in ("appendix_b", "appendix_c", "appendix_d", "simulated")),
    *(f"cesista2025.{name}" for name in ("moments", "convergence", "theorem12", "appendix_a", "later")),
    *(f"atlas.{name}" for name in ("sums", "plateaus", "logarithms")),
    "own",
)


def ledger(package: str = "") -> tuple[Claim, ...]:
    """Return every claim of every source, or those that stand in one package."""
    return gather(*(import_module(f"hpgrid.claims.{name}") for name in _MODULES if name.startswith(package)))
