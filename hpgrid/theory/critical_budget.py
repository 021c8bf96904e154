"""The budget from which a batch size above 1 pays at a fixed momentum.

The paper says that there is one, and that it depends on the momentum and on C1, C2, C3; its
value follows from eq. (16) with eq. (4)'s constants, where b* = B/A_T passes 1.
"""

from __future__ import annotations

import math


def tokens(alpha: float, C1: float, C2: float, C3: float) -> float:
    """Return the T at which 2 (C1 C3 (1 + 1/alpha)/T)^(1/2) + C2/(alpha T) = C2 alpha^(1/2).

    Source: Shulgin et al., eq. (16) and footnote 5, for eq. (4).
    """
    quadratic, linear, constant = C2 / alpha, 2 * math.sqrt(C1 * C3 * (1 + 1 / alpha)), C2 * math.sqrt(alpha)
    # The root of quadratic x^2 + linear x = constant, x = T^(-1/2), without a difference of equals.
    x = 2 * constant / (linear + math.sqrt(linear**2 + 4 * quadratic * constant))
    return 1 / x**2
