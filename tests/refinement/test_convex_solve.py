"""The convex solve against hundreds of digits: random posynomials, boxes, starts, orders, batches."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, strategies as st
from reference import Minimum, Rounding, minimum, posynomial, rounding

from hpgrid import Proxy, Term, bounds
from hpgrid.refinement import Optimum, newton, refine
from hpgrid.refinement.optimum import posed, solve
from hpgrid.refinement.profile import profile

NAMES = ("eta", "b", "alpha")

#: Bounds that no optimum below reaches unless the test means it to.
WIDE = (1e-299, 1e299)

#: How many posynomials of each number of variables and terms: 100 in all.
SHAPES = {(1, 3): 20, (2, 5): 40, (3, 5): 30, (3, 8): 10}


class Drawn(NamedTuple):
    """A random posynomial in the first variables, and the budgets to tune it at."""

    proxy: Proxy
    tuned: tuple[str, ...]
    T: np.ndarray


def _rational(rng: np.random.Generator) -> Fraction:
    return Fraction(int(rng.integers(-6, 7)), int(rng.integers(1, 5)))


def _spanning(rng: np.random.Generator, terms: int, n: int) -> list[list[Fraction]]:
    """Rows of which some positive combination vanishes, with full rank: the posynomial has a minimum."""
    while True:
        rows = [[_rational(rng) for _ in range(n)] for _ in range(terms - 1)]
        if np.linalg.matrix_rank(np.array(rows[:n], float)) == n:
            break
    pulls = [Fraction(int(rng.integers(1, 5)), int(rng.integers(1, 5))) for _ in range(n)]
    return [*rows, [-sum((p * row[i] for p, row in zip(pulls, rows)), Fraction(0)) for i in range(n)]]


def _flat(rng: np.random.Generator, terms: int, n: int) -> tuple[list[list[Fraction]], list[Fraction]]:
    """Rows whose leading ones leave a direction flat, which two terms T^-gap below them select."""
    leading = [[*row, Fraction(0)] for row in _spanning(rng, terms - 2, n - 1)]
    small = [[*(_rational(rng) for _ in range(n - 1)), Fraction(sign)] for sign in (1, -1)]
    gap = Fraction(int(rng.integers(1, 5)), 4)
    while True:
        mix = [[_rational(rng) for _ in range(n)] for _ in range(n)]
        if np.linalg.matrix_rank(np.array(mix, float)) == n:
            break
    mixed = [[sum((a * m[i] for a, m in zip(row, mix)), Fraction(0)) for i in range(n)] for row in [*leading, *small]]
    return mixed, [Fraction(0)] * len(leading) + [-gap, -gap]


def _drawn(seed: int, n: int, terms: int) -> Drawn:
    rng = np.random.default_rng([seed, n, terms])
    if seed % 3 == 0 and n > 1 and terms >= n + 2:
        rows, slopes = _flat(rng, terms, n)
    else:
        rows, slopes = _spanning(rng, terms, n), [_rational(rng) for _ in range(terms)]
    parts = [
        Term({f"c{j}": Fraction(1)}, {**dict(zip(NAMES, row)), "T": slope})
        for j, (row, slope) in enumerate(zip(rows, slopes))
    ]
    constants = {f"c{j}": float(10 ** rng.uniform(-10, 10)) for j in range(terms)}
    return Drawn(Proxy(tuple(parts), constants), NAMES[:n], 10 ** rng.uniform(2, 60, 3))


def _reference(drawn: Drawn, found: Optimum, i: int, limits: dict) -> tuple[Minimum, Rounding]:
    f = posynomial(drawn.proxy, drawn.tuned, drawn.T[i])
    box = [(np.log(limits[v][0]), np.log(limits[v][1])) for v in drawn.tuned]
    best = minimum(f, box, [np.log(found.at[v][i]) for v in drawn.tuned])
    return best, rounding(f, best)


@cache
def _free(seed: int, n: int, terms: int) -> tuple[Drawn, Optimum]:
    drawn = _drawn(seed, n, terms)
    return drawn, refine(drawn.proxy, drawn.tuned, T=drawn.T, limits=dict.fromkeys(drawn.tuned, WIDE))


def _check(drawn: Drawn, found: Optimum, limits: dict) -> list[int]:
    """Hold a result against the reference; return the sides of the bounds that were active."""
    sides = []
    assert found.converged.all()
    multiplier = solve(posed(drawn.proxy, drawn.tuned, T=drawn.T, limits=limits)).multiplier
    for i in range(len(drawn.T)):
        best, bound = _reference(drawn, found, i, limits)
        # The slope of the log risk across a bound, inwards.
        slopes = [float(g) * (s != 0) for g, s in zip(best.gradient, best.side)]
        np.testing.assert_allclose(multiplier[:, i], slopes, rtol=0, atol=1e-11)
        assert (multiplier[:, i] * np.array(best.side) <= 0).all()
        assert abs(float(best.log_risk - found.log_risk[i].item())) <= 1e-12
        assert found.exponent["risk"][i] == pytest.approx(float(best.risk_exponent), abs=bound.exponent.max() + 1e-12)
        for k, v in enumerate(drawn.tuned):
            assert found.active[v][i] == best.side[k]
            assert abs(float(best.at[k]) - np.log(found.at[v][i])) <= bound.at[k]
            assert abs(float(best.exponent[k]) - found.exponent[v][i]) <= bound.exponent[k]
        assert bound.at.max() < 1e-8  # the curvature never asks for more than is asked for
        sides += best.side
    return sides


@pytest.mark.parametrize(("n", "terms"), SHAPES)
def test_random_posynomials_are_refined_to_their_curvatures_bound(n: int, terms: int) -> None:
    for seed in range(SHAPES[n, terms]):
        drawn, found = _free(seed, n, terms)
        _check(drawn, found, dict.fromkeys(drawn.tuned, WIDE))


@cache
def _boxed(seed: int, n: int, terms: int) -> tuple[Drawn, dict[str, tuple[float, float]]]:
    """Limits about the optimum of the first budget: some leave it inside, some cut it off."""
    drawn, found = _free(seed, n, terms)
    rng = np.random.default_rng([seed, n, terms, 1])
    limits = {}
    for v in drawn.tuned:
        center, width = np.log(found.at[v][0]), rng.uniform(0.1, 20)
        lo = np.clip(center + rng.uniform(-2, 1) * width, -680, 660)
        limits[v] = (float(np.exp(lo)), float(np.exp(lo + width)))
    return drawn, limits


@cache
def _bound(seed: int, n: int, terms: int) -> Optimum:
    drawn, limits = _boxed(seed, n, terms)
    return refine(drawn.proxy, drawn.tuned, T=drawn.T, limits=limits)


@pytest.mark.parametrize(("n", "terms"), SHAPES)
def test_in_a_random_box_the_right_bounds_hold(n: int, terms: int) -> None:
    sides = []
    for seed in range(SHAPES[n, terms]):
        drawn, limits = _boxed(seed, n, terms)
        sides += _check(drawn, _bound(seed, n, terms), limits)
    assert {-1, 0, 1} == set(sides)


@pytest.mark.parametrize(("n", "terms"), SHAPES)
def test_a_profile_is_what_refinement_gives(n: int, terms: int) -> None:
    for seed in range(SHAPES[n, terms]):
        drawn, limits = _boxed(seed, n, terms)
        for box, found in (
            (dict.fromkeys(drawn.tuned, WIDE), _free(seed, n, terms)[1]),
            (limits, _bound(seed, n, terms)),
        ):
            best = profile(drawn.proxy, drawn.tuned, {}, drawn.T, box)
            for v in drawn.tuned:
                np.testing.assert_allclose(np.log(best.at[v]), np.log(found.at[v]), rtol=0, atol=1e-10)
            np.testing.assert_allclose(best.risk, found.risk, rtol=1e-10)


# --- what must not matter ---

T = np.array([1e2, 1e10, 1e22, 1e40, 1e60])

#: Two solves of one problem differ by rounding: logs of the terms up to 140 x 3, against O(1) shares.
SAME = 1e-11


@given(st.tuples(*[st.floats(-200, 200)] * 3), st.permutations(range(5)))
def test_it_may_start_anywhere_and_the_order_of_the_terms_does_not_matter(logs: tuple, order: list[int]) -> None:
    proxy = bounds.lmo(C1=3.0, C2=0.2)
    turned = Proxy(tuple(proxy.terms[j] for j in order), proxy.constants)
    one, other = refine(proxy, NAMES, T=T), refine(turned, NAMES, T=T, start=dict(zip(NAMES, np.exp(logs))))
    assert other.converged.all()
    for v in NAMES:
        np.testing.assert_allclose(np.log(other.at[v]), np.log(one.at[v]), rtol=0, atol=SAME)
        np.testing.assert_array_equal(other.active[v], one.active[v])


@given(st.tuples(*[st.floats(-4, 4)] * 3), st.floats(4, 40))
def test_the_scaling_symmetry_of_eq_4(decades: tuple[float, float, float], budget: float) -> None:
    """C1, C2, C3 at (eta, b, alpha, T) are lam times 1, 1, 1 at (eta C3/lam, b lam^2/C2^2, alpha, T lam^2/C2^2)."""
    C1, C2, C3 = 10 ** np.array(decades)
    lam = np.sqrt(C1 * C3)
    tokens = lam**2 / C2**2
    free = dict.fromkeys(NAMES, WIDE)  # b >= 1 and alpha <= 1 do not scale
    here = refine(bounds.lmo(C1=C1, C2=C2, C3=C3), NAMES, T=10**budget, limits=free)
    unit = refine(bounds.lmo(), NAMES, T=max(10**budget * tokens, 1.0), limits=free)
    if 10**budget * tokens < 1:
        return
    np.testing.assert_allclose(here.log_risk, unit.log_risk + np.log(lam), rtol=0, atol=1e-12)
    for v, scale in {"eta": C3 / lam, "b": tokens, "alpha": 1.0}.items():
        np.testing.assert_allclose(np.log(here.at[v] * scale), np.log(unit.at[v]), rtol=0, atol=SAME)


#: More than are solved at once.
COUNT = newton.BLOCK + 2_000


def _batch(which: np.ndarray) -> dict[str, np.ndarray]:
    """What refinement gives for some of many constant triples."""
    rng = np.random.default_rng(0)
    constants = {name: (10 ** rng.uniform(-3, 3, COUNT))[which] for name in ("C1", "C2", "C3")}
    found = refine(bounds.lmo(), NAMES, T=1e13, constants=constants)
    assert found.converged.all()
    logs = {f"log {v}": np.log(x) for v, x in found.at.items()}
    return {"log risk": found.log_risk, **found.exponent, **logs}


COMPANIES = {
    "one": np.array([0]),
    "the last": np.array([COUNT - 1]),
    "few": np.arange(37),
    "across a block's end": np.arange(newton.BLOCK - 100, newton.BLOCK + 100),
    "backwards": np.arange(COUNT - 1, 1_000, -1),
    "shuffled": np.random.default_rng(1).permutation(COUNT),
}


def test_a_problem_has_the_same_bits_in_any_company() -> None:
    whole = _batch(np.arange(COUNT))
    for which in COMPANIES.values():
        for name, array in _batch(which).items():
            np.testing.assert_array_equal(array, whole[name][which])


def test_every_place_in_a_call_gives_the_same_bits() -> None:
    """Each element of a call holds the same problem, those at its end, too, which do not fill a register."""
    for which in np.arange(0, COUNT, 500):
        alone = _batch(np.array([which]))
        for name, array in _batch(np.full(newton.BLOCK + 1_005, which)).items():
            np.testing.assert_array_equal(array, np.broadcast_to(alone[name], array.shape))


def test_every_problem_converges_from_the_one_start() -> None:
    rng = np.random.default_rng(1)
    constants = {name: 10 ** rng.uniform(-8, 8, 2_000) for name in ("C1", "C2", "C3")}
    assert refine(bounds.lmo(), NAMES, T=10 ** rng.uniform(2, 60, 5), constants=constants).converged.all()
