"""Published bounds, one file per source: each a function from constants to a proxy, loaded when it is used."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hpgrid.bounds.cesista2025 import frank_wolfe, star_convex, steepest
    from hpgrid.bounds.shulgin2026 import lmo, lmo_exact, lmo_large_horizon, sgd

__all__ = ["frank_wolfe", "lmo", "lmo_exact", "lmo_large_horizon", "sgd", "star_convex", "steepest"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'hpgrid.bounds' has no attribute {name!r}")
    source = "cesista2025" if name in ("frank_wolfe", "star_convex", "steepest") else "shulgin2026"
    return getattr(import_module(f"hpgrid.bounds.{source}"), name)
