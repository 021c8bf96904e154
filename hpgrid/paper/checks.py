"""Slopes held against exponents, within tolerances that follow from the grid and the window.

A slope is off by at most the argmin's uncertainty over the window, and a law that holds only as the
budget grows is biased on any finite one: so the tolerance is the error of a fit whose points are
each uncertain by delta, plus how far the continuous optimum's own slope over the window is from its
slope twenty decades further out. The exponent itself has no part in it: a wrong one fails.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hpgrid.paper.data import Check
from hpgrid.proxy import FunctionProxy, Proxy
from hpgrid.reducers.profile import grid_excess, profile, sublevel
from hpgrid.reducers.slopes import Slope, fit_slope, within
from hpgrid.regime import Regime

#: How much further out a law is taken to have settled.
FAR = 1e20

#: How far the log of a refined optimum may be from the truth.
REFINED = 1e-9

Array = NDArray[np.float64]


def verdict(name: str, slope: Slope, exponent: float, bias: float) -> Check:
    """Return the check of one slope.

    Args:
        name: what was fitted.
        slope: the fit; its ``error`` has the argmin's uncertainty in it.
        exponent: the prediction.
        bias: the continuous optimum's slope over the window, less its slope far out.
    """
    tolerance = slope.error + abs(bias)
    told = f"error {slope.error:.3f} from the grid + {abs(bias):.3f} from the window"
    if slope.points < 2:
        return nothing_to_fit(name, exponent, slope.edge_points)
    if slope.error >= (abs(exponent) or 1.0):
        told = f"not identifiable on this grid: it is uncertain by {slope.error:.2g}, as much as the law itself"
        return Check(name, slope.slope, exponent, tolerance, None, slope.window, slope.edge_points, told)
    holds = abs(slope.slope - exponent) <= tolerance
    return Check(name, slope.slope, exponent, tolerance, bool(holds), slope.window, slope.edge_points, told)


def nothing_to_fit(name: str, exponent: float, edge_points: int) -> Check:
    """Return the check of a slope for which an axis leaves fewer than two points."""
    return Check(name, np.nan, exponent, np.nan, None, (np.nan, np.nan), edge_points, "nothing to fit")


def window_bias(budget: Array, truth: Array, settled: Array, edge: NDArray[np.bool_] | None = None) -> float:
    """Return a continuous curve's slope over a window, less the slope of the same curve far out.

    Args:
        budget: the window's budgets, shape (n,).
        truth: the curve there, shape (n,).
        settled: the curve at the budgets times ``FAR``, shape (n,).
        edge: points that the fit leaves out, shape (n,).
    """
    return fit_slope(budget, truth, edge=edge).slope - fit_slope(budget, settled).slope


def tuned_checks(
    proxy: Proxy | FunctionProxy,
    tuned: Sequence[str],
    fixed: Mapping[str, float],
    steps: Mapping[str, float],
    curves: Mapping[str, tuple[Array, NDArray[np.bool_]]],
    exponents: Mapping[str, float],
    budget: Array,
    window: tuple[float, float],
) -> tuple[Check, ...]:
    """Return a check for the risk and for every tuned variable.

    Args:
        proxy: the bound.
        tuned: the variables that were minimised over together.
        fixed: the others.
        steps: the log step of each tuned axis.
        curves: for "risk" and each variable, the measured curve and its edge points, shape (n,).
        exponents: for the same names, the predicted exponents.
        budget: T or K, shape (n,).
        window: the budgets to fit over.
    """
    inside = within(budget, window)
    if inside.sum() < 2:
        return tuple(nothing_to_fit(f"slope of {v}", exponents[v], int(edge.sum())) for v, (_, edge) in curves.items())
    excess = grid_excess(proxy, steps)
    window_range = budget[inside]
    exact, far = (profile(proxy, tuned, fixed, window_range * scale) for scale in (1.0, FAR))
    checks = []
    for name, (values, edge) in curves.items():
        if name == "risk":
            truth, settled, delta = exact.risk, far.risk, excess / 2
        else:
            low, high = sublevel(proxy, tuned, fixed, window_range, name, excess)
            truth, settled, delta = exact.at[name], far.at[name], float(np.log(high / low).max()) / 2
        slope = fit_slope(budget, values, edge=edge, window=window, step=delta)
        bias = window_bias(window_range, truth, settled, edge[inside])
        checks.append(verdict(f"slope of {name}", slope, exponents[name], bias))
    return tuple(checks)


def refined_checks(
    proxy: FunctionProxy,
    regime: Regime,
    curves: Mapping[str, tuple[Array, NDArray[np.bool_]]],
    laws: Mapping[str, tuple[float, float]],
    *,
    budget: tuple[str, Array],
    window: tuple[float, float],
) -> tuple[Check, ...]:
    """Return a check for every law of a bound that is no sum of powers.

    The argmin's uncertainty is read off the refined optimum: how far the two are apart over the window. A law
    T^p (log T)^q is held against p once the curve is freed of its logarithm.

    Args:
        proxy: the bound.
        regime: what is tuned and fixed.
        curves: for "risk" and each variable, the measured curve and its edge points, shape (n,).
        laws: for some of these names, the predicted powers of the budget and of its log.
        budget: "T" or "K", and its values, shape (n,).
        window: the budgets to fit over.
    """
    name, values = budget
    inside = within(values, window)
    if inside.sum() < 2:
        return tuple(nothing_to_fit(f"slope of {v}", laws[v][0], int(curves[v][1].sum())) for v in laws)
    # In one call: it is compiled once.
    found = refined_curves(proxy, regime, name, values[inside] * np.array([[1.0], [FAR]]))
    exact, far = ({v: curve[k] for v, curve in found.items()} for k in (0, 1))
    checks = []
    for v, (power, log_power) in laws.items():
        measured, edge = curves[v]
        apart = np.abs(np.log(measured[inside] / exact[v]))[~edge[inside]]
        delta = float(np.nanmax(apart, initial=0.0)) if np.isfinite(apart).any() else np.inf
        free = np.log(values) ** log_power
        truth, settled = exact[v] / free[inside], far[v] / np.log(values[inside] * FAR) ** log_power
        slope = fit_slope(values, measured / free, edge=edge, window=window, step=delta)
        check = verdict(f"slope of {v}", slope, power, window_bias(values[inside], truth, settled, edge[inside]))
        told = f", freed of (log {name})^{log_power:.3g}" if log_power else ""
        checks.append(replace(check, note=check.note + told))
    return tuple(checks)


def least_iterations(proxy: Proxy | FunctionProxy, budget: str) -> float | None:
    """Return the min_K of a figure: a bound given by a function may need an iteration."""
    return 1.0 if isinstance(proxy, FunctionProxy) and budget == "T" else None


def refined_curves(proxy: Proxy | FunctionProxy, regime: Regime, name: str, budgets: Array) -> dict[str, Array]:
    """Return the continuous optimum at budgets: the risk and each tuned variable.

    A bound given by a function has at least one iteration, as in the search that it is held against.
    NaN where the solve found none; a risk is the infimum, where it is attained or where it runs off to.
    """
    from hpgrid.refinement import refine  # jax loads here

    at: dict[str, Any] = {name: budgets, "min_K": least_iterations(proxy, name)}
    found = refine(proxy, regime=regime, **at)
    known = np.any([found.converged, *found.unbounded.values()], axis=0)
    return {"risk": np.where(known, found.risk, np.nan)} | {
        v: np.where(found.converged, found.at[v], np.nan) for v in regime.tuned
    }
