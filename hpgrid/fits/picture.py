"""A fit in one picture: each budget's runs and the surface around its optimum, then the optimum against the budget."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure

from hpgrid.plotting import style
from hpgrid.plotting.style import OPTIMUM, SYMBOLS
from hpgrid.shapes import Floats

if TYPE_CHECKING:
    from hpgrid.fits.fit import Fit

#: Panels of budgets, the largest ones.
MOST = 4

#: Excess losses, in units of the loss, at which the surface has contours, and where the colours end.
CONTOURS, DARKEST = (0.001, 0.003, 0.01, 0.03), 0.05

#: Points along a line of a picture.
POINTS = 61

#: Yellow is good; losses near the optimum have most of the colours.
CMAP, NORM = "viridis_r", PowerNorm(0.5, 0, DARKEST)


def draw(fit: Fit, budgets: Sequence[float]) -> Figure:
    """Return the picture of a fit and of its predictions."""
    names = fit.surface.names
    shown = np.unique(fit.runs.T)[-MOST:]
    columns = max(len(shown), len(names))
    with style.styled():
        figure, axes = style.new_figure(2, columns, (2.4 * columns + 0.6, 5.2))
        for k, (ax, T) in enumerate(zip(axes, shown)):
            style.letter(ax, k, f"${_budget(fit)} = $ {style.number(T)}")
            (_plane if len(names) > 1 else _line)(ax, fit, float(T))
        for k, (ax, name) in enumerate(zip(axes[columns:], names), start=len(shown)):
            style.letter(ax, k, SYMBOLS[name])
            _against_budget(ax, fit, name, budgets)
        for ax in [*axes[len(shown) : columns], *axes[columns + len(names) :]]:
            ax.remove()
        if len(names) > 1:
            colored = axes[0].collections[0]
            label = "loss above the fitted minimum"
            style.color_bar(figure, colored, list(axes[: len(shown)]), label, CONTOURS, 20)
        handles: dict[str, Any] = {}
        for ax in (axes[0], axes[columns]):
            handles |= dict(zip(*reversed(ax.get_legend_handles_labels())))
        figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=min(len(handles), 4))
    return figure


def _budget(fit: Fit) -> str:
    return "T" if fit.runs.counted == "tokens" else "K"


def _runs(fit: Fit, T: float) -> tuple[dict[str, Floats], Floats, Any]:
    """One budget's runs: what varies, each loss above the surface's minimum, and which were fitted.

    The excess is the surface's rise and the run's own noise: third derivatives are small where runs count.
    """
    mask = fit.runs.T == T
    at = {name: fit.runs.values[name][mask] for name in fit.surface.names}
    return at, fit.rise(at, T) + fit.surface.residuals[mask], fit.surface.weights[mask] > 0


def _plane(ax: Axes, fit: Fit, T: float) -> None:
    """One budget's runs over two variables, contours of the surface, its optimum and its intervals."""
    x, y = fit.surface.names[:2]
    at, excess, fitted = _runs(fit, T)
    own = fit.predict(T)
    ends = [(min(at[v].min(), own.at[v]) / 1.4, max(at[v].max(), own.at[v]) * 1.4) for v in (x, y)]
    style.log_axes(ax, ends[0], ends[1], (x, y))
    color = np.clip(excess, 0, DARKEST)
    for mine, size, alpha, label in ((fitted, 16, 1.0, "runs, fitted"), (~fitted, 6, 0.6, "runs, too far off")):
        ax.scatter(
            at[x][mine], at[y][mine], size, color[mine], alpha=alpha, label=label, cmap=CMAP, norm=NORM, zorder=3
        )
    grid = np.meshgrid(*(np.geomspace(*end, POINTS) for end in ends))
    ax.contour(*grid, fit.rise(dict(zip((x, y), grid)), T), levels=CONTOURS, colors="0.45", linewidths=0.7)
    ax.plot(own.at[x], own.at[y], "*", color=OPTIMUM, markersize=8, label="fitted optimum", zorder=6)
    for along, across in ((x, y), (y, x)):
        if along in own.interval:
            ends_of = (own.interval[along], (own.at[across],) * 2)
            ax.plot(*(ends_of if along == x else ends_of[::-1]), color=OPTIMUM, linewidth=0.9, zorder=5)


def _line(ax: Axes, fit: Fit, T: float) -> None:
    """One budget's losses over the one variable that varies, and the surface along it."""
    (x,) = fit.surface.names
    at, excess, fitted = _runs(fit, T)
    along = np.geomspace(at[x].min() / 1.2, at[x].max() * 1.2, POINTS)
    ax.plot(along, fit.rise({x: along}, T), color="0.45", linewidth=0.9, label="surface")
    ax.plot(at[x][fitted], excess[fitted], "o", markersize=4, label="runs, fitted")
    ax.plot(at[x][~fitted], excess[~fitted], "o", markersize=2.5, alpha=0.6, label="runs, too far off")
    ax.plot(
        fit.predict(T).at[x], 0.0, "*", color=OPTIMUM, markersize=8, label="fitted optimum", zorder=6, clip_on=False
    )
    top = 2 * DARKEST
    ax.set(ylabel="loss above the fitted minimum", ylim=(-0.05 * top, top), xscale="log", xlim=(along[0], along[-1]))
    ax.set_xlabel(SYMBOLS[x])
    style.label_values(ax.xaxis, style.ticks(along[0], along[-1], 4))


def _against_budget(ax: Axes, fit: Fit, name: str, budgets: Sequence[float]) -> None:
    """An optimum against the budget: as fitted, as predicted, the best runs, the theory's slope, the papers' rules."""
    measured = np.unique(fit.runs.T)
    every = np.geomspace(measured[0], max([measured[-1] * 1.5, *budgets]), POINTS)
    predictions = [fit.predict(float(T)) for T in every]
    middle = np.array([p.at[name] for p in predictions])
    ax.plot(every, middle, color=OPTIMUM, linewidth=1.2, label="fitted optimum")
    if all(name in p.interval for p in predictions):
        low, high = np.array([p.interval[name] for p in predictions]).T
        label = f"{100 * fit.level:g}% interval"
        ax.fill_between(every, low, high, color=OPTIMUM, alpha=0.15, linewidth=0, label=label)
    runs = [fit.runs.only(fit.runs.T == T) for T in measured]
    best = [float(r.values[name][np.argmin(r.loss)]) for r in runs]
    ax.plot(measured, best, "o", color="0.3", markersize=4, label="best run")
    others = []
    for T in budgets:
        ax.plot(T, fit.predict(T).at[name], "*", color=OPTIMUM, markersize=9, label="prediction", zorder=6)
        others += [(T, b.at[name]) for b in fit.baselines(T) if name in b.at and b.name.startswith("rule")]
    if others:
        ax.plot(*zip(*others), "x", color=style.NEAR, markersize=5, label="rules A and C from the best run")
    own = next((s for s in fit.exponents if s.what == f"{name}* in T"), None)
    if own is not None:
        law = fit.predict(float(measured[-1])).at[name] * (every / measured[-1]) ** float(own.theory)
        ax.plot(every, law, "--", color=style.PREDICTED, linewidth=0.8, label="the theory's slope")
    values = [*middle, *best, *(x for _, x in others)]
    style.log_axes(ax, (every[0] / 1.2, every[-1] * 1.2), (min(values) / 2, max(values) * 2), (_budget(fit), name))
