"""What the literature reads off the Frank-Wolfe gap under weight decay."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from hpgrid import bounds as proxies
from hpgrid.claims.cesista2025.routes import CONSTANTS, LAM, at
from hpgrid.claims.ledger import Finding, Reading, claim
from hpgrid.claims.routes import elasticity, exponent, power_in, setting, settled
from hpgrid.proxy import Proxy, Term
from hpgrid.theory import frank_wolfe as stated

PROXY = proxies.frank_wolfe(**CONSTANTS, lam=LAM)
ALPHA, BATCH = 0.05, 32.0

_HALF = Fraction(1, 2)

#: The gap's leading terms as alpha falls, up to constants: progress, burn-in, noise, drift.
LEADING = Proxy(
    (
        Term({"C1": Fraction(1)}, {"eta": Fraction(-1), "K": Fraction(-1)}),
        Term({"C0": Fraction(1)}, {"alpha": Fraction(-1), "K": Fraction(-1)}),
        Term({"C2": Fraction(1)}, {"alpha": _HALF, "b": -_HALF}),
        Term({"C3": Fraction(1)}, {"eta": Fraction(1), "alpha": Fraction(-1)}),
    ),
    {"C0": 1.0, "C1": 1.0, "C2": 1.0, "C3": 1.0},
    "K",
).form("T")


def _in_tokens(name: str, tuned: tuple[str, ...], predicted: Fraction, **held: Any) -> Finding:
    found, error = settled(PROXY, at(*tuned, fixed=held), name)
    return Finding(
        (
            Reading(f"{name} ~ T^p", "refined", found, predicted, error),
            Reading(
                f"{name} ~ T^p, leading terms", "exact", exponent(LEADING, setting(*tuned, **held), name), predicted
            ),
        )
    )


def _in_batch(name: str, note: str) -> Finding:
    tuned, predicted = ("eta", "alpha"), stated.IN_BATCH[name]
    found, error = elasticity(PROXY, at(*tuned), name, "b")
    law = power_in(LEADING, setting(*tuned, b=BATCH), name, "b")
    return Finding(
        (
            Reading(f"{name} ~ b^p, T = 1e60", "refined", found, predicted, error),
            Reading(f"{name} ~ b^p, leading terms", "exact", law, predicted),
        ),
        note,
    )


@claim("C.fw.b", "literature, Frank-Wolfe gap, fixed beta", "b* ~ T^(1/2)")
def batch_size() -> Finding:
    return _in_tokens("b", ("eta", "b"), stated.FIXED_MOMENTUM["b"], alpha=ALPHA)


@claim("C.fw.eta", "literature, Frank-Wolfe gap, fixed beta", "eta* ~ T^(-1/4)")
def learning_rate() -> Finding:
    return _in_tokens("eta", ("eta", "b"), stated.FIXED_MOMENTUM["eta"], alpha=ALPHA)


@claim("C.fw.alpha", "literature, Frank-Wolfe gap, fixed b", "1 - beta* ~ (b/T)^(1/2), in T")
def momentum() -> Finding:
    return _in_tokens("alpha", ("eta", "alpha"), stated.FIXED_BATCH["alpha"], b=BATCH)


@claim("C.fw.eta.tokens", "literature, Frank-Wolfe gap, fixed b", "eta* ~ b^(3/4) T^(-3/4), in T")
def rate_at_batch() -> Finding:
    return _in_tokens("eta", ("eta", "alpha"), stated.FIXED_BATCH["eta"], b=BATCH)


@claim("C.fw.alpha.b", "literature, Frank-Wolfe gap, fixed b", "1 - beta* ~ (b/T)^(1/2), in b")
def momentum_in_batch() -> Finding:
    return _in_batch(
        "alpha", "1 - beta* ~ b T^(-1/2), that is (b/K)^(1/2): b/T for b/K; Shulgin et al.'s eq. (8) has b"
    )


@claim("C.fw.eta.b", "literature, Frank-Wolfe gap, fixed b", "eta* ~ b^(3/4) T^(-3/4), in b")
def rate_in_batch() -> Finding:
    return _in_batch("eta", "eta* ~ b T^(-3/4), that is b^(1/4) K^(-3/4): as in Shulgin et al.'s eq. (8)")
