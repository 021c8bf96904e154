"""Figure 9: Theorem 3, all three tuned together: the raw grid argmin, and the optimum it wanders about."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from hpgrid.config import Config
from hpgrid.paper import joint
from hpgrid.paper.data import FigureData, all_tuned
from hpgrid.theory.joint import EXPONENTS, IDENTIFIABLE

draw = joint.draw


def compute(config: Config, name: str = "fig9") -> FigureData:
    """Return the figure's arrays and checks: where no window is given, all budgets are fitted."""
    monomials = [({top: Fraction(1), below: Fraction(-1)}, exponent) for (top, below), exponent in IDENTIFIABLE.items()]
    window = all_tuned(config).window
    return joint.compute(replace(config, window=window), name, EXPONENTS, monomials)
