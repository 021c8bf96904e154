"""Laws of Cesista's bounds: star-convex and Frank-Wolfe under weight decay, far out, and D-smoothness.

Star-convex, once lam eta is small: with s = lam eta K, (1 - lam eta)^K is exp(-s), and for a fixed momentum or for a
fixed batch size the other variable is a power of s/T. What is left is
Delta0 exp(-s) + 3 (noise/2)^(2/3) (slope s/(lam T))^(1/3), least where s - (2/3) log s = log(Delta0/A),
A^3 = noise^2 slope/(4 lam T): hence the logarithms. Budgets enter by their logs: the laws settle where no float
reaches.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from hpgrid.shapes import Floats as Array

#: The stated laws of the star-convex bound: the power of T (or K), and that of its log.
STAR_CONVEX_FIXED_MOMENTUM = {"b": (Fraction(2, 3), Fraction(-2, 3)), "eta": (Fraction(-1, 3), Fraction(1, 3))}
STAR_CONVEX_FIXED_BATCH = {"alpha": (Fraction(-2, 3), Fraction(2, 3)), "eta": (Fraction(-1), Fraction(1))}
STAR_CONVEX_FIXED_ITERATIONS = {"eta": (Fraction(-1), Fraction(1))}

#: The stated powers of the batch size, where that is held.
STAR_CONVEX_IN_BATCH = {"alpha": Fraction(1), "eta": Fraction(1)}

#: What the literature states for the revised Frank-Wolfe gap: powers of T, and of the batch size where it is held.
FRANK_WOLFE_FIXED_MOMENTUM = {"b": Fraction(1, 2), "eta": Fraction(-1, 4)}
FRANK_WOLFE_FIXED_BATCH = {"alpha": Fraction(-1, 2), "eta": Fraction(-3, 4)}
FRANK_WOLFE_IN_BATCH = {"alpha": Fraction(1, 2), "eta": Fraction(3, 4)}

#: What the text says of D for SGD, for signSGD and AdamW, for Muon and SOAP. Source: Cesista, Appendix A2.
PRINTED_D = 1.0

#: The quotient of two random orthogonal n x n matrices, n large: the largest of |1 - e^(i theta)| over its mean.
ORTHOGONAL_QUOTIENT = math.pi / 2

#: Steps of Newton's method for s. Each doubles the digits, but next to the double root at s = 2/3 it only halves
#: the distance: 60 halvings reach the last digit there.
_STEPS = 60


class StarConvex(NamedTuple):
    """The bound as Delta0 (1 - lam eta)^K + noise/b^(1/2) + slope eta at a momentum.

    With momentum tuned, as alpha falls: Delta0 (1 - lam eta)^K + noise (alpha/b)^(1/2) + slope eta/alpha.
    """

    Delta0: float
    noise: float
    slope: float
    lam: float


def star_convex_at_momentum(
    alpha: float,
    *,
    lam: float,
    Delta0: float = 1.0,
    L: float = 1.0,
    sigma: float = 1.0,
    D: float = 1.0,
    G0: float = 1.0,
) -> StarConvex:
    """Return the bound's constants at a fixed momentum. Source: Cesista, revised, star-convex with weight decay."""
    beta = 1 - alpha
    noise = 2 / lam * (np.sqrt(alpha / (2 - alpha)) * beta + alpha) * np.sqrt(D) * sigma
    return StarConvex(Delta0, float(noise), 4 * L / lam * (1 + beta**2 / alpha) + 2 * beta / alpha * G0, lam)


def star_convex_for_small_alpha(
    *, lam: float, Delta0: float = 1.0, L: float = 1.0, sigma: float = 1.0, D: float = 1.0, G0: float = 1.0
) -> StarConvex:
    """Return the bound's constants as alpha falls to 0, to leading order. Source: as ``star_convex_at_momentum``."""
    return StarConvex(Delta0, float(np.sqrt(2 * D)) / lam * sigma, 4 * L / lam + 2 * G0, lam)


def decayed(log_T: ArrayLike, of: StarConvex) -> Array:
    """Return s = lam eta K, which grows as (1/3) log T: the root of s - (2/3) log s = log(Delta0/A).

    It is -(2/3) times the lower branch of Lambert's W at -(3/2) (A/Delta0)^(3/2); NaN where there is none,
    while the budget is too small.
    """
    log_A = (2 * np.log(of.noise / 2) + np.log(of.slope / of.lam) - np.asarray(log_T, float)) / 3
    right = np.log(of.Delta0) - log_A
    # Right of the minimum at s = 2/3, and convex: from beyond the root, Newton's steps stay beyond it.
    exists = right > 2 / 3 * (1 - np.log(2 / 3))
    s = np.where(exists, right, 2.0) * 2 + 2
    for _ in range(_STEPS):
        s = s - (s - 2 / 3 * np.log(s) - right) / (1 - 2 / (3 * s))
    return np.where(exists, s, np.nan)


def log_b(log_T: ArrayLike, of: StarConvex) -> Array:
    """Return log b* at a fixed momentum, b* = (noise lam T/(2 slope s))^(2/3)."""
    # In logs throughout: budgets of exp(1e9) are no floats.
    s = decayed(log_T, of)
    return 2 / 3 * (np.log(of.noise * of.lam / (2 * of.slope)) + np.asarray(log_T, float) - np.log(s))


def log_alpha(log_T: ArrayLike, b: float, of: StarConvex) -> Array:
    """Return log alpha* at a fixed batch size, alpha* = b (2 slope s/(noise lam T))^(2/3)."""
    return np.log(b) - log_b(log_T, of)


def log_eta(log_T: ArrayLike, log_b: ArrayLike, of: StarConvex) -> Array:
    """Return log eta* at the best or at a fixed batch size, eta* = s b/(lam T)."""
    return np.log(decayed(log_T, of) / of.lam) + np.asarray(log_b, float) - np.asarray(log_T, float)


def stated(log_T: ArrayLike, law: tuple[Fraction, Fraction]) -> Array:
    """Return the log of a stated law, T^p (log T)^q."""
    p, q = law
    return float(p) * np.asarray(log_T, float) + float(q) * np.log(log_T)


def sign_quotient(d: int) -> float:
    """Return the mean quotient of two random sign vectors that differ: E[d/N | N > 0], N of d signs differing.

    The gradient of ||x||_1^2/2 there is d x: it turns by 2d, over a distance of 2N.

    Args:
        d: how many signs, >= 1.
    """
    # Binomials by their logs: 2^d alone overflows from d = 1024 on.
    log_half = d * math.log(2)
    terms = (
        d / n * math.exp(math.lgamma(d + 1) - math.lgamma(n + 1) - math.lgamma(d - n + 1) - log_half)
        for n in range(1, d + 1)
    )
    return math.fsum(terms) / -math.expm1(-log_half)


def one_hot_limit(d: int) -> float:
    """Return b E||mean||_1^2/E||xi||_1^2 of one-hot noise as b grows, 1 + (2/pi)(d - 1): d entries become normal.

    Args:
        d: how many entries, >= 1.
    """
    return 1 + 2 / math.pi * (d - 1)
