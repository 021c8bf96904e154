"""A survey: the best points at every budget, on the grid and refined, and how they scale."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from hpgrid.curves import argmin_curve
from hpgrid.refinement.optimum import known
from hpgrid.regime import along
from hpgrid.search.brute import SearchResult, grid_search
from hpgrid.slopes import FAR, Bools, Curves, MeasuredSlope, monomial_name, power_slopes, slopes_from
from hpgrid.tuning.laws import law_of, monomials
from hpgrid.tuning.question import Array, Question

if TYPE_CHECKING:
    from hpgrid.asymptotics import Law
    from hpgrid.refinement import Optimum


#: To how many digits a local exponent far out is taken for the law's.
DIGITS = 6


@dataclass(frozen=True)
class SurveySlope:
    """How one quantity scales, by three routes.

    Attributes:
        measured: the slope of the grid's curve, and its tolerance.
        far: the refined optimum's local exponent, twenty decades beyond the largest budget; NaN where it has none.
        exact: the exact exponent as the budget grows; None where there is none.
    """

    measured: MeasuredSlope
    far: float
    exact: Fraction | None

    @property
    def verdict(self) -> str:
        """What the grid says of the exact exponent; "" where there is nothing to hold its slope against."""
        if self.measured.fit.points < 2:
            return "nothing to fit"
        law = round(np.nan_to_num(self.far), DIGITS) if self.exact is None else float(self.exact)
        if not self.measured.identifiable(law):
            return "not identifiable on this grid"
        if self.exact is None:
            return ""
        if np.isnan(self.measured.tolerance):
            return "no tolerance: refinement found no optimum"
        return "holds" if abs(self.measured.fit.slope - law) <= self.measured.tolerance else "FAILS"


@dataclass(frozen=True)
class Survey:
    """What a bound says about tuning at every budget of a grid; arrays have shape (budgets,).

    Attributes:
        question: what was asked.
        hat: for "risk" and each tuned variable, the grid's; NaN (the risk +inf) where no cell is feasible.
        edge: for each tuned variable, where the grid's sits on the border of the box, and so says nothing.
        star: for "risk" and each tuned variable, the refined one; NaN where there is none.
        exponent: for the same, d log / d log budget of the refined one.
        runs_off: for each tuned variable, where its best value is 0 or infinity.
        below_one_K: where the grid's best cell has fewer than one iteration.
        unresolved: where float32 can't say which cell is best; None for float64.
        slopes: how each of these scales, and the monomials that are sure where they are not.
        window: the budgets that slopes were fitted over.
        points: how many cells were compared.
        no_law: why there are no exact exponents, in a line; "" where there are.
    """

    question: Question
    hat: Mapping[str, Array]
    edge: Mapping[str, Bools]
    star: Mapping[str, Array]
    exponent: Mapping[str, Array]
    runs_off: Mapping[str, Bools]
    below_one_K: Bools
    unresolved: Bools | None
    slopes: tuple[SurveySlope, ...]
    window: tuple[float, float]
    points: int
    no_law: str

    def text(self) -> str:
        """Return the survey as text: a table of about a dozen budgets, and the slopes."""
        from hpgrid.tuning.text import survey_text

        return survey_text(self)

    def as_dict(self) -> dict[str, Any]:
        """Return the survey as plain data for JSON, every budget in it."""
        from hpgrid.tuning.tables import survey_dict

        return survey_dict(self)


def survey(question: Question, window: tuple[float, float] | None = None) -> Survey:
    """Return the grid's argmins at every budget, the refined optimum behind them, and their slopes.

    Args:
        question: a bound, a grid and a regime: see ``ask``.
        window: smallest and largest budget that slopes are fitted over; where None, from the end of the burn-in to
            the largest budget.

    Raises:
        ValueError: as ``grid_search`` and ``refine``.
    """
    best = search(question)
    law, no_law = law_of(question)
    window = window or default_window(question, best, wanders=bool(monomials(law)))
    found = _refined(question)
    there, names = known(found), ("risk", *question.regime.tuned)
    star = {v: np.where(there, found.risk if v == "risk" else found.at[v], np.nan) for v in names}
    exponent = {v: np.where(there, found.exponent[v], np.nan) for v in names}
    return Survey(
        question=question,
        hat={"risk": best.risk, **best.at},
        edge=best.edge,
        star={v: rows[0] for v, rows in star.items()},
        exponent={v: rows[0] for v, rows in exponent.items()},
        runs_off={v: rows[0] for v, rows in found.unbounded.items()},
        below_one_K=best.below_one_K,
        unresolved=best.unresolved,
        slopes=_slopes(question, best, window, star, {v: float(rows[1, -1]) for v, rows in exponent.items()}, law),
        window=window,
        points=best.points,
        no_law=no_law,
    )


def search(question: Question) -> SearchResult:
    """Return the grid's best cell at every budget."""
    return grid_search(question.proxy, question.grid, regime=question.regime, dtype=question.dtype)


def default_window(question: Question, best: SearchResult, *, wanders: bool) -> tuple[float, float]:
    """Return the budgets that slopes are fitted over: from where the optima have left b = 1 and alpha = 1.

    Args:
        question: what was searched.
        best: what was found.
        wanders: whether the leading order leaves a variable open, so that its argmin wanders back to its bound: burn-in
            is then the refined optimum's.
    """
    return _refined_window(question) if wanders else fitting_window(best)


def fitting_window(best: SearchResult) -> tuple[float, float]:
    """Return the budgets from where the argmins have left b = 1 and alpha = 1 for good, those that ever do."""
    (budget,) = best.axes.values()
    ends = [argmin_curve(best, v).burn_in for v in best.over]
    return _window_from(budget, max([end for end in ends if end < len(budget)], default=0))


def _refined_window(question: Question) -> tuple[float, float]:
    """The budgets from where the refined optimum is more than a step of the grid away from them for good."""
    from hpgrid.refinement import refine
    from hpgrid.slopes import lasting

    at: dict[str, Any] = {question.budget: question.budgets}
    found = refine(question.proxy, **question.refining(), **at)
    ends = [0]
    for v, bound in (("b", 0), ("alpha", -1)):
        if v in question.regime.tuned:
            axis = question.grid.axes[v]
            away = np.abs(np.log(found.at[v] / axis.values[bound])) > axis.step
            ends.append(int(lasting((found.converged & away)[None])[0]))
    return _window_from(question.budgets, max(end for end in ends if end < len(question.budgets)))


def _window_from(budget: Array, first: int) -> tuple[float, float]:
    """From one of the budgets to the last, two of them at least."""
    return float(budget[max(min(first, len(budget) - 2), 0)]), float(budget[-1])


def fitted_edge(best: SearchResult) -> Bools:
    """Return where an optimum sits on a wall: there the others answer to the wall, and none of them is fitted.

    What stays on b = 1 or alpha = 1 to the largest budget is on no wall of the grid: the bound has its optimum there.
    """
    return np.asarray(np.any([best.edge[v] & ~_rests(best, v) for v in best.over], axis=0))


def _rests(best: SearchResult, name: str) -> Bools:
    """Where a variable is on its natural bound, if it never leaves that for good."""
    values, end = best.values[name], {"b": 0, "alpha": -1}.get(name)
    if end is None or values[end] != 1 or argmin_curve(best, name).burn_in < best.risk.size:
        return np.zeros(best.risk.shape, bool)
    return np.asarray(best.at[name] == 1)


def _refined(question: Question) -> Optimum:
    """The continuous optimum at the grid's budgets, and far out, shape (2, n): in one call it is compiled once."""
    from hpgrid.refinement import refine

    at: dict[str, Any] = {question.budget: question.budgets * np.array([[1.0], [FAR]])}
    return refine(question.proxy, **question.refining(), **at)


def _slopes(
    question: Question,
    best: SearchResult,
    window: tuple[float, float],
    star: Mapping[str, Array],
    far: Mapping[str, float],
    law: Law | None,
) -> tuple[SurveySlope, ...]:
    """The slopes of the risk, of the tuned variables, and of monomials, each with what the other routes say."""
    edge = fitted_edge(best)
    values = {"risk": (best.risk, edge)} | {v: (best.at[v], edge) for v in best.over}
    curves = Curves(question.budget, question.budgets, values, window)
    exact = {v: None if law is None else law.exponent[v] for v in values}
    if not question.is_posynomial or question.min_K is not None:
        truths = {v: (rows[0, curves.inside], rows[1, curves.inside]) for v, rows in star.items()}
        return tuple(SurveySlope(s, far[s.name], exact[s.name]) for s in slopes_from(curves, truths))
    together = {monomial_name(powers): (powers, exponent) for powers, exponent in monomials(law)}
    proxy = along(question.proxy, question.regime.path)
    found = power_slopes(proxy, question.regime, question.steps, curves, [powers for powers, _ in together.values()])
    singles, products = found[: len(values)], found[len(values) :]
    slopes = [SurveySlope(s, far[s.name], exact[s.name]) for s in singles]
    for s in products:
        powers, exponent = together[s.name]
        settled = float(sum(float(power) * far[v] for v, power in powers.items()))
        slopes.append(SurveySlope(s, settled, exponent))
    return tuple(slopes)
