"""What a critical batch size is asked for: a target at a learning rate and a momentum, checked without NumPy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from hpgrid.bounds.constants import Constants, check_form
from hpgrid.checks import alpha_of, bad, is_number, unknown
from hpgrid.variables import check_value

#: What a target can be about: the mean gradient norm, the mean Frank-Wolfe gap, the loss of a star-convex f.
MEASURES = ("gradient", "gap", "loss")


@dataclass(frozen=True)
class Goal:
    """The arguments of ``critical_batch``, which says what each is, checked; beta as alpha, the measure chosen."""

    eta: float
    alpha: float
    eps: float | None
    eps_prime: float | None
    problem: Constants
    form: str
    norm: str
    measure: str

    def as_dict(self) -> dict[str, Any]:
        """Return the arguments, the problem's constants among them."""
        # Flat, as the options are: what is printed knows no problem of its own.
        parts = (entry if name == "problem" else {name: entry} for name, entry in asdict(self).items())
        return {name: value for part in parts for name, value in part.items()}


def checked(options: Mapping[str, Any]) -> Goal:
    """Return the arguments of ``critical_batch`` as numbers.

    Raises:
        ValueError: one out of its range, no target or two, or a form that does not exist.
    """
    form, norm = options["form"], options["norm"]
    check_form(form, norm)
    eta = check_value("eta", options["eta"])
    problem = Constants(**{field.name: options[field.name] for field in fields(Constants)}).checked()
    if problem.lam * eta > 1:
        raise bad("the bounds hold for lam eta <= 1", problem.lam * eta, f"eta={1 / problem.lam:.3g} or less")
    if problem.kappa2 < problem.kappa1:
        pair = (problem.kappa1, problem.kappa2)
        raise bad("the norm equivalence needs kappa1 <= kappa2", pair, "the smaller one as kappa1")
    target, value = _one("the target is one of eps and eps' = eps - Z", "eps=0.5, say", options, "eps", "eps_prime")
    if not (is_number(value) and value > 0):
        raise bad(f"the target must satisfy {target} > 0", value, f"{target}=0.5, say")
    targets = {"eps": None, "eps_prime": None, target: float(value)}
    rule = "the momentum is one of beta and alpha = 1 - beta"
    momentum, value = _one(rule, "beta=0.95, say", options, "beta", "alpha")
    alpha = alpha_of(value) if momentum == "beta" else check_value("alpha", value)
    measure = _measure(options["measure"], form, problem.lam)
    return Goal(eta, alpha, **targets, problem=problem, form=form, norm=norm, measure=measure)


def _one(rule: str, instead: str, options: Mapping[str, Any], *names: str) -> tuple[str, Any]:
    """The one of two options that is given, and its value."""
    given = {name: options[name] for name in names if options[name] is not None}
    if len(given) != 1:
        raise bad(rule, given or "neither", instead)
    return given.popitem()


def _measure(measure: Any, form: str, lam: float) -> str:
    """What the target is about: with weight decay and revised the gap or the loss, else the gradient."""
    if measure is None:
        return "gap" if form == "revised" and lam > 0 else "gradient"
    if measure not in MEASURES:
        raise unknown("measure", measure, MEASURES)
    if measure == "gradient" and form == "revised" and lam > 0:
        raise bad("the revised gradient norm has no weight decay", lam, 'lam=0, or measure="gap" or "loss"')
    if measure != "gradient" and (form == "seed" or lam == 0):
        rule = f"the {measure} is bounded in the revised form with weight decay"
        raise bad(rule, {"form": form, "lam": lam}, 'form="revised", lam=0.1, say')
    return str(measure)
