"""D-smoothness: the quotient against the printed code, its statistics, its worst case, what noise needs."""

from __future__ import annotations

import math
from itertools import product

import jax
import numpy as np
import pytest

from hpgrid.checks import NOISE_KINDS, OPTIMIZERS, PRECISIONS
from hpgrid.newton_schulz import singular_value_map
from hpgrid.norms import FROBENIUS, MAX, NORMS, SPECTRAL, Norm, preconditioned, rescaled
from hpgrid.stochastic.report import ADAPTIVE, newton_schulz_errors, spread
from hpgrid.stochastic.samples import NOISES, effective
from hpgrid.stochastic.smoothness import (
    HALVINGS,
    QUANTILES,
    gradient,
    halve,
    quotient,
    quotients,
    statistics,
    worst_case,
)
from hpgrid.theory import cesista_laws as theory

#: A decomposition of a small matrix, and sums of its entries.
ROUNDING = 1e-11

#: Standard errors: one comparison in 16000 is off by more by chance.
SURE = 4.0


def gaussian(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape)


# --- the quotient ---


@pytest.mark.parametrize("norm", NORMS.values(), ids=NORMS)
def test_the_gradient_is_that_of_the_printed_code(norm: Norm) -> None:
    """In general position, where g has no kink: jax differentiates half the squared dual norm."""
    X = gaussian(6, 4)
    with jax.enable_x64(True):
        printed = jax.jit(jax.grad(lambda x: 0.5 * norm.dual(x) ** 2))(X)
    np.testing.assert_allclose(gradient(norm, X), printed, atol=ROUNDING * norm.dual(X))


def test_the_quotients_are_those_of_the_printed_code_on_the_same_pairs() -> None:
    """Appendix A2 typed out, in NumPy: pairs of the oracle's answers, and the Gaussian ones that they come from."""
    found = quotients(SPECTRAL, (6, 4), 50, seed=7)
    drawn = np.stack([np.random.default_rng([7, k]).standard_normal((2, 6, 4)) for k in range(50)])

    def turned(pair: np.ndarray) -> float:
        parts = [np.linalg.svd(X, full_matrices=False) for X in pair]
        ends = [s.sum() * U @ Vt for U, s, Vt in parts]
        return np.linalg.norm(ends[0] - ends[1], 2) / np.linalg.norm(pair[0] - pair[1], "nuc")

    polar = [[U @ Vt for U, _, Vt in (np.linalg.svd(X, full_matrices=False) for X in pair)] for pair in drawn]
    np.testing.assert_allclose(found.gaussian, [turned(pair) for pair in drawn], rtol=ROUNDING)
    np.testing.assert_allclose(found.oracle, [turned(np.stack(pair)) for pair in polar], rtol=ROUNDING)


@pytest.mark.parametrize("norm", NORMS.values(), ids=NORMS)
def test_a_seed_gives_the_same_pairs_whatever_the_batches(norm: Norm) -> None:
    whole = quotients(norm, (6, 4), 50, seed=3)
    for batch in (7, 64):
        for found, expected in zip(quotients(norm, (6, 4), 50, seed=3, batch=batch), whole):
            np.testing.assert_allclose(found, expected, rtol=ROUNDING)
    assert (quotients(norm, (6, 4), 50, seed=4).gaussian != whole.gaussian).any()


@pytest.mark.parametrize(
    ("norm", "shape"), [(FROBENIUS, (1, 1)), (FROBENIUS, (6, 4)), (SPECTRAL, (7, 1)), (SPECTRAL, (1, 7))]
)
def test_of_the_frobenius_norm_and_of_the_spectral_norm_of_vectors_it_is_one(
    norm: Norm, shape: tuple[int, int]
) -> None:
    for found in quotients(norm, shape, 50):
        np.testing.assert_allclose(found[~np.isnan(found)], 1.0, atol=ROUNDING)


@pytest.mark.parametrize("shape", [(1, 2), (32, 16)])
def test_random_signs_give_the_closed_form(shape: tuple[int, int]) -> None:
    found = statistics(quotients(MAX, shape, 2000).oracle)
    assert abs(found.mean - theory.sign_quotient(math.prod(shape))) <= SURE * found.error


def test_the_closed_form_of_signs_is_the_mean_over_all_of_them() -> None:
    for d in (1, 2, 5):
        signs = list(product([-1, 1], repeat=d))
        differ = [sum(x != y for x, y in zip(a, b)) for a in signs for b in signs]
        assert theory.sign_quotient(d) == pytest.approx(np.mean([d / n for n in differ if n]), rel=1e-13)


def test_random_orthogonal_matrices_give_half_pi() -> None:
    """Of n x n ones up to a few per cent of 1/n: the largest of n angles falls short of pi, the mean is rounded."""
    means = [statistics(quotients(SPECTRAL, (n, n), 200).oracle).mean for n in (8, 24)]
    assert means[0] > means[1]
    assert abs(means[1] - theory.ORTHOGONAL_QUOTIENT) < abs(means[0] - theory.ORTHOGONAL_QUOTIENT) < 0.1


def test_d_is_the_same_in_any_linear_coordinates() -> None:
    """Why AdamW has signSGD's and SOAP Muon's: a pair and its image have the same quotient."""
    pair, scale = gaussian(2, 5, 4), np.exp(gaussian(5, 4, seed=1))
    left, right = gaussian(5, 5, seed=2) + 4 * np.eye(5), gaussian(4, 4, seed=3) + 4 * np.eye(4)
    changed = quotient(rescaled(MAX, scale), pair / scale)
    np.testing.assert_allclose(changed, quotient(MAX, pair), rtol=ROUNDING)
    image = np.linalg.inv(left).T @ pair @ np.linalg.inv(right).T
    changed = quotient(preconditioned(SPECTRAL, left, right), image)
    np.testing.assert_allclose(changed, quotient(SPECTRAL, pair), rtol=100 * ROUNDING)


@pytest.mark.parametrize(
    ("shape", "pairs", "message"), [((3, 0), 5, "two positive whole numbers"), ((3, 3), 0, "an estimate needs a pair")]
)
def test_a_mistake_is_refused(shape: tuple[int, int], pairs: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        quotients(MAX, shape, pairs)


# --- statistics ---


def test_statistics_are_those_of_the_pairs_that_differ() -> None:
    values = np.array([np.nan, 1.0, 3.0, np.nan, 2.0, 5.0])
    found = statistics(values)
    kept = np.array([1.0, 3.0, 2.0, 5.0])
    assert (found.pairs, found.coincide, found.mean, found.maximum) == (6, 2, kept.mean(), 5.0)
    assert found.error == pytest.approx(kept.std(ddof=1) / 2)
    assert found.quantiles == {q: np.quantile(kept, q) for q in QUANTILES}
    np.testing.assert_array_equal(found.counts, [1, 2, 3, 4, 5, 6])
    np.testing.assert_array_equal(found.running, [np.nan, 1, 3, 3, 3, 5])


def test_where_no_pair_differs_there_is_no_number() -> None:
    found = statistics(np.array([np.nan, np.nan]))
    assert found.coincide == 2
    assert all(math.isnan(x) for x in (found.mean, found.error, found.maximum, *found.quantiles.values()))
    assert math.isnan(statistics(np.array([1.0])).error)


# --- the worst case ---


@pytest.mark.parametrize("norm", NORMS.values(), ids=NORMS)
def test_halving_never_lowers_the_quotient_and_each_is_one_of_a_pair(norm: Norm) -> None:
    X, Y = pair = gaussian(2, 4, 3)
    found = halve(norm, pair, 12)
    np.testing.assert_allclose(found[0], quotient(norm, pair), rtol=ROUNDING)
    halves = [quotient(norm, np.stack(half)) for half in ((X, (X + Y) / 2), ((X + Y) / 2, Y))]
    np.testing.assert_allclose(found[1], max(halves), rtol=ROUNDING)
    # A gradient's rounding, over a distance that has shrunk by 2^12.
    assert (np.diff(found) >= -(2**12) * ROUNDING).all()


@pytest.mark.parametrize("shape", [(2, 2), (4, 4), (16, 4), (4, 16)])
@pytest.mark.parametrize("norm", [MAX, SPECTRAL], ids=["max", "spectral"])
def test_the_search_finds_that_kinked_norms_have_no_finite_d(norm: Norm, shape: tuple[int, int]) -> None:
    found = worst_case(norm, shape)
    assert found.smooth is False
    assert found.growth == pytest.approx(1.0, abs=1e-3)
    assert found.verdict.startswith("no finite D: doubles with each halving, 2^")


@pytest.mark.parametrize(
    ("norm", "shape"), [(FROBENIUS, (4, 3)), (SPECTRAL, (5, 1)), (SPECTRAL, (1, 5)), (SPECTRAL, (1, 1)), (MAX, (1, 1))]
)
def test_the_search_finds_that_euclidean_norms_have_one(norm: Norm, shape: tuple[int, int]) -> None:
    found = worst_case(norm, shape)
    assert found.smooth is True
    np.testing.assert_allclose(found.quotients, 1.0, atol=2**HALVINGS * ROUNDING)
    assert found.verdict == "smooth: no quotient above 1.0000"


def test_random_pairs_of_tall_matrices_alone_would_not_find_it() -> None:
    """Halves of the starts are random: they stay below 3 where those across the kink pass a million."""
    found = worst_case(SPECTRAL, (64, 8)).quotients[:, -1]
    assert found[:8].max() < 3 < 1e6 < found[8:].min()


# --- noise ---


@pytest.mark.parametrize("norm", NORMS.values(), ids=NORMS)
def test_gaussian_noise_needs_one_and_no_noise_more_than_the_norms_multiples_squared(norm: Norm) -> None:
    for kind in NOISE_KINDS:
        found = effective(norm, NOISES[kind], (4, 3), (1, 8, 64), draws=50)
        assert (found.constant <= found.bound + SURE * found.error + ROUNDING).all()
        if kind == "gaussian":
            np.testing.assert_allclose(found.constant, 1.0, atol=ROUNDING)
            np.testing.assert_allclose(found.error, 0.0, atol=ROUNDING)


def one_hot_needs(d: int, b: int) -> float:
    """E(sum_j |S_j|)^2/b, S_j the steps at place j: of two places together, u = S_1 + S_2 and v = S_1 - S_2 are walks
    of as many steps, independent, and |S_1 S_2| = |u^2 - v^2|/4."""

    def walk(n: int) -> list[tuple[int, float]]:
        return [(2 * k - n, math.comb(n, k) / 2**n) for k in range(n + 1)]

    cross = sum(
        math.comb(b, n) * (2 / d) ** n * (1 - 2 / d) ** (b - n) * abs(u * u - v * v) / 4 * p * q
        for n in range(b + 1)
        for u, p in walk(n)
        for v, q in walk(n)
    )
    return 1 + d * (d - 1) * cross / b


def test_one_hot_noise_needs_what_its_walks_do() -> None:
    found = effective(MAX, NOISES["one-hot"], (2, 4), (1, 2, 16), draws=4000)
    for b, constant, error in zip(found.b, found.constant, found.error):
        assert abs(constant - one_hot_needs(8, int(b))) <= SURE * error + ROUNDING
    assert one_hot_needs(8, 2) == pytest.approx(2 - 1 / 8)


def test_one_hot_noise_needs_two_over_pi_of_the_entries_once_batches_are_large() -> None:
    found = effective(MAX, NOISES["one-hot"], (4, 4), (2000,), draws=1000)
    assert abs(found.constant[0] - theory.one_hot_limit(16)) <= SURE * found.error[0]
    assert theory.one_hot_limit(16) == pytest.approx(one_hot_needs(16, 60), rel=0.1)


# --- Muon's oracle ---


def test_newton_schulz_in_float32_misses_as_in_float64_and_bfloat16_by_more() -> None:
    mean = {kind: spread(newton_schulz_errors((16, 8), precision=kind).distance).mean for kind in PRECISIONS}
    assert mean["float32"] == pytest.approx(mean["float64"], rel=1e-4)
    assert mean["bfloat16"] != pytest.approx(mean["float64"], rel=1e-4)
    with pytest.raises(ValueError, match="no precision of that name"):
        newton_schulz_errors((4, 4), precision="float8")


def test_the_map_of_singular_values_is_the_polynomial_iterated() -> None:
    s = np.array([1e-3, 0.1, 0.7, 1.0])
    x = s
    for _ in range(5):
        x = 3.4445 * x - 4.7750 * x**3 + 2.0315 * x**5
    np.testing.assert_allclose(singular_value_map(s), x, atol=1e-9)


def test_the_largest_error_keeps_its_sign() -> None:
    assert spread(np.array([0.1, -0.5, 0.2])) == (pytest.approx(-0.2 / 3), -0.5)


def test_the_names_that_are_checked_before_jax_loads_are_those_there_are() -> None:
    assert set(NOISE_KINDS) == set(NOISES)
    assert set(OPTIMIZERS.values()) == set(NORMS)
    assert set(ADAPTIVE) < set(OPTIMIZERS)
