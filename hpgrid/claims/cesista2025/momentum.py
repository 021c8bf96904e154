"""Lemma 5, Proposition 6, Corollary 7: the noise, and the momentum's error."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from hpgrid.bounds import cesista2025 as bounds
from hpgrid.claims.cesista2025.routes import ROUNDING, points
from hpgrid.claims.ledger import Finding, Reading, claim
from hpgrid.claims.readings import at_least, at_most, same

GIVEN = ("eta", "b", "alpha", "L", "sigma", "D", "G0")


@claim("C.lem5.batch", "Lemma 5", "a minibatch's noise has E||xi||^2 <= D sigma^2/b")
def batch() -> Finding:
    """The general sum at equal weights."""
    given = points("sigma", "D")
    readings = []
    for b in (1, 7, 1000):
        summed = bounds.weighted_noise(np.full(b, 1 / b), **given)
        # A sum of b equal squares, each rounded.
        error = ROUNDING + b * float(np.finfo(float).eps)
        readings.append(
            same(f"weights 1/b, b = {b}", "arithmetic", summed, given["D"] * given["sigma"] ** 2 / b, error)
        )
    return Finding(tuple(readings))


@claim("C.lem5.tight", "Lemma 5; after Assumption 4", "in a norm from an inner product the bound holds with D = 1")
def tight() -> Finding:
    """E||sum w_i xi_i||^2 over all signs of xi_i = +-e_j, by enumeration, in the Euclidean norm."""
    weights = np.array([0.5, 0.3, 0.15, 0.05])
    places = np.array([0, 1, 0, 1])
    signs = np.array(np.meshgrid(*[[-1, 1]] * 4)).reshape(4, -1)
    sums = np.array([(weights[:, None] * signs)[places == j].sum(0) for j in (0, 1)])
    mean = float((sums**2).sum(0).mean())
    return Finding(
        (same("mean over 16 sign patterns", "arithmetic", mean, float(bounds.weighted_noise(weights)), ROUNDING),),
        "with equality: the noises are independent",
    )


@claim("C.prop6.jensen", "Proposition 6", "the first moment's bound follows from the second's by Jensen")
def jensen() -> Finding:
    given = points(*GIVEN)
    t = np.floor(points("K")["K"])
    first, second = (bounds.momentum_error(moment, t, **given) for moment in (1, 2))
    ratio = np.sqrt(sum(second)) / sum(first)
    return Finding(
        (
            at_most("largest square root of the second over the first", "arithmetic", ratio.max(), 1.0, ROUNDING),
            at_least("smallest", "arithmetic", ratio.min(), 1 / np.sqrt(3), ROUNDING),
        ),
        "twice what the triangle inequality gives at once, beta^t G0 + beta/(1-beta) L eta, and 2^(1/2) times in the "
        "noise: the revised forms have the smaller ones",
    )


@claim("C.prop6.noise", "Proposition 6, proof", "the momentum's noise has E||.||^2 <= (1-beta)/(1+beta) D sigma^2/b")
def noise() -> Finding:
    """The sum of squared weights (1-beta)^2 beta^(2j), one after the other."""
    readings = []
    for alpha, steps in ((0.5, 3), (0.1, 1000), (1e-3, 200_000)):
        weights = alpha * bounds.kept(alpha, np.arange(steps))
        ratio = float((weights**2).sum()) / (alpha / (2 - alpha))
        what = f"sum of squares over (1-beta)/(1+beta), beta = {1 - alpha:g}, t = {steps}"
        readings.append(at_most(what, "arithmetic", ratio, 1.0, steps * float(np.finfo(float).eps)))
    return Finding(tuple(readings), "1 - beta^(2 t) of it: with equality as t grows")


@claim("C.prop6.average", "Proposition 6", "the averages over T follow from the bounds at every t")
def average() -> Finding:
    """The mean of the pointwise bound, summed step by step, over the averaged one."""
    readings = []
    for moment in (1, 2):
        ratios = []
        for alpha, K in ((1.0, 1), (0.5, 3), (0.05, 200), (1e-3, 20_000)):
            at = {"eta": 1e-9, "b": 1e18, "alpha": alpha}  # only the first gradient's part
            start = bounds.momentum_error(moment, np.arange(K), **at).start
            ratios.append(float(np.mean(start)) / bounds.mean_momentum_error(moment, K, **at).start)
        what = f"largest mean over t / averaged form, moment {moment}"
        readings.append(at_most(what, "arithmetic", max(ratios), 1.0, 20_000 * float(np.finfo(float).eps)))
        readings.append(
            Reading(f"the same at beta = 0, K = 1, moment {moment}", "arithmetic", ratios[0], 1.0, ROUNDING)
        )
    return Finding(tuple(readings), "1 - beta^T, or 1 - beta^(2 T), was dropped: it is attained as T grows")


@claim("C.prop6.drift", "Proposition 6, proof", "||drift|| <= beta^t G0 + beta/(1-beta) L eta")
def drift() -> Finding:
    """A run without noise on f = L w^2/2 in one dimension, far from its minimum: every step moves the same way."""
    L, eta, alpha, w, M = 2.0, 0.1, 0.05, 1e6, 0.0
    gradient = L * w
    start, largest = gradient, 0.0
    for t in range(1, 400):
        w -= eta
        gradient = L * w
        M = (1 - alpha) * M + alpha * gradient
        bound = float(bounds.kept(alpha, t)) * start + (1 - alpha) / alpha * L * eta
        largest = max(largest, abs(gradient - M) / bound)
    # The gradient itself, 2e6, is rounded in every step.
    error = 400 * 2e6 * float(np.finfo(float).eps) / ((1 - alpha) / alpha * L * eta)
    return Finding((at_most("largest drift over its bound, 400 steps", "arithmetic", largest, 1.0, error),))


@claim("C.prop6.drift2", "Proposition 6, proof", "E||drift||^2 <= 2 beta^(2t) G0^2 + 2 beta^2/(1-beta)^2 L eta")
def drift_squared() -> Finding:
    """The drift that is attained, beta/(1-beta) L eta, squared, over the printed bound, at G0 -> 0."""
    beta, ratios = 0.9, {}
    for L_eta in (0.1, 1.0, 100.0):
        attained = beta / (1 - beta) * L_eta
        ratios[L_eta] = attained**2 / (2 * beta**2 / (1 - beta) ** 2 * L_eta)
    return Finding(
        (at_most("(beta/(1-beta) L eta)^2 over it, L eta = 100", "arithmetic", ratios[100.0], 1.0, ROUNDING),),
        "a misprint: L eta should be (L eta)^2, as in what follows from it. As printed it is wrong from L eta > 2 on, "
        f"and too large by {1 / ratios[0.1]:.3g} at L eta = 0.1",
    )


@claim("C.cor7.first", "Corollary 7", "the Nesterov error is beta times the momentum's and (1-beta) the minibatch's")
def nesterov() -> Finding:
    given = points(*GIVEN)
    K = np.floor(points("K")["K"])
    beta = 1 - given["alpha"]
    readings = []
    for moment in (1, 2):
        fresh = bounds.minibatch_noise(given["b"], sigma=given["sigma"], D=given["D"]) ** (moment / 2)
        sums = beta * sum(bounds.mean_momentum_error(moment, K, **given)) + given["alpha"] * fresh
        printed = sum(bounds.mean_nesterov_error(moment, K, **given))
        readings.append(same(f"moment {moment}", "arithmetic", printed, sums, 4 * ROUNDING))
    return Finding(tuple(readings))


@claim("C.cor7.noise", "Corollary 7", "the second moment's noise is (3 beta + 1)(1-beta)/(1+beta) D sigma^2/b")
def nesterov_noise() -> Finding:
    readings = []
    for beta in (Fraction(0), Fraction(1, 2), Fraction(19, 20), Fraction(999, 1000)):
        sum_of_both = beta * 2 * (1 - beta) / (1 + beta) + (1 - beta)
        printed = (3 * beta + 1) * (1 - beta) / (1 + beta)
        readings.append(Reading(f"beta = {beta}", "arithmetic", printed, sum_of_both))
    return Finding(tuple(readings))
