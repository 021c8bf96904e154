"""SGD on smooth functions that need not be convex. Source: Ghadimi and Lan, 2013."""

from hpgrid.bounds.written import Bound, meaning

BOUNDS = {
    "sgd_nonconvex": Bound(
        of="the mean squared gradient norm of SGD",
        formula="D0/(eta*K*(1 - L*eta/2)) + L*eta*sigma**2/(2*b*(1 - L*eta/2))",
        constants=meaning("D0 L sigma"),
        domain=("eta < 2/L",),
        source="Ghadimi and Lan, 2013",
    ),
}
