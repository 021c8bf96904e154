"""The numerical minimiser against closed forms, at constants of any size."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st

from hpgrid.bounds.cesista2025 import Parts
from hpgrid.bounds.constants import Constants
from hpgrid.critical import tokens
from hpgrid.theory import batch_sizes as theory, iso_loss


def sizes(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(low, high).map(lambda x: 10.0**x)


#: Noise of a size at which batch sizes are above 1, what is left for it, and the rest.
ABOVE, ROOM, ANY = sizes(1.0, 9.0), sizes(-3.0, 0.0), sizes(-6.0, 6.0)


def agrees(iterations: tokens.Iterations, closed: float, smallest: float) -> None:
    """Hold the smallest batch size, the minimum and the grid's against closed forms."""
    found = tokens.smallest(iterations)
    assert found == pytest.approx(smallest, rel=1e-12)
    best = tokens.fewest(iterations, smallest)
    assert abs(np.log(best.b / closed)) <= tokens.FLAT
    gridded, step = tokens.on_grid(iterations, smallest)
    assert abs(np.log(gridded.b / closed)) <= step
    for share in (0.01, 0.2):
        ends = tokens.near(iterations, best, smallest, share)
        assert max(1.0, smallest) <= ends[0] <= best.b <= ends[1]
        for end in ends:
            if end > 1:
                assert tokens.point(iterations, end).tokens == pytest.approx((1 + share) * best.tokens, rel=1e-9)


@given(ANY, ABOVE, ABOVE, ROOM)
def test_both_kinds_of_noise(X: float, Y: float, Z: float, room: float) -> None:
    needed = tokens.iterations_of_mean(Parts(X, Y, 0.0, Z), "seed", room)
    agrees(needed, float(theory.fewest_tokens(Y, Z, room)), float(theory.smallest(Y, Z, room)))


@given(ABOVE, ROOM, sizes(0.01, 8.0), sizes(-9.0, -0.1))
def test_the_loss(noise: float, room: float, ratio: float, rate: float) -> None:
    Delta0 = room * ratio
    closed = float(theory.star_convex(Delta0, noise, room))
    if closed < 4 * (noise / room) ** 2 * (1 - 1e-7):  # else it is next to the smallest, where curvature is large
        needed = tokens.iterations_of_loss(Parts(Delta0, noise, 0.0, 0.0), room, rate)
        agrees(needed, closed, (noise / room) ** 2)


@given(ANY, ANY, ABOVE, ROOM)
def test_the_lmo_bound_with_eta_tuned(progress: float, drift: float, floor: float, level: float) -> None:
    of = tokens.LmoTerms(progress, floor * progress, floor, drift)
    parts = iso_loss.TunedRisk(2 * float(np.sqrt(of.progress * of.drift)), of.burn_in, of.floor)
    needed = tokens.lmo_iterations_tuned(of, level)
    agrees(needed, theory.lmo_tuned(level, parts), iso_loss.minimum_batch_size(level, parts))


@given(ANY, ANY, ABOVE, ROOM)
def test_the_lmo_bound_with_eta_fixed(progress: float, burn_in: float, floor: float, level: float) -> None:
    of, eta = tokens.LmoTerms(progress, floor * burn_in, floor, 1.0), level / 2
    closed = theory.lmo_fixed(of.progress / eta, of.burn_in, of.floor, level / 2)
    agrees(tokens.lmo_iterations_fixed(of, level, eta), closed, (2 * of.floor / level) ** 2)


@given(sizes(-6.0, 0.0), ANY)
def test_the_terms_of_the_lmo_bound_are_those_of_eq_2(alpha: float, sigma: float) -> None:
    found = tokens.lmo_terms(alpha, Constants(Delta0=2.0, L=0.7, sigma=sigma, rho=1.5))
    typed = (2.0, 3.0 * sigma / alpha, 3.0 * sigma * alpha**0.5, 0.7 * (3.5 + 2 / alpha))
    assert found == pytest.approx(typed, rel=1e-14)
