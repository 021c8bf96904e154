"""Bounds of steepest-descent-lean under weight decay. Source: Cesista, later than 2025; see ``cesista2025``."""

from hpgrid.bounds.written import Bound, meaning

BOUNDS = {
    "frank_wolfe_kl": Bound(
        of="f(W_K) - f* where the Frank-Wolfe gap is at least mu (f - f*)",
        formula="(1 - mu*lam*eta)**K*Delta0 + 2/(mu*lam)*(beta*sqrt(alpha/(1 + beta)) + alpha)*sqrt(D)*sigma/sqrt(b)"
        " + (2*beta/alpha*G0 + 2*L/(mu*lam)*(1 + 2*beta**2/alpha))*eta",
        constants=meaning("Delta0 L sigma D G0 lam", mu="Kurdyka-Lojasiewicz constant of the Frank-Wolfe gap"),
        domain=("mu*lam*eta <= 1",),
        source="Cesista, steepest-descent-lean, frankWolfeExpectedSuboptimality_bound",
    ),
    "independent_decay": Bound(
        of="f(W_K) - f* of a star-convex f, its weight decay a variable",
        formula="(1 - lam*eta)**K*Delta0 + 2/lam*(beta*sqrt(alpha/(1 + beta)) + alpha)*sqrt(D)*sigma/sqrt(b)"
        " + (2*beta/alpha*G0 + 4*L/lam*(1 + beta**2/alpha))*eta",
        constants=meaning("Delta0 L sigma D G0"),
        variables=("lam > 0",),
        domain=("lam*eta <= 1",),
        budget="K",
        source="Cesista, steepest-descent-lean, IndependentWeightDecay",
    ),
}
