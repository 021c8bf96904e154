"""The benchmark of ``hpgrid.fit``: beside SciPy's curve_fit of the same quadratic, and a loop of bootstraps of it."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from statistics import median

import numpy as np
from scipy.optimize import curve_fit

import hpgrid
from hpgrid.bench.harness import cpu, interleaved, paired
from hpgrid.shapes import Floats

#: Resamplings in a bootstrap: as few as give an 80% interval.
RESAMPLED = 200


def runs(n: int, seed: int = 0) -> dict[str, Floats]:
    """Return about n runs: a quadratic loss over a grid of rates and batch sizes at four budgets, noise of 0.003."""
    rng = np.random.default_rng(seed)
    side = max(3, round((n / 4) ** 0.5))
    x, y, t = (a.ravel() for a in np.meshgrid(*[np.linspace(-2, 2, side)] * 2, np.arange(4.0), indexing="ij"))
    loss = 3 - 0.1 * t + 0.01 * (x + 0.5 * t - 0.8) ** 2 + 0.008 * (y - t + 1.5) ** 2 - 0.004 * x * y
    return {
        "eta": 1e-3 * 2**x,
        "b": 1e5 * 2**y,
        "T": 1e9 * 4**t,
        "loss": loss + 0.003 * rng.standard_normal(len(loss)),
    }


def quadratic(z: Floats, *p: float) -> Floats:
    """The surface that is fitted, all its coefficients in one list: four floors, three curvatures, c and d."""
    x, y, t = z
    floors = np.array(p[:4])[t.astype(int)]
    return floors + p[4] * x * x + p[5] * y * y + p[6] * x * y + (p[7] + p[8] * t) * x + (p[9] + p[10] * t) * y


def contenders(table: dict[str, Floats]) -> dict[str, Callable[[], object]]:
    """Return by name what answers the same question: the optimum at the next budget."""
    z = np.array(
        [np.log2(table["eta"] / 1e-3), np.log2(table["b"] / 1e5), np.round(np.log(table["T"] / 1e9) / np.log(4))]
    )
    start = np.r_[np.full(4, 3.0), 0.01, 0.01, np.zeros(5)]

    def fitted(rows: object = slice(None)) -> Floats:
        return np.asarray(curve_fit(quadratic, z[:, rows], table["loss"][rows], start)[0])  # type: ignore[index]

    def resampled() -> list[Floats]:
        rng, n = np.random.default_rng(0), len(table["loss"])
        return [fitted(rng.integers(0, n, n)) for _ in range(RESAMPLED)]

    return {
        "hpgrid.fit": lambda: hpgrid.fit(table).predict(1e12),
        "curve_fit": fitted,
        f"{RESAMPLED} bootstraps of it": resampled,
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Time them in turn, and print medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=500, help="training runs in the table")
    parser.add_argument("--runs", type=int, default=9, help="rounds of one timed call each")
    options = parser.parse_args(argv)
    table = runs(options.rows)
    print(f"{cpu()['model']}, {cpu()['cores']} cores; {len(table['loss'])} training runs, {options.runs} rounds")
    times = interleaved(contenders(table), options.runs)
    for name, seconds in times.items():
        ratio = paired(seconds, times["hpgrid.fit"])
        print(f"{name:22}  {1e3 * median(seconds):8.1f} ms  {ratio:7.2f} of hpgrid.fit's")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
