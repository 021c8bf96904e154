"""Iso-loss contours, traced in log space."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from hpgrid.errors import bad
from hpgrid.shapes import Array, Float

#: How many levels a contour figure shows, as a guide.
LEVELS = 20


def even_levels(risk: ArrayLike, count: int = LEVELS) -> Float[Array, "levels"]:
    """Return ``count`` levels evenly spaced in log risk, strictly inside the range of ``risk``."""
    finite = np.asarray(risk, float)
    finite = np.log(finite[np.isfinite(finite) & (finite > 0)])
    if not finite.size:
        raise bad("levels need a finite positive risk", risk, "a grid with a feasible cell")
    return np.exp(np.linspace(finite.min(), finite.max(), count + 2)[1:-1])


def iso_loss(x: ArrayLike, y: ArrayLike, risk: ArrayLike, levels: ArrayLike) -> list[list[Float[Array, "points 2"]]]:
    """Return the lines of equal risk, interpolated linearly in the logs of x, y and risk.

    Args:
        x: values of the horizontal axis, shape (nx,).
        y: values of the vertical axis, shape (ny,).
        risk: the risk, shape (ny, nx); not finite where there is none.
        levels: the levels, shape (n,).

    Returns:
        For each level a list of lines, each of shape (points, 2) in x and y themselves.
    """
    from contourpy import contour_generator  # 0.1 s to import, for contour figures alone

    z = np.log(np.where(np.isfinite(risk), risk, np.nan))
    traced = contour_generator(np.log(np.asarray(x)), np.log(np.asarray(y)), np.ma.masked_invalid(z))
    return [[np.exp(np.asarray(line)) for line in traced.lines(np.log(level))] for level in np.asarray(levels, float)]
