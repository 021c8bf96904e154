"""hpgrid's own laws of the joint optimum: how flat it is, and when a batch size above 1 pays."""

from __future__ import annotations

from functools import cache, partial
from typing import Any, NamedTuple

import numpy as np

from hpgrid.claims.ledger import Claim, Finding, claim as claimed, gather
from hpgrid.claims.readings import at_most, same, together
from hpgrid.claims.routes import EQ4, FAR, FARTHER, SOLVER, exact, refined, setting
from hpgrid.readings import Reading, of_exponent
from hpgrid.theory import theorems

claim = partial(claimed, source="hpgrid")

JOINT = setting("eta", "b", "alpha")

#: Constants C1, C2, C3 with the noise weak, even and strong.
TRIPLES = ((0.3, 0.2, 5.0), (1.0, 1.0, 1.0), (2.0, 2.0, 0.7))


def claims() -> tuple[Claim, ...]:
    """Return the project's own claims."""
    from hpgrid.claims import critical, own

    return gather(own, critical)


def _named(triple: tuple[float, float, float]) -> dict[str, Any]:
    return dict(zip(("C1", "C2", "C3"), triple))


@claim("H.curve", "theory.theorems", "T and b of the joint optimum are closed forms of alpha, whatever C1, C2, C3")
def curve() -> Finding:
    alpha = np.logspace(-10, -3, 8)
    readings = []
    for triple in TRIPLES:
        T, b, eta = theorems.theorem3_curve(alpha, *triple)
        found = refined(EQ4, JOINT, T, **_named(triple))
        inside = b >= 1
        parts = zip(("alpha", "b", "eta"), (alpha, b, eta))
        readings += [same(f"{v}, C = {triple}", "refined", found.at[v][inside], x[inside]) for v, x in parts]
    return Finding(tuple(readings))


@claim("H.regret", "theory.theorems", "a decade off the joint optimum, the others re-tuned, costs ~ T^(-1/3)")
def regret() -> Finding:
    from hpgrid.refinement import regret as excess

    readings = []
    for v in ("eta", "b", "alpha"):
        near, far, farther = np.log(excess(_proxy(TRIPLES[1]), v, 10, tuned=JOINT.tuned, T=[FAR, 10 * FAR, FARTHER]))
        local, whole = (far - near) / np.log(10), (farther - near) / np.log(FARTHER / FAR)
        tolerance = abs(local - whole) + 2 * SOLVER
        readings.append(of_exponent(f"regret of {v} ~ T^p", "refined", local, theorems.REGRET_EXPONENT, tolerance))
    levels = [level.exponent for level in exact(EQ4, JOINT).levels]
    readings.append(Reading("level 2 less level 1", "exact", levels[1] - levels[0], theorems.REGRET_EXPONENT))
    return Finding(tuple(readings))


class Ends(NamedTuple):
    """How far a near-optimal interval's ends are from their laws, relatively."""

    low: float
    high: float


@cache
def _ends(triple: tuple[float, float, float], within: float) -> Ends:
    """Below b = 1 too, where the law's own lower end lies."""
    from hpgrid.refinement import flatness

    found = flatness(_proxy(triple), within=within, tuned=JOINT.tuned, T=FAR, limits={"b": (1e-60, 1e200)})
    low, high = theorems.near_optimal(FAR, within, *triple)
    return Ends(float(found.low["b"] / low - 1), float(found.high["b"] / high - 1))


def _first_order(end: str) -> Finding:
    """An error of first order in the share: a hundredth of the share leaves a hundredth of the error."""
    readings = []
    for triple in TRIPLES:
        errors = [getattr(_ends(triple, within), end) for within in (1e-2, 1e-4)]
        order = np.log(errors[0] / errors[1]) / np.log(100)
        # The next order, in the share 1e-2 itself, over the range of the fit.
        tolerance = 10 * 1e-2 / np.log(100)
        readings.append(of_exponent(f"error ~ share^p, C = {triple}", "refined", order, 1, tolerance))
        readings.append(at_most(f"|error|, share 1e-4, C = {triple}", "refined", abs(errors[1]), 1e-3))
    return Finding(tuple(readings))


@claim("H.near.low", "theory.theorems", "b >= C2^3/(32 (C1 C3)^(3/2) e^2) T^(-1/2) costs at most e, to first order")
def low() -> Finding:
    return _first_order("low")


@claim("H.near.high", "theory.theorems", "b <= 2 e C2/(C1 C3)^(1/2) T^(1/2) costs at most e, to first order")
def high() -> Finding:
    return _first_order("high")


@claim("H.pays", "theory.theorems", "a batch size above 1 pays from where the curve has b = 1")
def pays() -> Finding:
    readings = []
    for triple in TRIPLES[:2]:
        start = theorems.pays_from(*triple)
        found = refined(EQ4, JOINT, [start * (1 - 1e-6), start * (1 + 1e-6)], **_named(triple))
        held = found.active["b"].tolist()
        readings.append(Reading(f"b held at 1 just before, C = {triple}", "refined", held[0], -1))
        readings.append(Reading(f"b held at 1 just after, C = {triple}", "refined", held[1], 0))
    weak: Any = exact(EQ4, JOINT).starts["b"]
    law = float(weak.constant)
    readings.append(Reading("2^10 (C1 C3)^5/C2^10, C = 1", "exact", law, 2.0**10, SOLVER * law))
    return Finding(
        together(readings), f"at C = 1 it is {theorems.pays_from(1, 1, 1):.0f}: the power law is for weak noise"
    )


@claim("H.one", "README", "with C1 = C2 = C3 = 1 a batch size of 1 never costs more than 0.14%, alpha and eta tuned")
def one() -> Finding:
    T = np.logspace(2, 22, 201)
    best = refined(EQ4, JOINT, T).log_risk
    cost = np.expm1(refined(EQ4, setting("eta", "alpha", b=1.0), T).log_risk - best)
    return Finding((at_most("largest cost, T = 1e2 to 1e22", "refined", float(cost.max()), 1.4e-3),))


def _proxy(triple: tuple[float, float, float]) -> Any:
    from hpgrid import bounds

    return bounds.lmo(**_named(triple))
