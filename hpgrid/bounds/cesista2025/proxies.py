"""The bounds as proxies, each written in iterations K and rewritten for tokens by K = T/b."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from hpgrid.bounds.cesista2025.arrays import Array, kept, space, sqrt
from hpgrid.bounds.cesista2025.decay import ROUNDING, in_domain
from hpgrid.bounds.cesista2025.parts import check_form, gap_parts, loss_parts, parts
from hpgrid.checks import bad, check_constants, is_number, unknown
from hpgrid.proxy import FunctionProxy, Term


def steepest(
    *,
    Delta0: float = 1.0,
    L: float = 1.0,
    sigma: float = 1.0,
    D: float = 1.0,
    G0: float = 1.0,
    lam: float = 0.0,
    W0: float = 0.0,
    kappa1: float = 1.0,
    kappa2: float = 1.0,
    L_F: float | None = None,
    sigma_F: float | None = None,
    form: str = "seed",
    norm: str = "dual",
    budget: str = "T",
) -> FunctionProxy:
    """Return the bound on the mean gradient norm of steepest descent; +inf outside its domain.

    X/K + Y/b + Z (Z with its sigma/b^(1/2)), or revised X/K + Y/b^(1/2) + Z: see ``parts``.

    Args:
        Delta0: f(W0) - inf f, > 0.
        L: smoothness constant, > 0.
        sigma: noise scale of a single sample's gradient, > 0.
        D: smoothness of half the squared dual norm, > 0.
        G0: the size of the gradient at the start, > 0.
        lam: weight decay, >= 0; the bound holds for lam eta <= 1.
        W0: norm of the weights at the start, >= 0; the bound holds for lam W0 <= 1.
        kappa1: norm equivalence, > 0; in the Frobenius norm alone, as the next three.
        kappa2: norm equivalence, >= kappa1.
        L_F: smoothness constant in the Frobenius norm; L where None.
        sigma_F: noise scale in the Frobenius norm; sigma where None.
        form: "seed" or "revised" (without weight decay, in the dual norm).
        norm: "dual" or "frobenius".
        budget: "T" for tokens, "K" for iterations.

    Source: Cesista, Theorems 8 and 11, and the revised form of the first.
    """
    decay = _decay(lam, W0, zero=True)
    check_form(form, norm, lam)
    constants = {"Delta0": Delta0, "L": L, "sigma": sigma, "D": D, "G0": G0, **decay}
    if norm == "frobenius":
        constants |= {"kappa1": kappa1, "kappa2": kappa2}
        constants |= {"L_F": L if L_F is None else L_F, "sigma_F": sigma if sigma_F is None else sigma_F}
    number = "the revised Theorem 8" if form == "revised" else f"Theorem {11 if lam else 8}"
    return _proxy(_Bound(_steepest, form, norm), constants, "steepest", number, budget)


def star_convex(
    *,
    Delta0: float = 1.0,
    L: float = 1.0,
    sigma: float = 1.0,
    D: float = 1.0,
    G0: float = 1.0,
    lam: float = 1.0,
    W0: float = 0.0,
    budget: str = "T",
) -> FunctionProxy:
    """Return the bound on f(W_K) - f* of a star-convex f under weight decay; +inf outside its domain.

    (1 - lam eta)^K Delta0 + (2/lam) (((1-beta)/(1+beta))^(1/2) beta + (1-beta)) D^(1/2) sigma/b^(1/2)
    + ((4 L/lam) (1 + beta^2/(1-beta)) + (2 beta/(1-beta)) G0) eta, for K >= 1, so b <= T.

    Args:
        Delta0: f(W0) - inf f, > 0.
        L: smoothness constant, > 0.
        sigma: noise scale of a single sample's gradient, > 0.
        D: smoothness of half the squared dual norm, > 0.
        G0: the size of the gradient at the start, > 0.
        lam: weight decay, > 0; the bound holds for lam eta <= 1.
        W0: norm of the weights at the start, >= 0; the bound holds for lam W0 <= 1.
        budget: "T" for tokens, "K" for iterations.

    Source: Cesista, revised, star-convex with weight decay.
    """
    constants = {"Delta0": Delta0, "L": L, "sigma": sigma, "D": D, "G0": G0, **_decay(lam, W0)}
    return _proxy(_Bound(_star_convex), constants, "star_convex", "the revised star-convex bound", budget)


def frank_wolfe(
    *,
    Delta0: float = 1.0,
    L: float = 1.0,
    sigma: float = 1.0,
    D: float = 1.0,
    G0: float = 1.0,
    lam: float = 1.0,
    W0: float = 0.0,
    budget: str = "T",
) -> FunctionProxy:
    """Return the bound on the mean Frank-Wolfe gap under weight decay; +inf outside its domain.

    Delta0/(lam eta K) + 2 G0 beta/((1-beta) lam K) + (2/lam) (((1-beta)/(1+beta))^(1/2) beta + (1-beta))
    D^(1/2) sigma/b^(1/2) + (2 L/lam) (1 + 2 beta^2/(1-beta)) eta, for K >= 1, so b <= T.

    Args:
        Delta0: f(W0) - inf f, > 0.
        L: smoothness constant, > 0.
        sigma: noise scale of a single sample's gradient, > 0.
        D: smoothness of half the squared dual norm, > 0.
        G0: the size of the gradient at the start, > 0.
        lam: weight decay, > 0; the bound holds for lam eta <= 1.
        W0: norm of the weights at the start, >= 0; the bound holds for lam W0 <= 1.
        budget: "T" for tokens, "K" for iterations.

    Source: Cesista, revised, the Frank-Wolfe gap.
    """
    constants = {"Delta0": Delta0, "L": L, "sigma": sigma, "D": D, "G0": G0, **_decay(lam, W0)}
    return _proxy(_Bound(_frank_wolfe), constants, "frank_wolfe", "the revised Frank-Wolfe gap", budget)


@dataclass(frozen=True)
class _Bound:
    """A risk function and its options; equal ones compare equal, so that each compiles once."""

    function: Callable[..., Array]
    form: str = "revised"
    norm: str = "dual"

    def __call__(self, eta: Array, b: Array, alpha: Array, K: Array, constants: Mapping[str, Array]) -> Array:
        c = dict(constants)
        inside = in_domain(eta=eta, lam=c.get("lam", 0.0), W0=c.pop("W0", 0.0))
        value = self.function(eta, b, alpha, K, c, self)
        return space(value).where(inside, value, np.inf)


def _steepest(eta: Array, b: Array, alpha: Array, K: Array, c: Mapping[str, Array], bound: _Bound) -> Array:
    X, Y, Z, Z_noise = parts(eta=eta, alpha=alpha, **c, form=bound.form, norm=bound.norm)
    return X / K + Z + (Y / sqrt(b) if bound.form == "revised" else Y / b + Z_noise / sqrt(b))


def _star_convex(eta: Array, b: Array, alpha: Array, K: Array, c: Mapping[str, Array], _: _Bound) -> Array:
    X, Y, Z, _none = loss_parts(eta=eta, alpha=alpha, **c)
    return _whole(K, kept(c["lam"] * eta, K) * X + Y / sqrt(b) + Z)


def _frank_wolfe(eta: Array, b: Array, alpha: Array, K: Array, c: Mapping[str, Array], _: _Bound) -> Array:
    X, Y, Z, _none = gap_parts(eta=eta, alpha=alpha, **c)
    return _whole(K, X / K + Y / sqrt(b) + Z)


def _whole(K: Array, value: Array) -> Array:
    """The bound where there is an iteration at all; else +inf."""
    return space(value).where(K >= 1.0 - ROUNDING, value, np.inf)


def _decay(lam: float, W0: float, zero: bool = False) -> dict[str, float]:
    """Weight decay and the size of the first weights, as constants; those that are 0 are left out."""
    if not (is_number(lam) and (lam >= 0 if zero else lam > 0)):
        raise bad(f"the weight decay lam must satisfy lam {'>=' if zero else '>'} 0", lam, "lam=0.1, say")
    if not (is_number(W0) and W0 >= 0):
        raise bad("the norm of the first weights must satisfy W0 >= 0", W0, "W0=0, say")
    return {name: value for name, value in (("lam", lam), ("W0", W0)) if value > 0}


def _proxy(bound: _Bound, constants: Mapping[str, float], name: str, number: str, budget: str) -> FunctionProxy:
    if budget not in ("T", "K"):
        raise unknown("budget", budget, ("T", "K"))
    caps = {"eta": Term({"lam": Fraction(-1)}, {})} if "lam" in constants else {}
    proxy = FunctionProxy(
        bound, check_constants(constants), "K", cap_terms=caps, name=name, source=f"Cesista, {number}"
    )
    return proxy.form(budget)
