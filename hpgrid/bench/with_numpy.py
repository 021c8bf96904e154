"""The works by NumPy, one T at a time: eq. (4) as printed, or with its part in eta taken first."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hpgrid.bench.problem import Found, Loaded, axes_of, bound, open_axes, part_with_eta, part_without_eta
from hpgrid.bench.works import WORKS
from hpgrid.grid import Grid


def load_printed(work: str, grid: Grid) -> Loaded:
    """Return a work by eq. (4) as printed."""
    order, reduced = WORKS[work].order, len(WORKS[work].over)
    cell, T = open_axes(grid, order), axes_of(grid)[-1]

    def best_at(t: float) -> tuple[Any, ...]:
        return least(bound(np.sqrt, *cell, t), reduced)

    return Loaded(partial(per_budget, best_at, T), "1 thread")


def load_factored(axis: int, work: str, grid: Grid) -> Loaded:
    """Return a work by the part with eta first, its argmin along eta, then the rest.

    ``axis`` is where eta lies: 0, in the order of the paper, or -1, where NumPy's argmin is fastest.
    """
    cell = open_axes(grid, factored_order(axis, work))
    return Loaded(factored(partial(part_with_eta, *cell), axis, work, grid), "1 thread")


def factored_order(axis: int, work: str) -> tuple[str, ...]:
    """Return the order of a work's axes with eta first (``axis`` 0) or last (-1)."""
    eta, *others = WORKS[work].order
    return (eta, *others) if axis == 0 else (*others, eta)


def factored(part_at: Callable[[float], NDArray[np.float64]], axis: int, work: str, grid: Grid) -> Callable[[], Found]:
    """Return what does a work, from what gives the part of the risk with eta, over all cells of one T."""
    reduced = len(WORKS[work].over) - 1
    cell = open_axes(grid, factored_order(axis, work))
    b, alpha = (values.squeeze(axis) for values in cell[1:])

    def best_at(t: float) -> tuple[Any, ...]:
        part = part_at(t)
        place = part.argmin(axis)
        lowest = np.take_along_axis(part, np.expand_dims(place, axis), axis).squeeze(axis)
        return least(lowest + part_without_eta(b, alpha, t), reduced, place)

    return partial(per_budget, best_at, axes_of(grid)[-1])


def least(risk: NDArray[np.float64], reduced: int, *beside: NDArray[Any]) -> tuple[Any, ...]:
    """Return the least over the first axes of an array, and where it is: the first in row-major order.

    Args:
        risk: the values.
        reduced: how many axes are minimised away; 0 leaves all as it is.
        beside: arrays of the same shape, of which the entries at the least are taken, too.

    Returns:
        The least, what lies beside it, and its index on each reduced axis.
    """
    if reduced == 0:
        return risk, *beside
    kept = risk.shape[reduced:]
    place = risk.reshape(-1, *kept).argmin(0)
    taken = (np.take_along_axis(array.reshape(-1, *kept), place[None], 0)[0] for array in (risk, *beside))
    return *taken, *np.unravel_index(place, risk.shape[:reduced])


def per_budget(best_at: Callable[[float], Any], T: NDArray[np.float64]) -> Found:
    """Stack what was found at each T: risk and indices, the T axis last."""
    risk, *index = (np.moveaxis(np.array(part), 0, -1) for part in zip(*map(best_at, T)))
    return Found(risk, tuple(index))
