"""The words and ranges of hyperparameters and constants, checked without loading NumPy."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from fractions import Fraction
from numbers import Real
from typing import Any

from hpgrid.errors import bad, unknown

#: The canonical order of the axes: every result keeps it, and ties go to the first cell in it.
AXES = ("eta", "b", "alpha", "T", "K")

#: The tuned axes; the two others are budgets, of which a grid has one.
TUNABLE = ("eta", "b", "alpha")

#: The optimizers, and the norm under which each is steepest descent; adamw and soap in coordinates that adapt.
#: Source: Cesista, Appendix A2.
OPTIMIZERS = {"sgd": "frobenius", "signsgd": "max", "adamw": "max", "muon": "spectral", "soap": "spectral"}

#: What noise there is, and how precisely oracles are run.
NOISE_KINDS = ("gaussian", "one-hot", "rank-one")
PRECISIONS = ("float64", "float32", "bfloat16")

#: The methods of Shulgin et al.'s eq. (1), by the norm.
METHODS = {"frobenius": "normalised SGD", "max": "signSGD", "spectral": "Muon"}

#: What a hyperparameter must satisfy, in words and as a test.
_RANGE = {
    "eta": ("eta > 0", lambda x: x > 0),
    "b": ("b >= 1", lambda x: x >= 1),
    "alpha": ("0 < alpha <= 1", lambda x: 0 < x <= 1),
    "T": ("T >= 1", lambda x: x >= 1),
    "K": ("K > 0", lambda x: x > 0),
}


def is_number(value: object) -> bool:
    """Return whether ``value`` is a finite real number (a truth value is not)."""
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)


def check_value(name: str, value: Any) -> float:
    """Return ``value`` as a float if the hyperparameter ``name`` may take it.

    Raises:
        ValueError: ``name`` is not a hyperparameter, or ``value`` is not a finite number in range.
    """
    if name not in AXES:
        raise unknown("axis", name, AXES)
    rule, holds = _RANGE[name]
    if not is_number(value) or not holds(value):
        raise bad(f"{name} must be a finite number with {rule}", value, f"a value with {rule}")
    return float(value)


def complement(beta: float) -> float:
    """Return alpha = 1 - beta for the beta that was written: 1 - 0.9 is 0.1, not 0.09999999999999998."""
    return float(1 - Fraction(repr(float(beta))))


def check_constants(constants: Mapping[str, Any]) -> dict[str, float]:
    """Return constants as floats.

    Raises:
        ValueError: one is not a positive finite number.
    """
    for name, value in constants.items():
        if not is_number(value) or value <= 0:
            raise bad(f"constant {name} must be a positive finite number", value, f"{name}=1.0, say")
    return {name: float(value) for name, value in constants.items()}


def read_shape(text: str) -> tuple[int, int]:
    """Return the shape that is written 128x32.

    Raises:
        ValueError: not two positive whole numbers with an x between.
    """
    found = re.fullmatch(r"([0-9]{1,9})x([0-9]{1,9})", text)
    m, n = (int(size) for size in found.groups()) if found else (0, 0)
    if m < 1 or n < 1:
        raise bad("a shape is two positive whole numbers, ROWSxCOLUMNS", text, "128x32, say")
    return m, n
