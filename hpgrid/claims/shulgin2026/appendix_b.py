"""Appendices B.3, B.5 and B.6: eq. (11) minimised step by step, power-law schedules (Corollary 2), and SGD."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import product
from random import Random

import numpy as np

from hpgrid.claims import measures as m
from hpgrid.claims.ledger import Measured, claim, claims
from hpgrid.proxy import Proxy
from hpgrid.readings import Reading, of_exponent
from hpgrid.theory import schedules, theorems, token_optimum

CONSTANTS = ("Delta0", "L", "rho", "sigma")
ALPHAS = (1e-6, 1e-2, 1.0)

#: What step 1 and step 2 are measured at: tokens, and constants such that b* > 1.
TOKENS = np.array([1e12, 1e25, 1e40])


#: Random constants.
DRAWN = m.draws(*CONSTANTS)


@claims(
    ("S.eq12", "eq. (12)", "eta_T*(alpha, b) = (b Delta0/(T L (7/2 + 2/alpha)))^(1/2)", "eta", "learning_rate"),
    ("S.eq13", "eq. (13)", "min over eta of U_T is Phi_T(alpha, b)", "risk", "risk_of_batch"),
)
def step_1(name: str, form: str) -> Measured:
    """The optimum over eta against a closed form, at nine pairs of b and alpha."""
    measured, predicted = [], []
    constants = m.noisy(DRAWN)
    if name == "eta":  # which does not depend on the noise
        del constants["noise"]
    for b, alpha in product((1.0, 1e3, 1e9), ALPHAS):
        measured.append(m.best(name, m.EQ11, m.setting("eta", b=b, alpha=alpha), TOKENS, **DRAWN))
        predicted.append(getattr(token_optimum, form)(TOKENS, b, alpha, **constants))
    yield m.same("8 random constants, 9 (b, alpha), 3 T", "refined", measured, predicted)


@claim("S.eq14", "eqs. (14), (15)", "Phi_T = A_T s + B/s, s = b^(1/2), with A_T and B as printed")
def eq14() -> Measured:
    """A_T and B from the refined risk at two batch sizes, which solve for them; then a third."""
    alpha, T = 0.01, np.array([1e12])
    rising, falling = token_optimum.split(T, alpha, 1.0, 1.0, 1.0)
    root = np.sqrt([1e2, 1e4, 1e6])
    phi = np.array([m.best("risk", m.EQ11, m.setting("eta", b=s * s, alpha=alpha), T)[0] for s in root])
    # Two batch sizes determine A_T and B; the condition number, columns scaled, is what that costs of the digits.
    matrix = np.column_stack([root, 1 / root])
    A, B = np.linalg.solve(matrix[[0, 2]], phi[[0, 2]])
    tolerance = m.SOLVER * float(np.linalg.cond(matrix[[0, 2]] * [A, B]))
    yield m.same("A_T from the risk at b = 1e2, 1e6", "refined", A, rising[0], tolerance)
    yield m.same("B from the risk at b = 1e2, 1e6", "refined", B, falling, tolerance)
    yield m.same("A_T s + B/s at b = 1e4", "refined", phi[1], matrix[1] @ [A, B], tolerance)


@claims(
    ("S.eq16", "eq. (16)", "b_T*(alpha) = B/A_T", "b", "batch_size"),
    ("S.eq17", "eq. (17)", "min over b of Phi_T is 2 (A_T B)^(1/2)", "risk", "risk", "where b* > 1"),
    ("S.eq18", "eq. (18)", "min over b of Phi_T is Psi_T(alpha), simplified", "risk", "risk_simplified",
     "the same measurement as S.eq17"),
)  # fmt: skip
def step_2(name: str, form: str, note: str = "") -> Measured:
    """The optimum over eta and b against a closed form, at three momenta, where b* > 1."""
    constants = m.noisy(DRAWN)
    for alpha in ALPHAS:
        optimum = m.refined(m.EQ11, m.setting("eta", "b", alpha=alpha), TOKENS, **DRAWN)
        # b = 1 is a wall that the closed form does not know.
        inside = optimum.active["b"] == 0
        predicted = np.broadcast_to(getattr(token_optimum, form)(TOKENS, alpha, **constants), inside.shape)
        what = f"alpha = {alpha:g}, {inside.sum()} with b* > 1"
        yield m.same(what, "refined", m.value(optimum, name)[inside], predicted[inside])
    yield note


def _joint(T: m.Array) -> tuple[m.Array, m.Array, dict[str, m.Array]]:
    """The joint optimum's alpha where all three are inside their bounds, with the constants and budgets there."""
    optimum = m.refined(m.EQ11, m.JOINT, T, **DRAWN)
    inside = (optimum.active["b"] == 0) & (optimum.active["alpha"] == 0)
    constants = {name: np.broadcast_to(x, inside.shape)[inside] for name, x in m.noisy(DRAWN).items()}
    return m.value(optimum, "alpha")[inside], np.broadcast_to(T, inside.shape)[inside], constants


@claim("S.eq19", "eq. (19)", "alpha* minimises g_T: g_T'(alpha*) = 0")
def eq19() -> Measured:
    alpha, T, constants = _joint(np.array([1e8, 1e20, 1e40]))
    # d log(ratio of the two sides) / d log alpha lies between 1 and 3/2.
    ratio = token_optimum.stationarity(T, alpha, **constants)
    yield m.same(f"the two sides of g' = 0, {alpha.size} optima", "refined", ratio, 1.0, 1.5 * m.SOLVER)


@claim(
    "S.eq20",
    "eqs. (20), (21)",
    "alpha_T* is the one positive root of (7/2)^2 Delta0 L T alpha^3 - 7/2 s^2 alpha - 2 s^2, s = rho sigma",
)
def eq20() -> Measured:
    T = np.array([1e8, 1e20, 1e40, 1e60])
    alpha, tokens, constants = _joint(T)
    root = token_optimum.momentum_complement(tokens, **constants)
    # Alpha itself spans seventeen decades over these budgets: the roots are counted in u = alpha T^(1/3), of order 1.
    # A u^3 - B T^(-1/3) u - C = 0.
    cubics = [(*token_optimum.cubic(D, L, n), t) for D, L, n, t in zip(*constants.values(), tokens)]
    roots = np.array([np.roots([A, 0.0, -B * t ** (-1 / 3), -C]) for A, B, C, t in cubics])
    one = ((roots.imag == 0) & (roots.real > 0)).sum(1) == 1
    yield m.same(f"alpha* over the root, {alpha.size} optima, T to 1e60", "refined", alpha, root)
    yield Reading("each has one positive root", "arithmetic", bool(one.all()), True)


@claim("S.eq22", "eq. (22)", "alpha_T* ~ 2/7^(2/3) (rho sigma)^(2/3)/(Delta0 L)^(1/3) T^-1/3")
def eq22() -> Measured:
    measured = m.best("alpha", m.EQ11, m.JOINT, **DRAWN) * m.FAR_OUT ** (1 / 3)
    constants = (x[:, 0] for x in m.noisy(DRAWN).values())
    predicted = np.array([[token_optimum.leading(*each)] for each in zip(*constants)])
    yield m.settles("alpha* T^(1/3) over the constant, 8 random", "refined", measured / predicted)
    constant = m.law_at(m.EQ11, m.JOINT, "alpha", 1.0)
    yield m.same("the law's constant", "exact", constant, token_optimum.leading(1.0, 1.0, 1.0))
    for x, p in token_optimum.LEADING.items():
        yield m.power_law(f"alpha ~ {x}^p", p, m.EQ11, m.JOINT, "alpha", x)
    yield from m.slope("alpha", token_optimum.EXPONENTS["alpha"], m.JOINT, m.EQ11)


@claim("S.B3.correction", "after eq. (22)", "alpha* = u0 T^-1/3 + u1 T^-2/3 + O(T^-1), u1 = B/(3 A^(2/3) C^(1/3))")
def correction() -> Measured:
    T = np.array([1e6, 1e8, 1e10, 1e12])
    alpha = m.best("alpha", m.EQ11, m.JOINT, T)
    u0, u1 = token_optimum.leading(1.0, 1.0, 1.0), token_optimum.correction(1.0, 1.0, 1.0)
    coefficient = (alpha * T ** (1 / 3) - u0) * T ** (1 / 3)
    remainder = np.abs(alpha - u0 * T ** (-1 / 3) - u1 * T ** (-2 / 3))
    order = np.log10(remainder[1] / remainder[0]) / 2
    # What the next budget still changes, and the solver's error grown by the two terms' ratio.
    tolerance = m.worst(coefficient[3], coefficient[2]) + m.SOLVER * u0 / u1 * 1e4
    yield m.same("u1 from alpha* at T = 1e12", "refined", coefficient[3], u1, tolerance)
    yield m.at_most("remainder ~ T^p, T = 1e6 to 1e8", "refined", float(order), -1.0)
    yield f"the remainder is smaller than stated, T^({order:.3f}): the T^-1 term vanishes, the cubic having no square"


@claim("S.eq23", "eq. (23)", "on eq. (11) b* ~ T^1/6, K* ~ T^5/6, eta* ~ T^-7/12")
def eq23() -> Measured:
    law = token_optimum.EXPONENTS
    yield from m.slope("b", law["b"], m.JOINT, m.EQ11)
    yield m.tends("K = T/b ~ T^p, eq. (11)", 1 - m.local(m.EQ11, m.JOINT, "b"), law["K"])
    yield from m.slope("eta", law["eta"], m.JOINT, m.EQ11)


@claim("S.B3.dropped", "B.3, step (c)", "2 rho sigma/(alpha T) becomes of lower order in A_T at alpha*")
def dropped() -> Measured:
    alpha = m.best("alpha", m.EQ11, m.JOINT)
    whole, _ = token_optimum.split(m.FAR_OUT, alpha, 1.0, 1.0, 1.0)
    share = 2 / (alpha * m.FAR_OUT) / whole
    order = float(np.log10(share[1] / share[0]) / 20)
    yield m.below("its share of A_T ~ T^p", "refined", order, 0.0)
    yield f"it falls as T^({order:.4f})"


@claim("S.B3.rate", "after eq. (23)", "the rate is (Delta0 L)^(1/4) (rho sigma)^(1/2) T^-1/4")
def rate() -> Measured:
    yield from m.slope("risk", token_optimum.RATE["T"], m.JOINT, m.EQ11)
    # One constant moves by a decade, so that log10 of the ratio is its power.
    for name in CONSTANTS:
        what, predicted = f"risk ~ {name}^p", token_optimum.RATE[name]
        low, high = m.best("risk", m.EQ11, m.JOINT, **{name: np.array([1.0, 10.0])})
        yield m.tends(what, np.log10(high / low), predicted)
        yield m.power_law(what, predicted, m.EQ11, m.JOINT, "risk", name)
    yield f"the constant is {m.law_at(m.EQ11, m.JOINT, 'risk', 1.0):.5g}"


QUARTER = -theorems.THEOREM_1["risk"]
EPS = float(np.finfo(float).eps)

#: Corollary 2's paths, on both sides of 1/2.
SLOW = (Fraction(0), Fraction(1, 6), Fraction(1, 3), Fraction(1, 2))
FAST = (Fraction(3, 5), Fraction(3, 4), Fraction(9, 10))


def _decays(beta: Fraction, gamma: Fraction, delta: Fraction) -> tuple[Fraction, ...]:
    """How each of eq. (11)'s five terms decays along b = T^beta, alpha = T^-gamma, eta = T^-delta."""
    from hpgrid.asymptotics import decay

    return tuple(-r for _, r in decay(m.BOUNDS[m.EQ11], path={"b": beta, "alpha": -gamma, "eta": -delta}))


def _schedules(n: int = 400, seed: int = 5) -> list[tuple[Fraction, Fraction, Fraction]]:
    """Seeded schedules: beta in [0, 1], gamma in [0, 1], delta in [0, 2]."""
    random = Random(seed)

    # Of twelfths some terms tie, which they never would for random floats.
    def twelfths(most: int) -> Fraction:
        return Fraction(random.randint(0, 12 * most), 12)

    return [(twelfths(1), twelfths(1), twelfths(2)) for _ in range(n)]


@claim(
    "S.cor2.rate",
    "Corollary 2, eqs. (34), (35)",
    "for b = T^phi, phi <= 1/2, alpha = b T^-1/2, eta = b T^-3/4 leads to T^-1/4",
)
def cor2_rate() -> Measured:
    for beta in SLOW:
        terms = _decays(beta, *schedules.proposed(beta))
        yield Reading(f"slowest term's decay, b = T^{beta}, eq. (11)", "exact", min(terms), QUARTER)
        measured, error = _descent(m.EQ4, beta, *schedules.proposed(beta))
        yield of_exponent(f"risk ~ T^-p, b = T^{beta}, eq. (4)", "arithmetic", measured, QUARTER, error)
    yield "alpha = b T^-1/2 itself; eq. (8)'s best prefactor would make alpha 2 at phi = 1/2"


def _descent(bound: str, beta: Fraction, gamma: Fraction, delta: Fraction) -> tuple[float, float]:
    """The decay of a bound along a schedule from T = 1e40 to 1e60, and how far it may be from the slowest term's.

    The risk lies between its largest term and as many times that as it has terms, and the largest
    coefficient is 7/2 times the smallest at most.
    """
    T = m.FAR_OUT
    at = {"b": T ** float(beta), "alpha": T ** -float(gamma), "eta": T ** -float(delta)}
    risk = m.BOUNDS[bound].risk(T=T, **at)
    span = np.log(m.FARTHER / m.FAR)
    coefficients = [float(term.number) for term in m.BOUNDS[bound].terms]
    spread = len(coefficients) * max(coefficients) / min(coefficients)
    return float(-np.log(risk[1] / risk[0]) / span), float(np.log(spread) / span)


@claim(
    "S.cor2.ceiling",
    "Corollary 2, eqs. (38), (40)",
    "for 1/2 < phi < 1 the best rate is b^(1/2) T^-1/2 = T^(-(1 - phi)/2)",
)
def cor2_ceiling() -> Measured:
    return _along(("eta", "alpha"), "risk", m.EQ4, m.EQ11)


def _along(tuned: tuple[str, ...], name: str, *of: str | Proxy) -> Measured:
    """The exponent on each bound along every fast path b = T^beta."""
    for p in FAST:
        law, where = -schedules.ceiling(p), m.setting(*tuned, b=p)
        yield from m.slope(name, law, where, *of, called="two terms", more=f", b = T^{p}")


@claim("S.eq30", "eqs. (30), (31)", "the five terms decay as r1 to r5")
def eq30() -> Measured:
    drawn = _schedules()
    agree = all(_decays(*one) == schedules.decay(*one) for one in drawn)
    yield Reading(f"all of {len(drawn)} random schedules agree", "exact", agree, True)


@claim("S.eq32", "eq. (32)", "the bound is Theta(T^-min r) where all r > 0")
def eq32() -> Measured:
    drawn = [one for one in _schedules() if min(schedules.decay(*one)) > 0]
    gaps = []
    for one in drawn:
        measured, error = _descent(m.EQ11, *one)
        gaps.append((abs(measured - float(min(schedules.decay(*one)))), error))
    gap, error = max(gaps)
    yield Reading(f"largest |decay - min r|, {len(drawn)} schedules", "arithmetic", gap, 0.0, error)
    yield "tolerance: five terms, coefficients within 7/2, over twenty decades"


@claim("S.eq36", "eq. (36)", "on eq. (34)'s schedule burn-in is (b T)^-1/2 <= T^-1/2, and eta is b T^-3/4 <= T^-1/4")
def eq36() -> Measured:
    for beta in SLOW:
        _, burn_in, _, drift, _ = _decays(beta, *schedules.proposed(beta))
        decays = {"burn-in": (burn_in, Fraction(1, 2)), "eta": (drift, QUARTER)}
        for (name, (decay, least)), law in zip(decays.items(), schedules.remaining(beta)):
            yield Reading(f"{name}'s decay, b = T^{beta}", "exact", decay, law)
            yield m.at_least(f"{name}'s decay, b = T^{beta}, bound", "exact", decay, least)


@claim("S.eq37", "eq. (37)", "there U_T <~ C1 T^-1/4 + C2 (b T)^-1/2, the constants free of b and T")
def eq37() -> Measured:
    """The constants that the terms add up to: Delta0 + 2 rho sigma + 2 L + 7/2 L, and 2 rho sigma."""
    T = np.geomspace(1e2, m.FARTHER, 30)
    ratios = []
    for beta in np.linspace(0.0, 0.5, 11):
        b = T**beta
        risk = m.BOUNDS[m.EQ11].risk(T=T, b=b, alpha=b * T**-0.5, eta=b * T**-0.75)
        ratios.append(risk / (8.5 * T**-0.25 + 2 * (b * T) ** -0.5))
    # Both sides are sums of a few rounded products: ten roundings.
    yield m.at_most("largest ratio, Delta0 = L = rho sigma = 1", "arithmetic", float(np.max(ratios)), 1.0, 10 * EPS)


#: b Delta0/(eta T) and 7/2 L eta alone.
HARD = replace(m.BOUNDS[m.EQ11], terms=m.BOUNDS[m.EQ11].terms[:4:3], name="two terms")


@claim("S.eq38", "eq. (38)", "progress and eta alone cap the decay at (1 - beta)/2")
def eq38() -> Measured:
    return _along(("eta",), "risk", HARD)


@claim("S.eq39", "eq. (39)", "with equality at eta = T^(-(1 - beta)/2)")
def eq39() -> Measured:
    yield from _along(("eta",), "eta", HARD)
    yield from _along(("eta", "alpha"), "eta", m.EQ4)
    yield "also with all five terms kept and alpha tuned"


@claim(
    "S.eq40.remaining",
    "after eq. (40)",
    "at alpha = 1 the remaining terms decay strictly faster than T^(-(1 - beta)/2)",
)
def remaining() -> Measured:
    slowest = []
    for beta in FAST:
        best = schedules.ceiling(beta)
        terms = _decays(beta, Fraction(0), best)
        rest = (terms[1], terms[2], terms[4])
        listed = schedules.aggressive_remaining(beta)
        yield Reading(f"they decay as listed, beta = {beta}", "exact", rest == listed, True)
        yield Reading(f"all decay strictly faster, beta = {beta}", "exact", min(rest) > best, True)
        slowest.append(rest[2] - best)
    yield (
        f"eta/alpha is listed among them with the very exponent (1 - beta)/2: it is of the same order "
        f"(difference {max(slowest)}), so the rate stands and the reason given does not"
    )


@claim("S.eq41", "eq. (41)", "there the rate is K^-1/2: the bound becomes iteration-limited")
def eq41() -> Measured:
    """The risk over its deterministic part alone, 2 (C1 C3 (1 + 1/alpha)/K)^(1/2) at alpha = 1."""
    for beta in FAST:
        risk = m.best("risk", m.EQ4, m.setting("eta", "alpha", b=beta))
        deterministic = 2 * np.sqrt(2 / m.FAR_OUT ** (1 - float(beta)))
        yield m.settles(f"risk over the deterministic part, b = T^{beta}", "refined", risk / deterministic)


AT_BATCH = m.setting("eta", b=32.0)


@claim("S.sgd.eta", "section 4; B.6; App. A", "at a fixed batch size eta* ~ b T^-1/2: linear scaling")
def eta() -> Measured:
    yield from m.slope("eta", theorems.SGD_IN_T["T"], AT_BATCH, m.SGD)
    yield from m.power("eta", "b", theorems.SGD_IN_T["b"], AT_BATCH, m.SGD)


@claim(
    "S.sgd.iterations",
    "eq. (42), B.6",
    "at fixed K eta* ~ (b/K)^(1/2) and the bound is (Delta0 L sigma^2/(b K))^(1/2): larger b helps",
)
def iterations() -> Measured:
    regime = m.setting("eta", budget="K", b=32.0)
    K = np.array([1e8, 1e20])
    measured = [m.refined(m.SGD, m.holding(regime, b=b), K).risk for b in (1.0, 32.0)]
    closed = [theorems.sgd_risk_in_K(K, b, 1.0, 1.0, 1.0) for b in (1.0, 32.0)]
    yield from m.slope("eta", theorems.SGD_IN_K["K"], regime, m.SGD)
    yield from m.power("eta", "b", theorems.SGD_IN_K["b"], regime, m.SGD)
    yield m.same("risk over twice the closed form", "refined", np.divide(measured, closed), 2.0)
    yield "'<~' hides a factor of 2"


@claim("S.sgd.independent", "section 3.1; B.6", "after tuning eta, SGD's bound depends on T alone, not on b")
def independent() -> Measured:
    T = 1e16
    *risks, last = m.along(m.SGD, m.setting("eta", "b"), "b", [1.0, 1e3, 1e6, 1e8, 1e10], T).risk
    beyond = float(last / risks[0])
    yield m.same("risk at b = 1 to T^(1/2), T = 1e16", "refined", risks, 2 * theorems.sgd_risk(T, 1.0, 1.0, 1.0))
    yield f"as long as eta* <= 1/L, b <= sigma (T/(Delta0 L))^(1/2); at b = 100 T^(1/2) it is {beyond:.3g} times that"


@claim("S.sgd.nobatch", "section 3.1; section 4; B.6", "SGD has no non-trivial token-optimal batch size")
def nobatch() -> Measured:
    law = m.exact(m.SGD, m.setting("eta", "b"))
    top = law.flat["b"][1] if "b" in law.flat else None
    yield Reading("b stays undetermined", "exact", "b" in law.flat, True)
    yield f"any b from 1 up to T^({top}) is as good; beyond, the cap eta <= 1/L binds"


@claim(
    "S.sgd.minimum",
    "section 4, McCandlish et al.",
    "for SGD a target needs a least step count and a least token budget, but no least batch size",
)
def minimum() -> Measured:
    target = 1e-3

    def steps(b: float, bound: str | Proxy = m.SGD) -> float:
        regime = m.setting("eta", budget="K", b=b)
        return m.crossing(lambda K: m.refined(bound, regime, K).risk > target, 1e-60, 1e60)

    few, fewer = steps(1e20), steps(1e30)
    tokens = [b * steps(b) for b in (1.0, 10.0)]
    uncapped = replace(m.BOUNDS[m.SGD], caps={}, cap_terms={})
    ratio = steps(1e30, uncapped) / steps(1e20, uncapped)
    yield Reading("steps at b = 1e30 over steps at 1e20", "refined", fewer / few, 1.0, 4 * m.SOLVER)
    yield Reading("tokens at b = 1 over tokens at b = 10", "refined", tokens[0] / tokens[1], 1.0, 4 * m.SOLVER)
    yield m.same("tokens at b = 1 over 4 Delta0 L sigma^2/epsilon^2", "refined", tokens[0], 4 / target**2, 4 * m.SOLVER)
    yield f"the least step count comes from eta <= 1/L alone: without that cap the same ratio is {ratio:.1g}"


@claim("S.B6.last", "B.6, last bullet", "with alpha tuned, b*(T) is pinned only by lower-order terms (Theorem 2)")
def last() -> Measured:
    pinned = m.exact(m.LEADING, m.JOINT).exponent["b"] is not None
    yield Reading("exponent of b*, eq. (4)", "exact", m.exponent(m.EQ4, m.JOINT, "b"), theorems.THEOREM_3["b"])
    yield Reading("Theorem 2's terms pin b", "exact", pinned, True)
    yield "Theorem 3 is meant: Theorem 2 fixes b, and its proof's proxy, eq. (43)'s three terms, leaves b undetermined"
