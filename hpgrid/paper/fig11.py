"""Figure 11: contours over iterations and batch size in three regimes."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import numpy as np

from hpgrid.config import Config
from hpgrid.paper import contours
from hpgrid.paper.data import FigureData
from hpgrid.theory.iso_loss import NEAR_OPTIMAL_EXPONENT

draw = contours.draw


def compute(config: Config, name: str = "fig11") -> FigureData:
    """Return the figure's arrays and checks: the near-optimal batch size should follow K.

    The notes hold the panels against each other, as the text does: how much lower the risk is in
    one than in another, at the same iterations and batch size.
    """
    # The corollary is not about a bound that is written as text.
    data = contours.compute(config, name, float(NEAR_OPTIMAL_EXPONENT) if config.bound.formula is None else None)
    risks = [data.arrays[f"risk_{k}"] for k in range(len(config.panels))]
    letters = "abcdefgh"
    ratios = {
        f"({letters[i]})/({letters[j]})": {"median": float(np.median(p / q)), "largest": float((p / q).max())}
        for (i, p), (j, q) in permutations(enumerate(risks), 2)
        if p.shape == q.shape
    }
    return replace(data, notes={**data.notes, "risk_ratios": ratios})
