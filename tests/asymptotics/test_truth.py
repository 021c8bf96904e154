"""Laws against the bound itself, minimised at huge budgets in 200 digits, and against brute force."""

from __future__ import annotations

from fractions import Fraction

import mpmath as mp
import numpy as np
import pytest

from hpgrid import bounds
from hpgrid.asymptotics import Law, exponents
from hpgrid.proxy import Proxy
from hpgrid.term import Term

mp.mp.dps = 200
F = Fraction

#: Constants of different sizes, so that no wrong power of one goes unseen.
LMO = {"C1": 2.0, "C2": 0.3, "C3": 7.0}
CASES = [
    ("theorem 1", bounds.lmo(**LMO), ("eta", "b"), {"fixed": {"alpha": 0.1}}),
    ("theorem 1, K", bounds.lmo(**LMO), ("eta",), {"fixed": {"alpha": 0.1, "b": 9.0}, "budget": "K"}),
    ("theorem 2", bounds.lmo(**LMO), ("eta", "alpha"), {"fixed": {"b": 37.0}}),
    ("theorem 3", bounds.lmo(**LMO), ("eta", "b", "alpha"), {}),
    ("exact", bounds.lmo_exact(Delta0=2.0, L=3.0, rho=1.5, sigma=0.2), ("eta", "b", "alpha"), {}),
    ("q below 1/2", bounds.lmo(**LMO, q="1/3"), ("eta", "b", "alpha"), {}),
    ("q above 1/2", bounds.lmo(**LMO, q="2/3"), ("eta", "b", "alpha"), {}),
    ("unmatched", bounds.lmo(**LMO, E0=5.0), ("eta", "b", "alpha"), {}),
    ("fixed eta", bounds.lmo(**LMO), ("b", "alpha"), {"fixed": {"eta": 0.02}}),
    ("capped b", bounds.lmo(**LMO), ("eta", "b", "alpha"), {"caps": {"b": 50.0}}),
    ("capped b, fixed alpha", bounds.lmo(**LMO), ("eta", "b"), {"caps": {"b": 50.0}, "fixed": {"alpha": 0.1}}),
    ("path below", bounds.lmo(**LMO), ("eta", "alpha"), {"path": {"b": F(1, 4)}}),
    ("path above", bounds.lmo(**LMO), ("eta", "alpha"), {"path": {"b": F(3, 4)}}),
    ("path at 1/2, inside", bounds.lmo(C2=9.0), ("eta", "alpha"), {"path": {"b": F(1, 2)}}),
]
IDS = [case[0] for case in CASES]
case = pytest.mark.parametrize(("proxy", "tuned", "regime"), [case[1:] for case in CASES], ids=IDS)


def real(fraction: Fraction) -> mp.mpf:
    return mp.mpf(fraction.numerator) / fraction.denominator


class Landscape:
    """A bound at one budget in the logarithms of some variables, the others held: terms as rows."""

    def __init__(self, proxy: Proxy, law: Law, regime: dict, T: mp.mpf, free: tuple[str, ...]) -> None:
        form = proxy.form(law.budget)
        held = {law.budget: mp.log(T)} | {v: mp.log(x) for v, x in regime.get("fixed", {}).items()}
        held |= {v: real(p) * mp.log(T) for v, p in regime.get("path", {}).items()}
        held |= {v: log_law(law, v, T) for v in law.tuned if v not in free}
        exact = [{v: real(f) for v, f in t.factors.items()} for t in form.terms]
        self.rows = mp.matrix([[row.get(v, 0) for v in free] for row in exact])
        self.logs = [
            mp.log(t.coefficient(form.constants)) + mp.fsum(p * held[v] for v, p in row.items() if v in held)
            for t, row in zip(form.terms, exact)
        ]

    def terms(self, x: mp.matrix) -> list[mp.mpf]:
        steps = (mp.fdot(zip(self.rows[k, :], x)) if x.rows else 0 for k in range(len(self.logs)))
        return [mp.exp(c + step) for c, step in zip(self.logs, steps)]

    def minimum(self, x: mp.matrix) -> mp.matrix:
        """Newton on the logarithm of the sum, from a point where it converges."""
        for _ in range(100):
            w = self.terms(x)
            w = [each / mp.fsum(w) for each in w]
            g = self.rows.T * mp.matrix(w)
            h = self.rows.T * mp.diag(w) * self.rows - g * g.T
            step = mp.lu_solve(h, -g)
            x = x + step
            if mp.norm(step) < mp.mpf(10) ** -90:
                return x
        raise AssertionError("no convergence")


def log_law(law: Law, name: str, T: mp.mpf) -> mp.mpf:
    """The law's logarithm, its power of the budget in full precision."""
    found = law.laws[name]
    return mp.log(found.constant) + real(found.exponent) * mp.log(T)


def gap(law: Law, proxy: Proxy, regime: dict) -> Fraction:
    """The smallest distance from a level to a term below it: laws are wrong by a factor 1 + O(T^-gap)."""
    at = {**law.exponent, **regime.get("path", {}), law.budget: F(1)}
    sizes = [sum((f * at.get(v, F(0)) for v, f in t.factors.items()), F(0)) for t in proxy.form(law.budget).terms]
    below = [(level.exponent - size) for level in law.levels for size in sizes if size < level.exponent]
    return min(below, default=F(1))


@case
def test_the_optimum_approaches_the_laws_as_fast_as_the_next_term_lets_it(
    proxy: Proxy, tuned: tuple[str, ...], regime: dict
) -> None:
    """Error = C T^-gap (1 + o(1)): from T = 1e60 to 1e120 it falls by 1e60^-gap, within a factor of 2.

    Constants are floats, so no error below 1e-11 is seen (a numeric law is solved to 1e-12).
    """
    law = exponents(proxy, tuned, **regime)
    free = tuple(v for v in law.tuned if v not in law.active)
    errors = []
    for T in (mp.mpf(10) ** 60, mp.mpf(10) ** 120):
        predicted = mp.matrix([log_law(law, v, T) for v in free])
        landscape = Landscape(proxy, law, regime, T, free)
        optimum = landscape.minimum(predicted)
        risk = mp.log(mp.fsum(landscape.terms(optimum)))
        errors.append(max(mp.norm(optimum - predicted, mp.inf), abs(risk - log_law(law, "risk", T))))
    fall = float(mp.mpf(10) ** (-60 * real(gap(law, proxy, regime))))
    assert errors[1] <= max(2 * fall * errors[0], 1e-11)
    assert errors[0] < 0.1


@case
def test_an_active_bound_is_where_the_optimum_pushes(proxy: Proxy, tuned: tuple[str, ...], regime: dict) -> None:
    """Off its bound by 1%, with the rest re-tuned, a variable costs more; off a law inside, too."""
    law = exponents(proxy, tuned, **regime)
    T = mp.mpf(10) ** 120
    for name in law.tuned:
        rest = tuple(v for v in law.tuned if v != name and v not in law.active)
        landscape = Landscape(proxy, law, regime, T, (*rest, name))
        start = mp.matrix([log_law(law, v, T) for v in (*rest, name)])
        best = mp.fsum(landscape.terms(profile(landscape, start)))
        inward = mp.mpf("-0.01") if "<=" in law.active.get(name, "") else mp.mpf("0.01")
        start[len(rest)] += inward
        assert mp.fsum(landscape.terms(profile(landscape, start))) > best


def profile(landscape: Landscape, x: mp.matrix) -> mp.matrix:
    """Minimise over all but the last variable."""
    if landscape.rows.cols == 1:
        return x
    inner = Landscape.__new__(Landscape)
    last = landscape.rows.cols - 1
    inner.rows = landscape.rows[:, :last]
    inner.logs = [c + landscape.rows[k, last] * x[last] for k, c in enumerate(landscape.logs)]
    return mp.matrix([*inner.minimum(x[:last, 0]), x[last]])


@case
def test_no_perturbation_goes_below_the_leading_term(proxy: Proxy, tuned: tuple[str, ...], regime: dict) -> None:
    """The leading program's value is a lower bound of the risk, everywhere; at the law it is met.

    What lies above it at the law is the terms below the leading order: what they are is the most
    that any perturbation can gain.
    """
    law = exponents(proxy, tuned, **regime)
    T = mp.mpf(10) ** 60
    landscape = Landscape(proxy, law, regime, T, law.tuned)
    leading = log_law(law, "risk", T)
    point = mp.matrix([log_law(law, v, T) for v in law.tuned])
    sizes = landscape.terms(point)
    below = mp.fsum(s for s in sizes if mp.log(s) < leading - mp.log(T) * real(gap(law, proxy, regime)) / 2)
    assert abs(mp.log(mp.fsum(sizes) - below) - leading) <= 1e-11
    draw = np.random.default_rng(0)
    for scale in (1e-3, 0.1, 3.0):
        for _ in range(30):
            x = point + mp.matrix([mp.mpf(s) for s in scale * draw.standard_normal(len(law.tuned))])
            x = clipped(x, law)
            assert mp.log(mp.fsum(landscape.terms(x))) >= leading - mp.mpf("1e-11")


def clipped(x: mp.matrix, law: Law) -> mp.matrix:
    """The point with every variable that its bound holds back within that bound."""
    caps = {v: mp.log(law.laws[v].constant) for v in law.active}
    for k, v in enumerate(law.tuned):
        lowest, highest = (0 if v == "b" else -mp.inf), (0 if v == "alpha" else mp.inf)
        if "<=" in law.active.get(v, ""):
            highest = min(highest, caps[v])
        x[k] = min(max(x[k], lowest), highest)
    return x


# --- random posynomials ---


def random_proxy(seed: int) -> Proxy:
    """Three to seven terms in eta, b, alpha with exponents in halves, and constants over two decades."""
    draw = np.random.default_rng(seed)
    count = int(draw.integers(3, 8))
    terms = []
    for k in range(count):
        factors = {v: F(int(draw.integers(-3, 4)), 2) for v in ("eta", "b", "alpha")}
        terms.append(Term({f"c{k}": F(1)}, factors | {"T": F(int(draw.integers(-4, 1)), 4)}))
    terms.append(Term({}, dict.fromkeys(("eta", "b", "alpha"), F(1)) | {"T": F(-9)}))
    return Proxy(tuple(terms), {f"c{k}": float(10 ** draw.uniform(-1, 1)) for k in range(count)})


@pytest.mark.parametrize("first", range(0, 200, 50))
def test_random_posynomials_meet_their_optimality_conditions(first: int) -> None:
    """The bound is convex in the logs, so a feasible stationary point with pushes outward is the optimum.

    At a budget where the next term is 1e-30 of a level, what is left is the rounding of the constants.
    The last level's curvature is T^-depth of the first's, and so many digits are kept, twice.
    """
    determined = 0
    for seed in range(first, first + 50):
        proxy = random_proxy(seed)
        law = exponents(proxy, ("eta", "b", "alpha"))
        if any(each is None for each in law.laws.values()):
            continue
        determined += 1
        decades = 30 / gap(law, proxy, {})
        depth = law.levels[0].exponent - law.levels[-1].exponent
        with mp.workdps(200 + int(2 * depth * decades)):
            check_optimality(proxy, law, mp.mpf(10) ** real(decades))
    assert determined >= 10


def check_optimality(proxy: Proxy, law: Law, T: mp.mpf) -> None:
    """Constants are floats, a numeric one known to 1e-12: 1e-9 leaves room for ill-conditioned products."""
    free = tuple(v for v in law.tuned if v not in law.active)
    landscape, predicted = Landscape(proxy, law, {}, T, free), mp.matrix([log_law(law, v, T) for v in free])
    optimum = landscape.minimum(predicted) if free else predicted
    assert all(abs(x) <= 1e-9 for x in optimum - predicted)
    assert all(x >= -1e-9 for x, v in zip(optimum, free) if v == "b")
    assert all(x <= 1e-9 for x, v in zip(optimum, free) if v == "alpha")
    sizes = landscape.terms(optimum)
    assert abs(mp.log(mp.fsum(sizes)) - log_law(law, "risk", T)) <= 1e-9
    for name in law.active:
        push = mp.fsum(s * real(t.factors[name]) for s, t in zip(sizes, proxy.terms))
        assert push * (1 if name == "b" else -1) > 0
