"""Momentum runs: against a plain loop, against closed forms, and against the bounds."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from hpgrid.norms import NORMS
from hpgrid.stochastic import momentum
from hpgrid.stochastic.momentum import BOUNDS, Experiment, Means, every, held, measure, power, simulate
from hpgrid.stochastic.problems import Objective, quadratic
from hpgrid.stochastic.samples import GAUSSIAN, NOISES, ONE_HOT, Interval, draws

#: One program of each norm serves nearly all: with two learning rates, momenta and weight decays.
STEPS, SEEDS, BATCHES, SHAPE = 60, 400, (1.0, 8.0), (4, 2)
NO_NOISE = np.zeros((STEPS, len(BATCHES), SEEDS, *SHAPE))


def by_loop(problem: Objective, noise: np.ndarray, eta: float, alpha: float, lam: float) -> dict[str, float]:
    """One run, in NumPy, as sections 1.1 and 1.2 have it; ``noise`` is xi, of shape (steps, m, n)."""
    norm, H = NORMS[problem.norm.name], problem.parameters
    W, M = problem.start, np.zeros_like(problem.start)
    G0 = norm.dual(H * W)
    noisy, sums, largest = np.zeros_like(M), dict.fromkeys(Means._fields, 0.0), 0.0
    for t, xi in enumerate(noise):
        gradient = H * W
        g = gradient - xi
        if t > 0:
            M = (1 - alpha) * M + alpha * g
            noisy = (1 - alpha) * noisy + alpha * xi
        C = (1 - alpha) * M + alpha * g
        A = norm.lmo(C)
        E, N = norm.dual(gradient - M), norm.dual(gradient - C)
        bound = (1 - alpha) ** t * G0 + (1 - alpha) / alpha * problem.L * eta
        largest = max(largest, norm.dual(gradient - M - noisy) / (bound or 1.0))
        now = (E, E**2, N, N**2, norm.dual(noisy) ** 2, 0.0, norm.of(A - norm.lmo(gradient)) ** 2)
        for name, value in zip(Means._fields, (*now, norm.dual(gradient), (H * W * W).sum() / 2)):
            sums[name] += float(value) / len(noise)
        W = (1 - lam * eta) * W + eta * A
    return {**sums, "drift": float(largest)}


@pytest.mark.parametrize("name", NORMS)
def test_every_run_of_a_batch_is_the_plain_loop_s(name: str) -> None:
    problem = quadratic(name, SHAPE)
    noise = 0.3 * draws(GAUSSIAN, 0, (STEPS, SEEDS), BATCHES, SHAPE)
    setting = every((0.01, 0.2), (0.0, 0.9), (0.0, 1.0))
    found = simulate(problem, noise, setting)
    assert found.loss.shape == (len(BATCHES), 8, SEEDS)
    for j, k, seed in product(range(len(BATCHES)), range(8), (0, SEEDS - 1)):
        loop = by_loop(problem, noise[:, j, seed], *(values[k] for values in setting))
        for field in Means._fields:
            # The steps, and thin matrices' polar factor next to rank one, may lose eight digits of sixteen.
            value = getattr(found, field)[j, k, seed]
            assert value == pytest.approx(loop[field], rel=1e-7, abs=1e-9), (field, j, k, seed)


def test_the_noise_s_part_has_the_variance_of_its_closed_form() -> None:
    """Over t = 0 to K - 1, the mean of (1-beta)/(1+beta) sigma^2/b (1 - beta^(2t)), at weights that hardly move."""
    setting = every((1e-9, 1e-10), (0.5, 0.9), (0.0, 1.0))
    given = Experiment(BATCHES, setting, STEPS, SEEDS, seed=1)
    for noise in NOISES.values():
        found = measure(quadratic("frobenius", SHAPE), noise, given).noise2
        for k, alpha in enumerate(setting.alpha):
            left = np.mean(1 - (1 - alpha) ** (2 * np.arange(STEPS)))
            exact = alpha / (2 - alpha) * left / np.array(BATCHES)
            error = found[:, k].std(-1, ddof=1) / np.sqrt(SEEDS)
            assert (np.abs(found[:, k].mean(-1) - exact) <= 4.5 * error).all()  # of 12 comparisons


def test_without_noise_and_momentum_there_is_no_error_but_the_first() -> None:
    """beta = 0: M_t is the gradient, from t = 1 on; at 0 it is 0."""
    problem = quadratic("frobenius", SHAPE)
    found = simulate(problem, NO_NOISE, every((0.1, 0.2), (0.0, 0.9), (0.0, 1.0)))
    assert found.momentum[:, 0] == pytest.approx(problem.G0 / STEPS)
    assert found.nesterov[:, 0] == pytest.approx(0.0, abs=1e-15)


def test_a_seed_gives_the_same_numbers_and_another_seed_others() -> None:
    given = Experiment(BATCHES, every((0.1, 0.2), (0.5, 0.9), (0.0, 1.0)), STEPS, SEEDS, seed=5)
    seeds = (given, given, given._replace(seed=6))
    first, again, other = (measure(quadratic("spectral", SHAPE), ONE_HOT, one).loss for one in seeds)
    np.testing.assert_array_equal(first, again)
    assert (first != other).all()


# --- against the bounds ---


def test_the_bounds_hold_of_gaussian_noise_and_a_smaller_one_does_not() -> None:
    problem = quadratic("frobenius", SHAPE, size=0.1)
    given = Experiment(BATCHES, every((1e-3, 0.05), (0.5, 0.9), (0.0, 10.0)), STEPS, SEEDS)
    means = measure(problem, GAUSSIAN, given)
    found, small = held(problem, means, given), held(problem, means, given, D=0.1)
    assert set(found) == {*BOUNDS, "noise2"}
    assert all(found[name].reading(name).holds for name in BOUNDS)
    assert small["momentum2"].reading("").holds is False
    # At D = 1 the noise's own bound is met but for what is left of the first steps, 1 - beta^(2t).
    assert 0.9 < found["noise2"].worst()[0] < 1.1


def test_one_hot_noise_exceeds_proposition_6_with_D_of_1_in_the_1_norm_and_not_with_rho_squared() -> None:
    problem = quadratic("max", SHAPE, size=0.1)
    given = Experiment(BATCHES, every((1e-3, 1e-4), (0.8, 0.9), (0.0, 1.0)), STEPS, SEEDS)
    means = measure(problem, ONE_HOT, given)
    assert held(problem, means, given)["momentum2"].reading("").holds is False
    assert all(entry.reading("").holds for entry in held(problem, means, given, D=8.0).values())


def test_a_verdict_is_none_where_an_interval_straddles_the_bound() -> None:
    def of(mean: float, half: float) -> bool | None:
        return momentum.Held(Interval(np.array([[mean]]), np.array([[half]])), np.array([[1.0]])).reading("").holds

    assert [of(0.5, 0.1), of(1.5, 0.1), of(1.0, 0.1)] == [True, False, None]


def test_with_decay_a_step_is_up_to_twice_as_long_and_the_drift_with_it() -> None:
    """From ||W_0|| = 1/lam, without noise: between once and twice what Proposition 6's proof allows."""
    problem = quadratic("max", SHAPE, least=1.0)
    found = simulate(problem, NO_NOISE, every((1e-3, 1e-2), (0.9, 0.5), (0.0, 1.0)))
    without, decays = found.drift[0, :2, 0]
    assert without <= 1 + 1e-9
    assert 1.2 < decays <= 2


# --- the update ---


def test_the_update_s_noise_falls_like_1_over_b_above_the_noise_and_not_below() -> None:
    given = {"gradient": 0.3, "shape": SHAPE, "counts": (100, 32)}
    above, below = np.array([4.0**6, 4.0**7, 4.0**8]), np.array([1.0, 4.0, 16.0])
    slope = power(above, momentum.frozen("frobenius", above, **given))
    assert abs(slope.slope + 1) <= slope.error < 0.2
    flat = power(below, momentum.frozen("frobenius", below, **{**given, "gradient": 1e-3}))
    assert abs(flat.slope) < 0.05


def test_a_mean_whose_interval_reaches_0_is_left_out_of_a_power() -> None:
    b = np.array([1.0, 4.0, 16.0])
    slope = power(b, Interval(1 / b, np.array([0.1, 0.01, 1.0])))
    assert (slope.points, slope.edge_points) == (2, 1)
    assert slope.slope == pytest.approx(-1.0)


def test_scaling_keeps_the_update_s_noise_above_the_noise_and_a_settled_run_s_loss() -> None:
    given = {"shape": SHAPE, "counts": (400, 16)}
    far = momentum.after_scaling("frobenius", (16, 64), 1e-5, size=100.0, **given)
    assert far["update"].mean == pytest.approx(1.0, abs=float(far["update"].half) + 1e-3)
    settled = momentum.after_scaling("frobenius", (16, 64), 5e-3, size=1e-2, **given)
    assert settled["update"].mean > 3
    assert 0.8 < settled["loss"].mean < 1.2
