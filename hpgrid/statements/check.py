"""``check``: what a person states of a bound, held against it by all routes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from hpgrid.checks import Given, bad
from hpgrid.grid import Grid
from hpgrid.proxy import FunctionProxy, Proxy, check_bound
from hpgrid.readings import FAILS, UNIDENTIFIABLE, VERDICTS, Reading, worst
from hpgrid.regime import Regime
from hpgrid.slopes import Slope
from hpgrid.statements import routes
from hpgrid.statements.language import Statement, parse
from hpgrid.statements.stated import StatedLaw, pose
from hpgrid.variables import settings


@dataclass(frozen=True)
class Checked:
    """A stated claim and what became of it."""

    stated: StatedLaw  # the claim as it was read, under its regime
    bound: str  # what the bound is called
    readings: tuple[Reading, ...]  # what each route measured of each part, held against what is claimed
    fit: Slope | None  # the grid's slope and over which budgets it was fitted; None where the budget is held
    law: str | None  # the exact law of what the claim is about, as text; None where there is none
    no_law: str = ""  # why there is none

    def __repr__(self) -> str:
        return f"Checked({self.claim!r} of {self.bound}: {self.verdict})"

    @property
    def claim(self) -> str:
        """The claim as it was written."""
        return self.stated.statement.source

    @property
    def verdict(self) -> str:
        """Whether it holds, fails, or can't be told: the worst of its parts' verdicts."""
        return verdict(self.readings)


def check(
    proxy: Proxy | FunctionProxy,
    claims: Iterable[str | Statement] | str,
    *,
    tuned: Sequence[str] | None = None,
    fixed: Mapping[str, Given] | None = None,
    path: Mapping[str, Given] | None = None,
    caps: Mapping[str, Given] | None = None,
    grid: Grid | None = None,
    budget: str | None = None,
    advance: Callable[[], None] = lambda: None,
) -> tuple[Checked, ...]:
    """Return for each claim whether it holds of a bound, fails, or can't be told, with the numbers of every route.

    A claim is LEFT ~ RIGHT, or LEFT = RIGHT where the constant is stated too, such as "b ~ T^1/2",
    "eta ~ b T^-3/4 @ fixed b", "alpha/b ~ T^-1/2", "b ~ (T/log T)^(2/3) @ fixed alpha=0.05". After @ stand conditions
    of its own, which go before those given here: "fixed b", "fixed b=1072", "tuned eta, b", "b = T^1/2", "b <= 1e6",
    "alpha -> 0", "fixed T".

    Args:
        proxy: the bound.
        claims: what is stated, as text or as ``parse`` has read it.
        tuned: what is tuned; all that is neither fixed nor on a path where None.
        fixed: what is held; a variable that is held without a value is at eta = 1e-3, b = 1072, alpha = 1e-3.
        path: what follows a power of the budget.
        caps: largest values of what is tuned.
        grid: where the bound is searched; the footnote's grid where None.
        budget: the claims', "T", "K" or one that is declared; the grid's where None, the bound's own where no grid is.
        advance: called after each claim.

    Raises:
        ValueError: a claim that can't be read, names what the bound lacks, or contradicts its conditions.

    Source: the routes of the ledger: exact exponents, continuous optima far out, a grid as in Shulgin et al.
    """
    check_bound(proxy)
    given = [claims] if isinstance(claims, str) else claims
    statements = [claim if isinstance(claim, Statement) else parse(claim, proxy.space) for claim in given]
    space, proxy = proxy.space, proxy.form(budget or (proxy.budget if grid is None else grid.budget))
    chosen = None if tuned is None else Regime(tuple(tuned), space=space).tuned
    fixed = settings(fixed or {}, space)
    own = {less: proxy.without(less) if less else proxy for less in dict.fromkeys(each.less for each in statements)}
    roles: dict[str, Any] = {"tuned": chosen, "fixed": fixed, "path": path, "caps": caps}
    laws = [pose(statement, own[statement.less], **roles) for statement in statements]
    if grid is None:
        grid = Grid.footnote(space=space, budget=proxy.budget)
    if grid.budget != proxy.budget or proxy.budget not in grid.axes:
        raise bad(f"the grid has an axis of the claims' budget {proxy.budget}", list(grid.axes), "such a grid")
    subjects, checked = {less: routes.Subject(bound, grid) for less, bound in own.items()}, []
    for stated in laws:
        checked.append(_checked(subjects[stated.statement.less], stated))
        advance()
    return tuple(checked)


def _checked(subject: routes.Subject, stated: StatedLaw) -> Checked:
    """A claim held against the bound by all routes, the surest first."""
    law, fit = routes.exact_law(subject, stated.regime), None
    # Only a bound that is no sum of powers has laws with logarithms.
    readings = [*routes.refined_readings(subject, stated, logs=isinstance(law, str))]
    if stated.power is not None:
        on_grid, fit = routes.grid_reading(subject, stated, stated.power)
        readings.append(on_grid)
    if isinstance(law, str):
        return Checked(stated, subject.proxy.name, tuple(readings), fit, None, law)
    readings = [*routes.exact_readings(stated, law), *readings]
    _, whole = routes.product_law(law, stated.left)
    text, less = None if whole is None else whole.text(), stated.statement.less
    if text is not None and law.approached.keys() & stated.left.keys():
        text = text.replace(" = ", " -> ", 1)
    if whole is not None and less:
        alone = stated.left == {"risk": 1}
        text = f"risk* - {less} = {whole.right()}" if alone else f"of risk - {less}: {text}"
    return Checked(stated, subject.proxy.name, tuple(readings), fit, text)


# --- from readings to verdicts, part by part ---
def parts(readings: Sequence[Reading]) -> dict[str, tuple[Reading, ...]]:
    """Return the readings of each part of a claim, such as "power of T", beside a logarithm or not."""
    by_part: dict[str, tuple[Reading, ...]] = {}
    for reading in readings:
        part = reading.what.partition(routes.BESIDE)[0]
        by_part[part] = (*by_part.get(part, ()), reading)
    return by_part


def part_verdict(readings: Sequence[Reading]) -> str:
    """Return the verdict on one part: that of the routes that can tell, far out where one of them can.

    One of them that says no is enough, a wider tolerance being no evidence; a route that can't tell takes nothing
    from another's proof. A grid's budgets may all end before the law begins: it decides where no other route can.
    """
    identifiable = [reading for reading in readings if reading.verdict != UNIDENTIFIABLE]
    return worst([reading for reading in identifiable if reading.route != routes.GRID] or identifiable)


def verdict(readings: Sequence[Reading]) -> str:
    """Return the verdict on a claim: the worst of its parts'."""
    return max((part_verdict(own) for own in parts(readings).values()), key=VERDICTS.index, default=UNIDENTIFIABLE)


def contradictions(readings: Sequence[Reading]) -> tuple[tuple[Reading, Reading], ...]:
    """Return the pairs of readings of one thing that can't both be right: further apart than both tolerances."""
    identifiable = [reading for reading in readings if reading.verdict != UNIDENTIFIABLE]
    pairs = ((one, other) for one, other in combinations(identifiable, 2) if one.what == other.what)
    return tuple((a, b) for a, b in pairs if abs(float(a.measured - b.measured)) > a.tolerance + b.tolerance)


def instead(readings: Sequence[Reading]) -> dict[str, Reading]:
    """Return for each part that fails the surest reading that says so: what was found instead."""
    failing = {what: [r for r in own if r.verdict == FAILS] for what, own in parts(readings).items()}
    return {what: min(own, key=lambda r: routes.ROUTES.index(r.route)) for what, own in failing.items() if own}
