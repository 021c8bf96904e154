"""Curves of the best value against a budget, and where they begin to follow a law."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hpgrid.errors import bad
from hpgrid.reducers.many_slopes import lasting
from hpgrid.shapes import Array, Bool, Float


@runtime_checkable
class Searched(Protocol):
    """What a curve needs of a search result: mappings by axis."""

    @property
    def axes(self) -> Mapping[str, NDArray[np.float64]]: ...
    @property
    def at(self) -> Mapping[str, NDArray[np.float64]]: ...
    @property
    def index(self) -> Mapping[str, NDArray[np.integer]]: ...
    @property
    def edge(self) -> Mapping[str, NDArray[np.bool_]]: ...
    @property
    def values(self) -> Mapping[str, NDArray[np.float64]]: ...


@dataclass(frozen=True)
class Curve:
    """The best value of one hyperparameter against the budget.

    Attributes:
        name: the hyperparameter.
        budget: T or K, shape (n,).
        value: its best value, shape (n,).
        edge: where that sits on the border of the search box, shape (n,).
        burn_in: the first position from which the optimum has left its natural bound (b = 1,
            alpha = 1) for good; n where it never does; 0 for eta, which has none.
    """

    name: str
    budget: Float[Array, "n"]
    value: Float[Array, "n"]
    edge: Bool[Array, "n"]
    burn_in: int


def argmin_curve(result: Searched, name: str) -> Curve:
    """Return the curve of one reduced axis of a search whose only remaining axis is the budget.

    Raises:
        ValueError: more than the budget remains, or ``name`` was not reduced.
    """
    if len(result.axes) != 1 or name not in result.at:
        raise bad(
            "a curve needs one remaining axis and a reduced one",
            (list(result.axes), name),
            "over= all others",
        )
    (budget,) = result.axes.values()
    bound = {"b": 0, "alpha": len(result.values[name]) - 1}.get(name)
    burn_in = 0 if bound is None else burn_in_end(result.index[name], bound)
    return Curve(name, budget, result.at[name], result.edge[name], burn_in)


def burn_in_end(index: ArrayLike, bound: int) -> int:
    """Return the first position from which an argmin stays more than one step off its bound for good.

    Args:
        index: the argmin's grid index along the budget, shape (n,).
        bound: the index of the bound: 0 for b = 1, the last one for alpha = 1.
    """
    return int(lasting(np.abs(np.asarray(index) - bound)[None] > 1)[0])
