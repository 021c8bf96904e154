"""Slopes held against exponents, within the tolerances that ``tuning.slopes`` derives.

The exponent itself has no part in a tolerance: a wrong one fails.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from hpgrid.paper.data import Check
from hpgrid.proxy import FunctionProxy, Proxy
from hpgrid.regime import Regime
from hpgrid.slopes import Array, Bools, Curves, MeasuredSlope, Slope, power_slopes, refined_slopes


def verdict(name: str, slope: Slope, exponent: float, bias: float) -> Check:
    """Return the check of one slope.

    Args:
        name: what was fitted.
        slope: the fit; its ``error`` has the argmin's uncertainty in it.
        exponent: the prediction.
        bias: the continuous optimum's slope over the window, less its slope far out.
    """
    measured = MeasuredSlope(name, slope, bias)
    told = f"error {slope.error:.3f} from the grid + {abs(bias):.3f} from the window"
    if slope.points < 2:
        return nothing_to_fit(name, exponent, slope.edge_points)
    if not measured.identifiable(exponent):
        told = f"not identifiable on this grid: it is uncertain by {slope.error:.2g}, as much as the law itself"
        return Check(name, slope.slope, exponent, measured.tolerance, None, slope.window, slope.edge_points, told)
    holds = abs(slope.slope - exponent) <= measured.tolerance
    return Check(name, slope.slope, exponent, measured.tolerance, bool(holds), slope.window, slope.edge_points, told)


def nothing_to_fit(name: str, exponent: float, edge_points: int) -> Check:
    """Return the check of a slope for which an axis leaves fewer than two points."""
    return Check(name, np.nan, exponent, np.nan, None, (np.nan, np.nan), edge_points, "nothing to fit")


def tuned_checks(
    proxy: Proxy | FunctionProxy,
    tuned: Sequence[str],
    fixed: Mapping[str, float],
    steps: Mapping[str, float],
    curves: Mapping[str, tuple[Array, Bools]],
    exponents: Mapping[str, float],
    budget: Array,
    window: tuple[float, float],
) -> tuple[Check, ...]:
    """Return a check for the risk and for every tuned variable of a sum of powers.

    Args:
        proxy: the bound.
        tuned: the variables that were minimised over together.
        fixed: the others.
        steps: the log step of each tuned axis.
        curves: for "risk" and each variable, the measured curve and its edge points, shape (n,).
        exponents: for some of these names, the predicted exponents.
        budget: T or K, shape (n,).
        window: the budgets to fit over.
    """
    measured = Curves(proxy.budget, budget, {v: curves[v] for v in curves if v in exponents}, window)
    slopes = power_slopes(proxy, Regime(tuple(tuned), fixed), steps, measured)
    return tuple(verdict(f"slope of {s.name}", s.fit, exponents[s.name], s.bias) for s in slopes)


def refined_checks(
    proxy: Proxy | FunctionProxy,
    regime: Regime,
    curves: Mapping[str, tuple[Array, Bools]],
    laws: Mapping[str, tuple[float, float]],
    *,
    budget: tuple[str, Array],
    window: tuple[float, float],
) -> tuple[Check, ...]:
    """Return a check for every law of a bound that is no sum of powers.

    A law T^p (log T)^q is held against p once the curve is freed of its logarithm.

    Args:
        proxy: the bound.
        regime: what is tuned and fixed.
        curves: for "risk" and each variable, the measured curve and its edge points, shape (n,).
        laws: for some of these names, the predicted powers of the budget and of its log.
        budget: "T" or "K", and its values, shape (n,).
        window: the budgets to fit over.
    """
    name, values = budget
    measured = Curves(name, values, {v: curves[v] for v in laws}, window)
    checks = []
    for slope in refined_slopes(proxy, regime, measured, logs={v: log_power for v, (_, log_power) in laws.items()}):
        power, log_power = laws[slope.name]
        check = verdict(f"slope of {slope.name}", slope.fit, power, slope.bias)
        told = f", freed of (log {name})^{log_power:.3g}" if log_power else ""
        checks.append(replace(check, note=check.note + told))
    return tuple(checks)
