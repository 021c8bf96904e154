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
from typing import TYPE_CHECKING, NamedTuple

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
    """The minimum of a program, and the equalities that hold where it is reached."""

    value: Monomial
    held: tuple[Equality, ...]


class _Group(NamedTuple):
    """Terms that are one term on the subspace that is left: its row there, members, coefficient."""

    row: Vector
    members: tuple[int, ...]
    coefficient: Monomial


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
    total = ONE
    for factor, exponent in zip(factors, exponents, strict=True):
        total = total * factor**exponent if exponent else total
    return total


def _optimum_on(program: Program, active: tuple[Limit, ...]) -> Optimum | None:
    """The optimum with these bounds held, or None where they are not the ones that are active."""
    width = program.width
    held = (*program.held, *(Equality(limit.row(width), limit.level**limit.side) for limit in active))
    # Bounds that depend on one another have no multipliers of their own; a smaller set of them has.
    if rank([e.row for e in held]) < rank([e.row for e in program.held]) + len(active):
        return None
    base, null = affine(held, width)
    folded = tuple(c * _product(base, row) for c, row in zip(program.coefficients, program.rows))
    members: dict[Vector, list[int]] = {}
    for index, row in enumerate(program.rows):
        members.setdefault(tuple(dot(row, direction) for direction in null), []).append(index)
    groups = [_Group(row, tuple(each), add(folded[k] for k in each)) for row, each in members.items()]
    moving = [group for group in groups if any(group.row)]
    sizes = _sizes(moving, program.values)
    if sizes is None:
        return None
    still = [group.coefficient for group in groups if not any(group.row)]
    terms = _term_sizes(program, groups, folded, dict(zip((g.row for g in moving), sizes)))
    new = tuple(Equality(row, size / c) for row, size, c in zip(program.rows, terms, program.coefficients))
    value = add([*still, *_total(moving, sizes)])
    optimum = Optimum(value, (*held, *(e for e, g in zip(new, program.rows) if any(g))))
    if _pushed(program, active, terms, value) and _within(program, optimum.held, active):
        return optimum
    return None


def _sizes(groups: Sequence[_Group], values: Mapping[str, float]) -> list[Monomial] | None:
    """What each group is at the optimum, or None where there is no optimum."""
    sizes: dict[Vector, Monomial] = {}
    for block in _blocks(groups):
        rows = [group.row for group in block]
        total = tuple(sum(column, Fraction(0)) for column in zip(*rows))
        # No minimum is attained where some direction lowers a term without raising another.
        if rank(rows) + 1 > len(rows) or minimise(total, rows, [Fraction(0)] * len(rows)).ray:
            return None
        sizes |= dict(zip(rows, _block_sizes(block, values)))
    return [sizes[group.row] for group in groups]


def _block_sizes(groups: Sequence[_Group], values: Mapping[str, float]) -> list[Monomial]:
    rows = [group.row for group in groups]
    if rank(rows) + 1 == len(rows):
        weights = _weights(rows)
        value = _product([g.coefficient / number(w) for g, w in zip(groups, weights)], weights)
        return [number(w) * value for w in weights]
    logs = [group.coefficient.log(values) for group in groups]
    known = [log for log in logs if log is not None]
    if len(known) < len(logs):
        raise Undecided
    return [monomial({Real(size): 1}) for size in minimum(rows, known)]


def _blocks(groups: Sequence[_Group]) -> list[list[_Group]]:
    """The groups in parts that share no direction: each part is a program of its own.

    Rows that balance one another belong together: A/x + B x + C/y + D y are two parts.
    """
    if not groups:
        return []
    balances = null_space([tuple(column) for column in zip(*(group.row for group in groups))], len(groups))
    part = list(range(len(groups)))
    for weights in balances:
        joined = {part[k] for k, weight in enumerate(weights) if weight}
        part = [min(joined) if p in joined else p for p in part]
    return [[group for group, p in zip(groups, part) if p == which] for which in dict.fromkeys(part)]


def _weights(rows: Sequence[Vector]) -> Vector:
    """The only positive weights of sum 1 that balance the rows."""
    balance = [tuple(column) for column in zip(*rows)]
    (direction,) = null_space(balance, len(rows))
    total = sum(direction, Fraction(0))
    return tuple(x / total for x in direction)


def _total(groups: Sequence[_Group], sizes: Sequence[Monomial]) -> list[Monomial]:
    """The sums of the sizes, part by part; as a monomial a sum is one size over its weight."""
    size_of = {group.row: size for group, size in zip(groups, sizes)}
    totals = []
    for block in _blocks(groups):
        rows = [group.row for group in block]
        whole = len(rows) == rank(rows) + 1
        totals += [size_of[rows[0]] / number(_weights(rows)[0])] if whole else [size_of[row] for row in rows]
    return totals


def _term_sizes(
    program: Program, groups: Sequence[_Group], folded: Sequence[Monomial], sizes: Mapping[Vector, Monomial]
) -> list[Monomial]:
    """What each term is at the optimum: its share of its group."""
    terms = dict.fromkeys(range(len(program.rows)), ONE)
    for group in groups:
        size = sizes.get(group.row, group.coefficient)
        for member in group.members:
            terms[member] = size * (folded[member] / group.coefficient)
    return list(terms.values())


def _pushed(program: Program, active: Sequence[Limit], terms: Sequence[Monomial], value: Monomial) -> bool:
    """Whether the risk would fall beyond every active bound: no multiplier is negative."""
    if not active:
        return True
    # At an optimum the terms' pull is a sum of the bounds' rows, each times its multiplier.
    null = affine(program.held, program.width)[1]
    shares = [_number(term / value, program.values) for term in terms]
    pull = span(program.rows, [-share for share in shares], program.width)
    rows = [tuple(dot(limit.row(program.width), d) for d in null) for limit in active]
    along = tuple(dot(pull, d) for d in null)
    multipliers = vector([0] * len(active))
    for pivot in echelon(rows):
        multipliers = tuple(m + along[pivot.column] * c for m, c in zip(multipliers, pivot.combination))
    return all(m >= -ACCURACY for m in multipliers)


def _within(program: Program, held: Sequence[Equality], active: Sequence[Limit]) -> bool:
    """Whether some point of the optimum satisfies the bounds that are not active."""
    base, null = affine(held, program.width)
    rows: list[Vector] = []
    ratios: list[Monomial] = []
    for limit in (limit for limit in program.limits if limit not in active):
        rows.append(tuple(dot(limit.row(program.width), d) for d in null))
        ratios.append((limit.level / base[limit.variable]) ** limit.side)
    free = [k for k, row in enumerate(rows) if any(row)]
    for k in (k for k in range(len(rows)) if k not in free):
        exact = ratios[k].rational()
        if exact < 1 if exact is not None else _log(ratios[k], program.values) < -ACCURACY:
            return False
    if len(free) < 2:  # one bound alone can always be met by moving along the directions that are left
        return True
    # Whether rows . s <= slacks has a solution: the minimum overshoot is no more than rounding.
    slacks = [_log(ratios[k], program.values) for k in free]
    most = Fraction(max(0.0, -min(slacks)))  # the simplex begins at the origin, which this makes feasible
    lifted = [(*rows[k], Fraction(-1)) for k in free]
    cost = vector([*([0] * len(null)), 1])
    overshoot = minimise(cost, lifted, [Fraction(slack) + most for slack in slacks])
    return bool(overshoot.ray) or overshoot.value + most <= ACCURACY


def _number(coefficient: Monomial, values: Mapping[str, float]) -> Fraction:
    exact = coefficient.rational()
    if exact is not None:
        return exact
    value = coefficient.value(values)
    if value is None:
        raise Undecided
    return Fraction(value)


def _log(coefficient: Monomial, values: Mapping[str, float]) -> float:
    log = coefficient.log(values)
    if log is None:
        raise Undecided
    return log


if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


# NumPy loads with the first program that has no closed form; most have one.

#: How well a computed logarithm is known. It is a sum of some ten logarithms of constants, each
#: below 700 in size and rounded at 1e-16 of it; so nothing finer can tell a value from a bound.
ACCURACY = 1e-12


#: Below this Newton decrement a full step squares the error, and needs no damping.
_QUADRATIC = 1e-4


_STEPS = 500


def minimum(rows: Sequence[tuple[Fraction, ...]], logs: Sequence[float]) -> list[float]:
    """Return the logarithms of the terms c_j e^(a_j . s) where their sum is smallest.

    Damped Newton on the logarithm of the sum, which is convex and never overflows. The minimum is
    attained (the caller has checked); directions that no term sees are left alone.

    Args:
        rows: the exponents a_j.
        logs: log c_j.

    Raises:
        ArithmeticError: no convergence.
    """
    import numpy as np

    a, c = np.array([[float(x) for x in row] for row in rows]), np.array(logs)
    s, before = np.zeros(a.shape[1]), math.inf
    for _ in range(_STEPS):
        gradient, hessian = _derivatives(a, c + a @ s)
        step = -np.asarray(np.linalg.lstsq(hessian, gradient, rcond=None)[0], np.float64)
        decrement = -float(gradient @ step)
        if decrement >= _QUADRATIC:
            s = s + _damping(a, c + a @ s, step, decrement) * step
        elif decrement < before / 2:
            s, before = s + step, decrement
        else:  # a step that does not even halve the error has met rounding
            return [float(x) for x in c + a @ s]
    raise ArithmeticError("a level's program did not converge")


def _log_sum(terms: Array) -> float:
    import numpy as np

    top = float(np.max(terms))
    return top + math.log(float(np.sum(np.exp(terms - top))))


def _derivatives(a: Array, terms: Array) -> tuple[Array, Array]:
    import numpy as np

    weights = np.exp(terms - _log_sum(terms)).astype(np.float64)
    gradient = a.T @ weights
    centred = a - gradient
    return gradient, centred.T @ (weights[:, None] * centred)


def _damping(a: Array, terms: Array, step: Array, decrement: float) -> float:
    """The largest of 1, 1/2, 1/4, ... that lowers the sum by a quarter of what the slope promises."""
    here, size = _log_sum(terms), 1.0
    while size > ACCURACY and _log_sum(terms + size * (a @ step)) > here - size * decrement / 4:
        size /= 2
    return size
