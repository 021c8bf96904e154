"""Level by level: what the risk depends on first, what only then, and what never."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction

from hpgrid.asymptotics.linear import Vector, dot, minimise, move, null_space, span, unit, vector
from hpgrid.asymptotics.monomial import ONE, Monomial
from hpgrid.asymptotics.posynomial import Limit, Piece, Problem
from hpgrid.asymptotics.programs import Equality, Optimum, Program, Undecided, solve
from hpgrid.checks import bad


@dataclass(frozen=True)
class Step:
    """One level.

    Attributes:
        exponent: the exponent of what the level minimises.
        tight: the terms that have it at every optimal point.
        weights: the dual weights of those terms.
        varying: the terms that the level weighed.
        met: the bounds that every optimal point meets.
        hull: a basis of the directions that stay free.
        optimum: the level's value and what it fixes, or None where symbols without a value decide.
    """

    exponent: Fraction
    tight: tuple[int, ...]
    weights: Vector
    varying: tuple[int, ...]
    met: tuple[Limit, ...]
    hull: tuple[Vector, ...]
    optimum: Optimum | None


@dataclass(frozen=True)
class Descent:
    """All levels of a problem.

    Attributes:
        problem: what was solved.
        steps: the levels.
        point: exponents of the tuned variables, inside the set of optimal ones.
        ray: the direction along which the terms that are left fall for ever, or empty.
        rows: what the levels fix, as rows over the tuned variables.
    """

    problem: Problem
    point: Vector
    steps: tuple[Step, ...] = ()
    ray: Vector = ()
    rows: tuple[Vector, ...] = ()

    @property
    def width(self) -> int:
        """The number of tuned variables."""
        return len(self.problem.variables)

    @property
    def hull(self) -> tuple[Vector, ...]:
        """A basis of the directions that no level fixes."""
        return self.steps[-1].hull if self.steps else null_space((), self.width)

    @property
    def held(self) -> tuple[Equality, ...] | None:
        """What the levels fix, constants included, or None where they are not all known."""
        return self.decided if all(step.optimum for step in self.steps) else None

    @property
    def decided(self) -> tuple[Equality, ...]:
        """What the levels fix, up to the first whose constants hang on unknown values."""
        return next((step.optimum.held for step in reversed(self.steps) if step.optimum), ())


def descend(problem: Problem) -> Descent:
    """Return the levels of a problem, until every exponent is fixed or no term is left to decide.

    Each level minimises the largest exponent, over the terms that what is fixed leaves undecided,
    and fixes what every optimal point has in common.
    """
    descent = Descent(problem, problem.start)
    varying = tuple(range(len(problem.pieces)))
    while varying:
        # Only what the levels above leave free may move: a term far below never costs one above it anything.
        free, pieces = null_space(descent.rows, descent.width), [problem.pieces[k] for k in varying]
        heights = [piece.exponent(descent.point) for piece in pieces]
        walls, slacks = _walls(descent, free)
        # The minimum of r with every varying exponent <= r; in free coordinates, and r counted from the top.
        rows = [(*(dot(piece.row, d) for d in free), Fraction(-1)) for piece in pieces]
        rows += [(*wall, Fraction(0)) for wall in walls]
        limits = [max(heights) - height for height in heights] + slacks
        solution = minimise(unit(len(free), len(free) + 1), rows, limits)
        if solution.ray:
            return replace(descent, ray=_simple_ray(descent, varying, span(free, solution.ray[:-1], descent.width)))
        slacks = [limit - dot(row, solution.point) for row, limit in zip(rows, limits)]
        centre, tight = _common([row[:-1] for row in rows], slacks, solution.dual)
        inside = move(descent.point, span(free, move(solution.point[:-1], centre), descent.width))
        descent = _fixed(descent, inside, max(heights) + solution.value, varying, solution.dual, tight)
        # A next level weighs the terms that can still change.
        problem, before = descent.problem, len(problem.pieces)
        free, left = null_space(descent.rows, descent.width), set(varying) - set(descent.steps[-1].tight)
        left |= set(range(before, len(problem.pieces)))
        varying = tuple(k for k in sorted(left) if any(dot(problem.pieces[k].row, d) for d in free))
    return descent


def ranges(descent: Descent) -> dict[str, tuple[Fraction | None, Fraction | None]]:
    """Return the range of the exponent of each variable that stays undetermined; None is no end."""
    free = null_space(descent.rows, descent.width)
    rows, slacks = _walls(descent, free)

    def furthest(index: int, sign: int) -> Fraction | None:
        cost = tuple(-sign * direction[index] for direction in free)
        end = minimise(cost, rows, slacks)
        return None if end.ray else descent.point[index] - sign * end.value

    open_ = [k for k in range(descent.width) if any(direction[k] for direction in descent.hull)]
    return {descent.problem.variables[k]: (furthest(k, -1), furthest(k, 1)) for k in open_}


def _walls(descent: Descent, free: Sequence[Vector]) -> tuple[list[Vector], list[Fraction]]:
    """The bounds in the free coordinates, and the slack up to each."""
    slacks = [limit.exponent - dot(limit.row, descent.point) for limit in descent.problem.limits]
    return [tuple(dot(limit.row, d) for d in free) for limit in descent.problem.limits], slacks


def _simple_ray(descent: Descent, varying: Sequence[int], ray: Vector) -> Vector:
    """A ray along one variable alone, where there is one; else the given one."""
    for index in range(descent.width):
        for sign in (1, -1):
            alone = unit(index, descent.width, sign)
            free = not any(dot(row, alone) for row in descent.rows)
            allowed = all(dot(limit.row, alone) <= 0 for limit in descent.problem.limits)
            if free and allowed and all(dot(descent.problem.pieces[k].row, alone) < 0 for k in varying):
                return alone
    return ray


def _common(rows: Sequence[Vector], slacks: Sequence[Fraction], dual: Vector) -> tuple[Vector, list[bool]]:
    """A step from an optimal point to the inside of the optimal set, and whether each row is tight on all of it.

    A positive dual weight proves a row tight everywhere; for every other row that is tight so far,
    its slack is maximised over the set.
    """
    visited = [vector([0] * len(rows[0]))]
    for k, row in enumerate(rows):
        if dual[k] == 0 and all(dot(row, point) == slacks[k] for point in visited):
            widest = minimise(row, rows, slacks)
            visited.append(move(widest.point, widest.ray) if widest.ray else widest.point)
    # The mean of the points visited is inside: what is tight there is tight on the whole set.
    centre = tuple(sum(column, Fraction(0)) / len(visited) for column in zip(*visited))
    return centre, [dot(row, centre) == slack for row, slack in zip(rows, slacks)]


def _fixed(
    descent: Descent, inside: Vector, exponent: Fraction, varying: tuple[int, ...], dual: Vector, tight: Sequence[bool]
) -> Descent:
    """One level down, at a point inside the set of optimal ones."""
    problem, width = descent.problem, descent.width
    terms = tuple(k for k, on in zip(varying, tight) if on)
    weights = tuple(weight for weight, on in zip(dual[: len(varying)], tight) if on)
    met = tuple(limit for limit, on in zip(problem.limits, tight[len(varying) :]) if on)
    own = tuple(problem.pieces[k].row for k in terms)
    rows, optimum = (*descent.rows, *own), None
    weights_of: dict[int, Fraction] = {}
    for limit, weight in zip(problem.limits, dual[len(varying) :]):
        if limit.sum and weight:
            weights_of[limit.sum] = weights_of.get(limit.sum, Fraction(0)) + weight
    if descent.held is not None:
        coefficients = tuple(problem.pieces[k].coefficient for k in terms)
        with suppress(Undecided):  # symbols without a value decide: the level has no constants
            program = Program(own, coefficients, descent.held, met, problem.values, frozenset(weights_of))
            optimum = solve(program)
            rows = tuple(equality.row for equality in optimum.held)
    hull = null_space([*rows, *(limit.row for limit in met)], width)
    step = Step(exponent, terms, weights, varying, met, hull, optimum)
    pushes = optimum.pushes if optimum else _pushing(problem, own, met, frozenset(weights_of))
    more = tuple(_corrections(problem, exponent, met, pushes, optimum.value if optimum else ONE))
    pieces = replace(problem, pieces=(*problem.pieces, *more))
    return replace(descent, problem=pieces, point=inside, steps=(*descent.steps, step), rows=rows)


def _corrections(
    problem: Problem, exponent: Fraction, met: Sequence[Limit], pushes: Mapping[int, Monomial], value: Monomial
) -> Iterator[Piece]:
    """What is left of sums that hold a level: terms below those that are met, by what they add to the level's value.

    Where a sum of at most 1 has the multiplier u, a term x of it makes the value larger by the share u x.
    """
    for limit in problem.limits:
        if limit.sum in pushes and limit not in met:
            coefficient = value * pushes[limit.sum] / limit.level
            yield Piece(limit.row, exponent - limit.exponent, coefficient, limit.text)


def _pushing(
    problem: Problem, own: Sequence[Vector], met: Sequence[Limit], likely: frozenset[int]
) -> dict[int, Monomial]:
    """The sums that hold a level whose constants are unknown, by the dual of its exponents.

    Raises:
        ValueError: which of them do hangs on those constants.
    """
    unmet = {limit.sum for limit in problem.limits if limit.sum and limit not in met}
    rows = [*own, *(limit.row for limit in met)]
    if unmet & {limit.sum for limit in met} and len(null_space([*zip(*rows)], len(rows))) > 1:
        raise bad("which branch of a maximum holds hangs on constants", "none for all", "values of what is held")
    return dict.fromkeys(likely, ONE)
