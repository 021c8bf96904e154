"""What a critical batch size is asked for, checked without loading NumPy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hpgrid.checks import bad, check_constants, check_value, is_number, unknown

FORMS = ("seed", "revised")
NORMS = ("dual", "frobenius")

#: What a target can be about: the mean gradient norm, the mean Frank-Wolfe gap, the loss of a star-convex f.
MEASURES = ("gradient", "gap", "loss")

_POSITIVE = ("sigma", "L", "D", "Delta0", "G0", "rho", "kappa1", "kappa2")


@dataclass(frozen=True)
class Given:
    """The arguments of ``critical_batch``, which says what each is, checked; beta as alpha, the measure chosen."""

    eta: float
    alpha: float
    eps: float | None
    eps_prime: float | None
    lam: float
    sigma: float
    L: float
    D: float
    Delta0: float
    G0: float
    rho: float
    kappa1: float
    kappa2: float
    L_F: float | None
    sigma_F: float | None
    form: str
    norm: str
    measure: str

    def problem(self) -> dict[str, float]:
        """Return what every bound takes."""
        return {name: getattr(self, name) for name in ("eta", "alpha", "lam", "Delta0", "L", "sigma", "D", "G0")}

    def frobenius(self) -> dict[str, float | None]:
        """Return what the Frobenius norm takes."""
        return {name: getattr(self, name) for name in ("kappa1", "kappa2", "L_F", "sigma_F")}


def check(given: Mapping[str, Any]) -> Given:
    """Return the arguments of ``critical_batch`` as numbers.

    Raises:
        ValueError: one out of its range, no target or two, or a form that does not exist.
    """
    for name, known in (("form", FORMS), ("norm", NORMS)):
        if given[name] not in known:
            raise unknown(name, given[name], known)
    eta, lam = check_value("eta", given["eta"]), given["lam"]
    if not (is_number(lam) and lam >= 0):
        raise bad("the weight decay lam must satisfy lam >= 0", lam, "lam=0.1, say")
    if lam * eta > 1:
        raise bad("the bounds hold for lam eta <= 1", lam * eta, f"eta={1 / lam:.3g} or less")
    numbers = check_constants({name: given[name] for name in _POSITIVE})
    own: dict[str, float | None] = {"L_F": None, "sigma_F": None}
    own |= check_constants({name: given[name] for name in own if given[name] is not None})
    if numbers["kappa2"] < numbers["kappa1"]:
        pair = (numbers["kappa1"], numbers["kappa2"])
        raise bad("the norm equivalence needs kappa1 <= kappa2", pair, "the smaller one as kappa1")
    eps, eps_prime = _target(given["eps"], given["eps_prime"])
    return Given(
        eta=eta,
        alpha=_alpha(given["beta"], given["alpha"]),
        eps=eps,
        eps_prime=eps_prime,
        lam=float(lam),
        **numbers,
        L_F=own["L_F"],
        sigma_F=own["sigma_F"],
        form=given["form"],
        norm=given["norm"],
        measure=_measure(given["measure"], given["form"], given["norm"], lam),
    )


def _alpha(beta: Any, alpha: Any) -> float:
    if (beta is None) == (alpha is None):
        said = "neither" if beta is None else {"beta": beta, "alpha": alpha}
        raise bad("the momentum is one of beta and alpha = 1 - beta", said, "beta=0.95, say")
    if alpha is not None:
        return check_value("alpha", alpha)
    if not (is_number(beta) and 0 <= beta < 1):
        raise bad("the momentum must satisfy 0 <= beta < 1", beta, "beta=0.95, say, or alpha=1e-20 next to 1")
    return 1.0 - float(beta)


def _target(eps: Any, eps_prime: Any) -> tuple[float | None, float | None]:
    if (eps is None) == (eps_prime is None):
        said = "neither" if eps is None else {"eps": eps, "eps_prime": eps_prime}
        raise bad("the target is one of eps and eps' = eps - Z", said, "eps=0.5, say")
    name, value = ("eps", eps) if eps is not None else ("eps_prime", eps_prime)
    if not (is_number(value) and value > 0):
        raise bad(f"the target must satisfy {name} > 0", value, f"{name}=0.5, say")
    return (float(value), None) if name == "eps" else (None, float(value))


def _measure(measure: Any, form: str, norm: str, lam: float) -> str:
    """What the target is about: with weight decay and revised the gap or the loss, else the gradient."""
    if form == "revised" and norm != "dual":
        raise bad("the revised forms are stated in the dual norm", norm, 'norm="dual", or form="seed"')
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
