"""What the bounds share: arrays of any library, and expressions in alpha = 1 - beta that lose no digits."""

from __future__ import annotations

from typing import Any

import numpy as np

#: A number, a NumPy array or a JAX one.
Array = Any


def space(*values: Array) -> Any:
    """Return the namespace of the first array that has one other than NumPy's, else NumPy's."""
    spaces = [value.__array_namespace__() for value in values if hasattr(value, "__array_namespace__")]
    return next((space for space in spaces if space is not np), np)


def sqrt(x: Array) -> Array:
    """Return the square root, elementwise."""
    return space(x).sqrt(x)


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
