"""A tuned point, as it is given and as a setting; and eq. (4) typed out, with its optimum in a box."""

from __future__ import annotations

from typing import Any

import numpy as np

from hpgrid.refinement.profile import profile
from hpgrid.transfers.costs import Constants, Cost, cost as cost_of
from hpgrid.transfers.rules import of_paper
from hpgrid.transfers.start import NO_LIMITS, TUNED, Limits, Setting

GIVEN = {"eta": 3e-4, "b": 524288, "beta": 0.95, "T": 2.5e9}
START = Setting(T=2.5e9, eta=3e-4, b=524288.0, alpha=0.05)

#: Of a few products and powers.
ROUNDING = 1e-13

HELD = {"b": 3000.0, "alpha": 0.02}


def at_b(b: float | None) -> dict[str, float]:
    """What is given at the second budget: a batch size, or nothing."""
    return {} if b is None else {"b": b}


def constants(C1: Any, C2: Any, C3: Any) -> Constants:
    return {"C1": C1, "C2": C2, "C3": C3}


def terms(at: Setting, T: Any, of: Constants) -> dict[str, np.ndarray]:
    """The five terms of eq. (4)."""
    return {
        "progress": of["C1"] * at.b / (at.eta * T),
        "burn_in": of["C2"] * np.sqrt(at.b) / (at.alpha * T),
        "floor": of["C2"] * np.sqrt(at.alpha / at.b),
        "drift": of["C3"] * np.asarray(at.eta),
        "coupling": of["C3"] * at.eta / at.alpha,
    }


def risk(at: Setting, T: Any, of: Constants) -> np.ndarray:
    return np.sum(np.broadcast_arrays(*terms(at, T, of).values()), axis=0)


def least(T: Any, of: Constants, **box: tuple[Any, Any]) -> Setting:
    """The optimum in a box; what is not in it has its whole range."""
    whole = {"eta": (1e-299, 1e299), "b": (1.0, 1e60), "alpha": (1e-60, 1.0)}
    return Setting(T, **profile(of_paper("lmo").bound, tuple(whole), {}, T, whole | box, of).at)


def best(of: Constants, T: float, regime: str, limits: Limits = NO_LIMITS, b: float = HELD["b"]) -> Setting:
    """The best point of a regime under limits; what it does not tune is held."""
    box = {"eta": (1e-299, limits.eta or 1e299), "b": (float(limits.unit), min(limits.b or T, T))}
    held = {name: (value, value) for name, value in (HELD | {"b": b}).items() if name not in TUNED[regime]}
    return Setting(T, **{v: float(x) for v, x in least(T, of, **(box | held)).values.items()})


def cost(of: Constants, start: Setting, at: Setting, *, tuned: Any, held: Any, limits: Limits) -> Cost:
    of = {name: np.atleast_1d(value) for name, value in of.items()}
    return cost_of(of, start, at, tuned, held, limits, of_paper("lmo").bound)
