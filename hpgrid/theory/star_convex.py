"""Star-convex bound under weight decay, far out: what is left of it once lam eta is small, in closed form.

With s = lam eta K, (1 - lam eta)^K is exp(-s), and for a fixed momentum or for a fixed batch size the other
variable is a power of s/T. What is left is Delta0 exp(-s) + 3 (noise/2)^(2/3) (slope s/(lam T))^(1/3), least
where s - (2/3) log s = log(Delta0/A), A^3 = noise^2 slope/(4 lam T): hence the logarithms. Budgets enter by
their logs: the laws settle where no float reaches.
"""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

#: The stated laws: the power of T, and that of log T.
FIXED_MOMENTUM = {"b": (Fraction(2, 3), Fraction(-2, 3)), "eta": (Fraction(-1, 3), Fraction(1, 3))}
FIXED_BATCH = {"alpha": (Fraction(-2, 3), Fraction(2, 3)), "eta": (Fraction(-1), Fraction(1))}
FIXED_ITERATIONS = {"eta": (Fraction(-1), Fraction(1))}

#: The stated powers of the batch size, where that is held.
IN_BATCH = {"alpha": Fraction(1), "eta": Fraction(1)}

#: Steps of Newton's method for s: it doubles the digits in each.
_STEPS = 60


class Constants(NamedTuple):
    """The bound as Delta0 (1 - lam eta)^K + noise/b^(1/2) + slope eta at a momentum.

    With momentum tuned, as alpha falls: Delta0 (1 - lam eta)^K + noise (alpha/b)^(1/2) + slope eta/alpha.
    """

    Delta0: float
    noise: float
    slope: float
    lam: float


def at_momentum(
    alpha: float,
    *,
    lam: float,
    Delta0: float = 1.0,
    L: float = 1.0,
    sigma: float = 1.0,
    D: float = 1.0,
    G0: float = 1.0,
) -> Constants:
    """Return the bound's constants at a fixed momentum.

    Source: Cesista, revised, star-convex with weight decay.
    """
    beta = 1 - alpha
    noise = 2 / lam * (np.sqrt(alpha / (2 - alpha)) * beta + alpha) * np.sqrt(D) * sigma
    return Constants(Delta0, float(noise), 4 * L / lam * (1 + beta**2 / alpha) + 2 * beta / alpha * G0, lam)


def for_small_alpha(
    *, lam: float, Delta0: float = 1.0, L: float = 1.0, sigma: float = 1.0, D: float = 1.0, G0: float = 1.0
) -> Constants:
    """Return the bound's constants as alpha falls to 0, to leading order.

    Source: Cesista, revised, star-convex with weight decay.
    """
    return Constants(Delta0, float(np.sqrt(2 * D)) / lam * sigma, 4 * L / lam + 2 * G0, lam)


def decayed(log_T: ArrayLike, of: Constants) -> Array:
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


def log_batch_size(log_T: ArrayLike, of: Constants) -> Array:
    """Return log b* at a fixed momentum, b* = (noise lam T/(2 slope s))^(2/3)."""
    s = decayed(log_T, of)
    return 2 / 3 * (np.log(of.noise * of.lam / (2 * of.slope)) + np.asarray(log_T, float) - np.log(s))


def log_alpha(log_T: ArrayLike, b: float, of: Constants) -> Array:
    """Return log alpha* at a fixed batch size, alpha* = b (2 slope s/(noise lam T))^(2/3)."""
    return np.log(b) - log_batch_size(log_T, of)


def log_learning_rate(log_T: ArrayLike, log_b: ArrayLike, of: Constants) -> Array:
    """Return log eta* at the best or at a fixed batch size, eta* = s b/(lam T)."""
    return np.log(decayed(log_T, of) / of.lam) + np.asarray(log_b, float) - np.asarray(log_T, float)


def log_risk(log_T: ArrayLike, of: Constants) -> Array:
    """Return the log of the least bound, A s^(-2/3) + 3 A s^(1/3), the same in both regimes."""
    s = decayed(log_T, of)
    log_A = (2 * np.log(of.noise / 2) + np.log(of.slope / of.lam) - np.asarray(log_T, float)) / 3
    return log_A + np.log(s ** (-2 / 3) + 3 * s ** (1 / 3))


def stated(log_T: ArrayLike, law: tuple[Fraction, Fraction]) -> Array:
    """Return the log of a stated law, T^p (log T)^q."""
    p, q = law
    return float(p) * np.asarray(log_T, float) + float(q) * np.log(log_T)
