"""The author's later forms of the bounds, and what steepest-descent-lean reads off them.

A law with a logarithm settles like log log T/log T. The refined optimum is held against the closed form of what is left
of the bound far out, where they agree to the solver's digits; its exponents are extrapolated in 1/log T (``far_out``);
the power of the logarithm, and the ratio to the stated form, are read on the closed form where log T is 1e6 and 1e9.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hpgrid import bounds as proxies
from hpgrid.bounds import cesista2025 as bounds, lemmas
from hpgrid.claims import measures as m
from hpgrid.claims.cesista2025.moments import CONSTANTS, LAM, ROUNDING, at, mean_bound, over_printed, points
from hpgrid.claims.ledger import Measured, claim, claims
from hpgrid.critical import tokens
from hpgrid.critical.tokens import iterations_of_mean
from hpgrid.far_out import LADDER, LOGS, limit
from hpgrid.proxy import FunctionProxy, Proxy
from hpgrid.readings import Reading, of_exponent
from hpgrid.theory import batch_sizes, cesista_laws as laws
from hpgrid.theory.atlas_laws import decayed

POINT = ("eta", "b", "alpha", "Delta0", "L", "sigma", "D", "G0")

#: What the best learning rate under weight decay depends on, beside lam, K and alpha.
DECAYED = {name: CONSTANTS[name] for name in ("Delta0", "L", "G0")}


@claim("L.revised.derived", "revised Theorem 8", "X/K + Y/b^(1/2) + Z is the descent lemma with 2 E||grad f - C||")
def derived() -> Measured:
    """The error's first moment by the triangle inequality, halves of Proposition 6's start and drift, twice."""
    point = points(*POINT) | points("K")
    error = {name: x for name, x in point.items() if name not in ("Delta0", "K")}
    start, drift, _ = lemmas.mean_nesterov_error(1, point["K"], **error)
    alpha = point["alpha"]
    noise = (np.sqrt(alpha / (2 - alpha)) * (1 - alpha) + alpha) * np.sqrt(point["D"] / point["b"]) * point["sigma"]
    descent = point["Delta0"] / (point["eta"] * point["K"]) + point["L"] * point["eta"] / 2
    own = {name: x for name, x in point.items() if name not in ("b", "K")}
    printed = mean_bound(bounds.parts(**own, form="revised"), "revised", point)
    yield m.same("it over the sum", "arithmetic", printed, descent + 2 * (start / 2 + drift / 2 + noise), 4 * ROUNDING)


@claim("H.revised.lower", "Cesista, revised Theorem 8", "it is never above the first form")
def lower() -> Measured:
    """At seeded points of the whole box."""
    point = points(*POINT, "K", n=20_000)
    own = {name: x for name, x in point.items() if name not in ("b", "K")}
    first, second = (mean_bound(bounds.parts(**own, form=form), form, point) for form in ("seed", "revised"))
    ratio = second / first
    yield m.at_most("largest revised/first, 20,000 points", "arithmetic", float(ratio.max()), 1.0, ROUNDING)
    yield "by e + e^2/(2 D) + D/2 >= 2 e"


@claim("L.revised.critical", "revised critical batch size", "tokens to epsilon are fewest at b = 9 Y^2/(4 epsilon'^2)")
def critical() -> Measured:
    parts, eps_prime = bounds.parts(eta=1e-4, alpha=0.05, **CONSTANTS, form="revised"), 0.1
    needed = iterations_of_mean(parts, "revised", eps_prime)
    formula = float(batch_sizes.revised(parts.Y, eps_prime))
    above = float(batch_sizes.smallest(0.0, parts.Y, eps_prime))
    fewest, step = tokens.on_grid(needed, above)
    yield m.same("argmin over it", "grid", fewest.b, formula, step)
    yield m.same("fewest tokens over it", "refined", tokens.fewest(needed, above).b, formula, tokens.FLAT)


@claim("L.revised.eta", "independent weight decay", "eta*(lam) minimises the star-convex bound, all else fixed")
def best_rate() -> Measured:
    """Against the refined optimum, for weight decays above the least one."""
    K, alpha = 1e4, 0.05
    least = float(bounds.least_weight_decay(K=K, alpha=alpha, **DECAYED))
    lams, regime = [least * x for x in (1.01, 2.0, 30.0)], at("eta", budget="K", alpha=alpha, b=64.0)
    measured = [m.best("eta", proxies.star_convex(**CONSTANTS, lam=lam), regime, K)[0] for lam in lams]
    formula = bounds.best_learning_rate(np.array(lams), K=K, alpha=alpha, **DECAYED)
    # Its log risk is flat there: what rounding leaves of eta is the root of eps over the curvature.
    yield m.same("eta* at three lam", "refined", measured, formula, m.SOLVER)


@claim("L.revised.condition", "independent weight decay", "for any given lam the best learning rate is eta*(lam)")
def condition() -> Measured:
    """The printed formula just above and below the least weight decay, typed as it stands."""
    K, alpha = 1e4, 0.05
    least, beta = float(bounds.least_weight_decay(K=K, alpha=alpha, **DECAYED)), 1 - alpha
    for lam in (1.01 * least, 0.99 * least):
        rate = 4 * DECAYED["L"] * (1 + beta**2 / alpha) + 2 * beta / alpha * DECAYED["G0"] * lam
        eta = (1 - (rate / (DECAYED["Delta0"] * K * lam**2)) ** (1 / (K - 1))) / lam
        yield Reading(f"eta* > 0 at {lam / least:g} of the least lam", "arithmetic", bool(eta > 0), True)
    below = proxies.star_convex(**CONSTANTS, lam=0.9 * least)
    unbounded = m.refined(below, at("eta", budget="K", alpha=alpha, b=64.0), K).unbounded["eta"]
    yield Reading("eta -> 0 is best at 0.9 of it", "refined", bool(unbounded[0]), True)
    yield (
        "only for Delta0 K lam^2 > 4 L (1 + beta^2/(1-beta)) + (2 beta/(1-beta)) G0 lam, and K > 1: below, the formula "
        f"is negative, and eta -> 0 says no more than f(W_0) - f* <= Delta0. Here, at K = 1e4, lam > {least:.3g}"
    )


@claim("L.revised.domain", "revised, weight decay", "the bounds hold for lam eta <= 1 and ||W_0|| <= 1/lam")
def domain() -> Measured:
    """A step with lam eta > 2 drives the weights out of any ball: the bound must not be finite there."""
    proxy = proxies.star_convex(lam=LAM, W0=1.0)
    values = proxy.risk(eta=np.array([0.5, 1.0, 2.0]) / LAM, b=8.0, alpha=0.1, T=1e6)
    outside = proxies.star_convex(lam=LAM, W0=2 / LAM).risk(eta=0.1, b=8.0, alpha=0.1, T=1e6)
    yield Reading("finite at lam eta = 1/2 and 1", "arithmetic", bool(np.isfinite(values[:2]).all()), True)
    yield Reading("finite at lam eta = 2", "arithmetic", bool(np.isfinite(values[2])), False)
    yield Reading("finite at ||W_0|| = 2/lam", "arithmetic", bool(np.isfinite(outside)), False)


def _telescoped(form: str) -> tuple[m.Array, m.Array]:
    """A bound as hpgrid has it, and the descent inequality summed over the steps, at seeded points with lam eta <= 1.

    f(W_(t+1)) <= f(W_t) - lam eta gap(W_t) + 2 eta E||grad f - C_t|| + L/2 (2 eta)^2, a step being 2 eta at most, and
    E||grad f - C_t|| <= beta^(t+1) G0 + 2 beta^2/(1-beta) L eta + noise; of a star-convex f the gap is f - f* at least.
    """
    point = points(*POINT, "lam", n=200)
    eta, alpha, lam, L, G0 = (point[name] for name in ("eta", "alpha", "lam", "L", "G0"))
    eta = np.minimum(eta, 1 / lam)
    beta, K = 1 - alpha, np.floor(points("K", n=200)["K"]) + 1
    noise = (np.sqrt(alpha / (2 - alpha)) * beta + alpha) * np.sqrt(point["D"] / point["b"]) * point["sigma"]
    error = 2 * beta**2 / alpha * L * eta + noise
    own = {name: x for name, x in point.items() if name != "b"} | {"eta": eta}
    X, Y, Z, _ = (bounds.gap_parts if form == "gap" else bounds.loss_parts)(**own)
    if form == "gap":
        # beta^(t+1) over all t adds up to beta/(1-beta) at most.
        sums = point["Delta0"] / (eta * K) + 2 * (beta / alpha * G0 / K + error) + 2 * L * eta
        return X / K + Y / np.sqrt(point["b"]) + Z, sums / lam
    # (1 - lam eta)^(K-1-t) over all t adds up to 1/(lam eta) at most, and to no more than beta^(t+1) beside it.
    sums = lemmas.kept(lam * eta, K) * point["Delta0"] + 2 * eta * beta / alpha * G0 + (2 * error + 2 * L * eta) / lam
    return lemmas.kept(lam * eta, K) * X + Y / np.sqrt(point["b"]) + Z, sums


@claim("L.fw.derived", "Frank-Wolfe gap", "the bound is the descent inequality, telescoped")
def gap_derived() -> Measured:
    yield m.same("it over the sum, 200 points", "arithmetic", *_telescoped("gap"), 4 * ROUNDING)


@claim("L.star.derived", "star-convex", "the bound is at least the descent inequality, telescoped")
def loss_derived() -> Measured:
    printed, sums = _telescoped("loss")
    yield m.at_most("largest sum over it, 200 points", "arithmetic", float((sums / printed).max()), 1.0, 4 * ROUNDING)
    yield (
        f"2 L/lam eta would do for the step's own part, in place of 4 L/lam eta, as in the gap: it is up to "
        f"{float((printed / sums).max()):.2f} times the sum"
    )


PROXY = proxies.star_convex(**CONSTANTS, lam=LAM)
ALPHA, BATCH = 0.05, 32.0
AT_ALPHA = laws.star_convex_at_momentum(ALPHA, lam=LAM, **CONSTANTS)
TUNED_ALPHA = laws.star_convex_for_small_alpha(lam=LAM, **CONSTANTS)

#: Two budgets that people could pay, and those along which exponents are extrapolated.
PAYABLE = np.array([1e12, 1e22])
BUDGETS = np.concatenate([PAYABLE, LADDER])

#: Where those of 1e63 and more begin: there the closed form's own corrections are below rounding.
FAR = int(np.searchsorted(BUDGETS, 1e63))

#: Logs of budgets that no float reaches.
BEYOND = np.array([1e3, 1e6])


@claims(
    ("L.star.b", "star-convex, Theorem 1 (2)", "b* ~ (T/log T)^(2/3)", "b", "b"),
    ("L.star.eta", "star-convex, Theorem 1 (2)", "eta* ~ (log T/T)^(1/3)", "eta", "b"),
    ("L.star.alpha", "star-convex, Theorem 2", "1 - beta* ~ b (log T/T)^(2/3), in T", "alpha", "alpha"),
    ("L.star.eta.tokens", "star-convex, Theorem 2", "eta* ~ b log T/T, in T", "eta", "alpha"),
)
def star_convex(name: str, beside: str) -> Measured:
    return logarithmic(PROXY, name, beside, AT_ALPHA, TUNED_ALPHA)


def logarithmic(
    proxy: FunctionProxy, name: str, beside: str, at_alpha: laws.StarConvex, tuned_alpha: laws.StarConvex
) -> Measured:
    """A law with a logarithm of what is tuned: eta and one variable beside it, the third held.

    Args:
        proxy: a bound that decays as (1 - lam eta)^K, in tokens.
        name: what the law is of.
        beside: "b" or "alpha".
        at_alpha: the bound's constants at ``ALPHA``.
        tuned_alpha: as alpha falls.
    """
    held: dict[str, Any]
    if beside == "b":
        of, held, stated = at_alpha, {"alpha": ALPHA}, laws.STAR_CONVEX_FIXED_MOMENTUM[name]
    else:
        of, held, stated = tuned_alpha, {"b": BATCH}, laws.STAR_CONVEX_FIXED_BATCH[name]

    def form(u: m.Array) -> m.Array:
        """The log of the closed form, from log T."""
        if name == "alpha":
            return laws.log_alpha(u, BATCH, of)
        log_b = laws.log_b(u, of) if beside == "b" else np.log(BATCH)
        return log_b if name == "b" else laws.log_eta(u, log_b, of)

    # What b*/(T/log T)^(2/3) and (s/lam)/log T tend to, as s does to (1/3) log T; and the closed form over the stated.
    batch, rate = float((3 * of.noise * of.lam / (2 * of.slope)) ** (2 / 3)), 1 / (3 * of.lam)
    settles = {"b": batch, "alpha": BATCH / batch, "eta": (batch if beside == "b" else BATCH) * rate}[name]
    optimum = m.refined(proxy, at("eta", beside, **held), BUDGETS)
    value, exponent = m.value(optimum, name), np.where(optimum.converged, optimum.exponent[name], np.nan)
    p, error = limit(exponent[2:], m.SOLVER, 2)
    # From u to e u in log T, T^p (log T)^q gains p (e - 1) u + q.
    gains = form(np.e * BEYOND) - form(BEYOND) - float(stated[0]) * (np.e - 1) * BEYOND
    ratios = form(BEYOND) - laws.stated(BEYOND, stated)
    plain = np.log(value[1] / value[0]) / np.log(PAYABLE[1] / PAYABLE[0])
    yield m.same("over the closed form, T = 1e63 to 1e280", "refined", value[FAR:], np.exp(form(np.log(BUDGETS[FAR:]))))
    yield of_exponent("power of T, extrapolated in 1/log T", "refined", p, stated[0], error)
    yield m.tends("power of log T, log T = 1e6", gains, stated[1], 0.0, "arithmetic")
    change = abs(ratios[1] - ratios[0])
    yield Reading("log of it over the stated form", "arithmetic", ratios[1], np.log(settles), change)
    yield f"a plain power from T = 1e12 to 1e22 is {plain:.3f}: there the logarithm passes for a part of the power"


@claim("L.star.powers", "star-convex, Theorem 2", "1 - beta* ~ b and eta* ~ b, at a fixed T")
def in_batch() -> Measured:
    return powers_of_b(PROXY)


def powers_of_b(proxy: FunctionProxy) -> Measured:
    """The stated powers of a held batch size on a bound that decays as (1 - lam eta)^K."""
    for name, power in laws.STAR_CONVEX_IN_BATCH.items():
        yield m.moves(f"{name} ~ b^p, T = 1e60", power, proxy, at("eta", "alpha"), name, "b")


@claim("L.star.iterations", "star-convex, Theorem 1 (1)", "eta* ~ log K/K")
def in_iterations() -> Measured:
    """The refined optimum, and what eta*(lam) comes to far out, where no float K reaches."""
    optimum = m.refined(PROXY, at("eta", budget="K", alpha=ALPHA, b=BATCH), LADDER)
    closed = decayed(LOGS, AT_ALPHA) / (LAM * LADDER)
    what = "over log(Delta0 lam K/slope)/(lam K), K = 1e18 to 1e280"
    yield m.same(what, "refined", m.value(optimum, "eta"), closed)
    p, error = limit(np.where(optimum.converged, optimum.exponent["eta"], np.nan), m.SOLVER, 2)
    power, _ = laws.STAR_CONVEX_FIXED_ITERATIONS["eta"]
    yield of_exponent("power of K, extrapolated in 1/log K", "refined", p, power, error)
    ratios = decayed(BEYOND, AT_ALPHA) / LAM / BEYOND
    yield Reading("over log K/K, log K = 1e6", "arithmetic", ratios[1], 1 / LAM, abs(ratios[1] - ratios[0]))
    yield "with the constant 1/lam"


@claim("L.star.free", "star-convex, Theorem 1 (1)", "at a fixed K eta* is free of b")
def free_of_batch() -> Measured:
    budgets = np.array([1e4, 1e8, 1e12])
    one, other = (m.best("eta", PROXY, at("eta", budget="K", alpha=ALPHA, b=b), budgets) for b in (BATCH, 1e6))
    yield m.same("eta* at b = 1e6 over that at 32", "refined", other, one)
    formula = bounds.best_learning_rate(LAM, K=budgets, alpha=ALPHA, **DECAYED)
    yield m.same("eta* over eta*(lam), which has no b", "refined", one, formula)


@claim("H.star.corner", "Cesista, revised, star-convex", "at small T the infimum is the corner eta -> 0, b large")
def corner() -> Measured:
    budgets = np.geomspace(10.0, 1e6, 11)
    optimum = m.refined(PROXY, at("eta", "b", alpha=ALPHA), budgets)
    at_corner = optimum.unbounded["eta"]
    last = float(budgets[at_corner].max(initial=0.0))
    ratio = float(optimum.risk[0] / CONSTANTS["Delta0"])
    yield Reading("eta -> 0 at T = 10", "refined", bool(at_corner[0]), True)
    yield Reading("b = T there", "refined", bool((optimum.active["b"][at_corner] == 1).all()), True)
    yield m.at_least("risk over Delta0 at T = 10", "refined", ratio, 1.0)
    yield f"up to T = {last:.3g} of eleven budgets to 1e6: there the bound is above Delta0, which holds untrained"


GAP = proxies.frank_wolfe(**CONSTANTS, lam=LAM)

#: The gap's leading terms as alpha falls, up to constants: progress, burn-in, noise, drift.
LEADING = m.printed("b/(eta*T) + b/(alpha*T) + sqrt(alpha/b) + eta/alpha")


def _gap_at_momentum() -> Proxy:
    """The gap's bound at a momentum as a sum of powers of eta and b, as printed."""
    beta, of = 1 - ALPHA, CONSTANTS
    through = np.sqrt(ALPHA / (1 + beta)) * beta + ALPHA
    return m.printed(
        "progress*b/(eta*T) + start*b/T + noise/sqrt(b) + drift*eta",
        progress=of["Delta0"] / LAM,
        start=2 * of["G0"] * beta / (ALPHA * LAM),
        noise=2 * through / LAM * np.sqrt(of["D"]) * of["sigma"],
        drift=2 * of["L"] / LAM * (1 + 2 * beta**2 / ALPHA),
    )


@claims(
    ("L.fw.b", "Frank-Wolfe gap, Theorem 1 (2)", "b* ~ T^(1/2)", "b"),
    ("L.fw.eta", "Frank-Wolfe gap, Theorem 1 (2)", "eta* ~ T^(-1/4)", "eta"),
)
def gap_at_momentum(name: str) -> Measured:
    proxy = _gap_at_momentum()
    yield from m.slope(name, laws.FRANK_WOLFE_FIXED_MOMENTUM[name], m.setting("eta", "b"), proxy, called="as printed")
    yield over_printed("the gap", proxy, GAP, ALPHA)


@claims(
    ("L.fw.alpha", "Frank-Wolfe gap, Theorem 2", "1 - beta* ~ (b/T)^(1/2), in T", "alpha"),
    ("L.fw.eta.tokens", "Frank-Wolfe gap, Theorem 2", "eta* ~ b^(3/4) T^(-3/4), in T", "eta"),
)
def gap_at_batch(name: str) -> Measured:
    stated = laws.FRANK_WOLFE_FIXED_BATCH[name]
    yield m.tends(f"{name} ~ T^p", m.local(GAP, at("eta", "alpha", b=BATCH), name), stated)
    law = m.exponent(LEADING, m.setting("eta", "alpha", b=BATCH), name)
    yield Reading(f"{name} ~ T^p, leading terms", "exact", law, stated)


@claims(
    ("L.fw.alpha.b", "Frank-Wolfe gap, Theorem 2", "1 - beta* ~ (b/T)^(1/2), in b", "alpha",
     "1 - beta* ~ b T^(-1/2), that is (b/K)^(1/2): b/T for b/K; Shulgin et al.'s eq. (8) has b"),
    ("L.fw.eta.b", "Frank-Wolfe gap, Theorem 2", "eta* ~ b^(3/4) T^(-3/4), in b", "eta",
     "eta* ~ b T^(-3/4), that is b^(1/4) K^(-3/4): as in Shulgin et al.'s eq. (8)"),
)  # fmt: skip
def gap_in_batch(name: str, note: str) -> Measured:
    tuned, predicted = ("eta", "alpha"), laws.FRANK_WOLFE_IN_BATCH[name]
    yield m.moves(f"{name} ~ b^p, T = 1e60", predicted, GAP, at(*tuned), name, "b")
    yield m.power_law(f"{name} ~ b^p, leading terms", predicted, LEADING, m.setting(*tuned, b=BATCH), name, "b")
    yield note
