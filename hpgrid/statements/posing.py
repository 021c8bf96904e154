"""From a statement to a question about a bound: what is tuned stands on the left, what is held on the right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from hpgrid.checks import TUNABLE, unknown
from hpgrid.claims.measures import Bound, Setting
from hpgrid.proxy import FunctionProxy
from hpgrid.regime import Regime, along
from hpgrid.statements.language import BUDGETS, Statement, times, unknown_name, wrong

#: What is held where nobody says at what: Figure 2's batch size and Figure 1's momentum; a rate of no significance.
HELD_AT = {"eta": 1e-3, "b": 1072.0, "alpha": 1e-3}


#: What tends to 0 after the budget has gone to infinity is held at this.
SMALL = 1e-6


@dataclass(frozen=True)
class Roles:
    """What a command line says of every claim; a claim's own conditions override it.

    Attributes:
        tuned: what is tuned; None is all that is neither fixed nor on a path.
        fixed: what is held.
        path: what follows a power of the budget.
        caps: largest values.
    """

    tuned: tuple[str, ...] | None = None
    fixed: Mapping[str, float] = field(default_factory=dict)
    path: Mapping[str, Fraction] = field(default_factory=dict)
    caps: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Question:
    """What a statement says of one bound: left = number x named powers x budget^power x (log budget)^log.

    Attributes:
        statement: what was stated.
        setting: what is tuned, fixed, on a path, capped.
        left: the exponents of the risk and of what is tuned.
        power: the exponent of the budget; None where it is held, too.
        log: the exponent of its logarithm.
        held: the exponents of constants, held variables and caps.
        named: those that the statement names, and so claims.
        values: what is held, by name.
        small: what is held and tends to 0 in the end.
        by_default: what is held without a value of anybody's.
    """

    statement: Statement
    setting: Setting
    left: Mapping[str, Fraction]
    power: Fraction | None
    log: Fraction
    held: Mapping[str, Fraction]
    named: tuple[str, ...]
    values: Mapping[str, float]
    small: tuple[str, ...]
    by_default: tuple[str, ...]

    @property
    def number(self) -> Fraction | float:
        """The constant that is stated, beside what is named."""
        return self.statement.number

    def text(self) -> str:
        """Return the law as it was read: what is tuned on the left, all else on the right."""
        budget = self.setting.budget
        exponents = {**self.held, budget: self.power, f"(log {budget})": self.log}
        right = [f"{float(self.number):g}"] if self.statement.exact else []
        right += [name if p == 1 else f"{name}^{p}" for name, p in exponents.items() if p]
        left = [name if p == 1 else f"{name}^{p}" for name, p in self.left.items()]
        return f"{' '.join(left)} {'=' if self.statement.exact else '~'} {' '.join(right) or '1'}"


def moved_to(name: str, value: float) -> float:
    """Return where a constant, a held variable or a cap is moved to, to see what follows: a decade away.

    Hyperparameters move down, away from what bounds them and sooner out of burn-in; b not below 1.
    """
    down = {"eta": True, "alpha": True, "b": value >= 10}.get(name.removesuffix("_max"), False)
    return value / 10 if down else value * 10


def variables(proxy: Bound) -> tuple[str, ...]:
    """Return the hyperparameters that change a bound: an exponent 0 that is written out does not."""
    if isinstance(proxy, FunctionProxy):
        return tuple(v for v in TUNABLE if v in proxy.variables())
    return tuple(v for v in TUNABLE if any(term.factors.get(v, 0) != 0 for term in proxy.terms))


def pose(statement: Statement, proxy: Bound, roles: Roles) -> Question:
    """Return the question that a statement asks of a bound.

    Args:
        statement: what was stated.
        proxy: the bound, in the form of the budget.
        roles: what holds for every claim.

    Raises:
        ValueError: a name that the bound lacks, nothing tuned on the left, a regime that contradicts itself.
    """
    own = variables(proxy)
    regime, by_default = _regime(statement, own, roles)
    _check_names(statement, proxy, (*own, *proxy.constants, *(f"{v}_max" for v in regime.caps)))
    regime.joint_caps(proxy.caps)
    along(proxy, regime.path)
    if not regime.tuned:
        raise wrong(
            statement.source, 0, "a claim is about an optimum, and nothing is tuned", "tuned eta, b after @, say"
        )
    budget, free = proxy.budget, ("risk", *regime.tuned)
    powers, log = _gathered(statement, budget, regime)
    left = {name: p for name, p in powers.items() if p and name in free}
    if not left:
        raise wrong(statement.source, 0, *_nothing_tuned(statement, regime, budget))
    held = {name: -p for name, p in powers.items() if name not in (*free, budget)}
    if budget in statement.fixed and not held:
        rule = f"with {budget} fixed nothing is left of this claim"
        raise wrong(statement.source, 0, rule, f"a constant or a held variable on the right, or no fixed {budget}")
    return Question(
        statement=statement,
        setting=_setting(proxy, regime),
        left=left,
        power=None if budget in statement.fixed else -powers.get(budget, Fraction(0)),
        log=log,
        held=held,
        named=tuple(name for name in statement.columns if name in held),
        values={**proxy.constants, **regime.fixed, **{f"{v}_max": x for v, x in regime.caps.items()}},
        small=statement.small,
        by_default=by_default,
    )


def _setting(proxy: Bound, regime: Regime) -> Setting:
    """The regime as a key; a bound given by a function has at least one iteration."""
    caps = tuple((v, x) for v, x in regime.caps.items() if v in regime.tuned)
    path = tuple(regime.path.items())
    return Setting(regime.tuned, tuple(regime.fixed.items()), path, caps, proxy.budget, proxy.min_K)


# --- what is tuned and what is held ---
def _regime(statement: Statement, own: tuple[str, ...], roles: Roles) -> tuple[Regime, tuple[str, ...]]:
    """The regime of a claim, and what is held in it for want of a value."""
    said = statement
    for name in (*said.fixed, *said.path, *said.caps, *said.small, *(said.tuned or ()), *(roles.tuned or ())):
        if name in TUNABLE and name not in own:
            raise unknown("hyperparameter of the bound", name, own)
    mentioned = {*said.fixed, *said.path, *said.small, *(said.tuned or ())}
    fixed: dict[str, float | None] = {v: x for v, x in roles.fixed.items() if v not in mentioned}
    path = {v: p for v, p in roles.path.items() if v not in mentioned} | {v: p for v, (_, p) in said.path.items()}
    fixed |= {v: roles.fixed.get(v) if x is None else float(x) for v, x in said.fixed.items() if v in TUNABLE}
    fixed |= {v: SMALL for v in said.small}
    free = [v for v in own if v not in fixed and v not in path]
    asked = said.tuned if said.tuned is not None else roles.tuned
    tuned = tuple(v for v in free if asked is None or v in asked)
    fixed |= {v: None for v in free if v not in tuned}
    if said.tuned is None and roles.tuned is not None:
        # What the command line calls tuned and fixed at once is a mistake that the regime finds.
        tuned = (*tuned, *(v for v in roles.tuned if v not in tuned and v not in mentioned))
    by_default = tuple(v for v, x in fixed.items() if x is None)
    values: Any = {v: HELD_AT[v] if x is None else x for v, x in fixed.items()}
    caps = {**roles.caps, **{v: float(x) for v, x in said.caps.items()}}
    return Regime(tuned, values, path, caps), by_default


def _check_names(statement: Statement, proxy: Bound, known: tuple[str, ...]) -> None:
    """Refuse a name that the bound lacks, a budget on the wrong side, and another budget's path."""
    budget, source, columns = proxy.budget, statement.source, statement.columns
    known = ("risk", "T", "K", *known)
    for name, column in columns.items():
        if name not in known:
            raise unknown_name(source, column, "constant or variable of the bound", name, known)
    if budget in statement.left:
        raise wrong(source, columns[budget], f"the budget {budget} stands on the right", f"b ~ {budget}^1/2, say")
    other = "K" if budget == "T" else "T"
    rule = f"the budget is {budget}, as the bound's is"
    for name in BUDGETS:
        if name != budget and f"log {name}" in statement.right:
            raise wrong(source, source.find("log"), rule, f"log {budget}")
    for name, (followed, _) in statement.path.items():
        if followed != budget:
            raise wrong(source, source.find("@"), rule, f"{name} = {budget}^1/2, say")
    if other in statement.fixed:
        raise wrong(source, source.find("@"), rule, f"fixed {budget}")


def _nothing_tuned(statement: Statement, regime: Regime, budget: str) -> tuple[str, str]:
    """The rule and what to write, where nothing on the left is tuned."""
    held = [v for v in statement.left if v in regime.fixed or v in regime.path]
    tuned = ", ".join(regime.tuned) or "nothing"
    what = f"{' and '.join(held)} {'is' if len(held) == 1 else 'are'} held" if held else "nothing is left on the left"
    return f"{what}, and a claim is about the risk or what is tuned: {tuned}", f"risk ~ {budget}^-1/4, say"


# --- from both sides to one ---
def _gathered(statement: Statement, budget: str, regime: Regime) -> tuple[dict[str, Fraction], Fraction]:
    """The exponents of left/right with K = T/b and paths written out, and that of the logarithm on the right."""
    both = times(statement.left, statement.right, Fraction(-1))
    powers = {name: p for name, p in both.items() if name.isidentifier()}
    other = "K" if budget == "T" else "T"
    exchanged = powers.pop(other, Fraction(0))
    _add(powers, budget, exchanged)
    if exchanged:
        _add(powers, "b", -exchanged if budget == "T" else exchanged)
    for name, exponent in regime.path.items():
        _add(powers, budget, powers.pop(name, Fraction(0)) * exponent)
    return powers, statement.right.get(f"log {budget}", Fraction(0))


def _add(powers: dict[str, Fraction], name: str, exponent: Fraction) -> None:
    powers[name] = powers.get(name, Fraction(0)) + exponent
