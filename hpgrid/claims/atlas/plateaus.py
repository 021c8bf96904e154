"""Bounds of the atlas along which something has no best value of its own: plateaus, and the linear rule."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from hpgrid import exponents
from hpgrid.claims.atlas.stated import bound, constants_of, law
from hpgrid.claims.cesista2025.moments import ROUNDING
from hpgrid.claims.ledger import Measured, claim, claims
from hpgrid.claims.measures import FAR, FAR_OUT, FARTHER, at_least, printed, same, settles
from hpgrid.proxy import Proxy
from hpgrid.readings import Reading, of_exponent
from hpgrid.refinement.profile import profile
from hpgrid.shapes import Floats as Array
from hpgrid.theory import atlas_laws as laws

# --- the largest of three terms ---
_BST = "Islamov, Corollary 4.1"

#: A problem with so much noise that the plateau begins above b = 1, at 36; budgets at which it is wide.
NOISY = {"L": 0.5, "rho": 1.5, "sigma": 4.0, "mu": 0.5}
BUDGETS = np.array([1e12, 1e20, FAR, FARTHER])

#: Batch sizes of a grid: 2001 to a budget, from b = 1 to T; its largest log step; the log of the last two budgets.
_CELLS = 2001
STEP, SPAN = float(np.log(BUDGETS[-1])) / (_CELLS - 1), float(np.log(FARTHER / FAR))


def _on_grid() -> tuple[Array, Array, Array]:
    """The least risk on a grid of batch sizes, its first and its last cell, at every budget; all that is off by
    rounding is least.
    """
    b = BUDGETS[:, None] ** np.linspace(0.0, 1.0, _CELLS)
    risk = bound("bst", **NOISY).risk(b=b, T=BUDGETS[:, None])
    least = risk.min(axis=1)
    best = risk <= least[:, None] * (1 + ROUNDING)
    return least, b[np.arange(len(b)), best.argmax(axis=1)], b[np.arange(len(b)), -1 - best[:, ::-1].argmax(axis=1)]


def _slope(values: Array) -> float:
    """The power of T between the last two budgets."""
    return float(np.log(values[3] / values[2])) / SPAN


@claim("A.bst.plateau", _BST, "every b from (mu rho sigma/L)^2 to (T mu rho sigma/L)^(2/3) is optimal")
def plateau() -> Measured:
    """The bound within it, and a hundredth beyond either end, over the least of the grid."""
    (least, _, _), (low, high), proxy = _on_grid(), laws.plateau(BUDGETS, **NOISY), bound("bst", **NOISY)
    inside = [proxy.risk(b=low * (high / low) ** x, T=BUDGETS) for x in np.linspace(0.0, 1.0, 101)]
    beyond = [proxy.risk(b=b, T=BUDGETS) / least for b in (low / 1.01, high * 1.01)]
    yield same("risk at 101 b of it over the least", "grid", inside, least, 3 * ROUNDING)
    formula = laws.plateau_risk(BUDGETS, **NOISY)
    yield same("risk at 101 b of it over the formula", "arithmetic", inside, formula, ROUNDING)
    # The terms beyond rise as b^(-1/6) and b.
    yield at_least("least risk a hundredth beyond", "arithmetic", float(np.min(beyond)), 1.01 ** (1 / 6), ROUNDING)


@claims(
    ("A.bst.low", _BST, "the plateau's lower end is free of T", 0, Fraction(0)),
    ("A.bst.high", _BST, "the plateau's upper end ~ T^(2/3)", 1, Fraction(2, 3)),
)
def end(which: int, power: Fraction) -> Measured:
    """The first or the last cell of a grid that is best, and the formula."""
    on_grid, formula = _on_grid()[1 + which], laws.plateau(BUDGETS, **NOISY)[which]
    yield same("end over the formula", "grid", on_grid, formula, STEP)
    what = "end ~ T^p, T = 1e40 to 1e60"
    yield of_exponent(what, "grid", _slope(on_grid), power, 2 * STEP / SPAN)
    yield of_exponent(what, "arithmetic", _slope(formula), power, ROUNDING)


@claim("A.bst.risk", _BST, "risk* ~ T^(-1/3)")
def bst_risk() -> Measured:
    least, formula = _on_grid()[0], laws.plateau_risk(BUDGETS, **NOISY)
    for route, risk in {"grid": least, "arithmetic": formula}.items():
        yield of_exponent("risk ~ T^p", route, _slope(risk), Fraction(-1, 3), ROUNDING)
    yield same("risk over (L rho^2 sigma^2/(mu^4 T))^(1/3)", "grid", least, formula, ROUNDING)


@claim("A.bst.b", _BST, "b* ~ T^(2/3)")
def bst_batch() -> Measured:
    """The powers of the first and of the last batch size that is best: on a grid, and on the exact program's face."""
    (_, *ends), face = _on_grid(), exponents(bound("bst", **NOISY), ("b",)).flat["b"]
    for which, end, exact in zip(("smallest", "largest"), ends, face):
        what, step = f"power of T of the {which} b that is best", 2 * STEP / SPAN
        yield Reading(what, "grid", _slope(end), Fraction(2, 3), step, identifiable=False)
        yield Reading(what, "exact", exact or Fraction(0), Fraction(2, 3), identifiable=False)
    yield "T^(2/3) is the upper end of a plateau: any power from 0 to 2/3 is as good, and the bound does not tell them"


# --- the constant corner of the functional scaling law ---
_FSL = "2602.14208, constant rate"

#: Its power s.
POWERS = (Fraction(1), Fraction(1, 2), Fraction(2))


@claims(
    ("A.functional_scaling.risk", _FSL, "risk* ~ T^(-s/(1+s))", "risk", ""),
    ("A.functional_scaling.linear", _FSL, "at a fixed T eta* ~ b: the linear rule is exact", "eta", " b"),
)
def functional(name: str, more: str) -> Measured:
    for s in POWERS:
        yield from law(bound("functional_scaling", s=s), f"{name} ~ T^({-s / (1 + s)}){more} @ fixed b", f"s = {s}")


@claim("A.functional_scaling.ratio", _FSL, "at a fixed T it depends on eta/b alone")
def functional_ratio() -> Measured:
    """At random points, both a thousandfold; and the exponents of every term along (1, 1)."""
    for s in POWERS:
        proxy = bound("functional_scaling", s=s)
        rng = np.random.default_rng(2026)
        eta, b, T = 10.0 ** rng.uniform([[-6], [0], [2]], [[0], [6], [12]], (3, 1000))
        moved, own = proxy.risk(eta=1e3 * eta, b=1e3 * b, T=T), proxy.risk(eta=eta, b=b, T=T)
        along = max((abs(sum(term.exponent(v) or 0 for v in ("eta", "b"))) for term in proxy.terms), default=0)
        yield same(f"1000 points, eta and b a thousandfold, s = {s}", "arithmetic", moved, own, ROUNDING)
        yield Reading(f"largest power of a term along (1, 1), s = {s}", "exact", Fraction(along), Fraction(0))


@claim("A.functional_scaling.b", "2602.14208, asked of it", "with eta tuned there is a best batch size, a power of T")
def functional_batch() -> Measured:
    proxy = bound("functional_scaling")
    smallest = exponents(proxy, ("eta", "b")).flat["b"][0] or Fraction(0)
    yield Reading("smallest power of T that is best", "exact", smallest, 0, identifiable=False)
    risks = np.asarray(profile(proxy, ("eta",), {"b": np.geomspace(1.0, 1e12, 13)}, FAR).risk)
    what, spread = "log of the largest over the least risk, b = 1 to 1e12, eta tuned", np.log(risks.max() / risks.min())
    yield Reading(what, "refined", float(spread), 0.0, ROUNDING, identifiable=False)
    yield "b is not identifiable, only eta/b: whatever b is held, eta follows it, and nothing is lost"


# --- SGD: no batch size is best ---
_SGD = "Ghadimi and Lan"


def _leading() -> Proxy:
    """The bound's leading terms as eta falls, eta L << 1."""
    return printed("D0/(eta*K) + L*eta*sigma**2/(2*b)", **constants_of("sgd_nonconvex")).form("T")


def _best(b: Array | float, T: Array | float) -> Array:
    """The learning rate with the least bound, the root of (N/2) eta^2 + L A eta = A, A = D0 b/T, N = L sigma^2/b."""
    of = constants_of("sgd_nonconvex")
    A, N = of["D0"] * b / T, of["L"] * of["sigma"] ** 2 / b
    return np.asarray(2 * A / (of["L"] * A + np.sqrt((of["L"] * A) ** 2 + 2 * N * A)))


@claims(
    ("A.sgd_nonconvex.eta", _SGD, "eta* ~ b T^(-1/2)", "eta = 2^1/2 D0^1/2 L^-1/2 sigma^-1 b T^-1/2 @ fixed b"),
    ("A.sgd_nonconvex.risk", _SGD, "risk* ~ T^(-1/2), whatever b", "risk = 2^1/2 D0^1/2 L^1/2 sigma T^-1/2 @ fixed b"),
)
def sgd(stated: str) -> Measured:
    """Of the leading terms, both routes; and the whole bound, where its own best learning rate is in closed form."""
    proxy, leading, eta = bound("sgd_nonconvex"), _leading(), _best(32.0, FAR_OUT)
    yield from law(leading, stated)
    best = profile(leading, ("eta",), {"b": 32.0}, FAR_OUT)
    risk, *off = (proxy.risk(eta=eta * x, b=32.0, T=FAR_OUT) for x in (1.0, 0.999, 1.001))
    yield settles("eta* of the whole bound over it", "arithmetic", eta / best.at["eta"])
    yield settles("risk* of the whole bound over it", "arithmetic", risk / best.risk)
    yield at_least("risk a thousandth off, over risk*", "arithmetic", float(np.min(off / risk)), 1.0, ROUNDING)


@claim("A.sgd_nonconvex.tokens", _SGD, "no batch size above 1 is token-optimal")
def sgd_tokens() -> Measured:
    """To leading order every one up to T^(1/2) is as good; the whole bound is least at b = 1, by what vanishes."""
    proxy = bound("sgd_nonconvex")
    b, T = np.geomspace(1.0, 1e6, 25), np.geomspace(1e12, 1e20, 9)[:, None]
    risks = proxy.risk(eta=_best(b, T), b=b, T=T)
    rise = float((risks[:, 1:] / risks[:, :-1]).min())
    one, million = (proxy.risk(eta=_best(b, FAR_OUT), b=b, T=FAR_OUT) for b in (1.0, 1e6))
    flat = exponents(_leading(), ("eta", "b")).flat
    yield Reading("power of T of b* to leading order is open", "exact", "b" in flat, True)
    yield at_least("least rise of risk* with b, T = 1e12 to 1e20", "arithmetic", rise, 1.0, ROUNDING)
    yield settles("risk* at b = 1e6 over that at b = 1", "arithmetic", million / one)


# --- variance reduction with a batch size ---
@claims(
    ("H.storm.b", "STORM; Muon-MVR", "where b is tuned, too, b* ~ T^(2/3)", "b ~ T^2/3"),
    ("H.storm.alpha", "STORM; Muon-MVR", "where b is tuned, too, no momentum is best: 1 - beta* = 1", "alpha = 1"),
    ("H.storm.risk", "STORM; Muon-MVR", "where b is tuned, too, risk* ~ T^(-1/3) as without", "risk ~ T^-1/3"),
)
def storm(stated: str) -> Measured:
    """A batch does what variance reduction does: both at once gain no order."""
    return law(bound("storm"), stated)
