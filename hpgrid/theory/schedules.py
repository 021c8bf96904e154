"""Exponents along paths: Corollary 2, and Appendices B.5, C.2 and C.3 of Shulgin et al.

A schedule is b = T^beta, alpha = T^-gamma, eta = T^-delta; beta is an exponent here, not the momentum. A path is
b = T^p, along which eta* ~ b^kappa K^-lambda. Noise falls as b^-q on the three-term proxy of eq. (43).
"""

from __future__ import annotations

from fractions import Fraction

#: (kappa, lambda) of eta* ~ b^kappa K^-lambda. Source: Shulgin et al., Appendix C.3 (i), (ii).
FIXED_MOMENTUM = (Fraction(0), Fraction(1, 2))
TUNED_MOMENTUM = (Fraction(1, 4), Fraction(3, 4))

#: The exponent q that follows from a bounded variance.
BOUNDED_VARIANCE = Fraction(1, 2)


def decay(beta: Fraction, gamma: Fraction, delta: Fraction) -> tuple[Fraction, ...]:
    """Return r1 to r5: each term of the bound falls as T^-r. Source: Shulgin et al., eqs. (30), (31).

    In the order of eq. (28): progress, burn-in, noise floor, drift eta, drift eta/alpha.
    """
    # Progress, say, is b/(eta T), which is T^(beta + delta - 1).
    return (1 - beta - delta, 1 - beta / 2 - gamma, (beta + gamma) / 2, delta, delta - gamma)


def proposed(beta: Fraction) -> tuple[Fraction, Fraction]:
    """Return gamma and delta of alpha = b T^(-1/2), eta = b T^(-3/4). Source: Shulgin et al., eq. (34)."""
    return Fraction(1, 2) - beta, Fraction(3, 4) - beta


def remaining(beta: Fraction) -> tuple[Fraction, Fraction]:
    """Return how burn-in and drift fall on that schedule: (b T)^(-1/2), b T^(-3/4).

    Source: Shulgin et al., eq. (36).
    """
    return (1 + beta) / 2, Fraction(3, 4) - beta


def ceiling(beta: Fraction) -> Fraction:
    """Return the best decay of the risk for 1/2 < beta < 1. Source: Shulgin et al., eqs. (38), (39), (40)."""
    return (1 - beta) / 2


def aggressive_remaining(beta: Fraction) -> tuple[Fraction, Fraction, Fraction]:
    """Return how burn-in, noise floor and eta/alpha fall at alpha = 1. Source: Shulgin et al., after eq. (40)."""
    return 1 - beta / 2, beta / 2, (1 - beta) / 2


def path_exponent(kappa: Fraction, lam: Fraction, p: Fraction) -> Fraction:
    """Return q_eff = kappa p - lambda (1 - p), eta's exponent in T on the path. Source: Shulgin et al., eq. (47)."""
    return kappa * p - lam * (1 - p)


def path_threshold(kappa: Fraction, lam: Fraction) -> Fraction:
    """Return lambda/(kappa + lambda), above which q_eff > 0. Source: Shulgin et al., eq. (48)."""
    return lam / (kappa + lam)


def path_eta(p: Fraction) -> Fraction:
    """Return q_eff = p - 3/4, the momentum tuned. Source: Shulgin et al., eq. (49)."""
    return p - Fraction(3, 4)


def path_alpha(p: Fraction) -> Fraction:
    """Return the exponent p - 1/2 of alpha* on the path, until it reaches 1. Source: Shulgin et al., C.3, caveat."""
    return p - Fraction(1, 2)


def noise_in_K(q: Fraction) -> dict[str, dict[str, Fraction]]:
    """Return the powers of b and K in alpha*, eta* and the risk. Source: Shulgin et al., eq. (44)."""
    return {
        "alpha": {"b": q, "K": Fraction(-1, 2)},
        "eta": {"b": q / 2, "K": Fraction(-3, 4)},
        "risk": {"b": -q / 2, "K": Fraction(-1, 4)},
    }


def noise_risk_in_T(q: Fraction) -> dict[str, Fraction]:
    """Return the powers in min risk ~ T^(-1/4) b^(1/4 - q/2). Source: Shulgin et al., eq. (45)."""
    return {"T": Fraction(-1, 4), "b": Fraction(1, 4) - q / 2}


def heavy_tails(p: Fraction) -> Fraction:
    """Return q = 1 - 1/p, for noise with a p-th moment, 1 < p < 2. Source: Shulgin et al., Appendix C.2, III."""
    return 1 - 1 / p


def heavy_tails_risk_in_T(p: Fraction) -> dict[str, Fraction]:
    """Return the powers in min risk ~ T^(-1/4) b^(-1/4 + 1/(2p)). Source: Shulgin et al., Appendix C.2, III."""
    return {"T": Fraction(-1, 4), "b": Fraction(-1, 4) + 1 / (2 * p)}
