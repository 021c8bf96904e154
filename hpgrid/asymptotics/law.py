"""The asymptotics of a bound as plain records, and as text, LaTeX and data for JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, NamedTuple

from hpgrid.answer import Answer, Pictured, Result
from hpgrid.asymptotics.monomial import Monomial, power, quotient, symbol_text
from hpgrid.checks import bad, without_unit
from hpgrid.text import exponent_text
from hpgrid.variables import Power

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike, NDArray


Range = tuple[Fraction | None, Fraction | None]


@dataclass(frozen=True, repr=False)
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
        """The exponent of every constant, fixed variable and cap; where the law is numeric, of those without a value.

        A coefficient that was merged and is no monomial is a key in text form, such as "1 + alpha".
        """
        return {symbol_text(symbol): power for symbol, power in (self._written / self.number).powers}

    @property
    def number(self) -> Monomial:
        """What stands beside ``powers``: an exact number, but where the law is numeric."""
        return self._written.number()

    @property
    def _written(self) -> Monomial:
        return self.coefficient.evaluated(self.values) if self.numeric else self.coefficient

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
        return np.asarray(self.constant * np.asarray(without_unit(budget), np.float64) ** float(self.exponent))

    def right(self) -> str:
        """Return what stands right of the equals sign, as text; a number where the constant has no closed form."""
        return (self._written * power(self.budget, self.exponent)).text()

    def in_numbers(self) -> str:
        """Return the right side with the value of its constant, as far as it has one."""
        return (self.coefficient.evaluated(self.values) * power(self.budget, self.exponent)).text()

    def text(self) -> str:
        """Return the law as text: alpha* = 2 C1^1/2 C3^1/2 C2^-1 b T^-1/2."""
        # A law of the budget itself is no optimum.
        return f"{quotient(self.left, '' if self.budget in self.left else '*')} = {self.right()}"

    def latex(self) -> str:
        """Return the law as LaTeX."""
        left = quotient(self.left, "" if self.budget in self.left else r"^{\star}", latex=True)
        return f"{left} = {(self._written * power(self.budget, self.exponent)).latex()}"

    __repr__ = text

    def as_dict(self) -> dict[str, Any]:
        """Return the law as it stands in ``Law.as_dict``."""
        named = {name: getattr(self, name) for name in ("exponent", "powers", "constant", "numeric")}
        exact = {} if self.numeric else {symbol_text(symbol): power for symbol, power in self.number.powers}
        number = {"number": self.number.value({}), "number_powers": exact}
        return {"text": self.text(), "latex": self.latex(), **named, **number}


class Level(NamedTuple):
    """One level: what it minimises, and what it leaves.

    Attributes:
        exponent: the exponent of what is minimised.
        terms: the terms that have it at every optimal point, as the bound has them.
        weights: their dual weights, with sum 1: the proof that the exponent is the minimum. Where more terms meet than
            that takes, or a bound holds a variable, as alpha <= 1 does, a term may have none and yet a share.
        shares: the share of each in their sum at the optimum: exact, or computed; None where that hangs on a symbol
            without a value, and no shares where the optimum does.
        null: the directions that stay free, as {variable: step}.
    """

    exponent: Fraction
    terms: tuple[str, ...]
    weights: tuple[Fraction, ...]
    shares: tuple[Fraction | float | None, ...]
    null: tuple[dict[str, Fraction], ...]


class Identified(NamedTuple):
    """A monomial in the tuned variables that the leading order fixes."""

    powers: Mapping[str, Fraction]
    exponent: Fraction
    law: PowerLaw | None

    def __str__(self) -> str:
        return quotient(self.powers)


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


@dataclass(frozen=True, repr=False)
class Law(Result, Pictured):
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
        approached: of these, those with an end that is no part of it, as w < 1: the variable tends to it.
        starts: for a variable that leaves a bound, the budget from which it does.
        segments: along a path, how the exponents depend on the path's.
        branches: of each maximum in the bound that the levels fix, by its text, the branches that it is at the optimum.
        other_budgets: of each budget that is joined to this one, its exponent at the optimum, as K's where b is tuned.
    """

    name: str
    budget: str
    tuned: tuple[str, ...]
    path: Mapping[str, Power]
    exponent: Mapping[str, Fraction | None]
    laws: Mapping[str, PowerLaw | None]
    levels: tuple[Level, ...]
    flat: Mapping[str, Range]
    identifiable: tuple[Identified, ...]
    unbounded: Mapping[str, Unbounded]
    active: Mapping[str, str]
    starts: Mapping[str, PowerLaw]
    segments: tuple[Segment, ...] = ()
    branches: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    other_budgets: Mapping[str, Fraction] = field(default_factory=dict)
    approached: Mapping[str, str] = field(default_factory=dict)

    @property
    def attained(self) -> bool:
        """Whether the risk has a minimum; else its law is that of its infimum, which is 0 where there is none."""
        return not (self.unbounded or self.approached)

    def __repr__(self) -> str:
        paths = [f"{name} = {_path(self.budget, each)}" for name, each in self.path.items()]
        heading = "; ".join([f"{self.name}, {self.budget} to infinity", f"tuned {', '.join(self.tuned)}", *paths])
        return "\n".join([heading, *_laws(self)])

    def answer(self) -> Answer:
        """Return what it says: the laws, and in details what decides."""
        details = [*_levels(self), *_segments(self)]
        adds = "the terms that decide, level by level" + (", and other paths" if self.segments else "")
        return Answer((), [[*repr(self).splitlines(), *_notes(self)]], [details], adds if details else "")

    def lines(self) -> list[str]:
        """Return the whole report in lines, the bound and its regime first, however long they are."""
        return [*repr(self).splitlines(), *_levels(self), *_notes(self), *_segments(self)]

    def latex(self) -> str:
        """Return the laws as LaTeX, one per line of an align environment."""
        signs = {name: r" &\to " if name in self.approached else " &= " for name in self.laws}
        lines = [law.latex().replace(" = ", signs[v], 1) for v, law in self.laws.items() if law is not None]
        return "\\begin{align}\n" + " \\\\\n".join(lines) + "\n\\end{align}"

    def _repr_latex_(self) -> str:
        return self.latex()

    def to_dataframe(self) -> Any:
        """Return the laws as a pandas DataFrame: a row a quantity, its exponent exact and as a float, its whole law."""
        import pandas

        names = [name for name, exponent in self.exponent.items() if exponent is not None]
        laws = [self.laws[name] for name in names]
        columns = {
            "exponent": [float(self.exponent[name] or 0) for name in names],
            "exact": [str(self.exponent[name]) for name in names],
            "law": [None if law is None else law.text() for law in laws],
            "constant": [None if law is None else law.constant for law in laws],
        }
        return pandas.DataFrame(columns, index=pandas.Index(names, name="quantity"))

    def panels(self, budgets: Iterable[float] | None = None) -> dict[str, Callable[[Axes], None]]:
        """Return what draws each whole law against increasing budgets.

        Where None, against the paper's (its footnote 3), from where every variable has left the bounds that it leaves.

        Raises:
            ValueError: the budgets are no values of an axis, or there is no whole law.
        """
        from hpgrid.grid import Grid, LogAxis
        from hpgrid.plotting.lines import against

        if budgets is None:
            begin = max((start.constant or 0.0 for start in self.starts.values() if start is not None), default=0.0)
            every = Grid.footnote().axes["T"].values
            values = every[every >= begin] if begin < every[-2] else every
        else:
            values = LogAxis.from_values(without_unit(budgets)).values
        laws = {name: law for name, law in self.laws.items() if law is not None}
        if not laws:
            raise bad("there is no whole law to be drawn", self.name, "other roles, or a cap")

        def draw(axes: Axes, name: str, law: PowerLaw) -> None:
            against(axes, values, law.at(values)[None], None, (self.budget, name))

        return {name: partial(draw, name=name, law=law) for name, law in laws.items()}

    def as_dict(self) -> dict[str, Any]:
        """Return the whole report as plain data for JSON; fractions are strings."""
        from hpgrid.record import plain

        own = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "name"}
        for name in ("branches", "approached"):  # a bound without them says nothing of them
            if not own[name]:
                del own[name]
        for name in ("laws", "starts"):
            own[name] = {key: law and law.as_dict() for key, law in own[name].items()}
        # A monomial by its name, beside its powers.
        own["identifiable"] = [
            {"monomial": str(each), **each._asdict(), "law": each.law and each.law.as_dict()}
            for each in self.identifiable
        ]
        return dict(plain({"bound": self.name, **own, "attained": self.attained}))


def _grows(budget: str, exponent: Fraction) -> str:
    if exponent == 0:
        return "1"
    return budget if exponent == 1 else f"{budget}^{exponent_text(exponent)}"


def _laws(law: Law) -> Iterator[str]:
    names = ("risk", *law.tuned)
    width = max(len(name) for name in names) + 1
    off = f"{' and '.join(law.unbounded)} {'have' if len(law.unbounded) > 1 else 'has'} no best value"
    ends = [f"{text} leaves its end out" for text in dict.fromkeys(law.approached.values())]
    infimum = f"not attained: {' and '.join([off] * bool(law.unbounded) + ends)}"
    for name in names:
        whole, exponent = law.laws[name], law.exponent[name]
        if whole is not None:
            note = f"{'->' if name in law.approached else '='} {whole.right()}" + (
                "  (computed: no closed form)" if whole.numeric else _in_numbers(whole)
            )
            note += f"  (infimum, {infimum})" if name == "risk" and not law.attained else ""
        elif name == "risk" and not law.levels:
            note = f"= none: infimum 0, {infimum}"
        elif exponent is not None:
            note = f"~ {_grows(law.budget, exponent)}, its constant undecided"
        elif name in law.unbounded:
            end, cure = "infinity" if law.unbounded[name].direction > 0 else "0", law.unbounded[name].cure
            note = f"= none: it runs to {end}" + (f"; {cure} would stop it" if cure else "")
        elif name in law.flat:
            note = f"= undetermined, ~ {law.budget}^p with p {_range(law.flat[name])}"
        else:
            note = "= none"
        yield f"{name + '*':<{width}} {note}"


def _in_numbers(law: PowerLaw) -> str:
    """A law's right side in numbers, where every symbol has a value and the constant is no fraction already."""
    plain = law.constant is None or law.coefficient.rational() is not None or law.in_numbers() == law.right()
    return "" if plain else f"  = {law.in_numbers()}"


def _range(ends: Range) -> str:
    lo, hi = ends
    if lo is None and hi is None:
        return "any"
    if lo is None or hi is None:
        return f">= {lo}" if hi is None else f"<= {hi}"
    return f"from {lo} to {hi}"


def _short(share: Fraction | float | None) -> str:
    """A share: a fraction of few digits, or three digits of it."""
    return str(share) if isinstance(share, Fraction) and share.denominator < 1000 else f"{float(share or 0):.3g}"


def _levels(law: Law) -> Iterator[str]:
    for k, level in enumerate(law.levels):
        shares = [""] * len(level.terms) if None in level.shares else [f" ({_short(x)})" for x in level.shares]
        terms = ", ".join(term + share for term, share in zip_longest(level.terms, shares, fillvalue=""))
        flat = []
        for direction in level.null:
            moving = {name: str(step) for name, step in direction.items() if step}
            several = f"({', '.join(moving)}) = ({', '.join(moving.values())})"
            flat.append(several if len(moving) > 1 else next(iter(moving)))
        free = f"; flat along {' and '.join(flat)}" if flat else ""
        order = _grows(law.budget, level.exponent) if level.exponent else "a constant"
        yield f"{'levels: ' if k == 0 else ' ' * 8}{k + 1}: {order} from {terms}{free}"


def _notes(law: Law) -> Iterator[str]:
    if law.levels and law.levels[0].null and law.identifiable:
        fixed = (f"{each} ~ {_grows(law.budget, each.exponent)}" for each in law.identifiable)
        yield f"fixed by level 1: {', '.join(fixed)}"
    for name, branches in law.branches.items():
        yield f"{name} = {' = '.join(branches)} at the optimum"
    if law.active:
        yield f"on a bound: {', '.join(dict.fromkeys(law.active.values()))}"
    for other, of in law.other_budgets.items():
        if of > 0 and of != 1:
            own = (f"{v}* ~ {_grows(other, e / of)}" for v, e in law.exponent.items() if e is not None)
            yield f"{other} ~ {_grows(law.budget, of)} at the optimum, so that in {other} {', '.join(own)}"
        elif of <= 0:
            yield f"{other} ~ {_grows(law.budget, of)} at the optimum: it does not grow"
    for name, start in law.starts.items():
        yield f"{name} leaves its bound at {start.text()}{_in_numbers(start)}"


def _path(budget: str, path: Power) -> str:
    return _grows(budget, path) if path.factor == 1 else path.text(budget)


def _segments(law: Law) -> Iterator[str]:
    if len(law.path) != 1:
        return
    (name,) = law.path
    for before, after in zip(law.segments, law.segments[1:]):
        for variable in after.active.keys() - before.active.keys():
            yield f"{variable} reaches its bound ({after.active[variable]}) at {name} = {_grows(law.budget, after.lo)}"
    for segment in law.segments:
        exponents = (
            f"{v} ~ {law.budget}^({line})" if line.slope else f"{v} ~ {_grows(law.budget, line.intercept)}"
            for v, line in segment.exponent.items()
            if line is not None
        )
        yield f"{name} = {law.budget}^phi, phi from {segment.lo} to {segment.hi}: {', '.join(exponents)}"
