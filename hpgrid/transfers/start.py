"""What a transfer starts from, where it goes and what is feasible there: each argument is asked once, here.

Nothing here loads NumPy, so that a mistake on the command line is answered at once.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from numbers import Rational, Real
from typing import Any, NamedTuple, Self

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
from hpgrid.proxy import FunctionProxy, Proxy, check_bound
from hpgrid.regime import FrozenMap, Regime
from hpgrid.variables import STANDARD, Space, Variable, ends_of, settings

#: A row of a transfer: the regime's name, and what was tuned at the first budget; the rest is held. Of these, a bound
#: has the rows whose variables it contains; one of other variables has rows of its own, by number.
TUNED = {"A": ("eta",), "B": ("eta", "alpha"), "C": ("eta", "b"), "D": ("eta", "b", "alpha")}

REGIMES = (*TUNED, "auto")
OPTIMIZERS = ("lmo", "sgd")  # NORMS has who is one of lmo's

#: What a start is made of; beta2 is Adam's second moment, which no rule of the tables knows.
NAMES = ("eta", "b", "beta", "alpha", "beta2", "T")

#: The constants of eq. (4), brief and as the problem has them; one that is not given is 1.
BRIEF, PROBLEM = ("C1", "C2", "C3"), ("Delta0", "L", "rho", "sigma")

#: The smallest and the largest number that is taken: products of two or three that lie beyond leave the floats.
SMALLEST, LARGEST = sys.float_info.min, 1e300


class Setting:
    """Hyperparameters at a budget, those that are known; of the others each is None.

    Args:
        T: the budget, >= 1: tokens, unless the bound is asked about another one.
        eta: the learning rate, > 0.
        b: the batch size in tokens, >= 1.
        alpha: the momentum complement 1 - beta, in (0, 1].
        others: what else the bound declares.
    """

    __slots__ = ("T", "values")

    def __init__(self, T: float, eta: Any = None, b: Any = None, alpha: Any = None, **others: Any) -> None:
        self.T = T
        given = {"eta": eta, "b": b, "alpha": alpha, **others}
        self.values = {name: value for name, value in given.items() if value is not None}

    def __getitem__(self, name: str) -> Any:
        return self.values.get(name)

    @property
    def eta(self) -> Any:
        """The learning rate."""
        return self["eta"]

    @property
    def b(self) -> Any:
        """The batch size."""
        return self["b"]

    @property
    def alpha(self) -> Any:
        """The momentum complement."""
        return self["alpha"]

    @property
    def beta(self) -> float | None:
        """1 - alpha, to read; compute with alpha."""
        return None if self.alpha is None else 1 - self.alpha

    @property
    def K(self) -> float | None:
        """The number of iterations T/b."""
        return None if self.b is None else self.T / self.b

    def with_values(self, T: float | None = None, **values: float | None) -> Self:
        """Return the setting with other values, None for what is no longer known, or at another budget."""
        return type(self)(self.T if T is None else T, **{**self.values, **values})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Setting) and (self.T, self.values) == (other.T, other.values)

    def __hash__(self) -> int:
        return hash((self.T, FrozenMap(self.values)))

    def __repr__(self) -> str:
        return f"Setting({', '.join(f'{name}={value!r}' for name, value in {'T': self.T, **self.values}.items())})"


class Limits(NamedTuple):
    """What is feasible at the new budget."""

    b: float | None = None  # the largest batch size in tokens, or None
    eta: float | None = None  # the largest learning rate, or None
    # "pow2", "int", or a whole number of which b is a multiple, in units of ``unit``; None rounds nothing
    round_b: str | int | None = None
    unit: int = 1  # tokens in one unit of the batch size: the sequence length, or 1
    caps: Mapping[str, float] = FrozenMap()  # the largest values of others
    floors: Mapping[str, float] = FrozenMap()  # the smallest values

    def ends(self, of: Variable) -> tuple[float, float]:
        """Return the smallest and the largest value that a variable may have."""
        low = max(of.least, self.floors.get(of.name, 0.0), float(self.unit) if of.name == "b" else 0.0)
        caps = {**self.caps, "b": self.b, "eta": self.eta}
        return low, min(of.most, caps.get(of.name) or math.inf)


NO_LIMITS = Limits()


@dataclass(frozen=True)
class TransferProblem:
    """The arguments of ``transfer``, checked: b in tokens, beta as alpha."""

    start: Setting  # the best setting at the first budget
    alpha2: float | None  # 1 - beta2 there, or None
    T: float  # the second budget
    given: Mapping[str, float]  # what was given there; a batch size in tokens
    limits: Limits  # what is feasible there
    # the posynomial, generalised or not, in the budget of the start; None for eq. (4), or SGD's with that optimizer
    bound: Proxy | FunctionProxy | None
    regimes: Mapping[str, tuple[str, ...]]  # the rows that were asked for, and what each tuned
    optimizer: str  # "lmo" or "sgd"
    constants: Mapping[str, float] | None  # the bound's, where costs are asked for; of eq. (4) C1, C2, C3. Else None
    calibrate: bool  # whether to find them from the start
    schedule: str | None  # of the learning rate, "constant" or "decay", where it was said

    @property
    def to_b(self) -> float | None:
        """The batch size at the second budget in tokens, where it was given."""
        return self.given.get("b")


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
    bound, constants, calibrate = options.get("bound"), options["constants"], options["calibrate"]
    if bound is not None:
        if isinstance(bound, FunctionProxy) and (bound.obstacle or bound.root is None):
            why = bound.obstacle or "this one is a function"
            rule = f"a transfer reads its rules off a sum of powers, or of maxima and roots of such; {why}"
            raise bad(rule, bound.name, "hpgrid search, or refine, for it")
        check_bound(bound)
        if optimizer != "lmo":
            raise bad("a transfer has one bound", f"optimizer {optimizer} and {bound.name}", "one of the two")
    space = STANDARD if bound is None else bound.space
    asked = {n: options.get(n) for n in ("max_b", "max_eta", "round_b", "seq_len", "caps", "floors")}
    limits = limits_of(**asked, space=space)
    start, alpha2, budget = _start(options["start"], limits.unit, space)
    to_b = _in_tokens("to_b", _number("to_b", options["to_b"]), limits.unit)
    if to_b is not None and (to_b / limits.unit) % 1:
        above = math.ceil(to_b / limits.unit)
        nearest = above if limits.b is None or above * limits.unit <= limits.b else above - 1
        raise bad("to_b is a whole number", to_b / limits.unit, f"to_b={nearest}, say")
    if bound is not None:
        bound = bound.form(budget)
        if constants is None and not calibrate and all(start[v] is not None for v in bound.hyperparameters()):
            # Constants that are all 1 are those of a bound of which none was set.
            constants = {**bound.constants} if any(x != 1 for x in bound.constants.values()) else None
        # Eq. (4), in either set of constants, is the bound that there is where none is given.
        eq_4 = (bounds.lmo().terms, bounds.lmo(Delta0=1.0, L=1.0, rho=1.0, sigma=1.0).terms)
        if isinstance(bound, Proxy) and bound.terms in eq_4 and not bound.domain:
            constants = bound.with_constants(**constants).constants if isinstance(constants, Mapping) else constants
            bound = None
    if bound is not None:
        # Where it holds is a limit as others are, as far as that is an end of one variable.
        caps = dict(bound.caps)
        b, eta = (min((x for x in (own, caps.pop(v, None)) if x is not None), default=None)
                  for v, own in (("b", limits.b), ("eta", limits.eta)))  # fmt: skip
        caps = {v: min(cap, limits.caps.get(v, cap)) for v, cap in caps.items()}
        limits = limits._replace(b=b, eta=eta, caps=FrozenMap({**limits.caps, **caps}))
    for name in limits.floors:
        low, high = limits.ends(space.all[name])
        if low > high:
            raise bad(f"the smallest {name} is below the largest", f"{low:g} and {high:g}", "a floor below the cap")
    regimes = _regimes(options["regime"], optimizer, bound)
    T, given = _budget(options["to"], budget, bound)
    given |= {} if to_b is None else {"b": to_b}
    has = TUNED["D"] if bound is None else bound.variables()
    for name in (*given, *limits.caps, *limits.floors):
        if name not in has and bound is not None:
            raise bad(f"the bound {bound.name} does not depend on {name}", name, f"{has[0]}, say")
    constants = _constants(constants, calibrate, optimizer, start, bound)
    # Of several regimes the first needs the fewest numbers.
    first = next(iter(regimes))
    if lacking := missing(regimes[first], start, limits, given):
        who, needs = "every regime" if len(regimes) > 1 else called(first), " and ".join(map(said, lacking))
        shown = ", ".join(f"{name}={value:g}" for name, value in {budget: start.T, **start.values}.items())
        raise bad(f"{who} needs {needs} at the first budget", shown, f"{said(lacking[0])}=... beside it")
    schedule = options.get("schedule")
    schedule = schedule if schedule is None else _word("schedule", schedule, SCHEDULE_KINDS)
    return TransferProblem(start, alpha2, T, given, limits, bound, regimes, optimizer, constants, calibrate, schedule)


def limits_of(
    max_b: Any = None, max_eta: Any = None, round_b: Any = None, seq_len: Any = None,
    caps: Any = None, floors: Any = None, space: Space = STANDARD,
) -> Limits:  # fmt: skip
    """Return limits as they are asked for, sizes in sequences where a length of those is given.

    Raises:
        ValueError: one is out of its range, or given twice.
    """
    unit = int(_number("seq_len", seq_len) or 1)
    floors, caps = ends_of(floors or {}, caps or {}, space)
    most = dict(Regime(caps=caps, space=space).caps)
    for name, other in (("max_b", max_b), ("max_eta", max_eta)):
        if other is not None and name[4:] in most:
            raise bad(f"the largest {name[4:]} is given once", f"{name} and a cap", "one of the two")
    b = _in_tokens("max_b", _number("max_b", most.pop("b", max_b)), unit)
    eta = _number("max_eta", most.pop("eta", max_eta))
    least = {v.name: v.low for v in space.with_floors(floors).tunable if v.name in floors}
    if "b" in least:
        least["b"] = _in_tokens("b", least["b"], unit) or 1.0
    # What counts something has whole ends.
    most = {v: math.floor(x) if space.all[v].whole else x for v, x in most.items()}
    least = {v: math.ceil(x) if space.all[v].whole else x for v, x in least.items()}
    return Limits(b, eta and float(eta), _rounding(round_b), unit, FrozenMap(most), FrozenMap(least))


def missing(
    tuned: tuple[str, ...], start: Setting, limits: Limits = NO_LIMITS, given: Collection[str] = ()
) -> tuple[str, ...]:
    """Return what a regime needs and ``start`` does not have; what is given or limited, too."""
    b = ("b",) if "b" in given or limits.b is not None or limits.round_b is not None else ()
    return tuple(v for v in dict.fromkeys((*tuned, *b, *given, *limits.caps, *limits.floors)) if start[v] is None)


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


def _start(given: Any, unit: int, space: Space) -> tuple[Setting, float | None, str]:
    """The first setting, b in tokens, 1 - beta2, and the budget that it is at."""
    if not isinstance(given, Mapping):
        raise bad("a start is names and numbers", given, "{'eta': 3e-4, 'b': 524288, 'beta': 0.95, 'T': 2.5e9}, say")
    for name, value in given.items():
        _check_size(name, value)
    given = settings(given, space)
    check_keys("name in a start", given, NAMES if space == STANDARD else dict.fromkeys((*space.words, "beta2")))
    budgets = [name for name in space.budget_names if name in given]
    if len(budgets) != 1:
        named = "token budget T" if space == STANDARD else f"budget, {' or '.join(space.budget_names)}"
        raise bad(f"a start has its {named}", ", ".join(given), f"{space.budget_names[0]}=2.5e9 beside it, say")
    own = {name: space.given(name, given[name]) for name in space.names if name in given}
    if "b" in own:
        own["b"] = _in_tokens("b", own["b"], unit) or 0.0
    alpha2 = alpha_of(given["beta2"], "beta2") if "beta2" in given and "beta2" not in space.words else None
    return Setting(own.pop(budgets[0]), **own), alpha2, budgets[0]


def _budget(to: Any, budget: str, bound: Proxy | FunctionProxy | None) -> tuple[float, dict[str, float]]:
    """The second budget, a number or {"T": number}, and what else is given there."""
    space = STANDARD if bound is None else bound.space
    if not isinstance(to, Mapping):
        _check_size(budget, to)
        return space.given(budget, to), {}
    to = settings(to, space)
    for name in to:
        if name in ("b", "eta"):
            instead = "to_b for a batch size that is given" if name == "b" else "max_eta for the largest one"
            kind = "token budget" if budget == "T" else "budget"
            raise bad(f"a transfer goes to a {kind} {budget} alone", name, f"{budget}=1e12, say, and {instead}")
    others = [v for v in space.hyperparameters if v not in STANDARD.hyperparameters]
    check_keys("name in where a transfer goes", to, (budget, *others))
    if budget not in to:
        raise bad(f"a transfer goes to a {'token ' * (budget == 'T')}budget {budget}", "nothing", f"{budget}=1e12, say")
    for name, value in to.items():
        _check_size(name, value)
    given = {name: space.given(name, value) for name, value in to.items()}
    return given.pop(budget), given


def _regimes(asked: Any, optimizer: str, bound: Proxy | FunctionProxy | None) -> dict[str, tuple[str, ...]]:
    """The rows that were asked for: of a bound those whose variables it contains."""
    if optimizer == "sgd":
        if _word("regime", asked, REGIMES) != "auto":
            raise bad("regimes A to D are the LMO methods'; SGD has one rule", asked, "regime auto, or optimizer lmo")
        return {"SGD": ("eta",)}
    space = STANDARD if bound is None else bound.space
    has = STANDARD.hyperparameters if bound is None else bound.hyperparameters()
    rows: dict[str, tuple[str, ...]] = {}
    if set(has) <= set(TUNED["D"]):
        for name, tuned in TUNED.items():
            own = tuple(v for v in tuned if v in has)
            if own and own not in rows.values():  # without alpha, B is A again
                rows[name] = own
    else:
        # As those: the first alone, with each other one, and all of them.
        sets = dict.fromkeys(((has[0],), *((has[0], v) for v in has[1:]), has))
        rows = {str(k): each for k, each in enumerate(sets, 1)}
    if not rows:
        assert bound is not None
        rule = f"a transfer needs a bound with {', '.join(space.hyperparameters[:-1])} or {space.hyperparameters[-1]}"
        raise bad(rule, ", ".join(bound.variables()), "a bound that has one of them")
    if isinstance(asked, str) and all(v.strip() in space.words for v in asked.split(",")):
        tuned = Regime(tuple(v.strip() for v in asked.split(",")), space=space).tuned
        if set(tuned) <= set(has):
            return {next((name for name, own in rows.items() if own == tuned), "+".join(tuned)): tuned}
    regime = _word("regime", asked, (*rows, "auto") if rows.keys() - TUNED.keys() else REGIMES)
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
    needs = STANDARD.hyperparameters if bound is None else bound.hyperparameters()
    lacking = [said(name) for name in needs if start[name] is None]
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
