"""Theorems 8 and 11, and the revised forms, taken apart into X, Y and Z."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hpgrid.bounds.cesista2025.arrays import Array, space, sqrt, stray
from hpgrid.bounds.cesista2025.decay import in_domain
from hpgrid.checks import bad, unknown

FORMS = ("seed", "revised")
NORMS = ("dual", "frobenius")


class Parts(NamedTuple):
    """A bound taken apart.

    In the first ("seed") form it is X/K + Y/b + Z + Z_noise/b^(1/2); in the revised ones, where Z_noise = 0,
    X/K + Y/b^(1/2) + Z, and for the star-convex loss X (1 - lam eta)^K + Y/b^(1/2) + Z.
    """

    X: Array
    Y: Array
    Z: Array
    Z_noise: Array


def parts(
    *,
    eta: Array,
    alpha: Array,
    lam: Array = 0.0,
    Delta0: Array = 1.0,
    L: Array = 1.0,
    sigma: Array = 1.0,
    D: Array = 1.0,
    G0: Array = 1.0,
    kappa1: Array = 1.0,
    kappa2: Array = 1.0,
    L_F: Array | None = None,
    sigma_F: Array | None = None,
    form: str = "seed",
    norm: str = "dual",
) -> Parts:
    """Return X, Y and Z of the bound on the mean gradient norm, elementwise.

    What the source counts to Z with sigma/b^(1/2) in it, though it depends on b, stands apart as Z_noise.

    Args:
        eta: learning rate, > 0.
        alpha: momentum complement 1 - beta, in (0, 1].
        lam: weight decay, >= 0: 0 is Theorem 8, more is Theorem 11; Z is +inf where lam eta > 1.
        Delta0: f(W0) - inf f, > 0.
        L: smoothness constant, > 0.
        sigma: noise scale of a single sample's gradient, > 0.
        D: smoothness of half the squared dual norm, > 0; 1 for an inner product's.
        G0: the size of the gradient at the start, in the norm at hand, > 0.
        kappa1: kappa1 ||X||_F <= ||X||_dual, > 0; it enters in the Frobenius norm alone, as the next three.
        kappa2: ||X||_dual <= kappa2 ||X||_F, >= kappa1.
        L_F: smoothness constant in the Frobenius norm; L where None.
        sigma_F: noise scale there; sigma where None.
        form: "seed", the paper's, or "revised".
        norm: "dual" (approach 1) or "frobenius" (approach 2): in what the gradient is measured.

    Raises:
        ValueError: an unknown form or norm, or a revised form that does not exist.

    Source: Cesista, Theorems 8 and 11; the revised form replaces Y/b by Y/b^(1/2), without weight decay.
    """
    check_form(form, norm, lam)
    beta = 1.0 - alpha
    if form == "revised":
        X = Delta0 / eta + 2.0 * beta / alpha * G0
        noise = _revised_noise(alpha, sigma, D)
        return Parts(X, noise, L * eta * (2.0 * beta**2 / alpha + 0.5), 0.0 * noise)
    ratio, scale = 1.0, 1.0
    if norm == "frobenius":
        L, sigma = L if L_F is None else L_F, sigma if sigma_F is None else sigma_F
        ratio, scale = kappa2 / kappa1, kappa1
    X = Delta0 / (eta * scale) + 2.0 * beta / alpha * ratio * G0 + 2.0 * beta / (D * alpha * (2.0 - alpha)) * G0**2
    Y = ((4.0 - 3.0 * alpha) * alpha / (2.0 - alpha) + lam) / 2.0 * sigma**2
    Z = ratio**2 * D / 2.0 + L * eta / (2.0 * scale) + 2.0 * beta**2 / alpha * ratio * L * eta
    Z = Z + 2.0 * beta**3 / (D * alpha**2) * (L * eta) ** 2
    Z = Z + _decay(lam, 2.0 * L**2 / (scale * D) + ratio**2 * D, 1.5 * ratio**2 * D)
    noise = ratio * stray(alpha, 2.0) * sqrt(D) * sigma
    return Parts(X, Y, space(Z).where(in_domain(eta=eta, lam=lam), Z, np.inf), noise)


def gap_parts(
    *,
    eta: Array,
    alpha: Array,
    lam: Array,
    Delta0: Array = 1.0,
    L: Array = 1.0,
    sigma: Array = 1.0,
    D: Array = 1.0,
    G0: Array = 1.0,
) -> Parts:
    """Return X, Y and Z of the bound on the mean Frank-Wolfe gap, X/K + Y/b^(1/2) + Z, elementwise.

    The arguments are as in ``parts``; lam > 0, and the bound holds for lam eta <= 1.

    Source: Cesista, revised, the Frank-Wolfe gap.
    """
    beta = 1.0 - alpha
    X = Delta0 / (lam * eta) + 2.0 * G0 * beta / (alpha * lam)
    noise = _revised_noise(alpha, sigma, D) / lam
    return Parts(X, noise, 2.0 * L / lam * (1.0 + 2.0 * beta**2 / alpha) * eta, 0.0 * noise)


def loss_parts(
    *,
    eta: Array,
    alpha: Array,
    lam: Array,
    Delta0: Array = 1.0,
    L: Array = 1.0,
    sigma: Array = 1.0,
    D: Array = 1.0,
    G0: Array = 1.0,
) -> Parts:
    """Return X, Y and Z of the star-convex bound, X (1 - lam eta)^K + Y/b^(1/2) + Z, elementwise.

    The arguments are as in ``parts``; lam > 0, and the bound holds for lam eta <= 1.

    Source: Cesista, revised, star-convex with weight decay.
    """
    beta = 1.0 - alpha
    rate = 4.0 * L / lam * (1.0 + beta**2 / alpha) + 2.0 * beta / alpha * G0
    noise = _revised_noise(alpha, sigma, D) / lam
    return Parts(Delta0, noise, rate * eta, 0.0 * noise)


def _revised_noise(alpha: Array, sigma: Array, D: Array) -> Array:
    """What a longer run does not remove of the noise: 2 stray D^(1/2) sigma, over b^(1/2)."""
    return 2.0 * stray(alpha, 1.0) * sqrt(D) * sigma


def _decay(lam: Array, over: Array, beside: Array) -> Array:
    """What weight decay adds to Z, over/lam + beside; nothing where there is none."""
    xp = space(lam, over)
    decays = xp.asarray(lam) > 0.0
    return xp.where(decays, over / xp.where(decays, lam, 1.0) + beside, 0.0)


def check_form(form: str, norm: str, lam: Array) -> None:
    """Refuse a form or a norm that does not exist, or that the source does not state.

    Raises:
        ValueError: see the message.
    """
    if form not in FORMS:
        raise unknown("form", form, FORMS)
    if norm not in NORMS:
        raise unknown("norm", norm, NORMS)
    if form == "revised" and norm != "dual":
        raise bad("the revised form is stated in the dual norm", norm, 'norm="dual", or form="seed"')
    if form == "revised" and isinstance(lam, (float, int, np.ndarray)) and np.any(np.asarray(lam) > 0):
        raise bad("the revised form of Theorem 8 has no weight decay", lam, "lam=0, or star_convex or frank_wolfe")
