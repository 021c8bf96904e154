"""Appendix C.1 and C.2: other initialisations, and other laws of noise."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from hpgrid import bounds
from hpgrid.claims.ledger import Finding, Reading, claim
from hpgrid.claims.readings import at_least, at_most, same
from hpgrid.claims.routes import (
    EQ4,
    FAR,
    FARTHER,
    LEADING,
    SOLVER,
    Setting,
    exact,
    exponent,
    power_in,
    refined,
    setting,
    unsettled,
    value,
)
from hpgrid.curves import PERFORMANCE
from hpgrid.proxy import Proxy
from hpgrid.theory import noise_exponent as printed

JOINT = setting("eta", "b", "alpha")
QUARTER = Fraction(1, 4)

#: Noise that falls more slowly than b^-1/2, as fast, and faster.
SLOWER, FASTER = (Fraction(1, 4), Fraction(1, 3)), (Fraction(3, 4), Fraction(1))
ALL_Q = (*SLOWER, printed.BOUNDED_VARIANCE, *FASTER)


def _leading(q: Fraction, budget: str = "T") -> Proxy:
    return bounds.lmo(q=q, burn_in=False, budget=budget)


def _power_of_batch(proxy: Proxy, regime: Setting, name: str, at: tuple[float, float]) -> tuple[float, float]:
    """d log name / d log b on eq. (43), refined, far out; and what twenty decades change."""
    held = [refined(proxy, regime._replace(fixed=(("b", b),)), [FAR, FARTHER]) for b in at]
    near, far = np.log(value(held[1], name) / value(held[0], name)) / np.log(at[1] / at[0])
    return float(far), abs(float(far - near)) + 2 * SOLVER


# --- C.1 ---


@claim("S.C1.burn_in", "C.1; B.6", "the burn-in term of the bound is proportional to 1/(alpha (b K)^(1/2))")
def burn_in() -> Finding:
    """The powers of b and K in eq. (10)'s second term."""
    term = bounds.lmo_exact(budget="K").terms[1]
    powers = {name: Fraction(term.factors.get(name, 0)) for name in ("b", "K")}
    what = "in the second term of eq. (10)"
    return Finding(
        tuple(Reading(f"power of {x} {what}", "exact", power, Fraction(-1, 2)) for x, power in powers.items()),
        "the root's bar is too long, there and in B.6, or was lengthened in the text at hand: eqs. (2) and (10) have "
        "alpha b^(1/2) K, and C.1's own b^(1/2)/(alpha T) follows from that one",
    )


@claim("S.C1.unmatched", "C.1", "unmatched, E0/(alpha K), the token-optimal b(T) can change")
def unmatched() -> Finding:
    proxy = bounds.lmo(E0=1.0)
    matched, changed = exponent(EQ4, JOINT, "b"), exponent(proxy, JOINT, "b")
    local = float(refined(proxy, JOINT, FARTHER).exponent["b"][0] - refined(EQ4, JOINT, FARTHER).exponent["b"][0])
    fixed = exponent(proxy, setting("eta", "b", alpha=1e-3), "b")
    return Finding(
        (
            Reading("the exponent of b* changes, all tuned", "exact", matched != changed, True),
            Reading("the exponent of b* changes, all tuned", "refined", abs(local) > SOLVER, True),
        ),
        f"all tuned, b* ~ T^({matched}) becomes T^({changed}): E0 b/(alpha T) is free of b along alpha ~ b, so that "
        f"C3 eta decides, for b = 1; at a fixed momentum b* ~ T^({fixed}) as before",
    )


# --- C.2, I and II ---


@claim("S.eq44", "eq. (44)", "alpha* ~ b^q K^-1/2, eta* ~ b^(q/2) K^-3/4, risk ~ b^(-q/2) K^-1/4")
def eq44() -> Finding:
    regime = setting("eta", "alpha", budget="K", b=1e3)
    readings = []
    for q in ALL_Q:
        proxy = _leading(q, "K")
        for name, powers in printed.in_iterations(q).items():
            measured, error = _power_of_batch(proxy, regime, name, (1e3, 1e4))
            readings += [
                Reading(f"{name} ~ b^p, q = {q}", "refined", measured, powers["b"], error),
                Reading(f"{name} ~ b^p, q = {q}", "exact", power_in(proxy, regime, name, "b"), powers["b"]),
                Reading(f"{name} ~ K^p, q = {q}", "exact", exponent(proxy, regime, name), powers["K"]),
            ]
    return Finding(tuple(readings))


@claim("S.eq45", "eq. (45)", "at a fixed budget min risk ~ T^-1/4 b^(1/4 - q/2)")
def eq45() -> Finding:
    readings = []
    for q in ALL_Q:
        readings += _in_tokens(q, printed.in_tokens(q), f"q = {q}")
    return Finding(tuple(readings))


def _in_tokens(q: Fraction, powers: dict[str, Fraction], called: str) -> list[Reading]:
    regime, proxy = setting("eta", "alpha", b=1e3), _leading(q)
    measured, error = _power_of_batch(proxy, regime, "risk", (1e3, 1e4))
    return [
        Reading(f"risk ~ b^p, {called}", "refined", measured, powers["b"], error),
        Reading(f"risk ~ b^p, {called}", "exact", power_in(proxy, regime, "risk", "b"), powers["b"]),
        Reading(f"risk ~ T^p, {called}", "exact", exponent(proxy, regime, "risk"), powers["T"]),
    ]


@claim("S.eq45.half", "eq. (45), first case", "q = 1/2: the leading-order dependence on b cancels")
def half() -> Finding:
    law = exact(LEADING, JOINT)
    spread = [float(refined(LEADING, setting("eta", "alpha", b=b), FAR).risk[0]) for b in (1.0, 1e6, 1e12)]
    return Finding(
        (
            Reading("b stays undetermined, eq. (43)", "exact", "b" in law.flat, True),
            same("spread of the risk, b = 1 to 1e12", "refined", max(spread), min(spread)),
        )
    )


@claim("S.eq45.slower", "eq. (45), second case", "q < 1/2: the token-optimal batch size is the smallest feasible")
def slower() -> Finding:
    readings: list[Reading] = []
    for q in SLOWER:
        b = float(value(refined(bounds.lmo(q=q), JOINT, FARTHER), "b")[0])
        readings.append(Reading(f"b*, eq. (4), q = {q}", "refined", b, 1.0, SOLVER))
        for called, proxy in (("eq. (4)", bounds.lmo(q=q)), ("eq. (43)", _leading(q))):
            held = exact(proxy, JOINT).active.get("b") == "b >= 1"
            readings.append(Reading(f"b >= 1 holds it, {called}, q = {q}", "exact", held, True))
    return Finding(tuple(readings))


@claim("S.eq45.faster", "eq. (45), third case", "q > 1/2: larger batches are beneficial already at leading order")
def faster() -> Finding:
    readings: list[Reading] = []
    told = []
    for q in FASTER:
        measured, error = _power_of_batch(bounds.lmo(q=q), setting("eta", "alpha", b=1e3), "risk", (1e3, 1e4))
        readings.append(at_most(f"risk ~ b^p, eq. (4), q = {q}", "refined", measured, 0.0, error))
        b, risk = (exponent(bounds.lmo(q=q), JOINT, name) for name in ("b", "risk"))
        told.append(f"q = {q}: b* ~ T^({b}), risk ~ T^({risk})")
    return Finding(tuple(readings), "until alpha reaches 1. " + "; ".join(told))


@claim("S.C2.robust", "C.2, II", "an interior token-optimal batch size exists for q = 1/2 alone")
def robust() -> Finding:
    """An exponent of b* strictly between 0 and 1 at q on both sides, all tuned, on eq. (4)."""
    readings = []
    for q in (SLOWER[1], FASTER[0]):
        found = refined(bounds.lmo(q=q), JOINT, FARTHER)
        inside = bool(1 < value(found, "b")[0] < FARTHER and found.active["b"][0] == 0)
        readings.append(Reading(f"b* is interior, q = {q}", "refined", inside, False))
        exactly = 0 < exponent(bounds.lmo(q=q), JOINT, "b") < 1
        readings.append(Reading(f"b* is interior, q = {q}", "exact", exactly, False))
    q = FASTER[0]
    interior = exponent(bounds.lmo(q=q), JOINT, "b")
    return Finding(
        tuple(readings),
        f"true below 1/2, where b = 1; above it alpha stops at its bound and b* is interior all the same, "
        f"b* ~ T^({interior}) at q = {q}: its scaling is not robust, its existence is, on that side",
    )


@claim(
    "S.C2.many",
    "C.2, II; section 3.2",
    "many choices of b(T) remain near-optimal once alpha is tuned: the landscape in b is flat",
)
def many() -> Finding:
    """The interval of b within 1% of the least risk, alpha and eta re-tuned."""
    from hpgrid.refinement import flatness, regret

    T = np.array([1e10, 1e22, 1e30, 1e34])
    flat = flatness(bounds.lmo(), tuned=JOINT.tuned, T=T)
    decades = np.log10(flat.high["b"] / flat.low["b"])
    growth = np.diff(np.log10(flat.high["b"][1:])) / np.diff(np.log10(T[1:]))
    tenfold = regret(bounds.lmo(), "b", 10.0, tuned=JOINT.tuned, T=T)
    fall = np.diff(np.log10(tenfold[1:])) / np.diff(np.log10(T[1:]))
    error = unsettled(growth[0], growth[1])
    fallen = unsettled(fall[0], fall[1])
    return Finding(
        (
            Reading("largest b within 1% ~ T^p", "refined", float(growth[1]), Fraction(1, 2), error),
            Reading("smallest b within 1%, T = 1e10", "refined", float(flat.low["b"][0]), 1.0, SOLVER),
            Reading("regret at 10 b* ~ T^p", "refined", float(fall[1]), Fraction(-1, 3), fallen),
        ),
        f"{decades[0]:.2g} decades of b are within 1% at T = 1e10, {decades[1]:.2g} at 1e22; ten times b* costs "
        f"{tenfold[0]:.1g} and {tenfold[1]:.1g} there. Predicted: what bends the risk is C3 eta against C3 eta/alpha, "
        "alpha ~ b T^-1/2, so that one per cent is at b ~ T^1/2, and alpha* ~ T^-1/3 at the optimum",
    )


# --- C.2, III and V ---


@claim("S.C2.heavy", "C.2, III", "with a p-th moment, 1 < p < 2, q = 1 - 1/p and risk ~ T^-1/4 b^(-1/4 + 1/(2p))")
def heavy() -> Finding:
    readings = []
    for p in (Fraction(5, 4), Fraction(3, 2), Fraction(15, 8)):
        powers = printed.in_tokens_heavy(p)
        readings += _in_tokens(printed.heavy_tails(p), powers, f"p = {p}")
        readings.append(at_least(f"it increases with b, p = {p}", "arithmetic", powers["b"], Fraction(0)))
    return Finding(tuple(readings))


@claim("S.C2.rate", "C.2, III", "under heavy tails the optimal rate in T can differ from T^-1/4 and depends on p")
def heavy_rate() -> Finding:
    """Whether the proxy with q = 1 - 1/p has another exponent: 1 where it has, all tuned and at a fixed momentum."""
    p = Fraction(3, 2)
    readings, told = [], []
    for called, proxy in (("eq. (4)", bounds.lmo(q=1 - 1 / p)), ("eq. (43)", _leading(1 - 1 / p))):
        rate, what = exponent(proxy, JOINT, "risk"), f"the rate differs from T^-1/4, {called}, p = {p}"
        far = refined(proxy, JOINT, FARTHER).exponent["risk"][0]
        readings.append(Reading(what, "exact", rate != -QUARTER, True))
        readings.append(Reading(what, "refined", bool(abs(far + 0.25) > SOLVER), True))
        told.append(str(rate))
    fixed = exponent(bounds.lmo(q=1 - 1 / p), setting("eta", "b", alpha=1e-3), "risk")
    return Finding(
        tuple(readings),
        f"not by b^-q: at b = 1 nothing depends on q, and the rate is T^({told[0]}) with alpha tuned; at a fixed "
        f"momentum it is T^({fixed}) (p = {p}). Another rate would need another power of alpha in the floor",
    )


@claim("S.C2.constraints", "C.2, V", "with eta capped there is a batch size beyond which a larger one is harmful")
def constraints() -> Finding:
    """The risk at b = 1e7 over that at 1e4, alpha tuned, T = 1e22: eta free, and capped at its best for b = 1e4."""
    T, b, larger = 1e22, 1e4, 1e7
    cap = float(value(refined(EQ4, setting("eta", "alpha", b=b), T), "eta")[0])

    def risk(b: float, **capped: Any) -> float:
        return float(refined(EQ4, setting("eta", "alpha", b=b, **capped), T).risk[0])

    free, held = risk(larger) / risk(b), risk(larger, eta_max=cap) / risk(b, eta_max=cap)
    below = risk(b / 100, eta_max=cap) / risk(b / 100)
    near = 1 / PERFORMANCE
    return Finding(
        (
            at_least("b = 1e7 over 1e4, eta capped", "refined", held, near),
            at_most("b = 1e7 over 1e4, eta free", "refined", free, near),
            Reading("capped over free at b = 1e2", "refined", below, 1.0, SOLVER),
        ),
        f"eta <= {cap:.2g}, its best at b = 1e4; harmful is more than the 1% of the paper's near-optimal batch size",
    )
