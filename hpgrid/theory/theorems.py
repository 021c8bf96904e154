"""Theorems 1 to 3 of Shulgin et al. in tokens and in iterations, and SGD beside them.

Everywhere C2~ = C2 alpha^(1/2) and C3~ = C3 (1 + 1/alpha).
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike

from hpgrid.shapes import Floats as Array, Values

#: d log / d log T of each optimum. Source: Shulgin et al., eqs. (7), (8), (9).
THEOREM_1 = {"risk": Fraction(-1, 4), "b": Fraction(1, 2), "eta": Fraction(-1, 4)}
THEOREM_2 = {"risk": Fraction(-1, 4), "alpha": Fraction(-1, 2), "eta": Fraction(-3, 4)}
THEOREM_3 = {"risk": Fraction(-1, 4), "b": Fraction(1, 6), "alpha": Fraction(-1, 3), "eta": Fraction(-7, 12)}

#: The combinations that the flat direction (1, 1, 1) leaves in place, and their exponents.
#: Source: Shulgin et al., eq. (8): alpha ~ b T^(-1/2), eta ~ b T^(-3/4).
IDENTIFIABLE = {("alpha", "b"): Fraction(-1, 2), ("eta", "b"): Fraction(-3, 4)}

#: What moving one hyperparameter by a factor costs, the others re-tuned, relative to the risk: the
#: terms that select b, C2 b^(1/2)/(alpha T) and C3 eta, against the leading ones.
#: Source: Shulgin et al., eq. (36) over eq. (35), along b of eq. (9).
REGRET_EXPONENT = Fraction(-1, 3)

#: The powers of K in eta* at a fixed momentum; of T and b, and of alpha where that is small.
#: Source: Shulgin et al., eq. (6), Theorem 1.2, Theorem 2.
THEOREM_1_ETA_IN_K = Fraction(-1, 2)
THEOREM_1_ETA_IN_T = {"T": Fraction(-1, 2), "b": Fraction(1, 2), "alpha": Fraction(1, 2)}

#: The powers of b beside those of T in Theorem 2. Source: Shulgin et al., eq. (8).
THEOREM_2_IN_BATCH = {"risk": Fraction(0), "alpha": Fraction(1), "eta": Fraction(1)}

#: The powers of K and b in each optimum at a fixed batch size. Source: Shulgin et al., Appendix B.2.
THEOREM_2_IN_K = {
    "alpha": {"K": Fraction(-1, 2), "b": Fraction(1, 2)},
    "eta": {"K": Fraction(-3, 4), "b": Fraction(1, 4)},
    "risk": {"K": Fraction(-1, 4), "b": Fraction(-1, 4)},
}

#: The powers of K and b in the two terms that the leading proxy drops, at its optimum: the burn-in
#: term and C3 eta. Source: Shulgin et al., Appendix B.2, its last paragraph.
DROPPED_IN_K = {
    "burn_in": {"K": Fraction(-1, 2), "b": Fraction(-1)},
    "drift": {"K": Fraction(-3, 4), "b": Fraction(1, 4)},
}

#: The powers of b and of the budget in SGD's eta*. Source: Shulgin et al., Appendix B.6.
SGD_IN_T = {"b": Fraction(1), "T": Fraction(-1, 2)}
SGD_IN_K = {"b": Fraction(1, 2), "K": Fraction(-1, 2)}


def _drift(alpha: float, C3: Values) -> Values:
    return C3 * (1 + 1 / alpha)


def theorem1_b(T: ArrayLike, alpha: float, C1: float, C2: float, C3: float) -> Array:
    """Return b* = C2~ T^(1/2)/(2 (C1 C3~)^(1/2)). Source: Shulgin et al., Appendix B.1, eq. (24)."""
    return C2 * np.sqrt(alpha) / (2 * np.sqrt(C1 * _drift(alpha, C3))) * np.sqrt(T)


def theorem1_eta(T: ArrayLike, alpha: float, C1: float, C2: float, C3: float) -> Array:
    """Return eta* = C1^(1/4) C2~^(1/2)/(2^(1/2) C3~^(3/4)) T^(-1/4). Source: Shulgin et al., B.1, eq. (25)."""
    noise = np.sqrt(C2 * np.sqrt(alpha))
    return C1**0.25 * noise / (np.sqrt(2) * _drift(alpha, C3) ** 0.75) * np.asarray(T, float) ** -0.25


def theorem1_eta_as_printed(T: ArrayLike, alpha: float, C1: Values, C2: Values, C3: Values) -> Array:
    """Return C1^(1/4) C2~^(1/2)/(2 C3~^(3/4))^(1/2) T^(-1/4): eq. (25) with the root's bar too long.

    Source: Shulgin et al., Appendix B.1, before eq. (24).
    """
    noise, drift = C2 * np.sqrt(alpha), _drift(alpha, C3)
    return C1**0.25 * np.sqrt(noise) / np.sqrt(2 * drift**0.75) * np.asarray(T, float) ** -0.25


def theorem1_risk(T: ArrayLike, alpha: float, C1: float, C2: float, C3: float) -> Array:
    """Return 2^(3/2) (C1 C3)^(1/4) C2^(1/2) (1 + alpha)^(1/4) T^(-1/4). Source: Shulgin et al., eq. (27)."""
    constant = 2**1.5 * (C1 * C3) ** 0.25 * np.sqrt(C2) * (1 + alpha) ** 0.25
    return constant * np.asarray(T, float) ** -0.25


def theorem1_eta_in_K(K: ArrayLike, alpha: float, C1: Values, C3: Values) -> Array:
    """Return eta* = (C1/(C3~ K))^(1/2). Source: Shulgin et al., Appendix B.1."""
    return np.sqrt(C1 / (_drift(alpha, C3) * np.asarray(K, float)))


def theorem1_risk_in_K(K: ArrayLike, b: ArrayLike, alpha: float, C1: Values, C2: Values, C3: Values) -> Array:
    """Return 2 (C1 C3~/K)^(1/2) + C2~/b^(1/2), eta tuned. Source: Shulgin et al., Appendix B.1."""
    return 2 * np.sqrt(C1 * _drift(alpha, C3) / np.asarray(K, float)) + C2 * np.sqrt(alpha) / np.sqrt(b)


def pays_from_at_momentum(alpha: float, C1: float, C2: float, C3: float) -> float:
    """Return the budget from which a batch size above 1 pays at a fixed momentum.

    The T at which 2 (C1 C3~/T)^(1/2) + C2/(alpha T) = C2~, where b* = B/A_T passes 1. The paper says that there
    is one, and that it depends on the momentum and on C1, C2, C3.

    Source: Shulgin et al., eq. (16) and footnote 5, for eq. (4).
    """
    quadratic, linear, constant = C2 / alpha, 2 * math.sqrt(C1 * C3 * (1 + 1 / alpha)), C2 * math.sqrt(alpha)
    # The root of quadratic x^2 + linear x = constant, x = T^(-1/2), without a difference of equals.
    x = 2 * constant / (linear + math.sqrt(linear**2 + 4 * quadratic * constant))
    return 1 / x**2


def theorem2_alpha(T: ArrayLike, b: float, C1: float, C2: float, C3: float) -> Array:
    """Return alpha* = 2 (C1 C3)^(1/2)/C2 b T^(-1/2). Source: Shulgin et al., Appendix B.2, with K = T/b."""
    return 2 * np.sqrt(C1 * C3) / C2 * b / np.sqrt(T)


def theorem2_eta(T: ArrayLike, b: float, C1: float, C2: float, C3: float) -> Array:
    """Return eta* = 2^(1/2) C1^(3/4)/(C2^(1/2) C3^(1/4)) b T^(-3/4). Source: Shulgin et al., B.2, with K = T/b."""
    return np.sqrt(2) * C1**0.75 / (np.sqrt(C2) * C3**0.25) * b * np.asarray(T, float) ** -0.75


def theorem2_alpha_in_K(K: ArrayLike, b: ArrayLike, C1: Values, C2: Values, C3: Values) -> Array:
    """Return alpha* = 2 (C1 C3)^(1/2)/C2 (b/K)^(1/2). Source: Shulgin et al., Appendix B.2."""
    return 2 * np.sqrt(C1 * C3) / C2 * np.sqrt(b) / np.sqrt(K)


def theorem2_eta_in_K(K: ArrayLike, b: ArrayLike, C1: Values, C2: Values, C3: Values) -> Array:
    """Return eta* = 2^(1/2) C1^(3/4)/(C2^(1/2) C3^(1/4)) b^(1/4)/K^(3/4). Source: Shulgin et al., Appendix B.2."""
    return np.sqrt(2) * C1**0.75 / (C2**0.5 * C3**0.25) * np.asarray(b) ** 0.25 / np.asarray(K, float) ** 0.75


def theorem2_risk_in_K(K: ArrayLike, b: ArrayLike, C1: Values, C2: Values, C3: Values) -> Array:
    """Return 2 2^(1/2) C2^(1/2) (C1 C3)^(1/4)/(b^(1/4) K^(1/4)). Source: Shulgin et al., Appendix B.2."""
    return 2 * np.sqrt(2) * C2**0.5 * (C1 * C3) ** 0.25 / (np.asarray(b) ** 0.25 * np.asarray(K, float) ** 0.25)


def theorem3_curve(alpha: ArrayLike, C1: float, C2: float, C3: float) -> tuple[Array, Array, Array]:
    """Return the budget T at which a momentum complement is optimal, and the best b and eta there.

    T = C2^2 (1 + alpha)/(4 C1 C3 alpha^3), b = C2^2 (1 + alpha)/(4 C1 C3 alpha^(1/2) (1 + 2 alpha)): the
    whole curve of joint optima without an equation to solve, as long as b >= 1.

    Source: Shulgin et al., eqs. (12), (16) and (20), for eq. (4): its C3 (1 + 1/alpha) eta in place of
    L (7/2 + 2/alpha) eta.
    """
    # Read from alpha to T, the other way round than asked: no cubic has to be solved.
    alpha = np.asarray(alpha, float)
    T = C2**2 * (1 + alpha) / (4 * C1 * C3 * alpha**3)
    b = C2**2 * (1 + alpha) / (4 * C1 * C3 * np.sqrt(alpha) * (1 + 2 * alpha))
    return T, b, np.sqrt(C1 * b * alpha / (C3 * T * (1 + alpha)))


def pays_from(C1: float, C2: float, C3: float) -> float:
    """Return the budget from which a batch size above 1 is better than 1, all three tuned.

    Where ``theorem3_curve`` has b = 1; 2^10 (C1 C3)^5/C2^10 where C2^2 is far below C1 C3. NaN where
    C2^2 >= 6 C1 C3: b is above 1 already where alpha leaves 1.
    """
    if C2**2 >= 6 * C1 * C3:
        return float("nan")
    lo, hi = -300.0, 0.0  # of log alpha; b falls as alpha grows
    # 60 halvings bring the interval to 300/2^60 = 3e-16, the rounding of log alpha; the rest change nothing.
    for _ in range(200):
        middle = (lo + hi) / 2
        above = theorem3_curve(np.exp(middle), C1, C2, C3)[1] > 1
        lo, hi = (middle, hi) if above else (lo, middle)
    return float(theorem3_curve(np.exp(lo), C1, C2, C3)[0])


def near_optimal(T: ArrayLike, within: float, C1: float, C2: float, C3: float) -> tuple[Array, Array]:
    """Return between which b the risk is within a share of its minimum, to first order in that share.

    low = C2^3/(32 (C1 C3)^(3/2) within^2) T^(-1/2), where the burn-in term has the share;
    high = 2 within C2/(C1 C3)^(1/2) T^(1/2), where C3 eta has it. low is below 1, and b = 1 as good,
    from T = C2^6/(1024 (C1 C3)^3 within^4).

    Source: Shulgin et al., eqs. (34) to (36), with B.2's constants.
    """
    root, product = np.sqrt(np.asarray(T, float)), C1 * C3
    low = C2**3 / (32 * product**1.5 * within**2) / root
    return low, 2 * within * C2 / np.sqrt(product) * root


def sgd_risk(T: ArrayLike, Delta0: float, L: float, sigma: float) -> Array:
    """Return (Delta0 L sigma^2/T)^(1/2), up to a constant, whatever the batch size. Source: Shulgin et al., B.6."""
    return np.sqrt(Delta0 * L * sigma**2 / np.asarray(T, float))


def sgd_risk_in_K(K: ArrayLike, b: ArrayLike, Delta0: float, L: float, sigma: float) -> Array:
    """Return (Delta0 L sigma^2/(b K))^(1/2), up to a constant. Source: Shulgin et al., B.6."""
    return np.sqrt(Delta0 * L * sigma**2 / (np.asarray(b, float) * np.asarray(K, float)))
