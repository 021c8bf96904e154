"""A tuning problem: a bound, a grid and a regime that fit together, and the exact law of the bound in the regime."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hpgrid.checks import Given, InputError, changed
from hpgrid.grid import Grid
from hpgrid.proxy import FunctionProxy, Proxy, check_bound
from hpgrid.refinement.problem import Problem, pose
from hpgrid.regime import Regime, as_regime
from hpgrid.search.brute import SearchPlan, SearchResult, best_of, inside, plan_search
from hpgrid.shapes import Floats as Array
from hpgrid.slopes import REFINED
from hpgrid.text import held
from hpgrid.variables import STANDARD

if TYPE_CHECKING:
    from hpgrid.asymptotics import Law


#: What it means that a cell of a grid is lower than the refined optimum, which no cell can be of a convex problem.
LOWER = "the optimum is a local one, or the bound does not hold there, and a domain (--domain) leaves that out"


@dataclass(frozen=True, repr=False)
class TuningProblem:
    """A bound, a grid and a regime that fit together; ``tuning_problem`` makes one."""

    proxy: Proxy | FunctionProxy  # the bound, in the form of the grid's budget
    grid: Grid  # where it is searched: the axes that it depends on
    regime: Regime  # what is tuned, fixed, on a path, capped, and the smallest number of iterations
    dtype: str = "float64"  # the precision of the search
    method: str = "auto"  # how it is searched, see ``grid_search``

    def __repr__(self) -> str:
        return f"TuningProblem({self.proxy.name}, {', '.join(self.regime.tuned)} tuned, {self.grid})"

    @property
    def budget(self) -> str:
        """The name of the budget: "T", "K", or one that is declared."""
        return self.grid.budget

    @cached_property
    def budgets(self) -> Array:
        """The budgets of the grid, shape (n,)."""
        return np.asarray(self.grid.axes[self.budget].values)

    @property
    def batch(self) -> str:
        """The name of the batch size; "" where there is none."""
        return self.grid.space.batch or ""

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
        return self.proxy.along(self.regime.path).is_posynomial(self.regime.tuned)

    def in_iterations(self) -> TuningProblem:
        """Return the problem with iterations as its budget, to be refined: its grid has the same axes otherwise."""
        grid = self.grid.with_axes(K=self.grid.axes[self.budget])
        return replace(self, proxy=self.proxy.form("K"), grid=grid, regime=changed(self.regime, min_K=None))

    def holding(self, name: str) -> TuningProblem:
        """Return the problem with one tuned variable taken out of the tuned ones, its value to be given elsewhere."""
        others = tuple(v for v in self.regime.tuned if v != name)
        return replace(self, regime=changed(self.regime, tuned=others))

    @cached_property
    def plan(self) -> SearchPlan:
        """What a search of the grid is made of."""
        return plan_search(self.proxy, self.grid, self.regime)

    def search(self) -> SearchResult:
        """Return the grid's best cell at every budget."""
        return inside(best_of(self.plan, self.dtype, method=self.method), self.proxy)

    def posed(self, budgets: Array) -> Problem:
        """Return the problem of the continuous optimum at some budgets."""
        return pose(self.proxy, self.regime, (self.budget, budgets))

    @cached_property
    def law(self) -> tuple[Law | None, str]:
        """The exact asymptotics, or None and why there are none: see ``exact_law``."""
        from hpgrid.asymptotics.exact import law_of

        return _law_or_why(law_of, self.proxy, self.regime, budget=self.budget)

    def unbounded_to(self, name: str, limit: float) -> str:
        """Return where a variable without a best value runs off to, 0 or inf, and what would stop it."""
        law, _ = self.law
        cure = law.unbounded[name].cure if law is not None and name in law.unbounded else ""
        end = "infinity" if limit > 0 else "0"
        return f"{end}: {cure or f'only a bound on {name}'} would stop it"

    def roles_text(self) -> str:
        """Return what is held, on a path and capped: "alpha = 0.001 (beta = 0.999) held, b <= 1e+06"."""
        parts = [f"{held(v, x)} held" for v, x in self.regime.fixed.items()]
        parts += [f"{v} = {power.text(self.budget)}" for v, power in self.regime.path.items()]
        floors = {v.name: v.low for v in self.proxy.space.tunable if v.low > STANDARD.all.get(v.name, v).low}
        parts += [f"{v} >= {floor:g}" for v, floor in floors.items() if v in self.regime.tuned]
        parts += [f"{v} <= {cap:g}" for v, cap in self.caps.items() if v in self.regime.tuned]
        if self.min_K is not None and self.budget == "T":
            parts.append(f"K >= {self.min_K:g}")
        return ", ".join(parts)


def tuning_problem(
    proxy: Proxy | FunctionProxy,
    grid: Grid,
    regime: Regime,
    *,
    min_K: Given | None = None,
    dtype: str = "float64",
    method: str = "auto",
) -> TuningProblem:
    """Return a problem, checked: every variable of the bound has one role, and every tuned one an axis.

    Axes that the bound does not depend on are left out of the grid.

    Args:
        proxy: the bound.
        grid: the box; its budget is the one that the bound is taken in.
        regime: what is tuned, fixed, on a path, capped.
        min_K: smallest number of iterations T/b.
        dtype: "float64" or "float32".
        method: "auto", "exact" or "brute": see ``grid_search``.

    Raises:
        ValueError: as ``Regime.settled``.
    """
    check_bound(proxy)
    regime = as_regime(regime, None, min_K).settled(proxy, grid := grid.over(proxy.space))
    variables = proxy.form(grid.budget).variables()
    unused = [v for v, _ in grid.entries if v != grid.budget and v not in variables]
    return TuningProblem(proxy.form(grid.budget), grid.with_axes(**dict.fromkeys(unused)), regime, dtype, method)


def exact_law(proxy: Proxy | FunctionProxy, regime: Regime, budget: str) -> tuple[Law | None, str]:
    """Return a bound's exact asymptotics in a regime as a budget grows, or None and why it has none, in a line."""
    from hpgrid.asymptotics import exponents

    return _law_or_why(exponents, proxy, regime=regime, budget=budget)


def _law_or_why(law: Callable[..., Law], *bound: Any, **options: Any) -> tuple[Law | None, str]:
    try:
        return law(*bound, **options), ""
    except InputError as error:
        return None, str(error).split(". Given:")[0]


def is_lower(grid: ArrayLike, refined: ArrayLike, dtype: str = "float64") -> NDArray[np.bool_]:
    """Return where a risk on a grid is below a refined one by more than both are sure to; never, of NaN."""
    sure = max(REFINED, float(np.finfo(dtype).resolution))
    with np.errstate(divide="ignore", invalid="ignore"):  # an infimum may be 0
        return np.asarray(np.log(refined) - np.log(grid) > sure)


def predicted(law: Law | None) -> dict[str, Fraction]:
    """Return the exponents of the risk and of the tuned variables, as far as there are any."""
    return {} if law is None else {v: exponent for v, exponent in law.exponent.items() if exponent is not None}


def monomials(law: Law | None) -> list[tuple[dict[str, Fraction], Fraction]]:
    """Return what the leading order fixes of several variables at once, where it leaves each open: powers, exponent."""
    identifiable = [] if law is None else law.identifiable
    return [(dict(m.powers), m.exponent) for m in identifiable if len(m.powers) > 1 and 1 in m.powers.values()]
