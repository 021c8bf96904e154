"""What a transfer starts from, where it goes, and what is feasible there."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from hpgrid.checks import bad, check_value, complement, is_number, unknown
from hpgrid.transfers import constants
from hpgrid.transfers.constants import Constants
from hpgrid.transfers.sizes import check_size, in_tokens, optional, positive, rounding, whole

#: What each regime tunes; the rest is held. The last one is SGD's.
TUNED = {"A": ("eta",), "B": ("eta", "alpha"), "C": ("eta", "b"), "D": ("eta", "b", "alpha"), "SGD": ("eta",)}

LMO = ("A", "B", "C", "D")
REGIMES = (*LMO, "auto")
OPTIMIZERS = ("lmo", "sgd")

#: What a start is made of; beta2 is Adam's second moment, which no rule of the tables knows.
NAMES = ("eta", "b", "beta", "alpha", "beta2", "T")


class Setting(NamedTuple):
    """Hyperparameters at a token budget; None where one was not given.

    Attributes:
        T: the token budget, >= 1.
        eta: the learning rate, > 0.
        b: the batch size in tokens, >= 1.
        alpha: the momentum complement 1 - beta, in (0, 1].
    """

    T: float
    eta: float | None = None
    b: float | None = None
    alpha: float | None = None

    @property
    def beta(self) -> float | None:
        """1 - alpha, to read; compute with alpha."""
        return None if self.alpha is None else 1 - self.alpha

    @property
    def K(self) -> float | None:
        """The number of iterations T/b."""
        return None if self.b is None else self.T / self.b


class Limits(NamedTuple):
    """What is feasible at the new budget.

    Attributes:
        b: the largest batch size in tokens, or None.
        eta: the largest learning rate, or None.
        round_b: "pow2", "int", or a whole number of which b is a multiple, in units of ``unit``; None rounds nothing.
        unit: tokens in one unit of the batch size: the sequence length, or 1.
    """

    b: float | None = None
    eta: float | None = None
    round_b: str | int | None = None
    unit: int = 1


#: No limits.
NONE = Limits()


@dataclass(frozen=True)
class Asked:
    """The arguments of ``transfer``, which says what each is, checked: b in tokens, beta as alpha.

    Attributes:
        start: the best setting at the first budget.
        T: the second budget.
        regimes: those that were asked for: one, or all of the optimizer's.
        limits: what is feasible.
        to_b: the batch size at the second budget in tokens, or None.
        alpha2: 1 - beta2, or None.
        optimizer: "lmo" or "sgd".
        constants: C1, C2, C3 of eq. (4), or None.
        calibrate: whether to find them from the start.
    """

    start: Setting
    T: float
    regimes: tuple[str, ...]
    limits: Limits
    to_b: float | None
    alpha2: float | None
    optimizer: str
    constants: Constants | None
    calibrate: bool


def check(asked: Mapping[str, Any]) -> Asked:
    """Return the arguments of ``transfer`` as numbers in their units.

    Raises:
        ValueError: one out of its range, a name that does not exist, or a regime that lacks a number.
    """
    optimizer, regime = _word("optimizer", asked["optimizer"], OPTIMIZERS), _word("regime", asked["regime"], REGIMES)
    unit = whole("seq_len", asked["seq_len"], "4096") if asked["seq_len"] is not None else 1
    start, alpha2 = _start(asked["start"], unit)
    limits = Limits(
        b=optional("max_b", asked["max_b"], unit),
        eta=positive("max_eta", asked["max_eta"]) if asked["max_eta"] is not None else None,
        round_b=rounding(asked["round_b"]),
        unit=unit,
    )
    to_b = optional("to_b", asked["to_b"], unit)
    if to_b is not None and (to_b / unit) % 1:
        above = math.ceil(to_b / unit)
        nearest = above if limits.b is None or above * unit <= limits.b else above - 1
        raise bad("to_b is a whole number", to_b / unit, f"to_b={nearest}, say")
    regimes = _regimes(regime, optimizer)
    of = _constants(asked["constants"], asked["calibrate"], optimizer, start)
    _require_one(regimes, start, limits, to_b)
    to = _budget(asked["to"])
    return Asked(start, to, regimes, limits, to_b, alpha2, optimizer, of, asked["calibrate"])


def _word(name: str, given: Any, known: tuple[str, ...]) -> str:
    """One of some words, in whatever case it is written."""
    for word in known:
        if isinstance(given, str) and given.lower() == word.lower():
            return word
    raise unknown(name, given, known)


def missing(regime: str, start: Setting, limits: Limits = NONE, to_b: float | None = None) -> tuple[str, ...]:
    """Return what a regime needs and ``start`` does not have; b, too, where it is given or limited.

    Raises:
        ValueError: there is no such regime.
    """
    if regime not in TUNED:
        raise unknown("regime", regime, TUNED)
    about_b = to_b is not None or limits.b is not None or limits.round_b is not None
    needs = (*TUNED[regime], *(("b",) if about_b and "b" not in TUNED[regime] else ()))
    return tuple(name for name in needs if getattr(start, name) is None)


def require(regime: str, start: Setting, limits: Limits = NONE, to_b: float | None = None) -> None:
    """Refuse a start that lacks what a regime needs.

    Raises:
        ValueError: naming what is missing.
    """
    _refuse(called(regime), missing(regime, start, limits, to_b), start)


def _require_one(regimes: tuple[str, ...], start: Setting, limits: Limits, to_b: float | None) -> None:
    """Refuse a start from which no regime goes on; of all, the first one needs the least."""
    needs = missing(regimes[0], start, limits, to_b)
    _refuse("every regime" if len(regimes) > 1 else called(regimes[0]), needs, start)


def _refuse(who: str, lacking: tuple[str, ...], start: Setting) -> None:
    if lacking:
        given = ", ".join(f"{name}={value:g}" for name, value in start._asdict().items() if value is not None)
        needs = " and ".join(said(name) for name in lacking)
        raise bad(f"{who} needs {needs} at the first budget", given, f"{said(lacking[0])}=... beside it")


def called(regime: str) -> str:
    """Return what a regime is called in a sentence."""
    return regime if regime == "SGD" else f"regime {regime}"


def said(name: str) -> str:
    """Return what people write for a hyperparameter: momentum is given as beta."""
    return "beta" if name == "alpha" else name


def _start(given: Any, unit: int) -> tuple[Setting, float | None]:
    """The first setting, b in tokens, and 1 - beta2."""
    if not isinstance(given, Mapping):
        raise bad("a start is names and numbers", given, "{'eta': 3e-4, 'b': 524288, 'beta': 0.95, 'T': 2.5e9}, say")
    for name in given:
        if name not in NAMES:
            raise unknown("name in a start", name, NAMES)
    if "T" not in given:
        raise bad("a start has its token budget T", ", ".join(given), "T=2.5e9 beside it, say")
    if "beta" in given and "alpha" in given:
        raise bad("momentum is given once", "beta and alpha", "one of the two; alpha = 1 - beta")
    for name, value in given.items():
        check_size(name, value)
    momenta = {name: _beta(name, given[name]) for name in ("beta", "beta2") if name in given}
    alpha = momenta.get("beta")
    own = {name: check_value(name, given[name]) for name in ("eta", "b", "alpha", "T") if name in given}
    b = in_tokens("b", own["b"], unit) if "b" in own else None
    start = Setting(own["T"], own.get("eta"), b, own.get("alpha", alpha))
    return start, momenta.get("beta2")


def _beta(name: str, beta: Any) -> float:
    if not (is_number(beta) and 0 <= beta < 1):
        instead = f"{name}=0.95, say" + ("; next to 1, alpha=1e-20, say" if name == "beta" else "")
        raise bad(f"{name} must be a finite number with 0 <= {name} < 1", beta, instead)
    return complement(beta)


def _budget(to: Any) -> float:
    """The second budget, a number or {"T": number}."""
    if not isinstance(to, Mapping):
        check_size("T", to)
        return check_value("T", to)
    for name in to:
        if name in ("b", "eta"):
            instead = "to_b for a batch size that is given" if name == "b" else "max_eta for the largest one"
            raise bad("a transfer goes to a token budget T alone", name, f"T=1e12, say, and {instead}")
        if name != "T":
            raise unknown("name in where a transfer goes", name, ("T",))
    if "T" not in to:
        raise bad("a transfer goes to a token budget T", "nothing", "T=1e12, say")
    return _budget(to["T"])


def _regimes(regime: str, optimizer: str) -> tuple[str, ...]:
    if optimizer == "sgd":
        if regime != "auto":
            raise bad("regimes A to D are the LMO methods'; SGD has one rule", regime, "regime auto, or optimizer lmo")
        return ("SGD",)
    return LMO if regime == "auto" else (regime,)


def _constants(given: Any, calibrate: Any, optimizer: str, start: Setting) -> Constants | None:
    """The constants of eq. (4), where costs are asked for at all."""
    if not isinstance(calibrate, bool):
        raise bad("calibrate is True or False", calibrate, "calibrate=True, say")
    if given is None and not calibrate:
        return None
    if given is not None and calibrate:
        raise bad("constants are given, or calibrated at the start", "both", "one of the two")
    if optimizer != "lmo":
        raise bad("costs are of eq. (4), the LMO methods'", f"optimizer {optimizer}", "optimizer lmo, or no constants")
    lacking = [said(name) for name in ("eta", "b", "alpha") if getattr(start, name) is None]
    if lacking:
        rule = "what a choice costs needs eta, b and beta at the first budget"
        raise bad(rule, f"no {' and no '.join(lacking)}", f"{lacking[0]}=... beside the others")
    if given is not None and not isinstance(given, Mapping):
        raise bad("constants are names and numbers", given, "{'C1': 1, 'C2': 30, 'C3': 4}, say")
    for name, value in (given or {}).items():
        check_size(name, value)
    return None if given is None else constants.read(given)
