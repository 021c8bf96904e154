"""Adam, its second momentum tuned. Source: Defossez, Bottou, Bach and Usunier, 2003.02395."""

from hpgrid.bounds.written import Bound, meaning

BOUNDS = {
    "adam": Bound(
        of="the mean squared gradient norm of Adam",
        formula="2*R*D0/(eta*K) + (4*d*R**2/sqrt(alpha2) + eta*d*R*L/alpha2)"
        "*(log(1 + R**2/(alpha2*epsilon))/K - log(1 - alpha2))",
        constants=meaning(
            "D0 L", R="bound of a gradient's entries", d="number of parameters", epsilon="what Adam adds to its root"
        ),
        variables=("0 < alpha2 <= 1",),
        budget="K",
        source="Defossez et al., 2003.02395",
    ),
}
