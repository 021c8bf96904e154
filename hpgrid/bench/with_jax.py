"""The works by JAX: hpgrid's search, and the four nested vmaps that one would write first."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import hpgrid
from hpgrid.bench.problem import C1, C2, C3, Found, Loaded, axes_of, bound, unravel
from hpgrid.bench.works import HYPERPARAMETERS, WORKS
from hpgrid.grid import Grid


def load_hpgrid(work: str, grid: Grid) -> Loaded:
    """Return a work by ``hpgrid.grid_search``."""
    proxy = hpgrid.bounds.lmo(C1=C1, C2=C2, C3=C3)
    over = WORKS[work].over

    def call() -> Found:
        best = hpgrid.grid_search(proxy, grid, over=over)
        return Found(best.risk, tuple(best.index[axis] for axis in over))

    return Loaded(call, jax.default_backend())


def load_vmaps(work: str, grid: Grid) -> Loaded:
    """Return a work by the bound of one cell, vmapped over every axis, and its min and argmin."""
    asked = WORKS[work]
    variables = (*HYPERPARAMETERS, "T")
    cube: Any = partial(bound, jnp.sqrt)
    for axis in reversed((*asked.order, "T")):
        cube = jax.vmap(cube, [0 if name == axis else None for name in variables])

    @jax.jit
    def best(*axes: Any) -> Any:
        risk = cube(*axes)
        lines = risk.reshape(-1, *risk.shape[len(asked.over) :])
        return lines.min(0), lines.argmin(0)

    def call() -> Found:
        with jax.enable_x64(True):
            risk, rank = (np.asarray(array) for array in best(*axes_of(grid)))
        return Found(risk, unravel(rank, grid, asked))

    return Loaded(call, jax.default_backend())
