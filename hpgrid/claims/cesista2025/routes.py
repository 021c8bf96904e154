"""What the rows share: seeded points, and the refined optimum of bounds that are no sums of powers.

Tolerances. An identity between two formulas holds to ``ROUNDING``. Local exponents are read at ``FAR`` and
``FARTHER``, as elsewhere in the ledger; a law with a logarithm settles like 1/log T, so that there its
exponent is extrapolated in 1/log T, and the power of the logarithm is read where no float reaches, on a
closed form that the refined optimum is held against.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from hpgrid.claims.measures import Setting

#: Both sides of an identity are sums of at most eight products of at most ten factors.
ROUNDING = 2 * (8 + 10) * float(np.finfo(float).eps)

#: Constants that are no ones, for every measurement: a factor that is missing shows.
CONSTANTS: dict[str, Any] = {"Delta0": 2.0, "L": 0.7, "sigma": 1.3, "D": 1.2, "G0": 0.6}
LAM = 0.3


def points(*names: str, n: int = 500, seed: int = 2025) -> dict[str, Any]:
    """Return seeded random points, log-uniform: shape (n,) each.

    Momenta and rates lie in (1e-6, 1), batch sizes and iterations in (1, 1e8), all else in (1e-2, 1e2).
    """
    rng = np.random.default_rng(seed)
    ranges = {"alpha": (-6, 0), "eta": (-6, 0), "b": (0, 8), "K": (0, 8)}
    return {name: 10.0 ** rng.uniform(*ranges.get(name, (-2, 2)), n) for name in names}


def at(*tuned: str, fixed: Mapping[str, float] | None = None, budget: str = "T") -> Setting:
    """Return a regime with at least one iteration, as the bounds need it."""
    return Setting(tuned, tuple((fixed or {}).items()), budget=budget, min_K=1.0)
