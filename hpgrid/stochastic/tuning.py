"""Best hyperparameters of runs that share their seeds, and how far each may be from the true best."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from hpgrid.shapes import AnyArray as Array
from hpgrid.slopes import Slope, fit_slope
from hpgrid.stochastic.samples import LEVEL, near_minimum


class Best(NamedTuple):
    """The best value of one hyperparameter along a curve, each of shape (n,)."""

    value: Array  # that of the cell of least mean
    low: Array  # the least value that can't be told from it
    high: Array  # the largest one
    edge: Array  # ``low`` or ``high`` is the axis' first or last value: the best could lie beyond, and says nothing
    step: Array  # the largest gap on the axis, in natural log: so far from ``low`` or ``high`` the best may be besides


def best(runs: Array, axes: Mapping[str, Array], level: float = LEVEL) -> dict[str, Best]:
    """Return the best values of the hyperparameters that are tuned, along a curve.

    What can't be told from the best cell is told by paired differences over seeds, all intervals at once, together as
    sure as ``level``. ``runs`` are to be small, shape (tuned, ..., n, seeds); ``axes`` has the tuned hyperparameters'
    values, increasing, in the order of the axes.
    """
    values = [np.asarray(axis, float) for axis in axes.values()]
    sizes, (n, seeds) = tuple(len(axis) for axis in values), np.shape(runs)[-2:]
    cells = np.reshape(runs, (-1, n, seeds))
    # All intervals of the whole curve hold together: as many comparisons as cells and points.
    near = np.stack([near_minimum(cells[:, j], cells.shape[0] * n, level) for j in range(n)], -1).reshape(*sizes, n)
    first = np.unravel_index(cells.mean(-1).argmin(0), sizes)
    optima = {}
    for k, (name, axis) in enumerate(zip(axes, values)):
        some = np.asarray(near.any(tuple(other for other in range(len(sizes)) if other != k)))
        low, high = some.argmax(0), len(axis) - 1 - some[::-1].argmax(0)
        step, edge = np.diff(np.log(axis)).max(), (low == 0) | (high == len(axis) - 1)
        optima[name] = Best(axis[first[k]], axis[low], axis[high], edge, np.full(n, step))
    return optima


def movement(along: Array, optimum: Best) -> Slope:
    """Return the power of what the curve runs along in a best value, edges left out.

    Fitted to the middle of what can't be told apart, from which each log of the truth is within its half-width.
    The curve runs along K or b, shape (n,).
    """
    half = np.log(optimum.high / optimum.low) / 2.0 + optimum.step
    return fit_slope(along, np.sqrt(optimum.low * optimum.high), edge=optimum.edge, step=half)
