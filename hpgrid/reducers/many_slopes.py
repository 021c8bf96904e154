"""Slopes of many curves at once: what ``slopes`` does for one, without a loop."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from hpgrid.shapes import Array, Bool, Float, Int


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
