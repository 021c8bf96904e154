"""The continuous optimum behind a grid's argmin: how far the two may be apart, and how it goes on far out."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hpgrid.claims.measures import Array, Bound, Setting
from hpgrid.proxy import Proxy
from hpgrid.refinement.profile import grid_excess, profile, sublevel
from hpgrid.regime import Regime
from hpgrid.slopes import FAR, in_monomial, refined_curves

#: The ends of a product's own axis: none that matter.
_OPEN = (1e-200, 1e200)


#: A product of powers as a key.
Left = tuple[tuple[str, Fraction], ...]


class Searched(NamedTuple):
    """What a search found at the budgets after burn-in.

    Attributes:
        budget: their values.
        curves: the risk and the argmin of every tuned variable.
        edge: where any of them sits on the border of the search box.
        steps: the log step of every tuned axis.
    """

    budget: Array
    curves: Mapping[str, Array]
    edge: NDArray[np.bool_]
    steps: Mapping[str, float]


class Followed(NamedTuple):
    """A product of the risk and tuned variables over the window, on the grid and behind it.

    Attributes:
        budget: the window.
        hat: the product at the grid's argmin.
        edge: the points that are left out.
        truth: the product at the continuous optimum.
        delta: how far log hat may be from log truth.
        far: some budgets ten to twenty decades beyond it.
        settled: the product at the continuous optimum there.
    """

    budget: Array
    hat: Array
    edge: NDArray[np.bool_]
    truth: Array
    delta: float
    far: Array
    settled: Array


Searching = Callable[[Setting], Searched]


#: A product in a setting; None where the window has fewer than two points.
Following = Callable[[Setting, Left], Followed | None]


#: The refined curves in a setting, over the window and far out.
Descending = Callable[[Setting], Mapping[str, Array]]


def capped(proxy: Bound, setting: Setting) -> Proxy:
    """Return a sum of powers with the paths and caps of a setting as parts of it."""
    whole = proxy.along(dict(setting.path))
    assert isinstance(whole, Proxy)
    return replace(whole, caps=Regime(caps=dict(setting.caps)).joint_caps(whole.caps))


def descend(proxy: Bound, searching: Searching, setting: Setting) -> dict[str, Array]:
    """Return the refined optimum over the window and far out."""
    regime = Regime(setting.tuned, dict(setting.fixed), dict(setting.path), dict(setting.caps))
    return refined_curves(proxy, regime, setting.budget, np.concatenate(_budgets(searching(setting))))


def follow(proxy: Bound, searching: Searching, descending: Descending, setting: Setting, left: Left) -> Followed | None:
    """Return a product on the grid and behind it.

    Of a sum of powers its uncertainty is half the width of the set of products whose risk is as low as a grid's
    minimum may be; of any other bound it is how far the argmin and the refined optimum are apart.
    """
    found = searching(setting)
    if (~found.edge).sum() < 2:
        return None
    window, far = _budgets(found)
    hat = _product(found.curves, left)
    if proxy.is_posynomial(setting.tuned):
        truth, delta = _by_bisection(capped(proxy, setting), found, setting, dict(left))
    else:
        truth = _product(descending(setting), left)
        apart = np.abs(np.log(hat / truth[: len(window)]))[~found.edge]
        delta = float(apart.max()) if np.isfinite(apart).all() else math.inf
    return Followed(window, hat, found.edge, truth[: len(window)], delta, far, truth[len(window) :])


def _budgets(found: Searched) -> tuple[Array, Array]:
    """The window, and a few budgets up to twenty decades beyond it, where the line is straight."""
    return found.budget, found.budget[-1] * np.geomspace(np.sqrt(FAR), FAR, 3)


def _product(curves: Mapping[str, Array], left: Left) -> Array:
    return np.exp(np.sum([float(power) * np.log(curves[name]) for name, power in left], axis=0))


# --- sums of powers ---
def _by_bisection(proxy: Proxy, found: Searched, setting: Setting, left: Mapping[str, Fraction]) -> tuple[Array, float]:
    """A product over the window and far out, and how uncertain the argmin's is over the window."""
    window, far = _budgets(found)
    budgets, fixed, risk = np.concatenate([window, far]), dict(setting.fixed), float(left.get("risk", 0))
    excess = grid_excess(proxy, found.steps)
    own = {v: power for v, power in left.items() if v != "risk"}
    if not own:
        return profile(proxy, setting.tuned, fixed, budgets).risk ** risk, abs(risk) * excess / 2
    pivot = next(v for v in ("eta", "alpha", "b") if v in own)
    power = float(own[pivot])
    # After burn-in the bounds that the pivot loses are not active, and the optimum is the same.
    bound = proxy if len(own) == 1 else in_monomial(proxy, {v: p / own[pivot] for v, p in own.items()}, pivot)
    box: Mapping[str, tuple[float, float]] = {} if bound is proxy else {pivot: _OPEN}
    best = profile(bound, setting.tuned, fixed, budgets, box)
    low, high = sublevel(bound, setting.tuned, fixed, window, pivot, excess, box)
    delta = float(np.log(high / low)[~found.edge].max()) / 2
    if setting.tuned == (pivot,):
        # On a convex curve the lowest of evenly spaced points is next to the minimum.
        delta = min(delta, found.steps[pivot])
    return best.at[pivot] ** power * best.risk**risk, abs(power) * delta + abs(risk) * excess / 2
