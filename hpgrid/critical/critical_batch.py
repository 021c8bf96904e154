"""``critical_batch``: the batch size that reaches a target in the fewest tokens, or why there is none.

What holds without any training, the trivial bounds, decides whether a target says anything. By smoothness alone, with
weight decay or without: a step of length t against the gradient loses at least t ||grad f|| - L t^2/2, and the best
of them ||grad f||^2/(2 L), which is at most f(W_0) - inf f = Delta0. So ||grad f(W_0)|| <= (2 L Delta0)^(1/2). With
weight decay weights and a minimiser lie in the ball of radius 1/lam (Proposition 9), 2/lam apart:
||grad f|| <= L ||W - W*|| <= 2 L/lam, f(W) - f* <= L ||W - W*||^2/2 <= 2 L/lam^2, and the Frank-Wolfe gap, the most
that <grad f, W - V> is over V in the ball, is <= ||grad f|| 2/lam <= 4 L/lam^2. A star-convex f has
f(W_0) - f* <= <grad f(W_0), W_0 - W*> <= G0 2/lam.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from hpgrid.answer import Answer, Pictured, Result
from hpgrid.bounds import cesista2025 as bounds
from hpgrid.bounds.cesista2025 import Parts
from hpgrid.bounds.constants import Constants
from hpgrid.checks import bad
from hpgrid.critical import tokens
from hpgrid.critical.goal import Goal, checked
from hpgrid.critical.tokens import Array, Iterations, Lmo, Point, Shape, coefficients
from hpgrid.theory import batch_sizes as theory

FOUND, OUT_OF_REACH, VACUOUS = "found", "out of reach", "vacuous"

#: How much more than the fewest tokens still counts as near.
NEAR = (0.01, 0.05, 0.20)


class Trivial(NamedTuple):
    """A trivial bound: its value, how it is written, and why it holds."""

    value: float
    text: str
    why: str


class Formula(NamedTuple):
    """A formula's batch size, what it takes there (at b = 1 where it is below), and how far that is off."""

    what: str  # the formula, and how its Z is read
    at: Point  # the batch size, iterations and tokens; +inf where it never reaches the target
    over_fewest: float  # its tokens over the fewest


class Reach(NamedTuple):
    """What a bound gives for a target, by each route; whether it is an answer the status says."""

    fewest: Point  # where tokens are fewest, among b >= 1: found numerically, log b to ``tokens.FLAT``
    closed: float  # the same minimiser in closed form, over b > 0
    on_grid: Point  # the same by brute force, log b to ``step``
    step: float  # that grid's step in log b
    on_bound: bool  # whether the minimum lies below b = 1, so that 1 is best
    smallest: float  # the batch size above which the target is reached at all; it may be below 1
    formulas: tuple[Formula, ...]  # what the source's formula gives
    # for a share such as 0.01, the batch sizes within it of the fewest tokens
    near: Mapping[float, tuple[float, float]]
    shape: Shape  # how iterations and tokens run with b


@dataclass(frozen=True, repr=False)
class CriticalBatch(Result, Pictured):
    """The answer; its panels are "tokens" and "iterations", against the batch size."""

    pictures = "hpgrid.critical.picture"

    # "found"; "out of reach": no number of iterations reaches the target at any batch size; "vacuous": the target is
    # at or above what holds without training, so that the bound says nothing of it
    status: str
    why: str  # the status in one line
    b: float | None  # the critical batch size, the one of the fewest tokens; None unless found
    given: Goal  # what was asked, with every default
    eps: float  # the target
    eps_prime: float  # the target less Z
    X: float  # the bound's parts; Z without its sigma/b^(1/2), which is Z_noise
    Y: float
    Z: float
    Z_noise: float
    trivial: tuple[Trivial, ...]  # what holds without training, each bound with its reason
    contradictions: tuple[str, ...]  # where the constants are those of no problem
    reach: Reach | None  # what the bound gives; None where the target is out of reach, or asks for no iteration
    lmo_tuned: Lmo | None  # the LMO bound's for the same target, eta tuned; None for another measure or norm
    lmo_fixed: Lmo | None  # the same at this eta

    @property
    def parts(self) -> Parts:
        """The bound taken apart."""
        return Parts(self.X, self.Y, self.Z, self.Z_noise)

    def iterations(self, b: ArrayLike) -> Array:
        """Return K(b), the iterations in which a batch size reaches the target; +inf where it never does."""
        needed = _iterations(self.given, self.parts, self.eps_prime)
        return np.full(np.shape(b), np.inf) if needed is None else needed(b)

    def tokens(self, b: ArrayLike) -> Array:
        """Return b K(b), the tokens in which a batch size reaches the target."""
        return np.asarray(b, float) * self.iterations(b)

    def as_dict(self) -> dict[str, Any]:
        """Return the answer as plain data; what is infinite or missing is None."""
        from hpgrid.record import plain

        own = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return dict(plain({**own, "given": self.given.as_dict()}))

    def answer(self) -> Answer:
        """Return what it says: the batch size, or why there is none."""
        from hpgrid.critical.report import answer

        return answer(self)


@np.errstate(all="ignore")  # what overflows is out of reach
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
        lam, sigma, L, D, Delta0, G0, rho, kappa1, kappa2, L_F, sigma_F: the problem's constants, each as
            ``Constants`` says.
        form: "seed", the source's, or "revised".
        norm: "dual" or "frobenius", which the first form alone has.
        measure: what the target is about: "gradient", the mean gradient norm; with weight decay and revised
            "gap", the mean Frank-Wolfe gap, or "loss" of a star-convex f. None is the gap there, else the gradient.

    Raises:
        ValueError: an argument out of its range, no target or two, or a form that does not exist.

    Source: Cesista, Theorem 12 and its revised forms; Shulgin et al., Appendix D, for the LMO bound's.
    """
    goal = _in_numpy(checked(locals()))
    parts, problem = _parts(goal), goal.problem
    target = parts.Z + (goal.eps_prime or 0.0) if goal.eps is None else goal.eps
    eps_prime = (goal.eps_prime or 0.0) if goal.eps is None else goal.eps - parts.Z
    trivial = trivial_bounds(goal.measure, goal.norm, problem)
    # Asked even of a vacuous target: what the bound would give is shown apart.
    reach = _reach(goal, parts, eps_prime)
    status, why = _status(target, parts.Z, reach is not None, lowest(trivial), goal)
    tuned, fixed = None, None
    if goal.measure == "gradient" and goal.norm == "dual":  # what the LMO bound is about
        vacuous = target >= min(problem.G0, float(np.sqrt(2 * problem.L * problem.Delta0)))
        tuned = tokens.lmo_eta_tuned(goal.alpha, target, problem)._replace(vacuous=vacuous)
        fixed = tokens.lmo_eta_fixed(goal.alpha, target, goal.eta, problem)._replace(vacuous=vacuous)
    return CriticalBatch(
        status=status,
        why=why,
        b=reach.fewest.b if reach and status == FOUND else None,
        given=goal,
        eps=target,
        eps_prime=eps_prime,
        **parts._asdict(),
        trivial=trivial,
        contradictions=contradictions(goal.norm, problem),
        reach=reach,
        lmo_tuned=tuned,
        lmo_fixed=fixed,
    )


def _in_numpy(goal: Goal) -> Goal:
    """The goal with NumPy's numbers, which overflow to inf and divide by 0, where Python's raise."""

    def numbers(record: Goal | Constants) -> dict[str, Any]:
        own = {field.name: getattr(record, field.name) for field in fields(record)}
        return {name: np.float64(x) for name, x in own.items() if isinstance(x, float)}

    return replace(goal, problem=replace(goal.problem, **numbers(goal.problem)), **numbers(goal))


def _parts(goal: Goal) -> Parts:
    """The bound taken apart."""
    of: dict[str, Any] = asdict(goal.problem)
    at: dict[str, Any] = {"eta": goal.eta, "alpha": goal.alpha}
    if goal.measure == "gradient":
        parts = bounds.parts(**at, **of, form=goal.form, norm=goal.norm)
    else:
        parts = (bounds.gap_parts if goal.measure == "gap" else bounds.loss_parts)(**at, **of)
    if not np.isfinite(parts).all():
        raise bad("the bound's parts X, Y, Z must be numbers", tuple(map(float, parts)), "less extreme constants")
    return Parts(*map(np.float64, parts))


def _iterations(goal: Goal, parts: Parts, eps_prime: float) -> Iterations | None:
    """K(b); None where the target is out of reach, or asks the loss for no iteration or for one."""
    if eps_prime <= 0:
        return None
    if goal.measure != "loss":
        return tokens.iterations_of_mean(parts, goal.form, eps_prime)
    rate = goal.problem.lam * goal.eta  # at 1 a single step forgets the start
    return tokens.iterations_of_loss(parts, eps_prime, rate) if eps_prime < parts.X and rate < 1 else None


def _reach(goal: Goal, parts: Parts, eps_prime: float) -> Reach | None:
    """What the bound gives for a target."""
    iterations = _iterations(goal, parts, eps_prime)
    smallest = None if iterations is None else tokens.smallest(iterations)
    if iterations is None or smallest is None:
        return None
    best = tokens.fewest(iterations, smallest)
    if not np.isfinite(best.tokens):  # eps' of 1e-140 asks for 1e+280 samples, and as many iterations
        return None
    # The source's formula for the form at hand, in each reading of its Z; for the loss it has none.
    named: dict[str, Array] = {}
    if goal.measure == "loss":
        closed = float(theory.star_convex(parts.X, parts.Y, eps_prime))
    else:
        closed = float(theory.fewest_tokens(*coefficients(parts, goal.form), eps_prime))
        if goal.form == "seed":
            named["2 Y/eps', Z at b -> inf"] = theory.theorem12_of(parts.Y, eps_prime)
            named["2 Y/eps', Z at this b"] = theory.self_consistent(parts.Y, parts.Z_noise, eps_prime)
        else:
            named["9 Y^2/(4 eps'^2)"] = theory.revised(parts.Y, eps_prime)
    formulas = []
    for what, b in named.items():
        at = tokens.point(iterations, max(float(b), 1.0))  # what is run there: no batch is below one sample
        formulas.append(Formula(what, at._replace(b=float(b)), float(np.divide(at.tokens, best.tokens))))
    on_grid, step = tokens.on_grid(iterations, smallest)
    near = {share: tokens.near(iterations, best, smallest, share) for share in NEAR}
    shape = tokens.shape(iterations, smallest)
    return Reach(best, closed, on_grid, step, best.b == 1.0, smallest, tuple(formulas), near, shape)


def _status(target: float, Z: float, reached: bool, trivial: Trivial, goal: Goal) -> tuple[str, str]:
    """What is to be said of a target, and why; of two reasons that it says nothing, the one that holds for any b."""
    trivially, above = f"{trivial.text} = {trivial.value:.6g}", f"Z = {Z:.6g}"
    beyond = f"is not above {above}, which neither iterations nor batch size remove"
    # Vacuous first: it holds for every batch size and learning rate, out of reach only for this one.
    if target >= trivial.value:
        what = {"gradient": "mean gradient norm", "gap": "mean Frank-Wolfe gap", "loss": "loss"}[goal.measure]
        holds = f"eps = {target:.6g} is not below {trivially}, which the {what} does not exceed {trivial.why}"
        return VACUOUS, f"{holds}: no training is needed, and the bound says nothing" + (
            f" (and does not reach it: eps {beyond})" if target <= Z else ""
        )
    # A given eps' is above 0, whatever rounding makes of Z + eps'.
    if goal.eps_prime is None and target <= Z:
        return OUT_OF_REACH, f"eps = {target:.6g} {beyond}"
    if not reached:
        return OUT_OF_REACH, f"eps = {target:.6g} is so close to {above} that no number is as large as the tokens"
    return FOUND, f"eps = {target:.6g} is between {above} and what holds trivially, {trivially}"


def trivial_bounds(measure: str, norm: str, problem: Constants) -> tuple[Trivial, ...]:
    """Return every bound that holds without training.

    Args:
        measure: "gradient", "gap" or "loss".
        norm: "dual" or "frobenius", of the gradient. There kappa1 ||X||_F <= ||X||_dual.
        problem: of it Delta0, L, G0, lam, and kappa1.
    """
    G0, Delta0, L, lam = problem.G0, problem.Delta0, problem.L, problem.lam
    start, smooth = "at the start", "at the start, by smoothness"
    ball = "anywhere in the ball of radius 1/lam"
    by_smoothness = float(np.sqrt(2 * L * Delta0))
    if measure == "gap":
        return (
            Trivial(2 * G0 / lam, "2 G0/lam", start),
            Trivial(2 * by_smoothness / lam, "2 (2 L Delta0)^(1/2)/lam", smooth),
            Trivial(4 * L / lam**2, "4 L/lam^2", ball),
        )
    if measure == "loss":
        return (
            Trivial(Delta0, "Delta0", start),
            Trivial(2 * G0 / lam, "2 G0/lam", "at the start, by star-convexity"),
            Trivial(2 * L / lam**2, "2 L/lam^2", ball),
        )
    scale, over = (problem.kappa1, "/kappa1") if norm == "frobenius" else (1.0, "")
    trivial = [Trivial(G0, "G0", start), Trivial(by_smoothness / scale, f"(2 L Delta0)^(1/2){over}", smooth)]
    if lam > 0:
        trivial.append(Trivial(2 * L / (lam * scale), f"2 L/lam{over}", f"{ball}, Proposition 9"))
    return tuple(trivial)


def lowest(bounds: tuple[Trivial, ...]) -> Trivial:
    """Return the lowest trivial bound: what a target has to be below to say anything."""
    return min(bounds, key=lambda bound: bound.value)


def contradictions(norm: str, problem: Constants) -> tuple[str, ...]:
    """Return what no problem can be: a start that is worse than anything may be."""
    first, *others = trivial_bounds("gradient", norm, problem)
    pairs = [(first, other) for other in others]
    if problem.lam > 0:
        start, _, ball = trivial_bounds("loss", norm, problem)
        pairs.append((start, ball))
    return tuple(
        f"{a.text} = {a.value:.4g} is above {b.text} = {b.value:.4g}"
        for a, b in pairs
        if a.value > b.value * (1 + 1e-12)  # equal ones, each rounded, contradict nothing
    )
