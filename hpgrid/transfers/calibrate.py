"""Constants for which a person's tuned point is optimal by eq. (4), as far as it determines them.

Of the risk at the point, let P be progress, C1 b/(eta T), N noise, both terms of C2, and D drift, both of C3.
With r = b/(alpha^(3/2) T), burn-in over floor, the point is optimal in log eta, log b and log alpha where

    P = D,    P/N = (1 - r)/(2 (1 + r)),    D/N = (1 + alpha) (1/2 - r)/(1 + r);

one equation for each variable that was tuned, and two unknown ratios, P/N and D/N. One equation leaves the share of
noise free, two leave nothing, and three have a solution only on the curve r = alpha/(1 + 2 alpha). A variable on its
bound has an inequality in place of its equation.

Source: the first-order conditions of Shulgin et al., eq. (4).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from hpgrid.shapes import Floats as Array
from hpgrid.transfers.constants import Constants
from hpgrid.transfers.given import Limits, Setting
from hpgrid.transfers.optimum import At, point, terms

#: What is free is shown while noise is this much of the risk at the start.
NOISE_SHARES = (0.01, 0.99)

#: Values along each ratio that is free.
_POINTS = 49


class Calibration(NamedTuple):
    """What a tuned point says of the constants.

    Attributes:
        constants: C1, C2 = 1, C3, each of shape (n,): values along what is free; None where no positive constants
            make the point optimal.
        tuned: the variables that were tuned there.
        on_bound: those of them that sit on a bound.
        free: how many of the two ratios it leaves free.
        misfit: the factor by which each condition is missed where they contradict each other; 1 where none is.
        noise: the shares of noise in the risk at the start, at the constants, shape (n,); None without them.
        why: why there are no constants, in one line.
    """

    constants: Constants | None
    tuned: tuple[str, ...]
    on_bound: tuple[str, ...] = ()
    free: int = 0
    misfit: float = 1.0
    noise: Array | None = None
    why: str = ""


class _Range(NamedTuple):
    """The log of a ratio, from what it is at least to what it is at most."""

    low: float = -np.inf
    high: float = np.inf


class _Ratios(NamedTuple):
    """The logs of P/N and D/N, each of shape (n,); how many of them are free; the factor that conditions are off by."""

    progress: Array
    drift: Array
    free: int = 0
    misfit: float = 1.0


def calibrate(start: Setting, tuned: Sequence[str], limits: Limits | None = None) -> Calibration:
    """Return the constants for which a point is optimal in what was tuned there.

    Args:
        start: the point; it has eta, b and alpha.
        tuned: what was tuned there: eta, and b or alpha or both.
        limits: what is feasible: b is on its bound at one unit and at the cap, eta at its cap.
    """
    at = point(start)
    senses = {name: _sense(name, at, limits or Limits()) for name in tuned}
    on_bound = tuple(name for name in tuned if senses[name])
    r, alpha = float(at.b / (at.alpha**1.5 * start.T)), float(at.alpha)
    batch = _range((1 - r) / (2 * (1 + r)), senses.get("b"))
    momentum = _range((1 + alpha) * (0.5 - r) / (1 + r), senses.get("alpha"))
    if batch is None or momentum is None:
        better = "1 a smaller b" if batch is None else "2 a smaller beta"
        why = f"no constants make the start the best: alpha^(3/2) K = {1 / r:.3g}, and up to {better} is always better"
        return Calibration(None, tuple(tuned), on_bound, why=why)
    ratios = _under_cap(batch, momentum) if senses["eta"] else _at_best(batch, momentum)
    noise = 1 / (np.exp(ratios.progress) + 1 + np.exp(ratios.drift))
    return Calibration(_constants(at, start.T, ratios), tuple(tuned), on_bound, ratios.free, ratios.misfit, noise)


def _sense(name: str, at: At, limits: Limits) -> int:
    """What a variable's condition is: 0 an equation; on a bound its ratio is at least (-1) or at most (1) what it says.

    On its lower bound the risk rises with b: P/N is at least the ratio; on its upper one at most. On alpha's upper
    bound D/N is at least the ratio; on eta's, D/P is at most 1.
    """
    if name == "eta":
        return int(at.eta == limits.eta)
    if name == "alpha":
        return -int(at.alpha == 1)
    return -1 if at.b <= limits.unit else int(at.b == limits.b)


def _range(ratio: float, sense: int | None) -> _Range | None:
    """What a condition leaves of its ratio's log, everything where there is none; None where it leaves nothing."""
    if sense is None or (sense == -1 and ratio <= 0):
        return _Range()
    if ratio <= 0:
        return None
    log = float(np.log(ratio))
    return _Range(-np.inf if sense == 1 else log, np.inf if sense == -1 else log)


def _at_best(batch: _Range, momentum: _Range) -> _Ratios:
    """P = D."""
    low, high = max(batch.low, momentum.low), min(batch.high, momentum.high)
    if low > high:
        return _least_squares(batch, momentum)
    shown = _shown(low, high)
    return _Ratios(shown, shown, int(shown.size > 1))


def _under_cap(batch: _Range, momentum: _Range) -> _Ratios:
    """P >= D."""
    if momentum.low > batch.high:
        return _least_squares(batch, momentum)
    P = _shown(max(batch.low, momentum.low), batch.high)
    D = _shown(momentum.low, min(momentum.high, batch.high))
    progress, drift = (grid.ravel() for grid in np.meshgrid(P, D))
    kept = drift <= progress
    return _Ratios(progress[kept], drift[kept], int(P.size > 1) + int(D.size > 1))


def _least_squares(batch: _Range, momentum: _Range) -> _Ratios:
    """The ratios that miss three conditions by the least squares of their logs: each by the same factor."""
    apart = batch.low > momentum.high
    progress, drift = (batch.low, momentum.high) if apart else (batch.high, momentum.low)
    third = (progress - drift) / 3
    return _Ratios(np.array([progress - third]), np.array([drift + third]), misfit=float(np.exp(abs(third))))


def _shown(low: float, high: float) -> Array:
    """Values between two logs of P/N = D/N, while the share of noise is within what is shown."""
    least, most = (float(np.log((1 - share) / (2 * share))) for share in reversed(NOISE_SHARES))
    low = min(max(low, least), high)
    high = max(low, min(high, most))
    return np.linspace(low, high, _POINTS) if low < high else np.array([low])


def _constants(at: At, T: float, ratios: _Ratios) -> Constants:
    """C1, C2 = 1 and C3 from P/N and D/N."""
    unit = terms(at, T, Constants(1.0, 1.0, 1.0))
    noise = unit.burn_in + unit.floor
    C1 = noise * np.exp(ratios.progress) / unit.progress
    return Constants(C1, np.ones_like(C1), noise * np.exp(ratios.drift) / (unit.drift + unit.coupling))
