"""The inverse: the fewest tokens, or iterations, whose tuned risk reaches a target; and with a cap on iterations.

Whatever is tuned, a larger budget costs no risk, so that the least one is bracketed: many budgets refined at once,
then as many between the two neighbours of the first that reaches the target, until the bracket is as narrow as the
refined optimum is sure. Where the risk is not monotone after all, its least is looked for, and that is said.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, SupportsFloat

import numpy as np

from hpgrid.answer import Answer, Result
from hpgrid.checks import Given, bad, changed, is_number
from hpgrid.progress import progress
from hpgrid.record import plain
from hpgrid.refinement.cost import flatness_of
from hpgrid.refinement.optimum import Optimum, optimum_of, solved
from hpgrid.shapes import Floats as Array
from hpgrid.slopes import REFINED
from hpgrid.text import listed, number
from hpgrid.tuning.advice import Point, caveats, point_of, settings, what_to_set, whole_beside
from hpgrid.tuning.bracket import NARROW, RISK, Bracket, look_closer, lowest, narrow, solver, with_negative
from hpgrid.tuning.problem import TuningProblem

#: The largest budget, or batch size, that is tried at first; and where the risk still falls there.
LARGEST, FARTHEST = 1e60, 1e300

#: How far the log of a budget may be off to be an answer: a factor of e.
UNSURE = 1.0

#: A local exponent of the risk this small, at the largest budget tried: it has come to its floor.
LEVEL = 1e-3

#: A price this small is none, in the digits that are shown.
PRICE = 5e-5

#: What a cap that binds rests on where the bound is no sum of powers.
ASSUMED = "assumed, as the bound is no sum of powers: in fewer iterations than the cap it takes more tokens"


@dataclass(frozen=True, repr=False)
class Reached(Result):
    """The fewest tokens, or iterations, that reach a risk."""

    problem: TuningProblem  # what was asked of
    target: float  # the risk that is to be reached
    point: Point | None = None  # the refined optimum at the fewest; None where the target is out of reach
    tolerance: float = np.inf  # how far the log of the fewest may be off: the bracket, and the risk's own uncertainty
    at_lower_end: bool = False  # whether the smallest budget tried reaches it
    lowest_risk: float = np.nan  # where it is not reached, the least found; NaN where no optimum was found at all
    lowest_at: float = np.nan  # its budget: the largest that is known, unless the risk rises again
    exponent_there: float = np.nan  # the local exponent of the risk there; near 0, it has come to its floor
    solved_up_to: float = np.nan  # then, the largest budget tried at which the optimum is known; NaN where none is
    tried: float = LARGEST  # then, the largest budget tried
    infimum: float = np.nan  # what the risk tends to as the budget grows, where that decides; NaN where it doesn't
    undecided: bool = False  # whether the target is nearer to what the risk tends to than it is known
    by_law: float = np.nan  # the log10 of the budget by the exact law, where that lies beyond what was tried
    notes: tuple[str, ...] = ()  # what else a person should know, a line each
    capped: Capped | None = None  # what a cap on iterations does to it; None where none was asked for

    def answer(self) -> Answer:
        """Return what it says: a sentence, one for a cap on iterations, one for each remark."""
        first = [_out_of_reach(self) if self.point is None else _reached_text(self, self.point)]
        first += [] if self.capped is None else [_capped_text(self, self.capped)]
        return Answer(first, [self.notes])

    def as_dict(self) -> dict[str, Any]:
        """Return the answer as plain data for JSON; NaN becomes null."""
        reached = None if self.undecided else self.point is not None
        data = {"target": self.target, "budget": self.problem.budget, "reached": reached}
        if self.point is None:
            data |= {"least_risk": self.lowest_risk, "at": self.lowest_at}
            more = {"infimum": self.infimum, "log10_by_law": self.by_law}
            data |= {key: x for key, x in more.items() if not math.isnan(x)}
            data |= {"exponent_of_risk_there": self.exponent_there, "known_to": self.solved_up_to}
        else:
            data |= {"fewest": self.point.as_dict(), "sure": self.tolerance, "already": self.at_lower_end}
        data |= {"remarks": self.notes, "max_K": None if self.capped is None else self.capped.as_dict()}
        return dict(plain(data))


@dataclass(frozen=True)
class Capped:
    """What a cap on iterations does to the fewest tokens."""

    max_K: float  # the cap
    binds: bool  # whether it changes anything: the fewest tokens take more iterations than that
    point: Point | None = None  # the optimum under it; None where no batch size reaches the target in so few iterations
    price: float = np.nan  # its tokens over the fewest without a cap; NaN where there is none
    tolerance: float = np.inf  # how far the log of its tokens may be off
    lowest_risk: float = np.nan  # out of reach: the least risk in so many iterations, whatever the batch size
    lowest_K: float = np.nan  # below so many iterations no batch size reaches it; NaN where none reaches it at all

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        data = {"max_K": self.max_K, "binds": self.binds, "reached": self.point is not None, "price": self.price}
        data |= {"sure": self.tolerance, "least_risk": self.lowest_risk, "least_K": self.lowest_K}
        return data | {"fewest": None if self.point is None else self.point.as_dict()}


def reach(problem: TuningProblem, target: SupportsFloat, *, max_K: Given | None = None) -> Reached:
    """Return the fewest tokens, or iterations, at which the tuned risk reaches a target, and what to set there.

    Args:
        problem: a bound, a grid and a regime, of which the grid has no part in the answer: see ``tuning_problem``.
        target: the risk, > 0.
        max_K: a cap on iterations, for a problem in tokens: where the fewest tokens take more of them, the batch
            size is the smallest that reaches the target in max_K of them, at T = b max_K.

    Raises:
        ValueError: a target or a cap that is no positive number, or as ``refine``.
    """
    if not (is_number(target) and float(target) > 0):
        raise bad("a risk to reach must be positive and finite", target, "0.01, say")
    target = float(target)
    if max_K is not None:
        max_K = _checked_cap(problem, max_K)
    with progress("refining", None) as advance:
        answer = _in_whole_numbers(_bracketed(problem, target, advance), advance)
        if max_K is not None:
            capped = _capped(answer, max_K, advance)
            costs = capped.point is not None and not capped.price <= 1 + NARROW
            assumed = capped.binds and costs and not problem.is_posynomial
            notes = (*answer.notes, ASSUMED) if assumed else answer.notes
            answer = replace(answer, capped=capped, notes=notes)
    return answer


def _checked_cap(problem: TuningProblem, max_K: Given) -> float:
    """A cap on iterations as a number, if the problem may have it."""
    if problem.budget != "T" or not problem.batch:
        rule = "a cap on iterations is for the fewest tokens, T = K b"
        raise bad(rule, f"the budget {problem.budget}, {problem.grid.space.relation_text}", "no cap on them")
    max_K = problem.grid.space.check("K", max_K)
    regime = problem.regime
    if not any(problem.batch in role for role in (regime.tuned, regime.fixed, regime.path)):
        rule = f"the bound {problem.proxy.name} does not depend on b, so that tokens are no number of iterations"
        raise bad(rule, f"at most {max_K:g} iterations", "no cap on them")
    if problem.min_K is not None and max_K < problem.min_K:
        raise bad("the most iterations are no fewer than the least", {"least": problem.min_K, "most": max_K}, "more")
    return max_K


def _bracketed(problem: TuningProblem, target: float, advance: Callable[[], None]) -> Reached:
    """The fewest of the problem's budget; where none reaches the target, the least risk that is known."""
    solve, tried = solver(problem, advance), LARGEST
    scan = narrow(solve, target, (_smallest(problem), LARGEST))
    if scan.place < 0 and scan.optima.exponent["risk"][-1] < -LEVEL:
        farther = narrow(solve, target, (LARGEST, FARTHEST))
        scan, tried = (farther, FARTHEST) if solved(farther.optima).any() else (scan, tried)
    bracket = scan if scan.place >= 0 else look_closer(solve, target, scan)
    floor = np.nan if bracket.place == 0 else _infimum(problem)
    undecided = bracket.place > 0 and bracket.tolerance >= UNSURE and not bracket.gap_below
    if bracket.place < 0 or undecided or target <= floor:
        optimum, k = bracket.optima, lowest(bracket)
        largest, unsure = float(scan.values[solved(scan.optima)].max(initial=0.0)), undecided and not target <= floor
        never = Reached(problem, target, solved_up_to=largest or np.nan, tried=tried, undecided=unsure)
        if k < 0:
            return never
        risk, exponent = float(optimum.risk[k]), float(optimum.exponent["risk"][k])
        never = replace(never, lowest_risk=risk, lowest_at=float(optimum.budgets[k]), exponent_there=exponent)
        if undecided or target <= floor or np.log(target / floor) < RISK:
            near = not target <= floor
            return replace(never, infimum=risk if np.isnan(floor) else floor, undecided=near)
        return replace(never, by_law=_by_law(problem, target, tried))
    notes = []
    if bracket.not_monotone:
        notes.append(f"the risk is not monotone: at some larger {problem.budget} it is above the target again")
    if bracket.gap_below:
        notes.append(f"just below, refinement found no optimum: a smaller {problem.budget} may do")
    point = point_of(problem, bracket.optima, bracket.place)
    at_lower_end = bracket is scan and bracket.place == 0 and tried == LARGEST
    return Reached(problem, target, point, bracket.tolerance, at_lower_end, notes=tuple(notes))


def _in_whole_numbers(answer: Reached, advance: Callable[[], None]) -> Reached:
    """The same, with a remark on what the fewest are in whole numbers of what counts something, where it has none."""
    problem, beside = answer.problem, {} if answer.point is None else whole_beside(answer.problem, answer.point)
    if not beside:
        return answer
    rest, fewest = tuple(v for v in problem.regime.tuned if v not in beside), dict[float, str]()
    for values in np.transpose([*beside.values()]):
        chosen = dict(zip(beside, values.tolist()))
        held = replace(problem, regime=changed(problem.regime.holding(chosen), tuned=rest))
        point = _bracketed(held, answer.target, advance).point
        if point is not None:
            setting = f": set {settings(point.set, point.space)}" if point.set else ""
            whole = settings(chosen, point.space, 15)
            fewest[point.at] = f"in whole numbers {whole} it takes {_tokens_of(answer, point)}{setting}"
    never = f"in the whole numbers beside it, of {listed([*beside])}, the risk is not reached"
    return replace(answer, notes=(*answer.notes, fewest[min(fewest)] if fewest else never))


def _infimum(problem: TuningProblem) -> float:
    """What the least risk tends to as the budget grows and never comes to, by the exact law; NaN where none says so.

    The log of the tuned risk of a sum of powers is convex in that of the budget: what it tends to is its infimum.
    """
    law = problem.law[0].laws["risk"] if problem.is_posynomial and problem.law[0] is not None else None
    if law is None or law.exponent != 0 or law.constant is None:
        return float("nan")
    # Where no term falls any more it is attained.
    still = optimum_of(problem.posed(np.array([LARGEST]))).exponent["risk"][0] != 0
    return law.constant if still else float("nan")


def _by_law(problem: TuningProblem, target: float, tried: float) -> float:
    """The log10 of the budget at which the exact law of the risk comes to a target, if beyond those tried; or NaN."""
    law = problem.law[0].laws["risk"] if problem.law[0] is not None else None
    if law is None or not law.exponent < 0 or law.constant is None:
        return float("nan")
    log = math.log10(target / law.constant) / float(law.exponent)
    return log if log > math.log10(tried) else float("nan")


def _smallest(problem: TuningProblem) -> float:
    """The smallest budget that a problem allows: one token or iteration, or what the least iterations take."""
    if problem.budget != "T" or problem.min_K is None:
        return max((problem.budget == "K" and problem.min_K) or 1.0, 1.0)
    return max(1.0, _tokens(problem, problem.min_K, 1.0))


def _tokens(problem: TuningProblem, K: float, never: float) -> float:
    """What so many iterations take, where the batch size is held or on a path; ``never``: on it they are no more."""
    if problem.batch in problem.regime.path:
        power = problem.regime.path[problem.batch]
        return float((K * float(power.factor)) ** (1 / (1 - float(power)))) if power < 1 else never
    return problem.regime.fixed.get(problem.batch, 1.0) * K


def _capped(free: Reached, max_K: float, advance: Callable[[], None]) -> Capped:
    """The fewest tokens within so many iterations.

    In the logs of b and K, what reaches a target is a convex set for a sum of powers, and log T = log b + log K: where
    the fewest tokens take too many iterations, the fewest under the cap take all of them. Of any other bound that is
    assumed, and said.
    """
    problem, point = free.problem, free.point
    not_binding = Capped(max_K, False, point, 1.0, free.tolerance)
    # Where any batch size does, b >= 1 does, and the iterations are no more than the tokens.
    if point is not None and (point.at if np.isnan(point.iterations) else point.iterations) <= max_K * (1 + NARROW):
        return not_binding
    if problem.batch not in problem.regime.tuned:
        lowest_risk = _least_risk(problem, _tokens(problem, max_K, LARGEST))
        return Capped(max_K, True, lowest_risk=lowest_risk, lowest_K=np.nan if point is None else point.iterations)
    in_K, batch = problem.in_iterations(), problem.batch
    fewest = _bracketed(in_K, free.target, advance).point
    least_K = np.nan if fewest is None else fewest.at
    bracket = _smallest_batch(in_K, free.target, max_K, least_K, advance)
    if bracket.place < 0 or (bracket.tolerance >= UNSURE and not bracket.gap_below):
        return Capped(max_K, True, lowest_risk=_least_risk(in_K, max_K), lowest_K=least_K)
    # The optimum at that batch size, in tokens.
    held = point_of(in_K.holding(batch), bracket.optima, bracket.place)
    best = {batch: bracket.at, **held.set}
    chosen = {v: best[v] for v in in_K.regime.tuned if v in best}
    settled = replace(held, budget="T", at=bracket.at * max_K, set=chosen, iterations=max_K)
    price = np.nan if point is None else settled.at / point.at
    if point is not None and settled.at > point.at * (1 + NARROW) and batch in point.undetermined:
        # Of the batch sizes that all have the least risk one may keep the cap.
        interval = flatness_of(problem.posed(np.array([point.at])), REFINED)
        if interval.high[batch][0] >= point.at / max_K:
            return not_binding
    return Capped(max_K, True, settled, price, bracket.tolerance, lowest_K=least_K)


def _smallest_batch(
    in_K: TuningProblem, target: float, max_K: float, least_K: float, advance: Callable[[], None]
) -> Bracket:
    """Bracket the smallest batch size that reaches a target in so many iterations, all else tuned.

    Where any does, the best one does, and the smallest lies below it: what reaches it can be a narrow window.
    """

    batch = in_K.batch

    def solve(values: Array) -> Optimum:
        held = in_K.posed(np.full(values.shape, max_K)).holding(batch, values)
        optimum = with_negative(in_K, optimum_of(held), {batch: values})
        advance()
        return optimum

    most = in_K.caps.get(batch, LARGEST)
    if max_K >= least_K:
        best = float(solver(in_K)(np.array([max_K])).at[batch][0])
        most = most if np.isnan(best) else best
    return narrow(solve, target, (1.0, most))


def _least_risk(problem: TuningProblem, budget: float) -> float:
    """The least risk at one budget; NaN where refinement does not know it."""
    optimum = solver(problem)(np.array([budget]))
    return float(optimum.risk[0]) if solved(optimum)[0] else float("nan")


# --- as text ---
def _reached_text(answer: Reached, point: Point) -> str:
    """The fewest, what to set there, how sure."""
    sure = f" (the smallest {point.budget} tried)" if answer.at_lower_end else _sure(answer.tolerance)
    head = f"risk {answer.target:g} takes {_tokens_of(answer, point)}{sure}: {what_to_set(point)}"
    K = [f"K = {number(point.iterations)}"] if point.budget == "T" and point.iterations >= 1 else []
    return "; ".join([head, *K, *caveats(point)])


def _sure(log: float) -> str:
    """How sure, where there is anything to be unsure of."""
    return f" (sure to {log:.0e} of it)" if log > 0 else ""


def _tokens_of(answer: Reached, point: Point) -> str:
    unit = answer.problem.proxy.space.all[point.budget].words
    return f"{point.budget} = {point.at:.6g}{' ' if unit else ''}{unit}"


def _out_of_reach(answer: Reached) -> str:
    """The least risk found, where, how it goes on, and where it is no longer known."""
    budget, roles = answer.problem.budget, answer.problem.roles_text()
    if not math.isnan(answer.infimum):
        rest = f" ({roles})" if roles else ""
        tends = f"as {budget} grows the risk falls to {number(answer.infimum, 6)}"
        if answer.undecided:
            return (
                f"whether risk {float(answer.target)!r} is reached float64 can't tell: {tends}, which is too near{rest}"
            )
        return f"risk {answer.target:g} is out of reach: {tends}, and never to less{rest}"
    whole = answer.solved_up_to >= answer.tried * (1 - 1e-9)
    head = "is out of reach" if whole else "is not reached as far as it is known"
    place, least = f"{budget} = {answer.lowest_at:.3g}", number(answer.lowest_risk, 6)
    beyond = "" if whole else f"; not known beyond {budget} = {answer.solved_up_to:.3g}"
    if math.isnan(answer.solved_up_to):
        head, why = "is not known to be reached", f"refinement found no optimum at any {budget} tried"
    elif answer.lowest_at < answer.solved_up_to:
        why = f"it is least at {place}, {least}, and rises beyond{beyond}"
    else:
        falling = f"falling like {budget}^{answer.exponent_there:.3g} there"
        end = "its floor" if abs(answer.exponent_there) < LEVEL else falling
        why = f"at {place}{', the largest tried,' if whole else ''} it is still {least}, {end}{beyond}"
    law = "" if math.isnan(answer.by_law) else f"; the exact law comes to it at {budget} = 10^{answer.by_law:.4g}"
    return f"risk {answer.target:g} {head}: {why}{law}" + (f" ({roles})" if roles else "")


def _capped_text(answer: Reached, capped: Capped) -> str:
    """What a cap on iterations does."""
    head = f"with K <= {capped.max_K:g}:"
    if not capped.binds:
        return f"{head} the same, it takes no more than that"
    if capped.point is None:
        batch = answer.problem.batch
        how = "" if batch in answer.problem.regime.tuned else f" with {batch} as it is"
        least = "not known to refinement" if math.isnan(capped.lowest_risk) else f"{capped.lowest_risk:.6g}"
        more = "" if math.isnan(capped.lowest_K) else f"; it takes K = {capped.lowest_K:.6g} or more"
        return f"{head} out of reach{how}, the least risk is {least}{more}"
    point, price = capped.point, ""
    if not math.isnan(capped.price):
        price = f", {capped.price:.4g} times as many" if capped.price > 1 + PRICE else ", no more than without"
    settled = f"{head} {_tokens_of(answer, point)}{price}{_sure(capped.tolerance)}, K = {point.iterations:g}"
    below = [] if math.isnan(capped.lowest_K) else [f"below K = {capped.lowest_K:.6g} no batch size reaches it"]
    return "; ".join([f"{settled}: {what_to_set(point)}", *caveats(point), *below])
