"""The tasks by Numba: loops over every point, one thread a budget, with tables on the axes."""

from __future__ import annotations

from functools import partial
from typing import Any

import numba
import numpy as np
from numba import njit, prange

from hpgrid.bench.harness import Answer, Floats, Ready, axes_of
from hpgrid.grid import Grid

Axes = tuple[Floats, Floats, Floats, Floats]


def compiled_loops(task: str, grid: Grid) -> Ready:
    """Return a task by compiled loops; they are compiled at the first call."""
    return Ready(partial(_best, task, axes_of(grid)), f"{numba.get_num_threads()} threads")


def _best(task: str, axes: Axes) -> Answer:
    # The kernels have T first, an answer has it last.
    if task == "R4":
        risk, index = _best_eta(*axes)
        return Answer(np.moveaxis(risk, 0, -1), (np.moveaxis(index, 0, -1),))
    if task == "R2":
        risk, eta, b = (part.T for part in _best_eta_b(*axes))
        return Answer(risk, (eta, b))
    # No index of eta is kept on the way: it is found again at the cells of the answer.
    risk, place = _best_alpha(*axes)
    if task == "R3":
        t, b = np.indices(risk.shape)
        eta = _best_eta_at(*axes, b.ravel(), place.ravel(), t.ravel()).reshape(risk.shape)
        return Answer(risk.T, (eta.T, place.T))
    # R1 is R3's best for every b, and the best of them.
    b = risk.argmin(1)
    t = np.arange(len(b))
    return Answer(risk[t, b], (_best_eta_at(*axes, b, place[t, b], t), b, place[t, b]))


@njit
def _lowest(b: float, eta: Any, T: float, drift: Any, best: Any, place: Any) -> None:
    """Write the least of b/(eta T) + drift over eta and where it is, for every alpha.

    Two values of eta at a time, and places as floats: so the inner loop is vectorised, twice as fast.
    """
    best[:], place[:] = np.inf, 0.0
    for e in range(0, len(eta), 2):
        second = min(e + 1, len(eta) - 1)
        progress, after, at = b / (eta[e] * T), b / (eta[second] * T), float(e)
        for a in range(len(best)):
            value, other = progress + drift[e, a], after + drift[second, a]
            lower = at + 1 if other < value else at
            value = other if other < value else value
            place[a] = lower if value < best[a] else place[a]
            best[a] = value if value < best[a] else best[a]


@njit(parallel=True)
def _best_alpha(eta: Any, b: Any, alpha: Any, T: Any) -> Any:
    """Return the best risk over eta and alpha, and the index of alpha, both of shape (T, b)."""
    drift = eta.reshape(-1, 1) * (1 + 1 / alpha)
    risk, place = np.empty((len(T), len(b))), np.empty((len(T), len(b)), np.int64)
    for t in prange(len(T)):
        best = np.empty(len(alpha))
        # What does not vary along eta is computed outside its loop.
        burn_in, floor = 1 / (alpha * T[t]), np.sqrt(alpha)
        for i in range(len(b)):
            best[:] = np.inf
            for e in range(len(eta)):
                progress = b[i] / (eta[e] * T[t])
                for a in range(len(best)):
                    value = progress + drift[e, a]
                    best[a] = value if value < best[a] else best[a]
            best += (b[i] * burn_in + floor) / np.sqrt(b[i])
            place[t, i] = best.argmin()
            risk[t, i] = best[place[t, i]]
    return risk, place


@njit(parallel=True)
def _best_eta_at(eta: Any, b: Any, alpha: Any, T: Any, i: Any, a: Any, t: Any) -> Any:
    """Return the index of the best eta in some cells, given by their indices: where only the rest was kept."""
    index = np.empty(len(i), np.int64)
    for k in prange(len(i)):
        index[k] = (b[i[k]] / (eta * T[t[k]]) + eta * (1 + 1 / alpha[a[k]])).argmin()
    return index


@njit(parallel=True)
def _best_eta_b(eta: Any, b: Any, alpha: Any, T: Any) -> Any:
    """Return the best risk over eta and b, and the indices of both, all of shape (T, alpha)."""
    drift = eta.reshape(-1, 1) * (1 + 1 / alpha)
    shape = (len(T), len(alpha))
    risk, first, second = np.full(shape, np.inf), np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    for t in prange(len(T)):
        best, place = np.empty(len(alpha)), np.empty(len(alpha))
        burn_in, floor = 1 / (alpha * T[t]), np.sqrt(alpha)
        for i in range(len(b)):
            _lowest(b[i], eta, T[t], drift, best, place)
            best += (b[i] * burn_in + floor) / np.sqrt(b[i])
            for a in range(len(alpha)):
                if best[a] < risk[t, a]:
                    risk[t, a], first[t, a], second[t, a] = best[a], int(place[a]), i
    return risk, first, second


@njit(parallel=True)
def _best_eta(eta: Any, b: Any, alpha: Any, T: Any) -> Any:
    """Return the best risk over eta and its index, both of shape (T, b, alpha)."""
    drift = eta.reshape(-1, 1) * (1 + 1 / alpha)
    shape = (len(T), len(b), len(alpha))
    risk, index = np.empty(shape), np.empty(shape, np.int32)
    for t in prange(len(T)):
        best, place = np.empty(len(alpha)), np.empty(len(alpha))
        burn_in, floor = 1 / (alpha * T[t]), np.sqrt(alpha)
        for i in range(len(b)):
            _lowest(b[i], eta, T[t], drift, best, place)
            noise = 1 / np.sqrt(b[i])
            for a in range(len(alpha)):
                risk[t, i, a] = best[a] + noise * (b[i] * burn_in[a] + floor[a])
                index[t, i, a] = int(place[a])
    return risk, index
