"""Round values along a logarithmic axis."""

from __future__ import annotations

import math

#: Tick values within a decade, from few to many.
_STEPS = ((1,), (1, 3), (1, 2, 5), (1, 1.5, 2, 3, 4, 5, 6, 8))


def ticks(lo: float, hi: float, most: int) -> list[float]:
    """Return at most ``most`` round values in a range, as many as there can be, but at least two."""
    first, last = math.floor(math.log10(lo)), math.ceil(math.log10(hi))
    best: list[float] = []
    for steps in _STEPS:
        values = [float(f"{step}e{k}") for k in range(first, last + 1) for step in steps]
        inside = [value for value in values if lo * (1 - 1e-9) <= value <= hi * (1 + 1e-9)]
        if len(inside) > most:
            inside = best or inside[:: -(-len(inside) // most)]
        best = max(best, inside, key=len)
    return best if len(best) > 1 else _evenly(lo, hi, most)


def _evenly(lo: float, hi: float, most: int) -> list[float]:
    """Multiples of 1, 2 or 5 times a power of ten, at least two and at most ``most`` where that can be."""
    exponent = math.floor(math.log10(hi - lo))
    for step in (float(f"{digit}e{exponent - back}") for back in (0, 1) for digit in (5, 2, 1)):
        first, last = math.ceil(lo / step * (1 - 1e-9)), math.floor(hi / step * (1 + 1e-9))
        if last > first:
            values = [float(f"{k * step:.12g}") for k in range(first, last + 1)]
            return values if len(values) <= most else [values[0], values[-1]]
    return [lo, hi]
