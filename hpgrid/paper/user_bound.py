"""The figures' layouts for any bound and regime, with the predictions of that very bound."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hpgrid.config import Config
from hpgrid.grid import Grid
from hpgrid.paper import contours, joint, pair
from hpgrid.paper.data import FigureData
from hpgrid.proxy import FunctionProxy, Proxy
from hpgrid.readings import Reading
from hpgrid.regime import Regime
from hpgrid.tuning.problem import exact_law, monomials, predicted

if TYPE_CHECKING:
    from hpgrid.search.brute import SearchResult


def compute(config: Config, name: str) -> FigureData:
    """Return the arrays and checks of a bound's own figure; its notes say what is predicted, or why nothing is.

    Args:
        config: the bound, the grid, and the regimes; ``figure`` is the layout: curves or contours.
        name: what to call it.

    Raises:
        ValueError: a regime that the layout can't show.
    """
    return _contours(config, name) if config.figure == "contours" else _curves(config, name)


def _curves(config: Config, name: str) -> FigureData:
    """Figure 1's layout where eta and one more are tuned, Figure 9's for all else."""
    panel, grid = config.panels[0], config.grid.build(config.panels[0].axes)
    law, why = exact_law(config.bound.build(grid.budget), panel.regime, grid.budget)
    layout = "pair" if len(panel.tuned) == 2 and "eta" in panel.tuned else "joint"
    shown = replace(config, figure=layout)
    if layout == "pair":
        data = pair.measure(shown, name, predicted(law))
    else:
        data = joint.measure(shown, name, predicted(law), monomials(law))
    contours.check_positive(data.arrays["risk_hat"])
    # A whole law, its constant included, takes the place of a line through the middle of what was measured.
    laws = {} if law is None else law.laws
    whole = {v: each for v, each in laws.items() if each is not None and each.constant is not None}
    lines = {f"{v}_law": _within_range(v, each.at(data.arrays[grid.budget])) for v, each in whole.items()}
    return replace(data, arrays={**data.arrays, **lines}, notes={**data.notes, "no_prediction": why})


def _within_range(name: str, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """A law only where it is in its variable's range: b >= 1, alpha <= 1."""
    inside = {"b": values >= 1, "alpha": values <= 1}.get(name, np.ones(values.shape, bool))
    return np.asarray(np.where(inside, values, np.nan))


def _contours(config: Config, name: str) -> FigureData:
    """Figures 10 and 11's layout: a panel for each regime, the best batch size's own law dashed."""
    notes: dict[str, Any] = {"predicted_best_b": [], "no_prediction": ""}

    def lines(
        proxy: Proxy | FunctionProxy, regime: Regime, grid: Grid, result: SearchResult, part: Mapping[str, Any]
    ) -> tuple[dict[str, Any], tuple[Reading, ...]]:
        law, notes["no_prediction"] = exact_law(proxy, replace(regime, tuned=(*regime.tuned, "b")), grid.budget)
        whole = None if law is None else law.laws["b"]
        notes["predicted_best_b"].append(None if whole is None else str(whole.exponent))
        if whole is None or whole.constant is None:
            return {}, ()
        return {"law": _within_range("b", whole.at(part["budget"]))}, ()

    data = contours.measure(config, name, None, lines)
    return replace(data, notes={**data.notes, **notes})
