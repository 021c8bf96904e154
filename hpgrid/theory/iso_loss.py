"""Appendix D: what a target risk asks of batch size and iterations at a fixed momentum."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike, NDArray

#: d log b / d log K of the near-optimal batch size once the burn-in is over: the noise C_floor/b^(1/2)
#: is a given share of the rest, C_det/K^(1/2), along b ~ K. Source: Shulgin et al., Appendix D.
NEAR_OPTIMAL_EXPONENT = Fraction(1)


def risk(K: ArrayLike, b: ArrayLike, alpha: float, C1: float, C2: float, C3: float) -> NDArray[np.float64]:
    """Return u_eta(b, K) = C_det/K^(1/2) + C_burn/(K b^(1/2)) + C_floor/b^(1/2), eta tuned.

    C_det = 2 (C1 C3 (1 + 1/alpha))^(1/2), C_burn = C2/alpha, C_floor = C2 alpha^(1/2).

    Source: Shulgin et al., Appendix D, with eq. (3)'s C3 (1 + 1/alpha) for L (7/2 + 2/alpha).
    """
    deterministic, burn, floor = _coefficients(alpha, C1, C2, C3)
    K, root_b = np.asarray(K, float), np.sqrt(b)
    return deterministic / np.sqrt(K) + burn / (K * root_b) + floor / root_b


def batch_size(K: ArrayLike, level: float, alpha: float, C1: float, C2: float, C3: float) -> NDArray[np.float64]:
    """Return the batch size at which K iterations reach a risk; +inf where no batch size does.

    The hyperbola (c K^(1/2) - C_det) (c b^(1/2) - C_floor - C_burn/K) = C_det (C_floor + C_burn/K).

    Source: Shulgin et al., Appendix D.
    """
    deterministic, burn, floor = _coefficients(alpha, C1, C2, C3)
    K = np.asarray(K, float)
    left = level - deterministic / np.sqrt(K)
    with np.errstate(divide="ignore"):
        root_b = np.where(left > 0, (floor + burn / K) / np.where(left > 0, left, 1.0), np.inf)
    return root_b**2


def least_iterations(level: float, alpha: float, C1: float, C3: float) -> float:
    """Return K_min = (C_det/c)^2, below which no batch size reaches the risk c."""
    return float((_coefficients(alpha, C1, 1.0, C3)[0] / level) ** 2)


def least_batch_size(level: float, alpha: float, C2: float) -> float:
    """Return b_min = (C_floor/c)^2, below which no number of iterations reaches the risk c."""
    return float((C2 * np.sqrt(alpha) / level) ** 2)


def _coefficients(alpha: float, C1: float, C2: float, C3: float) -> tuple[float, float, float]:
    return 2 * float(np.sqrt(C1 * C3 * (1 + 1 / alpha))), C2 / alpha, C2 * float(np.sqrt(alpha))
