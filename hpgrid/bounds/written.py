"""A published bound as a row: its formula, what its names mean, where it holds, who states it; a function of it.

NumPy isn't loaded here, so that all of them can be listed at once.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from hpgrid.checks import bad, check_exponent
from hpgrid.variables import STANDARD, Space

if TYPE_CHECKING:
    from hpgrid.proxy import FunctionProxy, Proxy

#: What letters mean in more than one bound.
_LETTERS = {
    "D0": "f(x0) - inf f",
    "Delta0": "f(W0) - inf f",
    "L": "smoothness",
    "sigma": "noise of a single sample's gradient",
    "rho": "norm equivalence",
    "mu": "strong convexity, or how fast a gradient grows off the minimum",
    "lam": "weight decay",
    "D": "smoothness of half the squared dual norm",
    "G0": "size of the gradient at the start",
}


def meaning(letters: str, **own: str) -> dict[str, str]:
    """Return what a bound's constants mean: the letters that are common to several, and its own."""
    return {**{name: _LETTERS[name] for name in letters.split()}, **own}


class Exponent(NamedTuple):
    """A constant that stands in exponents.

    Attributes:
        range: such as "1 < p <= 2".
        default: its value where none is given.
        means: what it is.
    """

    range: str
    default: str
    means: str

    def check(self, name: str, value: Any) -> Fraction:
        """Return a value as the fraction that was written.

        Raises:
            ValueError: it is no number in the range.
        """
        from hpgrid.formula.declared import declared

        exact = check_exponent(name, value)
        try:
            declared([self.range]).all[name].check(float(exact))
        except ValueError:
            rule = f"the exponent {name} is one with {self.range}"
            raise bad(rule, str(value), f"a value with {self.range}") from None
        return exact


@dataclass(frozen=True)
class Bound:
    """What is said of a published bound.

    Attributes:
        of: what it bounds.
        formula: as ``parse`` reads it, in iterations K or in tokens T as its source has it.
        constants: what each means; all are positive.
        source: paper, and equation or theorem.
        exponents: constants that stand in exponents alone.
        options: what else its function takes, and of what kind each is: a "flag", or a "word".
        variables: what it declares of its own, beside eta, b, alpha, T and K.
        domain: conditions under which it holds.
        budget: in what it is asked about, unless another one is given.
        module: the file with its function, where the formula is not all there is to it.
    """

    of: str
    formula: str
    constants: Mapping[str, str]
    source: str
    exponents: Mapping[str, Exponent] = field(default_factory=dict)
    options: Mapping[str, str] = field(default_factory=dict)
    variables: tuple[str, ...] = ()
    domain: tuple[str, ...] = ()
    budget: str = "T"
    module: str = ""

    @cached_property
    def space(self) -> Space:
        """Its variables."""
        if not self.variables:
            return STANDARD
        from hpgrid.formula.declared import declared

        return declared(self.variables)

    @property
    def kinds(self) -> dict[str, str]:
        """What its function takes beside constants and a budget, and of what kind each is."""
        return {**dict.fromkeys(self.exponents, "exponent"), **self.options}

    def function(self, name: str) -> Callable[..., Proxy | FunctionProxy]:
        """Return the bound's function, from constants by name to a proxy."""
        if self.module:
            return getattr(import_module(f"hpgrid.bounds.{self.module}"), name)
        ones = dict.fromkeys(self.constants, 1.0)
        defaults = {**ones, **{key: each.default for key, each in self.exponents.items()}, "budget": self.budget}
        signature = inspect.Signature(
            [inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY, default=x) for key, x in defaults.items()]
        )

        def made(**given: Any) -> Proxy | FunctionProxy:
            from hpgrid.formula.bound import parse

            values = {**defaults, **signature.bind(**given).kwargs}
            budget = values.pop("budget")
            for key, exponent in self.exponents.items():
                values[key] = exponent.check(key, values[key])
            proxy = parse(self.formula, values, name=name, source=self.source, domain=self.domain, variables=self.space)
            return proxy.form(budget)

        made.__name__ = made.__qualname__ = name
        made.__doc__, made.__signature__ = self._says(), signature  # type: ignore[attr-defined]
        return made

    def _says(self) -> str:
        """The docstring of its function."""
        told = [f"{key}: {means}, > 0." for key, means in self.constants.items()]
        told += [f"{key}: {means}, {span}; {x} by default." for key, (span, x, means) in self.exponents.items()]
        told += [f"budget: {' or '.join(self.space.joined(self.budget))}; {self.budget} by default."]
        more = [f"Its variables beside the standard ones: {'; '.join(self.variables)}."] if self.variables else []
        more += [f"It holds for {', '.join(self.domain)}."] if self.domain else []
        parts = [f"Return the bound on {self.of}.", f"{self.formula}.", *more]
        parts += ["\n    ".join(["Args:", *told]), f"Source: {self.source}."]
        return "\n\n".join(parts)
