"""Theorem 8, Propositions 9 and 10, Theorem 11: the bounds without and with weight decay."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

from hpgrid.bounds import cesista2025 as bounds, lemmas
from hpgrid.claims.cesista2025.moments import CONSTANTS, ROUNDING, mean_bound, points
from hpgrid.claims.ledger import Measured, claim
from hpgrid.claims.measures import FAR, FARTHER, SOLVER, at_least, at_most, same
from hpgrid.readings import Reading

POINT = ("eta", "b", "alpha", "K", "Delta0", "L", "sigma", "D", "G0")


def _value(point: dict[str, Any], **options: Any) -> Any:
    """The printed bound: X/K + Y/b + Z."""
    own = {name: x for name, x in point.items() if name not in ("b", "K")}
    return mean_bound(bounds.parts(**own, **options), "seed", point)


def _errors(point: dict[str, Any]) -> tuple[Any, Any]:
    """Corollary 7's two moments."""
    own = {name: point[name] for name in ("eta", "b", "alpha", "L", "sigma", "D", "G0")}
    first, second = (sum(lemmas.mean_nesterov_error(moment, point["K"], **own)) for moment in (1, 2))
    return first, second


@claim(
    "C.thm8.dual", "Theorem 8, approach 1", "X, Y and Z follow from the descent lemma, epsilon = 1/D, and Corollary 7"
)
def dual() -> Measured:
    point = points(*POINT)
    first, second = _errors(point)
    D, descent = point["D"], point["Delta0"] / (point["eta"] * point["K"])
    sums = descent + first + second / (2 * D) + (D + point["L"] * point["eta"]) / 2
    yield same("X/K + Y/b + Z over it", "arithmetic", _value(point), sums, 4 * ROUNDING)


@claim("C.thm8.frobenius", "Theorem 8, approach 2", "X_F, Y_F and Z_F follow with epsilon = kappa1/(kappa2^2 D)")
def frobenius() -> Measured:
    """Given the proof's own Corollary 7 in the Frobenius norm, which C.thm8.step is about."""
    point = points(*POINT, "kappa1", "kappa2")
    first, second = _errors(point)
    kappa1, kappa2, D = point["kappa1"], point["kappa2"], point["D"]
    descent = point["Delta0"] / (point["eta"] * kappa1 * point["K"])
    rest = (kappa2**2 * D / kappa1 + point["L"] * point["eta"]) / (2 * kappa1)
    sums = descent + kappa2 / kappa1 * first + second / (2 * D) + rest
    yield same("X_F/K + Y_F/b + Z_F over it", "arithmetic", _value(point, norm="frobenius"), sums, 4 * ROUNDING)


@claim("C.thm8.step", "Theorem 8, approach 2", "Corollary 7 holds in the Frobenius norm: a step is at most eta there")
def step() -> Measured:
    """Muon's step is eta times an orthogonal matrix: its spectral norm is 1, its Frobenius norm is not."""
    m, n = 128, 32
    oracle = -np.eye(m, n)
    yield Reading(f"||A||, {m} x {n}", "arithmetic", float(np.linalg.norm(oracle, 2)), 1.0, ROUNDING)
    yield at_most(f"||A||_F, {m} x {n}", "arithmetic", float(np.linalg.norm(oracle)), 1.0, ROUNDING)
    yield (
        "the drift in ||.||_F needs ||W_t - W_(t-1)||_F <= kappa2 eta, min(m, n)^(1/2) eta for Muon: kappa2 is "
        "missing in the drift terms of Z_F, where the descent lemma's L stands as L_F, too"
    )


@claim("C.thm8.proportional", "Theorem 8", "X_F is proportional to X, and Z_F to Z")
def proportional() -> Measured:
    """How far their quotient moves as eta alone changes, kappa1 = 1 and kappa2 = 2."""
    own: dict[str, Any] = {**CONSTANTS, "eta": np.array([1e-4, 1.0]), "alpha": 0.05}
    plain = bounds.parts(**own)
    other = bounds.parts(**own, norm="frobenius", kappa1=1.0, kappa2=2.0)
    quotients = {"X": other.X / plain.X, "Z": other.Z / plain.Z}
    for k, q in quotients.items():
        yield same(f"{k}_F/{k}, eta = 1e-4 over 1", "arithmetic", q[0], q[1], ROUNDING)
    yield "kappa1 and kappa2 stand in some of their terms and not in others: they grow alike, they are not proportional"


@claim("C.thm8.Y", "Theorem 8", "Y does not contain D: (3 beta + 1)(1-beta)/(2 (1+beta)) sigma^2")
def free_of_D() -> Measured:
    alpha = np.array([1.0, 0.5, 0.05, 1e-6])
    beta = 1 - alpha
    printed = (3 * beta + 1) * (1 - beta) / (2 * (1 + beta)) * 1.3**2
    # 1 - alpha loses the last digits of a small alpha.
    error = ROUNDING + float(np.finfo(float).eps) / alpha.min()
    measured = [bounds.parts(eta=0.1, alpha=alpha, sigma=1.3, D=D).Y for D in (0.1, 1.0, 30.0)]
    yield same("Y at D = 0.1, 1, 30", "arithmetic", np.array(measured), printed, error)


@claim("H.thm8.floor", "Cesista, Theorem 8", "its right-hand side falls to D/2 as budgets grow, and no lower")
def floor() -> Measured:
    """Along eta = T^(-1/4), b = T^(1/2), where all else vanishes; and Z at seeded points."""
    T = np.array([FAR, FARTHER])
    near, far = bounds.steepest(**CONSTANTS).risk(eta=T**-0.25, b=T**0.5, alpha=0.05, T=T)
    point = points("eta", "alpha", "L", "D")
    least = float((bounds.parts(**point).Z / (point["D"] / 2)).min())
    yield Reading("right-hand side, T = 1e60", "arithmetic", float(far), CONSTANTS["D"] / 2, abs(float(far - near)))
    yield at_least("least Z over D/2, 500 points", "arithmetic", least, 1.0, ROUNDING)
    yield (
        "Young's inequality with epsilon = 1/D leaves D/2, a number without the gradient's units, beside the gradient. "
        "||grad f - C|| ||A|| itself would leave nothing: the revised form"
    )


def _inside() -> dict[str, Any]:
    """Seeded points with lam eta <= 1."""
    point = points(*POINT, "lam")
    return point | {"eta": np.minimum(point["eta"], 1 / point["lam"])}


@claim("C.prop9.weights", "Proposition 9", "||W_t|| <= 1/lam for lam eta <= 1 and ||W_0|| <= 1/lam")
def weights() -> Measured:
    """In one dimension, the oracle pushing outwards at every step, from both ends and from within."""
    lam, largest = 0.3, 0.0
    for share, start in product((0.01, 0.5, 1.0), (-1.0, 0.0, 1.0)):
        W = start / lam
        for _ in range(1000):
            W = (1 - share) * W + share / lam
            largest = max(largest, abs(W) / float(lemmas.weight_norm(lam)))
    yield Reading("largest lam ||W_t||, 1000 steps", "arithmetic", largest, 1.0, 1000 * float(np.finfo(float).eps))
    yield "with equality where the oracle keeps its sign"


@claim("C.prop9.gradient", "Proposition 9", "||grad f(W_t)|| <= 2 L/lam where a minimiser has ||W*|| <= 1/lam")
def gradient() -> Measured:
    lam, L = 0.3, 0.7
    W = np.linspace(-1, 1, 101)[:, None] / lam
    largest = float(np.abs(L * (W - W.T)).max())  # f = L (w - w*)^2/2, all w and w* in the ball
    bound = float(lemmas.gradient_norm(lam, L=L))
    yield Reading("largest gradient over 2 L/lam", "arithmetic", largest / bound, 1.0, ROUNDING)
    yield "it holds in the whole ball, trained or not: a bound above it says nothing"


@claim("C.prop10", "Proposition 10", "E||grad f_S||^2 <= 2 D sigma^2/b + 8 L^2/lam^2; the same for M_t and C_t")
def size() -> Measured:
    point = _inside()
    triangle = 2 * point["D"] * point["sigma"] ** 2 / point["b"] + 8 * (point["L"] / point["lam"]) ** 2
    own = {name: point[name] for name in ("lam", "L", "sigma", "D")}
    beta = lemmas.kept(0.05, np.arange(1, 200))  # beta^t
    convex = float((0.05 * np.cumsum(np.concatenate([[1.0], beta]))).max())
    yield same(
        "twice Lemma 5 and Proposition 9", "arithmetic", lemmas.momentum_size(point["b"], **own), triangle, ROUNDING
    )
    yield at_most("(1-beta) sum of beta^i", "arithmetic", convex, 1.0, 200 * float(np.finfo(float).eps))


@claim("C.prop10.minimiser", "Proposition 10; Theorem 11", "no minimiser within 1/lam is asked for")
def minimiser() -> Measured:
    """f = L (w - w*)^2/2 with w* = 10/lam, no noise: the squared gradient at w = 0 over the bound."""
    lam, L = 0.3, 0.7
    squared = (L * 10 / lam) ** 2
    bound = float(lemmas.momentum_size(np.inf, lam=lam, L=L))
    yield at_most("||grad f(0)||^2 over 8 L^2/lam^2", "arithmetic", squared / bound, 1.0, ROUNDING)
    yield "it needs Proposition 9's minimiser with ||W*|| <= 1/lam, which neither it nor Theorem 11 states"


@claim("C.thm11.dual", "Theorem 11, approach 1", "X, Y and Z follow with epsilon = 1/D and epsilon' = 1/(2 D)")
def dual_decay() -> Measured:
    """The rearranged inequality with Propositions 9 and 10 and Corollary 7 put in."""
    point = _inside()
    lam, D = point["lam"], point["D"]
    first, second = _errors(point)
    size = lemmas.momentum_size(point["b"], lam=lam, L=point["L"], sigma=point["sigma"], D=D)
    weights = lam * (2 * lam * D + 2 * D) / 2 * lemmas.weight_norm(lam) ** 2
    sums = point["Delta0"] / (point["eta"] * point["K"]) + first + second / (2 * D) + lam / (4 * D) * size + weights
    sums = sums + (2 * D + point["L"] * point["eta"]) / 2
    yield same("X/K + Y/b + Z over it", "arithmetic", _value(point), sums, 4 * ROUNDING)


@claim("C.thm11.frobenius", "Theorem 11, approach 2", "Z_F has 2 L_F^2/(lam kappa1 D) from the gradient's size")
def frobenius_decay() -> Measured:
    """Over lam/(4 D) times twice the squared gradient, by ||.||_F <= ||.||/kappa1 and Proposition 9; and a gradient.

    Of f = ||W - W*||_F^2/2, whose L_F is 1, at W = -I where W* = I, lam = 1, in Muon's norms: kappa1 = 1.
    """
    lam, L, D, kappa1 = 0.3, 0.7, 1.2, 2.0
    derived = lam / (4 * D) * 2 * (2 * L / (lam * kappa1)) ** 2
    printed = 2 * L**2 / (lam * kappa1 * D)
    m, n = 128, 32
    gradient = -2 * np.eye(m, n)
    squared = float((gradient**2).sum())
    yield same("printed over it, L_F = L, kappa1 = 2", "arithmetic", printed, derived, ROUNDING)
    yield at_most("||grad f||_F^2 over 8 L_F^2/(lam^2 kappa1), kappa1 = 1", "arithmetic", squared / 8, 1.0, ROUNDING)
    yield (
        "||.||_F <= ||.||/kappa1 <= 2 L/(lam kappa1): kappa1^2, not kappa1, and L, not L_F. At kappa1 = 1, which Muon "
        f"has, L_F is too small: of f = ||W - W*||_F^2/2, W* = -W = I, {m} x {n}, lam = 1, the squared gradient is "
        f"{squared:g} and the printed bound 8"
    )


@claim(
    "C.thm11.step", "Theorem 11, proof", "||eta A - lam eta W|| <= eta: L eta^2/2, and Proposition 6's drift, as before"
)
def step_decay() -> Measured:
    """In one dimension at W = 1/lam, the oracle pointing inwards."""
    lam, eta = 0.3, 0.1
    moved = abs(-eta - lam * eta * (1 / lam)) / eta
    yield at_most("largest ||W_(t+1) - W_t||/eta", "arithmetic", moved, 1.0, ROUNDING)
    yield (
        "a step can be 2 eta: L eta^2/2 should be 2 L eta^2, and the drift twice as large; the revised forms have both"
    )


@claim("C.thm11.vacuous", "Theorem 11", "the mean gradient norm is at most X/K + Y/b + Z with weight decay")
def vacuous() -> Measured:
    """Z alone over Proposition 9's 2 L/lam, which holds for any weights in the ball: its least over all else."""
    L = 0.7
    D = np.geomspace(1e-4, 1e4, 8001) * L

    def least(lam: float) -> float:
        Z = bounds.parts(eta=1e-12, alpha=0.05, lam=lam, L=L, D=D).Z
        return float((Z / lemmas.gradient_norm(lam, L=L)).min())

    near, limit = least(1e-3), least(1e-6)
    # A step of 1.001 in D about the least of 2 L^2/D + D.
    error = abs(limit - near) + 0.001**2
    yield Reading("least Z/(2 L/lam) over D, lam = 0.3", "arithmetic", least(0.3), 1.0, SOLVER, ">=", empty=True)
    yield Reading("its limit as lam falls", "arithmetic", limit, float(np.sqrt(2)), error)
    yield at_least("the same at lam = 1e-6", "arithmetic", limit, 1.0)
    yield (
        "2 L^2/(lam D) + D/lam is at least 2^(3/2) L/lam, whatever D: Z alone is above Proposition 9's 2 L/lam by "
        "2^(1/2) or more at every eta, b, beta, lam and D. The bound never says anything, and Theorem 12 builds on it"
    )
