"""Momentum and Nesterov momentum with weight decay, many runs at once: how far M_t and C_t are from the gradient.

From M_0 = 0, with g_t the minibatch's gradient: M_t = beta M_(t-1) + (1-beta) g_t from t = 1 on, C_t = beta M_t +
(1-beta) g_t, W_(t+1) = (1 - lam eta) W_t + eta LMO(C_t), for t = 0 to K - 1.

Source: Cesista, sections 1.1 and 1.2, and the proof of Proposition 6.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from hpgrid.norms import Norm
from hpgrid.shapes import AnyArray as Array
from hpgrid.stochastic.problems import Form, Problem


class Setting(NamedTuple):
    """What a run is made with; in a batch, each an array of shape (settings,)."""

    eta: Array
    alpha: Array
    lam: Array


class Means(NamedTuple):
    """Of each run, averages over t: shape (batches, settings, seeds).

    Attributes:
        momentum: ||grad f(W_t) - M_t||, dual norm.
        momentum2: its square.
        nesterov: ||grad f(W_t) - C_t||.
        nesterov2: its square.
        noise2: ||.||^2 of the noise's part in grad f(W_t) - M_t.
        drift: of the drift's part, the largest ||.|| over beta^t G0 + beta/(1-beta) L eta.
        update2: ||LMO(C_t) - LMO(grad f(W_t))||^2, in the norm itself: the update's noise over eta^2.
        gradient: ||grad f(W_t)||.
        loss: f(W_t).
    """

    momentum: Array
    momentum2: Array
    nesterov: Array
    nesterov2: Array
    noise2: Array
    drift: Array
    update2: Array
    gradient: Array
    loss: Array


class _State(NamedTuple):
    W: Array
    M: Array
    gradient: Array
    drift: Array
    left: Array


def simulate(problem: Problem, noise: Array, setting: Setting, *, scale: float = 1.0) -> Means:
    """Return the averages of all runs: every batch size with every setting and every seed.

    One program for all of them, which new noise, settings and constants of the problem do not compile again.

    Args:
        problem: what is minimised.
        noise: minibatches' mean noise, shape (steps, batches, seeds, m, n).
        setting: learning rates > 0, momentum complements in (0, 1], weight decays >= 0, each of shape (settings,).
        scale: times the noise.
    """
    with jax.enable_x64(True):
        arrays = (problem.parameters, problem.start, scale * np.asarray(noise), problem.L)
        given = Setting(*(jnp.asarray(np.asarray(value, float)) for value in setting))
        found = _simulate(problem.norm, problem.form, given, *(jnp.asarray(a) for a in arrays))
        return Means(*(np.asarray(value) for value in found))


@partial(jax.jit, static_argnums=(0, 1))
def _simulate(
    norm: Norm, form: Form, setting: Setting, parameters: Array, start: Array, noise: Array, L: Array
) -> Means:
    def run(noise: Array, setting: Setting) -> Means:
        return _run(norm, form, setting, parameters, start, noise, L)

    seeds = jax.vmap(run, (1, None))
    return jax.vmap(jax.vmap(seeds, (None, 0)), (1, None))(noise, setting)


def _run(norm: Norm, form: Form, setting: Setting, parameters: Array, start: Array, noise: Array, L: Array) -> Means:
    """One run: shape (steps, m, n) of noise, and numbers for all else."""
    eta, alpha, lam = setting
    first = form.gradient(start, parameters)
    size = norm.dual(first)

    def step(carry: tuple[_State, Means], xs: tuple[Array, Array]) -> tuple[tuple[_State, Means], None]:
        (W, M, gradient, drift, left), sums = carry
        t, xi = xs
        g = gradient - xi
        M = jnp.where(t > 0, (1.0 - alpha) * M + alpha * g, M)
        C = (1.0 - alpha) * M + alpha * g
        error, nesterov = gradient - M, norm.dual(gradient - C)
        distance, A = norm.dual(error), norm.lmo(C)
        bound = left * size + (1.0 - alpha) / alpha * L * eta
        now = Means(
            distance,
            distance**2,
            nesterov,
            nesterov**2,
            norm.dual(error - drift) ** 2,
            norm.dual(drift) / jnp.where(bound > 0.0, bound, 1.0),  # without momentum both are 0
            norm.of(A - norm.lmo(gradient)) ** 2,
            norm.dual(gradient),
            form.loss(W, parameters),
        )
        W = (1.0 - lam * eta) * W + eta * A
        new = form.gradient(W, parameters)
        drift = (1.0 - alpha) * (drift + new - gradient)
        summed = Means(*(a + b for a, b in zip(sums, now)))._replace(drift=jnp.maximum(sums.drift, now.drift))
        return (_State(W, M, new, drift, left * (1.0 - alpha)), summed), None

    state = _State(start, jnp.zeros_like(start), first, first, jnp.ones(()))
    steps = noise.shape[0]
    (_, sums), _ = jax.lax.scan(step, (state, Means(*[jnp.zeros(())] * 9)), (jnp.arange(steps), noise))
    return Means(*(total / steps for total in sums))._replace(drift=sums.drift)


def every(eta: Sequence[float], beta: Sequence[float], lam: Sequence[float]) -> Setting:
    """Return all combinations of learning rates, momenta and weight decays, the last one changing fastest."""
    grids = np.meshgrid(np.asarray(eta, float), 1.0 - np.asarray(beta, float), np.asarray(lam, float), indexing="ij")
    return Setting(*(grid.ravel() for grid in grids))
