"""Cost against work: a panel a work, a line a contender, and the floors that the device's ceilings set."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hpgrid.bench.contenders import CONTENDERS, HPGRID
from hpgrid.bench.report import Outcome
from hpgrid.bench.works import WORKS
from hpgrid.plotting.style import OPTIMUM, SHORT, letter, log_axes, new_figure, styled

#: Colours that the colour blind tell apart, and markers for grey print.
_LOOKS: Mapping[str, tuple[str, str]] = {
    "numpy_printed": ("#0072B2", "s"),
    "numpy_factored": ("#56B4E9", "D"),
    "numpy_factored_last": ("#1f3b5c", "v"),
    "numexpr": ("#009E73", "^"),
    "numexpr_factored": ("#7fce5b", "h"),
    "vmaps": ("#E69F00", "P"),
    "torch": ("#D55E00", "X"),
    "numba": ("0.25", "<"),
    HPGRID.name: (OPTIMUM, "o"),
}

#: The floors that are drawn, their lines and their names. That of memory alone lies far below.
_FLOORS: Mapping[str, tuple[str, str]] = {
    "arithmetic": ("-", "floor of arithmetic"),
    "handed on": (":", "floor of memory, carries included"),
}


def draw(outcomes: Sequence[Outcome]) -> Figure:
    """Return the figure of seconds (medians) against points searched, for hpgrid and the others."""
    works = [work for work in WORKS if any(outcome.work == work for outcome in outcomes)]
    columns = min(2, len(works))
    rows = math.ceil(len(works) / columns)
    with styled():
        figure, panels = new_figure(rows, columns, (3.5 * columns, 2.6 * rows + 0.9))
        limits = _limits(outcomes)
        for k, (axes, work) in enumerate(zip(panels, works)):
            _panel(axes, [outcome for outcome in outcomes if outcome.work == work], limits)
            letter(axes, k, _title(work))
        for axes in panels[len(works) :]:
            axes.remove()
        _legend(figure, panels[: len(works)], 1 + columns)
    return figure


def _title(work: str) -> str:
    """R2: best $(\\eta, b)$ for every $(\\alpha, T)$."""
    asked = WORKS[work]
    return f"{work}: best {_tuple(asked.over)} for every {_tuple((*asked.kept, 'T'))}"


def _tuple(names: Sequence[str]) -> str:
    """Symbols in parentheses, or one without."""
    listed = ", ".join(SHORT[name] for name in names)
    return f"${listed}$" if len(names) == 1 else f"$({listed})$"


def _legend(figure: Figure, panels: Sequence[Axes], columns: int) -> None:
    """Name every line once, hpgrid's first and the floors last."""
    named: dict[str, Any] = {}
    for axes in panels:
        named |= dict(zip(*reversed(axes.get_legend_handles_labels())))
    floors = [label for _, label in _FLOORS.values()]
    labels = sorted(named, key=lambda label: (label in floors, label != HPGRID.label))
    figure.legend([named[label] for label in labels], labels, loc="outside lower center", ncols=columns)


def _limits(outcomes: Sequence[Outcome]) -> tuple[tuple[float, float], tuple[float, float]]:
    """Ranges that all panels share, with room around what is drawn."""
    points = [outcome.points for outcome in outcomes]
    seconds = [row.median_s for outcome in outcomes for row in outcome.rows.values()]
    seconds += [outcome.floors[name] for outcome in outcomes for name in _FLOORS]
    return (min(points) / 2, max(points) * 2), (min(seconds) / 2, max(seconds) * 2)


def _panel(axes: Axes, outcomes: Sequence[Outcome], limits: tuple[tuple[float, float], tuple[float, float]]) -> None:
    """Draw one work: floors below all, hpgrid above all."""
    for name, (style, label) in _FLOORS.items():
        # A floor goes as the number of points, but for what is shared by a line of them: on from either end.
        x = [limits[0][0], *(outcome.points for outcome in outcomes), limits[0][1]]
        floors = [outcome.floors[name] for outcome in outcomes]
        y = [floors[0] * x[0] / x[1], *floors, floors[-1] * x[-1] / x[-2]]
        axes.plot(x, y, style, color="0.6", linewidth=1.1, label=label, zorder=1)
    for name, contender in CONTENDERS.items():
        rows = [(outcome.points, outcome.rows[name].median_s) for outcome in outcomes if name in outcome.rows]
        if not rows:
            continue
        color, marker = _LOOKS[name]
        ours = name == HPGRID.name
        axes.plot(
            *zip(*rows), color=color, marker=marker, markersize=5.5 if ours else 4.5, linewidth=2.0 if ours else 1.0,
            markeredgecolor="white", markeredgewidth=0.5, label=contender.label, zorder=5 if ours else 3,
        )  # fmt: skip
    log_axes(axes, *limits, ("points", "seconds"))
