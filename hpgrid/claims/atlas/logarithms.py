"""Bounds of the atlas whose laws have a logarithm.

Such a law settles like log log K/log K, or slower. The refined optimum is held against the closed form of what is left
of the bound far out; the powers of the budget and of its logarithm are read on that, where no float reaches.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from hpgrid import bounds as proxies, refine
from hpgrid.bounds import cesista2025
from hpgrid.claims import measures as m
from hpgrid.claims.atlas.stated import bound, constants_of
from hpgrid.claims.cesista2025.later import ALPHA, BATCH, BEYOND, logarithmic, powers_of_b
from hpgrid.claims.cesista2025.moments import CONSTANTS, LAM, ROUNDING
from hpgrid.claims.ledger import Measured, claim, claims
from hpgrid.far_out import LADDER, LOGS
from hpgrid.readings import Reading, of_exponent
from hpgrid.refinement import Optimum
from hpgrid.theory import atlas_laws as laws
from hpgrid.theory.cesista_laws import (
    StarConvex,
    log_alpha,
    log_eta,
    star_convex_at_momentum,
    star_convex_for_small_alpha,
)


def powers(form: Callable[[m.Array], m.Array], power: float, log: float, budget: str = "K") -> list[Reading]:
    """Return both powers of a law budget^p (log budget)^q: how its log, by that of the budget, gains from u to e u."""
    gains = (form(np.e * BEYOND) - form(BEYOND)) / ((np.e - 1) * BEYOND)
    logs = (gains - power) * (np.e - 1) * BEYOND
    what = f"power of {budget}, log {budget} = 1e6"
    return [
        m.tends(what, gains, power, ROUNDING, "arithmetic"),
        m.tends(f"power of log {what[9:]}", logs, log, 0.0, "arithmetic"),
    ]


# --- SGD on strongly convex functions ---
_CONVEX = "Garrigos and Gower"


@cache
def _convex() -> tuple[Optimum, StarConvex]:
    """The refined optimum in K at b = 32, and what the bound comes down to there."""
    return refine(bound("sgd_strongly_convex"), "eta", fixed={"b": BATCH}, K=LADDER), _convex_at(BATCH)


def _convex_at(b: float) -> StarConvex:
    of = constants_of("sgd_strongly_convex")
    return StarConvex(of["R2"], 0.0, 2 * of["sigma"] ** 2 / (of["mu"] * b), of["mu"])


@claims(
    ("A.sgd_strongly_convex.eta", _CONVEX, "eta* ~ log K/K", "eta"),
    ("A.sgd_strongly_convex.risk", _CONVEX, "risk* ~ log K/K", "risk"),
)
def convex(name: str) -> Measured:
    optimum, of = _convex()
    closed = laws.decay_rate(LADDER, of) if name == "eta" else laws.decay_risk(LADDER, of)
    form = lambda u: np.log(laws.decayed(u, of) + (name == "risk")) - u  # noqa: E731
    yield m.same(f"{name}* over its closed form, K = 1e18 to 1e280", "refined", m.value(optimum, name), closed)
    yield from powers(form, -1.0, 1.0)


@claim("H.sgd_strongly_convex.b", _CONVEX, "under a token budget risk* is free of b, wherever b is held")
def convex_tokens() -> Measured:
    """The closed form of the risk at T/b iterations, slope ~ 1/b; and the refined optimum in K, moved to tokens."""
    T = 1e40
    risks = [float(laws.decay_risk(T / b, _convex_at(b))) for b in (1.0, 1e6)]
    moved = refine(bound("sgd_strongly_convex"), "eta", fixed={"b": 1e6}, K=T / 1e6)
    yield m.same("risk* at b = 1e6 over that at b = 1, T = 1e40", "arithmetic", risks[1], risks[0])
    yield m.same("risk* at b = 1e6 over that at b = 1, T = 1e40", "refined", m.value(moved, "risk"), risks[0])


@claim("H.sgd_strongly_convex.tuned", _CONVEX, "b tuned, eta* is the largest that there may be and b* ~ T/log T")
def convex_tuned() -> Measured:
    """At x = mu eta the risk goes as x/-log(1 - x), which falls: b grows until eta is at its cap.

    Beyond 1e37 the descent from a coarse grid misses the cap: the valley between is flat.
    """
    of, T = constants_of("sgd_strongly_convex"), LADDER[LADDER <= 1e37]
    optimum, cap = refine(bound("sgd_strongly_convex").form("T"), ("eta", "b"), T=T), 1 / (2 * of["L"])
    x, own = of["mu"] * cap, _convex_at(1.0)
    closed, rate = laws.capped_risk(T, x, own), -np.log1p(-x)
    form = lambda u: u + np.log(rate) - np.log(np.log(own.Delta0 * rate * own.lam / (own.slope * x)) + u)  # noqa: E731
    yield m.same("eta* over 1/(2 L), T = 1e18 to 1e37", "refined", m.value(optimum, "eta"), np.full(T.size, cap))
    yield m.same("b* over its closed form", "refined", m.value(optimum, "b"), np.exp(form(np.log(T))))
    yield m.same("risk* over its closed form", "refined", m.value(optimum, "risk"), closed)
    yield from powers(form, 1.0, -1.0, "T")
    yield f"risk* tends to x/-log(1 - x) = {x / rate:.3f} of what a held b gives: a constant factor"


# --- Adam ---
_ADAM = "Defossez et al."

#: Constants of which each is another, and log R^2/epsilon is small beside the logs of the ladder.
ADAM = {"D0": 2.0, "L": 0.5, "R": 3.0, "d": 7.0, "epsilon": 0.1}


@cache
def _adam() -> Optimum:
    return refine(bound("adam", **ADAM), ("eta", "alpha2"), K=LADDER)


def _adam_form(name: str) -> Callable[[m.Array], m.Array]:
    """The log of the closed form from log K."""
    scale = {"alpha2": -1.0, "eta": -0.5, "risk": -0.5}[name]

    def form(u: m.Array) -> m.Array:
        return np.log(getattr(laws.adam(u, **ADAM), {"alpha2": "u", "eta": "e"}.get(name, name))) + scale * u

    return form


@claims(
    ("A.adam.alpha2", _ADAM, "1 - beta2* ~ log K/K", "alpha2", -1.0, 1.0),
    ("A.adam.risk", _ADAM, "risk* ~ (log K/K)^(1/2)", "risk", -0.5, 0.5),
    ("H.adam.eta", _ADAM, "eta* ~ K^(-1/2), without a logarithm", "eta", -0.5, 0.0),
)
def adam(name: str, power: float, log: float) -> Measured:
    form = _adam_form(name)
    yield m.same("over its closed form, K = 1e18 to 1e280", "refined", m.value(_adam(), name), np.exp(form(LOGS)))
    yield from powers(form, power, log)


@claim("A.adam.abstract", "Defossez et al., abstract", "eta = K^(-1/2), 1 - beta2 = 1/K: the bound ~ log K/K^(1/2)")
def adam_abstract() -> Measured:
    """The bound there, over 2 R D0 + (4 d R^2 + d R L)(log(1 + R^2 K/epsilon) + 1) over K^(1/2)."""
    D0, L, R, d, epsilon = ADAM.values()

    def form(u: m.Array) -> m.Array:
        return np.log(2 * R * D0 + (4 * d * R**2 + d * R * L) * (u + np.log(R**2 / epsilon) + 1)) - u / 2

    own = bound("adam", **ADAM).risk(eta=LADDER**-0.5, alpha2=1 / LADDER, K=LADDER)
    tuned = m.value(_adam(), "risk")
    yield m.same("over its closed form, K = 1e18 to 1e280", "arithmetic", own, np.exp(form(LOGS)), 1e-12)
    yield from powers(form, -0.5, 1.0)
    yield m.at_least("over the tuned risk, least of the ladder", "refined", float((own / tuned).min()), 1.0)
    yield "a logarithm's root above the tuned bound's (log K/K)^(1/2): alpha2 = 1/K is a logarithm too small"


# --- under a Kurdyka-Lojasiewicz condition ---
MU = 0.5
KL = proxies.frank_wolfe_kl(**CONSTANTS, lam=LAM, mu=MU)

#: What is left of it at a momentum; and as alpha falls: the star-convex bound's, under decay mu lam.
KL_AT_ALPHA = laws.kl_at_momentum(ALPHA, **CONSTANTS, lam=LAM, mu=MU)
KL_SMALL = star_convex_for_small_alpha(**CONSTANTS, lam=MU * LAM)


@claims(
    ("A.frank_wolfe_kl.b", "FW-KL, as star-convex", "b* ~ (T/log T)^(2/3)", "b", "b"),
    ("A.frank_wolfe_kl.eta", "FW-KL, as star-convex", "eta* ~ (log T/T)^(1/3)", "eta", "b"),
    ("A.frank_wolfe_kl.alpha", "FW-KL, as star-convex", "1 - beta* ~ b (log T/T)^(2/3), in T", "alpha", "alpha"),
    ("A.frank_wolfe_kl.eta.tokens", "FW-KL, as star-convex", "eta* ~ b log T/T, in T", "eta", "alpha"),
)
def kl(name: str, beside: str) -> Measured:
    return logarithmic(KL, name, beside, KL_AT_ALPHA, KL_SMALL)


@claim("A.frank_wolfe_kl.powers", "FW-KL, as star-convex", "1 - beta* ~ b and eta* ~ b, at a fixed T")
def kl_powers() -> Measured:
    """The refined optimum, b moved; and what the bound changes by where all three are a thousandfold."""
    of, T = KL_SMALL, m.FAR_OUT
    best = {"alpha": np.exp(log_alpha(np.log(T), BATCH, of)), "eta": np.exp(log_eta(np.log(T), np.log(BATCH), of))}
    own, moved = (KL.risk(**{v: x * k for v, x in best.items()}, b=BATCH * k, T=T) for k in (1.0, 1e3))
    yield from powers_of_b(KL)
    yield m.settles("the bound, eta, alpha and b a thousandfold, over it", "arithmetic", moved / own)


@claims(
    ("A.frank_wolfe_kl.iterations", "FW-KL, as star-convex", "eta* ~ log K/K", False),
    ("A.frank_wolfe_kl.free", "FW-KL, as star-convex", "at a fixed K eta* is free of b", True),
)
def kl_iterations(free: bool) -> Measured:
    own = {b: m.value(_kl_at(b), "eta") for b in (BATCH, 1e6)}
    closed = laws.decay_rate(LADDER, KL_AT_ALPHA)
    yield m.same("eta* over its closed form, K = 1e18 to 1e280", "refined", own[BATCH], closed)
    if free:
        yield m.same("eta* at b = 1e6 over that at 32", "refined", own[1e6], own[BATCH])
        eta, in_K = np.geomspace(1e-6, 1e-3, 20), KL.form("K")
        less = np.subtract(*(in_K.risk(eta=eta, b=b, alpha=ALPHA, K=1e4) for b in (BATCH, 1e6)))
        # A difference of two bounds that are a few times as large.
        yield m.same("what b changes, at 20 eta", "arithmetic", less, less[0], 10 * ROUNDING)
    else:
        yield from powers(lambda u: np.log(laws.decayed(u, KL_AT_ALPHA)) - u, -1.0, 1.0)


@cache
def _kl_at(b: float) -> Optimum:
    return refine(KL, "eta", fixed={"alpha": ALPHA, "b": b}, K=LADDER)


# --- independent weight decay ---
_DECAY = "IndependentWeightDecay"


def _best(lam: ArrayLike, K: float) -> m.Array:
    """The source's closed form of the best learning rate."""
    of = {name: CONSTANTS[name] for name in ("Delta0", "L", "G0")}
    return np.asarray(cesista2025.best_learning_rate(np.asarray(lam), K=K, alpha=ALPHA, **of))


def _refined(proxy: Any, lam: float, K: list[float]) -> m.Array:
    """The refined eta* at a weight decay."""
    return m.value(refine(proxy, "eta", fixed={"alpha": ALPHA, "b": BATCH, "lam": lam}, K=K), "eta")


@claim("A.independent_decay.eta", _DECAY, "eta*(lam) minimises the bound in which lam is a variable")
def decay_rate() -> Measured:
    proxy = bound("independent_decay", **CONSTANTS)
    for lam in (0.1, 1.0, 10.0):
        optima = _refined(proxy, lam, [1e5, 1e9])
        formula = [float(_best(lam, K)) for K in (1e5, 1e9)]
        yield m.same(f"over the formula, lam = {lam:g}", "refined", optima, formula)
        star = proxies.star_convex(**CONSTANTS, lam=lam, budget="K")
        there: dict[str, Any] = {"eta": np.array(formula), "b": BATCH, "alpha": ALPHA, "K": np.array([1e5, 1e9])}
        what, own = f"the bound over star_convex's, lam = {lam:g}", proxy.risk(**there, lam=lam)
        yield m.same(what, "arithmetic", own, star.risk(**there), 8 * ROUNDING)


@claim("A.independent_decay.constant", _DECAY, "eta* = Theta(1/lam): lam eta* is constant")
def decay_constant() -> Measured:
    """lam eta* over a hundredfold lam, at a run that people could pay; and how it goes on."""
    lam, K, proxy = np.array([0.1, 1.0, 10.0]), 1e5, bound("independent_decay", **CONSTANTS)
    products = lam * _best(lam, K)
    optima = [float(_refined(proxy, x, [K])[0]) for x in lam]
    yield m.same("lam eta* at lam = 10 over that at 0.1, K = 1e5", "refined", optima[2] * lam[2], optima[0] * lam[0])
    yield m.same("lam eta* at lam = 10 over that at 0.1, K = 1e5", "arithmetic", products[2], products[0])
    yield (
        f"lam eta* K is a logarithm of K lam^2: {products[0] * K:.3g}, {products[1] * K:.3g} and {products[2] * K:.3g} "
        "at lam = 0.1, 1 and 10; it levels off, at K, where log lam is far above K"
    )


@claim("A.independent_decay.power", _DECAY, "eta* ~ 1/lam, up to a logarithm, as K grows")
def decay_power() -> Measured:
    """d log eta*/d log lam = -1 + 2/log K to leading order: by the closed form, and refined, from lam = 1 to 10."""

    def slope(etas: m.Array) -> m.Array:
        return np.asarray(np.diff(np.log(etas), axis=0)[0] / np.log(10.0))

    of = [star_convex_at_momentum(ALPHA, lam=lam, **CONSTANTS) for lam in (1.0, 10.0)]
    near, far = slope(np.array([laws.decayed(BEYOND, each) / each.lam for each in of]))
    K, proxy = [1e9, 1e40], bound("independent_decay", **CONSTANTS)
    refined = slope(np.array([_refined(proxy, lam, K) for lam in (1.0, 10.0)]))
    closed = slope(np.array([laws.decay_rate(K, each) for each in of]))
    yield of_exponent("eta* ~ lam^p, log K = 1e6", "arithmetic", float(far), -1.0, abs(far - near))
    yield m.same("-p over its closed form, K = 1e9 and 1e40", "refined", -refined, -closed)
    yield f"eta* ~ lam^({refined[0]:.3f}) at K = 1e9, lam^({refined[1]:.3f}) at 1e40"
