"""A survey: the best points at every budget, on the grid and refined, and how they scale."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from hpgrid.refinement.optimum import known
from hpgrid.regime import along
from hpgrid.search.brute import SearchResult, grid_search
from hpgrid.slopes import (
    FAR,
    NO_OPTIMUM,
    NOTHING,
    Bools,
    Curves,
    MeasuredSlope,
    Truth,
    fitted_edge,
    fitting_window,
    measured_slopes,
    posynomial_truth,
    refined_curves,
)
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
    def law(self) -> float:
        """The exponent that the grid's slope is held against: the exact one, or the refined optimum's far out."""
        return round(np.nan_to_num(self.far), DIGITS) if self.exact is None else float(self.exact)

    @property
    def verdict(self) -> str:
        """What the grid says of the exact exponent; "" where there is nothing to hold its slope against."""
        holds, why = self.measured.reading(self.law).holds, self.measured.why_not(self.law)
        if why == NOTHING or (holds is None and why != NO_OPTIMUM):
            return NOTHING if why == NOTHING else "not identifiable on this grid"
        if self.exact is None:
            return ""
        return {True: "holds", False: "FAILS", None: NO_OPTIMUM}[holds]


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
    if not wanders:
        return fitting_window(best)
    return fitting_window(best, refined_curves(question.proxy, question.regime, question.budget, question.budgets))


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
    laws = [({v: Fraction(1)}, None if law is None else law.exponent[v]) for v in values]
    behind: Callable[[Array], Truth]
    if question.is_posynomial and question.min_K is None:
        laws += monomials(law)
        proxy = along(question.proxy, question.regime.path)
        behind = partial(posynomial_truth, proxy, question.regime, question.steps)
    else:

        def behind(_: Array) -> Truth:  # refined already, with all the budgets
            here, there = ({v: rows[k, curves.inside] for v, rows in star.items()} for k in (0, 1))
            at = partial(refined_curves, question.proxy, question.regime, question.budget)
            return Truth(here, there, None, at, question.regime.caps)

    slopes = measured_slopes(curves, behind, [powers for powers, _ in laws])
    return tuple(
        SurveySlope(slope, float(sum(float(power) * far[v] for v, power in powers.items())), exponent)
        for slope, (powers, exponent) in zip(slopes, laws)
    )
