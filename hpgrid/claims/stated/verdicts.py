"""What the routes' readings come to, part by part of a claim."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

from hpgrid.claims.ledger import FAILS, UNIDENTIFIABLE, VERDICTS, Number, Reading

#: From the surest route to the least sure.
ROUTES = ("exact", "refined", "grid")


def tells(measured: float, tolerance: float, claimed: Number) -> bool:
    """Return whether a reading can tell: it says no, or its tolerance is below half of what is claimed.

    Else a law half as steep would pass as well; a claimed 0 is to be told from one half.
    """
    return abs(measured - float(claimed)) > tolerance or tolerance < (abs(float(claimed)) or 1.0) / 2


def parts(readings: Sequence[Reading]) -> dict[str, tuple[Reading, ...]]:
    """Return the readings of each part of a claim, such as "power of T"."""
    return {what: tuple(r for r in readings if r.what == what) for what in dict.fromkeys(r.what for r in readings)}


def part_verdict(readings: Sequence[Reading]) -> str:
    """Return the verdict on one part: that of the routes that can tell.

    One of them that says no is enough, a wider tolerance being no evidence; a route that can't tell takes nothing
    from another's proof.
    """
    told = [reading.verdict for reading in readings if reading.verdict != UNIDENTIFIABLE]
    return max(told, key=VERDICTS.index, default=UNIDENTIFIABLE)


def verdict(readings: Sequence[Reading]) -> str:
    """Return the verdict on a claim: the worst of its parts'."""
    return max((part_verdict(own) for own in parts(readings).values()), key=VERDICTS.index, default=UNIDENTIFIABLE)


def contradictions(readings: Sequence[Reading]) -> tuple[tuple[Reading, Reading], ...]:
    """Return the pairs of readings of one part that can't both be right: further apart than both tolerances."""
    found = []
    for own in parts(readings).values():
        told = [reading for reading in own if reading.verdict != UNIDENTIFIABLE]
        for one, other in combinations(told, 2):
            if abs(float(one.measured - other.measured)) > one.tolerance + other.tolerance:
                found.append((one, other))
    return tuple(found)


def instead(readings: Sequence[Reading]) -> dict[str, Reading]:
    """Return for each part that fails the surest reading that says so: what was found instead."""
    failing: Mapping[str, list[Reading]] = {
        what: [reading for reading in own if reading.verdict == FAILS] for what, own in parts(readings).items()
    }
    return {what: min(own, key=lambda r: ROUTES.index(r.route)) for what, own in failing.items() if own}
