"""What a rule costs at the new budget, and leaving everything as it was, by eq. (4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from hpgrid.shapes import Floats as Array
from hpgrid.transfers.batch import feasible
from hpgrid.transfers.constants import Constants
from hpgrid.transfers.given import Limits, Setting
from hpgrid.transfers.optimum import At, Box, least, point, risk

#: What is this near the least risk is the least: two sums of five terms, and what their numbers were rounded to.
_ROUNDING = 1e-13


class Regret(NamedTuple):
    """Relative excess risks, one for each value of the constants.

    Attributes:
        retuned: over the best of what the row tunes, at what it holds.
        best: over the best of eta, b and alpha.
    """

    retuned: Array
    best: Array


class Cost(NamedTuple):
    """What a row costs, with values for each value of the constants.

    Attributes:
        retuned: the best at the new budget of what the row tunes, at what it holds, within limits.
        best: the best there of eta, b and alpha, within limits.
        rule: what the row's own setting costs; None where that is less than one iteration.
        unchanged: what the old setting costs there, as far as limits let it be; None in the same case.
        start: the best at the first budget of what was tuned there.
        at_start: the relative excess risk of the old setting over it.
    """

    retuned: At
    best: At
    rule: Regret | None
    unchanged: Regret | None
    start: At
    at_start: Array


def cost(
    of: Constants, start: Setting, at: Setting, *, tuned: Sequence[str], held: Sequence[str], limits: Limits
) -> Cost:
    """Return what going from ``start`` to ``at`` costs over tuning again.

    Args:
        of: constants, each a number or of shape (n,).
        start: the old setting, of which ``tuned`` were tuned.
        at: the new setting.
        tuned: what was tuned at the old budget.
        held: what is not tuned again at the new one.
        limits: what is feasible: caps, and one unit of the batch size, which is the least.
    """
    of = Constants(*(np.atleast_1d(value) for value in of))
    whole = _box(at.T, limits)
    retuned, best = least(at.T, of, _holding(whole, at, held)), least(at.T, of, whole)
    before = _holding(_box(start.T, _as_it_was(limits, start)), start, [v for v in At._fields if v not in tuned])
    at_best = least(start.T, of, before)
    bests = (risk(retuned, at.T, of), risk(best, at.T, of))
    return Cost(
        retuned=retuned,
        best=best,
        rule=_regret(at, of, bests),
        unchanged=_regret(_left(start, at, held, limits), of, bests),
        start=at_best,
        at_start=_excess(risk(point(start), start.T, of), risk(at_best, start.T, of)),
    )


def _left(start: Setting, at: Setting, held: Sequence[str], limits: Limits) -> Setting:
    """The old setting at the new budget: b the nearest that can be run there, or the one that is held; eta capped."""
    eta, b, alpha = (float(x) for x in point(start))
    b = float(point(at).b) if "b" in held else feasible(b, limits).b
    return Setting(at.T, eta if limits.eta is None else min(eta, limits.eta), b, alpha)


def _regret(setting: Setting, of: Constants, bests: tuple[Array, Array]) -> Regret | None:
    own = point(setting)
    if own.b > setting.T:
        return None
    return Regret(*(_excess(risk(own, setting.T, of), best) for best in bests))


def _excess(own: Array, best: Array) -> Array:
    excess = own / best - 1
    return np.where(np.abs(excess) < _ROUNDING, 0.0, excess)


def _box(T: float, limits: Limits) -> Box:
    """What is feasible at a budget. No best b comes near T: burn-in is below the floor there, b < alpha^(3/2) T."""
    most = max(T, float(limits.unit))
    cap = most if limits.b is None else min(limits.b, most)
    return Box(eta=(0.0, np.inf if limits.eta is None else limits.eta), b=(float(limits.unit), cap))


def _as_it_was(limits: Limits, start: Setting) -> Limits:
    """Limits at the first budget: those that the setting kept to."""
    at = point(start)
    return Limits(
        b=limits.b if limits.b is not None and at.b <= limits.b else None,
        eta=limits.eta if limits.eta is not None and at.eta <= limits.eta else None,
        unit=limits.unit if at.b >= limits.unit else 1,
    )


def _holding(box: Box, setting: Setting, held: Sequence[str]) -> Box:
    return box._replace(**{name: (getattr(setting, name),) * 2 for name in held})
