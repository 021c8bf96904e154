"""What a store holds: its arrays, with their axes and what they mean."""

from __future__ import annotations

from typing import NamedTuple

from hpgrid.checks import TUNABLE

#: The axes beside the combinations': the budget's is called T or K.
BUDGET, QUANTITY, HYPERPARAMETER = "budget", "quantity", "hyperparameter"


class Spec(NamedTuple):
    """An array of a store: what follows regime and combinations among its axes, its dtype, what it means."""

    after: tuple[str, ...]
    dtype: str
    meaning: str


def _optima() -> dict[str, Spec]:
    specs = {}
    for v in ("risk", *TUNABLE):
        what = "the least risk" if v == "risk" else f"the best {v}"
        specs[f"{v}_hat"] = Spec((BUDGET,), "float64", f"{what} on the grid")
        specs[f"{v}_star"] = Spec((BUDGET,), "float64", f"{what}, refined; NaN where there is none")
        specs[f"{v}_exponent"] = Spec((BUDGET,), "float64", f"d log {v} / d log budget of the refined optimum")
    for v in TUNABLE:
        specs[f"{v}_edge"] = Spec((BUDGET,), "bool", f"the best {v} sits on the border of the grid: it says nothing")
    return specs


#: Every array that blocks are written to, in the order in which they are.
SPECS: dict[str, Spec] = {
    **_optima(),
    "slope_hat": Spec((QUANTITY,), "float64", "d log / d log budget, fitted to the grid's curve"),
    "slope_star": Spec((QUANTITY,), "float64", "the same, fitted to the refined curve over the same budgets"),
    "slope_error": Spec(
        (QUANTITY,), "float64", "how far slope_hat may be from slope_star, by how far the curves are apart"
    ),
    "apart": Spec((QUANTITY,), "float64", "largest distance of the logs of the two curves over the window"),
    "points": Spec((QUANTITY,), "int64", "budgets that the slopes were fitted over"),
    "window_lo": Spec((QUANTITY,), "float64", "the first of them"),
    "window_hi": Spec((QUANTITY,), "float64", "the last of them"),
    "burn_in_hat": Spec(
        (HYPERPARAMETER,), "float64", "the budget from which the grid's has left its bound; NaN: never"
    ),
    "burn_in_star": Spec(
        (HYPERPARAMETER,), "float64", "the same of the refined optimum, by more than a step of the grid"
    ),
    "edge_points": Spec((), "int64", "budgets after burn-in that were left out, an optimum being at the edge"),
}

#: In what each is counted.
UNITS = {"b": "tokens", "T": "tokens", "K": "iterations"}

#: What a block's parts hash to: written last, it makes the block count.
MARKER = "block_sha256"
