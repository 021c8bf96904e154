"""Theorem 8: the bound without weight decay, in the dual norm and in the Frobenius norm."""

from __future__ import annotations

from typing import Any

import numpy as np

from hpgrid.bounds import cesista2025 as bounds
from hpgrid.claims.cesista2025.routes import CONSTANTS, ROUNDING, at, points
from hpgrid.claims.ledger import Finding, Reading, claim
from hpgrid.claims.readings import at_most, same
from hpgrid.claims.routes import FAR, FARTHER, refined

GIVEN = ("eta", "b", "alpha", "K", "Delta0", "L", "sigma", "D", "G0")


def _value(given: dict[str, Any], **options: Any) -> Any:
    """The printed bound: X/K + Y/b + Z."""
    own = {name: x for name, x in given.items() if name not in ("b", "K")}
    X, Y, Z, Z_noise = bounds.parts(**own, **options)
    return X / given["K"] + Y / given["b"] + Z + Z_noise / np.sqrt(given["b"])


def _errors(given: dict[str, Any]) -> tuple[Any, Any]:
    """Corollary 7's two moments."""
    own = {name: given[name] for name in ("eta", "b", "alpha", "L", "sigma", "D", "G0")}
    first, second = (sum(bounds.mean_nesterov_error(moment, given["K"], **own)) for moment in (1, 2))
    return first, second


@claim(
    "C.thm8.dual", "Theorem 8, approach 1", "X, Y and Z follow from the descent lemma, epsilon = 1/D, and Corollary 7"
)
def dual() -> Finding:
    given = points(*GIVEN)
    first, second = _errors(given)
    D, descent = given["D"], given["Delta0"] / (given["eta"] * given["K"])
    sums = descent + first + second / (2 * D) + (D + given["L"] * given["eta"]) / 2
    return Finding((same("X/K + Y/b + Z over it", "arithmetic", _value(given), sums, 4 * ROUNDING),))


@claim("C.thm8.frobenius", "Theorem 8, approach 2", "X_F, Y_F and Z_F follow with epsilon = kappa1/(kappa2^2 D)")
def frobenius() -> Finding:
    """Given the proof's own Corollary 7 in the Frobenius norm, which C.thm8.step is about."""
    given = points(*GIVEN, "kappa1", "kappa2")
    first, second = _errors(given)
    kappa1, kappa2, D = given["kappa1"], given["kappa2"], given["D"]
    descent = given["Delta0"] / (given["eta"] * kappa1 * given["K"])
    rest = (kappa2**2 * D / kappa1 + given["L"] * given["eta"]) / (2 * kappa1)
    sums = descent + kappa2 / kappa1 * first + second / (2 * D) + rest
    return Finding(
        (same("X_F/K + Y_F/b + Z_F over it", "arithmetic", _value(given, norm="frobenius"), sums, 4 * ROUNDING),)
    )


@claim("C.thm8.step", "Theorem 8, approach 2", "Corollary 7 holds in the Frobenius norm: a step is at most eta there")
def step() -> Finding:
    """Muon's step is eta times an orthogonal matrix: its spectral norm is 1, its Frobenius norm is not."""
    m, n = 128, 32
    oracle = -np.eye(m, n)
    return Finding(
        (
            Reading(f"||A||, {m} x {n}", "arithmetic", float(np.linalg.norm(oracle, 2)), 1.0, ROUNDING),
            at_most(f"||A||_F, {m} x {n}", "arithmetic", float(np.linalg.norm(oracle)), 1.0, ROUNDING),
        ),
        "the drift in ||.||_F needs ||W_t - W_(t-1)||_F <= kappa2 eta, min(m, n)^(1/2) eta for Muon: kappa2 is "
        "missing in the drift terms of Z_F, where the descent lemma's L stands as L_F, too",
    )


@claim("C.thm8.proportional", "Theorem 8", "X_F is proportional to X, and Z_F to Z")
def proportional() -> Finding:
    """How far their quotient moves as eta alone changes, kappa1 = 1 and kappa2 = 2."""
    own: dict[str, Any] = {**CONSTANTS, "eta": np.array([1e-4, 1.0]), "alpha": 0.05}
    plain = bounds.parts(**own)
    other = bounds.parts(**own, norm="frobenius", kappa1=1.0, kappa2=2.0)
    quotients = {"X": other.X / plain.X, "Z": other.Z / plain.Z}
    return Finding(
        tuple(same(f"{k}_F/{k}, eta = 1e-4 over 1", "arithmetic", q[0], q[1], ROUNDING) for k, q in quotients.items()),
        "kappa1 and kappa2 stand in some of their terms and not in others: they grow alike, they are not proportional",
    )


@claim("C.thm8.Y", "Theorem 8", "Y does not contain D: (3 beta + 1)(1-beta)/(2 (1+beta)) sigma^2")
def free_of_D() -> Finding:
    alpha = np.array([1.0, 0.5, 0.05, 1e-6])
    beta = 1 - alpha
    printed = (3 * beta + 1) * (1 - beta) / (2 * (1 + beta)) * 1.3**2
    # 1 - alpha loses the last digits of a small alpha.
    error = ROUNDING + float(np.finfo(float).eps) / alpha.min()
    found = [bounds.parts(eta=0.1, alpha=alpha, sigma=1.3, D=D).Y for D in (0.1, 1.0, 30.0)]
    return Finding((same("Y at D = 0.1, 1, 30", "arithmetic", np.array(found), printed, error),))


@claim(
    "C.thm8.converges", "Theorem 8, its name", "it bounds convergence: the right-hand side falls to 0 as budgets grow"
)
def converges() -> Finding:
    """The least right-hand side over eta, b and alpha, far out."""
    found = refined(bounds.steepest(**CONSTANTS), at("eta", "b", fixed={"alpha": 0.05}), [FAR, FARTHER])
    near, far = np.where(found.converged, found.risk, np.nan)
    return Finding(
        (Reading("least right-hand side, T = 1e60", "refined", float(far), 0.0, abs(float(far - near))),),
        f"it falls to D/2 = {CONSTANTS['D'] / 2:g}: Young's inequality with epsilon = 1/D leaves D/2, a number without "
        "the gradient's units, beside the gradient. ||grad f - C|| ||A|| itself would leave nothing: the revised form",
    )
