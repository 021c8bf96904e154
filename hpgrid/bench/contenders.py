"""Ways to search a grid, all for the same work: hpgrid, and what one would write instead.

The works are two. R1: the best (eta, b, alpha) for every T. R4: the best eta for every (b, alpha, T).
Both are of eq. (4) with C1 = C2 = C3 = 1, in float64, on the grid of the paper's footnote.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hpgrid.grid import Grid

#: What each work asks for.
WORKS: Mapping[str, str] = {
    "R1": "best (eta, b, alpha) for every T",
    "R4": "best eta for every (b, alpha, T)",
}

#: The two NumPy expressions that are timed, as text; ``bound`` and ``part_with_eta`` compute them.
PRINTED = "C1*b/(eta*T) + C2/np.sqrt(b)*(b + alpha**1.5*T)/(alpha*T) + C3*eta*(1 + 1/alpha)"
FACTORED = "b/(eta*T) + eta*(1 + 1/alpha)"

C1 = C2 = C3 = 1.0

#: The largest cube of all points, in bytes, that a contender may hold.
CUBE_LIMIT = 2**31

Axes = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]


@dataclass(frozen=True)
class Found:
    """What a contender found.

    Attributes:
        risk: the best risk; shape (T,) for R1, (b, alpha, T) for R4.
        index: the place of the best on each reduced axis, (eta, b, alpha) for R1, (eta,) for R4,
            each of the shape of ``risk``.
    """

    risk: NDArray[np.floating]
    index: tuple[NDArray[np.integer], ...]


class Loaded(NamedTuple):
    """A contender that is ready to be timed: what to call, and how it runs (device, threads)."""

    call: Callable[[], Found]
    detail: str


@dataclass(frozen=True)
class Contender:
    """A way to do the works.

    Args:
        name: its key in the record.
        label: its line in the table.
        load: from a work's name and a grid to what is timed.
        imports: modules to import before its first call is timed.
        package: the package it needs beyond hpgrid's own, or None.
        cube: whether it may hold all points of the grid at once.
    """

    name: str
    label: str
    load: Callable[[str, Grid], Loaded]
    imports: tuple[str, ...] = ()
    package: str | None = None
    cube: bool = False


def why_not(contender: Contender, n: int) -> str | None:
    """Return why a contender cannot run at ``n`` values an axis, or None where it can."""
    if contender.package and importlib.util.find_spec(contender.package) is None:
        return f"{contender.package} is not installed"
    if contender.cube and 8 * n**4 > CUBE_LIMIT:
        return f"its cube of all points may take {8 * n**4 / 2**30:.0f} GiB"
    return None


def axes_of(grid: Grid) -> Axes:
    """Return the values of the four axes: eta, b, alpha, T."""
    eta, b, alpha, T = (grid.axes[name].values for name in ("eta", "b", "alpha", "T"))
    return eta, b, alpha, T


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


# --- NumPy, one T at a time ---


def _per_budget(best_at: Callable[[float], Any], T: NDArray[np.float64]) -> Found:
    """Stack what was found at each T: risk and indices, the T axis last."""
    risk, *index = zip(*map(best_at, T))
    return Found(np.moveaxis(np.array(risk), 0, -1), tuple(np.moveaxis(np.array(i), 0, -1) for i in index))


def _load_printed(work: str, grid: Grid) -> Loaded:
    eta, b, alpha, T = axes_of(grid)
    cell = eta[:, None, None], b[None, :, None], alpha[None, None, :]

    def jointly(t: float) -> tuple[Any, ...]:
        risk = bound(np.sqrt, *cell, t)
        place = np.unravel_index(risk.argmin(), risk.shape)
        return risk[place], *place

    def along_eta(t: float) -> tuple[Any, ...]:
        risk = bound(np.sqrt, *cell, t)
        return risk.min(0), risk.argmin(0)

    best_at = {"R1": jointly, "R4": along_eta}[work]
    return Loaded(partial(_per_budget, best_at, T), "1 thread")


def _load_factored(axis: int, work: str, grid: Grid) -> Loaded:
    """The part with eta first, its argmin along eta, then the rest.

    ``axis`` is where eta lies: 0, in the order of the paper, or -1, where NumPy's argmin is fastest.
    """
    eta, b, alpha, T = axes_of(grid)
    cell = (eta[:, None, None], b[:, None], alpha[None, :])
    if axis == -1:
        cell = (eta, b[:, None, None], alpha[None, :, None])

    def along_eta(t: float) -> tuple[Any, ...]:
        part = part_with_eta(*cell, t)
        place = part.argmin(axis)
        least = np.take_along_axis(part, np.expand_dims(place, axis), axis).squeeze(axis)
        return least + part_without_eta(b[:, None], alpha[None, :], t), place

    def jointly(t: float) -> tuple[Any, ...]:
        risk, place = along_eta(t)
        best = np.unravel_index(risk.argmin(), risk.shape)
        return risk[best], place[best], *best

    best_at = {"R1": jointly, "R4": along_eta}[work]
    return Loaded(partial(_per_budget, best_at, T), "1 thread")


# --- JAX ---


def _load_vmaps(work: str, grid: Grid) -> Loaded:
    import jax
    import jax.numpy as jnp

    cube: Any = partial(bound, jnp.sqrt)
    for axis in (3, 2, 1, 0):
        cube = jax.vmap(cube, [0 if k == axis else None for k in range(4)])

    @jax.jit
    def best(*axes: Any) -> Any:
        risk = cube(*axes)
        risk = risk if work == "R4" else risk.reshape(-1, risk.shape[-1])
        return risk.min(0), risk.argmin(0)

    def call() -> Found:
        with jax.enable_x64(True):
            risk, rank = (np.asarray(array) for array in best(*axes_of(grid)))
        return Found(risk, (rank,) if work == "R4" else unravel(rank, grid))

    return Loaded(call, jax.default_backend())


def _load_hpgrid(work: str, grid: Grid) -> Loaded:
    import jax

    import hpgrid

    proxy = hpgrid.bounds.lmo(C1=C1, C2=C2, C3=C3)
    over = {"R1": ("eta", "b", "alpha"), "R4": ("eta",)}[work]

    def call() -> Found:
        best = hpgrid.grid_search(proxy, grid, over=over)
        return Found(best.risk, tuple(best.index[axis] for axis in over))

    return Loaded(call, jax.default_backend())


def unravel(rank: NDArray[np.integer], grid: Grid) -> tuple[NDArray[np.integer], ...]:
    """Return (eta, b, alpha) indices from places in row-major order."""
    return np.unravel_index(rank, [len(grid.axes[name]) for name in ("eta", "b", "alpha")])


# --- what is optional ---


def _load_from(module: str, work: str, grid: Grid) -> Loaded:
    """Load a contender whose file imports a package that may be missing."""
    return importlib.import_module(module).load(work, grid)


_TORCH, _NUMBA = "hpgrid.bench.with_torch", "hpgrid.bench.with_numba"

#: The one that the others are held against.
HPGRID = Contender("hpgrid", "hpgrid.grid_search", _load_hpgrid, ("jax.numpy", "hpgrid.search"))

#: In the order of the table, by name.
CONTENDERS: Mapping[str, Contender] = {
    contender.name: contender
    for contender in (
        Contender("numpy_printed", "NumPy, as printed", _load_printed),
        Contender("numpy_factored", "NumPy, factored by hand", partial(_load_factored, 0)),
        Contender("numpy_factored_last", "NumPy, factored, eta last", partial(_load_factored, -1)),
        Contender("vmaps", "JAX, four nested vmaps", _load_vmaps, ("jax.numpy",), cube=True),
        Contender("torch", "PyTorch", partial(_load_from, _TORCH), ("torch",), "torch"),
        Contender("numba", "Numba, with tables", partial(_load_from, _NUMBA), ("numba",), "numba"),
        HPGRID,
    )
}
