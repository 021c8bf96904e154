"""Theorem 2: momentum and learning rate tuned at a fixed batch size."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike, NDArray

#: d log / d log T of each optimum. Source: Shulgin et al., eq. (8).
EXPONENTS = {"risk": Fraction(-1, 4), "alpha": Fraction(-1, 2), "eta": Fraction(-3, 4)}


def momentum_complement(T: ArrayLike, b: float, C1: float, C2: float, C3: float) -> NDArray[np.float64]:
    """Return alpha* = 2 (C1 C3)^(1/2) / C2 b T^(-1/2).

    Source: Shulgin et al., Appendix B.2, with K = T/b.
    """
    return 2 * np.sqrt(C1 * C3) / C2 * b / np.sqrt(T)


def learning_rate(T: ArrayLike, b: float, C1: float, C2: float, C3: float) -> NDArray[np.float64]:
    """Return eta* = 2^(1/2) C1^(3/4) / (C2^(1/2) C3^(1/4)) b T^(-3/4).

    Source: Shulgin et al., Appendix B.2, with K = T/b.
    """
    return np.sqrt(2) * C1**0.75 / (np.sqrt(C2) * C3**0.25) * b * np.asarray(T, float) ** -0.75


def risk(T: ArrayLike, C1: float, C2: float, C3: float) -> NDArray[np.float64]:
    """Return risk* = 2^(3/2) C2^(1/2) (C1 C3)^(1/4) T^(-1/4), whatever the batch size.

    Source: Shulgin et al., Appendix B.2, with K = T/b.
    """
    return 2**1.5 * np.sqrt(C2) * (C1 * C3) ** 0.25 * np.asarray(T, float) ** -0.25
