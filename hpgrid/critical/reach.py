"""What a bound gives for a target, by each route, closed forms beside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from hpgrid.bounds.cesista2025 import Parts
from hpgrid.critical import solve
from hpgrid.critical.given import Given
from hpgrid.critical.need import Iterations, logarithmic, one_over, split
from hpgrid.critical.solve import Point, Shape
from hpgrid.theory import batch_sizes as theory

#: How much more than the fewest tokens still counts as near.
NEAR = (0.01, 0.05, 0.20)


class Formula(NamedTuple):
    """A formula's batch size, what it takes there (at b = 1 where it is below), and how far that is off.

    Attributes:
        what: the formula, and how its Z is read.
        at: the batch size, iterations and tokens; +inf where it never reaches the target.
        over_fewest: its tokens over the fewest.
    """

    what: str
    at: Point
    over_fewest: float


class Reach(NamedTuple):
    """What a bound gives for a target, by each route; whether it is an answer the status says.

    Attributes:
        fewest: where tokens are fewest, among b >= 1: found numerically, log b to ``solve.FLAT``.
        closed: the same minimiser in closed form, over b > 0.
        on_grid: the same by brute force, log b to ``step``.
        step: that grid's step in log b.
        on_bound: whether the minimum lies below b = 1, so that 1 is best.
        smallest: the batch size above which the target is reached at all; it may be below 1.
        formulas: what the source's formula gives.
        near: for a share such as 0.01, the batch sizes within it of the fewest tokens.
        shape: how iterations and tokens run with b.
    """

    fewest: Point
    closed: float
    on_grid: Point
    step: float
    on_bound: bool
    smallest: float
    formulas: tuple[Formula, ...]
    near: Mapping[float, tuple[float, float]]
    shape: Shape


def needed(given: Given, parts: Parts, room: float) -> Iterations | None:
    """K(b); None where the target is out of reach, or asks the loss for no iteration or for one."""
    if room <= 0:
        return None
    if given.measure != "loss":
        return one_over(parts, given.form, room)
    rate = given.lam * given.eta
    return logarithmic(parts, room, rate) if room < parts.X and rate < 1 else None


def reached(given: Given, parts: Parts, room: float) -> Reach | None:
    """What the bound gives for a target."""
    iterations = needed(given, parts, room)
    smallest = None if iterations is None else solve.smallest(iterations)
    if iterations is None or smallest is None:
        return None
    best = solve.fewest(iterations, smallest)
    if not np.isfinite(best.tokens):
        return None
    on_grid, step = solve.on_grid(iterations, smallest)
    return Reach(
        fewest=best,
        closed=_closed(given, parts, room),
        on_grid=on_grid,
        step=step,
        on_bound=best.b == 1.0,
        smallest=smallest,
        formulas=tuple(_formula(what, b, iterations, best) for what, b in _formulas(given, parts, room)),
        near={share: solve.near(iterations, best, smallest, share) for share in NEAR},
        shape=solve.shape(iterations, smallest),
    )


def _closed(given: Given, parts: Parts, room: float) -> float:
    """The minimiser in closed form, over b > 0."""
    if given.measure == "loss":
        return float(theory.star_convex(parts.X, parts.Y, room))
    return float(theory.fewest_tokens(*split(parts, given.form), room))


def _formulas(given: Given, parts: Parts, room: float) -> list[tuple[str, float]]:
    """The source's formula for the form at hand, in each reading of its Z."""
    if given.measure == "loss":
        return []
    if given.form == "revised":
        return [("9 Y^2/(4 eps'^2)", float(theory.revised(parts.Y, room)))]
    return [
        ("2 Y/eps', Z at b -> inf", float(theory.theorem12_of(parts.Y, room))),
        ("2 Y/eps', Z at this b", float(theory.self_consistent(parts.Y, parts.Z_noise, room))),
    ]


def _formula(what: str, b: float, iterations: Iterations, best: Point) -> Formula:
    at = solve.point(iterations, max(b, 1.0))
    return Formula(what, Point(b, at.K, at.tokens), at.tokens / best.tokens)
