"""The figures' layouts for any bound and regime, with the predictions of that very bound."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from hpgrid.asymptotics import PowerLaw
from hpgrid.config import Config
from hpgrid.paper import contours, joint, pair
from hpgrid.paper.data import FigureData, one_regime
from hpgrid.readings import Reading
from hpgrid.shapes import Floats as Array
from hpgrid.tuning.problem import exact_law, monomials, predicted
from hpgrid.variables import Space


def compute(config: Config) -> FigureData:
    """Return the arrays and checks of a bound's own figure; its notes say what is predicted, or why nothing is.

    Args:
        config: the bound, the grid, and the regimes; ``figure`` is the layout: curves or contours.

    Raises:
        ValueError: a regime that the layout can't show.
    """
    return _contours(config) if config.figure == "contours" else _curves(config)


def _curves(config: Config) -> FigureData:
    """Figure 1's layout where eta and one more are tuned, Figure 9's for all else."""
    one = one_regime(config)
    law, why = exact_law(one.proxy, one.panel.regime, one.budget)
    if len(one.panel.tuned) == 2 and "eta" in one.panel.tuned:
        data = pair.measure(replace(config, figure="pair"), one, predicted(law))
    else:
        data = joint.measure(replace(config, figure="joint"), one, predicted(law), monomials(law))
    # A whole law, its constant included, takes the place of a line through the middle of what was measured.
    laws = {} if law is None else law.laws
    lines = {f"{v}_law": _line(v, each, one.budgets, one.proxy.space) for v, each in laws.items()}
    shown = {key: line for key, line in lines.items() if line is not None}
    # What has no best value as the budget grows, has none at any; without a refined optimum, the law alone says so.
    limits = {} if law is None else {f"{v}_limit": np.inf if x.direction > 0 else 0.0 for v, x in law.unbounded.items()}
    shown |= {key: np.full(one.budgets.shape, x) for key, x in limits.items() if key not in data.arrays}
    return replace(data, arrays={**data.arrays, **shown}, notes={**data.notes, "no_prediction": why})


def _line(name: str, law: PowerLaw | None, budgets: Array, space: Space) -> Array | None:
    """A law where it is in its variable's range, b >= 1 and alpha <= 1; None where it has no constant."""
    if law is None or law.constant is None:
        return None
    values = law.at(budgets)
    outside = False if name == "risk" else (values < space.all[name].low) | (values > space.all[name].high)
    return np.asarray(np.where(outside, np.nan, values))


def _contours(config: Config) -> FigureData:
    """Figures 10 and 11's layout: a panel for each regime, the law of the best value of what is on the axis dashed."""
    notes: dict[str, Any] = {"predicted_best": [], "no_prediction": ""}

    def lines(one: contours.Searched) -> tuple[dict[str, Any], list[Reading]]:
        axis, joint = one.axis, replace(one.regime, tuned=one.joint)
        law, notes["no_prediction"] = exact_law(one.proxy, joint, one.grid.budget)
        whole = None if law is None else law.laws[axis]
        if law is not None and axis in law.unbounded:
            notes["no_best"] = law.unbounded[axis].cure
        notes["predicted_best"].append(None if whole is None else str(whole.exponent))
        line = _line(axis, whole, one.arrays["budget"], one.proxy.space)
        return ({} if line is None else {"law": line}), []

    data = contours.measure(config, None, lines)
    return replace(data, notes={**data.notes, **notes})
