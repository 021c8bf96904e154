"""A fit in pictures: each budget's runs and the surface around its optimum, then the optimum against the budget."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure

from hpgrid.plotting import fit_plot, lines, style, transfer_plot as ways
from hpgrid.shapes import Floats
from hpgrid.transfers.rules import of_paper
from hpgrid.transfers.start import NO_LIMITS
from hpgrid.variables import TUNABLE

if TYPE_CHECKING:
    from hpgrid.fits.fit import Fit

#: Panels of budgets, spread over those that have three runs.
MOST = 4

#: Excess losses, in nats, at which the surface has contours, and where colours and panels end.
CONTOURS, FARTHEST = np.array([0.001, 0.003, 0.01, 0.03]), 0.1

#: Points along a line of a picture.
POINTS = 61


def draw(fit: Fit, budgets: Sequence[float] = ()) -> Figure:
    """Return the picture of a fit and of its predictions.

    With three variables a budget's panel has the first two, the third re-tuned; of runs at one place it has the best.
    """
    names, (measured, counts) = fit.surface.names, np.unique(fit.runs.T, return_counts=True)
    shown = measured[counts >= min(3, counts.max())]
    shown = shown[np.unique(np.linspace(0, len(shown) - 1, MOST).round().astype(int))]
    total = len(shown) + len(names)
    first = total if total <= 3 else max(len(shown), 2)
    rows = [n for n in (first, total - first) if n]
    width, budget = min(2.2 * max(rows) + 1.2, 7.2), "T" if fit.runs.counted == "tokens" else "K"
    with style.styled():
        figure = Figure((width, 2.3 * len(rows) + 0.8))
        parts = figure.subfigures(len(rows), 1, squeeze=False)[:, 0]
        axes = [ax for part, n in zip(parts, rows) for ax in part.subplots(1, n, squeeze=False).flat]
        for k, (ax, T) in enumerate(zip(axes, map(float, shown))):
            style.letter(ax, k, f"${budget}$ = {ways.count(T)}")
            _at_one_budget(ax, fit, T)
            ax.label_outer()
        for k, name in enumerate(names, start=len(shown)):
            style.letter(axes[k], k, _exponent(fit, name, budget))
            _against_budget(axes[k], fit, name, budgets)
            axes[k].set_xlabel(fit_plot.label(budget))
        if len(names) > 1:
            colored = ScalarMappable(**fit_plot.colors(FARTHEST * fit.surface.nat))
            values = [fit.surface.nat * x for x in (0.0, *CONTOURS, FARTHEST)]
            style.color_bar(parts[0], colored, axes[: len(shown)], "excess loss", values, 20, "{:.2g}".format)
        style.legend_below(figure, style.named(axes), int(width / 1.45))
        style.placed(figure)
        for ax in axes[: len(shown)]:
            _label(ax, names[0])
        for ax in axes[len(shown) :]:
            _label(ax)
    return figure


def panels(fit: Fit, budgets: Sequence[float] = ()) -> Mapping[str, Callable[[Axes], None]]:
    """Return what draws each optimum against the budget, by its variable, and each budget's runs, as "T=1e+09"."""
    names, budget = fit.surface.names, "T" if fit.runs.counted == "tokens" else "K"

    def optimum(axes: Axes, name: str) -> None:
        _against_budget(axes, fit, name, budgets)
        axes.set(xlabel=fit_plot.label(budget), title=_exponent(fit, name, budget))
        style.place(axes)
        _label(axes)

    def runs(axes: Axes, T: float) -> None:
        _at_one_budget(axes, fit, T)
        axes.set_title(f"${budget}$ = {ways.count(T)}")
        style.place(axes)
        _label(axes, names[0])

    of_runs = {f"{budget}={T:g}": partial(runs, T=float(T)) for T in np.unique(fit.runs.T)}
    return {name: partial(optimum, name=name) for name in names} | of_runs


def _label(ax: Axes, name: str = "") -> None:
    """Label along a panel, which has its place, as many values as go there: of a variable, or of the budget."""
    if name:
        ways.label_along(ax, ax.get_xlim(), fit_plot.say(name, np.array(ax.get_xlim())))
    else:
        ways.budget_axis(ax, *ax.get_xlim())


def _theory(fit: Fit, name: str) -> Fraction:
    """The exponent of an optimum in the budget by eq. (4), where what is held at one value is."""
    fixed = {fit.surface.names[i] for i, held in fit.held.items() if not held.exponent.deviation}
    free = tuple(v for v in fit.surface.names if v not in fixed and v in TUNABLE)
    return Fraction(of_paper("lmo").powers(free)[name]["T"]) if name in free else Fraction(0)


def _exponent(fit: Fit, name: str, budget: str) -> str:
    """The title of an optimum: its exponent in the budget, and the theory's, or why it is not the runs'."""
    T = fit.runs.T.max()
    at, later = (replace(fit, limits=NO_LIMITS).predict(x).at[name] for x in (T, 2 * T))
    said = f"theory {_theory(fit, name)}".replace("-", "\N{MINUS SIGN}") if name in TUNABLE else "no theory"
    said = said if len(fit.surface.t) > 1 else "assumed"
    if any(slope.beyond for slope in fit.exponents if slope.what == f"{name}* in T"):
        said = "beyond the runs"
    if fit.surface.names.index(name) in fit.held:
        said = "border" if name in fit.predict(T).edge else "held"
    # Rounded before it is written, so that nought has no sign.
    return rf"${style.short(name)} \sim {budget}^{{{round(math.log2(later / at), 2) + 0.0:.2f}}}$, {said}"


def _surface(fit: Fit, at: dict[str, Floats], T: float) -> Floats:
    """The fitted loss above its minimum at one budget, third derivatives included."""
    z = np.stack([np.log2(at[name]) for name in fit.surface.names], axis=-1)
    return fit.rise(at, T) + fit.surface.bend(z, math.log2(T))


def _at_one_budget(ax: Axes, fit: Fit, T: float) -> None:
    """One budget's runs, the surface, its optimum and where that may be: over two variables, or the loss over one.

    Panels have the same ranges, so that they show how the optimum moves.
    """
    own, names, farthest = fit.predict(T), fit.surface.names, FARTHEST * fit.surface.nat
    flat, level, edge = len(names) > 1, f"{100 * own.level:g}%", not set(own.edge).isdisjoint(names[:2])
    every = {v: [*fit.runs.values[v], *(fit.predict(float(t)).at[v] for t in np.unique(fit.runs.T))] for v in names}
    along = [np.geomspace(min(x) / 1.3, max(x) * 1.3, POINTS) for x in every.values()]
    grid = dict(zip(names, np.meshgrid(*along)))
    # Farther out, where no run was fitted, third derivatives may lead down again.
    rise = np.where(fit.rise(grid, T) <= farthest, _surface(fit, grid, T), np.inf)
    mask = fit.runs.T == T
    at = {name: fit.runs.values[name][mask] for name in names}
    excess = _surface(fit, at, T) + fit.surface.residuals[mask]
    low, fitted, beyond = fit.surface.dropped[mask], fit.surface.weights[mask] > 0, (excess > farthest) & (not flat)
    kinds = (fitted & ~beyond, ~fitted & ~low & ~beyond, low, beyond)
    x, y = [*at.values(), np.minimum(excess, farthest)][:2]
    fit_plot.runs(ax, x, y, excess, kinds, farthest if flat else None)
    ax.set(xscale="log", xlim=along[0][[0, -1]], xlabel=fit_plot.label(names[0]), ylabel="excess loss")
    if flat:
        fit_plot.contours(
            ax, along[0], along[1], rise.reshape(POINTS, POINTS, -1).min(axis=2), CONTOURS * fit.surface.nat
        )
        middle = np.log2([own.at[v] for v in names[:2]])
        drawn = np.where([v in own.interval for v in names[:2]], own.drawn[:, :2], middle)
        fit_plot.region(ax, 2.0 ** fit_plot.ellipse(drawn, middle, own.level, POINTS), f"{level} ellipse")
        ax.set_ylabel(fit_plot.label(names[1]))
        ways.value_axis(ax, along[1][0], along[1][-1], fit_plot.say(names[1], along[1]))
    else:
        fit_plot.surface(ax, along[0], rise)
        fit_plot.span(ax, own.interval.get(names[0]), f"{level} interval")
        ax.set_ylim(-0.05 * farthest, farthest)
    fit_plot.optimum(ax, own.at[names[0]], own.at[names[1]] if flat else 0.0, edge=edge, label="fitted optimum")


def _against_budget(ax: Axes, fit: Fit, name: str, budgets: Sequence[float]) -> None:
    """An optimum against the budget, fitted and predicted, the best runs, the theory's slope, what else one may set."""
    measured, sampled = np.unique(fit.runs.T), fit.runs.values[name]
    asked = [fit.predict(T) for T in budgets]
    every = np.geomspace(measured[0], max([measured[-1] * 1.5, *(p.T for p in asked)]), POINTS)
    along, own = ([fit.predict(float(T)) for T in x] for x in (every, measured))
    low, high = np.array([p.interval.get(name, (p.at[name],) * 2) for p in along]).T
    fit_plot.path(ax, every, np.array([p.at[name] for p in along]), low, high, f"{100 * fit.level:g}% interval")
    at = np.array([p.at[name] for p in own])
    fit_plot.optimum(ax, measured, at, edge=name in own[-1].edge, label="fitted optimum", size=3.6)
    runs = [fit.runs.only(fit.runs.T == T) for T in measured]
    best = [r.best[name] for r in runs]
    ax.plot(measured, best, "s", color="0.3", markersize=3.5, label="best run", zorder=4)
    others = [(p.T, b.at[name], b.name) for p in asked for b in fit.baselines(p.T)]
    shown = [y for x, y, label in others if fit_plot.other(ax, x, y, label)]
    for p in asked:
        fit_plot.optimum(ax, p.T, p.at[name], edge=name in p.edge, label="prediction", marker="*", size=10)
    if name in TUNABLE:
        lines.law(ax, every, at[-1] * (every / measured[-1]) ** float(_theory(fit, name)), "theory's slope")
    fit_plot.ends(ax, sampled.min(), sampled.max())
    values = np.array([*low, *high, *best, *shown, *sampled])
    ax.set(xscale="log", xlim=every[[0, -1]], ylabel=fit_plot.label(name))
    ways.value_axis(ax, values.min() / 1.2, values.max() * 1.2, fit_plot.say(name, values))
