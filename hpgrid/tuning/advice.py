"""What to set at one budget."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

import numpy as np

from hpgrid.answer import Answer, Result
from hpgrid.checks import Given
from hpgrid.formula.function import excess
from hpgrid.record import plain
from hpgrid.refinement.cost import flatness_of
from hpgrid.refinement.optimum import Optimum, as_good, optimum_of, why_unknown
from hpgrid.refinement.problem import Problem
from hpgrid.refinement.profile import grid_excess
from hpgrid.search.invalid import Invalid, invalid_cells
from hpgrid.shapes import Floats as Array
from hpgrid.slopes import REFINED, monomial_name
from hpgrid.text import beta, equal, few_iterations, held, listed, momentum, number, within
from hpgrid.tuning.problem import LOWER, TuningProblem, is_lower
from hpgrid.variables import STANDARD, Space, Variable, exchanged

#: What counts as near-optimal: a relative excess risk.
WITHIN = 0.01

Interval = tuple[float, float]  # 0 and inf where there is no end

#: Which ends of an interval are where the bound ends, beyond which it is not positive and finite.
Open = tuple[bool, bool]


@dataclass(frozen=True)
class Point:
    """The refined optimum at one budget."""

    budget: str  # "T", "K", or one that is declared
    at: float  # its value
    risk: float  # the least risk; the infimum, where a variable runs off
    set: Mapping[str, float]  # what to set: the tuned variables that have a best value
    held: Mapping[str, float]  # the others' values: fixed, or on a path
    approached: Mapping[str, float]  # for a variable at an end that is no part of its range, that end
    bounds: Mapping[str, str]  # for a variable that a bound holds, which: "b is at its least, 1"
    unbounded: Mapping[str, str]  # for a variable without a best value, where it runs to, and what would stop it
    undetermined: tuple[str, ...]  # tuned variables along which the risk does not change there
    fixed_together: Mapping[str, float]  # monomials in those that the exact law fixes nevertheless, and their values
    iterations: float  # K = T/b there; NaN where b has no value
    also: Mapping[str, float]  # of a bound that relates budgets of its own, the others there, with what they count
    converged: bool  # whether the solve ended at an optimum
    unknown: str  # why no minimum is known, in words; "" where one is
    as_good: Mapping[str, float]  # another optimum of the same risk to rounding, where one was looked for and found
    space: Space  # the variables of the bound

    def as_dict(self) -> dict[str, Any]:
        """Return the point as data."""
        data = {"budget": self.budget, "at": self.at, "risk": self.risk, "set": self.set, "held": self.held}
        data |= {"K": self.iterations, "bounds": self.bounds, "runs_off": self.unbounded, "idle": self.undetermined}
        data |= {"approached": self.approached} if self.approached else {}
        data |= {"also": self.also} if self.also else {}
        data |= {"unknown": self.unknown} if self.unknown else {}
        data |= {"as_good": self.as_good} if self.as_good else {}
        return data | {"fixed_together": self.fixed_together, "converged": self.converged}


@dataclass(frozen=True, repr=False)
class Advice(Result):
    """What to set at one budget, and how much that matters."""

    point: Point  # the refined optimum
    near_optimal_range: Mapping[str, Interval]  # what is within ``WITHIN`` of the minimum, the others re-tuned
    open_ends: Mapping[str, Open]  # of these, those with an end that is where the bound ends
    grid: Mapping[str, float]  # the grid's own best values, and the "risk" there; NaN where no cell is feasible
    edge: tuple[str, ...]  # the variables whose grid value sits on the border of the box
    unresolved_range: Mapping[str, Interval]  # what the grid can't tell, the others re-tuned, to a factor of ten
    invalid: Invalid | None = None  # the cells of the grid at which the bound does not hold
    whole: Mapping[str, float] = field(default_factory=dict)  # for what counts something, the best whole numbers
    whole_cost: float = 0.0  # their relative excess risk, the others re-tuned
    lower: bool = False  # whether the grid's best cell is lower than the refined optimum

    def answer(self) -> Answer:
        """Return what it says: what to set and its risk, what is as good, in details what the grid says."""
        point, values = self.point, {v: x for v, x in self.grid.items() if v != "risk"}
        head = f"At {point.budget} = {point.at:g}"
        beside = []
        if point.converged or point.unbounded:
            first = f"{head} {what_to_set(point)}: risk {number(point.risk)}."
            if self.near_optimal_range:
                others = ", the others re-tuned" if len(self.near_optimal_range) > 1 else ""
                near = intervals_text(self.near_optimal_range, self.open_ends, point.space)
                beside.append(f"Within {WITHIN:.0%} of that risk{others}: {near}.")
            if self.whole:
                beside.append(
                    f"in whole numbers {settings(self.whole, point.space, 15)}, which costs {self.whole_cost:.2%}"
                )
            if self.lower:
                there = f"risk {number(self.grid['risk'])} at {settings(values, point.space)}"
                beside.append(f"a cell of the grid is lower, {there}: {LOWER}")
            beside += caveats(point)
        else:
            first = f"{head} refinement found no optimum{_held(point)}: {point.unknown}."
        grid = f"grid: {settings(values, point.space)}, risk {number(self.grid['risk'])}"
        if self.edge:
            grid += f", {listed(self.edge)} at the edge"
        if self.unresolved_range:
            same = intervals_text(self.unresolved_range, space=point.space)
            grid += f", not identifiable on this grid: {same} are the same to it"
        beside += [self.invalid.text()] if self.invalid is not None else []
        return Answer([first], [beside], [[grid]], "the grid's own best values")

    def as_dict(self) -> dict[str, Any]:
        """Return the advice as plain data for JSON."""
        near = {"near": self.near_optimal_range} | ({"near_open": self.open_ends} if self.open_ends else {})
        data = {**self.point.as_dict(), "within": WITHIN, **near, "grid": self.grid}
        data |= {} if self.invalid is None else {"does_not_hold": self.invalid.as_dict()}
        data |= {"whole": self.whole, "whole_cost": self.whole_cost} if self.whole else {}
        return dict(plain({**data, "edge": self.edge, "not_identifiable_on_the_grid": self.unresolved_range}))


@dataclass(frozen=True, repr=False)
class Several(Result):
    """What to set at each of several budgets."""

    answers: tuple[Advice, ...]

    def answer(self) -> Answer:
        """Return what each says, what to set at all of them first."""
        each = {f"{one.point.budget} = {one.point.at:g}: ": one.answer() for one in self.answers}
        first = [line for own in each.values() for line in own.first]
        beside = [f"{at}{'; '.join(map(str, own.beside[0]))}" for at, own in each.items() if own.beside[0]]
        details = [f"{at}{own.details[0][0]}" for at, own in each.items()]
        return Answer(first, [beside], [details], "the grid's own best values")

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for each."""
        return {"budgets": [each.as_dict() for each in self.answers]}


def advise(problem: TuningProblem, budget: Given) -> Advice:
    """Return what to set at one budget: the refined optimum, what is as good to 1%, and what the grid says.

    Args:
        problem: a bound, a grid and a regime: see ``tuning_problem``.
        budget: the token budget, or the iterations where the problem is in K.

    Raises:
        ValueError: a budget out of its range, or as ``refine`` and ``grid_search``.
    """
    budget = problem.grid.space.check(problem.budget, budget)
    posed = problem.posed(np.array([budget]))
    optimum = optimum_of(posed)
    other = {v: float(x[0]) for v, x in as_good(posed, optimum).items() if np.isfinite(x[0])}
    point = replace(point_of(problem, optimum, 0), as_good=other)
    # A variable that runs off may be as good from some value on.
    chosen = (*point.set, *point.approached, *point.unbounded)
    near, open_ends = _intervals(posed, WITHIN, chosen)
    # The grid at this very budget, whatever its own budgets are.
    there = replace(problem, grid=problem.grid.with_axes(**{problem.budget: budget}))
    best = there.search()
    grid = {"risk": float(best.risk), **{v: float(best.at[v]) for v in best.over}}
    edge = tuple(v for v in best.over if best.edge[v])
    ranges: dict[str, Interval] = {}
    if problem.is_posynomial:
        # The grid's argmin is anywhere within the grid's excess of the least risk.
        excess = grid_excess(problem.proxy.along(problem.regime.path), problem.steps)
        ranges = _intervals(posed, float(np.expm1(excess)), tuple(point.set))[0] if excess > 0 else {}
    wide = {v: (lo, hi) for v, (lo, hi) in ranges.items() if hi > 10 * lo}
    whole, cost = _in_whole_numbers(problem, posed, point)
    lower = bool(is_lower(grid["risk"], point.risk, problem.dtype))
    return Advice(point, near, open_ends, grid, edge, wide, invalid_cells(there.plan), whole, cost, lower)


def _in_whole_numbers(problem: TuningProblem, posed: Problem, point: Point) -> tuple[dict[str, float], float]:
    """The best whole numbers beside an optimum of what counts something, and their excess risk; none: it has them."""
    found = whole_beside(problem, point)
    names, tried = [*found], np.array([*found.values()])
    if not tried.size:
        return {}, 0.0
    held = replace(posed, shape=tried.shape[1:])
    for v, values in zip(names, tried):
        held = held.holding(v, values)
    if held.tuned:
        risk = np.exp(optimum_of(held).log_risk)
    else:
        risk = posed.proxy.risk(**{v: x for v, x in held.values.items() if v in posed.proxy.variables()})
    best = int(np.nanargmin(risk))
    cost = float(risk[best] / point.risk - 1)
    return {v: float(values[best]) for v, values in zip(names, tried)}, max(cost, 0.0)


def whole_beside(problem: TuningProblem, point: Point) -> dict[str, Array]:
    """Return the whole numbers on both sides of an optimum of what counts something, all together, as arrays."""
    space = problem.grid.space
    names = [v for v, x in point.set.items() if space.all[v].whole and abs(x - round(x)) > REFINED * x]
    ends = {v: (space.all[v].low, problem.caps.get(v, space.all[v].high)) for v in names}
    beside = [[x for x in (math.floor(point.set[v]), math.ceil(point.set[v])) if ends[v][0] <= x <= ends[v][1]]
              for v in names]  # fmt: skip
    return {v: np.array(values, float) for v, values in zip(names, zip(*product(*beside)))}


def _other_budgets(problem: TuningProblem, at: Mapping[str, float]) -> dict[str, float]:
    """The budgets that follow from that of a point, by the bound's relations, as far as their factors are known."""
    space, budget = problem.grid.space, problem.budget
    known, others = {**problem.proxy.constants, **at}, {}
    for other in space.joined(budget):
        needs = {name for relation, _ in space.exchange(other, budget) for name in relation.names}
        if other != budget and needs <= {*known}:
            others[other] = float(exchanged(space, other, budget, known))
    return others


def point_of(problem: TuningProblem, optimum: Optimum, k: int) -> Point:
    """Return one budget's optimum out of many."""
    at, tuned = float(optimum.budgets[k]), problem.regime.tuned
    unbounded = {v: problem.unbounded_to(v, float(optimum.limit[v][k])) for v in tuned if optimum.unbounded[v][k]}
    best = {v: float(optimum.at[v][k]) for v in tuned if v not in unbounded and np.isfinite(optimum.at[v][k])}
    fixed = {**problem.regime.fixed, **{v: power.at(at) for v, power in problem.regime.path.items()}}
    undetermined = tuple(v for v in tuned if v not in unbounded and v not in best)
    space = problem.grid.space
    # What the leading order fixes of what it leaves open one by one, as the exact law has it.
    law = problem.law[0] if len(undetermined) > 1 else None
    known = {problem.budget: at, **fixed, **best}
    others = _other_budgets(problem, known)
    bounds = {v: _bound(problem, v, int(side), known) for v in best if (side := optimum.active[v][k])}
    ends = {v: _open_end(space.all[v], int(optimum.active[v][k]), best[v]) for v in bounds}
    approached = {v: end for v, end in ends.items() if end is not None}
    return Point(
        budget=problem.budget,
        at=at,
        risk=float(optimum.risk[k]),
        set={v: x for v, x in best.items() if v not in approached} if optimum.converged[k] or unbounded else {},
        held=fixed,
        approached=approached,
        bounds=bounds,
        unbounded=unbounded,
        undetermined=undetermined,
        fixed_together={
            monomial_name(m.powers): float(m.law.at(at))
            for m in (law.identifiable if law is not None else ())
            if len(m.powers) > 1 and m.law is not None and m.law.constant is not None
        },
        iterations=at if problem.budget == "K" else others.get("K", float("nan")),
        also={} if space.relations == STANDARD.relations else others,
        converged=bool(optimum.converged[k]),
        unknown=str(why_unknown(optimum)[k]),
        as_good={},
        space=space,
    )


def _open_end(variable: Variable, side: int, value: float) -> float | None:
    """The end that is no part of a variable's range, where what a bound holds lies there; else None."""
    end, opened = (variable.low, variable.low_open) if side < 0 else (variable.high, variable.high_open)
    return end if opened and 0 < end < math.inf and abs(np.log(value / end)) < REFINED else None


def _bound(problem: TuningProblem, name: str, side: int, at: Mapping[str, float]) -> str:
    """In words, which bound holds a variable of a point."""
    value, proxy, beyond = at[name], problem.proxy.along(problem.regime.path), ", which is no part of it"
    variable = proxy.space.all[name]
    if _open_end(variable, side, value) is not None:
        return f"{name} is at the edge of its range, {variable.rule}{beyond}"
    for condition in () if value == variable.low else proxy.domain:
        named = condition.variables(proxy.budget)
        if name in named and {*named} <= {*at} and abs(excess(condition, {**proxy.constants, **at})) < REFINED:
            return f"{name} is at the edge of its domain, {condition.text}{beyond if condition.strict else ''}"
    if side < 0:
        return f"{name} is at its least, {value:g}"
    cap = problem.caps.get(name)
    if cap is not None and abs(np.log(value / cap)) < REFINED:
        return f"{name} is at its cap, {cap:g}"
    held_by_K = name == proxy.space.batch and problem.min_K is not None
    return f"K is at its least, {problem.min_K:g}" if held_by_K else f"{name} is at its most, {value:g}"


def _intervals(posed: Problem, within: float, names: tuple[str, ...]) -> tuple[dict[str, Interval], dict[str, Open]]:
    """For some variables, the values within a relative excess of the least risk, as far as known, and open ends."""
    if not names:
        return {}, {}
    near = flatness_of(posed, within)
    known = [v for v in posed.tuned if v in names and not np.isnan(near.low[v][0])]
    opened = {v: (bool(near.low_open[v][0]), bool(near.high_open[v][0])) for v in known}
    ranges = {v: (float(near.low[v][0]), float(near.high[v][0])) for v in known}
    return ranges, {v: ends for v, ends in opened.items() if any(ends)}


# --- as text ---
def what_to_set(point: Point) -> str:
    """Return "set eta = 3.2e-04, b = 120 (beta = 0.999 held), which is T = 1e+09"."""
    values = {**point.set, **point.approached}
    chosen = f"set {settings(values, point.space)}" if values else "set nothing"
    return chosen + _held(point) + (f", which is {settings(point.also, point.space)}" if point.also else "")


def _held(point: Point) -> str:
    roles = ", ".join(momentum(x) if v == "alpha" else held(v, x) for v, x in point.held.items())
    return f" ({roles} held)" if roles else ""


def caveats(point: Point) -> list[str]:
    """The bounds in force, what has no best value, another optimum as good."""
    caveats = list(point.bounds.values())
    caveats += [f"{v} runs off to {where}" for v, where in point.unbounded.items()]
    if point.undetermined:
        fixed = ", ".join(f"{name} = {number(x)}" for name, x in point.fixed_together.items())
        where = "along a direction of them" if len(point.undetermined) > 1 else "over a range of it"
        what = f"only {fixed} matters" if fixed else f"the risk stays the same {where}"
        caveats.append(f"no one best {' and '.join(point.undetermined)}: {what}")
    if point.as_good:
        caveats.append(f"as good: {settings(point.as_good, point.space)}")
    few = few_iterations(point.held["b"], point.iterations) if "b" in point.held and point.budget == "T" else ""
    if few:
        caveats.append(few)
    elif point.iterations < 1 and "K" not in point.also:
        caveats.append(f"K = {number(point.iterations)}, less than one iteration")
    return caveats


def intervals_text(
    values: Mapping[str, Interval], open_ends: Mapping[str, Open] | None = None, space: Space = STANDARD
) -> str:
    """Return "eta 2e-04 to 5e-04, b 90 on"; an end that is where the bound ends is said to be."""
    opened = open_ends or {}
    return ", ".join(_interval(space.all[v], ends, opened.get(v, (False, False))) for v, ends in values.items())


def _interval(variable: Variable, ends: Interval, opened: Open) -> str:
    name, inside = variable.name, _whole_inside(ends) if variable.whole else None
    texts = [f"{x:.0f}" for x in inside] if inside else [within(x, variable, 2).removeprefix("-> ") for x in ends]
    low, high = (text + (" (where the bound ends)" if ended else "") for text, ended in zip(texts, opened))
    if ends[1] < math.inf:
        return f"{name} {low} to {high}" if ends[0] > 0 else f"{name} up to {high}"
    return f"{name} from {low} on" if ends[0] > 0 else f"any {name}"


def _whole_inside(ends: Interval) -> Interval | None:
    """The first and the last whole number between two ends, infinity as it is; None where there is none between."""
    near = [float(round(x)) if x < math.inf and abs(x - round(x)) <= REFINED * x else x for x in ends]
    low, high = math.ceil(near[0]), near[1] if near[1] == math.inf else math.floor(near[1])
    return (low, high) if low <= high else None


def settings(values: Mapping[str, Any], space: Space = STANDARD, digits: int = 3) -> str:
    """Return "eta = 0.00032, b = 120", a beta beside each alpha."""
    return ", ".join(
        equal(v, within(x, space.all[v], digits)) + (f" (beta = {beta(x)})" if v == "alpha" and x < 1 else "")
        for v, x in values.items()
    )
