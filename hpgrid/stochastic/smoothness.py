"""D-smoothness: how fast the gradient of g(X) = ||X||_dual^2/2 turns, over seeded pairs.

For every norm the gradient of g is -||X||_dual LMO(X) (Danskin), and ||X||_dual = -<X, LMO(X)>: so a norm's
oracle is all that is needed, one call a matrix, and nothing is differentiated. Where several A reach the
minimum g has a kink, and what the oracle answers is one of its subgradients.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import numpy as np
from numpy.typing import NDArray

from hpgrid.checks import bad
from hpgrid.norms import Array, Norm, check_shape, inner
from hpgrid.progress import track
from hpgrid.shapes import Floats

#: Which quantiles of the quotient are given.
QUANTILES = (0.05, 0.5, 0.95, 0.999)

#: How many entries the X of one batch have together: some ten arrays of that size are held at once.
_BATCH = 2**21


def gradient(norm: Norm, X: Array) -> Array:
    """Return the gradient of ||X||_dual^2/2, <X, A> A with A = LMO(X), over the last two axes."""
    return _along(X, norm.lmo(X))


def _along(X: Array, A: Array) -> Array:
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
    generic = _quotient(norm, drawn, _along(drawn, A))
    return Quotients(quotient(norm, after(generic, A)), generic)


def _over_pairs(norm: Norm, drawn: Array) -> Quotients:
    return jax.vmap(lambda pair: _both(norm, pair))(drawn)


def _gaussian_pairs(keys: Array, shape: tuple[int, int]) -> Array:
    return jax.vmap(lambda key: jax.random.normal(key, (2, *shape)))(keys)


# Apart, for most of the time to compile goes into drawing, which all norms share.
_drawn: Any = jax.jit(_gaussian_pairs, static_argnums=1)
_compiled: Any = jax.jit(_over_pairs, static_argnums=0)


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
        keys = jax.random.split(jax.random.key(seed), pairs)
        found = []
        for start in track(range(0, pairs, size), f"pairs, {norm.name}"):
            # All batches are as long, so that one program runs them: the last begins earlier.
            first = min(start, pairs - size)
            values = _compiled(norm, _drawn(keys[first : first + size], shape))
            found.append([np.asarray(x)[start - first :] for x in values])
    return Quotients(*(np.concatenate(parts) for parts in zip(*found)))


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


def statistics(found: Floats, points: int = 25) -> Statistics:
    """Return the statistics of quotients, NaN where no pair has one.

    Args:
        found: the quotients, shape (pairs,).
        points: at how many numbers of pairs the running maximum is given.
    """
    kept = found[~np.isnan(found)]
    counts = np.unique(np.geomspace(1, len(found), points).round().astype(np.int64))
    running = np.fmax.accumulate(found)[counts - 1]
    if not kept.size:
        return Statistics(
            len(found), len(found), np.nan, np.nan, np.nan, dict.fromkeys(QUANTILES, np.nan), counts, running
        )
    error = float(kept.std(ddof=1) / np.sqrt(kept.size)) if kept.size > 1 else np.nan
    quantiles = dict(zip(QUANTILES, np.quantile(kept, QUANTILES).tolist()))
    coincide = len(found) - kept.size
    return Statistics(len(found), coincide, float(kept.mean()), error, float(kept.max()), quantiles, counts, running)
