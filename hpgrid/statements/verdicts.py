"""What the routes' readings come to, part by part of a claim."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

from hpgrid.readings import FAILS, UNIDENTIFIABLE, VERDICTS, Reading

#: What stands in a reading's name between its part and the logarithm that it was freed of.
BESIDE = " beside "


#: From the surest route to the least sure.
ROUTES = ("exact", "refined", "grid")


def parts(readings: Sequence[Reading]) -> dict[str, tuple[Reading, ...]]:
    """Return the readings of each part of a claim, such as "power of T", beside a logarithm or not."""
    found: dict[str, tuple[Reading, ...]] = {}
    for reading in readings:
        part = reading.what.partition(BESIDE)[0]
        found[part] = (*found.get(part, ()), reading)
    return found


def part_verdict(readings: Sequence[Reading]) -> str:
    """Return the verdict on one part: that of the routes that can tell, far out where one of them can.

    One of them that says no is enough, a wider tolerance being no evidence; a route that can't tell takes nothing
    from another's proof. A grid's budgets may all end before the law begins: it decides where no other route can.
    """
    told = [reading for reading in readings if reading.verdict != UNIDENTIFIABLE]
    far_out = [reading.verdict for reading in told if reading.route != ROUTES[-1]]
    return max(far_out or [reading.verdict for reading in told], key=VERDICTS.index, default=UNIDENTIFIABLE)


def verdict(readings: Sequence[Reading]) -> str:
    """Return the verdict on a claim: the worst of its parts'."""
    return max((part_verdict(own) for own in parts(readings).values()), key=VERDICTS.index, default=UNIDENTIFIABLE)


def contradictions(readings: Sequence[Reading]) -> tuple[tuple[Reading, Reading], ...]:
    """Return the pairs of readings of one thing that can't both be right: further apart than both tolerances."""
    told = [reading for reading in readings if reading.verdict != UNIDENTIFIABLE]
    pairs = ((one, other) for one, other in combinations(told, 2) if one.what == other.what)
    return tuple((a, b) for a, b in pairs if abs(float(a.measured - b.measured)) > a.tolerance + b.tolerance)


def instead(readings: Sequence[Reading]) -> dict[str, Reading]:
    """Return for each part that fails the surest reading that says so: what was found instead."""
    failing: Mapping[str, list[Reading]] = {
        what: [reading for reading in own if reading.verdict == FAILS] for what, own in parts(readings).items()
    }
    return {what: min(own, key=lambda r: ROUTES.index(r.route)) for what, own in failing.items() if own}
