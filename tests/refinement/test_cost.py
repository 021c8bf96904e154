"""Regret and flatness, against hundreds of digits: what a float's difference of two risks can't see."""

from __future__ import annotations

from functools import cache
from typing import Any

import mpmath
import numpy as np
import pytest
from mpmath import mp, mpf
from reference import DIGITS, EPS, Minimum, Posynomial, holding, log, minimum, posynomial, value
from scipy.optimize import brentq, minimize_scalar

from hpgrid import FunctionProxy, Proxy, Term, bounds, parse
from hpgrid.checks import InputError
from hpgrid.refinement import flatness, refine, regret
from hpgrid.refinement.optimum import solve
from hpgrid.refinement.problem import Problem, Solution

NAMES = ("eta", "b", "alpha")

PROXIES = {"eq. (4)": bounds.lmo(), "eq. (11)": bounds.lmo_exact(Delta0=3.0, L=0.5, rho=2.0, sigma=1.5)}

BOX = {"eta": (-690.0, 690.0), "b": (0.0, 690.0), "alpha": (-690.0, 0.0)}

T = np.array([1e2, 1e4, 1e10, 1e22, 1e40, 1e60])


@cache
def _best(name: str, T: float) -> tuple[Posynomial, Minimum]:
    f = posynomial(PROXIES[name], NAMES, T)
    return f, minimum(f, [BOX[v] for v in NAMES], [0, 0, 0])


def _retuned(f: Posynomial, i: int, x: mpf, start: list[mpf]) -> mpf:
    """The least log risk with the i-th log held at x."""
    others = [k for k in range(len(NAMES)) if k != i]
    return minimum(holding(f, i, x), [BOX[NAMES[k]] for k in others], [float(start[k]) for k in others]).log_risk


@pytest.mark.parametrize("of", PROXIES)
@pytest.mark.parametrize("factor", [10.0, 0.1, 1.1])
@pytest.mark.parametrize("name", NAMES)
def test_regret_is_right_even_where_it_is_1e_20(of: str, name: str, factor: float) -> None:
    """To six digits at 1e-20."""
    i, proxy = NAMES.index(name), PROXIES[of]
    followed = regret(proxy, name, factor, tuned=NAMES, T=T)
    held = regret(proxy, name, factor, retune=False, tuned=NAMES, T=T)
    with mp.workdps(DIGITS):
        for k, budget in enumerate(T):
            f, best = _best(of, budget)
            moved = best.at[i] + log(factor)
            if not BOX[name][0] <= moved <= BOX[name][1]:
                assert np.isnan([followed[k], held[k]]).all()
                continue
            # An optimum's log has an ulp u: the factor is off by that, and each term's log by some of them,
            # which costs their square where all is re-tuned.
            u = EPS * max(abs(float(x)) for x in best.at)
            share = 4 * u / abs(np.log(factor)) + 20 * EPS
            excess = float(mpmath.expm1(_retuned(f, i, moved, best.at) - best.log_risk))
            assert followed[k] == pytest.approx(excess, rel=share, abs=(5 * u) ** 2)
            z = [moved if n == i else x for n, x in enumerate(best.at)]
            assert held[k] == pytest.approx(float(mpmath.expm1(value(f, z) - best.log_risk)), rel=share, abs=0)
            assert held[k] >= followed[k] * (1 - share)
            if (of, name, factor, budget) == ("eq. (4)", "b", 10.0, 1e60):
                assert excess < 2e-20
                assert followed[k] == pytest.approx(excess, rel=1e-6, abs=0)
    assert np.nanmin(followed) < 1e-19


def test_no_move_costs_nothing_and_every_move_something() -> None:
    for retune in (True, False):
        np.testing.assert_allclose(regret(bounds.lmo(), "b", 1.0, retune=retune, tuned=NAMES, T=T), 0, atol=1e-26)
        for factor in (1e-3, 0.5, 2.0, 1e3):
            found = regret(bounds.lmo(), "eta", factor, retune=retune, tuned=NAMES, T=T)
            assert (found > 0).all()


def test_with_one_variable_nothing_is_left_to_follow() -> None:
    """eta off by f where A/eta + B eta is least: (f + 1/f)/2 - 1 of that part, whatever the rest."""
    more = {"tuned": ("eta",), "fixed": {"b": 32.0, "alpha": 0.01}, "T": T}
    followed, held = (regret(bounds.lmo(), "eta", 4.0, retune=retune, **more) for retune in (True, False))
    np.testing.assert_array_equal(followed, held)
    part = 2 * np.sqrt(32 * 101 / T)
    np.testing.assert_allclose(held, (4 + 1 / 4) / 2 * part / refine(bounds.lmo(), **more).risk
                               - part / refine(bounds.lmo(), **more).risk, rtol=1e-9)  # fmt: skip


@pytest.mark.parametrize("step", [2.0**-5, 2.0**-10, 2.0**-30])
def test_the_smallest_moves_lose_no_digits(step: float) -> None:
    """eta^2 + 2/eta, best at 1: (f^2 + 2/f)/3 - 1 = (f - 1)^2 (f + 2)/(3 f)."""
    proxy = Proxy((Term({}, {"eta": 2}), Term({}, {"eta": -1}, 2)), {})
    for factor in (1 + step, 1 - step):
        found = regret(proxy, "eta", factor, tuned=("eta",), T=1.0)
        assert found == pytest.approx(step**2 * (factor + 2) / (3 * factor), rel=100 * EPS, abs=0)


def test_from_a_bound_a_move_costs_at_first_order() -> None:
    """b held at 1 by its bound: the risk there against the risk at b = 2, alpha fixed and eta re-tuned."""
    more = {"fixed": {"alpha": 1e-3}, "T": [1e3, 1e5]}
    best = refine(bounds.lmo(), ("eta", "b"), **more)
    assert (best.active["b"] == -1).all()
    beside = refine(bounds.lmo(), ("eta",), fixed={"alpha": 1e-3, "b": 2.0}, T=[1e3, 1e5])
    found = regret(bounds.lmo(), "b", 2.0, tuned=("eta", "b"), **more)
    np.testing.assert_allclose(found, np.expm1(beside.log_risk - best.log_risk), rtol=1e-12)
    assert np.isnan(regret(bounds.lmo(), "b", 0.5, tuned=("eta", "b"), **more)).all()
    # A step of 1e-9 costs its slope, which a difference of risks would leave 6 digits of.
    small = regret(bounds.lmo(), "b", 1 + 1e-9, tuned=("eta", "b"), **more)
    wide = regret(bounds.lmo(), "b", 1 + 1e-6, tuned=("eta", "b"), **more)
    np.testing.assert_allclose(small / 1e-9, wide / 1e-6, rtol=1e-5)


def test_regret_sees_caps_and_the_fewest_iterations() -> None:
    more = {"tuned": NAMES, "T": [1e10, 1e22]}
    assert np.isnan(regret(bounds.lmo(), "b", 10.0, caps={"b": 100.0}, **more)).tolist() == [True, True]
    assert np.isnan(regret(bounds.lmo(), "b", 10.0, min_K=1e8, **more)).tolist() == [True, False]
    assert np.isnan(regret(bounds.lmo(), "b", 10.0, limits={"b": (1.0, 1e3)}, **more)).tolist() == [False, True]


def test_along_an_exact_flat_direction_nothing_is_lost() -> None:
    """SGD depends on eta/b: with eta following, b is free; held, it is not."""
    more = {"tuned": ("eta", "b"), "T": np.array([1e10, 1e40])}
    assert (abs(regret(bounds.sgd(), "b", 2.0, **more)) < (100 * EPS) ** 2).all()
    np.testing.assert_allclose(regret(bounds.sgd(), "b", 2.0, retune=False, **more), 0.25, rtol=1e-12)


# --- flatness ---


@pytest.mark.parametrize("of", PROXIES)
def test_the_flat_direction_and_its_curvature(of: str) -> None:
    """The Hessian's least eigenvalue and its vector, down to 1e-20 of the others."""
    budgets = T[1:]  # at 1e2 b may sit on its bound
    found = flatness(PROXIES[of], tuned=NAMES, T=budgets)
    with mp.workdps(60):
        for k, budget in enumerate(budgets):
            values, vectors = mpmath.eigsy(mpmath.matrix(_best(of, budget)[1].hessian))
            vector = np.array([float(vectors[i, 0]) for i in range(3)])
            direction = np.array([found.direction[v][k] for v in NAMES])
            assert found.curvature[k] == pytest.approx(float(values[0]), rel=1e-12, abs=0)
            assert direction == pytest.approx(vector * np.sign(vector @ direction), abs=1e-13)
            assert np.linalg.norm(direction) == pytest.approx(1)
    far = [found.direction[v][-1] for v in NAMES]
    assert far == pytest.approx([3**-0.5] * 3, abs=1e-14)
    # The curvature falls like T^(-1/3), the size of the terms that select b.
    assert np.log(found.curvature[-1] / found.curvature[-2]) / np.log(1e20) == pytest.approx(-1 / 3, abs=1e-9)


def test_along_a_bound_the_direction_is_among_what_is_free() -> None:
    found = flatness(bounds.lmo(), tuned=("eta", "b"), fixed={"alpha": 1e-3}, T=[1e3, 1e12])
    assert (found.direction["eta"][0], found.direction["b"][0]) == (1.0, 0.0)
    # With eta alone free, the curvature is that of (A/eta + B eta)/risk, at equal parts: their share of the risk.
    risk = refine(bounds.lmo(), ("eta", "b"), fixed={"alpha": 1e-3}, T=1e3).risk
    assert found.curvature[0] == pytest.approx(2 * np.sqrt(1001 / 1e3) / risk, rel=1e-12, abs=0)
    assert abs(found.direction["b"][1]) > 0.1
    everything = flatness(bounds.lmo(), tuned=("b",), fixed={"alpha": 1e-3, "eta": 1e-3}, T=1e2)
    assert (everything.curvature, everything.direction["b"]) == (np.inf, 0.0)


def test_an_exact_flat_direction_has_no_curvature() -> None:
    found = flatness(bounds.sgd(), tuned=("eta", "b"), T=[1e4, 1e10])
    np.testing.assert_array_equal(found.curvature, 0.0)
    for v in ("eta", "b"):
        np.testing.assert_allclose(found.direction[v], 2**-0.5, rtol=1e-14)


@pytest.mark.parametrize("within", [0.01, 0.3])
def test_at_the_ends_of_an_interval_the_excess_is_what_was_asked(within: float) -> None:
    """Or the end is a bound, at which it is less. Ends are found to 1e-9 in the log."""
    budgets = T[[1, 2, 4]]
    found = flatness(bounds.lmo(), within=within, tuned=NAMES, T=budgets)
    at_bounds = 0
    for k, budget in enumerate(budgets):
        f, best = _best("eq. (4)", budget)
        for i, v in enumerate(NAMES):
            low, high = found.low[v][k], found.high[v][k]
            assert np.log(low) < best.at[i] < np.log(high)
            for end, bound in ((low, BOX[v][0]), (high, BOX[v][1])):
                excess = float(mpmath.expm1(_retuned(f, i, log(end), best.at) - best.log_risk))
                if np.log(end) == bound:
                    at_bounds += 1
                    assert excess < within
                else:  # no term's log moves faster than its exponents, 1 at most
                    assert excess == pytest.approx(within, abs=2e-9 * (1 + within))
    assert 0 < at_bounds < 18


def test_near_optimal_is_one_per_cent_unless_said_otherwise() -> None:
    """A/x + B x is cosh(u) times its minimum at exp(u) times its minimiser: 1.01 is at u = arcosh(1.01)."""
    pure = flatness(bounds.lmo(C2=1e-12), tuned=("eta",), fixed={"b": 1.0, "alpha": 1.0}, T=1e6)
    assert pure.within == 0.01
    assert np.log(pure.high["eta"] / pure.low["eta"]) == pytest.approx(2 * np.arccosh(1.01), abs=1e-8)


@pytest.mark.parametrize(
    ("text", "constants", "K"),
    [
        # Past eta = 1/mu the base is negative; past 1e154, the square overflows: neither is near-optimal.
        ("(1-eta*mu)**K*R2 + 2*eta*s2/mu", {"mu": 0.1, "R2": 1.0, "s2": 0.01}, 1e4),
        ("(D/K+eta**2)/(eta*(1+eta))", {"D": 1.0}, 100.0),
    ],
)
def test_a_near_optimal_set_ends_where_the_risk_is_above_its_level(text: str, constants: dict, K: float) -> None:
    """Against roots of the bound as Python evaluates it, on either side of SciPy's minimiser."""
    found = flatness(parse(text, constants), tuned=("eta",), K=K)

    def risk(eta: float) -> float:
        return float(eval(text, {**constants, "K": K, "eta": eta}))

    best = minimize_scalar(risk, bounds=(1e-4, 1.0), method="bounded", options={"xatol": 1e-12})
    low, high = (brentq(lambda x: risk(x) - 1.01 * best.fun, best.x, end) for end in (1e-4, 1.0))
    assert (float(found.low["eta"]), float(found.high["eta"])) == pytest.approx((low, high), rel=1e-8)


def _wells(eta: Any, b: Any, alpha: Any, T: Any, c: Any) -> Any:
    return 1 + ((eta - 1) * (eta - 3)) ** 2 + 0 * (c["end"] - eta) ** 0.5


def test_a_near_optimal_set_is_connected_and_ends_where_the_bound_does() -> None:
    """1 + ((eta-1)(eta-3))^2, least at 1 and at 3, is 1.01 where (eta-2)^2 = 1 -+ 1/10; up to where the bound ends."""
    proxy = FunctionProxy(_wells, {"end": 1e9}, uses=("eta",))
    found = flatness(proxy, tuned=("eta",), T=1e4, constants={"end": [1e9, 1.02]})
    at = refine(proxy, tuned=("eta",), T=1e4, constants={"end": [1e9, 1.02]}).at["eta"]
    wide, narrow = 1.1**0.5, 0.9**0.5
    whole = (2 - wide, 2 - narrow) if at[0] < 2 else (2 + narrow, 2 + wide)
    np.testing.assert_allclose(
        (found.low["eta"], found.high["eta"]), [(whole[0], 2 - wide), (whole[1], 1.02)], rtol=3e-9
    )
    assert (found.low_open["eta"].tolist(), found.high_open["eta"].tolist()) == ([False, False], [False, True])


def test_a_near_optimal_set_without_an_end_says_so() -> None:
    """Z + C/(eta T) is within 1% of Z from C/(0.01 Z T) on; of an infimum of 0 nothing is."""
    bound = parse("Z + C/(eta*T)", {"Z": 2.0, "C": 3.0})
    found = flatness(bound, tuned=("eta",), T=1e4)
    assert (float(found.low["eta"]), float(found.high["eta"])) == (
        pytest.approx(3 / (0.01 * 2 * 1e4), rel=1e-8),
        np.inf,
    )
    # What matters of eta and b is eta b^3: at its best, eta may go to 0 and b to infinity, where 1/b adds nothing.
    for more in ("", " + 1/b"):
        tied = flatness(parse(f"C/(eta*b**3*T) + eta*b**3{more}", {"C": 1.0}), tuned=("eta", "b"), T=1e4)
        least = 1.0 if not more else 1 / (0.01 * 0.02)
        assert (float(tied.low["eta"]), float(tied.high["b"])) == (0.0, np.inf)
        assert float(tied.low["b"]) == pytest.approx(least, rel=1e-8)
    none = flatness(parse("C/(eta*T)", {"C": 3.0}), tuned=("eta",), T=1e4)
    assert np.isnan([none.low["eta"], none.high["eta"]]).all()


def test_shapes_are_those_of_the_budgets_after_the_constants() -> None:
    more = {
        "tuned": ("eta", "b"),
        "fixed": {"alpha": 0.1},
        "T": T[:4].reshape(2, 2),
        "constants": {"C1": [1.0, 2.0, 3.0]},
    }
    found = flatness(bounds.lmo(), **more)
    assert found.curvature.shape == found.low["b"].shape == found.direction["eta"].shape == (3, 2, 2)
    lost = regret(bounds.lmo(), "b", 10.0, **more)
    assert lost.shape == (3, 2, 2)
    alone = regret(bounds.lmo(C1=3.0), "b", 10.0, tuned=("eta", "b"), fixed={"alpha": 0.1}, T=T[3])
    assert lost[2, 1, 1] == pytest.approx(alone.item(), rel=1e-12, abs=0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda **more: regret(bounds.lmo(), "alpha", 10.0, **more), "no tuned variable of that name"),
        (lambda **more: regret(bounds.lmo(), "b", 0.0, **more), "a factor must be positive and finite"),
        (lambda **more: regret(bounds.lmo(), "b", np.inf, **more), "a factor must be positive and finite"),
        (lambda **more: regret(bounds.lmo(), "b", "ten", **more), "a factor must be positive and finite"),
        (lambda **more: flatness(bounds.lmo(), within=0.0, **more), "a relative excess must be positive"),
        (lambda **more: flatness(bounds.lmo(), within=np.nan, **more), "a relative excess must be positive"),
        (lambda **more: regret(bounds.lmo(), "b", 10.0, **{**more, "T": 0.1}), "every T must be finite and >= 1"),
        (lambda **more: flatness(bounds.lmo(), **{**more, "tuned": ()}), "at least one of eta, b, alpha must be tuned"),
    ],
)
def test_it_refuses(call, message: str) -> None:
    with pytest.raises(InputError, match=message):
        call(tuned=("eta", "b"), fixed={"alpha": 0.1}, T=1e10)


def test_where_no_optimum_is_found_there_is_no_direction(monkeypatch: pytest.MonkeyPatch) -> None:
    """As of the largest of three terms with all three tuned, whose Hessian is no number at some budgets."""
    known = np.arange(T.size) % 2 == 0

    def partly(problem: Problem, *start: object) -> Solution:
        best = solve(problem, *start)
        sure = known if problem.shape == T.shape else True
        return best._replace(inverse_hessian=np.where(sure, best.inverse_hessian, np.nan))

    monkeypatch.setattr("hpgrid.refinement.cost.solve", partly)
    found = flatness(bounds.lmo(), tuned=NAMES, T=T)
    for array in (found.curvature, *found.direction.values()):
        assert (np.isfinite(array) == known).all()
