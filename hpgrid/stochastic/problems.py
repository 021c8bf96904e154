"""Functions of a matrix whose L and Delta0 are known exactly, in each norm.

L is the least with ||grad f(Y) - grad f(X)||_dual <= L ||Y - X||, in the norm and its dual. For a diagonal H,
grad f = H * X entry by entry, and L = max ||H * Z||_dual over ||Z|| <= 1:

- Frobenius: the largest entry of H.
- Max-norm: the sum of H's entries, at Z of ones.
- Spectral, H with equal entries along each row, so that H * Z = A Z: ||A Z||_nuc <= sum_i s_i(A) s_i(Z) (von
  Neumann), the sum of A's min(m, n) largest entries, at a Z that has orthonormal rows there and zeros elsewhere.

The smoothed ones are (c^2 + s^2)^(1/2) - c, averaged over the N numbers s that the norm sees: the entries, the
singular values, or <X, H * X>^(1/2) with H's entries from 1 down (were they equal, every step of normalised SGD
would go straight through the minimum). Their gradients stay large until s is of the size of c, so that the minimum
is near. The second derivative in s is at most 1/c; of a function of the singular values the constant is that of the
function of the vector; so f is 1/(N c)-smooth in the Frobenius norm. With ||.||_dual <= N^(1/2) ||.||_F and
||.||_F <= N^(1/2) ||.||, L <= 1/c. It is attained at X = 0: along Z of ones, Z with all singular values 1, or H's
largest entry.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from hpgrid.checks import bad
from hpgrid.norms import MAX, NORMS, SPECTRAL, Norm, check_shape
from hpgrid.shapes import AnyArray as Array, array_namespace, sqrt

Shape = tuple[int, int]

#: The least curvature over the largest.
LEAST = 0.25


# --- the spectral norm of matrices with two rows or two columns, in closed form: no decomposition in a step ---
#
# Of columns x and y with Gram matrix [[p, q], [q, r]], the product of the singular values is s = (p r - q^2)^(1/2),
# their sum t = (p + r + 2 s)^(1/2), and U V^T = (X + X~)/t, where X~ = X [[r, -q], [-q, p]]/s has the two singular
# values swapped. Next to rank one, s has lost half its digits: there U V^T is right to 1e-7, elsewhere to rounding.


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
    """Return what the closed forms need of X, shape (..., m, 2) or (..., 2, n).

    ``ridge`` >= 0 is added to p and r: of [X; ridge^(1/2) I] the columns' products are these.
    """
    tall = X.shape[-1] == 2
    x, y = (X[..., 0], X[..., 1]) if tall else (X[..., 0, :], X[..., 1, :])
    p, q, r = (x * x).sum(-1) + ridge, (x * y).sum(-1), (y * y).sum(-1) + ridge
    product = sqrt(array_namespace(p).maximum(p * r - q * q, 0.0))
    return Gram(x, y, p, q, r, product, sqrt(p + r + 2.0 * product))


def together(x: Array, y: Array, like: Array) -> Array:
    """Return the matrix of two columns, or rows, as ``like`` has them."""
    return array_namespace(x).stack([x, y], -1 if like.shape[-1] == 2 else -2)


def spectral(X: Array) -> Array:
    """Return s1, half the sum of s1 + s2 and s1 - s2."""
    g = gram(X)
    return (g.total + sqrt(array_namespace(X).maximum(g.p + g.r - 2.0 * g.product, 0.0))) / 2.0


def polar(X: Array) -> Array:
    """Return U V^T; of a matrix of rank one its u v^T, which descends as far; 0 at 0."""
    g, xp = gram(X), array_namespace(X)
    # Of rank one the product is 0, and the part with swapped singular values has no weight.
    share = xp.where(g.product > 0.0, 1.0, 0.0) / xp.where(g.product > 0.0, g.product, 1.0)
    scale = 1.0 / xp.where(g.total > 0.0, g.total, 1.0)
    on, off_x, off_y = (part[..., None] for part in (g.q * share * scale, g.r * share, g.p * share))
    scale = scale[..., None]
    return together(g.x * (1.0 + off_x) * scale - g.y * on, g.y * (1.0 + off_y) * scale - g.x * on, X)


#: Muon's norm on such matrices.
THIN: Norm = replace(SPECTRAL, of=spectral, dual=lambda X: gram(X).total, lmo=lambda C: -polar(C))


def norm_of(name: str, shape: Any) -> Norm:
    """Return a norm by its name, in the form that is fastest for matrices of a shape."""
    return THIN if name == "spectral" and min(shape) == 2 else NORMS[name]


# --- objectives ---


class Form(NamedTuple):
    """f and its gradient over the last two axes, of NumPy's arrays or JAX's: functions of (X, parameters)."""

    loss: Callable[[Array, Array], Array]
    gradient: Callable[[Array, Array], Array]


@dataclass(frozen=True, eq=False)
class Objective:
    """An objective to minimise; its minimum is 0."""

    norm: Norm  # in which its constants are
    form: Form  # f and its gradient
    parameters: np.ndarray  # of ``form``
    start: np.ndarray  # where a run starts, shape (m, n)
    L: float  # smoothness constant
    Delta0: float  # f(start)
    G0: float  # ||grad f(start)||_dual: a bound above it says nothing


def quadratic(name: str, shape: Shape, *, size: float = 1.0, least: float = LEAST) -> Objective:
    """Return f = sum H X^2/2, with H's entries (in the spectral norm, its rows) from ``least`` to 1, and L.

    ``name`` is a norm's: "frobenius", "max" or "spectral". ValueError: not ||start|| = ``size`` > 0 and ``least``, the
    least curvature, in (0, 1].
    """
    m, n = check_shape(shape)
    if not (size > 0 and 0 < least <= 1):
        raise bad("a quadratic has size > 0 and 0 < least <= 1", (size, least), "size=1.0, least=0.25, say")
    rows = name == SPECTRAL.name
    values = np.linspace(1.0, least, m if rows else m * n)
    H = np.repeat(values, n).reshape(m, n) if rows else values.reshape(m, n)
    L = {MAX.name: values.sum(), SPECTRAL.name: values[: min(m, n)].sum()}.get(name, 1.0)
    return _objective(name, QUADRATIC, H, (m, n), size, float(L))


def smoothed(name: str, shape: Shape, *, size: float = 1.0, width: float = 0.25) -> Objective:
    """Return the smoothed norm of the module's head, a mean of (c^2 + s^2)^(1/2) - c, L = 1/c.

    ``name`` is a norm's: "frobenius", "max" or "spectral", with two rows or columns. ValueError: another shape, or not
    ||start|| = ``size`` > 0 and c = ``width`` > 0.
    """
    sizes = check_shape(shape)
    if not (size > 0 and width > 0):
        raise bad("a smoothed norm has size > 0 and width > 0", (size, width), "size=1.0, width=0.25, say")
    if name == SPECTRAL.name and min(sizes) != 2:
        raise bad("the smoothed nuclear norm needs two rows or two columns", shape, "(4, 2), say")
    return _objective(name, SMOOTHED[name], np.array([width]), sizes, size, 1.0 / width)


def _objective(name: str, form: Form, parameters: np.ndarray, shape: Shape, size: float, L: float) -> Objective:
    """Starts off all symmetries: no entry, and no singular value, meets 0 together with another."""
    norm = norm_of(name, shape)
    start = np.cos(np.arange(1.0, 1.0 + math.prod(shape)) ** 1.5).reshape(shape)
    start = start * (size / float(norm.of(start)))
    Delta0, G0 = float(form.loss(start, parameters)), float(norm.dual(form.gradient(start, parameters)))
    return Objective(norm, form, parameters, start, L, Delta0, G0)


QUADRATIC = Form(lambda X, H: (H * X * X).sum((-2, -1)) / 2.0, lambda X, H: H * X)


def _weighted(X: Array) -> Array:
    """H * X, H's entries from 1 down."""
    shape = X.shape[-2:]
    return np.linspace(1.0, LEAST, math.prod(shape)).reshape(shape) * X


def _root(squares: Array, width: Array) -> Array:
    return sqrt(width[0] ** 2 + squares)


def _smoothed_polar(X: Array, width: Array) -> Array:
    """X (c^2 I + X^T X)^(-1/2)/2, by the ridged Gram matrix: its adjugate, plus its root's determinant."""
    g = gram(X, width[0] ** 2)
    p, q, r = (part[..., None] for part in (g.p + g.product, g.q, g.r + g.product))
    return together(g.x * r - g.y * q, g.y * p - g.x * q, X) / (2.0 * g.product * g.total)[..., None, None]


SMOOTHED = {
    "frobenius": Form(
        lambda X, c: _root((_weighted(X) * X).sum((-2, -1)), c) - c[0],
        lambda X, c: _weighted(X) / _root((_weighted(X) * X).sum((-2, -1)), c)[..., None, None],
    ),
    "max": Form(
        lambda X, c: (_root(X * X, c) - c[0]).mean((-2, -1)),
        lambda X, c: X / _root(X * X, c) / float(math.prod(X.shape[-2:])),
    ),
    # (c^2 I + X^T X)^(1/2) has the trace that the ridged Gram matrix gives.
    "spectral": Form(lambda X, c: (gram(X, c[0] ** 2).total - 2.0 * c[0]) / 2.0, _smoothed_polar),
}
