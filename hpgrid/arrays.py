"""Arrays of any library: formulas written once, for NumPy and for JAX."""

from __future__ import annotations

from typing import Any

import numpy as np

#: A number, a NumPy array or a JAX one.
Array = Any


def space(*values: Array) -> Any:
    """Return the namespace of the first array that has one other than NumPy's, else NumPy's."""
    spaces = [value.__array_namespace__() for value in values if hasattr(value, "__array_namespace__")]
    return next((space for space in spaces if space is not np), np)


def sqrt(x: Array) -> Array:
    """Return the square root, elementwise."""
    return space(x).sqrt(x)
