"""A term of a bound: a coefficient times a power, or a function, of each variable; and conditions that are one."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache, reduce
from typing import TYPE_CHECKING, Any

from hpgrid.checks import bad, unknown
from hpgrid.formula.quantity import Quantity, names_in, product_text, worth
from hpgrid.surds import Surd
from hpgrid.variables import STANDARD, Power, Space

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    from hpgrid.formula.syntax import Inequality

# NumPy loads where a value is computed: exact exponents need none of it, and start in half the time.

#: Functions of one variable that a term may contain beside powers, computed from alpha itself.
FUNCTIONS: dict[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
    "one_minus": lambda x: 1.0 - x,
    "one_plus": lambda x: 1.0 + x,
}

#: How they are written.
SIGNS = {"one_minus": "1 - {}", "one_plus": "1 + {}"}

_HALF, _ONE = Fraction(1, 2), Fraction(1)

#: One variable's part in a term: the exponent of a power, or the name of a function.
Factor = Fraction | str


def evaluate_factor(factor: Factor, values: ArrayLike) -> NDArray[np.float64]:
    """Return a factor's value at ``values``, elementwise, in float64."""
    import numpy as np

    x = np.asarray(values, dtype=np.float64)
    if isinstance(factor, str):
        return FUNCTIONS[factor](x)
    if factor in (0, 1):
        return x if factor else np.ones_like(x)
    # Square roots and reciprocals are rounded once; pow is not, everywhere.
    if factor == -1:
        return 1.0 / x
    return np.sqrt(x) if factor == _HALF else x ** float(factor)


@dataclass(frozen=True)
class Term:
    """One term of a bound: a coefficient times one factor for each variable.

    The coefficient is ``number`` times powers of named constants, so that a law can name them.
    An exponent 0 that is written out is kept: it keeps the shape of the compiled search, which
    therefore serves a whole family of exponents.

    Args:
        constants: constants, and quantities that follow from some, and their exponents, such as {"rho": 1, "sigma": 1}.
        factors: for each variable, an exact rational exponent or the name of a function.
        number: the numeric part of the coefficient: a fraction, or exact with roots of whole numbers in it.
    """

    constants: Mapping[str, Fraction]
    factors: Mapping[str, Factor]
    number: Fraction | Surd = Fraction(1)

    def __post_init__(self) -> None:
        for factor in self.factors.values():
            if isinstance(factor, str) and factor not in FUNCTIONS:
                raise unknown("function", factor, FUNCTIONS)
        object.__setattr__(self, "constants", {k: Fraction(v) for k, v in self.constants.items()})
        # In canonical order; a bound with variables of its own has them in its own.
        order = STANDARD.names if {*self.factors} <= {*STANDARD.names} else self.factors
        known = {v: self.factors[v] for v in order if v in self.factors}
        object.__setattr__(self, "factors", {v: f if isinstance(f, str) else Fraction(f) for v, f in known.items()})
        number = self.number if isinstance(self.number, Surd) else Fraction(self.number)
        if not isinstance(number, Surd) and number <= 0:
            raise bad("a term's number must be positive", str(number), "a positive number or fraction")
        exact = number.rational() if isinstance(number, Surd) else number
        object.__setattr__(self, "number", number if exact is None else exact)

    @classmethod
    def of(cls, powers: Mapping[str, Fraction], number: Fraction, space: Space) -> Term:
        """Return the term of a formula's product: powers of variables, beta, constants and, by their digits, primes."""
        constants = {name: e for name, e in powers.items() if isinstance(name, Quantity)}
        powers = {name: e for name, e in powers.items() if name not in constants}
        factors: dict[str, Factor] = {v: powers[v] for v in space.names if v in powers}
        factors |= {name: "one_minus" for complement, name in space.complements.items() if complement in powers}
        roots = (Surd.of(int(prime)) ** e for prime, e in powers.items() if prime.isdigit())
        known = {*space.names, *space.complements}
        named = {name: e for name, e in powers.items() if name not in known and not name.isdigit()}
        return cls(named | constants, factors, math.prod(roots, start=Surd.of(number)))

    def coefficient(self, constants: Mapping[str, float]) -> float:
        """Return the coefficient's value, given those of the named constants."""
        powers = (worth(name, constants) ** float(exponent) for name, exponent in self.constants.items())
        try:
            return float(self.number) * math.prod(powers)
        except (OverflowError, ZeroDivisionError):  # of plain floats; in an array it is inf
            return math.inf

    def remains(self, constants: Mapping[str, Any]) -> Any:
        """Return whether no constant of 0 makes the term nought, elementwise where constants are arrays."""
        factors = (worth(name, constants) for name, exponent in self.constants.items() if exponent > 0)
        return reduce(operator.and_, (factor != 0 for factor in factors), True)

    def check(self, constants: Mapping[str, Any]) -> None:
        """Refuse constants of which the coefficient is none: one of 0 that it divides by, a negative quantity.

        Args:
            constants: numbers, or arrays, each refused where any of its elements is.
        """
        for name, exponent in self.constants.items():
            value = worth(name, constants)
            if isinstance(name, Quantity) and not all_hold((value >= 0) & (value < math.inf)):
                given = ", ".join(f"{own}={constants[own]}" for own in sorted(names_in(name)))
                raise bad(f"{name} is a factor of {self}, so that it is finite and >= 0", given, "other values")
            if exponent < 0 and not all_hold(value != 0):
                raise bad(f"{name} is divided by in {self}, so that it is not 0", f"{name}=0", f"{name}=1.0, say")

    def log_coefficient(self, constants: Mapping[str, Any]) -> Any:
        """Return the log of the coefficient, elementwise where constants are arrays; -inf where one of them is 0."""
        import numpy as np

        total = np.log(float(self.number))
        with np.errstate(divide="ignore"):
            for name, exponent in self.constants.items():
                total = total + float(exponent) * np.log(worth(name, constants))
        return total

    def exponent(self, variable: str) -> Fraction | None:
        """Return the exponent of ``variable`` (0 where it is absent), or None under a function."""
        factor = self.factors.get(variable, Fraction(0))
        return None if isinstance(factor, str) else factor

    def split(self, names: Collection[str]) -> tuple[Term, ...]:
        """Return the term with each 1 + x in it, x among ``names``, as two: terms in powers of x."""
        for name in names:
            if self.factors.get(name) == "one_plus":
                rest = {v: f for v, f in self.factors.items() if v != name}
                both = (replace(self, factors={**rest, name: Fraction(power)}) for power in (0, 1))
                return tuple(part for each in both for part in each.split(names))
        return (self,)

    def along(self, path: Mapping[str, Power], budget: str) -> Term:
        """Return the term with a power of the budget in place of what follows a path."""
        factors, number = dict(self.factors), self.number
        total = factors.get(budget, Fraction(0))
        for name, along in path.items():
            factor = factors.pop(name, Fraction(0))
            if isinstance(factor, str) or isinstance(total, str):
                raise bad(f"{name} is under a function in this term", str(self), "a bound in powers of it")
            total += factor * along
            if along.factor != 1:
                number = Surd.of(number) * Surd.of(along.factor) ** factor
        return replace(self, factors={**factors, budget: total}, number=number)

    def form(self, budget: str, space: Space = STANDARD) -> tuple[Term, ...]:
        """Return the term with other budgets replaced, K by T/b: one term, or several where a sum joins the two.

        Raises:
            ValueError: a budget or what joins it to the other one stands under a function, or a sum under a root.
        """
        terms = [self]
        for other in space.budget_names:
            exponent = self.factors.get(other)
            if exponent is None or other == budget:
                continue
            if isinstance(exponent, str):
                raise bad("a function of the budget has no other form", str(self), "a power of it")
            rest = {v: f for v, f in self.factors.items() if v != other}
            terms = [replace(self, factors={**rest, budget: exponent})]
            for relation, sign in space.exchange(other, budget):
                times = exponent * sign
                if len(relation.factor) > 1 and (times < 0 or times.denominator != 1):
                    rule = f"{relation.text} is a sum, so that whole powers of it alone can be multiplied out"
                    raise bad(rule, str(self), f"the bound in {other}, or as a function")
                each = len(relation.factor) > 1
                for _ in range(int(times) if each else 1):
                    terms = [
                        term.times(powers, number, Fraction(1) if each else times, space)
                        for term in terms
                        for powers, number in relation.factor
                    ]
        return tuple(terms)

    def one(self, budget: str, space: Space) -> Term | None:
        """Return the term with other budgets replaced, where it stays one product of powers; else None."""
        joined = (each for v in self.factors if v in space.budget_names for each, _ in space.exchange(v, budget))
        return None if any(len(relation.factor) > 1 for relation in joined) else self.form(budget, space)[0]

    def times(self, powers: Iterable[tuple[str, Fraction]], number: Fraction, exponent: Fraction, space: Space) -> Term:
        """Return the term times a power of a product of powers."""
        other = Term.of(dict(powers), number, space)
        factors, constants = dict(self.factors), dict(self.constants)
        for name, own in other.factors.items():
            factor = factors.get(name, Fraction(0))
            if isinstance(factor, str) or isinstance(own, str):
                raise bad(f"a function of {name} has no other form", str(self), "a power of it")
            factors[name] = factor + own * exponent
        for name, own in other.constants.items():
            constants[name] = constants.get(name, Fraction(0)) + own * exponent
        constants = {name: e for name, e in constants.items() if e}
        whole = self.number if other.number == 1 else Surd.of(self.number) * Surd.of(other.number) ** exponent
        return Term(constants, {v: factors[v] for v in space.ordered(factors)}, whole)

    def __str__(self) -> str:
        named = ((SIGNS[f].format(v), _ONE) if isinstance(f, str) else (v, f) for v, f in self.factors.items())
        return product_text(str(Surd.of(self.number)), (*self.constants.items(), *named))


@lru_cache(maxsize=256)
def monomial_of(condition: Inequality) -> Term | None:
    """Return what must be at most 1 for a condition to hold, where that is one product of powers; else None."""
    from hpgrid.formula.powers import sides

    both = sides(condition)
    if both is None or max(map(len, both)) > 1:
        return None
    ((low, above),), ((high, below),) = (side.items() for side in both)
    powers = dict(low)
    for name, exponent in high:
        powers[name] = powers.get(name, Fraction(0)) - exponent
    return Term.of({name: e for name, e in powers.items() if e}, above / below, condition.space)


def monomial_in(condition: Inequality, budget: str) -> Term | None:
    """Return what must be at most 1 for a condition to hold, in one budget, where that is one product of powers."""
    term = monomial_of(condition)
    return None if term is None else term.one(budget, condition.space)


def cap_of(condition: Inequality, *, floor: bool = False) -> tuple[str, Term] | None:
    """Return the hyperparameter that a condition caps, and the cap, where it says that and no more; else None.

    Or which one it says to be at least so large.
    """
    term = monomial_of(condition)
    if term is None or len(term.factors) != 1:
        return None
    ((name, exponent),) = term.factors.items()
    if name not in condition.space.hyperparameters or isinstance(exponent, str) or (exponent < 0) is not floor:
        return None
    constants = {constant: -e / exponent for constant, e in term.constants.items()}
    return name, Term(constants, {}, Surd.of(term.number) ** (-1 / exponent))


def all_hold(holds: Any) -> bool:
    """Return whether something holds: everywhere, where it is an array."""
    return bool(holds.all() if hasattr(holds, "all") else holds)
