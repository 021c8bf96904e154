"""Published bounds, one file per source: each a function from constants to a proxy."""

from hpgrid.bounds.cesista2025 import frank_wolfe, star_convex, steepest
from hpgrid.bounds.shulgin2026 import lmo, lmo_exact, lmo_large_horizon, sgd

__all__ = ["frank_wolfe", "lmo", "lmo_exact", "lmo_large_horizon", "sgd", "star_convex", "steepest"]
