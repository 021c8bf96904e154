"""From solved levels to a law: exponents, constants, active bounds and cures by the names of the variables."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

from hpgrid.asymptotics.law import Identified, Law, Level, PowerLaw, Unbounded
from hpgrid.asymptotics.levels import Descent, descend, ranges
from hpgrid.asymptotics.linear import Vector, dot, echelon, null_space, primitive, unit
from hpgrid.asymptotics.monomial import ONE, Monomial, power
from hpgrid.asymptotics.posynomial import Limit, Problem
from hpgrid.asymptotics.programs import ACCURACY, fixed_value
from hpgrid.variables import Power


def solve(problem: Problem, name: str, path: Mapping[str, Power]) -> Law:
    """Return the asymptotics of a problem.

    Args:
        problem: the bound under a regime.
        name: what the bound is called.
        path: the paths that the problem was posed along.
    """
    descent = descend(problem)
    first = descent.steps[0] if descent.steps else None
    exponents = {"risk": first.exponent if first else None}
    values = {"risk": first.optimum.value if first and first.optimum else None}
    for k, variable in enumerate(problem.variables):
        # An exponent that every level's optimal points share.
        exponents[variable] = None if any(direction[k] for direction in descent.hull) else descent.point[k]
        values[variable] = fixed_value(descent.decided, unit(k, descent.width))
    laws = {v: None if p is None else _law(problem, {v: Fraction(1)}, values[v], p) for v, p in exponents.items()}
    (active, starts), unbounded = _bounds(problem, laws), _signs(descent.ray)
    return Law(
        name=name,
        budget=problem.budget,
        tuned=problem.variables,
        path=path,
        exponent=exponents,
        laws=laws,
        levels=tuple(
            Level(
                step.exponent,
                tuple(problem.pieces[k].text for k in step.tight),
                step.weights,
                tuple(_number(share, problem.values) for share in step.optimum.shares) if step.optimum else (),
                tuple(dict(zip(problem.variables, direction)) for direction in step.hull),
            )
            for step in descent.steps
        ),
        flat={v: ends for v, ends in ranges(descent).items() if problem.variables.index(v) not in unbounded},
        identifiable=_identified(descent),
        unbounded={problem.variables[k]: Unbounded(s, _cure(problem, k, s)) for k, s in unbounded.items()},
        active=active,
        starts=starts,
    )


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
    first, width, problem = descent.steps[0], descent.width, descent.problem
    # Pivots are taken from the front: b last, so that it is eta/b, and not b/eta.
    order = sorted(range(width), key=lambda k: problem.variables[k] == problem.batch)
    fixed = null_space([tuple(direction[k] for k in order) for direction in first.hull], width)
    monomials = []
    for pivot in echelon(fixed):
        steps = dict(zip(order, primitive(pivot.row)))
        row = tuple(steps[k] for k in range(width))
        powers = {v: p for v, p in zip(problem.variables, row) if p}
        value = None if first.optimum is None else fixed_value(first.optimum.held, row)
        exponent = dot(row, descent.point)
        monomials.append(Identified(powers, exponent, _law(problem, powers, value, exponent)))
    return tuple(monomials)


def _signs(ray: Vector) -> dict[int, int]:
    return {k: 1 if step > 0 else -1 for k, step in enumerate(ray) if step}


def _cure(problem: Problem, variable: int, sign: int) -> str:
    """A constant bound on a variable, and on what runs away then, until nothing does: solved, not guessed."""
    names, stopped = problem.variables, {variable: sign}
    while True:
        # A floor's row is negative, and so is the power of its level.
        limits = [Limit(unit(k, len(names), s), power(f"{names[k]}_limit", s), "") for k, s in stopped.items()]
        runs = _signs(descend(replace(problem, limits=(*problem.limits, *limits))).ray)
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
    for limit in problem.limits:
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
