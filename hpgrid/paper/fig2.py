"""Figure 2: Theorem 2, momentum and learning rate tuned at a fixed batch size."""

from __future__ import annotations

from hpgrid.config import Config
from hpgrid.paper import pair
from hpgrid.paper.data import FigureData
from hpgrid.theory.fixed_batch import EXPONENTS

draw = pair.draw


def compute(config: Config, name: str = "fig2") -> FigureData:
    """Return the figure's arrays and checks."""
    return pair.theorem(config, name, EXPONENTS)
