"""Weight decay: where its bounds hold, and the best learning rate against it."""

from __future__ import annotations

import numpy as np

from hpgrid.bounds.cesista2025.arrays import Array, space, sqrt

#: A wall that was reached through logs is off by the exponential's rounding, |log| up to 700 times 2^-53.
ROUNDING = 1e-13


def in_domain(*, eta: Array, lam: Array, W0: Array = 0.0) -> Array:
    """Return where the bounds with weight decay hold: lam eta <= 1 and ||W0|| <= 1/lam; elsewhere they are +inf.

    Source: the conditions of Cesista, Propositions 9 and 10 and Theorem 11.
    """
    return (lam * eta <= 1.0 + ROUNDING) & (lam * W0 <= 1.0)


def best_learning_rate(
    lam: Array, *, K: Array, alpha: Array, Delta0: Array = 1.0, L: Array = 1.0, G0: Array = 1.0
) -> Array:
    """Return the learning rate at which the star-convex bound is least, all else fixed; NaN where there is none.

    eta* = (1/lam) (1 - r^(1/(K-1))), r = (4 L (1 + beta^2/alpha) + 2 (beta/alpha) G0 lam)/(Delta0 K lam^2).

    It is a minimum for K > 1 and r < 1, that is for lam above ``least_weight_decay``: else the bound
    rises with eta from eta = 0 on, where it says f(W0) - f* <= Delta0 and no more.

    Args:
        lam: weight decay, > 0.
        K: iterations.
        alpha: momentum complement, in (0, 1].
        Delta0: f(W0) - inf f, > 0.
        L: smoothness constant, > 0.
        G0: the size of the gradient at the start, > 0.

    Source: Cesista, revised, the best learning rate against weight decay.
    """
    beta = 1.0 - alpha
    ratio = (4.0 * L * (1.0 + beta**2 / alpha) + 2.0 * beta / alpha * G0 * lam) / (Delta0 * K * lam**2)
    xp = space(ratio)
    means = (ratio < 1.0) & (K > 1.0)
    power = xp.log(xp.where(means, ratio, 0.5)) / xp.where(means, K - 1.0, 1.0)
    return xp.where(means, -xp.expm1(power) / lam, np.nan)


def least_weight_decay(*, K: Array, alpha: Array, Delta0: Array = 1.0, L: Array = 1.0, G0: Array = 1.0) -> Array:
    """Return the weight decay above which ``best_learning_rate`` is positive.

    The root of Delta0 K lam^2 = 4 L (1 + beta^2/alpha) + 2 (beta/alpha) G0 lam.

    Source: where the revised eta*(lam) of Cesista is 0.
    """
    beta = 1.0 - alpha
    half, whole = beta / alpha * G0, 4.0 * L * (1.0 + beta**2 / alpha)
    return (half + sqrt(half**2 + Delta0 * K * whole)) / (Delta0 * K)
