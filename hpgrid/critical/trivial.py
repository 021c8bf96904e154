"""What holds without any training: a target at or above it says nothing.

By smoothness alone, without weight decay or with it: a step of length t against the gradient loses at least
t ||grad f|| - L t^2/2, and the best of them ||grad f||^2/(2 L), which is at most f(W_0) - inf f = Delta0. So
||grad f(W_0)|| <= (2 L Delta0)^(1/2). With weight decay weights and a minimiser lie in the ball of radius 1/lam
(Proposition 9), 2/lam apart: ||grad f|| <= L ||W - W*|| <= 2 L/lam, f(W) - f* <= L ||W - W*||^2/2 <= 2 L/lam^2,
and the Frank-Wolfe gap, the most that <grad f, W - V> is over V in the ball, is <= ||grad f|| 2/lam <= 4 L/lam^2.
A star-convex f has f(W_0) - f* <= <grad f(W_0), W_0 - W*> <= G0 2/lam.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np


class Level(NamedTuple):
    """What holds trivially: its value, how it is written, and why it holds."""

    value: float
    text: str
    why: str


def levels(measure: str, norm: str, problem: Mapping[str, float]) -> tuple[Level, ...]:
    """Return every level that holds trivially.

    Args:
        measure: "gradient", "gap" or "loss".
        norm: "dual" or "frobenius", of the gradient. There kappa1 ||X||_F <= ||X||_dual.
        problem: Delta0, L, G0, lam, and kappa1.
    """
    G0, Delta0, L, lam = (problem[name] for name in ("G0", "Delta0", "L", "lam"))
    start, smooth = "at the start", "at the start, by smoothness"
    ball = "anywhere in the ball of radius 1/lam"
    by_smoothness = float(np.sqrt(2 * L * Delta0))
    if measure == "gap":
        return (
            Level(2 * G0 / lam, "2 G0/lam", start),
            Level(2 * by_smoothness / lam, "2 (2 L Delta0)^(1/2)/lam", smooth),
            Level(4 * L / lam**2, "4 L/lam^2", ball),
        )
    if measure == "loss":
        return (
            Level(Delta0, "Delta0", start),
            Level(2 * G0 / lam, "2 G0/lam", "at the start, by star-convexity"),
            Level(2 * L / lam**2, "2 L/lam^2", ball),
        )
    scale, over = (problem["kappa1"], "/kappa1") if norm == "frobenius" else (1.0, "")
    found = [Level(G0, "G0", start), Level(by_smoothness / scale, f"(2 L Delta0)^(1/2){over}", smooth)]
    if lam > 0:
        found.append(Level(2 * L / (lam * scale), f"2 L/lam{over}", f"{ball}, Proposition 9"))
    return tuple(found)


def least(found: tuple[Level, ...]) -> Level:
    """Return the least level: what a target has to be below to say anything."""
    return min(found, key=lambda level: level.value)


def contradictions(norm: str, problem: Mapping[str, float]) -> tuple[str, ...]:
    """Return what no problem can be: a start that is worse than anything may be."""
    first, *others = levels("gradient", norm, problem)
    pairs = [(first, other) for other in others]
    if problem["lam"] > 0:
        start, _, ball = levels("loss", norm, problem)
        pairs.append((start, ball))
    return tuple(
        f"{a.text} = {a.value:.4g} is above {b.text} = {b.value:.4g}"
        for a, b in pairs
        if a.value > b.value * (1 + 1e-12)
    )
