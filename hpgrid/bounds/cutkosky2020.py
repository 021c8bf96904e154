"""Normalised SGD with momentum, in two orders of smoothness. Source: Cutkosky and Mehta, 2002.03305."""

from hpgrid.bounds.written import Bound, meaning

BOUNDS = {
    "normalised_sgd": Bound(
        of="the mean gradient norm of normalised SGD with momentum at b = 1",
        formula="D0/(eta*K) + sigma/(alpha*K) + sigma*sqrt(alpha) + L*eta/alpha",
        constants=meaning("D0 sigma L"),
        budget="K",
        source="Cutkosky and Mehta, 2002.03305",
    ),
    "second_order_smooth": Bound(
        of="the mean gradient norm of normalised SGD with momentum at b = 1, its iterates extrapolated",
        formula="D0/(eta*K) + sigma/(alpha*K) + sigma*sqrt(alpha) + rho2*eta**2/alpha**2 + L*eta",
        constants=meaning("D0 sigma L", rho2="Lipschitz constant of the Hessian"),
        budget="K",
        source="Cutkosky and Mehta, 2002.03305, second-order smoothness",
    ),
}
