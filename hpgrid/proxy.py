"""A bound as a sum of terms: plain data that every route reads, in K form and in T form."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Self

from hpgrid.checks import AXES, TUNABLE, bad, changed, check_constants, check_value, complement, unknown
from hpgrid.surds import Surd
from hpgrid.text import power

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

# NumPy loads where a value is computed: exact exponents need none of it, and start in half the time.

#: Functions of one variable that a term may contain beside powers, computed from alpha itself.
FUNCTIONS: dict[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
    "one_minus": lambda x: 1.0 - x,
    "one_plus": lambda x: 1.0 + x,
}

#: How they are written.
SIGNS = {"one_minus": "(1 - {})", "one_plus": "(1 + {})"}

_HALF = Fraction(1, 2)

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
        constants: named constants and their exponents, such as {"rho": 1, "sigma": 1}.
        factors: for each variable, an exact rational exponent or the name of a function.
        number: the numeric part of the coefficient: a fraction, or exact with roots of whole numbers in it.
    """

    constants: Mapping[str, Fraction]
    factors: Mapping[str, Factor]
    number: Fraction | Surd = Fraction(1)

    def __post_init__(self) -> None:
        for name, factor in self.factors.items():
            if name not in AXES:
                raise unknown("variable", name, AXES)
            if isinstance(factor, str) and factor not in FUNCTIONS:
                raise unknown("function", factor, FUNCTIONS)
        object.__setattr__(self, "constants", {k: Fraction(v) for k, v in self.constants.items()})
        ordered = {v: self.factors[v] for v in AXES if v in self.factors}
        object.__setattr__(self, "factors", {v: f if isinstance(f, str) else Fraction(f) for v, f in ordered.items()})
        number = self.number if isinstance(self.number, Surd) else Fraction(self.number)
        if not isinstance(number, Surd) and number <= 0:
            raise bad("a term's number must be positive", str(number), "a positive number or fraction")
        exact = number.rational() if isinstance(number, Surd) else number
        object.__setattr__(self, "number", number if exact is None else exact)

    def coefficient(self, constants: Mapping[str, float]) -> float:
        """Return the coefficient's value, given those of the named constants."""
        powers = (constants[name] ** float(exponent) for name, exponent in self.constants.items())
        try:
            return float(self.number) * math.prod(powers)
        except OverflowError:  # of plain floats; in an array it is inf
            return math.inf

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

    def along(self, path: Mapping[str, Fraction], budget: str) -> Term:
        """Return the term with a power of the budget in place of what follows a path."""
        factors = dict(self.factors)
        total = factors.get(budget, Fraction(0))
        for name, exponent in path.items():
            factor = factors.pop(name, Fraction(0))
            if isinstance(factor, str) or isinstance(total, str):
                raise bad(f"{name} is under a function in this term", str(self), "a bound in powers of it")
            total += factor * exponent
        return replace(self, factors={**factors, budget: total})

    def form(self, budget: str) -> Term:
        """Return the term with the other budget replaced: K = T/b, or T = K b."""
        other = "K" if budget == "T" else "T"
        power, batch = self.factors.get(other), self.factors.get("b", Fraction(0))
        if power is None:
            return self
        if isinstance(power, str):
            raise bad("a function of the budget has no other form", str(self), "a power of it")
        if isinstance(batch, str):
            raise bad("a function of b has no other form", str(self), "a power of it")
        factors = {v: f for v, f in self.factors.items() if v != other}
        return replace(self, factors={**factors, "b": batch + (power if budget == "K" else -power), budget: power})

    def __str__(self) -> str:
        number = [str(Surd.of(self.number))] if self.number != 1 else []
        powers = [power(n, e) for n, e in self.constants.items()]
        powers += [SIGNS[f].format(v) if isinstance(f, str) else power(v, f) for v, f in self.factors.items() if f != 0]
        return "*".join(number + powers) or "1"


class _Bound:
    """What sums of terms and functions share: a budget, constants, and caps, some of which follow from constants."""

    constants: Mapping[str, float]
    budget: str
    caps: Mapping[str, float]
    cap_terms: Mapping[str, Term]

    def __post_init__(self) -> None:
        if self.budget not in ("T", "K"):
            raise unknown("budget", self.budget, ("T", "K"))
        object.__setattr__(self, "constants", check_constants(self.constants))
        self._check_caps()

    def _check_caps(self) -> None:
        caps = {**self.caps, **self._derived(self.constants)}
        for name in caps:
            if name not in TUNABLE:
                raise unknown("hyperparameter to cap", name, TUNABLE)
        object.__setattr__(self, "caps", {name: check_value(name, value) for name, value in caps.items()})

    def _derived(self, constants: Mapping[str, float]) -> dict[str, float]:
        return {name: term.coefficient(constants) for name, term in self.cap_terms.items()}

    def with_constants(self, **constants: float) -> Self:
        """Return the bound with other values for some of its constants."""
        for name in constants:
            if name not in self.constants:
                raise unknown("constant", name, self.constants)
        moved = self.at_constants(check_constants(constants))
        moved._check_caps()
        return moved

    def at_constants(self, constants: Mapping[str, float]) -> Self:
        """Return the bound as ``with_constants`` does, of values that were asked where they came in."""
        own = {**self.constants, **constants}
        return changed(self, constants=own, caps={**self.caps, **self._derived(own)})

    def form(self, budget: str) -> Self:
        """Return the bound in the other budget variable, by K = T/b.

        Source: Shulgin et al., eq. (4) from eq. (3).
        """
        if budget == self.budget:
            return self
        if budget not in ("T", "K"):
            raise unknown("budget", budget, ("T", "K"))
        return changed(self, budget=budget, **self._in_other(budget))

    def _in_other(self, budget: str) -> dict[str, Any]:
        raise NotImplementedError

    @property
    def min_K(self) -> float | None:
        """The smallest number of iterations that the bound is meant for: a sum of powers has none of its own."""
        return None

    def _beyond_caps(self, risk: Any, at: Mapping[str, ArrayLike]) -> Any:
        """The risk, +inf where a variable is beyond its cap."""
        import numpy as np

        for variable, cap in self.caps.items():
            risk = np.where(np.asarray(_given(at, variable)) > cap, np.inf, risk)
        return risk


@dataclass(frozen=True)
class Proxy(_Bound):
    """A risk proxy: a sum of terms in eta, b, alpha and a budget, with values for its constants.

    Args:
        terms: the terms, in the order of the source's equation.
        constants: the value of each named constant, > 0.
        budget: "T" (tokens) or "K" (iterations): the variable that the terms contain.
        caps: the largest value a hyperparameter may take for the bound to hold.
        cap_terms: caps that follow from the constants, such as eta <= 1/L; they are added to ``caps``.
        name: what to call the bound.
        source: paper and equation.

    Raises:
        ValueError: a constant without a value or not positive, or a budget other than the terms'.
    """

    terms: tuple[Term, ...]
    constants: Mapping[str, float]
    budget: str = "T"
    caps: Mapping[str, float] = field(default_factory=dict)
    cap_terms: Mapping[str, Term] = field(default_factory=dict)
    name: str = "proxy"
    source: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.terms:
            raise bad("a proxy has at least one term", self.terms, "terms=(Term(...), ...)")
        other = "K" if self.budget == "T" else "T"
        for term in self.terms:
            missing = sorted(set(term.constants) - set(self.constants))
            if missing:
                raise bad(f"every constant of the term {term} needs a value", dict(self.constants), f"{missing[0]}=...")
            if other in term.factors:
                raise bad(f"a proxy in {self.budget} has no {other}", str(term), f"the term in {self.budget}")

    def lacks(self) -> tuple[str, ...]:
        """Return what every route needs and this bound has not: nothing, it is a sum of terms."""
        return ()

    def is_posynomial(self, names: Iterable[str]) -> bool:
        """Return whether the bound is a sum of powers of these variables, and so convex in their logs."""
        return all(term.exponent(name) is not None for name in names for term in self.terms)

    def is_log_convex(self, names: Collection[str]) -> bool:
        """Return whether log risk is known to be convex in the logs of these variables."""
        return all(part.exponent(v) is not None for term in self.terms for part in term.split(names) for v in names)

    def variables(self) -> tuple[str, ...]:
        """Return the variables that the terms contain, in canonical order."""
        return tuple(v for v in AXES if any(v in term.factors for term in self.terms))

    def depends_on(self) -> tuple[str, ...]:
        """Return the variables that change the bound: an exponent 0 that is written out does not."""
        return tuple(v for v in AXES if any(term.factors.get(v, 0) != 0 for term in self.terms))

    def along(self, path: Mapping[str, Fraction]) -> Proxy:
        """Return the bound with hyperparameters on a path written as powers of the budget.

        Source: Shulgin et al., Corollary 2 (b = T^phi).
        """
        return changed(self, terms=tuple(term.along(path, self.budget) for term in self.terms)) if path else self

    def _in_other(self, budget: str) -> dict[str, Any]:
        return {"terms": tuple(term.form(budget) for term in self.terms)}

    def risk(self, **at: ArrayLike) -> NDArray[np.float64]:
        """Return the bound's value in float64, by NumPy, for arrays that broadcast.

        Values beyond a cap give +inf. ``at`` names every variable of the bound, alpha or beta.
        """
        import numpy as np

        total: Any = 0.0
        for term in self.terms:
            value: Any = term.coefficient(self.constants)
            for variable, factor in term.factors.items():
                value = value * evaluate_factor(factor, _given(at, variable))
            total = total + value
        return np.asarray(self._beyond_caps(total, at))


def _given(at: Mapping[str, ArrayLike], variable: str) -> ArrayLike:
    if variable == "alpha" and "alpha" not in at and "beta" in at:
        import numpy as np

        return np.vectorize(complement, otypes=[float])(at["beta"])
    if variable not in at:
        raise bad(f"the bound needs a value of {variable}", sorted(at), f"{variable}=...")
    return at[variable]


#: The name under which a function with kinks finds how sharp they are, where refinement rounds them off: max(x, y)
#: as (x^p + y^p)^(1/p). Without it they are as sharp as they are.
SHARPNESS = "sharpness of kinks"

#: A bound as a function of arrays: f(eta, b, alpha, budget, constants) -> risk.
RiskFunction = Callable[..., Any]


@dataclass(frozen=True)
class FunctionProxy(_Bound):
    """A risk proxy that is not a sum of separable terms, given by a function of arrays.

    Grid search takes it as it takes a ``Proxy``; what rests on exact exponents cannot.

    Args:
        function: f(eta, b, alpha, budget, constants) -> risk, elementwise, written with operators and functions of
            jax.numpy or NumPy; +inf or NaN outside the bound's domain. It is called once, at three points, to be asked.
        constants: the value of each named constant, > 0.
        budget: "T" or "K": what the function's fourth argument is.
        caps: the largest value a variable may take.
        cap_terms: caps that follow from the constants, such as eta <= 1/lam; they are added to ``caps``.
        name: what to call the bound.
        source: paper and equation.
        obstacle: which part of it is no sum of powers, in words.
        log_convex: whether log risk is convex in the logs of the hyperparameters, as that of sums, products,
            powers >= 0 and maxima of posynomials is: refinement then trusts a kink.
        kinks: whether the function has some, and rounds them off where its constants have a ``SHARPNESS``.
        uses: the variables that the function depends on; all of them where empty. The others are passed as 1.
    """

    function: RiskFunction
    constants: Mapping[str, float] = field(default_factory=dict)
    budget: str = "T"
    caps: Mapping[str, float] = field(default_factory=dict)
    cap_terms: Mapping[str, Term] = field(default_factory=dict)
    name: str = "function"
    source: str = ""
    obstacle: str = ""
    log_convex: bool = False
    kinks: bool = False
    uses: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        if str(getattr(self.function, "__module__", "")).partition(".")[0] != "hpgrid":
            from hpgrid.own_function import asked

            object.__setattr__(self, "function", asked(self.function, self.constants, self.budget))

    def variables(self) -> tuple[str, ...]:
        """Return the variables that the function depends on, in canonical order."""
        return self.uses or self.arguments()

    def depends_on(self) -> tuple[str, ...]:
        """Return the variables that change the bound, as far as is known: those that the function depends on."""
        return self.variables()

    @property
    def min_K(self) -> float | None:
        """The smallest number of iterations that the bound is meant for: one, where tokens and b say how many."""
        return 1.0 if self.budget == "T" and "b" in self.variables() else None

    def along(self, path: Mapping[str, Fraction]) -> FunctionProxy:
        """Return the bound itself: a function has no exponents to write a path into.

        Raises:
            ValueError: there is a path.
        """
        if path:
            raise bad("a bound given by a function has no path", dict(path), "the path inside the function")
        return self

    def is_posynomial(self, names: Iterable[str]) -> bool:
        """Return whether the bound is known to be a sum of powers: a function never is."""
        return False

    def is_log_convex(self, names: Collection[str]) -> bool:
        """Return whether log risk is known to be convex in the logs of the hyperparameters."""
        return self.log_convex

    def arguments(self) -> tuple[str, ...]:
        """Return what the function is called with, before its constants."""
        return ("eta", "b", "alpha", self.budget)

    def lacks(self) -> tuple[str, ...]:
        """Return, a sentence each, what a sum of powers has and this bound has not."""
        return (
            "no exact exponents" + (f": {self.obstacle}" if self.obstacle else ": it is no sum of powers"),
            "refined by descent from a coarse grid: "
            + ("to the least risk, flat directions only roughly" if self.log_convex else "a local optimum"),
            "its last bits may differ with how a search is cut into chunks",
        )

    def _in_other(self, budget: str) -> dict[str, Any]:
        inner = self.function
        # There and back is the function itself, compiled once.
        function = inner.function if isinstance(inner, _Rebudgeted) else _Rebudgeted(inner, budget)
        uses = {budget if v == self.budget else v for v in self.uses}
        # K = T/b: what depends on the one budget depends on b, too, in the other.
        uses |= {"b"} if budget in uses else set()
        return {"function": function, "uses": tuple(v for v in AXES if v in uses)}

    def risk(self, **at: ArrayLike) -> NDArray[np.float64]:
        """Return the bound's value for arrays that broadcast; beyond a cap, +inf."""
        import numpy as np

        from hpgrid.own_function import in_float64

        given = {variable: np.asarray(_given(at, variable), float) for variable in self.variables()}
        values = [given.get(variable, np.ones(())) for variable in self.arguments()]
        # As NumPy's: of a plain float an overflow would be an error, and a root of what is negative complex.
        constants = {name: np.float64(value) for name, value in self.constants.items()}
        with in_float64():
            total = np.asarray(self.function(*values, constants), dtype=float)
        return np.asarray(self._beyond_caps(total, at))


@dataclass(frozen=True)
class _Rebudgeted:
    """A risk function called with the other budget; equal functions compare equal, so compile once."""

    function: RiskFunction
    budget: str

    def __call__(self, eta: Any, b: Any, alpha: Any, budget: Any, constants: Mapping[str, Any]) -> Any:
        inner = budget / b if self.budget == "T" else budget * b
        return self.function(eta, b, alpha, inner, constants)
