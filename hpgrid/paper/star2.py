"""The star-convex bound under weight decay, laid out as Figure 2: momentum and learning rate tuned."""

from __future__ import annotations

from hpgrid.config import Config
from hpgrid.paper import pair
from hpgrid.paper.data import FigureData
from hpgrid.theory.star_convex import FIXED_BATCH

draw = pair.draw

POWERS = {name: power for name, (power, _) in FIXED_BATCH.items()}
LOGS = {name: power for name, (_, power) in FIXED_BATCH.items()}


def compute(config: Config, name: str = "star2") -> FigureData:
    """Return the figure's arrays and checks."""
    return pair.theorem(config, name, POWERS, LOGS)
