"""SGD on strongly convex functions. Source: Garrigos and Gower, 2301.11235."""

from hpgrid.bounds.written import Bound, meaning

BOUNDS = {
    "sgd_strongly_convex": Bound(
        of="the squared distance to the minimiser of SGD",
        formula="(1 - eta*mu)**K*R2 + 2*eta*sigma**2/(mu*b)",
        constants=meaning("sigma L", mu="strong convexity, at most L", R2="squared distance at the start"),
        domain=("eta <= 1/(2*L)", "eta*mu <= 1"),
        source="Garrigos and Gower, 2301.11235",
    ),
}
