"""Bounds that are given by functions, for this folder's tests: one of each, since each is compiled."""

from __future__ import annotations

from typing import Any

from hpgrid import FunctionProxy


def _dip(eta: Any, b: Any, alpha: Any, T: Any, c: Any) -> Any:
    return 1e6 / (eta * T) + eta + c["slope"] * T - c["below"] + 0 * (c["end"] - T) ** 0.5


def dip(slope: float = 1e-70, below: float = 1e-70, end: float = 1e70) -> FunctionProxy:
    """Tuned, it is 2 (1e6/T)^(1/2) + slope T - below; beyond T = end there is nothing."""
    return FunctionProxy(_dip, {"slope": slope, "below": below, "end": end}, uses=("eta", "T"))
