"""Laws with logarithms, derived by hand, held against seeded random constants: no true one fails, no false one holds.

``python tests/statements/test_logarithms.py 100`` prints the table for a hundred constants of each bound.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction as F
from typing import Any

import numpy as np
import pytest

from hpgrid import Grid, bounds, parse, refine
from hpgrid.proxy import FunctionProxy
from hpgrid.readings import FAILS, HOLDS, UNIDENTIFIABLE
from hpgrid.statements import language, routes
from hpgrid.statements.check import check, verdict
from hpgrid.statements.stated import pose


@dataclass(frozen=True)
class Known:
    """A bound whose laws are known: budget^p (log budget)^q, (p, q) by variable."""

    bound: Callable[[Mapping[str, float]], Any]
    constants: tuple[str, ...]
    laws: Mapping[str, tuple[F, F]]
    fixed: Mapping[str, float] = field(default_factory=dict)


def written(text: str, **held: float) -> Callable[[Mapping[str, float]], Any]:
    return lambda constants: parse(text, {**constants, **held})


OF_STAR = ("lam", "Delta0", "L", "sigma", "D", "G0")
AT_BATCH = {"alpha": (F(-2, 3), F(2, 3)), "eta": (F(-1), F(1)), "risk": (F(-1, 3), F(1, 3))}

KNOWN = {
    # Delta0 e^-s + N/b^(1/2) + S s b/(lam T) with s = lam eta T/b. b = (N lam T/(2 S s))^(2/3) leaves
    # Delta0 e^-s + 3 (N^2 S s/(4 lam T))^(1/3), least where e^-s ~ T^(-1/3) s^(-2/3): s ~ log(T)/3.
    "star-convex, fixed momentum": Known(
        lambda c: bounds.star_convex(**c), OF_STAR,
        {"b": (F(2, 3), F(-2, 3)), "eta": (F(-1, 3), F(1, 3)), "risk": (F(-1, 3), F(1, 3))}, {"alpha": 0.05},
    ),
    # The same; as alpha falls N goes with alpha^(1/2) and S with 1/alpha: alpha ~ (s/T)^(2/3), eta = s b/(lam T).
    "star-convex, fixed batch size": Known(lambda c: bounds.star_convex(**c), OF_STAR, AT_BATCH, {"b": 64.0}),
    # The same in K = T/b.
    "star-convex, in iterations": Known(lambda c: bounds.star_convex(**c, budget="K"), OF_STAR, AT_BATCH, {"b": 64.0}),
    # l = 1 + log(T/b) ~ log(T)/2: eta = (D b/(L l T))^(1/2) leaves 2 (D L l b/T)^(1/2) + s/b^(1/2): b ~ (T/l)^(1/2).
    "SGD with 1 + log K": Known(
        written("D*b/(eta*T) + L*eta*(1+log(T/b)) + s/sqrt(b)"), ("D", "L", "s"),
        {"b": (F(1, 2), F(-1, 2)), "eta": (F(-1, 4), F(-3, 4)), "risk": (F(-1, 4), F(1, 4))},
    ),
    # R2 e^(-mu eta K) + 2 eta s2/mu, least at eta = log(mu^2 K R2/(2 s2))/(mu K).
    "strongly convex SGD": Known(
        written("(1-eta*mu)**K*R2 + 2*eta*s2/mu"), ("mu", "R2", "s2"), {"eta": (F(-1), F(1)), "risk": (F(-1), F(1))}
    ),
    # -log(1 - alpha) is alpha; with l = log(1 + R^2/(alpha e)) ~ log K, 4 d R^2 (l/(K alpha^(1/2)) + alpha^(1/2)) is
    # least at alpha = l/K; there l/(K alpha) = 1, and 2 R D0/(eta K) + 2 d R L eta ~ K^(-1/2) is (log K)^(1/2) smaller.
    "Adam with beta2": Known(
        written(
            "2*R*D0/(eta*K) + (4*d*R**2/sqrt(alpha)+eta*d*R*L/alpha)*(log(1+R**2/(alpha*e))/K - log(1-alpha))", e=1e-8
        ),
        ("R", "D0", "d", "L"), {"alpha": (F(-1), F(1)), "eta": (F(-1, 2), F(0)), "risk": (F(-1, 2), F(1, 2))},
    ),
}  # fmt: skip

#: What a false law is off by: the power of the budget, or that of its logarithm.
OFF, LOG_OFF = F(1, 20), F(1, 5)


def claims(known: Known, budget: str) -> Iterator[tuple[bool, str]]:
    """Every law, and false ones: a power off, a logarithm's power off, the logarithm left out."""
    for v, (p, q) in known.laws.items():
        for true, power, log in (
            (True, p, q), (False, p + OFF, q), (False, p - OFF, q), (False, p, q + LOG_OFF), (False, p, q - LOG_OFF),
            *([(False, p, F(0))] if q else []),
        ):  # fmt: skip
            yield true, f"{v} ~ {budget}^({power}) (log {budget})^({log})"


def told(name: str, count: int) -> Counter[tuple[bool, str]]:
    """Count what refinement says of true and of false laws, for random constants from 1e-2 to 1e2."""
    known, counts = KNOWN[name], Counter[tuple[bool, str]]()
    rng = np.random.default_rng(list(name.encode()))
    for _ in range(count):
        proxy = known.bound(dict(zip(known.constants, (10 ** rng.uniform(-2, 2, len(known.constants))).tolist())))
        assert isinstance(proxy, FunctionProxy)
        subject = routes.Subject(proxy, Grid.footnote(10))  # which is not searched
        for true, claim in claims(known, proxy.budget):
            stated = pose(language.parse(claim), proxy, fixed=known.fixed)
            counts[true, verdict(routes.refined_readings(subject, stated, logs=True))] += 1
    return counts


@pytest.mark.parametrize("name", [
    pytest.param(name, marks=[pytest.mark.thorough] if "momentum" in name else [])
    for name in KNOWN if name != "star-convex, in iterations"
])  # fmt: skip
def test_whatever_the_constants_no_true_law_fails_and_no_false_one_holds(name: str) -> None:
    counts = told(name, 3)
    assert counts[True, FAILS] == counts[False, HOLDS] == 0
    # Adam's second term is behind the first by (log K)^(1/2) alone: of some constants no float tells them apart.
    assert counts[True, HOLDS] + counts[False, FAILS] >= (0.6 if "Adam" in name else 0.9) * counts.total()


def test_laws_whose_first_correction_changes_its_sign_along_the_ladder_hold() -> None:
    star = bounds.star_convex(lam=0.5, Delta0=3.0, sigma=2.0, L=1.5, G0=0.7)
    sgd = KNOWN["SGD with 1 + log K"].bound({"D": 6.818, "L": 14.34, "s": 15.73})
    for proxy, claim, fixed in ((star, "b ~ (T/log T)^(2/3)", {"alpha": 0.05}), (sgd, "b ~ T^1/2 (log T)^-1/2", {})):
        (found,) = check(proxy, claim, fixed=fixed)
        assert found.verdict == HOLDS
        assert all(reading.verdict == HOLDS for reading in found.readings)


def test_where_a_term_is_left_behind_by_the_logarithm_alone_the_logarithm_can_not_be_told() -> None:
    """With L = 1e8 Adam's eta d R L l/(K alpha) rules at all budgets that are floats: alpha ~ (log K)^(2/3)/K."""
    proxy = KNOWN["Adam with beta2"].bound({"R": 1.0, "D0": 1.0, "d": 1.0, "L": 1e8})
    wanted = {
        "alpha ~ K^-1 log K": UNIDENTIFIABLE,
        "alpha ~ K^-1 (log K)^(2/3)": UNIDENTIFIABLE,
        "alpha ~ K^-0.9": FAILS,
    }
    subject = routes.Subject(proxy, Grid.footnote(10))
    stated = [pose(language.parse(claim), proxy) for claim in wanted]
    readings = [routes.refined_readings(subject, each, logs=True) for each in stated]
    assert [verdict(each) for each in readings] == [*wanted.values()]
    assert float(readings[0][1].measured) == pytest.approx(2 / 3, abs=0.02)


def test_a_law_of_which_a_part_is_no_float_far_out_is_read_as_far_as_it_is_one() -> None:
    """log(T) T^-3/eta + eta: eta = (log T)^(1/2) T^(-3/2). From T = 1e108 on T^-3 is 0 in floats, and eta runs off."""
    proxy = parse("log(T)*T**-3/eta + eta")
    wanted = {"eta ~ T^-3/2 (log T)^1/2": HOLDS, "risk ~ T^-3/2 (log T)^1/2": HOLDS, "eta ~ T^-3/2": FAILS}
    found = check(proxy, wanted)
    assert {one.claim: one.verdict for one in found} == wanted
    assert all(reading.verdict == HOLDS for one in found[:2] for reading in one.readings)
    lost = refine(proxy, ("eta",), T=1e182)
    assert (float(lost.risk), bool(lost.unbounded["eta"])) == (0.0, True)


if __name__ == "__main__":
    for name in KNOWN:
        counts = told(name, int(sys.argv[1]))
        print(f"{name:30}", {f"{true} {said}": n for (true, said), n in sorted(counts.items())})
