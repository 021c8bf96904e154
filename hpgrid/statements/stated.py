"""From a statement to a law of one bound under a regime: what is tuned on the left, what is held on the right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from hpgrid.checks import unknown
from hpgrid.proxy import FunctionProxy, Proxy
from hpgrid.regime import FrozenMap, Regime, limit_name
from hpgrid.statements.language import Statement, times, unknown_name, wrong
from hpgrid.text import exponent_text
from hpgrid.variables import STANDARD, Power, Space


def held_at(space: Space, name: str, cap: float = float("inf")) -> float:
    """Return what a variable is held at where nobody says at what: a value of no significance inside its range.

    Figure 2's batch size where there is a smallest value, 1072 times that; Figure 1's momentum otherwise, 1e-3 of the
    largest. Where that is too large, the middle of the range in its logarithm.
    """
    variable = space.all[name]
    most = min(variable.high, cap)
    if not variable.low:
        return 1e-3 * (most if most < float("inf") else 1.0)
    value = 1072.0 * variable.low
    middle = value if value < most else (variable.low * most) ** 0.5
    return max(float(round(middle)), variable.low) if variable.whole else middle


#: What tends to 0 after the budget has gone to infinity is held at this.
SMALL = 1e-6


@dataclass(frozen=True)
class StatedLaw:
    """A stated law of one bound: left = number x held powers x budget^power x (log budget)^log."""

    statement: Statement  # what was stated
    regime: Regime  # what is tuned, fixed, on a path, capped
    budget: str  # the bound's
    left: Mapping[str, Fraction]  # the exponents of the risk and of what is tuned
    power: Fraction | None  # the exponent of the budget; None where it is held, too
    log: Fraction  # the exponent of its logarithm
    held: Mapping[str, Fraction]  # the exponents of constants, held variables and caps
    values: Mapping[str, float]  # what is held, by name
    by_default: tuple[str, ...]  # what is held without a value of anybody's

    @property
    def named(self) -> tuple[str, ...]:
        """What is held and named in the statement: its exponents are claimed."""
        return tuple(name for name in self.statement.columns if name in self.held)

    def text(self) -> str:
        """Return the law as it was read: what is tuned on the left, all else on the right."""
        exact = self.statement.exact
        exponents = {**self.held, self.budget: self.power, f"(log {self.budget})": self.log}
        right = [f"{float(self.statement.number):g}"] if exact else []
        right += [name if p == 1 else f"{name}^{exponent_text(p)}" for name, p in exponents.items() if p]
        risk = f"(risk - {self.statement.less})" if self.statement.less else "risk"
        named = {risk if name == "risk" else name: p for name, p in self.left.items()}
        left = [name if p == 1 else f"{name}^{exponent_text(p)}" for name, p in named.items()]
        return f"{' '.join(left)} {'=' if exact else '~'} {' '.join(right) or '1'}"


def moved_to(name: str, value: float, space: Space = STANDARD) -> float:
    """Return where a constant, a held variable or a cap is moved to, to see what follows: a decade away.

    Hyperparameters move down, away from what bounds them and sooner out of burn-in; b not below 1.
    """
    name = name.removesuffix("_max")
    down = name in space.hyperparameters and value / 10 >= space.all[name].low
    return value / 10 if down else value * 10


def pose(statement: Statement, proxy: Proxy | FunctionProxy, **options: Any) -> StatedLaw:
    """Return the law that a statement says of a bound.

    Args:
        statement: what was stated.
        proxy: the bound, in the form of the budget.
        options: "tuned", "fixed", "path", "caps", as of ``check``: what holds for every claim.

    Raises:
        ValueError: a name that the bound lacks, nothing tuned on the left, a regime that contradicts itself.
    """
    source, budget = statement.source, proxy.budget
    space = proxy.space
    own = tuple(v for v in proxy.depends_on() if v in space.hyperparameters)
    regime, by_default = _regime(statement, own, space, **options)
    _check_names(
        statement,
        budget,
        space,
        (*own, *proxy.constants, *(limit_name(v, "max", proxy.constants) for v in regime.caps)),
    )
    # What the bound names with an exponent of 0 needs no role.
    regime = regime.settled(proxy, free=[v for v in space.hyperparameters if v not in own])
    # What these two refuse, a cap below what is held and a path of a function, is refused before anything is measured.
    regime.joint_caps(proxy.caps)
    proxy.along(regime.path)
    powers, free = _powers(statement, budget, regime, space), ("risk", *regime.tuned)
    left = {name: p for name, p in powers.items() if p and name in free}
    if not left:
        kept = [v for v in statement.left if v in regime.fixed or v in regime.path]
        what = f"{' and '.join(kept)} {'are' if kept[1:] else 'is'} held" if kept else "nothing is left on the left"
        rule = f"{what}, and a claim is about the risk or what is tuned: {', '.join(regime.tuned)}"
        raise wrong(source, 0, rule, f"risk ~ {budget}^-1/4, say")
    held = {name: -p for name, p in powers.items() if name not in (*free, budget)}
    for name in (name for name in held if proxy.constants.get(name) == 0.0):
        rule = f"{name} is 0 here, so that no law has a power of it"
        raise wrong(source, statement.columns[name], rule, f"{name}=1.0 among the constants, say")
    if budget in statement.fixed and not held:
        rule = f"with {budget} fixed nothing is left of this claim"
        raise wrong(source, 0, rule, f"a constant or a held variable on the right, or no fixed {budget}")
    caps = {limit_name(v, "max", proxy.constants): x for v, x in regime.caps.items()}
    return StatedLaw(
        statement=statement,
        regime=replace(regime, caps={v: x for v, x in regime.caps.items() if v in regime.tuned}, min_K=proxy.min_K),
        budget=budget,
        left=FrozenMap(left),
        power=None if budget in statement.fixed else -powers.get(budget, Fraction(0)),
        log=statement.right.get(f"log {budget}", Fraction(0)),
        held=held,
        values={**proxy.constants, **regime.fixed, **caps},
        by_default=by_default,
    )


def _regime(
    claim: Statement,
    own: tuple[str, ...],
    space: Space,
    *,
    tuned: tuple[str, ...] | None = None,
    fixed: Mapping[str, float] | None = None,
    path: Mapping[str, Any] | None = None,
    caps: Mapping[str, float] | None = None,
) -> tuple[Regime, tuple[str, ...]]:
    """The regime of a claim, whose own conditions go first, and what is held in it for want of a value."""
    for name in (*claim.fixed, *claim.path, *claim.caps, *claim.small, *(claim.tuned or ()), *(tuned or ())):
        if name in space.hyperparameters and name not in own:
            raise unknown("hyperparameter of the bound", name, own)
    mentioned = {*claim.fixed, *claim.path, *claim.small, *(claim.tuned or ())}
    held: dict[str, float | None] = {v: x for v, x in (fixed or {}).items() if v not in mentioned}
    follows = {v: Power.read(v, p) for v, p in (path or {}).items() if v not in mentioned}
    follows |= {v: Power(p) for v, (_, p) in claim.path.items()}
    held |= {
        v: (fixed or {}).get(v) if x is None else space.given(v, float(x))
        for v, x in claim.fixed.items()
        if v in space.hyperparameters
    }
    held |= {v: SMALL for v in claim.small}
    free = [v for v in own if v not in held and v not in follows]
    wanted = claim.tuned if claim.tuned is not None else tuned
    chosen = tuple(v for v in free if wanted is None or v in wanted)
    held |= {v: None for v in free if v not in chosen}
    if claim.tuned is None and tuned is not None:
        # What the command line calls tuned and fixed at once is a mistake that the regime finds.
        chosen = (*chosen, *(v for v in tuned if v not in chosen and v not in mentioned))
    all_caps = {**(caps or {}), **{v: space.given(v, float(x)) for v, x in claim.caps.items()}}
    values = {v: held_at(space, v, all_caps.get(v, float("inf"))) if x is None else x for v, x in held.items()}
    return Regime(chosen, values, follows, all_caps, space=space), tuple(v for v, x in held.items() if x is None)


def _check_names(statement: Statement, budget: str, space: Space, known: tuple[str, ...]) -> None:
    """Refuse a name that the bound lacks, a budget on the wrong side, another budget's path: what is read first."""
    source, columns = statement.source, statement.columns
    known = ("risk", *space.budget_names, *known)
    rule, others = f"the budget is {budget}, as the bound's is", [n for n in space.budget_names if n != budget]
    at, log = source.find("@"), source.find("log")
    mistakes = [
        (column, unknown_name(source, column, "constant or variable of the bound", name, known))
        for name, column in columns.items()
        if name not in known
    ]
    if budget in statement.left:
        column = columns[budget]
        mistakes.append(
            (column, wrong(source, column, f"the budget {budget} stands on the right", f"b ~ {budget}^1/2, say"))
        )
    if any(f"log {other}" in statement.right for other in others):
        mistakes.append((log, wrong(source, log, rule, f"log {budget}")))
    for name, (followed, _) in statement.path.items():
        if followed != budget:
            mistakes.append((at, wrong(source, at, rule, f"{name} = {budget}^1/2, say")))
    if any(other in statement.fixed for other in others):
        mistakes.append((at, wrong(source, at, rule, f"fixed {budget}")))
    if mistakes:
        raise min(mistakes, key=lambda mistake: mistake[0])[1]


def _powers(statement: Statement, budget: str, regime: Regime, space: Space) -> dict[str, Fraction]:
    """The exponents of left/right with K = T/b and paths written out."""
    powers = {n: p for n, p in times(statement.left, statement.right, Fraction(-1)).items() if n.isidentifier()}
    # An exponent of the other budget is one of this budget and of b.
    for other in space.budget_names:
        if other == budget or not (exchanged := powers.pop(other, Fraction(0))):
            continue
        powers = times(powers, {budget: exchanged})
        for relation, sign in space.exchange(other, budget):
            if len(relation.factor) > 1:
                rule = f"{relation.text} is a sum, so that {other} is no product of powers"
                raise wrong(statement.source, 0, rule, f"{budget} in its place")
            powers = times(powers, dict(relation.factor[0][0]), exchanged * sign)
    for name, exponent in regime.path.items():
        powers = times(powers, {budget: powers.pop(name, Fraction(0)) * exponent})
    return powers
