"""A bound under a regime, as exact rows: what the levels and their programs work on.

A negative term, were a bound to have one, would be set aside here: every level above the first that
hangs on it has no certificate.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from hpgrid.asymptotics.linear import Vector, dot, unit
from hpgrid.asymptotics.monomial import ONE, Complement, Monomial, add, monomial, number, power
from hpgrid.checks import bad, check_value
from hpgrid.proxy import FunctionProxy, Proxy, Term
from hpgrid.regime import Regime, along


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
    """A bound on a tuned variable: x <= level budget^exponent, or >= where side is -1."""

    variable: int
    side: int
    level: Monomial
    text: str
    exponent: Fraction = Fraction(0)

    def row(self, width: int) -> Vector:
        """Return the bound's row: row . p <= side x exponent."""
        return unit(self.variable, width, self.side)


@dataclass(frozen=True)
class Problem:
    """A posynomial in the tuned variables and the budget.

    Attributes:
        variables: the tuned variables, in canonical order.
        budget: "T" or "K".
        pieces: the terms, those with equal rows merged.
        limits: the bounds on the tuned variables.
        values: what is known of constants, caps and fixed variables.
    """

    variables: tuple[str, ...]
    budget: str
    pieces: tuple[Piece, ...]
    limits: tuple[Limit, ...]
    values: Mapping[str, float]


def pose(proxy: Proxy | FunctionProxy, regime: Regime, budget: str | None, min_K: float | None = None) -> Problem:
    """Return a bound under a regime as exact rows.

    Raises:
        ValueError: nothing is tuned, a term is no power of a tuned variable, or a cap can't hold.
    """
    bound = _checked(proxy, regime, budget)
    levels = _caps(bound, regime)
    values = {**bound.constants, **regime.fixed, **_cap_values(bound, regime)}
    limits = [limit for name in regime.tuned for limit in _limits(regime.tuned.index(name), name, levels)]
    if min_K is not None and "b" in regime.tuned and bound.budget == "T":
        values["K_min"] = check_value("K", min_K)
        level, text = (ONE, "b <= T") if min_K == 1 else (power("K_min", -1), "b <= T/K_min")
        limits.append(Limit(regime.tuned.index("b"), 1, level, text, Fraction(1)))
    pieces = _pieces(bound, regime)
    if not pieces:
        raise bad("a term must be left to minimise", dict(regime.fixed), "a value of alpha below 1")
    return Problem(regime.tuned, bound.budget, pieces, tuple(limits), values)


def _checked(proxy: Proxy | FunctionProxy, regime: Regime, budget: str | None) -> Proxy:
    """The bound in the budget that was asked for, if the regime makes sense for it."""
    if isinstance(proxy, FunctionProxy):
        instead = "hpgrid.refine, or hpgrid search, for it"
        why = f"in this one {proxy.obstacle}" if proxy.obstacle else "this one is a function"
        raise bad(f"exact exponents need a bound that is a sum of powers; {why}", proxy.name, instead)
    if not regime.tuned:
        raise bad("exponents need a hyperparameter that is tuned", regime.tuned, 'tuned=("eta", "b"), say')
    bound = proxy.form(budget or proxy.budget)
    assert isinstance(bound, Proxy)
    held = [name for name in ("T", "K") if name in regime.fixed]
    if held:
        raise bad("the budget goes to infinity, so it has no value", held[0], "hyperparameters alone in fixed")
    for name in (*regime.tuned, *regime.path):
        if name not in bound.variables():
            raise bad(f"the bound {bound.name} has no {name}", name, f"some of {', '.join(bound.variables())}")
    return bound


# --- caps ---


def _caps(bound: Proxy, regime: Regime) -> dict[str, list[tuple[Monomial, str]]]:
    """The caps of the tuned variables: the bound's own and the regime's, each as an expression."""
    for name in regime.caps:
        if name not in (*regime.tuned, *regime.fixed, *regime.path):
            raise bad("a cap is for a tuned hyperparameter", name, f"{name} among the tuned, or no cap on it")
    for name, cap in (*bound.caps.items(), *regime.caps.items()):
        _within(name, cap, regime)
    caps: dict[str, list[tuple[Monomial, str]]] = {}
    for name in regime.tuned:
        own = bound.cap_terms.get(name)
        if own is not None:
            caps.setdefault(name, []).append((_coefficient(own, ()), f"{name} <= {own}"))
        if name in regime.caps or (name in bound.caps and own is None):
            caps.setdefault(name, []).append((power(f"{name}_max"), f"{name} <= {name}_max"))
    return caps


def _within(name: str, cap: float, regime: Regime) -> None:
    """Hold a variable that is not tuned to its cap."""
    if regime.fixed.get(name, 0.0) > cap:
        raise bad(f"{name} is fixed above its cap, {cap:.6g}", regime.fixed[name], "a smaller value")
    leaves = regime.path.get(name, Fraction(-1))
    if leaves > 0 or (leaves == 0 and cap < 1):
        raise bad(f"{name} leaves its cap along this path", str(leaves), f"no cap on {name}, or another path")


def _cap_values(bound: Proxy, regime: Regime) -> dict[str, float]:
    own = {name: cap for name, cap in bound.caps.items() if name not in bound.cap_terms}
    names = [*own, *(name for name in regime.caps if name not in own)]
    # Two caps on one variable are the smaller one.
    return {f"{name}_max": min(own.get(name, float("inf")), regime.caps.get(name, float("inf"))) for name in names}


def _limits(variable: int, name: str, caps: Mapping[str, list[tuple[Monomial, str]]]) -> list[Limit]:
    """The range of a variable, and its caps."""
    ranges = {"b": [Limit(variable, -1, ONE, "b >= 1")], "alpha": [Limit(variable, 1, ONE, "alpha <= 1")]}
    return ranges.get(name, []) + [Limit(variable, 1, level, text) for level, text in caps.get(name, [])]


# --- terms ---


def _pieces(bound: Proxy, regime: Regime) -> tuple[Piece, ...]:
    """The terms as rows, equal rows merged: C3 eta and C3 eta/alpha are one term at a fixed alpha."""
    names = {str(term): [] for term in bound.terms}  # type: dict[str, list[Term]]
    for term in bound.terms:
        names[str(term)].extend(_expanded(term, regime))
    merged: dict[tuple[Vector, Fraction], list[tuple[str, Monomial]]] = {}
    for text, terms in names.items():
        folded = along(Proxy(tuple(terms), bound.constants, bound.budget), regime.path).terms if terms else ()  # type: ignore[union-attr]
        for term in folded:
            key = tuple(_exponent(term, name) for name in regime.tuned), _exponent(term, bound.budget)
            merged.setdefault(key, []).append((text, _coefficient(term, (*regime.tuned, bound.budget))))
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
    total = number(term.number)
    for name, exponent in term.constants.items():
        total = total * power(name, exponent)
    for name, factor in term.factors.items():
        if name in apart:
            continue
        if factor == "one_plus":
            total = total * add([ONE, power(name)])
        elif factor == "one_minus":
            total = total * monomial({Complement(name): 1})
        else:
            total = total * power(name, Fraction(factor))
    return total
