"""What a transfer starts from, where it goes and what is feasible there: each argument is asked once, here.

Nothing here loads NumPy, so that a mistake on the command line is answered at once.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from numbers import Rational, Real
from typing import Any, NamedTuple

from hpgrid import bounds
from hpgrid.checks import (
    OPTIMIZERS as NORMS,
    SCHEDULE_KINDS,
    alpha_of,
    bad,
    check_constants,
    check_keys,
    is_number,
    unknown,
    without_unit,
)
from hpgrid.proxy import FunctionProxy, Proxy
from hpgrid.variables import TUNABLE, check_value, settings

#: A row of a transfer: the regime's name, and what was tuned at the first budget; the rest is held. Of these, a bound
#: has the rows whose variables it contains.
TUNED = {"A": ("eta",), "B": ("eta", "alpha"), "C": ("eta", "b"), "D": ("eta", "b", "alpha")}

REGIMES = (*TUNED, "auto")
OPTIMIZERS = ("lmo", "sgd")  # NORMS has who is one of lmo's

#: What a start is made of; beta2 is Adam's second moment, which no rule of the tables knows.
NAMES = ("eta", "b", "beta", "alpha", "beta2", "T")

#: The constants of eq. (4), brief and as the problem has them; one that is not given is 1.
BRIEF, PROBLEM = ("C1", "C2", "C3"), ("Delta0", "L", "rho", "sigma")

#: The smallest and the largest number that is taken: products of two or three that lie beyond leave the floats.
SMALLEST, LARGEST = sys.float_info.min, 1e300


class Setting(NamedTuple):
    """Hyperparameters at a token budget; None where one was not given."""

    T: float  # the token budget, >= 1
    eta: float | None = None  # the learning rate, > 0
    b: float | None = None  # the batch size in tokens, >= 1
    alpha: float | None = None  # the momentum complement 1 - beta, in (0, 1]

    @property
    def beta(self) -> float | None:
        """1 - alpha, to read; compute with alpha."""
        return None if self.alpha is None else 1 - self.alpha

    @property
    def K(self) -> float | None:
        """The number of iterations T/b."""
        return None if self.b is None else self.T / self.b


class Limits(NamedTuple):
    """What is feasible at the new budget."""

    b: float | None = None  # the largest batch size in tokens, or None
    eta: float | None = None  # the largest learning rate, or None
    # "pow2", "int", or a whole number of which b is a multiple, in units of ``unit``; None rounds nothing
    round_b: str | int | None = None
    unit: int = 1  # tokens in one unit of the batch size: the sequence length, or 1


NO_LIMITS = Limits()


@dataclass(frozen=True)
class TransferProblem:
    """The arguments of ``transfer``, checked: b in tokens, beta as alpha."""

    start: Setting  # the best setting at the first budget
    alpha2: float | None  # 1 - beta2 there, or None
    T: float  # the second budget
    to_b: float | None  # the batch size there in tokens, where it was given
    limits: Limits  # what is feasible there
    # the posynomial, generalised or not, in T; None for eq. (4), or SGD's where that is the optimizer
    bound: Proxy | FunctionProxy | None
    regimes: Mapping[str, tuple[str, ...]]  # the rows that were asked for, and what each tuned
    optimizer: str  # "lmo" or "sgd"
    constants: Mapping[str, float] | None  # the bound's, where costs are asked for; of eq. (4) C1, C2, C3. Else None
    calibrate: bool  # whether to find them from the start
    schedule: str | None  # of the learning rate, "constant" or "decay", where it was said


def check(options: Mapping[str, Any]) -> TransferProblem:
    """Return the arguments of ``transfer`` as numbers in their units.

    Raises:
        ValueError: one out of its range, a name that does not exist, or a regime that lacks a number.
    """
    optimizer = options["optimizer"]
    norm = NORMS.get(optimizer.lower()) if isinstance(optimizer, str) and optimizer.lower() != "sgd" else None
    if norm is not None:
        rule = (
            f"{optimizer} is called lmo here: it steps along an oracle of the {norm} norm, and lmo's rules hold in any"
        )
        raise bad(rule, optimizer, "optimizer lmo")
    optimizer = _word("optimizer", optimizer, OPTIMIZERS)
    regime = _word("regime", options["regime"], REGIMES)
    limits = limits_of(*(options[name] for name in ("max_b", "max_eta", "round_b", "seq_len")))
    unit = limits.unit
    start, alpha2 = _start(options["start"], unit)
    to_b = _in_tokens("to_b", _number("to_b", options["to_b"]), unit)
    if to_b is not None and (to_b / unit) % 1:
        above = math.ceil(to_b / unit)
        nearest = above if limits.b is None or above * unit <= limits.b else above - 1
        raise bad("to_b is a whole number", to_b / unit, f"to_b={nearest}, say")
    bound, constants, calibrate = options.get("bound"), options["constants"], options["calibrate"]
    if bound is not None:
        if isinstance(bound, FunctionProxy) and (bound.obstacle or bound.root is None):
            why = bound.obstacle or "this one is a function"
            rule = f"a transfer reads its rules off a sum of powers, or of maxima and roots of such; {why}"
            raise bad(rule, bound.name, "hpgrid search, or refine, for it")
        if not isinstance(bound, (Proxy, FunctionProxy)):
            raise bad("a bound is a Proxy", bound, "hpgrid.bounds.lmo(), or hpgrid.parse(...), say")
        if optimizer != "lmo":
            raise bad("a transfer has one bound", f"optimizer {optimizer} and {bound.name}", "one of the two")
        bound = bound.form("T")
        # Eq. (4), in either set of constants, is the bound that there is where none is given.
        eq_4 = (bounds.lmo().terms, bounds.lmo(Delta0=1.0, L=1.0, rho=1.0, sigma=1.0).terms)
        if isinstance(bound, Proxy) and bound.terms in eq_4:
            constants = bound.with_constants(**constants).constants if isinstance(constants, Mapping) else constants
            bound = None
    regimes = _regimes(regime, optimizer, bound)
    constants = _constants(constants, calibrate, optimizer, start, bound)
    # Of several regimes the first needs the fewest numbers.
    first = next(iter(regimes))
    if lacking := missing(regimes[first], start, limits, to_b):
        who, needs = "every regime" if len(regimes) > 1 else called(first), " and ".join(map(said, lacking))
        given = ", ".join(f"{name}={value:g}" for name, value in start._asdict().items() if value is not None)
        raise bad(f"{who} needs {needs} at the first budget", given, f"{said(lacking[0])}=... beside it")
    T = _budget(options["to"])
    schedule = options.get("schedule")
    schedule = schedule if schedule is None else _word("schedule", schedule, SCHEDULE_KINDS)
    return TransferProblem(start, alpha2, T, to_b, limits, bound, regimes, optimizer, constants, calibrate, schedule)


def limits_of(max_b: Any = None, max_eta: Any = None, round_b: Any = None, seq_len: Any = None) -> Limits:
    """Return limits as they are asked for, sizes in sequences where a length of those is given.

    Raises:
        ValueError: one is out of its range.
    """
    unit, eta = int(_number("seq_len", seq_len) or 1), _number("max_eta", max_eta)
    return Limits(_in_tokens("max_b", _number("max_b", max_b), unit), eta and float(eta), _rounding(round_b), unit)


def missing(
    tuned: tuple[str, ...], start: Setting, limits: Limits = NO_LIMITS, to_b: float | None = None
) -> tuple[str, ...]:
    """Return what a regime needs and ``start`` does not have; b, too, where it is given or limited."""
    about_b = to_b is not None or limits.b is not None or limits.round_b is not None
    needs = (*tuned, *(("b",) if about_b and "b" not in tuned else ()))
    return tuple(name for name in needs if getattr(start, name) is None)


def called(regime: str) -> str:
    """Return what a regime is called in a sentence."""
    return regime if regime == "SGD" else f"regime {regime}"


def said(name: str) -> str:
    """Return what people write for a hyperparameter: momentum is given as beta."""
    return "beta" if name == "alpha" else name


def _word(name: str, given: Any, known: tuple[str, ...]) -> str:
    """One of some words, in whatever case it is written."""
    for word in known:
        if isinstance(given, str) and given.lower() == word.lower():
            return word
    raise unknown(name, given, known)


def _start(given: Any, unit: int) -> tuple[Setting, float | None]:
    """The first setting, b in tokens, and 1 - beta2."""
    if not isinstance(given, Mapping):
        raise bad("a start is names and numbers", given, "{'eta': 3e-4, 'b': 524288, 'beta': 0.95, 'T': 2.5e9}, say")
    for name, value in given.items():
        _check_size(name, value)
    given = settings(given)
    check_keys("name in a start", given, NAMES)
    if "T" not in given:
        raise bad("a start has its token budget T", ", ".join(given), "T=2.5e9 beside it, say")
    own = {name: check_value(name, given[name]) for name in ("eta", "b", "alpha", "T") if name in given}
    b = _in_tokens("b", own.get("b"), unit)
    alpha2 = alpha_of(given["beta2"], "beta2") if "beta2" in given else None
    return Setting(own["T"], own.get("eta"), b, own.get("alpha")), alpha2


def _budget(to: Any) -> float:
    """The second budget, a number or {"T": number}."""
    if not isinstance(to, Mapping):
        _check_size("T", to)
        return check_value("T", to)
    to = settings(to)
    for name in to:
        if name in ("b", "eta"):
            instead = "to_b for a batch size that is given" if name == "b" else "max_eta for the largest one"
            raise bad("a transfer goes to a token budget T alone", name, f"T=1e12, say, and {instead}")
    check_keys("name in where a transfer goes", to, ("T",))
    if "T" not in to:
        raise bad("a transfer goes to a token budget T", "nothing", "T=1e12, say")
    return _budget(to["T"])


def _regimes(regime: str, optimizer: str, bound: Proxy | FunctionProxy | None) -> dict[str, tuple[str, ...]]:
    """The rows that were asked for: of a bound those whose variables it contains."""
    if optimizer == "sgd":
        if regime != "auto":
            raise bad("regimes A to D are the LMO methods'; SGD has one rule", regime, "regime auto, or optimizer lmo")
        return {"SGD": ("eta",)}
    has = TUNED["D"] if bound is None else bound.variables()
    rows: dict[str, tuple[str, ...]] = {}
    for name, tuned in TUNED.items():
        own = tuple(v for v in tuned if v in has)
        if own and own not in rows.values():  # without alpha, B is A again
            rows[name] = own
    more = [] if bound is None else [v for v in bound.space.hyperparameters if v in has and v not in TUNED["D"]]
    if bound is not None and more:
        rule = f"a transfer moves eta, b and alpha, and the bound {bound.name} depends on {', '.join(more)}, too"
        instead = f"{more[0]} as a constant of the bound; hpgrid exponents has its laws"
        raise bad(rule, ", ".join(more), instead)
    if not rows:
        raise bad("a transfer needs a bound with eta, b or alpha", ", ".join(has), "a bound that has one of them")
    if regime != "auto" and regime not in rows:
        raise bad(f"a bound in {', '.join(has)} has no {called(regime)}", regime, f"one of {', '.join(rows)}, or auto")
    return rows if regime == "auto" else {regime: rows[regime]}


def _constants(
    given: Any, calibrate: Any, optimizer: str, start: Setting, bound: Proxy | FunctionProxy | None
) -> dict[str, float] | None:
    """The constants that costs are computed with, where they are asked for at all."""
    if not isinstance(calibrate, bool):
        raise bad("calibrate is True or False", calibrate, "calibrate=True, say")
    if given is None and not calibrate:
        return None
    if given is not None and calibrate:
        raise bad("constants are given, or calibrated at the start", "both", "one of the two")
    if calibrate and bound is not None:
        raise bad("constants are calibrated for eq. (4)", bound.name, "values of its constants, or no bound")
    if optimizer != "lmo":
        raise bad("costs are of eq. (4), the LMO methods'", f"optimizer {optimizer}", "optimizer lmo, or no constants")
    needs = [name for name in TUNABLE if bound is None or name in bound.variables()]
    lacking = [said(name) for name in needs if getattr(start, name) is None]
    if lacking:
        *first, last = map(said, needs)
        listed = f"{', '.join(first)} and {last}" if first else last
        rule = f"what a choice costs needs {listed} at the first budget"
        raise bad(rule, f"no {' and no '.join(lacking)}", f"{lacking[0]}=... beside the others")
    if given is None:
        return None
    if not isinstance(given, Mapping) or not given:
        raise bad("constants are names and numbers", given, "{'C1': 1, 'C2': 30, 'C3': 4}, say")
    for name, value in given.items():
        _check_size(name, value)
    if bound is not None:
        return {**bound.with_constants(**given).constants}
    check_keys("constant of eq. (4)", given, BRIEF + PROBLEM)
    values = check_constants(given, BRIEF + PROBLEM)
    if set(values) <= set(BRIEF):
        return {name: values.get(name, 1.0) for name in BRIEF}
    if set(values) & set(BRIEF):
        raise bad("give C1, C2, C3 or Delta0, L, rho, sigma, not both", sorted(values), "one set of constants")
    # Source: Shulgin et al., the definitions before eq. (3).
    Delta0, L, rho, sigma = (values.get(name, 1.0) for name in PROBLEM)
    return {"C1": Delta0, "C2": 2 * rho * sigma, "C3": 4 * L}


#: Numbers that may be given: what each must be, in words and as a test, and an example.
_NUMBERS: dict[str, tuple[str, Callable[[Any], bool], str]] = {
    "seq_len": ("is a whole number, at least 1", lambda x: x % 1 == 0 and x >= 1, "4096"),
    "max_eta": ("must be a positive finite number", lambda x: x > 0, "1e-3"),
    **dict.fromkeys(("max_b", "to_b"), ("must be a finite number, at least 1", lambda x: x >= 1, "2097152")),
}


def _number(name: str, given: Any) -> Any:
    """A number of ``_NUMBERS``, or None."""
    if given is None:
        return None
    given = without_unit(given) if name != "max_eta" else given
    _check_size(name, given)
    rule, holds, example = _NUMBERS[name]
    if not is_number(given) or not holds(given):
        raise bad(f"{name} {rule}", given, f"{name}={example}, say")
    return given


def _in_tokens(name: str, b: Any, unit: int) -> float | None:
    """A batch size that was given in units, or None."""
    if b is None:
        return None
    if float(b) * unit > LARGEST:
        raise bad(f"{name} in tokens is at most {LARGEST:g}", "a larger number", "fewer, or shorter, sequences")
    return float(b) * unit


def _rounding(given: Any) -> str | int | None:
    """pow2, int, or a whole number, which a command line gives as text."""
    if given is None or (isinstance(given, str) and given in ("pow2", "int")):
        return given
    step = given
    if isinstance(given, str):
        try:
            step = float(without_unit(given))
        except ValueError:
            step = None
    _check_size("round_b", step)
    if not is_number(step) or step % 1 or step < 1:
        raise bad("round_b is pow2, int, or a whole number of which b is a multiple", given, "round_b=256, say")
    return int(step)


def _check_size(name: str, given: Any) -> None:
    """Refuse a number that is so large or so small that what is computed of it is none."""
    size: Any = abs(given) if isinstance(given, Real) else 0
    if not isinstance(size, Rational):  # a whole number may be too large for a float
        size = float(size)
    if 0 < size < math.inf and not SMALLEST <= size <= LARGEST:
        shown = "a larger number" if size > 1 else "a smaller number"
        raise bad(f"{name} is between {SMALLEST:.1e} and {LARGEST:g}, or 0", shown, f"{name} within that")
