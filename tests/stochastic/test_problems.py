"""Problems: gradients, and constants that no pair of points exceeds and that some attain; Muon's closed forms."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hpgrid.norms import NORMS, SPECTRAL
from hpgrid.stochastic.problems import THIN, Objective, norm_of, polar, quadratic, smoothed

KINDS = {"quadratic": quadratic, "smoothed": smoothed}
SHAPES = ((4, 2), (2, 3), (2, 2))

#: As many in every call, so that each function is compiled once.
POINTS = 4000

every_problem = pytest.mark.parametrize(
    "problem",
    [
        pytest.param(kind(norm, shape), id=f"{name}-{norm}-{shape}")
        for name, kind in KINDS.items()
        for norm in NORMS
        for shape in (SHAPES if norm == "spectral" else SHAPES[:1])  # the others know entries alone
    ],
)


@partial(jax.jit, static_argnums=0)
def each(part: Callable, X: jax.Array, theta: jax.Array) -> jax.Array:
    return jax.vmap(lambda x: part(x, theta))(X)


def gradients(problem: Objective, X: np.ndarray) -> np.ndarray:
    with jax.enable_x64(True):
        return np.asarray(each(problem.form.gradient, X, problem.parameters))


@partial(jax.jit, static_argnums=0)
def of_all(part: Callable, X: jax.Array) -> jax.Array:
    return part(X)


def sizes(norm_part: Callable, X: np.ndarray) -> np.ndarray:
    with jax.enable_x64(True):
        return np.asarray(of_all(norm_part, X))


@every_problem
def test_the_gradient_is_the_loss_s(problem: Objective) -> None:
    X = np.random.default_rng(0).standard_normal((POINTS, *problem.start.shape))
    with jax.enable_x64(True):
        auto = each(jax.grad(problem.form.loss), X, problem.parameters)
    np.testing.assert_allclose(gradients(problem, X), np.asarray(auto), rtol=1e-10, atol=1e-13)


@every_problem
def test_no_pair_of_points_exceeds_L(problem: Objective) -> None:
    """Near and far, close together and not."""
    rng = np.random.default_rng(1)
    X, Z = rng.standard_normal((2, POINTS, *problem.start.shape))
    X = X * 10 ** rng.uniform(-3, 1, (POINTS, 1, 1))
    Y = X + Z * 10 ** rng.uniform(-3, 1, (POINTS, 1, 1))
    change = sizes(problem.norm.dual, gradients(problem, Y) - gradients(problem, X))
    ratio = change / (problem.L * sizes(problem.norm.of, Y - X))
    assert ratio.max() <= 1 + 1e-6  # differences of 1e-3 of numbers of order 1, and thin matrices' 1e-8


@every_problem
def test_L_is_attained(problem: Objective) -> None:
    """At 0, along what the docstring names; smoothed ones as the step goes to 0."""
    m, n = problem.start.shape
    Z = np.zeros((m, n))
    if problem.norm.name == "frobenius":
        Z[0, 0] = 1.0
    elif problem.norm.name == "max":
        Z[:] = 1.0
    else:
        Z[: min(m, n), : min(m, n)] = np.eye(min(m, n))
    step = 1e-4
    change = gradients(problem, step * Z[None]) - gradients(problem, 0 * Z[None])
    ratio = sizes(problem.norm.dual, change)[0] / (problem.L * step)
    assert sizes(problem.norm.of, Z) == pytest.approx(1.0)
    assert ratio == pytest.approx(1.0, rel=1e-6)  # (step/width)^2/2 is 1e-7


@every_problem
def test_the_start_has_the_gap_and_the_gradient_it_says(problem: Objective) -> None:
    """The least value is 0, at 0."""
    with jax.enable_x64(True):
        theta = jnp.asarray(problem.parameters)
        losses = [float(problem.form.loss(jnp.asarray(x), theta)) for x in (problem.start, 0 * problem.start)]
    assert losses == [pytest.approx(problem.Delta0), pytest.approx(0.0, abs=1e-15)]
    assert sizes(problem.norm.of, problem.start) == pytest.approx(1.0)
    assert sizes(problem.norm.dual, gradients(problem, problem.start[None]))[0] == pytest.approx(problem.G0)


@pytest.mark.parametrize("name", NORMS)
def test_a_smoothed_gradient_stays_large_until_the_minimum_is_near(name: str) -> None:
    problem = smoothed(name, (4, 2), width=0.01)
    far = gradients(problem, np.stack([problem.start, 0.5 * problem.start]))
    near, farther = sizes(problem.norm.dual, far)[::-1]
    assert near == pytest.approx(farther, rel=0.05)
    assert pytest.approx(100.0) == problem.L


# --- matrices with two rows or columns ---


@pytest.mark.parametrize("shape", SHAPES)
def test_closed_forms_of_thin_matrices_agree_with_a_decomposition(shape: tuple[int, int]) -> None:
    X = np.random.default_rng(2).standard_normal((500, *shape))
    assert norm_of("spectral", shape) is THIN
    for part in ("of", "dual", "lmo"):
        np.testing.assert_allclose(sizes(getattr(THIN, part), X), getattr(SPECTRAL, part)(X), rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("shape", SHAPES)
def test_of_rank_one_the_polar_factor_is_its_outer_product_and_descends_as_far(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(3)
    u, v = rng.standard_normal((200, shape[0])), rng.standard_normal((200, shape[1]))
    X = u[:, :, None] * v[:, None, :]
    with jax.enable_x64(True):  # step by step: in one program the last bits of half the digits are others
        A, nothing = -np.asarray(polar(jnp.asarray(X))), np.asarray(polar(jnp.zeros((1, *shape))))
    assert (-(X * A).sum((1, 2)) / SPECTRAL.dual(X)).min() >= 1 - 1e-7  # half the digits, next to rank one
    assert SPECTRAL.of(A).max() <= 1 + 1e-7
    np.testing.assert_array_equal(nothing, 0.0)


def test_other_shapes_and_norms_keep_their_own() -> None:
    assert norm_of("spectral", (3, 3)) is SPECTRAL
    assert norm_of("max", (3, 2)) is NORMS["max"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: quadratic("max", (2, 2), size=0.0), "a quadratic has size > 0"),
        (lambda: quadratic("max", (2, 2), least=2.0), "a quadratic has size > 0"),
        (lambda: smoothed("max", (2, 2), width=0.0), "a smoothed norm has size > 0"),
        (lambda: smoothed("spectral", (3, 3)), "two rows or two columns"),
        (lambda: quadratic("max", (2, 0)), "two positive whole numbers"),
    ],
)
def test_what_can_t_be_is_refused(call: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
