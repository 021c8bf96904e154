"""Section 3.1, section 4 and Appendix B.6: SGD, for comparison."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np

from hpgrid.claims.ledger import Finding, Reading, claim
from hpgrid.claims.readings import power, same, slope, together
from hpgrid.claims.routes import BOUNDS, EQ4, LEADING, SGD, SOLVER, bisect, exact, exponent, refined, setting
from hpgrid.proxy import Proxy
from hpgrid.theory import sgd as printed

BOTH = setting("eta", "b")
AT_BATCH = setting("eta", b=32.0)


def _risks(b: list[float], T: float) -> np.ndarray:
    return np.array([refined(SGD, setting("eta", b=x), T).risk[0] for x in b])


@claim("S.sgd.eta", "section 4; B.6; App. A", "at a fixed batch size eta* ~ b T^-1/2: linear scaling")
def eta() -> Finding:
    return Finding(
        together(
            slope("eta", printed.IN_TOKENS["T"], AT_BATCH, SGD),
            power("eta", "b", printed.IN_TOKENS["b"], AT_BATCH, SGD),
        )
    )


@claim(
    "S.sgd.iterations",
    "eq. (42), B.6",
    "at fixed K eta* ~ (b/K)^(1/2) and the bound is (Delta0 L sigma^2/(b K))^(1/2): larger b helps",
)
def iterations() -> Finding:
    regime = setting("eta", budget="K", b=32.0)
    K = np.array([1e8, 1e20])
    found = [refined(SGD, setting("eta", budget="K", b=b), K) for b in (1.0, 32.0)]
    ratios = [one.risk / printed.risk_in_iterations(K, b, 1.0, 1.0, 1.0) for one, b in zip(found, (1.0, 32.0))]
    return Finding(
        together(
            slope("eta", printed.IN_ITERATIONS["K"], regime, SGD),
            power("eta", "b", printed.IN_ITERATIONS["b"], regime, SGD),
            same("risk over twice the closed form", "refined", np.array(ratios), 2.0),
        ),
        "'<~' hides a factor of 2",
    )


@claim("S.sgd.independent", "section 3.1; B.6", "after tuning eta, SGD's bound depends on T alone, not on b")
def independent() -> Finding:
    T = 1e16
    risks = _risks([1.0, 1e3, 1e6, 1e8], T)
    beyond = float(_risks([1e10], T)[0] / risks[0])
    return Finding(
        (same("risk at b = 1 to T^(1/2), T = 1e16", "refined", risks, 2 * printed.risk(T, 1.0, 1.0, 1.0)),),
        f"as long as eta* <= 1/L, b <= sigma (T/(Delta0 L))^(1/2); at b = 100 T^(1/2) it is {beyond:.3g} times that",
    )


@claim("S.sgd.nobatch", "section 3.1; section 4; B.6", "SGD has no non-trivial token-optimal batch size")
def nobatch() -> Finding:
    law = exact(SGD, BOTH)
    top = law.flat["b"][1] if "b" in law.flat else None
    return Finding(
        (Reading("b stays undetermined", "exact", "b" in law.flat, True),),
        f"any b from 1 up to T^({top}) is as good; beyond, the cap eta <= 1/L binds",
    )


@claim(
    "S.sgd.minimum",
    "section 4, McCandlish et al.",
    "for SGD a target needs a least step count and a least token budget, but no least batch size",
)
def minimum() -> Finding:
    target = 1e-3

    def steps(b: float, bound: str | Proxy = SGD) -> float:
        regime = setting("eta", budget="K", b=b)
        return bisect(lambda K: refined(bound, regime, K).risk[0] > target, 1e-20, 1e60)

    few, fewer = steps(1e20), steps(1e30)
    tokens = [b * steps(b) for b in (1.0, 10.0)]
    uncapped = replace(BOUNDS[SGD], caps={}, cap_terms={})
    ratio = steps(1e30, uncapped) / steps(1e20, uncapped)
    return Finding(
        (
            Reading("steps at b = 1e30 over steps at 1e20", "refined", fewer / few, 1.0, 4 * SOLVER),
            Reading("tokens at b = 1 over tokens at b = 10", "refined", tokens[0] / tokens[1], 1.0, 4 * SOLVER),
            same("tokens at b = 1 over 4 Delta0 L sigma^2/epsilon^2", "refined", tokens[0], 4 / target**2, 4 * SOLVER),
        ),
        f"the least step count comes from eta <= 1/L alone: without that cap the same ratio is {ratio:.1g}",
    )


@claim("S.B6.last", "B.6, last bullet", "with alpha tuned, b*(T) is pinned only by lower-order terms (Theorem 2)")
def last() -> Finding:
    joint = setting("eta", "b", "alpha")
    leading = exact(LEADING, joint)
    pinned = leading.exponent["b"] is not None
    return Finding(
        (
            Reading("exponent of b*, eq. (4)", "exact", exponent(EQ4, joint, "b"), Fraction(1, 6)),
            Reading("Theorem 2's terms pin b", "exact", pinned, True),
        ),
        "Theorem 3 is meant: Theorem 2 fixes b, and its proof's proxy, eq. (43)'s three terms, leaves b undetermined",
    )
