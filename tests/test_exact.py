"""The exact search gives what brute force gives, index for index, where structure is proved, and says why where not."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from functools import partial, reduce
from itertools import combinations
from operator import add, mul
from typing import Any

import numpy as np
import pytest
from commands import Capture, printed
from numpy.testing import assert_array_equal

from hpgrid import (
    Grid,
    LogAxis,
    Proxy,
    Regime,
    SearchResult,
    Term,
    bounds,
    grid_search,
    parse,
    refine,
    structure,
    verify_search,
)
from hpgrid.search import exact
from hpgrid.search.brute import SearchPlan, plan_search
from hpgrid.search.tables import places

ALL = ("eta", "b", "alpha")
SUBSETS = [subset for k in (1, 2, 3) for subset in combinations(ALL, k)]
PROXY = bounds.lmo(C1=1.0, C2=1.0, C3=1.0)


def assert_same(one: SearchResult, other: SearchResult) -> None:
    assert_array_equal(one.risk, other.risk)
    for v in other.over:
        assert_array_equal(one.index[v], other.index[v])
        assert_array_equal(one.edge[v], other.edge[v])


def random_bound(rng: np.random.Generator) -> Proxy:
    """One to five terms of random exponents, constants over six decades or all 1, where ties are."""
    count = int(rng.integers(1, 6))
    terms = []
    for k in range(count):
        powers = {v: Fraction(int(rng.integers(-4, 5)), int(rng.integers(1, 4))) for v in (*ALL, "T")}
        terms.append(Term({f"C{k}": Fraction(1)}, {v: e for v, e in powers.items() if e and rng.random() < 0.75}))
    sizes = 10 ** rng.uniform(-3, 3, count) if rng.random() < 0.7 else np.ones(count)
    return Proxy(tuple(terms), {f"C{k}": float(x) for k, x in enumerate(sizes)}, "T", name="random")


def random_grid(rng: np.random.Generator) -> Grid:
    n = rng.integers(2, 9, 4).tolist()
    return Grid(
        eta=LogAxis(1e-4, 1e2, n[0]), b=LogAxis(1.0, float(10 ** rng.uniform(1, 6)), n[1]),
        alpha=LogAxis(1e-3, 1.0, n[2]), T=LogAxis(1e1, 1e6, n[3]),
    )  # fmt: skip


def cell_by_cell(plan: SearchPlan) -> tuple[Any, dict[str, Any]]:
    """The best risk and where it is, from the cube of all cells, with the products, sums and ties of brute force."""
    tables = plan.tables()
    sizes, over, scan = tables.sizes, tables.over, tables.scan
    axes = list(sizes)

    def on(v: str, values: Any) -> Any:
        return np.reshape(values, [-1 if axis == v else 1 for axis in axes])

    def total(terms: Any) -> Any:
        products = [reduce(mul, [c, *(on(v, x) for each in own for v, x in each.items())]) for c, own in terms]
        return reduce(add, products) if products else np.zeros([1] * len(axes))

    groups = [total(group) * on(scan, x) for group, x in zip(tables.hoisted.groups, tables.scanned.groups)]
    allowed = reduce(np.logical_and, [on(v, x == 0) for v, x in plan.domain.penalty.items()], np.array(True))
    if limit := plan.domain.limit:
        (batch,) = (v for v in limit if v != "T")
        allowed = allowed & (on(batch, limit[batch]) <= on("T", limit["T"]))
    cube = np.broadcast_to(np.where(allowed, reduce(add, groups) if groups else 0.0, np.inf), list(sizes.values()))
    k = axes.index(scan)
    # What does not lie on the scanned axis is added once the best of each line is known.
    risk = cube.min(k, keepdims=True) + total(tables.hoisted.rest)
    first = np.expand_dims(cube.argmin(k), k)
    rank: Any = 0
    for v in over:
        rank = rank * sizes[v] + (first if v == scan else on(v, np.arange(sizes[v])))
    reduced = tuple(axes.index(v) for v in over)
    best = risk.min(reduced, keepdims=True)
    rank = np.where(risk == best, rank, math.prod(sizes.values())).min(reduced)
    best = best.squeeze(reduced)
    places = np.unravel_index(rank % math.prod(sizes[v] for v in over), [sizes[v] for v in over])
    return best, {v: np.where(np.isfinite(best), place, -1) for v, place in zip(over, places)}


def random_options(rng: np.random.Generator, grid: Grid, over: tuple[str, ...]) -> dict[str, Any]:
    """Nothing, a smallest number of iterations, or a cap at one of the grid's values."""
    cap = min(float(rng.choice(grid.axes[over[0]].values)) * 1.01, 1.0)
    kinds: list[dict[str, Any]] = [{}, {"min_K": float(10 ** rng.uniform(0, 3))}, {"caps": {over[0]: cap}}]
    return kinds[rng.integers(2 if over[0] == "b" else 3)]


#: Random grids for each random bound; .ci/run takes 20.
GRIDS = int(os.environ.get("HPGRID_RANDOM_GRIDS", "3"))


def submodular(proxy: Proxy) -> list[tuple[str, ...]]:
    """For which axes a bound has the structure."""
    return [over for over in SUBSETS if {*over} <= {*proxy.depends_on()} and not structure(proxy).why_not(over)]


@pytest.fixture(params=[(exact.BLOCK, 1), (8, 1), (8, exact.AHEAD)], ids=["all rows", "row by row", "rows at once"])
def of_any_size(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small grids are searched in blocks as large ones are, too."""
    monkeypatch.setattr(exact, "BLOCK", request.param[0])
    monkeypatch.setattr(exact, "AHEAD", request.param[1])


def anywhere(rng: np.random.Generator, problem: exact.Search) -> list[Any]:
    """Starts all over the grid, in place of those near the minima."""
    return [rng.integers(0, problem.tables.sizes[v], problem.shape) for v in problem.box]


@pytest.mark.parametrize("seed", range(10))
def test_random_posynomials_have_the_minima_of_all_their_cells(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """200 in all, on random grids, every subset of axes, with caps, with a smallest number of iterations."""
    rng, count, verified, starts = np.random.default_rng(seed), 0, 0, exact._starts
    for _ in range(20):
        proxy = random_bound(rng)
        own = submodular(proxy)
        for over in (over for over in SUBSETS if {*over} <= {*proxy.depends_on()} and over not in own):
            with pytest.raises(ValueError, match="mixed difference"):
                grid_search(proxy, random_grid(rng), over, method="exact")
        for k in range(GRIDS):
            grid = random_grid(rng)
            # In blocks of any size: all rows, or from row to row, one or some at once.
            monkeypatch.setattr(exact, "BLOCK", (2**14, 64, 8, 1)[int(rng.integers(4))])
            monkeypatch.setattr(exact, "AHEAD", (1, 16, 2**11)[int(rng.integers(3))])
            # Wherever it starts, it ends at the minimum.
            monkeypatch.setattr(exact, "_starts", starts if rng.integers(2) else partial(anywhere, rng))
            for over in own:
                found = grid_search(proxy, grid, over, method="exact", **random_options(rng, grid, over))
                assert found.plan is not None
                risk, index = cell_by_cell(found.plan)
                along = tuple(0 if v in found.plan.unused_axes else slice(None) for v in found.axes)
                assert_array_equal(found.risk[along], risk)
                for v in index:
                    assert_array_equal(found.index[v][along], index[v])
                if k == 0:
                    verified += verify_search(found)
                count += 1
    assert count >= 10 * GRIDS
    assert verified


@pytest.mark.parametrize("seed", range(3))
def test_random_posynomials_are_searched_as_brute_force_does(seed: int) -> None:
    """Beside the cells of NumPy: by the program that brute force is, in chunks of any size."""
    rng = np.random.default_rng(seed)
    for _ in range(4):
        proxy, grid = random_bound(rng), random_grid(rng)
        for over in submodular(proxy):
            options = random_options(rng, grid, over)
            found = grid_search(proxy, grid, over, method="exact", **options)
            other = grid_search(proxy, grid, over, method="brute", chunk=int(rng.integers(1, 200)), **options)
            assert_same(found, other)


@pytest.mark.usefixtures("of_any_size")
@pytest.mark.parametrize("over", SUBSETS, ids="-".join)
def test_the_footnotes_grid_is_searched_as_brute_force_does(over: tuple[str, ...]) -> None:
    grid = Grid.footnote(30)
    for options in ({}, {"min_K": 1.0}, {"caps": {over[-1]: float(grid.axes[over[-1]].values[17])}}):
        found = grid_search(PROXY, grid, over, method="exact", **options)  # type: ignore[arg-type]
        assert (found.method, found.proof is not None) == ("exact", True)
        assert_same(found, grid_search(PROXY, grid, over, method="brute", **options))  # type: ignore[arg-type]


@pytest.mark.parametrize("ahead", [1, 300, exact.AHEAD])
def test_wherever_it_starts_it_ends_at_the_minimum(ahead: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """From rows on that are far from the best one, by one row at a time or by several."""
    rng, grid = np.random.default_rng(ahead), Grid.footnote(40)
    monkeypatch.setattr(exact, "BLOCK", 8)
    monkeypatch.setattr(exact, "AHEAD", ahead)
    monkeypatch.setattr(exact, "_starts", partial(anywhere, rng))
    for C1, C2, C3 in 10 ** rng.uniform(-3, 3, (5, 3)):
        proxy = bounds.lmo(C1=C1, C2=C2, C3=C3)
        assert_same(grid_search(proxy, grid, ALL, method="exact"), grid_search(proxy, grid, ALL, method="brute"))


def rows_of(proxy: Proxy, grid: Grid) -> exact._Lanes:
    """All rows of all lanes of a joint search."""
    plan = plan_search(proxy, grid, Regime(ALL).settled(proxy, grid, free=grid.axes))
    problem, _ = exact.problem_of(plan, plan.tables())
    assert problem is not None
    assert list(problem.box) == ["b", "alpha"]
    lanes = exact._lanes(problem, [np.arange(n) for n in (*problem.shape, 9)])
    ends = {v: [np.reshape(x, (1, 1, 1)) for x in own] for v, own in lanes.ends.items()}
    return exact._Lanes(problem, lanes.shape, {"T": lanes.at["T"], "b": np.arange(9).reshape(1, 1, 9)}, ends)


@pytest.mark.parametrize("seed", range(5))
def test_a_rows_lower_bound_holds_between_columns_too(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Against columns fifty times as close; and it says something."""
    monkeypatch.setattr(exact, "BLOCK", 8)
    rng = np.random.default_rng(seed)
    axes = {"eta": LogAxis(1e-9, 1e2, 40), "b": LogAxis(1, 1e6, 9), "T": LogAxis(1e3, 1e9, 7)}
    proxy = bounds.lmo(**dict(zip(("C1", "C2", "C3"), 10 ** rng.uniform(-2, 2, 3))))
    coarse, fine = (rows_of(proxy, Grid(alpha=LogAxis(1e-6, 1, n), **axes)) for n in (9, 401))
    most = np.full(coarse.shape, np.inf)
    *_, below = exact._in_row(coarse, np.full(coarse.shape, 4), most)
    columns = np.arange(401).reshape(-1, *[1] * len(fine.shape))
    least = fine.lower({"alpha": columns}).min(axis=0).ravel()
    assert (below <= least * (1 + exact.APART)).all()
    assert (below > least * 0.5).any()


#: Bounds of which cells tie: a plateau, flat directions, exact powers of two.
TIED = {
    "b/eta + eta/b": {}, "b/(eta*T) + eta/b + 1/b": {}, "eta/alpha + alpha/eta": {}, "1/b + b/T": {},
    "b/(eta*T) + eta + sqrt(1/b)": {}, "eta/(alpha**4*T) + 1/b + alpha**4/eta": {},
}  # fmt: skip


@pytest.mark.usefixtures("of_any_size")
@pytest.mark.parametrize("text", TIED)
def test_ties_are_what_brute_force_makes_of_them(text: str) -> None:
    proxy = parse(text)
    two = LogAxis.from_values(2.0 ** np.arange(9))
    grid = Grid(
        eta=LogAxis.from_values(2.0 ** np.arange(-4, 5)),
        b=two,
        alpha=LogAxis.from_values(2.0 ** np.arange(-8, 1)),
        T=two,
    )
    own = [v for v in ALL if v in proxy.variables()]
    for over in (c for k in range(1, len(own) + 1) for c in combinations(own, k)):
        found = grid_search(proxy, grid, over, method="exact")
        assert_same(found, grid_search(proxy, grid, over, method="brute"))


def test_auto_takes_the_exact_way_where_it_may_and_says_so() -> None:
    grid = Grid.footnote(12)
    # Along b alone there are three powers.
    assert [over for over in SUBSETS if grid_search(PROXY, grid, over).method == "brute"] == [("b",)]
    assert grid_search(PROXY, grid, "b", method="exact").method == "exact"
    assert grid_search(PROXY, grid, ("eta", "b"), dtype="float32").method == "brute"
    assert grid_search(bounds.star_convex(), grid, ("eta", "b"), fixed={"alpha": 0.1}).method == "brute"


def test_a_million_million_points_in_a_second() -> None:
    """Every tenth node of 991 is one of 100; the finer grid's excess over the optimum falls a hundredfold."""
    found, coarse = (grid_search(PROXY, Grid.footnote(n), ALL) for n in (991, 100))
    assert (found.method, found.points) == ("exact", 991**4)
    assert (found.risk[::10] <= coarse.risk * (1 + 1e-12)).all()
    truth = refine(PROXY, tuned=ALL, T=Grid.footnote(100).axes["T"].values).risk
    # Of an interior optimum the excess goes with the square of the step.
    inside = slice(50, None)
    fine, wide = (np.log(x / truth)[inside].max() for x in (found.risk[::10], coarse.risk))
    assert 0 < fine < wide / 25
    assert verify_search(coarse) < coarse.points / 100


@pytest.mark.parametrize("over", [("eta", "b", "alpha"), ("eta", "b"), ("eta", "alpha")], ids="-".join)
def test_a_changed_index_is_refused(over: tuple[str, ...]) -> None:
    """1,000 changes in all, of one index each."""
    rng, grid = np.random.default_rng(0), Grid.footnote(20)
    for options, times in (({}, 170), ({"min_K": 2.0}, 164)):
        found = grid_search(PROXY, grid, over, method="exact", **options)  # type: ignore[arg-type]
        assert verify_search(found) > 0
        for _ in range(times):
            v = over[int(rng.integers(len(over)))]
            index = {name: np.array(x) for name, x in found.index.items()}
            place = tuple(int(rng.integers(n)) for n in index[v].shape)
            others = [k for k in range(-1, len(found.values[v])) if k != index[v][place]]
            index[v][place] = rng.choice(others)
            with pytest.raises(ValueError, match="right in every cell"):
                verify_search(replace(found, index=index))


def test_a_bound_of_nothing_that_remains_is_verified() -> None:
    assert verify_search(grid_search(parse("b/eta + eta/b"), Grid.footnote(5), ("eta", "b"), method="exact")) > 0


def test_a_changed_risk_is_refused_and_a_brute_search_has_no_proof() -> None:
    found = grid_search(PROXY, Grid.footnote(15), ("eta", "b"), method="exact")
    risk = found.risk.copy()
    risk[3, 4] *= 1 + 1e-9
    with pytest.raises(ValueError, match="right in every cell"):
        verify_search(replace(found, risk=risk))
    # A best cell is left out, as if none were allowed.
    risk, index = np.where(np.arange(15) == 3, np.inf, found.risk), {v: x.copy() for v, x in found.index.items()}
    for x in index.values():
        x[:, 3] = -1
    with pytest.raises(ValueError, match="no other cell is better"):
        verify_search(replace(found, risk=risk, index=index))
    with pytest.raises(ValueError, match="what is verified is an exact search"):
        verify_search(grid_search(PROXY, Grid.footnote(5), ("eta", "b"), method="brute"))


# --- structure ---

#: By hand, from the signs of exponents.
STRUCTURES: Mapping[str, tuple[Proxy, tuple[str, ...], dict[str, int] | None]] = {
    "eq. (4)": (PROXY, ALL, {"eta": 1, "b": 1, "alpha": 1}),
    "eq. (4) and T": (PROXY, (*ALL, "T"), None),
    "storm": (bounds.storm(), ALL, None),
    "storm at a fixed alpha": (bounds.storm(), ("eta", "b"), {"eta": 1, "b": 1}),
    "a positive pair": (parse("eta*b + 1/eta + T/b"), ("eta", "b"), {"eta": 1, "b": -1}),
    "an odd circle": (parse("eta*b/T + b*alpha + eta*alpha + 1/(eta*b*alpha)"), ALL, None),
}


@pytest.mark.parametrize("case", STRUCTURES)
def test_the_signs_say_for_which_axes_a_bound_is_submodular(case: str) -> None:
    proxy, axes, flips = STRUCTURES[case]
    assert structure(proxy).flips(axes) == flips
    assert bool(structure(proxy).why_not(axes)) == (flips is None)


def test_it_is_said_in_words(capsys: Capture) -> None:
    said = structure(PROXY).text()
    assert said.startswith("lmo is submodular in (eta, b, alpha) at fixed T: C1*eta^-1*b*T^-1: (eta, b) negative;")
    assert said.endswith("Not with T: (eta, T) positive, (b, T) negative, (alpha, T) positive.")
    assert " ".join(printed("search", capsys, "lmo", "--explain").split()) == said
    assert "shows no signs" in structure(bounds.star_convex()).text()


@pytest.mark.parametrize(("proxy", "over", "words"), [
    (bounds.storm(), ALL, r"in \(b, alpha\) sigma\*b\^\(1/2\).* has a negative .* L\*eta.* a positive one"),
    (bounds.star_convex(), ("eta", "b"), "a bound that is a function shows no signs"),
    (parse("b/(eta*T) + eta", domain="eta*b <= 5"), ("eta", "b"), "makes the domain no box"),
])  # fmt: skip
def test_an_exact_search_without_structure_is_refused_with_the_pair_that_spoils_it(
    proxy: Any, over: tuple[str, ...], words: str
) -> None:
    fixed = {v: 0.1 for v in ("alpha",) if v not in over and v in proxy.variables()}
    with pytest.raises(ValueError, match=words):
        grid_search(proxy, Grid.footnote(6), over, fixed=fixed, method="exact")


def test_cells_are_told_apart_in_arrays_of_one_column() -> None:
    numbers = np.arange(20_000)[:, None]
    assert_array_equal(np.ravel_multi_index(places(numbers, (40, 40, 40)), (40, 40, 40)), numbers)
