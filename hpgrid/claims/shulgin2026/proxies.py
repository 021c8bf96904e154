"""Sections 2 and 3: the bound, and the proxies that stand for it."""

from __future__ import annotations

from typing import Any

import numpy as np

from hpgrid import bounds
from hpgrid.claims.ledger import Finding, claim
from hpgrid.claims.readings import at_least, at_most, same
from hpgrid.claims.routes import BOUNDS, EQ4, EQ5, Array
from hpgrid.theory import printed

#: Each side of an identity is a sum of at most five products of at most eight factors: that many
#: roundings, on both sides.
ROUNDING = 2 * (5 + 8) * float(np.finfo(float).eps)


def points(budget: str, n: int = 1000, seed: int = 3) -> dict[str, Array]:
    """Seeded random points of footnote 3's box."""
    rng = np.random.default_rng(seed)
    ranges = {"eta": (-15, 4), "b": (0, 15), "alpha": (-10, 0), budget: (2, 22)}
    return {name: 10.0 ** rng.uniform(lo, hi, n) for name, (lo, hi) in ranges.items()}


@claim(
    "S.eq3", "eqs. (2), (3)", "risk_K is the right-hand side of eq. (2) up to constants, C1 = Delta0, C2 = 2 rho sigma"
)
def eq3() -> Finding:
    at = points("K")
    given: dict[str, Any] = {"Delta0": 3.0, "L": 0.2, "rho": 2.0, "sigma": 7.0}
    ratio = bounds.lmo_exact(**given, budget="K").risk(**at) / bounds.lmo(**given, budget="K").risk(**at)
    return Finding(
        (
            at_most("largest eq. (2) / eq. (3)", "arithmetic", float(ratio.max()), 1.0, ROUNDING),
            at_least("smallest eq. (2) / eq. (3)", "arithmetic", float(ratio.min()), 0.5, ROUNDING),
        ),
        "the constants lie between 1/2 and 1: the exponents of both bounds agree, their constants need not",
    )


@claim("S.eq3.drift", "before eq. (3)", "7L/2 eta + 2L/alpha eta <~ C3 eta (1 + 1/alpha), C3 = 4 L")
def drift() -> Finding:
    alpha = np.geomspace(1e-12, 1.0, 1000)
    ratio = (3.5 + 2 / alpha) / (4 * (1 + 1 / alpha))
    return Finding(
        (at_most("largest ratio on (0, 1]", "arithmetic", float(ratio.max()), 1.0, ROUNDING),),
        f"between {ratio.min():.4g} (alpha to 0) and {ratio.max():.4g} (alpha = 1): it depends on alpha, "
        "so that constants that hang on alpha differ between eqs. (4) and (11)",
    )


@claim("S.eq4", "eqs. (4), (11), (28)", "with K = T/b, eq. (3) is eq. (4) and eq. (10) is eq. (11)")
def eq4() -> Finding:
    at = points("T")
    constants: dict[str, Any] = {"C1": 3.0, "C2": 0.2, "C3": 7.0}
    problem: dict[str, Any] = {"Delta0": 3.0, "L": 0.2}
    by_form = bounds.lmo(**constants, budget="K").form("T").risk(**at)
    exact = bounds.lmo_exact(**problem, rho=2.0, sigma=7.0, budget="K").form("T").risk(**at)
    return Finding(
        (
            same("eq. (4)", "arithmetic", by_form, printed.risk_in_tokens(at, **constants), ROUNDING),
            same("eq. (11)", "arithmetic", exact, printed.bound_in_tokens(at, **problem, noise=14.0), ROUNDING),
        )
    )


@claim("S.eq5", "eq. (5), section 3.1", "where alpha^(3/2) K >> 1 the burn-in term is dominated")
def eq5() -> Finding:
    at = points("T")
    excess = BOUNDS[EQ4].risk(**at) / BOUNDS[EQ5].risk(**at) - 1
    large = at["alpha"] ** 1.5 * at["T"] / at["b"]
    least = 1e-6  # below that, the quotient's own rounding shows
    largest = float((excess * large)[excess > least].max())
    what = "largest (eq. (4)/eq. (5) - 1) alpha^(3/2) K"
    return Finding(
        (at_most(what, "arithmetic", largest, 1.0, ROUNDING / least),),
        "eq. (5) is below eq. (4) by at most the share 1/(alpha^(3/2) K)",
    )
