"""What is tuned, what is fixed, what follows a path, what is capped: the one object every route takes.

NumPy isn't loaded here, so that a mistake on the command line or in a file is answered at once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any, TypeVar

from hpgrid.checks import (
    CALLED,
    Given,
    bad,
    changed,
    complement,
    is_number,
    name_here,
    note,
    unknown,
    unwrapped,
    without_unit,
)
from hpgrid.variables import STANDARD, Power, Space, settings

if TYPE_CHECKING:
    from hpgrid.grid import Grid
    from hpgrid.proxy import FunctionProxy, Proxy

Value = TypeVar("Value")


class FrozenMap(Mapping[str, Value]):
    """A mapping that doesn't change and can be a key; equal ones hash equal, whatever their order."""

    __slots__ = ("_items",)

    def __init__(self, items: Mapping[str, Value] | Iterable[tuple[str, Value]] = ()) -> None:
        self._items = dict(items)

    def __getitem__(self, name: str) -> Value:
        return self._items[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __hash__(self) -> int:
        # A set: equal mappings may list their names in another order.
        return hash(frozenset(self._items.items()))

    def __repr__(self) -> str:
        return repr(self._items)


@dataclass(frozen=True)
class Regime:
    """A tuning regime: hashable, its parts in canonical order.

    Args:
        tuned: the hyperparameters that are optimised, among eta, b, alpha; beta is tuned as alpha.
        fixed: hyperparameters (or a budget) held at one value; a beta is its alpha, and b may be "512k".
        path: hyperparameters that follow a power of the budget: {"b": Fraction(1, 2)} is b = T^(1/2), and so is
            {"b": "T^1/2"}; {"b": "0.29*T^0.571"} has a factor.
        caps: largest values that hyperparameters may take.
        min_K: smallest number of iterations T/b, > 0; None where nothing is said.
        space: the variables of the bound; the standard ones unless it declares others.
        called: what others call some of it, lr say, as far as that was written: no bound has a constant of that name.

    Raises:
        ValueError: an unknown name, a value out of range, or a hyperparameter given two roles.
    """

    tuned: tuple[str, ...] = ()
    fixed: Mapping[str, Any] = FrozenMap()
    path: Mapping[str, Any] = FrozenMap()
    caps: Mapping[str, Any] = FrozenMap()
    min_K: Any = None
    space: Space = field(default=STANDARD, repr=False)
    called: frozenset[str] = field(default=frozenset(), compare=False, repr=False)

    def __post_init__(self) -> None:
        given, space = (self.tuned,) if isinstance(self.tuned, str) else tuple(self.tuned), self.space
        others = {n for n in (*given, *self.fixed, *self.path, *self.caps) if n in CALLED and n not in space.words}
        object.__setattr__(self, "called", self.called | others)
        tuned = tuple(_tuned(name, space) for name in given)
        path, caps = ({name_here(v, space.words): x for v, x in role.items()} for role in (self.path, self.caps))
        for other, name in space.complements.items():
            if other in caps:
                least = f"{complement(caps[other]):.12g}" if is_number(caps[other]) else "0.1"
                instead = f"with_floors({name}={least}) of the bound; in a file, floors = {{ {name} = {least} }}"
                raise bad(f"a cap on {other} is a floor of {name} = 1 - {other}", caps[other], instead)
            if other in path:
                rule = f"it is {name} = 1 - {other} that may be a power of the budget"
                raise bad(rule, f"{other} along {path[other]}", f"path={{'{name}': '-1/2'}}, say")
        for name in (*tuned, *path, *caps):
            if name not in space.hyperparameters:
                raise unknown("tuned axis", name, space.hyperparameters)
        fixed = {name: space.check(name, value) for name, value in settings(self.fixed, space).items()}
        caps = {name: space.check(name, value) for name, value in caps.items()}
        path = {name: _path_exponent(name, exponent, space) for name, exponent in path.items()}
        roles = [*dict.fromkeys(tuned), *fixed, *path]
        for name in roles:
            if roles.count(name) > 1:
                raise bad(f"{name} is either tuned or fixed or on a path", roles, f"{name} once")
        min_K = without_unit(unwrapped(self.min_K))
        if min_K is not None and not (is_number(min_K) and min_K > 0):
            raise bad("min_K must be positive and finite", min_K, "min_K=1, say")
        object.__setattr__(self, "min_K", None if min_K is None else float(min_K))
        object.__setattr__(self, "tuned", space.ordered(tuned))
        for role, values in (("fixed", fixed), ("path", path), ("caps", caps)):
            object.__setattr__(self, role, self._in_order(values))

    def _in_order(self, values: Mapping[str, Value]) -> FrozenMap[Value]:
        return FrozenMap((v, values[v]) for v in self.space.ordered(values))

    def holding(self, values: Mapping[str, float], min_K: float | None = None) -> Regime:
        """Return the regime with some values held, and a number of iterations where one is given: numbers, unasked."""
        return changed(
            self, fixed=self._in_order({**self.fixed, **values}), min_K=self.min_K if min_K is None else min_K
        )

    def settled(
        self, proxy: Proxy | FunctionProxy, grid: Grid | None = None, *, free: Collection[str] | None = None
    ) -> Regime:
        """Return the regime as it is for a bound on a grid, once everything about it was asked.

        Every variable of the bound has one role, and every role a variable of the bound; what is tuned has an axis;
        fixed values lie below the caps, the bound's own among them, and nothing capped follows a path. What the grid
        holds is fixed. A function of b has at least one iteration under a token budget, where no other number is given.

        Args:
            proxy: the bound; with a grid it is taken in the form of the grid's budget.
            grid: where it is searched.
            free: for a search, a refinement or a law by itself: the variables that need no role, such as the axes that
                a search keeps. Fixed values may then be more than the bound has, no bound's own number of iterations
                is assumed, and the caps are left to ``joint_caps``.

        Raises:
            ValueError: see the message.
        """
        if grid is not None:
            proxy = proxy.form(grid.budget)
        for name in self.called & proxy.constants.keys():
            rule = f"{name} is a constant of the bound {proxy.name}, and could mean {CALLED[name]}, too"
            raise bad(rule, name, f"{CALLED[name]} for the hyperparameter")
        if proxy.space != self.space:
            return replace(self, space=proxy.space).settled(proxy, grid, free=free)
        variables, axes = proxy.variables(), {} if grid is None else grid.axes
        held = {} if grid is None else {v: x for v, x in grid.held.items() if v not in self.path}
        if free is None:
            # A preset may hold what this bound lacks; what a person fixes must be in it.
            held = {v: x for v, x in held.items() if v in variables}
        fixed = {**held, **self.fixed}
        self.check_tuned()
        if grid is not None and proxy.budget not in axes and free is None:
            raise bad("a search over budgets has an axis of them", dict(grid.held), f"{proxy.budget} as an axis")
        for name in self.space.budget_names:
            # A search that keeps axes may fix the budget that its grid has.
            if name in self.fixed and (grid is None or free is None or name != proxy.budget):
                rule = f"{name} is a budget, not a fixed variable"
                raise bad(rule, dict(self.fixed), "hyperparameters alone in fixed")
        for v in self.tuned:
            if grid is not None and v not in axes:
                raise bad(f"{v} is tuned, so that it needs an axis", list(axes), f"a grid with an axis of {v}")
        self._check_roles(proxy, fixed, free)
        for v in self.caps:
            if v not in (*self.tuned, *fixed, *self.path, *(axes if free is not None else ())):
                raise bad(f"{v} is capped, so it must be tuned or fixed", v, f"{v} as tuned, or no cap on it")
        settled = self.holding(fixed)
        proxy.check_held(fixed)
        if free is not None:
            return settled
        settled.joint_caps(proxy.caps)
        if self.min_K is not None and proxy.budget == "T" and self.space.batch not in variables:
            rule = f"the bound {proxy.name} does not depend on b, so that tokens are no number of iterations"
            raise bad(rule, f"at least {self.min_K:g} iterations", "no least number of them")
        return settled.holding({}, self.min_K or proxy.min_K)

    def check_tuned(self) -> None:
        """Refuse a regime that tunes nothing."""
        if not self.tuned:
            names = self.space.hyperparameters
            rule = f"at least one of {', '.join(names)} must be tuned"
            raise bad(rule, "none", f"{', '.join(names[:2])} as what is tuned, say")

    def _check_roles(
        self, proxy: Proxy | FunctionProxy, fixed: Mapping[str, float], free: Collection[str] | None
    ) -> None:
        """Refuse a variable of the bound without a role, and a role given to what the bound does not depend on.

        An exponent 0 that is written out needs a value, since it keeps the shape of a compiled search; tuning it is
        another matter: no value is best.
        """
        variables, depends_on, every = proxy.variables(), proxy.depends_on(), self.space.hyperparameters
        for v in (v for v in every if v not in (free or ())):
            # A batch size that is held says which T a K is, whatever the bound depends on.
            needless = free is None and v in self.fixed and v not in variables and v != self.space.batch
            if needless or (v in (*self.tuned, *self.path) and v not in depends_on):
                others = ", ".join(x for x in depends_on if x in every)
                instead = f"{others} or some of them" if others else "a bound that depends on a hyperparameter"
                raise bad(f"the bound {proxy.name} does not depend on {v}", v, instead)
            if v in variables and v not in (*self.tuned, *fixed, *self.path):
                rule = f"{v} of the bound {proxy.name} is neither tuned nor fixed nor on a path"
                raise bad(rule, {"tuned": list(self.tuned), "fixed": dict(fixed)}, f"{v} as tuned, or a value of it")

    def joint_caps(self, own: Mapping[str, Any], *, far: bool = False) -> dict[str, Any]:
        """Return the smallest cap of each variable, among the regime's and a bound's own.

        Args:
            own: the bound's caps, each a number or an array.
            far: whether the budget goes to infinity, where a falling path ends below every cap.

        Raises:
            ValueError: a fixed value lies above its cap, or what is capped follows a path.
        """
        caps: dict[str, Any] = dict(own)
        for name, cap in self.caps.items():
            # An array's own method: NumPy isn't loaded for the sake of plain numbers.
            caps[name] = caps[name].clip(max=cap) if hasattr(caps.get(name), "clip") else min(caps.get(name, cap), cap)
        for name, cap in caps.items():
            smallest, exponent = float(cap.min() if hasattr(cap, "min") else cap), self.path.get(name)
            if exponent is not None and not far:
                raise bad(
                    f"{name} is capped, so it can't follow a path", dict(self.path), "a path for another variable"
                )
            if exponent is not None and (exponent > 0 or (Fraction(exponent) == 0 and smallest < exponent.factor)):
                raise bad(f"{name} leaves its cap along this path", str(exponent), f"no cap on {name}, or another path")
            if self.fixed.get(name, 0.0) > smallest:
                raise bad(f"{name} must not exceed its cap {smallest:g}", self.fixed[name], "a smaller value")
        return caps


def _tuned(name: str, space: Space) -> str:
    """The hyperparameter that is tuned, by the name that it has here: who tunes beta tunes alpha."""
    here = name_here(name, space.words) if isinstance(name, str) else name
    if here not in space.complements:
        return here
    if here == name:
        note(f"{here} is tuned as {space.complements[here]} = 1 - {here}")
    return space.complements[here]


def _path_exponent(name: str, exponent: object, space: Space) -> Power:
    """The power of the budget that a path is, exact; b = T^p stays >= 1, and alpha = T^p <= 1, for every T >= 1."""
    exact = Power.read(name, exponent, space.budget_names)
    variable = space.all[name]
    if (
        (exact < 0 < variable.low)
        or (exact > 0 and variable.high < float("inf"))
        or not variable.low <= 1 <= variable.high
    ):
        raise bad(
            f"{name} leaves its range along this path", exponent, f"an exponent {'>=' if variable.low else '<='} 0"
        )
    return exact


def limit_name(variable: str, end: str, constants: Collection[str]) -> str:
    """Return what laws call a limit of a variable, b_max say: a name that no constant of the bound has."""
    return clear_of(f"{variable}_{end}", constants)


def clear_of(name: str, taken: Collection[str]) -> str:
    """Return a name that is none of those that are taken: itself, or with _ behind it."""
    while name in taken:
        name += "_"
    return name


def as_regime(
    regime: Regime | None,
    tuned: Iterable[str] | None,
    min_K: Given | None = None,
    space: Space = STANDARD,
    **roles: Mapping[str, Given] | None,
) -> Regime:
    """Return the regime that a function's keywords describe, or the one that was given whole.

    A number of iterations may stand beside a whole one, in place of its own.
    """
    if tuned is not None and not isinstance(tuned, Iterable):
        raise bad("what is minimised over is a list of names", tuned, 'over=("eta", "b"), say')
    given = {name: value for name, value in roles.items() if value is not None}
    if regime is None:
        names = tuple([tuned] if isinstance(tuned, str) else tuned or ())
        return Regime(names, min_K=min_K, space=space, **given)  # type: ignore[arg-type]
    if tuned is not None or given:
        raise bad("give a regime or its parts, not both", sorted(given), "regime=Regime(...) alone")
    return regime if min_K is None else replace(regime, min_K=min_K)
