"""Advice and answers about a target, in a line or a few."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hpgrid.tuning.text import beta, intervals, number, setting, settings

if TYPE_CHECKING:
    from hpgrid.tuning.advice import Advice, Point


def advice_text(advice: Advice) -> str:
    """Return advice as one line: what to set, its risk, what is as good, what the grid says."""
    point = advice.point
    if not point.converged and not point.runs_off:
        return f"at {_budget(point)} refinement found no optimum{_held(point)}; {_grid(advice)}"
    parts = [f"at {_budget(point)} {what_to_set(point)}: risk {number(point.risk)}"]
    if advice.near:
        alone = " the others re-tuned," if len(advice.near) > 1 else ""
        parts.append(f"within {advice.within:.0%},{alone} {intervals(advice.near)}".replace("%, ", "%: ", not alone))
    return "; ".join([*parts, *_caveats(point), _grid(advice)])


def what_to_set(point: Point) -> str:
    """Return "set eta = 3.2e-04, b = 120 (alpha = 0.001 (beta = 0.999) held)"."""
    chosen = f"set {settings(point.set)}" if point.set else "set nothing"
    return chosen + _held(point)


def _budget(point: Point) -> str:
    return f"{point.budget} = {point.at:g}"


def _held(point: Point) -> str:
    held = ", ".join(f"beta = {beta(x)}" if v == "alpha" else setting(v, x) for v, x in point.held.items())
    return f" ({held} held)" if held else ""


def _caveats(point: Point) -> list[str]:
    """The bounds in force, and what has no best value."""
    caveats = [f"{v} is at {bound}" for v, bound in point.bounds.items()]
    caveats += [f"{v} runs off to {where}" for v, where in point.runs_off.items()]
    if point.idle:
        fixed = ", ".join(f"{name} = {number(x)}" for name, x in point.together.items())
        what = f"only {fixed} matters" if fixed else "the risk stays the same along a direction of them"
        caveats.append(f"{' and '.join(point.idle)} have no one best value: {what}, and the grid's are one choice")
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
