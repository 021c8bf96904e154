"""Eq. (2) and the theorems against the methods themselves: normalised SGD, signSGD and Muon on known functions."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from hpgrid.checks import METHODS
from hpgrid.claims.ledger import Measured, claim, claims
from hpgrid.claims.measures import at_most, below
from hpgrid.readings import Reading, of_exponent
from hpgrid.theory import theorems

if TYPE_CHECKING:
    from hpgrid.slopes import Slope
    from hpgrid.stochastic.lmo import Runs

SHAPE, WIDTH, SEED = (4, 2), 0.5, 2026

#: Every fourth octave of b, every one of K; eta from where no run arrives to where each step overshoots.
B, K = (1.0, 16.0, 256.0), tuple(2**k for k in range(4, 11))
ETA = (5e-4, 0.4)
ALPHA = (0.01, 0.03, 0.1, 0.3, 1.0)

#: The momentum that Theorem 1 holds.
FIXED = 0.1


@cache
def _fine(norm: str) -> Runs:
    """The learning rate alone, on an axis and with seeds that place it."""
    return _run(norm, points=24, alpha=(FIXED,), seeds=48)


@cache
def _both(norm: str) -> Runs:
    """The learning rate and the momentum."""
    return _run(norm, points=10, alpha=ALPHA, seeds=12)


def _run(norm: str, *, points: int, alpha: tuple[float, ...], seeds: int) -> Runs:
    from hpgrid.stochastic.lmo import run
    from hpgrid.stochastic.problems import smoothed

    axes = (np.geomspace(*ETA, points), B, alpha, K)
    return run(smoothed(norm, SHAPE, width=WIDTH), axes, seeds=seeds, seed=SEED)


# --- eq. (2) ---


@claim("S.mc.eq2", "eq. (2)", "min E||grad f||_* of the methods themselves stays below the bound, simulated")
def never_exceeded() -> Measured:
    from hpgrid.stochastic.samples import interval

    for norm, method in METHODS.items():
        runs = _both(norm)
        least = interval(runs.least)
        k = int((least.mean / runs.bound).argmax())
        ratio, error = (float((part / runs.bound).flat[k]) for part in least)
        yield at_most(f"largest of {runs.bound.size} cells over eq. (2), {method}", "sampled", ratio, 1.0, error)
    yield "at most about half of it, and there eq. (2) is what the method starts from"


@claim("H.mc.says", "Shulgin et al., eq. (2)", "it says more than ||grad f(x^0)||_* does, somewhere, simulated")
def says_something() -> Measured:
    shares = []
    for norm, method in METHODS.items():
        runs = _both(norm)
        over = runs.bound / runs.trivial
        yield below(f"least of eq. (2) over ||grad f(x^0)||_*, {method}", "arithmetic", float(over.min()), 1.0)
        shares.append(f"{method} {(over >= 1).mean():.0%}, {(over.min(0) >= 1).mean():.0%} at its best eta")
    yield from "vacuous in a share of the cells: " + "; ".join(shares)


# --- the theorems ---


def _moved(what: str, predicted: float, slopes: Iterable[Slope]) -> Measured:
    """How a best value moves, by method."""
    for method, slope in zip(METHODS.values(), slopes):
        if slope.points < 2:
            count = f"{what}: points that can be told from the axis' ends, {method}"
            yield Reading(count, "sampled", slope.points, 2, 0.0, ">=", identifiable=False)
        else:
            yield of_exponent(f"{what}, {method}", "sampled", slope.slope, predicted, slope.error)


#: What the theorems say of the proxy, asked of the methods.
EQ_6, B_2 = "Shulgin et al., eq. (6), of the methods", "Shulgin et al., B.2, of the methods"

#: d log eta*/d log K of a run that has to arrive: it does when eta K is the distance.
ARRIVES = -1.0


@claims(
    ("H.mc.eta.K", EQ_6, "on a convex function their best eta falls like 1/K, not K^(-1/2), simulated", "K"),
    ("H.mc.eta.b", EQ_6, "at fixed K their best eta does not depend on b, simulated", "b"),
)
def theorem_1(along: str) -> Measured:
    from hpgrid.stochastic.lmo import best, movement

    slopes, eta = [], np.geomspace(*ETA, 24)
    for norm in METHODS:
        least = _fine(norm).least
        values, runs = (K, least[:, 1, 0]) if along == "K" else (B, least[:, :, 0, -1])
        slopes.append(movement(np.array(values), best(runs, {"eta": eta})["eta"]))
    if along == "K":
        yield from _moved("eta* ~ K^p, b = 16", ARRIVES, slopes)
        yield "a run has to arrive, and it arrives when eta K is the distance"
    else:
        yield from _moved("eta* ~ b^p, K = 1024", 0.0, slopes)
        yield (
            "it stays where it is, but seeds and the axis' step leave more than half of the quarter that a law of no "
            "power is to be told from"
        )


def _tuned(name: str, along: str) -> Measured:
    from hpgrid.stochastic.lmo import best, movement

    axes = {"eta": np.geomspace(*ETA, 10), "alpha": np.array(ALPHA)}
    predicted = float(theorems.THEOREM_2_IN_K[name][along])
    slopes = []
    for norm in METHODS:
        least = _both(norm).least
        runs = least[:, 0] if along == "K" else least[..., -1, :].swapaxes(1, 2)
        slopes.append(movement(np.array(K if along == "K" else B), best(runs, axes)[name]))
    return _moved(f"{name}* ~ {along}^p", predicted, slopes)


@claim("H.mc.alpha", B_2, "their best alpha moves like (b/K)^(1/2), simulated")
def momentum_moves() -> Measured:
    gains = []
    for norm, method in METHODS.items():
        runs = _both(norm)
        measured, bound = (cells[:, 0, :, -1].min(0) for cells in (runs.least.mean(-1), runs.bound))
        gains.append(f"{method} {measured.min() / measured[-1]:.2f} ({bound.min() / bound[-1]:.2f})")
    yield from _tuned("alpha", "K")
    yield from _tuned("alpha", "b")
    yield (
        "alpha = 1 can't be told from the best: the best of all alpha over alpha = 1, at b = 1 and K = 1024, is "
        f"{', '.join(gains)}, in brackets by eq. (2)"
    )


@claim("H.mc.eta", B_2, "their best eta moves like b^(1/4) K^(-3/4), both tuned, simulated")
def rate_moves() -> Measured:
    yield from _tuned("eta", "K")
    yield from _tuned("eta", "b")
    yield "a larger alpha makes up for a larger eta, so that a wide range of pairs can't be told apart"
