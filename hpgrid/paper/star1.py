"""The star-convex bound under weight decay, laid out as Figure 1: batch size and learning rate tuned."""

from __future__ import annotations

from hpgrid.config import Config
from hpgrid.paper import pair
from hpgrid.paper.data import FigureData
from hpgrid.theory.star_convex import FIXED_MOMENTUM

draw = pair.draw

POWERS = {name: power for name, (power, _) in FIXED_MOMENTUM.items()}
LOGS = {name: power for name, (_, power) in FIXED_MOMENTUM.items()}


def compute(config: Config, name: str = "star1") -> FigureData:
    """Return the figure's arrays and checks."""
    return pair.theorem(config, name, POWERS, LOGS)
