"""Muon's oracle as practitioners run it, and how far from the exact one it is."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from hpgrid.norms import FROBENIUS, SPECTRAL, Norm, inner
from hpgrid.shapes import AnyArray as Array, Floats

#: The odd polynomial a x + b x^3 + c x^5 that Muon iterates. Source: Jordan et al. (2024).
QUINTIC = (3.4445, -4.7750, 2.0315)


def newton_schulz(C: Array, steps: int = 5) -> Array:
    """Return what Muon takes for U V^T: a quintic, iterated on C/||C||_F, without a decomposition.

    Its singular values end between 0.68 and 1.2, not at 1, where C's are above some 2e-3 of ||C||_F.

    Args:
        C: matrices, shape (..., m, n), in the precision that is wanted.
        steps: how many times; Muon takes 5.

    Source: Jordan et al. (2024); cited by Cesista, section 1.
    """
    a, b, c = QUINTIC
    wide = C.shape[-2] <= C.shape[-1]
    X = -FROBENIUS.lmo(C if wide else C.mT)
    for _ in range(steps):
        # Of the shorter side.
        gram = X @ X.mT
        X = a * X + (b * gram + c * gram @ gram) @ X
    return X if wide else X.mT


def singular_value_map(s: Floats, steps: int = 5) -> Floats:
    """Return what Newton-Schulz makes of a singular value that is ``s`` of the Frobenius norm, 0 < s <= 1.

    Read off the iteration itself: each s on the diagonal of a 2 x 2 matrix, with what is left to 1 beside it.
    """
    diagonal = np.stack([s, np.sqrt(1 - s**2)], axis=-1)
    return np.asarray(newton_schulz(diagonal[..., None] * np.eye(2), steps)[..., 0, 0])


#: Muon as practitioners run it; its oracle is not exact: see ``oracle_error``.
MUON = replace(SPECTRAL, name="spectral, by Newton-Schulz", lmo=lambda C: -newton_schulz(C))


class OracleError(NamedTuple):
    """How an oracle misses: all zero for an exact one.

    Attributes:
        size: ||A|| - 1.
        descent: 1 + <C, A>/||C||_dual: the share of the descent that is lost, negative where A is too long.
        distance: ||A - LMO(C)||.
    """

    size: Array
    descent: Array
    distance: Array


def oracle_error(norm: Norm, C: Array, A: Array) -> OracleError:
    """Return how far A is from the oracle's answer to C, each over the batch."""
    return OracleError(norm.of(A) - 1.0, 1.0 + inner(C, A) / norm.dual(C), norm.of(A - norm.lmo(C)))
