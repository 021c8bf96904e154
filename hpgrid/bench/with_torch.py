"""The works by PyTorch: compiled over the whole grid, or eager and one T at a time."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch

from hpgrid.bench.problem import Found, Loaded, axes_of, bound, open_axes, unravel
from hpgrid.bench.works import WORKS
from hpgrid.grid import Grid


def load(work: str, grid: Grid) -> Loaded:
    """Return a work by ``torch.compile`` where that works here, else eager; the detail says which."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    asked = WORKS[work]
    values = [*open_axes(grid, (*asked.order, "T")), axes_of(grid)[-1]]
    axes = [torch.tensor(array, device=device) for array in values]
    whole = torch.compile(partial(_best, len(asked.over)))
    try:
        whole(*axes)  # compilation happens, or fails, here
        best, how = whole, "torch.compile"
    except Exception as error:  # no compiler on this machine, say: there is still the eager way
        best, how = partial(_one_by_one, len(asked.over)), f"eager ({type(error).__name__} in torch.compile)"

    def call() -> Found:
        risk, rank = (result.cpu().numpy() for result in best(*axes))
        return Found(risk, unravel(rank, grid, asked))

    threads = f", {torch.get_num_threads()} threads" if device == "cpu" else ""
    return Loaded(call, f"{how}, {device}{threads}")


def _best(reduced: int, eta: Any, b: Any, alpha: Any, T: Any) -> tuple[Any, Any]:
    """The best risk and its place for all T at once: compiled, the cube of points need not exist."""
    risk = bound(torch.sqrt, eta, b, alpha, T)
    least = risk.reshape(-1, *risk.shape[reduced:]).min(0)
    return least.values, least.indices


def _one_by_one(reduced: int, eta: Any, b: Any, alpha: Any, T: Any) -> tuple[Any, Any]:
    """The same, one T at a time: what is held is one T's share of the cube."""
    each = [_best(reduced, eta, b, alpha, t) for t in T.reshape(-1, 1)]
    risk, rank = (torch.cat(parts, dim=-1) for parts in zip(*each))
    return risk, rank
