"""``critical_batch``: the batch size that reaches a target in the fewest tokens, or why there is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from hpgrid.bounds import cesista2025 as bounds
from hpgrid.checks import bad
from hpgrid.critical import lmo, trivial
from hpgrid.critical.given import Given, check
from hpgrid.critical.lmo import Lmo
from hpgrid.critical.need import Array
from hpgrid.critical.reach import Reach, needed, reached
from hpgrid.critical.trivial import Level

FOUND, OUT_OF_REACH, VACUOUS = "found", "out of reach", "vacuous"


@dataclass(frozen=True)
class CriticalBatch:
    """The answer.

    Attributes:
        status: "found"; "out of reach": no number of iterations reaches the target at any batch size; "vacuous":
            the target is at or above what holds without training, so that the bound says nothing of it.
        why: the status in one line.
        b: the critical batch size, the one of the fewest tokens; None unless found.
        given: what was asked, with every default.
        eps: the target.
        eps_prime: the target less Z.
        X, Y, Z, Z_noise: the bound's parts; Z without its sigma/b^(1/2), which is Z_noise.
        trivial: what holds without training, each level with its reason.
        contradictions: where the constants are those of no problem.
        reach: what the bound gives; None where the target is out of reach, or asks for no iteration.
        lmo_tuned: the LMO bound's for the same target, eta tuned; None for another measure or norm.
        lmo_fixed: the same at this eta.
    """

    status: str
    why: str
    b: float | None
    given: Given
    eps: float
    eps_prime: float
    X: float
    Y: float
    Z: float
    Z_noise: float
    trivial: tuple[Level, ...]
    contradictions: tuple[str, ...]
    reach: Reach | None
    lmo_tuned: Lmo | None
    lmo_fixed: Lmo | None

    def iterations(self, b: ArrayLike) -> Array:
        """Return K(b), the iterations in which a batch size reaches the target; +inf where it never does."""
        asked = needed(self.given, bounds.Parts(self.X, self.Y, self.Z, self.Z_noise), self.eps_prime)
        return np.full(np.shape(b), np.inf) if asked is None else asked(b)

    def tokens(self, b: ArrayLike) -> Array:
        """Return b K(b), the tokens in which a batch size reaches the target."""
        return np.asarray(b, float) * self.iterations(b)

    def as_dict(self) -> dict[str, Any]:
        """Return the answer as plain data; what is infinite or missing is None."""
        return dict(_plain(self))

    def text(self) -> str:
        """Return the answer as text."""
        from hpgrid.critical.text import text

        return text(self)


def critical_batch(
    *,
    eta: float,
    beta: float | None = None,
    alpha: float | None = None,
    eps: float | None = None,
    eps_prime: float | None = None,
    lam: float = 0.0,
    sigma: float = 1.0,
    L: float = 1.0,
    D: float = 1.0,
    Delta0: float = 1.0,
    G0: float = 1.0,
    rho: float = 1.0,
    kappa1: float = 1.0,
    kappa2: float = 1.0,
    L_F: float | None = None,
    sigma_F: float | None = None,
    form: str = "seed",
    norm: str = "dual",
    measure: str | None = None,
) -> CriticalBatch:
    """Return the batch size that reaches a target in the fewest tokens, and what formulas say of it.

    Tokens are b K(b), where the bound at K(b) iterations is the target: X/K + Y/b + Z + Z_noise/b^(1/2) = eps
    in the first form; X/K + Y/b^(1/2) + Z in the revised ones, X (1 - lam eta)^K in place of X/K for the loss.

    Args:
        eta: learning rate, > 0, with lam eta <= 1.
        beta: momentum, in [0, 1).
        alpha: 1 - beta in its place, in (0, 1]: momenta next to 1 lose no digits.
        eps: the target, > 0.
        eps_prime: eps - Z in its place, > 0.
        lam: weight decay, >= 0.
        sigma: noise scale of a single sample's gradient, > 0.
        L: smoothness constant, > 0.
        D: smoothness of half the squared dual norm, > 0; 1 for an inner product's.
        Delta0: f(W0) - inf f, > 0.
        G0: the size of the gradient at the start, > 0.
        rho: norm equivalence of the LMO bound, >= 1, which takes sigma for the noise in the 2-norm.
        kappa1: norm equivalence, > 0; it enters in the Frobenius norm alone, as the next three.
        kappa2: norm equivalence, >= kappa1.
        L_F: smoothness constant in the Frobenius norm; L where None.
        sigma_F: noise scale there; sigma where None.
        form: "seed", the source's, or "revised".
        norm: "dual" or "frobenius", which the first form alone has.
        measure: what the target is about: "gradient", the mean gradient norm; with weight decay and revised
            "gap", the mean Frank-Wolfe gap, or "loss" of a star-convex f. None is the gap there, else the gradient.

    Raises:
        ValueError: an argument out of its range, no target or two, or a form that does not exist.

    Source: Cesista, Theorem 12 and its revised forms; Shulgin et al., Appendix D, for the LMO bound's.
    """
    given = check(locals())
    with np.errstate(all="ignore"):  # what overflows is out of reach
        return _answer(given)


def _answer(given: Given) -> CriticalBatch:
    parts = _parts(given)
    if given.eps is not None:
        target, room = given.eps, given.eps - parts.Z
    else:
        room = float(given.eps_prime or 0.0)
        target = parts.Z + room
    problem = {name: float(getattr(given, name)) for name in ("Delta0", "L", "G0", "lam", "kappa1")}
    levels = trivial.levels(given.measure, given.norm, problem)
    reach = reached(given, parts, room)
    status, why = _status(target, parts.Z, reach is not None, trivial.least(levels), given)
    tuned, fixed = _lmo(given, target)
    return CriticalBatch(
        status=status,
        why=why,
        b=reach.fewest.b if reach and status == FOUND else None,
        given=given,
        eps=target,
        eps_prime=room,
        X=parts.X,
        Y=parts.Y,
        Z=parts.Z,
        Z_noise=parts.Z_noise,
        trivial=levels,
        contradictions=trivial.contradictions(given.norm, problem),
        reach=reach,
        lmo_tuned=tuned,
        lmo_fixed=fixed,
    )


def _parts(given: Given) -> bounds.Parts:
    """The bound taken apart."""
    own: dict[str, Any] = {name: np.float64(value) for name, value in given.problem().items()}
    if given.measure == "gradient":
        parts = bounds.parts(**own, **given.frobenius(), form=given.form, norm=given.norm)
    else:
        parts = (bounds.gap_parts if given.measure == "gap" else bounds.loss_parts)(**own)
    if not np.isfinite(parts).all():
        raise bad("the bound's parts X, Y, Z must be numbers", tuple(map(float, parts)), "less extreme constants")
    return bounds.Parts(*map(float, parts))


def _status(target: float, Z: float, reached: bool, least: Level, given: Given) -> tuple[str, str]:
    """What is to be said of a target, and why; of two reasons that it says nothing, the one that holds for any b."""
    trivially, above = f"{least.text} = {least.value:.6g}", f"Z = {Z:.6g}"
    beyond = f"is not above {above}, which neither iterations nor batch size remove"
    if target >= least.value:
        what = {"gradient": "mean gradient norm", "gap": "mean Frank-Wolfe gap", "loss": "loss"}[given.measure]
        holds = f"eps = {target:.6g} is not below {trivially}, which the {what} does not exceed {least.why}"
        return VACUOUS, f"{holds}: no training is needed, and the bound says nothing" + (
            f" (and does not reach it: eps {beyond})" if target <= Z else ""
        )
    if given.eps_prime is None and target <= Z:
        return OUT_OF_REACH, f"eps = {target:.6g} {beyond}"
    if not reached:
        return OUT_OF_REACH, f"eps = {target:.6g} is so close to {above} that no number is as large as the tokens"
    return FOUND, f"eps = {target:.6g} is between {above} and what holds trivially, {trivially}"


def _lmo(given: Given, target: float) -> tuple[Lmo | None, Lmo | None]:
    """The LMO bound's answers to the same target; it is about the gradient in the dual norm."""
    if given.measure != "gradient" or given.norm != "dual":
        return None, None
    own = {name: float(getattr(given, name)) for name in ("Delta0", "L", "sigma", "rho")}
    answers = lmo.eta_tuned(given.alpha, target, **own), lmo.eta_fixed(given.alpha, target, given.eta, **own)
    at_start = min(given.G0, float(np.sqrt(2 * given.L * given.Delta0)))
    tuned, fixed = (found._replace(vacuous=target >= at_start) for found in answers)
    return tuned, fixed


def _plain(value: Any) -> Any:
    """A value as JSON has it."""
    if hasattr(value, "_fields") or is_dataclass(value):
        names = getattr(value, "_fields", None) or [field.name for field in fields(value)]
        return {name: _plain(getattr(value, name)) for name in names}
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value
