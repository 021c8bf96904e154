"""Theorem 3: learning rate, batch size and momentum tuned together, and how flat their optimum is."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

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

#: What moving one hyperparameter by a factor costs, the others re-tuned, relative to the risk: the
#: terms that select b, C2 b^(1/2)/(alpha T) and C3 eta, against the leading ones.
#: Source: Shulgin et al., eq. (36) over eq. (35), along b of eq. (9).
REGRET_EXPONENT = Fraction(-1, 3)


def curve(alpha: ArrayLike, C1: float, C2: float, C3: float) -> tuple[Array, Array, Array]:
    """Return the budget T at which a momentum complement is optimal, and the best b and eta there.

    T = C2^2 (1 + alpha)/(4 C1 C3 alpha^3), b = C2^2 (1 + alpha)/(4 C1 C3 alpha^(1/2) (1 + 2 alpha)): the
    whole curve of joint optima without an equation to solve, as long as b >= 1.

    Source: Shulgin et al., eqs. (12), (16) and (20), for eq. (4): its C3 (1 + 1/alpha) eta in place of
    L (7/2 + 2/alpha) eta.
    """
    alpha = np.asarray(alpha, float)
    T = C2**2 * (1 + alpha) / (4 * C1 * C3 * alpha**3)
    b = C2**2 * (1 + alpha) / (4 * C1 * C3 * np.sqrt(alpha) * (1 + 2 * alpha))
    return T, b, np.sqrt(C1 * b * alpha / (C3 * T * (1 + alpha)))


def pays_from(C1: float, C2: float, C3: float) -> float:
    """Return the budget from which a batch size above 1 is better than 1, all three tuned.

    Where ``curve`` has b = 1; 2^10 (C1 C3)^5/C2^10 where C2^2 is far below C1 C3. NaN where
    C2^2 >= 6 C1 C3: b is above 1 already where alpha leaves 1.
    """
    if C2**2 >= 6 * C1 * C3:
        return float("nan")
    lo, hi = -300.0, 0.0  # of log alpha; b falls as alpha grows
    for _ in range(200):
        middle = (lo + hi) / 2
        above = curve(np.exp(middle), C1, C2, C3)[1] > 1
        lo, hi = (middle, hi) if above else (lo, middle)
    return float(curve(np.exp(lo), C1, C2, C3)[0])


def near_optimal(T: ArrayLike, within: float, C1: float, C2: float, C3: float) -> tuple[Array, Array]:
    """Return between which b the risk is within a share of its least, to first order in that share.

    low = C2^3/(32 (C1 C3)^(3/2) within^2) T^(-1/2), where the burn-in term has the share;
    high = 2 within C2/(C1 C3)^(1/2) T^(1/2), where C3 eta has it. low is below 1, and b = 1 as good,
    from T = C2^6/(1024 (C1 C3)^3 within^4).

    Source: Shulgin et al., eqs. (34) to (36), with B.2's constants.
    """
    root, product = np.sqrt(np.asarray(T, float)), C1 * C3
    low = C2**3 / (32 * product**1.5 * within**2) / root
    return low, 2 * within * C2 / np.sqrt(product) * root
