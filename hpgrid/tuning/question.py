"""What is asked about a bound: where it is searched, and what is tuned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hpgrid.checks import TUNABLE, bad
from hpgrid.grid import Grid
from hpgrid.proxy import FunctionProxy, Proxy
from hpgrid.regime import Regime, along
from hpgrid.search.brute import check_min_K, joint_caps

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Question:
    """A bound, a grid and a regime that fit together; ``ask`` makes one.

    Attributes:
        proxy: the bound, in the form of the grid's budget.
        grid: where it is searched: the axes that it depends on.
        regime: what is tuned, fixed, on a path, capped.
        min_K: the smallest number of iterations, or None.
        dtype: the precision of the search.
    """

    proxy: Proxy | FunctionProxy
    grid: Grid
    regime: Regime
    min_K: float | None = None
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
    def steps(self) -> dict[str, float]:
        """The log step of every tuned axis."""
        return {v: self.grid.axes[v].step for v in self.regime.tuned}

    @cached_property
    def caps(self) -> dict[str, float]:
        """The largest value of each capped variable: the regime's, or the bound's own where that is smaller."""
        return joint_caps(self.proxy.caps, self.regime.caps)

    @cached_property
    def is_posynomial(self) -> bool:
        """Whether the bound is a sum of powers of what is tuned, so that its optimum is a convex problem's."""
        # Of a function nothing follows a path.
        whole = self.proxy if isinstance(self.proxy, FunctionProxy) else along(self.proxy, self.regime.path)
        return whole.is_posynomial(self.regime.tuned)

    def in_iterations(self) -> Question:
        """Return the question with iterations as its budget, to be refined: its grid has the same axes otherwise."""
        grid = self.grid.with_axes(K=self.grid.axes[self.budget])
        return replace(self, proxy=self.proxy.form("K"), grid=grid, min_K=None)

    def holding(self, name: str) -> Question:
        """Return the question with one tuned variable taken out of the tuned ones, its value to be given elsewhere."""
        others = tuple(v for v in self.regime.tuned if v != name)
        return replace(self, regime=replace(self.regime, tuned=others))

    def refining(self) -> dict[str, Any]:
        """Return the keywords that ``refine`` and ``flatness`` take, but for the budgets."""
        return {"regime": self.regime, "min_K": self.min_K}


def ask(
    proxy: Proxy | FunctionProxy,
    grid: Grid,
    regime: Regime,
    *,
    min_K: float | None = None,
    dtype: str = "float64",
) -> Question:
    """Return what is asked, checked: every variable of the bound has one role, and every tuned one an axis.

    Axes that the bound does not depend on are left out of the grid. A bound given by a function of b has at least one
    iteration under a token budget, where nothing else is said, as in the figures.

    Args:
        proxy: the bound.
        grid: the box; its budget is the one that the bound is taken in.
        regime: what is tuned, fixed, on a path, capped.
        min_K: smallest number of iterations T/b.
        dtype: "float64" or "float32".

    Raises:
        ValueError: a variable without a role, a tuned one that the bound lacks or the grid has no axis of, no axis
            of budgets, or least iterations of a bound without b.
    """
    check_min_K(min_K)
    proxy = proxy.form(grid.budget)
    if min_K is not None and grid.budget == "T" and "b" not in proxy.variables():
        rule = f"the bound {proxy.name} does not depend on b, so that tokens are no number of iterations"
        raise bad(rule, f"at least {min_K:g} iterations", "no least number of them")
    least = least_iterations(proxy, grid.budget) if min_K is None else min_K
    held = {name: value for name, value in grid.held.items() if name not in regime.path}
    _check_roles(proxy, grid, regime, {**held, **regime.fixed})
    variables = proxy.variables()
    unused = [v for v in TUNABLE if getattr(grid, v) is not None and v not in variables]
    regime = replace(regime, fixed={v: x for v, x in {**held, **regime.fixed}.items() if v in variables})
    return Question(proxy, grid.with_axes(**dict.fromkeys(unused)), regime, least, dtype)


def _check_roles(proxy: Proxy | FunctionProxy, grid: Grid, regime: Regime, fixed: Mapping[str, float]) -> None:
    """Refuse a regime that leaves a variable without a role, or gives one to what is not there."""
    if grid.budget not in grid.axes:
        raise bad("a search over budgets has an axis of them", grid.held, f"{grid.budget} as an axis")
    if not regime.tuned:
        raise bad("a search needs something that is tuned", "nothing", "eta,b as what is tuned, say")
    variables = proxy.variables()
    for v in TUNABLE:
        has_role = v in regime.tuned or v in fixed or v in regime.path
        if v in variables and not has_role:
            rule = f"{v} of the bound {proxy.name} is neither tuned nor fixed nor on a path"
            raise bad(rule, {"tuned": list(regime.tuned), "fixed": list(fixed)}, f"{v} as tuned or fixed")
        if v in regime.tuned and v not in variables:
            rule = f"the bound {proxy.name} does not depend on {v}, so there is no best one"
            raise bad(rule, list(regime.tuned), f"{', '.join(x for x in variables if x in TUNABLE)} or some of them")
        if v in regime.tuned and v not in grid.axes:
            raise bad(f"{v} is tuned, so that it needs an axis", list(grid.axes), f"a grid with an axis of {v}")


def least_iterations(proxy: Proxy | FunctionProxy, budget: str) -> float | None:
    """Return the least iterations of a search: one for a function of b under a token budget, None for all else."""
    return 1.0 if isinstance(proxy, FunctionProxy) and budget == "T" and "b" in proxy.variables() else None
