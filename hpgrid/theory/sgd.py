"""Section 3.1 and Appendix B.6: SGD, for comparison."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

#: The powers of b and of the budget in eta*, in tokens and in iterations. Source: Shulgin et al., B.6.
IN_TOKENS = {"b": Fraction(1), "T": Fraction(-1, 2)}
IN_ITERATIONS = {"b": Fraction(1, 2), "K": Fraction(-1, 2)}


def risk(T: ArrayLike, Delta0: float, L: float, sigma: float) -> Array:
    """Return (Delta0 L sigma^2/T)^(1/2), up to a constant, whatever the batch size. Source: Shulgin et al., B.6."""
    return np.sqrt(Delta0 * L * sigma**2 / np.asarray(T, float))


def risk_in_iterations(K: ArrayLike, b: ArrayLike, Delta0: float, L: float, sigma: float) -> Array:
    """Return (Delta0 L sigma^2/(b K))^(1/2), up to a constant. Source: Shulgin et al., B.6."""
    return np.sqrt(Delta0 * L * sigma**2 / (np.asarray(b, float) * np.asarray(K, float)))
