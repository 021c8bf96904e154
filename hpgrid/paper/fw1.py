"""The Frank-Wolfe gap under weight decay, laid out as Figure 1: batch size and learning rate tuned."""

from __future__ import annotations

from hpgrid.config import Config
from hpgrid.paper import pair
from hpgrid.paper.data import FigureData
from hpgrid.theory.frank_wolfe import FIXED_MOMENTUM

draw = pair.draw


def compute(config: Config, name: str = "fw1") -> FigureData:
    """Return the figure's arrays and checks."""
    return pair.theorem(config, name, FIXED_MOMENTUM)
