"""The rules of Appendix A, with what is feasible: ``moved`` takes a setting from its budget to another.

    moved(regime, start, T, limits=Limits(), to_b=None) -> Row

Table 3's rows at the batch size of Table 2 are Table 2's rows. So there are two steps: which batch size, then
what Table 3 makes of the rest at it. A batch size that is given, capped or rounded changes the first step alone.

alpha is at most 1. Table 3 takes it there at b_0/alpha_0 (T_1/T_0)^(1/2), and beyond that batch size alpha is held:
eta ~ (b/T)^(1/2) from its value there. Regime D meets it at T_0 alpha_0^3, on the way to a shorter run; from there on
its b is regime C's, which is that same batch size.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from hpgrid.checks import bad
from hpgrid.theory import transfer as theory
from hpgrid.theory.theorems import SGD_IN_T
from hpgrid.theory.transfer import TABLE_2, Run
from hpgrid.transfers.batch import Batch, feasible, units
from hpgrid.transfers.given import NONE, TUNED, Limits, Setting, require, said
from hpgrid.transfers.sizes import LARGEST, LEAST
from hpgrid.transfers.words import as_given

#: Table 3's rows as text, by whether the momentum is tuned; what they say is computed in hpgrid.theory.transfer.
_FIXED = "eta_1 = eta_0 (b_1/b_0)^(1/2) (T_0/T_1)^(1/2)"
_TUNED = "alpha_1 = alpha_0 (b_1/b_0) (T_0/T_1)^(1/2), eta_1 = eta_0 (b_1/b_0) (T_0/T_1)^(3/4)"
_SGD = "eta_1 = eta_0 (b_1/b_0) (T_0/T_1)^(1/2)"
TABLE_3 = {"A": _FIXED, "B": _TUNED, "C": _FIXED, "D": _TUNED, "SGD": _SGD}

#: Regime D where alpha has reached 1: Table 2's row to T_0 alpha_0^3, regime C's from there.
_FROM_ONE = "b_1 = b_0 alpha_0^(-1) (T_1/T_0)^(1/2), alpha_1 = 1, eta_1 = eta_0 alpha_0^(-1) (T_0/T_1)^(1/4)"

#: What two ways to the same eta may differ by.
_ROUNDING = 1e-12

FLOOR = "the noise floor C2 (alpha/b)^(1/2) stays (Corollary 1)"


class Row(NamedTuple):
    """What one regime makes of a setting at another budget.

    Attributes:
        regime: "A" to "D", or "SGD".
        tuned: what the regime tuned at the first budget.
        held: what is not tuned again at the second one; b, too, where it is not the regime's own.
        at: the setting at the second budget; None in it for what was not given.
        own: whether b is the regime's own, so that the rule is Table 2's; else it is Table 3's.
        rule: the rule, as text; before limits on eta and alpha, but where regime D's own b goes on from alpha = 1.
        remarks: what the rule does not say, a sentence each, without a full stop.
    """

    regime: str
    tuned: tuple[str, ...]
    held: tuple[str, ...]
    at: Setting
    own: bool
    rule: str
    remarks: tuple[str, ...] = ()


class _Move(NamedTuple):
    """A regime, where it starts, and the budget it goes to."""

    regime: str
    start: Setting
    T: float

    @property
    def eta(self) -> float:
        return _known(self.start.eta)

    @property
    def b(self) -> float:
        """The batch size at the start; 1 where it is not given and does not change."""
        return 1.0 if self.start.b is None else self.start.b

    @property
    def alpha(self) -> float:
        return _known(self.start.alpha)

    @property
    def from_one(self) -> float | None:
        """The budget where regime D's alpha reaches 1, where the way leads beyond it."""
        at_one = self.start.T * self.alpha**3 if self.regime == "D" else 0.0
        return at_one if at_one > self.T else None

    def own_b(self) -> float:
        """The batch size of Table 2; regime C's from where regime D's alpha has reached 1."""
        longer = self.T / self.start.T
        if self.from_one is not None:
            return self.b / self.alpha * longer**0.5
        return self.b * longer ** float(_powers(self.regime).get("b", 0))

    def tuned(self, b: float) -> Setting:
        """Table 3's second row at a batch size, whatever alpha comes to."""
        short, long = Run(self.start.T, self.b), Run(self.T, b)
        now = theory.tuned_momentum({"eta": self.eta, "alpha": self.alpha}, short, long)
        return Setting(self.T, float(now["eta"]), b, float(now["alpha"]))

    def at(self, b: float) -> Setting:
        """Table 3's row at a batch size; with alpha at most 1."""
        short, long = Run(self.start.T, self.b), Run(self.T, b)
        if "alpha" in TUNED[self.regime]:
            own = self.tuned(b)
            beyond = _known(own.alpha)  # b over the one where alpha is 1, from which eta ~ b^(1/2)
            at_one = own._replace(eta=_known(own.eta) / math.sqrt(max(1.0, beyond)), alpha=1.0)
            return own if beyond < 1 - _ROUNDING else at_one
        if self.regime == "SGD":
            return Setting(self.T, float(theory.sgd(self.eta, short, long)), b)
        return Setting(self.T, float(theory.fixed_momentum(self.eta, short, long)), b, self.start.alpha)


def moved(regime: str, start: Setting, T: float, limits: Limits = NONE, to_b: float | None = None) -> Row:
    """Return what a regime makes of its best setting ``start`` at another budget.

    Table 2's rule; where the batch size is not the regime's own (given, capped, rounded), Table 3's at that one.
    alpha stays at 1 where it would exceed it, and eta and b go on from where it reaches 1. eta stays at its cap, and
    what is tuned beside it is tuned again there.

    Args:
        regime: "A" (eta was tuned), "B" (eta, alpha), "C" (eta, b), "D" (all), or "SGD" (eta).
        start: the best setting at its budget; it has what the regime tuned, and b where b is given or limited.
        T: the new budget, in tokens.
        limits: what is feasible there.
        to_b: the batch size there, in tokens, where it is given.

    Raises:
        ValueError: there is no such regime, ``start`` lacks a number that it needs, a batch size is given that the
            limits forbid, or a number comes out too large or too small for a float.

    Source: Shulgin et al., Tables 2 and 3, and what they say of feasibility.
    """
    require(regime, start, limits, to_b)
    move = _Move(regime, start, T)
    with np.errstate(all="ignore"):  # what overflows is refused below
        wished, words = _batch(move, limits, to_b)
        at, more = _within(move, move.at(wished), limits)
    _check_numbers(at)
    own = wished == move.own_b()
    held = ("b",) if regime == "SGD" else tuple(x for x in ("b", "alpha") if x not in TUNED[regime])
    return Row(
        regime=regime,
        tuned=TUNED[regime],
        held=held if own or "b" in held else ("b", *held),
        at=at if start.b is not None else at._replace(b=None),
        own=own,
        rule=_rule(move, own),
        remarks=(*words, *_about(move, wished, at), *more, *_from_a_bound(move, at, limits, own)),
    )


def _check_numbers(at: Setting) -> None:
    """Refuse what a float can't hold."""
    if not all(LEAST <= x <= LARGEST for x in at if x is not None):
        shown = ", ".join(f"{name}={x:g}" for name, x in at._asdict().items() if x is not None)
        raise bad("what is transferred stays a number", shown, "budgets that are less far apart")


def _rule(move: _Move, own: bool) -> str:
    if not own:
        return TABLE_3[move.regime]
    return table_2(move.regime) if move.from_one is None else _FROM_ONE


def table_2(regime: str) -> str:
    """Return Table 2's rule as text, such as eta_1 = eta_0 (T_0/T_1)^(1/2)."""
    return ", ".join(
        f"{name}_1 = {name}_0 " + (f"(T_1/T_0)^({power})" if power > 0 else f"(T_0/T_1)^({-power})")
        for name, power in _powers(regime).items()
    )


def _powers(regime: str) -> dict[str, Fraction]:
    """The powers of T_1/T_0, the batch size the regime's own."""
    return {"eta": SGD_IN_T["T"]} if regime == "SGD" else TABLE_2[regime]


def _known(value: float | None) -> float:
    assert value is not None, "missing() has seen that it is there"
    return value


def _batch(move: _Move, limits: Limits, to_b: float | None) -> Batch:
    """The batch size at the new budget: the one that is given, or the regime's own as far as it is feasible."""
    if to_b is not None:
        return _given_batch(to_b, limits)
    if move.start.b is None:
        return Batch(move.b)
    _check_numbers(Setting(move.T, b=move.own_b()))
    batch = feasible(move.own_b(), limits)
    eta = _known(move.at(batch.b).eta)
    if limits.eta is None or eta <= limits.eta or "b" not in TUNED[move.regime]:
        return batch
    lower = feasible(_under_a_capped_eta(move, limits.eta), limits)
    if lower.b >= batch.b:
        return batch
    told = f"eta would be {eta:.4g} and its cap is {limits.eta:.4g}: b falls from {units(batch.b, limits.unit)} with it"
    how = ", and alpha, the leading risk as it is" if move.regime == "D" else ", b ~ (eta T)^(2/3)"
    return Batch(lower.b, (told + how, *lower.remarks))


def _given_batch(to_b: float, limits: Limits) -> Batch:
    """The batch size that is given, which the limits allow."""
    at = feasible(to_b, limits).b
    if at != to_b:
        rule = "a batch size that is given is one that the limits on b allow"
        raise bad(
            rule, f"to_b = {as_given(to_b / limits.unit)}", f"to_b = {as_given(at / limits.unit)}, or other limits"
        )
    return Batch(to_b)


def _under_a_capped_eta(move: _Move, cap: float) -> float:
    """The best batch size where eta stays at its cap.

    C: C1 b/(eta T) + C2 (alpha/b)^(1/2) at this eta is least at b ~ (eta T)^(2/3). D: eta, b and alpha fall alike, the
    direction along which the leading risk of Theorem 3 is flat: Table 3's second row at the b that gives this eta.
    """
    own = move.own_b()
    share = cap / _known(move.at(own).eta)
    return own * (share if move.regime == "D" else share ** (2 / 3))


def _within(move: _Move, at: Setting, limits: Limits) -> tuple[Setting, tuple[str, ...]]:
    """Keep eta under its cap, alpha tuned again there where it was tuned; and say so, and where alpha stays at 1."""
    tuned, told = "alpha" in TUNED[move.regime], []
    eta = _known(at.eta)
    told += _at_one(move, _known(at.b)) if tuned else []
    if limits.eta is not None and eta > limits.eta:
        at = at._replace(eta=limits.eta)
        if eta > limits.eta * (1 + _ROUNDING):
            told.append(f"eta would be {eta:.4g}: it stays at its cap {limits.eta:.4g}")
            if tuned and _known(at.alpha) != (alpha := _alpha_at(move, _known(at.b), limits.eta)):
                told[-1] += ", and alpha is tuned again there: alpha ~ (eta^2 b)^(1/3)"
                at = at._replace(alpha=alpha)
    if move.start.b is not None and _known(at.K) < 1:
        told.append(f"K = T/b = {at.K:.4g}: less than one iteration")
    return at, tuple(told)


def _at_one(move: _Move, b: float) -> list[str]:
    """Where alpha stays at 1, and what of the tables is kept from there on."""
    alpha = _known(move.tuned(b).alpha)
    if b == move.own_b() and move.from_one is not None:
        where = f"alpha reaches 1 (beta = 0) at T = {move.from_one:.4g}, and from there on eta and b are regime C's"
    elif alpha > 1 + _ROUNDING:
        where = f"alpha would be {alpha:.4g}: it stays at 1 (beta = 0), and from where it reaches 1 eta ~ (b/T)^(1/2)"
    else:
        return []
    less = math.sqrt((1 + move.alpha) / 2)
    kept = f"; kept is Table 3's drift 1/alpha, with eq. (4)'s 1 + 1/alpha eta would be {less:.3g} times that"
    return [where + (kept if less < 1 else "")]


def _from_a_bound(move: _Move, at: Setting, limits: Limits, own: bool) -> tuple[str, ...]:
    """That what leaves its bound may have begun to follow its law later than at the first budget."""
    bounds = {"eta": (limits.eta,), "b": (float(limits.unit), limits.b), "alpha": (1.0,)}
    follows = [name for name in TUNED[move.regime] if own or name != "b"]
    ends = {name: (getattr(move.start, name), getattr(at, name)) for name in follows}
    left = [said(name) for name, (before, after) in ends.items() if before in bounds[name] and after != before]
    if not left:
        return ()
    return (f"{' and '.join(left)} on a bound at T_0, where no law need have begun: the rule may start too early",)


def _alpha_at(move: _Move, b: float, eta: float) -> float:
    """The best alpha at an eta that is not the best: C2 (alpha/b)^(1/2) + C3 eta/alpha is least at (eta^2 b)^(1/3)."""
    return min(1.0, _known(move.start.alpha) * (eta / move.eta) ** (2 / 3) * (b / move.b) ** (1 / 3))


def _about(move: _Move, b: float, at: Setting) -> tuple[str, ...]:
    """What the regime's answer means at this batch size."""
    own = move.own_b()
    if move.regime == "A":
        return (f"b and alpha held: {FLOOR}",)
    if move.regime == "SGD":
        return ("momentum does not enter; the bound is for eta <= 1/L, which no transfer sees",)
    if b == own or move.regime == "B":
        return ()
    told = f"b is not regime {move.regime}'s own ({own:.4g} tokens)"
    if move.regime == "D":
        same = ", at the same leading risk (Theorem 2)" if _known(at.alpha) < 1 else ""
        return (f"{told}: alpha and eta are tuned again at it{same}",)
    if _known(at.eta) < _known(move.at(b).eta):  # at its cap
        return (told,)
    rest = FLOOR if b < own else "the fewer iterations cost more than the noise falls"
    return (f"{told}: eta is tuned again at it; with alpha held {rest}",)
