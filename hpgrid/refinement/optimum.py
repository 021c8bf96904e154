"""The continuous minimum and minimiser behind a grid's argmin, and how they move with the budget."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hpgrid.answer import Labelled, Pictured
from hpgrid.checks import Given, bad, changed, is_number, unknown
from hpgrid.proxy import FunctionProxy, Proxy, check_bound
from hpgrid.refinement.bases import Row
from hpgrid.refinement.newton import minimise
from hpgrid.refinement.problem import OPEN, Box, Problem, Solution, budget_values, check_arrays, pose, powers, walled
from hpgrid.regime import Regime, as_regime, clear_of
from hpgrid.shapes import Floats, complements, same_columns
from hpgrid.variables import settings

if TYPE_CHECKING:
    import xarray
    from matplotlib.axes import Axes

#: Log risks of two optima that are the same to rounding; how much higher it is halfway between two minima, at least.
EQUAL, HUMP = 1e-12, 1e-9


@dataclass(frozen=True, eq=False, repr=False)
class Optimum(Labelled, Pictured):
    """The minimum of a bound at every budget, where it is attained, and how both move.

    Every array has the shape of the budgets, after that of the constants where those are arrays.

    Attributes:
        risk: the infimum; 0 where the risk vanishes with an unbounded variable.
        log_risk: its log, which neither overflows nor underflows.
        at: for every tuned variable, where the infimum is attained, or the end of its range that it tends to where
            that is open; NaN where there is none: the risk does not depend on it there, or it is unbounded.
        exponent: for "risk" and every tuned variable, d log / d log budget, by implicit differentiation.
        active: for every tuned variable, -1 at its lower bound, 1 at its upper one, 0 between them or
            where it is not attained.
        unbounded: for every tuned variable, where it goes to 0 or to infinity: only a bound on it, or
            on what it is tied to, could stop it.
        limit: for every tuned variable that is unbounded, which of the two: 0 or inf; NaN elsewhere.
        converged: where the solve ended at an optimum, by its stopping rule, and at a place that the risk determines.
        budget: "T" or "K".
        budgets: its values.
        constants: those that were given as arrays, which broadcast to the shape that comes before that of the budgets.
    """

    risk: Floats
    log_risk: Floats
    at: Mapping[str, Floats]
    exponent: Mapping[str, Floats]
    active: Mapping[str, NDArray[np.int8]]
    unbounded: Mapping[str, NDArray[np.bool_]]
    limit: Mapping[str, Floats]
    converged: NDArray[np.bool_]
    budget: str
    budgets: Floats
    constants: Mapping[str, Floats] = field(default_factory=dict)

    def __repr__(self) -> str:
        count, end = self.converged.size, self.budgets
        missed = "" if (n := int((~solved(self)).sum())) == 0 else f", {n} not found"
        return f"Optimum({', '.join(self.at)} at {count} of {self.budget} = {end.min():.3g} to {end.max():.3g}{missed})"

    def to_xarray(self) -> xarray.Dataset:
        """Return the optimum over its budgets, after the combinations of constants where there are several.

        Which constants those are of is in coordinates of their names, with _ behind one that means something here.
        """
        import xarray

        over = np.broadcast_to(self.budgets, self.risk.shape)
        combined = np.broadcast_shapes(*(x.shape for x in self.constants.values()))
        many = over.ndim > len(combined)  # budgets: they have an axis, the last one
        names = (*(f"combination_{k}" for k in range(over.ndim - many)), *[self.budget] * many)
        data = {"risk": self.risk, "log_risk": self.log_risk, **self.at, "converged": self.converged}
        data |= {f"{v}_exponent": x for v, x in self.exponent.items()}
        data |= {f"{v}_active": x for v, x in self.active.items()}
        first = over[(0,) * (over.ndim - many)]
        coordinates: dict[str, Any] = {self.budget: first}
        if (over != first).any():  # each combination has budgets of its own
            coordinates, data[f"{self.budget}_value"] = {}, over
        for constant, x in self.constants.items():
            # What is the same along an axis has no place on it.
            along = [k for k, n in enumerate(combined[len(combined) - x.ndim :]) if x.shape[k] == n]
            own = [names[len(combined) - x.ndim + k] for k in along]
            name = clear_of(constant, {*data, *names, self.budget})
            coordinates[name] = (own, x.reshape([x.shape[k] for k in along]))
        return xarray.Dataset({name: (names, x) for name, x in data.items()}, coordinates)

    def panels(self) -> dict[str, Callable[[Axes], None]]:
        """Return what draws the risk and each tuned variable's best value against the budget.

        Each combination of constants is a curve.

        Raises:
            ValueError: there is one budget alone, or each combination has budgets of its own.
        """
        from hpgrid.plotting.lines import against

        x, *others = np.broadcast_to(self.budgets, self.risk.shape).reshape(-1, *self.risk.shape[-1:])
        if np.ptp(x) == 0 or any((other != x).any() for other in others):
            given = f"{self.budget} = {x.min():g}" if np.ptp(self.budgets) == 0 else "each combination has its own"
            raise bad("an optimum is drawn against several budgets", given, "T=grid.T.values, say")
        return {
            name: partial(against, x=x, curves=y.reshape(-1, len(x)), edges=None, names=(self.budget, name))
            for name, y in self.curves().items()
        }

    def curves(self) -> dict[str, Floats]:
        """Return the risk where it is attained or runs off to, and what has a best value there; NaN elsewhere."""
        known = solved(self)
        return {v: np.where(known, x, np.nan) for v, x in {"risk": self.risk, **self.at}.items()}


def solved(optimum: Optimum) -> NDArray[np.bool_]:
    """Return where the minimum is known: where it is attained, or where a variable is unbounded on the way to it."""
    return np.asarray(np.any([optimum.converged, *optimum.unbounded.values()], axis=0))


def as_good(problem: Problem, optimum: Optimum) -> dict[str, Floats]:
    """Return another optimum that is as good to rounding, in the shape of the budgets; NaN where none is known.

    Such as only a function has that is not convex in the logs: two minima of one depth, with higher risks between.
    """
    other = np.full((len(problem.tuned), optimum.risk.size), np.nan)
    batch = problem.flat()
    # What walls hold is followed from the best start alone.
    if isinstance(batch.proxy, FunctionProxy) and not batch.proxy.log_convex and batch.tuned and not batch.walls:
        from hpgrid.refinement.descent import local_optima  # jax loads here

        proxy = changed(batch.proxy.everywhere(), constants=batch.constants)
        here, log_risk = np.log([optimum.at[v].ravel() for v in batch.tuned]), optimum.log_risk.ravel()
        for end in local_optima(batch):
            between = dict(zip(batch.tuned, np.exp((here + end.log_at) / 2)))
            with np.errstate(all="ignore"):
                hump = np.log(proxy.risk(**batch.values, **between)) - log_risk
                same = np.abs(end.log_risk - log_risk) <= EQUAL * np.maximum(1.0, np.abs(log_risk))
            other = np.where(
                end.converged & optimum.converged.ravel() & same & (hump > HUMP), np.exp(end.log_at), other
            )
    return {v: row.reshape(optimum.risk.shape) for v, row in zip(problem.tuned, other)}


def why_unknown(optimum: Optimum) -> NDArray[np.str_]:
    """Return in words why no minimum is known, in the shape of the budgets; "" where one is."""
    walls = [np.abs(np.log(x)) >= OPEN * (1 - 1e-9) for x in optimum.at.values()]
    beyond = np.any([*walls, np.zeros(optimum.risk.shape, bool)], axis=0)
    nothing = ~(np.isfinite(optimum.risk) & (optimum.risk >= 0))
    ends = np.select([nothing, optimum.risk == 0, beyond], [_NO_VALUE, _NOUGHT, _BEYOND], _NO_LEVEL)
    return np.where(solved(optimum), "", ends)


_NO_VALUE = "where refinement ended, the bound is not positive and finite"
_NOUGHT = "the risk comes to 0, or below what a float holds"
_BEYOND = "the optimum lies beyond what a float holds, 2e-300 to 5e+299"
_NO_LEVEL = (
    "refinement ended where the slope is not 0 (at a kink, at the end of the bound, or still on its way down), "
    "or where the risk is flat to rounding"
)


def refine(
    proxy: Proxy | FunctionProxy,
    tuned: Iterable[str] | None = None,
    *,
    T: ArrayLike | None = None,
    K: ArrayLike | None = None,
    fixed: Mapping[str, Given] | None = None,
    path: Mapping[str, Given] | None = None,
    caps: Mapping[str, Given] | None = None,
    regime: Regime | None = None,
    min_K: Given | None = None,
    constants: Mapping[str, ArrayLike] | None = None,
    limits: Mapping[str, tuple[float, float]] | None = None,
    start: Mapping[str, ArrayLike] | None = None,
    **budgets: ArrayLike,
) -> Optimum:
    """Return the continuous optimum over the tuned variables at every budget, in float64.

    A posynomial is convex in the logs: its optimum is reached from any start, to the last digits,
    at budgets from 1e2 to 1e60 and beyond, however flat it is. Any other bound is followed downhill
    from the lowest cells of a coarse grid, or from ``start``: the result is a local optimum, its
    flattest direction as sure as the curvature allows.

    Args:
        proxy: the bound; it is taken in the form of the budget.
        tuned: the variables to minimise over, hyperparameters of the bound.
        T: token budgets, >= 1; or
        K: numbers of iterations, > 0.
        fixed: values of the other variables.
        path: variables that follow a power of the budget.
        caps: largest values of tuned variables, beside the bound's own.
        regime: all of these roles as one object, in place of them.
        min_K: the smallest number of iterations: under a token budget a tuned b is at most T / min_K.
        constants: arrays in place of some constants: they broadcast with one another, and their shape
            comes before that of the budgets.
        limits: lowest and highest values of tuned variables, such as a grid's ends, in place of their
            own bounds b >= 1 and alpha <= 1.
        start: where to begin, by name; broadcasts to the result.
        budgets: in place of T and K those of a budget that the bound declares, by its name.

    Raises:
        ValueError: nothing is tuned, a variable has no value or two roles, a cap is infeasible, or a
            number is not positive.

    Source: what eqs. (12), (16) and (20) of Shulgin et al. give in closed form for eq. (11).
    """
    roles: dict[str, Any] = {"fixed": fixed, "path": path, "caps": caps}
    options: dict[str, Any] = {"min_K": min_K, "constants": constants, "limits": limits}
    asked: dict[str, Any] = {**options, **roles, **budgets}
    problem = posed(proxy, tuned, T=T, K=K, regime=regime, **asked)
    return optimum_of(problem, dict(_values("start", problem, name, value) for name, value in (start or {}).items()))


def refine_along(proxy: Proxy | FunctionProxy, name: str, values: ArrayLike, **refined: Any) -> Optimum:
    """Return the optimum over the other tuned variables with one of them held at each of some values.

    Args:
        proxy: the bound.
        name: the tuned variable that is held.
        values: where; they broadcast to the shape of the budgets.
        refined: tuned, T or K, fixed, path, caps, regime, min_K, constants, limits: as ``refine``.

    Raises:
        ValueError: the variable is not tuned, or as ``refine``.
    """
    problem = posed(proxy, **refined)
    return optimum_of(problem.holding(*_values("value", problem, name, values)))


def posed(
    proxy: Proxy | FunctionProxy,
    tuned: Iterable[str] | None = None,
    *,
    T: ArrayLike | None = None,
    K: ArrayLike | None = None,
    regime: Regime | None = None,
    min_K: Given | None = None,
    constants: Mapping[str, ArrayLike] | None = None,
    limits: Mapping[str, tuple[float, float]] | None = None,
    fixed: Mapping[str, Given] | None = None,
    path: Mapping[str, Given] | None = None,
    caps: Mapping[str, Given] | None = None,
    **budgets: ArrayLike,
) -> Problem:
    """Return the problem that the keywords of ``refine`` describe; all of them are asked here."""
    check_bound(proxy)
    regime = as_regime(regime, tuned, min_K, proxy.space, fixed=fixed, path=path, caps=caps)
    given = {name: x for name, x in {"T": T, "K": K, **budgets}.items() if x is not None}
    if len(given) != 1 or not {*given} <= {*proxy.space.budget_names}:
        rule = f"a refinement has budgets in {' or in '.join(proxy.space.budget_names)}"
        raise bad(rule, given or {"T": T, "K": K}, f"{proxy.space.budget_names[0]}=1e10, say")
    ((budget, array),) = given.items()
    values, proxy = budget_values(budget, array, proxy.space), proxy.form(budget)
    # An exponent 0 that is written out asks for no value.
    regime = regime.settled(proxy, free={*proxy.variables()} - {*proxy.depends_on(), *regime.tuned})
    spread = {name: np.asarray(x)[(..., *[None] * values.ndim)] for name, x in (constants or {}).items()}
    ends = _log_limits(settings(limits or {}, proxy.space), regime.tuned)
    return pose(proxy, regime, (budget, values), check_arrays(proxy, spread), ends)


def solve(problem: Problem, start: Mapping[str, Floats] | None = None) -> Solution:
    """Return the optima of a batch in numbers: posynomials by the convex solve, all else by descent.

    A problem that tunes nothing is evaluated; a posynomial needs no start. Outside the bound's domain there is none.
    """
    form, inside = powers(problem), np.broadcast_to(problem.inside, problem.shape).ravel()
    if form is None and problem.walls:
        from hpgrid.refinement.walls import descend_inside  # jax loads here

        found = descend_inside(problem, start or {})
    elif form is None:
        from hpgrid.refinement.descent import descend  # jax loads here, too

        found = descend(problem, start or {})
    else:
        walls, box, reached = walled(problem, problem.boxed(start or {}))
        inside = inside & reached
        found = _posynomials(*form, box, walls)
    if inside.all():
        return found
    known = {"converged": found.converged & inside, "unbounded": np.where(inside, found.unbounded, 0.0)}
    return found._replace(log_risk=np.where(inside, found.log_risk, np.nan), **known)


def _posynomials(rows: tuple[Row, ...], logs: Floats, slopes: Floats, box: Box, walls: tuple[Row, ...]) -> Solution:
    """The optima of posynomials; where a term is nought in some of them, those of the same terms are solved at once."""
    logs = logs.reshape(len(rows), -1)
    present = logs > -np.inf
    parts, order = same_columns(present)
    if len(parts) == 1:
        return minimise(rows, logs, slopes, box, walls)
    found = []
    for part in parts:
        kept, own = np.flatnonzero(present[:, part[0]]), Box(*(array[..., part] for array in box))
        found.append(minimise(tuple(rows[j] for j in kept), logs[np.ix_(kept, part)], slopes[kept], own, walls))
    return Solution(*(np.concatenate(arrays, axis=-1)[..., order] for arrays in zip(*found)))


def _log_limits(limits: Mapping[str, tuple[float, float]], tuned: Sequence[str]) -> dict[str, tuple[float, float]]:
    for name, ends in limits.items():
        if name not in tuned:
            raise unknown("tuned variable", name, tuned)
        pair = np.ndim(ends) == 1 and len(ends) == 2 and all(is_number(end) for end in ends)
        if not (pair and 0 < ends[0] < ends[1]):
            rule = f"the limits of {name} are two positive values, the smaller one first"
            raise bad(rule, ends, "(1e-6, 1.0), say")
    return {name: (float(np.log(float(lo))), float(np.log(float(hi)))) for name, (lo, hi) in limits.items()}


def _values(what: str, problem: Problem, name: str, given: ArrayLike) -> tuple[str, Floats]:
    """A tuned variable, and what it is given in the problem's shape; a beta is its alpha."""
    of = problem.proxy.space.of_complement(name)
    if (here := of or name) not in problem.tuned:
        raise bad(f"{name} is not tuned, so it has no {what}", name, f"a {what} of {', '.join(problem.tuned)}")
    try:
        whole = np.broadcast_to(complements(given) if of else np.asarray(given, float), problem.shape)
    except (TypeError, ValueError):
        rule = f"a {what} of {name} is a number, or an array that broadcasts to the result's shape {problem.shape}"
        raise bad(rule, given, f"{name}=0.9, say" if of else f"{name}=1.0, say") from None
    if not (np.isfinite(whole).all() and (whole > 0).all()):
        rule = f"a {what} of {name} must be {'below 1' if of else 'positive and finite'}"
        raise bad(rule, given, f"{name}=0.9, say" if of else f"{name}=1.0, say")
    return here, whole


def optimum_of(problem: Problem, start: Mapping[str, Floats] | None = None) -> Optimum:
    """Return what ``refine`` does, of a problem: nothing is asked again. What is not attained is NaN."""
    solution, shape, axes = solve(problem, start), problem.shape, problem.values[problem.budget].ndim
    unbounded = np.asarray(solution.unbounded, bool)  # where nothing is tuned, an empty array of any kind
    hidden = unbounded | np.asarray(solution.undetermined, bool)
    at, exponent = (np.where(hidden, np.nan, array) for array in (np.exp(solution.log_at), solution.exponent))
    log_risk = np.where(solution.vanishes, -np.inf, solution.log_risk).reshape(shape)
    risk_exponent = np.where(solution.vanishes, np.nan, solution.risk_exponent)

    def by_name(array: NDArray[Any]) -> dict[str, NDArray[Any]]:
        return {v: array[i].reshape(shape) for i, v in enumerate(problem.tuned)}

    with np.errstate(under="ignore", over="ignore"):
        risk = np.exp(log_risk)
    return Optimum(
        risk=risk,
        log_risk=log_risk,
        at=by_name(at),
        exponent={"risk": risk_exponent.reshape(shape), **by_name(exponent)},
        active=by_name(np.where(hidden, 0, solution.side).astype(np.int8)),
        unbounded=by_name(unbounded),
        limit=by_name(np.where(unbounded, np.where(solution.unbounded > 0, np.inf, 0.0), np.nan)),
        converged=(solution.converged & ~unbounded.any(axis=0)).reshape(shape),
        budget=problem.budget,
        budgets=np.broadcast_to(problem.values[problem.budget], shape),
        constants={name: x.reshape(x.shape[: x.ndim - axes]) for name, x in problem.constants.items() if x.ndim > axes},
    )
