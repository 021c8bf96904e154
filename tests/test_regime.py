"""A regime gives every hyperparameter one role, and a path turns it into a power of the budget."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from hpgrid import FunctionProxy, Proxy, Regime, Term, bounds, parse
from hpgrid.grid import Grid
from hpgrid.regime import FrozenMap, as_regime


def test_a_regime_puts_its_parts_in_canonical_order_and_makes_them_exact() -> None:
    regime = Regime(tuned=("alpha", "eta"), fixed={"T": 100}, path={"b": 0.5}, caps={"eta": np.float64(0.1)})
    assert regime.tuned == ("eta", "alpha")
    assert regime.path == {"b": Fraction(1, 2)}
    assert (regime.fixed, regime.caps) == ({"T": 100.0}, {"eta": 0.1})
    assert list(Regime(fixed={"alpha": 1e-3, "eta": 0.1}).fixed) == ["eta", "alpha"]
    assert Regime("eta").tuned == Regime(("eta", "eta")).tuned == ("eta",)
    assert Regime(path={"b": Fraction(1, 3)}).path == Regime(path={"b": "1/3"}).path == {"b": Fraction(1, 3)}


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (
            {"caps": {"beta": 0.9}},
            r"a floor of alpha.*with_floors\(alpha=0.1\) of the bound; in a file, floors = { alpha = 0.1 }",
        ),
        ({"path": {"beta": 1}}, "it is alpha = 1 - beta that may be a power of the budget"),
        ({"fixed": {"beta": 1.0}}, "0 <= beta < 1"),
        ({"fixed": {"beta": 0.9, "alpha": 0.1}}, "beta is 1 - alpha. Given: 'beta and alpha'"),
        ({"tuned": ("T",)}, "'T'"),
        ({"path": {"T": 1}}, "'T'"),
        ({"caps": {"K": 1.0}}, "'K'"),
        ({"fixed": {"etha": 1.0}}, "'etha'. Write 'eta'"),
        ({"fixed": {"alpha": 2.0}}, "alpha .*<= 1"),
        ({"fixed": {"b": 0.5}}, "b >= 1"),
        ({"fixed": {"eta": -1.0}}, "eta > 0"),
        ({"caps": {"eta": 0.0}}, "eta > 0"),
        ({"tuned": ("eta",), "fixed": {"eta": 1.0}}, "eta is either"),
        ({"tuned": ("b",), "path": {"b": 1}}, "b is either"),
        ({"fixed": {"b": 2.0}, "path": {"b": 1}}, "b is either"),
        # For T >= 1: b = T^p >= 1 needs p >= 0, alpha = T^p <= 1 needs p <= 0.
        ({"path": {"b": -1}}, "b leaves its range along this path"),
        ({"path": {"alpha": Fraction(1, 2)}}, "alpha leaves its range along this path"),
        ({"path": {"b": "half"}}, r"b=half.*Write"),
        ({"min_K": 0.0}, "min_K must be positive and finite"),
        ({"min_K": "few"}, "min_K must be positive and finite.*'few'"),
    ],
)
def test_a_regime_refuses(parts: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Regime(**parts)


def test_as_regime_takes_keywords_or_a_whole_regime_but_not_both() -> None:
    regime = Regime(("eta",), {"alpha": 0.1})
    assert as_regime(None, "eta", fixed={"alpha": 0.1}, path=None) == regime
    assert as_regime(None, ["eta"], fixed={"alpha": 0.1}) == regime
    assert as_regime(regime, None, fixed=None) is regime
    assert as_regime(regime, None, 2.0) == Regime(("eta",), {"alpha": 0.1}, min_K=2.0)
    with pytest.raises(ValueError, match=r"not both.*\['fixed'\]"):
        as_regime(regime, None, fixed={"b": 2.0})
    with pytest.raises(ValueError, match="not both"):
        as_regime(regime, ("eta",))


@pytest.mark.parametrize("path", [{"b": Fraction(1, 2)}, {"alpha": Fraction(-1, 3)}, {"b": 1, "alpha": -1}])
def test_a_bound_along_a_path_is_the_bound_at_powers_of_the_budget(path: dict, budget: str) -> None:
    proxy = bounds.lmo(C1=3.0, q=0.3, budget=budget)
    size = np.array([10.0, 1e4, 1e9])
    at = {"eta": 0.01, "b": 7.0, "alpha": 0.2}
    on_path = {v: size ** float(e) for v, e in path.items()}
    folded = proxy.along(Regime(path=path).path)
    assert set(folded.variables()) == {"eta", "b", "alpha", budget} - set(path)
    np.testing.assert_allclose(
        folded.risk(**at, **{budget: size}), proxy.risk(**{**at, **on_path}, **{budget: size}), rtol=2e-14
    )
    assert proxy.along({}) is proxy


def test_a_path_of_a_term_needs_powers() -> None:
    with pytest.raises(ValueError, match="b is under a function"):
        Proxy((Term({}, {"b": "one_plus"}),), {}).along({"b": Fraction(1, 2)})


# --- a key ---


def test_equal_regimes_are_one_key_whatever_their_order() -> None:
    one = Regime(("b", "eta"), {"alpha": 0.1, "T": 100}, caps={"eta": 1.0, "b": 9}, min_K=1)
    other = Regime(("eta", "b"), {"T": 100.0, "alpha": 0.1}, caps={"b": 9.0, "eta": 1}, min_K=1.0)
    assert one == other
    assert {one: "found"}[other] == "found"
    assert one != Regime(("eta", "b"), {"T": 100.0, "alpha": 0.1})


def test_what_a_regime_holds_is_a_mapping_that_does_not_change() -> None:
    held = Regime(fixed={"alpha": 0.1}).fixed
    assert (dict(held), held["alpha"], len(held), repr(held)) == ({"alpha": 0.1}, 0.1, 1, "{'alpha': 0.1}")
    with pytest.raises(TypeError):
        held["b"] = 2.0  # type: ignore[index]
    assert hash(FrozenMap({"a": 1, "b": 2})) == hash(FrozenMap({"b": 2, "a": 1}))


# --- what is asked of it, once ---

GRID = Grid.footnote(8)
FUNCTION = FunctionProxy(lambda eta, b, alpha, T, c: b / (eta * T) + eta / alpha, name="mine")


def test_what_a_grid_holds_is_fixed_as_far_as_the_bound_depends_on_it() -> None:
    held = GRID.with_axes(alpha=0.25)
    regime = Regime(("eta", "b"))
    assert regime.settled(bounds.lmo(), held).fixed == {"alpha": 0.25}
    assert regime.settled(bounds.sgd(), held).fixed == {}
    assert regime.settled(bounds.sgd(), held, free=held.axes).fixed == {"alpha": 0.25}


@pytest.mark.parametrize(("given", "settled"), [(None, 1.0), (3.0, 3.0)])
def test_a_function_of_b_has_an_iteration_under_tokens(given: float | None, settled: float) -> None:
    regime = Regime(("eta", "b"), {"alpha": 0.1}, min_K=given)
    assert regime.settled(FUNCTION).min_K == settled
    assert regime.settled(FUNCTION.form("K")).min_K == given
    assert regime.settled(bounds.lmo()).min_K == given
    assert regime.settled(FUNCTION, GRID, free=GRID.axes).min_K == given
    whole = regime.settled(FUNCTION, GRID)
    assert whole.settled(FUNCTION, GRID) == whole


def test_what_is_free_needs_no_role() -> None:
    """The axes that a search keeps, and what a law keeps as a symbol."""
    regime = Regime("eta", {"K": 10.0})
    in_K = GRID.with_axes(K=10.0)
    assert regime.settled(bounds.lmo(), in_K, free=in_K.axes) == regime
    assert Regime("alpha").settled(bounds.sgd(), GRID, free=GRID.axes) == Regime("alpha")


def test_a_batch_size_is_held_of_what_does_not_depend_on_it() -> None:
    """It says which T a K is."""
    assert Regime("eta", {"b": 2.0}).settled(parse("1/(eta*K) + eta")).fixed == {"b": 2.0}
    with pytest.raises(ValueError, match="Write a bound that depends on a hyper"):
        Regime("eta").settled(parse("1/T"))


PAIR = ("eta", "b")


@pytest.mark.parametrize(
    ("regime", "proxy", "message"),
    [
        (Regime(), bounds.lmo(), "at least one of eta, b, alpha must be tuned. Given: 'none'"),
        (Regime(PAIR), bounds.lmo(), "alpha of the bound lmo is neither tuned nor fixed nor on a path"),
        (Regime(PAIR, {"alpha": 1.0}), bounds.sgd(), "the bound sgd does not depend on alpha.*Write eta, b or some"),
        (Regime(PAIR, path={"alpha": -1}), bounds.sgd(), "the bound sgd does not depend on alpha"),
        (Regime(PAIR, {"T": 9.0, "alpha": 0.1}), bounds.lmo(), "T is a budget, not a fixed variable"),
        (Regime("eta", {"alpha": 0.1}, {"b": 1}, {"b": 9.0}), bounds.lmo(), "b is capped, so it can't follow a path"),
        (Regime("b", {"eta": 2.0}), bounds.sgd(), "eta must not exceed its cap 1"),
        (Regime(PAIR, {}, {}, {"alpha": 0.5}), bounds.sgd(), "alpha is capped, so it must be tuned or fixed"),
        (Regime("eta", min_K=2.0), Proxy((Term({}, {"eta": 1, "T": -1}),), {}), "does not depend on b, so that tokens"),
        (Regime(PAIR), Proxy((Term({}, {"eta": 1, "b": 0}),), {}), "does not depend on b"),
    ],
)
def test_a_regime_that_does_not_fit_its_bound(regime: Regime, proxy: Proxy, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        regime.settled(proxy)
    with pytest.raises(ValueError, match=message):
        regime.settled(proxy, GRID)


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"b": None}, "b is tuned, so that it needs an axis"),
        ({"b": 2.0}, "b is tuned, so that it needs an axis"),
        ({"T": 1e9}, "a search over budgets has an axis of them"),
    ],
)
def test_a_regime_that_does_not_fit_its_grid(entries: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Regime(PAIR, {"alpha": 0.1}).settled(bounds.lmo(), GRID.with_axes(**entries))


def test_the_smallest_cap_holds_of_numbers_and_of_arrays() -> None:
    regime = Regime(PAIR, caps={"eta": 0.5, "b": 9.0})
    assert regime.joint_caps({"eta": 1.0}) == {"eta": 0.5, "b": 9.0}
    np.testing.assert_array_equal(regime.joint_caps({"eta": np.array([0.1, 1.0])})["eta"], [0.1, 0.5])


def test_far_out_a_falling_path_ends_below_every_cap() -> None:
    falling, rising = Regime("b", path={"eta": -1}), Regime("eta", path={"b": 1})
    assert falling.joint_caps({"eta": 0.1}, far=True) == {"eta": 0.1}
    with pytest.raises(ValueError, match="can't follow a path"):
        falling.joint_caps({"eta": 0.1})
    with pytest.raises(ValueError, match="b leaves its cap along this path"):
        rising.joint_caps({"b": 9.0}, far=True)
