"""Appendix D's three regimes on the bound of eq. (11), with its own constants.

``iso_loss`` has the same for eq. (3)'s C1, C2, C3, which Figure 4 shows.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


class Parts(NamedTuple):
    """C_det, C_burn and C_floor of u = C_det/K^(1/2) + C_burn/(K b^(1/2)) + C_floor/b^(1/2)."""

    deterministic: float
    burn_in: float
    floor: float


def parts(alpha: float, Delta0: float, L: float, noise: float) -> Parts:
    """Return the three coefficients, noise = rho sigma. Source: Shulgin et al., Appendix D."""
    deterministic = 2 * np.sqrt(Delta0 * L * (3.5 + 2 / alpha))
    return Parts(float(deterministic), 2 * noise / alpha, float(2 * noise * np.sqrt(alpha)))


def risk(K: ArrayLike, b: ArrayLike, of: Parts) -> Array:
    """Return u_eta(b, K). Source: Shulgin et al., Appendix D."""
    K, root = np.asarray(K, float), np.sqrt(b)
    return of.deterministic / np.sqrt(K) + of.burn_in / (K * root) + of.floor / root


def least_iterations(level: float, of: Parts) -> float:
    """Return K_min = (C_det/c)^2, for b to infinity. Source: Shulgin et al., Appendix D."""
    return (of.deterministic / level) ** 2


def least_batch_size(level: float, of: Parts) -> float:
    """Return b_min = (C_floor/c)^2, for K to infinity. Source: Shulgin et al., Appendix D."""
    return (of.floor / level) ** 2


def hyperbola(K: ArrayLike, b: ArrayLike, level: float, of: Parts) -> tuple[Array, Array]:
    """Return the two sides of (c K^(1/2) - C_det)(c b^(1/2) - F) = C_det F, F = C_floor + C_burn/K.

    Source: Shulgin et al., Appendix D.
    """
    noise = of.floor + of.burn_in / np.asarray(K, float)
    left = (level * np.sqrt(K) - of.deterministic) * (level * np.sqrt(b) - noise)
    return left, of.deterministic * noise
