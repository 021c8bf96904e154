"""Noise: mean 0, E||xi||_F^2 = 1, and independent samples, so that a minibatch's has 1/b of it."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from hpgrid.stochastic.samples import NOISES, Noise

SHAPE, DRAWS = (6, 4), 4000


def means(noise: Noise, b: int, most: int, seed: int = 0) -> np.ndarray:
    with jax.enable_x64(True):
        keys = jax.random.split(jax.random.key(seed), DRAWS)
        return np.asarray(jax.vmap(lambda key: noise.mean(key, float(b), SHAPE, most))(keys))


@pytest.mark.parametrize("noise", NOISES.values(), ids=NOISES)
@pytest.mark.parametrize("b", [1, 5])
def test_a_minibatch_has_mean_zero_and_a_bth_of_the_variance(noise: Noise, b: int) -> None:
    """Within five standard errors, of 25 comparisons."""
    drawn = means(noise, b, most=8)
    squares = (drawn**2).sum((1, 2))
    assert drawn.dtype == np.float64
    assert abs(squares.mean() * b - 1) <= 5 * b * squares.std() / DRAWS**0.5 + 1e-12
    assert np.all(np.abs(drawn.mean(0)) <= 5 * drawn.std(0) / DRAWS**0.5)


def test_one_sample_of_the_sparse_kinds_has_rank_one_and_the_same_size_in_every_dual_norm() -> None:
    one_hot, rank_one = (means(NOISES[name], 1, most=3) for name in ("one-hot", "rank-one"))
    assert set(np.unique(one_hot)) == {-1.0, 0.0, 1.0}
    np.testing.assert_array_equal((one_hot != 0).sum((1, 2)), 1)
    np.testing.assert_allclose(np.linalg.svd(rank_one, compute_uv=False).sum(1), 1.0, atol=1e-12)


def test_a_key_gives_the_same_noise_and_another_key_another() -> None:
    for noise in NOISES.values():
        np.testing.assert_array_equal(means(noise, 2, most=4), means(noise, 2, most=4))
        assert (means(noise, 2, most=4, seed=1) != means(noise, 2, most=4)).any()
