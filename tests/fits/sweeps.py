"""Simulated sweeps: eq. (5) at a fixed momentum, typed out, plus a floor that falls with T, plus noise."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

ALPHA = 0.05


def excess(eta: Floats, b: Floats, T: Floats, C: Floats) -> Floats:
    """C1 b/(eta T) + C2 (alpha/b)^(1/2) + C3 eta (1 + 1/alpha)."""
    return np.asarray(C[0] * b / (eta * T) + C[1] * np.sqrt(ALPHA / b) + C[2] * eta * (1 + 1 / ALPHA))


def best(T: float, C: Floats) -> Floats:
    """The minimiser (eta, b) by hand: of x + y + z with x = z in eta, and x = y/2 in b, so that all but y are alike."""
    # x = C1 b/(eta T), y = C2 (alpha/b)^(1/2), z = D eta: from x = z, eta = (C1 b/(D T))^(1/2); from y = 2 x,
    # C2 (alpha/b)^(1/2) = 2 (C1 D b/T)^(1/2), so that b = C2 (alpha T/(C1 D))^(1/2)/2.
    D = C[2] * (1 + 1 / ALPHA)
    b = C[1] * np.sqrt(ALPHA * T / (C[0] * D)) / 2
    return np.array([np.sqrt(C[0] * b / (D * T)), b])


def sweep(
    rng: np.random.Generator,
    longer: tuple[float, ...],
    points: tuple[int, int],
    span: float,
    noise: float = 0.003,
    moved: tuple[float, float] = (0.0, 0.0),
) -> tuple[dict[str, Floats], float, Floats]:
    """Runs on one grid at several budgets, its centre off by half an octave; the first budget, and the constants.

    Exponents of eta and b are ``moved``, the optimum at the middle budget left where it is.
    """
    # By 1/8, 8^(1/2) and 1: a batch size 8 times as large, so that it holds a sequence, and all else as it was.
    C = 10.0 ** rng.uniform((1.0, 1.0, -1.0), (3.0, 2.0, 0.5)) * np.array([1 / 8, 8**0.5, 1.0])
    T = 2.0 ** rng.uniform(30, 34)
    # As on public sweeps, the part that tuning moves is 0.05 to 0.1 nats at the optimum.
    C *= rng.uniform(0.05, 0.1) / excess(*best(4 * T, C), np.array(4 * T), C)
    middle = best(longer[len(longer) // 2] * T, C) * 2 ** rng.uniform(-0.5, 0.5, 2)
    steps = [2 ** np.linspace(-span, span, n) for n in points]
    eta, b, budget = (x.ravel() for x in np.meshgrid(middle[0] * steps[0], middle[1] * steps[1], T * np.array(longer)))
    off = (budget / (longer[len(longer) // 2] * T)) ** np.array(moved)[:, None]
    loss = 2.5 + 8 * budget**-0.1 + excess(eta / off[0], b / off[1], budget, C) + noise * rng.standard_normal(len(eta))
    return {"eta": eta, "b": b, "T": budget, "loss": loss}, T, C
