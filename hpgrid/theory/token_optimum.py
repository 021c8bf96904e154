"""Appendix B.3: the bound of eq. (11) minimised step by step, over eta, then b, then alpha.

Throughout, ``noise`` is rho sigma, and the curve is over b > 0: a minimiser below 1 is none.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike

from hpgrid.shapes import Floats as Array, Values

#: d log / d log T of each optimum. Source: Shulgin et al., eq. (23).
EXPONENTS = {"b": Fraction(1, 6), "K": Fraction(5, 6), "eta": Fraction(-7, 12), "alpha": Fraction(-1, 3)}

#: The powers of the constants in alpha* ~ (rho sigma)^(2/3)/(Delta0 L)^(1/3) T^(-1/3).
#: Source: Shulgin et al., eq. (22).
LEADING = {"Delta0": Fraction(-1, 3), "L": Fraction(-1, 3), "rho": Fraction(2, 3), "sigma": Fraction(2, 3)}

#: The rate (Delta0 L)^(1/4) (rho sigma)^(1/2) T^(-1/4). Source: Shulgin et al., after eq. (23).
RATE = {
    "Delta0": Fraction(1, 4),
    "L": Fraction(1, 4),
    "rho": Fraction(1, 2),
    "sigma": Fraction(1, 2),
    "T": Fraction(-1, 4),
}


def learning_rate(T: ArrayLike, b: ArrayLike, alpha: ArrayLike, Delta0: Values, L: Values) -> Array:
    """Return eta* = (b Delta0 / (T L (7/2 + 2/alpha)))^(1/2). Source: Shulgin et al., eq. (12)."""
    return np.sqrt(np.asarray(b) * Delta0 / (np.asarray(T) * L * _drift(alpha)))


def risk_of_batch(T: ArrayLike, b: ArrayLike, alpha: ArrayLike, Delta0: Values, L: Values, noise: Values) -> Array:
    """Return Phi_T(alpha, b), the bound with eta tuned. Source: Shulgin et al., eq. (13)."""
    T, b, alpha = (np.asarray(x, float) for x in (T, b, alpha))
    deterministic = 2 * np.sqrt(b * Delta0 * L / T * _drift(alpha))
    return deterministic + 2 * noise * np.sqrt(b) / (alpha * T) + 2 * noise * np.sqrt(alpha / b)


def split(T: ArrayLike, alpha: ArrayLike, Delta0: Values, L: Values, noise: Values) -> tuple[Array, Array]:
    """Return A_T and B of Phi_T = A_T s + B/s, s = b^(1/2). Source: Shulgin et al., eqs. (14), (15)."""
    T, alpha = np.asarray(T, float), np.asarray(alpha, float)
    rising = 2 * np.sqrt(Delta0 * L / T) * np.sqrt(_drift(alpha)) + 2 * noise / (alpha * T)
    return rising, 2 * noise * np.sqrt(alpha)


def batch_size(T: ArrayLike, alpha: ArrayLike, Delta0: Values, L: Values, noise: Values) -> Array:
    """Return b* = B/A_T at a momentum. Source: Shulgin et al., eq. (16)."""
    rising, falling = split(T, alpha, Delta0, L, noise)
    return falling / rising


def risk(T: ArrayLike, alpha: ArrayLike, Delta0: Values, L: Values, noise: Values) -> Array:
    """Return 2 (A_T B)^(1/2), eta and b tuned. Source: Shulgin et al., eq. (17)."""
    rising, falling = split(T, alpha, Delta0, L, noise)
    return 2 * np.sqrt(rising * falling)


def risk_simplified(T: ArrayLike, alpha: ArrayLike, Delta0: Values, L: Values, noise: Values) -> Array:
    """Return Psi_T(alpha) = 4 (noise (Delta0 L/T (7/2 alpha + 2))^(1/2) + noise^2/(T alpha^(1/2)))^(1/2).

    Source: Shulgin et al., eq. (18).
    """
    T, alpha = np.asarray(T, float), np.asarray(alpha, float)
    inner = noise * np.sqrt(Delta0 * L / T) * np.sqrt(3.5 * alpha + 2) + noise**2 / (T * np.sqrt(alpha))
    return 4 * np.sqrt(inner)


def stationarity(T: ArrayLike, alpha: ArrayLike, Delta0: Values, L: Values, noise: Values) -> Array:
    """Return the ratio of the two sides of g_T'(alpha) = 0; 1 at the optimum.

    Source: Shulgin et al., between eqs. (19) and (20).
    """
    T, alpha = np.asarray(T, float), np.asarray(alpha, float)
    return noise * np.sqrt(Delta0 * L / T) * 3.5 / np.sqrt(3.5 * alpha + 2) / (noise**2 / T * alpha**-1.5)


def cubic(Delta0: Values, L: Values, noise: Values) -> tuple[Values, Values, Values]:
    """Return A, B, C of A T alpha^3 - B alpha - C = 0. Source: Shulgin et al., eqs. (20), (21)."""
    return 3.5**2 * Delta0 * L, 3.5 * noise**2, 2 * noise**2


def momentum_complement(T: ArrayLike, Delta0: Values, L: Values, noise: Values) -> Array:
    """Return the positive root of the cubic. Source: Shulgin et al., eq. (20).

    With alpha = u T^(-1/3): A u^3 - B T^(-1/3) u - C = 0. The cubic is convex for u > 0, so that
    Newton's steps from above the root fall onto it.
    """
    # In units of T^(-1/3) the root is of order 1 at every budget: T = 1e60 neither under- nor overflows.
    A, B, C = cubic(Delta0, L, noise)
    slope = B * np.asarray(T, float) ** (-1 / 3)
    u = np.cbrt(2 * C / A) + np.sqrt(2 * slope / A)
    # Each step doubles the digits once near the root: a dozen would do, and 60 cost nothing.
    for _ in range(60):
        u = (2 * A * u**3 + C) / (3 * A * u**2 - slope)
    return u * np.asarray(T, float) ** (-1 / 3)


def leading(Delta0: Values, L: Values, noise: Values) -> float:
    """Return u0 = 2/7^(2/3) noise^(2/3)/(Delta0 L)^(1/3) of alpha* ~ u0 T^(-1/3). Source: Shulgin et al., eq. (22)."""
    return float(2 / 7 ** (2 / 3) * noise ** (2 / 3) / (Delta0 * L) ** (1 / 3))


def correction(Delta0: Values, L: Values, noise: Values) -> float:
    """Return u1 = B/(3 A^(2/3) C^(1/3)) of alpha* = u0 T^(-1/3) + u1 T^(-2/3) + O(T^-1).

    Source: Shulgin et al., after eq. (22).
    """
    A, B, C = cubic(Delta0, L, noise)
    return float(B / (3 * A ** (2 / 3) * C ** (1 / 3)))


def _drift(alpha: ArrayLike) -> Array:
    return 3.5 + 2 / np.asarray(alpha, float)
