"""Appendix A1: how the learning rate follows the batch size."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import erfc

import numpy as np

from hpgrid import bounds as proxies
from hpgrid.bounds import cesista2025 as bounds
from hpgrid.claims.cesista2025.routes import CONSTANTS, ROUNDING, at
from hpgrid.claims.ledger import Finding, Reading, claim
from hpgrid.claims.readings import at_most
from hpgrid.claims.routes import elasticity


def _power(values: Sequence[float], b: Sequence[float]) -> float:
    """d log value / d log b between two batch sizes."""
    return float(np.log(values[1] / values[0]) / np.log(b[1] / b[0]))


@claim("C.A1.bound", "Proposition A1.14", "the update's noise has E||.||^2 proportional to eta^2/b")
def update_noise() -> Finding:
    """The power of b in eta^2 times Corollary 7's second moment, which the proof uses, once the run is long."""
    own = {**{k: CONSTANTS[k] for k in ("L", "sigma", "D", "G0")}, "alpha": 0.05}
    powers = {}
    for eta in (1e-12, 1e-2):
        ends = [eta**2 * sum(bounds.mean_nesterov_error(2, 1e30, eta=eta, b=b, **own)) for b in (64.0, 128.0)]
        powers[eta] = _power((ends[0], ends[1]), (64.0, 128.0))
    # Where L eta is small, the drift's share of the moment bounds how far the power is from -1.
    still = bounds.mean_nesterov_error(2, 1e30, eta=1e-12, b=128.0, **own)
    share = float((still.start + still.drift) / still.noise)
    return Finding(
        (
            Reading("power of b, eta = 1e-12", "arithmetic", powers[1e-12], -1.0, 2 * share + ROUNDING),
            Reading("power of b, eta = 0.01", "arithmetic", powers[1e-2], -1.0, 2 * share + ROUNDING),
        ),
        "the drift, (4 beta^3/(1-beta)^2) L^2 eta^2, does not fall with b: 'O(1/T + 1)' stays, and eta^2/b holds only "
        "while L eta is below (1-beta)^(3/2) D^(1/2) sigma/b^(1/2), up to a constant; its constant "
        "2 (1-beta)/(1+beta) is M_t's, not C_t's",
    )


@claim("C.A1.lipschitz", "Assumption A1.13", "the oracle is Lipschitz, so that its noise falls as the gradient's, 1/b")
def lipschitz() -> Finding:
    """signSGD in one dimension: E|sign(g + xi) - sign(g)|^2 is 4 P(the sign flips), xi normal of variance 1/b."""
    g, b = 0.1, (100.0, 400.0)
    flips = tuple(4 * 0.5 * erfc(g * np.sqrt(x) / np.sqrt(2)) for x in b)
    far = tuple(4 * 0.5 * erfc(1e-6 * np.sqrt(x) / np.sqrt(2)) for x in b)
    quotient = 2 / (2 * 1e-9)
    return Finding(
        (
            Reading("power of b, g = sigma/10, b = 100 to 400", "arithmetic", _power(flips, b), -1.0, ROUNDING),
            Reading("power of b, g = 1e-6 sigma", "arithmetic", _power(far, b), -1.0, ROUNDING),
            at_most("|sign(x) - sign(-x)|/2x at x = 1e-9, to its value at 1", "arithmetic", quotient, 1.0),
        ),
        "sign, orthogonalise and normalise jump: no constant exists. The update's noise falls exponentially where the "
        "gradient stands out, and not at all where it does not",
    )


@claim("C.A1.tokens", "A1", "it is best to scale eta with b^(1/2): at a fixed token budget")
def in_tokens() -> Finding:
    held = {"alpha": 0.05}
    found, error = elasticity(proxies.steepest(**CONSTANTS, form="revised"), at("eta", fixed=held), "eta", "b")
    seed, seed_error = elasticity(proxies.steepest(**CONSTANTS), at("eta", fixed=held), "eta", "b")
    return Finding(
        (
            Reading("eta* ~ b^p, revised Theorem 8", "refined", found, Fraction(1, 2), error),
            Reading("eta* ~ b^p, Theorem 8", "refined", seed, Fraction(1, 2), seed_error),
        ),
        "because K = T/b falls, not because noise does: the bound's noise does not hold eta",
    )


@claim("C.A1.iterations", "A1", "it is best to scale eta with b^(1/2): at a fixed number of iterations")
def in_iterations() -> Finding:
    proxy = proxies.steepest(**CONSTANTS, form="revised")
    found, error = elasticity(proxy, at("eta", fixed={"alpha": 0.05}, budget="K"), "eta", "b")
    return Finding(
        (Reading("eta* ~ b^p, revised Theorem 8", "refined", found, Fraction(1, 2), error),),
        "at a fixed K the bound's best eta does not depend on b at all: to keep the noise is another aim",
    )
