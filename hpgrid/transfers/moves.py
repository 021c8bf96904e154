"""How the best eta moves when b is quadrupled, and momentum's half-life in tokens."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from hpgrid.shapes import Floats as Array
from hpgrid.theory import schedules, theorems, transfer
from hpgrid.transfers import half_life
from hpgrid.transfers.constants import Constants
from hpgrid.transfers.given import Setting
from hpgrid.transfers.optimum import At, Box, Range, least, point
from hpgrid.transfers.rules import Row


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
    lmo = {"held": schedules.FIXED_MOMENTUM, "tuned again": schedules.TUNED_MOMENTUM}
    rows = [Move("LMO", momentum, kappa, kappa + lam) for momentum, (kappa, lam) in lmo.items()]
    return (*rows, Move("SGD", "", theorems.SGD_IN_K["b"], theorems.SGD_IN_T["b"]))


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


class Life(NamedTuple):
    """Momentum's half-life in tokens under one rule.

    Attributes:
        regime: the rule's.
        tokens: at the new budget.
        times: over that at the old one; NaN where that is 0.
        power: of T_1/T_0, as far as the rule goes: where b is the regime's own, or momentum tuned again at it; None
            where a limit on b, eta or alpha keeps the half-life from it.
        retuned: with eq. (4)'s own best of what the row tunes, one value for each value of the constants.
        depends: on what it depends, in words.
    """

    regime: str
    tokens: float
    times: float
    power: Fraction | None
    retuned: Array | None
    depends: str


#: On what the half-life depends where momentum is held, and where it is tuned.
_HELD, _TUNED = "b alone: beta is held", "T, as T^(1/2), and not on b: alpha ~ b T^(-1/2)"

#: And where it is tuned, but a limit counts: alpha's own, or eta's.
_AT_ONE, _UNDER_A_CAP = "nothing: beta is 0, there is none", "eta, b and T: alpha is tuned at the cap on eta"

#: What b/alpha may be off its power by: rounding.
_ROUNDING = 1e-9


def life(row: Row, start: Setting, retuned: At | None) -> Life:
    """Return the half-life under a row's rule; the start has b and alpha."""
    old, new = point(start), point(row.at)
    before, after = (half_life.tokens(float(x.b), float(x.alpha)) for x in (old, new))
    power = _power(row, float(new.b / new.alpha / (old.b / old.alpha)), row.at.T / start.T)
    return Life(
        row.regime,
        after,
        after / before if before else math.nan,
        power,
        None if retuned is None else retuned.b * math.log(2) / _decay(retuned.alpha),
        _depends(row, power),
    )


def _power(row: Row, times: float, longer: float) -> Fraction | None:
    """The power of T_1/T_0 in b/alpha by the row's rule; None where there is no momentum, or a limit on b or eta."""
    powers = transfer.TABLE_2[row.regime]
    power = powers.get("b", Fraction(0)) - powers.get("alpha", Fraction(0))
    follows = math.isclose(times, longer ** float(power), rel_tol=_ROUNDING)
    return power if follows and row.at.alpha != 1 else None


def _depends(row: Row, power: Fraction | None) -> str:
    """In words, on what a row's half-life depends."""
    if row.at.alpha == 1:
        return _AT_ONE
    if "alpha" in row.tuned:
        return _UNDER_A_CAP if power is None else _TUNED
    if row.own:
        return _HELD + (", b ~ T^(1/2)" if "b" in row.tuned else "")
    return "b alone: b and beta are held"


def _decay(alpha: Array) -> Array:
    """-ln beta; infinite at beta = 0."""
    with np.errstate(divide="ignore"):
        return -np.log1p(-alpha)
