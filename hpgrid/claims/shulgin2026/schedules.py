"""Corollary 2 and Appendix B.5: power-law schedules under a fixed budget."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from random import Random

import numpy as np

from hpgrid.claims.ledger import Finding, Reading, claim
from hpgrid.claims.readings import at_least, at_most, settles, slope, together
from hpgrid.claims.routes import BOUNDS, EQ4, EQ11, FAR, FARTHER, refined, setting
from hpgrid.theory import schedules

QUARTER = Fraction(1, 4)
EPS = float(np.finfo(float).eps)

#: Corollary 2's paths, on both sides of 1/2.
SLOW = (Fraction(0), Fraction(1, 6), Fraction(1, 3), Fraction(1, 2))
FAST = (Fraction(3, 5), Fraction(3, 4), Fraction(9, 10))


def _decays(beta: Fraction, gamma: Fraction, delta: Fraction) -> tuple[Fraction, ...]:
    """How each of eq. (11)'s five terms decays along b = T^beta, alpha = T^-gamma, eta = T^-delta."""
    from hpgrid.asymptotics import decay

    return tuple(-r for _, r in decay(BOUNDS[EQ11], path={"b": beta, "alpha": -gamma, "eta": -delta}))


def _drawn(n: int = 400, seed: int = 5) -> list[tuple[Fraction, Fraction, Fraction]]:
    """Seeded schedules: beta in [0, 1], gamma in [0, 1], delta in [0, 2]."""
    random = Random(seed)

    def twelfths(most: int) -> Fraction:
        return Fraction(random.randint(0, 12 * most), 12)

    return [(twelfths(1), twelfths(1), twelfths(2)) for _ in range(n)]


@claim(
    "S.cor2.rate",
    "Corollary 2, eqs. (34), (35)",
    "for b = T^phi, phi <= 1/2, alpha = b T^-1/2, eta = b T^-3/4 leads to T^-1/4",
)
def cor2_rate() -> Finding:
    readings = []
    for beta in SLOW:
        terms = _decays(beta, *schedules.proposed(beta))
        readings.append(Reading(f"slowest term's decay, b = T^{beta}, eq. (11)", "exact", min(terms), QUARTER))
        measured, error = _descent(EQ4, beta, *schedules.proposed(beta))
        readings.append(Reading(f"risk ~ T^-p, b = T^{beta}, eq. (4)", "arithmetic", measured, QUARTER, error))
    return Finding(tuple(readings), "alpha = b T^-1/2 itself; eq. (8)'s best prefactor would make alpha 2 at phi = 1/2")


def _descent(bound: str, beta: Fraction, gamma: Fraction, delta: Fraction) -> tuple[float, float]:
    """The decay of a bound along a schedule from T = 1e40 to 1e60, and how far it may be from the slowest term's.

    The risk lies between its largest term and as many times that as it has terms, and the largest
    coefficient is 7/2 times the smallest at most.
    """
    T = np.array([FAR, FARTHER])
    at = {"b": T ** float(beta), "alpha": T ** -float(gamma), "eta": T ** -float(delta)}
    risk = BOUNDS[bound].risk(T=T, **at)
    span = np.log(FARTHER / FAR)
    coefficients = [float(term.number) for term in BOUNDS[bound].terms]
    spread = len(coefficients) * max(coefficients) / min(coefficients)
    return float(-np.log(risk[1] / risk[0]) / span), float(np.log(spread) / span)


@claim(
    "S.cor2.ceiling",
    "Corollary 2, eqs. (38), (40)",
    "for 1/2 < phi < 1 the best rate is b^(1/2) T^-1/2 = T^(-(1 - phi)/2)",
)
def cor2_ceiling() -> Finding:
    readings: list[Reading] = []
    for beta in FAST:
        found = slope("risk", -schedules.ceiling(beta), setting("eta", "alpha", b=beta), EQ4, EQ11)
        readings += [replace(one, what=f"{one.what}, b = T^{beta}") for one in found]
    return Finding(tuple(readings))


@claim("S.eq30", "eqs. (30), (31)", "the five terms decay as r1 to r5")
def eq30() -> Finding:
    drawn = _drawn()
    agree = all(_decays(*one) == schedules.decay(*one) for one in drawn)
    return Finding((Reading(f"all of {len(drawn)} random schedules agree", "exact", agree, True),))


@claim("S.eq32", "eq. (32)", "the bound is Theta(T^-min r) where all r > 0")
def eq32() -> Finding:
    drawn = [one for one in _drawn() if min(schedules.decay(*one)) > 0]
    gaps = []
    for one in drawn:
        measured, error = _descent(EQ11, *one)
        gaps.append((abs(measured - float(min(schedules.decay(*one)))), error))
    gap, error = max(gaps)
    return Finding(
        (Reading(f"largest |decay - min r|, {len(drawn)} schedules", "arithmetic", gap, 0.0, error),),
        "tolerance: five terms, coefficients within 7/2, over twenty decades",
    )


@claim("S.eq36", "eq. (36)", "on eq. (34)'s schedule burn-in is (b T)^-1/2 <= T^-1/2, and eta is b T^-3/4 <= T^-1/4")
def eq36() -> Finding:
    readings = []
    for beta in SLOW:
        terms = _decays(beta, *schedules.proposed(beta))
        burn_in, drift = schedules.remaining(beta)
        readings += [
            Reading(f"burn-in's decay, b = T^{beta}", "exact", terms[1], burn_in),
            at_least(f"burn-in's decay, b = T^{beta}, bound", "exact", terms[1], Fraction(1, 2)),
            Reading(f"eta's decay, b = T^{beta}", "exact", terms[3], drift),
            at_least(f"eta's decay, b = T^{beta}, bound", "exact", terms[3], QUARTER),
        ]
    return Finding(tuple(readings))


@claim("S.eq37", "eq. (37)", "there U_T <~ C1 T^-1/4 + C2 (b T)^-1/2, the constants free of b and T")
def eq37() -> Finding:
    """The constants that the terms add up to: Delta0 + 2 rho sigma + 2 L + 7/2 L, and 2 rho sigma."""
    T = np.geomspace(1e2, FARTHER, 30)
    ratios = []
    for beta in np.linspace(0.0, 0.5, 11):
        b = T**beta
        risk = BOUNDS[EQ11].risk(T=T, b=b, alpha=b * T**-0.5, eta=b * T**-0.75)
        ratios.append(risk / (8.5 * T**-0.25 + 2 * (b * T) ** -0.5))
    # Both sides are sums of a few rounded products: ten roundings.
    return Finding(
        (at_most("largest ratio, Delta0 = L = rho sigma = 1", "arithmetic", float(np.max(ratios)), 1.0, 10 * EPS),)
    )


@claim("S.eq38", "eq. (38)", "progress and eta alone cap the decay at (1 - beta)/2")
def eq38() -> Finding:
    return Finding(_hard_terms("risk"))


@claim("S.eq39", "eq. (39)", "with equality at eta = T^(-(1 - beta)/2)")
def eq39() -> Finding:
    whole: list[Reading] = []
    for beta in FAST:
        found = slope("eta", -schedules.ceiling(beta), setting("eta", "alpha", b=beta), EQ4)
        whole += [replace(one, what=f"{one.what}, b = T^{beta}") for one in found]
    return Finding(together(_hard_terms("eta"), whole), "also with all five terms kept and alpha tuned")


def _hard_terms(name: str) -> tuple[Reading, ...]:
    """The exponent on the two terms b Delta0/(eta T) and 7/2 L eta alone."""
    bound = BOUNDS[EQ11]
    hard = replace(bound, terms=(bound.terms[0], bound.terms[3]), name="two terms")
    readings: list[Reading] = []
    for beta in FAST:
        found = slope(name, -schedules.ceiling(beta), setting("eta", b=beta), hard, called=f"two terms, b = T^{beta}")
        readings += found
    return tuple(readings)


@claim(
    "S.eq40.remaining",
    "after eq. (40)",
    "at alpha = 1 the remaining terms decay strictly faster than T^(-(1 - beta)/2)",
)
def remaining() -> Finding:
    readings, slowest = [], []
    for beta in FAST:
        best = schedules.ceiling(beta)
        terms = _decays(beta, Fraction(0), best)
        rest = (terms[1], terms[2], terms[4])
        listed = schedules.aggressive_remaining(beta)
        readings.append(Reading(f"they decay as listed, beta = {beta}", "exact", rest == listed, True))
        readings.append(Reading(f"all decay strictly faster, beta = {beta}", "exact", min(rest) > best, True))
        slowest.append(rest[2] - best)
    return Finding(
        tuple(readings),
        f"eta/alpha is listed among them with the very exponent (1 - beta)/2: it is of the same order "
        f"(difference {max(slowest)}), so the rate stands and the reason given does not",
    )


@claim("S.eq41", "eq. (41)", "there the rate is K^-1/2: the bound becomes iteration-limited")
def eq41() -> Finding:
    """The risk over its deterministic part alone, 2 (C1 C3 (1 + 1/alpha)/K)^(1/2) at alpha = 1."""
    T = np.array([FAR, FARTHER])
    readings = []
    for beta in FAST:
        found = refined(EQ4, setting("eta", "alpha", b=beta), T)
        deterministic = 2 * np.sqrt(2 / T ** (1 - float(beta)))
        what = f"risk over the deterministic part, b = T^{beta}"
        readings.append(settles(what, "refined", found.risk / deterministic))
    return Finding(tuple(readings))
