"""A bound as numbers on the axes: what the search hands to the device. NumPy only, no jax.

For every term, a coefficient and one table per axis; terms that share their factor on the scanned
axis share one table there, so that the inner loop does one multiplication for each such group.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hpgrid.checks import AXES, InputError, bad
from hpgrid.proxy import Factor, FunctionProxy, Proxy, RiskFunction, Term, evaluate_factor

#: Values on the axes, by name.
Axes = Mapping[str, NDArray[np.float64]]


class Hoisted(NamedTuple):
    """What does not depend on the scanned axis: arrays keyed by axis, and scalars; a pytree.

    Attributes:
        zero: 0 as an argument, so that no compiler knows it.
        groups: for each factor on the scanned axis, its terms: coefficients, each with its tables by axis.
        rest: the same for terms without such a factor.
        penalty: 0 or +inf by axis.
        limit: b min_K and T, where both are axes.
        point: of a function, the axes themselves.
        held: of a function, the values of what is no axis.
        constants: of a function.
        place: of a certified search, the indices along its rows and columns.
    """

    zero: Any
    groups: Sequence[Any] = ()
    rest: Sequence[Any] = ()
    penalty: Mapping[str, Any] = {}
    limit: Mapping[str, Any] = {}
    point: Mapping[str, Any] = {}
    held: Sequence[Any] = ()
    constants: Sequence[Any] = ()
    place: Mapping[str, Any] = {}


class Scanned(NamedTuple):
    """What lies along the scanned axis: arrays, of which a step of the scan takes one entry each; a pytree.

    Attributes:
        index: 0, 1, 2, ...
        groups: the factors that groups of terms share.
        value: of a function, the axis itself.
        penalty: 0 or +inf.
        limit: b min_K, where b is scanned and T an axis.
        pair: of a certified search, the numbers of A s^-p + B s^q.
    """

    index: Any
    groups: Sequence[Any] = ()
    value: Any = None
    penalty: Any = None
    limit: Any = None
    pair: Any = None


@dataclass(frozen=True)
class Call:
    """A risk function, and which of its arguments come from where: the static part of a search."""

    function: RiskFunction
    arguments: tuple[str, ...]
    held: tuple[str, ...]
    constants: tuple[str, ...]
    scan: str

    def __call__(self, hoisted: Hoisted, entry: Scanned) -> Any:
        """Return the risk at one point of the scanned axis."""
        at = {**dict(zip(self.held, hoisted.held)), **hoisted.point, self.scan: entry.value}
        constants = dict(zip(self.constants, hoisted.constants))
        # What the bound does not depend on is passed as 1.
        return self.function(*(at.get(v, hoisted.zero + 1) for v in self.arguments), constants)


@dataclass(frozen=True)
class Tables:
    """A search in numbers.

    Every dictionary inside ``hoisted`` is keyed by axis, and its entry under an axis has one value
    per point of that axis; all else there is a scalar.

    Attributes:
        call: the risk function where the bound has no terms, else None.
        scan: the axis that the kernel scans.
        lines: the other reduced axes, in canonical order.
        hoisted: what does not depend on the scanned axis.
        scanned: what does.
        sizes: the length of each axis.
    """

    call: Call | None
    scan: str
    lines: tuple[str, ...]
    hoisted: Hoisted
    scanned: Scanned
    sizes: dict[str, int]


def tabulate(
    proxy: Proxy | FunctionProxy,
    axes: Axes,
    fixed: Mapping[str, float],
    domain: Domain,
    *,
    over: tuple[str, ...],
    dtype: str,
) -> Tables:
    """Return the tables of a bound on some axes, the others fixed.

    Args:
        proxy: the bound, in the budget of ``axes``.
        axes: values of every axis that is reduced or remains.
        fixed: values of the other variables.
        domain: which cells may win.
        over: the reduced axes.
        dtype: the precision of the tables.

    Raises:
        ValueError: a term leaves the range of ``dtype`` on this grid.
    """
    scan = scan_axis(proxy, over, domain)
    if isinstance(proxy, Proxy):
        check_range(proxy, axes, fixed, domain, scan, np.finfo(dtype))
        call, hoisted, scanned = None, *_separable(proxy, scan, axes, fixed)
    else:
        call, hoisted, scanned = _callable(proxy, scan, axes, fixed)
    penalty, limit = ({v: x for v, x in each.items() if v != scan} for each in (domain.penalty, domain.limit))
    hoisted = hoisted._replace(penalty=penalty, limit=limit)
    scanned = scanned._replace(penalty=domain.penalty.get(scan), limit=domain.limit.get(scan))
    sizes = {name: len(values) for name, values in axes.items()}
    lines = tuple(v for v in over if v != scan)
    return Tables(call, scan, lines, _cast(hoisted, np.dtype(dtype)), _cast(scanned, np.dtype(dtype)), sizes)


def grouped(terms: Sequence[Term], scan: str) -> tuple[dict[Factor, list[Term]], list[Term]]:
    """Return the terms by their factor on the scanned axis, and those without one: the order of all tables."""
    groups: dict[Factor, list[Term]] = {}
    for term in terms:
        if scan in term.factors:
            groups.setdefault(term.factors[scan], []).append(term)
    return groups, [term for term in terms if scan not in term.factors]


def _separable(proxy: Proxy, scan: str, axes: Axes, fixed: Mapping[str, float]) -> tuple[Hoisted, Scanned]:
    """The tables of a sum of terms, grouped by their factor on the scanned axis."""

    def entry(term: Term) -> tuple[Any, dict]:
        """A coefficient, fixed variables folded in, and the term's table on each other axis."""
        tables = {v: evaluate_factor(f, axes[v]) for v, f in term.factors.items() if v in axes and v != scan}
        return np.float64(coefficient(term, proxy.constants, axes, fixed)), tables

    groups, rest = grouped(proxy.terms, scan)
    scanned = Scanned(_indices(axes[scan]), [evaluate_factor(factor, axes[scan]) for factor in groups])
    return Hoisted(
        np.zeros(()), [list(map(entry, members)) for members in groups.values()], list(map(entry, rest))
    ), scanned


def coefficient(term: Term, constants: Mapping[str, float], axes: Axes, fixed: Mapping[str, float]) -> float:
    """Return a term's coefficient with the variables that are no axes folded in."""
    value = term.coefficient(constants)
    for variable, factor in term.factors.items():
        if variable not in axes:
            value *= float(evaluate_factor(factor, fixed[variable]))
    return value


def _callable(proxy: FunctionProxy, scan: str, axes: Axes, fixed: Mapping[str, float]) -> tuple[Call, Hoisted, Scanned]:
    """The tables of a function: the axes themselves."""
    variables = proxy.variables()
    held = tuple(v for v in variables if v not in axes)
    hoisted = Hoisted(
        np.zeros(()),
        point={v: axes[v] for v in variables if v in axes and v != scan},
        held=[np.float64(fixed[v]) for v in held],
        constants=[np.float64(value) for value in proxy.constants.values()],
    )
    call = Call(proxy.function, proxy.arguments(), held, tuple(proxy.constants), scan)
    return call, hoisted, Scanned(_indices(axes[scan]), value=axes[scan])


def _indices(values: NDArray[np.float64]) -> NDArray[np.int32]:
    return np.arange(len(values), dtype=np.int32)


def _cast(tree: Any, dtype: np.dtype) -> Any:
    """A tree of tables in another precision; integers stay."""
    if isinstance(tree, Mapping):
        return {key: _cast(value, dtype) for key, value in tree.items()}
    if isinstance(tree, (list, tuple)):
        parts = [_cast(value, dtype) for value in tree]
        return type(tree)(*parts) if hasattr(tree, "_fields") else type(tree)(parts)
    return tree if tree is None or tree.dtype.kind == "i" else np.asarray(tree, dtype)


def scan_axis(proxy: Proxy | FunctionProxy, over: tuple[str, ...], domain: Domain) -> str:
    """The reduced axis with the fewest multiplications in the inner loop."""

    def cost(axis: str) -> tuple[bool, int]:
        terms = proxy.terms if isinstance(proxy, Proxy) else ()
        # A limit on the scanned axis is a comparison at every point, elsewhere one for every line.
        return axis in domain.limit, len({term.factors[axis] for term in terms if axis in term.factors})

    return min(over, key=cost)


@dataclass(frozen=True)
class Domain:
    """Which cells may win: a penalty (0 or +inf) on each axis, and b min_K <= T between two.

    Attributes:
        penalty: tables of 0 and +inf, by axis.
        limit: {"b": b min_K, "T": T} where both are axes and min_K is given, else empty.
    """

    penalty: dict[str, NDArray[np.float64]]
    limit: dict[str, NDArray[np.float64]]


def domain_of(
    axes: Axes,
    fixed: Mapping[str, float],
    caps: Mapping[str, float],
    min_K: float | None,
    batch_path: Fraction | None,
) -> Domain:
    """Return the domain that caps and a smallest number of iterations leave of a grid."""
    allowed = {name: axes[name] <= cap for name, cap in caps.items() if name in axes}
    limit: dict[str, NDArray[np.float64]] = {}

    def also(name: str, inside: NDArray[np.bool_]) -> None:
        allowed[name] = allowed.get(name, np.ones(inside.shape, bool)) & inside

    # K where it is one number; NaN, which is never too small, where nothing fixes it.
    iterations = fixed.get("K", math.nan)
    if "T" in fixed and "K" not in fixed:
        path = None if batch_path is None else fixed["T"] ** float(batch_path)
        iterations = fixed["T"] / (fixed.get("b", math.nan) if path is None else path)
    if min_K is not None and "K" in axes:
        also("K", axes["K"] >= min_K)
    elif min_K is not None and batch_path is not None and "T" in axes:
        also("T", axes["T"] ** (1.0 - float(batch_path)) >= min_K)
    elif min_K is not None and "b" in axes and "T" in axes:
        limit = {"b": axes["b"] * min_K, "T": np.asarray(axes["T"])}
    elif min_K is not None and "b" in axes and "T" in fixed:
        also("b", axes["b"] * min_K <= fixed["T"])
    elif min_K is not None and "T" in axes and "b" in fixed:
        also("T", axes["T"] >= fixed["b"] * min_K)
    elif min_K is not None and iterations < min_K:
        # Nothing varies: one axis bears the verdict for every cell.
        name = next(iter(axes))
        also(name, np.zeros(axes[name].shape, bool))
    return Domain({name: np.where(inside, 0.0, np.inf) for name, inside in allowed.items()}, limit)


def check_range(
    proxy: Proxy, axes: Axes, fixed: Mapping[str, float], domain: Domain, scan: str, info: np.finfo
) -> None:
    """Refuse a grid on which a term, a table, or a product on the way to the term, overflows or vanishes."""
    top = math.log(float(info.max)) - math.log(len(proxy.terms))
    bottom = math.log(float(info.tiny))
    for term in proxy.terms:
        held = [evaluate_factor(factor, fixed[v]) for v, factor in term.factors.items() if v in fixed]
        if any(factor == 0 for factor in held):
            continue  # the term is not there
        for largest in (True, False):
            values, at = _extremes(proxy, term, axes, fixed, domain, scan, largest)
            worst = max(values) if largest else min(values)
            if not bottom <= worst <= top:
                raise _out_of_range(term, worst, at, info, worst > top)


def _extremes(
    proxy: Proxy,
    term: Term,
    axes: Axes,
    fixed: Mapping[str, float],
    domain: Domain,
    scan: str,
    largest: bool,
) -> tuple[list[float], dict[str, float]]:
    """Logs of all that the kernel forms of a term where it is largest, or smallest, and where that is.

    Those are the coefficient, each table, and the products in the kernel's order: the scanned axis last.
    """
    product = _log_coefficient(proxy, term, fixed)
    formed, at = [product], {}
    for variable in sorted((v for v in term.factors if v in axes), key=lambda v: v == scan):
        logs, values = _log_table(term, variable, axes, domain)
        k = int(logs.argmax() if largest else logs.argmin())
        product += float(logs[k])
        formed += [float(logs[k]), product]
        at[variable] = float(values[k])
    return formed, at


def _log_coefficient(proxy: Proxy, term: Term, fixed: Mapping[str, float]) -> float:
    total = math.log(float(term.number))
    total += sum(float(e) * math.log(proxy.constants[name]) for name, e in term.constants.items())
    held = {v: f for v, f in term.factors.items() if v in fixed}
    for variable, factor in held.items():
        if isinstance(factor, str):
            total += float(np.log(evaluate_factor(factor, fixed[variable])))
        else:
            total += float(factor) * math.log(fixed[variable])
    return total


def _log_table(term: Term, variable: str, axes: Axes, domain: Domain) -> tuple[NDArray, NDArray]:
    """The log of a factor where the axis is allowed and the factor not zero, and where that is."""
    values = axes[variable]
    if variable in domain.penalty and (domain.penalty[variable] == 0).any():
        values = values[domain.penalty[variable] == 0]
    factor = term.factors[variable]
    if isinstance(factor, str):
        table = evaluate_factor(factor, values)
        values, table = values[table > 0], table[table > 0]
        return np.log(table), values
    return float(factor) * np.log(values), values


def _out_of_range(term: Term, log_value: float, at: Mapping[str, float], info: np.finfo, overflows: bool) -> InputError:
    where = ", ".join(f"{v}={at[v]:.3g}" for v in AXES if v in at) or "any point"
    verb = "overflows" if overflows else "falls below the smallest normal number of"
    given = f"term {term} is 1e{log_value / math.log(10):+.0f} at {where}"
    return bad(f"the risk {verb} {info.dtype} on this grid", given, "a smaller grid, other constants, or float64")
