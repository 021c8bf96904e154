"""A bound as numbers on the axes: what the search hands to the device. NumPy only, no jax.

For every term, a coefficient and one table per axis; terms that share their factor on the scanned
axis share one table there, so that the inner loop does one multiplication for each such group.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hpgrid.checks import bad
from hpgrid.formula.function import holds
from hpgrid.formula.quantity import Quantity
from hpgrid.formula.syntax import Inequality
from hpgrid.proxy import FunctionProxy, Proxy, RiskFunction
from hpgrid.shapes import Floats
from hpgrid.term import Factor, Term, evaluate_factor
from hpgrid.variables import Power

#: Values on the axes, by name.
Axes = Mapping[str, Floats]

#: The value of what is no axis, or a cap on an axis, by name.
Held = Mapping[str, float]


#: The name of the axis of combinations of constants, which no variable can have.
COMBINATION = "combination of constants"

#: Bytes of a search for each line of a call, and for each cell of its result; measured, and rounded up.
LINE_BYTES, CELL_BYTES = 32, 96


class Hoisted(NamedTuple):
    """What does not depend on the scanned axis: arrays keyed by axis, and scalars; a pytree."""

    zero: Any  # 0 as an argument, so that no compiler knows it
    # For each factor on the scanned axis, its terms: coefficients, each with its tables, a mapping for every axis, so
    # that they stay in canonical order and a cell has the same bits in any chunk.
    groups: Sequence[Any] = ()
    rest: Sequence[Any] = ()  # the same for terms without such a factor
    penalty: Sequence[Any] = ()  # 0 or +inf, a mapping for every axis
    limit: Mapping[str, Any] = {}  # b min_K and T, where both are axes
    point: Mapping[str, Any] = {}  # of a function, the axes themselves, and the value of what is none
    constants: Sequence[Any] = ()  # of a function


class Scanned(NamedTuple):
    """What lies along the scanned axis: arrays, of which a step of the scan takes one entry each; a pytree."""

    index: Any  # 0, 1, 2, ...
    groups: Sequence[Any] = ()  # the factors that groups of terms share
    value: Any = None  # of a function, the axis itself
    penalty: Any = None  # 0 or +inf
    limit: Any = None  # b min_K, where b is scanned and T an axis


@dataclass(frozen=True)
class Call:
    """A risk function, and which of its arguments come from where: the static part of a search."""

    function: RiskFunction
    arguments: tuple[str, ...]
    constants: tuple[str, ...]
    scan: str

    def __call__(self, hoisted: Hoisted, entry: Scanned) -> Any:
        """Return the risk at one point of the scanned axis."""
        at = {**hoisted.point, self.scan: entry.value}
        constants = dict(zip(self.constants, hoisted.constants))
        # What the bound does not depend on is passed as 1.
        return self.function(*(at.get(v, hoisted.zero + 1) for v in self.arguments), constants)


@dataclass(frozen=True)
class Tables:
    """A search in numbers.

    Every dictionary inside ``hoisted`` is keyed by variable, and its entry under an axis has one value
    per point of that axis; all else there is a scalar.
    """

    call: Call | None  # the risk function where the bound has no terms
    scan: str  # the axis that the kernel scans
    over: tuple[str, ...]  # the reduced axes, in canonical order
    hoisted: Hoisted  # what does not depend on the scanned axis
    scanned: Scanned  # what does
    sizes: dict[str, int]  # the length of each axis

    @property
    def lines(self) -> tuple[str, ...]:
        """The reduced axes that are not scanned."""
        return tuple(axis for axis in self.over if axis != self.scan)

    @property
    def remaining(self) -> tuple[str, ...]:
        """The axes that are not reduced."""
        return tuple(axis for axis in self.sizes if axis not in self.over)


def places(rank: NDArray[np.integer], sizes: Sequence[int]) -> tuple[NDArray[np.integer], ...]:
    """Return the index on each axis of cells, by their numbers in row-major order."""
    found = []
    for n in reversed(sizes[1:]):
        rank, place = np.divmod(rank, n)
        found.append(place)
    return (rank, *reversed(found))


def tabulate(
    proxy: Proxy | FunctionProxy, axes: Axes, fixed: Held, domain: Domain, *, over: tuple[str, ...], dtype: str
) -> Tables:
    """Return the tables of a bound, in the budget of ``axes``, on every axis that is reduced (``over``) or remains.

    Raises:
        ValueError: a term leaves the range of ``dtype`` on this grid.
    """
    scan = scan_axis(proxy, over, domain)
    number = partial(np.asarray, dtype=dtype)
    hoisted = Hoisted(
        number(0),
        penalty=[{v: number(domain.penalty[v])} for v in axes if v in domain.penalty and v != scan],
        limit={v: number(x) for v, x in domain.limit.items() if v != scan},
    )
    scanned = Scanned(
        np.arange(len(axes[scan]), dtype=np.int32),
        penalty=number(domain.penalty[scan]) if scan in domain.penalty else None,
        limit=number(domain.limit[scan]) if scan in domain.limit else None,
    )
    call = None
    if isinstance(proxy, Proxy):
        check_range(proxy, axes, fixed, domain, scan, np.finfo(dtype))

        def entry(term: Term) -> tuple[Any, list[dict[str, Any]]]:
            """A coefficient, fixed variables folded in, and the term's table on each other axis."""
            own = ((v, factor) for v, factor in term.factors.items() if v in axes and v != scan)
            tables = [{v: number(evaluate_factor(factor, axes[v]))} for v, factor in own]
            return number(coefficient(term, proxy.constants, axes, fixed)), tables

        groups, rest = grouped(proxy.terms, scan)
        scanned = scanned._replace(groups=[number(evaluate_factor(factor, axes[scan])) for factor in groups])
        hoisted = hoisted._replace(groups=[[*map(entry, each)] for each in groups.values()], rest=[*map(entry, rest)])
    else:
        call, values = Call(proxy.function, proxy.arguments(), tuple(proxy.constants), scan), {**fixed, **axes}
        scanned = scanned._replace(value=number(axes[scan]))
        hoisted = hoisted._replace(
            point={v: number(values[v]) for v in proxy.variables() if v != scan},
            constants=[number(value) for value in proxy.constants.values()],
        )
    return Tables(call, scan, over, hoisted, scanned, {name: len(values) for name, values in axes.items()})


def grouped(terms: Sequence[Term], scan: str) -> tuple[dict[Factor, list[Term]], list[Term]]:
    """Return the terms by their factor on the scanned axis, and those without one: the order of all tables."""
    groups: dict[Factor, list[Term]] = {}
    for term in terms:
        if scan in term.factors:
            groups.setdefault(term.factors[scan], []).append(term)
    return groups, [term for term in terms if scan not in term.factors]


def coefficient(term: Term, constants: Mapping[str, Any], axes: Collection[str], fixed: Held) -> Any:
    """Return a term's coefficient with the variables that are no axes folded in."""
    value = term.coefficient(constants)
    for variable, factor in term.factors.items():
        if variable not in axes:
            value *= float(evaluate_factor(factor, fixed[variable]))
    return value


def with_combinations(tables: Tables, proxy: Proxy, constants: Sequence[Mapping[str, float]], fixed: Held) -> Tables:
    """Return the tables of a bound with an axis of combinations of constants, the first one.

    Each coefficient is that of a single search: by Python's floats where there are powers, as NumPy's have other last
    bits.
    """
    columns = {name: np.array([each[name] for each in constants]) for name in constants[0]}

    def numbers(term: Term) -> Floats:
        if all(exponent == 1 and not isinstance(name, Quantity) for name, exponent in term.constants.items()):
            with np.errstate(over="ignore"):  # inf, as of floats
                return np.broadcast_to(coefficient(term, columns, tables.sizes, fixed), len(constants))
        return np.array([coefficient(term, each, tables.sizes, fixed) for each in constants])

    def entries(terms: Sequence[Term], alone: Any) -> list[Any]:
        return [(np.float64(1), [{COMBINATION: numbers(t)}, *own]) for t, (_, own) in zip(terms, alone, strict=True)]

    groups, rest = grouped(proxy.terms, tables.scan)
    hoisted = tables.hoisted._replace(
        groups=[entries(*each) for each in zip(groups.values(), tables.hoisted.groups, strict=True)],
        rest=entries(rest, tables.hoisted.rest),
    )
    return replace(tables, hoisted=hoisted, sizes={COMBINATION: len(constants), **tables.sizes})


def scan_axis(proxy: Proxy | FunctionProxy, over: tuple[str, ...], domain: Domain) -> str:
    """The reduced axis with the fewest multiplications in the inner loop."""

    def cost(axis: str) -> tuple[bool, int]:
        terms = proxy.terms if isinstance(proxy, Proxy) else ()
        # A limit on the scanned axis is a comparison at every point, elsewhere one for every line.
        return axis in domain.limit, len({term.factors[axis] for term in terms if axis in term.factors})

    return min(over, key=cost)


@dataclass(frozen=True, eq=False)
class Domain:
    """Which cells may win: a penalty (0 or +inf) on each axis, b min_K <= T between two, and walls between any."""

    penalty: dict[str, Floats]  # tables of 0 and +inf, by axis
    limit: dict[str, Floats]  # {"b": b min_K, "T": T} where both are axes and min_K is given
    walls: tuple[Inequality, ...] = ()  # conditions on several axes


def domain_of(
    axes: Axes, fixed: Held, caps: Held, min_K: float | None, batch: str | None, path: Mapping[str, Power]
) -> Domain:
    """Return the domain that caps and a smallest number of iterations leave of a grid; ``batch`` is b's name."""
    allowed = {name: axes[name] <= cap for name, cap in caps.items() if name in axes}
    limit: dict[str, Floats] = {}
    batch = str(batch)
    at: dict[str, Any] = {**fixed, **axes}
    if batch in path and "T" in at:
        at[batch] = path[batch].at(at["T"])
    if min_K is not None and batch in axes and "T" in axes:
        limit = {batch: axes[batch] * min_K, "T": np.asarray(axes["T"])}
    elif min_K is not None and ("K" in at or {batch, "T"} <= {*at}):
        enough = at["K"] >= min_K if "K" in at else at[batch] * min_K <= at["T"]
        on = [v for v in (("K",) if "K" in at else (batch, "T")) if v in axes]
        if on or not enough:
            name = on[0] if on else next(iter(axes))  # where nothing varies, one axis bears the verdict for every cell
            allowed[name] = allowed.get(name, True) & np.broadcast_to(enough, axes[name].shape)
    return Domain({name: np.where(inside, 0.0, np.inf) for name, inside in allowed.items()}, limit)


def with_walls(domain: Domain, proxy: Proxy | FunctionProxy, axes: Axes, fixed: Held) -> Domain:
    """Return the domain that a bound's own conditions, beside its caps, leave of another.

    Args:
        domain: what caps and a smallest number of iterations leave.
        proxy: the bound, in the budget of ``axes``.
        axes: the values on the axes.
        fixed: what is no axis.
    """
    penalty, walls = dict(domain.penalty), []
    values = {name: np.asarray(x, float) for name, x in {**proxy.constants, **fixed, **axes}.items()}
    for wall in proxy.walls:
        on = [v for v in wall.variables(proxy.budget) if v in axes]
        if len(on) > 1:
            walls.append(wall)
            continue
        name = on[0] if on else next(iter(axes))  # where nothing varies, one axis bears the verdict for every cell
        inside = np.broadcast_to(holds(wall, values), axes[name].shape)
        penalty[name] = np.where(inside, penalty.get(name, 0.0), np.inf)
    return Domain(penalty, domain.limit, tuple(walls))


def check_range(proxy: Proxy, axes: Axes, fixed: Held, domain: Domain, scan: str, info: np.finfo) -> None:
    """Refuse a grid on which a term, a table, or a product on the way to the term, overflows or vanishes."""
    top = math.log(float(info.max)) - math.log(len(proxy.terms))
    bottom = math.log(float(info.tiny))
    # Where an axis is allowed at all.
    inside = {v: axes[v][domain.penalty[v] == 0] for v in domain.penalty if v in axes}
    allowed = {v: inside[v] if v in inside and inside[v].size else values for v, values in axes.items()}
    for term in proxy.terms:
        held = [_log(factor, fixed[v]) for v, factor in term.factors.items() if v in fixed]
        if -math.inf in held:
            continue  # the term is not there
        start = sum(held, term.log_coefficient(proxy.constants))
        along = sorted((v for v in term.factors if v in axes), key=lambda v: v == scan)
        ends = {v: _ends(term.factors[v], allowed[v]) for v in along}
        for extreme in (max, min):
            # All that the kernel forms: the coefficient, each table, the products in its order, the scanned axis last.
            at = {v: extreme(each) for v, each in ends.items()}
            there = [log for log, _ in at.values()]
            worst = extreme(*itertools.accumulate(there, initial=start), *there, start)
            if not bottom <= worst <= top:
                where = ", ".join(f"{v}={at[v][1]:.3g}" for v in axes if v in at) or "any point"
                verb = "overflows" if worst > top else "falls below the smallest normal number of"
                given = f"term {term} is 1e{worst / math.log(10):+.0f} at {where}"
                wider = "" if info.dtype == np.float64 else ", or float64"
                instead = f"a smaller grid or other constants{wider}"
                raise bad(f"the risk {verb} {info.dtype} on this grid", given, instead)


def _ends(factor: Factor, values: Floats) -> list[tuple[float, float]]:
    """The log of a factor, and the value, at the first and the last value at which it is not nought: it is monotone."""
    logs = _log(factor, values)
    return [(float(logs[k]), float(values[k])) for k in np.flatnonzero(np.isfinite(logs))[[0, -1]]]


def _log(factor: Factor, values: Any) -> Any:
    """The log of a factor, where the factor itself may leave float64; -inf where it is nought."""
    with np.errstate(divide="ignore"):
        return np.log(evaluate_factor(factor, values)) if isinstance(factor, str) else float(factor) * np.log(values)
