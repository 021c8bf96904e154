"""What the literature reads off the star-convex bound under weight decay: laws with logarithms.

A law with a logarithm settles like log log T/log T. The refined optimum is held against the closed form of
what is left of the bound far out, where they agree to the solver's digits; its exponents are extrapolated in
1/log T; and the power of the logarithm, and the ratio to the stated form, are read on the closed form where
log T is 1e6 and 1e9.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import cache

import numpy as np

from hpgrid import bounds as proxies
from hpgrid.claims.cesista2025.routes import CONSTANTS, LAM, at
from hpgrid.claims.ledger import Finding, Reading, claim
from hpgrid.claims.readings import at_least, same
from hpgrid.claims.routes import SOLVER, Array, elasticity, refined
from hpgrid.refinement.optimum import Optimum
from hpgrid.theory import star_convex as theory

PROXY = proxies.star_convex(**CONSTANTS, lam=LAM)
ALPHA, BATCH = 0.05, 32.0
AT_ALPHA = theory.at_momentum(ALPHA, lam=LAM, **CONSTANTS)
TUNED_ALPHA = theory.for_small_alpha(lam=LAM, **CONSTANTS)

#: A stated law: the power of T, and that of log T.
Law = tuple[Fraction, Fraction]

#: Two budgets that people could pay, and two pairs between which exponents are extrapolated: beyond 1e150
#: derivatives leave float64.
LADDER = np.array([1e12, 1e22, 1e40, 1e60, 1e80, 1e150])
ITERATIONS = np.array([1e20, 1e30, 1e40, 1e80])

#: Logs of budgets that no float reaches.
BEYOND = np.array([1e3, 1e6])


@cache
def _found(tuned: tuple[str, ...]) -> Optimum:
    fixed = {"alpha": ALPHA} if "b" in tuned else {"b": BATCH}
    return refined(PROXY, at(*tuned, fixed=fixed), LADDER)


def _extrapolated(exponent: Array, budgets: Array) -> tuple[float, float]:
    """An exponent p + q/log T, freed of q within each of two pairs of budgets: the last, and how far apart they are."""
    u = np.log(budgets).reshape(2, 2)
    first, last = np.diff(exponent.reshape(2, 2) * u)[:, 0] / np.diff(u)[:, 0]
    return float(last), abs(float(last - first)) + SOLVER


def _law(name: str, tuned: tuple[str, ...], form: Callable[[Array], Array], law: Law, limit: float) -> Finding:
    """Readings of one law with a logarithm.

    Args:
        name: the variable.
        tuned: what is tuned.
        form: the log of its closed form, from log T.
        law: the stated powers of T and log T.
        limit: the ratio of the closed form to the stated one, in the end; it is read at log T = 1e6.
    """
    found = _found(tuned)
    value, exponent = (np.where(found.converged, x, np.nan) for x in (found.at[name], found.exponent[name]))
    p, error = _extrapolated(exponent[2:], LADDER[2:])
    # From u to e u in log T, T^p (log T)^q gains p (e - 1) u + q.
    gains = form(np.e * BEYOND) - form(BEYOND) - float(law[0]) * (np.e - 1) * BEYOND
    ratios = form(BEYOND) - theory.stated(BEYOND, law)
    plain = np.log(value[1] / value[0]) / np.log(LADDER[1] / LADDER[0])
    return Finding(
        (
            same("over the closed form, T = 1e60 to 1e150", "refined", value[3:], np.exp(form(np.log(LADDER[3:])))),
            Reading("power of T, extrapolated in 1/log T", "refined", p, law[0], error),
            Reading("power of log T, log T = 1e6", "arithmetic", float(gains[1]), law[1], abs(gains[1] - gains[0])),
            Reading(
                "log of it over the stated form", "arithmetic", ratios[1], np.log(limit), abs(ratios[1] - ratios[0])
            ),
        ),
        f"a plain power from T = 1e12 to 1e22 is {plain:.3f}: there the logarithm passes for a part of the power",
    )


def _limits(of: theory.Constants) -> tuple[float, float]:
    """What b*/(T/log T)^(2/3) and (s/lam)/log T tend to, as s does to (1/3) log T."""
    return float((3 * of.noise * of.lam / (2 * of.slope)) ** (2 / 3)), 1 / (3 * of.lam)


@claim("C.star.b", "literature, star-convex, fixed beta", "b* ~ (T/log T)^(2/3)")
def batch_size() -> Finding:
    limit, _ = _limits(AT_ALPHA)
    law = theory.FIXED_MOMENTUM["b"]
    return _law("b", ("eta", "b"), lambda u: theory.log_batch_size(u, AT_ALPHA), law, limit)


@claim("C.star.eta", "literature, star-convex, fixed beta", "eta* ~ (log T/T)^(1/3)")
def learning_rate() -> Finding:
    batch, rate = _limits(AT_ALPHA)

    def form(u: Array) -> Array:
        return theory.log_learning_rate(u, theory.log_batch_size(u, AT_ALPHA), AT_ALPHA)

    return _law("eta", ("eta", "b"), form, theory.FIXED_MOMENTUM["eta"], batch * rate)


@claim("C.star.alpha", "literature, star-convex, fixed b", "1 - beta* ~ b (log T/T)^(2/3), in T")
def momentum() -> Finding:
    limit, _ = _limits(TUNED_ALPHA)
    law = theory.FIXED_BATCH["alpha"]
    return _law("alpha", ("eta", "alpha"), lambda u: theory.log_alpha(u, BATCH, TUNED_ALPHA), law, BATCH / limit)


@claim("C.star.eta.tokens", "literature, star-convex, fixed b", "eta* ~ b log T/T, in T")
def rate_at_batch() -> Finding:
    _, limit = _limits(TUNED_ALPHA)

    def form(u: Array) -> Array:
        return theory.log_learning_rate(u, np.log(BATCH), TUNED_ALPHA)

    return _law("eta", ("eta", "alpha"), form, theory.FIXED_BATCH["eta"], BATCH * limit)


@claim("C.star.powers", "literature, star-convex, fixed b", "1 - beta* ~ b and eta* ~ b, at a fixed T")
def powers_of_b() -> Finding:
    readings = []
    for name, power in theory.IN_BATCH.items():
        found, error = elasticity(PROXY, at("eta", "alpha"), name, "b")
        readings.append(Reading(f"{name} ~ b^p, T = 1e60", "refined", found, power, error))
    return Finding(tuple(readings))


@claim("C.star.iterations", "literature, star-convex, fixed beta and K", "eta* ~ log K/K")
def in_iterations() -> Finding:
    """The refined optimum, and what eta*(lam) comes to far out, where no float K reaches."""
    found = refined(PROXY, at("eta", fixed={"alpha": ALPHA, "b": BATCH}, budget="K"), ITERATIONS)
    value, exponent = (np.where(found.converged, x, np.nan) for x in (found.at["eta"], found.exponent["eta"]))
    p, error = _extrapolated(exponent, ITERATIONS)
    law = theory.FIXED_ITERATIONS["eta"]

    def decayed(u: Array) -> Array:
        """lam eta K far out: log(Delta0 lam K/slope)."""
        return u + np.log(AT_ALPHA.Delta0 * LAM / AT_ALPHA.slope)

    closed = decayed(np.log(ITERATIONS)) / (LAM * ITERATIONS)
    ratios = decayed(BEYOND) / LAM / BEYOND
    return Finding(
        (
            same("over log(Delta0 lam K/slope)/(lam K)", "refined", value[1:], closed[1:]),
            Reading("power of K, extrapolated in 1/log K", "refined", p, law[0], error),
            Reading("over log K/K, log K = 1e6", "arithmetic", ratios[1], 1 / LAM, abs(ratios[1] - ratios[0])),
        ),
        "with the constant 1/lam",
    )


@claim("C.star.corner", "literature, star-convex, small T", "at small T the infimum is the corner eta -> 0, b large")
def corner() -> Finding:
    budgets = np.geomspace(10.0, 1e6, 11)
    found = refined(PROXY, at("eta", "b", fixed={"alpha": ALPHA}), budgets)
    at_corner = found.unbounded["eta"]
    last = float(budgets[at_corner].max(initial=0.0))
    ratio = float(found.risk[0] / CONSTANTS["Delta0"])
    return Finding(
        (
            Reading("eta -> 0 at T = 10", "refined", bool(at_corner[0]), True),
            Reading("b = T there", "refined", bool((found.active["b"][at_corner] == 1).all()), True),
            at_least("risk over Delta0 at T = 10", "refined", ratio, 1.0),
        ),
        f"up to T = {last:.3g} of eleven budgets to 1e6: there the bound is above Delta0, which holds untrained",
    )
