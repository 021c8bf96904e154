"""Gradient noise of a single sample, and the mean of a minibatch of it.

Every kind is scaled to E||xi||_F^2 = 1, has mean 0, and is independent from sample to sample.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp

from hpgrid.shapes import AnyArray as Array

Shape = tuple[int, int]


@dataclass(frozen=True)
class Noise:
    """A kind of noise.

    Attributes:
        name: what it is called.
        mean: (key, b, shape, most) -> the mean of b samples, float64 inside an x64 scope. Under vmap b may be an
            array of whole numbers up to ``most``, which is fixed; a kind whose mean is drawn at once ignores it.
    """

    name: str
    mean: Callable[[Array, Array, Shape, int], Array]


def _dense(key: Array, b: Array, shape: Shape, most: int) -> Array:
    """The mean of b Gaussians is a Gaussian: one draw, whatever b."""
    return jax.random.normal(key, shape) / jnp.sqrt(b * float(math.prod(shape)))


def _one_hot(key: Array, b: Array, shape: Shape, most: int) -> Array:
    """Plus or minus one, at one entry, both uniform: the first b of ``most`` samples."""
    size = math.prod(shape)
    place, sign = jax.random.split(key)
    places = jax.random.randint(place, (most,), 0, size)
    return (
        jnp.zeros(size).at[places].add(_weights(b, most) * jax.random.rademacher(sign, (most,), float)).reshape(shape)
    )


def _rank_one(key: Array, b: Array, shape: Shape, most: int) -> Array:
    """u v^T, u and v uniform on their spheres: what a layer's gradient of one token is; mean 0 by u's sign."""
    left, right = (_on_sphere(k, most, n) for k, n in zip(jax.random.split(key), shape, strict=True))
    return (left * _weights(b, most)[:, None]).T @ right


def _weights(b: Array, most: int) -> Array:
    """1/b for the first b of ``most`` samples, 0 for the rest."""
    return jnp.where(jnp.arange(most, dtype=float) < b, 1.0, 0.0) / b


def _on_sphere(key: Array, count: int, size: int) -> Array:
    x = jax.random.normal(key, (count, size))
    return x / jnp.linalg.norm(x, axis=1, keepdims=True)


GAUSSIAN = Noise("gaussian", _dense)
ONE_HOT = Noise("one-hot", _one_hot)
RANK_ONE = Noise("rank-one", _rank_one)

NOISES = {noise.name: noise for noise in (GAUSSIAN, ONE_HOT, RANK_ONE)}
