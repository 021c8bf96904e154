"""The figure of maps: the critical batch size over momentum and weight decay or learning rate, and where none is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from hpgrid.bounds import cesista2025 as bounds
from hpgrid.bounds.constants import Constants
from hpgrid.checks import bad
from hpgrid.config import Config
from hpgrid.critical import tokens
from hpgrid.critical.critical_batch import FOUND, OUT_OF_REACH, VACUOUS, critical_batch, lowest, trivial_bounds
from hpgrid.paper.cbs1 import problem
from hpgrid.paper.data import FigureData, config_data
from hpgrid.plotting import critical as plot
from hpgrid.plotting.style import log_axes, new_figure
from hpgrid.readings import Reading
from hpgrid.shapes import Floats as Array
from hpgrid.theory import batch_sizes as theory, iso_loss

#: Every how many points of an axis the map is held against an answer that is found numerically.
_EVERY = 15


class Map(NamedTuple):
    """A map: the bound, its target, what is on the second axis, and its title."""

    form: str
    measure: str
    y: str
    title: str


MAPS = (
    Map("seed", "gradient", "lam", "first form, gradient"),
    Map("revised", "gap", "lam", "revised, Frank-Wolfe gap"),
    Map("revised", "loss", "lam", "revised, star-convex loss"),
    Map("seed", "gradient", "eta", r"first form, $\lambda=0$"),
    Map("revised", "gradient", "eta", r"revised, $\lambda=0$"),
    Map("lmo", "gradient", "eta", r"LMO bound, $\lambda=0$"),
)

_CODES = {
    "found": plot.FOUND,
    "out of reach": plot.OUT_OF_REACH,
    "vacuous": plot.VACUOUS,
    "vacuous at every target": plot.NOTHING,
}


def compute(config: Config) -> FigureData:
    """Return the figure's arrays and checks."""
    own = config.parameters
    ranges = {"alpha": (own["alpha_low"], 1.0), **{v: (own[f"{v}_low"], own[f"{v}_high"]) for v in ("lam", "eta")}}
    for v, (low, high) in ranges.items():
        if not 0 < low < high or own["n"] < 2:
            raise bad(f"the axis {v} needs 0 < low < high and two points", [low, high, own["n"]], "the smaller first")
    axes = {v: np.geomspace(low, high, own["n"]) for v, (low, high) in ranges.items()}
    if own["lam_high"] * own["eta"] > 1:
        raise bad("the bounds hold for lam eta <= 1", own["lam_high"] * own["eta"], "a smaller lam_high or eta")
    arrays: dict[str, Any] = dict(axes)
    checks: list[Reading] = []
    notes: dict[str, Any] = {}
    for k, panel in enumerate(MAPS):
        eps = float(own[f"eps_{panel.measure}"])
        # Shape (second axis, alpha). Of several regions the last one here is what a point is.
        rows = [_map_row(panel, own, axes["alpha"], float(y), eps) for y in axes[panel.y]]
        b, Z, trivial = (np.array(part) for part in zip(*rows))
        trivial = trivial[:, None]
        region = np.full(b.shape, plot.FOUND)
        region[np.broadcast_to(eps <= Z, b.shape)] = plot.OUT_OF_REACH
        region[np.broadcast_to(eps >= trivial, b.shape)] = plot.VACUOUS
        region[trivial <= Z] = plot.NOTHING
        arrays |= {f"b_{k}": np.where(region == plot.FOUND, b, np.nan), f"region_{k}": region}
        checks.append(_map_check(panel, own, axes, b, region))
        notes[panel.title] = {what: round(float((region == code).mean()), 4) for what, code in _CODES.items()}
    arrays["formula_0"] = theory.theorem12(
        axes["alpha"], own["eps_gradient"], lam=axes["lam"][:, None], sigma=own["sigma"]
    )
    return FigureData(config.figure, config_data(config), arrays, tuple(checks), notes)


def _map_row(panel: Map, own: Mapping[str, Any], alpha: Array, y: float, eps: float) -> tuple[Array, Array, float]:
    """A row of a map, over b > 0: batch sizes in closed form, NaN where out of reach; Z; the lowest trivial bound."""
    at: dict[str, Any] = {"eta": float(own["eta"]), "lam": 0.0, panel.y: y}
    constants = problem(own)
    trivial = lowest(trivial_bounds(panel.measure, "dual", Constants(**constants, lam=at["lam"]))).value
    if panel.form == "lmo":
        b = np.full(alpha.shape, np.nan)
        for j, each in enumerate(map(float, alpha)):
            eps_prime = eps - own["L"] * at["eta"] * (3.5 + 2 / each)
            if eps_prime > 0:
                lmo = iso_loss.of_bound(each, own["Delta0"], own["L"], own["rho"] * own["sigma"])
                b[j] = theory.lmo_fixed(own["Delta0"] / at["eta"], lmo.burn_in, lmo.floor, eps_prime)
        return b, float(own["L"]) * at["eta"] * (3.5 + 2 / alpha), trivial
    if panel.measure == "gradient":
        parts = bounds.parts(**at, alpha=alpha, **constants, form=panel.form)
    else:
        parts = (bounds.gap_parts if panel.measure == "gap" else bounds.loss_parts)(**at, alpha=alpha, **constants)
    eps_prime = np.where(eps > parts.Z, eps - parts.Z, np.nan)
    if panel.measure == "loss":
        return theory.star_convex(parts.X, parts.Y, eps_prime), parts.Z, trivial
    Y, Z_noise = (parts.Y, parts.Z_noise) if panel.form == "seed" else (0.0 * parts.Y, parts.Y)
    return theory.fewest_tokens(Y, Z_noise, eps_prime), parts.Z, trivial


def _map_check(
    panel: Map, own: Mapping[str, Any], axes: Mapping[str, Array], b: Array, region: NDArray[np.int_]
) -> Reading:
    """Hold a coarser map's points against answers that are found numerically: the status, and the batch size."""
    gaps, wrong, compared = [0.0], 0, 0
    # A map says of a target at or below Z whether any target would do; an answer does not.
    codes = {FOUND: (plot.FOUND,), OUT_OF_REACH: (plot.OUT_OF_REACH, plot.NOTHING)}
    for i in range(0, len(axes[panel.y]), _EVERY):
        for j in range(0, len(axes["alpha"]), _EVERY):
            status, numerical = _answer(panel, own, float(axes["alpha"][j]), float(axes[panel.y][i]))
            wrong += region[i, j] not in codes.get(status, (plot.VACUOUS, plot.NOTHING))
            if status == FOUND and numerical is not None:
                compared += 1
                gaps.append(abs(float(np.log(numerical / max(b[i, j], 1.0)))))
    note = f"{compared} points with a batch size; {wrong} of another status than the map's; tolerance: a flat minimum's"
    where: dict[str, Any] = {"window": (float(axes["alpha"][0]), 1.0), "note": note}
    title = panel.title.replace("$", "").replace("\\", "")
    if wrong or not compared:  # the status comes first; alone, where there is no batch size to compare
        return Reading(f"{title}: points of another status", "arithmetic", float(wrong), 0.0, **where)
    return Reading(f"{title}: log(fewest tokens/closed form)", "arithmetic", max(gaps), 0.0, tokens.FLAT, **where)


def _answer(panel: Map, own: Mapping[str, Any], alpha: float, y: float) -> tuple[str, float | None]:
    """The status and the batch size, found numerically."""
    at: dict[str, Any] = {"eta": float(own["eta"]), "lam": 0.0, panel.y: y}
    eps = float(own[f"eps_{panel.measure}"])
    if panel.form == "lmo":
        constants = Constants(**problem(own, "rho"))
        best = tokens.lmo_eta_fixed(alpha, eps, at["eta"], constants).fewest
        trivial = lowest(trivial_bounds("gradient", "dual", constants)).value
        status = VACUOUS if eps >= trivial else OUT_OF_REACH if best is None else FOUND
        return status, None if best is None else best.b
    measure = panel.measure if panel.form == "revised" else None
    answer = critical_batch(alpha=alpha, **at, **problem(own), eps=eps, form=panel.form, measure=measure)
    return answer.status, answer.b


def draw(data: FigureData) -> Figure:
    """Return the picture: a row over weight decay, and one over learning rates without it."""
    arrays, own = data.arrays, data.config["parameters"]
    contours = 10.0 ** np.arange(0, 8)
    shown: set[int] = set()
    titles = [panel.title + f"\n$\\epsilon={own[f'eps_{panel.measure}']:g}$" for panel in MAPS]
    figure, axes = new_figure(2, 3, (7.6, 5.6), titles)
    filled = None
    for k, (ax, panel) in enumerate(zip(axes, MAPS)):
        x, y = arrays["alpha"], arrays[panel.y]
        region = arrays[f"region_{k}"]
        shown |= set(np.unique(region).tolist()) - {plot.FOUND}
        filled = plot.batch_map(ax, x, y, arrays[f"b_{k}"], region, contours) or filled
        if k == 0:
            plot.formula_lines(ax, x, y, arrays["formula_0"])
        what = {"lam": r"weight decay $\lambda$", "eta": r"learning rate $\eta$"}[panel.y]
        log_axes(ax, (x[0], x[-1]), (y[0], y[-1]), (r"$1-\beta$", "" if k % 3 else what))
    if filled is not None:
        plot.batch_bar(figure, axes, filled)
    label = f"Theorem 12, ${plot.EPS_PRIME}={own['eps_gradient']:g}$"
    plot.region_legend(figure, shown, [Line2D([], [], color="0.1", linestyle="--", linewidth=1.0, label=label)])
    return figure
