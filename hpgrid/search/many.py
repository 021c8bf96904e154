"""A grid search for many combinations of constants: every index that one search after the other would give."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hpgrid.checks import AXES, SEARCH_METHODS, bad, check_value, unknown
from hpgrid.grid import Grid
from hpgrid.proxy import FunctionProxy, Proxy
from hpgrid.regime import Regime, as_regime
from hpgrid.search.brute import CHUNK, Job, named, prepare
from hpgrid.search.devices import at_once, check_limits, chosen, run_all
from hpgrid.search.lanes import Lanes, lanes_of
from hpgrid.search.tables import Tables, check_range, tabulate

#: Lanes of one device in one call, by platform: on a CPU as many as its cache holds, elsewhere as many as keep it
#: busy. The last ones repeat a lane where there are fewer: nothing else is ever compiled.
LANES = {"cpu": 2**8}


LANES_ELSEWHERE = 2**13


#: Bytes of a call for each of its lanes' rows, and for each line of a brute search; measured, and rounded up.
ROW_BYTES, LINE_BYTES = 256, 32


@dataclass(frozen=True)
class ManyResult:
    """The best point of a grid for every combination of constants at every budget.

    Attributes:
        risk: best risk, shape (combinations, budgets); +inf where no cell is feasible.
        index: for every tuned variable, the index of the best value; -1 where none is feasible.
        values: the grid's values of the tuned variables.
        budget: the values of the budget.
        method: how it was searched: "exact" or "brute".
        last: for every tuned variable, the last index that is feasible, broadcasting against ``risk``.
    """

    risk: NDArray[np.float64]
    index: Mapping[str, NDArray[np.integer]]
    values: Mapping[str, NDArray[np.float64]]
    budget: NDArray[np.float64]
    method: str
    last: Mapping[str, NDArray[np.integer]]

    @cached_property
    def feasible(self) -> NDArray[np.bool_]:
        """Where some cell lies in the bound's domain."""
        return np.isfinite(self.risk)

    @cached_property
    def at(self) -> dict[str, NDArray[np.float64]]:
        """The best value of every tuned variable; NaN where no cell is feasible."""
        return {v: np.where(self.feasible, self.values[v][self.index[v]], np.nan) for v in self.index}

    @cached_property
    def edge(self) -> dict[str, NDArray[np.bool_]]:
        """Where the best value sits on the border of the feasible box, and so says nothing."""
        return {v: (self.index[v] <= 0) | (self.index[v] >= self.last[v]) for v in self.index}


def search_many(
    proxy: Proxy | FunctionProxy,
    grid: Grid,
    regime: Regime,
    constants: Mapping[str, ArrayLike],
    *,
    min_K: float | None = None,
    method: str = "exact",
    devices: int | None = None,
    memory: float | None = None,
) -> ManyResult:
    """Return the best risk, and where it is, for every combination of constants at every budget.

    Each is what ``grid_search`` of the bound with those constants gives, bit for bit, whatever the devices, the
    memory, and the company. The exact method evaluates only cells that can win; it rests on a sum of powers that is
    A s^-p + B s^q along the axis that the search scans, or one power of it. Other bounds are searched by brute force.

    Args:
        proxy: the bound; it is taken in the form of the grid's budget.
        grid: the box.
        regime: what is tuned, fixed, on a path, capped; of the grid's axes only the budget may remain.
        constants: arrays of one length by the constants' names, > 0; the others keep the bound's.
        min_K: smallest number of iterations T/b that a cell may have.
        method: "exact", or "brute" for every cell of the grid.
        devices: how many local devices to use; all where None.
        memory: bytes that may be used at once beside the result; by default half of what the device has left, or an
            eighth of the machine's memory where it doesn't say.

    Raises:
        ValueError: see the message: an unknown constant, one not positive or of another length, an axis that is
            neither tuned nor fixed nor on a path, or what ``grid_search`` refuses.
        MemoryError: one block alone does not fit into the device's memory.

    Source: the method of Shulgin et al., footnote 3.
    """
    regime = as_regime(regime, None, min_K)
    check_limits(devices, memory)
    if method not in SEARCH_METHODS:
        raise unknown("method", method, SEARCH_METHODS)
    every = _combinations(proxy, constants)

    def job_of(combination: int) -> Job:
        return prepare(proxy.with_constants(**every[combination]), grid, regime)

    job = job_of(0)
    _check_remaining(job, grid)
    caps = _caps(proxy, replace(regime, fixed=job.fixed), every)
    if method == "exact" and isinstance(proxy, Proxy):
        tables = _tabulate(job)
        _check_ranges(proxy, every, job_of, tables.scan)
        lanes = lanes_of(job, tables, every, caps)
        if lanes is not None:
            return _result(job, grid, *_exactly(lanes, devices, memory), lanes.counts)
    return _by_brute_force(job_of, len(every), _budget(job, grid), devices, memory)


# --- what is asked ---
def _combinations(proxy: Proxy | FunctionProxy, constants: Mapping[str, ArrayLike]) -> list[dict[str, float]]:
    """All constants of every combination."""
    if not constants:
        raise bad("a sweep needs constants to vary", dict(constants), "constants={'C1': [0.1, 1.0, 10.0]}, say")
    arrays = {}
    for name, values in constants.items():
        if name not in proxy.constants:
            raise unknown("constant", name, proxy.constants)
        arrays[name] = _positive(name, values)
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        raise bad("the constants of a sweep have one length", lengths, "one value of each for every combination")
    rows = zip(*(array.tolist() for array in arrays.values()))
    return [{**proxy.constants, **dict(zip(arrays, row))} for row in rows]


def _positive(name: str, values: ArrayLike) -> NDArray[np.float64]:
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise bad(f"constant {name} of a sweep is a list of numbers", values, f"{name}=[0.1, 1.0], say") from None
    if array.ndim != 1 or not len(array):
        raise bad(f"constant {name} of a sweep is a list of numbers", values, f"{name}=[0.1, 1.0], say")
    wrong = ~(np.isfinite(array) & (array > 0))
    if wrong.any():
        raise bad(f"constant {name} must be positive and finite", float(array[wrong][0]), f"{name}=1.0, say")
    return array


def _check_remaining(job: Job, grid: Grid) -> None:
    for name in AXES:
        if name in {**job.axes, **job.absent} and name not in (*job.over, grid.budget):
            raise bad(f"in a sweep only the budget remains, but {name} is an axis", name, f"{name} tuned or fixed")


def _caps(
    proxy: Proxy | FunctionProxy, regime: Regime, every: Sequence[Mapping[str, float]]
) -> dict[str, NDArray[np.float64]]:
    """The smallest cap on each hyperparameter, for every combination."""

    own = {name: np.full(len(every), cap) for name, cap in proxy.caps.items()}
    for name, term in proxy.cap_terms.items():
        own[name] = np.array([check_value(name, term.coefficient(constants)) for constants in every])
    return {name: np.broadcast_to(cap, len(every)) for name, cap in regime.joint_caps(own).items()}


def _check_ranges(proxy: Proxy, every: Sequence[Mapping[str, float]], job_of: Callable[[int], Job], scan: str) -> None:
    """Refuse constants with which a term leaves float64 on this grid: those where it is largest and smallest.

    Where caps follow the constants, so do the places that count: all are looked at.
    """
    logs = {name: np.log([constants[name] for constants in every]) for name in every[0]}
    extreme: set[int] = set(range(len(every))) if proxy.cap_terms else set()
    for term in proxy.terms:
        size = sum((float(e) * logs[name] for name, e in term.constants.items()), np.zeros(len(every)))
        extreme |= {int(size.argmin()), int(size.argmax())}
    for k in sorted(extreme):
        job = job_of(k)
        assert isinstance(job.proxy, Proxy)
        check_range(job.proxy, job.axes, job.fixed, job.domain, scan, np.finfo(np.float64))


# --- the two ways ---
def _tabulate(job: Job) -> Tables:
    return tabulate(job.proxy, job.axes, job.fixed, job.domain, over=job.searched, dtype="float64")


def _exactly(lanes: Lanes, devices: int | None, memory: float | None) -> tuple[NDArray[Any], NDArray[Any]]:
    """The best risk of every combination at every budget, and its cell's rank."""
    import jax

    from hpgrid.search.certified import best_of_lanes

    used = chosen(devices)
    mesh = jax.sharding.Mesh(np.array(used), ("lanes",))
    block = LANES.get(used[0].platform, LANES_ELSEWHERE) * len(used)
    total = lanes.shape[0] * lanes.shape[1]
    risk, rank = np.empty(total), np.empty(total, np.int64)

    def run(call: int) -> None:
        part = np.arange(call * block, (call + 1) * block)
        hoisted, counts = lanes.part(np.minimum(part, total - 1))
        with jax.enable_x64(True):
            found = best_of_lanes(lanes.scanned, hoisted, counts, plan=lanes.plan, mesh=mesh)
            best, place = (np.asarray(array)[: total - part[0]] for array in found)
        risk[part[0] : part[0] + block], rank[part[0] : part[0] + block] = best, place

    width = at_once(memory, used, block * ROW_BYTES * len(lanes.hoisted["place"][lanes.plan.row]))
    run_all(run, range(-(-total // block)), width)
    return risk.reshape(lanes.shape), rank.reshape(lanes.shape)


def _result(
    job: Job, grid: Grid, risk: NDArray[Any], rank: NDArray[Any], counts: Mapping[str, NDArray[np.integer]]
) -> ManyResult:
    """Name what was found, and put back what the bound does not depend on."""
    budget = _budget(job, grid)
    shape = (len(risk), len(budget))
    feasible = np.isfinite(risk)
    sizes = [len(job.axes[axis]) for axis in job.searched]
    places = np.unravel_index(np.where(feasible, rank, 0), sizes)
    found = dict(zip(job.searched, places))
    none = np.zeros(risk.shape, np.int64)
    index = {v: np.where(feasible, found.get(v, none), -1).astype(np.int32) for v in job.over}
    every = {**job.axes, **job.absent}
    return ManyResult(
        risk=np.broadcast_to(risk, shape),
        index={v: np.broadcast_to(array, shape) for v, array in index.items()},
        values={v: every[v] for v in job.over},
        budget=budget,
        method="exact",
        last={v: counts[v] - 1 if v in counts else np.array([[len(every[v]) - 1]]) for v in job.over},
    )


def _budget(job: Job, grid: Grid) -> NDArray[np.float64]:
    every: dict[str, Any] = {**job.fixed, **job.axes, **job.absent}
    return np.atleast_1d(np.asarray(every[grid.budget]))


def _by_brute_force(
    job_of: Callable[[int], Job], number: int, budget: NDArray[np.float64], devices: int | None, memory: float | None
) -> ManyResult:
    """One search after the other, by one compiled program, shared out among the devices."""
    import jax

    from hpgrid.search.kernel import best_cells

    used = chosen(devices)
    job, shape = job_of(0), (number, len(budget))
    risk = np.empty(shape)
    index = {v: np.empty(shape, np.int32) for v in job.over}
    last = {v: np.empty(shape, np.int32) for v in job.over}

    def run(call: int) -> None:
        job = job_of(call)
        tables = _tabulate(job)
        with jax.default_device(used[call % len(used)]):
            found = best_cells(tables, job.remaining, chunk=CHUNK, counted=False)
        one = named(job, *found, "float64")
        risk[call] = one.risk
        for v in job.over:
            index[v][call], last[v][call] = one.index[v], one.last[v]

    run_all(run, range(number), at_once(memory, used, LINE_BYTES * CHUNK, busy=True))
    values = {v: {**job.axes, **job.absent}[v] for v in job.over}
    return ManyResult(risk, index, values, budget, "brute", last)
