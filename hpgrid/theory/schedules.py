"""Corollary 2 and Appendix B.5: power-law schedules b = T^beta, alpha = T^-gamma, eta = T^-delta.

As there, beta is an exponent here, not the momentum.
"""

from __future__ import annotations

from fractions import Fraction


def decay(beta: Fraction, gamma: Fraction, delta: Fraction) -> tuple[Fraction, ...]:
    """Return r1 to r5: each term of the bound falls as T^-r. Source: Shulgin et al., eqs. (30), (31).

    In the order of eq. (28): progress, burn-in, noise floor, drift eta, drift eta/alpha.
    """
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
