"""The tasks by hpgrid, and by what one would write instead: NumPy, NumExpr, four nested vmaps, PyTorch.

Each function makes a contender ready. What it needs beyond NumPy is imported in it, when it takes part.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from hpgrid.bench.harness import (
    FACTORED,
    PRINTED,
    Answer,
    Floats,
    Ready,
    axes_of,
    bound,
    open_axes,
    part_with_eta,
)  # fmt: skip
from hpgrid.bench.tasks import HYPERPARAMETERS, TASKS
from hpgrid.grid import Grid


def hpgrid(task: str, grid: Grid, method: str) -> Ready:
    """Return a task by ``hpgrid.grid_search``, by brute force or the exact way."""
    from hpgrid.bounds import lmo
    from hpgrid.search.brute import grid_search

    proxy, over = lmo(C1=1.0, C2=1.0, C3=1.0), TASKS[task].over

    def call() -> Answer:
        best = grid_search(proxy, grid, over=over, method=method)
        return Answer(best.risk, tuple(best.index[axis] for axis in over))

    if method == "exact":
        return Ready(call, "NumPy")
    import jax

    return Ready(call, jax.default_backend())


# --- one T at a time, by NumPy and by NumExpr ---


def by_budget(task: str, grid: Grid, library: str, eta_at: int | None = None) -> Ready:
    """Return a task one T at a time, by NumPy or by NumExpr.

    Args:
        task: its name.
        grid: the grid.
        library: "numpy", or "numexpr": every part of an expression for every cell, however few axes it varies along.
        eta_at: None for eq. (4) as printed; else the part with eta comes first, its argmin along eta, then the rest,
            and eta lies first (0), in the order of the paper, or last (-1), where NumPy's argmin is fastest.
    """
    over, order = TASKS[task].over, TASKS[task].order
    if eta_at == -1:
        order = (*order[1:], order[0])
    cell = open_axes(grid, order)
    way = partial(bound, np.sqrt) if eta_at is None else part_with_eta
    evaluate: Callable[[float], Floats] = partial(way, *cell)
    how = "1 thread"
    if library == "numexpr":
        shape = [len(grid.axes[name]) for name in order]
        evaluate, how = _numexpr(PRINTED if eta_at is None else FACTORED, cell, shape)

    def best_at(t: float) -> tuple[Any, ...]:
        values = evaluate(t)
        if eta_at is None:
            return _minimum(values, len(over))
        # The rest of the bound is a constant along eta, so that the argmin needs none of it.
        place = values.argmin(eta_at)
        lowest = np.take_along_axis(values, np.expand_dims(place, eta_at), eta_at).squeeze(eta_at)
        b, alpha = (axis.squeeze(eta_at) for axis in cell[1:])
        return _minimum(lowest + 1 / np.sqrt(b) * (b + alpha**1.5 * t) / (alpha * t), len(over) - 1, place)

    def call() -> Answer:
        risk, *index = (np.moveaxis(np.array(part), 0, -1) for part in zip(*map(best_at, axes_of(grid)[-1])))
        return Answer(risk, tuple(index))

    return Ready(call, how)


def _numexpr(text: str, cell: tuple[Floats, ...], shape: list[int]) -> tuple[Callable[[float], Floats], str]:
    """What evaluates an expression over all cells of one T, and on how many threads; it has a sqrt of its own."""
    import numexpr

    names: dict[str, Any] = dict(zip(HYPERPARAMETERS, cell)) | {"C1": 1.0, "C2": 1.0, "C3": 1.0}
    values = np.empty(shape)

    def evaluate(t: float) -> Floats:
        numexpr.evaluate(text.replace("np.", ""), names | {"T": t}, out=values)
        return values

    return evaluate, f"{numexpr.nthreads} threads"


def _minimum(risk: Floats, reduced: int, *beside: Any) -> tuple[Any, ...]:
    """The minimum over the first ``reduced`` axes, what lies beside it, and its index on each: the first, row-major."""
    if reduced == 0:
        return risk, *beside
    remaining = risk.shape[reduced:]
    place = risk.reshape(-1, *remaining).argmin(0)
    taken = (np.take_along_axis(array.reshape(-1, *remaining), place[None], 0)[0] for array in (risk, *beside))
    return *taken, *np.unravel_index(place, risk.shape[:reduced])


# --- the whole cube in one expression, by JAX and by PyTorch ---


def vmaps(task: str, grid: Grid) -> Ready:
    """Return a task by the bound of one cell, vmapped over every axis, and its min and argmin."""
    import jax
    import jax.numpy as jnp

    over, order = TASKS[task].over, TASKS[task].order
    cube: Any = partial(bound, jnp.sqrt)
    for axis in reversed((*order, "T")):
        cube = jax.vmap(cube, [0 if name == axis else None for name in (*HYPERPARAMETERS, "T")])

    @jax.jit
    def best(*axes: Any) -> Any:
        risk = cube(*axes)
        # The reduced axes come first, so that a reshape makes them one.
        lines = risk.reshape(-1, *risk.shape[len(over) :])
        return lines.min(0), lines.argmin(0)

    def call() -> Answer:
        with jax.enable_x64(True):
            return _unravelled(*map(np.asarray, best(*axes_of(grid))), task=task, grid=grid)

    return Ready(call, jax.default_backend())


def torch_compiled(task: str, grid: Grid) -> Ready:
    """Return a task by ``torch.compile`` where that works here, else eager, one T at a time; the detail says which."""
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    over, order = TASKS[task].over, TASKS[task].order
    values = [*open_axes(grid, (*order, "T")), axes_of(grid)[-1]]
    axes = [torch.tensor(array, device=device) for array in values]

    def best(eta: Any, b: Any, alpha: Any, T: Any) -> tuple[Any, Any]:
        # Of all T at once: compiled, the cube of points need not exist.
        risk = bound(torch.sqrt, eta, b, alpha, T)
        least = risk.reshape(-1, *risk.shape[len(over) :]).min(0)
        return least.values, least.indices

    def one_by_one(eta: Any, b: Any, alpha: Any, T: Any) -> tuple[Any, ...]:
        # What is held is one T's share of the cube.
        each = [best(eta, b, alpha, t) for t in T.reshape(-1, 1)]
        return tuple(torch.cat(parts, dim=-1) for parts in zip(*each))

    way: Any = torch.compile(best)
    try:
        # Compilation happens, or fails, here.
        way(*axes)
        how = "torch.compile"
    # No compiler on this machine, say: there is still the eager way.
    except Exception as error:
        way, how = one_by_one, f"eager ({type(error).__name__} in torch.compile)"
    threads = f", {torch.get_num_threads()} threads" if device == "cpu" else ""
    return Ready(
        lambda: _unravelled(*(result.cpu().numpy() for result in way(*axes)), task=task, grid=grid),
        f"{how}, {device}{threads}",
    )


def _unravelled(risk: Any, place: Any, *, task: str, grid: Grid) -> Answer:
    """Indices on the axes that are minimised away, from places in row-major order."""
    return Answer(risk, np.unravel_index(place, [len(grid.axes[name]) for name in TASKS[task].over]))
