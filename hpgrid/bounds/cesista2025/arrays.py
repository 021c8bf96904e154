"""What the bounds share: expressions in alpha = 1 - beta that lose no digits."""

from __future__ import annotations

from hpgrid.arrays import Array, space, sqrt

__all__ = ["Array", "kept", "space", "sqrt", "stray"]


def kept(share: Array, times: Array) -> Array:
    """Return (1 - share)^times for 0 <= share <= 1: what is left after losing a share many times.

    By its log, which neither loses a small share nor overflows; 0^0 is 1.
    """
    xp = space(share, times)
    shrinks = share < 1.0
    log = xp.log1p(-xp.where(shrinks, share, 0.0))
    return xp.where(shrinks, xp.exp(times * log), xp.where(times == 0, 1.0, 0.0))


def stray(alpha: Array, times: float) -> Array:
    """Return (times (1-beta)/(1+beta))^(1/2) beta + (1-beta): what Nesterov momentum lets through of the noise.

    Source: Cesista, Corollary 7, with times = 2; in the revised forms 1.
    """
    return sqrt(times * alpha / (2.0 - alpha)) * (1.0 - alpha) + alpha
