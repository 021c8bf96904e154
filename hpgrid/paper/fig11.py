"""Figure 11: contours over iterations and batch size in three regimes."""

from __future__ import annotations

from hpgrid.config import Config
from hpgrid.paper import contours
from hpgrid.paper.data import FigureData
from hpgrid.theory.iso_loss import NEAR_OPTIMAL_EXPONENT

draw = contours.draw


def compute(config: Config, name: str = "fig11") -> FigureData:
    """Return the figure's arrays and checks: the near-optimal batch size should follow K."""
    return contours.compute(config, name, float(NEAR_OPTIMAL_EXPONENT))
