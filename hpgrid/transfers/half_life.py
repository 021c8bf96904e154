"""Marek et al.'s rule: a moment's half-life in tokens stays, so that b to kappa b takes beta to beta^kappa."""

from __future__ import annotations

import math
from typing import NamedTuple


class Kept(NamedTuple):
    """A momentum whose half-life in tokens is that of the start, at another batch size.

    Attributes:
        b: the batch size in tokens.
        kappa: how many times larger it is.
        alpha: 1 - beta^kappa; None where the start has no momentum.
        alpha2: the same of beta2.
    """

    b: float
    kappa: float
    alpha: float | None
    alpha2: float | None


def tokens(b: float, alpha: float) -> float:
    """Return the half-life in tokens, b ln 2/(-ln beta); 0 at beta = 0.

    Source: Marek et al. (2025), as section 4 of Shulgin et al. has it.
    """
    return 0.0 if alpha == 1 else b * math.log(2) / -math.log1p(-alpha)


def powered(alpha: float, kappa: float) -> float:
    """Return 1 - beta^kappa from 1 - beta, exact next to 1. Source: Shulgin et al., section 4, Marek et al."""
    return 1.0 if alpha == 1 else -math.expm1(kappa * math.log1p(-alpha))


def kept(b0: float, b: float, alpha: float | None, alpha2: float | None) -> Kept:
    """Return the momenta of a start at another batch size, their half-lives in tokens the same."""
    kappa = b / b0
    alphas = (None if x is None else powered(x, kappa) for x in (alpha, alpha2))
    return Kept(b, kappa, *alphas)
