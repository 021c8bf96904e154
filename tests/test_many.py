"""A search for many constants gives what one search after the other gives: every index, edge and bit."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from oracle import SUBSETS, TIE_GRID

from hpgrid import FunctionProxy, Grid, LogAxis, Proxy, Regime, Term, bounds, grid_search
from hpgrid.cli.options import chosen
from hpgrid.search import exact
from hpgrid.search.many import ManyResult, search_many

ALL = ("eta", "b", "alpha")
HELD = {"eta": 1e-4, "b": 300.0, "alpha": 0.01}
CAPS = {"eta": 1e-3, "b": 1e4, "alpha": 0.1}

Constants = Mapping[str, np.ndarray]


def random(names: tuple[str, ...], n: int, seed: int = 0) -> Constants:
    """Constants log-uniform over six decades."""
    rng = np.random.default_rng(seed)
    return {name: 10 ** rng.uniform(-3, 3, n) for name in names}


def tuning(over: tuple[str, ...], caps: bool = False) -> Regime:
    """A regime that holds what it doesn't tune."""
    fixed = {v: value for v, value in HELD.items() if v not in over}
    return Regime(over, fixed, caps={v: CAPS[v] for v in over} if caps else {})


def in_budget(grid: Grid, budget: str) -> Grid:
    return grid if budget == "T" else grid.with_axes(K=LogAxis(1e-1, 1e14, grid.axes["T"].n))


TRIPLES = random(("C1", "C2", "C3"), 300)
FEW = {name: values[:20] for name, values in TRIPLES.items()}


def check(proxy: Any, grid: Grid, regime: Regime, constants: Constants, **options: Any) -> ManyResult:
    """Hold a result against one search for each combination."""
    found = search_many(proxy, grid, regime, constants, **options)
    for k in range(len(found.risk)):
        one = proxy.with_constants(**{name: float(values[k]) for name, values in constants.items()})
        best = grid_search(one, grid, regime=regime, min_K=options.get("min_K"), method="brute")
        assert_array_equal(found.risk[k], np.atleast_1d(best.risk))
        assert_array_equal(found.feasible[k], np.atleast_1d(best.feasible))
        for of_many, of_one in ((found.index, best.index), (found.edge, best.edge), (found.at, best.at)):
            for v in regime.tuned:
                assert_array_equal(of_many[v][k], np.atleast_1d(of_one[v]))
    return found


def assert_same(one: ManyResult, other: ManyResult) -> None:
    """Hold a result against another, bit for bit."""
    assert_array_equal(one.risk, other.risk)
    assert all(np.array_equal(one.index[v], other.index[v]) for v in other.index)


# --- against one search after the other ---


def in_one(over: tuple[str, ...], budget: str) -> Any:
    """A case: pairs, each of which compiles programs of its own, are thorough ones."""
    return pytest.param(over, budget, marks=[pytest.mark.thorough] if len(over) == 2 else [])


@pytest.mark.parametrize("n", [5, 12, 30])
def test_every_index_of_300_random_triples_is_that_of_brute_force(n: int) -> None:
    found = check(bounds.lmo(), Grid.footnote(n), Regime(ALL), TRIPLES)
    assert (found.method, found.risk.shape) == ("exact", (300, n))
    brute = search_many(bounds.lmo(), Grid.footnote(n), Regime(ALL), TRIPLES, method="brute")
    assert brute.method == "brute"
    assert_same(found, brute)


@pytest.mark.parametrize("grid", [Grid.footnote(), Grid.captions()], ids=["footnote", "captions"])
def test_so_it_is_on_the_papers_grids(grid: Grid) -> None:
    found = check(bounds.lmo(), grid, Regime(ALL), {name: values[:5] for name, values in TRIPLES.items()})
    assert found.edge["eta"].any() == (grid == Grid.captions())


@pytest.mark.parametrize(("over", "budget"), [*map(in_one, SUBSETS, "KKKKKKK"), (("b",), "T"), (ALL, "T")], ids=str)
def test_every_regime_agrees(over: tuple[str, ...], budget: str) -> None:
    found = check(bounds.lmo(), in_budget(Grid.footnote(12), budget), tuning(over), TRIPLES)
    assert found.method == "exact"
    assert found.feasible.all()


@pytest.mark.parametrize(("over", "budget"), [*map(in_one, SUBSETS, "TTTTTTT"), (("b",), "K"), (ALL, "K")], ids=str)
def test_caps_and_a_smallest_number_of_iterations_agree(over: tuple[str, ...], budget: str) -> None:
    grid = in_budget(Grid.footnote(12), budget)
    found = check(bounds.lmo(), grid, tuning(over, caps=True), FEW, min_K=30.0)
    assert found.method == "exact"
    if "b" not in over or budget == "K":
        assert not found.feasible.all()
        assert (found.index[over[0]][~found.feasible] == -1).all()


@pytest.mark.parametrize("min_K", [None, 1e3])
def test_paths_agree(min_K: float | None) -> None:
    regime = Regime(("eta", "alpha"), path={"b": Fraction(1, 2)})
    assert check(bounds.lmo(), Grid.footnote(12), regime, FEW, min_K=min_K).method == "exact"


PROBLEM = random(("Delta0", "L", "rho", "sigma"), 40)
SGD = {name: PROBLEM[name] for name in ("Delta0", "L", "sigma")}
#: Powers along eta that have no square root, and terms that mix the two other axes.
MIXED = Proxy(
    (
        Term({"A": 1}, {"eta": Fraction(-1, 2), "b": 1, "T": -1}),
        Term({"A": 1}, {"eta": Fraction(-1, 2), "alpha": -1, "T": -1}),
        Term({"B": 1}, {"eta": 2, "alpha": -1, "b": Fraction(1, 3)}),
        Term({"B": 1}, {"b": Fraction(-1, 2), "alpha": Fraction(1, 2)}),
        Term({"C": 1}, {"b": Fraction(-1, 2), "alpha": -2, "T": -1}),
    ),
    {"A": 1.0, "B": 1.0, "C": 1.0},
)
LMO = bounds.lmo()


def with_term(term: Term) -> Proxy:
    return Proxy((*LMO.terms, term), LMO.constants)


#: Bounds, what is tuned, constants, and the method in tokens.
OTHERS: dict[str, tuple[Proxy, tuple[str, ...], Constants, str]] = {
    "q": (bounds.lmo(q=0.3), ALL, FEW, "exact"),
    "E0": (bounds.lmo(E0=0.7), ALL, FEW, "exact"),
    "no burn-in": (bounds.lmo(burn_in=False, q="1/3"), ALL, FEW, "exact"),
    "large horizon": (bounds.lmo_large_horizon(), ALL, FEW, "exact"),
    "problem": (bounds.lmo_exact(), ALL, PROBLEM, "exact"),
    "sgd, a cap that follows L": (bounds.sgd(), ("eta", "b"), SGD, "exact"),
    "sgd, alpha matters not": (bounds.sgd(), ALL, SGD, "exact"),
    "sgd, nothing matters": (bounds.sgd(), ("alpha",), {"sigma": SGD["sigma"]}, "exact"),
    "mixed powers": (MIXED, ALL, random(("A", "B", "C"), 40), "exact"),
    "mixed powers, two axes": (MIXED, ("b", "alpha"), random(("A", "B", "C"), 40), "brute"),
    "many powers along one axis": (bounds.lmo(), ("b",), FEW, "exact"),
    "many powers along every axis": (
        with_term(Term({"C1": 1}, {"eta": 3, "b": 2, "alpha": Fraction(1, 4)})),
        *(ALL, FEW, "brute"),
    ),
    "a factor that is no power": (with_term(Term({"C1": 1}, {"alpha": "one_minus", "T": -1})), *(ALL, FEW, "exact")),
}


@pytest.mark.parametrize(
    ("name", "budget"), [*((name, "T") for name in OTHERS), ("sgd, a cap that follows L", "K"), ("problem", "K")]
)
def test_every_bound_agrees(name: str, budget: str) -> None:
    proxy, over, constants, method = OTHERS[name]
    regime = Regime(over, {v: 0.5 if v == "alpha" else 1e-3 if v == "eta" else 8.0 for v in ALL if v not in over})
    if name == "sgd, nothing matters":
        regime = Regime(over, {"eta": 1e-3, "b": 8.0})
    found = check(proxy, in_budget(Grid.footnote(12), budget), regime, constants, min_K=1.0)
    assert found.method == method or budget == "K"


def test_a_fixed_budget_is_a_sweep_of_one_and_constants_that_are_not_named_keep_the_bounds() -> None:
    found = check(bounds.lmo(C2=7.0), Grid.footnote(12).with_axes(T=1e5), tuning(("eta",)), {"C1": FEW["C1"]})
    assert found.risk.shape == (20, 1)
    assert_array_equal(found.budget, [1e5])


def _by_function(eta: Any, b: Any, alpha: Any, T: Any, c: Mapping[str, Any]) -> Any:
    noise = c["C2"] / jnp.sqrt(b) * (b + alpha**1.5 * T) / (alpha * T)
    return c["C1"] * b / (eta * T) + noise + c["C3"] * eta * (1 + 1 / alpha)


def test_a_function_is_searched_by_brute_force_and_says_so() -> None:
    proxy = FunctionProxy(_by_function, {"C1": 1.0, "C2": 1.0, "C3": 1.0}, cap_terms={"eta": Term({"C3": -1}, {})})
    for over in (("eta",), ALL):
        assert check(proxy, Grid.footnote(12), tuning(over), FEW, min_K=1.0).method == "brute"


# --- ties, edges, and bounds that rule nothing out ---

FOURS = {"A": 4.0 ** np.arange(-3, 4), "B": 4.0 ** np.arange(3, -4, -1)}


def powers(*terms: tuple[str, dict[str, Any]]) -> Proxy:
    return Proxy(tuple(Term({name: 1}, factors) for name, factors in terms), {"A": 1.0, "B": 1.0})


TIES = {
    "product of two": powers(("A", {"eta": 1, "b": 1}), ("B", {"eta": -1, "b": -1}), ("A", {"T": -1})),
    "product of three": powers(("A", {"eta": 1, "b": 1, "alpha": 1}), ("B", {"eta": -1, "b": -1, "alpha": -1})),
    "a rest that drowns all else": powers(
        ("A", {"eta": 1, "b": 1, "alpha": 1}), ("B", {"eta": -1, "alpha": -1}), ("A", {"T": 20})
    ),
    "a constant that drowns what falls": powers(("A", {"b": 0, "T": 20}), ("B", {"b": -1, "alpha": 1})),
}


TIED = [("product of three", over) for over in SUBSETS] + [(name, ALL) for name in TIES if name != "product of three"]
TIED += [("product of two", ("eta", "b")), ("a rest that drowns all else", ("alpha",))]


@pytest.mark.parametrize(("name", "over"), [*TIED, ("a constant that drowns what falls", ("b",))], ids=str)
def test_ties_go_to_the_first_cell_in_row_major_order(name: str, over: tuple[str, ...]) -> None:
    regime = Regime(over, {v: 1.0 for v in ALL if v not in over})
    assert check(TIES[name], TIE_GRID, regime, FOURS).method == "exact"


CORNERS = [
    Grid(eta=LogAxis(*eta, n), b=LogAxis(*b, n), alpha=LogAxis(*alpha, n), T=LogAxis(1e2, 1e22, 5))
    for n in (2, 5)
    for eta in ((1e-15, 1e-14), (1e3, 1e4))
    for b in ((1.0, 2.0), (1e14, 1e15))
    for alpha in ((1e-10, 1e-9), (0.9, 1.0))
]


def test_optima_at_every_wall_agree() -> None:
    edges = 0
    for grid in CORNERS:
        found = check(bounds.lmo(), grid, Regime(ALL), FEW)
        edges += np.mean([found.edge[v] for v in ALL])
    assert edges / len(CORNERS) > 0.9


def test_an_axis_too_fine_to_resolve_is_searched_by_brute_force() -> None:
    """Neighbours that differ by rounding alone: a closed form can't tell which is least."""
    fine = LogAxis.from_values(0.01 * (1 + 2.0**-50 * np.arange(9)))
    grid = Grid.footnote(5).with_axes(eta=fine)
    assert check(bounds.lmo(), grid, Regime(ALL), FEW).method == "brute"


@pytest.mark.parametrize("over", [("eta", "n", "b", "H"), ("eta", "H", "b"), ("eta", "H")], ids="+".join)
@pytest.mark.parametrize("block", [exact.BLOCK, 8], ids=["all rows", "from row to row"])
def test_any_number_of_declared_variables_is_tuned(
    over: tuple[str, ...], block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exact, "BLOCK", block)  # below: some rows at once
    local_sgd = chosen(str(Path(__file__).parents[1] / "examples" / "local_sgd.toml"), [])
    proxy = local_sgd.build("R")
    grid = Grid(
        eta=LogAxis(1e-6, 1, 9), n=LogAxis(1, 64, 5), b=LogAxis(1, 1e3, 6), H=LogAxis(1, 64, 7), R=LogAxis(1e2, 1e8, 6),
        space=proxy.space,
    )  # fmt: skip
    regime = Regime(over, {v: 2.0 for v in ("n", "b", "H") if v not in over}, space=proxy.space)
    assert check(proxy, grid, regime, random(tuple(proxy.constants), 7)).method == "exact"


# --- devices, memory, compilation ---

SHARED_OUT = """
import hashlib, sys
import numpy as np
from hpgrid import FunctionProxy, Grid, Regime, bounds
from hpgrid.search.many import search_many
from hpgrid.cli.options import chosen

def by_function(eta, b, alpha, T, c):
    noise = c["C2"] * (b**0.5 / (alpha * T) + (alpha / b) ** 0.5)
    return c["C1"] * b / (eta * T) + noise + c["C3"] * eta * (1 + 1 / alpha)

rng = np.random.default_rng(0)
names = ("C1", "C2", "C3")
constants = {name: 10 ** rng.uniform(-3, 3, 70) for name in names}
function = FunctionProxy(by_function, {name: 1.0 for name in names})
for devices, memory in ((1, 1.0), (3, 3e6), (3, None)):
    for proxy, n in ((bounds.lmo(), 70), (function, 5)):
        found = search_many(proxy, Grid.footnote(11), Regime(("eta", "b", "alpha")),
                            {name: values[:n] for name, values in constants.items()},
                            devices=devices, memory=memory)
        parts = (found.risk, *found.index.values(), *found.at.values())
        print(n, hashlib.sha256(b"".join(np.ascontiguousarray(a).tobytes() for a in parts)).hexdigest())
"""


def test_devices_and_memory_change_no_bit() -> None:
    code = "import os\nos.environ['XLA_FLAGS'] = '--xla_force_host_platform_device_count=4'\n" + SHARED_OUT
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    lines = run.stdout.splitlines()
    assert len(lines) == 6
    assert len(set(lines)) == 2


# --- what it refuses ---

HELD_ETA = Regime(("b",), {"eta": 1e-3, "alpha": 1.0})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"constants": {}}, "a sweep needs constants to vary"),
        ({"constants": {"C4": [1.0]}}, "no constant of that name.*'C4'.*all: C1, C2, C3"),
        ({"constants": {"C1": [1.0, -2.0]}}, "constant C1 must be a finite number >= 0. Given: -2.0"),
        ({"constants": {"C1": [1.0, np.inf]}}, "constant C1 must be a finite number >= 0. Given: inf"),
        ({"constants": {"C1": [1.0], "C2": [1.0, 2.0]}}, "the constants of a sweep have one length.*'C1': 1, 'C2': 2"),
        ({"constants": {"C1": 1.0}}, "constant C1 of a sweep is a list of numbers. Given: 1.0"),
        ({"constants": {"C1": []}}, "constant C1 of a sweep is a list of numbers"),
        ({"constants": {"C1": ["one"]}}, "constant C1 of a sweep is a list of numbers"),
        ({"regime": Regime(("eta", "b"))}, "in a sweep only the budget remains, but alpha is an axis"),
        ({"regime": Regime()}, "at least one of eta, b, alpha must be tuned"),
        ({"method": "fast"}, "no method of that name.*'fast'.*exact, brute"),
        ({"devices": 0}, "devices is a whole number, 1 or more. Given: 0"),
        ({"devices": True}, "devices is a whole number"),
        ({"devices": 99}, "this machine has .* device.*Given: 99"),
        ({"memory": 0}, "memory is a positive number of bytes. Given: 0"),
        ({"min_K": -1.0}, "min_K must be positive"),
        (
            {"constants": {"C1": [1.0, 1e300, 2.0]}, "grid": Grid.footnote(5)},
            r"overflows float64.*C1\*eta\^-1\*b\*T\^-1",
        ),
        (
            {"proxy": bounds.sgd(), "constants": {"L": [1.0, 1e4]}, "regime": HELD_ETA},
            "eta must not exceed its cap 0.0001",
        ),
    ],
)
def test_a_sweep_refuses(small: Grid, options: dict[str, Any], message: str) -> None:
    given = {"proxy": bounds.lmo(), "grid": small, "regime": Regime(ALL), "constants": FEW} | options
    with pytest.raises(ValueError, match=message):
        search_many(given.pop("proxy"), given.pop("grid"), given.pop("regime"), given.pop("constants"), **given)
