"""Appendix D: what a target risk asks of batch size and iterations at a fixed momentum, eta tuned.

The source has it for eq. (11); eq. (3) has C3 (1 + 1/alpha) in place of L (7/2 + 2/alpha), and so other parts.
"""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from hpgrid.shapes import Floats as Array

#: d log b / d log K of the near-optimal batch size once the burn-in is over: the noise C_floor/b^(1/2)
#: is a given share of the rest, C_det/K^(1/2), along b ~ K. Source: Shulgin et al., Appendix D.
NEAR_OPTIMAL_EXPONENT = Fraction(1)


class TunedRisk(NamedTuple):
    """C_det, C_burn and C_floor of u = C_det/K^(1/2) + C_burn/(K b^(1/2)) + C_floor/b^(1/2)."""

    deterministic: float
    burn_in: float
    floor: float


def of_proxy(alpha: float, C1: float, C2: float, C3: float) -> TunedRisk:
    """Return the parts of eq. (3): 2 (C1 C3 (1 + 1/alpha))^(1/2), C2/alpha, C2 alpha^(1/2)."""
    return TunedRisk(2 * float(np.sqrt(C1 * C3 * (1 + 1 / alpha))), C2 / alpha, C2 * float(np.sqrt(alpha)))


def of_bound(alpha: float, Delta0: float, L: float, noise: float) -> TunedRisk:
    """Return the parts of eq. (11), noise = rho sigma. Source: Shulgin et al., Appendix D."""
    deterministic = 2 * float(np.sqrt(Delta0 * L * (3.5 + 2 / alpha)))
    return TunedRisk(deterministic, 2 * noise / alpha, 2 * noise * float(np.sqrt(alpha)))


def risk(K: ArrayLike, b: ArrayLike, of: TunedRisk) -> Array:
    """Return u_eta(b, K). Source: Shulgin et al., Appendix D."""
    K, root_b = np.asarray(K, float), np.sqrt(b)
    return of.deterministic / np.sqrt(K) + of.burn_in / (K * root_b) + of.floor / root_b


def batch_size(K: ArrayLike, target: float, of: TunedRisk) -> Array:
    """Return the batch size at which K iterations reach a risk; +inf where no batch size does.

    Source: the hyperbola of Shulgin et al., Appendix D, solved for b.
    """
    K = np.asarray(K, float)
    # Below K_min nothing is left for the noise at any batch size; the division is then by 1 and unused.
    left = target - of.deterministic / np.sqrt(K)
    with np.errstate(divide="ignore"):
        root_b = np.where(left > 0, (of.floor + of.burn_in / K) / np.where(left > 0, left, 1.0), np.inf)
    return root_b**2


def hyperbola(K: ArrayLike, b: ArrayLike, target: float, of: TunedRisk) -> tuple[Array, Array]:
    """Return the two sides of (c K^(1/2) - C_det)(c b^(1/2) - F) = C_det F, F = C_floor + C_burn/K.

    Source: Shulgin et al., Appendix D.
    """
    noise = of.floor + of.burn_in / np.asarray(K, float)
    left = (target * np.sqrt(K) - of.deterministic) * (target * np.sqrt(b) - noise)
    return left, of.deterministic * noise


def minimum_iterations(target: float, of: TunedRisk) -> float:
    """Return K_min = (C_det/c)^2, below which no batch size reaches the risk c."""
    return (of.deterministic / target) ** 2


def minimum_batch_size(target: float, of: TunedRisk) -> float:
    """Return b_min = (C_floor/c)^2, below which no number of iterations reaches the risk c."""
    return (of.floor / target) ** 2
