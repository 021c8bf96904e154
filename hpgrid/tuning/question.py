"""What is asked about a bound: where it is searched, and what is tuned."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from hpgrid.checks import TUNABLE
from hpgrid.grid import Grid
from hpgrid.proxy import FunctionProxy, Proxy
from hpgrid.regime import Regime, along, as_regime
from hpgrid.shapes import Floats as Array


@dataclass(frozen=True)
class Question:
    """A bound, a grid and a regime that fit together; ``ask`` makes one.

    Attributes:
        proxy: the bound, in the form of the grid's budget.
        grid: where it is searched: the axes that it depends on.
        regime: what is tuned, fixed, on a path, capped, and the smallest number of iterations.
        dtype: the precision of the search.
    """

    proxy: Proxy | FunctionProxy
    grid: Grid
    regime: Regime
    dtype: str = "float64"

    @property
    def budget(self) -> str:
        """The name of the budget: "T" or "K"."""
        return self.grid.budget

    @cached_property
    def budgets(self) -> Array:
        """The budgets of the grid, shape (n,)."""
        return np.asarray(self.grid.axes[self.budget].values)

    @property
    def min_K(self) -> float | None:
        """The smallest number of iterations, or None."""
        return self.regime.min_K

    @property
    def steps(self) -> dict[str, float]:
        """The log step of every tuned axis."""
        return {v: self.grid.axes[v].step for v in self.regime.tuned}

    @cached_property
    def caps(self) -> dict[str, float]:
        """The largest value of each capped variable: the regime's, or the bound's own where that is smaller."""
        return self.regime.joint_caps(self.proxy.caps)

    @cached_property
    def is_posynomial(self) -> bool:
        """Whether the bound is a sum of powers of what is tuned, so that its optimum is a convex problem's."""
        # Of a function nothing follows a path.
        whole = self.proxy if isinstance(self.proxy, FunctionProxy) else along(self.proxy, self.regime.path)
        return whole.is_posynomial(self.regime.tuned)

    def in_iterations(self) -> Question:
        """Return the question with iterations as its budget, to be refined: its grid has the same axes otherwise."""
        grid = self.grid.with_axes(K=self.grid.axes[self.budget])
        return replace(self, proxy=self.proxy.form("K"), grid=grid, regime=replace(self.regime, min_K=None))

    def holding(self, name: str) -> Question:
        """Return the question with one tuned variable taken out of the tuned ones, its value to be given elsewhere."""
        others = tuple(v for v in self.regime.tuned if v != name)
        return replace(self, regime=replace(self.regime, tuned=others))

    def refining(self) -> dict[str, Any]:
        """Return the keywords that ``refine`` and ``flatness`` take, but for the budgets."""
        return {"regime": self.regime}


def ask(
    proxy: Proxy | FunctionProxy,
    grid: Grid,
    regime: Regime,
    *,
    min_K: float | None = None,
    dtype: str = "float64",
) -> Question:
    """Return what is asked, checked: every variable of the bound has one role, and every tuned one an axis.

    Axes that the bound does not depend on are left out of the grid.

    Args:
        proxy: the bound.
        grid: the box; its budget is the one that the bound is taken in.
        regime: what is tuned, fixed, on a path, capped.
        min_K: smallest number of iterations T/b.
        dtype: "float64" or "float32".

    Raises:
        ValueError: as ``Regime.settled``.
    """
    regime = as_regime(regime, None, min_K).settled(proxy, grid)
    variables = proxy.form(grid.budget).variables()
    unused = [v for v in TUNABLE if getattr(grid, v) is not None and v not in variables]
    return Question(proxy.form(grid.budget), grid.with_axes(**dict.fromkeys(unused)), regime, dtype)
