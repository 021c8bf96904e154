"""Slopes of measured optima against a budget, and how sure they are: no prediction has a part in it.

A slope is off by at most the argmin's uncertainty over the window, and a law that holds only as the
budget grows is biased on any finite one: so the tolerance is the error of a fit whose points are
each uncertain by delta, plus how far the continuous optimum's own slope over the window is from its
slope twenty decades further out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hpgrid.proxy import FunctionProxy, Proxy, Term
from hpgrid.reducers.profile import Profile, grid_excess, profile, sublevel
from hpgrid.reducers.slopes import Slope, fit_slope, within
from hpgrid.refinement.optimum import known
from hpgrid.regime import Regime
from hpgrid.tuning.question import least_iterations

#: How much further out a law is taken to have settled.
FAR = 1e20

#: How far the log of a refined optimum may be from the truth.
REFINED = 1e-9

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]

#: Where a monomial is looked for: it has no bounds of its own.
_OPEN = (1e-100, 1e100)


@dataclass(frozen=True)
class MeasuredSlope:
    """A slope and what it may be off by.

    Attributes:
        name: what was fitted: "risk", a variable, or a monomial such as eta/b.
        fit: the fit; its ``error`` has the argmin's uncertainty in it.
        bias: how far the continuous optimum's slope over the window is from its law.
    """

    name: str
    fit: Slope
    bias: float

    @property
    def tolerance(self) -> float:
        """How far the slope may be from the law's exponent."""
        return self.fit.error + abs(self.bias)

    def identifiable(self, exponent: float) -> bool:
        """Return whether the slope can tell a law of this exponent from none."""
        return bool(self.fit.points >= 2 and self.fit.error < (abs(exponent) or 1.0))


@dataclass(frozen=True)
class Curves:
    """Measured curves against a budget.

    Attributes:
        name: "T" or "K".
        budget: its values, shape (n,).
        values: for "risk" and each variable, the curve and the points of it that are at an edge, shape (n,).
        window: the smallest and largest budget to fit over.
    """

    name: str
    budget: Array
    values: Mapping[str, tuple[Array, Bools]]
    window: tuple[float, float]

    @property
    def inside(self) -> Bools:
        """Which budgets lie in the window, shape (n,)."""
        return np.asarray(within(self.budget, self.window))

    def fit(self, name: str, step: float) -> Slope:
        """Return the fit of one curve whose logs are each uncertain by ``step``."""
        y, edge = self.values[name]
        return fit_slope(self.budget, y, edge=edge, window=self.window, step=step)

    def unfitted(self) -> tuple[MeasuredSlope, ...]:
        """Return the slopes of curves of which the window leaves nothing to fit."""
        return tuple(MeasuredSlope(v, _no_fit(int(edge.sum())), np.nan) for v, (_, edge) in self.values.items())

    def with_monomials(self, monomials: Sequence[Mapping[str, Fraction]]) -> Curves:
        """Return the curves with those of some products of powers of variables."""
        more = {}
        for powers in monomials:
            edge = np.any([self.values[v][1] for v in powers], axis=0)
            more[monomial_name(powers)] = (product({v: self.values[v][0] for v in powers}, powers), edge)
        return replace(self, values={**self.values, **more})


def product(of: Mapping[str, Array], powers: Mapping[str, Fraction]) -> Array:
    """Return a product of powers of some curves."""
    return np.asarray(np.prod([of[v] ** float(power) for v, power in powers.items()], axis=0))


def _no_fit(edge_points: int) -> Slope:
    return Slope(np.nan, np.nan, np.nan, np.inf, np.nan, (np.nan, np.nan), 0, edge_points)


def window_bias(budget: Array, truths: Sequence[Array], edge: Bools | None = None) -> float:
    """Return how far a continuous curve's slope over a window may be from the slope of its law.

    What the slope changes by between the window and ``FAR`` beyond it, and from there to ``FAR`` beyond that, where it
    is known so far out: the last is more than what is still to come.

    Args:
        budget: the window's budgets, shape (n,).
        truths: the curve there, at the budgets times ``FAR``, and perhaps times ``FAR`` squared, shape (n,) each.
        edge: points that the fit leaves out, shape (n,).
    """
    here, *out = (fit_slope(budget, y, edge=edge if k == 0 else None).slope for k, y in enumerate(truths))
    slopes = np.array([here, *out])
    return float(np.abs(np.diff(slopes)).sum())


# --- a sum of powers: the set that the grid can't tell from the optimum, exactly ---


def power_slopes(
    proxy: Proxy | FunctionProxy,
    regime: Regime,
    steps: Mapping[str, float],
    curves: Curves,
    monomials: Sequence[Mapping[str, Fraction]] = (),
) -> tuple[MeasuredSlope, ...]:
    """Return the slopes of a bound that is a sum of powers of what is tuned.

    The argmin's uncertainty: half the width of the set whose log risk is within the grid's excess of the minimum.

    Args:
        proxy: the bound, in the budget of the curves, paths folded in.
        regime: what is tuned, fixed and capped.
        steps: the log step of each tuned axis.
        curves: what was measured.
        monomials: products of powers of tuned variables to fit too, each with some variable to the power 1.
    """
    curves = curves.with_monomials(monomials)
    if curves.inside.sum() < 2:
        return curves.unfitted()
    products = {monomial_name(powers): powers for powers in monomials}
    budget, excess = curves.budget[curves.inside], grid_excess(proxy, steps)
    exact, far = (profile(proxy, regime.tuned, regime.fixed, budget * scale, _box(regime)) for scale in (1.0, FAR))
    truths = [{"risk": found.risk, **found.at} for found in (exact, far)]
    slopes = []
    for name in curves.values:
        powers = products.get(name, {name: Fraction(1)})
        delta = excess / 2 if name == "risk" else _uncertainty(proxy, regime, powers, budget, excess, exact)
        slopes.append(_measured(curves, name, delta, [product(truth, powers) for truth in truths]))
    return tuple(slopes)


def _measured(curves: Curves, name: str, delta: float, truths: Sequence[Array]) -> MeasuredSlope:
    """The fit of a curve, and the bias of the continuous one behind it: in the window, and far out."""
    inside = curves.inside
    bias = window_bias(curves.budget[inside], truths, curves.values[name][1][inside])
    return MeasuredSlope(name, curves.fit(name, delta), bias)


def _box(regime: Regime) -> dict[str, tuple[float, float]]:
    """The natural bounds of what is capped, and its cap."""
    lowest = {"eta": 1e-100, "b": 1.0, "alpha": 1e-100}
    return {v: (lowest[v], cap) for v, cap in regime.caps.items() if v in regime.tuned}


def _uncertainty(
    proxy: Proxy | FunctionProxy,
    regime: Regime,
    powers: Mapping[str, Fraction],
    budget: Array,
    excess: float,
    optimum: Profile,
) -> float:
    """Half the width, in the log, of what is within an excess of the least log risk: of a variable or a monomial."""
    top = next(v for v, power in powers.items() if power == 1)
    box = _box(regime)
    if len(powers) > 1:
        proxy, box = in_monomial(proxy, powers, top), {**box, top: _OPEN}
    best = Profile(optimum.risk, {top: product(optimum.at, powers)})
    low, high = sublevel(proxy, regime.tuned, regime.fixed, budget, top, excess, box, best)
    return float(np.log(high / low).max()) / 2


def monomial_name(powers: Mapping[str, Fraction]) -> str:
    """Return alpha/b, or eta*alpha^2."""
    text = ""
    for v, power in sorted(powers.items(), key=lambda item: item[1] < 0):
        size = "" if abs(power) == 1 else f"^{abs(power)}" if power.denominator == 1 else f"^({abs(power)})"
        text += ("/" if power < 0 else "*" if text else "") + v + size
    return text if not text.startswith("/") else f"1{text}"


def in_monomial(proxy: Proxy | FunctionProxy, powers: Mapping[str, Fraction], top: str) -> Proxy | FunctionProxy:
    """Return the bound with a monomial in the place of one of its variables, which has the power 1 in it.

    With m = x y^p, x^a becomes m^a y^(-p a): what leaves m alone and moves the others is the direction that m is
    blind to.
    """
    if isinstance(proxy, FunctionProxy):
        return proxy

    def changed(term: Term) -> Term:
        of_top = term.exponent(top) or Fraction(0)
        moved = {v: (term.exponent(v) or Fraction(0)) - power * of_top for v, power in powers.items() if v != top}
        return replace(term, factors={**term.factors, **moved})

    without = {name: cap for name, cap in proxy.caps.items() if name != top}
    terms = tuple(changed(term) for term in proxy.terms)
    return replace(proxy, terms=terms, caps=without, cap_terms={})


# --- any bound: how far the argmin is from the refined optimum ---


def refined_slopes(
    proxy: Proxy | FunctionProxy,
    regime: Regime,
    curves: Curves,
    *,
    logs: Mapping[str, float] | None = None,
    min_K: float | None = None,
) -> tuple[MeasuredSlope, ...]:
    """Return the slopes of any bound, which is refined for it: see ``slopes_from``.

    Args:
        proxy: the bound.
        regime: what is tuned, fixed, on a path, capped.
        curves: what was measured.
        logs: powers of the budget's logarithm that curves are freed of first, by name.
        min_K: the smallest number of iterations.
    """
    if curves.inside.sum() < 2:
        return curves.unfitted()
    # In one call: it is compiled once.
    budgets = curves.budget[curves.inside] * np.array([[1.0], [FAR]])
    found = refined_curves(proxy, regime, curves.name, budgets, min_K=min_K)
    return slopes_from(curves, {name: (exact, far) for name, (exact, far) in found.items()}, logs)


def slopes_from(
    curves: Curves, truths: Mapping[str, tuple[Array, Array]], logs: Mapping[str, float] | None = None
) -> tuple[MeasuredSlope, ...]:
    """Return the slopes of curves whose refined ones are known.

    The argmin's uncertainty is read off the refined optimum: how far the two are apart over the window.

    Args:
        curves: what was measured.
        truths: by name, the refined curve at the budgets of the window, and at those times ``FAR``.
        logs: powers of the budget's logarithm that curves are freed of first, by name.
    """
    inside, budget = curves.inside, curves.budget
    if inside.sum() < 2:
        return curves.unfitted()
    slopes = []
    for name, (measured, edge) in curves.values.items():
        exact, far = truths[name]
        apart = np.abs(np.log(measured[inside] / exact))[~edge[inside]]
        delta = float(np.nanmax(apart, initial=0.0)) if np.isfinite(apart).any() else np.inf
        power = (logs or {}).get(name, 0.0)
        free = np.log(budget) ** power
        freed = replace(curves, values={name: (measured / free, edge)})
        out = far / np.log(budget[inside] * FAR) ** power
        slopes.append(_measured(freed, name, delta, [exact / free[inside], out]))
    return tuple(slopes)


def refined_curves(
    proxy: Proxy | FunctionProxy, regime: Regime, name: str, budgets: Array, *, min_K: float | None = None
) -> dict[str, Array]:
    """Return the continuous optimum at budgets: the risk and each tuned variable.

    A bound given by a function has at least one iteration, as in the search that it is held against.
    NaN where the solve found none; a risk is the infimum, where it is attained or where it runs off to.
    """
    from hpgrid.refinement import refine  # jax loads here

    least = least_iterations(proxy, name) if min_K is None else min_K
    at: dict[str, Any] = {name: budgets, "min_K": least}
    found = refine(proxy, regime=regime, **at)
    return {"risk": np.where(known(found), found.risk, np.nan)} | {
        v: np.where(found.converged, found.at[v], np.nan) for v in regime.tuned
    }
