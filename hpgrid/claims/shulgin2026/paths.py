"""Appendix C.3 and Table 1: learning rates along a batch-growth path, and what fits report."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from hpgrid.claims.ledger import Finding, Reading, claim
from hpgrid.claims.readings import at_least, at_most, slope
from hpgrid.claims.routes import (
    BOUNDS,
    EQ4,
    EQ5,
    EQ11,
    FARTHER,
    LEADING,
    SOLVER,
    exponent,
    holding,
    power_in,
    refined,
    setting,
    settled,
    value,
)
from hpgrid.theory import batch_paths as printed

#: Paths b = T^p on both sides of 1/2 and of 3/4.
SHALLOW, STEEP = (Fraction(1, 4), Fraction(3, 8)), (Fraction(4, 5), Fraction(9, 10))
ALPHA = 1e-3


class Study(NamedTuple):
    """What a study fitted: b ~ T^b, eta ~ T^eta, and how far either may be off, as reported."""

    name: str
    b: float
    eta: float
    error: float = 0.0


#: Source: Shulgin et al., Table 1; von Rutte's eta with the exponents that Appendix C.3 gives.
TABLE_1 = (
    Study("DeepSeek", 0.3271, -0.1250),
    Study("StepLaw", 0.571, 0.307),
    Study("von Ruette", 0.8225, 0.2806),
    Study("Filatov", 0.45, -0.28, 0.07),
)


@claim("S.eq47", "eqs. (46), (47)", "along b = T^p, eta* ~ b^kappa K^-lambda gives q_eff = kappa p - lambda (1 - p)")
def eq47() -> Finding:
    """kappa and lambda from the law in K; the exponent from the path in T."""
    readings: list[Reading] = []
    regimes = {"fixed momentum": setting("eta", alpha=ALPHA), "tuned momentum": setting("eta", "alpha")}
    for called, regime in regimes.items():
        in_K = holding(regime, b=32.0)._replace(budget="K")
        kappa, lam = Fraction(power_in(EQ4, in_K, "eta", "b")), -Fraction(exponent(EQ4, in_K, "eta"))
        for p in SHALLOW:
            along = regime._replace(path=(("b", p),))
            found = slope("eta", printed.effective(kappa, lam, p), along, EQ4)
            readings += [_named(one, f"b = T^{p}, {called}") for one in found]
    return Finding(tuple(readings))


def _named(reading: Reading, more: str) -> Reading:
    return replace(reading, what=f"{reading.what}, {more}")


@claim("S.eq48", "eq. (48)", "q_eff > 0 exactly where p > lambda/(kappa + lambda)")
def eq48() -> Finding:
    pairs = [(Fraction(k, 4), Fraction(m, 4)) for k in range(5) for m in range(5) if k + m]
    ps = [Fraction(n, 40) for n in range(41)]
    agree = [(printed.effective(k, m, p) > 0) == (p > printed.threshold(k, m)) for k, m in pairs for p in ps]
    return Finding((Reading(f"it is so for all of {len(agree)} (kappa, lambda, p)", "arithmetic", all(agree), True),))


@claim(
    "S.C3.fixed",
    "C.3 (i)",
    "at a fixed momentum (kappa, lambda) = (0, 1/2): eta* cannot increase with T along any path",
)
def fixed() -> Finding:
    readings: list[Reading] = []
    for p in (*SHALLOW, *STEEP):
        found = slope("eta", printed.effective(*printed.FIXED_MOMENTUM, p), setting("eta", alpha=ALPHA, b=p), EQ4)
        readings += [_named(one, f"b = T^{p}") for one in found]
    steepest = max(float(reading.measured) for reading in readings)
    return Finding((*readings, at_most("largest of them", "refined", steepest, 0.0)))


@claim("S.eq49", "eq. (49)", "with momentum tuned eta* ~ T^(p - 3/4) along b = T^p, p < 1/2")
def eq49() -> Finding:
    readings: list[Reading] = []
    for p in SHALLOW:
        found = slope("eta", printed.tuned(p), setting("eta", "alpha", b=p), EQ4, EQ11)
        readings += [_named(one, f"b = T^{p}") for one in found]
    return Finding(tuple(readings))


@claim(
    "S.eq49.while",
    "after eq. (49); intro (iii)",
    "eta* can rise with T along p > 3/4, for a while, where noise keeps alpha below 1",
)
def rises_for_a_while() -> Finding:
    """C2 = 2e12 keeps alpha* = T^(p - 1/2)/1e12 below 1 up to T = 1e40 along p = 4/5.

    The law's own terms: alpha beside 1 in 1 + 1/alpha, and 1/(alpha^(3/2) K) beside 1 in the noise.
    """
    p, C2 = STEEP[0], 2e12
    T = np.array([1e30, 1e32])
    found = refined(EQ4, setting("eta", "alpha", b=p), T, C2=np.array([C2]))
    alpha = value(found, "alpha")[0]
    neglected = alpha + 1 / (alpha**1.5 * T ** float(1 - p))
    k = int(neglected.argmin())
    every = np.geomspace(1e2, FARTHER, 117)
    rising = refined(EQ4, setting("eta", "alpha", b=p), every, C2=np.array([C2])).exponent["eta"][0]
    span = every[rising > 0]
    local, what = float(found.exponent["eta"][0][k]), f"d log eta/d log T, b = T^{p}, C2 = {C2:.0e}, T = {T[k]:.0e}"
    return Finding(
        (Reading(what, "refined", local, printed.tuned(p), float(neglected[k]) + SOLVER),),
        f"eta* rises from T = {span.min():.0e} to {span.max():.0e}, falls before and after; tolerance: terms left out",
    )


@claim(
    "S.eq49.good",
    "after eq. (49); intro (iii)",
    "a positive exponent of eta* in T is possible under batch-heavy paths p > 3/4, as T grows",
)
def rises_for_good() -> Finding:
    readings: list[Reading] = []
    highest = []
    for p in STEEP:
        regime = setting("eta", "alpha", b=p)
        far, _ = settled(EQ4, regime, "eta")
        what = f"exponent of eta*, b = T^{p}, eq. (4)"
        readings += [at_least(what, "exact", exponent(EQ4, regime, "eta"), 0), at_least(what, "refined", far, 0.0)]
        highest.append(float(refined(EQ4, regime, np.geomspace(1e2, 1e40, 100)).exponent["eta"].max()))
    return Finding(
        tuple(readings),
        "alpha* = 1 from p = 1/2 on, and eta* ~ T^(-(1 - p)/2) falls for every p < 1. With C1 = C2 = C3 = 1 it never "
        f"rises, from T = 1e2 on (largest local exponent {max(highest):.3g}); S.eq49.while says when it does",
    )


@claim("S.C3.caveat", "C.3, caveat", "along p > 1/2 alpha* ~ T^(p - 1/2) saturates at 1, and eta* leaves eq. (49)")
def caveat() -> Finding:
    from hpgrid.asymptotics import segments

    pieces = segments(BOUNDS[EQ4], ("eta", "alpha"))
    held = [piece for piece in pieces if "alpha" in piece.active]
    start = min((piece.lo for piece in held), default=Fraction(1))
    readings = [Reading("p from which alpha = 1", "exact", start, Fraction(1, 2))]
    for p in STEEP:
        found = refined(EQ4, setting("eta", "alpha", b=p), FARTHER)
        readings.append(
            Reading(f"alpha*, T = 1e60, b = T^{p}", "refined", float(value(found, "alpha")[0]), 1.0, SOLVER)
        )
    return Finding(tuple(readings))


@claim("S.sec4.bounded", "section 4", "the bound rules out eta* to infinity, because of its O(eta) term")
def bounded() -> Finding:
    """The largest eta* along paths up to b = T, with the O(eta) term and without it."""
    T = np.geomspace(1e2, FARTHER, 30)
    paths = (Fraction(9, 10), Fraction(99, 100), Fraction(1))

    def most(bound: str) -> float:
        return max(float(value(refined(bound, setting("eta", "alpha", b=p), T), "eta").max()) for p in paths)

    return Finding(
        (at_most("largest eta*, b = T^0.9 to T, eq. (4)", "refined", most(EQ4), 1.0, SOLVER),),
        f"for K >= 1 eta* <= (C1/C3)^(1/2); the term is not needed for it, since alpha <= 1: without it, eq. (43), the "
        f"largest is {most(LEADING):.4g}",
    )


# --- what fits report ---


@claim(
    "S.table1.b",
    "Table 1, section 4",
    "fitted b* ~ T^0.3271 to T^0.8225 is reasonably consistent with T^1/2 at a fixed momentum",
)
def table1_b() -> Finding:
    """The local exponents that b* has above 1 on eq. (4), from T = 1 to 1e60, at five momenta and three C2."""
    T = np.geomspace(1.0, FARTHER, 41)
    spans = []
    for alpha in (1e-9, 1e-6, 1e-3, 0.1, 1.0):
        found = refined(EQ4, setting("eta", "b", alpha=alpha), T, C2=np.array([1.0, 1e3, 1e6]))
        spans.append(found.exponent["b"][found.active["b"] == 0])
    reached = np.concatenate(spans)
    low, high = float(reached.min()), float(reached.max())
    readings = []
    for study in TABLE_1:
        error, what = study.error + SOLVER, f"b exponent, {study.name}"
        readings.append(at_least(f"{what}, against the least", "refined", study.b, low, error))
        readings.append(at_most(f"{what}, against the largest", "refined", study.b, high, error))
    return Finding(
        tuple(readings),
        f"once b* > 1 its local exponent lies between {low:.3g} and {high:.3g} at every budget, the larger the more "
        "burn-in counts: an exponent below 1/2 is out of reach",
    )


@claim(
    "S.table1.eta",
    "Table 1, section 4",
    "the learning rates of von Ruette and StepLaw rise, which clashes with eta* ~ (b/T)^1/2",
)
def table1_eta() -> Finding:
    """What eta* ~ b^(1/2) T^(-1/2) makes of each study's own batch exponent."""
    regime = setting("eta", b=32.0, alpha=ALPHA)
    in_b, in_T = power_in(EQ5, regime, "eta", "b"), exponent(EQ5, regime, "eta")
    own = {study.name: float(in_b) * study.b + float(in_T) for study in TABLE_1}
    rising = [study for study in TABLE_1 if study.eta > 0]
    readings = [at_most(f"predicted eta exponent, {s.name}", "exact", own[s.name], 0.0) for s in rising]
    told = ", ".join(f"{s.name} {own[s.name]:.3g} ({s.eta:g})" for s in TABLE_1)
    return Finding(tuple(readings), f"predicted (reported): {told}; Filatov's alone agrees")


@claim("S.C3.steplaw", "C.3", "StepLaw's p = 0.571, q = 0.307 cannot be explained by q_eff = p - 3/4")
def steplaw() -> Finding:
    study = TABLE_1[1]
    p = Fraction(str(study.b))
    law = exponent(EQ4, setting("eta", "alpha", b=p), "eta")
    short = float(printed.tuned(p))
    return Finding(
        (
            at_most("q_eff = p - 3/4, against 0.307", "arithmetic", short, study.eta),
            at_most("exponent of eta* along it, eq. (4), against 0.307", "exact", law, study.eta),
        ),
        f"q_eff = {short:.3g}; and since p > 1/2 alpha saturates, so that the proxy's own exponent is {float(law):.4g}",
    )


@claim("S.C3.vonruette", "C.3", "b* ~ T^0.8225 and eta ~ b^0.3412 imply eta ~ T^0.28")
def vonruette() -> Finding:
    product = 0.8225 * 0.3412
    # Each factor is rounded to four digits, the result to two.
    tolerance = 0.005 + 0.5e-4 * (0.8225 + 0.3412)
    return Finding((Reading("0.8225 x 0.3412", "arithmetic", product, 0.28, tolerance),))


@claim(
    "S.C3.batch_heavy",
    "C.3",
    "von Ruette's p = 0.8225 > 3/4 is where a positive q_eff is possible, though of another size",
)
def batch_heavy() -> Finding:
    study = TABLE_1[2]
    p = Fraction(str(study.b))
    regime, what = setting("eta", "alpha", b=p), "exponent of eta* along it, eq. (4)"
    law = exponent(EQ4, regime, "eta")
    return Finding(
        (at_least(what, "exact", law, 0), at_least(what, "refined", settled(EQ4, regime, "eta")[0], 0.0)),
        f"p - 3/4 = {float(printed.tuned(p)):.4g} would need alpha > 1; at alpha = 1 the exponent is {float(law):.4g}",
    )
