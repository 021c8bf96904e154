"""What refine takes and returns: regimes, caps, arrays, flat and unbounded directions, refusals."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from hpgrid import Proxy, Regime, Term, bounds, parse, refine
from hpgrid.checks import InputError
from hpgrid.refinement import Optimum, newton, refine_along
from hpgrid.refinement.optimum import why_unknown

NAMES = ("eta", "b", "alpha")


T = np.array([1e2, 1e6, 1e10, 1e22, 1e40])


#: Rounding of the terms' logs, up to 92 x 3 at these budgets, against shares of order 1.
NEAR = 1e-11


def logs_differ(one: Optimum, other: Optimum, names: tuple[str, ...]) -> float:
    """The largest difference between two results, in the logs and in the exponents."""
    at = [np.abs(np.log(one.at[v]) - np.log(other.at[v])).max() for v in names]
    return max([*at, *(np.abs(one.exponent[v] - other.exponent[v]).max() for v in ("risk", *names))])


# --- what is not tuned ---
def test_the_risk_is_the_bound_where_it_is_attained() -> None:
    for proxy in (bounds.lmo(C1=2.0, C2=0.3), bounds.lmo_exact(rho=3.0), bounds.lmo(q="1/3"), bounds.lmo(E0=0.2)):
        found = refine(proxy, ("eta", "alpha"), fixed={"b": 32.0}, T=T)
        np.testing.assert_allclose(found.risk, proxy.risk(**found.at, b=32.0, T=T), rtol=1e-12)
        np.testing.assert_allclose(np.log(found.risk), found.log_risk, rtol=1e-12)


def test_where_the_fewest_iterations_bind_b_follows_the_budget() -> None:
    budgets = np.array([1e3, 1e4, 1e16])
    found = refine(bounds.lmo(), NAMES, min_K=1e3, T=budgets)
    assert found.active["b"].tolist() == [-1, 0, 0]  # T/1000 = 1: both bounds
    large = refine(bounds.lmo(C2=1e6), NAMES, min_K=1e3, T=[1e4, 1e8])
    assert large.active["b"].tolist() == [1, 1]
    np.testing.assert_allclose(large.at["b"], [1e1, 1e5], rtol=1e-13)
    np.testing.assert_array_equal(large.exponent["b"], 1.0)
    # Along b = T/1000 all else is tuned at K = 1000.
    at_K = refine(bounds.lmo(C2=1e6), ("eta", "alpha"), fixed={"b": large.at["b"][1]}, K=1e3)
    for v in ("eta", "alpha"):
        assert large.at[v][1] == pytest.approx(at_K.at[v].item(), rel=1e-12, abs=0)


def test_a_path_is_the_batch_size_that_it_says() -> None:
    along = refine(bounds.lmo(), ("eta", "alpha"), path={"b": Fraction(1, 2)}, T=T)
    for i, budget in enumerate(T):
        there = refine(bounds.lmo(), ("eta", "alpha"), fixed={"b": float(np.sqrt(budget))}, T=budget)
        for v in ("eta", "alpha"):
            assert along.at[v][i] == pytest.approx(there.at[v].item(), rel=NEAR, abs=0)
    assert along.exponent["eta"][-1] == pytest.approx(-1 / 4, abs=1e-9)  # b T^(-3/4), Corollary 2
    assert along.exponent["alpha"][-1] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("budget", ["T", "K"])
def test_tokens_and_iterations_are_one_bound(budget: str) -> None:
    """At a fixed b, K = T/b; along one curve, d log T = d log K."""
    in_T = refine(bounds.lmo(budget=budget), ("eta", "alpha"), fixed={"b": 64.0}, T=T)
    in_K = refine(bounds.lmo(budget=budget), ("eta", "alpha"), fixed={"b": 64.0}, K=T / 64)
    assert logs_differ(in_T, in_K, ("eta", "alpha")) < NEAR
    np.testing.assert_allclose(in_T.log_risk, in_K.log_risk, rtol=0, atol=1e-12)
    assert (in_T.budget, in_K.budget) == ("T", "K")
    np.testing.assert_array_equal(in_K.budgets, T / 64)


def test_a_regime_is_its_parts() -> None:
    regime = Regime(("eta", "b"), fixed={"alpha": 0.1}, caps={"b": 1e3})
    whole = refine(bounds.lmo(), regime=regime, T=T)
    parts = refine(bounds.lmo(), ["b", "eta"], fixed={"alpha": 0.1}, caps={"b": 1e3}, T=T)
    assert logs_differ(whole, parts, ("eta", "b")) == 0
    assert list(whole.at) == ["eta", "b"]


# --- bounds ---
def test_a_cap_binds_from_where_the_optimum_passes_it() -> None:
    free = refine(bounds.lmo(), NAMES, T=T)
    capped = refine(bounds.lmo(), NAMES, caps={"b": 100.0}, T=T)
    over = free.at["b"] > 100
    assert over.tolist() == [False, False, False, True, True]
    np.testing.assert_array_equal(capped.active["b"], np.where(over, 1, free.active["b"]))
    np.testing.assert_allclose(capped.at["b"], np.minimum(free.at["b"], 100), rtol=NEAR)
    assert (capped.exponent["b"][over] == 0).all()
    held = refine(bounds.lmo(), ("eta", "alpha"), fixed={"b": 100.0}, T=T[over])
    np.testing.assert_allclose(capped.at["alpha"][over], held.at["alpha"], rtol=NEAR)


def test_a_cap_that_follows_from_the_constants_follows_their_arrays() -> None:
    """SGD's eta <= 1/L."""
    L = [1.0, 4.0, 0.5]
    found = refine(bounds.sgd(), ("eta",), fixed={"b": 64.0}, T=1e2, constants={"L": L})
    alone = [refine(bounds.sgd(L=x), ("eta",), fixed={"b": 64.0}, T=1e2).at["eta"].item() for x in L]
    np.testing.assert_allclose(found.at["eta"], alone, rtol=1e-14)
    np.testing.assert_allclose(alone, 1 / np.array(L), rtol=1e-14)
    assert (found.active["eta"] == 1).all()


def test_limits_stand_in_for_the_bounds_of_b_and_alpha() -> None:
    found = refine(bounds.lmo(), NAMES, T=1e2, limits={"b": (1e-6, 1e6), "alpha": (1e-6, 1e3)})
    assert found.at["b"] < 1
    assert found.active["b"] == 0
    inside = refine(bounds.lmo(), NAMES, T=1e10, limits={"b": (1e3, 1e4), "eta": (1e-20, 1e-10)})
    assert (inside.active["b"], inside.active["eta"]) == (-1, 1)
    assert (inside.at["b"], inside.at["eta"]) == (pytest.approx(1e3, rel=1e-13), pytest.approx(1e-10, rel=1e-13, abs=0))


def test_small_budgets_hold_b_at_1_and_large_batches_alpha() -> None:
    found = refine(bounds.lmo(), ("eta", "b"), fixed={"alpha": 1e-3}, T=[1e3, 1e5, 1e12])
    assert found.active["b"].tolist() == [-1, -1, 0]
    np.testing.assert_array_equal(found.at["b"][:2], 1.0)
    np.testing.assert_allclose(found.at["eta"][:2], 1 / np.sqrt(1001 * np.array([1e3, 1e5])), rtol=1e-13)
    large = refine(bounds.lmo(), ("eta", "alpha"), fixed={"b": 1e6}, T=[1e4, 1e8])
    assert (large.active["alpha"] == 1).all()
    np.testing.assert_array_equal(large.at["alpha"], 1.0)


# --- shapes ---
def test_constants_broadcast_before_the_budgets() -> None:
    C1, C3 = np.array([[0.5], [2.0]]), np.array([1.0, 3.0, 9.0])
    found = refine(bounds.lmo(), NAMES, T=T, constants={"C1": C1, "C3": C3})
    assert found.risk.shape == found.at["b"].shape == found.converged.shape == found.budgets.shape == (2, 3, 5)
    for i, j in ((0, 0), (1, 2)):
        alone = refine(bounds.lmo(C1=C1[i, 0], C3=C3[j]), NAMES, T=T)
        for v in NAMES:
            np.testing.assert_allclose(found.at[v][i, j], alone.at[v], rtol=NEAR)


def test_one_budget_gives_numbers_and_a_table_of_budgets_a_table() -> None:
    assert refine(bounds.lmo(), NAMES, T=1e10).at["b"].shape == ()
    assert refine(bounds.lmo(), NAMES, T=100).risk.dtype == np.float64
    table = refine(bounds.lmo(), NAMES, T=T[:4].reshape(2, 2))
    assert table.risk.shape == (2, 2)
    np.testing.assert_allclose(table.log_risk.ravel(), refine(bounds.lmo(), NAMES, T=T[:4]).log_risk, rtol=1e-14)


def test_nothing_overflows() -> None:
    """A risk that float64 can't hold is inf or 0; its log is there."""
    huge, tiny = (refine(bounds.lmo(C1=c, C2=c, C3=c), NAMES, T=1e4) for c in (1e300, 1e-300))
    unit = refine(bounds.lmo(), NAMES, T=1e4)
    for found, c in ((huge, 1e300), (tiny, 1e-300)):
        assert found.converged
        assert found.log_risk == pytest.approx(unit.log_risk + np.log(c), rel=1e-13)
        assert found.at["alpha"] == pytest.approx(unit.at["alpha"].item(), rel=1e-9, abs=0)
    proxy = Proxy((Term({"c": 2}, {"eta": -1}), Term({"c": 2}, {"eta": 1})), {"c": 1e300})
    found = refine(proxy, ("eta",), T=1.0)
    assert (found.risk, found.log_risk) == (np.inf, pytest.approx(2 * np.log(1e300) + np.log(2)))


# --- flat and unbounded directions ---
@pytest.mark.parametrize("start", [None, {"b": 1e3}, {"b": 1e3, "eta": 1e-3}, {"eta": 1e9}])
def test_a_flat_direction_is_undetermined_from_any_start(start: dict | None) -> None:
    """SGD: the risk depends on eta/b alone (Appendix B.6)."""
    found = refine(bounds.sgd(L=2.0, sigma=3.0), ("eta", "b"), T=T, start=start)
    assert found.converged.all()
    np.testing.assert_allclose(found.risk, 2 * np.sqrt(2 * 9 / T), rtol=1e-12)
    np.testing.assert_allclose(found.exponent["risk"], -0.5, rtol=1e-12)
    for v in ("eta", "b"):
        assert np.isnan(found.at[v]).all()
        assert np.isnan(found.exponent[v]).all()
        assert (found.active[v] == 0).all()
        assert not found.unbounded[v].any()


def test_what_a_flat_direction_leaves_alone_is_determined() -> None:
    """b and alpha enter as b alpha alone, best at 1/2; eta does not; one term is a constant."""
    parts = [
        ({"eta": -1, "T": -1}, 1),
        ({"eta": 1}, 1),
        ({"b": 1, "alpha": 1}, 4),
        ({"b": -1, "alpha": -1}, 1),
        ({}, 1),
    ]
    found = refine(Proxy(tuple(Term({}, part, number) for part, number in parts), {}), NAMES, T=T)
    np.testing.assert_allclose(found.at["eta"], T**-0.5, rtol=1e-12)
    np.testing.assert_allclose(found.exponent["eta"], -0.5, rtol=1e-12)
    for v in ("b", "alpha"):
        assert np.isnan(found.at[v]).all()


def test_large_batches_win_without_end_at_fixed_iterations() -> None:
    """Theorem 1: at fixed K the risk falls with b; what it tends to, and eta, are found."""
    found = refine(bounds.lmo(), ("eta", "b"), fixed={"alpha": 0.1}, K=T)
    assert found.unbounded["b"].all()
    assert not found.unbounded["eta"].any()
    assert not found.converged.any()
    assert np.isnan(found.at["b"]).all()
    np.testing.assert_allclose(found.risk, 2 * np.sqrt(11 / T), rtol=1e-12)
    np.testing.assert_allclose(found.at["eta"], 1 / np.sqrt(11 * T), rtol=1e-12)
    capped = refine(bounds.lmo(), ("eta", "b"), fixed={"alpha": 0.1}, caps={"b": 1e6}, K=T)
    assert capped.converged.all()
    assert (capped.active["b"] == 1).all()


@pytest.mark.parametrize("power", [Fraction(1, 8), 1, 6])
@pytest.mark.parametrize("floor", [False, True], ids=["to 0", "to a floor"])
def test_a_risk_that_falls_without_end_is_flagged(power: Fraction | int, floor: bool) -> None:
    rest = ({}, {"T": -1}) if floor else ({"eta": -2 * power}, {"eta": -3 * power, "T": -1})
    terms = (Term({}, factors) for factors in ({"eta": -power, "T": -1}, *rest))
    found = refine(Proxy(tuple(terms), {}), ("eta",), T=T)
    assert found.unbounded["eta"].all()
    assert not found.converged.any()
    assert np.isnan(found.at["eta"]).all()
    np.testing.assert_allclose(found.risk, 1 + 1 / T if floor else 0, rtol=1e-14)


def test_what_runs_off_together_is_flagged_together() -> None:
    """SGD in K without its cap: eta and b = eta^2 both without end."""
    found = refine(replace(bounds.sgd(), cap_terms={}, caps={}), ("eta", "b"), K=T)
    assert found.unbounded["eta"].all()
    assert found.unbounded["b"].all()
    assert not found.converged.any()


def test_an_optimum_beyond_the_end_of_the_numbers_is_not_found_and_nothing_runs_off_to_it() -> None:
    """At b = alpha = 1, eta* = (C1/(2 C3 T))^(1/2) is 5e299 and 2e-301, beyond e^690; one decade inside it is found."""
    fixed = {"b": 1.0, "alpha": 1.0}
    for large, T in ((1e300, 2.0), (1e-300, 12.5)):
        far = refine(bounds.lmo(C1=large, C3=1 / large), ("eta",), fixed=fixed, T=T)
        assert not far.converged
        assert not far.unbounded["eta"]
        assert str(why_unknown(far)) == "the optimum lies beyond what a float holds, 2e-300 to 5e+299"
    near = refine(bounds.lmo(C1=1e299, C3=1e-299), ("eta",), fixed=fixed, T=2.0)
    assert (near.converged, near.at["eta"]) == (True, pytest.approx(5e298))
    assert near.risk == pytest.approx(3.5, rel=1e-12)  # 2 (2/T)^(1/2) + 1/T + 1


def test_what_runs_off_says_where_to() -> None:
    """C/(eta T) falls as eta grows; eta/(1 + eta) + 1/T, a function, as it goes to 0, where its infimum is 1/T."""
    up = refine(parse("C/(eta*T)", {"C": 1.0}), ("eta",), T=T)
    down = refine(parse("eta/(1+eta) + 1/T"), ("eta",), T=T)
    for found, limit, risk in ((up, np.inf, 0 * T), (down, 0.0, 1 / T)):
        np.testing.assert_array_equal(found.limit["eta"], np.full(T.shape, limit))
        np.testing.assert_allclose(found.risk, risk, rtol=1e-12)
        assert found.curves()["risk"].tolist() == found.risk.tolist()
        assert set(why_unknown(found)) == {""}
    # Where nothing stops it, it falls to 0, though a float ends at 2e-300: as long as its values are floats until then.
    assert refine(parse("1/(eta*T) + 1/(eta**2 + eta)"), ("eta",), T=T[:2]).risk.tolist() == [0.0, 0.0]


# --- factors other than powers ---
def test_one_plus_is_two_terms() -> None:
    """eta (1 + alpha) is eta + eta alpha."""
    half = Fraction(1, 2)
    parts = [{"eta": -1, "b": 1, "T": -1}, {"alpha": -1, "T": -half}, {"b": -half, "alpha": half}]
    rest = tuple(Term({}, part) for part in parts)
    short = Proxy((*rest, Term({}, {"eta": 1, "alpha": "one_plus"})), {})
    long = Proxy((*rest, Term({}, {"eta": 1}), Term({}, {"eta": 1, "alpha": 1})), {})
    one, other = refine(short, NAMES, T=T), refine(long, NAMES, T=T)
    assert logs_differ(one, other, NAMES) < NEAR
    assert (one.at["alpha"] < 0.5).all()  # where alpha counts


def test_a_fixed_function_is_a_number_and_may_be_nought() -> None:
    parts = (Term({}, {"eta": -1, "T": -1}), Term({}, {"eta": 1, "alpha": "one_minus"}), Term({}, {"eta": 2}))
    proxy = Proxy(parts, {})
    for alpha in (0.75, 1.0):
        found = refine(proxy, ("eta",), fixed={"alpha": alpha}, T=1e4)
        # d/d eta: -1/(eta^2 T) + (1 - alpha) + 2 eta = 0
        roots = np.roots([2, 1 - alpha, 0, -1e-4])
        assert found.at["eta"] == pytest.approx(roots[(roots.real > 0) & (abs(roots.imag) < 1e-12)].real[0], rel=1e-12)


# --- refusals ---
LMO = {"proxy": bounds.lmo(), "tuned": ("eta", "b"), "fixed": {"alpha": 0.1}, "T": 1e10}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tuned": ()}, "at least one of eta, b, alpha must be tuned"),
        ({"tuned": None}, "at least one of eta, b, alpha must be tuned"),
        ({"tuned": ("eta", "lam")}, "no tuned axis of that name"),
        ({"fixed": {"alpha": 0.1, "b": 2.0}}, "b is either tuned or fixed or on a path"),
        ({"fixed": {}}, "alpha of the bound lmo is neither tuned nor fixed nor on a path"),
        ({"fixed": {"alpha": 0.1, "T": 1e10}}, "T is a budget, not a fixed variable"),
        ({"path": {"bath": "1/2"}}, "no tuned axis of that name"),
        ({"path": {"b": "1/2"}}, "b is either tuned or fixed or on a path"),
        ({"tuned": ("eta",), "path": {"b": "-1/2"}}, "leaves its range along this path"),
        ({"tuned": ("eta",), "path": {"b": "1/2"}, "caps": {"b": 4.0}}, "b is capped, so it can't follow a path"),
        ({"caps": {"b": 0.5}}, "b must be a finite number with b >= 1"),
        ({"caps": {"b": 2.0}, "limits": {"b": (10.0, 100.0)}}, "no b is left between its bounds"),
        ({"caps": {"alpha": 0.01}}, r"alpha must not exceed its cap 0\.01"),
        ({"min_K": 1e11}, "no b is left between its bounds"),
        ({"min_K": 0.0}, "min_K must be positive and finite"),
        ({"min_K": "few"}, "min_K must be positive and finite"),
        ({"T": None}, "budgets in T or in K"),
        ({"K": 10.0}, "budgets in T or in K"),
        ({"T": 0.5}, "every T must be finite and >= 1"),
        ({"T": [10.0, np.nan]}, "every T must be finite and >= 1"),
        ({"T": [10.0, np.inf]}, "every T must be finite and >= 1"),
        ({"T": []}, "every T must be finite and >= 1"),
        ({"T": None, "K": 0.0}, "every K must be finite and > 0"),
        ({"T": "many"}, "T is a number or an array of numbers"),
        ({"constants": {"C1": -1.0}}, r"constant C1 must be finite and >= 0\. Given: \[-1\.0\]"),
        ({"constants": {name: [1.0, 0.0] for name in ("C1", "C2", "C3")}}, "a constant of 0 drops its terms"),
        ({"constants": {"C1": [1.0, np.inf]}}, "constant C1 must be finite and >= 0"),
        ({"constants": {"C1": []}}, "constant C1 must be finite and >= 0"),
        ({"constants": {"C1": "one"}}, "constant C1 is a number or an array"),
        ({"constants": {"C9": 1.0}}, "no constant of that name"),
        ({"limits": {"alpha": (1e-3, 1.0)}}, "no tuned variable of that name"),
        ({"limits": {"b": (10.0, 2.0)}}, "limits of b are two positive values"),
        ({"limits": {"b": (0.0, 2.0)}}, "limits of b are two positive values"),
        ({"limits": {"b": 5.0}}, "limits of b are two positive values"),
        ({"start": {"alpha": 0.5}}, "alpha is not tuned, so it has no start"),
        ({"start": {"b": 0.0}}, "a start of b must be positive and finite"),
        ({"start": {"b": np.nan}}, "a start of b must be positive and finite"),
        ({"start": {"b": [1.0, 2.0]}, "T": [1e2, 1e3, 1e4]}, "broadcasts to the result's shape"),
        ({"start": {"b": "large"}}, "a start of b is a number"),
        ({"regime": Regime(("eta",), {"b": 1.0, "alpha": 0.1})}, "a regime or its parts, not both"),
        ({"proxy": bounds.sgd(), "tuned": ("eta", "alpha"), "fixed": {"b": 1.0}}, "does not depend on alpha"),
        ({"proxy": Proxy((Term({}, {"eta": 1, "b": 0}),), {}), "fixed": {}}, "does not depend on b"),
        ({"proxy": bounds.sgd(L=4.0), "tuned": ("b",), "fixed": {"eta": 0.5}}, r"eta must not exceed its cap 0\.25"),
    ],
)
def test_it_refuses(change: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        refine(**{**LMO, **change})


def test_along_a_variable_it_is_the_optimum_at_each_fixed_value() -> None:
    B = np.array([1.0, 30.0, 1e4])
    along = refine_along(bounds.lmo(), "b", B, tuned=("eta", "b", "alpha"), K=np.full(3, 1e6))
    for k, b in enumerate(B):
        one = refine(bounds.lmo(), ("eta", "alpha"), fixed={"b": b}, K=1e6)
        assert along.log_risk[k] == pytest.approx(float(one.log_risk), rel=1e-12)
        assert {v: x[k] for v, x in along.at.items()} == pytest.approx({v: float(x) for v, x in one.at.items()})
    alone = refine_along(bounds.lmo(), "b", B, tuned=("b",), fixed={"eta": 1e-3, "alpha": 0.1}, T=np.full(3, 1e8))
    np.testing.assert_allclose(alone.risk, bounds.lmo().risk(eta=1e-3, alpha=0.1, b=B, T=1e8), rtol=1e-13)
    assert alone.converged.all()
    with pytest.raises(InputError, match="alpha is not tuned, so it has no value"):
        refine_along(bounds.lmo(), "alpha", 0.1, tuned=("eta", "b"), fixed={"alpha": 0.1}, T=1e8)


def test_what_is_cut_short_is_not_called_converged(monkeypatch: pytest.MonkeyPatch) -> None:
    """After one of Newton's steps."""
    monkeypatch.setattr(newton, "MOST_STEPS", 1)
    assert not refine(bounds.lmo(), "eta", fixed={"b": 64.0, "alpha": 0.1}, T=1e30).converged


def test_what_runs_off_but_turns_beyond_the_end_of_the_numbers_is_said_to() -> None:
    """Along b = eta^-5 every term falls; eta = b^(-3/11), as it is at the end of the numbers, would let one grow."""
    text = (
        "0.102429*eta**4*T**(3/2) + 17.5742*eta**(1/4)*b**(-1/2)*alpha*T"
        " + 0.128592/(eta*b**(1/4)*alpha**(1/2)*T**(3/2)) + 0.00338427*eta**(2/3)*alpha**(1/4)*T**(-3/2)"
        " + 0.00404166*T**2/(eta**(1/4)*b**(1/4)*alpha**(1/2))"
    )
    found = refine(parse(text), ("eta", "b"), fixed={"alpha": 0.00211692}, T=729424098360.9624)
    assert (found.risk, found.limit["eta"], found.limit["b"]) == (0.0, 0.0, np.inf)
    # With this term no way leads out: the optimum is somewhere, beyond that end, and was not found.
    found = refine(parse(f"{text} + 1e-99*b**(1/99)"), ("eta", "b"), fixed={"alpha": 0.00211692}, T=7e11)
    assert not any(found.unbounded.values())
    assert not found.converged


def test_what_runs_off_as_terms_become_nought_is_said_to() -> None:
    """Terms so small beside another that they have no size as floats: of one, what holds the others says nothing."""
    for text, fixed, v, limit, least in (
        ("b**-2*alpha + b**-1*alpha + alpha**(3/4)", {}, "alpha", 0.0, 0.0),
        ("eta**2*alpha**(3/2)/b**(1/2) + eta**(1/2)*alpha**2/b + b**(3/4)*alpha**(4/3)", {"b": 9}, "alpha", 0.0, 0.0),
        ("4e8 + 2*alpha**(3/4)/b**(1/2) + 7e4*alpha**(1/2)/b**(2/3) + 3e-4/(b**2*alpha**1.5)", {}, "b", np.inf, 4e8),
    ):
        tuned = tuple(v for v in NAMES if v in text and v not in fixed)
        found = refine(parse(text), tuned, fixed=fixed, T=1e9)
        assert found.limit[v] == limit
        np.testing.assert_allclose(found.risk, least, rtol=1e-12)
