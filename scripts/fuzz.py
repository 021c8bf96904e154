"""Malformed inputs and formulas at random, from a seed: each is answered rightly or refused in one line, or is a fault.

    python scripts/fuzz.py --seconds 60 --seed 1     prints how many cases ran, and each fault with its input
    python scripts/fuzz.py --seed 1 --case 17        that one alone, as a fault names it

Exits with 1 on a fault. Case i of a seed is drawn from ``default_rng([seed, i])``, on whatever machine.
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

#: Where cases come from, in turn: a file each.
KINDS = tuple(sorted(path.stem for path in (TESTS / "fuzz").glob("*.py") if not path.stem.startswith("test_")))


def case(seed: int, number: int) -> tuple[str, str | None]:
    """Run a case of a seed; return of which kind it is, and what is wrong, or None."""
    kind = KINDS[number % len(KINDS)]
    drawn: Callable[[np.random.Generator], str | None] = importlib.import_module(kind).case
    return kind, drawn(np.random.default_rng([seed, number]))


def main() -> int:
    """Run cases for some seconds, or one of them; return the exit status."""
    parser = argparse.ArgumentParser(description="Malformed inputs and formulas at random.")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long cases are drawn")
    parser.add_argument("--seed", type=int, default=1, help="of all cases")
    parser.add_argument("--case", type=int, help="the one case that is run")
    given = parser.parse_args()
    ends, ran, faults = time.monotonic() + given.seconds, Counter[str](), 0
    number = 0 if given.case is None else given.case
    while True:
        kind, fault = case(given.seed, number)
        ran[kind] += 1
        if fault is not None:
            faults += 1
            print(f"FAULT --seed {given.seed} --case {number} ({kind}): {fault}", flush=True)
        number += 1
        if given.case is not None or time.monotonic() > ends:
            break
    told = ", ".join(f"{ran[kind]} of {kind}" for kind in KINDS)
    print(f"{ran.total()} cases ({told}) of seed {given.seed}: {faults} faults")
    return int(faults > 0)


if __name__ == "__main__":
    sys.exit(main())
