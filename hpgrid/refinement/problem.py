"""What is to be refined, in numbers: log coefficients, exact exponents, a box. NumPy only, no jax."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hpgrid.checks import bad, unknown, without_unit
from hpgrid.formula.function import holds
from hpgrid.formula.syntax import Inequality
from hpgrid.proxy import FunctionProxy, Proxy
from hpgrid.refinement.bases import Row
from hpgrid.regime import Regime
from hpgrid.shapes import Floats
from hpgrid.term import Term, evaluate_factor, monomial_in
from hpgrid.variables import Space

#: The log of what an unbounded variable may reach: e^690 is 1e299, and nothing overflows.
OPEN = 690.0


def natural(space: Space, name: str) -> tuple[float, float]:
    """Return the bounds that a variable has of itself, in logs: those of b >= 1 are 0 and what nothing may exceed."""
    low, high = space.all[name].natural
    return max(low, -OPEN), min(high, OPEN)


class Box(NamedTuple):
    """Where optima may be, in logs: each of shape (n, problems); after the variables' bounds there may be walls'."""

    lo: Floats  # the lower bounds
    hi: Floats  # the upper bounds
    start: Floats  # where a solve begins, NaN where any place will do; of the variables alone
    follows: Floats  # d hi / d log budget
    rises: Floats  # d lo / d log budget


class Solution(NamedTuple):
    """What a solve knows of every problem of a batch, problems along the last axis."""

    log_risk: Any  # the log of the minimum, shape (problems,)
    log_at: Any  # the log of the minimiser, shape (n, problems)
    exponent: Any  # d log minimiser / d log budget, shape (n, problems)
    risk_exponent: Any  # d log risk / d log budget, shape (problems,)
    inverse_hessian: Any  # of the log risk in what is free, shape (n, n, problems)
    multiplier: Any  # d log risk / d log x across a bound that holds, shape (n, problems)
    side: Any  # -1 at the lower bound, 1 at the upper, 0 between
    unbounded: Any  # only the end of the numbers holds the variable, or what it is tied to: -1 where 0 does, 1 infinity
    vanishes: Any  # the risk goes to 0 with a variable that is unbounded, shape (problems,)
    flat: Any  # a direction along which the risk does not change at all, or zero
    undetermined: Any  # what moves along it
    converged: Any  # shape (problems,)


@dataclass(frozen=True, eq=False)
class Problem:
    """A batch of problems: a bound to be minimised over some variables, at each element of the shape.

    Every array broadcasts to ``shape``.
    """

    proxy: Proxy | FunctionProxy  # the bound, in the form of the budget, paths folded in
    tuned: tuple[str, ...]  # what is minimised over, in canonical order
    budget: str  # its name
    values: Mapping[str, Floats]  # the budget, and what is fixed
    constants: Mapping[str, Floats]  # the bound's constants
    box: Mapping[str, tuple[Floats, Floats]]  # for every tuned variable, its bounds in logs
    follows: Mapping[str, Floats]  # for every tuned variable, the exponent of the budget in its upper bound
    shape: tuple[int, ...]  # of the batch
    rises: Mapping[str, Floats] = field(default_factory=dict)  # the same of its lower bound; 0 where there is none
    walls: tuple[Inequality, ...] = ()  # conditions on several of the tuned variables, or on none of their powers
    inside: Any = True  # where the bound's domain leaves anything of the box

    def holding(self, name: str, value: ArrayLike) -> Problem:
        """Return the problem with one tuned variable held at a value, which broadcasts to the shape."""
        values = {**self.values, name: np.asarray(value, float)}
        return replace(self, tuned=tuple(v for v in self.tuned if v != name), values=values)

    def flat(self, which: NDArray[np.integer] | None = None) -> Problem:
        """Return the problem with a batch of one axis: all of it, or the elements at some indices."""
        count = int(np.prod(self.shape)) if which is None else len(which)

        def chosen(array: ArrayLike) -> Floats:
            whole = np.broadcast_to(np.asarray(array, float), self.shape).ravel()
            return whole if which is None else whole[which]

        return replace(
            self,
            values={v: chosen(x) for v, x in self.values.items()},
            constants={name: chosen(x) for name, x in self.constants.items()},
            box={v: (chosen(lo), chosen(hi)) for v, (lo, hi) in self.box.items()},
            follows={v: chosen(x) for v, x in self.follows.items()},
            shape=(count,),
            rises={v: chosen(x) for v, x in self.rises.items()},
            inside=chosen(self.inside) > 0,
        )

    def boxed(self, start: Mapping[str, ArrayLike]) -> Box:
        """Return the bounds with a start: NaN, for one that is as good, where there is none."""

        def rows(arrays: Sequence[ArrayLike]) -> Floats:
            whole = [np.broadcast_to(np.asarray(array, float), self.shape).ravel() for array in arrays]
            return np.array(whole).reshape(len(arrays), int(np.prod(self.shape)))

        return Box(
            rows([self.box[v][0] for v in self.tuned]),
            rows([self.box[v][1] for v in self.tuned]),
            rows([np.log(start[v]) if v in start else np.nan for v in self.tuned]),
            rows([self.follows[v] for v in self.tuned]),
            rows([self.rises.get(v, 0.0) for v in self.tuned]),
        )


def pose(
    proxy: Proxy | FunctionProxy,
    regime: Regime,
    budget: tuple[str, ArrayLike],
    constants: Mapping[str, Floats] | None = None,
    limits: Mapping[str, tuple[float, float]] | None = None,
) -> Problem:
    """Return the problem that a settled regime poses; ``optimum.posed`` asks what a person gives.

    Args:
        proxy: the bound; it is taken in the form of the budget.
        regime: with its min_K, b <= T / min_K.
        budget: its name, "T" or "K" say, and its values.
        constants: arrays in place of some of the bound's constants, >= 0.
        limits: logs of the lowest and highest values of tuned variables, in place of its range, b >= 1 say.

    Raises:
        ValueError: a cap is infeasible, or a budget is not positive.
    """
    name, values = budget[0], budget_values(*budget, proxy.space)
    proxy = proxy.form(name).along(regime.path)
    numbers = {constant: np.asarray(x, float) for constant, x in {**proxy.constants, **(constants or {})}.items()}
    with np.errstate(divide="ignore"):  # of a constant of 0 there is no cap
        caps = regime.joint_caps(proxy.caps_at(numbers))
    shape = np.broadcast_shapes(values.shape, *(array.shape for array in numbers.values()))
    ends = {v: natural(proxy.space, v) for v in regime.tuned} | dict(limits or {})
    box, follows = _box(ends, caps, (name, values), regime.min_K if name == "T" else None, proxy.space.batch)
    held: dict[str, Any] = {v: np.asarray(x) for v, x in regime.fixed.items()}
    problem = Problem(proxy, regime.tuned, name, {name: values, **held}, numbers, box, follows, shape)
    return within_domain(problem) if proxy.walls else problem


def walled(problem: Problem, box: Box) -> tuple[tuple[Row, ...], Box, NDArray[np.bool_]]:
    """Return the rows of a problem's walls, all products of powers, the box with their bounds, and where it is one.

    Where its start is beyond a wall, it goes back across it, and from there on until it is inside of all.
    """
    if not problem.walls:
        return (), box, np.full(box.start.shape[1], True)
    terms = [term for wall in problem.walls if (term := monomial_in(wall, problem.budget)) is not None]
    rows = tuple(tuple(Fraction(term.exponent(v) or 0) for v in problem.tuned) for term in terms)
    levels = np.array([-np.broadcast_to(_log_coefficient(term, problem), problem.shape).ravel() for term in terms])
    moves = np.array([np.full(levels.shape[1], -float(term.exponent(problem.budget) or 0)) for term in terms])
    start, matrix = np.clip(np.nan_to_num(box.start), box.lo, box.hi), np.array(rows, float)
    for _ in range(_PROJECTIONS):
        for row, level in zip(matrix, levels):
            over = np.maximum(row @ start - level + _INSIDE, 0.0)
            start = np.clip(start - np.outer(row, over) / (row @ row), box.lo, box.hi)
    none = np.full(levels.shape, -np.inf)
    lo, hi, follows = (np.concatenate(pair) for pair in ((box.lo, none), (box.hi, levels), (box.follows, moves)))
    whole = Box(lo, hi, start, follows, np.concatenate([box.rises, np.zeros(levels.shape)]))
    reached: NDArray[np.bool_] = np.all(matrix @ start <= levels, axis=0)
    return rows, whole, reached


#: How often a start is taken back across the walls, and how far inside of them it comes, in logs.
_PROJECTIONS, _INSIDE = 200, 1e-2


def within_domain(problem: Problem) -> Problem:
    """Return a problem with the conditions of its bound's domain that are no caps.

    A product of powers with one tuned variable in it is an end of the box, which may move with the budget; what has
    none of them holds or does not; the others are walls.

    Raises:
        ValueError: nothing of the box is left anywhere.
    """
    name, inside, walls = problem.budget, np.full(problem.shape, True), []
    box, follows, rises = dict(problem.box), dict(problem.follows), dict(problem.rises)
    for wall in problem.proxy.walls:
        term = monomial_in(wall, name)
        powers = {v: p for v in problem.tuned if term is not None and (p := term.exponent(v))}
        if term is not None and len(powers) == 1:
            ((v, power),) = powers.items()
            end, moves = -_log_coefficient(term, problem) / float(power), -float((term.exponent(name) or 0) / power)
            lo, hi = box[v]
            if power > 0:
                follows[v] = np.where(end < hi, moves, follows[v])
                box[v] = (lo, np.minimum(hi, end))
            else:
                rises[v] = np.where(end > lo, moves, rises.get(v, 0.0))
                box[v] = (np.maximum(lo, end), hi)
        elif (term is not None and not powers) or set(problem.tuned).isdisjoint(wall.variables(name)):
            inside &= holds(wall, {**dict.fromkeys(problem.tuned, 1.0), **problem.constants, **problem.values})
        else:
            walls.append(wall)
    for v, (lo, hi) in box.items():
        inside &= lo <= hi
        box[v] = (lo, np.maximum(lo, hi))
    if not inside.any():
        given = ", ".join(condition.text for condition in problem.proxy.domain)
        raise bad("nothing is left in the bound's domain", given, "other values of what is held, or another domain")
    return replace(problem, box=box, follows=follows, rises=rises, walls=tuple(walls), inside=inside)


def powers(problem: Problem) -> tuple[tuple[Row, ...], Floats, Floats] | None:
    """Return the exponents, the log coefficients and the budget's exponents of a posynomial's terms.

    The rows are exact; the log coefficients have shape (J, *shape), the exponents shape (J,). Terms that
    are nought everywhere are left out. None where the bound is no posynomial in what is tuned, or its domain no box.
    """
    if isinstance(problem.proxy, FunctionProxy) or any(
        monomial_in(wall, problem.budget) is None for wall in problem.walls
    ):
        return None
    terms = [part for term in problem.proxy.terms for part in term.split(problem.tuned)]
    rows = [tuple(x for v in (*problem.tuned, problem.budget) if (x := term.exponent(v)) is not None) for term in terms]
    if any(len(row) <= len(problem.tuned) for row in rows):
        return None
    logs = np.array([_log_coefficient(term, problem) for term in terms])
    present = [j for j, log in enumerate(logs) if np.max(log) > -np.inf] or [0]
    return tuple(rows[j][:-1] for j in present), logs[present], np.array([float(rows[j][-1]) for j in present])


def _log_coefficient(term: Term, problem: Problem) -> Floats:
    total = np.zeros(problem.shape) + term.log_coefficient(problem.constants)
    for name, factor in term.factors.items():
        if name in problem.tuned or factor == 0:
            continue
        value = problem.values[name]
        with np.errstate(divide="ignore"):  # 1 - alpha is nought at alpha = 1: a term without size
            log = np.log(evaluate_factor(factor, value)) if isinstance(factor, str) else float(factor) * np.log(value)
        total = total + log
    return total


def budget_values(name: str, given: ArrayLike, space: Space) -> Floats:
    """Return values of a budget as an array; in lists, too, they may have units.

    Raises:
        ValueError: they are no numbers, or one is out of the budget's range.
    """
    given = without_unit(given)
    try:
        values = np.asarray(given, float)
    except (TypeError, ValueError):
        raise bad(f"{name} is a number or an array of numbers", given, f"{name}=np.logspace(2, 22, 100), say") from None
    variable = space.all[name]
    smallest = variable.low or np.finfo(float).tiny
    if values.size == 0 or not (np.isfinite(values).all() and values.min() >= smallest):
        rule = f"every {name} must be finite and {variable.rule.removeprefix(name).strip()}"
        given = values.tolist() if values.size < 5 else f"values from {values.min():g} to {values.max():g}"
        raise bad(rule, given, f"{name}=1e10, say")
    return values


def check_arrays(proxy: Proxy | FunctionProxy, given: Mapping[str, ArrayLike]) -> dict[str, Floats]:
    """Return values of some of a bound's constants as arrays.

    Raises:
        ValueError: an unknown constant, or values that are not positive and finite.
    """
    for name, value in given.items():
        if name not in proxy.constants:
            raise unknown("constant", name, proxy.constants)
        try:
            array = np.asarray(value, float)
        except (TypeError, ValueError):
            raise bad(f"the constant {name} is a number or an array of numbers", value, f"{name}=1.0, say") from None
        wrong = array[~(np.isfinite(array) & (array >= 0))]
        if array.size == 0 or wrong.size:
            raise bad(f"every value of the constant {name} must be finite and >= 0", wrong.tolist(), "one or more")
    arrays = {name: np.asarray(value, float) for name, value in given.items()}
    proxy.check_numbers({**proxy.constants, **arrays})
    return arrays


def _box(
    ends: Mapping[str, tuple[float, float]],
    caps: Mapping[str, Floats],
    budget: tuple[str, Floats],
    min_K: float | None,
    batch: str | None,
) -> tuple[dict[str, tuple[Floats, Floats]], dict[str, Floats]]:
    """The bounds in logs, and where the upper one moves with the budget."""
    _, values = budget
    box, follows = {}, {}
    for v, (lowest, highest) in ends.items():
        lo, hi = np.asarray(lowest), np.asarray(highest)
        if v in caps:
            hi = np.minimum(hi, np.log(caps[v]))
        follows[v] = np.zeros(values.shape)
        if v == batch and min_K is not None:
            # The one bound that moves: where it holds, b's exponent is that of the budget, 1.
            most = np.log(values) - np.log(min_K)
            follows[v] = np.asarray(most < hi, float)
            hi = np.minimum(hi, most)
        if (hi < lo).any():
            rule = f"no {v} is left between its bounds"
            raise bad(rule, f"{v} <= {float(np.exp(hi.min())):g}", f"room for {float(np.exp(lo)):g}")
        box[v] = (lo, hi)
    return box, follows
