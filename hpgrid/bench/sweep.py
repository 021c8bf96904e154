"""The benchmark of a search over many constants: joint tuning of eq. (4) for many C1, C2, C3, against NumPy.

Every contender's answer is held against single searches before anything is timed. Contenders are then timed in turn;
NumPy is given a few triples, and all times are per triple. Last, how time and memory grow with the triples, each
number of them in a fresh process.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from statistics import median
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import hpgrid
from hpgrid.bench.measure import cpu, interleaved, peak_memory
from hpgrid.bench.problem import axes_of
from hpgrid.search.many import ManyResult, search_many
from hpgrid.shapes import Floats

NAMES = ("C1", "C2", "C3")

#: How many triples a sweep has, and how many of them the slow contenders are given.
TRIPLES, FEW = 1000, 5

#: The contenders that all others are held against.
EXACT, FUNCTION = "search_many, exact", "search_many, a function"

REGIME = hpgrid.Regime(("eta", "b", "alpha"))

#: How far two ways of computing one sum may differ, relatively.
NEAR = 8 * float(np.finfo(np.float64).eps)

#: How many triples are searched in one call where time and memory are held against their number, as a sweep does
#: that writes each block to disk.
BLOCK = 1000


class Found(NamedTuple):
    """The risk, shape (triples, budgets), and the indices of eta, b, alpha, shape (3, triples, budgets)."""

    risk: Floats
    places: NDArray[np.integer]


def triples_of(number: int) -> Floats:
    """Return random C1, C2, C3, log-uniform from 1e-3 to 1e3, shape (number, 3)."""
    return 10.0 ** np.random.default_rng(0).uniform(-3, 3, (number, 3))


# --- contenders ---


def printed(space: Any, eta: Any, b: Any, alpha: Any, T: Any, c: Any) -> Any:
    """Return eq. (4) as it is printed, by NumPy or by JAX; ``c`` holds C1, C2, C3."""
    noise = c["C2"] / space.sqrt(b) * (b + alpha**1.5 * T) / (alpha * T)
    return c["C1"] * b / (eta * T) + noise + c["C3"] * eta * (1 + 1 / alpha)


def _as_function(eta: Any, b: Any, alpha: Any, T: Any, c: Any) -> Any:
    import jax.numpy as jnp

    return printed(jnp, eta, b, alpha, T, c)


def _hpgrid(bound: Any, method: str, grid: hpgrid.Grid, triples: Floats) -> Found:
    found = search_many(bound, grid, REGIME, dict(zip(NAMES, triples.T)), method=method)
    return Found(found.risk, np.array([found.index[v] for v in REGIME.tuned]))


def _function(grid: hpgrid.Grid, triples: Floats) -> Found:
    return _hpgrid(hpgrid.FunctionProxy(_as_function, dict.fromkeys(NAMES, 1.0)), "exact", grid, triples)


def _numpy(best_at: Callable[..., tuple[float, tuple[int, ...]]], grid: hpgrid.Grid, triples: Floats) -> Found:
    """One triple, and one budget, at a time."""
    eta, b, alpha, T = axes_of(grid)
    each = [[best_at(eta, b, alpha, t, dict(zip(NAMES, c))) for t in T] for c in triples]
    risk = np.array([[best for best, _ in row] for row in each])
    return Found(risk, np.moveaxis(np.array([[place for _, place in row] for row in each]), -1, 0))


def _printed_at(eta: Any, b: Any, alpha: Any, t: float, c: Any) -> tuple[float, tuple[int, ...]]:
    risk = printed(np, eta[:, None, None], b[:, None], alpha, t, c)
    place = np.unravel_index(risk.argmin(), risk.shape)
    return risk[place], place


def _factored_at(eta: Any, b: Any, alpha: Any, t: float, c: Any) -> tuple[float, tuple[int, ...]]:
    """The part with eta first, eta last in memory, where NumPy's argmin is fastest; then the rest."""
    part = c["C1"] * b[:, None, None] / (eta * t) + c["C3"] * eta * (1 + 1 / alpha[:, None])
    at = part.argmin(-1)
    least = np.take_along_axis(part, at[..., None], -1)[..., 0]
    risk = least + c["C2"] / np.sqrt(b[:, None]) * (b[:, None] + alpha**1.5 * t) / (alpha * t)
    row, column = np.unravel_index(risk.argmin(), risk.shape)
    return risk[row, column], (at[row, column], row, column)


class Contender(NamedTuple):
    """A way to search many triples; a slow one is given a few."""

    call: Callable[[hpgrid.Grid, Floats], Found]
    few: bool
    detail: str


CONTENDERS = {
    EXACT: Contender(partial(_hpgrid, hpgrid.bounds.lmo(), "exact"), False, "certified lines alone"),
    "search_many, brute": Contender(partial(_hpgrid, hpgrid.bounds.lmo(), "brute"), True, "every cell"),
    FUNCTION: Contender(_function, True, "eq. (4) as a function: every cell"),
    "NumPy, as printed": Contender(partial(_numpy, _printed_at), True, "1 thread"),
    "NumPy, factored": Contender(partial(_numpy, _factored_at), True, "1 thread"),
}


# --- agreement ---


def singly(grid: hpgrid.Grid, triples: Floats) -> Found:
    """Return what one search after the other gives."""
    searched = [hpgrid.grid_search(hpgrid.bounds.lmo(**dict(zip(NAMES, c))), grid, regime=REGIME) for c in triples]
    index = [[best.index[v] for best in searched] for v in REGIME.tuned]
    return Found(np.array([best.risk for best in searched]), np.array(index))


def disagreement(found: Found, expected: Found, grid: hpgrid.Grid, triples: Floats) -> int:
    """Return in how many cells an answer is wrong: another value, or another index whose value is not as small."""
    wrong = np.abs(found.risk / expected.risk - 1) > NEAR
    for n, t in zip(*np.nonzero((found.places != expected.places).any(0))):
        eta, b, alpha, T = axes_of(grid)
        e, i, a = found.places[:, n, t]
        there = float(printed(np, eta[e], b[i], alpha[a], T[t], dict(zip(NAMES, triples[n]))))
        wrong[n, t] |= there > expected.risk[n, t] * (1 + 2 * NEAR)
    return int(wrong.sum())


# --- growth ---


class Growth(NamedTuple):
    """What a number of triples costs in a fresh process: compiled already, imports in the peak."""

    triples: int
    seconds: float
    peak_mib: float


def growth(number: int, n: int) -> Growth:
    """Return what ``number`` triples cost, in blocks, in a process of its own."""
    code = "import sys; from hpgrid.bench.sweep import probe; probe(int(sys.argv[1]), int(sys.argv[2]))"
    command = [sys.executable, "-c", code, str(number), str(n)]
    run = subprocess.run(command, env=os.environ, capture_output=True, text=True, check=True)
    return Growth(number, *json.loads(run.stdout.splitlines()[-1]))


def probe(number: int, n: int) -> None:
    """Search many triples and print the seconds and the peak memory: what ``growth`` runs in the new process."""
    triples, grid = triples_of(number), hpgrid.Grid.footnote(n)

    def block(first: int) -> ManyResult:
        part = triples[first : first + BLOCK]
        return search_many(hpgrid.bounds.lmo(), grid, REGIME, dict(zip(NAMES, part.T)))

    block(number - 1)  # compiles
    start = time.perf_counter()
    for first in range(0, number, BLOCK):
        block(first)
    print(json.dumps([time.perf_counter() - start, peak_memory()]))


# --- the command ---


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
    grid, whole = hpgrid.Grid.footnote(n), triples_of(triples)
    given = {name: whole[:few] if contender.few else whole for name, contender in CONTENDERS.items()}
    expected = singly(grid, whole[:few])
    for name, contender in CONTENDERS.items():
        wrong = disagreement(contender.call(grid, whole[:few]), expected, grid, whole)
        if wrong:
            raise SystemExit(f"{name} disagrees with single searches in {wrong} of {expected.risk.size} cells")
    timed = interleaved({name: partial(c.call, grid, given[name]) for name, c in CONTENDERS.items()}, runs)
    each = {name: tuple(second / len(given[name]) for second in seconds) for name, seconds in timed.items()}

    def over(name: str, other: str) -> float:
        return median(mine / its for mine, its in zip(each[name], each[other]))

    return {
        name: Timed(contender.detail, len(given[name]), each[name], over(name, EXACT), over(name, FUNCTION))
        for name, contender in CONTENDERS.items()
    }


def table(timed: Mapping[str, Timed]) -> str:
    """Return what contenders take as aligned text: milliseconds a triple, and how many times the exact search's."""
    lines = [f"{'contender':25}{'ms a triple':>12}{'x exact':>9}{'x function':>12}  how"]
    for name, one in timed.items():
        numbers = f"{1e3 * median(one.seconds):12.2f}{one.over_exact:9.1f}{one.over_function:12.1f}"
        lines.append(f"{name:25}{numbers}  {one.detail}, {one.triples} triples")
    return "\n".join(lines)


def report(n: int, runs: int) -> tuple[str, dict[str, Any]]:
    """Return what a sweep of a thousand triples costs, as text and as plain data.

    Args:
        n: values an axis.
        runs: timed rounds.
    """
    timed = run(TRIPLES, FEW, n, runs)
    title = f"sweep: joint tuning of eq. (4) for {TRIPLES} triples over {n}^3 cells at {n} budgets"
    record = {"n": n, "triples": TRIPLES, "contenders": {name: asdict(one) for name, one in timed.items()}}
    return f"{title}\n{table(timed)}", record


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(prog="sweep.py", description=__doc__)
    parser.add_argument("--triples", type=int, default=TRIPLES, help="how many C1, C2, C3 (1000)")
    parser.add_argument("--few", type=int, default=FEW, help="how many of them for the slow contenders (5)")
    parser.add_argument("--n", type=int, default=100, help="values an axis (100)")
    parser.add_argument("--runs", type=int, default=5, help="timed rounds (5)")
    parser.add_argument("--growth", type=int, nargs="*", default=[100, 1000, 10_000], help="triples in fresh processes")
    given = parser.parse_args(argv)
    if min(given.triples, given.few, given.runs, given.n - 1, *given.growth, 1) < 1:
        parser.error("triples, few, runs and growth are whole numbers of 1 or more, n of 2 or more")
    machine = cpu()
    print(f"{machine['model']}, {machine['cores']} cores; joint tuning over {given.n}^3 cells at {given.n} budgets")
    print(table(run(given.triples, min(given.few, given.triples), given.n, given.runs)), flush=True)
    for number in given.growth:
        cost = growth(number, given.n)
        each = 1e3 * cost.seconds / number
        print(f"{number:7} triples: {each:6.2f} ms each, peak {cost.peak_mib:.0f} MiB", flush=True)
    return 0
