"""Theorem 1: batch size and learning rate tuned at a fixed momentum."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike, NDArray

#: d log / d log T of each optimum. Source: Shulgin et al., eq. (7).
EXPONENTS = {"risk": Fraction(-1, 4), "b": Fraction(1, 2), "eta": Fraction(-1, 4)}


def batch_size(T: ArrayLike, alpha: float, C1: float, C2: float, C3: float) -> NDArray[np.float64]:
    """Return b* = C2~ T^(1/2) / (2 (C1 C3~)^(1/2)), C2~ = C2 alpha^(1/2), C3~ = C3 (1 + 1/alpha).

    Source: Shulgin et al., Appendix B.1, eq. (24).
    """
    return C2 * np.sqrt(alpha) / (2 * np.sqrt(C1 * _drift(alpha, C3))) * np.sqrt(T)


def learning_rate(T: ArrayLike, alpha: float, C1: float, C2: float, C3: float) -> NDArray[np.float64]:
    """Return eta* = C1^(1/4) C2~^(1/2) / (2^(1/2) C3~^(3/4)) T^(-1/4).

    Source: Shulgin et al., Appendix B.1, eq. (25).
    """
    noise = np.sqrt(C2 * np.sqrt(alpha))
    return C1**0.25 * noise / (np.sqrt(2) * _drift(alpha, C3) ** 0.75) * np.asarray(T, float) ** -0.25


def risk(T: ArrayLike, alpha: float, C1: float, C2: float, C3: float) -> NDArray[np.float64]:
    """Return risk* = 2^(3/2) (C1 C3)^(1/4) C2^(1/2) (1 + alpha)^(1/4) T^(-1/4).

    Source: Shulgin et al., eq. (27).
    """
    constant = 2**1.5 * (C1 * C3) ** 0.25 * np.sqrt(C2) * (1 + alpha) ** 0.25
    return constant * np.asarray(T, float) ** -0.25


def _drift(alpha: float, C3: float) -> float:
    return C3 * (1 + 1 / alpha)
