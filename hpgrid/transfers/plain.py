"""A transfer as plain data."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from hpgrid.record import plain
from hpgrid.transfers import half_life
from hpgrid.transfers.fits import Applied
from hpgrid.transfers.given import Setting
from hpgrid.transfers.half_life import Kept
from hpgrid.transfers.rules import Row

if TYPE_CHECKING:
    from hpgrid.transfers.answer import Transfer


def as_dict(answer: Transfer) -> dict[str, Any]:
    """Return a transfer as dicts, lists, numbers and text; None for what is not given."""
    unit = answer.limits.unit
    return dict(
        plain(
            {
                "start": {
                    **_setting(answer.start, unit),
                    "beta2": None if answer.alpha2 is None else 1 - answer.alpha2,
                },
                "T": answer.T,
                "to_b": answer.to_b,
                "limits": answer.limits._asdict(),
                "rows": [_row(row, unit) for row in answer.rows],
                "lacking": answer.lacking,
                "sgd": None if answer.sgd is None else _row(answer.sgd, unit),
                "half_life_kept": {regime: _kept(kept) for regime, kept in answer.kept.items()},
                "fits": [_fit(fit) for fit in answer.fits],
                "paths": [path._asdict() for path in answer.paths],
                "notes": answer.notes,
                "costs": _named(answer.costs),
            }
        )
    )


def _setting(at: Setting, unit: int) -> dict[str, Any]:
    known = at.b is not None and at.alpha is not None
    return {
        **at._asdict(),
        "b_units": None if at.b is None else at.b / unit,
        "beta": at.beta,
        "K": at.K,
        "half_life": half_life.tokens(at.b or 0.0, at.alpha or 1.0) if known else None,
    }


def _row(row: Row, unit: int) -> dict[str, Any]:
    return {**row._asdict(), "at": _setting(row.at, unit)}


def _kept(kept: Kept) -> dict[str, Any]:
    betas = {"beta": kept.alpha, "beta2": kept.alpha2}
    return {**kept._asdict(), **{name: None if alpha is None else 1 - alpha for name, alpha in betas.items()}}


def _fit(applied: Applied) -> dict[str, Any]:
    return {**applied._asdict(), "fit": applied.fit._asdict()}


def _named(value: Any) -> Any:
    """Costs as dicts; values over what is free as their least and their largest."""
    if isinstance(value, np.ndarray):
        return [float(value.min()), float(value.max())]
    if hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, dict):
        return {name: _named(part) for name, part in value.items()}
    if isinstance(value, tuple):
        return [_named(part) for part in value]
    return str(value) if isinstance(value, Fraction) else value
