"""The rules of a bound, read off its exact laws: ``moved`` takes a setting from its budget to another.

A regime is a set of tuned variables. What it tuned follows its law, x_1 = x_0 (T_1/T_0)^p: for eq. (4) that is
Table 2. Where the batch size is another one (given, capped, rounded), the rest is tuned again at it, with the powers of
b and T that the law has there: Table 3. So there are two steps: which batch size, then the rest at it.

Each variable keeps to its range and its limits. Where a law would lead beyond an end, the variable stays there, as
alpha does at 1, and the rest goes on by the law that holds at it, from where it reached that end.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cache, cached_property
from typing import Any, NamedTuple

from hpgrid import bounds
from hpgrid.asymptotics import Law, exponents
from hpgrid.asymptotics.monomial import Monomial, symbol_text
from hpgrid.checks import InputError, bad
from hpgrid.proxy import FunctionProxy, Proxy
from hpgrid.regime import FrozenMap, Regime
from hpgrid.text import counted, power as power_text
from hpgrid.transfers import published
from hpgrid.transfers.start import LARGEST, NO_LIMITS, SMALLEST, TUNED, Limits, Setting, called, said

#: The powers of what a variable goes with: {"T": -3/4, "b": 1} is b T^(-3/4).
Powers = Mapping[str, Fraction]

#: What two ways to the same number may differ by.
_ROUNDING = 1e-12


class NoRule(ValueError):
    """A law that says nothing of a variable: why, as a sentence without its full stop.

    Attributes:
        runs: the variables that are unbounded, each with 1 for infinity, -1 for zero.
    """

    def __init__(self, why: str, runs: Mapping[str, int] = FrozenMap()) -> None:
        super().__init__(why)
        self.runs = runs


@dataclass(frozen=True)
class Rules:
    """The exact laws of a bound, each solved once: a picture asks for them at hundreds of budgets."""

    bound: Proxy | FunctionProxy  # the posynomial, generalised or not, in the budget of the transfer
    paper: str = ""  # "lmo" for eq. (4), "sgd" for SGD's bound: whose tables and remarks belong to it; else ""
    # values of variables; those that are not tuned stay symbols in a law, but a term 1 - alpha ends at 1
    held: Mapping[str, float] = field(default_factory=dict)
    # what stands in a law beside powers, such as 1 + alpha, by its text
    sums: dict[str, Monomial] = field(default_factory=dict, repr=False)
    _solved: dict[Any, Any] = field(default_factory=dict, repr=False)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The hyperparameters of the bound."""
        return self.bound.hyperparameters()

    def law(self, tuned: Collection[str], along: Powers | None = None) -> Law:
        """Return the exact law of what is tuned, where others are a constant, named x_given, times a power of T."""
        along = along or {}
        key = tuple(tuned), tuple(along.items())
        if key not in self._solved:
            bound = _pinned(self.bound, along) if along else self.bound
            held = {v: x for v, x in self.held.items() if v in bound.variables() and v not in tuned}
            try:
                self._solved[key] = exponents(bound, regime=Regime(tuple(tuned), held, space=bound.space))
            except InputError as error:  # no mistake of the caller's: the bound is no posynomial in what is tuned
                raise NoRule(str(error).partition(". Given:")[0]) from None
        found: Law = self._solved[key]
        return found

    def powers(self, tuned: Sequence[str], given: Sequence[str] = ()) -> dict[str, Powers]:
        """Return for each variable that is tuned and not given its powers of T and of what is given.

        Raises:
            NoRule: a law leaves one of them undetermined or unbounded, or is no power of what is given.
        """
        key = "powers", tuple(tuned), tuple(given)
        if key in self._solved:
            return {**self._solved[key]}
        rest, T = [v for v in tuned if v not in given], self.bound.budget
        try:
            own = {v: self._powers(tuned, {}, v)[T] if v in tuned else Fraction(0) for v in (*tuned, *given)}
        except NoRule as why:
            if why.runs.keys().isdisjoint(given):
                raise
            own = {}  # it has no way of its own, and stays where it is given
        # Table 3 is the law at a constant batch size. Where that is another law than the regime's own, as at a constant
        # eta, whose best alpha is 1 in the end, the law along the regime's own way is what holds near it.
        powers: dict[str, Powers] | NoRule = {}
        ends = {} if own or not rest else self.law(rest, dict.fromkeys(given, Fraction(0))).active
        if ends:  # there is no way of its own that led there
            name, end = next(iter(ends.items()))
            raise NoRule(f"where {' and '.join(map(said, given))} stays {said(name)} ends at {end}, by no power")
        constant = dict.fromkeys(given, Fraction(0))
        # A law with 1 + alpha in it where there is none of powers: Table 3's drift is 1/alpha.
        ways = (constant, False), ({v: own.get(v, Fraction(0)) for v in given}, False), (constant, True)
        for along, sums in ways:
            try:
                powers = {v: self._powers(rest, along, v, sums=sums) for v in rest}
            except NoRule as why:
                powers = why
            else:
                if not own or all(p[T] + sum(p[g] * own[g] for g in given) == own[v] for v, p in powers.items()):
                    break
        if isinstance(powers, NoRule):
            raise powers
        self._solved[key] = powers
        return powers

    def _powers(self, tuned: Sequence[str], along: Powers, name: str, *, sums: bool = False) -> Powers:
        """The powers of a tuned variable, where others are on their way."""
        law = self.law(tuned, along)
        exponent, whole = law.exponent[name], law.laws[name]
        runs = {v: each.direction for v, each in law.unbounded.items()}
        if name in runs:
            raise NoRule(f"{said(name)} is unbounded: it needs {law.unbounded[name].cure}", runs)
        if exponent is None:
            ends = [str(end) if end is not None else "any" for end in law.flat.get(name, (None, None))]
            any_of = f"any power of {law.budget} from {ends[0]} to {ends[1]} is as good"
            raise NoRule(f"{said(name)} is undetermined: {any_of}", runs)
        total = {law.budget: exponent}
        for other, power in along.items():
            symbol = f"{other}_given"
            mixed = [] if whole is None else [each for each in whole.coefficient.powers if _names(each[0], symbol)]
            # What hangs on values that are given alone is known at both ends.
            known = sums and all(Monomial((each,)).symbols() <= {f"{v}_given" for v in along} for each in mixed)
            if whole is None or whole.numeric or (mixed and not known):
                raise NoRule(f"at a given {said(other)} the law of {said(name)} is no power of it")
            total[other] = whole.powers.get(symbol, Fraction(0))
            total[law.budget] -= power * total[other]
            for each, exponent in mixed:
                text = f"({symbol_text(each).replace('_given', '')})"
                self.sums[text], total[text] = Monomial(((each, Fraction(1)),)), exponent
        return total


def _names(symbol: Any, name: str) -> bool:
    """Whether a symbol of a law hangs on a name and is not that name itself."""
    return symbol != name and name in Monomial(((symbol, Fraction(1)),)).symbols()


def _pinned(bound: Proxy | FunctionProxy, along: Powers) -> Proxy | FunctionProxy:
    """The bound with variables as constants, which laws then name, times powers of T."""
    own: dict[str, Any] = {
        "constants": {**bound.constants, **{f"{name}_given": 1.0 for name in along}},
        "caps": {v: cap for v, cap in bound.caps.items() if v not in along},
        "cap_terms": {v: cap for v, cap in bound.cap_terms.items() if v not in along},
        "domain": tuple(each for each in bound.domain if set(along).isdisjoint(each.variables(bound.budget))),
    }
    if isinstance(bound, FunctionProxy):
        from hpgrid.formula.function import Formula
        from hpgrid.formula.syntax import in_place, sum_of

        assert bound.root is not None, "check() has seen that it is there"
        one, space = Fraction(1), bound.space
        T = bound.budget
        given = {v: sum_of([(((f"{v}_given", one), (T, power)), one)], space) for v, power in along.items()}
        root = in_place(bound.root, given, T, space)
        return replace(bound, function=Formula(root, T, space), uses=space.ordered(root.variables()), **own)
    for name in along:
        if not bound.is_posynomial((name, bound.budget)):
            raise NoRule(f"the bound is no power of {said(name)}")
    terms = []
    for term in bound.terms:
        powers = {f"{name}_given": term.exponent(name) or Fraction(0) for name in along}
        terms.append(replace(term, constants={**term.constants, **powers}))
    return replace(bound, terms=tuple(terms), **own).along(along)


@cache
def of_paper(name: str) -> Rules:
    """Return the rules of the paper's two bounds: "lmo", eq. (4), and "sgd"."""
    return Rules(getattr(bounds, name)(), name)


class Row(NamedTuple):
    """What one regime makes of a setting at another budget."""

    regime: str  # its name: "A" to "D", "SGD", or of a bound with other variables a number
    tuned: tuple[str, ...]  # what the regime tuned at the first budget
    # what is not tuned again at the second one; b, too, where it is not the regime's own, and others that a limit keeps
    held: tuple[str, ...]
    at: Setting  # the setting at the second budget; None in it for what was not given
    own: bool  # whether b, or each variable of another bound, is the regime's own: Table 2's rule; else it is Table 3's
    rule: str  # the rule, as text; before limits on eta and alpha, but where b's own law goes on from alpha = 1
    remarks: tuple[str, ...] = ()  # what the rule does not say, a sentence each, without a full stop


@dataclass(frozen=True)
class _Move:
    """A regime, where it starts, the budget it goes to, and what is feasible there."""

    rules: Rules
    regime: str
    tuned: tuple[str, ...]
    start: Setting
    T: float
    limits: Limits

    def at(self, kept: Mapping[str, float]) -> dict[str, float]:
        """What the laws make of all variables where some are kept at a value."""
        powers = self.rules.powers(self.tuned, tuple(kept))
        ratios = {self.rules.bound.budget: self.T / self.start.T, **{v: x / self.start[v] for v, x in kept.items()}}
        then, before = ({f"{v}_given": x[v] for v in kept} for x in (kept, self.start))
        for text in {text for factors in powers.values() for text in factors} - ratios.keys():
            ratios[text] = (self.rules.sums[text].value(then) or 0.0) / (self.rules.sums[text].value(before) or 1.0)
        moves = {
            name: math.prod([self.start[name], *(_power(ratios[of], power) for of, power in factors.items())])
            for name, factors in powers.items()
        }
        return {**self.start.values, **moves, **kept}

    def settled(self, given: Mapping[str, float], limits: Limits | None = None) -> tuple[dict[str, float], set[str]]:
        """What the laws make of all within limits, and who stays at an end; without limits alpha stays below 1.

        The best point of a box, by its conditions: each law within the ends, and who is kept at one would leave it. A
        posynomial is convex in the logs, so that there is one such point, whatever the order of steps.

        Raises:
            NoRule: a law says nothing of what is tuned, at the values that are kept.
        """
        ends = {}
        for name in self.rules.names:
            variable = self.rules.bound.space.all[name]
            ends[name] = (0.0, variable.most) if limits is None else limits.ends(variable)
        kept = dict(given)
        for _ in range(4 * len(ends) + 1):  # each step keeps one more or lets one go: twice as many as there can be
            try:
                at = self.at(kept)
            except NoRule as why:
                stops = {
                    v: self.limits.ends(self.rules.bound.space.all[v])[direction > 0]
                    for v, direction in why.runs.items()
                }
                name, end = next(((v, x) for v, x in stops.items() if v not in kept and 0 < x < math.inf), ("", 0.0))
                if not name:
                    raise
                kept[name] = end
                continue
            # What is held is as it is: only a law has rounding, within which its end is taken for its value.
            found = {v: _beyond(x, *ends[v]) if v in self.tuned else min(max(x, ends[v][0]), ends[v][1])
                     for v, x in at.items() if v in ends and v not in kept}  # fmt: skip
            beyond = [(v, end) for v, end in found.items() if end != at[v]]
            if not beyond:
                return at, kept.keys() - given.keys()
            name, end = next((each for each in beyond if each[0] == "b"), beyond[0])
            kept[name] = end
            for other in kept.keys() - given.keys() - {name}:
                try:
                    x = self.at({v: x for v, x in kept.items() if v != other})[other]
                except NoRule:
                    continue
                if _beyond(x, *ends[other]) == x:
                    del kept[other]
        raise NoRule("the laws agree on no setting within these limits")


def _beyond(x: float, low: float = 0.0, high: float = math.inf) -> float:
    """The end of a range that a value lies beyond, or within rounding of; else the value."""
    return low if x < low * (1 + _ROUNDING) else high if x > high * (1 - _ROUNDING) else x


def moved(
    regime: str,
    start: Setting,
    T: float,
    limits: Limits = NO_LIMITS,
    given: Mapping[str, float] = FrozenMap(),
    rules: Rules | None = None,
    tuned: Sequence[str] | None = None,
) -> Row:
    """Return what a regime makes of ``start``, its best setting at one budget, at another budget T.

    The law of the regime; where a variable is not the regime's own (given, capped, rounded), the law at that one.
    alpha stays at 1 where it would exceed it, and eta and b go on from where it reaches 1. What stays at a cap has what
    is tuned beside it tuned again there. The rules are eq. (4)'s, or for "SGD" its own, where none are given.

    Raises:
        NoRule: a law of the bound says nothing of what the regime tuned.
        ValueError: a batch size is given that the limits forbid, or a number comes out too large or too small for
            a float.

    Source: Shulgin et al., Tables 2 and 3, and what they say of feasibility.
    """
    rules = rules or of_paper("sgd" if regime == "SGD" else "lmo")
    tuned = tuple(v for v in tuned or TUNED.get(regime, ("eta",)) if v in rules.names)
    start = start if "alpha" in rules.names else start.with_values(alpha=None)
    move = _Move(rules, regime, tuned, start, T, limits)
    _check_given(move, given)
    free, natural = move.settled({})
    _check_numbers(free)
    at, kept = move.settled(given, limits)
    notes: tuple[str, ...] = ()
    if start.b is not None and "b" not in given:
        b, notes = _batch(move, free, at, kept)
        if b != start.b or "b" in tuned:
            # As if it were given, so that the same batch size has the same rest to the last bit.
            of_limits = "b" in kept or b != at["b"]
            try:
                at, kept = move.settled({**given, "b": b}, limits)
            except NoRule:  # the rest may have a law at the b of its own alone
                if of_limits:
                    raise
            kept = kept | {"b"} if of_limits else kept
    _check_numbers(at)
    off = {v for v in at if not math.isclose(at[v], free[v], rel_tol=_ROUNDING)}
    # Tables 2 and 3 go by the batch size alone.
    off = (off | kept) & {"b"} if of_papers(rules) else off | given.keys() | kept
    held = {v for v in rules.names if v not in tuned} | (
        {"b"} if of_papers(rules) and off else off & (given.keys() | kept)
    )
    then = start.with_values(T, **at)
    return Row(
        regime=regime,
        tuned=tuned,
        held=rules.bound.space.ordered(held),
        at=then,
        own=not off,
        rule=_rule(move, not off, "alpha" in natural, given.keys() | kept),
        remarks=(*notes, *_about(move, then, free, held, not off), *_stays(move, then, free, natural, kept, not off)),
    )


def _check_given(move: _Move, given: Mapping[str, float]) -> None:
    """Refuse a value that is given and that the limits forbid."""
    for name, x in given.items():
        if name == "b":
            to, what, unit, (allowed, _) = "to_b", "a batch size", move.limits.unit, feasible(x, move.limits)
        else:
            low, high = move.limits.ends(move.rules.bound.space.all[name])
            to, what, unit, allowed = name, "a value", 1, min(max(x, low), high)
        if allowed != x:
            rule = f"{what} that is given is one that the limits on {name} allow"
            raise bad(rule, f"{to} = {given_text(x / unit)}", f"{to} = {given_text(allowed / unit)}, or other limits")


def _batch(
    move: _Move, free: Mapping[str, float], at: Mapping[str, float], kept: Collection[str]
) -> tuple[float, tuple[str, ...]]:
    """The batch size that can be run, and what was done to the one of the law; b is tuned again at what is kept."""
    limits, rules = move.limits, move.rules
    wished, notes = feasible(free["b"], limits)
    if math.isclose(at["b"], free["b"], rel_tol=_ROUNDING):
        return wished, notes
    b, more = feasible(at["b"], limits)
    name = next((v for v in ("eta", "alpha") if v in kept), "")
    if b != wished and name and "b" in move.tuned:
        would, powers = move.settled({"b": wished})[0][name], rules.powers(move.tuned, (name,))["b"]
        powers = {v: power for v, power in powers.items() if v != rules.bound.budget}
        how = published.WITH.get((move.regime, name), "") if rules.paper == "lmo" else ""
        how = how or f", b ~ {_monomial(powers)}"
        goes = f"b {'falls' if b < wished else 'rises'} from {units(wished, limits.unit)} with it{how}"
        return b, (f"{name} would be {would:.4g} and its {_end(move, name, at[name])} is {at[name]:.4g}: {goes}", *more)
    return b, notes if b == wished else more


def _end(move: _Move, name: str, x: float) -> str:
    """What the end of a variable's range is called that a value is; "" where it is none."""
    variable = move.rules.bound.space.all[name]
    low, high = move.limits.ends(variable)
    return ("largest value" if high == variable.most else "cap") if x == high else "smallest value" if x == low else ""


def counted_in_tokens(bound: Proxy | FunctionProxy) -> bool:
    """Return whether a bound's budget is tokens, and its batch size makes iterations of them: K = T/b."""
    return bound.budget == "T" and bound.space.batch == "b"


def of_papers(rules: Rules) -> bool:
    """Return whether a bound has eta, b and alpha alone, so that its rows are those of Tables 2 and 3."""
    return set(rules.names) <= set(TUNED["D"])


def _power(x: float, power: Fraction) -> float:
    """A float's power; infinite where it is too large, which is refused where the setting is whole."""
    try:
        return float(x ** float(power))
    except OverflowError:
        return math.inf


def _check_numbers(at: Mapping[str, float]) -> None:
    """Refuse what a float can't hold."""
    if not all(SMALLEST <= x <= LARGEST for x in at.values()):
        shown = ", ".join(f"{name}={x:g}" for name, x in at.items())
        raise bad("what is transferred stays a number", shown, "budgets that are less far apart")


def _rule(move: _Move, own: bool, at_one: bool, kept: Collection[str]) -> str:
    """The law as text: x_1 = x_0 times powers of T_1/T_0 and of what is not the regime's own, b_1/b_0 say."""
    if of_papers(move.rules):
        kept = ("alpha",) if own and at_one and "b" in move.tuned else () if own else ("b",)
    kept = move.rules.bound.space.ordered(kept)
    powers, parts = move.rules.powers(move.tuned, kept), []
    budget, names = move.rules.bound.budget, move.rules.names
    # The order of the tables: b decides, eta comes last.
    for name in ("b", "alpha", *(v for v in reversed(names) if v not in ("b", "alpha"))):
        if name in powers:
            factors = [f"{name}_1 = {name}_0"]
            for of in (*kept, budget):
                if power := powers[name].get(of):
                    if of == "alpha" and of_papers(move.rules):  # it is 1 there
                        factors.append(f"alpha_0^({-power})")
                        continue
                    ratio = f"({of}_1/{of}_0)" if power > 0 else f"({of}_0/{of}_1)"
                    factors.append(ratio if abs(power) == 1 else f"{ratio}^({abs(power)})")
            parts.append(" ".join(factors))
        elif name == "alpha" and "alpha" in kept and of_papers(move.rules):
            parts.append("alpha_1 = 1")
    return ", ".join(parts)


def _monomial(powers: Powers) -> str:
    """b^(1/2) T^(-1/2), or 1."""
    return " ".join(power_text(v, p) for v, p in powers.items() if p) or "1"


def number(x: float | None, digits: int = 4) -> str:
    """Return a number with four digits, or so many; "-" where there is none."""
    return "-" if x is None else f"{x:.{digits}g}"


def batch_text(b: float | None) -> str:
    """Return a batch size as text: as it is where it is whole, else with four digits."""
    return f"{b:.0f}" if b is not None and b < 1e15 and b % 1 == 0 else number(b)


def given_text(x: float) -> str:
    """Return a number that was given as text: as it is where it is whole, else with ten digits."""
    return batch_text(x) if x % 1 == 0 else f"{x:.10g}"


def units(b: float, unit: int, say: Callable[[float], str] = batch_text) -> str:
    """Return a batch size in words: 524288, or 128 sequences."""
    return counted(say(b / unit), "sequence") if unit > 1 else say(b)


def feasible(b: float, limits: Limits) -> tuple[float, tuple[str, ...]]:
    """Return the nearest batch size that can be run, in tokens, and what was done to the one that is wished for.

    That is at least one unit and its floor, at most its cap, and rounded without passing those.

    Raises:
        ValueError: the cap leaves no batch size at all.
    """
    unit, cap = limits.unit, math.inf if limits.b is None else limits.b
    step = limits.round_b if isinstance(limits.round_b, int) else 1
    least = max(float(unit), limits.floors.get("b", 0.0))

    def rounded_by(whole: Callable[[float], int], b: float) -> float:
        """A batch size on the steps of the rounding, the number of steps made a whole one."""
        if limits.round_b == "pow2":
            return unit * 2.0 ** whole(math.log2(b / unit))
        return unit * float(step * max(1, whole(b / unit / step)))

    smallest = rounded_by(math.ceil, least) if limits.round_b is not None else least
    if cap < smallest:
        room = f"{smallest / unit:g} " + ("sequences" if unit > 1 else "tokens")
        rule = f"the cap on b leaves room for {room}"
        raise bad(rule, f"max_b = {given_text(cap / unit)}", f"max_b >= {smallest / unit:g}")
    notes, now = [], b
    if now < least:
        now = least
        if least == unit:
            notes.append(f"b would be {units(b, unit)}, less than one: it stays at 1")
        else:
            notes.append(
                f"b would be {units(b, unit)}: it stays at its smallest value {units(least, unit, given_text)}"
            )
    if now > cap:
        now = cap
        notes.append(f"b would be {units(b, unit)}: it stays at its cap {units(cap, unit, given_text)}")
    if limits.round_b is None:
        return now, tuple(notes)
    rounded = rounded_by(lambda steps: math.floor(steps + 0.5), now)
    rounded = max(rounded if rounded <= cap else rounded_by(math.floor, cap), smallest)
    if rounded != now:
        notes.append(f"b is rounded from {units(now, unit)} to {units(rounded, unit)}")
    return rounded, tuple(notes)


def _stays(
    move: _Move, at: Setting, free: Mapping[str, float], natural: set[str], kept: set[str], own: bool
) -> list[str]:
    """What is said of what stays at an end of its range, or at a limit."""
    rules, limits, tuned, notes = move.rules, move.limits, move.tuned, []
    beside, lmo, T = {} if at.b is None else {"b": at.b}, rules.paper == "lmo", rules.bound.budget
    if "alpha" in tuned:
        excess = move.at(beside)["alpha"]
        if own and "b" in tuned and "alpha" in natural and move.at({})["alpha"] > 1:
            reached = move.start.T * _power(move.start.alpha, -1 / rules.powers(tuned)["alpha"][T])
            from_there = "and from there on eta and b are regime C's"
            notes.append(f"alpha reaches 1 (beta = 0) at {T} = {reached:.4g}, {from_there}")
        elif excess > 1 + _ROUNDING:
            straight = {} if lmo else rules.powers([v for v in tuned if v != "alpha"], tuple(beside)).get("eta", {})
            law = published.ETA_AT_ONE if lmo else f"eta ~ {_monomial(straight)}"
            notes.append(f"alpha would be {excess:.4g}: it stays at 1 (beta = 0), and from where it reaches 1 {law}")
        if notes and lmo:
            notes[-1] += published.drift_kept(move.start.alpha)
    if "eta" in kept:
        before, _ = move.settled(beside)
        if not math.isclose(before["eta"], at.eta, rel_tol=_ROUNDING):
            notes.append(f"eta would be {before['eta']:.4g}: it stays at its {_end(move, 'eta', at.eta)} {at.eta:.4g}")
            if "alpha" in tuned and before["alpha"] != at.alpha and "alpha" not in kept:
                powers = {} if lmo else rules.powers(tuned, ("eta", *beside))["alpha"]
                law = published.ALPHA_AT_ETA if lmo else f"alpha ~ {_monomial(powers)}"
                notes[-1] += f", and alpha is tuned again there: {law}"
    for name in sorted(kept - {"b", "eta", "alpha" if at.alpha == 1 else ""}):
        would = f"would be {free[name]:.4g}" if free[name] != at[name] else "has no best value of its own"
        notes.append(f"{name} {would}: it stays at its {_end(move, name, at[name])} {at[name]:.4g}")
        if name == "alpha" and name not in tuned and "eta" in tuned and "eta" not in kept:
            notes[-1] += (
                f", and eta is tuned again there: eta ~ {_monomial(rules.powers(tuned, ('alpha', *beside))['eta'])}"
            )
    if at.K is not None and at.K < 1 and counted_in_tokens(rules.bound):
        notes.append(f"K = T/b = {at.K:.4g}: less than one iteration")
    # What leaves its bound may have begun to follow its law later than at the first budget.
    follows = [
        v for v in tuned
        if (own or v != "b") and at[v] != move.start[v] and move.start[v] in limits.ends(rules.bound.space.all[v])
    ]  # fmt: skip
    if follows:
        left = " and ".join(map(said, follows))
        notes.append(f"{left} on a bound at T_0, where no law need have begun: the rule may start too early")
    return notes


def _beyond_domain(bound: Proxy | FunctionProxy, at: Setting) -> tuple[str, ...]:
    """The conditions of a bound that fail at a setting, as far as it is known."""
    there = {**bound.constants, **at.values, bound.budget: at.T}
    known = [w for w in bound.walls if there.keys() >= {*w.variables(bound.budget), *w.constants()}]
    if not known:
        return ()
    from hpgrid.formula.function import holds

    return tuple(f"the bound is for {wall.text}, which fails there" for wall in known if not holds(wall, there))


def _about(move: _Move, at: Setting, alone: Mapping[str, float], held: Collection[str], own: bool) -> tuple[str, ...]:
    """What the regime's answer means at the values that are not its own, as they are ``alone``."""
    rules, regime = move.rules, move.regime
    if rules.paper:
        free, _ = move.settled({} if at.b is None else {"b": at.b})
        moved_ = [v for v, x in at.values.items() if v != "b" and not math.isclose(x, free[v], rel_tol=_ROUNDING)]
        off = {v: end for v in moved_ if (end := _end(move, v, at[v]))}
        return published.about(rules, regime, at, at.b or 1.0, alone.get("b", 1.0), off)
    beyond = _beyond_domain(rules.bound, at)
    if not own and of_papers(rules):
        return (f"b is not {called(regime)}'s own ({alone['b']:.4g} tokens): the rest is tuned again at it", *beyond)
    again = [v for v in move.tuned if v not in held]
    if not again:
        return beyond
    law = rules.law(again)
    risk, floor = law.exponent["risk"], ", ".join(law.levels[0].terms)
    falls = f"the bound's best goes with {law.budget}^({risk})" if risk else f"the bound does not fall below {floor}"
    return (
        falls,
        *(f"in the limit it lies on its bound {text}" for text in dict.fromkeys(law.active.values())),
        *beyond,
    )
