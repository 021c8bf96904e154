"""Theorem 2, Appendix B.2 and Remark 4: learning rate and momentum at a fixed batch size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import numpy as np

from hpgrid import bounds
from hpgrid.claims.ledger import Finding, Reading, claim
from hpgrid.claims.readings import at_most, on_grid, power, same, settles, slope, together
from hpgrid.claims.routes import (
    EQ4,
    EQ5,
    EQ11,
    FAR,
    FARTHER,
    LEADING,
    Array,
    Setting,
    columns,
    draws,
    elasticity,
    exponent,
    law_at,
    refined,
    setting,
    value,
)
from hpgrid.proxy import Proxy
from hpgrid.theory import fixed_batch, iterations
from hpgrid.theory.batch_paths import tuned, tuned_alpha

HALF = Fraction(1, 2)

#: eta and alpha at the batch size of Figure 2, in tokens; in iterations at b = 32.
AT_BATCH = setting("eta", "alpha", b=1072.0)
IN_K = setting("eta", "alpha", budget="K", b=32.0)
HELD = setting("eta", b=32.0, alpha=1e-3)


@claim("S.thm2.eta", "Theorem 2", "eta_T*(b, alpha) ~ b^1/2 alpha^1/2 T^-1/2, where alpha is small")
def eta_small_alpha() -> Finding:
    return Finding(
        together(
            slope("eta", -HALF, HELD, LEADING),
            power("eta", "b", HALF, HELD, LEADING),
            power("eta", "alpha", HALF, HELD, LEADING, between=(1e-2, 1.0)),
            power("eta", "alpha", HALF, HELD, EQ4, EQ11, between=(1e-14, 1e-13))[::2],
        ),
        "exact on the three-term proxy that B.2 minimises; on eqs. (4) and (11) read at alpha = 1e-14 to 1e-13",
    )


@claim("S.thm2.eta.any", "Theorem 2", "eta_T*(b, alpha) ~ alpha^1/2 for any alpha in (0, 1] on eq. (5)")
def eta_any_alpha() -> Finding:
    measured, error = elasticity(EQ5, HELD, "eta", "alpha", (0.5, 1.0))
    found = [float(value(refined(EQ5, setting("eta", b=32.0, alpha=a), FAR), "eta")[0]) for a in (1e-9, 1.0)]
    ratio = found[0] / found[1] / np.sqrt(1e-9)
    return Finding(
        (Reading("eta ~ alpha^p, eq. (5), alpha = 0.5 to 1", "refined", measured, HALF, error),),
        f"eta is (alpha/(1 + alpha))^(1/2): the power is 1/2 for small alpha alone, and taking it up to alpha = 1 "
        f"makes eta {ratio:.4g} times too large",
    )


def _at_batch(name: str) -> Finding:
    in_batch = {"alpha": Fraction(1), "eta": Fraction(1), "risk": Fraction(0)}[name]
    return Finding(
        together(
            on_grid("fig2", f"slope of {name}"),
            slope(name, fixed_batch.EXPONENTS[name], AT_BATCH, EQ4, EQ11, EQ5),
            power(name, "b", in_batch, AT_BATCH, EQ4, EQ11),
        )
    )


@claim("S.eq8.alpha", "eq. (8)", "at a fixed batch size alpha_T* ~ b T^-1/2")
def eq8_alpha() -> Finding:
    return _at_batch("alpha")


@claim("S.eq8.eta", "eq. (8)", "at a fixed batch size eta_T* ~ b T^-3/4")
def eq8_eta() -> Finding:
    return _at_batch("eta")


@claim("S.eq8.risk", "eq. (8)", "at a fixed batch size risk_T* ~ T^-1/4, whatever b")
def eq8_risk() -> Finding:
    return _at_batch("risk")


def _in_iterations(name: str, form: Callable[..., Array]) -> Finding:
    """The optimum against a closed form: eq. (43) for random constants, eqs. (4) and (11) far out, the exact law."""
    constants, K = draws("C1", "C2", "C3"), np.array([1e30, 1e45, 1e60])
    found = value(refined(LEADING, IN_K, K, **constants), name)
    readings = [same("8 random C, eq. (43)", "refined", found, form(K, 32.0, **columns(constants)))]
    # Eq. (11)'s leading drift is 2 L eta/alpha, so that its C3 is 2 L, and its C2 is 2 rho sigma.
    for bound, C2, C3 in ((EQ4, 1.0, 1.0), (EQ11, 2.0, 2.0)):
        far = refined(bound, IN_K, [FAR, FARTHER])
        ratio = value(far, name) / form(far.budgets, 32.0, 1.0, C2, C3)
        readings.append(settles(f"over the closed form, {bound}", "refined", ratio))
    law = law_at(EQ4, IN_K, name, FAR)
    readings.append(same("the law at 1e40, eq. (3)", "exact", law, form(FAR, 32.0, 1.0, 1.0, 1.0)))
    powers = iterations.FIXED_BATCH[name]
    return Finding(together(readings, slope(name, powers["K"], IN_K, EQ4), power(name, "b", powers["b"], IN_K, EQ4)))


@claim("S.B2.alpha", "B.2; Table 2 (B), comment", "alpha_K* = 2 (C1 C3)^(1/2)/C2 b^1/2 K^-1/2")
def b2_alpha() -> Finding:
    return _in_iterations("alpha", iterations.tuned_alpha)


@claim("S.B2.eta", "B.2; Table 2 (B), comment; C.3 (ii)", "eta_K* = 2^(1/2) C1^(3/4)/(C2^(1/2) C3^(1/4)) b^1/4 K^-3/4")
def b2_eta() -> Finding:
    return _in_iterations("eta", iterations.tuned_eta)


@claim("S.B2.risk", "B.2", "min risk_K = 2 2^(1/2) C2^(1/2) (C1 C3)^(1/4) b^-1/4 K^-1/4")
def b2_risk() -> Finding:
    return _in_iterations("risk", iterations.tuned_risk)


@claim(
    "S.B2.dropped", "B.2, last paragraph", "the dropped terms, O(b^-1 K^-1/2) and O(b^1/4 K^-3/4), are of lower order"
)
def dropped() -> Finding:
    """At the optimum of eq. (3): C2/(alpha b^(1/2) K) and C3 eta, at two b and two K twenty decades on."""
    values = {b: _dropped_terms(setting("eta", "alpha", budget="K", b=b)) for b in (1e3, 1e4)}
    readings = []
    for name, powers in iterations.DROPPED.items():
        by_K, by_b = _powers_of({b: values[b][name] for b in values})
        for by, (measured, tolerance) in (("K", by_K), ("b", by_b)):
            readings.append(Reading(f"{name} ~ {by}^p", "refined", measured, powers[by], tolerance))
        readings.append(at_most(f"{name} ~ K^p, below the risk's", "refined", by_K[0], Fraction(-1, 4)))
    return Finding(tuple(readings))


#: Budgets a tenth of a decade apart, far out and twenty decades further: two slopes in K.
_PAIRS = np.array([FAR, FAR * 10, FARTHER, FARTHER * 10])


def _dropped_terms(regime: Setting) -> dict[str, np.ndarray]:
    found = refined(EQ4, regime, _PAIRS)
    b = dict(regime.fixed)["b"]
    return {"burn_in": 1 / (value(found, "alpha") * np.sqrt(b) * _PAIRS), "drift": value(found, "eta")}


def _powers_of(values: dict[float, np.ndarray]) -> tuple[tuple[float, float], tuple[float, float]]:
    """The powers of K and of b, each with what it changes by over twenty decades of K."""
    low, high = values.values()
    near, far = np.log10(low[1] / low[0]), np.log10(low[3] / low[2])
    by_b = np.log10(high / low)  # the two b are a factor of ten apart
    rounding = 4e-9  # two logs, each to 1e-9, over one decade
    return (float(far), abs(float(far - near)) + rounding), (float(by_b[2]), abs(float(by_b[2] - by_b[0])) + rounding)


@claim(
    "S.remark4",
    "Remark 4",
    "along any b(T) with alpha* <= 1 (b <~ T^1/2) risk ~ T^-1/4, alpha ~ b T^-1/2, eta ~ b T^-3/4",
)
def remark4() -> Finding:
    readings: list[Reading] = []
    for p in (Fraction(1, 8), Fraction(1, 4), Fraction(3, 8)):
        regime = setting("eta", "alpha", b=p)
        for name, power_of_T in (("risk", Fraction(-1, 4)), ("alpha", tuned_alpha(p)), ("eta", tuned(p))):
            readings += [_along(p, one) for one in slope(name, power_of_T, regime, EQ4)]
    beyond = slope("risk", Fraction(-1, 4), setting("eta", "alpha", b=Fraction(3, 5)), EQ4)
    return Finding(
        tuple(readings),
        f"and not beyond: along b = T^3/5 the risk falls as T^({beyond[1].measured}) "
        f"(refined: {beyond[0].measured:.6g})",
    )


def _along(p: Fraction, reading: Reading) -> Reading:
    return replace(reading, what=f"{reading.what}, b = T^{p}")


@claim("S.remark4.selected", "Remark 4; C.2, II", "it is retaining the burn-in term that selects the b_T* of Theorem 3")
def selected() -> Finding:
    joint = setting("eta", "b", "alpha")
    sixth = Fraction(1, 6)
    with_burn_in = _leading_and_burn_in()
    drift_alone = exponent(EQ5, joint, "b")
    found = slope("b", sixth, joint, EQ4) + slope("b", sixth, joint, with_burn_in, called="eq. (43) and burn-in alone")
    return Finding(
        found,
        f"burn-in does not select it alone: it sends b up to where alpha reaches 1, b ~ T^({found[-1].measured}); "
        f"C3 eta alone, eq. (5), sends it down, to b ~ T^{drift_alone}; 1/6 is the balance of the two",
    )


def _leading_and_burn_in() -> Proxy:
    """Eq. (43)'s three terms and the burn-in term: eq. (4) without C3 eta."""
    whole = bounds.lmo()
    drift = next(term for term in whole.terms if term.exponent("eta") == 1 and not term.exponent("alpha"))
    return replace(whole, terms=tuple(term for term in whole.terms if term is not drift), name="eq. (4) less C3 eta")
