"""Laws of bounds beside the two papers', as their sources state them, and the closed forms that they follow from.

Where a law has a logarithm, budgets enter by their logs: such a law settles where no float reaches.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from hpgrid.shapes import Floats as Array
from hpgrid.theory.cesista_laws import StarConvex, star_convex_at_momentum

#: How often a fixed point is followed: each round takes the error times 1/sqrt(log K) or less, log K > 40.
_ROUNDS = 60

#: Up to which power of the iterations local SGD's workers may walk alone, in parallel as fast: H <~ (H R)^(1/4).
#: Source: bounds of its form, n workers, H R steps each.
LOCAL_STEPS = {"S": Fraction(1, 4), "n": Fraction(-3, 4)}

#: The batch size fitted to a loss of three terms, as a power of tokens. Source: Schaipp, 2607.01487.
FITTED_BATCH = Fraction(283, 500)


def heavy_tails(p: Fraction) -> dict[str, Fraction]:
    """Return the powers of K of noise with p moments: risk* ~ K^(-(p-1)/(3p-2)), and of what is tuned."""
    whole = 3 * p - 2
    return {"risk": -(p - 1) / whole, "alpha": -p / whole, "eta": -(2 * p - 1) / whole}


class Su(NamedTuple):
    """Powers of T and of the model size N."""

    T: Mapping[str, Fraction]
    N: Mapping[str, Fraction]


def su(g1: Fraction, g2: Fraction, g3: Fraction, g5: Fraction, g6: Fraction, g7: Fraction) -> Su:
    """Return the laws of Su's bound, P = g1 g3 + g2 (g1 + g3). Source: Su, kexue.fm 11833."""
    P = g1 * g3 + g2 * (g1 + g3)
    return Su(
        {"b": g1 * g3 / P, "eta": -g1 * g2 / P, "risk": -g1 * g2 * g3 / P},
        {"eta": (g1 * g6 - g7 * (g1 + g2) - g5 * g2) / P, "b": (g6 * (g1 + g3) + g5 * g3 - g7 * g1) / P},
    )


def critical_root(Y: float, eps: float, Z: float) -> float:
    """Return b*^(1/2) = 3 Y/(2 (eps - Z)), with the fewest samples to eps. Source: Sato, 2507.01598."""
    return 3 * Y / (2 * (eps - Z))


def samples(b: Array, X: float, Y: float, eps: float, Z: float) -> Array:
    """Return the samples to eps, X b^(3/2)/((eps - Z) b^(1/2) - Y). Source: Sato, 2507.01598."""
    root = np.sqrt(b)
    return np.asarray(X * root**3 / ((eps - Z) * root - Y))


def plateau(T: Array, L: float, rho: float, sigma: float, mu: float) -> tuple[Array, Array]:
    """Return the ends of the batch sizes that are all best, (mu rho sigma/L)^2 and (T mu rho sigma/L)^(2/3).

    Source: Islamov, 2603.21191, where two of the three terms of Corollary 4.1 meet.
    """
    ratio = mu * rho * sigma / L
    return ratio**2 * np.ones_like(T), (T * ratio) ** (2 / 3)


def plateau_risk(T: Array, L: float, rho: float, sigma: float, mu: float) -> Array:
    """Return the risk on it, (L rho^2 sigma^2/(mu^4 T))^(1/3). Source: Islamov, 2603.21191, Corollary 4.1."""
    return np.asarray((L * (rho * sigma) ** 2 / (mu**4 * T)) ** (1 / 3))


def kl_at_momentum(alpha: float, *, lam: float, mu: float, L: float = 1.0, **of: float) -> StarConvex:
    """Return the bound under a Kurdyka-Lojasiewicz condition at a momentum, as a star-convex one under decay mu lam.

    Its slope has 2 L/(mu lam) less, of which nothing is left as alpha falls.

    Source: Cesista, steepest-descent-lean, frankWolfeExpectedSuboptimality_bound.
    """
    star = star_convex_at_momentum(alpha, lam=mu * lam, L=L, **of)
    return star._replace(slope=star.slope - 2 * L / (mu * lam))


def decayed(log_K: ArrayLike, of: StarConvex) -> Array:
    """Return s = lam eta* K far out where the noise is held, log(Delta0 lam K/slope).

    Source: where the derivative in eta is 0, (1 - lam eta)^K being exp(-s) to leading order.
    """
    return np.asarray(math.log(of.Delta0 * of.lam / of.slope) + np.asarray(log_K, float))


def decay_rate(K: ArrayLike, of: StarConvex) -> Array:
    """Return eta*, exact: (1 - (slope/(Delta0 lam K))^(1/(K - 1)))/lam."""
    K = np.asarray(K, float)
    return np.asarray(-np.expm1(-decayed(np.log(K), of) / (K - 1)) / of.lam)


def decay_risk(K: ArrayLike, of: StarConvex) -> Array:
    """Return what is least, slope eta* + slope (1 - lam eta*)/(lam K): the power by its derivative."""
    eta = decay_rate(K, of)
    return np.asarray(of.slope * eta + of.slope * (1 - of.lam * eta) / (of.lam * np.asarray(K, float)))


def capped_risk(T: ArrayLike, x: float, of: StarConvex) -> Array:
    """Return the least over b at a learning rate of x/lam, K = T/b and the slope that of b = 1.

    Source: where the derivative of Delta0 (1 - x)^K + (slope x/lam) K/T in K is 0.
    """
    rate, per = -math.log1p(-x), of.slope * x / (of.lam * np.asarray(T, float))
    return np.asarray(per / rate * (1 + np.log(of.Delta0 * rate / per)))


class Adam(NamedTuple):
    """Adam's optimum far out, by the logs of the number of iterations K."""

    u: Array  # alpha2* K
    e: Array  # eta* K^(1/2)
    risk: Array  # risk* K^(1/2)


def adam(
    log_K: ArrayLike, *, D0: float = 1.0, L: float = 1.0, R: float = 1.0, d: float = 1.0, epsilon: float = 1.0
) -> Adam:
    """Return Adam's optimum in eta and alpha2, K large.

    With l = log(R^2 K/(epsilon u)), risk K^(1/2) = 2 R D0/e + 4 d R^2 (l/u^(1/2) + u^(1/2)) + e d R L (l/u + 1):
    least where e^2 (d L/2) (l/u + 1) = D0 and u = l + 2 + e L (l + 1)/(2 R u^(1/2)).

    Source: Defossez et al., 2003.02395; log(1 + x) is log x, and -log(1 - alpha2) is alpha2 far out.
    """
    whole = np.asarray(log_K, float)
    u = whole + 0.0
    for _ in range(_ROUNDS):
        log = whole + np.log(R**2 / epsilon) - np.log(u)
        e = np.sqrt(2 * D0 / (d * L * (log / u + 1)))
        u = log + 2 + e * L * (log + 1) / (2 * R * np.sqrt(u))
    risk = 2 * R * D0 / e + 4 * d * R**2 * (log / np.sqrt(u) + np.sqrt(u)) + e * d * R * L * (log / u + 1)
    return Adam(u, e, risk)
