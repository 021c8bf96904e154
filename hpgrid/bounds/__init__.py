"""Published bounds, one file per source: each a function from constants to a proxy, loaded when it is used.

A new bound is a row in a file here that ``BOUNDS`` takes in, and a test. One that is more than its formula, with
options that change it, has a function of its own in the file that its row names.
"""

from typing import TYPE_CHECKING, Any

from hpgrid.bounds.cutkosky2019 import BOUNDS as _CUTKOSKY_2019
from hpgrid.bounds.cutkosky2020 import BOUNDS as _CUTKOSKY_2020
from hpgrid.bounds.defossez2020 import BOUNDS as _DEFOSSEZ
from hpgrid.bounds.forms import BOUNDS as _FORMS
from hpgrid.bounds.functional2026 import BOUNDS as _FUNCTIONAL
from hpgrid.bounds.garrigos2023 import BOUNDS as _GARRIGOS
from hpgrid.bounds.ghadimi2013 import BOUNDS as _GHADIMI
from hpgrid.bounds.islamov2026 import BOUNDS as _ISLAMOV
from hpgrid.bounds.kornilov2025 import BOUNDS as _KORNILOV
from hpgrid.bounds.sato2025 import BOUNDS as _SATO
from hpgrid.bounds.schaipp2026 import BOUNDS as _SCHAIPP
from hpgrid.bounds.steepest_descent_lean import BOUNDS as _LEAN
from hpgrid.bounds.stich2018 import BOUNDS as _STICH
from hpgrid.bounds.su2026 import BOUNDS as _SU
from hpgrid.bounds.written import Bound, Exponent, meaning

if TYPE_CHECKING:
    from hpgrid.bounds.cesista2025 import frank_wolfe as frank_wolfe, star_convex as star_convex, steepest as steepest
    from hpgrid.bounds.shulgin2026 import (
        lmo as lmo,
        lmo_exact as lmo_exact,
        lmo_large_horizon as lmo_large_horizon,
        sgd as sgd,
    )

_C = {"C1": "f(x0) - inf f", "C2": "noise, 2 rho sigma", "C3": "smoothness, 4 L"}
_Q = {"q": Exponent("0 < q <= 1", "1/2", "with which noise falls in the batch size")}
_DECAY = meaning("Delta0 L sigma D G0 lam", W0="norm of the first weights")

#: The bounds that a command line or a file can name.
BOUNDS: dict[str, Bound] = {
    "lmo": Bound(
        of="the mean gradient norm of LMO methods with momentum: Muon, signSGD, normalised SGD",
        formula="C1/(eta*K) + C2*b**(-q)*(1/(alpha*K) + sqrt(alpha)) + C3*eta*(1 + 1/alpha)",
        constants={**_C, **meaning("Delta0 L rho sigma"), "E0": "error of the first momentum"},
        exponents=_Q,
        options={"burn_in": "flag"},
        source="Shulgin et al., eqs. (3), (4)",
        module="shulgin2026",
    ),
    "lmo_exact": Bound(
        of="the mean gradient norm of LMO methods with momentum, with its own numbers",
        formula="Delta0/(eta*K) + 2*rho*sigma*(1/(alpha*sqrt(b)*K) + sqrt(alpha/b)) + 7/2*L*eta + 2*L*eta/alpha",
        constants=meaning("Delta0 L rho sigma"),
        source="Shulgin et al., eqs. (2), (11)",
        module="shulgin2026",
    ),
    "lmo_large_horizon": Bound(
        of="the mean gradient norm of LMO methods after burn-in",
        formula="C1/(eta*K) + C2*sqrt(alpha)*b**(-q) + C3*eta*(1 + 1/alpha)",
        constants=_C,
        exponents=_Q,
        source="Shulgin et al., eq. (5)",
        module="shulgin2026",
    ),
    "sgd": Bound(
        of="the mean squared gradient norm of SGD, eta at most 1/L",
        formula="Delta0/(eta*K) + L*eta*sigma**2/b",
        constants=meaning("Delta0 L sigma"),
        domain=("eta <= 1/L",),
        source="Shulgin et al., eq. (42)",
        module="shulgin2026",
    ),
    "steepest": Bound(
        of="the mean gradient norm of steepest descent under a norm; with lam > 0 it has more terms",
        formula="(Delta0/eta + 2*beta/alpha*G0 + 2*beta*G0**2/(D*alpha*(1 + beta)))/K"
        " + (1 + 3*beta)*alpha*sigma**2/(2*(1 + beta)*b)"
        " + (beta*sqrt(2*alpha/(1 + beta)) + alpha)*sqrt(D)*sigma/sqrt(b)"
        " + D/2 + L*eta/2 + 2*beta**2/alpha*L*eta + 2*beta**3*(L*eta)**2/(D*alpha**2)",
        constants=_DECAY | {
            "kappa1": "norm equivalence, in the Frobenius norm",
            "kappa2": "norm equivalence, in the Frobenius norm",
            "L_F": "smoothness in the Frobenius norm",
            "sigma_F": "noise in the Frobenius norm",
        },
        options={"form": "word", "norm": "word"},
        source="Cesista, Theorems 8 and 11",
        module="cesista2025",
    ),
    "star_convex": Bound(
        of="f(W_K) - f* of a star-convex f under weight decay",
        formula="(1 - lam*eta)**K*Delta0 + 2/lam*(beta*sqrt(alpha/(1 + beta)) + alpha)*sqrt(D)*sigma/sqrt(b)"
        " + (4*L/lam*(1 + beta**2/alpha) + 2*beta/alpha*G0)*eta",
        constants=_DECAY,
        domain=("lam*eta <= 1", "K >= 1"),
        source="Cesista, revised, starConvexExpectedSuboptimality_bound",
        module="cesista2025",
    ),
    "frank_wolfe": Bound(
        of="the mean Frank-Wolfe gap under weight decay",
        formula="Delta0/(lam*eta*K) + 2*G0*beta/(alpha*lam*K) + 2/lam*(beta*sqrt(alpha/(1 + beta)) + alpha)"
        "*sqrt(D)*sigma/sqrt(b) + 2*L/lam*(1 + 2*beta**2/alpha)*eta",
        constants=_DECAY,
        domain=("lam*eta <= 1", "K >= 1"),
        source="Cesista, revised, avg_frankWolfeExpectedGap_nesterov_wd",
        module="cesista2025",
    ),
    **_LEAN, **_CUTKOSKY_2020, **_CUTKOSKY_2019, **_KORNILOV, **_GHADIMI, **_GARRIGOS, **_DEFOSSEZ, **_STICH,
    **_FORMS, **_SATO, **_ISLAMOV, **_SCHAIPP, **_SU, **_FUNCTIONAL,
}  # fmt: skip

__all__ = [*BOUNDS]


def __getattr__(name: str) -> Any:
    if name not in BOUNDS:
        raise AttributeError(f"module 'hpgrid.bounds' has no attribute {name!r}")
    return globals().setdefault(name, BOUNDS[name].function(name))
