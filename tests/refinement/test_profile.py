"""The continuous optimum by itself, against refinement; its sublevel sets; and what a grid adds to it."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from hpgrid import FunctionProxy, Grid, LogAxis, Proxy, Term, bounds, flatness, parse, refine
from hpgrid.refinement.profile import bisect, grid_excess, profile, sublevels


def test_iterations_serve_as_the_budget_too() -> None:
    found = profile(bounds.lmo(budget="K"), ("eta",), {"b": 4.0, "alpha": 0.25}, [1e4])
    assert found.at["eta"] == pytest.approx(np.sqrt(1 / (5 * 1e4)), rel=1e-12)
    assert found.risk == pytest.approx(2 * np.sqrt(5 / 1e4) + 0.5 * (4 / 1e4 + 0.5), rel=1e-12)


# --- far out ---

#: From where a plain Newton step still works to where the flat direction is 1e-30 of what cancels.
FAR = np.logspace(2, 60, 30)
FORMULA = parse("D/(eta*K) + s*sqrt(alpha/b) + s/(alpha*sqrt(b)*K) + L*eta/alpha", {"D": 7.2, "s": 0.6, "L": 28.0})


@pytest.mark.parametrize(
    ("proxy", "tuned", "fixed", "caps"),
    [
        (bounds.lmo(), ("eta", "b", "alpha"), {}, {}),
        (bounds.lmo(C1=0.03, C2=5.0, C3=70.0), ("eta", "b", "alpha"), {}, {}),
        (bounds.lmo(), ("eta", "b"), {"alpha": 1e-3}, {}),
        (bounds.lmo(), ("eta", "alpha"), {"b": 32.0}, {}),
        (bounds.lmo(), ("eta", "b", "alpha"), {}, {"b": 1e4}),
        (bounds.lmo(), ("eta", "b", "alpha"), {}, {"eta": 1e-6, "alpha": 0.01}),
        (FORMULA, ("eta", "b", "alpha"), {}, {}),
    ],
)
def test_it_is_the_refined_optimum_however_flat(proxy: Proxy, tuned: tuple, fixed: dict, caps: dict) -> None:
    exact = refine(proxy, tuned, T=FAR, fixed=fixed, caps=caps)
    assert exact.converged.all()
    found = profile(replace(proxy.form("T"), caps=caps), tuned, fixed, FAR)
    np.testing.assert_allclose(found.risk, exact.risk, rtol=1e-12)
    for v in tuned:
        np.testing.assert_allclose(np.log(found.at[v]), np.log(exact.at[v]), rtol=0, atol=1e-10)


def test_far_out_in_the_flat_direction_it_is_theorem_3s_law() -> None:
    """b = (C2/2)^(5/3) (C1 C3)^(-5/6) T^(1/6), alpha = (C2/2)^(2/3) (C1 C3 T)^(-1/3); b by Newton in 60 digits, too."""
    T = np.logspace(22, 42, 11)
    found = profile(bounds.lmo(), ("eta", "b", "alpha"), {}, T)
    assert found.at["b"][[0, 7, 8, 9, 10]].round(3).tolist() == [
        1462.009,
        314980.262,
        678604.404,
        1462008.869,
        3149802.625,
    ]
    np.testing.assert_allclose(found.at["b"], 2 ** (-5 / 3) * T ** (1 / 6), rtol=1e-6)
    np.testing.assert_allclose(found.at["alpha"], 2 ** (-2 / 3) * T ** (-1 / 3), rtol=1e-6)


def test_a_sublevel_set_is_the_refined_one_however_flat() -> None:
    T = np.array([1e10, 1e22, 1e40, 1e60])
    names = ("eta", "b", "alpha")
    known = flatness(bounds.lmo(), within=0.01, tuned=names, T=T)
    found = sublevels(bounds.lmo(), names, {}, T, names, np.log1p(0.01))
    for v, (low, high) in found.ends.items():
        np.testing.assert_allclose(np.log(low), np.log(known.low[v]), rtol=0, atol=1e-7)
        np.testing.assert_allclose(np.log(high), np.log(known.high[v]), rtol=0, atol=1e-7)


def test_constants_fixed_values_and_boxes_may_be_arrays() -> None:
    """Many problems in one call are what each is alone, and a variable whose two ends are one value is held there."""
    T, C2 = np.array([1e6, 1e12]), np.array([[0.1], [7.0]])
    ends = (np.array([[[300.0]], [[1.0]]]), np.array([[[300.0]], [[1e9]]]))
    found = profile(bounds.lmo(), ("eta", "b"), {"alpha": 0.02}, T, {"b": ends}, {"C2": C2})
    assert found.risk.shape == found.at["eta"].shape == (2, 2, 2)
    for i, j in np.ndindex(2, 2):
        alone = bounds.lmo(C2=C2[i, 0])
        held = profile(alone, ("eta",), {"alpha": 0.02, "b": 300.0}, T[j])
        tuned = profile(alone, ("eta", "b"), {"alpha": 0.02}, T[j])
        assert found.at["b"][0, i, j] == 300.0
        np.testing.assert_allclose(found.risk[:, i, j], [held.risk, tuned.risk], rtol=1e-14)
        np.testing.assert_allclose(found.at["eta"][:, i, j], [held.at["eta"], tuned.at["eta"]], rtol=1e-12)


def test_a_cap_that_follows_from_a_constant_follows_its_array() -> None:
    found = profile(bounds.sgd(), ("eta",), {"b": 64.0}, 1e2, constants={"L": np.array([4.0, 8.0])})
    assert found.at["eta"].tolist() == [1 / 4, 1 / 8]


def test_where_no_optimum_is_attained_a_variable_is_at_the_end() -> None:
    falls = Proxy((Term({}, {"eta": -1, "T": -1}),), {})
    assert np.log(profile(falls, ("eta",), {}, 1e4).at["eta"]) == pytest.approx(690)


# --- bounds ---


@pytest.mark.parametrize(("T", "b"), [(1e6, 16.0), (1e20, 64.0)])
def test_a_box_binds_and_the_others_are_tuned_to_it(T: float, b: float) -> None:
    found = profile(bounds.lmo(), ("eta", "b"), {"alpha": 0.01}, [T], box={"b": (16.0, 64.0)})
    at_b = profile(bounds.lmo(), ("eta",), {"alpha": 0.01, "b": b}, [T])
    assert found.at["b"] == pytest.approx(b, rel=1e-9)
    assert found.at["eta"] == pytest.approx(at_b.at["eta"], rel=1e-9)
    assert found.risk == pytest.approx(at_b.risk, rel=1e-9)


def test_a_condition_is_bisected_in_the_log() -> None:
    assert bisect(lambda x: x < 3e-200, 1e-308, 1e308) == pytest.approx(3e-200, rel=1e-13)
    assert bisect(lambda x: x > 7.0, 1e3, 1e-3) == pytest.approx(7.0, rel=1e-15)


# --- refusals ---


@pytest.mark.parametrize(
    "call",
    [
        lambda proxy: profile(proxy, ("eta", "alpha"), {"b": 1.0}, [1e9]),
        lambda proxy: sublevels(proxy, ("eta", "alpha"), {"b": 1.0}, [1e9], ("eta",), 0.1),
        lambda proxy: grid_excess(proxy, {"eta": 0.1, "alpha": 0.1}),
    ],
    ids=["profile", "sublevels", "grid_excess"],
)
@pytest.mark.parametrize(
    ("proxy", "message"),
    [
        (FunctionProxy(lambda eta, b, alpha, T, c: eta), "needs a sum of powers"),
        (Proxy((Term({}, {"eta": 1, "alpha": "one_minus"}),), {}), "needs powers of the tuned variables"),
    ],
    ids=["function", "factor"],
)
def test_it_is_for_posynomials(proxy: object, message: str, call) -> None:
    with pytest.raises(ValueError, match=message):
        call(proxy)


def test_a_function_of_a_fixed_variable_is_a_number() -> None:
    proxy = Proxy((Term({}, {"eta": -1, "T": -1}), Term({}, {"eta": 1, "alpha": "one_minus"})), {})
    assert profile(proxy, ("eta",), {"alpha": 0.75}, [1e4]).at["eta"] == pytest.approx(0.02, rel=1e-12)


# --- sublevel sets ---


def test_a_sublevel_set_ends_at_a_bound_or_at_the_box() -> None:
    low, high = sublevels(bounds.lmo(), ("eta", "b"), {"alpha": 1e-3}, [1e5], ("b",), 0.05).ends["b"]
    assert low == pytest.approx(1.0)
    assert high > 1.01
    box = {"b": (400.0, 600.0)}
    low, high = sublevels(bounds.lmo(), ("eta", "b"), {"alpha": 1e-3}, [1e12], ("b",), 0.05, box).ends["b"]
    assert (low, high) == (pytest.approx(400.0), pytest.approx(600.0))


# --- what a grid adds ---


def random_grid(n: int, rng: np.random.Generator) -> Grid:
    """Axes of n values around the optima of T = 1e16, each at a random phase."""

    def axis(lo: float, hi: float, phase: float) -> LogAxis:
        shift = np.exp(phase * np.log(hi / lo) / (n - 1))
        return LogAxis(lo * shift, hi * shift, n)

    return Grid(
        eta=axis(1e-12, 1e-2, rng.random()),
        b=axis(1.0, 1e9, rng.random()),
        alpha=axis(1e-9, 1e-2, rng.random()),
        T=1e16,
    )


@pytest.mark.parametrize("n", [8, 15, 40])
@pytest.mark.parametrize(
    ("tuned", "fixed"),
    [
        (("eta",), {"b": 100.0, "alpha": 1e-3}),
        (("eta", "b"), {"alpha": 1e-3}),
        (("eta", "alpha"), {"b": 1000.0}),
        (("eta", "b", "alpha"), {}),
    ],
)
def test_the_grids_minimum_exceeds_the_continuous_one_by_at_most_the_excess(tuned: tuple, fixed: dict, n: int) -> None:
    proxy, rng = bounds.lmo(), np.random.default_rng(n)
    least = np.log(profile(proxy, tuned, fixed, [1e16]).risk[0])
    shares = []
    for _ in range(20):
        grid = random_grid(n, rng)
        mesh = np.meshgrid(*(grid.axes[v].values for v in tuned), indexing="ij", sparse=True)
        on_grid = np.log(proxy.risk(**dict(zip(tuned, mesh)), **fixed, T=1e16).min())
        shares.append((on_grid - least) / grid_excess(proxy, {v: grid.axes[v].step for v in tuned}))
    assert min(shares) > -1e-9
    assert max(shares) <= 1


def test_the_excess_is_attained_where_two_terms_balance() -> None:
    rng = np.random.default_rng(0)
    eta = np.exp(0.2 * (np.arange(-50, 50) + rng.random((40, 1))))
    worst = np.log((eta + 1 / eta).min(axis=1) / 2).max()
    proxy = Proxy((Term({}, {"eta": -1}), Term({}, {"eta": 1})), {})
    assert 0.9 < worst / grid_excess(proxy, {"eta": 0.2}) <= 1


def test_in_one_variable_the_excess_is_an_eighth_of_the_step_squared() -> None:
    assert grid_excess(bounds.lmo(), {"eta": 0.4}) == pytest.approx(0.4**2 / 8)
    flat = Proxy((Term({}, {"eta": Fraction(1, 2), "T": -1}),), {})
    assert grid_excess(flat, {"eta": 0.4}) == 0.0
