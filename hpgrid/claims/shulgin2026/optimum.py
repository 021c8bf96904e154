"""Appendix B.3: the bound of eq. (11), minimised over eta, then b, then alpha."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

from hpgrid.claims.ledger import Finding, Reading, claim
from hpgrid.claims.readings import at_most, same, settles, slope, together, worst
from hpgrid.claims.routes import (
    EQ11,
    FAR,
    FARTHER,
    SOLVER,
    Array,
    draws,
    law_at,
    noisy,
    power_in,
    refined,
    setting,
    settled,
    unsettled,
    value,
)
from hpgrid.theory import token_optimum as printed

JOINT = setting("eta", "b", "alpha")
CONSTANTS = ("Delta0", "L", "rho", "sigma")
ALPHAS = (1e-6, 1e-2, 1.0)

#: What step 1 and step 2 are measured at: tokens, and constants such that b* > 1.
TOKENS = np.array([1e12, 1e25, 1e40])


def _drawn() -> dict[str, Array]:
    return draws(*CONSTANTS)


def _step_1(name: str, form: Callable[..., Array]) -> Finding:
    """The optimum over eta against a closed form, at nine pairs of b and alpha."""
    found, predicted = [], []
    given = noisy(_drawn())
    if name == "eta":  # which does not depend on the noise
        del given["noise"]
    for b in (1.0, 1e3, 1e9):
        for alpha in ALPHAS:
            found.append(value(refined(EQ11, setting("eta", b=b, alpha=alpha), TOKENS, **_drawn()), name))
            predicted.append(form(TOKENS, b, alpha, **given))
    return Finding((same("8 random constants, 9 (b, alpha), 3 T", "refined", found, predicted),))


@claim("S.eq12", "eq. (12)", "eta_T*(alpha, b) = (b Delta0/(T L (7/2 + 2/alpha)))^(1/2)")
def eq12() -> Finding:
    return _step_1("eta", printed.learning_rate)


@claim("S.eq13", "eq. (13)", "min over eta of U_T is Phi_T(alpha, b)")
def eq13() -> Finding:
    return _step_1("risk", printed.risk_of_batch)


@claim("S.eq14", "eqs. (14), (15)", "Phi_T = A_T s + B/s, s = b^(1/2), with A_T and B as printed")
def eq14() -> Finding:
    """A_T and B from the refined risk at two batch sizes, which solve for them; then a third."""
    alpha, T = 0.01, np.array([1e12])
    rising, falling = printed.split(T, alpha, 1.0, 1.0, 1.0)
    root = np.sqrt([1e2, 1e4, 1e6])
    phi = np.array([value(refined(EQ11, setting("eta", b=s * s, alpha=alpha), T), "risk")[0] for s in root])
    matrix = np.column_stack([root, 1 / root])
    A, B = np.linalg.solve(matrix[[0, 2]], phi[[0, 2]])
    tolerance = SOLVER * float(np.linalg.cond(matrix[[0, 2]] * [A, B]))
    return Finding(
        (
            same("A_T from the risk at b = 1e2, 1e6", "refined", A, rising[0], tolerance),
            same("B from the risk at b = 1e2, 1e6", "refined", B, falling, tolerance),
            same("A_T s + B/s at b = 1e4", "refined", phi[1], matrix[1] @ [A, B], tolerance),
        )
    )


def _step_2(name: str, form: Callable[..., Array]) -> list[Reading]:
    """The optimum over eta and b against a closed form, at three momenta, where b* > 1."""
    given = noisy(_drawn())
    readings = []
    for alpha in ALPHAS:
        found = refined(EQ11, setting("eta", "b", alpha=alpha), TOKENS, **_drawn())
        inside = found.active["b"] == 0
        pair = value(found, name)[inside], np.broadcast_to(form(TOKENS, alpha, **given), inside.shape)[inside]
        readings.append(same(f"alpha = {alpha:g}, {inside.sum()} with b* > 1", "refined", *pair))
    return readings


@claim("S.eq16", "eq. (16)", "b_T*(alpha) = B/A_T")
def eq16() -> Finding:
    return Finding(tuple(_step_2("b", printed.batch_size)))


@claim("S.eq17", "eq. (17)", "min over b of Phi_T is 2 (A_T B)^(1/2)")
def eq17() -> Finding:
    return Finding(tuple(_step_2("risk", printed.risk)), "where b* > 1")


@claim("S.eq18", "eq. (18)", "min over b of Phi_T is Psi_T(alpha), simplified")
def eq18() -> Finding:
    return Finding(tuple(_step_2("risk", printed.risk_simplified)), "the same measurement as S.eq17")


def _joint(T: Array) -> tuple[Array, Array, dict[str, Array]]:
    """The joint optimum's alpha where all three are inside their bounds, with the constants and budgets there."""
    found = refined(EQ11, JOINT, T, **_drawn())
    inside = (found.active["b"] == 0) & (found.active["alpha"] == 0)
    given = {name: np.broadcast_to(x, inside.shape)[inside] for name, x in noisy(_drawn()).items()}
    return value(found, "alpha")[inside], np.broadcast_to(T, inside.shape)[inside], given


@claim("S.eq19", "eq. (19)", "alpha* minimises g_T: g_T'(alpha*) = 0")
def eq19() -> Finding:
    alpha, T, given = _joint(np.array([1e8, 1e20, 1e40]))
    # d log(ratio of the two sides) / d log alpha lies between 1 and 3/2.
    ratio = printed.stationarity(T, alpha, **given)
    return Finding((same(f"the two sides of g' = 0, {alpha.size} optima", "refined", ratio, 1.0, 1.5 * SOLVER),))


@claim(
    "S.eq20",
    "eqs. (20), (21)",
    "alpha_T* is the one positive root of (7/2)^2 Delta0 L T alpha^3 - 7/2 s^2 alpha - 2 s^2, s = rho sigma",
)
def eq20() -> Finding:
    T = np.array([1e8, 1e20, 1e40, 1e60])
    alpha, tokens, given = _joint(T)
    root = printed.momentum_complement(tokens, **given)
    counts = [_positive_roots(*printed.cubic(D, L, n), t) for D, L, n, t in zip(*given.values(), tokens)]
    return Finding(
        (
            same(f"alpha* over the root, {alpha.size} optima, T to 1e60", "refined", alpha, root),
            Reading("each has one positive root", "arithmetic", set(counts) == {1}, True),
        )
    )


def _positive_roots(A: Any, B: Any, C: Any, T: Any) -> int:
    """How many positive roots A u^3 - B T^(-1/3) u - C has, u = alpha T^(1/3)."""
    roots = np.roots([A, 0.0, -B * T ** (-1 / 3), -C])
    return int(((roots.imag == 0) & (roots.real > 0)).sum())


@claim("S.eq22", "eq. (22)", "alpha_T* ~ 2/7^(2/3) (rho sigma)^(2/3)/(Delta0 L)^(1/3) T^-1/3")
def eq22() -> Finding:
    given = noisy(_drawn())
    T = np.array([FAR, FARTHER])
    found = value(refined(EQ11, JOINT, T, **_drawn()), "alpha")
    predicted = np.array([printed.leading(D, L, n) for D, L, n in zip(*(x[:, 0] for x in given.values()))])[:, None]
    powers = {"Delta0": Fraction(-1, 3), "L": Fraction(-1, 3), "rho": Fraction(2, 3), "sigma": Fraction(2, 3)}
    constant = law_at(EQ11, JOINT, "alpha", 1.0)
    return Finding(
        together(
            settles("alpha* T^(1/3) over the constant, 8 random", "refined", found * T ** (1 / 3) / predicted),
            same("the law's constant", "exact", constant, printed.leading(1.0, 1.0, 1.0)),
            (Reading(f"alpha ~ {x}^p", "exact", power_in(EQ11, JOINT, "alpha", x), p) for x, p in powers.items()),
            slope("alpha", printed.EXPONENTS["alpha"], JOINT, EQ11),
        )
    )


@claim("S.B3.correction", "after eq. (22)", "alpha* = u0 T^-1/3 + u1 T^-2/3 + O(T^-1), u1 = B/(3 A^(2/3) C^(1/3))")
def correction() -> Finding:
    T = np.array([1e6, 1e8, 1e10, 1e12])
    alpha = value(refined(EQ11, JOINT, T), "alpha")
    u0, u1 = printed.leading(1.0, 1.0, 1.0), printed.correction(1.0, 1.0, 1.0)
    coefficient = (alpha * T ** (1 / 3) - u0) * T ** (1 / 3)
    remainder = np.abs(alpha - u0 * T ** (-1 / 3) - u1 * T ** (-2 / 3))
    order = np.log10(remainder[1] / remainder[0]) / 2
    # What the next budget still changes, and the solver's error grown by the two terms' ratio.
    tolerance = worst(coefficient[3], coefficient[2]) + SOLVER * u0 / u1 * 1e4
    return Finding(
        (
            same("u1 from alpha* at T = 1e12", "refined", coefficient[3], u1, tolerance),
            at_most("remainder ~ T^p, T = 1e6 to 1e8", "refined", float(order), -1.0),
        ),
        f"the remainder is smaller than stated, T^({order:.3f}): the T^-1 term vanishes, the cubic having no square",
    )


@claim("S.eq23", "eq. (23)", "on eq. (11) b* ~ T^1/6, K* ~ T^5/6, eta* ~ T^-7/12")
def eq23() -> Finding:
    b, tolerance = settled(EQ11, JOINT, "b")
    K = Reading("K = T/b ~ T^p, eq. (11)", "refined", 1 - b, printed.EXPONENTS["K"], tolerance)
    return Finding(
        together(
            slope("b", printed.EXPONENTS["b"], JOINT, EQ11), K, slope("eta", printed.EXPONENTS["eta"], JOINT, EQ11)
        )
    )


@claim("S.B3.dropped", "B.3, step (c)", "2 rho sigma/(alpha T) becomes of lower order in A_T at alpha*")
def dropped() -> Finding:
    T = np.array([FAR, FARTHER])
    alpha = value(refined(EQ11, JOINT, T), "alpha")
    whole, _ = printed.split(T, alpha, 1.0, 1.0, 1.0)
    share = 2 / (alpha * T) / whole
    order = float(np.log10(share[1] / share[0]) / 20)
    return Finding((at_most("its share of A_T ~ T^p", "refined", order, 0.0),), f"it falls as T^({order:.4f})")


@claim("S.B3.rate", "after eq. (23)", "the rate is (Delta0 L)^(1/4) (rho sigma)^(1/2) T^-1/4")
def rate() -> Finding:
    readings = list(slope("risk", printed.RATE["T"], JOINT, EQ11))
    for name in CONSTANTS:
        predicted = printed.RATE[name]
        risks = value(refined(EQ11, JOINT, [FAR, FARTHER], **{name: np.array([1.0, 10.0])}), "risk")
        near, far = np.log10(risks[1] / risks[0])
        tolerance = unsettled(near, far)
        readings.append(Reading(f"risk ~ {name}^p", "refined", float(far), predicted, tolerance))
        readings.append(Reading(f"risk ~ {name}^p", "exact", power_in(EQ11, JOINT, "risk", name), predicted))
    return Finding(tuple(readings), f"the constant is {law_at(EQ11, JOINT, 'risk', 1.0):.5g}")
