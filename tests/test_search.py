"""The search finds what nested loops find, whatever the bound, the axes, the chunks, the precision."""

from __future__ import annotations

import itertools
import logging
import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from oracle import BOUNDS, NEAR, assert_agrees, axes_of, clear, naive_search

from hpgrid import FunctionProxy, Grid, LogAxis, Proxy, Regime, Term, bounds, grid_search
from hpgrid.search.kernel import _best
from hpgrid.search.many import search_many

SUBSETS = [over for n in (1, 2, 3) for over in itertools.combinations(("eta", "b", "alpha"), n)]
LMO = BOUNDS["lmo"]

# --- against the loops ---


@pytest.mark.parametrize("over", SUBSETS, ids="+".join)
@pytest.mark.parametrize("name", BOUNDS)
def test_search_agrees_with_the_loops(name: str, small_in: Grid, over: tuple[str, ...]) -> None:
    bound = BOUNDS[name]
    result = grid_search(bound.proxy, small_in, over)
    found = naive_search(bound.risk, axes_of(small_in), over)
    assert_agrees(result, found)
    assert list(result.axes) == [axis for axis in small_in.axes if axis not in over]
    assert result.points == 6 * 5 * 4 * 7
    for axis in over:
        values, index = small_in.axes[axis].values, result.index[axis]
        assert_array_equal(result.at[axis], np.where(index >= 0, values[index], np.nan))
        last = np.flatnonzero(values <= bound.proxy.caps.get(axis, math.inf)).max()
        assert_array_equal(result.edge[axis], (index <= 0) | (index == last))


def test_the_loops_decide_most_indices(small: Grid) -> None:
    """Else the test above would compare little."""
    for over in SUBSETS:
        assert clear(naive_search(LMO.risk, axes_of(small), over)).mean() > 0.9


def test_over_is_taken_in_canonical_order_and_one_name_may_stand_alone(small: Grid) -> None:
    result = grid_search(LMO.proxy, small, ("alpha", "eta"))
    assert (result.over, tuple(result.index)) == (("eta", "alpha"), ("eta", "alpha"))
    assert_array_equal(grid_search(LMO.proxy, small, "eta").risk, grid_search(LMO.proxy, small, ["eta"]).risk)


def test_a_regime_is_its_parts(small: Grid) -> None:
    regime = Regime(("eta",), {"alpha": 0.01}, {"b": Fraction(1, 2)}, {"eta": 0.5})
    whole = grid_search(LMO.proxy, small, regime=regime)
    parts = grid_search(LMO.proxy, small, "eta", fixed={"alpha": 0.01}, path={"b": Fraction(1, 2)}, caps={"eta": 0.5})
    assert_array_equal(whole.risk, parts.risk)
    assert (whole.fixed, whole.path, whole.over) == ({"alpha": 0.01}, {"b": Fraction(1, 2)}, ("eta",))


@pytest.mark.parametrize("over", [("eta",), ("eta", "b")])
@pytest.mark.parametrize("held", [False, True], ids=["fixed", "held by the grid"])
def test_a_fixed_value_need_not_lie_on_the_grid(small_in: Grid, over: tuple[str, ...], held: bool) -> None:
    grid = small_in.with_axes(alpha=0.0347) if held else small_in
    result = grid_search(LMO.proxy, grid, over, fixed=None if held else {"alpha": 0.0347})
    axes = {name: values for name, values in axes_of(small_in).items() if name != "alpha"}
    assert_agrees(result, naive_search(LMO.risk, axes, over, {"alpha": 0.0347}))
    assert result.fixed == {"alpha": 0.0347}


def test_with_everything_else_fixed_the_result_is_one_number(small_in: Grid) -> None:
    fixed = {"b": 33.0, "alpha": 0.0347, small_in.budget: 12345.0}
    result = grid_search(LMO.proxy, small_in, "eta", fixed=fixed)
    found = naive_search(LMO.risk, {"eta": small_in.axes["eta"].values.tolist()}, ["eta"], fixed)
    assert_agrees(result, found)
    assert (result.axes, result.points) == ({}, 6)


@pytest.mark.parametrize("exponent", [Fraction(1, 2), Fraction(0), Fraction(9, 10)])
def test_a_hyperparameter_may_follow_a_power_of_the_budget(small_in: Grid, exponent: Fraction) -> None:
    def on_path(cell: dict[str, float]) -> float:
        return LMO.risk({**cell, "b": cell[small_in.budget] ** float(exponent)})

    result = grid_search(LMO.proxy, small_in, ("eta", "alpha"), path={"b": exponent})
    axes = {name: values for name, values in axes_of(small_in).items() if name != "b"}
    found = naive_search(on_path, axes, ("eta", "alpha"))
    assert_allclose(result.risk, found.risk, rtol=2 * NEAR)  # one more power in between
    assert all(np.array_equal(result.index[axis], found.index[axis]) for axis in ("eta", "alpha"))
    assert list(result.axes) == [small_in.budget]


def test_caps_leave_out_what_lies_beyond_and_move_the_edge(small: Grid) -> None:
    caps = {"eta": 1e-3, "b": 40.0, "alpha": 1e-2}

    def capped(cell: dict[str, float]) -> float:
        return LMO.risk(cell) if all(cell[axis] <= cap for axis, cap in caps.items()) else math.inf

    result = grid_search(LMO.proxy, small, ("eta", "b"), caps=caps)
    found = naive_search(capped, axes_of(small), ("eta", "b"))
    assert_agrees(result, found)
    assert_array_equal(result.feasible, np.array([[True], [True], [False], [False]]) & np.ones(7, bool))
    for axis, last in (("eta", 1), ("b", 1)):
        index = found.index[axis]
        assert_array_equal(result.edge[axis], (index <= 0) | (index == last))
        assert np.isnan(result.at[axis][2:]).all()
    assert (result.index["b"] == 1).any()


def test_the_smaller_of_two_caps_counts(small: Grid) -> None:
    own = bounds.sgd(L=1e3)  # eta <= 1e-3
    tighter = grid_search(own, small, "eta", fixed={"alpha": 1.0}, caps={"eta": 1e-4})
    looser = grid_search(own, small, "eta", fixed={"alpha": 1.0}, caps={"eta": 1.0})
    assert tighter.index["eta"].max() == 0
    assert_array_equal(looser.risk, grid_search(own, small, "eta", fixed={"alpha": 1.0}).risk)


# --- fewer than one iteration ---


def iterations(cell: dict[str, float]) -> float:
    return cell["K"] if "K" in cell else cell["T"] / cell["b"]


MIN_K_CASES: list[tuple[tuple[str, ...], dict[str, float]]] = [
    *((over, {}) for over in SUBSETS),
    (("eta",), {"b": 333.0}),
    (("b",), {"T": 1e3}),
    (("eta", "b"), {"T": 1e3}),
    (("eta", "alpha"), {"b": 5e7}),
]


@pytest.mark.parametrize(("over", "fixed"), MIN_K_CASES)
@pytest.mark.parametrize("min_K", [1.0, 300.0])
def test_cells_below_min_K_never_win(small: Grid, over: tuple[str, ...], fixed: dict, min_K: float) -> None:
    def risk(cell: dict[str, float]) -> float:
        return LMO.risk(cell) if iterations(cell) >= min_K else math.inf

    result = grid_search(LMO.proxy, small, over, fixed=fixed, min_K=min_K)
    axes = {name: values for name, values in axes_of(small).items() if name not in fixed}
    found = naive_search(risk, axes, over, fixed)
    assert_agrees(result, found)
    assert_array_equal(result.feasible, np.isfinite(found.risk))
    for axis in over:
        nothing = ~result.feasible
        assert (result.index[axis][nothing] == -1).all()
        assert np.isnan(result.at[axis][nothing]).all()
        assert result.edge[axis][nothing].all()
    assert np.isinf(result.risk[~result.feasible]).all()


def test_min_K_counts_iterations_where_they_are_the_budget(small: Grid) -> None:
    grid = small.with_axes(K=LogAxis(1e-1, 1e5, 7))
    result = grid_search(LMO.proxy, grid, ("eta", "b"), min_K=1.0)
    assert_array_equal(result.feasible, np.ones((4, 1), bool) & (grid.axes["K"].values >= 1.0))


def test_min_K_holds_along_a_path(small: Grid) -> None:
    result = grid_search(LMO.proxy, small, ("eta", "alpha"), path={"b": Fraction(1, 2)}, min_K=1e3)
    assert_array_equal(result.feasible, small.axes["T"].values ** 0.5 >= 1e3)


@pytest.mark.parametrize("way", ["one", "many"])
def test_the_last_feasible_b_is_the_one_with_just_the_fewest_iterations(way: str) -> None:
    """With two iterations at least, T = 4, 8, 9 leave b up to 2, 4, 4, of 1, 2, 4, 8: 4 x 2 = 8 exactly counts."""
    axes = {"eta": LogAxis(1e-3, 1.0, 3), "alpha": LogAxis(1e-3, 1.0, 3)}
    grid = Grid(b=LogAxis.from_values([1, 2, 4, 8]), T=LogAxis.from_values([4, 8, 9]), **axes)
    falling = Proxy((Term({"c": 1}, {"b": -1}),), {"c": 1.0})
    inside = Proxy((Term({"c": 1}, {"b": -1}, 4), Term({"c": 1}, {"b": 1})), {"c": 1.0})  # 4/b + b: least at b = 2
    for proxy, index, edge in ((falling, [1, 2, 2], [True] * 3), (inside, [1, 1, 1], [True, False, False])):
        if way == "one":
            result = grid_search(proxy, grid, ("b",), fixed={"eta": 1.0, "alpha": 1.0}, min_K=2)
        else:
            regime = Regime(("b",), {"eta": 1.0, "alpha": 1.0})
            result = search_many(proxy, grid, regime, {"c": [1.0]}, min_K=2)
        assert np.ravel(result.index["b"]).tolist() == index
        assert np.ravel(result.edge["b"]).tolist() == edge


def test_the_edge_of_b_is_where_the_iterations_end(small: Grid) -> None:
    """Without noise in alpha the largest batch that min_K leaves is best, and it is an edge."""
    noise = Proxy((Term({}, {"b": -1}), Term({}, {"T": -1})), {})
    result = grid_search(noise, small.with_axes(eta=None, alpha=None), "b", min_K=1.0)
    last = [max(k for k, b in enumerate(small.axes["b"].values) if b <= T) for T in small.axes["T"].values]
    assert_array_equal(result.index["b"], last)
    assert set(last) == {1, 2, 3, 4}
    assert result.edge["b"].all()


@pytest.mark.parametrize(
    ("held", "path"), [({}, {}), ({"b": 333.0}, {}), ({"T": 1e3}, {}), ({}, {"b": Fraction(11, 10)})]
)
def test_cells_below_one_iteration_are_counted_and_flagged(small: Grid, held: dict, path: dict) -> None:
    result = grid_search(LMO.proxy, small, ("eta", "alpha"), fixed=held, path=path)
    axes = {name: values for name, values in axes_of(small).items() if name not in {*held, *path}}
    count = 0
    for place in itertools.product(*axes.values()):
        cell = {**held, **dict(zip(axes, place))}
        b = cell["T"] ** float(path["b"]) if path else cell["b"]
        count += cell["T"] / b < 1
    assert result.cells_below_one_K == count > 0
    flags = [
        T / (T ** float(path["b"]) if path else b) < 1
        for b in ([None] if path else np.atleast_1d(held.get("b", small.axes["b"].values)))
        for T in np.atleast_1d(held.get("T", small.axes["T"].values))
    ]
    assert_array_equal(result.below_one_K.ravel(), flags)


def test_the_flag_tells_of_the_best_cell_where_b_is_tuned(small: Grid) -> None:
    """A bound that only falls in b takes the largest b, whatever the budget."""
    noise = Proxy((Term({}, {"b": -1}), Term({}, {"T": -1})), {})
    result = grid_search(noise, small.with_axes(eta=None, alpha=None), "b")
    assert_array_equal(result.below_one_K, small.axes["T"].values < 1e6)


def test_in_iterations_the_cells_below_one_are_those_with_K_below_one(small: Grid) -> None:
    result = grid_search(LMO.proxy, small.with_axes(K=LogAxis(1e-1, 1e5, 7)), ("eta", "b"))
    assert result.cells_below_one_K == 6 * 5 * 4 * 1
    assert_array_equal(result.below_one_K, np.ones((4, 1), bool) & (result.axes["K"] < 1))


# --- ties ---

TWOS = LogAxis.from_values([1.0, 2.0, 4.0, 8.0])
HALVES = LogAxis.from_values([0.125, 0.25, 0.5, 1.0])
TIE_GRID = Grid(eta=HALVES, b=TWOS, alpha=HALVES, T=LogAxis.from_values([16.0, 64.0]))


def by_function(function: Callable[..., Any]) -> FunctionProxy:
    return FunctionProxy(lambda eta, b, alpha, T, _: function(eta, b, alpha, T))


#: Bounds in whole powers of whole powers of two, so that ties are exact; and the same in Python.
TIES: dict[str, tuple[Proxy | FunctionProxy, Callable[..., float]]] = {
    "product of two": (
        Proxy((Term({}, {"eta": 1, "b": 1}), Term({}, {"eta": -1, "b": -1}), Term({}, {"T": -1})), {}),
        lambda eta, b, alpha, T: eta * b + 1 / (eta * b) + 1 / T,
    ),
    "product of three": (
        Proxy((Term({}, {"eta": 1, "b": 1, "alpha": 1}), Term({}, {"eta": -1, "b": -1, "alpha": -1})), {}),
        lambda eta, b, alpha, T: eta * b * alpha + 1 / (eta * b * alpha),
    ),
    "flat along alpha": (
        Proxy((Term({}, {"eta": 2, "T": 1}), Term({}, {"eta": -1, "alpha": 0}), Term({}, {"b": 1})), {}),
        lambda eta, b, alpha, T: eta**2 * T + 1 / eta + b,
    ),
    "plateau": (
        by_function(lambda eta, b, alpha, T: jnp.maximum(jnp.maximum(1 / (eta * b), b * alpha), 4 / T)),
        lambda eta, b, alpha, T: max(1 / (eta * b), b * alpha, 4 / T),
    ),
    "symmetric": (
        by_function(lambda eta, b, alpha, T: (8 * eta - b) ** 2 + (b - 8 * alpha) ** 2 + T),
        lambda eta, b, alpha, T: (8 * eta - b) ** 2 + (b - 8 * alpha) ** 2 + T,
    ),
    "constant": (by_function(lambda eta, b, alpha, T: T), lambda eta, b, alpha, T: T),
}


@pytest.mark.parametrize("over", SUBSETS, ids="+".join)
@pytest.mark.parametrize("name", TIES)
def test_exact_ties_go_to_the_first_cell_in_row_major_order(name: str, over: tuple[str, ...]) -> None:
    proxy, by_hand = TIES[name]
    result = grid_search(proxy, TIE_GRID, over)
    found = naive_search(lambda cell: by_hand(**cell), axes_of(TIE_GRID), over)
    assert_array_equal(result.risk, found.risk)
    for axis in over:
        assert_array_equal(result.index[axis], found.index[axis])


def test_the_tied_bounds_tie() -> None:
    """Across lines, too: eta b = 1 is reached at eta = 1/8, b = 8 first, not at b = 1."""
    for _, by_hand in TIES.values():
        found = naive_search(lambda cell, f=by_hand: f(**cell), axes_of(TIE_GRID), ("eta", "b", "alpha"))
        assert (found.runner_up == found.risk).all()
    result = grid_search(TIES["product of two"][0], TIE_GRID, ("eta", "b"))
    assert (result.at["eta"] == 0.125).all()
    assert (result.at["b"] == 8.0).all()


def test_a_bound_is_constant_along_an_axis_that_it_does_not_have(small: Grid) -> None:
    result = grid_search(bounds.sgd(), small, ("eta", "b"))
    assert result.risk.shape == (4, 7)
    assert (result.risk == result.risk[0]).all()
    alone = grid_search(bounds.sgd(), small.with_axes(eta=LogAxis(1e-5, 1.0, 6)), "alpha")
    assert (alone.index["alpha"] == 0).all()
    assert_array_equal(alone.at["alpha"], np.full((6, 5, 7), 1e-4))


# --- what has no value never wins ---


@pytest.mark.parametrize("over", SUBSETS, ids="+".join)
def test_infinite_and_undefined_cells_never_win(over: tuple[str, ...]) -> None:
    """(1 - eta)^(T/b) is NaN for eta > 1; alpha > 1/2 is declared infinite; b = 1 is declared NaN."""

    def risk(eta: Any, b: Any, alpha: Any, T: Any, constants: Any) -> Any:
        value = jnp.exp(T / b * jnp.log1p(-constants["lam"] * eta)) + alpha * eta / b
        return jnp.where(alpha > 0.5, jnp.inf, jnp.where(b == 1, jnp.nan, value))

    def by_hand(cell: dict[str, float]) -> float:
        if cell["eta"] > 1 or cell["b"] == 1 or cell["alpha"] > 0.5:
            return math.nan
        value = math.exp(cell["T"] / cell["b"] * math.log1p(-cell["eta"])) if cell["eta"] < 1 else 0.0
        return value + cell["alpha"] * cell["eta"] / cell["b"]

    grid = TIE_GRID.with_axes(eta=LogAxis.from_values([0.1, 0.3, 0.9, 2.0, 3.0]))
    result = grid_search(FunctionProxy(risk, {"lam": 1.0}), grid, over)
    found = naive_search(by_hand, axes_of(grid), over)
    assert_allclose(result.risk, found.risk, rtol=1e-13)
    for axis in over:
        assert_array_equal(result.index[axis], found.index[axis])
    assert np.isfinite(result.risk).any()


# --- chunks ---


UNEVEN = bounds.lmo(C1=0.3, C2=7.0, C3=0.11)  # no coefficient is a power of two: products are rounded
CHUNKED: list[tuple[Proxy | FunctionProxy, tuple[str, ...], dict[str, Any]]] = [
    *((UNEVEN, over, {"min_K": 1.0}) for over in (("eta",), ("b",), ("eta", "alpha"))),
    (UNEVEN, ("eta", "b", "alpha"), {}),
    (UNEVEN, ("alpha",), {"fixed": {"T": 1234.5}}),
    (bounds.sgd(sigma=0.3), ("eta", "b"), {}),
    (BOUNDS["function"].proxy, ("eta", "b"), {}),
]


@pytest.mark.parametrize(("proxy", "over", "options"), CHUNKED)
def test_the_result_does_not_depend_on_the_chunk(
    small: Grid, proxy: Proxy | FunctionProxy, over: tuple[str, ...], options: dict[str, Any]
) -> None:
    """To the last bit for a sum of terms; a function is free to be compiled differently."""
    whole = grid_search(proxy, small, over, **options)
    for chunk in (1, 7, 50, 1000, 2**20):
        part = grid_search(proxy, small, over, chunk=chunk, **options)
        if isinstance(proxy, FunctionProxy):
            assert_allclose(part.risk, whole.risk, rtol=NEAR)
        else:
            assert_array_equal(part.risk, whole.risk)
            assert all(np.array_equal(part.index[axis], whole.index[axis]) for axis in over)


# --- compilation ---


def compilations(caplog: pytest.LogCaptureFixture, search: Callable[[], object]) -> int:
    """Return how many programs a search compiles."""
    caplog.clear()
    with jax.log_compiles(), caplog.at_level(logging.WARNING, logger="jax"):
        search()
    return sum("Finished XLA compilation" in record.getMessage() for record in caplog.records)


@pytest.mark.parametrize("over", [("eta",), ("b",), ("eta", "b", "alpha")], ids="+".join)
def test_other_constants_exponents_and_values_compile_nothing(
    small: Grid, over: tuple[str, ...], caplog: pytest.LogCaptureFixture, recwarn: pytest.WarningsRecorder
) -> None:
    """One program serves every bound of one shape, on every grid of one shape."""
    odd = small.with_axes(T=LogAxis(1e2, 1e8, 9))  # a size that no other test has
    assert compilations(caplog, lambda: grid_search(bounds.lmo(), odd, over)) > 0
    programs = _best._cache_size()
    others = [
        bounds.lmo(C1=7.0, C2=0.1, C3=3.0),
        *(bounds.lmo(q=q) for q in (0.3, 0.7, 1)),
        bounds.lmo_exact(L=9.0),
    ]
    elsewhere = odd.with_axes(eta=LogAxis(1e-9, 1e-3, 6), T=LogAxis(1e4, 1e20, 9))
    for proxy, grid in itertools.product(others, (odd, elsewhere)):
        assert compilations(caplog, lambda p=proxy, g=grid: grid_search(p, g, over)) == 0
    assert _best._cache_size() == programs


def test_other_fixed_values_and_caps_compile_nothing(small: Grid) -> None:
    for fixed, cap in (({"alpha": 0.1}, 1.0), ({"alpha": 0.0347}, 1e-3)):
        grid_search(bounds.lmo(), small, ("eta", "b"), fixed=fixed, caps={"eta": cap})
        programs = _best._cache_size()
    grid_search(bounds.lmo(C3=3.0), small, ("eta", "b"), fixed={"alpha": 1e-3}, caps={"eta": 0.1})
    assert _best._cache_size() == programs


def test_other_constants_of_a_function_compile_nothing(small_in: Grid) -> None:
    function = BOUNDS["function"].proxy.function
    grid_search(FunctionProxy(function, {"C": 1.0, "lam": 0.5}), small_in, ("eta", "b"))
    programs = _best._cache_size()
    grid_search(FunctionProxy(function, {"C": 2.0, "lam": 0.1}), small_in, ("eta", "b"))
    assert _best._cache_size() == programs


# --- precision ---


def test_searching_changes_no_flag_and_returns_float64(small: Grid) -> None:
    assert jax.config.jax_enable_x64 is False
    result = grid_search(LMO.proxy, small, ("eta", "b"))
    assert jax.config.jax_enable_x64 is False
    assert jnp.asarray(1.0).dtype == jnp.float32
    arrays = [result.risk, *result.at.values(), *result.axes.values()]
    assert {type(array) for array in arrays} == {np.ndarray}
    assert {array.dtype for array in arrays} == {np.dtype("float64")}
    assert all(index.dtype.kind == "i" for index in result.index.values())
    assert (result.dtype, result.unresolved) == ("float64", None)


@pytest.mark.parametrize("over", [("eta",), ("b", "alpha"), ("eta", "b", "alpha")], ids="+".join)
def test_float32_says_where_it_cannot_resolve(over: tuple[str, ...]) -> None:
    grid = Grid.footnote(24)
    exact = grid_search(LMO.proxy, grid, over)
    coarse = grid_search(LMO.proxy, grid, over, dtype="float32")
    assert (coarse.risk.dtype, coarse.dtype) == (np.dtype("float32"), "float32")
    assert_allclose(coarse.risk, exact.risk, rtol=1e-6)
    moved = np.any([coarse.index[axis] != exact.index[axis] for axis in over], axis=0)
    assert coarse.unresolved is not None
    assert coarse.unresolved.shape == coarse.risk.shape
    assert not (moved & ~coarse.unresolved).any()
    assert not coarse.unresolved.all()
    if over == ("b", "alpha"):
        assert moved.any()


# --- the whole grid ---


def eq_4_at(T: float, grid: Grid) -> np.ndarray:
    """Eq. (4) with unit constants on eta x b x alpha."""
    eta, b, alpha = np.ix_(*(grid.axes[axis].values for axis in ("eta", "b", "alpha")))
    return b / (eta * T) + (np.sqrt(b) / (alpha * T) + np.sqrt(alpha / b)) + eta * (1 + 1 / alpha)


def test_the_footnotes_grid_jointly_agrees_with_numpy() -> None:
    grid = Grid.footnote()
    result = grid_search(bounds.lmo(), grid, ("eta", "b", "alpha"))
    assert result.points == 10**8
    decided = 0
    for k, T in enumerate(grid.axes["T"].values):
        cube = eq_4_at(T, grid).ravel()
        best = cube.argmin()
        assert result.risk[k] == pytest.approx(cube[best], rel=NEAR)
        if np.count_nonzero(cube <= cube[best] * (1 + NEAR)) == 1:
            decided += 1
            assert tuple(result.index[axis][k] for axis in result.over) == np.unravel_index(best, (100,) * 3)
    assert decided > 90


def test_the_footnotes_grid_over_eta_agrees_with_numpy() -> None:
    grid = Grid.footnote()
    result = grid_search(bounds.lmo(), grid, "eta")
    assert result.risk.shape == (100, 100, 100)
    for k in range(4, 100, 10):
        cube = eq_4_at(grid.axes["T"].values[k], grid)
        two = np.partition(cube, 1, axis=0)
        assert_allclose(result.risk[..., k], two[0], rtol=NEAR)
        decided = two[1] > two[0] * (1 + NEAR)
        assert_array_equal(result.index["eta"][..., k][decided], cube.argmin(0)[decided])
        assert decided.mean() > 0.5


# --- laws ---


@given(
    k=st.tuples(*[st.integers(-3, 3)] * 3),
    eta=st.integers(-30, 0),
    b=st.integers(0, 6),
    over=st.sampled_from(SUBSETS),
)
def test_constants_only_rescale_the_search(k: tuple[int, int, int], eta: int, b: int, over: Any) -> None:
    """Eq. (4) with constants on a grid is lam times eq. (4) with units on the scaled one, index for index.

    The constants are powers of 4, so that lam = sqrt(C1 C3) and every scaled value are exact.
    """
    C1, C2, C3 = (4.0**e for e in k)
    lam = math.sqrt(C1 * C3)
    s = (lam / C2) ** 2
    eta_values, b_values = 2.0 ** (eta + 5 * np.arange(6)), max(1.0, 1 / s) * 8.0**b * 3.0 ** np.arange(5)
    alpha, T_values = LogAxis(1e-4, 1.0, 4), b_values.max() * 10.0 ** np.arange(7)
    grid, scaled = (
        Grid(
            eta=LogAxis.from_values(eta_values * by_eta),
            b=LogAxis.from_values(b_values * by_b),
            alpha=alpha,
            T=LogAxis.from_values(T_values * by_b),
        )
        for by_eta, by_b in ((1.0, 1.0), (C3 / lam, s))
    )
    given_constants = grid_search(bounds.lmo(C1=C1, C2=C2, C3=C3), grid, over)
    units = grid_search(bounds.lmo(), scaled, over)
    assert_allclose(given_constants.risk, lam * units.risk, rtol=NEAR)
    for axis in over:
        assert_array_equal(given_constants.index[axis], units.index[axis])


log10_C = st.floats(-2, 2).map(lambda x: 10**x)


@given(
    C=st.tuples(log10_C, log10_C, log10_C),
    q=st.sampled_from([0.25, 0.5, 0.8]),
    over=st.sampled_from([("eta",), ("b", "alpha"), ("eta", "b", "alpha")]),
)
def test_a_refined_grid_is_never_worse_and_its_gain_is_bounded(C: Any, q: float, over: Any) -> None:
    """ln(coarse/fine) <= (1/2) sum over the axes of (largest |exponent|) x (log step)."""
    proxy = bounds.lmo(C1=C[0], C2=C[1], C3=C[2], q=q)

    def grid(refined: int) -> Grid:
        def axis(lo: float, hi: float, n: int, name: str) -> LogAxis:
            return LogAxis(lo, hi, refined * (n - 1) + 1 if name in over else n)

        return Grid(
            eta=axis(1e-8, 1e2, 11, "eta"),
            b=axis(1.0, 1e6, 7, "b"),
            alpha=axis(1e-5, 1.0, 6, "alpha"),
            T=LogAxis(1e3, 1e12, 4),
        )

    coarse, fine = (grid_search(proxy, grid(refined), over) for refined in (1, 2))
    bound = sum(max(abs(term.exponent(axis)) for term in proxy.terms) * grid(1).axes[axis].step / 2 for axis in over)
    assert (fine.risk <= coarse.risk * (1 + NEAR)).all()
    assert (np.log(coarse.risk / fine.risk) <= bound).all()


@given(C=st.tuples(log10_C, log10_C, log10_C), first=st.sampled_from(["eta", "b", "alpha"]))
def test_minimising_one_axis_after_the_other_is_minimising_both(C: Any, first: str) -> None:
    proxy = bounds.lmo(C1=C[0], C2=C[1], C3=C[2])
    grid = Grid(eta=LogAxis(1e-5, 1e1, 6), b=LogAxis(1.0, 1e6, 5), alpha=LogAxis(1e-4, 1.0, 4), T=LogAxis(1e2, 1e8, 7))
    second = "b" if first != "b" else "alpha"
    inner, joint = grid_search(proxy, grid, first), grid_search(proxy, grid, (first, second))
    place = list(inner.axes).index(second)
    two = np.partition(inner.risk, 1, axis=place).take([0, 1], axis=place)
    assert_allclose(joint.risk, two.take(0, axis=place), rtol=NEAR)
    decided = two.take(1, axis=place) > two.take(0, axis=place) * (1 + NEAR)
    at = inner.risk.argmin(place)
    assert_array_equal(joint.index[second][decided], at[decided])
    inside = np.take_along_axis(inner.index[first], np.expand_dims(at, place), place).squeeze(place)
    assert_array_equal(joint.index[first][decided], inside[decided])


# --- what it refuses ---

FUNCTION = BOUNDS["function"].proxy


@pytest.mark.parametrize(
    ("proxy", "options", "message"),
    [
        (LMO.proxy, {"over": ()}, "something is tuned"),
        (LMO.proxy, {}, "something is tuned"),
        (LMO.proxy, {"over": "eta", "fixed": {"eta": 1.0}}, "eta is either tuned or fixed"),
        (LMO.proxy, {"over": ("eta", "beta")}, "momentum is tuned as alpha"),
        (LMO.proxy, {"over": "T"}, "tuned axis.*'T'.*eta, b, alpha"),
        (LMO.proxy, {"over": "eta", "fixed": {"alpha": 2.0}}, "alpha.*<= 1.*Given: 2.0"),
        (LMO.proxy, {"over": "eta", "fixed": {"b": 0.5}}, "b >= 1.*Given: 0.5"),
        (LMO.proxy, {"over": "b", "fixed": {"eta": -1}}, "eta > 0.*Given: -1"),
        (LMO.proxy, {"over": "eta", "regime": Regime("eta")}, "a regime or its parts, not both"),
        (LMO.proxy, {"fixed": {"b": 2.0}, "regime": Regime("eta")}, r"not both.*\['fixed'\]"),
        (LMO.proxy, {"over": "eta", "dtype": "float16"}, "dtype.*'float16'"),
        (LMO.proxy, {"over": "eta", "chunk": 0}, "chunk.*1 or more.*Given: 0"),
        (LMO.proxy, {"over": "eta", "min_K": 0.0}, "min_K must be positive"),
        (LMO.proxy, {"over": "eta", "min_K": -1.0}, "min_K must be positive.*Given: -1"),
        (LMO.proxy, {"over": "eta", "min_K": math.nan}, "min_K must be positive.*nan"),
        (bounds.sgd(), {"over": "b", "fixed": {"eta": 2.0}}, "eta must not exceed its cap 1.*Given: 2.0"),
        (
            LMO.proxy,
            {"over": "b", "fixed": {"eta": 2.0}, "caps": {"eta": 1.0}},
            "eta must not exceed its cap 1",
        ),
        (bounds.sgd(), {"over": "b", "path": {"eta": -1}}, "eta is capped, so it can't follow a path"),
        (LMO.proxy, {"over": "eta", "path": {"b": 1}, "caps": {"b": 9.0}}, "b is capped"),
        (FUNCTION, {"over": "eta", "path": {"b": 1}}, "a bound given by a function has no path"),
    ],
)
def test_search_refuses(small: Grid, proxy: Any, options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        grid_search(proxy, small, **options)


def test_a_held_axis_cannot_be_minimised_over(small: Grid) -> None:
    with pytest.raises(ValueError, match="alpha is tuned, so that it needs an axis"):
        grid_search(LMO.proxy, small.with_axes(alpha=0.1), ("eta", "alpha"))


@pytest.mark.parametrize(("missing", "over"), [("b", ("eta",)), ("alpha", ("eta", "b")), ("alpha", ("eta",))])
def test_every_variable_of_the_bound_needs_an_axis(small: Grid, missing: str, over: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=f"{missing} of the bound lmo is neither tuned nor fixed nor on a path"):
        grid_search(LMO.proxy, small.with_axes(**{missing: None}), over)


@pytest.mark.parametrize(("dtype", "C1"), [("float32", 1e30), ("float64", 1e300)])
def test_a_risk_that_overflows_is_refused_with_its_term_and_place(dtype: str, C1: float) -> None:
    message = rf"overflows {dtype} on this grid.*term C1\*eta\^-1\*b\*T\^-1 is 1e\+.* at eta=1e-15"
    with pytest.raises(ValueError, match=message):
        grid_search(bounds.lmo(C1=C1), Grid.footnote(5), "eta", dtype=dtype)


def test_float64_takes_what_overflows_float32() -> None:
    assert np.isfinite(grid_search(bounds.lmo(C1=1e30), Grid.footnote(5), "eta").risk).all()


# --- not yet so ---


@pytest.mark.parametrize(
    ("entries", "path"),
    [({"b": 1e6, "T": 1e3}, {}), ({"K": 0.5}, {}), ({"T": 1e3}, {"b": Fraction(3, 2)})],
    ids=["b and T", "K", "T, b on a path"],
)
def test_min_K_leaves_out_fixed_values_too(small: Grid, entries: dict, path: dict) -> None:
    """K = T/b is below 1 in every cell."""
    result = grid_search(LMO.proxy, small.with_axes(**entries), "eta", path=path, min_K=1.0)
    assert not result.feasible.any()


def test_a_fixed_budget_is_the_grids_own(small: Grid) -> None:
    with pytest.raises(ValueError, match="K"):
        grid_search(LMO.proxy, small, "eta", fixed={"K": 0.5})


@pytest.mark.parametrize(
    ("constant", "factors", "eta", "b"),
    [
        (1e-50, {"eta": -1}, LogAxis(1e-30, 1e-20, 5), 1.0),
        (1e-60, {"eta": 3}, LogAxis(1e14, 1e20, 5), 1.0),
        pytest.param(1e-5, {"eta": 3}, LogAxis(1e10, 1e13, 5), 1.0),
        pytest.param(1e20, {"eta": -2, "b": 1}, LogAxis(1e10, 1e12, 5), LogAxis(1e15, 1e20, 3)),
    ],
    ids=["coefficient", "coefficient and table", "table", "product without the scanned axis"],
)
def test_float32_refuses_what_it_cannot_hold_or_finds_the_same(
    constant: float, factors: dict, eta: LogAxis, b: LogAxis | float
) -> None:
    terms = Term({"c": 1}, factors), Term({}, {"eta": -1 if factors["eta"] > 0 else 1})
    proxy, grid = Proxy(terms, {"c": constant}), Grid(eta=eta, b=b, T=1.0)
    exact = grid_search(proxy, grid, "eta")
    try:
        coarse = grid_search(proxy, grid, "eta", dtype="float32")
    except ValueError:
        return
    assert coarse.unresolved is not None
    assert_allclose(coarse.risk, exact.risk, rtol=1e-6)
    assert (coarse.unresolved | (coarse.index["eta"] == exact.index["eta"])).all()


def test_float32_flags_ties_of_negative_risks(small: Grid) -> None:
    proxy = by_function(lambda eta, b, alpha, T: 0 * eta - 5)
    result = grid_search(proxy, small, "eta", dtype="float32")
    assert result.unresolved is not None
    assert result.unresolved.all()


def test_a_fixed_factor_may_be_zero(small: Grid) -> None:
    """At alpha = 1 the term eta (1 - alpha) is not there."""
    proxy = Proxy((Term({}, {"eta": 1, "alpha": "one_minus"}), Term({}, {"eta": -1})), {})
    result = grid_search(proxy, small.with_axes(alpha=1.0), "eta")
    assert_array_equal(result.at["eta"], 10.0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"over": 3}, "minimised over is a list of names.*Given: 3"),
        ({"over": "eta", "min_K": "1"}, "min_K must be positive and finite.*Given: '1'"),
        ({"over": "eta", "chunk": 2.5}, r"chunk is a whole number.*Given: 2\.5"),
    ],
)
def test_options_of_a_wrong_kind_are_refused(small: Grid, options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        grid_search(LMO.proxy, small, **options)
