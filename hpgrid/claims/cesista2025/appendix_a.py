"""Appendix A: how the learning rate follows the batch size (A1); whether dual norms are D-smooth (A2).

Tolerances. A mean over seeded draws is sure to four of its standard errors; a search for the worst case either
doubles with each halving or stands still, and is off by at most a twentieth of that.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from math import erfc
from typing import Any

import numpy as np

from hpgrid import bounds as proxies
from hpgrid.bounds import lemmas
from hpgrid.checks import NOISE_KINDS
from hpgrid.claims.cesista2025.moments import CLOSE, CONSTANTS, ROUNDING, over_printed
from hpgrid.claims.ledger import Measured, claim, claims
from hpgrid.claims.measures import at_most, moves, printed, setting
from hpgrid.newton_schulz import QUINTIC, newton_schulz, oracle_error
from hpgrid.norms import FROBENIUS, MAX, SPECTRAL, Norm
from hpgrid.proxy import Proxy
from hpgrid.readings import Reading, of_exponent
from hpgrid.theory import cesista_laws as theory


def _power(values: Sequence[float], b: Sequence[float]) -> float:
    """d log value / d log b between two batch sizes."""
    return float(np.log(values[1] / values[0]) / np.log(b[1] / b[0]))


@claim("C.A1.bound", "Proposition A1.14", "the update's noise has E||.||^2 proportional to eta^2/b")
def update_noise() -> Measured:
    """The power of b in eta^2 times Corollary 7's second moment, which the proof uses, once the run is long."""
    own = {**{k: CONSTANTS[k] for k in ("L", "sigma", "D", "G0")}, "alpha": 0.05}
    # Where L eta is small, the drift's share of the moment bounds how far the power is from -1.
    still = lemmas.mean_nesterov_error(2, 1e30, eta=1e-12, b=128.0, **own)
    tolerance = 2 * float((still.start + still.drift) / still.noise) + ROUNDING
    for eta in (1e-12, 1e-2):
        ends = [eta**2 * sum(lemmas.mean_nesterov_error(2, 1e30, eta=eta, b=b, **own)) for b in (64.0, 128.0)]
        power = _power(ends, (64.0, 128.0))
        yield of_exponent(f"power of b, eta = {eta:g}", "arithmetic", power, -1.0, tolerance)
    yield (
        "the drift, (4 beta^3/(1-beta)^2) L^2 eta^2, does not fall with b: 'O(1/T + 1)' stays, and eta^2/b holds only "
        "while L eta is below (1-beta)^(3/2) D^(1/2) sigma/b^(1/2), up to a constant; its constant "
        "2 (1-beta)/(1+beta) is M_t's, not C_t's"
    )


@claim("C.A1.lipschitz", "Assumption A1.13", "the oracle is Lipschitz, so that its noise falls as the gradient's, 1/b")
def lipschitz() -> Measured:
    """signSGD in one dimension: E|sign(g + xi) - sign(g)|^2 is 4 P(the sign flips), xi normal of variance 1/b."""
    b = (100.0, 400.0)
    for g, called in ((0.1, "sigma/10, b = 100 to 400"), (1e-6, "1e-6 sigma")):
        # sign(g + xi) is off by 2 where the noise turns the sign: a normal tail.
        flips = [4 * 0.5 * erfc(g * np.sqrt(x) / np.sqrt(2)) for x in b]
        yield of_exponent(f"power of b, g = {called}", "arithmetic", _power(flips, b), -1.0, ROUNDING)
    # The jump of sign at 0 over a step across it: there is no largest one.
    quotient = 2 / (2 * 1e-9)
    yield at_most("|sign(x) - sign(-x)|/2x at x = 1e-9, to its value at 1", "arithmetic", quotient, 1.0)
    yield (
        "sign, orthogonalise and normalise jump: no constant exists. The update's noise falls exponentially where the "
        "gradient stands out, and not at all where it does not"
    )


#: The momentum that A1's learning rates are read at.
ALPHA = 0.05


def _at_momentum(form: str) -> Proxy:
    """Theorem 8's bound at a momentum as a sum of powers of eta and b, as printed, or in its revised form."""
    L, sigma, D, G0 = (CONSTANTS[name] for name in ("L", "sigma", "D", "G0"))
    beta, through = 1 - ALPHA, ALPHA / (2 - ALPHA)
    start, drift = 2 * beta / ALPHA * G0, (0.5 + 2 * beta**2 / ALPHA) * L
    if form == "revised":
        noise = 2 * (np.sqrt(through) * beta + ALPHA) * np.sqrt(D) * sigma
        text = "Delta0*b/(eta*T) + start*b/T + noise/sqrt(b) + drift*eta"
        return printed(text, Delta0=CONSTANTS["Delta0"], start=start, noise=noise, drift=drift)
    return printed(
        "Delta0*b/(eta*T) + start*b/T + Y/b + noise/sqrt(b) + floor + drift*eta + square*eta**2",
        Delta0=CONSTANTS["Delta0"],
        start=start + 2 * beta / (D * ALPHA * (1 + beta)) * G0**2,
        Y=(3 * beta + 1) * ALPHA / (2 * (1 + beta)) * sigma**2,
        noise=(np.sqrt(2 * through) * beta + ALPHA) * np.sqrt(D) * sigma,
        floor=D / 2,
        drift=drift,
        square=2 * beta**3 / (D * ALPHA**2) * L**2,
    )


@claim("C.A1.tokens", "A1", "it is best to scale eta with b^(1/2): at a fixed token budget")
def in_tokens() -> Measured:
    for form, called in {"revised": "revised Theorem 8", "seed": "Theorem 8"}.items():
        proxy = _at_momentum(form)
        yield moves(f"eta* ~ b^p, {called}", Fraction(1, 2), proxy, setting("eta"), "eta", "b")
        yield over_printed(called, proxy, proxies.steepest(**CONSTANTS, form=form), ALPHA)
    yield "because K = T/b falls, not because noise does: the bound's noise does not hold eta"


@claim("C.A1.iterations", "A1", "it is best to scale eta with b^(1/2): at a fixed number of iterations")
def in_iterations() -> Measured:
    proxy, in_K = _at_momentum("revised"), setting("eta", budget="K")
    yield moves("eta* ~ b^p, revised Theorem 8", Fraction(1, 2), proxy, in_K, "eta", "b")
    yield "at a fixed K the bound's best eta does not depend on b at all: to keep the noise is another aim"


#: The shape of Appendix A2's code.
PRINTED_SHAPE = (128, 32)
PAIRS, SURE, SEED = 1000, 4.0, 2025

#: A decomposition, and sums over a matrix of some thousand entries.
DECOMPOSED = 1e-10


@cache
def _statistics(norm: Norm, shape: tuple[int, int], sampling: str = "oracle") -> Any:
    from hpgrid.stochastic.smoothness import quotients, statistics

    return statistics(getattr(quotients(norm, shape, PAIRS, seed=SEED), sampling))


@cache
def _search(norm: Norm, shape: tuple[int, int]) -> Any:
    from hpgrid.stochastic.smoothness import worst_case

    return worst_case(norm, shape, seed=SEED)


def _mean(norm: Norm, shape: tuple[int, int], predicted: float = theory.PRINTED_D, margin: float = CLOSE) -> Reading:
    """The mean quotient over pairs of oracles' answers."""
    quotients = _statistics(norm, shape)
    error = SURE * quotients.error + margin
    return Reading(f"mean quotient, {_by(shape)}", "sampled", quotients.mean, predicted, error)


def _growth(norm: Norm, shape: tuple[int, int]) -> Reading:
    return Reading(f"doublings per halving, {_by(shape)}", "sampled", _search(norm, shape).growth, 0.0, 0.05)


def _by(shape: tuple[int, int]) -> str:
    return f"{shape[0]} x {shape[1]}"


@claim("C.A2.frobenius", "after Assumption 4; A2", "D = 1 for a norm from an inner product (SGD)")
def euclidean() -> Measured:
    for kind in ("oracle", "gaussian"):
        largest = _statistics(FROBENIUS, PRINTED_SHAPE, kind).maximum
        yield Reading(f"largest quotient, {kind} pairs", "sampled", largest, 1.0, DECOMPOSED)
    # After 20 halvings what is rounded in the gradient has grown by 2^20.
    worst = float(_search(FROBENIUS, PRINTED_SHAPE).steepest[-1])
    yield Reading("largest after 20 halvings", "sampled", worst, 1.0, 2**20 * 100 * ROUNDING)


@claim("C.A2.signs", "A2", "D is typically close to 1 for signSGD and AdamW, as random pairs of sign vectors show")
def signs() -> Measured:
    closed = theory.sign_quotient(math.prod(PRINTED_SHAPE))
    for shape in (PRINTED_SHAPE, (4, 4)):
        yield _mean(MAX, shape)
    yield (
        "close: within a tenth. "
        f"Two random sign vectors differ in half their d coordinates: d over their number has the mean {closed:.4f} "
        "here, about 2 (1 + 1/d) in any shape. The pairs lie on the unit sphere of the step's norm, though D is about "
        f"the dual space: Gaussian pairs give {_statistics(MAX, PRINTED_SHAPE, 'gaussian').mean:.3f}"
    )


@claim("H.signs", "Cesista, A2's code, l_1", "what it measures is E[d/N], N of d random signs differing")
def signs_closed() -> Measured:
    for shape in (PRINTED_SHAPE, (4, 4)):
        yield _mean(MAX, shape, theory.sign_quotient(math.prod(shape)), DECOMPOSED)


@claim("C.A2.muon", "A2", "D is typically close to 1 for Muon and SOAP, as random pairs of orthogonal matrices show")
def muon() -> Measured:
    for shape in (PRINTED_SHAPE, (512, 8), (32, 32), (4, 4)):
        yield _mean(SPECTRAL, shape)
    yield (
        "close: within a tenth. "
        "The taller the nearer: it falls to 1 as m/n grows, and is pi/2 for large square matrices, whose differences "
        "have singular values 2 sin(theta/2), theta uniform"
    )


@claim("C.A2.vectors", "A2", "D = 1 where the dual norm is Euclidean: Muon on n x 1, all on 1 x 1")
def vectors() -> Measured:
    for norm, shape in ((SPECTRAL, (64, 1)), (SPECTRAL, (1, 64)), (SPECTRAL, (1, 1)), (MAX, (1, 1))):
        largest = _statistics(norm, shape).maximum
        yield Reading(f"largest quotient, {norm.name}, {_by(shape)}", "sampled", largest, 1.0, DECOMPOSED)
        yield _growth(norm, shape)


@claims(
    ("C.A2.worst.signs", "Assumption 4", "there is a D > 0 for the 1-norm, the dual of signSGD's and AdamW's", MAX,
     "As one entry crosses 0 the gradient jumps by 2 ||x||_1: no D exists, which random pairs do not show"),
    ("C.A2.worst.muon", "Assumption 4", "there is a D > 0 for the nuclear norm, the dual of Muon's and SOAP's",
     SPECTRAL,
     "As one singular value passes 0 its vectors turn round and the gradient jumps by 2 ||X||_nuc: no D exists. Local "
     "smoothness in a ball about 0, as Assumption 4 has it, is of no help: g is homogeneous"),
)  # fmt: skip
def worst(norm: Norm, jump: str) -> Measured:
    for shape in (PRINTED_SHAPE, (4, 4)):
        yield _growth(norm, shape)
    yield (
        "of a pair, the half along which the gradient turns faster, again and again, never lowers the quotient: an "
        f"upper bound would stop it. {jump}"
    )


#: Where noise is averaged: small enough that the largest batch passes the number of entries.
NOISE_SHAPE, BATCHES = (16, 16), (4, 64, 1024)


@cache
def _effective(norm: Norm, kind: str) -> Any:
    from hpgrid.stochastic.samples import NOISES, effective

    return effective(norm, NOISES[kind], NOISE_SHAPE, BATCHES, draws=200, seed=SEED)


def _needed(norm: Norm, kind: str, bound: float = theory.PRINTED_D + CLOSE) -> Measured:
    """What Lemma 5 needs of one kind of noise, by batch size."""
    effective = _effective(norm, kind)
    for b, constant, error in zip(BATCHES, effective.constant, effective.error):
        what = f"b E||mean||^2/E||xi||^2, {norm.name}, {kind}, {_by(NOISE_SHAPE)}, b = {b}"
        yield at_most(what, "sampled", float(constant), bound, SURE * float(error) + DECOMPOSED)


KEEPS, LEM_5 = "the mean of b noises has b E||mean||^2 close to E||xi||^2 in the", "Lemma 5 with A2's D = 1"


@claims(
    ("C.A2.noise", LEM_5, f"{KEEPS} 1-norm", MAX,
     "close: within a tenth. Gaussian noise needs 1 in any norm. One-hot noises hardly meet, so that a mean over b "
     "keeps a 1-norm of order 1 until b is near d: it grows like b, to 1 + (2/pi)(d - 1) = "
     f"{theory.one_hot_limit(math.prod(NOISE_SHAPE)):.0f} here"),
    ("C.A2.noise.muon", LEM_5, f"{KEEPS} nuclear norm", SPECTRAL,
     "a gradient of one token has rank one, that of many has not: it grows like b until b is near min(m, n)"),
)  # fmt: skip
def noise(norm: Norm, note: str) -> Measured:
    for kind in NOISE_KINDS:
        yield from _needed(norm, kind)
    yield note


@claim("H.noise", "Cesista, Lemma 5", "with D = (kappa2/kappa1)^2 it holds for any noise, without Assumption 4")
def noise_most() -> Measured:
    """b E||mean||_dual^2 <= kappa2^2 b E||mean||_F^2 = kappa2^2 E||xi||_F^2 <= (kappa2/kappa1)^2 E||xi||_dual^2."""
    for norm in (MAX, SPECTRAL):
        for kind in NOISE_KINDS:
            yield from _needed(norm, kind, _effective(norm, "one-hot").bound)


@claim("C.thm8.kappa", "Theorem 8, approach 2", "||.||_dual lies between kappa1 = 1 and kappa2 = min(m, n)^(1/2), Muon")
def kappa() -> Measured:
    """Of a matrix of rank one and of an orthogonal one; and between them at random."""
    m, n = PRINTED_SHAPE
    least, most = np.outer(np.eye(m)[0], np.eye(n)[0]), np.eye(m, n)
    random = np.random.default_rng(SEED).standard_normal((100, m, n))
    ratio = [SPECTRAL.dual(X) / FROBENIUS.of(X) for X in (least, most, random)]
    yield Reading("||X||_nuc/||X||_F, rank one", "arithmetic", float(ratio[0]), 1.0, DECOMPOSED)
    yield Reading("||X||_nuc/||X||_F, orthogonal", "arithmetic", float(ratio[1]), math.sqrt(min(m, n)), DECOMPOSED)
    yield at_most("the same, 100 random", "sampled", float(ratio[2].max()), math.sqrt(min(m, n)), DECOMPOSED)


@claim("C.lmo", "section 1.2", "||A|| = 1 and <C, A> = -||C||_dual of the oracle's answer")
def oracle() -> Measured:
    C = np.random.default_rng(SEED).standard_normal((20, *PRINTED_SHAPE))
    for norm in (FROBENIUS, MAX, SPECTRAL):
        size, lost, _ = (float(np.abs(error).max()) for error in oracle_error(norm, C, norm.lmo(C)))
        yield Reading(f"||A|| - 1, worst of 20, {norm.name}", "sampled", size, 0.0, DECOMPOSED)
        yield Reading(f"share of the descent lost, {norm.name}", "sampled", lost, 0.0, DECOMPOSED)


@claim("H.muon", "Muon as it is run", "Newton-Schulz does to C what its quintic does to C's singular values")
def as_run() -> Measured:
    """The shares of the descent that are lost, by the iteration, and by five quintics of C's singular values."""
    C = np.random.default_rng(SEED).standard_normal((20, *PRINTED_SHAPE))
    error = oracle_error(SPECTRAL, C, -newton_schulz(C))
    s = np.linalg.svd(C, compute_uv=False)
    x, (a, b, c) = s / np.sqrt((s**2).sum(-1, keepdims=True)), QUINTIC
    for _ in range(5):
        x = a * x + b * x**3 + c * x**5
    lost, longest = 1 - (s * x).sum(-1) / s.sum(-1), x.max(-1) - 1
    # Five steps of three products over 128 entries each, and the quintic is at most 3.4 times as steep as its argument.
    rounding = QUINTIC[0] ** 5 * 5 * 3 * 128 * float(np.finfo(float).eps)
    yield Reading("largest difference in descent", "sampled", float(np.abs(error.descent - lost).max()), 0.0, rounding)
    yield Reading("largest difference in size", "sampled", float(np.abs(error.size - longest).max()), 0.0, rounding)
    yield (
        f"it leaves singular values between 0.68 and 1.2: at {_by(PRINTED_SHAPE)} it loses {error.descent.mean():.0%} "
        f"of the descent and is {error.distance.mean():.2f} from the exact step, whose size is 1"
    )
