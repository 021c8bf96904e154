"""What every contender computes: eq. (4) on the paper's grid, and the form of an answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hpgrid.bench.works import HYPERPARAMETERS, Work
from hpgrid.grid import Grid

#: The two expressions that are timed, as text; ``bound`` and ``part_with_eta`` compute them.
PRINTED = "C1*b/(eta*T) + C2/np.sqrt(b)*(b + alpha**1.5*T)/(alpha*T) + C3*eta*(1 + 1/alpha)"
FACTORED = "b/(eta*T) + eta*(1 + 1/alpha)"

C1 = C2 = C3 = 1.0

Axes = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]
Cell = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]


@dataclass(frozen=True)
class Found:
    """What a contender found.

    Attributes:
        risk: the best risk, over the axes that the work keeps: (T,) for R1, (b, alpha, T) for R4.
        index: the place of the best on each axis that it minimises away, each of the shape of ``risk``.
    """

    risk: NDArray[np.floating]
    index: tuple[NDArray[np.integer], ...]


class Loaded(NamedTuple):
    """A contender that is ready to be timed: what to call, and how it runs (device, threads)."""

    call: Callable[[], Found]
    detail: str


def axes_of(grid: Grid) -> Axes:
    """Return the values of the four axes: eta, b, alpha, T."""
    eta, b, alpha, T = (grid.axes[name].values for name in (*HYPERPARAMETERS, "T"))
    return eta, b, alpha, T


def open_axes(grid: Grid, order: Sequence[str]) -> Cell:
    """Return eta, b, alpha, each along its place in ``order``, so that they broadcast to all cells."""
    values = zip(HYPERPARAMETERS, axes_of(grid))
    eta, b, alpha = (array.reshape([-1 if axis == name else 1 for axis in order]) for name, array in values)
    return eta, b, alpha


def bound(sqrt: Callable[[Any], Any], eta: Any, b: Any, alpha: Any, T: Any) -> Any:
    """Return the bound as it is printed, for arrays (or scalars) that broadcast.

    Source: Shulgin et al., eq. (4).
    """
    return C1 * b / (eta * T) + C2 / sqrt(b) * (b + alpha**1.5 * T) / (alpha * T) + C3 * eta * (1 + 1 / alpha)


def part_with_eta(eta: Any, b: Any, alpha: Any, T: Any) -> Any:
    """Return the part of eq. (4) that depends on eta, with unit constants."""
    return b / (eta * T) + eta * (1 + 1 / alpha)


def part_without_eta(b: Any, alpha: Any, T: Any) -> Any:
    """Return the rest of eq. (4), with unit constants, by NumPy."""
    return 1 / np.sqrt(b) * (b + alpha**1.5 * T) / (alpha * T)


def unravel(rank: NDArray[np.integer], grid: Grid, work: Work) -> tuple[NDArray[np.integer], ...]:
    """Return the indices on the axes that are minimised away, from places in row-major order."""
    return np.unravel_index(rank, [len(grid.axes[name]) for name in work.over])
