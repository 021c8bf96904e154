"""How the best eta moves when b is quadrupled, and momentum's half-life in tokens."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hpgrid.theory import batch_paths, sgd, transfer
from hpgrid.transfers.constants import Constants
from hpgrid.transfers.given import Setting
from hpgrid.transfers.optimum import Box, Range, least, point

Array = NDArray[np.float64]


class Move(NamedTuple):
    """What quadrupling b does to the best eta.

    Attributes:
        method: "LMO" or "SGD".
        momentum: "held", "tuned again", or "" where it does not enter.
        at_K: the exponent of b in eta* at fixed K.
        at_T: the same at fixed T, K = T/b.
    """

    method: str
    momentum: str
    at_K: Fraction
    at_T: Fraction


def table() -> tuple[Move, ...]:
    """Return the exponents of b in eta*: eta* ~ b^kappa K^-lambda at fixed K, so b^(kappa + lambda) at fixed T.

    Source: Shulgin et al., Appendix C.3 (i), (ii), for LMO methods; B.6 for SGD.
    """
    lmo = {"held": batch_paths.FIXED_MOMENTUM, "tuned again": batch_paths.TUNED_MOMENTUM}
    rows = [Move("LMO", momentum, kappa, kappa + lam) for momentum, (kappa, lam) in lmo.items()]
    return (*rows, Move("SGD", "", sgd.IN_ITERATIONS["b"], sgd.IN_TOKENS["b"]))


class Factor(NamedTuple):
    """By what eq. (4)'s own best eta moves at a point, one value for each value of the constants.

    Attributes:
        at_K: at fixed K.
        at_T: at fixed T.
    """

    at_K: Array
    at_T: Array


def at_point(of: Constants, start: Setting) -> dict[str, Factor]:
    """Return by what eq. (4)'s best eta moves when b is quadrupled at a point, by what becomes of the momentum.

    Args:
        of: constants, each a number or of shape (n,).
        start: the point; where its own eta, or alpha, is not the best, the best ones are compared.
    """
    _, b, alpha = (np.atleast_1d(x) for x in point(start))
    of = Constants(*(np.atleast_1d(value) for value in of))

    def eta(T: float, b: Array, momentum: Range) -> Array:
        return least(T, of, Box(b=(b, b), alpha=momentum)).eta

    momenta: dict[str, Range] = {"held": (alpha, alpha), "tuned again": Box().alpha}
    factors = {}
    for name, momentum in momenta.items():
        now = eta(start.T, b, momentum)
        factors[name] = Factor(eta(4 * start.T, 4 * b, momentum) / now, eta(start.T, 4 * b, momentum) / now)
    return factors


def half_life(b: float, alpha: float) -> float:
    """Return the tokens in which momentum forgets half, b ln 2/(-ln beta); about b ln 2/alpha, and 0 at beta = 0."""
    return 0.0 if alpha == 1 else b * math.log(2) / -math.log1p(-alpha)


def half_life_power(regime: str) -> Fraction:
    """Return the power of T_1/T_0 by which a regime's rule moves b/alpha, and the half-life with it."""
    powers = transfer.TABLE_2[regime]
    return powers.get("b", Fraction(0)) - powers.get("alpha", Fraction(0))


def half_life_tuned(T: float, of: Constants) -> Array:
    """Return ln 2 C2/(2 (C1 C3)^(1/2)) T^(1/2), the half-life with the momentum tuned: at every batch size.

    Source: Shulgin et al., Appendix B.2: alpha* = 2 (C1 C3)^(1/2)/C2 b T^(-1/2).
    """
    return np.asarray(math.log(2) * of.C2 / (2 * np.sqrt(np.multiply(of.C1, of.C3))) * np.sqrt(T))
