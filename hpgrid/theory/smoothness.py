"""Closed forms of D-smoothness: what random pairs give, and what noise needs once batches are large."""

from __future__ import annotations

import math

#: What the text says of D for SGD, for signSGD and AdamW, for Muon and SOAP. Source: Cesista, Appendix A2.
PRINTED = 1.0

#: The quotient of two random orthogonal n x n matrices, n large: the largest of |1 - e^(i theta)| over its mean.
ORTHOGONAL = math.pi / 2


def sign_quotient(d: int) -> float:
    """Return the mean quotient of two random sign vectors that differ: E[d/N | N > 0], N of d signs differing.

    The gradient of ||x||_1^2/2 there is d x: it turns by 2d, over a distance of 2N.

    Args:
        d: how many signs, >= 1.
    """
    log_half = d * math.log(2)
    terms = (
        d / n * math.exp(math.lgamma(d + 1) - math.lgamma(n + 1) - math.lgamma(d - n + 1) - log_half)
        for n in range(1, d + 1)
    )
    return math.fsum(terms) / -math.expm1(-log_half)


def one_hot_limit(d: int) -> float:
    """Return b E||mean||_1^2/E||xi||_1^2 of one-hot noise as b grows, 1 + (2/pi)(d - 1): d entries become normal.

    Args:
        d: how many entries, >= 1.
    """
    return 1 + 2 / math.pi * (d - 1)
