"""A grid search for many combinations of constants: every index that one search after the other would give."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hpgrid.checks import SEARCH_METHODS, bad, is_number, unknown
from hpgrid.grid import Grid
from hpgrid.proxy import FunctionProxy, Proxy, check_bound
from hpgrid.regime import Regime, as_regime
from hpgrid.search.brute import CHUNK, Argmins, SearchPlan, SearchResult, best_of, indices, last_feasible, plan_search
from hpgrid.search.exact import Search, problem_of, search
from hpgrid.search.tables import LINE_BYTES, check_range, with_combinations
from hpgrid.shapes import Floats, same_columns


@dataclass(frozen=True, eq=False, repr=False)
class ManyResult(Argmins):
    """The best point of a grid for every combination of constants at every budget: arrays (combinations, budgets).

    Attributes:
        budget: the values of the budget.
    """

    budget: Floats


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
    memory, and the company. The exact method evaluates only cells that can win, on the host's cores; it rests on a
    posynomial that is A s^-p + B s^q along the axis that the search scans, or one power of it. Other bounds are
    searched by brute force, on all devices.

    Args:
        proxy: the bound; it is taken in the form of the grid's budget.
        grid: the box.
        regime: what is tuned, fixed, on a path, capped; of the grid's axes only the budget may remain.
        constants: arrays of one length by the constants' names, >= 0; the others keep the bound's.
        min_K: smallest number of iterations T/b that a cell may have.
        method: "exact", or "brute" for every cell of the grid.
        devices: how many local devices brute force uses; all where None.
        memory: bytes that it may use at once beside the result, where they are few: 32 MiB for each search under way.

    Raises:
        ValueError: see the message: an unknown constant, one not positive or of another length, an axis that is
            neither tuned nor fixed nor on a path, or what ``grid_search`` refuses.

    Source: the method of Shulgin et al., footnote 3.
    """
    check_bound(proxy)
    regime = as_regime(regime, None, min_K, proxy.space)
    check_limits(devices, memory)
    if method not in SEARCH_METHODS:
        raise unknown("method", method, SEARCH_METHODS)
    columns = _columns(proxy, constants)
    regime = regime.settled(proxy, grid, free=grid.axes)
    for name in grid.axes:
        if name not in (*regime.tuned, *regime.fixed, *regime.path, grid.budget):
            raise bad(f"in a sweep only the budget remains, but {name} is an axis", name, f"{name} tuned or fixed")
    return best_of_many(proxy, grid, regime, columns, method=method, devices=devices, memory=memory)


def best_of_many(
    proxy: Proxy | FunctionProxy,
    grid: Grid,
    regime: Regime,
    columns: Mapping[str, Floats],
    *,
    method: str = "exact",
    devices: int | None = None,
    memory: float | None = None,
) -> ManyResult:
    """Return what ``search_many`` does, in a settled regime, of constants that were asked."""
    limits: dict[str, Any] = {"method": method, "devices": devices, "memory": memory}
    number = len(next(iter(columns.values())))
    if isinstance(proxy, Proxy):
        # Constants of 0 drop terms: combinations of the same terms are one search.
        there = [np.broadcast_to(t.remains({**proxy.constants, **columns}), number) for t in proxy.terms]
        parts, order = same_columns(np.array(there))
        if len(parts) > 1:
            each_part = ({name: x[part] for name, x in columns.items()} for part in parts)
            found = [best_of_many(proxy, grid, regime, own, **limits) for own in each_part]
            return _joined(found, found[0].budget, order)
    rows = zip(*(column.tolist() for column in columns.values()))
    every = [{**proxy.constants, **dict(zip(columns, row))} for row in rows]

    def plan_of(combination: int) -> SearchPlan:
        return plan_search(proxy.at_constants(every[combination]), grid, regime)

    # The smallest cap on each hyperparameter, for every combination; those that follow from constants are asked here.
    each = [proxy.caps_at(constants) for constants in every]
    own = {
        name: np.array([proxy.space.check(name, caps[name]) if name in caps else np.inf for caps in each])
        for name in proxy.space.ordered({name for caps in each for name in caps})
    }
    caps = {name: np.broadcast_to(cap, number) for name, cap in regime.joint_caps(own).items()}
    # Caps differ from one combination to another; all else that limits the grid does not.
    plan = plan_search(proxy.at_constants(every[0]), grid, regime, dict.fromkeys(caps, np.inf))
    budget = np.atleast_1d(np.asarray({**plan.fixed, **plan.every}[grid.budget]))
    if method == "exact" and isinstance(proxy, Proxy) and not proxy.walls:
        assert isinstance(plan.proxy, Proxy)
        tables = plan.tables()
        _check_ranges(proxy, every, plan_of, tables.scan)
        most = {v: np.searchsorted(plan.axes[v], cap, side="right") - 1 for v, cap in caps.items() if v in plan.axes}
        problem, _ = problem_of(plan, with_combinations(tables, plan.proxy, every, plan.fixed), most)
        if problem is not None and (problem.line.kind != "convex" or len(tables.over) == 1):
            return _exactly(plan, budget, problem, number, most)
    return _by_brute_force(plan_of, number, budget, devices, memory)


def _joined(parts: Sequence[Argmins], budget: Floats, order: NDArray[np.integer]) -> ManyResult:
    """The results of parts of some combinations, or of each alone, as one, in an order."""

    def whole(arrays: Iterable[Any]) -> Any:
        each = (np.broadcast_to(x, part.risk.shape) for x, part in zip(arrays, parts))
        return np.concatenate([x.reshape(-1, len(budget)) for x in each])[order]

    return ManyResult(
        risk=whole(part.risk for part in parts),
        index={v: whole(part.index[v] for part in parts) for v in parts[0].index},
        values=parts[0].values,
        last={v: whole(part.last[v] for part in parts) for v in parts[0].index},
        method="exact" if all(part.method == "exact" for part in parts) else "brute",
        budget=budget,
    )


def _columns(proxy: Proxy | FunctionProxy, constants: Mapping[str, ArrayLike]) -> dict[str, Floats]:
    """The constants as arrays of one length."""
    if not constants:
        raise bad("a sweep needs constants to vary", dict(constants), "constants={'C1': [0.1, 1.0, 10.0]}, say")
    arrays = {}
    for name, values in constants.items():
        if name not in proxy.constants:
            raise unknown("constant", name, proxy.constants)
        try:
            array = np.asarray(values, dtype=np.float64)
        except (TypeError, ValueError):
            array = np.empty(0)
        if array.ndim != 1 or not len(array):
            raise bad(f"constant {name} of a sweep is a list of numbers", values, f"{name}=[0.1, 1.0], say")
        wrong = array[~(np.isfinite(array) & (array >= 0))]
        if wrong.size:
            raise bad(f"constant {name} must be a finite number >= 0", float(wrong[0]), f"{name}=1.0, say")
        arrays[name] = array
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        raise bad("the constants of a sweep have one length", lengths, "one value of each for every combination")
    proxy.check_numbers({**proxy.constants, **arrays})
    return arrays


def _check_ranges(
    proxy: Proxy, every: Sequence[Mapping[str, float]], plan_of: Callable[[int], SearchPlan], scan: str
) -> None:
    """Refuse constants with which a term leaves float64 on this grid: those where it is largest and smallest.

    Where caps follow the constants, so do the places that count: all are looked at.
    """
    columns = {name: np.array([constants[name] for constants in every]) for name in every[0]}
    extreme: set[int] = set(range(len(every))) if proxy.cap_terms or proxy.domain else set()
    for term in proxy.terms:
        size = np.zeros(len(every)) + term.log_coefficient(columns)
        extreme |= {int(size.argmin()), int(size.argmax())}
    for k in sorted(extreme):
        plan = plan_of(k)
        assert isinstance(plan.proxy, Proxy)
        check_range(plan.proxy, plan.axes, plan.fixed, plan.domain, scan, np.finfo(np.float64))


def _exactly(plan: SearchPlan, budget: Floats, problem: Search, number: int, caps: Mapping[str, Any]) -> ManyResult:
    """The best risk of every combination at every budget, and where it is; caps are indices on axes."""
    risk, rank = (x.reshape(number, -1) for x in search(problem))
    shape, remaining = (number, len(budget)), {v: plan.axes[v] for v in plan.remaining}
    last = {v: np.atleast_1d(last_feasible(v, plan.every, remaining, plan.domain))[None] for v in plan.over}
    return ManyResult(
        risk=np.broadcast_to(risk, shape),
        index={v: np.broadcast_to(x.astype(np.int32), shape) for v, x in indices(plan, risk, rank).items()},
        values={v: plan.every[v] for v in plan.over},
        last={v: np.minimum(last[v], caps[v][:, None]) if v in caps else last[v] for v in plan.over},
        method="exact",
        budget=budget,
    )


def _by_brute_force(
    plan_of: Callable[[int], SearchPlan], number: int, budget: Floats, devices: int | None, memory: float | None
) -> ManyResult:
    """One search after the other, by one compiled program, shared out among the devices."""
    import jax

    used = chosen(devices)

    def run(call: int) -> SearchResult:
        with jax.default_device(used[call % len(used)]):
            return best_of(plan_of(call), times=number, method="brute")

    # A search keeps all cores of a CPU busy; elsewhere one computes while another's numbers travel.
    width = len(used) * (1 if used[0].platform == "cpu" else 2)
    width = width if memory is None else max(1, min(width, int(memory // (LINE_BYTES * CHUNK))))
    with ThreadPoolExecutor(width) as pool:
        return _joined(list(pool.map(run, range(number))), budget, np.arange(number))


def chosen(devices: int | None) -> list[Any]:
    """Return the first ``devices`` local devices, or all of them.

    Raises:
        ValueError: there are fewer.
    """
    import jax

    local = jax.local_devices()
    if devices is not None and devices > len(local):
        raise bad(f"this machine has {len(local)} device{'s' * (len(local) > 1)}", devices, "a smaller number")
    return local[:devices]


def check_limits(devices: int | None, memory: float | None) -> None:
    """Refuse a number of devices, or of bytes, that can't be one, or more devices than there are."""
    whole = devices is None or (isinstance(devices, int) and not isinstance(devices, bool) and devices >= 1)
    if not whole:
        raise bad("devices is a whole number, 1 or more", devices, "devices=1, say")
    if memory is not None and not (is_number(memory) and memory > 0):
        raise bad("memory is a positive number of bytes", memory, "memory=2**30, say")
    if devices is not None:
        chosen(devices)
