"""The rules of a bound, read off its exact laws: ``moved`` takes a setting from its budget to another.

A regime is a set of tuned variables. What it tuned follows its law, x_1 = x_0 (T_1/T_0)^p: for eq. (4) that is
Table 2. Where the batch size is another one (given, capped, rounded), the rest is tuned again at it, with the powers of
b and T that the law has there: Table 3. So there are two steps: which batch size, then the rest at it.

alpha is at most 1. Where its law would lead beyond, it stays there, and the rest goes on by the laws of the regime that
does not tune it, from where it reached 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cache
from typing import Any, NamedTuple

from hpgrid import bounds
from hpgrid.asymptotics import Law, exponents
from hpgrid.checks import InputError, bad
from hpgrid.proxy import FunctionProxy, Proxy
from hpgrid.regime import Regime
from hpgrid.text import counted, power as power_text
from hpgrid.transfers import published
from hpgrid.transfers.start import LARGEST, NO_LIMITS, SMALLEST, TUNED, Limits, Setting, called, said
from hpgrid.variables import TUNABLE

#: The powers of what a variable goes with: {"T": -3/4, "b": 1} is b T^(-3/4).
Powers = Mapping[str, Fraction]

#: What two ways to the same number may differ by.
_ROUNDING = 1e-12


class NoRule(ValueError):
    """A law that says nothing of a variable: why, as a sentence without its full stop."""


@dataclass(frozen=True)
class Rules:
    """The exact laws of a bound, each solved once: a picture asks for them at hundreds of budgets."""

    bound: Proxy | FunctionProxy  # the posynomial, generalised or not, in T
    paper: str = ""  # "lmo" for eq. (4), "sgd" for SGD's bound: whose tables and remarks belong to it; else ""
    # values of variables; those that are not tuned stay symbols in a law, but a term 1 - alpha ends at 1
    held: Mapping[str, float] = field(default_factory=dict)
    _solved: dict[Any, Any] = field(default_factory=dict, repr=False)

    def law(self, tuned: Collection[str], along: Powers | None = None) -> Law:
        """Return the exact law of what is tuned, where others are a constant, named x_given, times a power of T."""
        along = along or {}
        key = tuple(tuned), tuple(along.items())
        if key not in self._solved:
            bound = _pinned(self.bound, along) if along else self.bound
            held = {v: x for v, x in self.held.items() if v in bound.variables() and v not in tuned}
            try:
                self._solved[key] = exponents(bound, regime=Regime(tuple(tuned), held))
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
        own = {v: self._powers(tuned, {}, v)["T"] if v in tuned else Fraction(0) for v in (*tuned, *given)}
        rest = [v for v in tuned if v not in given]
        # Table 3 is the law at a constant batch size. Where that is another law than the regime's own, as at a constant
        # eta, whose best alpha is 1 in the end, the law along the regime's own way is what holds near it.
        powers: dict[str, Powers] | NoRule = {}
        for along in (dict.fromkeys(given, Fraction(0)), {v: own[v] for v in given}):
            try:
                powers = {v: self._powers(rest, along, v) for v in rest}
            except NoRule as why:
                powers = why
            else:
                if all(p["T"] + sum(p[g] * own[g] for g in given) == own[v] for v, p in powers.items()):
                    break
        if isinstance(powers, NoRule):
            raise powers
        self._solved[key] = powers
        return powers

    def _powers(self, tuned: Sequence[str], along: Powers, name: str) -> Powers:
        """The powers of a tuned variable, where others are on their way."""
        law = self.law(tuned, along)
        exponent, whole = law.exponent[name], law.laws[name]
        if name in law.unbounded:
            raise NoRule(f"{said(name)} is unbounded: it needs {law.unbounded[name].cure}")
        if exponent is None:
            ends = [str(end) if end is not None else "any" for end in law.flat.get(name, (None, None))]
            raise NoRule(f"{said(name)} is undetermined: any power of T from {ends[0]} to {ends[1]} is as good")
        total = {"T": exponent}
        for other, power in along.items():
            symbol = f"{other}_given"
            if whole is None or whole.numeric or any(symbol in key and key != symbol for key in whole.powers):
                raise NoRule(f"at a given {said(other)} the law of {said(name)} is no power of it")
            total[other] = whole.powers.get(symbol, Fraction(0))
            total["T"] -= power * total[other]
        return total


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
        given = {v: sum_of([(((f"{v}_given", one), ("T", power)), one)], space) for v, power in along.items()}
        root = in_place(bound.root, given, "T", space)
        return replace(bound, function=Formula(root, "T", space), uses=space.ordered(root.variables()), **own)
    for name in along:
        if not bound.is_posynomial((name, "T")):
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

    regime: str  # its name, "A" to "D", or "SGD"
    tuned: tuple[str, ...]  # what the regime tuned at the first budget
    held: tuple[str, ...]  # what is not tuned again at the second one; b, too, where it is not the regime's own
    at: Setting  # the setting at the second budget; None in it for what was not given
    own: bool  # whether b is the regime's own, so that the rule is Table 2's; else it is Table 3's
    rule: str  # the rule, as text; before limits on eta and alpha, but where b's own law goes on from alpha = 1
    remarks: tuple[str, ...] = ()  # what the rule does not say, a sentence each, without a full stop


class _Move(NamedTuple):
    """A regime, where it starts, and the budget it goes to."""

    rules: Rules
    regime: str
    tuned: tuple[str, ...]
    start: Setting
    T: float

    @property
    def b(self) -> float:
        """The batch size at the start; 1 where it is not given and does not change."""
        return 1.0 if self.start.b is None else self.start.b

    @property
    def without_alpha(self) -> tuple[str, ...]:
        return tuple(name for name in self.tuned if name != "alpha")

    def by(self, name: str, powers: Powers, **given: float) -> float:
        """What a tuned variable comes to by its powers of T and of what is given, whatever alpha is then."""
        starts = self.start._asdict() | {"b": self.b}
        ratios = {of: value / starts[of] for of, value in {"T": self.T, **given}.items()}
        return math.prod([starts[name], *(_power(ratios[of], power) for of, power in powers.items())])

    def would(self, **b: float) -> dict[str, float]:
        """What the laws make of each tuned variable, with b its own or given."""
        return {name: self.by(name, powers, **b) for name, powers in self.rules.powers(self.tuned, tuple(b)).items()}

    def leaves_one(self, name: str, *given: str) -> Fraction:
        """The power of alpha's excess over 1 in a variable that goes on from where alpha reaches 1.

        Of T, or where alpha does not depend on it of b: (p' - p)/p_alpha, p' where alpha is held.
        """
        bent, straight = (self.rules.powers(tuned, given) for tuned in (self.tuned, self.without_alpha))
        of = "T" if bent["alpha"]["T"] else "b"
        return (straight[name][of] - bent[name][of]) / bent["alpha"][of]

    @property
    def from_one(self) -> float | None:
        """The budget from which b's own law goes on at alpha = 1, where the way leads beyond it."""
        if not {"b", "alpha"} <= set(self.tuned) or self.would()["alpha"] <= 1:
            return None
        return self.start.T * _power(_known(self.start.alpha), -1 / self.rules.powers(self.tuned)["alpha"]["T"])

    def own_b(self) -> float:
        """The batch size of the regime's own law, from alpha = 1 on of the regime that holds alpha."""
        return _known(self.at().b) if "b" in self.tuned else self.b

    def at(self, **b: float) -> Setting:
        """What the laws make of all, with b its own or given, and alpha at most 1."""
        now = self.would(**b)
        excess = now.get("alpha", 0.0)
        if excess >= 1 - _ROUNDING:
            del now["alpha"]
            beyond = {name: self.leaves_one(name, *b) for name in now} if excess > 1 else {}
            now = {name: x * _power(excess, beyond.get(name, Fraction(0))) for name, x in now.items()} | {"alpha": 1.0}
        return self.start._replace(T=self.T, **b, **now)


def moved(
    regime: str,
    start: Setting,
    T: float,
    limits: Limits = NO_LIMITS,
    to_b: float | None = None,
    rules: Rules | None = None,
) -> Row:
    """Return what a regime makes of ``start``, its best setting at one budget, at another budget T.

    The law of the regime; where the batch size is not the regime's own (given, capped, rounded), the law at that one.
    alpha stays at 1 where it would exceed it, and eta and b go on from where it reaches 1. eta stays at its cap, and
    what is tuned beside it is tuned again there. The rules are eq. (4)'s, or for "SGD" its own, where none are given.

    Raises:
        NoRule: a law of the bound says nothing of what the regime tuned.
        ValueError: ``to_b`` is a batch size that the limits forbid, or a number comes out too large or too small for
            a float.

    Source: Shulgin et al., Tables 2 and 3, and what they say of feasibility.
    """
    rules = rules or of_paper("sgd" if regime == "SGD" else "lmo")
    variables = rules.bound.variables()
    tuned = tuple(v for v in TUNED.get(regime, ("eta",)) if v in variables)
    move = _Move(rules, regime, tuned, start if "alpha" in variables else start._replace(alpha=None), T)
    b, notes = _batch(move, limits, to_b)
    at, more = _within(move, b, limits)
    _check_numbers(at)
    own = b == move.own_b()
    held = tuple(name for name in TUNABLE if name not in tuned and name in variables)
    # What leaves its bound may have begun to follow its law later than at the first budget.
    bounds = {"eta": (limits.eta,), "b": (float(limits.unit), limits.b), "alpha": (1.0,)}
    before, after = start._asdict(), at._asdict()
    follows = [v for v in tuned if (own or v != "b") and before[v] in bounds[v] and after[v] != before[v]]
    if follows:
        left = " and ".join(map(said, follows))
        more.append(f"{left} on a bound at T_0, where no law need have begun: the rule may start too early")
    return Row(
        regime=regime,
        tuned=tuned,
        held=held if own or "b" in held else ("b", *held),
        at=at if start.b is not None else at._replace(b=None),
        own=own,
        rule=_rule(move, own),
        remarks=(*notes, *_about(move, b, at, own), *more),
    )


def _known(value: float | None) -> float:
    assert value is not None, "missing() has seen that it is there"
    return value


def _power(x: float, power: Fraction) -> float:
    """A float's power; infinite where it is too large, which is refused where the setting is whole."""
    try:
        return float(x ** float(power))
    except OverflowError:
        return math.inf


def _check_numbers(at: Setting) -> None:
    """Refuse what a float can't hold."""
    if not all(SMALLEST <= x <= LARGEST for x in at if x is not None):
        shown = ", ".join(f"{name}={x:g}" for name, x in at._asdict().items() if x is not None)
        raise bad("what is transferred stays a number", shown, "budgets that are less far apart")


def _rule(move: _Move, own: bool) -> str:
    """The law as text: x_1 = x_0 times powers of T_1/T_0 and, where it is not the regime's own, of b_1/b_0."""
    at_one = own and move.from_one is not None
    powers = move.rules.powers(move.without_alpha if at_one else move.tuned, () if own else ("b",))
    parts = []
    for name in ("b", "alpha", "eta"):  # the order of the tables: b decides, eta comes last
        if name in powers:
            factors = [f"{name}_1 = {name}_0", f"alpha_0^({move.leaves_one(name)})" if at_one else ""]
            for of in ("b", "T"):
                if power := powers[name].get(of):
                    ratio = f"({of}_1/{of}_0)" if power > 0 else f"({of}_0/{of}_1)"
                    factors.append(ratio if abs(power) == 1 else f"{ratio}^({abs(power)})")
            parts.append(" ".join(filter(None, factors)))
        elif at_one and name == "alpha":
            parts.append("alpha_1 = 1")
    return ", ".join(parts)


def _monomial(powers: Powers) -> str:
    """b^(1/2) T^(-1/2), or 1."""
    return " ".join(power_text(v, p) for v, p in powers.items() if p) or "1"


def number(x: float | None) -> str:
    """Return a number with four digits; "-" where there is none."""
    return "-" if x is None else f"{x:.4g}"


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

    That is at least one unit, under its cap, and rounded without passing that.

    Raises:
        ValueError: the cap leaves no batch size at all.
    """
    unit, cap = limits.unit, math.inf if limits.b is None else limits.b
    smallest = limits.round_b if isinstance(limits.round_b, int) else 1
    if cap < smallest * unit:
        rule = f"the cap on b leaves room for {smallest} " + ("sequences" if unit > 1 else "tokens")
        raise bad(rule, f"max_b = {given_text(cap / unit)}", f"max_b >= {smallest}")
    notes, now = [], b
    if now < unit:
        now = float(unit)
        notes.append(f"b would be {units(b, unit)}, less than one: it stays at 1")
    if now > cap:
        now = cap
        notes.append(f"b would be {units(b, unit)}: it stays at its cap {units(cap, unit, given_text)}")
    if limits.round_b is None:
        return now, tuple(notes)
    if limits.round_b == "pow2":
        nearest = 2.0 ** math.floor(math.log2(now / unit) + 0.5)
        below = nearest / 2
    else:
        nearest = float(smallest * max(1, math.floor(now / unit / smallest + 0.5)))
        below = nearest - smallest
    rounded = unit * (nearest if nearest <= cap / unit else below)
    if rounded != now:
        notes.append(f"b is rounded from {units(now, unit)} to {units(rounded, unit)}")
    return rounded, tuple(notes)


def _batch(move: _Move, limits: Limits, to_b: float | None) -> tuple[float, tuple[str, ...]]:
    """The batch size at the new budget: the one that is given, or the regime's own as far as it is feasible."""
    if to_b is not None:
        at, _ = feasible(to_b, limits)
        if at != to_b:
            instead = f"to_b = {given_text(at / limits.unit)}, or other limits"
            rule = "a batch size that is given is one that the limits on b allow"
            raise bad(rule, f"to_b = {given_text(to_b / limits.unit)}", instead)
        return to_b, ()
    if move.start.b is None:
        return move.b, ()
    own_b = move.own_b()
    _check_numbers(Setting(move.T, b=own_b))
    b, notes = feasible(own_b, limits)
    eta = move.at(b=b).eta
    if limits.eta is None or eta is None or eta <= limits.eta or "b" not in move.tuned:
        return b, notes
    # eta stays at its cap, and b is tuned again at it: it falls by a power of what eta falls by.
    power, own_eta = move.rules.powers(move.tuned, ("eta",))["b"]["eta"], move.at(b=own_b).eta
    lower, more = feasible(own_b * _power(limits.eta / _known(own_eta), power), limits)
    if lower >= b:
        return b, notes
    how = published.UNDER_A_CAP[move.regime] if move.rules.paper == "lmo" else f", b ~ {_monomial({'eta': power})}"
    note = f"eta would be {eta:.4g} and its cap is {limits.eta:.4g}: b falls from {units(b, limits.unit)} with it"
    return lower, (note + how, *more)


def _within(move: _Move, b: float, limits: Limits) -> tuple[Setting, list[str]]:
    """The rest at a batch size, eta under its cap and alpha tuned again there; and what is said of that."""
    at, lmo = move.at(b=b), move.rules.paper == "lmo"
    eta, notes, excess = at.eta, [], move.would(b=b).get("alpha", 0.0)
    if b == move.own_b() and move.from_one is not None:
        at_one = f"at T = {move.from_one:.4g}"
        notes.append(f"alpha reaches 1 (beta = 0) {at_one}, and from there on eta and b are regime C's")
    elif excess > 1 + _ROUNDING:
        straight = {} if lmo else move.rules.powers(move.without_alpha, ("b",)).get("eta", {})
        law = published.ETA_AT_ONE if lmo else f"eta ~ {_monomial(straight)}"
        notes.append(f"alpha would be {excess:.4g}: it stays at 1 (beta = 0), and from where it reaches 1 {law}")
    if notes and lmo:
        notes[-1] += published.drift_kept(_known(move.start.alpha))
    if limits.eta is not None and eta is not None and eta > limits.eta:
        at = at._replace(eta=limits.eta)
        if eta > limits.eta * (1 + _ROUNDING):
            notes.append(f"eta would be {eta:.4g}: it stays at its cap {limits.eta:.4g}")
            if "alpha" in move.tuned:
                powers = move.rules.powers(move.tuned, ("eta", "b"))["alpha"]
                alpha = min(1.0, move.by("alpha", powers, eta=limits.eta, b=b))
                if alpha != at.alpha:
                    law = published.ALPHA_AT_ETA if lmo else f"alpha ~ {_monomial(powers)}"
                    notes[-1] += f", and alpha is tuned again there: {law}"
                    at = at._replace(alpha=alpha)
    if move.start.b is not None and _known(at.K) < 1:
        notes.append(f"K = T/b = {at.K:.4g}: less than one iteration")
    return at, notes


def _about(move: _Move, b: float, at: Setting, own: bool) -> tuple[str, ...]:
    """What the regime's answer means at this batch size."""
    if move.rules.paper:
        below = at.eta is not None and at.eta < _known(move.at(b=b).eta)
        return published.about(move.rules, move.regime, at, b, move.own_b(), eta_capped=below)
    if not own:
        return (f"b is not {called(move.regime)}'s own ({move.own_b():.4g} tokens): the rest is tuned again at it",)
    law = move.rules.law(move.tuned)
    risk, floor = law.exponent["risk"], ", ".join(law.levels[0].terms)
    falls = f"the bound's best goes with T^({risk})" if risk else f"the bound does not fall below {floor}"
    beyond = [
        f"the bound is for {v} <= {cap:.4g}" for v, cap in move.rules.bound.caps.items() if (getattr(at, v) or 0) > cap
    ]
    return (
        falls,
        *(f"in the limit it lies on its bound {text}" for text in dict.fromkeys(law.active.values())),
        *beyond,
    )
