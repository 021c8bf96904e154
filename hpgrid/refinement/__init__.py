"""The continuous optimum to machine precision, how it moves with the budget, and what it costs to miss it."""

from hpgrid.refinement.cost import Flatness, flatness, regret
from hpgrid.refinement.optimum import Optimum, refine, refine_along

__all__ = ["Flatness", "Optimum", "flatness", "refine", "refine_along", "regret"]
