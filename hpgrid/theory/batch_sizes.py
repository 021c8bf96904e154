"""Batch sizes in closed form: those that reach a target in the fewest tokens, and what a cap by hardware costs.

eps' = eps - Z is what the target leaves once the part that neither K nor b removes is taken off, and a bound asks
X/K + Y/b + Z_noise/b^(1/2) <= eps'. With u = b^(-1/2) that is X/(u^2 (eps' - Z_noise u - Y u^2)) tokens: stationary
where 4 Y u^2 + 3 Z_noise u = 2 eps', finite from Y u^2 + Z_noise u = eps' on. Its roots are written as sums of
positive numbers, so that none cancels.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike

from hpgrid.shapes import Floats as Array
from hpgrid.theory.iso_loss import TunedRisk, minimum_batch_size

#: The share s = Z_noise^2/(Y eps') from which on 2 Y/eps' reaches the target at no number of iterations.
NEVER = 0.5

#: The fewest tokens are at this many times the smallest batch size, for 1/b and for 1/b^(1/2) alone, and for the
#: LMO bound with its learning rate tuned.
OVER_SMALLEST = {"seed": 2.0, "revised": 2.25, "lmo": 4.0}

#: Newton's steps for Lambert's W: from a start within a factor of the root each doubles the digits, so that
#: six would do; near a double root each halves the distance, and 60 halvings leave 1e-18 of it.
_STEPS = 60

#: How the budget up to which a cap leaves the optimum as it is grows with the cap: T <~ b_max^2 at a
#: fixed momentum (regime C), b_max^6 with a tuned one (regime D). Source: Shulgin et al., Appendix B.4 (3).
CAP_REACHED = {"C": Fraction(2), "D": Fraction(6)}

#: The powers in the floor C2 alpha^(1/2)/b_max^(1/2). Source: Shulgin et al., Corollary 1.2.
CAPPED_FLOOR = {"C2": Fraction(1), "alpha": Fraction(1, 2), "b_max": Fraction(-1, 2)}

#: The largest gain from another momentum, in risk and in tokens. Source: Shulgin et al., Corollary 1.1, B.4.
LARGEST_GAIN = 2**0.25
LARGEST_TOKEN_GAIN = 2.0


def capped_risk(T: ArrayLike, b_max: float, alpha: float, C1: ArrayLike, C2: ArrayLike, C3: ArrayLike) -> Array:
    """Return 2 (C1 C3~ b_max/T)^(1/2) + C2~/b_max^(1/2), eta tuned. Source: Shulgin et al., Appendix B.4 (2)."""
    product = np.multiply(C1, C3) * (1 + 1 / alpha)
    return 2 * np.sqrt(product * b_max / np.asarray(T, float)) + capped_floor(b_max, alpha, C2)


def capped_floor(b_max: float, alpha: float, C2: ArrayLike) -> Array:
    """Return C2 alpha^(1/2)/b_max^(1/2), which the risk never falls below. Source: Shulgin et al., Corollary 1.2."""
    return np.asarray(C2) * np.sqrt(alpha) / np.sqrt(b_max)


def theorem12(alpha: ArrayLike, eps_prime: ArrayLike, *, lam: ArrayLike = 0.0, sigma: ArrayLike = 1.0) -> Array:
    """Return ((3 beta + 1)(1-beta)/(1+beta) + lam) sigma^2/eps'. Source: Cesista, Theorem 12."""
    alpha = np.asarray(alpha, float)
    return np.asarray(((4 - 3 * alpha) * alpha / (2 - alpha) + lam) * np.square(sigma) / eps_prime)


def theorem12_of(Y: ArrayLike, eps_prime: ArrayLike) -> Array:
    """Return 2 Y/eps', Theorem 12 for any Y; eps' with Z at b -> infinity. Source: Cesista, Theorem 12."""
    return np.asarray(2 * np.asarray(Y, float) / eps_prime)


def self_consistent(Y: ArrayLike, Z_noise: ArrayLike, eps_prime: ArrayLike) -> Array:
    """Return the b that is 2 Y/(eps' - Z_noise/b^(1/2)): Theorem 12 with its Z read at b itself.

    With u = b^(-1/2), 2 Y u^2 + Z_noise u = eps'. Source: Cesista, Theorem 12.
    """
    return _inverse_square(2 * np.asarray(Y, float), Z_noise, eps_prime)


def revised(Y: ArrayLike, eps_prime: ArrayLike) -> Array:
    """Return 9 Y^2/(4 eps'^2), for Y/b^(1/2) in place of Y/b. Source: Cesista, revised."""
    return np.asarray(9 * np.square(Y) / (4 * np.square(eps_prime)))


def fewest_tokens(Y: ArrayLike, Z_noise: ArrayLike, eps_prime: ArrayLike) -> Array:
    """Return the minimiser of tokens, every dependence on b kept: 4 Y u^2 + 3 Z_noise u = 2 eps', b = u^-2."""
    return _inverse_square(4 * np.asarray(Y, float), 3 * np.asarray(Z_noise, float), 2 * np.asarray(eps_prime, float))


def smallest(Y: ArrayLike, Z_noise: ArrayLike, eps_prime: ArrayLike) -> Array:
    """Return the batch size above which the target is reached at all: Y u^2 + Z_noise u = eps', b = u^-2."""
    return _inverse_square(Y, Z_noise, eps_prime)


def _inverse_square(square: ArrayLike, linear: ArrayLike, constant: ArrayLike) -> Array:
    """u^-2 at the positive root of square u^2 + linear u = constant."""
    # Roots before products, and hypot: constants of 1e-200 neither underflow nor overflow.
    root = np.hypot(linear, 2 * np.sqrt(square) * np.sqrt(constant))
    return np.asarray(np.square((np.asarray(linear, float) + root) / (2 * np.asarray(constant, float))))


def inflection(Y: float, Z_noise: float, eps_prime: float) -> float:
    """Return the batch size up to which tokens are convex in b, beyond which they are concave; +inf where nowhere.

    With w = b^(1/2) the second derivative has the sign of
    8 Y^2 + 9 Z_noise Y w + 3 Z_noise^2 w^2 - Z_noise eps' w^3, which has one positive root, and none for Z_noise = 0.
    """
    if Z_noise == 0:
        return np.inf
    # In units of the smallest batch size's root, where all coefficients are near 1.
    unit = float(np.sqrt(smallest(Y, Z_noise, eps_prime)))
    y, z = Y / (eps_prime * unit**2), Z_noise / (eps_prime * unit)
    roots = np.roots([-z, 3 * z**2, 9 * z * y, 8 * y**2])
    return float((unit * roots.real.max()) ** 2)


def star_convex(Delta0: ArrayLike, noise: ArrayLike, eps_prime: ArrayLike) -> Array:
    """Return the minimiser of tokens for Delta0 (1 - lam eta)^K + noise/b^(1/2) <= eps'; NaN for eps' >= Delta0.

    With p = 1/(1 - noise/(eps' b^(1/2))), b log(Delta0 p/eps') is stationary where
    p - 2 log p = 2 log(Delta0/eps') + 1, p > 2: p = -2 W(-(1/2) exp(-1/2) eps'/Delta0), the lower branch of
    Lambert's. It depends neither on eta nor on lam but through noise and eps'.
    """
    ratio = np.asarray(Delta0, float) / eps_prime
    c = 2 * np.log(np.where(ratio > 1, ratio, 1.0)) + 1
    p = c + 2 * np.log(c + 4) + 2  # above the root: p - 2 log p is convex, and Newton's steps fall onto it
    for _ in range(_STEPS):
        p = p - (p - 2 * np.log(p) - c) / (1 - 2 / p)
    b = np.square(np.asarray(noise, float) / eps_prime / (1 - 1 / p))
    return np.where(ratio > 1, b, np.nan)


def lmo_tuned(target: float, of: TunedRisk) -> float:
    """Return 4 b_min = (2 C_floor/c)^2: the LMO bound's minimiser of tokens to a risk c, eta tuned.

    At T tokens the bound is A_T b^(1/2) + C_floor/b^(1/2), least at b = C_floor/A_T, where it is
    2 (A_T C_floor)^(1/2) = c: so A_T = c^2/(4 C_floor), whatever the burn-in's part in it.

    Source: Shulgin et al., Appendix D, with eqs. (14) to (17).
    """
    return OVER_SMALLEST["lmo"] * minimum_batch_size(target, of)


def lmo_fixed(X: float, burn_in: float, floor: float, eps_prime: float) -> float:
    """Return the minimiser of tokens for (X + burn_in/b^(1/2))/K + floor/b^(1/2) <= eps', eta fixed.

    With v = b^(1/2), 2 eps' X v^2 + (burn_in eps' - 3 X floor) v = 2 burn_in floor.

    Args:
        X: Delta0/eta.
        burn_in: 2 rho sigma/alpha.
        floor: 2 rho sigma alpha^(1/2).
        eps_prime: c - L eta (7/2 + 2/alpha), > 0.

    Source: from Shulgin et al., eq. (2).
    """
    linear = 3 * X * floor - burn_in * eps_prime
    root = float(np.hypot(linear, 4 * np.sqrt(eps_prime) * np.sqrt(X) * np.sqrt(burn_in) * np.sqrt(floor)))
    # Of the root's two forms the one that adds: the other subtracts what is equal where linear is large.
    v = (linear + root) / (4 * eps_prime * X) if linear > 0 else 4 * burn_in * floor / (root - linear)
    return float(v**2)
