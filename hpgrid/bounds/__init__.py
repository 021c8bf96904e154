"""Published bounds, one file per source: each a function from constants to a proxy, loaded when it is used.

A new bound is a function in a file here, a row of ``BOUNDS`` and its name in ``__all__``, and a test.
"""

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from hpgrid.bounds.cesista2025 import frank_wolfe, star_convex, steepest
    from hpgrid.bounds.shulgin2026 import lmo, lmo_exact, lmo_large_horizon, sgd

__all__ = ["frank_wolfe", "lmo", "lmo_exact", "lmo_large_horizon", "sgd", "star_convex", "steepest"]


class Bound(NamedTuple):
    """What a person may say of a bound.

    Attributes:
        source: the file that it is in.
        constants: the names of its constants.
        options: what else it takes, and of what kind each is: an "exponent", a "flag", or a "word".
        variables: what it declares of its own, beside eta, b, alpha, T and K.
    """

    source: str
    constants: tuple[str, ...]
    options: Mapping[str, str] = {}
    variables: tuple[str, ...] = ()


_DECAY = ("Delta0", "L", "sigma", "D", "G0", "lam", "W0")

#: The bounds that a command line or a file can name.
BOUNDS = {
    "lmo": Bound(
        "shulgin2026",
        ("C1", "C2", "C3", "Delta0", "L", "rho", "sigma", "E0"),
        {"q": "exponent", "burn_in": "flag"},
    ),
    "lmo_exact": Bound("shulgin2026", ("Delta0", "L", "rho", "sigma")),
    "lmo_large_horizon": Bound("shulgin2026", ("C1", "C2", "C3"), {"q": "exponent"}),
    "sgd": Bound("shulgin2026", ("Delta0", "L", "sigma")),
    "steepest": Bound("cesista2025", (*_DECAY, "kappa1", "kappa2", "L_F", "sigma_F"), {"form": "word", "norm": "word"}),
    "star_convex": Bound("cesista2025", _DECAY),
    "frank_wolfe": Bound("cesista2025", _DECAY),
}


def __getattr__(name: str) -> Any:
    if name not in BOUNDS:
        raise AttributeError(f"module 'hpgrid.bounds' has no attribute {name!r}")
    return getattr(import_module(f"hpgrid.bounds.{BOUNDS[name].source}"), name)
