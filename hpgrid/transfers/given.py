"""What a transfer starts from, where it goes, and what is feasible there."""

from __future__ import annotations

from typing import NamedTuple


class Setting(NamedTuple):
    """Hyperparameters at a token budget; None where one was not given.

    Attributes:
        T: the token budget, >= 1.
        eta: the learning rate, > 0.
        b: the batch size in tokens, >= 1.
        alpha: the momentum complement 1 - beta, in (0, 1].
    """

    T: float
    eta: float | None = None
    b: float | None = None
    alpha: float | None = None

    @property
    def beta(self) -> float | None:
        """1 - alpha, to read; compute with alpha."""
        return None if self.alpha is None else 1 - self.alpha

    @property
    def K(self) -> float | None:
        """The number of iterations T/b."""
        return None if self.b is None else self.T / self.b


class Limits(NamedTuple):
    """What is feasible at the new budget.

    Attributes:
        b: the largest batch size in tokens, or None.
        eta: the largest learning rate, or None.
        round_b: "pow2", "int", or a whole number of which b is a multiple, in units of ``unit``; None rounds nothing.
        unit: tokens in one unit of the batch size: the sequence length, or 1.
    """

    b: float | None = None
    eta: float | None = None
    round_b: str | int | None = None
    unit: int = 1
