"""Theorem 3: learning rate, batch size and momentum tuned together."""

from __future__ import annotations

from fractions import Fraction

#: d log / d log T of each optimum. Source: Shulgin et al., eq. (9).
EXPONENTS = {
    "risk": Fraction(-1, 4),
    "b": Fraction(1, 6),
    "alpha": Fraction(-1, 3),
    "eta": Fraction(-7, 12),
}

#: The combinations that the flat direction (1, 1, 1) leaves in place, and their exponents.
#: Source: Shulgin et al., eq. (8): alpha ~ b T^(-1/2), eta ~ b T^(-3/4).
IDENTIFIABLE = {("alpha", "b"): Fraction(-1, 2), ("eta", "b"): Fraction(-3, 4)}
