"""The LMO method: against a plain loop, eq. (2) typed by hand, and nested budgets; best values and their reach."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from hpgrid.norms import NORMS
from hpgrid.stochastic import lmo
from hpgrid.stochastic.lmo import Best, best, movement, run
from hpgrid.stochastic.problems import Objective, quadratic, smoothed
from hpgrid.stochastic.samples import GAUSSIAN, draws, interval, near_minimum, quantile, ratio

SHAPE, SEEDS = (4, 2), 3
AXES = ((0.02, 0.2), (1.0, 64.0), (0.1, 1.0), (1, 5, 20))


def by_loop(problem: Objective, xi: np.ndarray, eta: float, alpha: float) -> np.ndarray:
    """||grad f(x^k)||_* for k = 1 to K, as eq. (1) has it from m^0 = g_b^0; xi of shape (K, m, n)."""
    norm, H, x = NORMS[problem.norm.name], problem.parameters, problem.start
    m, sizes = H * x + xi[0], []
    for k in range(len(xi)):
        g = H * x + xi[k]
        m = (1 - alpha) * m + alpha * g
        x = x + eta * norm.lmo(m)
        sizes.append(float(norm.dual(H * x)))
    return np.array(sizes)


@pytest.mark.parametrize("name", NORMS)
def test_every_cell_is_the_plain_loop_s(name: str) -> None:
    """The k of least mean over the second half of the seeds, read on the first half."""
    problem = quadratic(name, SHAPE)
    found = run(problem, AXES, noise=0.5, seeds=SEEDS, seed=4)
    assert found.least.shape == (2, 2, 2, 3, SEEDS)
    sigma = 0.5 / NORMS[name].rho(SHAPE)
    xi = sigma * draws(GAUSSIAN, 4, (20, 2 * SEEDS), (1.0,), SHAPE)[:, 0]
    for (i, eta), (j, b), (k, alpha) in product(*map(enumerate, AXES[:3])):
        sizes = np.array([by_loop(problem, xi[:, s] / b**0.5, eta, alpha) for s in range(2 * SEEDS)])
        for n, K in enumerate(AXES[3]):
            first = sizes[SEEDS:, :K].mean(0).argmin()
            np.testing.assert_allclose(found.least[i, j, k, n], sizes[:SEEDS, first], rtol=1e-7)


def test_the_bound_is_eq_2_with_the_problem_s_constants() -> None:
    problem = smoothed("max", SHAPE, width=0.5)
    found = run(problem, AXES, noise=0.5, seeds=2)
    eta, b, alpha, K = 0.2, 64.0, 0.1, 5
    assert problem.L == 2.0
    hand = problem.Delta0 / (eta * K) + 2 * 0.5 / (alpha * b**0.5 * K) + 2 * 0.5 * (alpha / b) ** 0.5
    hand += 3.5 * 2.0 * eta + 2 * 2.0 * eta / alpha
    assert found.bound[1, 1, 0, 1] == pytest.approx(hand)
    assert found.trivial == problem.G0


def test_a_shorter_run_is_the_start_of_a_longer_one() -> None:
    problem = smoothed("spectral", SHAPE)
    long, short = (run(problem, (*AXES[:3], K), seeds=2).least for K in (AXES[3], AXES[3][:2]))
    np.testing.assert_allclose(short, long[..., :2, :], rtol=1e-9)  # two programs: rounding may differ


def test_without_noise_the_least_falls_as_K_grows_and_no_bound_is_exceeded() -> None:
    for name in NORMS:
        found = run(smoothed(name, SHAPE), AXES, noise=1e-9, seeds=2)
        assert (np.diff(found.least.mean(-1), axis=-1) <= 1e-9).all()
        assert (found.least.mean(-1) <= found.bound).all()


def test_other_values_seeds_and_noise_compile_nothing() -> None:
    programs = []
    for scale, seed in ((1.0, 0), (0.5, 0), (0.5, 1)):
        axes = (*(np.array(axis) * factor for axis, factor in zip(AXES, (scale, 1 / scale, scale))), AXES[3])
        run(smoothed("max", SHAPE), axes, noise=scale, seeds=2, seed=seed)
        programs.append(lmo._run._cache_size())
    assert len(set(programs)) == 1


def test_a_seed_gives_the_same_numbers_and_another_seed_others() -> None:
    first, again, other = (run(smoothed("max", SHAPE), AXES, seeds=2, seed=s).least for s in (7, 7, 8))
    np.testing.assert_array_equal(first, again)
    assert (first[..., -1, :] != other[..., -1, :]).any()


@pytest.mark.parametrize("K", [(0, 2), (4, 2), (2, 2), (1.5, 2)])
def test_iterations_are_whole_and_increase(K: tuple) -> None:
    with pytest.raises(ValueError, match="iterations are whole numbers >= 1 that increase"):
        run(smoothed("max", SHAPE), (*AXES[:3], K), seeds=2)


# --- best values ---


def runs_of(values: np.ndarray, spread: float, seeds: int = 50) -> np.ndarray:
    """Runs of means ``values`` whose seeds share most of what makes them differ."""
    rng = np.random.default_rng(0)
    shared, own = rng.standard_normal(seeds), rng.standard_normal((*values.shape, seeds))
    return values[..., None] + shared + spread * own


def test_the_best_value_lies_between_its_neighbours_that_can_t_be_told_from_it() -> None:
    """A parabola in the log, whose depth of 0.01 a step is seen at a spread of 1e-4 and not at 1."""
    eta, K = np.geomspace(1e-3, 1e-1, 9), np.array([10.0, 100.0, 1000.0])
    at = np.array([6, 4, 2])
    runs = 0.01 * (np.arange(9)[:, None] - at) ** 2
    sharp = best(runs_of(runs, 1e-4), {"eta": eta})["eta"]
    np.testing.assert_array_equal(sharp.value, eta[at])
    np.testing.assert_array_equal((sharp.low, sharp.high), (eta[at], eta[at]))
    assert not sharp.edge.any()
    slope = movement(K, sharp)
    assert slope.slope == pytest.approx(np.log(eta[2] / eta[6]) / np.log(100.0))
    step = np.log(eta[1] / eta[0])
    assert slope.error == pytest.approx(2 * step / np.log(100.0))  # both ends by a step, the middle not at all
    blurred = best(runs_of(runs, 1.0), {"eta": eta})["eta"]
    assert blurred.edge.all()
    assert movement(K, blurred).points == 0


def test_of_two_tuned_at_once_each_may_be_where_any_of_the_other_is_as_good() -> None:
    """A valley along the diagonal: each of both can be anything, though each alone is sharp."""
    axis = np.geomspace(1.0, 16.0, 5)
    valley = 0.1 * (np.arange(5)[:, None] - np.arange(5)) ** 2
    found = best(runs_of(valley[..., None], 1e-3), {"eta": axis, "alpha": axis})
    for one in found.values():
        assert (one.low[0], one.high[0], one.edge[0]) == (1.0, 16.0, True)
    alone = best(runs_of(valley[:, 2:3], 1e-3), {"eta": axis})["eta"]
    assert (alone.low[0], alone.high[0]) == (4.0, 4.0)


def test_an_error_is_what_moving_every_point_to_its_end_makes_of_a_slope() -> None:
    rng = np.random.default_rng(1)
    K, low = np.geomspace(1, 100, 6), np.exp(rng.uniform(-1, 0, 6))
    high, step = low * np.exp(rng.uniform(0, 1, 6)), np.full(6, 0.1)
    found = Best(low, low, high, np.zeros(6, bool), step)
    slope, u = movement(K, found), np.log(K)
    corners = np.array(np.meshgrid(*[[0, 1]] * 6)).reshape(6, -1).T
    ends = np.where(corners, np.log(high) + 0.1, np.log(low) - 0.1)
    slopes = (ends @ (u - u.mean())) / ((u - u.mean()) @ (u - u.mean()))
    assert slope.slope + slope.error == pytest.approx(slopes.max())
    assert slope.slope - slope.error == pytest.approx(slopes.min())


# --- intervals ---


def test_an_interval_covers_as_often_as_it_says() -> None:
    """4000 means of 8 normals at 90%: 0.9 to within four standard errors; simultaneous ones err less often."""
    values = np.random.default_rng(0).standard_normal((4000, 8))
    one, many = (interval(values, comparisons, level=0.9) for comparisons in (1, 100))
    covered = (np.abs(one.mean) <= one.half).mean()
    assert covered == pytest.approx(0.9, abs=4 * np.sqrt(0.09 / 4000))
    assert (np.abs(many.mean) <= many.half).mean() > 0.99
    np.testing.assert_array_equal(one.low, one.mean - one.half)


def test_quantiles_are_student_s_and_need_two_seeds() -> None:
    assert quantile(11, 1, level=0.95) == pytest.approx(2.2281, abs=1e-4)
    assert quantile(11, 5, level=0.95) == pytest.approx(3.1693, abs=1e-4)  # of 1%
    with pytest.raises(ValueError, match="at least two seeds"):
        quantile(1, 1)


def test_a_ratio_of_means_has_the_interval_of_its_linear_part() -> None:
    rng = np.random.default_rng(0)
    bottom = 2 + 0.1 * rng.standard_normal((2000, 40))
    found = ratio(3 * bottom + 0.1 * rng.standard_normal(bottom.shape), bottom, 1, level=0.9)
    covered = (np.abs(found.mean - 3) <= found.half).mean()
    assert covered == pytest.approx(0.9, abs=0.04)
    assert np.isnan(ratio(np.ones(3), np.zeros(3)).mean)


def test_what_can_t_be_told_from_the_least_is_told_by_pairs() -> None:
    shared = 10 * np.random.default_rng(0).standard_normal(30)
    own = 1e-3 * np.random.default_rng(1).standard_normal((3, 30))
    values = np.array([0.0, 0.1, 1e-4])[:, None] + shared + own
    np.testing.assert_array_equal(near_minimum(values), [True, False, True])
