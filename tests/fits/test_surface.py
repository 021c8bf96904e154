"""The surface: exact where losses are quadratic, weak priors, a window that one wrong run does not move."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from hpgrid.fits.surface import WINDOW, Prior, fit_surface, priors_of
from hpgrid.shapes import Floats

NAMES = ("eta", "b")

#: Priors of exponents that are so wide that the runs alone speak.
NONE = {"eta": Prior(0.0, 1e4), "b": Prior(0.0, 1e4)}

H = np.array([[0.02, -0.008], [-0.008, 0.015]])


def quadratic(
    budgets: tuple[float, ...], n: int = 7, exponents: tuple[float, float] = (-0.25, 0.5), reach: float = 1.5
) -> tuple[Floats, ...]:
    """Runs on a grid around optima that move by powers of T, losses by the formula: z, t, loss."""
    z, t, loss = [], [], []
    for k, budget in enumerate(budgets):
        at = np.array([-12.0, 18.0]) + budget * np.array(exponents)
        for x in np.linspace(-reach, reach, n):
            for y in np.linspace(-reach, reach, n):
                off = np.array([x, y])
                z.append(at.round() + off)
                t.append(30.0 + budget)
                loss.append(3.0 - 0.2 * k + off_loss(at.round() + off - at))
    return np.array(z), np.array(t), np.array(loss)


def off_loss(off: Floats) -> float:
    return float(off @ H @ off / 2)


def test_of_a_quadratic_everything_is_found() -> None:
    z, t, loss = quadratic((0.0, 2.0, 4.0))
    surface = fit_surface(z, t, loss, NONE)
    # The least sigma over 140 runs leaves a curvature unsure by 1e-4: its prior of 0.008 pulls by (1e-4/0.008)^2.
    assert_allclose(surface.shape.H, H, rtol=2e-4)
    assert_allclose(-np.linalg.solve(surface.shape.H, surface.shape.d), (-0.25, 0.5), atol=1e-4)
    at = surface.shape.optimum(36.0 - surface.centre[1], {}) + surface.centre[0]
    assert_allclose(at, (-12.0 - 1.5, 18.0 + 3.0), atol=1e-3)  # six octaves on, by hand
    assert not surface.dropped.any()


def test_a_held_variable_is_held_and_the_other_tuned_at_it() -> None:
    surface = fit_surface(*quadratic((0.0, 2.0)), NONE)
    at = surface.shape.optimum(30.0 - surface.centre[1], {1: 19.0 - surface.centre[1 - 1][1]}) + surface.centre[0]
    # eta moves by -H01/H00 of what b is off its optimum of 18
    assert_allclose(at, (-12.0 + 0.008 / 0.02, 19.0), atol=1e-4)


def test_one_run_that_is_too_low_is_dropped_and_moves_nothing() -> None:
    z, t, loss = quadratic((0.0, 2.0))
    rng = np.random.default_rng(0)
    loss = loss + 0.002 * rng.standard_normal(len(loss))
    clean = fit_surface(z, t, loss, priors_of(NAMES))
    wrong = loss.copy()
    wrong[3] -= 0.3
    surface = fit_surface(z, t, wrong, priors_of(NAMES))
    assert surface.dropped.nonzero()[0].tolist() == [3]
    there, here = (s.shape.optimum(0.0, {}) + s.centre[0] for s in (clean, surface))
    assert_allclose(there, here, atol=0.1)


@pytest.mark.parametrize("wrong", [(0,), (6,), (60, 48), (97,), (14, 55, 91)])
@pytest.mark.parametrize("factor", [0.5, 0.8])
def test_runs_far_out_that_are_too_low_are_as_if_they_were_not_there(wrong: tuple[int, ...], factor: float) -> None:
    z, t, loss = quadratic((0.0, 2.0), reach=4.0)
    loss = loss + 0.002 * np.random.default_rng(0).standard_normal(len(loss))
    without = fit_surface(*(np.delete(x, wrong, axis=0) for x in (z, t, loss)), priors_of(NAMES))
    loss[list(wrong)] *= factor
    surface = fit_surface(z, t, loss, priors_of(NAMES))
    assert surface.dropped.nonzero()[0].tolist() == sorted(wrong)
    here, there = (s.shape.optimum(0.0, {}) + s.centre[0] for s in (surface, without))
    assert_allclose(here, there, atol=1e-9)


def test_noise_alone_is_seldom_an_error_of_record() -> None:
    """Of few runs at random, each of which draws the surface to itself: 5 median deviations, 3.4 standard ones."""
    rng, false = np.random.default_rng(0), 0
    for _ in range(60):
        z, t = rng.uniform((-14.0, 17.0), (-8.0, 22.0), (20, 2)), rng.choice([30.0, 31.0, 32.0, 33.0], 20)
        off = z - np.array([-11.0, 19.5])
        loss = 2.5 + 0.01 * (off**2).sum(axis=1) - 0.005 * off.prod(axis=1) + 0.002 * rng.standard_normal(20)
        false += fit_surface(z, t, loss, priors_of(NAMES)).dropped.any()
    assert false <= 2


@pytest.mark.parametrize("steep", [0.02, 0.1, 0.2, 0.5])
def test_a_steep_valley_is_found(steep: float) -> None:
    """The prior's curvature is 0.012 nats an octave squared, give or take 0.008."""
    rng = np.random.default_rng(0)
    eta, t = (x.ravel() for x in np.meshgrid(np.arange(-14.0, -6.0), np.arange(30.0, 34.0)))
    off = eta + 10.0 + 0.5 * (t - 31.0)
    loss = 2.5 + 2.0 ** (-0.3 * (t - 30)) + steep * (np.cosh(np.log(2) * off) - 1) / np.log(2) ** 2
    found = fit_surface(eta[:, None], t, loss + 0.002 * rng.standard_normal(len(t)), priors_of(("eta",)))
    (H,), (d,) = found.shape.H[0], found.shape.d
    assert_allclose(H, steep, rtol=0.5)  # of a cosh, whose curvature is twice as large at the end of the window
    assert_allclose(-d / H, -0.5, atol=0.05)
    assert found.sigma < 0.01


def test_of_two_runs_of_a_budget_neither_is_said_to_be_wrong() -> None:
    z, t, loss = quadratic((0.0, 2.0))
    at, T = np.vstack([z, [[-13.0, 20.0], [-12.0, 20.0]]]), np.append(t, [34.0, 34.0])
    assert not fit_surface(at, T, np.append(loss, [2.5, 2.6]), priors_of(NAMES)).dropped.any()


def test_of_one_budget_the_exponents_are_the_priors() -> None:
    surface = fit_surface(*quadratic((0.0,)), priors_of(NAMES))
    assert_allclose(-np.linalg.solve(surface.shape.H, surface.shape.d), (0.0, 0.5), atol=1e-6)


def test_two_budgets_overrule_them() -> None:
    surface = fit_surface(*quadratic((0.0, 4.0), exponents=(0.5, 0.0)), priors_of(NAMES))
    assert_allclose(-np.linalg.solve(surface.shape.H, surface.shape.d), (0.5, 0.0), atol=0.03)


@pytest.mark.parametrize("known", [True, False])
def test_another_unit_changes_the_numbers_alone(known: bool) -> None:
    z, t, loss = quadratic((0.0, 2.0))
    loss = loss + 0.003 * np.random.default_rng(2).standard_normal(len(loss))
    nats = fit_surface(z, t, loss, priors_of(NAMES), 1.0 if known else None)
    for unit in (np.log(2), 1e-3):
        other = fit_surface(z, t, loss / unit, priors_of(NAMES), unit if known else None)
        assert_allclose(other.shape.optimum(3.0, {}), nats.shape.optimum(3.0, {}), rtol=1e-9)
        assert_allclose([other.sigma * unit, other.nat * unit], [nats.sigma, nats.nat], rtol=1e-9)
        assert_allclose(other.weights, nats.weights, rtol=1e-6)


def test_where_the_unit_is_not_known_two_thirds_of_the_runs_are_in_the_window() -> None:
    z, t, loss = quadratic((0.0, 2.0))
    loss = 7 * (loss + 1e-6 * np.random.default_rng(0).random(len(loss)))  # no two alike
    surface = fit_surface(z, t, loss, priors_of(NAMES), None)
    over_best = np.concatenate([loss[t == T] - loss[t == T].min() for T in np.unique(t)])
    assert np.mean(over_best <= WINDOW * surface.nat) == pytest.approx(2 / 3, abs=1 / len(loss))


def test_the_posterior_is_as_wide_as_fits_of_other_noise_scatter() -> None:
    # An independent check of the covariance: the same sweep drawn again and again.
    z, t, loss = quadratic((0.0, 2.0))
    rng = np.random.default_rng(1)
    fits = [fit_surface(z, t, loss + 0.003 * rng.standard_normal(len(loss)), priors_of(NAMES)) for _ in range(60)]
    exponents = np.array([-np.linalg.solve(s.shape.H, s.shape.d) for s in fits])
    draws = fits[0].draws(rng)
    drawn = -np.linalg.solve(draws.H, draws.d[..., None])[..., 0]
    # 60 fits tell a deviation to 1/sqrt(120) = 9%; the posterior's own differs between sweeps by as much again
    assert_allclose(drawn.std(axis=0), exponents.std(axis=0), rtol=0.5)


@pytest.mark.parametrize("noise", [0.001, 0.004])
def test_sigma_is_the_noise_s_standard_deviation(noise: float) -> None:
    z, t, loss = quadratic((0.0, 2.0))
    rng = np.random.default_rng(4)
    sweeps = [loss + noise * rng.standard_normal(len(loss)) for _ in range(60)]
    found = [fit_surface(z, t, each, priors_of(NAMES)).sigma for each in sweeps]
    # A median of 98 weighted residuals deviates by some 15%: the mean of 60 by 2%.
    assert np.mean(found) == pytest.approx(noise, rel=0.1)


@pytest.mark.parametrize("names", [("eta",), ("eta", "b")])
def test_where_b_has_one_value_eta_falls_as_at_a_fixed_batch_size(names: tuple[str, ...]) -> None:
    prior = priors_of(names)["eta"]
    assert prior.mean == (0.0 if "b" in names else -0.25)
