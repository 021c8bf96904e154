"""Norms, their duals, and the step each makes steepest: the oracle LMO(C) = argmin <C, A> over ||A|| <= 1.

A weight is a matrix in the last two axes of an array, NumPy's or JAX's; whatever stands before them is a
batch. A product over layers takes a tuple of such arrays.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from hpgrid.checks import OPTIMIZERS, bad, unknown
from hpgrid.shapes import AnyArray as Array, array_namespace

#: The shape of a matrix; of a product, the shapes of its layers.
Shape = Any


class Equivalence(NamedTuple):
    """kappa1 ||X||_F <= ||X||_dual <= kappa2 ||X||_F, both attained."""

    kappa1: float
    kappa2: float


@dataclass(frozen=True)
class Norm:
    """A norm with what steepest descent needs of it.

    Attributes:
        name: what it is called.
        of: ||X||, over the last two axes.
        dual: ||C||_dual = max <C, A> over ||A|| <= 1.
        lmo: argmin <C, A> over ||A|| <= 1, of several minimisers the one that optimizers use; at C = 0 some A.
        equivalence: from a shape to kappa1 and kappa2.

    Source: Cesista, section 1.2 and Theorem 8, approach 2; Shulgin et al., eq. (1).
    """

    name: str
    of: Callable[[Array], Array]
    dual: Callable[[Array], Array]
    lmo: Callable[[Array], Array]
    equivalence: Callable[[Shape], Equivalence]

    def rho(self, shape: Shape) -> float:
        """Return the least rho with ||X||_dual <= rho ||X||_F. Source: Shulgin et al., after eq. (2)."""
        return self.equivalence(shape).kappa2


def inner(C: Array, A: Array) -> Array:
    """Return <C, A>, the sum of products over the last two axes; over layers, the sum of theirs."""
    if isinstance(C, tuple):
        return sum(inner(c, a) for c, a in zip(C, A, strict=True))
    return (C * A).sum((-2, -1))


# --- one matrix ---


def _frobenius(X: Array) -> Array:
    return array_namespace(X).sqrt((X * X).sum((-2, -1)))


def _normalised(C: Array) -> Array:
    size = _frobenius(C)[..., None, None]
    return -C / array_namespace(C).where(size > 0, size, 1.0)


def singular_values(X: Array) -> Array:
    """Return the singular values of the matrices in the last two axes, the largest first."""
    return array_namespace(X).linalg.svd(X, compute_uv=False)


def polar(X: Array) -> Array:
    """Return U V^T of X = U S V^T: the nearest matrix whose singular values are all 1."""
    U, _, Vt = array_namespace(X).linalg.svd(X, full_matrices=False)
    return U @ Vt


#: SGD. Its dual is itself.
FROBENIUS = Norm("frobenius", _frobenius, _frobenius, _normalised, lambda shape: Equivalence(1.0, 1.0))

#: signSGD, and AdamW in coordinates that adapt: the largest entry; its dual is the sum of all.
MAX = Norm(
    "max",
    lambda X: array_namespace(X).abs(X).max((-2, -1)),
    lambda C: array_namespace(C).abs(C).sum((-2, -1)),
    lambda C: -array_namespace(C).sign(C),
    lambda shape: Equivalence(1.0, math.sqrt(math.prod(shape))),
)

#: Muon, and SOAP in coordinates that adapt: the largest singular value; its dual is their sum, the nuclear norm.
SPECTRAL = Norm(
    "spectral",
    lambda X: singular_values(X)[..., 0],
    lambda C: singular_values(C).sum(-1),
    lambda C: -polar(C),
    lambda shape: Equivalence(1.0, math.sqrt(min(shape))),
)

NORMS = {norm.name: norm for norm in (FROBENIUS, MAX, SPECTRAL)}


def named(name: str) -> Norm:
    """Return a norm by its name, or by that of an optimizer: sgd, signsgd, adamw, muon, soap.

    Raises:
        ValueError: neither.
    """
    chosen = OPTIMIZERS.get(name, name)
    if chosen not in NORMS:
        raise unknown("norm or optimizer", name, (*NORMS, *OPTIMIZERS))
    return NORMS[chosen]


# --- adaptive coordinates ---


def _scaled(norm: Norm, least: float, most: float) -> Callable[[Shape], Equivalence]:
    """A norm's equivalence in new coordinates: not attained in general, between the least and the largest scale."""

    def equivalence(shape: Shape) -> Equivalence:
        kappa1, kappa2 = norm.equivalence(shape)
        return Equivalence(kappa1 * least, kappa2 * most)

    return equivalence


def rescaled(norm: Norm, scale: Array) -> Norm:
    """Return the norm of X/scale, entry by entry: signSGD becomes AdamW, whose steps are scale times a sign.

    Args:
        norm: the norm in the new coordinates.
        scale: shape (m, n), > 0; AdamW's is the gradient's size over the root of its running mean square.

    Source: Cesista, Appendix A2, "adaptive".
    """
    xp = array_namespace(scale)
    return Norm(
        f"rescaled {norm.name}",
        lambda X: norm.of(X / scale),
        lambda C: norm.dual(C * scale),
        lambda C: scale * norm.lmo(C * scale),
        _scaled(norm, float(xp.min(scale)), float(xp.max(scale))),
    )


def preconditioned(norm: Norm, left: Array, right: Array) -> Norm:
    """Return the norm of left^-1 X right^-1: Muon becomes Shampoo and SOAP.

    Args:
        norm: the norm in the new coordinates.
        left: shape (m, m), invertible.
        right: shape (n, n), invertible.

    Source: Cesista, Appendix A2, "adaptive".
    """
    xp = array_namespace(left, right)
    undo_left, undo_right = xp.linalg.inv(left), xp.linalg.inv(right)
    sizes = [singular_values(factor) for factor in (left, right)]
    least, most = (math.prod(float(s[end]) for s in sizes) for end in (-1, 0))

    def covector(C: Array) -> Array:
        return left.mT @ C @ right.mT

    return Norm(
        f"preconditioned {norm.name}",
        lambda X: norm.of(undo_left @ X @ undo_right),
        lambda C: norm.dual(covector(C)),
        lambda C: left @ norm.lmo(covector(C)) @ right,
        _scaled(norm, least, most),
    )


# --- many layers ---

#: How the layers' norms are put together, and the dual of each way.
COMBINE = {"max": "sum", "sum": "max", "l2": "l2"}


def product(norms: Sequence[Norm], combine: str = "max") -> Norm:
    """Return the norm of a tuple of layers: h of the layers' norms, whose dual is h's dual of their duals.

    Args:
        norms: one for each layer.
        combine: h: "max" (every layer takes its own whole step, as Muon and Scion do), "sum" (the layer with
            the largest dual norm alone moves) or "l2" (steps in proportion to the dual norms).

    Raises:
        ValueError: no layer, or another h.

    Source: Cesista, section 1.
    """
    layers = tuple(norms)
    if not layers:
        raise bad("a product norm needs a layer", [], "product((SPECTRAL, MAX)), say")
    if combine not in COMBINE:
        raise unknown("way to combine layers", combine, COMBINE)

    def lmo(C: tuple[Array, ...]) -> tuple[Array, ...]:
        duals = _stacked([layer.dual(c) for layer, c in zip(layers, C, strict=True)])
        xp = array_namespace(duals)
        # How far each layer goes: the maximiser of the inner product with the duals over h <= 1.
        if combine == "max":
            shares = xp.ones_like(duals)
        elif combine == "sum":
            # Of layers that tie the first moves alone: any convex combination is as steep.
            first = xp.argmax(duals, axis=0)
            shares = xp.where(xp.arange(len(duals)).reshape(-1, *[1] * (duals.ndim - 1)) == first, 1.0, 0.0)
        else:
            size = xp.sqrt((duals**2).sum(0))
            shares = duals / xp.where(size > 0, size, 1.0)
        return tuple(shares[k][..., None, None] * layer.lmo(c) for k, (layer, c) in enumerate(zip(layers, C)))

    def equivalence(shapes: Sequence[Shape]) -> Equivalence:
        kappa1, kappa2 = zip(*(layer.equivalence(shape) for layer, shape in zip(layers, shapes, strict=True)))
        least, most = min(kappa1), max(kappa2)
        # The dual is a sum: least with all in one layer, most shared by size.
        if combine == "max":
            most = math.hypot(*kappa2)
        # The dual is a maximum: least where the layers' duals are all alike.
        if combine == "sum":
            least = 1.0 / math.hypot(*(1.0 / kappa for kappa in kappa1))
        return Equivalence(least, most)

    return Norm(
        f"{combine} of {', '.join(layer.name for layer in layers)}",
        lambda X: _combined([layer.of(x) for layer, x in zip(layers, X, strict=True)], combine),
        lambda C: _combined([layer.dual(c) for layer, c in zip(layers, C, strict=True)], COMBINE[combine]),
        lmo,
        equivalence,
    )


def _stacked(sizes: Sequence[Array]) -> Array:
    return array_namespace(*sizes).stack(sizes)


def _combined(sizes: Sequence[Array], how: str) -> Array:
    stacked = _stacked(sizes)
    if how == "l2":
        return array_namespace(stacked).sqrt((stacked**2).sum(0))
    return stacked.max(0) if how == "max" else stacked.sum(0)


def check_shape(shape: Sequence[int]) -> tuple[int, int]:
    """Return the shape of a matrix.

    Raises:
        ValueError: not two positive whole numbers.
    """
    sizes = tuple(shape)
    whole = all(isinstance(n, (int, np.integer)) and not isinstance(n, bool) and n > 0 for n in sizes)
    if len(sizes) != 2 or not whole:
        raise bad("a shape is two positive whole numbers", shape, "(128, 32), say")
    return int(sizes[0]), int(sizes[1])
