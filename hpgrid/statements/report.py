"""Stated claims as they are answered: a table for each with its verdict, and plain data for JSON."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

from hpgrid.claims.ledger import shown
from hpgrid.claims.measures import Setting
from hpgrid.readings import FAILS, HOLDS, UNIDENTIFIABLE, VERDICTS, Reading
from hpgrid.record import plain
from hpgrid.statements.checking import Checked
from hpgrid.statements.verdicts import ROUTES, contradictions, instead, part_verdict, parts
from hpgrid.text import aligned

_HEADINGS = ("", "route", "measured", "claimed", "within", "verdict")


def text(checked: Sequence[Checked]) -> str:
    """Return a block for each claim, and how many hold where there are several."""
    blocks = ["\n".join(_block(one)) for one in checked]
    return "\n\n".join([*blocks, *([summary(checked)] if len(checked) > 1 else [])])


def summary(checked: Sequence[Checked]) -> str:
    """Return how many claims there are, and of which verdict."""
    counts = Counter(one.verdict for one in checked)
    return f"{len(checked)} claims: " + ", ".join(f"{counts[v]} {v}" for v in VERDICTS if counts[v])


def _block(one: Checked) -> list[str]:
    lines = [one.claim, f"  {one.bound}, {regime_text(one)}"]
    read = one.question.text()
    lines += [f"  read as {read}"] if read.split() != one.claim.partition("@")[0].split() else []
    rows = [_HEADINGS, *(_row(reading) for own in parts(one.readings).values() for reading in own)]
    lines += [f"  {line}" for line in aligned(_once(rows))]
    lines += [f"  {window_text(one)}"] if one.question.power is not None else []
    lines += [f"  no exact route: {one.no_law}"] if one.no_law else []
    lines += [f"  exact law: {one.law}"] if one.law else []
    lines += [f"  {_contradiction(*pair)}" for pair in contradictions(one.readings)]
    return [*lines, f"  {verdict_text(one)}"]


def _contradiction(one: Reading, other: Reading) -> str:
    """Two readings that can't both be right, or a grid's whose budgets may end before the law begins."""
    grid = "grid" in (one.route, other.route)
    rule = "the grid's budgets, it seems, end before the law begins" if grid else "THE ROUTES CONTRADICT EACH OTHER"
    return f"{rule}: {_apart(one, other)}"


def _row(reading: Reading) -> tuple[str, ...]:
    tolerance = "" if math.isnan(reading.tolerance) else f"{reading.tolerance:.2g}"
    return reading.what, reading.route, shown(reading.measured), shown(reading.predicted), tolerance, reading.verdict


def _once(rows: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """The rows with what is read named once."""
    return [("" if k and row[0] == rows[k - 1][0] else row[0], *row[1:]) for k, row in enumerate(rows)]


def regime_text(one: Checked) -> str:
    """Return what was tuned, held, on a path and capped, and what was held by default."""
    setting = one.question.setting
    parts = [f"tuned {', '.join(setting.tuned)}"]
    for name, x in setting.fixed:
        small, default = name in one.question.small, name in one.question.by_default
        parts.append(f"{name} -> 0, from {x:g}" if small else f"{name} = {x:g}" + (" by default" if default else ""))
    parts += [f"{name} = {setting.budget}^{p}" for name, p in setting.path]
    parts += [f"{name} <= {x:g}" for name, x in setting.caps]
    return "; ".join(parts)


def window_text(one: Checked) -> str:
    """Return over which budgets the grid's slope was fitted, and how many it left out."""
    if one.window is None:
        return "grid: no two budgets after burn-in without an edge"
    low, high, points, edges = one.window
    at = f", {edges} at an edge left out" if edges else ""
    return f"grid: slope over {one.question.setting.budget} = {low:.3g} to {high:.3g}, {points} points{at}"


def verdict_text(one: Checked) -> str:
    """Return the verdict, which routes say so, which can't tell, and what was found instead."""
    by_route = {route: [r for r in one.readings if r.route == route] for route in ROUTES}
    told = {route: part_verdict(own) for route, own in by_route.items() if own}
    found = [f"{what} is {_measured(r)}, not {shown(r.predicted)}" for what, r in instead(one.readings).items()]
    if one.verdict == FAILS:
        return f"FAILS: {'; '.join(found)}"
    open_ = [what for what, verdict in _parts(one).items() if verdict == UNIDENTIFIABLE]
    if one.verdict != HOLDS:
        return f"NOT IDENTIFIABLE: no route can tell {' and '.join(open_)}"
    sure = [route for route, verdict in told.items() if verdict == HOLDS]
    blind = [route for route, verdict in told.items() if verdict == UNIDENTIFIABLE]
    return f"HOLDS: {_listed(sure)}" + (f"; {_listed(blind)} can't tell" if blind else "")


def _parts(one: Checked) -> dict[str, str]:
    return {what: part_verdict(own) for what, own in parts(one.readings).items()}


def _listed(routes: Sequence[str]) -> str:
    return " and ".join([", ".join(routes[:-1]), routes[-1]] if len(routes) > 1 else routes)


def _measured(reading: Reading) -> str:
    about = "" if reading.route == "exact" or not reading.tolerance else f" within {reading.tolerance:.2g}"
    return f"{shown(reading.measured)}{about} ({reading.route})"


def _apart(one: Reading, other: Reading) -> str:
    return f"{one.what} is {_measured(one)} and {_measured(other)}"


# --- plain data ---
def as_dict(checked: Sequence[Checked]) -> dict[str, Any]:
    """Return the answers as plain data; fractions are text, what was not measured is None."""
    return {"claims": [_claim_dict(one) for one in checked], "summary": dict(Counter(c.verdict for c in checked))}


def _claim_dict(one: Checked) -> dict[str, Any]:
    return {
        "claim": one.claim,
        "read_as": one.question.text(),
        "bound": one.bound,
        "regime": _setting_dict(one.question.setting),
        "held_by_default": list(one.question.by_default),
        "verdict": one.verdict,
        "readings": [_reading_dict(reading) for reading in one.readings],
        "grid_window": None if one.window is None else one.window._asdict(),
        "exact_law": one.law,
        "no_exact_route": one.no_law or None,
        "contradictions": [_apart(*pair) for pair in contradictions(one.readings)],
    }


def _setting_dict(setting: Setting) -> dict[str, Any]:
    return {
        "budget": setting.budget,
        "tuned": list(setting.tuned),
        "fixed": dict(setting.fixed),
        "path": {name: str(power) for name, power in setting.path},
        "caps": dict(setting.caps),
    }


def _reading_dict(reading: Reading) -> dict[str, Any]:
    return {
        "part": reading.what,
        "route": reading.route,
        "measured": plain(reading.measured),
        "claimed": plain(reading.predicted),
        "tolerance": plain(reading.tolerance),
        "verdict": reading.verdict,
    }
