"""The exact exponents of a bound: at its optimum, along families of paths, and of each term along a schedule."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from fractions import Fraction

from hpgrid.asymptotics.answers import solve
from hpgrid.asymptotics.law import Law, Line, Segment
from hpgrid.asymptotics.levels import Descent, descend
from hpgrid.asymptotics.linear import Vector, dot, minimise, move, unit
from hpgrid.asymptotics.posynomial import Problem, pose, settle
from hpgrid.checks import Given, bad, changed
from hpgrid.proxy import FunctionProxy, Proxy, check_bound
from hpgrid.regime import Regime, as_regime


def exponents(
    proxy: Proxy | FunctionProxy,
    tuned: Iterable[str] | None = None,
    *,
    fixed: Mapping[str, Given] | None = None,
    path: Mapping[str, Given] | None = None,
    caps: Mapping[str, Given] | None = None,
    regime: Regime | None = None,
    budget: str | None = None,
    min_K: Given | None = None,
) -> Law:
    """Return how a bound's optimum scales as the budget goes to infinity: exact exponents, whole laws.

    The largest exponent of the terms is minimised exactly; where that leaves a choice, the terms
    below decide it, level by level; each level's constants come from its geometric program.

    Args:
        proxy: the bound: a generalised posynomial of what is tuned, as formulas of sums, products, powers >= 0 and
            maxima of powers are; what no tuned variable is in may have any form.
        tuned: the hyperparameters that are optimised.
        fixed: hyperparameters held at one value; they stay symbols in the laws.
        path: hyperparameters that follow a power of the budget: {"b": Fraction(1, 2)} is b = T^(1/2).
        caps: largest values of tuned hyperparameters; in the laws they are b_max, alpha_max, eta_max.
        regime: the four above, whole.
        budget: "T" or "K"; the bound's own, by default.
        min_K: the smallest number of iterations: b <= T/min_K, in T form.

    Raises:
        ValueError: the bound is a function of one's own, or no generalised posynomial of what is tuned, nothing is
            tuned, or the regime contradicts itself or the bound.

    Source: Shulgin et al., Theorems 1 to 3 and Appendix B, by way of exact linear programs.
    """
    check_bound(proxy)
    chosen = as_regime(regime, tuned, min_K, proxy.space, fixed=fixed, path=path, caps=caps)
    return law_of(proxy, settle(proxy, chosen, budget), budget)


def law_of(proxy: Proxy | FunctionProxy, regime: Regime, budget: str | None = None) -> Law:
    """Return what ``exponents`` does, in a settled regime: nothing is asked again."""
    problem = pose(proxy, regime, budget)
    law = solve(problem, proxy.name, regime.path)
    law = replace(law, other_budgets=_other_budgets(proxy, law))
    if len(regime.path) != 1:
        return law
    # The segments of all the paths that are like its one.
    ((variable, phi),) = regime.path.items()
    lo, hi = (Fraction(end) for end in _reach(proxy, variable))
    return replace(law, segments=_family(proxy, regime, min(lo, phi), max(hi, phi), problem.budget))


def _other_budgets(proxy: Proxy | FunctionProxy, law: Law) -> dict[str, Fraction]:
    """The exponent of each budget that is joined to a law's own, where the levels fix it: K's is 1 less b's."""
    moving, found = {**law.path, **law.exponent}, dict[str, Fraction]()
    moving |= {complement: None for complement, v in proxy.space.complements.items() if v in moving}
    for other in proxy.space.joined(law.budget):
        total = Fraction(1)
        for relation, sign in proxy.space.exchange(other, law.budget):
            # The largest of a sum's products; one of a constant of 0 is not there.
            left = [powers for powers, _ in relation.factor if all(proxy.constants.get(n) != 0 for n, _ in powers)]
            parts = [[(e, moving.get(name, Fraction(0))) for name, e in powers] for powers in left]
            if not left or any(p is None for part in parts for _, p in part):
                break
            total += sign * max(sum((e * p for e, p in part if p is not None), Fraction(0)) for part in parts)
        else:
            found[other] = total
    found.pop(law.budget)
    return found


def _reach(proxy: Proxy | FunctionProxy, variable: str) -> tuple[int, int]:
    """Where the exponent of a variable's path may lie: 1 <= b <= T; alpha <= 1."""
    return (0, 1) if proxy.space.all[variable].low > 0 else (-1, 0)


def segments(
    proxy: Proxy | FunctionProxy,
    tuned: Iterable[str],
    variable: str = "b",
    between: tuple[Fraction | int, Fraction | int] | None = None,
    *,
    fixed: Mapping[str, Given] | None = None,
    caps: Mapping[str, Given] | None = None,
    budget: str | None = None,
) -> tuple[Segment, ...]:
    """Return how the exponents depend on phi along the paths variable = budget^phi.

    Each is piecewise linear in phi; the ends of the pieces are exact.

    Args:
        proxy: the bound.
        tuned: the variables that are tuned along each path.
        variable: the one that follows the path.
        between: the smallest and largest phi; as far as the variable's range lets it, by default.
        fixed: variables held at one value.
        caps: the largest values of tuned variables.
        budget: "T" or "K"; the bound's own, by default.

    Raises:
        ValueError: as ``exponents`` does; or the range of phi is empty.

    Source: Shulgin et al., Corollary 2 and Appendices B.5 and C.3.
    """
    lo, hi = (Fraction(end) for end in between or _reach(proxy, variable))
    if lo >= hi:
        raise bad("a range of paths has a smallest and a larger exponent", (str(lo), str(hi)), "between=(0, 1), say")
    # A path of exponent 0 is the edge of its family, which a cap below 1 may cut off.
    for phi in (lo, hi if hi > 0 else (lo + hi) / 2):
        regime = settle(
            proxy, as_regime(None, tuned, None, proxy.space, fixed=fixed, path={variable: phi}, caps=caps), budget
        )
        pose(proxy, regime, budget)
    return _family(proxy, regime, lo, hi, budget)


def decay(
    proxy: Proxy | FunctionProxy, path: Mapping[str, Fraction | str], budget: str | None = None
) -> tuple[tuple[str, Fraction], ...]:
    """Return every term's exponent of the budget along a schedule; variables without a path stay fixed.

    Source: Shulgin et al., eqs. (30) to (32).
    """
    if isinstance(proxy, FunctionProxy):
        raise bad("a term's exponents need a bound given by its terms; this one is a function", proxy.name, "a Proxy")
    bound = proxy.form(budget or proxy.budget)
    schedule = Regime(path=path, space=proxy.space).path
    folded = bound.along(schedule)
    assert isinstance(folded, Proxy)
    exponents = (term.exponent(bound.budget) or Fraction(0) for term in folded.terms)
    return tuple((str(term), exponent) for term, exponent in zip(bound.terms, exponents))


def _family(
    proxy: Proxy | FunctionProxy, regime: Regime, lo: Fraction, hi: Fraction, budget: str | None
) -> tuple[Segment, ...]:
    """The segments of all the paths that are like a regime's own; neighbours that say the same are one."""
    (variable,) = regime.path
    tuned = proxy.space.ordered((*regime.tuned, variable))
    family = pose(proxy, changed(regime, tuned=tuned, path={}), budget)
    sums = [limit.sum for limit in family.limits if limit.sum]
    if len({*sums}) < len(sums):  # what a sum in a maximum adds to later levels bends with the path
        return ()
    joined: list[Segment] = []
    for segment in _between(family, family.variables.index(variable), lo, hi):
        last = joined[-1] if joined else None
        if last and last.hi == segment.lo and (last.exponent, last.active) == (segment.exponent, segment.active):
            joined[-1] = last._replace(hi=segment.hi)
        else:
            joined.append(segment)
    return tuple(joined)


def _at(family: Problem, index: int, phi: Fraction) -> Problem:
    """The problem on one path: the path's variable becomes a power of the budget."""
    others = [k for k in range(len(family.variables)) if k != index]
    return replace(
        family,
        variables=tuple(family.variables[k] for k in others),
        pieces=tuple(
            piece._replace(row=tuple(piece.row[k] for k in others), shift=piece.shift + phi * piece.row[index])
            for piece in family.pieces
        ),
        limits=tuple(
            limit._replace(row=row, exponent=limit.exponent - phi * limit.row[index], of_path=limit.row[index])
            for limit in family.limits
            if any(row := tuple(limit.row[k] for k in others))
        ),
    )


def _between(family: Problem, index: int, lo: Fraction, hi: Fraction) -> list[Segment]:
    """The segments from lo to hi: that of the middle, and what is left on either side of it."""
    if lo >= hi:
        return []
    # The middle is inside a segment but for rare luck, and then both halves still are: the ends come out exact.
    middle = (lo + hi) / 2
    problem = _at(family, index, middle)
    descent = descend(problem)
    slopes = tuple(piece.row[index] for piece in family.pieces)
    (before, first), (after, last) = (_end(descent, slopes, middle, end) for end in (lo, hi))
    here = []
    if first < last:
        law = solve(problem, "", {})
        lines: dict[str, Line | None] = dict.fromkeys(law.exponent)
        for name in (name for name, exponent in law.exponent.items() if exponent is not None):
            slope = (after[name] - before[name]) / (last - first)
            lines[name] = Line(slope, before[name] - slope * first)
        here = [Segment(first, last, lines, law.active)]
    return [*_between(family, index, lo, first), *here, *_between(family, index, last, hi)]


def _end(descent: Descent, slopes: Vector, phi: Fraction, end: Fraction) -> tuple[dict[str, Fraction], Fraction]:
    """How far towards ``end`` the same terms and bounds decide, and the exponents there.

    The dual weights don't depend on phi, so the levels stay optimal as long as their tight rows can
    stay tight and no other row is violated: a linear program in the exponents, phi, and the levels.
    """
    problem, width, depth = descent.problem, descent.width, len(descent.steps)
    sign = 1 if end > phi else -1
    towards = unit(width, width + 1 + depth, -sign)
    held: list[tuple[Vector, Fraction, bool]] = []
    for level, step in enumerate(descent.steps):
        for k in step.varying:
            piece = problem.pieces[k]
            row = (*piece.row, slopes[k], *unit(level, depth, -1))
            held.append((row, step.exponent - piece.exponent(descent.point), k in step.tight))
    met = descent.steps[-1].met if descent.steps else ()
    for limit in problem.limits:
        slack = limit.exponent - dot(limit.row, descent.point)
        held.append(((*limit.row, limit.of_path, *unit(0, depth, 0)), slack, limit in met))
    held.append((tuple(-x for x in towards), sign * (end - phi), False))
    # What stays tight is held from both sides.
    rows = [tuple(s * x for x in row) for row, _, tight in held for s in ((1, -1) if tight else (1,))]
    at = minimise(towards, rows, [slack for _, slack, tight in held for _ in range(1 + tight)]).point
    exponents = dict(zip(problem.variables, move(descent.point, at[:width])))
    if descent.steps:
        exponents["risk"] = descent.steps[0].exponent + at[width + 1]
    return exponents, phi + at[width]
