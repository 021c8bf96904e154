"""The benchmark of a search over many constants: joint tuning of eq. (4) for many C1, C2, C3, against NumPy.

Every contender's answer is held against single searches before anything is timed. Contenders are then timed in turn;
NumPy is given a few triples, and all times are per triple.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from statistics import median
from typing import Any

import numpy as np

from hpgrid.bench.harness import TOLERANCE, Answer, Floats, axes_of, bound, interleaved, paired
from hpgrid.bounds import lmo
from hpgrid.grid import Grid
from hpgrid.proxy import FunctionProxy
from hpgrid.regime import Regime
from hpgrid.search.brute import grid_search
from hpgrid.search.many import search_many
from hpgrid.text import aligned

NAMES = ("C1", "C2", "C3")

#: How many triples a sweep has, and how many of them the slow contenders are given.
TRIPLES, FEW = 1000, 5

#: The contenders that all others are held against.
EXACT, FUNCTION = "search_many, exact", "search_many, a function"

REGIME = Regime(("eta", "b", "alpha"))


def triples_of(number: int) -> Floats:
    """Return random C1, C2, C3, log-uniform from 1e-3 to 1e3, shape (number, 3)."""
    return 10.0 ** np.random.default_rng(0).uniform(-3, 3, (number, 3))


# --- contenders: from a grid and triples to the risk, shape (triples, budgets), and the indices of eta, b, alpha ---


def _search_many(proxy: Any, method: str, grid: Grid, triples: Floats) -> Answer:
    many = search_many(proxy, grid, REGIME, dict(zip(NAMES, triples.T)), method=method)
    return Answer(many.risk, tuple(many.index[v] for v in REGIME.tuned))


@cache
def _function() -> FunctionProxy:
    """Return eq. (4) as what no expansion sees through: one function, so that it is compiled before it is timed."""
    import jax.numpy as jnp

    def risk(eta: Any, b: Any, alpha: Any, T: Any, c: Any) -> Any:
        return bound(jnp.sqrt, eta, b, alpha, T, **c)

    return FunctionProxy(risk, dict.fromkeys(NAMES, 1.0))


def _as_function(grid: Grid, triples: Floats) -> Answer:
    """Return the best of the same, cell by cell."""
    return _search_many(_function(), "exact", grid, triples)


def _numpy(best_at: Callable[..., tuple[float, tuple[int, ...]]], grid: Grid, triples: Floats) -> Answer:
    """One triple, and one budget, at a time."""
    eta, b, alpha, T = axes_of(grid)
    cells = [[best_at(eta, b, alpha, t, *triple) for t in T] for triple in triples]
    index = np.moveaxis(np.array([[place for _, place in row] for row in cells]), -1, 0)
    return Answer(np.array([[best for best, _ in row] for row in cells]), tuple(index))


def _printed_at(eta: Any, b: Any, alpha: Any, t: float, *triple: float) -> tuple[float, tuple[int, ...]]:
    """Return the best of one budget by eq. (4) as printed."""
    risk = bound(np.sqrt, eta[:, None, None], b[:, None], alpha, t, *triple)
    place = np.unravel_index(risk.argmin(), risk.shape)
    return risk[place], place


def _factored_at(
    eta: Any, b: Any, alpha: Any, t: float, C1: float, C2: float, C3: float
) -> tuple[float, tuple[int, ...]]:
    """Return the same by the part with eta first, eta last in memory, where argmin is fastest; then the rest."""
    part = C1 * b[:, None, None] / (eta * t) + C3 * eta * (1 + 1 / alpha[:, None])
    at = part.argmin(-1)
    least = np.take_along_axis(part, at[..., None], -1)[..., 0]
    risk = least + C2 / np.sqrt(b[:, None]) * (b[:, None] + alpha**1.5 * t) / (alpha * t)
    row, column = np.unravel_index(risk.argmin(), risk.shape)
    return risk[row, column], (at[row, column], row, column)


@dataclass(frozen=True)
class Way:
    """A way to search many triples; a slow one is given a few."""

    call: Callable[[Grid, Floats], Answer]
    few: bool
    detail: str


CONTENDERS = {
    EXACT: Way(partial(_search_many, lmo(), "exact"), False, "what a lower bound leaves"),
    "search_many, brute": Way(partial(_search_many, lmo(), "brute"), True, "every cell"),
    FUNCTION: Way(_as_function, True, "eq. (4) as a function: every cell"),
    "NumPy, as printed": Way(partial(_numpy, _printed_at), True, "1 thread"),
    "NumPy, factored": Way(partial(_numpy, _factored_at), True, "1 thread"),
}


# --- agreement ---


def singly(grid: Grid, triples: Floats) -> Answer:
    """Return what one search after the other gives."""
    searched = [grid_search(lmo(**dict(zip(NAMES, c))), grid, regime=REGIME) for c in triples]
    index = tuple(np.array([best.index[v] for best in searched]) for v in REGIME.tuned)
    return Answer(np.array([best.risk for best in searched]), index)


def disagreement(answer: Answer, expected: Answer, grid: Grid, triples: Floats) -> int:
    """Return in how many cells an answer is wrong: another value, or another index whose value is not as small."""
    wrong = np.abs(answer.risk / expected.risk - 1) > TOLERANCE
    *axes, T = axes_of(grid)
    # Cells may tie to the last bits: another place is wrong only where its value is not as small.
    for n, t in zip(*np.nonzero(np.any(np.not_equal(answer.index, expected.index), axis=0))):
        eta, b, alpha = (axis[index[n, t]] for axis, index in zip(axes, answer.index))
        wrong[n, t] |= bound(np.sqrt, eta, b, alpha, T[t], *triples[n]) > expected.risk[n, t] * (1 + 2 * TOLERANCE)
    return int(wrong.sum())


# --- the benchmark ---


@dataclass(frozen=True)
class Timed:
    """What a contender takes.

    Attributes:
        detail: how it ran.
        triples: how many it was given.
        seconds: of every round, for one triple.
        over_exact: how many times the exact search's, the median over rounds.
        over_function: how many times the search's of a bound that is a function.
    """

    detail: str
    triples: int
    seconds: tuple[float, ...]
    over_exact: float
    over_function: float


def run(triples: int, few: int, n: int, runs: int) -> dict[str, Timed]:
    """Return what each contender takes for a triple, once all of them agree with single searches."""
    grid, whole = Grid.footnote(n), triples_of(triples)
    own = {name: whole[:few] if contender.few else whole for name, contender in CONTENDERS.items()}
    expected = singly(grid, whole[:few])
    for name, contender in CONTENDERS.items():
        wrong = disagreement(contender.call(grid, whole[:few]), expected, grid, whole)
        if wrong:
            raise SystemExit(f"{name} disagrees with single searches in {wrong} of {expected.risk.size} cells")
    # Slow contenders are given a few triples, and all times are per triple: a search takes no less for company.
    timed = interleaved({name: partial(c.call, grid, own[name]) for name, c in CONTENDERS.items()}, runs)
    each = {name: tuple(second / len(own[name]) for second in seconds) for name, seconds in timed.items()}
    over = {name: (paired(each[name], each[EXACT]), paired(each[name], each[FUNCTION])) for name in each}
    return {name: Timed(c.detail, len(own[name]), each[name], *over[name]) for name, c in CONTENDERS.items()}


def table(timed: Mapping[str, Timed]) -> str:
    """Return what contenders take as aligned text: milliseconds a triple, and how many times the exact search's."""
    rows = [("contender", "ms a triple", "x exact", "x function", "how")]
    for name, one in timed.items():
        numbers = f"{1e3 * median(one.seconds):.2f}", f"{one.over_exact:.1f}", f"{one.over_function:.1f}"
        rows.append((name, *numbers, f"{one.detail}, {one.triples} triples"))
    return "\n".join(aligned(rows, wrap=("contender", "how")))


def report(n: int, runs: int) -> tuple[str, dict[str, Any]]:
    """Return what a sweep of a thousand triples costs, as text and as plain data.

    Args:
        n: values an axis.
        runs: timed rounds.
    """
    timed = run(TRIPLES, FEW, n, runs)
    title = f"sweep: joint tuning of eq. (4) for {TRIPLES} triples over {n}^3 cells at {n} budgets"
    return f"{title}\n{table(timed)}", {"n": n, "triples": TRIPLES, "contenders": timed}
