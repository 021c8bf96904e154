"""Advice and answers about a target, in a line or a few."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from hpgrid.text import held, momentum, number
from hpgrid.tuning.text import held_text, intervals, settings

if TYPE_CHECKING:
    from hpgrid.tuning.advice import Advice, Point
    from hpgrid.tuning.target import Capped, Reached


def advice_text(advice: Advice) -> str:
    """Return advice as one line: what to set, its risk, what is as good, what the grid says."""
    point = advice.point
    if not point.converged and not point.runs_off:
        return f"at {_budget(point)} refinement found no optimum{_held(point)}; {_grid(advice)}"
    parts = [f"at {_budget(point)} {what_to_set(point)}: risk {number(point.risk)}"]
    if advice.near:
        others = ", the others re-tuned" if len(advice.near) > 1 else ""
        parts.append(f"within {advice.within:.0%}{others}: {intervals(advice.near)}")
    return "; ".join([*parts, *_caveats(point), _grid(advice)])


def what_to_set(point: Point) -> str:
    """Return "set eta = 3.2e-04, b = 120 (beta = 0.999 held)"."""
    chosen = f"set {settings(point.set)}" if point.set else "set nothing"
    return chosen + _held(point)


def _budget(point: Point) -> str:
    return f"{point.budget} = {point.at:g}"


def _held(point: Point) -> str:
    roles = ", ".join(momentum(x) if v == "alpha" else held(v, x) for v, x in point.held.items())
    return f" ({roles} held)" if roles else ""


def _caveats(point: Point) -> list[str]:
    """The bounds in force, and what has no best value."""
    caveats = list(point.bounds.values())
    caveats += [f"{v} runs off to {where}" for v, where in point.runs_off.items()]
    if point.idle:
        fixed = ", ".join(f"{name} = {number(x)}" for name, x in point.together.items())
        still = "the risk stays the same " + (
            "along a direction of them" if len(point.idle) > 1 else "over a range of it"
        )
        what = f"only {fixed} matters" if fixed else still
        caveats.append(f"no one best {' and '.join(point.idle)}: {what}")
    if point.iterations < 1:
        caveats.append(f"K = {number(point.iterations)}, less than one iteration")
    return caveats


def _grid(advice: Advice) -> str:
    """What the grid says, what of it sits at an edge, and what it can't tell."""
    values = {v: x for v, x in advice.grid.items() if v != "risk"}
    text = f"grid: {settings(values)}, risk {number(advice.grid['risk'])}"
    if advice.edge:
        text += f", {' and '.join(advice.edge)} at the edge"
    if advice.alike:
        text += f", not identifiable on this grid: {intervals(advice.alike)} are the same to it"
    return text


# --- a target ---

_COUNTED = {"T": "tokens", "K": "iterations"}

#: A local exponent of the risk this small, at the largest budget tried: it has come to its floor.
LEVEL = 1e-3

#: A price this small is none, in the digits that are shown.
PRICE = 5e-5


def target_text(answer: Reached) -> str:
    """Return what reaches a target as text: a line, one for a cap on iterations, one for each remark."""
    lines = [_out_of_reach(answer) if answer.point is None else _reached(answer, answer.point)]
    if answer.capped is not None:
        lines.append(_capped(answer, answer.capped))
    return "\n".join([*lines, *answer.remarks])


def _reached(answer: Reached, point: Point) -> str:
    """The fewest, what to set there, how sure."""
    sure = f" (the smallest {point.budget} tried)" if answer.already else _sure(answer.sure)
    head = f"risk {answer.target:g} takes {_tokens_of(point)}{sure}: {what_to_set(point)}"
    return "; ".join([head, *_iterations(point), *_caveats(point)])


def _sure(log: float) -> str:
    """How sure, where there is anything to be unsure of."""
    return f" (sure to {log:.0e} of it)" if log > 0 else ""


def _tokens_of(point: Point) -> str:
    return f"{point.budget} = {point.at:.6g} {_COUNTED[point.budget]}"


def _iterations(point: Point) -> list[str]:
    return [f"K = {number(point.iterations)}"] if point.budget == "T" and point.iterations >= 1 else []


def _out_of_reach(answer: Reached) -> str:
    from hpgrid.tuning.target import LARGEST

    budget, held = answer.question.budget, held_text(answer.question)
    if math.isnan(answer.known_to):
        head, told = "is not known to be reached", f"refinement found no optimum at any {budget} tried"
    else:
        whole = answer.known_to >= LARGEST * (1 - 1e-9)
        head, told = "is out of reach" if whole else "is not reached as far as it is known", _least(answer, whole)
    return f"risk {answer.target:g} {head}: {told}" + (f" ({held})" if held else "")


def _least(answer: Reached, whole: bool) -> str:
    """The least risk found, where, how it goes on, and where it is no longer known."""
    budget = answer.question.budget
    place, least = f"{budget} = {answer.least_at:.3g}", number(answer.least, 6)
    beyond = "" if whole else f"; not known beyond {budget} = {answer.known_to:.3g}"
    if answer.least_at < answer.known_to:
        return f"it is least at {place}, {least}, and rises beyond{beyond}"
    end = "its floor" if abs(answer.falling) < LEVEL else f"falling like {budget}^{answer.falling:.3g} there"
    return f"at {place}{', the largest tried,' if whole else ''} it is still {least}, {end}{beyond}"


def _capped(answer: Reached, capped: Capped) -> str:
    """What a cap on iterations does."""
    head = f"with K <= {capped.max_K:g}:"
    if not capped.binds:
        return f"{head} the same, it takes no more than that"
    if capped.point is None:
        return f"{head} {_too_few(answer, capped)}"
    point, price = capped.point, ""
    if not math.isnan(capped.price):
        price = f", {capped.price:.4g} times as many" if capped.price > 1 + PRICE else ", no more than without"
    settled = f"{head} {_tokens_of(point)}{price}{_sure(capped.sure)}, K = {point.iterations:g}"
    below = [] if math.isnan(capped.least_K) else [f"below K = {capped.least_K:.6g} no batch size reaches it"]
    return "; ".join([f"{settled}: {what_to_set(point)}", *_caveats(point), *below])


def _too_few(answer: Reached, capped: Capped) -> str:
    """Why so many iterations are not enough, and how many would be."""
    text = "out of reach" if "b" in answer.question.regime.tuned else "out of reach with b as it is"
    least = "not known to refinement" if math.isnan(capped.least) else f"{capped.least:.6g}"
    text += f", the least risk is {least}"
    return text if math.isnan(capped.least_K) else f"{text}; it takes K = {capped.least_K:.6g} or more"
