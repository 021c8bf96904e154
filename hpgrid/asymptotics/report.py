"""Laws as text, LaTeX and plain data."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from hpgrid.asymptotics import notation
from hpgrid.asymptotics.monomial import Monomial, power

if TYPE_CHECKING:
    from hpgrid.asymptotics.law import Identified, Law, Level, Line, PowerLaw, Range, Segment


# --- one law ---


def law_text(law: PowerLaw) -> str:
    """Return a law as text."""
    return f"{notation.monomial_text(law.left, _star(law, '*'))} = {_right_text(law)}"


def law_latex(law: PowerLaw) -> str:
    """Return a law as LaTeX."""
    left = notation.monomial_latex(law.left, _star(law, r"^{\star}"))
    if law.numeric:
        budget = notation.latex(power(law.budget, law.exponent))
        return f"{left} = {law.constant:.6g}" + (f" {budget}" if law.exponent else "")
    return f"{left} = {notation.latex(_right(law))}"


def _star(law: PowerLaw, star: str) -> str:
    return "" if law.budget in law.left else star


def _right(law: PowerLaw) -> Monomial:
    return law.coefficient * power(law.budget, law.exponent)


def _right_text(law: PowerLaw) -> str:
    if law.numeric:
        return f"{law.constant:.6g}" + (f" {_grows(law.budget, law.exponent)}" if law.exponent else "")
    return notation.text(_right(law))


# --- the whole report ---


def text(law: Law) -> str:
    """Return the whole report as text."""
    return "\n".join([_heading(law), *_laws(law), *_levels(law), *_remarks(law), *_segments(law)])


def _heading(law: Law) -> str:
    paths = [f"{name} = {_grows(law.budget, exponent)}" for name, exponent in law.path.items()]
    return "; ".join([f"{law.name}, {law.budget} to infinity", f"tuned {', '.join(law.tuned)}", *paths])


def _grows(budget: str, exponent: Fraction | None) -> str:
    if exponent == 0:
        return "1"
    return budget if exponent == 1 else f"{budget}^{exponent}"


def _laws(law: Law) -> Iterator[str]:
    names = ("risk", *law.tuned)
    width = max(len(name) for name in names) + 1
    for name in names:
        whole, exponent = law.laws[name], law.exponent[name]
        if whole is not None:
            said = _right_text(whole) + ("  (computed: no closed form)" if whole.numeric else _in_numbers(whole))
        elif exponent is not None:
            said = f"~ {_grows(law.budget, exponent)}, its constant undecided"
        else:
            said = _without(law, name)
        yield f"{name + '*':<{width}} {'' if said.startswith('~') else '= '}{said}"


def _in_numbers(law: PowerLaw) -> str:
    """The law at the values given, where every symbol has one and the constant is not plain already."""
    if law.constant is None or not law.powers:
        return ""
    return f"  = {law.constant:.6g}" + (f" {_grows(law.budget, law.exponent)}" if law.exponent else "")


def _without(law: Law, name: str) -> str:
    """Why a variable has no exponent."""
    if name in law.unbounded:
        end, cure = "infinity" if law.unbounded[name].direction > 0 else "0", law.unbounded[name].cure
        return f"none: it runs to {end}" + (f"; {cure} would stop it" if cure else "")
    if name in law.flat:
        return f"undetermined, ~ {law.budget}^p with p {_range(law.flat[name])}"
    return "none"


def _range(ends: Range) -> str:
    lo, hi = ends
    if lo is None and hi is None:
        return "any"
    if lo is None or hi is None:
        return f">= {lo}" if hi is None else f"<= {hi}"
    return f"from {lo} to {hi}"


def _levels(law: Law) -> Iterator[str]:
    for k, level in enumerate(law.levels):
        terms = ", ".join(f"{term} ({weight})" for term, weight in zip(level.terms, level.weights))
        free = f"; flat along {' and '.join(map(_direction, level.null))}" if level.null else ""
        order = _grows(law.budget, level.exponent) if level.exponent else "a constant"
        yield f"{'levels: ' if k == 0 else ' ' * 8}{k + 1}: {order} from {terms}{free}"


def _direction(direction: Mapping[str, Fraction]) -> str:
    moving = {name: step for name, step in direction.items() if step}
    if len(moving) == 1:
        return next(iter(moving))
    return f"({', '.join(moving)}) = ({', '.join(map(str, moving.values()))})"


def _remarks(law: Law) -> Iterator[str]:
    if law.levels and law.levels[0].null and law.identifiable:
        fixed = (f"{each} ~ {_grows(law.budget, each.exponent)}" for each in law.identifiable)
        yield f"fixed by level 1: {', '.join(fixed)}"
    if law.active:
        yield f"on a bound: {', '.join(law.active.values())}"
    for name, start in law.starts.items():
        yield f"{name} leaves its bound at {law_text(start)}"


def _segments(law: Law) -> Iterator[str]:
    if len(law.path) != 1:
        return
    (name,) = law.path
    for before, after in zip(law.segments, law.segments[1:]):
        for variable in after.active.keys() - before.active.keys():
            yield f"{variable} reaches its bound ({after.active[variable]}) at {name} = {_grows(law.budget, after.lo)}"
    for segment in law.segments:
        exponents = (f"{v} ~ {_along(law.budget, line)}" for v, line in segment.exponent.items() if line is not None)
        yield f"{name} = {law.budget}^phi, phi from {segment.lo} to {segment.hi}: {', '.join(exponents)}"


def _along(budget: str, line: Line) -> str:
    return f"{budget}^({line})" if line.slope else _grows(budget, line.intercept)


def latex(law: Law) -> str:
    """Return the laws as LaTeX, one per line of an align environment."""
    lines = [law_latex(each).replace(" = ", " &= ", 1) for each in law.laws.values() if each is not None]
    return "\\begin{align}\n" + " \\\\\n".join(lines) + "\n\\end{align}"


# --- plain data ---


def as_dict(law: Law) -> dict[str, Any]:
    """Return the whole report as plain data for JSON; fractions are strings."""
    return {
        "bound": law.name,
        "budget": law.budget,
        "tuned": list(law.tuned),
        "path": _strings(law.path),
        "exponent": _strings(law.exponent),
        "laws": {name: None if each is None else _law_dict(each) for name, each in law.laws.items()},
        "levels": [_level_dict(level) for level in law.levels],
        "flat": {name: [None if end is None else str(end) for end in ends] for name, ends in law.flat.items()},
        "identifiable": [_identified_dict(each) for each in law.identifiable],
        "unbounded": {name: each._asdict() for name, each in law.unbounded.items()},
        "active": dict(law.active),
        "starts": {name: _law_dict(each) for name, each in law.starts.items()},
        "segments": [_segment_dict(segment) for segment in law.segments],
    }


def _strings(exponents: Mapping[str, Fraction | None]) -> dict[str, str | None]:
    return {name: None if exponent is None else str(exponent) for name, exponent in exponents.items()}


def _law_dict(law: PowerLaw) -> dict[str, Any]:
    return {
        "text": law_text(law),
        "latex": law_latex(law),
        "exponent": str(law.exponent),
        "powers": _strings(law.powers),
        "constant": law.constant if law.constant is not None and math.isfinite(law.constant) else None,
        "numeric": law.numeric,
    }


def _level_dict(level: Level) -> dict[str, Any]:
    return {
        "exponent": str(level.exponent),
        "terms": list(level.terms),
        "weights": [str(weight) for weight in level.weights],
        "null": [_strings(direction) for direction in level.null],
    }


def _identified_dict(each: Identified) -> dict[str, Any]:
    law = None if each.law is None else _law_dict(each.law)
    return {"monomial": str(each), "powers": _strings(each.powers), "exponent": str(each.exponent), "law": law}


def _segment_dict(segment: Segment) -> dict[str, Any]:
    lines = {name: None if line is None else _strings(line._asdict()) for name, line in segment.exponent.items()}
    return {"lo": str(segment.lo), "hi": str(segment.hi), "exponent": lines, "active": dict(segment.active)}
