"""What to run next: the runs that narrow a prediction most, and a first sweep where there are none."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from hpgrid.checks import bad
from hpgrid.fits.fit import Fit
from hpgrid.fits.predict import MISFIT, MISFIT_AN_OCTAVE
from hpgrid.fits.surface import HALF_WEIGHT
from hpgrid.shapes import Floats
from hpgrid.text import aligned, number

#: Candidates lie this many octaves off the fitted optimum of their budget: farther out the surface is not trusted.
OFFSETS = (-2.0, -1.0, 0.0, 1.0, 2.0)

#: The budgets of candidates, as multiples of the largest one that was run, as far as the tokens suffice.
LONGER = (1 / 4, 1 / 2, 1.0, 2.0, 4.0)

#: The deviation of a floor of which nothing is known, in nats: any loss.
ANY_LOSS = 10.0


class Run(NamedTuple):
    """A run to make: its settings by name, and its tokens."""

    at: Mapping[str, float]
    T: float


@dataclass(frozen=True)
class Design:
    """Runs to make, in the order of what they tell.

    Args:
        runs: which.
        before: by name, the half-width of the predicted interval as a factor.
        after: the same, once they are made.
    """

    runs: tuple[Run, ...]
    before: Mapping[str, float]
    after: Mapping[str, float]

    @property
    def tokens(self) -> float:
        """What they cost in all."""
        return math.fsum(run.T for run in self.runs)


def design(fit: Fit, count: int, T: float, tokens: float | None = None, pow2: bool = False) -> Design:
    """Return the runs that together narrow the prediction for T tokens most, each chosen after those before it.

    The variance of the predicted optimum, which is linear in the coefficients around the fitted ones, falls with each
    run by a rank-one update of their covariance, whatever its loss will be.

    Args:
        fit: what is known.
        count: how many runs.
        T: the budget that is predicted.
        tokens: for all runs together; by default as many runs at the largest budget take.
        pow2: whether batch sizes are powers of two.

    Raises:
        ValueError: the tokens do not suffice for so many of the shortest runs.
    """
    surface, largest = fit.surface, float(fit.runs.largest.T[0])
    left = tokens if tokens is not None else count * largest
    lengths = [largest * k for k in LONGER]
    if left < count * lengths[0]:
        rule = f"{count} runs take {count * lengths[0]:.3g} tokens at least, each a quarter of the largest"
        raise bad(rule, f"{left:.3g}", "more tokens, or fewer runs")
    candidates = [_candidate(fit, length, offset, pow2) for length in lengths for offset in
                  itertools.product(OFFSETS, repeat=len(surface.names))]  # fmt: skip
    rows = np.array([row for _, row, _ in candidates])
    noise = np.array([variance for *_, variance in candidates])
    new = len(lengths)
    covariance = np.zeros((rows.shape[1],) * 2)
    covariance[:new, :new] = np.eye(new) * (ANY_LOSS * fit.unit) ** 2
    covariance[new:, new:] = surface.covariance
    gradient = np.pad(_gradient(fit, T), ((0, 0), (new, 0)))
    before = _factors(fit, gradient, covariance, T)
    runs = []
    for k in range(count):
        spare = left - (count - k - 1) * lengths[0]
        seen = rows @ covariance
        fall = ((gradient @ seen.T) ** 2).sum(axis=0) / (noise + (seen * rows).sum(axis=1))
        best = int(np.argmax([f if spare * (1 + 1e-12) >= c.T else -1.0 for f, (c, *_) in zip(fall, candidates)]))
        runs.append(candidates[best][0])
        left -= runs[-1].T
        covariance = covariance - np.outer(seen[best], seen[best]) / (noise[best] + seen[best] @ rows[best])
    return Design(tuple(runs), before, _factors(fit, gradient, covariance, T))


def _candidate(fit: Fit, T: float, offset: tuple[float, ...], pow2: bool) -> tuple[Run, Floats, float]:
    """A run off the fitted optimum, its row of the least-squares problem, and the variance of its loss."""
    surface, own = fit.surface, fit.predict(T).at
    at = {name: float(own[name] * 2**step) for name, step in zip(surface.names, offset)}
    if pow2 and "b" in at:
        at["b"] = 2.0 ** round(math.log2(at["b"]))
    if "alpha" in at:
        at["alpha"] = min(at["alpha"], 1.0)
    z = np.log2(list(at.values())) - surface.centre[0]
    t = math.log2(T) - surface.centre[1]
    i, j = np.triu_indices(len(z))
    old = np.isclose(surface.t, math.log2(T), atol=1e-6).astype(float)
    floors = [float(math.isclose(T, fit.runs.largest.T[0] * k) and not old.any()) for k in LONGER]
    cubes = np.zeros(surface.covariance.shape[0] - len(old) - len(i) - 2 * len(z))
    row = np.concatenate([floors, old, z[i] * z[j] * np.where(i == j, 0.5, 1.0), z, t * z, cubes])
    # Far off the optimum a run counts less, as it does in the fit.
    weight = 1 / (1 + (fit.regret(at, T) / (HALF_WEIGHT * fit.unit)) ** 2)
    return Run(at, T), row, surface.sigma**2 / weight


def _gradient(fit: Fit, T: float) -> Floats:
    """How the optimum at T moves with each coefficient: dz = -H^-1 (dH z + dc + t dd)."""
    H, c, d = fit.surface.shape
    t = math.log2(T) - fit.surface.centre[1]
    z, n = -np.linalg.solve(H, c + t * d), len(c)
    i, j = np.triu_indices(n)
    turned = np.zeros((n, len(i)))
    for k, (p, q) in enumerate(zip(i, j)):
        turned[p, k] += z[q]
        turned[q, k] += z[p] * (p != q)
    size = fit.surface.covariance.shape[0]
    moved = np.hstack([np.zeros((n, len(fit.surface.t))), turned, np.eye(n), t * np.eye(n)])
    return -np.linalg.solve(H, np.pad(moved, ((0, 0), (0, size - moved.shape[1]))))


def _factors(fit: Fit, gradient: Floats, covariance: Floats, T: float) -> dict[str, float]:
    """Half-widths of the intervals, as factors: of a normal posterior, and of the misfit, which no run narrows."""
    from statistics import NormalDist

    ahead = max(math.log2(T / fit.runs.largest.T[0]), 0.0)
    posterior = np.sqrt(np.diag(gradient @ covariance @ gradient.T))
    deviation = np.hypot(posterior, np.hypot(MISFIT, MISFIT_AN_OCTAVE * ahead))
    quantile = NormalDist().inv_cdf((1 + fit.level) / 2)
    return {name: float(2 ** (quantile * s)) for name, s in zip(fit.surface.names, deviation)}


def first_sweep(count: int, around: Mapping[str, float], doubt: float, pow2: bool = False) -> tuple[Run, ...]:
    """Return a grid of learning rates and batch sizes around a guess: a grid of n x n tells more than a star of n^2.

    Args:
        count: the most runs; the largest square of them is taken, 3 x 3 at least.
        around: the guess: eta, b and T.
        doubt: the factor by which it may be off, either way, >= 1.
        pow2: whether batch sizes are powers of two.

    Raises:
        ValueError: fewer than nine runs, or a guess without eta, b or T.
    """
    side = math.isqrt(count)
    if side < 3:
        raise bad("a first sweep is a grid of 3 x 3 runs or more", count, "--design 25, say")
    if lacking := [name for name in ("eta", "b", "T") if name not in around]:
        raise bad("a first sweep goes around a guess of eta, b and T", dict(around), f"{lacking[0]}=..., too")
    # An octave beyond the doubt on either side: an optimum at the border of a sweep is none that was measured.
    span = np.linspace(-1.0, 1.0, side) * (math.log2(doubt) + 1.0)
    runs = []
    for x, y in itertools.product(span, span):
        eta, b = float(around["eta"] * 2.0**x), float(around["b"] * 2.0**y)
        runs.append(Run({"eta": eta, "b": 2.0 ** round(math.log2(b)) if pow2 else b}, around["T"]))
    return tuple(runs)


def lines(plan: Design) -> list[str]:
    """Return a design as a table, and what it narrows."""
    names = list(plan.runs[0].at)
    rows = [("T", *names), *((number(r.T), *(number(r.at[v]) for v in names)) for r in plan.runs)]
    narrower = ", ".join(f"{v} from a factor of {plan.before[v]:.3g} to {plan.after[v]:.3g}" for v in plan.before)
    head = f"{len(plan.runs)} runs, {number(plan.tokens)} tokens in all, would narrow the interval of {narrower}:"
    return [head, *aligned(rows, indent="  ")]
