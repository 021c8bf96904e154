"""Brute force over a grid: the one file that knows jit, vmap, chunks, memory and devices.

A bound reaches the device as tables: for every term, one value per point of every axis it depends
on. The kernel scans one reduced axis with the best value in hand, every other axis is vmapped, and
the cube of all points never exists. Tables are arguments, so a new constant or a new exponent runs
the program that is already compiled.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, partial, reduce
from operator import add
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from numpy.typing import NDArray

from hpgrid.checks import AXES
from hpgrid.errors import bad, unknown
from hpgrid.grid import Grid
from hpgrid.progress import track
from hpgrid.proxy import FunctionProxy, Proxy
from hpgrid.regime import Regime, along, as_regime
from hpgrid.tables import Call, Domain, Tables, domain_of, tabulate

#: Lines (cells of the axes that are not scanned) in one call of the kernel. 2^20 of them keep the
#: working set near 10 MB, and one call does the whole of a 100^4 grid.
CHUNK = 2**20

#: How many points of the scanned axis one step of the loop takes: enough that the best value stays
#: in a register, few enough that the loop compiles quickly.
_UNROLL_VALUE, _UNROLL_INDEX = 10, 20

DTYPES = ("float64", "float32")


@dataclass(frozen=True)
class SearchResult:
    """The best point of a grid for every cell of the axes that remain.

    Attributes:
        risk: best risk; +inf where no cell is feasible.
        index: for every reduced axis, the index of the best value; -1 where none is feasible.
        axes: the values of the axes that remain, by name, in canonical order.
        over: the reduced axes, in canonical order.
        values: the values of the reduced axes.
        fixed: what was held, by name.
        path: what follows a power of the budget, by name.
        dtype: the precision of the search.
        points: how many grid points were compared.
        cells_below_one_K: how many of them have K = T/b < 1.
        unresolved: where another cell lies within 8 eps of the best, so that ``dtype`` cannot say
            which is better; computed for float32, None for float64.
        last: for every reduced axis, the last index that is feasible, broadcasting against ``risk``.
    """

    risk: NDArray[Any]
    index: Mapping[str, NDArray[np.integer]]
    axes: Mapping[str, NDArray[np.float64]]
    over: tuple[str, ...]
    values: Mapping[str, NDArray[np.float64]]
    fixed: Mapping[str, float]
    path: Mapping[str, Fraction]
    dtype: str
    points: int
    cells_below_one_K: int
    unresolved: NDArray[np.bool_] | None
    last: Mapping[str, NDArray[np.integer]]

    @cached_property
    def feasible(self) -> NDArray[np.bool_]:
        """Where some cell lies in the bound's domain."""
        return np.isfinite(self.risk)

    @cached_property
    def at(self) -> dict[str, NDArray[np.float64]]:
        """The best value on every reduced axis; NaN where no cell is feasible."""
        if self.feasible.all():
            return {name: self.values[name][self.index[name]] for name in self.over}
        return {name: np.where(self.feasible, self.values[name][self.index[name]], np.nan) for name in self.over}

    @cached_property
    def edge(self) -> dict[str, NDArray[np.bool_]]:
        """Where the best value sits on the border of the feasible box, and so says nothing."""
        return {name: (self.index[name] <= 0) | (self.index[name] >= self.last[name]) for name in self.over}

    @cached_property
    def below_one_K(self) -> NDArray[np.bool_]:
        """Where the best cell has K = T/b < 1, fewer than one iteration."""
        budget = "K" if "K" in self.axes or "K" in self.fixed else "T"
        T, b = self._value(budget), 1.0 if budget == "K" else self._value("b")
        return np.broadcast_to(b > T, self.risk.shape)

    def _value(self, name: str) -> Any:
        """A variable's value in every cell of the result, as an array that broadcasts against it."""
        if name in self.over:
            return self.at[name]
        if name in self.fixed:
            return self.fixed[name]
        if name in self.path:
            return self._value("T") ** float(self.path[name])
        if name not in self.axes:
            return np.nan  # a bound without it: nothing to compare
        return self.axes[name].reshape([-1 if axis == name else 1 for axis in self.axes])


def grid_search(
    proxy: Proxy | FunctionProxy,
    grid: Grid,
    over: Iterable[str] | str | None = None,
    *,
    fixed: Mapping[str, float] | None = None,
    path: Mapping[str, Fraction] | None = None,
    caps: Mapping[str, float] | None = None,
    regime: Regime | None = None,
    min_K: float | None = None,
    dtype: str = "float64",
    chunk: int = CHUNK,
) -> SearchResult:
    """Return the best risk, and where it is, over some axes of a grid for every cell of the others.

    Ties go to the first cell in row-major order over (eta, b, alpha, budget). The result does not
    depend on ``chunk``. Cells outside the bound's domain never win.

    Args:
        proxy: the bound; it is taken in the form of the grid's budget.
        grid: the box.
        over: the axes that are minimised away, among eta, b, alpha.
        fixed: variables held at one value, on the grid or not.
        path: hyperparameters that follow a power of the budget.
        caps: largest values that hyperparameters may take, beside the bound's own.
        regime: all of the above as one object, in place of them.
        min_K: smallest number of iterations T/b that a cell may have; cells below 1 are counted and
            flagged where None.
        dtype: "float64", or "float32", which resolves a risk to 1e-7 and says where that is too little.
        chunk: largest number of lines in one call of the kernel: memory, not the result.

    Raises:
        ValueError: see the message: a missing or unknown axis, a value out of range, nothing to
            reduce, or a risk that leaves the dtype's range on this grid.

    Source: the method of Shulgin et al., footnote 3.
    """
    regime = as_regime(regime, over, fixed=fixed, path=path, caps=caps)
    _check_options(min_K, dtype, chunk)
    job = _prepare(proxy, grid, regime, min_K)
    tables = tabulate(job.proxy, job.axes, job.fixed, job.domain, over=job.searched, dtype=dtype)
    with jax.enable_x64(True):
        risk, index, close = _run(tables, job.remaining, chunk, counted=dtype == "float32")
    return _result(job, risk, index, close, dtype)


def _check_options(min_K: float | None, dtype: str, chunk: int) -> None:
    if dtype not in DTYPES:
        raise unknown("dtype", dtype, DTYPES)
    if min_K is not None and not min_K > 0:
        raise bad("min_K must be positive", min_K, "min_K=1, say")
    if chunk < 1:
        raise bad("chunk is a number of lines, 1 or more", chunk, "chunk=2**20, say")


@dataclass(frozen=True)
class _Job:
    """What is searched, once every role is settled."""

    proxy: Proxy | FunctionProxy
    axes: dict[str, NDArray[np.float64]]  # those the search depends on, in canonical order
    absent: dict[str, NDArray[np.float64]]  # those it does not: a result is constant along them
    over: tuple[str, ...]
    fixed: dict[str, float]
    path: Mapping[str, Fraction]
    min_K: float | None
    domain: Domain

    @property
    def searched(self) -> tuple[str, ...]:
        return tuple(v for v in self.over if v in self.axes)

    @property
    def remaining(self) -> tuple[str, ...]:
        return tuple(v for v in self.axes if v not in self.over)


def _prepare(proxy: Proxy | FunctionProxy, grid: Grid, regime: Regime, min_K: float | None) -> _Job:
    """Settle what is reduced, what remains, what is fixed, and which cells may win."""
    fixed = grid.held | dict(regime.fixed)
    _check_roles(proxy, grid, regime, fixed)
    proxy = along(proxy.form(grid.budget), regime.path)
    caps = {
        name: min(source[name] for source in (proxy.caps, regime.caps) if name in source)
        for name in {**proxy.caps, **regime.caps}
    }
    for name, cap in caps.items():
        if fixed.get(name, 0.0) > cap:
            raise bad(f"{name} must not exceed its cap {cap:g}", fixed[name], "a smaller value")
    axes = {n: a.values for n, a in grid.axes.items() if n not in fixed and n not in regime.path}
    batch_path = float(regime.path["b"]) if "b" in regime.path else None
    domain = domain_of(axes, fixed, caps, min_K, batch_path)
    relevant = {*proxy.variables(), *domain.penalty, *domain.limit}
    if relevant.isdisjoint(regime.tuned):
        # Every value ties, and the first wins: let the kernel say so.
        relevant.add(regime.tuned[0])
    return _Job(
        proxy=proxy,
        axes={n: v for n, v in axes.items() if n in relevant},
        absent={n: v for n, v in axes.items() if n not in relevant},
        over=regime.tuned,
        fixed=fixed,
        path=regime.path,
        min_K=min_K,
        domain=domain,
    )


def _check_roles(proxy: Proxy | FunctionProxy, grid: Grid, regime: Regime, fixed: Mapping[str, float]) -> None:
    """Refuse a search whose axes don't fit together."""
    if not regime.tuned:
        raise bad("a search needs an axis to minimise over", regime.tuned, 'over=("eta", "b"), say')
    for name in regime.tuned:
        if name in fixed:
            raise bad(
                f"{name} is held at one value, so it can't be minimised over",
                fixed[name],
                f"{name} as an axis",
            )
    for name in regime.path:
        if name in proxy.caps or name in regime.caps:
            raise bad(
                f"{name} is capped, so it can't follow a path",
                dict(regime.path),
                "a path for another variable",
            )
    needed = {*proxy.form(grid.budget).variables(), *regime.tuned} - {*regime.path}
    for name in AXES:
        if name in needed and name not in grid.axes and name not in fixed:
            raise bad(f"the grid lacks the axis {name}", list(grid.axes), f"Grid({name}=...) or fixed={{...}}")


# --- the kernel ---


def _entries(tree: Any, axis: str, on_axis: Any, elsewhere: Any) -> Any:
    """A tree with what lies on ``axis`` put through one function, everything else through another."""

    def choose(path: tuple[Any, ...], leaf: Any) -> Any:
        last = path[-1]
        return on_axis(leaf) if isinstance(last, jax.tree_util.DictKey) and last.key == axis else elsewhere(leaf)

    return jax.tree_util.tree_map_with_path(choose, tree)


def _over_axes(function: Callable[..., Any], hoisted: Any, axes: tuple[str, ...]) -> Callable[..., Any]:
    """``function`` of one cell, vmapped over axes; its arguments after the tables lie on all of them."""

    def mapped(*arguments: Any) -> Any:
        lifted = function
        for axis in reversed(axes):
            on_tables = _entries(hoisted, axis, lambda _: 0, lambda _: None)
            lifted = jax.vmap(lifted, in_axes=(on_tables, *([0] * (len(arguments) - 1))))
        return lifted(*arguments)

    return mapped


def _product(entry: Any) -> Any:
    coefficient, tables = entry
    for axis in AXES:  # one order, so that a cell has the same bits in any chunk
        coefficient = coefficient * tables[axis] if axis in tables else coefficient
    return coefficient


def _split(call: Call | None, hoisted: Any) -> tuple[Callable[[Any], Any], Any]:
    """Return the risk along one line as a function of a scanned entry, and what is added after its minimum.

    A product is rounded before it is added (``+ zero``, an argument that the compiler can't drop):
    left free to contract it into a fused multiply-add here and not there, it would give a cell other
    last bits in another chunk.
    """
    zero = hoisted["zero"]
    penalties = [hoisted["penalty"][axis] for axis in AXES if axis in hoisted["penalty"]]
    rest = reduce(add, [_product(entry) + zero for entry in hoisted.get("rest", ())] + penalties, zero)
    planes = [reduce(add, [_product(entry) + zero for entry in members]) for members in hoisted.get("groups", ())]
    limit = hoisted["limit"]
    if len(limit) == 2:
        rest = jnp.where(limit["b"] <= limit["T"], rest, jnp.inf)

    def risk(entry: Any) -> Any:
        if call is not None:
            value = jnp.asarray(call(hoisted, entry), zero.dtype)
        else:
            value = reduce(add, [p * s + zero for p, s in zip(planes, entry["groups"])] or [zero])
        if "penalty" in entry:
            value = value + entry["penalty"]
        if "limit" in entry:
            value = jnp.where(entry["limit"] <= limit["T"], value, jnp.inf)
        return value

    return risk, rest


def _line_best(call: Call | None, scanned: Any, hoisted: Any) -> Any:
    """The best risk along the scanned axis."""
    risk, rest = _split(call, hoisted)

    def step(best: Any, entry: Any) -> tuple[Any, None]:
        value = risk(entry)
        return jnp.where(value < best, value, best), None

    best, _ = lax.scan(step, hoisted["zero"] + jnp.inf, scanned, unroll=_UNROLL_VALUE)
    return best + rest


def _line_argbest(call: Call | None, scanned: Any, packed: bool, hoisted: Any) -> tuple[Any, Any]:
    """The best risk along the scanned axis and the first index that has it.

    Packed, the two travel as one complex number: on a CPU, XLA gives each output array a loop of
    its own, and two of them would evaluate the bound twice.
    """
    risk, rest = _split(call, hoisted)
    pack = lax.complex if packed else lambda best, index: (best, index)

    def step(carry: Any, entry: Any) -> tuple[Any, None]:
        value = risk(entry)
        better = value < (carry.real if packed else carry[0])
        new = pack(value, entry["index"].astype(value.dtype))
        return jax.tree.map(lambda n, old: jnp.where(better, n, old), new, carry), None

    start = pack(hoisted["zero"] + jnp.inf, hoisted["zero"] - 1)
    carry, _ = lax.scan(step, start, scanned, unroll=_UNROLL_INDEX)
    best, index = (carry.real, carry.imag) if packed else carry  # type: ignore[union-attr]
    return best + rest, index.astype(jnp.int32)


def _line_count(call: Call | None, scanned: Any, hoisted: Any, bound: Any) -> Any:
    """How many cells of a line have a risk of at most ``bound``."""
    risk, rest = _split(call, hoisted)

    def step(count: Any, entry: Any) -> tuple[Any, None]:
        return count + (risk(entry) + rest <= bound).astype(jnp.int32), None

    return lax.scan(step, jnp.int32(0), scanned, unroll=_UNROLL_VALUE)[0]


@partial(jax.jit, static_argnames=("call", "scan", "remaining", "lines", "counted", "packed"))
def _best(
    hoisted: Any,
    scanned: Any,
    *,
    call: Call | None,
    scan: str,
    remaining: tuple[str, ...],
    lines: tuple[str, ...],
    counted: bool,
    packed: bool,
) -> tuple[Any, Any, Any]:
    """Return, for every remaining cell, the best risk, its rank in row-major order, and the close cells."""
    if not lines:
        best, rank = _over_axes(partial(_line_argbest, call, scanned, packed), hoisted, remaining)(hoisted)
    else:
        best, rank = _joint(hoisted, scanned, call, scan, remaining, lines)
    if not counted:
        return best, rank, None
    bound = best * (1 + 8 * jnp.finfo(best.dtype).eps)
    # Every line of a cell is held against that cell's bound.
    for_cell = _over_axes(partial(_line_count, call, scanned), hoisted, lines)

    def count(hoisted: Any, bound: Any) -> Any:
        shape = tuple(_length(hoisted, axis) for axis in lines)
        return for_cell(hoisted, jnp.broadcast_to(bound, shape)).sum()

    return best, rank, _over_axes(count, hoisted, remaining)(hoisted, bound)


def _length(hoisted: Any, axis: str) -> int:
    sizes: list[int] = []
    _entries(hoisted, axis, lambda leaf: sizes.append(leaf.shape[-1]), lambda _: None)
    return sizes[0]


def _joint(
    hoisted: Any,
    scanned: Any,
    call: Call | None,
    scan: str,
    remaining: tuple[str, ...],
    lines: tuple[str, ...],
) -> tuple[Any, Any]:
    """Minimise over several axes: the best of every line, then where the best lines have it.

    Only values are carried through the cube, which is three times faster than carrying indices;
    the index along the scanned axis is then found on the winning line alone. Tied lines are taken
    one after the other, so that the first cell in row-major order wins.
    """
    values = _over_axes(partial(_line_best, call, scanned), hoisted, remaining + lines)(hoisted)
    shape = values.shape[len(remaining) :]
    values = values.reshape(*values.shape[: len(remaining)], -1)
    count = values.shape[-1]
    best = values.min(-1)
    tied = values == best[..., None]
    ties = jnp.where(jnp.isfinite(best), tied.sum(-1), 1).max()
    numbers = jnp.arange(count, dtype=jnp.int32)
    over = tuple(axis for axis in AXES if axis in (scan, *lines))
    sizes = [len(scanned["index"]) if axis == scan else shape[lines.index(axis)] for axis in over]
    weights = {axis: math.prod(sizes[k + 1 :]) for k, axis in enumerate(over)}

    def rank_of_line(hoisted: Any, line: Any) -> Any:
        places = dict(zip(lines, jnp.unravel_index(jnp.minimum(line, count - 1), shape)))
        for axis, place in places.items():
            hoisted = _entries(hoisted, axis, lambda leaf, place=place: leaf[place], lambda leaf: leaf)
        risk, _ = _split(call, hoisted)
        along = jax.vmap(risk)(scanned)
        places[scan] = jnp.where(along < jnp.inf, along, jnp.inf).argmin()
        return sum(places[axis].astype(jnp.int64) * weights[axis] for axis in over)

    ranks = _over_axes(rank_of_line, hoisted, remaining)
    none = jnp.full(best.shape, math.prod(sizes), jnp.int64)

    def take(state: Any) -> Any:
        taken, line, rank = state
        line = jnp.where(tied & (numbers > line[..., None]), numbers, count).min(-1)
        rank = jnp.where(line < count, jnp.minimum(rank, ranks(hoisted, line)), rank)
        return taken + 1, line, rank

    start = (jnp.asarray(0, ties.dtype), jnp.full(best.shape, -1, jnp.int32), none)
    return best, lax.while_loop(lambda state: state[0] < ties, take, start)[2]


# --- chunks ---


def _run(tables: Tables, remaining: tuple[str, ...], chunk: int, counted: bool) -> tuple[Any, Any, Any]:
    """Call the kernel on equal blocks of the remaining axes, and put their results together."""
    shape = tuple(tables.sizes[axis] for axis in remaining)
    lines = math.prod(tables.sizes[axis] for axis in tables.lines)
    static = {"call": tables.call, "scan": tables.scan, "remaining": remaining, "lines": tables.lines}
    kernel: Callable[..., Any] = partial(_best, **static, counted=counted, packed=jax.default_backend() == "cpu")
    blocks = list(_blocks(shape, max(1, chunk // lines)))
    parts: Iterable[Any] = blocks if len(blocks) == 1 else track(blocks, "grid search")
    whole: list[Any] = []
    for block in parts:
        hoisted = tables.hoisted
        for axis, part in zip(remaining, block):
            hoisted = _entries(hoisted, axis, lambda leaf, part=part: leaf[part], lambda leaf: leaf)
        results = [None if r is None else np.asarray(r) for r in kernel(hoisted, tables.scanned)]
        if len(blocks) == 1:
            return results[0], results[1], results[2]
        whole = whole or [None if r is None else np.empty(shape, r.dtype) for r in results]
        for target, result in zip(whole, results):
            if target is not None:
                target[block] = result
    return whole[0], whole[1], whole[2]


def _blocks(shape: tuple[int, ...], cells: int) -> Iterator[tuple[slice, ...]]:
    """Blocks of one shape that cover an array, at most ``cells`` each; the last ones overlap."""
    sides = []
    for n in reversed(shape):
        side = min(n, max(1, cells))
        side = math.ceil(n / math.ceil(n / side))
        sides.append(side)
        cells //= side
    starts = [[min(k * side, n - side) for k in range(math.ceil(n / side))] for n, side in zip(shape, reversed(sides))]
    for corner in itertools.product(*starts):
        yield tuple(slice(start, start + side) for start, side in zip(corner, reversed(sides)))


# --- the result ---


def _result(job: _Job, risk: Any, rank: Any, close: Any, dtype: str) -> SearchResult:
    """Name what the kernel found, and put back the axes that the bound does not depend on."""
    searched = job.searched
    sizes = [len(job.axes[axis]) for axis in searched]
    places = [rank] if len(searched) == 1 else np.unravel_index(np.minimum(rank, math.prod(sizes) - 1), sizes)
    if not np.isfinite(risk).all():
        places = [np.where(np.isfinite(risk), place, -1) for place in places]
    found = dict(zip(searched, places))
    every = job.axes | job.absent
    remaining = {axis: every[axis] for axis in AXES if axis in every and axis not in job.over}
    inserted = tuple(k for k, axis in enumerate(remaining) if axis in job.absent)
    shape = tuple(len(values) for values in remaining.values())

    def whole(array: Any) -> Any:
        return np.broadcast_to(np.expand_dims(array, inserted), shape) if inserted else array

    index = {axis: whole(found[axis]) if axis in found else np.zeros(shape, np.int32) for axis in job.over}
    index = {
        axis: np.where(np.isfinite(whole(risk)), places, -1) if axis not in found else places
        for axis, places in index.items()
    }
    last = {axis: _last_feasible(axis, every, remaining, job.domain) for axis in job.over}
    return SearchResult(
        risk=whole(risk),
        index=index,
        axes=remaining,
        over=job.over,
        values={axis: every[axis] for axis in job.over},
        fixed=job.fixed,
        path=job.path,
        dtype=dtype,
        points=math.prod(len(values) for values in every.values()),
        cells_below_one_K=_below_one(every, job),
        unresolved=None if close is None else whole(close) > 1,
        last=last,
    )


def _last_feasible(axis: str, every: Any, remaining: Any, domain: Domain) -> NDArray[np.integer]:
    """The last index on an axis that may win: a scalar, or one for each T."""
    last = np.asarray(len(every[axis]) - 1)
    if axis in domain.penalty:
        last = np.asarray(np.flatnonzero(domain.penalty[axis] == 0).max(initial=-1))
    if axis == "b" and domain.limit:
        highest = np.searchsorted(domain.limit["b"], domain.limit["T"], side="right") - 1
        last = np.minimum(last, highest).reshape([-1 if name == "T" else 1 for name in remaining])
    return last


def _below_one(every: Mapping[str, NDArray[np.float64]], job: _Job) -> int:
    """How many grid points have K = T/b < 1."""
    others = math.prod(len(values) for name, values in every.items() if name not in ("T", "K", "b"))
    if "K" in every or "K" in job.fixed:
        K = np.atleast_1d(every["K"] if "K" in every else job.fixed["K"])
        return others * len(every.get("b", (1,))) * int((K < 1).sum())
    T = np.atleast_1d(every["T"] if "T" in every else job.fixed["T"])[:, None]
    if "b" in job.path:
        return others * int((T ** float(job.path["b"]) > T).sum())
    b = every.get("b", np.asarray(job.fixed.get("b", np.nan)))
    return others * int((np.atleast_1d(b) > T).sum())
