"""The LMO method of eq. (1) itself, over a grid of (eta, b, alpha, K), against its bound, eq. (2), and its best runs.

m^(k+1) = (1 - alpha) m^k + alpha g_b^k, x^(k+1) = x^k + eta LMO(m^(k+1)), from m^0 = g_b^0: normalised SGD, signSGD
and Muon, by the norm.

Source: Shulgin et al., eqs. (1) and (2); Appendix C.1 for the matched first momentum.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from hpgrid.bounds import lmo_exact
from hpgrid.checks import bad
from hpgrid.norms import Norm
from hpgrid.shapes import AnyArray as Array
from hpgrid.slopes import Slope, fit_slope
from hpgrid.stochastic.problems import Form, Objective
from hpgrid.stochastic.samples import GAUSSIAN, LEVEL, draws, near_minimum


@dataclass(frozen=True)
class Runs:
    """What came out of every cell of a grid.

    ``least`` is ||grad f(x^k)||_dual at the k <= K of least mean. That k is chosen by as many other seeds, so that a
    mean over these is not too low for having been the least.
    """

    least: np.ndarray  # shape (eta, b, alpha, K, seeds)
    bound: np.ndarray  # eq. (2), shape (eta, b, alpha, K)
    trivial: float  # ||grad f(x^0)||_dual, which the method starts from: a bound above it says nothing


class _State(NamedTuple):
    x: Array
    m: Array
    gradient: Array


def run(
    objective: Objective, axes: tuple[Array, Array, Array, Array], *, noise: float = 1.0, seeds: int = 32, seed: int = 0
) -> Runs:
    """Return what the method reaches with Gaussian noise, over a grid.

    One program for the whole grid; one run of the longest K gives all shorter ones. All cells share their noise.

    Args:
        objective: what is minimised.
        axes: the values of eta > 0, b >= 1, alpha in (0, 1] and K, whole numbers, increasing.
        noise: rho sigma, > 0, where sigma^2 = E||g_1 - grad f||_F^2 and rho is the norm's.
        seeds: how many seeds are read; as many again choose k.
        seed: of all the noise.

    Raises:
        ValueError: K that do not increase from 1 or more.
    """
    eta, b, alpha, budgets = (np.asarray(axis, float) for axis in axes)
    if not (budgets[0] >= 1 and (np.diff(budgets) > 0).all() and (budgets % 1 == 0).all()):
        raise bad("iterations are whole numbers >= 1 that increase", list(axes[3]), "[64, 128, 256], say")
    shape = objective.start.shape
    rho = objective.norm.rho(shape)
    drawn = draws(GAUSSIAN, seed, (int(budgets[-1]), 2 * seeds), [1.0], shape)[:, 0]
    grid = np.meshgrid(eta, b, alpha, indexing="ij")
    with jax.enable_x64(True):
        cells = tuple(jnp.asarray(axis.ravel()) for axis in grid)
        # At which of the budgets each iteration counts first: one run of the longest K serves all.
        places = np.searchsorted(budgets, np.arange(1, int(budgets[-1]) + 1))
        arrays = (objective.parameters, objective.start, noise / rho * drawn, places)
        least = _run(objective.norm, objective.form, len(budgets), cells, *(jnp.asarray(a) for a in arrays))
    least = np.asarray(least).transpose(1, 0, 2).reshape(*grid[0].shape, len(budgets), seeds)
    proxy = lmo_exact(Delta0=objective.Delta0, L=objective.L, rho=rho, sigma=noise / rho, budget="K")
    eta, b, alpha, K = np.meshgrid(eta, b, alpha, budgets, indexing="ij")
    return Runs(least, np.asarray(proxy.risk(eta=eta, b=b, alpha=alpha, K=K)), objective.G0)


@partial(jax.jit, static_argnums=(0, 1, 2))
def _run(
    norm: Norm,
    form: Form,
    budgets: int,
    cells: tuple[Array, Array, Array],
    parameters: Array,
    start: Array,
    noise: Array,
    places: Array,
) -> Array:
    """The norm at the best k <= K, for each K: shape (K, cells, seeds); ``places`` is where k + 1 counts first."""
    eta, b, alpha = cells
    seeds = noise.shape[1] // 2
    first = form.gradient(start, parameters)

    def one(state: _State, xi: Array, eta: Array, b: Array, alpha: Array) -> tuple[_State, Array]:
        m = (1.0 - alpha) * state.m + alpha * (state.gradient + xi / jnp.sqrt(b))
        x = state.x + eta * norm.lmo(m)
        gradient = form.gradient(x, parameters)
        return _State(x, m, gradient), norm.dual(gradient)

    several = jax.vmap(jax.vmap(one, (0, 0, None, None, None)), (0, None, 0, 0, 0))

    def step(carry: tuple[_State, Array, Array, Array], xs: tuple[Array, Array]) -> tuple[tuple, None]:
        state, best, value, out = carry
        xi, place = xs
        state, size = several(state, xi, eta, b, alpha)
        # The other half of the seeds chooses k: a minimum over these would lie below its own mean.
        mean = size[:, seeds:].mean(1)
        value = jnp.where((mean < best)[:, None], size[:, :seeds], value)
        return (state, jnp.minimum(best, mean), value, out.at[place].set(value)), None

    def whole(matrix: Array) -> Array:
        return jnp.broadcast_to(matrix, (len(eta), 2 * seeds, *start.shape))

    # m^0 is the first minibatch's gradient, as in Appendix C.1: no bias from a start at 0.
    m = first[None, None] + noise[0][None] / jnp.sqrt(b)[:, None, None, None]
    state = _State(whole(start[None, None]), m, whole(first[None, None]))
    value = jnp.zeros((len(eta), seeds))
    carry = (state, jnp.full(len(eta), jnp.inf), value, jnp.zeros((budgets, *value.shape)))
    return jax.lax.scan(step, carry, (noise, places))[0][3]


# --- the best hyperparameters of runs ---
class Best(NamedTuple):
    """The best value of one hyperparameter along a curve, each of shape (n,)."""

    value: Array  # that of the cell of least mean
    low: Array  # the least value that can't be told from it
    high: Array  # the largest one
    edge: Array  # ``low`` or ``high`` is the axis' first or last value: the best could lie beyond, and says nothing
    step: Array  # the largest gap on the axis, in natural log: so far from ``low`` or ``high`` the best may be besides


def best(runs: Array, axes: Mapping[str, Array], level: float = LEVEL) -> dict[str, Best]:
    """Return the best values of the hyperparameters that are tuned, along a curve.

    What can't be told from the best cell is told by paired differences over seeds, all intervals at once, together as
    sure as ``level``. ``runs`` are to be small, shape (tuned, ..., n, seeds); ``axes`` has the tuned hyperparameters'
    values, increasing, in the order of the axes.
    """
    values = [np.asarray(axis, float) for axis in axes.values()]
    sizes, (n, seeds) = tuple(len(axis) for axis in values), np.shape(runs)[-2:]
    cells = np.reshape(runs, (-1, n, seeds))
    # All intervals of the whole curve hold together: as many comparisons as cells and points.
    near = np.stack([near_minimum(cells[:, j], cells.shape[0] * n, level) for j in range(n)], -1).reshape(*sizes, n)
    first = np.unravel_index(cells.mean(-1).argmin(0), sizes)
    optima = {}
    for k, (name, axis) in enumerate(zip(axes, values)):
        some = np.asarray(near.any(tuple(other for other in range(len(sizes)) if other != k)))
        low, high = some.argmax(0), len(axis) - 1 - some[::-1].argmax(0)
        step, edge = np.diff(np.log(axis)).max(), (low == 0) | (high == len(axis) - 1)
        optima[name] = Best(axis[first[k]], axis[low], axis[high], edge, np.full(n, step))
    return optima


def movement(along: Array, optimum: Best) -> Slope:
    """Return the power of what the curve runs along in a best value, edges left out.

    Fitted to the middle of what can't be told apart, from which each log of the truth is within its half-width.
    The curve runs along K or b, shape (n,).
    """
    half = np.log(optimum.high / optimum.low) / 2.0 + optimum.step
    return fit_slope(along, np.sqrt(optimum.low * optimum.high), edge=optimum.edge, step=half)
