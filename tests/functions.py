"""Bounds that are given by functions, as several files' tests have them: one of each, since each is compiled."""

from __future__ import annotations

from typing import Any

from hpgrid import FunctionProxy, parse


def _eq4(eta: Any, b: Any, alpha: Any, T: Any, c: Any) -> Any:
    noise = c["C2"] * (b**0.5 / (alpha * T) + (alpha / b) ** 0.5)
    return c["C1"] * b / (eta * T) + noise + c["C3"] * eta * (1 + 1 / alpha)


#: Eq. (4), of which nothing is known but its values.
EQ4 = FunctionProxy(_eq4, {"C1": 1.0, "C2": 1.0, "C3": 1.0}, name="mine")


def _dip(eta: Any, b: Any, alpha: Any, T: Any, c: Any) -> Any:
    return 1e6 / (eta * T) + eta + c["slope"] * T - c["below"] + 0 * (c["end"] - T) ** 0.5


def dip(slope: float = 1e-70, below: float = 1e-70, end: float = 1e70) -> FunctionProxy:
    """Tuned, it is 2 (1e6/T)^(1/2) + slope T - below; beyond T = end there is nothing."""
    return FunctionProxy(_dip, {"slope": slope, "below": below, "end": end}, uses=("eta", "T"))


def kinked(c: float, d: float = 1e-60, e: float = 1e-60, f: float = 1e-60) -> FunctionProxy:
    """A range of batch sizes that all do, of which d makes a window, and e with c a law with a floor."""
    proxy = parse("max(1/sqrt(b), c) + d*b + e*b/T + f/sqrt(T)", {"c": c, "d": d, "e": e, "f": f})
    assert isinstance(proxy, FunctionProxy)
    return proxy
