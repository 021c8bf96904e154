"""``hpgrid critical-batch``: the batch size that reaches a target in the fewest tokens."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from hpgrid.bounds.constants import FORMS, NORMS
from hpgrid.cli import options
from hpgrid.critical.goal import MEASURES, checked


def print_critical_batch(
    *,
    eta: Annotated[float, Parameter(help="Learning rate, lam eta <= 1.")],
    beta: Annotated[float | None, Parameter(help="Momentum, in [0, 1).")] = None,
    alpha: Annotated[float | None, Parameter(help="1 - beta, in its place.")] = None,
    eps: Annotated[float | None, Parameter(help="Target: what the bound is to come down to.")] = None,
    eps_prime: Annotated[float | None, Parameter(help="eps - Z, in its place.")] = None,
    lam: Annotated[float, Parameter(help="Weight decay.")] = 0.0,
    sigma: Annotated[float, Parameter(help="Noise of a single sample's gradient.")] = 1.0,
    L: Annotated[float, Parameter(name="--L", help="Smoothness.")] = 1.0,
    D: Annotated[float, Parameter(name="--D", help="Smoothness of half the squared dual norm.")] = 1.0,
    Delta0: Annotated[float, Parameter(name="--Delta0", help="f(W0) - inf f.")] = 1.0,
    G0: Annotated[float, Parameter(name="--G0", help="Size of the gradient at the start.")] = 1.0,
    rho: Annotated[float, Parameter(help="Norm equivalence, of the LMO bound alone.")] = 1.0,
    kappa1: Annotated[float, Parameter(help="kappa1 |X|_F <= |X|_dual, for the Frobenius norm.")] = 1.0,
    kappa2: Annotated[float, Parameter(help="|X|_dual <= kappa2 |X|_F, for the Frobenius norm.")] = 1.0,
    L_F: Annotated[float | None, Parameter(name="--L_F", help="Smoothness in the Frobenius norm; else L.")] = None,
    sigma_F: Annotated[float | None, Parameter(name="--sigma_F", help="Noise in it; else sigma.")] = None,
    form: Annotated[str, Parameter(help=f"Which form of the bound: {', '.join(FORMS)}.")] = "seed",
    norm: Annotated[str, Parameter(help=f"How the gradient is measured: {', '.join(NORMS)}.")] = "dual",
    measure: Annotated[
        str | None,
        Parameter(help=f"What the target is about: {', '.join(MEASURES)}; the two last revised, with lam > 0."),
    ] = None,
    details: options.Details = False,
    json_: options.Json = False,
) -> int:
    """Find the batch size that reaches a target in the fewest tokens, beside the papers' formulas for it."""
    asked = dict(locals())
    as_json, details = asked.pop("json_"), asked.pop("details")
    checked(asked)  # before NumPy loads

    from hpgrid.critical.critical_batch import critical_batch

    return options.say(critical_batch(**asked), as_json, details, "critical-batch")
