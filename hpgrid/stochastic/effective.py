"""The constant that Lemma 5 needs of the noise at hand: b E||mean of b||_dual^2 / E||xi||_dual^2.

Whatever D is, it can't be less than that; whatever the noise is, it is at most (kappa2/kappa1)^2, for
b E||mean||_dual^2 <= kappa2^2 b E||mean||_F^2 = kappa2^2 E||xi||_F^2 <= (kappa2/kappa1)^2 E||xi||_dual^2.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from numpy.typing import NDArray

from hpgrid.norms import Array, Norm, check_shape
from hpgrid.progress import track
from hpgrid.shapes import Floats
from hpgrid.stochastic.noise import Noise

#: How many entries the means of one batch of draws have together.
_BATCH = 2**22

#: Standard errors in half a confidence interval: 95 per cent.
NORMAL_95 = 1.96


class Effective(NamedTuple):
    """The effective constant by batch size.

    Attributes:
        b: batch sizes.
        constant: b E||mean||_dual^2 / E||xi||_dual^2.
        error: its standard error.
        bound: (kappa2/kappa1)^2, what it can't exceed.
    """

    b: NDArray[np.int64]
    constant: Floats
    error: Floats
    bound: float


def effective(
    norm: Norm, noise: Noise, shape: tuple[int, int], b: Sequence[int], *, draws: int = 64, seed: int = 0
) -> Effective:
    """Return the effective constant of a kind of noise, over seeded draws.

    The same samples serve every b and the single one that they are held against: of Gaussian noise the constant
    is then exactly 1.

    Args:
        norm: any norm of a matrix.
        noise: the kind.
        shape: the matrix's.
        b: batch sizes, whole numbers >= 1.
        draws: how many minibatches, >= 2.
        seed: >= 0.

    Source: Cesista, Lemma 5.
    """
    sizes = np.asarray(b, np.int64)
    with jax.enable_x64(True):
        keys = jax.random.split(jax.random.key(seed), draws)
        with_one = jnp.asarray(np.concatenate([[1], sizes]), float)
        squares = _squares(norm, noise, check_shape(shape), keys, with_one, int(sizes.max()))
    single, means = squares[:, 0], squares[:, 1:] * sizes
    constant = means.mean(0) / single.mean()
    # Of a quotient of means, to first order in their errors.
    rest = means - constant * single[:, None]
    error = rest.std(0, ddof=1) / np.sqrt(draws) / single.mean()
    kappa1, kappa2 = norm.equivalence(shape)
    return Effective(sizes, constant, error, float((kappa2 / kappa1) ** 2))


def _squares(norm: Norm, noise: Noise, shape: tuple[int, int], keys: Array, sizes: Array, most: int) -> Floats:
    """||mean of b||_dual^2, shape (draws, sizes)."""
    draws = len(keys)
    batch = min(draws, max(1, _BATCH // (len(sizes) * shape[0] * shape[1])))
    found = []
    for start in track(range(0, draws, batch), f"{noise.name} noise, {norm.name}"):
        first = min(start, draws - batch)  # all batches are as long: the last begins earlier
        means = _means(noise, shape, keys[first : first + batch], sizes, most)
        found.append(np.asarray(_dual_squared(norm, means))[start - first :])
    return np.concatenate(found)


def _of_draws(noise: Noise, shape: tuple[int, int], keys: Array, sizes: Array, most: int) -> Array:
    """One draw at a time, so that its samples alone are held."""
    return lax.map(lambda key: jax.vmap(lambda b: noise.mean(key, b, shape, most))(sizes), keys)


# Apart, for most of the time to compile goes into drawing, which all norms share.
_means: Any = jax.jit(_of_draws, static_argnums=(0, 1, 4))
_dual_squared: Any = jax.jit(lambda norm, means: norm.dual(means) ** 2, static_argnums=0)
