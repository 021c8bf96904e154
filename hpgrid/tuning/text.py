"""Surveys and answers as text."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from hpgrid.text import aligned, beta, held, number
from hpgrid.tuning.laws import runs_off_to

if TYPE_CHECKING:
    from hpgrid.tuning.question import Question
    from hpgrid.tuning.survey import Survey, SurveySlope

#: How many budgets a table shows.
ROWS = 12

#: What stands behind a value that sits at the edge of the grid.
EDGE = "*"


def held_text(question: Question) -> str:
    """Return what is held, on a path and capped: "alpha = 0.001 (beta = 0.999) held, b <= 1e+06"."""
    regime, budget = question.regime, question.budget
    parts = [f"{held(v, x)} held" for v, x in regime.fixed.items()]
    parts += [f"{v} = {budget}^{power}" for v, power in regime.path.items()]
    parts += [f"{v} <= {cap:g}" for v, cap in question.caps.items() if v in regime.tuned]
    if question.min_K is not None and budget == "T":
        parts.append(f"K >= {question.min_K:g}")
    return ", ".join(parts)


# --- a survey ---


def survey_text(found: Survey) -> str:
    """Return a survey as text."""
    question = found.question
    roles = held_text(question)
    lines = [
        f"{question.proxy.name} over {question.budget}; tuned {', '.join(question.regime.tuned)}"
        + (f"; {roles}" if roles else ""),
        _grid_line(found),
        "",
        *aligned(list(_budget_rows(found))),
        *(f"{EDGE} at the edge of the grid" for _ in [0] if any(e.any() for e in found.edge.values())),
        "",
        *aligned([_SLOPE_HEADINGS, *(slope_row(slope) for slope in found.slopes)]),
    ]
    return "\n".join([*lines, *_remarks(found)])


def _grid_line(found: Survey) -> str:
    axes = found.question.grid.axes
    shown = (f"{v} {axis.lo:g} to {axis.hi:g} ({len(axis)})" for v, axis in axes.items() if v in _searched(found))
    return f"grid: {', '.join(shown)}; {found.points:,} cells, {found.question.dtype}"


def _searched(found: Survey) -> tuple[str, ...]:
    return (*found.question.regime.tuned, found.question.budget)


def _budget_rows(found: Survey) -> Iterable[tuple[str, ...]]:
    """The headings, and about a dozen budgets, the first and the last among them."""
    question, names = found.question, ("risk", *found.question.regime.tuned)
    yield (question.budget, *(f"{v}, grid" for v in names), *(f"{v}, refined" for v in names), "exponent of risk")
    count = len(question.budgets)
    for k in np.unique(np.linspace(0, count - 1, min(ROWS, count)).round().astype(int)):
        hat = [number(found.hat[v][k]) + (EDGE if v != "risk" and found.edge[v][k] else "") for v in names]
        star = [_refined_cell(found, v, k) for v in names]
        yield (number(question.budgets[k]), *hat, *star, number(found.exponent["risk"][k]))


def _refined_cell(found: Survey, name: str, k: int) -> str:
    runs = name != "risk" and bool(found.runs_off[name][k])
    return "runs off" if runs else number(found.star[name][k])


_SLOPE_HEADINGS = (
    "d log / d log budget", "grid", "tolerance", "refined, far out", "exact", "verdict", "window", "edge points",
)  # fmt: skip


def slope_row(slope: SurveySlope) -> tuple[str, ...]:
    """Return the row of one slope: the grid's, its tolerance, the other routes, the verdict, the window."""
    fit = slope.measured.fit
    fitted = fit.points >= 2
    return (
        slope.measured.name,
        f"{fit.slope:.4f}" if fitted else "-",
        f"{slope.measured.tolerance:.4f}" if fitted and math.isfinite(slope.measured.tolerance) else "-",
        "-" if math.isnan(slope.far) else f"{slope.far:z.6f}",
        "-" if slope.exact is None else str(slope.exact),
        slope.verdict or "no exponent to hold",
        f"{fit.window[0]:.1e} to {fit.window[1]:.1e}" if fitted else "-",
        str(fit.edge_points),
    )


def _remarks(found: Survey) -> list[str]:
    """What a person should know of the numbers above, a line each."""
    remarks = []
    if found.no_law:
        remarks.append(f"{found.no_law}: no slope is held against one")
    reasons: dict[str, list[str]] = {}
    for slope in found.slopes:
        why = slope.measured.why_not(slope.law) if slope.verdict.startswith("not identifiable") else ""
        reasons.setdefault(why, []).append(slope.measured.name)
    remarks += [f"no verdict on {', '.join(names)}: {why}" for why, names in reasons.items() if why]
    for v, runs in found.runs_off.items():
        if runs.any():
            where, many = runs_off_to(found.question, v), f"{int(runs.sum())} of {runs.size} budgets"
            remarks.append(f"{v} has no best value at {many}: it runs off to {where}")
    if found.below_one_K.any():
        count = int(found.below_one_K.sum())
        remarks.append(f"at {count} budgets the grid's best cell has K < 1; --min-K 1 leaves such cells out")
    if found.unresolved is not None and found.unresolved.any():
        remarks.append(f"float32 can't say which cell is best at {int(found.unresolved.sum())} budgets")
    return ["", *remarks] if remarks else []


def intervals(values: Mapping[str, tuple[float, float]]) -> str:
    """Return "eta 2e-04 to 5e-04, b 90 to 200"."""
    return ", ".join(f"{v} {number(lo, 2)} to {number(hi, 2)}" for v, (lo, hi) in values.items())


def settings(values: Mapping[str, Any], digits: int = 3) -> str:
    """Return "eta = 0.00032, b = 120", a beta beside each alpha."""
    return ", ".join(
        f"{v} = {number(x, digits)}" + (f" (beta = {beta(x)})" if v == "alpha" and x < 1 else "")
        for v, x in values.items()
    )
