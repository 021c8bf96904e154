"""Published bounds, one file per source: each a function from constants to a proxy."""

from hpgrid.bounds.shulgin2026 import lmo, lmo_exact, lmo_large_horizon, sgd

__all__ = ["lmo", "lmo_exact", "lmo_large_horizon", "sgd"]
