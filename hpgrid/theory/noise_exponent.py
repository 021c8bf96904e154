"""Appendix C.2: noise that falls as b^-q, on the three-term proxy of eq. (43)."""

from __future__ import annotations

from fractions import Fraction

#: The exponent that follows from a bounded variance.
BOUNDED_VARIANCE = Fraction(1, 2)


def in_iterations(q: Fraction) -> dict[str, dict[str, Fraction]]:
    """Return the powers of b and K in alpha*, eta* and the risk. Source: Shulgin et al., eq. (44)."""
    return {
        "alpha": {"b": q, "K": Fraction(-1, 2)},
        "eta": {"b": q / 2, "K": Fraction(-3, 4)},
        "risk": {"b": -q / 2, "K": Fraction(-1, 4)},
    }


def in_tokens(q: Fraction) -> dict[str, Fraction]:
    """Return the powers in min risk ~ T^(-1/4) b^(1/4 - q/2). Source: Shulgin et al., eq. (45)."""
    return {"T": Fraction(-1, 4), "b": Fraction(1, 4) - q / 2}


def heavy_tails(p: Fraction) -> Fraction:
    """Return q = 1 - 1/p, for noise with a p-th moment, 1 < p < 2. Source: Shulgin et al., Appendix C.2, III."""
    return 1 - 1 / p


def in_tokens_heavy(p: Fraction) -> dict[str, Fraction]:
    """Return the powers in min risk ~ T^(-1/4) b^(-1/4 + 1/(2p)). Source: Shulgin et al., Appendix C.2, III."""
    return {"T": Fraction(-1, 4), "b": Fraction(-1, 4) + 1 / (2 * p)}
