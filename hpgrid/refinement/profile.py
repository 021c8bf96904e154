"""The continuous optimum behind a grid's argmin: what a tolerance is derived from.

A posynomial is convex in the logs. Profiling out one variable leaves a convex function of the
others, so nested bisection on the sign of a derivative finds the optimum, whatever the bound.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike

from hpgrid.checks import bad
from hpgrid.proxy import FunctionProxy, Proxy, evaluate_factor
from hpgrid.shapes import Array, Bool, Float

#: Where each variable is looked for, in natural log: eta anywhere, b >= 1, alpha <= 1.
_BRACKET = {"eta": (-250.0, 250.0), "b": (0.0, 500.0), "alpha": (-250.0, 0.0)}


#: Halvings of a bracket: 500 / 2^48 is 2e-12.
_HALVINGS = 48


@dataclass(frozen=True)
class Profile:
    """The continuous optimum at every budget.

    Attributes:
        risk: the infimum, shape (n,).
        at: for every tuned variable, where it is attained, shape (n,).
    """

    risk: Float[Array, "n"]
    at: Mapping[str, Float[Array, "n"]]


def profile(
    proxy: Proxy | FunctionProxy,
    tuned: Sequence[str],
    fixed: Mapping[str, float],
    budget: ArrayLike,
    box: Mapping[str, tuple[float, float]] | None = None,
) -> Profile:
    """Return the continuous optimum of a posynomial over some variables.

    Args:
        proxy: the bound.
        tuned: the variables to minimise over.
        fixed: values of the others.
        budget: T or K, shape (n,).
        box: narrower limits than eta > 0, b >= 1, 0 < alpha <= 1.

    Raises:
        ValueError: the bound is not a posynomial in the tuned variables.
    """
    constants, exponents = _log_form(proxy, tuned, fixed, np.asarray(budget, float))
    brackets = _brackets(proxy, tuned, box)
    log_risk, at, _ = _solve(constants, exponents, _order(exponents), brackets)
    return Profile(np.exp(log_risk), {v: np.exp(at[v]) for v in tuned})


def sublevel(
    proxy: Proxy | FunctionProxy,
    tuned: Sequence[str],
    fixed: Mapping[str, float],
    budget: ArrayLike,
    name: str,
    excess: float,
    box: Mapping[str, tuple[float, float]] | None = None,
    optimum: Profile | None = None,
) -> tuple[Float[Array, "n"], Float[Array, "n"]]:
    """Return the values of ``name`` between which the log risk is within ``excess`` of its minimum.

    The other tuned variables are re-tuned. Each of the two has shape (n,).

    Args:
        proxy: as of ``profile``.
        tuned: as of ``profile``.
        fixed: as of ``profile``.
        budget: as of ``profile``.
        name: one of the tuned variables.
        excess: in log risk.
        box: as of ``profile``.
        optimum: what ``profile`` returns, where it is known.
    """
    constants, exponents = _log_form(proxy, tuned, fixed, np.asarray(budget, float))
    brackets = _brackets(proxy, tuned, box)
    order = _order(exponents)
    optimum = optimum or profile(proxy, tuned, fixed, budget, box)
    best, at = np.log(optimum.risk), {name: np.log(optimum.at[name])}
    others = [v for v in order if v != name]

    def inside(z: Float[Array, "n"]) -> Bool[Array, "n"]:
        moved = constants + exponents[name][:, None] * z
        return _solve(moved, exponents, others, brackets)[0] <= best + excess

    ends = []
    for limit in brackets[name]:
        near, far = at[name].copy(), np.full_like(best, limit)
        reached = inside(far)
        for _ in range(_HALVINGS // 2):
            middle = (near + far) / 2
            keep = inside(middle)
            near, far = np.where(keep, middle, near), np.where(keep, far, middle)
        ends.append(np.exp(np.where(reached, limit, near)))
    return ends[0], ends[1]


def grid_excess(proxy: Proxy | FunctionProxy, steps: Mapping[str, float]) -> float:
    """Return by how much the log risk of a grid's minimum can exceed the continuous one's.

    The nearest grid point is within half a step of an interior optimum in every variable, and a
    log-sum-exp of slopes s_j along that move curves by at most (max s - min s)^2 / 4.

    Args:
        proxy: a posynomial.
        steps: the log step of every tuned axis.
    """
    posynomial = _posynomial(proxy)
    rows = [[_exponent(term.exponent(v)) for v in steps] for term in posynomial.terms]
    halves = np.array(list(steps.values())) / 2
    spread = max((float(np.abs(np.subtract(p, q)) @ halves) for p, q in combinations(rows, 2)), default=0.0)
    return spread**2 / 8


# --- the solve ---
def _posynomial(proxy: Proxy | FunctionProxy) -> Proxy:
    if isinstance(proxy, FunctionProxy):
        raise bad("a continuous profile needs a sum of powers", proxy.name, "a Proxy, or the grid alone")
    return proxy


def _exponent(exponent: object) -> float:
    if exponent is None:
        raise bad("a continuous profile needs powers of the tuned variables", exponent, "the grid alone")
    return float(exponent)  # type: ignore[arg-type]


def _log_form(
    proxy: Proxy | FunctionProxy, tuned: Sequence[str], fixed: Mapping[str, float], budget: Float[Array, "n"]
) -> tuple[Float[Array, "terms n"], dict[str, Float[Array, "terms"]]]:
    """Log coefficients, shape (terms, n), and for each tuned variable its exponents, shape (terms,)."""
    posynomial = _posynomial(proxy)
    rows = []
    for term in posynomial.terms:
        row = np.full(budget.shape, np.log(term.coefficient(posynomial.constants)))
        for variable, factor in term.factors.items():
            if variable == posynomial.budget:
                row = row + np.log(evaluate_factor(factor, budget))
            elif variable not in tuned and variable not in fixed:
                raise bad(f"{variable} is neither tuned nor fixed", dict(fixed), f"fixed={{'{variable}': ...}}")
            elif variable not in tuned:
                row = row + np.log(evaluate_factor(factor, fixed[variable]))
        rows.append(row)
    exponents = {v: np.array([_exponent(term.exponent(v)) for term in posynomial.terms]) for v in tuned}
    return np.array(rows), exponents


def _brackets(
    proxy: Proxy | FunctionProxy, tuned: Sequence[str], box: Mapping[str, tuple[float, float]] | None
) -> dict[str, tuple[float, float]]:
    brackets = {}
    for name in tuned:
        lo, hi = _BRACKET[name]
        if box and name in box:
            lo, hi = np.log(box[name][0]), np.log(box[name][1])
        if name in proxy.caps:
            hi = min(hi, np.log(proxy.caps[name]))
        brackets[name] = (float(lo), float(hi))
    return brackets


def _solve(
    constants: Float[Array, "terms n"],
    exponents: Mapping[str, Float[Array, "terms"]],
    order: Sequence[str],
    brackets: Mapping[str, tuple[float, float]],
) -> tuple[Float[Array, "n"], dict[str, Float[Array, "n"]], Float[Array, "terms n"]]:
    """Return the least log risk, where it is, and each term's share of it there."""
    if not order:
        top = constants.max(axis=0)
        shares = np.exp(constants - top)
        total = shares.sum(axis=0)
        return top + np.log(total), {}, shares / total
    name, rest = order[0], order[1:]
    row = exponents[name]
    if not rest and (z := _closed_form(constants, row, brackets[name])) is not None:
        log_risk, _, shares = _solve(constants + row[:, None] * z, exponents, rest, brackets)
        return log_risk, {name: z}, shares
    lo, hi = (np.full(constants.shape[1], end) for end in brackets[name])
    for _ in range(_HALVINGS):
        z = (lo + hi) / 2
        shares = _solve(constants + row[:, None] * z, exponents, rest, brackets)[2]
        rising = row @ shares > 0  # the derivative of the profiled log risk
        lo, hi = np.where(rising, lo, z), np.where(rising, z, hi)
    z = (lo + hi) / 2
    log_risk, at, shares = _solve(constants + row[:, None] * z, exponents, rest, brackets)
    return log_risk, {name: z, **at}, shares


def _closed_form(
    constants: Float[Array, "terms n"], row: Float[Array, "terms"], bracket: tuple[float, float]
) -> Float[Array, "n"] | None:
    """The minimiser of A x^-p + B x^q + C, x^(p+q) = p A / (q B), if the terms have that form."""
    if not _has_closed_form(row):
        return None
    p, q = -row.min(), row.max()
    down = np.logaddexp.reduce(constants[row < 0], axis=0) + np.log(p)
    up = np.logaddexp.reduce(constants[row > 0], axis=0) + np.log(q)
    return np.clip((down - up) / (p + q), *bracket)


def _has_closed_form(row: Float[Array, "terms"]) -> bool:
    return bool(len(set(row[row != 0])) == 2 and row.min() < 0 < row.max())


def _order(exponents: Mapping[str, Float[Array, "terms"]]) -> list[str]:
    """The variables, one with a closed form innermost."""
    return sorted(exponents, key=lambda v: (_has_closed_form(exponents[v]), v))
