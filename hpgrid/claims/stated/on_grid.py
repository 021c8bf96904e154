"""The grid's route: a brute-force search, and the slope of its argmin over the budgets after burn-in.

It reads powers of the budget alone. Those of constants and held variables would need these to move over so many
decades (a slope is off by two grid steps over their log range) that the burn-in, which goes with their tenth power,
left the grid; and a free power of a logarithm can't be told on one at all.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hpgrid.claims.ledger import Reading
from hpgrid.claims.routes import Array, Bound, Setting
from hpgrid.claims.stated.posing import Question, variables
from hpgrid.claims.stated.verdicts import tells
from hpgrid.grid import TUNABLE, Grid, LogAxis
from hpgrid.paper.checks import FAR, refined_curves, verdict
from hpgrid.proxy import Proxy, Term
from hpgrid.reducers.curves import Curve, argmin_curve
from hpgrid.reducers.many_slopes import lasting
from hpgrid.reducers.profile import grid_excess, profile, sublevel
from hpgrid.reducers.slopes import fit_slope
from hpgrid.regime import Regime, along
from hpgrid.search import grid_search, joint_caps

ROUTE = "grid"

#: The iterations of a grid in K; the papers state none.
ITERATIONS = LogAxis(1e2, 1e16)

#: How many budgets are fitted where the continuous optimum is followed downhill, which takes its time.
MOST = 20

#: The ends of a product's own axis: none that matter.
_OPEN = (1e-200, 1e200)


class Searched(NamedTuple):
    """What a search found against the budget.

    Attributes:
        budget: its values.
        curves: the risk and the argmin of every tuned variable.
        edge: where any of them sits on the border of the search box.
        first: the first budget after burn-in, as an index; the number of budgets where there is none.
        steps: the log step of every tuned axis.
    """

    budget: Array
    curves: Mapping[str, Array]
    edge: NDArray[np.bool_]
    first: int
    steps: Mapping[str, float]


Searching = Callable[[Setting], Searched]


def default_grid(budget: str) -> Grid:
    """Return the grid of the paper's footnote, in tokens or iterations."""
    return Grid.footnote() if budget == "T" else Grid.footnote().with_axes(K=ITERATIONS)


def search(proxy: Bound, grid: Grid, setting: Setting) -> Searched:
    """Return the argmin of a grid at every budget."""
    roles: Any = setting.roles()
    lacking: Any = {v: None for v in TUNABLE if v not in variables(proxy)}
    best = grid_search(proxy, grid.with_axes(**lacking), setting.tuned, **roles)
    found = {v: argmin_curve(best, v) for v in setting.tuned}
    return Searched(
        budget=grid.axes[grid.budget].values,
        curves={"risk": best.risk, **{v: curve.value for v, curve in found.items()}},
        edge=np.any([curve.edge for curve in found.values()], axis=0),
        first=max(_burn_in_end(curve, proxy, grid, setting) for curve in found.values()),
        steps={v: grid.axes[v].step for v in setting.tuned},
    )


def _burn_in_end(curve: Curve, proxy: Bound, grid: Grid, setting: Setting) -> int:
    """Where a variable leaves b = 1 or alpha = 1 for good.

    By the continuous optimum where that is cheap: a flat direction takes the argmin back to the border again and
    again, long after.
    """
    if curve.name == "eta" or not _is_sum_of_powers(proxy, setting):
        return curve.burn_in
    truth = profile(_capped(proxy, setting), setting.tuned, dict(setting.fixed), curve.budget).at[curve.name]
    axis = grid.axes[curve.name]
    away = np.abs(np.log(truth / axis.values[0 if curve.name == "b" else -1])) > axis.step
    return int(lasting(away[None])[0])


def readings(question: Question, proxy: Bound, searching: Searching) -> tuple[Reading, ...]:
    """Return the budget's power as the grid shows it, freed of the logarithm that is claimed.

    The window runs from the end of burn-in to the last budget. The tolerance is the argmin's uncertainty over
    it, and how far the continuous optimum's slope there is from its slope far out.
    """
    if question.power is None:
        return ()
    whole, power = searching(question.setting), float(question.power)
    found = _after_burn_in(whole, None if _is_sum_of_powers(proxy, question.setting) else MOST)
    what, window, edge = f"power of {question.setting.budget}", found.budget, found.edge
    if (~edge).sum() < 2:
        return (Reading(what, ROUTE, math.nan, question.power, identifiable=False),)
    hat = _product(found.curves, question.left)
    truth, settled, delta = _continuous(question, proxy, found, hat)
    free, far_free = (np.log(budgets) ** float(question.log) for budgets in (window, window[_far(window)] * FAR))
    slope = fit_slope(window, hat / free, edge=edge, step=delta)
    far = fit_slope(window[_far(window)], settled / far_free).slope
    bias = fit_slope(window, truth / free, edge=edge).slope - far
    told = verdict(what, slope, power, bias)
    identifiable = told.holds is not None and tells(told.measured, told.tolerance, question.power)
    return (Reading(what, ROUTE, told.measured, question.power, told.tolerance, identifiable=identifiable),)


def _after_burn_in(found: Searched, most: int | None) -> Searched:
    """A search from the first budget after burn-in on, at no more than so many of them."""
    left = np.arange(found.first, len(found.budget))
    if most is not None and len(left) > most:
        left = left[np.linspace(0, len(left) - 1, most).round().astype(int)]
    curves = {v: curve[left] for v, curve in found.curves.items()}
    return found._replace(budget=found.budget[left], curves=curves, edge=found.edge[left], first=0)


def _far(window: Array) -> NDArray[np.intp]:
    """The budgets of a window at which the settled slope is read, twenty decades further: a few of a straight line."""
    return np.unique(np.linspace(0, len(window) - 1, 5).round().astype(int))


def _product(curves: Mapping[str, Array], left: Mapping[str, Fraction]) -> Array:
    return np.exp(np.sum([float(power) * np.log(curves[name]) for name, power in left.items()], axis=0))


# --- the continuous optimum behind the argmin ---


def _continuous(question: Question, proxy: Bound, found: Searched, hat: Array) -> tuple[Array, Array, float]:
    """The product at the continuous optimum over the window, and far out, and how uncertain the argmin's is.

    Of a sum of powers the uncertainty is half the width of the set of products whose risk is as low as a grid's
    minimum may be; of any other bound it is how far the argmin and the refined optimum are apart.
    """
    setting, window = question.setting, found.budget
    budgets = np.concatenate([window, window[_far(window)] * FAR])
    if _is_sum_of_powers(proxy, setting):
        truth, delta = _by_bisection(question, _capped(proxy, setting), found, budgets, len(window))
    else:
        regime = Regime(setting.tuned, dict(setting.fixed), dict(setting.path), dict(setting.caps))
        truth = _product(refined_curves(proxy, regime, setting.budget, budgets), question.left)
        apart = np.abs(np.log(hat / truth[: len(window)]))[~found.edge]
        delta = float(apart.max()) if np.isfinite(apart).all() else math.inf
    return truth[: len(window)], truth[len(window) :], delta


def _is_sum_of_powers(proxy: Bound, setting: Setting) -> bool:
    return isinstance(proxy, Proxy) and all(t.exponent(v) is not None for t in proxy.terms for v in setting.tuned)


def _capped(proxy: Bound, setting: Setting) -> Proxy:
    """The bound with paths and caps as parts of it."""
    whole = along(proxy, dict(setting.path))
    assert isinstance(whole, Proxy)
    return replace(whole, caps=joint_caps(whole.caps, dict(setting.caps)))


def _by_bisection(
    question: Question, proxy: Proxy, found: Searched, budgets: Array, inside: int
) -> tuple[Array, float]:
    setting, risk = question.setting, float(question.left.get("risk", 0))
    excess = grid_excess(proxy, found.steps)
    own = {v: power for v, power in question.left.items() if v != "risk"}
    fixed, bound = dict(setting.fixed), proxy
    box: dict[str, tuple[float, float]] | None = None
    if not own:
        return profile(bound, setting.tuned, fixed, budgets).risk ** risk, abs(risk) * excess / 2
    pivot = next(v for v in ("eta", "alpha", "b") if v in own)
    if own != {pivot: 1}:
        bound, box = _in_product(proxy, own, pivot), {pivot: _OPEN}
    best = profile(bound, setting.tuned, fixed, budgets, box)
    low, high = sublevel(bound, setting.tuned, fixed, budgets[:inside], pivot, excess, box)
    delta = float(np.log(high / low)[~found.edge].max()) / 2
    if setting.tuned == (pivot,):
        # On a convex curve the lowest of evenly spaced points is next to the minimum.
        delta = min(delta, abs(float(own[pivot])) * found.steps[pivot])
    return best.at[pivot] * best.risk**risk, delta + abs(risk) * excess / 2


def _in_product(proxy: Proxy, left: Mapping[str, Fraction], pivot: str) -> Proxy:
    """The bound with a product of variables in the place of one of them, whose own bounds it loses.

    After burn-in these are not active, and the optimum is the same: a sum of powers is convex in the logs.
    """

    def changed(term: Term) -> Term:
        power = (term.exponent(pivot) or Fraction(0)) / left[pivot]
        rest = {v: (term.exponent(v) or Fraction(0)) - power * p for v, p in left.items() if v != pivot}
        return replace(term, factors={**term.factors, **rest, pivot: power})

    caps = {v: cap for v, cap in proxy.caps.items() if v != pivot}
    return replace(proxy, terms=tuple(changed(term) for term in proxy.terms), caps=caps, cap_terms={})
