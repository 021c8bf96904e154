"""``exponents``: the exact asymptotics of a bound."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from fractions import Fraction

from hpgrid.asymptotics import answers
from hpgrid.asymptotics.law import Law
from hpgrid.asymptotics.paths import along_path
from hpgrid.asymptotics.posynomial import pose
from hpgrid.proxy import FunctionProxy, Proxy
from hpgrid.regime import Regime, as_regime


def exponents(
    proxy: Proxy | FunctionProxy,
    tuned: Iterable[str] | None = None,
    *,
    fixed: Mapping[str, float] | None = None,
    path: Mapping[str, Fraction] | None = None,
    caps: Mapping[str, float] | None = None,
    regime: Regime | None = None,
    budget: str | None = None,
    min_K: float | None = None,
) -> Law:
    """Return how a bound's optimum scales as the budget goes to infinity: exact exponents, whole laws.

    The largest exponent of the terms is minimised exactly; where that leaves a choice, the terms
    below decide it, level by level; each level's constants come from its geometric program.

    Args:
        proxy: the bound, a sum of terms.
        tuned: the hyperparameters that are optimised.
        fixed: hyperparameters held at one value; they stay symbols in the laws.
        path: hyperparameters that follow a power of the budget: {"b": Fraction(1, 2)} is b = T^(1/2).
        caps: largest values of tuned hyperparameters; in the laws they are b_max, alpha_max, eta_max.
        regime: the four above, whole.
        budget: "T" or "K"; the bound's own, by default.
        min_K: the least number of iterations: b <= T/min_K, in T form.

    Raises:
        ValueError: the bound is a function, a term is no power of what is tuned, nothing is tuned,
            or the regime contradicts itself or the bound.

    Source: Shulgin et al., Theorems 1 to 3 and Appendix B, by way of exact linear programs.
    """
    chosen = as_regime(regime, tuned, min_K, fixed=fixed, path=path, caps=caps)
    problem = pose(proxy, chosen, budget)
    assert isinstance(proxy, Proxy)  # ``pose`` takes no other
    law = answers.solve(problem, proxy.name, chosen.path)
    return replace(law, segments=along_path(proxy, chosen, problem.budget))
