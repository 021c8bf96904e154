"""What a critical batch size follows from. Source: Sato, 2507.01598; HAGI_v2 (Lean)."""

from hpgrid.bounds.written import Bound

BOUNDS = {
    "critical_batch": Bound(
        of="the mean gradient norm, its learning rate and momentum held",
        formula="X/K + Y/sqrt(b) + Z",
        constants={"X": "what falls with steps", "Y": "noise", "Z": "what neither steps nor batches remove"},
        source="Sato, 2507.01598 v5; HAGI_v2, CriticalBatch",
    ),
}
