"""The inverse: the fewest tokens, or iterations, whose tuned risk reaches a target; and with a cap on iterations.

Whatever is tuned, a larger budget costs no risk, so that the least one is bracketed: many budgets refined at once,
then as many between the two neighbours of the first that reaches the target, until the bracket is as narrow as the
refined optimum is sure. Where the risk is not monotone after all, its least is looked for, and that is said.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from hpgrid.checks import bad, check_value, is_number
from hpgrid.progress import progress
from hpgrid.refinement.optimum import known
from hpgrid.slopes import REFINED
from hpgrid.tuning.advice import Point, point_of
from hpgrid.tuning.bracket import NARROW, Bracket, look_closer, lowest, narrow, solver, with_negative
from hpgrid.tuning.question import Array, Question

if TYPE_CHECKING:
    from hpgrid.refinement import Optimum

#: The largest budget, or batch size, that is tried.
LARGEST = 1e60

#: What a cap that binds rests on where the bound is no sum of powers.
ASSUMED = "assumed, as the bound is no sum of powers: in fewer iterations than the cap it takes more tokens"


@dataclass(frozen=True)
class Reached:
    """The fewest tokens, or iterations, that reach a risk.

    Attributes:
        question: what was asked.
        target: the risk that is to be reached.
        point: the refined optimum at the fewest; None where the target is out of reach.
        sure: how far the log of the fewest may be off: the bracket, and the risk's own uncertainty.
        already: whether the smallest budget tried reaches it.
        least: where it is not reached, the least risk found; NaN where refinement found no optimum at all.
        least_at: its budget: the largest that is known, unless the risk rises again.
        falling: the local exponent of the risk there; near 0, it has come to its floor.
        known_to: the largest budget tried at which the optimum is known; NaN where none is, or the target is reached.
        remarks: what else a person should know, a line each.
        capped: what a cap on iterations does to it; None where none was asked for.
    """

    question: Question
    target: float
    point: Point | None
    sure: float
    already: bool
    least: float
    least_at: float
    falling: float
    known_to: float = np.nan
    remarks: tuple[str, ...] = ()
    capped: Capped | None = None

    def text(self) -> str:
        """Return the answer as text: a line, one for a cap on iterations, one for each remark."""
        from hpgrid.tuning.answers import target_text

        return target_text(self)

    def as_dict(self) -> dict[str, Any]:
        """Return the answer as plain data for JSON; NaN becomes null."""
        from hpgrid.record import plain

        told: dict[str, Any] = {"target": self.target, "budget": self.question.budget}
        told["reached"] = self.point is not None
        if self.point is None:
            told |= {"least_risk": self.least, "at": self.least_at, "exponent_of_risk_there": self.falling}
            told |= {"known_to": self.known_to}
        else:
            told |= {"fewest": self.point.as_dict(), "sure": self.sure, "already": self.already}
        told |= {"remarks": list(self.remarks), "max_K": None if self.capped is None else self.capped.as_dict()}
        return dict(plain(told))


@dataclass(frozen=True)
class Capped:
    """What a cap on iterations does to the fewest tokens.

    Attributes:
        max_K: the cap.
        binds: whether it changes anything: the fewest tokens take more iterations than that.
        point: the optimum under it; None where no batch size reaches the target in so few iterations.
        price: its tokens over the fewest without a cap; NaN where there is none.
        sure: how far the log of its tokens may be off.
        least: where the target is out of reach, the least risk in so many iterations, whatever the batch size.
        least_K: below so many iterations no batch size reaches it; NaN where none reaches it at all.
    """

    max_K: float
    binds: bool
    point: Point | None
    price: float
    sure: float
    least: float
    least_K: float

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        told = {"max_K": self.max_K, "binds": self.binds, "reached": self.point is not None, "price": self.price}
        told |= {"sure": self.sure, "least_risk": self.least, "least_K": self.least_K}
        return told | {"fewest": None if self.point is None else self.point.as_dict()}


def reach(question: Question, target: float, *, max_K: float | None = None) -> Reached:
    """Return the fewest tokens, or iterations, at which the tuned risk reaches a target, and what to set there.

    Args:
        question: a bound, a grid and a regime, of which the grid has no part in the answer: see ``ask``.
        target: the risk, > 0.
        max_K: a cap on iterations, for a question in tokens: where the fewest tokens take more of them, the batch
            size is the smallest that reaches the target in max_K of them, at T = b max_K.

    Raises:
        ValueError: a target or a cap that is no positive number, or as ``refine``.
    """
    _check(question, target, max_K)
    with progress("refining", None) as advance:
        found = _bracketed(question, target, advance)
        if max_K is not None:
            capped = _capped(found, max_K, advance)
            costs = capped.point is not None and not capped.price <= 1 + NARROW
            assumed = capped.binds and costs and not question.is_posynomial
            remarks = (*found.remarks, ASSUMED) if assumed else found.remarks
            found = replace(found, capped=capped, remarks=remarks)
    return found


def _check(question: Question, target: float, max_K: float | None) -> None:
    if not (is_number(target) and target > 0):
        raise bad("a risk to reach must be positive and finite", target, "0.01, say")
    if max_K is None:
        return
    check_value("K", max_K)
    if question.budget == "K":
        raise bad("a cap on iterations is for the fewest tokens", "the budget K", "the budget T")
    regime = question.regime
    if not any("b" in role for role in (regime.tuned, regime.fixed, regime.path)):
        rule = f"the bound {question.proxy.name} does not depend on b, so that tokens are no number of iterations"
        raise bad(rule, f"at most {max_K:g} iterations", "no cap on them")
    if question.min_K is not None and max_K < question.min_K:
        raise bad("the most iterations are no fewer than the least", {"least": question.min_K, "most": max_K}, "more")


# --- the fewest ---


def _bracketed(question: Question, target: float, advance: Callable[[], None]) -> Reached:
    """The fewest of the question's budget."""
    solve = solver(question)
    scan = narrow(solve, target, (_smallest(question), LARGEST), advance)
    bracket = scan if scan.place >= 0 else look_closer(solve, target, scan, advance)
    found, k = bracket.found, bracket.place
    if k < 0:
        return Reached(question, target, None, np.inf, False, *_least_found(bracket), _known_to(scan))
    remarks = []
    if bracket.rises:
        remarks.append(f"the risk is not monotone: at some larger {question.budget} it is above the target again")
    if bracket.blind:
        remarks.append(f"just below, refinement found no optimum: a smaller {question.budget} may do")
    point = point_of(question, found, k)
    already = bracket is scan and k == 0
    return Reached(question, target, point, bracket.sure, already, np.nan, np.nan, np.nan, remarks=tuple(remarks))


def _least_found(bracket: Bracket) -> tuple[float, float, float]:
    """The least risk, its budget, and its local exponent there; NaN where no optimum is known."""
    found, k = bracket.found, lowest(bracket)
    if k < 0:
        return np.nan, np.nan, np.nan
    return float(found.risk[k]), float(found.budgets[k]), float(found.exponent["risk"][k])


def _known_to(scan: Bracket) -> float:
    there = scan.values[known(scan.found)]
    return float(there[-1]) if there.size else np.nan


def _smallest(question: Question) -> float:
    """The smallest budget that a question allows: one token or iteration, or what the least iterations take."""
    least, regime = max(question.min_K or 1.0, 1.0), question.regime
    if question.budget == "K" or question.min_K is None:
        return least
    if "b" in regime.path:
        power = float(regime.path["b"])
        return float(least ** (1 / (1 - power))) if power < 1 else 1.0
    return max(1.0, question.min_K * regime.fixed.get("b", 1.0))


# --- a cap on iterations ---


def _capped(free: Reached, max_K: float, advance: Callable[[], None]) -> Capped:
    """The fewest tokens within so many iterations.

    In the logs of b and K, what reaches a target is a convex set for a sum of powers, and log T = log b + log K: where
    the fewest tokens take too many iterations, the fewest under the cap take all of them. Of any other bound that is
    assumed, and said.
    """
    question, point = free.question, free.point
    loose = Capped(max_K, False, point, 1.0, free.sure, np.nan, np.nan)
    if point is not None and _most_iterations(point) <= max_K * (1 + NARROW):
        return loose
    if "b" not in question.regime.tuned:
        needed = np.nan if point is None else point.iterations
        return Capped(max_K, True, None, np.nan, np.inf, _least_risk(question, _tokens(question, max_K)), needed)
    in_K = question.in_iterations()
    fewest = _bracketed(in_K, free.target, advance).point
    least_K = np.nan if fewest is None else fewest.at
    bracket = _smallest_batch(in_K, free.target, max_K, least_K, advance)
    if bracket.place < 0:
        return Capped(max_K, True, None, np.nan, np.inf, _least_risk(in_K, max_K), least_K)
    settled = _batch_point(in_K, bracket, max_K)
    price = np.nan if point is None else settled.at / point.at
    if point is not None and settled.at > point.at * (1 + NARROW) and _batches_enough(question, point, max_K):
        return loose
    return Capped(max_K, True, settled, price, bracket.sure, np.nan, least_K)


def _most_iterations(point: Point) -> float:
    """The iterations at a point; where any b does, b >= 1, so that they are no more than its tokens."""
    return point.at if np.isnan(point.iterations) else point.iterations


def _batches_enough(question: Question, point: Point, max_K: float) -> bool:
    """Whether the batch sizes that all have the least risk at a point have one that keeps a cap on iterations."""
    if "b" not in point.idle:
        return False
    from hpgrid.refinement import flatness

    at: dict[str, Any] = {question.budget: np.array([point.at])}
    alike = flatness(question.proxy, within=REFINED, **question.refining(), **at)
    return bool(alike.high["b"][0] >= point.at / max_K)


def _smallest_batch(
    in_K: Question, target: float, max_K: float, least_K: float, advance: Callable[[], None]
) -> Bracket:
    """Bracket the smallest batch size that reaches a target in so many iterations, all else tuned.

    Where any does, the best one does, and the smallest lies below it: what reaches it can be a narrow window.
    """
    from hpgrid.refinement import refine_along

    def solve(values: Array) -> Optimum:
        at: dict[str, Any] = {"K": np.full(values.shape, max_K)}
        return with_negative(in_K, refine_along(in_K.proxy, "b", values, **in_K.refining(), **at), {"b": values})

    most = in_K.caps.get("b", LARGEST)
    if max_K >= least_K:
        best = float(solver(in_K)(np.array([max_K])).at["b"][0])
        most = most if np.isnan(best) else best
    return narrow(solve, target, (1.0, most), advance)


def _batch_point(in_K: Question, bracket: Bracket, max_K: float) -> Point:
    """The optimum at that batch size, in tokens."""
    point = point_of(in_K.holding("b"), bracket.found, bracket.place)
    best = {"b": bracket.at, **point.set}
    chosen = {v: best[v] for v in in_K.regime.tuned if v in best}
    return replace(point, budget="T", at=bracket.at * max_K, set=chosen, iterations=max_K)


def _tokens(question: Question, K: float) -> float:
    """What so many iterations take, where the batch size is held or on a path."""
    if "b" in question.regime.path:
        power = float(question.regime.path["b"])
        return float(K ** (1 / (1 - power))) if power < 1 else LARGEST
    return question.regime.fixed.get("b", 1.0) * K


def _least_risk(question: Question, budget: float) -> float:
    """The least risk at one budget; NaN where refinement does not know it."""
    found = solver(question)(np.array([budget]))
    return float(found.risk[0]) if known(found)[0] else float("nan")
