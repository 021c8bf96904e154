"""The benchmark of ``hpgrid.refine``: joint optima at many budgets and constants, against what one would write instead.

Every contender's optima are held against the exact curve of joint optima before anything is timed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from functools import partial
from statistics import median
from typing import NamedTuple, NoReturn

import numpy as np

import hpgrid
from hpgrid.bench.harness import Floats, cpu, interleaved
from hpgrid.theory import theorems

TUNED = ("eta", "b", "alpha")


class Contender(NamedTuple):
    """One way to find joint optima: log b for triples of constants and budgets, shape (triples, budgets).

    A slow one is given at most ``most`` triples and budgets: its time is per solve all the same.
    """

    call: Callable[[Floats, Floats], Floats]
    most: tuple[int, int]
    detail: str


def _refine(T: Floats, triples: Floats) -> Floats:
    constants = {f"C{k + 1}": triples[:, k] for k in range(3)}
    found = hpgrid.refine(hpgrid.bounds.lmo(), TUNED, T=T, constants=constants)
    if not found.converged.all():
        raise SystemExit(f"{(~found.converged).sum()} refinements did not converge")
    return np.log(found.at["b"])


def _scipy(method: str) -> Callable[[Floats, Floats], Floats]:
    """One solve at a time on the log risk in the logs, with its gradient and the bounds."""

    def call(T: Floats, triples: Floats) -> Floats:
        from scipy.optimize import minimize

        proxy = hpgrid.bounds.lmo()
        rows = np.array([[float(term.exponent(v) or 0) for v in (*TUNED, "T")] for term in proxy.terms])

        def log_risk(z: Floats, c: Floats) -> tuple[float, Floats]:
            logs = c + rows[:, :3] @ z
            sizes = np.exp(logs - logs.max())
            return float(logs.max() + np.log(sizes.sum())), rows[:, :3].T @ (sizes / sizes.sum())

        found = []
        for triple in triples:
            coefficients = np.log([t.coefficient(dict(zip(("C1", "C2", "C3"), triple))) for t in proxy.terms])
            for budget in T:
                c = coefficients + rows[:, 3] * np.log(budget)
                box = [(-690.0, 690.0), (0.0, 690.0), (-690.0, 0.0)]
                start = [-0.5 * np.log(budget), 1.0, -0.25 * np.log(budget)]
                tight = {"ftol": 1e-15, "gtol": 1e-13} if method == "L-BFGS-B" else {}
                best = minimize(log_risk, start, (c,), method, jac=True, bounds=box, options=tight)
                found.append(best.x[1])
        return np.reshape(found, (len(triples), len(T)))

    return call


_ALL = sys.maxsize

CONTENDERS = {
    "hpgrid.refine": Contender(_refine, (_ALL, _ALL), "graded Newton, many at once, NumPy alone"),
    "scipy L-BFGS-B": Contender(_scipy("L-BFGS-B"), (2, 20), "one solve at a time"),
    "scipy TNC": Contender(_scipy("TNC"), (2, 20), "one solve at a time"),
}


def problems(budgets: int, triples: int) -> tuple[Floats, Floats]:
    """Return budgets from 1e8 to 1e22 and random C1, C2, C3 over two decades, for which the best b is above 1."""
    random = np.random.default_rng(0)
    constants = 10.0 ** random.uniform(-1, 1, (triples, 3))
    constants[:, 1] = np.sqrt(constants[:, 0] * constants[:, 2]) * 10.0 ** random.uniform(0, 1, triples)
    return np.logspace(8, 22, budgets), constants


def exact(T: Floats, triples: Floats) -> Floats:
    """Return log b of the joint optimum at every budget, from the exact curve, by bisection in alpha."""
    found = []
    for C1, C2, C3 in triples:
        lo, hi = np.full(T.shape, -60.0), np.zeros(T.shape)
        for _ in range(80):
            middle = (lo + hi) / 2
            late = theorems.theorem3_curve(np.exp(middle), C1, C2, C3)[0] > T
            lo, hi = np.where(late, middle, lo), np.where(late, hi, middle)
        found.append(np.log(theorems.theorem3_curve(np.exp(lo), C1, C2, C3)[1]))
    return np.array(found)


def run(budgets: int, triples: int, runs: int) -> list[str]:
    """Return the table's lines: microseconds a solve, how many times hpgrid's, and the largest error in log b."""
    T, constants = problems(budgets, triples)
    parts = {
        name: (T[:: max(1, len(T) // min(c.most[1], len(T)))], constants[: c.most[0]]) for name, c in CONTENDERS.items()
    }
    errors = {name: float(np.abs(c.call(*parts[name]) - exact(*parts[name])).max()) for name, c in CONTENDERS.items()}
    seconds = interleaved({name: partial(c.call, *parts[name]) for name, c in CONTENDERS.items()}, runs)
    each = {name: median(seconds[name]) / (len(part[0]) * len(part[1])) for name, part in parts.items()}
    lines = [f"{'contender':28}{'us a solve':>12}{'ratio':>9}{'error in log b':>16}  how"]
    for name, c in CONTENDERS.items():
        ratio = each[name] / each["hpgrid.refine"]
        lines.append(f"{name:28}{1e6 * each[name]:12.2f}{ratio:9.1f}{errors[name]:16.1e}  {c.detail}")
    return lines


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--budgets", type=int, default=1000)
    parser.add_argument("--triples", type=int, default=1000, help="how many C1, C2, C3")
    parser.add_argument("--runs", type=int, default=5)
    given = parser.parse_args(argv)
    if min(given.budgets, given.triples, given.runs) < 1:
        parser.error("budgets, triples and runs are whole numbers of 1 or more")
    machine = cpu()
    print(f"{machine['model']}, {machine['cores']} cores; {given.triples} x {given.budgets} joint optima of eq. (4)")
    print("\n".join(run(given.budgets, given.triples, given.runs)))
    sys.exit(0)


if __name__ == "__main__":
    main()
