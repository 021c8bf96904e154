"""Two routes that share no code: exact fractions against local exponents, on bounds that nobody chose.

100 random posynomials: 25 unbounded, 25 flat at leading order, 50 with one leading optimum.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pytest
from reference import minimum, posynomial, rounding

from hpgrid import Proxy, Term, exponents, refine
from hpgrid.asymptotics.law import Law

WANTED = {"unbounded": 25, "flat": 25, "unique": 50}

#: How many terms, by the number of variables: shapes that other tests here compile, too.
TERMS = {1: 3, 2: 5, 3: 5}

#: Where a law's error is first measured, and where it must have shrunk as its gap says.
EARLY, LATE = 1e30, 1e40

#: A solve's own error in an exponent.
SOLVER = 1e-9


@dataclass(frozen=True)
class Drawn:
    """A random bound and its exact law."""

    proxy: Proxy
    tuned: tuple[str, ...]
    law: Law

    @property
    def kind(self) -> str:
        if self.law.unbounded:
            return "unbounded"
        return "flat" if len(self.law.levels) > 1 or self.law.flat else "unique"

    @property
    def gap(self) -> float:
        """How far below a level the next-order terms are: the law's error falls like T^-gap."""
        p = self.law.exponent
        orders = [term.exponent("T") + sum(term.exponent(v) * p[v] for v in self.tuned) for term in self.proxy.terms]
        levels = [level.exponent for level in self.law.levels]
        steps = [level - order for level in levels for order in (*orders, *levels) if order < level]
        return float(min(steps)) if steps else np.inf


def drawn(random: np.random.Generator) -> Drawn:
    halves = [Fraction(k, 2) for k in range(-4, 5)]
    tuned = ("eta", "b", "alpha")[: random.integers(1, 4)]
    factors = [{v: halves[random.integers(9)] for v in tuned} for _ in range(TERMS[len(tuned)])]
    terms = [Term({f"c{k}": 1}, {**f, "T": Fraction(int(random.integers(-4, 1)), 2)}) for k, f in enumerate(factors)]
    proxy = Proxy(tuple(terms), {f"c{k}": float(np.exp(random.normal())) for k in range(len(terms))})
    used = tuple(v for v in tuned if any(f[v] for f in factors))
    return Drawn(proxy, used, exponents(proxy, used)) if used else drawn(random)


@pytest.fixture(scope="module")
def bounds() -> dict[str, list[Drawn]]:
    random, found = np.random.default_rng(24), {kind: [] for kind in WANTED}
    while any(len(found[kind]) < wanted for kind, wanted in WANTED.items()):
        new = drawn(random)
        if len(found[new.kind]) < WANTED[new.kind]:
            found[new.kind].append(new)
    return found


@pytest.mark.parametrize("kind", ["unique", "flat"])
def test_local_exponents_come_as_near_to_the_exact_ones_as_the_next_order_allows(kind: str, bounds: dict) -> None:
    """C T^-gap, with C from a budget ten decades before; a factor 2 for the orders after the next."""
    told = 0
    for bound in bounds[kind]:
        keys = [key for key, exponent in bound.law.exponent.items() if exponent is not None]
        local = refine(bound.proxy, bound.tuned, T=[EARLY, LATE])
        assert local.converged.all() or bound.law.flat
        early, late = np.max([np.abs(local.exponent[key] - float(bound.law.exponent[key])) for key in keys], axis=0)
        shrunk = 0.0 if np.isinf(bound.gap) else (LATE / EARLY) ** -bound.gap
        assert late <= 2 * early * shrunk + SOLVER, (bound.law.text(), [str(t) for t in bound.proxy.terms])
        told += bool(shrunk < 0.5)
        for name in set(bound.tuned) - set(keys):
            assert np.isnan(local.at[name]).all()  # neither route invents what is undetermined
    assert told == len(bounds[kind])  # a wrong exponent would not have shrunk


@pytest.mark.parametrize("kind", ["unique", "flat"])
def test_refinement_is_right_there_to_begin_with(kind: str, bounds: dict) -> None:
    """At 1e40, in a hundred digits: every third bound."""
    for bound in bounds[kind][::3]:
        if bound.law.flat:
            continue
        local = refine(bound.proxy, bound.tuned, T=LATE)
        exact = posynomial(bound.proxy, bound.tuned, LATE)
        box = [{"eta": (-690.0, 690.0), "b": (0.0, 690.0), "alpha": (-690.0, 0.0)}[v] for v in bound.tuned]
        best = minimum(exact, box, [np.log(float(local.at[v])) for v in bound.tuned])
        allowed = rounding(exact, best).exponent
        for name, truth, error in zip(bound.tuned, best.exponent, allowed):
            assert abs(float(local.exponent[name]) - float(truth)) <= error


def test_what_runs_off_runs_off_on_both_routes(bounds: dict) -> None:
    """Where several rays lead down, the two may name different ones: never a variable that has a law."""
    for bound in bounds["unbounded"]:
        local = refine(bound.proxy, bound.tuned, T=LATE)
        runs_off = {name for name in bound.tuned if local.unbounded[name]}
        assert not local.converged
        assert runs_off
        assert runs_off <= {name for name in bound.tuned if bound.law.exponent[name] is None}
        assert (local.risk == 0) == (bound.law.exponent["risk"] is None)
