"""The bounds of eqs. (4) and (11), and Appendix A's Tables 2 and 3, as they are printed, formula by formula."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import NamedTuple

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


#: The exponents of T1/T0 in each rule, by regime. Source: Shulgin et al., Table 2.
TABLE_2 = {
    "A": {"eta": Fraction(-1, 2)},
    "B": {"alpha": Fraction(-1, 2), "eta": Fraction(-3, 4)},
    "C": {"b": Fraction(1, 2), "eta": Fraction(-1, 4)},
    "D": {"b": Fraction(1, 6), "alpha": Fraction(-1, 3), "eta": Fraction(-7, 12)},
}


class Run(NamedTuple):
    """A token budget and a batch size: (T0, b0) or (T1, b1)."""

    T: Values
    b: float


def rule(regime: str, start: Mapping[str, Values], longer: float) -> dict[str, Values]:
    """Return what Table 2 makes of ``start``, the best configuration at T0, for T1 = longer T0.

    Source: Shulgin et al., Table 2.
    """
    return {name: value * longer ** float(TABLE_2[regime].get(name, 0)) for name, value in start.items()}


def fixed_momentum(eta: Values, short: Run, long: Run) -> Values:
    """Return eta_1 = eta_0 (b1/b0)^(1/2) (T0/T1)^(1/2). Source: Shulgin et al., Table 3, first row."""
    return eta * np.sqrt(long.b / short.b) * np.sqrt(short.T / long.T)


def tuned_momentum(start: Mapping[str, Values], short: Run, long: Run) -> dict[str, Values]:
    """Return alpha_1 = alpha_0 b1/b0 (T0/T1)^(1/2) and eta_1 = eta_0 b1/b0 (T0/T1)^(3/4).

    Source: Shulgin et al., Table 3, second row, last expressions.
    """
    grown, shrunk = long.b / short.b, short.T / long.T
    return {"alpha": start["alpha"] * grown * np.sqrt(shrunk), "eta": start["eta"] * grown * shrunk**0.75}


def sgd(eta: Values, short: Run, long: Run) -> Values:
    """Return eta_1 = eta_0 b1/b0 (T0/T1)^(1/2). Source: Shulgin et al., Table 3, third row, last expression."""
    return eta * long.b / short.b * np.sqrt(short.T / long.T)


def printed_invariant(value: Values, short: Run) -> Values:
    """Return value_0 (T0/b0)^(1/2): c_eta of rows 1 and 3, and c_alpha of row 2, as printed.

    Source: Shulgin et al., Table 3, middle column.
    """
    return value * np.sqrt(short.T / short.b)


def from_invariant(invariant: Values, long: Run) -> Values:
    """Return c b1/T1^(1/2): what rows 2 (alpha) and 3 do with it. Source: Shulgin et al., Table 3, last column."""
    return invariant * long.b / np.sqrt(long.T)


def fixed_momentum_from_invariant(invariant: Values, long: Run) -> Values:
    """Return c (b1/T1)^(1/2): what row 1 does with it. Source: Shulgin et al., Table 3, last column."""
    return invariant * np.sqrt(long.b / long.T)
