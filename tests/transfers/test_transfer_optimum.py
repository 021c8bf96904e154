"""The optimum of eq. (4) that a transfer is held against, beside the refined one."""

from __future__ import annotations

import numpy as np
import pytest
from eq4 import constants, least, risk

import hpgrid
from hpgrid.bounds import lmo
from hpgrid.theory import theorems
from hpgrid.transfers.costs import At, Constants

NAMES = ("eta", "b", "alpha")

#: ``refine`` ends where every derivative is 1e-12 of its terms, in a basis in which they do not cancel; a log is then
#: off by 1e-12 over a curvature that is above 1/100 of the same terms.
IN_LOG = 1e-10

#: Five positive terms, each rounded some ten times, and their sum.
IN_RISK = 64 * np.finfo(float).eps

TUNED = {"A": ("eta",), "B": ("eta", "alpha"), "C": ("eta", "b"), "D": NAMES}
HELD = {"b": 3000.0, "alpha": 0.02}
CAPS = ({}, {"b": 5000.0}, {"eta": 1e-6}, {"b": 300.0, "eta": 1e-5}, {"alpha": 0.01, "eta": 1e-3})


def some(n: int = 12) -> tuple[Constants, np.ndarray]:
    """Constants from 1/100 to 100, and budgets from 1e3 to 1e15, as columns and rows."""
    logs = np.random.default_rng(1).uniform(-2, 2, (3, n, 1))
    return constants(*10**logs), np.logspace(3, 15, 13)


@pytest.mark.parametrize("caps", CAPS, ids=str)
@pytest.mark.parametrize("regime", TUNED)
def test_it_is_the_refined_optimum_in_every_regime_with_and_without_caps(regime: str, caps: dict[str, float]) -> None:
    of, T = some()
    tuned = TUNED[regime]
    fixed = {name: min(value, caps.get(name, value)) for name, value in HELD.items() if name not in tuned}
    named = {name: value[:, 0] for name, value in of.items()}
    own = {name: cap for name, cap in caps.items() if name in tuned}
    # Fewer than one iteration are left out where b is free; a b that is held is held.
    least_K = 1.0 if "b" in tuned else None
    exact = hpgrid.refine(lmo(), tuned, T=T, fixed=fixed, caps=own, constants=named, min_K=least_K)
    assert exact.converged.all()
    whole = {"eta": (1e-299, own.get("eta", 1e299)), "b": (1.0, np.minimum(own.get("b", np.inf), T))}
    whole["alpha"] = (1e-60, own.get("alpha", 1.0))
    at = least(T, of, **(whole | {name: (value, value) for name, value in fixed.items()}))
    for name in tuned:
        np.testing.assert_allclose(np.log(getattr(at, name)), np.log(exact.at[name]), rtol=0, atol=IN_LOG)
    np.testing.assert_allclose(risk(at, T, of), exact.risk, rtol=IN_RISK)


def test_bounds_are_met_exactly() -> None:
    """A batch size on its cap is the cap, and not the next float: an optimum is asked whether it sits there."""
    of, T = some()
    at = least(T, of, eta=(1e-299, 0.1), b=(1.0, 300.0))
    for value, (low, high) in zip(at, ((0.0, 0.1), (1.0, 300.0), (0.0, 1.0))):
        assert (value == high).any()
        assert ((low <= value) & (value <= high)).all()
    assert (at.b == 1.0).any()


def test_the_best_takes_more_than_one_iteration_without_being_told() -> None:
    """At the best b burn-in is below the floor, b < alpha^(3/2) T, whatever the noise."""
    of = constants(1.0, np.logspace(-3, 12, 16)[:, None], 1.0)
    T = np.logspace(0.5, 15, 8)
    at = least(T, of)
    assert (at.b > 0.99 * T).any()
    assert (at.b[at.b > 1] < (at.alpha**1.5 * T)[at.b > 1]).all()


def test_it_lies_on_the_curve_of_joint_optima_in_closed_form() -> None:
    of, T = some()
    at = least(T, of, b=(1.0, T))
    inside = (at.b > 1) & (at.b < T) & (at.alpha < 1)
    assert inside.sum() > 80
    for closed, found in zip(theorems.theorem3_curve(at.alpha, *of), (np.broadcast_to(T, at.b.shape), at.b, at.eta)):
        np.testing.assert_allclose(closed[inside], found[inside], rtol=IN_LOG)


@pytest.mark.parametrize("ratio", [1e-9, 1e-2, 0.5, 1.0, 2.0, 1e2, 1e9])
def test_with_eta_held_b_is_the_root_of_its_cubic(ratio: float) -> None:
    """Progress and burn-in together are half the floor; at ``ratio`` 1 both are alike, where the root is farthest."""
    of, T, alpha = constants(2.0, 3.0, 1.0), 1e18, 0.5
    # With s = b^(1/2): burn-in is floor/2 less progress, and progress is ``ratio`` of burn-in/2.
    s = np.sqrt(alpha**1.5 * T / (1 + ratio))
    eta = 2 * of["C1"] * alpha * s / (of["C2"] * ratio)
    at = least(T, of, eta=(eta, eta), alpha=(alpha, alpha))
    assert at.b == pytest.approx(s**2, rel=16 * np.finfo(float).eps)


def test_no_point_of_the_box_is_below_it() -> None:
    of, T = some()
    limits = {"eta": (1e-9, 1e-4), "b": (10.0, 1e4), "alpha": (1e-3, 0.5)}
    at_least = risk(least(T, of, **limits), T, of)
    random = np.random.default_rng(2)
    for _ in range(200):
        anywhere = At(*(np.exp(random.uniform(*np.log(ends))) for ends in limits.values()))
        assert (risk(anywhere, T, of) >= at_least * (1 - IN_RISK)).all()


def test_the_risk_is_the_bound_of_eq_4() -> None:
    of = constants(2.0, 3.0, 5.0)
    given = {"eta": 1e-3, "b": 70.0, "alpha": 0.1}
    own = risk(At(*map(np.asarray, given.values())), 1e5, of)
    assert own == pytest.approx(float(lmo(**of).risk(T=1e5, **given)), rel=1e-15)
