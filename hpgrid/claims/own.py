"""hpgrid's own laws: how flat the joint optimum is, when a batch size above 1 pays, and critical batch sizes.

These are of both papers' bounds to one target, and where they say nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import numpy as np

from hpgrid import bounds
from hpgrid.bounds.cesista2025 import Parts, parts as parts_of
from hpgrid.bounds.constants import Constants
from hpgrid.claims.ledger import Measured, claim, claims
from hpgrid.claims.measures import (
    EQ4,
    FAR,
    FARTHER,
    JOINT,
    SOLVER,
    at_most,
    draws,
    exact,
    refined,
    same,
    setting,
    settles,
    unsettled,
    value,
)
from hpgrid.claims.shulgin2026.theorems import ROUNDING, points
from hpgrid.critical import tokens
from hpgrid.critical.critical_batch import FOUND, NEAR, critical_batch
from hpgrid.critical.tokens import iterations_of_mean
from hpgrid.grid import Grid
from hpgrid.proxy import Proxy
from hpgrid.readings import Reading, of_exponent
from hpgrid.refinement.profile import bisect
from hpgrid.search.brute import grid_search
from hpgrid.slopes import fit_slope
from hpgrid.theory import batch_sizes as theory, iso_loss, theorems

#: Constants C1, C2, C3 with the noise weak, even and strong.
TRIPLES = ((0.3, 0.2, 5.0), (1.0, 1.0, 1.0), (2.0, 2.0, 0.7))


def _named(triple: tuple[float, float, float]) -> dict[str, Any]:
    return dict(zip(("C1", "C2", "C3"), triple))


@claim("H.curve", "theory.theorems", "T and b of the joint optimum are closed forms of alpha, whatever C1, C2, C3")
def curve() -> Measured:
    alpha = np.logspace(-10, -3, 8)
    for triple in TRIPLES:
        T, b, eta = theorems.theorem3_curve(alpha, *triple)
        optimum = refined(EQ4, JOINT, T, **_named(triple))
        inside = b >= 1
        for v, x in zip(("alpha", "b", "eta"), (alpha, b, eta)):
            yield same(f"{v}, C = {triple}", "refined", optimum.at[v][inside], x[inside])


@claim(
    "H.scaling", "eq. (4)", "b*, alpha*, eta* (C3/C1)^(1/2) and risk* (C1 C3)^(-1/2) hang on C2 (C1 C3)^(-1/2) alone"
)
def scaling() -> Measured:
    """The optima at random constants over those at 1, C2 (C1 C3)^(-1/2), 1; and eq. (4) itself at random points."""
    constants, T = draws("C1", "C2", "C3"), np.array([1e4, 1e12, 1e22])
    C1, C2, C3 = constants.values()
    rate, size = np.sqrt(C1 / C3)[:, None], np.sqrt(C1 * C3)[:, None]
    scaled, plain = (refined(EQ4, JOINT, T, **at) for at in (constants, {"C2": C2 / size[:, 0]}))
    units: dict[str, Any] = {"b": 1.0, "alpha": 1.0, "eta": rate, "risk": size}
    for name, unit in units.items():
        yield same(f"{name}*, 8 random C, 3 T", "refined", value(scaled, name), value(plain, name) * unit)
    at = points("T")
    whole = [
        bounds.lmo(C1=c1, C2=c2, C3=c3).risk(**{**at, "eta": at["eta"] * r}) for c1, c2, c3, r in zip(C1, C2, C3, rate)
    ]
    one = [bounds.lmo(C2=float(c2 / k)).risk(**at) * k for c2, k in zip(C2, size[:, 0])]
    yield same("eq. (4), 1000 points", "arithmetic", whole, one, 2 * ROUNDING)


@claim(
    "H.halflife", "Theorem 2", "momentum's half-life in tokens, b log 2/-log beta*, is free of b and grows as T^(1/2)"
)
def half_life() -> Measured:
    T = np.array([FAR, 10 * FAR, FARTHER, 10 * FARTHER])
    lives = np.array(
        [b / -np.log1p(-value(refined(EQ4, setting("eta", "alpha", b=b), T), "alpha")) for b in (32.0, 256.0)]
    )
    near, far = np.log10(lives[0, 1::2] / lives[0, ::2])
    yield settles("half-life at b = 256 over that at 32", "refined", (lives[1] / lives[0])[::2])
    yield of_exponent("half-life ~ T^p", "refined", float(far), 0.5, unsettled(near, far) + SOLVER)
    yield "so that beta to beta^kappa for b to kappa b is right at a fixed budget, and not from one budget to another"


@claim("H.tolerance", "slopes.fit_slope", "of n even points, each within h, a slope is off by at most 3 h/R n/(n + 1)")
def tolerance() -> Measured:
    """Over ten decades: attained where each point errs away from the middle, exceeded by no random errors."""
    n, h = 100, 0.1  # an even number of points: for an odd one n/(n + 1) is n/(n - 1/n)
    x = np.geomspace(1e12, 1e22, n)
    u = np.log(x)
    span = float(u[-1] - u[0])
    law = 3 * h / span * n / (n + 1)
    side = np.sign(u - u.mean())
    random = np.random.default_rng(2026).uniform(-h, h, (1000, n))
    measured = [fit_slope(x, x**0.5 * np.exp(off), step=h) for off in (h * side, *random)]
    worst, *others = (abs(fit.slope - 0.5) for fit in measured)
    rounded = n * np.finfo(float).eps * (1 + float(u[-1]) / 2) / h  # which the fit's error allows for
    yield same("the fit's error over it", "arithmetic", measured[0].error, law, ROUNDING * n + rounded)
    yield same("attained over it", "arithmetic", worst, law, SOLVER)
    yield at_most("largest of 1000 random errors over it", "sampled", max(others) / law, 1.0, SOLVER)


@claim("H.regret", "theory.theorems", "a decade off the joint optimum, the others re-tuned, costs ~ T^(-1/3)")
def regret() -> Measured:
    from hpgrid.refinement import regret as excess

    for v in JOINT.regime.tuned:
        risks = excess(bounds.lmo(), v, 10, tuned=JOINT.regime.tuned, T=[FAR, 10 * FAR, FARTHER])
        near, far, farther = np.log(risks)
        local, whole = (far - near) / np.log(10), (farther - near) / np.log(FARTHER / FAR)
        tolerance = abs(local - whole) + 2 * SOLVER
        yield of_exponent(f"regret of {v} ~ T^p", "refined", local, theorems.REGRET_EXPONENT, tolerance)
    levels = [level.exponent for level in exact(EQ4, JOINT).levels]
    yield Reading("level 2 less level 1", "exact", levels[1] - levels[0], theorems.REGRET_EXPONENT)


@claim("H.fine", "Figure 9", "with 1000 values an axis the joint argmin of b still wanders by more than a step")
def fine() -> Measured:
    """Grids of 100 and of 1000 values an axis, 1e8 and 1e12 points, where b* is above 1."""
    grids, off, excess = {n: Grid.footnote(n) for n in (100, 1000)}, {}, {}
    for n, grid in grids.items():
        best = grid_search(bounds.lmo(), grid, ("eta", "b", "alpha"))
        truth = refined(EQ4, JOINT, best.axes["T"])
        inside = truth.at["b"] > 1
        off[n] = np.abs(np.log10(best.at["b"] / truth.at["b"]))[inside]
        excess[n] = float(np.log(best.risk / truth.risk)[inside].max())
    step, first = grids[1000].axes["b"].step / np.log(10), best.axes["T"][inside]
    yield Reading("largest |log10 b_hat/b*|, 1000 values", "grid", float(off[1000].max()), step, relation=">=")
    yield (
        f"it lies up to {off[1000].max():.2f} decades off, {off[100].max():.1f} at 100 values, by more than a step "
        f"from T = {first[off[1000] > step][0]:.0e} on; it costs at most {excess[1000]:.0e} of the risk, "
        f"{excess[100]:.0e} at 100 values. alpha/b and eta/b are identifiable on both, eta, b, alpha alone on neither"
    )


@cache
def _ends(triple: tuple[float, float, float], within: float) -> tuple[float, float]:
    """How far a near-optimal interval's ends are from their laws, relatively; below b = 1 too, where the lower lies."""
    from hpgrid.refinement import flatness

    proxy = bounds.lmo(**_named(triple))
    interval = flatness(proxy, within=within, tuned=JOINT.regime.tuned, T=FAR, limits={"b": (1e-60, 1e200)})
    low, high = theorems.near_optimal(FAR, within, *triple)
    return float(interval.low["b"] / low - 1), float(interval.high["b"] / high - 1)


@claims(
    ("H.near.low", "theory.theorems", "b >= C2^3/(32 (C1 C3)^(3/2) e^2) T^(-1/2) costs at most e, to first order", 0),
    ("H.near.high", "theory.theorems", "b <= 2 e C2/(C1 C3)^(1/2) T^(1/2) costs at most e, to first order", 1),
)
def first_order(end: int) -> Measured:
    """An error of first order in the share: a hundredth of the share leaves a hundredth of the error."""
    for triple in TRIPLES:
        errors = [_ends(triple, within)[end] for within in (1e-2, 1e-4)]
        order = np.log(errors[0] / errors[1]) / np.log(100)
        # The next order, in the share 1e-2 itself, over the range of the fit.
        tolerance = 10 * 1e-2 / np.log(100)
        yield of_exponent(f"error ~ share^p, C = {triple}", "refined", order, 1, tolerance)
        yield at_most(f"|error|, share 1e-4, C = {triple}", "refined", abs(errors[1]), 1e-3)


@claim("H.pays", "theory.theorems", "a batch size above 1 pays from where the curve has b = 1")
def pays() -> Measured:
    for triple in TRIPLES[:2]:
        start = theorems.pays_from(*triple)
        optimum = refined(EQ4, JOINT, [start * (1 - 1e-6), start * (1 + 1e-6)], **_named(triple))
        before, after = optimum.active["b"].tolist()
        yield Reading(f"b held at 1 just before, C = {triple}", "refined", before, -1)
        yield Reading(f"b held at 1 just after, C = {triple}", "refined", after, 0)
    weak: Any = exact(EQ4, JOINT).starts["b"]
    law = float(weak.constant)
    yield Reading("2^10 (C1 C3)^5/C2^10, C = 1", "exact", law, 2.0**10, SOLVER * law)
    yield f"at C = 1 it is {theorems.pays_from(1, 1, 1):.0f}: the power law is for weak noise"


@claim("H.one", "README", "with C1 = C2 = C3 = 1 a batch size of 1 never costs more than 0.14%, alpha and eta tuned")
def one() -> Measured:
    T = np.logspace(2, 22, 201)
    best = refined(EQ4, JOINT, T).log_risk
    cost = np.expm1(refined(EQ4, setting("eta", "alpha", b=1.0), T).log_risk - best)
    yield at_most("largest cost, T = 1e2 to 1e22", "refined", float(cost.max()), 1.4e-3)


#: The LMO bound's constants: the burn-in weak, and as large as all else.
LMO = {
    "burn-in weak": Constants(Delta0=100.0, L=0.7, sigma=130.0, rho=1.5),
    "burn-in strong": Constants(Delta0=1e-6, L=1e-4, sigma=130.0, rho=1.5),
}

ALPHA, LEVEL = 0.05, 4.0


def _parts(of: Constants) -> iso_loss.TunedRisk:
    return iso_loss.of_bound(ALPHA, of.Delta0, of.L, of.rho * of.sigma)


def _bound(of: Constants) -> Proxy:
    return bounds.lmo_exact(**of.named("Delta0", "L", "rho", "sigma"))


@claim("H.critical.lmo", "theory.batch_sizes", "LMO, eta tuned: tokens to a target are fewest at b = 4 b_min")
def lmo_tuned() -> Measured:
    """Numerically, and by the refined optimum at those tokens: its risk is the target."""
    for name, of in LMO.items():
        closed = theory.lmo_tuned(LEVEL, _parts(of))
        lmo = tokens.lmo_eta_tuned(ALPHA, LEVEL, of)
        assert lmo.fewest is not None
        best = refined(_bound(of), setting("eta", "b", alpha=ALPHA), lmo.fewest.tokens)
        # Tokens are off their fewest by the square of what b is off.
        yield same(f"fewest tokens over 4 b_min, {name}", "refined", lmo.fewest.b, closed, tokens.FLAT)
        yield same(f"b of the least bound at their tokens, {name}", "refined", value(best, "b"), closed)
        yield same(f"the least bound over the target, {name}", "refined", value(best, "risk"), LEVEL)


@claim("H.critical.lmo.eta", "theory.batch_sizes", "LMO, eta fixed: b^(1/2) solves a quadratic")
def lmo_fixed() -> Measured:
    """As with eta tuned; the learning rates leave a half of the target, and almost nothing of it."""
    for name, of in LMO.items():
        for left in (0.5, 0.01):
            eta = (1 - left) * LEVEL / (of.L * (3.5 + 2 / ALPHA))
            parts, eps_prime = _parts(of), left * LEVEL
            closed = theory.lmo_fixed(of.Delta0 / eta, parts.burn_in, parts.floor, eps_prime)
            lmo = tokens.lmo_eta_fixed(ALPHA, LEVEL, eta, of)
            assert lmo.fewest is not None
            best = refined(_bound(of), setting("b", eta=eta, alpha=ALPHA), lmo.fewest.tokens)
            at = f"{name}, {left:g} of the target left"
            # The bound is flat in b where eta's own part is nearly all of it: b is off by a root of rounding.
            yield same(f"fewest tokens over it, {at}", "refined", lmo.fewest.b, closed, tokens.FLAT)
            yield same(
                f"b of the least bound at their tokens, {at}", "refined", value(best, "b"), closed, SOLVER / left
            )
            yield same(f"the least bound over the target, {at}", "refined", value(best, "risk"), LEVEL)


@claim("H.critical.star", "theory.batch_sizes", "star-convex: b* by Lambert's W, whatever eta and lam but for Z")
def star_convex() -> Measured:
    """Numerically, on a grid, and by the refined optimum at those tokens."""
    own: dict[str, Any] = {"Delta0": 100.0, "L": 0.7, "sigma": 130.0, "D": 1.2, "G0": 10.0, "lam": 0.1}
    for eps in (50.0, 5.0):
        answer = critical_batch(**own, eta=1e-4, alpha=ALPHA, eps=eps, form="revised", measure="loss")
        assert answer.reach is not None
        fixed = setting("b", eta=1e-4, alpha=ALPHA, min_K=1.0)
        best = refined(bounds.star_convex(**own), fixed, answer.reach.fewest.tokens)
        closed = theory.star_convex(100.0, answer.Y, answer.eps_prime)
        yield same(f"argmin over it, eps = {eps:g}", "grid", answer.reach.on_grid.b, closed, answer.reach.step)
        yield same(f"fewest tokens over it, eps = {eps:g}", "refined", answer.reach.fewest.b, closed, tokens.FLAT)
        yield same(f"b of the least bound at their tokens, eps = {eps:g}", "refined", value(best, "b"), closed)
        yield same(f"the least bound over eps = {eps:g}", "refined", value(best, "risk"), eps)


@claim(
    "H.critical.scale",
    "Cesista, Theorem 12",
    "of a rescaled loss, which changes no step, its b_crit is another; not the revised",
)
def rescaled() -> Measured:
    """Of s f, s = 10: sigma, L, Delta0, G0 and the target s times as large; D, and what is run, as before."""
    s = 10.0
    for form, exponent in {"seed": 1.0, "revised": 0.0}.items():
        formulas, minimisers = list[float](), list[float]()
        for scale in (1.0, s):
            of: dict[str, Any] = {"Delta0": 100.0 * scale, "L": 0.7 * scale, "sigma": 130.0 * scale, "G0": 10.0 * scale}
            # With Z constant, as the theorem takes it.
            parts = parts_of(eta=1e-4, alpha=ALPHA, **of, D=1.2, form=form)._replace(Z=0.0, Z_noise=0.0)
            left = 8.0 * scale
            formula = theory.theorem12_of if form == "seed" else theory.revised
            formulas.append(float(formula(parts.Y, left)))
            smallest = float(theory.smallest(*tokens.coefficients(parts, form), left))
            minimisers.append(tokens.fewest(iterations_of_mean(parts, form, left), smallest).b)
        for route, (one, other) in (("arithmetic", formulas), ("refined", minimisers)):
            what = f"b_crit of 10 f over s^{exponent:g}, {form}"
            yield same(what, route, other / one, s**exponent, 2 * tokens.FLAT)
    yield "Y/b has the gradient's units squared and epsilon' has them once: a number stands in for D"


@claim("H.critical.near", "theory.batch_sizes", "X/K + Y/b: b/b* = 1 + p -+ (p + p^2)^(1/2) cost 1 + p times")
def near() -> Measured:
    """By the tokens themselves, at three shares p."""
    needed, best = iterations_of_mean(Parts(50.0, 0.3, 0.0, 0.0), "seed", 0.2), 3.0
    for share in NEAR:
        # An end is known as well as the tokens over their slope there, which is about (2 p)^(1/2).
        error = SOLVER / float(np.sqrt(2 * share))
        ends = tokens.near(needed, tokens.point(needed, best), 1.5, share)
        closed = 1 + share + np.sqrt(share + share**2) * np.array([-1, 1])
        yield same(f"ends over it, p = {share:g}", "refined", np.array(ends) / best, closed, error)
    low, high = 1.01 + np.sqrt(0.0101) * np.array([-1, 1])
    yield f"1% of the tokens is b from {low:.3f} to {high:.3f} of the best"


#: A problem on which every level that holds trivially is attained: a parabola at the end of the ball.
BALL = {"L": 0.7, "lam": 0.1, "G0": 14.0, "Delta0": 140.0}


def _says_something(eta: float, **options: Any) -> bool:
    """Whether the bound has a target that it reaches and that is below what holds trivially."""
    problem = {**BALL, "D": 1.2, "alpha": ALPHA, "eta": eta, **options}
    level = min(one.value for one in critical_batch(**problem, eps=1e9).trivial)
    return critical_batch(**problem, eps=level * (1 - 1e-9)).status == FOUND


@claim("H.critical.vacuous", "critical.critical_batch", "the bounds say something up to a learning rate each")
def vacuous() -> Measured:
    """Where Z reaches the least trivial level; L ||W - W*|| = 2 L/lam and all else attained."""
    beta, L, lam = 1 - ALPHA, BALL["L"], BALL["lam"]
    cases: dict[str, tuple[dict[str, Any], float]] = {
        "gradient, lam = 0": ({"form": "revised", "lam": 0.0}, BALL["G0"] / (L * (2 * beta**2 / ALPHA + 0.5))),
        "gap": ({"form": "revised"}, 2 / (lam * (1 + 2 * beta**2 / ALPHA))),
        "loss": ({"form": "revised", "measure": "loss"}, ALPHA / (2 * lam * (ALPHA + beta**2 + beta))),
    }
    for name, (options, closed) in cases.items():
        says: Callable[[float], bool] = partial(_says_something, **options)
        measured = bisect(says, 1e-9, 1 / lam)
        # The target is the level less 1e-9 of it.
        yield same(f"eta up to which it does, {name}", "refined", measured, closed, 2e-9)
    first = bisect(partial(_says_something, lam=0.0), 1e-9, 1.0)
    a, b, c = 2 * beta**3 / (1.2 * ALPHA**2) * L**2, L / 2 + 2 * beta**2 / ALPHA * L, 0.6 - BALL["G0"]
    root = (np.sqrt(b**2 - 4 * a * c) - b) / (2 * a)
    yield same("eta up to which it does, first form, lam = 0", "refined", first, root, 2e-9)
    yield Reading("it does, first form, lam = 0.1", "refined", _says_something(1e-9), False)
    yield "the first form says nothing at any learning rate once there is weight decay (C.thm11.vacuous)"
