"""Momentum that reduces variance, STORM and Muon's. Source: Cutkosky and Orabona, 1905.10018; 2509.15816."""

from hpgrid.bounds.written import Bound, meaning

BOUNDS = {
    "storm": Bound(
        of="the mean gradient norm of normalised methods with variance-reduced momentum",
        formula="D0/(eta*K) + sigma/(alpha*K*sqrt(b)) + sigma*sqrt(alpha/b) + L*eta/sqrt(alpha*b)",
        constants=meaning("D0 sigma", L="mean-squared smoothness"),
        source="Cutkosky and Orabona, 1905.10018; 2509.15816",
    ),
}
