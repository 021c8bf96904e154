"""The rules against the refined optimum of eq. (4) at both budgets, within what the bound's next terms come to.

With eta profiled exactly, the logs of the best b and alpha are those of the leading terms plus shifts by the terms
that come next, computed in each test from the optimum itself. A transfer carries the shift of the first budget to the
second, so that its error is at most the sum of both; where a shift is a power of T, at most the larger one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

import numpy as np
import pytest
from eq4 import at_b

from hpgrid import bounds
from hpgrid.refinement import refine
from hpgrid.transfers.rules import Row, moved
from hpgrid.transfers.start import TUNED, Limits, Setting

C1, C2, C3 = 2.0, 30.0, 0.5
EQ4 = bounds.lmo(C1=C1, C2=C2, C3=C3)

#: Short runs, and how much longer the long ones are.
STARTS = [1e12, 1e16, 1e24, 1e40]
LONGER = 100.0

#: The solver's: it stops on 1e-12 of the terms, whose curvature in the flattest direction is no less than 1e-3 here.
SOLVER = 1e-9

HELD = {"b": 1072.0, "alpha": 0.05}

#: So short a run that alpha is 1 at its best: alpha* of the leading terms is 1.3.
SHORT = 150.0


@cache
def best(T: float, tuned: str, **fixed: float) -> Setting:
    """The refined optimum of a regime, or of some variables, as a setting."""
    names = TUNED.get(tuned, tuple(tuned.split()))
    fixed = {name: value for name, value in HELD.items() if name not in names} | fixed
    found = refine(EQ4, names, T=np.array([T]), fixed=fixed)
    assert found.converged.all()
    at = Setting(T, **fixed | {name: float(array[0]) for name, array in found.at.items()})
    assert at.b > 1
    assert ("alpha" in names and at.alpha == 1) == (T <= SHORT), "an optimum inside its bounds, but for short runs"
    return at


def held_against(row: Row, at: Setting, tolerance: Mapping[str, float]) -> None:
    """Within the tolerance of its log."""
    for name, most in tolerance.items():
        ratio = getattr(row.at, name) / getattr(at, name)
        assert abs(np.log(ratio)) <= most + SOLVER, (row.regime, name, ratio, most)


def shifts_of_b(at: Setting) -> dict[str, float]:
    """Regime B's at a fixed b: alpha's shift is 2 burn_in - alpha/2, eta's is half of it less (1/2) ln(1 + alpha).

    burn_in is C2 b^(1/2)/(alpha T) over C2 (alpha/b)^(1/2).
    F(x) = A e^(-x/2) + B e^(x/2) with x = ln alpha has A e^(-x/2) = B e^(x/2) = r/2 and F'' = r/4 at its minimum.
    (1 + alpha)^(1/2) on the first term has the derivative (r/2)(alpha/2)/2 there, burn-in -(r/2) burn_in. What is of
    second order is smaller by the shift itself, for which 1% is left: no shift here is above that.
    """
    first = 2 * at.b / (at.alpha**1.5 * at.T) + at.alpha / 2
    assert first < 0.01
    return {"alpha": first * 1.01, "eta": (first / 2 + at.alpha / 2) * 1.01}


def shifts_of_c(at: Setting) -> dict[str, float]:
    """b* = C2 alpha^(1/2)/(2 (C1 C3 (1 + 1/alpha)/T)^(1/2) + C2/(alpha T)), exactly: its shift is a logarithm.

    Of 1 and burn-in over 2 (C1 C3 (1 + 1/alpha) b/T)^(1/2), with which it shares the power of b.
    """
    profiled = 2 * np.sqrt(C1 * C3 * (1 + 1 / at.alpha) * at.b / at.T)
    shift = float(np.log1p(C2 * np.sqrt(at.b) / (at.alpha * at.T) / profiled))
    return {"b": shift, "eta": shift / 2}


def shifts_of_d(at: Setting) -> dict[str, float]:
    """Regime D's, from alpha ~ (1 + alpha)^(1/3), b ~ alpha^(-1/2) (1 + alpha)/(1 + 2 alpha), and eta's profile.

    They are alpha/3, -7 alpha/6 and -11 alpha/12 to first order; 1% again for the second one.
    """
    assert at.alpha < 0.01
    return {"alpha": at.alpha / 3 * 1.01, "b": at.alpha * 7 / 6 * 1.01, "eta": at.alpha * 11 / 12 * 1.01}


#: Regime A is exact: burn-in and the noise have no eta, eta* = (C1 b/(C3 (1 + 1/alpha) T))^(1/2).
OWN: dict[str, Callable[[Setting], dict[str, float]]] = {
    "A": lambda _: {"eta": 0.0}, "B": shifts_of_b, "C": shifts_of_c, "D": shifts_of_d,
}  # fmt: skip


@pytest.mark.parametrize("T", STARTS)
@pytest.mark.parametrize("regime", OWN)
def test_a_regimes_own_rule(regime: str, T: float) -> None:
    start = best(T, regime)
    held_against(moved(regime, start, T * LONGER), best(T * LONGER, regime), OWN[regime](start))


@pytest.mark.parametrize(("regime", "more"), [("C", 0.1), ("C", 30.0), ("D", 0.5), ("D", 30.0)])
@pytest.mark.parametrize("T", STARTS)
def test_a_batch_size_that_is_given(regime: str, more: float, T: float) -> None:
    """C then tunes eta alone, exactly. D's optimum is B's at its own b, so that the errors are B's at both ends."""
    start = best(T, regime)
    to_b = start.b * more
    row, at = moved(regime, start, T * LONGER, given=at_b(to_b)), best(T * LONGER, {"C": "A", "D": "B"}[regime], b=to_b)
    ends = [shifts_of_b(each) if regime == "D" else {"eta": 0.0} for each in (start, at)]
    held_against(row, at, {x: ends[0][x] + ends[1][x] for x in ends[0]})


@pytest.mark.parametrize("T", STARTS)
def test_alpha_at_one_keeps_the_drift_of_table_3_in_eta(T: float) -> None:
    """To a batch size so large that alpha would exceed 1. The start's eta is that of 1 + 1/alpha; Table 3 takes 1/alpha
    for it up to 1, where it is 2: (2/(1 + alpha_0))^(1/2) of the best eta, exactly."""
    start = best(T, "B")
    to_b = 3 * start.b / start.alpha * LONGER**0.5
    row, at = moved("B", start, T * LONGER, given=at_b(to_b)), best(T * LONGER, "A", b=to_b, alpha=1.0)
    assert row.at.alpha == 1
    assert abs(np.log(row.at.eta / at.eta) - np.log(2 / (1 + start.alpha)) / 2) <= SOLVER


@pytest.mark.parametrize("T", [20.0, 50.0])
def test_from_alpha_at_one_regime_d_has_regime_cs_errors(T: float) -> None:
    """b* = C2/(2 (2 C1 C3/T)^(1/2) + C2/T) at alpha = 1: it is off by regime C's shifts at both ends, exactly."""
    start, at = best(SHORT, "D"), best(T, "D")
    row = moved("D", start, T)
    assert row.at.values == pytest.approx(moved("C", start, T).at.values, rel=1e-14)
    shift = shifts_of_c(at)["b"] - shifts_of_c(start)["b"]
    assert 0.1 < shift < 1
    assert np.log([row.at.b / at.b, row.at.eta / at.eta]) == pytest.approx([shift, shift / 2], abs=SOLVER)


@pytest.mark.parametrize("T", STARTS)
def test_regime_d_goes_on_as_regime_c_where_alpha_reaches_one(T: float) -> None:
    """Of the leading terms b = C2 (T/(C1 C3))^(1/2)/2 there. With 1 + 1/alpha and burn-in it is that over 2^(1/2) + x,
    x = C2/(2 (C1 C3 T)^(1/2)), and eta is (2 (2^(1/2) + x))^(1/2) less; the start's shifts are D's."""
    start, at = best(T, "D"), best(SHORT, "D")
    row, shifts = moved("D", start, SHORT), shifts_of_d(start)
    less = np.sqrt(2) + C2 / (2 * np.sqrt(C1 * C3 * SHORT))
    assert row.at.alpha == 1
    assert abs(np.log(row.at.b / at.b / less)) <= shifts["b"] + shifts["alpha"] + SOLVER
    assert abs(np.log(row.at.eta / at.eta) - np.log(2 * less) / 2) <= shifts["eta"] + shifts["alpha"] + SOLVER


@pytest.mark.parametrize("T", STARTS)
@pytest.mark.parametrize("regime", "BCD")
def test_a_capped_eta_has_the_rest_tuned_again(regime: str, T: float) -> None:
    """With eta at a cap, x is burn-in over C3 eta/alpha at an end. The start has the regime's own shifts, of that kind.

    B: alpha^(3/2) = 2 (C3 eta + C2 b^(1/2)/T) b^(1/2)/C2 at any eta: its shift is (2/3) ln(1 + x).
    C: C1/(eta T) + C2 b^(-1/2)/(2 alpha T) = C2 alpha^(1/2) b^(-3/2)/2: b shifts by -2/3 of the second term over the
    first, at the start, too, since there the own b's shift is that of a best eta.
    D: t1 = t3 (1 + x/2) and t2 = 2 t3 (1 + x) of the leading terms: the product t1 t2^2 t3 is fixed, so that alpha
    shifts by 5 x/8 and b by -x/8. At the start that is 5 alpha/4 and -alpha/4, as D's shifts say.
    """
    start, to_b = best(T, regime), 4 * HELD["b"] if regime == "B" else None
    cap = moved(regime, start, T * LONGER, given=at_b(to_b)).at.eta / {"B": 5, "C": 5, "D": 3}[regime]
    row = moved(regime, start, T * LONGER, Limits(eta=cap), at_b(to_b))
    at = best(T * LONGER, {"B": "alpha", "C": "b", "D": "b alpha"}[regime], eta=cap, **({"b": to_b} if to_b else {}))
    assert cap * (1 - 1e-12) <= row.at.eta <= cap
    x = [C2 * np.sqrt(end.b) / (C3 * end.eta * end.T) for end in (start, at)]
    second = sum(C2 * s.eta / (2 * C1 * s.alpha * np.sqrt(s.b)) for s in (start, at))
    of_d = (start.alpha * 2 + x[1]) * 1.01
    of_b, of_c = {"alpha": 2 / 3 * sum(x)}, {"b": 2 / 3 * second}
    held_against(row, at, {"B": of_b, "C": of_c, "D": {"alpha": 5 * of_d / 8, "b": of_d / 8}}[regime])
