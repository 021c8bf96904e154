"""The benchmark of a sweep's store: what writing costs, how soon a finished sweep is found, and what kills lose.

A thousand triples, joint tuning, one hundred values an axis. The same sweep is killed at random moments and started
again, and at the end every file of its arrays is held against those of a run that nothing touched.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from hpgrid.record import write_json
from hpgrid.sweeps import store
from hpgrid.sweeps.measure import Options
from hpgrid.sweeps.run import run

#: The sweep, as the killed processes read it.
TOML = """bound = "lmo"
[constants]
C1 = { lo = 1e-2, hi = 1e2, n = 10 }
C2 = { lo = 1e-2, hi = 1e2, n = 10 }
C3 = { lo = 1e-2, hi = 1e2, n = 10 }
[regime]
name = "joint"
tuned = ["eta", "b", "alpha"]
"""
PLAN = tomllib.loads(TOML)

#: Small blocks, so that most kills come in the middle of several.
KILLED_BLOCK = 10


def costs(folder: Path, runs: int) -> dict[str, float]:
    """Return the medians over some runs of what a sweep takes, its share of writing, and of finding it whole."""
    whole, shares, found = [], [], []
    write: Any = store.Store.write
    spent = [0.0]

    def timed(self: store.Store, *arguments: Any) -> None:
        started = time.perf_counter()
        write(self, *arguments)
        spent[0] += time.perf_counter() - started

    patched: Any = store.Store
    patched.write = timed
    try:
        for k in range(runs + 1):
            out, spent[0] = folder / f"{k}.zarr", 0.0
            seconds = run(PLAN, out, Options()).seconds
            if k:  # the first compiles
                whole.append(seconds)
                shares.append(spent[0] / seconds)
                found.append(run(PLAN, out, Options()).seconds)
    finally:
        patched.write = write
    return {"seconds": median(whole), "share_of_writing": median(shares), "seconds_to_find_it_whole": median(found)}


def kills(folder: Path, times: int, seed: int = 0) -> dict[str, Any]:
    """Return how a sweep fares that is killed at random moments and started again: whether its bytes are the same."""
    config, out, untouched = folder / "killed.toml", folder / "killed.zarr", folder / "untouched.zarr"
    config.write_text(TOML)
    run(PLAN, untouched, Options(), block=KILLED_BLOCK)
    rng, whole = random.Random(seed), 0
    for _ in range(times):
        process = _started(config, out)
        time.sleep(rng.uniform(0.3, 1.0))
        whole += process.poll() is not None
        process.kill()
        process.wait()
    last = _started(config, out)
    status = last.wait()
    same = status == 0 and _digests(out) == _digests(untouched)
    return {"kills": times, "of_them_after_the_end": whole, "same_bytes": same}


def _started(config: Path, out: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "hpgrid", "sweep", str(config), "--out", str(out), "--block", str(KILLED_BLOCK)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ.copy())


def _digests(path: Path) -> dict[str, str]:
    """The SHA-256 of every file of a store, but for what says when it was made and who writes it."""
    files = [f for f in sorted(path.rglob("*")) if f.is_file() and f.parent != path]
    return {str(f.relative_to(path)): hashlib.sha256(f.read_bytes()).hexdigest() for f in files}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark and print what it found; return 1 where a killed sweep did not end in the same bytes."""
    parser = argparse.ArgumentParser(prog="store.py", description=__doc__, allow_abbrev=False)
    parser.add_argument("--runs", type=int, default=3, help="timed sweeps (3)")
    parser.add_argument("--kills", type=int, default=20, help="kills of one sweep (20)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all that was measured")
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as name:
        cost = costs(Path(name), options.runs)
        print(f"1,000 triples, joint tuning: {cost['seconds']:.2f} s, of which writing {cost['share_of_writing']:.1%}")
        print(f"a finished sweep is found whole in {cost['seconds_to_find_it_whole']:.2f} s", flush=True)
        fate = kills(Path(name), options.kills)
    verdict = "the same bytes in every array" if fate["same_bytes"] else "OTHER BYTES"
    print(f"{fate['kills']} kills ({fate['of_them_after_the_end']} of them after its end): {verdict}")
    if options.json:
        write_json(options.json, {**cost, **fate})
    return int(not fate["same_bytes"])


if __name__ == "__main__":
    raise SystemExit(main())
