"""The split of a loss between model size, batch size and steps. Source: Schaipp, 2607.01487; HAGI_v2 (Lean)."""

from hpgrid.bounds.written import Bound, Exponent

BOUNDS = {
    "three_term_split": Bound(
        of="the loss by model size N, batch size and steps",
        formula="E + A/N**a + B/b**c + C/K**g",
        constants={
            "E": "what no run gets below",
            "A": "what a small model costs",
            "B": "what a small batch costs",
            "C": "what few steps cost",
        },
        exponents={
            "a": Exponent("a > 0", "1", "with which the model's part falls"),
            "c": Exponent("c > 0", "1/2", "with which the batch's part falls"),
            "g": Exponent("g > 0", "1", "with which the steps' part falls"),
        },
        variables=("N >= 1", "Q = N*b*K"),
        source="Schaipp, 2607.01487; HAGI_v2, ThreeTermBudget",
        budget="Q",
    ),
}
