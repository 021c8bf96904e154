"""D-smoothness: how fast the gradient of g(X) = ||X||_dual^2/2 turns, over seeded pairs.

For every norm the gradient of g is -||X||_dual LMO(X) (Danskin), and ||X||_dual = -<X, LMO(X)>: so a norm's
oracle is all that is needed, one call a matrix, and nothing is differentiated. Where several A reach the
minimum g has a kink, and what the oracle answers is one of its subgradients.

The worst case: pairs that are halved where the gradient turns fastest, which never loses. Let M be the midpoint of
X and Y. By the triangle inequality ||grad g(X) - grad g(Y)|| <= ||grad g(X) - grad g(M)|| + ||grad g(M) - grad g(Y)||,
and a norm is additive along a segment: ||X - Y||_dual = ||X - M||_dual + ||M - Y||_dual, in equal parts. So the
quotient of the whole is at most the mean of the halves', and the steeper half has at least the whole's. Where g is
smooth the quotients tend to a directional derivative of its gradient, at most D. Where the segment crosses a kink, the
gradient's jump stays and the distance halves: the quotient doubles each time, and no D exists.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from numpy.typing import NDArray

from hpgrid.checks import bad
from hpgrid.norms import FROBENIUS, MAX, SPECTRAL, Norm, check_shape, inner
from hpgrid.shapes import AnyArray as Array, Floats
from hpgrid.stochastic.samples import in_batches

#: Which quantiles of the quotient are given.
QUANTILES = (0.05, 0.5, 0.95, 0.999)

#: How many entries the X of one batch have together: some ten arrays of that size are held at once.
_BATCH = 2**21


def gradient(norm: Norm, X: Array) -> Array:
    """Return the gradient of ||X||_dual^2/2, <X, A> A with A = LMO(X), over the last two axes."""
    A = norm.lmo(X)
    return inner(X, A)[..., None, None] * A


def after(first: Array, X: Array) -> Array:
    """Return X, once ``first`` is known.

    Two decompositions that wait for nothing can run at once, each shares its batch among XLA's threads, and on a
    machine with two cores each then waits for the other's thread, for good. A sum with 0 is what no compiler drops.
    """
    return X + 0.0 * first.sum()


def quotient(norm: Norm, pair: Array) -> Array:
    """Return ||grad g(X) - grad g(Y)|| / ||X - Y||_dual of one pair; NaN where X = Y.

    Args:
        norm: of the primal space, that of a step.
        pair: X and Y, shape (2, m, n).

    Source: Cesista, Assumption 4 and Appendix A2.
    """
    return _quotient(norm, pair, gradient(norm, pair))


def _quotient(norm: Norm, pair: Array, gradients: Array) -> Array:
    turn = norm.of(gradients[0] - gradients[1])
    return turn / norm.dual(after(turn, pair[0] - pair[1]))


class Quotients(NamedTuple):
    """The quotients of seeded pairs, each a lower bound of D; NaN where the two of a pair coincide.

    Attributes:
        oracle: of LMOs of Gaussian matrices, as the source's code takes them: they lie on the unit sphere of the
            norm, though D is about the dual space. Of 1 x 1 ones half coincide.
        gaussian: of the Gaussian matrices themselves, in general position in the dual space.
    """

    oracle: Floats
    gaussian: Floats


def _both(norm: Norm, drawn: Array) -> Quotients:
    """The Gaussian pair's oracle is its gradient and the other pair, so it is asked once."""
    A = norm.lmo(drawn)
    generic = _quotient(norm, drawn, inner(drawn, A)[..., None, None] * A)
    return Quotients(quotient(norm, after(generic, A)), generic)


# Apart, for most of the time to compile goes into drawing, which all norms share.
_drawn: Any = jax.jit(
    lambda keys, shape: jax.vmap(lambda key: jax.random.normal(key, (2, *shape)))(keys), static_argnums=1
)
_of_pairs: Any = jax.jit(lambda norm, drawn: jax.vmap(lambda pair: _both(norm, pair))(drawn), static_argnums=0)


def quotients(norm: Norm, shape: tuple[int, int], pairs: int, *, seed: int = 0, batch: int | None = None) -> Quotients:
    """Return the quotient of seeded random pairs, in both samplings: shape (pairs,) each.

    Args:
        norm: any norm of a matrix.
        shape: the matrix's.
        pairs: how many, >= 1. The first ones stay the same when there are more.
        seed: >= 0.
        batch: how many at once; the answer does not depend on it.

    Raises:
        ValueError: a shape or a number of pairs that can't be.

    Source: Cesista, Appendix A2.
    """
    shape = check_shape(shape)
    if pairs < 1:
        raise bad("an estimate needs a pair", pairs, "pairs=10000, say")
    size = min(pairs, batch or max(1, _BATCH // (shape[0] * shape[1])))
    with jax.enable_x64(True):
        # A key for each pair: the first ones stay the same, however many follow and in whatever batches.
        keys = jax.random.split(jax.random.key(seed), pairs)
        batches = []
        for first, repeated in in_batches(pairs, size, f"pairs, {norm.name}"):
            values = _of_pairs(norm, _drawn(keys[first : first + size], shape))
            batches.append([np.asarray(x)[repeated:] for x in values])
    return Quotients(*(np.concatenate(parts) for parts in zip(*batches)))


@dataclass(frozen=True)
class Statistics:
    """What the quotients of seeded pairs say of D.

    Attributes:
        pairs: how many there were.
        coincide: how many were left out, for their X and Y are the same.
        mean: of the rest, as all that follows.
        error: the standard error of the mean; NaN of fewer than two.
        maximum: the largest: D is at least that.
        quantiles: by ``QUANTILES``.
        counts: some numbers of pairs, evenly spaced in the log.
        running: the largest quotient among so many of the first.
    """

    pairs: int
    coincide: int
    mean: float
    error: float
    maximum: float
    quantiles: dict[float, float]
    counts: NDArray[np.int64]
    running: Floats


def statistics(values: Floats, points: int = 25) -> Statistics:
    """Return the statistics of quotients, NaN where no pair has one.

    Args:
        values: the quotients, shape (pairs,).
        points: at how many numbers of pairs the running maximum is given.
    """
    known = values[~np.isnan(values)]
    counts = np.unique(np.geomspace(1, len(values), points).round().astype(np.int64))
    running = np.fmax.accumulate(values)[counts - 1]
    mean = maximum = error = np.nan
    quantiles = dict.fromkeys(QUANTILES, np.nan)
    if known.size:
        mean, maximum = float(known.mean()), float(known.max())
        quantiles = dict(zip(QUANTILES, np.quantile(known, QUANTILES).tolist()))
    if known.size > 1:
        error = float(known.std(ddof=1) / np.sqrt(known.size))
    return Statistics(len(values), len(values) - known.size, mean, error, maximum, quantiles, counts, running)


# --- the worst case ---


#: How often a pair is halved: to a millionth, where rounding is still below 1e-8 of the quotient.
HALVINGS = 20

#: What counts as doubling, or as standing still: a jump's growth is 1 and a smooth gradient's is 0 up to the
#: segment's own length, 1e-3 of it half way through.
_STANDS_STILL = 0.05


def _smallest_entry(X: Array) -> Array:
    size = jnp.abs(X)
    return jnp.where(size == size.min((-2, -1), keepdims=True), X, 0.0)


def _smallest_direction(X: Array) -> Array:
    U, s, Vt = jnp.linalg.svd(X, full_matrices=False)
    return (U[..., -1:] * s[..., -1:, None]) @ Vt[..., -1:, :]


#: The part of a matrix that is nearest to a kink of the dual norm: there it passes 0, and alone. The Euclidean
#: norm has none but 0 itself, where its square is smooth.
_NEAREST_KINK: dict[str, Callable[[Array], Array]] = {
    FROBENIUS.name: lambda X: X,
    MAX.name: _smallest_entry,
    SPECTRAL.name: _smallest_direction,
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
    nearest kink, from X to X - 3 P, P being X's smallest entry, or its smallest singular value with its vectors. They
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
        if norm.name in _NEAREST_KINK:
            pairs.append(jnp.stack([X, X - 3 * _NEAREST_KINK[norm.name](X)], axis=1))
        quotients = np.asarray(_of_starts(norm, jnp.concatenate(pairs), halvings))
    # Over the second half alone: in the first the gradient still changes along the segment's own length.
    half = halvings // 2
    growths = np.log2(quotients[:, -1] / quotients[:, half]) / (halvings - half)
    growth = float(growths[quotients[:, -1].argmax()])
    smooth = True if np.abs(growths).max() <= _STANDS_STILL else False if abs(growth - 1) <= _STANDS_STILL else None
    return Search(quotients, growth, smooth)


_of_starts: Any = jax.jit(
    lambda norm, pairs, halvings: jax.vmap(lambda pair: halve(norm, pair, halvings))(pairs), static_argnums=(0, 2)
)
