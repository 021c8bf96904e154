"""Momentum and Nesterov momentum with weight decay, many runs at once: how far M_t and C_t are from the gradient.

From M_0 = 0, with g_t the minibatch's gradient: M_t = beta M_(t-1) + (1-beta) g_t from t = 1 on, C_t = beta M_t +
(1-beta) g_t, W_(t+1) = (1 - lam eta) W_t + eta LMO(C_t), for t = 0 to K - 1.

Held against Lemma 5, Proposition 6 and Corollary 7; and the noise of an update, ||eta (LMO(C_t) - LMO(grad f))||^2:
how it falls with b, and what scaling eta keeps.

Source: Cesista, sections 1.1 and 1.2, the proof of Proposition 6, Proposition A1.14 and what follows it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from hpgrid.bounds import lemmas
from hpgrid.readings import Reading
from hpgrid.shapes import AnyArray as Array
from hpgrid.slopes import Slope, fit_slope
from hpgrid.stochastic.problems import Objective, quadratic
from hpgrid.stochastic.samples import GAUSSIAN, Interval, Noise, draws, interval, largest_ratio, ratio, variance


class Setting(NamedTuple):
    """What a run is made with; in a batch, each an array of shape (settings,)."""

    eta: Array
    alpha: Array
    lam: Array


class Means(NamedTuple):
    """Of each run, averages over t: shape (batches, settings, seeds)."""

    momentum: Array  # ||grad f(W_t) - M_t||, dual norm
    momentum2: Array  # its square
    nesterov: Array  # ||grad f(W_t) - C_t||
    nesterov2: Array  # its square
    noise2: Array  # ||.||^2 of the noise's part in grad f(W_t) - M_t
    drift: Array  # of the drift's part, the largest ||.|| over beta^t G0 + beta/(1-beta) L eta
    update2: Array  # ||LMO(C_t) - LMO(grad f(W_t))||^2, in the norm itself: the update's noise over eta^2
    gradient: Array  # ||grad f(W_t)||
    loss: Array  # f(W_t)


def simulate(objective: Objective, noise: Array, setting: Setting, *, scale: float = 1.0) -> Means:
    """Return the averages of all runs: every batch size with every setting and every seed.

    In NumPy, a step of all runs at a time: a program would take longer to compile than they take.

    Args:
        objective: what is minimised.
        noise: minibatches' mean noise, shape (steps, batches, seeds, m, n).
        setting: learning rates > 0, momentum complements in (0, 1], weight decays >= 0, each of shape (settings,).
        scale: times the noise.
    """
    norm, (loss, gradient_of), parameters = objective.norm, objective.form, objective.parameters
    eta, alpha, lam = (np.asarray(value, float)[:, None] for value in setting)
    steps, batches, seeds = noise.shape[:3]
    shape = (batches, len(eta), seeds)

    def whole(x: Array) -> Array:
        """What multiplies matrices."""
        return x[..., None, None]

    W = np.broadcast_to(objective.start, (*shape, *objective.start.shape))
    M, gradient = np.zeros(W.shape), gradient_of(W, parameters)
    drift, size, left = gradient, norm.dual(gradient), np.ones(eta.shape)
    sums = Means(*(np.zeros(shape) for _ in Means._fields))
    for t, xi in enumerate(noise):
        g = gradient - scale * xi[:, None]
        # M_0 stays 0: the source's average begins at t = 1.
        if t > 0:
            M = whole(1.0 - alpha) * M + whole(alpha) * g
        C = whole(1.0 - alpha) * M + whole(alpha) * g
        error, nesterov = gradient - M, norm.dual(gradient - C)
        distance, A = norm.dual(error), norm.lmo(C)
        bound = left * size + (1.0 - alpha) / alpha * objective.L * eta
        now = Means(
            distance,
            distance**2,
            nesterov,
            nesterov**2,
            norm.dual(error - drift) ** 2,
            # Without momentum both are 0.
            norm.dual(drift) / np.where(bound > 0.0, bound, 1.0),
            norm.of(A - norm.lmo(gradient)) ** 2,
            norm.dual(gradient),
            loss(W, parameters),
        )
        W = whole(1.0 - lam * eta) * W + whole(eta) * A
        new = gradient_of(W, parameters)
        drift, gradient, left = whole(1.0 - alpha) * (drift + new - gradient), new, left * (1.0 - alpha)
        largest = np.maximum(sums.drift, now.drift)
        sums = Means(*(a + b for a, b in zip(sums, now)))._replace(drift=largest)
    return Means(*(total / steps for total in sums))._replace(drift=sums.drift)


def every(eta: Sequence[float], beta: Sequence[float], lam: Sequence[float]) -> Setting:
    """Return all combinations of learning rates, momenta and weight decays, the last one changing fastest."""
    grids = np.meshgrid(np.asarray(eta, float), 1.0 - np.asarray(beta, float), np.asarray(lam, float), indexing="ij")
    return Setting(*(grid.ravel() for grid in grids))


# --- against the bounds ---

#: What is averaged over t, its bound, and which moment.
BOUNDS = {
    "momentum": (lemmas.mean_momentum_error, 1),
    "momentum2": (lemmas.mean_momentum_error, 2),
    "nesterov": (lemmas.mean_nesterov_error, 1),
    "nesterov2": (lemmas.mean_nesterov_error, 2),
}


class Experiment(NamedTuple):
    """What is run: every batch size with every setting and seed, the noise scaled to sigma = 1 in the dual norm."""

    batches: Array
    setting: Setting
    steps: int  # from t = 0
    seeds: int
    seed: int = 0  # of all noise


class Held(NamedTuple):
    """A measured mean held against its bound: shape (batches, settings)."""

    measured: Interval
    bound: Array

    @property
    def ratio(self) -> Array:
        """The measured over the bound."""
        return self.measured.mean / self.bound

    @property
    def error(self) -> Array:
        """How far the ratio may be off."""
        return self.measured.half / self.bound

    def reading(self, what: str) -> Reading:
        """Return whether the bound holds everywhere, if the intervals can tell."""
        return largest_ratio(what, self.ratio, self.error)

    def worst(self, where: Array | None = None) -> tuple[float, float]:
        """Return the largest ratio, and how far it may be off, among settings: shape (settings,)."""
        chosen = slice(None) if where is None else np.asarray(where)
        ratio, error = self.ratio[:, chosen], self.error[:, chosen]
        k = int(ratio.argmax())
        return float(ratio.flat[k]), float(error.flat[k])


def measure(objective: Objective, noise: Noise, experiment: Experiment) -> Means:
    """Return the averages of an experiment."""
    shape = objective.start.shape
    drawn = draws(noise, experiment.seed, (experiment.steps, experiment.seeds), experiment.batches, shape)
    return simulate(objective, drawn, experiment.setting, scale=variance(noise, objective.norm, shape).value ** -0.5)


def held(objective: Objective, means: Means, experiment: Experiment, *, D: float = 1.0) -> dict[str, Held]:
    """Return each of ``BOUNDS`` as measured and as bounded, and the noise's own part, "noise2".

    D is the smoothness of half the squared dual norm, as the bounds take it.
    """
    b = np.asarray(experiment.batches, float)[:, None]
    eta, alpha, _ = experiment.setting
    at = {"eta": eta, "b": b, "alpha": alpha, "L": objective.L, "sigma": 1.0, "D": D, "G0": objective.G0}
    noise = alpha / (2.0 - alpha) * lemmas.minibatch_noise(b, sigma=1.0, D=D)
    return {
        name: Held(interval(getattr(means, name)), np.asarray(sum(bound(moment, experiment.steps, **at))))
        for name, (bound, moment) in BOUNDS.items()
    } | {"noise2": Held(interval(means.noise2), noise)}


# --- the noise of an update ---

#: A step so small that the gradient does not change by it.
STILL = 1e-9


def frozen(
    norm: str,
    batches: Array,
    *,
    gradient: float,
    shape: tuple[int, int],
    counts: tuple[int, int],
    beta: float = 0.9,
    seed: int = 0,
    noise: Noise = GAUSSIAN,
) -> Interval:
    """Return the update's noise over eta^2 at weights that stay where they are: shape (batches,).

    ``norm`` is a name, ``gradient`` ||grad f|| over the noise scale of a sample, both in the dual norm, and ``counts``
    how many steps and seeds.
    """
    # G0 is linear in the size of the start.
    objective = quadratic(norm, shape, size=gradient / quadratic(norm, shape).G0)
    setting = Setting(*(np.array([value]) for value in (STILL, 1.0 - beta, 0.0)))
    means = measure(objective, noise, Experiment(batches, setting, *counts, seed))
    return interval(means.update2[:, 0])


def after_scaling(
    norm: str,
    batches: tuple[float, float],
    eta: float,
    *,
    size: float,
    shape: tuple[int, int],
    counts: tuple[int, int],
    beta: float = 0.9,
    seed: int = 0,
) -> dict[str, Interval]:
    """Return what a change of b, with eta following its root, makes of the means over a run: after over before.

    Of the update's noise, eta^2 E||.||^2 ("update"), of ||grad f|| ("gradient") and of f ("loss"). ``norm`` is a name,
    ``eta`` the learning rate before, ``size`` ||W_0|| and ``counts`` how many steps and seeds; both runs share their
    samples.
    """
    rates = eta * np.array([1.0, (batches[1] / batches[0]) ** 0.5])
    setting = Setting(rates, np.full(2, 1.0 - beta), np.zeros(2))
    means = measure(quadratic(norm, shape, size=size), GAUSSIAN, Experiment(batches, setting, *counts, seed))

    def change(values: Array) -> Interval:
        return ratio(values[1, 1], values[0, 0], comparisons=3)

    # Seeds are shared before and after, so that the ratio's interval is one of paired values.
    squares = rates[:, None] ** 2 * means.update2
    return {"update": change(squares), "gradient": change(means.gradient), "loss": change(means.loss)}


def power(b: Array, means: Interval) -> Slope:
    """Return the power of b in measured means, shape (n,), with the error that their intervals allow.

    Those whose interval reaches 0 have no logarithm to speak of and are left out.
    """
    known = means.low > 0.0
    apart = np.log(means.mean[known] / means.low[known])
    return fit_slope(b, means.mean, edge=~known, step=float(apart.max(initial=0.0)))
