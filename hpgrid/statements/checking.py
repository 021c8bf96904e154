"""``check``: what a person states of a bound, held against it by all routes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, partial

from hpgrid.asymptotics.law import Law
from hpgrid.checks import InputError, bad
from hpgrid.claims.measures import Bound, Setting, exact as exact_law
from hpgrid.grid import Grid
from hpgrid.proxy import FunctionProxy
from hpgrid.readings import Reading
from hpgrid.statements import behind, exact, on_grid, refined
from hpgrid.statements.language import Statement, parse
from hpgrid.statements.posing import Question, Roles, pose
from hpgrid.statements.verdicts import verdict


@dataclass(frozen=True)
class Checked:
    """A stated claim and what became of it.

    Attributes:
        question: the claim as it was read, under its regime.
        bound: what the bound is called.
        readings: what each route measured of each part, held against what is claimed.
        window: over which budgets the grid's slope was fitted; None where there is none.
        law: the exact law of what the claim is about, as text; None where there is none.
        no_law: why there is none.
    """

    question: Question
    bound: str
    readings: tuple[Reading, ...]
    window: on_grid.Window | None
    law: str | None
    no_law: str = ""

    @property
    def claim(self) -> str:
        """The claim as it was written."""
        return self.question.statement.source

    @property
    def verdict(self) -> str:
        """Whether it holds, fails, or can't be told."""
        return verdict(self.readings)


@dataclass(frozen=True)
class _Routes:
    """How a bound is measured; what claims share is computed once."""

    proxy: Bound
    exact: Callable[[Setting], Law | str]
    refined: refined.Climbing
    grid: behind.Following


def check(
    proxy: Bound,
    claims: Iterable[str] | str,
    *,
    tuned: Sequence[str] | None = None,
    fixed: Mapping[str, float] | None = None,
    path: Mapping[str, Fraction] | None = None,
    caps: Mapping[str, float] | None = None,
    grid: Grid | None = None,
    advance: Callable[[], None] = lambda: None,
) -> tuple[Checked, ...]:
    """Return for each claim whether it holds of a bound, fails, or can't be told, with the numbers of every route.

    A claim is LEFT ~ RIGHT, or LEFT = RIGHT where the constant is stated too, such as "b ~ T^1/2",
    "eta ~ b T^-3/4 @ fixed b", "alpha/b ~ T^-1/2", "b ~ (T/log T)^(2/3) @ fixed alpha=0.05". After @ stand conditions
    of its own, which go before those given here: "fixed b", "fixed b=1072", "tuned eta, b", "b = T^1/2", "b <= 1e6",
    "alpha -> 0", "fixed T".

    Args:
        proxy: the bound; its budget, T or K, is the claims'.
        claims: what is stated.
        tuned: what is tuned; all that is neither fixed nor on a path where None.
        fixed: what is held; a variable that is held without a value is at eta = 1e-3, b = 1072, alpha = 1e-3.
        path: what follows a power of the budget.
        caps: largest values of what is tuned.
        grid: where the bound is searched; the footnote's grid where None.
        advance: called after each claim.

    Raises:
        ValueError: a claim that can't be read, names what the bound lacks, or contradicts its conditions.

    Source: the routes of the ledger: exact exponents, continuous optima far out, a grid as in Shulgin et al.
    """
    roles = Roles(None if tuned is None else tuple(tuned), fixed or {}, path or {}, caps or {})
    statements = [parse(claim) for claim in ([claims] if isinstance(claims, str) else claims)]
    return check_statements(proxy, statements, roles, grid=grid, advance=advance)


def check_statements(
    proxy: Bound,
    statements: Sequence[Statement],
    roles: Roles,
    *,
    grid: Grid | None = None,
    advance: Callable[[], None] = lambda: None,
) -> tuple[Checked, ...]:
    """Return what ``check`` does, of claims that were read."""
    questions = [pose(statement, proxy, roles) for statement in statements]
    searched = grid or on_grid.default_grid(proxy.budget)
    if searched.budget != proxy.budget or proxy.budget not in searched.axes:
        raise bad(f"the grid has an axis of the bound's budget {proxy.budget}", list(searched.axes), "such a grid")
    routes = _routes(proxy, searched)
    found = []
    for question in questions:
        found.append(_checked(question, routes))
        advance()
    return tuple(found)


def _routes(proxy: Bound, grid: Grid) -> _Routes:
    searching = cache(partial(on_grid.search, proxy, grid))
    descending = cache(partial(behind.descend, proxy, searching))
    return _Routes(
        proxy,
        exact=cache(partial(_law, proxy)),
        refined=cache(partial(refined.climb, proxy)),
        grid=cache(partial(behind.follow, proxy, searching, descending)),
    )


def _law(proxy: Bound, setting: Setting) -> Law | str:
    """The exact law, or why there is none."""
    if isinstance(proxy, FunctionProxy):
        return "the bound is no sum of powers" + (f": {proxy.obstacle}" if proxy.obstacle else "")
    try:
        return exact_law(proxy, setting)
    except InputError as error:
        return str(error)


def _checked(question: Question, routes: _Routes) -> Checked:
    law = routes.exact(question.setting)
    known = not isinstance(law, str)
    readings = (
        *(exact.readings(question, law) if not isinstance(law, str) else ()),
        *refined.readings(question, routes.refined, logs=not known),
        *on_grid.readings(question, routes.grid),
    )
    window, name = on_grid.window(question, routes.grid), routes.proxy.name
    if isinstance(law, str):
        return Checked(question, name, readings, window, None, law)
    whole = exact.product_law(law, question.left).law
    return Checked(question, name, readings, window, None if whole is None else whole.text())
