"""Curves of the best value against a budget, and where they begin to follow a law."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hpgrid.checks import bad
from hpgrid.shapes import Array, Bool, Float
from hpgrid.slopes import lasting


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


#: How many levels a contour figure shows, as a guide.
LEVELS = 20


def even_levels(risk: ArrayLike, count: int = LEVELS) -> Float[Array, "levels"]:
    """Return ``count`` levels evenly spaced in log risk, strictly inside the range of ``risk``."""
    finite = np.asarray(risk, float)
    finite = np.log(finite[np.isfinite(finite) & (finite > 0)])
    if not finite.size:
        raise bad("levels need a finite positive risk", risk, "a grid with a feasible cell")
    return np.exp(np.linspace(finite.min(), finite.max(), count + 2)[1:-1])


def iso_loss(x: ArrayLike, y: ArrayLike, risk: ArrayLike, levels: ArrayLike) -> list[list[Float[Array, "points 2"]]]:
    """Return the lines of equal risk, interpolated linearly in the logs of x, y and risk.

    Args:
        x: values of the horizontal axis, shape (nx,).
        y: values of the vertical axis, shape (ny,).
        risk: the risk, shape (ny, nx); not finite where there is none.
        levels: the levels, shape (n,).

    Returns:
        For each level a list of lines, each of shape (points, 2) in x and y themselves.
    """
    from contourpy import contour_generator  # 0.1 s to import, for contour figures alone

    z = np.log(np.where(np.isfinite(risk), risk, np.nan))
    traced = contour_generator(np.log(np.asarray(x)), np.log(np.asarray(y)), np.ma.masked_invalid(z))
    return [[np.exp(np.asarray(line)) for line in traced.lines(np.log(level))] for level in np.asarray(levels, float)]


#: The share of the best performance that counts as near-optimal.
PERFORMANCE = 0.99


@dataclass(frozen=True)
class Band:
    """The values of one hyperparameter that are near-optimal, at every budget.

    Attributes:
        low: the smallest near-optimal value, shape (n,); NaN where no cell is feasible.
        high: the largest one, shape (n,).
        low_edge: where ``low`` is the axis' first value, shape (n,).
        high_edge: where ``high`` is the axis' last feasible value, shape (n,).
    """

    low: Float[Array, "n"]
    high: Float[Array, "n"]
    low_edge: Bool[Array, "n"]
    high_edge: Bool[Array, "n"]


def near_optimal(risk: ArrayLike, values: ArrayLike, performance: float = PERFORMANCE) -> Band:
    """Return which values have a risk of at most the best one divided by ``performance``.

    Args:
        risk: the best risk for every value and budget, all else tuned: shape (values, n).
        values: the values, increasing: shape (values,).
        performance: the share of the best performance, in (0, 1].

    Raises:
        ValueError: ``performance`` outside (0, 1], or shapes that do not match.

    Source: Shulgin et al., Figures 10 and 11 (the near-optimal batch size: ``low``, at 99%).
    """
    risk, values = np.asarray(risk, float), np.asarray(values, float)
    if not 0 < performance <= 1:
        raise bad("performance is a share of the best, in (0, 1]", performance, "performance=0.99, say")
    if risk.ndim != 2 or len(risk) != len(values):
        raise bad("near_optimal needs a risk of shape (values, n)", (risk.shape, values.shape), "risk.T, perhaps")
    best = risk.min(axis=0)
    good = (risk <= best / performance) & np.isfinite(best)
    none, feasible = ~good.any(axis=0), np.isfinite(risk)
    first = good.argmax(axis=0)
    last = len(values) - 1 - good[::-1].argmax(axis=0)
    end = len(values) - 1 - feasible[::-1].argmax(axis=0)
    low, high = (np.where(none, np.nan, values[k]) for k in (first, last))
    return Band(low, high, (first == 0) | none, (last == end) | none)
