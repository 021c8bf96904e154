"""Stated claims as they are answered: a table for each with its verdict, and plain data for JSON."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

from hpgrid.answer import Answer, Part, Table
from hpgrid.claims.ledger import shown
from hpgrid.readings import FAILS, HOLDS, UNIDENTIFIABLE, VERDICTS, Reading
from hpgrid.record import plain
from hpgrid.statements.check import Checked, contradictions, instead, part_verdict, parts
from hpgrid.statements.routes import EXACT, GRID, ROUTES
from hpgrid.statements.stated import StatedLaw
from hpgrid.text import listed


def answer(checked: Sequence[Checked]) -> Answer:
    """Return each claim's verdict; beside it, or in details where there are several, what each route measured."""
    first = [f"{one.claim} {_verdict_text(one)}" for one in checked]
    if len(checked) == 1:
        return Answer(first, [_block(checked[0])])
    counts = Counter(one.verdict for one in checked)
    first.append(f"{len(checked)} claims: " + ", ".join(f"{counts[v]} {v}" for v in VERDICTS if counts[v]))
    loudly = [line for one in checked for line in _contradictions(one)]
    blocks: list[Part] = [[one.claim, *_block(one)] for one in checked]
    return Answer(first, [loudly], blocks, "each claim's conditions, what each route measured, and the exact law")


def _block(one: Checked) -> list[str | Table]:
    """Under which conditions, a table of readings, the fit, and the exact law."""
    lines: list[str | Table] = [f"  {one.bound}, {_regime_text(one.stated)}"]
    read, fit = one.stated.text(), one.fit
    lines += [f"  read as {read}"] if read.split() != one.claim.partition("@")[0].split() else []
    rows = [("", "route", "measured", "claimed", "within", "verdict")]
    before = ""
    for reading in (reading for own in parts(one.readings).values() for reading in own):
        within = "" if math.isnan(reading.tolerance) else f"{reading.tolerance:.2g}"
        numbers = (shown(reading.measured), shown(reading.predicted), within)
        rows.append(("" if reading.what == before else reading.what, reading.route, *numbers, reading.verdict))
        before = reading.what
    lines.append(Table(rows, drop=("within",), wrap=("verdict",), indent="  "))
    if fit is not None and fit.points < 2:
        lines.append("  grid: no two budgets after burn-in without an edge")
    elif fit is not None:
        (low, high), left_out = fit.window, f", {fit.edge_points} at an edge left out" if fit.edge_points else ""
        lines.append(f"  grid: slope over {one.stated.budget} = {low:.3g} to {high:.3g}, {fit.points} points{left_out}")
    lines += [f"  {r.route} can't tell {r.what}: {r.why_open}" for r in one.readings if r.why_open]
    lines += [f"  no exact route: {one.no_law}"] if one.no_law else []
    lines += [f"  exact law: {one.law}"] if one.law else []
    return [*lines, *_contradictions(one)]


def _contradictions(one: Checked) -> list[str]:
    """Which routes contradict each other, and what that is by."""
    lines = []
    for pair in contradictions(one.readings):
        on_grid = GRID in (reading.route for reading in pair)
        loudly = "THE ROUTES CONTRADICT EACH OTHER"
        rule = "the grid's budgets, it seems, end before the law begins" if on_grid else loudly
        lines.append(f"  {rule}: {_apart(*pair)}")
    return lines


def _regime_text(stated: StatedLaw) -> str:
    """What was tuned, held, on a path and capped, and what was held by default."""
    regime = stated.regime
    roles = [f"tuned {', '.join(regime.tuned)}"]
    for name, x in regime.fixed.items():
        small, default = name in stated.statement.small, name in stated.by_default
        roles.append(f"{name} -> 0, from {x:g}" if small else f"{name} = {x:g}" + (" by default" if default else ""))
    roles += [f"{name} = {p.text(stated.budget)}" for name, p in regime.path.items()]
    roles += [f"{name} <= {x:g}" for name, x in regime.caps.items()]
    return "; ".join(roles)


def _verdict_text(one: Checked) -> str:
    """The verdict, which routes say so, which can't tell, and what was found instead."""
    if one.verdict == FAILS:
        wrong = instead(one.readings).items()
        return "FAILS: " + "; ".join(
            f"no {what} ({r.route})" if r.measured is False else f"{what} is {_measured(r)}, not {shown(r.predicted)}"
            for what, r in wrong
        )
    if one.verdict != HOLDS:
        open_ = [what for what, own in parts(one.readings).items() if part_verdict(own) == UNIDENTIFIABLE]
        return f"NOT IDENTIFIABLE: no route can tell {' and '.join(open_)}"
    by_route = {route: [r for r in one.readings if r.route == route] for route in ROUTES}
    verdicts = {route: part_verdict(own) for route, own in by_route.items() if own}
    holding, open_ = ([route for route, each in verdicts.items() if each == v] for v in (HOLDS, UNIDENTIFIABLE))
    return f"HOLDS: {listed(holding)}" + (f"; {listed(open_)} can't tell" if open_ else "")


def _measured(reading: Reading) -> str:
    about = "" if reading.route == EXACT or not reading.tolerance else f" within {reading.tolerance:.2g}"
    return f"{shown(reading.measured)}{about} ({reading.route})"


def _apart(one: Reading, other: Reading) -> str:
    return f"{one.what} is {_measured(one)} and {_measured(other)}"


def as_dict(checked: Sequence[Checked]) -> dict[str, Any]:
    """Return the answers as plain data; fractions are text, what was not measured is None."""
    claims = []
    for one in checked:
        regime, fit, window = one.stated.regime, one.fit, None
        if fit is not None and fit.points >= 2:
            ends = dict(zip(("low", "high"), fit.window))
            window = {**ends, "points": fit.points, "edge_points": fit.edge_points}
        roles = {"tuned": regime.tuned, "fixed": regime.fixed, "path": regime.path, "caps": regime.caps}
        claim = {
            "claim": one.claim,
            "read_as": one.stated.text(),
            "bound": one.bound,
            "regime": {"budget": one.stated.budget, **roles},
            "held_by_default": one.stated.by_default,
            "verdict": one.verdict,
            "readings": [
                {"part": r.what, "route": r.route, "measured": r.measured, "claimed": r.predicted}
                | {"tolerance": r.tolerance, "verdict": r.verdict, "why": r.why_open}
                for r in one.readings
            ],
            "grid_window": window,
            "exact_law": one.law,
            "no_exact_route": one.no_law or None,
            "contradictions": [_apart(*pair) for pair in contradictions(one.readings)],
        }
        claims.append(plain(claim))
    return {"claims": claims, "summary": dict(Counter(one.verdict for one in checked))}
