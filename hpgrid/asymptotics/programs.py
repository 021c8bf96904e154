"""A level's geometric program: the constants of its optimum, bounds included.

Where x_i = budget^p_i e^z_i, a level minimises sum_j c_j e^(a_j . z) over the z that the levels
before it leave free. With as many terms as their rank + 1 the optimum is a monomial: each term is
its dual weight times the value, prod_j (c_j / w_j)^w_j. Otherwise a small convex solve gives numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import accumulate, combinations, pairwise
from typing import NamedTuple

from hpgrid.asymptotics.convex import ACCURACY, Unsolved, minimum
from hpgrid.asymptotics.linear import Vector, coordinates, dot, echelon, minimise, null_space, rank, span, unit, vector
from hpgrid.asymptotics.monomial import ONE, Monomial, Real, add, monomial, number
from hpgrid.asymptotics.posynomial import Limit, nothing_left


class Equality(NamedTuple):
    """row . z = log level: what the optimum of a level fixes."""

    row: Vector
    level: Monomial


class Undecided(Exception):
    """The optimum depends on values that are not known."""


@dataclass(frozen=True)
class Program:
    """A level's program.

    Attributes:
        rows: one per term, over the tuned variables.
        coefficients: one per term.
        held: what earlier levels fixed.
        limits: the bounds that may be active: those that every optimal exponent meets.
        values: what is known of the symbols.
        likely: the sums, by their numbers, that hold the level's exponent.
    """

    rows: tuple[Vector, ...]
    coefficients: tuple[Monomial, ...]
    held: tuple[Equality, ...]
    limits: tuple[Limit, ...]
    values: Mapping[str, float]
    likely: frozenset[int] = frozenset()

    @property
    def width(self) -> int:
        """The number of tuned variables."""
        return len(self.rows[0])


class Optimum(NamedTuple):
    """The minimum of a program, the equalities that hold where it is reached, and each term's share of it.

    Of each sum that holds it, by its number, the multiplier: d log value / d log of what the sum is at most.
    """

    value: Monomial
    held: tuple[Equality, ...]
    shares: tuple[Monomial, ...]
    pushes: Mapping[int, Monomial]


#: A bound: one limit, or the several of a sum.
_Bound = tuple[Limit, ...]


def solve(program: Program) -> Optimum:
    """Return the optimum of a level's program.

    Raises:
        Undecided: it hangs on a symbol without a value, or on several terms of a sum at once.
        ValueError: nothing meets the bounds.
    """
    optimum, unsolved = _first(program)
    if optimum is None and unsolved and not _is_empty(program):
        raise Undecided
    if optimum is None:
        raise nothing_left(program.limits)
    return optimum


def _first(program: Program) -> tuple[Optimum | None, bool]:
    """The optimum by the first set of active bounds that has it, the smallest and likeliest first.

    And whether one before it, or any where none has it, was left unsolved.
    """
    sums = {limit.sum: tuple(each for each in program.limits if each.sum == limit.sum) for limit in program.limits}
    bounds: list[_Bound] = [(limit,) for limit in program.limits if not limit.sum]
    bounds += [own for number, own in sums.items() if number]
    unsolved, likely = False, [bound[0].sum in program.likely for bound in bounds]
    for count in range(len(bounds) + 1):
        for others in combinations(range(len(bounds)), count):
            try:
                active = tuple(bound for k, bound in enumerate(bounds) if likely[k] != (k in others))
                optimum = _optimum_on(program, bounds, active)
            except Unsolved:
                unsolved = True
                continue
            if optimum is not None:
                return optimum, unsolved
    return None, unsolved


def _is_empty(program: Program) -> bool:
    """Whether the least factor by which every bound would have to be wider is above 1: a program, too."""
    zero = Fraction(0)
    wider = replace(
        program,
        rows=(unit(program.width, program.width + 1),),
        coefficients=(ONE,),
        held=tuple(each._replace(row=(*each.row, zero)) for each in program.held),
        limits=tuple(each._replace(row=(*each.row, Fraction(-1))) for each in program.limits),
        likely=frozenset(),
    )
    least, _ = _first(wider)
    return least is not None and _known(least.value.log(program.values)) > ACCURACY


def affine(held: Sequence[Equality], width: int) -> tuple[tuple[Monomial, ...], tuple[Vector, ...]]:
    """Return the solutions of some equalities as e^z_i = base_i e^(N s)_i: base, and the basis N."""
    rows = [equality.row for equality in held]
    base = [ONE] * width
    for pivot in echelon(rows):
        base[pivot.column] = _product((e.level for e in held), pivot.combination)
    return tuple(base), null_space(rows, width)


def fixed_value(held: Sequence[Equality], row: Vector) -> Monomial | None:
    """Return e^(row . z) where the equalities fix it, else None."""
    combination = coordinates([equality.row for equality in held], row)
    return None if combination is None else _product((e.level for e in held), combination)


def _product(factors: Iterator[Monomial] | Sequence[Monomial], exponents: Sequence[Fraction]) -> Monomial:
    return math.prod((f**exponent for f, exponent in zip(factors, exponents, strict=True) if exponent), start=ONE)


def _optimum_on(program: Program, bounds: Sequence[_Bound], active: tuple[_Bound, ...]) -> Optimum | None:
    """The optimum with these bounds held, or None where they are not the ones that are active."""
    width = program.width
    alone, sums = [bound[0] for bound in active if len(bound) == 1], [bound for bound in active if len(bound) > 1]
    held = (*program.held, *(Equality(limit.row, limit.level) for limit in alone))
    # Bounds that depend on one another have no multipliers of their own; a smaller set of them has.
    if rank([e.row for e in held]) < rank([e.row for e in program.held]) + len(alone):
        return None
    base, null = affine(held, width)
    folded = tuple(c * _product(base, row) for c, row in zip(program.coefficients, program.rows))
    # Terms that are one term on the subspace that is left.
    members: dict[Vector, list[int]] = {}
    for index, row in enumerate(program.rows):
        members.setdefault(tuple(dot(row, direction) for direction in null), []).append(index)
    groups = {row: add(folded[k] for k in each) for row, each in members.items()}
    moving = {row: coefficient for row, coefficient in groups.items() if any(row)}
    inside = [[_along(limit, base, null) for limit in own] for own in sums]
    solved = _solved(moving, inside, program.values)
    if solved is None:
        return None
    sizes, totals, pushes, parts = solved
    value = add([*(coefficient for row, coefficient in groups.items() if not any(row)), *totals])
    # Each term is its share of its group.
    terms = [ONE] * len(folded)
    for row, each in members.items():
        for k in each:
            terms[k] = sizes.get(row, groups[row]) * (folded[k] / groups[row])
    new = [Equality(row, size / c) for row, size, c in zip(program.rows, terms, program.coefficients) if any(row)]
    new += [Equality(limit.row, limit.level * x) for own, ones in zip(sums, parts) for limit, x in zip(own, ones)]
    shares, rows = tuple(term / value for term in terms), list(program.rows)
    of_sums, pulls = [push / value for push in pushes], list(shares)
    for own, u, ones in zip(sums, of_sums, parts):
        rows += [limit.row for limit in own]
        pulls += [u * x for x in ones]
    of_alone = _multipliers(program, alone, rows, pulls)
    if min(of_alone, default=Fraction(0)) < -ACCURACY or not _within(program, (*held, *new), bounds, active):
        return None
    multipliers = {own[0].sum: u for own, u in zip(sums, of_sums)}
    multipliers |= {limit.sum: _positive(u) for limit, u in zip(alone, of_alone) if limit.sum and u > ACCURACY}
    return Optimum(value, (*held, *new), shares, multipliers)


#: Denominators of floats next to 1 are powers of 2 up to 2^53; of exact numbers here they are products of exponents'.
_FLOAT = 2**40


def _positive(x: Fraction | float) -> Monomial:
    """A positive number, by its logarithm where it was computed."""
    exact = isinstance(x, Fraction) and x.denominator < _FLOAT
    return number(Fraction(x)) if exact else monomial({Real(math.log(x)): 1})


#: What each group is at the optimum by its row, and what they add up to; of each sum, what the groups fall by as it may
#: be larger: d / d log of what it is at most, and each of its terms, which add up to 1.
_Solved = tuple[dict[Vector, Monomial], list[Monomial], list[Monomial], list[list[Monomial]]]


def _solved(
    groups: Mapping[Vector, Monomial],
    sums: Sequence[Sequence[tuple[Vector, Monomial]]],
    values: Mapping[str, float],
) -> _Solved | None:
    """The optimum of groups of terms while sums, of terms by row and coefficient, are 1; None where there is none."""
    own: list[dict[Vector, Monomial]] = []
    rooms: list[Monomial] = []  # what terms that nothing moves leave of 1
    for terms in sums:
        merged: dict[Vector, list[Monomial]] = {}
        for row, coefficient in terms:
            merged.setdefault(row, []).append(coefficient)
        fixed = [add(each) for row, each in merged.items() if not any(row)]
        taken = _known(add(fixed).value(values)) if fixed else 0.0
        if taken >= 1.0 or len(fixed) == len(merged):
            return None
        rooms.append(_positive(1.0 - taken) if fixed else ONE)
        own.append({row: add(each) / rooms[-1] for row, each in merged.items() if any(row)})
    sizes: dict[Vector, Monomial] = {}
    totals: list[Monomial] = []
    pushes, parts = [ONE] * len(sums), [[c for _, c in terms] for terms in sums]
    for rows, held in _blocks(list(groups), [list(terms) for terms in own]):
        entries = [groups[row] for row in rows] + [c for k in held for c in own[k].values()]
        every = [*rows, *(row for k in held for row in own[k])]
        columns = [tuple(column) for column in zip(*every)]
        lengths = [len(own[k]) for k in held]
        spare = len(every) - rank(every)
        # No minimum is attained where some direction lowers a term without raising another.
        total = tuple(sum(column, Fraction(0)) for column in columns)
        if spare < 1 or not rows or minimise(total, every, [Fraction(0)] * len(every)).ray:
            return None
        ends = list(accumulate(lengths, initial=len(rows)))
        spans = list(pairwise(ends))
        if spare == 1:
            # The only positive weights that balance the rows, those of the groups of sum 1: the dual's only point.
            (direction,) = null_space(columns, len(every))
            weights = [x / sum(direction[: len(rows)]) for x in direction]
            together = [sum(weights[first:last], Fraction(0)) for first, last in spans]
            multipliers = [number(u) for u in together]
            value = _product([c / number(w) for c, w in zip(entries, weights)], weights)
            value *= _product(multipliers, together)
            each = [number(w) * value for w in weights[: len(rows)]]
            each += [number(w / u) for (first, last), u in zip(spans, together) for w in weights[first:last]]
        else:
            found = minimum(every, [_known(c.log(values)) for c in entries], len(rows), lengths)
            if found is None:
                return None
            each, multipliers = ([monomial({Real(log): 1}) for log in logs] for logs in found)
            value = add(each[: len(rows)])
        sizes |= dict(zip(rows, each))
        totals.append(value)
        for k, u, (first, last) in zip(held, multipliers, spans):
            pushes[k] = u * value / rooms[k]
            at = {row: size / c for (row, c), size in zip(own[k].items(), each[first:last])}
            parts[k] = [at[row] * c if row in at else c for row, c in sums[k]]
    return sizes, totals, pushes, parts


def _blocks(groups: Sequence[Vector], sums: Sequence[Sequence[Vector]]) -> list[tuple[list[Vector], list[int]]]:
    """Groups' rows, and the numbers of sums, in blocks that share no direction: each block is a program of its own.

    Rows that balance one another belong together: A/x + B x + C/y + D y are two blocks.
    """
    rows, whose = list(groups), [-1] * len(groups)
    for k, own in enumerate(sums):
        rows, whose = [*rows, *own], [*whose, *([k] * len(own))]
    block = list(range(len(rows)))

    def join(which: Iterable[int]) -> None:
        joined = {block[k] for k in which}
        block[:] = [min(joined) if number in joined else number for number in block]

    for weights in null_space([tuple(column) for column in zip(*rows)], len(rows)):
        join(k for k, weight in enumerate(weights) if weight)
    for k in range(len(sums)):
        join(place for place, sum_ in enumerate(whose) if sum_ == k)
    return [
        (
            [rows[k] for k in range(len(groups)) if block[k] == number],
            list(dict.fromkeys(s for s, of in zip(whose, block) if of == number and s >= 0)),
        )
        for number in dict.fromkeys(block)
    ]


def _multipliers(
    program: Program, active: Sequence[Limit], held_by: Sequence[Vector], shares: Sequence[Monomial]
) -> Vector:
    """The multipliers of active bounds: none is negative where the risk would fall beyond every one of them."""
    if not active:
        return ()
    # At an optimum the terms' pull is a sum of the bounds' rows, each times its multiplier.
    null = affine(program.held, program.width)[1]
    exact = [share.rational() or Fraction(_known(share.value(program.values))) for share in shares]
    pull = span(held_by, [-share for share in exact], program.width)
    rows = [tuple(dot(limit.row, d) for d in null) for limit in active]
    along = tuple(dot(pull, d) for d in null)
    multipliers = vector([0] * len(active))
    for pivot in echelon(rows):
        multipliers = tuple(m + along[pivot.column] * c for m, c in zip(multipliers, pivot.combination))
    return multipliers


def _along(limit: Limit, base: Sequence[Monomial], null: Sequence[Vector]) -> tuple[Vector, Monomial]:
    """A limit's row in the directions that are left, and its share of what it may be where none is gone."""
    return tuple(dot(limit.row, d) for d in null), _product(base, limit.row) / limit.level


def _within(program: Program, held: Sequence[Equality], bounds: Sequence[_Bound], active: Sequence[_Bound]) -> bool:
    """Whether some point of the optimum satisfies the bounds that are not active."""
    (base, null), shared = affine(held, program.width), False
    others = [[_along(limit, base, null) for limit in bound] for bound in bounds if bound not in active]
    rows = [row for own in others if len(own) == 1 for row, _ in own]
    ratios = [ONE / x for own in others if len(own) == 1 for _, x in own]
    for own in (own for own in others if len(own) > 1):
        left = 1.0 - math.fsum(_known(x.value(program.values)) for row, x in own if not any(row))
        loose = [(row, x) for row, x in own if any(row)]
        if left < -ACCURACY:
            return False
        # Each of what can still move has an equal part of what is left: enough where that is met.
        shared = shared or len(loose) > 1
        rows += [row for row, _ in loose]
        ratios += [monomial({Real(math.log(max(left, ACCURACY) / len(loose))): 1}) / x for _, x in loose]
    free = [k for k, row in enumerate(rows) if any(row)]
    for k in (k for k in range(len(rows)) if k not in free):
        exact = ratios[k].rational()
        if exact < 1 if exact is not None else _known(ratios[k].log(program.values)) < -ACCURACY:
            return False
    if len(free) < 2:  # one bound alone can always be met by moving along the directions that are left
        return True
    # Whether rows . s <= slacks has a solution: the minimum overshoot is no more than rounding.
    slacks = [_known(ratios[k].log(program.values)) for k in free]
    most = Fraction(max(0.0, -min(slacks)))  # the simplex begins at the origin, which this makes feasible
    lifted = [(*rows[k], Fraction(-1)) for k in free]
    cost = vector([*([0] * len(null)), 1])
    overshoot = minimise(cost, lifted, [Fraction(slack) + most for slack in slacks])
    met = bool(overshoot.ray) or overshoot.value + most <= ACCURACY
    if shared and not met:
        raise Unsolved  # whether unequal parts of what is left would do
    return met


def _known(value: float | None) -> float:
    """A number that hangs on the values of symbols, where they have them."""
    if value is None:
        raise Undecided
    return value
