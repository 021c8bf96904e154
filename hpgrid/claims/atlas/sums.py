"""Bounds of the atlas that are sums of powers: their laws, exact and refined."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import partial

import numpy as np
from numpy.typing import ArrayLike

from hpgrid import exponents, parse
from hpgrid.asymptotics import segments
from hpgrid.bounds import BOUNDS
from hpgrid.bounds.cesista2025 import Parts
from hpgrid.claims.atlas.stated import bound, constants_of, law, without
from hpgrid.claims.cesista2025.moments import ROUNDING
from hpgrid.claims.ledger import Measured, claim, claims
from hpgrid.claims.measures import FAR, FAR_OUT, at_least, columns, crossing, draws, printed, same, settles, tends
from hpgrid.critical import tokens
from hpgrid.critical.tokens import iterations_of_mean
from hpgrid.proxy import Proxy
from hpgrid.readings import Reading, of_exponent
from hpgrid.refinement.profile import profile
from hpgrid.shapes import Floats as Array
from hpgrid.theory import atlas_laws as laws

_ONE, _TWO, _MVR = "Cutkosky and Mehta", "Cutkosky and Mehta, second order", "STORM; Muon-MVR"
_LOCAL, _PRIVATE, _SPLIT, _SU = "Stich, form", "private SGD, form", "Schaipp; ThreeTermBudget", "Su, kexue.fm 11833"


@claims(
    ("A.normalised_sgd.risk", _ONE, "risk* ~ K^(-1/4)", "normalised_sgd", "risk ~ K^-1/4"),
    ("A.normalised_sgd.eta", _ONE, "eta* ~ K^(-3/4)", "normalised_sgd", "eta ~ K^-3/4"),
    ("A.normalised_sgd.alpha", _ONE, "1 - beta* ~ K^(-1/2)", "normalised_sgd", "alpha ~ K^-1/2"),
    ("A.second_order_smooth.risk", _TWO, "risk* ~ K^(-2/7)", "second_order_smooth", "risk ~ K^-2/7"),
    ("A.second_order_smooth.eta", _TWO, "eta* ~ K^(-5/7)", "second_order_smooth", "eta ~ K^-5/7"),
    ("A.second_order_smooth.alpha", _TWO, "1 - beta* ~ K^(-4/7)", "second_order_smooth",
     "alpha ~ K^-4/7"),
    ("A.storm.risk", _MVR, "risk* ~ K^(-1/3)", "storm", "risk ~ K^-1/3 @ fixed b", "K"),
    ("A.storm.eta", _MVR, "eta* ~ K^(-2/3)", "storm", "eta ~ K^-2/3 @ fixed b", "K"),
    ("A.storm.alpha", _MVR, "1 - beta* ~ K^(-2/3)", "storm", "alpha ~ K^-2/3 @ fixed b", "K"),
    ("A.local_sgd.eta", _LOCAL, "eta* ~ (n/(H R))^(1/2), H and n held", "local_sgd",
     "eta = D0^1/2 L^-1/2 sigma^-1 n^1/2 H^-1/2 R^-1/2 @ fixed n, fixed H"),
    ("A.local_sgd.risk", _LOCAL, "risk* ~ (n H R)^(-1/2), H and n held: n workers are n times as fast", "local_sgd",
     "risk = 2 D0^1/2 L^1/2 sigma n^-1/2 H^-1/2 R^-1/2 @ fixed n, fixed H"),
    ("A.private_sgd.risk", _PRIVATE, "risk* tends to 2 (D0 L d)^(1/2) C/(n eps)", "private_sgd",
     "risk = 2 D0^1/2 L^1/2 d^1/2 C n^-1 epsilon^-1"),
    ("A.private_sgd.eta", _PRIVATE, "eta* ~ 1/K", "private_sgd",
     "eta = D0^1/2 L^-1/2 d^-1/2 C^-1 n epsilon K^-1"),
    ("A.three_term_split.N", _SPLIT, "at a = g = 1, N K held: N* = (A Q/C)^(1/2)", "three_term_split",
     "N = A^1/2 C^-1/2 b^-1/2 Q^1/2 @ fixed b"),
)  # fmt: skip
def says(name: str, stated: str, budget: str = "") -> Measured:
    return law(bound(name, **({"budget": budget} if budget else {})), stated)


# --- heavy tails ---
MOMENTS = (Fraction(2), Fraction(3, 2), Fraction(5, 4))


@claims(
    ("A.heavy_tails.risk", "Shulgin et al., C.2", "risk* ~ K^(-(p-1)/(3p-2))", "risk"),
    ("H.heavy_tails.alpha", "Shulgin et al., C.2", "1 - beta* ~ K^(-p/(3p-2)), p moments", "alpha"),
    ("H.heavy_tails.eta", "Shulgin et al., C.2", "eta* ~ K^(-(2p-1)/(3p-2)), p moments", "eta"),
)
def heavy_tails(name: str) -> Measured:
    for p in MOMENTS:
        yield from law(bound("heavy_tails", p=p), f"{name} ~ K^({laws.heavy_tails(p)[name]})", f"p = {p}")


@claim("A.heavy_tails.samples", "Kornilov, 2502.07923", "samples to eps are eps^(-(3p-2)/(p-1))")
def samples_of_heavy_tails() -> Measured:
    """Where the tuned risk comes down to three targets, b = 1; and the inverse of its exact power."""
    for p in MOMENTS:
        proxy, stated = bound("heavy_tails", p=p), (3 * p - 2) / (p - 1)
        K = [crossing(partial(_above, proxy, eps), 1e3, 1e280) for eps in (1e-8, 1e-12, 1e-13)]
        powers = np.log(K[1] / K[0]) / np.log(1e4), np.log10(K[2] / K[1])
        of_risk = exponents(proxy, ("eta", "alpha")).exponent["risk"]
        assert of_risk is not None
        yield tends(f"(1/eps)^q, p = {p}", powers, stated)
        yield Reading(f"(1/eps)^q, p = {p}", "exact", -1 / of_risk, stated)


def _above(proxy: Proxy, eps: float, budget: Array) -> np.ndarray:
    return np.asarray(_least(proxy, budget) > eps)


def _least(proxy: Proxy, budget: ArrayLike, **fixed: ArrayLike) -> Array:
    """The least risk, whatever is not held tuned."""
    tuned = [v for v in proxy.depends_on() if v in proxy.space.hyperparameters and v not in fixed]
    return np.asarray(profile(proxy, tuned, fixed, budget).risk)


# --- workers that walk alone ---
@claim("A.local_sgd.steps", "local SGD, form", "n workers are n times as fast as long as H <~ (H R)^(1/4) n^(-3/4)")
def local_steps() -> Measured:
    """Along H = T^phi, b = 1: T = n S of S steps a worker, so that H ~ S^q is H ~ T^q; and n in what meets there."""
    proxy, fixed = bound("local_sgd", budget="T"), {"n": 8.0, "b": 1.0}
    first = segments(proxy, ("eta",), "H", (0, Fraction(1, 2)), fixed=fixed)[0]
    stated = laws.LOCAL_STEPS
    yield Reading("phi up to which risk* ~ T^(-1/2)", "exact", first.hi, stated["S"])
    for phi, power in ((stated["S"], Fraction(-1, 2)), (Fraction(1, 3), Fraction(-4, 9))):
        yield from law(proxy, f"risk ~ T^{power}", f"H = T^{phi}", fixed=fixed, path={"H": phi})
    # H at which drift costs as much as noise, at a fixed number S of steps of each worker: of few it is farthest out.
    at = np.log10([crossing(partial(_noise_wins, proxy, n), 1.0, 1e40) for n in (1e2, 1e3, 1e4)])
    yield tends("H ~ n^p where drift meets noise, S = 1e40", np.diff(at)[::-1], stated["n"])


def _noise_wins(proxy: Proxy, n: float, H: Array) -> np.ndarray:
    """Whether a worker's noise costs more than its drift at the best eta, after 1e40 steps of each of n workers."""
    eta = profile(proxy, ("eta",), {"n": n, "b": 1.0, "H": H}, n * 1e40).at["eta"]
    of = proxy.constants
    return np.asarray(of["L"] * eta * of["sigma"] ** 2 / n > (of["L"] * eta * H * of["z"]) ** 2)


@claim("A.local_sgd.joint", "local SGD, asked of it", "H and eta have a best value of their own, tuned jointly")
def joint() -> Measured:
    """In rounds, in tokens, and where a round costs time beside its steps, W = R (c0 + c1 H)."""
    fixed = {"n": 8.0}
    rounds = exponents(bound("local_sgd"), ("eta", "H"), fixed=fixed)
    tokens_law = exponents(bound("local_sgd", budget="T"), ("eta", "H"), fixed={**fixed, "b": 1.0})
    H = profile(bound("local_sgd", budget="T"), ("eta", "H"), {**fixed, "b": 1.0}, [1e6, FAR]).at["H"]
    risks = [_least(bound("local_sgd"), FAR, n=8.0, H=10.0**k) for k in range(0, 30, 5)]
    yield Reading("H is attained, in rounds", "exact", "H" not in rounds.unbounded, True)
    yield Reading("the risk has a least value in H, in rounds", "refined", bool(np.diff(risks).max() >= 0), True)
    yield Reading("H is above its end 1, in tokens", "exact", "H" not in tokens_law.active, True)
    yield Reading("H is above its end 1, in tokens", "refined", bool((H > 1).all()), True)
    yield (
        "at fixed rounds H -> infinity with eta H ~ R^(-1/3), at fixed tokens H = 1: a best H takes a cost of both "
        "(H.local_sgd.clock)"
    )


@claim("H.local_sgd.clock", "local SGD, form", "where a round costs c0 and a step c1, W = R (c0 + c1 H): H* ~ W^(1/6)")
def clock() -> Measured:
    text = BOUNDS["local_sgd"].formula
    of = {**constants_of("local_sgd"), "c0": 30.0, "c1": 0.2}
    proxy = parse(text, of, variables=["H >= 1", "n >= 1", "R >= 1, budget", "W = R*(c0 + c1*H)"]).form("W")
    assert isinstance(proxy, Proxy)
    yield from law(proxy, "H ~ W^1/6 @ fixed n")
    yield from law(proxy, "eta ~ W^-1/2 @ fixed n")


# --- compression ---
def _compressed(delta: float = 0.1) -> tuple[Proxy, dict[str, float]]:
    """Error feedback at a contraction as a sum of powers, w = c (1 - delta)/delta^2, and its constants."""
    of = constants_of("error_feedback")
    values = {"D0": of["D0"], "s": of["s"], "w": of["c"] * (1 - delta) / delta**2}
    return printed("D0/(eta*K) + s*eta + w*eta**2", **values), of


@claims(
    ("A.error_feedback.eta", "error feedback, form", "eta* ~ K^(-1/2)", "eta = D0^1/2 s^-1/2 K^-1/2"),
    ("A.error_feedback.risk", "error feedback, form", "risk* = 2 (D0 s/K)^(1/2)", "risk = 2 D0^1/2 s^1/2 K^-1/2"),
)
def compressed(stated: str) -> Measured:
    (proxy, _), eta = _compressed(), np.geomspace(1e-8, 1e2, 50)
    yield from law(proxy, stated)
    own = bound("error_feedback").risk(eta=eta, K=1e5, delta=0.1)
    yield same("as a sum, delta = 0.1", "arithmetic", proxy.risk(eta=eta, K=1e5), own, ROUNDING)


@claim(
    "A.error_feedback.free", "error feedback, form", "the compressor is in what falls faster: risk* is free of delta"
)
def free_of_compression() -> Measured:
    ratios = []
    for delta in (0.1, 1e-3):
        proxy, of = _compressed(delta)
        ratios.append(_least(proxy, FAR_OUT) / (2 * np.sqrt(of["D0"] * of["s"] / FAR_OUT)))
    law_of = exponents(_compressed()[0], ("eta",)).laws["risk"]
    assert law_of is not None
    yield settles("risk* over that without compression, delta = 0.1 and 0.001", "refined", ratios)
    yield Reading("power of w = c (1 - delta)/delta^2 in risk*", "exact", law_of.powers.get("w", Fraction(0)), 0)


@claim(
    "H.error_feedback.starts", "error feedback, form", "from K = D0 c^2 (1-delta)^2/(3 s^3 delta^4) on it costs less"
)
def starts() -> Measured:
    """Less than the noise does: before that eta* ~ K^(-1/3), as a law without noise has it."""
    for delta in (0.3, 0.01):
        proxy, of = _compressed(delta)
        w = proxy.constants["w"]
        costs = lambda K: w * profile(proxy, ("eta",), {}, K).at["eta"] > of["s"]  # noqa: B023, E731
        K = crossing(costs, 1e-9, 1e40)
        yield same(f"K over it, delta = {delta:g}", "refined", K, of["D0"] * w**2 / (3 * of["s"] ** 3))
    yield from law(without(_compressed()[0], "s"), "eta ~ K^-1/3")


# --- one loss in three terms ---
@claim("A.three_term_split.K", _SPLIT, "at a = g = 1, N K held: K* = (C Q/A)^(1/2)")
def steps() -> Measured:
    """What N* leaves of Q, at b = 1."""
    proxy, of = bound("three_term_split"), columns(draws("E", "A", "B", "C"))
    K = FAR_OUT / profile(proxy, ("N",), {"b": 1.0}, FAR_OUT, constants=of).at["N"]
    N = exponents(proxy, ("N",), fixed={"b": 1.0}).exponent["N"]
    assert N is not None
    yield settles("over the law, 8 random constants", "refined", K / np.sqrt(of["C"] * FAR_OUT / of["A"]))
    yield Reading("power of Q", "exact", 1 - N, Fraction(1, 2))


@claim("A.three_term_split.least", _SPLIT, "A/N + C/K >= 2 (A C/Q)^(1/2), attained")
def least() -> Measured:
    split = without(bound("three_term_split"), "E", "B")
    of, (N, Q) = split.constants, 10.0 ** np.random.default_rng(2026).uniform(0, 6, (2, 1000))
    ratio = split.risk(N=N, Q=Q, b=1.0) / (2 * np.sqrt(of["A"] * of["C"] / Q))
    yield at_least("it over the bound, 1000 points", "arithmetic", float(ratio.min()), 1.0, ROUNDING)
    yield from law(split, "risk = 2 A^1/2 C^1/2 b^1/2 Q^-1/2 @ fixed b")


@claim("H.three_term_split.N", _SPLIT, "at any powers, N K held: N* ~ Q^(g/(a+g)), K* ~ Q^(a/(a+g))")
def any_powers() -> Measured:
    for a, g in ((Fraction(1, 3), Fraction(2, 7)), (Fraction(2), Fraction(1, 2))):
        proxy = bound("three_term_split", a=a, g=g)
        yield from law(proxy, f"N ~ Q^({g / (a + g)}) @ fixed b", f"a = {a}, g = {g}")
        yield from law(proxy, f"N ~ Q^({1 - a / (a + g)}) @ fixed b", f"Q/K, a = {a}, g = {g}")


@claim("A.three_term_split.b", "Schaipp, fitted", "b* ~ T^0.566")
def fitted_batch() -> Measured:
    """The split has b* ~ T^(g/(c+g)), eta and model size held: any power between 0 and 1."""
    p = laws.FITTED_BATCH
    proxy = bound("three_term_split", budget="T", c=1 / p - 1, g=1)
    for reading in law(proxy, f"b ~ T^({p}) @ fixed N", f"c = {1 / p - 1} g"):
        yield replace(reading, empty=True)
    yield from law(bound("three_term_split", budget="T", c="1/2", g=1), "b ~ T^2/3 @ fixed N", "c = g/2")
    yield f"b* ~ T^(g/(c+g)): c = {float(1 / p - 1):.3f} g gives it, and other c any other power in (0, 1)"


# --- samples to a target ---
_EPS = (1.5, 3.0, 50.0)

#: Noise that makes a batch of more than one sample the best at each of these targets.
NOISY = {"X": 3.0, "Y": 40.0, "Z": 0.3}


PARTS = Parts(NOISY["X"], NOISY["Y"], 0.0, 0.0)


def _fewest(left: float, parts: Parts = PARTS) -> float:
    """The batch size of the fewest samples to a target that Z leaves so much of."""
    return tokens.fewest(iterations_of_mean(parts, "revised", left), (parts.Y / left) ** 2).b


@claim("A.critical_batch.samples", "Sato", "samples to eps are X b^(3/2)/((eps - Z) b^(1/2) - Y)")
def samples() -> Measured:
    """The bound's own risk there, and where the risk comes down to eps."""
    (X, Y, Z), proxy = NOISY.values(), bound("critical_batch", **NOISY)
    for times in _EPS:
        eps = times * Z
        b = np.geomspace(1.1, 1e6, 20) * (Y / (eps - Z)) ** 2
        b = b[b >= 1]
        T = laws.samples(b, X, Y, eps, Z)
        yield same(f"risk there, eps = {times:g} Z", "arithmetic", proxy.risk(b=b, T=T), eps, ROUNDING)
        reached = crossing(lambda T: proxy.risk(b=b[0], T=T) > eps, 1e-12, 1e200)  # noqa: B023
        yield same(f"samples over it, eps = {times:g} Z", "refined", reached, T[0], ROUNDING)


@claim("A.critical_batch.root", "Sato", "samples to eps are fewest at b*^(1/2) = 3 Y/(2 (eps - Z))")
def root() -> Measured:
    Y, Z = NOISY["Y"], NOISY["Z"]
    for times in _EPS:
        left, stated = (times - 1) * Z, laws.critical_root(Y, times * Z, Z) ** 2
        on_grid, step = tokens.on_grid(iterations_of_mean(PARTS, "revised", left), (Y / left) ** 2)
        yield same(f"argmin over it, eps = {times:g} Z", "grid", on_grid.b, stated, step)
        yield same(f"fewest samples over it, eps = {times:g} Z", "refined", _fewest(left), stated, tokens.FLAT)
    yield from law(without(bound("critical_batch"), "Z"), "risk b^1/2 = 3/2 Y", "eps - Z at b*(T)")


@claim("A.critical_batch.above", "Sato", "b*^(1/2) > 3 Y/(2 eps)")
def above() -> Measured:
    Y, Z = NOISY["Y"], NOISY["Z"]
    for times in _EPS:
        over = float(np.sqrt(_fewest((times - 1) * Z)) / (1.5 * Y / (times * Z)))
        yield at_least(f"b*^(1/2) over it, eps = {times:g} Z", "refined", over, 1.0, -tokens.FLAT)
        yield at_least(f"eps/(eps - Z), eps = {times:g} Z", "arithmetic", times / (times - 1), 1.0)


@claim("A.critical_batch.absolute", "Sato", "the bound does not predict critical batch sizes in absolute terms")
def absolute() -> Measured:
    """b* moves with Y^2 and (eps - Z)^(-2), and nothing in the bound says what they are."""
    left = 2 * NOISY["Z"]
    best, stated = _fewest(left), laws.critical_root(PARTS.Y, left, 0)
    for name, moved, left_of, power in (
        ("Y", PARTS._replace(Y=10 * PARTS.Y), left, 2),
        ("eps - Z", PARTS, 10 * left, -2),
        ("X", PARTS._replace(X=10 * PARTS.X), left, 0),
    ):
        measured = float(np.log10(_fewest(left_of, moved) / best))
        yield of_exponent(f"b* ~ ({name})^p", "refined", measured, power, 2 * tokens.FLAT)
        plain = float(np.log10((laws.critical_root(moved.Y, left_of, 0) / stated) ** 2))
        yield of_exponent(f"b* ~ ({name})^p", "arithmetic", plain, power, ROUNDING)
    yield "an estimate of Y, or of eps - Z, that is twice too large puts b* off by a factor of 4"


# --- Su's law ---
POWERS = ("g1", "g2", "g3", "g5", "g6", "g7")
SETS = tuple(
    dict(zip(POWERS, map(Fraction, text.split())))
    for text in ("1 1/2 1 1/4 1/8 1/2", "3/10 1/2 7/10 1/5 1/10 3/20", "2/5 3/4 6/5 1/9 1/3 1/7")
)


@claims(
    ("A.su_law.b", _SU, "b* ~ T^(g1 g3/P), P = g1 g3 + g2 (g1 + g3)", "b", "T"),
    ("A.su_law.eta", _SU, "eta* ~ T^(-g1 g2/P)", "eta", "T"),
    ("A.su_law.risk", _SU, "risk* ~ T^(-g1 g2 g3/P)", "risk", "T"),
    ("A.su_law.eta.N", _SU, "eta* ~ N^((g1 g6 - g7 (g1+g2) - g5 g2)/P)", "eta", "N"),
    ("A.su_law.b.N", _SU, "b* ~ N^((g6 (g1+g3) + g5 g3 - g7 g1)/P)", "b", "N"),
)
def su(name: str, by: str) -> Measured:
    for powers in SETS:
        stated, called = laws.su(**powers), "g = " + ", ".join(map(str, powers.values()))
        claimed = f"{name} ~ T^({stated.T[name]})" + (f" N^({stated.N[name]})" if by == "N" else "") + " @ fixed N"
        readings = law(bound("su_law", **powers), claimed, called)
        yield from (reading for reading in readings if f"power of {by}" in reading.what)
