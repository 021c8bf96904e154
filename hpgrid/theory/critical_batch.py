"""Batch sizes at which a target takes the fewest tokens, in closed form.

Throughout, room is eps' = eps - Z, what the target leaves once the part that neither K nor b removes is taken
off, and a bound asks X/K + Y/b + Z_noise/b^(1/2) <= room. With u = b^(-1/2) that is X/(u^2 (room - Z_noise u - Y u^2))
tokens: stationary where 4 Y u^2 + 3 Z_noise u = 2 room, finite from Y u^2 + Z_noise u = room on. Its roots are
written as sums of positive numbers, so that none cancels.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hpgrid.theory.iso_loss import Parts, least_batch_size

Array = NDArray[np.float64]

#: The share s = Z_noise^2/(Y room) from which on 2 Y/room reaches the target at no number of iterations.
NEVER = 0.5

#: The fewest tokens are at this many times the smallest batch size, for 1/b and for 1/b^(1/2) alone, and for the
#: LMO bound with its learning rate tuned.
OVER_SMALLEST = {"seed": 2.0, "revised": 2.25, "lmo": 4.0}

#: Newton's steps for Lambert's W: they double the digits.
_STEPS = 60


def theorem12(alpha: ArrayLike, room: ArrayLike, *, lam: ArrayLike = 0.0, sigma: ArrayLike = 1.0) -> Array:
    """Return ((3 beta + 1)(1-beta)/(1+beta) + lam) sigma^2/room. Source: Cesista, Theorem 12."""
    alpha = np.asarray(alpha, float)
    return np.asarray(((4 - 3 * alpha) * alpha / (2 - alpha) + lam) * np.square(sigma) / room)


def printed(Y: ArrayLike, room: ArrayLike) -> Array:
    """Return 2 Y/room, Theorem 12 for any Y; room with Z at b -> infinity. Source: Cesista, Theorem 12."""
    return np.asarray(2 * np.asarray(Y, float) / room)


def self_consistent(Y: ArrayLike, Z_noise: ArrayLike, room: ArrayLike) -> Array:
    """Return the b that is 2 Y/(room - Z_noise/b^(1/2)): Theorem 12 with its Z read at b itself.

    With u = b^(-1/2), 2 Y u^2 + Z_noise u = room. Source: Cesista, Theorem 12.
    """
    return _inverse_square(2 * np.asarray(Y, float), Z_noise, room)


def revised(Y: ArrayLike, room: ArrayLike) -> Array:
    """Return 9 Y^2/(4 room^2), for Y/b^(1/2) in place of Y/b. Source: Cesista, revised."""
    return np.asarray(9 * np.square(Y) / (4 * np.square(room)))


def fewest_tokens(Y: ArrayLike, Z_noise: ArrayLike, room: ArrayLike) -> Array:
    """Return the minimiser of tokens with every dependence on b kept: 4 Y u^2 + 3 Z_noise u = 2 room, b = u^-2."""
    return _inverse_square(4 * np.asarray(Y, float), 3 * np.asarray(Z_noise, float), 2 * np.asarray(room, float))


def smallest(Y: ArrayLike, Z_noise: ArrayLike, room: ArrayLike) -> Array:
    """Return the batch size above which the target is reached at all: Y u^2 + Z_noise u = room, b = u^-2."""
    return _inverse_square(Y, Z_noise, room)


def _inverse_square(square: ArrayLike, linear: ArrayLike, constant: ArrayLike) -> Array:
    """u^-2 at the positive root of square u^2 + linear u = constant."""
    root = np.hypot(linear, 2 * np.sqrt(square) * np.sqrt(constant))
    return np.asarray(np.square((np.asarray(linear, float) + root) / (2 * np.asarray(constant, float))))


def inflection(Y: float, Z_noise: float, room: float) -> float:
    """Return the batch size up to which tokens are convex in b, beyond which they are concave; +inf where nowhere.

    With w = b^(1/2) the second derivative has the sign of
    8 Y^2 + 9 Z_noise Y w + 3 Z_noise^2 w^2 - Z_noise room w^3, which has one positive root, and none for Z_noise = 0.
    """
    if Z_noise == 0:
        return np.inf
    # In units of the smallest batch size's root, where all coefficients are near 1.
    unit = float(np.sqrt(smallest(Y, Z_noise, room)))
    y, z = Y / (room * unit**2), Z_noise / (room * unit)
    roots = np.roots([-z, 3 * z**2, 9 * z * y, 8 * y**2])
    return float((unit * roots.real.max()) ** 2)


def share(Y: ArrayLike, Z_noise: ArrayLike, room: ArrayLike) -> Array:
    """Return s = Z_noise^2/(Y room), the one number on which depends how far 2 Y/room is off."""
    return np.asarray(np.square(Z_noise) / (np.asarray(Y, float) * room))


def off(s: ArrayLike) -> Array:
    """Return the exact minimiser over 2 Y/room: (3 s^(1/2) + (9 s + 32)^(1/2))^2/32."""
    s = np.asarray(s, float)
    return np.asarray(np.square(3 * np.sqrt(s) + np.sqrt(9 * s + 32)) / 32)


def cost(s: ArrayLike) -> Array:
    """Return the tokens that 2 Y/room takes over the fewest; +inf from s = ``NEVER`` on.

    With v = u (Y/room)^(1/2), tokens fall as v^2 (1 - s^(1/2) v - v^2) grows; 2 Y/room is v = 2^(-1/2).
    """
    s = np.asarray(s, float)
    v = 4 / (3 * np.sqrt(s) + np.sqrt(9 * s + 32))
    best = v**2 * (1 - np.sqrt(s) * v - v**2)
    left = np.where(s < NEVER, (1 - np.sqrt(2 * s)) / 4, 1.0)
    return np.asarray(np.where(s < NEVER, best / left, np.inf))


def star_convex(Delta0: ArrayLike, noise: ArrayLike, room: ArrayLike) -> Array:
    """Return the minimiser of tokens for Delta0 (1 - lam eta)^K + noise/b^(1/2) <= room; NaN for room >= Delta0.

    With p = 1/(1 - noise/(room b^(1/2))), b log(Delta0 p/room) is stationary where
    p - 2 log p = 2 log(Delta0/room) + 1, p > 2: p = -2 W(-(1/2) exp(-1/2) room/Delta0), the lower branch of
    Lambert's. It depends neither on eta nor on lam but through noise and room.
    """
    ratio = np.asarray(Delta0, float) / room
    c = 2 * np.log(np.where(ratio > 1, ratio, 1.0)) + 1
    p = c + 2 * np.log(c + 4) + 2  # above the root: p - 2 log p is convex, and Newton's steps fall onto it
    for _ in range(_STEPS):
        p = p - (p - 2 * np.log(p) - c) / (1 - 2 / p)
    b = np.square(np.asarray(noise, float) / room / (1 - 1 / p))
    return np.where(ratio > 1, b, np.nan)


def lmo_tuned(level: float, of: Parts) -> float:
    """Return 4 b_min = (2 C_floor/c)^2: the LMO bound's minimiser of tokens to a risk c, eta tuned.

    At T tokens the bound is A_T b^(1/2) + C_floor/b^(1/2), least at b = C_floor/A_T, where it is
    2 (A_T C_floor)^(1/2) = c: so A_T = c^2/(4 C_floor), whatever the burn-in's part in it.

    Source: Shulgin et al., Appendix D, with eqs. (14) to (17).
    """
    return OVER_SMALLEST["lmo"] * least_batch_size(level, of)


def lmo_fixed(X: float, burn_in: float, floor: float, room: float) -> float:
    """Return the minimiser of tokens for (X + burn_in/b^(1/2))/K + floor/b^(1/2) <= room, eta fixed.

    With v = b^(1/2), 2 room X v^2 + (burn_in room - 3 X floor) v = 2 burn_in floor.

    Args:
        X: Delta0/eta.
        burn_in: 2 rho sigma/alpha.
        floor: 2 rho sigma alpha^(1/2).
        room: c - L eta (7/2 + 2/alpha), > 0.

    Source: from Shulgin et al., eq. (2).
    """
    linear = 3 * X * floor - burn_in * room
    root = float(np.hypot(linear, 4 * np.sqrt(room) * np.sqrt(X) * np.sqrt(burn_in) * np.sqrt(floor)))
    v = (linear + root) / (4 * room * X) if linear > 0 else 4 * burn_in * floor / (root - linear)
    return float(v**2)
