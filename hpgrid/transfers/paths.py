"""Appendix C.3: how eta goes with T along the batch path that a transfer takes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from hpgrid.theory import schedules
from hpgrid.theory.schedules import FIXED_MOMENTUM, TUNED_MOMENTUM
from hpgrid.transfers.given import Setting
from hpgrid.transfers.rules import Row

#: Where eta rises: p above this, by whether momentum is tuned.
FIXED_RISES, TUNED_RISES = (schedules.path_threshold(*powers) for powers in (FIXED_MOMENTUM, TUNED_MOMENTUM))


class Path(NamedTuple):
    """A batch path b ~ T^p between two budgets.

    Attributes:
        p: ln(b_1/b_0)/ln(T_1/T_0).
        regimes: those that take it.
        fixed: eta's exponent along it at a fixed momentum.
        tuned: with a tuned one, as long as alpha is below 1.
        alpha: the exponent of alpha there; above 0, alpha reaches 1 in the end.
    """

    p: float
    regimes: tuple[str, ...]
    fixed: float
    tuned: float
    alpha: float


def paths(start: Setting, T: float, rows: Sequence[Row]) -> tuple[Path, ...]:
    """Return the paths that the rows take, the shallowest first; none where the budget or b is not known to change.

    Source: Shulgin et al., eqs. (46) to (49).
    """
    if start.T == T or start.b is None:
        return ()
    taken: dict[float, list[str]] = {}
    for row in rows:
        if row.at.b is not None:
            p = round(math.log(row.at.b / start.b) / math.log(T / start.T), 12)
            taken.setdefault(p + 0.0, []).append(row.regime)
    return tuple(_path(p, tuple(regimes)) for p, regimes in sorted(taken.items()))


def _path(p: float, regimes: tuple[str, ...]) -> Path:
    exact = Fraction(p)
    fixed, tuned = (schedules.path_exponent(*powers, exact) for powers in (FIXED_MOMENTUM, TUNED_MOMENTUM))
    return Path(p, regimes, float(fixed), float(tuned), float(schedules.path_alpha(exact)))
