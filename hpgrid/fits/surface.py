"""The log-quadratic surface of a sweep's losses: one floor a budget, weak priors, a robust window, a posterior.

For runs at budgets T, with z = (log2 eta, log2 b, log2 alpha), as far as they vary, and t = log2 T, from their means,

    loss = E_T + z' H z / 2 + c' z + t d' z,

so that the optimum is z*(T) = -H^-1 (c + t d), and its exponents in T are -H^-1 d. Third derivatives at the optimum
stand beside it: they move no optimum, and take up what is steeper on one side. All is linear in the coefficients: each
pass is one least-squares problem, in which what the theory says of the exponents is a row beside the runs'.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hpgrid.shapes import Floats

#: A loss is quadratic near its minimum: runs within this excess of a budget's fitted one are fitted, in nats, ...
WINDOW = 0.05

#: ... and at least its best runs, two more than a quadratic of these variables has coefficients, unless they are
#: farther out than this.
FARTHEST = 0.5

#: The excess at which a run counts half.
HALF_WEIGHT = 0.015

#: Residuals beyond so many standard deviations count less (Huber): 95% efficient where noise is normal.
HUBER = 1.345

#: A run farther below the surface, in median absolute deviations and in nats, is an error of record: noise of
#: training does not make one loss too low. A window that was measured from it would hold few other runs.
TOO_LOW, TOO_LOW_NATS = 5.0, 0.01

#: How often the window is drawn anew from what was fitted, and how often residuals are weighed anew in each.
ROUNDS, PASSES = 3, 8

#: The least standard deviation of a loss: repeated runs differ by 0.001 to 0.003 nats, rounded losses by less.
LEAST_SIGMA = 3e-4

#: Third derivatives that are as good as none.
LEAST_SKEW = 1e-3

#: Posterior draws: 80% quantiles of 4,000 are sure to 2% of the interval.
DRAWS = 4000


class Prior(NamedTuple):
    """A number and its standard deviation."""

    mean: float
    deviation: float


#: d log eta* / d log b at a fixed T, and the curvature of a loss in nats an octave squared, on public sweeps.
ETA_IN_B, CURVATURE = Prior(0.5, 0.4), Prior(0.012, 0.008)


@dataclass(frozen=True)
class Priors:
    """What is known before the runs, so weakly that two budgets overrule it.

    Args:
        exponents: of each variable's optimum in T: what the theory and public sweeps say.
        eta_in_b: d log eta* / d log b at a fixed T.
        curvature: of the loss in each variable, in nats an octave squared; None in units that are not known.
        cross: the deviation of other mixed curvatures, as a share of the geometric mean of the two own ones.
        skew: that of third derivatives an octave, as a share of the curvatures: a monomial's is its exponent times
            ln 2, and bounds are sums of monomials whose exponents are 1/2 and 1, either sign. Without them a loss that
            is steeper on one side moves the optimum by a third of an octave.
    """

    exponents: Mapping[str, Prior]
    eta_in_b: Prior = ETA_IN_B
    curvature: Prior | None = CURVATURE
    cross: float = 0.5
    skew: float = 0.35


def priors_of(names: tuple[str, ...], unit_known: bool = True) -> Priors:
    """Return the priors of a sweep over these variables: Shulgin et al.'s laws, as wide as public sweeps differ.

    Where b has one value eta's exponent is that at a fixed batch size, d log eta*/d log T less what b's own would do.
    """
    eta, b, in_b = Prior(0.0, 0.3), Prior(0.5, 0.2), ETA_IN_B
    if "b" not in names:
        spread = np.hypot(np.hypot(eta.deviation, in_b.deviation * b.mean), in_b.mean * b.deviation)
        eta = Prior(eta.mean - in_b.mean * b.mean, float(spread))
    exponents = {"eta": eta, "b": b, "alpha": Prior(-1 / 3, 0.3)}
    return Priors({name: exponents[name] for name in names}, curvature=CURVATURE if unit_known else None)


class Shape(NamedTuple):
    """A surface without its floors; of draws, each with a first axis."""

    H: Floats
    c: Floats
    d: Floats

    def optimum(self, t: float, held: Mapping[int, Any]) -> Floats:
        """Return the minimiser at t, shape (..., variables), the others' where some are held."""
        z = np.empty_like(self.c)
        for i, value in held.items():
            z[..., i] = value
        free = [i for i in range(z.shape[-1]) if i not in held]
        slope = self.c + t * self.d + np.einsum("...ij,...j->...i", self.H[..., list(held)], z[..., list(held)])
        z[..., free] = -np.linalg.solve(self.H[..., free, :][..., free], slope[..., free, None])[..., 0]
        return z


@dataclass(frozen=True)
class Surface:
    """A fitted surface.

    Args:
        names: the variables of z.
        t: log2 of the distinct budgets, ascending.
        centre: the means that z and t are measured from.
        shape: its H, c and d.
        covariance: of E of each budget, H row by row from its diagonal on, c, d, third derivatives: a sandwich, which
            holds whatever the weights.
        sigma: the standard deviation of a loss around the surface.
        freedom: degrees of freedom of the posterior's Student t.
        weights: of each run; 0 outside the window.
        residuals: of each run, loss less surface.
        dropped: which runs are errors of record.
        cubes: the third derivatives, which were fitted ...
        anchors: ... at these points, in log2: each budget's optimum, within the sweep.
    """

    names: tuple[str, ...]
    t: Floats
    centre: tuple[Floats, float]
    shape: Shape
    covariance: Floats
    sigma: float
    freedom: float
    weights: Floats
    residuals: Floats
    dropped: NDArray[np.bool_]
    cubes: Floats
    anchors: Floats

    def bend(self, z: Floats, t: float) -> Floats:
        """Return what third derivatives add to the loss at z, shape (..., variables), at one of the budgets."""
        return np.asarray(_cubic(z - self.anchors[np.argmin(np.abs(self.t - t))]) @ self.cubes)

    def draws(self, rng: np.random.Generator) -> Shape:
        """Return draws from the posterior."""
        H, c, d = self.shape
        mean = np.concatenate([H[np.triu_indices(len(c))], c, d])
        part = slice(len(self.t), len(self.t) + len(mean))
        # By eigenvectors: what the priors alone determine may be singular to rounding.
        size, along = np.linalg.eigh(self.covariance[part, part])
        normal = rng.standard_normal((DRAWS, len(size))) * np.sqrt(np.maximum(size, 0.0)) @ along.T
        scale = np.sqrt(rng.chisquare(self.freedom, DRAWS) / self.freedom)
        return _shape(mean + normal / scale[:, None], len(c))


def _shape(coefficients: Floats, n: int) -> Shape:
    """H, c and d, which the coefficients begin with."""
    above = np.triu_indices(n)
    H = np.empty((*coefficients.shape[:-1], n, n))
    parts = np.split(coefficients, np.cumsum([len(above[0]), n, n]), axis=-1)
    H[..., above[0], above[1]] = H[..., above[1], above[0]] = parts[0]
    return Shape(H, parts[1], parts[2])


def fit_surface(
    z: Floats, t: Floats, loss: Floats, names: tuple[str, ...], priors: Priors, unit: float = 1.0
) -> Surface:
    """Return the surface of a sweep's losses.

    Args:
        z: log2 of each run's variables, shape (runs, variables).
        t: log2 of its budget.
        loss: finite.
        names: the variables.
        priors: what is known beforehand, in nats.
        unit: of the loss, in nats a token.
    """
    budgets, floor = np.unique(t, return_inverse=True)
    n, used = len(names), np.ones(len(loss), bool)
    # The third best: the best may be one run that is too low, a seed's luck or an error of record.
    excess = loss - np.array([np.sort(loss[floor == k])[:3][-1] for k in range(len(budgets))])[floor]
    dropped, best = ~used, z  # no third derivatives at first: where each optimum is, is not known
    H, sigma = np.eye(n) * unit * (priors.curvature or Prior(1.0, 0.0)).mean, 10 * LEAST_SIGMA * unit
    for _ in range(ROUNDS + 1):
        weights = _window(np.where(dropped, np.inf, excess) / unit, floor, (n + 1) * (n + 2) // 2 + 2)
        used = weights > 0
        centre = weights @ z / weights.sum(), float(weights @ t / weights.sum())
        anchors, X = best, columns(z - centre[0], t - centre[1], floor, z - best)
        robust = np.ones(len(loss))
        for _ in range(PASSES):
            P, right = _prior_rows(priors, names, H, unit, X.shape[1])
            W = weights * robust / sigma**2
            information = X.T * W @ X
            inverse = np.linalg.inv(information + P.T @ P)
            coefficients = inverse @ (X.T * W @ loss + P.T @ right)
            residuals = loss - X @ coefficients
            scaled = np.abs(residuals) * np.sqrt(weights)
            freedom = max(used.sum() - np.trace(inverse @ information), 2.0)
            # 1.4826 median absolute deviations are one standard deviation of normal noise.
            sigma = 1.4826 * float(np.median(scaled[used])) * np.sqrt(used.sum() / freedom)
            sigma = max(sigma, LEAST_SIGMA * unit)
            robust = np.minimum(1.0, HUBER * sigma / np.maximum(scaled, 1e-300))
            H, c, d = shape = _shape(coefficients[len(budgets) :], n)
        best = centre[0] - np.linalg.solve(H, c[:, None] + np.outer(d, t - centre[1])).T
        best = np.clip(best, z.min(axis=0), z.max(axis=0))
        fitted = np.where(dropped, np.inf, loss - residuals)
        minimum = np.array([fitted[floor == k].min() for k in range(len(budgets))])[floor]
        limit = max(TOO_LOW * float(np.median(np.abs(residuals[used]))), TOO_LOW_NATS * unit)
        # Far from the optimum it is the surface that is off.
        dropped |= (residuals < -limit) & (fitted - minimum <= WINDOW * unit)
        # By the surface's losses, where it fits: who picks low losses picks low noise.
        excess = np.where(np.abs(residuals) <= limit, loss - residuals, loss) - minimum
    if np.linalg.eigvalsh(H)[0] <= 0 and priors.skew > LEAST_SKEW:
        # A saddle that third derivatives made of a minimum: of few runs, the quadratic alone.
        return fit_surface(z, t, loss, names, replace(priors, skew=LEAST_SKEW), unit)
    meat = X.T * (W * residuals) ** 2 @ X * used.sum() / freedom
    covariance = inverse @ (meat + P.T @ P) @ inverse
    return Surface(names, budgets, centre, shape, covariance, sigma, freedom, weights, residuals, dropped,
                   coefficients[-len(_cubes(n)) :], anchors[np.unique(floor, return_index=True)[1]])  # fmt: skip


def _window(excess: Floats, floor: NDArray[np.intp], fewest: int) -> Floats:
    """The weights of runs by their excess in nats: soft, and 0 outside the window."""
    rank = np.empty(len(excess), int)
    order = np.lexsort((excess, floor))
    rank[order] = np.arange(len(excess)) - np.searchsorted(floor[order], floor[order])
    inside = (excess <= WINDOW) | ((rank < fewest) & (excess <= FARTHEST))
    return np.where(inside, 1 / (1 + (np.maximum(np.where(inside, excess, 0.0), 0.0) / HALF_WEIGHT) ** 2), 0.0)


def columns(z: Floats, t: Floats, floor: NDArray[np.intp], off: Floats) -> Floats:
    """What multiplies E, H, c, d, and then the third derivatives at each budget's optimum, which ``off`` is from."""
    n = z.shape[1]
    i, j = np.triu_indices(n)
    squares = z[:, i] * z[:, j] * np.where(i == j, 0.5, 1.0)
    return np.hstack([np.eye(floor.max() + 1)[floor], squares, z, t[:, None] * z, _cubic(off)])


def _cubic(off: Floats) -> Floats:
    """What multiplies the third derivatives, from where they are: a last axis of them in place of the variables'."""
    every = _cubes(off.shape[-1])
    return np.stack(
        [off[..., k].prod(axis=-1) / math.prod(map(math.factorial, Counter(k).values())) for k in every], -1
    )


def _cubes(n: int) -> list[list[int]]:
    return [list(k) for k in itertools.combinations_with_replacement(range(n), 3)]


def _prior_rows(priors: Priors, names: tuple[str, ...], H: Floats, unit: float, size: int) -> tuple[Floats, Floats]:
    """Rows on the coefficients, and their right sides, each over its standard deviation.

    An exponent s is no coefficient, but d + H s = 0 is linear in them; its scale takes H from the last pass.
    """
    n = len(names)
    above = list(itertools.combinations_with_replacement(range(n), 2))
    first = size - len(_cubes(n)) - 2 * n - len(above)
    place = {pair: first + k for k, pair in enumerate(above)}
    rows, right = [], []

    def row(entries: Mapping[int, float], deviation: float, mean: float = 0.0) -> None:
        line = np.zeros(size)
        line[list(entries)] = list(entries.values())
        rows.append(line / deviation)
        right.append(mean / deviation)

    # A curvature that came out at nought or below gives no scale.
    own = np.maximum(np.diag(H), 1e-3 * max(float(np.abs(np.diag(H)).max()), 1e-12))
    for i, name in enumerate(names):
        pulls = {place[min(i, j), max(i, j)]: priors.exponents[other].mean for j, other in enumerate(names)}
        row({**pulls, first + len(above) + n + i: 1.0}, own[i] * priors.exponents[name].deviation)
        if priors.curvature:
            mean, deviation = (unit * number for number in priors.curvature)
            # As of a number on a log scale: a curvature of five times the mean is sharp, and not five deviations off.
            row({place[i, i]: 1.0}, deviation * max(1.0, own[i] / mean), mean)
        for j in range(i + 1, n):
            if (name, names[j]) == ("eta", "b"):  # d log eta* / d log b = -H_01 / H_00
                row({place[i, j]: 1.0, place[i, i]: priors.eta_in_b.mean}, own[i] * priors.eta_in_b.deviation)
            else:
                row({place[i, j]: 1.0}, priors.cross * np.sqrt(own[i] * own[j]))
    for k, cube in enumerate(_cubes(n), start=size - len(_cubes(n))):
        row({k: 1.0}, priors.skew * float(own[cube].prod() ** (1 / 3)))
    return np.array(rows), np.array(right)
