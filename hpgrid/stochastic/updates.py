"""The noise of an update, ||eta (LMO(C_t) - LMO(grad f))||^2: how it falls with b, and what scaling eta keeps.

Source: Cesista, Proposition A1.14 and what follows it.
"""

from __future__ import annotations

import numpy as np

from hpgrid.shapes import AnyArray as Array
from hpgrid.slopes import Slope, fit_slope
from hpgrid.stochastic.against import Experiment, measure
from hpgrid.stochastic.intervals import Interval, interval, ratio
from hpgrid.stochastic.momentum import Setting
from hpgrid.stochastic.noise import GAUSSIAN, Noise
from hpgrid.stochastic.problems import quadratic

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

    Args:
        norm: by its name.
        batches: batch sizes.
        gradient: ||grad f|| over the noise scale of a sample, both in the dual norm.
        shape: of the matrix.
        counts: how many steps, and how many seeds.
        beta: the momentum.
        seed: of all the noise.
        noise: of which kind.
    """
    problem = quadratic(norm, shape, size=gradient / quadratic(norm, shape).G0)
    setting = Setting(*(np.array([value]) for value in (STILL, 1.0 - beta, 0.0)))
    means = measure(problem, noise, Experiment(batches, setting, *counts, seed))
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

    Args:
        norm: by its name.
        batches: before and after.
        eta: before.
        size: ||W_0||.
        shape: of the matrix.
        counts: how many steps, and how many seeds.
        beta: the momentum.
        seed: of all the noise; both runs share their samples.

    Returns:
        Of the update's noise, eta^2 E||.||^2 ("update"), of ||grad f|| ("gradient") and of f ("loss").
    """
    rates = eta * np.array([1.0, (batches[1] / batches[0]) ** 0.5])
    setting = Setting(rates, np.full(2, 1.0 - beta), np.zeros(2))
    means = measure(quadratic(norm, shape, size=size), GAUSSIAN, Experiment(batches, setting, *counts, seed))

    def change(values: Array) -> Interval:
        return ratio(values[1, 1], values[0, 0], comparisons=3)

    squares = rates[:, None] ** 2 * means.update2
    return {"update": change(squares), "gradient": change(means.gradient), "loss": change(means.loss)}


def power(b: Array, found: Interval) -> Slope:
    """Return the power of b in a measured mean, with the error that its intervals allow.

    Args:
        b: batch sizes, shape (n,).
        found: means, shape (n,); those whose interval reaches 0 have no logarithm to speak of and are left out.
    """
    known = found.low > 0.0
    apart = np.log(found.mean[known] / found.low[known])
    return fit_slope(b, found.mean, edge=~known, step=float(apart.max(initial=0.0)))
