"""The bounds of Cesista (2025): steepest descent under any norm, with Nesterov momentum and weight decay.

The source's T, the number of iterations, is K here. Each bound is taken apart into X, Y and Z, and stands as a proxy,
written in K and rewritten for tokens by K = T/b. All is computed from alpha = 1 - beta, so that momenta next to 1
lose no digits. The revised forms are the author's later ones. Where a function takes ``constants``, they are those
of ``Constants`` by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from hpgrid.bounds.constants import Constants, check_form
from hpgrid.bounds.lemmas import kept, nesterov_noise
from hpgrid.checks import bad, is_number
from hpgrid.proxy import FunctionProxy
from hpgrid.shapes import AnyArray as Array, array_namespace, sqrt
from hpgrid.term import Term

#: A wall that was reached through logs is off by the exponential's rounding, |log| up to 700 times 2^-53.
ROUNDING = 1e-13


#: What the bounds divide by; another constant of 0 drops what it is in.
_POSITIVE = ("D", "rho", "kappa1", "kappa2")


class Parts(NamedTuple):
    """A bound taken apart.

    In the first ("seed") form it is X/K + Y/b + Z + Z_noise/b^(1/2); in the revised ones, where Z_noise = 0,
    X/K + Y/b^(1/2) + Z, and for the star-convex loss X (1 - lam eta)^K + Y/b^(1/2) + Z.
    """

    X: Array
    Y: Array
    Z: Array
    Z_noise: Array


def in_domain(*, eta: Array, lam: Array, W0: Array = 0.0) -> Array:
    """Return where the bounds with weight decay hold: lam eta <= 1 and ||W0|| <= 1/lam; elsewhere they are +inf.

    Source: the conditions of Cesista, Propositions 9 and 10 and Theorem 11.
    """
    return (lam * eta <= 1.0 + ROUNDING) & (lam * W0 <= 1.0)


def parts(*, eta: Array, alpha: Array, form: str = "seed", norm: str = "dual", **constants: Array) -> Parts:
    """Return X, Y and Z of the bound on the mean gradient norm, elementwise.

    What the source counts to Z with sigma/b^(1/2) in it, though it depends on b, stands apart as Z_noise.

    Args:
        eta: learning rate, > 0.
        alpha: momentum complement 1 - beta, in (0, 1].
        form: "seed", the paper's, or "revised".
        norm: "dual" (approach 1) or "frobenius" (approach 2): in what the gradient is measured.
        constants: all but rho; lam = 0 is Theorem 8, more is Theorem 11; Z is +inf where lam eta > 1.

    Raises:
        ValueError: an unknown form or norm, or a revised form that does not exist.

    Source: Cesista, Theorems 8 and 11; the revised form replaces Y/b by Y/b^(1/2), without weight decay.
    """
    of = Constants(**constants)
    _check_revised(form, norm, of.lam)
    lam, D, G0 = of.lam, of.D, of.G0
    beta = 1.0 - alpha
    if form == "revised":
        X = of.Delta0 / eta + 2.0 * beta / alpha * G0
        noise = _revised_noise(alpha, of)
        return Parts(X, noise, of.L * eta * (2.0 * beta**2 / alpha + 0.5), 0.0 * noise)
    L, sigma, ratio, scale = of.L, of.sigma, 1.0, 1.0
    if norm == "frobenius":
        L, sigma = of.named("L_F", "sigma_F").values()
        ratio, scale = of.kappa2 / of.kappa1, of.kappa1
    X = of.Delta0 / (eta * scale) + 2.0 * beta / alpha * ratio * G0 + 2.0 * beta / (D * alpha * (2.0 - alpha)) * G0**2
    Y = ((4.0 - 3.0 * alpha) * alpha / (2.0 - alpha) + lam) / 2.0 * sigma**2
    Z = ratio**2 * D / 2.0 + L * eta / (2.0 * scale) + 2.0 * beta**2 / alpha * ratio * L * eta
    Z = Z + 2.0 * beta**3 / (D * alpha**2) * (L * eta) ** 2
    # What weight decay adds; the division is kept away from lam = 0, where arrays have both.
    over = 2.0 * L**2 / (scale * D) + ratio**2 * D
    xp = array_namespace(lam, over)
    decays = xp.asarray(lam) > 0.0
    Z = Z + xp.where(decays, over / xp.where(decays, lam, 1.0) + 1.5 * ratio**2 * D, 0.0)
    noise = ratio * nesterov_noise(alpha, 2.0) * sqrt(D) * sigma
    return Parts(X, Y, array_namespace(Z).where(in_domain(eta=eta, lam=lam), Z, np.inf), noise)


def gap_parts(*, eta: Array, alpha: Array, **constants: Array) -> Parts:
    """Return X, Y and Z of the bound on the mean Frank-Wolfe gap, X/K + Y/b^(1/2) + Z, elementwise.

    Args:
        eta: learning rate, > 0; the bound holds for lam eta <= 1.
        alpha: momentum complement 1 - beta, in (0, 1].
        constants: lam > 0, Delta0, L, sigma, D, G0.

    Source: Cesista, revised, the Frank-Wolfe gap.
    """
    of = Constants(**constants)
    lam = of.lam
    beta = 1.0 - alpha
    X = of.Delta0 / (lam * eta) + 2.0 * of.G0 * beta / (alpha * lam)
    noise = _revised_noise(alpha, of) / lam
    return Parts(X, noise, 2.0 * of.L / lam * (1.0 + 2.0 * beta**2 / alpha) * eta, 0.0 * noise)


def loss_parts(*, eta: Array, alpha: Array, **constants: Array) -> Parts:
    """Return X, Y and Z of the star-convex bound, X (1 - lam eta)^K + Y/b^(1/2) + Z, elementwise.

    The arguments are as in ``gap_parts``.

    Source: Cesista, revised, star-convex with weight decay.
    """
    of = Constants(**constants)
    beta = 1.0 - alpha
    rate = 4.0 * of.L / of.lam * (1.0 + beta**2 / alpha) + 2.0 * beta / alpha * of.G0
    noise = _revised_noise(alpha, of) / of.lam
    return Parts(of.Delta0, noise, rate * eta, 0.0 * noise)


def _revised_noise(alpha: Array, of: Constants) -> Array:
    """What a longer run does not remove of the noise, over b^(1/2)."""
    return 2.0 * nesterov_noise(alpha, 1.0) * sqrt(of.D) * of.sigma


def _check_revised(form: str, norm: str, lam: Array) -> None:
    check_form(form, norm)
    # A traced lam has no value to refuse; it was refused before it was traced.
    if form == "revised" and isinstance(lam, (float, int, np.ndarray)) and np.any(np.asarray(lam) > 0):
        raise bad("the revised form of Theorem 8 has no weight decay", lam, "lam=0, or star_convex or frank_wolfe")


def best_learning_rate(
    lam: Array, *, K: Array, alpha: Array, Delta0: Array = 1.0, L: Array = 1.0, G0: Array = 1.0
) -> Array:
    """Return the learning rate at which the star-convex bound is minimal, all else fixed; NaN where there is none.

    eta* = (1/lam) (1 - r^(1/(K-1))), r = (4 L (1 + beta^2/alpha) + 2 (beta/alpha) G0 lam)/(Delta0 K lam^2).

    It is a minimum for K > 1 and r < 1, that is for lam above ``least_weight_decay``: else the bound
    rises with eta from eta = 0 on, where it says f(W0) - f* <= Delta0 and no more.

    Args:
        lam: weight decay, > 0.
        K: iterations.
        alpha: momentum complement, in (0, 1].
        Delta0: f(W0) - inf f, > 0.
        L: smoothness constant, > 0.
        G0: the size of the gradient at the start, > 0.

    Source: Cesista, revised, the best learning rate against weight decay.
    """
    beta = 1.0 - alpha
    ratio = (4.0 * L * (1.0 + beta**2 / alpha) + 2.0 * beta / alpha * G0 * lam) / (Delta0 * K * lam**2)
    xp = array_namespace(ratio)
    exists = (ratio < 1.0) & (K > 1.0)
    # r^(1/(K-1)) is next to 1 for many iterations: by its log, 1 less it keeps its digits.
    power = xp.log(xp.where(exists, ratio, 0.5)) / xp.where(exists, K - 1.0, 1.0)
    return xp.where(exists, -xp.expm1(power) / lam, np.nan)


def least_weight_decay(*, K: Array, alpha: Array, Delta0: Array = 1.0, L: Array = 1.0, G0: Array = 1.0) -> Array:
    """Return the weight decay above which ``best_learning_rate`` is positive.

    The root of Delta0 K lam^2 = 4 L (1 + beta^2/alpha) + 2 (beta/alpha) G0 lam.

    Source: where the revised eta*(lam) of Cesista is 0.
    """
    beta = 1.0 - alpha
    # The positive root of a quadratic, as a sum of positive numbers.
    half, whole = beta / alpha * G0, 4.0 * L * (1.0 + beta**2 / alpha)
    return (half + sqrt(half**2 + Delta0 * K * whole)) / (Delta0 * K)


def steepest(
    *,
    Delta0: float = 1.0,
    L: float = 1.0,
    sigma: float = 1.0,
    D: float = 1.0,
    G0: float = 1.0,
    lam: float = 0.0,
    W0: float = 0.0,
    kappa1: float = 1.0,
    kappa2: float = 1.0,
    L_F: float | None = None,
    sigma_F: float | None = None,
    form: str = "seed",
    norm: str = "dual",
    budget: str = "T",
) -> FunctionProxy:
    """Return the bound on the mean gradient norm of steepest descent; +inf outside its domain.

    X/K + Y/b + Z (Z with its sigma/b^(1/2)), or revised X/K + Y/b^(1/2) + Z: see ``parts``.

    Args:
        Delta0: f(W0) - inf f, > 0.
        L: smoothness constant, > 0.
        sigma: noise scale of a single sample's gradient, > 0.
        D: smoothness of half the squared dual norm, > 0.
        G0: the size of the gradient at the start, > 0.
        lam: weight decay, >= 0; the bound holds for lam eta <= 1.
        W0: norm of the weights at the start, >= 0; the bound holds for lam W0 <= 1.
        kappa1: norm equivalence, > 0; in the Frobenius norm alone, as the next three.
        kappa2: norm equivalence, >= kappa1.
        L_F: smoothness constant in the Frobenius norm; L where None.
        sigma_F: noise scale in the Frobenius norm; sigma where None.
        form: "seed" or "revised" (without weight decay, in the dual norm).
        norm: "dual" or "frobenius".
        budget: "T" for tokens, "K" for iterations.

    Raises:
        ValueError: a constant out of its range, or a form, norm or budget that does not exist.

    Source: Cesista, Theorems 8 and 11, and the revised form of the first.
    """
    problem = Constants(lam, sigma, L, D, Delta0, G0, 1.0, kappa1, kappa2, L_F, sigma_F)
    problem = problem.checked(positive=_POSITIVE)
    _check_revised(form, norm, lam)
    number = "the revised Theorem 8" if form == "revised" else f"Theorem {11 if lam else 8}"
    more = ("kappa1", "kappa2", "L_F", "sigma_F") if norm == "frobenius" else ()
    return _proxy(_Bound(parts, form, norm), problem, W0, budget, "steepest", number, *more)


def star_convex(
    *,
    Delta0: float = 1.0,
    L: float = 1.0,
    sigma: float = 1.0,
    D: float = 1.0,
    G0: float = 1.0,
    lam: float = 1.0,
    W0: float = 0.0,
    budget: str = "T",
) -> FunctionProxy:
    """Return the bound on f(W_K) - f* of a star-convex f under weight decay; +inf outside its domain.

    (1 - lam eta)^K Delta0 + (2/lam) (((1-beta)/(1+beta))^(1/2) beta + (1-beta)) D^(1/2) sigma/b^(1/2)
    + ((4 L/lam) (1 + beta^2/(1-beta)) + (2 beta/(1-beta)) G0) eta, for K >= 1, so b <= T.

    Args, all but lam > 0, and what is raised: as in ``steepest``.

    Source: Cesista, revised, star-convex with weight decay.
    """
    problem = Constants(lam, sigma, L, D, Delta0, G0).checked(True, _POSITIVE)
    return _proxy(_Bound(loss_parts), problem, W0, budget, "star_convex", "the revised star-convex bound")


def frank_wolfe(
    *,
    Delta0: float = 1.0,
    L: float = 1.0,
    sigma: float = 1.0,
    D: float = 1.0,
    G0: float = 1.0,
    lam: float = 1.0,
    W0: float = 0.0,
    budget: str = "T",
) -> FunctionProxy:
    """Return the bound on the mean Frank-Wolfe gap under weight decay; +inf outside its domain.

    Delta0/(lam eta K) + 2 G0 beta/((1-beta) lam K) + (2/lam) (((1-beta)/(1+beta))^(1/2) beta + (1-beta))
    D^(1/2) sigma/b^(1/2) + (2 L/lam) (1 + 2 beta^2/(1-beta)) eta, for K >= 1, so b <= T.

    Args, all but lam > 0, and what is raised: as in ``steepest``.

    Source: Cesista, revised, the Frank-Wolfe gap.
    """
    problem = Constants(lam, sigma, L, D, Delta0, G0).checked(True, _POSITIVE)
    return _proxy(_Bound(gap_parts), problem, W0, budget, "frank_wolfe", "the revised Frank-Wolfe gap")


@dataclass(frozen=True)
class _Bound:
    """A risk function and its options; equal ones compare equal, so that each compiles once."""

    source: Callable[..., Parts]
    form: str = "revised"
    norm: str = "dual"

    def __call__(self, eta: Array, b: Array, alpha: Array, K: Array, constants: Mapping[str, Array]) -> Array:
        c = dict(constants)
        # W0 decides where the bound holds and enters it nowhere else.
        inside = in_domain(eta=eta, lam=c.get("lam", 0.0), W0=c.pop("W0", 0.0))
        if self.source is parts:
            X, Y, Z, Z_noise = parts(eta=eta, alpha=alpha, **c, form=self.form, norm=self.norm)
            value = X / K + Z + (Y / sqrt(b) if self.form == "revised" else Y / b + Z_noise / sqrt(b))
        else:
            X, Y, Z, _ = self.source(eta=eta, alpha=alpha, **c)
            value = (kept(c["lam"] * eta, K) * X if self.source is loss_parts else X / K) + Y / sqrt(b) + Z
        return array_namespace(value).where(inside, value, np.inf)


def _proxy(
    bound: _Bound, problem: Constants, W0: float, budget: str, name: str, number: str, *more: str
) -> FunctionProxy:
    """A bound in the budget that was asked for, with the constants that it names."""
    if not (is_number(W0) and W0 >= 0):
        raise bad("the norm of the first weights must satisfy W0 >= 0", W0, "W0=0, say")
    constants = problem.named("Delta0", "L", "sigma", "D", "G0")
    constants |= {key: value for key, value in (("lam", problem.lam), ("W0", float(W0))) if value > 0}
    constants |= problem.named(*more)
    # Without weight decay there is no cap on eta; only Theorem 11 has it from 0 on.
    more_of: dict[str, Any] = {"positive": _POSITIVE}
    if "lam" in constants and bound.source is parts:
        more_of["domain"] = ("lam*eta <= 1",)
    elif "lam" in constants:
        more_of = {"positive": (*_POSITIVE, "lam"), "cap_terms": {"eta": Term({"lam": Fraction(-1)}, {})}}
        more_of["domain"] = ("K >= 1",)  # it is about a run of at least one iteration
    return FunctionProxy(bound, constants, "K", name=name, source=f"Cesista, {number}", **more_of).form(budget)
