"""A bound that is the largest of three terms, momentum and learning rate tuned. Source: Islamov, 2603.21191."""

from hpgrid.bounds.written import Bound, meaning

BOUNDS = {
    "bst": Bound(
        of="f(x_K) - f* under a Kurdyka-Lojasiewicz condition, all but the batch size tuned",
        formula="max(L*b/(mu**2*T), (L*rho**2*sigma**2/(mu**4*T))**(1/3), rho*sigma/(mu*(T**2*b)**(1/6)))",
        constants=meaning("L rho sigma", mu="Kurdyka-Lojasiewicz constant"),
        source="Islamov, 2603.21191, Corollary 4.1",
    ),
}
