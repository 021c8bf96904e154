"""The optimum of eq. (4) within bounds: nothing to compile, nothing large to import.

risk = C1 b/(eta T) + C2 [b^(1/2)/(alpha T) + (alpha/b)^(1/2)] + C3 eta (1 + 1/alpha) is a sum of powers, and
convex in the logs: its least over eta and b is a closed form, or the root of a cubic where eta is held, and what is
left is convex in log alpha: its derivative changes sign once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hpgrid.shapes import Floats as Array, Values
from hpgrid.transfers.constants import Constants
from hpgrid.transfers.given import Setting

#: What one variable may be, from the lowest to the highest; a variable that is held has one value.
Range = tuple[Values, Values]

#: Beyond every optimum of numbers that a person would give.
_LEAST_ALPHA, _MOST_B = 1e-60, 1e60

#: ln 1e60 = 138 halved so often is 1e-16: no float lies between.
_HALVINGS = 60


class Box(NamedTuple):
    """What each variable may be."""

    eta: Range = (0.0, np.inf)
    b: Range = (1.0, _MOST_B)
    alpha: Range = (_LEAST_ALPHA, 1.0)


class At(NamedTuple):
    """A learning rate, a batch size in tokens and a momentum complement."""

    eta: Array
    b: Array
    alpha: Array


def point(setting: Setting) -> At:
    """Return a setting that has all three, without its budget."""
    return At(*(np.asarray(getattr(setting, name), float) for name in At._fields))


class Terms(NamedTuple):
    """The terms of eq. (4): C1 b/(eta T), C2 b^(1/2)/(alpha T), C2 (alpha/b)^(1/2), C3 eta, C3 eta/alpha."""

    progress: Array
    burn_in: Array
    floor: Array
    drift: Array
    coupling: Array


def terms(at: At, T: Values, of: Constants) -> Terms:
    """Return the terms of eq. (4). Source: Shulgin et al., eq. (4)."""
    return Terms(
        of.C1 * at.b / (at.eta * T),
        of.C2 * np.sqrt(at.b) / (at.alpha * T),
        of.C2 * np.sqrt(at.alpha / at.b),
        of.C3 * at.eta,
        of.C3 * at.eta / at.alpha,
    )


def risk(at: At, T: Values, of: Constants) -> Array:
    """Return eq. (4). Source: Shulgin et al., eq. (4)."""
    return np.sum(np.broadcast_arrays(*terms(at, T, of)), axis=0)


def least(T: Values, of: Constants, box: Box) -> At:
    """Return where eq. (4) is least within a box, each lane of arrays on its own.

    Args:
        T: the token budget, >= 1; with the constants and the box it broadcasts to the lanes.
        of: the constants.
        box: what each variable may be.
    """
    T, C1, C2, C3, *ends = np.broadcast_arrays(T, *of, *(end for name in box for end in name))
    box, of = Box(*zip(ends[::2], ends[1::2])), Constants(C1, C2, C3)

    def rises(alpha: Array) -> NDArray[np.bool_]:
        return _rises(_tuned(alpha, T, of, box), T, of, box)

    return _tuned(_turn(rises, *ends[4:]), T, of, box)


def _rises(at: At, T: Values, of: Constants, box: Box) -> NDArray[np.bool_]:
    """Whether the risk rises with alpha, eta and b tuned.

    The derivative is -burn_in + floor/2 - coupling. Under joint tuning the last two cancel to their last
    digits; to it may be added the derivatives in log b and log eta, which are 0 where these are free, and
    with them what cancels is gone: the slope along (1, 1, 1) is drift - burn_in/2.
    """
    of_risk = terms(at, T, of)
    plain = of_risk.floor / 2 - of_risk.burn_in - of_risk.coupling
    with_b = of_risk.progress - of_risk.burn_in / 2 - of_risk.coupling
    with_both = of_risk.drift - of_risk.burn_in / 2
    return np.where(_inside(at.b, box.b), np.where(_inside(at.eta, box.eta), with_both, with_b), plain) > 0


def _tuned(alpha: Array, T: Values, of: Constants, box: Box) -> At:
    """eta and b at a momentum: with eta free, or where that leaves its range, with eta at its end."""
    with_eta = 2 * np.sqrt(of.C1 * of.C3 * (1 + 1 / alpha) / T)
    burn_in, floor = of.C2 / (alpha * T), of.C2 * np.sqrt(alpha)
    b = np.clip(floor / (with_eta + burn_in), *box.b)
    free = np.sqrt(of.C1 * b * alpha / (of.C3 * T * (1 + alpha)))
    eta = np.clip(free, *box.eta)
    held = np.clip(_root(2 * of.C1 / (eta * T), burn_in, floor) ** 2, *box.b)
    return At(eta, np.where(eta == free, b, held), alpha)


def _root(cubic: Array, square: Array, right: Array) -> Array:
    """Return the s > 0 where cubic s^3 + square s^2 = right.

    Where one of the two is the right side alone, they are up to twice it: Newton's steps fall onto the root from
    at most 1.42 times it, and square the relative distance: 0.42, 0.1, 5e-3, 1e-5, 1e-10, 1e-20.
    """
    s = np.minimum(np.cbrt(right / cubic), np.sqrt(right / square))
    for _ in range(6):
        s = s - (s * (cubic * s + square) - right / s) / (3 * cubic * s + 2 * square)
    return s


def _turn(rises: Callable[[Array], NDArray[np.bool_]], low: Array, high: Array) -> Array:
    """Where a convex function of a log begins to rise; an end of the range where that is beyond it."""
    if (low == high).all():
        return low
    lo, hi = np.log(low), np.log(high)
    for _ in range(_HALVINGS):
        middle = (lo + hi) / 2
        beyond = rises(np.exp(middle))
        lo, hi = np.where(beyond, lo, middle), np.where(beyond, middle, hi)
    return np.where(rises(low), low, np.where(rises(high), np.exp(hi), high))


def _inside(value: Values, limits: Range) -> NDArray[np.bool_]:
    return np.asarray((limits[0] < value) & (value < limits[1]))
