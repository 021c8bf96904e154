"""What bounds answer: exact laws where there are some, else the continuous optimum far out; kept in ``laws.json``.

``python -m hpgrid.comparison.laws`` makes the file again, in some minutes, or that part of it that belongs to the
bounds that are named. What reads it loads neither NumPy nor jax.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from hpgrid.bounds import BOUNDS
from hpgrid.checks import InputError
from hpgrid.comparison.questions import FLAT, NO_BEST, QUESTIONS, UNKNOWN, Cell, Question
from hpgrid.comparison.studies import STUDIES

FILE = Path(__file__).with_name("laws.json")

#: Paths b = T^p along which a bound without exact laws is measured, beside those of the studies.
_PATHS = (Fraction(1, 4), Fraction(1, 2), Fraction(3, 4))

#: The last digit that is kept, which no tolerance is below.
_DIGIT = 1e-6

#: What is surer than this is an exponent: the fractions of one law are 1/12 and more apart.
_SURE = 1 / 24


class Piece(NamedTuple):
    """eta*'s exponent along paths b = T^p: slope p + intercept, off by at most ``error``, for p from lo to hi."""

    lo: Fraction
    hi: Fraction
    slope: Fraction
    intercept: Fraction | float
    error: float = 0.0

    @property
    def measured(self) -> bool:
        """Whether it is one path that was measured."""
        return self.lo == self.hi

    def at(self, p: Fraction) -> Fraction | float:
        """Return the exponent along one path."""
        return self.slope * p + self.intercept


class Answers(NamedTuple):
    """What a bound says."""

    cells: dict[str, Cell]  # by question
    # by how momentum is treated, "fixed" or "tuned", the exponent of eta* along paths
    paths: dict[str, tuple[Piece, ...]]
    begins: dict[str, str]  # by question, where its law begins


@cache
def answers() -> dict[str, Answers]:
    """Return what every bound answers, from the file."""

    def number(value: str | float | None) -> Any:
        return Fraction(value) if isinstance(value, str) else value

    def cell(value: Any, known: str, low: Any, high: Any, note: str) -> Cell:
        return Cell(number(value), known, number(low), number(high), note)

    return {
        name: Answers(
            {question: cell(*one) for question, one in own["cells"].items()},
            {which: tuple(Piece(*map(number, piece)) for piece in pieces) for which, pieces in own["paths"].items()},
            own["begins"],
        )
        for name, own in json.loads(FILE.read_text(encoding="utf-8")).items()
    }


def bound(name: str) -> Any:
    """Return a published bound as it is asked."""
    own = BOUNDS[name]
    return asked(own.function(name)(budget=own.budget))


def asked(proxy: Any) -> Any:
    """Return a bound as it is asked: in tokens where it depends on b, else in its own budget, as b is held."""
    tokens = "b" in proxy.depends_on() and "T" in proxy.space.joined(proxy.budget)
    return proxy.form("T") if tokens else proxy


def tuned_of(proxy: Any, names: Iterable[str]) -> tuple[str, ...]:
    """Return which of a bound's variables are tuned: its own, and all of its momenta where alpha is."""
    own = [v for v in proxy.depends_on() if v in proxy.space.hyperparameters]
    return tuple(v for v in own if v in names or (v.startswith("alpha") and "alpha" in names))


def answered(proxy: Any, question: Question) -> tuple[Cell, str]:
    """Return what a bound, as it is asked, answers, and where its law begins, "" where that isn't known."""
    from hpgrid.asymptotics import segments
    from hpgrid.proxy import FunctionProxy
    from hpgrid.statements import routes
    from hpgrid.statements.language import parse
    from hpgrid.statements.stated import pose

    if question.at == "K" and "b" in proxy.depends_on():
        proxy = proxy.form("K")
    own, constants = tuned_of(proxy, question.tuned), {*proxy.depends_on(), *proxy.constants}
    along = proxy.budget if question.along == "T" else question.along
    needed = [*question.of.split("/"), *question.caps, *question.floors, *["b"] * ("b" in question.tuned)]
    needed = ["risk"] if question.of == "risk" else [*needed, *[along] * (along != proxy.budget)]
    for each in needed:
        if each not in (*constants, "risk"):
            return Cell(note=f"no {'beta' if each == 'alpha' else each}"), ""
    proxy = proxy.with_floors(**question.floors) if question.floors else proxy
    named = f"{along}^0 " if along != proxy.budget else ""
    claim = parse(f"{question.of} ~ {named}{proxy.budget}^0 @ tuned {', '.join(own)}", proxy.space)
    stated = pose(claim, proxy, caps=question.caps)
    subject = routes.Subject(proxy, None)  # type: ignore[arg-type]
    law = routes.exact_law(subject, stated.regime)
    if not isinstance(law, str):
        exponent, whole = routes.product_law(law, stated.left)
        if exponent is None and any(v in law.unbounded for v in stated.left):
            return Cell(note=NO_BEST), ""
        if exponent is None:
            return Cell(note=FLAT), ""
        starts = {v: each.right() for v, each in law.starts.items() if not each.numeric}
        begins = "; ".join(f"{v}: {start}" for v, start in starts.items())
        if not named:
            return _exact(exponent, " and ".join(law.active.get(v, "") for v in stated.left if v in law.active)), begins
        if whole is not None and not whole.numeric:
            return _exact(whole.powers.get(along, Fraction(0))), begins
        if along == "b":  # no power of b by itself: what it tends to as b grows, less than any power of the budget
            line = segments(proxy, own, "b")[0].exponent[question.of]
            return Cell(note=FLAT) if line is None else _exact(line.slope, "large b"), begins
    readings = {each.what: each for each in routes.refined_readings(subject, stated, logs=isinstance(law, str))}
    for what, reading in readings.items():
        if what.startswith(routes.BEST):
            return Cell(note=NO_BEST if reading.identifiable else FLAT), ""
    reading = readings[f"power of {along}"]
    if not reading.tolerance < _SURE:
        return Cell(note=UNKNOWN), ""
    value, error, note = float(reading.measured), max(float(reading.tolerance), _DIGIT), ""
    if not named and isinstance(proxy, FunctionProxy):
        climb = routes.climb(subject, stated.regime)
        note = _log(climb, stated.left) or _end(climb.ends, stated.left, proxy.space)
    return Cell(round(value, 6) + 0.0, "measured", round(value - error, 6), round(value + error, 6), note), ""


def _exact(exponent: Fraction, note: str = "") -> Cell:
    return Cell(exponent, "exact", exponent, exponent, f"at {note}" if note else "")


def _log(climb: Any, left: Any) -> str:
    """What to know of a measured law: the power of the logarithm beside it, where that is sure and not 0."""
    from hpgrid.far_out import power_and_log
    from hpgrid.slopes import REFINED

    read = power_and_log(sum(float(p) * climb.exponent[v] for v, p in left.items()), REFINED)
    return f"log^{read.log:.2f}" if read.has_log else ""


def _end(ends: Any, left: Any, space: Any) -> str:
    """At which end of its range what is asked about lies, where it does."""
    held = {v: x for v, x in ends.items() if [*left] == [v]}
    return "".join(f"at {v} {'>=' if x == space.all[v].low else '<='} {x:g}" for v, x in held.items())


def paths(proxy: Any, tuned: tuple[str, ...]) -> tuple[Piece, ...]:
    """Return eta*'s exponent in a bound along the paths b = T^p: exact pieces, or the points that were measured."""
    from hpgrid.asymptotics import segments
    from hpgrid.far_out import limit
    from hpgrid.proxy import FunctionProxy
    from hpgrid.regime import Regime
    from hpgrid.slopes import REFINED
    from hpgrid.statements import routes
    from hpgrid.statements.stated import held_at

    own = tuned_of(proxy, tuned)
    if not {"eta", "b"} <= {*proxy.depends_on()}:
        return ()
    if not isinstance(proxy, FunctionProxy):
        lines = [(each.lo, each.hi, each.exponent["eta"]) for each in segments(proxy, own, "b")]
        return tuple(Piece(lo, hi, line.slope, line.intercept) for lo, hi, line in lines if line is not None)
    found, held = [], {v: held_at(proxy.space, v) for v in proxy.depends_on() if v in proxy.space.hyperparameters}
    for p in sorted({*_PATHS, *(p for study in STUDIES.values() for p, _ in study.paths)}):
        fixed = {v: x for v, x in held.items() if v not in (*own, "b")}
        climb = routes.climb(routes.Subject(proxy, None), Regime(own, fixed, {"b": p}, space=proxy.space))  # type: ignore[arg-type]
        value, error = limit(climb.exponent["eta"], REFINED, 2)
        if error < _SURE:
            found.append(Piece(p, p, Fraction(0), round(value, 6) + 0.0, max(round(error, 6), _DIGIT)))
    return tuple(found)


def made(proxy: Any) -> Answers:
    """Return what a bound, as it is asked, answers, computed."""
    cells, begins = dict[str, Cell](), dict[str, str]()
    for key, question in QUESTIONS.items():
        try:
            cells[key], start = answered(proxy, question)
        except InputError as error:
            print(f"{proxy.name}: {key}: {error}", file=sys.stderr)
            cells[key], start = Cell(note=UNKNOWN), ""
        begins |= {key: start} if start else {}
    return Answers(cells, {"fixed": paths(proxy, ("eta",)), "tuned": paths(proxy, ("eta", "alpha"))}, begins)


def main(names: Iterable[str]) -> None:
    """Make the file again, all of it or some bounds' part."""
    from hpgrid.record import plain, write_whole

    chosen = list(names)
    kept = json.loads(FILE.read_text(encoding="utf-8")) if chosen else {}
    for name in chosen or BOUNDS:
        own = made(bound(name))
        kept[name] = plain({
            "cells": {key: list(cell) for key, cell in own.cells.items()},
            "paths": {which: [list(piece) for piece in pieces] for which, pieces in own.paths.items()},
            "begins": own.begins,
        })  # fmt: skip
        print(name, flush=True)
    lines = json.dumps({name: kept[name] for name in BOUNDS if name in kept}, indent=1)
    write_whole(FILE, lambda file: file.write(f"{lines}\n".encode()))


if __name__ == "__main__":
    from hpgrid.cli.options import use_compilation_cache

    use_compilation_cache()
    main(sys.argv[1:])
