"""``critical_batch``: the batch size that reaches a target in the fewest tokens, or why there is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from hpgrid.bounds import cesista2025 as bounds
from hpgrid.critical import lmo, solve, trivial
from hpgrid.critical.given import Given, check
from hpgrid.critical.lmo import Lmo
from hpgrid.critical.need import Array, Iterations, logarithmic, one_over, split
from hpgrid.critical.solve import Point, Shape
from hpgrid.critical.trivial import Level
from hpgrid.errors import bad
from hpgrid.theory import critical_batch as theory

FOUND, OUT_OF_REACH, VACUOUS = "found", "out of reach", "vacuous"

#: How much more than the fewest tokens still counts as near.
NEAR = (0.01, 0.05, 0.20)


class Formula(NamedTuple):
    """A formula's batch size, what it takes there (at b = 1 where it is below), and how far that is off.

    Attributes:
        what: the formula, and how its Z is read.
        at: the batch size, iterations and tokens; +inf where it never reaches the target.
        over_fewest: its tokens over the fewest.
    """

    what: str
    at: Point
    over_fewest: float


class Reach(NamedTuple):
    """What a bound gives for a target, by each route; whether it is an answer the status says.

    Attributes:
        fewest: where tokens are fewest, among b >= 1: found numerically, log b to ``solve.FLAT``.
        closed: the same minimiser in closed form, over b > 0.
        on_grid: the same by brute force, log b to ``step``.
        step: that grid's step in log b.
        on_bound: whether the minimum lies below b = 1, so that 1 is best.
        smallest: the batch size above which the target is reached at all; it may be below 1.
        formulas: what the source's formula gives.
        near: for a share such as 0.01, the batch sizes within it of the fewest tokens.
        shape: how iterations and tokens run with b.
    """

    fewest: Point
    closed: float
    on_grid: Point
    step: float
    on_bound: bool
    smallest: float
    formulas: tuple[Formula, ...]
    near: Mapping[float, tuple[float, float]]
    shape: Shape


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
        needed = _needed(self.given, bounds.Parts(self.X, self.Y, self.Z, self.Z_noise), self.eps_prime)
        return np.full(np.shape(b), np.inf) if needed is None else needed(b)

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
        rho: norm equivalence of the LMO bound, >= 1; it enters there alone.
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
    room = given.eps - parts.Z if given.eps is not None else float(given.eps_prime or 0.0)
    target = parts.Z + room
    problem = {name: float(getattr(given, name)) for name in ("Delta0", "L", "G0", "lam", "kappa1")}
    levels = trivial.levels(given.measure, given.norm, problem)
    reach = _reach(given, parts, room)
    status, why = _status(target, room, reach is not None, trivial.least(levels), given)
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


def _status(target: float, room: float, reached: bool, least: Level, given: Given) -> tuple[str, str]:
    """What is to be said of a target, and why; of two reasons that it says nothing, the one that holds for any b."""
    what = {"gradient": "mean gradient norm", "gap": "mean Frank-Wolfe gap", "loss": "loss"}[given.measure]
    if target >= least.value:
        return VACUOUS, (
            f"eps = {target:.6g} is not below {least.text} = {least.value:.6g}, which the {what} keeps {least.why}: "
            "no training is needed, and the bound says nothing"
        )
    Z = f"Z = {target - room:.6g}"
    if room <= 0:
        return OUT_OF_REACH, f"eps = {target:.6g} is not above {Z}, which neither iterations nor batch size remove"
    if not reached:
        return OUT_OF_REACH, f"eps = {target:.6g} is so close to {Z} that no number is as large as the tokens"
    trivially = f"{least.text} = {least.value:.6g}"
    return FOUND, f"eps = {target:.6g} is between {Z} and what holds trivially, {trivially}"


def _needed(given: Given, parts: bounds.Parts, room: float) -> Iterations | None:
    """K(b); None where the target is out of reach, or asks the loss for no iteration or for one."""
    if room <= 0:
        return None
    if given.measure != "loss":
        return one_over(parts, given.form, room)
    rate = given.lam * given.eta
    return logarithmic(parts, room, rate) if room < parts.X and rate < 1 else None


def _reach(given: Given, parts: bounds.Parts, room: float) -> Reach | None:
    """What the bound gives for a target."""
    iterations = _needed(given, parts, room)
    smallest = None if iterations is None else solve.smallest(iterations)
    if iterations is None or smallest is None:
        return None
    best = solve.fewest(iterations, smallest)
    if not np.isfinite(best.tokens):
        return None
    on_grid, step = solve.on_grid(iterations, smallest)
    return Reach(
        fewest=best,
        closed=_closed(given, parts, room),
        on_grid=on_grid,
        step=step,
        on_bound=best.b == 1.0,
        smallest=smallest,
        formulas=tuple(_formula(what, b, iterations, best) for what, b in _formulas(given, parts, room)),
        near={share: solve.near(iterations, best, smallest, share) for share in NEAR},
        shape=solve.shape(iterations, smallest),
    )


def _closed(given: Given, parts: bounds.Parts, room: float) -> float:
    """The minimiser in closed form, over b > 0."""
    if given.measure == "loss":
        return float(theory.star_convex(parts.X, parts.Y, room))
    return float(theory.fewest_tokens(*split(parts, given.form), room))


def _formulas(given: Given, parts: bounds.Parts, room: float) -> list[tuple[str, float]]:
    """The source's formula for the form at hand, in each reading of its Z."""
    if given.measure == "loss":
        return []
    if given.form == "revised":
        return [("9 Y^2/(4 eps'^2)", float(theory.revised(parts.Y, room)))]
    return [
        ("2 Y/eps', Z at b -> inf", float(theory.printed(parts.Y, room))),
        ("2 Y/eps', Z at this b", float(theory.self_consistent(parts.Y, parts.Z_noise, room))),
    ]


def _formula(what: str, b: float, iterations: Iterations, best: Point) -> Formula:
    at = solve.point(iterations, max(b, 1.0))
    return Formula(what, Point(b, at.K, at.tokens), at.tokens / best.tokens)


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
