"""Theorem 1 and Appendix B.1: learning rate and batch size at a fixed momentum."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np

import hpgrid
from hpgrid.claims.ledger import Finding, Reading, claim
from hpgrid.claims.readings import at_least, at_most, on_grid, power, same, settles, slope, together, worst
from hpgrid.claims.routes import (
    EQ4,
    EQ5,
    EQ11,
    FAR,
    FARTHER,
    Array,
    columns,
    draws,
    exact,
    holding,
    law_at,
    refined,
    setting,
    value,
)
from hpgrid.grid import Grid, LogAxis
from hpgrid.slopes import fit_slope
from hpgrid.theory import fixed_momentum, iterations

ALPHA = 1e-3
ONE, HALF = Fraction(1), Fraction(1, 2)

#: eta alone, in iterations and in tokens; eta and b together.
IN_K = setting("eta", budget="K", b=32.0, alpha=ALPHA)
IN_T = setting("eta", b=32.0, alpha=ALPHA)
BOTH = setting("eta", "b", alpha=ALPHA)

ALL = (EQ5, EQ4, EQ11)


def _grid_eta(over: str, **held: float) -> tuple[float, float]:
    """The slope of eta's argmin along one axis of the footnote's grid, and its error: one step of eta."""
    axis = {"K": LogAxis(1e2, 1e16)} if over == "K" else {}
    grid = Grid.footnote().with_axes(**axis, **{name: x for name, x in held.items() if name != over})
    best = hpgrid.grid_search(hpgrid.bounds.lmo(budget=grid.budget), grid, "eta")
    found = fit_slope(best.axes[over], best.at["eta"], edge=best.edge["eta"], step=grid.axes["eta"].step)
    return found.slope, found.error


@claim("S.eq6.eta", "eq. (6), Theorem 1.1", "at fixed b and momentum eta_K* ~ K^-1/2")
def eq6_eta() -> Finding:
    measured, error = _grid_eta("K", b=32.0, alpha=ALPHA)
    grid = Reading("eta ~ K^p, eq. (3), b = 32", "grid", measured, iterations.FIXED_MOMENTUM_ETA, error)
    return Finding(together(grid, slope("eta", iterations.FIXED_MOMENTUM_ETA, IN_K, *ALL)))


@claim("S.eq6.risk", "eq. (6), B.1", "risk_K*(b) is 2 (C1 C3~/K)^(1/2) + C2~/b^(1/2)")
def eq6_risk() -> Finding:
    constants, K = draws("C1", "C2", "C3"), np.array([1e2, 1e6, 1e12])
    found = refined(EQ5, IN_K, K, **constants)
    predicted = iterations.risk(K, 32.0, ALPHA, **columns(constants))
    far = refined(EQ4, IN_K, [FAR, FARTHER])
    limit = iterations.risk(far.budgets, 32.0, ALPHA, 1.0, 1.0, 1.0)
    return Finding(
        (
            same("8 random C, eq. (5)", "refined", value(found, "risk"), predicted),
            settles("over the closed form, eq. (4)", "refined", value(far, "risk") / limit),
        ),
        "the sum in eq. (6) has two different constants: 'proportional to' is meant term by term",
    )


@claim("S.eq6.independent", "after eq. (6)", "at fixed K the optimal learning rate does not depend on b")
def eq6_independent() -> Finding:
    ladder = (1.0, 1e3, 1e6, 1e12)
    readings = []
    for bound in ALL:
        etas = [value(refined(bound, holding(IN_K, b=b), 1e10), "eta") for b in ladder]
        readings.append(same(f"eta at four b, {bound}", "refined", etas, etas[0]))
    return Finding(tuple(readings))


@claim("S.eq6.b", "after eq. (6), B.1", "at fixed K a larger b improves the bound; b_K* runs to infinity")
def eq6_b() -> Finding:
    regime = setting("eta", "b", budget="K", alpha=ALPHA)
    ladder = np.geomspace(1.0, 1e12, 13)
    risks = [refined(EQ4, holding(IN_K, b=b), 1e10).log_risk[0] for b in ladder]
    runs_off = bool(refined(EQ4, regime, 1e10).unbounded["b"].all())
    way = exact(EQ4, regime).unbounded.get("b")
    return Finding(
        (
            at_most("largest log step of the risk, b = 1 to 1e12", "refined", float(np.diff(risks).max()), 0.0),
            Reading("b is unbounded, eq. (4)", "refined", runs_off, True),
            Reading("b is unbounded, eq. (4)", "exact", way is not None and way.direction > 0, True),
        )
    )


@claim("S.eq6.saturates", "section 3.1", "at a fixed b (and momentum) optimisation saturates")
def eq6_saturates() -> Finding:
    found = refined(EQ4, IN_K, [FAR, FARTHER])
    floor = float(np.sqrt(ALPHA / 32.0))
    return Finding(
        together(
            slope("risk", Fraction(0), IN_K, EQ4, EQ11),
            settles("risk over C2 alpha^(1/2)/b^(1/2)", "refined", value(found, "risk") / floor),
        )
    )


@claim("S.thm1.eta.T", "Theorem 1.2; section 4, token transfer", "at a fixed batch size eta_T* ~ T^-1/2")
def eta_in_tokens() -> Finding:
    return Finding(slope("eta", -HALF, IN_T, *ALL))


@claim("S.thm1.eta.b", "Theorem 1.2; section 4, square-root law", "at a fixed budget eta_T*(b) ~ b^1/2")
def eta_in_batch() -> Finding:
    measured, error = _grid_eta("b", T=1e16, alpha=ALPHA)
    grid = Reading("eta ~ b^p, eq. (4), T = 1e16", "grid", measured, HALF, error)
    return Finding(together(grid, power("eta", "b", HALF, IN_T, *ALL)))


def _token_optimal(name: str) -> Finding:
    exponent = fixed_momentum.EXPONENTS[name]
    return Finding(together(on_grid("fig1", f"slope of {name}"), slope(name, exponent, BOTH, *ALL)))


@claim("S.eq7.b", "eq. (7)", "at a fixed momentum b_T* ~ T^1/2")
def eq7_b() -> Finding:
    return _token_optimal("b")


@claim("S.eq7.eta", "eq. (7); section 4", "at the best batch size eta_T* ~ T^-1/4")
def eq7_eta() -> Finding:
    return _token_optimal("eta")


@claim("S.eq7.risk", "eq. (7)", "at the best batch size risk_T* ~ T^-1/4")
def eq7_risk() -> Finding:
    return _token_optimal("risk")


@claim("S.eq7.interior", "after eq. (7)", "under a fixed token budget there is a non-trivial token-optimal batch size")
def eq7_interior() -> Finding:
    T = 1e16
    best = refined(EQ4, BOTH, T)
    costs = [refined(EQ4, holding(IN_T, b=b), T).risk[0] / best.risk[0] for b in (1.0, T)]
    b = float(value(best, "b")[0])
    return Finding(
        (
            at_least("b*, T = 1e16", "refined", b, 1.0),
            at_most("b*/T, T = 1e16", "refined", b / T, 1.0),
            Reading("a bound holds b*", "refined", bool(best.active["b"][0]), False),
        ),
        f"b = 1 costs {costs[0]:.3g} times the least risk, b = T {costs[1]:.3g} times",
    )


def _closed_form(name: str, form: Callable[..., Array]) -> Finding:
    """The optimum against a closed form: on eq. (5) for random constants, on eq. (4) far out, and the exact law."""
    constants, T = draws("C1", "C2", "C3"), np.array([1e30, 1e45, 1e60])
    readings = []
    for alpha in (1e-4, 0.1, 1.0):
        regime = setting("eta", "b", alpha=alpha)
        found = value(refined(EQ5, regime, T, **constants), name)
        predicted = form(T, alpha, **columns(constants))
        readings.append(same(f"8 random C, alpha = {alpha:g}, eq. (5)", "refined", found, predicted))
    far = refined(EQ4, BOTH, [FAR, FARTHER])
    ratio = value(far, name) / form(far.budgets, ALPHA, 1.0, 1.0, 1.0)
    readings.append(settles("over the closed form, eq. (4)", "refined", ratio))
    law = law_at(EQ4, BOTH, name, FAR)
    readings.append(same("the law at 1e40, eq. (4)", "exact", law, form(FAR, ALPHA, 1.0, 1.0, 1.0)))
    return Finding(tuple(readings))


@claim("S.eq24", "eq. (24), B.1", "b_T* = C2~/(2 (C1 C3~)^(1/2)) T^1/2")
def eq24() -> Finding:
    return _closed_form("b", fixed_momentum.batch_size)


@claim("S.eq25", "eq. (25)", "eta_T* = C1^(1/4) C2~^(1/2)/(2^(1/2) C3~^(3/4)) T^-1/4")
def eq25() -> Finding:
    return _closed_form("eta", fixed_momentum.learning_rate)


@claim("S.eq26", "eqs. (26), (27), B.1", "risk_T* = 2 2^(1/2) (C1 C3)^(1/4) C2^(1/2) (1 + alpha)^(1/4) T^-1/4")
def eq26() -> Finding:
    return _closed_form("risk", fixed_momentum.risk)


@claim("S.B1.eta", "B.1, the line before eq. (24)", "eta_T* = C1^(1/4) C2~^(1/2)/(2 C3~^(3/4))^(1/2) T^-1/4")
def misprint() -> Finding:
    T = np.array([1e30])
    found = float(value(refined(EQ5, BOTH, T), "eta")[0])
    printed = float(iterations.learning_rate_as_printed(T, ALPHA, 1.0, 1.0, 1.0)[0])
    right = worst(found, fixed_momentum.learning_rate(T, ALPHA, 1.0, 1.0, 1.0))
    return Finding(
        (same("eta* over it, eq. (5), alpha = 0.001", "refined", found, printed),),
        f"the root's bar is too long, or the text at hand lost its end: {printed / found:.3g} times too large there; "
        f"eq. (25), with 2^(1/2) C3~^(3/4), agrees to {right:.1g}",
    )
