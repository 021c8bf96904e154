"""From a grid's argmins to a verdict on an exponent, step by step as this file goes.

argmins       the curves that a grid's best cells draw against the budget
window        the budgets that are fitted over: from the end of burn-in on
fit           least squares in the logs, what lies on a wall of the grid left out
uncertainty   how far an argmin may be from the continuous optimum, and so the fit's ``error``
bias          how far the continuous optimum's own slope is from that at ``FARTHER`` times the window's budgets
tolerance     error and bias, in neither of which the prediction has a part
verdict       it tells where the tolerance is below half of max(|exponent|, 1/4): ``readings.tells``
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from hpgrid.checks import bad
from hpgrid.proxy import FunctionProxy, Proxy
from hpgrid.readings import FLAT, Reading, telling, tells
from hpgrid.refinement.optimum import Optimum, refine
from hpgrid.refinement.profile import grid_excess, profile, sublevels
from hpgrid.regime import Regime
from hpgrid.search.brute import SearchResult
from hpgrid.shapes import Array, Bool, Float, Int
from hpgrid.term import Term
from hpgrid.variables import STANDARD, Space

#: By what factor further out a law is taken to have settled: over twenty decades a correction T^(-1/12) falls 46-fold.
SETTLING = 1e20

#: By what factors further out its slope is read, as long as budgets are floats: each step is as long as all before it.
FARTHER = (SETTLING, SETTLING**2, SETTLING**4, SETTLING**8)

#: How many budgets of a window are read there: nothing wobbles.
_FEW = 9

#: How far the log of a refined optimum may be from the truth: see the tests of refinement.
REFINED = 1e-9

#: Points whose pairs are all looked at.
_PAIRED = 2000

#: Why there is no verdict: a window of fewer than two points; a continuous optimum that isn't known far out.
NOTHING, NO_OPTIMUM = "nothing to fit", "no tolerance: refinement found no optimum"

#: A product of powers of "risk" and of tuned variables; {"b": 1} is b itself.
Powers = Mapping[str, Fraction]


# --- argmins: what was measured at every budget ---
@dataclass(frozen=True, eq=False)
class Curves:
    """Measured curves against a budget."""

    name: str  # "T" or "K"
    budget: Array  # its values, shape (n,)
    values: Mapping[str, tuple[Array, Array]]  # "risk" and each variable: the curve, and where it is at an edge
    window: tuple[float, float]  # the smallest and largest budget to fit over

    @property
    def inside(self) -> Array:
        """Which budgets lie in the window, shape (n,)."""
        return np.asarray(within(self.budget, self.window))

    def product(self, powers: Powers) -> tuple[Array, Array]:
        """Return a product of powers of curves, and where any of them is at an edge, shape (n,)."""
        edge = np.any([self.values[v][1] for v in powers], axis=0)
        return product({v: self.values[v][0] for v in powers}, powers), np.asarray(edge)


def product(of: Mapping[str, Array], powers: Powers) -> Array:
    """Return a product of powers of some curves."""
    with np.errstate(over="ignore"):  # of what runs off it may be infinite
        return np.asarray(np.prod([of[v] ** float(power) for v, power in powers.items()], axis=0))


def monomial_name(powers: Powers) -> str:
    """Return alpha/b, or eta*alpha^2."""
    text = ""
    for v, power in sorted(powers.items(), key=lambda item: item[1] < 0):
        size = "" if abs(power) == 1 else f"^{abs(power)}" if power.denominator == 1 else f"^({abs(power)})"
        text += ("/" if power < 0 else "*" if text else "") + v + size
    return text if not text.startswith("/") else f"1{text}"


# --- the window: from the end of burn-in on ---
def within(x: Float[Array, "n"], window: tuple[float, float]) -> Bool[Array, "n"]:
    """Return which budgets lie in a window, both ends included: shape (n,)."""
    return (x >= window[0]) & (x <= window[1])


def lasting(holds: Bool[Array, "n m"]) -> Int[Array, "n"]:
    """Return for each curve the first position from which a condition holds for good; m where it never does."""
    at_the_end = np.logical_and.accumulate(holds[:, ::-1], axis=1).sum(axis=1)
    return holds.shape[1] - at_the_end


def burn_in_ends(
    name: str,
    axis: Float[Array, "k"],
    *,
    index: Int[Array, "n m"] | None = None,
    at: Float[Array, "n m"] | None = None,
    space: Space = STANDARD,
) -> Int[Array, "n"]:
    """Return for each of n curves the position where burn-in ends; m where it never does.

    From there on the optimum is more than one step of the grid off its natural bound, b = 1 or alpha = 1, for good:
    one step off, and the argmin may have been rounded there. eta > 0 has no such bound.

    Args:
        name: the variable.
        axis: its values on the grid, increasing.
        index: the argmins' places on the axis; or
        at: the continuous optima, NaN where there is none.
        space: the variables.
    """
    curves = index if at is None else at
    assert curves is not None
    end = natural_end(space, name)
    if end is None:
        return np.zeros(len(curves), int)
    bound = end % len(axis)
    if at is None:
        return lasting(np.abs(curves - bound) > 1)
    return lasting(np.abs(np.log(at / axis[bound])) > np.diff(np.log(axis)).max())


def natural_end(space: Space, name: str) -> int | None:
    """Return the end of an axis where its variable ends, too: 0 of b >= 1, -1 of alpha <= 1; None of eta > 0."""
    variable = space.all[name]
    return 0 if variable.low > 0 else -1 if variable.high < np.inf else None


def burn_in_end(best: SearchResult, name: str, at: ArrayLike | None = None) -> int:
    """Return where the burn-in of a variable ends in a search over budgets; ``at``: by the continuous optimum there."""
    where: Any = {"index": best.index[name][None]} if at is None else {"at": np.asarray(at, float)[None]}
    return int(burn_in_ends(name, best.values[name], space=best.space, **where)[0])


def fitting_window(best: SearchResult, star: Mapping[str, Array] | None = None) -> tuple[float, float]:
    """Return the budgets that slopes are fitted over: from the end of the last burn-in that ends, two at least.

    Args:
        best: a search whose only remaining axis is the budget.
        star: the continuous optimum by variable, NaN where there is none: it decides where the leading order leaves a
            variable open, along which the argmin wanders back to its bound long after burn-in.
    """
    (budget,) = best.axes.values()
    ends = [burn_in_end(best, v, None if star is None else star[v]) for v in best.at]
    first = max([end for end in ends if end < len(budget)], default=0)
    return float(budget[max(min(first, len(budget) - 2), 0)]), float(budget[-1])


def fitted_edge(best: SearchResult) -> Array:
    """Return where an optimum sits on a wall: there the others answer to the wall, and none of them is fitted.

    What stays on b = 1 or alpha = 1 to the largest budget is on no wall of the grid: the bound has its optimum there.
    So it is at either end of a range, or next to one that is no part of it.
    """

    def rests(name: str) -> Array:
        axis, last, variable = best.values[name], best.index[name][-1], best.space.all[name]
        ends = ((0, variable.least), (len(axis) - 1, variable.most))
        kept = [bound for end, bound in ends if axis[end] == bound and abs(last - end) <= 1]
        return np.isin(best.at[name], kept)

    return np.asarray(np.any([best.edge[v] & ~rests(v) for v in best.at], axis=0))


# --- the fit: of one curve, and of many ---
@dataclass(frozen=True)
class Slope:
    """A power law y ~ x^slope fitted to a curve.

    Attributes:
        slope: least squares in the logs; NaN with fewer than two usable points.
        theil_sen: the median of all pairwise slopes; beyond 2,000 points, of so many, evenly spread.
        intercept: log y of the fitted line at x = 1.
        error: how far ``slope`` can be off when every log y is within ``step`` of the truth, and is rounded.
        step: that distance, in natural log; the largest, where points have one each.
        window: the first and last x that were used.
        points: how many points were used.
        edge_points: how many points in the window were left out, being on an edge.
        no_points: how many others were left out there, being no positive numbers.
    """

    slope: float
    theil_sen: float
    intercept: float
    error: float
    step: float
    window: tuple[float, float]
    points: int
    edge_points: int
    no_points: int = 0


def fit_slope(
    x: ArrayLike,
    y: ArrayLike,
    *,
    edge: ArrayLike | None = None,
    window: tuple[float, float] | None = None,
    step: ArrayLike | None = None,
) -> Slope:
    """Return the slope d log y / d log x of a curve, with the error that the grid allows.

    A slope through points that are each within h_i of the truth is off by at most
    ``sum h_i |u_i - mean u| / sum (u_i - mean u)^2``, u = log x: 3 h/R for one h and even spacing over a range R.

    Args:
        x: budgets, positive, shape (n,).
        y: an optimum at each budget, positive, shape (n,).
        edge: where the optimum sits on the border of the search box; those points are left out.
        window: smallest and largest x to use; everything where None.
        step: how far log y may be from the truth, at every point or at each, shape (n,): the step h of y's axis for an
            argmin over one variable, the argmin's uncertainty where several are tuned. Where None, the smallest gap
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
    left_out = int((inside & out).sum()), int((inside & ~out & ~usable).sum())
    u, v = np.log(x[usable]), np.log(y[usable])
    if step is None:
        gaps = np.diff(np.unique(v))
        gaps = gaps[gaps > 1e-12]  # what is closer is one grid node, written twice
        step = gaps.min() if gaps.size else 0.0
    each = np.broadcast_to(np.asarray(step, float), x.shape)[usable]
    h = float(each.max(initial=0.0))
    if len(u) < 2 or np.ptp(u) == 0:
        return Slope(np.nan, np.nan, np.nan, np.inf, h, (np.nan, np.nan), len(u), *left_out)
    away = u - u.mean()
    slope = float(away @ v / (away @ away))
    moves = away != 0  # of the middle point nothing depends, even where its step is infinite
    # y and log y are rounded, and so is the sum of as many products as there are points.
    each = each + len(u) * np.finfo(float).eps * (1 + np.abs(v))
    error = float(each[moves] @ np.abs(away[moves]) / (away @ away))
    # Pairs grow like the square: of 1e5 points they would take 80 GB.
    few = np.linspace(0, len(u) - 1, min(len(u), _PAIRED)).round().astype(int)
    i, j = (few[k] for k in np.triu_indices(len(few), k=1))
    theil_sen = float(np.median((v[j] - v[i]) / (u[j] - u[i])))
    ends = (float(x[usable].min()), float(x[usable].max()))
    return Slope(slope, theil_sen, float(v.mean() - slope * u.mean()), error, h, ends, len(u), *left_out)


def fit_slopes(
    budget: Float[Array, "m"],
    hat: Float[Array, "n m"],
    star: Float[Array, "n m"],
    usable: Bool[Array, "n m"],
    tolerance: float,
) -> dict[str, Array]:
    """Return the slopes d log y / d log budget of n curves, each over its own budgets.

    Args:
        budget: the budgets.
        hat: the grid's curves.
        star: the continuous ones behind them.
        usable: which points may be used; those that are not positive and finite are left out too.
        tolerance: how far the log of ``star`` may be from the truth.

    Returns:
        Arrays of shape (n,) by name: "slope_hat" and "slope_star", least squares in the logs of either curve, NaN with
        fewer than two usable points; "slope_error", how far the first may be from the continuous optimum's, every log
        being within "apart", the two curves' largest distance over the window; "points", how many budgets were used;
        "window_lo" and "window_hi", the first and the last of them, NaN where there is none.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        v, w = np.log(hat), np.log(star)
    used = usable & np.isfinite(v) & np.isfinite(w)
    count, u = used.sum(axis=1), np.log(budget)
    mean = np.divide(np.where(used, u, 0.0).sum(axis=1), np.maximum(count, 1))
    away = np.where(used, u - mean[:, None], 0.0)
    spread = np.where(count >= 2, (away**2).sum(axis=1), np.nan)
    apart = np.where(used, np.abs(v - w), 0.0).max(axis=1, initial=0.0) + tolerance
    any_used = np.where(count > 0, 1.0, np.nan)
    return {
        "slope_hat": (away * np.where(used, v, 0.0)).sum(axis=1) / spread,
        "slope_star": (away * np.where(used, w, 0.0)).sum(axis=1) / spread,
        "slope_error": apart * np.abs(away).sum(axis=1) / spread,
        "apart": apart * any_used,
        "points": count,
        "window_lo": np.where(used, budget, np.inf).min(axis=1, initial=np.inf) * any_used,
        "window_hi": np.where(used, budget, 0.0).max(axis=1, initial=0.0) * any_used,
    }


# --- the argmin's uncertainty: how far from the continuous optimum ---
class Truth(NamedTuple):
    """The continuous optimum behind a grid's: "risk" and every tuned variable, NaN where there is none."""

    here: Mapping[str, Array]  # at the budgets of the window, shape (n,)
    beyond: Mapping[str, Array]  # at those of ``farther``, shape (k, m)
    # how far the log of a product of argmins may be from it; where None, how far the two are apart over the window
    uncertainty: Callable[[Powers], float] | None
    at: Callable[[Array], Mapping[str, Array]]  # the optimum at any budgets
    lows: Mapping[str, float]  # the smallest values of variables, b = 1 say
    caps: Mapping[str, float]  # the largest, alpha = 1 among them


def natural_ends(proxy: Proxy | FunctionProxy, regime: Regime) -> tuple[dict[str, float], dict[str, float]]:
    """Return the smallest and the largest values of what is tuned, as far as there are any."""
    ranges = [proxy.space.all[v] for v in regime.tuned]
    lows, highs = {v.name: v.low for v in ranges if v.low > 0}, {v.name: v.high for v in ranges if v.high < np.inf}
    return lows, highs | regime.joint_caps(proxy.caps)


def posynomial_truth(proxy: Proxy | FunctionProxy, regime: Regime, steps: Mapping[str, float], budget: Array) -> Truth:
    """Return the continuous optimum of a bound that is a posynomial in what is tuned.

    The argmin's uncertainty is exact: half the width of the set whose log risk is within the grid's excess of the
    minimum, which is what the grid can't tell from the optimum.

    Args:
        proxy: the bound, in the budget of the curves, paths folded in.
        regime: what is tuned, fixed and capped.
        steps: the log step of each tuned axis.
        budget: the window's budgets, shape (n,).
    """
    # eta and alpha have no smallest value: 1e-299 lies below every optimum that is read.
    box = {v: (proxy.space.all[v].low or 1e-299, cap) for v, cap in regime.caps.items() if v in regime.tuned}
    excess = grid_excess(proxy, steps)
    assert isinstance(proxy, Proxy)  # a function was refused

    def at(budgets: Array) -> dict[str, Array]:
        found = profile(proxy, regime.tuned, regime.fixed, budgets, box)
        return {"risk": found.risk, **found.at}

    far, given = farther(budget), (regime.tuned, regime.fixed)
    every = np.append(budget, far)
    optimum, alone = sublevels(proxy, *given, every, regime.tuned, excess, box, first=len(budget))

    def uncertainty(powers: Powers) -> float:
        own = {v: power for v, power in powers.items() if v != "risk"}
        of_risk = abs(float(powers.get("risk", 0))) * excess / 2
        if not own:
            return of_risk
        pivot = next((v for v, power in own.items() if power == 1), next(iter(own)))
        unit = {v: power / own[pivot] for v, power in own.items()}
        if len(unit) == 1:
            low, high = alone[pivot]
        else:  # a monomial has no bounds of its own
            ends = {**box, pivot: (1e-299, 1e299)}
            low, high = sublevels(in_monomial(proxy, unit, pivot), *given, budget, (pivot,), excess, ends).ends[pivot]
        width = float(np.log(high / low).max()) / 2
        if regime.tuned == (pivot,):
            # On a convex curve the lowest of evenly spaced points is next to the minimum.
            width = min(width, steps[pivot])
        return of_risk + abs(float(own[pivot])) * width

    both = _parted({"risk": optimum.risk, **optimum.at}, far)
    return Truth(*both, uncertainty, at, *natural_ends(proxy, regime))


def in_monomial(proxy: Proxy, powers: Powers, top: str) -> Proxy:
    """Return the bound with a monomial in the place of one of its variables, which has the power 1 in it.

    With m = x y^p, x^a becomes m^a y^(-p a): what leaves m alone and moves the others is the direction that m is
    blind to.
    """

    def changed(term: Term) -> Term:
        of_top = term.exponent(top) or Fraction(0)
        moved = {v: (term.exponent(v) or Fraction(0)) - power * of_top for v, power in powers.items() if v != top}
        return replace(term, factors={**term.factors, **moved})

    without = {name: cap for name, cap in proxy.caps.items() if name != top}
    terms = tuple(changed(term) for term in proxy.terms)
    return replace(proxy, terms=terms, caps=without, cap_terms={}, domain=())


def refined_truth(proxy: Proxy | FunctionProxy, regime: Regime, name: str, budget: Array) -> Truth:
    """Return the refined optimum of any bound at the window's budgets, shape (n,), of "T" or "K" by name.

    The argmin's uncertainty is how far the two are apart.
    """
    at, far = partial(refined_curves, proxy, regime, name), farther(budget)
    return Truth(*_parted(at(np.append(budget, far)), far), None, at, *natural_ends(proxy, regime))


def _parted(found: Mapping[str, Array], far: Array) -> tuple[dict[str, Array], dict[str, Array]]:
    """What was found at a window's budgets, and after them at those farther out."""
    parts = {v: np.split(x, [x.size - far.size]) for v, x in found.items()}
    return {v: here for v, (here, _) in parts.items()}, {v: there.reshape(far.shape) for v, (_, there) in parts.items()}


def refined_curves(proxy: Proxy | FunctionProxy, regime: Regime, name: str, budgets: Array) -> dict[str, Array]:
    """Return the refined optimum at budgets: the risk and each tuned variable; NaN where the solve found none.

    A risk is the infimum, where it is attained or where it runs off to.
    """
    return refined_optimum(proxy, regime, name, budgets).curves()


def refined_optimum(proxy: Proxy | FunctionProxy, regime: Regime, name: str, budgets: Array) -> Optimum:
    """Return the refined optimum at budgets, of "T" or "K" by name."""
    # A function of b is meant for one iteration at least, as in the search that it is held against.
    at: dict[str, Any] = {name: budgets, "min_K": proxy.min_K if regime.min_K is None else None}
    return refine(proxy, regime=regime, **at)


# --- the bias: how far the continuous optimum itself is from its law ---
def farther(budget: Array) -> Array:
    """Return some budgets of a window at ``FARTHER`` times where they are, shape (k, m), as far as those are floats."""
    some = budget[np.unique(np.linspace(0, len(budget) - 1, _FEW).round().astype(int))]
    return np.array([some * factor for factor in FARTHER if some[-1] < 1e290 / factor]).reshape(-1, some.size)


def window_bias(budget: Array, here: Array, far: Array, there: Array, edge: Array | None = None) -> float:
    """Return how far a continuous curve's slope over a window may be from the slope of its law.

    All that the slope changes by from the window to the farthest budgets where the curve is known, and the last change
    once more: of a correction that falls like a power of the budget or of its logarithm no more is still to come.

    Args:
        budget: the window's budgets, shape (n,).
        here: the curve there, shape (n,).
        far: budgets farther and farther out, shape (k, m).
        there: the curve at those, NaN where it is unknown.
        edge: points of the window that the fit leaves out, shape (n,).
    """
    curves = [(budget, here, edge), *((x, y, None) for x, y in zip(far, there))]
    slopes = np.array([fit_slope(x, y, edge=out, step=0.0).slope for x, y, out in curves])
    known = int(np.isfinite(slopes).cumprod().sum())
    if known < 2:
        return float("nan")
    changes = np.abs(np.diff(slopes[:known]))
    return float(changes.sum() + (changes[-1] if known > 2 else 0.0))


def law_begins(truth: Truth, window: tuple[float, float]) -> float:
    """Return the budget from which the optimum lies on the bounds that hold it far out, for good.

    Past the window's first budget, to about one per cent; NaN where it does from there, so that the law has begun.
    """

    def sides(at: Mapping[str, Array]) -> Array:
        """For every variable -1 at its natural lower end, 1 at its upper one, 0 between them, shape (variables, n)."""
        low, high = (
            np.array([np.abs(np.log(x / ends.get(v, np.nan))) < REFINED for v, x in at.items()])
            for ends in (truth.lows, truth.caps)
        )
        return high.astype(int) - low

    lo, hi = window[0], farther(np.array(window)).max(initial=window[1])
    for _ in range(3):  # 65 budgets each: over 200 decades 0.2%, two digits are told
        budgets = np.geomspace(lo, hi, 65)
        at = {v: x for v, x in truth.at(budgets).items() if v != "risk"}
        known = np.all(np.isfinite([*at.values()]), axis=0)
        budgets, found = budgets[known], sides({v: x[known] for v, x in at.items()})
        first = int(lasting((found == found[:, -1:]).all(axis=0)[None])[0])
        if first == 0:
            return float("nan")
        lo, hi = budgets[first - 1], budgets[first]
    return float(hi)


# --- the tolerance, whether it can tell, and the verdict ---
@dataclass(frozen=True)
class MeasuredSlope:
    """A slope and what it may be off by."""

    name: str  # what was fitted: "risk", a variable, or a monomial such as eta/b
    fit: Slope  # the fit; its ``error`` has the argmin's uncertainty in it
    bias: float  # how far the continuous optimum's slope over the window is from its law
    budget: str = "T"  # "T" or "K"
    # from where on the optimum lies on the bounds that hold it far out; NaN: from the window's first on, or unknown
    begins: float = np.nan

    @property
    def tolerance(self) -> float:
        """How far the slope may be from the law's exponent."""
        return self.fit.error + abs(self.bias)

    def why_not(self, exponent: float) -> str:
        """Return why the slope can't tell a law of this exponent; "" where it can."""
        if self.fit.points < 2:
            return NOTHING
        if tells(self.tolerance, exponent):
            return ""
        if not tells(self.fit.error, exponent) and not abs(self.bias) > self.fit.error:
            return f"it is uncertain by {self.fit.error:.2g}, where less than {telling(exponent):.2g} would tell"
        if np.isnan(self.bias):
            return NO_OPTIMUM
        if np.isnan(self.begins):
            return f"the window's bias is what is wide, {abs(self.bias):.2g}"
        place = "beyond" if self.begins > self.fit.window[1] else "within"
        return f"the law begins {place} this window: from {self.budget} = {self.begins:.2g} on"

    def reading(self, exponent: float, what: str = "", route: str = "grid") -> Reading:
        """Return the slope held against a predicted exponent.

        Args:
            exponent: the prediction.
            what: what to call it; the slope of its name where nothing is said.
            route: by which route the curve was found.
        """
        what, fit = what or f"slope of {self.name}", self.fit
        if fit.points < 2:
            left_out: Any = {"exponent": True, "edge_points": fit.edge_points, "note": NOTHING}
            return Reading(what, route, np.nan, exponent, np.nan, **left_out)
        note = f"error {fit.error:.3f} from the grid + {abs(self.bias):.3f} from the window"
        used: Any = {"exponent": True, "window": fit.window, "edge_points": fit.edge_points, "note": note}
        reading = Reading(what, route, fit.slope, exponent, self.tolerance, **used)
        if reading.holds is not None:
            return reading
        return replace(reading, note=f"not identifiable on this grid: {self.why_not(exponent)}")


def measured_slopes(
    curves: Curves,
    behind: Callable[[Array], Truth],
    wanted: Sequence[Powers],
    logs: Mapping[str, float] | None = None,
    *,
    find_beginning: bool = True,
) -> tuple[MeasuredSlope, ...]:
    """Return the slopes of some products of measured curves.

    Args:
        curves: what was measured.
        behind: from the window's budgets to the continuous optimum: ``posynomial_truth`` or ``refined_truth`` with all
            but the budgets filled in. Not asked where the window has fewer than two budgets.
        wanted: products of curves: {"b": 1}, or {"alpha": 1, "b": -1}.
        logs: powers of the budget's logarithm that products are freed of first, by name.
        find_beginning: whether to find where the law begins, if that is why a slope can't tell.
    """
    inside = curves.inside
    if inside.sum() < 2:
        unfit = {monomial_name(powers): int(curves.product(powers)[1][inside].sum()) for powers in wanted}
        nothing = (np.nan, np.nan, np.nan, np.inf, np.nan, (np.nan, np.nan), 0)
        return tuple(MeasuredSlope(name, Slope(*nothing, edges), np.nan, curves.name) for name, edges in unfit.items())
    budget, slopes = curves.budget[inside], []
    truth, far = behind(budget), farther(budget)
    for powers in wanted:
        name, (hat, edge) = monomial_name(powers), curves.product(powers)
        if truth.uncertainty is None:
            with np.errstate(divide="ignore", invalid="ignore"):  # an infimum may be 0
                apart = np.abs(np.log(hat[inside] / product(truth.here, powers)))[~edge[inside]]
            step = float(np.nanmax(apart, initial=0.0)) if np.isfinite(apart).any() else np.inf
        else:
            step = truth.uncertainty(powers)
        log = (logs or {}).get(name, 0.0)
        freed = hat / np.log(curves.budget) ** log
        fit = fit_slope(curves.budget, freed, edge=edge, window=curves.window, step=step)
        here, there = (product(at, powers) / np.log(x) ** log for x, at in ((budget, truth.here), (far, truth.beyond)))
        slopes.append(MeasuredSlope(name, fit, window_bias(budget, here, far, there, edge[inside]), curves.name))
    # Only a bias this wide is ever the reason that a slope can't tell.
    if find_beginning and any(slope.bias >= FLAT / 2 for slope in slopes):
        begins = law_begins(truth, (float(budget[0]), float(budget[-1])))
        return tuple(replace(slope, begins=begins) for slope in slopes)
    return tuple(slopes)
