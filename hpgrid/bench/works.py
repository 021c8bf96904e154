"""What the benchmark asks for: the searches, R1 to R4. Nothing heavy is imported here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

HYPERPARAMETERS = ("eta", "b", "alpha")


@dataclass(frozen=True)
class Work:
    """A search of the grid of eq. (4).

    Args:
        over: the axes that are minimised away, in canonical order; eta is always the first.
        asks: what it asks for, in words.
    """

    over: tuple[str, ...]
    asks: str

    @property
    def kept(self) -> tuple[str, ...]:
        """The hyperparameters that stay axes of the answer; T, the last axis, always does."""
        return tuple(name for name in HYPERPARAMETERS if name not in self.over)

    @property
    def order(self) -> tuple[str, ...]:
        """The hyperparameters, those that are minimised away first: a reshape then makes lines of them."""
        return self.over + self.kept


#: The searches, by name.
WORKS: Mapping[str, Work] = {
    "R1": Work(("eta", "b", "alpha"), "best (eta, b, alpha) for every T"),
    "R2": Work(("eta", "b"), "best (eta, b) for every (alpha, T)"),
    "R3": Work(("eta", "alpha"), "best (eta, alpha) for every (b, T)"),
    "R4": Work(("eta",), "best eta for every (b, alpha, T)"),
}

#: The work beside the searches: many constants, in ``hpgrid.bench.sweep``.
SWEEP = "sweep"
