"""The momentum's error, measured, against Lemma 5, Proposition 6 and Corollary 7 of Cesista."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hpgrid.bounds import lemmas
from hpgrid.readings import Reading
from hpgrid.shapes import AnyArray as Array
from hpgrid.stochastic.intervals import Interval, interval, largest_ratio
from hpgrid.stochastic.momentum import Means, Setting, simulate
from hpgrid.stochastic.noise import Noise
from hpgrid.stochastic.problems import Problem
from hpgrid.stochastic.samples import draws, variance

#: What is averaged over t, its bound, and which moment.
BOUNDS = {
    "momentum": (lemmas.mean_momentum_error, 1),
    "momentum2": (lemmas.mean_momentum_error, 2),
    "nesterov": (lemmas.mean_nesterov_error, 1),
    "nesterov2": (lemmas.mean_nesterov_error, 2),
}


class Experiment(NamedTuple):
    """What is run: every batch size with every setting and seed, the noise scaled to sigma = 1 in the dual norm.

    Attributes:
        batches: batch sizes.
        setting: learning rates, momenta and weight decays.
        steps: how many, from t = 0.
        seeds: how many.
        seed: of all noise.
    """

    batches: Array
    setting: Setting
    steps: int
    seeds: int
    seed: int = 0


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


def measure(problem: Problem, noise: Noise, given: Experiment) -> Means:
    """Return the averages of an experiment."""
    shape = problem.start.shape
    drawn = draws(noise, given.seed, (given.steps, given.seeds), given.batches, shape)
    return simulate(problem, drawn, given.setting, scale=variance(noise, problem.norm, shape).value ** -0.5)


def held(problem: Problem, means: Means, given: Experiment, *, D: float = 1.0) -> dict[str, Held]:
    """Return each of ``BOUNDS`` as measured and as bounded, and the noise's own part, "noise2".

    Args:
        problem: what was minimised.
        means: what came out.
        given: of what experiment.
        D: smoothness of half the squared dual norm, as the bounds take it.
    """
    b = np.asarray(given.batches, float)[:, None]
    eta, alpha, _ = given.setting
    at = {"eta": eta, "b": b, "alpha": alpha, "L": problem.L, "sigma": 1.0, "D": D, "G0": problem.G0}
    found = {}
    for name, (bound, moment) in BOUNDS.items():
        found[name] = Held(interval(getattr(means, name)), np.asarray(sum(bound(moment, given.steps, **at))))
    weights = alpha / (2.0 - alpha)
    noise = weights * lemmas.minibatch_noise(b, sigma=1.0, D=D)
    return found | {"noise2": Held(interval(means.noise2), noise)}
