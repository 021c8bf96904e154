"""What is to be refined, in numbers: log coefficients, exact exponents, a box. NumPy only, no jax."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hpgrid.checks import bad, is_number, unknown
from hpgrid.proxy import FunctionProxy, Proxy, Term, evaluate_factor
from hpgrid.refinement.bases import Row
from hpgrid.regime import Regime
from hpgrid.shapes import Floats

#: The log of what an unbounded variable may reach: e^690 is 1e299, and nothing overflows.
OPEN = 690.0

#: The bounds that every hyperparameter has of itself, in logs.
NATURAL = {"eta": (-OPEN, OPEN), "b": (0.0, OPEN), "alpha": (-OPEN, 0.0)}


class Box(NamedTuple):
    """Where optima may be, in logs: each of shape (n, problems).

    Attributes:
        lo: the lower bounds.
        hi: the upper bounds.
        start: where a solve begins.
        follows: d hi / d log budget.
    """

    lo: Floats
    hi: Floats
    start: Floats
    follows: Floats


class Solution(NamedTuple):
    """What a solve knows of every problem of a batch, problems along the last axis.

    Attributes:
        log_risk: the log of the minimum, shape (problems,).
        log_at: the log of the minimiser, shape (n, problems).
        exponent: d log minimiser / d log budget, shape (n, problems).
        risk_exponent: d log risk / d log budget, shape (problems,).
        inverse_hessian: of the log risk in what is free, shape (n, n, problems).
        multiplier: d log risk / d log x across a bound that holds, shape (n, problems).
        side: -1 at the lower bound, 1 at the upper, 0 between.
        unbounded: only the end of the numbers holds the variable, or what it is tied to.
        vanishes: the risk goes to 0 with a variable that is unbounded, shape (problems,).
        flat: a direction along which the risk does not change at all, or zero.
        undetermined: what moves along it.
        converged: shape (problems,).
    """

    log_risk: Any
    log_at: Any
    exponent: Any
    risk_exponent: Any
    inverse_hessian: Any
    multiplier: Any
    side: Any
    unbounded: Any
    vanishes: Any
    flat: Any
    undetermined: Any
    converged: Any


@dataclass(frozen=True)
class Problem:
    """A batch of problems: a bound to be minimised over some variables, at each element of the shape.

    Every array broadcasts to ``shape``.

    Attributes:
        proxy: the bound, in the form of the budget, paths folded in.
        tuned: what is minimised over, in canonical order.
        budget: "T" or "K".
        values: the budget, and what is fixed.
        constants: the bound's constants.
        box: for every tuned variable, its bounds in logs.
        follows: for every tuned variable, whether its upper bound grows with the budget.
        shape: of the batch.
    """

    proxy: Proxy | FunctionProxy
    tuned: tuple[str, ...]
    budget: str
    values: Mapping[str, Floats]
    constants: Mapping[str, Floats]
    box: Mapping[str, tuple[Floats, Floats]]
    follows: Mapping[str, Floats]
    shape: tuple[int, ...]

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
        )

    def boxed(self, start: Mapping[str, ArrayLike]) -> Box:
        """Return the bounds with a start: 1 for a variable without one."""

        def rows(arrays: Sequence[ArrayLike]) -> Floats:
            whole = [np.broadcast_to(np.asarray(array, float), self.shape).ravel() for array in arrays]
            return np.array(whole).reshape(len(arrays), int(np.prod(self.shape)))

        return Box(
            rows([self.box[v][0] for v in self.tuned]),
            rows([self.box[v][1] for v in self.tuned]),
            rows([np.log(start[v]) if v in start else 0.0 for v in self.tuned]),
            rows([self.follows[v] for v in self.tuned]),
        )


def pose(
    proxy: Proxy | FunctionProxy,
    regime: Regime,
    budget: tuple[str, ArrayLike],
    *,
    constants: Mapping[str, ArrayLike] | None = None,
    limits: Mapping[str, tuple[float, float]] | None = None,
) -> Problem:
    """Return the problem that a regime poses.

    Args:
        proxy: the bound; it is taken in the form of the budget.
        regime: what is tuned, fixed, on a path, capped; with min_K, b <= T / min_K.
        budget: "T" or "K", and its values.
        constants: arrays in place of some of the bound's constants.
        limits: lowest and highest values of tuned variables, in place of b >= 1 and alpha <= 1.

    Raises:
        ValueError: nothing is tuned, a variable has no value, a cap is infeasible, or a constant or a
            budget is not positive.
    """
    name, values = budget[0], _budget_values(*budget)
    proxy = proxy.form(name)
    # An exponent 0 that is written out asks for no value.
    regime = regime.settled(proxy, free=set(proxy.variables()) - {*proxy.depends_on(), *regime.tuned})
    proxy = proxy.along(regime.path)
    numbers = _constants(proxy, constants or {})
    caps = regime.joint_caps(own_caps(proxy, numbers))
    shape = np.broadcast_shapes(values.shape, *(array.shape for array in numbers.values()))
    ends = {v: NATURAL[v] for v in regime.tuned} | _logs(limits or {}, regime.tuned)
    box, follows = _box(ends, caps, (name, values), regime.min_K)
    held: dict[str, Any] = {v: np.asarray(x) for v, x in regime.fixed.items()}
    return Problem(proxy, regime.tuned, name, {name: values, **held}, numbers, box, follows, shape)


def powers(problem: Problem) -> tuple[tuple[Row, ...], Floats, Floats] | None:
    """Return the exponents, the log coefficients and the budget's exponents of a posynomial's terms.

    The rows are exact; the log coefficients have shape (J, *shape), the exponents shape (J,). Terms that
    are nought everywhere are left out. None where the bound is no posynomial in what is tuned.
    """
    if isinstance(problem.proxy, FunctionProxy):
        return None
    terms = [part for term in problem.proxy.terms for part in term.split(problem.tuned)]
    rows = []
    for term in terms:
        row = [term.exponent(v) for v in (*problem.tuned, problem.budget)]
        if any(exponent is None for exponent in row):
            return None
        rows.append(tuple(x for x in row if x is not None))
    logs = np.array([_log_coefficient(term, problem) for term in terms])
    present = [j for j, log in enumerate(logs) if np.max(log) > -np.inf] or [0]
    return tuple(rows[j][:-1] for j in present), logs[present], np.array([float(rows[j][-1]) for j in present])


def _log_coefficient(term: Term, problem: Problem) -> Floats:
    total = np.full(problem.shape, np.log(float(term.number)))
    for name, exponent in term.constants.items():
        total = total + float(exponent) * np.log(problem.constants[name])
    for name, factor in term.factors.items():
        if name in problem.tuned or factor == 0:
            continue
        value = problem.values[name]
        with np.errstate(divide="ignore"):  # 1 - alpha is nought at alpha = 1: a term without size
            log = np.log(evaluate_factor(factor, value)) if isinstance(factor, str) else float(factor) * np.log(value)
        total = total + log
    return total


def _budget_values(name: str, given: ArrayLike) -> Floats:
    try:
        values = np.asarray(given, float)
    except (TypeError, ValueError):
        raise bad(f"{name} is a number or an array of numbers", given, f"{name}=np.logspace(2, 22, 100), say") from None
    smallest = 1.0 if name == "T" else np.finfo(float).tiny
    if values.size == 0 or not (np.isfinite(values).all() and values.min() >= smallest):
        rule = f"every {name} must be finite and {'>= 1' if name == 'T' else '> 0'}"
        raise bad(rule, values.tolist() if values.size < 5 else "an array with others", f"{name}=1e10, say")
    return values


def own_caps(proxy: Proxy | FunctionProxy, constants: Mapping[str, Floats]) -> dict[str, Floats]:
    """Return a bound's own caps; one that follows from the constants follows their arrays."""
    caps = {name: np.asarray(cap) for name, cap in proxy.caps.items()}
    arrays: Any = constants
    return caps | {name: np.asarray(term.coefficient(arrays)) for name, term in proxy.cap_terms.items()}


def _constants(proxy: Proxy | FunctionProxy, given: Mapping[str, ArrayLike]) -> dict[str, Floats]:
    for name, value in given.items():
        if name not in proxy.constants:
            raise unknown("constant", name, proxy.constants)
        try:
            array = np.asarray(value, float)
        except (TypeError, ValueError):
            raise bad(f"the constant {name} is a number or an array of numbers", value, f"{name}=1.0, say") from None
        wrong = array[~(np.isfinite(array) & (array > 0))]
        if array.size == 0 or wrong.size:
            raise bad(f"every value of the constant {name} must be positive and finite", wrong.tolist(), "one or more")
    return {name: np.asarray(given.get(name, value), float) for name, value in proxy.constants.items()}


def _logs(limits: Mapping[str, tuple[float, float]], tuned: Sequence[str]) -> dict[str, tuple[float, float]]:
    for name, ends in limits.items():
        if name not in tuned:
            raise unknown("tuned variable", name, tuned)
        pair = np.ndim(ends) == 1 and len(ends) == 2 and all(is_number(end) for end in ends)
        if not (pair and 0 < ends[0] < ends[1]):
            rule = f"the limits of {name} are two positive values, the smaller one first"
            raise bad(rule, ends, "(1e-6, 1.0), say")
    return {name: (float(np.log(lo)), float(np.log(hi))) for name, (lo, hi) in limits.items()}


def _box(
    ends: Mapping[str, tuple[float, float]], caps: Mapping[str, Floats], budget: tuple[str, Floats], min_K: float | None
) -> tuple[dict[str, tuple[Floats, Floats]], dict[str, Floats]]:
    """The bounds in logs, and where the upper one moves with the budget."""
    name, values = budget
    box, follows = {}, {}
    for v, (lowest, highest) in ends.items():
        lo, hi = np.asarray(lowest), np.asarray(highest)
        if v in caps:
            hi = np.minimum(hi, np.log(caps[v]))
        follows[v] = np.zeros(values.shape)
        if v == "b" and name == "T" and min_K is not None:
            # The one bound that moves: where it holds, b's exponent is that of the budget, 1.
            most = np.log(values) - np.log(min_K)
            follows[v] = np.asarray(most < hi, float)
            hi = np.minimum(hi, most)
        if (hi < lo).any():
            rule = f"no {v} is left between its bounds"
            raise bad(rule, f"{v} <= {float(np.exp(hi.min())):g}", f"room for {float(np.exp(lo)):g}")
        box[v] = (lo, hi)
    return box, follows
