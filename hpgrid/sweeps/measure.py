"""One block of combinations, measured: grid argmins, the refined optimum behind them, fitted slopes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hpgrid.grid import Grid
from hpgrid.refinement.optimum import Optimum, optimum_of, solved
from hpgrid.refinement.problem import pose
from hpgrid.regime import Regime
from hpgrid.search.many import ManyResult, best_of_many
from hpgrid.slopes import REFINED, burn_in_ends, fit_slopes
from hpgrid.sweeps.plan import Plan
from hpgrid.sweeps.store import Contents, contents_of

Array = NDArray[Any]


@dataclass(frozen=True)
class Options:
    """How a sweep is run, none of which changes its numbers.

    Attributes:
        method: "exact", which leaves out cells that can't be the best, or "brute".
        devices: how many of the local devices brute force uses; all where None.
        memory: the most bytes brute force may use at once; 32 MiB for each search under way where None.
    """

    method: str = "exact"
    devices: int | None = None
    memory: int | None = None


def measure(plan: Plan, grid: Grid, values: Mapping[str, Array], options: Options) -> dict[str, Array]:
    """Return by name the numbers of a block: shapes (regimes, n, budgets), or (regimes, n, ...) for the slopes.

    Args:
        plan: the sweep.
        grid: where the bound is evaluated.
        values: by swept name, its value in each of the n combinations.
        options: how it is run.
    """
    n = len(next(iter(values.values())))
    # Combinations that share exponents, and what is held, are one search: of each kind, its values.
    names = [name for name in values if name in plan.swept_exponents or name in plan.bound.held_names]
    keys = np.column_stack([values[name] for name in names]) if names else np.zeros((n, 1))
    kinds, place = np.unique(keys, axis=0, return_inverse=True)
    budget = (grid.budget, grid.axes[grid.budget].values)
    contents = contents_of(plan)
    whole: list[dict[str, Array]] = []
    for name in plan.regimes:
        parts: dict[str, Array] = {}
        for k, kind in enumerate(kinds):
            # In whatever order: each search writes its own rows.
            rows, at = np.flatnonzero(place.ravel() == k), dict(zip(names, map(float, kind)))
            proxy, regime = plan.proxy(grid.budget, at), plan.held(name, at)
            # A search needs a constant that varies: where none does, the first stands at its own value.
            own = {c: column[rows] for c, column in values.items() if c in proxy.constants} or {
                c: np.full(len(rows), x) for c, x in list(proxy.constants.items())[:1]
            }
            proxy.check_numbers({**proxy.constants, **own})
            argmins = best_of_many(proxy, grid, regime, own, **vars(options))
            optimum = optimum_of(pose(proxy, regime, budget, {c: column[:, None] for c, column in own.items()}))
            measured = _optima(argmins, optimum, regime, grid, contents)
            measured |= _slopes(argmins, optimum, regime, grid, contents)
            for key, array in measured.items():
                parts.setdefault(key, np.empty((n, *array.shape[1:]), array.dtype))[rows] = array
        whole.append(parts)
    return {key: np.stack([parts[key] for parts in whole]) for key in whole[0]}


def _optima(argmins: ManyResult, optimum: Optimum, regime: Regime, grid: Grid, contents: Contents) -> dict[str, Array]:
    """The best points, on the grid and refined; where a hyperparameter is held, what it is held at."""
    budget = grid.axes[grid.budget].values
    out: dict[str, Array] = {"risk_hat": argmins.risk, "risk_star": np.where(solved(optimum), optimum.risk, np.nan)}
    out["risk_exponent"] = np.where(optimum.converged, optimum.exponent["risk"], np.nan)
    for v in contents.names:
        if v in regime.tuned:
            out[f"{v}_hat"], out[f"{v}_edge"] = argmins.at[v], argmins.edge[v]
            out[f"{v}_star"] = np.where(optimum.converged, optimum.at[v], np.nan)
            out[f"{v}_exponent"] = np.where(optimum.converged, optimum.exponent[v], np.nan)
            continue
        power = float(regime.path.get(v, 0))
        value = regime.path[v].at(budget) if v in regime.path else regime.fixed.get(v, np.nan)
        out[f"{v}_hat"] = out[f"{v}_star"] = np.broadcast_to(np.asarray(value, float), argmins.risk.shape)
        out[f"{v}_edge"] = np.zeros(argmins.risk.shape, bool)
        out[f"{v}_exponent"] = np.full(argmins.risk.shape, power if v in (*regime.path, *regime.fixed) else np.nan)
    return out


def _slopes(argmins: ManyResult, optimum: Optimum, regime: Regime, grid: Grid, contents: Contents) -> dict[str, Array]:
    """Slopes of the grid's curves and of the refined ones, over the same budgets, and where burn-in ends.

    The argmin's uncertainty is read off the refined optimum: how far the two are apart over the window.
    """
    budget = grid.axes[grid.budget].values
    n = len(argmins.risk)
    ends = {}
    for v in (v for v in contents.burning if v in regime.tuned):
        axis, star = grid.axes[v].values, np.where(optimum.converged, optimum.at[v], np.nan)
        curves: list[Any] = [{"index": argmins.index[v]}, {"at": star}]
        ends[v] = [burn_in_ends(v, axis, **of, space=grid.space) for of in curves]
    first = np.max([hat for hat, _ in ends.values()], axis=0) if ends else np.zeros(n, int)
    burned = np.arange(len(budget)) >= first[:, None]
    edge = np.any([argmins.edge[v] for v in regime.tuned], axis=0)
    usable = burned & ~edge & optimum.converged & argmins.feasible
    nothing = np.full(argmins.risk.shape, np.nan)
    fitted = []
    for name in contents.quantities:
        hat, star = (of.risk if name == "risk" else of.at.get(name, nothing) for of in (argmins, optimum))
        fitted.append(fit_slopes(budget, hat, star, usable, REFINED))
    columns = {key: np.stack([each[key] for each in fitted], axis=1) for key in fitted[0]}
    columns["edge_points"] = (burned & edge).sum(axis=1)
    values, never = np.append(budget, np.nan), np.full(n, len(budget))
    for k, name in enumerate(("burn_in_hat", "burn_in_star")):
        each = [values[ends[v][k] if v in ends else never] for v in contents.burning]
        columns[name] = np.reshape(each, (len(each), n)).T
    return columns
