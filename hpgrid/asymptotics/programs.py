"""A level's geometric program: the constants of its optimum, bounds included.

Where x_i = budget^p_i e^z_i, a level minimises sum_j c_j e^(a_j . z) over the z that the levels
before it leave free. With as many terms as their rank + 1 the optimum is a monomial: each term is
its dual weight times the value, prod_j (c_j / w_j)^w_j. Otherwise a small convex solve gives numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from typing import Any, NamedTuple

from hpgrid.asymptotics.linear import Vector, coordinates, dot, echelon, minimise, null_space, rank, span, vector
from hpgrid.asymptotics.monomial import ONE, Monomial, Real, add, monomial, number
from hpgrid.asymptotics.posynomial import Limit


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
    """

    rows: tuple[Vector, ...]
    coefficients: tuple[Monomial, ...]
    held: tuple[Equality, ...]
    limits: tuple[Limit, ...]
    values: Mapping[str, float]

    @property
    def width(self) -> int:
        """The number of tuned variables."""
        return len(self.rows[0])


class Optimum(NamedTuple):
    """The minimum of a program, the equalities that hold where it is reached, and each term's share of it."""

    value: Monomial
    held: tuple[Equality, ...]
    shares: tuple[Monomial, ...]


def solve(program: Program) -> Optimum:
    """Return the optimum of a level's program, trying each set of active bounds, the smallest first.

    Raises:
        Undecided: it hangs on a symbol without a value.
    """
    sets = (s for count in range(len(program.limits) + 1) for s in combinations(program.limits, count))
    optima = (_optimum_on(program, active) for active in sets)
    optimum = next((each for each in optima if each is not None), None)
    if optimum is None:
        raise ArithmeticError("no set of active bounds makes this level's program optimal")
    return optimum


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


def _optimum_on(program: Program, active: tuple[Limit, ...]) -> Optimum | None:
    """The optimum with these bounds held, or None where they are not the ones that are active."""
    width = program.width
    held = (*program.held, *(Equality(limit.row, limit.level) for limit in active))
    # Bounds that depend on one another have no multipliers of their own; a smaller set of them has.
    if rank([e.row for e in held]) < rank([e.row for e in program.held]) + len(active):
        return None
    base, null = affine(held, width)
    folded = tuple(c * _product(base, row) for c, row in zip(program.coefficients, program.rows))
    # Terms that are one term on the subspace that is left.
    members: dict[Vector, list[int]] = {}
    for index, row in enumerate(program.rows):
        members.setdefault(tuple(dot(row, direction) for direction in null), []).append(index)
    groups = {row: add(folded[k] for k in each) for row, each in members.items()}
    moving = _solved({row: coefficient for row, coefficient in groups.items() if any(row)}, program.values)
    if moving is None:
        return None
    sizes, totals = moving
    value = add([*(coefficient for row, coefficient in groups.items() if not any(row)), *totals])
    # Each term is its share of its group.
    terms = [ONE] * len(folded)
    for row, each in members.items():
        for k in each:
            terms[k] = sizes.get(row, groups[row]) * (folded[k] / groups[row])
    new = (Equality(row, size / c) for row, size, c in zip(program.rows, terms, program.coefficients) if any(row))
    optimum = Optimum(value, (*held, *new), tuple(term / value for term in terms))
    if _pushed(program, active, optimum.shares) and _within(program, optimum.held, active):
        return optimum
    return None


def _solved(
    groups: Mapping[Vector, Monomial], values: Mapping[str, float]
) -> tuple[dict[Vector, Monomial], list[Monomial]] | None:
    """What each group is at the optimum, by its row, and what they add up to; None where there is no optimum."""
    sizes: dict[Vector, Monomial] = {}
    totals: list[Monomial] = []
    for rows in _blocks(list(groups)):
        columns = [tuple(column) for column in zip(*rows)]
        total = tuple(sum(column, Fraction(0)) for column in columns)
        spare = len(rows) - rank(rows)
        # No minimum is attained where some direction lowers a term without raising another.
        if spare < 1 or minimise(total, rows, [Fraction(0)] * len(rows)).ray:
            return None
        if spare == 1:
            # The only positive weights of sum 1 that balance the rows: the sum is one size over its weight.
            (direction,) = null_space(columns, len(rows))
            weights = tuple(x / sum(direction) for x in direction)
            value = _product([groups[row] / number(w) for row, w in zip(rows, weights)], weights)
            sizes |= {row: number(w) * value for row, w in zip(rows, weights)}
            totals.append(value)
        else:
            logs = minimum(rows, [_known(groups[row].log(values)) for row in rows])
            sizes |= {row: monomial({Real(log): 1}) for row, log in zip(rows, logs)}
            totals += [sizes[row] for row in rows]
    return sizes, totals


def _blocks(rows: Sequence[Vector]) -> list[list[Vector]]:
    """The rows in parts that share no direction: each part is a program of its own.

    Rows that balance one another belong together: A/x + B x + C/y + D y are two parts.
    """
    part = list(range(len(rows)))
    for weights in null_space([tuple(column) for column in zip(*rows)], len(rows)):
        joined = {part[k] for k, weight in enumerate(weights) if weight}
        part = [min(joined) if p in joined else p for p in part]
    return [[row for row, p in zip(rows, part) if p == which] for which in dict.fromkeys(part)]


def _pushed(program: Program, active: Sequence[Limit], shares: Sequence[Monomial]) -> bool:
    """Whether the risk would fall beyond every active bound: no multiplier is negative."""
    if not active:
        return True
    # At an optimum the terms' pull is a sum of the bounds' rows, each times its multiplier.
    null = affine(program.held, program.width)[1]
    exact = [share.rational() or Fraction(_known(share.value(program.values))) for share in shares]
    pull = span(program.rows, [-share for share in exact], program.width)
    rows = [tuple(dot(limit.row, d) for d in null) for limit in active]
    along = tuple(dot(pull, d) for d in null)
    multipliers = vector([0] * len(active))
    for pivot in echelon(rows):
        multipliers = tuple(m + along[pivot.column] * c for m, c in zip(multipliers, pivot.combination))
    return all(m >= -ACCURACY for m in multipliers)


def _within(program: Program, held: Sequence[Equality], active: Sequence[Limit]) -> bool:
    """Whether some point of the optimum satisfies the bounds that are not active."""
    base, null = affine(held, program.width)
    others = [limit for limit in program.limits if limit not in active]
    rows = [tuple(dot(limit.row, d) for d in null) for limit in others]
    ratios = [limit.level / _product(base, limit.row) for limit in others]
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
    return bool(overshoot.ray) or overshoot.value + most <= ACCURACY


def _known(value: float | None) -> float:
    """A number that hangs on the values of symbols, where they have them."""
    if value is None:
        raise Undecided
    return value


#: How well a computed logarithm is known. It is a sum of some ten logarithms of constants, each
#: below 700 in size and rounded at 1e-16 of it; so nothing finer can tell a value from a bound.
ACCURACY = 1e-12

#: Below this Newton decrement a full step squares the error, and needs no damping.
_QUADRATIC = 1e-4

_STEPS = 500


def minimum(rows: Sequence[Vector], logs: Sequence[float]) -> list[float]:
    """Return the logarithms of the terms c_j e^(a_j . s) where their sum is smallest.

    Damped Newton on the logarithm of the sum, which is convex and never overflows. The minimum is
    attained (the caller has checked); directions that no term sees are left alone.

    Args:
        rows: the exponents a_j.
        logs: log c_j.

    Raises:
        ArithmeticError: no convergence.
    """
    import numpy as np  # with the first program that has no closed form; most have one

    def log_sum(terms: Any) -> float:
        top = float(np.max(terms))
        return top + math.log(float(np.sum(np.exp(terms - top))))

    a, c = np.array([[float(x) for x in row] for row in rows]), np.array(logs)
    s, before = np.zeros(a.shape[1]), math.inf
    for _ in range(_STEPS):
        terms = c + a @ s
        weights = np.exp(terms - log_sum(terms))
        gradient = a.T @ weights
        centred = a - gradient
        step = -np.linalg.lstsq(centred.T @ (weights[:, None] * centred), gradient, rcond=None)[0]
        decrement = -float(gradient @ step)
        if decrement >= _QUADRATIC:
            # The largest of 1, 1/2, 1/4, ... that lowers the sum by a quarter of what the slope promises.
            size = 1.0
            while size > ACCURACY and log_sum(terms + size * (a @ step)) > log_sum(terms) - size * decrement / 4:
                size /= 2
            s = s + size * step
        elif decrement < before / 2:
            s, before = s + step, decrement
        else:  # a step that does not even halve the error has met rounding
            return [float(x) for x in terms]
    raise ArithmeticError("a level's program did not converge")
