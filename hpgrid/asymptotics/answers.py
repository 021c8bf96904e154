"""From solved levels to a law: exponents, constants, active bounds and cures by the names of the variables."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

from hpgrid.asymptotics.convex import ACCURACY
from hpgrid.asymptotics.law import Identified, Law, Level, PowerLaw, Unbounded
from hpgrid.asymptotics.levels import Descent, Step, descend, ranges
from hpgrid.asymptotics.linear import Vector, dot, echelon, null_space, primitive, unit
from hpgrid.asymptotics.monomial import ONE, Monomial
from hpgrid.asymptotics.posynomial import Limit, Problem
from hpgrid.asymptotics.programs import fixed_value
from hpgrid.variables import Power


def solve(problem: Problem, name: str, path: Mapping[str, Power]) -> Law:
    """Return the asymptotics of a problem.

    Args:
        problem: the bound under a regime.
        name: what the bound is called.
        path: the paths that the problem was posed along.
    """
    descent = descend(problem)
    problem, tuned, holding = descent.problem, problem.tuned, _holding(descent)
    first = descent.steps[0] if descent.steps else None
    exponents = {"risk": first.exponent if first else None}
    values = {"risk": first.optimum.value if first and first.optimum else None}
    for k, variable in enumerate(tuned):
        # An exponent that every level's optimal points share.
        exponents[variable] = None if any(direction[k] for direction in descent.hull) else descent.point[k]
        values[variable] = fixed_value(descent.decided, unit(k, descent.width))
    laws = {v: None if p is None else _law(problem, {v: Fraction(1)}, values[v], p) for v, p in exponents.items()}
    (active, starts), unbounded = _bounds(problem, laws), _signs(problem, descent.ray)
    active, strict = active | _domain(problem, holding), {limit.text for limit in problem.limits if limit.open}
    return Law(
        name=name,
        budget=problem.budget,
        tuned=tuned,
        path=path,
        exponent=exponents,
        laws=laws,
        levels=tuple(_level(problem, step) for step in descent.steps),
        flat={v: e for v, e in ranges(descent).items() if v in tuned and tuned.index(v) not in unbounded},
        identifiable=_identified(descent),
        unbounded={tuned[k]: Unbounded(s, _cure(descent, k, s)) for k, s in unbounded.items()},
        active=active,
        approached={v: text for v, text in active.items() if text in strict},
        starts=starts,
        branches=_branches(problem, holding),
    )


def _level(problem: Problem, step: Step) -> Level:
    """A level by the texts of its terms: several that come from one part of the bound are one."""
    texts = [problem.pieces[k].text for k in step.tight]
    shares = [_number(share, problem.values) for share in step.optimum.shares] if step.optimum else []
    own = {text: [k for k, other in enumerate(texts) if other == text] for text in texts}
    hull = [direction[: len(problem.tuned)] for direction in step.hull]
    return Level(
        step.exponent,
        tuple(own),
        tuple(sum((step.weights[k] for k in places), Fraction(0)) for places in own.values()),
        tuple(_total([shares[k] for k in places]) for places in own.values()) if shares else (),
        tuple(dict(zip(problem.tuned, direction)) for direction in hull if any(direction)),
    )


def _total(shares: list[Fraction | float | None]) -> Fraction | float | None:
    known = [share for share in shares if share is not None]
    return sum(known[1:], start=known[0]) if len(known) == len(shares) else None


def _holding(descent: Descent) -> list[list[Limit]]:
    """The sums that are 1 at the optimum, of those that the levels fix."""
    problem, holding = descent.problem, []
    sums = {limit.sum: [each for each in problem.limits if each.sum == limit.sum] for limit in problem.limits}
    for number, limits in sums.items():
        if not number or any(dot(limit.row, d) for limit in limits for d in descent.hull):
            continue
        # What falls as the budget grows adds nothing.
        met = [limit for limit in limits if dot(limit.row, descent.point) == limit.exponent]
        values = [fixed_value(descent.decided, limit.row) for limit in met]
        sizes = [None if v is None else (v / limit.level).value(problem.values) for v, limit in zip(values, met)]
        known = [size for size in sizes if size is not None]
        if met and (len(known) < len(met) or abs(math.fsum(known) - 1.0) <= ACCURACY):
            holding.append(limits)
    return holding


def _branches(problem: Problem, holding: list[list[Limit]]) -> dict[str, tuple[str, ...]]:
    """Of each maximum, the branches that it is at the optimum."""
    found: dict[str, tuple[str, ...]] = {}
    for limit, *_ in holding:
        of = [v for v, power in zip(problem.variables, limit.row) if power < 0 and v not in problem.tuned]
        for name in of[-1:]:  # none of a condition of the domain; a sum, and no maximum, by its own text
            found |= {name: (*found.get(name, ()), limit.text)} if limit.text != name else {}
    return found


def _domain(problem: Problem, holding: list[list[Limit]]) -> dict[str, str]:
    """The conditions of the domain that hold the optimum, by the tuned variables in them."""
    of_tuned = [limits for limits in holding if not any(any(limit.row[len(problem.tuned) :]) for limit in limits)]
    return {
        v: limits[0].text for limits in of_tuned for k, v in enumerate(problem.tuned) if any(x.row[k] for x in limits)
    }


def _number(exact: Monomial, values: Mapping[str, float]) -> Fraction | float | None:
    fraction = exact.rational()
    return exact.value(values) if fraction is None else fraction


def _law(
    problem: Problem, left: Mapping[str, Fraction], coefficient: Monomial | None, exponent: Fraction
) -> PowerLaw | None:
    return None if coefficient is None else PowerLaw(left, coefficient, problem.budget, exponent, problem.values)


def _identified(descent: Descent) -> tuple[Identified, ...]:
    """What is orthogonal to the directions that the first level leaves, with b below the line."""
    if not descent.steps:
        return ()
    first, problem = descent.steps[0], descent.problem
    width = len(problem.tuned)
    # Pivots are taken from the front: b last, so that it is eta/b, and not b/eta.
    order = sorted(range(width), key=lambda k: problem.variables[k] == problem.batch)
    fixed = null_space([tuple(direction[k] for k in order) for direction in first.hull], width)
    monomials = []
    for pivot in echelon(fixed):
        steps = dict(zip(order, primitive(pivot.row)))
        row = (*(steps[k] for k in range(width)), *([Fraction(0)] * problem.new))
        powers = {v: p for v, p in zip(problem.tuned, row) if p}
        value = None if first.optimum is None else fixed_value(first.optimum.held, row)
        exponent = dot(row, descent.point)
        monomials.append(Identified(powers, exponent, _law(problem, powers, value, exponent)))
    return tuple(monomials)


def _signs(problem: Problem, ray: Vector) -> dict[int, int]:
    """Which of the tuned variables run off along a ray, and where to."""
    return {k: 1 if step > 0 else -1 for k, step in enumerate(ray[: len(problem.tuned)]) if step}


def _cure(descent: Descent, variable: int, sign: int) -> str:
    """A bound on a variable, and on what runs away then, until nothing does: solved, not guessed."""
    problem, stopped = descent.problem, {variable: sign}
    names = problem.variables
    while True:
        # Beyond where every level so far is met, so that it is at odds with no floor, cap or domain.
        ends = {k: s * descent.point[k] + 1 for k, s in stopped.items()}
        limits = [Limit(unit(k, len(names), s), ONE, "", ends[k]) for k, s in stopped.items()]
        runs = _signs(problem, descend(replace(problem, limits=(*problem.limits, *limits))).ray)
        if not runs:
            break
        stopped |= runs
    return " and ".join(
        f"a cap on {names[k]}" if side > 0 else f"a floor under {names[k]}" for k, side in sorted(stopped.items())
    )


def _bounds(problem: Problem, laws: Mapping[str, PowerLaw | None]) -> tuple[dict[str, str], dict[str, PowerLaw]]:
    """The bounds that the laws lie on; and where a variable lies on none, the budget at which it leaves its last."""
    active: dict[str, str] = {}
    starts: dict[str, PowerLaw] = {}
    for limit in (limit for limit in problem.limits if not limit.sum):
        names = [v for v, exponent in zip(problem.variables, limit.row) if exponent]
        own = [law for v in names if (law := laws[v]) is not None]
        if len(own) < len(names):
            continue
        powers = [exponent for exponent in limit.row if exponent]
        rate = sum(power * law.exponent for power, law in zip(powers, own)) - limit.exponent
        ratio = limit.level / math.prod((law.coefficient**power for power, law in zip(powers, own)), start=ONE)
        if rate == 0:
            exact, log = ratio.rational(), ratio.log(problem.values)
            if exact == 1 if exact is not None else log is not None and abs(log) <= ACCURACY:
                active |= {v: limit.text for v in names if v not in active}
        elif rate < 0 and len(names) == 1:
            (name,), level = names, ratio ** (1 / rate)
            start = PowerLaw({problem.budget: Fraction(1)}, level, problem.budget, Fraction(0), problem.values)
            # Of several bounds that it leaves, the last one: before that the law does not hold.
            if name not in starts or (start.constant or 0.0) > (starts[name].constant or 0.0):
                starts[name] = start
    return active, {name: start for name, start in starts.items() if name not in active}
