"""Lemma 5, Proposition 6, Corollary 7, Proposition A1.14: the momentum's error, by arithmetic and by seeded runs.

Tolerances, here and in the other files. An identity between two formulas holds to ``ROUNDING``. Local exponents are
read at ``FAR`` and ``FARTHER``, as elsewhere in the ledger; a law with a logarithm settles like 1/log T, so that there
its exponent is extrapolated in 1/log T, and the power of the logarithm is read where no float reaches, on a closed form
that the refined optimum is held against.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from hpgrid.bounds import lemmas
from hpgrid.bounds.cesista2025 import Parts
from hpgrid.checks import METHODS
from hpgrid.claims.ledger import Measured, claim, claims
from hpgrid.claims.measures import Setting, at_least, at_most, same, setting
from hpgrid.proxy import FunctionProxy, Proxy
from hpgrid.readings import Reading, of_exponent

if TYPE_CHECKING:
    from hpgrid.stochastic.momentum import Experiment, Means
    from hpgrid.stochastic.problems import Objective
    from hpgrid.stochastic.samples import Interval


#: Both sides of an identity are sums of at most eight products of at most ten factors.
ROUNDING = 2 * (8 + 10) * float(np.finfo(float).eps)

#: Constants that are no ones, for every measurement: a factor that is missing shows.
CONSTANTS: dict[str, Any] = {"Delta0": 2.0, "L": 0.7, "sigma": 1.3, "D": 1.2, "G0": 0.6}
LAM = 0.3


def points(*names: str, n: int = 500, seed: int = 2025) -> dict[str, Any]:
    """Return seeded random points, log-uniform: shape (n,) each.

    Momenta and rates lie in (1e-6, 1), batch sizes and iterations in (1, 1e8), all else in (1e-2, 1e2).
    """
    rng = np.random.default_rng(seed)
    ranges = {"alpha": (-6, 0), "eta": (-6, 0), "b": (0, 8), "K": (0, 8)}
    return {name: 10.0 ** rng.uniform(*ranges.get(name, (-2, 2)), n) for name in names}


def at(*tuned: str, budget: str = "T", **held: float) -> Setting:
    """Return a regime with at least one iteration, as the bounds need it."""
    return setting(*tuned, budget=budget, min_K=1.0, **held)


def mean_bound(parts: Parts, form: str, point: Mapping[str, Any]) -> Any:
    """Return X/K + Y/b + Z + Z_noise/b^(1/2) in the first form, X/K + Y/b^(1/2) + Z else, at b and K."""
    root = np.sqrt(point["b"])
    noise = parts.Y / point["b"] + parts.Z_noise / root if form == "seed" else parts.Y / root
    return parts.X / point["K"] + noise + parts.Z


def over_printed(what: str, printed: Proxy, own: FunctionProxy, alpha: float) -> Reading:
    """Return a bound as it is printed, at a momentum, over hpgrid's, at seeded points."""
    seeded = points("eta", "b", "K")
    where = {"eta": seeded["eta"], "b": seeded["b"], "T": seeded["b"] * seeded["K"]}
    return same(f"{what} as printed over hpgrid's", "arithmetic", printed.risk(**where), own.risk(**where, alpha=alpha))


POINT = ("eta", "b", "alpha", "L", "sigma", "D", "G0")

#: What "close to" is read as: within a tenth.
CLOSE = 0.1


@claim("C.lem5.mean", "Lemma 5", "a minibatch's noise has mean 0")
def mean() -> Measured:
    """Over all minibatches of three noises that are 2, -1 or -1: a lopsided noise of mean 0."""
    noises = np.array(np.meshgrid(*[[2.0, -1.0, -1.0]] * 3)).reshape(3, -1)
    yield Reading("mean over 27 minibatches, b = 3", "arithmetic", float(noises.mean()), 0.0, ROUNDING)


@claim("C.lem5.batch", "Lemma 5", "a minibatch's noise has E||xi||^2 <= D sigma^2/b")
def batch() -> Measured:
    """As printed, and the general sum at equal weights."""
    point = points("sigma", "D")
    for b in (1, 7, 1000):
        printed, summed = point["D"] * point["sigma"] ** 2 / b, lemmas.weighted_noise(np.full(b, 1 / b), **point)
        # A sum of b equal squares, each rounded.
        error = ROUNDING + b * float(np.finfo(float).eps)
        yield same(f"D sigma^2/b, b = {b}", "arithmetic", lemmas.minibatch_noise(b, **point), printed, ROUNDING)
        yield same(f"weights 1/b, b = {b}", "arithmetic", summed, printed, error)


@claim("C.lem5.sum", "Lemma 5; Assumption 4", "E||sum a_i xi_i||^2 <= D sigma^2 sum a_i^2, D of the norm")
def weighted() -> Measured:
    """In the 4-norm of the plane, D = 4 - 1: all signs of a (1, 1) and of b (1, -1), whose norm is 1 each."""
    weights, noises = np.array([1.0, 0.3]), np.array([[1.0, 1.0], [1.0, -1.0]]) / 2**0.25
    signs = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]])
    squared = float(np.sqrt((((signs * weights) @ noises) ** 4).sum(1)).mean())
    yield at_most("over it, D = 3", "arithmetic", squared / float(lemmas.weighted_noise(weights, D=3.0)), 1.0, ROUNDING)
    yield at_least("over it, D = 1", "arithmetic", squared / float(lemmas.weighted_noise(weights, D=1.0)), 1.0)
    yield "half the squared p-norm is (p - 1)-smooth; without D it would not hold there"


@claim("C.lem5.tight", "Lemma 5; after Assumption 4", "in a norm from an inner product the bound holds with D = 1")
def tight() -> Measured:
    """E||sum w_i xi_i||^2 over all signs of xi_i = +-e_j, by enumeration, in the Euclidean norm."""
    weights = np.array([0.5, 0.3, 0.15, 0.05])
    places = np.array([0, 1, 0, 1])
    signs = np.array(np.meshgrid(*[[-1, 1]] * 4)).reshape(4, -1)
    sums = np.array([(weights[:, None] * signs)[places == j].sum(0) for j in (0, 1)])
    mean = float((sums**2).sum(0).mean())
    yield same("mean over 16 sign patterns", "arithmetic", mean, float(lemmas.weighted_noise(weights)), ROUNDING)
    yield "with equality: the noises are independent"


@claim("C.prop6.jensen", "Proposition 6", "the first moment's bound follows from the second's by Jensen")
def jensen() -> Measured:
    point = points(*POINT)
    t = np.floor(points("K")["K"])
    # At seeded points of the whole box: start, drift and noise each dominate at some.
    first, second = (lemmas.momentum_error(moment, t, **point) for moment in (1, 2))
    ratio = np.sqrt(sum(second)) / sum(first)
    yield at_most("largest square root of the second over the first", "arithmetic", ratio.max(), 1.0, ROUNDING)
    yield at_least("smallest", "arithmetic", ratio.min(), 1 / np.sqrt(3), ROUNDING)
    yield (
        "twice what the triangle inequality gives at once, beta^t G0 + beta/(1-beta) L eta, and 2^(1/2) times in the "
        "noise: the revised forms have the smaller ones"
    )


@claim("C.prop6.noise", "Proposition 6, proof", "the momentum's noise has E||.||^2 <= (1-beta)/(1+beta) D sigma^2/b")
def noise() -> Measured:
    """The sum of squared weights (1-beta)^2 beta^(2j), one after the other."""
    for alpha, steps in ((0.5, 3), (0.1, 1000), (1e-3, 200_000)):
        weights = alpha * lemmas.kept(alpha, np.arange(steps))
        ratio = float((weights**2).sum()) / (alpha / (2 - alpha))
        what = f"sum of squares over (1-beta)/(1+beta), beta = {1 - alpha:g}, t = {steps}"
        left = (1 - alpha) ** (2 * steps)
        yield Reading(what, "arithmetic", ratio, 1 - left, steps * float(np.finfo(float).eps))
    yield "1 - beta^(2 t) of it: with equality as t grows"


@claim("C.prop6.average", "Proposition 6", "the averages over T follow from the bounds at every t")
def average() -> Measured:
    """The mean of the pointwise bound, summed step by step, over the averaged one."""
    for moment in (1, 2):
        ratios = []
        for alpha, K in ((1.0, 1), (0.5, 3), (0.05, 200), (1e-3, 20_000)):
            # A rate and a noise of nothing leave the first gradient's part.
            at = {"eta": 1e-9, "b": 1e18, "alpha": alpha}
            start = lemmas.momentum_error(moment, np.arange(K), **at).start
            ratios.append(float(np.mean(start)) / lemmas.mean_momentum_error(moment, K, **at).start)
        what, first = f"largest mean over t / averaged form, moment {moment}", "the same at beta = 0, K = 1, moment"
        yield at_most(what, "arithmetic", max(ratios), 1.0, 20_000 * float(np.finfo(float).eps))
        yield Reading(f"{first} {moment}", "arithmetic", ratios[0], 1.0, ROUNDING)
    yield "1 - beta^T, or 1 - beta^(2 T), was dropped: it is attained as T grows"


@claim("C.prop6.drift", "Proposition 6, proof", "||drift|| <= beta^t G0 + beta/(1-beta) L eta")
def drift() -> Measured:
    """A run without noise on f = L w^2/2 in one dimension, far from its minimum: every step moves the same way."""
    L, eta, alpha, w, M = 2.0, 0.1, 0.05, 1e6, 0.0
    gradient = L * w
    start, largest = gradient, 0.0
    for t in range(1, 400):
        w -= eta
        gradient = L * w
        M = (1 - alpha) * M + alpha * gradient
        bound = float(lemmas.kept(alpha, t)) * start + (1 - alpha) / alpha * L * eta
        largest = max(largest, abs(gradient - M) / bound)
    # The gradient itself, 2e6, is rounded in every step.
    error = 400 * 2e6 * float(np.finfo(float).eps) / ((1 - alpha) / alpha * L * eta)
    # The first gradient's part and the steps' have other signs here: the bound adds what the run takes away.
    short = 2 * float(lemmas.kept(alpha, 399)) * start / ((1 - alpha) / alpha * L * eta)
    yield at_most("largest drift over its bound, 400 steps", "arithmetic", largest, 1.0, error)
    yield at_least("drift over its bound, last step", "arithmetic", abs(gradient - M) / bound, 1 - short, error)


@claim("C.prop6.drift2", "Proposition 6, proof", "E||drift||^2 <= 2 beta^(2t) G0^2 + 2 beta^2/(1-beta)^2 L eta")
def drift_squared() -> Measured:
    """The drift that is attained, beta/(1-beta) L eta, squared, over the printed bound, at G0 -> 0."""
    beta = 0.9

    def ratio(L_eta: float) -> float:
        return (beta / (1 - beta) * L_eta) ** 2 / (2 * beta**2 / (1 - beta) ** 2 * L_eta)

    yield at_most("(beta/(1-beta) L eta)^2 over it, L eta = 100", "arithmetic", ratio(100.0), 1.0, ROUNDING)
    yield (
        "a misprint: L eta should be (L eta)^2, as in what follows from it. As printed it is wrong from L eta > 2 on, "
        f"and too large by {1 / ratio(0.1):.3g} at L eta = 0.1"
    )


@claim("C.cor7.first", "Corollary 7", "the Nesterov error is beta times the momentum's and (1-beta) the minibatch's")
def nesterov() -> Measured:
    """Corollary 7 as printed, start, drift and noise, over the two, and over hpgrid's."""
    point = points(*POINT)
    K, alpha = np.floor(points("K")["K"]), point["alpha"]
    beta, step, noise = 1 - alpha, point["L"] * point["eta"], point["D"] * point["sigma"] ** 2 / point["b"]
    printed = {
        1: 2 * beta / alpha / K * point["G0"]
        + 2 * beta**2 / alpha * step
        + (np.sqrt(2 * alpha / (1 + beta)) * beta + alpha) * np.sqrt(noise),
        2: 4 * beta / (alpha * (1 + beta)) / K * point["G0"] ** 2
        + 4 * beta**3 / alpha**2 * step**2
        + (3 * beta + 1) * alpha / (1 + beta) * noise,
    }
    for moment, bound in printed.items():
        sums = beta * sum(lemmas.mean_momentum_error(moment, K, **point)) + alpha * noise ** (moment / 2)
        own = sum(lemmas.mean_nesterov_error(moment, K, **point))
        yield same(f"moment {moment}", "arithmetic", bound, sums, 4 * ROUNDING)
        yield same(f"moment {moment}, hpgrid's", "arithmetic", own, bound, 4 * ROUNDING)


@claim("C.cor7.noise", "Corollary 7", "the second moment's noise is (3 beta + 1)(1-beta)/(1+beta) D sigma^2/b")
def nesterov_noise() -> Measured:
    for beta in (Fraction(0), Fraction(1, 2), Fraction(19, 20), Fraction(999, 1000)):
        sum_of_both = beta * 2 * (1 - beta) / (1 + beta) + (1 - beta)
        printed = (3 * beta + 1) * (1 - beta) / (1 + beta)
        yield Reading(f"beta = {beta}", "arithmetic", printed, sum_of_both)


@claim(
    "H.cor7.tight", "Cesista, Corollary 7", "of independent noise it holds with room to spare: four times, as beta -> 1"
)
def nesterov_room() -> Measured:
    """E||noise of C_t||^2 over Corollary 7's, far from the start: weights summed one by one, and in closed form."""
    for alpha, steps in ((0.5, 100), (0.05, 2000), (1e-3, 40_000)):
        beta = 1 - alpha
        weights = alpha * beta * lemmas.kept(alpha, np.arange(steps))
        weights[0] += alpha  # the fresh minibatch's own
        printed = float(lemmas.mean_nesterov_error(2, 1e30, eta=1e-300, b=1.0, alpha=alpha).noise)
        closed = (alpha * (1 + beta) ** 3 + beta**4) / (3 * beta + 1)
        what = f"summed over Corollary 7's, beta = {beta:g}"
        yield Reading(what, "arithmetic", float((weights**2).sum()) / printed, closed, 1e-12)


SHAPE, SIZE = (8, 2), 0.1
BATCHES = (1, 16, 256)
STEPS, SEEDS, SEED = 200, 16, 2025

#: Seeds where what is counted is rare: signs that flip.
MANY = 128

#: 1/||W_0||: the largest weight decay that the bounds allow from there.
DECAY = 10.0

#: All that is averaged over t and has a bound.
EVERY_MOMENT = ("momentum", "momentum2", "nesterov", "nesterov2")


# --- Lemma 5 ---
LEM_5, PROP_6, COR_7 = (f"{what} with A2's D = 1" for what in ("Lemma 5", "Proposition 6", "Corollary 7"))


@claims(
    ("C.mc.lem5.dense", LEM_5, "E||xi||^2 <= D sigma^2/b of Gaussian noise, simulated", "gaussian",
     "with equality whatever b, in every norm: Gaussian noise can't tell a D from 1"),
    ("C.mc.lem5.sparse", LEM_5, "E||xi||^2 <= D sigma^2/b of one-hot noise, simulated", "one-hot",
     "one sample has one entry, a mean of many has all: D grows with b, towards 64 2/pi in 8 x 8"),
    ("C.mc.lem5.rank", LEM_5, "E||xi||^2 <= D sigma^2/b of rank-one noise, simulated", "rank-one",
     "as a layer's gradient of one token: the nuclear norm needs a D near min(m, n) 0.7"),
)  # fmt: skip
def lemma_5(kind: str, note: str) -> Measured:
    """The D that Lemma 5 needs of an 8 x 8 matrix, the largest over batch sizes."""
    from hpgrid.norms import NORMS
    from hpgrid.stochastic.samples import NOISES, draws, needed_smoothness

    means = draws(NOISES[kind], SEED, (1, 500), BATCHES, (8, 8))[0]
    for norm, method in METHODS.items():
        D = needed_smoothness(NOISES[kind], NORMS[norm], means, BATCHES, (8, 8))
        k = int(D.mean.argmax())
        what = f"b E||xi_S||^2/sigma^2, largest over b, {method}"
        yield at_most(what, "sampled", float(D.mean[k]), 1.0 + CLOSE, float(D.half[k]) + 1e-12)
    yield note


# --- Proposition 6 and Corollary 7 ---
@cache
def _runs(kind: str, norm: str) -> tuple[Objective, Means, Experiment]:
    """What is minimised, what came out, and what was run: all batch sizes and settings."""
    from hpgrid.stochastic.momentum import Experiment, every, measure
    from hpgrid.stochastic.problems import quadratic
    from hpgrid.stochastic.samples import NOISES

    setting = every((1e-3, 0.05), (0.5, 0.9), (0.0, DECAY))
    objective, experiment = quadratic(norm, SHAPE, size=SIZE), Experiment(BATCHES, setting, STEPS, SEEDS, SEED)
    return objective, measure(objective, NOISES[kind], experiment), experiment


def _largest(moments: tuple[str, ...], kind: str, *, decay: bool = False, D: bool = False) -> Measured:
    """The largest measured over bound of each method, with or without weight decay.

    Args:
        moments: keys of ``against.BOUNDS``.
        kind: of noise.
        decay: whether weights decay.
        D: whether it is rho^2, with which Lemma 5 needs no smoothness, or 1.
    """
    from hpgrid.norms import NORMS
    from hpgrid.stochastic.momentum import held

    for norm, method in METHODS.items():
        objective, means, experiment = _runs(kind, norm)
        measured = held(objective, means, experiment, D=NORMS[norm].rho(SHAPE) ** 2 if D else 1.0)
        ratio, error = max(measured[moment].worst((experiment.setting.lam > 0) == decay) for moment in moments)
        yield at_most(f"largest mean/bound, {method}, {kind} noise", "sampled", ratio, 1.0, error)


@claims(
    ("C.mc.prop6.first", PROP_6, "the mean of E||grad f - M_t|| is below its bound, simulated", "momentum"),
    ("C.mc.prop6.second", PROP_6, "the mean of E||grad f - M_t||^2 is below its bound, simulated", "momentum2"),
    ("C.mc.cor7.first", COR_7, "the mean of E||grad f - C_t|| is below its bound, simulated", "nesterov"),
    ("C.mc.cor7.second", COR_7, "the mean of E||grad f - C_t||^2 is below its bound, simulated", "nesterov2"),
)
def one_moment(name: str) -> Measured:
    yield from _largest((name,), "gaussian")
    yield from _largest((name,), "one-hot")
    yield (
        "without the D that the noise needs: one-hot noise in the 1-norm exceeds it several times, whatever the "
        "momentum"
    )


@claim("C.mc.D", "Proposition 6, Corollary 7", "both hold with the D that sparse noise needs, simulated")
def with_D() -> Measured:
    yield from _largest(EVERY_MOMENT, "one-hot", D=True)
    yield "with D = rho^2: E||S||^2 <= rho^2 E||S||_F^2, which adds up over samples; one-hot noise has sigma_F = sigma"


@claim(
    "C.mc.prop6.noise",
    "Proposition 6, proof",
    "the noise's part has E||.||^2 <= (1-beta)/(1+beta) sigma^2/b, simulated",
)
def noise_part() -> Measured:
    yield from _largest(("noise2",), "gaussian")
    yield "with D = 1 and near equality: 1 - beta^(2t) of it at t, so that the bounds' factor 2 is all that is lost"


# --- weight decay ---
@claim("C.mc.decay", "Proposition 6 under weight decay, as in Theorem 11", "the averaged bounds hold, simulated")
def decay_averaged() -> Measured:
    yield from _largest(EVERY_MOMENT, "gaussian", decay=True)
    yield "though a step is up to 2 eta long: (a+b)^2 <= 2 a^2 + 2 b^2 left as much room"


@claim("C.mc.decay.drift", "Proposition 6, proof, under weight decay", "||drift|| <= beta^t G0 + beta/(1-beta) L eta")
def decay_drift() -> Measured:
    for norm, method in METHODS.items():
        _, means, experiment = _runs("gaussian", norm)
        drift, decays = means.drift, experiment.setting.lam > 0
        for word, some in (("without", ~decays), ("with", decays)):
            what = f"largest drift over it, {method}, {word} decay"
            yield at_most(what, "sampled", float(drift[:, some].max()), 1.0, 1e-9)
    yield "a step is up to 2 eta: ||A - lam W|| <= 2, so that the drift may be twice as long"


# --- the update's noise ---
A1_14 = "Proposition A1.14"


@claims(
    ("C.mc.A1.above", A1_14, "the update's noise falls like 1/b where the gradient stands out, simulated", 8,
     "signs have no Lipschitz constant (A1.13): they flip or they don't, and as soon as none does there is no noise"),
    ("C.mc.A1.below", A1_14, "the update's noise falls like 1/b where the gradient does not stand out", 0,
     "a step has length 1 whatever the noise: there is no more of it to lose"),
)  # fmt: skip
def update_noise(first: int, note: str) -> Measured:
    """The power of b in the update's noise at still weights, at three batch sizes from 4^first on."""
    from hpgrid.stochastic.momentum import frozen, power

    b = 4.0 ** np.arange(first, first + 3)
    for norm, method in METHODS.items():
        slope = power(b, frozen(norm, b, gradient=0.05, shape=SHAPE, counts=(STEPS, MANY), seed=SEED))
        yield of_exponent(f"power of b, {method}", "sampled", slope.slope, -1.0, slope.error)
    yield note


#: eta and ||W_0|| where the gradient stands out, and momentum lags by nothing; and of a run that has settled.
FAR, SETTLED = (1e-5, 100.0), (5e-3, 1e-2)


@cache
def _kept(norm: str, eta: float, size: float) -> dict[str, Interval]:
    from hpgrid.stochastic.momentum import after_scaling

    return after_scaling(norm, (16, 64), eta, size=size, shape=SHAPE, counts=(2 * STEPS, SEEDS), seed=SEED)


@claim("C.mc.A1.kept", "A1, after Proposition A1.14", "4 b with 2 eta keeps the update's noise, simulated")
def noise_kept() -> Measured:
    for where, word in ((FAR, "gradient stands out"), (SETTLED, "settled in its noise")):
        for norm in ("frobenius", "spectral"):
            ratio = _kept(norm, *where)["update"]
            what = f"after/before, {METHODS[norm]}, {word}"
            yield Reading(what, "sampled", float(ratio.mean), 1.0, float(ratio.half))
    yield "only where the gradient stands out; of a settled run every step is noise, eta^2 of it: nearly 4 times"


@claim("C.mc.A1.stable", "A1, after Proposition A1.14", "4 b with 2 eta keeps training as stable, simulated")
def stability_kept() -> Measured:
    for norm, method in METHODS.items():
        for name in ("gradient", "loss"):
            ratio = _kept(norm, *SETTLED)[name]
            what = f"{'||grad f||' if name == 'gradient' else 'f'} after/before, {method}"
            yield at_most(what, "sampled", float(ratio.mean), 1.0, float(ratio.half))
    yield (
        "of a settled run, though its update noise is not kept: what is kept is eta times the noise of C_t, which says "
        "how far from their best the weights wander"
    )
