"""A bound as a sum of terms: plain data that every route reads, in K form and in T form."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import reduce
from typing import TYPE_CHECKING, Any, Self, SupportsFloat

from hpgrid.checks import Given, bad, changed, check_constants, unknown
from hpgrid.formula.quantity import names_in, worth, written
from hpgrid.term import FUNCTIONS, Factor, Term, all_hold, cap_of, evaluate_factor, monomial_in, monomial_of
from hpgrid.text import number
from hpgrid.variables import STANDARD, Power, Space, ends_of, exchanged

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    from hpgrid.formula.node import Node
    from hpgrid.formula.syntax import Inequality


class _Bound:
    """What sums of terms and functions share: a budget, constants, and a domain, of which caps are a part."""

    constants: Mapping[str, float]
    budget: str
    caps: Mapping[str, float]
    cap_terms: Mapping[str, Term]
    domain: tuple[Inequality, ...]
    name: str
    space: Space
    _own_caps: Mapping[str, float]

    def __post_init__(self) -> None:
        if self.budget not in self.space.budget_names:
            raise unknown("budget", self.budget, self.space.budget_names)
        object.__setattr__(self, "constants", check_constants(self.constants))
        if self.domain:
            from hpgrid.formula.syntax import read_domain

            object.__setattr__(self, "domain", read_domain(self.domain, self.space))
            for condition in self.domain:
                self._check_condition(condition)
        self.check_numbers(self.constants)
        self._check_caps()

    @property
    def formula(self) -> str:
        """The bound as text, as far as it has one."""
        raise NotImplementedError

    def __repr__(self) -> str:
        constants = ", ".join(f"{name} = {number(x)}" for name, x in self.constants.items())
        where = " and ".join(condition.text for condition in self.domain)
        told = [f"{self.name}: {self.formula}", *filter(None, (constants, where and f"where {where}"))]
        return f"{type(self).__name__}({'; '.join(told)})"

    def _check_condition(self, condition: Inequality) -> None:
        """Refuse a condition that names what the bound lacks, or no variable at all."""
        monomial_of(condition)  # what holds always, or never, is none
        named = condition.variables(self.budget)
        for name in condition.constants():
            if name not in self.constants:
                rule = f"every name in the domain but those of variables is a constant of the bound {self.name}"
                raise bad(rule, condition.text, f"a value of it: {name}=1.0, say")
        if not named:
            rule = f"a domain says where {', '.join(self.space.names[:-1])} or {self.space.names[-1]} may be"
            raise bad(rule, condition.text, "eta <= 1/L, say")
        # A condition on b may be about the other form alone.
        bare, own = changed(self, domain=()), {*self.space.budget_names}
        own |= {v for budget in self.space.joined(self.budget) for v in bare.form(budget).depends_on()}
        for v in named:
            if v not in own:
                rule = f"the domain is about {v}, which the bound {self.name} does not depend on"
                raise bad(rule, condition.text, "a condition on what it depends on")

    def _check_caps(self) -> None:
        lifted = math.inf if 0.0 in self.constants.values() else None
        following = {name: end for name, end in self.following(self.constants).items() if end != lifted}
        # Those that follow from constants are other ones at others; a copy by ``replace`` is given them all.
        given = {name: x for name, x in self.caps.items() if x != following.get(name)}
        own = vars(self).setdefault("_own_caps", given)
        for name in (*own, *following):
            if name not in self.space.hyperparameters:
                raise unknown("hyperparameter to cap", name, self.space.hyperparameters)
        for name, end in following.items():
            variable = self.space.all[name]
            if end < variable.low or (end == variable.low and variable.low_open):
                rule = f"{variable.rule}, so that no {name} is left in the bound's domain"
                raise bad(rule, f"{name} <= {end:g}", "a larger end")
        caps = {
            v: min(x for x in (own.get(v), following.get(v)) if x is not None)
            for v in self.space.hyperparameters
            if v in own or v in following
        }
        object.__setattr__(self, "caps", {name: self.space.check(name, value) for name, value in caps.items()})
        for condition in self.domain:
            name, least = cap_of(condition, floor=True) or ("", None)
            high = self.caps.get(name, self.space.all[name].high) if name else math.inf
            if least is not None and least.coefficient(self.constants) > high:
                rule = f"{name} <= {high:g}, so that no {name} is left in the bound's domain"
                raise bad(rule, condition.text, "a smaller end")

    def following(self, constants: Mapping[str, Any]) -> dict[str, Any]:
        """Return the caps that follow from the domain and ``cap_terms``: numbers, or arrays as the constants are.

        One that a constant of 0 lifts is +inf.
        """
        caps = {name: term.coefficient(constants) for name, term in self.cap_terms.items()}
        for condition in self.domain:
            found = cap_of(condition)
            if found is None:
                continue
            name, term = found
            value = term.coefficient(constants)
            if condition.strict:
                value = _below(value)
            most = self.space.all[name].high
            ends = [value, *([caps[name]] if name in caps else []), *([most] if most < math.inf else [])]
            caps[name] = reduce(_smaller, ends)
        return caps

    def caps_at(self, constants: Mapping[str, Any]) -> dict[str, Any]:
        """Return the caps at other values of the constants: numbers, or arrays as those are."""
        caps = {**self._own_caps}
        for name, cap in self.following(constants).items():
            caps[name] = _smaller(caps[name], cap) if name in caps else cap
        return {name: cap for name, cap in caps.items() if not (isinstance(cap, float) and cap == math.inf)}

    def _with_domain(self, variables: Iterable[str]) -> tuple[str, ...]:
        """Variables and those that the domain is about, in canonical order."""
        every = {*variables, *(v for condition in self.domain for v in condition.variables(self.budget))}
        return self.space.ordered(every)

    @property
    def walls(self) -> tuple[Inequality, ...]:
        """The conditions of the domain that are no caps."""
        return tuple(condition for condition in self.domain if cap_of(condition) is None)

    def check_held(self, held: Mapping[str, float]) -> None:
        """Refuse values of variables that lie outside the domain, whatever the others are.

        Raises:
            ValueError: they do.
        """
        for wall in self.walls:
            if set(wall.variables(self.budget)) <= set(held):
                from hpgrid.formula.function import holds

                if not holds(wall, {**self.constants, **held}):
                    raise bad("what is held lies outside the bound's domain", wall.text, "other values")

    def check_numbers(self, constants: Mapping[str, Any]) -> None:
        """Refuse constants that the bound or its domain divides by where they are 0, or that leave nothing of it.

        Args:
            constants: all of them: numbers, or arrays.

        Raises:
            ValueError: which, and where.
        """
        for term in self.cap_terms.values():
            term.check(constants)
        zeros = [name for name, x in constants.items() if not all_hold(x != 0)]
        if zeros:
            from hpgrid.formula.function import check_divisors

            for condition in self.domain:
                for side in (condition.low, condition.high):
                    check_divisors(side, zeros)

    def present(self) -> Self:
        """Return the bound without the terms that a constant of 0 makes nought."""
        return self

    def everywhere(self) -> Self:
        """Return the bound without its domain."""
        return changed(self, caps={}, _own_caps={}, cap_terms={}, domain=())

    def as_function(self) -> FunctionProxy:
        """Return the bound as one that is given by a function."""
        raise NotImplementedError

    def variables(self) -> tuple[str, ...]:
        """Return the variables that the bound contains, in canonical order."""
        raise NotImplementedError

    def depends_on(self) -> tuple[str, ...]:
        """Return the variables that change the bound."""
        raise NotImplementedError

    def hyperparameters(self) -> tuple[str, ...]:
        """Return those of its variables that are no budgets, in canonical order."""
        return tuple(v for v in self.space.hyperparameters if v in self.variables())

    def behind(self, walls: Iterable[Inequality]) -> FunctionProxy:
        """Return the bound as a function that is +inf where one of some conditions does not hold."""
        whole, walls = self.as_function(), tuple(walls)
        reached = {v for wall in walls for v in wall.variables(self.budget)} | {*whole.variables()}
        function = _Walled(whole.function, walls, self.budget, self.space)
        return changed(whole, function=function, uses=self.space.ordered(reached))

    def with_constants(self, **constants: SupportsFloat) -> Self:
        """Return the bound with other values for some of its constants."""
        for name in constants:
            if name not in self.constants:
                raise unknown("constant", name, self.constants)
        self.check_numbers({**self.constants, **check_constants(constants)})
        moved = self.at_constants(check_constants(constants))
        moved._check_caps()
        return moved

    def with_floors(self, **floors: Given) -> Self:
        """Return the bound with hyperparameters that are at least so large: eta >= 1e-7, say, or beta >= 0.9."""
        low, high = ends_of(floors, {}, self.space)
        domain: Any = (*self.domain, *(f"{v} <= {x!r}" for v, x in high.items()))
        floored = changed(self, space=self.space.with_floors(low), domain=domain)
        if high:
            floored.__post_init__()  # which reads the domain
        return floored

    def at_constants(self, constants: Mapping[str, float]) -> Self:
        """Return the bound as ``with_constants`` does, of values that were asked where they came in."""
        own = {**self.constants, **constants}
        return changed(self, constants=own, caps=self.caps_at(own))

    def form(self, budget: str) -> Self:
        """Return the bound in another budget, by what joins the two: K = T/b.

        Source: Shulgin et al., eq. (4) from eq. (3).
        """
        if budget == self.budget:
            return self
        if budget not in self.space.budget_names:
            raise unknown("budget", budget, self.space.budget_names)
        return changed(self, budget=budget, **self._in_other(budget))

    def _in_other(self, budget: str) -> dict[str, Any]:
        raise NotImplementedError

    @property
    def min_K(self) -> float | None:
        """The smallest number of iterations that the bound is meant for: a sum of powers has none of its own."""
        return None

    def _inside(self, risk: Any, at: Mapping[str, ArrayLike]) -> Any:
        """The risk, +inf outside the domain."""
        import numpy as np

        if self.walls:
            from hpgrid.formula.function import holds

            there = {v: np.asarray(self._given(at, v), float) for w in self.walls for v in w.variables(self.budget)}
            for wall in self.walls:
                risk = np.where(holds(wall, {**self.constants, **there}), risk, np.inf)

        for variable, cap in self.caps.items():
            risk = np.where(np.asarray(self._given(at, variable)) > cap, np.inf, risk)
        return risk

    def _given(self, at: Mapping[str, ArrayLike], variable: str) -> ArrayLike:
        """A variable's values among those that are given, or what its complement's say."""
        other = self.space.complement_of(variable)
        if variable not in at and other in at:
            from hpgrid.shapes import complements

            return complements(at[str(other)])
        if variable not in at:
            raise bad(f"the bound needs a value of {variable}", sorted(at), f"{variable}=...")
        return at[variable]


@dataclass(frozen=True, repr=False)
class Proxy(_Bound):
    """A risk proxy: a sum of terms in hyperparameters and a budget, with values for its constants.

    Args:
        terms: the terms, in the order of the source's equation.
        constants: the value of each named constant, >= 0; of one that is 0 the terms are not there.
        budget: "T" (tokens), "K" (iterations) or one that is declared: the variable that the terms contain.
        caps: the largest value a hyperparameter may take for the bound to hold.
        cap_terms: caps that follow from the constants, such as eta <= 1/L; they are added to ``caps``.
        domain: conditions under which the bound holds, as text or as they were read: ["eta <= 1/L", "eta*K < b"];
            those that cap one hyperparameter are added to ``caps``.
        name: what to call the bound.
        source: paper and equation.
        space: its variables; the standard ones unless others are declared.

    Raises:
        ValueError: a constant without a value or not positive, a budget other than the terms', or a domain that
            says nothing of the bound.
    """

    terms: tuple[Term, ...]
    constants: Mapping[str, float]
    budget: str = "T"
    caps: Mapping[str, float] = field(default_factory=dict)
    cap_terms: Mapping[str, Term] = field(default_factory=dict)
    domain: tuple[Inequality, ...] = ()
    name: str = "proxy"
    source: str = ""
    space: Space = STANDARD

    def __post_init__(self) -> None:
        for term in self.terms:
            for name in term.factors:
                if name not in self.space.all:
                    raise unknown("variable", name, self.space.names)
        ordered = (replace(t, factors={v: t.factors[v] for v in self.space.ordered(t.factors)}) for t in self.terms)
        object.__setattr__(self, "terms", tuple(ordered))
        if not self.terms:
            raise bad("a proxy has at least one term", self.terms, "terms=(Term(...), ...)")
        for term in self.terms:
            missing = sorted({n for name in term.constants for n in names_in(name)} - set(self.constants))
            if missing:
                raise bad(f"every constant of the term {term} needs a value", dict(self.constants), f"{missing[0]}=...")
            for other in term.factors:
                if other in self.space.budget_names and other != self.budget:
                    raise bad(f"a proxy in {self.budget} has no {other}", str(term), f"the term in {self.budget}")
        super().__post_init__()

    @property
    def formula(self) -> str:
        """The bound as text: its terms."""
        return " + ".join(map(str, self.terms))

    def check_numbers(self, constants: Mapping[str, Any]) -> None:
        """Refuse constants that the bound or its domain divides by where they are 0, or that leave nothing of it."""
        super().check_numbers(constants)
        for term in self.terms:
            term.check(constants)
        if not all_hold(reduce(operator.or_, (term.remains(constants) for term in self.terms))):
            zeros = ", ".join(sorted(name for name, x in constants.items() if not all_hold(x != 0)))
            raise bad(
                "a constant of 0 drops its terms, and one is left", f"{zeros} = 0", "another value of one of them"
            )

    def present(self) -> Proxy:
        """Return the bound without the terms that a constant of 0 makes nought."""
        left = tuple(term for term in self.terms if term.remains(self.constants))
        return self if len(left) == len(self.terms) else changed(self, terms=left)

    def lacks(self) -> tuple[str, ...]:
        """Return what every route needs and this bound has not: nothing, it is a sum of terms."""
        return ()

    def without(self, name: str) -> Proxy:
        """Return the bound without the term that is one constant alone: what is left of the risk above a floor of it.

        Raises:
            ValueError: there is no such term, or no other.
        """
        rest = tuple(t for t in self.terms if t.constants != {name: 1} or any(t.factors.values()) or t.number != 1)
        if len(rest) == len(self.terms) or not rest:
            rule = f"what is taken from the risk is a term of the bound {self.name}, beside others"
            raise bad(rule, name, " or ".join(str(t) for t in self.terms if not t.factors) or "the whole risk")
        return changed(self, terms=rest)

    def is_posynomial(self, names: Iterable[str]) -> bool:
        """Return whether the bound is a sum of powers of these variables, convex in their logs, its domain a box."""
        names = tuple(names)
        of_powers = all(term.exponent(name) is not None for name in names for term in self.terms)
        return of_powers and all(self._is_end(wall, names) for wall in self.walls)

    def _is_end(self, wall: Inequality, names: tuple[str, ...]) -> bool:
        """Whether a condition bounds one of some variables by a product of powers, or says nothing of them."""
        term, reached = monomial_in(wall, self.budget), [v for v in wall.variables(self.budget) if v in names]
        return not reached or (term is not None and sum(bool(term.exponent(v)) for v in names) < 2)

    def is_log_convex(self, names: Collection[str]) -> bool:
        """Return whether log risk is known to be convex in the logs of these variables."""
        return all(part.exponent(v) is not None for term in self.terms for part in term.split(names) for v in names)

    def variables(self) -> tuple[str, ...]:
        """Return the variables that the terms contain, and those that the domain is about, in canonical order."""
        return self._with_domain(v for term in self.terms for v in term.factors)

    def depends_on(self) -> tuple[str, ...]:
        """Return the variables that change the bound: an exponent 0 that is written out does not."""
        return self._with_domain(v for term in self.terms for v, factor in term.factors.items() if factor != 0)

    def along(self, path: Mapping[str, Fraction]) -> Proxy:
        """Return the bound with hyperparameters on a path written as powers of the budget.

        Source: Shulgin et al., Corollary 2 (b = T^phi).
        """
        if not path:
            return self
        own = {v: Power.read(v, x) for v, x in path.items()}
        terms = tuple(term.along(own, self.budget) for term in self.terms)
        return changed(self, terms=terms, domain=tuple(each.along(own, self.budget) for each in self.domain))

    def as_function(self) -> FunctionProxy:
        """Return the bound as a function of arrays."""
        shared = {key: x for key, x in vars(self).items() if key not in ("terms", "_own_caps")}
        uses, convex = self.variables(), self.is_log_convex(self.space.hyperparameters)
        shared |= {"caps": self._own_caps, "uses": uses, "log_convex": convex}
        return FunctionProxy(_Sum.of(self), **shared)

    def _in_other(self, budget: str) -> dict[str, Any]:
        return {"terms": tuple(each for term in self.terms for each in term.form(budget, self.space))}

    def risk(self, **at: ArrayLike) -> NDArray[np.float64]:
        """Return the bound's value in float64, by NumPy, for arrays that broadcast.

        Values beyond a cap give +inf. ``at`` names every variable of the bound, alpha or beta.
        """
        import numpy as np

        total: Any = 0.0
        for term in self.terms:
            value: Any = term.coefficient(self.constants)
            for variable, factor in term.factors.items():
                value = value * evaluate_factor(factor, self._given(at, variable))
            total = total + value
        return np.asarray(self._inside(total, at))


def _below(value: Any) -> Any:
    """The largest float below a number > 0, or below each of an array."""
    if isinstance(value, float):
        return math.nextafter(value, 0.0)
    import numpy as np

    return np.nextafter(value, 0.0)


def _smaller(one: Any, other: Any) -> Any:
    if isinstance(one, float) and isinstance(other, float):
        return min(one, other)
    import numpy as np

    return np.minimum(one, other)


#: A bound as a function of arrays: f(eta, b, alpha, budget, constants) -> risk, or with what else is declared.
RiskFunction = Callable[..., Any]


@dataclass(frozen=True, repr=False)
class FunctionProxy(_Bound):
    """A risk proxy that is not a sum of separable terms, given by a function of arrays.

    Grid search takes it as it takes a ``Proxy``; what rests on exact exponents cannot.

    Args:
        function: f(eta, b, alpha, budget, constants) -> risk, elementwise, of the hyperparameters of its space in their
            order, written with operators and functions of jax.numpy or NumPy; +inf or NaN outside the bound's domain.
            It is called once, at three points, to be asked.
        constants: the value of each named constant, >= 0.
        budget: what the function's argument before its constants is.
        caps: the largest value a variable may take.
        cap_terms: caps that follow from the constants, such as eta <= 1/lam; they are added to ``caps``.
        domain: conditions under which the bound holds, as those of a ``Proxy``.
        name: what to call the bound.
        source: paper and equation.
        obstacle: which part of it is no power, nor a maximum or a root of sums of such, in words.
        log_convex: whether log risk is convex in the logs of the hyperparameters, as that of sums, products,
            powers >= 0 and maxima of posynomials is: refinement then trusts a kink.
        kinks: whether the function has some, and rounds them off where its constants have the ``SHARPNESS`` of
            ``formula.values``.
        uses: the variables that the function depends on; all of them where empty. The others are passed as 1.
        positive: the constants that it divides by, so that they are not 0.
        space: its variables; the standard ones unless others are declared.
    """

    function: RiskFunction
    constants: Mapping[str, float] = field(default_factory=dict)
    budget: str = "T"
    caps: Mapping[str, float] = field(default_factory=dict)
    cap_terms: Mapping[str, Term] = field(default_factory=dict)
    domain: tuple[Inequality, ...] = ()
    name: str = "function"
    source: str = ""
    obstacle: str = ""
    log_convex: bool = False
    kinks: bool = False
    uses: tuple[str, ...] = ()
    positive: tuple[str, ...] = ()
    space: Space = STANDARD

    def __post_init__(self) -> None:
        super().__post_init__()
        if str(getattr(self.function, "__module__", "")).partition(".")[0] != "hpgrid":
            from hpgrid.own_function import asked

            object.__setattr__(self, "function", asked(self.function, self.constants, self.arguments(), self.space))

    def check_numbers(self, constants: Mapping[str, Any]) -> None:
        """Refuse constants that the bound or its domain divides by where they are 0."""
        super().check_numbers(constants)
        zeros = [name for name, x in constants.items() if not all_hold(x != 0)]
        for name in zeros:
            if name in self.positive:
                raise bad(f"the bound {self.name} divides by {name}, so that it is not 0", 0, f"{name}=1.0, say")
        if zeros and self.root is not None:
            from hpgrid.formula.function import check_divisors

            check_divisors(self.root, zeros)

    @property
    def formula(self) -> str:
        """The bound as text, or of what it is a function."""
        return f"a function of {', '.join(self.variables())}" if self.root is None else written(self.root)

    @property
    def root(self) -> Node | None:
        """The expression that the function evaluates, in whatever budget; None where it is no formula's."""
        function = self.function.function if isinstance(self.function, _Rebudgeted) else self.function
        return getattr(function, "root", None)

    def variables(self) -> tuple[str, ...]:
        """Return the variables that the function depends on, and those that the domain is about, in canonical order."""
        return self._with_domain(self.uses or self.arguments())

    def depends_on(self) -> tuple[str, ...]:
        """Return the variables that change the bound, as far as is known: those that the function depends on."""
        return self.variables()

    @property
    def min_K(self) -> float | None:
        """The smallest number of iterations that the bound is meant for: one, where tokens and b say how many."""
        return 1.0 if self.budget == "T" and self.space.batch in self.variables() else None

    def along(self, path: Mapping[str, Fraction]) -> FunctionProxy:
        """Return the bound with hyperparameters on a path, computed where it is called."""
        if not path:
            return self
        own = {v: Power.read(v, x) for v, x in path.items()}
        uses = (v for v in (*(self.uses or self.arguments()), self.budget) if v not in own)
        function = _OnPath(self.function, self.budget, tuple(own.items()), self.space)
        domain = tuple(each.along(own, self.budget) for each in self.domain)
        return changed(self, function=function, uses=self.space.ordered(uses), domain=domain)

    def without(self, name: str) -> FunctionProxy:
        """Return the bound without the term that is one constant alone, where its function is written as text.

        Raises:
            ValueError: there is no such term; or the function is a person's own, whose digits a difference would lose.
        """
        rest = self.function.without(name) if hasattr(self.function, "without") else None
        if rest is None:
            rule = f"what is taken from the risk is a term of the bound {self.name}, beside others"
            raise bad(rule, name, "a formula that has it, or the whole risk")
        return changed(self, function=rest)

    def is_posynomial(self, names: Iterable[str]) -> bool:
        """Return whether the bound is known to be a sum of powers: a function never is."""
        return False

    def is_log_convex(self, names: Collection[str]) -> bool:
        """Return whether log risk is known to be convex in the logs of the hyperparameters."""
        return self.log_convex

    def as_function(self) -> FunctionProxy:
        """Return the bound itself: it is a function."""
        return self

    def arguments(self) -> tuple[str, ...]:
        """Return what the function is called with, before its constants."""
        return (*self.space.hyperparameters, self.budget)

    def lacks(self) -> tuple[str, ...]:
        """Return, a sentence each, what a sum of powers has and this bound has not."""
        why = self.obstacle or ("it is a function of one's own" if self.root is None else "")
        return (
            *([f"no exact exponents: {why}"] if why else []),
            "refined by descent from a coarse grid: "
            + ("to the least risk, flat directions only roughly" if self.log_convex else "a local optimum"),
            "its last bits may differ with how a search is cut into chunks",
        )

    def _in_other(self, budget: str) -> dict[str, Any]:
        inner = self.function
        # There and back is the function itself, compiled once.
        if isinstance(inner, _Rebudgeted) and inner.inner == budget:
            function = inner.function
        else:
            function = _Rebudgeted(inner, self.budget, budget, self.space)
        # K = T/b: what depends on the one budget depends on b, too, in the other.
        return {"function": function, "uses": self.space.ordered(self.space.under(self.uses, budget))}

    def risk(self, **at: ArrayLike) -> NDArray[np.float64]:
        """Return the bound's value for arrays that broadcast; beyond a cap, +inf."""
        import numpy as np

        from hpgrid.own_function import in_float64

        given = {variable: np.asarray(self._given(at, variable), float) for variable in self.variables()}
        values = [given.get(variable, np.ones(())) for variable in self.arguments()]
        # As NumPy's: of a plain float an overflow would be an error, and a root of what is negative complex.
        constants = {name: np.float64(value) for name, value in self.constants.items()}
        with in_float64():
            total = np.asarray(self.function(*values, constants), dtype=float)
        return np.asarray(self._inside(total, at))


@dataclass(frozen=True)
class _Sum:
    """A sum of terms as a risk function; equal sums compare equal, so that each compiles once."""

    terms: tuple[tuple[float, tuple[tuple[str, Fraction], ...], tuple[tuple[str, Factor], ...]], ...]
    names: tuple[str, ...]

    @classmethod
    def of(cls, proxy: Proxy) -> _Sum:
        terms = ((float(t.number), tuple(t.constants.items()), tuple(t.factors.items())) for t in proxy.terms)
        return cls(tuple(terms), (*proxy.space.hyperparameters, proxy.budget))

    def __call__(self, *values: Any) -> Any:
        *numbers, constants = values
        at, total = dict(zip(self.names, numbers)), 0.0
        for coefficient, named, factors in self.terms:
            value: Any = coefficient
            for name, exponent in named:
                value = value * worth(name, constants) ** float(exponent)
            for name, factor in factors:
                x: Any = at[name]
                value = value * (FUNCTIONS[factor](x) if isinstance(factor, str) else x ** float(factor))
            total = total + value
        return total


@dataclass(frozen=True)
class _Walled:
    """A risk function, +inf where a condition does not hold; equal ones compare equal, so that each compiles once."""

    function: RiskFunction
    walls: tuple[Inequality, ...]
    budget: str
    space: Space

    def __call__(self, *values: Any) -> Any:
        from hpgrid.formula.function import holds, named
        from hpgrid.shapes import array_namespace

        at = named(values, self.space, self.budget)
        xp = array_namespace(*at.values())
        return reduce(lambda risk, wall: xp.where(holds(wall, at), risk, xp.inf), self.walls, self.function(*values))


@dataclass(frozen=True)
class _OnPath:
    """A risk function of which some arguments are powers of the budget; equal ones compare equal, so compile once."""

    function: RiskFunction
    budget: str
    path: tuple[tuple[str, Power], ...]
    space: Space

    def __call__(self, *values: Any) -> Any:
        *hyperparameters, budget, constants = values
        at = dict(zip(self.space.hyperparameters, hyperparameters))
        at |= {name: power.at(budget) for name, power in self.path}
        return self.function(*at.values(), budget, constants)


@dataclass(frozen=True)
class _Rebudgeted:
    """A risk function called with another budget; equal functions compare equal, so compile once."""

    function: RiskFunction
    inner: str
    budget: str
    space: Space

    def __call__(self, *values: Any) -> Any:
        from hpgrid.formula.function import named

        *hyperparameters, _, constants = values
        own = exchanged(self.space, self.inner, self.budget, named(values, self.space, self.budget))
        return self.function(*hyperparameters, own, constants)

    def without(self, name: str) -> _Rebudgeted | None:
        """Return the function without a term that is one constant alone; None where it has none."""
        rest = self.function.without(name) if hasattr(self.function, "without") else None
        return None if rest is None else replace(self, function=rest)


def check_bound(given: object) -> None:
    """Refuse what is no bound: the name of one, or its formula, most likely.

    Raises:
        ValueError: it is neither a sum of terms nor a function.
    """
    if not isinstance(given, Proxy | FunctionProxy):
        raise bad("a bound is a Proxy", given, "hpgrid.bounds.lmo(), or hpgrid.parse(...), say")
