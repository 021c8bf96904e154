"""The revised forms: Y/b^(1/2) in place of Y/b, and the best learning rate against weight decay."""

from __future__ import annotations

import numpy as np

from hpgrid import bounds as proxies
from hpgrid.bounds import cesista2025 as bounds
from hpgrid.claims.cesista2025.routes import CONSTANTS, LAM, ROUNDING, at, points
from hpgrid.claims.ledger import Finding, Reading, claim
from hpgrid.claims.readings import at_most, same
from hpgrid.claims.routes import SOLVER, refined
from hpgrid.critical import solve
from hpgrid.critical.need import one_over
from hpgrid.theory import critical_batch as theory

GIVEN = ("eta", "b", "alpha", "Delta0", "L", "sigma", "D", "G0")


@claim("C.revised.derived", "revised Theorem 8", "X/K + Y/b^(1/2) + Z is the descent lemma with 2 E||grad f - C||")
def derived() -> Finding:
    """The error's first moment by the triangle inequality, halves of Proposition 6's start and drift, twice."""
    given = points(*GIVEN)
    K = points("K")["K"]
    own = {name: x for name, x in given.items() if name not in ("b", "Delta0")}
    start, drift, _ = bounds.mean_nesterov_error(1, K, b=given["b"], **own)
    alpha = given["alpha"]
    noise = (np.sqrt(alpha / (2 - alpha)) * (1 - alpha) + alpha) * np.sqrt(given["D"] / given["b"]) * given["sigma"]
    descent = given["Delta0"] / (given["eta"] * K) + given["L"] * given["eta"] / 2
    X, Y, Z, _ = bounds.parts(**{k: x for k, x in given.items() if k != "b"}, form="revised")
    printed = X / K + Y / np.sqrt(given["b"]) + Z
    return Finding(
        (same("it over the sum", "arithmetic", printed, descent + 2 * (start / 2 + drift / 2 + noise), 4 * ROUNDING),)
    )


@claim("C.revised.lower", "revised Theorem 8", "it is never above the first form")
def lower() -> Finding:
    """At seeded points of the whole box."""
    given = points(*GIVEN, "K", n=20_000)
    own = {name: x for name, x in given.items() if name not in ("b", "K")}
    b, K = given["b"], given["K"]
    first, second = bounds.parts(**own), bounds.parts(**own, form="revised")
    ratio = (second.X / K + second.Y / np.sqrt(b) + second.Z) / (
        first.X / K + first.Y / b + first.Z + first.Z_noise / np.sqrt(b)
    )
    return Finding(
        (at_most("largest revised/first, 20,000 points", "arithmetic", float(ratio.max()), 1.0, ROUNDING),),
        "by e + e^2/(2 D) + D/2 >= 2 e",
    )


@claim("C.revised.critical", "revised critical batch size", "tokens to epsilon are fewest at b = 9 Y^2/(4 epsilon'^2)")
def critical() -> Finding:
    parts, room = bounds.parts(eta=1e-4, alpha=0.05, **CONSTANTS, form="revised"), 0.1
    needed, formula = one_over(parts, "revised", room), float(theory.revised(parts.Y, room))
    above = float(theory.smallest(0.0, parts.Y, room))
    found, step = solve.on_grid(needed, above)
    return Finding(
        (
            same("argmin over it", "grid", found.b, formula, step),
            same("fewest tokens over it", "refined", solve.fewest(needed, above).b, formula, solve.FLAT),
        )
    )


@claim("C.revised.eta", "revised, eta*(lam)", "eta*(lam) minimises the star-convex bound, all else fixed")
def best_rate() -> Finding:
    """Against the refined optimum, for weight decays above the least one."""
    K, fixed = 1e4, {"alpha": 0.05, "b": 64.0}
    own = {k: CONSTANTS[k] for k in ("Delta0", "L", "G0")}
    least = float(bounds.least_weight_decay(K=K, alpha=0.05, **own))
    lams = [least * x for x in (1.01, 2.0, 30.0)]
    regime = at("eta", fixed=fixed, budget="K")
    found = [refined(proxies.star_convex(**CONSTANTS, lam=lam), regime, K) for lam in lams]
    measured = [np.where(f.converged, f.at["eta"], np.nan)[0] for f in found]
    formula = bounds.best_learning_rate(np.array(lams), K=K, alpha=0.05, **own)
    # Its log risk is flat there: what rounding leaves of eta is the root of eps over the curvature.
    return Finding((same("eta* at three lam", "refined", measured, formula, SOLVER),))


@claim("C.revised.condition", "revised, eta*(lam)", "eta*(lam) is a learning rate at every weight decay")
def condition() -> Finding:
    """The printed formula just above and below the least weight decay, typed as it stands."""
    K, alpha = 1e4, 0.05
    own = {k: CONSTANTS[k] for k in ("Delta0", "L", "G0")}
    least = float(bounds.least_weight_decay(K=K, alpha=alpha, **own))
    beta, readings = 1 - alpha, []
    for lam in (1.01 * least, 0.99 * least):
        rate = 4 * own["L"] * (1 + beta**2 / alpha) + 2 * beta / alpha * own["G0"] * lam
        eta = (1 - (rate / (own["Delta0"] * K * lam**2)) ** (1 / (K - 1))) / lam
        what = f"eta* > 0 at {lam / least:g} of the least lam"
        readings.append(Reading(what, "arithmetic", bool(eta > 0), True))
    regime = at("eta", fixed={"alpha": alpha, "b": 64.0}, budget="K")
    runs_off = refined(proxies.star_convex(**CONSTANTS, lam=0.9 * least), regime, K)
    readings.append(Reading("eta -> 0 is best at 0.9 of it", "refined", bool(runs_off.unbounded["eta"][0]), True))
    return Finding(
        tuple(readings),
        "only for Delta0 K lam^2 > 4 L (1 + beta^2/(1-beta)) + (2 beta/(1-beta)) G0 lam, and K > 1: below, the formula "
        f"is negative, and eta -> 0 says no more than f(W_0) - f* <= Delta0. Here, at K = 1e4, lam > {least:.3g}",
    )


@claim("C.revised.domain", "revised, weight decay", "the bounds hold for lam eta <= 1 and ||W_0|| <= 1/lam")
def domain() -> Finding:
    """A step with lam eta > 2 drives the weights out of any ball: the bound must not be finite there."""
    proxy = proxies.star_convex(lam=LAM, W0=1.0)
    values = proxy.risk(eta=np.array([0.5, 1.0, 2.0]) / LAM, b=8.0, alpha=0.1, T=1e6)
    outside = proxies.star_convex(lam=LAM, W0=2 / LAM).risk(eta=0.1, b=8.0, alpha=0.1, T=1e6)
    return Finding(
        (
            Reading("finite at lam eta = 1/2 and 1", "arithmetic", bool(np.isfinite(values[:2]).all()), True),
            Reading("finite at lam eta = 2", "arithmetic", bool(np.isfinite(values[2])), False),
            Reading("finite at ||W_0|| = 2/lam", "arithmetic", bool(np.isfinite(outside)), False),
        )
    )
