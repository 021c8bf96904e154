"""What every row of a transfer costs, and the tables beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from hpgrid.checks import bad
from hpgrid.transfers.calibrate import Calibration, calibrate
from hpgrid.transfers.constants import Constants
from hpgrid.transfers.cost import Cost, cost
from hpgrid.transfers.given import Limits, Setting
from hpgrid.transfers.moves import Factor, Life, Move, at_point, life, table
from hpgrid.transfers.rules import Row

#: Whose constants tell how eta moves with b at the start: of the first of these that has any.
_TELLING = ("B", "D", "C", "A")


class Costed(NamedTuple):
    """What a row costs.

    Attributes:
        regime: the row's.
        constants: of eq. (4), one value or, where some are free, several; None where no positive ones fit.
        calibration: how they came from the start; None where they were given.
        cost: what the row costs with them.
    """

    regime: str
    constants: Constants | None
    calibration: Calibration | None
    cost: Cost | None


class Costs(NamedTuple):
    """What a transfer's rows cost by eq. (4).

    Attributes:
        rows: in the order of the transfer's.
        moves: by which power of b the best eta moves.
        at_start: by which factor it moves at the start when b is quadrupled, by what becomes of the momentum.
        at_start_by: the regime whose constants that is with; "" where they are given or there are none.
        half_lives: momentum's half-life under each row's rule.
    """

    rows: tuple[Costed, ...]
    moves: tuple[Move, ...]
    at_start: dict[str, Factor]
    at_start_by: str
    half_lives: tuple[Life, ...]


@np.errstate(all="ignore")  # what overflows is refused
def costs(start: Setting, rows: Sequence[Row], limits: Limits, *, given_b: bool, constants: Constants | None) -> Costs:
    """Return what the rows cost.

    Args:
        start: what they start from, complete.
        rows: the transfer's, of regimes A to D.
        limits: what is feasible.
        given_b: whether the new batch size was given, so that it is not tuned again.
        constants: of eq. (4); None calibrates them at the start, for each row by what it tuned there.

    Raises:
        ValueError: a number comes out too large or too small for a float.
    """
    costed = tuple(_costed(start, row, limits, given_b, constants) for row in rows)
    _check_numbers(costed)
    known = {row.regime: row.constants for row in costed if row.constants is not None}
    telling = next((regime for regime in _TELLING if regime in known), "")
    return Costs(
        rows=costed,
        moves=table(),
        at_start=at_point(known[telling], start) if telling else {},
        at_start_by=telling if constants is None else "",
        half_lives=tuple(life(row, start, c.cost and c.cost.retuned) for row, c in zip(rows, costed)),
    )


def _costed(start: Setting, row: Row, limits: Limits, given_b: bool, constants: Constants | None) -> Costed:
    calibration = calibrate(start, row.tuned, limits) if constants is None else None
    own = constants if calibration is None else calibration.constants
    if own is None:
        return Costed(row.regime, None, calibration, None)
    own = Constants(*map(np.atleast_1d, own))
    held = [name for name in ("b", "alpha") if name not in row.tuned or (name == "b" and given_b)]
    return Costed(row.regime, own, calibration, cost(own, start, row.at, tuned=row.tuned, held=held, limits=limits))


def _check_numbers(costed: Sequence[Costed]) -> None:
    """Refuse what a float can't hold."""
    for row in costed:
        if row.constants is None or row.cost is None:
            continue
        cost = row.cost
        values = [*row.constants, *cost.retuned, *cost.best, *cost.start, cost.at_start]
        values += [*(cost.rule or ()), *(cost.unchanged or ())]
        if not all(np.isfinite(value).all() and (np.asarray(value) >= 0).all() for value in values):
            instead = "constants and hyperparameters that are less extreme"
            raise bad("what a choice costs is a number", f"regime {row.regime} comes out as none", instead)
