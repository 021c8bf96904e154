"""Norms, duals and oracles: what defines them, for NumPy and for JAX, for one matrix, many, and layers."""

from __future__ import annotations

import math
from typing import Any

import jax
import numpy as np
import pytest
from hypothesis import given, strategies as st

from hpgrid.checks import OPTIMIZERS
from hpgrid.newton_schulz import MUON, QUINTIC, newton_schulz, oracle_error
from hpgrid.norms import (
    FROBENIUS,
    MAX,
    NORMS,
    SPECTRAL,
    Norm,
    check_shape,
    inner,
    named,
    polar,
    preconditioned,
    product,
    rescaled,
    singular_values,
)

#: A sum of n products of numbers of order 1, a decomposition of n x n: a few n roundings.
EPS = float(np.finfo(float).eps)


def gaussian(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape)


def adaptive(norm: Norm, shape: tuple[int, int]) -> tuple[Norm, ...]:
    m, n = shape
    scale = np.exp(gaussian(m, n, seed=3))
    left, right = gaussian(m, m, seed=4) + 3 * np.eye(m), gaussian(n, n, seed=5) + 3 * np.eye(n)
    return norm, rescaled(norm, scale), preconditioned(norm, left, right)


CASES = [
    pytest.param(norm, shape, id=f"{norm.name}, {shape[0]} x {shape[1]}")
    for shape in ((1, 1), (7, 1), (1, 5), (6, 4), (4, 6))
    for base in NORMS.values()
    for norm in adaptive(base, shape)
]


@pytest.mark.parametrize(("norm", "shape"), CASES)
def test_the_oracle_reaches_the_dual_norm_and_nothing_in_the_ball_descends_more(
    norm: Norm, shape: tuple[int, int]
) -> None:
    """And the dual norm lies between its multiples of Frobenius."""
    C, others = gaussian(20, *shape), gaussian(500, *shape, seed=1)
    A = norm.lmo(C)
    np.testing.assert_allclose(norm.of(A), 1.0, atol=1000 * EPS)
    np.testing.assert_allclose(inner(C, A), -norm.dual(C), rtol=1000 * EPS)
    on_sphere = others / norm.of(others)[:, None, None]
    assert inner(C[0], on_sphere).min() >= -norm.dual(C[0]) * (1 + 1000 * EPS)
    kappa1, kappa2 = norm.equivalence(shape)
    ratio = norm.dual(others) / FROBENIUS.of(others)
    assert kappa1 * (1 - 1000 * EPS) <= ratio.min() <= ratio.max() <= kappa2 * (1 + 1000 * EPS)
    assert norm.rho(shape) == kappa2


@pytest.mark.parametrize(
    ("norm", "least", "most"),
    [
        (FROBENIUS, np.eye(4, 6), np.ones((4, 6))),
        (MAX, np.eye(4, 6)[:1], np.ones((4, 6))),
        (SPECTRAL, np.ones((4, 6)), np.eye(4, 6)),
    ],
    ids=NORMS,
)
def test_both_multiples_are_attained(norm: Norm, least: np.ndarray, most: np.ndarray) -> None:
    shape = (4, 6)
    kappa1, kappa2 = norm.equivalence(shape)
    least = np.concatenate([least, np.zeros((4 - len(least), 6))])
    assert norm.dual(least) / FROBENIUS.of(least) == pytest.approx(kappa1, rel=100 * EPS)
    assert norm.dual(most) / FROBENIUS.of(most) == pytest.approx(kappa2, rel=100 * EPS)


@given(scale=st.floats(1e-3, 1e3), seed=st.integers(0, 99))
def test_norms_are_homogeneous_and_oracles_do_not_see_the_size(scale: float, seed: int) -> None:
    C = gaussian(5, 3, seed=seed)
    for norm in NORMS.values():
        np.testing.assert_allclose(norm.of(scale * C), scale * norm.of(C), rtol=1000 * EPS)
        np.testing.assert_allclose(norm.lmo(scale * C), norm.lmo(C), atol=1e5 * EPS)


def test_the_oracles_are_the_optimizers_steps() -> None:
    C = np.array([[3.0, 0.0], [-4.0, 0.0]])
    np.testing.assert_allclose(FROBENIUS.lmo(C), -C / 5)
    np.testing.assert_array_equal(MAX.lmo(C), [[-1, 0], [1, 0]])
    U, _, Vt = np.linalg.svd(gaussian(6, 4), full_matrices=False)
    np.testing.assert_allclose(SPECTRAL.lmo(gaussian(6, 4)), -U @ Vt, atol=100 * EPS)
    assert FROBENIUS.lmo(np.zeros((2, 2))).tolist() == [[0, 0], [0, 0]]


def test_jax_arrays_stay_jax_arrays_and_agree_inside_jit_and_vmap() -> None:
    C = gaussian(8, 6, 4)
    with jax.enable_x64(True):
        for norm in (*NORMS.values(), product((SPECTRAL,))):
            given: Any = C if norm.name in NORMS else (C,)
            ours = jax.jit(jax.vmap(lambda c, norm=norm: (norm.of(c), norm.dual(c), norm.lmo(c))))(given)
            for found, expected in zip(
                jax.tree.leaves(ours), jax.tree.leaves((norm.of(given), norm.dual(given), norm.lmo(given)))
            ):
                assert isinstance(found, jax.Array)
                np.testing.assert_allclose(found, expected, atol=1000 * EPS)


# --- names ---


def test_an_optimizer_names_its_norm_and_another_name_is_answered_with_the_nearest() -> None:
    for optimizer, norm in OPTIMIZERS.items():
        assert named(optimizer) is named(norm) is NORMS[norm]
    with pytest.raises(ValueError, match=r"no norm or optimizer of that name. Given: 'moun'. Write 'muon'"):
        named("moun")


@pytest.mark.parametrize("shape", [(), (3,), (3, 0), (3, -1), (3, 2.0), (True, 2), (2, 3, 4)])
def test_a_shape_is_two_positive_whole_numbers(shape: tuple) -> None:
    with pytest.raises(ValueError, match="two positive whole numbers"):
        check_shape(shape)
    assert check_shape((np.int64(3), 2)) == (3, 2)


# --- adaptive coordinates ---


def test_adamw_is_signsgd_in_rescaled_coordinates_and_soap_muon_in_rotated_ones() -> None:
    """With rotations alone it is Muon itself: singular values do not see them."""
    scale, C = np.exp(gaussian(6, 4)), gaussian(6, 4, seed=1)
    np.testing.assert_array_equal(rescaled(MAX, scale).lmo(C), -scale * np.sign(C))
    left, right = np.linalg.qr(gaussian(6, 6))[0], np.linalg.qr(gaussian(4, 4))[0]
    np.testing.assert_allclose(preconditioned(SPECTRAL, left, right).lmo(C), SPECTRAL.lmo(C), atol=1000 * EPS)


# --- layers ---

LAYERS, SHAPES = (SPECTRAL, MAX, FROBENIUS), ((6, 4), (3, 1), (2, 5))


def layers(n: int, seed: int = 0) -> tuple[np.ndarray, ...]:
    return tuple(gaussian(n, *shape, seed=seed + k) for k, shape in enumerate(SHAPES))


@pytest.mark.parametrize("combine", ["max", "sum", "l2"])
def test_a_product_has_a_dual_and_an_oracle_of_its_own(combine: str) -> None:
    norm = product(LAYERS, combine)
    C, X = layers(50), layers(50, seed=10)
    A = norm.lmo(C)
    np.testing.assert_allclose(norm.of(A), 1.0, atol=1000 * EPS)
    np.testing.assert_allclose(inner(C, A), -norm.dual(C), rtol=1000 * EPS)
    on_sphere = tuple(x / norm.of(X)[:, None, None] for x in X)
    assert (inner(C, on_sphere) >= -norm.dual(C) * (1 + 1000 * EPS)).all()
    kappa1, kappa2 = norm.equivalence(SHAPES)
    ratio = norm.dual(X) / np.sqrt(sum(FROBENIUS.of(x) ** 2 for x in X))
    assert kappa1 <= ratio.min() <= ratio.max() <= kappa2


@pytest.mark.parametrize(
    ("combine", "sizes", "kappa"),
    [
        ("max", (2.0, math.sqrt(3), 1.0), "kappa2"),  # each layer's own extreme, in proportion to its kappa2
        ("sum", (1.0, 1.0, 1.0), "kappa1"),
        ("l2", (1.0, 0.0, 0.0), "kappa2"),
    ],
)
def test_a_products_multiples_are_attained(combine: str, sizes: tuple[float, ...], kappa: str) -> None:
    widest = (np.eye(6, 4) / 2, np.ones((3, 1)) / math.sqrt(3), np.eye(2, 5) / math.sqrt(2))
    narrowest = tuple(np.outer(np.eye(m)[0], np.eye(n)[0]) for m, n in SHAPES)
    X = tuple(size * x for size, x in zip(sizes, widest if kappa == "kappa2" else narrowest))
    norm = product(LAYERS, combine)
    ratio = norm.dual(X) / math.sqrt(sum(FROBENIUS.of(x) ** 2 for x in X))
    assert ratio == pytest.approx(getattr(norm.equivalence(SHAPES), kappa), rel=1e-12)


def test_a_sum_moves_the_layer_with_the_largest_dual_norm_alone_and_a_product_of_nothing_is_refused() -> None:
    first, second = product((MAX, MAX), "sum").lmo((np.full((2, 2), 3.0), np.full((2, 2), 1.0)))
    assert (np.abs(first).max(), np.abs(second).max()) == (1.0, 0.0)
    with pytest.raises(ValueError, match="a product norm needs a layer"):
        product(())
    with pytest.raises(ValueError, match="no way to combine layers of that name"):
        product((MAX,), "mean")


# --- Newton-Schulz ---


def test_newton_schulz_is_the_polynomial_of_the_singular_values() -> None:
    C = gaussian(6, 4)
    U, s, Vt = np.linalg.svd(C, full_matrices=False)
    x = s / np.sqrt((s**2).sum())
    a, b, c = QUINTIC
    for _ in range(5):
        x = a * x + b * x**3 + c * x**5
    for ours, expected in ((newton_schulz(C), U * x @ Vt), (newton_schulz(C.T), (U * x @ Vt).T)):
        np.testing.assert_allclose(ours, expected, atol=1e4 * EPS)


def test_newton_schulz_misses_by_what_its_singular_values_do() -> None:
    C = gaussian(100, 16, 16)
    A = -newton_schulz(C)
    size, descent, distance = oracle_error(SPECTRAL, C, A)
    found = singular_values(A)
    np.testing.assert_allclose(size, found[:, 0] - 1, atol=1000 * EPS)
    np.testing.assert_allclose(distance, np.abs(found - 1).max(-1), atol=1e4 * EPS)
    assert 0 < distance.max() < 1
    assert np.abs(descent).max() < distance.max()
    np.testing.assert_array_equal(MUON.lmo(C), A)


def test_an_exact_oracle_has_no_error() -> None:
    C = gaussian(50, 6, 4)
    for norm in NORMS.values():
        for error in oracle_error(norm, C, norm.lmo(C)):
            np.testing.assert_allclose(error, 0.0, atol=1000 * EPS)
    np.testing.assert_allclose(polar(C).mT @ polar(C), np.broadcast_to(np.eye(4), (50, 4, 4)), atol=1000 * EPS)
