"""Muon's oracle by Newton-Schulz, in the precision that it is run in, held against the decomposition."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from hpgrid.checks import PRECISIONS, unknown
from hpgrid.newton_schulz import OracleError, newton_schulz, oracle_error
from hpgrid.norms import SPECTRAL, check_shape
from hpgrid.shapes import Floats


class Spread(NamedTuple):
    """An error over seeds: its mean, and what is largest in size, with its sign."""

    mean: float
    largest: float


def newton_schulz_errors(
    shape: tuple[int, int], *, draws: int = 100, seed: int = 0, precision: str = "float32", steps: int = 5
) -> OracleError:
    """Return how far Muon's oracle is from the exact one on seeded Gaussian matrices, each shape (draws,).

    The iteration runs in its own precision, "float64", "float32" or "bfloat16", so many steps of Newton and Schulz; how
    far it is off is measured in float64, on the same rounded input. The seed is >= 0.

    Source: Jordan et al. (2024); Cesista, section 1.2.
    """
    shape = check_shape(shape)
    if precision not in PRECISIONS:
        raise unknown("precision", precision, PRECISIONS)
    with jax.enable_x64(True):
        # Rounded before both: what rounding the input does is no error of the oracle.
        drawn = jnp.asarray(np.random.default_rng(seed).standard_normal((draws, *shape))).astype(jnp.dtype(precision))
        answer = newton_schulz(drawn, steps)
        exact, run = (np.asarray(x.astype(jnp.float64)) for x in (drawn, answer))
    return oracle_error(SPECTRAL, exact, -run)


def spread(errors: Floats) -> Spread:
    """Return the mean and the largest of an error over seeds."""
    return Spread(float(errors.mean()), float(errors[np.abs(errors).argmax()]))


def singular_value_map(s: Floats, steps: int = 5) -> Floats:
    """Return what Newton-Schulz makes of a singular value that is ``s`` of the Frobenius norm, 0 < s <= 1.

    Read off the iteration itself: each s on the diagonal of a 2 x 2 matrix, with what is left to 1 beside it.
    """
    diagonal = np.stack([s, np.sqrt(1 - s**2)], axis=-1)
    return np.asarray(newton_schulz(diagonal[..., None] * np.eye(2), steps)[..., 0, 0])
