"""Lemma 5 to Proposition 10 of Cesista: what bounds the noise, the momentum's error, the weights and the gradient.

The source's T, the number of iterations, is K here. All is computed from alpha = 1 - beta, so that momenta next to 1
lose no digits. Moments are of dual norms: the first, E||.||, or the second, E||.||^2. ``constants`` are those of
``Constants`` by name.
"""

from __future__ import annotations

from typing import NamedTuple

from hpgrid.bounds.constants import Constants
from hpgrid.checks import unknown
from hpgrid.shapes import AnyArray as Array, array_namespace, sqrt


class Error(NamedTuple):
    """A bound on a moment of an error, taken apart; the bound is ``sum(error)``.

    Attributes:
        start: what is left of the first gradient, since M_0 = 0.
        drift: what the weights' moving adds.
        noise: what the samples' noise adds.
    """

    start: Array
    drift: Array
    noise: Array


def kept(share: Array, times: Array) -> Array:
    """Return (1 - share)^times for 0 <= share <= 1: what is left after losing a share many times; 0^0 is 1."""
    xp = array_namespace(share, times)
    # By its log, which neither loses a small share nor overflows; log(0) is kept out of what is differentiated.
    shrinks = share < 1.0
    log = xp.log1p(-xp.where(shrinks, share, 0.0))
    return xp.where(shrinks, xp.exp(times * log), xp.where(times == 0, 1.0, 0.0))


def nesterov_noise(alpha: Array, times: float) -> Array:
    """Return (times (1-beta)/(1+beta))^(1/2) beta + (1-beta): what Nesterov momentum lets through of the noise.

    Source: Cesista, Corollary 7, with times = 2; in the revised forms 1.
    """
    return sqrt(times * alpha / (2.0 - alpha)) * (1.0 - alpha) + alpha


def weighted_noise(weights: Array, *, sigma: Array = 1.0, D: Array = 1.0) -> Array:
    """Return the bound on E||sum_i w_i xi_i||^2, D sigma^2 sum_i w_i^2, summed over the last axis.

    Source: Cesista, Lemma 5.
    """
    return D * sigma**2 * (weights**2).sum(-1)


def minibatch_noise(b: Array, *, sigma: Array = 1.0, D: Array = 1.0) -> Array:
    """Return the bound on a minibatch's E||xi||^2, D sigma^2/b. Source: Cesista, Lemma 5."""
    return D * sigma**2 / b


def momentum_error(moment: int, t: Array, *, eta: Array, b: Array, alpha: Array, **constants: Array) -> Error:
    """Return the bound on a moment of grad f(W_t) - M_t.

    2 beta^t G0 + 2 beta/(1-beta) L eta + (2 (1-beta)/(1+beta) D sigma^2/b)^(1/2), or the sum of their squares.

    Args:
        moment: 1 or 2.
        t: the step, >= 0.
        eta: learning rate, > 0.
        b: batch size, >= 1.
        alpha: momentum complement 1 - beta, in (0, 1].
        constants: L, sigma, D, G0; 1 where not given.

    Raises:
        ValueError: another moment.

    Source: Cesista, Proposition 6.
    """
    of = Constants(**constants)
    first = Error(
        2.0 * kept(alpha, t) * of.G0,
        2.0 * (1.0 - alpha) / alpha * of.L * eta,
        sqrt(2.0 * alpha / (2.0 - alpha) * minibatch_noise(b, sigma=of.sigma, D=of.D)),
    )
    return first if _is_first(moment) else Error(*(part**2 for part in first))


def mean_momentum_error(moment: int, K: Array, *, eta: Array, b: Array, alpha: Array, **constants: Array) -> Error:
    """Return the bound on a moment of grad f(W_t) - M_t, averaged over t = 0 to K - 1, K >= 1.

    As ``momentum_error``, with 2/((1-beta) K) G0 and 4/((1-beta^2) K) G0^2 in place of the first gradient's terms.

    Source: Cesista, Proposition 6.
    """
    _, drift, noise = momentum_error(moment, 0.0, eta=eta, b=b, alpha=alpha, **constants)
    G0 = Constants(**constants).G0
    # The sums of beta^t and of beta^(2t) over all t, an upper bound of those over K steps.
    start = 2.0 / (alpha * K) * G0 if _is_first(moment) else 4.0 / (alpha * (2.0 - alpha) * K) * G0**2
    return Error(start, drift, noise)


def mean_nesterov_error(moment: int, K: Array, *, eta: Array, b: Array, alpha: Array, **constants: Array) -> Error:
    """Return the bound on a moment of grad f(W_t) - C_t, averaged over t = 0 to K - 1, K >= 1.

    beta times the momentum's, and (1-beta) times the minibatch's noise: in the first moment
    ((2 (1-beta)/(1+beta))^(1/2) beta + (1-beta)) D^(1/2) sigma/b^(1/2), in the second
    (3 beta + 1)(1-beta)/(1+beta) D sigma^2/b. The arguments are as in ``momentum_error``.

    Source: Cesista, Corollary 7.
    """
    start, drift, _ = mean_momentum_error(moment, K, eta=eta, b=b, alpha=alpha, **constants)
    of = Constants(**constants)
    variance = minibatch_noise(b, sigma=of.sigma, D=of.D)
    if _is_first(moment):
        noise = nesterov_noise(alpha, 2.0) * sqrt(variance)
    else:
        noise = (4.0 - 3.0 * alpha) * alpha / (2.0 - alpha) * variance
    return Error((1.0 - alpha) * start, (1.0 - alpha) * drift, noise)


def weight_norm(lam: Array) -> Array:
    """Return the bound on ||W_t|| under weight decay, 1/lam, for lam eta <= 1 and ||W_0|| <= 1/lam.

    Source: Cesista, Proposition 9.
    """
    return 1.0 / lam


def gradient_norm(lam: Array, *, L: Array = 1.0) -> Array:
    """Return the bound on ||grad f(W_t)|| under weight decay, 2 L/lam, where a minimiser has ||W*|| <= 1/lam.

    It holds for any weights of norm <= 1/lam, trained or not: a bound above it says nothing.

    Source: Cesista, Proposition 9.
    """
    return 2.0 * L / lam


def momentum_size(b: Array, *, lam: Array, L: Array = 1.0, sigma: Array = 1.0, D: Array = 1.0) -> Array:
    """Return the bound on E||.||^2 of a minibatch's gradient, of M_t and of C_t: 2 D sigma^2/b + 8 L^2/lam^2.

    Source: Cesista, Proposition 10; where a minimiser has ||W*|| <= 1/lam, as in Proposition 9.
    """
    return 2.0 * minibatch_noise(b, sigma=sigma, D=D) + 2.0 * gradient_norm(lam, L=L) ** 2


def _is_first(moment: int) -> bool:
    if moment not in (1, 2):
        raise unknown("moment", moment, ("1", "2"))
    return moment == 1
