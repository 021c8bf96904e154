"""Malformed inputs and formulas at random, from a seed: each is answered rightly or refused in one line, or is a fault.

    python scripts/fuzz.py --seconds 60 --seed 1                says how many cases ran, and each fault with its input
    python scripts/fuzz.py --seed 1 --kind inputs --case 17     that one alone, as a fault names it

Exits with 1 on a fault. Case i of a seed is drawn from ``default_rng([seed, i])``, on whatever machine; each kind gets
an equal share of the time.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np

TESTS = Path(__file__).resolve().parent.parent / "tests"
sys.path[:0] = [str(TESTS), str(TESTS / "fuzz")]

#: Where cases come from: a file each.
KINDS = tuple(sorted(path.stem for path in (TESTS / "fuzz").glob("*.py") if not path.stem.startswith("test_")))


def case(kind: str, seed: int, number: int) -> str | None:
    """Run a case of a seed; return what is wrong with the answer, or None."""
    drawn: Callable[[np.random.Generator], str | None] = importlib.import_module(kind).case
    return drawn(np.random.default_rng([seed, number]))


def main() -> int:
    """Run cases for some seconds, or one of them; return the exit status."""
    parser = argparse.ArgumentParser(description="Malformed inputs and formulas at random.")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long cases are drawn")
    parser.add_argument("--most", type=int, help="cases of a kind at the most, so that any machine runs the same")
    parser.add_argument("--seed", type=int, default=1, help="of all cases")
    parser.add_argument("--case", type=int, help="the one case that is run, of a kind")
    parser.add_argument("--kind", choices=KINDS, help="whose cases are run; all by default")
    given = parser.parse_args()
    kinds = (given.kind,) if given.kind else KINDS
    ran, spent, faults = Counter[str](), dict.fromkeys(kinds, 0.0), 0
    while True:
        left = [name for name in spent if given.most is None or ran[name] < given.most]
        if not left:
            break
        kind = min(left, key=lambda name: spent[name])
        number = ran[kind] if given.case is None else given.case
        began = time.monotonic()
        fault = case(kind, given.seed, number)
        spent[kind] += time.monotonic() - began
        ran[kind] += 1
        if fault is not None:
            faults += 1
            print(f"FAULT --seed {given.seed} --kind {kind} --case {number}: {fault}", flush=True)
        if given.case is not None or sum(spent.values()) > given.seconds:
            break
    told = ", ".join(f"{ran[kind]} of {kind}" for kind in kinds)
    print(f"{ran.total()} cases ({told}) of seed {given.seed}: {faults} faults")
    return int(faults > 0)


if __name__ == "__main__":
    sys.exit(main())
