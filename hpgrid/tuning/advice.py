"""What to set at one budget."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from hpgrid.checks import check_value
from hpgrid.refinement.profile import grid_excess
from hpgrid.regime import along
from hpgrid.slopes import monomial_name
from hpgrid.tuning.laws import law_of, runs_off_to
from hpgrid.tuning.question import Question
from hpgrid.tuning.survey import search

if TYPE_CHECKING:
    from hpgrid.refinement import Optimum

#: What counts as near-optimal: a relative excess risk.
WITHIN = 0.01

Interval = tuple[float, float]


@dataclass(frozen=True)
class Point:
    """The refined optimum at one budget.

    Attributes:
        budget: "T" or "K".
        at: its value.
        risk: the least risk; the infimum, where a variable runs off.
        set: what to set: the tuned variables that have a best value.
        held: the others' values: fixed, or on a path.
        bounds: for a variable that a bound holds, which: "b is at its least, 1", "K is at its least, 30".
        runs_off: for a variable without a best value, where it runs to, and what would stop it.
        idle: tuned variables along which the risk does not change there.
        together: monomials in those that the exact law fixes nevertheless, and its value.
        iterations: K = T/b there; NaN where b has no value.
        converged: whether the solve ended at an optimum.
    """

    budget: str
    at: float
    risk: float
    set: Mapping[str, float]
    held: Mapping[str, float]
    bounds: Mapping[str, str]
    runs_off: Mapping[str, str]
    idle: tuple[str, ...]
    together: Mapping[str, float]
    iterations: float
    converged: bool

    def as_dict(self) -> dict[str, Any]:
        """Return the point as plain data."""
        named = {"risk": self.risk, "set": dict(self.set), "held": dict(self.held), "K": self.iterations}
        told: dict[str, Any] = {"bounds": dict(self.bounds), "runs_off": dict(self.runs_off), "idle": list(self.idle)}
        told["fixed_together"] = dict(self.together)
        return {self.budget: self.at, **named, **told, "converged": self.converged}


@dataclass(frozen=True)
class Advice:
    """What to set at one budget, and how much that matters.

    Attributes:
        point: the refined optimum.
        near: for each variable that has a best value, the values within ``within`` of the least risk, the others
            re-tuned.
        within: that relative excess risk.
        grid: the grid's own best values and their risk, with "risk" among them; NaN where no cell is feasible.
        edge: the variables whose grid value sits on the border of the box.
        alike: the variables that the grid can't tell, and the values that are the same to it, the others re-tuned.
    """

    point: Point
    near: Mapping[str, Interval]
    within: float
    grid: Mapping[str, float]
    edge: tuple[str, ...]
    alike: Mapping[str, Interval]

    def text(self) -> str:
        """Return the advice as one line."""
        from hpgrid.tuning.answers import advice_text

        return advice_text(self)

    def as_dict(self) -> dict[str, Any]:
        """Return the advice as plain data for JSON."""
        from hpgrid.record import plain

        near, alike = ({v: list(ends) for v, ends in each.items()} for each in (self.near, self.alike))
        told = {"within": self.within, "near": near, "grid": dict(self.grid), "edge": list(self.edge)}
        return dict(plain({**self.point.as_dict(), **told, "not_identifiable_on_the_grid": alike}))


def advise(question: Question, budget: float) -> Advice:
    """Return what to set at one budget: the refined optimum, what is as good to 1%, and what the grid says.

    Args:
        question: a bound, a grid and a regime: see ``ask``.
        budget: the token budget, or the iterations where the question is in K.

    Raises:
        ValueError: a budget out of its range, or as ``refine`` and ``grid_search``.
    """
    from hpgrid.refinement import refine

    at: dict[str, Any] = {question.budget: np.array([check_value(question.budget, budget)])}
    point = point_of(question, refine(question.proxy, **question.refining(), **at), 0)
    known = tuple(point.set)
    near = _intervals(question, at, WITHIN, known)
    grid, edge = _on_the_grid(question, float(budget))
    return Advice(point, near, WITHIN, grid, edge, _alike(question, at, known))


def point_of(question: Question, found: Optimum, k: int) -> Point:
    """Return one budget's optimum out of many."""
    at = float(found.budgets[k])
    tuned = question.regime.tuned
    runs = {v: runs_off_to(question, v) for v in tuned if found.unbounded[v][k]}
    best = {v: float(found.at[v][k]) for v in tuned if v not in runs and np.isfinite(found.at[v][k])}
    held = {**question.regime.fixed, **{v: at ** float(power) for v, power in question.regime.path.items()}}
    idle = tuple(v for v in tuned if v not in runs and v not in best)
    b = {**held, **best}.get("b", float("nan"))
    return Point(
        budget=question.budget,
        at=at,
        risk=float(found.risk[k]),
        set=best if found.converged[k] or runs else {},
        held=held,
        bounds={v: _bound(question, v, int(found.active[v][k]), x) for v, x in best.items() if found.active[v][k]},
        runs_off=runs,
        idle=idle,
        together=_fixed_together(question, at) if len(idle) > 1 else {},
        iterations=at if question.budget == "K" else at / b,
        converged=bool(found.converged[k]),
    )


def _fixed_together(question: Question, budget: float) -> dict[str, float]:
    """The monomials that the leading order fixes of what it leaves open one by one, as the exact law has them."""
    law, _ = law_of(question)
    together = [m for m in law.identifiable if len(m.powers) > 1] if law is not None else []
    known = {monomial_name(m.powers): m.law for m in together if m.law is not None and m.law.constant is not None}
    return {name: float(whole.at(budget)) for name, whole in known.items()}


def _bound(question: Question, name: str, side: int, value: float) -> str:
    """In words, which bound holds a variable."""
    if side < 0:
        return f"{name} is at its least, {value:g}"
    cap = question.caps.get(name)
    if cap is not None and abs(np.log(value / cap)) < 1e-9:
        return f"{name} is at its cap, {cap:g}"
    held_by_K = name == "b" and question.min_K is not None
    return f"K is at its least, {question.min_K:g}" if held_by_K else f"{name} is at its most, {value:g}"


# --- how much it matters ---


def _intervals(question: Question, at: dict[str, Any], within: float, names: tuple[str, ...]) -> dict[str, Interval]:
    """For some variables, the values within a relative excess of the least risk, the others re-tuned."""
    if not names:
        return {}
    from hpgrid.refinement import flatness

    near = flatness(question.proxy, within=within, **question.refining(), **at)
    return {v: (float(near.low[v][0]), float(near.high[v][0])) for v in names}


def _alike(question: Question, at: dict[str, Any], names: tuple[str, ...]) -> dict[str, Interval]:
    """The variables that the grid can't tell to a factor of ten, and what is the same to it.

    The grid's argmin is anywhere within the grid's excess of the least risk.
    """
    if not question.is_posynomial:
        return {}
    excess = grid_excess(along(question.proxy, question.regime.path), question.steps)
    found = _intervals(question, at, float(np.expm1(excess)), names) if excess > 0 else {}
    return {v: (lo, hi) for v, (lo, hi) in found.items() if hi > 10 * lo}


def _on_the_grid(question: Question, budget: float) -> tuple[dict[str, float], tuple[str, ...]]:
    """What a search of the grid at this very budget says, and which of it sits at an edge."""
    one = replace(question, grid=question.grid.with_axes(**{question.budget: budget}))
    best = search(one)
    values = {"risk": float(best.risk), **{v: float(best.at[v]) for v in best.over}}
    return values, tuple(v for v in best.over if best.edge[v])
