"""Figure 9: Theorem 3, all three tuned together: the raw grid argmin, and the optimum it wanders about."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from hpgrid.config import Config
from hpgrid.paper import joint
from hpgrid.paper.data import FigureData, all_tuned
from hpgrid.regime import Regime
from hpgrid.theory.joint import EXPONENTS, IDENTIFIABLE
from hpgrid.tuning import laws

draw = joint.draw


def compute(config: Config, name: str = "fig9") -> FigureData:
    """Return the figure's arrays and checks: where no window is given, all budgets are fitted."""
    monomials = [({top: Fraction(1), below: Fraction(-1)}, exponent) for (top, below), exponent in IDENTIFIABLE.items()]
    exponents, question = EXPONENTS, all_tuned(config)
    if config.bound.formula is not None:
        # The theorem is not about a bound that is written as text: it has exponents of its own, or none.
        law, _ = laws.exact_law(question.proxy, Regime(question.panel.tuned), question.grid.budget)
        exponents, monomials = laws.predicted(law), laws.monomials(law)
    return joint.compute(replace(config, window=question.window), name, exponents, monomials)
