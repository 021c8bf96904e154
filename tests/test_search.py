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
from numpy.testing import assert_allclose, assert_array_equal
from oracle import BOUNDS, NEAR, SUBSETS, TIE_GRID, assert_agrees, axes_of, clear, naive_search

from hpgrid import FunctionProxy, Grid, LogAxis, Proxy, Regime, Term, bounds, grid_search, progress
from hpgrid.checks import Note
from hpgrid.search import kernel
from hpgrid.search.kernel import program
from hpgrid.search.many import search_many

LMO = BOUNDS["lmo"]

# --- against the loops ---


@pytest.mark.parametrize("method", ["brute", "auto"])
@pytest.mark.parametrize("over", SUBSETS, ids="+".join)
@pytest.mark.parametrize("name", BOUNDS)
def test_search_agrees_with_the_loops(name: str, small_in: Grid, over: tuple[str, ...], method: str) -> None:
    bound = BOUNDS[name]
    result = grid_search(bound.proxy, small_in, over, method=method)
    found = naive_search(bound.risk, axes_of(small_in), over)
    assert_agrees(result, found)
    assert list(result.axes) == [axis for axis in small_in.axes if axis not in over]
    assert result.points == 6 * 5 * 4 * 7
    for axis in over:
        values, index = small_in.axes[axis].values, result.index[axis]
        assert_array_equal(result.at[axis], np.where(index >= 0, values[index], np.nan))
        last = np.flatnonzero(values <= bound.proxy.caps.get(axis, math.inf)).max()
        assert_array_equal(result.edge[axis], (index <= 0) | (index == last))


@pytest.mark.parametrize("over", SUBSETS, ids="+".join)
@pytest.mark.parametrize("name", ["lmo, constants", "function"])
def test_compiled_well_it_finds_what_it_does_compiled_soon(
    name: str, small: Grid, over: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the last bit for a sum of terms."""
    bound = BOUNDS[name]
    soon = grid_search(bound.proxy, small, over, method="brute")
    monkeypatch.setattr(kernel, "SOON", 0)
    well = grid_search(bound.proxy, small, over, method="brute")
    assert_agrees(well, naive_search(bound.risk, axes_of(small), over))
    if name != "function":
        assert_array_equal(well.risk, soon.risk)
        assert all(np.array_equal(well.index[axis], soon.index[axis]) for axis in over)


def test_the_loops_decide_most_indices(small: Grid) -> None:
    """Else the test above would compare little."""
    for over in SUBSETS:
        assert clear(naive_search(LMO.risk, axes_of(small), over)).mean() > 0.9


def test_a_regime_is_its_parts(small: Grid) -> None:
    regime = Regime(("eta",), {"alpha": 0.01}, {"b": Fraction(1, 2)}, {"eta": 0.5})
    whole = grid_search(LMO.proxy, small, regime=regime)
    parts = grid_search(LMO.proxy, small, "eta", fixed={"alpha": 0.01}, path={"b": Fraction(1, 2)}, caps={"eta": 0.5})
    assert_array_equal(whole.risk, parts.risk)
    assert (whole.fixed, whole.path, whole.over) == ({"alpha": 0.01}, {"b": Fraction(1, 2)}, ("eta",))


FIXED = [(("eta",), {"alpha": 0.0347}), (("eta", "b"), {"alpha": 0.0347}), ("eta", {"b": 33.0, "alpha": 0.0347})]


@pytest.mark.parametrize(("over", "fixed"), FIXED)
@pytest.mark.parametrize("held", [False, True], ids=["fixed", "held by the grid"])
def test_a_fixed_value_need_not_lie_on_the_grid(small_in: Grid, over: Any, fixed: dict, held: bool) -> None:
    """With everything fixed beside one name, which may stand alone, the result is one number."""
    fixed = fixed | ({small_in.budget: 12345.0} if over == "eta" else {})
    over_names = [over] if over == "eta" else over
    grid, given = (small_in.with_axes(**fixed), None) if held else (small_in, fixed)
    result = grid_search(LMO.proxy, grid, over, fixed=given)
    axes = {name: values for name, values in axes_of(small_in).items() if name not in fixed}
    assert_agrees(result, naive_search(LMO.risk, axes, over_names, fixed))
    assert result.fixed == fixed
    assert result.points == math.prod(map(len, axes.values()))


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


def test_min_K_counts_iterations_where_they_are_the_budget_or_on_a_path(small: Grid) -> None:
    in_K = small.with_axes(K=LogAxis(1e-1, 1e5, 7))
    result = grid_search(LMO.proxy, in_K, ("eta", "b"), min_K=1.0)
    assert_array_equal(result.feasible, np.ones((4, 1), bool) & (in_K.axes["K"].values >= 1.0))
    assert result.cells_below_one_K == 6 * 5 * 4 * 1
    assert_array_equal(grid_search(LMO.proxy, in_K, ("eta", "b")).below_one_K, ~result.feasible)
    along = grid_search(LMO.proxy, small, ("eta", "alpha"), path={"b": Fraction(1, 2)}, min_K=1e3)
    assert_array_equal(along.feasible, small.axes["T"].values ** 0.5 >= 1e3)


@pytest.mark.parametrize(
    ("entries", "path"),
    [({"b": 1e6, "T": 1e3}, {}), ({"K": 0.5}, {}), ({"T": 1e3}, {"b": Fraction(3, 2)})],
    ids=["b and T", "K", "T, b on a path"],
)
def test_min_K_leaves_out_fixed_values_too(small: Grid, entries: dict, path: dict) -> None:
    """K = T/b is below 1 in every cell."""
    result = grid_search(LMO.proxy, small.with_axes(**entries), "eta", path=path, min_K=1.0)
    assert not result.feasible.any()


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


def test_a_bound_that_only_falls_in_b_takes_the_largest_b_that_min_K_leaves(small: Grid) -> None:
    """Which is an edge; without min_K it is the axis' end, and the flag says where that has no whole iteration."""
    noise, grid = Proxy((Term({}, {"b": -1}), Term({}, {"T": -1})), {}), small.with_axes(eta=None, alpha=None)
    result = grid_search(noise, grid, "b", min_K=1.0)
    last = [max(k for k, b in enumerate(small.axes["b"].values) if b <= T) for T in small.axes["T"].values]
    assert_array_equal(result.index["b"], last)
    assert set(last) == {1, 2, 3, 4}
    assert result.edge["b"].all()
    assert_array_equal(grid_search(noise, grid, "b").below_one_K, small.axes["T"].values < 1e6)


@pytest.mark.parametrize(
    ("held", "path"), [({}, {}), ({"b": 333.0}, {}), ({"T": 1e3}, {}), ({}, {"b": Fraction(11, 10)})]
)
def test_cells_below_one_iteration_are_counted_and_flagged(small: Grid, held: dict, path: dict) -> None:
    result = grid_search(LMO.proxy, small, ("eta", "alpha"), fixed=held, path=path)
    T = np.atleast_1d(held.get("T", small.axes["T"].values))
    b = T ** float(path["b"]) if path else np.atleast_1d(held.get("b", small.axes["b"].values))[:, None]
    assert_array_equal(result.below_one_K.ravel(), np.ravel(T / b < 1))
    assert result.cells_below_one_K == 6 * 4 * np.count_nonzero(T / b < 1) > 0


# --- ties ---


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


#: A sum of terms and a function over every subset; the others over all, and over two that tie.
TIED = [(name, over) for name in ("product of three", "plateau") for over in SUBSETS]
TIED += [(name, over) for name in TIES for over in (SUBSETS[-1], ("eta", "b")) if (name, over) not in TIED]


@pytest.mark.parametrize(("name", "over"), TIED, ids=str)
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


@pytest.mark.parametrize("soon", [True, False], ids=["soon", "well"])
@pytest.mark.parametrize(("proxy", "over", "options"), CHUNKED)
def test_the_result_does_not_depend_on_the_chunk(
    small: Grid,
    proxy: Proxy | FunctionProxy,
    over: tuple[str, ...],
    options: dict[str, Any],
    soon: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """To the last bit for a sum of terms; a function is free to be compiled differently."""
    monkeypatch.setattr(kernel, "SOON", kernel.SOON if soon else 0)
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
    assert compilations(caplog, lambda: grid_search(bounds.lmo(), odd, over, method="brute")) > 0
    programs = program(soon=True)._cache_size()
    others = [bounds.lmo(C1=7.0, C2=0.1, C3=3.0), *(bounds.lmo(q=q) for q in (0.3, 0.7, 1)), bounds.lmo_exact(L=9.0)]
    elsewhere = odd.with_axes(eta=LogAxis(1e-9, 1e-3, 6), T=LogAxis(1e4, 1e20, 9))
    for proxy, grid in itertools.product(others, (odd, elsewhere)):
        assert compilations(caplog, lambda p=proxy, g=grid: grid_search(p, g, over, method="brute")) == 0
    assert program(soon=True)._cache_size() == programs


def test_other_fixed_values_caps_and_constants_of_a_function_compile_nothing(small_in: Grid) -> None:
    function, programs = BOUNDS["function"].proxy.function, []
    for alpha, cap, C in ((0.1, 1.0, 1.0), (0.0347, 1e-3, 2.0)):
        own = {"fixed": {"alpha": alpha}, "caps": {"eta": cap}}
        grid_search(bounds.lmo(C3=C), small_in, ("eta", "b"), method="brute", **own)
        grid_search(FunctionProxy(function, {"C": C, "lam": 0.1 * C}), small_in, ("eta", "b"))
        programs.append(program(soon=True)._cache_size())
    assert programs[0] == programs[1]


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


def test_the_footnotes_grid_agrees_with_numpy() -> None:
    """Jointly, and over eta alone: at every tenth budget."""
    grid, counts = Grid.footnote(), []
    jointly, over_eta = grid_search(bounds.lmo(), grid, ("eta", "b", "alpha")), grid_search(bounds.lmo(), grid, "eta")
    assert jointly.points == over_eta.points == 10**8
    assert over_eta.risk.shape == (100, 100, 100)
    for k in range(4, 100, 10):
        cube = eq_4_at(grid.axes["T"].values[k], grid)
        best = cube.argmin()
        assert jointly.risk[k] == pytest.approx(cube.ravel()[best], rel=NEAR)
        counts.append(np.count_nonzero(cube <= cube.ravel()[best] * (1 + NEAR)))
        if counts[-1] == 1:
            assert tuple(jointly.index[axis][k] for axis in jointly.over) == np.unravel_index(best, cube.shape)
        two = np.partition(cube, 1, axis=0)
        assert_allclose(over_eta.risk[..., k], two[0], rtol=NEAR)
        decided = two[1] > two[0] * (1 + NEAR)
        assert_array_equal(over_eta.index["eta"][..., k][decided], cube.argmin(0)[decided])
        assert decided.mean() > 0.5
    assert counts.count(1) > 8


# --- what it refuses ---

FUNCTION = BOUNDS["function"].proxy


@pytest.mark.parametrize(
    ("proxy", "options", "message"),
    [
        (LMO.proxy, {"over": ()}, "at least one of eta, b, alpha must be tuned"),
        (LMO.proxy, {}, "at least one of eta, b, alpha must be tuned"),
        (LMO.proxy, {"over": "eta", "fixed": {"eta": 1.0}}, "eta is either tuned or fixed"),
        (LMO.proxy, {"over": ("eta",), "caps": {"beta": 0.9}}, "a cap on beta is a floor of alpha"),
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
        (LMO.proxy, {"over": 3}, "minimised over is a list of names.*Given: 3"),
        (LMO.proxy, {"over": "eta", "min_K": "1"}, "min_K must be positive and finite.*Given: '1'"),
        (LMO.proxy, {"over": "eta", "chunk": 2.5}, r"chunk is a whole number.*Given: 2\.5"),
        (LMO.proxy, {"over": "eta", "fixed": {"K": 0.5}}, "K is a budget, not a fixed variable"),
        (LMO.proxy, {"over": ("eta", "alpha"), "alpha": 0.1}, "alpha is tuned, so that it needs an axis"),
        (LMO.proxy, {"over": "eta", "b": None}, "b of the bound lmo is neither tuned nor fixed nor on a path"),
        (LMO.proxy, {"over": ("eta", "b"), "alpha": None}, "alpha of the bound lmo is neither tuned nor fixed"),
        (bounds.sgd(), {"over": "b", "fixed": {"eta": 2.0}}, "eta must not exceed its cap 1.*Given: 2.0"),
        (LMO.proxy, {"over": "b", "fixed": {"eta": 2.0}, "caps": {"eta": 1.0}}, "eta must not exceed its cap 1"),
        (bounds.sgd(), {"over": "b", "path": {"eta": -1}}, "eta is capped, so it can't follow a path"),
        (LMO.proxy, {"over": "eta", "path": {"b": 1}, "caps": {"b": 9.0}}, "b is capped"),
    ],
)
def test_search_refuses(small: Grid, proxy: Any, options: dict, message: str) -> None:
    """An axis' name stands for what the grid has in its place."""
    grid = small.with_axes(**{name: entry for name, entry in options.items() if name in ("b", "alpha")})
    with pytest.raises(ValueError, match=message):
        grid_search(proxy, grid, **{name: given for name, given in options.items() if name not in ("b", "alpha")})


@pytest.mark.parametrize(("dtype", "C1"), [("float32", 1e30), ("float64", 1e300)])
def test_a_risk_that_overflows_is_refused_with_its_term_and_place(dtype: str, C1: float) -> None:
    message = rf"overflows {dtype} on this grid.*term C1\*eta\^-1\*b\*T\^-1 is 1e\+.* at eta=1e-15"
    with pytest.raises(ValueError, match=message):
        grid_search(bounds.lmo(C1=C1), Grid.footnote(5), "eta", dtype=dtype)
    if dtype == "float32":
        assert np.isfinite(grid_search(bounds.lmo(C1=C1), Grid.footnote(5), "eta").risk).all()


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


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_negative_and_nought_never_win(small: Grid, dtype: str) -> None:
    """5 - eta is negative at eta = 10 alone: 0.63, the cell before, wins; -5 and 0 are bounds nowhere."""
    best = grid_search(by_function(lambda eta, b, alpha, T: 5 - eta), small, "eta", dtype=dtype)
    assert (best.index["eta"] == 4).all()
    for value in (-5.0, 0.0):
        none = grid_search(by_function(lambda eta, b, alpha, T, v=value: 0 * eta + v), small, "eta", dtype=dtype)
        assert not none.feasible.any()
        assert (none.index["eta"] == -1).all()


def test_a_fixed_factor_may_be_zero(small: Grid) -> None:
    """At alpha = 1 the term eta (1 - alpha) is not there."""
    proxy = Proxy((Term({}, {"eta": 1, "alpha": "one_minus"}), Term({}, {"eta": -1})), {})
    result = grid_search(proxy, small.with_axes(alpha=1.0), "eta")
    assert_array_equal(result.at["eta"], 10.0)


def test_a_search_is_timed_beforehand_and_says_how_many_cells_it_compares(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "_MANY", 1)
    monkeypatch.setattr(progress, "LONG", 0.0)
    with pytest.warns(Note, match=r"^216 cells: about [\d.e-]+ s$"):
        grid_search(bounds.lmo(), Grid.footnote(6), ("eta", "b"), fixed={"alpha": 1e-3}, method="brute")


@pytest.mark.parametrize(("n", "words"), [(10**6, "an hour|memory"), (2**31, "2147483647 values at the most")])
def test_what_no_machine_gets_through_is_refused_before_there_is_an_array(n: int, words: str) -> None:
    with progress.asking(False), pytest.raises(ValueError, match=words):
        grid_search(bounds.lmo(), Grid.footnote(n), ("eta", "b", "alpha"))
