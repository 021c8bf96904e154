"""The works by Numba: loops over every point, one thread a budget, with tables on the axes."""

from __future__ import annotations

from functools import partial
from typing import Any

import numba
import numpy as np
from numba import njit, prange

from hpgrid.bench.contenders import Found, Loaded, axes_of
from hpgrid.grid import Grid


def load(work: str, grid: Grid) -> Loaded:
    """Return a work by compiled loops; they are compiled at the first call."""
    call = partial({"R1": _jointly, "R4": _along_eta}[work], axes_of(grid))
    return Loaded(call, f"{numba.get_num_threads()} threads")


def _jointly(axes: Any) -> Found:
    risk, index = _best_point(*axes)
    return Found(risk, tuple(index))


def _along_eta(axes: Any) -> Found:
    risk, index = _best_eta(*axes)
    return Found(np.moveaxis(risk, 0, -1), (np.moveaxis(index, 0, -1),))


@njit
def _drift(eta: Any, alpha: Any) -> Any:
    """eta (1 + 1/alpha), for every eta and alpha."""
    table = np.empty((len(eta), len(alpha)))
    for e in range(len(eta)):
        for a in range(len(alpha)):
            table[e, a] = eta[e] * (1 + 1 / alpha[a])
    return table


@njit
def _lowest(progress: Any, drift: Any, best: Any) -> None:
    """Write the least of progress + drift over eta, for every alpha."""
    best[:] = np.inf
    for e in range(len(progress)):
        for a in range(len(best)):
            value = progress[e] + drift[e, a]
            best[a] = value if value < best[a] else best[a]


@njit
def _first_lowest(progress: Any, drift: Any, best: Any, place: Any) -> None:
    """Write the least of progress + drift over eta and where it is, for every alpha.

    Two values of eta at a time, and places as floats: so the inner loop is vectorised, twice as fast.
    """
    best[:], place[:] = np.inf, 0.0
    for e in range(0, len(progress), 2):
        second = min(e + 1, len(progress) - 1)
        at = float(e)
        for a in range(len(best)):
            value, other = progress[e] + drift[e, a], progress[second] + drift[second, a]
            lower = at + 1 if other < value else at
            value = other if other < value else value
            place[a] = lower if value < best[a] else place[a]
            best[a] = value if value < best[a] else best[a]


@njit(parallel=True)
def _best_point(eta: Any, b: Any, alpha: Any, T: Any) -> Any:
    """Return the best risk for every T, shape (T,), and its indices, shape (3, T)."""
    drift = _drift(eta, alpha)
    risk, index = np.full(len(T), np.inf), np.zeros((3, len(T)), np.int64)
    for t in prange(len(T)):
        best, progress = np.empty(len(alpha)), np.empty(len(eta))
        burn_in, floor = 1 / (alpha * T[t]), np.sqrt(alpha)
        for i in range(len(b)):
            for e in range(len(eta)):
                progress[e] = b[i] / (eta[e] * T[t])
            _lowest(progress, drift, best)
            best += (b[i] * burn_in + floor) / np.sqrt(b[i])
            a = best.argmin()
            if best[a] < risk[t]:
                risk[t], index[1, t], index[2, t] = best[a], i, a
        index[0, t] = (b[index[1, t]] / (eta * T[t]) + drift[:, index[2, t]]).argmin()
    return risk, index


@njit(parallel=True)
def _best_eta(eta: Any, b: Any, alpha: Any, T: Any) -> Any:
    """Return the best risk over eta and its index, both of shape (T, b, alpha)."""
    drift = _drift(eta, alpha)
    shape = (len(T), len(b), len(alpha))
    risk, index = np.empty(shape), np.empty(shape, np.int32)
    for t in prange(len(T)):
        best, place, progress = np.empty(len(alpha)), np.empty(len(alpha)), np.empty(len(eta))
        burn_in, floor = 1 / (alpha * T[t]), np.sqrt(alpha)
        for i in range(len(b)):
            for e in range(len(eta)):
                progress[e] = b[i] / (eta[e] * T[t])
            _first_lowest(progress, drift, best, place)
            noise = 1 / np.sqrt(b[i])
            for a in range(len(alpha)):
                risk[t, i, a] = best[a] + noise * (b[i] * burn_in[a] + floor[a])
                index[t, i, a] = int(place[a])
    return risk, index
