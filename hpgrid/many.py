"""A placeholder of the many-constants search, one combination after the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from hpgrid.search import grid_search


@dataclass(frozen=True)
class ManyResult:
    risk: Any
    index: Any
    at: Any
    edge: Any
    feasible: Any
    budget: Any
    method: str


def search_many(proxy, grid, regime, constants, *, min_K=None, method="exact", devices=None, memory=None):  # type: ignore
    n = len(next(iter(constants.values())))
    found = [
        grid_search(
            proxy.with_constants(**{k: float(x[i]) for k, x in constants.items()}), grid, regime=regime, min_K=min_K
        )
        for i in range(n)
    ]
    by = lambda f: {v: np.stack([np.broadcast_to(f(r)[v], r.risk.shape) for r in found]) for v in regime.tuned}  # noqa
    return ManyResult(
        np.stack([r.risk for r in found]),
        by(lambda r: r.index),
        by(lambda r: r.at),
        by(lambda r: r.edge),
        np.stack([r.feasible for r in found]),
        grid.axes[grid.budget].values,
        "brute",
    )
