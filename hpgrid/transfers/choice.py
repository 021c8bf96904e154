"""Which row of a transfer to use, why, and what it costs to leave all as it was."""

from __future__ import annotations

import math
from collections.abc import Collection
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

from hpgrid.proxy import Proxy
from hpgrid.text import power
from hpgrid.transfers.published import ETA_IN_T
from hpgrid.transfers.rules import NoRule, Row, Rules
from hpgrid.transfers.start import Setting

if TYPE_CHECKING:
    from hpgrid.transfers.costs import Costs
    from hpgrid.transfers.transfer import Transfer

#: Costs that are no nearer than this are taken for different ones: a share of the least risk.
WITHIN = 0.01

#: Of rows whose risks fall alike, the first: with beta as it is, then with all tuned.
_FIRST = "CDBA"

#: What a row has beside its exponent, of eq. (4): why it comes before others.
_OF_PAPER = {"C": "beta stays, and b ~ T^(1/2) is what public runs show", "D": "beta is tuned again at that b",
             "B": "at a fixed b that takes a beta that is tuned again"}  # fmt: skip


class Choice(NamedTuple):
    """The recommended row."""

    row: Row
    why: str  # a sentence's end, without a full stop
    # the relative excess risk of the start left as it is, without limits; None: not known. Where constants are not
    # given, to leading order, and of a start that was the best
    unchanged: float | None
    eta: tuple[float, float] | None  # the range of eta that public runs with this schedule show, from this start
    # the old setting, as far as limits let it be, where every row costs more with all constants that may be
    leave: Setting | None = None


def chosen(answer: Transfer, among: Collection[str] | None = None) -> Choice:
    """Return the row of some regimes that costs the least, as far as costs are known; else whose risk falls fastest."""
    rules, start, decays = answer.rules, answer.start, answer.schedule == "decay" and answer.rules.paper == "lmo"
    own = (row for row in answer.rows if among is None or row.regime in among)
    rows = {row.regime: row for row in sorted(own, key=lambda row: _FIRST.find(row.regime) % 9)}
    if worst := {name: x for name, x in _worst(answer.costs).items() if name in rows}:
        least = min(worst.values())
        name = next(each for each in rows if worst.get(each, math.inf) <= least + WITHIN)
        of = "eq. (4)" if rules.paper == "lmo" else "the bound"
        why = f"by {of} with these constants no row costs less by more than {WITHIN:.0%}"
    elif decays and (held := [each for each in rows if "alpha" not in rows[each].tuned]):
        name, why = held[0], "public runs with a decay show b ~ T^(1/2), momentum as it was"
    else:
        risks = {each: _risk(rules, row) for each, row in rows.items()}
        # Of floors of as many terms the one of the most variables: it is not above the others.
        more = {each: 0 if rules.paper or risks[each][0] else -len(row.tuned) for each, row in rows.items()}
        name = min(rows, key=lambda each: (risks[each][0], len(risks[each][1]) or math.inf, more[each]))
        risk, terms = risks[name]
        falls = f"falls faster, as {power(rules.bound.budget, risk)}" if risk else "falls below a floor"
        if not risk and terms and any(len(of) > len(terms) for _, of in risks.values()):
            falls = f"has a lower floor than {' + '.join(terms)}"
        there = {} if risk or answer.constants is None else {each: _there(rules, row) for each, row in rows.items()}
        if there and None not in there.values():
            name, falls = min(rows, key=lambda each: there[each] or 0.0), "is lower there with these constants"
        why = f"no row's risk {falls}"
        if rules.paper == "lmo" and name in _OF_PAPER:
            why += f"; {_OF_PAPER[name]}"
    why = why if len(answer.rows) > 1 else ""
    row, longer, seen = rows[name], answer.T / start.T, None
    # Their exponents are of runs that held momentum, and of a b that is the best one or stays.
    if decays and start.eta is not None and "alpha" not in row.tuned and (row.own or row.at.b == start.b):
        ends = ETA_IN_T["tuned" if row.own and "b" in row.tuned else "held"]
        seen = start.eta * longer ** ends[longer < 1], start.eta * longer ** ends[longer >= 1]
    left = _left(rules, row, longer) if answer.constants is None else _left_there(answer, row)
    return Choice(row, why, left, seen, _leave(answer, row, rows))


def _leave(answer: Transfer, row: Row, among: Collection[str]) -> Setting | None:
    """The old setting at the new budget where all of some rows cost more than that; None where one does not."""
    costs = [] if answer.costs is None else [each.cost for each in answer.costs.rows if each.regime in among]
    for cost in costs:
        if cost is None or cost.rule is None or cost.unchanged is None:
            return None
        if not (cost.rule.best - cost.unchanged.best > WITHIN).all():
            return None
    if not costs:
        return None
    from hpgrid.transfers.costs import as_it_was, held_there

    bound = answer.rules.bound
    assert isinstance(bound, Proxy), "what is no sum of terms has no costs"
    return as_it_was(answer.start, row.at, held_there(row, answer.given), answer.limits, bound)


def _worst(costs: Costs | None) -> dict[str, float]:
    """By regime, the largest excess of its rule over the best of all variables."""
    rows = () if costs is None else costs.rows
    return {x.regime: float(x.cost.rule.best.max()) for x in rows if x.cost is not None and x.cost.rule is not None}


def _risk(rules: Rules, row: Row) -> tuple[Fraction, tuple[str, ...]]:
    """The exponent of the least risk of what a row tunes, with what is kept held; and what is left where it is 0."""
    try:
        law = rules.law([v for v in row.tuned if v not in row.held])
    except NoRule:
        return Fraction(0), ()  # nothing is tuned again, or no law is known
    risk = law.exponent["risk"] or Fraction(0)
    # Terms that differ in what is held stand as one sum.
    return risk, () if risk else tuple(" + ".join(law.levels[0].terms).split(" + "))


def _there(rules: Rules, row: Row) -> float | None:
    """The risk at a row's setting; None where a variable of it is not known."""
    values = {**row.at.values, rules.bound.budget: row.at.T}
    if not values.keys() >= {*rules.bound.variables()}:
        return None
    return float(rules.bound.risk(**{v: values[v] for v in rules.bound.variables()}))


def _left_there(answer: Transfer, row: Row) -> float | None:
    """The excess of leaving all as it was over the best of what a row tunes, with constants that are given."""
    # Without constants, nothing of these is needed.
    import numpy as np

    from hpgrid.refinement.optimum import refine

    bound = answer.rules.bound.with_constants(**(answer.constants or {}))
    budget, variables = {bound.budget: answer.T}, bound.variables()
    at: dict[str, Any] = {v: x for v, x in {**answer.start.values, **budget}.items() if v in variables}
    if len(at) < len(variables):
        return None
    tuned = [v for v in row.tuned if v in at]
    asked: dict[str, Any] = {"fixed": {v: x for v, x in at.items() if v not in (*tuned, *budget)}, **budget}
    with np.errstate(all="ignore"):  # what overflows is no number to say
        left = float(bound.risk(**at) / refine(bound, tuned, **asked).risk) - 1
    return left if math.isfinite(left) else None


def _left(rules: Rules, row: Row, longer: float) -> float | None:
    """The excess of leaving all as it was at a budget so many times larger: each term grows by its own power of T."""
    law = rules.law(row.tuned) if row.own and longer >= 1 else None
    if law is None or not law.levels or None in law.levels[0].shares:
        return None
    terms = rules.bound.terms if isinstance(rules.bound, Proxy) else ()
    of = {str(term): term.exponent(rules.bound.budget) for term in terms}
    level, risk = law.levels[0], law.exponent["risk"]
    # Terms that differ in what is held stand as one sum.
    powers = [of.get(term, of.get(term.partition(" + ")[0])) for term in level.terms]
    # One term alone is a floor: what is paid stands in terms of a lower order.
    if risk is None or len(powers) < 2 or None in powers:
        return None
    grown = (float(share or 0) * longer ** float(p or 0) for p, share in zip(powers, level.shares))
    return math.fsum(grown) / longer ** float(risk) - 1
