"""Theorem 3: learning rate, batch size and momentum tuned together."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from hpgrid.claims.ledger import Finding, claim
from hpgrid.claims.readings import on_grid, settles, slope, together
from hpgrid.claims.routes import EQ4, FAR, FARTHER, refined, setting, value
from hpgrid.theory import fixed_batch, joint

JOINT = setting("eta", "b", "alpha")


def _law(name: str) -> Finding:
    return Finding(slope(name, joint.EXPONENTS[name], JOINT, EQ4))


@claim("S.eq9.b", "eq. (9)", "all tuned, b_T* ~ T^1/6")
def eq9_b() -> Finding:
    return _law("b")


@claim("S.eq9.eta", "eq. (9)", "all tuned, eta_T* ~ T^-7/12")
def eq9_eta() -> Finding:
    return _law("eta")


@claim("S.eq9.alpha", "eq. (9)", "all tuned, alpha_T* ~ T^-1/3")
def eq9_alpha() -> Finding:
    return _law("alpha")


@claim("S.eq9.risk", "eq. (9)", "all tuned, risk_T* ~ T^-1/4")
def eq9_risk() -> Finding:
    return _law("risk")


@claim("S.thm3.consistent", "after eq. (9)", "these schedules are those of eq. (8) with b = b_T*")
def consistent() -> Finding:
    found = refined(EQ4, JOINT, [FAR, FARTHER])
    b: Any = value(found, "b")
    alpha = fixed_batch.momentum_complement(found.budgets, b, 1.0, 1.0, 1.0)
    eta = fixed_batch.learning_rate(found.budgets, b, 1.0, 1.0, 1.0)
    return Finding(
        together(
            on_grid("fig9", "slope of alpha/b", "slope of eta/b"),
            settles("alpha* over B.2's at b*", "refined", value(found, "alpha") / alpha),
            settles("eta* over B.2's at b*", "refined", value(found, "eta") / eta),
        ),
        "with their constants; on the grid these two combinations can be told, though b, alpha and eta cannot",
    )


@claim(
    "S.thm3.equivalent",
    "after Theorem 3",
    "at leading order several batch-growth paths are equivalent, all else re-tuned",
)
def equivalent() -> Finding:
    best = refined(EQ4, JOINT, [FAR, FARTHER]).risk
    readings = []
    for p in (Fraction(0), Fraction(1, 4), Fraction(3, 8)):
        path = refined(EQ4, setting("eta", "alpha", b=p), [FAR, FARTHER]).risk
        readings.append(settles(f"risk along b = T^{p} over the joint one", "refined", path / best))
    half = refined(EQ4, setting("eta", "alpha", b=Fraction(1, 2)), [FAR, FARTHER]).risk / best
    return Finding(
        tuple(readings),
        f"constants included; at b = T^1/2 alpha no longer falls, and the constant is {half[1]:.4f} times larger",
    )
