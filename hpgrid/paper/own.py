"""The figures' layouts for any bound and regime, with the predictions of that very bound."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from hpgrid.config import Config, Panel
from hpgrid.errors import InputError, bad
from hpgrid.grid import Grid
from hpgrid.paper import contours, joint, pair
from hpgrid.paper.data import Check, FigureData
from hpgrid.proxy import FunctionProxy, Proxy

if TYPE_CHECKING:
    from hpgrid.asymptotics import Law
    from hpgrid.search import SearchResult

#: What can be asked for, and the modules that draw it.
LAYOUTS = {"curves": ("pair", "joint"), "contours": ("contours",)}

Bound = Proxy | FunctionProxy


def compute(config: Config, name: str) -> FigureData:
    """Return the arrays and checks of a bound's own figure; its notes say what is predicted, or why nothing is.

    Args:
        config: the bound, the grid, and the regimes; ``figure`` is the layout: curves or contours.
        name: what to call it.

    Raises:
        ValueError: a layout that does not exist, or a regime that it can't show.
    """
    if config.figure not in LAYOUTS:
        raise bad("a layout is curves or contours", config.figure, "curves, say")
    data = _contours(config, name) if config.figure == "contours" else _curves(config, name)
    return data


def exact_law(proxy: Bound, panel: Panel, tuned: tuple[str, ...], budget: str) -> tuple[Law | None, str]:
    """Return a bound's exact asymptotics in a regime, or None and why it has none, in a line."""
    from hpgrid.asymptotics import exponents

    try:
        return exponents(proxy, tuned, fixed=panel.fixed, budget=budget), ""
    except InputError as error:
        return None, str(error).split(". Given:")[0]


def predicted(law: Law | None) -> dict[str, Fraction]:
    """Return the exponents that there are."""
    return {} if law is None else {v: exponent for v, exponent in law.exponent.items() if exponent is not None}


def _curves(config: Config, name: str) -> FigureData:
    """Figure 1's layout where eta and one more are tuned, Figure 9's for all else."""
    panel, grid = config.panels[0], config.grid.build(config.panels[0].axes)
    law, why = exact_law(config.bound.build(grid.budget), panel, panel.tuned, grid.budget)
    layout = "pair" if len(panel.tuned) == 2 and "eta" in panel.tuned else "joint"
    shown = replace(config, figure=layout)
    if layout == "pair":
        data = pair.compute(shown, name, predicted(law))
    else:
        monomials = [(m.powers, m.exponent) for m in law.identifiable if len(m.powers) > 1] if law is not None else []
        data = joint.compute(shown, name, predicted(law), monomials)
    return replace(data, notes={**data.notes, "no_prediction": why})


def _contours(config: Config, name: str) -> FigureData:
    """Figures 10 and 11's layout: a panel for each regime, the best batch size's own law dashed."""
    notes: dict[str, Any] = {"predicted_best_b": [], "no_prediction": ""}

    def lines(
        _: Config, panel: Panel, grid: Grid, result: SearchResult, part: Mapping[str, Any]
    ) -> tuple[dict[str, Any], tuple[Check, ...]]:
        bound = config.bound.build(grid.budget)
        law, notes["no_prediction"] = exact_law(bound, panel, (*panel.tuned, "b"), grid.budget)
        whole = None if law is None else law.laws["b"]
        notes["predicted_best_b"].append(None if whole is None else str(whole.exponent))
        if whole is None or whole.constant is None:
            return {}, ()
        b = whole.at(part["budget"])
        return {"law": np.where(b >= 1, b, np.nan)}, ()

    data = contours.compute(config, name, None, lines)
    return replace(data, notes={**data.notes, **notes})
