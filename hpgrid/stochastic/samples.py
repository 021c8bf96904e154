"""Seeded gradient noise: its kinds, minibatches of it, what it needs of a norm, and intervals of means over seeds.

Every kind is scaled to E||xi||_F^2 = 1, has mean 0, and is independent from sample to sample. Lemma 5 needs a
D of at least b E||mean of b||_dual^2 / E||xi||_dual^2; whatever the noise is, that is at most (kappa2/kappa1)^2, for
b E||mean||_dual^2 <= kappa2^2 b E||mean||_F^2 = kappa2^2 E||xi||_F^2 <= (kappa2/kappa1)^2 E||xi||_dual^2.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hpgrid.checks import bad
from hpgrid.norms import MAX, SPECTRAL, Norm, check_shape
from hpgrid.progress import foresee, track
from hpgrid.readings import Reading
from hpgrid.shapes import AnyArray as Array, Floats

Shape = tuple[int, int]

#: How sure all of the intervals of a figure, or of a row of the ledger, are together.
LEVEL = 0.99

#: Standard errors in half a confidence interval of one number: 95 per cent.
NORMAL_95 = 1.96

#: Draws, and their seed, for the one variance that has no closed form.
DRAWS, SEED = 20_000, 2025

#: How many entries the means of one batch of draws have together.
_BATCH = 2**22


# --- kinds of noise ---
@dataclass(frozen=True)
class Noise:
    """A kind of noise."""

    name: str  # what it is called
    # (generator, count, batches, shape) -> the means of minibatches of every size: shape (count, batches, m, n). Of
    # each of the ``count`` draws a smaller one has the first samples of a larger one.
    means: Callable[[np.random.Generator, int, NDArray[np.int64], Shape], Floats]


def _dense(rng: np.random.Generator, count: int, batches: NDArray[np.int64], shape: Shape) -> Floats:
    """The mean of b Gaussians is a Gaussian: one draw, whatever b."""
    return rng.standard_normal((count, 1, *shape)) / np.sqrt(batches * float(math.prod(shape)))[:, None, None]


def _one_hot(rng: np.random.Generator, count: int, batches: NDArray[np.int64], shape: Shape) -> Floats:
    """Plus or minus one, at one entry, both uniform."""
    size, most = math.prod(shape), int(batches.max())
    places = rng.integers(0, size, (count, most)) + size * np.arange(count)[:, None]
    signs = 2.0 * rng.integers(0, 2, (count, most)) - 1.0
    sums = [np.bincount(places[:, :b].ravel(), signs[:, :b].ravel(), count * size) / b for b in batches]
    return np.stack(sums).reshape(len(batches), count, *shape).swapaxes(0, 1)


def _rank_one(rng: np.random.Generator, count: int, batches: NDArray[np.int64], shape: Shape) -> Floats:
    """u v^T, u and v uniform on their spheres: what a layer's gradient of one token is; mean 0 by u's sign."""
    vectors = (rng.standard_normal((count, int(batches.max()), n)) for n in shape)
    left, right = (x / np.linalg.norm(x, axis=-1, keepdims=True) for x in vectors)
    return np.stack([left[:, :b].mT @ right[:, :b] / b for b in batches], axis=1)


GAUSSIAN = Noise("gaussian", _dense)
ONE_HOT = Noise("one-hot", _one_hot)
RANK_ONE = Noise("rank-one", _rank_one)

NOISES = {noise.name: noise for noise in (GAUSSIAN, ONE_HOT, RANK_ONE)}


# --- intervals over seeds ---


class Interval(NamedTuple):
    """A mean over seeds, and half the width of its interval."""

    mean: Array
    half: Array

    @property
    def low(self) -> Array:
        """The lower end."""
        return self.mean - self.half


def quantile(seeds: int, comparisons: int, level: float = LEVEL) -> float:
    """Return Student's t beyond which one of ``comparisons`` two-sided intervals errs with chance 1 - level.

    Bonferroni: each errs with (1 - level)/comparisons, whatever their dependence. A mean is over ``seeds`` >= 2
    independent values, else ValueError.
    """
    if seeds < 2:
        raise bad("an interval needs at least two seeds", seeds, "seeds = 32, say")
    from scipy.special import stdtrit

    return float(stdtrit(seeds - 1, 1.0 - (1.0 - level) / (2.0 * comparisons)))


def interval(values: Array, comparisons: int | None = None, level: float = LEVEL) -> Interval:
    """Return the mean over the last axis, the independent seeds, and its interval.

    All intervals that are read together, ``comparisons`` or as many as there are here, hold with chance ``level``.
    """
    values = np.asarray(values)
    seeds = values.shape[-1]
    count = max(values[..., 0].size, 1) if comparisons is None else comparisons
    error = values.std(-1, ddof=1) / np.sqrt(seeds)
    return Interval(values.mean(-1), quantile(seeds, count, level) * error)


def farthest(gap: Array, tolerance: Array) -> int:
    """Return which of many gaps speaks for all: the largest, of those beyond their tolerance where any is."""
    beyond = gap > tolerance
    return int(np.where(beyond, gap, -np.inf).argmax() if beyond.any() else gap.argmax())


def largest_ratio(what: str, ratio: Array, error: Array) -> Reading:
    """Return the reading of ratios of which none may exceed 1, each off by at most its error."""
    tells = bool((ratio - error > 1).any() or (ratio + error <= 1).all())
    k = farthest(ratio - 1, error)
    return Reading(what, "sampled", float(ratio.flat[k]), 1.0, float(error.flat[k]), "<=", identifiable=tells)


def near_minimum(values: Array, comparisons: int | None = None, level: float = LEVEL) -> Array:
    """Return which candidates can't be told from the one of least mean: shape (candidates,).

    By paired differences, since seeds are shared: the interval of the difference to the least reaches 0.
    ``values`` has shape (candidates, seeds); ``comparisons`` intervals, or as many as there are candidates, are read
    together.
    """
    values = np.asarray(values)
    apart = interval(values - values[values.mean(-1).argmin()], comparisons or len(values), level)
    return apart.low <= 0.0


def ratio(top: Array, bottom: Array, comparisons: int | None = None, level: float = LEVEL) -> Interval:
    """Return the ratio of two means over the same seeds, the last axis, and its interval, to first order.

    NaN where the lower mean is 0.
    """
    top, bottom = np.asarray(top), np.asarray(bottom)
    mean = bottom.mean(-1, keepdims=True)
    below = np.where(mean > 0, mean, np.nan)
    quotient = top.mean(-1, keepdims=True) / below
    apart = interval((top - quotient * bottom) / below, comparisons, level)
    return Interval(quotient[..., 0], apart.half)


# --- minibatches ---


class Variance(NamedTuple):
    """E||xi||_dual^2 of a single sample with E||xi||_F^2 = 1, and its standard error: 0 where it is exact."""

    value: float
    error: float = 0.0


def variance(noise: Noise, norm: Norm, shape: Shape) -> Variance:
    """Return a single sample's E||xi||_dual^2, sigma^2 for sigma_F = 1.

    One-hot and rank-one noise has one singular value, and one-hot noise one entry: 1. In the 1-norm, d Gaussian
    entries of variance 1/d, or a vector that is uniform on the sphere in d dimensions, have 1 + (d - 1) 2/pi, and
    u v^T the product of its vectors'. In the nuclear norm a Gaussian of two columns has E(s1 + s2)^2 = E||X||_F^2 +
    2 E(s1 s2), where s1 s2 of m x 2 standard normals is a product of independent chis of m and m - 1, of mean
    m - 1: 2 - 1/m. With more columns it is drawn. ``norm`` is the norm whose dual is meant.
    """
    m, n = check_shape(shape)
    if noise.name == ONE_HOT.name or norm.name not in (MAX.name, SPECTRAL.name):
        return Variance(1.0)
    if norm.name == MAX.name:
        sizes = (m * n,) if noise.name == GAUSSIAN.name else (m, n)
        return Variance(math.prod(1.0 + (size - 1) * 2.0 / math.pi for size in sizes))
    if noise.name != GAUSSIAN.name or min(m, n) == 1:
        return Variance(1.0)
    if min(m, n) == 2:
        return Variance(2.0 - 1.0 / max(m, n))
    drawn = draws(noise, SEED, (1, DRAWS), (1,), (m, n))[0, 0]
    squares = np.asarray(norm.dual(drawn)) ** 2
    return Variance(float(squares.mean()), float(squares.std(ddof=1) / math.sqrt(DRAWS)))


def draws(noise: Noise, seed: int, counts: tuple[int, int], batches: Array, shape: Shape) -> np.ndarray:
    """Return minibatches' mean noise: shape (steps, batches, seeds, m, n).

    All batch sizes share their samples, a smaller one having the first of a larger one's: what is compared
    between them differs by the batch size alone. ``counts`` says how many steps and seeds; batch sizes are whole
    numbers >= 1.
    """
    steps, seeds = counts
    rng, sizes = np.random.default_rng(seed), np.asarray(batches).astype(np.int64)
    # A step at a time: of all the samples, those of one are held.
    means = np.stack([noise.means(rng, seeds, sizes, shape) for _ in range(steps)])
    return means.swapaxes(1, 2)


def needed_smoothness(noise: Noise, norm: Norm, means: Array, batches: Array, shape: Shape) -> Interval:
    """Return the least D with which Lemma 5 would hold of these minibatches, b E||xi_S||^2/sigma^2: shape (batches,).

    ``means`` are independent minibatches of the noise, shape (batches, draws, m, n), of sizes ``batches``.
    """
    sigma2 = variance(noise, norm, shape)
    squares = np.asarray(norm.dual(np.asarray(means))) ** 2 * np.asarray(batches, float)[:, None]
    D = interval(squares / sigma2.value)
    # The variance's own error adds to it, at the same number of standard errors.
    deviations = D.half / np.where(squares.std(-1) > 0, squares.std(-1, ddof=1) / sigma2.value, 1.0)
    drawn = deviations * math.sqrt(squares.shape[-1]) * sigma2.error / sigma2.value * D.mean
    return Interval(D.mean, D.half + drawn)


class Effective(NamedTuple):
    """The constant that Lemma 5 needs, by batch size."""

    b: NDArray[np.int64]
    constant: Floats  # b E||mean||_dual^2 / E||xi||_dual^2
    error: Floats  # its standard error
    bound: float  # (kappa2/kappa1)^2, what it can't exceed


def effective(
    norm: Norm, noise: Noise, shape: tuple[int, int], b: Sequence[int], *, draws: int = 64, seed: int = 0
) -> Effective:
    """Return the constant that Lemma 5 needs of a kind of noise, over seeded draws.

    The same samples serve every b and the single one that they are held against: of Gaussian noise the constant
    is then exactly 1. There are ``draws`` >= 2 minibatches of every size in ``b``, whole numbers >= 1.

    Source: Cesista, Lemma 5.
    """
    sizes, (m, n) = np.asarray(b, np.int64), check_shape(shape)
    # The single sample (b = 1) stands first, and is what the means are divided by.
    rng, with_one = np.random.default_rng(seed), np.concatenate([[1], sizes])
    several = max(1, _BATCH // (len(with_one) * m * n))
    parts: list[Floats] = []
    what, begun = f"{noise.name} noise, {norm.name}, {m} x {n}", time.perf_counter()
    for first in track(range(0, draws, several), what):
        if len(parts) == 1:
            foresee(what, (time.perf_counter() - begun) * draws / several)
        # A draw at a time: of all the samples, those of one are held.
        each = (noise.means(rng, 1, with_one, (m, n)) for _ in range(first, min(first + several, draws)))
        parts.append(np.asarray(norm.dual(np.concatenate(list(each)))) ** 2)
    squares = np.concatenate(parts)
    single, means = squares[:, 0], squares[:, 1:] * sizes
    constant = means.mean(0) / single.mean()
    # Of a quotient of means, to first order in their errors.
    rest = means - constant * single[:, None]
    error = rest.std(0, ddof=1) / np.sqrt(draws) / single.mean()
    kappa1, kappa2 = norm.equivalence(shape)
    return Effective(sizes, constant, error, float((kappa2 / kappa1) ** 2))
