"""Slopes of power laws: how sure a fitted exponent is, and over which window."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from hpgrid.checks import bad
from hpgrid.proxy import FunctionProxy, Proxy, Term
from hpgrid.refinement.optimum import known
from hpgrid.refinement.profile import Profile, grid_excess, profile, sublevel
from hpgrid.regime import Regime
from hpgrid.shapes import Array, Bool, Float, Int


@dataclass(frozen=True)
class Slope:
    """A power law y ~ x^slope fitted to a curve.

    Attributes:
        slope: least squares in the logs; NaN with fewer than two usable points.
        theil_sen: the median of all pairwise slopes.
        intercept: log y of the fitted line at x = 1.
        error: how far ``slope`` can be off when every log y is within ``step`` of the truth.
        step: that distance, in natural log.
        window: the first and last x that were used.
        points: how many points were used.
        edge_points: how many points in the window were left out, being on an edge or not finite.
    """

    slope: float
    theil_sen: float
    intercept: float
    error: float
    step: float
    window: tuple[float, float]
    points: int
    edge_points: int


def fit_slope(
    x: ArrayLike,
    y: ArrayLike,
    *,
    edge: ArrayLike | None = None,
    window: tuple[float, float] | None = None,
    step: float | None = None,
) -> Slope:
    """Return the slope d log y / d log x of a curve, with the error that the grid allows.

    A slope through points that are each within h of the truth is off by at most
    h sum|u - mean u| / sum (u - mean u)^2, u = log x: 3 h/R for even spacing over a range R.

    Args:
        x: budgets, positive, shape (n,).
        y: an optimum at each budget, positive, shape (n,).
        edge: where the optimum sits on the border of the search box; those points are left out.
        window: smallest and largest x to use; everything where None.
        step: how far log y may be from the truth: the step h of y's axis for an argmin over one
            variable, the argmin's uncertainty where several are tuned. Where None, the smallest gap
            between different values of log y.

    Raises:
        ValueError: shapes that differ, or a window without a width.
    """
    x, y = np.asarray(x, float), np.asarray(y, float)
    out = np.zeros(x.shape, bool) if edge is None else np.asarray(edge, bool)
    if x.ndim != 1 or not x.shape == y.shape == out.shape:
        raise bad("a slope needs x, y and edge of one shape (n,)", (x.shape, y.shape, out.shape), "1-D arrays")
    if window is not None and not window[0] < window[1]:
        raise bad("a window needs lo < hi", window, "window=(1e12, 1e22), say")
    inside = np.ones(x.shape, bool) if window is None else within(x, window)
    usable = inside & ~out & np.isfinite(y) & (y > 0) & (x > 0)
    left_out = int(inside.sum() - usable.sum())
    u, v = np.log(x[usable]), np.log(y[usable])
    h = _smallest_gap(v) if step is None else float(step)
    if len(u) < 2 or np.ptp(u) == 0:
        return Slope(np.nan, np.nan, np.nan, np.inf, h, (np.nan, np.nan), len(u), left_out)
    away = u - u.mean()
    slope = float(away @ v / (away @ away))
    error = float(h * np.abs(away).sum() / (away @ away))
    ends = (float(x[usable].min()), float(x[usable].max()))
    intercept = float(v.mean() - slope * u.mean())
    return Slope(slope, _theil_sen(u, v), intercept, error, h, ends, len(u), left_out)


def within(x: Float[Array, "n"], window: tuple[float, float]) -> Bool[Array, "n"]:
    """Return which budgets lie in a window, both ends included: shape (n,)."""
    return (x >= window[0]) & (x <= window[1])


def local_slopes(x: ArrayLike, y: ArrayLike) -> Float[Array, "n"]:
    """Return d log y / d log x at every point of a curve, by differences: shape (n,)."""
    return np.gradient(np.log(np.asarray(y, float)), np.log(np.asarray(x, float)))


def _smallest_gap(v: Float[Array, "n"]) -> float:
    gaps = np.diff(np.unique(v))
    gaps = gaps[gaps > 1e-12]  # values of one grid node, written twice
    return float(gaps.min()) if gaps.size else 0.0


def _theil_sen(u: Float[Array, "n"], v: Float[Array, "n"]) -> float:
    i, j = np.triu_indices(len(u), k=1)
    return float(np.median((v[j] - v[i]) / (u[j] - u[i])))


@dataclass(frozen=True)
class Slopes:
    """Power laws fitted to n curves, each over its own budgets.

    Attributes:
        slope_hat: least squares in the logs of the grid's curve; NaN with fewer than two usable points.
        slope_star: the same of the refined curve.
        slope_error: how far ``slope_hat`` may be from the continuous optimum's, every log being within ``apart``.
        apart: the largest distance of the two curves' logs over the window.
        points: how many budgets were used.
        window_lo: the first of them, NaN where there is none.
        window_hi: the last of them.
    """

    slope_hat: Float[Array, "n"]
    slope_star: Float[Array, "n"]
    slope_error: Float[Array, "n"]
    apart: Float[Array, "n"]
    points: Int[Array, "n"]
    window_lo: Float[Array, "n"]
    window_hi: Float[Array, "n"]

    def as_dict(self) -> dict[str, Array]:
        """Return the arrays by name."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    def nowhere(self) -> Slopes:
        """Return the slopes of as many curves of which nothing was fitted."""
        nothing = np.full(self.slope_hat.shape, np.nan)
        empty = {each.name: nothing for each in fields(self) if each.name != "points"}
        return replace(self, **empty, points=np.zeros(self.points.shape, self.points.dtype))


def fit_slopes(
    budget: Float[Array, "m"],
    hat: Float[Array, "n m"],
    star: Float[Array, "n m"],
    usable: Bool[Array, "n m"],
    sure: float,
) -> Slopes:
    """Return the slopes d log y / d log budget of n curves.

    Args:
        budget: the budgets.
        hat: the grid's curves.
        star: the continuous ones behind them.
        usable: which points may be used; those that are not positive and finite are left out too.
        sure: how far the log of ``star`` may be from the truth.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        v, w = np.log(hat), np.log(star)
    used = usable & np.isfinite(v) & np.isfinite(w)
    count = used.sum(axis=1)
    enough = count >= 2
    u = np.log(budget)
    away = np.where(used, u - np.divide(_sum(used, u), np.maximum(count, 1))[:, None], 0.0)
    spread = np.where(enough, (away**2).sum(axis=1), np.nan)
    apart = np.where(used, np.abs(v - w), 0.0).max(axis=1, initial=0.0) + sure
    known = np.where(count > 0, 1.0, np.nan)
    return Slopes(
        slope_hat=_sum(used, away * np.where(used, v, 0.0)) / spread,
        slope_star=_sum(used, away * np.where(used, w, 0.0)) / spread,
        slope_error=apart * np.abs(away).sum(axis=1) / spread,
        apart=apart * known,
        points=count,
        window_lo=np.where(used, budget, np.inf).min(axis=1, initial=np.inf) * known,
        window_hi=np.where(used, budget, 0.0).max(axis=1, initial=0.0) * known,
    )


def _sum(used: Bool[Array, "n m"], terms: Array) -> Float[Array, "n"]:
    return np.where(used, terms, 0.0).sum(axis=1)


def lasting(holds: Bool[Array, "n m"]) -> Int[Array, "n"]:
    """Return for each curve the first position from which a condition holds for good; m where it never does."""
    at_the_end = np.logical_and.accumulate(holds[:, ::-1], axis=1).sum(axis=1)
    return holds.shape[1] - at_the_end


#: How much further out a law is taken to have settled.
FAR = 1e20


#: How far the log of a refined optimum may be from the truth.
REFINED = 1e-9


Bools = Array


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

    least = proxy.min_K if min_K is None else min_K
    at: dict[str, Any] = {name: budgets, "min_K": least}
    found = refine(proxy, regime=regime, **at)
    return {"risk": np.where(known(found), found.risk, np.nan)} | {
        v: np.where(found.converged, found.at[v], np.nan) for v in regime.tuned
    }
