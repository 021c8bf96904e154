"""Theorems 1 and 2 at a fixed number of iterations: Appendices B.1 and B.2 as they are printed, in K."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

#: A constant, or an array of its values.
Values = float | Array

#: d log eta* / d log K at a fixed momentum. Source: Shulgin et al., eq. (6).
FIXED_MOMENTUM_ETA = Fraction(-1, 2)

#: The powers of K and b in each optimum at a fixed batch size. Source: Shulgin et al., Appendix B.2.
FIXED_BATCH = {
    "alpha": {"K": Fraction(-1, 2), "b": Fraction(1, 2)},
    "eta": {"K": Fraction(-3, 4), "b": Fraction(1, 4)},
    "risk": {"K": Fraction(-1, 4), "b": Fraction(-1, 4)},
}

#: The powers of K and b in the two terms that the leading proxy drops, at its optimum: the burn-in
#: term and C3 eta. Source: Shulgin et al., Appendix B.2, its last paragraph.
DROPPED = {
    "burn_in": {"K": Fraction(-1, 2), "b": Fraction(-1)},
    "drift": {"K": Fraction(-3, 4), "b": Fraction(1, 4)},
}


def learning_rate(K: ArrayLike, alpha: float, C1: Values, C3: Values) -> Array:
    """Return eta* = (C1/(C3~ K))^(1/2), C3~ = C3 (1 + 1/alpha). Source: Shulgin et al., Appendix B.1."""
    return np.sqrt(C1 / (C3 * (1 + 1 / alpha) * np.asarray(K, float)))


def risk(K: ArrayLike, b: ArrayLike, alpha: float, C1: Values, C2: Values, C3: Values) -> Array:
    """Return 2 (C1 C3~/K)^(1/2) + C2~/b^(1/2) at a fixed momentum. Source: Shulgin et al., Appendix B.1."""
    drift = C3 * (1 + 1 / alpha)
    return 2 * np.sqrt(C1 * drift / np.asarray(K, float)) + C2 * np.sqrt(alpha) / np.sqrt(b)


def tuned_alpha(K: ArrayLike, b: ArrayLike, C1: Values, C2: Values, C3: Values) -> Array:
    """Return alpha* = 2 (C1 C3)^(1/2)/C2 (b/K)^(1/2). Source: Shulgin et al., Appendix B.2."""
    return 2 * np.sqrt(C1 * C3) / C2 * np.sqrt(b) / np.sqrt(K)


def tuned_eta(K: ArrayLike, b: ArrayLike, C1: Values, C2: Values, C3: Values) -> Array:
    """Return eta* = 2^(1/2) C1^(3/4)/(C2^(1/2) C3^(1/4)) b^(1/4)/K^(3/4). Source: Shulgin et al., Appendix B.2."""
    return np.sqrt(2) * C1**0.75 / (C2**0.5 * C3**0.25) * np.asarray(b) ** 0.25 / np.asarray(K, float) ** 0.75


def tuned_risk(K: ArrayLike, b: ArrayLike, C1: Values, C2: Values, C3: Values) -> Array:
    """Return 2 2^(1/2) C2^(1/2) (C1 C3)^(1/4)/(b^(1/4) K^(1/4)). Source: Shulgin et al., Appendix B.2."""
    return 2 * np.sqrt(2) * C2**0.5 * (C1 * C3) ** 0.25 / (np.asarray(b) ** 0.25 * np.asarray(K, float) ** 0.25)


def learning_rate_as_printed(T: ArrayLike, alpha: float, C1: Values, C2: Values, C3: Values) -> Array:
    """Return C1^(1/4) C2~^(1/2)/(2 C3~^(3/4))^(1/2) T^(-1/4): eq. (25) with the root's bar too long.

    Source: Shulgin et al., Appendix B.1, before eq. (24).
    """
    noise, drift = C2 * np.sqrt(alpha), C3 * (1 + 1 / alpha)
    return C1**0.25 * np.sqrt(noise) / np.sqrt(2 * drift**0.75) * np.asarray(T, float) ** -0.25
