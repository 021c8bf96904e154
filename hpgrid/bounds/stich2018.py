"""Local SGD: workers take steps of their own between two averages. Source: Stich, 1805.09767."""

from hpgrid.bounds.written import Bound, meaning

BOUNDS = {
    "local_sgd": Bound(
        of="the mean squared gradient norm of local SGD: n workers, H steps each a round, R rounds",
        formula="D0/(eta*H*R) + L*eta*sigma**2/n + L**2*eta**2*H**2*z**2",
        constants=meaning("D0 L sigma", z="how far one worker's gradient is from their mean"),
        variables=("H >= 1, whole", "n >= 1, whole", "R >= 1, budget", "T = n*H*R*b"),
        budget="R",
        source="Stich, 1805.09767, its form",
    ),
}
