"""Tokens b K(b) to a target: how many iterations a bound asks for, and where tokens are fewest, from K(b) alone.

The minimiser is numerical and knows no closed form: it is what closed forms are held against. The log of the tokens
is convex in log b for every bound here, so that it has one minimum, and what is within a share of it is an interval.
A minimum is found to ``FLAT``, a root of rounding: closer, all values are equal. At the end the same for the LMO
bound, its closed forms beside.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from hpgrid.bounds import lmo_exact
from hpgrid.bounds.cesista2025 import Parts
from hpgrid.bounds.constants import Constants
from hpgrid.refinement.profile import bisect
from hpgrid.shapes import Floats as Array
from hpgrid.term import evaluate_factor
from hpgrid.theory import batch_sizes as theory, iso_loss

#: K(b), elementwise; +inf where no number of iterations reaches the target.
Iterations = Callable[[ArrayLike], Array]

#: What log b is sure to at a minimum: where its log has the curvature c, values that are each rounded by r tell
#: (c/2) d^2 from 0 when it is above 2 r. c >= 1/2 for every bound here, and r is 16 eps: sums of three terms that
#: cancel to a quarter.
FLAT = float(np.sqrt(4 * 16 * np.finfo(float).eps / 0.5))

#: Batch sizes that are looked at.
_LOW, _HIGH = 1e-290, 1e290

#: How far above the smallest batch size a minimum is looked for, and the ends of what is near it.
_REACH = 1e6

#: Halvings of log b: of 1336, the widest range, 64 leave 7e-17, below the rounding of b.
_HALVINGS = 64


class Point(NamedTuple):
    """A batch size, the iterations that it takes to the target, and their tokens."""

    b: float
    K: float
    tokens: float


def coefficients(parts: Parts, form: str) -> tuple[float, float]:
    """Return the coefficients of 1/b and of 1/b^(1/2) in a bound, taken apart."""
    return (float(parts.Y), float(parts.Z_noise)) if form == "seed" else (0.0, float(parts.Y))


def _needed(left: Callable[[Array], Array], iterations_of: Callable[[Array, Array], Array]) -> Iterations:
    """K(b) from what the noise at b leaves of a target, and what reaching that asks; +inf where nothing is left."""

    def iterations(b: ArrayLike) -> Array:
        sizes = np.asarray(b, float)
        rest = left(sizes)
        # Where nothing is left for iterations, they are asked for 1 and the result is unused.
        return np.where(rest > 0, iterations_of(sizes, np.where(rest > 0, rest, 1.0)), np.inf)

    return iterations


def iterations_of_mean(parts: Parts, form: str, eps_prime: float) -> Iterations:
    """Return K(b) of X/K + Y/b + Z_noise/b^(1/2) <= eps' in the first form, of X/K + Y/b^(1/2) <= eps' else.

    Above any target that holds trivially it is below 1, never under one that doesn't: X + Z >= (2 L Delta0)^(1/2).
    """
    at_b, at_root = coefficients(parts, form)
    return _needed(lambda b: eps_prime - at_b / b - at_root / np.sqrt(b), lambda b, left: parts.X / left)


def iterations_of_loss(parts: Parts, eps_prime: float, rate: float) -> Iterations:
    """Return K(b) of X (1 - rate)^K + Y/b^(1/2) <= eps', for eps' < X and rate = lam eta < 1."""
    forgets = -np.log1p(-rate)  # rates of 1e-20 leave 1 - rate at 1
    return _needed(lambda b: eps_prime - parts.Y / np.sqrt(b), lambda b, left: np.log(parts.X / left) / forgets)


def point(iterations: Iterations, b: float) -> Point:
    """Return a batch size with what it takes; +inf where it never gets there."""
    K = float(iterations(b))
    return Point(float(b), K, float(b) * K)


def smallest(iterations: Iterations) -> float | None:
    """Return the batch size above which the target is reached at all; None where it is reached at no batch size."""
    if not np.isfinite(iterations(_HIGH)):
        return None
    return bisect(lambda b: not np.isfinite(iterations(b)), _LOW, _HIGH, _HALVINGS)


def fewest(iterations: Iterations, above: float) -> Point:
    """Return where tokens are fewest among batch sizes >= 1 that are above the smallest one."""
    low = max(above, 1.0)
    # Grids, each between the neighbours of the last one's argmin: 64 times narrower, whole arrays at a time.
    times = np.geomspace(1.0, _REACH, 129)
    while times[-1] / times[0] - 1 > FLAT / 8:
        k = int(np.argmin(times * iterations(low * times)))
        times = np.geomspace(times[max(k - 1, 0)], times[min(k + 1, 128)], 129)
    # A minimum on its bound is then the bound itself: the ends of the range are kept as they are.
    return point(iterations, low * float(times[np.argmin(times * iterations(low * times))]))


def near(iterations: Iterations, best: Point, above: float, share: float) -> tuple[float, float]:
    """Return the smallest and the largest batch size >= 1 that take at most 1 + share times the fewest tokens."""
    # In logs, and by b and K apart: tokens of 1e+300 would leave no room for a share more.
    most = np.log1p(share) + np.log(best.b) + np.log(best.K)

    def costs(b: float) -> bool:
        return bool(np.log(b) + np.log(iterations(b)) > most)

    low = max(above, 1.0)
    low = low if not costs(low) else bisect(costs, low, best.b, _HALVINGS)
    return low, bisect(lambda b: not costs(b), best.b, best.b * _REACH, _HALVINGS)


def on_grid(iterations: Iterations, above: float, points: int = 20_001, decades: float = 4.0) -> tuple[Point, float]:
    """Return where tokens are fewest on a log grid of batch sizes >= 1, and the grid's step in log b."""
    b = max(above, 1.0) * np.logspace(0.0, decades, points)
    K = iterations(b)
    k = int(np.argmin(b / b[0] * K))  # b over its first: the product overflows later
    return point(iterations, float(b[k])), float(np.log(b[1] / b[0]))


class Shape(NamedTuple):
    """How K(b) and b K(b) run, read off a grid of batch sizes from the smallest feasible one on."""

    K_falls: bool  # whether K falls with b everywhere
    K_convex: bool  # whether it is convex
    one_minimum: bool  # whether tokens fall, then rise
    convex_to: float  # the batch size up to which tokens are convex, within the step; +inf where everywhere
    step: float  # the grid's step in log b


def shape(iterations: Iterations, above: float) -> Shape:
    """Return how iterations and tokens run, over four decades of batch sizes above the smallest one."""
    # From 1% above on: next to the smallest feasible one K runs up, and its differences are rounding.
    b = above * (1 + np.logspace(-2.0, 4.0, 1501))
    K = iterations(b)
    tokens = b * K
    # A second difference is told from rounding where it exceeds what the values' last digits make of it.
    bends, rounding = _second_difference(b, tokens)
    concave = np.flatnonzero(bends < -rounding)
    K_bends, K_rounding = _second_difference(b, K)
    turns = np.diff(np.sign(np.diff(tokens)))
    return Shape(
        bool((np.diff(K) < 0).all()),
        bool((K_bends >= -K_rounding).all()),
        bool(np.count_nonzero(turns) <= 1 and (turns >= 0).all()),
        float(b[concave[0] + 1]) if concave.size else np.inf,
        float(np.log(b[1:] / b[:-1]).max()),
    )


def _second_difference(b: Array, y: Array) -> tuple[Array, Array]:
    """Second divided differences, and what rounding may add to each."""
    steps = np.diff(b)
    error = 8 * np.finfo(float).eps * np.maximum(np.abs(y[1:]), np.abs(y[:-1])) / steps
    return np.diff(np.diff(y) / steps), error[1:] + error[:-1]


class Lmo(NamedTuple):
    """The LMO bound's batch size of the fewest tokens at a fixed momentum, at one way to choose eta."""

    fewest: Point | None  # where tokens are fewest, found numerically; None where the target is out of reach
    closed: float | None = None  # the same in closed form
    smallest: float | None = None  # the batch size above which the target is reached at all
    eta: float | None = None  # the learning rate there
    on_bound: bool = False  # whether the minimum lies below b = 1, so that 1 is best
    vacuous: bool = False  # whether the target is at or above what the gradient is at the start


class LmoTerms(NamedTuple):
    """The LMO bound at a momentum: progress/(eta K) + burn_in/(b^(1/2) K) + floor/b^(1/2) + drift eta."""

    progress: float
    burn_in: float
    floor: float
    drift: float


def lmo_terms(alpha: float, problem: Constants) -> LmoTerms:
    """Return the LMO bound's terms at a momentum. Source: Shulgin et al., eq. (2)."""
    bound = lmo_exact(**problem.named("Delta0", "L", "sigma", "rho"), budget="K")
    # Read off the proxy, not typed again: the closed forms beside come from the theory.
    progress, burn_in, floor, *drift = (
        float(term.coefficient(bound.constants) * evaluate_factor(term.factors.get("alpha", Fraction(0)), alpha))
        for term in bound.terms
    )
    return LmoTerms(progress, burn_in, floor, sum(drift))


def lmo_iterations_tuned(of: LmoTerms, target: float) -> Iterations:
    """Return K(b) of 2 (progress drift/K)^(1/2) + burn_in/(b^(1/2) K) + floor/b^(1/2) <= target, eta tuned."""
    det = 2 * np.sqrt(of.progress * of.drift)

    def iterations_of(b: Array, left: Array) -> Array:
        # (burn_in/b^(1/2)) k^2 + det k = left, k = K^(-1/2): the root whose denominator adds.
        return (2 * left / (det + np.sqrt(det**2 + 4 * (of.burn_in / np.sqrt(b)) * left))) ** -2.0

    return _needed(lambda b: target - of.floor / np.sqrt(b), iterations_of)


def lmo_iterations_fixed(of: LmoTerms, target: float, eta: float) -> Iterations:
    """Return K(b) of (progress/eta + burn_in/b^(1/2))/K + floor/b^(1/2) + drift eta <= target."""
    eps_prime = target - of.drift * eta
    return _needed(
        lambda b: eps_prime - of.floor / np.sqrt(b),
        lambda b, left: (of.progress / eta + of.burn_in / np.sqrt(b)) / left,
    )


def lmo_eta_tuned(alpha: float, target: float, problem: Constants) -> Lmo:
    """Return the LMO bound's batch size of the fewest tokens with eta tuned, and its closed form 4 b_min."""
    of = lmo_terms(alpha, problem)
    parts = iso_loss.of_bound(alpha, problem.Delta0, problem.L, problem.rho * problem.sigma)
    best = _lmo(lmo_iterations_tuned(of, target), theory.lmo_tuned(target, parts))
    eta = float(np.sqrt(np.divide(of.progress, of.drift * best.fewest.K))) if best.fewest else None
    return best._replace(eta=eta)


def lmo_eta_fixed(alpha: float, target: float, eta: float, problem: Constants) -> Lmo:
    """Return the LMO bound's batch size of the fewest tokens at a learning rate, and its closed form."""
    eps_prime = target - problem.L * eta * (3.5 + 2 / alpha)
    if eps_prime <= 0:
        return Lmo(None, eta=eta)
    parts = iso_loss.of_bound(alpha, problem.Delta0, problem.L, problem.rho * problem.sigma)
    closed = theory.lmo_fixed(problem.Delta0 / eta, parts.burn_in, parts.floor, eps_prime)
    return _lmo(lmo_iterations_fixed(lmo_terms(alpha, problem), target, eta), closed)._replace(eta=eta)


def _lmo(iterations: Iterations, closed: float) -> Lmo:
    above = smallest(iterations)
    if above is None:
        return Lmo(None)
    best = fewest(iterations, above)
    return Lmo(best, closed, above, on_bound=best.b == 1.0)
