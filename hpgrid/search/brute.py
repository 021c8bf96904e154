"""Brute force over a grid: what is searched, and what came out. The work is in ``kernel``."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial, reduce
from operator import and_, le
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hpgrid.answer import Labelled, Pictured
from hpgrid.checks import DTYPES, GRID_METHODS, Given, bad, check_choice, unknown
from hpgrid.formula.function import holds
from hpgrid.grid import Grid
from hpgrid.progress import foresee
from hpgrid.proxy import FunctionProxy, Proxy, check_bound
from hpgrid.regime import Regime, as_regime
from hpgrid.search.exact import Proof, problem_of, search
from hpgrid.search.structure import structure
from hpgrid.search.tables import Domain, Tables, domain_of, places, tabulate, with_walls
from hpgrid.shapes import Floats
from hpgrid.variables import STANDARD, Power, Space

if TYPE_CHECKING:
    import xarray
    from matplotlib.axes import Axes

#: Lines (cells of the axes that are not scanned) in one call of the kernel. 2^20 of them keep the
#: working set near 10 MB, and one call does the whole of a 100^4 grid.
CHUNK = 2**20

#: Values of the scanned axis from which on the best of them is found by bisection sooner than they are compared, where
#: each line of the grid is searched so, and there are more than two powers on it.
LONG = 2000

#: Cells in a second that no one device compares: a search that would take too long even so is refused at once.
FASTEST = 1e13


@dataclass(frozen=True, eq=False, repr=False)
class Argmins:
    """Where the best cells are, of one search or of many.

    Attributes:
        risk: best risk; +inf where no cell is feasible.
        index: for every reduced axis, the index of the best value; -1 where none is feasible.
        values: the values of the reduced axes.
        last: for every reduced axis, the last index that is feasible, broadcasting against ``risk``.
        method: how it was searched: "brute" or "exact".
    """

    risk: NDArray[Any]
    index: Mapping[str, NDArray[np.integer]]
    values: Mapping[str, Floats]
    last: Mapping[str, NDArray[np.integer]]
    method: str

    @cached_property
    def feasible(self) -> NDArray[np.bool_]:
        """Where some cell lies in the bound's domain."""
        return np.isfinite(self.risk)

    @cached_property
    def at(self) -> dict[str, Floats]:
        """The best value of every tuned variable; NaN where no cell is feasible."""
        best = {name: self.values[name][index] for name, index in self.index.items()}
        return best if self.feasible.all() else {v: np.where(self.feasible, x, np.nan) for v, x in best.items()}

    @cached_property
    def edge(self) -> dict[str, NDArray[np.bool_]]:
        """Where the best value sits on the border of the feasible box, and so says nothing."""
        return {name: (index <= 0) | (index >= self.last[name]) for name, index in self.index.items()}


@dataclass(frozen=True, eq=False, repr=False)
class SearchResult(Argmins, Labelled, Pictured):
    """The best point of a grid for every cell of the axes that remain.

    Attributes:
        axes: the values of the axes that remain, by name, in canonical order.
        fixed: what was held, by name.
        path: what follows a power of the budget, by name.
        dtype: the precision of the search.
        points: how many grid points were compared.
        cells_below_one_K: how many of them have K = T/b < 1.
        unresolved: where another cell lies within 8 eps of the best, so that ``dtype`` cannot say
            which is better; computed for float32, None for float64.
        space: the variables of the bound.
        proof: of an exact search, what it rests on: see ``verify_search``.
        plan: what was searched.
    """

    axes: Mapping[str, Floats]
    fixed: Mapping[str, float]
    path: Mapping[str, Power]
    dtype: str
    points: int
    cells_below_one_K: int
    unresolved: NDArray[np.bool_] | None
    space: Space = STANDARD
    proof: Proof | None = None
    plan: SearchPlan | None = field(default=None, repr=False)

    @property
    def over(self) -> tuple[str, ...]:
        """The reduced axes, in canonical order."""
        return tuple(self.values)

    @cached_property
    def below_one_K(self) -> NDArray[np.bool_]:
        """Where the best cell has K = T/b < 1, fewer than one iteration; nowhere under budgets of other kinds."""
        T = self.value(self.budget) if self.budget in ("T", "K") else np.nan
        b = 1.0 if self.budget == "K" else self.value(str(self.space.batch))
        return np.broadcast_to(b > T, self.risk.shape)

    def __repr__(self) -> str:
        over, kept = ", ".join(self.over), ", ".join(f"{v} ({len(x)})" for v, x in self.axes.items())
        return (
            f"SearchResult(best {over} over {kept or 'nothing'}: {self.points:.3g} points, {self.method}, {self.dtype})"
        )

    def to_xarray(self) -> xarray.Dataset:
        """Return the best risk, where it is, and what lies at the edge, over the axes that remain."""
        import xarray

        names, data = tuple(self.axes), {"risk": self.risk}
        for v in self.over:
            data |= {v: self.at[v], f"{v}_index": self.index[v], f"{v}_edge": self.edge[v]}
        whole = {name: (names, np.broadcast_to(x, self.risk.shape)) for name, x in data.items()}
        return xarray.Dataset(
            whole, dict(self.axes), {"points": float(self.points), "dtype": self.dtype, "method": self.method}
        )

    @property
    def declared(self) -> Space:
        """The variables of its bound."""
        return self.space

    def panels(self) -> dict[str, Callable[[Axes], None]]:
        """Return what draws the best risk and each reduced axis' best value against the budget.

        All else that remains is a family of thin curves.

        Raises:
            ValueError: the budget is no axis.
        """
        from hpgrid.plotting.lines import against

        if self.budget not in self.axes:
            raise bad("a search is drawn against its budget", list(self.axes), "a grid with an axis of it")
        k, x = list(self.axes).index(self.budget), self.axes[self.budget]

        def draw(axes: Axes, name: str) -> None:
            values = self.risk if name == "risk" else self.at[name]
            edge: Any = np.broadcast_to(False if name == "risk" else self.edge[name], self.risk.shape)
            curves, edges = (np.moveaxis(part, k, -1).reshape(-1, len(x)) for part in (np.asarray(values), edge))
            against(axes, x, curves, edges, (self.budget, name))

        return {name: partial(draw, name=name) for name in ("risk", *self.over)}

    @property
    def budget(self) -> str:
        """The name of the budget: "T", "K", or one that is declared."""
        return next(v for v in self.space.budget_names if v in self.axes or v in self.fixed)

    def value(self, name: str) -> Any:
        """Return a variable's value in every cell of the result, as an array that broadcasts against it."""
        if name in self.over:
            return self.at[name]
        if name in self.fixed:
            return self.fixed[name]
        if name in self.path:
            return self.path[name].at(self.value(self.budget))
        if name not in self.axes:
            return np.nan  # a bound without it: nothing to compare
        return self.axes[name].reshape([-1 if axis == name else 1 for axis in self.axes])


def grid_search(
    proxy: Proxy | FunctionProxy,
    grid: Grid,
    over: Iterable[str] | str | None = None,
    *,
    fixed: Mapping[str, Given] | None = None,
    path: Mapping[str, Given] | None = None,
    caps: Mapping[str, Given] | None = None,
    regime: Regime | None = None,
    min_K: Given | None = None,
    dtype: str = "float64",
    chunk: int = CHUNK,
    method: str = "auto",
) -> SearchResult:
    """Return the best risk, and where it is, over some axes of a grid for every cell of the others.

    Ties go to the first cell in row-major order over (eta, b, alpha, budget), or
    what else a bound declares, in its order. A sum of terms gives
    the same bits for every ``chunk``; a function's risk may differ in the last ones, since the
    compiler is free to fuse its operations. Cells outside the bound's domain never win.

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
        method: "brute" compares every cell; "exact" those that a bound's structure leaves (see ``structure``), with the
            same result, index for index; "auto" the exact one where the structure is proved and the grid large.

    Raises:
        ValueError: see the message: a missing or unknown axis, a value out of range, nothing to
            reduce, or a risk that leaves the dtype's range on this grid.

    Source: the method of Shulgin et al., footnote 3.
    """
    check_bound(proxy)
    regime = as_regime(regime, over, min_K, proxy.space, fixed=fixed, path=path, caps=caps)
    if dtype not in DTYPES:
        raise unknown("dtype", dtype, DTYPES)
    if isinstance(chunk, bool) or not isinstance(chunk, int) or chunk < 1:
        raise bad("chunk is a whole number of lines, 1 or more", chunk, "chunk=2**20, say")
    check_choice("method", method, GRID_METHODS)
    plan = plan_search(proxy, grid, regime.settled(proxy, grid, free=grid.axes))
    return inside(best_of(plan, dtype, chunk, method=method), proxy)


def inside(found: SearchResult, proxy: Proxy | FunctionProxy) -> SearchResult:
    """Return a result as it is, unless its bound has a domain of which no cell is a part.

    Raises:
        ValueError: none is.
    """
    if proxy.domain and not found.feasible.any():
        rule = "no cell of this grid lies in the bound's domain"
        raise bad(rule, ", ".join(condition.text for condition in proxy.domain), "another grid, or another domain")
    return found


def best_of(
    plan: SearchPlan, dtype: str = "float64", chunk: int = CHUNK, times: int = 1, method: str = "auto"
) -> SearchResult:
    """Return what ``grid_search`` does, of a plan, one of so many alike: nothing is asked again.

    Raises:
        ValueError: the method is exact, and the bound has no structure that would serve.
    """
    tables, problem, why = plan.tables(dtype), None, f"{dtype}, of which brute force counts what it can't resolve"
    if dtype == "float64" and method != "brute":
        problem, why = problem_of(plan, tables)
        if problem is not None and method == "exact":
            why = structure(plan.proxy).why_not(tables.over)
        slow = problem is not None and method == "auto" and problem.line.kind == "convex"
        if why or (slow and tables.sizes[tables.scan] < LONG):
            problem = None
    if problem is None and method == "exact":
        rule = f"an exact search over {', '.join(plan.over)} rests on a structure that {plan.proxy.name} lacks"
        raise bad(rule, why, 'method="auto", which compares every cell where it must')
    if problem is None:
        from hpgrid.search.kernel import best_cells  # the only import of jax

        counted = dtype == "float32"
        return label_result(plan, dtype, *best_cells(tables, chunk=chunk, counted=counted, times=times))
    lanes = math.prod(problem.shape)
    foresee(f"an exact search of {math.prod(tables.sizes.values()):.3g} cells", 1e-7 * lanes, 96.0 * lanes)
    return label_result(plan, dtype, *search(problem), proof=Proof(structure(plan.proxy), tables.scan))


@dataclass(frozen=True, eq=False)
class SearchPlan:
    """A search, once every role is settled: what the tables are made of."""

    proxy: Proxy | FunctionProxy
    axes: dict[str, Floats]  # those the search depends on, in canonical order
    unused_axes: dict[str, Floats]  # those it does not: a result is constant along them
    over: tuple[str, ...]
    fixed: dict[str, float]
    path: Mapping[str, Power]
    domain: Domain

    def tables(self, dtype: str = "float64") -> Tables:
        proxy = self.proxy.behind(self.domain.walls) if self.domain.walls else self.proxy
        return tabulate(proxy, self.axes, self.fixed, self.domain, over=self.searched, dtype=dtype)

    def at(self, cells: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values of variables at cells, which are indices on axes, and of what is held."""
        return self.fixed | {v: self.axes[v][place] for v, place in cells.items()}

    def allows(self, cells: Mapping[str, Any]) -> Any:
        """Return which of some cells lie in the domain."""
        penalty, limit = self.domain.penalty, self.domain.limit
        inside = [penalty[v][place] == 0 for v, place in cells.items() if v in penalty]
        inside += [reduce(le, (limit[v][cells[v]] for v in limit))] if limit else []
        inside += [holds(wall, {**self.proxy.constants, **self.at(cells)}) for wall in self.domain.walls]
        return reduce(and_, inside, np.array(True))

    @property
    def every(self) -> dict[str, Floats]:
        return self.axes | self.unused_axes

    @property
    def searched(self) -> tuple[str, ...]:
        return tuple(v for v in self.over if v in self.axes)

    @property
    def remaining(self) -> tuple[str, ...]:
        return tuple(v for v in self.axes if v not in self.over)


def plan_search(
    proxy: Proxy | FunctionProxy, grid: Grid, regime: Regime, caps: Mapping[str, float] | None = None
) -> SearchPlan:
    """Return what is reduced, what remains, what is fixed, and which cells may win, in a regime that was settled.

    Caps may be given in place of those of the regime and the bound.
    """
    proxy = proxy.form(grid.budget).along(regime.path).present()
    fixed = {**grid.held, **regime.fixed}
    space = proxy.space
    fixed = {v: fixed[v] for v in space.ordered(fixed) if v not in regime.path}
    ranges = {n: axis for n, axis in grid.axes.items() if n not in fixed and n not in regime.path}
    _check_size(proxy, {n: len(axis) for n, axis in ranges.items()})
    axes = {n: _from(axis.values, space.all[n].low) if n in regime.tuned else axis.values for n, axis in ranges.items()}
    caps = regime.joint_caps(proxy.caps) if caps is None else caps
    domain = domain_of(axes, fixed, caps, regime.min_K, space.batch, regime.path)
    domain = with_walls(domain, proxy, axes, fixed)
    reached = [v for wall in domain.walls for v in wall.variables(proxy.budget)]
    relevant = {*proxy.variables(), *domain.penalty, *domain.limit, *reached}
    if relevant.isdisjoint(regime.tuned):
        # Every value ties, and the first wins: let the kernel say so.
        relevant.add(regime.tuned[0])
    return SearchPlan(
        proxy=proxy,
        axes={n: v for n, v in axes.items() if n in relevant},
        unused_axes={n: v for n, v in axes.items() if n not in relevant},
        over=regime.tuned,
        fixed=fixed,
        path=regime.path,
        domain=domain,
    )


def _from(values: Floats, low: float) -> Floats:
    """An axis from the smallest value of its variable on, where it is wider."""
    return values if values[0] >= low else values[min(int(np.searchsorted(values, low)), len(values) - 1) :]


def _check_size(proxy: Proxy | FunctionProxy, lengths: Mapping[str, int]) -> None:
    """Refuse a search that no device gets through, or whose axes this machine can't hold, before there is an array."""
    cells = math.prod(n for name, n in lengths.items() if name in proxy.variables())
    terms = proxy.terms if isinstance(proxy, Proxy) else ()
    # An axis' values, their logs and index, and on either side of the device a table for each term.
    tables = sum(n * (4 + 2 * sum(name in term.factors for term in terms)) for name, n in lengths.items())
    foresee(f"{cells:.3g} cells", cells / FASTEST, 8.0 * tables, at_least=True)


def indices(plan: SearchPlan, risk: Any, rank: Any) -> dict[str, NDArray[np.integer]]:
    """Return the index on every reduced axis, by the numbers of cells: -1 where none is feasible.

    On an axis that nothing depends on it is the first.
    """
    feasible, sizes = np.isfinite(risk), [len(plan.axes[axis]) for axis in plan.searched]
    every = feasible.all()
    found = dict(zip(plan.searched, places(rank if every else np.where(feasible, rank, 0), sizes)))
    whole = {v: found.get(v, np.zeros(feasible.shape, np.int32)) for v in plan.over}
    return whole if every else {v: np.where(feasible, index, -1) for v, index in whole.items()}


def label_result(
    plan: SearchPlan, dtype: str, risk: Any, rank: Any, close: Any = None, proof: Proof | None = None
) -> SearchResult:
    """Return a search's result by name, with the axes that the bound does not depend on put back."""
    every, space, batch = plan.every, plan.proxy.space, str(plan.proxy.space.batch)
    remaining = {axis: every[axis] for axis in space.ordered(every) if axis not in plan.over}
    inserted = tuple(k for k, axis in enumerate(remaining) if axis in plan.unused_axes)
    shape = tuple(len(values) for values in remaining.values())

    def whole(array: Any) -> Any:  # a view: what is constant along an axis is not copied along it
        return np.broadcast_to(np.expand_dims(array, inserted), shape) if inserted else array

    # Cells with K = T/b < 1, by the pairs of a budget and b.
    at, points = every | plan.fixed, math.prod(len(values) for values in every.values())
    T = np.atleast_1d(at.get("T", np.nan))[:, None]
    b = plan.path[batch].at(T) if batch in plan.path else np.atleast_1d(at.get(batch, np.nan))
    below = np.atleast_1d(at["K"]) < 1 if "K" in at else b > T
    found = SearchResult(
        risk=whole(risk),
        index={v: whole(index) for v, index in indices(plan, risk, rank).items()},
        values={axis: every[axis] for axis in plan.over},
        last={axis: last_feasible(axis, every, remaining, plan.domain) for axis in plan.over},
        method="exact" if proof else "brute",
        axes=remaining,
        fixed=plan.fixed,
        path=plan.path,
        dtype=dtype,
        points=points,
        cells_below_one_K=int(below.sum()) * (points // below.size),
        unresolved=None if close is None else whole((close > 1) & np.isfinite(risk)),
        space=space,
        proof=proof,
        plan=plan,
    )
    if not plan.proxy.walls:
        return found
    return replace(
        found, last={v: np.where(_at_wall(plan, found, v), found.index[v], last) for v, last in found.last.items()}
    )


def _at_wall(plan: SearchPlan, found: SearchResult, name: str) -> NDArray[np.bool_]:
    """Where a step along an axis leads from the best cell out of the bound's domain."""
    named = (*found.over, *found.fixed, *found.path, *found.axes)
    at = {v: np.asarray(found.value(v), float) for v in named} | dict(plan.proxy.constants)
    beside = np.zeros(found.risk.shape, bool)
    for step in (-1, 1):
        moved = np.clip(found.index[name] + step, 0, len(found.values[name]) - 1)
        for wall in plan.proxy.walls:
            beside |= ~holds(wall, {**at, name: found.values[name][moved]})
    return beside & found.feasible


def last_feasible(axis: str, every: Any, remaining: Any, domain: Domain) -> NDArray[np.integer]:
    """The last index on an axis that may win: a scalar, or one for each T."""
    last = np.asarray(len(every[axis]) - 1)
    if axis in domain.penalty:
        last = np.asarray(np.flatnonzero(domain.penalty[axis] == 0).max(initial=-1))
    if axis != "T" and axis in domain.limit:
        highest = np.searchsorted(domain.limit[axis], domain.limit["T"], side="right") - 1
        last = np.minimum(last, highest).reshape([-1 if name == "T" else 1 for name in remaining])
    return last
