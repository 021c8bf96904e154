"""The bounds of eqs. (4) and (11) as they are printed, formula by formula."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from hpgrid.shapes import Floats as Array, Values


def risk_in_tokens(at: Mapping[str, Array], *, C1: Values, C2: Values, C3: Values) -> Array:
    """Return risk_T at eta, b, alpha, T. Source: Shulgin et al., eq. (4)."""
    eta, b, alpha, T = (at[name] for name in ("eta", "b", "alpha", "T"))
    # As it stands in the paper, not as the proxy has it: this is what the proxy is held against.
    noise = C2 / np.sqrt(b) * (b + alpha**1.5 * T) / (alpha * T)
    return C1 * b / (eta * T) + noise + C3 * eta * (1 + 1 / alpha)


def bound_in_tokens(at: Mapping[str, Array], *, Delta0: Values, L: Values, noise: Values) -> Array:
    """Return U_T at eta, b, alpha, T, with noise = rho sigma. Source: Shulgin et al., eqs. (11), (28)."""
    eta, b, alpha, T = (at[name] for name in ("eta", "b", "alpha", "T"))
    burn_in, floor = 2 * noise * np.sqrt(b) / (alpha * T), 2 * noise * np.sqrt(alpha / b)
    return b * Delta0 / (eta * T) + burn_in + floor + 7 * L * eta / 2 + 2 * L * eta / alpha


def trivial_level(Delta0: ArrayLike, L: ArrayLike) -> float:
    """Return (2 L Delta0)^(1/2), which an L-smooth function's gradient at x0 never exceeds.

    A bound above it says nothing. Source: the assumptions before eq. (2): f(x0) - inf f = Delta0.
    """
    return float(np.sqrt(2 * np.asarray(L) * np.asarray(Delta0)))
