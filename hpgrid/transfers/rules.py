"""The rules of a bound, read off its exact laws: ``moved`` takes a setting from its budget to another.

A regime is a set of tuned variables. What it tuned follows its law, x_1 = x_0 (T_1/T_0)^p: for eq. (4) that is
Table 2. Where the batch size is another one (given, capped, rounded), the rest is tuned again at it, with the powers of
b and T that the law has there: Table 3. So there are two steps: which batch size, then the rest at it.

alpha is at most 1. Where its law would lead beyond, it stays there, and the rest goes on by the laws of the regime that
does not tune it, from where it reached 1.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cache
from typing import Any, NamedTuple

from hpgrid.asymptotics import Law, exponents
from hpgrid.checks import TUNABLE, InputError, bad, unknown
from hpgrid.proxy import Proxy
from hpgrid.regime import Regime
from hpgrid.text import power as power_text
from hpgrid.transfers import published
from hpgrid.transfers.start import LARGEST, NO_LIMITS, SMALLEST, TUNED, Limits, Setting, called, missing, require, said

#: The powers of what a variable goes with: {"T": -3/4, "b": 1} is b T^(-3/4).
Powers = Mapping[str, Fraction]

#: The order in which the tables print a rule: b decides, eta comes last.
_ORDER = ("b", "alpha", "eta")

#: What two ways to the same number may differ by.
_ROUNDING = 1e-12


class NoRule(ValueError):
    """A law that says nothing of a variable: why, as a sentence without its full stop."""


@dataclass(frozen=True)
class Rules:
    """The exact laws of a bound, each solved once."""

    bound: Proxy  # the posynomial, in T
    paper: str = ""  # "lmo" for eq. (4), "sgd" for SGD's bound: whose tables and remarks belong to it; else ""
    # values of variables; those that are not tuned stay symbols in a law, but a term 1 - alpha ends at 1
    held: Mapping[str, float] = field(default_factory=dict)
    _solved: dict[Any, Law] = field(default_factory=dict, repr=False)

    def law(self, tuned: Collection[str], along: Powers | None = None) -> Law:
        """Return the exact law of what is tuned, where others are a constant, named x_given, times a power of T."""
        along = along or {}
        key = tuple(tuned), tuple(along.items())
        if key not in self._solved:
            bound = self.bound
            for name, power in along.items():
                bound = _pinned(bound, name, power)
            held = {v: x for v, x in self.held.items() if v in bound.variables() and v not in tuned}
            try:
                self._solved[key] = exponents(bound, regime=Regime(tuple(tuned), held))
            except InputError as error:  # no mistake of the caller's: the bound is no posynomial in what is tuned
                raise NoRule(str(error).partition(". Given:")[0]) from None
        return self._solved[key]

    def powers(self, tuned: Sequence[str], given: Sequence[str] = ()) -> dict[str, Powers]:
        """Return for each variable that is tuned and not given its powers of T and of what is given.

        Raises:
            NoRule: a law leaves one of them undetermined or unbounded, or is no power of what is given.
        """
        own = {name: self.exponent(tuned, name) if name in tuned else Fraction(0) for name in (*tuned, *given)}
        rest = [name for name in tuned if name not in given]
        # Table 3 is the law at a constant batch size. Where that is another law than the regime's own, as at a constant
        # eta, whose best alpha is 1 in the end, the law along the regime's own way is what holds near it.
        powers: dict[str, Powers] | NoRule = {}
        for along in ({name: Fraction(0) for name in given}, {name: own[name] for name in given}):
            try:
                powers = {name: self._powers(rest, along, name) for name in rest}
            except NoRule as why:
                powers = why
            else:
                if all(p["T"] + sum(p[g] * own[g] for g in given) == own[v] for v, p in powers.items()):
                    break
        if isinstance(powers, NoRule):
            raise powers
        return powers

    def exponent(self, tuned: Sequence[str], name: str, along: Powers | None = None) -> Fraction:
        """Return the power of T that a tuned variable goes with."""
        law = self.law(tuned, along)
        exponent = law.exponent[name]
        if name in law.unbounded:
            raise NoRule(f"{said(name)} is unbounded: it needs {law.unbounded[name].cure}")
        if exponent is None:
            ends = [str(end) if end is not None else "any" for end in law.flat.get(name, (None, None))]
            raise NoRule(f"{said(name)} is undetermined: any power of T from {ends[0]} to {ends[1]} is as good")
        return exponent

    def _powers(self, tuned: Sequence[str], along: Powers, name: str) -> Powers:
        total = {"T": self.exponent(tuned, name, along)}
        law = self.law(tuned, along).laws[name]
        for other, power in along.items():
            symbol = f"{other}_given"
            powers = {} if law is None else law.powers
            if law is None or law.numeric or any(symbol in key and key != symbol for key in powers):
                raise NoRule(f"at a given {said(other)} the law of {said(name)} is no power of it")
            total[other] = powers.get(symbol, Fraction(0))
            total["T"] -= power * total[other]
        return total


def _pinned(bound: Proxy, name: str, power: Fraction) -> Proxy:
    """The bound with a variable as a constant, which laws then name, times a power of T."""
    terms = []
    for term in bound.terms:
        exponent, T = term.exponent(name), term.exponent("T")
        if exponent is None or T is None:
            raise NoRule(f"the bound is no power of {said(name)}")
        factors = {v: f for v, f in term.factors.items() if v != name} | {"T": T + power * exponent}
        terms.append(replace(term, constants={**term.constants, f"{name}_given": exponent}, factors=factors))
    return replace(
        bound,
        terms=tuple(terms),
        constants={**bound.constants, f"{name}_given": 1.0},
        caps={v: cap for v, cap in bound.caps.items() if v != name},
        cap_terms={v: cap for v, cap in bound.cap_terms.items() if v != name},
    )


@cache
def of_paper(name: str) -> Rules:
    """Return the rules of the paper's two bounds: "lmo", eq. (4), and "sgd"."""
    from hpgrid import bounds

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

    def would(self, b: float | None = None) -> dict[str, float]:
        """What the laws make of each tuned variable, with b its own or given, whatever alpha comes to."""
        given = () if b is None else ("b",)
        ratios = {"T": self.T / self.start.T, "b": 1.0 if b is None else b / self.b}
        return {
            name: math.prod([_known(getattr(self.start, name)), *(_power(ratios[of], p) for of, p in powers.items())])
            for name, powers in self.rules.powers(self.tuned, given).items()
        }

    def leaves_one(self, name: str, b: float | None = None) -> Fraction:
        """The power of alpha's excess over 1 in a variable that goes on from where alpha reaches 1.

        Of T, or where alpha does not depend on it of b: (p' - p)/p_alpha, p' where alpha is held.
        """
        given = () if b is None else ("b",)
        bent, straight = self.rules.powers(self.tuned, given), self.rules.powers(self.without_alpha, given)
        of = "T" if bent["alpha"]["T"] else "b"
        return (straight[name][of] - bent[name][of]) / bent["alpha"][of]

    def own_b(self) -> float:
        """The batch size of the regime's own law, from alpha = 1 on of the regime that holds alpha."""
        if "b" not in self.tuned:
            return self.b
        would = self.would()
        return would["b"] * (_power(would["alpha"], self.leaves_one("b")) if self.from_one is not None else 1.0)

    @property
    def from_one(self) -> float | None:
        """The budget from which b's own law goes on at alpha = 1, where the way leads beyond it."""
        if not {"b", "alpha"} <= set(self.tuned) or (power := self.rules.exponent(self.tuned, "alpha")) == 0:
            return None
        at_one = self.start.T * _power(_known(self.start.alpha), -1 / power)
        return at_one if (at_one - self.T) * power < 0 else None

    def at(self, b: float) -> Setting:
        """The rest at a batch size, with alpha at most 1."""
        now = self.would(b)
        excess = now.get("alpha", 0.0)
        if excess >= 1 - _ROUNDING:
            del now["alpha"]
            beyond = {name: self.leaves_one(name, b) for name in now} if excess > 1 else {}
            now = {name: x * _power(excess, beyond.get(name, Fraction(0))) for name, x in now.items()} | {"alpha": 1.0}
        return self.start._replace(T=self.T, b=b, **now)


def moved(
    regime: str,
    start: Setting,
    T: float,
    limits: Limits = NO_LIMITS,
    to_b: float | None = None,
    rules: Rules | None = None,
) -> Row:
    """Return what a regime makes of its best setting ``start`` at another budget.

    The law of the regime; where the batch size is not the regime's own (given, capped, rounded), the law at that one.
    alpha stays at 1 where it would exceed it, and eta and b go on from where it reaches 1. eta stays at its cap, and
    what is tuned beside it is tuned again there.

    Args:
        regime: "A" (eta was tuned), "B" (eta, alpha), "C" (eta, b), "D" (all), or "SGD" (eta).
        start: the best setting at its budget; it has what the regime tuned, and b where b is given or limited.
        T: the new budget, in tokens.
        limits: what is feasible there.
        to_b: the batch size there, in tokens, where it is given.
        rules: those of a bound; eq. (4)'s where not given.

    Raises:
        NoRule: a law of the bound says nothing of what the regime tuned.
        ValueError: there is no such regime, ``start`` lacks a number that it needs, a batch size is given that the
            limits forbid, or a number comes out too large or too small for a float.

    Source: Shulgin et al., Tables 2 and 3, and what they say of feasibility.
    """
    rules = rules or of_paper("sgd" if regime == "SGD" else "lmo")
    if regime not in (*TUNED, "SGD"):
        raise unknown("regime", regime, (*TUNED, "SGD"))
    variables = rules.bound.variables()
    tuned = tuple(v for v in TUNED.get(regime, ("eta",)) if v in variables)
    require(called(regime), missing(tuned, start, limits, to_b), start)
    move = _Move(rules, regime, tuned, start if "alpha" in variables else start._replace(alpha=None), T)
    wished, notes = _batch(move, limits, to_b)
    at, more = _within(move, move.at(wished), limits)
    _check_numbers(at)
    own = wished == move.own_b()
    held = tuple(name for name in TUNABLE if name not in tuned and name in variables)
    return Row(
        regime=regime,
        tuned=tuned,
        held=held if own or "b" in held else ("b", *held),
        at=at if start.b is not None else at._replace(b=None),
        own=own,
        rule=_rule(move, own),
        remarks=(*notes, *_about(move, wished, at, own), *more, *_from_a_bound(move, at, limits, own)),
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


# --- the rule as text ---


def _rule(move: _Move, own: bool) -> str:
    """The law as text: x_1 = x_0 times powers of T_1/T_0 and, where it is not the regime's own, of b_1/b_0."""
    if not own or move.from_one is None:
        powers = move.rules.powers(move.tuned, () if own else ("b",))
        laws = {name: [_ratio(of, powers[name].get(of)) for of in ("b", "T")] for name in _ORDER if name in powers}
        return ", ".join(" ".join([f"{name}_1 = {name}_0", *filter(None, law)]) for name, law in laws.items())
    straight = move.rules.powers(move.without_alpha)
    parts = []
    for name in _ORDER:
        if name == "alpha":
            parts.append("alpha_1 = 1")
        elif name in straight:
            parts.append(f"{name}_1 = {name}_0 alpha_0^({move.leaves_one(name)}) {_ratio('T', straight[name]['T'])}")
    return ", ".join(parts)


def _ratio(of: str, power: Fraction | None) -> str:
    """(T_1/T_0)^(1/2), or with what falls below: (T_0/T_1)^(1/2)."""
    if not power:
        return ""
    ratio = f"({of}_1/{of}_0)" if power > 0 else f"({of}_0/{of}_1)"
    return ratio if abs(power) == 1 else f"{ratio}^({abs(power)})"


def _monomial(powers: Powers) -> str:
    """b^(1/2) T^(-1/2), or 1."""
    return " ".join(power_text(v, p) for v, p in powers.items() if p) or "1"


# --- which batch size ---


def number(x: float | None) -> str:
    """Return a number with four digits; "-" where there is none."""
    return "-" if x is None else f"{x:.4g}"


def batch_text(b: float | None) -> str:
    """Return a batch size as text: as it is where it is whole, else with four digits."""
    return f"{b:.0f}" if b is not None and b < 1e15 and b % 1 == 0 else number(b)


def given_text(x: float) -> str:
    """Return a number that was given as text: as it is where it is whole, else with ten digits."""
    return batch_text(x) if x % 1 == 0 else f"{x:.10g}"


class Batch(NamedTuple):
    """A batch size in tokens, and what was done to it."""

    b: float
    remarks: tuple[str, ...] = ()


def units(b: float, unit: int) -> str:
    """Return a batch size in words: 524288, or 128 sequences."""
    return batch_text(b / unit) + (" sequences" if unit > 1 else "")


def capped(limits: Limits) -> str:
    """Return the cap on b in words, as it was given; there is one."""
    return given_text(_known(limits.b) / limits.unit) + (" sequences" if limits.unit > 1 else "")


def feasible(b: float, limits: Limits) -> Batch:
    """Return the nearest batch size that can be run, in tokens: at least one unit, under its cap, rounded.

    Args:
        b: the batch size that is wished for, in tokens, > 0.
        limits: cap, unit and rounding; the rounded batch size is never above the cap.

    Raises:
        ValueError: the cap leaves no batch size at all.
    """
    smallest = limits.round_b if isinstance(limits.round_b, int) else 1
    if limits.b is not None and limits.b < smallest * limits.unit:
        rule = f"the cap on b leaves room for {smallest} " + ("sequences" if limits.unit > 1 else "tokens")
        raise bad(rule, f"max_b = {given_text(limits.b / limits.unit)}", f"max_b >= {smallest}")
    notes, now = [], b
    if now < limits.unit:
        now = float(limits.unit)
        notes.append(f"b would be {units(b, limits.unit)}, less than one: it stays at 1")
    if limits.b is not None and now > limits.b:
        now = limits.b
        notes.append(f"b would be {units(b, limits.unit)}: it stays at its cap {capped(limits)}")
    rounded = _rounded(now, limits)
    if rounded != now:
        notes.append(f"b is rounded from {units(now, limits.unit)} to {units(rounded, limits.unit)}")
    return Batch(rounded, tuple(notes))


def _rounded(b: float, limits: Limits) -> float:
    """A batch size in tokens, at least one unit and under its cap, rounded without passing that."""
    if limits.round_b is None:
        return b
    most, count = math.inf if limits.b is None else limits.b / limits.unit, b / limits.unit
    if limits.round_b == "pow2":
        nearest = 2.0 ** math.floor(math.log2(count) + 0.5)
        return limits.unit * (nearest if nearest <= most else nearest / 2)
    step = 1 if limits.round_b == "int" else int(limits.round_b)
    nearest = float(step * max(1, math.floor(count / step + 0.5)))
    return limits.unit * (nearest if nearest <= most else nearest - step)


def _batch(move: _Move, limits: Limits, to_b: float | None) -> Batch:
    """The batch size at the new budget: the one that is given, or the regime's own as far as it is feasible."""
    if to_b is not None:
        at = feasible(to_b, limits).b
        if at != to_b:
            instead = f"to_b = {given_text(at / limits.unit)}, or other limits"
            rule = "a batch size that is given is one that the limits on b allow"
            raise bad(rule, f"to_b = {given_text(to_b / limits.unit)}", instead)
        return Batch(to_b)
    if move.start.b is None:
        return Batch(move.b)
    own_b = move.own_b()
    _check_numbers(Setting(move.T, b=own_b))
    batch = feasible(own_b, limits)
    eta = move.at(batch.b).eta
    if limits.eta is None or eta is None or eta <= limits.eta or "b" not in move.tuned:
        return batch
    # eta stays at its cap, and b is tuned again at it: it falls by a power of what eta falls by.
    power = move.rules.powers(move.tuned, ("eta",))["b"]["eta"]
    lower = feasible(own_b * _power(limits.eta / _known(move.at(own_b).eta), power), limits)
    if lower.b >= batch.b:
        return batch
    how = published.UNDER_A_CAP[move.regime] if move.rules.paper == "lmo" else f", b ~ {_monomial({'eta': power})}"
    note = f"eta would be {eta:.4g} and its cap is {limits.eta:.4g}: b falls from {units(batch.b, limits.unit)} with it"
    return Batch(lower.b, (note + how, *lower.remarks))


# --- the rest at it ---


def _within(move: _Move, at: Setting, limits: Limits) -> tuple[Setting, tuple[str, ...]]:
    """Keep eta under its cap, alpha tuned again there where it was tuned; and say so, and where alpha stays at 1."""
    b, eta, notes = _known(at.b), at.eta, []
    if "alpha" in move.tuned:
        notes += _at_one(move, b)
    if limits.eta is not None and eta is not None and eta > limits.eta:
        at = at._replace(eta=limits.eta)
        if eta > limits.eta * (1 + _ROUNDING):
            notes.append(f"eta would be {eta:.4g}: it stays at its cap {limits.eta:.4g}")
            if "alpha" in move.tuned:
                powers = move.rules.powers(move.tuned, ("eta", "b"))["alpha"]
                ratios = {"eta": limits.eta / _known(move.start.eta), "b": b / move.b, "T": move.T / move.start.T}
                factors = (_power(ratios[name], power) for name, power in powers.items())
                alpha = min(1.0, math.prod([_known(move.start.alpha), *factors]))
                if alpha != at.alpha:
                    law = published.ALPHA_AT_ETA if move.rules.paper == "lmo" else f"alpha ~ {_monomial(powers)}"
                    notes[-1] += f", and alpha is tuned again there: {law}"
                    at = at._replace(alpha=alpha)
    if move.start.b is not None and _known(at.K) < 1:
        notes.append(f"K = T/b = {at.K:.4g}: less than one iteration")
    return at, tuple(notes)


def _at_one(move: _Move, b: float) -> list[str]:
    """Where alpha stays at 1, and what of the tables is kept from there on."""
    alpha = move.would(b)["alpha"]
    if b == move.own_b() and move.from_one is not None:
        at = f"T = {move.from_one:.4g}"
        where = f"alpha reaches 1 (beta = 0) at {at}, and from there on eta and b are regime C's"
    elif alpha > 1 + _ROUNDING:
        law = published.ETA_AT_ONE
        if move.rules.paper != "lmo":
            law = f"eta ~ {_monomial(move.rules.powers(move.without_alpha, ('b',)).get('eta', {}))}"
        where = f"alpha would be {alpha:.4g}: it stays at 1 (beta = 0), and from where it reaches 1 {law}"
    else:
        return []
    kept = published.drift_kept(_known(move.start.alpha)) if move.rules.paper == "lmo" else ""
    return [where + kept]


def _from_a_bound(move: _Move, at: Setting, limits: Limits, own: bool) -> tuple[str, ...]:
    """That what leaves its bound may have begun to follow its law later than at the first budget."""
    bounds = {"eta": (limits.eta,), "b": (float(limits.unit), limits.b), "alpha": (1.0,)}
    follows = [name for name in move.tuned if own or name != "b"]
    ends = {name: (getattr(move.start, name), getattr(at, name)) for name in follows}
    left = [said(name) for name, (before, after) in ends.items() if before in bounds[name] and after != before]
    if not left:
        return ()
    return (f"{' and '.join(left)} on a bound at T_0, where no law need have begun: the rule may start too early",)


def _about(move: _Move, b: float, at: Setting, own: bool) -> tuple[str, ...]:
    """What the regime's answer means at this batch size."""
    own_b = move.own_b()
    below = at.eta is not None and at.eta < _known(move.at(b).eta)
    if move.rules.paper:
        return published.about(move.rules, move.regime, at, b, own_b, eta_capped=below)
    if not own:
        return (f"b is not {called(move.regime)}'s own ({own_b:.4g} tokens): the rest is tuned again at it",)
    law = move.rules.law(move.tuned)
    risk, floor = law.exponent["risk"], ", ".join(law.levels[0].terms)
    falls = f"the bound's best goes with T^({risk})" if risk else f"the bound does not fall below {floor}"
    beyond = [
        f"the bound is for {v} <= {cap:.4g}" for v, cap in move.rules.bound.caps.items() if (getattr(at, v) or 0) > cap
    ]
    return (falls, *(f"in the limit it lies on its bound {text}" for text in law.active.values()), *beyond)
