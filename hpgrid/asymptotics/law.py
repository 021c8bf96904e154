"""What the asymptotics of a bound are: plain records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

from hpgrid.asymptotics import notation, report
from hpgrid.asymptotics.monomial import Monomial
from hpgrid.checks import bad

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

Range = tuple[Fraction | None, Fraction | None]


@dataclass(frozen=True)
class PowerLaw:
    """A whole law: left = coefficient x budget^exponent.

    Attributes:
        left: what the law is of: a variable, "risk", a monomial such as eta/b, or the budget itself.
        coefficient: the constant, as an exact expression where it has one.
        budget: "T" or "K".
        exponent: the exponent of the budget.
        values: the values of the symbols, as far as they are known.
    """

    left: Mapping[str, Fraction]
    coefficient: Monomial
    budget: str
    exponent: Fraction
    values: Mapping[str, float]

    @property
    def numeric(self) -> bool:
        """Whether the constant was computed and has no closed form."""
        return self.coefficient.is_numeric()

    @property
    def powers(self) -> dict[str, Fraction]:
        """The exponent of every constant, fixed variable and cap; none where the law is numeric.

        A coefficient that was merged and is no monomial is a key in text form, such as "1 + alpha".
        """
        if self.numeric:
            return {}
        powers = ((symbol, power) for symbol, power in self.coefficient.powers if not isinstance(symbol, int))
        return {notation.symbol_text(symbol): power for symbol, power in powers}

    @property
    def constant(self) -> float | None:
        """The value of the coefficient, or None where a symbol in it has no value."""
        return self.coefficient.value(self.values)

    def at(self, budget: ArrayLike) -> NDArray[np.float64]:
        """Return the law's value at some budgets.

        Raises:
            ValueError: a symbol of the constant has no value.
        """
        import numpy as np

        if self.constant is None:
            missing = ", ".join(sorted(self.coefficient.symbols() - set(self.values)))
            raise bad("this law needs a value for each of its symbols", self.text(), f"fixed with a value of {missing}")
        return np.asarray(self.constant * np.asarray(budget, np.float64) ** float(self.exponent))

    def text(self) -> str:
        """Return the law as text: alpha* = 2 C1^1/2 C3^1/2 C2^-1 b T^-1/2."""
        return report.law_text(self)

    def latex(self) -> str:
        """Return the law as LaTeX."""
        return report.law_latex(self)


class Level(NamedTuple):
    """One level: what it minimises, and what it leaves.

    Attributes:
        exponent: the exponent of what is minimised.
        terms: the terms that have it at every optimal point, as the bound has them.
        weights: their dual weights, with sum 1: the proof that the exponent is least.
        null: the directions that stay free, as {variable: step}.
    """

    exponent: Fraction
    terms: tuple[str, ...]
    weights: tuple[Fraction, ...]
    null: tuple[dict[str, Fraction], ...]


class Identified(NamedTuple):
    """A monomial in the tuned variables that the leading order fixes."""

    powers: Mapping[str, Fraction]
    exponent: Fraction
    law: PowerLaw | None

    def __str__(self) -> str:
        return notation.monomial_text(self.powers)


class Unbounded(NamedTuple):
    """A variable without an optimum: +1, it runs to infinity; -1, to zero; and what would stop it."""

    direction: int
    cure: str


class Line(NamedTuple):
    """slope phi + intercept: an exponent along a family of paths."""

    slope: Fraction
    intercept: Fraction

    def at(self, phi: Fraction) -> Fraction:
        """Return the exponent at one phi."""
        return self.slope * phi + self.intercept

    def __str__(self) -> str:
        slope = {1: "phi", -1: "-phi"}.get(int(self.slope), "") if abs(self.slope) == 1 else f"{self.slope} phi"
        if not self.slope:
            return str(self.intercept)
        sign = "-" if self.intercept < 0 else "+"
        return f"{slope} {sign} {abs(self.intercept)}" if self.intercept else slope


class Segment(NamedTuple):
    """A range of paths x = budget^phi along which every exponent is linear in phi.

    Attributes:
        lo: where it begins.
        hi: where it ends.
        exponent: for each tuned variable and "risk", its exponent; None where it has none.
        active: the bounds that hold the optimum there, by variable.
    """

    lo: Fraction
    hi: Fraction
    exponent: Mapping[str, Line | None]
    active: Mapping[str, str]


@dataclass(frozen=True)
class Law:
    """The exact asymptotics of a bound in a regime.

    Attributes:
        name: the bound.
        budget: "T" or "K".
        tuned: the tuned variables.
        path: the variables that follow a power of the budget.
        exponent: d log x* / d log budget for each tuned variable and "risk"; None where there is none.
        laws: the whole laws, under the same names; None where there is none.
        levels: what decides, level by level.
        flat: variables that stay undetermined, with the range of their exponent (None: no end).
        identifiable: monomials that the first level fixes.
        unbounded: variables that run to infinity or to zero.
        active: the bounds that hold the optimum, by variable.
        starts: for a variable that leaves a bound, the budget from which it does.
        segments: along a path, how the exponents depend on the path's.
    """

    name: str
    budget: str
    tuned: tuple[str, ...]
    path: Mapping[str, Fraction]
    exponent: Mapping[str, Fraction | None]
    laws: Mapping[str, PowerLaw | None]
    levels: tuple[Level, ...]
    flat: Mapping[str, Range]
    identifiable: tuple[Identified, ...]
    unbounded: Mapping[str, Unbounded]
    active: Mapping[str, str]
    starts: Mapping[str, PowerLaw]
    segments: tuple[Segment, ...] = ()

    def text(self) -> str:
        """Return the whole report as text."""
        return report.text(self)

    def latex(self) -> str:
        """Return the laws as LaTeX, one per line of an align environment."""
        return report.latex(self)

    def as_dict(self) -> dict[str, Any]:
        """Return the whole report as plain data for JSON; fractions are strings."""
        return report.as_dict(self)
