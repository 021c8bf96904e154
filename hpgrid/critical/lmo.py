"""The LMO bound's critical batch size: fewest tokens to a target at a fixed momentum, eta tuned or fixed."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from hpgrid.bounds import lmo_exact
from hpgrid.critical import solve
from hpgrid.critical.need import Array, Iterations
from hpgrid.critical.solve import Point
from hpgrid.proxy import evaluate_factor
from hpgrid.theory import batch_sizes as theory
from hpgrid.theory import iso_loss


class Lmo(NamedTuple):
    """The LMO bound's batch size of the fewest tokens, at one way to choose eta.

    Attributes:
        fewest: where tokens are fewest, found numerically; None where the target is out of reach.
        closed: the same in closed form.
        smallest: the batch size above which the target is reached at all.
        eta: the learning rate there.
        on_bound: whether the minimum lies below b = 1, so that 1 is best.
        vacuous: whether the target is at or above what the gradient is at the start.
    """

    fewest: Point | None
    closed: float | None = None
    smallest: float | None = None
    eta: float | None = None
    on_bound: bool = False
    vacuous: bool = False


class Terms(NamedTuple):
    """The bound at a momentum: progress/(eta K) + burn_in/(b^(1/2) K) + floor/b^(1/2) + drift eta."""

    progress: float
    burn_in: float
    floor: float
    drift: float


def terms(alpha: float, *, Delta0: float, L: float, sigma: float, rho: float) -> Terms:
    """Return the bound's terms at a momentum. Source: Shulgin et al., eq. (2)."""
    bound = lmo_exact(Delta0=Delta0, L=L, sigma=sigma, rho=rho, budget="K")

    def at(**powers: float) -> float:
        own = [t for t in bound.terms if all(t.exponent(v) == powers.get(v, 0) for v in ("eta", "b", "K"))]
        factors = [evaluate_factor(t.factors.get("alpha", Fraction(0)), alpha) for t in own]
        return float(sum(t.coefficient(bound.constants) * factor for t, factor in zip(own, factors)))

    return Terms(at(eta=-1, K=-1), at(b=-0.5, K=-1), at(b=-0.5), at(eta=1))


def tuned(of: Terms, level: float) -> Iterations:
    """Return K(b) of 2 (progress drift/K)^(1/2) + burn_in/(b^(1/2) K) + floor/b^(1/2) <= level, eta tuned."""
    det = 2 * np.sqrt(of.progress * of.drift)

    def iterations(b: ArrayLike) -> Array:
        root = np.sqrt(np.asarray(b, float))
        left = level - of.floor / root
        # (burn_in/b^(1/2)) k^2 + det k = left, k = K^(-1/2)
        burn_in, ok = of.burn_in / root, left > 0
        k = 2 * np.where(ok, left, 1.0) / (det + np.sqrt(det**2 + 4 * burn_in * np.where(ok, left, 1.0)))
        return np.where(ok, k**-2.0, np.inf)

    return iterations


def fixed(of: Terms, level: float, eta: float) -> Iterations:
    """Return K(b) of (progress/eta + burn_in/b^(1/2))/K + floor/b^(1/2) + drift eta <= level."""

    room = level - of.drift * eta

    def iterations(b: ArrayLike) -> Array:
        root = np.sqrt(np.asarray(b, float))
        left = room - of.floor / root
        asked = of.progress / eta + of.burn_in / root
        return np.where(left > 0, asked / np.where(left > 0, left, 1.0), np.inf)

    return iterations


def eta_tuned(alpha: float, level: float, *, Delta0: float, L: float, sigma: float, rho: float) -> Lmo:
    """Return the batch size of the fewest tokens with eta tuned, and its closed form 4 b_min."""
    of = terms(alpha, Delta0=Delta0, L=L, sigma=sigma, rho=rho)
    closed = theory.lmo_tuned(level, iso_loss.of_bound(alpha, Delta0, L, rho * sigma))
    found = _solved(tuned(of, level), closed)
    eta = float(np.sqrt(of.progress / (of.drift * found.fewest.K))) if found.fewest else None
    return found._replace(eta=eta)


def eta_fixed(alpha: float, level: float, eta: float, *, Delta0: float, L: float, sigma: float, rho: float) -> Lmo:
    """Return the batch size of the fewest tokens at a learning rate, and its closed form."""
    of = terms(alpha, Delta0=Delta0, L=L, sigma=sigma, rho=rho)
    room = level - L * eta * (3.5 + 2 / alpha)
    if room <= 0:
        return Lmo(None, eta=eta)
    parts = iso_loss.of_bound(alpha, Delta0, L, rho * sigma)
    closed = theory.lmo_fixed(Delta0 / eta, parts.burn_in, parts.floor, room)
    return _solved(fixed(of, level, eta), closed)._replace(eta=eta)


def _solved(iterations: Iterations, closed: float) -> Lmo:
    smallest = solve.smallest(iterations)
    if smallest is None:
        return Lmo(None)
    best = solve.fewest(iterations, smallest)
    return Lmo(best, closed, smallest, on_bound=best.b == 1.0)
