"""The spectral norm of matrices with two rows or two columns, in closed form: no decomposition in a step.

Of columns x and y with Gram matrix [[p, q], [q, r]], the product of the singular values is s = (p r - q^2)^(1/2),
their sum t = (p + r + 2 s)^(1/2), and U V^T = (X + X~)/t, where X~ = X [[r, -q], [-q, p]]/s has the two singular
values swapped. Next to rank one, s has lost half its digits: there U V^T is right to 1e-7, elsewhere to rounding.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import jax.numpy as jnp

from hpgrid.norms import NORMS, SPECTRAL, Norm
from hpgrid.shapes import AnyArray as Array


class Gram(NamedTuple):
    """Two columns, or rows, their products, and the product and the sum of the singular values."""

    x: Array
    y: Array
    p: Array
    q: Array
    r: Array
    product: Array
    total: Array


def gram(X: Array, ridge: float | Array = 0.0) -> Gram:
    """Return what the closed forms need; ``ridge`` is added to p and r.

    Args:
        X: shape (..., m, 2) or (..., 2, n).
        ridge: >= 0; of [X; ridge^(1/2) I] the columns' products are these.
    """
    tall = X.shape[-1] == 2
    x, y = (X[..., 0], X[..., 1]) if tall else (X[..., 0, :], X[..., 1, :])
    p, q, r = (x * x).sum(-1) + ridge, (x * y).sum(-1), (y * y).sum(-1) + ridge
    product = jnp.sqrt(jnp.maximum(p * r - q * q, 0.0))
    return Gram(x, y, p, q, r, product, jnp.sqrt(p + r + 2.0 * product))


def together(x: Array, y: Array, like: Array) -> Array:
    """Return the matrix of two columns, or rows, as ``like`` has them."""
    return jnp.stack([x, y], -1 if like.shape[-1] == 2 else -2)


def nuclear(X: Array) -> Array:
    """Return s1 + s2."""
    return gram(X).total


def spectral(X: Array) -> Array:
    """Return s1, half the sum of s1 + s2 and s1 - s2."""
    g = gram(X)
    return (g.total + jnp.sqrt(jnp.maximum(g.p + g.r - 2.0 * g.product, 0.0))) / 2.0


def polar(X: Array) -> Array:
    """Return U V^T; of a matrix of rank one its u v^T, which descends as far; 0 at 0."""
    g = gram(X)
    share = jnp.where(g.product > 0.0, 1.0, 0.0) / jnp.where(g.product > 0.0, g.product, 1.0)
    scale = 1.0 / jnp.where(g.total > 0.0, g.total, 1.0)
    on, off_x, off_y = (part[..., None] for part in (g.q * share * scale, g.r * share, g.p * share))
    scale = scale[..., None]
    return together(g.x * (1.0 + off_x) * scale - g.y * on, g.y * (1.0 + off_y) * scale - g.x * on, X)


#: Muon's norm on such matrices.
THIN: Norm = replace(SPECTRAL, of=spectral, dual=nuclear, lmo=lambda C: -polar(C))


def norm_of(name: str, shape: Any) -> Norm:
    """Return a norm by its name, in the form that is fastest for matrices of a shape."""
    return THIN if name == "spectral" and min(shape) == 2 else NORMS[name]
