"""The numerical minimiser against closed forms, at constants of any size."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st

from hpgrid.bounds.cesista2025 import Parts
from hpgrid.bounds.constants import Constants
from hpgrid.critical import tokens
from hpgrid.critical.tokens import Iterations, iterations_of_loss, iterations_of_mean
from hpgrid.theory import batch_sizes as theory, iso_loss

#: Batch sizes are then above 1.
ABOVE = st.floats(1.0, 9.0)
ANY = st.floats(-6.0, 6.0)


def agrees(iterations: Iterations, closed: float, smallest: float) -> None:
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


@given(ANY, ABOVE, ABOVE, st.floats(-3.0, 0.0))
def test_both_kinds_of_noise(x: float, y: float, z: float, e: float) -> None:
    X, Y, Z, room = 10.0**x, 10.0**y, 10.0**z, 10.0**e
    needed = iterations_of_mean(Parts(X, Y, 0.0, Z), "seed", room)
    agrees(needed, float(theory.fewest_tokens(Y, Z, room)), float(theory.smallest(Y, Z, room)))


@given(ANY, ABOVE, st.floats(-3.0, 0.0), st.floats(0.01, 8.0), st.floats(-9.0, -0.1))
def test_the_loss(d: float, n: float, e: float, ratio: float, rate: float) -> None:
    room, noise = 10.0**e, 10.0**n
    Delta0 = room * 10.0**ratio
    needed = iterations_of_loss(Parts(Delta0, noise, 0.0, 0.0), room, 10.0**rate)
    closed = float(theory.star_convex(Delta0, noise, room))
    if closed < 4 * (noise / room) ** 2 * (1 - 1e-7):  # else it is next to the smallest, where curvature is large
        agrees(needed, closed, (noise / room) ** 2)


@given(ANY, ANY, ABOVE, st.floats(-3.0, 0.0))
def test_the_lmo_bound_with_eta_tuned(p: float, d: float, f: float, c: float) -> None:
    of, level = tokens.LmoTerms(10.0**p, 10.0 ** (f + p), 10.0**f, 10.0**d), 10.0**c
    parts = iso_loss.TunedRisk(2 * float(np.sqrt(of.progress * of.drift)), of.burn_in, of.floor)
    smallest = iso_loss.minimum_batch_size(level, parts)
    agrees(tokens.lmo_iterations_tuned(of, level), theory.lmo_tuned(level, parts), smallest)


@given(ANY, ANY, ABOVE, st.floats(-3.0, 0.0))
def test_the_lmo_bound_with_eta_fixed(p: float, r: float, f: float, c: float) -> None:
    of, level = tokens.LmoTerms(10.0**p, 10.0 ** (f + r), 10.0**f, 1.0), 10.0**c
    eta = level / 2
    closed = theory.lmo_fixed(of.progress / eta, of.burn_in, of.floor, level / 2)
    agrees(tokens.lmo_iterations_fixed(of, level, eta), closed, (2 * of.floor / level) ** 2)


@given(st.floats(-6.0, 6.0), st.floats(-6.0, 6.0))
def test_the_terms_of_the_lmo_bound_are_those_of_eq_2(a: float, s: float) -> None:
    alpha, sigma = 10.0 ** -abs(a), 10.0**s
    found = tokens.lmo_terms(alpha, Constants(Delta0=2.0, L=0.7, sigma=sigma, rho=1.5))
    typed = (2.0, 3.0 * sigma / alpha, 3.0 * sigma * alpha**0.5, 0.7 * (3.5 + 2 / alpha))
    assert found == pytest.approx(typed, rel=1e-14)
