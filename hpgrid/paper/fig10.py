"""Figure 10: contours over tokens and batch size at three fixed momenta, the learning rate floored."""

from __future__ import annotations

from hpgrid.config import Config
from hpgrid.paper import contours
from hpgrid.paper.data import FigureData
from hpgrid.theory.fixed_momentum import EXPONENTS

draw = contours.draw


def compute(config: Config, name: str = "fig10") -> FigureData:
    """Return the figure's arrays and checks: the near-optimal batch size should follow T^(1/2)."""
    # The theorem is not about a bound that is written as text.
    return contours.compute(config, name, float(EXPONENTS["b"]) if config.bound.formula is None else None)
