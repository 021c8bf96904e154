"""Figure 6: Theorem 1, batch size and learning rate tuned at a fixed momentum."""

from __future__ import annotations

from hpgrid.config import Config
from hpgrid.paper import pair
from hpgrid.paper.data import FigureData
from hpgrid.theory.fixed_momentum import EXPONENTS

draw = pair.draw


def compute(config: Config, name: str = "fig6") -> FigureData:
    """Return the figure's arrays and checks."""
    return pair.theorem(config, name, EXPONENTS)
