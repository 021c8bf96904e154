"""Figure 4: contours over iterations and batch size at a fixed momentum, and Appendix D's hyperbola."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hpgrid.checks import bad
from hpgrid.config import Config, Panel
from hpgrid.grid import Grid
from hpgrid.paper import contours
from hpgrid.paper.data import Check, FigureData
from hpgrid.refinement.profile import grid_excess
from hpgrid.theory import iso_loss

if TYPE_CHECKING:
    from hpgrid.search.brute import SearchResult

draw = contours.draw

#: Every how many levels the predicted contour is drawn over the measured one.
_EVERY = 3


def compute(config: Config, name: str = "fig4") -> FigureData:
    """Return the figure's arrays and checks."""
    if config.grid.build(config.panels[0].axes).budget != "K":
        raise bad("this figure shows iterations on an axis", "T", "K = { lo = 1e2, hi = 1e16 } in [grid], say")
    return contours.compute(config, name, None, _hyperbola)


def _hyperbola(
    config: Config, panel: Panel, grid: Grid, result: SearchResult, part: dict[str, Any]
) -> tuple[dict[str, Any], tuple[Check, ...]]:
    """Predict every contour, and hold the measured ones against the prediction.

    A traced point lies within the grid's excess of the predicted risk, and within what linear
    interpolation between neighbours adds: (range of the exponents x step)^2/32 for a log-sum-exp.
    """
    proxy = config.bound.build("K")
    constants = contours.lmo_constants(proxy)
    fixed = {**grid.held, **panel.fixed}
    if constants is None or panel.tuned != ("eta",) or "alpha" not in fixed:
        return {}, ()
    parts = iso_loss.of_proxy(fixed["alpha"], *constants)
    K, b = part["line_points"].T
    levels = np.repeat(part["line_levels"], part["line_lengths"])
    measured = float(np.abs(np.log(iso_loss.risk(K, b, parts) / levels)).max())
    spans = [_span(proxy, v) * grid.axes[v].step for v in ("b", "K")]
    tolerance = grid_excess(proxy, {"eta": grid.axes["eta"].step}) + max(spans) ** 2 / 32
    check = Check(
        "contours on the hyperbola: log(risk/level)", measured, 0.0, tolerance, measured <= tolerance,
        (float(part["budget"][0]), float(part["budget"][-1])), int(result.edge["eta"].sum()),
        "largest over all contour points; tolerance: the grid's excess in eta + linear interpolation",
    )  # fmt: skip
    shown = np.unique(part["line_levels"])[1::_EVERY]
    curves = []
    for level in shown:
        # Spaced from the asymptote K_min outwards, so that the steep branch is drawn as well.
        K = iso_loss.least_iterations(level, parts) * (1 + np.logspace(-10, 16, 400))
        curves.append(np.column_stack([K, iso_loss.batch_size(K, level, parts)]))
    return {"hyperbola": np.array(curves)}, (check,)


def _span(proxy: Any, variable: str) -> float:
    exponents = [float(term.exponent(variable)) for term in proxy.terms]
    return max(exponents) - min(exponents)
