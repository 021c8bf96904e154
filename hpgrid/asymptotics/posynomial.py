"""A bound under a regime, as exact rows: what the levels and their programs work on.

A negative term, were a bound to have one, would be set aside here: every level above the first that
hangs on it has no certificate.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from hpgrid.asymptotics.linear import Vector, dot, minimise, unit, vector
from hpgrid.asymptotics.monomial import ONE, Complement, Monomial, add, monomial, number, power
from hpgrid.checks import InputError, bad, changed
from hpgrid.formula.quantity import Quantity, is_positive, names_in, vanishes, worth
from hpgrid.proxy import FunctionProxy, Proxy
from hpgrid.regime import Regime, limit_name
from hpgrid.term import Term, monomial_in

if TYPE_CHECKING:
    from hpgrid.formula.powers import Sum
    from hpgrid.formula.syntax import Inequality


class Piece(NamedTuple):
    """One term: coefficient x budget^shift x prod_i x_i^row_i.

    Attributes:
        row: the exponents of the tuned variables.
        shift: the exponent of the budget, paths included.
        coefficient: constants and the variables that are not tuned.
        text: the term, or the terms that were merged, as the bound has them.
    """

    row: Vector
    shift: Fraction
    coefficient: Monomial
    text: str

    def exponent(self, point: Vector) -> Fraction:
        """Return the exponent of the budget where x_i = budget^point_i."""
        return dot(self.row, point) + self.shift


class Limit(NamedTuple):
    """A bound on tuned variables: prod_i x_i^row_i <= level budget^exponent; a floor has a negative row.

    Limits of one ``sum``, whose number is not 0, are one bound: what each has on its left, over its right side, adds up
    to 1 at the most.
    """

    row: Vector
    level: Monomial
    text: str
    exponent: Fraction = Fraction(0)
    of_path: Fraction = Fraction(0)  # in a family of paths, the power of the path's variable on the left
    sum: int = 0
    open: bool = False  # whether it is <, so that what lies on it is not attained


def nothing_left(limits: Iterable[Limit]) -> InputError:
    """Return the refusal of limits that nothing meets."""
    texts = ", ".join(dict.fromkeys(limit.text for limit in limits))
    return bad("nothing is left of the bound's domain as the budget grows", texts, "another domain")


@dataclass(frozen=True)
class Problem:
    """A posynomial in the tuned variables and the budget.

    Attributes:
        variables: the tuned variables, in canonical order; then the new ones that stand for maxima and roots of sums.
        budget: its name.
        pieces: the terms, those with equal rows merged.
        limits: the bounds on the tuned variables.
        values: what is known of constants, caps and fixed variables.
        batch: the name of the batch size, if there is one.
        new: how many variables are new.
    """

    variables: tuple[str, ...]
    budget: str
    pieces: tuple[Piece, ...]
    limits: tuple[Limit, ...]
    values: Mapping[str, float]
    batch: str | None = None
    new: int = 0

    @property
    def tuned(self) -> tuple[str, ...]:
        """The variables that are not new."""
        return self.variables[: len(self.variables) - self.new]

    @property
    def start(self) -> Vector:
        """Exponents that no limit forbids: 0 of each tuned variable, where that is none.

        Raises:
            ValueError: the limits leave no exponents.
        """
        point = vector([0] * len(self.variables))
        slacks = [limit.exponent for limit in self.limits]
        most = -min(slacks, default=Fraction(0))
        if most <= 0:
            return point
        # The smallest excess over all limits; the simplex begins at the origin, which that much more makes feasible.
        excess = unit(len(point), len(point) + 1)
        rows = [*((*limit.row, Fraction(-1)) for limit in self.limits), tuple(-x for x in excess)]
        least = minimise(excess, rows, [*(slack + most for slack in slacks), most])
        if least.value + most > 0:
            raise nothing_left(self.limits)
        return least.point[:-1]


def settle(proxy: Proxy | FunctionProxy, regime: Regime, budget: str | None) -> Regime:
    """Return a regime once it was asked: what has no role stays a symbol in the laws.

    Raises:
        ValueError: the bound is a function of one's own, or as ``Regime.settled``.
    """
    bound, moving = _in_budget(proxy, budget), (*regime.tuned, *regime.path)
    return regime.settled(
        bound, free=[v for v in bound.space.hyperparameters if v in bound.variables() or v not in moving]
    )


def _in_budget(proxy: Proxy | FunctionProxy, budget: str | None) -> Proxy | FunctionProxy:
    if isinstance(proxy, FunctionProxy) and proxy.root is None:
        raise _no_law(proxy, "this one is a function")
    return proxy.form(budget or proxy.budget)


def _no_law(proxy: Proxy | FunctionProxy, why: str) -> InputError:
    rule = f"exact exponents need a bound that is a sum of powers, or of maxima and roots of such; {why}"
    return bad(rule, proxy.name, "hpgrid.refine, or hpgrid search, for it")


def pose(proxy: Proxy | FunctionProxy, regime: Regime, budget: str | None) -> Problem:
    """Return a bound under a settled regime as exact rows.

    Raises:
        ValueError: the bound is no generalised posynomial in what is tuned, or a cap can't hold.
    """
    bound = _in_budget(proxy, budget)
    regime.joint_caps(bound.caps, far=True)
    caps, taken = regime.joint_caps(_given_caps(bound), far=True), bound.constants
    numbers = {limit_name(name, "max", taken): cap for name, cap in caps.items()}
    if regime.min_K is not None:
        numbers[limit_name("K", "min", taken)] = float(regime.min_K)
    numbers |= {limit_name(name, "min", taken): bound.space.all[name].low for name in regime.tuned}
    values = {**bound.constants, **regime.fixed, **numbers}
    terms, new, branches = _terms(bound, regime, values)
    variables = (*regime.tuned, *new)
    pieces = _pieces(terms, regime, bound.budget, variables)
    if not pieces:
        raise bad("a term must be left to minimise", dict(regime.fixed), "a value of alpha below 1")
    wider = (Fraction(0),) * len(new)
    limits = [limit._replace(row=(*limit.row, *wider)) for limit in _limits(bound, regime)]
    strict = {condition.text for condition in bound.domain if condition.strict}
    for k, (text, branch) in enumerate((*branches, *_domain_sums(bound, regime)), start=1):
        for piece in _pieces(branch, regime, bound.budget, variables):
            limits.append(Limit(piece.row, ONE / piece.coefficient, text, -piece.shift, sum=k, open=text in strict))
    return Problem(variables, bound.budget, pieces, tuple(limits), values, bound.space.batch, len(new))


#: A term, and how the part of the bound is written that it comes from.
Written = tuple[str, Term]


def _terms(
    bound: Proxy | FunctionProxy, regime: Regime, values: Mapping[str, float]
) -> tuple[list[Written], tuple[str, ...], list[tuple[str, list[Written]]]]:
    """The terms that constants of 0 leave, the new variables, and the branches of each, over it, by their texts."""
    if isinstance(bound, Proxy):
        return [(str(term), term) for term in bound.terms if _remains(bound, term, values)], (), []
    from hpgrid.formula.generalised import transformed  # with the first formula that is no sum of powers
    from hpgrid.formula.powers import Obstacle

    assert bound.root is not None
    budgets = bound.space.joined(bound.budget)
    try:
        found = transformed(bound.root, bound.space, bound.budget, (*regime.tuned, *regime.path, *budgets))
    except Obstacle as obstacle:
        raise _no_law(bound, f"in this one {obstacle}") from None
    new, space = found.new, bound.space
    wider = replace(space, tunable=(*space.tunable, *(changed(space.tunable[0], name=name) for name in new)))

    def written(total: Sum) -> list[Written]:
        terms = [(powers, Term.of(dict(powers), number, wider)) for powers, number in total.items()]
        return [(found.texts.get(powers) or str(term), term) for powers, term in terms if _remains(bound, term, values)]

    terms, branches = written(found.total), [(each.of, each.text, written(each.total)) for each in found.branches]
    while True:
        # A maximum of nothing, and a root of it, is nought.
        branches = [each for each in branches if each[2]]
        gone = {*new} - {name for name, *_ in branches}
        if not gone:
            return terms, new, [(text, own) for _, text, own in branches]
        new = tuple(name for name in new if name not in gone)
        terms = [each for each in terms if each[1].factors.keys().isdisjoint(gone)]
        branches = [
            (name, text, [each for each in own if each[1].factors.keys().isdisjoint(gone)])
            for name, text, own in branches
        ]


def _remains(bound: Proxy | FunctionProxy, term: Term, values: Mapping[str, float]) -> bool:
    """Whether no number of a term is 0; one that is negative, or may be, is refused."""
    remains = True
    for name, exponent in term.constants.items():
        if names_in(name) <= values.keys():
            value = worth(name, values)
            if not value >= 0 or (value == 0 and exponent < 0):
                raise _no_law(bound, f"in this one {name} is {value:g}")
            remains = remains and (value > 0 or exponent == 0)
        elif isinstance(name, Quantity) and vanishes(name.root, [own for own, x in values.items() if x == 0]):
            remains = remains and exponent == 0
        elif isinstance(name, Quantity) and not is_positive(name.root, {v: x.high for v, x in bound.space.all.items()}):
            lacking = " and ".join(sorted(names_in(name) - values.keys()))
            raise bad(f"whether {name} is positive hangs on {lacking}", str(term), f"{lacking} fixed at a value")
    return remains


def _limits(bound: Proxy | FunctionProxy, regime: Regime) -> Iterator[Limit]:
    """The range of each tuned variable, its caps, and the bound's domain, each as an expression."""
    width = len(regime.tuned)
    for k, name in enumerate(regime.tuned):
        above, below = unit(k, width), unit(k, width, -1)
        variable = bound.space.all[name]
        sign, opened = ">" if variable.low_open else ">=", variable.low_open
        if variable.low == 1:
            yield Limit(below, ONE, f"{name} {sign} 1", open=opened)
        elif variable.low > 0:
            low = limit_name(name, "min", bound.constants)
            yield Limit(below, power(low, -1), f"{name} {sign} {low}", open=opened)
        if variable.high < math.inf:
            sign, opened = "<" if variable.high_open else "<=", variable.high_open
            yield Limit(above, number(Fraction(repr(variable.high))), f"{name} {sign} {variable.high:g}", open=opened)
        own = bound.cap_terms.get(name)
        if own is not None:
            yield Limit(above, _coefficient(own, ()), f"{name} <= {own}")
        if name in regime.caps or name in _given_caps(bound):
            cap = limit_name(name, "max", bound.constants)
            yield Limit(above, power(cap), f"{name} <= {cap}")
    for condition in bound.domain:
        yield from _limit(condition, bound, regime)
    batch = bound.space.batch
    if regime.min_K is not None and batch in regime.tuned and bound.budget == "T":
        least = limit_name("K", "min", bound.constants)
        level, text = (ONE, f"{batch} <= T") if regime.min_K == 1 else (power(least, -1), f"{batch} <= T/{least}")
        yield Limit(unit(regime.tuned.index(batch), width), level, text, Fraction(1))


def _domain_sums(bound: Proxy | FunctionProxy, regime: Regime) -> Iterator[tuple[str, list[Written]]]:
    """The conditions that a sum of powers is at most one of them, each over the larger side."""
    for condition in bound.domain:
        both = _sum_at_most(condition)
        if (
            both is None
            or monomial_in(condition, bound.budget) is not None
            or {*condition.variables(bound.budget)}.isdisjoint(regime.tuned)
        ):
            continue
        low, ((high, above),) = both[0].items(), both[1].items()
        terms = []
        for powers, size in low:
            over = dict(powers)
            for name, exponent in high:
                over[name] = over.get(name, Fraction(0)) - exponent
            one = Term.of({name: e for name, e in over.items() if e}, size / above, bound.space)
            terms += [term for term in one.form(bound.budget, bound.space) if term.remains(bound.constants)]
        yield condition.text, [(condition.text, term) for term in terms]


def _sum_at_most(condition: Inequality) -> tuple[Sum, Sum] | None:
    """A condition's sides where they are sums of powers, the larger one of one term; else None."""
    from hpgrid.formula.powers import sides

    both = sides(condition)
    return both if both is not None and len(both[1]) == 1 else None


def _given_caps(bound: Proxy | FunctionProxy) -> dict[str, float]:
    """The caps that were given as numbers, and do not follow from constants."""
    following = bound.following(bound.constants)
    return {name: cap for name, cap in bound.caps.items() if cap < following.get(name, math.inf)}


def _limit(condition: Inequality, bound: Proxy | FunctionProxy, regime: Regime) -> Iterator[Limit]:
    """A condition of the domain as a limit; none where it says nothing of what is tuned."""
    term = monomial_in(condition, bound.budget)
    if term is None:
        if {*condition.variables(bound.budget)}.isdisjoint(regime.tuned) or _sum_at_most(condition) is not None:
            return
        rule = "exact exponents need a domain whose conditions are sums of powers that are at most a product of them"
        raise bad(rule, condition.text, "hpgrid search, or hpgrid.refine, which take any")
    if not term.remains(bound.constants):  # of a constant of 0 there is no limit
        return
    term = term.along(regime.path, bound.budget)
    row, grows = tuple(_exponent(term, name) for name in regime.tuned), _exponent(term, bound.budget)
    if not any(row):
        if grows > 0:
            raise bad("what is not tuned leaves the bound's domain as the budget grows", condition.text, "another path")
        return
    # x^2 <= c is x <= c^(1/2).
    size = max(map(abs, row)) if sum(map(bool, row)) == 1 else Fraction(1)
    level = _coefficient(term, (*regime.tuned, bound.budget)) ** (-1 / size)
    yield Limit(tuple(x / size for x in row), level, condition.text, -grows / size, open=condition.strict)


def _pieces(written: list[Written], regime: Regime, budget: str, variables: tuple[str, ...]) -> tuple[Piece, ...]:
    """The terms as rows, equal rows merged: C3 eta and C3 eta/alpha are one term at a fixed alpha."""
    # By the text of the bound's own terms: what 1 + alpha is split into stays one name.
    names: dict[str, list[Term]] = {text: [] for text, _ in written}
    for text, term in written:
        names[text].extend(_expanded(term, regime))
    merged: dict[tuple[Vector, Fraction], list[tuple[str, Monomial]]] = {}
    for text, terms in names.items():
        for term in (term.along(regime.path, budget) for term in terms):
            key = tuple(_exponent(term, name) for name in variables), _exponent(term, budget)
            merged.setdefault(key, []).append((text, _coefficient(term, (*variables, budget))))
    return tuple(
        Piece(row, shift, add(c for _, c in entries), " + ".join(dict.fromkeys(text for text, _ in entries)))
        for (row, shift), entries in merged.items()
    )


def _expanded(term: Term, regime: Regime) -> tuple[Term, ...]:
    """A term in powers of what moves; one with 1 - x at a fixed x = 1 is none."""
    moving = (*regime.tuned, *regime.path)
    for name in (name for name, factor in term.factors.items() if factor == "one_minus"):
        if regime.fixed.get(name) == 1.0:
            return ()
        if name in moving:
            rule = f"exponents need powers of what is tuned; 1 - {name} makes this term a signomial"
            raise bad(rule, str(term), f"{name} fixed, or hpgrid.refine")
    return term.split(moving)


def _exponent(term: Term, variable: str) -> Fraction:
    exponent = term.exponent(variable)
    if exponent is None:
        raise bad(f"exponents need powers of {variable}", str(term), "a power of it, or hpgrid.refine")
    return exponent


def _coefficient(term: Term, apart: tuple[str, ...]) -> Monomial:
    """What multiplies the powers of the variables ``apart``, as an exact expression."""
    parts = [number(term.number), *(power(name, exponent) for name, exponent in term.constants.items())]
    for name, factor in ((name, factor) for name, factor in term.factors.items() if name not in apart):
        if isinstance(factor, str):
            parts.append(add([ONE, power(name)]) if factor == "one_plus" else monomial({Complement(name): 1}))
        else:
            parts.append(power(name, factor))
    return math.prod(parts, start=ONE)
