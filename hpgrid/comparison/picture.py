"""The comparison in pictures: a panel a question, a row a source, exponents with their intervals."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hpgrid.comparison.compare import Comparison
from hpgrid.comparison.questions import QUESTIONS, Cell
from hpgrid.comparison.tables import in_latex
from hpgrid.plotting import style

#: Panels beside one another.
_ACROSS = 3

#: By how an exponent is known, its marker, its colour and its name.
_MARKS = {
    "exact": ("o", style.OPTIMUM, "exact"),
    "measured": ("s", style.REFINED, "measured far out"),
    "fitted": ("D", style.PREDICTED, "fitted"),
}


def draw(comparison: Comparison) -> Figure:
    """Return the picture of the questions that two sources or more answer with a number."""
    answered = {key: {n: c for n, c in comparison.cells(key).items() if c.numeric} for key in comparison.questions}
    kept = [key for key, cells in answered.items() if len(cells) > 1] or list(answered)[:1]
    names = [name for name in comparison.chosen if any(name in answered[key] for key in kept)][::-1]
    across = min(_ACROSS, len(kept))
    rows = -(-len(kept) // across)
    with style.styled():
        figure, axes = style.new_figure(rows, across, (2.7 * across + 1.2, rows * (0.16 * len(names) + 0.75) + 0.4))
        for k, (ax, key) in enumerate(zip(axes, kept)):
            _exponents(ax, answered[key], names)
            style.letter(ax, k, in_latex(QUESTIONS[key].words))
            if k % across:
                ax.set_yticklabels([])
        for ax in axes[len(kept) :]:
            ax.set_axis_off()
        style.legend_below(figure, style.named(axes))
    return figure


def panels(comparison: Comparison) -> dict[str, Callable[[Axes], None]]:
    """Return what draws the answers to each question."""

    def answers(axes: Axes, key: str) -> None:
        cells = {name: cell for name, cell in comparison.cells(key).items() if cell.numeric}
        _exponents(axes, cells, [*cells][::-1])
        axes.set_xlabel(in_latex(QUESTIONS[key].words))

    return {key: partial(answers, key=key) for key in comparison.questions}


def _exponents(ax: Axes, cells: Mapping[str, Cell], names: Sequence[str]) -> None:
    """Draw answers in rows, those of ``names`` from below."""
    for name, cell in cells.items():
        marker, color, label = _MARKS[cell.known]
        value, y = float(cell.value or 0), names.index(name)
        ax.plot([float(cell.low), float(cell.high)], [y, y], color=color)
        ax.plot(value, y, marker, color=color, markersize=3.5, label=label)
    ax.axvline(0, color="0.8", linewidth=0.6, zorder=0)
    ax.set(yticks=range(len(names)), yticklabels=names, ylim=(-0.7, len(names) - 0.3))
