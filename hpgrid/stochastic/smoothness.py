"""D-smoothness: how fast the gradient of g(X) = ||X||_dual^2/2 turns, over seeded pairs.

For every norm the gradient of g is -||X||_dual LMO(X) (Danskin), and ||X||_dual = -<X, LMO(X)>: so a norm's
oracle is all that is needed, one call a matrix, and nothing is differentiated. Where several A reach the
minimum g has a kink, and what the oracle answers is one of its subgradients. All is NumPy's: most of it is
decompositions, which JAX does not batch on a CPU, and a program for each shape would take longer than what it computes.

The worst case: pairs that are halved where the gradient turns fastest, which never loses. Let M be the midpoint of
X and Y. By the triangle inequality ||grad g(X) - grad g(Y)|| <= ||grad g(X) - grad g(M)|| + ||grad g(M) - grad g(Y)||,
and a norm is additive along a segment: ||X - Y||_dual = ||X - M||_dual + ||M - Y||_dual, in equal parts. So the
quotient of the whole is at most the mean of the halves', and the steeper half has at least the whole's. Where g is
smooth the quotients tend to a directional derivative of its gradient, at most D. Where the segment crosses a kink, the
gradient's jump stays and the distance halves: the quotient doubles each time, and no D exists.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hpgrid.checks import bad
from hpgrid.norms import FROBENIUS, MAX, SPECTRAL, Norm, check_shape, inner
from hpgrid.progress import cores, foresee, track
from hpgrid.shapes import AnyArray as Array, Floats
from hpgrid.text import counted

#: Which quantiles of the quotient are given.
QUANTILES = (0.05, 0.5, 0.95, 0.999)

#: How many entries the X of one batch have together: some ten arrays of that size are held at once.
_BATCH = 2**18


def gradient(norm: Norm, X: Array) -> Array:
    """Return the gradient of ||X||_dual^2/2, <X, A> A with A = LMO(X), over the last two axes."""
    A = norm.lmo(X)
    return inner(X, A)[..., None, None] * A


def quotient(norm: Norm, pair: Array) -> Array:
    """Return ||grad g(X) - grad g(Y)|| / ||X - Y||_dual; NaN where X = Y.

    Args:
        norm: of the primal space, that of a step.
        pair: X and Y, shape (..., 2, m, n).

    Source: Cesista, Assumption 4 and Appendix A2.
    """
    return _quotient(norm, pair, gradient(norm, pair))


def _quotient(norm: Norm, pair: Array, gradients: Array) -> Array:
    (X, Y), (at_X, at_Y) = ((both[..., 0, :, :], both[..., 1, :, :]) for both in (pair, gradients))
    with np.errstate(invalid="ignore"):
        return norm.of(at_X - at_Y) / norm.dual(X - Y)


class Quotients(NamedTuple):
    """The quotients of seeded pairs, each a lower bound of D; NaN where the two of a pair coincide.

    The source's code takes LMOs of Gaussian matrices: they lie on the unit sphere of the norm, though D is about the
    dual space. Of 1 x 1 ones half coincide.
    """

    oracle: Floats  # of such LMOs
    gaussian: Floats  # of the Gaussian matrices themselves, in general position in the dual space


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

    def part(first: int) -> tuple[Floats, Floats]:
        # A generator for each pair: the first ones stay the same, however many follow and in whatever batches.
        each = (np.random.default_rng([seed, k]) for k in range(first, min(first + size, pairs)))
        drawn = np.stack([rng.standard_normal((2, *shape)) for rng in each])
        # The Gaussian pair's oracle is its gradient and the other pair, so it is asked once.
        A = norm.lmo(drawn)
        return quotient(norm, A), _quotient(norm, drawn, inner(drawn, A)[..., None, None] * A)

    batches = range(0, pairs, size)
    # A thread for each core: decompositions let go of Python's lock.
    parts, begun = [], time.perf_counter()
    with ThreadPoolExecutor(workers := cores()) as pool:
        for _, values in zip(track(batches, f"pairs, {norm.name}"), pool.map(part, batches)):
            parts.append(values)
            if len(parts) == 1 < len(batches):
                what = f"{counted(pairs, 'pair')}, {norm.name}, {shape[0]} x {shape[1]}"
                foresee(what, (time.perf_counter() - begun) * len(batches) / workers)
    return Quotients(*(np.concatenate(values) for values in zip(*parts)))


@dataclass(frozen=True, eq=False)
class Statistics:
    """What the quotients of seeded pairs say of D."""

    pairs: int  # how many there were
    coincide: int  # how many were left out, for their X and Y are the same
    mean: float  # of the rest, as all that follows
    error: float  # the standard error of the mean; NaN of fewer than two
    maximum: float  # D is at least that
    quantiles: dict[float, float]  # by ``QUANTILES``
    counts: NDArray[np.int64]  # some numbers of pairs, evenly spaced in the log
    running: Floats  # the largest quotient among so many of the first


def statistics(values: Floats, points: int = 25) -> Statistics:
    """Return the statistics of quotients, shape (pairs,), NaN where no pair has one.

    The running maximum is given at ``points`` numbers of pairs, or fewer.
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


def _nearest_kink(norm: Norm, X: Floats) -> Floats | None:
    """The part of matrices that is nearest to a kink of the dual norm: there it passes 0, and alone.

    The Euclidean norm has none but 0 itself, where its square is smooth. None of a norm whose kinks are not known.
    """
    if norm.name == MAX.name:
        size = np.abs(X)
        return np.where(size == size.min((-2, -1), keepdims=True), X, 0.0)
    if norm.name == SPECTRAL.name:
        U, s, Vt = np.linalg.svd(X, full_matrices=False)
        return (U[..., -1:] * s[..., -1:, None]) @ Vt[..., -1:, :]
    return X if norm.name == FROBENIUS.name else None


def halve(norm: Norm, pair: Array, halvings: int = HALVINGS) -> Floats:
    """Return the quotients of a pair, of its steeper half, and so on, which never fall: shape (..., halvings + 1).

    The pair is X and Y, shape (..., 2, m, n).
    """
    ends = gradient(norm, pair)
    quotients = [_quotient(norm, pair, ends)]
    distance = norm.of(ends[..., 0, :, :] - ends[..., 1, :, :]) / quotients[0]
    for _ in range(halvings):
        M = pair.mean(-3, keepdims=True)
        points = np.concatenate([pair[..., :1, :, :], M, pair[..., 1:, :, :]], axis=-3)
        gradients = np.concatenate([ends[..., :1, :, :], gradient(norm, M), ends[..., 1:, :, :]], axis=-3)
        turns = norm.of(np.diff(gradients, axis=-3))
        steeper = (turns.argmax(-1)[..., None] + np.arange(2))[..., None, None]
        pair, ends = (np.take_along_axis(both, steeper, axis=-3) for both in (points, gradients))
        distance = distance / 2
        quotients.append(turns.max(-1) / distance)
    return np.stack(quotients, axis=-1)


@dataclass(frozen=True, eq=False)
class Search:
    """What halving found."""

    quotients: Floats  # of every start, by halvings: shape (starts, halvings + 1)
    growth: float  # doublings per halving over the second half, of the start that ends highest: 1 at a kink, else 0
    smooth: bool | None  # whether all stand still; None where that can't be told

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
    There are ``starts`` of each kind; the seed is >= 0.
    """
    shape = check_shape(shape)
    X, Y = np.random.default_rng(seed).standard_normal((2, starts, *shape))
    kink = _nearest_kink(norm, X)
    pairs = [np.stack([X, end], axis=1) for end in ([Y] if kink is None else [Y, X - 3 * kink])]
    quotients = halve(norm, np.concatenate(pairs), halvings)
    # Over the second half alone: in the first the gradient still changes along the segment's own length.
    half = halvings // 2
    growths = np.log2(quotients[:, -1] / quotients[:, half]) / (halvings - half)
    growth = float(growths[quotients[:, -1].argmax()])
    smooth = True if np.abs(growths).max() <= _STANDS_STILL else False if abs(growth - 1) <= _STANDS_STILL else None
    return Search(quotients, growth, smooth)
