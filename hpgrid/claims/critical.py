"""hpgrid's own laws of the critical batch size: both papers' bounds to one target, and where they say nothing."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from hpgrid import bounds
from hpgrid.bounds.cesista2025 import Parts
from hpgrid.bounds.constants import Problem
from hpgrid.claims.ledger import Finding, claim as claimed
from hpgrid.claims.readings import same
from hpgrid.claims.routes import SOLVER, bisect, refined, setting, value
from hpgrid.critical import tokens
from hpgrid.critical.critical_batch import FOUND, NEAR, critical_batch
from hpgrid.critical.tokens import iterations_of_mean
from hpgrid.proxy import Proxy
from hpgrid.readings import Reading
from hpgrid.theory import batch_sizes as theory, iso_loss

claim = partial(claimed, source="hpgrid")

#: The LMO bound's constants: the burn-in weak, and as large as all else.
LMO = {
    "burn-in weak": Problem(Delta0=100.0, L=0.7, sigma=130.0, rho=1.5),
    "burn-in strong": Problem(Delta0=1e-6, L=1e-4, sigma=130.0, rho=1.5),
}
ALPHA, LEVEL = 0.05, 4.0


def _parts(of: Problem) -> iso_loss.Parts:
    return iso_loss.of_bound(ALPHA, of.Delta0, of.L, of.rho * of.sigma)


def _bound(of: Problem) -> Proxy:
    return bounds.lmo_exact(**of.named("Delta0", "L", "rho", "sigma"))


@claim("H.critical.lmo", "theory.batch_sizes", "LMO, eta tuned: tokens to a target are fewest at b = 4 b_min")
def lmo_tuned() -> Finding:
    """Numerically, and by the refined optimum at those tokens: its risk is the target."""
    readings = []
    for name, of in LMO.items():
        closed = theory.lmo_tuned(LEVEL, _parts(of))
        found = tokens.lmo_eta_tuned(ALPHA, LEVEL, of)
        assert found.fewest is not None
        best = refined(_bound(of), setting("eta", "b", alpha=ALPHA), found.fewest.tokens)
        # Tokens are off their fewest by the square of what b is off.
        readings += [
            same(f"fewest tokens over 4 b_min, {name}", "refined", found.fewest.b, closed, tokens.FLAT),
            same(f"b of the least bound at their tokens, {name}", "refined", value(best, "b"), closed),
            same(f"the least bound over the target, {name}", "refined", value(best, "risk"), LEVEL),
        ]
    return Finding(tuple(readings))


@claim("H.critical.lmo.eta", "theory.batch_sizes", "LMO, eta fixed: b^(1/2) solves a quadratic")
def lmo_fixed() -> Finding:
    """As with eta tuned; the learning rates leave a half of the target, and almost nothing of it."""
    readings = []
    for name, of in LMO.items():
        for left in (0.5, 0.01):
            eta = (1 - left) * LEVEL / (of.L * (3.5 + 2 / ALPHA))
            parts, room = _parts(of), left * LEVEL
            closed = theory.lmo_fixed(of.Delta0 / eta, parts.burn_in, parts.floor, room)
            found = tokens.lmo_eta_fixed(ALPHA, LEVEL, eta, of)
            assert found.fewest is not None
            best = refined(_bound(of), setting("b", eta=eta, alpha=ALPHA), found.fewest.tokens)
            at = f"{name}, {left:g} of the target left"
            # The bound is flat in b where eta's own part is nearly all of it: b is off by a root of rounding.
            readings += [
                same(f"fewest tokens over it, {at}", "refined", found.fewest.b, closed, tokens.FLAT),
                same(f"b of the least bound at their tokens, {at}", "refined", value(best, "b"), closed, SOLVER / left),
                same(f"the least bound over the target, {at}", "refined", value(best, "risk"), LEVEL),
            ]
    return Finding(tuple(readings))


@claim("H.critical.star", "theory.batch_sizes", "star-convex: b* by Lambert's W, whatever eta and lam but for Z")
def star_convex() -> Finding:
    """Numerically, on a grid, and by the refined optimum at those tokens."""
    own: dict[str, Any] = {"Delta0": 100.0, "L": 0.7, "sigma": 130.0, "D": 1.2, "G0": 10.0, "lam": 0.1}
    readings = []
    for eps in (50.0, 5.0):
        answer = critical_batch(**own, eta=1e-4, alpha=ALPHA, eps=eps, form="revised", measure="loss")
        assert answer.reach is not None
        fixed = setting("b", eta=1e-4, alpha=ALPHA)._replace(min_K=1.0)
        best = refined(bounds.star_convex(**own), fixed, answer.reach.fewest.tokens)
        closed = theory.star_convex(100.0, answer.Y, answer.eps_prime)
        readings += [
            same(f"argmin over it, eps = {eps:g}", "grid", answer.reach.on_grid.b, closed, answer.reach.step),
            same(f"fewest tokens over it, eps = {eps:g}", "refined", answer.reach.fewest.b, closed, tokens.FLAT),
            same(f"b of the least bound at their tokens, eps = {eps:g}", "refined", value(best, "b"), closed),
            same(f"the least bound over eps = {eps:g}", "refined", value(best, "risk"), eps),
        ]
    return Finding(tuple(readings))


@claim("H.critical.near", "theory.batch_sizes", "X/K + Y/b: b/b* = 1 + p -+ (p + p^2)^(1/2) cost 1 + p times")
def near() -> Finding:
    """By the tokens themselves, at three shares p."""
    needed, best = iterations_of_mean(Parts(50.0, 0.3, 0.0, 0.0), "seed", 0.2), 3.0
    readings = []
    for share in NEAR:
        # An end is known as well as the tokens over their slope there, which is about (2 p)^(1/2).
        error = SOLVER / float(np.sqrt(2 * share))
        ends = tokens.near(needed, tokens.point(needed, best), 1.5, share)
        closed = 1 + share + np.sqrt(share + share**2) * np.array([-1, 1])
        readings.append(same(f"ends over it, p = {share:g}", "refined", np.array(ends) / best, closed, error))
    low, high = 1.01 + np.sqrt(0.0101) * np.array([-1, 1])
    return Finding(tuple(readings), f"1% of the tokens is b from {low:.3f} to {high:.3f} of the best")


#: A problem on which every level that holds trivially is attained: a parabola at the end of the ball.
BALL = {"L": 0.7, "lam": 0.1, "G0": 14.0, "Delta0": 140.0}


def _says_something(eta: float, **options: Any) -> bool:
    """Whether the bound has a target that it reaches and that is below what holds trivially."""
    asked = {**BALL, "D": 1.2, "alpha": ALPHA, "eta": eta, **options}
    level = min(one.value for one in critical_batch(**asked, eps=1e9).trivial)
    return critical_batch(**asked, eps=level * (1 - 1e-9)).status == FOUND


@claim("H.critical.vacuous", "critical.critical_batch", "the bounds say something up to a learning rate each")
def vacuous() -> Finding:
    """Where Z reaches the least trivial level; L ||W - W*|| = 2 L/lam and all else attained."""
    beta, L, lam = 1 - ALPHA, BALL["L"], BALL["lam"]
    cases: dict[str, tuple[dict[str, Any], float]] = {
        "gradient, lam = 0": ({"form": "revised", "lam": 0.0}, BALL["G0"] / (L * (2 * beta**2 / ALPHA + 0.5))),
        "gap": ({"form": "revised"}, 2 / (lam * (1 + 2 * beta**2 / ALPHA))),
        "loss": ({"form": "revised", "measure": "loss"}, ALPHA / (2 * lam * (ALPHA + beta**2 + beta))),
    }
    readings = []
    for name, (options, closed) in cases.items():
        says: Callable[[float], bool] = partial(_says_something, **options)
        found = bisect(says, 1e-9, 1 / lam)
        # The target is the level less 1e-9 of it.
        readings.append(same(f"eta up to which it does, {name}", "refined", found, closed, 2e-9))
    first = bisect(partial(_says_something, lam=0.0), 1e-9, 1.0)
    a, b, c = 2 * beta**3 / (1.2 * ALPHA**2) * L**2, L / 2 + 2 * beta**2 / ALPHA * L, 0.6 - BALL["G0"]
    root = (np.sqrt(b**2 - 4 * a * c) - b) / (2 * a)
    readings.append(same("eta up to which it does, first form, lam = 0", "refined", first, root, 2e-9))
    readings.append(Reading("it does, first form, lam = 0.1", "refined", _says_something(1e-9), False))
    return Finding(
        tuple(readings),
        "the first form says nothing at any learning rate once there is weight decay (C.thm11.vacuous)",
    )
