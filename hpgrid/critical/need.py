"""How many iterations a bound asks for to reach a target, as a function of the batch size."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hpgrid.bounds.cesista2025 import Parts

Array = NDArray[np.float64]

#: K(b), elementwise; +inf where no number of iterations reaches the target.
Iterations = Callable[[ArrayLike], Array]


def one_over(parts: Parts, form: str, room: float) -> Iterations:
    """Return K(b) of X/K + Y/b + Z_noise/b^(1/2) <= room in the first form, of X/K + Y/b^(1/2) <= room else.

    Above any target that holds trivially it is below 1, never under one that doesn't: X + Z >= (2 L Delta0)^(1/2).
    """
    at_b, at_root = split(parts, form)

    def iterations(b: ArrayLike) -> Array:
        left = room - at_b / np.asarray(b, float) - at_root / np.sqrt(b)
        return np.where(left > 0, parts.X / np.where(left > 0, left, 1.0), np.inf)

    return iterations


def logarithmic(parts: Parts, room: float, rate: float) -> Iterations:
    """Return K(b) of X (1 - rate)^K + Y/b^(1/2) <= room, for room < X and rate = lam eta < 1."""

    def iterations(b: ArrayLike) -> Array:
        left = room - parts.Y / np.sqrt(b)
        decays = np.log(parts.X / np.where(left > 0, left, 1.0)) / -np.log1p(-rate)
        return np.where(left > 0, decays, np.inf)

    return iterations


def split(parts: Parts, form: str) -> tuple[float, float]:
    """Return the coefficients of 1/b and of 1/b^(1/2)."""
    return (float(parts.Y), float(parts.Z_noise)) if form == "seed" else (0.0, float(parts.Y))
