"""Tokens and iterations to a target against the batch size: where they are fewest, and where the formula says so."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hpgrid.checks import bad
from hpgrid.config import Config
from hpgrid.critical.critical_batch import CriticalBatch
from hpgrid.paper.critical import TITLES, both_forms, minimiser_checks
from hpgrid.paper.data import FigureData, config_data
from hpgrid.plotting import critical as plot
from hpgrid.plotting.lines import padded
from hpgrid.plotting.style import letter, log_axes, new_figure, styled
from hpgrid.readings import Reading

#: What the formula is called where it arrives, and where it does not.
_FORMULA = ("the source's formula", "it never arrives")

#: What is marked as near the fewest tokens.
SHARE = 0.20


def compute(config: Config, name: str = "cbs1") -> FigureData:
    """Return the figure's arrays and checks."""
    started = time.perf_counter()
    own = config.parameters
    answers = [both_forms(own, beta=beta, eps=own["eps"]) for beta in own["beta"]]
    shown = np.array([own["b_low"], own["b_high"]], float)
    if not 0 < shown[0] < shown[1]:
        raise bad("the batch sizes shown need 0 < b_low < b_high", shown.tolist(), "b_low = 5.0, b_high = 2e5, say")
    arrays: dict[str, Any] = {"beta": np.array(own["beta"], float), "shown": shown}
    checks: list[Reading] = []
    notes: dict[str, Any] = {}
    for form in TITLES:
        found = [answer[form] for answer in answers]
        parts = [_curve(answer, shown[1]) for answer in found]
        arrays |= {f"{key}_{form}": np.array([part[key] for part in parts]) for key in parts[0]}
        checks += minimiser_checks(TITLES[form], found)
        notes[form] = [f"beta = {beta:g}: {answer.status}: {answer.why}" for beta, answer in zip(own["beta"], found)]
    return FigureData(name, config_data(config), arrays, tuple(checks), notes, time.perf_counter() - started)


def _curve(answer: CriticalBatch, last: float) -> dict[str, Any]:
    """One curve and its marks; NaN where the bound gives nothing, +inf where the formula never arrives."""
    reach = answer.reach
    if reach is None:
        nothing = dict.fromkeys(("smallest", "exact_b", "exact_K", "formula_b", "formula_K", "low", "high"), np.nan)
        return {"b": np.full(400, np.nan), "K": np.full(400, np.nan), **nothing}
    above = max(reach.smallest, 1.0)
    # Denser next to the smallest, where the curve runs up.
    b = above * (1 + np.logspace(-4.0, np.log10(max(last / above, 2.0) - 1), 400))
    formula = reach.formulas[0].at
    low, high = reach.near[SHARE]
    return {
        "b": b,
        "K": answer.iterations(b),
        "smallest": reach.smallest,
        "exact_b": reach.fewest.b,
        "exact_K": reach.fewest.K,
        "formula_b": formula.b,
        "formula_K": formula.K,
        "low": low,
        "high": high,
    }


def draw(data: FigureData) -> Figure:
    """Return the figure: a row for each form, tokens and iterations."""
    arrays = data.arrays
    with styled():
        figure, axes = new_figure(2, 2, (6.8, 5.6))
        x = (float(arrays["shown"][0]), float(arrays["shown"][1]))
        for row, form in enumerate(TITLES):
            for column, kind in enumerate(("T", "K")):
                _panel(axes[2 * row + column], arrays, form, kind, x)
                what = {"T": "tokens", "K": "iterations"}[kind]
                target = f"$\\epsilon={data.config['parameters']['eps']:g}$"
                letter(axes[2 * row + column], 2 * row + column, f"{TITLES[form]}: {what} to {target}")
        plot.legend_below(figure, axes)
    return figure


def _panel(axes: Axes, arrays: Any, form: str, kind: str, x: tuple[float, float]) -> None:
    """Draw one form's tokens or iterations, a curve for each beta."""

    def scale(b: Any, K: Any) -> Any:
        return b * K if kind == "T" else K

    marked = padded(*(scale(arrays[f"exact_b_{f}"], arrays[f"exact_K_{f}"]) for f in TITLES), by=0.0)
    y = (marked[0] / 5.0, marked[1] * 30.0)
    for k, beta in enumerate(arrays["beta"]):
        b, K = arrays[f"b_{form}"][k], arrays[f"K_{form}"][k]
        plot.needed(axes, b, scale(b, K), k, rf"$\beta={beta:g}$")
        near = (b >= arrays[f"low_{form}"][k]) & (b <= arrays[f"high_{form}"][k])
        plot.near(axes, b[near], scale(b, K)[near], k, f"within {SHARE:.0%} of the fewest")
        plot.smallest(axes, arrays[f"smallest_{form}"][k], k, "smallest batch size")
        marks = {name: (arrays[f"{name}_b_{form}"][k], arrays[f"{name}_K_{form}"][k]) for name in ("exact", "formula")}
        plot.exact(axes, marks["exact"][0], scale(*marks["exact"]), k, "fewest tokens")
        plot.formula(axes, marks["formula"][0], scale(*marks["formula"]), k, y[1], *_FORMULA)
    log_axes(axes, x, y, ("b", kind))
    axes.set_ylabel("tokens $T$" if kind == "T" else "iterations $K$")
