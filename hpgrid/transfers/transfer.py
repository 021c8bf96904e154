"""``transfer``: hyperparameters from one token budget to another, by every rule that a bound has."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from hpgrid import bounds
from hpgrid.answer import Answer, Pictured, Result
from hpgrid.checks import Given, bad
from hpgrid.text import few_iterations
from hpgrid.transfers import published, report
from hpgrid.transfers.choice import Choice, chosen
from hpgrid.transfers.published import Applied, Kept, Path
from hpgrid.transfers.rules import NoRule, Row, Rules, counted_in_tokens, given_text, moved, of_paper
from hpgrid.transfers.start import TransferProblem, check, missing

if TYPE_CHECKING:
    from hpgrid.proxy import FunctionProxy, Proxy
    from hpgrid.transfers.costs import Costs
    from hpgrid.variables import Space

#: So few tokens in so many iterations may be meant as sequences.
_FEW, _MANY = 1000, 1e6

#: A remark on a start that a person gives; one that was fitted is no run's.
NOT_WHOLE = "b at the start is no whole number"


@dataclass(frozen=True, repr=False)
class Transfer(Result, TransferProblem, Pictured):
    """The answer, beside what was asked: ``start``, ``T``, ``given`` and ``limits``, with every b in tokens.

    Its panels are the hyperparameters along the way, "eta", "b" and "alpha" of eq. (4), a line per regime.

    Attributes:
        rows: what each regime makes of it.
        lacking: by regime, what the others need and the start does not have.
        no_rule: by regime, why the bound has no law of it.
        sgd: SGD's rule beside the LMO methods', or None.
        kept: by regime, the momenta whose half-life in tokens stays (Marek et al.); of eq. (4) alone, as the next two.
        fits: what four studies fitted, from this start.
        paths: the batch paths that the rows take, and eta's exponent along them.
        notes: what holds of all rows, a sentence each, without a full stop.
        costs: what the rows cost, or None where neither constants nor a calibration were asked for.
        rules: the exact laws that the rows were read off.
        counted: what T counts: "iterations" of runs that have no tokens.
    """

    pictures = "hpgrid.transfers.picture"

    rows: tuple[Row, ...]
    lacking: Mapping[str, tuple[str, ...]]
    no_rule: Mapping[str, str]
    sgd: Row | None
    kept: Mapping[str, Kept]
    fits: tuple[Applied, ...]
    paths: tuple[Path, ...]
    notes: tuple[str, ...]
    costs: Costs | None
    rules: Rules = field(compare=False, repr=False)
    counted: str = "tokens"

    @property
    def budget(self) -> str:
        """The name of the budget: T, tokens, unless the bound is asked about another."""
        return self.rules.bound.budget

    @property
    def declared(self) -> Space:
        """The variables of its bound."""
        return self.rules.bound.space

    def as_dict(self) -> dict[str, Any]:
        """Return the answer as plain data; what is not given, or no finite number, is None."""
        return report.as_dict(self)

    @cached_property
    def choice(self) -> Choice:
        """The row to use, why, and what it costs to leave all as it was."""
        return chosen(self)

    def answer(self) -> Answer:
        """Return what it says: the row to use first."""
        return report.answer(self)

    def to_dataframe(self) -> Any:
        """Return the rows as a pandas DataFrame: each regime's setting, whether b is its own, its rule, what it costs.

        What it costs is the bound's risk over the least one there, less 1; of constants that a calibration leaves
        free, from the lowest to the highest.
        """
        import pandas

        data = self.as_dict()
        costs = {each["regime"]: each["cost"] for each in (data["costs"] or {"rows": ()})["rows"]}
        rows = []
        for row in data["rows"]:
            cost = costs.get(row["regime"])
            low, high = cost["rule"]["best"] if cost and cost["rule"] else (None, None)
            said = {"tuned": ", ".join(row["tuned"]), "own": row["own"], "rule": row["rule"]}
            rows.append({**row["at"], **said, "excess_low": low, "excess_high": high})
        frame = pandas.DataFrame(rows, index=pandas.Index([row["regime"] for row in data["rows"]], name="regime"))
        return frame.dropna(axis="columns", how="all")


def transfer(
    start: Mapping[str, Any],
    to: Mapping[str, Any] | Given,
    *,
    bound: Proxy | FunctionProxy | None = None,
    regime: str = "auto",
    to_b: Given | None = None,
    max_b: Given | None = None,
    max_eta: float | None = None,
    round_b: str | int | None = None,
    seq_len: int | None = None,
    optimizer: str = "lmo",
    constants: Mapping[str, float] | None = None,
    calibrate: bool = False,
    schedule: str | None = None,
    caps: Mapping[str, Given] | None = None,
    floors: Mapping[str, Given] | None = None,
) -> Transfer:
    """Return hyperparameters for another budget, from the best ones at a first.

    Regimes are named by what was tuned at the first budget: A eta; B eta, alpha; C eta, b; D all three. A bound of
    other variables has numbers in place of letters: its first variable alone, that with each other one, and all. The
    rest is held. What is given, capped or rounded has the rest tuned again at it. Each rule is read off the bound's
    exact law in that regime.

    Args:
        start: eta, b, beta (or alpha = 1 - beta), and the token budget T at which they are best; what was not tuned
            may be missing. Adam's beta2 may be there, for Marek et al.'s rule alone. Of a bound that declares its own
            variables those, and one of its budgets.
        to: the new budget, or {"T": it}, >= 1, beside it values of a bound's own variables that are given there.
        bound: any posynomial, or what maxima, products and roots make of some, in place of eq. (4); it has the regimes
            whose variables it contains, and nothing is said of it but its own laws.
        regime: "A" to "D", in either case, a number, or what was tuned, as "eta,H"; "auto" for all that the start
            suffices for.
        to_b: the batch size at the new budget, whole, where it is given and not the regime's.
        max_b: the largest batch size, >= 1. Caps are taken to have held at the first budget, too, if the start keeps
            to them: with ``calibrate`` a start on a cap is on a bound, and need not be an optimum inside.
        max_eta: the largest learning rate, > 0.
        round_b: "pow2", "int", or a whole number of which b becomes a multiple; never above ``max_b``.
        seq_len: tokens in a sequence. With it, every b that is given is in sequences; without it, in tokens.
        optimizer: "lmo", or "sgd" for SGD's one rule.
        constants: the bound's, > 0: with them the answer says what each row costs. Of eq. (4) C1, C2, C3, or Delta0,
            L, rho, sigma; those that are not given are 1. Of another bound those in whose place others are to stand;
            its own say it without them, unless all are 1.
        calibrate: find those of eq. (4) in place of that: for each row those for which the start is the best of what
            it tuned.
        schedule: of the learning rate, "constant" or "decay": what public runs with such a one show is said.
        caps: the largest values of any hyperparameters, as ``max_b`` and ``max_eta`` are of those two.
        floors: the smallest ones.

    Returns:
        A row per regime with its setting and what to know of it, beside it the rules of others, and the costs where
        constants are at hand; ``text()``, ``as_dict()`` and ``figure()`` say it. Every b in it is in tokens.

    Raises:
        ValueError: a name that does not exist, a number out of its range, a bound without exact laws, a regime
            that needs a number which ``start`` does not have or of which the bound has no law, or a batch size that
            its limits forbid.

    Source: Shulgin et al., Tables 1 to 3, section 4, Appendix C.3.
    """
    problem = check(locals())
    start_, T, limits, given = problem.start, problem.T, problem.limits, problem.given
    notes, costs = _notes(problem), None
    rules = of_paper(problem.optimizer)
    if problem.bound is not None:
        own = problem.bound.with_constants(**(problem.constants or {}))
        rules = Rules(own, "sgd" if getattr(own, "terms", ()) == bounds.sgd().terms else "", start_.values)
    lacking = {name: missing(tuned, start_, limits, given) for name, tuned in problem.regimes.items()}
    rows, no_rule = [], {}
    for name, lacks in lacking.items():
        if not lacks:
            try:
                rows.append(moved(name, start_, T, limits, given, rules, problem.regimes[name]))
            except NoRule as why:
                no_rule[name] = str(why)
    if not rows:
        raise bad("a bound has a law of what was tuned", "; ".join(no_rule.values()), "another bound, regime, or limit")
    if counted_in_tokens(rules.bound):
        sizes = dict.fromkeys(row.at.b for row in rows if row.at.b in (problem.to_b, limits.b))
        # Of less than one iteration the row itself says so.
        few = (few_iterations(b, T / b, limits.unit) for b in sizes if b is not None and b <= T and b != start_.b)
        notes += [f"at T_1 {each}" for each in few if each]
    lmo = rules.paper == "lmo"
    if problem.constants is not None and not rules.bound.is_posynomial(rules.bound.variables()):
        walls = ", ".join(wall.text for wall in rules.bound.walls)
        reason = f"holds where {walls}, which is no box" if walls else "is no posynomial in all of its variables"
        notes.append(f"no costs: {rules.bound.name} {reason}")
    elif problem.constants is not None or problem.calibrate:
        from hpgrid.transfers.costs import costs as costs_of

        costs = costs_of(problem, rows, rules)
    return Transfer(
        **vars(problem),
        rows=tuple(rows),
        lacking={name: names for name, names in lacking.items() if names},
        no_rule=no_rule,
        sgd=moved("SGD", start_, T, limits, given) if lmo and not missing(("eta",), start_, limits, given) else None,
        kept=published.kept(start_, problem.alpha2, rows) if lmo else {},
        fits=tuple(published.applied(fit, start_, T) for fit in published.FITS) if lmo else (),
        paths=published.paths(start_, T, rows, rules) if lmo else (),
        notes=tuple(notes),
        costs=costs,
        rules=rules,
    )


def _notes(problem: TransferProblem) -> list[str]:
    """What holds of all rows."""
    start, notes = problem.start, []
    if problem.T < start.T:
        notes.append("to a shorter run: the rules hold for large T, at both ends")
    if problem.T == start.T:
        notes.append("the budget stays: what changes is what a given, capped or rounded b asks for")
    b, K, unit = start.b, start.K, problem.limits.unit
    if b is not None and K is not None and (problem.bound is None or counted_in_tokens(problem.bound)):
        if few := few_iterations(b, K, unit):
            notes.append(f"at the start {few}")
        if unit == 1 and b < _FEW and K > _MANY:
            notes.append(f"b = {given_text(b)} is read in tokens; with a sequence length (seq-len) it is in sequences")
        if math.remainder(b, unit):
            notes.append(NOT_WHOLE)
    return notes
