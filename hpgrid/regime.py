"""What is tuned, what is fixed, what follows a path, what is capped: the one object every route takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TYPE_CHECKING

from hpgrid.checks import AXES, TUNABLE, bad, check_value, unknown
from hpgrid.proxy import FunctionProxy, Proxy

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


@dataclass(frozen=True)
class Regime:
    """A tuning regime.

    Args:
        tuned: the hyperparameters that are optimised, among eta, b, alpha.
        fixed: hyperparameters (or a budget) held at one value.
        path: hyperparameters that follow a power of the budget: {"b": Fraction(1, 2)} is b = T^(1/2).
        caps: largest values that tuned hyperparameters may take.

    Raises:
        ValueError: an unknown name, a value out of range, or a hyperparameter given two roles.
    """

    tuned: tuple[str, ...] = ()
    fixed: Mapping[str, float] = field(default_factory=dict)
    path: Mapping[str, Fraction] = field(default_factory=dict)
    caps: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        tuned = (self.tuned,) if isinstance(self.tuned, str) else tuple(self.tuned)
        for name in (*tuned, *self.path, *self.caps):
            if name not in TUNABLE:
                raise unknown("tuned axis", name, TUNABLE)
        fixed = {name: check_value(name, value) for name, value in self.fixed.items()}
        caps = {name: check_value(name, value) for name, value in self.caps.items()}
        path = {name: _path_exponent(name, exponent) for name, exponent in self.path.items()}
        roles = [*dict.fromkeys(tuned), *fixed, *self.path]
        for name in roles:
            if roles.count(name) > 1:
                raise bad(f"{name} is either tuned or fixed or on a path", roles, f"{name} once")
        object.__setattr__(self, "tuned", tuple(v for v in TUNABLE if v in tuned))
        object.__setattr__(self, "fixed", {v: fixed[v] for v in AXES if v in fixed})
        object.__setattr__(self, "path", path)
        object.__setattr__(self, "caps", caps)


def _path_exponent(name: str, exponent: object) -> Fraction:
    """The exponent of a path, exact; b = T^p stays >= 1, and alpha = T^p <= 1, for every T >= 1."""
    try:
        exact = Fraction(str(exponent))
    except (ValueError, ZeroDivisionError):
        raise bad(f"the path of {name} is an exponent of the budget", exponent, "a fraction such as '1/2'") from None
    if (name == "b" and exact < 0) or (name == "alpha" and exact > 0):
        raise bad(
            f"{name} leaves its range along this path", exponent, f"an exponent {'>=' if name == 'b' else '<='} 0"
        )
    return exact


def as_regime(
    regime: Regime | None,
    tuned: Iterable[str] | None,
    **roles: Mapping[str, float] | Mapping[str, Fraction] | None,
) -> Regime:
    """Return the regime that a function's keywords describe, or the one that was given whole."""
    if tuned is not None and not isinstance(tuned, Iterable):
        raise bad("what is minimised over is a list of names", tuned, 'over=("eta", "b"), say')
    given = {name: value for name, value in roles.items() if value is not None}
    if regime is None:
        return Regime(tuple([tuned] if isinstance(tuned, str) else tuned or ()), **given)  # type: ignore[arg-type]
    if tuned is not None or given:
        raise bad("give a regime or its parts, not both", sorted(given), "regime=Regime(...) alone")
    return regime


def check_caps(caps: Mapping[str, ArrayLike], path: Mapping[str, Fraction], fixed: Mapping[str, float]) -> None:
    """Refuse a cap on what follows a path, and a fixed value beyond one.

    Args:
        caps: the largest values, each a number or an array.
        path: what follows a power of the budget.
        fixed: what is held.

    Raises:
        ValueError: see the message.
    """
    import numpy as np

    for name, cap in caps.items():
        if name in path:
            raise bad(f"{name} is capped, so it can't follow a path", dict(path), "a path for another variable")
        least = float(np.min(cap))
        if fixed.get(name, 0.0) > least:
            raise bad(f"{name} must not exceed its cap {least:g}", fixed[name], "a smaller value")


def along(proxy: Proxy | FunctionProxy, path: Mapping[str, Fraction]) -> Proxy | FunctionProxy:
    """Return the bound with hyperparameters on a path written as powers of the budget.

    Source: Shulgin et al., Corollary 2 (b = T^phi).
    """
    if not path:
        return proxy
    if isinstance(proxy, FunctionProxy):
        raise bad("a bound given by a function has no path", dict(path), "the path inside the function")
    return replace(proxy, terms=tuple(_fold(term, path, proxy.budget) for term in proxy.terms))


def _fold(term, path: Mapping[str, Fraction], budget: str):  # type: ignore[no-untyped-def]
    factors = dict(term.factors)
    total = factors.get(budget, Fraction(0))
    for name, exponent in path.items():
        factor = factors.pop(name, Fraction(0))
        if isinstance(factor, str) or isinstance(total, str):
            raise bad(f"{name} is under a function in this term", str(term), "a bound in powers of it")
        total += factor * exponent
    return replace(term, factors={**factors, budget: total})
