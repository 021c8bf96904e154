"""Appendix B.4: what a batch size capped by hardware costs, and when it binds."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

#: How the budget up to which a cap leaves the optimum as it is grows with the cap: T <~ b_max^2 at a
#: fixed momentum (regime C), b_max^6 with a tuned one (regime D). Source: Shulgin et al., Appendix B.4 (3).
REACHED = {"C": Fraction(2), "D": Fraction(6)}

#: The powers in the floor C2 alpha^(1/2)/b_max^(1/2). Source: Shulgin et al., Corollary 1.2.
FLOOR = {"C2": Fraction(1), "alpha": Fraction(1, 2), "b_max": Fraction(-1, 2)}

#: The largest gain from another momentum, in risk and in tokens. Source: Shulgin et al., Corollary 1.1, B.4.
LARGEST_GAIN = 2**0.25
LARGEST_TOKEN_GAIN = 2.0


def risk(T: ArrayLike, b_max: float, alpha: float, C1: ArrayLike, C2: ArrayLike, C3: ArrayLike) -> Array:
    """Return 2 (C1 C3~ b_max/T)^(1/2) + C2~/b_max^(1/2), eta tuned. Source: Shulgin et al., Appendix B.4 (2)."""
    product = np.multiply(C1, C3) * (1 + 1 / alpha)
    return 2 * np.sqrt(product * b_max / np.asarray(T, float)) + floor(b_max, alpha, C2)


def floor(b_max: float, alpha: float, C2: ArrayLike) -> Array:
    """Return C2 alpha^(1/2)/b_max^(1/2), which the risk never falls below. Source: Shulgin et al., Corollary 1.2."""
    return np.asarray(C2) * np.sqrt(alpha) / np.sqrt(b_max)
