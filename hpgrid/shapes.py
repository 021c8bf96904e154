"""Arrays: their types for annotations, with shapes as in ``Float[Array, "n"]``, and formulas for NumPy and JAX alike.

jaxtyping costs a tenth of a second to import, and annotations are not evaluated when hpgrid runs: so
it is loaded for type checkers, and where it is loaded already, as the tests do to have beartype hold
every shape.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hpgrid.checks import complement

if TYPE_CHECKING or "jaxtyping" in sys.modules:
    from jaxtyping import Bool, Float, Int
else:
    Bool = Float = Int = None

#: What shapes are of.
Array = np.ndarray

#: An array of numbers, and a number or an array of them.
Floats = NDArray[np.float64]
Values = float | Floats

#: A number, a NumPy array or a JAX one.
AnyArray = Any

__all__ = [
    *("AnyArray", "Array", "Bool", "Float", "Floats", "Int", "Values"),
    *("array_namespace", "complements", "same_columns", "sqrt"),
]


def array_namespace(*values: AnyArray) -> Any:
    """Return the namespace of the first array that has one other than NumPy's, else NumPy's."""
    spaces = [value.__array_namespace__() for value in values if hasattr(value, "__array_namespace__")]
    return next((space for space in spaces if space is not np), np)


def sqrt(x: AnyArray) -> AnyArray:
    """Return the square root, elementwise."""
    return array_namespace(x).sqrt(x)


def complements(values: ArrayLike) -> Floats:
    """Return 1 - each of some numbers, as they were written: of 0.9 it is 0.1."""
    return np.asarray(np.vectorize(complement, otypes=[float])(values))


def same_columns(array: AnyArray) -> tuple[list[NDArray[np.intp]], NDArray[np.intp]]:
    """Return the places of equal columns, kind by kind, and the order that undoes this once the kinds are joined.

    A column says which terms a combination of constants has, say: those with the same terms are solved at once.
    """
    every = np.arange(array.shape[1])
    if (array == array[:, :1]).all():  # the common case, without sorting
        return [every], every
    kinds, kind = np.unique(array, axis=1, return_inverse=True)
    parts = [np.flatnonzero(kind.ravel() == k) for k in range(kinds.shape[1])]
    return parts, np.argsort(np.concatenate(parts))
