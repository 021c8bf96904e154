"""Colours, symbols and scales that all figures share."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from pathlib import Path
from types import MappingProxyType
from typing import Any

import matplotlib.style
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator
from numpy.typing import NDArray

from hpgrid.text import name_latex
from hpgrid.variables import STANDARD, Space, Variable

#: How a quantity is written on an axis.
SYMBOLS = {
    "risk": "risk",
    "regret": "relative excess risk",
    "eta": r"learning rate $\eta$",
    "b": "batch size $b$",
    "alpha": r"momentum complement $\alpha$",
    "T": "token budget $T$",
    "K": "iterations $K$",
    "points": "grid points",
    "seconds": "seconds",
}


#: What a bound declares of its variables, by name, and what is taken from its risk, while a picture of it is drawn.
_DECLARED: ContextVar[Mapping[str, Variable]] = ContextVar("declared", default=MappingProxyType({}))
_ABOVE: ContextVar[str] = ContextVar("above", default="")


@contextmanager
def declaring(space: Space, above: str = "") -> Iterator[None]:
    """The context in which quantities have the symbols and the words that a bound declares.

    Args:
        space: its variables.
        above: the constant that is taken from the risk, which is then written as the risk less that, or "".
    """
    before = _DECLARED.set({v.name: v for v in space.all.values() if v != STANDARD.all.get(v.name)}), _ABOVE.set(above)
    try:
        yield
    finally:
        _DECLARED.reset(before[0])
        _ABOVE.reset(before[1])


def symbol(name: str) -> str:
    """Return how a quantity is written on an axis: one that a bound declares in its words, and by its symbol."""
    if name == "risk" and _ABOVE.get():
        return f"risk $- {name_latex(_ABOVE.get())}$"
    own = _DECLARED.get().get(name)
    return f"{own.words} ${short(name)}$" if own and own.words else SYMBOLS.get(name, f"${short(name)}$")


def short(name: str) -> str:
    """Return the symbol of a quantity, for a formula."""
    own = _DECLARED.get().get(name)
    return own.symbol if own and own.symbol else name if name == "risk" else name_latex(name)


#: A family of thin curves has the colour map of what is held along each of them.
COLORMAPS = {"b": "Blues", "eta": "Greens", "alpha": "Reds"}

#: A range no wider than this has too few powers of ten for its ticks.
FEW = 10**1.5

#: Tick values within a decade, from few to many.
_STEPS = ((1,), (1, 3), (1, 2, 5), (1, 1.5, 2, 3, 4, 5, 6, 8))

# What is drawn over what: bands 1, families 2, raw argmins 3, optima 4, refined optima 5, laws and edge points 6.

#: The optimum over everything tuned.
OPTIMUM = "#c2187d"

#: The continuous optimum, where it is drawn over the grid's.
REFINED = "#1b4f9c"

#: A prediction.
PREDICTED = "0.1"

#: What is near-optimal.
NEAR = "#d62728"


@contextmanager
def styled() -> Iterator[None]:
    """The context in which figures are made and saved."""
    with matplotlib.style.context(Path(__file__).with_name("hpgrid.mplstyle")), warnings.catch_warnings():
        # A title may have a character that the font lacks: the picture shows where.
        warnings.filterwarnings("ignore", "Glyph", UserWarning)
        yield


@contextmanager
def panel(ax: Axes | None, space: Space | None = None) -> Iterator[Axes]:
    """The context in which a result draws one panel: in axes that are given, as they are, or in a styled picture's own.

    Args:
        ax: the axes, or None.
        space: the variables that the bound declares, where it may.
    """
    with nullcontext() if space is None else declaring(space), styled() if ax is None else nullcontext():
        yield Figure((3.6, 3.2)).subplots() if ax is None else ax


def place(axes: Axes) -> None:
    """Give axes their place in their figure: what is written beside a line goes by it."""
    whole: Any = axes.figure
    whole.figure.draw_without_rendering()  # that of a part of a figure is the whole one


def placed(figure: Figure) -> None:
    """Give a figure's panels their places, which they keep."""
    figure.draw_without_rendering()
    figure.set_layout_engine("none")


def new_figure(
    rows: int, columns: int, size: tuple[float, float], titles: Sequence[str] = ()
) -> tuple[Figure, list[Axes]]:
    """Return a figure of size inches, and its axes row by row, with titles (a), (b), ...; call it inside ``styled``."""
    figure = Figure(figsize=size)
    axes = list(figure.subplots(rows, columns, squeeze=False).flat)
    for k, title in enumerate(titles):
        letter(axes[k], k, title)
    return figure, axes


def row(panels: Mapping[Any, Callable[[Axes], Any]], space: Space | None) -> Figure:
    """Return a figure of panels in a row, by what draws each, with one legend below."""
    with styled(), nullcontext() if space is None else declaring(space):
        figure, axes = new_figure(1, len(panels), (max(2.5 * len(panels), 6.8), 2.8), [""] * len(panels))
        for ax, draw in zip(axes, panels.values()):
            draw(ax)
        split_legends(figure, axes, ["best"] * len(panels))
    return figure


def letter(axes: Axes, k: int, title: str) -> None:
    """Title a panel "(a) ..."."""
    axes.set_title(f"({chr(ord('a') + k)}) {title}".rstrip())


def split_legends(figure: Figure, axes: Sequence[Axes], corners: Sequence[Any]) -> None:
    """Name the laws, which are set in mathematics, in a corner of each axes, and all else once below the figure."""
    shared: dict[str, Any] = {}
    for ax, corner in zip(axes[::-1], corners[::-1]):
        own = named([ax])
        if laws := {label: own.pop(label) for label in [*own] if label.startswith("$")}:
            ax.legend(laws.values(), laws.keys(), loc=corner)
        shared |= own
    legend_below(figure, shared)


def named(axes: Sequence[Axes]) -> dict[str, Any]:
    """Return what is drawn in axes by its label, each label once."""
    return {label: handle for ax in axes for handle, label in zip(*ax.get_legend_handles_labels())}


def legend_below(figure: Any, handles: Mapping[str, Any], columns: int | None = None, first: str = "") -> None:
    """Name below a figure what there is by its label, those whose labels begin with ``first`` before others."""
    order = sorted(handles, key=lambda label: not label.startswith(first))
    if order:
        place = "outside lower center"
        figure.legend([handles[label] for label in order], order, loc=place, ncols=columns or len(order))


def hollow(
    axes: Axes, x: NDArray[np.float64], y: NDArray[np.float64], edge: NDArray[np.bool_], color: str, label: str
) -> None:
    """Mark with hollow points where an optimum sits on the border of the search box, and says nothing."""
    if edge.any():
        axes.plot(
            x[edge], y[edge], "o", markersize=3.0, markerfacecolor="white", markeredgecolor=color,
            markeredgewidth=0.8, label=label, zorder=6, clip_on=False,
        )  # fmt: skip


def visible(values: NDArray[np.float64]) -> bool:
    """Return whether a line through some values is there to be seen, so that a legend may name it."""
    return bool(np.isfinite(values).any())


def log_axes(axes: Axes, x: Sequence[float], y: Sequence[float], labels: tuple[str, str]) -> None:
    """Give axes log scales over two ranges, with a few decades labelled, or round values where there are hardly any.

    Args:
        axes: which.
        x: the ends of the first range.
        y: those of the second.
        labels: for each a name in ``SYMBOLS``, or any other text.
    """
    # Ranges first: a scale would look for one of its own, over all that was drawn.
    axes.set_xlim(*x)
    axes.set_ylim(*y)
    axes.set_xscale("log")
    axes.set_yscale("log")
    for axis, (lo, hi) in ((axes.xaxis, x), (axes.yaxis, y)):
        label_values(axis, decades(lo, hi) if hi > lo * FEW else ticks(lo, hi, 5))
    x_label, y_label = (SYMBOLS.get(label, label) for label in labels)
    axes.set(xlabel=x_label, ylabel=y_label)


def label_values(axis: Any, values: Sequence[float], label: Callable[[float], str] | None = None) -> None:
    """Label some values along an axis, and nothing between them: as powers of ten where nothing else is said."""
    axis.set_major_locator(FixedLocator(list(values)))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: (label or power_of_ten)(value)))


def color_bar(
    figure: Any,
    drawn: Any,
    axes: Any,
    label: str,
    values: Sequence[float],
    aspect: float,
    say: Callable[[float], str] | None = None,
) -> None:
    """Draw a colour bar beside some axes, a few values labelled.

    Args:
        figure: which the axes are of.
        drawn: what has the colours and their norm.
        axes: one, or a list of those that share it.
        label: what the colours mean.
        values: which are labelled.
        aspect: its height over its width.
        say: how they are written; as powers of ten where nothing else is said.
    """
    bar = figure.colorbar(drawn, ax=axes, pad=0.02, aspect=aspect)
    bar.set_label(label)
    label_values(bar.ax.yaxis, values, say)
    bar.outline.set_visible(False)


def decades(lo: float, hi: float, most: int = 6) -> list[float]:
    """Return at most ``most`` powers of ten in a range, evenly spaced; its ends' neighbours if it has none."""
    # An end that misses its decade by a rounding still has it.
    first, last = math.ceil(math.log10(lo) - 1e-9), math.floor(math.log10(hi) + 1e-9)
    if last < first:
        return [lo, hi]
    # Multiples of the stride, so that panels side by side have the same ones.
    stride = 1 + (last - first) // most
    start = -(-first // stride) * stride
    return [10.0**k for k in range(start, last + 1, stride)]


def power_of_ten(value: float, _: object = None) -> str:
    """Return a tick's label: a power of ten, or a number with two digits."""
    if value <= 0:
        return ""
    exponent = math.log10(value)
    if abs(exponent - round(exponent)) < 1e-9:
        return f"$10^{{{round(exponent)}}}$"
    return number(value)


def number(value: float) -> str:
    """Return a number for a label: 0.001, 1072, or 1.7e-6 as a power of ten."""
    if 1e-4 <= value < 1e6:
        return f"{value:.4g}"
    exponent = math.floor(math.log10(value) + 1e-12)
    mantissa = value / 10.0**exponent
    power = f"10^{{{exponent}}}"
    # Three digits would make it 1.00 times the power.
    return f"${power}$" if abs(mantissa - 1) < 5e-3 else f"${mantissa:.3g}\\times {power}$"


def ticks(lo: float, hi: float, most: int) -> list[float]:
    """Return at most ``most`` round values in a range, as many as there can be, but at least two."""
    first, last = math.floor(math.log10(lo)), math.ceil(math.log10(hi))
    best: list[float] = []
    for steps in _STEPS:
        values = [float(f"{step}e{k}") for k in range(first, last + 1) for step in steps]
        inside = [value for value in values if lo * (1 - 1e-9) <= value <= hi * (1 + 1e-9)]
        if len(inside) > most:
            inside = best or inside[:: -(-len(inside) // most)]
        best = max(best, inside, key=len)
    return best if len(best) > 1 else _evenly(lo, hi, most)


def _evenly(lo: float, hi: float, most: int) -> list[float]:
    """Multiples of 1, 2 or 5 times a power of ten, at least two and at most ``most`` where that can be."""
    exponent = math.floor(math.log10(hi - lo))
    for step in (float(f"{digit}e{exponent - back}") for back in (0, 1) for digit in (5, 2, 1)):
        first, last = math.ceil(lo / step * (1 - 1e-9)), math.floor(hi / step * (1 + 1e-9))
        if last > first:
            values = [float(f"{k * step:.12g}") for k in range(first, last + 1)]
            return values if len(values) <= most else [values[0], values[-1]]
    return [lo, hi]
