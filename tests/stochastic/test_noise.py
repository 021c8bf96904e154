"""Noise: mean 0, E||xi||_F^2 = 1, and independent samples, so that a minibatch's has 1/b; what Lemma 5 needs."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from hpgrid.norms import NORMS, SPECTRAL
from hpgrid.stochastic import samples
from hpgrid.stochastic.samples import GAUSSIAN, NOISES, ONE_HOT, Variance, draws, needed_smoothness, variance

#: One program of each kind at each shape.
SHAPES, BATCHES, DRAWS = ((8, 2), (3, 3)), (1, 2, 5, 8), 20_000


@cache
def means(kind: str, shape: tuple[int, int] = SHAPES[0], seed: int = 9) -> np.ndarray:
    return draws(NOISES[kind], seed, (1, DRAWS), BATCHES, shape)[0]


@pytest.mark.parametrize("kind", NOISES)
@pytest.mark.parametrize("b", [1, 5])
def test_a_minibatch_has_mean_zero_and_a_bth_of_the_variance(kind: str, b: int) -> None:
    """Within five standard errors, of 17 comparisons."""
    drawn = means(kind)[BATCHES.index(b)]
    squares = (drawn**2).sum((1, 2))
    assert drawn.dtype == np.float64
    assert abs(squares.mean() * b - 1) <= 5 * b * squares.std() / DRAWS**0.5 + 1e-12
    assert np.all(np.abs(drawn.mean(0)) <= 5 * drawn.std(0) / DRAWS**0.5)


def test_one_sample_of_the_sparse_kinds_has_rank_one_and_the_same_size_in_every_dual_norm() -> None:
    one_hot, rank_one = means("one-hot")[0], means("rank-one")[0]
    assert set(np.unique(one_hot)) == {-1.0, 0.0, 1.0}
    np.testing.assert_array_equal((one_hot != 0).sum((1, 2)), 1)
    np.testing.assert_allclose(np.linalg.svd(rank_one, compute_uv=False).sum(1), 1.0, atol=1e-12)


@pytest.mark.parametrize("kind", NOISES)
def test_a_seed_gives_the_same_noise_and_another_seed_another(kind: str) -> None:
    again = draws(NOISES[kind], 9, (1, DRAWS), BATCHES, SHAPES[0])[0]
    np.testing.assert_array_equal(means(kind), again)
    assert (means(kind) != means(kind, seed=1)).any()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", NOISES)
@pytest.mark.parametrize("name", NORMS)
def test_a_sample_s_variance_is_what_is_drawn(name: str, kind: str, shape: tuple[int, int]) -> None:
    squares = NORMS[name].dual(means(kind, shape)[0]) ** 2
    exact = variance(NOISES[kind], NORMS[name], shape)
    error = np.hypot(squares.std() / np.sqrt(DRAWS), exact.error)
    assert abs(squares.mean() - exact.value) <= 4.5 * error + 1e-12  # of 18 comparisons
    assert (exact.error > 0) == (name == "spectral" and kind == "gaussian" and shape == (3, 3))
    assert exact.error < 0.01 * exact.value


def test_a_smaller_batch_has_the_first_samples_of_a_larger_one() -> None:
    one, two = means("one-hot")[:2]
    assert (((2 * two - one) != 0).sum((1, 2)) == 1).all()


def test_lemma_5_needs_the_D_that_enumeration_gives() -> None:
    """Two one-hot samples in the 1-norm: their mean's norm is 1, or 0 where they cancel, at the same place."""
    D = needed_smoothness(ONE_HOT, NORMS["max"], means("one-hot")[:2], (1, 2), SHAPES[0])
    exact = 2 * (1 - 1 / 16 / 2)
    assert abs(D.mean[1] - exact) <= D.half[1]
    assert D.mean[0] == pytest.approx(1.0)
    assert abs(needed_smoothness(ONE_HOT, SPECTRAL, means("one-hot")[:2], (1, 2), SHAPES[0]).mean[0] - 1.0) < 1e-12


@pytest.mark.parametrize("norm", NORMS.values(), ids=NORMS)
def test_of_gaussian_noise_any_norm_needs_D_of_1(norm: object) -> None:
    D = needed_smoothness(GAUSSIAN, norm, means("gaussian", (3, 3)), BATCHES, (3, 3))
    assert (np.abs(D.mean - 1) <= D.half).all()


def test_what_is_drawn_for_the_variance_widens_the_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    some = means("gaussian", (3, 3))[:1, :100]
    widths = []
    for error in (0.0, 0.1):
        monkeypatch.setattr(samples, "variance", lambda *_, e=error: Variance(2.0, e))
        widths.append(needed_smoothness(GAUSSIAN, SPECTRAL, some, (1,), (3, 3)).half[0])
    assert widths[1] > widths[0]
