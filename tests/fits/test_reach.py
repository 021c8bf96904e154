"""What a fit reaches: on simulated sweeps, whole, thin and spoilt, and on public ones."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sweeps import Floats, best, drift, excess, sweep

from hpgrid.fits.fit import Fit, fit

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def regret(found: Fit, T: float, C: Floats) -> float:
    at = found.predict(T).at
    own = excess(*best(T, C), np.array(T), C)
    return float(excess(np.array(at["eta"]), np.array(at["b"]), np.array(T), C) - own)


def test_the_minimiser_that_the_sweeps_are_held_against_is_one() -> None:
    _, T, C = sweep(np.random.default_rng(0), (1.0,), (3, 3), 1.0)
    at = best(T, C)
    for step in (0.99, 1.01):
        for k in range(2):
            moved = at * np.where(np.arange(2) == k, step, 1.0)
            assert excess(*moved, np.array(T), C) > excess(*at, np.array(T), C)


def test_of_5_x_5_runs_at_two_budgets_a_budget_four_times_as_large_is_predicted() -> None:
    rng, regrets = np.random.default_rng(1), []
    for _ in range(100):
        runs, T, C = sweep(rng, (1.0, 4.0), (5, 5), 2.0)
        regrets.append(regret(fit(runs), 16 * T, C))
    assert np.mean(regrets) <= 0.0008


def test_intervals_of_80_percent_cover_where_the_optimum_drifts_as_on_public_sweeps() -> None:
    rng, inside = np.random.default_rng(12), []
    designs = (((1.0, 4.0), (5, 5), 2.0), ((1.0, 4.0, 16.0), (7, 6), 3.0), ((1.0, 2.0, 4.0, 8.0), (8, 6), 3.0))
    for k in range(200):
        longer, points, span = designs[k % 3]
        off = drift(rng, (*longer, 4 * longer[-1]))
        runs, T, C = sweep(rng, longer, points, span, off=off[:-1])
        T *= 4 * longer[-1]
        true = best(T, C) * 2 ** (off[-1] - off[len(longer) // 2])
        interval = fit(runs).predict(T).interval
        inside += [low <= x <= high for (low, high), x in zip(interval.values(), true, strict=True)]
    # The mean of 400, of which two come of each sweep, has a deviation of 0.03 at the most.
    assert 0.70 <= np.mean(inside) <= 0.95


SPOILT = ("5% too low", "20% not there", "eta above", "eta below", "b above", "b below")


@pytest.mark.parametrize("kind", SPOILT)
def test_spoilt_runs_cost_little(kind: str) -> None:
    rng, regrets = np.random.default_rng(2), []
    for _ in range(40):
        runs, T, C = sweep(rng, (1.0, 4.0, 16.0), (7, 7), 3.0)
        some = rng.random(len(runs["loss"]))
        if kind == "5% too low":
            runs["loss"] -= np.where(some < 0.05, rng.uniform(0.01, 0.05, len(some)), 0.0)
        elif kind == "20% not there":
            runs["loss"] = np.where(some < 0.1, np.nan, np.where(some < 0.2, 1e14, runs["loss"]))
        else:
            name, side = kind.split()  # what lies there of each budget's optimum is cut off
            own = np.array([best(each, C)[("eta", "b").index(name)] for each in runs["T"]])
            kept = runs[name] <= own * 1.01 if side == "above" else runs[name] >= own / 1.01
            runs = {name: x[kept] for name, x in runs.items()}
        regrets.append(regret(fit(runs), 64 * T, C))
    assert np.mean(regrets) <= 0.004


def test_the_theory_is_found_where_it_holds() -> None:
    rng, verdicts, values = np.random.default_rng(3), Counter[str](), []
    for _ in range(20):
        runs, *_ = sweep(rng, (1.0, 4.0, 16.0, 64.0), (12, 10), 3.0)
        found = fit(runs)
        verdicts.update(slope.verdict for slope in found.exponents)
        values.append([slope.value for slope in found.exponents])
    # b ~ T^(1/2), eta ~ T^(-1/4) along it, T^(-1/2) at a fixed b, b^(1/2) at a fixed T: by hand from ``best``
    assert_allclose(np.mean(values, axis=0), (-1 / 4, 1 / 2, -1 / 2, 1 / 2), atol=0.035)
    # 90% intervals: of 80 some eight may miss
    assert verdicts["agrees"] >= 68


def columns(name: str) -> dict[str, Floats]:
    table = np.genfromtxt(EXAMPLES / name, delimiter=",", names=True)
    return {column: table[column] for column in table.dtype.names}


def test_on_public_runs_at_a_constant_rate_eta_falls_like_the_root_of_k() -> None:
    """lr-scheduling (MIT), 124M parameters: at 48k steps a parabola through the three best rates is least at 3.0e-4."""
    runs = columns("constant_rate.csv")
    (slope,) = fit(runs).exponents
    assert slope.verdict == "agrees"
    assert -0.65 <= slope.value <= -0.35
    found = fit({name: x[runs["steps"] <= 16000] for name, x in runs.items()}).predict(48000)
    # The best run kept is 0.74 octaves off.
    assert abs(np.log2(found.at["eta"] / 3.0e-4)) < 0.74 / 2
    assert found.edge == ()


@pytest.mark.parametrize(("cooldown", "exponent"), [(0.1, -0.28), (0.2, -0.24), (0.4, -0.09)])
def test_on_public_runs_with_a_cooldown_intervals_are_wide_and_hold_what_parabolas_say(
    cooldown: float, exponent: float
) -> None:
    runs = columns("cooldown.csv")
    its = runs.pop("cooldown") == cooldown
    (slope,) = fit({name: x[its] for name, x in runs.items()}).exponents
    assert slope.low < exponent < slope.high
    assert slope.high - slope.low > 0.3


def test_on_public_runs_whose_best_batch_size_is_the_smallest_that_is_said_and_nothing_better_is_claimed() -> None:
    """Muon of marin (Apache-2.0), one axis at a time: 128 sequences are the border and the best."""
    runs = columns("muon_sweep.csv")
    del runs["momentum"]
    T = runs["tokens"].min()
    its = (runs["tokens"] == T) & (runs.pop("weight_decay") == 0.1)
    found = fit({name: x[its] for name, x in runs.items()}, seq_len=4096)
    for longer in (1, 4):
        prediction = found.predict(longer * T)
        assert prediction.edge == ("b",)
        assert prediction.at["b"] == 128 * 4096
        assert set(prediction.interval) == {"eta"}
    best_run = found.baselines(T)[0]
    assert best_run.at == {"eta": 0.016, "b": 128 * 4096}
    # A factor of 1.3 in eta costs this: no more is gained over the best run.
    at = found.predict(T).at
    assert 0 <= best_run.excess < found.regret({**at, "eta": 1.3 * at["eta"]}, T)


def test_momentum_is_none_that_there_is_not() -> None:
    """A best alpha beyond 1: it is 1, and eta is tuned at it."""
    steps = 2.0 ** np.arange(-11, -6), 2.0 ** np.arange(-3, 0.5, 0.5), [1e9, 4e9]
    eta, alpha, T = (x.ravel() for x in np.meshgrid(*steps))
    x, y = np.log2(eta) + 9, np.log2(alpha) - 0.3
    loss = 3 + 0.012 * (x + 0.5 * y) ** 2 + 0.01 * y**2 + 0.001 * np.random.default_rng(0).standard_normal(len(x))
    for budget in (4e9, 1.6e10):
        prediction = fit({"eta": eta, "alpha": alpha, "T": T, "loss": loss}, alpha="alpha").predict(budget)
        assert prediction.at["alpha"] <= 1
        assert prediction.interval.get("alpha", (0, 1))[1] <= 1
        # By the formula, at that alpha; eta's exponent, of two budgets alone, is known to some 0.1.
        tuned = -9 - 0.5 * (np.log2(prediction.at["alpha"]) - 0.3)
        assert_allclose(np.log2(prediction.at["eta"]), tuned, atol=0.2)
