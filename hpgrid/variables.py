"""What a bound depends on: hyperparameters and budgets, the range of each, and what makes one budget of another.

NumPy isn't loaded here, so that a mistake on the command line or in a file is answered at once.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Any

from hpgrid.checks import CALLED, Given, alpha_of, as_written, bad, is_number, name_here, unknown, without_unit


@dataclass(frozen=True)
class Variable:
    """A positive variable of a bound, on a log scale.

    Args:
        name: as formulas have it.
        low: the smallest value, >= 0; an open end where it is 0.
        high: the largest.
        low_open: whether ``low`` is no value itself.
        high_open: whether ``high`` is none.
        whole: whether it counts something, so that its ends are whole numbers, and axes have whole numbers of it.
        symbol: in LaTeX; by default the name's.
        words: what it is, for tables.
        complement: the name of 1 - it, as beta is that of alpha.
        sized: whether a value may have a unit, as in 512k.
    """

    name: str
    low: float = 0.0
    high: float = math.inf
    low_open: bool = False
    high_open: bool = False
    whole: bool = False
    symbol: str = ""
    words: str = ""
    complement: str = ""
    sized: bool = True

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", self.name):
            raise bad("a variable's name is letters, digits and _", self.name, "H >= 1, say")
        if not 0 <= self.low < self.high:
            instead = f"{self.name} > 0, say" if self.low < 0 else "the smaller end first"
            raise bad(f"the range of {self.name} lies above nought, its smaller end first", self.rule, instead)
        if self.whole:
            low = float(math.floor(self.low) + 1 if self.low_open or self.low == 0 else math.ceil(self.low))
            high = self.high
            if high < math.inf:
                high = float(math.ceil(high) - 1 if self.high_open else math.floor(high))
            if low >= high:
                raise bad(f"{self.name} counts something, from one whole number to another", self.rule, "a wider range")
            for field, value in (("low", low), ("high", high), ("low_open", False), ("high_open", False)):
                object.__setattr__(self, field, value)
        object.__setattr__(self, "low_open", self.low_open or self.low == 0)
        object.__setattr__(self, "high_open", self.high_open or self.high == math.inf)

    @property
    def rule(self) -> str:
        """The range in words: "0 < alpha <= 1"."""
        if self.high == math.inf:
            return f"{self.name} {'>' if self.low_open else '>='} {self.low:g}"
        return (
            f"{self.low:g} {'<' if self.low_open else '<='} {self.name} {'<' if self.high_open else '<='} {self.high:g}"
        )

    @property
    def least(self) -> float:
        """The smallest float of the range, 0 where there is none that matters."""
        return math.nextafter(self.low, math.inf) if self.low_open and self.low else self.low

    @property
    def most(self) -> float:
        """The largest float of the range, infinity where it has no end."""
        return math.nextafter(self.high, 0.0) if self.high_open and self.high < math.inf else self.high

    def check(self, value: Any) -> float:
        """Return a value as a float.

        Raises:
            ValueError: it is no finite number in the range.
        """
        value = without_unit(value) if self.sized else value
        if not (is_number(value) and value > 0 and self.least <= value <= self.most):
            raise bad(f"{self.name} must be a finite number with {self.rule}", value, f"a value with {self.rule}")
        return float(value)

    @property
    def natural(self) -> tuple[float, float]:
        """The ends of the range in natural log."""
        return (math.log(self.low) if self.low else -math.inf, math.log(self.high))


class Power(Fraction):
    """What follows a power of the budget: the exponent, and a factor beside it; b = 0.29 T^0.571, say.

    Args:
        exponent: of the budget, exact.
        factor: what it is multiplied by, > 0, exact.
    """

    factor: Fraction

    def __new__(cls, exponent: Fraction | int | str, factor: Fraction | int = 1) -> Power:
        power = super().__new__(cls, exponent)
        power.factor = Fraction(factor)
        return power

    def at(self, budget: Any) -> Any:
        """Return the value at a budget, or at an array of them."""
        value = budget ** float(self)
        return value if self.factor == 1 else float(self.factor) * value

    def text(self, budget: str) -> str:
        """Return "T^1/2", or "0.29*T^0.571": as it is written."""
        exponent = str(Fraction(self)) if self.denominator < 100 else f"{float(self):.12g}"
        return f"{budget}^{exponent}" if self.factor == 1 else f"{float(self.factor):.12g}*{budget}^{exponent}"

    def __eq__(self, other: object) -> bool:
        return super().__eq__(other) and self.factor == getattr(other, "factor", 1)

    def __hash__(self) -> int:  # type: ignore[override]
        return super().__hash__()

    def __reduce__(self) -> Any:
        return Power, (Fraction(self), self.factor)

    @classmethod
    def read(cls, name: str, given: object, budgets: Collection[str] = ("T", "K"), bare: bool = True) -> Power:
        """Return what a person says that a variable follows: 1/2, "0.571", "T^1/2" or "0.29*T^0.571".

        Args:
            name: the variable.
            given: what is said.
            budgets: of which it may be a power.
            bare: whether an exponent may stand alone.

        Raises:
            ValueError: it is no power of a budget.
        """
        if isinstance(given, Power):
            return given
        instead = f"{name}={next(iter(budgets))}^1/2, say; after ^ comes one rational number"
        found = _POWER.fullmatch(given) if isinstance(given, str) else None
        if (found is None and not bare) or (found is not None and found["base"] not in budgets):
            raise bad(f"a path is a power of the budget {' or '.join(budgets)}", f"{name}={given}", instead)
        exponent = as_written(given if found is None else "1" if found["exponent"] is None else found["exponent"])
        factor = as_written((found and found["factor"]) or 1)
        if exponent is None or factor is None:
            instead = "a fraction such as '1/2'" if bare else instead
            raise bad("the exponent of a path is a rational number", f"{name}={given}", instead)
        if factor <= 0:
            raise bad("what a path is multiplied by is positive", f"{name}={given}", instead)
        return cls(exponent, factor)


#: A power of a budget, a factor before it and its exponent behind it, each where it is not 1.
_POWER = re.compile(
    r" *(?:(?P<factor>[0-9.]+(?:/[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?) *\*? *)?(?P<base>[A-Za-z]\w*)"
    r"(?: *(?:\^|\*\*) *\(?(?P<exponent>[^() ]{0,40})\)?)? *"
)


@dataclass(frozen=True)
class Relation:
    """How a budget follows from another: T = K b, say.

    Args:
        name: the budget that is defined.
        other: that which it is defined by.
        factor: what the other is multiplied by, a sum of powers of hyperparameters and constants.
        text: as it was written.
    """

    name: str
    other: str
    factor: tuple[tuple[tuple[tuple[str, Fraction], ...], Fraction], ...]
    text: str

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names in the factor."""
        return tuple(dict.fromkeys(name for powers, _ in self.factor for name, _ in powers if not name.isdigit()))


#: A factor of an exchange of budgets, and its exponent, 1 or -1.
Exchange = tuple[tuple["Relation", int], ...]


@dataclass(frozen=True)
class Space:
    """The variables of a bound, in canonical order: results keep it, and ties go to the first cell in it.

    Args:
        tunable: the hyperparameters.
        budgets: what a run costs, in one or several units: an optimum is asked for along one of them.
        relations: what makes one of them of another.
    """

    tunable: tuple[Variable, ...]
    budgets: tuple[Variable, ...]
    relations: tuple[Relation, ...] = ()

    @cached_property
    def all(self) -> dict[str, Variable]:
        """Every variable by its name."""
        return {variable.name: variable for variable in (*self.tunable, *self.budgets)}

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Every name, in canonical order."""
        return tuple(self.all)

    @cached_property
    def hyperparameters(self) -> tuple[str, ...]:
        """The names of the hyperparameters."""
        return tuple(variable.name for variable in self.tunable)

    @cached_property
    def budget_names(self) -> tuple[str, ...]:
        """The names of the budgets."""
        return tuple(variable.name for variable in self.budgets)

    @cached_property
    def complements(self) -> dict[str, str]:
        """Of each name that means 1 - a variable, the variable."""
        names = ((self.complement_of(name), name) for name in self.all)
        return {complement: name for complement, name in names if complement}

    def complement_of(self, name: str) -> str | None:
        """Return the name of 1 - a variable: beta of alpha, "1 - delta" of another; None where it may exceed 1."""
        variable = self.all.get(name)
        return None if variable is None or variable.high != 1 else variable.complement or f"1 - {name}"

    def of_complement(self, name: str) -> str | None:
        """Return the variable of which a name means 1 - it: alpha of beta, momentum or 1-alpha; else None."""
        here = name if name in self.words else CALLED.get(name, name)
        written = re.fullmatch(r"1 *- *(\w+)", here)
        if written:
            return written[1] if self.complement_of(written[1]) else None
        return self.complements.get(here)

    @cached_property
    def words(self) -> tuple[str, ...]:
        """What a formula may name beside constants: variables, a complement after its own."""
        both = ((v.name, v.complement) for v in (*self.tunable, *self.budgets))
        return tuple(name for pair in both for name in pair if name)

    @cached_property
    def batch(self) -> str | None:
        """The batch size, by which tokens are made of iterations, T = K b; None where there is none."""
        single = [r for r in self.relations if (r.name, r.other) == ("T", "K") and len(r.factor) == 1]
        powers = single[0].factor[0][0] if single and single[0].factor[0][1] == 1 else ()
        return powers[0][0] if len(powers) == 1 and powers[0][1] == 1 and powers[0][0] in self.all else None

    def with_floors(self, floors: Mapping[str, Given]) -> Space:
        """Return the space with larger smallest values of some hyperparameters.

        Raises:
            ValueError: there is no such hyperparameter, or no such value of it.
        """
        for name in floors:
            if name not in self.hyperparameters:
                raise unknown("hyperparameter with a floor", name, self.hyperparameters)
        low = {name: self.given(name, floor) for name, floor in floors.items()}
        tunable = (replace(v, low=low[v.name], low_open=False) if v.name in low else v for v in self.tunable)
        return replace(self, tunable=tuple(tunable))

    def ordered(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return names in canonical order, those that are no variables left out."""
        given = set(names)
        return tuple(name for name in self.names if name in given)

    def check(self, name: str, value: Any) -> float:
        """Return the value of a variable as a float.

        Raises:
            ValueError: there is no such variable, or it can't have that value.
        """
        if name not in self.all:
            raise unknown("axis", name, self.names)
        return self.all[name].check(value)

    def given(self, name: str, value: Any) -> float:
        """Return the value that a person gives a variable as a float: of what counts something, a whole number.

        Raises:
            ValueError: as ``check``, or it is no whole number.
        """
        number = self.check(name, value)
        if self.all[name].whole and number % 1:
            raise bad(f"{name} is a whole number", value, f"{name}={max(round(number), 1)}, say")
        return number

    def exchange(self, old: str, new: str) -> Exchange:
        """Return what a budget is over another: relations whose factors, to 1 or -1, multiply to old/new.

        Raises:
            ValueError: there is no relation between the two.
        """
        ways = self._ways(new)
        if old not in ways:
            rule = f"two budgets take a relation between them, and {old} and {new} have none"
            raise bad(rule, self.relation_text, f"{old} = {new}*..., say")
        return ways[old]

    def joined(self, budget: str) -> tuple[str, ...]:
        """Return the budgets that one can be exchanged for, itself among them."""
        return self.ordered(self._ways(budget))

    def _ways(self, new: str) -> dict[str, Exchange]:
        """How each budget that is joined to one follows from it."""
        ways: dict[str, Exchange] = {new: ()}
        pending = [new]
        while pending:
            known = pending.pop(0)
            for relation in self.relations:
                for one, other, sign in ((relation.name, relation.other, 1), (relation.other, relation.name, -1)):
                    if other == known and one not in ways:
                        ways[one] = (*ways[known], (relation, sign))
                        pending.append(one)
        return ways

    def reached(self, old: str, new: str) -> tuple[str, ...]:
        """Return the hyperparameters that an exchange of budgets depends on."""
        return self.ordered(name for relation, _ in self.exchange(old, new) for name in relation.names)

    def under(self, names: Iterable[str], budget: str) -> set[str]:
        """Return variables where every run is counted in one budget: another is that one and what joins them."""
        own = set(names)
        for other in own & {*self.budget_names} - {budget}:
            own = own - {other} | {budget, *self.reached(other, budget)}
        return own

    def constants_between(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return the constants in the relations of the budgets among some variables."""
        of = {*names} & {*self.budget_names}
        known = {*self.all, *self.complements}
        return tuple(name for r in self.relations if {r.name, r.other} & of for name in r.names if name not in known)

    @property
    def relation_text(self) -> str:
        """The relations as they were written."""
        return ", ".join(relation.text for relation in self.relations) or "no relation"


def exchanged(space: Space, old: str, new: str, at: Mapping[str, Any]) -> Any:
    """Return the value of a budget by that of another, elementwise.

    Args:
        space: which has a relation between the two.
        old: the budget whose value is asked for.
        new: that which ``at`` has.
        at: by name the other budget, hyperparameters, constants.
    """
    value = at[new]
    for relation, sign in space.exchange(old, new):
        total: Any = None
        for powers, number in relation.factor:
            product: Any = None if number == 1 and powers else float(number)
            for name, exponent in powers:
                x = float(name) if name.isdigit() else at[name]
                x = x if exponent == 1 else x ** float(exponent)
                product = x if product is None else product * x
            total = product if total is None else total + product
        value = value * total if sign > 0 else value / total
    return value


def settings(given: Mapping[str, Any], space: Space | None = None) -> dict[str, Any]:
    """Return values by what they are of: lr is eta, and a beta is the alpha that is its complement.

    Raises:
        ValueError: a beta out of its range, or two names of one thing.
    """
    found: dict[str, Any] = {}
    names: dict[str, str] = {}
    space = STANDARD if space is None else space
    for name, value in given.items():
        here = name_here(name, space.words)
        if of := space.of_complement(name):
            value, here = alpha_of(value, here), of
        if here in found:
            momentum = here == "alpha" and "beta" in space.complements
            rule = "momentum is given once, and beta is 1 - alpha" if momentum else f"{here} is given once"
            raise bad(rule, f"{names[here]} and {name}", "one of the two")
        found[here], names[here] = value, name
    return found


def ends_of(floors: Mapping[str, Any], caps: Mapping[str, Any], space: Space) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return smallest and largest values by the variables that they are of: the smallest beta is 1 - the largest alpha.

    Raises:
        ValueError: as ``settings``.
    """
    turned = {name for name in (*floors, *caps) if space.of_complement(name)}
    low, high = (
        {name: x for name, x in own.items() if name not in turned} | {n: x for n, x in other.items() if n in turned}
        for own, other in ((floors, caps), (caps, floors))
    )
    return settings(low, space), settings(high, space)


_ONE = Fraction(1)

#: What results say beside the best values of variables: no variable has such a name.
RESULTS = ("risk", "log_risk", "converged")

#: The variables that a bound has unless it declares others: Shulgin et al.'s, momentum as its complement 1 - beta.
STANDARD = Space(
    (
        Variable("eta", words="learning rate", sized=False),
        Variable("b", 1.0, words="batch size in tokens"),
        Variable("alpha", 0.0, 1.0, words="momentum complement 1 - beta", complement="beta", sized=False),
    ),
    (Variable("T", 1.0, words="tokens"), Variable("K", words="iterations")),
    (Relation("T", "K", (((("b", _ONE),), _ONE),), "T = K*b"),),
)

#: In what each is counted, as files have it; the others have no unit.
COUNTED_IN = {"b": "tokens", "T": "tokens", "K": "iterations"}

#: The canonical order of its axes: every result keeps it, and ties go to the first cell in it.
AXES = STANDARD.names

#: Its hyperparameters; the two others are budgets, of which a grid has one.
TUNABLE = STANDARD.hyperparameters


def check_value(name: str, value: Any) -> float:
    """Return the value of a standard variable as a float; b, T and K may be text with a unit.

    Raises:
        ValueError: there is no such variable, or it can't have that value.
    """
    return STANDARD.check(name, value)
