"""Running a sweep: from its plan to a whole store, block by block, from wherever it was left."""

from __future__ import annotations

import itertools
import math
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache, partial
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numcodecs
import numpy as np

from hpgrid.checks import InputError, bad, complement
from hpgrid.grid import Grid
from hpgrid.progress import LONG, foresee, progress
from hpgrid.record import check_local, versions
from hpgrid.search.brute import plan_search
from hpgrid.search.invalid import invalid_cells
from hpgrid.search.many import check_limits
from hpgrid.sweeps import store
from hpgrid.sweeps.measure import Options, measure
from hpgrid.sweeps.plan import Plan, load, parse
from hpgrid.sweeps.store import BLOCK, EXACT, HYPERPARAMETER, QUANTITY, REGIME, ROW, Combinations, lay_out
from hpgrid.text import counted, number
from hpgrid.variables import COUNTED_IN

if TYPE_CHECKING:
    import xarray


@dataclass(frozen=True)
class Progress:
    """What a run did.

    Attributes:
        blocks: how many blocks the sweep has.
        own: how many of them were this process's.
        found: how many of those were whole already.
        damaged: how many of those had a marker, but not what it speaks of.
        mended: how many files that blocks are read by, metadata and coordinates, were made again.
        seconds: how long the run took.
        notes: where the bound does not hold, a sentence each.
    """

    blocks: int
    own: int
    found: int
    damaged: int
    mended: int
    seconds: float
    notes: tuple[str, ...] = ()


def sweep(
    config: Plan | Mapping[str, Any] | Path | str,
    out: Path | str,
    *,
    method: str = "exact",
    devices: int | None = None,
    memory: int | None = None,
    block: int | None = None,
    processes: int = 1,
    process_id: int = 0,
) -> xarray.Dataset:
    """Return the result of a sweep over constants, as an xarray Dataset, from a store that it makes or completes.

    Whatever ended an earlier run, the same call goes on from its last whole block, to the same bits.

    Args:
        config: the sweep: a TOML file, its tables, or a plan.
        out: the Zarr store.
        method: "exact" leaves out cells that can't be the best, "brute" compares all; the indices are the same.
        devices: how many of the local devices brute force uses; all where None.
        memory: the most bytes brute force may use at once; 32 MiB for each search under way where None.
        block: the most combinations of a block of a new store; what a kill loses.
        processes: how many processes, here or elsewhere, share the blocks.
        process_id: which of them this is, from 0 on.

    Raises:
        ValueError: a config that can't be, a store that was made otherwise or is being written, a process id
            out of range.
    """
    run(config, Path(out), Options(method, devices, memory), block=block, share=(processes, process_id))
    return store.open_sweep(out)


def run(
    config: Plan | Mapping[str, Any] | Path | str,
    out: Path,
    options: Options,
    *,
    block: int | None = None,
    share: tuple[int, int] = (1, 0),
) -> Progress:
    """Compute the blocks of a store that are this process's and are not whole; see ``sweep``."""
    started = time.perf_counter()
    plan = (
        config if isinstance(config, Plan) else load(Path(config)) if isinstance(config, (str, Path)) else parse(config)
    )
    _check_run(options, block, share)
    processes, process = share
    combinations = lay_out(plan, block or BLOCK)
    store.check_names(plan, combinations, plan.grid.build().budget)
    plan, grid = _settled(plan, combinations)
    check_local(out)
    notes = tuple(_invalid(plan, grid, combinations.extremes()))
    # Neither hangs on the blocks' sides.
    static, new = _static(plan, grid, combinations), False
    described = _attributes(plan, grid, combinations, notes)
    if not os.path.lexists(out):
        size = combinations.contents.size(len(grid.axes[grid.budget])) * len(plan.regimes) * plan.combinations
        there_is = next(folder for folder in out.absolute().parents if folder.exists())
        foresee(f"a store of {counted(plan.combinations, 'combination')}", 0.0, size, disk=there_is)
        # Constants that this grid can't hold, or devices that are not there, are refused before there is a store.
        _foresee(plan, grid, combinations, options, out, len(range(process, math.prod(combinations.blocks), processes)))
        new = store.create(out, combinations, static, described)
    # Made or not: another process may have been first.
    there = store.attributes_of(out, "a folder that hpgrid sweep made, or one that does not exist yet")
    # A store is gone on with in its own blocks.
    if block is None:
        combinations = store.in_blocks(combinations, there.get("block"))
    described |= {"block": list(combinations.block), "created": there.get("created")}
    store.check_same(out, there, described)
    opened = store.Store(out, combinations, len(plan.regimes), len(grid.axes[grid.budget]))
    own = range(process, len(opened.corners), processes)
    with store.writing(out, processes, process):
        mended = 0 if new else store.mend(out, combinations, static, described)
        left = [number for number in own if not opened.is_whole(number)]
        damaged = sum(map(opened.begun, left))
        if left and not new:
            _foresee(plan, grid, combinations, options, out, len(left))
        with progress("sweep", len(left)) as advance:
            for number in left:
                opened.write(number, measure(plan, grid, combinations.values(opened.corners[number]), options))
                advance()
    found, seconds = len(own) - len(left), time.perf_counter() - started
    return Progress(len(opened.corners), len(own), found, damaged, mended, seconds, notes)


def _foresee(plan: Plan, grid: Grid, combinations: Combinations, options: Options, out: Path, blocks: int) -> None:
    """Say how long blocks take, by a few combinations, and by more where it may take long."""
    few = combinations.extremes()
    more = {name: column[:64] for name, column in combinations.values(next(combinations.corners())).items()}
    # Twice each, since the first time compiles: a time that is short is one at the most.
    for values in (few, few, more, more):
        begun = time.perf_counter()
        measure(plan, grid, values, options)
        each = (time.perf_counter() - begun) / len(next(iter(values.values())))
        seconds = each * math.prod(combinations.block) * blocks
        if seconds <= LONG:
            break
    foresee(f"{counted(blocks, 'block')} of a sweep in {out}", seconds)


# --- what was asked for ---


def _check_run(options: Options, block: int | None, share: tuple[int, int]) -> None:
    whole = {"devices": options.devices, "memory": options.memory, "block": block, "processes": share[0]}
    for name, value in whole.items():
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
            raise bad(f"{name} is a whole number >= 1", value, f"{name}=2, say")
    check_limits(options.devices, options.memory)
    processes, process = share
    if isinstance(process, bool) or not isinstance(process, int) or not 0 <= process < processes:
        raise bad(f"of {processes} processes, the ids are 0 to {processes - 1}", process, "one of these")


def _settled(plan: Plan, combinations: Combinations) -> tuple[Plan, Grid]:
    """The plan, its regimes with the bound's own number of iterations, and the grid with the axes that it needs."""
    grid = plan.grid.build()
    # What a regime is asked does not depend on which of the combinations it is, but for caps, which a search holds.
    at = {name: float(column[0]) for name, column in combinations.extremes().items()}
    proxy = plan.proxy(grid.budget, at)
    # What holds a hyperparameter is a regime, or [constants].
    bare = grid.with_axes(**dict.fromkeys(v for v in grid.held if v != grid.budget))
    regimes = {}
    for name, regime in plan.regimes.items():
        try:
            regimes[name] = regime.holding({}, plan.held(name, at).settled(proxy, bare).min_K)
        except InputError as error:
            raise InputError(f"the regime {name!r}: {error}") from None
    # A preset's axis that the bound does not depend on is none of the sweep's.
    needed = {*proxy.variables(), *(v for regime in regimes.values() for v in regime.tuned), grid.budget}
    return replace(plan, regimes=regimes), grid.with_axes(**dict.fromkeys(set(grid.axes) - needed))


# --- the store ---


def _attributes(plan: Plan, grid: Grid, combinations: Combinations, notes: tuple[str, ...]) -> dict[str, Any]:
    return {
        "hpgrid_sweep": store.SCHEMA,
        "plan": plan.describe(),
        "grid": {name: list(map(float, axis.values)) for name, axis in grid.axes.items()} | grid.held,
        "budget": grid.budget,
        "block": list(combinations.block),
        "versions": {**versions(), "numcodecs": numcodecs.__version__},
        "device": _device(),
        "dtype": "float64",
        "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        **({"does_not_hold": list(notes)} if notes else {}),
    }


def _device() -> dict[str, str]:
    """What brute force computes on; where jax has no plugin it is the CPU, and jax, which takes a second, stays out."""
    plugins = find_spec("jax_plugins") or find_spec("libtpu") or entry_points(group="jax_plugins")
    if not plugins and not {"PJRT_NAMES_AND_LIBRARY_PATHS", "TPU_LIBRARY_PATH"} & {*os.environ}:
        return {"platform": "cpu", "kind": "cpu"}
    import jax

    first = jax.devices()[0]
    return {"platform": first.platform, "kind": first.device_kind}


def _invalid(plan: Plan, grid: Grid, ends: Mapping[str, Any]) -> Iterator[str]:
    """Where the bound does not hold at one of the ends of what is swept, a sentence for each regime."""
    for name in plan.regimes:
        for row in zip(*(column.tolist() for column in ends.values())):
            at = dict(zip(ends, row))
            found = invalid_cells(plan_search(plan.proxy(grid.budget, at), grid, plan.held(name, at)))
            if found is not None:
                swept = ", ".join(f"{key} = {number(value)}" for key, value in at.items())
                yield f"{name}, at {swept}: {found.text()}"
                break


def _static(plan: Plan, grid: Grid, combinations: Combinations) -> dict[str, Any]:
    """What is known before anything is measured: the coordinates, and the exact exponents."""
    budget, contents = grid.budget, combinations.contents
    static: dict[str, Any] = {
        REGIME: ((REGIME,), list(plan.regimes), {"long_name": "what is tuned"}),
        QUANTITY: ((QUANTITY,), list(contents.quantities), {"long_name": "what a slope is of"}),
        HYPERPARAMETER: ((HYPERPARAMETER,), list(contents.burning), {"long_name": "what has a bound to leave"}),
        budget: ((budget,), grid.axes[budget].values, {"units": COUNTED_IN.get(budget, "1")}),
    }
    for name, column in combinations.columns.items():
        dims: tuple[str, ...] = combinations.dims if combinations.dims == (ROW,) else (name,)
        static[name] = (dims, column, {"units": COUNTED_IN.get(name, "1")})
        if name in plan.space.complements:
            held = np.array([complement(float(x)) for x in column])
            static[plan.space.complements[name]] = (dims, held, {"long_name": f"1 - {name}"})
    if combinations.dims == (ROW,):
        static[ROW] = ((ROW,), np.arange(combinations.shape[0]), {"long_name": "row of the table, from 0 on"})
    exact, texts, dims = _exponents(plan, budget, combinations)
    meanings = "exact exponent as the budget grows; NaN where there is none", "the same, as a fraction"
    static |= {name: (dims, x, {"long_name": said}) for name, x, said in zip(EXACT, (exact, texts), meanings)}
    return static


def _exponents(plan: Plan, budget: str, combinations: Combinations) -> tuple[Any, Any, tuple[str, ...]]:
    """The exact exponents: one set for each regime, and for each value of what they depend on of what is swept."""
    swept = {name: combinations.columns[name] for name in plan.of_laws}
    rows = combinations.dims == (ROW,)
    every = list(zip(*swept.values()) if rows and swept else itertools.product(*swept.values()))
    at = [dict(zip(swept, map(float, each))) for each in every]
    shape = () if not swept else (len(every),) if rows else tuple(len(x) for x in swept.values())
    quantities = combinations.contents.quantities
    laws = cache(partial(_laws, plan, budget, quantities))
    # All that a constant decides is whether it is 0.
    kinds = [frozenset((v, x if v in plan.swept_exponents or not x else 1.0) for v, x in one.items()) for one in at]
    texts = np.array([[laws(name, kind) for kind in kinds] for name in plan.regimes])
    texts = texts.reshape(len(plan.regimes), *shape, len(quantities))
    exact = np.vectorize(lambda text: float(Fraction(text)) if text else np.nan, otypes=[float])(texts)
    return exact, texts, (REGIME, *((ROW,) if rows and swept else tuple(swept)), QUANTITY)


def _laws(
    plan: Plan, budget: str, quantities: tuple[str, ...], name: str, at: frozenset[tuple[str, float]]
) -> list[str]:
    """The exact exponents of a regime as text; "" where there is none."""
    from hpgrid.asymptotics.exact import law_of

    # No exponent depends on where a hyperparameter is held.
    space = plan.space
    ranges = {v: space.all[space.complements.get(v, v)] for v in plan.swept if v in plan.bound.held_names}
    held = {v: max(own.low, 1.0) if own.high > 1 else 0.5 for v, own in ranges.items()}
    try:
        law = law_of(plan.proxy(budget, dict(at)), plan.held(name, held), budget)
    # A bound that is no posynomial.
    except ValueError:
        return [""] * len(quantities)
    optimum = [law.exponent.get(quantity) for quantity in quantities]
    return ["" if exponent is None else str(exponent) for exponent in optimum]
