"""A law of losses in learning rate, batch size, steps and model size. Source: Su, kexue.fm 11833."""

from hpgrid.bounds.written import Bound, Exponent

BOUNDS = {
    "su_law": Bound(
        of="the loss above what no run gets below",
        formula="a1*N**(-g5)*(K*eta)**(-g1) + a2*N**g6*b**(-g2) + a3*N**g7*eta**g3",
        constants={"a1": "what is left to learn", "a2": "noise", "a3": "what a step's length costs"},
        exponents={
            "g1": Exponent("g1 > 0", "1", "with which progress counts"),
            "g2": Exponent("g2 > 0", "1/2", "with which noise falls in the batch size"),
            "g3": Exponent("g3 > 0", "1", "with which a step's length costs"),
            "g5": Exponent("g5 > 0", "1/4", "of the model size in progress"),
            "g6": Exponent("g6 > 0", "1/8", "of the model size in noise"),
            "g7": Exponent("g7 > 0", "1/2", "of the model size in what a step's length costs"),
        },
        variables=("N >= 1",),
        source="Su, kexue.fm 11833",
    ),
}
