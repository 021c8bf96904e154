"""Noise in a dual norm: how large a single sample's is, seeded draws of minibatches', and the D that Lemma 5 needs."""

from __future__ import annotations

import math
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from hpgrid.norms import MAX, SPECTRAL, Norm, check_shape
from hpgrid.shapes import AnyArray as Array
from hpgrid.stochastic.intervals import Interval, interval
from hpgrid.stochastic.noise import GAUSSIAN, ONE_HOT, Noise, Shape

#: Draws, and their seed, for the one variance that has no closed form.
DRAWS, SEED = 20_000, 2025


class Variance(NamedTuple):
    """E||xi||_dual^2 of a single sample with E||xi||_F^2 = 1, and its standard error: 0 where it is exact."""

    value: float
    error: float = 0.0


def variance(noise: Noise, norm: Norm, shape: Shape) -> Variance:
    """Return a single sample's E||xi||_dual^2, sigma^2 for sigma_F = 1.

    One-hot and rank-one noise has one singular value, and one-hot noise one entry: 1. In the 1-norm, d Gaussian
    entries of variance 1/d, or a vector that is uniform on the sphere in d dimensions, have 1 + (d - 1) 2/pi, and
    u v^T the product of its vectors'. In the nuclear norm a Gaussian of two columns has E(s1 + s2)^2 = E||X||_F^2 +
    2 E(s1 s2), where s1 s2 of m x 2 standard normals is a product of independent chis of m and m - 1, of mean
    m - 1: 2 - 1/m. With more columns it is drawn.

    Args:
        noise: a kind of noise.
        norm: the norm whose dual is meant.
        shape: of the matrix.
    """
    m, n = check_shape(shape)
    if noise.name == ONE_HOT.name or norm.name not in (MAX.name, SPECTRAL.name):
        return Variance(1.0)
    if norm.name == MAX.name:
        sizes = (m * n,) if noise.name == GAUSSIAN.name else (m, n)
        return Variance(math.prod(1.0 + (size - 1) * 2.0 / math.pi for size in sizes))
    if noise.name != GAUSSIAN.name or min(m, n) == 1:
        return Variance(1.0)
    if min(m, n) == 2:
        return Variance(2.0 - 1.0 / max(m, n))
    drawn = draws(noise, SEED, (1, DRAWS), (1,), (m, n))[0, 0]
    squares = np.asarray(norm.dual(drawn)) ** 2  # NumPy's: JAX's decompositions are not batched on a CPU
    return Variance(float(squares.mean()), float(squares.std(ddof=1) / math.sqrt(DRAWS)))


def draws(noise: Noise, seed: int, counts: tuple[int, int], batches: Array, shape: Shape) -> np.ndarray:
    """Return minibatches' mean noise: shape (steps, batches, seeds, m, n).

    All batch sizes share their samples, a smaller one having the first of a larger one's: what is compared
    between them differs by the batch size alone.

    Args:
        noise: a kind of noise.
        seed: of all of it.
        counts: how many steps, and how many seeds.
        batches: batch sizes, whole numbers >= 1.
        shape: of the matrix.
    """
    with jax.enable_x64(True):
        most = int(max(batches)) if noise.name != GAUSSIAN.name else 0
        b = jnp.asarray(np.asarray(batches, float))
        return np.asarray(_draws(jax.random.key(seed), b, noise, counts, shape, most))


@partial(jax.jit, static_argnums=(2, 3, 4, 5))
def _draws(key: Array, b: Array, noise: Noise, counts: tuple[int, int], shape: Shape, most: int) -> Array:
    steps, seeds = counts

    def one(key: Array, b: Array) -> Array:
        return noise.mean(key, b, shape, most)

    several = jax.vmap(jax.vmap(one, (0, None)), (None, 0))
    return jax.lax.map(lambda key: several(jax.random.split(key, seeds), b), jax.random.split(key, steps))


def needed_smoothness(noise: Noise, norm: Norm, means: Array, batches: Array, shape: Shape) -> Interval:
    """Return the least D with which Lemma 5 would hold of these minibatches, b E||xi_S||^2/sigma^2: shape (batches,).

    Args:
        noise: what they are means of.
        norm: the norm whose dual is meant.
        means: independent minibatches, shape (batches, draws, m, n).
        batches: their sizes.
        shape: of the matrix.
    """
    sigma2 = variance(noise, norm, shape)
    squares = np.asarray(norm.dual(np.asarray(means))) ** 2 * np.asarray(batches, float)[:, None]
    found = interval(squares / sigma2.value)
    # The variance's own error adds to it, at the same number of standard errors.
    deviations = found.half / np.where(squares.std(-1) > 0, squares.std(-1, ddof=1) / sigma2.value, 1.0)
    drawn = deviations * math.sqrt(squares.shape[-1]) * sigma2.error / sigma2.value * found.mean
    return Interval(found.mean, found.half + drawn)
