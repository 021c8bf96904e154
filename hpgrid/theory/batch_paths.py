"""Appendix C.3: the exponent of eta* in T when the batch size follows a path b = T^p."""

from __future__ import annotations

from fractions import Fraction

#: (kappa, lambda) of eta* ~ b^kappa K^-lambda. Source: Shulgin et al., Appendix C.3 (i), (ii).
FIXED_MOMENTUM = (Fraction(0), Fraction(1, 2))
TUNED_MOMENTUM = (Fraction(1, 4), Fraction(3, 4))


def effective(kappa: Fraction, lam: Fraction, p: Fraction) -> Fraction:
    """Return q_eff = kappa p - lambda (1 - p). Source: Shulgin et al., eq. (47)."""
    return kappa * p - lam * (1 - p)


def threshold(kappa: Fraction, lam: Fraction) -> Fraction:
    """Return lambda/(kappa + lambda), above which q_eff > 0. Source: Shulgin et al., eq. (48)."""
    return lam / (kappa + lam)


def tuned(p: Fraction) -> Fraction:
    """Return q_eff = p - 3/4, the momentum tuned. Source: Shulgin et al., eq. (49)."""
    return p - Fraction(3, 4)


def tuned_alpha(p: Fraction) -> Fraction:
    """Return the exponent p - 1/2 of alpha* on the path, until it reaches 1. Source: Shulgin et al., C.3, caveat."""
    return p - Fraction(1, 2)
