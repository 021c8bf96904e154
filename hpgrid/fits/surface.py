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
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hpgrid.shapes import Floats

#: A loss is quadratic near its minimum: runs within this excess of a budget's fitted one are fitted, in nats, and at
#: least so many of its best ones, none of them farther out than this. Where the unit of a loss is not known, the window
#: is as wide as this share of the runs is close to their budget's best: most go round an optimum, but some diverge.
WINDOW, FEWEST, FARTHEST, SHARE = 0.05, 8, 0.5, 2 / 3

#: The excess at which a run counts half, in nats; and residuals beyond so many standard deviations count less (Huber),
#: which is 95% efficient where noise is normal.
HALF_WEIGHT, HUBER = 0.015, 1.345

#: The median of |x| of a standard normal x: its quantile of 3/4.
MEDIAN = 0.6745

#: A run farther below the surface of the others, in median absolute deviations and in nats, is an error of record:
#: noise of training does not make one loss too low. A window that was measured from it would hold few other runs.
TOO_LOW, TOO_LOW_NATS = 5.0, 0.01

#: The least standard deviation of a loss, in nats: repeated runs differ by 0.001 to 0.003, rounded losses by less.
LEAST_SIGMA = 3e-4

#: How often the window is drawn anew from what was fitted, how often residuals are weighed anew in each, and draws from
#: the posterior: 80% quantiles of 4,000 are sure to 2% of the interval.
ROUNDS, PASSES, DRAWS = 3, 4, 4000

#: Sweeps of coordinate descent, and the step in octaves that is none: along a valley with a correlation of 0.97 so many
#: leave 0.97^200 of the way, a 400th, and such a step a 60th of an octave, which moves no third derivative.
SWEEPS, STILL = 100, 1e-3


class Prior(NamedTuple):
    """A number and its standard deviation."""

    mean: float
    deviation: float


#: Exponents of an optimum in T by Shulgin et al., as wide as public sweeps differ, and of eta's in b at a fixed T.
EXPONENTS = {"eta": Prior(0.0, 0.3), "b": Prior(0.5, 0.2), "alpha": Prior(-1 / 3, 0.3)}
ETA_IN_B = Prior(0.5, 0.4)

#: The exponent in T of what the theory has no law of: published ones, of weight decay say, lie between -1 and 1/2.
UNKNOWN = Prior(0.0, 0.5)

#: The standard deviation of an exponent that is taken as known: as good as none.
KNOWN = 1e-3

#: The curvature of a loss in nats an octave squared, on public sweeps; other mixed curvatures, as a share of the
#: geometric mean of the two own ones; and the deviation of third derivatives an octave, as a share of the three: a
#: monomial's is its exponent times ln 2, and bounds are sums of monomials whose exponents are 1/2 and 1, either sign.
#: Without them a loss that is steeper on one side puts the exponents of eta off by 0.06 where the theory holds.
CURVATURE, CROSS, SKEW = Prior(0.012, 0.008), Prior(0.0, 0.5), math.log(2) / 2

#: Above its mean the curvature's prior is a Student's t of so many degrees, which gives way to steep valleys, as a
#: normal one does not: at 8 times the mean it puts their optima off by an octave. With 4 degrees it no longer keeps an
#: optimum that lies beyond a sweep from being drawn into it. Found from steep to flat: the other way, it gets stuck.
STUDENT, STEEP = 8, 20.0

#: What an answer rests on beside the runs is seen where it is left out: the deviation of exponents so many times as
#: large, as good as none where runs say anything, or that of third derivatives as good as nought.
LEFT_OUT = ((10.0, SKEW), (1.0, SKEW / 100))


def priors_of(names: tuple[str, ...]) -> dict[str, Prior]:
    """Return what is known beforehand of exponents in T; of eta's at one batch size, less what b's own would do."""
    eta, b = EXPONENTS["eta"], EXPONENTS["b"]
    spread = math.hypot(eta.deviation, ETA_IN_B.deviation * b.mean, ETA_IN_B.mean * b.deviation)
    fixed = {} if "b" in names else {"eta": Prior(eta.mean - ETA_IN_B.mean * b.mean, spread)}
    return {name: fixed.get(name, EXPONENTS.get(name, UNKNOWN)) for name in names}


class Shape(NamedTuple):
    """A surface without its floors; of draws, each with a first axis."""

    H: Floats
    c: Floats
    d: Floats

    def optimum(self, t: float, held: Mapping[int, float | Floats]) -> Floats:
        """Return the minimiser at t, shape (..., variables), the others' where some are held."""
        z = np.zeros_like(self.c)
        for i, value in held.items():
            z[..., i] = value
        free = [i for i in range(z.shape[-1]) if i not in held]
        slope = self.c + t * self.d + (self.H @ z[..., None])[..., 0]
        z[..., free] = -np.linalg.solve(self.H[..., free, :][..., free], slope[..., free, None])[..., 0]
        return z


@dataclass(frozen=True, eq=False)
class Surface:
    """A fitted surface, in the unit of the loss.

    Args:
        names: the variables of z.
        t: log2 of the distinct budgets, ascending.
        centre: the means that z and t are measured from.
        coefficients: E of each budget, H row by row from its diagonal on, c, d, and the third derivatives ...
        anchors: ... at these points, in log2: each budget's optimum, within the sweep.
        covariance: of the coefficients: a sandwich, which holds whatever the weights.
        sigma: the standard deviation of a loss around the surface, near the optimum.
        freedom: degrees of freedom of the posterior's Student t.
        weights: of each run; 0 outside the window.
        residuals: of each run, loss less surface.
        excess: of each run's fitted loss over the least of its budget's; picked by its own, noise would pick, too.
        dropped: which runs are errors of record.
        nat: a nat in the unit of the loss.
    """

    names: tuple[str, ...]
    t: Floats
    centre: tuple[Floats, float]
    coefficients: Floats
    anchors: Floats
    covariance: Floats
    sigma: float
    freedom: float
    weights: Floats
    residuals: Floats
    excess: Floats
    dropped: NDArray[np.bool_]
    nat: float

    @property
    def shape(self) -> Shape:
        """The surface without its floors."""
        return _shape(self.coefficients[len(self.t) :], len(self.names))

    def bend(self, z: Floats, t: float) -> Floats:
        """Return what third derivatives add to the loss at z, shape (..., variables), at one of the budgets."""
        cubes = _cubic(z - self.anchors[np.argmin(np.abs(self.t - t))])
        return np.asarray(cubes @ self.coefficients[-cubes.shape[-1] :])

    def draws(self, rng: np.random.Generator) -> Shape:
        """Return draws of the shape from the posterior."""
        # By eigenvectors: what the priors alone determine may be singular to rounding.
        size, along = np.linalg.eigh(self.covariance[len(self.t) :, len(self.t) :])
        normal = rng.standard_normal((DRAWS, len(size))) * np.sqrt(np.maximum(size, 0.0)) @ along.T
        scale = np.sqrt(rng.chisquare(self.freedom, DRAWS) / self.freedom)
        return _shape(self.coefficients[len(self.t) :] + normal / scale[:, None], len(self.names))


def fit_surface(
    z: Floats,
    t: Floats,
    loss: Floats,
    priors: Mapping[str, Prior],
    unit: float | None = 1.0,
    dropped: NDArray[np.bool_] | None = None,
    loose: float = 1.0,
    skew: float = SKEW,
    off: Floats | None = None,
) -> Surface:
    """Return the surface of a sweep's losses, without those that are too low for the surface of the others.

    Args:
        z: log2 of each run's variables, shape (runs, variables).
        t: log2 of its budget.
        loss: finite.
        priors: of each variable in turn, what is known beforehand of its exponent in T.
        unit: of the loss, in nats; None where it is not known: curvatures have no prior then, and two thirds of the
            runs lie within the window of their budget's best, to which all that is in nats is in proportion.
        dropped: runs that are known to be errors of record, none by default.
        loose: how many times as wide the priors of exponents are.
        skew: the deviation of third derivatives.
        off: log2 of each run's own tokens over its budget's, as far as they differ: by so much of what the floor falls
            from budget to budget its loss is another one.
    """
    priors = {name: Prior(mean, deviation * loose) for name, (mean, deviation) in priors.items()}
    dropped = np.zeros(len(loss), bool) if dropped is None else dropped
    budgets, floor = np.unique(t, return_inverse=True)
    of_budget, n = [floor == k for k in range(len(budgets))], len(priors)
    true = [k & ~dropped for k in of_budget]
    above = loss - np.array([loss[k].min() for k in true])[floor]
    nat = 1 / unit if unit else float(np.quantile(above[~dropped], SHARE)) / WINDOW or 1.0
    raw, fall, off = loss / nat, np.zeros(len(budgets)), np.zeros(len(loss)) if off is None else off
    minimum = np.array([lowest(raw[k]) for k in true])[floor]
    H, scale = STEEP * CURVATURE.mean * np.eye(n), 10 * LEAST_SIGMA
    optima = np.full((len(budgets), n), np.nan)  # not known at first: no third derivatives then
    for _ in range(ROUNDS + 1):
        anchors, loss = optima, raw - fall[floor] * off
        weights = _window(np.where(dropped, np.inf, loss - minimum), of_budget)
        used = weights > 0
        centre = weights @ z / weights.sum(), float(weights @ t / weights.sum())
        X = columns(z - centre[0], t - centre[1], floor, np.nan_to_num(z - anchors[floor]))
        robust = np.ones(len(loss))
        for _ in range(PASSES):
            P, known = _prior_rows(priors, H, len(budgets), unit is not None, skew)
            W = weights * robust / scale**2
            information = X.T * W @ X
            inverse = np.linalg.inv(information + P.T @ P)
            coefficients = inverse @ (X.T * W @ loss + P.T @ known)
            residuals = loss - X @ coefficients
            scaled = np.abs(residuals) * np.sqrt(weights)
            freedom = max(used.sum() - np.trace(inverse @ information), 2.0)
            # Of weighted residuals, below that of the noise: a run that counts half has a variance that is no larger,
            # so that the runs tell more than their weights say, and with the noise's own the priors would weigh more.
            scale = max(float(np.median(scaled[used])) / MEDIAN * math.sqrt(used.sum() / freedom), LEAST_SIGMA)
            robust = np.minimum(1.0, HUBER * scale / np.maximum(scaled, 1e-300))
            H, c, d = _shape(coefficients[len(budgets) :], n)
        fitted = loss - residuals
        best = z[[np.flatnonzero(k & used)[fitted[k & used].argmin()] for k in of_budget]]
        low, high = z.min(axis=0), z.max(axis=0)
        slopes = c + np.outer(budgets - centre[1], d)
        optima = centre[0] + _minimisers(H, slopes, *(x - centre[0] for x in (best, low, high)))
        minimum = np.array([fitted[k & used].min() for k in of_budget])[floor]
        fall = np.gradient(coefficients[: len(budgets)], budgets) if len(budgets) > 1 else fall
    gain = inverse @ (X.T * W)  # of a coefficient by a loss
    share = (X * gain.T).sum(axis=1)
    low = dropped | _too_low(X, gain, share, coefficients, loss, used, floor)
    if low.sum() > dropped.sum():
        # The priors are loose already.
        return fit_surface(z, t, nat * raw, priors, unit, low, skew=skew, off=off)
    meat = X.T * (W * residuals) ** 2 @ X * used.sum() / freedom
    covariance = inverse @ (meat + P.T @ P) @ inverse
    # A residual is its run's noise less what the fit takes up: of noise of deviation 1 it has one of left^(1/2).
    left = np.maximum(1 - 2 * share + (X @ (gain @ gain.T) * X).sum(axis=1), 1e-12)
    # Near the optimum, where the surface is right, and where the fit leaves something to see.
    sigma = max(_median(np.abs(residuals) / np.sqrt(left), weights * left) / MEDIAN, LEAST_SIGMA)
    return Surface(
        tuple(priors), budgets, centre, nat * coefficients, anchors, nat**2 * covariance, nat * sigma, freedom, weights,
        nat * residuals, nat * (fitted - minimum), dropped, nat,
    )  # fmt: skip


def _too_low(
    X: Floats,
    gain: Floats,
    share: Floats,
    coefficients: Floats,
    loss: Floats,
    used: NDArray[np.bool_],
    floor: NDArray[np.intp],
) -> NDArray[np.bool_]:
    """Which runs are errors of record: too low for the surface of the others.

    Args:
        X: what multiplies the coefficients, shape (runs, coefficients).
        gain: what each loss adds to each of them, shape (coefficients, runs).
        share: of each run, what its loss adds to its own fitted one.
        coefficients: of the surface.
        loss: of each run.
        used: which of them the surface rests on.
        floor: the budget of each, by number.
    """
    # A run far out draws the surface to itself, and with it the window.
    left = np.maximum(1 - share, 1e-6)
    alone = np.where(used, (loss - X @ coefficients) / left, 0.0)
    # By noise alone a run is the farther off the others, the more it draws; but none as far as a window is wide.
    even = alone * np.sqrt(left)
    limit, most = (TOO_LOW * float(np.median(np.abs(x[used]))) for x in (even, alone))
    limit, most = max(limit, TOO_LOW_NATS), max(most, WINDOW)
    low, every = np.zeros(len(loss), bool), np.arange(len(loss))
    # The rest may be off by the pull of the lowest.
    for i in np.flatnonzero(((even < -limit) | (alone < -most)) & (alone < alone.min() / 2)):
        others = (X @ (coefficients - gain[:, i] * alone[i]))[used & (floor == floor[i]) & (every != i)]
        # Far out it is the surface that is off, unless the loss is below the least; of two runs either may be.
        low[i] = len(others) > 1 and min(loss[i] - alone[i] - WINDOW, loss[i] + limit) < others.min()
    return low


def _minimisers(H: Floats, slopes: Floats, start: Floats, low: Floats, high: Floats) -> Floats:
    """Where each of some quadratics z' H z / 2 + slope' z is least in a box: by coordinate descent, a row each.

    At a border of the box the other coordinates are least there, not where they would be least beyond it. Where it is
    no minimum that the slope vanishes at, this ends at a lower value than it started from.
    """
    z = start.copy()
    for _ in range(SWEEPS):
        before = z.copy()
        for i in np.flatnonzero(np.diag(H) > 0):
            z[:, i] = np.clip(z[:, i] - (slopes[:, i] + z @ H[i]) / H[i, i], low[i], high[i])
        if np.abs(z - before).max() < STILL:
            break
    return z


def lowest(loss: Floats) -> float:
    """Return the third best loss and a tenth of the runs beyond: the best may be a seed's luck or errors of record."""
    return float(np.sort(loss)[: 3 + len(loss) // 10][-1])


def _median(x: Floats, weights: Floats) -> float:
    """The least x that, with those below it, has half the weights."""
    order = x.argsort()
    below = weights[order].cumsum()
    return float(x[order][np.searchsorted(below, below[-1] / 2)])


def _window(excess: Floats, of_budget: list[NDArray[np.bool_]]) -> Floats:
    """The weights of runs by their excess in nats: soft, and 0 outside the window."""
    rank = np.empty(len(excess), int)
    for k in of_budget:
        rank[k] = excess[k].argsort().argsort()
    # Three of a budget whatever they are: its floor has runs even where the surface is far from all of them.
    inside = (excess <= WINDOW) | (rank < FEWEST) & (excess <= FARTHEST) | (rank < 3) & (excess < np.inf)
    # Below the least by more than noise, a run counts little, too: several such runs would otherwise set the floor.
    off = np.maximum(np.maximum(excess, -WINDOW - excess), 0.0)
    return np.where(inside, 1 / (1 + (off / HALF_WEIGHT) ** 2), 0.0)


def columns(z: Floats, t: Floats, floor: NDArray[np.intp], off: Floats) -> Floats:
    """Return what multiplies E, H, c, d, and then the third derivatives at the points that ``off`` is from."""
    i, j = np.triu_indices(z.shape[1])
    squares = z[:, i] * z[:, j] * np.where(i == j, 0.5, 1.0)
    return np.hstack([np.eye(floor.max() + 1)[floor], squares, z, t[:, None] * z, _cubic(off)])


def _cubic(off: Floats) -> Floats:
    """What multiplies the third derivatives, shape (..., derivatives): products of three, as in a Taylor series."""
    each = list(itertools.combinations_with_replacement(range(off.shape[-1]), 3))
    times = [len(set(itertools.permutations(k))) / 6 for k in each]
    return np.asarray(off[..., np.array(each)].prod(axis=-1) * times)


def _shape(coefficients: Floats, n: int) -> Shape:
    """H, c and d, which coefficients without the floors begin with."""
    above = np.triu_indices(n)
    H = np.empty((*coefficients.shape[:-1], n, n))
    parts = np.split(coefficients, np.cumsum([len(above[0]), n, n]), axis=-1)
    H[..., above[0], above[1]] = H[..., above[1], above[0]] = parts[0]
    return Shape(H, parts[1], parts[2])


def _prior_rows(
    priors: Mapping[str, Prior], H: Floats, floors: int, in_nats: bool, skew: float
) -> tuple[Floats, Floats]:
    """Rows on the coefficients, and their right sides, each over its standard deviation.

    An exponent s is no coefficient, but d + H s = 0 is linear in them; its scale takes H from the last pass.
    """
    n, names = len(priors), tuple(priors)
    # A curvature that came out at nought or below gives no scale.
    own = np.maximum(np.diag(H), 1e-3 * max(float(np.abs(np.diag(H)).max()), 1e-12))
    skews = skew * _cubic(np.cbrt(own)) / _cubic(np.ones(n))
    # What each coefficient adds to H and d: whatever is linear in them is a row.
    each = np.eye(floors + n * (n + 1) // 2 + 2 * n + len(skews))
    of_H, _, of_d = _shape(each[:, floors:], n)
    theory = np.array(list(priors.values()))
    rows = [(of_d[:, i] + of_H[:, i] @ theory[:, 0], 0.0, own[i] * theory[i, 1]) for i in range(n)]
    # In a unit that is not known, so weak that it says nothing: two values of a variable show no curvature.
    far = np.maximum(own - CURVATURE.mean, 0.0) / CURVATURE.deviation
    wide = CURVATURE.deviation * np.sqrt(np.maximum((STUDENT + far**2) / (STUDENT + 1), 1.0))
    rows += [(of_H[:, i, i], CURVATURE.mean, wide[i] * (1 if in_nats else 100)) for i in range(n)]
    for i, j in itertools.combinations(range(n), 2):
        in_b = (names[i], names[j]) == ("eta", "b")  # d log eta* / d log b at a fixed T is -H_01 / H_00
        share, scale = (ETA_IN_B, own[i]) if in_b else (CROSS, math.sqrt(own[i] * own[j]))
        rows.append((of_H[:, i, j] + share.mean * of_H[:, i, i], 0.0, scale * share.deviation))
    rows += [(row, 0.0, deviation) for row, deviation in zip(each[-len(skews) :], skews)]
    P, mean, deviation = map(np.array, zip(*rows))
    return P / deviation[:, None], mean / deviation
