"""What the figures of critical batch sizes share: problems, answers, and the checks of a minimiser."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hpgrid.critical import tokens
from hpgrid.critical.critical_batch import CriticalBatch, critical_batch
from hpgrid.readings import Reading

PROBLEM = ("Delta0", "L", "sigma", "D", "G0")
TITLES = {"seed": "first form", "revised": "revised form"}


def problem(parameters: Mapping[str, Any], *more: str) -> dict[str, Any]:
    """Return the constants of a figure's problem, and others by name."""
    return {name: float(parameters[name]) for name in (*PROBLEM, *more)}


def both_forms(parameters: Mapping[str, Any], **asked: Any) -> dict[str, CriticalBatch]:
    """Return the answers of the first form and of the revised one."""
    own = {**problem(parameters, "eta"), **asked}
    return {form: critical_batch(**own, form=form, measure="gradient") for form in TITLES}


def minimiser_checks(what: str, answers: Sequence[CriticalBatch]) -> tuple[Reading, ...]:
    """Return how far the numerical minimiser and the grid's are from the closed form, the farthest of some answers.

    Where the minimum is below b = 1 there is nothing to compare.
    """
    found = [answer.reach for answer in answers if answer.reach is not None and not answer.reach.on_bound]
    if not found:
        return ()
    numerical = max(abs(float(np.log(one.fewest.b / one.closed))) for one in found)
    grid = max(abs(float(np.log(one.on_grid.b / one.closed))) for one in found)
    step = max(one.step for one in found)
    window = (min(one.closed for one in found), max(one.closed for one in found))
    return (
        Reading(
            f"{what}: log(fewest tokens/closed form)", "arithmetic", numerical, 0.0, tokens.FLAT, window=window,
            note=f"largest of {len(found)}; tolerance: a minimum is flat to the root of rounding",
        ),
        Reading(
            f"{what}: log(argmin on a grid/closed form)", "grid", grid, 0.0, step, window=window,
            note=f"largest of {len(found)}; tolerance: one step of the grid",
        ),
    )  # fmt: skip
