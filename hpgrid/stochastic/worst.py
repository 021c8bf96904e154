"""The worst case of D-smoothness: pairs that are halved where the gradient turns fastest.

Halving never loses. Let M be the midpoint of X and Y. By the triangle inequality
||grad g(X) - grad g(Y)|| <= ||grad g(X) - grad g(M)|| + ||grad g(M) - grad g(Y)||, and a norm is additive along
a segment: ||X - Y||_dual = ||X - M||_dual + ||M - Y||_dual, in equal parts. So the quotient of the whole is at
most the mean of the halves', and the steeper half has at least the whole's. Where g is smooth the quotients
tend to a directional derivative of its gradient, at most D. Where the segment crosses a kink, the
gradient's jump stays and the distance halves: the quotient doubles each time, and no D exists.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from hpgrid.norms import FROBENIUS, MAX, SPECTRAL, Array, Norm, check_shape
from hpgrid.shapes import Floats
from hpgrid.stochastic.smoothness import after, gradient, quotient

#: How often a pair is halved: to a millionth, where rounding is still below 1e-8 of the quotient.
HALVINGS = 20

#: What counts as doubling, or as standing still: a jump's growth is 1 and a smooth gradient's is 0 up to the
#: segment's own length, 1e-3 of it half way through.
_SURE = 0.05


def _least_entry(X: Array) -> Array:
    size = jnp.abs(X)
    return jnp.where(size == size.min((-2, -1), keepdims=True), X, 0.0)


def _least_direction(X: Array) -> Array:
    U, s, Vt = jnp.linalg.svd(X, full_matrices=False)
    return (U[..., -1:] * s[..., -1:, None]) @ Vt[..., -1:, :]


#: The part of a matrix that is nearest to a kink of the dual norm: there it passes 0, and alone. The Euclidean
#: norm has none but 0 itself, where its square is smooth.
_LEAST: dict[str, Callable[[Array], Array]] = {
    FROBENIUS.name: lambda X: X,
    MAX.name: _least_entry,
    SPECTRAL.name: _least_direction,
}


def halve(norm: Norm, pair: Array, halvings: int = HALVINGS) -> Array:
    """Return the quotient of a pair, and of its steeper half, and so on: shape (halvings + 1,), never falling.

    Args:
        norm: any norm of a matrix.
        pair: X and Y, shape (2, m, n), float64 inside an x64 scope.
        halvings: how often.
    """
    whole = quotient(norm, pair)
    ends = gradient(norm, after(whole, pair))
    distance = norm.of(ends[0] - ends[1]) / whole

    def step(carry: tuple[Array, Array, Array], _: None) -> tuple[tuple[Array, Array, Array], Array]:
        (X, Y), (at_X, at_Y), distance = carry
        M = (X + Y) / 2
        at_M = gradient(norm, M)
        turns = norm.of(jnp.stack([at_X - at_M, at_M - at_Y]))
        first = turns[0] >= turns[1]
        pair = jnp.where(first, jnp.stack([X, M]), jnp.stack([M, Y]))
        ends = jnp.where(first, jnp.stack([at_X, at_M]), jnp.stack([at_M, at_Y]))
        return (pair, ends, distance / 2), turns.max() / (distance / 2)

    _, steeper = lax.scan(step, (pair, ends, distance), None, length=halvings)
    return jnp.concatenate([whole[None], steeper])


@dataclass(frozen=True)
class Search:
    """What halving found.

    Attributes:
        quotients: of every start, by halvings: shape (starts, halvings + 1).
        growth: doublings per halving over the second half, of the start that ends highest: 1 at a kink, 0
            where g is smooth.
        smooth: whether all stand still; None where that can't be told.
    """

    quotients: Floats
    growth: float
    smooth: bool | None

    @property
    def steepest(self) -> Floats:
        """The quotients of the start that ends highest."""
        return np.asarray(self.quotients[self.quotients[:, -1].argmax()])

    @property
    def verdict(self) -> str:
        """What that says of D, in words."""
        largest = float(self.steepest[-1])
        if self.smooth is None:
            return f"undecided: {largest:.3g} after {len(self.steepest) - 1} halvings"
        if self.smooth:
            return f"smooth: no quotient above {largest:.4f}"
        return f"no finite D: doubles with each halving, 2^{np.log2(largest):.0f} so far"


def worst_case(
    norm: Norm, shape: tuple[int, int], *, seed: int = 0, starts: int = 8, halvings: int = HALVINGS
) -> Search:
    """Return the steepest that halving finds, from random pairs and from pairs across a kink.

    Random pairs of tall matrices never come near a matrix of lower rank; so half of the starts reach through the
    nearest kink, from X to X - 3 P, P being X's least entry, or its least singular value with its vectors. They
    cross it at a third of the way, where no halving lands. For a norm whose kinks are not known, random pairs alone.

    Args:
        norm: any norm of a matrix.
        shape: the matrix's.
        seed: >= 0.
        starts: how many of each kind.
        halvings: how often each is halved.
    """
    shape = check_shape(shape)
    with jax.enable_x64(True):
        # By NumPy: a few draws are not worth a program that JAX would compile for each shape.
        X, Y = jnp.asarray(np.random.default_rng(seed).standard_normal((2, starts, *shape)))
        pairs = [jnp.stack([X, Y], axis=1)]
        if norm.name in _LEAST:
            pairs.append(jnp.stack([X, X - 3 * _LEAST[norm.name](X)], axis=1))
        found = np.asarray(_compiled(norm, jnp.concatenate(pairs), halvings))
    half = halvings // 2
    growths = np.log2(found[:, -1] / found[:, half]) / (halvings - half)
    growth = float(growths[found[:, -1].argmax()])
    smooth = True if np.abs(growths).max() <= _SURE else False if abs(growth - 1) <= _SURE else None
    return Search(found, growth, smooth)


def _over_starts(norm: Norm, pairs: Array, halvings: int) -> Array:
    return jax.vmap(lambda pair: halve(norm, pair, halvings))(pairs)


_compiled: Any = jax.jit(_over_starts, static_argnums=(0, 2))
