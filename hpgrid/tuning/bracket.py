"""Where the first of many values lies whose optimum reaches a target: many refined at once, then closer and closer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from hpgrid.proxy import FunctionProxy
from hpgrid.refinement.optimum import Optimum, optimum_of, solved
from hpgrid.shapes import Floats as Array
from hpgrid.slopes import REFINED
from hpgrid.tuning.problem import TuningProblem

#: How many are refined at once: each round narrows the log of the bracket 64-fold.
AT_ONCE = 65

#: The bracket's width in the log, below which it says no more: what a refined log is sure to.
NARROW = REFINED

#: How far the log of a refined risk may be from the truth: rounding, four of logs up to a thousand. What its optimum is
#: off by counts by the square alone.
RISK = 1e-12

#: The bracket of a least risk, in the log: the risk is off by its square.
LEVEL = 1e-5

#: The optima at some values: budgets, or batch sizes.
Solve = Callable[[Array], "Optimum"]


def solver(problem: TuningProblem, advance: Callable[[], None] = lambda: None) -> Solve:
    """Return what goes from budgets to the optima at them, and advances after each call."""

    def solve(values: Array) -> Optimum:
        optimum = with_negative(problem, optimum_of(problem.posed(values)), {})
        advance()
        return optimum

    return solve


def with_negative(problem: TuningProblem, optimum: Optimum, held: Mapping[str, Array]) -> Optimum:
    """Return the optima, with those where a function is at 0 or below: it has no log there, and reaches any target.

    ``held`` has the values that variables were held at, beside the problem's own.
    """
    if not isinstance(problem.proxy, FunctionProxy):
        return optimum
    proxy: Any = problem.proxy.along(problem.regime.path)
    at: dict[str, Any] = {problem.budget: optimum.budgets, **problem.regime.fixed, **optimum.at, **held}
    with np.errstate(all="ignore"):
        risk = np.asarray(proxy.everywhere().risk(**at))
    below = ~solved(optimum) & (risk <= 0)
    risk, log_risk = np.where(below, risk, optimum.risk), np.where(below, -np.inf, optimum.log_risk)
    return replace(optimum, risk=risk, log_risk=log_risk, converged=optimum.converged | below)


@dataclass(frozen=True, eq=False)
class Bracket:
    """Where the first value lies that reaches a target: in the last round of values, and the optima at them.

    ``place`` is the first of them that does, -1 where none does; ``slope``: by how much the log risk falls there, per
    log of the value; ``gap_below``: just below no optimum is known; ``not_monotone``: beyond the first that reaches
    it, or beyond the least risk, it is above the target again.
    """

    values: Array
    optima: Optimum
    place: int
    slope: float = 0.0
    gap_below: bool = False
    not_monotone: bool = False

    @property
    def at(self) -> float:
        """The first value that does."""
        return float(self.values[self.place])

    @property
    def width(self) -> float:
        """The log of the first that does over the last that does not; 0 where all do."""
        return float(np.log(self.at / self.values[self.place - 1])) if self.place > 0 else 0.0

    @property
    def tolerance(self) -> float:
        """How far the log of the answer may be off: the width, and what the risk is not sure of, over its slope."""
        if self.place == 0:
            return 0.0
        return self.width + (RISK / self.slope if self.slope > 0 else np.inf)


def narrow(solve: Solve, target: float, ends: tuple[float, float]) -> Bracket:
    """Return where the first value between two ends lies whose optimum reaches a target, a risk > 0."""
    values, bracket = np.geomspace(*ends, AT_ONCE), None
    while True:
        optimum = solve(values)
        mask = solved(optimum)
        good = mask & (optimum.log_risk <= np.log(target))
        if not good.any():
            return bracket or Bracket(values, optimum, -1)
        k = int(good.argmax())
        if k == 0 and bracket is not None:  # rounding: what did not reach it a round ago does now
            return bracket
        not_monotone = bool((mask & ~good)[k:].any()) if bracket is None else bracket.not_monotone
        gap_below = k > 0 and not mask[k - 1]
        # The slope of the narrowest step over which the risk falls by more than rounding, known to a thousandth.
        fall = 0.0 if k == 0 or gap_below else float(optimum.log_risk[k - 1] - optimum.log_risk[k])
        slope = fall / float(np.log(values[k] / values[max(k - 1, 0)])) if k > 0 else 0.0
        slope = slope if bracket is None or fall > 1e3 * RISK else bracket.slope
        bracket = Bracket(values, optimum, k, slope, gap_below, not_monotone)
        if bracket.width <= NARROW:
            return bracket
        # As many again: every round is the same compiled program.
        values = np.geomspace(values[k - 1], values[k], AT_ONCE)


def lowest(bracket: Bracket) -> int:
    """Return which of the values has the least known risk, the last of those equal to rounding; -1 where none has."""
    solved_at = np.flatnonzero(solved(bracket.optima))
    if not solved_at.size:
        return -1
    logs = bracket.optima.log_risk[solved_at]
    return int(solved_at[np.flatnonzero(logs <= logs.min() + REFINED)[-1]])


def look_closer(solve: Solve, target: float, scan: Bracket) -> Bracket:
    """Return a scan that reaches nowhere after a closer look around its least risk, where that lies inside."""
    while True:
        values, mask, k = scan.values, solved(scan.optima), lowest(scan)
        if (
            not 0 < k < len(values) - 1
            or not mask[k - 1 : k + 2].all()
            or np.log(values[k + 1] / values[k - 1]) <= LEVEL
        ):
            return scan
        scan = narrow(solve, target, (values[k - 1], values[k + 1]))
        if scan.place >= 0:
            return replace(scan, not_monotone=True)
