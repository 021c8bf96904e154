"""A reading: one number held against one prediction, within a derived tolerance, and its verdict.

Every table of measured numbers is made of these: a figure's checks, a search's slopes, a stated claim's routes, the
ledger. They need neither NumPy nor jax.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

HOLDS, VACUOUS, UNIDENTIFIABLE, FAILS = "holds", "vacuous", "not identifiable", "fails"

#: The verdicts, from best to worst.
VERDICTS = (HOLDS, VACUOUS, UNIDENTIFIABLE, FAILS)

#: How steep a flat law is taken to be, where it is asked whether it can be told from another: as the risk, T^(-1/4).
FLAT = 0.25

Number = float | Fraction


def tells(tolerance: Number, exponent: Number) -> bool:
    """Return whether a measured exponent can tell its law: where its tolerance is below ``telling``.

    With a wider one a law half as steep, or none at all, would pass as well.
    """
    return bool(tolerance < telling(exponent))


def telling(exponent: Number) -> float:
    """Return what the tolerance of a measured exponent has to be below: half of max(|exponent|, 1/4)."""
    return max(abs(float(exponent)), FLAT) / 2


@dataclass(frozen=True)
class Reading:
    """One number held against one prediction.

    Args:
        what: what was read.
        route: how: "grid", "refined", "exact" (rational exponents and their laws), "arithmetic"
            (the source's own formulas and numbers, one held against another), or "sampled" (seeded Monte Carlo).
        measured: what came out; NaN where nothing did.
        predicted: what the source says.
        tolerance: how far the two may be apart, derived.
        relation: "=" where the two are to agree, "<=" or ">=" where one is to bound the other.
        identifiable: whether the measurement can tell at all.
        empty: whether it says nothing even where it is true.
        exponent: whether it is an exponent, so that its tolerance has to tell its law: see ``tells``.
        window: the smallest and largest budget, or whatever it was read along, that were used.
        edge_points: points that were left out because they sit on the border of the search box.
        note: one line: where the tolerance comes from, or why there is no verdict.
    """

    what: str
    route: str
    measured: Number
    predicted: Number
    tolerance: float = 0.0
    relation: str = "="
    identifiable: bool = True
    empty: bool = False
    exponent: bool = False
    window: tuple[float, float] = (math.nan, math.nan)
    edge_points: int = 0
    note: str = ""

    @property
    def verdict(self) -> str:
        """The verdict on this reading alone: a gap beyond the tolerance says no, however wide that is."""
        numbers = (self.measured, self.predicted, self.tolerance)
        if not self.identifiable or not all(math.isfinite(number) for number in numbers):
            return UNIDENTIFIABLE
        gap = float(self.measured - self.predicted)  # of fractions, exact: 0 where they agree
        if {"=": abs(gap), "<=": gap, ">=": -gap}[self.relation] > self.tolerance:
            return FAILS
        if self.exponent and not tells(self.tolerance, self.predicted):
            return UNIDENTIFIABLE
        return VACUOUS if self.empty else HOLDS

    @property
    def why_open(self) -> str:
        """Why it can't tell, where its note says so; "" else."""
        left, _, why = self.note.partition(": ")
        return why if self.verdict == UNIDENTIFIABLE and left.startswith(UNIDENTIFIABLE) else ""

    @property
    def holds(self) -> bool | None:
        """Whether the two agree; None where the measurement can't tell."""
        return {HOLDS: True, VACUOUS: True, FAILS: False}.get(self.verdict)


def of_exponent(what: str, route: str, measured: Number, predicted: Number, tolerance: float) -> Reading:
    """Return the reading of an exponent, whose tolerance has to tell its law."""
    return Reading(what, route, measured, predicted, tolerance, exponent=True)


def no_verdict(reasons: Iterable[tuple[str, str]]) -> list[str]:
    """Return a sentence for each reason why there is no verdict, "" being none, with what it is the reason for."""
    by_reason: dict[str, list[str]] = {}
    for what, why in reasons:
        by_reason.setdefault(why, []).append(what)
    return [f"no verdict on {', '.join(names)}: {why}" for why, names in by_reason.items() if why]


def worst(readings: Iterable[Reading], default: str = UNIDENTIFIABLE) -> str:
    """Return the worst verdict of some readings; where there is none, ``default``."""
    return max((reading.verdict for reading in readings), key=VERDICTS.index, default=default)
