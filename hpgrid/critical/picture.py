"""What a target takes against the batch size: the curve, the fewest tokens, and where a formula says they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes

from hpgrid.checks import bad
from hpgrid.plotting import critical as plot
from hpgrid.plotting.lines import padded
from hpgrid.plotting.style import log_axes

if TYPE_CHECKING:
    from hpgrid.critical.critical_batch import CriticalBatch

#: What is drawn against the batch size, and how it is written.
KINDS = {"tokens": "T", "iterations": "K"}

#: What is marked as near the fewest tokens.
SHARE = 0.20

#: How far from the fewest tokens a panel goes: up, and down.
ABOVE, BELOW = 30.0, 5.0

#: The batch sizes of a panel of its own, over the one of the fewest tokens.
_LAST = 300.0

#: Of a curve, by the names that a figure's file has them under.
Curve = Mapping[str, Any]


def curve(answer: CriticalBatch, last: float) -> dict[str, Any]:
    """Return one curve and its marks; NaN where the bound gives nothing, +inf where the formula never arrives."""
    reach = answer.reach
    if reach is None:
        nothing = dict.fromkeys(("smallest", "exact_b", "exact_K", "formula_b", "formula_K", "low", "high"), np.nan)
        return {"b": np.full(400, np.nan), "K": np.full(400, np.nan), **nothing}
    above = max(reach.smallest, 1.0)
    # Denser next to the smallest, where the curve runs up.
    b = above * (1 + np.logspace(-4.0, np.log10(max(last / above, 2.0) - 1), 400))
    marks = {"exact": reach.fewest, "formula": reach.formulas[0].at}
    at = {f"{name}_{key}": getattr(point, key) for name, point in marks.items() for key in ("b", "K")}
    ends = dict(zip(("low", "high"), reach.near[SHARE]))
    return {"b": b, "K": answer.iterations(b), "smallest": reach.smallest, **at, **ends}


def needed(curve: Curve, kind: str, name: str = "") -> Any:
    """Return the tokens or the iterations of a curve, or of a mark on it: "exact_" or "formula_"."""
    return curve[f"{name}K"] * (curve[f"{name}b"] if kind == "tokens" else 1.0)


def draw_curves(ax: Axes, curves: Sequence[Curve], labels: Sequence[str], kind: str, top: float) -> None:
    """Draw curves with their marks; what never arrives is marked at the top."""
    for k, (own, label) in enumerate(zip(curves, labels)):
        y = needed(own, kind)
        near = (own["b"] >= own["low"]) & (own["b"] <= own["high"])
        plot.needed(ax, own["b"], y, k, label)
        plot.near(ax, own["b"][near], y[near], k, f"within {SHARE:.0%} of the fewest")
        plot.smallest(ax, own["smallest"], k, "smallest batch size")
        plot.exact(ax, own["exact_b"], needed(own, kind, "exact_"), k, "fewest tokens")
        at = needed(own, kind, "formula_")
        plot.formula(ax, own["formula_b"], at, k, top, "the source's formula", "it never arrives")


def panels(answer: CriticalBatch) -> dict[str, Callable[[Axes], None]]:
    """Return what draws the tokens and the iterations that the target of an answer takes.

    Raises:
        ValueError: no batch size reaches it.
    """
    if answer.reach is None:
        raise bad("a curve is of a target that is reached", f"{answer.status}: {answer.why}", "another eps")
    own = curve(answer, _LAST * answer.reach.fewest.b)
    b = max(answer.reach.smallest, 1.0), own["b"][-1]

    def against(axes: Axes, kind: str) -> None:
        at = needed(own, kind, "exact_")
        draw_curves(axes, [own], [f"${KINDS[kind]}(b)$"], kind, at * ABOVE)
        log_axes(axes, padded(np.array(b)), (at / BELOW, at * ABOVE), ("b", f"{kind} ${KINDS[kind]}$"))

    return {kind: partial(against, kind=kind) for kind in KINDS}
