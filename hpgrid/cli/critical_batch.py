"""``hpgrid critical-batch``: the batch size that reaches a target in the fewest tokens."""

from typing import Annotated

from hpgrid.bounds.constants import FORMS, NORMS
from hpgrid.cli import options
from hpgrid.cli.options import about
from hpgrid.critical.goal import MEASURES, checked


def print_critical_batch(
    *,
    eta: Annotated[float, about("Learning rate, lam eta <= 1.")],
    beta: Annotated[float | None, about("Momentum, in [0, 1).")] = None,
    alpha: Annotated[float | None, about("1 - beta, in its place.")] = None,
    eps: Annotated[float | None, about("Target: what the bound is to come down to.")] = None,
    eps_prime: Annotated[float | None, about("eps - Z, in its place.")] = None,
    lam: Annotated[float, about("Weight decay.")] = 0.0,
    sigma: Annotated[float, about("Noise of a single sample's gradient.")] = 1.0,
    L: Annotated[float, about("Smoothness.", name="--L")] = 1.0,
    D: Annotated[float, about("Smoothness of half the squared dual norm.", name="--D")] = 1.0,
    Delta0: Annotated[float, about("f(W0) - inf f.", name="--Delta0")] = 1.0,
    G0: Annotated[float, about("Size of the gradient at the start.", name="--G0")] = 1.0,
    rho: Annotated[float, about("Norm equivalence, of the LMO bound alone.")] = 1.0,
    kappa1: Annotated[float, about("kappa1 |X|_F <= |X|_dual, for the Frobenius norm.")] = 1.0,
    kappa2: Annotated[float, about("|X|_dual <= kappa2 |X|_F, for the Frobenius norm.")] = 1.0,
    L_F: Annotated[float | None, about("Smoothness in the Frobenius norm; else L.", name="--L_F")] = None,
    sigma_F: Annotated[float | None, about("Noise in it; else sigma.", name="--sigma_F")] = None,
    form: Annotated[str, about(f"Which form of the bound: {', '.join(FORMS)}.")] = "seed",
    norm: Annotated[str, about(f"How the gradient is measured: {', '.join(NORMS)}.")] = "dual",
    measure: Annotated[
        str | None, about(f"What the target is about: {', '.join(MEASURES)}; the two last revised, with lam > 0.")
    ] = None,
    details: options.Details = False,
    json_: options.Json = False,
) -> int:
    """Find the batch size that reaches a target in the fewest tokens, beside the papers' formulas for it."""
    asked = dict(locals())
    as_json, details = asked.pop("json_"), asked.pop("details")
    checked(asked)  # before NumPy loads

    from hpgrid.critical.critical_batch import critical_batch

    return options.say("critical-batch", critical_batch(**asked), as_json, details)
