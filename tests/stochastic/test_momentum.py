"""Momentum runs: against a plain loop, against closed forms, and against the bounds; one program for all."""

from __future__ import annotations

import numpy as np
import pytest

from hpgrid.norms import NORMS, SPECTRAL
from hpgrid.stochastic import momentum
from hpgrid.stochastic.momentum import (
    BOUNDS,
    Experiment,
    Held,
    Means,
    after_scaling,
    every,
    frozen,
    held,
    measure,
    power,
    simulate,
)
from hpgrid.stochastic.problems import Objective, quadratic
from hpgrid.stochastic.samples import (
    GAUSSIAN,
    NOISES,
    ONE_HOT,
    Interval,
    Variance,
    draws,
    needed_smoothness,
    variance,
)

STEPS, SEEDS, BATCHES, SHAPE = 30, 3, (1.0, 8.0), (4, 2)


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
    for j in range(len(BATCHES)):
        for k, (eta, alpha, lam) in enumerate(zip(*setting)):
            for seed in range(SEEDS):
                loop = by_loop(problem, noise[:, j, seed], eta, alpha, lam)
                for field in Means._fields:
                    # Thirty steps, and thin matrices' polar factor next to rank one, may lose eight digits of sixteen.
                    value = getattr(found, field)[j, k, seed]
                    assert value == pytest.approx(loop[field], rel=1e-7, abs=1e-9), (field, j, k, seed)


def test_the_noise_s_part_has_the_variance_of_its_closed_form() -> None:
    """Over t = 0 to K - 1, the mean of (1-beta)/(1+beta) sigma^2/b (1 - beta^(2t)), at weights that hardly move."""
    setting = every((1e-9,), (0.5, 0.9), (0.0,))
    given = Experiment(BATCHES, setting, 60, 400, seed=1)
    for noise in NOISES.values():
        found = measure(quadratic("frobenius", SHAPE), noise, given).noise2
        for k, alpha in enumerate(setting.alpha):
            left = np.mean(1 - (1 - alpha) ** (2 * np.arange(60)))
            exact = alpha / (2 - alpha) * left / np.array(BATCHES)
            error = found[:, k].std(-1, ddof=1) / np.sqrt(400)
            assert (np.abs(found[:, k].mean(-1) - exact) <= 4.5 * error).all()  # of 12 comparisons


def test_without_noise_and_momentum_there_is_no_error_but_the_first() -> None:
    """beta = 0: M_t is the gradient, from t = 1 on; at 0 it is 0."""
    problem = quadratic("frobenius", SHAPE)
    found = simulate(problem, np.zeros((10, 1, 1, *SHAPE)), every((0.1,), (0.0,), (0.0,)))
    assert found.momentum.item() == pytest.approx(problem.G0 / 10)
    assert found.nesterov.item() == pytest.approx(0.0, abs=1e-15)


def test_another_seed_momentum_or_problem_compiles_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A trace calls the run once; so do no later calls."""
    traced, run = [], momentum._run
    monkeypatch.setattr(momentum, "_run", lambda *args: traced.append(1) or run(*args))
    shape = (3, 2)  # of its own
    for seed, beta, size in ((0, 0.5, 1.0), (1, 0.5, 1.0), (1, 0.9, 1.0), (1, 0.9, 3.0)):
        noise = draws(ONE_HOT, seed, (4, 2), (1, 4), shape)
        simulate(quadratic("max", shape, size=size), noise, every((0.1,), (beta,), (0.0,)))
    assert len(traced) == 1


def test_a_seed_gives_the_same_numbers_and_another_seed_others() -> None:
    given = Experiment((1, 4), every((0.1,), (0.9,), (0.0,)), 20, 3, seed=5)
    first, again, other = (
        measure(quadratic("spectral", SHAPE), ONE_HOT, one).loss for one in (given, given, given._replace(seed=6))
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).all()


# --- noise ---


@pytest.mark.parametrize("shape", [(8, 2), (3, 3)])
@pytest.mark.parametrize("kind", NOISES)
@pytest.mark.parametrize("name", NORMS)
def test_a_sample_s_variance_is_what_is_drawn(name: str, kind: str, shape: tuple[int, int]) -> None:
    drawn = draws(NOISES[kind], 9, (1, 20_000), (1,), shape)[0, 0]
    squares = NORMS[name].dual(drawn) ** 2
    exact = variance(NOISES[kind], NORMS[name], shape)
    error = np.hypot(squares.std() / np.sqrt(20_000), exact.error)
    assert abs(squares.mean() - exact.value) <= 4.5 * error + 1e-12  # of 18 comparisons
    assert (exact.error > 0) == (name == "spectral" and kind == "gaussian" and shape == (3, 3))
    assert exact.error < 0.01 * exact.value


def test_a_smaller_batch_has_the_first_samples_of_a_larger_one() -> None:
    one, two = draws(ONE_HOT, 0, (1, 50), (1, 2), SHAPE)[0]
    assert (((2 * two - one) != 0).sum((1, 2)) == 1).all()


def test_lemma_5_needs_the_D_that_enumeration_gives() -> None:
    """Two one-hot samples in the 1-norm: their mean's norm is 1, or 0 where they cancel, at the same place."""
    means = draws(ONE_HOT, 0, (1, 4000), (1, 2), SHAPE)[0]
    D = needed_smoothness(ONE_HOT, NORMS["max"], means, (1, 2), SHAPE)
    exact = 2 * (1 - 1 / 8 / 2)
    assert abs(D.mean[1] - exact) <= D.half[1]
    assert D.mean[0] == pytest.approx(1.0)
    assert abs(needed_smoothness(ONE_HOT, SPECTRAL, means, (1, 2), SHAPE).mean[0] - 1.0) < 1e-12


def test_of_gaussian_noise_any_norm_needs_D_of_1() -> None:
    means = draws(GAUSSIAN, 0, (1, 4000), (1, 100), (3, 3))[0]
    for norm in NORMS.values():
        D = needed_smoothness(GAUSSIAN, norm, means, (1, 100), (3, 3))
        assert (np.abs(D.mean - 1) <= D.half).all()


def test_what_is_drawn_for_the_variance_widens_the_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    from hpgrid.stochastic import samples

    means = draws(GAUSSIAN, 0, (1, 100), (1,), (3, 3))[0]
    widths = []
    for error in (0.0, 0.1):
        monkeypatch.setattr(samples, "variance", lambda *_, e=error: Variance(2.0, e))
        widths.append(needed_smoothness(GAUSSIAN, SPECTRAL, means, (1,), (3, 3)).half[0])
    assert widths[1] > widths[0]


# --- against the bounds ---


def test_the_bounds_hold_of_gaussian_noise_and_a_smaller_one_does_not() -> None:
    problem = quadratic("frobenius", SHAPE, size=0.1)
    given = Experiment((1, 16), every((1e-3, 0.05), (0.5, 0.9), (0.0, 10.0)), 100, 32)
    means = measure(problem, GAUSSIAN, given)
    found, small = held(problem, means, given), held(problem, means, given, D=0.1)
    assert set(found) == {*BOUNDS, "noise2"}
    assert all(found[name].reading(name).holds for name in BOUNDS)
    assert small["momentum2"].reading("").holds is False
    # At D = 1 the noise's own bound is met but for what is left of the first steps, 1 - beta^(2t).
    assert 0.9 < found["noise2"].worst()[0] < 1.1


def test_one_hot_noise_exceeds_proposition_6_with_D_of_1_in_the_1_norm_and_not_with_rho_squared() -> None:
    problem = quadratic("max", (8, 2), size=0.1)
    given = Experiment((1, 16), every((1e-3,), (0.9,), (0.0,)), 200, 32)
    means = measure(problem, ONE_HOT, given)
    assert held(problem, means, given)["momentum2"].reading("").holds is False
    assert all(entry.reading("").holds for entry in held(problem, means, given, D=16.0).values())


def test_a_verdict_is_none_where_an_interval_straddles_the_bound() -> None:
    def of(mean: float, half: float) -> bool | None:
        return Held(Interval(np.array([[mean]]), np.array([[half]])), np.array([[1.0]])).reading("").holds

    assert [of(0.5, 0.1), of(1.5, 0.1), of(1.0, 0.1)] == [True, False, None]


def test_with_decay_a_step_is_up_to_twice_as_long_and_the_drift_with_it() -> None:
    """From ||W_0|| = 1/lam, without noise: between once and twice what Proposition 6's proof allows."""
    problem = quadratic("max", (4, 2), least=1.0)
    found = simulate(problem, np.zeros((60, 1, 1, 4, 2)), every((1e-3,), (0.9,), (0.0, 1.0)))
    without, decays = found.drift[0, :, 0]
    assert without <= 1 + 1e-9
    assert 1.2 < decays <= 2


# --- the update ---


def test_the_update_s_noise_falls_like_1_over_b_above_the_noise_and_not_below() -> None:
    given = {"gradient": 0.3, "shape": SHAPE, "counts": (100, 32)}
    above, below = np.array([4.0**6, 4.0**7, 4.0**8]), np.array([1.0, 4.0])
    slope = power(above, frozen("frobenius", above, **given))
    assert abs(slope.slope + 1) <= slope.error < 0.2
    flat = power(below, frozen("frobenius", below, **{**given, "gradient": 1e-3}))
    assert abs(flat.slope) < 0.05


def test_a_mean_whose_interval_reaches_0_is_left_out_of_a_power() -> None:
    b = np.array([1.0, 4.0, 16.0])
    slope = power(b, Interval(1 / b, np.array([0.1, 0.01, 1.0])))
    assert (slope.points, slope.edge_points) == (2, 1)
    assert slope.slope == pytest.approx(-1.0)


def test_scaling_keeps_the_update_s_noise_above_the_noise_and_a_settled_run_s_loss() -> None:
    far = after_scaling("frobenius", (16, 64), 1e-5, size=100.0, shape=SHAPE, counts=(200, 16))
    assert far["update"].mean == pytest.approx(1.0, abs=float(far["update"].half) + 1e-3)
    settled = after_scaling("frobenius", (16, 64), 5e-3, size=1e-2, shape=SHAPE, counts=(400, 16))
    assert settled["update"].mean > 3
    assert 0.8 < settled["loss"].mean < 1.2
