"""Theorem 12 and the discussion: the critical batch size, and how universal it is."""

from __future__ import annotations

from typing import Any

import numpy as np

from hpgrid import bounds as proxies
from hpgrid.bounds import cesista2025 as bounds, lemmas
from hpgrid.claims.cesista2025.moments import CLOSE, CONSTANTS, ROUNDING, at
from hpgrid.claims.ledger import Measured, claim
from hpgrid.claims.measures import at_least, at_most, below, printed, refined, same, value
from hpgrid.critical import tokens
from hpgrid.critical.tokens import Iterations, iterations_of_mean
from hpgrid.readings import Reading
from hpgrid.refinement.profile import bisect
from hpgrid.theory import batch_sizes as theory

#: A bound X/K + Y/b + Z with Z constant, as the theorem takes it, and its target.
PRINTED, TARGET = bounds.Parts(50.0, 0.3, 0.0, 0.0), 0.2
LEAST = PRINTED.Y / TARGET

#: Batch sizes from just above the smallest feasible one.
BATCHES = LEAST * (1 + np.geomspace(1e-2, 1e3, 20_001))
ALPHA, ETA = 0.05, 1e-4

#: A problem whose gradient at the start, 10, is far above Z: targets between the two say something.
PROBLEM: dict[str, Any] = {"Delta0": 100.0, "L": 0.7, "sigma": 130.0, "D": 1.2, "G0": 10.0}

#: What is left of a target, eps', from far above Z to next to it.
EPS_PRIMES = (8.0, 4.0, 2.0)


def _first_form(eps_prime: float) -> tuple[bounds.Parts, Iterations, float]:
    """Theorem 8's bound; K(b) at a target Z + eps', every dependence on b kept; the smallest b that reaches it."""
    parts = bounds.parts(eta=ETA, alpha=ALPHA, **PROBLEM)
    smallest = float(theory.smallest(parts.Y, parts.Z_noise, eps_prime))
    return parts, iterations_of_mean(parts, "seed", eps_prime), smallest


@claim("C.thm12.K", "Theorem 12, proof", "K(b) = X b/(epsilon' b - Y) falls with b and is convex")
def iterations() -> Measured:
    K = PRINTED.X * BATCHES / (TARGET * BATCHES - PRINTED.Y)
    meets = PRINTED.X / K + PRINTED.Y / BATCHES
    # K and b themselves, not their logs: convexity is claimed of K(b).
    slopes = np.diff(K) / np.diff(BATCHES)
    yield same("X/K + Y/b at K(b) over epsilon'", "arithmetic", meets, TARGET, ROUNDING)
    yield at_most("largest dK/db", "arithmetic", float(slopes.max()), 0.0)
    yield at_most("largest fall of dK/db from one b to the next", "arithmetic", float(-np.diff(slopes).min()), 0.0)


@claim("C.thm12.tokens", "Theorem 12", "b K(b) is convex and least at b = 2 Y/epsilon'")
def tokens_as_printed() -> Measured:
    """With Z constant, as the theorem has it."""
    needed = iterations_of_mean(PRINTED, "seed", TARGET)
    slopes = np.diff(BATCHES * needed(BATCHES)) / np.diff(BATCHES)
    fewest, step = tokens.on_grid(needed, LEAST)
    formula = theory.theorem12_of(PRINTED.Y, TARGET)
    yield same("argmin over 2 Y/epsilon'", "grid", fewest.b, formula, step)
    yield same("least over 2 Y/epsilon'", "refined", tokens.fewest(needed, LEAST).b, formula, tokens.FLAT)
    yield at_most("largest fall of d(bK)/db from one b to the next", "grid", float(-np.diff(slopes).min()), 0.0)


@claim("C.thm12.Z", "Theorem 12, proof", "Z is a constant independent of T and b")
def constant() -> Measured:
    """The fewest tokens against 2 Y/epsilon', Z at b -> infinity; and what that costs."""
    notes = []
    for eps_prime in EPS_PRIMES:
        parts, needed, smallest = _first_form(eps_prime)
        fewest, step = tokens.on_grid(needed, smallest)
        formula = float(theory.theorem12_of(parts.Y, eps_prime))
        cost = tokens.point(needed, formula).tokens / fewest.tokens
        then = f"costs {cost:.3g} times the fewest tokens" if cost < np.inf else "never gets there"
        notes.append(f"at epsilon' = {eps_prime:g} b* is {fewest.b / formula:.3g} times the formula, which {then}")
        yield same(f"b* over 2 Y/epsilon', epsilon' = {eps_prime:g}", "grid", fewest.b, formula, step)
    yield from "Theorem 8's Z holds sigma/b^(1/2): " + "; ".join(notes)


@claim("H.thm12.itself", "Cesista, Theorem 12, Z read at b", "b = 2 Y/(epsilon - Z(b)) gets there, with more tokens")
def at_itself() -> Measured:
    """The other reading of Z: the formula's own fixed point, between the smallest batch size and the best."""
    notes = []
    for eps_prime in EPS_PRIMES:
        parts, needed, smallest = _first_form(eps_prime)
        fewest, step = tokens.on_grid(needed, smallest)
        formula = float(theory.self_consistent(parts.Y, parts.Z_noise, eps_prime))
        notes.append(f"{tokens.point(needed, formula).tokens / fewest.tokens:.3g} times at epsilon' = {eps_prime:g}")
        yield below(f"log of it over b*, epsilon' = {eps_prime:g}", "grid", np.log(formula / fewest.b), 0.0, step)
        yield below(f"the smallest b over it, epsilon' = {eps_prime:g}", "arithmetic", smallest / formula, 1.0)
    yield f"too small: the tokens are {', '.join(notes)}"


@claim("H.thm12.closed", "Cesista, Theorem 12, sigma/b^(1/2) kept", "b* = u^-2, 4 Y u^2 + 3 Z' u = 2 epsilon'")
def closed_form() -> Measured:
    """What the formula would be: stationarity of u^2 (epsilon' - Z' u - Y u^2), by three routes.

    By ``refine``: at the fewest tokens the least bound over b is the target, and it is at b*.
    """
    text = "X*b/T + Y/b + noise/sqrt(b) + Z"
    for eps_prime in EPS_PRIMES:
        parts, needed, smallest = _first_form(eps_prime)
        closed = float(theory.fewest_tokens(parts.Y, parts.Z_noise, eps_prime))
        gridded, step = tokens.on_grid(needed, smallest)
        least = tokens.fewest(needed, smallest)
        budget = tokens.point(needed, closed).tokens
        bound = printed(text, X=parts.X, Y=parts.Y, noise=parts.Z_noise, Z=parts.Z)
        optimum = refined(bound, at("b"), budget)
        of = f", epsilon' = {eps_prime:g}"
        yield same(f"argmin over u^-2{of}", "grid", gridded.b, closed, step)
        yield same(f"fewest tokens over u^-2{of}", "refined", least.b, closed, tokens.FLAT)
        yield same(f"b of the least bound at their tokens{of}", "refined", value(optimum, "b"), closed)
        yield same(f"the least bound over epsilon{of}", "refined", value(optimum, "risk"), float(parts.Z) + eps_prime)
        yield same(
            f"the bound at b* and these tokens over epsilon{of}",
            "arithmetic",
            proxies.steepest(**PROBLEM).risk(eta=ETA, b=closed, alpha=ALPHA, T=budget),
            float(parts.Z) + eps_prime,
        )
    yield "the minimiser that follows once Z's part with b is kept"


@claim("C.thm12.never", "Theorem 12", "b_crit reaches epsilon whenever epsilon' = epsilon - Z > 0")
def reaches() -> Measured:
    """b_crit over the smallest batch size that does; and the target from which on it does."""
    parts, *_ = _first_form(1.0)
    for eps_prime in EPS_PRIMES:
        ratio = float(theory.theorem12_of(parts.Y, eps_prime) / tokens.smallest(_first_form(eps_prime)[1]))  # type: ignore[operator]
        yield at_least(f"b_crit over the smallest b, epsilon' = {eps_prime:g}", "refined", ratio, 1.0)

    def arrives(eps_prime: float) -> bool:
        return bool(np.isfinite(_first_form(eps_prime)[1](theory.theorem12_of(parts.Y, eps_prime))))

    from_on = bisect(lambda eps_prime: not arrives(eps_prime), 1e-6, 1e6)
    closed = float(parts.Z_noise**2 / (theory.NEVER * parts.Y))
    # At the crossing what is left for iterations is 0: a difference of numbers of the size of room.
    yield same("epsilon' from which on it does, over 2 Z'^2/Y", "refined", from_on, closed, 4 * ROUNDING)
    yield (
        f"only for epsilon' > 2 Z'^2/Y, here {closed:.3g}: below, sigma/b^(1/2) alone takes what the formula leaves. "
        "2 Z'^2/Y is 4 D at most, by Jensen's inequality on Corollary 7's two moments, and falls to 2 D as beta -> 1, "
        "whatever sigma"
    )


@claim("H.thm12.convex", "Cesista, Theorem 12, sigma/b^(1/2) kept", "b K(b) turns concave once, beyond its one minimum")
def convex() -> Measured:
    """Where the second derivative turns, on a grid and in closed form."""
    parts, needed, smallest = _first_form(EPS_PRIMES[1])
    shape = tokens.shape(needed, smallest)
    turns = theory.inflection(float(parts.Y), float(parts.Z_noise), EPS_PRIMES[1])
    best = float(theory.fewest_tokens(parts.Y, parts.Z_noise, EPS_PRIMES[1]))
    yield Reading("one minimum", "grid", shape.one_minimum, True)
    # A second difference spans two steps, and next to the turn it is rounding for another two.
    yield same("where it turns concave over the cubic's root", "grid", shape.convex_to, turns, 4 * shape.step)
    yield below("b* over where it turns", "grid", best / shape.convex_to, 1.0, 4 * shape.step)
    yield f"convex up to b = {turns / best:.3g} b* alone, not everywhere: its log is convex in log b"


@claim("C.thm12.decay", "Theorem 12", "b_crit is the fewest-token batch size for any epsilon with epsilon - Z > 0")
def trivial() -> Measured:
    """The smallest such epsilon over 2 L/lam, below which any weights in the ball are."""
    lam = np.geomspace(1e-3, 1e2, 501)
    least = np.inf
    for D in np.geomspace(1e-3, 1e3, 601):
        Z = bounds.parts(eta=1e-12, alpha=ALPHA, lam=lam, D=D).Z
        least = min(least, float((Z / lemmas.gradient_norm(lam)).min()))
    yield Reading("least epsilon over 2 L/lam", "arithmetic", least, 1.0, ROUNDING, ">=", empty=True)
    yield "with weight decay such an epsilon holds before the first step, at zero tokens (C.thm11.vacuous)"


@claim("C.disc.approximation", "section 5", "(3 beta + 1)(1-beta)/(1+beta) ~ (2 beta + 1)(1-beta)")
def approximation() -> Measured:
    """The quotient at both ends, each read closer and closer; and where it is 10% off."""

    def quotient(beta: Any) -> Any:
        return (2 * beta + 1) * (1 - beta) / ((3 * beta + 1) * (1 - beta) / (1 + beta))

    beta = np.linspace(0, 0.999, 1000)
    off = float(beta[np.argmax(quotient(beta) > 1.1)])
    for end, near, far in ((0.0, 1e-3, 1e-6), (1.0, 1 - 1e-3, 1 - 1e-6)):
        change = abs(quotient(far) - quotient(near))
        yield Reading(f"quotient as beta -> {end:g}", "arithmetic", quotient(far), 1.0, CLOSE + change)
    yield (
        "~: within a tenth. "
        f"(1 + beta)(2 beta + 1)/(3 beta + 1): 1 at beta = 0, 3/2 at 1. It is 10% too large from beta = {off:.2f} on, "
        f"{quotient(0.9) - 1:.0%} at 0.9, {quotient(0.95) - 1:.0%} at 0.95; 2 (1-beta) serves better there"
    )


@claim("C.disc.universal", "abstract; section 5", "the critical batch size holds across norms: Y does not depend on it")
def universal() -> Measured:
    """sigma^2 of the same Gaussian noise, 128 x 32, in the nuclear and in the 1-norm, over that in Frobenius'."""
    rng = np.random.default_rng(2025)
    noise = rng.standard_normal((100, 128, 32))
    squares = {
        "Frobenius": (noise**2).sum((1, 2)),
        "nuclear": np.linalg.svd(noise, compute_uv=False).sum(1) ** 2,
        "1-norm": np.abs(noise).sum((1, 2)) ** 2,
    }
    for name in ("nuclear", "1-norm"):
        ratios = squares[name] / squares["Frobenius"]
        error = 4 * float(ratios.std(ddof=1) / np.sqrt(len(ratios)))
        yield Reading(f"sigma^2, {name} over Frobenius", "arithmetic", float(ratios.mean()), 1.0, error)
    yield (
        "the formula is the same in each norm, its sigma is not: sigma^2 is the noise's second moment in the dual "
        "norm, so that the same noise and the same target have another b_crit in each"
    )


@claim("C.disc.D", "section 5", "only X and Z depend on the choice of norm, through D and the kappas")
def through_D() -> Measured:
    """Theorem 11's constants at D = 1 and 10: which of them change."""
    parts = [bounds.parts(**{**CONSTANTS, "D": D}, eta=ETA, alpha=ALPHA, lam=0.3) for D in (1.0, 10.0)]
    changed = {name: bool(getattr(parts[0], name) != getattr(parts[1], name)) for name in ("X", "Y", "Z")}
    for n in changed:
        yield Reading(f"{n} depends on D", "arithmetic", changed[n], n != "Y")
