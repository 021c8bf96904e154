"""The search as nested Python loops over equations typed by hand: what grid_search must agree with."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray
from scipy import optimize

from hpgrid import FunctionProxy, Grid, LogAxis, Proxy, SearchResult, bounds

#: How far the same sum may differ between two codes, relatively.
NEAR = 8 * float(np.finfo(np.float64).eps)

AXES = ("eta", "b", "alpha", "T", "K")

#: Everything that may be tuned.
SUBSETS = [over for n in (1, 2, 3) for over in itertools.combinations(AXES[:3], n)]

#: Whole powers of two, on which bounds in whole powers tie exactly.
HALVES = LogAxis.from_values([0.125, 0.25, 0.5, 1.0])
TIE_GRID = Grid(
    eta=HALVES, b=LogAxis.from_values([1.0, 2.0, 4.0, 8.0]), alpha=HALVES, T=LogAxis.from_values([16.0, 64.0])
)


class Bound(NamedTuple):
    """A bound of hpgrid, and its equation in K as Python would write it for four floats."""

    proxy: Proxy | FunctionProxy
    in_K: Callable[[float, float, float, float], float]

    def risk(self, cell: Mapping[str, float]) -> float:
        """Return the equation's value at {"eta": ..., "b": ..., "alpha": ..., "T" or "K": ...}."""
        K = cell["K"] if "K" in cell else cell["T"] / cell["b"]
        return self.in_K(cell["eta"], cell["b"], cell["alpha"], K)


def _largest(eta: Any, b: Any, alpha: Any, T: Any, constants: Mapping[str, Any]) -> Any:
    """A bound that is no sum of powers: NaN where lam eta > 1."""
    progress = constants["C"] * b / (eta * T * jnp.sqrt(1 - constants["lam"] * eta))
    return jnp.maximum(progress, eta / alpha) + jnp.sqrt(alpha / b)


def _largest_by_hand(eta: float, b: float, alpha: float, K: float) -> float:
    if eta / 4 > 1:
        return math.nan
    return max(3 / (eta * K * math.sqrt(1 - eta / 4)), eta / alpha) + math.sqrt(alpha / b)


#: Every bound, with variants of its options.
BOUNDS = {
    "lmo": Bound(
        bounds.lmo(),
        lambda eta, b, alpha, K: 1 / (eta * K) + (1 + alpha**1.5 * K) / (b**0.5 * alpha * K) + eta * (1 + 1 / alpha),
    ),
    "lmo, constants": Bound(
        bounds.lmo(C1=0.3, C2=20.0, C3=5.0),
        lambda eta, b, alpha, K: (
            0.3 / (eta * K) + 20 / b**0.5 * (1 / (alpha * K) + alpha**0.5) + 5 * eta * (1 + 1 / alpha)
        ),
    ),
    "lmo, problem": Bound(
        bounds.lmo(Delta0=0.3, rho=2.0, sigma=5.0, L=1.25),
        lambda eta, b, alpha, K: (
            0.3 / (eta * K) + 20 / b**0.5 * (1 / (alpha * K) + alpha**0.5) + 5 * eta * (1 + 1 / alpha)
        ),
    ),
    "lmo, q=0.3": Bound(
        bounds.lmo(q=0.3),
        lambda eta, b, alpha, K: 1 / (eta * K) + b**-0.3 * (1 / (alpha * K) + alpha**0.5) + eta * (1 + 1 / alpha),
    ),
    "lmo, E0": Bound(
        bounds.lmo(E0=0.7),
        lambda eta, b, alpha, K: 1 / (eta * K) + 0.7 / (alpha * K) + (alpha / b) ** 0.5 + eta * (1 + 1 / alpha),
    ),
    "lmo, no burn-in": Bound(
        bounds.lmo(burn_in=False, q="1/3"),
        lambda eta, b, alpha, K: 1 / (eta * K) + alpha**0.5 / b ** (1 / 3) + eta / alpha,
    ),
    "lmo_exact": Bound(
        bounds.lmo_exact(Delta0=2.0, L=3.0, rho=1.5, sigma=0.5),
        lambda eta, b, alpha, K: (
            2 / (eta * K) + 1.5 / (alpha * b**0.5 * K) + 1.5 * (alpha / b) ** 0.5 + 10.5 * eta + 6 * eta / alpha
        ),
    ),
    "lmo_large_horizon": Bound(
        bounds.lmo_large_horizon(C1=2.0),
        lambda eta, b, alpha, K: 2 / (eta * K) + (alpha / b) ** 0.5 + eta * (1 + 1 / alpha),
    ),
    "sgd": Bound(
        bounds.sgd(L=0.5, sigma=3.0), lambda eta, b, alpha, K: 1 / (eta * K) + 4.5 * eta / b if eta <= 2 else math.inf
    ),
    "function": Bound(FunctionProxy(_largest, {"C": 3.0, "lam": 0.25}), _largest_by_hand),
}


class Found(NamedTuple):
    """What the loops found in every cell of the axes that remain."""

    risk: NDArray[np.float64]  # the smallest value
    runner_up: NDArray[np.float64]  # the smallest but one, equal to it where two cells tie
    index: dict[str, NDArray[np.int64]]  # of the first cell in row-major order; -1 where none is finite


def axes_of(grid: Grid) -> dict[str, list[float]]:
    """Return the axes of a grid as lists of Python floats."""
    return {name: axis.values.tolist() for name, axis in grid.axes.items()}


def naive_search(
    risk: Callable[[Mapping[str, float]], float],
    axes: Mapping[str, Sequence[float]],
    over: Sequence[str],
    held: Mapping[str, float] | None = None,
) -> Found:
    """Return the smallest ``risk(cell)`` over some axes for every cell of the others, by brute force."""
    over = [name for name in AXES if name in over]
    remaining = [name for name in AXES if name in axes and name not in over]
    shape = tuple(len(axes[name]) for name in remaining)
    best, second = np.full(shape, math.inf), np.full(shape, math.inf)
    index = {name: np.full(shape, -1) for name in over}
    for place in itertools.product(*(range(n) for n in shape)):
        cell = {**(held or {}), **{name: axes[name][k] for name, k in zip(remaining, place)}}
        for at in itertools.product(*(range(len(axes[name])) for name in over)):
            value = risk({**cell, **{name: axes[name][k] for name, k in zip(over, at)}})
            if value < best[place]:
                best[place], second[place] = value, best[place]
                for name, k in zip(over, at):
                    index[name][place] = k
            elif value < second[place]:
                second[place] = value
    return Found(best, second, index)


def clear(found: Found) -> NDArray[np.bool_]:
    """Return where the index is decided: no other cell within 8 eps, or no finite cell at all."""
    return (found.runner_up > found.risk * (1 + NEAR)) | np.isinf(found.risk)


def assert_agrees(result: SearchResult, found: Found) -> None:
    """Check risk within 8 eps, and every index where it is decided."""
    assert result.risk.shape == found.risk.shape
    assert_allclose(result.risk, found.risk, rtol=NEAR, atol=0)
    for name, index in found.index.items():
        assert_array_equal(result.index[name][clear(found)], index[clear(found)])
    assert tuple(result.index) == tuple(found.index)


def minimise(risk: Callable[[Any], Any], start: Sequence[float]) -> tuple[NDArray[np.float64], float]:
    """The minimiser and the minimum of a positive function of positive numbers, found numerically in the logs."""
    found = optimize.minimize(lambda z: np.log(risk(np.exp(z))), np.log(start), method="BFGS", options={"gtol": 1e-10})
    return np.exp(found.x), float(np.exp(found.fun))
